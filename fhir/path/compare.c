#include "fhir/path/machine.h"

#include "base/text.h"
#include "fhir/tree_walk.h"

/* ---- elements ---- */

static bool
same_scalar(const struct tree *t, const struct node *a, const struct node *b)
{
    struct number left, right;
    view a_text = node_text(t, a), b_text = node_text(t, b);
    if (a->kind != b->kind)
        return false;
    if (view_eq(a_text, b_text))
        return true;
    return a->kind == NODE_NUMBER && number_parse(a_text, &left) && number_parse(b_text, &right) &&
           number_compare(left, right) == 0;
}

/* Open containers of a, each with the one of b that it is compared with. */
struct pairs {
    const struct node *next[TREE_DEPTH_MAX + 1]; /* child of a that comes next */
    const struct node *other[TREE_DEPTH_MAX + 1];
    const struct node *likely[TREE_DEPTH_MAX + 1]; /* child of other at the same place */
    uint32_t depth;
};

/* The child of other that belongs to the child of a: at its place, or anywhere by name in an object. */
static const struct node *
partner(struct machine *m, const struct node *child, const struct node *other, const struct node *likely)
{
    view name = node_name(m->tree, child);
    if (other->kind == NODE_ARRAY || (likely != NULL && view_eq(node_name(m->tree, likely), name)))
        return likely;
    return machine_step(m, node_count(other)) ? node_member(m->tree, other, name) : NULL;
}

static void
open_pair(struct machine *m, struct pairs *p, const struct node *a, const struct node *b)
{
    p->next[p->depth] = node_first(m->tree, a);
    p->other[p->depth] = b;
    p->likely[p->depth] = node_first(m->tree, b);
    p->depth++;
}

/* Two nodes with all that they hold; the order of members does not count. */
static bool
same_nodes(struct machine *m, const struct node *a, const struct node *b)
{
    const struct tree *t = m->tree;
    struct pairs p = {.depth = 0};
    if (a == b)
        return true;
    if (a->kind < NODE_ARRAY || a->kind != b->kind)
        return same_scalar(t, a, b);
    if (node_end(t, a) - node_index(t, a) != node_end(t, b) - node_index(t, b))
        return false;
    open_pair(m, &p, a, b);
    while (p.depth > 0) {
        uint32_t top = p.depth - 1;
        const struct node *child = p.next[top];
        if (child == NULL) {
            p.depth--;
            continue;
        }
        const struct node *other = partner(m, child, p.other[top], p.likely[top]);
        if (other == NULL || other->kind != child->kind || !machine_step(m, 1))
            return false;
        p.next[top] = node_next(t, child);
        p.likely[top] = p.likely[top] != NULL ? node_next(t, p.likely[top]) : NULL;
        if (child->kind < NODE_ARRAY && !same_scalar(t, child, other))
            return false;
        if (child->kind < NODE_ARRAY)
            continue;
        if (node_count(child) != node_count(other) || p.depth > TREE_DEPTH_MAX)
            return false;
        open_pair(m, &p, child, other);
    }
    return true;
}

static const struct node *
whole_of(const struct machine *m, const struct fhirpath_value *v)
{
    uint32_t index = v->node != FHIRPATH_NO_NODE ? v->node : v->companion;
    return index == FHIRPATH_NO_NODE ? NULL : &m->tree->nodes[index];
}

/* ---- equality ---- */

static enum truth
truth_of(bool b)
{
    return b ? TRUTH_TRUE : TRUTH_FALSE;
}

static bool
is_number(enum fhirpath_kind kind)
{
    return kind == FHIRPATH_INTEGER || kind == FHIRPATH_DECIMAL;
}

static bool
is_moment(enum fhirpath_kind kind)
{
    return kind == FHIRPATH_DATE || kind == FHIRPATH_DATETIME;
}

static enum truth
moments_equal(const struct moment *a, const struct moment *b)
{
    enum moment_order order = moment_compare(a, b);
    return order == MOMENT_NOT_KNOWN ? TRUTH_EMPTY : truth_of(order == MOMENT_SAME);
}

static enum truth
quantities_equal(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b)
{
    struct quantity left, right;
    int order = 0;
    if (!value_quantity(m, a, &left) || !value_quantity(m, b, &right) ||
        !quantity_compare(&left, &right, &order))
        return TRUTH_EMPTY;
    return truth_of(order == 0);
}

/* Values whose kinds do not go together: a value of the document is compared as it is written. */
static enum truth
texts_equal(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b)
{
    if (a->kind != FHIRPATH_NODE && b->kind != FHIRPATH_NODE && a->kind != b->kind)
        return TRUTH_FALSE;
    view left = value_text(m, a), right = value_text(m, b);
    if (m->outcome != E_OK)
        return TRUTH_FAULT;
    return truth_of(left.p != NULL && right.p != NULL && view_eq(left, right));
}

enum truth
values_equal(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b)
{
    enum fhirpath_kind left = value_system_kind(m, a), right = value_system_kind(m, b);
    struct moment from, to;
    struct number one, other;
    bool x = false, y = false;
    if (!machine_step(m, 1))
        return TRUTH_FAULT;
    if (left == FHIRPATH_NODE || right == FHIRPATH_NODE) {
        const struct node *p = whole_of(m, a), *q = whole_of(m, b);
        bool same = left == right && p != NULL && q != NULL && same_nodes(m, p, q);
        return m->outcome == E_OK ? truth_of(same) : TRUTH_FAULT;
    }
    if (left == FHIRPATH_QUANTITY || right == FHIRPATH_QUANTITY)
        return (left == right || is_number(left) || is_number(right)) ? quantities_equal(m, a, b)
                                                                      : TRUTH_FALSE;
    if (is_number(left) && is_number(right) && value_number(m, a, &one) && value_number(m, b, &other))
        return truth_of(number_compare(one, other) == 0);
    if (left == FHIRPATH_BOOLEAN && right == left && value_truth(m, a, &x) && value_truth(m, b, &y))
        return truth_of(x == y);
    bool moments = (is_moment(left) && is_moment(right)) || (left == FHIRPATH_TIME && right == left);
    if (moments && value_moment(m, a, &from) && value_moment(m, b, &to))
        return moments_equal(&from, &to);
    return texts_equal(m, a, b);
}

/* ---- likeness ---- */

/* Lower case and single blanks. */
static bool
texts_alike(view a, view b)
{
    size_t i = 0, j = 0;
    a = view_trim(a);
    b = view_trim(b);
    while (i < a.n && j < b.n) {
        char x = a.p[i], y = b.p[j];
        bool x_blank = strchr(" \t\r\n", x) != NULL && x != '\0',
             y_blank = strchr(" \t\r\n", y) != NULL && y != '\0';
        x = x >= 'A' && x <= 'Z' ? (char)(x | 0x20) : x;
        y = y >= 'A' && y <= 'Z' ? (char)(y | 0x20) : y;
        if (x_blank != y_blank || (!x_blank && x != y))
            return false;
        for (i++; x_blank && i < a.n && strchr(" \t\r\n", a.p[i]) != NULL; i++)
            ;
        for (j++; y_blank && j < b.n && strchr(" \t\r\n", b.p[j]) != NULL; j++)
            ;
    }
    return i == a.n && j == b.n;
}

static bool
numbers_alike(struct number a, struct number b)
{
    uint8_t places = a.scale < b.scale ? a.scale : b.scale;
    return number_compare(number_round(a, places, ROUND_HALF), number_round(b, places, ROUND_HALF)) == 0;
}

static enum truth
values_alike(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b)
{
    enum fhirpath_kind left = value_system_kind(m, a), right = value_system_kind(m, b);
    struct number one, other;
    if (is_number(left) && is_number(right) && value_number(m, a, &one) && value_number(m, b, &other))
        return truth_of(numbers_alike(one, other));
    if (left == FHIRPATH_STRING && right == FHIRPATH_STRING) {
        view from = value_text(m, a), to = value_text(m, b);
        return from.p == NULL || to.p == NULL ? TRUTH_FALSE : truth_of(texts_alike(from, to));
    }
    enum truth t = values_equal(m, a, b);
    return t == TRUTH_EMPTY ? TRUTH_FALSE : t;
}

/* ---- collections ---- */

static enum truth
lists_equal(struct machine *m, struct items a, struct items b)
{
    enum truth all = TRUTH_TRUE;
    if (a.from == a.to || b.from == b.to)
        return TRUTH_EMPTY;
    if (a.to - a.from != b.to - b.from)
        return TRUTH_FALSE;
    for (uint32_t i = 0; i < a.to - a.from; i++) {
        enum truth t = values_equal(m, &m->values[a.from + i], &m->values[b.from + i]);
        if (t == TRUTH_FALSE || t == TRUTH_FAULT)
            return t;
        if (t == TRUTH_EMPTY)
            all = TRUTH_EMPTY;
    }
    return all;
}

/* Each item of a has one of b for itself; what was taken moves to the front of b. */
static enum truth
lists_alike(struct machine *m, struct items a, struct items b)
{
    if (a.to - a.from != b.to - b.from)
        return TRUTH_FALSE;
    for (uint32_t i = a.from; i < a.to; i++, b.from++) {
        uint32_t j = b.from;
        enum truth t = TRUTH_FALSE;
        for (; j < b.to && t == TRUTH_FALSE; j++) {
            if (!machine_step(m, 1))
                return TRUTH_FAULT;
            t = values_alike(m, &m->values[i], &m->values[j]);
        }
        if (t != TRUTH_TRUE)
            return t;
        struct fhirpath_value taken = m->values[j - 1];
        m->values[j - 1] = m->values[b.from];
        m->values[b.from] = taken;
    }
    return TRUTH_TRUE;
}

bool
run_equal(struct machine *m, enum code_op op)
{
    struct items a = machine_operand(m, 1), b = machine_operand(m, 0);
    bool equality = op == OP_EQUAL || op == OP_NOT_EQUAL;
    enum truth t = equality ? lists_equal(m, a, b) : lists_alike(m, a, b);
    if (t == TRUTH_FAULT || m->outcome != E_OK)
        return false;
    if (t == TRUTH_EMPTY)
        return machine_give_nothing(m, 2);
    return machine_give_truth(m, 2, (t == TRUTH_TRUE) == (op == OP_EQUAL || op == OP_ALIKE));
}

/* ---- order ---- */

static enum truth
order_of_moments(const struct moment *a, const struct moment *b, int *ret)
{
    enum moment_order order = moment_compare(a, b);
    if (order == MOMENT_NOT_KNOWN)
        return TRUTH_EMPTY;
    *ret = (int)order - (int)MOMENT_SAME;
    return TRUTH_TRUE;
}

static enum truth
order_of_quantities(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b,
                    int *ret)
{
    struct quantity left, right;
    if (!value_quantity(m, a, &left) || !value_quantity(m, b, &right))
        return TRUTH_EMPTY;
    return quantity_compare(&left, &right, ret) ? TRUTH_TRUE : TRUTH_EMPTY;
}

enum truth
values_order(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b,
             int *ret_order)
{
    enum fhirpath_kind left = value_system_kind(m, a), right = value_system_kind(m, b);
    struct number one, other;
    struct moment from, to;
    if (!machine_step(m, 1))
        return TRUTH_FAULT;
    if (is_number(left) && is_number(right) && value_number(m, a, &one) && value_number(m, b, &other)) {
        *ret_order = number_compare(one, other);
        return TRUTH_TRUE;
    }
    if ((left == FHIRPATH_QUANTITY && (right == left || is_number(right))) ||
        (right == FHIRPATH_QUANTITY && is_number(left)))
        return order_of_quantities(m, a, b, ret_order);
    bool moments = (is_moment(left) && is_moment(right)) || (left == FHIRPATH_TIME && right == left);
    if (moments)
        return value_moment(m, a, &from) && value_moment(m, b, &to) ? order_of_moments(&from, &to, ret_order)
                                                                    : TRUTH_EMPTY;
    if (left == FHIRPATH_STRING && right == FHIRPATH_STRING) {
        *ret_order = view_cmp(value_text(m, a), value_text(m, b));
        return TRUTH_TRUE;
    }
    (void)machine_fail(m, "two values that have an order", "types that do not go together");
    return TRUTH_FAULT;
}

bool
run_compare(struct machine *m, enum code_op op)
{
    struct fhirpath_value a, b;
    int order = 0;
    enum got left = one_value(m, machine_operand(m, 1), &a), right = one_value(m, machine_operand(m, 0), &b);
    if (left == GOT_FAULT || right == GOT_FAULT)
        return false;
    if (left == GOT_NOTHING || right == GOT_NOTHING)
        return machine_give_nothing(m, 2);
    enum truth t = values_order(m, &a, &b, &order);
    if (t == TRUTH_FAULT)
        return false;
    if (t == TRUTH_EMPTY)
        return machine_give_nothing(m, 2);
    bool holds = op == OP_LESS         ? order < 0
                 : op == OP_LESS_EQUAL ? order <= 0
                 : op == OP_GREATER    ? order > 0
                                       : order >= 0;
    return machine_give_truth(m, 2, holds);
}
