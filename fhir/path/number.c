#include "fhir/path/number.h"

#include <string.h>

/* 10^i for i ≤ 36. */
static wide
power(unsigned i)
{
    wide p = 1;
    while (i-- > 0)
        p *= 10;
    return p;
}

static bool
fits(wide units)
{
    wide most = power(NUMBER_DIGITS);
    return units < most && units > -most;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [+-]?digits up to 4 of them; p moves. */
static bool
read_exponent(view text, size_t *at, int *ret)
{
    int sign = 1, value = 0;
    size_t from = 0;
    if (*at < text.n && (text.p[*at] == '-' || text.p[*at] == '+'))
        sign = text.p[(*at)++] == '-' ? -1 : 1;
    from = *at;
    for (; *at < text.n && is_digit(text.p[*at]) && *at - from < 4; (*at)++)
        value = value * 10 + (text.p[*at] - '0');
    *ret = sign * value;
    return *at > from;
}

/* units and scale after an exponent was taken in; the scale may be out of bounds on either side. */
static bool
settle(wide units, int scale, struct number *ret)
{
    for (; scale > NUMBER_PLACES && units % 10 == 0; scale--)
        units /= 10;
    if (units == 0 && scale < 0)
        scale = 0;
    for (; scale < 0 && fits(units); scale++)
        units *= 10;
    if (scale < 0 || scale > NUMBER_PLACES || !fits(units))
        return false;
    *ret = (struct number){units, (uint8_t)scale};
    return true;
}

bool
number_parse(view text, struct number *ret)
{
    bool negative = text.n > 0 && text.p[0] == '-', has_point = false;
    size_t at = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    wide units = 0;
    int scale = 0, digits = 0, exponent = 0;

    for (; at < text.n && (is_digit(text.p[at]) || (text.p[at] == '.' && !has_point)); at++) {
        if (text.p[at] == '.') {
            has_point = true;
            if (digits == 0)
                return false;
            continue;
        }
        units = units * 10 + (text.p[at] - '0');
        digits++;
        scale += has_point;
        if (!fits(units))
            return false;
    }
    if (digits == 0 || (has_point && scale == 0))
        return false;
    if (at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        at++;
        if (!read_exponent(text, &at, &exponent))
            return false;
    }
    return at == text.n && settle(negative ? -units : units, scale - exponent, ret);
}

view
number_print(struct number n, char out[NUMBER_TEXT])
{
    char digits[NUMBER_TEXT];
    size_t count = 0, at = 0;
    wide rest = n.units < 0 ? -n.units : n.units;

    while (rest > 0 || count <= n.scale) {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (n.units < 0)
        out[at++] = '-';
    while (count > 0) {
        if (count == n.scale)
            out[at++] = '.';
        out[at++] = digits[--count];
    }
    return (view){out, at};
}

struct number
number_of(int64_t whole)
{
    return (struct number){whole, 0};
}

struct number
number_trim(struct number n)
{
    while (n.scale > 0 && n.units % 10 == 0) {
        n.units /= 10;
        n.scale--;
    }
    return n;
}

int
number_compare(struct number a, struct number b)
{
    wide one = power(a.scale), other = power(b.scale);
    wide left = a.units / one, right = b.units / other;
    if (left == right) { /* the fractions, with the same number of places: below 10^28 */
        left = a.units % one * power(NUMBER_PLACES - a.scale);
        right = b.units % other * power(NUMBER_PLACES - b.scale);
    }
    return (left > right) - (left < right);
}

bool
number_widen(struct number n, uint8_t places, struct number *ret)
{
    wide units = n.units;
    for (; n.scale < places; n.scale++) {
        units *= 10;
        if (!fits(units))
            return false;
    }
    *ret = (struct number){units, n.scale};
    return true;
}

bool
number_add(struct number a, struct number b, struct number *ret)
{
    uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
    if (!number_widen(a, scale, &a) || !number_widen(b, scale, &b) || !fits(a.units + b.units))
        return false;
    *ret = (struct number){a.units + b.units, scale};
    return true;
}

bool
number_multiply(struct number a, struct number b, struct number *ret)
{
    wide units = 0;
    if (__builtin_mul_overflow(a.units, b.units, &units)) {
        a = number_trim(a);
        b = number_trim(b);
        if (__builtin_mul_overflow(a.units, b.units, &units))
            return false;
    }
    return settle(units, a.scale + b.scale, ret);
}

/* The quotient is written digit by digit, as on paper. */
bool
number_divide(struct number a, struct number b, struct number *ret)
{
    bool negative = (a.units < 0) != (b.units < 0);
    wide dividend = a.units < 0 ? -a.units : a.units, divisor = b.units < 0 ? -b.units : b.units;
    if (divisor == 0)
        return false;
    wide quotient = dividend / divisor, rest = dividend % divisor;
    int scale = (int)a.scale - (int)b.scale;
    while (rest > 0 && scale < NUMBER_QUOTIENT_PLACES + 1 && quotient < power(NUMBER_DIGITS - 1)) {
        quotient = quotient * 10 + rest * 10 / divisor;
        rest = rest * 10 % divisor;
        scale++;
    }
    struct number n;
    if (!settle(negative ? -quotient : quotient, scale, &n))
        return false;
    *ret = number_trim(number_round(n, NUMBER_QUOTIENT_PLACES, ROUND_HALF));
    return true;
}

bool
number_divide_whole(struct number a, struct number b, int64_t *ret)
{
    struct number q;
    if (!number_divide(a, b, &q))
        return false;
    return number_to_whole(number_round(q, 0, ROUND_TO_ZERO), ret);
}

bool
number_remainder(struct number a, struct number b, struct number *ret)
{
    uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
    if (b.units == 0 || !number_widen(a, scale, &a) || !number_widen(b, scale, &b))
        return false;
    *ret = (struct number){a.units % b.units, scale};
    return true;
}

struct number
number_negate(struct number n)
{
    n.units = -n.units;
    return n;
}

struct number
number_round(struct number n, uint8_t places, enum number_rounding how)
{
    if (n.scale <= places)
        return n;
    wide unit = power((unsigned)(n.scale - places)), whole = n.units / unit, rest = n.units % unit;
    bool away = false;
    if (how == ROUND_DOWN)
        away = rest < 0;
    else if (how == ROUND_UP)
        away = rest > 0;
    else if (how == ROUND_HALF)
        away = (rest < 0 ? -rest : rest) * 2 >= unit;
    if (away)
        whole += n.units < 0 ? -1 : 1;
    return (struct number){whole, places};
}

bool
number_to_whole(struct number n, int64_t *ret)
{
    n = number_trim(n);
    if (n.scale > 0 || n.units > INT64_MAX || n.units < INT64_MIN)
        return false;
    *ret = (int64_t)n.units;
    return true;
}
