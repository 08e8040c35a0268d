#include "base/xml.h"

#include "base/text.h"

#include <libxml/parserInternals.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* -- bytes -- */

err
xml_check_bytes(view bytes, struct fault *f)
{
    size_t at;
    if (bytes.n > XML_INPUT_MAX)
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

uint32_t
xml_count_tags(view bytes)
{
    uint32_t n = 0;
    const char *end = bytes.p + bytes.n;
    for (const char *p = bytes.p; (p = memchr(p, '<', (size_t)(end - p))); p++)
        n += p + 1 < end && p[1] != '/' && p[1] != '!' && p[1] != '?';
    return n;
}

/* -- positions -- */

/* Where the last tag before byte at begins: no '<' can stand inside an attribute. */
static bool
find_open(const struct xml_parse *p, long at, size_t *ret)
{
    const char *tag = at >= 0 && (size_t)at <= p->source.n ? memrchr(p->source.p, '<', (size_t)at) : NULL;
    if (!tag)
        return false;
    *ret = (size_t)(tag - p->source.p);
    return true;
}

bool
xml_find_tag(const struct xml_parse *p, const xmlChar *prefix, const xmlChar *name, struct xml_tag *ret)
{
    long at = xmlByteConsumed(p->parser);
    size_t from, length = strlen((const char *)name);
    if (!find_open(p, at, &from))
        return false;
    size_t name_at = from + 1 + (prefix ? strlen((const char *)prefix) + 1 : 0);
    const char *close = memchr(p->source.p + at, '>', p->source.n - (size_t)at);
    if (!close || !view_eq(view_sub(p->source, name_at, length), view_make(name, length)))
        return false;
    *ret = (struct xml_tag){(uint32_t)from, (uint32_t)name_at, (uint32_t)(close - p->source.p) + 1};
    return true;
}

uint32_t
xml_element_end(const struct xml_parse *p, uint32_t from)
{
    long at = xmlByteConsumed(p->parser);
    return at < 0 || (size_t)at > p->source.n || (size_t)at <= from ? 0 : (uint32_t)at;
}

/* -- refusals -- */

void
xml_stop(struct xml_parse *p, err e)
{
    p->failure = e;
    xmlStopParser(p->parser);
}

static void
refuse_at(struct xml_parse *p, err e, const char *where, const char *expected, const char *found, long at)
{
    if (p->failure != E_OK)
        return;
    (void)fault_set(p->f, e, where, expected, found);
    if (p->f && at >= 0) {
        fault_range(p->f, (size_t)at, 0);
        fault_locate(p->f, p->source);
    }
    xml_stop(p, e);
}

void
xml_refuse(struct xml_parse *p, err e, const char *where, const char *expected, const char *found)
{
    refuse_at(p, e, where, expected, found, p->failure == E_OK ? xmlByteConsumed(p->parser) : -1);
}

static void
on_doctype(void *self, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    struct xml_parse *p = self;
    size_t from = 0;
    (void)name, (void)external_id, (void)system_id;
    (void)find_open(p, xmlByteConsumed(p->parser), &from);
    refuse_at(p, E_XML_DOCTYPE, "", "no document type declaration", "DOCTYPE", (long)from);
}

/* libxml2 keeps the declared encoding at the document when it is a Unicode form and at the input when it
 * converts. */
static void
on_document(void *self)
{
    struct xml_parse *p = self;
    const xmlChar *declared[] = {p->parser->encoding, p->parser->input ? p->parser->input->encoding : NULL};
    for (size_t i = 0; i < COUNT_OF(declared); i++)
        if (declared[i] && !view_eq_nocase(view_of((const char *)declared[i]), V("UTF-8")))
            xml_refuse(p, E_UTF8, "", "encoding=\"UTF-8\"", "another encoding");
}

/* libxml2's messages quote the document: its numbers become words of ours. */
static const struct {
    int code; /* xmlParserErrors */
    const char *found;
} faults[] = {
    {XML_ERR_TAG_NAME_MISMATCH, "an end tag of another name"},
    {XML_ERR_TAG_NOT_FINISHED, "an element without its end"},
    {XML_ERR_DOCUMENT_EMPTY, "no element"},
    {XML_ERR_DOCUMENT_END, "something behind the root"},
    {XML_ERR_GT_REQUIRED, "a tag without its end"},
    {XML_ERR_UNDECLARED_ENTITY, "an entity that is not declared"},
    {XML_WAR_UNDECLARED_ENTITY, "an entity that is not declared"},
    {XML_ERR_ENTITYREF_SEMICOL_MISSING, "an & without its ;"},
    {XML_ERR_NAME_REQUIRED, "no name"},
    {XML_ERR_INVALID_CHAR, "a character that XML forbids"},
    {XML_ERR_INVALID_CHARREF, "a character that XML forbids"},
    {XML_ERR_LT_IN_ATTRIBUTE, "a < in an attribute"},
    {XML_ERR_ATTRIBUTE_REDEFINED, "an attribute twice"},
    {XML_ERR_ATTRIBUTE_NOT_STARTED, "an attribute without quotes"},
    {XML_ERR_ATTRIBUTE_WITHOUT_VALUE, "an attribute without value"},
    {XML_ERR_MISPLACED_CDATA_END, "]]> in a text"},
    {XML_NS_ERR_UNDEFINED_NAMESPACE, "a prefix without namespace"},
};

static void
on_error(void *self, xmlErrorPtr error)
{
    const char *found = "another form";
    if (error->level < XML_ERR_ERROR)
        return;
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (faults[i].code == error->code)
            found = faults[i].found;
    err e = error->domain == XML_FROM_NAMESPACE ? E_XML_NAMESPACE : E_XML_SYNTAX;
    xml_refuse(self, e, "", "well-formed XML", found);
}

/* -- parsing -- */

err
xml_parse_run(struct xml_parse *p, const struct xml_events *events)
{
    (void)pthread_once(&once, xmlInitParser);
    p->parser = xmlCreateMemoryParserCtxt(p->source.p, (int)p->source.n);
    if (!p->parser)
        return fault_set(p->f, E_XML_SYNTAX, "", "XML text", "no memory");
    *p->parser->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .startDocument = on_document,
        .internalSubset = on_doctype,
        .startElementNs = events->start,
        .endElementNs = events->end,
        .characters = events->text,
        .ignorableWhitespace = events->text,
        .cdataBlock = events->text,
        .serror = on_error,
    };
    p->parser->userData = p;
    /* NOENT here only decodes &amp; and the like: a DOCTYPE, the one source of other entities, ends the
     * reading. */
    xmlCtxtUseOptions(p->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    xmlParseDocument(p->parser);
    if (p->failure == E_OK && (!p->parser->wellFormed || !p->parser->nsWellFormed))
        p->failure = fault_set(p->f, p->parser->wellFormed ? E_XML_NAMESPACE : E_XML_SYNTAX, "",
                               "well-formed XML", "another form");
    xmlFreeParserCtxt(p->parser);
    p->parser = NULL;
    return p->failure;
}
