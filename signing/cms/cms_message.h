/* A detached CMS SignedData taken apart into views, and the checks of one signer in the order that tells a
 * sender most: digest first (that is what transcoding breaks), then the key is looked up and judged, then the
 * signature.  cms.h puts these together for callers without a trust list, verify.c with one.  Views borrow
 * the DER.  Any thread; only the signing room includes this.  (RFC 5652, 5035.) */
#ifndef SIGNING_CMS_MESSAGE_H
#define SIGNING_CMS_MESSAGE_H

#include "signing/cms/cms.h"
#include "signing/cms/cms_proofs.h"
#include "signing/jose/jose.h"

#define CMS_CERTIFICATES_MAX 8
#define CMS_SIZE_MAX (64 * 1024)

struct cms_info {
    struct cms_signer signer;
    enum jose_md md;     /* JOSE_MD_NONE with a weak digest */
    int weak_nid;        /* OpenSSL's number of a digest that is refused by name, 0 else */
    view attributes;     /* signedAttrs with their [0] tag; empty when there are none */
    view message_digest; /* empty when there are no signedAttrs */
    view certificate_id; /* value of signingCertificateV2; empty when absent */
    view signature;
};

struct cms_message {
    struct cms_info info[SIGNATURES_MAX];
    size_t n;
    view content; /* eContent of an enveloping message, else empty */
    struct cms_proofs proofs;
};

/* E_SIGNATURE_FORM, E_SIGNATURE_PROFILE (no SignedData, or not detached), E_ALGORITHM, E_TOO_LARGE.  BER is
 * re-encoded into mem. */
err cms_read(view der, arena *mem, struct cms_message *ret, struct fault *f) MUST_USE;
/* A message that holds what it signs: E_SIGNATURE_PROFILE when it holds nothing.  The caller bounds its size. */
err cms_read_enveloping(view der, arena *mem, struct cms_message *ret, struct fault *f) MUST_USE;
/* E_WEAK_DIGEST; E_SIGNED_TRANSCODED or E_DIGEST_MISMATCH when messageDigest is not the body's.  i numbers
 * the signer in faults. body_sha256 is the body's digest where the caller has it, else NULL. */
err cms_check_digest(const struct cms_info *info, size_t i, view body, const digest *body_sha256,
                     struct fault *f) MUST_USE;
/* signingCertificateV2, when present, must name this certificate.  E_SIGNATURE_MISMATCH, E_SIGNATURE_FORM. */
err cms_check_certificate_id(const struct cms_info *info, size_t i, view certificate, struct fault *f)
    MUST_USE;
/* E_ALGORITHM, E_SIGNATURE_MISMATCH, E_SIGNED_TRANSCODED (signatures without attributes). */
err cms_check_signature(const struct cms_info *info, size_t i, view body, void *pkey, struct fault *f)
    MUST_USE;

#endif
