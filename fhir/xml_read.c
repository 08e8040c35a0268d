#include "fhir/xml_read.h"

#include "base/text.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>

#define FHIR_NAMESPACE "http://hl7.org/fhir"
#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"
#define SCHEMA_NAMESPACE "http://www.w3.org/2001/XMLSchema-instance"
#define INPUT_MAX (10u << 20)

struct reader {
    xmlParserCtxt *parser;
    struct xml_list *list;
    struct fault *f;
    err failure;
    uint32_t open;      /* the element that is open; n == 0: none yet */
    uint32_t div_depth; /* levels inside an XHTML div */
    bool div_declares;  /* the div declares its namespace itself */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

bool
xml_pool_add(struct xml_pool *pool, view text, uint32_t *ret_at)
{
    if (pool->n + text.n > pool->room) {
        size_t room = (pool->n + text.n) * 2 + 256;
        char *wide = arena_alloc(pool->mem, room);
        if (!wide || room > UINT32_MAX)
            return false;
        if (pool->n > 0)
            memcpy(wide, pool->p, pool->n);
        pool->p = wide;
        pool->room = room;
    }
    *ret_at = (uint32_t)pool->n;
    if (text.n > 0)
        memcpy(pool->p + pool->n, text.p, text.n);
    pool->n += text.n;
    return true;
}

err
xml_fault(const struct xml_list *list, uint32_t element, struct fault *f, err e, const char *expected,
          const char *found)
{
    /* The names from the root down with dots between them, written from the end of the buffer. */
    char path[200];
    size_t at = sizeof path - 1;
    path[at] = 0;
    for (uint32_t i = element; i < list->n; i = list->elements[i].parent) {
        view name = xml_name(list, &list->elements[i]);
        if (name.n + 1 > at)
            break;
        at -= name.n;
        memcpy(path + at, name.p, name.n);
        if (i == 0)
            break;
        path[--at] = '.';
    }
    fault_set(f, e, path + at, expected, found);
    if (element < list->n)
        fault_range(f, list->elements[element].from,
                    list->elements[element].to > list->elements[element].from
                        ? list->elements[element].to - list->elements[element].from
                        : 0);
    if (f)
        fault_locate(f, list->source);
    return e;
}

static void
refuse(struct reader *r, err e, const char *expected, const char *found)
{
    if (r->failure != E_OK)
        return;
    r->failure = xml_fault(r->list, r->list->n ? r->open : UINT32_MAX, r->f, e, expected, found);
    xmlStopParser(r->parser);
}

static bool
is_text(const xmlChar *a, const char *b)
{
    return a && strcmp((const char *)a, b) == 0;
}

/* Where the '<' of the tag stands whose attributes end at position at: none can stand inside an attribute. */
static bool
find_tag(const struct reader *r, size_t at, const xmlChar *prefix, const xmlChar *name, uint32_t *ret_from,
         uint32_t *ret_name)
{
    view source = r->list->source;
    if (at > source.n)
        return false;
    const char *tag = memrchr(source.p, '<', at);
    if (!tag)
        return false;
    size_t from = (size_t)(tag - source.p);
    size_t name_at = from + 1 + (prefix ? strlen((const char *)prefix) + 1 : 0);
    view found = view_sub(source, name_at, strlen((const char *)name));
    if (!view_eq(found, view_of((const char *)name)))
        return false;
    *ret_from = (uint32_t)from;
    *ret_name = (uint32_t)name_at;
    return true;
}

/* A value that stands in the source as it is gets its place there, any other one goes into the pool. */
static bool
take_value(struct reader *r, const xmlChar *begin, const xmlChar *end, struct xml_value *ret)
{
    const xmlParserInput *in = r->parser->input;
    view text = {(const char *)begin, (size_t)(end - begin)};
    *ret = (struct xml_value){.length = (uint32_t)text.n, .present = true};
    if (begin >= in->base && end <= in->cur) {
        size_t at = (size_t)xmlByteConsumed(r->parser) - (size_t)(in->cur - begin);
        if (view_eq(view_sub(r->list->source, at, text.n), text)) {
            ret->at = (uint32_t)at;
            return true;
        }
    }
    ret->pooled = true;
    return xml_pool_add(&r->list->pool, text, &ret->at);
}

static bool
take_attribute(struct reader *r, struct xml_element *e, const xmlChar *const *a)
{
    struct xml_value *slot = NULL;
    if (is_text(a[2], SCHEMA_NAMESPACE))
        return true;
    if (!a[2] && is_text(a[0], "value"))
        slot = &e->value;
    else if (!a[2] && is_text(a[0], "id"))
        slot = &e->id;
    else if (!a[2] && is_text(a[0], "url"))
        slot = &e->url;
    if (!slot) {
        refuse(r, E_ELEMENT_UNKNOWN, "the attributes value, id, url", "another attribute");
        return false;
    }
    if (!take_value(r, a[3], a[4], slot)) {
        refuse(r, E_TOO_LARGE, "", "");
        return false;
    }
    return true;
}

static struct xml_element *
open_element(struct reader *r, const xmlChar *name, const xmlChar *prefix)
{
    struct xml_list *list = r->list;
    uint32_t from, name_at;
    size_t length = strlen((const char *)name);
    long at = xmlByteConsumed(r->parser);
    if (at < 0 || length > UINT16_MAX || !find_tag(r, (size_t)at, prefix, name, &from, &name_at)) {
        refuse(r, E_XML_SYNTAX, "a start tag", "");
        return NULL;
    }
    if (list->n >= list->room) {
        refuse(r, E_TOO_LARGE, "", "");
        return NULL;
    }
    uint32_t self = list->n++;
    struct xml_element *e = &list->elements[self];
    *e = (struct xml_element){
        .from = from, .name = name_at, .name_length = (uint16_t)length, .parent = r->open};
    if (self > 0) {
        struct xml_element *parent = &list->elements[r->open];
        if (parent->children > 0)
            list->elements[parent->last].next = self;
        parent->last = self;
        parent->children++;
    }
    r->open = self;
    return e;
}

static bool
declares_default(int n, const xmlChar **namespaces)
{
    for (int i = 0; i < n; i++)
        if (!namespaces[(size_t)i * 2])
            return true;
    return false;
}

static void
on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
         const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    struct reader *r = self;
    (void)n_defaulted;
    if (r->failure != E_OK)
        return;
    if (r->div_depth > 0) {
        r->div_depth++;
        if (!is_text(uri, XHTML_NAMESPACE))
            refuse(r, E_ELEMENT_UNKNOWN, "XHTML inside the narrative", "another namespace");
        return;
    }
    struct xml_element *e = open_element(r, name, prefix);
    if (!e)
        return;
    if (is_text(uri, XHTML_NAMESPACE) && is_text(name, "div") && !prefix && r->list->n > 1) {
        e->is_div = true;
        r->div_depth = 1;
        r->div_declares = declares_default(n_namespaces, namespaces);
        return;
    }
    if (!is_text(uri, FHIR_NAMESPACE)) {
        refuse(r, r->list->n == 1 ? E_RESOURCE_TYPE : E_ELEMENT_UNKNOWN, "the namespace " FHIR_NAMESPACE,
               "another namespace");
        return;
    }
    for (int i = 0; i < n_attributes; i++)
        if (!take_attribute(r, e, &attributes[(size_t)i * 5]))
            return;
}

/* The div's text is its own bytes; when the namespace comes from further out, it is written into a copy. */
static void
close_div(struct reader *r, struct xml_element *e)
{
    static const view declaration = {" xmlns=\"" XHTML_NAMESPACE "\"",
                                     sizeof " xmlns=\"" XHTML_NAMESPACE "\"" - 1};
    view raw = view_sub(r->list->source, e->from, e->to - e->from);
    e->value = (struct xml_value){.at = e->from, .length = (uint32_t)raw.n, .present = true};
    if (r->div_declares)
        return;
    size_t head = sizeof "<div" - 1;
    uint32_t rest;
    e->value.pooled = true;
    e->value.length += (uint32_t)declaration.n;
    if (!xml_pool_add(&r->list->pool, view_sub(raw, 0, head), &e->value.at) ||
        !xml_pool_add(&r->list->pool, declaration, &rest) ||
        !xml_pool_add(&r->list->pool, view_sub(raw, head, raw.n), &rest))
        refuse(r, E_TOO_LARGE, "", "");
}

static void
on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = self;
    (void)name, (void)prefix, (void)uri;
    if (r->failure != E_OK || (r->div_depth > 0 && --r->div_depth > 0))
        return;
    long at = xmlByteConsumed(r->parser);
    struct xml_element *e = &r->list->elements[r->open];
    if (at < 0 || (size_t)at > r->list->source.n || (size_t)at <= e->from) {
        refuse(r, E_XML_SYNTAX, "an end tag", "");
        return;
    }
    e->to = (uint32_t)at;
    if (e->is_div)
        close_div(r, e);
    r->open = e->parent;
}

static void
on_text(void *self, const xmlChar *text, int length)
{
    struct reader *r = self;
    if (r->failure != E_OK || r->div_depth > 0)
        return;
    if (view_trim((view){(const char *)text, (size_t)length}).n > 0)
        refuse(r, E_ELEMENT_UNKNOWN, "no text between elements", "text");
}

static void
on_doctype(void *self, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    refuse(self, E_XML_DOCTYPE, "no document type declaration", "DOCTYPE");
}

static void
on_document(void *self)
{
    struct reader *r = self;
    /* libxml2 keeps the name of UTF-8 in the one place and that of others in the other. */
    const xmlChar *encoding = r->parser->encoding ? r->parser->encoding : r->parser->input->encoding;
    if (encoding && !view_eq_nocase(view_of((const char *)encoding), V("UTF-8")))
        refuse(r, E_UTF8, "encoding=\"UTF-8\"", "another encoding");
}

/* libxml2's messages quote the document, so only the place is taken over. */
static void
on_error(void *self, xmlErrorPtr error)
{
    struct reader *r = self;
    if (r->failure != E_OK || error->level < XML_ERR_ERROR)
        return;
    long at = xmlByteConsumed(r->parser);
    r->failure = fault_set(r->f, E_XML_SYNTAX, "", "well-formed XML", "");
    if (r->f && at >= 0) {
        fault_range(r->f, (size_t)at, 0);
        fault_locate(r->f, r->list->source);
    }
    xmlStopParser(r->parser);
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

static err
parse(struct reader *r)
{
    *r->parser->sax = handler;
    r->parser->userData = r;
    /* NOENT here only decodes &amp; in attributes: a DOCTYPE, the one source of other entities, ends the
     * reading. */
    xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    xmlParseDocument(r->parser);
    if (r->failure != E_OK)
        return r->failure;
    if (!r->parser->wellFormed || !r->parser->nsWellFormed || r->list->n == 0)
        return fault_set(r->f, E_XML_SYNTAX, "", "well-formed XML", "");
    return E_OK;
}

/* No more elements than this can follow. */
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
        return fault_set(f, E_TOO_LARGE, "", "at most 10 MiB", "");
    if (!text_is_utf8(bytes, &at)) {
        fault_set(f, E_UTF8, "", "UTF-8", "");
        fault_range(f, at, 1);
        return E_UTF8;
    }
    /* A NUL would make libxml2 take the text for UTF-16. */
    at = view_find_byte(bytes, 0);
    if (bytes.n > 0 && at == bytes.n)
        return E_OK;
    fault_set(f, E_XML_SYNTAX, "", "XML text", bytes.n ? "a NUL" : "nothing");
    fault_range(f, bytes.n ? at : 0, 0);
    return E_XML_SYNTAX;
}

err
xml_read_list(view bytes, arena *mem, struct xml_list *ret, struct fault *f)
{
    TRY(check_bytes(bytes, f));
    pthread_once(&once, xmlInitParser);
    struct xml_list list = {.source = bytes, .room = count_tags(bytes), .pool = {.mem = mem}};
    list.elements = arena_make_array(mem, (size_t)list.room + 1, struct xml_element);
    if (!list.elements)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    struct reader r = {.list = &list, .f = f};
    r.parser = xmlCreateMemoryParserCtxt(bytes.p, (int)bytes.n);
    if (!r.parser)
        return fault_set(f, E_XML_SYNTAX, "", "XML text", "");
    err e = parse(&r);
    xmlFreeParserCtxt(r.parser);
    if (e != E_OK)
        return e;
    *ret = list;
    return E_OK;
}
