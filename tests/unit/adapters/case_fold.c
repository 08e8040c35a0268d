#include "case_kit.h"

#include "adapters/case_graph.h"

#include "adapters/case_fold.h"

#define CEILING (64u << 20)

/* -- makers -- */

static struct source
said(void)
{
    static uint32_t at;
    return source_of(++at, 4, HOW_COPIED);
}

static void
put(struct leaf_text *leaf, const char *text)
{
    leaf_set_text(leaf, view_of(text), said());
}

static void
refer(arena *mem, struct leaf_text *leaf, view id)
{
    cr_assert(case_ref(mem, leaf, id, said()));
}

static struct case_party *
add_person(arena *mem, struct claim_case *c, const char *name, const char *type, const char *system,
           const char *number)
{
    struct case_party *p = case_add_parties(mem, c);
    put(&p->kind, "person");
    struct case_person *person = case_make_party_person(mem, p);
    put(&case_add_person_names(mem, person)->text, name);
    if (!number)
        return p;
    struct case_identifier *i = case_add_person_identifiers(mem, person);
    put(&i->type, type);
    put(&i->value, number);
    if (system)
        put(&i->system, system);
    return p;
}

static struct case_party *
add_hospital(arena *mem, struct claim_case *c, const char *code)
{
    struct case_party *p = case_add_parties(mem, c);
    put(&p->kind, "organisation");
    struct case_organisation *o = case_make_party_organisation(mem, p);
    put(&o->name, "測試醫院");
    put(&o->kind, "hospital");
    struct case_organisation_identifier *i = case_add_organisation_identifiers(mem, o);
    put(&i->type, "hospital_code");
    put(&i->value, code);
    return p;
}

static void
add_document(arena *mem, struct claim_case *frame, const char *id, const char *kind, const char *at,
             const char *replaces)
{
    struct case_document *d = case_add_documents(mem, frame);
    struct source s = source_gateway(HOW_ASSERTED);
    leaf_set_text(&d->document_id, view_of(id), s);
    leaf_set_text(&d->kind, view_of(kind), s);
    leaf_set_text(&d->sender, V("h1"), s);
    cr_assert_eq(leaf_parse_time(&d->received_at, view_of(at), s), E_OK);
    struct case_verdict *v = case_add_verdicts(mem, frame);
    leaf_set_text(&v->level, arena_printf(mem, "level of %s", id), s);
    refer(mem, &v->document, d->id);
    refer(mem, &d->verdict, v->id);
    for (struct case_document *other = frame->documents; replaces && other; other = other->next)
        if (view_eq(other->document_id.v, view_of(replaces)))
            refer(mem, &d->replaces, other->id);
}

/* A certificate: patient by national number, hospital, stay, diagnosis. */
static struct claim_case *
certificate(arena *mem, const char *text_zh, const char *birth)
{
    struct claim_case *c = case_new(mem);
    struct case_party *p = add_person(mem, c, "林測試", "NNTWN", NULL, "A123456789");
    struct case_party *h = add_hospital(mem, c, "0100000001");
    leaf_set_date(&p->person->birth_date, (date){1988, 3, 4, DATE_DAY, CALENDAR_AD}, VIEW_NONE, said());
    if (birth)
        cr_assert_eq(date_parse(view_of(birth), &p->person->birth_date.v), E_OK);
    struct case_encounter *e = case_add_encounters(mem, c);
    refer(mem, &e->patient, p->id);
    refer(mem, &e->facility, h->id);
    put(&e->visit_no, "E1");
    put(&e->class, "IMP");
    struct case_diagnosis *d = case_add_diagnoses(mem, c);
    refer(mem, &d->encounter, e->id);
    put(&d->text_zh, text_zh);
    struct case_certificate *cert = case_add_certificates(mem, c);
    refer(mem, &cert->document, V("d1"));
    refer(mem, &cert->patient, p->id);
    put(&cert->kind, "diagnosis_b");
    put(&cert->no, "C1");
    struct case_role *r = case_add_roles(mem, c);
    put(&r->role, "patient");
    refer(mem, &r->party, p->id);
    refer(mem, &r->of, e->id);
    return c;
}

/* A receipt with two equal lines; the same patient under the hospital's own number too. */
static struct claim_case *
receipt(arena *mem, const char *amount)
{
    struct claim_case *c = case_new(mem);
    struct case_party *h = add_hospital(mem, c, "0100000001");
    struct case_party *p = add_person(mem, c, "林測試", "NNTWN", NULL, "A123456789");
    struct case_identifier *mr = case_add_person_identifiers(mem, p->person);
    put(&mr->type, "MR");
    put(&mr->system, "urn:h1");
    put(&mr->value, "7788");
    struct case_encounter *e = case_add_encounters(mem, c);
    refer(mem, &e->patient, p->id);
    refer(mem, &e->facility, h->id);
    put(&e->visit_no, "E1");
    put(&e->nhi_identity, "yes");
    struct case_expense *x = case_add_expenses(mem, c);
    put(&x->kind, "medical_receipt");
    put(&x->no, "R1");
    refer(mem, &x->issuer, h->id);
    refer(mem, &x->patient, p->id);
    decimal n;
    cr_assert_eq(decimal_parse(view_of(amount), &n), E_OK);
    case_set_money(&case_make_expense_totals(mem, x)->payable.stated, n, VIEW_NONE, said());
    for (int i = 0; i < 2; i++) {
        struct case_expense_line *l = case_add_expense_lines(mem, x);
        put(&l->text_zh, "點滴");
        put(&l->payer, "self");
        case_set_money(&l->amount, decimal_of(100), VIEW_NONE, said());
    }
    struct case_finding *f = case_add_findings(mem, c);
    put(&f->code, "sum-differs");
    put(&f->severity, "info");
    leaf_set_text(&f->pointer, case_pointer(c, x->lines->next->id, V("amount/amount"), mem), said());
    return c;
}

static struct claim_case *
police(arena *mem)
{
    struct claim_case *c = case_new(mem);
    struct case_party *p = add_person(mem, c, "林測試", "NNTWN", NULL, "A123456789");
    leaf_set_date(&p->person->birth_date, (date){1988, 4, 3, DATE_DAY, CALENDAR_AD}, VIEW_NONE, said());
    struct case_vehicle *v = case_add_vehicles(mem, c);
    put(&v->plate, "tst-0001");
    refer(mem, &v->owner, p->id);
    struct case_accident *a = case_make_accident(mem, c);
    put(&a->class, "A2");
    struct case_accident_party *ap = case_add_accident_parties(mem, a);
    leaf_set_int(&ap->seq, 1, said());
    refer(mem, &ap->party, p->id);
    refer(mem, &ap->vehicle, v->id);
    return c;
}

struct world {
    arena *mem;
    struct claim_case *facts[4];
};

static const struct {
    const char *id, *kind, *at;
} papers[] = {
    {"doc-a", "certificate", "2026-06-05T10:00:00+08:00"},
    {"doc-b", "receipt", "2026-06-05T03:00:00Z"},
    {"doc-c", "accident-part", "2026-06-04T10:00:00+08:00"},
    {"doc-d", "certificate", "2026-06-07T10:00:00+08:00"},
};

static struct claim_case *
fold(arena *mem, struct claim_case *frame, const struct case_part *parts, size_t n)
{
    struct claim_case *c = NULL;
    struct fault f;
    fault_init(&f);
    err e = case_fold(frame, parts, n, mem, &c, &f);
    cr_assert_eq(e, E_OK, "%s: %s", err_info(e)->name, f.expected);
    return c;
}

/* The papers in the order of the digits of turn. */
static struct claim_case *
fold_in_order(arena *mem, const size_t order[4])
{
    struct claim_case *facts[4] = {certificate(mem, "急性闌尾炎", NULL), receipt(mem, "200"), police(mem),
                                   certificate(mem, "急性闌尾炎", NULL)};
    facts[3]->certificates->no.v = V("C2");
    struct claim_case *frame = case_new(mem);
    struct case_part parts[4];
    for (size_t i = 0; i < 4; i++) {
        size_t k = order[i];
        add_document(mem, frame, papers[k].id, papers[k].kind, papers[k].at, NULL);
        parts[i] = (struct case_part){facts[k], view_of(papers[k].id), V("p1")};
    }
    /* The receipt lists the hospital first. */
    for (size_t i = 0; i < 4; i++)
        if (parts[i].facts == facts[1])
            parts[i].subject = V("p2");
    return fold(mem, frame, parts, 4);
}

Test(case_fold, order_of_arrival_does_not_matter)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    view first = VIEW_NONE;
    size_t seen = 0;
    for (size_t n = 0; n < 256; n++) {
        size_t order[4] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3}, mask = 0;
        for (size_t i = 0; i < 4; i++)
            mask |= (size_t)1 << order[i];
        if (mask != 15)
            continue;
        view text = kit_encode(fold_in_order(mem, order), false, mem);
        if (!first.p)
            first = text;
        cr_assert(view_eq(first, text), "%.*s\n%.*s", VIEW_ARG(first), VIEW_ARG(text));
        seen++;
    }
    cr_assert_eq(seen, 24);
}

Test(case_fold, the_same_person_and_stay_meet)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = fold_in_order(mem, (const size_t[4]){0, 1, 2, 3});
    cr_assert_eq(c->parties_n, 2);
    cr_assert_eq(c->encounters_n, 1);
    cr_assert_eq(c->parties->person->identifiers_n, 2);
    cr_assert_eq(c->parties->person->names_n, 1);
    cr_assert(view_eq(c->encounters->nhi_identity.v, V("yes")));
    cr_assert(view_eq(c->encounters->class.v, V("IMP")));
    cr_assert_eq(c->diagnoses_n, 1);
    cr_assert_eq(c->certificates_n, 2);
    cr_assert_eq(c->roles_n, 1);
    cr_assert_eq(c->expenses->lines_n, 2, "two equal lines of one receipt are two lines");
}

Test(case_fold, references_and_sources_lead_to_the_right_place)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = fold_in_order(mem, (const size_t[4]){3, 2, 1, 0});
    /* By time of receipt: c, a, b, d. */
    cr_assert(view_eq(c->documents->document_id.v, V("doc-c")));
    cr_assert(view_eq(c->certificates->no.v, V("C1")));
    cr_assert(view_eq(c->certificates->document.v, V("#d2")));
    cr_assert(view_eq(c->certificates->next->document.v, V("#d4")));
    cr_assert_eq(c->certificates->no.src.document, 1);
    cr_assert_eq(c->expenses->no.src.document, 2);
    cr_assert(view_eq(c->expenses->patient.v, V("#p1")));
    cr_assert(view_eq(case_party_of(c, c->expenses->issuer.v)->kind.v, V("organisation")));
    cr_assert(view_eq(c->documents->next->verdict.v, V("#vd2")));
    cr_assert(view_eq(c->verdicts->next->level.v, V("level of doc-a")));
    for (struct case_document *d = c->documents; d; d = d->next)
        cr_assert(view_eq(d->subject.v, V("#p1")));
    struct case_place at;
    cr_assert(case_place_of_pointer(c, c->findings->pointer.v, &at));
    cr_assert_eq(at.leaf, &c->expenses->lines->next->amount.amount);
}

Test(case_fold, different_values_are_all_kept)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = fold_in_order(mem, (const size_t[4]){0, 1, 2, 3});
    cr_assert_eq(c->conflicts_n, 1);
    const struct case_conflict *x = c->conflicts;
    cr_assert(view_eq(x->pointer.v, V("/parties/p1/person/birth_date")), "%.*s", VIEW_ARG(x->pointer.v));
    cr_assert_eq(x->values_n, 2);
    cr_assert(view_eq(x->values->value.v, V("1988-04-03")));
    cr_assert(view_eq(x->values->source.v, V("#d1")));
    cr_assert(view_eq(x->values->next->value.v, V("1988-03-04")));
    cr_assert(view_eq(x->values->next->source.v, V("#d2")));
    cr_assert(view_eq(x->shown.v, V("1988-04-03")));
    cr_assert_eq(c->parties->person->birth_date.v.month, 4);
}

/* An inquest names the minute of a death, a household extract the day. */
Test(case_fold, a_day_and_a_moment_of_it_do_not_conflict)
{
    static const struct {
        const char *first, *second;
        size_t conflicts;
    } rows[] = {{"2026-11-20T23:30:00+08:00", "2026-11-20", 0},
                {"2026-11-20", "2026-11-20T00:10:00+08:00", 0},
                {"2026-11-20T23:30:00+08:00", "2026-11-21", 1},
                {"2026-11-20", "2026-11-21", 1},
                {"2026-11-20T23:30:00+08:00", "2026-11-20T23:31:00+08:00", 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        struct claim_case *frame = case_new(mem), *a = case_new(mem), *b = case_new(mem);
        struct case_party *p = add_person(mem, a, "王", "NNTWN", NULL, "A190130001"),
                          *q = add_person(mem, b, "王", "NNTWN", NULL, "A190130001");
        cr_assert_eq(leaf_parse_time(&p->person->deceased_at, view_of(rows[i].first), said()), E_OK);
        cr_assert_eq(leaf_parse_time(&q->person->deceased_at, view_of(rows[i].second), said()), E_OK);
        add_document(mem, frame, "doc-a", "inquest", "2026-11-22T10:00:00+08:00", NULL);
        add_document(mem, frame, "doc-b", "household-extract", "2026-11-23T10:00:00+08:00", NULL);
        struct case_part parts[] = {{a, V("doc-a"), VIEW_NONE}, {b, V("doc-b"), VIEW_NONE}};
        struct claim_case *c = fold(mem, frame, parts, 2);
        cr_assert_eq(c->conflicts_n, rows[i].conflicts, "%s %s", rows[i].first, rows[i].second);
    }
}

Test(case_fold, a_value_conflicts_as_a_whole)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *frame = case_new(mem);
    add_document(mem, frame, "doc-a", "receipt", "2026-06-05T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-b", "receipt", "2026-06-06T10:00:00+08:00", NULL);
    struct case_part parts[] = {{receipt(mem, "200"), V("doc-a"), V("p2")},
                                {receipt(mem, "210"), V("doc-b"), V("p2")}};
    struct claim_case *c = fold(mem, frame, parts, 2);
    cr_assert_eq(c->expenses_n, 1);
    cr_assert_eq(c->expenses->lines_n, 2, "lines of two papers meet one to one");
    cr_assert_eq(c->conflicts_n, 1);
    cr_assert(view_eq(c->conflicts->pointer.v, V("/expenses/exp1/totals/payable")), "%.*s",
              VIEW_ARG(c->conflicts->pointer.v));
    cr_assert(view_eq(c->conflicts->values->next->value.v,
                      V("{\"stated\":{\"amount\":\"210\",\"currency\":\"TWD\"}}")),
              "%.*s", VIEW_ARG(c->conflicts->values->next->value.v));
    cr_assert_eq(c->expenses->totals->payable.stated.amount.v.units, 200);
}

Test(case_fold, a_replaced_paper_says_nothing)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *frame = case_new(mem);
    add_document(mem, frame, "doc-a", "receipt", "2026-06-05T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-b", "receipt", "2026-06-06T10:00:00+08:00", "doc-a");
    struct case_part parts[] = {{receipt(mem, "200"), V("doc-a"), V("p2")},
                                {receipt(mem, "210"), V("doc-b"), V("p2")}};
    struct claim_case *c = fold(mem, frame, parts, 2);
    cr_assert_eq(c->conflicts_n, 0);
    cr_assert_eq(c->expenses_n, 1);
    cr_assert_eq(c->expenses->totals->payable.stated.amount.v.units, 210);
    cr_assert(view_eq(c->documents->next->replaces.v, V("#d1")));
}

Test(case_fold, a_withdrawn_paper_says_nothing)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *frame = case_new(mem);
    add_document(mem, frame, "doc-a", "receipt", "2026-06-05T10:00:00+08:00", NULL);
    leaf_set_time(&frame->documents->withdrawn, instant_of_unix(1780000000), 480,
                  source_gateway(HOW_ASSERTED));
    struct case_part parts[] = {{receipt(mem, "200"), V("doc-a"), V("p2")}};
    struct claim_case *c = fold(mem, frame, parts, 1);
    cr_assert_eq(c->expenses_n, 0);
    cr_assert_eq(c->parties_n, 0);
    cr_assert_eq(c->documents_n, 1);
}

/* A third paper shows that two persons are one, whichever comes first. */
Test(case_fold, a_bridge_joins_two_persons)
{
    for (int bridge_first = 0; bridge_first < 2; bridge_first++) {
        arena *mem AUTO(arena_free) = arena_new(CEILING);
        struct claim_case *a = case_new(mem), *b = case_new(mem), *bridge = case_new(mem),
                          *frame = case_new(mem);
        add_person(mem, a, "NGUYEN VAN TEST", "PPN", NULL, "B1234567");
        add_person(mem, b, "阮文測", "PRC", NULL, "A800000014");
        struct case_party *p = add_person(mem, bridge, "阮文測", "PRC", NULL, "A800000014");
        struct case_identifier *i = case_add_person_identifiers(mem, p->person);
        put(&i->type, "PPN");
        put(&i->value, "B1234567");
        add_document(mem, frame, "doc-a", "certificate", "2026-06-02T10:00:00+08:00", NULL);
        add_document(mem, frame, "doc-b", "certificate", "2026-06-03T10:00:00+08:00", NULL);
        add_document(mem, frame, "doc-x", "other",
                     bridge_first ? "2026-06-01T10:00:00+08:00" : "2026-06-09T10:00:00+08:00", NULL);
        struct case_part parts[] = {
            {a, V("doc-a"), V("p1")}, {b, V("doc-b"), V("p1")}, {bridge, V("doc-x"), V("p1")}};
        struct claim_case *c = fold(mem, frame, parts, 3);
        cr_assert_eq(c->parties_n, 1);
        cr_assert_eq(c->parties->person->names_n, 2);
        cr_assert_eq(c->parties->person->identifiers_n, 2);
    }
}

Test(case_fold, record_numbers_meet_only_in_their_system)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *a = case_new(mem), *b = case_new(mem), *d = case_new(mem), *frame = case_new(mem);
    add_person(mem, a, "甲", "MR", "urn:h1", "1");
    add_person(mem, b, "乙", "MR", "urn:h2", "1");
    add_person(mem, d, "丙", NULL, NULL, NULL);
    add_document(mem, frame, "doc-a", "certificate", "2026-06-02T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-b", "certificate", "2026-06-03T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-d", "certificate", "2026-06-04T10:00:00+08:00", NULL);
    struct case_part parts[] = {{a, V("doc-a"), V("p1")}, {b, V("doc-b"), V("p1")}, {d, V("doc-d"), V("p1")}};
    cr_assert_eq(fold(mem, frame, parts, 3)->parties_n, 3);
}

Test(case_fold, plates_meet_however_written)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *a = police(mem), *b = police(mem), *frame = case_new(mem);
    b->vehicles->plate.v = V("TST0001");
    put(&b->vehicles->make, "測試車廠");
    add_document(mem, frame, "doc-a", "accident-part", "2026-06-02T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-b", "accident-part", "2026-06-03T10:00:00+08:00", NULL);
    struct case_part parts[] = {{a, V("doc-a"), VIEW_NONE}, {b, V("doc-b"), VIEW_NONE}};
    struct claim_case *c = fold(mem, frame, parts, 2);
    cr_assert_eq(c->vehicles_n, 1);
    cr_assert(view_eq(c->vehicles->make.v, V("測試車廠")));
    cr_assert_eq(c->accident->parties_n, 1);
    cr_assert(view_eq(c->accident->parties->vehicle.v, V("#v1")));
}

/* Members that refer forwards, and the case of a full table folded as one paper. */
Test(case_fold, folding_one_paper_changes_nothing)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *facts = kit_case(mem, 2);
    struct kit k = {.mem = mem, .c = facts};
    kit_link(&k);
    facts->documents = NULL;
    facts->verdicts = NULL;
    facts->conflicts = NULL;
    facts->meta->links = NULL;
    struct claim_case *frame = case_new(mem);
    add_document(mem, frame, "doc-a", "other", "2026-06-02T10:00:00+08:00", NULL);
    struct case_part parts[] = {{facts, V("doc-a"), VIEW_NONE}};
    struct claim_case *c = fold(mem, frame, parts, 1);
    c->documents = NULL;
    c->verdicts = NULL;
    view before = kit_encode(facts, false, mem), after = kit_encode(c, false, mem);
    /* Only references to documents and verdicts, which had no target, are gone. */
    cr_assert_gt(after.n, before.n * 8 / 10);
    struct claim_case *again = fold(mem, frame, parts, 1);
    again->documents = NULL;
    again->verdicts = NULL;
    cr_assert(view_eq(after, kit_encode(again, false, mem)));
    cr_assert(view_eq(c->care->expense.v, V("#exp1")));
    cr_assert(view_eq(c->care->next->expense.v, V("#exp2")));
    cr_assert(view_eq(c->accident->opinions->next->findings->party.v, V("#p2")));
}

Test(case_fold, a_paper_without_its_row_is_refused)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct case_part parts[] = {{receipt(mem, "200"), V("doc-z"), V("p2")}};
    struct claim_case *c = NULL;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(case_fold(case_new(mem), parts, 1, mem, &c, &f), E_NOT_FOUND);
    cr_assert_null(c);
}

Test(case_fold, a_full_arena_is_told)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING), *tight AUTO(arena_free) = arena_new(20000);
    struct claim_case *frame = case_new(mem), *c = NULL;
    add_document(mem, frame, "doc-a", "receipt", "2026-06-05T10:00:00+08:00", NULL);
    struct case_part parts[] = {{kit_case(mem, 2), V("doc-a"), V("p2")}};
    struct fault f;
    fault_init(&f);
    cr_assert_eq(case_fold(frame, parts, 1, tight, &c, &f), E_TOO_LARGE);
}

/* -- projections of folded cases -- */

static void
add_claim(arena *mem, struct claim_case *frame)
{
    struct case_party *insurer = case_add_parties(mem, frame), *person;
    put(&insurer->kind, "organisation");
    struct case_organisation *o = case_make_party_organisation(mem, insurer);
    put(&o->kind, "insurer");
    put(&o->name, "測試人壽");
    struct case_organisation_identifier *i = case_add_organisation_identifiers(mem, o);
    put(&i->type, "ubn");
    put(&i->value, "12345675");
    person = add_person(mem, frame, "林測試", "NNTWN", NULL, "A123456789");
    struct case_claim *claim = case_add_claims(mem, frame);
    refer(mem, &claim->recipient, insurer->id);
    refer(mem, &claim->claimant, person->id);
    refer(mem, &claim->for_, person->id);
    put(&claim->line, "health");
    put(&claim->state, "permitted");
    put(&case_add_claim_benefits(mem, claim)->kind, "reimbursement_inpatient");
}

static view
projected(arena *mem, struct claim_case *frame, const struct case_part *parts, size_t n, view kind)
{
    struct claim_case *c = fold(mem, frame, parts, n);
    view kinds[] = {kind};
    struct view_request r = {.view = VIEW_reimbursement_insurer,
                             .claim = V("cl1"),
                             .document_kinds = kinds,
                             .n_document_kinds = 1};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 20);
    struct fault f;
    fault_init(&f);
    cr_assert_eq(view_project(c, &r, mem, &out, &f), E_OK);
    return arena_dup(mem, buf_view(&out));
}

/* The receipt came first and says the patient's name and stay too; whoever may see only the certificate
 * cannot tell that it is there. */
Test(case_fold, a_withheld_paper_leaves_no_trace)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *with = case_new(mem), *without = case_new(mem), *richer = case_new(mem);
    struct claim_case *frames[] = {with, without, richer};
    for (size_t i = 0; i < 3; i++) {
        add_claim(mem, frames[i]);
        add_document(mem, frames[i], "doc-a", "certificate", "2026-06-05T10:00:00+08:00", NULL);
        if (i != 1)
            add_document(mem, frames[i], "doc-b", "receipt", "2026-06-01T10:00:00+08:00", NULL);
    }
    struct claim_case *cert = certificate(mem, "急性闌尾炎", NULL), *paid = receipt(mem, "200"),
                      *more = receipt(mem, "99");
    leaf_set_date(&more->parties->next->person->birth_date, (date){1999, 1, 1, DATE_DAY, CALENDAR_AD},
                  VIEW_NONE, said());
    put(&case_add_diagnoses(mem, more)->text_zh, "另一診斷");
    struct case_part a = {cert, V("doc-a"), V("p1")};
    struct case_part both[] = {a, {paid, V("doc-b"), V("p2")}}, other[] = {{more, V("doc-b"), V("p2")}, a};
    view x = projected(mem, with, both, 2, V("certificate"));
    view y = projected(mem, without, both, 1, V("certificate"));
    view z = projected(mem, richer, other, 2, V("certificate"));
    cr_assert(view_eq(x, y), "%.*s\n%.*s", VIEW_ARG(x), VIEW_ARG(y));
    cr_assert(view_eq(x, z), "%.*s\n%.*s", VIEW_ARG(x), VIEW_ARG(z));
    cr_assert_lt(view_find(x, V("急性闌尾炎")), x.n);
    cr_assert_eq(view_find(x, V("expenses")), x.n);
    view r = projected(mem, with, both, 2, V("receipt"));
    cr_assert_lt(view_find(r, V("expenses")), r.n);
    cr_assert_eq(view_find(r, V("急性闌尾炎")), r.n);
}

/* A certificate about another person is not part of what is folded for this one. */
Test(case_fold, papers_of_another_person_stay_out)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *frame = case_new(mem), *other = certificate(mem, "他人之診斷", NULL);
    add_claim(mem, frame);
    add_document(mem, frame, "doc-a", "certificate", "2026-06-05T10:00:00+08:00", NULL);
    add_document(mem, frame, "doc-b", "certificate", "2026-06-04T10:00:00+08:00", NULL);
    other->parties->person->identifiers->value.v = V("B223456781");
    struct case_part parts[] = {{certificate(mem, "急性闌尾炎", NULL), V("doc-a"), V("p1")},
                                {other, V("doc-b"), V("p1")}};
    view x = projected(mem, frame, parts, 2, V("certificate"));
    cr_assert_lt(view_find(x, V("急性闌尾炎")), x.n);
    cr_assert_eq(view_find(x, V("他人之診斷")), x.n);
    cr_assert_eq(view_find(x, V("\"d2\"")), x.n);
}
