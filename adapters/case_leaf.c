#include "adapters/case_walk.h"

#include <inttypes.h>
#include <stdio.h>

bool
case_leaf_present(enum case_kind kind, const void *leaf)
{
    switch (kind) {
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_POINTER:
    case FIELD_REF:
        return ((const struct leaf_text *)leaf)->v.p != NULL;
    case FIELD_BOOL:
        return ((const struct leaf_bool *)leaf)->set;
    case FIELD_INT:
        return ((const struct leaf_int *)leaf)->set;
    case FIELD_DECIMAL:
        return ((const struct leaf_decimal *)leaf)->set;
    case FIELD_DATE:
        return ((const struct leaf_date *)leaf)->set;
    case FIELD_TIME:
        return ((const struct leaf_time *)leaf)->set;
    default:
        return false;
    }
}

size_t
case_leaf_size(enum case_kind kind)
{
    switch (kind) {
    case FIELD_BOOL:
        return sizeof(struct leaf_bool);
    case FIELD_INT:
        return sizeof(struct leaf_int);
    case FIELD_DECIMAL:
        return sizeof(struct leaf_decimal);
    case FIELD_DATE:
        return sizeof(struct leaf_date);
    case FIELD_TIME:
        return sizeof(struct leaf_time);
    default:
        return sizeof(struct leaf_text);
    }
}

struct source *
case_leaf_source(enum case_kind kind, const void *leaf)
{
    /* Callers that hold a const case only read through it. */
    char *p = (char *)(uintptr_t)leaf;
    switch (kind) {
    case FIELD_BOOL:
        return (struct source *)(void *)(p + offsetof(struct leaf_bool, src));
    case FIELD_INT:
        return (struct source *)(void *)(p + offsetof(struct leaf_int, src));
    case FIELD_DECIMAL:
        return (struct source *)(void *)(p + offsetof(struct leaf_decimal, src));
    case FIELD_DATE:
        return (struct source *)(void *)(p + offsetof(struct leaf_date, src));
    case FIELD_TIME:
        return (struct source *)(void *)(p + offsetof(struct leaf_time, src));
    default:
        return (struct source *)(void *)(p + offsetof(struct leaf_text, src));
    }
}

static bool
date_same(date a, date b)
{
    return a.year == b.year && a.month == b.month && a.day == b.day && a.precision == b.precision;
}

bool
case_leaf_equal(enum case_kind kind, const void *a, const void *b)
{
    bool present = case_leaf_present(kind, a);
    if (present != case_leaf_present(kind, b))
        return false;
    if (!present)
        return true;
    switch (kind) {
    case FIELD_BOOL:
        return ((const struct leaf_bool *)a)->v == ((const struct leaf_bool *)b)->v;
    case FIELD_INT:
        return ((const struct leaf_int *)a)->v == ((const struct leaf_int *)b)->v;
    case FIELD_DECIMAL:
        return decimal_cmp(((const struct leaf_decimal *)a)->v, ((const struct leaf_decimal *)b)->v) == 0;
    case FIELD_DATE:
        return date_same(((const struct leaf_date *)a)->v, ((const struct leaf_date *)b)->v);
    case FIELD_TIME: {
        const struct leaf_time *x = (const struct leaf_time *)a, *y = (const struct leaf_time *)b;
        return x->v.us == y->v.us && x->precision == y->precision;
    }
    default:
        return view_eq(((const struct leaf_text *)a)->v, ((const struct leaf_text *)b)->v);
    }
}

static char *
put_digits(char *p, uint32_t n, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + n % 10);
        n /= 10;
    }
    return p + width;
}

/* snprintf is ten times slower, and most leaves with a time pass here. */
view
leaf_print_time(const struct leaf_time *leaf, char out[TIME_TEXT_SIZE])
{
    date day = leaf_day(leaf);
    int year = day.year < 0 ? 0 : day.year;
    char *p = put_digits(out, (uint32_t)year, 4);
    if (leaf->precision == TIME_YEAR)
        return (view){out, (size_t)(p - out)};
    *p++ = '-';
    p = put_digits(p, day.month, 2);
    if (leaf->precision == TIME_MONTH)
        return (view){out, (size_t)(p - out)};
    *p++ = '-';
    p = put_digits(p, day.day, 2);
    if (leaf->precision == TIME_DAY)
        return (view){out, (size_t)(p - out)};

    int64_t local = leaf->v.us + (int64_t)leaf->offset * 60000000;
    int64_t of_day = local % 86400000000;
    if (of_day < 0)
        of_day += 86400000000;
    uint32_t second = (uint32_t)(of_day / 1000000), micro = (uint32_t)(of_day % 1000000);
    *p++ = 'T';
    p = put_digits(p, second / 3600, 2);
    *p++ = ':';
    p = put_digits(p, second / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, second % 60, 2);
    if (micro) {
        *p++ = '.';
        p = micro % 1000 ? put_digits(p, micro, 6) : put_digits(p, micro / 1000, 3);
    }
    if (leaf->offset == 0) {
        *p++ = 'Z';
        return (view){out, (size_t)(p - out)};
    }
    uint32_t offset = (uint32_t)(leaf->offset < 0 ? -leaf->offset : leaf->offset);
    *p++ = leaf->offset < 0 ? '-' : '+';
    p = put_digits(p, offset / 60, 2);
    *p++ = ':';
    p = put_digits(p, offset % 60, 2);
    return (view){out, (size_t)(p - out)};
}

view
case_leaf_text(enum case_kind kind, const void *leaf, arena *mem)
{
    if (!case_leaf_present(kind, leaf))
        return VIEW_NONE;
    char text[TIME_TEXT_SIZE];
    switch (kind) {
    case FIELD_BOOL:
        return ((const struct leaf_bool *)leaf)->v ? V("true") : V("false");
    case FIELD_INT:
        return arena_printf(mem, "%" PRId64, ((const struct leaf_int *)leaf)->v);
    case FIELD_DECIMAL:
        return arena_dup(mem, decimal_print(((const struct leaf_decimal *)leaf)->v, text));
    case FIELD_DATE:
        return arena_dup(mem, date_print(((const struct leaf_date *)leaf)->v, text));
    case FIELD_TIME:
        return arena_dup(mem, leaf_print_time((const struct leaf_time *)leaf, text));
    default:
        return ((const struct leaf_text *)leaf)->v;
    }
}
