#include "base/place.h"
#include "fhir/bundle_index.h"
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
    size_t at = view_find_byte(reference, '_') < reference.n ? view_find(reference, mark) : reference.n;
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

static uint64_t
hash_pair(view a, view b)
{
    return hash_view(hash_view(0, a), b);
}

static view
version_of(const struct bundle *b, const struct bundle_entry *entry)
{
    const struct bundle_tables *x = b->index;
    if (!x->has_versions)
        return VIEW_NONE;
    const struct node *meta = node_member(b->tree, entry->resource, V("meta"));
    return node_text(b->tree, node_member(b->tree, meta, V("versionId")));
}

/* What an entry is looked up by; taken some entries before it is put into the tables, so that their places are in the
 * cache by then. */
#define AHEAD 16u
struct keys {
    uint64_t url, id;
};

static err
index_url(struct bundle *b, uint32_t i, uint64_t hash, bool history, struct issues *issues)
{
    struct bundle_tables *x = b->index;
    const struct bundle_entry *entry = &b->entries[i];
    view version = version_of(b, entry);
    uint32_t other;
    err e = hash_table_add(&x->urls, hash, i, &other);
    if (e != E_DUPLICATE && (e != E_OK || version.n == 0))
        return e;
    /* The first of several stands in the other table only with a version. */
    bool first_is_same = e == E_DUPLICATE && version.n == 0 && version_of(b, &b->entries[other]).n == 0;
    err v = first_is_same ? E_DUPLICATE
                          : hash_table_add(&x->versions, hash_pair(entry->full_url, version), i, NULL);
    if (v == E_DUPLICATE && !history)
        issue_at(issues, ISSUE_ERROR, E_INVARIANT, b->tree, entry->entry, V("bdl-7: each fullUrl once"),
                 V("the fullUrl of an earlier entry"));
    return v == E_DUPLICATE ? E_OK : v;
}

static err
index_id(struct bundle *b, uint32_t i, uint64_t hash, bool history, struct issues *issues)
{
    struct bundle_tables *x = b->index;
    const struct bundle_entry *entry = &b->entries[i];
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

static void
look_at_entry(struct bundle *b, uint32_t i, const struct node *node, struct keys *keys)
{
    const struct tree *t = b->tree;
    struct bundle_tables *x = b->index;
    struct bundle_entry entry = {.entry = node};
    for (NODE_EACH(member, t, node)) {
        view name = node_name(t, member);
        if (view_eq(name, V("resource")))
            entry.resource = member;
        else if (view_eq(name, V("fullUrl")))
            entry.full_url = node_text(t, member);
        b->n_search += view_eq(name, V("search"));
        b->n_request += view_eq(name, V("request"));
        b->n_response += view_eq(name, V("response"));
    }
    entry.type = node_text(t, node_member(t, entry.resource, V("resourceType")));
    entry.id = node_text(t, node_member(t, entry.resource, V("id")));
    *keys = (struct keys){hash_view(0, entry.full_url), hash_pair(entry.type, entry.id)};
    hash_table_prefetch(&x->urls, keys->url);
    hash_table_prefetch(&x->ids, keys->id);
    b->entries[i] = entry;
    x->nodes[i] = node_index(t, node);
}

static err
index_entry(struct bundle *b, uint32_t i, const struct keys *keys, bool history, struct issues *issues)
{
    const struct bundle_entry *entry = &b->entries[i];
    if (entry->full_url.n > 0)
        TRY(index_url(b, i, keys->url, history, issues));
    if (entry->type.n > 0 && entry->id.n > 0)
        TRY(index_id(b, i, keys->id, history, issues));
    return E_OK;
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

/* Every array "contained" of the tree, wherever it stands; and whether there is a version at all, since looking for one in each
 * resource means fetching all of its members. */
static err
look_at_name(struct bundle *b, const struct node *n, struct issues *issues)
{
    struct bundle_tables *x = b->index;
    _Static_assert(sizeof "contained" == sizeof "versionId", "one length for both names");
    if (n->name_length != sizeof "contained" - 1)
        return E_OK;
    view name = node_name(b->tree, n);
    x->has_versions |= view_eq(name, V("versionId"));
    return n->kind == NODE_ARRAY && view_eq(name, V("contained")) ? index_contained(b, n, issues) : E_OK;
}

/* One pass: a tree may be larger than the processor's caches.  All nodes of an entry have been seen when its keys are used. */
static err
look_through(struct bundle *b, const struct node *next, bool history, struct issues *issues)
{
    const struct tree *t = b->tree;
    struct keys keys[AHEAD];
    uint32_t n = 0;
    for (uint32_t i = 1; i < t->n; i++) {
        if (&t->nodes[i] == next) {
            if (n >= AHEAD)
                TRY(index_entry(b, n - AHEAD, &keys[n % AHEAD], history, issues));
            look_at_entry(b, n, next, &keys[n % AHEAD]);
            next = node_next(t, next);
            n++;
        }
        TRY(look_at_name(b, &t->nodes[i], issues));
    }
    for (uint32_t i = n > AHEAD ? n - AHEAD : 0; i < n; i++)
        TRY(index_entry(b, i, &keys[i % AHEAD], history, issues));
    return E_OK;
}

static err
make_tables(const struct tree *t, arena *mem, uint32_t n, struct bundle *ret)
{
    shape_start();
    hash_start();
    struct bundle_tables *x = arena_make(mem, struct bundle_tables);
    *ret = (struct bundle){.tree = t, .n = n, .index = x};
    ret->entries = arena_alloc(mem, ((size_t)n + 1) * sizeof *ret->entries);
    if (x)
        x->nodes = arena_alloc(mem, ((size_t)n + 1) * sizeof *x->nodes);
    if (!x || !x->nodes || !ret->entries || !hash_table_init(&x->urls, mem, n) ||
        !hash_table_init(&x->versions, mem, 0) || !hash_table_init(&x->ids, mem, n) ||
        !hash_table_init(&x->contained, mem, 0))
        return E_TOO_LARGE;
    return E_OK;
}

err
bundle_of_resource(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues)
{
    struct bundle b;
    TRY(make_tables(t, mem, 0, &b));
    TRY(look_through(&b, NULL, false, issues));
    *ret = b;
    return E_OK;
}

err
bundle_index(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues)
{
    const struct node *root = tree_root(t), *list = node_member(t, root, V("entry"));
    struct bundle b;
    if (!view_eq(node_text_at(t, root, "resourceType"), V("Bundle")))
        return E_RESOURCE_TYPE;
    bool history = view_eq(node_text_at(t, root, "type"), V("history"));
    TRY(make_tables(t, mem, list && list->kind == NODE_ARRAY ? node_count(list) : 0, &b));
    TRY(look_through(&b, b.n > 0 ? node_first(t, list) : NULL, history, issues));
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
    const struct node *outer = bundle_container(b->tree, resource);
    uint32_t low = 0, high = b->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (x->nodes[middle] < outer->parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->n && b->entries[low].resource == outer ? &b->entries[low] : NULL;
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
    bool other = version.n > 0 && version_of(b, &b->entries[i]).n > 0;
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
