/* Attachments: photos and drawings that a record names by digest, sent apart so that no large body stands inside a signed document.
 *
 * Scoped to the partner; the same bytes again are 200; unclaimed ones die after 24 hours (duty). */
#ifndef FLOW_ATTACHMENT_H
#define FLOW_ATTACHMENT_H

#include "flow/gateway.h"

err attachment_put(struct gateway *g, partner_id who, view sha256_hex, view body, const digest *body_digest,
                   view media, instant now, arena *mem, bool *ret_created, struct fault *f) MUST_USE;
/* Is it here?  In the reader's snapshot. */
err attachment_known(const struct gateway *g, struct reader *r, partner_id who, view sha256_hex, arena *mem,
                     bool *ret) MUST_USE;
/* Of a JPEG or PNG a copy without the camera's data is made and sealed beside it (adapters/claimlink/photo.h): that is what others get.
 *
 * Seals the body and adds its row to the unit; the caller has compared the digest. */
err attachment_add(const struct gateway *g, struct unit *u, partner_id who, view sha256_hex, view body,
                   view media, instant now) MUST_USE;

#endif
