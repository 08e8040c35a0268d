/* Inside of the relay: one attempt to send, and the storing of what came of it.  Only the relay's thread. */
#ifndef RELAY_INSIDE_H
#define RELAY_INSIDE_H

#include "flow/gateway.h"

/* Lives from begin to its stored outcome. */
struct send {
    struct relay *relay;
    arena *mem;
    struct row_delivery *delivery;
    struct row_endpoint *endpoint;
    struct row_event *event;
    view body;
    int64_t started_us;
    /* when it has ended */
    bool good, last; /* last: no further attempt */
    int status;      /* of HTTP, 0 when there was none */
    view reason;
    instant again; /* when neither good nor last */
    int64_t us;
    struct send *next;
};

/* Everything that has ended, in one unit; when that cannot be, each in its own. */
void outcomes_store(struct gateway *g, struct send *list);

#endif
