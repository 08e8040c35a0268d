/* The reader of signed documents: JSON text into a tree of nodes with byte ranges.
 *
 * One pass over the bytes, no copy of them, nothing altered.  Duplicate names are refused, depth ≤ 64, UTF-8
 * checked, NUL inside a string refused, numbers kept exactly as written (RFC 8259 plus our stricter rules).
 * FHIR XML fills the same tree (fhir/xml_read.h), so that everything behind sees one shape.  jansson is not
 * used here: it loses "12.50" and keeps no positions.
 *
 * A tree lives in the arena it was read into and borrows the source, which must outlive it.  It is immutable
 * after reading, any thread may then read it.  Nodes stand in document order (preorder): the children of
 * node i start at i + 1 and are chained by next. */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

#define TREE_DEPTH_MAX 64
#define TREE_NUMBER_MAX 4096 /* characters of one number */

enum node_kind { NODE_NULL, NODE_FALSE, NODE_TRUE, NODE_NUMBER, NODE_STRING, NODE_ARRAY, NODE_OBJECT };

enum node_flag {
    NODE_TEXT_IN_POOL =
        1, /* value holds an escape (JSON) or was decoded (XML): its text stands in the pool */
    NODE_NAME_IN_POOL = 2,
    NODE_FROM_XML = 4,
};

/* 32 bytes. */
struct node {
    uint8_t kind;  /* enum node_kind */
    uint8_t flags; /* enum node_flag */
    uint16_t name_length;
    uint32_t name; /* offset of the member name in source or pool */
    uint32_t from; /* byte range of the value in the source (for strings: with the quotes) */
    uint32_t length;
    uint32_t
        text; /* offset of the text (without quotes) in source or pool; arrays and objects: number of children */
    uint32_t text_length;
    uint32_t next;   /* index of the next sibling, 0 when last */
    uint32_t parent; /* index, 0 for the root itself */
};

struct tree {
    view source;
    const struct node *nodes; /* nodes[0] is the root */
    uint32_t n;
    view pool; /* decoded texts */
};

struct tree_limits {
    size_t bytes; /* of input */
    uint32_t nodes;
};

/* E_JSON_SYNTAX, E_JSON_DUPLICATE_NAME, E_JSON_DEPTH, E_UTF8, E_BOM, E_JSON_NUL, E_OUT_OF_RANGE (a number of more
 * than 4096 characters, or beyond 1.8e308), E_TOO_LARGE.  The fault has the byte range, line and column, what was expected, and as its
 * place the pointer of the container.  limits NULL or a field 0 → 10 MiB, 4 million nodes. */
err tree_read_json(view source, const struct tree_limits *limits, arena *mem, struct tree *ret,
                   struct fault *f) MUST_USE;

static inline const struct node *
tree_root(const struct tree *t)
{
    return &t->nodes[0];
}
static inline uint32_t
node_index(const struct tree *t, const struct node *n)
{
    return (uint32_t)(n - t->nodes);
}
static inline bool
node_has_children(const struct node *n)
{
    return n->kind >= NODE_ARRAY && n->text > 0;
}
static inline const struct node *
node_first(const struct tree *t, const struct node *n)
{
    return n && node_has_children(n) ? &t->nodes[node_index(t, n) + 1] : NULL;
}
static inline const struct node *
node_next(const struct tree *t, const struct node *n)
{
    return n->next ? &t->nodes[n->next] : NULL;
}
/* for (NODE_EACH(child, t, object_or_array)) ; a NULL parent gives no child */
#define NODE_EACH(child, t, of)                                                                              \
    const struct node *child = node_first((t), (of));                                                        \
    child;                                                                                                   \
    child = node_next((t), child)

/* Every getter takes NULL nodes and returns NULL or the empty view for them, so that paths can be chained. */
static inline view
node_name(const struct tree *t, const struct node *n)
{
    if (n == NULL || n->name_length == 0)
        return VIEW_NONE;
    return (view){((n->flags & NODE_NAME_IN_POOL) != 0 ? t->pool.p : t->source.p) + n->name, n->name_length};
}
/* Text of a string (decoded), or a number, true, false as written; empty for null, array, object. */
static inline view
node_text(const struct tree *t, const struct node *n)
{
    if (n == NULL || n->kind >= NODE_ARRAY || n->kind == NODE_NULL)
        return VIEW_NONE;
    if (n->text_length == 0)
        return V("");
    return (view){((n->flags & NODE_TEXT_IN_POOL) != 0 ? t->pool.p : t->source.p) + n->text, n->text_length};
}
/* The bytes of the value in the source. */
view node_raw(const struct tree *t, const struct node *n);
const struct node *node_member(const struct tree *t, const struct node *object, view name);
const struct node *node_item(const struct tree *t, const struct node *array, uint32_t index);
/* "a.b[2].c": members and items; NULL when any step is absent. A name step on an array means its first item. */
const struct node *node_at(const struct tree *t, const struct node *from, const char *path);
/* node_text(node_at(…)) */
view node_text_at(const struct tree *t, const struct node *from, const char *path);
uint32_t node_count(const struct node *n);
bool node_is_true(const struct node *n);

/* RFC 6901 pointer of a node ("" for the root). */
view node_pointer(const struct tree *t, const struct node *n, arena *mem);
/* FHIRPath-like place: Bundle.entry[2].resource.code; the root is its resourceType when it has one, else
 * "$this". */
view node_path(const struct tree *t, const struct node *n, arena *mem);
/* Resolves an RFC 6901 pointer; NULL when absent. */
const struct node *node_of_pointer(const struct tree *t, view pointer);

#endif
