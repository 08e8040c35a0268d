/* What bundle_resolve looks things up in.  Inside this room only; made by bundle_index, immutable
 * afterwards, any thread. */
#ifndef FHIR_BUNDLE_INDEX_H
#define FHIR_BUNDLE_INDEX_H

#include "fhir/fhir.h"
#include "fhir/hash.h"

#define BUNDLE_AMBIGUOUS UINT32_MAX

struct bundle_tables {
    struct hash_table urls; /* fullUrl → entry */
    struct hash_table
        versions; /* (fullUrl, meta.versionId) → entry; where a version is stated or a fullUrl comes again */
    struct hash_table ids;       /* (type, id) → entry or BUNDLE_AMBIGUOUS */
    uint32_t *nodes;             /* of each entry: its own, rising */
    bool has_versions;           /* some resource states a versionId */
    struct hash_table contained; /* (node of the container, id) → node */
};

/* A bundle without entries around a single resource, so that references to contained resources can be
 * followed. */
err bundle_of_resource(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues) MUST_USE;

/* The resource that holds n: n itself when it is one. NULL when there is none. */
const struct node *bundle_resource_of(const struct tree *t, const struct node *n);
/* The resource that a contained one stands in; the resource itself when it is not contained. */
const struct node *bundle_container(const struct tree *t, const struct node *resource);
/* The entry whose resource is, or holds, this one; NULL when it stands in none. */
const struct bundle_entry *bundle_entry_of(const struct bundle *b, const struct node *resource);

enum reference_kind {
    REFERENCE_CONTAINED, /* #id */
    REFERENCE_RELATIVE,  /* Type/id */
    REFERENCE_LOCAL,     /* urn:uuid: or urn:oid: */
    REFERENCE_ABSOLUTE,  /* any other URL */
};
enum reference_kind reference_kind(view reference);
/* The type that Type/id at the end of a reference names; the empty view when it names none. */
view reference_type(view reference);

#endif
