#include "http/router.h"

#include <criterion/criterion.h>

static const struct {
    enum method method;
    const char *path;
    int want; /* route id, -404, -405 */
    const char *p0, *p1;
} cases[] = {
    {METHOD_POST, "/oauth2/token", ROUTE_TOKEN, NULL, NULL},
    {METHOD_GET, "/oauth2/token", -405, NULL, NULL},
    {METHOD_GET, "/.well-known/jwks.json", ROUTE_JWKS, NULL, NULL},
    {METHOD_GET, "/fhir/r4/Bundle/doc-1", ROUTE_BUNDLE_READ, "doc-1", NULL},
    {METHOD_GET, "/fhir/r4/Bundle", ROUTE_BUNDLE_SEARCH, NULL, NULL},
    {METHOD_POST, "/fhir/r4/Bundle", ROUTE_BUNDLE_CREATE, NULL, NULL},
    {METHOD_PUT, "/fhir/r4/Bundle", -405, NULL, NULL},
    {METHOD_HEAD, "/fhir/r4/Bundle/doc-1", ROUTE_BUNDLE_READ, "doc-1", NULL},
    {METHOD_HEAD, "/v1/submissions:lookup", -405, NULL, NULL},
    {METHOD_POST, "/v1/submissions:lookup", ROUTE_SUBMISSION_LOOKUP, NULL, NULL},
    {METHOD_POST, "/v1/submissions%3Alookup", ROUTE_SUBMISSION_LOOKUP, NULL, NULL},
    {METHOD_POST, "/v1/submissions", -404, NULL, NULL},
    {METHOD_GET, "/v1/receipts/sub-1", ROUTE_RECEIPT_GET, "sub-1", NULL},
    {METHOD_GET, "/v1/receipts/sub-1/proof", ROUTE_RECEIPT_PROOF, "sub-1", NULL},
    {METHOD_GET, "/v1/receipts/", -404, NULL, NULL},
    {METHOD_GET, "/v1/receipts", -404, NULL, NULL},
    {METHOD_POST, "/v1/permissions/perm-1/withdraw", ROUTE_PERMISSION_WITHDRAW, "perm-1", NULL},
    {METHOD_GET, "/v1/permissions/perm-1/withdraw", -405, NULL, NULL},
    {METHOD_POST, "/v1/claims:search", ROUTE_CLAIM_SEARCH, NULL, NULL},
    {METHOD_GET, "/v1/claims/claims:search", ROUTE_CLAIM_GET, "claims:search", NULL},
    {METHOD_GET, "/v1/claims/claim-1/documents/doc-2", ROUTE_CLAIM_DOCUMENT, "claim-1", "doc-2"},
    {METHOD_GET, "/v1/claims/claim-1/documents/", -404, NULL, NULL},
    {METHOD_GET, "/v1/claims/a%20b", ROUTE_CLAIM_GET, "a b", NULL},
    {METHOD_GET, "/v1//claims", -404, NULL, NULL},
    {METHOD_GET, "/V1/claims/x", -404, NULL, NULL},
    {METHOD_GET, "/t/", ROUTE_TRACK_PAGE, NULL, NULL},
    {METHOD_GET, "/t", -404, NULL, NULL},
    {METHOD_POST, "/t/session", ROUTE_TRACK_SESSION, NULL, NULL},
    {METHOD_GET, "/", -404, NULL, NULL},
    {METHOD_PATCH, "/v1/claims/x", -405, NULL, NULL},
    {METHOD_DELETE, "/v1/webhook-endpoints/hook-1", ROUTE_WEBHOOK_DELETE, "hook-1", NULL},
    {METHOD_GET, "/1/2/3/4/5/6/7/8/9/10/11/12", -404, NULL, NULL},
};

Test(router, table)
{
    arena *mem = arena_new(65536);
    router_start();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct path path;
        struct match match;
        struct fault f;
        fault_init(&f);
        cr_assert_eq(path_split(view_of(cases[i].path), mem, &path, &f), E_OK);
        err e = router_find(&path, cases[i].method, &match);
        int got = e == E_OK ? (int)match.route->id : e == E_METHOD ? -405 : -404;
        cr_expect_eq(got, cases[i].want, "%s %s: %d", method_name(cases[i].method), cases[i].path, got);
        if (cases[i].p0)
            cr_expect(view_eq(match.params[0], view_of(cases[i].p0)), "%s", cases[i].path);
        if (cases[i].p1)
            cr_expect(view_eq(match.params[1], view_of(cases[i].p1)), "%s", cases[i].path);
        cr_expect_eq(match.methods == 0, e == E_NOT_FOUND, "%s", cases[i].path);
    }
    arena_free(mem);
}

/* Every row is found under its own path, so no row hides another. */
Test(router, every_row_is_reached)
{
    arena *mem = arena_new(65536);
    router_start();
    for (int id = 0; id < ROUTE_COUNT; id++) {
        const struct route *row = route_info((enum route_id)id);
        struct path path;
        struct match match;
        struct fault f;
        char filled[200];
        size_t n = 0;
        fault_init(&f);
        for (const char *p = row->path; *p; p++) {
            if (*p != '{') {
                filled[n++] = *p;
                continue;
            }
            p = strchr(p, '}');
            filled[n++] = 'x';
        }
        cr_assert_eq(path_split(view_make(filled, n), mem, &path, &f), E_OK);
        cr_assert_eq(router_find(&path, row->method, &match), E_OK, "%s", row->path);
        cr_expect_eq((int)match.route->id, id, "%s is taken by %s", row->path, match.route->path);
    }
    arena_free(mem);
}

Test(router, names_and_lists)
{
    arena *mem = arena_new(65536);
    struct path path;
    struct match match;
    struct fault f;
    fault_init(&f);
    cr_expect_str_eq(route_info(ROUTE_BUNDLE_CREATE)->name, "bundleCreate");
    cr_expect_str_eq(route_info(ROUTE_TOKEN)->name, "token");
    cr_expect_str_eq(route_info(ROUTE_ACCIDENT_RECORD_CREATE)->name, "accidentRecordCreate");
    cr_assert_eq(path_split(V("/fhir/r4/Bundle"), mem, &path, &f), E_OK);
    cr_assert_eq(router_find(&path, METHOD_DELETE, &match), E_METHOD);
    cr_expect(view_eq(router_allow(match.methods, mem), V("GET, HEAD, POST, OPTIONS")));
    for (int id = 0; id < ROUTE_COUNT; id++) {
        const struct route *row = route_info((enum route_id)id);
        cr_expect_eq(row->media != 0, router_accepts(row->media)[0] != '\0', "%s", row->name);
        cr_expect_eq(row->media != 0, row->ceiling > 0, "%s: media and ceiling belong together", row->name);
        cr_expect(!(row->flags & ROUTE_OPEN && row->scope[0]), "%s is open and wants a scope", row->name);
    }
    arena_free(mem);
}
