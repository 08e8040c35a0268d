#include "adapters/claimlink/ledger.h"

#include "base/text.h"

void
ledger_init(struct ledger *l, arena *mem)
{
    *l = (struct ledger){.mem = mem};
}

static view
code_of(const struct claim_case *c, view party)
{
    const struct case_party *p = case_party_of(c, party);
    return p && p->organisation && p->organisation->identifiers ? p->organisation->identifiers->value.v
                                                                : VIEW_NONE;
}

static view
plate_of(const struct claim_case *c, view vehicle)
{
    const struct case_vehicle *v = vehicle.n ? case_vehicle_of(c, vehicle) : NULL;
    return v ? v->plate.v : VIEW_NONE;
}

static struct repair_order *
find(const struct ledger *l, view shop, view plate_key)
{
    struct repair_order *o = l->orders;
    while (o && !(view_eq(o->shop, shop) && view_eq(o->plate_key, plate_key)))
        o = o->next;
    return o;
}

static struct repair_order *
find_or_make(struct ledger *l, view shop, view plate)
{
    view key = motor_plate_key(plate, l->mem);
    struct repair_order *o = find(l, shop, key), **end = &l->orders;
    if (o)
        return o;
    o = arena_make(l->mem, struct repair_order);
    if (!o)
        return NULL;
    *o = (struct repair_order){.shop = shop, .plate = plate, .plate_key = key};
    while (*end)
        end = &(*end)->next;
    *end = o;
    return o;
}

const struct repair_order *
ledger_order(const struct ledger *l, view shop, view plate)
{
    return find(l, shop, motor_plate_key(plate, l->mem));
}

/* -- what the papers say -- */

static err
add_expense(struct ledger *l, struct order_expense **list, const struct case_expense *e)
{
    struct order_expense *x = arena_make(l->mem, struct order_expense);
    if (!x)
        return E_TOO_LARGE;
    *x = (struct order_expense){.expense = e};
    if (e->totals)
        x->total = e->totals->payable.stated.amount.v;
    while (*list)
        list = &(*list)->next;
    *list = x;
    return E_OK;
}

/* A new version puts supplements and approvals of the one before out of force. */
static err
take_expense(struct ledger *l, struct repair_order *o, const struct case_expense *e)
{
    if (view_eq(e->kind.v, V("repair_invoice"))) {
        o->invoice = e;
        o->invoiced = e->totals ? e->totals->payable.stated.amount.v : decimal_of(0);
        return E_OK;
    }
    if (e->supplement.set) {
        if (e->version.v != o->version)
            return E_OK;
        if (e->supplement.v > o->supplement)
            o->supplement = e->supplement.v;
        return add_expense(l, &o->supplements, e);
    }
    if (e->version.v > o->version) {
        o->version = e->version.v;
        o->supplement = 0;
        o->supplements = NULL;
        o->approvals = NULL;
    }
    return add_expense(l, &o->estimates, e);
}

static err
take_approval(struct ledger *l, struct repair_order *o, const struct case_approval *a)
{
    struct order_approval *x = arena_make(l->mem, struct order_approval), **end = &o->approvals;
    if (a->version.v != o->version)
        return E_OK;
    if (!x)
        return E_TOO_LARGE;
    *x = (struct order_approval){a, a->amount.stated.amount.v, a->payable.stated.amount.v, NULL};
    while (*end)
        end = &(*end)->next;
    *end = x;
    return E_OK;
}

static err
add_sum(struct ledger *l, struct ledger_sum **list, struct ledger_sum sum)
{
    struct ledger_sum *x = arena_make(l->mem, struct ledger_sum);
    if (!x)
        return E_TOO_LARGE;
    *x = sum;
    x->next = *list;
    *list = x;
    return E_OK;
}

static err
take_recourse(struct ledger *l, const struct claim_case *facts, const struct case_recourse *r)
{
    const struct case_claim *c = facts->claims; /* a recourse's paper has one: the claim that paid */
    return add_sum(
        l, &l->asked,
        (struct ledger_sum){.insurer = code_of(facts, r->claimant.v),
                            .line = c ? c->line.v : VIEW_NONE,
                            .plate_key = motor_plate_key(plate_of(facts, c ? c->for_.v : VIEW_NONE), l->mem),
                            .against = code_of(facts, r->against.v),
                            .kind = r->kind.v,
                            .amount = r->amount.stated.amount.v});
}

static err
take_payment(struct ledger *l, const struct claim_case *facts, const struct case_claim *c,
             const struct case_payment *p)
{
    view shop = code_of(facts, p->payee.v);
    TRY(add_sum(l, &l->paid,
                (struct ledger_sum){.insurer = code_of(facts, c->recipient.v),
                                    .line = c->line.v,
                                    .plate_key = motor_plate_key(plate_of(facts, c->for_.v), l->mem),
                                    .amount = p->amount.amount.v}));
    struct repair_order *o = shop.n ? find_or_make(l, shop, plate_of(facts, c->for_.v)) : NULL;
    struct order_payment *x = arena_make(l->mem, struct order_payment), **end;
    if (!shop.n)
        return E_OK;
    if (!o || !x)
        return E_TOO_LARGE;
    *x = (struct order_payment){code_of(facts, c->recipient.v), c->line.v, p->amount.amount.v, NULL};
    for (end = &o->payments; *end;)
        end = &(*end)->next;
    *end = x;
    return E_OK;
}

static err
take_repair(struct ledger *l, const struct claim_case *facts, const struct case_repair *r)
{
    view shop = code_of(facts, r->shop.v), plate = plate_of(facts, r->vehicle.v);
    struct repair_order *o = shop.n && plate.n ? find_or_make(l, shop, plate) : NULL;
    if (!shop.n || !plate.n)
        return E_OK;
    if (!o)
        return E_TOO_LARGE;
    if (!o->order_no.n)
        o->order_no = r->order_no.v;
    o->is_delivered = o->is_delivered || r->delivered_at.set;
    for (const struct case_expense *e = facts->expenses; e; e = e->next)
        TRY(take_expense(l, o, e));
    for (const struct case_approval *a = r->approvals; a; a = a->next)
        TRY(take_approval(l, o, a));
    return E_OK;
}

err
ledger_add(struct ledger *l, const struct claim_case *facts)
{
    if (!motor_filing_of(facts).n)
        return E_OK;
    for (const struct case_repair *r = facts->repairs; r; r = r->next)
        TRY(take_repair(l, facts, r));
    for (const struct case_claim *c = facts->claims; c; c = c->next)
        for (const struct case_payment *p = c->payments; p; p = p->next)
            TRY(take_payment(l, facts, c, p));
    for (const struct case_recourse *r = facts->recourse; r; r = r->next)
        TRY(take_recourse(l, facts, r));
    return E_OK;
}

/* -- sums -- */

/* Amounts come from the check of the form (at most 12 digits), so a sum of a filing's papers does not overflow. */
static void
add_to(decimal *sum, decimal more)
{
    if (decimal_add(*sum, more, sum) != E_OK)
        *sum = decimal_of(0);
}

static decimal
sum_expenses(const struct order_expense *e)
{
    decimal sum = decimal_of(0);
    for (; e; e = e->next)
        add_to(&sum, e->total);
    return sum;
}

static const struct order_expense *
in_force(const struct repair_order *o)
{
    const struct order_expense *e = o->estimates;
    while (e && e->expense->version.v != o->version)
        e = e->next;
    return e;
}

static decimal
approved(const struct repair_order *o)
{
    decimal sum = decimal_of(0);
    for (const struct order_approval *a = o->approvals; a; a = a->next)
        add_to(&sum, a->amount);
    return sum;
}

static decimal
payable_by(const struct repair_order *o, view insurer, view line)
{
    decimal sum = decimal_of(0);
    for (const struct order_approval *a = o->approvals; a; a = a->next)
        if (view_eq(a->approval->by.v, insurer) && view_eq(a->approval->line.v, line))
            add_to(&sum, a->payable);
    return sum;
}

static decimal
paid(const struct repair_order *o)
{
    decimal sum = decimal_of(0);
    for (const struct order_payment *p = o->payments; p; p = p->next)
        add_to(&sum, p->amount);
    return sum;
}

/* -- does a paper follow? -- */

struct admission {
    const struct ledger *l;
    const struct repair_order *o; /* NULL: none yet */
    const struct motor_paper *p;
    arena *mem;
    struct issues *issues;
    struct fault *f;
};

static void
note(const struct admission *x, err code, const char *path, const char *expected)
{
    (void)issue_add(x->issues, ISSUE_WARNING, code, view_of(path), view_of(expected), V("another amount"));
}

static err
check_open(const struct admission *x)
{
    if (!x->o || !x->o->version)
        return fault_set(x->f, E_REPAIR_STAGE, "version", "an estimate of this shop for this vehicle",
                         "none");
    if (x->o->invoice && (x->p->part != PART_invoice || x->p->revision == 1))
        return fault_set(x->f, E_REPAIR_CLOSED, "part", "a repair without invoice", "one that has it");
    return E_OK;
}

static err
check_number(const struct admission *x, const char *where, int64_t stated, int64_t expected)
{
    if (stated == expected)
        return E_OK;
    const char *want = arena_cstr(x->mem, arena_printf(x->mem, "%lld", (long long)expected));
    return fault_set(x->f, E_ESTIMATE_VERSION, where, want ? want : "the present one", "another number");
}

static err
check_estimate(const struct admission *x)
{
    int64_t version = x->o ? x->o->version : 0;
    if (x->o && x->o->invoice)
        return fault_set(x->f, E_REPAIR_CLOSED, "part", "a repair without invoice", "one that has it");
    return check_number(x, "version", x->p->version, x->p->revision > 1 ? version : version + 1);
}

static err
check_supplement(const struct admission *x)
{
    TRY(check_open(x));
    TRY(check_number(x, "version", x->p->version, x->o->version));
    return check_number(x, "supplement", x->p->supplement, x->o->supplement + (x->p->revision > 1 ? 0 : 1));
}

static bool
has_line(const struct case_expense *e, view no)
{
    for (const struct case_expense_line *l = e ? e->lines : NULL; l; l = l->next)
        if (view_eq(l->no.v, no))
            return true;
    return false;
}

static err
check_approval(const struct admission *x)
{
    TRY(check_open(x));
    TRY(check_number(x, "version", x->p->version, x->o->version));
    const struct order_expense *e = in_force(x->o);
    if (x->p->supplement > 0)
        for (e = x->o->supplements; e && e->expense->supplement.v != x->p->supplement;)
            e = e->next;
    if (!e)
        return check_number(x, "supplement", x->p->supplement, x->o->supplement);
    for (size_t i = 0; i < x->p->n_line_numbers; i++)
        if (!has_line(e->expense, x->p->line_numbers[i]))
            return fault_setf(x->f, E_REPAIR_LINE, "the number of a line of this estimate", "another",
                              "lines[%zu].no", i);
    return E_OK;
}

static err
check_invoice(const struct admission *x)
{
    TRY(check_open(x));
    if (x->o->approvals && decimal_cmp(x->p->amount, approved(x->o)) > 0)
        note(x, E_INVOICE_ABOVE, "total", "at most what was approved");
    return E_OK;
}

static err
check_payment(const struct admission *x)
{
    if (!x->p->shop.n)
        return E_OK;
    if (!x->o || !x->o->invoice)
        return fault_set(x->f, E_REPAIR_STAGE, "shop", "an invoice of this shop for this vehicle", "none");
    if (decimal_cmp(x->p->amount, payable_by(x->o, x->p->author_code, x->p->line)) != 0)
        note(x, E_PAID_OTHER, "amount", "what was approved as payable");
    return E_OK;
}

static bool
is_of(const struct ledger_sum *s, const struct motor_paper *p, view plate_key)
{
    return view_eq(s->insurer, p->author_code) && view_eq(s->line, p->line) &&
           view_eq(s->plate_key, plate_key);
}

/* What is asked of all the others together stays below what was paid, as the filing's papers say it. */
static err
check_recourse(const struct admission *x)
{
    view plate = motor_plate_key(x->p->plate, x->mem);
    decimal was_paid = decimal_of(0), asked = x->p->amount;
    for (const struct ledger_sum *s = x->l->paid; s; s = s->next)
        if (is_of(s, x->p, plate))
            add_to(&was_paid, s->amount);
    for (const struct ledger_sum *s = x->l->asked; s; s = s->next)
        if (is_of(s, x->p, plate) &&
            !(view_eq(s->against, x->p->against) && view_eq(s->kind, x->p->recourse_kind)))
            add_to(&asked, s->amount);
    if (decimal_cmp(was_paid, x->p->paid) != 0)
        note(x, E_PAID_OTHER, "paid", "what the payments of this claim come to");
    if (decimal_cmp(asked, x->p->paid) > 0 && decimal_cmp(x->p->amount, x->p->paid) <= 0)
        note(x, E_RECOURSE_ABOVE, "amount", "with what is asked of others at most what was paid");
    return E_OK;
}

err
ledger_admit(const struct ledger *l, const struct motor_paper *p, struct issues *issues, struct fault *f)
{
    view shop = p->author == AUTHOR_SHOP ? p->author_code : p->shop;
    const struct repair_order *o = shop.n && p->plate.n ? ledger_order(l, shop, p->plate) : NULL;
    const struct admission x = {l, o, p, l->mem, issues, f};
    if (o && o->order_no.n && p->order_no.n && !view_eq(o->order_no, p->order_no))
        return fault_set(f, E_REPAIR_ORDER, "order_no", "the order of the first estimate", "another");
    switch (p->part) {
    case PART_estimate:
        return check_estimate(&x);
    case PART_supplement:
        return check_supplement(&x);
    case PART_approval:
        return check_approval(&x);
    case PART_invoice:
        return check_invoice(&x);
    case PART_delivery:
        return o && o->version ? E_OK : check_open(&x);
    case PART_payment:
        return check_payment(&x);
    case PART_recourse:
        return check_recourse(&x);
    default:
        return E_OK;
    }
}

/* -- how it stands -- */

/* Every paper in force was answered by some insurer. */
static bool
is_approved(const struct repair_order *o)
{
    for (int64_t s = 0; s <= o->supplement; s++) {
        const struct order_approval *a = o->approvals;
        while (a && (a->approval->supplement.set ? a->approval->supplement.v : 0) != s)
            a = a->next;
        if (!a)
            return false;
    }
    return true;
}

static decimal
payable(const struct repair_order *o)
{
    decimal sum = decimal_of(0);
    for (const struct order_approval *a = o->approvals; a; a = a->next)
        add_to(&sum, a->payable);
    return sum;
}

const char *
order_state(const struct repair_order *o)
{
    if (o->is_delivered)
        return "delivered";
    if (o->invoice)
        return o->payments && decimal_cmp(paid(o), payable(o)) >= 0 ? "paid" : "invoiced";
    if (!o->version)
        return "assigned";
    return is_approved(o) ? "approved" : "estimated";
}

static void
print_amount(struct buf *out, const char *name, decimal d)
{
    char text[24];
    view v = decimal_print(d, text);
    buf_printf(out, ",\"%s\":\"%.*s\"", name, VIEW_ARG(v));
}

static void
print_approval(const struct order_approval *a, struct buf *out)
{
    BUF_LIT(out, "{\"insurer\":");
    buf_add_json(out, a->approval->by.v);
    buf_printf(out, ",\"line\":\"%.*s\",\"version\":%lld", VIEW_ARG(a->approval->line.v),
               (long long)a->approval->version.v);
    if (a->approval->supplement.set)
        buf_printf(out, ",\"supplement\":%lld", (long long)a->approval->supplement.v);
    print_amount(out, "approved", a->amount);
    if (a->approval->deductible.amount.set)
        print_amount(out, "deductible", a->approval->deductible.amount.v);
    print_amount(out, "payable", a->payable);
    BUF_LIT(out, "}");
}

static void
print_supplements(const struct repair_order *o, struct buf *out)
{
    if (!o->supplements)
        return;
    BUF_LIT(out, ",\"supplements\":[");
    for (const struct order_expense *e = o->supplements; e; e = e->next) {
        buf_printf(out, "%s{\"supplement\":%lld", e == o->supplements ? "" : ",",
                   (long long)e->expense->supplement.v);
        print_amount(out, "total", e->total);
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
}

static void
print_payments(const struct repair_order *o, struct buf *out)
{
    if (!o->payments)
        return;
    BUF_LIT(out, ",\"payments\":[");
    for (const struct order_payment *p = o->payments; p; p = p->next) {
        buf_printf(out, "%s{\"insurer\":", p == o->payments ? "" : ",");
        buf_add_json(out, p->insurer);
        buf_printf(out, ",\"line\":\"%.*s\"", VIEW_ARG(p->line));
        print_amount(out, "amount", p->amount);
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
}

/* What the owner still owes: the invoice less what was paid to the shop. */
static void
print_invoice(const struct repair_order *o, struct buf *out)
{
    decimal open;
    if (!o->invoice)
        return;
    BUF_LIT(out, ",\"invoice\":{\"no\":");
    buf_add_json(out, o->invoice->no.v);
    print_amount(out, "total", o->invoiced);
    if (o->approvals) {
        print_amount(out, "approved", approved(o));
        buf_printf(out, ",\"agrees\":%s", decimal_cmp(o->invoiced, approved(o)) == 0 ? "true" : "false");
    }
    BUF_LIT(out, "}");
    if (decimal_sub(o->invoiced, paid(o), &open) == E_OK)
        print_amount(out, "open", open);
}

void
order_print(const struct repair_order *o, struct buf *out)
{
    const struct order_expense *e = in_force(o);
    BUF_LIT(out, "{\"shop\":");
    buf_add_json(out, o->shop);
    BUF_LIT(out, ",\"plate\":");
    buf_add_json(out, o->plate);
    if (o->order_no.n) {
        BUF_LIT(out, ",\"order_no\":");
        buf_add_json(out, o->order_no);
    }
    buf_printf(out, ",\"state\":\"%s\"", order_state(o));
    if (e) {
        decimal all = e->total;
        buf_printf(out, ",\"estimate\":{\"version\":%lld", (long long)o->version);
        print_amount(out, "total", e->total);
        BUF_LIT(out, "}");
        print_supplements(o, out);
        add_to(&all, sum_expenses(o->supplements));
        print_amount(out, "estimated", all);
    }
    if (o->approvals)
        BUF_LIT(out, ",\"approvals\":[");
    for (const struct order_approval *a = o->approvals; a; a = a->next) {
        if (a != o->approvals)
            BUF_LIT(out, ",");
        print_approval(a, out);
    }
    if (o->approvals)
        BUF_LIT(out, "]");
    print_invoice(o, out);
    print_payments(o, out);
    BUF_LIT(out, "}");
}
