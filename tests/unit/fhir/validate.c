#include "fhir_kit.h"

#include <stdio.h>

struct structure_case {
    const char *text;
    struct expected_error errors[4];
};

#define DIV "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">"

static const struct structure_case structure[] = {
    {"{\"resourceType\":\"Patient\"}", {{0}}},
    {"{\"resourceType\":\"Patient\",\"gender\":\"female\",\"birthDate\":\"1990-01-01\",\"active\":true,"
     "\"name\":[{\"family\":\"a\",\"given\":[\"b\",\"c\"]}],\"multipleBirthInteger\":2}",
     {{0}}},
    {"{\"resourceType\":\"Nothing\"}", {{E_RESOURCE_TYPE, NULL}}},
    {"{\"id\":\"a\"}", {{E_RESOURCE_TYPE, NULL}}},
    {"[]", {{E_TYPE, NULL}}},
    {"{\"resourceType\":\"Patient\",\"foo\":1}", {{E_ELEMENT_UNKNOWN, "Patient.foo"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\"],\"middle\":\"b\"}]}",
     {{E_ELEMENT_UNKNOWN, "Patient.name[0].middle"}}},
    {"{\"resourceType\":\"Patient\",\"name\":{\"family\":\"a\"}}", {{E_TYPE, "Patient.name"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[]}", {{E_VALUE, "Patient.name"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{}]}", {{E_INVARIANT, "Patient.name[0]"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"id\":\"a\"}]}", {{E_INVARIANT, "Patient.name[0]"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[\"a\"]}", {{E_TYPE, "Patient.name[0]"}}},
    {"{\"resourceType\":\"Patient\",\"active\":\"true\"}", {{E_TYPE, "Patient.active"}}},
    {"{\"resourceType\":\"Patient\",\"active\":[true]}", {{E_TYPE, "Patient.active"}}},
    {"{\"resourceType\":\"Patient\",\"active\":null}", {{E_TYPE, "Patient.active"}}},
    {"{\"resourceType\":\"Patient\",\"birthDate\":\"1990-02-30\"}", {{E_VALUE, "Patient.birthDate"}}},
    {"{\"resourceType\":\"Patient\",\"gender\":\"woman\"}", {{E_CODE_REQUIRED, "Patient.gender"}}},
    {"{\"resourceType\":\"Patient\",\"deceasedBoolean\":true,\"deceasedDateTime\":\"2026\"}",
     {{E_CARDINALITY, "Patient.deceasedDateTime"}}},
    {"{\"resourceType\":\"Patient\",\"deceasedCode\":\"a\"}", {{E_ELEMENT_UNKNOWN, "Patient.deceasedCode"}}},
    {"{\"resourceType\":\"Patient\",\"deceased\":true}", {{E_ELEMENT_UNKNOWN, "Patient.deceased"}}},
    {"{\"resourceType\":\"Patient\",\"id\":\"a b\"}", {{E_VALUE, "Patient.id"}}},
    {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":\"http://"
     "x\",\"valueCode\":\"a\"}]}}",
     {{0}}},
    {"{\"resourceType\":\"Patient\",\"_birthDate\":[]}", {{E_TYPE, "Patient._birthDate"}}},
    {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"value\":1}}",
     {{E_ELEMENT_UNKNOWN, "Patient._birthDate.value"}}},
    {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"id\":\"a\"}}", {{E_INVARIANT, "Patient._birthDate"}}},
    {"{\"resourceType\":\"Patient\",\"birthDate\":\"1990\",\"_birthDate\":{\"id\":\"a\"}}", {{0}}},
    {"{\"resourceType\":\"Patient\",\"_name\":[{\"id\":\"a\"}]}", {{E_ELEMENT_UNKNOWN, "Patient._name"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"b\"],\"_given\":[{\"id\":\"a\","
     "\"extension\":"
     "[{\"url\":\"http://x\",\"valueCode\":\"a\"}]},null]}]}",
     {{0}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"b\"]}]}",
     {{E_TYPE, "Patient.name[0].given[0]"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\",\"b\"],\"_given\":[{\"id\":\"c\"}]}]}",
     {{E_CARDINALITY, "Patient.name[0]._given"}}},
    {"{\"resourceType\":\"Patient\",\"name\":[{\"id\":\"a\",\"text\":\"x\"}],\"address\":[{\"id\":\"a\","
     "\"text\":\"y\"}]}",
     {{E_INVARIANT, "Patient.address[0].id"}}},
    {"{\"resourceType\":\"Claim\",\"status\":\"active\"}",
     {{E_REQUIRED, "Claim"}, {E_REQUIRED, "Claim"}, {0}}},
    {"{\"resourceType\":\"Extension\"}", {{E_RESOURCE_TYPE, NULL}}},
    {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x\"}]}",
     {{E_INVARIANT, "Patient.extension[0]"}}},
    {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"x\",\"valueCode\":\"a\"}]}",
     {{E_VALUE, "Patient.extension[0].url"}}},
    {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/e|1\",\"valueCode\":\"a\"}]}",
     {{E_VALUE, "Patient.extension[0].url"}}},
    {"{\"resourceType\":\"Patient\",\"modifierExtension\":[{\"url\":\"http://x\",\"valueCode\":\"a\"}]}",
     {{E_EXTENSION_UNKNOWN, "Patient.modifierExtension[0]"}}},
    {"{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":\"" DIV "<script/></div>\"}}",
     {{E_VALUE, "Patient.text.div"}}},
    {"{\"resourceType\":\"Encounter\",\"status\":\"finished\",\"class\":{\"code\":\"IMP\"},"
     "\"period\":{\"start\":\"2026-02-01\",\"end\":\"2026-01-31\"}}",
     {{E_INVARIANT, "Encounter.period"}}},
    {"{\"resourceType\":\"Encounter\",\"status\":\"finished\",\"class\":{\"code\":\"IMP\"},"
     "\"period\":{\"start\":\"2026-02-01T23:00:00+08:00\",\"end\":\"2026-02-01T16:00:00Z\"}}",
     {{0}}},
    {"{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
     "1\"},\"clinicalStatus\":{\"coding\":["
     "{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"cured\"}]}}",
     {{E_CODE_REQUIRED, "Condition.clinicalStatus"}}},
    {"{\"resourceType\":\"Claim\",\"meta\":{\"profile\":\"a\"},\"status\":\"active\",\"type\":{\"text\":"
     "\"a\"},"
     "\"use\":\"claim\",\"patient\":{\"display\":\"a\"},\"created\":\"2026\",\"provider\":{\"display\":\"a\"}"
     ","
     "\"priority\":{\"text\":\"a\"},\"insurance\":[{\"sequence\":0,\"focal\":true,\"coverage\":{\"display\":"
     "\"b\"}}]}",
     {{E_TYPE, "Claim.meta.profile"}, {E_VALUE, "Claim.insurance[0].sequence"}}},
};

/* Claim misses six elements: the pairs above would not tell which. */
Test(validate, judges_the_structure_of_r4)
{
    for (size_t i = 0; i < COUNT_OF(structure); i++) {
        struct kit k;
        kit_init(&k);
        kit_judge(&k, structure[i].text, false, NULL);
        if (structure[i].errors[0].code == E_REQUIRED)
            cr_expect_eq(k.issues.errors, 7, "%s", kit_show(&k));
        else
            kit_expect(&k, structure[i].text, structure[i].errors);
        kit_done(&k);
    }
}

Test(validate, names_every_missing_element)
{
    struct kit k;
    kit_init(&k);
    kit_judge(&k, "{\"resourceType\":\"Composition\",\"status\":\"final\"}", false, NULL);
    static const char *const missing[] = {"type", "date", "author", "title"};
    const struct issue *issue = k.issues.first;
    for (size_t i = 0; i < COUNT_OF(missing); i++, issue = issue->next) {
        cr_assert_not_null(issue);
        cr_expect_eq(issue->code, E_REQUIRED);
        cr_expect(view_eq(issue->expected, view_of(missing[i])), "%.*s", VIEW_ARG(issue->expected));
    }
    cr_expect_null(issue);
    kit_done(&k);
}

Test(validate, gives_path_pointer_range_line_and_column)
{
    struct kit k;
    kit_init(&k);
    kit_judge(&k,
              "{\"resourceType\":\"Patient\",\n \"name\":[{\"text\":\"\xE7\x8E\x8B\"},\n"
              "  {\"given\":[\"a\", 5]}]}",
              false, NULL);
    const struct issue *i = kit_issue(&k, E_TYPE, "Patient.name[1].given[1]");
    cr_assert_not_null(i, "%s", kit_show(&k));
    cr_expect(view_eq(i->pointer, V("/name/1/given/1")));
    cr_expect(view_eq(view_sub(k.tree.source, (size_t)i->from, (size_t)i->length), V("5")));
    cr_expect_eq(i->line, 3);
    cr_expect_eq(i->column, 18);
    cr_expect(view_eq(i->expected, V("string")));
    cr_expect(view_eq(i->found, V("number")));
    kit_done(&k);
}

Test(validate, gives_places_in_xml_too)
{
    struct kit k;
    kit_init(&k);
    kit_judge(
        &k,
        "<Patient xmlns=\"http://hl7.org/fhir\">\n  <name><given value=\"a\"/><family value=\"b\"/></name>\n"
        "  <active value=\"4\"/>\n  <birthDate/>\n  <gender value=\"x\"/></Patient>",
        false, NULL);
    static const struct expected_error errors[] = {{E_ELEMENT_ORDER, "Patient.name[0].family"},
                                                   {E_ELEMENT_ORDER, "Patient.active"},
                                                   {E_VALUE, "Patient.active"},
                                                   {E_TYPE, "Patient.birthDate"},
                                                   {E_ELEMENT_ORDER, "Patient.gender"},
                                                   {E_CODE_REQUIRED, "Patient.gender"},
                                                   {E_OK, NULL}};
    kit_expect(&k, "XML", errors);
    const struct issue *i = kit_issue(&k, E_VALUE, "Patient.active");
    cr_expect_eq(i->line, 3);
    cr_expect(
        view_eq(view_sub(k.tree.source, (size_t)i->from, (size_t)i->length), V("<active value=\"4\"/>")));
    kit_done(&k);
}

Test(validate, shows_no_personal_value)
{
    struct kit k;
    kit_init(&k);
    kit_judge(&k,
              "{\"resourceType\":\"Patient\",\"id\":\"A123456789 "
              "x\",\"birthDate\":\"SECRET\",\"active\":\"SECRET\","
              "\"gender\":\"\xE5\xA5\xB3 SECRET\",\"name\":[{\"family\":[\"SECRET\"],\"given\":\"SECRET\"}],"
              "\"managingOrganization\":{\"reference\":\"#SECRET\"},\"SECRET1\":1}",
              true, NULL);
    cr_assert_gt(k.issues.errors, 5);
    for (const struct issue *i = k.issues.first; i; i = i->next) {
        cr_expect_eq(view_find(i->found, V("SECRET")), i->found.n, "%.*s", VIEW_ARG(i->found));
        cr_expect_eq(view_find(i->found, V("A1234")), i->found.n);
        cr_expect_eq(view_find(i->expected, V("SECRET")), i->expected.n, "%.*s", VIEW_ARG(i->expected));
    }
    kit_done(&k);
}

Test(validate, judges_contained_resources_and_their_references)
{
    static const struct structure_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
         "\"name\":\"x\"}],"
         "\"managingOrganization\":{\"reference\":\"#o\"}}",
         {{0}}},
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
         "\"name\":\"x\"}],"
         "\"managingOrganization\":{\"reference\":\"#p\"}}",
         {{E_REFERENCE, "Patient.managingOrganization.reference"}, {E_INVARIANT, "Patient.contained[0]"}}},
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Observation\",\"id\":\"o\","
         "\"status\":\"final\","
         "\"code\":{\"text\":\"a\"},\"subject\":{\"reference\":\"#\"}}]}",
         {{0}}},
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
         "\"name\":\"x\","
         "\"meta\":{\"versionId\":\"1\"}}],\"managingOrganization\":{\"reference\":\"#o\"}}",
         {{E_INVARIANT, "Patient"}}},
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
         "\"foo\":\"x\"}],"
         "\"managingOrganization\":{\"reference\":\"#o\"}}",
         {{E_ELEMENT_UNKNOWN, "Patient.contained[0].foo"}, {E_INVARIANT, "Patient.contained[0]"}}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kit k;
        kit_init(&k);
        kit_judge(&k, cases[i].text, false, NULL);
        kit_expect(&k, cases[i].text, cases[i].errors);
        kit_done(&k);
    }
}

Test(validate, makes_findings_errors_when_strict)
{
    static const char text[] =
        "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://x/p\",\"http://x/p\","
        "\"http://hl7.org/fhir/StructureDefinition/Patient\"]},"
        "\"extension\":[{\"url\":\"http://x/e\",\"valueCode\":\"a\"}]}";
    struct kit k;
    kit_init(&k);
    kit_judge(&k, text, false, NULL);
    cr_expect_eq(k.issues.errors, 0, "%s", kit_show(&k));
    const struct issue *profile = kit_issue(&k, E_PROFILE_NOT_LOADED, "Patient.meta.profile[0]");
    cr_expect(profile && profile->severity == ISSUE_INFO);
    const struct issue *extension = kit_issue(&k, E_EXTENSION_UNKNOWN, "Patient.extension[0]");
    cr_expect(extension && extension->severity == ISSUE_WARNING);
    cr_expect_eq(k.issues.n, 2, "each is said once:\n%s", kit_show(&k));
    kit_judge(&k, text, true, NULL);
    cr_expect_eq(k.issues.errors, 2, "%s", kit_show(&k));
    kit_done(&k);
}

/* An extension that nobody knows and a fullUrl of another type are errors there, a profile that is not loaded is none. */
Test(validate, weighs_as_the_reference_does_when_verdicts_are_compared)
{
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"https://h/fhir/"
        "Patient/1\","
        "\"resource\":{\"resourceType\":\"Basic\",\"id\":\"1\",\"meta\":{\"profile\":[\"http://x/p\"]},"
        "\"extension\":[{\"url\":\"http://x/e\",\"valueCode\":\"a\"}],\"code\":{\"text\":\"a\"}}}]}";
    const struct validate_options checked = {.check = true}, by_hl7 = {.by_hl7 = true};
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, text), E_OK);
    cr_assert_eq(fhir_validate_resource(NULL, &k.tree, tree_root(&k.tree), &checked, k.mem, &k.issues), E_OK);
    cr_expect_eq(k.issues.errors, 0, "%s", kit_show(&k));
    issues_init(&k.issues, k.mem, 100);
    cr_assert_eq(fhir_validate_resource(NULL, &k.tree, tree_root(&k.tree), &by_hl7, k.mem, &k.issues), E_OK);
    cr_expect_eq(k.issues.errors, 2, "%s", kit_show(&k));
    cr_expect(kit_issue(&k, E_EXTENSION_UNKNOWN, "Bundle.entry[0].resource.extension[0]"));
    cr_expect(kit_issue(&k, E_VALUE, "Bundle.entry[0].fullUrl"));
    kit_done(&k);
}

Test(validate, refuses_a_demand_that_is_not_loaded)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Patient\"}"), E_OK);
    struct validate_options o = {.demand = V("http://x/p")};
    cr_expect_eq(fhir_validate_resource(NULL, &k.tree, tree_root(&k.tree), &o, k.mem, &k.issues),
                 E_PROFILE_UNKNOWN);
    kit_done(&k);
}

/* ---- documents ---- */

#define ID "\"identifier\":{\"system\":\"http://x\",\"value\":\"1\"}"
#define HEAD                                                                                                 \
    "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"timestamp\":\"2026-11-21T08:00:00+08:00\"," ID
#define U1 "urn:uuid:11111111-1111-1111-1111-111111111111"
#define U2 "urn:uuid:22222222-2222-2222-2222-222222222222"
#define COMPOSITION(subject)                                                                                 \
    "{\"fullUrl\":\"" U1                                                                                     \
    "\",\"resource\":{\"resourceType\":\"Composition\",\"id\":\"c\",\"status\":\"final\","                   \
    "\"type\":{\"text\":\"a\"},\"date\":\"2026\",\"author\":[{\"display\":\"a\"}],\"title\":\"t\","          \
    "\"subject\":{\"reference\":\"" subject "\"}}}"
#define PATIENT "{\"fullUrl\":\"" U2 "\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}"

static const struct structure_case documents[] = {
    {HEAD ",\"entry\":[" COMPOSITION(U2) "," PATIENT "]}", {{0}}},
    {HEAD ",\"entry\":[" COMPOSITION("Patient/p") "," PATIENT "]}", {{0}}},
    {HEAD ",\"entry\":[" PATIENT "," COMPOSITION(U2) "]}", {{E_RESOURCE_TYPE, "Bundle.entry[0]"}}},
    {HEAD "}", {{E_REQUIRED, "Bundle"}}},
    {"{\"resourceType\":\"Bundle\",\"type\":\"document\",\"entry\":[" COMPOSITION(U2) "," PATIENT "]}",
     {{E_REQUIRED, "Bundle"}, {E_REQUIRED, "Bundle"}}},
    {"{\"resourceType\":\"Bundle\",\"type\":\"document\",\"timestamp\":\"2026-11-21T08:00:00Z\","
     "\"identifier\":"
     "{\"value\":\"1\"},\"entry\":[" COMPOSITION(U2) "," PATIENT "]}",
     {{E_REQUIRED, "Bundle.identifier"}}},
    {HEAD ",\"entry\":[" COMPOSITION(U2) ",{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}]}",
     {{E_REQUIRED, "Bundle.entry[1]"}, {E_REFERENCE, "Bundle.entry[0].resource.subject.reference"}}},
    {HEAD ",\"entry\":[" COMPOSITION("Patient/q") "," PATIENT "]}",
     {{E_REFERENCE, "Bundle.entry[0].resource.subject.reference"}}},
    {HEAD ",\"entry\":[" COMPOSITION("urn:uuid:33333333-3333-3333-3333-333333333333") "," PATIENT "]}",
     {{E_REFERENCE, "Bundle.entry[0].resource.subject.reference"}}},
    {HEAD ",\"entry\":[" COMPOSITION(U2) "," PATIENT "," PATIENT "]}", {{E_INVARIANT, "Bundle.entry[2]"}}},
    {HEAD ",\"entry\":[" COMPOSITION(U2) "," PATIENT
                                         ",{\"fullUrl\":\"https://h/fhir/Patient/x\",\"resource\":"
                                         "{\"resourceType\":\"Patient\",\"id\":\"y\"}}]}",
     {{E_VALUE, "Bundle.entry[2].fullUrl"}}},
    {HEAD ",\"entry\":[" COMPOSITION("Practitioner/p") "," PATIENT "]}",
     {{E_REFERENCE, "Bundle.entry[0].resource.subject.reference"}}},
};

Test(validate, holds_documents_to_their_rules)
{
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct kit k;
        kit_init(&k);
        kit_judge(&k, documents[i].text, false, NULL);
        kit_expect(&k, documents[i].text, documents[i].errors);
        kit_done(&k);
    }
}

Test(validate, takes_a_reference_to_the_outside_as_a_finding_unless_strict)
{
    static const char text[] = HEAD ",\"entry\":[" COMPOSITION("https://h/fhir/Patient/1") "," PATIENT "]}";
    struct kit k;
    kit_init(&k);
    kit_judge(&k, text, false, NULL);
    const struct issue *i = kit_issue(&k, E_REFERENCE_OUTSIDE, "Bundle.entry[0].resource.subject.reference");
    cr_assert(i && i->severity == ISSUE_WARNING, "%s", kit_show(&k));
    cr_expect(view_eq(i->found, V("a URL of type Patient")), "no id is shown: %.*s", VIEW_ARG(i->found));
    kit_judge(&k, text, true, NULL);
    i = kit_issue(&k, E_REFERENCE_OUTSIDE, NULL);
    cr_assert(i && i->severity == ISSUE_ERROR);
    kit_done(&k);
}

Test(validate, leaves_other_bundles_their_references)
{
    struct kit k;
    kit_init(&k);
    kit_judge(&k,
              "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" COMPOSITION(
                  "Patient/elsewhere") "]}",
              true, NULL);
    cr_expect_eq(k.issues.n, 0, "%s", kit_show(&k));
    kit_done(&k);
}

#define U2_TEXT "22222222-2222-2222-2222-222222222222"

/* A reference by type and UUID leads nowhere when entries are named by URN; that is an error where the entry of this UUID is of
 * another type. */
Test(validate, refuses_a_reference_whose_uuid_is_of_another_type)
{
    struct kit k;
    kit_init(&k);
    kit_judge(&k,
              "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" COMPOSITION(
                  "Practitioner/" U2_TEXT) "," PATIENT "]}",
              false, NULL);
    cr_expect_eq(k.issues.errors, 1, "%s", kit_show(&k));
    cr_expect(kit_issue(&k, E_REFERENCE, "Bundle.entry[0].resource.subject.reference"));
    kit_judge(&k,
              "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" COMPOSITION(
                  "Patient/" U2_TEXT) "," PATIENT "]}",
              false, NULL);
    cr_expect_eq(k.issues.errors, 0, "%s", kit_show(&k));
    kit_done(&k);
}

/* Each of these would take minutes if anything in the walk were quadratic. */
static void
judge_many(const char *head, const char *item, const char *tail, unsigned n)
{
    struct kit k;
    struct buf b;
    kit_init(&k);
    buf_init(&b, 10u << 20);
    buf_printf(&b, "%s", head);
    for (unsigned i = 0; i < n; i++) {
        buf_printf(&b, "%s", i ? "," : "");
        buf_printf(&b, "%.*s%u%s", (int)(strchr(item, '%') - item), item, i, strchr(item, '%') + 1);
    }
    buf_printf(&b, "%s", tail);
    cr_assert_not(b.failed);
    arena_free(k.mem);
    k.mem = arena_new(1024u << 20);
    cr_assert_eq(tree_read_json(buf_view(&b), NULL, k.mem, &k.tree, &k.fault), E_OK, "%s", k.fault.where);
    issues_init(&k.issues, k.mem, 50);
    struct validate_options o = {.strict = false};
    err e = fhir_validate_resource(NULL, &k.tree, tree_root(&k.tree), &o, k.mem, &k.issues);
    cr_expect_eq(e, E_OK, "%s", err_info(e)->name);
    buf_done(&b);
    kit_done(&k);
}

Test(validate, takes_linear_time, .timeout = 60)
{
    judge_many("{\"resourceType\":\"Patient\",", "\"x%\":1", "}", 100000);
    judge_many("{\"resourceType\":\"Patient\",\"contained\":[", "{\"resourceType\":\"Basic\",\"id\":\"i%\"}",
               "],\"managingOrganization\":{\"reference\":\"#i5\"}}", 50000);
    judge_many("{\"resourceType\":\"Patient\",\"extension\":[", "{\"url\":\"a%\",\"valueCode\":\"a\"}", "]}",
               100000);
    judge_many("{\"resourceType\":\"Patient\",\"name\":[{\"given\":[", "\"%\"", "]}]}", 300000);
    judge_many(HEAD ",\"entry\":[" COMPOSITION(U2) ",",
               "{\"fullUrl\":\"https://h/Basic/"
               "b%\",\"resource\":{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"},"
               "\"subject\":{\"reference\":\"Patient/none\"}}}",
               "]}", 40000);
}

Test(validate, answers_too_large_when_the_arena_is_full)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://x/p\"]}}"),
                 E_OK);
    arena *small = arena_new(64);
    struct issues issues;
    issues_init(&issues, small, 10);
    struct validate_options o = {.strict = false};
    cr_expect_eq(fhir_validate_resource(NULL, &k.tree, tree_root(&k.tree), &o, small, &issues), E_TOO_LARGE);
    arena_free(small);
    kit_done(&k);
}
