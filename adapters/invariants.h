/* The invariants of a case as a rule pack (SCHEMA 3.5).  They look and tell: a broken one becomes a
 * finding of the case, stated values stay as stated, nothing is decided (SCHEMA 3.1).  One thread;
 * findings live in the arena. */
#ifndef ADAPTERS_INVARIANTS_H
#define ADAPTERS_INVARIANTS_H

#include "adapters/case.h"

#define INVARIANTS_VERSION "1"

struct case_rule {
    int number;
    const char *code;
    const char *severity; /* word of finding_severity */
    const char *text[2];  /* by enum lang */
};

/* All rules, by number from 1. */
size_t case_rules(const struct case_rule **ret);
/* Appends a finding per breach to c->findings, at most 64 for one rule; *ret_n (may be NULL) says how
 * many.  E_TOO_LARGE. */
err case_check(struct claim_case *c, arena *mem, size_t *ret_n) MUST_USE;
/* One rule. */
err case_check_rule(struct claim_case *c, int number, arena *mem, size_t *ret_n) MUST_USE;
/* Rule 3, for one field of the table. */
bool invariant_field_annotated(const struct case_field *f, enum case_form owner);

#endif
