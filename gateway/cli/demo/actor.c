#include "cli/demo/actor.h"

#include "base/text.h"
#include "cli/demo/query.h"
#include "cli/operate/clock_shift.h"

#include <stdio.h>

#define TRIES 400
#define TRY_EVERY_MS 25

/* -- what a step does -- */

/* As the partner itself, or with the token of the person who has logged in. */
static err
call(struct actor *a, const struct client_request *rq, struct client_reply *ret, struct fault *f)
{
    if (json_bool(a->step, "as_person", false))
        return actor_as_person(a, rq, ret, f);
    return client_call(a->p.client, rq, a->p.mem, ret, f);
}

static err
get(struct actor *a, struct client_reply *ret, struct fault *f)
{
    const json_t *code = json_member(a->step, "track");
    const struct net_header header = {"X-Track-Token", json_text(a->step, "track")};
    const struct client_request rq = {.method = "GET",
                                      .path = arena_cstr(a->p.mem, json_text(a->step, "path")),
                                      .headers = &header,
                                      .n_headers = code ? 1 : 0};
    return call(a, &rq, ret, f);
}

/* For If-Match: the version that the gateway shows now, or the one that the step names. */
static err
version_of(struct actor *a, struct paper *paper, struct fault *f)
{
    struct client_reply reply = {.etag = VIEW_NONE};
    int64_t version = json_int(a->step, "version", 0);
    const char *match = arena_cstr(a->p.mem, json_text(a->step, "match"));
    if (!version && !json_member(a->step, "match"))
        return E_OK;
    if (!version) {
        TRY(client_get(a->p.client, match, a->p.mem, &reply, f));
        version = json_int(reply.json, "version", 0);
    }
    view etag = reply.etag.n ? reply.etag : arena_printf(a->p.mem, "\"%lld\"", (long long)version);
    paper->headers[paper->n_headers++] = (struct net_header){"If-Match", etag};
    paper->headers[paper->n_headers++] = (struct net_header){"Idempotency-Key", client_nonce(a->p.mem)};
    return E_OK;
}

static err
post(struct actor *a, struct client_reply *ret, struct fault *f)
{
    struct paper paper = {.n_headers = 0};
    TRY(actor_paper(a, &paper, f));
    TRY(version_of(a, &paper, f));
    const struct client_request rq = {.method = "POST",
                                      .path = arena_cstr(a->p.mem, json_text(a->step, "path")),
                                      .body = paper.body,
                                      .media = paper.media,
                                      .headers = paper.headers,
                                      .n_headers = paper.n_headers};
    return call(a, &rq, ret, f);
}

/* -- the feed: how a recipient learns what has come -- */

static err
pull(struct actor *a, struct fault *f)
{
    struct client_reply page, committed;
    size_t i;
    json_t *one;
    TRY(client_get(a->p.client, "/v1/events?consumer=main&limit=100", a->p.mem, &page, f));
    if (page.status != 200)
        return fault_set(f, E_NETWORK, "/v1/events", "200", "another status");
    const json_t *list = json_member(page.json, "data");
    if (!json_array_size(list))
        return E_OK;
    json_array_foreach(list, i, one) json_array_append_new(a->events, json_deep_copy(one));
    view body =
        arena_printf(a->p.mem, "{\"cursor\":\"%.*s\"}", VIEW_ARG(json_text(page.json, "next_cursor")));
    return client_post(a->p.client, "/v1/consumers/main/commit", body, a->p.mem, &committed, f);
}

static bool
take_event(struct actor *a, view type, struct client_reply *ret)
{
    size_t i;
    json_t *one;
    json_array_foreach(a->events, i, one)
    {
        if (!view_eq(json_text(one, "type"), type))
            continue;
        json_t *copy = json_deep_copy(one);
        json_array_remove(a->events, i);
        *ret = (struct client_reply){.status = 200, .json = copy};
        ret->body = json_dump_arena(copy, a->p.mem);
        return arena_defer(a->p.mem, json_decref_fn, copy);
    }
    return false;
}

/* The next event of a type. */
static err
await(struct actor *a, struct client_reply *ret, struct fault *f)
{
    view type = json_text(a->step, "event");
    for (int i = 0; i < TRIES; i++) {
        TRY(pull(a, f));
        if (take_event(a, type, ret))
            return E_OK;
        party_pause(&a->p, TRY_EVERY_MS);
    }
    return fault_set(f, E_NOT_FOUND, "/v1/events", "an event of this type", "none in ten seconds");
}

/* -- a step -- */

static err
ask(struct actor *a, const struct client_reply *reply, view question, view *ret)
{
    return query(reply->json, reply->body, question, a->p.mem, ret);
}

static err
put_facts(struct actor *a, const struct client_reply *reply, struct buf *out)
{
    size_t i;
    json_t *fact;
    BUF_LIT(out, ",\"facts\":[");
    json_array_foreach(json_member(a->step, "facts"), i, fact)
    {
        view answer;
        TRY(ask(a, reply, json_text(fact, "at"), &answer));
        if (i)
            BUF_LIT(out, ",");
        buf_add_json(out, answer);
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static err
put_took(struct actor *a, const struct client_reply *reply, struct buf *out)
{
    const char *name;
    json_t *question;
    bool first = true;
    BUF_LIT(out, ",\"took\":{");
    json_object_foreach((json_t *)(uintptr_t)json_member(a->step, "take"), name, question)
    {
        view answer;
        TRY(ask(a, reply, view_of(json_string_value(question)), &answer));
        buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
        buf_add_json(out, answer);
        first = false;
    }
    BUF_LIT(out, "}");
    return E_OK;
}

static err
tell(struct actor *a, const struct client_reply *reply)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    buf_printf(&out, "{\"status\":%d,\"us\":%lld,\"code\":", reply->status, (long long)reply->took.us);
    buf_add_json(&out, client_code(reply));
    BUF_LIT(&out, ",\"place\":");
    buf_add_json(&out, client_place(reply));
    err e = put_took(a, reply, &out);
    if (e == E_OK)
        e = put_facts(a, reply, &out);
    BUF_LIT(&out, "}");
    if (e == E_OK && !out.failed)
        party_say("%.*s", VIEW_ARG(buf_view(&out)));
    buf_done(&out);
    return e;
}

static const struct verb {
    const char *word;
    err (*play)(struct actor *a, struct client_reply *ret, struct fault *f);
} verbs[] = {
    {"get", get},         {"see", get},           {"post", post}, {"await", await}, {"upload", actor_upload},
    {"desk", actor_desk}, {"login", actor_login},
};

/* A get whose answer must become something is asked again until it has. */
static bool
is_enough(struct actor *a, const struct client_reply *reply)
{
    const json_t *until = json_member(a->step, "until");
    view answer;
    return !until || (ask(a, reply, json_text(until, "at"), &answer) == E_OK &&
                      view_eq(answer, json_text(until, "is")));
}

static err
play(struct actor *a, struct client_reply *ret, struct fault *f)
{
    view word = json_text(a->step, "do");
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!view_eq(view_of(verbs[i].word), word))
            continue;
        TRY(verbs[i].play(a, ret, f));
        for (int k = 0; k < TRIES && !is_enough(a, ret); k++) {
            party_pause(&a->p, TRY_EVERY_MS);
            TRY(verbs[i].play(a, ret, f));
        }
        return E_OK;
    }
    return fault_set(f, E_USAGE, "/do", "a verb of the stories", "another word");
}

static void
play_step(struct actor *a, view text)
{
    struct fault f;
    struct client_reply reply = {.status = 0};
    json_t *step = NULL;
    fault_init(&f);
    err e = json_load(text, a->p.mem, &step, &f);
    a->step = step;
    if (e == E_OK)
        e = play(a, &reply, &f);
    if (e == E_OK)
        e = tell(a, &reply);
    if (e != E_OK)
        party_say("{\"fault\":\"%s\",\"where\":\"%s\"}", err_info(e)->code, f.where);
}

static bool
job(struct party *p, view word, view rest)
{
    struct actor *a = (struct actor *)p;
    struct fault f;
    fault_init(&f);
    if (view_eq(word, V("clock")))
        return clock_shift_add(rest, &f) == E_OK;
    if (!view_eq(word, V("play")))
        return false;
    play_step(a, rest);
    return true;
}

int
run_party_actor(struct args *args)
{
    struct actor a = {.events = json_array(), .server.fd = -1};
    struct fault f;
    fault_init(&f);
    if (args->n_positional != 1 || !args_value(args, "dir"))
        return command_usage(args, "needs a name of the sandbox and --dir DIR");
    for (size_t i = 0; i < SERVER_VISITS; i++)
        a.server.visits[i].fd = -1;
    clock_shift_start();
    err e = party_open(&a.p, args, &f);
    int code = e == E_OK ? party_run(&a.p, job) : command_fail(args, e, &f);
    server_close(&a.server);
    party_close(&a.p);
    json_decref(a.events);
    json_decref(a.desk);
    login_free(a.login);
    return code;
}
