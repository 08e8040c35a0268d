/* Rules between sources: each with a case that breaks it, one that does not, and who may know. */
#include "adapters/rules/consistency.h"

#include "adapters/case_codec.h"
#include "adapters/case_fold.h"
#include "adapters/case_graph.h"
#include "adapters/case_walk.h"
#include "adapters/view.h"

#include <criterion/criterion.h>

#define CEILING (32u << 20)

static struct source
at(uint32_t from)
{
    return (struct source){.from = from, .length = 7, .document = 0, .how = HOW_COPIED};
}

static void
set_time(struct leaf_time *leaf, const char *text)
{
    instant t;
    cr_assert_eq(instant_parse(view_of(text), &t, NULL), E_OK);
    leaf_set_time(leaf, t, 480, at(40));
}

static void
set_code(struct case_police_code *c, const char *code, uint32_t from)
{
    leaf_set_text(&c->code, view_of(code), at(from));
    leaf_set_bool(&c->resolved, true, at(from));
}

/* What the tests change. */
struct story {
    const char *injury, *main_injury, *alcohol, *licence, *sex; /* of the police form */
    int64_t age;
    const char *diagnosis, *admitted, *left, *alcohol_level, *pathology;
    const char *billed_from, *billed_to;
    int64_t ward_days;
};
static const struct story agrees = {.injury = "2",
                                    .main_injury = "8",
                                    .alcohol = "1",
                                    .licence = "1",
                                    .sex = "male",
                                    .age = 37,
                                    .diagnosis = "S82.101A",
                                    .admitted = "2026-01-10T10:00:00+08:00",
                                    .left = "2026-01-14T10:00:00+08:00",
                                    .alcohol_level = "0",
                                    .pathology = NULL,
                                    .billed_from = "2026-01-10T00:00:00+08:00",
                                    .billed_to = "2026-01-14T00:00:00+08:00",
                                    .ward_days = 5};

static struct case_party *
add_person(arena *mem, struct claim_case *c)
{
    struct case_party *p = case_add_parties(mem, c);
    struct case_person *who = case_make_party_person(mem, p);
    struct case_identifier *id = case_add_person_identifiers(mem, who);
    leaf_set_text(&p->kind, V("person"), at(1));
    leaf_set_text(&id->system, V("http://www.moi.gov.tw"), at(1));
    leaf_set_text(&id->type, V("NNTWN"), at(1));
    leaf_set_text(&id->value, V("A190130001"), at(1));
    leaf_set_text(&who->sex, V("male"), at(2));
    leaf_set_date(&who->birth_date, (date){1988, 5, 12, DATE_DAY, CALENDAR_AD}, VIEW_NONE, at(3));
    return p;
}

static struct claim_case *
police(arena *mem, const struct story *s)
{
    struct claim_case *c = case_new(mem);
    struct case_party *who = add_person(mem, c);
    struct case_accident *a = case_make_accident(mem, c);
    struct case_accident_party *line = case_add_accident_parties(mem, a);
    set_time(&a->occurred, "2026-01-10T08:30:00+08:00");
    leaf_set_int(&line->seq, 1, at(10));
    cr_assert(case_ref(mem, &line->party, who->id, at(10)));
    set_code(&line->injury_degree, s->injury, 11);
    set_code(&line->main_injury, s->main_injury, 12);
    set_code(&case_make_accident_party_alcohol(mem, line)->code, s->alcohol, 13);
    set_code(&case_make_accident_party_licence(mem, line)->status, s->licence, 14);
    leaf_set_text(&line->sex, view_of(s->sex), at(15));
    leaf_set_int(&line->age, s->age, at(16));
    return c;
}

static struct case_encounter *
add_stay(arena *mem, struct claim_case *c, const struct story *s, view patient)
{
    struct case_encounter *e = case_add_encounters(mem, c);
    cr_assert(case_ref(mem, &e->patient, patient, at(20)));
    leaf_set_text(&e->visit_no, V("V1"), at(20));
    set_time(&e->period.start, s->admitted);
    set_time(&e->period.end, s->left);
    return e;
}

static struct claim_case *
hospital(arena *mem, const struct story *s)
{
    struct claim_case *c = case_new(mem);
    struct case_party *who = add_person(mem, c);
    struct case_encounter *e = add_stay(mem, c, s, who->id);
    struct case_diagnosis *d = case_add_diagnoses(mem, c);
    struct case_coding *code = case_add_diagnosis_codings(mem, d);
    cr_assert(case_ref(mem, &d->encounter, e->id, at(21)));
    leaf_set_text(&d->text_zh, V("診斷"), at(21));
    leaf_set_text(&code->code, view_of(s->diagnosis), at(22));
    struct case_expense *x = case_add_expenses(mem, c);
    struct case_covers *covers = case_make_expense_covers(mem, x);
    leaf_set_text(&x->no, V("R1"), at(30));
    cr_assert(case_ref(mem, &case_add_covers_encounters(mem, covers)->text, e->id, at(30)));
    set_time(&covers->period.start, s->billed_from);
    set_time(&covers->period.end, s->billed_to);
    struct case_expense_line *l = case_add_expense_lines(mem, x);
    leaf_set_text(&case_make_expense_line_category(mem, l)->nhi_list, V("ward"), at(31));
    leaf_set_decimal(&l->qty.value, (decimal){s->ward_days, 0}, at(32));
    leaf_set_text(&l->qty.unit, V("d"), at(32));
    return c;
}

static struct claim_case *
laboratory(arena *mem, const struct story *s)
{
    struct claim_case *c = case_new(mem);
    struct case_party *who = add_person(mem, c);
    struct case_report *r = case_add_reports(mem, c);
    struct case_result *x = case_add_report_results(mem, r);
    cr_assert(case_ref(mem, &r->patient, who->id, at(50)));
    leaf_set_text(&r->kind, s->pathology ? V("pathology") : V("lab"), at(50));
    leaf_set_text(&case_add_coded_codings(mem, &x->code)->code, V("5640-8"), at(51));
    leaf_set_text(&x->value, view_of(s->alcohol_level), at(52));
    if (s->pathology)
        leaf_set_text(&case_add_report_codings(mem, r)->code, view_of(s->pathology), at(53));
    return c;
}

static void
add_document(arena *mem, struct claim_case *frame, const char *id, const char *kind, const char *when)
{
    struct case_document *d = case_add_documents(mem, frame);
    leaf_set_text(&d->document_id, view_of(id), at(0));
    leaf_set_text(&d->kind, view_of(kind), at(0));
    set_time(&d->received_at, when);
}

static struct claim_case *
told(arena *mem, const struct story *s)
{
    struct claim_case *frame = case_new(mem), *c = NULL;
    add_document(mem, frame, "doc-a", "accident-part", "2026-02-01T00:00:00Z");
    add_document(mem, frame, "doc-b", "certificate", "2026-02-02T00:00:00Z");
    add_document(mem, frame, "doc-c", "report", "2026-02-03T00:00:00Z");
    const struct case_part parts[] = {{police(mem, s), V("doc-a"), VIEW_NONE},
                                      {hospital(mem, s), V("doc-b"), V("p1")},
                                      {laboratory(mem, s), V("doc-c"), V("p1")}};
    cr_assert_eq(case_fold(frame, parts, COUNT_OF(parts), mem, &c, NULL), E_OK);
    return c;
}

static const struct case_finding *
found(const struct claim_case *c, const char *code)
{
    for (const struct case_finding *f = c->findings; f; f = f->next)
        if (view_eq(f->code.v, view_of(code)))
            return f;
    return NULL;
}

Test(consistency, papers_that_agree_have_no_finding)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *c = told(mem, &agrees);
    cr_assert_eq(c->findings_n, 0, "%.*s", VIEW_ARG(c->findings ? c->findings->code.v : V("")));
}

/* Each rule: what is changed in the story that agrees, and what is then found, alone. */
Test(consistency, each_rule_has_its_case)
{
    struct row {
        const char *code, *severity;
        size_t evidence;
        struct story s;
    } rows[13];
    size_t n = 0;
#define ROW(code_, severity_, evidence_, member, value)                                                      \
    rows[n] = (struct row){code_, severity_, evidence_, agrees};                                             \
    rows[n++].s.member = value
    ROW("treated-before-accident", "warn", 2, admitted, "2026-01-10T08:00:00+08:00");
    ROW("injury-not-recorded", "warn", 2, injury, "3");
    ROW("injury-elsewhere", "info", 2, main_injury, "1");
    ROW("person-differs", "warn", 2, sex, "female");
    ROW("person-differs", "warn", 2, age, 30);
    ROW("alcohol-differs", "warn", 2, alcohol_level, "87");
    ROW("alcohol-over-limit", "info", 1, alcohol, "5");
    ROW("licence-missing", "info", 1, licence, "3");
    ROW("receipt-outside-stay", "warn", 2, billed_from, "2026-01-09T00:00:00+08:00");
    ROW("receipt-outside-stay", "warn", 2, billed_to, "2026-01-15T00:00:00+08:00");
    ROW("ward-days", "warn", 2, ward_days, 6);
    ROW("malignancy-differs", "hold", 2, pathology, "D05.1");
    rows[n - 1].s.diagnosis = "C50.9";
    ROW("malignancy-differs", "hold", 2, pathology, "C50.9");
    rows[n - 1].s.diagnosis = "D05.1";
    for (size_t i = 0; i < n; i++) {
        arena *mem AUTO(arena_free) = arena_new(CEILING);
        struct claim_case *c = told(mem, &rows[i].s);
        const struct case_finding *f = found(c, rows[i].code);
        cr_assert(f && c->findings_n == 1, "%s: %zu findings", rows[i].code, (size_t)c->findings_n);
        cr_assert(view_eq(f->severity.v, view_of(rows[i].severity)), "%s", rows[i].code);
        cr_assert_eq(f->evidence_n, rows[i].evidence, "%s", rows[i].code);
        for (const struct case_finding_evidence *e = f->evidence; e; e = e->next) {
            struct case_place place;
            cr_assert(case_place_of_pointer(c, e->pointer.v, &place) && place.leaf, "%s: %.*s", rows[i].code,
                      VIEW_ARG(e->pointer.v));
            cr_assert(e->document.v.n && e->offset.set && e->length.v == 7, "%s", rows[i].code);
        }
    }
}

/* Codes that say nothing of malignancy, or the same, are no conflict. */
Test(consistency, what_says_the_same_is_no_conflict)
{
    static const char *const same[][2] = {
        {"C50.9", "C50.1"}, {"D05.1", "D05.9"}, {"C50.9", "N60.1"}, {"D24.9", "D05.1"}};
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        arena *mem AUTO(arena_free) = arena_new(CEILING);
        struct story s = agrees;
        s.diagnosis = same[i][0];
        s.pathology = same[i][1];
        struct claim_case *c = told(mem, &s);
        cr_assert_null(found(c, "malignancy-differs"), "%s %s", same[i][0], same[i][1]);
    }
}

Test(consistency, times_of_different_authors)
{
    arena *mem AUTO(arena_free) = arena_new(CEILING);
    struct claim_case *frame = case_new(mem), *c = NULL, *parts[2] = {case_new(mem), case_new(mem)};
    add_document(mem, frame, "doc-a", "accident-part", "2026-02-01T00:00:00Z");
    add_document(mem, frame, "doc-b", "certificate", "2026-02-02T00:00:00Z");
    set_time(&case_make_event(mem, parts[0])->occurred.from, "2026-01-10T08:30:00+08:00");
    set_time(&case_make_event(mem, parts[1])->occurred.from, "2026-01-11T08:30:00+08:00");
    leaf_set_text(&parts[0]->event->place, V("忠孝路"), at(60));
    leaf_set_text(&parts[1]->event->place, V("復興路"), at(61));
    const struct case_part list[] = {{parts[0], V("doc-a"), VIEW_NONE}, {parts[1], V("doc-b"), VIEW_NONE}};
    cr_assert_eq(case_fold(frame, list, 2, mem, &c, NULL), E_OK);
    const struct case_finding *time = found(c, "time-differs"), *place = found(c, "place-differs");
    cr_assert(time && place);
    cr_assert_eq(time->evidence_n, 2);
    cr_assert_not(view_eq(time->evidence->document.v, time->evidence->next->document.v));
}

Test(consistency, every_rule_has_words_in_both_languages)
{
    const struct consistency_row *rows;
    size_t n = consistency_rules(&rows);
    cr_assert_eq(n, 12);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(rows[i].number, (int)i + 1);
        cr_assert(rows[i].text[0][0] && rows[i].text[1][0] && rows[i].compares[0]);
    }
}
