/* Time.  An instant is microseconds since 1970 in UTC; a span is microseconds; a date is a calendar day
 * with the precision it was stated with.  The clock is injected: nothing else in the program asks the
 * system for the time.
 *
 * clock_set is called once in main (or a test) before threads; clock_now may be called by any thread. */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

typedef struct instant {
    int64_t us;
} instant;

typedef struct span {
    int64_t us;
} span;

#define SPAN_SECONDS(s) ((span){(int64_t)(s)*1000000})
#define SPAN_DAYS(d) SPAN_SECONDS((int64_t)(d)*86400)
#define INSTANT_NONE ((instant){0})

struct clock_ops {
    const char *name;
    instant (*now)(void *self);          /* wall clock */
    int64_t (*monotonic_us)(void *self); /* for durations and leases */
    void *self;
};

/* NULL → the system's clock. */
void clock_set(const struct clock_ops *ops);
instant clock_now(void);
int64_t clock_monotonic_us(void);

static inline instant
instant_add(instant t, span s)
{
    return (instant){t.us + s.us};
}

static inline span
instant_since(instant later, instant earlier)
{
    return (span){later.us - earlier.us};
}

/* RFC 3339 with milliseconds and Z: 2026-11-20T08:30:00.000Z */
view instant_print(instant t, char out[32]);
/* Accepts any offset and 0..9 fraction digits; the offset as stated (minutes) in *ret_offset, may be
 * NULL. */
err instant_parse(view text, instant *ret, int *ret_offset) MUST_USE;
/* Seconds since 1970, for JWT and X.509. */
instant instant_of_unix(int64_t seconds);
int64_t instant_unix(instant t);

enum date_precision { DATE_YEAR, DATE_MONTH, DATE_DAY };
enum calendar { CALENDAR_AD, CALENDAR_ROC };

typedef struct date {
    int16_t year;       /* always AD */
    uint8_t month, day; /* 0 where the precision has none */
    uint8_t precision;  /* enum date_precision */
    uint8_t calendar;   /* enum calendar: as it was written */
} date;

/* YYYY, YYYY-MM, YYYY-MM-DD. */
err date_parse(view text, date *ret) MUST_USE;
/* 1150601, 990601 (yyymmdd or yymmdd, ROC; TAIWAN 7.4). */
err date_parse_roc(view text, date *ret) MUST_USE;
/* ISO form by precision. */
view date_print(date d, char out[16]);
/* Days since 1970-01-01 of a whole day (month or day missing counts as 1). */
int32_t date_days(date d);
date date_of_days(int32_t days);
/* Calendar day of an instant at an offset in minutes (Taipei: 480). */
date date_of_instant(instant t, int offset_minutes);

#endif
