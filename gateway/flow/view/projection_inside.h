/* One recipient's look at one claim, and the keeping of what it was given.  Inside of projection.c and projection_keep.c.
 *
 * A projection is computed once for (case version, policy, encoder, kinds that a permission covers) and its bytes are kept sealed, so that who fetches again gets
 * the same bytes, the attestation included.  A use of a permission counts when such bytes first leave, in the transaction that keeps them; what is fetched again counts
 * nothing (docs/decisions/15-projections-kept.md).  One thread, memory from the arena. */
#ifndef FLOW_PROJECTION_INSIDE_H
#define FLOW_PROJECTION_INSIDE_H

#include "adapters/view.h"
#include "flow/case/case_frame.h"
#include "flow/partner/registry.h"
#include "flow/view/feed.h"

/* Changes when views.def changes what a projection says. */
#define PROJECTION_POLICY "views-3"

struct look {
    struct gateway *g;
    struct reader *r;
    arena *mem;
    struct fault *f;
    instant now;
    struct row_claim *claim;
    struct row_permission *permissions;
    struct loaded_case c;
    view kinds[KIND_COUNT]; /* that a permission covers at this moment */
    size_t n_kinds;
    const struct row_permission *by[KIND_COUNT]; /* the permission of each of them */
    bool is_counted;                             /* one of them has counted uses */
    bool reports_asked;                          /* this claim's insurer has asked a hospital for reports */
    bool was_spent;                              /* kinds were left out because the uses are spent */
    view subject;                                /* local id in the folded case */
    view own_claim;                              /* local id */
    view recipient;
    enum view_kind view;
    view detail;
};

/* Claim, permissions and documents; kinds also by permissions whose uses are spent. */
err look_open(struct look *l, partner_id who, claim_id id) MUST_USE;
/* Only kinds whose permission has a use left. */
void look_narrow(struct look *l);
bool look_covers(const struct look *l, view kind);
/* Leaves out what is not covered and folds the rest. */
err look_fold(struct look *l) MUST_USE;
/* Members of the answer: case_version, view, case, documents, attestation. */
err look_print(struct look *l, view *ret) MUST_USE;
/* What was kept of this look, NULL when nothing; then narrowed. */
err look_find_kept(struct look *l, struct row_projection **ret) MUST_USE;

#endif
