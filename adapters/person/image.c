#include "adapters/person/image.h"

#include "base/text.h"

#define LINES_MAX 50

struct showing {
    const struct tree *t;
    arena *mem;
    struct fault *f;
    struct image_paper *ret;
    struct claim_case *c;
    view patient; /* local id */
};

static const char *const image_kinds[] = {"receipt", "scene", "vehicle", "injury", "other", NULL};
static const char *const receipt_kinds[] = {"transport", "nursing", "device", "funeral", "other", NULL};
/* Categories that a compulsory insurer counts and that somebody other than a hospital may bill. */
static const char *const categories[] = {"first_aid", "transport", "nursing", "device",
                                         "limb",      "denture",   "eye",     NULL};

static err
bad(struct showing *s, const char *where, const char *expected)
{
    return fault_set(s->f, E_SCHEMA, where, expected, "another form");
}

static bool
has_word(const char *const *words, view word)
{
    while (*words && !view_eq(word, view_of(*words)))
        words++;
    return *words != NULL;
}

static err
only(struct showing *s, const struct node *n, const char *const *names, const char *where)
{
    if (!n || n->kind != NODE_OBJECT)
        return bad(s, where, "an object");
    for (NODE_EACH(child, s->t, n))
        if (!has_word(names, node_name(s->t, child)))
            return bad(s, where, "members that the form knows");
    return E_OK;
}

static const struct node *
member(const struct showing *s, const struct node *n, const char *name)
{
    return n ? node_member(s->t, n, view_of(name)) : NULL;
}

static void
set_text(const struct showing *s, struct leaf_text *leaf, const struct node *n)
{
    view v = n ? node_text(s->t, n) : VIEW_NONE;
    if (v.n)
        leaf_set_text(leaf, v, source_of_node(n, HOW_ASSERTED));
}

static void
set_word(struct leaf_text *leaf, const char *word, const struct node *n)
{
    leaf_set_text(leaf, view_of(word), source_of_node(n, HOW_ASSERTED));
}

static bool
refer(const struct showing *s, struct leaf_text *leaf, view id, const struct node *n)
{
    return case_ref(s->mem, leaf, id, source_of_node(n, HOW_ASSERTED));
}

/* Whole NT$. */
static err
read_amount(struct showing *s, const struct node *n, const char *where, decimal *ret)
{
    if (!n || decimal_parse(node_text(s->t, n), ret) != E_OK || !decimal_is_whole(*ret) || ret->units < 0)
        return bad(s, where, "a whole amount of NT$");
    return E_OK;
}

/* -- whom it is for -- */

static err
read_identifier(struct showing *s, struct case_person *person, const struct node *n)
{
    static const char *const names[] = {"system", "value", NULL};
    TRY(only(s, n, names, "/person/identifiers"));
    view key = person_key_text(node_text_at(s->t, n, "system"), node_text_at(s->t, n, "value"), s->mem);
    struct case_identifier *id = case_add_person_identifiers(s->mem, person);
    struct person_key *k = key.p ? arena_make(s->mem, struct person_key) : NULL;
    if (!id)
        return E_TOO_LARGE;
    set_text(s, &id->system, member(s, n, "system"));
    set_word(&id->type,
             view_starts(key, V("moi|"))   ? "NNTWN"
             : view_starts(key, V("nia|")) ? "PRC"
                                           : "PPN",
             n);
    set_text(s, &id->value, member(s, n, "value"));
    if (k) {
        *k = (struct person_key){.text = key, .is_subject = true, .next = s->ret->person};
        s->ret->person = k;
    }
    return E_OK;
}

static err
read_person(struct showing *s, const struct node *n)
{
    static const char *const names[] = {"identifiers", "name", "birth_date", NULL};
    TRY(only(s, n, names, "/person"));
    struct case_party *party = case_add_parties(s->mem, s->c);
    struct case_person *person = party ? case_make_party_person(s->mem, party) : NULL;
    struct case_role *role = person ? case_add_roles(s->mem, s->c) : NULL;
    if (!role)
        return E_TOO_LARGE;
    s->patient = party->id;
    set_word(&party->kind, "person", n);
    for (NODE_EACH(id, s->t, member(s, n, "identifiers")))
        TRY(read_identifier(s, person, id));
    if (!s->ret->person)
        return bad(s, "/person/identifiers", "a national, residence or passport number");
    set_word(&role->role, "patient", n);
    return refer(s, &role->party, party->id, n) ? E_OK : E_TOO_LARGE;
}

/* -- what it says, where it is a receipt -- */

static err
read_line(struct showing *s, struct case_expense *e, const struct node *n, decimal *sum)
{
    static const char *const names[] = {"text", "category", "units", "amount", NULL};
    TRY(only(s, n, names, "/receipt/lines"));
    struct case_expense_line *l = case_add_expense_lines(s->mem, e);
    struct case_line_category *category = l ? case_make_expense_line_category(s->mem, l) : NULL;
    const struct node *word = member(s, n, "category"), *units = member(s, n, "units");
    decimal amount, count;
    if (!category)
        return E_TOO_LARGE;
    set_text(s, &l->text_zh, member(s, n, "text"));
    if (!l->text_zh.v.n)
        return bad(s, "/receipt/lines/text", "what the line is for");
    if (word && !has_word(categories, node_text(s->t, word)))
        return bad(s, "/receipt/lines/category", "a category of the list");
    set_text(s, &category->cali, word);
    if (units && (decimal_parse(node_text(s->t, units), &count) != E_OK || count.units < 1))
        return bad(s, "/receipt/lines/units", "days, journeys or pieces, from 1");
    if (units)
        leaf_set_decimal(&l->qty.value, count, source_of_node(units, HOW_ASSERTED));
    set_word(&l->payer, "self", n);
    TRY(read_amount(s, member(s, n, "amount"), "/receipt/lines/amount", &amount));
    case_set_money(&l->amount, amount, V("TWD"), source_of_node(member(s, n, "amount"), HOW_ASSERTED));
    return decimal_add(*sum, amount, sum) == E_OK ? E_OK : bad(s, "/receipt/lines/amount", "less");
}

static err
read_totals(struct showing *s, struct case_expense *e, const struct node *receipt, decimal sum)
{
    struct case_totals *totals = case_make_expense_totals(s->mem, e);
    const struct node *total = member(s, receipt, "total");
    decimal stated = sum;
    if (!totals)
        return E_TOO_LARGE;
    if (total)
        TRY(read_amount(s, total, "/receipt/total", &stated));
    struct source src = source_of_node(total ? total : receipt, total ? HOW_ASSERTED : HOW_COMPUTED);
    if (total)
        case_set_money(&totals->payable.stated, stated, V("TWD"), src);
    case_set_money(&totals->payable.recomputed, sum, V("TWD"), source_of_node(receipt, HOW_COMPUTED));
    if (total)
        leaf_set_bool(&totals->payable.agrees, decimal_cmp(stated, sum) == 0,
                      source_of_node(total, HOW_COMPUTED));
    return E_OK;
}

static err
read_lines(struct showing *s, struct case_expense *e, const struct node *receipt)
{
    decimal sum = {0};
    size_t n = 0;
    for (NODE_EACH(line, s->t, member(s, receipt, "lines"))) {
        if (++n > LINES_MAX)
            return bad(s, "/receipt/lines", "at most 50 lines");
        TRY(read_line(s, e, line, &sum));
    }
    return n ? read_totals(s, e, receipt, sum) : bad(s, "/receipt/lines", "at least one line");
}

static err
read_receipt(struct showing *s, const struct node *receipt)
{
    static const char *const names[] = {"kind", "no", "issued", "lines", "total", NULL};
    const struct node *kind = member(s, receipt, "kind"), *issued = member(s, receipt, "issued");
    date day;
    TRY(only(s, receipt, names, "/receipt"));
    struct case_expense *e = case_add_expenses(s->mem, s->c);
    struct case_original *original = e ? case_make_expense_original(s->mem, e) : NULL;
    if (!original || !case_make_expense_covers(s->mem, e))
        return E_TOO_LARGE;
    if (!kind || !has_word(receipt_kinds, node_text(s->t, kind)))
        return bad(s, "/receipt/kind", "transport, nursing, device, funeral or other");
    if (!issued || date_parse(node_text(s->t, issued), &day) != E_OK)
        return bad(s, "/receipt/issued", "YYYY-MM-DD");
    set_text(s, &e->kind, kind);
    set_word(&e->evidence, "asserted", receipt);
    set_text(s, &e->no, member(s, receipt, "no"));
    leaf_set_date(&e->issued, day, VIEW_NONE, source_of_node(issued, HOW_ASSERTED));
    set_word(&e->status, "issued", receipt);
    set_word(&original->form, "image", receipt);
    if (!refer(s, &e->patient, s->patient, receipt) || !refer(s, &s->ret->image->expense, e->id, receipt))
        return E_TOO_LARGE;
    return read_lines(s, e, receipt);
}

static err
read_image(struct showing *s, const struct node *root)
{
    const struct node *kind = member(s, root, "kind"), *receipt = member(s, root, "receipt");
    struct case_image *i = case_add_images(s->mem, s->c);
    if (!i)
        return E_TOO_LARGE;
    s->ret->image = i;
    if (!kind || !has_word(image_kinds, node_text(s->t, kind)))
        return bad(s, "/kind", "receipt, scene, vehicle, injury or other");
    bool is_receipt = view_eq(node_text(s->t, kind), V("receipt"));
    if (is_receipt != (receipt != NULL))
        return bad(s, "/receipt", "what the receipt says, where the picture shows one");
    leaf_set_text(&i->document, CASE_OWN_DOCUMENT, source_of_node(root, HOW_COMPUTED));
    set_text(s, &i->kind, kind);
    set_word(&i->evidence, "asserted", root);
    if (!refer(s, &i->patient, s->patient, root))
        return E_TOO_LARGE;
    return is_receipt ? read_receipt(s, receipt) : E_OK;
}

err
image_read(const struct tree *t, arena *mem, struct image_paper *ret, struct fault *f)
{
    static const char *const names[] = {"case", "person", "kind", "sha256", "receipt", NULL};
    struct image_paper paper = {.facts = case_new(mem)};
    struct showing s = {.t = t, .mem = mem, .f = f, .ret = &paper, .c = paper.facts};
    const struct node *root = tree_root(t);
    if (!paper.facts)
        return E_TOO_LARGE;
    TRY(only(&s, root, names, ""));
    paper.in_case = node_text_at(t, root, "case");
    paper.sha256 = node_text_at(t, root, "sha256");
    if (paper.sha256.n != 64)
        return bad(&s, "/sha256", "the SHA-256 of the picture in lower-case hex");
    TRY(read_person(&s, member(&s, root, "person")));
    TRY(read_image(&s, root));
    *ret = paper;
    return E_OK;
}
