#include "base/decimal.h"

#include <assert.h>
#include <stdio.h>

#define PLACES_MOST 9u
#define DIGITS_MOST 18u
#define UNITS_MOST INT64_C(999999999999999999)

__extension__ typedef __int128 wide;

static const int64_t POWER[PLACES_MOST + 1] = {1,      10,      100,      1000,      10000,
                                               100000, 1000000, 10000000, 100000000, 1000000000};

err
decimal_parse(view text, decimal *ret)
{
    bool minus = text.n && text.p[0] == '-';
    int64_t units = 0;
    size_t digits = 0, significant = 0, places = 0;
    bool point = false;
    for (size_t i = minus; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return E_SYNTAX;
        digits++;
        places += point;
        significant += significant > 0 || c != '0';
        if (significant <= DIGITS_MOST)
            units = units * 10 + (c - '0');
    }
    if (digits == 0 || (point && places == 0))
        return E_SYNTAX;
    if (places > PLACES_MOST || significant > DIGITS_MOST)
        return E_OUT_OF_RANGE;
    *ret = (decimal){minus ? -units : units, (uint8_t)places};
    return E_OK;
}

view
decimal_print(decimal d, char out[24])
{
    assert(d.scale <= PLACES_MOST);
    uint64_t size = d.units < 0 ? 0 - (uint64_t)d.units : (uint64_t)d.units;
    uint64_t power = (uint64_t)POWER[d.scale];
    const char *sign = d.units < 0 ? "-" : "";
    int n;
    if (d.scale == 0)
        n = snprintf(out, 24, "%s%llu", sign, (unsigned long long)size);
    else
        n = snprintf(out, 24, "%s%llu.%0*llu", sign, (unsigned long long)(size / power), (int)d.scale,
                     (unsigned long long)(size % power));
    return (view){out, (size_t)n};
}

decimal
decimal_of(int64_t whole)
{
    return (decimal){whole, 0};
}

static wide
at_scale(decimal d, uint8_t scale)
{
    return (wide)d.units * POWER[scale - d.scale];
}

static bool
is_in_range(wide units)
{
    return units <= UNITS_MOST && units >= -UNITS_MOST;
}

static err
sum(decimal a, decimal b, int sign, decimal *ret)
{
    assert(a.scale <= PLACES_MOST && b.scale <= PLACES_MOST);
    uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
    wide units = at_scale(a, scale) + sign * at_scale(b, scale);
    if (!is_in_range(units))
        return E_OUT_OF_RANGE;
    *ret = (decimal){(int64_t)units, scale};
    return E_OK;
}

err
decimal_add(decimal a, decimal b, decimal *ret)
{
    return sum(a, b, 1, ret);
}

err
decimal_sub(decimal a, decimal b, decimal *ret)
{
    return sum(a, b, -1, ret);
}

err
decimal_mul(decimal a, decimal b, decimal *ret)
{
    assert(a.scale <= PLACES_MOST && b.scale <= PLACES_MOST);
    wide units = (wide)a.units * b.units;
    unsigned scale = (unsigned)a.scale + b.scale;
    while (scale > 0 && units % 10 == 0 && (scale > PLACES_MOST || !is_in_range(units))) {
        units /= 10;
        scale--;
    }
    if (scale > PLACES_MOST || !is_in_range(units))
        return E_OUT_OF_RANGE;
    *ret = (decimal){(int64_t)units, (uint8_t)scale};
    return E_OK;
}

int
decimal_cmp(decimal a, decimal b)
{
    assert(a.scale <= PLACES_MOST && b.scale <= PLACES_MOST);
    wide left = at_scale(a, PLACES_MOST), right = at_scale(b, PLACES_MOST);
    return (left > right) - (left < right);
}

bool
decimal_is_whole(decimal d)
{
    assert(d.scale <= PLACES_MOST);
    return d.units % POWER[d.scale] == 0;
}
