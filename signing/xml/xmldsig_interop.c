#include "signing/xml/xmldsig_interop_key.h"

#include "signing/jose/jose.h"
#include "signing/xml/xmldsig.h"
#include "signing/xml/xmldsig_profile.h"
#include "signing/xml/xmldsig_reference.h"

#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE_2007 "http://www.w3.org/2007/05/xmldsig-more#"
#define REFERENCES_MAX 64

enum family { FAMILY_RSA, FAMILY_PSS, FAMILY_ECDSA };

static const struct method {
    const char *uri;
    enum family family;
    const char *md;
} methods[] = {
    {MORE "rsa-sha224", FAMILY_RSA, "SHA224"},           {MORE "rsa-sha256", FAMILY_RSA, "SHA256"},
    {MORE "rsa-sha384", FAMILY_RSA, "SHA384"},           {MORE "rsa-sha512", FAMILY_RSA, "SHA512"},
    {MORE_2007 "sha224-rsa-MGF1", FAMILY_PSS, "SHA224"}, {MORE_2007 "sha256-rsa-MGF1", FAMILY_PSS, "SHA256"},
    {MORE_2007 "sha384-rsa-MGF1", FAMILY_PSS, "SHA384"}, {MORE_2007 "sha512-rsa-MGF1", FAMILY_PSS, "SHA512"},
    {MORE "ecdsa-sha224", FAMILY_ECDSA, "SHA224"},       {MORE "ecdsa-sha256", FAMILY_ECDSA, "SHA256"},
    {MORE "ecdsa-sha384", FAMILY_ECDSA, "SHA384"},       {MORE "ecdsa-sha512", FAMILY_ECDSA, "SHA512"},
};

static const struct digest_method {
    const char *uri, *md;
} digests[] = {
    {MORE "sha224", "SHA224"},
    {"http://www.w3.org/2001/04/xmlenc#sha256", "SHA256"},
    {MORE "sha384", "SHA384"},
    {"http://www.w3.org/2001/04/xmlenc#sha512", "SHA512"},
};

struct verifying {
    const struct xmldsig_ring *ring;
    arena *mem;
    xmlDoc *doc;
    xmlNode *signature, *info, *method, *canonical;
    struct fault *f;
    struct xmldsig_finding *found;
};

static xmlNode *
child_of(xmlNode *parent, const char *name)
{
    for (xmlNode *n = parent->children; n; n = n->next)
        if (xmldsig_is(n, name))
            return n;
    return NULL;
}

static size_t
count_of(const xmlNode *parent, const char *name)
{
    size_t n = 0;
    for (const xmlNode *c = parent->children; c; c = c->next)
        n += xmldsig_is(c, name);
    return n;
}

static view
uri_of(const xmlNode *n, const char *name, arena *mem)
{
    xmlChar *text = xmlGetNoNsProp(n, BAD_CAST name);
    view kept = text ? arena_dup(mem, view_of((const char *)text)) : VIEW_NONE;
    xmlFree(text);
    return kept;
}

/* ---- the signature over SignedInfo ---- */

/* r and s of any length: some products cut leading zeros, some add them. */
static view
ecdsa_in_der(view raw, arena *mem)
{
    size_t half = raw.n / 2;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn((const unsigned char *)raw.p, (int)half, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)raw.p + half, (int)half, NULL);
    if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1)
        abort();
    unsigned char *der = NULL;
    int n = i2d_ECDSA_SIG(sig, &der);
    view kept = n > 0 ? arena_dup(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return kept;
}

static bool
pss_set(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool
signature_fits(EVP_PKEY *pkey, const struct method *m, view bytes, view signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    if (!ctx)
        abort();
    bool good = EVP_DigestVerifyInit_ex(ctx, &inner, m->md, NULL, NULL, pkey, NULL) == 1 &&
                (m->family != FAMILY_PSS || pss_set(inner)) &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)bytes.p, bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

static err
method_find(const xmlNode *n, arena *mem, const struct method **ret, struct fault *f)
{
    view uri = uri_of(n, "Algorithm", mem);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (!view_eq(uri, view_of(methods[i].uri)))
            continue;
        *ret = &methods[i];
        return E_OK;
    }
    return xmldsig_algorithm_fault(n, uri.p, f);
}

static err
signature_check(const struct verifying *v, const struct method *m)
{
    EVP_PKEY *pkey = NULL;
    view bytes, value;
    xmlNode *carried = child_of(v->signature, "SignatureValue");
    if (!carried)
        return fault_set(v->f, E_SIGNATURE_FORM, "SignatureValue", "one", "none");
    TRY(xmldsig_base64(carried, v->mem, &value, v->f));
    TRY(xmldsig_canonical(v->canonical, v->info, v->mem, &bytes, v->f));
    TRY(interop_key_find(child_of(v->signature, "KeyInfo"), v->ring, v->mem, &pkey, v->f));
    bool ecdsa = EVP_PKEY_is_a(pkey, "EC"), kind = ecdsa == (m->family == FAMILY_ECDSA);
    if (kind && ecdsa && !v->ring->ecdsa_in_der)
        value = ecdsa_in_der(value, v->mem);
    bool good = kind && value.p && signature_fits(pkey, m, bytes, value);
    EVP_PKEY_free(pkey);
    if (!kind)
        return fault_set(v->f, E_ALGORITHM, "SignatureMethod", "an algorithm of the key", "another");
    return good ? E_OK
                : fault_set(v->f, E_SIGNATURE_MISMATCH, "SignatureValue", "a signature over SignedInfo",
                            "another");
}

/* ---- references ---- */

static err
digest_find(const xmlNode *n, arena *mem, const char **ret, struct fault *f)
{
    view uri = uri_of(n, "Algorithm", mem);
    for (size_t i = 0; i < COUNT_OF(digests); i++) {
        if (!view_eq(uri, view_of(digests[i].uri)))
            continue;
        *ret = digests[i].md;
        return E_OK;
    }
    return xmldsig_algorithm_fault(n, uri.p, f);
}

/* Nothing is left out but the signature: enveloped and canonical forms only, no XPath, and the whole or the root. */
static bool
is_on_root(const struct verifying *v, xmlNode *reference)
{
    static const view leaves_whole[] = {
        V_INIT(XMLDSIG_NS "enveloped-signature"), V_INIT("http://www.w3.org/2001/10/xml-exc-c14n#"),
        V_INIT("http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
        V_INIT("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        V_INIT("http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments")};
    view uri = uri_of(reference, "URI", v->mem);
    xmlNode *transforms = child_of(reference, "Transforms"), *root = xmlDocGetRootElement(v->doc);
    for (xmlNode *t = transforms ? transforms->children : NULL; t; t = t->next) {
        if (t->type != XML_ELEMENT_NODE)
            continue;
        view algorithm = uri_of(t, "Algorithm", v->mem);
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(leaves_whole); i++)
            known |= view_eq(algorithm, leaves_whole[i]);
        if (!known)
            return false;
    }
    if (uri.p && uri.n == 0)
        return true;
    const xmlAttr *id = uri.n > 1 && uri.p[0] == '#' ? xmlGetID(v->doc, BAD_CAST(uri.p + 1)) : NULL;
    return id && id->parent == root;
}

static err
reference_check(const struct verifying *v, xmlNode *reference)
{
    xmlNode *method = child_of(reference, "DigestMethod"), *carried = child_of(reference, "DigestValue");
    const char *md;
    view octets, value;
    if (!method || !carried || count_of(reference, "DigestValue") != 1)
        return fault_set(v->f, E_SIGNATURE_FORM, "Reference", "DigestMethod and DigestValue",
                         "another number");
    TRY(digest_find(method, v->mem, &md, v->f));
    TRY(xmldsig_base64(carried, v->mem, &value, v->f));
    TRY(xmldsig_reference_octets(reference, &v->ring->outside, v->mem, &octets, v->f));
    uint8_t out[EVP_MAX_MD_SIZE];
    size_t n = 0;
    if (EVP_Q_digest(NULL, md, NULL, octets.p, octets.n, out, &n) != 1)
        abort();
    if (!view_eq(view_make(out, n), value))
        return fault_set(v->f, E_DIGEST_MISMATCH, "DigestValue", "the digest of what is referred to",
                         "another");
    v->found->root_signed |= is_on_root(v, reference);
    return E_OK;
}

static err
references_check(const struct verifying *v)
{
    size_t n = 0;
    for (xmlNode *c = v->info->children; c; c = c->next) {
        if (!xmldsig_is(c, "Reference"))
            continue;
        if (++n > REFERENCES_MAX)
            return fault_set(v->f, E_SIGNATURE_PROFILE, "SignedInfo", "at most 64 References", "more");
        TRY(reference_check(v, c));
    }
    return n ? E_OK : fault_set(v->f, E_SIGNATURE_FORM, "SignedInfo", "a Reference", "none");
}

/* ---- the document ---- */

static xmlNode *
node_after(xmlNode *n, const xmlNode *root)
{
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n != root && !n->next)
        n = n->parent;
    return n == root ? NULL : n->next;
}

/* The root's own signature, else the first. */
static xmlNode *
signature_choose(xmlDoc *doc, size_t *ret_n)
{
    xmlNode *root = xmlDocGetRootElement(doc), *first = NULL, *own = NULL;
    for (xmlNode *n = root; n; n = node_after(n, root)) {
        if (n->type != XML_ELEMENT_NODE || !xmldsig_is(n, "Signature"))
            continue;
        (*ret_n)++;
        first = first ? first : n;
        own = !own && n->parent == root ? n : own;
    }
    return own ? own : first;
}

static err
structure_read(struct verifying *v, bool single)
{
    size_t n = 0;
    v->signature = signature_choose(v->doc, &n);
    if (!v->signature)
        return fault_set(v->f, E_SIGNATURE_MISSING, "", "ds:Signature", "none");
    if (single && n != 1)
        return fault_set(v->f, E_SIGNATURE_PROFILE, "Signature", "one signature", "several");
    v->info = child_of(v->signature, "SignedInfo");
    if (!v->info || count_of(v->signature, "SignedInfo") != 1 ||
        count_of(v->signature, "SignatureValue") != 1)
        return fault_set(v->f, E_SIGNATURE_FORM, "Signature", "one SignedInfo and one SignatureValue",
                         "another number");
    v->canonical = child_of(v->info, "CanonicalizationMethod");
    v->method = child_of(v->info, "SignatureMethod");
    if (!v->canonical || !v->method)
        return fault_set(v->f, E_SIGNATURE_FORM, "SignedInfo", "its methods", "none");
    return E_OK;
}

err
xmldsig_verify_interop(view xml, const struct xmldsig_ring *ring, bool single, arena *mem,
                       struct xmldsig_finding *ret, struct fault *f)
{
    struct verifying v = {.ring = ring, .mem = mem, .f = f, .found = ret};
    const struct method *method;
    *ret = (struct xmldsig_finding){0};
    xmldsig_start();
    TRY(xmldsig_parse(xml, mem, &v.doc, f));
    TRY(structure_read(&v, single));
    TRY(method_find(v.method, mem, &method, f));
    if (!xmldsig_ids_register(v.doc))
        return fault_set(f, E_SIGNATURE_PROFILE, "", "ids that stand once",
                         "an id that several elements have");
    TRY(references_check(&v));
    return signature_check(&v, method);
}
