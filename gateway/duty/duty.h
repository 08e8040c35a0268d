/* Background work: changes of the registry whose time has come, and what has outlived its purpose (nonces, idempotency records after 7 days, refusal rows after 7 days).  One thread,
 * a round a second; nothing here is on a request's way. */
#ifndef DUTY_DUTY_H
#define DUTY_DUTY_H

#include "flow/gateway.h"

struct duty;
err duty_start(struct gateway *g, struct duty **ret, struct fault *f) MUST_USE;
void duty_stop(struct duty *d);
/* One round at a time, for tests. */
err duty_round(struct gateway *g, instant now, struct fault *f) MUST_USE;

#endif
