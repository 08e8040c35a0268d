#include "conformance/conformance.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define LARGEST_FILE (64u << 20)

/* The last row ends the table, so that it is a table without sets too. */
const struct conformance_set conformance_sets[] = {
#define SET(family, path, fn) {#family, path, NULL, fn},
#define SET_PROFILE(family, path, profile, fn) {#family, path, profile, fn},
#include "conformance/sets.def"
#undef SET_PROFILE
#undef SET
    {NULL, NULL, NULL, NULL},
};
const size_t conformance_sets_count = sizeof conformance_sets / sizeof *conformance_sets - 1;

static const char *const outcome_words[CONFORMANCE_OUTCOMES] = {
    [CONFORMANCE_AGREE] = "agree",
    [CONFORMANCE_WRONG_ACCEPT] = "wrong accept",
    [CONFORMANCE_WRONG_REJECT] = "wrong reject",
    [CONFORMANCE_WRONG_VALUE] = "wrong value",
    [CONFORMANCE_POLICY_REJECT] = "policy reject",
    [CONFORMANCE_EITHER] = "either",
    [CONFORMANCE_SKIPPED] = "skipped",
};

void
conformance_case(struct conformance_run *r, view id, enum conformance_outcome outcome, const char *why, ...)
{
    r->counts[outcome]++;
    if (!r->list || outcome == CONFORMANCE_AGREE)
        return;
    va_list more;
    va_start(more, why);
    fprintf(stderr, "%s %.*s: %s: ", r->path, VIEW_ARG(id), outcome_words[outcome]);
    vfprintf(stderr, why, more);
    fputc('\n', stderr);
    va_end(more);
}

void
conformance_note(struct conformance_run *r, view id, const char *text, ...)
{
    if (!r->list)
        return;
    va_list more;
    va_start(more, text);
    fprintf(stderr, "%s %.*s: ", r->path, VIEW_ARG(id));
    vfprintf(stderr, text, more);
    fputc('\n', stderr);
    va_end(more);
}

void
conformance_place(struct conformance_run *r, bool agrees)
{
    r->place_cases++;
    r->place_agree += agrees;
}

static err
read_all(FILE *file, arena *mem, view *ret)
{
    struct buf text;
    buf_init(&text, LARGEST_FILE);
    char part[65536];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&text, part, n);
    view copy = arena_dup(mem, text.n ? buf_view(&text) : V(""));
    err e = ferror(file) ? E_INTERNAL : text.failed || copy.p == NULL ? E_TOO_LARGE : E_OK;
    buf_done(&text);
    if (e == E_OK)
        *ret = copy;
    return e;
}

err
conformance_file(struct conformance_run *r, view relative, view *ret, struct fault *f)
{
    view path = view_starts(relative, V("/"))
                    ? arena_printf(r->mem, "%s%.*s", r->root, VIEW_ARG(relative))
                    : arena_printf(r->mem, "%s/%.*s/%.*s", r->root, (int)strcspn(r->path, "#"), r->path,
                                   VIEW_ARG(relative));
    if (path.p == NULL)
        return fault_set(f, E_TOO_LARGE, r->path, "", "");
    FILE *file = fopen(path.p, "rb");
    if (file == NULL)
        return fault_set(f, E_NOT_FOUND, path.p, "a file of the set", "no such file");
    err e = read_all(file, r->mem, ret);
    fclose(file);
    return e == E_OK ? E_OK : fault_set(f, e, path.p, "a file of at most 64 MB", "");
}

err
conformance_each(struct conformance_run *r,
                 err (*judge)(struct conformance_run *r, const json_t *one, struct fault *f), struct fault *f)
{
    view cases;
    TRY(conformance_file(r, V("cases.jsonl"), &cases, f));
    while (cases.n > 0) {
        const char *end = memchr(cases.p, '\n', cases.n);
        size_t n = end ? (size_t)(end - cases.p) : cases.n;
        view line = view_sub(cases, 0, n);
        cases = view_sub(cases, n + (end != NULL), cases.n);
        if (line.n == 0)
            continue;
        json_t *one;
        TRY(json_load(line, r->mem, &one, f));
        TRY(judge(r, one, f));
    }
    return E_OK;
}
