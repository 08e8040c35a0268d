/* Claims that an application forwards: one insurer is the first and gets the original papers, the others get what is forwarded.
 *
 * The person's signed item says `relay_role`: first or forwarded.  The first insurer has a task `original_papers` (flow/task) from the filing on and answers it `done` when the papers are there; until then no
 * claim of the application is paid above the rule's amount (adapters/rules/relay.def), and says what it waits for.  Nobody learns who the others are.  Any thread; memory from the arena. */
#ifndef FLOW_ORIGINAL_H
#define FLOW_ORIGINAL_H

#include "base/buf.h"
#include "base/json.h"
#include "flow/gateway.h"

/* Word of relay_role in a claim's detail (claim_benefits), empty when it is not forwarded. */
view original_role(view detail, arena *mem);
/* By which the task of an application is found. */
digest original_about(const struct seal *s, uid application);
/* E_ORIGINAL_AWAITED when the event pays more than may be paid now.  said: the insurer's word. */
err original_check(struct gateway *g, struct reader *r, const struct row_claim *claim, view event,
                   const json_t *said, arena *mem, struct fault *f) MUST_USE;
/* ,"waiting_for":{"party","reason","rule","due"} behind a claim's members while it waits. */
err original_print(struct gateway *g, struct reader *r, const struct row_claim *claim, instant now,
                   arena *mem, struct buf *out) MUST_USE;

#endif
