/* The documents here are written in canonical form and signed with OpenSSL alone, so that
 * canonicalisation, digest and signature are checked against a second way of making them. */
#include "fixture.h"

#include "signing/xml/xmldsig.h"

#include <openssl/ecdsa.h>

#define NS "http://www.w3.org/2000/09/xmldsig#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define ENC "http://www.w3.org/2001/04/xmlenc#"
#define EXC "http://www.w3.org/2001/10/xml-exc-c14n#"
#define INC "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

#define T(uri) "<ds:Transform Algorithm=\"" uri "\"></ds:Transform>"
#define TS(list) "<ds:Transforms>" list "</ds:Transforms>"
#define ENVELOPED_EXC TS(T(NS "enveloped-signature") T(EXC))

/* A signature to be made.  Empty members get the default in spec_of. */
struct spec {
    const char *c14n, *method, *uri, *transforms, *digest_uri;
    const char *octets;  /* what the reference digests */
    const char *si_open; /* the canonical SignedInfo start tag where it differs */
    const char *after_reference, *key_info, *object;
    const EVP_MD *digest, *md;
    EVP_PKEY *pkey;
};

static view
digest_b64(const EVP_MD *md, view bytes, arena *mem)
{
    unsigned char out[64];
    unsigned n = 0;
    cr_assert(EVP_Digest(bytes.p, bytes.n, out, &n, md, NULL) == 1);
    return text_base64(mem, view_make(out, n));
}

/* r‖s for ECDSA, as XML-DSig has it. */
static view
signature_b64(EVP_PKEY *pkey, const EVP_MD *md, view bytes, arena *mem)
{
    unsigned char out[512], raw[96];
    size_t n = sizeof out;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    cr_assert(EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) == 1);
    cr_assert(EVP_DigestSign(ctx, out, &n, (const unsigned char *)bytes.p, bytes.n) == 1);
    EVP_MD_CTX_free(ctx);
    if (!EVP_PKEY_is_a(pkey, "EC"))
        return text_base64(mem, view_make(out, n));
    const unsigned char *p = out;
    int half = (EVP_PKEY_get_bits(pkey) + 7) / 8;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    cr_assert(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half) == half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half) == half);
    ECDSA_SIG_free(sig);
    return text_base64(mem, view_make(raw, 2 * (size_t)half));
}

static const char *
or_else(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

/* <ds:Signature>…</ds:Signature> */
static view
signature_of(const struct spec *s, arena *mem)
{
    view digest_text = digest_b64(s->digest ? s->digest : EVP_sha256(), view_of(s->octets), mem);
    view inner =
        arena_printf(mem,
                     "<ds:CanonicalizationMethod Algorithm=\"%s\"></ds:CanonicalizationMethod>"
                     "<ds:SignatureMethod Algorithm=\"%s\"></ds:SignatureMethod>"
                     "<ds:Reference URI=\"%s\">%s<ds:DigestMethod "
                     "Algorithm=\"%s\"></ds:DigestMethod><ds:DigestValue>%.*s</ds:DigestValue>"
                     "</ds:Reference>%s</ds:SignedInfo>",
                     or_else(s->c14n, EXC), or_else(s->method, MORE "ecdsa-sha256"), or_else(s->uri, ""),
                     or_else(s->transforms, ENVELOPED_EXC), or_else(s->digest_uri, ENC "sha256"),
                     VIEW_ARG(digest_text), or_else(s->after_reference, ""));
    view canonical = arena_printf(mem, "%s%.*s", or_else(s->si_open, "<ds:SignedInfo xmlns:ds=\"" NS "\">"),
                                  VIEW_ARG(inner));
    view value = signature_b64(s->pkey, s->md ? s->md : EVP_sha256(), canonical, mem);
    return arena_printf(
        mem,
        "<ds:Signature xmlns:ds=\"" NS
        "\"><ds:SignedInfo>%.*s<ds:SignatureValue>%.*s</ds:SignatureValue>%s%s</ds:Signature>",
        VIEW_ARG(inner), VIEW_ARG(value), s->key_info, or_else(s->object, ""));
}

static const char *
key_info_of(EVP_PKEY *pkey, arena *mem)
{
    X509 *x = fx_certificate(pkey, "signer", pkey, "signer");
    view text = arena_printf(
        mem,
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%.*s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        VIEW_ARG(text_base64(mem, fx_der_of(x, mem))));
    X509_free(x);
    return text.p;
}

#define RECORD_OPEN "<record xmlns=\"urn:police\" Id=\"r1\">"
#define RECORD_BODY "<no>A1</no><plate>ABC-1234</plate>"
#define RECORD RECORD_OPEN RECORD_BODY "</record>"

static struct spec
enveloped_spec(EVP_PKEY *pkey, arena *mem)
{
    return (struct spec){.octets = RECORD, .pkey = pkey, .key_info = key_info_of(pkey, mem)};
}

static view
enveloped(const struct spec *s, arena *mem)
{
    return arena_printf(mem, RECORD_OPEN RECORD_BODY "%.*s</record>", VIEW_ARG(signature_of(s, mem)));
}

static err
verify(view xml, struct xmldsig_result *r, arena *mem)
{
    struct fault f;
    fault_init(&f);
    struct xmldsig_result got = {0};
    err e = xmldsig_verify(xml, mem, &got, &f);
    cr_expect_eq(f.code, e, "the fault says the same: %s %s", err_info(f.code)->name, err_info(e)->name);
    if (r)
        *r = got;
    return e;
}

static void
replace(view *text, const char *from, const char *to, arena *mem)
{
    size_t at = view_find(*text, view_of(from));
    cr_assert(at < text->n, "%s stands in the document", from);
    *text = arena_printf(mem, "%.*s%s%.*s", (int)at, text->p, to,
                         VIEW_ARG(view_sub(*text, at + strlen(from), text->n)));
}

/* ---- what is accepted ---- */

Test(xmldsig, enveloped_record)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    struct xmldsig_result r;
    view xml = enveloped(&s, mem);
    cr_expect(xmldsig_present(xml));
    cr_assert_eq(verify(xml, &r, mem), E_OK);
    cr_expect(view_eq(r.octets, V(RECORD)), "%.*s", VIEW_ARG(r.octets));
    cr_expect(view_eq(r.payload, r.octets));
    cr_expect_eq(r.alg, ALG_ES256);
    cr_expect_eq(r.n_rest, 0);
    cr_expect(r.certificate_der.n > 0);
    s.uri = "#r1";
    cr_expect_eq(verify(enveloped(&s, mem), &r, mem), E_OK);
    cr_expect(view_eq(r.octets, V(RECORD)));
    EVP_PKEY_free(pkey);
}

static const struct {
    enum jose_alg key;
    const char *method, *digest_uri;
    const char *md, *digest;
    enum jose_alg alg;
} algorithms[] = {
    {ALG_ES256, MORE "ecdsa-sha256", ENC "sha256", "SHA256", "SHA256", ALG_ES256},
    {ALG_ES256, MORE "ecdsa-sha384", MORE "sha384", "SHA384", "SHA384", ALG_ES256},
    {ALG_ES256, MORE "ecdsa-sha512", ENC "sha512", "SHA512", "SHA512", ALG_ES256},
    {ALG_ES384, MORE "ecdsa-sha256", ENC "sha256", "SHA256", "SHA256", ALG_ES384},
    {ALG_ES384, MORE "ecdsa-sha384", ENC "sha256", "SHA384", "SHA256", ALG_ES384},
    {ALG_ES384, MORE "ecdsa-sha512", ENC "sha512", "SHA512", "SHA512", ALG_ES384},
    {ALG_RS256, MORE "rsa-sha256", ENC "sha256", "SHA256", "SHA256", ALG_RS256},
    {ALG_RS256, MORE "rsa-sha384", MORE "sha384", "SHA384", "SHA384", ALG_RS384},
    {ALG_RS256, MORE "rsa-sha512", ENC "sha512", "SHA512", "SHA512", ALG_RS512},
};

Test(xmldsig, every_algorithm_of_the_profile)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *keys[] = {fx_pkey(ALG_ES256), fx_pkey(ALG_ES384), fx_pkey(ALG_RS256)};
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        EVP_PKEY *pkey = keys[algorithms[i].key == ALG_ES256 ? 0 : algorithms[i].key == ALG_ES384 ? 1 : 2];
        struct spec s = enveloped_spec(pkey, mem);
        struct xmldsig_result r;
        s.method = algorithms[i].method;
        s.digest_uri = algorithms[i].digest_uri;
        s.md = EVP_get_digestbyname(algorithms[i].md);
        s.digest = EVP_get_digestbyname(algorithms[i].digest);
        view xml = enveloped(&s, mem);
        cr_expect_eq(verify(xml, &r, mem), E_OK, "%s with %s", s.method, s.digest_uri);
        cr_expect_eq(r.alg, algorithms[i].alg);
        replace(&xml, "A1", "A2", mem);
        cr_expect_eq(verify(xml, &r, mem), E_DIGEST_MISMATCH);
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        EVP_PKEY_free(keys[i]);
}

/* The method names an algorithm that the certificate's key has not. */
Test(xmldsig, a_method_of_another_kind_of_key)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *ec = fx_pkey(ALG_ES256), *rsa = fx_pkey(ALG_RS256), *ed = fx_pkey(ALG_ED25519),
             *p521 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"),
             *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    struct spec s = enveloped_spec(ec, mem);
    s.key_info = key_info_of(rsa, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_ALGORITHM);
    s.key_info = key_info_of(ed, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_ALGORITHM);
    s = enveloped_spec(rsa, mem);
    s.method = MORE "rsa-sha256";
    s.key_info = key_info_of(ec, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_ALGORITHM);
    s.key_info = key_info_of(small, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_ALGORITHM);
    s = enveloped_spec(ec, mem);
    s.key_info = key_info_of(p521, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_ALGORITHM);
    EVP_PKEY_free(ec), EVP_PKEY_free(rsa), EVP_PKEY_free(ed), EVP_PKEY_free(p521), EVP_PKEY_free(small);
}

static const struct {
    const char *c14n, *transforms, *si_open;
} forms[] = {
    {EXC, TS(T(NS "enveloped-signature") T(EXC)), NULL},
    {EXC, TS(T(NS "enveloped-signature") T(INC)), NULL},
    {EXC, TS(T(NS "enveloped-signature")), NULL},
    {INC, TS(T(NS "enveloped-signature") T(EXC)), "<ds:SignedInfo xmlns=\"urn:police\" xmlns:ds=\"" NS "\">"},
};

Test(xmldsig, every_canonical_form_of_the_profile)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct spec s = enveloped_spec(pkey, mem);
        struct xmldsig_result r;
        s.c14n = forms[i].c14n;
        s.transforms = forms[i].transforms;
        s.si_open = forms[i].si_open;
        cr_expect_eq(verify(enveloped(&s, mem), &r, mem), E_OK, "form %zu", i);
        cr_expect(view_eq(r.octets, V(RECORD)));
    }
    EVP_PKEY_free(pkey);
}

/* Another spelling of the same document: the octets are the canonical ones. */
Test(xmldsig, octets_are_canonical)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    struct xmldsig_result r;
    view xml =
        arena_printf(mem,
                     "<?xml version='1.0' encoding='utf-8'?>\n<!-- <!DOCTYPE x> -->\n<record  Id='r1'\n "
                     "xmlns='urn:police' >"
                     "<no>&#65;1<!-- no comment --></no><plate><![CDATA[ABC]]>-1234</plate >%.*s</record>\n",
                     VIEW_ARG(signature_of(&s, mem)));
    cr_assert_eq(verify(xml, &r, mem), E_OK);
    cr_expect(view_eq(r.octets, V(RECORD)), "%.*s", VIEW_ARG(r.octets));
    EVP_PKEY_free(pkey);
}

/* ---- enveloping ---- */

#define BUNDLE "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"b1\"></id></Bundle>"
#define OBJECT_OF(payload) "<ds:Object xmlns:ds=\"" NS "\" Id=\"o1\">" payload "</ds:Object>"

static struct spec
enveloping_spec(EVP_PKEY *pkey, arena *mem)
{
    return (struct spec){.octets = OBJECT_OF(BUNDLE),
                         .object = "<ds:Object Id=\"o1\">" BUNDLE "</ds:Object>",
                         .uri = "#o1",
                         .transforms = TS(T(EXC)),
                         .pkey = pkey,
                         .key_info = key_info_of(pkey, mem)};
}

Test(xmldsig, enveloping_object)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloping_spec(pkey, mem);
    struct xmldsig_result r;
    view xml = signature_of(&s, mem);
    cr_expect(xmldsig_present(xml));
    cr_assert_eq(verify(xml, &r, mem), E_OK);
    cr_expect(view_eq(r.octets, V(OBJECT_OF(BUNDLE))), "%.*s", VIEW_ARG(r.octets));
    cr_expect(view_eq(r.payload, V(BUNDLE)), "%.*s", VIEW_ARG(r.payload));
    /* No transform: inclusive C14N is the default, which gives the same here. */
    s.transforms = "";
    cr_assert_eq(verify(signature_of(&s, mem), &r, mem), E_OK);
    cr_expect(view_eq(r.payload, V(BUNDLE)));
    /* White space and comments around the element. */
    s.octets = OBJECT_OF("\n  " BUNDLE "\n");
    s.object = "<ds:Object Id=\"o1\">\n  <!-- c -->" BUNDLE "\n</ds:Object>";
    cr_assert_eq(verify(signature_of(&s, mem), &r, mem), E_OK);
    cr_expect(view_eq(r.payload, V(BUNDLE)), "%.*s", VIEW_ARG(r.payload));
    EVP_PKEY_free(pkey);
}

static const struct {
    const char *open, *octets, *object, *transforms;
} dependent[] = {
    /* A prefix of the Signature's, used inside: exclusive form does not put it on the inner element. */
    {NULL, OBJECT_OF("<ds:Bundle></ds:Bundle>"), "<ds:Object Id=\"o1\"><ds:Bundle></ds:Bundle></ds:Object>",
     TS(T(EXC))},
    /* The default namespace of the Object. */
    {NULL, "<ds:Object xmlns=\"urn:x\" xmlns:ds=\"" NS "\" Id=\"o1\"><Bundle></Bundle></ds:Object>",
     "<ds:Object xmlns=\"urn:x\" Id=\"o1\"><Bundle></Bundle></ds:Object>", TS(T(INC))},
    /* A declaration that inclusive form moves up to the Object. */
    {NULL, "<ds:Object xmlns:ds=\"" NS "\" xmlns:f=\"urn:f\" Id=\"o1\"><f:Bundle></f:Bundle></ds:Object>",
     "<ds:Object xmlns:f=\"urn:f\" Id=\"o1\"><f:Bundle></f:Bundle></ds:Object>", TS(T(INC))},
};

/* A payload that needs the Object's namespaces would say something else when it is read alone. */
Test(xmldsig, enveloped_payload_must_stand_alone)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    for (size_t i = 0; i < COUNT_OF(dependent); i++) {
        struct spec s = enveloping_spec(pkey, mem);
        s.octets = dependent[i].octets;
        s.object = dependent[i].object;
        s.transforms = dependent[i].transforms;
        cr_expect_eq(verify(signature_of(&s, mem), NULL, mem), E_SIGNATURE_PROFILE, "case %zu", i);
    }
    EVP_PKEY_free(pkey);
}

static const char *const objects[] = {
    "",
    "<ds:Object Id=\"o1\"></ds:Object>",
    "<ds:Object Id=\"o1\">text</ds:Object>",
    "<ds:Object Id=\"o1\">" BUNDLE "text</ds:Object>",
    "<ds:Object Id=\"o1\">" BUNDLE BUNDLE "</ds:Object>",
    "<ds:Object Id=\"o1\">" BUNDLE "</ds:Object><ds:Object Id=\"o2\">" BUNDLE "</ds:Object>",
    "<ds:Object Id=\"o2\">" BUNDLE "</ds:Object><ds:Object Id=\"o1\">" BUNDLE "</ds:Object>",
    "<ds:Object Id=\"o1\">" BUNDLE "</ds:Object><ds:Object Id=\"o1\">" BUNDLE "</ds:Object>",
    "<ds:Object>" BUNDLE "</ds:Object>",
    "<ds:Object Id=\"o2\"><x Id=\"o1\">" BUNDLE "</x></ds:Object>",
    "<ds:Object Id=\"o1\"><x Id=\"o1\">" BUNDLE "</x></ds:Object>",
    "<ds:Object Id=\"o1\"><x xml:id=\"o1\">" BUNDLE "</x></ds:Object>",
    "<ds:Object Id=\"o1\"><x ID=\"o1\">" BUNDLE "</x></ds:Object>",
    "<ds:Object Id=\"o1\"><ds:Signature></ds:Signature></ds:Object>",
    "<Object xmlns=\"urn:x\" Id=\"o1\">" BUNDLE "</Object>",
};

Test(xmldsig, objects_that_are_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        struct spec s = enveloping_spec(pkey, mem);
        s.object = objects[i];
        cr_expect_eq(verify(signature_of(&s, mem), NULL, mem), E_SIGNATURE_PROFILE, "%s", objects[i]);
    }
    EVP_PKEY_free(pkey);
}

/* ---- causes ---- */

Test(xmldsig, each_alteration_has_its_code)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256), *other = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    view good = enveloped(&s, mem), xml = good;
    replace(&xml, "ABC-1234", "ABC-1235", mem);
    cr_expect_eq(verify(xml, NULL, mem), E_DIGEST_MISMATCH);
    xml = good;
    replace(&xml, "<no>", "<no a=\"1\">", mem);
    cr_expect_eq(verify(xml, NULL, mem), E_DIGEST_MISMATCH);
    xml = good;
    replace(&xml, "</record>", "<more></more></record>", mem);
    cr_expect_eq(verify(xml, NULL, mem), E_DIGEST_MISMATCH);
    xml = good;
    replace(&xml, "<ds:DigestValue>", "<ds:DigestValue>\n", mem);
    cr_expect_eq(verify(xml, NULL, mem), E_SIGNATURE_MISMATCH, "white space in SignedInfo is signed");
    xml = good;
    replace(&xml, "<ds:SignatureValue>", "<ds:SignatureValue>\n", mem);
    cr_expect_eq(verify(xml, NULL, mem), E_OK, "white space in the value is not");
    s.key_info = key_info_of(other, mem);
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_MISMATCH);
    EVP_PKEY_free(pkey), EVP_PKEY_free(other);
}

static const struct {
    const char *from, *to;
    err code;
} edits[] = {
    {MORE "ecdsa-sha256", MORE "ecdsa-sha1", E_WEAK_DIGEST},
    {MORE "ecdsa-sha256", NS "rsa-sha1", E_WEAK_DIGEST},
    {MORE "ecdsa-sha256", NS "dsa-sha1", E_WEAK_DIGEST},
    {MORE "ecdsa-sha256", MORE "rsa-md5", E_WEAK_DIGEST},
    {MORE "ecdsa-sha256", NS "hmac-sha1", E_ALGORITHM},
    {MORE "ecdsa-sha256", MORE "hmac-sha256", E_ALGORITHM},
    {MORE "ecdsa-sha256", MORE "ecdsa-sha224", E_ALGORITHM},
    {MORE "ecdsa-sha256", "", E_ALGORITHM},
    {" Algorithm=\"" MORE "ecdsa-sha256\"", "", E_ALGORITHM},
    {"</ds:SignatureMethod>", "<ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>",
     E_SIGNATURE_PROFILE},
    {ENC "sha256", NS "sha1", E_WEAK_DIGEST},
    {ENC "sha256", MORE "md5", E_WEAK_DIGEST},
    {ENC "sha256", MORE "sha224", E_ALGORITHM},
    {ENC "sha256", ENC "ripemd160", E_ALGORITHM},
    {ENC "sha256", ENC "sha512", E_SIGNATURE_FORM}, /* the value is too short for it */
    {"Algorithm=\"" EXC "\"></ds:C", "Algorithm=\"" EXC "WithComments\"></ds:C", E_SIGNATURE_PROFILE},
    {"Algorithm=\"" EXC "\"></ds:C", "Algorithm=\"" INC "#WithComments\"></ds:C", E_SIGNATURE_PROFILE},
    {"Algorithm=\"" EXC "\"></ds:C", "Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"></ds:C",
     E_SIGNATURE_PROFILE},
    {"Algorithm=\"" EXC "\"></ds:T", "Algorithm=\"" EXC "WithComments\"></ds:T", E_SIGNATURE_PROFILE},
    {T(EXC), T("http://www.w3.org/TR/1999/REC-xpath-19991116"), E_SIGNATURE_PROFILE},
    {T(EXC), T("http://www.w3.org/2002/06/xmldsig-filter2"), E_SIGNATURE_PROFILE},
    {T(EXC), T("http://www.w3.org/TR/1999/REC-xslt-19991116"), E_SIGNATURE_PROFILE},
    {T(EXC), T(NS "base64"), E_SIGNATURE_PROFILE},
    {T(EXC), T(EXC) T(EXC), E_SIGNATURE_PROFILE},
    {T(EXC), T(NS "enveloped-signature"), E_SIGNATURE_PROFILE},
    {T(NS "enveloped-signature"), "", E_SIGNATURE_PROFILE},
    {T(NS "enveloped-signature") T(EXC), T(EXC) T(NS "enveloped-signature"), E_SIGNATURE_PROFILE},
    {ENVELOPED_EXC, "", E_SIGNATURE_PROFILE},
    {" URI=\"\"", "", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"#r2\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"#\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"http://attacker.example/\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"file:///etc/passwd\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"r1\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"#xpointer(/)\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"#xpointer(id('r1'))\"", E_SIGNATURE_PROFILE},
    {" URI=\"\"", " URI=\"#r1'] | //*['\"", E_SIGNATURE_PROFILE},
    {"<ds:DigestValue>", "<ds:DigestValue><!-- x -->", E_SIGNATURE_PROFILE},
    {"<ds:DigestValue>", "<ds:DigestValue>AAAA", E_SIGNATURE_FORM},
    {"<ds:DigestValue>", "<ds:DigestValue>-", E_SIGNATURE_FORM},
    {"<ds:SignatureValue>", "<ds:SignatureValue><!-- x -->", E_SIGNATURE_PROFILE},
    {"<ds:SignatureValue>", "<ds:SignatureValue>!", E_SIGNATURE_FORM},
    {"<ds:SignedInfo>", "<ds:SignedInfo>text", E_SIGNATURE_PROFILE},
    {"<ds:SignedInfo>", "<ds:SignedInfo><x/>", E_SIGNATURE_PROFILE},
    {"<ds:Reference ", "<x/><ds:Reference ", E_SIGNATURE_PROFILE},
    {"<ds:KeyInfo>", "<x/><ds:KeyInfo>", E_SIGNATURE_PROFILE},
    {"</ds:KeyInfo>", "</ds:KeyInfo><ds:Object></ds:Object>", E_SIGNATURE_PROFILE},
    {"<ds:X509Certificate>", "<ds:X509Certificate>AAAA", E_SIGNATURE_FORM},
    {"<ds:X509Certificate>", "<ds:X509Certificate>%", E_SIGNATURE_FORM},
    {"<ds:X509Certificate>", "<ds:X509Certificate><!-- x -->", E_SIGNATURE_PROFILE},
    {"</ds:Signature>", "</ds:Signature><ds:Signature xmlns:ds=\"" NS "\"></ds:Signature>",
     E_SIGNATURE_PROFILE},
    {"<no>", "<no><ds:Signature xmlns:ds=\"" NS "\"></ds:Signature>", E_SIGNATURE_PROFILE},
    {"xmlns:ds=\"" NS "\"", "xmlns:ds=\"urn:x\"", E_SIGNATURE_MISSING},
    {"</record>", "</Record>", E_XML_SYNTAX},
    {"<no>", "<no a=\"1\" a=\"2\">", E_XML_SYNTAX},
    {"<no>", "<x:no>", E_XML_SYNTAX},
    {"<no>A1</no>", "<x:no>A1</x:no>", E_XML_SYNTAX}, /* prefix without declaration */
    {"A1", "&amp;&unknown;", E_XML_SYNTAX},
    {"A1", "&#0;", E_XML_SYNTAX},
    {"A1", "\xc0\xaf", E_UTF8},
    {RECORD_OPEN, "<!DOCTYPE record>" RECORD_OPEN, E_XML_DOCTYPE},
    {RECORD_OPEN, "<?xml version=\"1.0\"?><!DOCTYPE record [<!ENTITY a \"b\">]>" RECORD_OPEN, E_XML_DOCTYPE},
    {RECORD_OPEN, "<!-- c --><!DOCTYPE record SYSTEM \"http://attacker.example/x.dtd\">" RECORD_OPEN,
     E_XML_DOCTYPE},
    {RECORD_OPEN, "<?xml version=\"1.0\" encoding=\"Big5\"?>" RECORD_OPEN, E_UTF8},
    {RECORD_OPEN, "<?xml version=\"1.0\" encoding = 'UTF-16' ?>" RECORD_OPEN, E_UTF8},
    {RECORD_OPEN, "\xef\xbb\xbf" RECORD_OPEN, E_BOM},
};

Test(xmldsig, edits_and_their_codes)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    view good = enveloped(&s, mem);
    cr_assert_eq(verify(good, NULL, mem), E_OK);
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        view xml = good;
        replace(&xml, edits[i].from, edits[i].to, mem);
        err e = verify(xml, NULL, mem);
        cr_expect_eq(e, edits[i].code, "%s → %s: %s", edits[i].from, edits[i].to, err_info(e)->name);
    }
    EVP_PKEY_free(pkey);
}

/* Refused although digest and signature are right: each of these gave somebody a forgery once. */
Test(xmldsig, right_mathematics_outside_of_the_profile)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256), *rsa = fx_pkey(ALG_RS256);
    struct spec s = enveloped_spec(pkey, mem);
    s.transforms = TS("<ds:Transform "
                      "Algorithm=\"http://www.w3.org/TR/1999/"
                      "REC-xpath-19991116\"><ds:XPath>not(ancestor-or-self::ds:Signature)"
                      "</ds:XPath></ds:Transform>" T(EXC));
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_PROFILE);
    s = enveloped_spec(pkey, mem);
    s.after_reference = "<ds:Reference URI=\"\">" ENVELOPED_EXC "<ds:DigestMethod Algorithm=\"" ENC
                        "sha256\"></ds:DigestMethod>"
                        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>";
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_PROFILE);
    s = enveloped_spec(rsa, mem);
    s.method = NS "rsa-sha1";
    s.md = EVP_sha1();
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_WEAK_DIGEST);
    s = enveloped_spec(pkey, mem);
    s.digest_uri = NS "sha1";
    s.digest = EVP_sha1();
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_WEAK_DIGEST);
    EVP_PKEY_free(pkey), EVP_PKEY_free(rsa);
}

static const char *const key_infos[] = {
    "",
    "<ds:KeyInfo></ds:KeyInfo>",
    "<ds:KeyInfo><ds:KeyName>signer</ds:KeyName></ds:KeyInfo>",
    "<ds:KeyInfo><ds:X509Data></ds:X509Data></ds:KeyInfo>",
    "<ds:KeyInfo><ds:X509Data><ds:X509SubjectName>CN=signer</ds:X509SubjectName></ds:X509Data></ds:KeyInfo>",
    "<ds:KeyInfo><ds:RetrievalMethod URI=\"http://attacker.example/cert\"/></ds:KeyInfo>",
};

Test(xmldsig, a_bare_key_gives_no_trust)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    const char *with_certificate = s.key_info;
    for (size_t i = 0; i < COUNT_OF(key_infos); i++) {
        s.key_info = key_infos[i];
        cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_PROFILE, "%s", key_infos[i]);
    }
    /* The right key as KeyValue, in the form of RFC 6931. */
    unsigned char point[65];
    size_t n = 0;
    cr_assert(EVP_PKEY_get_octet_string_param(pkey, "encoded-pub-key", point, sizeof point, &n) == 1);
    view key_value = arena_printf(
        mem,
        "<ds:KeyValue><ec:ECKeyValue xmlns:ec=\"http://www.w3.org/2009/xmldsig11#\"><ec:NamedCurve "
        "URI=\"urn:oid:1.2.840.10045.3.1.7\"/><ec:PublicKey>%.*s</ec:PublicKey></ec:ECKeyValue></"
        "ds:KeyValue>",
        VIEW_ARG(text_base64(mem, view_make(point, n))));
    s.key_info = arena_printf(mem, "<ds:KeyInfo>%.*s</ds:KeyInfo>", VIEW_ARG(key_value)).p;
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_PROFILE);
    /* Beside a certificate it is not looked at, also when it is another key. */
    view both = view_of(with_certificate);
    replace(&both, "<ds:KeyInfo>", arena_printf(mem, "<ds:KeyInfo>%.*s", VIEW_ARG(key_value)).p, mem);
    s.key_info = both.p;
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_OK);
    EVP_PKEY *other = fx_pkey(ALG_ES256);
    s.pkey = other;
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_MISMATCH);
    EVP_PKEY_free(pkey), EVP_PKEY_free(other);
}

/* ---- certificates ---- */

static view
certificate_text(X509 *x, arena *mem)
{
    return arena_printf(mem, "<ds:X509Certificate>%.*s</ds:X509Certificate>",
                        VIEW_ARG(text_base64(mem, fx_der_of(x, mem))));
}

Test(xmldsig, the_signer_is_found_in_a_chain_of_any_order)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *keys[3] = {fx_pkey(ALG_ES256), fx_pkey(ALG_ES256), fx_pkey(ALG_ES256)};
    X509 *x[3] = {fx_certificate(keys[0], "leaf", keys[1], "middle"),
                  fx_certificate(keys[1], "middle", keys[2], "root"),
                  fx_certificate(keys[2], "root", keys[2], "root")};
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct spec s = enveloped_spec(keys[0], mem);
        struct xmldsig_result r;
        s.key_info = arena_printf(mem, "<ds:KeyInfo><ds:X509Data>%.*s%.*s%.*s</ds:X509Data></ds:KeyInfo>",
                                  VIEW_ARG(certificate_text(x[orders[i][0]], mem)),
                                  VIEW_ARG(certificate_text(x[orders[i][1]], mem)),
                                  VIEW_ARG(certificate_text(x[orders[i][2]], mem)))
                         .p;
        cr_assert_eq(verify(enveloped(&s, mem), &r, mem), E_OK);
        cr_expect(view_eq(r.certificate_der, fx_der_of(x[0], mem)));
        cr_expect_eq(r.n_rest, 2);
    }
    /* Two certificates of nobody's issue: which is the signer's is a question that nobody may ask. */
    struct spec s = enveloped_spec(keys[0], mem);
    X509 *stray = fx_certificate(keys[0], "stray", keys[1], "middle");
    s.key_info = arena_printf(mem, "<ds:KeyInfo><ds:X509Data>%.*s%.*s</ds:X509Data></ds:KeyInfo>",
                              VIEW_ARG(certificate_text(x[0], mem)), VIEW_ARG(certificate_text(stray, mem)))
                     .p;
    cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), E_SIGNATURE_PROFILE);
    X509_free(stray);
    for (int i = 0; i < 3; i++)
        X509_free(x[i]), EVP_PKEY_free(keys[i]);
}

/* ---- wrapping ---- */

#define EVIL_BODY "<no>A1</no><plate>EVIL-666</plate>"

static const struct {
    const char *name, *before, *after; /* around the signature of a record with the reference #r1 */
    const char *object;                /* inside the signature */
} wraps[] = {
    {"the signed record inside the signature of an evil one",
     "<record xmlns=\"urn:police\" Id=\"r2\">" EVIL_BODY, "</record>", "<ds:Object>" RECORD "</ds:Object>"},
    {"beside the signature", "<record xmlns=\"urn:police\" Id=\"r2\">" EVIL_BODY, RECORD "</record>", NULL},
    {"before the signature", "<record xmlns=\"urn:police\" Id=\"r2\">" RECORD EVIL_BODY, "</record>", NULL},
    {"in an element of its own", "<record xmlns=\"urn:police\" Id=\"r2\">" EVIL_BODY "<x>" RECORD "</x>",
     "</record>", NULL},
    {"evil has the same id, the signed one in the signature",
     "<record xmlns=\"urn:police\" Id=\"r1\">" EVIL_BODY, "</record>", "<ds:Object>" RECORD "</ds:Object>"},
    {"evil has the same id, the signed one beside", "<record xmlns=\"urn:police\" Id=\"r1\">" EVIL_BODY,
     RECORD "</record>", NULL},
    {"evil has the same id by another name", "<record xmlns=\"urn:police\" ID=\"r1\">" EVIL_BODY,
     RECORD "</record>", NULL},
    {"evil has an xml:id", "<record xmlns=\"urn:police\" xml:id=\"r1\">" EVIL_BODY, RECORD "</record>", NULL},
    {"evil root around the whole", "<record xmlns=\"urn:police\">" EVIL_BODY "<record Id=\"r1\">" RECORD_BODY,
     "</record></record>", NULL},
    {"signature deeper", RECORD_OPEN RECORD_BODY "<x>", "</x></record>", NULL},
    {"signature as the root, the record as object", "", "", "<ds:Object>" RECORD "</ds:Object>"},
    {"signature as the root, evil object first", "", "",
     "<ds:Object Id=\"e\">" BUNDLE "</ds:Object><ds:Object>" RECORD "</ds:Object>"},
};

Test(xmldsig, wrapped_signatures_are_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    for (size_t i = 0; i < COUNT_OF(wraps); i++) {
        struct spec s = enveloped_spec(pkey, mem);
        struct xmldsig_result r;
        s.uri = "#r1";
        s.object = wraps[i].object;
        view xml =
            arena_printf(mem, "%s%.*s%s", wraps[i].before, VIEW_ARG(signature_of(&s, mem)), wraps[i].after);
        cr_expect_eq(verify(xml, &r, mem), E_SIGNATURE_PROFILE, "%s", wraps[i].name);
        cr_expect(r.octets.p == NULL, "nothing is handed out");
        /* With the transform left out, so that nothing of the signature is missing from the digest. */
        s.transforms = TS(T(EXC));
        xml = arena_printf(mem, "%s%.*s%s", wraps[i].before, VIEW_ARG(signature_of(&s, mem)), wraps[i].after);
        cr_expect_eq(verify(xml, &r, mem), E_SIGNATURE_PROFILE, "%s, no enveloped transform", wraps[i].name);
    }
    EVP_PKEY_free(pkey);
}

/* The attribute id of FHIR elements repeats freely: only the id that is referred to must be one. */
Test(xmldsig, other_ids_may_repeat)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloping_spec(pkey, mem);
    s.octets = OBJECT_OF("<Bundle xmlns=\"urn:f\"><a id=\"x\"></a><b id=\"x\"></b></Bundle>");
    s.object =
        "<ds:Object Id=\"o1\"><Bundle xmlns=\"urn:f\"><a id=\"x\"></a><b id=\"x\"></b></Bundle></ds:Object>";
    cr_expect_eq(verify(signature_of(&s, mem), NULL, mem), E_OK);
    EVP_PKEY_free(pkey);
}

/* Whatever one turned bit makes of a signed document: refused, or the same octets. */
Test(xmldsig, no_flipped_bit_changes_what_is_read)
{
    arena *mem AUTO(arena_free) = fx_arena();
    arena *scratch AUTO(arena_free) = arena_new(MIB);
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    view xml = enveloped(&s, mem);
    char *text = arena_cstr(mem, xml);
    size_t accepted = 0;
    for (size_t at = 0; at < xml.n; at++) {
        struct xmldsig_result r;
        text[at] = (char)(text[at] ^ (1 << (at % 7)));
        if (xmldsig_verify(view_make(text, xml.n), scratch, &r, NULL) == E_OK) {
            cr_expect(view_eq(r.octets, V(RECORD)), "byte %zu", at);
            accepted++;
        }
        text[at] = (char)(text[at] ^ (1 << (at % 7)));
        arena_reset(scratch);
    }
    /* Bits of the certificate that are not its key: the judge of certificates sees to those. */
    cr_expect(accepted < xml.n / 2, "%zu of %zu", accepted, xml.n);
    EVP_PKEY_free(pkey);
}

/* ---- bounds ---- */

Test(xmldsig, bounds)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct buf b AUTO_DONE(buf_done);
    struct xmldsig_result r;
    buf_init(&b, 4 * MIB);
    BUF_LIT(&b, "<a");
    for (int i = 0; i < 257; i++)
        buf_printf(&b, " a%d='='", i);
    BUF_LIT(&b, "/>");
    cr_expect_eq(xmldsig_verify(buf_view(&b), mem, &r, NULL), E_TOO_LARGE, "attributes");
    buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        BUF_LIT(&b, "<a>");
    cr_expect_eq(xmldsig_verify(buf_view(&b), mem, &r, NULL), E_XML_SYNTAX, "depth");
    buf_clear(&b);
    BUF_LIT(&b, "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">");
    for (int i = 1; i < 12; i++)
        buf_printf(&b, "<!ENTITY a%d \"&a;&a;&a;&a;&a;&a;&a;&a;\">", i);
    BUF_LIT(&b, "]><l>&a11;</l>");
    cr_expect_eq(xmldsig_verify(buf_view(&b), mem, &r, NULL), E_XML_DOCTYPE);
    cr_expect_eq(xmldsig_verify(VIEW_NONE, mem, &r, NULL), E_XML_SYNTAX);
    cr_expect_eq(xmldsig_verify(V("<"), mem, &r, NULL), E_XML_SYNTAX);
    cr_expect_eq(xmldsig_verify(V("<a/>"), mem, &r, NULL), E_SIGNATURE_MISSING);
    cr_expect_not(xmldsig_present(V("<a/>")));
    cr_expect_not(xmldsig_present(V("<a>" NS "</a>")));
    cr_expect_not(xmldsig_present(V("<a><b><s:Signature xmlns:s=\"" NS "\"/></b></a>")));
    cr_expect(xmldsig_present(V("<a><s:Signature xmlns:s=\"" NS "\"/></a>")));
}

/* A record with many children below an element of 60 namespaces. */
static view
crowd(const struct spec *s, int children, arena *mem)
{
    struct buf b AUTO_DONE(buf_done);
    view xml = enveloped(s, mem);
    buf_init(&b, 4 * MIB);
    BUF_LIT(&b, "<x");
    for (int i = 0; i < 60; i++)
        buf_printf(&b, " xmlns:p%d=\"urn:p%d\"", i, i);
    BUF_LIT(&b, ">");
    for (int i = 0; i < children; i++)
        BUF_LIT(&b, "<y/>");
    BUF_LIT(&b, "</x><no>");
    view text = buf_view(&b);
    replace(&xml, "<no>", arena_cstr(mem, text), mem);
    return xml;
}

/* Canonical form grows with namespaces times elements: such a document is refused before it is made. */
Test(xmldsig, a_document_made_to_be_slow)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloped_spec(pkey, mem);
    cr_expect_eq(verify(crowd(&s, 100, mem), NULL, mem), E_DIGEST_MISMATCH);
    cr_expect_eq(verify(crowd(&s, 100000, mem), NULL, mem), E_TOO_LARGE);
    EVP_PKEY_free(pkey);
}

#define PREFIXES(list)                                                                                       \
    "<ec:InclusiveNamespaces xmlns:ec=\"" EXC "\" PrefixList=\"" list "\"></ec:InclusiveNamespaces>"
#define EXC_WITH(inner) "<ds:Transform Algorithm=\"" EXC "\">" inner "</ds:Transform>"

static const struct {
    const char *inner;
    err code;
} parameters[] = {
    {PREFIXES("a b c"), E_OK},
    {PREFIXES("#default"), E_OK},
    {PREFIXES(" a b c d e f g h i j k l m n o p "), E_OK},
    {PREFIXES("a b c d e f g h i j k l m n o p q"), E_SIGNATURE_PROFILE},
    {PREFIXES("a") PREFIXES("b"), E_SIGNATURE_PROFILE},
    {"<ec:InclusiveNamespaces xmlns:ec=\"" EXC "\"></ec:InclusiveNamespaces>", E_SIGNATURE_PROFILE},
    {"<InclusiveNamespaces PrefixList=\"a\"></InclusiveNamespaces>", E_SIGNATURE_PROFILE},
    {"<ds:XPath>1</ds:XPath>", E_SIGNATURE_PROFILE},
};

Test(xmldsig, prefix_lists)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        struct spec s = enveloped_spec(pkey, mem);
        s.transforms =
            arena_printf(mem, TS(T(NS "enveloped-signature") EXC_WITH("%s")), parameters[i].inner).p;
        cr_expect_eq(verify(enveloped(&s, mem), NULL, mem), parameters[i].code, "%s", parameters[i].inner);
    }
    EVP_PKEY_free(pkey);
}

Test(xmldsig, a_small_arena_is_too_large_and_nothing_leaks)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct spec s = enveloping_spec(pkey, mem);
    view xml = signature_of(&s, mem);
    size_t refused = 0;
    for (size_t room = 64; room < 4096; room += 64) {
        arena *small AUTO(arena_free) = arena_new(room);
        struct xmldsig_result r;
        err e = xmldsig_verify(xml, small, &r, NULL);
        refused += e == E_TOO_LARGE;
        cr_expect(e == E_OK || e == E_TOO_LARGE || e == E_SIGNATURE_FORM || e == E_SIGNATURE_PROFILE, "%s",
                  err_info(e)->name);
    }
    cr_expect(refused > 0);
    EVP_PKEY_free(pkey);
}

/* ---- signing ---- */
