/* Attachments that come in pieces, so that a broken connection costs only what had not arrived.
 *
 * An upload is made with the length and SHA-256 of the whole; bytes are appended in order, each piece sealed and durable
 * before it is answered.  The last piece joins them: the digest is judged, and an attachment stands in the upload's
 * place (flow/intake/attachment.h).  Scoped to the partner, at most UPLOADS_OPEN at a time, dead after 24 hours (duty).
 * Functions: any thread; two senders of the same piece are decided by the store. */
#ifndef FLOW_UPLOAD_H
#define FLOW_UPLOAD_H

#include "flow/gateway.h"

#define UPLOAD_BYTES_MAX (25 << 20)
#define UPLOADS_OPEN 1000

struct upload_state {
    upload_id id;
    int64_t received, bytes;
    bool is_complete; /* the attachment is there; the upload is gone */
};

/* sha256_hex of the whole in lower case.  Complete at once when the attachment is here already. */
err upload_create(struct gateway *g, partner_id who, view sha256_hex, int64_t bytes, view media, instant now,
                  arena *mem, struct upload_state *ret, struct fault *f) MUST_USE;
/* E_NOT_FOUND also for another partner's and for a completed one. */
err upload_state(struct gateway *g, partner_id who, upload_id id, arena *mem, struct upload_state *ret,
                 struct fault *f) MUST_USE;
/* E_UPLOAD_OFFSET when offset is not where the upload ends: *ret then says where.  A wrong digest of the whole removes
 * the upload: E_ATTACHMENT_DIGEST. */
err upload_append(struct gateway *g, partner_id who, upload_id id, int64_t offset, view bytes, instant now,
                  arena *mem, struct upload_state *ret, struct fault *f) MUST_USE;
err upload_cancel(struct gateway *g, partner_id who, upload_id id, arena *mem, struct fault *f) MUST_USE;

#endif
