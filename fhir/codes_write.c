#include "fhir/profile.h"
#include "fhir/tree_walk.h"

#include <stdlib.h>

/* Value sets into a pack: lists of codes, sorted by bytes.  A filter is evaluated here, where its
 * code system is at hand; what cannot be evaluated makes the set unclear, and nothing is said of other codes. */

struct codes {
    arena *mem;
    view *list;
    size_t n, room;
    bool full;
};

static void
add_code(struct codes *c, view code)
{
    if (code.n == 0)
        return;
    if (c->n == c->room) {
        size_t room = c->room * 2 + 64;
        view *wide = arena_make_array(c->mem, room, view);
        c->full |= !wide;
        if (!wide)
            return;
        if (c->n > 0)
            memcpy(wide, c->list, c->n * sizeof *wide);
        c->list = wide;
        c->room = room;
    }
    c->list[c->n++] = code;
}

static int
by_bytes(const void *a, const void *b)
{
    return view_cmp(*(const view *)a, *(const view *)b);
}

static struct pack_span
write_codes(struct codes *c, struct pack_build *b)
{
    struct pack_span span = {pack_count(b, PACK_CODE), 0};
    if (c->n > 0)
        qsort(c->list, c->n, sizeof *c->list, by_bytes);
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0 && view_eq(c->list[i], c->list[i - 1]))
            continue;
        struct pack_text text = pack_add_text(b, c->list[i]);
        pack_add(b, PACK_CODE, &text);
        span.n++;
    }
    b->failed |= c->full;
    return span;
}

/* ---- code systems ---- */

/* Concepts nest; in document order each one is an object of an array "concept". */
static void
add_concepts(struct codes *c, const struct tree *t, const struct node *below)
{
    uint32_t end = below ? node_end(t, below) : 0;
    for (uint32_t i = below ? node_index(t, below) + 1 : 0; i < end; i++)
        if (concept_is(t, &t->nodes[i]))
            add_code(c, node_text(t, node_member(t, &t->nodes[i], V("code"))));
}

/* ---- filters ---- */

static const struct node *
find_concept(const struct tree *t, const struct node *root, view code)
{
    uint32_t end = node_end(t, root);
    for (uint32_t i = node_index(t, root) + 1; i < end; i++)
        if (concept_is(t, &t->nodes[i]) &&
            view_eq(node_text(t, node_member(t, &t->nodes[i], V("code"))), code))
            return &t->nodes[i];
    return NULL;
}

static bool
has_property(const struct tree *t, const struct node *concept, view property, view value)
{
    for (NODE_EACH(p, t, node_member(t, concept, V("property")))) {
        if (!view_eq(node_text(t, node_member(t, p, V("code"))), property))
            continue;
        for (NODE_EACH(member, t, p))
            if (view_starts(node_name(t, member), V("value")) &&
                (view_eq(node_text(t, member), value) ||
                 view_eq(node_text(t, node_member(t, member, V("code"))), value)))
                return true;
    }
    return false;
}

/* Codes of the system that fit one filter; false when it is not understood. */
static bool
apply_filter(struct codes *c, const struct source_file *system, const struct tree *t,
             const struct node *filter)
{
    view property = node_text(t, node_member(t, filter, V("property")));
    view op = node_text(t, node_member(t, filter, V("op"))),
         value = node_text(t, node_member(t, filter, V("value")));
    const struct node *root = system->root;
    bool is_a = view_eq(op, V("is-a"));
    if (is_a || view_eq(op, V("descendent-of"))) {
        const struct node *top = find_concept(system->tree, root, value);
        if (is_a)
            add_code(c, value);
        if (top)
            add_concepts(c, system->tree, top);
        return top != NULL;
    }
    if (!view_eq(op, V("=")) || view_eq(property, V("concept")))
        return false;
    uint32_t end = node_end(system->tree, root);
    for (uint32_t i = node_index(system->tree, root) + 1; i < end; i++) {
        const struct node *n = &system->tree->nodes[i];
        if (concept_is(system->tree, n) && has_property(system->tree, n, property, value))
            add_code(c, node_text(system->tree, node_member(system->tree, n, V("code"))));
    }
    return true;
}

/* ---- value sets ---- */

struct set_writer {
    const struct sources *sources;
    const struct tree *t;
    struct pack_build *b;
    struct pack_set out;
};

static void
add_include(struct set_writer *w, view system, struct codes *codes, uint32_t flags, uint32_t link)
{
    struct pack_include include = {.system = pack_add_text(w->b, system), .flags = flags, .link = link};
    include.codes = codes ? write_codes(codes, w->b) : (struct pack_span){0, 0};
    pack_add(w->b, PACK_INCLUDE, &include);
    w->out.includes.n++;
}

static void
add_filtered(struct set_writer *w, view system, const struct node *filters, uint32_t flags)
{
    struct codes codes = {.mem = w->b->mem};
    const struct source_file *file = sources_find(w->sources, PACK_IS_SYSTEM, system);
    const struct node *only = node_count(filters) == 1 ? node_first(w->t, filters) : NULL;
    bool complete = file && view_eq(node_text(file->tree, node_member(file->tree, file->root, V("content"))),
                                    V("complete"));
    if (complete && only && apply_filter(&codes, file, w->t, only))
        add_include(w, system, &codes, flags, PACK_NONE);
    else
        w->out.flags |= SET_UNCLEAR;
}

static void
write_include(struct set_writer *w, const struct node *include, uint32_t flags)
{
    const struct tree *t = w->t;
    view system = node_text(t, node_member(t, include, V("system")));
    view version = node_text(t, node_member(t, include, V("version")));
    const struct node *concepts = node_member(t, include, V("concept"));
    const struct node *sets = node_member(t, include, V("valueSet"));
    const struct node *filters = node_member(t, include, V("filter"));
    struct codes codes = {.mem = w->b->mem};
    (void)version; /* codes are not withdrawn between versions often enough to refuse for it */
    if (concepts) {
        /* Narrowed by a set too: what is listed is at least asked for. */
        for (NODE_EACH(concept, t, concepts))
            add_code(&codes, node_text(t, node_member(t, concept, V("code"))));
        add_include(w, system, &codes, flags, PACK_NONE);
    } else if (filters) {
        add_filtered(w, system, filters, flags);
    } else if (sets && (system.p || node_count(sets) > 1)) {
        w->out.flags |= SET_UNCLEAR; /* an intersection */
    } else if (sets) {
        view canonical = node_text(t, node_first(t, sets));
        add_include(w, VIEW_NONE, NULL, flags | INCLUDE_SET, pack_add_link(w->b, PACK_IS_SET, canonical));
    } else if (system.p) {
        add_include(w, system, NULL, flags | INCLUDE_WHOLE, pack_add_link(w->b, PACK_IS_SYSTEM, system));
    }
}

/* The items of an expansion, by system; they may nest. */
static void
write_expansion(struct set_writer *w, const struct node *contains)
{
    const struct tree *t = w->t;
    struct codes codes = {.mem = w->b->mem};
    view system = VIEW_NONE;
    uint32_t end = node_end(t, contains);
    for (uint32_t i = node_index(t, contains) + 1; i < end; i++) {
        const struct node *n = &t->nodes[i], *array = &t->nodes[n->parent];
        if (n->kind != NODE_OBJECT || !view_eq(node_name(t, array), V("contains")))
            continue;
        view own = node_text(t, node_member(t, n, V("system")));
        if (codes.n > 0 && !view_eq(own, system)) {
            add_include(w, system, &codes, 0, PACK_NONE);
            codes.n = 0;
        }
        system = own;
        if (!node_is_true(node_member(t, n, V("abstract"))))
            add_code(&codes, node_text(t, node_member(t, n, V("code"))));
    }
    if (codes.n > 0)
        add_include(w, system, &codes, 0, PACK_NONE);
}

err
set_write(const struct sources *s, const struct source_file *file, struct pack_build *b)
{
    const struct tree *t = file->tree;
    const struct node *compose = node_member(t, file->root, V("compose"));
    const struct node *contains = node_member(t, node_member(t, file->root, V("expansion")), V("contains"));
    const struct node *includes = node_member(t, compose, V("include"));
    struct set_writer w = {.sources = s, .t = t, .b = b};
    w.out = (struct pack_set){.url = pack_add_text(b, file->url),
                              .version = pack_add_text(b, file->version),
                              .includes = {pack_count(b, PACK_INCLUDE), 0}};
    for (NODE_EACH(include, t, includes))
        write_include(&w, include, 0);
    for (NODE_EACH(exclude, t, node_member(t, compose, V("exclude"))))
        write_include(&w, exclude, INCLUDE_EXCLUDES);
    /* The expansion helps where the definition could not be evaluated here, or is missing. */
    if (contains && (!includes || (w.out.flags & SET_UNCLEAR))) {
        write_expansion(&w, contains);
        if (includes && !node_member(t, node_member(t, file->root, V("expansion")), V("total")))
            w.out.flags |= SET_UNCLEAR;
        else
            w.out.flags &= ~(uint32_t)SET_UNCLEAR;
    } else if (!includes) {
        w.out.flags |= SET_UNCLEAR;
    }
    pack_add(b, PACK_SET, &w.out);
    return b->failed ? E_TOO_LARGE : E_OK;
}
