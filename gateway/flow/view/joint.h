/* Compulsory cover by several insurers jointly: whoever is asked pays the whole (理賠辦法 22-1); shares are settled between the insurers afterwards, as a recourse (share_36).
 *
 * A decision is refused that pays this insurer's share only: it says so in its reason (a rule of sharing, CALI-36…), or its amount is exactly what the motor rules make this insurer's share of what counts, with no
 * other reason given.  Any other amount is the insurer's to answer for.  Any thread; memory from the arena. */
#ifndef FLOW_JOINT_H
#define FLOW_JOINT_H

#include "base/json.h"
#include "flow/gateway.h"

struct joint_decision {
    partner_id insurer;
    const struct row_claim *claim;
    view event;
    const json_t *said; /* {"amount"?:{…},"reason"?:…} */
    instant at;
};
/* E_JOINT_SHARE. */
err joint_check(struct gateway *g, const struct joint_decision *d, arena *mem, struct fault *f) MUST_USE;

#endif
