#include "base/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 20

struct output {
    char *p;
    size_t room, n;
    va_list args;
};

static void
put(struct output *o, const char *p, size_t n)
{
    size_t left = o->n < o->room ? o->room - o->n : 0, part = n < left ? n : left;
    if (part)
        memcpy(o->p + o->n, p, part);
    o->n += n;
}

static void
put_number(struct output *o, uint64_t n, bool negative)
{
    char digits[DIGITS_MAX + 1];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    if (negative)
        digits[--at] = '-';
    put(o, digits + at, sizeof digits - at);
}

static void
put_signed(struct output *o, int64_t n)
{
    put_number(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, n < 0);
}

/* %.*s */
static bool
put_cut(struct output *o)
{
    int most = va_arg(o->args, int);
    const char *s = va_arg(o->args, const char *);
    if (most < 0 || (!s && most > 0))
        return false;
    if (most > 0)
        put(o, s, strnlen(s, (size_t)most));
    return true;
}

static bool
put_text(struct output *o)
{
    const char *s = va_arg(o->args, const char *);
    if (s)
        put(o, s, strlen(s));
    return s != NULL;
}

/* One conversion, behind its percent sign; its length, 0 when it is none of ours. */
static size_t
put_one(struct output *o, const char *c)
{
    if (c[0] == '.')
        return c[1] == '*' && c[2] == 's' && put_cut(o) ? 3 : 0;
    size_t longs = c[0] == 'l' ? (c[1] == 'l' ? 2 : 1) : 0;
    switch (c[longs]) {
    case 's':
        return !longs && put_text(o) ? 1 : 0;
    case 'c':
        if (longs)
            return 0;
        put(o, (char[]){(char)va_arg(o->args, int)}, 1);
        return 1;
    case 'd':
        put_signed(o, longs == 2   ? va_arg(o->args, long long)
                      : longs == 1 ? va_arg(o->args, long)
                                   : va_arg(o->args, int));
        return longs + 1;
    case 'u':
        put_number(o,
                   longs == 2   ? va_arg(o->args, unsigned long long)
                   : longs == 1 ? va_arg(o->args, unsigned long)
                                : va_arg(o->args, unsigned),
                   false);
        return longs + 1;
    case 'z':
        if (longs || c[1] != 'u')
            return 0;
        put_number(o, va_arg(o->args, size_t), false);
        return 2;
    case '%':
        if (longs)
            return 0;
        put(o, "%", 1);
        return 1;
    }
    return 0;
}

int
format_print(char *out, size_t room, const char *format, va_list args)
{
    struct output o = {.p = out, .room = room};
    bool ours = true;
    va_copy(o.args, args);
    for (const char *at = format; ours && *at;) {
        size_t plain = strcspn(at, "%");
        put(&o, at, plain);
        at += plain;
        if (!*at)
            break;
        size_t length = put_one(&o, at + 1);
        ours = length > 0;
        at += 1 + length;
    }
    va_end(o.args);
    if (!ours || o.n > INT_MAX)
        return vsnprintf(out, room, format, args);
    if (room)
        out[o.n < room ? o.n : room - 1] = '\0';
    return (int)o.n;
}
