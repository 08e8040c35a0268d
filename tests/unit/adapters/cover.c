#include "adapters/lookup/cover.h"

#include "base/buf.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const struct cover_question asked = {
    .id = V_INIT("inq-1.1"),
    .to = V_INIT("99000447"),
    .plate = V_INIT("AAA7001"),
    .day = {.year = 2026, .month = 11, .day = 21, .precision = DATE_DAY}};

#define HEAD                                                                                                 \
    "{\"format\":\"cover-answer-1\",\"question\":\"inq-1.1\",\"by\":\"99000447\",\"plate\":\"AAA7001\","     \
    "\"date\":\"2026-11-21\",\"answered_at\":\"2026-11-22T09:00:00+08:00\","
#define POLICY                                                                                               \
    "\"insurer\":\"99000447\",\"certificate_no\":\"CALI-004447\",\"from\":\"2026-01-01\",\"to\":\"2027-01-"  \
    "01\"}"

static err
read_answer(const char *text, const struct cover_question *q, arena *mem, struct reading *rd,
            struct cover_answer *a, struct fault *f)
{
    struct tree *t = arena_make(mem, struct tree);
    cr_assert_eq(tree_read_json(view_of(text), NULL, mem, t, NULL), E_OK, "%s", text);
    fault_init(f);
    return cover_interpret(t, q, mem, rd, a, f);
}

Test(cover, a_question_says_plate_and_day_alone)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    view text;
    cr_assert_eq(cover_question_print(&asked, mem, &text), E_OK);
    cr_assert(view_eq(text, V("{\"format\":\"cover-question-1\",\"question\":\"inq-1.1\",\"to\":\"99000447\","
                              "\"plate\":\"AAA7001\",\"date\":\"2026-11-21\"}")));
}

Test(cover, insured_becomes_facts_without_the_number)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    struct reading rd;
    struct cover_answer a;
    struct fault f;
    cr_assert_eq(read_answer(HEAD "\"answer\":\"insured\"," POLICY, &asked, mem, &rd, &a, &f), E_OK);
    cr_assert(a.word == COVER_INSURED && view_eq(a.certificate_no, V("CALI-004447")));
    cr_assert(rd.kind == KIND_CALI_ANSWER && rd.unique_identity && view_eq(rd.author, asked.to));
    const struct case_vehicle *v = rd.facts->vehicles;
    cr_assert(v && view_eq(v->plate.v, asked.plate) && view_eq(v->cali->status.v, V("insured")));
    cr_assert(view_eq(v->cali->source.v, V("lookup")) && v->cali->period.start.set &&
              v->cali->period.end.set);
    cr_assert(
        view_eq(case_party_of(rd.facts, v->cali->insurer.v)->organisation->identifiers->value.v, asked.to));
    cr_assert_eq(v->cali->certificate_no.v.n, 0);
}

Test(cover, a_denial_says_nothing_of_the_vehicle)
{
    static const char *const words[] = {"not_ours", "unknown"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct reading rd;
        struct cover_answer a;
        struct fault f;
        view text = arena_printf(mem, HEAD "\"answer\":\"%s\"}", words[i]);
        cr_assert_eq(read_answer(text.p, &asked, mem, &rd, &a, &f), E_OK, "%s", words[i]);
        cr_assert(rd.kind == KIND_CALI_DENIAL && rd.facts->vehicles && !rd.facts->vehicles->cali, "%s",
                  words[i]);
        cr_assert_str_eq(cover_word(a.word), words[i]);
    }
}

Test(cover, what_is_no_answer_to_the_question)
{
    static const struct {
        const char *text;
        err code;
        const char *where;
    } rows[] = {
        {"[]", E_SCHEMA, ""},
        {HEAD "\"answer\":\"maybe\"}", E_SCHEMA, "/answer"},
        {HEAD "\"answer\":\"not_ours\",\"why\":\"x\"}", E_SCHEMA, ""},
        {HEAD "\"answer\":\"not_ours\",\"insurer\":\"99000447\"}", E_LOOKUP_ANSWER, "/answer"},
        {HEAD "\"answer\":\"uninsured\"}", E_LOOKUP_ANSWER, "/answer"}, /* only the register knows */
        {HEAD "\"answer\":\"insured\"}", E_LOOKUP_ANSWER, "/answer"},
        {HEAD "\"answer\":\"insured\",\"insurer\":\"99000559\",\"certificate_no\":\"1\",\"from\":\"2026-01-"
              "01\",\"to\":\"2027-01-01\"}",
         E_LOOKUP_ANSWER, "/insurer"},
        {HEAD "\"answer\":\"insured\",\"insurer\":\"99000447\",\"certificate_no\":\"1\",\"from\":\"2026-11-"
              "22\",\"to\":\"2027-01-01\"}",
         E_LOOKUP_ANSWER, "/from"},
        {HEAD "\"answer\":\"insured\",\"insurer\":\"99000447\",\"certificate_no\":\"1\",\"from\":\"2025-01-"
              "01\",\"to\":\"2026-11-20\"}",
         E_LOOKUP_ANSWER, "/from"},
        {HEAD "\"answer\":\"insured\",\"insurer\":\"99000447\",\"certificate_no\":\"1\",\"from\":\"2026\","
              "\"to\":\"2027-01-01\"}",
         E_SCHEMA, "/from"},
        {HEAD "\"answer\":\"not_ours\",\"certificate_no\":7}", E_SCHEMA, "/certificate_no"},
        {HEAD "\"answer\":\"not_ours\",\"certificate_no\":\"號\"}", E_SCHEMA, "/certificate_no"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct reading rd;
        struct cover_answer a;
        struct fault f;
        cr_assert_eq(read_answer(rows[i].text, &asked, mem, &rd, &a, &f), rows[i].code, "%s", rows[i].text);
        cr_assert_str_eq(f.where, rows[i].where, "%s", rows[i].text);
    }
}

Test(cover, each_member_of_the_question_must_come_back)
{
    static const char *const places[] = {"/question", "/by", "/plate", "/date"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct cover_question other = asked;
        struct reading rd;
        struct cover_answer a;
        struct fault f;
        *(i == 0 ? &other.id : i == 1 ? &other.to : i == 2 ? &other.plate : &(view){NULL, 0}) = V("ANOTHER");
        other.day.day = i == 3 ? 22 : 21;
        cr_assert_eq(read_answer(HEAD "\"answer\":\"not_ours\"}", &other, mem, &rd, &a, &f), E_LOOKUP_ANSWER);
        cr_assert_str_eq(f.where, places[i]);
    }
}

Test(cover, the_register_speaks_for_all_and_denies_for_nobody)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    struct cover_question q = asked;
    struct reading rd;
    struct cover_answer a;
    struct fault f;
    q.of_register = true;
    cr_assert_eq(read_answer(HEAD "\"answer\":\"uninsured\"}", &q, mem, &rd, &a, &f), E_OK);
    cr_assert(rd.kind == KIND_CALI_ANSWER && view_eq(rd.facts->vehicles->cali->status.v, V("uninsured")));
    cr_assert_eq(read_answer(HEAD "\"answer\":\"not_ours\"}", &q, mem, &rd, &a, &f), E_LOOKUP_ANSWER);
    cr_assert_eq(read_answer(HEAD "\"answer\":\"insured\",\"insurer\":\"99000663\",\"certificate_no\":\"1\","
                                  "\"from\":\"2026-01-01\",\"to\":\"2027-01-01\"}",
                             &q, mem, &rd, &a, &f),
                 E_OK);
}

Test(cover, only_a_compact_signature_opens)
{
    static const struct {
        int status;
        const char *body;
        err code;
    } rows[] = {{200, "aGVhZA.e30.c2ln", E_OK},
                {200, "\naGVhZA.e30.c2ln\n", E_OK},
                {0, "", E_LOOKUP_UNANSWERED},
                {404, "aGVhZA.e30.c2ln", E_LOOKUP_UNANSWERED},
                {200, "{}", E_SIGNATURE_FORM},
                {200, "aGVhZA..c2ln", E_SIGNATURE_FORM},
                {200, "aGVhZA.e30", E_SIGNATURE_FORM},
                {200, "a.e30.c.d", E_SIGNATURE_FORM},
                {200, "aGVhZA.e3=.c2ln", E_SIGNATURE_FORM}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct cover_paper paper;
        const struct adapter_answer said = {.status = rows[i].status, .body = view_of(rows[i].body)};
        cr_assert_eq(cover_open(&said, mem, &paper, NULL), rows[i].code, "%s", rows[i].body);
        if (rows[i].code == E_OK)
            cr_assert(view_eq(paper.body, V("{}")) && view_eq(paper.signature, V("aGVhZA..c2ln")));
    }
}

Test(cover, a_number_is_masked)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    cr_assert(view_eq(cover_masked(V("CALI-2026-004447"), mem), V("************4447")));
    cr_assert(view_eq(cover_masked(V("12345678"), mem), V("********")), "a short one whole");
}
