/* What a revocation list or an OCSP responder says about one certificate, once its own signature, signer,
 * scope and times have been checked (RFC 5280 sections 5 and 6.3, RFC 6960, RFC 5019).  An answer that does
 * not count is an error with its cause, never a status: a lying or old source can make a certificate unknown,
 * not good.
 *
 * Bytes in, values out: no network, no clock.  Any thread. */
#ifndef SIGNING_REVOCATION_H
#define SIGNING_REVOCATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/instant.h"

enum revocation_source { REVOCATION_NONE, REVOCATION_CRL, REVOCATION_OCSP };
enum revocation_status { REVOCATION_UNKNOWN, REVOCATION_GOOD, REVOCATION_REVOKED };

#define REASON_UNSTATED 0 /* RFC 5280: an absent reason is unspecified */

struct revocation_answer {
    enum revocation_source source;
    enum revocation_status status;
    instant this_update;
    instant next_update; /* INSTANT_NONE when not stated */
    instant produced_at; /* OCSP only */
    instant revoked_at;
    instant invalid_from; /* invalidityDate; INSTANT_NONE when not stated */
    int reason;           /* code of RFC 5280 section 5.3.1 */
};

/* From when on signatures of the key are void: the revocation's date, or for a key in doubt its invalidity
 * date, or the beginning of time when that is not stated (the REASON rows of signing.def). */
instant revocation_counts_from(const struct revocation_answer *a);
const char *revocation_reason_word(int reason);
/* "crl", "ocsp", "none" */
const char *revocation_source_word(enum revocation_source s);
/* May the answer still be called fresh: before nextUpdate, and thisUpdate no older than max_age (0: no bound).
 * An answer without nextUpdate lives for max_age, or a week. */
bool revocation_is_fresh(const struct revocation_answer *a, instant at, span max_age);
instant revocation_fresh_until(const struct revocation_answer *a, span max_age);

/* The list (DER or PEM) about the leaf: signed by that issuer, of a scope that holds the leaf, not from the
 * future and fresh at that time.  E_REVOCATION_ANSWER, E_WEAK_DIGEST, E_CERT_FORM. */
err crl_answer(view list, view leaf_der, view issuer_der, instant at, span max_age,
               struct revocation_answer *ret, struct fault *f) MUST_USE;

struct ocsp_question {
    view leaf;   /* DER; empty: only whether the response is the issuer's word is judged, no status, no age */
    view issuer; /* DER */
    view
        nonce; /* as sent; empty: not asked.  A response without one is then taken only when need_nonce is off */
    bool need_nonce;
    instant at;
    span max_age; /* since thisUpdate; 0: no bound but nextUpdate */
};

/* A response (DER): successful, basic, signed by the issuer itself or by a responder that the issuer
 * certified for it (OCSPSigning), speaking of the leaf, in time, without unknown critical extensions.
 * Errors as crl_answer. */
err ocsp_answer(view response, const struct ocsp_question *q, struct revocation_answer *ret, struct fault *f)
    MUST_USE;
/* A request (DER) for one certificate; CertID with SHA-1 (RFC 5019: responders know no other), which is a name
 * and no signature.  nonce may be empty. */
err ocsp_request(view leaf_der, view issuer_der, view nonce, arena *mem, view *ret, struct fault *f) MUST_USE;

/* Where a certificate says its status can be asked: the first http URL of each; empty when none. */
struct revocation_places {
    view ocsp, crl, issuer; /* issuer: caIssuers */
};
err revocation_places(view der, arena *mem, struct revocation_places *ret, struct fault *f) MUST_USE;

#endif
