/* Rules about claims and documents, and the words of the table. */
#include "adapters/view_rules.h"

/* -- claims -- */

static bool
may_own_claim(const struct view_eval *v, const struct case_place *at)
{
    const void *element = view_root_element(at);
    if (!v->claim)
        return false;
    switch ((int)view_root_record(at)) {
    case RECORD_claim:
        return element == (const void *)v->claim;
    case RECORD_coverage:
        return view_any_names(v, v->claim->coverages, element);
    case RECORD_reinsurance:
        return view_names(v, &((const struct case_reinsurance *)element)->claim, v->claim);
    default:
        return false;
    }
}

static bool
may_viewer_claim(const struct view_eval *v, const struct case_place *at)
{
    const struct case_claim *claim = (const struct case_claim *)view_enclosing(at, RECORD_claim);
    return claim && view_names(v, &claim->claimant, v->recipient);
}

static bool
is_own_contract(const struct view_eval *v, const struct case_coverage *c)
{
    return c && view_names(v, &c->policyholder, v->recipient);
}

static bool
may_own_contract(const struct view_eval *v, const struct case_place *at)
{
    if (view_root_record(at) == RECORD_coverage)
        return is_own_contract(v, (const struct case_coverage *)view_root_element(at));
    const struct case_claim *claim = (const struct case_claim *)view_enclosing(at, RECORD_claim);
    for (const struct case_item *i = claim ? claim->coverages : NULL; i; i = i->next)
        if (is_own_contract(v, (const struct case_coverage *)view_target(v, &i->text)))
            return true;
    return false;
}

static bool
may_own_recourse(const struct view_eval *v, const struct case_place *at)
{
    const struct case_recourse *r = (const struct case_recourse *)view_enclosing(at, RECORD_recourse);
    return r && (view_names(v, &r->claimant, v->recipient) || view_names(v, &r->against, v->recipient));
}

static bool
may_own_reference(const struct view_eval *v, const struct case_place *at)
{
    const struct case_reference *r = (const struct case_reference *)view_enclosing(at, RECORD_reference);
    return r && view_names(v, &r->owner, v->recipient);
}

static bool
may_granted(const struct view_eval *v, const struct case_place *at)
{
    const struct case_permission *p = (const struct case_permission *)view_enclosing(at, RECORD_permission);
    return p && view_any_names(v, p->to, v->recipient);
}

static bool
may_own_log(const struct view_eval *v, const struct case_place *at)
{
    const struct case_delivery *d = (const struct case_delivery *)view_enclosing(at, RECORD_delivery);
    return d && view_names(v, &d->to, v->recipient);
}

/* -- documents -- */

static bool
kind_listed(const struct view_request *r, view kind)
{
    for (size_t i = 0; i < r->n_document_kinds; i++)
        if (view_eq(r->document_kinds[i], kind))
            return true;
    return r->all_documents;
}

static bool
is_medical_paper(view kind)
{
    return view_eq(kind, V("certificate")) || view_eq(kind, V("receipt")) || view_eq(kind, V("report")) ||
           view_eq(kind, V("claim-bundle")) || view_eq(kind, V("attachment"));
}

/* Papers of the procedure are folded for everybody: the rules for claims, permissions and decisions choose
 * what of them is shown. */
static bool
is_procedural(view kind)
{
    return view_eq(kind, V("application")) || view_eq(kind, V("permission")) || view_eq(kind, V("decision"));
}

bool
view_document_may(const struct view_eval *v, const struct case_document *d)
{
    const struct view_request *r = v->request;
    if (view_is_own_documents(r->view))
        return r->sender.n && view_eq(d->sender.v, r->sender);
    if (is_medical_paper(d->kind.v) && d->subject.v.n && !view_names(v, &d->subject, v->subject))
        return false;
    return is_procedural(d->kind.v) || kind_listed(r, d->kind.v);
}

/* By place in documents[]: the list is the same before and after folding anew, whom a withheld paper is
 * about is not. */
static bool
listed_document_may(const struct view_eval *v, const struct case_document *d)
{
    size_t index = 0;
    for (const struct case_document *e = v->c->documents; e && e != d; e = e->next)
        index++;
    return index < v->n_documents && v->documents_may[index];
}

static bool
may_listed(const struct view_eval *v, const struct case_place *at)
{
    const struct case_document *d = (const struct case_document *)view_enclosing(at, RECORD_document);
    return d && kind_listed(v->request, d->kind.v) && listed_document_may(v, d);
}

static bool
may_own_document(const struct view_eval *v, const struct case_place *at)
{
    const struct case_document *d = (const struct case_document *)view_enclosing(at, RECORD_document);
    if (d)
        return listed_document_may(v, d);
    return at->src && at->src->document < v->n_documents && v->documents_may[at->src->document];
}

/* -- the table's words -- */

#define RULE_(name, expression)                                                                              \
    static bool rule_##name(const struct view_eval *v, const struct case_place *at)                          \
    {                                                                                                        \
        (void)v;                                                                                             \
        (void)at;                                                                                            \
        return expression;                                                                                   \
    }
RULE_(all, true)
RULE_(referenced, map_get(&v->referenced, view_root_element(at)) != NULL)
RULE_(subject_signer, view_may_subject(v, at) || rule_referenced(v, at))
RULE_(victim_signer, view_may_victim(v, at) || rule_referenced(v, at))
RULE_(named_scale, view_may_scale(v, at) && view_may_named_benefit(v, at))
RULE_(report, v->request->reports_asked &&view_may_subject(v, at))
RULE_(report_named, v->request->reports_asked &&view_may_named_benefit(v, at))
RULE_(if_heir, view_viewer_is_heir(v) && view_may_subject(v, at))
RULE_(unlocked, v->request->unlocked &&view_may_subject(v, at))
RULE_(self_copay,
      !view_may_expense_kind(at, PREDICATE_VEHICLE_EXPENSE) && view_may_line(v, at, PREDICATE_SELF_COPAY))
RULE_(cali_line, view_may_line(v, at, PREDICATE_CALI_LINE))
RULE_(nhi_points, view_may_line(v, at, PREDICATE_NHI_POINTS))
RULE_(no_vehicle, !view_may_expense_kind(at, PREDICATE_VEHICLE_EXPENSE) && view_may_subject(v, at))
RULE_(vehicle_expense, view_may_expense_kind(at, PREDICATE_VEHICLE_EXPENSE) && view_may_own_expense(v, at))
RULE_(funeral, view_may_expense_kind(at, PREDICATE_FUNERAL))
RULE_(viewer_vehicle, view_owns(v, view_vehicle_of(v, at), v->recipient))
RULE_(owner_phone, view_enclosing(at, RECORD_telecom) && view_may_owner(v, at))
RULE_(direct, view_may_paid(v, at, "direct_shop"))
RULE_(pointer, false) /* judged in view.c, where it is known what is shown */
#undef RULE_

static bool (*const rules[PREDICATE_COUNT])(const struct view_eval *v, const struct case_place *at) = {
    [PREDICATE_ALL] = rule_all,
    [PREDICATE_SUBJECT] = view_may_subject,
    [PREDICATE_SUBJECT_SIGNER] = rule_subject_signer,
    [PREDICATE_VICTIM] = view_may_victim,
    [PREDICATE_VICTIM_SIGNER] = rule_victim_signer,
    [PREDICATE_NEEDED] = view_may_needed,
    [PREDICATE_VIEWER] = view_may_viewer,
    [PREDICATE_OWNER_PHONE] = rule_owner_phone,
    [PREDICATE_REFERENCED] = rule_referenced,
    [PREDICATE_INJURY] = view_may_injury,
    [PREDICATE_NAMED_BENEFIT] = view_may_named_benefit,
    [PREDICATE_OWN_SCALE] = view_may_scale,
    [PREDICATE_NAMED_SCALE] = rule_named_scale,
    [PREDICATE_REPORT] = rule_report,
    [PREDICATE_REPORT_NAMED] = rule_report_named,
    [PREDICATE_IF_HEIR] = rule_if_heir,
    [PREDICATE_UNLOCKED] = rule_unlocked,
    [PREDICATE_SELF_COPAY] = rule_self_copay,
    [PREDICATE_CALI_LINE] = rule_cali_line,
    [PREDICATE_NHI_POINTS] = rule_nhi_points,
    [PREDICATE_NO_VEHICLE] = rule_no_vehicle,
    [PREDICATE_VEHICLE_EXPENSE] = rule_vehicle_expense,
    [PREDICATE_OWN_ISSUE] = view_may_own_issue,
    [PREDICATE_FUNERAL] = rule_funeral,
    [PREDICATE_OWN_SIDE] = view_may_own_side,
    [PREDICATE_OWN_VEHICLE] = view_may_own_vehicle,
    [PREDICATE_VIEWER_VEHICLE] = rule_viewer_vehicle,
    [PREDICATE_ORDER] = view_may_order,
    [PREDICATE_OWN_APPROVAL] = view_may_own_approval,
    [PREDICATE_BETWEEN] = view_may_between,
    [PREDICATE_OWN_CLAIM] = may_own_claim,
    [PREDICATE_VIEWER_CLAIM] = may_viewer_claim,
    [PREDICATE_OWN_CONTRACT] = may_own_contract,
    [PREDICATE_OFFSET] = view_may_offset,
    [PREDICATE_DIRECT] = rule_direct,
    [PREDICATE_OWN_SHARE] = view_may_own_share,
    [PREDICATE_OWN_RECOURSE] = may_own_recourse,
    [PREDICATE_OWN_REFERENCE] = may_own_reference,
    [PREDICATE_GRANTED] = may_granted,
    [PREDICATE_OWN_LOG] = may_own_log,
    [PREDICATE_OWN_DOCUMENT] = may_own_document,
    [PREDICATE_LISTED] = may_listed,
    [PREDICATE_POINTER] = rule_pointer,
};

static bool
judge(const struct view_eval *v, enum view_predicate predicate, const struct case_place *at)
{
    return rules[predicate] && rules[predicate](v, at);
}

static const void *
innermost_element(const struct case_place *at)
{
    for (size_t i = at->depth; i > 0; i--)
        if (at->steps[i - 1].field->kind == FIELD_LIST)
            return at->steps[i - 1].at;
    return at->c;
}

/* All leaves of one element get the same answer, save where the leaf's own source, the kind of record or
 * an object decides. */
static bool
may_remember(enum view_predicate predicate)
{
    return predicate == PREDICATE_INJURY || predicate == PREDICATE_CALI_LINE ||
           predicate == PREDICATE_NEEDED || predicate == PREDICATE_OWN_VEHICLE ||
           predicate == PREDICATE_ORDER || predicate == PREDICATE_OWNER_PHONE;
}

bool
view_may(struct view_eval *v, enum view_predicate predicate, const struct case_place *at)
{
    if (!may_remember(predicate) || at->steps[0].field->kind != FIELD_LIST)
        return judge(v, predicate, at);
    const void *element = innermost_element(at);
    struct view_memo *memo = &v->memo[predicate];
    if (memo->element != element)
        *memo = (struct view_memo){element, judge(v, predicate, at)};
    return memo->may;
}
