#include "base/instant.h"

#include "base/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define US_PER_SECOND 1000000
#define SECONDS_PER_DAY 86400
/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define LEAST_UNIX (-62167219200)
#define MOST_UNIX 253402300799

static const struct clock_ops *ops;

void
clock_set(const struct clock_ops *new_ops)
{
    ops = new_ops;
}

static int64_t
system_us(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        abort();
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

instant
clock_now(void)
{
    return ops ? ops->now(ops->self) : (instant){system_us(CLOCK_REALTIME)};
}

int64_t
clock_monotonic_us(void)
{
    return ops ? ops->monotonic_us(ops->self) : system_us(CLOCK_MONOTONIC);
}

int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* A number from a peer may be anything: it is brought into the years 0 to 9999, so that adding a span
 * cannot overflow. */
instant
instant_of_unix(int64_t seconds)
{
    if (seconds < LEAST_UNIX)
        seconds = LEAST_UNIX;
    if (seconds > MOST_UNIX)
        seconds = MOST_UNIX;
    return (instant){seconds * US_PER_SECOND};
}

int64_t
instant_unix(instant t)
{
    return floor_div(t.us, US_PER_SECOND);
}

/* The last n digits of value, which end before end. */
static void
put_digits(char *end, unsigned n, unsigned value)
{
    for (; n; n--, value /= 10)
        *--end = (char)('0' + value % 10);
}

view
instant_print(instant t, char out[32])
{
    int64_t seconds = instant_unix(instant_of_unix(instant_unix(t)));
    int64_t ms = floor_div(t.us, 1000) - instant_unix(t) * 1000;
    int64_t days = floor_div(seconds, SECONDS_PER_DAY);
    unsigned of_day = (unsigned)(seconds - days * SECONDS_PER_DAY);
    struct civil c = civil_of_days(days);
    static const char form[] = "0000-00-00T00:00:00.000Z";
    memcpy(out, form, sizeof form);
    put_digits(out + 4, 4, (unsigned)c.year);
    put_digits(out + 7, 2, c.month);
    put_digits(out + 10, 2, c.day);
    put_digits(out + 13, 2, of_day / 3600);
    put_digits(out + 16, 2, of_day / 60 % 60);
    put_digits(out + 19, 2, of_day % 60);
    put_digits(out + 23, 3, (unsigned)ms);
    return (view){out, sizeof form - 1};
}

/* n digits at the head of *rest; false when there are not so many. */
static bool
take_digits(view *rest, unsigned n, unsigned *ret)
{
    if (rest->n < n)
        return false;
    unsigned value = 0;
    for (unsigned i = 0; i < n; i++) {
        if (rest->p[i] < '0' || rest->p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(rest->p[i] - '0');
    }
    *rest = (view){rest->p + n, rest->n - n};
    *ret = value;
    return true;
}

static bool
take_byte(view *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = (view){rest->p + 1, rest->n - 1};
    return true;
}

struct stated {
    unsigned year, month, day, hour, minute, second, us;
    int offset; /* minutes east */
};

/* 1 to 9 digits; what is finer than a microsecond is dropped. */
static bool
take_fraction(view *rest, unsigned *ret_us)
{
    unsigned us = 0, digits = 0;
    for (unsigned digit; digits < 9 && take_digits(rest, 1, &digit); digits++) {
        if (digits < 6)
            us = us * 10 + digit;
    }
    if (digits == 0)
        return false;
    for (; digits < 6; digits++)
        us *= 10;
    *ret_us = us;
    return true;
}

static err
take_offset(view *rest, int *ret_minutes)
{
    unsigned hours, minutes;
    if (take_byte(rest, 'Z')) {
        *ret_minutes = 0;
        return E_OK;
    }
    bool west = take_byte(rest, '-');
    if (!west && !take_byte(rest, '+'))
        return E_SYNTAX;
    if (!take_digits(rest, 2, &hours) || !take_byte(rest, ':') || !take_digits(rest, 2, &minutes))
        return E_SYNTAX;
    if (hours > 23 || minutes > 59)
        return E_OUT_OF_RANGE;
    *ret_minutes = (west ? -1 : 1) * (int)(hours * 60 + minutes);
    return E_OK;
}

static err
take_stated(view text, struct stated *s)
{
    view rest = text;
    if (!take_digits(&rest, 4, &s->year) || !take_byte(&rest, '-') || !take_digits(&rest, 2, &s->month) ||
        !take_byte(&rest, '-') || !take_digits(&rest, 2, &s->day) || !take_byte(&rest, 'T'))
        return E_SYNTAX;
    if (!take_digits(&rest, 2, &s->hour) || !take_byte(&rest, ':') || !take_digits(&rest, 2, &s->minute) ||
        !take_byte(&rest, ':') || !take_digits(&rest, 2, &s->second))
        return E_SYNTAX;
    if (take_byte(&rest, '.') && !take_fraction(&rest, &s->us))
        return E_SYNTAX;
    TRY(take_offset(&rest, &s->offset));
    return rest.n == 0 ? E_OK : E_SYNTAX;
}

/* RFC 3339, 5.7: second 60 only at the end of a month in UTC.  It is the same instant as the next
 * second. */
static bool
is_leap_second(int64_t seconds)
{
    if (floor_div(seconds, SECONDS_PER_DAY) * SECONDS_PER_DAY != seconds)
        return false;
    return civil_of_days(floor_div(seconds, SECONDS_PER_DAY)).day == 1;
}

err
instant_parse(view text, instant *ret, int *ret_offset)
{
    struct stated s = {0};
    TRY(take_stated(text, &s));
    if (!civil_is_valid(s.year, s.month, s.day) || s.hour > 23 || s.minute > 59 || s.second > 60)
        return E_OUT_OF_RANGE;
    int64_t days = days_of_civil((struct civil){(int64_t)s.year, s.month, s.day});
    int64_t seconds =
        days * SECONDS_PER_DAY + s.hour * 3600 + s.minute * 60 + s.second - (int64_t)s.offset * 60;
    if (s.second == 60 && !is_leap_second(seconds))
        return E_OUT_OF_RANGE;
    *ret = (instant){seconds * US_PER_SECOND + s.us};
    if (ret_offset)
        *ret_offset = s.offset;
    return E_OK;
}
