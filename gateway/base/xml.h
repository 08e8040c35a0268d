/* What the readers of XML share: libxml2's SAX2 events over bytes that are UTF-8 and without a document type
 * declaration, byte positions, faults that name a place and never quote the document.
 *
 * A reader's own state begins with a struct xml_parse; libxml2 hands it to the reader's events.  What an
 * event refuses ends the parse; events that come after that must do nothing (failure tells).  Lives on
 * one thread, borrows the source. */
#ifndef BASE_XML_H
#define BASE_XML_H

#include "base/err.h"
#include "base/view.h"

#include <libxml/parser.h>
#include <stdint.h>

#define XML_INPUT_MAX (10u << 20)
#define XML_SCHEMA_INSTANCE "http://www.w3.org/2001/XMLSchema-instance"

struct xml_parse {
    xmlParserCtxt *parser;
    view source;
    struct fault *f;
    err failure;
};

struct xml_events {
    startElementNsSAX2Func start;
    endElementNsSAX2Func end;
    charactersSAXFunc text;
};

/* Before anything is allocated: E_TOO_LARGE above XML_INPUT_MAX, E_UTF8, E_XML_SYNTAX for nothing or a NUL. */
err xml_check_bytes(view bytes, struct fault *f) MUST_USE;
/* No more elements than this can follow. */
uint32_t xml_count_tags(view bytes);
/* Parses p->source, which xml_check_bytes let pass.  No network, no entities but the five, namespaces
 * well-formed.  p->failure of an event, else E_XML_SYNTAX, E_XML_NAMESPACE, E_XML_DOCTYPE, E_UTF8 (another encoding is
 * declared), with the byte position. */
err xml_parse_run(struct xml_parse *p, const struct xml_events *events) MUST_USE;
/* The first refusal counts and ends the parse; at the current position unless the fault has a range. */
void xml_refuse(struct xml_parse *p, err e, const char *where, const char *expected, const char *found);
void xml_stop(struct xml_parse *p, err e);

struct xml_tag {
    uint32_t from, name, content; /* where the tag, its local name and what follows it begin */
};

/* In a start event.  false: not to be found. */
bool xml_find_tag(const struct xml_parse *p, const xmlChar *prefix, const xmlChar *name, struct xml_tag *ret);
/* In an end event: the position behind the element that begins at from; 0: not to be found. */
uint32_t xml_element_end(const struct xml_parse *p, uint32_t from);

static inline bool
xml_is(const xmlChar *a, const char *b)
{
    return a && strcmp((const char *)a, b) == 0;
}

#endif
