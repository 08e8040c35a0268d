/* What of a case is a person's.  An accident has one case and several people: each reads his own claims, the papers that are not another's, and what went out of them.
 *
 * A person stands for himself and for those for whom he signed (a child, a ward, an insured): by the codes that came with these papers.  Any thread; rows from the arena. */
#ifndef FLOW_VIEW_OWN_H
#define FLOW_VIEW_OWN_H

#include "flow/gateway.h"

struct case_rows {
    struct row_claim *claims;
    struct row_document *documents;
    struct row_delivery *deliveries;
    struct row_timeline *timeline;
};

/* All rows of the case that are this person's. */
err own_rows(struct reader *r, uid in_case, const digest *person, instant now, arena *mem,
             struct case_rows *ret) MUST_USE;

#endif
