/* Accident records in XML: libxml2's SAX events become the tree that the JSON form would have given.  record.def says which elements repeat and which are
 * numbers.  Byte ranges of nodes are those of their elements; text that stands in the source as it is, is not copied. */
#include "adapters/police/inside.h"

#include "base/text.h"
#include "base/xml.h"

#define SIGNATURE_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"
#define TAGS_MAX 200000u
#define UNKNOWN_MAX 64u

struct frame {
    uint32_t node;       /* of this element */
    uint32_t last;       /* its last child, 0: none */
    uint32_t list, item; /* the list that is open among its children, and the last item of it */
    uint32_t content;    /* where its content begins in the source */
    uint32_t text;       /* where its text begins in the pool */
    uint32_t unknown;    /* children that the table does not know */
    uint64_t seen;       /* members that have been, by number */
    size_t shape;
    const struct layout_field *field, *list_field;
    bool has_children;
};

struct reader {
    struct xml_parse xml;
    struct node *nodes;
    uint32_t n, room;
    char *pool;
    size_t pool_n;
    struct frame frames[TREE_DEPTH_MAX];
    uint32_t depth;
    uint32_t skipping; /* levels inside a signature */
};

/* The place is the open element: its name is the table's or the sender's, never a value. */
static void
refuse(struct reader *r, err e, const char *expected, const char *found)
{
    char where[101] = "";
    const struct node *open = r->depth ? &r->nodes[r->frames[r->depth - 1].node] : NULL;
    if (open)
        (void)snprintf(where, sizeof where, "%.*s", (int)open->name_length, r->xml.source.p + open->name);
    xml_refuse(&r->xml, e, where, expected, found);
}

/* -- nodes -- */

/* A child of the open element, or of the open list. */
static uint32_t
add_node(struct reader *r, enum node_kind kind, uint32_t parent, uint32_t *last, uint32_t name,
         uint16_t name_length, uint32_t from)
{
    if (r->n >= r->room) {
        refuse(r, E_TOO_LARGE, "", "");
        return 0;
    }
    uint32_t self = r->n++;
    r->nodes[self] = (struct node){.kind = (uint8_t)kind,
                                   .flags = NODE_FROM_XML,
                                   .name = name,
                                   .name_length = name_length,
                                   .from = from,
                                   .parent = parent};
    if (self == 0)
        return 0;
    if (*last)
        r->nodes[*last].next = self;
    *last = self;
    r->nodes[parent].text++;
    return self;
}

static bool
seen_unknown(const struct reader *r, const struct frame *top, view name)
{
    for (uint32_t i = r->nodes[top->node].text ? top->node + 1 : 0; i; i = r->nodes[i].next)
        if (view_eq(view_sub(r->xml.source, r->nodes[i].name, r->nodes[i].name_length), name))
            return true;
    return false;
}

/* Every member once, except the items of a list, which stand together. */
static bool
may_stand(struct reader *r, struct frame *top, const struct layout_field *field, view name)
{
    if (!field) {
        if (++top->unknown > UNKNOWN_MAX)
            refuse(r, E_TOO_LARGE, "at most 64 unknown elements", "more");
        else if (seen_unknown(r, top, name))
            refuse(r, E_CARDINALITY, "each unknown element once", "twice");
        return r->xml.failure == E_OK;
    }
    uint64_t bit = UINT64_C(1) << (unsigned)(field - record_layout()->shapes[top->shape].fields);
    if (top->seen & bit) {
        if (layout_is_list(field))
            refuse(r, E_ELEMENT_ORDER, "equal elements together", "another between them");
        else
            refuse(r, E_CARDINALITY, "the element once", "twice");
        return false;
    }
    top->seen |= bit;
    return true;
}

/* The node of an element below the open one. */
static uint32_t
open_child(struct reader *r, const struct layout_field *field, uint32_t name, uint16_t length, uint32_t from)
{
    struct frame *top = &r->frames[r->depth - 1];
    view text = view_sub(r->xml.source, name, length);
    if (field && field == top->list_field)
        return add_node(r, NODE_STRING, top->list, &top->item, 0, 0, from);
    top->list_field = NULL;
    if (!may_stand(r, top, field, text))
        return 0;
    if (!field || !layout_is_list(field))
        return add_node(r, NODE_STRING, top->node, &top->last, name, length, from);
    top->list = add_node(r, NODE_ARRAY, top->node, &top->last, name, length, from);
    top->item = 0;
    top->list_field = field;
    return top->list ? add_node(r, NODE_STRING, top->list, &top->item, 0, 0, from) : 0;
}

/* -- events -- */

static bool
check_attributes(struct reader *r, int n, const xmlChar *const *attributes)
{
    for (int i = 0; i < n; i++) {
        const xmlChar *const *a = &attributes[(size_t)i * 5];
        bool id = r->depth == 0 && !a[2] && (xml_is(a[0], "Id") || xml_is(a[0], "id") || xml_is(a[0], "ID"));
        if (!id && !xml_is(a[2], XML_SCHEMA_INSTANCE)) {
            refuse(r, E_ELEMENT_UNKNOWN, "no attribute", "an attribute");
            return false;
        }
    }
    return true;
}

static bool
blank_so_far(const struct reader *r, const struct frame *top)
{
    return view_trim(view_make(r->pool + top->text, r->pool_n - top->text)).n == 0;
}

static bool
begin_child(struct reader *r)
{
    struct frame *top = &r->frames[r->depth - 1];
    if (r->depth == TREE_DEPTH_MAX) {
        refuse(r, E_XML_DEPTH, "at most 64 levels", "more");
        return false;
    }
    if (!blank_so_far(r, top)) {
        refuse(r, E_ELEMENT_UNKNOWN, "no text between elements", "text");
        return false;
    }
    r->pool_n = top->text;
    top->has_children = true;
    r->nodes[top->node].kind = NODE_OBJECT;
    return true;
}

static void
on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
         const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    struct reader *r = self;
    struct xml_tag tag;
    uint32_t node = 0;
    (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    if (r->xml.failure != E_OK)
        return;
    if (r->skipping > 0 || (r->depth == 1 && xml_is(uri, SIGNATURE_NAMESPACE) && xml_is(name, "Signature"))) {
        if (r->skipping++ == 0)
            (void)begin_child(r);
        return;
    }
    if (!xml_is(uri, RECORD_NAMESPACE) || (r->depth == 0 && !xml_is(name, RECORD_ROOT))) {
        refuse(r, r->depth == 0 ? E_DOCUMENT_KIND : E_ELEMENT_UNKNOWN,
               RECORD_ROOT " of the namespace " RECORD_NAMESPACE, "another name");
        return;
    }
    size_t length = strlen((const char *)name);
    if (!check_attributes(r, n_attributes, attributes))
        return;
    if (length > 200 || !xml_find_tag(&r->xml, prefix, name, &tag)) {
        refuse(r, E_XML_SYNTAX, "a start tag of at most 200 letters", "a longer one");
        return;
    }
    const struct layout_field *field = NULL;
    size_t shape = SHAPE_record;
    if (r->depth > 0) {
        if (!begin_child(r))
            return;
        field = layout_field_of(record_layout(), r->frames[r->depth - 1].shape, view_of((const char *)name));
        shape = field ? layout_shape_of(record_layout(), field) : SHAPE_NONE;
        node = open_child(r, field, tag.name, (uint16_t)length, tag.from);
    } else {
        (void)add_node(r, NODE_OBJECT, 0, NULL, 0, 0, tag.from);
    }
    if (r->xml.failure == E_OK)
        r->frames[r->depth++] = (struct frame){.node = node,
                                               .content = tag.content,
                                               .text = (uint32_t)r->pool_n,
                                               .shape = shape,
                                               .field = field};
}

/* The same kinds as in JSON, where the text allows; layout_check refuses what stays a text. */
static enum node_kind
kind_of(const struct layout_field *field, view text)
{
    int64_t n;
    decimal d;
    if (!field)
        return NODE_STRING;
    if (field->kind == LAYOUT_INT && text_to_i64(text, &n) == E_OK && text.p[0] != '+' &&
        (text.p[0] != '0' || text.n == 1))
        return NODE_NUMBER;
    if (field->kind == LAYOUT_NUMBER && decimal_parse(text, &d) == E_OK)
        return NODE_NUMBER;
    if (field->kind == LAYOUT_BOOL && view_eq(text, V("true")))
        return NODE_TRUE;
    if (field->kind == LAYOUT_BOOL && view_eq(text, V("false")))
        return NODE_FALSE;
    return NODE_STRING;
}

static void
close_text(struct reader *r, const struct frame *top, struct node *n)
{
    const char *end = memrchr(r->xml.source.p, '<', n->from + n->length);
    size_t stop = end ? (size_t)(end - r->xml.source.p) : 0;
    view raw = stop > top->content ? view_sub(r->xml.source, top->content, stop - top->content) : VIEW_NONE;
    view text = view_make(r->pool + top->text, r->pool_n - top->text);
    if (top->shape != SHAPE_NONE) {
        if (view_trim(text).n > 0)
            refuse(r, E_ELEMENT_UNKNOWN, "elements", "text");
        n->kind = NODE_OBJECT;
        r->pool_n = top->text;
        return;
    }
    n->text_length = (uint32_t)text.n;
    if (view_eq(raw, text)) {
        n->text = top->content;
        r->pool_n = top->text;
    } else {
        n->flags |= NODE_TEXT_IN_POOL;
        n->text = top->text;
    }
    n->kind = (uint8_t)kind_of(top->field, text);
}

static void
on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = self;
    (void)name, (void)prefix, (void)uri;
    if (r->xml.failure != E_OK || (r->skipping > 0 && r->skipping--))
        return;
    struct frame *top = &r->frames[r->depth - 1];
    struct node *n = &r->nodes[top->node];
    uint32_t at = xml_element_end(&r->xml, n->from);
    if (at == 0) {
        refuse(r, E_XML_SYNTAX, "an end tag", "another form");
        return;
    }
    n->length = at - n->from;
    if (top->has_children && !blank_so_far(r, top)) {
        refuse(r, E_ELEMENT_UNKNOWN, "no text between elements", "text");
        return;
    }
    if (!top->has_children)
        close_text(r, top, n);
    else
        r->pool_n = top->text;
    if (--r->depth == 0)
        return;
    struct frame *parent = &r->frames[r->depth - 1];
    parent->text = (uint32_t)r->pool_n; /* behind what this element keeps in the pool */
    if (parent->list_field)
        r->nodes[parent->list].length = at - r->nodes[parent->list].from;
}

static void
on_text(void *self, const xmlChar *text, int length)
{
    struct reader *r = self;
    if (r->xml.failure != E_OK || r->skipping > 0 || r->depth == 0 || length <= 0)
        return;
    if (r->pool_n + (size_t)length > r->xml.source.n) {
        refuse(r, E_XML_SYNTAX, "text no longer than its source", ""); /* only entities could make it so */
        return;
    }
    memcpy(r->pool + r->pool_n, text, (size_t)length);
    r->pool_n += (size_t)length;
}

static const struct xml_events events = {on_start, on_end, on_text};

err
police_read_xml(view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    TRY(xml_check_bytes(bytes, f));
    uint32_t tags = xml_count_tags(bytes);
    if (tags > TAGS_MAX)
        return fault_set(f, E_TOO_LARGE, "", "at most 200000 elements", "more");
    struct reader *r = arena_make(mem, struct reader);
    if (!r)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    /* Each element is a node, and each may open a list. */
    *r = (struct reader){.xml = {.source = bytes, .f = f}, .room = tags * 2 + 1};
    r->nodes = arena_make_array(mem, r->room, struct node);
    r->pool = arena_alloc(mem, bytes.n + 1);
    if (!r->nodes || !r->pool)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    TRY(xml_parse_run(&r->xml, &events));
    *ret = (struct tree){bytes, r->nodes, r->n, view_make(r->pool, r->pool_n)};
    return E_OK;
}
