#include "fhir/path/machine.h"

#include "base/text.h"

#include <stdio.h>

/* ---- a value as others need it ---- */

bool
value_truth(const struct machine *m, const struct fhirpath_value *v, bool *ret)
{
    if (value_system_kind(m, v) != FHIRPATH_BOOLEAN)
        return false;
    *ret = v->kind == FHIRPATH_BOOLEAN ? v->truth : view_eq(value_node_text(m, v), V("true"));
    return true;
}

bool
value_integer(const struct machine *m, const struct fhirpath_value *v, int64_t *ret)
{
    if (value_system_kind(m, v) != FHIRPATH_INTEGER)
        return false;
    if (v->kind == FHIRPATH_NODE)
        return text_to_i64(value_node_text(m, v), ret) == E_OK;
    *ret = v->integer;
    return true;
}

bool
value_number(const struct machine *m, const struct fhirpath_value *v, struct number *ret)
{
    enum fhirpath_kind kind = value_system_kind(m, v);
    if (kind != FHIRPATH_INTEGER && kind != FHIRPATH_DECIMAL)
        return false;
    if (v->kind == FHIRPATH_NODE)
        return number_parse(value_node_text(m, v), ret);
    *ret = kind == FHIRPATH_INTEGER ? number_of(v->integer) : *v->decimal;
    return true;
}

bool
value_moment(const struct machine *m, const struct fhirpath_value *v, struct moment *ret)
{
    enum fhirpath_kind kind = value_system_kind(m, v);
    if (kind < FHIRPATH_DATE || kind > FHIRPATH_TIME)
        return false;
    if (v->kind != FHIRPATH_NODE) {
        *ret = *v->moment;
        return true;
    }
    view text = value_node_text(m, v);
    return kind == FHIRPATH_DATE       ? moment_parse_date(text, ret)
           : kind == FHIRPATH_DATETIME ? moment_parse_datetime(text, ret)
                                       : moment_parse_time(text, ret);
}

bool
value_quantity(const struct machine *m, const struct fhirpath_value *v, struct quantity *ret)
{
    if (v->kind == FHIRPATH_QUANTITY) {
        *ret = *v->quantity;
        return true;
    }
    *ret = (struct quantity){.unit = V("1")};
    if (value_system_kind(m, v) != FHIRPATH_QUANTITY)
        return value_number(m, v, &ret->value);
    const struct node *n = &m->tree->nodes[v->node];
    view code = node_text(m->tree, node_member(m->tree, n, V("code")));
    view unit = node_text(m->tree, node_member(m->tree, n, V("unit")));
    if (code.n > 0 || unit.n > 0)
        ret->unit = code.n > 0 ? code : unit;
    return number_parse(node_text(m->tree, node_member(m->tree, n, V("value"))), &ret->value);
}

static view
keep_text(struct machine *m, const char *p, size_t n)
{
    char *copy = machine_alloc(m, n + 1);
    if (copy == NULL)
        return VIEW_NONE;
    memcpy(copy, p, n);
    return (view){copy, n};
}

/* 1 week, 1.5 'mg', 3 '1' */
static view
quantity_text(struct machine *m, const struct quantity *q)
{
    char number[NUMBER_TEXT];
    view value = number_print(q->value, number);
    const char *quote = q->calendar ? "" : "'";
    char *out = machine_alloc(m, value.n + q->unit.n + 4);
    if (out == NULL)
        return VIEW_NONE;
    int n = snprintf(out, value.n + q->unit.n + 4, "%.*s %s%.*s%s", VIEW_ARG(value), quote, VIEW_ARG(q->unit),
                     quote);
    return view_make(out, (size_t)n);
}

view
value_text(struct machine *m, const struct fhirpath_value *v)
{
    char out[NUMBER_TEXT];
    view text = VIEW_NONE;
    struct quantity q;
    switch (v->kind) {
    case FHIRPATH_NODE:
        if (value_system_kind(m, v) == FHIRPATH_QUANTITY)
            return value_quantity(m, v, &q) ? quantity_text(m, &q) : VIEW_NONE;
        return value_node_text(m, v);
    case FHIRPATH_BOOLEAN:
        return v->truth ? V("true") : V("false");
    case FHIRPATH_STRING:
    case FHIRPATH_TYPE:
        return v->text;
    case FHIRPATH_INTEGER:
        text = number_print(number_of(v->integer), out);
        break;
    case FHIRPATH_DECIMAL:
        text = number_print(*v->decimal, out);
        break;
    case FHIRPATH_QUANTITY:
        return quantity_text(m, v->quantity);
    default:
        text = moment_print(v->moment, out);
        break;
    }
    return keep_text(m, text.p, text.n);
}

view
fhirpath_text(const struct fhirpath_focus *focus, const struct fhirpath_value *v, arena *mem)
{
    struct fhirpath_focus at = *focus;
    at.mem = mem;
    struct machine m = {.focus = &at, .tree = at.tree, .keep = true};
    return value_text(&m, v);
}

/* ---- collections as one value ---- */

enum got
one_value(struct machine *m, struct items s, struct fhirpath_value *ret)
{
    if (s.to - s.from > 1) {
        (void)machine_fail(m, "one item or none", "several");
        return GOT_FAULT;
    }
    if (s.to == s.from)
        return GOT_NOTHING;
    *ret = m->values[s.from];
    return GOT_ONE;
}

enum got
one_text(struct machine *m, struct items s, view *ret)
{
    struct fhirpath_value v;
    enum got got = one_value(m, s, &v);
    if (got != GOT_ONE)
        return got;
    if (v.kind == FHIRPATH_NODE && v.node == FHIRPATH_NO_NODE)
        return GOT_NOTHING;
    if (value_system_kind(m, &v) == FHIRPATH_NODE) {
        (void)machine_fail(m, "a primitive value", "a complex one");
        return GOT_FAULT;
    }
    view text = value_text(m, &v);
    if (text.p == NULL)
        return m->outcome == E_OK ? GOT_NOTHING : GOT_FAULT;
    *ret = text;
    return GOT_ONE;
}

enum got
one_integer(struct machine *m, struct items s, int64_t *ret)
{
    struct fhirpath_value v;
    enum got got = one_value(m, s, &v);
    if (got != GOT_ONE || value_integer(m, &v, ret))
        return got;
    (void)machine_fail(m, "an integer", "another type");
    return GOT_FAULT;
}

enum got
one_number(struct machine *m, struct items s, struct number *ret)
{
    struct fhirpath_value v;
    enum got got = one_value(m, s, &v);
    if (got != GOT_ONE || value_number(m, &v, ret))
        return got;
    (void)machine_fail(m, "a number", "another type");
    return GOT_FAULT;
}

enum truth
one_truth(struct machine *m, struct items s)
{
    struct fhirpath_value v;
    bool truth = true;
    enum got got = one_value(m, s, &v);
    if (got != GOT_ONE)
        return got == GOT_FAULT ? TRUTH_FAULT : TRUTH_EMPTY;
    return !value_truth(m, &v, &truth) || truth ? TRUTH_TRUE : TRUTH_FALSE;
}

/* ---- toX() and convertsToX() ---- */

struct converted {
    enum fhirpath_kind kind;
    union {
        bool truth;
        int64_t integer;
        struct number number;
        struct moment moment;
        struct quantity quantity;
        view text;
    };
};

static bool
to_boolean(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    static const char *const words[] = {"false", "f", "no",  "n", "0", "0.0",
                                        "true",  "t", "yes", "y", "1", "1.0"};
    struct number n;
    ret->kind = FHIRPATH_BOOLEAN;
    if (value_truth(m, v, &ret->truth))
        return true;
    if (value_number(m, v, &n)) {
        int zero = number_compare(n, number_of(0)), one = number_compare(n, number_of(1));
        ret->truth = one == 0;
        return zero == 0 || one == 0;
    }
    if (value_system_kind(m, v) != FHIRPATH_STRING)
        return false;
    view text = value_text(m, v);
    for (unsigned i = 0; i < 12; i++) {
        ret->truth = i >= 6;
        if (view_eq_nocase(text, view_of(words[i])))
            return true;
    }
    return false;
}

static bool
to_integer(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    bool truth = false;
    ret->kind = FHIRPATH_INTEGER;
    if (value_integer(m, v, &ret->integer))
        return true;
    if (value_truth(m, v, &truth)) {
        ret->integer = truth;
        return true;
    }
    if (value_system_kind(m, v) != FHIRPATH_STRING)
        return false;
    view text = value_text(m, v);
    if (text.n > 0 && text.p[0] == '+')
        text = view_sub(text, 1, text.n);
    return text.n > 0 && text.p[0] != '+' && text_to_i64(text, &ret->integer) == E_OK;
}

static bool
to_decimal(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    bool truth = false;
    ret->kind = FHIRPATH_DECIMAL;
    if (value_number(m, v, &ret->number))
        return true;
    if (value_truth(m, v, &truth)) {
        ret->number = truth ? (struct number){10, 1} : (struct number){0, 1};
        return true;
    }
    return value_system_kind(m, v) == FHIRPATH_STRING && number_parse(value_text(m, v), &ret->number);
}

static bool
to_string(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    ret->kind = FHIRPATH_STRING;
    if (value_system_kind(m, v) == FHIRPATH_NODE)
        return false;
    ret->text = value_text(m, v);
    return ret->text.p != NULL;
}

static bool
to_date(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    ret->kind = FHIRPATH_DATE;
    if (value_moment(m, v, &ret->moment)) {
        if (ret->moment.year == 0)
            return false;
        if (ret->moment.precision > MOMENT_DAY)
            ret->moment.precision = MOMENT_DAY;
        ret->moment.offset = MOMENT_NO_OFFSET;
        return true;
    }
    return value_system_kind(m, v) == FHIRPATH_STRING && moment_parse_date(value_text(m, v), &ret->moment);
}

static bool
to_datetime(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    ret->kind = FHIRPATH_DATETIME;
    if (value_moment(m, v, &ret->moment))
        return ret->moment.year != 0;
    return value_system_kind(m, v) == FHIRPATH_STRING &&
           moment_parse_datetime(value_text(m, v), &ret->moment);
}

static bool
to_time(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    ret->kind = FHIRPATH_TIME;
    if (value_moment(m, v, &ret->moment))
        return ret->moment.year == 0;
    return value_system_kind(m, v) == FHIRPATH_STRING && moment_parse_time(value_text(m, v), &ret->moment);
}

/* number, number word, number 'code' */
bool
parse_quantity(view text, struct quantity *ret)
{
    view rest = view_trim(text), number = view_cut(&rest, ' ', NULL);
    rest = view_trim(rest);
    if (!number_parse(number, &ret->value))
        return false;
    ret->calendar = moment_unit_of(rest) != UNIT_NONE;
    ret->unit = rest.n > 0 ? rest : V("1");
    if (rest.n == 0 || ret->calendar)
        return true;
    ret->unit = rest.n > 2 ? view_sub(rest, 1, rest.n - 2) : VIEW_NONE;
    return rest.n > 2 && rest.p[0] == '\'' && rest.p[rest.n - 1] == '\'';
}

static bool
to_quantity(struct machine *m, const struct fhirpath_value *v, struct converted *ret)
{
    bool truth = false;
    ret->kind = FHIRPATH_QUANTITY;
    if (value_quantity(m, v, &ret->quantity))
        return true;
    if (value_truth(m, v, &truth)) {
        ret->quantity = (struct quantity){.value = {truth ? 10 : 0, 1}, .unit = V("1")};
        return true;
    }
    return value_system_kind(m, v) == FHIRPATH_STRING && parse_quantity(value_text(m, v), &ret->quantity);
}

typedef bool (*converter)(struct machine *m, const struct fhirpath_value *v, struct converted *ret);

static bool
give_converted(struct machine *m, uint32_t taken, const struct converted *c)
{
    switch (c->kind) {
    case FHIRPATH_BOOLEAN:
        return machine_give_truth(m, taken, c->truth);
    case FHIRPATH_INTEGER:
        return machine_give_integer(m, taken, c->integer);
    case FHIRPATH_DECIMAL:
        return machine_give_number(m, taken, c->number);
    case FHIRPATH_STRING:
        return machine_give_text(m, taken, c->text);
    case FHIRPATH_QUANTITY:
        return machine_give_quantity(m, taken, &c->quantity);
    default:
        return machine_give_moment(m, taken, c->kind, &c->moment);
    }
}

/* toQuantity('unit') converts further. */
static bool
to_unit(struct machine *m, uint32_t n_args, struct converted *c)
{
    view unit = VIEW_NONE;
    if (n_args == 0)
        return true;
    if (one_text(m, machine_operand(m, 0), &unit) != GOT_ONE)
        return false;
    bool calendar = moment_unit_of(unit) != UNIT_NONE;
    if (!quantity_convert(&c->quantity, unit, calendar, &c->quantity.value))
        return false;
    c->quantity.unit = unit;
    c->quantity.calendar = calendar;
    return true;
}

static bool
convert(struct machine *m, uint32_t n_args, converter to, bool ask)
{
    struct fhirpath_value v;
    struct converted c = {0};
    enum got got = one_value(m, machine_operand(m, n_args), &v);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, n_args + 1);
    bool ok = to(m, &v, &c) && to_unit(m, n_args, &c);
    if (m->outcome != E_OK)
        return false;
    if (ask)
        return machine_give_truth(m, n_args + 1, ok);
    return ok ? give_converted(m, n_args + 1, &c) : machine_give_nothing(m, n_args + 1);
}

#define CONVERSION(name)                                                                                     \
    bool fn_to_##name(struct machine *m, uint32_t n_args)                                                    \
    {                                                                                                        \
        return convert(m, n_args, to_##name, false);                                                         \
    }                                                                                                        \
    bool fn_converts_to_##name(struct machine *m, uint32_t n_args)                                           \
    {                                                                                                        \
        return convert(m, n_args, to_##name, true);                                                          \
    }
CONVERSION(boolean)
CONVERSION(integer)
CONVERSION(decimal)
CONVERSION(string)
CONVERSION(date)
CONVERSION(datetime)
CONVERSION(time)
CONVERSION(quantity)
