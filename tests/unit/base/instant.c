#include "base/instant.h"
#include "base/deterministic.h"

#include <criterion/criterion.h>

#define BAD_FORM INT64_MIN
#define BAD_RANGE INT64_MAX

static const struct {
    const char *text;
    int64_t us;
    int offset;
} TEXTS[] = {
    {"1970-01-01T00:00:00Z", 0, 0},
    {"1970-01-01T00:00:00+00:00", 0, 0},
    {"1970-01-01T00:00:00-00:00", 0, 0},
    {"1969-12-31T23:59:59.999999Z", -1, 0},
    {"2026-11-20T08:30:00.000Z", 1795163400000000, 0},
    {"2026-11-20T16:30:00+08:00", 1795163400000000, 480},
    {"2026-11-20T03:00:00-05:30", 1795163400000000, -330},
    {"2026-11-20T08:30:00.1Z", 1795163400100000, 0},
    {"2026-11-20T08:30:00.123456789Z", 1795163400123456, 0},
    {"2000-02-29T12:00:00Z", 951825600000000, 0},
    {"0000-01-01T00:00:00Z", -62167219200000000, 0},
    {"9999-12-31T23:59:59.999999999Z", 253402300799999999, 0},
    {"2016-12-31T23:59:60Z", 1483228800000000, 0},
    {"2017-01-01T07:59:60+08:00", 1483228800000000, 480},
    {"2016-12-31T23:59:60.5Z", 1483228800500000, 0},
    {"2026-11-20T00:00:00+23:59", 1795046460000000, 1439},
    {"", BAD_FORM, 0},
    {"2026-11-20", BAD_FORM, 0},
    {"2026-11-20T08:30Z", BAD_FORM, 0},
    {"2026-11-20T08:30:00", BAD_FORM, 0},
    {"2026-11-20 08:30:00Z", BAD_FORM, 0},
    {"2026-11-20t08:30:00Z", BAD_FORM, 0},
    {"2026-11-20T08:30:00z", BAD_FORM, 0},
    {"2026-11-20T08:30:00.Z", BAD_FORM, 0},
    {"2026-11-20T08:30:00,5Z", BAD_FORM, 0},
    {"2026-11-20T08:30:00.1234567890Z", BAD_FORM, 0},
    {"2026-11-20T08:30:00ZZ", BAD_FORM, 0},
    {"2026-11-20T08:30:00+0800", BAD_FORM, 0},
    {"2026-11-20T08:30:00+08", BAD_FORM, 0},
    {"2026-11-20T08:30:00+08:00 ", BAD_FORM, 0},
    {" 2026-11-20T08:30:00Z", BAD_FORM, 0},
    {"+2026-11-20T08:30:00Z", BAD_FORM, 0},
    {"26-11-20T08:30:00Z", BAD_FORM, 0},
    {"2026-1-20T08:30:00Z", BAD_FORM, 0},
    {"2026-11-20T8:30:00Z", BAD_FORM, 0},
    {"2026-00-20T08:30:00Z", BAD_RANGE, 0},
    {"2026-13-20T08:30:00Z", BAD_RANGE, 0},
    {"2026-11-31T08:30:00Z", BAD_RANGE, 0},
    {"2026-11-00T08:30:00Z", BAD_RANGE, 0},
    {"2026-02-29T08:30:00Z", BAD_RANGE, 0},
    {"1900-02-29T08:30:00Z", BAD_RANGE, 0},
    {"2026-11-20T24:00:00Z", BAD_RANGE, 0},
    {"2026-11-20T08:60:00Z", BAD_RANGE, 0},
    {"2026-11-20T08:30:61Z", BAD_RANGE, 0},
    {"2026-11-20T08:30:60Z", BAD_RANGE, 0},
    {"2026-11-20T23:59:60Z", BAD_RANGE, 0}, /* not the end of a month */
    {"2016-12-31T23:59:60+08:00", BAD_RANGE, 0},
    {"2026-11-20T08:30:00+24:00", BAD_RANGE, 0},
    {"2026-11-20T08:30:00+08:60", BAD_RANGE, 0},
};

Test(instant, parses_rfc_3339_exactly)
{
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        instant t = {77};
        int offset = 77;
        err e = instant_parse(view_of(TEXTS[i].text), &t, &offset);
        err want = TEXTS[i].us == BAD_FORM ? E_SYNTAX : TEXTS[i].us == BAD_RANGE ? E_OUT_OF_RANGE : E_OK;
        cr_assert_eq(e, want, "%s: %s", TEXTS[i].text, err_info(e)->name);
        cr_assert_eq(t.us, e ? 77 : TEXTS[i].us, "%s: %lld", TEXTS[i].text, (long long)t.us);
        cr_assert_eq(offset, e ? 77 : TEXTS[i].offset, "%s", TEXTS[i].text);
    }
    instant t;
    cr_assert_eq(instant_parse(V("2026-11-20T08:30:00Z"), &t, NULL), E_OK);
}

Test(instant, prints_milliseconds_rounded_down)
{
    const struct {
        int64_t us;
        const char *text;
    } CASES[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1795163400123456, "2026-11-20T08:30:00.123Z"},
        {951782399999999, "2000-02-28T23:59:59.999Z"},
        {-62167219200000000, "0000-01-01T00:00:00.000Z"},
        {253402300799999999, "9999-12-31T23:59:59.999Z"},
    };
    char out[32];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        view v = instant_print((instant){CASES[i].us}, out);
        cr_assert(view_eq(v, view_of(CASES[i].text)), "%s instead of %s", out, CASES[i].text);
    }
    /* A number that no calendar holds must not overflow the text. */
    cr_assert_eq(instant_print((instant){INT64_MIN}, out).n, 24);
    cr_assert_eq(instant_print((instant){INT64_MAX}, out).n, 24);
}

Test(instant, unix_seconds_round_down_and_saturate)
{
    cr_assert_eq(instant_unix((instant){-1}), -1);
    cr_assert_eq(instant_unix((instant){-1000000}), -1);
    cr_assert_eq(instant_unix((instant){1999999}), 1);
    cr_assert_eq(instant_of_unix(5).us, 5000000);
    cr_assert_eq(instant_unix(instant_of_unix(INT64_MAX)), 253402300799);
    cr_assert_eq(instant_unix(instant_of_unix(INT64_MIN)), -62167219200);
    instant far = instant_add(instant_of_unix(INT64_MAX), SPAN_DAYS(3650000));
    cr_assert_gt(far.us, instant_of_unix(INT64_MAX).us);
    cr_assert_eq(instant_since(far, instant_of_unix(INT64_MAX)).us, SPAN_DAYS(3650000).us);
}

Test(instant, prints_what_it_parses_on_every_day)
{
    char out[32];
    for (int64_t day = -719528; day <= 2932896; day += 1) {
        instant t = {day * 86400000000 + 45296789000}, back;
        view v = instant_print(t, out);
        if (instant_parse(v, &back, NULL) != E_OK || back.us != t.us)
            cr_assert_fail("%s", out);
    }
}

static instant
fixed_now(void *self)
{
    return *(instant *)self;
}
static int64_t
fixed_monotonic(void *self)
{
    return ((instant *)self)->us / 2;
}

Test(instant, clock_is_injected)
{
    instant at = {42};
    struct clock_ops ops = {"fixed", fixed_now, fixed_monotonic, &at};
    clock_set(&ops);
    cr_assert_eq(clock_now().us, 42);
    cr_assert_eq(clock_monotonic_us(), 21);
    clock_set(NULL);
    cr_assert_gt(clock_now().us, instant_of_unix(1700000000).us);
    int64_t a = clock_monotonic_us(), b = clock_monotonic_us();
    cr_assert_leq(a, b);
}
