#include "adapters/case_walk.h"

#include "base/text.h"

#include <assert.h>

struct walker {
    struct case_place at;
    const struct case_visitor *v;
};

static err walk_record(struct walker *w, enum case_record record, const void *base, enum case_class class,
                       enum case_group group);

static struct case_step *
push(struct walker *w, const struct case_field *f, const void *at, uint32_t index)
{
    assert(w->at.depth < CASE_DEPTH);
    struct case_step *step = &w->at.steps[w->at.depth++];
    *step = (struct case_step){f, at, index, f->record};
    return step;
}

static err
visit_leaf(struct walker *w, const struct case_field *f, enum case_kind kind, const void *leaf,
           const void *item, uint32_t index, enum case_class class, enum case_group group)
{
    if (!w->v->leaf || !case_leaf_present(kind, leaf))
        return E_OK;
    push(w, f, item, index);
    w->at.field = f;
    w->at.leaf = leaf;
    w->at.src = case_leaf_source(kind, leaf);
    w->at.class = class;
    w->at.group = group;
    err e = w->v->leaf(w->v->self, &w->at);
    w->at.depth--;
    return e;
}

static err
walk_items(struct walker *w, const struct case_field *f, const struct case_list *list, enum case_class class,
           enum case_group group)
{
    uint32_t index = 0;
    for (const struct case_item *i = (const struct case_item *)list->first; i; i = i->next)
        TRY(visit_leaf(w, f, FIELD_TEXT, &i->text, i, index++, class, group));
    return E_OK;
}

static err
walk_below(struct walker *w, const struct case_field *f, const void *base, uint32_t index,
           enum case_class class, enum case_group group)
{
    push(w, f, base, index);
    err e = walk_record(w, (enum case_record)f->record, base, class, group);
    w->at.depth--;
    return e;
}

static err
walk_list(struct walker *w, const struct case_field *f, const struct case_list *list, enum case_class class,
          enum case_group group)
{
    uint32_t index = 0;
    for (const struct case_head *e = (const struct case_head *)list->first; e; e = e->next)
        TRY(walk_below(w, f, e, index++, class, group));
    return E_OK;
}

static err
walk_field(struct walker *w, const struct case_field *f, const void *member, enum case_class class,
           enum case_group group)
{
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
        return walk_items(w, f, (const struct case_list *)member, class, group);
    case FIELD_PUT:
        return walk_below(w, f, member, 0, class, group);
    case FIELD_PUTS:
    case FIELD_LIST:
        return walk_list(w, f, (const struct case_list *)member, class, group);
    case FIELD_ONE: {
        const void *object = *(const void *const *)member;
        return object ? walk_below(w, f, object, 0, class, group) : E_OK;
    }
    default:
        return visit_leaf(w, f, (enum case_kind)f->kind, member, NULL, 0, class, group);
    }
}

static err
walk_record(struct walker *w, enum case_record record, const void *base, enum case_class class,
            enum case_group group)
{
    if (w->v->enter)
        TRY(w->v->enter(w->v->self, &w->at, record, (void *)(uintptr_t)base));
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        enum case_class c = f->class == CLASS_inherit ? class : (enum case_class)f->class;
        enum case_group g = f->group == GROUP_inherit ? group : (enum case_group)f->group;
        TRY(walk_field(w, f, case_member(base, f), c, g));
    }
    return E_OK;
}

err
case_walk(const struct claim_case *c, const struct case_visitor *v)
{
    struct walker w = {.at = {.c = c}, .v = v};
    return walk_record(&w, RECORD_case, c, CLASS_inherit, GROUP_inherit);
}

/* -- pointers -- */

static bool
is_list(const struct case_field *f)
{
    return f->kind == FIELD_LIST || f->kind == FIELD_TEXTS || f->kind == FIELD_REFS || f->kind == FIELD_PUTS;
}

void
case_place_print(const struct case_place *at, struct buf *out)
{
    for (size_t i = 0; i < at->depth; i++) {
        const struct case_step *step = &at->steps[i];
        buf_add_byte(out, '/');
        buf_add_view(out, case_field_name(step->field));
        if (!is_list(step->field))
            continue;
        buf_add_byte(out, '/');
        if (step->field->kind == FIELD_LIST)
            buf_add_view(out, ((const struct case_head *)step->at)->id);
        else
            buf_printf(out, "%u", step->index);
    }
}

view
case_place_pointer(const struct case_place *at, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4096);
    case_place_print(at, &out);
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}

struct search {
    view id;
    const void *found;
    enum case_record record;
    struct buf *pointer; /* may be NULL */
};

static err
search_enter(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct search *s = (struct search *)self;
    if (case_row_of(record)->form != FORM_ELEMENT ||
        !view_eq(((const struct case_head *)record_at)->id, s->id))
        return E_OK;
    s->found = record_at;
    s->record = record;
    if (s->pointer)
        case_place_print(at, s->pointer);
    return E_NOT_FOUND; /* ends the walk: no further element has this id */
}

static const void *
search(const struct claim_case *c, struct search *s)
{
    struct case_visitor v = {.enter = search_enter, .self = s};
    return s->id.n && case_walk(c, &v) != E_OK ? s->found : NULL;
}

void *
case_element_of(const struct claim_case *c, view id, enum case_record *ret_record)
{
    struct search s = {.id = id.n && id.p[0] == '#' ? view_sub(id, 1, id.n) : id};
    const void *found = search(c, &s);
    if (found && ret_record)
        *ret_record = s.record;
    return (void *)(uintptr_t)found;
}

view
case_pointer(const struct claim_case *c, view id, view rest, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4096);
    struct search s = {.id = id, .pointer = &out};
    if (id.n && !search(c, &s))
        return VIEW_NONE;
    if (rest.n) {
        buf_add_byte(&out, '/');
        buf_add_view(&out, rest);
    }
    return out.failed ? VIEW_NONE : out.n ? arena_dup(mem, buf_view(&out)) : V("");
}

const void *
case_pointer_element(const struct claim_case *c, view pointer, enum case_record *ret_record, view *ret_rest)
{
    /* The last token that is some element's id; ids are unique in the case. */
    const void *found = NULL;
    view rest = pointer;
    for (view left = pointer; left.n && left.p[0] == '/';) {
        left = view_sub(left, 1, left.n);
        size_t n = view_find_byte(left, '/');
        struct search s = {.id = view_sub(left, 0, n)};
        left = view_sub(left, n, left.n);
        /* Only tokens that end in a digit can be ids: names of members do not. */
        if (s.id.n == 0 || s.id.p[s.id.n - 1] < '0' || s.id.p[s.id.n - 1] > '9' || text_is_digits(s.id))
            continue;
        const void *element = search(c, &s);
        if (!element)
            continue;
        found = element;
        *ret_record = s.record;
        rest = left;
    }
    if (found)
        *ret_rest = rest.n ? view_sub(rest, 1, rest.n) : VIEW_NONE;
    return found;
}
