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
    view expression;             /* of the rule; for those that are known by their key alone */
};

struct predicate {
    const char *key;
    const char *expression; /* FHIRPath: a rule is known by its key and its text */
    /* NULL: the walk (validate_walk.c, validate_document.c) says it in its own way */
    bool (*holds)(const struct scene *s, const struct node *n);
};

/* NULL when there is none: the expression is compiled then. */
const struct predicate *predicate_find(view key, view expression);
/* For packs: 1 …; 0 is none. */
uint32_t predicate_number(const struct predicate *p);
const struct predicate *predicate_at(uint32_t number);
uint32_t predicate_count(void);

#endif
