/* Value sets and code systems as far as validation needs them: is a code in the set?
 *
 * Filled while a profile set is loaded, in the loader's arena; immutable afterwards, any thread.  Codes
 * are kept as keyed 64-bit hashes, so that a list of a hundred thousand costs megabytes and no more.
 * Inside this room only. */
#ifndef FHIR_VALUE_SET_H
#define FHIR_VALUE_SET_H

#include "base/json_tree.h"
#include "fhir/hash.h"

struct code_system {
    view url, version;
    bool complete; /* content=complete: what is not listed is no code of it */
    struct hash_table codes;
};

struct code_include {
    view system;                      /* the whole system */
    const struct code_system *listed; /* NULL: not loaded, so nobody knows its codes */
};

struct value_set {
    view url, version;
    const struct tree *tree;
    const struct node *root;
    struct hash_table codes;    /* (system, code) and code alone */
    struct hash_table excluded; /* the same */
    struct code_include *systems;
    uint32_t n_systems;
    const struct value_set **parts; /* this one and all that it includes */
    uint32_t n_parts;
    bool unclear; /* has a filter or another part that is not evaluated */
};

enum code_answer { CODE_IN, CODE_OUT, CODE_UNCLEAR };

err code_system_read(const struct tree *t, arena *mem, struct code_system *ret) MUST_USE;
/* Own includes; systems and other value sets are linked when everything is read. */
err value_set_read(const struct tree *t, arena *mem, struct value_set *ret) MUST_USE;

/* What the linker asks: NULL when it is not loaded. */
struct value_set_finder {
    const void *self;
    const struct code_system *(*code_system)(const void *self, view canonical);
    const struct value_set *(*set)(const void *self, view canonical);
};
err value_set_link(struct value_set *s, const struct value_set_finder *find, arena *mem) MUST_USE;

/* has_system false: a bare code. */
enum code_answer value_set_holds(const struct value_set *s, view system, bool has_system, view code);

#endif
