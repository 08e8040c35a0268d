/* Exact decimals of FHIRPath: whole units of 128 bits over a power of ten, at most 36 digits and 28 places.
 *
 * base/decimal.h is for money (18 digits, 9 places); FHIR's own decimals may be longer, and a quotient of two of
 * them has to keep enough places.  Values, no memory, any thread.  A function that returns false had a result
 * with too many digits (or no result: a divisor of zero) and leaves *ret alone. */
#ifndef FHIR_PATH_NUMBER_H
#define FHIR_PATH_NUMBER_H

#include "base/view.h"

#include <stdint.h>

__extension__ typedef __int128 wide;

#define NUMBER_DIGITS 36
#define NUMBER_PLACES 28
#define NUMBER_TEXT 64

struct number {
    wide units;
    uint8_t scale;
};

/* -?digits(.digits)?([eE][+-]?digits)?, also with a leading '+'. */
bool number_parse(view text, struct number *ret);
view number_print(struct number n, char out[NUMBER_TEXT]);
struct number number_of(int64_t whole);
/* Without zeros behind the last place that counts. */
struct number number_trim(struct number n);
int number_compare(struct number a, struct number b);
bool number_add(struct number a, struct number b, struct number *ret);
bool number_multiply(struct number a, struct number b, struct number *ret);
/* Exact, or rounded half away from zero at NUMBER_QUOTIENT_PLACES. */
#define NUMBER_QUOTIENT_PLACES 20
bool number_divide(struct number a, struct number b, struct number *ret);
/* Toward zero: the whole quotient and what is left. */
bool number_divide_whole(struct number a, struct number b, int64_t *ret);
bool number_remainder(struct number a, struct number b, struct number *ret);
struct number number_negate(struct number n);

enum number_rounding { ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO, ROUND_HALF };
/* To so many places, where it has more. */
struct number number_round(struct number n, uint8_t places, enum number_rounding how);
/* False when it has a fraction or does not fit. */
bool number_to_whole(struct number n, int64_t *ret);
/* With exactly so many places; false when it gets too long. */
bool number_widen(struct number n, uint8_t places, struct number *ret);

#endif
