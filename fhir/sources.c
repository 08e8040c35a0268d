#include "fhir/profile.h"

/* A session of compiling: files in, a pack out. */

#define FILE_NODES_MAX (32u << 20)
#define FILE_BYTES_MAX (512u << 20)
#define XML_BYTES_MAX (256u << 20)

static err
file_fault(view path, struct fault *f, const char *expected, const char *found)
{
    return fault_setf(f, E_CONFIG, expected, found, "%.*s", VIEW_ARG(path));
}

static err
too_many(struct fault *f)
{
    return fault_set(f, E_CONFIG, "profiles", "less than the memory for profiles", "");
}

static bool
kind_of(view type, enum pack_kind *ret)
{
    static const view types[PACK_KINDS] = {V_INIT("StructureDefinition"), V_INIT("ValueSet"),
                                           V_INIT("CodeSystem")};
    for (int i = 0; i < PACK_KINDS; i++)
        if (view_eq(type, types[i])) {
            *ret = (enum pack_kind)i;
            return true;
        }
    return false;
}

static bool
is_constraint(const struct source_file *file)
{
    return view_eq(node_text(file->tree, node_member(file->tree, file->root, V("derivation"))),
                   V("constraint"));
}

static struct source_file *
find_canonical(const struct sources *s, enum pack_kind kind, view canonical)
{
    bool versioned;
    uint32_t n;
    view version = canonical, url = view_cut(&version, '|', &versioned);
    uint64_t hash = versioned ? hash_view(hash_view(1, url), version) : hash_view(0, url);
    if (url.n == 0 || s->canonicals[kind].room == 0 || !hash_table_find(&s->canonicals[kind], hash, &n))
        return NULL;
    return &s->files[n];
}

struct source_file *
sources_find(const struct sources *s, enum pack_kind kind, view canonical)
{
    struct source_file *file = find_canonical(s, kind, canonical);
    return file && kind == PACK_IS_PROFILE && !is_constraint(file) ? NULL : file;
}

/* url|version and url alone; the newer version stands under the latter. */
static err
add_canonical(struct sources *s, enum pack_kind kind, const struct source_file *file, uint32_t n)
{
    struct hash_table *h = &s->canonicals[kind];
    uint32_t other;
    if (h->room == 0 && !hash_table_init(h, s->mem, 256))
        return E_TOO_LARGE;
    TRY(hash_table_add(h, hash_view(hash_view(1, file->url), file->version), n, NULL));
    err e = hash_table_add(h, hash_view(0, file->url), n, &other);
    if (e == E_DUPLICATE && pack_is_newer(file->version, s->files[other].version))
        hash_table_set(h, hash_view(0, file->url), n);
    return e == E_DUPLICATE ? E_OK : e;
}

static err
add_guide(struct sources *s, const struct tree *t, const struct node *root)
{
    struct guide *g = arena_make(s->mem, struct guide);
    if (!g)
        return too_many(s->f);
    *g = (struct guide){.tree = t, .root = root, .next = s->guides};
    s->guides = g;
    return E_OK;
}

static err
add_resource(struct sources *s, view path, const struct tree *t, const struct node *root, bool aside)
{
    enum pack_kind kind;
    struct source_file file = {.path = path,
                               .tree = t,
                               .root = root,
                               .type = node_text(t, node_member(t, root, V("resourceType"))),
                               .url = node_text(t, node_member(t, root, V("url"))),
                               .version = node_text(t, node_member(t, root, V("version"))),
                               .aside = aside};
    if (view_eq(file.type, V("ImplementationGuide")) && !aside)
        return add_guide(s, t, root);
    if (!kind_of(file.type, &kind))
        return E_OK;
    if (file.url.n == 0)
        return s->lenient ? E_OK : file_fault(path, s->f, "a url", "none");
    if (s->n == s->room) {
        uint32_t room = s->room * 2 + 256;
        struct source_file *wide = arena_make_array(s->mem, room, struct source_file);
        if (!wide)
            return too_many(s->f);
        if (s->n > 0)
            memcpy(wide, s->files, s->n * sizeof *wide);
        s->files = wide;
        s->room = room;
    }
    s->files[s->n] = file;
    err e = add_canonical(s, kind, &file, s->n);
    if (e == E_DUPLICATE)
        return s->lenient || kind != PACK_IS_PROFILE
                   ? E_OK
                   : file_fault(path, s->f, "each url and version once", "one again");
    s->n += e == E_OK;
    return e == E_OK ? E_OK : too_many(s->f);
}

static err
add_json(struct sources *s, view path, view bytes, bool aside)
{
    static const struct tree_limits limits = {.bytes = FILE_BYTES_MAX, .nodes = FILE_NODES_MAX};
    struct tree *t = arena_make(s->mem, struct tree);
    struct fault detail;
    view kept = arena_dup(s->mem, bytes);
    path = arena_dup(s->mem, path);
    fault_init(&detail);
    if (!kept.p || !t || !path.p)
        return too_many(s->f);
    err e = tree_read_json(kept, &limits, s->mem, t, &detail);
    if (e == E_TOO_LARGE)
        return too_many(s->f);
    if (e != E_OK) {
        s->left_out += s->lenient;
        return s->lenient ? E_OK : file_fault(path, s->f, "JSON", err_info(detail.code)->code);
    }
    const struct node *root = tree_root(t);
    if (!view_eq(node_text(t, node_member(t, root, V("resourceType"))), V("Bundle")))
        return add_resource(s, path, t, root, aside);
    for (NODE_EACH(entry, t, node_member(t, root, V("entry")))) {
        const struct node *resource = node_member(t, entry, V("resource"));
        if (resource)
            TRY(add_resource(s, path, t, resource, aside));
    }
    return E_OK;
}

/* XML goes through the tree into JSON, so that everything behind sees one form. */
static err
add_xml(struct sources *s, view path, view bytes, bool aside)
{
    struct fault detail;
    struct tree t;
    struct buf json;
    AUTO(arena_free) arena *mem = arena_new(XML_BYTES_MAX);
    fault_init(&detail);
    if (fhir_read(FHIR_XML, bytes, mem, &t, &detail) != E_OK) {
        if (!s->lenient)
            return file_fault(path, s->f, "FHIR XML", err_info(detail.code)->code);
        if (s->left_out++ == 0)
            s->first_left_out = detail;
        return E_OK;
    }
    buf_init(&json, FILE_BYTES_MAX);
    err e = fhir_write_json(&t, tree_root(&t), &json);
    if (e == E_OK)
        e = add_json(s, path, buf_view(&json), aside);
    buf_done(&json);
    return e;
}

err
sources_add(struct sources *s, view path, view bytes, bool aside)
{
    view text = view_trim(bytes);
    if (view_starts(text, V("\xEF\xBB\xBF")))
        text = view_sub(text, 3, text.n);
    return view_starts(text, V("<")) ? add_xml(s, path, text, aside) : add_json(s, path, text, aside);
}

/* ---- compiling ---- */

/* Types and resources of the base, and the few types that the base defines as constraints of Quantity. */
static bool
is_base(const struct source_file *file)
{
    if (!view_starts(file->url, V(CORE_PREFIX)) || !view_eq(file->type, V("StructureDefinition")))
        return false;
    uint16_t shape = shape_of_type(view_sub(file->url, sizeof CORE_PREFIX - 1, file->url.n));
    return shape != SHAPE_NONE;
}

static err
write_profile(struct sources *s, const struct source_file *file, const struct pack *base,
              struct pack_build *b)
{
    struct profile *p;
    struct fault own;
    view type = node_text(file->tree, node_member(file->tree, file->root, V("type")));
    /* The base types themselves, and models of other languages, are no profiles. */
    if (!is_constraint(file) || is_base(file) || shape_of_type(type) == SHAPE_NONE)
        return E_OK;
    fault_init(&own);
    err e = profile_draft(s, file, &p, &own);
    if (e == E_OK)
        e = profile_link_slices(s, p, &own);
    if (e == E_OK)
        return profile_write(p, base, b) == E_OK ? E_OK : too_many(s->f);
    if (!s->lenient) {
        *s->f = own;
        return e;
    }
    if (s->left_out++ == 0)
        s->first_left_out = own;
    return E_OK;
}

static err
write_file(struct sources *s, const struct source_file *file, const struct pack *base, struct pack_build *b)
{
    enum pack_kind kind;
    if (file->aside || !kind_of(file->type, &kind))
        return E_OK;
    if (kind == PACK_IS_PROFILE)
        return write_profile(s, file, base, b);
    err e = kind == PACK_IS_SET ? set_write(s, file, b) : system_write(s, file, b);
    return e == E_OK ? E_OK : too_many(s->f);
}

/* A guide's profiles for every resource of a type. */
static void
write_globals(const struct guide *g, struct pack_build *b)
{
    for (NODE_EACH(item, g->tree, node_member(g->tree, g->root, V("global")))) {
        view type = node_text(g->tree, node_member(g->tree, item, V("type")));
        view profile = node_text(g->tree, node_member(g->tree, item, V("profile")));
        const struct pack_global one = {.shape = shape_of_resource(type),
                                        .profile = pack_add_link(b, PACK_IS_PROFILE, profile)};
        if (one.shape != SHAPE_NONE && profile.n > 0)
            pack_add(b, PACK_GLOBAL, &one);
    }
}

err
sources_compile(struct sources *s, const struct pack *base, const struct pack_label *label, struct buf *out)
{
    struct pack_build b;
    bool makes_base = false;
    err e = pack_build_init(&b, s->mem);
    for (uint32_t i = 0; i < s->n; i++)
        makes_base |= !s->files[i].aside && view_eq(s->files[i].url, V(CORE_PREFIX "Patient"));
    if (e == E_OK && makes_base)
        base_write_start(&b);
    for (uint32_t i = 0; e == E_OK && makes_base && i < s->n; i++)
        if (is_base(&s->files[i]) && !s->files[i].aside)
            base_write(&s->files[i], &b);
    /* Without a base the base's rows are all that can be said. */
    for (uint32_t i = 0; e == E_OK && (base || !makes_base) && i < s->n; i++)
        e = write_file(s, &s->files[i], base, &b);
    for (const struct guide *g = s->guides; e == E_OK && g; g = g->next)
        write_globals(g, &b);
    if (e == E_OK)
        e = pack_build_end(&b, label, out) == E_OK ? E_OK : too_many(s->f);
    pack_build_done(&b);
    return e;
}
