#include "fhir/path/machine.h"

#include "fhir/hash.h"
#include "fhir/tree_walk.h"

/* Open addressing over a list of values.  Values that are equal have equal hashes, but for a value of the document
 * beside a literal of another type, which are equal by their text alone. */
struct set {
    struct fhirpath_value *values;
    uint64_t *hashes;
    uint32_t *slots; /* place in values, from 1; 0: free */
    uint32_t n, room, mask;
};

static uint64_t
hash_number_value(struct number n)
{
    n = number_trim(n);
    return hash_number(hash_number(n.scale, (uint64_t)n.units), (uint64_t)(n.units >> 64));
}

/* A sum over the leaves: the order of members must not count. */
static uint64_t
hash_nodes(struct machine *m, const struct node *n)
{
    uint32_t end = node_end(m->tree, n);
    uint64_t sum = 0;
    struct number number;
    for (uint32_t i = node_index(m->tree, n); i < end; i++) {
        const struct node *leaf = &m->tree->nodes[i];
        if (leaf->kind >= NODE_ARRAY)
            continue;
        view text = node_text(m->tree, leaf);
        uint64_t value = leaf->kind == NODE_NUMBER && number_parse(text, &number)
                             ? hash_number_value(number)
                             : hash_view(leaf->kind, text);
        sum += i == node_index(m->tree, n) ? value : hash_view(value, node_name(m->tree, leaf));
    }
    return sum;
}

/* Equal moments may be stated with different offsets; what they have in common is hard to say, so the year has to do:
 * a list of dates of one year is compared one by one. */
static uint64_t
hash_value(struct machine *m, const struct fhirpath_value *v)
{
    enum fhirpath_kind kind = value_system_kind(m, v);
    struct number n;
    bool truth = false;
    if (kind == FHIRPATH_NODE) {
        uint32_t index = v->node != FHIRPATH_NO_NODE ? v->node : v->companion;
        return index == FHIRPATH_NO_NODE ? 1 : hash_nodes(m, &m->tree->nodes[index]);
    }
    if (value_number(m, v, &n))
        return hash_number_value(n);
    if (value_truth(m, v, &truth))
        return truth ? 2 : 3;
    if (kind == FHIRPATH_STRING || kind == FHIRPATH_TYPE)
        return hash_view(4, value_text(m, v));
    return kind == FHIRPATH_QUANTITY ? 5 : 6;
}

static bool
set_room(struct machine *m, struct set *s, uint32_t room)
{
    uint32_t slots = 16;
    while (slots < room * 2)
        slots *= 2;
    struct set old = *s;
    s->values = machine_alloc(m, room * sizeof *s->values);
    s->hashes = machine_alloc(m, room * sizeof *s->hashes);
    s->slots = machine_alloc(m, slots * sizeof *s->slots);
    if (s->values == NULL || s->hashes == NULL || s->slots == NULL)
        return false;
    memset(s->slots, 0, slots * sizeof *s->slots);
    s->room = room;
    s->mask = slots - 1;
    if (old.n > 0) {
        memcpy(s->values, old.values, old.n * sizeof *s->values);
        memcpy(s->hashes, old.hashes, old.n * sizeof *s->hashes);
    }
    for (uint32_t i = 0; i < old.n; i++) {
        uint32_t at = (uint32_t)s->hashes[i] & s->mask;
        while (s->slots[at] != 0)
            at = (at + 1) & s->mask;
        s->slots[at] = i + 1;
    }
    return true;
}

struct set *
set_new(struct machine *m, uint32_t room)
{
    struct set *s = machine_alloc(m, sizeof *s);
    hash_start();
    if (s == NULL)
        return NULL;
    *s = (struct set){0};
    return set_room(m, s, room < 8 ? 8 : room) ? s : NULL;
}

/* The slot of an equal value, or a free one. */
static bool
find(struct machine *m, const struct set *s, const struct fhirpath_value *v, uint64_t hash,
     uint32_t *ret_slot)
{
    uint32_t at = (uint32_t)hash & s->mask;
    for (; s->slots[at] != 0; at = (at + 1) & s->mask) {
        uint32_t i = s->slots[at] - 1;
        enum truth t = TRUTH_FALSE;
        if (!machine_step(m, 1))
            return false;
        if (s->hashes[i] == hash)
            t = values_equal(m, v, &s->values[i]);
        if (t == TRUTH_FAULT)
            return false;
        if (t == TRUTH_TRUE)
            break;
    }
    *ret_slot = at;
    return true;
}

bool
set_has(struct machine *m, struct set *s, const struct fhirpath_value *v, bool *ret)
{
    uint32_t slot = 0;
    if (!find(m, s, v, hash_value(m, v), &slot))
        return false;
    *ret = s->slots[slot] != 0;
    return true;
}

bool
set_add(struct machine *m, struct set *s, const struct fhirpath_value *v, bool *ret_new)
{
    uint64_t hash = hash_value(m, v);
    uint32_t slot = 0;
    if (m->outcome != E_OK || !find(m, s, v, hash, &slot))
        return false;
    *ret_new = s->slots[slot] == 0;
    if (!*ret_new)
        return true;
    if (s->n == s->room) {
        if (!set_room(m, s, s->room * 2) || !find(m, s, v, hash, &slot))
            return false;
    }
    s->values[s->n] = *v;
    s->hashes[s->n] = hash;
    s->slots[slot] = ++s->n;
    return true;
}

#define FEW 8

/* Few values are compared with each other. */
static bool
distinct_few(struct machine *m, uint32_t from)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < m->n; i++) {
        bool twice = false;
        for (uint32_t j = from; j < kept && !twice; j++) {
            enum truth t = values_equal(m, &m->values[i], &m->values[j]);
            if (t == TRUTH_FAULT)
                return false;
            twice = t == TRUTH_TRUE;
        }
        if (!twice)
            m->values[kept++] = m->values[i];
    }
    m->n = kept;
    return true;
}

bool
set_distinct(struct machine *m, uint32_t from)
{
    uint32_t kept = from;
    if (m->n - from <= FEW)
        return distinct_few(m, from);
    struct set *s = set_new(m, m->n - from);
    if (s == NULL)
        return false;
    for (uint32_t i = from; i < m->n; i++) {
        bool is_new = false;
        if (!set_add(m, s, &m->values[i], &is_new))
            return false;
        if (is_new)
            m->values[kept++] = m->values[i];
    }
    m->n = kept;
    return true;
}
