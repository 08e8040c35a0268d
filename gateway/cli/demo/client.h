/* A partner's side of the API for commands: one blocking call at a time, with a token by private_key_jwt.
 *
 * client_open reads a folder that `claimgate init --sandbox` made: partners.json names the partner's id and client
 * key, claimgate.conf the gateway's address.  The token is asked for at the first call and kept until 30 s before it
 * expires.  Loopback and private addresses may be called: these are commands for sandboxes and for operators' own
 * machines.  net_start comes first.  A client belongs to one thread.  Errors are those of net_fetch; a reply of any
 * status is E_OK, and client_code tells what the gateway said. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/json.h"
#include "cli/command.h"
#include "net/net.h"

struct client;

err client_open(const char *dir, const char *name, struct client **ret, struct fault *f) MUST_USE;
void client_free(struct client *c);
DEFINE_AUTO(struct client *, client_free)
/* Of the gateway, without a slash at the end; lives as long as the client. */
const char *client_base(const struct client *c);

struct client_request {
    const char *method, *path; /* path from the base, or a whole URL */
    view body;
    const char *media;                /* Content-Type; NULL = application/json when there is a body */
    const struct net_header *headers; /* further ones, at most 8 */
    size_t n_headers;
    bool anonymous; /* no token */
};

struct client_reply {
    int status;
    view body;
    json_t *json; /* the body when it is JSON, else NULL; lives in the arena */
    view etag;    /* of a claim: its version in quotes, which is the ETag the gateway gives; else empty */
    span took;
};

err client_call(struct client *c, const struct client_request *rq, arena *mem, struct client_reply *ret,
                struct fault *f) MUST_USE;
err client_get(struct client *c, const char *path, arena *mem, struct client_reply *ret, struct fault *f)
    MUST_USE;
err client_post(struct client *c, const char *path, view body, arena *mem, struct client_reply *ret,
                struct fault *f) MUST_USE;

/* "Bearer …", asked for when there is none that lives. */
err client_bearer(struct client *c, arena *mem, view *ret, struct fault *f) MUST_USE;
/* The partner's id, and a fresh assertion by its key (private_key_jwt), for forms of its own. */
view client_name(const struct client *c);
err client_assertion(struct client *c, arena *mem, view *ret) MUST_USE;

/* The stable code and the place of a refusal, from OperationOutcome or problem+json; empty for a 2xx. */
view client_code(const struct client_reply *reply);
view client_place(const struct client_reply *reply);
/* 32 random characters, for Idempotency-Key. */
view client_nonce(arena *mem);

#endif
