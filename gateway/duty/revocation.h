/* Revocation in the background: lists and OCSP answers are fetched before they are needed, so that no request ever
 * waits for a responder and a responder that is down stops nobody.
 *
 * One thread of its own, since a slow responder may hold it.  What it learns goes into the gateway's book through
 * trust_learn_*, which verify it; then the papers that wait are judged again, and those of a revoked signer.  Calls go
 * through the egress guard of net. */
#ifndef DUTY_REVOCATION_H
#define DUTY_REVOCATION_H

#include "flow/gateway.h"

struct revocation_duty;

err revocation_duty_start(struct gateway *g, struct revocation_duty **ret, struct fault *f) MUST_USE;
/* The two below from any thread; seen: after the commit of what that certificate signed, copies what it keeps. */
void revocation_duty_wake(struct revocation_duty *d);
void revocation_duty_seen(struct revocation_duty *d, enum trust_use use, view leaf, view chain);
void revocation_duty_stop(struct revocation_duty *d);

#endif
