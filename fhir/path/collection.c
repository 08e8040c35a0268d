#include "fhir/path/machine.h"

/* Functions of collections: existence, parts, sets. */

bool
fn_empty(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return machine_give_truth(m, 1, s.from == s.to);
}

bool
fn_exists(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return machine_give_truth(m, 1, s.from < s.to);
}

bool
fn_not(struct machine *m, uint32_t n_args)
{
    enum truth t = one_truth(m, machine_operand(m, n_args));
    if (t == TRUTH_FAULT)
        return false;
    return t == TRUTH_EMPTY ? machine_give_nothing(m, 1) : machine_give_truth(m, 1, t == TRUTH_FALSE);
}

bool
fn_count(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return machine_give_integer(m, 1, s.to - s.from);
}

/* Whether all (or any) of the items are the wanted truth. */
static bool
give_all(struct machine *m, uint32_t n_args, bool wanted, bool all)
{
    struct items s = machine_operand(m, n_args);
    bool found = false;
    if (!machine_step(m, s.to - s.from))
        return false;
    for (uint32_t i = s.from; i < s.to; i++) {
        bool truth = false;
        if (!value_truth(m, &m->values[i], &truth))
            return machine_fail(m, "booleans", "another type");
        found = found || (truth == wanted) != all;
    }
    return machine_give_truth(m, 1, found != all);
}

bool
fn_all_true(struct machine *m, uint32_t n_args)
{
    return give_all(m, n_args, true, true);
}

bool
fn_any_true(struct machine *m, uint32_t n_args)
{
    return give_all(m, n_args, true, false);
}

bool
fn_all_false(struct machine *m, uint32_t n_args)
{
    return give_all(m, n_args, false, true);
}

bool
fn_any_false(struct machine *m, uint32_t n_args)
{
    return give_all(m, n_args, false, false);
}

/* ---- parts ---- */

static bool
give_part(struct machine *m, uint32_t taken, uint32_t from, uint32_t to)
{
    m->n = to;
    return machine_give(m, taken, from);
}

bool
fn_single(struct machine *m, uint32_t n_args)
{
    struct fhirpath_value v;
    return one_value(m, machine_operand(m, n_args), &v) != GOT_FAULT;
}

bool
fn_first(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return give_part(m, 1, s.from, s.from < s.to ? s.from + 1 : s.to);
}

bool
fn_last(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return give_part(m, 1, s.from < s.to ? s.to - 1 : s.to, s.to);
}

bool
fn_tail(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return give_part(m, 1, s.from < s.to ? s.from + 1 : s.to, s.to);
}

/* skip() and take(): so many items from the front. */
static bool
give_cut(struct machine *m, bool keep)
{
    struct items s = machine_operand(m, 1);
    int64_t n = 0, length = s.to - s.from;
    enum got got = one_integer(m, machine_operand(m, 0), &n);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, 2);
    n = n < 0 ? 0 : n > length ? length : n;
    uint32_t at = s.from + (uint32_t)n;
    return keep ? give_part(m, 2, s.from, at) : give_part(m, 2, at, s.to);
}

bool
fn_skip(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_cut(m, false);
}

bool
fn_take(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_cut(m, true);
}

/* ---- sets ---- */

/* The two collections as one. */
bool
fn_combine(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    m->n_marks--;
    return true;
}

bool
fn_union(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    m->n_marks--;
    return set_distinct(m, m->marks[m->n_marks - 1]);
}

bool
fn_distinct(struct machine *m, uint32_t n_args)
{
    return set_distinct(m, machine_operand(m, n_args).from);
}

bool
fn_is_distinct(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return set_distinct(m, s.from) && machine_give_truth(m, 1, m->n == s.to);
}

static struct set *
set_of(struct machine *m, struct items s)
{
    struct set *set = set_new(m, s.to - s.from);
    for (uint32_t i = s.from; set != NULL && i < s.to; i++) {
        bool is_new = false;
        if (!set_add(m, set, &m->values[i], &is_new))
            return NULL;
    }
    return set;
}

/* The items of the receiver that are (or are not) among the argument's. */
static bool
give_those_in(struct machine *m, bool wanted)
{
    struct items s = machine_operand(m, 1);
    uint32_t kept = s.from;
    struct set *other = set_of(m, machine_operand(m, 0));
    if (other == NULL)
        return false;
    for (uint32_t i = s.from; i < s.to; i++) {
        bool has = false;
        if (!set_has(m, other, &m->values[i], &has))
            return false;
        if (has == wanted)
            m->values[kept++] = m->values[i];
    }
    return give_part(m, 2, s.from, kept);
}

bool
fn_intersect(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_those_in(m, true) && set_distinct(m, machine_operand(m, 0).from);
}

bool
fn_exclude(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_those_in(m, false);
}

static bool
give_subset(struct machine *m, struct items part, struct items whole)
{
    struct set *set = set_of(m, whole);
    bool all = true;
    for (uint32_t i = part.from; set != NULL && all && i < part.to; i++)
        if (!set_has(m, set, &m->values[i], &all))
            return false;
    return set != NULL && machine_give_truth(m, 2, all);
}

bool
fn_subset_of(struct machine *m, uint32_t n_args)
{
    return give_subset(m, machine_operand(m, n_args), machine_operand(m, 0));
}

bool
fn_superset_of(struct machine *m, uint32_t n_args)
{
    return give_subset(m, machine_operand(m, 0), machine_operand(m, n_args));
}

/* ---- order ---- */

/* Merges the sorted runs [from, middle) and [middle, to) of places into spare, by the keys that they name. */
static bool
merge(struct machine *m, uint32_t keys, const uint32_t *places, uint32_t *spare, const uint32_t at[3])
{
    uint32_t i = at[0], j = at[1];
    for (uint32_t out = at[0]; out < at[2]; out++) {
        int order = 0;
        if (i < at[1] && j < at[2]) {
            enum truth t =
                values_order(m, &m->values[keys + places[i]], &m->values[keys + places[j]], &order);
            if (t == TRUTH_FAULT)
                return false;
        } else {
            order = i < at[1] ? -1 : 1;
        }
        spare[out] = order <= 0 ? places[i++] : places[j++];
    }
    return true;
}

/* Without an argument by the items themselves.  After a loop the keys stand behind the items (see LOOP_SORT in run.c). */
bool
fn_sort(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, 0);
    uint32_t n = n_args == 0 ? s.to - s.from : (s.to - s.from) / 2, keys = n_args == 0 ? s.from : s.from + n;
    uint32_t *places = machine_alloc(m, (n + 1) * sizeof *places),
             *spare = machine_alloc(m, (n + 1) * sizeof *spare);
    struct fhirpath_value *sorted = machine_alloc(m, (n + 1) * sizeof *sorted);
    if (places == NULL || spare == NULL || sorted == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++)
        places[i] = i;
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t from = 0; from < n; from += 2 * width) {
            uint32_t middle = from + width < n ? from + width : n,
                     to = middle + width < n ? middle + width : n;
            if (!merge(m, keys, places, spare, (const uint32_t[3]){from, middle, to}))
                return false;
        }
        uint32_t *swap = places;
        places = spare;
        spare = swap;
    }
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = m->values[s.from + places[i]];
    memcpy(m->values + s.from, sorted, n * sizeof *sorted);
    m->n = s.from + n;
    return true;
}

bool
fn_trace(struct machine *m, uint32_t n_args)
{
    return n_args == 0 ||
           give_part(m, n_args + 1, machine_operand(m, n_args).from, machine_operand(m, n_args).to);
}
