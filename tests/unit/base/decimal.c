#include "base/decimal.h"

#include <criterion/criterion.h>

Test(decimal, keeps_what_was_written)
{
    const struct {
        const char *text;
        err e;
        int64_t units;
        int scale;
        const char *printed;
    } CASES[] = {
        {"0", E_OK, 0, 0, "0"},
        {"12.50", E_OK, 1250, 2, "12.50"},
        {"-12.50", E_OK, -1250, 2, "-12.50"},
        {"-0.05", E_OK, -5, 2, "-0.05"},
        {"-0", E_OK, 0, 0, "0"},
        {"0.000000001", E_OK, 1, 9, "0.000000001"},
        {"007.10", E_OK, 710, 2, "7.10"},
        {"00000000000000000000001", E_OK, 1, 0, "1"},
        {"999999999999999999", E_OK, 999999999999999999, 0, "999999999999999999"},
        {"-999999999.999999999", E_OK, -999999999999999999, 9, "-999999999.999999999"},
        {"1000000000000000000", E_OUT_OF_RANGE, 0, 0, ""},
        {"9999999999.999999999", E_OUT_OF_RANGE, 0, 0, ""},
        {"1.0000000000", E_OUT_OF_RANGE, 0, 0, ""},
        {"99999999999999999999999999999999999999", E_OUT_OF_RANGE, 0, 0, ""},
        {"", E_SYNTAX, 0, 0, ""},
        {"-", E_SYNTAX, 0, 0, ""},
        {".", E_SYNTAX, 0, 0, ""},
        {"-.5", E_SYNTAX, 0, 0, ""},
        {"1.", E_SYNTAX, 0, 0, ""},
        {".5", E_SYNTAX, 0, 0, ""},
        {"1.2.3", E_SYNTAX, 0, 0, ""},
        {"+1", E_SYNTAX, 0, 0, ""},
        {"--1", E_SYNTAX, 0, 0, ""},
        {"1-", E_SYNTAX, 0, 0, ""},
        {"1e3", E_SYNTAX, 0, 0, ""},
        {"1,000", E_SYNTAX, 0, 0, ""},
        {" 1", E_SYNTAX, 0, 0, ""},
        {"0x1", E_SYNTAX, 0, 0, ""},
        {"NaN", E_SYNTAX, 0, 0, ""},
    };
    char out[24];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        decimal d = {77, 7};
        cr_assert_eq(decimal_parse(view_of(CASES[i].text), &d), CASES[i].e, "%s", CASES[i].text);
        if (CASES[i].e) {
            cr_assert(d.units == 77 && d.scale == 7, "%s", CASES[i].text);
            continue;
        }
        cr_assert(d.units == CASES[i].units && d.scale == CASES[i].scale, "%s", CASES[i].text);
        cr_assert(view_eq(decimal_print(d, out), view_of(CASES[i].printed)), "%s printed as %s",
                  CASES[i].text, out);
    }
    cr_assert(view_eq(decimal_print(decimal_of(INT64_MIN), out), V("-9223372036854775808")));
    cr_assert(view_eq(decimal_print((decimal){INT64_MIN, 9}, out), V("-9223372036.854775808")));
}

static decimal
of(const char *text)
{
    decimal d = {0};
    cr_assert_eq(decimal_parse(view_of(text), &d), E_OK, "%s", text);
    return d;
}

/* NULL: out of range. */
Test(decimal, adds_subtracts_multiplies_exactly)
{
    const struct {
        const char *a, *b, *sum, *difference, *product;
    } CASES[] = {
        {"12.50", "0.5", "13.00", "12.00", "6.250"},
        {"0.1", "0.2", "0.3", "-0.1", "0.02"},
        {"-1.5", "1.50", "0.00", "-3.00", "-2.250"},
        {"999999999999999999", "1", NULL, "999999999999999998", "999999999999999999"},
        {"-999999999999999999", "1", "-999999999999999998", NULL, "-999999999999999999"},
        {"999999999999999999", "-1", "999999999999999998", NULL, "-999999999999999999"},
        {"1000000000", "0.000000001", NULL, "999999999.999999999", "1.000000000"},
        {"0.000010", "0.000010", "0.000020", "0.000000", NULL},
        {"0.00010", "0.00010", "0.00020", "0.00000", "0.000000010"},
        {"0.00001", "0.00001", "0.00002", "0.00000", NULL},
        {"1000000000", "1000000000", "2000000000", "0", NULL},
        {"100000000.00", "10000000.000", "110000000.000", "90000000.000", "1000000000000000.00"},
        {"0", "999999999.999999999", "999999999.999999999", "-999999999.999999999", "0.000000000"},
        {"999999999999999999", "999999999999999999", NULL, "0", NULL},
    };
    typedef err (*operation)(decimal, decimal, decimal *);
    static const operation OPERATIONS[] = {decimal_add, decimal_sub, decimal_mul};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const wanted[] = {CASES[i].sum, CASES[i].difference, CASES[i].product};
        for (size_t k = 0; k < 3; k++) {
            decimal d = {77, 7};
            char out[24];
            err e = OPERATIONS[k](of(CASES[i].a), of(CASES[i].b), &d);
            cr_assert_eq(e, wanted[k] ? E_OK : E_OUT_OF_RANGE, "%s, %s, %zu", CASES[i].a, CASES[i].b, k);
            view printed = decimal_print(d, out);
            cr_assert(view_eq(printed, view_of(wanted[k] ? wanted[k] : "0.0000077")), "%s, %s: %s",
                      CASES[i].a, CASES[i].b, out);
        }
    }
    decimal d;
    cr_assert_eq(decimal_mul(decimal_of(INT64_MIN), decimal_of(INT64_MIN), &d), E_OUT_OF_RANGE);
    cr_assert_eq(decimal_sub(decimal_of(INT64_MIN), decimal_of(INT64_MAX), &d), E_OUT_OF_RANGE);
}

Test(decimal, compares_by_value)
{
    const struct {
        const char *a, *b;
        int order;
    } CASES[] = {
        {"12.5", "12.50", 0},
        {"12.5", "12.499999999", 1},
        {"-1", "0.000000001", -1},
        {"0", "-0.00", 0},
        {"999999999999999999", "999999999.999999999", 1},
        {"-999999999999999999", "999999999999999999", -1},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        cr_assert_eq(decimal_cmp(of(CASES[i].a), of(CASES[i].b)), CASES[i].order, "case %zu", i);
        cr_assert_eq(decimal_cmp(of(CASES[i].b), of(CASES[i].a)), -CASES[i].order, "case %zu turned", i);
    }
    cr_assert(decimal_is_whole(of("5.000")) && decimal_is_whole(of("-5")) && decimal_is_whole(of("0.0")));
    cr_assert_not(decimal_is_whole(of("5.001")));
    cr_assert_not(decimal_is_whole(of("-0.5")));
}
