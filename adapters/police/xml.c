/* Accident records in XML: libxml2's SAX events become the tree that the JSON form would have given.  record.def says which elements repeat and which are
 * numbers.  Byte ranges of nodes are those of their elements; text that stands in the source as it is, is not copied. */
#include "adapters/police/inside.h"

#include "base/text.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>

#define SIGNATURE_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"
#define SCHEMA_NAMESPACE "http://www.w3.org/2001/XMLSchema-instance"
#define INPUT_MAX (10u << 20)
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
    enum record_shape shape;
    const struct record_field *field, *list_field;
    bool has_children;
};

struct reader {
    xmlParserCtxt *parser;
    view source;
    struct node *nodes;
    uint32_t n, room;
    char *pool;
    size_t pool_n;
    struct frame frames[TREE_DEPTH_MAX];
    uint32_t depth;
    uint32_t skipping; /* levels inside a signature */
    struct fault *f;
    err failure;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
refuse(struct reader *r, err e, const char *expected, const char *found)
{
    if (r->failure != E_OK)
        return;
    long at = xmlByteConsumed(r->parser);
    /* The place is the open element: its name is the table's or the sender's, never a value. */
    view where = r->depth ? view_make(r->source.p + r->nodes[r->frames[r->depth - 1].node].name,
                                      r->nodes[r->frames[r->depth - 1].node].name_length)
                          : VIEW_NONE;
    r->failure = fault_setf(r->f, e, expected, found, "%.*s", (int)(where.n < 100 ? where.n : 100),
                            where.p ? where.p : "");
    if (r->f && at >= 0) {
        fault_range(r->f, (size_t)at, 0);
        fault_locate(r->f, r->source);
    }
    xmlStopParser(r->parser);
}

static bool
is_text(const xmlChar *a, const char *b)
{
    return a && strcmp((const char *)a, b) == 0;
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
        if (view_eq(view_sub(r->source, r->nodes[i].name, r->nodes[i].name_length), name))
            return true;
    return false;
}

/* Every member once, except the items of a list, which stand together. */
static bool
may_stand(struct reader *r, struct frame *top, const struct record_field *field, view name)
{
    if (!field) {
        if (++top->unknown > UNKNOWN_MAX)
            refuse(r, E_TOO_LARGE, "at most 64 unknown elements", "more");
        else if (seen_unknown(r, top, name))
            refuse(r, E_CARDINALITY, "each unknown element once", "twice");
        return r->failure == E_OK;
    }
    uint64_t bit = UINT64_C(1) << (unsigned)(field - record_shape_of(top->shape)->fields);
    if (top->seen & bit) {
        if (record_field_is_list(field))
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
open_child(struct reader *r, const struct record_field *field, uint32_t name, uint16_t length, uint32_t from)
{
    struct frame *top = &r->frames[r->depth - 1];
    view text = view_sub(r->source, name, length);
    if (field && field == top->list_field)
        return add_node(r, NODE_STRING, top->list, &top->item, 0, 0, from);
    top->list_field = NULL;
    if (!may_stand(r, top, field, text))
        return 0;
    if (!field || !record_field_is_list(field))
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
        bool id =
            r->depth == 0 && !a[2] && (is_text(a[0], "Id") || is_text(a[0], "id") || is_text(a[0], "ID"));
        if (!id && !is_text(a[2], SCHEMA_NAMESPACE)) {
            refuse(r, E_ELEMENT_UNKNOWN, "no attribute", "an attribute");
            return false;
        }
    }
    return true;
}

/* Where the tag begins whose attributes end at position at: no '<' can stand inside an attribute. */
static bool
find_tag(const struct reader *r, const xmlChar *prefix, const xmlChar *name, uint32_t *ret_from,
         uint32_t *ret_name, uint32_t *ret_content)
{
    long at = xmlByteConsumed(r->parser);
    if (at < 0 || (size_t)at > r->source.n)
        return false;
    const char *tag = memrchr(r->source.p, '<', (size_t)at);
    const char *close = memchr(r->source.p + at, '>', r->source.n - (size_t)at);
    if (!tag || !close)
        return false;
    size_t from = (size_t)(tag - r->source.p);
    size_t name_at = from + 1 + (prefix ? strlen((const char *)prefix) + 1 : 0);
    if (!view_eq(view_sub(r->source, name_at, strlen((const char *)name)), view_of((const char *)name)))
        return false;
    *ret_from = (uint32_t)from;
    *ret_name = (uint32_t)name_at;
    *ret_content = (uint32_t)(close - r->source.p) + 1;
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
    uint32_t from, name_at, content, node = 0;
    (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    if (r->failure != E_OK)
        return;
    if (r->skipping > 0 ||
        (r->depth == 1 && is_text(uri, SIGNATURE_NAMESPACE) && is_text(name, "Signature"))) {
        if (r->skipping++ == 0)
            (void)begin_child(r);
        return;
    }
    if (!is_text(uri, RECORD_NAMESPACE) || (r->depth == 0 && !is_text(name, RECORD_ROOT))) {
        refuse(r, r->depth == 0 ? E_DOCUMENT_KIND : E_ELEMENT_UNKNOWN,
               RECORD_ROOT " of the namespace " RECORD_NAMESPACE, "another name");
        return;
    }
    size_t length = strlen((const char *)name);
    if (!check_attributes(r, n_attributes, attributes))
        return;
    if (length > 200 || !find_tag(r, prefix, name, &from, &name_at, &content)) {
        refuse(r, E_XML_SYNTAX, "a start tag", "");
        return;
    }
    const struct record_field *field = NULL;
    enum record_shape shape = SHAPE_record;
    if (r->depth > 0) {
        if (!begin_child(r))
            return;
        field = record_field_of(r->frames[r->depth - 1].shape, view_of((const char *)name));
        shape = field ? record_field_shape(field) : SHAPE_NONE;
        node = open_child(r, field, name_at, (uint16_t)length, from);
    } else {
        (void)add_node(r, NODE_OBJECT, 0, NULL, 0, 0, from);
    }
    if (r->failure == E_OK)
        r->frames[r->depth++] = (struct frame){
            .node = node, .content = content, .text = (uint32_t)r->pool_n, .shape = shape, .field = field};
}

/* The same kinds as in JSON, where the text allows; check.c refuses what stays a text. */
static enum node_kind
kind_of(const struct record_field *field, view text)
{
    int64_t n;
    decimal d;
    if (!field)
        return NODE_STRING;
    if (field->kind == MEMBER_INT && text_to_i64(text, &n) == E_OK && text.p[0] != '+' &&
        (text.p[0] != '0' || text.n == 1))
        return NODE_NUMBER;
    if (field->kind == MEMBER_DECIMAL && decimal_parse(text, &d) == E_OK)
        return NODE_NUMBER;
    if (field->kind == MEMBER_BOOL && view_eq(text, V("true")))
        return NODE_TRUE;
    if (field->kind == MEMBER_BOOL && view_eq(text, V("false")))
        return NODE_FALSE;
    return NODE_STRING;
}

static void
close_text(struct reader *r, const struct frame *top, struct node *n)
{
    const char *end = memrchr(r->source.p, '<', n->from + n->length);
    size_t stop = end ? (size_t)(end - r->source.p) : 0;
    view raw = stop > top->content ? view_sub(r->source, top->content, stop - top->content) : VIEW_NONE;
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
    if (r->failure != E_OK || (r->skipping > 0 && r->skipping--))
        return;
    long at = xmlByteConsumed(r->parser);
    struct frame *top = &r->frames[r->depth - 1];
    struct node *n = &r->nodes[top->node];
    if (at < 0 || (size_t)at > r->source.n || (size_t)at <= n->from) {
        refuse(r, E_XML_SYNTAX, "an end tag", "");
        return;
    }
    n->length = (uint32_t)at - n->from;
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
        r->nodes[parent->list].length = (uint32_t)at - r->nodes[parent->list].from;
}

static void
on_text(void *self, const xmlChar *text, int length)
{
    struct reader *r = self;
    if (r->failure != E_OK || r->skipping > 0 || r->depth == 0 || length <= 0)
        return;
    if (r->pool_n + (size_t)length > r->source.n) {
        refuse(r, E_XML_SYNTAX, "text no longer than its source", ""); /* only entities could make it so */
        return;
    }
    memcpy(r->pool + r->pool_n, text, (size_t)length);
    r->pool_n += (size_t)length;
}

static void
on_doctype(void *self, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    refuse(self, E_XML_DOCTYPE, "no document type declaration", "DOCTYPE");
}

/* libxml2 keeps the declared encoding at the document when it is a Unicode form and at the input when it converts. */
static void
on_document(void *self)
{
    struct reader *r = self;
    const xmlChar *declared[] = {r->parser->encoding, r->parser->input ? r->parser->input->encoding : NULL};
    for (size_t i = 0; i < COUNT_OF(declared); i++)
        if (declared[i] && !view_eq_nocase(view_of((const char *)declared[i]), V("UTF-8")))
            refuse(r, E_UTF8, "encoding=\"UTF-8\"", "another encoding");
}

/* libxml2's messages quote the document, so only the place is taken over. */
static void
on_error(void *self, xmlErrorPtr error)
{
    struct reader *r = self;
    if (error->level >= XML_ERR_ERROR)
        refuse(r, E_XML_SYNTAX, "well-formed XML", "");
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startDocument = on_document,
    .internalSubset = on_doctype,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .serror = on_error,
};

/* -- reading -- */

static uint32_t
count_tags(view bytes)
{
    uint32_t n = 0;
    const char *end = bytes.p + bytes.n;
    for (const char *p = bytes.p; (p = memchr(p, '<', (size_t)(end - p))); p++)
        n += p + 1 < end && p[1] != '/' && p[1] != '!' && p[1] != '?';
    return n;
}

static err
check_bytes(view bytes, struct fault *f)
{
    size_t at;
    if (bytes.n > INPUT_MAX)
        return fault_set(f, E_TOO_LARGE, "", "at most 10 MiB", "more");
    if (!text_is_utf8(bytes, &at)) {
        (void)fault_set(f, E_UTF8, "", "UTF-8", "another encoding");
        fault_range(f, at, 1);
        return E_UTF8;
    }
    /* A NUL would make libxml2 take the text for UTF-16. */
    at = view_find_byte(bytes, 0);
    if (bytes.n > 0 && at == bytes.n)
        return E_OK;
    (void)fault_set(f, E_XML_SYNTAX, "", "XML text", bytes.n ? "a NUL" : "nothing");
    fault_range(f, bytes.n ? at : 0, 0);
    return E_XML_SYNTAX;
}

static err
parse(struct reader *r)
{
    *r->parser->sax = handler;
    r->parser->userData = r;
    /* NOENT here only decodes &amp; and the like: a DOCTYPE, the one source of other entities, ends the reading. */
    xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    xmlParseDocument(r->parser);
    if (r->failure != E_OK)
        return r->failure;
    if (!r->parser->wellFormed || !r->parser->nsWellFormed || r->n == 0)
        return fault_set(r->f, E_XML_SYNTAX, "", "well-formed XML", "");
    return E_OK;
}

err
police_read_xml(view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    TRY(check_bytes(bytes, f));
    (void)pthread_once(&once, xmlInitParser);
    uint32_t tags = count_tags(bytes);
    if (tags > TAGS_MAX)
        return fault_set(f, E_TOO_LARGE, "", "at most 200000 elements", "more");
    struct reader *r = arena_make(mem, struct reader);
    if (!r)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    /* Each element is a node, and each may open a list. */
    *r = (struct reader){.source = bytes, .f = f, .room = tags * 2 + 1};
    r->nodes = arena_make_array(mem, r->room, struct node);
    r->pool = arena_alloc(mem, bytes.n + 1);
    if (!r->nodes || !r->pool)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    r->parser = xmlCreateMemoryParserCtxt(bytes.p, (int)bytes.n);
    if (!r->parser)
        return fault_set(f, E_XML_SYNTAX, "", "XML text", "");
    err e = parse(r);
    xmlFreeParserCtxt(r->parser);
    if (e == E_OK)
        *ret = (struct tree){bytes, r->nodes, r->n, view_make(r->pool, r->pool_n)};
    return e;
}
