/* The signature's structure, element by element, against the profile. */
#include "signing/xml/xmldsig_profile.h"

#include "base/text.h"

#define EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define C14N "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define ENVELOPED XMLDSIG_NS "enveloped-signature"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define CHILDREN_MAX 8
#define BLANK " \t\r\n"

struct algorithm {
    const char *uri;
    size_t value; /* method, or bytes of the digest */
};

static const struct algorithm methods[] = {
    {MORE "rsa-sha256", XMLDSIG_RSA_SHA256},     {MORE "rsa-sha384", XMLDSIG_RSA_SHA384},
    {MORE "rsa-sha512", XMLDSIG_RSA_SHA512},     {MORE "ecdsa-sha256", XMLDSIG_ECDSA_SHA256},
    {MORE "ecdsa-sha384", XMLDSIG_ECDSA_SHA384}, {MORE "ecdsa-sha512", XMLDSIG_ECDSA_SHA512},
};

static const struct algorithm digests[] = {
    {"http://www.w3.org/2001/04/xmlenc#sha256", 32},
    {MORE "sha384", 48},
    {"http://www.w3.org/2001/04/xmlenc#sha512", 64},
};

/* Known by name, so that the sender learns that his digest is too old. */
static const char *const weak[] = {
    XMLDSIG_NS "sha1", XMLDSIG_NS "rsa-sha1", XMLDSIG_NS "dsa-sha1", MORE "ecdsa-sha1",
    MORE "md5",        MORE "rsa-md5",
};

static err
refuse(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_SIGNATURE_PROFILE, where, expected, found);
}

bool
xmldsig_is(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && n->ns->href &&
           strcmp((const char *)n->ns->href, XMLDSIG_NS) == 0 && strcmp((const char *)n->name, name) == 0;
}

static bool
is_blank(const char *text)
{
    return text[strspn(text, BLANK)] == '\0';
}

/* One text node or none; NULL when there is anything else (a comment inside a value is how digests were
 * forged elsewhere). */
static const char *
only_text(const xmlNode *children)
{
    if (!children)
        return "";
    if (children->next || children->type != XML_TEXT_NODE || !children->content)
        return NULL;
    return (const char *)children->content;
}

/* NULL when absent. */
static const char *
attribute(const xmlNode *n, const char *name)
{
    const xmlAttr *a = xmlHasNsProp(n, (const xmlChar *)name, NULL);
    return a && a->type == XML_ATTRIBUTE_NODE ? only_text(a->children) : NULL;
}

static xmlNode *
first_element(xmlNode *n)
{
    while (n && n->type != XML_ELEMENT_NODE)
        n = n->next;
    return n;
}

/* Child elements in order; white space and comments may stand between, nothing else. */
static err
children_get(xmlNode *parent, xmlNode *ret[CHILDREN_MAX], size_t *ret_n, struct fault *f)
{
    size_t n = 0;
    for (xmlNode *c = parent->children; c; c = c->next) {
        bool nothing =
            c->type == XML_COMMENT_NODE || (c->type == XML_TEXT_NODE && is_blank((const char *)c->content));
        if (nothing)
            continue;
        if (c->type != XML_ELEMENT_NODE || n == CHILDREN_MAX)
            return refuse(f, (const char *)parent->name, "the elements of the profile", "something else");
        ret[n++] = c;
    }
    *ret_n = n;
    return E_OK;
}

/* Exactly the children named, in order; the list ends with NULL. */
static err
children_expect(xmlNode *parent, const char *const *names, xmlNode *ret[CHILDREN_MAX], struct fault *f)
{
    size_t n = 0, i = 0;
    TRY(children_get(parent, ret, &n, f));
    for (; names[i]; i++)
        if (i >= n || !xmldsig_is(ret[i], names[i]))
            return refuse(f, (const char *)parent->name, names[i], i < n ? "another element" : "nothing");
    if (i != n)
        return refuse(f, (const char *)parent->name, "no more elements", "one more");
    return E_OK;
}

err
xmldsig_algorithm_fault(const xmlNode *n, const char *uri, struct fault *f)
{
    for (size_t i = 0; uri && i < COUNT_OF(weak); i++)
        if (strcmp(uri, weak[i]) == 0)
            return fault_set(f, E_WEAK_DIGEST, (const char *)n->name, "SHA-256, SHA-384 or SHA-512",
                             "SHA-1 or MD5");
    return fault_set(f, E_ALGORITHM, (const char *)n->name, "RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
                     "another algorithm");
}

static err
algorithm_find(const xmlNode *n, const struct algorithm *list, size_t n_list, size_t *ret, struct fault *f)
{
    const char *uri = attribute(n, "Algorithm");
    for (size_t i = 0; uri && i < n_list; i++) {
        if (strcmp(uri, list[i].uri) == 0) {
            *ret = list[i].value;
            /* No parameter belongs to these (HMACOutputLength once cut signatures to nothing). */
            return first_element(n->children) ? refuse(f, (const char *)n->name, "no parameters", "some")
                                              : E_OK;
        }
    }
    return xmldsig_algorithm_fault(n, uri, f);
}

/* The prefixes that an exclusive form is to treat as inclusive; each is looked up at every element. */
static err
prefixes_check(const xmlNode *child, struct fault *f)
{
    bool named = child->ns && strcmp((const char *)child->ns->href, EXC_C14N) == 0 &&
                 strcmp((const char *)child->name, "InclusiveNamespaces") == 0;
    const char *list = attribute(child, "PrefixList");
    if (!named || !list || first_element(child->next))
        return refuse(f, (const char *)child->name, "InclusiveNamespaces with a PrefixList",
                      "something else");
    size_t n = 0;
    for (list += strspn(list, BLANK); *list; list += strspn(list, BLANK)) {
        list += strcspn(list, BLANK);
        n++;
    }
    return n <= XMLDSIG_PREFIXES_MAX ? E_OK : refuse(f, "PrefixList", "at most 16 prefixes", "more");
}

/* Canonical form 1.0, exclusive or inclusive, without comments; the exclusive one may name prefixes. */
static err
c14n_check(const xmlNode *n, struct fault *f)
{
    const char *uri = attribute(n, "Algorithm");
    bool exclusive = uri && strcmp(uri, EXC_C14N) == 0;
    if (!exclusive && !(uri && strcmp(uri, C14N) == 0))
        return refuse(f, (const char *)n->name, "C14N 1.0, exclusive or inclusive, without comments",
                      "another transform");
    const xmlNode *child = first_element(n->children);
    if (!child)
        return E_OK;
    return exclusive ? prefixes_check(child, f) : refuse(f, (const char *)n->name, "no parameters", "some");
}

/* Base64 of an XML text: white space is allowed there, nothing else beyond the strict form. */
err
xmldsig_base64(const xmlNode *n, arena *mem, view *ret, struct fault *f)
{
    const char *text = only_text(n->children);
    if (!text)
        return refuse(f, (const char *)n->name, "text only", "something else");
    size_t length = strlen(text), kept = 0;
    char *packed = arena_alloc(mem, length + 1);
    if (!packed)
        return E_TOO_LARGE;
    for (size_t i = 0; i < length; i++)
        if (!strchr(BLANK, text[i]))
            packed[kept++] = text[i];
    if (!kept || text_base64_decode(view_make(packed, kept), mem, ret) != E_OK)
        return fault_set(f, E_SIGNATURE_FORM, (const char *)n->name, "base64", "something else");
    return E_OK;
}

/* enveloping: optional c14n. enveloped: the enveloped transform first, then an optional c14n. */
static err
transforms_check(xmlNode *transforms, bool enveloping, struct fault *f)
{
    xmlNode *list[CHILDREN_MAX];
    size_t n = 0, at = 0;
    if (transforms)
        TRY(children_get(transforms, list, &n, f));
    for (size_t i = 0; i < n; i++)
        if (!xmldsig_is(list[i], "Transform"))
            return refuse(f, "Transforms", "Transform", "another element");
    if (!enveloping) {
        const char *uri = n ? attribute(list[0], "Algorithm") : NULL;
        if (!uri || strcmp(uri, ENVELOPED) != 0 || first_element(list[0]->children))
            return refuse(f, "Transforms", "the enveloped-signature transform first", "another or none");
        at = 1;
    }
    if (at < n)
        TRY(c14n_check(list[at++], f));
    return at == n ? E_OK : refuse(f, "Transforms", "no transforms beside the profile's", "one more");
}

/* Letters, digits, '_', '-', '.', not beginning with a digit, '-' or '.': an id never reaches an XPath
 * expression with quotes in it. */
static bool
is_plain_id(const char *id)
{
    if (!((*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z') || *id == '_'))
        return false;
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == '\0';
}

/* An attribute that someone could take for an id: Id, ID, id, xml:id. */
static bool
is_id_name(const xmlAttr *a)
{
    const char *name = (const char *)a->name;
    return strcmp(name, "Id") == 0 || strcmp(name, "ID") == 0 || strcmp(name, "id") == 0;
}

struct census {
    const char *id; /* looked for, or NULL */
    xmlAttr *holder;
    size_t holders, signatures;
    uint64_t depth, in_scope, cost;
};

static uint64_t
namespaces_of(const xmlNode *n)
{
    uint64_t count = 0;
    for (const xmlNs *ns = n->nsDef; ns; ns = ns->next)
        count++;
    return count;
}

/* What the canonical form will take here: every node asks its ancestors whether it stands in the
 * signature, every namespace in scope is looked up and compared with those already written, attributes are
 * sorted by insertion. */
static void
census_cost(struct census *c, uint64_t attributes)
{
    c->cost += 16 * (2 + attributes) * c->depth;
    c->cost += (c->in_scope + XMLDSIG_PREFIXES_MAX / 4) * (c->depth + 2 * c->in_scope);
    c->cost += attributes * attributes;
}

static void
census_enter(struct census *c, xmlNode *n)
{
    uint64_t attributes = 0;
    c->depth++;
    c->in_scope += namespaces_of(n);
    c->signatures += xmldsig_is(n, "Signature");
    for (xmlAttr *a = n->properties; a; a = a->next) {
        const char *value = c->id && is_id_name(a) ? only_text(a->children) : NULL;
        attributes++;
        if (value && strcmp(value, c->id) == 0) {
            c->holder = a;
            c->holders++;
        }
    }
    census_cost(c, attributes);
}

static void
census_leave(struct census *c, const xmlNode *n)
{
    c->depth--;
    c->in_scope -= namespaces_of(n);
}

/* Every element of the document, without recursion. */
static void
census_take(struct census *c, xmlNode *root)
{
    xmlNode *n = root;
    while (n) {
        if (n->type == XML_ELEMENT_NODE) {
            census_enter(c, n);
            if (n->children) {
                n = n->children;
                continue;
            }
            census_leave(c, n);
        }
        while (n != root && !n->next) {
            n = n->parent;
            census_leave(c, n);
        }
        n = n == root ? NULL : n->next;
    }
}

/* The reference names the whole: "" (enveloped only), or the id that only the signed element has. */
static err
target_check(xmlNode *reference, struct xmldsig_plan *plan, struct fault *f)
{
    xmlNode *root = xmlDocGetRootElement(plan->doc), *target = plan->object ? plan->object : root;
    const char *uri = attribute(reference, "URI");
    struct census c = {0};
    if (!uri || (*uri && !(*uri == '#' && is_plain_id(uri + 1))))
        return refuse(f, "Reference", "URI \"\" or \"#id\"", "another URI or none");
    if (!*uri && plan->object)
        return refuse(f, "Reference", "the id of the Object", "URI \"\"");
    c.id = *uri ? uri + 1 : NULL;
    census_take(&c, root);
    if (c.signatures != 1)
        return refuse(f, "Signature", "one signature", "several");
    if (c.cost > XMLDSIG_COST_MAX)
        return fault_set(f, E_TOO_LARGE, "", "a document whose canonical form takes two seconds at most",
                         "too many elements with too many namespaces, attributes or ancestors");
    if (!c.id)
        return E_OK;
    if (c.holders != 1)
        return refuse(f, "Reference", "an id that one element has",
                      c.holders ? "an id that several elements have" : "an id that none has");
    if (c.holder->parent != target || c.holder->ns)
        return refuse(f, "Reference", plan->object ? "the id of the Object" : "the id of the root",
                      "the id of another element");
    plan->id = c.holder;
    return E_OK;
}

static err
digest_check(xmlNode *method, xmlNode *value, arena *mem, struct fault *f)
{
    size_t length = 0;
    view bytes;
    TRY(algorithm_find(method, digests, COUNT_OF(digests), &length, f));
    TRY(xmldsig_base64(value, mem, &bytes, f));
    if (bytes.n != length)
        return fault_set(f, E_SIGNATURE_FORM, "DigestValue", "as many bytes as the digest has",
                         "another number");
    return E_OK;
}

static err
reference_read(xmlNode *reference, struct xmldsig_plan *plan, arena *mem, struct fault *f)
{
    static const char *const with[] = {"Transforms", "DigestMethod", "DigestValue", NULL};
    static const char *const without[] = {"DigestMethod", "DigestValue", NULL};
    xmlNode *c[CHILDREN_MAX];
    xmlNode *first = first_element(reference->children);
    bool has = first && xmldsig_is(first, "Transforms");
    TRY(children_expect(reference, has ? with : without, c, f));
    TRY(transforms_check(has ? c[0] : NULL, plan->object != NULL, f));
    TRY(digest_check(c[has ? 1 : 0], c[has ? 2 : 1], mem, f));
    return target_check(reference, plan, f);
}

static err
signed_info_read(xmlNode *info, struct xmldsig_plan *plan, arena *mem, struct fault *f)
{
    static const char *const names[] = {"CanonicalizationMethod", "SignatureMethod", "Reference", NULL};
    xmlNode *c[CHILDREN_MAX];
    size_t method = 0;
    TRY(children_expect(info, names, c, f));
    TRY(c14n_check(c[0], f));
    TRY(algorithm_find(c[1], methods, COUNT_OF(methods), &method, f));
    plan->method = (enum xmldsig_method)method;
    return reference_read(c[2], plan, mem, f);
}

/* Only certificates are taken; a key's value or name in the message gives no trust and is not looked at. */
static err
key_info_read(xmlNode *info, struct xmldsig_plan *plan, arena *mem, struct fault *f)
{
    for (xmlNode *data = info->children; data; data = data->next) {
        if (!xmldsig_is(data, "X509Data"))
            continue;
        for (xmlNode *c = data->children; c; c = c->next) {
            if (!xmldsig_is(c, "X509Certificate"))
                continue;
            if (plan->n_certificates == XMLDSIG_CERTIFICATES_MAX)
                return refuse(f, "X509Data", "at most 5 certificates", "more");
            TRY(xmldsig_base64(c, mem, &plan->certificates[plan->n_certificates], f));
            plan->n_certificates++;
        }
    }
    if (!plan->n_certificates)
        return refuse(f, "KeyInfo", "X509Data with the signer's certificate",
                      "none; a bare key is not trusted");
    return E_OK;
}

/* One element inside the object, white space and comments around it. */
static err
payload_find(struct xmldsig_plan *plan, struct fault *f)
{
    xmlNode *c[CHILDREN_MAX];
    size_t n = 0;
    TRY(children_get(plan->object, c, &n, f));
    if (n != 1)
        return refuse(f, "Object", "one element", n ? "several" : "none");
    plan->payload = c[0];
    return E_OK;
}

xmlNode *
xmldsig_find(xmlDoc *doc)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    if (!root || xmldsig_is(root, "Signature"))
        return root;
    for (xmlNode *n = root->children; n; n = n->next)
        if (xmldsig_is(n, "Signature"))
            return n;
    return NULL;
}

err
xmldsig_plan_read(xmlDoc *doc, arena *mem, struct xmldsig_plan *ret, struct fault *f)
{
    static const char *const enveloped[] = {"SignedInfo", "SignatureValue", "KeyInfo", NULL};
    static const char *const enveloping[] = {"SignedInfo", "SignatureValue", "KeyInfo", "Object", NULL};
    struct xmldsig_plan plan = {.doc = doc, .payload = xmlDocGetRootElement(doc)};
    xmlNode *c[CHILDREN_MAX];
    view value;
    plan.signature = xmldsig_find(doc);
    if (!plan.signature) {
        struct census all = {0};
        census_take(&all, plan.payload);
        return all.signatures
                   ? refuse(f, "Signature", "a child of the root, or the root", "a signature elsewhere")
                   : fault_set(f, E_SIGNATURE_MISSING, "", "ds:Signature in the root, or as root", "none");
    }
    bool is_root = plan.signature == plan.payload;
    TRY(children_expect(plan.signature, is_root ? enveloping : enveloped, c, f));
    if (is_root) {
        plan.object = c[3];
        TRY(payload_find(&plan, f));
    }
    TRY(signed_info_read(c[0], &plan, mem, f));
    TRY(xmldsig_base64(c[1], mem, &value, f));
    TRY(key_info_read(c[2], &plan, mem, f));
    *ret = plan;
    return E_OK;
}
