/* Heads of the log: one every log.head_every seconds while it grows, signed by us, shown to the witnesses for their cosignatures, put into deliveries
 * (gateway_set_head) and appended to <store.dir>/log/heads, which the audit reads.  A thread of its own, because witnesses may be slow. */
#ifndef DUTY_HEADS_H
#define DUTY_HEADS_H

#include "flow/gateway.h"

struct heads;
/* Reads the list of witnesses; without a quorum the first head stands when this returns. */
err heads_start(struct gateway *g, struct heads **ret, struct fault *f) MUST_USE;
void heads_stop(struct heads *h);

#endif
