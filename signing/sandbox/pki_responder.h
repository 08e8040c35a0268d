/* The sandbox's OCSP responders, revocation lists and time-stamp authority as one object that a small server asks:
 * real answers signed by the sandbox's keys, and the bad moods that drills play.
 *
 * Paths: POST /ocsp/<ca>, GET /crl/<ca>.crl, POST /tsa.  Only the sandbox uses this.  Behind one lock; any thread. */
#ifndef SIGNING_PKI_RESPONDER_H
#define SIGNING_PKI_RESPONDER_H

#include "base/arena.h"
#include "base/err.h"

struct pki_responder;

/* dir as pki_sandbox_make wrote it.  E_FILE. */
err pki_responder_open(const char *dir, struct pki_responder **ret, struct fault *f) MUST_USE;
void pki_responder_close(struct pki_responder *r);

/* One order, JSON:
 *   {"mode":"ok|down|slow|wrong-signer|replayed","of":"hca"|"tsa"|absent for all}
 *   {"mode":"wrong-nonce|wrong-imprint|wrong-policy","of":"tsa"}
 *   {"tsa":"tsa-next"}  another certificate of the sandbox stamps from here on
 *   {"revoke":"h1","reason":1,"seconds":-60,"invalid_seconds":-3600}   (from now; invalid_seconds may be absent)
 *   {"clock":3600}  moves the responder's clock    {"life":7200}  seconds from thisUpdate to nextUpdate
 * E_PARAMETER. */
err pki_responder_order(struct pki_responder *r, view json, arena *mem, struct fault *f) MUST_USE;

enum pki_mood { PKI_ANSWERS, PKI_DOWN, PKI_SLOW };
/* The answer to a path's request; media and body are set with PKI_ANSWERS. E_NOT_FOUND, E_SYNTAX, E_INTERNAL. */
err pki_responder_answer(struct pki_responder *r, view path, view body, arena *mem, enum pki_mood *ret_mood,
                         view *ret_media, view *ret_body) MUST_USE;

#endif
