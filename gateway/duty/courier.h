/* Moves the bytes of exchanges (flow/person/exchange.h): asks verifier modules and MyData, fetches status lists.  One thread, one call at a time, under
 * the same egress policy as deliveries; private addresses only in sandbox mode with relay.allow_private. */
#ifndef DUTY_COURIER_H
#define DUTY_COURIER_H

#include "flow/gateway.h"

struct courier;
/* Starts nothing (and gives NULL) where neither wallets nor MyData are set up. */
err courier_start(struct gateway *g, struct courier **ret, struct fault *f) MUST_USE;
/* Waits for the call under way; NULL is nothing. */
void courier_stop(struct courier *c);

#endif
