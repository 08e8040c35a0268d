#include "store/audit_rows.h"

#include <stdlib.h>

/* -- expectations: open addressing, no deletion -- */

enum slot_state { SLOT_FREE, SLOT_EXPECTED, SLOT_SEEN };

struct slot {
    uint8_t key[JOURNAL_KEY];
    uint8_t half
        [EXPECTED_HALF]; /* of the row's digest: the whole is in the journal, whose own digest was checked */
    uint8_t table, state;
};

struct expected {
    struct slot *slots;
    uint64_t room, used;
};

struct expected *
expected_new(uint64_t n)
{
    struct expected *x = calloc(1, sizeof *x);
    if (!x)
        abort();
    x->room = n + n / 2 + 16;
    x->slots = calloc(x->room, sizeof *x->slots);
    if (!x->slots)
        abort();
    return x;
}

void
expected_free(struct expected *x)
{
    if (!x)
        return;
    free(x->slots);
    free(x);
}

/* The last bytes of an id are random; tests have counters there. */
static uint64_t
slot_hash(const struct journal_entry *e)
{
    uint64_t a, b;
    memcpy(&a, e->key, sizeof a);
    memcpy(&b, e->key + sizeof a, sizeof b);
    return ((a ^ (b * UINT64_C(0x9E3779B97F4A7C15)) ^ e->table) * UINT64_C(0xD6E8FEB86659FD93));
}

static struct slot *
slot_of(const struct expected *x, const struct journal_entry *e)
{
    uint64_t at = ((slot_hash(e) >> 32) * x->room) >> 32; /* room is below 2^32 */
    for (;; at = at + 1 == x->room ? 0 : at + 1) {
        struct slot *s = &x->slots[at];
        if (s->state == SLOT_FREE || (s->table == e->table && memcmp(s->key, e->key, sizeof s->key) == 0))
            return s;
    }
}

bool
expected_put(struct expected *x, const struct journal_entry *e)
{
    struct slot *s = slot_of(x, e);
    if (s->state == SLOT_FREE && x->used + 1 == x->room) /* one stays free, where a search ends */
        return false;
    x->used += s->state == SLOT_FREE;
    memcpy(s->key, e->key, sizeof s->key);
    memcpy(s->half, e->row.b, sizeof s->half);
    s->table = e->table;
    s->state = SLOT_EXPECTED;
    return true;
}

static bool
is_gone(const struct slot *s)
{
    static const uint8_t zero[EXPECTED_HALF];
    return memcmp(s->half, zero, sizeof zero) == 0;
}

enum expected_match
expected_see(struct expected *x, const struct journal_entry *found)
{
    struct slot *s = slot_of(x, found);
    if (s->state == SLOT_FREE || is_gone(s))
        return MATCH_UNKNOWN;
    s->state = SLOT_SEEN;
    return memcmp(s->half, found->row.b, sizeof s->half) == 0 ? MATCH_SAME : MATCH_OTHER;
}

void
expected_half(const struct expected *x, const struct journal_entry *found, uint8_t ret[EXPECTED_HALF])
{
    memcpy(ret, slot_of(x, found)->half, EXPECTED_HALF);
}

void
expected_missing(const struct expected *x,
                 void (*each)(void *self, enum row_kind kind, const uint8_t key[JOURNAL_KEY]), void *self)
{
    for (uint64_t i = 0; i < x->room; i++) {
        const struct slot *s = &x->slots[i];
        if (s->state == SLOT_EXPECTED && !is_gone(s))
            each(self, journal_kind(s->table), s->key);
    }
}

/* -- which bit -- */

/* Values up to this length are tried bit by bit. */
#define LOCATE_BYTES 2048

static const char *const classes[] = {
    [COLUMN_UID] = "id",        [COLUMN_BLIND] = "blind",     [COLUMN_DIGEST] = "digest",
    [COLUMN_INT] = "number",    [COLUMN_TIME] = "time",       [COLUMN_TEXT] = "text",
    [COLUMN_SEALED] = "sealed", [COLUMN_ADDRESS] = "address", [COLUMN_ASSIGNED] = "number",
};

static bool
gives_half(enum row_kind kind, const struct value *values, const uint8_t half[EXPECTED_HALF])
{
    struct journal_entry e = journal_entry_of(kind, values);
    return memcmp(e.row.b, half, EXPECTED_HALF) == 0;
}

static bool
locate_number(enum row_kind kind, struct value *values, size_t at, const uint8_t half[EXPECTED_HALF],
              int64_t *ret_bit)
{
    int64_t before = values[at].number;
    bool found = false;
    for (int bit = 0; bit < 64 && !found; bit++) {
        values[at].number = (int64_t)((uint64_t)before ^ (UINT64_C(1) << (63 - bit)));
        found = gives_half(kind, values, half);
        *ret_bit = bit;
    }
    values[at].number = before;
    return found;
}

static bool
locate_bytes(enum row_kind kind, struct value *values, size_t at, const uint8_t half[EXPECTED_HALF],
             int64_t *ret_bit)
{
    char copy[LOCATE_BYTES];
    view before = values[at].bytes;
    bool found = false;
    if (before.n > sizeof copy)
        return false;
    memcpy(copy, before.p, before.n);
    values[at].bytes.p = copy;
    for (size_t bit = 0; bit < before.n * 8 && !found; bit++) {
        char mask = (char)(0x80 >> (bit % 8));
        copy[bit / 8] = (char)(copy[bit / 8] ^ mask);
        found = gives_half(kind, values, half);
        copy[bit / 8] = (char)(copy[bit / 8] ^ mask);
        *ret_bit = (int64_t)bit;
    }
    values[at].bytes = before;
    return found;
}

bool
audit_locate(enum row_kind kind, const struct value *values, const uint8_t half[EXPECTED_HALF],
             struct audit_finding *f)
{
    const struct table *t = table_of(kind);
    const struct column *long_one = NULL;
    struct value copy[TABLE_VALUES_MAX];
    size_t at = 0, long_ones = 0;
    bool found = false;
    f->column = f->class_of = "";
    f->bit = -1;
    for (size_t i = 0; i < t->n; i++)
        at += column_values(t->columns[i].kind);
    memcpy(copy, values, at * sizeof *copy);
    at = 0;
    for (size_t i = 0; i < t->n && !found; i++) {
        const struct column *c = &t->columns[i];
        for (size_t p = 0; p < column_values(c->kind) && !found; p++, at++) {
            bool is_long = copy[at].kind >= VALUE_TEXT && copy[at].bytes.n > LOCATE_BYTES;
            long_one = is_long ? c : long_one;
            long_ones += is_long;
            if (copy[at].kind == VALUE_INT)
                found = locate_number(kind, copy, at, half, &f->bit);
            else if (copy[at].kind != VALUE_NULL)
                found = locate_bytes(kind, copy, at, half, &f->bit);
            f->column = found ? c->name : "";
            f->class_of = found ? classes[c->kind] : "";
        }
    }
    if (!found)
        f->bit = -1;
    if (!found && long_ones == 1) {
        f->column = long_one->name;
        f->class_of = classes[long_one->kind];
    }
    return found;
}
