/* Time-stamps after RFC 3161 with RFC 5816: what is sent to an authority, and whether what came back proves
 * that a digest existed at a time.
 *
 * The proof outlives the authority's certificate: the chain is judged at the token's own time.  Bytes in,
 * values out; any thread. */
#ifndef SIGNING_TSP_H
#define SIGNING_TSP_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/instant.h"

/* A request (DER) over a hash of 32, 48 or 64 bytes (SHA-256, -384, -512), asking for the authority's certificate.  nonce: 8 bytes or
 * empty; policy: an OID or NULL. */
err tsp_request(view imprint, view nonce, const char *policy, arena *mem, view *ret, struct fault *f)
    MUST_USE;

struct tsp_question {
    view imprint;        /* hash of the bytes, its size says which; empty: data is given */
    view data;           /* the bytes; their digest is made with the token's hash (SHA-2 only) */
    view nonce;          /* as sent; empty: not asked */
    const char *policy;  /* OID that must stand in the token; NULL: any */
    const view *anchors; /* DER; self-signed roots or pinned authorities */
    size_t n_anchors;
    const view *rest; /* DER; certificates that may be missing in the token */
    size_t n_rest;
    instant latest;  /* the token may not be from later than this; INSTANT_NONE: not asked */
    instant good_at; /* the authority's path must hold then too; INSTANT_NONE: at the token's own time only */
};

struct tsp_token {
    instant at;              /* genTime */
    span accuracy;           /* zero when not stated */
    view token;              /* the TimeStampToken (DER), to store */
    digest authority;        /* SHA-256 of the signer's certificate */
    instant authority_until; /* its notAfter: renew before */
};

/* A whole response (TimeStampResp).  E_TIME_STAMP with the cause in expected and found; E_CHAIN, E_CERT_TIME,
 * E_CERT_USAGE, E_ALGORITHM for the authority's certificate; E_WEAK_DIGEST. */
err tsp_answer(view response, const struct tsp_question *q, arena *mem, struct tsp_token *ret,
               struct fault *f) MUST_USE;
/* The same for a stored token. */
err tsp_token_verify(view token, const struct tsp_question *q, arena *mem, struct tsp_token *ret,
                     struct fault *f) MUST_USE;
/* Size of the hash that a token is over: 32, 48, 64; 0 when it is another or no token. */
size_t tsp_token_hash(view token);

#endif
