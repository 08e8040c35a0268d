/* The path builder in OpenSSL's types (chain.h says what is judged).  Only the signing room includes this. */
#ifndef SIGNING_CHAIN_BUILD_H
#define SIGNING_CHAIN_BUILD_H

#include "signing/pki/certificate.h"
#include "signing/pki/chain.h"

struct chain_rules {
    X509_STORE *anchors; /* only its certificates count */
    STACK_OF(X509) * untrusted;
    STACK_OF(X509_CRL) * crls; /* NULL: not asked */
    instant at;
    enum chain_purpose purpose;
    STACK_OF(ASN1_OBJECT) * policies; /* NULL or empty: any */
    bool explicit_policy, leaf_states_usage, path_states_usage;
    bool lenient; /* certificates need not hold all that RFC 5280 section 4 wants: a use's own choice, for old
                     hierarchies */
    int depth;
    enum chain_name name_kind;
    const char *name;
};

/* Leaf first, its members counted up.  Errors as chain_judge. */
err chain_build(X509 *leaf, const struct chain_rules *r, STACK_OF(X509) * *ret, struct fault *f) MUST_USE;

#endif
