/* A case as compact JSON and back.
 *
 * Members stand in the table's order, absent ones are left out, so equal cases give equal bytes.  Sources,
 * when asked for, stand in one member "sources" behind all others: base64url of 12 bytes per leaf in the
 * order in which the leaves stand in the text (document, how, flags, from, length; little endian).  This
 * is the stored form of facts; a projection is written without it (THREATS S5). The decoder reads what the
 * encoder wrote: an unknown member, a word outside its list, another type is E_SCHEMA with the place.  A
 * decoded case borrows from the tree.  Any thread. */
#ifndef ADAPTERS_CASE_CODEC_H
#define ADAPTERS_CASE_CODEC_H

#include "adapters/case.h"
#include "base/buf.h"

/* What may leave: leaves whose group is in the mask, in list elements that the predicate lets pass (NULL:
 * all).  An element without any leaf of its own is left out whole.  Projections are built by view.h, which
 * also renumbers and cuts references. */
struct case_filter {
    uint64_t groups; /* 1 << enum case_group */
    bool (*element)(void *self, enum case_record record, const void *element);
    void *self;
};

#define CASE_GROUP_BIT(group) (UINT64_C(1) << (group))

/* filter NULL: everything.  E_TOO_LARGE when out is full; E_SCHEMA when a word stands outside its list (a
 * mistake of the adapter: nothing usable is in out). */
err case_encode(const struct claim_case *c, const struct case_filter *filter, bool with_sources,
                struct buf *out) MUST_USE;
err case_decode(const struct tree *t, const struct node *n, arena *mem, struct claim_case **ret,
                struct fault *f) MUST_USE;

/* One record of the table (an element, a value) as JSON; for conflicts and tests. */
err case_encode_record(enum case_record record, const void *at, struct buf *out) MUST_USE;
/* {"/pointer":[{"document":…,"how":…,"range":[from,length]}],…} for the operator and the person (SCHEMA
 * provenance). */
err case_print_provenance(const struct claim_case *c, struct buf *out) MUST_USE;

const char *source_how_word(enum source_how how);

/* JSON form of one leaf, without its name. */
void case_write_leaf(enum case_kind kind, const void *leaf, struct buf *out);

#endif
