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
                     arena *mem, struct signer *ret_signer, enum evidence_level *ret_level,
                     struct revocation_used *ret_used, void **ret_pkey, struct fault *f) MUST_USE;

/* -- revocation: what is learned after the list was read -- */

struct revocation_book;   /* what has been learned; one per process */
struct revocation_policy; /* revocation_policy.h */
struct authority_rules;   /* authority.h */
struct revocation_book *revocation_book_new(void);
void revocation_book_free(struct revocation_book *b);

/* Before t is shared; the book outlives it, of policy and rules a reference is kept (each may be NULL).  Without them only the list's own
 * files count, with the built-in grace. */
void trust_use(struct trust *t, struct revocation_book *book, struct revocation_policy *policy,
               struct authority_rules *authority);
const struct revocation_policy *trust_policy(const struct trust *t);
/* Lives as long as t; NULL: the built-in table. */
const struct authority_rules *trust_authority(const struct trust *t);

/* An entry of a list that is news: certificates of that issuer and serial number (DER, as in a certificate). */
struct revocation_entry {
    view issuer, serial;
    struct revocation_answer answer;
};
struct revocation_news {
    digest id;
    instant this_update, fresh_until;
    struct revocation_entry *entries; /* all of the list */
    size_t n;
};
/* A list (DER or PEM) that some CA of the trust list signed goes into the book.  E_REVOCATION_ANSWER when it is
 * not current, older than the one that is held, or nobody's; E_WEAK_DIGEST. */
err trust_learn_list(const struct trust *t, view list, instant now, arena *mem, struct revocation_news *ret,
                     struct fault *f) MUST_USE;
/* An OCSP response about the leaf; its issuer is looked for among the list's CAs and the rest. */
err trust_learn_status(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest,
                       view response, view nonce, instant now, struct revocation_answer *ret, struct fault *f)
    MUST_USE;
/* The OCSP request for a leaf; E_CHAIN when its issuer is not known. */
err trust_ask_status(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, view nonce,
                     arena *mem, view *ret, struct fault *f) MUST_USE;
/* Where the leaf's status can be asked: as the list says for its use, else as the certificate says. */
err trust_places(const struct trust *t, enum trust_use use, view leaf_der, arena *mem,
                 struct revocation_places *ret, struct fault *f) MUST_USE;
/* The lists that the trust list's uses name by URL, at most max. */
size_t trust_list_places(const struct trust *t, const char **ret, size_t max);
/* Has anything been learned, since that judgement, that may concern this certificate? */
bool trust_has_news(const struct trust *t, const digest *fingerprint, const struct revocation_used *used);
/* The OCSP response that is held about a certificate; empty when there is none. */
view trust_response(const struct trust *t, const digest *fingerprint, arena *mem);
/* Anchors of a use as DER, for time-stamps; the number, at most max. */
size_t trust_anchors(const struct trust *t, enum trust_use use, arena *mem, view *ret, size_t max);
/* Certificates that stand one behind the other, at most max. */
size_t certificates_split(view chain_der, view *ret, size_t max);
/* Issuer and serial number as they stand in the certificate: the name by which a list revokes it. */
bool certificate_issued(view der, view *ret_issuer, view *ret_serial);
/* Certificate parts without trust: for registration and display. use is USE_COUNT; *ret_der (ret_der may be NULL) borrows the input when that
 * was DER. E_CERT_FORM. */
err certificate_read(view der_or_pem, arena *mem, struct signer *ret, view *ret_der, struct fault *f)
    MUST_USE;
/* The public key of a certificate (DER), checked like any key that comes from outside; the caller frees it (pkey_free). */
err pkey_of_certificate(view der, void **ret_pkey, struct fault *f) MUST_USE;

#endif
