#include "adapters/hospital/sample.h"

#include <criterion/criterion.h>
#include <string.h>

static struct profile_set *profiles;

static void
setup(void)
{
    struct fault f;
    fault_init(&f);
    cr_assert_eq(profiles_load(fhir_profiles, fhir_profiles_count, &profiles, &f), E_OK, "%s %s", f.where,
                 f.found);
}

static void
teardown(void)
{
    profiles_free(profiles);
}

TestSuite(hospital, .init = setup, .fini = teardown);

static err
interpret(view body, bool is_xml, arena *mem, struct issues *issues, struct reading *ret, struct fault *f)
{
    struct tree *t = arena_make(mem, struct tree);
    struct bundle *b = arena_make(mem, struct bundle);
    const struct validate_options options = {.strict = false};
    issues_init(issues, mem, 200);
    fault_init(f);
    TRY(fhir_read(is_xml ? FHIR_XML : FHIR_JSON, body, mem, t, f));
    TRY(bundle_index(t, mem, b, issues));
    TRY(fhir_validate(profiles, b, &options, issues));
    if (issues->errors)
        return issues_fault(issues, f);
    return hospital_interpret(b, mem, issues, ret, f);
}

static view
replace(view text, const char *from, const char *to, arena *mem)
{
    size_t at = view_find(text, view_of(from));
    cr_assert_lt(at, text.n, "%s does not stand in the sample", from);
    return arena_printf(mem, "%.*s%s%.*s", (int)at, text.p, to,
                        VIEW_ARG(view_sub(text, at + strlen(from), text.n)));
}

Test(hospital, every_sample_is_read_without_error)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        arena *mem = arena_new(64u << 20);
        struct sample_stay stay;
        struct sample_document documents[SAMPLE_DOCUMENTS_MAX];
        size_t n;
        cr_assert_eq(sample_stay_make(seed, SAMPLE_KIND_COUNT, mem, &stay), E_OK);
        cr_assert_eq(sample_documents(&stay, mem, documents, &n), E_OK);
        for (size_t i = 0; i < n; i++) {
            struct issues issues;
            struct reading rd;
            struct fault f;
            err e = interpret(documents[i].body, documents[i].is_xml, mem, &issues, &rd, &f);
            cr_assert_eq(e, E_OK, "seed %d %s: %s at %s: %s / %s", (int)seed, documents[i].name,
                         err_info(e)->code, f.where, f.expected, f.found);
            cr_assert(view_eq(rd.author, view_of(stay.hospital->code)));
            cr_assert(rd.persons && rd.refs && rd.identifier_value.n);
        }
        arena_free(mem);
    }
}

static view
receipt(const struct sample_line *lines, size_t n, arena *mem)
{
    struct sample_stay stay;
    view body;
    cr_assert_eq(sample_stay_make(1, SAMPLE_SURGERY, mem, &stay), E_OK);
    cr_assert_eq(sample_receipt(&stay, lines, n, 0, "1", NULL, mem, &body), E_OK);
    return body;
}

static const struct sample_line lines[] = {
    {"ward", "room_difference", "病房費差額", "self", NULL, 15000, 0},
    {"ward", NULL, "部分負擔", "copay", NULL, 7600, 0},
    {"surgery", NULL, "手術費", "nhi", NULL, 0, 12870},
};

Test(hospital, sums_are_recomputed_beside_what_is_stated)
{
    arena *mem = arena_new(64u << 20);
    struct issues issues;
    struct reading rd;
    struct fault f;
    view body = receipt(lines, COUNT_OF(lines), mem);
    cr_assert_eq(interpret(body, false, mem, &issues, &rd, &f), E_OK);
    const struct case_totals *t = rd.facts->expenses->totals;
    cr_assert(t->payable.agrees.v);
    cr_assert_eq(t->payable.recomputed.amount.v.units, 22600);
    cr_assert_eq(t->nhi_points.recomputed.v.units, 12870, "points stand apart from money");
    body = replace(body, "\"totalNet\":{\"value\":22600", "\"totalNet\":{\"value\":22601", mem);
    cr_assert_eq(interpret(body, false, mem, &issues, &rd, &f), E_OK,
                 "a wrong sum is a finding, not a refusal");
    t = rd.facts->expenses->totals;
    cr_assert_not(t->payable.agrees.v);
    cr_assert_eq(t->payable.stated.amount.v.units, 22601, "what was stated is never corrected");
    arena_free(mem);
}

Test(hospital, leaves_point_back_to_their_bytes)
{
    arena *mem = arena_new(64u << 20);
    struct issues issues;
    struct reading rd;
    struct fault f;
    view body = receipt(lines, COUNT_OF(lines), mem);
    cr_assert_eq(interpret(body, false, mem, &issues, &rd, &f), E_OK);
    const struct leaf_text *text = &rd.facts->expenses->lines->text_zh;
    view at = view_sub(body, text->src.from, text->src.length);
    cr_assert(view_find(at, text->v) < at.n);
    arena_free(mem);
}

/* What must refuse: the replacement, the code that tells why. */
static const struct {
    const char *from, *to;
    err code;
} refusals[] = {
    {"\"code\":\"self\"", "\"code\":\"nobody\"", E_CODE_REQUIRED},
    {"\"code\":\"ward\"", "\"code\":\"wardrobe\"", E_CODE_REQUIRED},
    {"\"subject\":", "\"subjekt\":", E_ELEMENT_UNKNOWN},
    {"\"type\":\"document\"", "\"type\":\"collection\"", E_FIXED},
    {"\"code\":\"receipt\"}],\"text\"", "\"code\":\"recipe\"}],\"text\"", E_CODE_REQUIRED},
};

Test(hospital, refuses_by_profile_with_one_code_per_cause)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        arena *mem = arena_new(64u << 20);
        struct issues issues;
        struct reading rd;
        struct fault f;
        view body = replace(receipt(lines, COUNT_OF(lines), mem), refusals[i].from, refusals[i].to, mem);
        err e = interpret(body, false, mem, &issues, &rd, &f);
        bool told = false;
        for (const struct issue *issue = issues.first; issue; issue = issue->next)
            told = told || (issue->severity == ISSUE_ERROR && issue->code == refusals[i].code);
        cr_assert_neq(e, E_OK, "%s was accepted", refusals[i].to);
        cr_assert(told, "%s: %s at %s", refusals[i].to, err_info(e)->code, f.where);
        arena_free(mem);
    }
}

Test(hospital, a_certificate_must_be_chinese)
{
    arena *mem = arena_new(64u << 20);
    struct sample_stay stay;
    struct issues issues;
    struct reading rd;
    struct fault f;
    view body;
    cr_assert_eq(sample_stay_make(1, SAMPLE_SURGERY, mem, &stay), E_OK);
    stay.diagnosis = "Acute appendicitis";
    cr_assert_eq(sample_certificate(&stay, "1", mem, &body), E_OK);
    err e = interpret(body, false, mem, &issues, &rd, &f);
    cr_assert(e != E_OK || issues.errors, "an English certificate was accepted");
    arena_free(mem);
}

Test(hospital, iclaim_is_read_leniently_with_findings)
{
    arena *mem = arena_new(64u << 20);
    struct sample_stay stay;
    struct issues issues;
    struct reading rd;
    struct fault f;
    view body;
    cr_assert_eq(sample_stay_make(7, SAMPLE_ICLAIM, mem, &stay), E_OK);
    cr_assert_eq(sample_iclaim(&stay, mem, &body), E_OK);
    cr_assert_eq(interpret(body, false, mem, &issues, &rd, &f), E_OK, "%s %s", f.where, f.found);
    cr_assert_eq(rd.kind, KIND_CLAIM_BUNDLE);
    cr_assert_not(rd.unique_identity, "its identifier is the case number");
    cr_assert(rd.hints && view_eq(rd.hints->code, V("99000220")));
    bool offset = false, form = false;
    for (const struct issue *i = issues.first; i; i = i->next) {
        offset = offset || i->code == E_OFFSET;
        form = form || i->code == E_ICLAIM_FORM;
    }
    cr_assert(offset && form);
    arena_free(mem);
}

/* -- disability -- */

static view
disability(const struct sample_grade *grades, size_t n, const char *fixed_on, arena *mem)
{
    struct sample_stay stay;
    view body;
    cr_assert_eq(sample_stay_make(2, SAMPLE_TRAFFIC, mem, &stay), E_OK);
    cr_assert_eq(sample_disability(&stay, grades, n, fixed_on, "1", mem, &body), E_OK);
    return body;
}

Test(hospital, grades_are_read_by_scale_and_day)
{
    const struct sample_grade grades[] = {{V("cali15"), 7}, {V("injury11"), 6}, {V("cali15"), 9}};
    arena *mem = arena_new(64u << 20);
    struct issues issues;
    struct reading rd;
    struct fault f;
    view body = disability(grades, COUNT_OF(grades), "2026-09-01", mem);
    err e = interpret(body, false, mem, &issues, &rd, &f);
    cr_assert_eq(e, E_OK, "%s at %s: %s", err_info(e)->code, f.where, f.found);
    const struct case_disability *d = rd.facts->disability;
    cr_assert(d && d->next && !d->next->next, "one for each scale");
    cr_assert(view_eq(d->scale.v, V("cali15")) && view_eq(d->next->scale.v, V("injury11")));
    cr_assert(d->items->grade.v == 7 && d->items->next->grade.v == 9 && d->next->items->grade.v == 6);
    cr_assert(view_eq(d->items->code.v, V("cali15-7")) && d->items->text.v.n);
    cr_assert(d->fixed_on.v.month == 9 && d->fixed_on.v.day == 1);
    cr_assert(case_party_of(rd.facts, d->patient.v) && d->certificate.v.n);
    cr_assert(view_eq(rd.facts->certificates->kind.v, V("disability")));
    view at = view_sub(body, d->items->grade.src.from, d->items->grade.src.length);
    cr_assert(view_eq(at, V("7")), "with the bytes of the grade");
    body =
        replace(body, "\"valueInteger\":7",
                "\"valueInteger\":7,\"component\":[{\"code\":{\"coding\":[{\"system\":\"https://claimgate.tw/"
                "fhir/CodeSystem/disability-item\",\"code\":\"prior-grade\"}]},\"valueInteger\":11}]",
                mem);
    cr_assert_eq(interpret(body, false, mem, &issues, &rd, &f), E_OK);
    cr_assert_eq(rd.facts->disability->prior_grade.v, 11, "a disability that was there before");
    arena_free(mem);
}

/* The errors of a reading: every one is an issue with its place. */
static void
expect_error(view body, err code, const char *place, arena *mem)
{
    struct issues issues;
    struct reading rd;
    struct fault f;
    err e = interpret(body, false, mem, &issues, &rd, &f);
    if (e == E_OK && issues.errors)
        e = issues_fault(&issues, &f);
    cr_expect_eq(e, code, "%s, not %s", err_info(e)->code, err_info(code)->code);
    cr_expect(strstr(f.where, place), "%s is not at %s", f.where, place);
}

Test(hospital, a_grade_outside_of_its_scale_and_a_day_before_the_discharge_are_errors)
{
    static const struct {
        const char *scale;
        int grade;
        const char *fixed_on;
        err code;
        const char *place;
    } rows[] = {
        {"cali15", 16, NULL, E_OUT_OF_RANGE, "valueInteger"},
        {"cali15", 0, NULL, E_OUT_OF_RANGE, "valueInteger"},
        {"injury11", 12, NULL, E_OUT_OF_RANGE, "valueInteger"},
        {"cali15", 7, "2026-01-01", E_NOT_FIXED, "effectiveDateTime"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena *mem = arena_new(64u << 20);
        const struct sample_grade grade = {view_of(rows[i].scale), rows[i].grade};
        expect_error(disability(&grade, 1, rows[i].fixed_on, mem), rows[i].code, rows[i].place, mem);
        arena_free(mem);
    }
    arena *mem = arena_new(64u << 20);
    const struct sample_grade grade = {V("policy"), 20};
    struct issues issues;
    struct reading rd;
    struct fault f;
    cr_expect_eq(interpret(disability(&grade, 1, NULL, mem), false, mem, &issues, &rd, &f), E_OK,
                 "a policy's own scale has no end");
    arena_free(mem);
}
