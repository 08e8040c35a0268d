/* A case is a fold of its documents' facts (DECISIONS "Permissions, recipients, projections").
 *
 * case_fold is a pure function: the same frame and the same parts, in whatever order they are given, make
 * the same case with the same ids.  Documents are taken in the order of (received_at, document_id).  Facts
 * of a document that another one replaces, or that is withdrawn, are left out.
 *   - Parties with an equal identifier become one (national, residence and passport numbers by type and
 *     value, others within their system).
 *   - Encounters meet by facility and visit number, expenses by issuer, kind and number, certificates by
 *     kind and number, vehicles by plate or VIN, coverages and claims by their parties and line, parties of
 *     the accident by their number on the form.
 *   - Everything else meets when all its leaves are equal, one to one, and never within one document (two
 *     equal lines of a receipt are two lines).
 *   - Where two documents state different values, the first received is shown and conflicts[] keeps all
 *     with their sources; technical leaves and references do not conflict.
 *   - What sources say of each other is judged last (rules/consistency.h) and stands in findings[].
 * The frame holds what is not from documents: meta, documents, verdicts, claims' states, permissions,
 * deliveries, timeline.  It takes part as the first, and its leaves count as the gateway's own, whatever
 * their sources say.  In facts, "#d1" is the document itself.  The result borrows from frame and parts,
 * which must outlive it; one thread. */
#ifndef ADAPTERS_CASE_FOLD_H
#define ADAPTERS_CASE_FOLD_H

#include "adapters/case.h"

struct case_part {
    const struct claim_case *facts;
    view document_id; /* of a document in the frame: documents[].document_id */
    view subject;     /* local id in facts of the person that the document is about; empty: none or several */
};

/* E_TOO_LARGE; E_NOT_FOUND when a part's document is not in the frame. */
err case_fold(const struct claim_case *frame, const struct case_part *parts, size_t n, arena *mem,
              struct claim_case **ret, struct fault *f) MUST_USE;

#endif
