/* Revocation lists and OCSP responses that a signer put into his CMS message: they make the paper sure where nothing was fetched, and a lie does nothing. */
#include "sandbox_pki.h"

#include "signing/cms/cms.h"
#include "signing/cms/cms_proofs.h"
#include "signing/cms/der.h"
#include "signing/sandbox/pki_answer.h"
#include "signing/trust/trust.h"

#include <openssl/cms.h>
#include <openssl/ocsp.h>

#define BODY V("{\"resourceType\":\"Bundle\"}")

/* A list of hospitals' CA without any revocation list. */
static struct trust *
bare_trust(struct revocation_book *book)
{
    struct trust *t = NULL;
    static const char text[] = "{\"environment\":\"sandbox\",\"uses\":{\"hca\":{\"roots\":[\"root.crt\"],"
                               "\"intermediates\":[\"hca.crt\"]}}}";
    FILE *out = fopen(in_sandbox("bare.json"), "w");
    cr_assert(out && fputs(text, out) >= 0 && fclose(out) == 0);
    cr_assert(trust_load(in_sandbox("bare.json"), true, &t, NULL) == E_OK);
    trust_use(t, book, NULL, NULL);
    return t;
}

static view
der_of_cms(CMS_ContentInfo *cms, arena *mem)
{
    unsigned char *bytes = NULL;
    int n = i2d_CMS_ContentInfo(cms, &bytes);
    view der = arena_dup(mem, view_make(bytes, (size_t)n));
    OPENSSL_free(bytes);
    CMS_ContentInfo_free(cms);
    return der;
}

static CMS_ContentInfo *
signed_cms(const char *who, arena *mem)
{
    char key[64], certificate[64];
    view der;
    snprintf(key, sizeof key, "%s.key", who);
    snprintf(certificate, sizeof certificate, "%s.crt", who);
    cr_assert(cms_sign_detached(BODY, in_sandbox(key), in_sandbox(certificate), false, "sha256", mem, &der,
                                NULL) == E_OK);
    const unsigned char *p = (const unsigned char *)der.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    cr_assert(cms);
    return cms;
}

static view
with_list(const char *who, const char *list, arena *mem)
{
    CMS_ContentInfo *cms = signed_cms(who, mem);
    FILE *in = fopen(in_sandbox(list), "r");
    X509_CRL *crl = in ? PEM_read_X509_CRL(in, NULL, NULL, NULL) : NULL;
    cr_assert(crl && CMS_add1_crl(cms, crl) == 1);
    fclose(in);
    X509_CRL_free(crl);
    return der_of_cms(cms, mem);
}

/* The basic response about the leaf, as that responder says it. */
static view
basic_response(const struct trust *t, const char *who, const char *responder, arena *mem)
{
    view request, response, leaf = certificate_der(who, mem);
    cr_assert(trust_ask_status(t, leaf, NULL, 0, V(""), mem, &request, NULL) == E_OK);
    instant now = clock_now();
    X509 *issuer = x509_of("hca"), *signer = x509_of(responder);
    EVP_PKEY *pkey = key_of(responder);
    const struct pki_status s = {.issuer = issuer,
                                 .signer = signer,
                                 .signer_key = pkey,
                                 .produced_at = instant_add(now, SPAN_SECONDS(-1)),
                                 .this_update = instant_add(now, SPAN_SECONDS(-1)),
                                 .next_update = instant_add(now, SPAN_SECONDS(3600))};
    cr_assert(pki_answer_status(request, &s, mem, &response) == E_OK);
    X509_free(issuer);
    X509_free(signer);
    EVP_PKEY_free(pkey);
    struct der_item whole, status, shell, bytes, oid, octets;
    cr_assert(der_only(response, DER_SEQUENCE, &whole) && der_take(&whole.value, DER_ENUMERATED, &status) &&
              der_only(whole.value, DER_CONTEXT(0), &shell) && der_only(shell.value, DER_SEQUENCE, &bytes) &&
              der_take(&bytes.value, DER_OID, &oid) && der_only(bytes.value, DER_OCTETS, &octets));
    const struct cms_proof basic = {PROOF_BASIC_RESPONSE, octets.value};
    view again = VIEW_NONE;
    cr_assert(cms_proof_response(&basic, mem, &again) == E_OK && view_eq(again, response),
              "the shell is the responder's own");
    return octets.value;
}

static view
in_two(uint8_t outer, uint8_t inner, view content, arena *mem)
{
    struct buf a AUTO_DONE(buf_done), b AUTO_DONE(buf_done);
    buf_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    der_add(&a, inner, content);
    der_add(&b, outer, buf_view(&a));
    return arena_dup(mem, buf_view(&b));
}

static view
with_response(const struct trust *t, const char *who, const char *responder, arena *mem)
{
    CMS_ContentInfo *cms = signed_cms(who, mem);
    CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    struct buf list AUTO_DONE(buf_done);
    buf_init(&list, 1 << 16);
    der_add(&list, DER_SEQUENCE, basic_response(t, who, responder, mem));
    view values = in_two(DER_SEQUENCE, DER_CONTEXT(1), buf_view(&list), mem);
    cr_assert(CMS_unsigned_add1_attr_by_txt(si, "1.2.840.113549.1.9.16.2.24", V_ASN1_SEQUENCE, values.p,
                                            (int)values.n) == 1);
    return der_of_cms(cms, mem);
}

static enum evidence_level
level_of(const struct trust *t, view cms, err want, arena *mem)
{
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, 1 << 17);
    buf_add_base64(&text, cms);
    struct tree tree;
    struct verdict *v = NULL;
    const struct signature_in in = {SIG_CMS, arena_dup(mem, buf_view(&text)), VIEW_NONE};
    cr_assert(tree_read_json(BODY, NULL, mem, &tree, NULL) == E_OK);
    const struct verify_request rq = {.body = BODY,
                                      .tree = &tree,
                                      .signatures = &in,
                                      .n_signatures = 1,
                                      .trust = t,
                                      .now = clock_now(),
                                      .mem = mem};
    cr_assert(verify_document(&rq, &v) == E_OK);
    cr_expect(verdict_code(v) == want, "%s", err_info(verdict_code(v))->code);
    return verdict_level(v);
}

Test(cms_proofs, what_came_with_the_message_makes_it_sure)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct revocation_book *book = revocation_book_new();
    AUTO(trust_unref) struct trust *t = bare_trust(book);
    cr_expect_eq(level_of(t, der_of_cms(signed_cms("h1", mem), mem), E_OK, mem), LEVEL_PENDING,
                 "nothing is known");
    cr_expect_eq(level_of(t, with_list("h1", "moica.crl", mem), E_OK, mem), LEVEL_PENDING,
                 "another CA's list says nothing");
    cr_expect_eq(level_of(t, with_response(t, "h1", "gca-ocsp", mem), E_OK, mem), LEVEL_PENDING,
                 "nor does a lying responder");
    cr_expect_eq(level_of(t, with_response(t, "h1", "hca-ocsp", mem), E_OK, mem), LEVEL_VERIFIED_OCSP);
    cr_expect_eq(level_of(t, with_list("h1-dr-lin", "hca.crl", mem), E_OK, mem), LEVEL_VERIFIED_CRL);
    cr_expect_eq(level_of(t, with_list("h1-revoked", "hca.crl", mem), E_CERT_REVOKED, mem), LEVEL_REFUSED);
    revocation_book_free(book);
}

Test(cms_proofs, every_place_is_read_and_what_is_malformed_is_passed_over)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct cms_proofs got = {.n = 0};
    view list = in_two(DER_SEQUENCE, DER_OCTETS, V("list"), mem);
    static const char oid[] =
        "\x06\x09\x2a\x86\x48\x86\xf7\x2f\x01\x01\x08"; /* adbe-revocationInfoArchival */
    view lists = in_two(DER_CONTEXT(0), DER_SEQUENCE, list, mem),
         responses = in_two(DER_CONTEXT(1), DER_SEQUENCE, list, mem);
    view value, attribute;
    struct buf b AUTO_DONE(buf_done), c AUTO_DONE(buf_done);
    buf_init(&b, 4096);
    buf_init(&c, 4096);
    buf_add_view(&b, lists);
    buf_add_view(&b, responses);
    value = in_two(DER_SET, DER_SEQUENCE, buf_view(&b), mem);
    buf_add(&c, oid, sizeof oid - 1);
    buf_add_view(&c, value);
    buf_clear(&b);
    der_add(&b, DER_SEQUENCE, buf_view(&c));
    attribute = arena_dup(mem, buf_view(&b));
    cms_proofs_of_attributes(attribute, &got);
    cr_assert_eq(got.n, 2);
    cr_expect(got.of[0].kind == PROOF_LIST && got.of[1].kind == PROOF_RESPONSE &&
              view_eq(got.of[1].der, list));
    for (size_t cut = 0; cut < attribute.n; cut++) {
        got.n = 0;
        cms_proofs_of_attributes(view_sub(attribute, 0, cut), &got);
        cms_proofs_of_lists(view_sub(attribute, 0, cut), &got);
        cr_expect(got.n <= 1);
    }
    got.n = 0;
    for (int i = 0; i < 20; i++)
        cms_proofs_of_lists(list, &got);
    cr_expect_eq(got.n, CMS_PROOFS_MAX, "no more than that");
}
