/* SD-JWT (RFC 9901): an issuer's signed claims, of which the holder shows some, and his key-binding JWT.
 *
 * Two steps, since the key has to be found in between: sd_jwt_split takes the text apart and reads who issued it,
 * the caller finds that issuer's key in its own trust list, sd_jwt_verify checks and puts the claims together.  No
 * key, and no place of a key, is ever taken from the message.  Compact and flattened JSON form.
 *
 * Everything lives in the arena given.  Any thread. */
#ifndef SIGNING_SD_JWT_H
#define SIGNING_SD_JWT_H

#include "signing/jose/jws.h"

#define SD_JWT_SIZE_MAX 65536
#define SD_JWT_DISCLOSURES_MAX 200
#define SD_JWT_DEPTH_MAX 10

struct sd_jwt {
    struct jws_parts jwt; /* the issuer's */
    view disclosures[SD_JWT_DISCLOSURES_MAX];
    size_t n_disclosures;
    view presented;    /* issuer's JWT and disclosures, a tilde behind each: what sd_hash covers */
    view key_binding;  /* the holder's JWT, compact; empty when there is none */
    json_t *unchecked; /* the issuer's payload as it came: to find the issuer by, for nothing else */
};

/* E_SD_JWT_FORM, E_TOO_LARGE, and what jws_split and json_load answer. */
err sd_jwt_split(view text, arena *mem, struct sd_jwt *ret, struct fault *f) MUST_USE;

struct sd_jwt_policy {
    const char *const *types; /* typ values taken, NULL at the end; NULL takes any */
    void *pkey;               /* the issuer's, from the caller's list, with its pinned algorithm */
    enum jose_alg alg;
    instant now;
    span skew;          /* allowed between clocks */
    bool needs_exp;     /* a token without an end is refused */
    bool is_credential; /* iss, nbf, exp, cnf, vct and status must not be among the disclosed (SD-JWT VC) */
};

/* Checks of B.3 5 to 13: typ, algorithm, signature, _sd_alg, form of each disclosure, no digest twice, none
 * unreferenced, times.  *ret_claims: the payload with what was disclosed in its places, digests and _sd_alg taken
 * out.  E_CREDENTIAL_TYP, E_ALGORITHM, E_SIGNATURE_MISMATCH, E_SD_ALG, E_SD_DISCLOSURE, E_SD_NAME,
 * E_SD_DIGEST_TWICE, E_SD_UNREFERENCED, E_CREDENTIAL_TIME. */
err sd_jwt_verify(const struct sd_jwt *s, const struct sd_jwt_policy *p, arena *mem, json_t **ret_claims,
                  struct fault *f) MUST_USE;

struct sd_binding {
    view nonce;
    view audience; /* whole client id, with its prefix */
    instant now;
    span window; /* of iat, both ways */
};

/* Checks of B.3 15 to 19.  claims: what sd_jwt_verify gave.  *ret_payload: the key-binding JWT's, for
 * transaction_data_hashes.  E_KEY_BINDING_MISSING, E_CREDENTIAL_TYP, E_HOLDER_KEY (no usable cnf.jwk), E_ALGORITHM,
 * E_SIGNATURE_MISMATCH, E_PRESENTATION_TIME, E_PRESENTATION_NONCE, E_PRESENTATION_AUDIENCE,
 * E_PRESENTATION_DIGEST. */
err sd_jwt_check_binding(const struct sd_jwt *s, const json_t *claims, const struct sd_binding *b, arena *mem,
                         json_t **ret_payload, struct fault *f) MUST_USE;

/* The holder's key as the issuer bound it: cnf.jwk.  The arena frees it.  E_HOLDER_KEY. */
err sd_jwt_holder_key(const json_t *claims, arena *mem, void **ret_pkey, enum jose_alg *ret_alg,
                      struct fault *f) MUST_USE;

/* exp, nbf, iat of any JWT payload against now; needs_exp as above. E_CREDENTIAL_TIME. */
err jwt_check_times(const json_t *payload, instant now, span skew, bool needs_exp, struct fault *f) MUST_USE;

#endif
