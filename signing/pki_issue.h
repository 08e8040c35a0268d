/* Issuing certificates and revocation lists for the sandbox: subject names and attributes as the GPKI profile
 * has them, every certificate with the sandbox policy.  Serial numbers come from random_bytes, times from the
 * caller.  Only the sandbox uses this; any thread. */
#ifndef SIGNING_PKI_ISSUE_H
#define SIGNING_PKI_ISSUE_H

#include "signing/certificate.h"

enum pki_shape {
    SHAPE_CA,
    SHAPE_SIGNER,
    SHAPE_EXPIRED, /* a signer whose time is over */
    SHAPE_REVOKED, /* a signer that stands on its CA's list */
    SHAPE_CLIENT,
    SHAPE_SERVER,
    SHAPE_TSA,
    SHAPE_OCSP,
};

struct pki_order {
    enum pki_shape shape;
    enum subject_kind subject;
    const char *organisation, *licence, *common_name; /* "" when absent */
    EVP_PKEY *pkey;
    X509 *issuer; /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    instant from, until;
};

/* NULL when OpenSSL fails. */
X509 *pki_issue(const struct pki_order *order);
/* revoked may be NULL; its reason is keyCompromise. */
X509_CRL *pki_issue_crl(X509 *issuer, EVP_PKEY *issuer_key, const X509 *revoked, instant revoked_at,
                        instant this_update, instant next_update);

#endif
