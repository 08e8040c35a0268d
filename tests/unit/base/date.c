#include "base/instant.h"

#include <criterion/criterion.h>

Test(date, parses_three_precisions)
{
    const struct {
        const char *text;
        err e;
        int year, month, day, precision;
    } CASES[] = {
        {"2026", E_OK, 2026, 0, 0, DATE_YEAR},
        {"2026-11", E_OK, 2026, 11, 0, DATE_MONTH},
        {"2026-11-20", E_OK, 2026, 11, 20, DATE_DAY},
        {"2000-02-29", E_OK, 2000, 2, 29, DATE_DAY},
        {"0001-01-01", E_OK, 1, 1, 1, DATE_DAY},
        {"9999-12-31", E_OK, 9999, 12, 31, DATE_DAY},
        {"1900-02-29", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"2026-02-29", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"2026-04-31", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"2026-13", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"2026-00", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"2026-01-00", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"0000", E_OUT_OF_RANGE, 0, 0, 0, 0},
        {"", E_SYNTAX, 0, 0, 0, 0},
        {"026", E_SYNTAX, 0, 0, 0, 0},
        {"2026-", E_SYNTAX, 0, 0, 0, 0},
        {"2026-1", E_SYNTAX, 0, 0, 0, 0},
        {"2026/11", E_SYNTAX, 0, 0, 0, 0},
        {"2026-11-2", E_SYNTAX, 0, 0, 0, 0},
        {"2026-11/20", E_SYNTAX, 0, 0, 0, 0},
        {"2026-1a-20", E_SYNTAX, 0, 0, 0, 0},
        {"2026-11-20T", E_SYNTAX, 0, 0, 0, 0},
        {"-026-11-20", E_SYNTAX, 0, 0, 0, 0},
        {"20261120", E_SYNTAX, 0, 0, 0, 0},
    };
    char out[16];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        date d = {.year = 77};
        cr_assert_eq(date_parse(view_of(CASES[i].text), &d), CASES[i].e, "%s", CASES[i].text);
        if (CASES[i].e) {
            cr_assert_eq(d.year, 77, "%s", CASES[i].text);
            continue;
        }
        cr_assert(d.year == CASES[i].year && d.month == CASES[i].month && d.day == CASES[i].day, "%s",
                  CASES[i].text);
        cr_assert(d.precision == CASES[i].precision && d.calendar == CALENDAR_AD, "%s", CASES[i].text);
        cr_assert(view_eq(date_print(d, out), view_of(CASES[i].text)), "%s printed as %s", CASES[i].text,
                  out);
    }
}

Test(date, parses_roc_years)
{
    const struct {
        const char *text;
        err e;
        const char *iso;
    } CASES[] = {
        {"1150601", E_OK, "2026-06-01"},
        {"990601", E_OK, "2010-06-01"},
        {"0990601", E_OK, "2010-06-01"},
        {"1000101", E_OK, "2011-01-01"},
        {"010101", E_OK, "1912-01-01"},
        {"1130229", E_OK, "2024-02-29"},
        {"9991231", E_OK, "2910-12-31"},
        {"1150229", E_OUT_OF_RANGE, ""},
        {"1151301", E_OUT_OF_RANGE, ""},
        {"1150600", E_OUT_OF_RANGE, ""},
        {"0000101", E_OUT_OF_RANGE, ""},
        {"000101", E_OUT_OF_RANGE, ""},
        {"", E_SYNTAX, ""},
        {"11506", E_SYNTAX, ""},
        {"20260601", E_SYNTAX, ""},
        {"115-6-1", E_SYNTAX, ""},
        {"-990601", E_SYNTAX, ""},
        {"115060 ", E_SYNTAX, ""},
    };
    char out[16];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        date d = {.year = 77};
        cr_assert_eq(date_parse_roc(view_of(CASES[i].text), &d), CASES[i].e, "%s", CASES[i].text);
        if (CASES[i].e)
            continue;
        cr_assert_eq(d.calendar, CALENDAR_ROC);
        cr_assert(view_eq(date_print(d, out), view_of(CASES[i].iso)), "%s printed as %s", CASES[i].text, out);
    }
}

/* A second count that only knows month lengths walks beside the formula. */
Test(date, days_and_dates_agree_over_ten_thousand_years)
{
    static const int LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t day = -719162;
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = LENGTHS[month - 1] + (month == 2 && leap);
            for (int i = 1; i <= length; i++, day++) {
                date d = date_of_days(day);
                if (d.year != year || d.month != month || d.day != i || date_days(d) != day)
                    cr_assert_fail("day %d is %d-%d-%d", day, d.year, d.month, d.day);
            }
        }
    }
    cr_assert_eq(day - 1, 2932896);
    cr_assert_eq(date_days(date_of_days(0)), 0);
    cr_assert_eq(date_of_days(INT32_MAX).year, 9999);
    cr_assert_eq(date_of_days(INT32_MIN).year, 1);
}

Test(date, missing_parts_count_as_one)
{
    date d;
    cr_assert_eq(date_parse(V("1970"), &d), E_OK);
    cr_assert_eq(date_days(d), 0);
    cr_assert_eq(date_parse(V("1970-02"), &d), E_OK);
    cr_assert_eq(date_days(d), 31);
}

Test(date, day_of_an_instant_depends_on_the_offset)
{
    const struct {
        const char *instant;
        int offset;
        const char *day;
    } CASES[] = {
        {"2026-11-20T15:59:59.999Z", 480, "2026-11-20"}, {"2026-11-20T16:00:00Z", 480, "2026-11-21"},
        {"2026-12-31T20:00:00Z", 480, "2027-01-01"},     {"2026-11-20T00:00:00Z", 0, "2026-11-20"},
        {"2026-11-20T00:00:00Z", -1, "2026-11-19"},      {"1969-12-31T23:59:59.999999Z", 0, "1969-12-31"},
    };
    char out[16];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        instant t;
        cr_assert_eq(instant_parse(view_of(CASES[i].instant), &t, NULL), E_OK);
        view day = date_print(date_of_instant(t, CASES[i].offset), out);
        cr_assert(view_eq(day, view_of(CASES[i].day)), "%s at %d: %s", CASES[i].instant, CASES[i].offset,
                  out);
    }
    cr_assert_eq(date_of_instant((instant){INT64_MAX}, 1439).year, 9999);
    cr_assert_eq(date_of_instant((instant){INT64_MIN}, -1439).year, 1);
}
