#include "fhir/path/machine.h"

/* ---- outcomes ---- */

bool
machine_fail(struct machine *m, const char *expected, const char *found)
{
    if (m->outcome == E_OK)
        m->outcome = fault_set(m->fault, E_FHIRPATH_FAILED, "", expected, found);
    return false;
}

bool
machine_full(struct machine *m)
{
    if (m->outcome == E_OK)
        m->outcome =
            fault_set(m->fault, E_TOO_LARGE, "", "an evaluation that fits the memory", "a larger one");
    return false;
}

bool
machine_step(struct machine *m, uint64_t n)
{
    if (*m->steps >= n) {
        *m->steps -= n;
        return true;
    }
    *m->steps = 0;
    if (m->outcome == E_OK)
        m->outcome = fault_set(m->fault, E_FHIRPATH_LIMIT, "", "an expression that is judged in bounded time",
                               "one that takes longer");
    return false;
}

/* ---- memory ---- */

void *
machine_alloc(struct machine *m, size_t n)
{
    n = (n + 15) / 16 * 16;
    if (!m->keep && sizeof m->scratch - m->scratch_used >= n) {
        void *p = m->scratch + m->scratch_used;
        m->scratch_used += n;
        return p;
    }
    void *p = arena_alloc(m->focus->mem, n);
    if (p == NULL)
        (void)machine_full(m);
    return p;
}

/* Moves a stack to a block twice as large. */
void *
machine_grow(struct machine *m, const void *old, uint32_t *room, size_t size)
{
    void *p = *room < UINT32_MAX / 4 ? arena_array(m->focus->mem, (size_t)*room * 2, size) : NULL;
    if (p == NULL) {
        (void)machine_full(m);
        return NULL;
    }
    memcpy(p, old, *room * size);
    *room *= 2;
    return p;
}

bool
machine_push(struct machine *m, struct fhirpath_value v)
{
    if (m->n == m->room) {
        void *values = machine_grow(m, m->values, &m->room, sizeof *m->values);
        if (values == NULL)
            return false;
        m->values = values;
    }
    m->values[m->n++] = v;
    return true;
}

bool
machine_mark(struct machine *m)
{
    if (m->n_marks == m->marks_room) {
        void *marks = machine_grow(m, m->marks, &m->marks_room, sizeof *m->marks);
        if (marks == NULL)
            return false;
        m->marks = marks;
    }
    m->marks[m->n_marks++] = m->n;
    return true;
}

/* ---- the stack ---- */

struct items
machine_operand(const struct machine *m, uint32_t depth)
{
    uint32_t at = m->n_marks - 1 - depth;
    return (struct items){m->marks[at], depth == 0 ? m->n : m->marks[at + 1]};
}

bool
machine_give(struct machine *m, uint32_t taken, uint32_t from)
{
    uint32_t to = m->marks[m->n_marks - taken], count = m->n - from;
    memmove(m->values + to, m->values + from, count * sizeof *m->values);
    m->n = to + count;
    m->n_marks -= taken - 1;
    return true;
}

bool
machine_give_nothing(struct machine *m, uint32_t taken)
{
    return machine_give(m, taken, m->n);
}

bool
machine_give_value(struct machine *m, uint32_t taken, struct fhirpath_value v)
{
    m->n = m->marks[m->n_marks - taken];
    m->n_marks -= taken - 1;
    return machine_push(m, v);
}

bool
machine_give_truth(struct machine *m, uint32_t taken, bool truth)
{
    struct fhirpath_value v = system_value(FHIRPATH_BOOLEAN);
    v.truth = truth;
    return machine_give_value(m, taken, v);
}

bool
machine_give_integer(struct machine *m, uint32_t taken, int64_t n)
{
    struct fhirpath_value v = system_value(FHIRPATH_INTEGER);
    v.integer = n;
    return machine_give_value(m, taken, v);
}

bool
machine_give_text(struct machine *m, uint32_t taken, view text)
{
    struct fhirpath_value v = system_value(FHIRPATH_STRING);
    v.text = text;
    return machine_give_value(m, taken, v);
}

bool
machine_give_number(struct machine *m, uint32_t taken, struct number n)
{
    struct fhirpath_value v = system_value(FHIRPATH_DECIMAL);
    struct number *box = machine_alloc(m, sizeof *box);
    if (box == NULL)
        return false;
    *box = n;
    v.decimal = box;
    return machine_give_value(m, taken, v);
}

bool
machine_give_moment(struct machine *m, uint32_t taken, enum fhirpath_kind kind, const struct moment *moment)
{
    struct fhirpath_value v = system_value(kind);
    struct moment *box = machine_alloc(m, sizeof *box);
    if (box == NULL)
        return false;
    *box = *moment;
    v.moment = box;
    return machine_give_value(m, taken, v);
}

bool
machine_give_quantity(struct machine *m, uint32_t taken, const struct quantity *q)
{
    struct fhirpath_value v = system_value(FHIRPATH_QUANTITY);
    struct quantity *box = machine_alloc(m, sizeof *box);
    if (box == NULL)
        return false;
    *box = *q;
    v.quantity = box;
    return machine_give_value(m, taken, v);
}
