/* What the sandbox's responders and time-stamp authority answer: real answers with real signatures, and the
 * wrong ones that drills need (another signer, an old time).  Only the sandbox and tests use this; any thread. */
#ifndef SIGNING_PKI_ANSWER_H
#define SIGNING_PKI_ANSWER_H

#include "signing/sandbox/pki_issue.h"

struct pki_status {
    X509 *issuer;
    X509 *signer; /* the issuer or its responder */
    EVP_PKEY *signer_key;
    instant produced_at, this_update;
    instant next_update; /* INSTANT_NONE: not stated */
    /* Asked per serial number: NULL when good. */
    const struct pki_revoked *(*find)(void *self, const ASN1_INTEGER *serial);
    void *self;
};

/* An OCSP response to the request (DER), with its nonce.  E_SYNTAX for a request that cannot be read, E_INTERNAL. */
err pki_answer_status(view request, const struct pki_status *s, arena *mem, view *ret) MUST_USE;

/* What a lying authority answers instead of what was asked. */
enum pki_lie { PKI_TRUTH, PKI_OTHER_NONCE, PKI_OTHER_IMPRINT, PKI_OTHER_POLICY };

struct pki_clock {
    X509 *signer;
    EVP_PKEY *signer_key;
    X509 *issuer; /* put into the token beside the signer */
    instant at;
    enum pki_lie lie;
};

/* A time-stamp response to the request (DER).  E_SYNTAX, E_INTERNAL. */
err pki_answer_time(view request, const struct pki_clock *c, arena *mem, view *ret) MUST_USE;

/* The serial number that a one-certificate OCSP request asks for, as upper-case hex; E_SYNTAX. */
err pki_asked_serial(view request, arena *mem, view *ret_hex) MUST_USE;

#endif
