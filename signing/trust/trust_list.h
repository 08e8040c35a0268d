/* The inside of a trust list, shared by its reader and its judge.  Immutable but for the cache and the count.
 * Only the signing room includes this. */
#ifndef SIGNING_TRUST_LIST_H
#define SIGNING_TRUST_LIST_H

#include "signing/pki/crl.h"
#include "signing/trust/trust.h"
#include "signing/trust/trust_cache.h"

#include <stdatomic.h>

struct use_list {
    X509_STORE *store; /* the roots; NULL when the use is not in the list */
    STACK_OF(X509) * roots;
    STACK_OF(X509) * pinned;          /* with pinned intermediates a chain must lead through one of them */
    STACK_OF(ASN1_OBJECT) * policies; /* one of them must hold for the chain; NULL: any */
    bool lenient;                     /* the hierarchy is older than RFC 5280's profile */
    char *ocsp_url, *crl_url;         /* NULL: as the certificate says */
    struct crl **crls;
    size_t n_crls;
};

struct trust {
    atomic_int refs;
    bool sandbox;
    struct use_list use[USE_COUNT];
    struct trust_cache *cache;
    struct revocation_book *book; /* NULL: nothing is learned */
    struct revocation_policy *policy;
    struct authority_rules *authority;
};

#endif
