/* Rules about claims, permissions, deliveries and payments: 9, 10, 14, 15, 17 to 20. */
#include "adapters/invariants_kit.h"
#include "adapters/view.h"

/* -- 9: who may claim -- */

static const struct {
    const char *line, *roles;
} claimants[] = {
    {"life", "insured|beneficiary|heir|policyholder"},
    {"health", "insured"},
    {"injury", "insured|beneficiary|heir"},
    {"cali", "victim|heir|funeral_payer"},
    {"fund", "victim|heir|funeral_payer"},
    {"own_damage", "insured|owner|policyholder"},
    {"theft", "insured|owner|policyholder"},
    {"liability_injury", "insured|tortfeasor|victim|heir"},
    {"liability_property", "insured|tortfeasor|victim|owner"},
    {"passenger", "insured|victim|passenger|heir"},
    {"driver_injury", "insured|driver|rider|heir"},
    {"nhi", "victim|heir"},
};

static bool
represents(const struct claim_case *c, const struct leaf_text *who, const struct leaf_text *whom)
{
    const struct case_party *p = case_party_of(c, whom->v);
    for (const struct case_representative *r = p ? p->representatives : NULL; r; r = r->next)
        if (same_reference(&r->party, who))
            return true;
    return false;
}

void
invariant_9(struct check *k)
{
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next)
        for (size_t i = 0; i < COUNT_OF(claimants); i++) {
            if (!leaf_is(&claim->line, claimants[i].line) || !claim->claimant.v.n)
                continue;
            if (has_role(k->c, &claim->claimant, claimants[i].roles) ||
                represents(k->c, &claim->claimant, &claim->for_))
                continue;
            found_at(k, claim->id, "claimant", view_of(claimants[i].roles), V("none of them"));
        }
}

/* -- 10: compulsory insurance is for the other vehicle -- */

static bool
drove(const struct claim_case *c, const struct leaf_text *person, const struct case_vehicle *v)
{
    for (const struct case_role *r = c->roles; r; r = r->next)
        if (same_reference(&r->party, person) && one_of(&r->role, "driver|rider") && refers_to(&r->of, v->id))
            return true;
    return false;
}

static bool
insures_another(const struct claim_case *c, const struct leaf_text *insurer, const struct case_vehicle *own)
{
    for (const struct case_vehicle *v = c->vehicles; v; v = v->next)
        if (v != own && v->cali && same_reference(&v->cali->insurer, insurer))
            return true;
    return false;
}

void
invariant_10(struct check *k)
{
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next) {
        if (!leaf_is(&claim->line, "cali"))
            continue;
        if (claim->cali && leaf_is(&claim->cali->rule, "single"))
            found_at(k, claim->id, "cali/rule", V("another vehicle"), V("single"));
        for (const struct case_vehicle *v = k->c->vehicles; v; v = v->next)
            if (v->cali && same_reference(&v->cali->insurer, &claim->recipient) &&
                drove(k->c, &claim->for_, v) && !insures_another(k->c, &claim->recipient, v))
                found_at(k, claim->id, "recipient", V("the other vehicle's insurer"), V("his own vehicle's"));
    }
}

/* -- 14: recourse -- */

static const struct {
    const char *line, *kinds;
} recourses[] = {
    {"cali", "cali_29|cali_33|share_36|nhi_95i"},
    {"fund", "fund_42|fund_reclaim_40iv|nhi_95i"},
    {"own_damage", "own_damage_53"},
    {"theft", "own_damage_53"},
    {"liability_injury", "nhi_95ii"},
    {"liability_property", ""},
    {"passenger", ""},
    {"driver_injury", ""},
    {"life", ""},
    {"health", ""},
    {"injury", ""},
};

void
invariant_14(struct check *k)
{
    for (const struct case_recourse *r = k->c->recourse; r; r = r->next) {
        const struct case_claim *claim = case_claim_of(k->c, r->claim.v);
        for (size_t i = 0; claim && i < COUNT_OF(recourses); i++)
            if (leaf_is(&claim->line, recourses[i].line) && !one_of(&r->kind, recourses[i].kinds))
                found_at(k, r->id, "kind",
                         recourses[i].kinds[0] ? view_of(recourses[i].kinds) : V("no recourse"), r->kind.v);
    }
}

/* -- 15: the fund -- */

static bool
is_to_fund(const struct claim_case *c, const struct case_claim *claim)
{
    const struct case_party *p = case_party_of(c, claim->recipient.v);
    return leaf_is(&claim->line, "fund") || (p && p->organisation && leaf_is(&p->organisation->kind, "fund"));
}

/* Told of by law, or not yet permitted: the person has said nothing of it (SCHEMA: an application from `permitted` on). */
static bool
is_applied_for(const struct case_claim *claim)
{
    return !one_of(&claim->state, "draft|received|checking|permission_needed");
}

void
invariant_15(struct check *k)
{
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next) {
        if (!is_to_fund(k->c, claim) || !is_applied_for(claim))
            continue;
        const struct case_fund *f = claim->fund;
        if (!f || !f->ground.v.n)
            found_at(k, claim->id, "fund", V("a ground"), V("none"));
        if (!f || !f->assignment.v.n)
            found_at(k, claim->id, "fund", V("the assignment"), V("none"));
        if (!f || !f->nhi_excluded.set || !f->nhi_excluded.v)
            found_at(k, claim->id, "fund", V("nhi_excluded"), V("not said"));
    }
}

/* -- 17: who must consent -- */

static bool
is_dead(const struct claim_case *c, const struct case_party *p)
{
    if (p->person && p->person->deceased_at.set)
        return true;
    for (const struct case_death *d = c->death; d; d = d->next)
        if (refers_to(&d->person, p->id))
            return true;
    return false;
}

static bool
by_representative(const struct claim_case *c, const struct case_permission *p)
{
    for (const struct case_item *i = p->given_by; i; i = i->next)
        if (represents(c, &i->text, &p->subject))
            return true;
    return false;
}

static bool
by_heirs(const struct claim_case *c, const struct case_permission *p)
{
    for (const struct case_item *i = p->given_by; i; i = i->next)
        if (!has_role(c, &i->text, "heir"))
            return false;
    return p->given_by != NULL;
}

static void
check_capacity(struct check *k, const struct case_permission *p, const struct case_party *subject)
{
    const struct case_capacity *capacity = subject->capacity;
    bool self = any_refers_to(p->given_by, subject->id), other = by_representative(k->c, p);
    const char *missing = NULL;
    if (is_dead(k->c, subject))
        missing = by_heirs(k->c, p) ? NULL : "the heirs";
    else if (capacity && one_of(&capacity->kind, "limited|assisted"))
        missing = self && other ? NULL : "the person and a representative";
    else if (capacity && leaf_is(&capacity->kind, "none"))
        missing = !self && other ? NULL : "a representative alone";
    else
        missing = self || other ? NULL : "the person";
    if (missing)
        found_at(k, p->id, "given_by", view_of(missing), V("others"));
}

void
invariant_17(struct check *k)
{
    for (const struct case_permission *p = k->c->permissions; p; p = p->next) {
        const struct case_party *subject = case_party_of(k->c, p->subject.v);
        if (subject && one_of(&p->kind, "consent|mandate"))
            check_capacity(k, p, subject);
    }
}

/* -- 18, 19: use of permissions -- */

static int64_t
uses_of(const struct claim_case *c, const struct case_permission *p)
{
    int64_t n = 0;
    for (const struct case_delivery *d = c->deliveries; d; d = d->next)
        n += refers_to(&d->permission, p->id);
    return n;
}

void
invariant_18(struct check *k)
{
    for (const struct case_permission *p = k->c->permissions; p; p = p->next) {
        int64_t n = uses_of(k->c, p);
        if (p->uses.set && n > p->uses.v)
            found_at(k, p->id, "uses", arena_printf(k->mem, "%lld", (long long)p->uses.v),
                     arena_printf(k->mem, "%lld", (long long)n));
    }
}

static const struct case_permission *
permission_named(const struct claim_case *c, const struct leaf_text *reference)
{
    for (const struct case_permission *p = c->permissions; p; p = p->next)
        if (refers_to(reference, p->id))
            return p;
    return NULL;
}

static const char *
why_unpermitted(const struct case_permission *p, const struct case_delivery *d)
{
    view to = d->to.v.n ? view_sub(d->to.v, 1, d->to.v.n) : VIEW_NONE;
    if (!p)
        return "no permission";
    if (!any_refers_to(p->to, to))
        return "a permission to others";
    if (p->from.set && d->at.v.us < p->from.v.us)
        return "sent before it began";
    if (p->until.set && d->at.v.us >= p->until.v.us)
        return "sent after it ended";
    if (p->withdrawn && p->withdrawn->at.set && d->at.v.us >= p->withdrawn->at.v.us)
        return "sent after its withdrawal";
    return NULL;
}

void
invariant_19(struct check *k)
{
    for (const struct case_delivery *d = k->c->deliveries; d; d = d->next) {
        const char *why = why_unpermitted(permission_named(k->c, &d->permission), d);
        if (why)
            found_at(k, d->id, "", V("a permission valid then"), view_of(why));
        if (!d->projection || view_kind_of(d->projection->id.v) == VIEW_COUNT)
            found_at(k, d->id, "projection", V("a view"), V("unknown"));
    }
}

/* -- 20: payments -- */

static void
check_offset(struct check *k, const struct case_claim *claim, const struct case_payment *p)
{
    const struct case_party *payee = case_party_of(k->c, p->payee.v);
    bool to_hospital = payee && payee->organisation && one_of(&payee->organisation->kind, "hospital|clinic");
    if (!to_hospital)
        found_at(k, p->id, "payee", V("a hospital"), V("another"));
    if (!claim->guarantee)
        found_at(k, p->id, "purpose", V("a guarantee"), V("none"));
}

static bool
change_is_open(const struct case_claim *claim)
{
    for (const struct case_task *t = claim->tasks; t; t = t->next)
        if (leaf_is(&t->kind, "bank_change") && !one_of(&t->state, "completed|rejected|cancelled"))
            return true;
    return false;
}

void
invariant_20(struct check *k)
{
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next)
        for (const struct case_payment *p = claim->payments; p; p = p->next) {
            if (leaf_is(&p->purpose, "offset_hospital"))
                check_offset(k, claim, p);
            if (claim->decision && change_is_open(claim) && !leaf_is(&p->state, "held"))
                found_at(k, p->id, "state", V("held"), p->state.v);
        }
}
