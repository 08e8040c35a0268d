/* A case as a fold of its documents' facts, for operators and for projections.
 *
 * Stored are facts per document (sealed, immutable); the case is computed when somebody asks.  Any thread. */
#ifndef FLOW_CASE_H
#define FLOW_CASE_H

#include "adapters/case.h"
#include "base/buf.h"
#include "flow/gateway.h"

struct loaded_document {
    const struct row_document *row;
    struct claim_case *facts; /* NULL for applications and other papers without facts */
};

struct loaded_case {
    struct row_case *row;
    struct claim_case *folded;
    struct loaded_document *documents; /* current ones, by received_at and id */
    size_t n;
};

/* Follows merged_into.  Withdrawn and replaced documents are left out. */
err case_load(struct gateway *g, struct reader *r, uid id, arena *mem, struct loaded_case *ret,
              struct fault *f) MUST_USE;

/* For operators: the whole case with what its rules find (adapters/invariants.h), and per field its document, pointer or XPath and byte range. */
err case_show(struct gateway *g, case_id id, bool provenance, arena *mem, view *ret_json, struct fault *f)
    MUST_USE;
/* The same over HTTP for the app that filed the application of this case; E_NOT_FOUND for all others. */
err case_fetch(struct gateway *g, partner_id who, case_id id, bool provenance, arena *mem, view *ret_json,
               struct fault *f) MUST_USE;
/* E_NOT_FOUND unless this app filed an application of the case. */
err case_filed_by(struct gateway *g, partner_id who, case_id id, arena *mem, struct fault *f) MUST_USE;
/* A case that was merged answers for the surviving one. E_NOT_FOUND. */
err case_surviving(struct reader *r, uid id, arena *mem, uid *ret) MUST_USE;
/* The newest cases: text is a limit. */
err case_list(struct gateway *g, view limit, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
