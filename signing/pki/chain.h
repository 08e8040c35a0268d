/* Does a certificate lead to an anchor?  Path validation after RFC 5280 section 6, done by OpenSSL under the
 * strict reading (RFC 5280 section 4: what a CA's certificate must hold), with certificate policies, name
 * constraints, path lengths, usages of the whole path and the gateway's own rule on algorithms and key sizes.
 * An anchor's own limits (time, path length, names, policies) count too.
 *
 * Trust lists judge their leaves with chain_build (chain_build.h); chain_judge asks the same of certificates
 * that are in no list: a time-stamp authority's, a responder's, a published vector's.  Any thread; everything
 * borrowed is read during the call only. */
#ifndef SIGNING_CHAIN_H
#define SIGNING_CHAIN_H

#include "base/err.h"
#include "base/instant.h"

/* What the leaf is wanted for.  A usage that an intermediate lists restricts the leaf (section 4.2.1.12). */
enum chain_purpose {
    CHAIN_ANY,
    CHAIN_DOCUMENT,  /* digitalSignature or nonRepudiation; extended usages, where listed, for documents */
    CHAIN_CLIENT,    /* TLS client */
    CHAIN_SERVER,    /* TLS server */
    CHAIN_TIMESTAMP, /* RFC 3161: timeStamping alone, critical */
};

/* Who the certificate must be for; absent when kind is CHAIN_NAME_NONE. */
enum chain_name { CHAIN_NAME_NONE, CHAIN_NAME_HOST, CHAIN_NAME_ADDRESS, CHAIN_NAME_EMAIL };

#define CHAIN_DEPTH_DEFAULT (-1)

struct chain_request {
    view leaf;        /* DER */
    const view *rest; /* DER; untrusted, in any order */
    size_t n_rest;
    const view *anchors; /* DER; trusted as they stand, self-signed or not */
    size_t n_anchors;
    const view
        *crls; /* DER; none: revocation is not asked.  With them every certificate below the anchor must
                       * be covered by a current list (partial, indirect and delta lists included) */
    size_t n_crls;
    instant at;
    enum chain_purpose purpose;
    const char *const *policies; /* OIDs, one of which must hold (user-initial-policy-set); none: any */
    size_t n_policies;
    bool explicit_policy;    /* some policy must hold */
    bool leaf_states_usage;  /* the leaf must list the extended usage, not only not exclude it */
    bool path_states_usage;  /* and so must every certificate below the anchor */
    bool leaf_may_be_anchor; /* a pinned certificate: trusted as it stands, within its time and usage */
    int depth;               /* intermediates at most, not counting self-issued ones */
    enum chain_name name_kind;
    const char *name;
};

/* E_OK, E_CHAIN, E_CERT_TIME, E_CERT_USAGE, E_CERT_REVOKED, E_CERT_FORM, E_CERT_PROFILE, E_ALGORITHM, E_REVOCATION_ANSWER (no
 * list that counts), E_INTERNAL.  where names the certificate: certificate, issuer or anchor. */
err chain_judge(const struct chain_request *rq, struct fault *f) MUST_USE;

#endif
