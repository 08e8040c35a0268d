#include "cli/demo/motor.h"

#include "base/text.h"
#include "cli/demo/demo.h"
#include "cli/demo/folder.h"
#include "cli/operate/sandbox.h"

#include <stdio.h>

#define LIMIT_US 120000000
#define STORY_MEMORY ((size_t)64 << 20)

/* -- a party's answer against what must come -- */

static const char *
keep(struct motor *m, view text)
{
    const char *copy = arena_cstr(m->mem, text.p ? text : V(""));
    return copy ? copy : "";
}

static void
take_facts(struct motor *m, struct told *r, const json_t *told)
{
    size_t i;
    json_t *fact;
    json_array_foreach(json_member(m->step, "facts"), i, fact)
    {
        const json_t *got = json_array_get(json_member(told, "facts"), i);
        if (r->n_facts == MOTOR_FACTS)
            return;
        struct fact *one = &r->facts[r->n_facts++];
        *one = (struct fact){keep(m, json_text(fact, "what")), keep(m, json_text(fact, "at")),
                             keep(m, json_text(fact, "is")),
                             keep(m, got ? view_of(json_string_value(got)) : V("")), false};
        one->ok = strcmp(one->is, one->got) == 0;
        r->ok = r->ok && one->ok;
    }
}

static bool
is_status_right(const struct motor *m, int status)
{
    const json_t *expected = json_member(m->step, "expect");
    bool posts = view_eq(json_text(m->step, "do"), V("post"));
    if (expected)
        return status == json_integer_value(expected);
    return posts ? status == 201 : status == 200;
}

static void
take_words(struct motor *m, const json_t *told)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json_member(told, "took"), name, value)
        story_keep(&m->story, name, view_of(json_string_value(value)));
}

static void
add_row(struct motor *m, const struct told *r)
{
    bool counted = r->kind != TOLD_STEP || r->text || !r->ok;
    m->steps++;
    m->seen += r->kind == TOLD_SEEN;
    m->refused += r->kind == TOLD_REFUSED;
    m->failed += !r->ok;
    if (counted && m->n_rows < MOTOR_ROWS)
        m->rows[m->n_rows++] = *r;
    if (m->a->json)
        motor_print_row_json(m, r);
    else if (!m->a->quiet)
        motor_print_row(m, r);
}

static void
take(void *self, const json_t *told)
{
    struct motor *m = self;
    view refusal = json_text(m->step, "expect"), text = json_text(m->step, "tell");
    bool seen = view_eq(json_text(m->step, "do"), V("see"));
    struct told r = {.kind = refusal.n ? TOLD_REFUSED
                             : seen    ? TOLD_SEEN
                                       : TOLD_STEP,
                     .by = keep(m, json_text(m->step, "by")),
                     .text = text.n ? keep(m, text) : NULL,
                     .code = keep(m, json_text(told, "code")),
                     .expected = keep(m, refusal),
                     .place = keep(m, json_text(told, "place")),
                     .file = keep(m, json_text(m->step, "file")),
                     .status = (int)json_int(told, "status", 0),
                     .us = json_int(told, "us", 0),
                     .day = m->day};
    if (json_text(told, "fault").n) {
        r.code = keep(m, json_text(told, "fault"));
        r.place = keep(m, json_text(told, "where"));
    } else {
        r.ok = refusal.n ? strcmp(r.code, r.expected) == 0 : is_status_right(m, r.status);
    }
    take_facts(m, &r, told);
    take_words(m, told);
    add_row(m, &r);
}

/* -- a story -- */

/* A step that needs what an earlier one did not take: it is told as failed, and the story goes on. */
static err
not_played(struct motor *m, const json_t *raw, const struct fault *f)
{
    struct told r = {.by = keep(m, json_text(raw, "by")),
                     .text = keep(m, json_text(raw, "tell")),
                     .code = "not-played",
                     .expected = "",
                     .place = keep(m, view_of(f->where)),
                     .file = "",
                     .day = m->day};
    add_row(m, &r);
    return E_OK;
}

static err
new_day(struct motor *m, int day, struct fault *f)
{
    TRY(motor_go_to_day(m, day, f));
    if (!m->a->json && !m->a->quiet)
        motor_print_day(m);
    return E_OK;
}

/* The operator of the gateway is no party: the conductor acts for him. */
static err
operate(struct motor *m, struct fault *f)
{
    err e = motor_set_options(m, m->step, f);
    struct told r = {.by = "op",
                     .text = json_text(m->step, "tell").n ? keep(m, json_text(m->step, "tell")) : NULL,
                     .code = e == E_OK ? "" : err_info(e)->code,
                     .expected = "",
                     .place = "",
                     .file = "",
                     .status = e == E_OK ? 200 : 0,
                     .day = m->day,
                     .ok = e == E_OK};
    add_row(m, &r);
    return E_OK;
}

static err
play_step(struct motor *m, const json_t *raw, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(STORY_MEMORY);
    json_t *step = NULL;
    if (json_member(raw, "day"))
        return new_day(m, (int)json_int(raw, "day", 0), f);
    if (story_fill(&m->story, raw, mem, &step, f) != E_OK)
        return not_played(m, raw, f);
    m->step = step;
    if (view_eq(json_text(step, "do"), V("options")))
        return operate(m, f);
    view text = json_dump_arena(step, mem), line = arena_printf(mem, "play %.*s\n", VIEW_ARG(text));
    if (!text.p || !line.p)
        return E_TOO_LARGE;
    cast_send(&m->cast, json_string_value(json_member(step, "by")), line);
    return cast_wait(&m->cast, cast_all_done);
}

static err
start(struct motor *m, struct fault *f)
{
    size_t i;
    json_t *name;
    TRY(cast_serve(&m->cast, f));
    json_array_foreach(json_member(m->story.own, "cast"), i, name)
        TRY(cast_party(&m->cast, "actor", json_string_value(name), f));
    return cast_wait(&m->cast, cast_all_ready);
}

static err
play_steps(struct motor *m, struct fault *f)
{
    size_t i;
    json_t *step;
    TRY(start(m, f));
    json_array_foreach(json_member(m->story.own, "steps"), i, step) TRY(play_step(m, step, f));
    return E_OK;
}

static err
play_story(struct motor *m, const char *name, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(STORY_MEMORY);
    TRY(story_open(name, mem, &m->story, f));
    m->mem = mem;
    m->scenario = json_string_value(json_member(m->story.own, "scenario"));
    m->title = json_string_value(json_member(m->story.own, "title"));
    m->n_rows = 0;
    m->day = 0;
    m->stories++;
    if (!m->a->json && !m->a->quiet)
        motor_print_title(m);
    err e = play_steps(m, f);
    if (e == E_OK && !m->a->json && !m->a->quiet)
        motor_print_story(m);
    m->mem = m->a->mem;
    cast_end(&m->cast);
    return e;
}

static bool
is_wanted(const struct args *a, const char *name)
{
    const char *only = args_value(a, "scenario");
    return !only || (strncmp(name, only, strlen(only)) == 0 && strcmp(name + strlen(only), ".json") == 0);
}

/* Each story has a store of its own, as init made it: a person of one is a stranger to the others, and each begins
 * today. */
static err
play_all(struct motor *m, struct fault *f)
{
    char listen[32], store[300], made[300];
    TRY(cast_folder(&m->cast, f));
    TRY(cast_port(&m->cast, f));
    snprintf(listen, sizeof listen, "127.0.0.1:%d", m->cast.port);
    TRY(sandbox_make(m->a, m->cast.dir, listen, f));
    snprintf(store, sizeof store, "%s/store", m->cast.dir);
    snprintf(made, sizeof made, "%s/store.made", m->cast.dir);
    if (rename(store, made) != 0)
        return fault_set(f, E_FILE, made, "a folder that can be renamed", "another");
    for (size_t i = 0; story_name(i); i++) {
        if (!is_wanted(m->a, story_name(i)))
            continue;
        folder_remove(store);
        TRY(folder_copy(made, store, f));
        TRY(play_story(m, story_name(i), f));
    }
    return m->stories ? E_OK : fault_set(f, E_NOT_FOUND, "--scenario", "a scenario with a story", "another");
}

int
run_demo_motor(struct args *a)
{
    struct motor m = {.a = a, .mem = a->mem, .started_us = clock_monotonic_us()};
    struct fault f;
    fault_init(&f);
    if (a->n_positional || args_flag(a, "keep") || args_value(a, "documents"))
        return command_usage(a, "--motor takes --scenario and --json, and there are no other words");
    cast_init(&m.cast, a, m.started_us + LIMIT_US);
    m.cast.self = &m;
    m.cast.take = take;
    err e = play_all(&m, &f);
    int code = cast_outcome(&m.cast, e, &f);
    cast_end(&m.cast);
    if (code == EXIT_OK) {
        motor_print_end(&m, m.failed == 0);
        code = m.failed ? EXIT_FAILED : EXIT_OK;
    }
    if (code == EXIT_OK || code == EXIT_INTERRUPTED)
        cast_remove(&m.cast);
    else
        fprintf(stderr, "claimgate demo: something did not come out as it must; the logs are in %s\n",
                m.cast.dir);
    cast_done(&m.cast);
    return code;
}
