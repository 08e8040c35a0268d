#include "base/text.h"
#include "fhir/fhir.h"
#include "fhir/shape.h"
#include "fhir/xhtml.h"

/* One member of an object, with its extensions if it is primitive: name and _name. */
struct member {
    const struct shape_row *row;
    const struct node *value, *companion;
};

/* An object that is being written. */
struct frame {
    uint32_t from, n;        /* its members in writer.members, in XML order */
    uint32_t at;             /* the one that is being written */
    bool in_array;           /* value and companion of that one are items */
    view close, close_inner; /* names of the end tags; close_inner: of a wrapped resource */
};

struct writer {
    const struct tree *t;
    struct buf *out;
    arena *mem;
    struct member *members; /* a stack: each frame's members stand on top of its parent's */
    uint32_t n, room;
    struct frame frames[TREE_DEPTH_MAX + 1];
    uint32_t depth;
};

static err
add_member(struct writer *w, struct member m)
{
    if (w->n == w->room) {
        uint32_t room = w->room * 2 + 128;
        struct member *wide = arena_make_array(w->mem, room, struct member);
        if (!wide)
            return E_TOO_LARGE;
        if (w->n > 0)
            memcpy(wide, w->members, w->n * sizeof *wide);
        w->members = wide;
        w->room = room;
    }
    w->members[w->n++] = m;
    return E_OK;
}

static bool
is_attribute(uint16_t shape, const struct shape_row *row)
{
    return row->type == SHAPE_attribute || (shape == SHAPE_Extension && view_eq(row_name(row), V("url")));
}

/* Puts name and _name of one element into one member, in the order of the rows; members come nearly
 * sorted. */
static err
place_member(struct writer *w, uint32_t from, const struct shape_row *row, const struct node *n,
             bool companion)
{
    uint32_t at = w->n;
    while (at > from && w->members[at - 1].row > row)
        at--;
    bool known = at > from && w->members[at - 1].row == row;
    if (!known) {
        TRY(add_member(w, (struct member){.row = row}));
        memmove(&w->members[at + 1], &w->members[at], (w->n - 1 - at) * sizeof *w->members);
        w->members[at] = (struct member){.row = row};
    }
    struct member *m = &w->members[known ? at - 1 : at];
    if (companion)
        m->companion = n;
    else
        m->value = n;
    return E_OK;
}

/* The element members of an object on top of the stack; attributes go to the start tag at once. */
static err
open_object(struct writer *w, const struct node *object, uint16_t shape, struct frame *ret)
{
    struct frame frame = {.from = w->n};
    for (NODE_EACH(child, w->t, object)) {
        view name = node_name(w->t, child);
        bool companion = view_starts(name, V("_"));
        if (view_eq(name, V("resourceType")) && shape_is_resource(shape))
            continue;
        const struct shape_row *row = shape_find(shape, companion ? view_sub(name, 1, name.n) : name);
        if (!row)
            return E_ELEMENT_UNKNOWN;
        if (!is_attribute(shape, row)) {
            TRY(place_member(w, frame.from, row, child, companion));
            continue;
        }
        if (!text_is_xml(node_text(w->t, child)))
            return E_XML_CHARACTER;
        buf_printf(w->out, " %s=\"", row->name);
        buf_add_xml(w->out, node_text(w->t, child));
        buf_add_byte(w->out, '"');
    }
    frame.n = w->n - frame.from;
    *ret = frame;
    return E_OK;
}

static err
push_object(struct writer *w, const struct node *object, uint16_t shape, view close, view close_inner)
{
    struct frame frame;
    if (object->kind != NODE_OBJECT)
        return E_TYPE;
    TRY(open_object(w, object, shape, &frame));
    if (frame.n == 0 && close_inner.n == 0) {
        BUF_LIT(w->out, "/>");
        return E_OK;
    }
    if (w->depth == COUNT_OF(w->frames))
        return E_TOO_LARGE;
    buf_add_byte(w->out, '>');
    frame.close = close;
    frame.close_inner = close_inner;
    w->frames[w->depth++] = frame;
    return E_OK;
}

static err
write_resource(struct writer *w, const struct node *resource, view wrapper)
{
    view type = node_text_at(w->t, resource, "resourceType");
    uint16_t shape = shape_of_resource(type);
    if (shape == SHAPE_NONE)
        return E_RESOURCE_TYPE;
    buf_printf(w->out, "<%.*s", VIEW_ARG(type));
    if (wrapper.n == 0)
        BUF_LIT(w->out, " xmlns=\"http://hl7.org/fhir\"");
    return wrapper.n ? push_object(w, resource, shape, wrapper, type)
                     : push_object(w, resource, shape, type, VIEW_NONE);
}

static err
write_primitive(struct writer *w, const struct shape_row *row, const struct node *value,
                const struct node *companion)
{
    if (row->type == SHAPE_xhtml && value) {
        const char *why = xhtml_fault(node_text(w->t, value), NULL);
        if (why && !view_starts(view_of(why), V("txt-2")))
            return E_VALUE; /* it would become markup of the document */
        buf_add_view(w->out, node_text(w->t, value));
        return E_OK;
    }
    buf_printf(w->out, "<%s", row->name);
    if (value && value->kind != NODE_NULL) {
        if (value->kind >= NODE_ARRAY)
            return E_TYPE;
        if (!text_is_xml(node_text(w->t, value)))
            return E_XML_CHARACTER;
        BUF_LIT(w->out, " value=\"");
        buf_add_xml(w->out, node_text(w->t, value));
        buf_add_byte(w->out, '"');
    }
    if (companion && companion->kind != NODE_NULL)
        return push_object(w, companion, SHAPE_Element, row_name(row), VIEW_NONE);
    BUF_LIT(w->out, "/>");
    return E_OK;
}

static err
write_element(struct writer *w, const struct shape_row *row, const struct node *value,
              const struct node *companion)
{
    if (shape_form(row->type) != FORM_NONE)
        return write_primitive(w, row, value, companion);
    if (!value || value->kind != NODE_OBJECT)
        return E_TYPE;
    buf_printf(w->out, "<%s", row->name);
    if (row->type != SHAPE_Resource)
        return push_object(w, value, row->type, row_name(row), VIEW_NONE);
    buf_add_byte(w->out, '>');
    return write_resource(w, value, row_name(row));
}

static void
close_object(struct writer *w, const struct frame *top)
{
    if (top->close_inner.n > 0)
        buf_printf(w->out, "</%.*s>", VIEW_ARG(top->close_inner));
    buf_printf(w->out, "</%.*s>", VIEW_ARG(top->close));
    w->n = top->from;
    w->depth--;
}

static const struct node *
first_item(const struct writer *w, const struct node *n)
{
    return n && n->kind == NODE_ARRAY ? node_first(w->t, n) : NULL;
}

/* Writes the next element of the object on top, or ends the object. */
static err
step(struct writer *w)
{
    struct frame *top = &w->frames[w->depth - 1];
    if (top->at == top->n) {
        close_object(w, top);
        return E_OK;
    }
    struct member *m = &w->members[top->from + top->at];
    bool array =
        (m->value && m->value->kind == NODE_ARRAY) || (m->companion && m->companion->kind == NODE_ARRAY);
    if (!top->in_array && array) {
        m->value = first_item(w, m->value);
        m->companion = first_item(w, m->companion);
        top->in_array = true;
    }
    struct member now = *m;
    if (top->in_array) {
        m->value = m->value ? node_next(w->t, m->value) : NULL;
        m->companion = m->companion ? node_next(w->t, m->companion) : NULL;
    }
    if (!top->in_array || (!m->value && !m->companion)) {
        top->at++;
        top->in_array = false;
    }
    return now.value || now.companion ? write_element(w, now.row, now.value, now.companion) : E_OK;
}

err
fhir_write_xml(const struct tree *t, const struct node *resource, struct buf *out)
{
    AUTO(arena_free) arena *mem = arena_new(4u << 20);
    struct writer w = {.t = t, .out = out, .mem = mem};
    shape_start();
    if (resource->kind != NODE_OBJECT)
        return E_TYPE;
    TRY(write_resource(&w, resource, VIEW_NONE));
    while (w.depth > 0 && !out->failed)
        TRY(step(&w));
    return out->failed ? E_TOO_LARGE : E_OK;
}
