#include "fhir_kit.h"

/* What guides, narratives, code systems and definitions ask, where files are checked.  Profiles stand in the tests as they are short. */

static const struct validate_options as_checked = {.check = true};

#define SD(name, type, parent, elements)                                                                     \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/" name                                     \
    "\",\"name\":\"A\",\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"" type       \
    "\",\"derivation\":\"constraint\",\"baseDefinition\":\"" parent                                          \
    "\",\"differential\":{\"element\":[" elements "]}}"
#define CORE "http://hl7.org/fhir/StructureDefinition/"
#define ELEMENT(id, path, more) "{\"id\":\"" id "\",\"path\":\"" path "\"" more "}"

static void
load(struct kit *k, const char *const *texts, size_t n)
{
    struct embedded files[8];
    for (size_t i = 0; i < n; i++)
        files[i] = (struct embedded){"test.json", (const void *)texts[i], strlen(texts[i])};
    kit_load(k, files, n);
}

struct checked {
    const char *text;
    struct expected_error errors[3];
};

static void
check_cases(const char *const *profiles, size_t n_profiles, const struct checked *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct kit k;
        kit_init(&k);
        load(&k, profiles, n_profiles);
        kit_judge_by(&k, cases[i].text, as_checked);
        kit_expect(&k, cases[i].text, cases[i].errors);
        kit_done(&k);
    }
}

/* ---- guides ---- */

#define NAMED SD("named", "Patient", CORE "Patient", ELEMENT("Patient.name", "Patient.name", ",\"min\":1"))
#define GUIDE                                                                                                \
    "{\"resourceType\":\"ImplementationGuide\",\"url\":\"http://x/guide\",\"global\":["                      \
    "{\"type\":\"Patient\",\"profile\":\"http://x/named\"}]}"

Test(definition, a_guides_global_profile_holds_for_every_resource_of_its_type)
{
    static const char *const files[] = {NAMED, GUIDE};
    static const struct checked cases[] = {
        {"{\"resourceType\":\"Patient\",\"active\":true}", {{E_REQUIRED, "Patient"}}},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a\"}]}", {{0}}},
        {"{\"resourceType\":\"Person\",\"active\":true}", {{0}}},
    };
    check_cases(files, COUNT_OF(files), cases, COUNT_OF(cases));
}

Test(definition, a_submission_follows_its_route_and_not_the_guides_that_happen_to_be_loaded)
{
    static const char *const files[] = {NAMED, GUIDE};
    struct kit k;
    kit_init(&k);
    load(&k, files, COUNT_OF(files));
    kit_judge(&k, "{\"resourceType\":\"Patient\",\"active\":true}", false, NULL);
    cr_expect_eq(k.issues.n, 0, "%s", kit_show(&k));
    kit_done(&k);
}

/* ---- narratives ---- */

#define TEXT(div)                                                                                            \
    "{\"resourceType\":\"Patient\",\"language\":\"zh-TW\",\"active\":true,\"text\":{\"status\":"             \
    "\"generated\",\"div\":"                                                                                 \
    "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" div "</div>\"}"

Test(definition, tells_of_links_to_places_that_are_not_there)
{
    static const struct {
        const char *text;
        size_t findings;
    } cases[] = {
        {TEXT("<a href=\\\"#a\\\">x</a>") "}", 1},
        {TEXT("<a href=\\\"#\\\">x</a>") "}", 0},
        {TEXT("<a href=\\\"#a\\\">x</a><p id=\\\"a\\\">y</p>") "}", 0},
        {TEXT("<a href=\\\"#a\\\">x</a><a name=\\\"a\\\">y</a>") "}", 0},
        {TEXT("<a href=\\\"#n\\\">x</a>") ",\"name\":[{\"id\":\"n\",\"text\":\"a\"}]}", 0},
        {TEXT("<a href=\\\"#n\\\">x</a>") ",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"n\",\"code\":"
                                          "{\"text\":\"a\"},"
                                          "\"subject\":{\"reference\":\"#\"}}]}",
         0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kit k;
        kit_init(&k);
        kit_judge_by(&k, cases[i].text, as_checked);
        cr_expect_eq(k.issues.errors, 0, "%s:\n%s", cases[i].text, kit_show(&k));
        cr_expect_eq(kit_count(&k, ISSUE_WARNING), cases[i].findings, "%s:\n%s", cases[i].text, kit_show(&k));
        kit_done(&k);
    }
}

#define CONTROL(what, code)                                                                                  \
    SD("text", "Patient", CORE "Patient",                                                                    \
       ELEMENT("Patient.text", "Patient.text",                                                               \
               ",\"extension\":[{\"url\":\"" CORE "narrative-" what "-control\",\"valueCode\":\"" code       \
               "\"}]"))

static void
expect_narrative(const char *profile, const char *text, enum issue_severity worst, size_t n)
{
    struct kit k;
    kit_init(&k);
    load(&k, &profile, 1);
    kit_judge_by(&k, text, (struct validate_options){.demand = V("http://x/text"), .check = true});
    cr_expect_eq(kit_count(&k, worst), n, "%s\n%s\n%s", profile, text, kit_show(&k));
    kit_done(&k);
}

Test(definition, holds_narratives_to_the_languages_that_a_profile_names)
{
    static const char chinese[] = TEXT("<div lang=\\\"zh-TW\\\">a</div>") "}", none[] = TEXT("a") "}";
    expect_narrative(CONTROL("language", "_yes"), none, ISSUE_ERROR, 1);
    expect_narrative(CONTROL("language", "_yes"), chinese, ISSUE_ERROR, 0);
    expect_narrative(CONTROL("language", "_no"), none, ISSUE_ERROR, 0);
    expect_narrative(CONTROL("language", "_no"), chinese, ISSUE_ERROR, 1);
    expect_narrative(CONTROL("language", "_resource"), chinese, ISSUE_ERROR, 0);
    expect_narrative(CONTROL("language", "_resource"), none, ISSUE_ERROR, 1);
    expect_narrative(CONTROL("language", "en"), chinese, ISSUE_ERROR, 1);
}

Test(definition, asks_for_the_source_of_narrative_texts_with_the_weight_that_the_profile_gives)
{
    static const char sourced[] = TEXT("<p class=\\\"generated\\\">a</p>") "}", none[] = TEXT("a") "}";
    expect_narrative(CONTROL("source", "error"), none, ISSUE_ERROR, 1);
    expect_narrative(CONTROL("source", "warning"), none, ISSUE_ERROR, 0);
    expect_narrative(CONTROL("source", "warning"), none, ISSUE_WARNING, 1);
    expect_narrative(CONTROL("source", "error"), sourced, ISSUE_ERROR, 0);
}

/* ---- markup ---- */

Test(definition, refuses_markup_in_strings_where_that_is_asked)
{
    static const struct {
        const char *text;
        size_t errors;
    } cases[] = {{"a &lt; b", 0}, {"1 < 2 > 0", 0},  {"<3", 0}, {"a <b>c", 1},
                 {"</p>", 1},     {"<!-- a -->", 1}, {"<b", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kit k;
        kit_init(&k);
        view text =
            arena_printf(k.mem, "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"%s\"}]}", cases[i].text);
        kit_judge_by(&k, text.p, (struct validate_options){.check = true, .no_markup = true});
        cr_expect_eq(k.issues.errors, cases[i].errors, "%s:\n%s", text.p, kit_show(&k));
        kit_judge_by(&k, text.p, as_checked);
        cr_expect_eq(k.issues.errors, 0, "text is data: %s", text.p);
        kit_done(&k);
    }
}

/* ---- codes ---- */

#define SYSTEM                                                                                               \
    "{\"resourceType\":\"CodeSystem\",\"url\":\"http://x/"                                                   \
    "colours\",\"version\":\"1\",\"content\":\"complete\","                                                  \
    "\"caseSensitive\":true,\"concept\":[{\"code\":\"red\"}]}"
#define COLOUR(more)                                                                                         \
    "{\"resourceType\":\"Basic\",\"code\":{\"coding\":[{\"system\":\"http://x/colours\"," more "}]}}"

Test(definition, knows_codes_that_a_loaded_system_has_not)
{
    static const char *const files[] = {SYSTEM};
    static const struct checked cases[] = {
        {COLOUR("\"code\":\"red\""), {{0}}},
        {COLOUR("\"code\":\"blue\""), {{E_CODE_UNKNOWN, "Basic.code.coding[0].code"}}},
        {COLOUR("\"version\":\"1\",\"code\":\"blue\""), {{E_CODE_UNKNOWN, "Basic.code.coding[0].code"}}},
        {COLOUR("\"version\":\"2\",\"code\":\"blue\""), {{0}}},
        {COLOUR("\"display\":\"blue\""), {{0}}},
    };
    struct kit k;
    check_cases(files, COUNT_OF(files), cases, COUNT_OF(cases));
    kit_init(&k);
    load(&k, files, COUNT_OF(files));
    kit_judge(&k, cases[1].text, false, NULL);
    const struct issue *i = kit_issue(&k, E_CODE_UNKNOWN, NULL);
    cr_expect(i && i->severity == ISSUE_WARNING, "a submission is taken with a finding:\n%s", kit_show(&k));
    kit_done(&k);
}

/* ---- slices of a type's profile ---- */

#define BY_URL ",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],\"rules\":\"closed\"}"
#define EXTENSION(name)                                                                                      \
    SD(name, "Extension", CORE "Extension",                                                                  \
       ELEMENT("Extension.url", "Extension.url", ",\"fixedUri\":\"http://x/" name "\""))
#define TYPED(id, name)                                                                                      \
    ELEMENT(id ".extension:" name, id ".extension",                                                          \
            ",\"sliceName\":\"" name "\",\"type\":[{\"code\":\"Extension\",\"profile\":[\"http://x/" name    \
            "\"]}]")

/* The outer profile names a slice of the name's profile without saying what it is known by. */
static const char *const names[] = {
    EXTENSION("prefix"), EXTENSION("suffix"),
    SD("human", "HumanName", CORE "HumanName",
       ELEMENT("HumanName.extension", "HumanName.extension",
               BY_URL) "," TYPED("HumanName", "prefix") "," TYPED("HumanName", "suffix")),
    SD("patient", "Patient", CORE "Patient",
       ELEMENT("Patient.name", "Patient.name", ",\"type\":[{\"code\":\"HumanName\",\"profile\":[\"http://x/human\"]}]") "," ELEMENT(
           "Patient.name.extension", "Patient.name.extension",
           BY_URL) "," ELEMENT("Patient.name.extension:prefix", "Patient.name.extension",
                               ",\"sliceName\":\"prefix\"") "," ELEMENT("Patient.name.extension:prefix.value["
                                                                        "x]",
                                                                        "Patient.name.extension.value[x]",
                                                                        ",\"maxLength\":3"))};

#define NAME(url, value)                                                                                     \
    "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://x/"                                       \
    "patient\"]},\"name\":[{\"extension\":[{\"url\":\"http://x/" url "\",\"valueString\":\"" value "\"}]}]}"

Test(definition, a_slice_is_known_by_what_the_profile_of_an_outer_type_says)
{
    static const struct checked cases[] = {
        {NAME("prefix", "von"), {{0}}},
        {NAME("prefix", "von und zu"), {{E_VALUE, "Patient.name[0].extension[0].valueString"}}},
        {NAME("suffix", "der Letzte"), {{0}}}, /* closed, but the name's profile has it */
    };
    check_cases(names, COUNT_OF(names), cases, COUNT_OF(cases));
}

/* ---- definitions ---- */

#define SLICED(path)                                                                                         \
    SD("a", "AuditEvent", CORE "AuditEvent",                                                                 \
       ELEMENT("AuditEvent.agent", "AuditEvent.agent",                                                       \
               ",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"" path                       \
               "\"}],\"rules\":\"open\"}"))
#define BOUND(type)                                                                                          \
    SD("a", "Patient", CORE "Patient",                                                                       \
       ELEMENT("Patient.birthDate", "Patient.birthDate",                                                     \
               ",\"type\":[{\"code\":\"" type                                                                \
               "\"}],\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://x/set\"}"))
#define FIRST "StructureDefinition.differential.element[0]"

Test(definition, tells_what_a_profile_says_and_cannot_hold)
{
    static const char *const files[] = {EXTENSION("prefix")};
    static const struct checked cases[] = {
        {SLICED("type"), {{0}}},
        {SLICED("type.coding.code"), {{0}}},
        {SLICED("$this"), {{0}}},
        {SLICED("who.resolve().name"), {{0}}},
        {SLICED("extension('http://x').value"), {{0}}},
        {SLICED("typo"), {{E_VALUE, FIRST ".slicing.discriminator[0]"}}},
        {SLICED("type.typo"), {{E_VALUE, FIRST ".slicing.discriminator[0]"}}},
        {BOUND("code"), {{0}}},
        {BOUND("date"), {{E_INVARIANT, FIRST}}},
        {SD("b", "Extension", "http://x/prefix",
            ELEMENT("Extension.url", "Extension.url", ",\"fixedUri\":\"http://x/b\"")),
         {{E_INVARIANT, "StructureDefinition"}, {E_FIXED, FIRST ".fixedUri"}}},
        {SD("b", "Extension", "http://x/prefix",
            ELEMENT("Extension.url", "Extension.url", ",\"fixedUri\":\"http://x/prefix\"")),
         {{E_INVARIANT, "StructureDefinition"}}},
    };
    check_cases(files, COUNT_OF(files), cases, COUNT_OF(cases));
}

#define SEARCH(more)                                                                                         \
    "{\"resourceType\":\"SearchParameter\",\"url\":\"http://x/"                                              \
    "s\",\"name\":\"A\",\"status\":\"draft\",\"description\":\"a\","                                         \
    "\"code\":\"a\",\"base\":[\"Patient\"],\"expression\":\"name\"," more "}"
#define PART "{\"definition\":\"http://x/p\",\"expression\":\"name\"}"

Test(definition, a_composite_search_has_two_components)
{
    static const struct checked cases[] = {
        {SEARCH("\"type\":\"string\""), {{0}}},
        {SEARCH("\"type\":\"composite\",\"component\":[" PART "]"), {{E_INVARIANT, "SearchParameter"}}},
        {SEARCH("\"type\":\"composite\",\"component\":[" PART "," PART "]"), {{0}}},
    };
    check_cases(NULL, 0, cases, COUNT_OF(cases));
}

#define PARAMETER ",\"sliceName\":\"a\",\"min\":1,\"max\":\"1\""
static const char parameters[] = SD(
    "in", "Parameters", CORE "Parameters",
    ELEMENT("Parameters.parameter", "Parameters.parameter", ",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"name\"}],\"rules\":\"open\"}") "," ELEMENT(
        "Parameters.parameter:a", "Parameters.parameter",
        PARAMETER) "," ELEMENT("Parameters.parameter:a.name", "Parameters.parameter.name",
                               ",\"fixedString\":\"a\"") "," ELEMENT("Parameters.parameter:a.value[x]",
                                                                     "Parameters.parameter.value[x]",
                                                                     ",\"max\":\"0\"") "," ELEMENT("Parameter"
                                                                                                   "s."
                                                                                                   "parameter"
                                                                                                   ":a."
                                                                                                   "resource",
                                                                                                   "Parameter"
                                                                                                   "s."
                                                                                                   "parameter"
                                                                                                   ".resourc"
                                                                                                   "e",
                                                                                                   ",\"type\""
                                                                                                   ":[{"
                                                                                                   "\"code\":"
                                                                                                   "\"Patient"
                                                                                                   "\"}]"));

#define OPERATION(more)                                                                                      \
    "{\"resourceType\":\"OperationDefinition\",\"url\":\"http://x/"                                          \
    "o\",\"name\":\"A\",\"status\":\"draft\",\"kind\":\"operation\","                                        \
    "\"code\":\"a\",\"system\":true,\"type\":false,\"instance\":false,\"inputProfile\":\"http://x/"          \
    "in\",\"parameter\":[{\"name\":\"a\"," more "}]}"

Test(definition, an_operation_agrees_with_its_profiles_of_parameters)
{
    static const char *const files[] = {parameters};
    static const struct checked cases[] = {
        {OPERATION("\"use\":\"in\",\"min\":1,\"max\":\"1\",\"type\":\"Patient\""), {{0}}},
        {OPERATION("\"use\":\"in\",\"min\":0,\"max\":\"1\",\"type\":\"Patient\""),
         {{E_INVARIANT, "OperationDefinition.parameter[0]"}}},
        {OPERATION("\"use\":\"in\",\"min\":1,\"max\":\"*\",\"type\":\"Patient\""),
         {{E_INVARIANT, "OperationDefinition.parameter[0]"}}},
        {OPERATION("\"use\":\"in\",\"min\":1,\"max\":\"1\",\"type\":\"Person\""),
         {{E_INVARIANT, "OperationDefinition.parameter[0]"}}},
        {OPERATION("\"use\":\"out\",\"min\":0,\"max\":\"1\",\"type\":\"Person\""), {{0}}},
    };
    check_cases(files, COUNT_OF(files), cases, COUNT_OF(cases));
}
