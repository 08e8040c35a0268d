#include "store/numbers.h"

#include <stdlib.h>

#define SLOTS 1024 /* recipients are partners: hundreds */

struct number {
    uid recipient;
    int64_t next;
    int64_t before; /* what next was when the unit began */
    uint64_t unit;  /* the unit that before belongs to */
    struct number *chain;
    struct number *touched;
};

struct numbers {
    bool (*load)(void *self, const uid *recipient, int64_t *ret);
    void *self;
    int64_t leaf, leaf_before;
    uint64_t unit;
    struct number *touched; /* by the unit in hand */
    struct number *slots[SLOTS];
};

struct numbers *
numbers_new(bool (*load)(void *self, const uid *recipient, int64_t *ret), void *self)
{
    struct numbers *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->load = load;
    n->self = self;
    return n;
}

static void
numbers_forget(struct numbers *n)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct number *next;
        for (struct number *at = n->slots[i]; at; at = next) {
            next = at->chain;
            free(at);
        }
        n->slots[i] = NULL;
    }
    n->touched = NULL;
}

void
numbers_free(struct numbers *n)
{
    if (!n)
        return;
    numbers_forget(n);
    free(n);
}

void
numbers_set_leaf(struct numbers *n, int64_t next)
{
    n->leaf = n->leaf_before = next;
}

int64_t
numbers_leaf(const struct numbers *n)
{
    return n->leaf;
}

void
numbers_unit_begin(struct numbers *n)
{
    n->unit++;
    n->touched = NULL;
    n->leaf_before = n->leaf;
}

void
numbers_unit_undo(struct numbers *n)
{
    for (struct number *at = n->touched; at; at = at->touched)
        at->next = at->before;
    n->touched = NULL;
    n->leaf = n->leaf_before;
}

void
numbers_reset(struct numbers *n, int64_t next_leaf)
{
    numbers_forget(n);
    numbers_set_leaf(n, next_leaf);
}

int64_t
numbers_take_leaf(struct numbers *n)
{
    return n->leaf++;
}

static struct number *
number_of(struct numbers *n, const uid *recipient)
{
    /* The last bytes of a UUIDv7 are random, the first are a time. */
    size_t slot = ((size_t)recipient->b[14] << 8 | recipient->b[15]) % SLOTS;
    for (struct number *at = n->slots[slot]; at; at = at->chain) {
        if (uid_eq(at->recipient, *recipient))
            return at;
    }
    int64_t highest;
    if (!n->load(n->self, recipient, &highest))
        return NULL;
    struct number *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    made->recipient = *recipient;
    made->next = highest + 1;
    made->chain = n->slots[slot];
    n->slots[slot] = made;
    return made;
}

bool
numbers_take_event(struct numbers *n, const uid *recipient, int64_t *ret)
{
    struct number *at = number_of(n, recipient);
    if (!at)
        return false;
    if (at->unit != n->unit) {
        at->unit = n->unit;
        at->before = at->next;
        at->touched = n->touched;
        n->touched = at;
    }
    *ret = at->next++;
    return true;
}
