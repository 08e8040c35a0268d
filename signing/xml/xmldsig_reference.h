/* The octets that a ds:Reference digests and that a ds:CanonicalizationMethod gives, by xmlsec's transforms.
 *
 * Only the interop profile and the conformance runs come here; the gateway's profile lets xmlsec do the whole.  Base64,
 * XPath, XPath filter 2, XPointer, relationship, enveloped and all canonical forms; no XSLT.  Nothing is fetched: what a
 * URI outside of the document means is asked of the caller.  One thread per document. */
#ifndef SIGNING_XMLDSIG_REFERENCE_H
#define SIGNING_XMLDSIG_REFERENCE_H

#include "signing/xml/xmldsig_interop.h"

#include <libxml/tree.h>

/* E_SIGNATURE_PROFILE (a transform or URI that is not taken), E_SIGNATURE_FORM, E_TOO_LARGE. */
err xmldsig_reference_octets(xmlNode *reference, const struct xmldsig_outside *outside, arena *mem, view *ret,
                             struct fault *f) MUST_USE;
/* The canonical form of an element as its ds:CanonicalizationMethod says. */
err xmldsig_canonical(xmlNode *method, xmlNode *element, arena *mem, view *ret, struct fault *f) MUST_USE;
/* Attributes that are ids by their name: Id, ID, id, AssertionID and wsu:Id.  False when two are equal. */
bool xmldsig_ids_register(xmlDoc *doc);

#endif
