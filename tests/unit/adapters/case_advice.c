/* Motor rules applied to a case: who answers, what counts, and the own vehicle's insurer. */
#include "adapters/rules/case_advice.h"

#include <criterion/criterion.h>

#define CEILING (16u << 20)

static struct source
at(void)
{
    return (struct source){.from = 1, .length = 1, .document = 0, .how = HOW_COPIED};
}

struct crash {
    arena *mem;
    struct claim_case *c;
    struct case_party *rider, *pillion, *walker, *first, *second; /* people; insurers of car and motorcycle */
    struct case_claim *claim;
};

static struct case_party *
add_insurer(struct crash *x, const char *code)
{
    struct case_party *p = case_add_parties(x->mem, x->c);
    struct case_organisation *o = case_make_party_organisation(x->mem, p);
    leaf_set_text(&p->kind, V("organisation"), at());
    leaf_set_text(&case_add_organisation_identifiers(x->mem, o)->value, view_of(code), at());
    return p;
}

static struct case_vehicle *
add_vehicle(struct crash *x, const char *plate, const struct case_party *insurer)
{
    struct case_vehicle *v = case_add_vehicles(x->mem, x->c);
    if (plate)
        leaf_set_text(&v->plate, view_of(plate), at());
    if (insurer) {
        struct case_vehicle_cali *cali = case_make_vehicle_cali(x->mem, v);
        leaf_set_text(&cali->status, V("insured"), at());
        cr_assert(case_ref(x->mem, &cali->insurer, insurer->id, at()));
    }
    return v;
}

static struct case_party *
add_line(struct crash *x, const char *kind, const struct case_vehicle *v)
{
    struct case_party *p = case_add_parties(x->mem, x->c);
    struct case_accident_party *line = case_add_accident_parties(x->mem, x->c->accident);
    cr_assert(case_make_party_person(x->mem, p));
    leaf_set_text(&p->kind, V("person"), at());
    cr_assert(case_ref(x->mem, &line->party, p->id, at()));
    leaf_set_text(&line->kind.code, view_of(kind), at());
    if (v)
        cr_assert(case_ref(x->mem, &line->vehicle, v->id, at()));
    return p;
}

/* A car, a motorcycle with a pillion, a pedestrian; the claim is at the car's insurer. */
static struct crash
crash(arena *mem)
{
    struct crash x = {.mem = mem, .c = case_new(mem)};
    struct case_accident *a = case_make_accident(mem, x.c);
    instant when;
    cr_assert_eq(instant_parse(V("2026-06-01T08:00:00+08:00"), &when, NULL), E_OK);
    leaf_set_time(&a->occurred, when, 480, at());
    x.first = add_insurer(&x, "99000447");
    x.second = add_insurer(&x, "99000663");
    struct case_vehicle *car = add_vehicle(&x, "AAA-1", x.first),
                        *motorcycle = add_vehicle(&x, "BBB-2", x.second);
    add_line(&x, "B03", car);
    x.rider = add_line(&x, "C03", motorcycle);
    x.pillion = add_line(&x, "H02", motorcycle);
    x.walker = add_line(&x, "H01", NULL);
    x.claim = case_add_claims(mem, x.c);
    leaf_set_text(&x.claim->line, V("cali"), at());
    cr_assert(case_ref(mem, &x.claim->recipient, x.first->id, at()));
    return x;
}

Test(case_advice, who_answers_follows_the_place_in_the_accident)
{
    struct row {
        const char *who, *rule;
        size_t joint;
    } rows[] = {{"rider", "two", 0}, {"pillion", "two", 1}, {"walker", "outsider", 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena *mem AUTO(arena_free) = arena_new(CEILING);
        struct crash x = crash(mem);
        const struct case_party *victim = i == 0 ? x.rider : i == 1 ? x.pillion : x.walker;
        cr_assert_eq(motor_advise(x.c, x.claim, victim, mem), E_OK);
        cr_assert(x.claim->cali && view_eq(x.claim->cali->rule.v, view_of(rows[i].rule)), "%s", rows[i].who);
        cr_assert_eq(x.claim->cali->vehicles_n.v, 2);
        size_t joint = 0;
        for (const struct case_item *item = x.claim->cali->joint_with; item; item = item->next)
            joint++;
        cr_assert_eq(joint, rows[i].joint, "%s", rows[i].who);
        cr_assert_null(x.c->findings, "%s", rows[i].who);
    }
}

Test(case_advice, the_own_vehicles_insurer_is_noted)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct crash x = crash(mem);
    cr_assert(case_ref(mem, &x.claim->recipient, x.second->id, at()));
    cr_assert_eq(motor_advise(x.c, x.claim, x.rider, mem), E_OK);
    cr_assert(x.c->findings && view_eq(x.c->findings->code.v, V("own-cali")));
    cr_assert(view_eq(x.c->findings->severity.v, V("hold")));
}

Test(case_advice, other_lines_and_strangers_get_none)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct crash x = crash(mem);
    struct case_party *stranger = case_add_parties(mem, x.c);
    cr_assert_eq(motor_advise(x.c, x.claim, stranger, mem), E_OK);
    cr_assert_null(x.claim->cali);
    leaf_set_text(&x.claim->line, V("health"), at());
    cr_assert_not(motor_advises(x.claim));
    cr_assert_eq(motor_advise(x.c, x.claim, x.rider, mem), E_OK);
    cr_assert_null(x.claim->cali);
}

static void
add_expense_line(struct crash *x, struct case_expense *e, const char *category, const char *payer,
                 int64_t amount, int64_t units)
{
    struct case_expense_line *l = case_add_expense_lines(x->mem, e);
    leaf_set_text(&case_make_expense_line_category(x->mem, l)->cali, view_of(category), at());
    leaf_set_text(&l->payer, view_of(payer), at());
    case_set_money(&l->amount, (decimal){amount, 0}, V("TWD"), at());
    if (units)
        leaf_set_decimal(&l->qty.value, (decimal){units, 0}, at());
}

/* The figures of a rider's receipts: 65,320 of 101,400 count, 134,680 are left. */
Test(case_advice, what_counts_is_capped_and_what_is_stated_stays)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct crash x = crash(mem);
    struct case_expense *e = case_add_expenses(mem, x.c), *others = case_add_expenses(mem, x.c);
    cr_assert(case_ref(mem, &e->patient, x.rider->id, at()));
    cr_assert(case_ref(mem, &others->patient, x.pillion->id, at()));
    add_expense_line(&x, e, "copay", "copay", 3400, 0);
    add_expense_line(&x, e, "room_difference", "self", 8000, 4);
    add_expense_line(&x, e, "meals", "self", 800, 4);
    add_expense_line(&x, e, "denture", "self", 36000, 2);
    add_expense_line(&x, e, "nursing", "self", 24000, 10);
    add_expense_line(&x, e, "device", "self", 26000, 0);
    add_expense_line(&x, e, "transport", "self", 3200, 0);
    add_expense_line(&x, e, "copay", "nhi", 99999, 0);
    add_expense_line(&x, others, "copay", "copay", 5000, 0);
    cr_assert_eq(motor_advise(x.c, x.claim, x.rider, mem), E_OK);
    int64_t stated = 0, eligible = 0;
    for (const struct case_cali_item *i = x.claim->cali->items; i; i = i->next) {
        stated += i->stated.amount.v.units;
        eligible += i->eligible.amount.v.units;
    }
    cr_assert_eq(stated, 101400);
    cr_assert_eq(eligible, 65320);
    cr_assert_eq(x.claim->cali->nhi_headroom.amount.v.units, 134680);
}
