#include "http/path.h"

#include <criterion/criterion.h>

static const struct {
    const char *raw;
    err want;
    const char *segments[4];
} cases[] = {
    {"/", E_OK, {""}},
    {"/v1/claims", E_OK, {"v1", "claims"}},
    {"/t/", E_OK, {"t", ""}},
    {"/a//b", E_OK, {"a", "", "b"}},
    {"/%63laims", E_OK, {"claims"}},
    {"/a%20b", E_OK, {"a b"}},
    {"/a+b", E_OK, {"a+b"}},
    {"/submissions%3Alookup", E_OK, {"submissions:lookup"}},
    {"/%E4%B8%AD", E_OK, {"\xe4\xb8\xad"}},
    {"/%2541", E_OK, {"%41"}}, /* decoded once */
    {"/-._~!$&'()*+,;=:@", E_OK, {"-._~!$&'()*+,;=:@"}},
    {"/...", E_OK, {"..."}},
    {"", E_WIRE, {NULL}},
    {"a", E_WIRE, {NULL}},
    {"/.", E_WIRE, {NULL}},
    {"/..", E_WIRE, {NULL}},
    {"/a/../b", E_WIRE, {NULL}},
    {"/%2e%2E", E_WIRE, {NULL}},
    {"/.%2e/b", E_WIRE, {NULL}},
    {"/%2F", E_WIRE, {NULL}},
    {"/a%2fb", E_WIRE, {NULL}},
    {"/%5c", E_WIRE, {NULL}},
    {"/%00", E_WIRE, {NULL}},
    {"/a%0Ab", E_WIRE, {NULL}},
    {"/%7f", E_WIRE, {NULL}},
    {"/%", E_WIRE, {NULL}},
    {"/%4", E_WIRE, {NULL}},
    {"/%4g", E_WIRE, {NULL}},
    {"/a b", E_WIRE, {NULL}},
    {"/a\\b", E_WIRE, {NULL}},
    {"/a\"b", E_WIRE, {NULL}},
    {"/<a>", E_WIRE, {NULL}},
    {"/a#b", E_WIRE, {NULL}},
    {"/a?b", E_WIRE, {NULL}},
    {"/\xe4\xb8\xad", E_WIRE, {NULL}},
    {"/%C0%AF", E_WIRE, {NULL}},    /* overlong slash */
    {"/%ED%A0%80", E_WIRE, {NULL}}, /* surrogate */
};

Test(path, table)
{
    arena *mem = arena_new(65536);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct path path;
        struct fault f;
        fault_init(&f);
        err e = path_split(view_of(cases[i].raw), mem, &path, &f);
        cr_expect_eq(e, cases[i].want, "%s: %s", cases[i].raw, err_info(e)->code);
        if (e != E_OK)
            continue;
        size_t n = 0;
        while (n < 4 && cases[i].segments[n])
            n++;
        cr_expect_eq(path.n, n, "%s", cases[i].raw);
        for (size_t k = 0; k < n && k < path.n; k++)
            cr_expect(view_eq(path.segments[k], view_of(cases[i].segments[k])), "%s [%zu]", cases[i].raw, k);
    }
    arena_free(mem);
}

Test(path, depth_is_bounded)
{
    arena *mem = arena_new(65536);
    struct path path;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(path_split(V("/1/2/3/4/5/6/7/8/9/10/11/12/13"), mem, &path, &f), E_OK);
    cr_expect_eq(path.n, PATH_SEGMENTS_MAX + 1);
    arena_free(mem);
}

Test(path, arena_full)
{
    arena *mem = arena_new(64);
    struct path path;
    struct fault f;
    fault_init(&f);
    char raw[400] = "/%41";
    memset(raw + 4, 'a', 300);
    cr_expect_eq(path_split(view_of(raw), mem, &path, &f), E_TOO_LARGE);
    arena_free(mem);
}

static const struct {
    const char *raw, *want;
} queries[] = {
    {"abc", "abc"},
    {"a+b", "a b"},
    {"a%2Bb", "a+b"},
    {"", ""},
    {"%7C", "|"},
    {"a|b", "a|b"},
    {"%E4%B8%AD", "\xe4\xb8\xad"},
    {"%2F..%2f", "/../"},
    {"%00", NULL},
    {"%0d%0a", NULL},
    {"%", NULL},
    {"%4", NULL},
    {"%zz", NULL},
    {"%C0%AF", NULL},
};

Test(path, query)
{
    arena *mem = arena_new(65536);
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        view got = query_decode(view_of(queries[i].raw), mem);
        if (queries[i].want)
            cr_expect(got.p && view_eq(got, view_of(queries[i].want)), "%s: %.*s", queries[i].raw,
                      VIEW_ARG(got));
        else
            cr_expect_null(got.p, "%s", queries[i].raw);
    }
    arena_free(mem);
}
