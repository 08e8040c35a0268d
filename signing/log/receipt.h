/* The receipt: a compact JWS (typ claimgate-receipt+jwt, ES256) that says what we received, when, and by
 * when it stands in the log.  No log position in it, so that its bytes are final before the commit
 * (DECISIONS "Receipt, log, feed").  Made in the request's thread. */
#ifndef SIGNING_RECEIPT_H
#define SIGNING_RECEIPT_H

#include "base/id.h"
#include "signing/jose/jws.h"

struct receipt {
    view issuer;              /* iss: the gateway's base URL */
    submission_id submission; /* sub */
    digest document;          /* SHA-256 of the bytes received */
    digest verdict;           /* SHA-256 of the verdict's JSON */
    view sender;              /* partner id text of the sender */
    instant received_at;      /* printed in ms */
    digest leaf;              /* leaf hash */
    view log_id;              /* origin of the log */
    instant include_by;
};

err receipt_sign(const struct receipt *r, const struct key *k, arena *mem, view *ret_jws) MUST_USE;
/* Reads and verifies with the gateway's public key; views live in mem. */
err receipt_check(view jws, void *pkey, arena *mem, struct receipt *ret, struct fault *f) MUST_USE;

#endif
