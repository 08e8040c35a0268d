#include "signing/xml/xmldsig_interop_key.h"

#include "signing/jose/jose.h"
#include "signing/xml/xmldsig_interop_chain.h"
#include "signing/xml/xmldsig_profile.h"

#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

#define DEPTH_MAX 3 /* a RetrievalMethod to a RetrievalMethod goes on no further */

struct search {
    const struct xmldsig_ring *ring;
    arena *mem;
    EVP_PKEY *found;
    err why; /* of what was named and could not be taken */
    struct fault *f;
};

static void
miss(struct search *s, err e, const char *where, const char *expected, const char *found)
{
    if (s->why == E_OK)
        s->why = fault_set(s->f, e, where, expected, found);
}

/* ---- small readers ---- */

static bool
is_kind(const struct search *s, const char *kind)
{
    view rest = s->ring->kinds;
    if (rest.n == 0)
        return true;
    while (rest.n > 0)
        if (view_eq(view_trim(view_cut(&rest, ',', NULL)), view_of(kind)))
            return true;
    return false;
}

static bool
is_named(const xmlNode *n, const char *ns, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && strcmp((const char *)n->ns->href, ns) == 0 &&
           strcmp((const char *)n->name, name) == 0;
}

static xmlNode *
child(xmlNode *parent, const char *ns, const char *name)
{
    for (xmlNode *n = parent->children; n; n = n->next)
        if (is_named(n, ns, name))
            return n;
    return NULL;
}

static view
text_of(const struct search *s, xmlNode *n)
{
    xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
    view kept = text ? arena_dup(s->mem, view_trim(view_of((const char *)text))) : VIEW_NONE;
    xmlFree(text);
    return kept;
}

static view
bytes_of(const struct search *s, xmlNode *n)
{
    view text = text_of(s, n), bytes = VIEW_NONE;
    char *packed = arena_alloc(s->mem, text.n + 1);
    size_t kept = 0;
    for (size_t i = 0; packed && i < text.n; i++)
        if (!memchr(" \t\r\n", text.p[i], 4))
            packed[kept++] = text.p[i];
    return packed && kept && text_base64_decode(view_make(packed, kept), s->mem, &bytes) == E_OK ? bytes
                                                                                                 : VIEW_NONE;
}

static view
attribute_of(const struct search *s, xmlNode *n, const char *name)
{
    xmlChar *text = xmlGetNoNsProp(n, BAD_CAST name);
    view kept = text ? arena_dup(s->mem, view_of((const char *)text)) : VIEW_NONE;
    xmlFree(text);
    return kept;
}

/* ---- keys by value ---- */

static EVP_PKEY *
pkey_make(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0)
        abort();
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static EVP_PKEY *
rsa_value(const struct search *s, xmlNode *value)
{
    view n = bytes_of(s, child(value, XMLDSIG_NS, "Modulus")),
         e = bytes_of(s, child(value, XMLDSIG_NS, "Exponent"));
    if (!n.n || !e.n || n.n > JOSE_SIGNATURE_MAX + 1 || e.n > 16)
        return NULL;
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!modulus || !exponent || !build || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) ||
        !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        abort();
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = pkey_make("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

static EVP_PKEY *
ec_value(const struct search *s, xmlNode *value)
{
    xmlNode *curve = child(value, XMLDSIG11_NS, "NamedCurve");
    view point = bytes_of(s, child(value, XMLDSIG11_NS, "PublicKey"));
    view uri = curve ? attribute_of(s, curve, "URI") : VIEW_NONE;
    if (!view_starts(uri, V("urn:oid:")) || !point.n)
        return NULL;
    int nid = OBJ_txt2nid(uri.p + 8);
    if (nid == NID_undef)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)OBJ_nid2sn(nid), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point.p, point.n),
        OSSL_PARAM_construct_end(),
    };
    return pkey_make("EC", params);
}

static void
take_value(struct search *s, xmlNode *value)
{
    if (is_named(value, XMLDSIG_NS, "RSAKeyValue") && is_kind(s, "rsa"))
        s->found = rsa_value(s, value);
    else if (is_named(value, XMLDSIG11_NS, "ECKeyValue") && is_kind(s, "ec"))
        s->found = ec_value(s, value);
    else if (is_named(value, XMLDSIG_NS, "DSAKeyValue"))
        miss(s, E_ALGORITHM, "KeyValue", "RSA or an elliptic curve", "DSA");
    else if (value->type == XML_ELEMENT_NODE)
        miss(s, E_SIGNER_UNKNOWN, "KeyValue", "a kind of key that is allowed", "another");
}

static EVP_PKEY *
pkey_of_bytes(view bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    X509 *x = interop_certificate(bytes);
    EVP_PKEY *pkey = x ? X509_get_pubkey(x) : d2i_PUBKEY(NULL, &p, (long)bytes.n);
    X509_free(x);
    if (!pkey && view_starts(bytes, V("-----BEGIN "))) {
        BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
        pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
        BIO_free(in);
    }
    ERR_clear_error();
    return pkey;
}

static void
take_name(struct search *s, xmlNode *name)
{
    view text = text_of(s, name);
    for (size_t i = 0; i < s->ring->n_keys && !s->found; i++)
        if (s->ring->keys[i].name.n > 0 && view_eq(s->ring->keys[i].name, text))
            s->found = pkey_of_bytes(s->ring->keys[i].bytes);
}

/* ---- certificates ---- */

struct certificates {
    STACK_OF(X509) * own; /* in the message */
    STACK_OF(X509) * all; /* and those that are brought along */
};

static void
certificates_add(STACK_OF(X509) * to, X509 *x)
{
    if (x && sk_X509_push(to, x) <= 0)
        abort();
}

static void
certificates_collect(const struct search *s, xmlNode *data, struct certificates *c)
{
    c->own = sk_X509_new_null();
    c->all = sk_X509_new_null();
    if (!c->own || !c->all)
        abort();
    for (xmlNode *n = data->children; n; n = n->next)
        if (is_named(n, XMLDSIG_NS, "X509Certificate"))
            certificates_add(c->own, interop_certificate(bytes_of(s, n)));
    for (int i = 0; i < sk_X509_num(c->own); i++) {
        X509_up_ref(sk_X509_value(c->own, i));
        certificates_add(c->all, sk_X509_value(c->own, i));
    }
    const struct xmldsig_ring *r = s->ring;
    for (size_t i = 0; i < r->n_others; i++)
        certificates_add(c->all, interop_certificate(r->others[i]));
    for (size_t i = 0; i < r->n_roots; i++)
        certificates_add(c->all, interop_certificate(r->roots[i]));
    for (size_t i = 0; i < r->n_keys; i++)
        certificates_add(c->all, interop_certificate(r->keys[i].bytes));
}

static void
certificates_done(struct certificates *c)
{
    sk_X509_pop_free(c->own, X509_free);
    sk_X509_pop_free(c->all, X509_free);
}

static bool
has_name(const X509_NAME *name, view wanted, arena *mem)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    if (!out || X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        abort();
    long n = BIO_get_mem_data(out, &text);
    view printed = arena_dup(mem, view_make(text, (size_t)n));
    BIO_free(out);
    /* Blanks around the separators are free, and "E=" and "emailAddress=" are one. */
    const view ways[] = {wanted, printed};
    view plain[2];
    for (int i = 0; i < 2; i++) {
        char *p = arena_alloc(mem, ways[i].n + 1);
        size_t kept = 0;
        for (size_t at = 0; p && at < ways[i].n; at++) {
            view rest = view_sub(ways[i], at, ways[i].n);
            if (view_starts(rest, V("emailAddress=")))
                at += strlen("emailAddress") - 1, p[kept++] = 'E';
            else if (ways[i].p[at] != ' ' && ways[i].p[at] != '\\')
                p[kept++] = ways[i].p[at];
        }
        plain[i] = view_make(p, kept);
    }
    return view_eq(plain[0], plain[1]);
}

static bool
has_serial(X509 *x, view decimal)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *text = n ? BN_bn2dec(n) : NULL;
    bool same = text && view_eq(view_of(text), decimal);
    OPENSSL_free(text);
    BN_free(n);
    return same;
}

static bool
has_digest(X509 *x, view algorithm, view value)
{
    static const char *const names[] = {"sha224",   "sha256",   "sha384",   "sha512",
                                        "sha3-224", "sha3-256", "sha3-384", "sha3-512"};
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        view tail = view_sub(algorithm, view_find_byte(algorithm, '#') + 1, algorithm.n);
        if (view_eq(tail, view_of(names[i])))
            return X509_digest(x, EVP_get_digestbyname(names[i]), out, &n) == 1 &&
                   view_eq(view_make(out, n), value);
    }
    return false;
}

/* Whether an element of X509Data names this certificate. */
static bool
is_named_by(const struct search *s, xmlNode *hint, X509 *x)
{
    if (is_named(hint, XMLDSIG_NS, "X509SubjectName"))
        return has_name(X509_get_subject_name(x), text_of(s, hint), s->mem);
    if (is_named(hint, XMLDSIG_NS, "X509IssuerSerial"))
        return has_name(X509_get_issuer_name(x), text_of(s, child(hint, XMLDSIG_NS, "X509IssuerName")),
                        s->mem) &&
               has_serial(x, text_of(s, child(hint, XMLDSIG_NS, "X509SerialNumber")));
    if (is_named(hint, XMLDSIG11_NS, "X509Digest"))
        return has_digest(x, attribute_of(s, hint, "Algorithm"), bytes_of(s, hint));
    if (!is_named(hint, XMLDSIG_NS, "X509SKI"))
        return false;
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x);
    return id &&
           view_eq(view_make(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)), bytes_of(s, hint));
}

static bool
is_hinted(const struct search *s, xmlNode *data, X509 *x)
{
    for (xmlNode *n = data->children; n; n = n->next)
        if (is_named_by(s, n, x))
            return true;
    return false;
}

static bool
issued_another(STACK_OF(X509) * list, int i)
{
    X509 *x = sk_X509_value(list, i);
    for (int j = 0; j < sk_X509_num(list); j++)
        if (j != i && X509_cmp(sk_X509_value(list, j), x) != 0 &&
            X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(sk_X509_value(list, j))) == 0)
            return true;
    return false;
}

/* Those that the data names, else those in the message; of these the one that issued none of the others.  Borrowed. */
static X509 *
leaf_choose(const struct search *s, xmlNode *data, const struct certificates *c)
{
    STACK_OF(X509) *named = sk_X509_new_null();
    X509 *leaf = NULL;
    for (int i = 0; i < sk_X509_num(c->all); i++)
        if (is_hinted(s, data, sk_X509_value(c->all, i)))
            certificates_add(named, sk_X509_value(c->all, i));
    STACK_OF(X509) *from = sk_X509_num(named) > 0 ? named : c->own;
    for (int i = 0; i < sk_X509_num(from) && !leaf; i++)
        if (!issued_another(from, i))
            leaf = sk_X509_value(from, i);
    sk_X509_free(named);
    return leaf;
}

/* A certificate that was given as a key is trusted as it is. */
static bool
is_given(const struct search *s, X509 *leaf)
{
    bool given = false;
    for (size_t i = 0; i < s->ring->n_keys && !given; i++) {
        X509 *x = interop_certificate(s->ring->keys[i].bytes);
        given = x && X509_cmp(x, leaf) == 0;
        X509_free(x);
    }
    return given;
}

static void
take_certificates(struct search *s, xmlNode *data)
{
    struct certificates c AUTO_DONE(certificates_done);
    certificates_collect(s, data, &c);
    X509 *leaf = leaf_choose(s, data, &c);
    if (!leaf) {
        miss(s, E_SIGNER_UNKNOWN, "X509Data", "a certificate that is known", "none");
        return;
    }
    if (!s->ring->any_issuer && !is_given(s, leaf)) {
        err e = interop_chain_check(leaf, c.all, s->ring, s->f);
        if (e != E_OK) {
            s->why = s->why == E_OK ? e : s->why;
            return;
        }
    }
    s->found = X509_get_pubkey(leaf);
    ERR_clear_error();
}

/* ---- ds:KeyInfo ---- */

static void take_item(struct search *s, xmlNode *item, int depth);

/* RetrievalMethod and KeyInfoReference: an element of this document by its id. */
static void
take_reference(struct search *s, xmlNode *item, int depth)
{
    view uri = attribute_of(s, item, "URI");
    xmlAttr *id = uri.n > 1 && uri.p[0] == '#' ? xmlGetID(item->doc, BAD_CAST(uri.p + 1)) : NULL;
    if (!id || depth == DEPTH_MAX) {
        miss(s, E_SIGNATURE_PROFILE, "KeyInfo", "a reference inside of the document", "another");
        return;
    }
    if (!is_named(id->parent, XMLDSIG_NS, "KeyInfo")) {
        take_item(s, id->parent, depth + 1);
        return;
    }
    for (xmlNode *n = id->parent->children; n && !s->found; n = n->next)
        take_item(s, n, depth + 1);
}

static void
take_item(struct search *s, xmlNode *item, int depth)
{
    if (is_named(item, XMLDSIG_NS, "X509Data") && is_kind(s, "x509"))
        take_certificates(s, item);
    else if (is_named(item, XMLDSIG_NS, "KeyName") && is_kind(s, "key-name"))
        take_name(s, item);
    else if (is_named(item, XMLDSIG11_NS, "DEREncodedKeyValue") && is_kind(s, "der-encoded-key-value"))
        s->found = pkey_of_bytes(bytes_of(s, item));
    else if (is_named(item, XMLDSIG_NS, "RetrievalMethod") && is_kind(s, "retrieval-method"))
        take_reference(s, item, depth);
    else if (is_named(item, XMLDSIG11_NS, "KeyInfoReference") && is_kind(s, "key-info-reference"))
        take_reference(s, item, depth);
    else if (is_named(item, XMLDSIG_NS, "RSAKeyValue") || is_named(item, XMLDSIG11_NS, "ECKeyValue"))
        take_value(s, item); /* that a RetrievalMethod led to */
    else if (is_named(item, XMLDSIG_NS, "KeyValue") && is_kind(s, "key-value"))
        for (xmlNode *n = item->children; n && !s->found; n = n->next)
            take_value(s, n);
}

/* RSA from 2048 bits, P-256, P-384, P-521. */
static err
strength_check(EVP_PKEY *pkey, struct fault *f)
{
    char group[64] = "";
    if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
        strcmp(group, "secp521r1") == 0)
        return E_OK;
    return pkey_check(pkey, f);
}

err
interop_key_find(xmlNode *key_info, const struct xmldsig_ring *ring, arena *mem, EVP_PKEY **ret,
                 struct fault *f)
{
    struct search s = {.ring = ring, .mem = mem, .f = f};
    for (xmlNode *n = key_info ? key_info->children : NULL; n && !s.found; n = n->next)
        take_item(&s, n, 0);
    if (!s.found && ring->n_keys == 1)
        s.found = pkey_of_bytes(ring->keys[0].bytes);
    if (!s.found)
        return s.why != E_OK
                   ? s.why
                   : fault_set(f, E_SIGNER_UNKNOWN, "KeyInfo", "a key that is known or may be taken", "none");
    err e = strength_check(s.found, f);
    if (e != E_OK) {
        EVP_PKEY_free(s.found);
        return e;
    }
    *ret = s.found;
    return E_OK;
}
