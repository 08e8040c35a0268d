#include "fhir/hash.h"
#include "fhir/shape.h"
#include "fhir/value.h"
#include "fhir/xml_read.h"

enum frame_kind {
    FRAME_OBJECT,     /* members from the children of an element */
    FRAME_ITEMS,      /* items of an array of objects */
    FRAME_COMPANIONS, /* items of an array _name: null or object */
};

struct frame {
    uint8_t kind; /* enum frame_kind */
    uint16_t shape;
    uint32_t node, last_child; /* last_child 0: none yet */
    uint32_t cursor;           /* next element, 0: none */
    uint32_t left;             /* items still to come */
    uint32_t owed;             /* first element of a group whose _name is to come, 0: none */
    uint32_t owed_n;
};

struct builder {
    struct xml_list *list;
    struct node *nodes;
    uint32_t n, room;
    struct frame frames[TREE_DEPTH_MAX];
    uint32_t depth;
    struct hash_table
        names; /* (object, member name): a second run of the same name can't be told in a tree */
    arena *mem;
    struct fault *f;
};

struct label {
    uint32_t at;
    uint16_t length;
    bool pooled;
};

/* A run of children with one name. */
struct group {
    uint32_t first, n, last;
    const struct shape_row *row; /* NULL: unknown here */
    struct label label;
};

static const struct label no_label = {0, 0, false};

static struct xml_element *
element(const struct builder *b, uint32_t i)
{
    return &b->list->elements[i];
}

static err
too_large(const struct builder *b)
{
    return fault_set(b->f, E_TOO_LARGE, "", "", "");
}

/* Appends a node as last child of the frame on top. Returns its number, 0 when the arena is full (the root
 * has number 0 too and is added once). */
static uint32_t
add_node(struct builder *b, enum node_kind kind, struct label label, uint32_t from, uint32_t to)
{
    if (b->n == b->room) {
        uint32_t room = b->room * 2;
        struct node *wide = arena_make_array(b->mem, room, struct node);
        if (!wide)
            return 0;
        memcpy(wide, b->nodes, b->n * sizeof *wide);
        b->nodes = wide;
        b->room = room;
    }
    uint32_t self = b->n++;
    uint8_t flags = (uint8_t)(NODE_FROM_XML | (label.pooled ? NODE_NAME_IN_POOL : 0));
    b->nodes[self] = (struct node){.kind = (uint8_t)kind,
                                   .flags = flags,
                                   .name = label.at,
                                   .name_length = label.length,
                                   .from = from,
                                   .length = to - from};
    if (b->depth == 0)
        return self;
    struct frame *top = &b->frames[b->depth - 1];
    b->nodes[self].parent = top->node;
    b->nodes[top->node].text++;
    if (top->last_child)
        b->nodes[top->last_child].next = self;
    top->last_child = self;
    return self;
}

/* Position behind the digits that stand at text[at]. */
static size_t
skip_digits(view text, size_t at)
{
    while (at < text.n && text.p[at] >= '0' && text.p[at] <= '9')
        at++;
    return at;
}

/* The grammar of JSON numbers, and the length to which the JSON reader keeps them. */
static bool
is_number(view text)
{
    if (text.n > TREE_NUMBER_MAX)
        return false;
    size_t from = text.n > 0 && text.p[0] == '-' ? 1 : 0;
    size_t at = skip_digits(text, from);
    if (at == from || (text.p[from] == '0' && at > from + 1))
        return false;
    if (at < text.n && text.p[at] == '.') {
        from = at + 1;
        at = skip_digits(text, from);
        if (at == from)
            return false;
    }
    if (at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        from = at + 1;
        if (from < text.n && (text.p[from] == '-' || text.p[from] == '+'))
            from++;
        at = skip_digits(text, from);
        if (at == from)
            return false;
    }
    return at == text.n;
}

/* What is no boolean or number stays a string, so that the validator can say so. */
static enum node_kind
kind_of_value(enum value_form form, view text)
{
    enum node_kind kind = value_kind(form);
    if (kind == NODE_TRUE)
        return view_eq(text, V("true")) ? NODE_TRUE : view_eq(text, V("false")) ? NODE_FALSE : NODE_STRING;
    return kind == NODE_NUMBER && is_number(text) ? NODE_NUMBER : NODE_STRING;
}

static bool
add_value(struct builder *b, enum value_form form, struct label label, const struct xml_element *e,
          const struct xml_value *value)
{
    enum node_kind kind = value->present ? kind_of_value(form, xml_text(b->list, value)) : NODE_NULL;
    uint32_t self = add_node(b, kind, label, e->from, e->to);
    if (self == 0)
        return false;
    b->nodes[self].text = value->at;
    b->nodes[self].text_length = value->length;
    if (value->pooled)
        b->nodes[self].flags |= NODE_TEXT_IN_POOL;
    return true;
}

static err
pool_label(struct builder *b, view prefix, view name, struct label *ret)
{
    struct label label = {.length = (uint16_t)(prefix.n + name.n), .pooled = true};
    uint32_t rest;
    if (prefix.n + name.n > UINT16_MAX || !xml_pool_add(&b->list->pool, prefix, &label.at) ||
        !xml_pool_add(&b->list->pool, name, &rest))
        return too_large(b);
    *ret = label;
    return E_OK;
}

static err
claim_name(struct builder *b, uint32_t object, view name, uint32_t at_element)
{
    err e = hash_table_add(&b->names, hash_view(hash_number(0, object), name), 0, NULL);
    if (e == E_DUPLICATE)
        return xml_fault(b->list, at_element, b->f, E_ELEMENT_ORDER, "elements of one name together",
                         "the name again");
    return e == E_OK ? E_OK : too_large(b);
}

static err
push(struct builder *b, struct frame frame, uint32_t at_element)
{
    if (b->depth == TREE_DEPTH_MAX)
        return xml_fault(b->list, at_element, b->f, E_XML_DEPTH, "at most 64 levels", "");
    b->frames[b->depth++] = frame;
    return E_OK;
}

static err
add_attribute(struct builder *b, uint32_t at_element, view name, const struct xml_value *value)
{
    struct label label;
    if (!value->present)
        return E_OK;
    TRY(claim_name(b, b->frames[b->depth - 1].node, name, at_element));
    TRY(pool_label(b, VIEW_NONE, name, &label));
    return add_value(b, FORM_STRING, label, element(b, at_element), value) ? E_OK : too_large(b);
}

static err
push_object(struct builder *b, struct label label, uint32_t at, uint16_t shape)
{
    const struct xml_element *e = element(b, at);
    if (e->url.present && shape != SHAPE_Extension && shape != SHAPE_NONE)
        return xml_fault(b->list, at, b->f, E_ELEMENT_UNKNOWN, "no attribute url here", "url");
    uint32_t node = add_node(b, NODE_OBJECT, label, e->from, e->to);
    if (node == 0 && b->depth > 0)
        return too_large(b);
    TRY(push(b,
             (struct frame){
                 .kind = FRAME_OBJECT, .shape = shape, .node = node, .cursor = e->children ? at + 1 : 0},
             at));
    TRY(add_attribute(b, at, V("id"), &e->id));
    return add_attribute(b, at, V("url"), &e->url);
}

static err
push_resource(struct builder *b, struct label label, uint32_t at)
{
    struct xml_element *e = element(b, at);
    struct label type;
    if (e->value.present || e->id.present || e->url.present)
        return xml_fault(b->list, at, b->f, E_ELEMENT_UNKNOWN, "a resource without attributes",
                         "an attribute");
    TRY(push_object(b, label, at, shape_of_resource(xml_name(b->list, e))));
    struct xml_value name = {.at = e->name, .length = e->name_length, .present = true};
    TRY(claim_name(b, b->frames[b->depth - 1].node, V("resourceType"), at));
    TRY(pool_label(b, VIEW_NONE, V("resourceType"), &type));
    return add_value(b, FORM_STRING, type, e, &name) ? E_OK : too_large(b);
}

/* The resource inside <contained> or <resource>. */
static err
push_wrapped(struct builder *b, struct label label, uint32_t at)
{
    const struct xml_element *e = element(b, at);
    if (e->children != 1 || e->value.present || e->id.present || e->url.present)
        return xml_fault(b->list, at, b->f, E_CARDINALITY, "one resource and no attribute", "");
    return push_resource(b, label, at + 1);
}

/* One complex element; with a value and nothing else it stays a string, so that the validator can name the
 * wrong type. */
static err
push_complex(struct builder *b, struct label label, uint32_t at, uint16_t shape)
{
    const struct xml_element *e = element(b, at);
    if (shape == SHAPE_Resource)
        return push_wrapped(b, label, at);
    if (!e->value.present)
        return push_object(b, label, at, shape);
    if (e->children > 0 || e->id.present || e->url.present)
        return xml_fault(b->list, at, b->f, E_TYPE, "an element without value", "a value");
    return add_value(b, FORM_STRING, label, e, &e->value) ? E_OK : too_large(b);
}

static bool
has_companion(const struct xml_element *e)
{
    return !e->is_div && (e->id.present || e->children > 0);
}

static err
add_values(struct builder *b, struct frame *top, const struct group *g, bool many)
{
    enum value_form form = g->row ? shape_form(g->row->type) : FORM_STRING;
    const struct xml_element *first = element(b, g->first), *last = element(b, g->last);
    bool values = false, companions = false;
    for (uint32_t i = g->first, left = g->n; left > 0; left--, i = element(b, i)->next) {
        const struct xml_element *e = element(b, i);
        if (e->url.present)
            return xml_fault(b->list, i, b->f, E_ELEMENT_UNKNOWN, "no attribute url here", "url");
        values |= e->value.present;
        companions |= has_companion(e);
    }
    if (companions) {
        top->owed = g->first;
        top->owed_n = g->n;
        if (!values)
            return E_OK;
    }
    if (!many)
        return add_value(b, form, g->label, first, &first->value) ? E_OK : too_large(b);
    uint32_t array = add_node(b, NODE_ARRAY, g->label, first->from, last->to);
    if (array == 0)
        return too_large(b);
    TRY(push(b, (struct frame){.kind = FRAME_ITEMS, .node = array}, g->first));
    for (uint32_t i = g->first, left = g->n; left > 0; left--, i = element(b, i)->next)
        if (!add_value(b, form, no_label, element(b, i), &element(b, i)->value))
            return too_large(b);
    b->depth--;
    return E_OK;
}

static err
push_array(struct builder *b, const struct group *g, enum frame_kind kind, uint16_t shape)
{
    uint32_t array = add_node(b, NODE_ARRAY, g->label, element(b, g->first)->from, element(b, g->last)->to);
    if (array == 0)
        return too_large(b);
    return push(b,
                (struct frame){
                    .kind = (uint8_t)kind, .shape = shape, .node = array, .cursor = g->first, .left = g->n},
                g->first);
}

static struct group
next_group(const struct builder *b, const struct frame *top)
{
    const struct xml_element *e = element(b, top->cursor);
    view name = xml_name(b->list, e);
    struct group g = {.first = top->cursor, .last = top->cursor, .n = 1};
    while (element(b, g.last)->next &&
           view_eq(xml_name(b->list, element(b, element(b, g.last)->next)), name)) {
        g.last = element(b, g.last)->next;
        g.n++;
    }
    g.row = shape_find(top->shape, name);
    g.label = (struct label){.at = e->name, .length = e->name_length};
    return g;
}

static uint16_t
shape_of_group(const struct builder *b, const struct group *g)
{
    if (g->row)
        return g->row->type;
    /* Of an unknown type we still know how FHIR nests resources and extensions. */
    view name = xml_name(b->list, element(b, g->first));
    if (view_eq(name, V("contained")) || view_eq(name, V("resource")))
        return element(b, g->first)->value.present ? SHAPE_string : SHAPE_Resource;
    if (view_eq(name, V("extension")) || view_eq(name, V("modifierExtension")))
        return SHAPE_Extension;
    return SHAPE_NONE;
}

/* id and an extension's url are attributes in XML. */
static bool
is_attribute(uint16_t shape, const struct shape_row *row)
{
    return row->type == SHAPE_attribute || (shape == SHAPE_Extension && view_eq(row_name(row), V("url")));
}

static err
object_step(struct builder *b, struct frame *top)
{
    if (top->cursor == 0) {
        b->depth--;
        return E_OK;
    }
    struct group g = next_group(b, top);
    top->cursor = element(b, g.last)->next;
    const struct xml_element *first = element(b, g.first);
    TRY(claim_name(b, top->node, xml_name(b->list, first), g.first));
    /* A name that JSON uses for something else would come twice in the tree. */
    if (view_starts(xml_name(b->list, first), V("_")))
        return xml_fault(b->list, g.first, b->f, E_ELEMENT_UNKNOWN, "an element of FHIR",
                         "a leading underscore");
    if (g.row && is_attribute(top->shape, g.row))
        return xml_fault(b->list, g.first, b->f, E_ELEMENT_UNKNOWN, "an attribute of this name",
                         "an element");
    uint16_t shape = shape_of_group(b, &g);
    bool many = g.n > 1 || (g.row ? g.row->many : shape == SHAPE_Extension);
    bool primitive = shape == SHAPE_NONE ? first->value.present : shape_form(shape) != FORM_NONE;
    if (primitive)
        return add_values(b, top, &g, many);
    return many ? push_array(b, &g, FRAME_ITEMS, shape) : push_complex(b, g.label, g.first, shape);
}

/* The _name of the values that were written last. */
static err
companion_step(struct builder *b, struct frame *top)
{
    struct group g = {.first = top->owed, .last = top->owed, .n = top->owed_n};
    top->owed = 0;
    view name = xml_name(b->list, element(b, g.first));
    const struct shape_row *row = shape_find(top->shape, name);
    for (uint32_t left = g.n - 1; left > 0; left--)
        g.last = element(b, g.last)->next;
    TRY(pool_label(b, V("_"), name, &g.label));
    if (g.n > 1 || (row && row->many))
        return push_array(b, &g, FRAME_COMPANIONS, SHAPE_Element);
    return push_object(b, g.label, g.first, SHAPE_Element);
}

static err
item_step(struct builder *b, struct frame *top)
{
    if (top->left == 0) {
        b->depth--;
        return E_OK;
    }
    uint32_t at = top->cursor;
    const struct xml_element *e = element(b, at);
    top->cursor = e->next;
    top->left--;
    if (top->kind == FRAME_ITEMS)
        return push_complex(b, no_label, at, top->shape);
    if (has_companion(e))
        return push_object(b, no_label, at, SHAPE_Element);
    return add_node(b, NODE_NULL, no_label, e->from, e->to) ? E_OK : too_large(b);
}

static err
build(struct builder *b)
{
    TRY(push_resource(b, no_label, 0));
    while (b->depth > 0) {
        struct frame *top = &b->frames[b->depth - 1];
        if (top->kind == FRAME_OBJECT && top->owed)
            TRY(companion_step(b, top));
        else if (top->kind == FRAME_OBJECT)
            TRY(object_step(b, top));
        else
            TRY(item_step(b, top));
    }
    return E_OK;
}

err
xml_list_to_tree(struct xml_list *list, arena *mem, struct tree *ret, struct fault *f)
{
    struct builder b = {.list = list, .mem = mem, .f = f, .room = list->n * 2 + 16};
    b.nodes = arena_make_array(mem, b.room, struct node);
    if (!b.nodes || !hash_table_init(&b.names, mem, list->n))
        return too_large(&b);
    TRY(build(&b));
    *ret = (struct tree){
        .source = list->source, .nodes = b.nodes, .n = b.n, .pool = {list->pool.p, list->pool.n}};
    return E_OK;
}
