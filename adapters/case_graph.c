#include "adapters/case_graph.h"

#include "base/text.h"

/* -- addresses -- */

static size_t
hash_address(const void *p)
{
    uint64_t x = (uint64_t)(uintptr_t)p;
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(x >> 16);
}

static struct graph_slot *
map_slot(struct graph_slot *slots, size_t room, const void *key)
{
    size_t i = hash_address(key) & (room - 1);
    while (slots[i].key && slots[i].key != key)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static bool
map_grow(arena *mem, struct graph_map *m)
{
    size_t room = m->room ? m->room * 2 : 64;
    struct graph_slot *slots = arena_make_array(mem, room, struct graph_slot);
    if (!slots)
        return false;
    for (size_t i = 0; i < m->room; i++)
        if (m->slots[i].key)
            *map_slot(slots, room, m->slots[i].key) = m->slots[i];
    m->slots = slots;
    m->room = room;
    return true;
}

bool
map_put(arena *mem, struct graph_map *m, const void *key, void *value)
{
    if (m->n * 4 >= m->room * 3 && !map_grow(mem, m))
        return false;
    struct graph_slot *slot = map_slot(m->slots, m->room, key);
    if (!slot->key)
        m->n++;
    *slot = (struct graph_slot){key, value};
    return true;
}

void *
map_get(const struct graph_map *m, const void *key)
{
    return m->room ? map_slot(m->slots, m->room, key)->value : NULL;
}

/* -- ids of a source -- */

struct graph_id {
    view id;
    const void *element;
    struct graph_id *next;
};

static const void *
hash_id(view id)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < id.n; i++)
        h = (h ^ (unsigned char)id.p[i]) * UINT64_C(0x100000001B3);
    return (const void *)(uintptr_t)(h | 1); /* a key of the map: never NULL */
}

struct indexing {
    struct graph_source *s;
    arena *mem;
};

static err
index_element(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    (void)at;
    struct indexing *x = (struct indexing *)self;
    if (case_row_of(record)->form != FORM_ELEMENT)
        return E_OK;
    view id = ((const struct case_head *)record_at)->id;
    const void *key = hash_id(id);
    struct graph_id *entry = arena_make(x->mem, struct graph_id);
    if (!entry)
        return E_TOO_LARGE;
    *entry = (struct graph_id){id, record_at, (struct graph_id *)map_get(&x->s->ids, key)};
    return map_put(x->mem, &x->s->ids, key, entry) ? E_OK : E_TOO_LARGE;
}

err
graph_source_init(struct graph_source *s, const struct claim_case *c, arena *mem)
{
    *s = (struct graph_source){.c = c, .document = CASE_NO_DOCUMENT};
    struct indexing x = {s, mem};
    struct case_visitor v = {.enter = index_element, .self = &x};
    return case_walk(c, &v);
}

const void *
graph_source_element(const struct graph_source *s, view reference)
{
    view id = reference.n && reference.p[0] == '#' ? view_sub(reference, 1, reference.n) : reference;
    for (const struct graph_id *i = (const struct graph_id *)map_get(&s->ids, hash_id(id)); i; i = i->next)
        if (view_eq(i->id, id))
            return i->element;
    return NULL;
}

/* -- copying -- */

void *
graph_target(const struct graph *g, const struct graph_source *s, view reference,
             const void **ret_source_element)
{
    *ret_source_element = NULL;
    if (s->own_document && view_eq(reference, CASE_OWN_DOCUMENT))
        return (void *)(uintptr_t)s->own_document;
    const void *element = graph_source_element(s, reference);
    *ret_source_element = element;
    return element ? map_get(&g->map, element) : NULL;
}

struct source
graph_source_of(const struct graph_source *s, const struct source *src)
{
    struct source made = *src;
    if (s->gateway)
        made = source_gateway(src->how == HOW_NONE ? HOW_ASSERTED : (enum source_how)src->how);
    else if (s->document != CASE_NO_DOCUMENT && src->document != CASE_NO_DOCUMENT)
        made.document = s->document;
    return made;
}

static err
wait_for(struct graph *g, struct graph_pending **list, struct leaf_text *leaf, const void *target, view rest)
{
    struct graph_pending *p = arena_make(g->mem, struct graph_pending);
    if (!p)
        return E_TOO_LARGE;
    *p = (struct graph_pending){leaf, target, rest, *list};
    *list = p;
    return E_OK;
}

err
graph_copy_reference(struct graph *g, const struct graph_source *s, const struct leaf_text *src,
                     struct leaf_text *dst)
{
    const void *element;
    void *target = graph_target(g, s, src->v, &element);
    bool stays = target || (element && (!g->kept || map_get(g->kept, element)));
    if (!stays)
        return E_OK;
    dst->src = graph_source_of(s, &src->src);
    dst->v =
        target ? (view){(const char *)target, GRAPH_LINKED} : (view){(const char *)element, GRAPH_PENDING};
    return target ? E_OK : wait_for(g, &g->references, dst, element, VIEW_NONE);
}

/* The copy of the innermost element that the pointer names may come later: it is looked up at the end. */
static err
copy_pointer(struct graph *g, const struct graph_source *s, const struct leaf_text *src,
             struct leaf_text *dst)
{
    const void *element = NULL;
    view rest = view_sub(src->v, 1, src->v.n);
    for (view left = rest; left.n;) {
        bool more;
        view token = view_cut(&left, '/', &more);
        const void *found = graph_source_element(s, token);
        if (!found)
            continue;
        element = found;
        rest = left;
    }
    *dst = *src;
    dst->src = graph_source_of(s, &src->src);
    return wait_for(g, &g->pointers, dst, element, rest);
}

static err
copy_leaf(struct graph *g, const struct graph_source *s, const struct case_field *f, enum case_kind kind,
          const void *src, void *dst)
{
    if (!case_leaf_present(kind, src) || (g->visible && !map_get(g->visible, src)))
        return E_OK;
    if (f->kind == FIELD_REF || f->kind == FIELD_REFS)
        return graph_copy_reference(g, s, (const struct leaf_text *)src, (struct leaf_text *)dst);
    if (f->kind == FIELD_POINTER)
        return copy_pointer(g, s, (const struct leaf_text *)src, (struct leaf_text *)dst);
    memcpy(dst, src, case_leaf_size(kind));
    *case_leaf_source(kind, dst) = graph_source_of(s, case_leaf_source(kind, src));
    return E_OK;
}

err
graph_copy_member(struct graph *g, const struct graph_source *s, const struct case_field *f, const void *src,
                  void *slot)
{
    if (f->kind == FIELD_PUTS) {
        void *made = case_append_value(g->mem, slot, case_row_of((enum case_record)f->record)->size);
        return made ? graph_copy(g, s, (enum case_record)f->record, src, made) : E_TOO_LARGE;
    }
    struct case_item copy = {0};
    TRY(copy_leaf(g, s, f, FIELD_TEXT, &((const struct case_item *)src)->text, &copy.text));
    if (!copy.text.v.p)
        return E_OK;
    struct case_item *made = (struct case_item *)case_append_value(g->mem, slot, sizeof *made);
    if (!made)
        return E_TOO_LARGE;
    made->text = copy.text;
    if (made->text.v.n == GRAPH_PENDING)
        g->references->leaf = &made->text; /* it was noted with the address of the copy on the stack */
    return E_OK;
}

static err
copy_members(struct graph *g, const struct graph_source *s, const struct case_field *f,
             const struct case_list *src, void *slot)
{
    for (const struct case_head *e = (const struct case_head *)src->first; e; e = e->next)
        TRY(graph_copy_member(g, s, f, e, slot));
    return E_OK;
}

err
graph_copy_element(struct graph *g, const struct graph_source *s, const struct case_field *list,
                   const void *src, void *dst_owner, void **ret)
{
    void *slot = (char *)dst_owner + list->offset;
    const struct case_row *row = case_row_of((enum case_record)list->record);
    void *made = case_append_value(g->mem, slot, row->size);
    if (!made || !map_put(g->mem, &g->map, src, made))
        return E_TOO_LARGE;
    if (ret)
        *ret = made;
    return graph_copy(g, s, (enum case_record)list->record, src, made);
}

static err
copy_list(struct graph *g, const struct graph_source *s, const struct case_field *f,
          const struct case_list *src, void *dst_owner)
{
    for (const struct case_head *e = (const struct case_head *)src->first; e; e = e->next)
        if (!g->kept || map_get(g->kept, e))
            TRY(graph_copy_element(g, s, f, e, dst_owner, NULL));
    return E_OK;
}

static err
copy_object(struct graph *g, const struct graph_source *s, const struct case_field *f, const void *src,
            void *slot)
{
    if (!src)
        return E_OK;
    void *made = case_make(g->mem, slot, case_row_of((enum case_record)f->record)->size, VIEW_NONE);
    return made ? graph_copy(g, s, (enum case_record)f->record, src, made) : E_TOO_LARGE;
}

err
graph_copy_field(struct graph *g, const struct graph_source *s, const struct case_field *f, const void *src,
                 void *dst)
{
    const void *from = case_member(src, f);
    void *to = (char *)dst + f->offset;
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
    case FIELD_PUTS:
        return copy_members(g, s, f, (const struct case_list *)from, to);
    case FIELD_PUT:
        return graph_copy(g, s, (enum case_record)f->record, from, to);
    case FIELD_ONE:
        return copy_object(g, s, f, *(const void *const *)from, to);
    case FIELD_LIST:
        return copy_list(g, s, f, (const struct case_list *)from, dst);
    default:
        return copy_leaf(g, s, f, (enum case_kind)f->kind, from, to);
    }
}

err
graph_copy(struct graph *g, const struct graph_source *s, enum case_record record, const void *src, void *dst)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++)
        TRY(graph_copy_field(g, s, &row->fields[i], src, dst));
    return E_OK;
}

void
graph_settle(struct graph *g)
{
    for (struct graph_pending *p = g->references; p; p = p->next) {
        const void *target = map_get(&g->map, p->target);
        p->leaf->v = target ? (view){(const char *)target, GRAPH_LINKED} : VIEW_NONE;
    }
    g->references = NULL;
}
