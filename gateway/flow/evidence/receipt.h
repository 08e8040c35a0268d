/* A partner's own receipts and their proofs. E_NOT_FOUND for another's. */
#ifndef FLOW_RECEIPT_H
#define FLOW_RECEIPT_H

#include "flow/gateway.h"

err receipt_fetch(struct gateway *g, partner_id who, submission_id id, arena *mem, view *ret_json,
                  struct fault *f) MUST_USE;
/* leaf: of the receipt; whoever knows it has the receipt, and so gets the proof, also of a withdrawal's or a decision's.  NULL: of a document that `who`
 * sent.  size 0: the present tree. */
err receipt_proof(struct gateway *g, partner_id who, submission_id id, const digest *leaf, uint64_t size,
                  arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
