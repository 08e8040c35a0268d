#include "store/kept.h"

#include "store/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS 4096u
#define STRIPES 64u
#define KEY_MOST 96u
/* What needs more is read each time. */
#define ROWS_BYTES_MOST 16384u

/* One answer: a later one with the same hash takes its place. */
struct slot {
    char *rows; /* one allocation: structs in order, then what their views point to; NULL = no rows */
    size_t n;   /* rows */
    uint64_t written;
    size_t key_n; /* 0 = empty */
    char key[KEY_MOST];
};

struct kept {
    _Atomic uint64_t written[ROW_KIND_COUNT];
    uint64_t touched_by[CHANGE_COUNT]; /* bits of enum row_kind: tables that a change's text names */
    pthread_mutex_t locks[STRIPES];
    struct slot slots[SLOTS];
};
_Static_assert(ROW_KIND_COUNT <= 64, "a bit for each table");

static const char *const changes[] = {
#define CHANGE(name, sql) sql,
#include "store/statements.def"
#undef CHANGE
};

struct kept *
kept_new(void)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    for (size_t c = 0; c < CHANGE_COUNT; c++) {
        view sql = view_of(changes[c]);
        for (int kind = 0; kind < ROW_KIND_COUNT; kind++)
            if (view_find(sql, view_of(table_of((enum row_kind)kind)->name)) < sql.n)
                k->touched_by[c] |= UINT64_C(1) << kind;
    }
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&k->locks[i], NULL);
    return k;
}

void
kept_free(struct kept *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(k->slots[i].rows);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&k->locks[i]);
    free(k);
}

void
kept_mark(struct kept *k, struct kept_marks *ret)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++)
        ret->written[kind] = atomic_load_explicit(&k->written[kind], memory_order_acquire);
}

void
kept_touch(struct kept *k, const struct unit *u)
{
    uint64_t touched = 0;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++)
        touched |= (uint64_t)(u->rows[kind] != NULL) << kind;
    for (const struct unit_change *c = u->changes; c; c = c->next)
        touched |= k->touched_by[c->change];
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++)
        if (touched >> kind & 1)
            atomic_fetch_add_explicit(&k->written[kind], 1, memory_order_release);
}

/* -- keys -- */

struct key {
    size_t n;
    uint32_t hash;
    char bytes[KEY_MOST];
};

static bool
key_add(struct key *key, const void *p, size_t n)
{
    if (n > KEY_MOST - key->n)
        return false;
    if (n)
        memcpy(key->bytes + key->n, p, n);
    key->n += n;
    return true;
}

/* The query, then each argument with its kind and length: equal keys are equal questions. */
static bool
key_make(enum query q, const struct value *args, size_t n, struct key *key)
{
    uint8_t number = (uint8_t)q;
    _Static_assert(QUERY_COUNT <= UINT8_MAX, "a byte names a query");
    key->n = 0;
    bool fits = key_add(key, &number, sizeof number);
    for (size_t i = 0; i < n && fits; i++) {
        const struct value *v = &args[i];
        uint8_t head[2] = {(uint8_t)v->kind, (uint8_t)v->bytes.n};
        fits = v->bytes.n <= UINT8_MAX && key_add(key, head, sizeof head) &&
               (v->kind == VALUE_INT ? key_add(key, &v->number, sizeof v->number)
                                     : key_add(key, v->bytes.p, v->bytes.n));
    }
    /* FNV-1a: the arguments are our own ids and keyed hashes, nobody can aim at a slot. */
    key->hash = 2166136261u;
    for (size_t i = 0; i < key->n; i++)
        key->hash = (key->hash ^ (uint8_t)key->bytes[i]) * 16777619u;
    return fits;
}

static struct slot *
slot_lock(struct kept *k, const struct key *key)
{
    pthread_mutex_lock(&k->locks[key->hash % SLOTS % STRIPES]);
    return &k->slots[key->hash % SLOTS];
}

static void
slot_unlock(struct kept *k, const struct key *key)
{
    pthread_mutex_unlock(&k->locks[key->hash % SLOTS % STRIPES]);
}

/* -- rows -- */

static bool
has_view(const struct column *c)
{
    return c->kind == COLUMN_TEXT || c->kind == COLUMN_SEALED;
}

/* Calls for each view of a row; what it gives back is the view's new place. */
static void
views_move(const struct table *t, char *row, char **to)
{
    for (size_t i = 0; i < t->n; i++) {
        view v;
        char *field = row + t->columns[i].offset;
        if (!has_view(&t->columns[i]))
            continue;
        memcpy(&v, field, sizeof v);
        if (!v.p)
            continue;
        if (v.n)
            memcpy(*to, v.p, v.n);
        v.p = *to;
        *to += v.n;
        memcpy(field, &v, sizeof v);
    }
}

static size_t
views_size(const struct table *t, const char *row)
{
    size_t size = 0;
    for (size_t i = 0; i < t->n; i++) {
        view v;
        if (!has_view(&t->columns[i]))
            continue;
        memcpy(&v, row + t->columns[i].offset, sizeof v);
        size += v.n;
    }
    return size;
}

/* False: too much to keep. */
static bool
rows_pack(const struct table *t, const void *rows, struct slot *slot)
{
    size_t n = 0, size = 0;
    for (const char *row = rows; row; row = row_next(t, row), n++)
        size += t->size + views_size(t, row);
    if (size > ROWS_BYTES_MOST)
        return false;
    slot->n = n;
    if (!n)
        return true;
    slot->rows = malloc(size);
    if (!slot->rows)
        abort();
    char *at = slot->rows, *text = slot->rows + n * t->size;
    for (const char *row = rows; row; row = row_next(t, row), at += t->size) {
        memcpy(at, row, t->size);
        views_move(t, at, &text);
    }
    return true;
}

static bool
rows_unpack(const struct table *t, const struct slot *slot, arena *mem, void **ret)
{
    void *first = NULL, *last = NULL;
    for (size_t i = 0; i < slot->n; i++) {
        const char *from = slot->rows + i * t->size;
        char *row = arena_alloc(mem, t->size), *text = arena_alloc(mem, views_size(t, from));
        if (!row || !text)
            return false;
        memcpy(row, from, t->size);
        views_move(t, row, &text);
        row_set_next(t, row, NULL);
        if (last)
            row_set_next(t, last, row);
        else
            first = row;
        last = row;
    }
    *ret = first;
    return true;
}

bool
kept_find(struct kept *k, enum query q, enum row_kind kind, const struct value *args, size_t n, arena *mem,
          void **ret)
{
    struct key key;
    if (!key_make(q, args, n, &key))
        return false;
    struct slot *slot = slot_lock(k, &key);
    bool found = slot->key_n == key.n && memcmp(slot->key, key.bytes, key.n) == 0 &&
                 slot->written == atomic_load_explicit(&k->written[kind], memory_order_acquire) &&
                 rows_unpack(table_of(kind), slot, mem, ret);
    slot_unlock(k, &key);
    return found;
}

void
kept_add(struct kept *k, enum query q, enum row_kind kind, const struct value *args, size_t n,
         const struct kept_marks *marks, const void *rows)
{
    struct key key;
    if (!key_make(q, args, n, &key))
        return;
    struct slot *slot = slot_lock(k, &key);
    free(slot->rows);
    slot->rows = NULL;
    slot->key_n = 0;
    if (rows_pack(table_of(kind), rows, slot)) {
        slot->written = marks->written[kind];
        slot->key_n = key.n;
        memcpy(slot->key, key.bytes, key.n);
    }
    slot_unlock(k, &key);
}
