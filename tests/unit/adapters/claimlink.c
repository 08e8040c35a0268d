/* Papers of a motor filing: the form, what becomes of them, and the ledger of repairs. */
#include <criterion/criterion.h>

#include "adapters/claimlink/ledger.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define SCHEMA TEST_SOURCE_DIR "/openapi/motor-filing.schema.json"
#define CEILING ((size_t)64 << 20)

struct outcome {
    arena *mem;
    struct tree tree;
    struct issues issues;
    struct reading reading;
    struct motor_paper paper;
    struct fault fault;
    err code;
};

/* code: of the refusal, or of the first issue. */
static struct outcome
interpret(arena *mem, const char *text)
{
    struct outcome o = {.mem = mem};
    struct tree *t = arena_make(mem, struct tree);
    fault_init(&o.fault);
    issues_init(&o.issues, mem, 50);
    o.code = claimlink_read(FHIR_JSON, view_of(text), mem, t, &o.fault);
    o.tree = *t;
    if (o.code == E_OK)
        o.code = claimlink_interpret(t, mem, &o.issues, &o.reading, &o.paper, &o.fault);
    if (o.code == E_OK && o.issues.first)
        o.code = o.issues.first->code;
    return o;
}

#define HEAD(part)                                                                                           \
    "{\"format\":\"motor-filing-1\",\"filing\":\"urn:uuid:0001\",\"part\":\"" part                           \
    "\",\"written\":\"2026-03-02T10:00:00+08:00\","
#define OWNER "\"author\":{\"kind\":\"owner\"},"
#define SHOP "\"author\":{\"kind\":\"shop\",\"code\":\"99000811\"},\"plate\":\"AAA-1\","
#define INSURER "\"author\":{\"kind\":\"insurer\",\"code\":\"99000447\"},\"plate\":\"AAA-1\","
#define PERSON                                                                                               \
    "{\"name\":\"王沙箱\",\"identifiers\":[{\"system\":\"http://"                                         \
    "www.moi.gov.tw\",\"value\":\"A190130001\"}]}"
#define CLAIM "{\"insurer\":\"99000447\",\"line\":\"own_damage\"}"
#define FILING(more)                                                                                         \
    HEAD("filing")                                                                                           \
    OWNER "\"accident\":{\"occurred\":\"2026-03-01T08:00:00+08:00\",\"place\":\"沙箱市\"},\"owner\":" PERSON \
          ",\"vehicle\":{\"plate\":\"AAA-1\",\"kind\":\"自用小客車\"},\"shop\":{\"code\":\"99000811\"}" more \
          "}"
#define LINES(amount) "\"lines\":[{\"no\":\"1\",\"text\":\"鈑金\",\"amount\":\"" amount "\"}]"
#define ESTIMATE(order, version, amount, total)                                                              \
    HEAD("estimate")                                                                                         \
    SHOP "\"order_no\":\"" order "\",\"version\":" version "," LINES(amount) ",\"total\":\"" total "\"}"
#define SUPPLEMENT(version, n)                                                                               \
    HEAD("supplement")                                                                                       \
    SHOP "\"order_no\":\"R\",\"version\":" version ",\"supplement\":" n                                      \
         ",\"reason\":\"後圍板\",\"lines\":[{\"no\":\"S\",\"text\":\"後圍板\",\"amount\":\"20\"}],"    \
         "\"total\":\"20\"}"
#define APPROVAL(version, extra, no, amount)                                                                 \
    HEAD("approval")                                                                                         \
    INSURER "\"shop\":\"99000811\",\"order_no\":\"R\",\"line\":\"own_damage\",\"version\":" version extra    \
            ",\"lines\":[{\"no\":\"" no "\",\"amount\":\"" amount "\"}],\"total\":\"" amount                 \
            "\",\"payable\":\"" amount "\"}"
#define INVOICE(total)                                                                                       \
    HEAD("invoice") SHOP "\"order_no\":\"R\",\"no\":\"I\"," LINES(total) ",\"total\":\"" total "\"}"
#define PAYMENT(amount)                                                                                      \
    HEAD("payment")                                                                                          \
    INSURER                                                                                                  \
    "\"no\":\"1\",\"line\":\"own_damage\",\"payee\":\"shop\",\"shop\":\"99000811\",\"amount\":\"" amount     \
    "\",\"method\":\"transfer\",\"paid_at\":\"2026-03-20T12:00:00+08:00\"}"
#define RECOURSE(line, kind, paid, percent, amount)                                                          \
    HEAD("recourse")                                                                                         \
    INSURER "\"line\":\"" line "\",\"kind\":\"" kind "\",\"against\":\"99000559\",\"paid\":\"" paid          \
            "\",\"percent\":\"" percent "\",\"amount\":\"" amount "\",\"paid_on\":\"2026-03-20\"}"

static void
print_words(const char *words, struct buf *out)
{
    view rest = view_of(words);
    bool more = true, first = true;
    BUF_LIT(out, "\"enum\": [");
    for (; more; first = false) {
        view word = view_cut(&rest, '|', &more);
        if (!first)
            BUF_LIT(out, ", ");
        buf_add_json(out, word);
    }
    BUF_LIT(out, "]");
}

static void
print_type(const struct layout_field *f, struct buf *out)
{
    switch ((enum layout_kind)f->kind) {
    case LAYOUT_TEXT:
        buf_printf(out, "\"type\": \"string\", \"minLength\": %d, \"maxLength\": %d", (int)f->least,
                   (int)f->most);
        return;
    case LAYOUT_WORD:
        print_words(paper_layout()->words[f->arg], out);
        return;
    case LAYOUT_INT:
        buf_printf(out, "\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d", (int)f->least,
                   (int)f->most);
        return;
    case LAYOUT_INTS:
        buf_printf(
            out, "\"type\": \"array\", \"maxItems\": %d, \"items\": {\"type\": \"integer\", \"minimum\": 1}",
            (int)f->most);
        return;
    case LAYOUT_AMOUNT:
        BUF_LIT(out, "\"type\": \"string\", \"pattern\": \"^[0-9]{1,12}(\\\\.[0-9]{1,4})?$\"");
        return;
    case LAYOUT_BOOL:
        BUF_LIT(out, "\"type\": \"boolean\"");
        return;
    case LAYOUT_DATE:
        BUF_LIT(out, "\"type\": \"string\", \"format\": \"date\"");
        return;
    case LAYOUT_TIME:
        BUF_LIT(out, "\"type\": \"string\", \"format\": \"date-time\"");
        return;
    case LAYOUT_ONE:
        buf_printf(out, "\"$ref\": \"#/$defs/%s\"", paper_layout()->shapes[f->arg].name);
        return;
    default:
        buf_printf(out,
                   "\"type\": \"array\", \"minItems\": 1, \"maxItems\": %d, \"items\": {\"$ref\": "
                   "\"#/$defs/%s\"}",
                   (int)f->most, paper_layout()->shapes[f->arg].name);
        return;
    }
}

static void
print_shape(const struct layout_shape *s, bool is_last, struct buf *out)
{
    size_t required = 0;
    enum motor_part part = motor_part_of(view_of(s->name));
    buf_printf(out, "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n",
               s->name);
    BUF_LIT(out, "      \"required\": [");
    for (size_t i = 0; i < s->n; i++)
        if (s->fields[i].need == NEED_ALWAYS)
            buf_printf(out, "%s\"%.*s\"", required++ ? ", " : "", VIEW_ARG(s->fields[i].name));
    BUF_LIT(out, "],\n      \"properties\": {\n");
    for (size_t i = 0; i < s->n; i++) {
        const struct layout_field *f = &s->fields[i];
        buf_printf(out, "        \"%.*s\": {", VIEW_ARG(f->name));
        if (part != PART_COUNT && view_eq(f->name, V("part")))
            buf_printf(out, "\"const\": \"%s\"", motor_part_word(part));
        else
            print_type(f, out);
        BUF_LIT(out, ", \"description\": ");
        buf_add_json(out, view_of(f->text));
        buf_printf(out, "}%s\n", i + 1 < s->n ? "," : "");
    }
    buf_printf(out, "      }\n    }%s\n", is_last ? "" : ",");
}

static void
print_schema(struct buf *out)
{
    BUF_LIT(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                 "  \"$id\": \"https://claimgate.tw/motor-filing/1/schema.json\",\n"
                 "  \"title\": \"A paper of a motor filing, version 1\",\n"
                 "  \"description\": \"Made from adapters/claimlink/paper.def. The paper is signed as it "
                 "stands: a detached JWS in X-JWS-Signature.\",\n"
                 "  \"oneOf\": [\n");
    for (int p = 0; p < PART_COUNT; p++)
        buf_printf(out, "    {\"$ref\": \"#/$defs/%s\"}%s\n",
                   paper_layout()->shapes[motor_part_shape((enum motor_part)p)].name,
                   p + 1 < PART_COUNT ? "," : "");
    BUF_LIT(out, "  ],\n  \"$defs\": {\n");
    for (int s = 0; s < SHAPE_COUNT; s++)
        print_shape(&paper_layout()->shapes[s], s + 1 == SHAPE_COUNT, out);
    BUF_LIT(out, "  }\n}\n");
}

Test(claimlink, the_schema_file_is_the_table)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1u << 20);
    print_schema(&out);
    cr_assert(!out.failed);
    if (getenv("CLAIMGATE_WRITE")) {
        FILE *f = fopen(SCHEMA, "w");
        cr_assert(f && fwrite(out.p, 1, out.n, f) == out.n);
        fclose(f);
    }
    char *file = calloc(1, out.n + 2);
    FILE *f = fopen(SCHEMA, "r");
    size_t n = f ? fread(file, 1, out.n + 1, f) : 0;
    if (f)
        fclose(f);
    bool same = n == out.n && memcmp(file, out.p, n) == 0;
    free(file);
    cr_assert(same,
              "openapi/motor-filing.schema.json is not what paper.def says: run with CLAIMGATE_WRITE=1");
}

static const struct {
    const char *text;
    err code;
} papers[] = {
    {FILING(",\"claims\":[" CLAIM "]"), E_OK},
    {FILING(",\"claims\":[" CLAIM "," CLAIM "]"), E_CARDINALITY},
    {FILING(""), E_REQUIRED},
    {FILING(",\"claims\":[]"), E_REQUIRED},
    {FILING(",\"claims\":{}"), E_TYPE},
    {FILING(",\"claims\":[1]"), E_TYPE},
    {FILING(",\"claims\":[" CLAIM "],\"damage\":[{\"area\":\"前\",\"photos\":[1]}]"), E_REFERENCE},
    {FILING(",\"claims\":[" CLAIM "],\"damage\":[{\"area\":\"前\",\"photos\":[0]}]"), E_VALUE},
    {FILING(",\"claims\":[" CLAIM "],\"seats\":5"), E_UNMAPPED},
    {HEAD("filing") OWNER "\"claims\":[" CLAIM "]}", E_REQUIRED},
    {HEAD("estimate") OWNER
     "\"order_no\":\"R\",\"plate\":\"AAA-1\",\"version\":1," LINES("1") ",\"total\":\"1\"}",
     E_SIGNER_WRONG_KIND},
    {ESTIMATE("R", "1", "100", "100"), E_OK},
    {ESTIMATE("R", "1", "100", "101"), E_SUM},
    {ESTIMATE("R", "0", "100", "100"), E_VALUE},
    {ESTIMATE("R", "1", "-100", "100"), E_VALUE},
    {ESTIMATE("R", "1", "1e2", "100"), E_VALUE},
    {SUPPLEMENT("1", "1"), E_OK},
    {APPROVAL("1", "", "1", "100"), E_OK},
    {APPROVAL("1", ",\"deductible\":\"10\"", "1", "100"), E_SUM},
    {INVOICE("100"), E_OK},
    {PAYMENT("100"), E_OK},
    {RECOURSE("own_damage", "own_damage_53", "93800", "70", "65660"), E_OK},
    {RECOURSE("own_damage", "own_damage_53", "93800", "70", "65661"), E_SUM},
    {RECOURSE("own_damage", "own_damage_53", "101", "50", "51"), E_OK}, /* 50.5: halves up */
    {RECOURSE("liability_property", "own_damage_53", "93800", "70", "65660"), E_RECOURSE},
    {RECOURSE("own_damage", "cali_29", "93800", "70", "65660"), E_RECOURSE},
    {"[]", E_DOCUMENT_KIND},
    {"{\"part\":\"letter\"}", E_DOCUMENT_KIND},
};

Test(claimlink, each_paper_by_its_form)
{
    for (size_t i = 0; i < COUNT_OF(papers); i++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        struct outcome o = interpret(mem, papers[i].text);
        cr_expect_eq(o.code, papers[i].code, "%s: %s at %s", papers[i].text, err_info(o.code)->code,
                     o.issues.first ? o.issues.first->path.p : o.fault.where);
    }
}

Test(claimlink, a_filing_becomes_facts_with_their_sources)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = interpret(mem, FILING(",\"claims\":[" CLAIM "]"));
    const struct claim_case *c = o.reading.facts;
    cr_assert_eq(o.code, E_OK);
    cr_expect_eq(o.reading.kind, KIND_MOTOR_FILING);
    cr_expect(view_eq(o.reading.identifier_value, V("urn:uuid:0001/filing/1")));
    cr_expect(view_eq(motor_filing_of(c), V("urn:uuid:0001")));
    cr_expect(view_eq(c->vehicles->plate.v, V("AAA-1")));
    const struct source *s = &c->vehicles->plate.src;
    cr_expect(view_eq(view_sub(o.tree.source, s->from, s->length), V("\"AAA-1\"")), "the bytes it came from");
    cr_expect(view_eq(c->coverages->line.v, V("own_damage")) && c->coverages->insured.v.n);
    cr_expect(o.reading.persons && o.reading.persons->is_subject);
    cr_expect(view_eq(motor_plate_key(V("aaa-1"), mem), V("AAA1")));
    cr_expect_eq(claimlink_read(FHIR_XML, V("<x/>"), mem, &o.tree, &o.fault), E_MEDIA_TYPE);
}

Test(claimlink, every_leaf_of_every_paper_has_its_source)
{
    for (size_t i = 0; i < COUNT_OF(papers); i++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        struct outcome o = interpret(mem, papers[i].text);
        for (const struct case_expense *e = o.reading.facts ? o.reading.facts->expenses : NULL; e;
             e = e->next)
            cr_expect(e->no.src.how != HOW_NONE && e->totals->payable.stated.amount.src.length > 0, "%s",
                      papers[i].text);
    }
}

/* -- the ledger -- */

struct step {
    const char *text;
    err code;          /* of the ledger */
    err note;          /* finding that the ledger makes */
    const char *state; /* afterwards */
};

static void
play(const struct step *steps, size_t n)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct ledger l;
    ledger_init(&l, mem);
    for (size_t i = 0; i < n; i++) {
        struct outcome o = interpret(mem, steps[i].text);
        struct fault f;
        fault_init(&f);
        cr_assert(o.reading.facts && o.issues.errors == 0, "%s: %s", steps[i].text, err_info(o.code)->code);
        issues_init(&o.issues, mem, 50);
        err e = ledger_admit(&l, &o.paper, &o.issues, &f);
        cr_expect_eq(e, steps[i].code, "step %zu: %s", i, err_info(e)->code);
        cr_expect_eq(o.issues.first ? o.issues.first->code : E_OK, steps[i].note, "step %zu", i);
        if (e != E_OK)
            continue;
        cr_assert_eq(ledger_add(&l, o.reading.facts), E_OK);
        const struct repair_order *order = ledger_order(&l, V("99000811"), V("aaa1"));
        cr_assert(order);
        cr_expect_str_eq(order_state(order), steps[i].state, "step %zu", i);
    }
}

Test(claimlink, versions_follow_on_each_other)
{
    static const struct step steps[] = {
        {FILING(",\"claims\":[" CLAIM "]"), E_OK, E_OK, "assigned"},
        {APPROVAL("1", "", "1", "100"), E_REPAIR_STAGE, E_OK, ""},
        {INVOICE("100"), E_REPAIR_STAGE, E_OK, ""},
        {SUPPLEMENT("1", "1"), E_REPAIR_STAGE, E_OK, ""},
        {PAYMENT("100"), E_REPAIR_STAGE, E_OK, ""},
        {ESTIMATE("R", "2", "100", "100"), E_ESTIMATE_VERSION, E_OK, ""},
        {ESTIMATE("R", "1", "100", "100"), E_OK, E_OK, "estimated"},
        {ESTIMATE("R", "1", "100", "100"), E_ESTIMATE_VERSION, E_OK, ""},
        {ESTIMATE("Q", "2", "100", "100"), E_REPAIR_ORDER, E_OK, ""},
        {APPROVAL("1", "", "2", "100"), E_REPAIR_LINE, E_OK, ""},
        {APPROVAL("1", ",\"supplement\":1", "S", "20"), E_ESTIMATE_VERSION, E_OK, ""},
        {APPROVAL("1", "", "1", "100"), E_OK, E_OK, "approved"},
        {SUPPLEMENT("1", "2"), E_ESTIMATE_VERSION, E_OK, ""},
        {SUPPLEMENT("2", "1"), E_ESTIMATE_VERSION, E_OK, ""},
        {SUPPLEMENT("1", "1"), E_OK, E_OK, "estimated"},
        {APPROVAL("1", ",\"supplement\":1", "S", "20"), E_OK, E_OK, "approved"},
        {ESTIMATE("R", "2", "90", "90"), E_OK, E_OK, "estimated"},
        {APPROVAL("1", "", "1", "100"), E_ESTIMATE_VERSION, E_OK, ""},
        {APPROVAL("2", "", "1", "90"), E_OK, E_OK, "approved"},
        {INVOICE("95"), E_OK, E_INVOICE_ABOVE, "invoiced"},
        {INVOICE("95"), E_REPAIR_CLOSED, E_OK, ""},
        {ESTIMATE("R", "3", "90", "90"), E_REPAIR_CLOSED, E_OK, ""},
        {SUPPLEMENT("2", "1"), E_REPAIR_CLOSED, E_OK, ""},
        {APPROVAL("2", "", "1", "90"), E_REPAIR_CLOSED, E_OK, ""},
        {PAYMENT("80"), E_OK, E_PAID_OTHER, "invoiced"},
        {PAYMENT("90"), E_OK, E_OK, "paid"},
    };
    play(steps, COUNT_OF(steps));
}

/* Whatever the order of versions in random sequences, what is admitted counts up by one and nothing follows an invoice. */
Test(claimlink, no_sequence_skips_or_repeats_a_version)
{
    static const char *const texts[] = {ESTIMATE("R", "1", "100", "100"),
                                        ESTIMATE("R", "2", "100", "100"),
                                        ESTIMATE("R", "3", "100", "100"),
                                        SUPPLEMENT("1", "1"),
                                        SUPPLEMENT("2", "1"),
                                        SUPPLEMENT("2", "2"),
                                        APPROVAL("1", "", "1", "100"),
                                        INVOICE("100")};
    uint32_t seed = 7;
    for (int round = 0; round < 500; round++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        struct ledger l;
        int64_t version = 0, supplement = 0;
        bool invoiced = false;
        ledger_init(&l, mem);
        for (int i = 0; i < 20; i++) {
            seed = seed * 1664525u + 1013904223u;
            struct outcome o = interpret(mem, texts[(seed >> 16) % COUNT_OF(texts)]);
            if (ledger_admit(&l, &o.paper, &o.issues, NULL) != E_OK)
                continue;
            cr_assert(!invoiced, "nothing follows an invoice");
            if (o.paper.part == PART_estimate)
                cr_assert_eq(o.paper.version, version + 1);
            if (o.paper.part == PART_supplement)
                cr_assert(o.paper.version == version && o.paper.supplement == supplement + 1);
            if (o.paper.part == PART_estimate)
                version++, supplement = 0;
            supplement += o.paper.part == PART_supplement;
            invoiced = o.paper.part == PART_invoice;
            cr_assert_eq(ledger_add(&l, o.reading.facts), E_OK);
        }
    }
}
