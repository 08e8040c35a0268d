/* Rules about the form of the case: 1 to 4, 21 to 24. */
#include "adapters/invariants_kit.h"

#include "adapters/case_graph.h"

#include "base/text.h"

static void
settle(struct check *k, err e)
{
    if (e != E_OK && k->failed == E_OK)
        k->failed = e;
}

/* -- 1: references -- */

struct reference_check {
    struct check *k;
    struct graph_source ids;
    struct graph_map sections; /* element → the field of the case that holds it */
};

static err
note_section(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct reference_check *r = (struct reference_check *)self;
    if (case_row_of(record)->form != FORM_ELEMENT)
        return E_OK;
    void *section = (void *)(uintptr_t)at->steps[0].field;
    return map_put(r->k->mem, &r->sections, record_at, section) ? E_OK : E_TOO_LARGE;
}

static bool
in_targets(const char *targets, const struct case_field *section)
{
    view rest = view_of(targets);
    bool more = true;
    while (more) {
        view word = view_cut(&rest, '|', &more);
        if (view_eq(word, V("*")) || view_eq(word, case_field_name(section)))
            return true;
    }
    return false;
}

static err
check_reference(void *self, const struct case_place *at)
{
    struct reference_check *r = (struct reference_check *)self;
    if (at->field->kind != FIELD_REF && at->field->kind != FIELD_REFS)
        return E_OK;
    view reference = ((const struct leaf_text *)at->leaf)->v;
    /* In the facts of one document "#d1" is that document itself. */
    if (!r->k->c->documents && view_eq(reference, CASE_OWN_DOCUMENT))
        return E_OK;
    bool form = reference.n > 1 && reference.p[0] == '#';
    const void *element = form ? graph_source_element(&r->ids, reference) : NULL;
    const struct case_field *section =
        element ? (const struct case_field *)map_get(&r->sections, element) : NULL;
    if (!section || !in_targets(at->field->targets, section))
        found(r->k, case_place_pointer(at, r->k->mem), view_of(at->field->targets),
              section ? case_field_name(section) : V("nothing"));
    return r->k->failed;
}

void
invariant_1(struct check *k)
{
    struct reference_check r = {.k = k};
    err e = graph_source_init(&r.ids, k->c, k->mem);
    struct case_visitor note = {.enter = note_section, .self = &r},
                        look = {.leaf = check_reference, .self = &r};
    if (e == E_OK)
        e = case_walk(k->c, &note);
    if (e == E_OK)
        e = case_walk(k->c, &look);
    settle(k, e);
}

/* -- 2: sources -- */

static bool
is_fact_section(const struct case_field *f)
{
    static const char *const facts[] = {"parties",
                                        "roles",
                                        "event",
                                        "encounters",
                                        "diagnoses",
                                        "procedures",
                                        "certificates",
                                        "reports",
                                        "cancer",
                                        "disability",
                                        "death",
                                        "care",
                                        "expenses",
                                        "accident",
                                        "vehicles",
                                        "repairs",
                                        "third_party_property",
                                        "settlements",
                                        "coverages"};
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        if (view_eq(case_field_name(f), view_of(facts[i])))
            return true;
    return false;
}

static err
check_source(void *self, const struct case_place *at)
{
    struct check *k = (struct check *)self;
    if (at->src->how == HOW_NONE && is_fact_section(at->steps[0].field))
        found(k, case_place_pointer(at, k->mem), V("a source"), V("none"));
    return k->failed;
}

void
invariant_2(struct check *k)
{
    struct case_visitor v = {.leaf = check_source, .self = k};
    settle(k, case_walk(k->c, &v));
}

/* -- 3: annotation -- */

bool
invariant_field_annotated(const struct case_field *f, enum case_form owner)
{
    bool holds = f->kind == FIELD_ONE || f->kind == FIELD_LIST;
    if (owner == FORM_VALUE || holds)
        return true; /* the row that embeds the value, the rows inside the record */
    return f->class != CLASS_inherit && f->class < CLASS_COUNT && f->group != GROUP_inherit &&
           f->group < GROUP_COUNT;
}

void
invariant_3(struct check *k)
{
    for (unsigned r = 0; r < RECORD_COUNT; r++) {
        const struct case_row *row = case_row_of((enum case_record)r);
        for (unsigned i = 0; i < row->n; i++)
            if (!invariant_field_annotated(&row->fields[i], row->form))
                found(k, V(""), V("class and group"), case_field_name(&row->fields[i]));
    }
}

/* -- 4: amounts -- */

struct amount_check {
    struct check *k;
    const struct case_expense *expense; /* the one that is walked */
    view currency;
};

static err
check_amount(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct amount_check *a = (struct amount_check *)self;
    struct check *k = a->k;
    if (record == RECORD_expense) {
        a->expense = (const struct case_expense *)record_at;
        a->currency = VIEW_NONE;
    }
    const struct case_money *m = (const struct case_money *)record_at;
    if (record != RECORD_money || !m->amount.set)
        return E_OK;
    if (m->amount.v.scale > 4)
        found(k, case_place_pointer(at, k->mem), V("at most 4 decimals"), amount_text(k, m->amount.v));
    if (at->steps[0].record != RECORD_expense || !a->expense)
        return k->failed;
    if (!a->currency.n)
        a->currency = m->currency.v;
    else if (!view_eq(a->currency, m->currency.v))
        found(k, case_place_pointer(at, k->mem), a->currency, m->currency.v);
    bool whole = decimal_is_whole(m->amount.v) || !leaf_is(&m->currency, "TWD");
    if (leaf_is(&a->expense->kind, "medical_receipt") && !whole)
        found(k, case_place_pointer(at, k->mem), V("whole NT$"), amount_text(k, m->amount.v));
    return k->failed;
}

void
invariant_4(struct check *k)
{
    struct amount_check a = {.k = k};
    struct case_visitor v = {.enter = check_amount, .self = &a};
    settle(k, case_walk(k->c, &v));
}

/* -- 21: classes of accidents -- */

static void
check_seq(struct check *k, const struct case_accident *a)
{
    for (const struct case_accident_party *p = a->parties; p; p = p->next)
        for (const struct case_accident_party *q = p->next; q; q = q->next)
            if (p->seq.set && q->seq.set && p->seq.v == q->seq.v)
                found_at(k, q->id, "seq", V("one party for each number"), V("two"));
}

static int64_t
count_of(const struct leaf_int *leaf)
{
    return leaf->set ? leaf->v : 0;
}

void
invariant_21(struct check *k)
{
    const struct case_accident *a = k->c->accident;
    if (!a)
        return;
    check_seq(k, a);
    if (!a->casualties || !a->class.v.n)
        return;
    int64_t at_once = count_of(&a->casualties->dead_24h);
    int64_t hurt = at_once + count_of(&a->casualties->dead_30d) + count_of(&a->casualties->injured);
    const char *fits = at_once >= 1 ? "A1" : hurt >= 1 ? "A2" : "A3";
    if (!leaf_is(&a->class, fits))
        found(k, V("/accident/class"), view_of(fits), a->class.v);
}

/* -- 22: opinions -- */

static int
level_of(const struct case_opinion *o)
{
    static const char *const levels[] = {"preliminary", "appraisal", "reappraisal", "court"};
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        if (leaf_is(&o->level, levels[i]))
            return (int)i;
    return -1;
}

static const struct case_opinion *
opinion_named(const struct case_accident *a, const struct leaf_text *reference)
{
    for (const struct case_opinion *o = a->opinions; o; o = o->next)
        if (refers_to(reference, o->id))
            return o;
    return NULL;
}

/* A lower opinion stays in the case; it may only say that a higher one supersedes it. */
void
invariant_22(struct check *k)
{
    const struct case_accident *a = k->c->accident;
    for (const struct case_opinion *o = a ? a->opinions : NULL; o; o = o->next) {
        if (!o->superseded_by.v.n)
            continue;
        const struct case_opinion *by = opinion_named(a, &o->superseded_by);
        if (!by || level_of(by) <= level_of(o))
            found_at(k, o->id, "superseded_by", V("an opinion of a higher level"),
                     by ? by->level.v : V("none"));
    }
}

/* -- 23: Chinese -- */

static err
check_chinese(void *self, const struct case_place *at)
{
    struct check *k = (struct check *)self;
    if (view_eq(case_field_name(at->field), V("text_zh")) &&
        !text_has_han(((const struct leaf_text *)at->leaf)->v))
        found(k, case_place_pointer(at, k->mem), V("Chinese characters"), V("none"));
    return k->failed;
}

void
invariant_23(struct check *k)
{
    struct case_visitor v = {.leaf = check_chinese, .self = k};
    settle(k, case_walk(k->c, &v));
}

/* -- 24: documents -- */

/* A case that the gateway folds says "sealed" for every digest (THREATS S24); there the store's own keys hold this rule. */
#define HEX_OF_SHA256 64

void
invariant_24(struct check *k)
{
    for (const struct case_document *d = k->c->documents; d; d = d->next)
        for (const struct case_document *e = d->next; e; e = e->next)
            if (d->sha256.v.n == HEX_OF_SHA256 && view_eq(d->sha256.v, e->sha256.v))
                found_at(k, e->id, "sha256", V("one document, two receptions"), V("two documents"));
}
