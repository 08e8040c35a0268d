/* XML-DSig under the gateway's profile (DECISIONS "XML"): RSA or ECDSA with SHA-2, exclusive or inclusive
 * C14N 1.0 without comments, enveloped (police: in the record's root) or enveloping one ds:Object, one
 * Reference on the root (URI "" or "#id" of it).  No DOCTYPE, no entities, no network, no KeyValue trust.
 *
 * What is used is what was signed: ret_octets are the bytes that were digested; the reader reads these,
 * never the message. */
#ifndef SIGNING_XMLDSIG_H
#define SIGNING_XMLDSIG_H

#include "signing/verify.h"

/* Once, in main, before threads. */
void xmldsig_start(void);

struct xmldsig_result {
    /* The signed bytes, in mem: the canonical root without the signature, or the canonical ds:Object. */
    view octets;
    /* Inside octets: what a reader reads.  Enveloped: all of it; enveloping: the one element inside the
     * ds:Object, which declares every namespace that it uses (else E_SIGNATURE_PROFILE). */
    view payload;
    view certificate_der; /* X509Certificate of the KeyInfo */
    view rest_der[4];
    size_t n_rest;
    enum jose_alg alg; /* RSA by the digest, ECDSA by the curve (P-256 with SHA-512 is ES256 here) */
};

/* True when the document has a ds:Signature at a place where the profile looks for it. */
bool xmldsig_present(view xml);
/* True when the document is a ds:Signature that holds what it signs: there is nothing to read before it is verified. */
bool xmldsig_is_enveloping(view xml);
/* E_SIGNATURE_MISSING, E_SIGNATURE_PROFILE, E_SIGNATURE_FORM, E_ALGORITHM, E_WEAK_DIGEST,
 * E_DIGEST_MISMATCH, E_SIGNATURE_MISMATCH, E_XML_SYNTAX, E_XML_DOCTYPE, E_UTF8, E_BOM, E_TOO_LARGE.  The
 * key is the certificate's: the caller judges it afterwards with trust_judge. */
err xmldsig_verify(view xml, arena *mem, struct xmldsig_result *ret, struct fault *f) MUST_USE;
/* For samples and tests: an enveloped signature as last child of the root. */
err xmldsig_sign(view xml, const char *key_pem_file, const char *cert_pem_file, arena *mem, view *ret_xml,
                 struct fault *f) MUST_USE;
/* The same with the root of xml inside the ds:Object of a new document. */
err xmldsig_sign_enveloping(view xml, const char *key_pem_file, const char *cert_pem_file, arena *mem,
                            view *ret_xml, struct fault *f) MUST_USE;

#endif
