/* One party of a story in a process of its own: police, prosecutor, hospital, repair shop, insurer, fund, or the app of
 * the people.  What it does comes a step a line (`play {…}`, docs/demo.md) with everything filled in; it writes and signs
 * the paper with its own key, speaks HTTP with the gateway as itself, and tells what came back:
 *
 *   {"status":201,"code":"","place":"","us":1234,"took":{"claim":"claim-…"},"facts":["7","65320"]}
 *
 * It compares nothing: the conductor does, who knows what must come.  One thread; memory from p->mem, emptied after each
 * step. */
#ifndef CLI_ACTOR_H
#define CLI_ACTOR_H

#include "cli/demo/party.h"
#include "cli/demo/party_server.h"

struct actor {
    struct party p;
    const json_t *step; /* the one that is played */
    json_t *events;     /* told by the feed and not yet awaited */
    struct server server;
    struct login *login; /* of a person, NULL before */
    json_t *desk;        /* the step that opened it: what it answers */
};

struct paper {
    view body;
    const char *media;
    struct net_header headers[4];
    size_t n_headers;
};

/* The paper of the step: its body as it is sent, and the signature over these bytes.  `as` names how it is made: plain
 * JSON with a detached JWS of `sign[0]`, an application signed by all of `sign`, a hospital's document. */
err actor_paper(struct actor *a, struct paper *ret, struct fault *f) MUST_USE;
/* A hospital's document of a stay that the story describes: kind certificate, disability, receipt or report. */
err actor_hospital_paper(const json_t *stay, view kind, arena *mem, view *ret, struct fault *f) MUST_USE;
/* Files by resumable upload, some over connections that break. */
err actor_upload(struct actor *a, struct client_reply *ret, struct fault *f) MUST_USE;

/* Opens a desk that answers the gateway's questions who insures a vehicle: "insures" of the step, plate → {no, from, to}. */
err actor_desk(struct actor *a, struct client_reply *ret, struct fault *f) MUST_USE;
/* A person logs in at the gateway for this app: `who` (file stem of his card), `number`. */
err actor_login(struct actor *a, struct client_reply *ret, struct fault *f) MUST_USE;
/* A call with the token of the person who has logged in. */
err actor_as_person(struct actor *a, const struct client_request *rq, struct client_reply *ret,
                    struct fault *f) MUST_USE;
void login_free(struct login *l);

#endif
