/* The key of a signature under the profile "interop": what ds:KeyInfo names, held against what the verifier brings.
 * Internal to the signing room; one thread per call. */
#ifndef SIGNING_XMLDSIG_INTEROP_KEY_H
#define SIGNING_XMLDSIG_INTEROP_KEY_H

#include "signing/xml/xmldsig_interop.h"

#include <libxml/tree.h>
#include <openssl/evp.h>

#define XMLDSIG11_NS "http://www.w3.org/2009/xmldsig11#"

/* key_info may be NULL.  The caller frees *ret.  E_SIGNER_UNKNOWN, E_CHAIN, E_CERT_TIME, E_CERT_REVOKED, E_ALGORITHM,
 * E_SIGNATURE_FORM, E_SIGNATURE_PROFILE. */
err interop_key_find(xmlNode *key_info, const struct xmldsig_ring *ring, arena *mem, EVP_PKEY **ret,
                     struct fault *f) MUST_USE;

#endif
