/* What jws.c, jwk.c, pkey.c and key.c share; nobody outside of the signing room includes this.
 *
 * The algorithm table of signing.def in C form, the hash of a signing input that is never put together in
 * memory, the two forms of an ECDSA signature, and the thread's kept contexts.  Making an EVP context for
 * a key costs 3 to 4 µs and takes locks inside OpenSSL, so each thread keeps its last few; a kept context
 * holds a reference on its key, so a key's address cannot be used again while it is kept.  Failure of the
 * library without bad input aborts. */
#ifndef SIGNING_JOSE_H
#define SIGNING_JOSE_H

#include "signing/jose/jws.h"

#include <openssl/evp.h>

enum jose_key { JOSE_EC_P256 = 1, JOSE_EC_P384, JOSE_RSA, JOSE_RSA_PSS, JOSE_OKP_ED25519 };
enum jose_md { JOSE_MD_NONE, JOSE_MD_SHA256, JOSE_MD_SHA384, JOSE_MD_SHA512, JOSE_MD_COUNT };

struct jose_row {
    const char *name;
    enum jose_key key;
    enum jose_md md;
    int bits; /* least size of a key */
};

/* Larger RSA keys only cost the verifier time. */
#define JOSE_RSA_BITS_MAX 8192
#define JOSE_HASH_MAX 64
/* The longest signature: RSA of JOSE_RSA_BITS_MAX. */
#define JOSE_SIGNATURE_MAX 1024

/* NULL for ALG_NONE and what is outside of the enum. */
const struct jose_row *jose_row_of(enum jose_alg alg);
/* The pin: Ed25519 and its old name EdDSA are one algorithm, everything else equals only itself. */
bool jose_alg_same(enum jose_alg a, enum jose_alg b);

/* Fetched once; NULL for JOSE_MD_NONE. */
const EVP_MD *jose_md_of(enum jose_md md);

/* One hash at a time on each thread: start, any number of adds, end.  The length of the hash is returned. */
void jose_hash_start(enum jose_md md);
void jose_hash_add(view bytes);
/* As if the base64url text of bytes were added. */
void jose_hash_add_base64url(view bytes);
size_t jose_hash_end(uint8_t out[JOSE_HASH_MAX]);

/* r‖s of 2·half bytes into DER; returns its length. */
#define JOSE_ECDSA_DER_MAX 104
size_t jose_der_of_raw(const uint8_t *raw, size_t half, uint8_t out[JOSE_ECDSA_DER_MAX]);
/* Strict DER only; false when the form is off or a number is longer than half bytes. */
bool jose_raw_of_der(view der, size_t half, uint8_t *out);

/* 0 when the key is of no kind that the table knows. */
enum jose_key jose_key_of(EVP_PKEY *pkey);
/* Signature over a finished hash (algorithms with a digest). E_ALGORITHM, E_SIGNATURE_FORM,
 * E_SIGNATURE_MISMATCH. */
err jose_verify_hash(EVP_PKEY *pkey, enum jose_alg alg, view hash, view signature) MUST_USE;
/* Ed25519, which takes the whole message. */
err jose_verify_message(EVP_PKEY *pkey, enum jose_alg alg, view message, view signature) MUST_USE;
/* JOSE form. E_ALGORITHM when the key does not fit, E_TOO_LARGE when mem is full. */
err jose_sign(EVP_PKEY *pkey, enum jose_alg alg, view data, arena *mem, view *ret_signature) MUST_USE;

/* A key of ours with its name; takes both objects also on failure (E_INTERNAL). */
err key_make(const struct key_ops *ops, void *take_self, EVP_PKEY *take_public, struct key **ret,
             struct fault *f) MUST_USE;

#define JOSE_THUMBPRINT_SIZE 44
/* RFC 7638 over SHA-256, base64url with NUL; false when the key is of no kind that the table knows. */
bool jose_thumbprint(EVP_PKEY *pkey, char out[JOSE_THUMBPRINT_SIZE]);

#endif
