/* Bundle.signature as Da Vinci CDex has it: a JWS over the canonical form (RFC 8785) of the Bundle.
 *
 * Signed is the root without what the canonicalization named in targetFormat leaves out: signature, and for documents id
 * and meta too.  So unlike a signature over bytes it does not cover white space, the order of members, the spelling of
 * numbers, nor these members of the root.  A number that the canonical form would round is refused, since the rest of its
 * digits would be covered by nothing.  Reading only: verify.c has the key.  Any thread. */
#ifndef SIGNING_BUNDLE_SIGNATURE_H
#define SIGNING_BUNDLE_SIGNATURE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

struct bundle_signature {
    view jws;                            /* compact, detached or with the canonical form inside */
    view who_system, who_value, who_uri; /* Signature.who: identifier, reference */
    const struct node *node;             /* Bundle.signature */
    bool document;                       /* id and meta are left out */
};

/* Whether the root is a Bundle that has the element. */
bool bundle_signature_present(const struct tree *t);
/* E_SIGNATURE_MISSING, E_SIGNATURE_FORM, E_SIGNATURE_PROFILE (another sigFormat or targetFormat, such as HL7's XML-DSig). */
err bundle_signature_read(const struct tree *t, arena *mem, struct bundle_signature *ret, struct fault *f)
    MUST_USE;
/* What is signed.  E_OUT_OF_RANGE for a number that is not exact, E_TOO_LARGE. */
err bundle_signature_octets(const struct tree *t, const struct bundle_signature *s, arena *mem, view *ret,
                            struct fault *f) MUST_USE;
/* srCms of the protected header, where it stands, names the types that Signature.type has, and no others.
 * E_SIGNATURE_FORM, E_SIGNATURE_MISMATCH. */
err bundle_signature_commitments(const struct tree *t, const struct bundle_signature *s, view protected_b64,
                                 arena *mem, struct fault *f) MUST_USE;
/* Whether the certificate's subjectAltName holds Signature.who: an otherName whose type is the identifier's system and
 * whose text is its value, or a URI that is the reference. */
bool bundle_signature_names(const struct bundle_signature *s, view certificate_der);

#endif
