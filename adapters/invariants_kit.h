/* Inside of invariants.h: what the checks share. */
#ifndef ADAPTERS_INVARIANTS_KIT_H
#define ADAPTERS_INVARIANTS_KIT_H

#include "adapters/case_walk.h"
#include "adapters/invariants.h"

struct check {
    struct claim_case *c;
    arena *mem;
    const struct case_rule *rule;
    size_t n; /* findings of this rule */
    err failed;
};

#define RULE(number, code, severity, en, zh) void invariant_##number(struct check *k);
#include "adapters/invariants.def"
#undef RULE

/* Adds a finding at an element's member.  id empty: the case itself, rest then begins with the section. */
void found_at(struct check *k, view id, const char *rest, view expected, view found);
/* The same with a pointer that is known. */
void found(struct check *k, view pointer, view expected, view found_text);

/* Amounts as text for a finding. */
view amount_text(struct check *k, decimal d);

static inline bool
leaf_is(const struct leaf_text *leaf, const char *word)
{
    return view_eq(leaf->v, view_of(word));
}

static inline bool
same_reference(const struct leaf_text *a, const struct leaf_text *b)
{
    return a->v.n && view_eq(a->v, b->v);
}

/* "#p1" names the element with id p1. */
static inline bool
refers_to(const struct leaf_text *reference, view id)
{
    return reference->v.n == id.n + 1 && id.n && memcmp(reference->v.p + 1, id.p, id.n) == 0;
}

bool any_refers_to(const struct case_item *list, view id);
/* The word stands in a list "a|b|c". */
bool one_of(const struct leaf_text *leaf, const char *words);
bool has_role(const struct claim_case *c, const struct leaf_text *party, const char *words);
/* Day of the accident, else of the event; false when unknown. */
bool accident_day(const struct claim_case *c, date *ret);
/* Money present? */
static inline bool
has_money(const struct case_money *m)
{
    return m->amount.set;
}

#endif
