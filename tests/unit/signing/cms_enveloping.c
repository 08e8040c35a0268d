#include "sandbox.h"

#include "signing/cms/cms.h"

#include <openssl/cms.h>
#include <openssl/pem.h>

#define BODY "{\"resourceType\":\"Bundle\",\"amount\":12.50}"

static CMS_ContentInfo *
message(const char *name, unsigned flags, BIO *data)
{
    char file[64];
    snprintf(file, sizeof file, "%s.key", name);
    BIO *in = BIO_new_file(in_sandbox(file), "r");
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    BIO_free(in);
    snprintf(file, sizeof file, "%s.crt", name);
    in = BIO_new_file(in_sandbox(file), "r");
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    CMS_ContentInfo *cms = CMS_sign(x, pkey, NULL, data, CMS_BINARY | flags);
    cr_assert(cms, "%s", name);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return cms;
}

static view
sign(const char *name, unsigned flags, arena *mem)
{
    BIO *data = BIO_new_mem_buf(BODY, sizeof BODY - 1);
    CMS_ContentInfo *cms = message(name, flags, data);
    unsigned char *der = NULL;
    int n = i2d_CMS_ContentInfo(cms, &der);
    cr_assert(n > 0, "%s", name);
    view kept = arena_dup(mem, view_make(der, (size_t)n));
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    return kept;
}

static err
verify(view der, view *ret_content, arena *mem)
{
    struct cms_signer signer[SIGNATURES_MAX];
    size_t n = 0;
    return cms_verify_enveloping(der, mem, ret_content, signer, &n, NULL);
}

Test(cms_enveloping, the_content_is_what_was_signed)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const names[] = {"h1", "k1"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        view content = VIEW_NONE, der = sign(names[i], 0, mem);
        cr_assert_eq(verify(der, &content, mem), E_OK);
        cr_expect(view_eq(content, V(BODY)));
        cr_expect(content.p > der.p && content.p < der.p + der.n, "it stands in the message");
    }
}

Test(cms_enveloping, altered_content_and_other_forms_are_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    view content = V("untouched"), der = sign("k1", 0, mem);
    char *copy = arena_cstr(mem, der);
    copy[view_find(der, V("12.50")) + 1] = '3';
    cr_expect_eq(verify(view_make(copy, der.n), &content, mem), E_DIGEST_MISMATCH);
    cr_expect_eq(verify(sign("k1", CMS_DETACHED, mem), &content, mem), E_SIGNATURE_PROFILE);
    cr_expect_eq(verify(view_sub(der, 0, der.n - 1), &content, mem), E_SIGNATURE_FORM);
    cr_expect(view_eq(content, V("untouched")));
}

/* As `openssl cms -stream` and Java libraries write it: indefinite lengths, octets in pieces. */
Test(cms_enveloping, pieces_are_put_together)
{
    AUTO(arena_free) arena *mem = test_arena();
    view content = VIEW_NONE;
    BIO *out = BIO_new(BIO_s_mem()), *data = BIO_new_mem_buf(BODY, sizeof BODY - 1);
    CMS_ContentInfo *cms = message("h1", CMS_STREAM, data);
    char *text;
    cr_assert(i2d_CMS_bio_stream(out, cms, data, CMS_STREAM | CMS_BINARY) == 1);
    long n = BIO_get_mem_data(out, &text);
    cr_expect_eq(verify(view_make(text, (size_t)n), &content, mem), E_OK);
    cr_expect(view_eq(content, V(BODY)));
    BIO_free(out);
    BIO_free(data);
    CMS_ContentInfo_free(cms);
}
