/* What a certificate says, read once into a plain value.  Only the signing room includes this: it speaks
 * OpenSSL's types.
 *
 * The subject's kind comes from subject directory attribute 2.16.886.1.100.2.1, the organisation from the
 * attribute that signing.def names for this kind (GPKI certificate profile).  An attribute that
 * stands twice or has several values is taken as absent: two readers might choose differently.  A person's
 * name is never read.  Any thread. */
#ifndef SIGNING_CERTIFICATE_H
#define SIGNING_CERTIFICATE_H

#include "signing/verify.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct certificate_facts {
    enum subject_kind subject;
    char organisation[64];
    char licence[80];
    char common_name[272]; /* 64 characters, the bound of X.520, in UTF-8 */
    digest fingerprint;
    digest spki;
    instant not_before, not_after;
};

#define OID_SUBJECT_TYPE "2.16.886.1.100.2.1"
/* One certificate of this size at most. */
#define CERTIFICATE_SIZE_MAX (32 * 1024)

static inline void
certificate_stack_free(STACK_OF(X509) * list)
{
    sk_X509_pop_free(list, X509_free);
}
DEFINE_AUTO(X509 *, X509_free)
DEFINE_AUTO(STACK_OF(X509) *, certificate_stack_free)

/* DER with nothing behind it, exactly as OpenSSL would write it: one certificate has one fingerprint.
 * E_CERT_FORM. */
err certificate_parse(view der, X509 **ret, struct fault *f) MUST_USE;
/* der is the certificate's own encoding.  E_CERT_FORM. */
err certificate_describe(X509 *x, view der, struct certificate_facts *ret, struct fault *f) MUST_USE;
/* The facts as a signer whose views point into *facts; use is left to the caller. */
void certificate_signer(const struct certificate_facts *facts, struct signer *ret);
/* The same, copied into mem; E_TOO_LARGE. */
err certificate_signer_copy(const struct certificate_facts *facts, arena *mem, struct signer *ret) MUST_USE;
bool certificate_has_policy(const X509 *x, const char *oid);

/* A key of this kind must have at least so many bits, in judgements from that time on. */
struct strength_rule {
    const char *key; /* OpenSSL's name of the kind: RSA, EC, ED25519 */
    int bits;
    instant from;
};
extern const struct strength_rule strength_rules[];
extern const size_t strength_rules_count;
/* Are key and signature of x strong enough at that time, by the rules of signing.def?  E_ALGORITHM. */
err certificate_check_strength(const X509 *x, instant at, const char *where, struct fault *f) MUST_USE;

/* May its key sign documents: digitalSignature or nonRepudiation, and, where extended usages are listed, one
 * for documents. */
bool certificate_may_sign(X509 *x);
/* Does it list this extended usage (an OID)?  Absent: *ret_stated is false.  anyExtendedKeyUsage counts unless
 * exact is asked. */
bool certificate_lists_usage(const X509 *x, const char *oid, bool exact, bool *ret_stated);
/* May it stand for a TLS client. */
bool certificate_may_connect(X509 *x);

/* INSTANT_NONE when t is NULL or cannot be read; *ret_ok (may be NULL) says which, since 1970 is a time too.
 */
instant certificate_time(const ASN1_TIME *t, bool *ret_ok);
/* All certificates of a PEM file, at least one.  E_FILE, E_CERT_FORM. */
err certificates_read_pem(const char *file, STACK_OF(X509) * *ret, struct fault *f) MUST_USE;

#endif
