/* Consistency of sources: what police, hospital and receipts say of each other (consistency.def).
 *
 * Run over a folded case; each finding names both places (pointer), their documents and byte ranges (findings[].evidence), so that it can be looked up in the
 * originals.  A projection is folded from the papers that its recipient may see and shows a finding only when both places are shown: nobody learns by a finding what
 * a withheld paper says.  Nothing stated is changed, nothing decided.  One thread, memory from the arena. */
#ifndef ADAPTERS_RULES_CONSISTENCY_H
#define ADAPTERS_RULES_CONSISTENCY_H

#include "adapters/case.h"

#define CONSISTENCY_VERSION "1"

struct consistency_row {
    int number;
    const char *code, *severity, *compares;
    const char *text[2]; /* by enum lang */
};
size_t consistency_rules(const struct consistency_row **ret);

/* Appends to c->findings, at most 64 for one rule; *ret_n (may be NULL): how many.  E_TOO_LARGE. */
err consistency_check(struct claim_case *c, arena *mem, size_t *ret_n) MUST_USE;

#endif
