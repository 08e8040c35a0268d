/* A small web server for what is sent here (webhooks to an insurer, heads to a witness): one thread, one poll loop, a handful of connections, each
 * with ten seconds for its request.
 *
 * Each POST is handed over whole; the answer may be put off, so that a slow receiver can be played without stopping
 * the others.  One request a connection.  The caller polls with server_add and calls server_turn afterwards. */
#ifndef CLI_PARTY_SERVER_H
#define CLI_PARTY_SERVER_H

#include "base/buf.h"
#include "base/instant.h"

#include <poll.h>

#define SERVER_VISITS 32

struct webhook {
    view id, timestamp, signature, body; /* headers webhook-id, webhook-timestamp, webhook-signature */
    view method, target;
    struct buf *answer; /* what stands here afterwards is the answer's body, text */
};
/* Returns the status to answer with; *ret_put_off_us: how long the answer waits. */
typedef int (*webhook_fn)(void *self, const struct webhook *w, int64_t *ret_put_off_us);

struct visit {
    int fd; /* -1: free */
    struct buf in, out;
    int status; /* 0: still reading */
    int64_t opened_us;
    int64_t answer_at_us;
};
struct server {
    int fd, port;
    webhook_fn fn;
    void *self;
    struct visit visits[SERVER_VISITS];
};

/* Listens on "address:port" (IPv4, numeric; port 0: a free one). */
err server_open_at(struct server *s, const char *where, webhook_fn fn, void *self) MUST_USE;
/* On a free port of the loopback address. */
err server_open(struct server *s, webhook_fn fn, void *self) MUST_USE;
void server_close(struct server *s);
/* Appends what to poll for; room for SERVER_VISITS + 1. Returns how many were added. */
size_t server_poll(const struct server *s, struct pollfd *ret);
void server_turn(struct server *s);
/* An answer waits to be given. */
bool server_owes(const struct server *s);

#endif
