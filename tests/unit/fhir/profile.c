#include "fhir_kit.h"

#define FILE(path, text) {path, text, sizeof(text) - 1}
#define SD(url, type, base, elements)                                                                      \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/" url "\",\"version\":\"1.0\",\"type\":\"" type "\","  \
    "\"kind\":\"resource\",\"derivation\":\"constraint\",\"baseDefinition\":\"" base "\",\"differential\":{\"element\":[" \
    elements "]}}"
#define CORE(type) "http://hl7.org/fhir/StructureDefinition/" type
#define EL(id, path, rest) "{\"id\":\"" id "\",\"path\":\"" path "\"," rest "}"

static const char patient[] = SD(
    "patient", "Patient", CORE("Patient"),
    EL("Patient.identifier", "Patient.identifier",
       "\"min\":1,\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"system\"}],\"rules\":\"open\"}") ","
    EL("Patient.identifier:nhi", "Patient.identifier", "\"sliceName\":\"nhi\",\"min\":1,\"max\":\"1\"") ","
    EL("Patient.identifier:nhi.system", "Patient.identifier.system", "\"min\":1,\"fixedUri\":\"http://nhi\"") ","
    EL("Patient.identifier:nhi.value", "Patient.identifier.value", "\"min\":1,\"maxLength\":4") ","
    EL("Patient.gender", "Patient.gender", "\"min\":1") ","
    EL("Patient.photo", "Patient.photo", "\"max\":\"0\"") ","
    EL("Patient.name", "Patient.name", "\"max\":\"2\"") ","
    EL("Patient.name.text", "Patient.name.text", "\"constraint\":[{\"key\":\"cg-han\",\"severity\":\"error\"},"
       "{\"key\":\"x-1\",\"severity\":\"error\"},{\"key\":\"ele-1\",\"severity\":\"error\"}]") ","
    EL("Patient.deceased[x]", "Patient.deceased[x]", "\"type\":[{\"code\":\"dateTime\"}]") ","
    EL("Patient.maritalStatus", "Patient.maritalStatus",
       "\"patternCodeableConcept\":{\"coding\":[{\"system\":\"http://m\",\"code\":\"S\"}]}") ","
    EL("Patient.managingOrganization", "Patient.managingOrganization",
       "\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://x/hospital\"]}]"));

static const char hospital[] = SD("hospital", "Organization", CORE("Organization"),
                                  EL("Organization.name", "Organization.name", "\"min\":1"));

/* Derived: refines the slice of its parent without saying again how to tell it. */
static const char child[] = SD("child", "Patient", "http://x/patient",
                               EL("Patient.birthDate", "Patient.birthDate", "\"min\":1") ","
                               EL("Patient.identifier:nhi.use", "Patient.identifier.use",
                                  "\"min\":1,\"patternCode\":\"official\""));

static const struct embedded people[] = {FILE("child.json", child), FILE("patient.json", patient),
                                         FILE("hospital.json", hospital)};

#define PATIENT(more) "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://x/patient\"]}" more "}"
#define NHI "{\"system\":\"http://nhi\",\"value\":\"1234\"}"
#define GOOD ",\"gender\":\"male\",\"identifier\":[" NHI "]"

struct profile_case {
    const char *text;
    struct expected_error errors[4];
};

static const struct profile_case patients[] = {
    {PATIENT(GOOD), {{0}}},
    {PATIENT(GOOD ",\"name\":[{\"text\":\"\xE7\x8E\x8B\"}],\"deceasedDateTime\":\"2026\""), {{0}}},
    {PATIENT(""), {{E_REQUIRED, "Patient"}, {E_REQUIRED, "Patient"}, {E_REQUIRED, "Patient"}}},
    {PATIENT(",\"gender\":\"male\",\"identifier\":[{\"system\":\"http://other\"}]"), {{E_REQUIRED, "Patient.identifier"}}},
    {PATIENT(",\"gender\":\"male\",\"identifier\":[" NHI "," NHI "]"), {{E_CARDINALITY, "Patient.identifier"}}},
    {PATIENT(",\"gender\":\"male\",\"identifier\":[{\"value\":\"x\"},{\"system\":\"http://nhi\"}]"),
     {{E_REQUIRED, "Patient.identifier[1]"}}},
    {PATIENT(",\"gender\":\"male\",\"identifier\":[{\"system\":\"http://nhi\",\"value\":\"12345\"}]"),
     {{E_VALUE, "Patient.identifier[0].value"}}},
    {PATIENT(GOOD ",\"photo\":[{\"title\":\"a\"}]"), {{E_CARDINALITY, "Patient.photo"}}},
    {PATIENT(GOOD ",\"name\":[{\"family\":\"a\"},{\"family\":\"b\"},{\"family\":\"c\"}]"), {{E_CARDINALITY, "Patient.name"}}},
    {PATIENT(GOOD ",\"name\":[{\"text\":\"Wang\"}]"), {{E_INVARIANT, "Patient.name[0].text"}}},
    {PATIENT(GOOD ",\"deceasedBoolean\":true"), {{E_TYPE, "Patient.deceasedBoolean"}}},
    {PATIENT(GOOD ",\"maritalStatus\":{\"coding\":[{\"code\":\"x\"},{\"system\":\"http://m\",\"code\":\"S\",\"display\":\"d\"}]}"),
     {{0}}},
    {PATIENT(GOOD ",\"maritalStatus\":{\"coding\":[{\"system\":\"http://m\",\"code\":\"M\"}]}"),
     {{E_FIXED, "Patient.maritalStatus"}}},
    {PATIENT(GOOD ",\"managingOrganization\":{\"reference\":\"Organization/1\"}"), {{0}}},
    {PATIENT(GOOD ",\"managingOrganization\":{\"reference\":\"Practitioner/1\"}"), {{E_TYPE, "Patient.managingOrganization"}}},
    {PATIENT(GOOD ",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"active\":true,"
                  "\"identifier\":[{\"value\":\"a\"}]}],\"managingOrganization\":{\"reference\":\"#o\"}"),
     {{E_REQUIRED, "Patient.contained[0]"}}},
};

static void
judge_cases(const struct embedded *files, size_t n_files, const struct profile_case *cases, size_t n, const char *demand)
{
    for (size_t i = 0; i < n; i++) {
        struct kit k;
        kit_init(&k);
        kit_load(&k, files, n_files);
        kit_judge(&k, cases[i].text, false, demand);
        kit_expect(&k, cases[i].text, cases[i].errors);
        kit_done(&k);
    }
}

Test(profile, judges_what_a_differential_asks)
{
    judge_cases(people, COUNT_OF(people), patients, COUNT_OF(patients), NULL);
}

Test(profile, judges_the_parent_of_a_differential_too)
{
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"gender\":\"male\",\"birthDate\":\"2000\",\"identifier\":["
         "{\"use\":\"official\",\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{0}}},
        {"{\"resourceType\":\"Patient\",\"birthDate\":\"2000\",\"identifier\":["
         "{\"use\":\"old\",\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{E_REQUIRED, "Patient"}, {E_FIXED, "Patient.identifier[0].use"}}},
        {"{\"resourceType\":\"Patient\",\"gender\":\"male\",\"identifier\":[{\"system\":\"http://nhi\",\"value\":\"1\"}]}",
         {{E_REQUIRED, "Patient"}, {E_REQUIRED, "Patient.identifier[0]"}}},
        {"{\"resourceType\":\"Organization\",\"name\":\"a\"}", {{E_RESOURCE_TYPE, "Organization"}}},
    };
    judge_cases(people, COUNT_OF(people), cases, COUNT_OF(cases), "http://x/child|1.0");
}

Test(profile, tells_of_rules_that_nobody_judges_when_strict)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, people, COUNT_OF(people));
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

static const char colours[] = "{\"resourceType\":\"CodeSystem\",\"url\":\"http://c\",\"content\":\"complete\",\"concept\":["
                              "{\"code\":\"red\",\"concept\":[{\"code\":\"dark-red\"}]},{\"code\":\"blue\"}]}";
static const char set_all[] = "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/all\",\"compose\":{\"include\":["
                              "{\"system\":\"http://c\"},{\"valueSet\":[\"http://v/more\"]}],"
                              "\"exclude\":[{\"system\":\"http://c\",\"concept\":[{\"code\":\"blue\"}]}]}}";
static const char set_more[] = "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/more\",\"compose\":{\"include\":["
                               "{\"system\":\"http://d\",\"concept\":[{\"code\":\"green\"}]}]}}";
static const char set_open[] = "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/open\",\"compose\":{\"include\":["
                               "{\"system\":\"http://not-loaded\"}]}}";
static const char bound[] =
    SD("bound", "Observation", CORE("Observation"),
       EL("Observation.code", "Observation.code", "\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://v/all|1\"}") ","
       EL("Observation.method", "Observation.method", "\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://v/all\"}") ","
       EL("Observation.bodySite", "Observation.bodySite", "\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://v/open\"}") ","
       EL("Observation.interpretation", "Observation.interpretation",
          "\"binding\":{\"strength\":\"extensible\",\"valueSet\":\"http://v/more\"}") ","
       EL("Observation.language", "Observation.language", "\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://v/more\"}"));

static const struct embedded colour_files[] = {FILE("bound.json", bound), FILE("all.json", set_all),
                                               FILE("more.json", set_more), FILE("open.json", set_open),
                                               FILE("colours.json", colours)};

#define OBSERVATION(more)                                                                                  \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"a\"}" more "}"
#define CODING(s, c) "{\"coding\":[{\"system\":\"" s "\",\"code\":\"" c "\"}]}"

static const struct profile_case observations[] = {
    {OBSERVATION(",\"method\":" CODING("http://c", "red")), {{0}}},
    {OBSERVATION(",\"method\":" CODING("http://c", "dark-red")), {{0}}},
    {OBSERVATION(",\"method\":" CODING("http://d", "green")), {{0}}},
    {OBSERVATION(",\"method\":{\"coding\":[{\"system\":\"http://z\",\"code\":\"z\"},{\"system\":\"http://c\",\"code\":\"red\"}]}"),
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
    judge_cases(colour_files, COUNT_OF(colour_files), observations, COUNT_OF(observations), "http://x/bound");
}

Test(profile, takes_a_code_outside_an_extensible_set_as_a_finding)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, colour_files, COUNT_OF(colour_files));
    kit_judge(&k, OBSERVATION(",\"interpretation\":[" CODING("http://z", "z") ",{\"text\":\"a\"}]"), true, "http://x/bound");
    const struct issue *i = kit_issue(&k, E_CODE_UNKNOWN, "Observation.interpretation[0]");
    cr_assert(i && i->severity == ISSUE_WARNING, "%s", kit_show(&k));
    cr_expect(view_eq(i->found, V("http://z|z")));
    cr_expect_eq(k.issues.n, 1, "text alone will do:\n%s", kit_show(&k));
    kit_done(&k);
}

/* A binding to a version that is not loaded finds nothing and asks for nothing. */
Test(profile, keeps_versions_of_canonicals_apart)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, colour_files, COUNT_OF(colour_files));
    kit_judge(&k, OBSERVATION(""), false, "http://x/bound");
    cr_expect_eq(k.issues.n, 0, "%s", kit_show(&k));
    cr_expect(profiles_know(k.profiles, V("http://x/bound")));
    cr_expect(profiles_know(k.profiles, V("http://x/bound|1.0")));
    cr_expect_not(profiles_know(k.profiles, V("http://x/bound|2.0")));
    cr_expect_not(profiles_know(k.profiles, V("http://x/")));
    kit_done(&k);
}

/* ---- extensions ---- */

#define EXTENSION(url, context, elements)                                                                  \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/" url "\",\"type\":\"Extension\",\"derivation\":\"constraint\"," \
    "\"baseDefinition\":\"" CORE("Extension") "\",\"context\":[{\"type\":\"element\",\"expression\":\"" context "\"}],"   \
    "\"differential\":{\"element\":[" elements "]}}"

static const char simple[] =
    EXTENSION("simple", "Patient.birthDate",
              EL("Extension.url", "Extension.url", "\"fixedUri\":\"http://x/simple\"") ","
              EL("Extension.value[x]", "Extension.value[x]", "\"min\":1,\"type\":[{\"code\":\"code\"}]"));
static const char complex_part[] =
    EXTENSION("complex", "Patient",
              EL("Extension.extension:from", "Extension.extension", "\"sliceName\":\"from\",\"min\":1,\"max\":\"1\"") ","
              EL("Extension.extension:from.url", "Extension.extension.url", "\"fixedUri\":\"from\"") ","
              EL("Extension.extension:from.value[x]", "Extension.extension.value[x]", "\"type\":[{\"code\":\"date\"}]") ","
              EL("Extension.extension:to", "Extension.extension", "\"sliceName\":\"to\",\"min\":0,\"max\":\"1\"") ","
              EL("Extension.extension:to.url", "Extension.extension.url", "\"fixedUri\":\"to\"") ","
              EL("Extension.value[x]", "Extension.value[x]", "\"max\":\"0\""));
static const char user[] =
    SD("user", "Patient", CORE("Patient"),
       EL("Patient.extension:complex", "Patient.extension",
          "\"sliceName\":\"complex\",\"min\":1,\"max\":\"1\",\"type\":[{\"code\":\"Extension\",\"profile\":[\"http://x/complex\"]}]"));

static const struct embedded extension_files[] = {FILE("user.json", user), FILE("complex.json", complex_part),
                                                  FILE("simple.json", simple)};

#define WITH(parts) "{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/complex\",\"extension\":[" parts "]}]}"

static const struct profile_case extensions[] = {
    {WITH("{\"url\":\"from\",\"valueDate\":\"2026\"}"), {{0}}},
    {WITH("{\"url\":\"to\",\"valueDate\":\"2026\"}"), {{E_REQUIRED, "Patient.extension[0].extension"}}},
    {WITH("{\"url\":\"from\",\"valueString\":\"2026\"}"), {{E_TYPE, "Patient.extension[0].extension[0].valueString"}}},
    {WITH("{\"url\":\"from\",\"valueDate\":\"2026\"},{\"url\":\"until\",\"valueDate\":\"2026\"}"),
     {{E_EXTENSION_UNKNOWN, "Patient.extension[0].extension[1]"}}},
    {"{\"resourceType\":\"Patient\"}", {{E_REQUIRED, "Patient"}}},
    {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/complex\",\"valueDate\":\"2026\"}]}",
     {{E_REQUIRED, "Patient.extension[0]"}, {E_CARDINALITY, "Patient.extension[0].valueDate"}}},
};

Test(profile, judges_extensions_by_their_definitions)
{
    judge_cases(extension_files, COUNT_OF(extension_files), extensions, COUNT_OF(extensions), "http://x/user");
}

Test(profile, holds_extensions_to_their_context)
{
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":\"http://x/simple\",\"valueCode\":\"a\"}]}}", {{0}}},
        {"{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"http://x/simple\",\"valueCode\":\"a\"}]}",
         {{E_ELEMENT_UNKNOWN, "Patient.extension[0]"}}},
        {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":\"http://x/simple\",\"valueString\":\"a\"}]}}",
         {{E_TYPE, "Patient._birthDate.extension[0].valueString"}}},
    };
    judge_cases(extension_files, COUNT_OF(extension_files), cases, COUNT_OF(cases), NULL);
}

/* ---- bundles ---- */

static const char document[] =
    SD("document", "Bundle", CORE("Bundle"),
       EL("Bundle.entry", "Bundle.entry",
          "\"slicing\":{\"discriminator\":[{\"type\":\"profile\",\"path\":\"resource\"}],\"rules\":\"closed\"}") ","
       EL("Bundle.entry:patient", "Bundle.entry", "\"sliceName\":\"patient\",\"min\":1,\"max\":\"1\"") ","
       EL("Bundle.entry:patient.resource", "Bundle.entry.resource",
          "\"min\":1,\"type\":[{\"code\":\"Patient\",\"profile\":[\"http://x/patient\"]}]") ","
       EL("Bundle.entry:other", "Bundle.entry", "\"sliceName\":\"other\"") ","
       EL("Bundle.entry:other.resource", "Bundle.entry.resource", "\"type\":[{\"code\":\"Organization\"}]"));

static const struct embedded document_files[] = {FILE("document.json", document), FILE("patient.json", patient),
                                                 FILE("hospital.json", hospital)};

#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"

Test(profile, slices_entries_by_the_profile_of_their_resource)
{
    static const struct profile_case cases[] = {
        {BUNDLE("{\"resource\":" PATIENT(GOOD) "},{\"resource\":{\"resourceType\":\"Organization\",\"name\":\"a\"}}"), {{0}}},
        {BUNDLE("{\"resource\":{\"resourceType\":\"Organization\",\"name\":\"a\"}}"), {{E_REQUIRED, "Bundle.entry"}}},
        {BUNDLE("{\"resource\":" PATIENT(GOOD) "},{\"resource\":{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}}}"),
         {{E_CARDINALITY, "Bundle.entry[1]"}}},
        /* The profile of the slice is judged although the resource does not name it. */
        {BUNDLE("{\"resource\":{\"resourceType\":\"Patient\",\"identifier\":[" NHI "]}}"),
         {{E_REQUIRED, "Bundle.entry[0].resource"}}},
    };
    judge_cases(document_files, COUNT_OF(document_files), cases, COUNT_OF(cases), "http://x/document");
}

Test(profile, judges_each_resource_of_a_bundle_by_its_own_profile)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, people, COUNT_OF(people));
    kit_judge(&k, BUNDLE("{\"resource\":" PATIENT("") "},{\"resource\":{\"resourceType\":\"Patient\"}}"), false, NULL);
    static const struct expected_error errors[] = {{E_REQUIRED, "Bundle.entry[0].resource"},
                                                   {E_REQUIRED, "Bundle.entry[0].resource"},
                                                   {E_REQUIRED, "Bundle.entry[0].resource"},
                                                   {E_OK, NULL}};
    kit_expect(&k, "bundle", errors);
    kit_done(&k);
}

/* ---- loading ---- */

struct load_case {
    const char *name;
    struct embedded files[2];
};

static const char broken[] = "{\"resourceType\":";
static const char stray[] = SD("stray", "Patient", CORE("Patient"), EL("Patient.foo", "Patient.foo", "\"min\":1"));
static const char orphan[] = SD("orphan", "Patient", "http://x/nowhere", EL("Patient.name", "Patient.name", "\"min\":1"));
static const char minus[] = SD("minus", "Patient", CORE("Patient"), EL("Patient.name", "Patient.name", "\"min\":-1"));
static const char nameless[] = "{\"resourceType\":\"StructureDefinition\",\"type\":\"Patient\",\"derivation\":\"constraint\","
                               "\"baseDefinition\":\"" CORE("Patient") "\"}";

static const struct load_case wrong[] = {
    {"broken JSON", {FILE("wrong.json", broken)}},
    {"an element that the base does not have", {FILE("wrong.json", stray)}},
    {"a parent that is not loaded", {FILE("wrong.json", orphan)}},
    {"a negative minimum", {FILE("wrong.json", minus)}},
    {"no url", {FILE("wrong.json", nameless)}},
    {"one url twice", {FILE("right.json", hospital), FILE("wrong.json", hospital)}},
};

Test(profile, names_the_file_that_is_wrong)
{
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct profile_set *set = NULL;
        struct fault f;
        fault_init(&f);
        size_t n = wrong[i].files[1].path ? 2 : 1;
        cr_expect_eq(profiles_load(wrong[i].files, n, &set, &f), E_CONFIG, "%s", wrong[i].name);
        cr_expect_null(set, "%s", wrong[i].name);
        cr_expect_not_null(strstr(f.where, "wrong.json"), "%s: %s", wrong[i].name, f.where);
    }
}

Test(profile, lists_profiles_of_resources_in_order)
{
    struct kit k;
    view urls[8];
    kit_init(&k);
    kit_load(&k, people, COUNT_OF(people));
    cr_assert_eq(profiles_list(k.profiles, urls, COUNT_OF(urls)), 3);
    cr_expect(view_eq(urls[0], V("http://x/child")));
    cr_expect(view_eq(urls[1], V("http://x/hospital")));
    cr_expect(view_eq(urls[2], V("http://x/patient")));
    cr_expect_eq(profiles_list(k.profiles, urls, 1), 3, "the count is that of all");
    kit_done(&k);
    kit_init(&k);
    kit_load(&k, extension_files, COUNT_OF(extension_files));
    cr_expect_eq(profiles_list(k.profiles, urls, COUNT_OF(urls)), 1, "extensions are no resources");
    kit_done(&k);
}

Test(profile, prefers_the_newest_version)
{
    static const char old[] = "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/p\",\"version\":\"1.9.0\","
                              "\"type\":\"Basic\",\"derivation\":\"constraint\",\"baseDefinition\":\"" CORE("Basic") "\","
                              "\"differential\":{\"element\":[" EL("Basic.created", "Basic.created", "\"min\":1") "]}}";
    static const char new[] = "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/p\",\"version\":\"1.10.0\","
                              "\"type\":\"Basic\",\"derivation\":\"constraint\",\"baseDefinition\":\"" CORE("Basic") "\","
                              "\"differential\":{\"element\":[" EL("Basic.author", "Basic.author", "\"min\":1") "]}}";
    static const struct embedded files[] = {FILE("new.json", new), FILE("old.json", old)};
    struct kit k;
    kit_init(&k);
    kit_load(&k, files, COUNT_OF(files));
    kit_judge(&k, "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}}", false, "http://x/p");
    cr_expect(view_eq(k.issues.first->expected, V("author 1..1")), "%s", kit_show(&k));
    kit_judge(&k, "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}}", false, "http://x/p|1.9.0");
    cr_expect(view_eq(k.issues.first->expected, V("created 1..1")), "%s", kit_show(&k));
    kit_done(&k);
}

Test(profile, takes_elements_without_ids_by_path_and_slice)
{
    static const char text[] =
        SD("noid", "Patient", CORE("Patient"),
           "{\"path\":\"Patient.identifier\",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"system\"}],"
           "\"rules\":\"open\"}},{\"path\":\"Patient.identifier\",\"sliceName\":\"a\",\"min\":1},"
           "{\"path\":\"Patient.identifier.system\",\"fixedUri\":\"http://a\"}");
    static const struct embedded files[] = {FILE("noid.json", text)};
    static const struct profile_case cases[] = {
        {"{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://a\"}]}", {{0}}},
        {"{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://b\"}]}", {{E_REQUIRED, "Patient.identifier"}}},
    };
    judge_cases(files, COUNT_OF(files), cases, COUNT_OF(cases), "http://x/noid");
}

Test(profile, loads_the_profiles_of_the_program)
{
    struct kit k;
    kit_init(&k);
    kit_load(&k, fhir_profiles, fhir_profiles_count);
    kit_done(&k);
}
