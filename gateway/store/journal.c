#include "store/journal.h"

#include <assert.h>
#include <stdatomic.h>

static const struct {
    enum row_kind kind;
    const char *prefix;
} covered[] = {
#define JOURNAL_ROW(number, word, prefix_text) [number] = {ROW_##word, prefix_text},
    JOURNALED(JOURNAL_ROW)
#undef JOURNAL_ROW
};

static const uint8_t numbers[ROW_KIND_COUNT] = {
#define JOURNAL_NUMBER(number, word, prefix_text) [ROW_##word] = (number),
    JOURNALED(JOURNAL_NUMBER)
#undef JOURNAL_NUMBER
};

uint8_t
journal_number(enum row_kind kind)
{
    return numbers[kind];
}

enum row_kind
journal_kind(uint8_t number)
{
    return number < COUNT_OF(covered) && covered[number].prefix ? covered[number].kind : ROW_KIND_COUNT;
}

const char *
journal_prefix(enum row_kind kind)
{
    return numbers[kind] ? covered[numbers[kind]].prefix : "row";
}

/* -- the digest of a row -- */

/* Longer values are hashed where they are. */
#define SHORT_VALUE 128
#define NAME_MAX_BYTES 24
#define SCRATCH (TABLE_VALUES_MAX * (SHORT_VALUE + NAME_MAX_BYTES + 16))

struct hashing {
    view parts[2 * TABLE_VALUES_MAX + 1];
    size_t n;
    size_t from, used; /* of the scratch: what is not yet a part begins at from */
    char scratch[SCRATCH];
};

static void
hash_copy(struct hashing *h, const void *p, size_t n)
{
    assert(h->used + n <= sizeof h->scratch);
    if (n)
        memcpy(h->scratch + h->used, p, n);
    h->used += n;
}

static void
hash_close(struct hashing *h)
{
    if (h->used > h->from)
        h->parts[h->n++] = view_make(h->scratch + h->from, h->used - h->from);
    h->from = h->used;
}

static void
hash_number(struct hashing *h, uint64_t n)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(uint8_t)(n >> (56 - 8 * i));
    hash_copy(h, bytes, sizeof bytes);
}

/* name, kind, number or length and bytes */
static void
hash_value(struct hashing *h, const struct column *c, char part, const struct value *v)
{
    const char kind[] = {part, (char)v->kind};
    hash_copy(h, c->name, c->name_length);
    hash_copy(h, kind, sizeof kind);
    if (v->kind == VALUE_INT) {
        hash_number(h, (uint64_t)v->number);
        return;
    }
    hash_number(h, v->bytes.n);
    if (v->bytes.n <= SHORT_VALUE) {
        hash_copy(h, v->bytes.p, v->bytes.n);
        return;
    }
    hash_close(h);
    h->parts[h->n++] = v->bytes;
}

enum { PART_LENGTH = 3, PART_CHECK };

bool
journal_covers_value(const struct column *c, size_t part, const struct value *v)
{
    if (v->kind == VALUE_NULL || (v->kind == VALUE_INT && v->number == 0))
        return false;
    return c->kind != COLUMN_ADDRESS || part == PART_LENGTH || part == PART_CHECK;
}

static digest
row_digest(const struct table *t, const struct value *values)
{
    struct hashing h;
    h.n = h.from = h.used = 0;
    hash_copy(&h, t->word, strlen(t->word) + 1);
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        size_t parts = column_values(c->kind);
        for (size_t p = 0; p < parts; p++, values++) {
            if (journal_covers_value(c, p, values))
                hash_value(&h, c, (char)p, values);
        }
    }
    hash_close(&h);
    return sha256_parts(h.parts, h.n);
}

/* Bit i: column i names the row (table_is_name_column).  Found out once for each table; threads that do so at the same time find the same. */
static uint64_t
key_columns(enum row_kind kind)
{
    static _Atomic uint64_t known[ROW_KIND_COUNT];
    uint64_t mask = atomic_load_explicit(&known[kind], memory_order_relaxed);
    if (mask)
        return mask;
    const struct table *t = table_of(kind);
    for (size_t i = 0; i < t->n; i++) {
        if (table_is_name_column(t, &t->columns[i]))
            mask |= UINT64_C(1) << i;
    }
    atomic_store_explicit(&known[kind], mask, memory_order_relaxed);
    return mask;
}

/* A single id is its own key; several columns are laid over each other, each a byte further. */
static void
row_key(enum row_kind kind, const struct value *values, uint8_t key[JOURNAL_KEY])
{
    const struct table *t = table_of(kind);
    uint64_t mask = key_columns(kind);
    size_t shift = 0;
    memset(key, 0, JOURNAL_KEY);
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        if (mask >> i & 1) {
            uint64_t n = (uint64_t)values->number;
            for (size_t b = 0; values->kind == VALUE_INT && b < 8; b++)
                key[(15 - b + shift) % JOURNAL_KEY] ^= (uint8_t)(n >> (8 * b));
            for (size_t b = 0; values->kind != VALUE_INT && b < values->bytes.n; b++)
                key[(b + shift) % JOURNAL_KEY] ^= (uint8_t)values->bytes.p[b];
            shift++;
        }
        values += column_values(c->kind);
    }
}

struct journal_entry
journal_entry_gone(enum row_kind kind, const struct value *values)
{
    struct journal_entry e = {.table = journal_number(kind)};
    row_key(kind, values, e.key);
    return e;
}

struct journal_entry
journal_entry_of(enum row_kind kind, const struct value *values)
{
    struct journal_entry e = journal_entry_gone(kind, values);
    e.row = row_digest(table_of(kind), values);
    return e;
}

/* -- a unit -- */

bool
journal_waits_for_number(enum row_kind kind)
{
    return kind == ROW_leaf || kind == ROW_event;
}

static bool
is_ready(enum row_kind kind)
{
    return journal_number(kind) && !journal_waits_for_number(kind);
}

/* Whether a row that is kept when it is there was written, only the writer knows. */
static void *
next_ready(const struct table *t, void *row)
{
    while (row && row_op_of(t, row) == ROW_KEEP)
        row = row_next(t, row);
    return row;
}

void
journal_unit(struct unit *u)
{
    size_t n = 0;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct table *t = table_of((enum row_kind)kind);
        void *first = is_ready((enum row_kind)kind) ? u->rows[kind] : NULL;
        for (void *row = next_ready(t, first); row; row = next_ready(t, row_next(t, row)))
            n++;
    }
    u->journal = V("");
    struct journal_entry *entries = n ? arena_alloc(u->mem, n * sizeof *entries) : NULL;
    if (n && !entries) {
        u->failed = true;
        return;
    }
    size_t at = 0;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct table *t = table_of((enum row_kind)kind);
        void *first = is_ready((enum row_kind)kind) ? u->rows[kind] : NULL;
        for (void *row = next_ready(t, first); row; row = next_ready(t, row_next(t, row))) {
            struct value values[TABLE_VALUES_MAX];
            table_values(t, row, values);
            entries[at++] = journal_entry_of((enum row_kind)kind, values);
        }
    }
    if (n)
        u->journal = view_make(entries, n * sizeof *entries);
}

digest
journal_commitment(view salt, view entries)
{
    digest rows = sha256(entries);
    const view parts[] = {salt, digest_view(&rows)};
    return sha256_parts(parts, COUNT_OF(parts));
}
