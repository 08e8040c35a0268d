/* One request on a connection of its own, whose reply shows its headers: what a browser needs (cookies, redirections),
 * and DPoP (nonces).  Plain HTTP to the gateway of the sandbox on the loopback address.  Memory from the arena. */
#ifndef CLI_EXCHANGE_H
#define CLI_EXCHANGE_H

#include "cli/demo/client.h"

struct exchange {
    const char *method;
    view target; /* path and query */
    const char *media;
    view body;
    struct net_header headers[4];
    size_t n_headers;
};
struct exchange_reply {
    int status;
    view head, body;
};

err exchange_call(struct client *c, const struct exchange *x, arena *mem, struct exchange_reply *ret,
                  struct fault *f) MUST_USE;
/* The first header of this name, trimmed; empty when there is none. */
view exchange_header(const struct exchange_reply *reply, view name);

/* Announces the body whole and sends n bytes of it, then no more, and waits until the gateway has closed. */
err exchange_break(struct client *c, const struct exchange *x, size_t n, arena *mem, struct fault *f)
    MUST_USE;

/* name=value for a form or a query, with & before it unless it is the first. */
void form_add(struct buf *form, const char *name, view value);

#endif
