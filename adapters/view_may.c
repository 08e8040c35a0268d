#include "adapters/view_eval.h"

const void *
view_target(const struct view_eval *v, const struct leaf_text *reference)
{
    return reference->v.n ? graph_source_element(&v->refs, reference->v) : NULL;
}

static bool
names(const struct view_eval *v, const struct leaf_text *reference, const void *element)
{
    return element && reference->v.n && view_target(v, reference) == element;
}

static bool
any_names(const struct view_eval *v, const struct case_item *list, const void *element)
{
    for (const struct case_item *i = list; i; i = i->next)
        if (names(v, &i->text, element))
            return true;
    return false;
}

static bool
is(const struct leaf_text *leaf, const char *word)
{
    return view_eq(leaf->v, view_of(word));
}

/* The innermost record of a kind on the way to the leaf. */
static const void *
enclosing(const struct case_place *at, enum case_record record)
{
    for (size_t i = at->depth; i > 0; i--)
        if (at->steps[i - 1].record == record && at->steps[i - 1].at &&
            at->steps[i - 1].field->kind != FIELD_TEXTS && at->steps[i - 1].field->kind != FIELD_REFS)
            return at->steps[i - 1].at;
    return NULL;
}

static enum case_record
root_record(const struct case_place *at)
{
    return (enum case_record)at->steps[0].record;
}

static const void *
root_element(const struct case_place *at)
{
    return at->steps[0].at;
}

/* -- whom is it about -- */

static const void *
encounter_patient(const struct view_eval *v, const struct leaf_text *encounter)
{
    const struct case_encounter *e = (const struct case_encounter *)view_target(v, encounter);
    return e ? view_target(v, &e->patient) : NULL;
}

static const void *
patient_or_encounter(const struct view_eval *v, const struct leaf_text *patient,
                     const struct leaf_text *encounter)
{
    return patient->v.n ? view_target(v, patient) : encounter_patient(v, encounter);
}

static const void *
patient_or_encounters(const struct view_eval *v, const struct leaf_text *patient,
                      const struct case_item *encounters)
{
    if (patient->v.n)
        return view_target(v, patient);
    return encounters ? encounter_patient(v, &encounters->text) : NULL;
}

/* NULL when the record has no subject of its own: then the document's counts. */
static const void *
stated_subject(const struct view_eval *v, enum case_record record, const void *at)
{
    switch ((int)record) {
    case RECORD_party:
        return at;
    case RECORD_role:
        return view_target(v, &((const struct case_role *)at)->party);
    case RECORD_encounter:
        return view_target(v, &((const struct case_encounter *)at)->patient);
    case RECORD_diagnosis: {
        const struct case_diagnosis *d = (const struct case_diagnosis *)at;
        return patient_or_encounter(v, &d->patient, &d->encounter);
    }
    case RECORD_procedure:
        return encounter_patient(v, &((const struct case_procedure *)at)->encounter);
    case RECORD_certificate: {
        const struct case_certificate *c = (const struct case_certificate *)at;
        return patient_or_encounters(v, &c->patient, c->encounters);
    }
    case RECORD_report: {
        const struct case_report *r = (const struct case_report *)at;
        return patient_or_encounter(v, &r->patient, &r->encounter);
    }
    case RECORD_cancer:
        return view_target(v, &((const struct case_cancer *)at)->patient);
    case RECORD_disability:
        return view_target(v, &((const struct case_disability *)at)->patient);
    case RECORD_death:
        return view_target(v, &((const struct case_death *)at)->person);
    case RECORD_care:
        return view_target(v, &((const struct case_care *)at)->patient);
    case RECORD_expense: {
        const struct case_expense *e = (const struct case_expense *)at;
        return patient_or_encounters(v, &e->patient, e->covers ? e->covers->encounters : NULL);
    }
    case RECORD_coverage:
        return view_target(v, &((const struct case_coverage *)at)->insured);
    case RECORD_permission:
        return view_target(v, &((const struct case_permission *)at)->subject);
    case RECORD_document:
        return view_target(v, &((const struct case_document *)at)->subject);
    default:
        return NULL;
    }
}

static const struct case_document *
document_at(const struct view_eval *v, uint32_t index)
{
    const struct case_document *d = v->c->documents;
    for (; d && index; d = d->next)
        index--;
    return d;
}

static bool
claim_is_of(const struct view_eval *v, const struct case_claim *claim, const void *party)
{
    return claim && (names(v, &claim->for_, party) || names(v, &claim->claimant, party));
}

static bool
may_subject(const struct view_eval *v, const struct case_place *at)
{
    const void *element = root_element(at);
    if (!v->subject)
        return false;
    switch ((int)root_record(at)) {
    case RECORD_claim:
        return claim_is_of(v, (const struct case_claim *)element, v->subject);
    case RECORD_delivery:
        return claim_is_of(
            v, (const struct case_claim *)view_target(v, &((const struct case_delivery *)element)->claim),
            v->subject);
    case RECORD_timeline_entry:
        return claim_is_of(
            v,
            (const struct case_claim *)view_target(v, &((const struct case_timeline_entry *)element)->claim),
            v->subject);
    case RECORD_meta: {
        const struct case_reference *r = (const struct case_reference *)enclosing(at, RECORD_reference);
        return r && names(v, &r->owner, v->subject);
    }
    default:
        break;
    }
    const void *subject = stated_subject(v, root_record(at), element);
    if (subject)
        return subject == v->subject;
    const struct case_document *d =
        at->src && at->src->document != CASE_NO_DOCUMENT ? document_at(v, at->src->document) : NULL;
    return d && names(v, &d->subject, v->subject);
}

/* -- parties -- */

static bool
may_victim(const struct view_eval *v, const struct case_place *at)
{
    if (may_subject(v, at))
        return true;
    const void *subject = stated_subject(v, root_record(at), root_element(at));
    return v->claim && names(v, &v->claim->claimant, subject);
}

static bool
is_motor_role(const struct case_role *r)
{
    return is(&r->role, "driver") || is(&r->role, "rider") || is(&r->role, "owner") ||
           is(&r->role, "keeper") || is(&r->role, "tortfeasor") || is(&r->role, "claimant");
}

static bool
may_needed(const struct view_eval *v, const struct case_place *at)
{
    const void *party = stated_subject(v, root_record(at), root_element(at));
    if (!party)
        return false;
    if (v->claim && claim_is_of(v, v->claim, party))
        return true;
    for (const struct case_role *r = v->c->roles; r; r = r->next)
        if (is_motor_role(r) && names(v, &r->party, party))
            return true;
    return false;
}

static bool
owns(const struct view_eval *v, const struct case_vehicle *vehicle, const void *party)
{
    return vehicle && party && (names(v, &vehicle->owner, party) || names(v, &vehicle->keeper, party));
}

static bool
may_owner(const struct view_eval *v, const struct case_place *at)
{
    for (const struct case_repair *r = v->c->repairs; r; r = r->next)
        if (names(v, &r->shop, v->recipient) &&
            owns(v, (const struct case_vehicle *)view_target(v, &r->vehicle), root_element(at)))
            return true;
    return false;
}

static bool
may_viewer(const struct view_eval *v, const struct case_place *at)
{
    return v->recipient && stated_subject(v, root_record(at), root_element(at)) == (const void *)v->recipient;
}

static bool
viewer_is_heir(const struct view_eval *v)
{
    for (const struct case_role *r = v->c->roles; r; r = r->next)
        if ((is(&r->role, "heir") || is(&r->role, "beneficiary")) && names(v, &r->party, v->recipient))
            return true;
    return false;
}

/* -- medical -- */

/* ICD-10-CM chapters S, T (injury) and V to Y (external causes). */
static bool
is_injury_code(view code)
{
    char c = code.n ? (char)(code.p[0] & ~0x20) : 0;
    return c == 'S' || c == 'T' || (c >= 'V' && c <= 'Y');
}

static bool
is_injury_diagnosis(const struct case_diagnosis *d)
{
    for (const struct case_coding *c = d->codings; c; c = c->next)
        if (is_injury_code(c->code.v))
            return true;
    return false;
}

static bool
in_benefits(const struct view_eval *v, const void *element)
{
    if (!v->claim)
        return false;
    for (const struct case_benefit *b = v->claim->benefits; b; b = b->next)
        if (any_names(v, b->facts, element))
            return true;
    return false;
}

static bool
is_injury_encounter(const struct view_eval *v, const void *encounter)
{
    if (!encounter)
        return false;
    if (in_benefits(v, encounter))
        return true;
    for (const struct case_diagnosis *d = v->c->diagnoses; d; d = d->next)
        if (names(v, &d->encounter, encounter) && is_injury_diagnosis(d))
            return true;
    return false;
}

static bool
any_injury_encounter(const struct view_eval *v, const struct case_item *encounters)
{
    for (const struct case_item *i = encounters; i; i = i->next)
        if (is_injury_encounter(v, view_target(v, &i->text)))
            return true;
    return false;
}

static bool
may_injury(const struct view_eval *v, const struct case_place *at)
{
    const void *element = root_element(at);
    if (!may_subject(v, at))
        return false;
    if (in_benefits(v, element))
        return true;
    switch ((int)root_record(at)) {
    case RECORD_encounter:
        return is_injury_encounter(v, element);
    case RECORD_diagnosis:
        return is_injury_diagnosis((const struct case_diagnosis *)element);
    case RECORD_procedure:
        return is_injury_encounter(v, view_target(v, &((const struct case_procedure *)element)->encounter));
    case RECORD_report:
        return is_injury_encounter(v, view_target(v, &((const struct case_report *)element)->encounter));
    case RECORD_certificate:
        return any_injury_encounter(v, ((const struct case_certificate *)element)->encounters);
    case RECORD_care:
        return true; /* care is certified for what the claim is about */
    case RECORD_expense: {
        const struct case_covers *covers = ((const struct case_expense *)element)->covers;
        return !covers || !covers->encounters || any_injury_encounter(v, covers->encounters);
    }
    default:
        return false;
    }
}

struct need {
    const char *benefit;
    enum case_group group;
};

static const struct need needs[] = {
#define NEEDS(benefit, group) {#benefit, GROUP_##group},
#include "adapters/views.def"
#undef NEEDS
};

static bool
benefit_needs(const struct case_benefit *b, enum case_group group)
{
    for (size_t i = 0; i < COUNT_OF(needs); i++)
        if (needs[i].group == group && is(&b->kind, needs[i].benefit))
            return true;
    return false;
}

/* The encounter by which a fact belongs to a benefit that names encounters. */
static const void *
fact_encounter(const struct view_eval *v, enum case_record record, const void *at)
{
    switch ((int)record) {
    case RECORD_diagnosis:
        return view_target(v, &((const struct case_diagnosis *)at)->encounter);
    case RECORD_report:
        return view_target(v, &((const struct case_report *)at)->encounter);
    case RECORD_certificate: {
        const struct case_item *first = ((const struct case_certificate *)at)->encounters;
        return first ? view_target(v, &first->text) : NULL;
    }
    default:
        return NULL;
    }
}

static bool
may_named_benefit(const struct view_eval *v, const struct case_place *at)
{
    const void *element = root_element(at);
    bool of_event = root_record(at) == RECORD_event;
    if (!v->claim || (!of_event && !may_subject(v, at)))
        return false;
    const void *encounter = fact_encounter(v, root_record(at), element);
    for (const struct case_benefit *b = v->claim->benefits; b; b = b->next) {
        if (!benefit_needs(b, at->group))
            continue;
        if (!b->facts || of_event || any_names(v, b->facts, element) || any_names(v, b->facts, encounter))
            return true;
    }
    return false;
}

/* -- money -- */

static bool
may_line(const struct view_eval *v, const struct case_place *at, enum view_predicate predicate)
{
    const struct case_expense_line *line =
        (const struct case_expense_line *)enclosing(at, RECORD_expense_line);
    if (!may_subject(v, at))
        return false;
    switch (predicate) {
    case PREDICATE_SELF_COPAY:
        return line && (is(&line->payer, "self") || is(&line->payer, "copay"));
    case PREDICATE_CALI_LINE:
        return line && line->category && line->category->cali.v.n && may_injury(v, at);
    default: /* NHI_POINTS: totals have no line */
        return !line || is(&line->payer, "nhi");
    }
}

static bool
may_expense_kind(const struct case_place *at, enum view_predicate predicate)
{
    const struct case_expense *e = (const struct case_expense *)enclosing(at, RECORD_expense);
    if (!e)
        return false;
    if (predicate == PREDICATE_FUNERAL)
        return is(&e->kind, "funeral");
    return is(&e->kind, "repair_estimate") || is(&e->kind, "repair_invoice") || is(&e->kind, "tow");
}

static bool
may_own_issue(const struct view_eval *v, const struct case_place *at)
{
    const struct case_expense *e = (const struct case_expense *)enclosing(at, RECORD_expense);
    return e && names(v, &e->issuer, v->recipient);
}

static bool
may_paid(const struct view_eval *v, const struct case_place *at, const char *purpose)
{
    const struct case_payment *p = (const struct case_payment *)enclosing(at, RECORD_payment);
    return p && is(&p->purpose, purpose) && names(v, &p->payee, v->recipient);
}

static bool
may_offset(const struct view_eval *v, const struct case_place *at)
{
    const struct case_guarantee *g = (const struct case_guarantee *)enclosing(at, RECORD_guarantee);
    if (!g)
        return may_paid(v, at, "offset_hospital");
    const struct case_expense *e = (const struct case_expense *)view_target(v, &g->for_);
    return e && names(v, &e->issuer, v->recipient);
}

static bool
may_own_share(const struct view_eval *v, const struct case_place *at)
{
    const struct case_payment *p = (const struct case_payment *)enclosing(at, RECORD_payment);
    return p && names(v, &p->payee, v->recipient);
}

/* -- motor -- */

static bool
is_subject_side(const struct view_eval *v, const struct leaf_text *reference)
{
    if (names(v, reference, v->subject))
        return true;
    if (!v->c->accident)
        return false;
    for (const struct case_accident_party *p = v->c->accident->parties; p; p = p->next)
        if (names(v, reference, p) && names(v, &p->party, v->subject))
            return true;
    return false;
}

/* What is not of one side (the opinion's level, body, date) is of all. */
static bool
may_own_side(const struct view_eval *v, const struct case_place *at)
{
    const struct case_accident_party *p =
        (const struct case_accident_party *)enclosing(at, RECORD_accident_party);
    if (p)
        return names(v, &p->party, v->subject);
    const struct case_opinion_finding *f =
        (const struct case_opinion_finding *)enclosing(at, RECORD_opinion_finding);
    if (f)
        return is_subject_side(v, &f->party);
    const struct case_record_request *r =
        (const struct case_record_request *)enclosing(at, RECORD_record_request);
    return !r || names(v, &r->applicant, v->subject);
}

static const struct case_vehicle *
vehicle_of(const struct view_eval *v, const struct case_place *at)
{
    if (root_record(at) == RECORD_vehicle)
        return (const struct case_vehicle *)root_element(at);
    if (root_record(at) == RECORD_repair)
        return (const struct case_vehicle *)view_target(
            v, &((const struct case_repair *)root_element(at))->vehicle);
    return NULL;
}

static bool
claim_has_vehicle(const struct view_eval *v, const struct case_vehicle *vehicle)
{
    if (!v->claim)
        return false;
    if (names(v, &v->claim->for_, vehicle))
        return true;
    for (const struct case_item *i = v->claim->coverages; i; i = i->next) {
        const struct case_coverage *c = (const struct case_coverage *)view_target(v, &i->text);
        if (c && names(v, &c->vehicle, vehicle))
            return true;
    }
    return false;
}

static bool
may_own_vehicle(const struct view_eval *v, const struct case_place *at)
{
    /* Damage to other property (third_party_property) has an owner instead of a vehicle. */
    if (root_record(at) == RECORD_property)
        return names(v, &((const struct case_property *)root_element(at))->owner, v->subject);
    const struct case_vehicle *vehicle = vehicle_of(v, at);
    if (!vehicle)
        return false;
    if (owns(v, vehicle, v->subject) || claim_has_vehicle(v, vehicle))
        return true;
    if (!v->c->accident)
        return false;
    for (const struct case_accident_party *p = v->c->accident->parties; p; p = p->next)
        if (names(v, &p->party, v->subject) && names(v, &p->vehicle, vehicle))
            return true;
    return false;
}

static bool
may_order(const struct view_eval *v, const struct case_place *at)
{
    const struct case_vehicle *vehicle = vehicle_of(v, at);
    if (root_record(at) == RECORD_repair)
        return names(v, &((const struct case_repair *)root_element(at))->shop, v->recipient);
    for (const struct case_repair *r = v->c->repairs; r && vehicle; r = r->next)
        if (names(v, &r->shop, v->recipient) && names(v, &r->vehicle, vehicle))
            return true;
    return false;
}

static bool
may_between(const struct view_eval *v, const struct case_place *at)
{
    const struct case_settlement *s = (const struct case_settlement *)enclosing(at, RECORD_settlement);
    if (!s)
        return false;
    if (any_names(v, s->between, v->subject))
        return true;
    return v->claim && any_names(v, s->between, view_target(v, &v->claim->claimant));
}

/* -- claims -- */

static bool
may_own_claim(const struct view_eval *v, const struct case_place *at)
{
    const void *element = root_element(at);
    if (!v->claim)
        return false;
    switch ((int)root_record(at)) {
    case RECORD_claim:
        return element == (const void *)v->claim;
    case RECORD_coverage:
        return any_names(v, v->claim->coverages, element);
    case RECORD_reinsurance:
        return names(v, &((const struct case_reinsurance *)element)->claim, v->claim);
    default:
        return false;
    }
}

static bool
may_viewer_claim(const struct view_eval *v, const struct case_place *at)
{
    const struct case_claim *claim = (const struct case_claim *)enclosing(at, RECORD_claim);
    return claim && names(v, &claim->claimant, v->recipient);
}

static bool
is_own_contract(const struct view_eval *v, const struct case_coverage *c)
{
    return c && names(v, &c->policyholder, v->recipient);
}

static bool
may_own_contract(const struct view_eval *v, const struct case_place *at)
{
    if (root_record(at) == RECORD_coverage)
        return is_own_contract(v, (const struct case_coverage *)root_element(at));
    const struct case_claim *claim = (const struct case_claim *)enclosing(at, RECORD_claim);
    for (const struct case_item *i = claim ? claim->coverages : NULL; i; i = i->next)
        if (is_own_contract(v, (const struct case_coverage *)view_target(v, &i->text)))
            return true;
    return false;
}

static bool
may_own_recourse(const struct view_eval *v, const struct case_place *at)
{
    const struct case_recourse *r = (const struct case_recourse *)enclosing(at, RECORD_recourse);
    return r && (names(v, &r->claimant, v->recipient) || names(v, &r->against, v->recipient));
}

static bool
may_own_reference(const struct view_eval *v, const struct case_place *at)
{
    const struct case_reference *r = (const struct case_reference *)enclosing(at, RECORD_reference);
    return r && names(v, &r->owner, v->recipient);
}

static bool
may_granted(const struct view_eval *v, const struct case_place *at)
{
    const struct case_permission *p = (const struct case_permission *)enclosing(at, RECORD_permission);
    return p && any_names(v, p->to, v->recipient);
}

static bool
may_own_log(const struct view_eval *v, const struct case_place *at)
{
    const struct case_delivery *d = (const struct case_delivery *)enclosing(at, RECORD_delivery);
    return d && names(v, &d->to, v->recipient);
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
           view_eq(kind, V("claim-bundle"));
}

bool
view_document_may(const struct view_eval *v, const struct case_document *d)
{
    const struct view_request *r = v->request;
    if (view_is_own_documents(r->view))
        return r->sender.n && view_eq(d->sender.v, r->sender);
    if (is_medical_paper(d->kind.v) && d->subject.v.n && !names(v, &d->subject, v->subject))
        return false;
    return view_eq(d->kind.v, V("application")) || kind_listed(r, d->kind.v);
}

/* By place in documents[]: the list is the same before and after folding anew, whom a withheld paper is about is not. */
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
    const struct case_document *d = (const struct case_document *)enclosing(at, RECORD_document);
    return d && kind_listed(v->request, d->kind.v) && listed_document_may(v, d);
}

static bool
may_own_document(const struct view_eval *v, const struct case_place *at)
{
    const struct case_document *d = (const struct case_document *)enclosing(at, RECORD_document);
    if (d)
        return listed_document_may(v, d);
    return at->src && at->src->document < v->n_documents && v->documents_may[at->src->document];
}

/* -- the table's words -- */

static bool
judge(const struct view_eval *v, enum view_predicate predicate, const struct case_place *at)
{
    switch (predicate) {
    case PREDICATE_ALL:
        return true;
    case PREDICATE_SUBJECT:
        return may_subject(v, at);
    case PREDICATE_SUBJECT_SIGNER:
        return may_subject(v, at) || map_get(&v->referenced, root_element(at));
    case PREDICATE_VICTIM:
        return may_victim(v, at);
    case PREDICATE_VICTIM_SIGNER:
        return may_victim(v, at) || map_get(&v->referenced, root_element(at));
    case PREDICATE_NEEDED:
        return may_needed(v, at);
    case PREDICATE_VIEWER:
        return may_viewer(v, at);
    case PREDICATE_OWNER:
        return may_owner(v, at);
    case PREDICATE_REFERENCED:
        return map_get(&v->referenced, root_element(at)) != NULL;
    case PREDICATE_INJURY:
        return may_injury(v, at);
    case PREDICATE_NAMED_BENEFIT:
        return may_named_benefit(v, at);
    case PREDICATE_REPORT:
        return v->request->reports_asked && may_subject(v, at);
    case PREDICATE_REPORT_NAMED:
        return v->request->reports_asked && may_named_benefit(v, at);
    case PREDICATE_IF_HEIR:
        return viewer_is_heir(v) && may_subject(v, at);
    case PREDICATE_UNLOCKED:
        return v->request->unlocked && may_subject(v, at);
    case PREDICATE_SELF_COPAY:
    case PREDICATE_CALI_LINE:
    case PREDICATE_NHI_POINTS:
        return may_line(v, at, predicate);
    case PREDICATE_VEHICLE_EXPENSE:
    case PREDICATE_FUNERAL:
        return may_expense_kind(at, predicate);
    case PREDICATE_OWN_ISSUE:
        return may_own_issue(v, at);
    case PREDICATE_OWN_SIDE:
        return may_own_side(v, at);
    case PREDICATE_OWN_VEHICLE:
        return may_own_vehicle(v, at);
    case PREDICATE_VIEWER_VEHICLE:
        return owns(v, vehicle_of(v, at), v->recipient);
    case PREDICATE_ORDER:
        return may_order(v, at);
    case PREDICATE_BETWEEN:
        return may_between(v, at);
    case PREDICATE_OWN_CLAIM:
        return may_own_claim(v, at);
    case PREDICATE_VIEWER_CLAIM:
        return may_viewer_claim(v, at);
    case PREDICATE_OWN_CONTRACT:
        return may_own_contract(v, at);
    case PREDICATE_OFFSET:
        return may_offset(v, at);
    case PREDICATE_DIRECT:
        return may_paid(v, at, "direct_shop");
    case PREDICATE_OWN_SHARE:
        return may_own_share(v, at);
    case PREDICATE_OWN_RECOURSE:
        return may_own_recourse(v, at);
    case PREDICATE_OWN_REFERENCE:
        return may_own_reference(v, at);
    case PREDICATE_GRANTED:
        return may_granted(v, at);
    case PREDICATE_OWN_LOG:
        return may_own_log(v, at);
    case PREDICATE_OWN_DOCUMENT:
        return may_own_document(v, at);
    case PREDICATE_LISTED:
        return may_listed(v, at);
    default:
        return false;
    }
}

static const void *
innermost_element(const struct case_place *at)
{
    for (size_t i = at->depth; i > 0; i--)
        if (at->steps[i - 1].field->kind == FIELD_LIST)
            return at->steps[i - 1].at;
    return at->c;
}

/* All leaves of one element get the same answer, save where the leaf's own source, the kind of record or an object decides. */
static bool
may_remember(enum view_predicate predicate)
{
    return predicate == PREDICATE_INJURY || predicate == PREDICATE_CALI_LINE ||
           predicate == PREDICATE_NEEDED || predicate == PREDICATE_OWN_VEHICLE ||
           predicate == PREDICATE_ORDER || predicate == PREDICATE_OWNER;
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
