/* Small helpers over trees that this room needs often.  Pure functions, any thread. */
#ifndef FHIR_TREE_WALK_H
#define FHIR_TREE_WALK_H

#include "base/json_tree.h"

/* Number of the first node behind n and all that it holds. */
static inline uint32_t
node_end(const struct tree *t, const struct node *n)
{
    for (; n != tree_root(t); n = &t->nodes[n->parent])
        if (n->next)
            return n->next;
    return t->n;
}

/* The value as a list: the items of an array, or the one value that is no array. */
static inline const struct node *
node_items(const struct tree *t, const struct node *n)
{
    return n && n->kind == NODE_ARRAY ? node_first(t, n) : n;
}

static inline const struct node *
node_next_item(const struct tree *t, const struct node *list, const struct node *item)
{
    return list->kind == NODE_ARRAY ? node_next(t, item) : NULL;
}

/* for (ITEM_EACH(item, t, value)) : over the items of an array or over the one value; a NULL value gives
 * none */
#define ITEM_EACH(item, t, of)                                                                               \
    const struct node *item = node_items((t), (of));                                                         \
    item;                                                                                                    \
    item = node_next_item((t), (of), item)

#endif
