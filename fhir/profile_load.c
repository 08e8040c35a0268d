#include "fhir/profile.h"

#include "base/text.h"

#include <stdlib.h>

/* All files, their trees and what is made of them. */
#define PROFILES_BYTES_MAX (2048ull << 20)
#define FILE_NODES_MAX (16u << 20)
#define FILE_BYTES_MAX (256u << 20)

struct loader {
    struct profile_set *set;
    struct fault *f;
};

static err
file_fault(const char *path, struct fault *f, const char *expected, const char *found)
{
    return fault_setf(f, E_CONFIG, expected, found, "%s", path);
}

/* ---- canonical URLs ---- */

/* Whether version a is newer than b: numbers between dots count as numbers. */
static bool
is_newer(view a, view b)
{
    while (a.n > 0 && b.n > 0) {
        view x = view_cut(&a, '.', NULL), y = view_cut(&b, '.', NULL);
        uint64_t i, j;
        bool numbers = text_to_u64(x, &i) == E_OK && text_to_u64(y, &j) == E_OK;
        if (numbers ? i != j : !view_eq(x, y))
            return numbers ? i > j : view_cmp(x, y) > 0;
    }
    return a.n > b.n;
}

/* url|version and url alone; the newer version stands under the latter. E_DUPLICATE when the version is
 * there already. */
static err
add_canonical(struct hash_table *h, view url, view version, uint32_t i,
              view (*version_of)(const void *, uint32_t), const void *self)
{
    uint32_t other;
    TRY(hash_table_add(h, hash_view(hash_view(1, url), version), i, NULL));
    err e = hash_table_add(h, hash_view(0, url), i, &other);
    if (e == E_DUPLICATE && is_newer(version, version_of(self, other)))
        hash_table_set(h, hash_view(0, url), i);
    return e == E_DUPLICATE ? E_OK : e;
}

static view
profile_version(const void *self, uint32_t i)
{
    return ((const struct profile_set *)self)->profiles[i].version;
}

static view
set_version(const void *self, uint32_t i)
{
    return ((const struct profile_set *)self)->sets[i].version;
}

static view
system_version(const void *self, uint32_t i)
{
    return ((const struct profile_set *)self)->systems[i].version;
}

static bool
find_canonical(const struct hash_table *h, view canonical, uint32_t *ret)
{
    bool versioned;
    view version = canonical, url = view_cut(&version, '|', &versioned);
    if (url.n == 0)
        return false;
    return hash_table_find(h, versioned ? hash_view(hash_view(1, url), version) : hash_view(0, url), ret);
}

const struct profile *
profile_find(const struct profile_set *p, view canonical)
{
    uint32_t i;
    return p && find_canonical(&p->profile_urls, canonical, &i) ? &p->profiles[i] : NULL;
}

const struct value_set *
profile_find_set(const struct profile_set *p, view canonical)
{
    uint32_t i;
    return find_canonical(&p->set_urls, canonical, &i) ? &p->sets[i] : NULL;
}

const struct code_system *
profile_find_system(const struct profile_set *p, view canonical)
{
    uint32_t i;
    return find_canonical(&p->system_urls, canonical, &i) ? &p->systems[i] : NULL;
}

/* ---- files ---- */

static err
read_profile(struct loader *l, const char *path, const struct tree *t)
{
    const struct node *root = tree_root(t);
    view type = node_text(t, node_member(t, root, V("type")));
    struct profile *p = &l->set->profiles[l->set->n_profiles];
    /* The base types themselves, and models of other languages, are no profiles. */
    if (!view_eq(node_text(t, node_member(t, root, V("derivation"))), V("constraint")) ||
        shape_of_type(type) == SHAPE_NONE)
        return E_OK;
    *p = (struct profile){.url = node_text(t, node_member(t, root, V("url"))),
                          .version = node_text(t, node_member(t, root, V("version"))),
                          .file = view_of(path),
                          .shape = shape_of_type(type),
                          .base_canonical = node_text(t, node_member(t, root, V("baseDefinition"))),
                          .tree = t};
    if (p->url.n == 0)
        return file_fault(path, l->f, "a url", "none");
    err e =
        add_canonical(&l->set->profile_urls, p->url, p->version, l->set->n_profiles, profile_version, l->set);
    if (e == E_DUPLICATE)
        return file_fault(path, l->f, "each url and version once", "one again");
    TRY(e);
    l->set->n_profiles++;
    return profile_compile(p, l->set->mem, l->f);
}

static err
read_set(struct loader *l, const struct tree *t)
{
    struct value_set *s = &l->set->sets[l->set->n_sets];
    TRY(value_set_read(t, l->set->mem, s));
    err e = add_canonical(&l->set->set_urls, s->url, s->version, l->set->n_sets, set_version, l->set);
    l->set->n_sets += e == E_OK;
    return e == E_DUPLICATE ? E_OK : e;
}

static err
read_system(struct loader *l, const struct tree *t)
{
    struct code_system *s = &l->set->systems[l->set->n_systems];
    TRY(code_system_read(t, l->set->mem, s));
    err e =
        add_canonical(&l->set->system_urls, s->url, s->version, l->set->n_systems, system_version, l->set);
    l->set->n_systems += e == E_OK;
    return e == E_DUPLICATE ? E_OK : e;
}

/* Other resources of a package (examples, guides) are passed over. */
static err
read_file(struct loader *l, const struct embedded *file)
{
    static const struct tree_limits limits = {.bytes = FILE_BYTES_MAX, .nodes = FILE_NODES_MAX};
    view bytes = arena_dup(l->set->mem, (view){file->bytes, file->length});
    const char *path = arena_cstr(l->set->mem, view_of(file->path));
    struct tree *t = arena_make(l->set->mem, struct tree);
    struct fault detail;
    fault_init(&detail);
    if (!bytes.p || !t || !path)
        return file_fault(file->path, l->f, "less than the memory for profiles", "");
    if (tree_read_json(bytes, &limits, l->set->mem, t, &detail) != E_OK)
        return file_fault(file->path, l->f, "JSON", err_info(detail.code)->code);
    view type = node_text(t, node_member(t, tree_root(t), V("resourceType")));
    if (view_eq(type, V("StructureDefinition")))
        return read_profile(l, path, t);
    err e = E_OK;
    if (view_eq(type, V("ValueSet")))
        e = read_set(l, t);
    else if (view_eq(type, V("CodeSystem")))
        e = read_system(l, t);
    return e == E_OK ? E_OK : file_fault(file->path, l->f, "less than the memory for profiles", "");
}

static const struct code_system *
find_system_fn(const void *self, view canonical)
{
    return profile_find_system(self, canonical);
}

static const struct value_set *
find_set_fn(const void *self, view canonical)
{
    return profile_find_set(self, canonical);
}

static err
link_all(struct loader *l)
{
    struct profile_set *set = l->set;
    const struct value_set_finder finder = {.self = set, .code_system = find_system_fn, .set = find_set_fn};
    for (uint32_t i = 0; i < set->n_sets; i++)
        TRY(value_set_link(&set->sets[i], &finder, set->mem));
    for (uint32_t i = 0; i < set->n_profiles; i++)
        TRY(profile_link(&set->profiles[i], set, l->f));
    for (uint32_t i = 0; i < set->n_profiles; i++)
        TRY(profile_link_slices(&set->profiles[i], set->mem, l->f));
    return E_OK;
}

static err
read_all(struct loader *l, const struct embedded *files, size_t n)
{
    struct profile_set *set = l->set;
    uint32_t room = (uint32_t)n;
    set->profiles = arena_make_array(set->mem, n + 1, struct profile);
    set->sets = arena_make_array(set->mem, n + 1, struct value_set);
    set->systems = arena_make_array(set->mem, n + 1, struct code_system);
    if (!set->profiles || !set->sets || !set->systems ||
        !hash_table_init(&set->profile_urls, set->mem, room * 2) ||
        !hash_table_init(&set->set_urls, set->mem, room * 2) ||
        !hash_table_init(&set->system_urls, set->mem, room * 2))
        return fault_set(l->f, E_CONFIG, "profiles", "less than the memory for profiles", "");
    for (size_t i = 0; i < n; i++)
        TRY(read_file(l, &files[i]));
    return link_all(l);
}

err
profiles_load(const struct embedded *files, size_t n, struct profile_set **ret, struct fault *f)
{
    shape_start();
    hash_start();
    predicate_start();
    arena *mem = arena_new(PROFILES_BYTES_MAX);
    struct profile_set *set = arena_make(mem, struct profile_set);
    if (!set || n > UINT32_MAX / 4) {
        arena_free(mem);
        return fault_set(f, E_CONFIG, "profiles", "fewer files", "");
    }
    set->mem = mem;
    err e = read_all(&(struct loader){.set = set, .f = f}, files, n);
    if (e != E_OK) {
        profiles_free(set);
        return fault_set(f, E_CONFIG, "profiles", "less than the memory for profiles", "");
    }
    *ret = set;
    return E_OK;
}

void
profiles_free(struct profile_set *p)
{
    if (p)
        arena_free(p->mem);
}

bool
profiles_know(const struct profile_set *p, view canonical)
{
    return profile_find(p, canonical) != NULL;
}

static int
by_url(const void *a, const void *b)
{
    return view_cmp(*(const view *)a, *(const view *)b);
}

size_t
profiles_list(const struct profile_set *p, view *urls, size_t room)
{
    size_t n = 0;
    for (uint32_t i = 0; i < p->n_profiles; i++) {
        if (!shape_is_resource(p->profiles[i].shape))
            continue;
        if (n < room)
            urls[n] = p->profiles[i].url;
        n++;
    }
    qsort(urls, n < room ? n : room, sizeof *urls, by_url);
    return n;
}
