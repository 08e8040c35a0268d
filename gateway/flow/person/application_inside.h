/* Inside of application.c: one filing of a person on its way in.  One request's thread and arena. */
#ifndef FLOW_APPLICATION_INSIDE_H
#define FLOW_APPLICATION_INSIDE_H

#include "adapters/person/application.h"
#include "flow/case/join.h"
#include "flow/case/permission.h"
#include "flow/partner/registry.h"
#include "flow/person/application.h"
#include "flow/person/presented.h"

struct signed_by {
    struct verdict *verdict;
    const struct signer *signer;
};

struct filing {
    struct gateway *g;
    const struct application_in *in;
    arena *mem;
    struct fault *f;
    bool permissions_only;
    struct registry *registry;
    struct trust *trust;
    const struct partner *sender;
    struct application a;
    struct signed_by signed_by[1 + CO_SIGNATURES_MAX];
    size_t n_signed;
    struct presented presented[PRESENTATIONS_MAX];
    size_t n_presented;
    view payload; /* what was signed */
    enum consent_evidence level;
    digest by;           /* the representative who gave it, none: the person (heirs: each for himself) */
    const char *waits;   /* why nothing leaves yet: "missing" or "expired" proof of `by`; NULL: it may */
    int64_t paper_level; /* of the document: enum evidence_level */
    view verdict_text;
    digest verdict_digest;
    digest body_blind, subject_blind;
};

/* Insurer or fund, attorney or holder of records; NULL when nobody of this code is registered. */
const struct partner *filing_recipient(const struct filing *w, const struct applied_insurer *i);
/* Who signed, and whether all who must have: level, by, waits.  E_PERMISSION_EVIDENCE, E_PERMISSION_JOINT, E_REPRESENTATION, E_REPRESENTATION_ACT, E_WARD, E_HEIR_ORDER. */
err filing_weigh(struct filing *w) MUST_USE;
/* Form, signatures, evidence, recipients, texts. */
err filing_judge(struct filing *w) MUST_USE;
/* One unit: document, case, claims, permissions, deliveries, track code, receipt. E_STALE: read again. */
err filing_store(struct filing *w, struct application_out *ret) MUST_USE;
/* The answer to the same bytes that were filed before; E_NOT_FOUND. */
err filing_again(struct filing *w, struct application_out *ret) MUST_USE;
void filing_done(struct filing *w);

#endif
