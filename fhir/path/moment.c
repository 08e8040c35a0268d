#include "fhir/path/moment.h"

#include "base/calendar.h"

#include <stdio.h>

#define DAY_NS INT64_C(86400000000000)

/* n digits at text[*at]; *at moves behind them. */
static bool
digits(view text, size_t *at, size_t n, unsigned *ret)
{
    unsigned value = 0;
    if (*at + n > text.n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text.p[*at + i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    *at += n;
    *ret = value;
    return true;
}

static bool
skip(view text, size_t *at, char c)
{
    if (*at >= text.n || text.p[*at] != c)
        return false;
    (*at)++;
    return true;
}

static bool
read_date(view text, size_t *at, struct moment *m)
{
    unsigned year = 0, month = 0, day = 0;
    if (!digits(text, at, 4, &year) || year == 0)
        return false;
    m->precision = MOMENT_YEAR;
    if (skip(text, at, '-')) {
        if (!digits(text, at, 2, &month) || month < 1 || month > 12)
            return false;
        m->precision = MOMENT_MONTH;
        if (skip(text, at, '-')) {
            if (!digits(text, at, 2, &day) || !civil_is_valid(year, month, day))
                return false;
            m->precision = MOMENT_DAY;
        }
    }
    m->year = (int16_t)year;
    m->month = (uint8_t)month;
    m->day = (uint8_t)day;
    return true;
}

/* More than nine digits are read and left off. */
static bool
read_fraction(view text, size_t *at, struct moment *m)
{
    unsigned digit = 0;
    while (digits(text, at, 1, &digit)) {
        if (m->digits < 9) {
            m->nanoseconds = m->nanoseconds * 10 + digit;
            m->digits++;
        }
    }
    for (uint8_t i = m->digits; i < 9; i++)
        m->nanoseconds *= 10;
    m->precision = MOMENT_FRACTION;
    return m->digits > 0;
}

static bool
read_time(view text, size_t *at, struct moment *m)
{
    unsigned hour = 0, minute = 0, second = 0;
    if (!digits(text, at, 2, &hour) || hour > 23)
        return false;
    m->precision = MOMENT_HOUR;
    m->hour = (uint8_t)hour;
    if (!skip(text, at, ':'))
        return true;
    if (!digits(text, at, 2, &minute) || minute > 59)
        return false;
    m->precision = MOMENT_MINUTE;
    m->minute = (uint8_t)minute;
    if (!skip(text, at, ':'))
        return true;
    if (!digits(text, at, 2, &second) || second > 60)
        return false;
    m->precision = MOMENT_SECOND;
    m->second = (uint8_t)second;
    return !skip(text, at, '.') || read_fraction(text, at, m);
}

static bool
read_offset(view text, size_t *at, struct moment *m)
{
    unsigned hours = 0, minutes = 0;
    if (*at == text.n)
        return true;
    if (skip(text, at, 'Z')) {
        m->offset = 0;
        return true;
    }
    bool negative = text.p[*at] == '-';
    if (!skip(text, at, negative ? '-' : '+') || !digits(text, at, 2, &hours) || !skip(text, at, ':') ||
        !digits(text, at, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    int offset = (int)(hours * 60 + minutes);
    m->offset = (int16_t)(negative ? -offset : offset);
    return true;
}

bool
moment_parse_date(view text, struct moment *ret)
{
    struct moment m = {.offset = MOMENT_NO_OFFSET};
    size_t at = 0;
    if (!read_date(text, &at, &m) || at != text.n)
        return false;
    *ret = m;
    return true;
}

bool
moment_parse_datetime(view text, struct moment *ret)
{
    struct moment m = {.offset = MOMENT_NO_OFFSET};
    size_t at = 0;
    if (!read_date(text, &at, &m))
        return false;
    if (skip(text, &at, 'T') && at < text.n &&
        (m.precision != MOMENT_DAY || !read_time(text, &at, &m) || !read_offset(text, &at, &m)))
        return false;
    if (at != text.n)
        return false;
    *ret = m;
    return true;
}

bool
moment_parse_time(view text, struct moment *ret)
{
    struct moment m = {.offset = MOMENT_NO_OFFSET};
    size_t at = 0;
    (void)skip(text, &at, 'T');
    if (!read_time(text, &at, &m) || at != text.n)
        return false;
    *ret = m;
    return true;
}

static size_t
print_time(const struct moment *m, char *out)
{
    size_t n = (size_t)snprintf(out, 16, "%02u", m->hour);
    if (m->precision >= MOMENT_MINUTE)
        n += (size_t)snprintf(out + n, 16, ":%02u", m->minute);
    if (m->precision >= MOMENT_SECOND)
        n += (size_t)snprintf(out + n, 16, ":%02u", m->second);
    if (m->precision >= MOMENT_FRACTION) {
        char fraction[16];
        (void)snprintf(fraction, sizeof fraction, "%09u", m->nanoseconds);
        n += (size_t)snprintf(out + n, 16, ".%.*s", m->digits, fraction);
    }
    return n;
}

view
moment_print(const struct moment *m, char out[MOMENT_TEXT])
{
    size_t n = 0;
    if (m->year == 0)
        return (view){out, print_time(m, out)};
    n = (size_t)snprintf(out, 16, "%04d", m->year);
    if (m->precision >= MOMENT_MONTH)
        n += (size_t)snprintf(out + n, 8, "-%02u", m->month);
    if (m->precision >= MOMENT_DAY)
        n += (size_t)snprintf(out + n, 8, "-%02u", m->day);
    if (m->precision >= MOMENT_HOUR) {
        out[n++] = 'T';
        n += print_time(m, out + n);
    }
    if (m->offset == 0) {
        out[n++] = 'Z';
    } else if (m->offset != MOMENT_NO_OFFSET) {
        int minutes = m->offset < 0 ? -m->offset : m->offset;
        n += (size_t)snprintf(out + n, 10, "%c%02d:%02d", m->offset < 0 ? '-' : '+', minutes / 60 % 100,
                              minutes % 60);
    }
    return (view){out, n};
}

/* ---- order ---- */

/* Nanoseconds since 1970, missing fields as small as they can be; of a time of day since midnight. */
static wide
line_of(const struct moment *m)
{
    int64_t seconds = m->hour * 3600 + m->minute * 60 + m->second;
    int64_t days = 0;
    if (m->year != 0)
        days = days_of_civil((struct civil){m->year, m->month ? m->month : 1, m->day ? m->day : 1});
    if (m->offset != MOMENT_NO_OFFSET)
        seconds -= m->offset * 60;
    return (wide)days * DAY_NS + (wide)seconds * 1000000000 + m->nanoseconds;
}

static enum moment_order
order_of(wide a, wide b)
{
    return a < b ? MOMENT_BEFORE : a > b ? MOMENT_AFTER : MOMENT_SAME;
}

/* Cut to a precision. */
static struct moment
cut(struct moment m, uint8_t precision)
{
    m.month = precision >= MOMENT_MONTH ? m.month : 0;
    m.day = precision >= MOMENT_DAY ? m.day : 0;
    m.hour = precision >= MOMENT_HOUR ? m.hour : 0;
    m.minute = precision >= MOMENT_MINUTE ? m.minute : 0;
    m.second = precision >= MOMENT_SECOND ? m.second : 0;
    m.nanoseconds = precision >= MOMENT_SECOND ? m.nanoseconds : 0;
    return m;
}

enum moment_order
moment_compare(const struct moment *a, const struct moment *b)
{
    bool both_time = a->precision >= MOMENT_HOUR && b->precision >= MOMENT_HOUR;
    bool a_offset = a->offset != MOMENT_NO_OFFSET, b_offset = b->offset != MOMENT_NO_OFFSET;
    uint8_t least = a->precision < b->precision ? a->precision : b->precision;
    bool same_precision = a->precision == b->precision || least >= MOMENT_SECOND;
    struct moment left = cut(*a, least), right = cut(*b, least);

    if (!both_time)
        left.offset = right.offset = MOMENT_NO_OFFSET;
    wide from = line_of(&left), to = line_of(&right);
    if (both_time && a_offset != b_offset) { /* somewhere in 14 hours on either side */
        wide apart = from > to ? from - to : to - from;
        return apart > (wide)14 * 3600 * 1000000000 ? order_of(from, to) : MOMENT_NOT_KNOWN;
    }
    enum moment_order order = order_of(from, to);
    return order == MOMENT_SAME && !same_precision ? MOMENT_NOT_KNOWN : order;
}

/* ---- addition ---- */

enum moment_unit
moment_unit_of(view word)
{
    static const char *const words[] = {"year", "month",  "week",   "day",
                                        "hour", "minute", "second", "millisecond"};
    view one = word.n > 1 && word.p[word.n - 1] == 's' ? view_sub(word, 0, word.n - 1) : word;
    for (unsigned i = 0; i < UNIT_NONE; i++)
        if (view_eq(one, view_of(words[i])))
            return (enum moment_unit)i;
    return UNIT_NONE;
}

static bool
add_months(struct moment *m, int64_t months)
{
    int64_t total = (int64_t)m->year * 12 + (m->month ? m->month - 1 : 0) + months;
    int64_t year = floor_div(total, 12);
    if (year < 1 || year > 9999)
        return false;
    m->year = (int16_t)year;
    if (m->month)
        m->month = (uint8_t)(total - year * 12 + 1);
    while (m->day > 28 && !civil_is_valid((unsigned)m->year, m->month, m->day))
        m->day--;
    return true;
}

static bool
add_nanoseconds(struct moment *m, bool is_time, wide amount)
{
    struct moment at = *m;
    at.offset = MOMENT_NO_OFFSET;
    wide line = line_of(&at) + amount;
    wide day = line / DAY_NS - (line % DAY_NS < 0), rest = line - day * DAY_NS;
    if (!is_time) {
        if (day < -800000 || day > 3000000)
            return false;
        struct civil c = civil_of_days((int64_t)day);
        if (c.year < 1 || c.year > 9999)
            return false;
        m->year = (int16_t)c.year;
        m->month = (uint8_t)c.month;
        m->day = (uint8_t)c.day;
    }
    int64_t seconds = (int64_t)(rest / 1000000000);
    m->nanoseconds = (uint32_t)(rest % 1000000000);
    m->hour = (uint8_t)(seconds / 3600);
    m->minute = (uint8_t)(seconds / 60 % 60);
    m->second = (uint8_t)(seconds % 60);
    return true;
}

static int64_t
nanoseconds_of(enum moment_unit unit)
{
    static const int64_t lengths[] = {
        [UNIT_WEEK] = 7 * DAY_NS,
        [UNIT_DAY] = DAY_NS,
        [UNIT_HOUR] = INT64_C(3600000000000),
        [UNIT_MINUTE] = INT64_C(60000000000),
        [UNIT_SECOND] = 1000000000,
        [UNIT_MILLISECOND] = 1000000,
    };
    return lengths[unit];
}

/* Whole years or months in an amount of a finer unit, by 12, 30 and 365 as FHIRPath has it. */
static int64_t
whole_of(int64_t amount, enum moment_unit unit, uint8_t precision)
{
    if (unit == UNIT_MONTH)
        return precision == MOMENT_YEAR ? amount / 12 * 12 : amount;
    int64_t days = (int64_t)((wide)amount * nanoseconds_of(unit) / DAY_NS);
    return precision == MOMENT_YEAR ? days / 365 * 12 : days / 30;
}

bool
moment_add(struct moment *m, bool is_time, struct number amount, enum moment_unit unit)
{
    struct number scaled;
    int64_t whole = 0, exact = 0;
    bool fine = unit >= UNIT_SECOND; /* only these may have a fraction */
    if (!number_to_whole(number_round(amount, 0, ROUND_TO_ZERO), &whole) || whole > 1000000000000 ||
        whole < -1000000000000)
        return false;
    if (!is_time && unit == UNIT_YEAR)
        return whole < 10000 && whole > -10000 && add_months(m, whole * 12);
    if (!is_time && (unit == UNIT_MONTH || m->precision < MOMENT_DAY)) {
        int64_t months = whole_of(whole, unit, m->precision);
        return months < 120000 && months > -120000 && add_months(m, months);
    }
    if (unit <= UNIT_MONTH)
        return false;
    if (!fine || !number_multiply(amount, number_of(nanoseconds_of(unit)), &scaled) ||
        !number_to_whole(number_round(scaled, 0, ROUND_TO_ZERO), &exact))
        exact = 0;
    wide total = fine ? (wide)exact : (wide)whole * nanoseconds_of(unit);
    wide step = m->precision == MOMENT_DAY      ? DAY_NS
                : m->precision == MOMENT_HOUR   ? nanoseconds_of(UNIT_HOUR)
                : m->precision == MOMENT_MINUTE ? nanoseconds_of(UNIT_MINUTE)
                                                : 1;
    return add_nanoseconds(m, is_time, total / step * step);
}

/* ---- boundaries ---- */

struct moment
moment_bound(const struct moment *m, enum moment_precision precision, bool high, bool is_datetime)
{
    struct moment b = *m;
    if (m->precision < MOMENT_MONTH && m->year != 0)
        b.month = high ? 12 : 1;
    if (m->precision < MOMENT_DAY && m->year != 0) {
        b.day = high ? 31 : 1;
        while (!civil_is_valid((unsigned)b.year, b.month, b.day))
            b.day--;
    }
    if (m->precision < MOMENT_HOUR)
        b.hour = high ? 23 : 0;
    if (m->precision < MOMENT_MINUTE)
        b.minute = high ? 59 : 0;
    if (m->precision < MOMENT_SECOND)
        b.second = high ? 59 : 0;
    if (m->precision < MOMENT_FRACTION)
        b.nanoseconds = high ? 999000000 : 0;
    if (precision == MOMENT_FRACTION)
        b.digits = 3;
    if (is_datetime && b.offset == MOMENT_NO_OFFSET && precision >= MOMENT_HOUR)
        b.offset = high ? -12 * 60 : 14 * 60;
    b = cut(b, (uint8_t)precision);
    b.precision = (uint8_t)precision;
    return b;
}
