/* Lenient reading: which errors of form become findings, and that the table of what is read is true. */
#include "adapters/case_codec.h"
#include "adapters/hospital/sample.h"

#include <criterion/criterion.h>

static struct profile_set *profiles;

static void
setup(void)
{
    struct fault f;
    fault_init(&f);
    cr_assert_eq(profiles_load(fhir_profiles, fhir_profiles_count, &profiles, &f), E_OK);
}

static void
teardown(void)
{
    profiles_free(profiles);
}

TestSuite(hospital_lenient, .init = setup, .fini = teardown);

/* -- excused or not -- */

/* A small document of nobody's profile; %s stands in the place that a row is about. */
#define FOREIGN(composition, patient, location)                                                              \
    "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"timestamp\":\"2026-03-01T09:00:00+08:00\","        \
    "\"identifier\":{\"system\":\"https://h.example/bundles\",\"value\":\"1\"},\"entry\":["                  \
    "{\"fullUrl\":\"https://h.example/Composition/c\",\"resource\":{\"resourceType\":\"Composition\","       \
    "\"id\":\"c\",\"status\":\"final\",\"type\":{\"text\":\"病摘\"},"                                      \
    "\"subject\":{\"reference\":\"Patient/p\"},\"author\":[{\"reference\":\"Organization/o\"}],"             \
    "\"title\":\"病摘\",\"date\":\"2026-03-01\"" composition "}},"                                           \
    "{\"fullUrl\":\"https://h.example/Organization/o\",\"resource\":{\"resourceType\":\"Organization\","     \
    "\"id\":\"o\",\"identifier\":[{\"system\":"                                                              \
    "\"https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/organization-identifier-tw\","                        \
    "\"value\":\"0131060029\"}],\"name\":\"醫院\"}},"                                                      \
    "{\"fullUrl\":\"https://h.example/Patient/p\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\""   \
    "" patient "}},"                                                                                         \
    "{\"fullUrl\":\"https://h.example/Location/l\",\"resource\":{\"resourceType\":\"Location\",\"id\":"      \
    "\"l\"" location "}}]}"

#define CONCEPT "{\"coding\":[{\"code\":\"a\"}]}"

static const struct {
    const char *body, *place; /* of the error; a broken invariant may come with it */
    err code;
    bool is_excused;
} forms[] = {
    {FOREIGN(",\"confidentiality\":" CONCEPT, "", ""), "Bundle.entry[0].resource.confidentiality", E_TYPE,
     true},
    {FOREIGN("", "", ",\"telecom\":[{\"system\":" CONCEPT ",\"value\":\"1\"}]"),
     "Bundle.entry[3].resource.telecom[0].system", E_TYPE, true},
    {FOREIGN("", "", ",\"address\":{\"type\":" CONCEPT "}"), "Bundle.entry[3].resource.address.type", E_TYPE,
     true},
    {FOREIGN("", "", ",\"hoursOfOperation\":{\"allDay\":true}"), "Bundle.entry[3].resource.hoursOfOperation",
     E_TYPE, true},
    {FOREIGN("", ",\"photo\":[{\"creation\":\"1/2\"}]", ""), "Bundle.entry[2].resource.photo[0].creation",
     E_VALUE, true},
    {FOREIGN("", ",\"telecom\":[{\"system\":\"phone\",\"value\":\"1\",\"rank\":\"first\"}]", ""),
     "Bundle.entry[2].resource.telecom[0].rank", E_TYPE, true},
    /* The same kinds of error at what is read, or around it. */
    {FOREIGN("", ",\"telecom\":[{\"system\":" CONCEPT ",\"value\":\"1\"}]", ""),
     "Bundle.entry[2].resource.telecom[0].system", E_TYPE, false},
    {FOREIGN("", ",\"birthDate\":\"1/2\"", ""), "Bundle.entry[2].resource.birthDate", E_VALUE, false},
    {FOREIGN("", ",\"name\":{\"text\":\"王\"}", ""), "Bundle.entry[2].resource.name", E_TYPE, false},
    {FOREIGN("", ",\"gender\":" CONCEPT, ""), "Bundle.entry[2].resource.gender", E_TYPE, false},
    /* What names, links, hides, or is shown as it is. */
    {FOREIGN("", "", ",\"telecom\":[{\"id\":7,\"system\":\"phone\",\"value\":\"1\"}]"),
     "Bundle.entry[3].resource.telecom[0].id", E_TYPE, false},
    {FOREIGN("", "", ",\"partOf\":{\"reference\":7}"), "Bundle.entry[3].resource.partOf.reference", E_TYPE,
     false},
    {FOREIGN("", "", ",\"status\":" CONCEPT), "Bundle.entry[3].resource.status", E_TYPE, false},
    {FOREIGN("", "",
             ",\"text\":{\"status\":\"generated\",\"div\":"
             "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><script/></div>\"}"),
     "Bundle.entry[3].resource.text.div", E_VALUE, false},
    /* No error of form. */
    {FOREIGN("", "", ",\"opening\":true"), "Bundle.entry[3].resource.opening", E_ELEMENT_UNKNOWN, false},
    {FOREIGN("", "", ",\"partOf\":{\"reference\":\"Location/none\"}"),
     "Bundle.entry[3].resource.partOf.reference", E_REFERENCE, false},
    {FOREIGN("", "", ",\"mode\":\"neither\""), "Bundle.entry[3].resource.mode", E_CODE_REQUIRED, false},
    /* Who names our profile is held to it. */
    {FOREIGN("", "",
             ",\"meta\":{\"profile\":[\"https://claimgate.tw/fhir/StructureDefinition/other\"]},"
             "\"hoursOfOperation\":{\"allDay\":true}"),
     "Bundle.entry[3].resource.hoursOfOperation", E_TYPE, false},
};

static const struct issue *
issue_of(const struct issues *issues, const char *place, err code)
{
    for (const struct issue *i = issues->first; i; i = i->next)
        if (i->code == code && view_eq(i->path, view_of(place)))
            return i;
    return NULL;
}

Test(hospital_lenient, an_error_of_form_is_a_finding_only_where_nothing_reads)
{
    for (size_t k = 0; k < COUNT_OF(forms); k++) {
        arena *mem = arena_new(16u << 20);
        const struct validate_options options = {.strict = false};
        struct issues issues;
        struct tree t;
        struct bundle b;
        struct fault f;
        issues_init(&issues, mem, 100);
        fault_init(&f);
        cr_assert_eq(fhir_read(FHIR_JSON, view_of(forms[k].body), mem, &t, &f), E_OK, "%zu: %s", k, f.where);
        cr_assert_eq(bundle_index(&t, mem, &b, &issues), E_OK);
        cr_assert_eq(fhir_validate(profiles, &b, &options, &issues), E_OK);
        const struct issue *i = issue_of(&issues, forms[k].place, forms[k].code);
        cr_assert(i && i->severity == ISSUE_ERROR, "%s is no error", forms[k].place);
        view expected = i->expected, found = i->found;
        hospital_excuse(&b, &issues);
        cr_assert_eq(issues.errors == 0, forms[k].is_excused, "%s", forms[k].place);
        cr_assert_eq(i->severity, forms[k].is_excused ? ISSUE_WARNING : ISSUE_ERROR, "%s", forms[k].place);
        cr_assert(view_eq(i->expected, expected) && view_eq(i->found, found) && i->from > 0 && i->line > 0);
        arena_free(mem);
    }
}

/* -- the table is true -- */

/* What a reading says, without the places that it came from. */
static view
print_reading(view body, arena *mem)
{
    struct issues issues;
    struct tree t;
    struct bundle b;
    struct reading rd;
    struct fault f;
    issues_init(&issues, mem, 10);
    fault_init(&f);
    if (fhir_read(FHIR_JSON, body, mem, &t, &f) != E_OK || bundle_index(&t, mem, &b, &issues) != E_OK ||
        hospital_interpret(&b, mem, &issues, &rd, &f) != E_OK)
        return V("refused");
    struct buf out;
    buf_init(&out, 1u << 20);
    cr_assert_eq(case_encode(rd.facts, NULL, false, &out), E_OK);
    buf_printf(&out, "%d %d %.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", (int)rd.kind, rd.withdraws,
               VIEW_ARG(rd.profile), VIEW_ARG(rd.author), VIEW_ARG(rd.identifier_system),
               VIEW_ARG(rd.identifier_value), VIEW_ARG(rd.work_value), VIEW_ARG(rd.replaces_system),
               VIEW_ARG(rd.replaces_value));
    for (size_t i = 0; i < rd.n_licences; i++)
        buf_printf(&out, "|%.*s", VIEW_ARG(rd.licences[i]));
    for (const struct doc_ref *r = rd.refs; r; r = r->next)
        buf_printf(&out, "|%d %.*s", (int)r->kind, VIEW_ARG(r->value));
    for (const struct person_key *k = rd.persons; k; k = k->next)
        buf_printf(&out, "|%.*s", VIEW_ARG(k->text));
    for (const struct insurer_hint *h = rd.hints; h; h = h->next)
        buf_printf(&out, "|%.*s", VIEW_ARG(h->code));
    view text = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return text;
}

/* Each value by turns becomes null. */
static void
check_reads(view body)
{
    arena *mem = arena_new(64u << 20);
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(fhir_read(FHIR_JSON, body, mem, &t, &f), E_OK);
    view whole = print_reading(body, mem);
    cr_assert(whole.n > 100);
    for (uint32_t i = 1; i < t.n; i++) {
        const struct node *n = &t.nodes[i];
        if (hospital_reads(&t, n))
            continue;
        arena *scratch = arena_new(16u << 20);
        view without = arena_printf(scratch, "%.*snull%.*s", (int)n->from, body.p,
                                    VIEW_ARG(view_sub(body, n->from + n->length, body.n)));
        view place = node_path(&t, n, scratch);
        cr_assert(view_eq(print_reading(without, scratch), whole), "%.*s is read and stands in no row",
                  VIEW_ARG(place));
        arena_free(scratch);
    }
    arena_free(mem);
}

Test(hospital_lenient, whatever_changes_the_reading_stands_in_the_table)
{
    for (int kind = 0; kind < SAMPLE_KIND_COUNT; kind++) {
        arena *mem = arena_new(64u << 20);
        struct sample_stay stay;
        struct sample_document documents[SAMPLE_DOCUMENTS_MAX];
        size_t n;
        cr_assert_eq(sample_stay_make(3, (enum sample_kind)kind, mem, &stay), E_OK);
        cr_assert_eq(sample_documents(&stay, mem, documents, &n), E_OK);
        for (size_t i = 0; i < n; i++)
            if (!documents[i].is_xml)
                check_reads(documents[i].body);
        arena_free(mem);
    }
}
