/* Certificates that a verifier of the profile "interop" brings: roots, others, revocation lists.  Internal to the signing
 * room; one thread per ring. */
#ifndef SIGNING_XMLDSIG_INTEROP_CHAIN_H
#define SIGNING_XMLDSIG_INTEROP_CHAIN_H

#include "signing/pki/certificate.h"
#include "signing/xml/xmldsig_interop.h"

/* DER or PEM; NULL when it is none. */
X509 *interop_certificate(view bytes);
/* leaf leads to a root of the ring, at its time, and stands on none of its revocation lists.  untrusted may be NULL.
 * E_CHAIN, E_CERT_TIME, E_CERT_REVOKED. */
err interop_chain_check(X509 *leaf, STACK_OF(X509) * untrusted, const struct xmldsig_ring *ring,
                        struct fault *f) MUST_USE;

#endif
