/* Rules about medical facts, money and motor accidents. */
#include "adapters/view_rules.h"

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
        if (view_any_names(v, b->facts, element))
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
        if (view_names(v, &d->encounter, encounter) && is_injury_diagnosis(d))
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

bool
view_may_injury(const struct view_eval *v, const struct case_place *at)
{
    const void *element = view_root_element(at);
    if (!view_may_subject(v, at))
        return false;
    if (in_benefits(v, element))
        return true;
    switch ((int)view_root_record(at)) {
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
    case RECORD_image:
        return true; /* sent for this claim */
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

bool
view_may_named_benefit(const struct view_eval *v, const struct case_place *at)
{
    const void *element = view_root_element(at);
    bool of_event = view_root_record(at) == RECORD_event;
    if (!v->claim || (!of_event && !view_may_subject(v, at)))
        return false;
    const void *encounter = fact_encounter(v, view_root_record(at), element);
    for (const struct case_benefit *b = v->claim->benefits; b; b = b->next) {
        if (!benefit_needs(b, at->group))
            continue;
        if (!b->facts || of_event || view_any_names(v, b->facts, element) ||
            view_any_names(v, b->facts, encounter))
            return true;
    }
    return false;
}

/* Scales by which a line pays; a line that no row names has none of its own and sees all. */
static const struct {
    const char *line, *scales;
} line_scales[] = {
    {"cali", "cali15"}, {"fund", "cali15"}, {"injury", "injury11 policy"}, {"life", "injury11 policy"}};

bool
view_may_scale(const struct view_eval *v, const struct case_place *at)
{
    const struct case_disability *d = (const struct case_disability *)view_root_element(at);
    if (!view_may_subject(v, at))
        return false;
    for (size_t i = 0; i < COUNT_OF(line_scales); i++) {
        if (!v->claim || !is(&v->claim->line, line_scales[i].line))
            continue;
        view words = view_of(line_scales[i].scales);
        while (words.n)
            if (view_eq(view_cut(&words, ' ', NULL), d->scale.v))
                return true;
        return false;
    }
    return true;
}

/* -- money -- */

bool
view_may_line(const struct view_eval *v, const struct case_place *at, enum view_predicate predicate)
{
    const struct case_expense_line *line =
        (const struct case_expense_line *)view_enclosing(at, RECORD_expense_line);
    if (!view_may_subject(v, at))
        return false;
    switch (predicate) {
    case PREDICATE_SELF_COPAY:
        return line && (is(&line->payer, "self") || is(&line->payer, "copay"));
    case PREDICATE_CALI_LINE:
        return line && line->category && line->category->cali.v.n && view_may_injury(v, at);
    default: /* NHI_POINTS: totals have no line */
        return !line || is(&line->payer, "nhi");
    }
}

bool
view_may_expense_kind(const struct case_place *at, enum view_predicate predicate)
{
    const struct case_expense *e = (const struct case_expense *)view_enclosing(at, RECORD_expense);
    if (!e)
        return false;
    if (predicate == PREDICATE_FUNERAL)
        return is(&e->kind, "funeral");
    return is(&e->kind, "repair_estimate") || is(&e->kind, "repair_invoice") || is(&e->kind, "tow");
}

bool
view_may_own_issue(const struct view_eval *v, const struct case_place *at)
{
    const struct case_expense *e = (const struct case_expense *)view_enclosing(at, RECORD_expense);
    return e && view_names(v, &e->issuer, v->recipient);
}

bool
view_may_paid(const struct view_eval *v, const struct case_place *at, const char *purpose)
{
    const struct case_payment *p = (const struct case_payment *)view_enclosing(at, RECORD_payment);
    return p && is(&p->purpose, purpose) && view_names(v, &p->payee, v->recipient);
}

bool
view_may_offset(const struct view_eval *v, const struct case_place *at)
{
    const struct case_guarantee *g = (const struct case_guarantee *)view_enclosing(at, RECORD_guarantee);
    if (!g)
        return view_may_paid(v, at, "offset_hospital");
    const struct case_expense *e = (const struct case_expense *)view_target(v, &g->for_);
    return e && view_names(v, &e->issuer, v->recipient);
}

bool
view_may_own_share(const struct view_eval *v, const struct case_place *at)
{
    const struct case_payment *p = (const struct case_payment *)view_enclosing(at, RECORD_payment);
    return p && view_names(v, &p->payee, v->recipient);
}

/* -- motor -- */

static bool
is_subject_side(const struct view_eval *v, const struct leaf_text *reference)
{
    if (view_names(v, reference, v->subject))
        return true;
    if (!v->c->accident)
        return false;
    for (const struct case_accident_party *p = v->c->accident->parties; p; p = p->next)
        if (view_names(v, reference, p) && view_names(v, &p->party, v->subject))
            return true;
    return false;
}

/* What is not of one side (the opinion's level, body, date) is of all. */
bool
view_may_own_side(const struct view_eval *v, const struct case_place *at)
{
    const struct case_accident_party *p =
        (const struct case_accident_party *)view_enclosing(at, RECORD_accident_party);
    if (p)
        return view_names(v, &p->party, v->subject);
    const struct case_opinion_finding *f =
        (const struct case_opinion_finding *)view_enclosing(at, RECORD_opinion_finding);
    if (f)
        return is_subject_side(v, &f->party);
    const struct case_record_request *r =
        (const struct case_record_request *)view_enclosing(at, RECORD_record_request);
    return !r || view_names(v, &r->applicant, v->subject);
}

const struct case_vehicle *
view_vehicle_of(const struct view_eval *v, const struct case_place *at)
{
    if (view_root_record(at) == RECORD_vehicle)
        return (const struct case_vehicle *)view_root_element(at);
    if (view_root_record(at) == RECORD_repair)
        return (const struct case_vehicle *)view_target(
            v, &((const struct case_repair *)view_root_element(at))->vehicle);
    return NULL;
}

static bool
claim_has_vehicle(const struct view_eval *v, const struct case_vehicle *vehicle)
{
    if (!v->claim)
        return false;
    if (view_names(v, &v->claim->for_, vehicle))
        return true;
    for (const struct case_item *i = v->claim->coverages; i; i = i->next) {
        const struct case_coverage *c = (const struct case_coverage *)view_target(v, &i->text);
        if (c && view_names(v, &c->vehicle, vehicle))
            return true;
    }
    return false;
}

static bool
is_own_vehicle(const struct view_eval *v, const struct case_vehicle *vehicle)
{
    if (!vehicle)
        return false;
    if (view_owns(v, vehicle, v->subject) || claim_has_vehicle(v, vehicle))
        return true;
    if (!v->c->accident)
        return false;
    for (const struct case_accident_party *p = v->c->accident->parties; p; p = p->next)
        if (view_names(v, &p->party, v->subject) && view_names(v, &p->vehicle, vehicle))
            return true;
    return false;
}

bool
view_may_own_vehicle(const struct view_eval *v, const struct case_place *at)
{
    /* Damage to other property (third_party_property) has an owner instead of a vehicle. */
    if (view_root_record(at) == RECORD_property)
        return view_names(v, &((const struct case_property *)view_root_element(at))->owner, v->subject);
    return is_own_vehicle(v, view_vehicle_of(v, at));
}

/* A paper that names no vehicle is of the claim's. */
bool
view_may_own_expense(const struct view_eval *v, const struct case_place *at)
{
    const struct case_expense *e = (const struct case_expense *)view_enclosing(at, RECORD_expense);
    return !e || !e->covers || !e->covers->vehicle.v.n ||
           is_own_vehicle(v, (const struct case_vehicle *)view_target(v, &e->covers->vehicle));
}

bool
view_may_own_approval(const struct view_eval *v, const struct case_place *at)
{
    const struct case_approval *a = (const struct case_approval *)view_enclosing(at, RECORD_approval);
    return a && view_names(v, &a->insurer, v->recipient);
}

bool
view_may_order(const struct view_eval *v, const struct case_place *at)
{
    const struct case_vehicle *vehicle = view_vehicle_of(v, at);
    if (view_root_record(at) == RECORD_repair)
        return view_names(v, &((const struct case_repair *)view_root_element(at))->shop, v->recipient);
    for (const struct case_repair *r = v->c->repairs; r && vehicle; r = r->next)
        if (view_names(v, &r->shop, v->recipient) && view_names(v, &r->vehicle, vehicle))
            return true;
    return false;
}

bool
view_may_between(const struct view_eval *v, const struct case_place *at)
{
    const struct case_settlement *s = (const struct case_settlement *)view_enclosing(at, RECORD_settlement);
    if (!s)
        return false;
    if (view_any_names(v, s->between, v->subject))
        return true;
    return v->claim && view_any_names(v, s->between, view_target(v, &v->claim->claimant));
}
