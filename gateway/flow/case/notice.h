/* Notices that the law demands between motor insurers, without the person's consent (DOMAIN D2): a permission of kind statute, a claim that waits for the
 * person, and deliveries of what the article names, and nothing else.  The person reads them in the record. Any thread. */
#ifndef FLOW_CASE_NOTICE_H
#define FLOW_CASE_NOTICE_H

#include "flow/gateway.h"

/* body: {"to":"統一編號","basis":"cali-14-3"} by the insurer of the claim.  Again: the same answer, *ret_created false.
 * ret_json: {"permission","claim","to","basis","article"}.  E_NOT_FOUND, E_SCHEMA, E_NOTICE_BASIS, E_RECIPIENT. */
err notice_by_law(struct gateway *g, partner_id who, claim_id id, view body, instant now, arena *mem,
                  view *ret_json, bool *ret_created, struct fault *f) MUST_USE;

#endif
