/* Every invariant on a sound case (no finding) and on that case broken in one place (a finding there). */
#include "case_kit.h"

#include "adapters/cali.h"
#include "adapters/case_graph.h"
#include "adapters/invariants.h"

#include <stdio.h>

#define CEILING (64u << 20)

static const struct source ours = {.document = CASE_NO_DOCUMENT, .how = HOW_ASSERTED};

static err
give_source(void *self, const struct case_place *at)
{
    (void)self;
    *at->src = (struct source){.from = 1, .length = 1, .how = HOW_COPIED};
    return E_OK;
}

static struct claim_case *
load(arena *mem, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/vectors/case/%s.json", TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = arena_alloc(mem, 1 << 17);
    size_t n = fread(text, 1, 1 << 17, file);
    fclose(file);
    struct claim_case *c = kit_decode(view_trim(view_make(text, n)), mem);
    struct case_visitor v = {.leaf = give_source};
    cr_assert_eq(case_walk(c, &v), E_OK);
    c->mem = mem;
    return c;
}

static void
word(struct leaf_text *leaf, const char *text)
{
    leaf_set_text(leaf, view_of(text), ours);
}

static void
money(struct case_money *m, int64_t amount)
{
    case_set_money(m, decimal_of(amount), VIEW_NONE, ours);
}

static void
when(struct leaf_time *leaf, const char *text)
{
    cr_assert_eq(leaf_parse_time(leaf, view_of(text), ours), E_OK);
}

static void
day(struct leaf_date *leaf, const char *text)
{
    date d;
    cr_assert_eq(date_parse(view_of(text), &d), E_OK);
    leaf_set_date(leaf, d, VIEW_NONE, ours);
}

/* -- what is broken -- */

#define BREAK(name) static void name(struct claim_case *c)

BREAK(dangling)
{
    word(&c->diagnoses->encounter, "#enc9");
}
BREAK(wrong_section)
{
    word(&c->diagnoses->encounter, "#p1");
}
BREAK(no_hash)
{
    word(&c->diagnoses->encounter, "enc1");
}
BREAK(no_source)
{
    c->encounters->class.src.how = HOW_NONE;
}
BREAK(five_decimals)
{
    c->expenses->totals->payable.stated.amount.v = (decimal){5620000001, 5};
}
BREAK(two_currencies)
{
    word(&c->expenses->lines->amount.currency, "USD");
}
BREAK(cents)
{
    c->expenses->lines->amount.amount.v = (decimal){1500050, 2};
}
BREAK(self_sum)
{
    c->expenses->lines->amount.amount.v = decimal_of(15001);
}
BREAK(payable)
{
    money(&c->expenses->totals->payable.stated, 56201);
}
BREAK(overpaid)
{
    money(&c->expenses->totals->paid.stated, 56201);
}
BREAK(agrees)
{
    c->expenses->totals->payable.agrees.v = false;
}
BREAK(points_in_gross)
{
    money(&c->expenses->totals->gross.stated, 56200 + 48210);
}
BREAK(points_in_line)
{
    struct case_expense_line *l = c->expenses->lines;
    word(&l->payer, "nhi");
    leaf_set_decimal(&l->points, decimal_of(15000), ours);
}
BREAK(segment_outside)
{
    when(&c->encounters->segments->to, "2026-06-04");
}
BREAK(segment_before)
{
    when(&c->encounters->segments->from, "2026-05-29");
}
BREAK(segments_overlap)
{
    struct case_segment *s = case_add_encounter_segments(c->mem, c->encounters);
    word(&s->kind, "icu");
    when(&s->from, "2026-06-01");
    when(&s->to, "2026-06-02");
    leaf_set_int(&s->days, 0, ours);
}
BREAK(stated_days)
{
    c->encounters->days.stated.v = 6;
}
BREAK(no_day_rule)
{
    c->encounters->days.rule.v = VIEW_NONE;
}
BREAK(issued_early)
{
    day(&c->expenses->issued, "2026-06-01");
}
BREAK(line_outside)
{
    day(&c->expenses->lines->date, "2026-06-20");
}
BREAK(decided_early)
{
    struct case_clock *k = case_add_claim_clocks(c->mem, c->claims);
    day(&k->starts_on, "2026-06-10");
    when(&case_add_claim_decision(c->mem, c->claims)->at, "2026-06-09T10:00:00+08:00");
}
BREAK(fixed_early)
{
    struct case_disability *d = case_add_disability(c->mem, c);
    word(&d->scale, "policy");
    day(&d->fixed_on, "2026-04-01");
}
BREAK(stranger_claims)
{
    word(&c->claims->claimant, "#p3");
}
BREAK(driver_as_victim)
{
    word(&c->claims->claimant, "#p2");
}
BREAK(own_insurer)
{
    struct case_vehicle *rider = c->vehicles->next;
    struct case_vehicle_cali *cali = case_make_vehicle_cali(c->mem, rider);
    word(&cali->insurer, "#p3");
    c->vehicles->cali = NULL;
}
BREAK(single_vehicle)
{
    word(&c->claims->cali->rule, "single");
}
BREAK(above_cap)
{
    money(&c->claims->cali->items->eligible, 721);
}
BREAK(above_whole)
{
    struct case_cali_item *i = case_add_claim_cali_items(c->mem, c->claims->cali);
    word(&i->category, "transport");
    money(&i->stated, 30000);
    money(&i->eligible, 20001);
}
BREAK(above_stated)
{
    struct case_cali_item *i = case_add_claim_cali_items(c->mem, c->claims->cali);
    word(&i->category, "copay");
    money(&i->stated, 100);
    money(&i->eligible, 101);
}
BREAK(above_medical)
{
    struct case_cali_item *i = case_add_claim_cali_items(c->mem, c->claims->cali);
    word(&i->category, "copay");
    money(&i->stated, 199281);
    money(&i->eligible, 199281);
}
BREAK(above_total)
{
    struct case_paid_before *b = case_make_claim_cali_paid_before(c->mem, c->claims->cali);
    money(&b->death, 2000000);
    money(&case_add_claim_decision(c->mem, c->claims)->amount, 200001);
}
static struct case_disability *
disability_of(struct claim_case *c, const char *scale, int64_t grade)
{
    struct case_disability *d = case_add_disability(c->mem, c);
    word(&d->scale, scale);
    word(&d->issuer_level, "regional");
    leaf_set_int(&case_add_disability_items(c->mem, d)->grade, grade, ours);
    return d;
}
BREAK(grade_16)
{
    cr_assert_not_null(disability_of(c, "cali15", 16));
}
BREAK(grade_12_of_11)
{
    cr_assert_not_null(disability_of(c, "injury11", 12));
}
BREAK(grade_0)
{
    cr_assert_not_null(disability_of(c, "labour15", 0));
}
BREAK(combined_without_rule)
{
    leaf_set_int(&case_make_disability_combined(c->mem, disability_of(c, "cali15", 7))->grade, 6, ours);
}
static struct case_receipt_pool *
pool_of(struct claim_case *c, int64_t ceiling, int64_t reserved)
{
    struct case_receipt_pool *p = case_add_receipt_pools(c->mem, c);
    word(&p->expense, "#exp1");
    word(&p->nature, "medical");
    word(&p->regime, "from_2024_07");
    money(&p->ceiling, ceiling);
    struct case_allocation *a = case_add_receipt_pool_allocations(c->mem, p);
    word(&a->claim, "#cl1");
    word(&a->state, "held");
    money(&a->reserved, reserved);
    return p;
}
BREAK(pool_full)
{
    cr_assert_not_null(pool_of(c, 56200, 56200));
}
BREAK(pool_exceeded)
{
    cr_assert_not_null(pool_of(c, 56200, 56201));
}
BREAK(pool_old_contract)
{
    cr_assert_not_null(pool_of(c, 56200, 1));
    word(&c->coverages->contract_regime, "pre_2024_07");
}
BREAK(pool_fixed_benefit)
{
    cr_assert_not_null(pool_of(c, 56200, 1));
    word(&c->claims->benefits->kind, "daily_hospital");
}
BREAK(pool_other_nature)
{
    word(&pool_of(c, 56200, 1)->nature, "injury");
}
static void
recourse_of(struct claim_case *c, const char *kind)
{
    struct case_recourse *r = case_add_recourse(c->mem, c);
    word(&r->claim, "#cl1");
    word(&r->kind, kind);
}
BREAK(health_recourse)
{
    recourse_of(c, "own_damage_53");
}
BREAK(cali_recourse)
{
    recourse_of(c, "cali_33");
}
BREAK(cali_takes_fund)
{
    recourse_of(c, "fund_42");
}
BREAK(bare_fund)
{
    word(&c->claims->line, "fund");
    word(&c->claims->state, "permitted");
}
BREAK(fund_told_by_law)
{
    bare_fund(c);
    word(&c->claims->state, "permission_needed");
}
BREAK(fund_complete)
{
    word(&c->claims->line, "fund");
    word(&c->claims->state, "permitted");
    struct case_fund *f = case_make_claim_fund(c->mem, c->claims);
    word(&f->ground, "unidentified");
    word(&f->assignment, "#d1");
    leaf_set_bool(&f->nhi_excluded, true, ours);
}
BREAK(fund_with_nhi)
{
    fund_complete(c);
    c->claims->fund->nhi_excluded.v = false;
}
static struct case_certificate *
inquest_of(struct claim_case *c, const char *kind)
{
    struct case_party *p = case_add_parties(c->mem, c);
    struct case_organisation *o = case_make_party_organisation(c->mem, p);
    word(&o->kind, kind);
    struct case_certificate *cert = case_add_certificates(c->mem, c);
    word(&cert->kind, "inquest");
    cr_assert(case_ref(c->mem, &cert->issuer, p->id, ours));
    return cert;
}
BREAK(inquest_by_prosecutor)
{
    cr_assert_not_null(inquest_of(c, "prosecutor"));
}
BREAK(inquest_by_hospital)
{
    cr_assert_not_null(inquest_of(c, "hospital"));
}
BREAK(disability_by_clinic)
{
    word(&disability_of(c, "cali15", 7)->issuer_level, "clinic");
}
BREAK(disability_by_regional)
{
    cr_assert_not_null(disability_of(c, "cali15", 7));
}
BREAK(consent_by_other)
{
    word(&c->permissions->given_by->text, "#p3");
}
static void
capacity_of(struct claim_case *c, const char *kind)
{
    word(&case_make_party_capacity(c->mem, c->parties)->kind, kind);
    struct case_representative *r = case_add_party_representatives(c->mem, c->parties);
    word(&r->party, "#p3");
    word(&r->kind, "parent");
}
BREAK(minor_alone)
{
    capacity_of(c, "limited");
}
BREAK(minor_and_parent)
{
    capacity_of(c, "limited");
    word(&case_add_permission_given_by(c->mem, c->permissions)->text, "#p3");
}
BREAK(ward_himself)
{
    capacity_of(c, "none");
}
BREAK(guardian_alone)
{
    capacity_of(c, "none");
    word(&c->permissions->given_by->text, "#p3");
}
BREAK(dead_consents)
{
    when(&c->parties->person->deceased_at, "2026-06-04");
}
BREAK(heirs_consent)
{
    dead_consents(c);
    word(&c->permissions->given_by->text, "#p3");
    struct case_role *r = case_add_roles(c->mem, c);
    word(&r->role, "heir");
    word(&r->party, "#p3");
}
static struct case_delivery *
delivery_of(struct claim_case *c, const char *at)
{
    struct case_delivery *d = case_add_deliveries(c->mem, c);
    word(&d->to, "#p4");
    word(&d->permission, "#perm1");
    word(&case_make_delivery_projection(c->mem, d)->id, "reimbursement_insurer");
    when(&d->at, at);
    return d;
}
BREAK(used_once)
{
    leaf_set_int(&c->permissions->uses, 1, ours);
    cr_assert_not_null(delivery_of(c, "2026-06-06T10:00:00+08:00"));
}
BREAK(used_twice)
{
    used_once(c);
    cr_assert_not_null(delivery_of(c, "2026-06-06T11:00:00+08:00"));
}
BREAK(sent_early)
{
    cr_assert_not_null(delivery_of(c, "2026-06-05T09:59:59+08:00"));
}
BREAK(sent_late)
{
    cr_assert_not_null(delivery_of(c, "2027-06-05T10:00:00+08:00"));
}
BREAK(sent_to_other)
{
    word(&delivery_of(c, "2026-06-06T10:00:00+08:00")->to, "#p2");
}
BREAK(sent_without)
{
    delivery_of(c, "2026-06-06T10:00:00+08:00")->permission.v = VIEW_NONE;
}
BREAK(sent_unknown_view)
{
    word(&delivery_of(c, "2026-06-06T10:00:00+08:00")->projection->id, "everything");
}
BREAK(sent_after_withdrawal)
{
    cr_assert_not_null(delivery_of(c, "2026-06-06T10:00:00+08:00"));
    when(&case_make_permission_withdrawn(c->mem, c->permissions)->at, "2026-06-06T09:00:00+08:00");
}
static struct case_payment *
offset_of(struct claim_case *c)
{
    struct case_payment *p = case_add_claim_payments(c->mem, c->claims);
    word(&p->purpose, "offset_hospital");
    word(&p->payee, "#p2");
    word(&p->state, "sent");
    money(&case_make_claim_guarantee(c->mem, c->claims)->amount, 40000);
    return p;
}
BREAK(offset_guaranteed)
{
    cr_assert_not_null(offset_of(c));
}
BREAK(offset_to_person)
{
    word(&offset_of(c)->payee, "#p1");
}
BREAK(offset_unguaranteed)
{
    cr_assert_not_null(offset_of(c));
    c->claims->guarantee = NULL;
}
BREAK(account_changed)
{
    cr_assert_not_null(offset_of(c));
    cr_assert_not_null(case_add_claim_decision(c->mem, c->claims));
    struct case_task *t = case_add_claim_tasks(c->mem, c->claims);
    word(&t->kind, "bank_change");
    word(&t->state, "requested");
}
BREAK(not_a1)
{
    word(&c->accident->class, "A1");
}
BREAK(not_a3)
{
    word(&c->accident->class, "A3");
}
BREAK(dead_not_a2)
{
    c->accident->casualties->dead_24h.v = 1;
}
BREAK(same_seq)
{
    c->accident->parties->next->seq.v = 1;
}
BREAK(superseded_by_court)
{
    struct case_opinion *o = case_add_accident_opinions(c->mem, c->accident);
    word(&o->level, "court");
    cr_assert(case_ref(c->mem, &c->accident->opinions->superseded_by, o->id, ours));
}
BREAK(superseded_by_equal)
{
    superseded_by_court(c);
    word(&c->accident->opinions->next->level, "preliminary");
}
BREAK(english_only)
{
    word(&c->certificates->text_zh, "Acute appendicitis");
}
BREAK(sealed_digests)
{
    for (struct case_document *d = c->documents; d; d = d->next)
        word(&d->sha256, "sealed");
}
BREAK(same_bytes)
{
    c->documents->next->sha256.v = c->documents->sha256.v;
}
BREAK(nothing)
{
    (void)c;
}

static const struct {
    int rule;
    const char *sample;
    void (*change)(struct claim_case *c);
    const char *pointer; /* of the first finding; NULL: none is expected */
} cases[] = {
    {1, "appendix", nothing, NULL},
    {1, "appendix", dangling, "/diagnoses/dx1/encounter"},
    {1, "appendix", wrong_section, "/diagnoses/dx1/encounter"},
    {1, "appendix", no_hash, "/diagnoses/dx1/encounter"},
    {1, "motor", nothing, NULL},
    {2, "appendix", nothing, NULL},
    {2, "appendix", no_source, "/encounters/enc1/class"},
    {3, "appendix", nothing, NULL},
    {4, "appendix", nothing, NULL},
    {4, "appendix", five_decimals, "/expenses/exp1/totals/payable/stated"},
    {4, "appendix", two_currencies, "/expenses/exp1/lines/exp1l1/amount"},
    {4, "appendix", cents, "/expenses/exp1/lines/exp1l1/amount"},
    {5, "appendix", nothing, NULL},
    {5, "appendix", self_sum, "/expenses/exp1/totals/self_pay/stated"},
    {5, "appendix", payable, "/expenses/exp1/totals/payable/stated"},
    {5, "appendix", overpaid, "/expenses/exp1/totals/paid/stated"},
    {5, "appendix", agrees, "/expenses/exp1/totals/payable/agrees"},
    {6, "appendix", nothing, NULL},
    {6, "appendix", points_in_gross, "/expenses/exp1/totals/gross/stated"},
    {6, "appendix", points_in_line, "/expenses/exp1/lines/exp1l1/amount"},
    {7, "appendix", nothing, NULL},
    {7, "appendix", segment_outside, "/encounters/enc1/segments/enc1s1/to"},
    {7, "appendix", segment_before, "/encounters/enc1/segments/enc1s1/from"},
    {7, "appendix", segments_overlap, "/encounters/enc1/segments/enc1s2/from"},
    {7, "appendix", stated_days, "/encounters/enc1/days/stated"},
    {7, "appendix", no_day_rule, "/encounters/enc1/days"},
    {8, "appendix", nothing, NULL},
    {8, "appendix", issued_early, "/expenses/exp1/issued"},
    {8, "appendix", line_outside, "/expenses/exp1/lines/exp1l1/date"},
    {8, "appendix", decided_early, "/claims/cl1/decision/cl1d1/at"},
    {8, "motor", fixed_early, "/disability/dis1/fixed_on"},
    {9, "appendix", nothing, NULL},
    {9, "appendix", stranger_claims, "/claims/cl1/claimant"},
    {9, "motor", nothing, NULL},
    {9, "motor", driver_as_victim, "/claims/cl1/claimant"},
    {10, "motor", nothing, NULL},
    {10, "motor", own_insurer, "/claims/cl1/recipient"},
    {10, "motor", single_vehicle, "/claims/cl1/cali/rule"},
    {11, "motor", nothing, NULL},
    {11, "motor", above_cap, "/claims/cl1/cali/items/cl1i1/eligible"},
    {11, "motor", above_whole, "/claims/cl1/cali/items/cl1i2/eligible"},
    {11, "motor", above_stated, "/claims/cl1/cali/items/cl1i2/eligible"},
    {11, "motor", above_medical, "/claims/cl1/cali"},
    {11, "motor", above_total, "/claims/cl1"},
    {12, "motor", disability_by_regional, NULL},
    {12, "motor", grade_16, "/disability/dis1/items/dis1i1/grade"},
    {12, "motor", grade_12_of_11, "/disability/dis1/items/dis1i1/grade"},
    {12, "motor", grade_0, "/disability/dis1/items/dis1i1/grade"},
    {12, "motor", combined_without_rule, "/disability/dis1/combined"},
    {13, "appendix", pool_full, NULL},
    {13, "appendix", pool_exceeded, "/receipt_pools/pool1/ceiling"},
    {13, "appendix", pool_old_contract, "/receipt_pools/pool1/allocations/pool1a1/claim"},
    {13, "appendix", pool_fixed_benefit, "/receipt_pools/pool1/allocations/pool1a1/claim"},
    {13, "appendix", pool_other_nature, "/receipt_pools/pool1/allocations/pool1a1/claim"},
    {14, "motor", cali_recourse, NULL},
    {14, "motor", cali_takes_fund, "/recourse/rec1/kind"},
    {14, "appendix", health_recourse, "/recourse/rec1/kind"},
    {15, "motor", fund_complete, NULL},
    {15, "motor", bare_fund, "/claims/cl1/fund"},
    {15, "motor", fund_told_by_law, NULL},
    {15, "motor", fund_with_nhi, "/claims/cl1/fund"},
    {16, "motor", inquest_by_prosecutor, NULL},
    {16, "motor", disability_by_regional, NULL},
    {16, "motor", inquest_by_hospital, "/certificates/cert1/issuer"},
    {16, "motor", disability_by_clinic, "/disability/dis1/issuer_level"},
    {17, "appendix", nothing, NULL},
    {17, "appendix", minor_and_parent, NULL},
    {17, "appendix", guardian_alone, NULL},
    {17, "appendix", heirs_consent, NULL},
    {17, "appendix", consent_by_other, "/permissions/perm1/given_by"},
    {17, "appendix", minor_alone, "/permissions/perm1/given_by"},
    {17, "appendix", ward_himself, "/permissions/perm1/given_by"},
    {17, "appendix", dead_consents, "/permissions/perm1/given_by"},
    {18, "appendix", used_once, NULL},
    {18, "appendix", used_twice, "/permissions/perm1/uses"},
    {19, "appendix", used_once, NULL},
    {19, "appendix", sent_early, "/deliveries/dl1"},
    {19, "appendix", sent_late, "/deliveries/dl1"},
    {19, "appendix", sent_to_other, "/deliveries/dl1"},
    {19, "appendix", sent_without, "/deliveries/dl1"},
    {19, "appendix", sent_after_withdrawal, "/deliveries/dl1"},
    {19, "appendix", sent_unknown_view, "/deliveries/dl1/projection"},
    {20, "appendix", offset_guaranteed, NULL},
    {20, "appendix", offset_to_person, "/claims/cl1/payments/cl1p1/payee"},
    {20, "appendix", offset_unguaranteed, "/claims/cl1/payments/cl1p1/purpose"},
    {20, "appendix", account_changed, "/claims/cl1/payments/cl1p1/state"},
    {21, "motor", nothing, NULL},
    {21, "motor", not_a1, "/accident/class"},
    {21, "motor", not_a3, "/accident/class"},
    {21, "motor", dead_not_a2, "/accident/class"},
    {21, "motor", same_seq, "/accident/parties/ap2/seq"},
    {22, "motor", superseded_by_court, NULL},
    {22, "motor", superseded_by_equal, "/accident/opinions/op1/superseded_by"},
    {23, "appendix", nothing, NULL},
    {23, "appendix", english_only, "/certificates/cert1/text_zh"},
    {24, "appendix", nothing, NULL},
    {24, "appendix", sealed_digests, NULL},
    {24, "appendix", same_bytes, "/documents/d2/sha256"},
};

static void
check(size_t i)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = load(mem, cases[i].sample);
    cases[i].change(c);
    size_t n = 0;
    cr_assert_eq(case_check_rule(c, cases[i].rule, mem, &n), E_OK);
    cr_assert_eq(n, c->findings_n);
    if (!cases[i].pointer) {
        cr_assert_eq(n, 0, "rule %d (row %zu) at %.*s: expected %.*s, found %.*s", cases[i].rule, i,
                     VIEW_ARG(c->findings->pointer.v), VIEW_ARG(c->findings->expected.v),
                     VIEW_ARG(c->findings->found.v));
        return;
    }
    cr_assert_gt(n, 0, "rule %d (row %zu) finds nothing", cases[i].rule, i);
    const struct case_finding *f = c->findings;
    const struct case_rule *rules;
    cr_assert_geq(case_rules(&rules), 24);
    cr_assert(view_eq(f->pointer.v, view_of(cases[i].pointer)), "rule %d (row %zu) points at %.*s",
              cases[i].rule, i, VIEW_ARG(f->pointer.v));
    cr_assert(view_eq(f->code.v, view_of(rules[cases[i].rule - 1].code)));
    cr_assert(f->text.zh.v.n > 0 && f->text.en.v.n > 0);
    /* The finding is part of the case and can be stored with it. */
    cr_assert_gt(kit_encode(c, true, mem).n, 0);
}

Test(case_invariants, each_rule_holds_and_breaks)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(i);
}

Test(case_invariants, every_rule_is_tested_broken)
{
    bool seen[25] = {[3] = true}; /* 3 looks at the table: see below */
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        seen[cases[i].rule] = seen[cases[i].rule] || cases[i].pointer;
    const struct case_rule *rules;
    cr_assert_eq(case_rules(&rules), 24);
    for (int n = 1; n <= 24; n++) {
        cr_assert_eq(rules[n - 1].number, n);
        cr_assert(seen[n], "rule %d", n);
    }
}

Test(case_invariants, a_field_without_annotation_is_seen)
{
    struct case_field f = {
        .name = "new", .name_n = 3, .kind = FIELD_TEXT, .class = CLASS_special, .group = GROUP_names};
    cr_assert(invariant_field_annotated(&f, FORM_ELEMENT));
    f.group = GROUP_inherit;
    cr_assert_not(invariant_field_annotated(&f, FORM_ELEMENT));
    f.group = GROUP_names;
    f.class = CLASS_inherit;
    cr_assert_not(invariant_field_annotated(&f, FORM_OBJECT));
    cr_assert(invariant_field_annotated(&f, FORM_VALUE));
}

Test(case_invariants, sound_samples_are_sound)
{
    static const char *const names[] = {"appendix", "motor"};
    for (size_t i = 0; i < 2; i++) {
        arena *mem AUTO(arena_free) = arena_new(CEILING);
        struct claim_case *c = load(mem, names[i]);
        size_t n = 0;
        cr_assert_eq(case_check(c, mem, &n), E_OK);
        cr_assert_eq(n, 0, "%s: %.*s at %.*s", names[i], VIEW_ARG(c->findings->code.v),
                     VIEW_ARG(c->findings->pointer.v));
    }
}

Test(case_invariants, findings_are_bounded)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = kit_case(mem, 2);
    struct case_visitor v = {.leaf = give_source};
    cr_assert_eq(case_walk(c, &v), E_OK);
    size_t n = 0;
    for (struct case_party *p = c->parties; p; p = p->next)
        for (int i = 0; i < 100; i++)
            leaf_set_text(&case_add_person_names(mem, p->person)->text, V("x"), (struct source){0});
    cr_assert_eq(case_check_rule(c, 2, mem, &n), E_OK);
    cr_assert_eq(n, 64);
}

/* -- figures -- */

Test(cali, figures_follow_the_accident)
{
    date now = {2026, 4, 11, DATE_DAY, CALENDAR_AD}, before = {2011, 12, 31, DATE_DAY, CALENDAR_AD};
    cr_assert_eq(cali_cap_of(V("meals"), now)->per_unit, 180);
    cr_assert_eq(cali_cap_of(V("room_difference"), now)->per_unit, 1500);
    cr_assert_eq(cali_cap_of(V("nursing"), now)->most_units, 30);
    cr_assert_eq(cali_cap_of(V("eye"), now)->per_unit, 10000);
    cr_assert_eq(cali_cap_of(V("denture"), now)->whole, 50000);
    cr_assert_null(cali_cap_of(V("meals"), before));
    cr_assert_null(cali_cap_of(V("copay"), now));
    cr_assert_eq(cali_limit_of(CALI_LIMIT_total, now), 2200000);
    cr_assert_eq(cali_limit_of(CALI_LIMIT_medical, now), 200000);
    cr_assert_eq(cali_limit_of(CALI_LIMIT_total, before), 0);
    cr_assert_eq(cali_grade_amount(7, now), 730000);
    cr_assert_eq(cali_grade_amount(15, now), 50000);
    cr_assert_eq(cali_grade_amount(16, now), 0);
    cr_assert_str_eq(cali_disability_level(V("cali15"), now), "district");
    cr_assert_null(cali_disability_level(V("policy"), now));
}
