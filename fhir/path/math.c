#include "fhir/path/machine.h"

#include "base/jcs.h"

#include <math.h>

/* ---- operators ---- */

static bool
give_whole_or_number(struct machine *m, uint32_t taken, struct number n, bool whole)
{
    int64_t integer = 0;
    if (whole && number_to_whole(n, &integer))
        return machine_give_integer(m, taken, integer);
    return whole ? machine_give_nothing(m, taken) : machine_give_number(m, taken, n);
}

static bool
is_whole(const struct machine *m, const struct fhirpath_value *v)
{
    return value_system_kind(m, v) == FHIRPATH_INTEGER;
}

/* Two numbers; a result that has too many digits, or none, is empty. */
static bool
run_numbers(struct machine *m, enum code_op op, struct number a, struct number b, bool whole)
{
    struct number n = {0};
    int64_t integer = 0;
    switch (op) {
    case OP_MULTIPLY:
        if (!number_multiply(a, b, &n))
            return machine_give_nothing(m, 2);
        return give_whole_or_number(m, 2, n, whole);
    case OP_DIVIDE:
        return number_divide(a, b, &n) ? machine_give_number(m, 2, n) : machine_give_nothing(m, 2);
    case OP_DIVIDE_WHOLE:
        return number_divide_whole(a, b, &integer) ? machine_give_integer(m, 2, integer)
                                                   : machine_give_nothing(m, 2);
    case OP_REMAINDER:
        if (!number_remainder(a, b, &n))
            return machine_give_nothing(m, 2);
        return give_whole_or_number(m, 2, n, whole);
    default:
        if (!number_add(a, op == OP_SUBTRACT ? number_negate(b) : b, &n))
            return machine_give_nothing(m, 2);
        return give_whole_or_number(m, 2, n, whole);
    }
}

static bool
run_quantities(struct machine *m, enum code_op op, const struct quantity *a, const struct quantity *b)
{
    struct quantity q = {.unit = a->unit, .calendar = a->calendar};
    struct number other;
    char unit[UNIT_TEXT];
    if (op == OP_ADD || op == OP_SUBTRACT) {
        if (!quantity_convert(b, a->unit, a->calendar, &other) ||
            !number_add(a->value, op == OP_SUBTRACT ? number_negate(other) : other, &q.value))
            return machine_give_nothing(m, 2);
        return machine_give_quantity(m, 2, &q);
    }
    if (op != OP_MULTIPLY && op != OP_DIVIDE)
        return machine_fail(m, "numbers for div and mod", "quantities");
    bool divide = op == OP_DIVIDE;
    view joined;
    if (!unit_join(a->unit, b->unit, divide, unit, &joined) ||
        !(divide ? number_divide(a->value, b->value, &q.value)
                 : number_multiply(a->value, b->value, &q.value)))
        return machine_give_nothing(m, 2);
    char *copy = machine_alloc(m, joined.n + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, joined.p, joined.n);
    q.unit = view_make(copy, joined.n);
    q.calendar = q.calendar && view_eq(b->unit, V("1"));
    return machine_give_quantity(m, 2, &q);
}

/* The unit of a span of time: a word, or a code of what has one length. */
static enum moment_unit
span_unit(const struct quantity *q)
{
    static const struct {
        const char *code;
        uint8_t unit;
    } codes[] = {{"wk", UNIT_WEEK},    {"d", UNIT_DAY},    {"h", UNIT_HOUR},
                 {"min", UNIT_MINUTE}, {"s", UNIT_SECOND}, {"ms", UNIT_MILLISECOND}};
    if (q->calendar)
        return moment_unit_of(q->unit);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (view_eq(q->unit, view_of(codes[i].code)))
            return (enum moment_unit)codes[i].unit;
    return UNIT_NONE;
}

static bool
run_moment(struct machine *m, enum code_op op, const struct fhirpath_value *a, const struct fhirpath_value *b)
{
    struct moment moment;
    struct quantity q;
    enum fhirpath_kind kind = value_system_kind(m, a);
    bool adds = op == OP_ADD || op == OP_SUBTRACT;
    if (!adds || value_system_kind(m, b) != FHIRPATH_QUANTITY)
        return machine_fail(m, "a span of time added to a date or time", "another operand");
    if (!value_moment(m, a, &moment) || !value_quantity(m, b, &q))
        return machine_give_nothing(m, 2);
    enum moment_unit unit = span_unit(&q);
    if (unit == UNIT_NONE)
        return machine_fail(m, "a unit of time of one length, or a word of the calendar", "another unit");
    if (!moment_add(&moment, kind == FHIRPATH_TIME, op == OP_SUBTRACT ? number_negate(q.value) : q.value,
                    unit))
        return machine_give_nothing(m, 2);
    return machine_give_moment(m, 2, kind, &moment);
}

static bool
join(struct machine *m, view a, view b)
{
    char *out = machine_alloc(m, a.n + b.n + 1);
    if (out == NULL || !machine_step(m, (a.n + b.n) / 64))
        return false;
    if (a.n > 0)
        memcpy(out, a.p, a.n);
    if (b.n > 0)
        memcpy(out + a.n, b.p, b.n);
    return machine_give_text(m, 2, view_make(out, a.n + b.n));
}

static bool
is_of_numbers(enum fhirpath_kind kind)
{
    return kind == FHIRPATH_INTEGER || kind == FHIRPATH_DECIMAL;
}

bool
run_arithmetic(struct machine *m, enum code_op op)
{
    struct fhirpath_value a, b;
    struct number one, other;
    struct quantity left, right;
    enum got x = one_value(m, machine_operand(m, 1), &a), y = one_value(m, machine_operand(m, 0), &b);
    if (x == GOT_FAULT || y == GOT_FAULT)
        return false;
    if (x == GOT_NOTHING || y == GOT_NOTHING)
        return machine_give_nothing(m, 2);
    enum fhirpath_kind from = value_system_kind(m, &a), to = value_system_kind(m, &b);
    if (is_of_numbers(from) && is_of_numbers(to)) {
        if (!value_number(m, &a, &one) || !value_number(m, &b, &other))
            return machine_give_nothing(m, 2);
        return run_numbers(m, op, one, other, is_whole(m, &a) && is_whole(m, &b));
    }
    if (from >= FHIRPATH_DATE && from <= FHIRPATH_TIME)
        return run_moment(m, op, &a, &b);
    bool quantities =
        (from == FHIRPATH_QUANTITY || is_of_numbers(from)) && (to == FHIRPATH_QUANTITY || is_of_numbers(to));
    if (quantities)
        return value_quantity(m, &a, &left) && value_quantity(m, &b, &right)
                   ? run_quantities(m, op, &left, &right)
                   : machine_give_nothing(m, 2);
    if (op == OP_ADD && from == FHIRPATH_STRING && to == FHIRPATH_STRING)
        return join(m, value_text(m, &a), value_text(m, &b));
    return machine_fail(m, "operands that go together", "others");
}

/* a & b: an empty operand counts as an empty text. */
bool
run_join_text(struct machine *m)
{
    view a = V(""), b = V("");
    enum got x = one_text(m, machine_operand(m, 1), &a), y = one_text(m, machine_operand(m, 0), &b);
    return x != GOT_FAULT && y != GOT_FAULT && join(m, a, b);
}

bool
run_sign(struct machine *m, bool negative)
{
    struct fhirpath_value v;
    struct number n;
    enum got got = one_value(m, machine_operand(m, 0), &v);
    if (got != GOT_ONE)
        return got == GOT_NOTHING;
    if (v.kind == FHIRPATH_QUANTITY) {
        struct quantity q = *v.quantity;
        if (negative)
            q.value = number_negate(q.value);
        return machine_give_quantity(m, 1, &q);
    }
    if (!value_number(m, &v, &n))
        return machine_fail(m, "a number behind a sign", "another type");
    return give_whole_or_number(m, 1, negative ? number_negate(n) : n, is_whole(m, &v));
}

/* ---- functions ---- */

static bool
round_to(struct machine *m, uint32_t n_args, uint8_t places, enum number_rounding how)
{
    struct number n;
    enum got got = one_number(m, machine_operand(m, n_args), &n);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, n_args + 1);
    n = number_round(n, places, how);
    return places == 0 ? give_whole_or_number(m, n_args + 1, number_round(n, 0, how), true)
                       : machine_give_number(m, n_args + 1, n);
}

bool
fn_ceiling(struct machine *m, uint32_t n_args)
{
    return round_to(m, n_args, 0, ROUND_UP);
}

bool
fn_floor(struct machine *m, uint32_t n_args)
{
    return round_to(m, n_args, 0, ROUND_DOWN);
}

bool
fn_truncate(struct machine *m, uint32_t n_args)
{
    return round_to(m, n_args, 0, ROUND_TO_ZERO);
}

bool
fn_round(struct machine *m, uint32_t n_args)
{
    int64_t places = 0;
    enum got got = n_args > 0 ? one_integer(m, machine_operand(m, 0), &places) : GOT_ONE;
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, n_args + 1);
    if (places < 0)
        return machine_fail(m, "a number of places", "a negative one");
    return round_to(m, n_args, places > NUMBER_PLACES ? NUMBER_PLACES : (uint8_t)places, ROUND_HALF);
}

bool
fn_abs(struct machine *m, uint32_t n_args)
{
    struct fhirpath_value v;
    struct quantity q;
    enum got got = one_value(m, machine_operand(m, n_args), &v);
    if (got != GOT_ONE)
        return got == GOT_NOTHING;
    if (!value_quantity(m, &v, &q))
        return machine_fail(m, "a number", "another type");
    if (q.value.units < 0)
        q.value = number_negate(q.value);
    if (value_system_kind(m, &v) == FHIRPATH_QUANTITY)
        return machine_give_quantity(m, 1, &q);
    return give_whole_or_number(m, 1, q.value, is_whole(m, &v));
}

/* What has no exact value goes through doubles, to 15 digits. */
static bool
give_double(struct machine *m, uint32_t taken, double d)
{
    char out[40];
    struct number n;
    if (!isfinite(d) || fabs(d) > 1e30 || !number_parse(jcs_number(d, out), &n))
        return machine_give_nothing(m, taken);
    int digits = d == 0 ? 1 : (int)floor(log10(fabs(d))) + 1;
    int places = 15 - digits < 0 ? 0 : 15 - digits > NUMBER_PLACES ? NUMBER_PLACES : 15 - digits;
    return machine_give_number(m, taken, number_trim(number_round(n, (uint8_t)places, ROUND_HALF)));
}

static bool
double_of(struct number n, double *ret)
{
    char out[NUMBER_TEXT];
    return jcs_double(number_print(n, out), ret);
}

static bool
give_function(struct machine *m, uint32_t n_args, double (*fn)(double))
{
    struct number n;
    double d = 0;
    enum got got = one_number(m, machine_operand(m, n_args), &n);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING || !double_of(n, &d))
        return machine_give_nothing(m, 1);
    return give_double(m, 1, fn(d));
}

bool
fn_exp(struct machine *m, uint32_t n_args)
{
    return give_function(m, n_args, exp);
}

bool
fn_ln(struct machine *m, uint32_t n_args)
{
    return give_function(m, n_args, log);
}

bool
fn_sqrt(struct machine *m, uint32_t n_args)
{
    return give_function(m, n_args, sqrt);
}

/* The receiver and the argument as numbers; GOT_NOTHING when either is empty. */
static enum got
two_numbers(struct machine *m, struct number *a, struct number *b)
{
    enum got x = one_number(m, machine_operand(m, 1), a), y = one_number(m, machine_operand(m, 0), b);
    if (x == GOT_FAULT || y == GOT_FAULT)
        return GOT_FAULT;
    return x == GOT_ONE && y == GOT_ONE ? GOT_ONE : GOT_NOTHING;
}

bool
fn_log(struct machine *m, uint32_t n_args)
{
    struct number a, b;
    double x = 0, base = 0;
    enum got got = two_numbers(m, &a, &b);
    if (got != GOT_ONE || !double_of(a, &x) || !double_of(b, &base))
        return got != GOT_FAULT && machine_give_nothing(m, n_args + 1);
    return give_double(m, n_args + 1, log(x) / log(base));
}

/* A whole exponent is multiplied out. */
static bool
power_of(struct number base, int64_t exponent, struct number *ret)
{
    struct number n = number_of(1);
    for (int64_t i = 0; i < exponent; i++)
        if (!number_multiply(n, base, &n))
            return false;
    *ret = n;
    return true;
}

bool
fn_power(struct machine *m, uint32_t n_args)
{
    struct number a, b, n;
    struct fhirpath_value v;
    double x = 0, y = 0;
    int64_t exponent = 0;
    enum got got = two_numbers(m, &a, &b);
    if (got != GOT_ONE)
        return got == GOT_NOTHING && machine_give_nothing(m, n_args + 1);
    bool whole = one_value(m, machine_operand(m, 1), &v) == GOT_ONE && is_whole(m, &v);
    if (number_to_whole(b, &exponent) && exponent >= 0 && exponent <= 128 && power_of(a, exponent, &n))
        return give_whole_or_number(m, n_args + 1, n, whole);
    if (!double_of(a, &x) || !double_of(b, &y))
        return machine_give_nothing(m, n_args + 1);
    return give_double(m, n_args + 1, pow(x, y));
}

/* ---- boundaries ---- */

static bool
bound_number(struct machine *m, uint32_t n_args, struct number n, int64_t places, bool high)
{
    struct number half = {5, (uint8_t)(n.scale + 1)}, bound;
    if (places < 0 || places > NUMBER_PLACES || n.scale + 1 > NUMBER_PLACES ||
        !number_add(n, high ? half : number_negate(half), &bound))
        return machine_give_nothing(m, n_args + 1);
    bound = number_round(bound, (uint8_t)places,
                         places > n.scale ? ROUND_HALF
                         : high           ? ROUND_UP
                                          : ROUND_DOWN);
    if (!number_widen(bound, (uint8_t)places, &bound))
        return machine_give_nothing(m, n_args + 1);
    return machine_give_number(m, n_args + 1, bound);
}

/* FHIRPath counts a precision in digits: 4 6 8 for dates, on to 10 12 14 17 for times; 2 4 6 9 for times of day. */
static enum moment_precision
precision_of(int64_t digits, bool is_time)
{
    static const uint8_t date[] = {4, 6, 8, 10, 12, 14, 17}, time[] = {2, 4, 6, 9};
    for (unsigned i = 0; i < (is_time ? 4U : 7U); i++)
        if ((is_time ? time[i] : date[i]) == digits)
            return (enum moment_precision)((is_time ? MOMENT_HOUR : MOMENT_YEAR) + i);
    return (enum moment_precision)0;
}

static int64_t
digits_of(uint8_t precision, bool is_time)
{
    static const uint8_t date[] = {0, 4, 6, 8, 10, 12, 14, 17}, time[] = {0, 0, 0, 0, 2, 4, 6, 9};
    return is_time ? time[precision] : date[precision];
}

static bool
bound_moment(struct machine *m, uint32_t n_args, enum fhirpath_kind kind, const struct moment *at,
             int64_t digits, bool high)
{
    enum moment_precision p = precision_of(digits, kind == FHIRPATH_TIME);
    if (p == 0 || (kind == FHIRPATH_DATE && p > MOMENT_DAY))
        return machine_give_nothing(m, n_args + 1);
    struct moment bound = moment_bound(at, p, high, kind == FHIRPATH_DATETIME);
    return machine_give_moment(m, n_args + 1, kind, &bound);
}

static bool
give_bound(struct machine *m, uint32_t n_args, bool high)
{
    struct fhirpath_value v;
    struct number n;
    struct moment at;
    int64_t digits = -1;
    enum got got = one_value(m, machine_operand(m, n_args), &v);
    enum got asked = n_args > 0 ? one_integer(m, machine_operand(m, 0), &digits) : GOT_NOTHING;
    if (got == GOT_FAULT || asked == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, n_args + 1);
    enum fhirpath_kind kind = value_system_kind(m, &v);
    if (value_number(m, &v, &n))
        return bound_number(m, n_args, n, asked == GOT_ONE ? digits : 8, high);
    if (!value_moment(m, &v, &at))
        return machine_give_nothing(m, n_args + 1);
    int64_t most = kind == FHIRPATH_DATE ? 8 : kind == FHIRPATH_DATETIME ? 17 : 9;
    return bound_moment(m, n_args, kind, &at, asked == GOT_ONE ? digits : most, high);
}

bool
fn_low_boundary(struct machine *m, uint32_t n_args)
{
    return give_bound(m, n_args, false);
}

bool
fn_high_boundary(struct machine *m, uint32_t n_args)
{
    return give_bound(m, n_args, true);
}

bool
fn_precision(struct machine *m, uint32_t n_args)
{
    struct fhirpath_value v;
    struct number n;
    struct moment at;
    enum got got = one_value(m, machine_operand(m, n_args), &v);
    if (got != GOT_ONE)
        return got == GOT_NOTHING;
    if (value_number(m, &v, &n))
        return machine_give_integer(m, 1, n.scale);
    if (!value_moment(m, &v, &at))
        return machine_give_nothing(m, 1);
    return machine_give_integer(m, 1, digits_of(at.precision, value_system_kind(m, &v) == FHIRPATH_TIME));
}
