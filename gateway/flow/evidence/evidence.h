/* Leaves, receipts and proofs.
 *
 * Every unit that changes something has one leaf: H(0x00 ‖ data), data = canonical JSON {"at","commit":"hex SHA-256(salt ‖ parts)","kind","ref","v"}; the salt is
 * stored with the row, so erasing it keeps the log verifiable and the content unguessable.  The rows themselves are covered by the store's leaves of kind
 * "rows" (store/journal.h).  The receipt is made in the request's thread and stored in the unit. */
#ifndef FLOW_EVIDENCE_H
#define FLOW_EVIDENCE_H

#include "flow/gateway.h"
#include "signing/log/proof.h"
#include "signing/log/receipt.h"

#define LEAF_PARTS_MAX 15
/* Adds the leaf row; parts are what the leaf commits to (document digest, verdict digest, link …); E_TOO_LARGE when they are more than that. */
err evidence_leaf(struct unit *u, const char *kind, uid ref, const digest *parts, size_t n, instant at,
                  digest *ret_hash) MUST_USE;
/* The leaf's data as text, and its hash: what the log has of these columns (commitment, kind, ref, at). */
err evidence_leaf_data(const struct row_leaf *row, arena *mem, view *ret_data) MUST_USE;
digest evidence_leaf_hash(const struct row_leaf *row);

err evidence_receipt(struct gateway *g, submission_id id, const digest *document, const digest *verdict,
                     partner_id sender, instant received, const digest *leaf, arena *mem, view *ret_jws)
    MUST_USE;

/* Inclusion of a leaf, as JSON (signing/log/proof.h), in the tree of that size; 0: the present one. */
err evidence_proof(struct gateway *g, const digest *leaf_hash, uid ref, uint64_t size, arena *mem,
                   view *ret_json, struct fault *f) MUST_USE;
/* That the tree of `size` entries (0: now) continues the one of `first`, with its head. */
err evidence_consistency(struct gateway *g, uint64_t first, uint64_t size, arena *mem, struct log_proof *ret,
                         struct fault *f) MUST_USE;
err evidence_checkpoint(struct gateway *g, arena *mem, view *ret_text) MUST_USE;

struct log_tree *log_tree_new(struct store *s);
void log_tree_free(struct log_tree *t);

#endif
