/* What the table of members cannot say: rules between members. */
#include "adapters/police/inside.h"

#include "base/text.h"

static bool
is_opinion_part(view part)
{
    return view_eq(part, V("analysis")) || view_eq(part, V("appraisal")) || view_eq(part, V("reappraisal"));
}

static void
require(struct form *x, const char *member, const char *why)
{
    if (!form_member(x, x->root, member))
        form_issue(x, ISSUE_ERROR, E_REQUIRED, x->root, why, "nothing");
}

static void
check_part(struct form *x)
{
    const struct node *part = form_member(x, x->root, "part");
    bool other = view_eq(x->part, V("other"));
    if (view_eq(x->part, V("diagram")) || view_eq(x->part, V("photos")))
        require(x, "attachments", "attachments: a diagram or photos are files");
    if (is_opinion_part(x->part))
        require(x, "opinions", "opinions: an analysis or appraisal gives one");
    else if (form_member(x, x->root, "opinions"))
        form_issue(x, ISSUE_ERROR, E_VALUE, part, "part analysis, appraisal or reappraisal with opinions",
                   "another part");
    if (!other && form_member(x, x->root, "item"))
        form_issue(x, ISSUE_ERROR, E_VALUE, part, "part other with item", "another part");
    if (!other && x->inquest)
        form_issue(x, ISSUE_ERROR, E_VALUE, part, "part other with inquest", "another part");
}

static bool
is_board_part(view part)
{
    return view_eq(part, V("appraisal")) || view_eq(part, V("reappraisal"));
}

/* Slip, diagram, photos and analysis are the handling agency's own; only boards, prosecutors and courts write on another's accident, and a board has none of its
 * own (THREATS S18). */
static void
check_agency(struct form *x)
{
    const struct node *handler = form_member(x, x->root, "handled_by");
    view kind = form_value(x, form_member(x, x->root, "agency"), "kind");
    bool foreign = handler && !view_eq(x->handler, x->oid);
    bool may = is_board_part(x->part) || view_eq(x->part, V("other"));
    if (!record_may_write(kind.n ? kind : V("police"), x->part))
        form_issue(x, ISSUE_ERROR, E_AGENCY, form_member(x, x->root, "part"),
                   "a paper that this kind of agency writes", "another kind's");
    if (is_board_part(x->part))
        require(x, "handled_by", "handled_by: the agency whose accident is judged");
    if (foreign && !may)
        form_issue(x, ISSUE_ERROR, E_AGENCY, handler, "the writing agency's own accident",
                   "another agency's");
    if (x->inquest && !view_eq(kind, V("prosecutor")))
        form_issue(x, ISSUE_ERROR, E_AGENCY, x->inquest, "an inquest by a prosecutor's agency",
                   "another kind of agency");
}

static void
check_revision(struct form *x)
{
    const struct node *at = form_member(x, x->root, "replaces");
    int64_t revision, replaced;
    if (!at || !form_int(x, form_member(x, x->root, "revision"), &revision) || !form_int(x, at, &replaced))
        return;
    if (replaced >= revision)
        form_issue(x, ISSUE_ERROR, E_VALUE, at, "a revision before this one", "this one or a later one");
}

static err
number_parties(struct form *x)
{
    const struct node *list = form_member(x, x->root, "parties");
    uint32_t n = node_count(list);
    if (n > POLICE_PARTIES_MAX) {
        form_issue(x, ISSUE_ERROR, E_CARDINALITY, list, "at most 256 parties", "more");
        return E_OK;
    }
    x->parties = arena_make_array(x->mem, (size_t)n + 1, struct form_party);
    if (!x->parties)
        return E_TOO_LARGE;
    for (NODE_EACH(p, x->t, list)) {
        const struct node *at = form_member(x, p, "seq");
        int64_t seq;
        if (!form_int(x, at, &seq))
            continue;
        if (form_party_of(x, seq))
            form_issue(x, ISSUE_ERROR, E_VALUE, at, "a number that no other party has",
                       "one that stands twice");
        else
            x->parties[x->n_parties++] = (struct form_party){.seq = seq, .node = p};
    }
    return E_OK;
}

static void
check_reference(struct form *x, const struct node *at)
{
    int64_t seq;
    if (form_int(x, at, &seq) && !form_party_of(x, seq))
        form_issue(x, ISSUE_ERROR, E_REFERENCE, at, "seq of a party of this record", "none with this number");
}

static void
check_references(struct form *x)
{
    for (NODE_EACH(p, x->t, form_member(x, x->root, "parties")))
        check_reference(x, form_member(x, p, "rides_with"));
    for (NODE_EACH(o, x->t, form_member(x, x->root, "opinions")))
        for (NODE_EACH(f, x->t, form_member(x, o, "findings")))
            check_reference(x, form_member(x, f, "party"));
    check_reference(x, form_member(x, x->inquest, "deceased"));
}

err
form_rules(struct form *x)
{
    check_part(x);
    check_agency(x);
    check_revision(x);
    TRY(number_parties(x));
    check_references(x);
    return E_OK;
}
