/* Trust lists: roots and pinned intermediates per use, and the certificate cache.
 *
 * The file is JSON: {"environment":"sandbox|production","uses":{"hca":{"roots":["file.pem",…],"intermediates":[…],"crls":[…]},…}}; paths are relative to the file.
 * A root or intermediate whose certificatePolicies hold the sandbox policy OID (SANDBOX_POLICY_OID) in a production list → E_SANDBOX_ROOT, the start stops (THREATS S22).
 *
 * Immutable after trust_load; swapped by pointer.  Inside is a cache of judged certificates by fingerprint (a known signer costs no chain building
 * and no key parsing: LIMITS.md), bounded, safe for all threads. */
#ifndef SIGNING_TRUST_H
#define SIGNING_TRUST_H

#include "signing/verify.h"

#define SANDBOX_POLICY_OID "2.16.886.101.0.3.999.1"

struct trust;

err trust_load(const char *file, bool sandbox, struct trust **ret, struct fault *f) MUST_USE;
struct trust *trust_ref(struct trust *t);
void trust_unref(struct trust *t);
DEFINE_AUTO(struct trust *, trust_unref)
bool trust_is_sandbox(const struct trust *t);

/* Judges a leaf (DER) with the untrusted rest as presented, at a time: chain, validity, key usage (digitalSignature or nonRepudiation), CRL where loaded.
 * E_CHAIN, E_CERT_TIME, E_CERT_USAGE, E_CERT_REVOKED, E_ALGORITHM.  ret_pkey (EVP_PKEY *) is borrowed from the cache and lives as long as the trust. */
err trust_judge(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at,
                struct signer *ret_signer, enum evidence_level *ret_level, void **ret_pkey, struct fault *f)
    MUST_USE;
/* For TLS clients: also checks the purpose (clientAuth where an EKU is there). */
err trust_judge_client(const struct trust *t, view leaf_der, instant at, struct signer *ret_signer,
                       struct fault *f) MUST_USE;
/* The same with the signer copied into mem and the key's reference deferred there: for request threads, so that leaves of the many may
 * leave the cache. E_TOO_LARGE besides. */
err trust_judge_copy(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at,
                     arena *mem, struct signer *ret_signer, enum evidence_level *ret_level, void **ret_pkey,
                     struct fault *f) MUST_USE;
/* Certificate parts without trust: for registration and display. use is USE_COUNT; *ret_der (ret_der may be NULL) borrows the input when that
 * was DER. E_CERT_FORM. */
err certificate_read(view der_or_pem, arena *mem, struct signer *ret, view *ret_der, struct fault *f)
    MUST_USE;
/* The public key of a certificate (DER), checked like any key that comes from outside; the caller frees it (pkey_free). */
err pkey_of_certificate(view der, void **ret_pkey, struct fault *f) MUST_USE;

#endif
