#include "adapters/case_graph.h"

#include "base/text.h"

/* -- ids -- */

static err number_record(arena *mem, enum case_record record, void *base, view scope);

static err
number_list(arena *mem, const struct case_field *f, struct case_list *list, view scope)
{
    uint32_t n = 0;
    for (struct case_head *e = (struct case_head *)list->first; e; e = e->next) {
        e->id = case_make_id(mem, scope, f->targets, ++n);
        if (!e->id.p)
            return E_TOO_LARGE;
        TRY(number_record(mem, (enum case_record)f->record, e, e->id));
    }
    return E_OK;
}

static err
number_record(arena *mem, enum case_record record, void *base, view scope)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        void *member = (char *)base + f->offset;
        if (f->kind == FIELD_LIST)
            TRY(number_list(mem, f, (struct case_list *)member, scope));
        if (f->kind != FIELD_ONE)
            continue;
        struct case_head *object = *(struct case_head **)member;
        if (!object)
            continue;
        object->id = scope;
        TRY(number_record(mem, (enum case_record)f->record, object, scope));
    }
    return E_OK;
}

/* -- references -- */

static err
write_reference(void *self, const struct case_place *at)
{
    arena *mem = (arena *)self;
    if (at->field->kind != FIELD_REF && at->field->kind != FIELD_REFS)
        return E_OK;
    struct leaf_text *leaf = (struct leaf_text *)(uintptr_t)at->leaf;
    if (leaf->v.n != GRAPH_LINKED)
        return E_OK;
    const struct case_head *target = (const struct case_head *)(const void *)leaf->v.p;
    return case_ref(mem, leaf, target->id, leaf->src) ? E_OK : E_TOO_LARGE;
}

/* -- pointers -- */

struct rendering {
    arena *mem;
    struct graph_map wanted; /* element → its pointer (a view in the arena), once known */
};

static err
render_element(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct rendering *r = (struct rendering *)self;
    if (case_row_of(record)->form != FORM_ELEMENT)
        return E_OK;
    view *slot = (view *)map_get(&r->wanted, record_at);
    if (!slot)
        return E_OK;
    *slot = case_place_pointer(at, r->mem);
    return slot->p ? E_OK : E_TOO_LARGE;
}

static view
join(arena *mem, view base, view rest)
{
    if (rest.n == 0)
        return base.n ? base : V("");
    char *p = (char *)arena_alloc(mem, base.n + 1 + rest.n);
    if (!p)
        return VIEW_NONE;
    if (base.n)
        memcpy(p, base.p, base.n);
    p[base.n] = '/';
    memcpy(p + base.n + 1, rest.p, rest.n);
    return (view){p, base.n + 1 + rest.n};
}

/* The target of a pending pointer is an element of a source until here, or already one of the built case. */
static const void *
present_target(const struct graph *g, const struct graph_pending *p)
{
    const void *copy = p->target ? map_get(&g->map, p->target) : NULL;
    return copy ? copy : p->target;
}

static err
render_pointers(struct graph *g)
{
    struct rendering r = {.mem = g->mem};
    for (struct graph_pending *p = g->pointers; p; p = p->next) {
        p->target = present_target(g, p);
        view *slot = p->target ? arena_make(g->mem, view) : NULL;
        if (p->target && (!slot || !map_put(g->mem, &r.wanted, p->target, slot)))
            return E_TOO_LARGE;
    }
    struct case_visitor v = {.enter = render_element, .self = &r};
    if (r.wanted.n)
        TRY(case_walk(g->out, &v));
    for (struct graph_pending *p = g->pointers; p; p = p->next) {
        view *base = p->target ? (view *)map_get(&r.wanted, p->target) : NULL;
        p->leaf->v = join(g->mem, base ? *base : VIEW_NONE, p->rest);
        if (!p->leaf->v.p)
            return E_TOO_LARGE;
    }
    g->pointers = NULL;
    return E_OK;
}

err
graph_finish(struct graph *g)
{
    TRY(number_record(g->mem, RECORD_case, g->out, VIEW_NONE));
    struct case_visitor v = {.leaf = write_reference, .self = g->mem};
    TRY(case_walk(g->out, &v));
    return render_pointers(g);
}

/* -- resolving pointers -- */

static const struct case_field *
field_of(enum case_record record, view name)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++)
        if (view_eq(case_field_name(&row->fields[i]), name))
            return &row->fields[i];
    return NULL;
}

/* Elements by id, values by index. */
static const void *
member_of(const struct case_field *f, const struct case_list *list, view token, uint32_t *ret_index)
{
    uint64_t wanted = UINT64_MAX;
    uint32_t index = 0;
    if (f->kind != FIELD_LIST && text_to_u64(token, &wanted) != E_OK)
        return NULL;
    for (const struct case_head *e = (const struct case_head *)list->first; e; e = e->next, index++) {
        *ret_index = index;
        if (f->kind == FIELD_LIST ? view_eq(e->id, token) : index == wanted)
            return e;
    }
    return NULL;
}

static void
set_leaf(struct case_place *at, const struct case_field *f, enum case_kind kind, const void *leaf)
{
    at->field = f;
    at->leaf = leaf;
    at->src = case_leaf_source(kind, leaf);
}

/* One step down: the field's member, for lists with the next token. NULL when absent. */
static const void *
step_down(struct case_place *at, const struct case_field *f, const void *base, view *left)
{
    const void *member = case_member(base, f);
    uint32_t index = 0;
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
    case FIELD_PUTS:
    case FIELD_LIST: {
        view token = view_cut(left, '/', NULL);
        member = member_of(f, (const struct case_list *)member, token, &index);
        if (member && (f->kind == FIELD_TEXTS || f->kind == FIELD_REFS))
            set_leaf(at, f, FIELD_TEXT, &((const struct case_item *)member)->text);
        break;
    }
    case FIELD_ONE:
        member = *(const void *const *)member;
        break;
    case FIELD_PUT:
        break;
    default:
        if (!case_leaf_present((enum case_kind)f->kind, member))
            return NULL;
        set_leaf(at, f, (enum case_kind)f->kind, member);
        break;
    }
    if (member)
        at->steps[at->depth++] = (struct case_step){f, member, index, f->record};
    return member;
}

bool
case_place_of_pointer(const struct claim_case *c, view pointer, struct case_place *ret)
{
    struct case_place at = {.c = c};
    const void *base = c;
    enum case_record record = RECORD_case;
    view left = pointer.n && pointer.p[0] == '/' ? view_sub(pointer, 1, pointer.n) : VIEW_NONE;
    while (left.n) {
        if (at.leaf || at.depth >= CASE_DEPTH)
            return false;
        const struct case_field *f = field_of(record, view_cut(&left, '/', NULL));
        base = f ? step_down(&at, f, base, &left) : NULL;
        if (!base)
            return false;
        if (f->class != CLASS_inherit)
            at.class = (enum case_class)f->class;
        if (f->group != GROUP_inherit)
            at.group = (enum case_group)f->group;
        at.field = f;
        record = (enum case_record)f->record;
    }
    *ret = at;
    return true;
}
