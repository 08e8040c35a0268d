/* XML before the parser: bytes that it must never see. */
#include "signing/xml/xmldsig_profile.h"

#include "base/text.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

static err
refuse(struct fault *f, err e, size_t at, const char *expected, const char *found)
{
    if (f && f->code == E_OK) {
        fault_set(f, e, "", expected, found);
        fault_range(f, at, 1);
    }
    return e;
}

/* <?xml … encoding="…"?>: what is not UTF-8 by its own word is not read as UTF-8 either. */
static err
encoding_check(view declaration, struct fault *f)
{
    size_t at = view_find(declaration, V("encoding"));
    if (at == declaration.n)
        return E_OK;
    view rest = view_trim(view_sub(declaration, at + 8, declaration.n));
    rest = view_trim(view_starts(rest, V("=")) ? view_sub(rest, 1, rest.n) : rest);
    char quote = rest.n ? rest.p[0] : '"';
    rest = view_sub(rest, 1, rest.n);
    if (view_eq_nocase(view_cut(&rest, quote, NULL), V("UTF-8")))
        return E_OK;
    return refuse(f, E_UTF8, at, "encoding UTF-8", "another encoding in the XML declaration");
}

/* Position behind the end mark, or the length of xml. */
static size_t
skip_past(view xml, size_t from, view mark)
{
    view rest = view_sub(xml, from, xml.n);
    size_t at = view_find(rest, mark);
    return at == rest.n ? xml.n : from + at + mark.n;
}

/* Behind the end of a tag; the parser compares every attribute with every other, so their number is
 * bounded here. */
static err
tag_skip(view xml, size_t from, size_t *ret_end, size_t *nodes, struct fault *f)
{
    size_t attributes = 0, at = from;
    while (at < xml.n && xml.p[at] != '>') {
        char c = xml.p[at++];
        if (c == '"' || c == '\'')
            at = skip_past(xml, at, (view){&c, 1});
        else if (c == '=' && ++attributes > XMLDSIG_ATTRIBUTES_MAX)
            return refuse(f, E_TOO_LARGE, from, "at most 256 attributes on an element", "more");
    }
    *nodes += 1 + attributes;
    if (*nodes > XMLDSIG_NODES_MAX)
        return refuse(f, E_TOO_LARGE, from, "at most a million elements and attributes", "more");
    *ret_end = at;
    return E_OK;
}

/* From a '<' to behind what it opens. */
static err
markup_skip(view xml, size_t at, size_t *ret_end, size_t *nodes, struct fault *f)
{
    view rest = view_sub(xml, at, xml.n);
    if (view_starts(rest, V("<!--"))) {
        *ret_end = skip_past(xml, at + 4, V("-->"));
        return E_OK;
    }
    if (view_starts(rest, V("<![CDATA["))) {
        *ret_end = skip_past(xml, at + 9, V("]]>"));
        return E_OK;
    }
    if (view_starts(rest, V("<?"))) {
        size_t end = skip_past(xml, at + 2, V("?>"));
        *ret_end = end;
        return view_starts(rest, V("<?xml ")) ? encoding_check(view_sub(xml, at, end - at), f) : E_OK;
    }
    if (view_starts(rest, V("<!")))
        return refuse(f, E_XML_DOCTYPE, at, "no document type declaration", "one");
    return tag_skip(xml, at + 1, ret_end, nodes, f);
}

err
xmldsig_scan(view xml, struct fault *f)
{
    size_t bad = 0;
    if (xml.n > XMLDSIG_BYTES_MAX)
        return refuse(f, E_TOO_LARGE, 0, "at most 64 MiB", "more");
    if (view_starts(xml, V("\xef\xbb\xbf")))
        return refuse(f, E_BOM, 0, "no byte order mark", "one");
    if (!text_is_utf8(xml, &bad))
        return refuse(f, E_UTF8, bad, "UTF-8", "another byte");
    size_t at = 0, nodes = 0;
    while (at < xml.n) {
        const char *open = memchr(xml.p + at, '<', xml.n - at);
        if (!open)
            return E_OK;
        TRY(markup_skip(xml, (size_t)(open - xml.p), &at, &nodes, f));
    }
    return E_OK;
}

/* Second line behind the scan: no DTD is ever read, whatever the scan believed. */
static void
stop_at_dtd(void *self, const xmlChar *name, const xmlChar *external, const xmlChar *system_id)
{
    (void)name, (void)external, (void)system_id;
    xmlParserCtxt *ctxt = self;
    ctxt->_private = ctxt;
    xmlStopParser(ctxt);
}

static void
doc_free(void *doc)
{
    xmlFreeDoc(doc);
}

static err
syntax(const xmlParserCtxt *ctxt, struct fault *f)
{
    if (f && f->code == E_OK) {
        fault_set(f, E_XML_SYNTAX, "", "well-formed XML with namespaces", "something else");
        f->line = ctxt->lastError.line;
        f->column = ctxt->lastError.int2;
    }
    return E_XML_SYNTAX;
}

err
xmldsig_parse(view xml, arena *mem, xmlDoc **ret, struct fault *f)
{
    TRY(xmldsig_scan(xml, f));
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return E_TOO_LARGE;
    ctxt->sax->internalSubset = stop_at_dtd;
    ctxt->sax->externalSubset = stop_at_dtd;
    xmlDoc *doc = xmlCtxtReadMemory(ctxt, xml.p, (int)xml.n, NULL, "UTF-8",
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    bool dtd = ctxt->_private != NULL || (doc && (doc->intSubset || doc->extSubset));
    err e = E_OK;
    if (dtd)
        e = fault_set(f, E_XML_DOCTYPE, "", "no document type declaration", "one");
    else if (!doc || !ctxt->wellFormed || !ctxt->nsWellFormed || !xmlDocGetRootElement(doc))
        e = syntax(ctxt, f);
    xmlFreeParserCtxt(ctxt);
    if (e != E_OK) {
        xmlFreeDoc(doc);
        return e;
    }
    if (!arena_defer(mem, doc_free, doc))
        return E_TOO_LARGE;
    *ret = doc;
    return E_OK;
}
