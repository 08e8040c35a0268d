#include "fhir_kit.h"

#include <stdio.h>

/* The profiles stand in tests/unit/fhir/profiles. */

#define FILES_MAX 8
#define FILE_BYTES 8192

struct files {
    struct embedded list[FILES_MAX];
    size_t n;
    char paths[FILES_MAX][256];
    char bytes[FILES_MAX][FILE_BYTES];
};

/* names: without .json, blanks between them. */
static void
read_files(struct files *f, const char *names)
{
    view rest = view_of(names);
    for (f->n = 0; rest.n > 0; f->n++) {
        view name = view_cut(&rest, ' ', NULL);
        snprintf(f->paths[f->n], sizeof f->paths[0], "%s/tests/unit/fhir/profiles/%.*s.json", TEST_SOURCE_DIR,
                 VIEW_ARG(name));
        FILE *file = fopen(f->paths[f->n], "rb");
        cr_assert_not_null(file, "%s", f->paths[f->n]);
        size_t n = fread(f->bytes[f->n], 1, FILE_BYTES, file);
        fclose(file);
        cr_assert(n > 0 && n < FILE_BYTES, "%s", f->paths[f->n]);
        f->list[f->n] = (struct embedded){f->paths[f->n], f->bytes[f->n], n};
    }
}

static void
load(struct kit *k, const char *names)
{
    static struct files f;
    read_files(&f, names);
    kit_load(k, f.list, f.n);
}

struct profile_case {
    const char *text;
    struct expected_error errors[4];
};

static void
judge_cases(const char *names, const char *demand, const struct profile_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct kit k;
        kit_init(&k);
        load(&k, names);
        kit_judge(&k, cases[i].text, false, demand);
        kit_expect(&k, cases[i].text, cases[i].errors);
        kit_done(&k);
    }
}

#define PATIENT(more) "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://x/patient\"]}" more "}"
#define NHI "{\"system\":\"http://nhi\",\"value\":\"1234\"}"
#define IDS(list) ",\"gender\":\"male\",\"identifier\":[" list "]"
#define GOOD IDS(NHI)

static const struct profile_case patients[] = {
    {PATIENT(GOOD), {{0}}},
    {PATIENT(GOOD ",\"name\":[{\"text\":\"\xE7\x8E\x8B\"}],\"deceasedDateTime\":\"2026\""), {{0}}},
    {PATIENT(""), {{E_REQUIRED, "Patient"}, {E_REQUIRED, "Patient"}}},
    {PATIENT(IDS("{\"system\":\"http://other\"}")), {{E_REQUIRED, "Patient.identifier"}}},
    {PATIENT(IDS(NHI "," NHI)), {{E_CARDINALITY, "Patient.identifier"}}},
    {PATIENT(IDS("{\"value\":\"x\"},{\"system\":\"http://nhi\"}")), {{E_REQUIRED, "Patient.identifier[1]"}}},
    {PATIENT(IDS("{\"system\":\"http://nhi\",\"value\":\"12345\"}")),
     {{E_VALUE, "Patient.identifier[0].value"}}},
    {PATIENT(GOOD ",\"photo\":[{\"title\":\"a\"}]"), {{E_CARDINALITY, "Patient.photo"}}},
    {PATIENT(GOOD ",\"name\":[{\"family\":\"a\"},{\"family\":\"b\"},{\"family\":\"c\"}]"),
     {{E_CARDINALITY, "Patient.name"}}},
    {PATIENT(GOOD ",\"name\":[{\"text\":\"Wang\"}]"), {{E_INVARIANT, "Patient.name[0].text"}}},
    {PATIENT(GOOD ",\"deceasedBoolean\":true"), {{E_TYPE, "Patient.deceasedBoolean"}}},
    {PATIENT(GOOD ",\"maritalStatus\":{\"coding\":[{\"code\":\"x\"},"
                  "{\"system\":\"http://m\",\"code\":\"S\",\"display\":\"d\"}]}"),
     {{0}}},
    {PATIENT(GOOD ",\"maritalStatus\":{\"coding\":[{\"system\":\"http://m\",\"code\":\"M\"}]}"),
     {{E_FIXED, "Patient.maritalStatus"}}},
    {PATIENT(GOOD ",\"managingOrganization\":{\"reference\":\"Organization/1\"}"), {{0}}},
    {PATIENT(GOOD ",\"managingOrganization\":{\"reference\":\"Practitioner/1\"}"),
     {{E_TYPE, "Patient.managingOrganization"}}},
    {PATIENT(GOOD ",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
                  "\"identifier\":[{\"value\":\"a\"}]}],\"managingOrganization\":{\"reference\":\"#o\"}"),
     {{E_REQUIRED, "Patient.contained[0]"}}},
};

Test(profile, judges_what_a_differential_asks)
{
    judge_cases("child patient hospital", NULL, patients, COUNT_OF(patients));
}

/* The child refines a slice of its parent without saying again how to tell it. */
Test(profile, judges_the_parent_of_a_differential_too)
{
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"gender\":\"male\",\"birthDate\":\"2000\",\"identifier\":["
         "{\"use\":\"official\",\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{0}}},
        {"{\"resourceType\":\"Patient\",\"birthDate\":\"2000\",\"identifier\":["
         "{\"use\":\"old\",\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{E_REQUIRED, "Patient"}, {E_FIXED, "Patient.identifier[0].use"}}},
        {"{\"resourceType\":\"Patient\",\"gender\":\"male\",\"identifier\":["
         "{\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{E_REQUIRED, "Patient"}, {E_REQUIRED, "Patient.identifier[0]"}}},
        {"{\"resourceType\":\"Organization\",\"name\":\"a\"}", {{E_RESOURCE_TYPE, "Organization"}}},
    };
    judge_cases("child patient hospital", "http://x/child|1.0", cases, COUNT_OF(cases));
}

Test(profile, tells_of_rules_that_nobody_judges_when_strict)
{
    struct kit k;
    kit_init(&k);
    load(&k, "patient hospital");
    kit_judge(&k, PATIENT(GOOD ",\"name\":[{\"text\":\"\xE7\x8E\x8B\"}]"), true, NULL);
    const struct issue *i = kit_issue(&k, E_RULE_NOT_JUDGED, NULL);
    cr_assert(i && i->severity == ISSUE_INFO, "%s", kit_show(&k));
    cr_expect(view_eq(i->expected, V("x-1")));
    cr_expect_eq(k.issues.n, 1, "%s", kit_show(&k));
    kit_judge(&k, PATIENT(GOOD), false, NULL);
    cr_expect_eq(k.issues.n, 0, "%s", kit_show(&k));
    kit_done(&k);
}

/* ---- codes ---- */

#define OBSERVATION(more)                                                                                    \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"a\"}" more "}"
#define CODING(s, c) "{\"coding\":[{\"system\":\"" s "\",\"code\":\"" c "\"}]}"
#define CODES "bound set-all set-more set-open colours"

static const struct profile_case codes[] = {
    {OBSERVATION(",\"method\":" CODING("http://c", "red")), {{0}}},
    {OBSERVATION(",\"method\":" CODING("http://c", "dark-red")), {{0}}},
    {OBSERVATION(",\"method\":" CODING("http://d", "green")), {{0}}},
    {OBSERVATION(",\"method\":{\"coding\":[{\"system\":\"http://z\",\"code\":\"z\"},"
                 "{\"system\":\"http://c\",\"code\":\"red\"}]}"),
     {{0}}},
    {OBSERVATION(",\"method\":" CODING("http://c", "blue")), {{E_CODE_REQUIRED, "Observation.method"}}},
    {OBSERVATION(",\"method\":" CODING("http://d", "red")), {{E_CODE_REQUIRED, "Observation.method"}}},
    {OBSERVATION(",\"method\":{\"text\":\"a\"}"), {{E_CODE_REQUIRED, "Observation.method"}}},
    {OBSERVATION(",\"bodySite\":" CODING("http://not-loaded", "x")), {{0}}},
    {OBSERVATION(",\"bodySite\":" CODING("http://c", "red")), {{E_CODE_REQUIRED, "Observation.bodySite"}}},
    {OBSERVATION(",\"language\":\"green\""), {{0}}},
    {OBSERVATION(",\"language\":\"zh-TW\""), {{E_CODE_REQUIRED, "Observation.language"}}},
};

Test(profile, holds_codes_to_value_sets)
{
    judge_cases(CODES, "http://x/bound", codes, COUNT_OF(codes));
}

Test(profile, takes_a_code_outside_an_extensible_set_as_a_finding)
{
    struct kit k;
    kit_init(&k);
    load(&k, CODES);
    kit_judge(&k, OBSERVATION(",\"interpretation\":[" CODING("http://z", "z") ",{\"text\":\"a\"}]"), true,
              "http://x/bound");
    const struct issue *i = kit_issue(&k, E_CODE_UNKNOWN, "Observation.interpretation[0]");
    cr_assert(i && i->severity == ISSUE_WARNING, "%s", kit_show(&k));
    cr_expect(view_eq(i->found, V("http://z|z")));
    cr_expect_not_null(kit_issue(&k, E_CODE_UNKNOWN, "Observation.code"), "a set that is not loaded");
    cr_expect_eq(kit_count(&k, ISSUE_WARNING), 3, "text alone will do:\n%s", kit_show(&k));
    kit_done(&k);
}

/* A binding to a version that is not loaded finds nothing and refuses nothing; it is told. */
Test(profile, keeps_versions_of_canonicals_apart)
{
    struct kit k;
    kit_init(&k);
    load(&k, CODES);
    kit_judge(&k, OBSERVATION(""), false, "http://x/bound");
    cr_expect_eq(k.issues.n, 1, "%s", kit_show(&k));
    cr_expect_not_null(kit_issue(&k, E_CODE_UNKNOWN, "Observation.code"));
    cr_expect(profiles_know(k.profiles, V("http://x/bound")));
    cr_expect(profiles_know(k.profiles, V("http://x/bound|1.0")));
    cr_expect_not(profiles_know(k.profiles, V("http://x/bound|2.0")));
    cr_expect_not(profiles_know(k.profiles, V("http://x/")));
    kit_done(&k);
}

/* ---- extensions ---- */

#define WITH(parts)                                                                                          \
    "{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/complex\",\"extension\":[" parts "]}]" \
    "}"

static const struct profile_case extensions[] = {
    {WITH("{\"url\":\"from\",\"valueDate\":\"2026\"}"), {{0}}},
    {WITH("{\"url\":\"to\",\"valueDate\":\"2026\"}"), {{E_REQUIRED, "Patient.extension[0].extension"}}},
    {WITH("{\"url\":\"from\",\"valueString\":\"2026\"}"),
     {{E_TYPE, "Patient.extension[0].extension[0].valueString"}}},
    {WITH("{\"url\":\"from\",\"valueDate\":\"2026\"},{\"url\":\"until\",\"valueDate\":\"2026\"}"),
     {{E_EXTENSION_UNKNOWN, "Patient.extension[0].extension[1]"}}},
    {"{\"resourceType\":\"Patient\"}", {{E_REQUIRED, "Patient"}}},
    {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/complex\",\"valueDate\":\"2026\"}]}",
     {{E_REQUIRED, "Patient.extension[0]"}, {E_CARDINALITY, "Patient.extension[0].valueDate"}}},
};

Test(profile, judges_extensions_by_their_definitions)
{
    judge_cases("user complex simple", "http://x/user", extensions, COUNT_OF(extensions));
}

#define SIMPLE(value) "\"extension\":[{\"url\":\"http://x/simple\"," value "}]"

Test(profile, holds_extensions_to_their_context)
{
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"_birthDate\":{" SIMPLE("\"valueCode\":\"a\"") "}}", {{0}}},
        {"{\"resourceType\":\"Patient\"," SIMPLE("\"valueCode\":\"a\"") "}",
         {{E_ELEMENT_UNKNOWN, "Patient.extension[0]"}}},
        {"{\"resourceType\":\"Patient\",\"_birthDate\":{" SIMPLE("\"valueString\":\"a\"") "}}",
         {{E_TYPE, "Patient._birthDate.extension[0].valueString"}}},
    };
    judge_cases("simple", NULL, cases, COUNT_OF(cases));
}

/* ---- slices ---- */

#define HIGH "{\"code\":{\"coding\":[{\"code\":\"h\"}]},\"interpretation\":[{\"text\":\"a\"}]}"
#define PLAIN "{\"code\":{\"coding\":[{\"code\":\"h\"}]}}"
#define DOCTOR                                                                                               \
    ",\"performer\":[{\"reference\":\"#p\"}],\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":"      \
    "\"p\"}]"
#define NURSE                                                                                                \
    ",\"performer\":[{\"reference\":\"#p\"}],\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}]"

Test(profile, slices_by_pattern_existence_type_and_option)
{
    static const struct profile_case cases[] = {
        {OBSERVATION(DOCTOR ",\"component\":[" HIGH "," PLAIN "]"), {{0}}},
        {OBSERVATION(DOCTOR ",\"component\":[" HIGH "," HIGH "]"),
         {{E_CARDINALITY, "Observation.component"}}},
        {OBSERVATION(DOCTOR ",\"component\":[" PLAIN "," PLAIN "]"),
         {{E_CARDINALITY, "Observation.component"}}},
        {OBSERVATION(NURSE), {{E_REQUIRED, "Observation.performer"}}},
        {OBSERVATION(DOCTOR ",\"valueQuantity\":{\"value\":1,\"unit\":\"g\"}"), {{0}}},
        {OBSERVATION(DOCTOR ",\"valueQuantity\":{\"value\":1}"), {{E_REQUIRED, "Observation.valueQuantity"}}},
        {OBSERVATION(DOCTOR ",\"valueString\":\"a\""), {{0}}},
    };
    judge_cases("kinds", "http://x/kinds", cases, COUNT_OF(cases));
}

#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define INSURED "{\"resource\":" PATIENT(GOOD) "}"
#define CLINIC "{\"resource\":{\"resourceType\":\"Organization\",\"name\":\"a\"}}"

Test(profile, slices_entries_by_the_profile_of_their_resource)
{
    static const struct profile_case cases[] = {
        {BUNDLE(INSURED "," CLINIC), {{0}}},
        {BUNDLE(CLINIC), {{E_REQUIRED, "Bundle.entry"}}},
        {BUNDLE(INSURED ",{\"resource\":{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}}}"),
         {{E_CARDINALITY, "Bundle.entry[1]"}}},
        /* The profile of the slice is judged although the resource does not name it. */
        {BUNDLE("{\"resource\":{\"resourceType\":\"Patient\",\"identifier\":[" NHI "]}}"),
         {{E_REQUIRED, "Bundle.entry[0].resource"}}},
    };
    judge_cases("document patient hospital", "http://x/document", cases, COUNT_OF(cases));
}

Test(profile, judges_each_resource_of_a_bundle_by_its_own_profile)
{
    static const struct profile_case cases[] = {
        {BUNDLE("{\"resource\":" PATIENT("") "},{\"resource\":{\"resourceType\":\"Patient\"}}"),
         {{E_REQUIRED, "Bundle.entry[0].resource"}, {E_REQUIRED, "Bundle.entry[0].resource"}}},
    };
    judge_cases("patient hospital", NULL, cases, COUNT_OF(cases));
}

/* ---- loading ---- */

Test(profile, names_the_file_that_is_wrong)
{
    static const char *const wrong[] = {"wrong-json", "wrong-element", "wrong-parent",     "wrong-min",
                                        "wrong-url",  "wrong-depth",   "hospital hospital"};
    static struct files files;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct profile_set *set = NULL;
        struct fault f;
        fault_init(&f);
        read_files(&files, wrong[i]);
        cr_expect_eq(profiles_load(files.list, files.n, &set, &f), E_CONFIG, "%s", wrong[i]);
        cr_expect_null(set, "%s", wrong[i]);
        view file = view_cut(&(view){wrong[i], strlen(wrong[i])}, ' ', NULL);
        cr_expect(view_find(view_of(f.where), file) < strlen(f.where), "%s: %s", wrong[i], f.where);
    }
}

Test(profile, lists_profiles_of_resources_in_order)
{
    struct kit k;
    view urls[8];
    kit_init(&k);
    load(&k, "patient child hospital complex");
    cr_assert_eq(profiles_list(k.profiles, urls, COUNT_OF(urls)), 3, "extensions are no resources");
    cr_expect(view_eq(urls[0], V("http://x/child")));
    cr_expect(view_eq(urls[1], V("http://x/hospital")));
    cr_expect(view_eq(urls[2], V("http://x/patient")));
    cr_expect_eq(profiles_list(k.profiles, urls, 1), 3, "the count is that of all");
    kit_done(&k);
}

Test(profile, prefers_the_newest_version)
{
    static const char basic[] = "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}}";
    struct kit k;
    kit_init(&k);
    load(&k, "p-1.10 p-1.9");
    kit_judge(&k, basic, false, "http://x/p");
    cr_expect(view_eq(k.issues.first->expected, V("author 1..1")), "%s", kit_show(&k));
    kit_judge(&k, basic, false, "http://x/p|1.9.0");
    cr_expect(view_eq(k.issues.first->expected, V("created 1..1")), "%s", kit_show(&k));
    kit_done(&k);
}

Test(profile, takes_elements_without_ids_by_path_and_slice)
{
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://a\"}]}", {{0}}},
        {"{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://b\"}]}",
         {{E_REQUIRED, "Patient.identifier"}}},
    };
    judge_cases("no-ids", "http://x/no-ids", cases, COUNT_OF(cases));
}

Test(profile, loads_the_profiles_of_the_program)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, fhir_profiles, fhir_profiles_count);
    kit_done(&k);
}
