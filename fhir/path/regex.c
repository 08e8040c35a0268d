#include "fhir/path/regex.h"

#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A match of a sane pattern takes some hundred steps; a pattern that goes back and forth stops here, after about 10 ms. */
#define MATCH_STEPS 1000000U
#define MATCH_DEPTH 10000U
#define MATCH_HEAP_KIB 4096U

struct kept {
    view pattern;
    uint32_t options;
    pcre2_code *code;
};
/* Filled once each, never emptied. */
static _Atomic(struct kept *) kept[REGEX_KEPT];

static uint32_t
hash_of(view pattern, uint32_t options)
{
    uint32_t h = 2166136261U ^ options;
    for (size_t i = 0; i < pattern.n; i++)
        h = (h ^ (uint8_t)pattern.p[i]) * 16777619U;
    return h;
}

static void
forget(struct kept *k)
{
    pcre2_code_free(k->code);
    free(k);
}

static void
free_code(void *code)
{
    pcre2_code_free(code);
}

/* Puts a compiled pattern where all threads find it; gives the one that stands there if another was quicker. */
static pcre2_code *
keep(view pattern, uint32_t options, pcre2_code *take_code, _Atomic(struct kept *) *slot)
{
    struct kept *k = malloc(sizeof *k + pattern.n), *there = NULL;
    if (k == NULL)
        return take_code;
    char *copy = (char *)(k + 1);
    memcpy(copy, pattern.p, pattern.n);
    *k = (struct kept){{copy, pattern.n}, options, take_code};
    if (atomic_compare_exchange_strong(slot, &there, k))
        return take_code;
    bool same = there->options == options && view_eq(there->pattern, pattern);
    if (same) {
        forget(k);
        return there->code;
    }
    free(k);
    return NULL;
}

static err
compile(view pattern, uint32_t options, arena *mem, pcre2_code **ret)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    uint32_t first = hash_of(pattern, options) % REGEX_KEPT, i = first;
    if (pattern.n > REGEX_TEXT_MOST)
        return E_TOO_LARGE;
    for (struct kept *k; (k = atomic_load(&kept[i])) != NULL;) {
        if (k->options == options && view_eq(k->pattern, pattern)) {
            *ret = k->code;
            return E_OK;
        }
        i = (i + 1) % REGEX_KEPT;
        if (i == first)
            break;
    }
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &error, &at, NULL);
    if (code == NULL)
        return E_FHIRPATH_FAILED;
    if (atomic_load(&kept[i]) == NULL) {
        pcre2_code *shared = keep(pattern, options, code, &kept[i]);
        if (shared != NULL) {
            *ret = shared;
            return E_OK;
        }
    }
    *ret = code;
    return arena_defer(mem, free_code, code) ? E_OK : E_TOO_LARGE;
}

/* What a match needs besides, gone with the scope. */
struct tools {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void
tools_done(struct tools *t)
{
    pcre2_match_data_free(t->data);
    pcre2_match_context_free(t->context);
}

static err
tools_init(struct tools *t, const pcre2_code *code)
{
    t->data = pcre2_match_data_create_from_pattern(code, NULL);
    t->context = pcre2_match_context_create(NULL);
    if (t->data == NULL || t->context == NULL)
        return E_TOO_LARGE;
    (void)pcre2_set_match_limit(t->context, MATCH_STEPS);
    (void)pcre2_set_depth_limit(t->context, MATCH_DEPTH);
    (void)pcre2_set_heap_limit(t->context, MATCH_HEAP_KIB);
    return E_OK;
}

static err
outcome_of(int code)
{
    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_HEAPLIMIT)
        return E_FHIRPATH_LIMIT;
    return code == PCRE2_ERROR_NOMEMORY ? E_TOO_LARGE : E_FHIRPATH_FAILED;
}

/* The texts were checked when they were read; a pattern may hold anything. */
#define OPTIONS (PCRE2_UTF | PCRE2_DOTALL)

err
regex_matches(view pattern, view text, bool whole, arena *mem, bool *ret)
{
    struct tools t AUTO_DONE(tools_done) = {0};
    pcre2_code *code = NULL;
    uint32_t options = OPTIONS | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
    TRY(compile(pattern, options, mem, &code));
    TRY(tools_init(&t, code));
    int n = pcre2_match(code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0, t.data, t.context);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH)
        return outcome_of(n);
    *ret = n != PCRE2_ERROR_NOMATCH;
    return E_OK;
}

err
regex_replace(view pattern, view text, view by, size_t most, arena *mem, view *ret)
{
    struct tools t AUTO_DONE(tools_done) = {0};
    pcre2_code *code = NULL;
    PCRE2_SIZE length = most;
    PCRE2_UCHAR probe[1];
    TRY(compile(pattern, OPTIONS, mem, &code));
    TRY(tools_init(&t, code));
    PCRE2_SPTR source = (PCRE2_SPTR)(text.p ? text.p : ""), with = (PCRE2_SPTR)(by.p ? by.p : "");
    length = 0; /* first the length, then the text */
    int n =
        pcre2_substitute(code, source, text.n, 0, PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH,
                         t.data, t.context, with, by.n, probe, &length);
    if (n < 0 && n != PCRE2_ERROR_NOMEMORY)
        return outcome_of(n);
    if (length > most)
        return E_TOO_LARGE;
    char *out = arena_alloc(mem, length + 1);
    if (out == NULL)
        return E_TOO_LARGE;
    length++;
    n = pcre2_substitute(code, source, text.n, 0, PCRE2_SUBSTITUTE_GLOBAL, t.data, t.context, with, by.n,
                         (PCRE2_UCHAR *)out, &length);
    if (n < 0)
        return outcome_of(n);
    *ret = view_make(out, length);
    return E_OK;
}
