/* What the store's tests share: a folder of their own, an open store, rows filled by their tables. */
#ifndef TEST_STORE_HELP_H
#define TEST_STORE_HELP_H

#include "store/table.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct help {
    char dir[64];
    struct store *store;
    arena *mem;
    int fatal;
    struct fault fault;
};

static inline void
help_fatal(void *self, const char *what)
{
    (void)what;
    ((struct help *)self)->fatal++;
}

static inline err
help_open(struct help *h)
{
    struct store_options o = {
        .dir = h->dir, .readers = 4, .group_window_us = 1000, .fatal = help_fatal, .self = h};
    fault_init(&h->fault);
    return store_open(&o, &h->store, &h->fault);
}

static inline void
help_close(struct help *h)
{
    store_close(h->store);
    h->store = NULL;
}

static inline int
help_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void
help_end(struct help *h)
{
    help_close(h);
    arena_free(h->mem);
    h->mem = NULL;
    nftw(h->dir, help_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* True when the store is open. */
static inline bool
help_begin(struct help *h)
{
    *h = (struct help){.dir = "/tmp/store-test-XXXXXX"};
    digest_start();
    if (!mkdtemp(h->dir))
        return false;
    h->mem = arena_new(256 << 20);
    return help_open(h) == E_OK;
}

/* The suite of one file: an open store in a folder of its own for each test. */
#define HELP_SUITE(name)                                                                                     \
    static struct help h;                                                                                    \
    static void begin(void)                                                                                  \
    {                                                                                                        \
        cr_assert(help_begin(&h), "%s", h.fault.found);                                                      \
    }                                                                                                        \
    static void end(void)                                                                                    \
    {                                                                                                        \
        help_end(&h);                                                                                        \
    }                                                                                                        \
    TestSuite(name, .init = begin, .fini = end)

static inline const char *
help_path(const struct help *h, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", h->dir, name);
    return path;
}

static inline uid
help_uid(unsigned n)
{
    uid u = {{0}};
    u.b[0] = 1;
    u.b[12] = (uint8_t)(n >> 24);
    u.b[13] = (uint8_t)(n >> 16);
    u.b[14] = (uint8_t)(n >> 8);
    u.b[15] = (uint8_t)n;
    return u;
}

static inline digest
help_digest(unsigned n)
{
    return sha256(view_make(&n, sizeof n));
}

/* Every field gets a value of its own, or with full = false everything that may be absent is absent. */
static inline void
help_fill_row(enum row_kind kind, void *row, unsigned seed, bool full, arena *mem)
{
    const struct table *t = table_of(kind);
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        char *at = (char *)row + c->offset;
        unsigned n = seed * 100 + (unsigned)i + 1;
        if (!full && !table_is_key_column(t, c->name))
            continue;
        digest d = help_digest(n);
        switch (c->kind) {
        case COLUMN_UID:
            *(uid *)at = help_uid(n);
            break;
        case COLUMN_BLIND:
        case COLUMN_DIGEST:
            *(digest *)at = d;
            break;
        case COLUMN_INT:
            *(int64_t *)at = INT64_MAX - (int64_t)n;
            break;
        case COLUMN_TIME:
            ((instant *)at)->us = INT64_C(1780000000000000) + n;
            break;
        case COLUMN_TEXT:
            *(view *)at = arena_printf(mem, "文字 %u", n);
            break;
        case COLUMN_SEALED:
            *(view *)at = arena_dup(mem, view_make(&d, n % 7 ? sizeof d : 0));
            break;
        case COLUMN_ADDRESS:
            *(struct address *)at = (struct address){20000 + (int)n, (int)n, n * 3, n * 5, d};
            break;
        case COLUMN_ASSIGNED:
            break;
        }
    }
}

static inline bool
help_view_same(view a, view b)
{
    return !a.p == !b.p && view_eq(a, b);
}

static inline bool
help_address_same(const struct address *a, const struct address *b)
{
    return a->day == b->day && a->number == b->number && a->offset == b->offset && a->length == b->length &&
           digest_eq(&a->check, &b->check);
}

/* NULL when equal, else the name of the first column that differs. */
static inline const char *
help_row_differs(enum row_kind kind, const void *a, const void *b)
{
    const struct table *t = table_of(kind);
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        const void *x = (const char *)a + c->offset, *y = (const char *)b + c->offset;
        bool same = false;
        switch (c->kind) {
        case COLUMN_UID:
            same = memcmp(x, y, sizeof(uid)) == 0;
            break;
        case COLUMN_BLIND:
        case COLUMN_DIGEST:
            same = memcmp(x, y, sizeof(digest)) == 0;
            break;
        case COLUMN_INT:
        case COLUMN_TIME:
        case COLUMN_ASSIGNED:
            same = memcmp(x, y, sizeof(int64_t)) == 0;
            break;
        case COLUMN_TEXT:
        case COLUMN_SEALED:
            same = help_view_same(*(const view *)x, *(const view *)y);
            break;
        case COLUMN_ADDRESS:
            same = help_address_same(x, y);
            break;
        }
        if (!same)
            return c->name;
    }
    return NULL;
}

/* First row of a query in a snapshot of its own. */
static inline void *
help_query(struct help *h, enum query q, const struct value *args, size_t n)
{
    struct reader *r AUTO(reader_done) = NULL;
    void *first = NULL;
    if (store_reader(h->store, &r) != E_OK || store_query(r, q, args, n, h->mem, &first) != E_OK)
        abort();
    return first;
}

static inline size_t
help_count(enum row_kind kind, const void *first)
{
    size_t n = 0;
    for (const void *at = first; at; at = row_next(table_of(kind), at))
        n++;
    return n;
}

#endif
