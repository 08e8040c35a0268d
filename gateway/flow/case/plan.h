/* What goes out because of a change: for each claim of the case whose permission covers a document now, one delivery row and one event.
 *
 * A delivery row exists only where a permission covers this insurer, purpose, document kind and moment (SCHEMA invariant 19); the same question is asked again when it is
 * sent or fetched (permission.h). */
#ifndef FLOW_PLAN_H
#define FLOW_PLAN_H

#include "flow/case/permission.h"
#include "flow/gateway.h"
#include "flow/partner/registry.h"
#include "signing/verify.h"

struct plan_input {
    struct gateway *g;
    struct reader *reader;
    const struct registry *registry;
    arena *mem;
    case_id in_case;
    int64_t case_version;
    instant now;
    const struct paper *raised; /* its level is being raised in this unit; NULL: none */
};

/* The permission by which a claim's recipient has papers of a kind: for the claim itself, or for a recourse where the line can be asked for one (DOMAIN D10). covers: with a
 * use left; else the one that stands, whatever its uses.  NULL when none. */
const struct row_permission *permission_for_claim(const struct row_permission *list,
                                                  const struct row_claim *c, enum document_kind kind,
                                                  instant now);
const struct row_permission *permission_standing_for(const struct row_permission *list,
                                                     const struct row_claim *c, enum document_kind kind,
                                                     instant now);

/* A paper on its way out: what it is and how sure it is (documents row). */
struct paper {
    uid id;
    enum document_kind kind;
    int64_t level, floor;
    const char *event;
    uid signer;     /* organisation; its own papers are no news to it */
    digest subject; /* of a motor filing's paper: whose filing it is; it reaches that owner's claims only */
};
struct paper paper_of(const struct row_document *d, const char *event);

/* Is the paper as sure as this recipient and the paper itself ask (min_level of the registry, floor of the policy)?
 * What is not, is held: no delivery, no event, no part in the projection; it is planned again when its level rises. */
bool plan_is_sure(struct gateway *g, const struct registry *r, uid recipient, int64_t level, int64_t floor);

/* Had this claim's recipient the paper by one of these deliveries? */
bool plan_had(const struct row_delivery *past, const struct row_claim *c, uid document);
/* A permission is as sure as the paper that gave it, and one paper (an application) gives permissions to several recipients: the paper read last is kept. */
struct permission_papers {
    struct gateway *g;
    struct reader *reader;
    const struct registry *registry;
    arena *mem;
    const struct paper *raised; /* as in plan_input */
    uid last;                   /* none: nothing read yet */
    int64_t last_level;
    bool last_found;
};

/* Is the person's evidence as good as the recipient asks (registry option min_evidence: plain or presumption)?  Permissions of law have none. */
bool plan_evidence_is_enough(const struct registry *r, uid recipient, const struct row_permission *p);
/* Is the permission's evidence, and the paper that gave it, sure enough for the recipient? */
bool plan_permission_is_sure(struct permission_papers *papers, const struct row_permission *p, uid recipient);

/* The claim that an application opened, and what the case holds, under a permission that this very unit makes or frees: "claim.opened" with the application, then each of
 * `documents` that the permission covers, and the claim is sent.  The application itself must be sure enough (plan_is_sure). */
err plan_opened(const struct plan_input *in, struct unit *u, struct row_claim *claim,
                const struct row_permission *permission, uid application,
                const struct row_document *documents, struct fault *f) MUST_USE;

/* Event word for a document: "document.available", "document.replaced", "document.withdrawn", "document.refunded". */
err plan_document(const struct plan_input *in, struct unit *u, const struct paper *paper,
                  size_t *ret_deliveries) MUST_USE;
/* The same for those claims only that have not got it yet: a paper that was held and is sure enough now. */
err plan_released(const struct plan_input *in, struct unit *u, const struct paper *paper,
                  size_t *ret_deliveries) MUST_USE;
/* A delivery and its event for one claim; permission may be NULL for notices without content. */
err plan_delivery(const struct plan_input *in, struct unit *u, const struct row_claim *claim,
                  const struct row_permission *permission, uid document, const char *event) MUST_USE;
/* The same under a permission that this very unit makes. */
err plan_delivery_new(const struct plan_input *in, struct unit *u, const struct row_claim *claim,
                      const struct row_permission *permission, uid document, const char *event) MUST_USE;

/* The same when the paper joins the case with others (merged: their rows as read before the join): it goes to the claims of all of them, and each case's papers go to
 * the claims of the others.  paper NULL when the paper itself is not to be sent. */
#define PLAN_JOINED_MAX 8
err plan_joined(const struct plan_input *in, struct unit *u, struct row_case *const *merged, size_t n,
                const struct paper *paper, size_t *ret_deliveries) MUST_USE;
/* Notices to all who had an earlier version, whatever their permission is now; no content. */
err plan_notices(const struct plan_input *in, struct unit *u, doc_id earlier, const char *event) MUST_USE;

#endif
