/* The shop's estimate versions, supplements, invoice and delivery; the insurers' approvals of them. */
#include "adapters/claimlink/inside.h"

/* One repair of a shop and the paper's vehicle. */
static err
make_repair(struct work *w, const struct node *code, struct case_repair **ret)
{
    struct case_repair *r = case_add_repairs(w->mem, w->c);
    view shop;
    if (!r)
        return E_TOO_LARGE;
    TRY(work_organisation(w, code, "repair_shop", &shop));
    work_ref(w, &r->shop, shop, code);
    work_ref(w, &r->vehicle, w->vehicle->id, code);
    work_text(w, &r->order_no, work_member(w, w->root, "order_no"));
    *ret = r;
    return E_OK;
}

/* -- lines -- */

static bool
needs_extra(const struct work *w, const struct node *n)
{
    static const char *const members[] = {"part_no", "part_type", "labour_h", "paint", "depreciation"};
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (work_member(w, n, members[i]))
            return true;
    return false;
}

static err
read_extra(struct work *w, struct case_repair *r, const struct case_expense_line *line, const struct node *n)
{
    struct case_line_extra *x = needs_extra(w, n) ? case_add_repair_lines_extra(w->mem, r) : NULL;
    if (!needs_extra(w, n))
        return E_OK;
    if (!x)
        return E_TOO_LARGE;
    work_ref(w, &x->line, line->id, n);
    work_text(w, &x->part_no, work_member(w, n, "part_no"));
    work_text(w, &x->part_type, work_member(w, n, "part_type"));
    work_decimal(w, &x->labour_h, work_member(w, n, "labour_h"));
    work_money(w, &x->paint, work_member(w, n, "paint"));
    work_money(w, &x->depreciation, work_member(w, n, "depreciation"));
    return E_OK;
}

/* A quantity times a price beside the line's amount: a difference is noted, the amount stands. */
static void
check_product(struct work *w, const struct node *n)
{
    decimal qty = decimal_of(1), price, amount, product;
    const struct node *stated = work_member(w, n, "amount");
    (void)work_amount(w, work_member(w, n, "qty"), &qty);
    if (!work_amount(w, work_member(w, n, "unit_price"), &price) || !work_amount(w, stated, &amount))
        return;
    if (decimal_mul(qty, price, &product) == E_OK && decimal_cmp(product, amount) != 0)
        work_issue(w, ISSUE_WARNING, E_SUM, stated, "quantity times price", "another amount");
}

static void
add_number(struct work *w, const struct node *n, view *numbers, size_t *count)
{
    const struct node *no = work_member(w, n, "no");
    for (size_t i = 0; i < *count; i++)
        if (view_eq(numbers[i], node_text(w->t, no)))
            work_issue(w, ISSUE_ERROR, E_REPAIR_LINE, no, "each line once", "a number that stands twice");
    numbers[(*count)++] = node_text(w->t, no);
}

static err
read_line(struct work *w, struct case_expense *e, struct case_repair *r, const struct node *n, decimal *sum)
{
    struct case_expense_line *line = case_add_expense_lines(w->mem, e);
    const struct node *qty = work_member(w, n, "qty");
    decimal amount;
    if (!line)
        return E_TOO_LARGE;
    work_text(w, &line->no, work_member(w, n, "no"));
    work_text(w, &line->text_zh, work_member(w, n, "text"));
    work_decimal(w, &line->qty.value, qty);
    work_money(w, &line->unit_price, work_member(w, n, "unit_price"));
    work_money(w, &line->amount, work_member(w, n, "amount"));
    work_word(&line->payer, "unknown", n);
    check_product(w, n);
    if (work_amount(w, work_member(w, n, "amount"), &amount) && decimal_add(*sum, amount, sum) != E_OK)
        work_issue(w, ISSUE_ERROR, E_OUT_OF_RANGE, n, "amounts that can be added", "more");
    return read_extra(w, r, line, n);
}

static err
read_lines(struct work *w, struct case_expense *e, struct case_repair *r, decimal *ret_sum)
{
    const struct node *list = work_member(w, w->root, "lines");
    view *numbers = arena_make_array(w->mem, node_count(list) + 1, view);
    size_t n = 0;
    *ret_sum = decimal_of(0);
    if (!numbers)
        return E_TOO_LARGE;
    for (NODE_EACH(line, w->t, list)) {
        add_number(w, line, numbers, &n);
        TRY(read_line(w, e, r, line, ret_sum));
    }
    w->paper->line_numbers = numbers;
    w->paper->n_line_numbers = n;
    return E_OK;
}

/* -- estimate, supplement, invoice -- */

static view
expense_no(const struct work *w)
{
    const struct motor_paper *p = w->paper;
    if (p->part == PART_invoice)
        return work_value(w, w->root, "no");
    return p->part == PART_supplement
               ? arena_printf(w->mem, "%.*s/%lld.%lld", VIEW_ARG(p->order_no), (long long)p->version,
                              (long long)p->supplement)
               : arena_printf(w->mem, "%.*s/%lld", VIEW_ARG(p->order_no), (long long)p->version);
}

static err
expense_head(struct work *w, struct case_expense *e, const struct case_repair *r)
{
    struct case_covers *covers = case_make_expense_covers(w->mem, e);
    struct case_original *original = case_make_expense_original(w->mem, e);
    view no = expense_no(w);
    if (!covers || !original || !no.p)
        return E_TOO_LARGE;
    e->issuer = r->shop;
    work_word(&e->kind, w->paper->part == PART_invoice ? "repair_invoice" : "repair_estimate", w->root);
    leaf_set_text(&e->no, no, source_of_node(work_member(w, w->root, "order_no"), HOW_COMPUTED));
    work_count(w, &e->version, work_member(w, w->root, "version"));
    work_count(w, &e->supplement, work_member(w, w->root, "supplement"));
    work_word(&e->status, w->paper->part == PART_invoice ? "issued" : "provisional", w->root);
    work_text(w, &e->reason, work_member(w, w->root, "reason"));
    work_word(&original->form, "e_original", w->root);
    work_ref(w, &covers->vehicle, w->vehicle->id, w->root);
    const struct node *written = work_member(w, w->root, "written");
    instant at;
    if (instant_parse(node_text(w->t, written), &at, NULL) == E_OK)
        leaf_set_date(&e->issued, date_of_instant(at, 480), VIEW_NONE, source_of_node(written, HOW_COMPUTED));
    return E_OK;
}

static err
read_expense(struct work *w, struct case_repair *r, struct case_expense **ret)
{
    struct case_expense *e = case_add_expenses(w->mem, w->c);
    struct case_totals *totals = e ? case_make_expense_totals(w->mem, e) : NULL;
    const struct node *tax = work_member(w, w->root, "tax");
    decimal sum, more;
    if (!totals)
        return E_TOO_LARGE;
    TRY(expense_head(w, e, r));
    TRY(read_lines(w, e, r, &sum));
    case_set_money(&totals->gross.recomputed, sum, VIEW_NONE,
                   source_of_node(work_member(w, w->root, "lines"), HOW_COMPUTED));
    if (work_amount(w, tax, &more)) {
        work_money(w, &totals->tax.stated, tax);
        TRY(decimal_add(sum, more, &sum));
    }
    work_stated(w, &totals->payable, work_member(w, w->root, "total"), sum);
    (void)work_amount(w, work_member(w, w->root, "total"), &w->paper->amount);
    *ret = e;
    return E_OK;
}

static err
link_expense(struct work *w, struct case_repair *r, const struct case_expense *e)
{
    if (w->paper->part == PART_invoice) {
        work_ref(w, &r->invoice, e->id, w->root);
        return E_OK;
    }
    if (w->paper->part == PART_estimate) {
        struct case_item *item = case_add_repair_estimates(w->mem, r);
        if (!item)
            return E_TOO_LARGE;
        work_ref(w, &item->text, e->id, w->root);
        return E_OK;
    }
    struct case_supplement *s = case_add_repair_supplements(w->mem, r);
    if (!s)
        return E_TOO_LARGE;
    work_text(w, &s->reason, work_member(w, w->root, "reason"));
    work_ref(w, &s->expense, e->id, w->root);
    return E_OK;
}

err
work_repair(struct work *w)
{
    struct case_repair *r;
    struct case_expense *e;
    TRY(make_repair(w, work_member(w, work_member(w, w->root, "author"), "code"), &r));
    if (w->paper->part == PART_delivery) {
        work_time(w, &r->delivered_at, work_member(w, w->root, "delivered_at"));
        return E_OK;
    }
    TRY(work_damage(w));
    TRY(read_expense(w, r, &e));
    return link_expense(w, r, e);
}

/* -- approvals -- */

static err
read_approved(struct work *w, struct case_approval *a, decimal *ret_sum)
{
    const struct node *list = work_member(w, w->root, "lines");
    view *numbers = arena_make_array(w->mem, node_count(list) + 1, view);
    size_t count = 0;
    *ret_sum = decimal_of(0);
    if (!numbers)
        return E_TOO_LARGE;
    for (NODE_EACH(n, w->t, list)) {
        struct case_approval_line *line = case_add_approval_lines(w->mem, a);
        decimal amount = decimal_of(0);
        if (!line)
            return E_TOO_LARGE;
        add_number(w, n, numbers, &count);
        work_text(w, &line->no, work_member(w, n, "no"));
        work_money(w, &line->amount, work_member(w, n, "amount"));
        work_text(w, &line->reason, work_member(w, n, "reason"));
        (void)work_amount(w, work_member(w, n, "amount"), &amount);
        TRY(decimal_add(*ret_sum, amount, ret_sum));
    }
    w->paper->line_numbers = numbers;
    w->paper->n_line_numbers = count;
    return E_OK;
}

err
work_approval(struct work *w)
{
    const struct node *code = work_member(w, work_member(w, w->root, "author"), "code");
    const struct node *deductible = work_member(w, w->root, "deductible");
    struct case_repair *r;
    struct case_approval *a;
    decimal sum, less = decimal_of(0), total;
    view insurer;
    TRY(make_repair(w, work_member(w, w->root, "shop"), &r));
    a = case_add_repair_approvals(w->mem, r);
    if (!a)
        return E_TOO_LARGE;
    TRY(work_organisation(w, code, "insurer", &insurer));
    work_ref(w, &a->insurer, insurer, code);
    work_text(w, &a->line, work_member(w, w->root, "line"));
    work_count(w, &a->version, work_member(w, w->root, "version"));
    work_count(w, &a->supplement, work_member(w, w->root, "supplement"));
    TRY(read_approved(w, a, &sum));
    work_stated(w, &a->amount, work_member(w, w->root, "total"), sum);
    work_money(w, &a->deductible, deductible);
    (void)work_amount(w, deductible, &less);
    total = sum;
    (void)work_amount(w, work_member(w, w->root, "total"), &total);
    TRY(decimal_sub(total, less, &total));
    work_stated(w, &a->payable, work_member(w, w->root, "payable"),
                decimal_cmp(total, decimal_of(0)) < 0 ? decimal_of(0) : total);
    work_bool(&a->direct_pay, work_member(w, w->root, "direct_pay"));
    work_text(w, &a->by, code);
    work_time(w, &a->at, work_member(w, w->root, "written"));
    (void)work_amount(w, work_member(w, w->root, "payable"), &w->paper->amount);
    return E_OK;
}
