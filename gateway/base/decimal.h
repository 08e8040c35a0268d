/* Exact decimals, money and points.  Never a double.
 *
 * A decimal is units / 10^scale, scale 0..9, as written: "12.50" is {1250, 2} and prints as "12.50".
 * Money is a decimal in one currency (TWD unless stated); NHI points are a decimal that is never added
 * to money (DOMAIN D6). */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

typedef struct decimal {
    int64_t units;
    uint8_t scale;
} decimal;

/* Accepts -?digits(.digits)? without exponent, at most 9 places and 18 digits; E_SYNTAX or
 * E_OUT_OF_RANGE. */
err decimal_parse(view text, decimal *ret) MUST_USE;
/* Writes to out (at least 24 bytes), returns a view on it. */
view decimal_print(decimal d, char out[24]);
decimal decimal_of(int64_t whole);
/* E_OUT_OF_RANGE on overflow. The result has the larger scale. */
err decimal_add(decimal a, decimal b, decimal *ret) MUST_USE;
err decimal_sub(decimal a, decimal b, decimal *ret) MUST_USE;
/* Exact product; E_OUT_OF_RANGE when more than 9 places or 18 digits are needed after dropping zeros. */
err decimal_mul(decimal a, decimal b, decimal *ret) MUST_USE;
/* By value: 12.5 equals 12.50. */
int decimal_cmp(decimal a, decimal b);
bool decimal_is_whole(decimal d);

#endif
