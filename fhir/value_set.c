#include "fhir/value_set.h"

#include "fhir/tree_walk.h"

/* Most value sets that one may reach by inclusion. */
#define PARTS_MAX 64

static uint64_t
hash_code(view system, bool has_system, view code)
{
    return hash_view(has_system ? hash_view(2, system) : 1, code);
}

static err
add_code(struct hash_table *h, view system, view code)
{
    err e = hash_table_add(h, hash_code(system, true, code), 0, NULL);
    if (e == E_OK || e == E_DUPLICATE)
        e = hash_table_add(h, hash_code(VIEW_NONE, false, code), 0, NULL);
    return e == E_DUPLICATE ? E_OK : e;
}

/* Concepts nest; in document order each one is an object of an array "concept". */
err
code_system_read(const struct tree *t, arena *mem, struct code_system *ret)
{
    const struct node *list = node_member(t, tree_root(t), V("concept"));
    struct code_system s = {.url = node_text_at(t, tree_root(t), "url"),
                            .version = node_text_at(t, tree_root(t), "version")};
    s.complete = view_eq(node_text_at(t, tree_root(t), "content"), V("complete"));
    if (!hash_table_init(&s.codes, mem, node_count(list)))
        return E_TOO_LARGE;
    uint32_t end = list ? node_end(t, list) : 0;
    for (uint32_t i = list ? node_index(t, list) + 1 : 0; i < end; i++) {
        const struct node *n = &t->nodes[i], *array = &t->nodes[n->parent];
        if (n->kind == NODE_OBJECT && array->kind == NODE_ARRAY && view_eq(node_name(t, array), V("concept")))
            TRY(add_code(&s.codes, s.url, node_text(t, node_member(t, n, V("code")))));
    }
    *ret = s;
    return E_OK;
}

static err
read_concepts(const struct tree *t, const struct node *list, view system, struct hash_table *h)
{
    for (NODE_EACH(concept, t, list)) {
        view code = node_text(t, node_member(t, concept, V("code")));
        view own = node_text(t, node_member(t, concept, V("system")));
        TRY(add_code(h, own.p ? own : system, code));
    }
    return E_OK;
}

static err
read_include(const struct tree *t, const struct node *include, struct value_set *s)
{
    view system = node_text(t, node_member(t, include, V("system")));
    const struct node *concepts = node_member(t, include, V("concept"));
    const struct node *sets = node_member(t, include, V("valueSet"));
    /* A system narrowed by a set, or several sets, mean their intersection. */
    if (node_member(t, include, V("filter")) || (sets && (system.p || node_count(sets) > 1)))
        s->unclear = true;
    else if (concepts)
        return read_concepts(t, concepts, system, &s->codes);
    else if (system.p)
        s->systems[s->n_systems++] = (struct code_include){.system = system};
    return E_OK;
}

/* Without a definition the expansion is taken, if it is there. */
static err
read_expansion(const struct tree *t, struct value_set *s)
{
    const struct node *contains = node_member(t, node_member(t, tree_root(t), V("expansion")), V("contains"));
    if (!contains)
        s->unclear = true;
    return read_concepts(t, contains, VIEW_NONE, &s->codes);
}

err
value_set_read(const struct tree *t, arena *mem, struct value_set *ret)
{
    const struct node *root = tree_root(t), *compose = node_member(t, root, V("compose"));
    const struct node *includes = node_member(t, compose, V("include"));
    struct value_set s = {.url = node_text_at(t, root, "url"),
                          .version = node_text_at(t, root, "version"),
                          .tree = t,
                          .root = root};
    s.systems = arena_make_array(mem, (size_t)node_count(includes) + 1, struct code_include);
    if (!s.systems || !hash_table_init(&s.codes, mem, 8) || !hash_table_init(&s.excluded, mem, 0))
        return E_TOO_LARGE;
    for (NODE_EACH(include, t, includes))
        TRY(read_include(t, include, &s));
    for (NODE_EACH(exclude, t, node_member(t, compose, V("exclude")))) {
        const struct node *concepts = node_member(t, exclude, V("concept"));
        s.unclear |= !concepts;
        TRY(read_concepts(t, concepts, node_text(t, node_member(t, exclude, V("system"))), &s.excluded));
    }
    if (!includes)
        TRY(read_expansion(t, &s));
    *ret = s;
    return E_OK;
}

static void
link_systems(struct value_set *s, const struct value_set_finder *find)
{
    for (uint32_t i = 0; i < s->n_systems; i++) {
        const struct code_system *system = find->code_system(find->self, s->systems[i].system);
        s->systems[i].listed = system && system->complete ? system : NULL;
    }
}

/* Adds what part includes, unless it is there already. */
static void
link_included(struct value_set *s, const struct value_set *part, const struct value_set_finder *find)
{
    const struct node *compose = node_member(part->tree, part->root, V("compose"));
    for (NODE_EACH(include, part->tree, node_member(part->tree, compose, V("include")))) {
        const struct node *sets = node_member(part->tree, include, V("valueSet"));
        if (!sets || node_count(sets) != 1 || node_member(part->tree, include, V("system")))
            continue;
        const struct value_set *other =
            find->set(find->self, node_text(part->tree, node_first(part->tree, sets)));
        bool known = false;
        for (uint32_t i = 0; i < s->n_parts; i++)
            known |= s->parts[i] == other;
        if (!other || (!known && s->n_parts == PARTS_MAX))
            s->unclear = true;
        else if (!known)
            s->parts[s->n_parts++] = other;
    }
}

err
value_set_link(struct value_set *s, const struct value_set_finder *find, arena *mem)
{
    link_systems(s, find);
    s->parts = arena_make_array(mem, PARTS_MAX, const struct value_set *);
    if (!s->parts)
        return E_TOO_LARGE;
    s->parts[s->n_parts++] = s;
    for (uint32_t i = 0; i < s->n_parts; i++)
        link_included(s, s->parts[i], find);
    return E_OK;
}

static enum code_answer
system_holds(const struct code_include *include, view system, bool has_system, view code)
{
    uint32_t unused;
    if (has_system && !view_eq(include->system, system))
        return CODE_OUT;
    if (!include->listed)
        return CODE_UNCLEAR;
    return hash_table_find(&include->listed->codes, hash_code(system, has_system, code), &unused) ? CODE_IN
                                                                                                  : CODE_OUT;
}

static enum code_answer
part_holds(const struct value_set *s, view system, bool has_system, view code)
{
    uint32_t unused;
    uint64_t hash = hash_code(system, has_system, code);
    if (hash_table_find(&s->excluded, hash, &unused))
        return CODE_OUT;
    if (hash_table_find(&s->codes, hash, &unused))
        return CODE_IN;
    enum code_answer best = s->unclear ? CODE_UNCLEAR : CODE_OUT;
    for (uint32_t i = 0; i < s->n_systems && best != CODE_IN; i++) {
        enum code_answer a = system_holds(&s->systems[i], system, has_system, code);
        best = a == CODE_OUT ? best : a;
    }
    return best;
}

enum code_answer
value_set_holds(const struct value_set *s, view system, bool has_system, view code)
{
    enum code_answer best = CODE_OUT;
    for (uint32_t i = 0; i < s->n_parts && best != CODE_IN; i++) {
        enum code_answer a = part_holds(s->parts[i], system, has_system, code);
        best = a == CODE_OUT ? best : a;
    }
    return best;
}
