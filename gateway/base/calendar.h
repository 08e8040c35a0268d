/* The proleptic Gregorian calendar as numbers, for instant.c and date.c: a day count from 1970-01-01 to
 * year, month and day and back, without the C library's time zones.  Pure functions, any thread. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
};

int64_t days_of_civil(struct civil c);
struct civil civil_of_days(int64_t days);
/* True when the month has the day. */
bool civil_is_valid(unsigned year, unsigned month, unsigned day);
/* Rounds toward minus infinity; b > 0. */
int64_t floor_div(int64_t a, int64_t b);

#endif
