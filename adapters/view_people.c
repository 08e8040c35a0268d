/* Whom a fact is about, and which parties a view shows. */
#include "adapters/view_rules.h"

const void *
view_target(const struct view_eval *v, const struct leaf_text *reference)
{
    return reference->v.n ? graph_source_element(&v->refs, reference->v) : NULL;
}

bool
view_names(const struct view_eval *v, const struct leaf_text *reference, const void *element)
{
    return element && reference->v.n && view_target(v, reference) == element;
}

bool
view_any_names(const struct view_eval *v, const struct case_item *list, const void *element)
{
    for (const struct case_item *i = list; i; i = i->next)
        if (view_names(v, &i->text, element))
            return true;
    return false;
}

/* The innermost record of a kind on the way to the leaf. */
const void *
view_enclosing(const struct case_place *at, enum case_record record)
{
    for (size_t i = at->depth; i > 0; i--)
        if (at->steps[i - 1].record == record && at->steps[i - 1].at &&
            at->steps[i - 1].field->kind != FIELD_TEXTS && at->steps[i - 1].field->kind != FIELD_REFS)
            return at->steps[i - 1].at;
    return NULL;
}

enum case_record
view_root_record(const struct case_place *at)
{
    return (enum case_record)at->steps[0].record;
}

const void *
view_root_element(const struct case_place *at)
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

/* What is done to a vehicle is its owner's. */
static const void *
vehicle_owner(const struct view_eval *v, const struct case_covers *covers)
{
    const struct case_vehicle *vehicle =
        covers ? (const struct case_vehicle *)view_target(v, &covers->vehicle) : NULL;
    return vehicle ? view_target(v, &vehicle->owner) : NULL;
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
        const void *patient = patient_or_encounters(v, &e->patient, e->covers ? e->covers->encounters : NULL);
        return patient ? patient : vehicle_owner(v, e->covers);
    }
    case RECORD_image:
        return view_target(v, &((const struct case_image *)at)->patient);
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
    return claim && (view_names(v, &claim->for_, party) || view_names(v, &claim->claimant, party));
}

bool
view_may_subject(const struct view_eval *v, const struct case_place *at)
{
    const void *element = view_root_element(at);
    if (!v->subject)
        return false;
    switch ((int)view_root_record(at)) {
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
        const struct case_reference *r = (const struct case_reference *)view_enclosing(at, RECORD_reference);
        return r && view_names(v, &r->owner, v->subject);
    }
    default:
        break;
    }
    const void *subject = stated_subject(v, view_root_record(at), element);
    if (subject)
        return subject == v->subject;
    const struct case_document *d =
        at->src && at->src->document != CASE_NO_DOCUMENT ? document_at(v, at->src->document) : NULL;
    return d && view_names(v, &d->subject, v->subject);
}

/* -- parties -- */

/* The victim has died: his heirs claim. */
static bool
is_heir_of_subject(const struct view_eval *v, const void *party)
{
    for (const struct case_role *r = v->c->roles; r && party; r = r->next)
        if (is(&r->role, "heir") && view_names(v, &r->party, party) && view_names(v, &r->of, v->subject))
            return true;
    return false;
}

bool
view_may_victim(const struct view_eval *v, const struct case_place *at)
{
    if (view_may_subject(v, at))
        return true;
    const void *subject = stated_subject(v, view_root_record(at), view_root_element(at));
    return (v->claim && view_names(v, &v->claim->claimant, subject)) || is_heir_of_subject(v, subject);
}

static bool
is_motor_role(const struct case_role *r)
{
    return is(&r->role, "driver") || is(&r->role, "rider") || is(&r->role, "owner") ||
           is(&r->role, "keeper") || is(&r->role, "tortfeasor") || is(&r->role, "claimant");
}

bool
view_may_needed(const struct view_eval *v, const struct case_place *at)
{
    const void *party = stated_subject(v, view_root_record(at), view_root_element(at));
    if (!party)
        return false;
    if (v->claim && claim_is_of(v, v->claim, party))
        return true;
    for (const struct case_role *r = v->c->roles; r; r = r->next)
        if (is_motor_role(r) && view_names(v, &r->party, party))
            return true;
    return false;
}

bool
view_owns(const struct view_eval *v, const struct case_vehicle *vehicle, const void *party)
{
    return vehicle && party &&
           (view_names(v, &vehicle->owner, party) || view_names(v, &vehicle->keeper, party));
}

bool
view_may_owner(const struct view_eval *v, const struct case_place *at)
{
    for (const struct case_repair *r = v->c->repairs; r; r = r->next)
        if (view_names(v, &r->shop, v->recipient) &&
            view_owns(v, (const struct case_vehicle *)view_target(v, &r->vehicle), view_root_element(at)))
            return true;
    return false;
}

bool
view_may_viewer(const struct view_eval *v, const struct case_place *at)
{
    return v->recipient &&
           stated_subject(v, view_root_record(at), view_root_element(at)) == (const void *)v->recipient;
}

bool
view_viewer_is_heir(const struct view_eval *v)
{
    for (const struct case_role *r = v->c->roles; r; r = r->next)
        if ((is(&r->role, "heir") || is(&r->role, "beneficiary")) && view_names(v, &r->party, v->recipient))
            return true;
    return false;
}
