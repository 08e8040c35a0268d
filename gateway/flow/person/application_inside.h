/* Inside of application.c: one filing of a person on its way in.  One request's thread and arena. */
#ifndef FLOW_APPLICATION_INSIDE_H
#define FLOW_APPLICATION_INSIDE_H

#include "adapters/person/application.h"
#include "flow/case/join.h"
#include "flow/partner/registry.h"
#include "flow/person/application.h"

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
    view payload;      /* what was signed */
    const char *level; /* "presumption", "asserted" */
    view verdict_text;
    digest verdict_digest;
    digest body_blind, subject_blind;
};

/* Form, signatures, evidence, recipients, texts. */
err filing_judge(struct filing *w) MUST_USE;
/* One unit: document, case, claims, permissions, deliveries, track code, receipt. E_STALE: read again. */
err filing_store(struct filing *w, struct application_out *ret) MUST_USE;
void filing_done(struct filing *w);

#endif
