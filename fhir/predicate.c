#include "fhir/predicate.h"

#include "base/text.h"
#include "fhir/shape.h"
#include "fhir/tree_walk.h"
#include "fhir/value.h"
#include "fhir/xhtml.h"

/* ---- small words ---- */

/* An element is there with its value or with extensions alone: name or _name. */
static bool
has(const struct scene *s, const struct node *n, view name)
{
    for (NODE_EACH(member, s->tree, n)) {
        view found = node_name(s->tree, member);
        if (view_starts(found, V("_")))
            found = view_sub(found, 1, found.n);
        if (view_eq(found, name))
            return true;
    }
    return false;
}

/* Any option of a choice. */
static bool
has_choice(const struct scene *s, const struct node *n, view name)
{
    for (NODE_EACH(member, s->tree, n)) {
        view found = node_name(s->tree, member);
        if (view_starts(found, V("_")))
            found = view_sub(found, 1, found.n);
        if (view_starts(found, name) && found.n > name.n && found.p[name.n] >= 'A' && found.p[name.n] <= 'Z')
            return true;
    }
    return false;
}

static view
text_of(const struct scene *s, const struct node *n, view name)
{
    return node_text(s->tree, node_member(s->tree, n, name));
}

static bool
type_is(const struct scene *s, const struct node *bundle, const char *const *types)
{
    view type = text_of(s, bundle, V("type"));
    for (; *types; types++)
        if (view_eq(type, view_of(*types)))
            return true;
    return false;
}

/* Whether a CodeableConcept has one of the codes (blanks between them) of a system. */
static bool
concept_has(const struct scene *s, const struct node *concept, view system, view codes)
{
    for (NODE_EACH(coding, s->tree, node_member(s->tree, concept, V("coding")))) {
        view rest = codes, code = text_of(s, coding, V("code"));
        if (!view_eq(text_of(s, coding, V("system")), system))
            continue;
        while (rest.n > 0)
            if (view_eq(view_cut(&rest, ' ', NULL), code))
                return true;
    }
    return false;
}

/* ---- the base ---- */

static bool
extension_or_value(const struct scene *s, const struct node *n)
{
    return has(s, n, V("extension")) != has_choice(s, n, V("value"));
}

static bool
contained_is_flat(const struct scene *s, const struct node *n)
{
    for (NODE_EACH(item, s->tree, node_member(s->tree, n, V("contained"))))
        if (has(s, item, V("contained")))
            return false;
    return true;
}

static bool
contained_has_no_version(const struct scene *s, const struct node *n)
{
    for (NODE_EACH(item, s->tree, node_member(s->tree, n, V("contained")))) {
        const struct node *meta = node_member(s->tree, item, V("meta"));
        if (has(s, meta, V("versionId")) || has(s, meta, V("lastUpdated")))
            return false;
    }
    return true;
}

static bool
contained_has_no_security(const struct scene *s, const struct node *n)
{
    for (NODE_EACH(item, s->tree, node_member(s->tree, n, V("contained"))))
        if (has(s, node_member(s->tree, item, V("meta")), V("security")))
            return false;
    return true;
}

/* As FHIRPath compares: where one time is less precise and the other lies within it, there is no answer,
 * and no answer is not true. */
static bool
period_in_order(const struct scene *s, const struct node *n)
{
    int64_t start_from, start_to, end_from, end_to;
    if (!value_time_range(text_of(s, n, V("start")), &start_from, &start_to) ||
        !value_time_range(text_of(s, n, V("end")), &end_from, &end_to))
        return true;
    return start_to <= end_from || (start_from == end_from && start_to == end_to);
}

static bool
has_narrative(const struct scene *s, const struct node *n)
{
    return has(s, node_member(s->tree, n, V("text")), V("div"));
}

static bool
data_has_type(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("data")) || has(s, n, V("contentType"));
}

static bool
code_has_system(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("code")) || has(s, n, V("system"));
}

static bool
value_has_system(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("value")) || has(s, n, V("system"));
}

static bool
ratio_is_whole(const struct scene *s, const struct node *n)
{
    bool numerator = has(s, n, V("numerator"));
    return numerator == has(s, n, V("denominator")) && (numerator || has(s, n, V("extension")));
}

static bool
bundle_total(const struct scene *s, const struct node *n)
{
    static const char *const allowed[] = {"searchset", "history", NULL};
    return !has(s, n, V("total")) || type_is(s, n, allowed);
}

/* Its entries are counted in bundle_index, so that rules of the whole Bundle need not go through them again. */
static bool
is_indexed(const struct scene *s, const struct node *n)
{
    return n == tree_root(s->tree) && s->bundle->n > 0;
}

static bool
bundle_search(const struct scene *s, const struct node *n)
{
    static const char *const allowed[] = {"searchset", NULL};
    if (type_is(s, n, allowed))
        return true;
    if (is_indexed(s, n))
        return s->bundle->n_search == 0;
    for (NODE_EACH(entry, s->tree, node_member(s->tree, n, V("entry"))))
        if (has(s, entry, V("search")))
            return false;
    return true;
}

/* Without a type there is no answer for an entry, and no answer is not true. */
static bool
entries_have(const struct scene *s, const struct node *n, view name, uint32_t counted,
             const char *const *types)
{
    bool wanted = type_is(s, n, types);
    const struct node *entries = node_member(s->tree, n, V("entry"));
    if (text_of(s, n, V("type")).n == 0)
        return node_count(entries) == 0;
    if (is_indexed(s, n))
        return counted == (wanted ? s->bundle->n : 0);
    for (NODE_EACH(entry, s->tree, entries))
        if (has(s, entry, name) != wanted)
            return false;
    return true;
}

static bool
bundle_request(const struct scene *s, const struct node *n)
{
    static const char *const types[] = {"batch", "transaction", "history", NULL};
    return entries_have(s, n, V("request"), s->bundle->n_request, types);
}

static bool
bundle_response(const struct scene *s, const struct node *n)
{
    static const char *const types[] = {"batch-response", "transaction-response", "history", NULL};
    return entries_have(s, n, V("response"), s->bundle->n_response, types);
}

static bool
entry_holds_something(const struct scene *s, const struct node *n)
{
    return has(s, n, V("resource")) || has(s, n, V("request")) || has(s, n, V("response"));
}

static bool
url_without_version(const struct scene *s, const struct node *n)
{
    view url = text_of(s, n, V("fullUrl"));
    if (url.n == 0)
        return !has(s, n, V("fullUrl"));
    return view_find_byte(url, '_') == url.n || view_find(url, V("/_history/")) == url.n;
}

static bool
message_has_header(const struct scene *s, const struct node *n)
{
    static const char *const types[] = {"message", NULL};
    const struct node *first = node_first(s->tree, node_member(s->tree, n, V("entry")));
    const struct node *resource = node_member(s->tree, first, V("resource"));
    return !type_is(s, n, types) || view_eq(text_of(s, resource, V("resourceType")), V("MessageHeader"));
}

static bool
section_holds_something(const struct scene *s, const struct node *n)
{
    return has(s, n, V("text")) || has(s, n, V("entry")) || has(s, n, V("section"));
}

static bool
section_not_both(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("emptyReason")) || !has(s, n, V("entry"));
}

static bool
range_holds_something(const struct scene *s, const struct node *n)
{
    return has(s, n, V("low")) || has(s, n, V("high")) || has(s, n, V("text"));
}

static bool
observation_not_both(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("dataAbsentReason")) || !has_choice(s, n, V("value"));
}

static bool
abated_is_inactive(const struct scene *s, const struct node *n)
{
    return !has_choice(s, n, V("abatement")) ||
           concept_has(s, node_member(s->tree, n, V("clinicalStatus")),
                       V("http://terminology.hl7.org/CodeSystem/condition-clinical"),
                       V("resolved remission inactive"));
}

static bool
error_has_no_status(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("clinicalStatus")) ||
           !concept_has(s, node_member(s->tree, n, V("verificationStatus")),
                        V("http://terminology.hl7.org/CodeSystem/condition-ver-status"),
                        V("entered-in-error"));
}

static bool
contact_holds_something(const struct scene *s, const struct node *n)
{
    return has(s, n, V("name")) || has(s, n, V("telecom")) || has(s, n, V("address")) ||
           has(s, n, V("organization"));
}

static bool
organization_is_named(const struct scene *s, const struct node *n)
{
    return has(s, n, V("identifier")) || has(s, n, V("name"));
}

static bool
parameter_holds_one(const struct scene *s, const struct node *n)
{
    return has(s, n, V("part")) + has_choice(s, n, V("value")) + has(s, n, V("resource")) == 1;
}

static bool
item_not_both(const struct scene *s, const struct node *n)
{
    return !has(s, n, V("answer")) || !has(s, n, V("item"));
}

static bool
consent_has_policy(const struct scene *s, const struct node *n)
{
    return has(s, n, V("policy")) || has(s, n, V("policyRule"));
}

/* ---- profiles of this project ---- */

static bool
text_is_chinese(const struct scene *s, const struct node *n)
{
    return n->kind != NODE_STRING || text_has_han(node_text(s->tree, n));
}

/* ---- what extensions of a definition ask of a Narrative (profile_compile.c) ---- */

static bool
narrative_names_sources(const struct scene *s, const struct node *n)
{
    struct xhtml_look look = {.unsourced = false};
    view div = text_of(s, n, V("div"));
    return xhtml_fault(div, &look) || !look.unsourced;
}

/* _yes: some section of a language; _no: none; _resource: one of the resource's language; else of the one that is named. */
static bool
narrative_has_language(const struct scene *s, const struct node *n)
{
    struct xhtml_look look = {.language = s->expression};
    view div = text_of(s, n, V("div"));
    if (view_eq(s->expression, V("_resource")))
        look.language = text_of(s, s->resource, V("language"));
    else if (view_starts(s->expression, V("_")))
        look.language = VIEW_NONE;
    return xhtml_fault(div, &look) || look.has_section != view_eq(s->expression, V("_no"));
}

/* ---- tables ---- */

static const struct predicate predicates[] = {
#define PREDICATE(key, expression, function) {key, expression, function},
#include "fhir/predicates.def"
#undef PREDICATE
};

const struct predicate *
predicate_find(view key, view expression)
{
    for (size_t i = 0; i < COUNT_OF(predicates); i++)
        /* Our own keys are known without their text. */
        if (view_eq(key, view_of(predicates[i].key)) &&
            (view_starts(key, V("cg-")) || view_eq(expression, view_of(predicates[i].expression))))
            return &predicates[i];
    return NULL;
}

uint32_t
predicate_number(const struct predicate *p)
{
    return (uint32_t)(p - predicates) + 1;
}

const struct predicate *
predicate_at(uint32_t number)
{
    return &predicates[number - 1];
}

uint32_t
predicate_count(void)
{
    return COUNT_OF(predicates);
}
