#include "signing/xml/xmldsig_reference.h"

#include "signing/xml/xmldsig.h"
#include "signing/xml/xmldsig_profile.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>
#include <xmlsec/nodeset.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmltree.h>

#define WSU_NS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

/* ---- transforms ---- */

static xmlSecTransformCtx *
transforms_new(void)
{
    const xmlSecTransformId taken[] = {xmlSecTransformEnvelopedId,
                                       xmlSecTransformExclC14NId,
                                       xmlSecTransformExclC14NWithCommentsId,
                                       xmlSecTransformInclC14NId,
                                       xmlSecTransformInclC14NWithCommentsId,
                                       xmlSecTransformInclC14N11Id,
                                       xmlSecTransformInclC14N11WithCommentsId,
                                       xmlSecTransformBase64Id,
                                       xmlSecTransformXPathId,
                                       xmlSecTransformXPath2Id,
                                       xmlSecTransformXPointerId,
                                       xmlSecTransformRelationshipId};
    xmlSecTransformCtx *ctx = xmlSecTransformCtxCreate();
    if (!ctx)
        abort();
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        if (xmlSecPtrListAdd(&ctx->enabledTransforms, (void *)taken[i]) < 0)
            abort();
    ctx->flags |= XMLSEC_TRANSFORMCTX_FLAGS_USE_VISA3D_HACK;
    return ctx;
}

static err
result_take(xmlSecTransformCtx *ctx, int returned, arena *mem, view *ret, struct fault *f)
{
    if (returned < 0 || !ctx->result)
        return fault_set(f, E_SIGNATURE_FORM, "Reference", "octets that can be computed", "an error");
    view bytes = view_make(xmlSecBufferGetData(ctx->result), xmlSecBufferGetSize(ctx->result));
    view kept = arena_dup(mem, bytes.n ? bytes : V(""));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret = kept;
    return E_OK;
}

static xmlNode *
child_of(xmlNode *parent, const char *name)
{
    for (xmlNode *n = parent->children; n; n = n->next)
        if (xmldsig_is(n, name))
            return n;
    return NULL;
}

static err
octets_compute(xmlSecTransformCtx *ctx, xmlNode *reference, const xmlChar *uri,
               const struct xmldsig_outside *outside, arena *mem, view *ret, struct fault *f)
{
    bool inside = !*uri || *uri == '#';
    view bytes = VIEW_NONE;
    if (inside && xmlSecTransformCtxSetUri(ctx, uri, reference) < 0)
        return fault_set(f, E_SIGNATURE_PROFILE, "Reference", "a URI that is understood", "another");
    if (!inside && outside && outside->bytes)
        bytes = outside->bytes(outside->self, view_of((const char *)uri));
    if (!inside && !bytes.p)
        return fault_set(f, E_SIGNATURE_PROFILE, "Reference", "a URI inside of the document", "one outside");
    xmlNode *transforms = child_of(reference, "Transforms");
    if (transforms && xmlSecTransformCtxNodesListRead(ctx, transforms, xmlSecTransformUsageDSigTransform) < 0)
        return fault_set(f, E_SIGNATURE_PROFILE, "Transforms", "transforms that are known here", "another");
    int done = inside
                   ? xmlSecTransformCtxExecute(ctx, reference->doc)
                   : xmlSecTransformCtxBinaryExecute(ctx, (const xmlSecByte *)bytes.p, (xmlSecSize)bytes.n);
    return result_take(ctx, done, mem, ret, f);
}

err
xmldsig_reference_octets(xmlNode *reference, const struct xmldsig_outside *outside, arena *mem, view *ret,
                         struct fault *f)
{
    xmlChar *uri = xmlGetNoNsProp(reference, BAD_CAST "URI");
    if (!uri)
        return fault_set(f, E_SIGNATURE_PROFILE, "Reference", "a URI", "none");
    xmlSecTransformCtx *ctx = transforms_new();
    err e = octets_compute(ctx, reference, uri, outside, mem, ret, f);
    xmlSecTransformCtxDestroy(ctx);
    xmlFree(uri);
    return e;
}

err
xmldsig_canonical(xmlNode *method, xmlNode *element, arena *mem, view *ret, struct fault *f)
{
    xmlSecTransformCtx *ctx = transforms_new();
    err e = E_OK;
    /* The set belongs to us: the context only reads it. */
    xmlSecNodeSet *nodes = xmlSecNodeSetGetChildren(element->doc, element, 1, 0);
    if (!nodes)
        abort();
    if (!xmlSecTransformCtxNodeRead(ctx, method, xmlSecTransformUsageC14NMethod))
        e = fault_set(f, E_SIGNATURE_PROFILE, "CanonicalizationMethod", "a canonical form", "another");
    else
        e = result_take(ctx, xmlSecTransformCtxXmlExecute(ctx, nodes), mem, ret, f);
    xmlSecTransformCtxDestroy(ctx);
    xmlSecNodeSetDestroy(nodes);
    return e;
}

/* ---- ids ---- */

static bool
is_id(const xmlAttr *a)
{
    const char *name = (const char *)a->name;
    if (a->ns)
        return strcmp((const char *)a->ns->href, WSU_NS) == 0 && strcmp(name, "Id") == 0;
    return strcmp(name, "Id") == 0 || strcmp(name, "ID") == 0 || strcmp(name, "id") == 0 ||
           strcmp(name, "AssertionID") == 0;
}

static bool
ids_of(xmlDoc *doc, xmlNode *element)
{
    for (xmlAttr *a = element->properties; a; a = a->next) {
        if (!is_id(a) || !a->children || a->children->next || !a->children->content)
            continue;
        const xmlAttr *there = xmlGetID(doc, a->children->content);
        if (there == a)
            continue;
        if (there || !xmlAddID(NULL, doc, a->children->content, a))
            return false;
    }
    return true;
}

static xmlNode *
node_after(xmlNode *n, const xmlNode *root)
{
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n != root && !n->next)
        n = n->parent;
    return n == root ? NULL : n->next;
}

bool
xmldsig_ids_register(xmlDoc *doc)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    for (xmlNode *n = root; n; n = node_after(n, root))
        if (n->type == XML_ELEMENT_NODE && !ids_of(doc, n))
            return false;
    return true;
}

/* ---- files of the canonical form's own vectors ---- */

static err
file_read(const char *file, arena *mem, xmlDoc **ret, struct fault *f)
{
    const int options = XML_PARSE_DTDLOAD | XML_PARSE_DTDATTR | XML_PARSE_NOENT | XML_PARSE_NONET |
                        XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmldsig_start();
    /* The process has a loader that refuses every entity; it is put back at once.  Whoever judges vectors has one
     * thread. */
    xmlExternalEntityLoader refusing = xmlGetExternalEntityLoader();
    xmlSetExternalEntityLoader(xmlNoNetExternalEntityLoader);
    xmlDoc *doc = xmlReadFile(file, NULL, options);
    xmlSetExternalEntityLoader(refusing);
    if (!doc)
        return fault_set(f, E_XML_SYNTAX, file, "XML", "something else");
    *ret = doc;
    return arena_defer(mem, (arena_fn)xmlFreeDoc, doc) ? E_OK : E_TOO_LARGE;
}

/* <XPath xmlns:p="…">expression</XPath> over the document. */
static xmlXPathObject *
nodes_choose(xmlDoc *doc, view xpath, arena *mem)
{
    xmlDoc *query = xmlReadMemory(xpath.p, (int)xpath.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    if (!query || !arena_defer(mem, (arena_fn)xmlFreeDoc, query))
        return NULL;
    xmlNode *root = xmlDocGetRootElement(query);
    xmlXPathContext *ctx = xmlXPathNewContext(doc);
    xmlChar *expression = xmlNodeGetContent(root);
    for (xmlNs *ns = root->nsDef; ctx && ns; ns = ns->next)
        if (ns->prefix && xmlXPathRegisterNs(ctx, ns->prefix, ns->href) != 0)
            abort();
    xmlXPathObject *chosen = ctx && expression ? xmlXPathEvalExpression(expression, ctx) : NULL;
    xmlFree(expression);
    xmlXPathFreeContext(ctx);
    return chosen;
}

#define PREFIXES_MAX 32

/* Words of the text in place, the list ends with NULL. */
static xmlChar **
prefixes_split(view text, xmlChar *list[PREFIXES_MAX + 1], arena *mem)
{
    size_t n = 0;
    while (n < PREFIXES_MAX) {
        text = view_trim(text);
        size_t end = 0;
        while (end < text.n && !memchr(" \t\r\n", text.p[end], 4))
            end++;
        if (end == 0)
            break;
        list[n++] = BAD_CAST arena_cstr(mem, view_sub(text, 0, end));
        text = view_sub(text, end, text.n);
    }
    list[n] = NULL;
    return n ? list : NULL;
}

err
xml_c14n_file(const struct c14n_request *rq, arena *mem, view *ret, struct fault *f)
{
    static const int modes[] = {[C14N_INCLUSIVE] = XML_C14N_1_0,
                                [C14N_EXCLUSIVE] = XML_C14N_EXCLUSIVE_1_0,
                                [C14N_1_1] = XML_C14N_1_1};
    xmlDoc *doc;
    xmlXPathObject *chosen = NULL;
    xmlChar *out = NULL, *prefixes[PREFIXES_MAX + 1];
    TRY(file_read(rq->file, mem, &doc, f));
    if (rq->xpath.n > 0 && !(chosen = nodes_choose(doc, rq->xpath, mem)))
        return fault_set(f, E_XML_SYNTAX, "XPath", "an expression", "something else");
    int n = xmlC14NDocDumpMemory(doc, chosen ? chosen->nodesetval : NULL, modes[rq->mode],
                                 prefixes_split(rq->prefixes, prefixes, mem), rq->comments, &out);
    view kept = n >= 0 ? arena_dup(mem, view_make(out, (size_t)n)) : VIEW_NONE;
    xmlFree(out);
    xmlXPathFreeObject(chosen);
    if (!kept.p)
        return fault_set(f, E_XML_SYNTAX, rq->file, "a document with a canonical form", "another");
    *ret = kept;
    return E_OK;
}

static xmlNode *
signature_find(xmlDoc *doc)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    for (xmlNode *n = root; n; n = node_after(n, root))
        if (xmldsig_is(n, "Signature"))
            return n;
    return NULL;
}

err
xml_reference_octets(const char *file, size_t n, const struct xmldsig_outside *outside, arena *mem, view *ret,
                     struct fault *f)
{
    xmlDoc *doc;
    TRY(file_read(file, mem, &doc, f));
    xmlNode *signature = signature_find(doc), *info = signature ? child_of(signature, "SignedInfo") : NULL;
    if (!info || !xmldsig_ids_register(doc))
        return fault_set(f, E_SIGNATURE_MISSING, file, "a ds:Signature", "none");
    for (xmlNode *c = info->children; c; c = c->next)
        if (xmldsig_is(c, "Reference") && n-- == 0)
            return xmldsig_reference_octets(c, outside, mem, ret, f);
    return fault_set(f, E_SIGNATURE_FORM, file, "as many References", "fewer");
}
