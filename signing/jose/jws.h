/* JWS and JWK on OpenSSL EVP (RFC 7515, 7517, 7518, 7797, 8037).
 *
 * Verification takes an explicit (algorithm, key) pair, never one from the message; the protected header
 * must carry alg and equal the pair's; any crit name but b64 refuses; duplicate names refuse; signature
 * length is checked before OpenSSL sees it; base64url is strict; jku, x5u and jwk are never fetched or
 * used.  Keys are EVP_PKEY * behind void * so that no other room needs OpenSSL headers.  Any thread; a
 * pkey may be shared by threads. */
#ifndef SIGNING_JWS_H
#define SIGNING_JWS_H

#include "signing/verify.h"

#include "base/json.h"

struct jws_header {
    enum jose_alg alg;
    view kid, typ;
    bool b64;      /* RFC 7797; true when absent */
    view x5c_leaf; /* DER of the first x5c certificate, empty when none */
    view x5c_rest[4];
    size_t n_rest;
    instant signed_at; /* sigT or iat, INSTANT_NONE when absent */
};

struct jws_parts {
    view protected_b64, payload_b64, signature_b64; /* payload empty when detached */
    struct jws_header header;
};

/* "a.b.c" or "a..c". E_SIGNATURE_FORM, E_ALGORITHM, E_JWS_CRIT. */
err jws_split(view compact, arena *mem, struct jws_parts *ret, struct fault *f) MUST_USE;
/* A protected header alone, as the JSON form carries it. The same errors. */
err jws_header_read(view protected_b64, arena *mem, struct jws_header *ret, struct fault *f) MUST_USE;
/* payload: the exact bytes (detached) or VIEW_NONE to use the embedded one. E_SIGNATURE_MISMATCH,
 * E_ALGORITHM when the pair does not fit. */
err jws_verify(const struct jws_parts *parts, view payload, enum jose_alg alg, void *pkey, arena *mem,
               struct fault *f) MUST_USE;
/* Decoded embedded payload. */
err jws_payload(const struct jws_parts *parts, arena *mem, view *ret, struct fault *f) MUST_USE;

/* A signing key of ours: the key_ops seam (PEM file, PKCS#11 token). */
struct key_ops {
    const char *name;
    err (*sign)(void *self, enum jose_alg alg, view data, arena *mem,
                view *ret_signature); /* JOSE form: r‖s for ECDSA */
    void (*free)(void *self);
};
struct key {
    const struct key_ops *ops;
    void *self;
    enum jose_alg alg;
    view kid;   /* RFC 7638 thumbprint, base64url */
    void *pkey; /* public half, EVP_PKEY * */
};
/* A PEM file, or a key in a token by its URI (RFC 7512): pkcs11:token=…;object=…?module-path=…&pin-source=file:…  E_CONFIG, E_FILE besides. */
err key_load(const char *place, struct key **ret, struct fault *f) MUST_USE;
err key_load_pkcs11(const char *uri, struct key **ret, struct fault *f) MUST_USE;
err key_load_pem(const char *file, struct key **ret, struct fault *f) MUST_USE;
err key_of_pem(view pem, struct key **ret, struct fault *f) MUST_USE;
/* Makes a new key and writes PKCS#8 PEM with mode 0400; E_FILE when the file exists. */
err key_create(const char *file, enum jose_alg alg, struct key **ret, struct fault *f) MUST_USE;
/* A new key as PEM text that is kept nowhere else: for one request. */
err key_create_pem(enum jose_alg alg, arena *mem, view *ret_pem) MUST_USE;
void key_free(struct key *k);
DEFINE_AUTO(struct key *, key_free)
/* header_json: extra members such as "\"typ\":\"x\"" or empty; payload detached when detach. */
err jws_sign(const struct key *k, view header_members, view payload, bool detach, arena *mem,
             view *ret_compact) MUST_USE;
err key_sign(const struct key *k, view data, arena *mem, view *ret_signature) MUST_USE;

/* JWK text (public only; a private member refuses) → pkey owned by the caller (pkey_free). */
err jwk_read(const json_t *jwk, void **ret_pkey, enum jose_alg *ret_default_alg, view *ret_kid, arena *mem,
             struct fault *f) MUST_USE;
/* {"kty":…,"kid":…,"alg":…,"use":"sig"} */
err jwk_print(const struct key *k, arena *mem, view *ret_json) MUST_USE;
err jwk_of_pkey(void *pkey, arena *mem, view *ret_json) MUST_USE;
err jwk_thumbprint(void *pkey, arena *mem, view *ret_kid) MUST_USE;
/* SubjectPublicKeyInfo, DER or PEM. */
err pkey_read(view spki, void **ret_pkey, struct fault *f) MUST_USE;
void pkey_free(void *pkey);
digest pkey_spki_digest(void *pkey);
/* Raw verify with a pair: data over signature in JOSE form. */
err pkey_verify(void *pkey, enum jose_alg alg, view data, view signature) MUST_USE;
/* The same with the signature as certificates and CMS carry it: ECDSA as strict DER. */
err pkey_verify_der(void *pkey, enum jose_alg alg, view data, view signature) MUST_USE;
/* ALG_NONE when the name is not in the table of algorithms. */
enum jose_alg jose_alg_of(view name);
/* ALG_NONE when the key is of no kind that we use. */
enum jose_alg pkey_default_alg(void *pkey);
/* May this key be used with this algorithm (kind, size, exponent)?  For keys that pin no algorithm, such
 * as a certificate's: the algorithm in the message is then allowed when it fits the key. */
bool pkey_fits(void *pkey, enum jose_alg alg);
/* Whole check of a key that came from outside: kind, size, exponent, named curve, ROCA.  E_ALGORITHM.
 * pkey_read and jwk_read do it; whoever takes a key out of a certificate calls it once. */
err pkey_check(void *pkey, struct fault *f) MUST_USE;

#endif
