#include "fhir/judge.h"

/* ---- documents ---- */

static void
need(struct judge *j, const struct node *n, const struct node *in, const char *name)
{
    if (!n)
        judge_say(j, ISSUE_ERROR, E_REQUIRED, in, view_of(name), V(""));
}

/* A document is complete in itself and is known by its identifier. */
void
judge_document(struct judge *j, const struct node *root)
{
    const struct tree *t = j->tree;
    const struct node *identifier = node_member(t, root, V("identifier"));
    need(j, identifier, root, "identifier of the document");
    if (identifier) {
        need(j, node_member(t, identifier, V("system")), identifier, "system");
        need(j, node_member(t, identifier, V("value")), identifier, "value");
    }
    need(j, node_member(t, root, V("timestamp")), root, "timestamp of the document");
    if (j->bundle->n == 0)
        need(j, NULL, root, "entry with the Composition");
    else if (!view_eq(j->bundle->entries[0].type, V("Composition")))
        judge_say(j, ISSUE_ERROR, E_RESOURCE_TYPE, j->bundle->entries[0].entry,
                  V("a Composition as first entry"), V("another resource"));
    for (uint32_t i = 0; i < j->bundle->n; i++) {
        need(j, node_member(t, j->bundle->entries[i].entry, V("fullUrl")), j->bundle->entries[i].entry,
             "fullUrl");
        need(j, j->bundle->entries[i].resource, j->bundle->entries[i].entry, "resource");
    }
}

void
judge_links(struct judge *j, const struct node *bundle)
{
    static const char *const once[] = {"self", "first", "previous", "prev", "next", "last"};
    bool seen[COUNT_OF(once)] = {false};
    for (NODE_EACH(link, j->tree, node_member(j->tree, bundle, V("link")))) {
        view relation = node_text(j->tree, node_member(j->tree, link, V("relation")));
        for (size_t i = 0; i < COUNT_OF(once); i++) {
            if (!view_eq(relation, view_of(once[i])))
                continue;
            if (seen[i])
                judge_say(j, ISSUE_ERROR, E_CARDINALITY, link, V("a relation like this once"), V("again"));
            seen[i] = true;
        }
    }
}

/* Transactions and batches let the server say who is who. */
static bool
may_lack_url(const struct judge *j, const struct node *entry)
{
    const struct node *list = &j->tree->nodes[entry->parent];
    view type = node_text(j->tree, node_member(j->tree, &j->tree->nodes[list->parent], V("type")));
    return view_starts(type, V("transaction")) || view_starts(type, V("batch")) ||
           view_eq(type, V("document"));
}

/* The fullUrl of an entry: absolute, and where it is of a RESTful server, of the type and id that the
 * resource has. */
void
judge_full_url(struct judge *j, const struct node *entry)
{
    const struct tree *t = j->tree;
    const struct node *n = node_member(t, entry, V("fullUrl")),
                      *resource = node_member(t, entry, V("resource"));
    view url = node_text(t, n), id = node_text(t, node_member(t, resource, V("id")));
    view type = node_text(t, node_member(t, resource, V("resourceType")));
    if (url.n == 0) {
        if (resource && !may_lack_url(j, entry))
            judge_say(j, judge_severity(j, WEIGHT_FULL_URL_MISSING), E_REQUIRED, entry, V("fullUrl"),
                      V("none"));
        return;
    }
    if (reference_kind(url) == REFERENCE_RELATIVE || reference_kind(url) == REFERENCE_CONTAINED) {
        judge_say(j, ISSUE_ERROR, E_VALUE, n, V("an absolute URL"), V("a relative one"));
        return;
    }
    view named = reference_kind(url) == REFERENCE_ABSOLUTE ? reference_type(url) : VIEW_NONE;
    if (named.n == 0 || !resource || (!view_starts(url, V("http://")) && !view_starts(url, V("https://"))))
        return;
    bool same = view_ends(url, id) && (id.n == 0 || (url.n > id.n && url.p[url.n - id.n - 1] == '/'));
    if (!view_eq(named, type) || !same)
        judge_say(j, j->is_document ? ISSUE_ERROR : judge_severity(j, WEIGHT_FULL_URL_OTHER), E_VALUE, n,
                  V("a fullUrl that ends with the resource's type and id"), V("another type or id"));
}

/* ---- references ---- */

/* Characters of a UUID: 8-4-4-4-12. */
#define UUID_TEXT 36

static view
show_reference(struct judge *j, view reference)
{
    static const char *const words[] = {"a contained resource", "a relative reference", "a URN", "a URL"};
    view type = reference_type(reference);
    const char *word = words[reference_kind(reference)];
    return type.n ? judge_print(j, "%s of type %.*s", word, VIEW_ARG(type)) : view_of(word);
}

static bool
is_open_bundle(const struct judge *j)
{
    view type = node_text_at(j->tree, tree_root(j->tree), "type");
    return view_eq(type, V("searchset")) || view_eq(type, V("history")) || view_ends(type, V("-response"));
}

/* Type/UUID where the entry with this UUID as its fullUrl is of another type: whoever wrote it mixed up two resources. */
static bool
names_uuid_of_other_type(const struct judge *j, const struct node *resource, view text)
{
    static const char scheme[] = "urn:uuid:";
    char urn[sizeof scheme + UUID_TEXT];
    view type = reference_type(text);
    if (type.n == 0 || text.n != type.n + 1 + UUID_TEXT)
        return false;
    memcpy(urn, scheme, sizeof scheme - 1);
    memcpy(urn + sizeof scheme - 1, text.p + type.n + 1, UUID_TEXT);
    const struct node *to = bundle_resolve(j->bundle, resource, (view){urn, sizeof scheme - 1 + UUID_TEXT});
    const struct bundle_entry *entry = to ? bundle_entry_of(j->bundle, to) : NULL;
    return entry && !view_eq(entry->type, type);
}

static void
say_unresolved(struct judge *j, const struct node *n, const struct node *resource, view text)
{
    enum reference_kind kind = reference_kind(text);
    if (kind == REFERENCE_RELATIVE && names_uuid_of_other_type(j, resource, text)) {
        judge_say(j, ISSUE_ERROR, E_REFERENCE, n,
                  judge_print(j, "a resource of type %.*s", VIEW_ARG(reference_type(text))),
                  V("another type"));
    } else if (kind == REFERENCE_CONTAINED) {
        judge_say(j, ISSUE_ERROR, E_REFERENCE, n, V("a contained resource with this id"),
                  show_reference(j, text));
    } else if (!j->is_document) {
        /* Other bundles may rely on what the receiver has; a URN means nothing outside. */
        if (kind == REFERENCE_LOCAL && !is_open_bundle(j))
            judge_say(j, ISSUE_WARNING, E_REFERENCE, n, V("an entry with this fullUrl"),
                      show_reference(j, text));
    } else if (kind == REFERENCE_ABSOLUTE) {
        judge_say(j, judge_severity(j, WEIGHT_REFERENCE_OUTSIDE), E_REFERENCE_OUTSIDE, n,
                  V("an entry of the document"), show_reference(j, text));
    } else {
        bool composition = j->bundle->n > 0 && resource == j->bundle->entries[0].resource;
        judge_say(j, composition ? ISSUE_ERROR : judge_severity(j, WEIGHT_REFERENCE_MISSING), E_REFERENCE, n,
                  V("an entry of the document"), show_reference(j, text));
    }
}

void
judge_reference(struct judge *j, const struct node *reference, const struct node *resource, bool in_bundle)
{
    const struct node *n = node_member(j->tree, reference, V("reference"));
    view text = node_text(j->tree, n);
    if (text.n == 0)
        return;
    const struct node *to = bundle_resolve(j->bundle, resource, text);
    if (!to) {
        if (in_bundle || reference_kind(text) == REFERENCE_CONTAINED)
            say_unresolved(j, n, resource, text);
        return;
    }
    if (reference_kind(text) != REFERENCE_CONTAINED) {
        view type = reference_type(text);
        const struct bundle_entry *entry = type.n > 0 ? bundle_entry_of(j->bundle, to) : NULL;
        if (entry && !view_eq(type, entry->type))
            judge_say(j, ISSUE_ERROR, E_REFERENCE, n,
                      judge_print(j, "a resource of type %.*s", VIEW_ARG(type)), V("another type"));
        return;
    }
    /* A contained resource counts as referred to also when it refers to its container itself (dom-3). */
    const struct node *marked = text.n == 1 ? resource : to;
    if (hash_table_add(&j->referred, hash_number(0, node_index(j->tree, marked)), 0, NULL) == E_TOO_LARGE)
        j->full = true;
}
