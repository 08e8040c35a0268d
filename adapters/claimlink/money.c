/* Payments, settlements, recourse. */
#include "adapters/claimlink/inside.h"

#include "adapters/rules/motor.h"

/* The author's claim on the paper's vehicle: meets the one that the case knows by insurer, line and vehicle. */
static err
own_claim(struct work *w, struct case_claim **ret)
{
    const struct node *code = work_member(w, work_member(w, w->root, "author"), "code");
    struct case_claim *c = case_add_claims(w->mem, w->c);
    view insurer;
    if (!c)
        return E_TOO_LARGE;
    TRY(work_organisation(w, code, view_eq(w->paper->line, V("fund")) ? "fund" : "insurer", &insurer));
    work_ref(w, &c->recipient, insurer, code);
    work_text(w, &c->line, work_member(w, w->root, "line"));
    work_ref(w, &c->for_, w->vehicle->id, code);
    *ret = c;
    return E_OK;
}

err
work_payment(struct work *w)
{
    const struct node *shop = work_member(w, w->root, "shop");
    bool to_shop = view_eq(work_value(w, w->root, "payee"), V("shop"));
    struct case_claim *c;
    view payee = VIEW_NONE;
    TRY(own_claim(w, &c));
    struct case_payment *p = case_add_claim_payments(w->mem, c);
    if (!p)
        return E_TOO_LARGE;
    if (to_shop != (shop != NULL))
        work_issue(w, ISSUE_ERROR, E_REQUIRED, w->root, "a shop when the shop is paid, and only then",
                   "another");
    if (shop)
        TRY(work_organisation(w, shop, "repair_shop", &payee));
    work_ref(w, &p->payee, payee, shop);
    work_text(w, &p->method, work_member(w, w->root, "method"));
    work_money(w, &p->amount, work_member(w, w->root, "amount"));
    work_time(w, &p->at, work_member(w, w->root, "paid_at"));
    work_word(&p->state, "paid", w->root);
    work_word(&p->purpose, to_shop ? "direct_shop" : "benefit", work_member(w, w->root, "payee"));
    w->paper->shop = node_text(w->t, shop);
    (void)work_amount(w, work_member(w, w->root, "amount"), &w->paper->amount);
    return E_OK;
}

/* -- settlements -- */

static err
read_heads(struct work *w, struct case_settlement *s)
{
    const struct node *total = work_member(w, w->root, "total");
    decimal sum = decimal_of(0), one, stated;
    size_t n = 0;
    for (NODE_EACH(head, w->t, work_member(w, w->root, "heads"))) {
        struct case_settlement_head *h = case_add_settlement_heads(w->mem, s);
        if (!h)
            return E_TOO_LARGE;
        work_text(w, &h->kind, work_member(w, head, "kind"));
        work_money(w, &h->amount, work_member(w, head, "amount"));
        if (work_amount(w, work_member(w, head, "amount"), &one))
            TRY(decimal_add(sum, one, &sum));
        n++;
    }
    if (n && work_amount(w, total, &stated) && decimal_cmp(sum, stated) != 0)
        work_issue(w, ISSUE_WARNING, E_SUM, total, "the sum of its heads", "another amount");
    return E_OK;
}

err
work_settlement(struct work *w)
{
    struct case_settlement *s = case_add_settlements(w->mem, w->c);
    const struct node *took_part = work_member(w, w->root, "insurer_took_part");
    size_t n = 0;
    if (!s)
        return E_TOO_LARGE;
    work_text(w, &s->kind, work_member(w, w->root, "kind"));
    work_text(w, &s->no, work_member(w, w->root, "no"));
    work_date(w, &s->date, work_member(w, w->root, "date"));
    for (NODE_EACH(person, w->t, work_member(w, w->root, "between"))) {
        view id;
        TRY(work_person(w, person, false, &id));
        struct case_item *item = case_add_settlement_between(w->mem, s);
        if (!item)
            return E_TOO_LARGE;
        work_ref(w, &item->text, id, person);
        n++;
    }
    if (n < 2)
        work_issue(w, ISSUE_ERROR, E_CARDINALITY, work_member(w, w->root, "between"), "two at least", "one");
    work_money(w, &s->total, work_member(w, w->root, "total"));
    TRY(read_heads(w, s));
    work_text(w, &s->includes_cali, work_member(w, w->root, "includes_cali"));
    work_text(w, &s->waiver_text, work_member(w, w->root, "waiver"));
    work_bool(&s->insurer_took_part, took_part);
    work_ref(w, &s->document, V("d1"), w->root);
    if (!node_is_true(took_part))
        work_issue(w, ISSUE_WARNING, E_SETTLED_ALONE, took_part, "a settlement with the liability insurer",
                   "one without");
    return E_OK;
}

/* -- recourse -- */

/* paid × percent / 100, to whole dollars, halves up. */
static err
share_of(decimal paid, decimal percent, decimal *ret)
{
    decimal product;
    int64_t unit = 100;
    TRY(decimal_mul(paid, percent, &product));
    for (int i = 0; i < product.scale; i++)
        unit *= 10;
    *ret = decimal_of((product.units + unit / 2) / unit);
    return E_OK;
}

err
work_recourse(struct work *w)
{
    struct case_recourse *r = case_add_recourse(w->mem, w->c);
    const struct node *amount = work_member(w, w->root, "amount"),
                      *against = work_member(w, w->root, "against");
    decimal paid = decimal_of(0), percent = decimal_of(100), share, asked;
    struct case_claim *c;
    enum motor_rule rule;
    date lapses;
    view id;
    if (!r)
        return E_TOO_LARGE;
    w->paper->recourse_kind = work_value(w, w->root, "kind");
    w->paper->against = node_text(w->t, against);
    TRY(motor_recourse(w->paper->line, w->paper->recourse_kind, &rule, w->f));
    TRY(own_claim(w, &c));
    r->claimant = c->recipient;
    TRY(work_organisation(w, against, "insurer", &id));
    work_ref(w, &r->against, id, against);
    work_text(w, &r->kind, work_member(w, w->root, "kind"));
    work_ref(w, &r->claim, c->id, w->root);
    work_money(w, &r->paid, work_member(w, w->root, "paid"));
    work_money(w, &r->limit, work_member(w, w->root, "paid"));
    work_decimal(w, &r->percent, work_member(w, w->root, "percent"));
    (void)work_amount(w, work_member(w, w->root, "paid"), &paid);
    (void)work_amount(w, amount, &w->paper->amount);
    w->paper->paid = paid;
    (void)work_amount(w, work_member(w, w->root, "percent"), &percent);
    TRY(share_of(paid, percent, &share));
    work_stated(w, &r->amount, amount, share);
    if (work_amount(w, amount, &asked) && decimal_cmp(asked, paid) > 0)
        work_issue(w, ISSUE_WARNING, E_RECOURSE_ABOVE, amount, "at most what was paid", "more");
    work_date(w, &r->paid_on, work_member(w, w->root, "paid_on"));
    if (r->paid_on.set && motor_recourse_lapses(w->paper->recourse_kind, r->paid_on.v, &lapses))
        leaf_set_date(&r->time_bar, lapses, VIEW_NONE, source_gateway(HOW_COMPUTED));
    work_word(&r->state, "asked", w->root);
    return E_OK;
}
