#include "fhir/xml_read.h"

#include "base/xml.h"

#define FHIR_NAMESPACE "http://hl7.org/fhir"
#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"

struct reader {
    struct xml_parse xml;
    struct xml_list *list;
    uint32_t open;      /* the element that is open; n == 0: none yet */
    uint32_t div_depth; /* levels inside an XHTML div */
    bool div_declares;  /* the div declares its namespace itself */
};

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

/* At the open element, with its range, else where the parser is. */
static void
refuse(struct reader *r, err e, const char *expected, const char *found)
{
    if (r->xml.failure != E_OK)
        return;
    if (r->list->n == 0)
        xml_refuse(&r->xml, e, "", expected, found);
    else
        xml_stop(&r->xml, xml_fault(r->list, r->open, r->xml.f, e, expected, found));
}

/* A value that stands in the source as it is gets its place there, any other one goes into the pool. */
static bool
take_value(struct reader *r, const xmlChar *begin, const xmlChar *end, struct xml_value *ret)
{
    const xmlParserInput *in = r->xml.parser->input;
    view text = {(const char *)begin, (size_t)(end - begin)};
    *ret = (struct xml_value){.length = (uint32_t)text.n, .present = true};
    if (begin >= in->base && end <= in->cur) {
        size_t at = (size_t)xmlByteConsumed(r->xml.parser) - (size_t)(in->cur - begin);
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
    if (xml_is(a[2], XML_SCHEMA_INSTANCE))
        return true;
    if (!a[2] && xml_is(a[0], "value"))
        slot = &e->value;
    else if (!a[2] && xml_is(a[0], "id"))
        slot = &e->id;
    else if (!a[2] && xml_is(a[0], "url"))
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
    struct xml_tag tag;
    size_t length = strlen((const char *)name);
    if (length > UINT16_MAX || !xml_find_tag(&r->xml, prefix, name, &tag)) {
        refuse(r, E_XML_SYNTAX, "a start tag", "another form");
        return NULL;
    }
    if (list->n >= list->room) {
        refuse(r, E_TOO_LARGE, "", "");
        return NULL;
    }
    uint32_t self = list->n++;
    struct xml_element *e = &list->elements[self];
    *e = (struct xml_element){
        .from = tag.from, .name = tag.name, .name_length = (uint16_t)length, .parent = r->open};
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
    if (r->xml.failure != E_OK)
        return;
    if (r->div_depth > 0) {
        r->div_depth++;
        if (!xml_is(uri, XHTML_NAMESPACE))
            refuse(r, E_ELEMENT_UNKNOWN, "XHTML inside the narrative", "another namespace");
        return;
    }
    struct xml_element *e = open_element(r, name, prefix);
    if (!e)
        return;
    if (xml_is(uri, XHTML_NAMESPACE) && xml_is(name, "div") && !prefix && r->list->n > 1) {
        e->is_div = true;
        r->div_depth = 1;
        r->div_declares = declares_default(n_namespaces, namespaces);
        return;
    }
    if (!xml_is(uri, FHIR_NAMESPACE)) {
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
    if (r->xml.failure != E_OK || (r->div_depth > 0 && --r->div_depth > 0))
        return;
    struct xml_element *e = &r->list->elements[r->open];
    e->to = xml_element_end(&r->xml, e->from);
    if (e->to == 0) {
        refuse(r, E_XML_SYNTAX, "an end tag", "another form");
        return;
    }
    if (e->is_div)
        close_div(r, e);
    r->open = e->parent;
}

static void
on_text(void *self, const xmlChar *text, int length)
{
    struct reader *r = self;
    if (r->xml.failure != E_OK || r->div_depth > 0)
        return;
    if (view_trim((view){(const char *)text, (size_t)length}).n > 0)
        refuse(r, E_ELEMENT_UNKNOWN, "no text between elements", "text");
}

static const struct xml_events events = {on_start, on_end, on_text};

err
xml_read_list(view bytes, arena *mem, struct xml_list *ret, struct fault *f)
{
    TRY(xml_check_bytes(bytes, f));
    struct xml_list list = {.source = bytes, .room = xml_count_tags(bytes), .pool = {.mem = mem}};
    list.elements = arena_make_array(mem, (size_t)list.room + 1, struct xml_element);
    if (!list.elements)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    struct reader r = {.xml = {.source = bytes, .f = f}, .list = &list};
    TRY(xml_parse_run(&r.xml, &events));
    *ret = list;
    return E_OK;
}
