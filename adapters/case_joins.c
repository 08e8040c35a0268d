#include "adapters/case_merge.h"

/* Union of all parties that share an identifier, over all sources at once: whether A and B are one person
 * must not depend on which paper came first. */

static size_t
find(struct join_node *nodes, size_t i)
{
    while (nodes[i].parent != i) {
        nodes[i].parent = nodes[nodes[i].parent].parent;
        i = nodes[i].parent;
    }
    return i;
}

struct join_node *
joins_root(const struct joins *j, const void *party)
{
    size_t at = (size_t)(uintptr_t)map_get(&j->of, party);
    return at ? &j->nodes[find(j->nodes, at - 1)] : NULL;
}

struct join_key_entry {
    view key;
    size_t node;
    struct join_key_entry *next;
};

struct joining {
    struct joins *j;
    arena *mem;
    struct graph_map keys;
};

static const void *
hash_text(view text)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001B3);
    return (const void *)(uintptr_t)(h | 1);
}

static err
note_key(struct joining *x, view space, view value, size_t node)
{
    if (space.n == 0 || value.n == 0)
        return E_OK;
    char *p = (char *)arena_alloc(x->mem, space.n + 1 + value.n);
    struct join_key_entry *entry = arena_make(x->mem, struct join_key_entry);
    if (!p || !entry)
        return E_TOO_LARGE;
    memcpy(p, space.p, space.n);
    p[space.n] = '|';
    memcpy(p + space.n + 1, value.p, value.n);
    view key = {p, space.n + 1 + value.n};
    const void *hash = hash_text(key);
    struct join_key_entry *known = (struct join_key_entry *)map_get(&x->keys, hash);
    for (struct join_key_entry *e = known; e; e = e->next) {
        if (!view_eq(e->key, key))
            continue;
        size_t a = find(x->j->nodes, e->node), b = find(x->j->nodes, node);
        /* The earlier one stays the root, so that its place in the list counts. */
        x->j->nodes[a < b ? b : a].parent = a < b ? a : b;
        return E_OK;
    }
    *entry = (struct join_key_entry){key, node, known};
    return map_put(x->mem, &x->keys, hash, entry) ? E_OK : E_TOO_LARGE;
}

/* A national, residence or passport number is one everywhere; a record number only within its system. */
static err
note_person(struct joining *x, const struct case_person *person, size_t node)
{
    for (const struct case_identifier *i = person->identifiers; i; i = i->next) {
        view type = i->type.v;
        bool general = view_eq(type, V("NNTWN")) || view_eq(type, V("PRC")) || view_eq(type, V("PPN"));
        TRY(note_key(x, general ? type : i->system.v, i->value.v, node));
    }
    return E_OK;
}

static err
note_organisation(struct joining *x, const struct case_organisation *o, size_t node)
{
    for (const struct case_organisation_identifier *i = o->identifiers; i; i = i->next) {
        bool general = i->type.v.n && !view_eq(i->type.v, V("other"));
        TRY(note_key(x, general ? i->type.v : i->system.v, i->value.v, node));
    }
    return E_OK;
}

static err
note_party(struct joining *x, const struct case_party *p)
{
    size_t node = x->j->n++;
    x->j->nodes[node] = (struct join_node){.party = p, .parent = node};
    if (!map_put(x->mem, &x->j->of, p, (void *)(uintptr_t)(node + 1)))
        return E_TOO_LARGE;
    if (p->person)
        TRY(note_person(x, p->person, node));
    return p->organisation ? note_organisation(x, p->organisation, node) : E_OK;
}

err
joins_make(const struct graph_source *sources, size_t n, arena *mem, struct joins *ret)
{
    struct joins j = {0};
    size_t total = 1;
    for (size_t i = 0; i < n; i++)
        total += sources[i].c->parties_n;
    j.nodes = arena_make_array(mem, total, struct join_node);
    if (!j.nodes)
        return E_TOO_LARGE;
    struct joining x = {.j = &j, .mem = mem};
    for (size_t i = 0; i < n; i++)
        for (const struct case_party *p = sources[i].c->parties; p; p = p->next)
            TRY(note_party(&x, p));
    *ret = j;
    return E_OK;
}
