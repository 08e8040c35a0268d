/* JWE in two forms, compact (RFC 7516, 7518).  Payee accounts: ECDH-ES (direct) with A256GCM on P-256.  MyData's packages: A256KW with A256CBC-HS512
 * under a key that the platform hands over.  No compression, no password-based algorithms, nothing else.  Any thread. */
#ifndef SIGNING_JWE_H
#define SIGNING_JWE_H

#include "signing/jose/jws.h"

/* Five parts with the right header; what is inside only the recipient can tell. E_SIGNATURE_FORM, E_ALGORITHM. */
err jwe_check_form(view compact, arena *mem, struct fault *f) MUST_USE;
/* pkey: the recipient's P-256 public key. E_ALGORITHM for another kind. */
err jwe_seal(void *pkey, view kid, view plain, arena *mem, view *ret_compact) MUST_USE;
/* With the private key in a PEM file; for recipients' tools and tests. E_SIGNATURE_MISMATCH when it does not open. */
err jwe_open(const char *key_file, view compact, arena *mem, view *ret_plain, struct fault *f) MUST_USE;

/* The same with the key as PEM text: for keys that live as long as one request. E_KEY_FORM. */
err jwe_open_pem(view key_pem, view compact, arena *mem, view *ret_plain, struct fault *f) MUST_USE;

/* kek: 32 bytes. E_SIGNATURE_FORM, E_ALGORITHM, E_SIGNATURE_MISMATCH when it does not open. */
err jwe_open_wrapped(view kek, view compact, arena *mem, view *ret_plain, struct fault *f) MUST_USE;
err jwe_seal_wrapped(view kek, view plain, arena *mem, view *ret_compact) MUST_USE;

#endif
