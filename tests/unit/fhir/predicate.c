#include "fhir/predicate.h"

#include "base/buf.h"
#include "fhir/bundle_index.h"
#include "fhir/fhirpath.h"
#include "fhir/shape.h"
#include "fhir_kit.h"

/* Rules in C give the engine's answer, over every choice of the members that they look at. */

#define MEMBERS 6
#define EXTENSIONS "{\"extension\":[{\"url\":\"http://x/e\",\"valueCode\":\"a\"}]}"
#define CONDITION(system, code)                                                                              \
    "{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-" system                     \
    "\",\"code\":\"" code "\"}]}"

#define VALUED(name, value) "\"" name "\":" value, "\"_" name "\":" EXTENSIONS

static const struct sample {
    const char *key;
    uint16_t shape;
    const char *resource, *place; /* % in the resource: the members */
    const char *members[MEMBERS];
} samples[] = {
    {"ext-1",
     SHAPE_Extension,
     "{\"resourceType\":\"Basic\",\"extension\":[{%}]}",
     "extension[0]",
     {"\"url\":\"http://x/a\"", "\"valueCode\":\"a\"", "\"_valueCode\":" EXTENSIONS,
      "\"extension\":[{\"url\":\"b\",\"valueCode\":\"a\"}]"}},
    {"att-1",
     SHAPE_Attachment,
     "{\"resourceType\":\"Patient\",\"photo\":[{%}]}",
     "photo[0]",
     {"\"data\":\"AAAA\"", "\"_data\":" EXTENSIONS, "\"contentType\":\"text/plain\"",
      "\"_contentType\":" EXTENSIONS}},
    {"qty-3",
     SHAPE_Quantity,
     "{\"resourceType\":\"Observation\",\"valueQuantity\":{%}}",
     "valueQuantity",
     {"\"code\":\"a\"", "\"_code\":" EXTENSIONS, "\"system\":\"http://x\"", "\"_system\":" EXTENSIONS,
      "\"value\":1"}},
    {"cpt-2",
     SHAPE_ContactPoint,
     "{\"resourceType\":\"Patient\",\"telecom\":[{%}]}",
     "telecom[0]",
     {"\"value\":\"a\"", "\"_value\":" EXTENSIONS, "\"system\":\"phone\"", "\"_system\":" EXTENSIONS}},
    {"rat-1",
     SHAPE_Ratio,
     "{\"resourceType\":\"Observation\",\"valueRatio\":{%}}",
     "valueRatio",
     {"\"numerator\":{\"value\":1}", "\"denominator\":{\"value\":2}",
      "\"extension\":[{\"url\":\"http://x/e\",\"valueCode\":\"a\"}]", "\"id\":\"a\""}},
    {"obs-6",
     SHAPE_NONE,
     "{\"resourceType\":\"Observation\",%}",
     NULL,
     {"\"id\":\"a\"", "\"dataAbsentReason\":{\"text\":\"a\"}", "\"valueString\":\"a\"",
      "\"_valueString\":" EXTENSIONS}},
    {"org-1",
     SHAPE_NONE,
     "{\"resourceType\":\"Organization\",%}",
     NULL,
     {"\"id\":\"a\"", "\"identifier\":[{\"value\":\"a\"}]", "\"name\":\"a\"", "\"_name\":" EXTENSIONS}},
    {"ppc-1",
     SHAPE_NONE,
     "{\"resourceType\":\"Consent\",%}",
     NULL,
     {"\"id\":\"a\"", "\"policy\":[{\"uri\":\"http://x\"}]", "\"policyRule\":{\"text\":\"a\"}"}},
    {"dom-6",
     SHAPE_NONE,
     "{\"resourceType\":\"Consent\",%}",
     NULL,
     {"\"id\":\"a\"", "\"text\":{\"status\":\"generated\",\"div\":\"<div "
                      "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">a</div>\"}"}},
    {"con-4",
     SHAPE_NONE,
     "{\"resourceType\":\"Condition\",%}",
     NULL,
     {"\"id\":\"a\"", "\"abatementString\":\"a\"", "\"_abatementString\":" EXTENSIONS,
      "\"clinicalStatus\":" CONDITION("clinical", "resolved")}},
    {"con-4",
     SHAPE_NONE,
     "{\"resourceType\":\"Condition\",%}",
     NULL,
     {"\"id\":\"a\"", "\"abatementString\":\"a\"", "\"clinicalStatus\":" CONDITION("clinical", "active")}},
    {"con-5",
     SHAPE_NONE,
     "{\"resourceType\":\"Condition\",%}",
     NULL,
     {"\"id\":\"a\"", "\"verificationStatus\":" CONDITION("ver-status", "entered-in-error"),
      "\"clinicalStatus\":" CONDITION("clinical", "active")}},
    {"bdl-1",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"total\":1", "\"type\":\"history\""}},
    {"bdl-1",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"total\":1", "\"type\":\"batch\""}},
    {"dom-2",
     SHAPE_NONE,
     "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Patient\",%}]}",
     NULL,
     {"\"id\":\"a\"", "\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"b\"}]"}},
    {"dom-4",
     SHAPE_NONE,
     "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Patient\",\"meta\":{%}}]}",
     NULL,
     {"\"id\":\"a\"", "\"versionId\":\"1\"", "\"lastUpdated\":\"2026-01-01T00:00:00Z\"",
      "\"_versionId\":" EXTENSIONS}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {VALUED("start", "\"2026-03-02T08:00:00+08:00\""), "\"end\":\"2026-03-02T00:00:00Z\""}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {"\"start\":\"2026-03-02\"", VALUED("end", "\"2026-03-01\"")}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {"\"start\":\"2026-03\"", "\"end\":\"2026-03-02\""}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {"\"start\":\"2026-03-02\"", "\"end\":\"2026-03\""}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {"\"start\":\"2026-03-02T08:00:00Z\"", "\"end\":\"2026-03-02\""}},
    {"per-1",
     SHAPE_Period,
     "{\"resourceType\":\"Encounter\",\"period\":{%}}",
     "period",
     {"\"start\":\"2026\"", "\"end\":\"2025-12-31T23:59:59Z\""}},
    {"bdl-2",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"type\":\"searchset\"", "\"entry\":[{\"search\":{\"mode\":\"match\"}}]"}},
    {"bdl-2",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",\"type\":\"collection\",%}",
     NULL,
     {"\"id\":\"a\"", "\"entry\":[{\"fullUrl\":\"urn:a\"},{\"search\":{\"mode\":\"match\"}}]"}},
    {"bdl-3",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"type\":\"transaction\"",
      "\"entry\":[{\"request\":{\"method\":\"GET\",\"url\":\"a\"}},{\"fullUrl\":\"urn:a\"}]"}},
    {"bdl-3",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"type\":\"batch\"",
      "\"entry\":[{\"request\":{\"method\":\"GET\",\"url\":\"a\"}},{\"request\":{\"method\":\"GET\",\"url\":"
      "\"a\"}}]"}},
    {"bdl-3",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"type\":\"collection\"", "\"entry\":[{\"fullUrl\":\"urn:a\"}]"}},
    {"bdl-4",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"type\":\"batch-response\"",
      "\"entry\":[{\"response\":{\"status\":\"200\"}},{\"fullUrl\":\"urn:a\"}]"}},
    {"bdl-4",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"id\":\"a\"", "\"type\":\"history\"", "\"entry\":[{\"response\":{\"status\":\"200\"}}]"}},
    {"bdl-5",
     SHAPE_Bundle_entry,
     "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{%}]}",
     "entry[0]",
     {"\"id\":\"a\"", "\"resource\":{\"resourceType\":\"Basic\"}", "\"request\":{\"url\":\"a\"}",
      "\"response\":{\"status\":\"200\"}"}},
    {"bdl-8",
     SHAPE_Bundle_entry,
     "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{%}]}",
     "entry[0]",
     {"\"id\":\"a\"", VALUED("fullUrl", "\"http://x/Patient/1/_history/2\"")}},
    {"bdl-8",
     SHAPE_Bundle_entry,
     "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{%}]}",
     "entry[0]",
     {"\"id\":\"a\"", "\"fullUrl\":\"http://x/_a/Patient/_history\""}},
    {"bdl-12",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"type\":\"message\"", "\"entry\":[{\"resource\":{\"resourceType\":\"MessageHeader\"}}]"}},
    {"bdl-12",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"type\":\"message\"",
      "\"entry\":[{\"resource\":{\"resourceType\":\"Basic\"}},{\"resource\":{\"resourceType\":"
      "\"MessageHeader\"}}]"}},
    {"bdl-12",
     SHAPE_NONE,
     "{\"resourceType\":\"Bundle\",%}",
     NULL,
     {"\"type\":\"message\"", "\"entry\":[{\"fullUrl\":\"urn:a\"}]"}},
    {"cmp-1",
     SHAPE_Composition_section,
     "{\"resourceType\":\"Composition\",\"section\":[{%}]}",
     "section[0]",
     {"\"title\":\"a\"", "\"text\":{\"status\":\"empty\"}", "\"entry\":[{\"reference\":\"a\"}]",
      "\"section\":[{\"title\":\"a\"}]"}},
    {"cmp-2",
     SHAPE_Composition_section,
     "{\"resourceType\":\"Composition\",\"section\":[{%}]}",
     "section[0]",
     {"\"title\":\"a\"", "\"emptyReason\":{\"text\":\"a\"}", "\"entry\":[{\"reference\":\"a\"}]"}},
    {"obs-3",
     SHAPE_Observation_referenceRange,
     "{\"resourceType\":\"Observation\",\"referenceRange\":[{%}]}",
     "referenceRange[0]",
     {"\"id\":\"a\"", "\"low\":{\"value\":1}", "\"high\":{\"value\":1}", VALUED("text", "\"a\"")}},
    {"pat-1",
     SHAPE_Patient_contact,
     "{\"resourceType\":\"Patient\",\"contact\":[{%}]}",
     "contact[0]",
     {"\"gender\":\"male\"", "\"name\":{\"text\":\"a\"}", "\"telecom\":[{\"value\":\"a\"}]",
      "\"address\":{\"text\":\"a\"}", "\"organization\":{\"reference\":\"a\"}"}},
    {"inv-1",
     SHAPE_Parameters_parameter,
     "{\"resourceType\":\"Parameters\",\"parameter\":[{%}]}",
     "parameter[0]",
     {"\"name\":\"a\"", "\"part\":[{\"name\":\"b\"}]", VALUED("valueString", "\"a\""),
      "\"resource\":{\"resourceType\":\"Basic\"}"}},
    {"qrs-1",
     SHAPE_QuestionnaireResponse_item,
     "{\"resourceType\":\"QuestionnaireResponse\",\"item\":[{%}]}",
     "item[0]",
     {"\"linkId\":\"a\"", "\"answer\":[{\"valueString\":\"a\"}]", "\"item\":[{\"linkId\":\"b\"}]"}},
    {"dom-5",
     SHAPE_NONE,
     "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Patient\",\"meta\":{%}}]}",
     NULL,
     {"\"id\":\"a\"", "\"security\":[{\"code\":\"a\"}]", "\"versionId\":\"1\""}},
};

static const char *
make_text(const struct sample *s, unsigned chosen, struct buf *out)
{
    const char *gap = strchr(s->resource, '%');
    bool any = false;
    buf_add(out, s->resource, (size_t)(gap - s->resource));
    for (unsigned i = 0; i < MEMBERS && s->members[i]; i++) {
        if (!(chosen >> i & 1))
            continue;
        buf_add_view(out, any ? V(",") : V(""));
        buf_add_view(out, view_of(s->members[i]));
        any = true;
    }
    buf_add_view(out, view_of(gap + 1));
    buf_add_byte(out, '\0');
    return buf_view(out).p;
}

static bool
engine_says(struct kit *k, const struct sample *s, const struct predicate *p, const struct node *n)
{
    view program;
    bool holds = false;
    struct fhirpath_focus focus = {
        .tree = &k->tree, .node = n, .shape = s->shape, .resource = tree_root(&k->tree), .mem = k->mem};
    focus.root_resource = focus.resource;
    cr_assert_eq(fhirpath_compile(view_of(p->expression), k->mem, &program, &k->fault), E_OK);
    cr_assert_eq(fhirpath_holds(program, &focus, &holds, &k->fault), E_OK, "%s", p->key);
    return holds;
}

static void
compare(const struct sample *s, const struct predicate *p, const char *text)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, text), E_OK, "%s", text);
    const struct node *root = tree_root(&k.tree), *n = s->place ? kit_at(&k, s->place) : root;
    bool is_bundle = view_eq(node_text_at(&k.tree, root, "resourceType"), V("Bundle"));
    cr_assert_eq(is_bundle ? bundle_index(&k.tree, k.mem, &k.bundle, &k.issues)
                           : bundle_of_resource(&k.tree, k.mem, &k.bundle, &k.issues),
                 E_OK);
    cr_assert(n, "%s: %s", text, s->place);
    struct scene scene = {.tree = &k.tree, .bundle = &k.bundle, .resource = root};
    bool engine = engine_says(&k, s, p, n);
    cr_expect_eq(p->holds(&scene, n), engine, "%s: the engine says %d of %s", p->key, engine, text);
    kit_done(&k);
}

/* Every choice of a sample's members against every text of its rule. */
static void
try_choices(const struct sample *s,
            void (*try)(const struct sample *, const struct predicate *, const char *))
{
    unsigned n = 0,
             step = strstr(s->resource, ",%") ? 2 : 1; /* the first member stays where a comma precedes */
    while (n < MEMBERS && s->members[n])
        n++;
    for (uint32_t number = 1; number <= predicate_count(); number++) {
        const struct predicate *p = predicate_at(number);
        for (unsigned chosen = 1; view_eq(view_of(p->key), view_of(s->key)) && chosen < 1U << n;
             chosen += step) {
            struct buf text AUTO_DONE(buf_done) = {0};
            buf_init(&text, 1U << 20);
            try(s, p, make_text(s, chosen, &text));
        }
    }
}

Test(predicate, sampled_rules_give_the_engines_answer)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        try_choices(&samples[i], compare);
}

/* ---- rules that the walk says ---- */

static const struct walked {
    struct sample sample;
    const char *expected[3]; /* how the finding begins */
} walked[] = {
    {{"ele-1",
      SHAPE_Coding,
      "{\"resourceType\":\"Basic\",\"code\":{\"coding\":[{%}]}}",
      "code.coding[0]",
      {"\"id\":\"a\"", VALUED("code", "\"a\"")}},
     {"ele-1"}},
    /* Without a reference the expression has no answer; everybody takes that as kept. */
    {{"ref-1",
      SHAPE_Reference,
      "{\"resourceType\":\"Basic\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"a\"}],\"subject\":{"
      "\"display\":\"a\",%"
      "}}",
      "subject",
      {"\"reference\":\"#a\"", "\"type\":\"Patient\""}},
     {"a contained resource"}},
    {{"ref-1",
      SHAPE_Reference,
      "{\"resourceType\":\"Basic\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"a\"}],\"subject\":{"
      "\"display\":\"a\",%"
      "}}",
      "subject",
      {"\"reference\":\"#b\"", "\"type\":\"Patient\""}},
     {"a contained resource"}},
    {{"dom-3",
      SHAPE_NONE,
      "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"a\"}],%}",
      NULL,
      {"\"id\":\"b\"", "\"managingOrganization\":{\"reference\":\"#a\"}", "\"implicitRules\":\"#a\"",
       "\"generalPractitioner\":[{\"reference\":\"#b\"}]",
       "\"extension\":[{\"url\":\"http://x\",\"valueString\":\"#a\"}]"}},
     {"dom-3"}},
    {{"dom-3",
      SHAPE_NONE,
      "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"a\",%}]}",
      NULL,
      {"\"language\":\"en\"", "\"subject\":{\"reference\":\"#\"}", "\"author\":{\"reference\":\"#a\"}"}},
     {"dom-3"}},
    {{"bdl-7",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",%}",
      NULL,
      {"\"type\":\"history\"", "\"entry\":[{\"fullUrl\":\"urn:a\"},{\"fullUrl\":\"urn:a\"}]"}},
     {"bdl-7"}},
    {{"bdl-7",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"fullUrl\":\"urn:a\",\"resource\":{"
      "\"resourceType\":"
      "\"Basic\",\"meta\":{\"versionId\":\"1\"}}},{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":"
      "\"Basic\",%}}]}",
      NULL,
      {"\"id\":\"a\"", "\"meta\":{\"versionId\":\"2\"}"}},
     {"bdl-7"}},
    {{"bdl-7",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"fullUrl\":\"urn:a\"},{\"fullUrl\":\"urn:"
      "a\",\"resource\":"
      "{\"resourceType\":\"Basic\",%}}]}",
      NULL,
      {"\"id\":\"a\"", "\"meta\":{\"versionId\":\"1\"}"}},
     {"bdl-7"}},
    {{"bdl-9",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"identifier\":{%}}",
      NULL,
      {"\"use\":\"usual\"", "\"system\":\"urn:a\"", "\"value\":\"a\""}},
     {"system", "value", "identifier of the document"}},
    {{"bdl-10",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",%}",
      NULL,
      {"\"type\":\"document\"", "\"timestamp\":\"2026-01-01T00:00:00Z\""}},
     {"timestamp of the document"}},
    {{"bdl-11",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",%}",
      NULL,
      {"\"type\":\"document\"", "\"entry\":[{\"resource\":{\"resourceType\":\"Composition\"}}]"}},
     {"a Composition as first entry", "entry with the Composition"}},
    {{"bdl-11",
      SHAPE_NONE,
      "{\"resourceType\":\"Bundle\",%}",
      NULL,
      {"\"type\":\"document\"", "\"entry\":[{\"resource\":{\"resourceType\":\"Basic\"}}]"}},
     {"a Composition as first entry", "entry with the Composition"}},
};

static bool
is_said(const struct kit *k, const struct walked *w)
{
    for (const struct issue *i = k->issues.first; i; i = i->next)
        for (size_t e = 0; e < COUNT_OF(w->expected) && w->expected[e]; e++)
            if (i->severity == ISSUE_ERROR && view_starts(i->expected, view_of(w->expected[e])))
                return true;
    return false;
}

static void
compare_walk(const struct sample *s, const struct predicate *p, const char *text)
{
    const struct walked *w = (const struct walked *)(const void *)s; /* its first member */
    struct kit k;
    kit_init(&k);
    kit_judge(&k, text, false, NULL);
    bool engine = engine_says(&k, s, p, s->place ? kit_at(&k, s->place) : tree_root(&k.tree));
    cr_expect_eq(!is_said(&k, w), engine, "%s: the engine says %d of %s\n%s", p->key, engine, text,
                 kit_show(&k));
    kit_done(&k);
}

Test(predicate, rules_that_the_walk_says_are_the_engines_too)
{
    for (size_t i = 0; i < COUNT_OF(walked); i++)
        try_choices(&walked[i].sample, compare_walk);
}

/* The narrative's two rules are one function of the engine and of the walk (xhtml.h). */
Test(predicate, no_rule_goes_without_a_sample)
{
    for (uint32_t number = 1; number <= predicate_count(); number++) {
        view key = view_of(predicate_at(number)->key);
        bool found = view_starts(key, V("cg-")) || view_starts(key, V("txt-"));
        for (size_t i = 0; i < COUNT_OF(samples); i++)
            found |= view_eq(key, view_of(samples[i].key)) && predicate_at(number)->holds;
        for (size_t i = 0; i < COUNT_OF(walked); i++)
            found |= view_eq(key, view_of(walked[i].sample.key)) && !predicate_at(number)->holds;
        cr_expect(found, "%.*s", VIEW_ARG(key));
    }
}
