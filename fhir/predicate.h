/* Rules of FHIR (constraint.expression) written in C: the ones that base R4 asks of common elements, and
 * those that this project's profiles declare.
 *
 * A profile names a rule by its key; predicates.def lists key, expression and function, and the types of
 * the base that a rule belongs to.  A key that is not listed is not judged (E_RULE_NOT_JUDGED in strict
 * mode).  Constant data, any thread.  Inside this room only. */
#ifndef FHIR_PREDICATE_H
#define FHIR_PREDICATE_H

#include "fhir/fhir.h"

struct scene {
    const struct tree *tree;
    const struct bundle *bundle; /* without entries when the root is no Bundle */
    const struct node *resource; /* the one that holds the element */
};

struct predicate {
    const char *key;
    const char *expression; /* FHIRPath, for messages */
    bool (*holds)(const struct scene *s, const struct node *n);
    bool base; /* belongs to types of the base: the structure walk judges it */
};

/* NULL when there is none. */
const struct predicate *predicate_find(view key);

/* The rules of a type of the base, one after the other; NULL behind the last. */
const struct predicate *predicate_of_type(uint16_t shape, uint32_t i);
void predicate_start(void);

#endif
