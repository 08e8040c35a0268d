#include "adapters/hospital/inside.h"

static const char *const nhi_words[] = {
    "consult", "ward",       "tube_feeding", "exam",      "imaging",     "treatment",
    "surgery", "rehab",      "blood",        "dialysis",  "anaesthesia", "material",
    "drug",    "dispensing", "psychiatry",   "injection", "newborn",     "other_non_medical",
    NULL};
static const char *const policy_words[] = {
    "room_difference",          "meals",     "nursing",         "prescribed_drug", "blood",
    "registration_certificate", "ambulance", "excess_over_nhi", "surgery",         "outpatient_surgery",
    "not_covered_hint",         NULL};
static const char *const cali_words[] = {
    "first_aid", "copay", "room_difference", "registration", "certificate_fee", "meals", "limb",
    "denture",   "eye",   "device",          "transport",    "nursing",         NULL};
static const char *const payer_words[] = {"nhi", "copay", "self", "waived", "unknown", NULL};

/* -- one line -- */

/* As stated (給付標準 2); else what the policy's category says just so. */
static void
read_cali(struct chart *ch, struct case_line_category *category, const struct node *concept,
          const struct node *policy)
{
    const struct node *code = NULL;
    view word = concept_code(ch->t, concept, SYSTEM_CALI_CATEGORY, &code);
    bool same = view_eq(category->policy.v, V("room_difference")) ||
                view_eq(category->policy.v, V("meals")) || view_eq(category->policy.v, V("nursing"));
    if (list_has_word(cali_words, word))
        leaf_set_text(&category->cali, word, from_node(code, HOW_COPIED));
    else if (same && policy)
        leaf_set_text(&category->cali, category->policy.v, from_node(policy, HOW_MAPPED));
}

static void
read_category(struct chart *ch, struct case_expense_line *line, const struct node *concept)
{
    struct case_line_category *category = case_make_expense_line_category(ch->mem, line);
    const struct node *code = NULL;
    view word;
    if (!category)
        return;
    word = concept_code(ch->t, concept, SYSTEM_RECEIPT_CATEGORY, &code);
    if (list_has_word(nhi_words, word))
        leaf_set_text(&category->nhi_list, word, from_node(code, HOW_COPIED));
    word = concept_code(ch->t, concept, SYSTEM_POLICY_CATEGORY, &code);
    if (list_has_word(policy_words, word))
        leaf_set_text(&category->policy, word, from_node(code, HOW_COPIED));
    read_cali(ch, category, concept, code);
}

/* What the copay line is for compulsory insurance follows from who pays; a category that is stated stands. */
static void
read_cali_payer(struct case_expense_line *line)
{
    if (line->category && !line->category->cali.v.n && view_eq(line->payer.v, V("copay")))
        leaf_set_text(&line->category->cali, V("copay"), line->payer.src);
}

static err
add_line(struct chart *ch, struct case_expense *e, const struct node *item, const struct node *component)
{
    const struct tree *t = ch->t;
    const struct node *concept = node_member(t, item, V("chargeItemCodeableConcept")), *code = NULL,
                      *points = NULL;
    struct case_expense_line *line = case_add_expense_lines(ch->mem, e);
    if (!line)
        return E_TOO_LARGE;
    read_category(ch, line, concept);
    struct case_coded *coded = case_add_expense_line_code(ch->mem, line);
    if (coded)
        chart_coded(ch, coded, concept);
    chart_text(ch, &line->text_zh, node_member(t, concept, V("text")));
    if (!line->text_zh.v.n)
        leaf_set_text(&line->text_zh, V("-"), from_node(item, HOW_ASSERTED));
    view payer = concept_code(t, node_member(t, component, V("code")), SYSTEM_PAYER, &code);
    bool known = list_has_word(payer_words, payer);
    leaf_set_text(&line->payer, known ? payer : V("unknown"), from_node(code ? code : component, HOW_COPIED));
    read_cali_payer(line);
    if (!known)
        chart_note(ch, ISSUE_WARNING, E_CODE_UNKNOWN, component, "a payer: nhi, copay, self, waived",
                   "none or another");
    chart_money(ch, &line->amount, node_member(t, component, V("amount")));
    decimal d;
    if (extension_url_value(t, component, EXT_NHI_POINTS, &points).n &&
        decimal_parse(node_text(t, points), &d) == E_OK)
        leaf_set_decimal(&line->points, d, from_node(points, HOW_COPIED));
    const struct node *factor = node_member(t, component, V("factor"));
    if (factor && decimal_parse(node_text(t, factor), &d) == E_OK)
        leaf_set_decimal(&line->qty.value, d, from_node(factor, HOW_COPIED));
    return E_OK;
}

/* -- totals -- */

static struct case_stated_money *
total_of(struct case_totals *t, view word)
{
    if (view_eq(word, V("copay")))
        return &t->copay;
    if (view_eq(word, V("self_pay")))
        return &t->self_pay;
    if (view_eq(word, V("gross")))
        return &t->gross;
    if (view_eq(word, V("discount")))
        return &t->discount;
    if (view_eq(word, V("deposit")))
        return &t->deposit;
    if (view_eq(word, V("refund")))
        return &t->refund;
    if (view_eq(word, V("payable")))
        return &t->payable;
    return view_eq(word, V("paid")) ? &t->paid : NULL;
}

static void
read_totals(struct chart *ch, struct case_totals *totals, const struct node *invoice)
{
    const struct tree *t = ch->t;
    for (NODE_EACH(component, t, node_member(t, invoice, V("totalPriceComponent")))) {
        const struct node *points = NULL;
        decimal d;
        view word = concept_code(t, node_member(t, component, V("code")), SYSTEM_RECEIPT_TOTAL, NULL);
        if (extension_url_value(t, component, EXT_NHI_POINTS, &points).n &&
            decimal_parse(node_text(t, points), &d) == E_OK)
            leaf_set_decimal(&totals->nhi_points.stated, d, from_node(points, HOW_COPIED));
        struct case_stated_money *m = total_of(totals, word);
        if (m)
            chart_money(ch, &m->stated, node_member(t, component, V("amount")));
    }
    if (!totals->payable.stated.amount.set)
        chart_money(ch, &totals->payable.stated, node_member(t, invoice, V("totalNet")));
    if (!totals->gross.stated.amount.set)
        chart_money(ch, &totals->gross.stated, node_member(t, invoice, V("totalGross")));
}

/* Adds *d into *sum; what cannot be held is left out of the sum, which then does not agree and is told so. */
static void
sum_add(decimal *sum, decimal d)
{
    decimal out;
    if (decimal_add(*sum, d, &out) == E_OK)
        *sum = out;
}

static void
compare(struct chart *ch, struct case_stated_money *m, decimal computed, const struct node *place,
        const char *what)
{
    struct source src = from_node(place, HOW_COMPUTED);
    case_set_money(&m->recomputed, computed, V("TWD"), src);
    if (!m->stated.amount.set)
        return;
    bool agrees = decimal_cmp(m->stated.amount.v, computed) == 0;
    leaf_set_bool(&m->agrees, agrees, src);
    if (!agrees)
        chart_note(ch, ISSUE_WARNING, E_SUM, place, what, "another sum");
}

err
expense_recompute(struct chart *ch, struct case_expense *e, const struct node *place)
{
    decimal copay = {0}, self = {0}, points = {0}, payable, gross;
    bool any = false, any_points = false;
    for (const struct case_expense_line *l = e->lines; l; l = l->next) {
        if (l->points.set && view_eq(l->payer.v, V("nhi"))) {
            sum_add(&points, l->points.v);
            any_points = true;
        }
        if (!l->amount.amount.set)
            continue;
        any = true;
        if (view_eq(l->payer.v, V("copay")))
            sum_add(&copay, l->amount.amount.v);
        else if (view_eq(l->payer.v, V("self")))
            sum_add(&self, l->amount.amount.v);
    }
    struct case_totals *t = e->totals;
    if (any_points) {
        leaf_set_decimal(&t->nhi_points.recomputed, points, from_node(place, HOW_COMPUTED));
        if (t->nhi_points.stated.set)
            leaf_set_bool(&t->nhi_points.agrees, decimal_cmp(t->nhi_points.stated.v, points) == 0,
                          from_node(place, HOW_COMPUTED));
    }
    if (!any)
        return E_OK;
    gross = copay;
    sum_add(&gross, self);
    payable = gross;
    if (t->discount.stated.amount.set && decimal_sub(gross, t->discount.stated.amount.v, &payable) != E_OK)
        payable = gross;
    compare(ch, &t->copay, copay, place, "copay = sum of its lines");
    compare(ch, &t->self_pay, self, place, "self pay = sum of its lines");
    compare(ch, &t->gross, gross, place, "gross = copay + self pay");
    compare(ch, &t->payable, payable, place, "payable = copay + self pay - discount");
    return E_OK;
}

/* -- an invoice -- */

static const char *
expense_status(const struct tree *t, const struct node *invoice, const struct case_totals *totals)
{
    view status = node_text_at(t, invoice, "status");
    if (view_eq(status, V("draft")))
        return "provisional";
    if (view_eq(status, V("cancelled")) || view_eq(status, V("entered-in-error")))
        return "voided";
    return totals->refund.stated.amount.set && totals->refund.stated.amount.v.units > 0 ? "partly_refunded"
                                                                                        : "issued";
}

static err
new_expense(struct chart *ch, const struct node *place, struct case_expense **ret)
{
    struct case_expense *e = case_add_expenses(ch->mem, ch->c);
    struct case_covers *covers = e ? case_make_expense_covers(ch->mem, e) : NULL;
    struct case_original *original = e ? case_make_expense_original(ch->mem, e) : NULL;
    struct case_totals *totals = e ? case_make_expense_totals(ch->mem, e) : NULL;
    if (!covers || !original || !totals)
        return E_TOO_LARGE;
    chart_ref(ch, &e->issuer, ch->facility, place);
    chart_ref(ch, &e->patient, ch->patient, place);
    chart_word(&original->form, "e_original", place);
    for (const struct case_encounter *enc = ch->c->encounters; enc; enc = enc->next) {
        struct case_item *item = case_add_covers_encounters(ch->mem, covers);
        if (item)
            chart_ref(ch, &item->text, enc->id, place);
    }
    *ret = e;
    return E_OK;
}

static err
read_invoice(struct chart *ch, const struct node *invoice)
{
    const struct tree *t = ch->t;
    struct case_expense *e;
    TRY(new_expense(ch, invoice, &e));
    const struct node *number = node_at(t, invoice, "identifier[0].value");
    chart_text(ch, &e->no, number);
    if (number)
        chart_add_ref(ch, REF_RECEIPT_NO, node_text(t, number));
    chart_date(ch, &e->issued, node_member(t, invoice, V("date")));
    chart_text(ch, &e->reason, node_member(t, invoice, V("cancelledReason")));
    for (NODE_EACH(item, t, node_member(t, invoice, V("lineItem"))))
        for (NODE_EACH(component, t, node_member(t, item, V("priceComponent"))))
            TRY(add_line(ch, e, item, component));
    read_totals(ch, e->totals, invoice);
    const char *status = expense_status(t, invoice, e->totals);
    chart_word(&e->status, status, node_member(t, invoice, V("status")));
    chart_word(&e->kind, strcmp(status, "provisional") == 0 ? "medical_bill_provisional" : "medical_receipt",
               invoice);
    return expense_recompute(ch, e, invoice);
}

err
chart_invoices(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("Invoice")))
            TRY(read_invoice(ch, ch->b->entries[i].resource));
    return ch->failed ? E_TOO_LARGE : E_OK;
}

/* -- iClaim: a Claim stands for the receipt (SCHEMA 3.7) -- */

static const char *
iclaim_payer(const struct tree *t, const struct node *item)
{
    for (NODE_EACH(modifier, t, node_member(t, item, V("modifier")))) {
        view code = node_text_at(t, modifier, "coding[0].code");
        if (view_eq(code, V("pay")))
            return "self";
        if (view_eq(code, V("PUBLICPOL")))
            return "nhi";
    }
    return "unknown";
}

static err
add_iclaim_line(struct chart *ch, struct case_expense *e, const struct node *item)
{
    const struct tree *t = ch->t;
    const struct node *concept = node_member(t, item, V("productOrService"));
    struct case_expense_line *line = case_add_expense_lines(ch->mem, e);
    if (!line || !case_make_expense_line_category(ch->mem, line))
        return E_TOO_LARGE;
    struct case_coded *coded = case_add_expense_line_code(ch->mem, line);
    if (coded)
        chart_coded(ch, coded, concept);
    const struct node *text = node_member(t, concept, V("text"));
    if (!text)
        text = node_at(t, concept, "coding[0].display");
    chart_text(ch, &line->text_zh, text);
    if (!line->text_zh.v.n)
        leaf_set_text(&line->text_zh, V("-"), from_node(item, HOW_ASSERTED));
    const char *payer = iclaim_payer(t, item);
    chart_word(&line->payer, payer, item);
    chart_date(ch, &line->date, node_member(t, item, V("servicedDate")));
    const struct node *net = node_member(t, item, V("net"));
    decimal d;
    /* NHI figures may be points: the unit is unknown and they are never added to money (DOMAIN D6). */
    if (strcmp(payer, "self") == 0)
        chart_money(ch, &line->amount, net);
    else if (net && decimal_parse(node_text_at(t, net, "value"), &d) == E_OK)
        chart_note(ch, ISSUE_INFO, E_UNIT_UNKNOWN, net, "points or a currency", "neither");
    return E_OK;
}

static err
read_iclaim(struct chart *ch, const struct node *claim)
{
    const struct tree *t = ch->t;
    struct case_expense *e;
    TRY(new_expense(ch, claim, &e));
    const struct node *number = node_at(t, claim, "identifier[0].value");
    chart_text(ch, &e->no, number);
    if (!e->no.v.n)
        leaf_set_text(&e->no, V("-"), from_node(claim, HOW_ASSERTED));
    chart_date(ch, &e->issued, node_member(t, claim, V("created")));
    chart_word(&e->status, "issued", claim);
    chart_word(&e->kind, "medical_receipt", claim);
    for (NODE_EACH(item, t, node_member(t, claim, V("item"))))
        TRY(add_iclaim_line(ch, e, item));
    /* One published example counts only the self-paid part in total: rule iclaim-total-1, a finding, nothing corrected. */
    const struct node *total = node_member(t, claim, V("total"));
    if (total)
        chart_money(ch, &e->totals->self_pay.stated, total);
    TRY(expense_recompute(ch, e, claim));
    chart_note(ch, ISSUE_INFO, E_ICLAIM_FORM, claim, "an Invoice as receipt", "a Claim");
    return E_OK;
}

err
chart_iclaim_claim(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("Claim")))
            TRY(read_iclaim(ch, ch->b->entries[i].resource));
    return ch->failed ? E_TOO_LARGE : E_OK;
}
