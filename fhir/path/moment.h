/* Dates and times of FHIRPath, with the precision they were stated with and their offset from UTC.
 * Values, no memory, any thread. */
#ifndef FHIR_PATH_MOMENT_H
#define FHIR_PATH_MOMENT_H

#include "base/view.h"
#include "fhir/path/number.h"

#include <stdint.h>

enum moment_precision {
    MOMENT_YEAR = 1,
    MOMENT_MONTH,
    MOMENT_DAY,
    MOMENT_HOUR,
    MOMENT_MINUTE,
    MOMENT_SECOND,
    MOMENT_FRACTION
};
#define MOMENT_NO_OFFSET INT16_MIN
#define MOMENT_TEXT 48

struct moment {
    int16_t year; /* 0 in a time of day */
    uint8_t month, day, hour, minute, second;
    uint8_t precision; /* enum moment_precision: the last field that is stated */
    int16_t offset;    /* minutes east of UTC */
    uint8_t digits;    /* of the fraction */
    uint32_t nanoseconds;
};

/* YYYY(-MM(-DD)?)? */
bool moment_parse_date(view text, struct moment *ret);
/* The same, then T and as much of a time as is stated (also none), then Z or an offset. */
bool moment_parse_datetime(view text, struct moment *ret);
/* hh(:mm(:ss(.f+)?)?)? with T in front of it or not */
bool moment_parse_time(view text, struct moment *ret);
/* As it was read; a time of day has no T. */
view moment_print(const struct moment *m, char out[MOMENT_TEXT]);

/* Seconds and fractions count as one precision. */
enum moment_order { MOMENT_BEFORE, MOMENT_SAME, MOMENT_AFTER, MOMENT_NOT_KNOWN };
enum moment_order moment_compare(const struct moment *a, const struct moment *b);

enum moment_unit {
    UNIT_YEAR,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND,
    UNIT_MILLISECOND,
    UNIT_NONE
};
/* "day", "days" */
enum moment_unit moment_unit_of(view word);
/* False when the year leaves 1 to 9999.  A finer unit than the precision counts in whole units of the precision. */
bool moment_add(struct moment *m, bool is_time, struct number amount, enum moment_unit unit);

/* The earliest (or latest) moment that it may mean, stated to a precision (of a dateTime with the widest offset when
 * it has none). */
struct moment moment_bound(const struct moment *m, enum moment_precision precision, bool high,
                           bool is_datetime);

#endif
