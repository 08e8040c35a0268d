#include "fhir/bundle_index.h"
#include "fhir/place.h"
#include "fhir/shape.h"

/* Longest URL that a relative reference is completed to. */
#define URL_MAX 2048

enum reference_kind
reference_kind(view reference)
{
    if (view_starts(reference, V("#")))
        return REFERENCE_CONTAINED;
    if (view_starts(reference, V("urn:uuid:")) || view_starts(reference, V("urn:oid:")))
        return REFERENCE_LOCAL;
    size_t colon = view_find_byte(reference, ':'), slash = view_find_byte(reference, '/');
    return colon < slash && colon < reference.n ? REFERENCE_ABSOLUTE : REFERENCE_RELATIVE;
}

/* Cuts "/_history/v" off. */
static view
cut_version(view reference, view *ret_version)
{
    static const view mark = {"/_history/", 10};
    size_t at = view_find(reference, mark);
    *ret_version = view_sub(reference, at + mark.n, reference.n);
    return view_sub(reference, 0, at);
}

/* Where Type/id begins at the end of a URL; text.n when it does not end so. */
static size_t
find_type(view text)
{
    size_t end = text.n, at;
    for (at = end; at > 0 && text.p[at - 1] != '/'; at--)
        ;
    if (at == 0)
        return text.n;
    end = at - 1;
    for (at = end; at > 0 && text.p[at - 1] != '/'; at--)
        ;
    return shape_of_resource(view_sub(text, at, end - at)) != SHAPE_NONE ? at : text.n;
}

view
reference_type(view reference)
{
    view version;
    view text = cut_version(reference, &version);
    size_t at = find_type(text);
    view rest = view_sub(text, at, text.n);
    return view_cut(&rest, '/', NULL);
}

/* "https://host/fhir/" of "https://host/fhir/Patient/1"; empty when the URL is not of a RESTful server. */
static view
base_of(view url)
{
    if (!view_starts(url, V("http://")) && !view_starts(url, V("https://")))
        return VIEW_NONE;
    size_t at = find_type(url);
    return at < url.n ? view_sub(url, 0, at) : VIEW_NONE;
}

/* ---- building ---- */

static err
put(struct hash_table *h, uint64_t hash, uint32_t value)
{
    err e = hash_table_add(h, hash, value, NULL);
    return e == E_DUPLICATE ? E_OK : e;
}

static uint64_t
hash_pair(view a, view b)
{
    return hash_view(hash_view(0, a), b);
}

static err
index_url(struct bundle *b, uint32_t i, bool history, struct issues *issues)
{
    struct bundle_tables *x = b->index;
    const struct bundle_entry *entry = &b->entries[i];
    view version = node_text_at(b->tree, entry->resource, "meta.versionId");
    err e = hash_table_add(&x->urls, hash_view(0, entry->full_url), i, NULL);
    if (e != E_OK && e != E_DUPLICATE)
        return e;
    err v = hash_table_add(&x->versions, hash_pair(entry->full_url, version), i, NULL);
    if (v == E_DUPLICATE && !history)
        issue_at(issues, ISSUE_ERROR, E_INVARIANT, b->tree, entry->entry, V("bdl-7: each fullUrl once"),
                 V("the fullUrl of an earlier entry"));
    return v == E_DUPLICATE ? E_OK : v;
}

static err
index_id(struct bundle *b, uint32_t i, bool history, struct issues *issues)
{
    struct bundle_tables *x = b->index;
    const struct bundle_entry *entry = &b->entries[i];
    uint64_t hash = hash_pair(entry->type, entry->id);
    uint32_t other;
    err e = hash_table_add(&x->ids, hash, i, &other);
    if (e != E_DUPLICATE)
        return e;
    if (other == BUNDLE_AMBIGUOUS || view_eq(b->entries[other].full_url, entry->full_url))
        return E_OK;
    hash_table_set(&x->ids, hash, BUNDLE_AMBIGUOUS);
    if (!history)
        issue_at(issues, ISSUE_WARNING, E_INVARIANT, b->tree, entry->entry, V("each type and id once"),
                 V("type and id of an earlier entry"));
    return E_OK;
}

static err
index_entry(struct bundle *b, uint32_t i, const struct node *node, bool history, struct issues *issues)
{
    const struct tree *t = b->tree;
    struct bundle_tables *x = b->index;
    struct bundle_entry *entry = &b->entries[i];
    entry->entry = node;
    entry->resource = node_member(t, node, V("resource"));
    entry->full_url = node_text(t, node_member(t, node, V("fullUrl")));
    entry->type = node_text(t, node_member(t, entry->resource, V("resourceType")));
    entry->id = node_text(t, node_member(t, entry->resource, V("id")));
    if (entry->full_url.n > 0)
        TRY(index_url(b, i, history, issues));
    if (entry->type.n > 0 && entry->id.n > 0)
        TRY(index_id(b, i, history, issues));
    return entry->resource ? put(&x->nodes, hash_number(0, node_index(t, entry->resource)), i) : E_OK;
}

static err
index_contained(struct bundle *b, const struct node *array, struct issues *issues)
{
    const struct tree *t = b->tree;
    struct bundle_tables *x = b->index;
    for (NODE_EACH(item, t, array)) {
        view id = node_text(t, node_member(t, item, V("id")));
        if (id.n == 0)
            continue;
        err e = hash_table_add(&x->contained, hash_view(hash_number(0, array->parent), id),
                               node_index(t, item), NULL);
        if (e == E_DUPLICATE)
            issue_at(issues, ISSUE_ERROR, E_INVARIANT, t, item, V("each contained id once"),
                     V("an id again"));
        else if (e != E_OK)
            return e;
    }
    return E_OK;
}

/* Every array "contained" of the tree, wherever it stands. */
static err
index_all_contained(struct bundle *b, struct issues *issues)
{
    const struct tree *t = b->tree;
    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        if (n->kind == NODE_ARRAY && n->name_length == 9 && view_eq(node_name(t, n), V("contained")))
            TRY(index_contained(b, n, issues));
    }
    return E_OK;
}

static err
make_tables(const struct tree *t, arena *mem, uint32_t n, struct bundle *ret)
{
    shape_start();
    hash_start();
    struct bundle_tables *x = arena_make(mem, struct bundle_tables);
    *ret = (struct bundle){.tree = t, .n = n, .index = x};
    ret->entries = arena_make_array(mem, (size_t)n + 1, struct bundle_entry);
    if (!x || !ret->entries || !hash_table_init(&x->urls, mem, n) || !hash_table_init(&x->versions, mem, n) ||
        !hash_table_init(&x->ids, mem, n) || !hash_table_init(&x->nodes, mem, n) ||
        !hash_table_init(&x->contained, mem, 0))
        return E_TOO_LARGE;
    return E_OK;
}

err
bundle_of_resource(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues)
{
    struct bundle b;
    TRY(make_tables(t, mem, 0, &b));
    TRY(index_all_contained(&b, issues));
    *ret = b;
    return E_OK;
}

err
bundle_index(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues)
{
    const struct node *root = tree_root(t), *list = node_member(t, root, V("entry"));
    struct bundle b;
    uint32_t i = 0;
    if (!view_eq(node_text_at(t, root, "resourceType"), V("Bundle")))
        return E_RESOURCE_TYPE;
    bool history = view_eq(node_text_at(t, root, "type"), V("history"));
    TRY(make_tables(t, mem, list && list->kind == NODE_ARRAY ? node_count(list) : 0, &b));
    if (b.n > 0)
        for (NODE_EACH(entry, t, list))
            TRY(index_entry(&b, i++, entry, history, issues));
    TRY(index_all_contained(&b, issues));
    issues_locate(issues, t->source);
    *ret = b;
    return E_OK;
}

/* ---- looking up ---- */

const struct node *
bundle_resource_of(const struct tree *t, const struct node *n)
{
    for (;; n = &t->nodes[n->parent]) {
        if (n->kind == NODE_OBJECT && node_member(t, n, V("resourceType")))
            return n;
        if (n == tree_root(t))
            return NULL;
    }
}

const struct node *
bundle_container(const struct tree *t, const struct node *resource)
{
    const struct node *array = &t->nodes[resource->parent];
    if (resource == tree_root(t) || array->kind != NODE_ARRAY ||
        !view_eq(node_name(t, array), V("contained")))
        return resource;
    return &t->nodes[array->parent];
}

const struct bundle_entry *
bundle_entry_of(const struct bundle *b, const struct node *resource)
{
    const struct bundle_tables *x = b->index;
    uint32_t i;
    const struct node *outer = bundle_container(b->tree, resource);
    if (!hash_table_find(&x->nodes, hash_number(0, node_index(b->tree, outer)), &i))
        return NULL;
    return &b->entries[i];
}

static const struct node *
resolve_contained(const struct bundle *b, const struct node *from, view id)
{
    const struct bundle_tables *x = b->index;
    const struct node *outer = bundle_container(b->tree, from);
    uint32_t i;
    if (id.n == 0)
        return outer;
    if (!hash_table_find(&x->contained, hash_view(hash_number(0, node_index(b->tree, outer)), id), &i))
        return NULL;
    return &b->tree->nodes[i];
}

static const struct bundle_entry *
find_url(const struct bundle *b, view url, view version)
{
    const struct bundle_tables *x = b->index;
    uint32_t i;
    if (version.n > 0 && hash_table_find(&x->versions, hash_pair(url, version), &i))
        return &b->entries[i];
    if (!hash_table_find(&x->urls, hash_view(0, url), &i) || !view_eq(b->entries[i].full_url, url))
        return NULL;
    /* A reference to a version finds an entry that states no version, never one that states another. */
    bool other = version.n > 0 && node_text_at(b->tree, b->entries[i].resource, "meta.versionId").n > 0;
    return other ? NULL : &b->entries[i];
}

/* Type/id on the base of the entry where the reference stands. Where either side has no such base
 * (urn:uuid), type and id alone decide, if only one entry has them: R4 leaves these references open, and
 * hospitals write them. */
static const struct bundle_entry *
find_relative(const struct bundle *b, const struct node *from, view reference, view version)
{
    const struct bundle_tables *x = b->index;
    const struct bundle_entry *at = bundle_entry_of(b, from);
    view base = at ? base_of(at->full_url) : VIEW_NONE;
    char url[URL_MAX];
    uint32_t i;
    if (base.n > 0 && base.n + reference.n <= sizeof url) {
        memcpy(url, base.p, base.n);
        memcpy(url + base.n, reference.p, reference.n);
        const struct bundle_entry *entry = find_url(b, (view){url, base.n + reference.n}, version);
        if (entry)
            return entry;
    }
    view id = reference, type = view_cut(&id, '/', NULL);
    if (!hash_table_find(&x->ids, hash_pair(type, id), &i) || i == BUNDLE_AMBIGUOUS)
        return NULL;
    const struct bundle_entry *entry = &b->entries[i];
    bool elsewhere = base.n > 0 && base_of(entry->full_url).n > 0;
    return !elsewhere && view_eq(entry->type, type) && view_eq(entry->id, id) ? entry : NULL;
}

const struct node *
bundle_resolve(const struct bundle *b, const struct node *from_resource, view reference)
{
    view version;
    const struct bundle_entry *entry;
    if (reference.n == 0 || !from_resource)
        return NULL;
    enum reference_kind kind = reference_kind(reference);
    if (kind == REFERENCE_CONTAINED)
        return resolve_contained(b, from_resource, view_sub(reference, 1, reference.n));
    view plain = cut_version(reference, &version);
    entry = kind == REFERENCE_RELATIVE ? find_relative(b, from_resource, plain, version)
                                       : find_url(b, plain, version);
    return entry ? entry->resource : NULL;
}

const struct node *
bundle_first(const struct bundle *b, view type)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (view_eq(b->entries[i].type, type))
            return b->entries[i].resource;
    return NULL;
}
