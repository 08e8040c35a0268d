/* XML-DSig with xmlsec, which gets only what xmldsig_profile.c has accepted and a key that we took from
 * the certificate. */
#include "signing/xml/xmldsig.h"

#include "signing/jose/jose.h"
#include "signing/xml/xmldsig_profile.h"

#include "base/text.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/templates.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#define OBJECT_ID "object"
#define CERT_FILE_MAX 65536

/* ---- start ---- */

static void
silent(const char *file, int line, const char *func, const char *object, const char *subject, int reason,
       const char *text)
{
    (void)file, (void)line, (void)func, (void)object, (void)subject, (void)reason, (void)text;
}

static void
silent_xml(void *self, xmlErrorPtr error)
{
    (void)self, (void)error;
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void
start(void)
{
    xmlInitParser();
    xmlThrDefSetStructuredErrorFunc(NULL, silent_xml);
    if (xmlSecInit() < 0 || xmlSecOpenSSLInit() < 0)
        abort();
    xmlSecErrorsSetCallback(silent);
    /* No file, FTP or HTTP reader behind a URI, whatever a reference says. */
    xmlSecIOCleanupCallbacks();
}

void
xmldsig_start(void)
{
    pthread_once(&started, start);
    xmlSetStructuredErrorFunc(NULL, silent_xml);
}

/* ---- certificates and key ---- */

struct certificates {
    X509 *x509[XMLDSIG_CERTIFICATES_MAX];
    size_t n;
};

static void
certificates_done(struct certificates *c)
{
    for (size_t i = 0; i < c->n; i++)
        X509_free(c->x509[i]);
}

static err
certificates_read(const struct xmldsig_plan *plan, struct certificates *ret, struct fault *f)
{
    for (size_t i = 0; i < plan->n_certificates; i++) {
        const unsigned char *p = (const unsigned char *)plan->certificates[i].p,
                            *end = p + plan->certificates[i].n;
        X509 *x509 = d2i_X509(NULL, &p, (long)plan->certificates[i].n);
        if (x509)
            ret->x509[ret->n++] = x509;
        if (!x509 || p != end) {
            ERR_clear_error();
            return fault_set(f, E_SIGNATURE_FORM, "X509Certificate", "a certificate in DER",
                             "something else");
        }
    }
    return E_OK;
}

static bool
is_issuer_of_another(const struct certificates *c, size_t i)
{
    for (size_t j = 0; j < c->n; j++)
        if (j != i && X509_NAME_cmp(X509_get_subject_name(c->x509[i]), X509_get_issuer_name(c->x509[j])) == 0)
            return true;
    return false;
}

/* The order of certificates is free in X509Data: the signer's is the one that issued none of the others. */
static err
signer_find(const struct certificates *c, size_t *ret, struct fault *f)
{
    size_t found = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (is_issuer_of_another(c, i))
            continue;
        *ret = i;
        found++;
    }
    return found == 1 ? E_OK
                      : fault_set(f, E_SIGNATURE_PROFILE, "X509Data", "one chain of certificates",
                                  "several or a ring");
}

static bool
method_is_ecdsa(enum xmldsig_method m)
{
    return m == XMLDSIG_ECDSA_SHA256 || m == XMLDSIG_ECDSA_SHA384 || m == XMLDSIG_ECDSA_SHA512;
}

static err
key_fits(EVP_PKEY *pkey, enum xmldsig_method method, enum jose_alg *ret_alg, struct fault *f)
{
    static const enum jose_alg rsa[] = {
        [XMLDSIG_RSA_SHA256] = ALG_RS256, [XMLDSIG_RSA_SHA384] = ALG_RS384, [XMLDSIG_RSA_SHA512] = ALG_RS512};
    TRY(pkey_check(pkey, f));
    enum jose_alg alg = pkey_default_alg(pkey);
    bool ecdsa = method_is_ecdsa(method);
    if (ecdsa ? alg != ALG_ES256 && alg != ALG_ES384 : alg != ALG_RS256)
        return fault_set(f, E_ALGORITHM, "SignatureMethod", "an algorithm of the certificate's key",
                         "another one");
    *ret_alg = ecdsa ? alg : rsa[method];
    return E_OK;
}

/* ---- xmlsec ---- */

static xmlSecTransformId
method_id(enum xmldsig_method method)
{
    switch (method) {
    case XMLDSIG_RSA_SHA256:
        return xmlSecOpenSSLTransformRsaSha256Id;
    case XMLDSIG_RSA_SHA384:
        return xmlSecOpenSSLTransformRsaSha384Id;
    case XMLDSIG_RSA_SHA512:
        return xmlSecOpenSSLTransformRsaSha512Id;
    case XMLDSIG_ECDSA_SHA256:
        return xmlSecOpenSSLTransformEcdsaSha256Id;
    case XMLDSIG_ECDSA_SHA384:
        return xmlSecOpenSSLTransformEcdsaSha384Id;
    case XMLDSIG_ECDSA_SHA512:
        return xmlSecOpenSSLTransformEcdsaSha512Id;
    }
    return xmlSecTransformIdUnknown;
}

/* Takes a reference on pkey. */
static xmlSecKey *
key_wrap_pkey(EVP_PKEY *pkey)
{
    xmlSecKey *key = xmlSecKeyCreate();
    if (!key || EVP_PKEY_up_ref(pkey) != 1)
        abort();
    xmlSecKeyData *data = xmlSecOpenSSLEvpKeyAdopt(pkey);
    if (data && xmlSecKeySetValue(key, data) == 0)
        return key;
    if (data)
        xmlSecKeyDataDestroy(data);
    else
        EVP_PKEY_free(pkey);
    xmlSecKeyDestroy(key);
    return NULL;
}

/* The second line behind the profile: the library is told the same list. */
static bool
context_limit(xmlSecDSigCtx *ctx, enum xmldsig_method method)
{
    const xmlSecTransformId reference[] = {xmlSecTransformEnvelopedId,     xmlSecTransformExclC14NId,
                                           xmlSecTransformInclC14NId,      xmlSecOpenSSLTransformSha256Id,
                                           xmlSecOpenSSLTransformSha384Id, xmlSecOpenSSLTransformSha512Id};
    const xmlSecTransformId signature[] = {xmlSecTransformExclC14NId, xmlSecTransformInclC14NId,
                                           method_id(method)};
    for (size_t i = 0; i < COUNT_OF(reference); i++)
        if (xmlSecDSigCtxEnableReferenceTransform(ctx, reference[i]) < 0)
            return false;
    for (size_t i = 0; i < COUNT_OF(signature); i++)
        if (xmlSecDSigCtxEnableSignatureTransform(ctx, signature[i]) < 0)
            return false;
    ctx->enabledReferenceUris = xmlSecTransformUriTypeEmpty | xmlSecTransformUriTypeSameDocument;
    ctx->transformCtx.enabledUris = xmlSecTransformUriTypeEmpty | xmlSecTransformUriTypeSameDocument;
    ctx->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS | XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES |
                 XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK;
    return true;
}

static xmlSecDSigCtx *
context_new(EVP_PKEY *pkey, enum xmldsig_method method)
{
    xmlSecDSigCtx *ctx = xmlSecDSigCtxCreate(NULL);
    if (!ctx)
        abort();
    ctx->signKey = key_wrap_pkey(pkey);
    if (ctx->signKey && context_limit(ctx, method))
        return ctx;
    xmlSecDSigCtxDestroy(ctx);
    return NULL;
}

static err
octets_get(xmlSecDSigReferenceCtx *reference, arena *mem, view *ret, struct fault *f)
{
    xmlSecBuffer *octets = xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
    if (!octets || !xmlSecBufferGetSize(octets))
        return fault_set(f, E_SIGNATURE_FORM, "Reference", "signed octets", "none");
    view kept = arena_dup(mem, view_make(xmlSecBufferGetData(octets), xmlSecBufferGetSize(octets)));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret = kept;
    return E_OK;
}

static err
outcome_read(xmlSecDSigCtx *ctx, int returned, arena *mem, view *ret_octets, struct fault *f)
{
    if (returned < 0)
        return fault_set(f, E_SIGNATURE_FORM, "Signature", "a signature that can be computed", "an error");
    /* The profile has seen to it that there is one. */
    if (xmlSecPtrListGetSize(&ctx->signedInfoReferences) != 1 ||
        xmlSecPtrListGetSize(&ctx->manifestReferences) != 0)
        return fault_set(f, E_SIGNATURE_PROFILE, "SignedInfo", "one Reference", "another number");
    xmlSecDSigReferenceCtx *reference = xmlSecPtrListGetItem(&ctx->signedInfoReferences, 0);
    if (!reference || reference->status != xmlSecDSigStatusSucceeded)
        return fault_set(f, E_DIGEST_MISMATCH, "DigestValue", "the digest of the signed element",
                         "another digest");
    if (ctx->status != xmlSecDSigStatusSucceeded)
        return fault_set(f, E_SIGNATURE_MISMATCH, "SignatureValue",
                         "a signature over SignedInfo by the certificate's key", "another one");
    return octets_get(reference, mem, ret_octets, f);
}

static err
plan_verify(const struct xmldsig_plan *plan, EVP_PKEY *pkey, arena *mem, view *ret_octets, struct fault *f)
{
    /* Ids are known to the document only where the profile looked; xml:id, which the parser notes by
     * itself, was refused if it was the same. */
    if (plan->id && !xmlAddID(NULL, plan->doc, plan->id->children->content, plan->id))
        return fault_set(f, E_SIGNATURE_PROFILE, "Reference", "an id that one element has",
                         "an id that several elements have");
    xmlSecDSigCtx *ctx = context_new(pkey, plan->method);
    if (!ctx)
        return fault_set(f, E_ALGORITHM, "SignatureMethod", "an algorithm of the certificate's key",
                         "another one");
    int returned = xmlSecDSigCtxVerify(ctx, plan->signature);
    err e = outcome_read(ctx, returned, mem, ret_octets, f);
    xmlSecDSigCtxDestroy(ctx);
    ERR_clear_error();
    return e;
}

/* ---- the payload inside canonical octets ---- */

/* Length of the tag at the start of text, with its '>'; values may hold '>' in canonical form. */
static size_t
tag_length(view text)
{
    char quote = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return text.n;
}

static bool
has_default_namespace(view tag)
{
    char quote = 0;
    for (size_t i = 0; i < tag.n; i++) {
        char c = tag.p[i];
        if (c == '"')
            quote = quote ? 0 : c;
        else if (!quote && view_starts(view_sub(tag, i, tag.n), V(" xmlns=\"")))
            return true;
    }
    return false;
}

/* The element inside <ds:Object>…</ds:Object>, which must stand on its own: a namespace that it had from
 * the Object would be lost. */
static err
payload_cut(view octets, arena *mem, view *ret, struct fault *f)
{
    size_t open = tag_length(octets), close = octets.n;
    while (close > open && octets.p[close - 1] != '<')
        close--;
    view inner = view_trim(view_sub(octets, open, close > open ? close - 1 - open : 0));
    view tag = view_sub(inner, 0, tag_length(inner));
    xmlDoc *alone;
    bool inherited = has_default_namespace(view_sub(octets, 0, open)) && !has_default_namespace(tag);
    if (!inner.n || inherited || xmldsig_parse(inner, mem, &alone, NULL) != E_OK)
        return fault_set(f, E_SIGNATURE_PROFILE, "Object", "an element that declares its own namespaces",
                         "one that needs the Object's");
    *ret = inner;
    return E_OK;
}

/* ---- verifying ---- */

static err
result_fill(const struct xmldsig_plan *plan, size_t signer, arena *mem, struct xmldsig_result *ret,
            struct fault *f)
{
    ret->payload = ret->octets;
    if (plan->object)
        TRY(payload_cut(ret->octets, mem, &ret->payload, f));
    ret->certificate_der = plan->certificates[signer];
    for (size_t i = 0; i < plan->n_certificates; i++)
        if (i != signer)
            ret->rest_der[ret->n_rest++] = plan->certificates[i];
    return E_OK;
}

static err
verify_with(const struct xmldsig_plan *plan, const struct certificates *chain, arena *mem,
            struct xmldsig_result *ret, struct fault *f)
{
    size_t signer = 0;
    struct xmldsig_result got = {0};
    TRY(signer_find(chain, &signer, f));
    EVP_PKEY *pkey = X509_get0_pubkey(chain->x509[signer]);
    if (!pkey) {
        ERR_clear_error();
        return fault_set(f, E_ALGORITHM, "X509Certificate", "a key that is known here",
                         "another kind of key");
    }
    TRY(key_fits(pkey, plan->method, &got.alg, f));
    TRY(plan_verify(plan, pkey, mem, &got.octets, f));
    TRY(result_fill(plan, signer, mem, &got, f));
    *ret = got;
    return E_OK;
}

err
xmldsig_verify(view xml, arena *mem, struct xmldsig_result *ret, struct fault *f)
{
    struct xmldsig_plan plan;
    xmlDoc *doc;
    struct certificates chain AUTO_DONE(certificates_done) = {.n = 0};
    xmldsig_start();
    TRY(xmldsig_parse(xml, mem, &doc, f));
    TRY(xmldsig_plan_read(doc, mem, &plan, f));
    TRY(certificates_read(&plan, &chain, f));
    return verify_with(&plan, &chain, mem, ret, f);
}

/* A tree for a question: it only comes to this for documents that name the namespace. */
static bool
has_signature(view xml, bool as_root)
{
    if (view_find(xml, V(XMLDSIG_NS)) == xml.n)
        return false;
    xmldsig_start();
    arena *mem AUTO(arena_free) = arena_new(4096);
    xmlDoc *doc;
    if (xmldsig_parse(xml, mem, &doc, NULL) != E_OK)
        return false;
    return as_root ? xmldsig_is(xmlDocGetRootElement(doc), "Signature") : xmldsig_find(doc) != NULL;
}

bool
xmldsig_present(view xml)
{
    return has_signature(xml, false);
}

bool
xmldsig_is_enveloping(view xml)
{
    return has_signature(xml, true);
}

/* ---- signing, for samples and tests ---- */

static err
certificate_load(const char *file, arena *mem, view *ret_b64, struct fault *f)
{
    BIO *in = BIO_new_file(file, "r");
    X509 *x509 = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int n = x509 ? i2d_X509(x509, &der) : 0;
    view text = n > 0 ? text_base64(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    X509_free(x509);
    BIO_free(in);
    ERR_clear_error();
    if (n <= 0)
        return fault_set(f, E_FILE, file, "a certificate in PEM", "something else");
    if (!text.p)
        return E_TOO_LARGE;
    *ret_b64 = text;
    return E_OK;
}

static err
private_load(const char *file, EVP_PKEY **ret, enum xmldsig_method *ret_method, struct fault *f)
{
    BIO *in = BIO_new_file(file, "r");
    EVP_PKEY *pkey = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    ERR_clear_error();
    if (!pkey)
        return fault_set(f, E_FILE, file, "a private key in PEM", "something else");
    enum jose_alg alg = pkey_default_alg(pkey);
    if (alg != ALG_RS256 && alg != ALG_ES256 && alg != ALG_ES384) {
        EVP_PKEY_free(pkey);
        return fault_set(f, E_ALGORITHM, "key", "RSA, P-256 or P-384", "another kind of key");
    }
    *ret_method = alg == ALG_RS256   ? XMLDSIG_RSA_SHA256
                  : alg == ALG_ES256 ? XMLDSIG_ECDSA_SHA256
                                     : XMLDSIG_ECDSA_SHA384;
    *ret = pkey;
    return E_OK;
}

/* An empty signature: SignedInfo with one reference, KeyInfo with the certificate. */
static xmlNode *
template_make(xmlDoc *doc, enum xmldsig_method method, const char *uri, bool enveloped, view certificate)
{
    xmlNode *signature = xmlSecTmplSignatureCreateNsPref(doc, xmlSecTransformExclC14NId, method_id(method),
                                                         NULL, BAD_CAST "ds");
    if (!signature)
        abort();
    xmlNode *reference =
        xmlSecTmplSignatureAddReference(signature, xmlSecOpenSSLTransformSha256Id, NULL, BAD_CAST uri, NULL);
    xmlNode *info = xmlSecTmplSignatureEnsureKeyInfo(signature, NULL);
    xmlNode *data = xmlNewChild(info, signature->ns, BAD_CAST "X509Data", NULL);
    if (!reference || !info || !data ||
        !xmlNewChild(data, signature->ns, BAD_CAST "X509Certificate", BAD_CAST certificate.p))
        abort();
    if (enveloped && !xmlSecTmplReferenceAddTransform(reference, xmlSecTransformEnvelopedId))
        abort();
    if (!xmlSecTmplReferenceAddTransform(reference, xmlSecTransformExclC14NId))
        abort();
    return signature;
}

static err
signed_dump(xmlDoc *doc, xmlNode *signature, EVP_PKEY *pkey, enum xmldsig_method method, arena *mem,
            view *ret_xml, struct fault *f)
{
    xmlSecDSigCtx *ctx = context_new(pkey, method);
    int returned = ctx ? xmlSecDSigCtxSign(ctx, signature) : -1;
    if (ctx)
        xmlSecDSigCtxDestroy(ctx);
    ERR_clear_error();
    if (returned < 0)
        return fault_set(f, E_INTERNAL, "Signature", "a signature", "an error of xmlsec");
    xmlChar *text = NULL;
    int n = 0;
    xmlDocDumpMemoryEnc(doc, &text, &n, "UTF-8");
    view kept = text ? arena_dup(mem, view_make(text, (size_t)n)) : VIEW_NONE;
    xmlFree(text);
    if (!kept.p)
        return E_TOO_LARGE;
    *ret_xml = kept;
    return E_OK;
}

/* The root goes below a new ds:Signature that becomes the root. */
static xmlNode *
envelop(xmlDoc *doc, xmlNode *signature)
{
    xmlNode *payload = xmlDocGetRootElement(doc);
    xmlDocSetRootElement(doc, signature);
    xmlNode *object = xmlNewChild(signature, signature->ns, BAD_CAST "Object", NULL);
    xmlAttr *id = object ? xmlNewProp(object, BAD_CAST "Id", BAD_CAST OBJECT_ID) : NULL;
    if (!id || !xmlAddChild(object, payload) || !xmlAddID(NULL, doc, BAD_CAST OBJECT_ID, id))
        abort();
    return signature;
}

static err
sign(view xml, const char *key_pem_file, const char *cert_pem_file, bool enveloped, arena *mem, view *ret_xml,
     struct fault *f)
{
    xmlDoc *doc;
    view certificate = VIEW_NONE;
    EVP_PKEY *pkey = NULL;
    enum xmldsig_method method = XMLDSIG_RSA_SHA256;
    xmldsig_start();
    TRY(xmldsig_parse(xml, mem, &doc, f));
    TRY(certificate_load(cert_pem_file, mem, &certificate, f));
    TRY(private_load(key_pem_file, &pkey, &method, f));
    xmlNode *signature = template_make(doc, method, enveloped ? "" : "#" OBJECT_ID, enveloped, certificate);
    if (enveloped)
        xmlAddChild(xmlDocGetRootElement(doc), signature);
    else
        envelop(doc, signature);
    err e = signed_dump(doc, signature, pkey, method, mem, ret_xml, f);
    EVP_PKEY_free(pkey);
    return e;
}

err
xmldsig_sign(view xml, const char *key_pem_file, const char *cert_pem_file, arena *mem, view *ret_xml,
             struct fault *f)
{
    return sign(xml, key_pem_file, cert_pem_file, true, mem, ret_xml, f);
}

err
xmldsig_sign_enveloping(view xml, const char *key_pem_file, const char *cert_pem_file, arena *mem,
                        view *ret_xml, struct fault *f)
{
    return sign(xml, key_pem_file, cert_pem_file, false, mem, ret_xml, f);
}
