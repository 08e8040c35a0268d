/* The frame of a case: what is not said by documents but by the gateway's own rows (meta, documents, verdicts, claims).  Inside of case.c and projection.c. */
#ifndef FLOW_CASE_FRAME_H
#define FLOW_CASE_FRAME_H

#include "flow/case/case.h"

/* own: only this claim stands in the frame (a projection never folds another's); NULL: all. */
err frame_make(struct gateway *g, struct reader *r, const struct loaded_case *c, const struct row_claim *own,
               arena *mem, struct claim_case **ret) MUST_USE;
/* Rows and facts without the fold. */
err case_load_rows(struct gateway *g, struct reader *r, uid id, arena *mem, struct loaded_case *ret,
                   struct fault *f) MUST_USE;
err case_fold_loaded(struct gateway *g, struct reader *r, const struct row_claim *own, arena *mem,
                     struct loaded_case *c, struct fault *f) MUST_USE;
err case_facts(struct gateway *g, struct reader *r, const struct row_document *row, arena *mem,
               struct claim_case **ret) MUST_USE;
/* Words of the claim's benefits, from its sealed detail; an empty view when there is none. */
err claim_benefits(struct gateway *g, struct reader *r, const struct row_claim *claim, arena *mem,
                   view *ret_words, view *ret_detail) MUST_USE;

#endif
