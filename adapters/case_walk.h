/* Walking a case: every present leaf with its place, in the order of the table, which is the order of the
 * encoding.
 *
 * The place is valid during the call only; its pointer is built when asked for.  A pointer has the syntax
 * of RFC 6901, but elements that have an id are named by it instead of by their index
 * ("/expenses/exp1/lines/exp1l3/amount/amount"), so that it survives reordering (SCHEMA 3.1). Recursion
 * goes over the table, never over input.  Any thread. */
#ifndef ADAPTERS_CASE_WALK_H
#define ADAPTERS_CASE_WALK_H

#include "adapters/case.h"
#include "base/buf.h"

/* The table is not deeper than this; a unit test walks it. */
#define CASE_DEPTH 12

struct case_step {
    const struct case_field *field;
    const void *at; /* the list member, object or value below the field; NULL for a single leaf */
    uint32_t index; /* in a list */
    uint8_t record; /* of at */
};

struct case_place {
    const struct claim_case *c;
    struct case_step steps[CASE_DEPTH];
    size_t depth;
    enum case_class class; /* of the leaf, inherited ones resolved */
    enum case_group group;
    const struct case_field *field; /* of the leaf: the last step's */
    const void *leaf; /* struct leaf_…; for members of lists of texts and references the struct leaf_text */
    struct source *src;
};

struct case_visitor {
    /* Either may be NULL.  The first result that is not E_OK ends the walk.  enter: an element, object,
     * value or the case itself, before its leaves. */
    err (*leaf)(void *self, const struct case_place *at);
    err (*enter)(void *self, const struct case_place *at, enum case_record record, void *record_at);
    void *self;
};

err case_walk(const struct claim_case *c, const struct case_visitor *v) MUST_USE;

view case_place_pointer(const struct case_place *at, arena *mem);
void case_place_print(const struct case_place *at, struct buf *out);
/* Pointer of an element's member: rest "" or "amount/amount".  {NULL,0} when no element has the id (id
 * empty: the case itself). */
view case_pointer(const struct claim_case *c, view id, view rest, arena *mem);
/* The innermost element that a pointer names, its record, and what stands behind it; NULL when the pointer
 * leads nowhere. */
const void *case_pointer_element(const struct claim_case *c, view pointer, enum case_record *ret_record,
                                 view *ret_rest);

/* -- leaves through the table -- */
bool case_leaf_present(enum case_kind kind, const void *leaf);
struct source *case_leaf_source(enum case_kind kind, const void *leaf);
/* Same value; sources do not count. */
bool case_leaf_equal(enum case_kind kind, const void *a, const void *b);
/* As text: what a conflict shows. */
view case_leaf_text(enum case_kind kind, const void *leaf, arena *mem);
size_t case_leaf_size(enum case_kind kind);
/* ISO form with the offset as stated; 2026-06-01T08:30:00+08:00, 2026-06-01, 2026-06, 2026. */
#define TIME_TEXT_SIZE 48
view leaf_print_time(const struct leaf_time *leaf, char out[TIME_TEXT_SIZE]);

static inline const void *
case_member(const void *record_at, const struct case_field *f)
{
    return (const char *)record_at + f->offset;
}

#endif
