#include "fhir/value.h"

#include "fhir_kit.h"

struct value_case {
    enum value_form form;
    const char *good, *bad; /* JSON values with | between them */
};

static const struct value_case cases[] = {
    {FORM_BOOLEAN, "true|false", "\"true\"|1|null"},
    {FORM_INTEGER, "0|-1|2147483647|-2147483648", "-0|01x|1.0|1e3|2147483648|-2147483649|\"1\""},
    {FORM_UNSIGNED, "0|1|2147483647", "-1|1.5"},
    {FORM_POSITIVE, "1|2147483647", "0|-1"},
    {FORM_DECIMAL, "0|-0.10|12.50|1e5|3.141592653589793238462643", "\"1.0\"|true"},
    {FORM_STRING, "\"a\"|\" a \"|\"line\\nbreak\"|\"\xE8\xA8\xBA\"", "\"\"|\"\\u0001\"|5"},
    {FORM_CODE, "\"a\"|\"a b\"|\"entered-in-error\"", "\" a\"|\"a \"|\"a  b\"|\"\""},
    {FORM_ID, "\"a\"|\"A-1.b\"|\"0123456789012345678901234567890123456789012345678901234567890123\"",
     "\"a_b\"|\"\"|\"01234567890123456789012345678901234567890123456789012345678901234\"|\"a b\""},
    {FORM_URI, "\"urn:uuid:1\"|\"http://a/b\"|\"#x\"", "\"a b\"|\"\"|\"a\\tb\""},
    {FORM_UUID, "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"",
     "\"urn:uuid:C757873D-EC9A-4326-A141-556F43239520\"|\"c757873d-ec9a-4326-a141-556f43239520\""},
    {FORM_OID, "\"urn:oid:2.16.886.101\"|\"urn:oid:1.0\"",
     "\"urn:oid:3.1\"|\"urn:oid:1.02\"|\"urn:oid:1.\"|\"1.2.3\""},
    {FORM_DATE, "\"2026\"|\"2026-02\"|\"2024-02-29\"",
     "\"2026-2\"|\"2026-13\"|\"2026-02-29\"|\"1900-02-29\"|\"0000\"|\"26\"|\"2026-11-21T00:00:00Z\"|\"2026-"
     "11-\""},
    {FORM_DATETIME,
     "\"2026\"|\"2026-11\"|\"2026-11-21\"|\"2026-11-21T08:30:00+08:00\"|\"2026-11-21T08:30:00.123Z\"|"
     "\"2026-11-21T23:59:60Z\"|\"2026-11-21T08:30:00-14:00\"",
     "\"2026-11-21T08:30Z\"|\"2026-11-21T08:30:00\"|\"2026-11-21T24:00:00Z\"|\"2026-11-21T08:60:00Z\"|"
     "\"2026-11-21T08:30:00.Z\"|\"2026-11-21T08:30:00+14:01\"|\"2026-11-21 "
     "08:30:00Z\"|\"2026-11T08:30:00Z\""},
    {FORM_INSTANT, "\"2026-11-21T08:30:00Z\"|\"2026-11-21T08:30:00.5+08:00\"", "\"2026-11-21\"|\"2026\""},
    {FORM_TIME, "\"08:30:00\"|\"23:59:59.999\"", "\"8:30:00\"|\"08:30\"|\"24:00:00\"|\"08:30:00Z\""},
    {FORM_BASE64, "\"AAAA\"|\"AAA=\"|\"AA==\"|\"AA AA\\nAAAA\"", "\"AAA\"|\"A===\"|\"AA=A\"|\"AA-_\"|\"\""},
};

static void
judge_values(const struct value_case *c, const char *values, bool good)
{
    arena *mem = arena_new(1u << 20);
    view rest = view_of(values);
    for (bool more = true; more;) {
        view value = view_cut(&rest, '|', &more);
        struct tree t;
        struct fault f;
        fault_init(&f);
        err e = tree_read_json(value, NULL, mem, &t, &f);
        /* "01x" and the like are no JSON at all. */
        bool accepted = e == E_OK && value_check(c->form, &t, tree_root(&t)) == VALUE_OK;
        cr_expect_eq(accepted, good, "form %d: %.*s", c->form, VIEW_ARG(value));
    }
    arena_free(mem);
}

Test(value, accepts_the_forms_of_each_primitive_type)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        judge_values(&cases[i], cases[i].good, true);
}

Test(value, refuses_other_forms)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        judge_values(&cases[i], cases[i].bad, false);
}

Test(value, tells_a_wrong_kind_from_a_wrong_form)
{
    arena *mem = arena_new(1u << 20);
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(tree_read_json(V("[\"2026-13\", 5]"), NULL, mem, &t, &f), E_OK);
    cr_expect_eq(value_check(FORM_DATE, &t, node_item(&t, tree_root(&t), 0)), VALUE_WRONG_FORM);
    cr_expect_eq(value_check(FORM_DATE, &t, node_item(&t, tree_root(&t), 1)), VALUE_WRONG_KIND);
    arena_free(mem);
}

Test(value, knows_the_range_that_a_time_may_mean)
{
    int64_t from, to;
    cr_assert(value_time_range(V("1970-01-01"), &from, &to));
    cr_expect_eq(from, 0);
    cr_expect_eq(to, INT64_C(86400) * 1000000 - 1);
    cr_assert(value_time_range(V("2024-02"), &from, &to));
    cr_expect_eq(to - from + 1, INT64_C(29) * 86400 * 1000000);
    cr_assert(value_time_range(V("1970-01-01T08:00:00.5+08:00"), &from, &to));
    cr_expect_eq(from, 500000);
    cr_expect_eq(to, from);
    cr_expect_not(value_time_range(V("yesterday"), &from, &to));
}
