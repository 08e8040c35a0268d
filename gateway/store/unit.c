#include "store/table.h"

#include <assert.h>

void
unit_init(struct unit *u, arena *mem)
{
    *u = (struct unit){.mem = mem, .failed_guard = -1};
}

/* Only the array is copied: the bytes that views point to stay the caller's until the commit has answered. */
static void
args_copy(struct value to[UNIT_ARGS_MAX], const struct value *args, size_t n)
{
    assert(n <= UNIT_ARGS_MAX);
    for (size_t i = 0; i < n; i++)
        to[i] = args[i];
}

void
unit_guard(struct unit *u, enum guard g, const struct value *args, size_t n)
{
    assert(g < GUARD_COUNT);
    struct unit_guard *item = arena_make(u->mem, struct unit_guard);
    if (!item) {
        u->failed = true;
        return;
    }
    item->guard = g;
    item->n = n;
    args_copy(item->args, args, n);
    if (u->last_guard)
        u->last_guard->next = item;
    else
        u->guards = item;
    u->last_guard = item;
}

struct unit_change *
unit_change(struct unit *u, enum change c, const struct value *args, size_t n)
{
    assert(c < CHANGE_COUNT);
    struct unit_change *item = arena_make(u->mem, struct unit_change);
    if (!item) {
        u->failed = true;
        return NULL;
    }
    item->change = c;
    item->n = n;
    args_copy(item->args, args, n);
    if (u->last_change)
        u->last_change->next = item;
    else
        u->changes = item;
    u->last_change = item;
    return item;
}

void
unit_body(struct unit *u, view sealed, struct address *at)
{
    struct unit_body *item = arena_make(u->mem, struct unit_body);
    if (!item) {
        u->failed = true;
        return;
    }
    item->sealed = sealed;
    item->at = at;
    if (u->last_body)
        u->last_body->next = item;
    else
        u->bodies = item;
    u->last_body = item;
}

void *
unit_add_row(struct unit *u, enum row_kind kind, size_t size)
{
    const struct table *t = table_of(kind);
    assert(size == t->size);
    void *row = arena_alloc(u->mem, size);
    if (!row) {
        u->failed = true;
        return NULL;
    }
    if (u->last_row[kind])
        row_set_next(t, u->last_row[kind], row);
    else
        u->rows[kind] = row;
    u->last_row[kind] = row;
    return row;
}
