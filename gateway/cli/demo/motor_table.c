#include "cli/demo/motor.h"
#include "cli/demo/screen.h"

#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

#define INDENT 13 /* behind mark and party */
#define LABEL 28
#define CELL 14
#define CODE 26 /* of a refusal, with its status before it */
#define VIEWS_MAX 8
#define LABELS_MAX 48

struct table {
    const struct told *views[VIEWS_MAX];
    size_t n_views;
    const char *labels[LABELS_MAX];
    size_t n_labels;
};

/* "65320" → "65,320": a number of four digits or more that is nothing but digits. */
static view
grouped(const char *text, arena *mem)
{
    size_t n = strlen(text);
    char out[64], *to = out;
    if (n < 4 || n > 18 || !text_is_digits(view_of(text)))
        return view_of(text);
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *to++ = ',';
        *to++ = text[i];
    }
    return arena_dup(mem, view_make(out, (size_t)(to - out)));
}

static const char *
upper(const char *name, char out[8])
{
    size_t n = 0;
    for (; name[n] && n < 7; n++)
        out[n] = (char)(name[n] >= 'a' && name[n] <= 'z' ? name[n] - 'a' + 'A' : name[n]);
    out[n] = '\0';
    return strlen(out) <= 4 ? out : name;
}

/* -- words that flow over lines -- */

struct flow {
    int at, indent, width;
};

static void
put_word(struct flow *p, view word, const char *code)
{
    int n = screen_columns(word);
    if (p->at > p->indent && p->at + n + 1 > p->width) {
        printf("\n%*s", p->indent, "");
        p->at = p->indent;
    }
    printf("%s%s%.*s%s", p->at > p->indent ? " " : "", screen_paint(code), VIEW_ARG(word),
           screen_paint("\033[0m"));
    p->at += n + (p->at > p->indent);
}

static void
put_words(struct flow *p, view text, const char *code)
{
    while (text.n)
        put_word(p, view_cut(&text, ' ', NULL), code);
}

static void
put_value(struct flow *p, const struct fact *fact, const char *behind, arena *mem)
{
    view got = grouped(fact->got, mem), is = grouped(fact->is, mem);
    got = got.n ? got : V("none");
    if (fact->ok)
        put_words(p, arena_printf(mem, "%.*s%s", VIEW_ARG(got), behind), "\033[1m");
    else
        put_words(
            p,
            arena_printf(mem, "%.*s, must be %.*s%s", VIEW_ARG(got), VIEW_ARG(is.n ? is : V("none")), behind),
            "\033[31m");
}

static void
put_fact(struct flow *p, const struct fact *fact, bool last, arena *mem)
{
    put_words(p, view_of(fact->what), "");
    put_value(p, fact, last ? "" : " ·", mem);
}

static void
put_facts(struct flow *p, const struct told *r, arena *mem)
{
    for (size_t i = 0; i < r->n_facts; i++)
        put_fact(p, &r->facts[i], i + 1 == r->n_facts, mem);
}

/* -- as it happens -- */

void
motor_print_title(const struct motor *m)
{
    size_t i;
    json_t *name;
    char text[8];
    printf("%s%sScenario %s  %s%s\n  each a process of its own: gateway", m->stories > 1 ? "\n\n" : "",
           screen_paint("\033[1m"), m->scenario, m->title, screen_paint("\033[0m"));
    json_array_foreach(json_member(m->story.own, "cast"), i, name)
        printf(", %s", upper(json_string_value(name), text));
    printf("\n\n");
    fflush(stdout);
}

void
motor_print_day(const struct motor *m)
{
    printf("        %sday %d: the sandbox's clock has moved%s\n", screen_paint("\033[2m"), m->day,
           screen_paint("\033[0m"));
}

void
motor_print_row(const struct motor *m, const struct told *r)
{
    char name[8];
    struct flow p = {INDENT, INDENT, screen_width()};
    if (r->ok && (!r->text || r->kind == TOLD_SEEN))
        return;
    screen_mark(r->ok);
    screen_cell(view_of(upper(r->by, name)), 5);
    put_words(&p, view_of(r->text ? r->text : "a step"), "");
    if (!r->ok || r->kind == TOLD_REFUSED)
        put_words(
            &p, arena_printf(m->mem, "→ %d %s%s%s", r->status, r->code, r->place[0] ? " at " : "", r->place),
            r->ok ? "\033[33m" : "\033[31m");
    if (r->n_facts && r->kind == TOLD_STEP) {
        put_words(&p, V("→"), "");
        put_facts(&p, r, m->mem);
    }
    printf("\n");
    fflush(stdout);
}

/* -- after a story: what is short stands in a table, parties beside each other; what is long, or wrong, below it -- */

static bool
is_cell(const struct fact *fact)
{
    return fact->ok && screen_columns(view_of(fact->got)) < CELL;
}

static bool
is_known(const struct table *t, const char *label)
{
    for (size_t i = 0; i < t->n_labels; i++)
        if (strcmp(t->labels[i], label) == 0)
            return true;
    return false;
}

/* The next views that fit beside each other, from *at on. */
static void
table_fill(const struct motor *m, size_t *at, struct table *t)
{
    int room = (screen_width() - LABEL) / CELL;
    t->n_views = t->n_labels = 0;
    for (; *at < m->n_rows && t->n_views < VIEWS_MAX && (int)t->n_views < room; (*at)++) {
        const struct told *r = &m->rows[*at];
        if (r->kind != TOLD_SEEN)
            continue;
        t->views[t->n_views++] = r;
        for (size_t i = 0; i < r->n_facts && t->n_labels < LABELS_MAX; i++)
            if (is_cell(&r->facts[i]) && !is_known(t, r->facts[i].what))
                t->labels[t->n_labels++] = r->facts[i].what;
    }
}

static void
print_right(view text, const char *code)
{
    int n = screen_columns(text);
    printf("%*s%s%.*s%s", n < CELL ? CELL - n : 1, "", screen_paint(code), VIEW_ARG(text),
           screen_paint("\033[0m"));
}

static void
print_head(const struct table *t)
{
    char name[8];
    printf("  %*s", LABEL - 2, "");
    for (size_t i = 0; i < t->n_views; i++)
        print_right(view_of(upper(t->views[i]->by, name)), "\033[1m");
    printf("\n  %*s", LABEL - 2, "");
    for (size_t i = 0; i < t->n_views; i++)
        print_right(view_of(t->views[i]->text ? t->views[i]->text : ""), "");
    printf("\n");
}

static view
cell_of(const struct told *r, const char *label, arena *mem)
{
    for (size_t k = 0; k < r->n_facts; k++)
        if (strcmp(r->facts[k].what, label) == 0 && is_cell(&r->facts[k]))
            return r->facts[k].got[0] ? grouped(r->facts[k].got, mem) : V("–");
    return VIEW_NONE;
}

static void
print_line(const struct table *t, const char *label, arena *mem)
{
    size_t last = 0;
    for (size_t i = 0; i < t->n_views; i++)
        last = cell_of(t->views[i], label, mem).n ? i + 1 : last;
    printf("  ");
    screen_cell(view_of(label), LABEL - 2);
    for (size_t i = 0; i < last; i++)
        print_right(cell_of(t->views[i], label, mem), "");
    printf("\n");
}

static void
print_marks(const struct table *t)
{
    printf("  %*s", LABEL - 2, "");
    for (size_t i = 0; i < t->n_views; i++)
        print_right(t->views[i]->ok ? V("ok") : V("FAIL"), t->views[i]->ok ? "\033[32m" : "\033[31m");
    printf("\n");
}

/* What did not fit into a cell. */
static void
print_long(const struct table *t, arena *mem)
{
    char name[8];
    for (size_t i = 0; i < t->n_views; i++)
        for (size_t k = 0; k < t->views[i]->n_facts; k++) {
            const struct fact *fact = &t->views[i]->facts[k];
            struct flow p = {INDENT, INDENT, screen_width()};
            if (is_cell(fact))
                continue;
            screen_mark(fact->ok);
            screen_cell(view_of(upper(t->views[i]->by, name)), 5);
            put_words(
                &p, arena_printf(mem, "%s, %s:", t->views[i]->text ? t->views[i]->text : "", fact->what), "");
            put_value(&p, fact, "", mem);
            printf("\n");
        }
}

static void
print_seen(const struct motor *m)
{
    struct table t;
    size_t at = 0;
    printf("\n  %sWhat each party sees%s\n", screen_paint("\033[1m"), screen_paint("\033[0m"));
    for (;;) {
        table_fill(m, &at, &t);
        if (!t.n_views)
            return;
        print_head(&t);
        for (size_t i = 0; i < t.n_labels; i++)
            print_line(&t, t.labels[i], m->mem);
        print_marks(&t);
        print_long(&t, m->mem);
    }
}

static void
print_refused(const struct motor *m)
{
    char name[8];
    size_t n = 0;
    for (size_t i = 0; i < m->n_rows; i++)
        n += m->rows[i].kind == TOLD_REFUSED;
    if (!n)
        return;
    printf("\n  %sWhat was refused%s\n", screen_paint("\033[1m"), screen_paint("\033[0m"));
    for (size_t i = 0; i < m->n_rows; i++) {
        const struct told *r = &m->rows[i];
        if (r->kind != TOLD_REFUSED)
            continue;
        screen_mark(r->ok);
        screen_cell(view_of(upper(r->by, name)), 5);
        screen_cell(view_of(r->text ? r->text : ""), screen_width() - INDENT - CODE - 6);
        printf(" %d  %s%s%s\n", r->status, r->code, r->ok ? "" : ", must be ", r->ok ? "" : r->expected);
    }
}

void
motor_print_story(const struct motor *m)
{
    print_seen(m);
    print_refused(m);
}

/* -- JSON -- */

static void
put_text(struct buf *out, const char *before, const char *text)
{
    buf_add_view(out, view_of(before));
    buf_add_json(out, view_of(text));
}

void
motor_print_row_json(const struct motor *m, const struct told *r)
{
    static const char *const kinds[] = {"step", "refused", "seen"};
    struct buf out;
    buf_init(&out, 1u << 20);
    put_text(&out, "{\"scenario\":", m->scenario);
    put_text(&out, ",\"kind\":", kinds[r->kind]);
    buf_printf(&out, ",\"day\":%d", r->day);
    put_text(&out, ",\"by\":", r->by);
    put_text(&out, ",\"what\":", r->text ? r->text : "");
    buf_printf(&out, ",\"status\":%d,\"us\":%lld", r->status, (long long)r->us);
    put_text(&out, ",\"code\":", r->code);
    put_text(&out, ",\"expected\":", r->expected);
    put_text(&out, ",\"place\":", r->place);
    put_text(&out, ",\"file\":", r->file);
    BUF_LIT(&out, ",\"facts\":[");
    for (size_t i = 0; i < r->n_facts; i++) {
        put_text(&out, i ? ",{\"what\":" : "{\"what\":", r->facts[i].what);
        put_text(&out, ",\"at\":", r->facts[i].at);
        put_text(&out, ",\"is\":", r->facts[i].is);
        put_text(&out, ",\"got\":", r->facts[i].got);
        buf_printf(&out, ",\"ok\":%s}", r->facts[i].ok ? "true" : "false");
    }
    buf_printf(&out, "],\"ok\":%s}\n", r->ok ? "true" : "false");
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    buf_done(&out);
}

void
motor_print_end(const struct motor *m, bool ok)
{
    double seconds = (double)(clock_monotonic_us() - m->started_us) / 1e6;
    if (m->a->json)
        printf(
            "{\"kind\":\"end\",\"scenarios\":%zu,\"steps\":%zu,\"seen\":%zu,\"refused\":%zu,\"failed\":%zu,"
            "\"wall_seconds\":%.3f,\"ok\":%s}\n",
            m->stories, m->steps, m->seen, m->refused, m->failed, seconds, ok ? "true" : "false");
    else if (!m->a->quiet)
        printf(
            "\n%zu scenarios, %zu steps: %zu views of a case, %zu refusals, %zu not as it must be; %.1f s\n",
            m->stories, m->steps, m->seen, m->refused, m->failed, seconds);
}
