/* The inside of case_fold and view: copying records between cases while references stay right.
 *
 * While a case is being built its references are linked, not text: leaf.v = {target element,
 * GRAPH_LINKED}.  graph_finish numbers all elements anew, writes "#id" into the references and renders the
 * pointers of findings and conflicts.  Nothing outside these two modules sees a linked reference. One
 * thread; all memory from the arena; E_TOO_LARGE when it is full. */
#ifndef ADAPTERS_CASE_GRAPH_H
#define ADAPTERS_CASE_GRAPH_H

#include "adapters/case_fold.h"
#include "adapters/case_walk.h"

#define GRAPH_LINKED SIZE_MAX
#define GRAPH_PENDING (SIZE_MAX - 1) /* v.p is the element in the source case; its copy is not made yet */

/* Address → value; open addressing. */
struct graph_slot {
    const void *key;
    void *value;
};
struct graph_map {
    struct graph_slot *slots;
    size_t room, n;
};
bool map_put(arena *mem, struct graph_map *m, const void *key, void *value) MUST_USE;
void *map_get(const struct graph_map *m, const void *key);

/* A case that is copied from, with its elements by id. */
struct graph_source {
    const struct claim_case *c;
    struct graph_map ids;     /* hash of the id → struct graph_id chain */
    uint16_t document;        /* index that its sources get; CASE_NO_DOCUMENT: they are kept */
    bool gateway;             /* the frame: whatever its sources say, they are the gateway's own */
    const void *own_document; /* copy that "#d1" means; NULL: elements are looked up by id */
};
err graph_source_init(struct graph_source *s, const struct claim_case *c, arena *mem) MUST_USE;
const void *graph_source_element(const struct graph_source *s, view reference);

struct graph_pending {
    struct leaf_text *leaf;
    const void *target; /* element in the built case, NULL: the case itself */
    view rest;
    struct graph_pending *next;
};

struct graph {
    arena *mem;
    struct claim_case *out;
    struct graph_map map;             /* element in a source → its copy */
    struct graph_pending *references; /* pending ones of the present source */
    struct graph_pending *pointers;   /* of findings and conflicts */
    const struct graph_map *visible;  /* leaves that may be copied; NULL: all */
    const struct graph_map *kept;     /* elements that may be copied; NULL: all */
};

/* The copy of a reference's target; NULL when unknown, then *ret_source_element is the target in the
 * source (NULL: dangling). */
void *graph_target(const struct graph *g, const struct graph_source *s, view reference,
                   const void **ret_source_element);
/* Fills dst, a fresh record of the same kind, and notes every element in the map. */
err graph_copy(struct graph *g, const struct graph_source *s, enum case_record record, const void *src,
               void *dst) MUST_USE;
/* One member; the destination's member must be empty. */
err graph_copy_field(struct graph *g, const struct graph_source *s, const struct case_field *f,
                     const void *src, void *dst) MUST_USE;
/* One member of a list of values, texts or references, to the end of the list at slot. */
err graph_copy_member(struct graph *g, const struct graph_source *s, const struct case_field *f,
                      const void *src, void *slot) MUST_USE;
/* A new element at the end of dst's list, filled from src. */
err graph_copy_element(struct graph *g, const struct graph_source *s, const struct case_field *list,
                       const void *src, void *dst_owner, void **ret) MUST_USE;
/* The copy of a reference leaf; nothing when its target does not stay. */
err graph_copy_reference(struct graph *g, const struct graph_source *s, const struct leaf_text *src,
                         struct leaf_text *dst) MUST_USE;
struct source graph_source_of(const struct graph_source *s, const struct source *src);
/* Links pending references of the source whose elements are all copied by now; dangling ones become
 * absent. */
void graph_settle(struct graph *g);
/* Ids, references, pointers.  After this the case is like any other. */
err graph_finish(struct graph *g) MUST_USE;

/* What a folded case came from: projections fold anew from the documents that the recipient may see. */
struct case_origin {
    const struct claim_case *frame;
    const struct case_part *parts;
    size_t n;
    struct graph_map map; /* element of the frame or of facts → element of the case */
};

/* Finds the place that a pointer names; false when it leads nowhere.  leaf and src are set for leaves
 * only. */
bool case_place_of_pointer(const struct claim_case *c, view pointer, struct case_place *ret);

#endif
