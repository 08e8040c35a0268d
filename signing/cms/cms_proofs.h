/* Revocation lists and OCSP responses that a signer put beside his signature: SignedData.crls (RFC 5652 5.1, RFC 5940), the revocation values of
 * CAdES (RFC 5126 6.3.4) and of PDF signatures (adbe-revocationInfoArchival).
 *
 * They carry their own signatures and are judged by trust_learn_* like answers that were fetched; what cannot be read is passed over, for it
 * proves nothing and spoils nothing.  Views borrow the message.  Only the signing room includes this. */
#ifndef SIGNING_CMS_PROOFS_H
#define SIGNING_CMS_PROOFS_H

#include "base/arena.h"
#include "base/err.h"

#define CMS_PROOFS_MAX 8

enum cms_proof_kind { PROOF_LIST, PROOF_RESPONSE, PROOF_BASIC_RESPONSE };
struct cms_proof {
    enum cms_proof_kind kind;
    view der;
};
struct cms_proofs {
    struct cms_proof of[CMS_PROOFS_MAX];
    size_t n;
};

/* Content of SignedData.crls. */
void cms_proofs_of_lists(view crls, struct cms_proofs *ret);
/* Content of signedAttrs or unsignedAttrs. */
void cms_proofs_of_attributes(view attributes, struct cms_proofs *ret);
/* A response as it is asked of a responder; a basic one gets its shell in mem. */
err cms_proof_response(const struct cms_proof *p, arena *mem, view *ret) MUST_USE;

#endif
