/* Detached CMS as hospitals sign for NHI today (header AUTH, base64 on one line): all SignerInfos verified, SHA-1 and MD5 refused by name, signed
 * attributes (messageDigest, signingCertificateV2, signingTime) checked.  A mismatch is diagnosed: when the signed digest fits the body as code page 950, with a
 * BOM, as UTF-16LE or with CRLF, the code is E_SIGNED_TRANSCODED and `found` names which (DOMAIN D11).  Any thread. */
#ifndef SIGNING_CMS_H
#define SIGNING_CMS_H

#include "signing/verify.h"

struct cms_signer {
    view certificate_der; /* empty when not attached */
    view rest_der[6];
    size_t n_rest;
    view issuer_serial; /* DER of IssuerAndSerialNumber, for a certificate from the registry */
    enum jose_alg alg;
    instant claimed_at;
};

/* Verifies the mathematics over body with the attached certificates' keys; the certificates are judged by trust_judge afterwards.  lookup gives DER of a
 * registered certificate for a signer that attached none (may be NULL). */
err cms_verify_detached(view cms_der, view body, view (*lookup)(void *self, view issuer_serial), void *self,
                        arena *mem, struct cms_signer ret[SIGNATURES_MAX], size_t *ret_n, struct fault *f)
    MUST_USE;
/* The same of an enveloping message, whose content is given back and borrows cms_der (or mem, where BER was re-encoded). */
err cms_verify_enveloping(view cms_der, arena *mem, view *ret_content, struct cms_signer ret[SIGNATURES_MAX],
                          size_t *ret_n, struct fault *f) MUST_USE;
/* For samples and tests: signs body with a PEM key and certificate (chain attached when given). */
err cms_sign_detached(view body, const char *key_pem_file, const char *cert_pem_file, bool attach_chain,
                      const char *digest_name, arena *mem, view *ret_der, struct fault *f) MUST_USE;

#endif
