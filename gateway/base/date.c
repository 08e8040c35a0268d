#include "base/calendar.h"
#include "base/instant.h"
#include "base/text.h"

/* 400 years are 146,097 days; counted from 0000-03-01 the leap day is the last of its year. */
#define DAYS_PER_ERA 146097
#define DAYS_TO_1970 719468
#define ROC_YEAR_ZERO 1911
/* 0001-01-01 and 9999-12-31. */
#define LEAST_DAYS (-719162)
#define MOST_DAYS 2932896
#define US_PER_MINUTE ((int64_t)60 * 1000000)

int64_t
days_of_civil(struct civil c)
{
    int64_t year = c.month > 2 ? c.year : c.year - 1;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = c.month > 2 ? c.month - 3 : c.month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

struct civil
civil_of_days(int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil c = {
        .year = year_of_era + era * 400,
        .month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9),
        .day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
    c.year += c.month <= 2;
    return c;
}

bool
civil_is_valid(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= LENGTHS[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* The digits text[from, from + n); the caller has looked that they are digits. */
static unsigned
digits_at(view text, size_t from, size_t n)
{
    unsigned value = 0;
    for (size_t i = from; i < from + n; i++)
        value = value * 10 + (unsigned)(text.p[i] - '0');
    return value;
}

static err
date_make(unsigned year, unsigned month, unsigned day, date shape, date *ret)
{
    bool valid = civil_is_valid(year, shape.precision >= DATE_MONTH ? month : 1,
                                shape.precision == DATE_DAY ? day : 1);
    if (!valid || year < 1 || year > 9999)
        return E_OUT_OF_RANGE;
    shape.year = (int16_t)year;
    shape.month = (uint8_t)month;
    shape.day = (uint8_t)day;
    *ret = shape;
    return E_OK;
}

err
date_parse(view text, date *ret)
{
    bool has_month = text.n > 4, has_day = text.n > 7;
    if (text.n != 4 && text.n != 7 && text.n != 10)
        return E_SYNTAX;
    if (!text_is_digits(view_sub(text, 0, 4)))
        return E_SYNTAX;
    if (has_month && (text.p[4] != '-' || !text_is_digits(view_sub(text, 5, 2))))
        return E_SYNTAX;
    if (has_day && (text.p[7] != '-' || !text_is_digits(view_sub(text, 8, 2))))
        return E_SYNTAX;
    date shape = {.precision = has_day     ? DATE_DAY
                               : has_month ? DATE_MONTH
                                           : DATE_YEAR,
                  .calendar = CALENDAR_AD};
    return date_make(digits_at(text, 0, 4), has_month ? digits_at(text, 5, 2) : 0,
                     has_day ? digits_at(text, 8, 2) : 0, shape, ret);
}

err
date_parse_roc(view text, date *ret)
{
    if ((text.n != 6 && text.n != 7) || !text_is_digits(text))
        return E_SYNTAX;
    size_t years = text.n - 4;
    unsigned roc = digits_at(text, 0, years);
    if (roc == 0)
        return E_OUT_OF_RANGE;
    date shape = {.precision = DATE_DAY, .calendar = CALENDAR_ROC};
    return date_make(roc + ROC_YEAR_ZERO, digits_at(text, years, 2), digits_at(text, years + 2, 2), shape,
                     ret);
}

static char *
put_digits(char *out, unsigned n, size_t digits)
{
    for (size_t i = digits; i-- > 0; n /= 10)
        out[i] = (char)('0' + n % 10);
    return out + digits;
}

view
date_print(date d, char out[16])
{
    char *end = put_digits(out, (unsigned)d.year % 10000, 4);
    if (d.precision != DATE_YEAR) {
        *end++ = '-';
        end = put_digits(end, d.month % 100u, 2);
    }
    if (d.precision == DATE_DAY) {
        *end++ = '-';
        end = put_digits(end, d.day % 100u, 2);
    }
    *end = '\0';
    return (view){out, (size_t)(end - out)};
}

int32_t
date_days(date d)
{
    return (int32_t)days_of_civil((struct civil){d.year, d.month ? d.month : 1, d.day ? d.day : 1});
}

date
date_of_days(int32_t days)
{
    int32_t kept = days < LEAST_DAYS ? LEAST_DAYS : days > MOST_DAYS ? MOST_DAYS : days;
    struct civil c = civil_of_days(kept);
    return (date){(int16_t)c.year, (uint8_t)c.month, (uint8_t)c.day, DATE_DAY, CALENDAR_AD};
}

date
date_of_instant(instant t, int offset_minutes)
{
    /* In minutes, so that adding the offset cannot overflow. */
    int64_t minutes = floor_div(t.us, US_PER_MINUTE) + offset_minutes;
    int64_t days = floor_div(minutes, 24 * 60);
    return date_of_days((int32_t)(days < LEAST_DAYS ? LEAST_DAYS : days > MOST_DAYS ? MOST_DAYS : days));
}
