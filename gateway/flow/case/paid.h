/* What compulsory insurers and the fund have paid a victim before, by head, and what was approved in advance: from their signed decisions on all claims of the case (給付標準 7: the ceilings are over all of them).
 *
 * A decision says by `benefit` which head it is on; on a claim of one benefit that is clear.  Any thread; memory from the arena. */
#ifndef FLOW_PAID_H
#define FLOW_PAID_H

#include "adapters/case.h"
#include "flow/gateway.h"

/* Fills claims[].cali.paid_before and .interim of the own claim in the frame, where there is something to say.  all: the rows of the case's claims. */
err paid_add(struct gateway *g, struct reader *r, const struct row_claim *own, const struct row_claim *all,
             struct case_claim *claim, arena *mem) MUST_USE;

#endif
