/* Deliveries out: thin, signed notices to the recipients' webhooks.
 *
 * One thread takes due deliveries, asks for the permission once more in the same transaction that marks the send as begun, posts a Standard Webhooks message (Ed25519, no personal
 * data) through the egress guard, and records each attempt with its outcome.  2xx is success, 410 disables the endpoint, Retry-After is honoured, anything
 * else is tried again by the schedule with jitter.  A slow or dead recipient never delays another: calls run side by side, and an endpoint that failed ten times
 * in a row rests for a minute.
 *
 * relay_wake: any thread. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "flow/gateway.h"

struct relay;

err relay_start(struct gateway *g, struct relay **ret, struct fault *f) MUST_USE;
/* There may be something due. */
void relay_wake(void *relay);
/* Lets attempts end (at most 25 s), then stops. */
void relay_stop(struct relay *r);

/* Standard Webhooks 1.0: "v1a," + base64(Ed25519 over id.timestamp.body). */
err webhook_sign(const struct key *k, view id, int64_t timestamp, view body, arena *mem, view *ret_signature)
    MUST_USE;
/* E_SIGNATURE_MISMATCH; a list of signatures in the header is searched. */
err webhook_verify(void *pkey, view id, int64_t timestamp, view body, view header, arena *mem) MUST_USE;

#endif
