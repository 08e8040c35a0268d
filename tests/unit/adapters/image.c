/* Papers that nobody signed: what the app says of a picture becomes asserted facts, and nothing but. */
#include "adapters/person/image.h"

#include "adapters/case_walk.h"

#include "adapters/rules/relay.h"

#include <criterion/criterion.h>

#define PERSON                                                                                               \
    "\"person\":{\"identifiers\":[{\"system\":\"http://www.moi.gov.tw\",\"value\":\"A190130001\"}]}"
#define DIGEST "\"sha256\":\"461c860a62ece77c7ea606977ba01f28735ce373de6fd48bda9f608b7aba46cb\""
#define HEAD "{\"case\":\"case-01m7z5w4t2e818qcc1tkrdntm3\"," PERSON "," DIGEST ","
#define LINE "{\"text\":\"看護費\",\"category\":\"nursing\",\"units\":10,\"amount\":24000}"

static err
read_text(const char *text, arena *mem, struct image_paper *ret, struct fault *f)
{
    struct tree *t = arena_make(mem, struct tree);
    fault_init(f);
    TRY(tree_read_json(view_of(text), NULL, mem, t, f));
    return image_read(t, mem, ret, f);
}

struct asserting {
    size_t asserted, other;
};

static err
count(void *self, const struct case_place *at)
{
    struct asserting *a = self;
    if (at->src->how == HOW_COPIED || at->src->how == HOW_PARSED || at->src->how == HOW_MAPPED)
        a->other++;
    else
        a->asserted++;
    return E_OK;
}

Test(image, a_receipt_becomes_an_asserted_expense)
{
    arena *mem = arena_new(1u << 20);
    struct image_paper p;
    struct fault f;
    err e = read_text(HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"no\":\"C-1\",\"issued\":"
                           "\"2026-11-07\",\"lines\":[" LINE "],\"total\":24001}}",
                      mem, &p, &f);
    cr_assert_eq(e, E_OK, "%s: %s", f.where, f.expected);
    const struct case_expense *x = p.facts->expenses;
    cr_assert(view_eq(x->evidence.v, V("asserted")) && view_eq(x->original->form.v, V("image")));
    cr_assert(view_eq(x->lines->category->cali.v, V("nursing")) && x->lines->qty.value.v.units == 10);
    cr_assert_eq(x->totals->payable.stated.amount.v.units, 24001, "what is stated stays");
    cr_assert_eq(x->totals->payable.recomputed.amount.v.units, 24000);
    cr_assert_not(x->totals->payable.agrees.v);
    cr_assert(p.image == p.facts->images && view_eq(p.image->evidence.v, V("asserted")) &&
              p.image->expense.v.n);
    cr_assert(p.person && view_eq(p.person->text, V("moi|A190130001")) && p.person->is_subject);
    struct asserting a = {0};
    cr_assert_eq(case_walk(p.facts, &(struct case_visitor){.leaf = count, .self = &a}), E_OK);
    cr_assert(a.asserted > 10 && a.other == 0, "nothing counts as read from a verified paper: %zu", a.other);
    arena_free(mem);
}

Test(image, a_scene_is_a_picture_alone)
{
    arena *mem = arena_new(1u << 20);
    struct image_paper p;
    struct fault f;
    cr_assert_eq(read_text(HEAD "\"kind\":\"scene\"}", mem, &p, &f), E_OK);
    cr_assert(!p.facts->expenses && p.facts->images && !p.image->expense.v.n);
    arena_free(mem);
}

Test(image, other_forms_are_refused_with_their_place)
{
    static const struct {
        const char *text, *place;
    } rows[] = {
        {HEAD "\"kind\":\"receipt\"}", "/receipt"},
        {HEAD "\"kind\":\"scene\",\"receipt\":{}}", "/receipt"},
        {HEAD "\"kind\":\"invoice\"}", "/kind"},
        {HEAD "\"kind\":\"scene\",\"level\":\"verified-ocsp\"}", ""},
        {"{" PERSON ",\"kind\":\"scene\",\"sha256\":\"00\"}", "/sha256"},
        {"{\"person\":{\"identifiers\":[]}," DIGEST ",\"kind\":\"scene\"}", "/person/identifiers"},
        {"{\"person\":{\"identifiers\":[{\"system\":\"urn:x\",\"value\":\"1\"}]}," DIGEST
         ",\"kind\":\"scene\"}",
         "/person/identifiers"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"medical_receipt\",\"issued\":\"2026-11-07\","
              "\"lines\":[" LINE "]}}",
         "/receipt/kind"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"7.11.\",\"lines\":[" LINE
              "]}}",
         "/receipt/issued"},
        {HEAD
         "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"2026-11-07\",\"lines\":[]}}",
         "/receipt/lines"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"2026-11-07\",\"lines\":[{"
              "\"text\":\"x\",\"amount\":-1}]}}",
         "/receipt/lines/amount"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"2026-11-07\",\"lines\":[{"
              "\"text\":\"x\",\"amount\":1.5}]}}",
         "/receipt/lines/amount"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"2026-11-07\",\"lines\":[{"
              "\"text\":\"x\",\"category\":\"copay\",\"amount\":1}]}}",
         "/receipt/lines/category"},
        {HEAD "\"kind\":\"receipt\",\"receipt\":{\"kind\":\"nursing\",\"issued\":\"2026-11-07\",\"lines\":[{"
              "\"text\":\"x\",\"units\":0,\"amount\":1}]}}",
         "/receipt/lines/units"},
        {"[]", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena *mem = arena_new(1u << 20);
        struct image_paper p;
        struct fault f;
        cr_expect_eq(read_text(rows[i].text, mem, &p, &f), E_SCHEMA, "row %zu", i);
        cr_expect_str_eq(f.where, rows[i].place, "row %zu: %s", i, f.where);
        arena_free(mem);
    }
}

Test(relay, a_rule_has_a_first_day_and_lines)
{
    const struct relay_rule *rule =
        relay_rule_on((date){.year = 2026, .month = 11, .day = 21, .precision = DATE_DAY});
    cr_assert(rule && rule->above == 300000 && rule->days == 10);
    cr_assert_null(relay_rule_on((date){.year = 2020, .month = 6, .day = 30, .precision = DATE_DAY}));
    cr_assert(relay_has_line(V("life")) && relay_has_line(V("health")) && relay_has_line(V("injury")));
    cr_assert_not(relay_has_line(V("cali")) || relay_has_line(V("own_damage")));
}
