/* Rules about money: 5, 6, 11, 13. */
#include "adapters/cali.h"
#include "adapters/invariants_kit.h"

/* -- 5: sums -- */

/* Adds the lines of a payer; false when one of them has no amount or the sum is out of range: then nothing
 * can be said. */
static bool
sum_lines(const struct case_expense *e, const char *payer, decimal *ret)
{
    decimal sum = decimal_of(0);
    bool any = false;
    for (const struct case_expense_line *l = e->lines; l; l = l->next) {
        if (!leaf_is(&l->payer, payer))
            continue;
        if (!l->amount.amount.set || decimal_add(sum, l->amount.amount.v, &sum) != E_OK)
            return false;
        any = true;
    }
    *ret = sum;
    return any;
}

static void
check_payer(struct check *k, const struct case_expense *e, const char *payer,
            const struct case_stated_money *total, const char *where)
{
    decimal sum;
    if (!has_money(&total->stated) || !sum_lines(e, payer, &sum))
        return;
    if (decimal_cmp(sum, total->stated.amount.v) != 0)
        found_at(k, e->id, where, amount_text(k, sum), amount_text(k, total->stated.amount.v));
}

static decimal
stated(const struct case_stated_money *m)
{
    return has_money(&m->stated) ? m->stated.amount.v : decimal_of(0);
}

/* payable = copay + self_pay - discount */
static void
check_payable(struct check *k, const struct case_expense *e)
{
    const struct case_totals *t = e->totals;
    decimal sum;
    if (!has_money(&t->payable.stated) || !has_money(&t->self_pay.stated))
        return;
    if (decimal_add(stated(&t->copay), stated(&t->self_pay), &sum) != E_OK ||
        decimal_sub(sum, stated(&t->discount), &sum) != E_OK)
        return;
    if (decimal_cmp(sum, t->payable.stated.amount.v) != 0)
        found_at(k, e->id, "totals/payable/stated", amount_text(k, sum),
                 amount_text(k, t->payable.stated.amount.v));
}

/* paid + open = payable + refund: what is open cannot be less than nothing. */
static void
check_paid(struct check *k, const struct case_expense *e)
{
    const struct case_totals *t = e->totals;
    decimal most;
    if (!has_money(&t->paid.stated) || !has_money(&t->payable.stated) ||
        decimal_add(stated(&t->payable), stated(&t->refund), &most) != E_OK)
        return;
    if (decimal_cmp(t->paid.stated.amount.v, most) > 0)
        found_at(k, e->id, "totals/paid/stated", amount_text(k, most),
                 amount_text(k, t->paid.stated.amount.v));
}

/* Whoever recomputed said whether it agrees; it must be so. */
static void
check_agrees(struct check *k, const struct case_expense *e, const struct case_stated_money *m,
             const char *where)
{
    if (!has_money(&m->stated) || !has_money(&m->recomputed) || !m->agrees.set)
        return;
    bool same = decimal_cmp(m->stated.amount.v, m->recomputed.amount.v) == 0;
    if (same != m->agrees.v)
        found_at(k, e->id, where, same ? V("true") : V("false"), m->agrees.v ? V("true") : V("false"));
}

void
invariant_5(struct check *k)
{
    for (const struct case_expense *e = k->c->expenses; e; e = e->next) {
        const struct case_totals *t = e->totals;
        if (!t)
            continue;
        check_payer(k, e, "self", &t->self_pay, "totals/self_pay/stated");
        check_payer(k, e, "copay", &t->copay, "totals/copay/stated");
        check_payable(k, e);
        check_paid(k, e);
        check_agrees(k, e, &t->self_pay, "totals/self_pay/agrees");
        check_agrees(k, e, &t->copay, "totals/copay/agrees");
        check_agrees(k, e, &t->payable, "totals/payable/agrees");
    }
}

/* -- 6: points -- */

/* A total that is right only when points are counted as NT$. */
static void
check_gross(struct check *k, const struct case_expense *e)
{
    const struct case_totals *t = e->totals;
    decimal sum;
    if (!t || !has_money(&t->gross.stated) || !t->nhi_points.stated.set ||
        t->nhi_points.stated.v.units == 0 || has_money(&t->nhi_amount.stated))
        return;
    if (decimal_add(stated(&t->copay), stated(&t->self_pay), &sum) != E_OK ||
        decimal_add(sum, t->nhi_points.stated.v, &sum) != E_OK)
        return;
    if (decimal_cmp(sum, t->gross.stated.amount.v) == 0)
        found_at(k, e->id, "totals/gross/stated", V("money only"), V("money and points"));
}

void
invariant_6(struct check *k)
{
    for (const struct case_expense *e = k->c->expenses; e; e = e->next) {
        check_gross(k, e);
        for (const struct case_expense_line *l = e->lines; l; l = l->next)
            if (leaf_is(&l->payer, "nhi") && l->points.set && l->points.v.units != 0 &&
                has_money(&l->amount) && decimal_cmp(l->points.v, l->amount.amount.v) == 0)
                found_at(k, l->id, "amount", V("NT$"), V("the points"));
    }
}

/* -- 11: compulsory insurance -- */

static bool
above(const struct case_money *m, int64_t limit)
{
    return limit && has_money(m) && decimal_cmp(m->amount.v, decimal_of(limit)) > 0;
}

static void
check_item(struct check *k, const struct case_cali_item *i, date on)
{
    const struct cali_cap *cap = cali_cap_of(i->category.v, on);
    if (!has_money(&i->eligible))
        return;
    if (has_money(&i->cap) && decimal_cmp(i->eligible.amount.v, i->cap.amount.v) > 0)
        found_at(k, i->id, "eligible", amount_text(k, i->cap.amount.v), amount_text(k, i->eligible.amount.v));
    else if (cap && above(&i->eligible, cap->whole))
        found_at(k, i->id, "eligible", amount_text(k, decimal_of(cap->whole)),
                 amount_text(k, i->eligible.amount.v));
    else if (has_money(&i->stated) && decimal_cmp(i->eligible.amount.v, i->stated.amount.v) > 0)
        found_at(k, i->id, "eligible", amount_text(k, i->stated.amount.v),
                 amount_text(k, i->eligible.amount.v));
}

static void
add(decimal *sum, const struct case_money *m)
{
    /* Out of range leaves the sum: it is far above every limit already. */
    if (has_money(m) && decimal_add(*sum, m->amount.v, sum) != E_OK)
        return;
}

static void
check_medical(struct check *k, const struct case_claim *claim, date on)
{
    decimal sum = decimal_of(0);
    int64_t limit = cali_limit_of(CALI_LIMIT_medical, on);
    for (const struct case_cali_item *i = claim->cali->items; i; i = i->next) {
        check_item(k, i, on);
        add(&sum, &i->eligible);
    }
    if (claim->cali->paid_before)
        add(&sum, &claim->cali->paid_before->medical);
    if (limit && decimal_cmp(sum, decimal_of(limit)) > 0)
        found_at(k, claim->id, "cali", amount_text(k, decimal_of(limit)), amount_text(k, sum));
}

static bool
is_cali(const struct case_claim *claim)
{
    return leaf_is(&claim->line, "cali") || leaf_is(&claim->line, "fund");
}

static bool
is_replaced(const struct case_claim *claim, const struct case_decision *d)
{
    for (const struct case_decision *o = claim->decision; o; o = o->next)
        if (refers_to(&o->replaces, d->id))
            return true;
    return false;
}

/* What was decided for one victim over all claims of the case, and what was paid before it. */
static decimal
decided_for(const struct claim_case *c, const struct leaf_text *victim)
{
    decimal sum = decimal_of(0), before = decimal_of(0);
    for (const struct case_claim *o = c->claims; o; o = o->next) {
        if (!is_cali(o) || !same_reference(&o->for_, victim))
            continue;
        for (const struct case_decision *d = o->decision; d; d = d->next)
            if (!is_replaced(o, d))
                add(&sum, &d->amount);
        if (!o->cali || !o->cali->paid_before)
            continue;
        decimal here = decimal_of(0);
        add(&here, &o->cali->paid_before->medical);
        add(&here, &o->cali->paid_before->disability);
        add(&here, &o->cali->paid_before->death);
        if (decimal_cmp(here, before) > 0)
            before = here; /* joint claims tell of the same earlier payments */
    }
    return decimal_add(sum, before, &sum) == E_OK ? sum : before;
}

static bool
is_first_of_victim(const struct claim_case *c, const struct case_claim *claim)
{
    for (const struct case_claim *o = c->claims; o != claim; o = o->next)
        if (is_cali(o) && same_reference(&o->for_, &claim->for_))
            return false;
    return true;
}

void
invariant_11(struct check *k)
{
    date on;
    if (!accident_day(k->c, &on))
        return;
    decimal most = decimal_of(cali_limit_of(CALI_LIMIT_total, on));
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next) {
        if (!is_cali(claim))
            continue;
        if (claim->cali)
            check_medical(k, claim, on);
        if (!most.units || !is_first_of_victim(k->c, claim))
            continue;
        decimal sum = decided_for(k->c, &claim->for_);
        if (decimal_cmp(sum, most) > 0)
            found_at(k, claim->id, "", amount_text(k, most), amount_text(k, sum));
    }
}

/* -- 13: pools of one receipt -- */

static bool
is_reimbursement(const struct case_claim *claim)
{
    for (const struct case_benefit *b = claim->benefits; b; b = b->next)
        if (one_of(&b->kind, "reimbursement_inpatient|reimbursement_outpatient_surgery|injury_medical"))
            return true;
    return false;
}

/* The rule of 2024-07-01 binds new contracts only (DOMAIN D1). */
static bool
is_new_contract(const struct claim_case *c, const struct case_claim *claim)
{
    for (const struct case_coverage *v = c->coverages; v; v = v->next)
        if (any_refers_to(claim->coverages, v->id) && !leaf_is(&v->contract_regime, "from_2024_07"))
            return false;
    return claim->coverages != NULL;
}

static bool
fits_nature(const struct case_receipt_pool *p, const struct case_claim *claim)
{
    return leaf_is(&p->nature, "injury") ? leaf_is(&claim->line, "injury") : !leaf_is(&claim->line, "injury");
}

static void
check_allocation(struct check *k, const struct case_receipt_pool *p, const struct case_allocation *a)
{
    const struct case_claim *claim = case_claim_of(k->c, a->claim.v);
    if (!claim || !is_reimbursement(claim) || !is_new_contract(k->c, claim))
        found_at(k, a->id, "claim", V("a reimbursement claim under a contract from 2024-07"), V("another"));
    else if (!fits_nature(p, claim))
        found_at(k, a->id, "claim", p->nature.v, claim->line.v);
}

void
invariant_13(struct check *k)
{
    for (const struct case_receipt_pool *p = k->c->receipt_pools; p; p = p->next) {
        decimal sum = decimal_of(0);
        for (const struct case_allocation *a = p->allocations; a; a = a->next) {
            check_allocation(k, p, a);
            if (leaf_is(&a->state, "released"))
                continue;
            add(&sum, &a->reserved);
            add(&sum, &a->paid);
        }
        if (p->allocations && !leaf_is(&p->regime, "from_2024_07"))
            found_at(k, p->id, "regime", V("from_2024_07"), p->regime.v);
        if (has_money(&p->ceiling) && decimal_cmp(sum, p->ceiling.amount.v) > 0)
            found_at(k, p->id, "ceiling", amount_text(k, p->ceiling.amount.v), amount_text(k, sum));
    }
}
