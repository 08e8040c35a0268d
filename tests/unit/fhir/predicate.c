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

static void
compare(const struct sample *s, const struct predicate *p, const char *text)
{
    struct kit k;
    view program;
    bool engine;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, text), E_OK, "%s", text);
    cr_assert_eq(bundle_of_resource(&k.tree, k.mem, &k.bundle, &k.issues), E_OK);
    const struct node *root = tree_root(&k.tree), *n = s->place ? kit_at(&k, s->place) : root;
    cr_assert(n, "%s: %s", text, s->place);
    struct scene scene = {.tree = &k.tree, .bundle = &k.bundle, .resource = root};
    struct fhirpath_focus focus = {
        .tree = &k.tree, .node = n, .shape = s->shape, .resource = root, .mem = k.mem};
    cr_assert_eq(fhirpath_compile(view_of(p->expression), k.mem, &program, &k.fault), E_OK);
    cr_assert_eq(fhirpath_holds(program, &focus, &engine, &k.fault), E_OK, "%s: %s", p->key, text);
    cr_expect_eq(p->holds(&scene, n), engine, "%s: the engine says %d of %s", p->key, engine, text);
    kit_done(&k);
}

Test(predicate, sampled_rules_give_the_engines_answer)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct sample *s = &samples[i];
        unsigned n = 0;
        while (n < MEMBERS && s->members[n])
            n++;
        for (uint32_t number = 1; number <= predicate_count(); number++) {
            const struct predicate *p = predicate_at(number);
            if (!view_eq(view_of(p->key), view_of(s->key)))
                continue;
            /* The first member stays where a comma precedes. */
            unsigned step = strstr(s->resource, ",%") ? 2 : 1;
            for (unsigned chosen = 1; chosen < 1U << n; chosen += step) {
                struct buf text AUTO_DONE(buf_done) = {0};
                buf_init(&text, 1U << 20);
                compare(s, p, make_text(s, chosen, &text));
            }
        }
    }
}
