#include "fhir/path/unit.h"

#include "fhir/path/moment.h"

#include <stdio.h>

/* Base quantities: length, time, mass, temperature, charge, luminous intensity, amount, angle. */
enum { DIM_M, DIM_S, DIM_G, DIM_K, DIM_C, DIM_CD, DIM_MOL, DIM_RAD, DIMS };

struct measure {
    struct number factor; /* to the base units */
    int8_t dims[DIMS];
};

#define M(e) [DIM_M] = (e)
#define S(e) [DIM_S] = (e)
#define G(e) [DIM_G] = (e)

/* Atoms of UCUM: metric ones take prefixes.  Factors are exact by definition. */
static const struct atom {
    const char *code, *factor;
    bool metric;
    int8_t dims[DIMS];
} atoms[] = {
    {"1", "1", false, {0}},
    {"%", "0.01", false, {0}},
    {"m", "1", true, {M(1)}},
    {"s", "1", true, {S(1)}},
    {"g", "1", true, {G(1)}},
    {"K", "1", true, {[DIM_K] = 1}},
    {"C", "1", true, {[DIM_C] = 1}},
    {"A", "1", true, {[DIM_C] = 1, S(-1)}},
    {"cd", "1", true, {[DIM_CD] = 1}},
    {"mol", "1", true, {[DIM_MOL] = 1}},
    {"eq", "1", true, {[DIM_MOL] = 1}},
    {"rad", "1", true, {[DIM_RAD] = 1}},
    {"min", "60", false, {S(1)}},
    {"h", "3600", false, {S(1)}},
    {"d", "86400", false, {S(1)}},
    {"wk", "604800", false, {S(1)}},
    {"mo", "2629800", false, {S(1)}},
    {"a", "31557600", false, {S(1)}},
    {"L", "0.001", true, {M(3)}},
    {"l", "0.001", true, {M(3)}},
    {"Hz", "1", true, {S(-1)}},
    {"N", "1000", true, {M(1), S(-2), G(1)}},
    {"Pa", "1000", true, {M(-1), S(-2), G(1)}},
    {"J", "1000", true, {M(2), S(-2), G(1)}},
    {"W", "1000", true, {M(2), S(-3), G(1)}},
    {"V", "1000", true, {M(2), S(-2), G(1), [DIM_C] = -1}},
    {"bar", "100000000", true, {M(-1), S(-2), G(1)}},
    {"m[Hg]", "133322000", true, {M(-1), S(-2), G(1)}},
    {"cal", "4184", true, {M(2), S(-2), G(1)}},
    {"t", "1000000", true, {G(1)}},
    {"[lb_av]", "453.59237", false, {G(1)}},
    {"[oz_av]", "28.349523125", false, {G(1)}},
    {"[in_i]", "0.0254", false, {M(1)}},
    {"[ft_i]", "0.3048", false, {M(1)}},
    {"[mi_i]", "1609.344", false, {M(1)}},
};

static const struct {
    const char *code;
    int8_t exponent;
} prefixes[] = {{"da", 1}, {"h", 2},  {"k", 3},  {"M", 6},  {"G", 9},  {"T", 12},
                {"d", -1}, {"c", -2}, {"m", -3}, {"u", -6}, {"n", -9}, {"p", -12}};

static bool
scale_by_ten(struct number *n, int exponent)
{
    struct number ten = exponent < 0 ? (struct number){1, 1} : number_of(10);
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
        if (!number_multiply(*n, ten, n))
            return false;
    *n = number_trim(*n);
    return true;
}

static const struct atom *
find_atom(view code)
{
    for (size_t i = 0; i < sizeof atoms / sizeof *atoms; i++)
        if (view_eq(code, view_of(atoms[i].code)))
            return &atoms[i];
    return NULL;
}

/* An atom, with a prefix or without. */
static bool
read_symbol(view code, struct measure *ret)
{
    const struct atom *a = find_atom(code);
    int exponent = 0;
    for (size_t i = 0; a == NULL && i < sizeof prefixes / sizeof *prefixes; i++) {
        view prefix = view_of(prefixes[i].code);
        if (!view_starts(code, prefix))
            continue;
        a = find_atom(view_sub(code, prefix.n, code.n));
        exponent = prefixes[i].exponent;
        if (a != NULL && !a->metric)
            a = NULL;
    }
    if (a == NULL || !number_parse(view_of(a->factor), &ret->factor))
        return false;
    memcpy(ret->dims, a->dims, sizeof ret->dims);
    return scale_by_ten(&ret->factor, exponent);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* symbol, symbol and exponent, or a whole number */
static bool
read_component(view text, struct measure *ret)
{
    size_t n = text.n;
    int power = 1;
    while (n > 0 && is_digit(text.p[n - 1]))
        n--;
    if (n == 0) {
        memset(ret, 0, sizeof *ret);
        return number_parse(text, &ret->factor);
    }
    if (n < text.n && text.n - n <= 1) {
        power = text.p[n] - '0';
        if (n > 0 && (text.p[n - 1] == '-' || text.p[n - 1] == '+'))
            power = text.p[--n] == '-' ? -power : power;
    } else if (n < text.n) {
        return false;
    }
    struct measure one;
    if (!read_symbol(view_sub(text, 0, n), &one))
        return false;
    *ret = (struct measure){.factor = number_of(1)};
    for (int i = power < 0 ? -power : power; i > 0; i--)
        if (!(power < 0 ? number_divide(ret->factor, one.factor, &ret->factor)
                        : number_multiply(ret->factor, one.factor, &ret->factor)))
            return false;
    for (int i = 0; i < DIMS; i++)
        ret->dims[i] = (int8_t)(one.dims[i] * power);
    return true;
}

static bool
take_in(struct measure *total, const struct measure *part, bool divide)
{
    if (!(divide ? number_divide(total->factor, part->factor, &total->factor)
                 : number_multiply(total->factor, part->factor, &total->factor)))
        return false;
    for (int i = 0; i < DIMS; i++) {
        int dim = total->dims[i] + (divide ? -part->dims[i] : part->dims[i]);
        if (dim > 50 || dim < -50)
            return false;
        total->dims[i] = (int8_t)dim;
    }
    return true;
}

#define BRACKETS_MOST 8

/* Components with '.', '/' and round brackets; inside brackets behind a '/' everything is turned over. */
static bool
read_measure(view text, struct measure *ret)
{
    bool turned[BRACKETS_MOST + 1] = {false}, divide = false;
    unsigned depth = 0;
    struct measure total = {.factor = number_of(1)};
    size_t at = 0;
    while (at < text.n) {
        char c = text.p[at];
        size_t end = at;
        if (c == '(' && depth < BRACKETS_MOST) {
            depth++;
            turned[depth] = turned[depth - 1] != divide;
            divide = false;
            at++;
        } else if (c == ')' && depth > 0) {
            depth--;
            at++;
        } else if (c == '.' || c == '/') {
            divide = c == '/';
            at++;
        } else {
            struct measure part;
            while (end < text.n && strchr("./()", text.p[end]) == NULL)
                end += text.p[end] == '[' ? view_find_byte(view_sub(text, end, text.n), ']') + 1 : 1;
            end = end > text.n ? text.n : end;
            if (end == at || !read_component(view_sub(text, at, end - at), &part) ||
                !take_in(&total, &part, turned[depth] != divide))
                return false;
            divide = false;
            at = end;
        }
    }
    *ret = total;
    return depth == 0 && text.n > 0;
}

/* Days and what is shorter are the same as words and as codes; a month and a year of the calendar are not. */
static bool
measure_of(view unit, bool calendar, struct measure *ret)
{
    static const char *const codes[] = {"a", "mo", "wk", "d", "h", "min", "s", "ms"};
    if (!calendar)
        return read_measure(unit, ret);
    enum moment_unit word = moment_unit_of(unit);
    return word > UNIT_MONTH && word < UNIT_NONE && read_measure(view_of(codes[word]), ret);
}

/* The same word in the singular and the plural. */
static bool
same_unit(view a, bool a_calendar, view b, bool b_calendar)
{
    if (a_calendar && b_calendar)
        return moment_unit_of(a) == moment_unit_of(b);
    return a_calendar == b_calendar && view_eq(a, b);
}

bool
quantity_convert(const struct quantity *b, view unit, bool calendar, struct number *ret)
{
    struct measure from, to;
    struct number n;
    if (same_unit(unit, calendar, b->unit, b->calendar)) {
        *ret = b->value;
        return true;
    }
    if (calendar && b->calendar) { /* years and months */
        enum moment_unit in = moment_unit_of(b->unit), out = moment_unit_of(unit);
        if (in == UNIT_YEAR && out == UNIT_MONTH)
            return number_multiply(b->value, number_of(12), ret);
        if (in == UNIT_MONTH && out == UNIT_YEAR)
            return number_divide(b->value, number_of(12), ret);
    }
    if (!measure_of(b->unit, b->calendar, &from) || !measure_of(unit, calendar, &to) ||
        memcmp(from.dims, to.dims, sizeof from.dims) != 0)
        return false;
    return number_multiply(b->value, from.factor, &n) && number_divide(n, to.factor, ret);
}

bool
quantity_compare(const struct quantity *a, const struct quantity *b, int *ret_order)
{
    struct number other;
    if (!quantity_convert(b, a->unit, a->calendar, &other))
        return false;
    *ret_order = number_compare(a->value, other);
    return true;
}

bool
unit_join(view a, view b, bool divide, char out[UNIT_TEXT], view *ret)
{
    bool a_one = view_eq(a, V("1")), b_one = view_eq(b, V("1"));
    bool compound = view_find_byte(b, '/') < b.n || view_find_byte(b, '.') < b.n;
    int n = 0;
    if (divide && view_eq(a, b))
        n = snprintf(out, UNIT_TEXT, "1");
    else if (b_one)
        n = snprintf(out, UNIT_TEXT, "%.*s", VIEW_ARG(a));
    else if (a_one && !divide)
        n = snprintf(out, UNIT_TEXT, "%.*s", VIEW_ARG(b));
    else
        n = snprintf(out, UNIT_TEXT, compound ? "%.*s%s(%.*s)" : "%.*s%s%.*s", VIEW_ARG(a),
                     divide ? "/" : ".", VIEW_ARG(b));
    *ret = view_make(out, n > 0 ? (size_t)n : 0);
    return n > 0 && n < UNIT_TEXT;
}
