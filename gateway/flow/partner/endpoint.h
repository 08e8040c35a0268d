/* Webhook endpoints of a partner: where its thin notices go.  An endpoint must be HTTPS (plain HTTP and private addresses only in sandbox mode with
 * relay.allow_private); whether the address may be called is asked again at every send by the egress guard. */
#ifndef FLOW_ENDPOINT_H
#define FLOW_ENDPOINT_H

#include "flow/gateway.h"

/* body: {"url":"https://…"} */
err endpoint_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
                    struct fault *f) MUST_USE;
err endpoint_list(struct gateway *g, partner_id who, arena *mem, view *ret_json, struct fault *f) MUST_USE;
err endpoint_delete(struct gateway *g, partner_id who, endpoint_id id, arena *mem, struct fault *f) MUST_USE;

#endif
