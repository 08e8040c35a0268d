#include "conformance/conformance.h"
#include "conformance/tree_same.h"
#include "fhir/fhir.h"

/* fhir/r4-examples and fhir/r4-xml-json-pairs: JSON → tree → JSON, JSON → XML → JSON, and the judgement of base R4. */

/* Issues that are told of one document. */
#define ISSUES_TOLD 20

/* Each case has its own memory: a set of large examples stays small. */
#define CASE_MEMORY ((size_t)256 << 20)

static const struct same_rules as_written = {.skip = NULL};

static err
through_json(const struct tree *t, arena *mem, struct tree *ret)
{
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, CASE_MEMORY);
    TRY(fhir_write_json(t, tree_root(t), &out));
    view text = arena_dup(mem, buf_view(&out));
    return text.p == NULL ? E_TOO_LARGE : fhir_read(FHIR_JSON, text, mem, ret, NULL);
}

static err
through_xml(const struct tree *t, arena *mem, struct tree *ret)
{
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, CASE_MEMORY);
    TRY(fhir_write_xml(t, tree_root(t), &out));
    view text = arena_dup(mem, buf_view(&out));
    return text.p == NULL ? E_TOO_LARGE : fhir_read(FHIR_XML, text, mem, ret, NULL);
}

/* Counts the case when the two trees differ, or when the second could not be made. */
static bool
differ(struct conformance_run *r, view id, const char *way, err e, const struct tree *a, const struct tree *b)
{
    const struct node *n = e == E_OK ? trees_part(a, b, &as_written) : NULL;
    if (e != E_OK)
        conformance_case(r, id, CONFORMANCE_WRONG_REJECT, "%s: %s", way, err_info(e)->code);
    else if (n != NULL)
        conformance_case(r, id, CONFORMANCE_WRONG_VALUE, "%s: differs at %.*s", way,
                         VIEW_ARG(node_path(a, n, r->mem)));
    return e != E_OK || n != NULL;
}

static void
judge_by_base(struct conformance_run *r, view id, const struct tree *t, arena *mem)
{
    struct issues issues;
    struct bundle b;
    struct validate_options options = {.demand = VIEW_NONE};
    issues_init(&issues, mem, ISSUES_TOLD);
    err e = bundle_index(t, mem, &b, &issues);
    e = e == E_OK ? fhir_validate(NULL, &b, &options, &issues)
                  : fhir_validate_resource(NULL, t, tree_root(t), &options, mem, &issues);
    const struct issue *i = issues.first;
    while (i != NULL && i->severity != ISSUE_ERROR)
        i = i->next;
    if (e != E_OK)
        conformance_case(r, id, CONFORMANCE_WRONG_REJECT, "not judged: %s", err_info(e)->code);
    else if (issues.errors > 0)
        conformance_case(r, id, CONFORMANCE_WRONG_REJECT, "%s at %.*s, expected %.*s, found %.*s",
                         i ? err_info(i->code)->code : "-", VIEW_ARG(i ? i->path : VIEW_NONE),
                         VIEW_ARG(i ? i->expected : VIEW_NONE), VIEW_ARG(i ? i->found : VIEW_NONE));
    else
        conformance_case(r, id, CONFORMANCE_AGREE, "-");
}

static err
judge_example(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), bytes;
    const char *file = json_string_value(json_array_get(json_member(one, "files"), 0));
    AUTO(arena_free) arena *mem = arena_new(CASE_MEMORY);
    struct tree t, again, back;
    TRY(conformance_file(r, view_of(file), &bytes, f));
    err e = fhir_read(FHIR_JSON, bytes, mem, &t, NULL);
    if (e != E_OK) {
        conformance_case(r, id, CONFORMANCE_WRONG_REJECT, "%s", err_info(e)->code);
        return E_OK;
    }
    e = through_json(&t, mem, &again);
    if (differ(r, id, "JSON to JSON", e, &t, &again))
        return E_OK;
    e = through_xml(&t, mem, &back);
    if (differ(r, id, "JSON to XML to JSON", e, &t, &back))
        return E_OK;
    judge_by_base(r, id, &t, mem);
    return E_OK;
}

err
conformance_examples(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_example, f);
}

/* The set's own words: narrative and meta differ between the two files of a pair, and its JSON was written by a program
 * that drops zeros at the end of decimals. */
static const char *const not_compared[] = {"text", "meta", NULL};
static const struct same_rules of_a_pair = {.skip = not_compared, .numbers_by_value = true};

static err
judge_pair(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), xml, json;
    AUTO(arena_free) arena *mem = arena_new(CASE_MEMORY);
    struct tree from_xml, from_json, back;
    TRY(conformance_file(r, json_text(one, "xml"), &xml, f));
    TRY(conformance_file(r, json_text(one, "json"), &json, f));
    err e = fhir_read(FHIR_XML, xml, mem, &from_xml, NULL);
    if (e == E_OK)
        e = fhir_read(FHIR_JSON, json, mem, &from_json, NULL);
    if (e != E_OK) {
        conformance_case(r, id, CONFORMANCE_WRONG_REJECT, "%s", err_info(e)->code);
        return E_OK;
    }
    const struct node *n = trees_part(&from_json, &from_xml, &of_a_pair);
    if (n != NULL) {
        conformance_case(r, id, CONFORMANCE_WRONG_VALUE, "the two differ at %.*s",
                         VIEW_ARG(node_path(&from_json, n, r->mem)));
        return E_OK;
    }
    e = through_xml(&from_json, mem, &back);
    if (!differ(r, id, "JSON to XML to JSON", e, &from_json, &back))
        conformance_case(r, id, CONFORMANCE_AGREE, "-");
    return E_OK;
}

err
conformance_pairs(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_pair, f);
}
