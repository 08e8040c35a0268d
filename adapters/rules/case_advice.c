#include "adapters/rules/case_advice.h"

#include "adapters/case_walk.h"
#include "adapters/invariants.h"
#include "adapters/rules/motor.h"
#include "base/text.h"

#define AMOUNT_MAX INT64_C(1000000000000)
#define CATEGORIES_MAX 16
#define DISABILITIES_MAX 32

struct advising {
    struct claim_case *c;
    struct case_claim *claim;
    const struct case_party *victim;
    arena *mem;
    date on;
    struct case_claim_cali *out;
};

static bool
refers_to(const struct leaf_text *reference, view id)
{
    return id.n && reference->v.n == id.n + 1 && memcmp(reference->v.p + 1, id.p, id.n) == 0;
}

static bool
is_word(const struct leaf_text *leaf, const char *word)
{
    return view_eq(leaf->v, view_of(word));
}

static struct source
own(void)
{
    return source_gateway(HOW_COMPUTED);
}

bool
motor_advises(const struct case_claim *claim)
{
    return claim && (is_word(&claim->line, "cali") || is_word(&claim->line, "fund"));
}

/* -- who answers -- */

static const struct case_vehicle *
vehicle_of(const struct claim_case *c, const struct leaf_text *reference)
{
    for (const struct case_vehicle *v = c->vehicles; v; v = v->next)
        if (refers_to(reference, v->id))
            return v;
    return NULL;
}

struct fleet {
    const struct case_vehicle *vehicles[MOTOR_VEHICLES_MAX];
    enum motor_cover covers[MOTOR_VEHICLES_MAX];
    size_t n;
};

static size_t
place_in(const struct fleet *f, const struct case_vehicle *v)
{
    size_t i = 0;
    while (i < f->n && f->vehicles[i] != v)
        i++;
    return i;
}

/* Code 2 of 肇事逃逸 is "yes": whoever drove off in a vehicle that nobody can name is unidentified. */
static enum motor_cover
cover_of(const struct case_vehicle *v, const struct case_accident_party *p)
{
    enum motor_cover said = v->cali ? motor_cover_of(v->cali->status.v) : MOTOR_COVERS;
    bool fled = p->hit_and_run.resolved.v && view_eq(p->hit_and_run.code.v, V("2"));
    if (said != MOTOR_COVERS)
        return said;
    return fled && !v->plate.v.n ? MOTOR_COVER_UNIDENTIFIED : MOTOR_COVER_INSURED;
}

static bool
is_passenger(const struct case_accident_party *p)
{
    return is_word(&p->kind.code, "H02");
}

static void
gather(const struct claim_case *c, struct fleet *f)
{
    for (const struct case_accident_party *p = c->accident->parties; p; p = p->next) {
        const struct case_vehicle *v = is_passenger(p) ? NULL : vehicle_of(c, &p->vehicle);
        if (!v || place_in(f, v) < f->n || f->n == MOTOR_VEHICLES_MAX)
            continue;
        f->covers[f->n] = cover_of(v, p);
        f->vehicles[f->n++] = v;
    }
}

static const struct case_accident_party *
line_of(const struct advising *a)
{
    for (const struct case_accident_party *p = a->c->accident->parties; p; p = p->next)
        if (refers_to(&p->party, a->victim->id))
            return p;
    return NULL;
}

static err
put_joint(struct advising *a, const struct fleet *f, const struct motor_targets *t)
{
    for (size_t i = 0; i < t->n && t->joint; i++) {
        const struct case_vehicle *v = f->vehicles[t->vehicles[i]];
        if (!v->cali || !v->cali->insurer.v.n || view_eq(v->cali->insurer.v, a->claim->recipient.v))
            continue;
        struct case_item *item = case_add_claim_cali_joint_with(a->mem, a->out);
        if (!item ||
            !case_ref(a->mem, &item->text, view_sub(v->cali->insurer.v, 1, v->cali->insurer.v.n), own()))
            return E_TOO_LARGE;
    }
    return E_OK;
}

static err
put_rule(struct advising *a, const struct case_accident_party *line)
{
    struct fleet f = {.n = 0};
    struct motor_targets t;
    gather(a->c, &f);
    size_t at = place_in(&f, vehicle_of(a->c, &line->vehicle));
    struct motor_person person = {is_passenger(line) ? MOTOR_PASSENGER
                                  : at < f.n         ? MOTOR_DRIVER
                                                     : MOTOR_OUTSIDE,
                                  at < f.n ? at : 0, false};
    if (motor_who_answers(f.covers, f.n, &person, &t, NULL) != E_OK)
        return E_OK;
    leaf_set_text(&a->out->rule, view_of(t.kind), own());
    leaf_set_int(&a->out->vehicles_n, (int64_t)f.n, own());
    return put_joint(a, &f, &t);
}

/* -- what counts -- */

static bool
is_of_victim(const struct advising *a, const struct case_expense *e)
{
    if (e->patient.v.n)
        return refers_to(&e->patient, a->victim->id);
    const struct case_item *visit = e->covers ? e->covers->encounters : NULL;
    for (const struct case_encounter *x = a->c->encounters; x && visit; x = x->next)
        if (refers_to(&visit->text, x->id))
            return refers_to(&x->patient, a->victim->id);
    return false;
}

struct sum {
    view category;
    int64_t stated, units, unsigned_; /* unsigned_: what of stated nobody signed */
};

static int64_t
whole(const struct leaf_decimal *d)
{
    char text[24];
    int64_t n = 0;
    view printed = d->set ? decimal_print(d->v, text) : VIEW_NONE;
    view head = view_cut(&printed, '.', NULL);
    return d->set && text_to_i64(head, &n) == E_OK && n > 0 && n < AMOUNT_MAX ? n : 0;
}

static void
add_line(struct sum *list, size_t *n, const struct case_expense *e, const struct case_expense_line *l)
{
    view category = l->category ? l->category->cali.v : VIEW_NONE;
    size_t i = 0;
    if (!category.n || is_word(&l->payer, "nhi"))
        return;
    while (i < *n && !view_eq(list[i].category, category))
        i++;
    if (i == CATEGORIES_MAX)
        return;
    if (i == *n)
        list[(*n)++] = (struct sum){.category = category};
    list[i].stated += whole(&l->amount.amount);
    list[i].unsigned_ += is_word(&e->evidence, "asserted") ? whole(&l->amount.amount) : 0;
    list[i].units += l->category->teeth.set ? l->category->teeth.v : whole(&l->qty.value);
}

static err
put_item(struct advising *a, const struct sum *s, int64_t *eligible)
{
    enum motor_rule rule;
    struct case_cali_item *item = case_add_claim_cali_items(a->mem, a->out);
    if (!item)
        return E_TOO_LARGE;
    int64_t counts = motor_item_eligible(s->category, s->stated, s->units, a->on, &rule);
    leaf_set_text(&item->category, s->category, own());
    case_set_money(&item->stated, (decimal){s->stated, 0}, V("TWD"), own());
    case_set_money(&item->eligible, (decimal){counts, 0}, V("TWD"), own());
    if (s->unsigned_)
        case_set_money(&item->unsigned_, (decimal){s->unsigned_, 0}, V("TWD"), own());
    *eligible += counts;
    return E_OK;
}

static err
put_items(struct advising *a)
{
    struct sum list[CATEGORIES_MAX] = {{.stated = 0}};
    size_t n = 0;
    int64_t eligible = 0;
    for (const struct case_expense *e = a->c->expenses; e; e = e->next)
        for (const struct case_expense_line *l = is_of_victim(a, e) ? e->lines : NULL; l; l = l->next)
            add_line(list, &n, e, l);
    for (size_t i = 0; i < n; i++)
        TRY(put_item(a, &list[i], &eligible));
    bool is_fund = is_word(&a->claim->line, "fund");
    const struct case_paid_before *before = a->out->paid_before;
    int64_t paid = before ? whole(&before->medical.amount) : 0;
    int64_t headroom =
        motor_nhi_headroom(paid > eligible ? paid : eligible, AMOUNT_MAX, false, is_fund, a->on);
    case_set_money(&a->out->nhi_headroom, (decimal){headroom, 0}, V("TWD"), own());
    return E_OK;
}

/* -- what stays -- */

/* Of a disability that was there before, what was added; else all grades of the scale together. */
static err
combine(const struct advising *a, const struct case_disability *first, const int64_t *grades, size_t n,
        struct motor_combined *ret)
{
    TRY(motor_disability(grades, n, a->on, ret, NULL));
    if (!first->prior_grade.set ||
        motor_aggravation(first->prior_grade.v, ret->grade, a->on, &ret->amount, NULL) != E_OK)
        return E_OK;
    ret->rule = MOTOR_RULE_AGGRAVATION;
    return E_OK;
}

static err
put_disability(struct advising *a)
{
    struct case_disability *first = NULL;
    int64_t grades[DISABILITIES_MAX];
    size_t n = 0;
    struct motor_combined together;
    for (struct case_disability *d = a->c->disability; d; d = d->next) {
        if (!is_word(&d->scale, "cali15") || !refers_to(&d->patient, a->victim->id))
            continue;
        first = first ? first : d;
        for (const struct case_disability_item *i = d->items; i && n < DISABILITIES_MAX; i = i->next)
            grades[n++] = i->grade.v;
    }
    if (!first || first->combined || combine(a, first, grades, n, &together) != E_OK)
        return E_OK;
    struct case_combined *out = case_make_disability_combined(a->mem, first);
    if (!out)
        return E_TOO_LARGE;
    leaf_set_int(&out->grade, together.grade, own());
    leaf_set_text(&out->rule, view_of(motor_rule_row(together.rule)->number), own());
    case_set_money(&out->amount, (decimal){together.amount, 0}, V("TWD"), own());
    return E_OK;
}

/* Rule 10 of the invariants, where it can be judged: the victim drove the vehicle that this insurer covers. */
static err
note_own(struct advising *a, const struct case_accident_party *line)
{
    const struct case_vehicle *v = is_passenger(line) ? NULL : vehicle_of(a->c, &line->vehicle);
    const struct case_rule *rules;
    size_t n = case_rules(&rules), i = 0;
    if (!v || !v->cali || !v->cali->insurer.v.n || !view_eq(v->cali->insurer.v, a->claim->recipient.v))
        return E_OK;
    while (i < n && rules[i].number != 10)
        i++;
    struct case_finding *f = i < n ? case_add_findings(a->mem, a->c) : NULL;
    struct case_finding_rule *rule = f ? case_make_finding_rule(a->mem, f) : NULL;
    if (!rule)
        return E_TOO_LARGE;
    leaf_set_text(&f->code, view_of(rules[i].code), own());
    leaf_set_text(&f->severity, view_of(rules[i].severity), own());
    leaf_set_text(&f->pointer, case_pointer(a->c, a->claim->id, V("line"), a->mem), own());
    leaf_set_text(&rule->id, V("case-10"), own());
    leaf_set_text(&rule->version, V(INVARIANTS_VERSION), own());
    leaf_set_text(&f->text.en, view_of(rules[i].text[LANG_EN]), own());
    leaf_set_text(&f->text.zh, view_of(rules[i].text[LANG_ZH]), own());
    return E_OK;
}

err
motor_advise(struct claim_case *c, struct case_claim *claim, const struct case_party *victim, arena *mem)
{
    struct advising a = {.c = c, .claim = claim, .victim = victim, .mem = mem};
    if (!motor_advises(claim) || (claim->cali && claim->cali->rule.v.n) || !victim || !c->accident ||
        !c->accident->occurred.set)
        return E_OK;
    const struct case_accident_party *line = line_of(&a);
    if (!line)
        return E_OK;
    a.on = date_of_instant(c->accident->occurred.v, c->accident->occurred.offset);
    a.out = case_make_claim_cali(mem, claim);
    if (!a.out)
        return E_TOO_LARGE;
    TRY(note_own(&a, line));
    TRY(put_rule(&a, line));
    TRY(put_items(&a));
    TRY(put_disability(&a));
    case_set_money(&a.out->ceiling, (decimal){cali_limit_of(CALI_LIMIT_total, a.on), 0}, V("TWD"), own());
    return E_OK;
}
