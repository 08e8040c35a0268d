#include "http/body.h"

#include "base/text.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    err want;
    unsigned bit;
    bool is_utf8;
    const char *name;
} media[] = {
    {"application/json", E_OK, MEDIA_JSON, true, "application/json"},
    {"Application/FHIR+JSON", E_OK, MEDIA_JSON, true, "application/fhir+json"},
    {"application/fhir+json; fhirVersion=4.0", E_OK, MEDIA_JSON, true, "application/fhir+json"},
    {"application/fhir+xml;charset=UTF-8", E_OK, MEDIA_XML, true, "application/fhir+xml"},
    {"text/xml; charset=\"utf-8\"", E_OK, MEDIA_XML, true, "text/xml"},
    {"application/xml", E_OK, MEDIA_XML, true, "application/xml"},
    {"application/x-www-form-urlencoded", E_OK, MEDIA_FORM, true, "application/x-www-form-urlencoded"},
    {"application/pdf", E_OK, MEDIA_ANY, true, "application/pdf"},
    {"text/xml; charset=big5", E_OK, MEDIA_XML, false, "text/xml"},
    {"application/json; charset=utf-16", E_OK, MEDIA_JSON, false, "application/json"},
    {"application/json;", E_OK, MEDIA_JSON, true, "application/json"},
    {"application/json ; charset=utf-8 ; x=y", E_OK, MEDIA_JSON, true, "application/json"},
    {"", E_MEDIA_TYPE, 0, false, NULL},
    {"json", E_MEDIA_TYPE, 0, false, NULL},
    {"application/", E_MEDIA_TYPE, 0, false, NULL},
    {"/json", E_MEDIA_TYPE, 0, false, NULL},
    {"application/json, text/xml", E_MEDIA_TYPE, 0, false, NULL},
    {"application/json; charset", E_MEDIA_TYPE, 0, false, NULL},
    {"application/json; charset=", E_MEDIA_TYPE, 0, false, NULL},
    {"application/json; charset=\"utf-8", E_MEDIA_TYPE, 0, false, NULL},
    {"a b/c", E_MEDIA_TYPE, 0, false, NULL},
    {"application/"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     E_MEDIA_TYPE, 0, false, NULL},
};

Test(body, media_table)
{
    for (size_t i = 0; i < COUNT_OF(media); i++) {
        struct media_type got = {.n = 0};
        err e = media_parse(view_of(media[i].text), &got);
        cr_expect_eq(e, media[i].want, "%s", media[i].text);
        if (e != E_OK)
            continue;
        cr_expect_eq(got.bit, media[i].bit, "%s", media[i].text);
        cr_expect_eq(got.is_utf8, media[i].is_utf8, "%s", media[i].text);
        cr_expect(view_eq((view){got.text, got.n}, view_of(media[i].name)), "%s", media[i].text);
    }
}

static const struct {
    const char *label;
    enum route_id route;
    const char *type, *length, *encoding;
    bool is_chunked;
    err want;
} heads[] = {
    {"json bundle", ROUTE_BUNDLE_CREATE, "application/fhir+json", "10", NULL, false, E_OK},
    {"xml bundle", ROUTE_BUNDLE_CREATE, "text/xml", "10", NULL, false, E_OK},
    {"chunked", ROUTE_BUNDLE_CREATE, "application/json", NULL, NULL, true, E_OK},
    {"the ceiling itself", ROUTE_BUNDLE_CREATE, "application/json", "10485760", NULL, false, E_OK},
    {"one more", ROUTE_BUNDLE_CREATE, "application/json", "10485761", NULL, false, E_TOO_LARGE},
    {"far more", ROUTE_BUNDLE_CREATE, "application/json", "999999999999999", NULL, false, E_TOO_LARGE},
    {"form", ROUTE_BUNDLE_CREATE, "application/x-www-form-urlencoded", "10", NULL, false, E_MEDIA_TYPE},
    {"no type", ROUTE_BUNDLE_CREATE, NULL, "10", NULL, false, E_MEDIA_TYPE},
    {"big5", ROUTE_BUNDLE_CREATE, "application/json; charset=big5", "10", NULL, false, E_MEDIA_TYPE},
    {"R5", ROUTE_BUNDLE_CREATE, "application/fhir+json; fhirVersion=5.0", "10", NULL, false, E_MEDIA_TYPE},
    {"gzip", ROUTE_BUNDLE_CREATE, "application/json", "10", "gzip", false, E_CONTENT_ENCODING},
    {"identity", ROUTE_BUNDLE_CREATE, "application/json", "10", "identity", false, E_CONTENT_ENCODING},
    {"no length", ROUTE_BUNDLE_CREATE, "application/json", NULL, NULL, false, E_LENGTH_REQUIRED},
    {"xml where only JSON", ROUTE_CLAIM_SEARCH, "text/xml", "10", NULL, false, E_MEDIA_TYPE},
    {"pdf", ROUTE_ATTACHMENT_PUT, "application/pdf", "10", NULL, false, E_OK},
    {"attachment without type", ROUTE_ATTACHMENT_PUT, NULL, "10", NULL, false, E_MEDIA_TYPE},
    {"attachment in big5", ROUTE_ATTACHMENT_PUT, "text/plain; charset=big5", "10", NULL, false, E_OK},
    {"token", ROUTE_TOKEN, "application/x-www-form-urlencoded", "10", NULL, false, E_OK},
    {"token as JSON", ROUTE_TOKEN, "application/json", "10", NULL, false, E_MEDIA_TYPE},
    {"GET with a body", ROUTE_CLAIM_GET, "application/json", "10", NULL, false, E_TOO_LARGE},
    {"GET with chunks", ROUTE_CLAIM_GET, "application/json", NULL, NULL, true, E_TOO_LARGE},
    {"GET with length 0", ROUTE_CLAIM_GET, NULL, "0", NULL, false, E_OK},
    {"empty body", ROUTE_CLAIM_SEARCH, NULL, "0", NULL, false, E_OK},
};

Test(body, heads_table)
{
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct guard g;
        struct fault f;
        struct media_type type = {.n = 0};
        bool has_body = false;
        fault_init(&f);
        guard_init(&g, VIEW_NONE, &f);
        guard_line(&g, V("POST"), V("/"), 1, V("HTTP/1.1"));
        guard_header(&g, V("Host"), V("a"));
        if (heads[i].type)
            guard_header(&g, V("Content-Type"), view_of(heads[i].type));
        if (heads[i].length)
            guard_header(&g, V("Content-Length"), view_of(heads[i].length));
        if (heads[i].encoding)
            guard_header(&g, V("Content-Encoding"), view_of(heads[i].encoding));
        if (heads[i].is_chunked)
            guard_header(&g, V("Transfer-Encoding"), V("chunked"));
        cr_assert_eq(guard_end(&g, 0), E_OK, "%s", heads[i].label);
        err e = body_check_head(&g, route_info(heads[i].route), &type, &has_body, &f);
        cr_expect_eq(e, heads[i].want, "%s: %s", heads[i].label, err_info(e)->code);
        cr_expect_eq(f.code, heads[i].want, "%s", heads[i].label);
    }
}

Test(body, content_digest)
{
    digest_start();
    digest d = sha256(V("hello"));
    struct fault f;
    fault_init(&f);
#define HELLO "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    cr_expect_eq(body_check_digest(VIEW_NONE, &d, &f), E_OK);
    cr_expect_eq(body_check_digest(V("sha-256=:" HELLO ":"), &d, &f), E_OK);
    cr_expect_eq(body_check_digest(V("sha-512=:AAAA:, sha-256=:" HELLO ":"), &d, &f), E_OK);
    cr_expect_eq(body_check_digest(V("unixsum=:AAAA:"), &d, &f), E_OK, "others are left alone");
    cr_expect_eq(body_check_digest(V("sha-256=:AAAA:"), &d, &f), E_CONTENT_DIGEST);
    cr_expect_eq(body_check_digest(V("sha-256=" HELLO), &d, &f), E_CONTENT_DIGEST);
    cr_expect_eq(body_check_digest(V("sha-256=:" HELLO ":, sha-256=:AAAA:"), &d, &f), E_CONTENT_DIGEST);
    cr_expect_eq(body_check_digest(V(""), &d, &f), E_CONTENT_DIGEST);
    cr_expect_eq(body_check_digest(V(":"), &d, &f), E_CONTENT_DIGEST);
}

Test(body, budget)
{
    struct budget b = {0, 100};
    cr_expect(budget_take(&b, 60));
    cr_expect(!budget_take(&b, 41));
    cr_expect(budget_take(&b, 40));
    cr_expect(!budget_take(&b, 1));
    budget_give(&b, 60);
    cr_expect(budget_take(&b, 59));
    cr_expect_eq(b.used, 99);
}
