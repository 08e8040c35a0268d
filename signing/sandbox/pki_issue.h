/* Issuing certificates and revocation lists for the sandbox: subject names and attributes as the GPKI profile
 * has them, every certificate with the sandbox policy.  Serial numbers come from random_bytes, times from the
 * caller.  Only the sandbox uses this; any thread. */
#ifndef SIGNING_PKI_ISSUE_H
#define SIGNING_PKI_ISSUE_H

#include "signing/pki/certificate.h"

enum pki_shape {
    SHAPE_CA,
    SHAPE_SIGNER,
    SHAPE_SEALER,  /* a signer with an RSA key, for formats that know nothing else */
    SHAPE_EXPIRED, /* a signer whose time is over */
    SHAPE_REVOKED, /* a signer that stands on its CA's list */
    SHAPE_CLIENT,
    SHAPE_SERVER,
    SHAPE_TSA,
    SHAPE_TSA_NEXT,
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
/* One entry of a revocation list. */
struct pki_revoked {
    const ASN1_INTEGER *serial;
    instant at;
    instant invalid_from; /* INSTANT_NONE: not stated */
    int reason;           /* code of RFC 5280 section 5.3.1; 0 is written as no reason */
};

struct pki_list {
    X509 *issuer;
    EVP_PKEY *issuer_key;
    long number;
    instant this_update, next_update;
    const struct pki_revoked *revoked;
    size_t n_revoked;
};

/* NULL when OpenSSL fails. */
X509_CRL *pki_issue_crl(const struct pki_list *order);

#endif
