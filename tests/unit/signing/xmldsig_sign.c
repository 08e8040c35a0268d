/* Signing of records, held against verification. */
#include "fixture.h"

#include "signing/xml/xmldsig.h"

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

static char dir[64];

static const char *
path(const char *name, char out[128])
{
    cr_assert(snprintf(out, 128, "%s/%s", dir, name) < 128);
    return out;
}

static void
sweep(void)
{
    char file[128];
    if (!*dir)
        return;
    unlink(path("k.pem", file));
    unlink(path("c.pem", file));
    rmdir(dir);
}

TestSuite(xmldsig_sign, .fini = sweep);

static void
files_make(enum jose_alg alg, arena *mem, char key_file[128], char cert_file[128])
{
    if (!*dir) {
        memcpy(dir, "/tmp/claimgate-xml-XXXXXX", 26);
        cr_assert(mkdtemp(dir));
    }
    EVP_PKEY *pkey = fx_pkey(alg);
    X509 *x = fx_certificate(pkey, "signer", pkey, "signer");
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    cr_assert(PEM_write_bio_X509(out, x) == 1);
    long n = BIO_get_mem_data(out, &text);
    fx_write(path("k.pem", key_file), fx_pem_of(pkey, mem));
    fx_write(path("c.pem", cert_file), view_make(text, (size_t)n));
    BIO_free(out);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

Test(xmldsig_sign, what_is_signed_verifies)
{
    static const enum jose_alg algs[] = {ALG_ES256, ALG_ES384, ALG_RS256};
    arena *mem AUTO(arena_free) = fx_arena();
    char key_file[128], cert_file[128];
    view xml = V("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<record "
                 "xmlns=\"urn:police\"><name>\xe7\x8e\x8b</name>&amp;</record>\n");
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        struct xmldsig_result r;
        view out;
        files_make(algs[i], mem, key_file, cert_file);
        cr_assert_eq(xmldsig_sign(xml, key_file, cert_file, mem, &out, NULL), E_OK);
        cr_assert_eq(verify(out, &r, mem), E_OK, "%.*s", VIEW_ARG(out));
        cr_expect(
            view_eq(r.octets, V("<record xmlns=\"urn:police\"><name>\xe7\x8e\x8b</name>&amp;</record>")));
        cr_expect_eq(r.alg, algs[i]);
        cr_assert_eq(xmldsig_sign_enveloping(xml, key_file, cert_file, mem, &out, NULL), E_OK);
        cr_assert_eq(verify(out, &r, mem), E_OK, "%.*s", VIEW_ARG(out));
        cr_expect(
            view_eq(r.payload, V("<record xmlns=\"urn:police\"><name>\xe7\x8e\x8b</name>&amp;</record>")),
            "%.*s", VIEW_ARG(r.payload));
    }
    view out = V("untouched");
    cr_expect_eq(xmldsig_sign(xml, "/nonexistent", cert_file, mem, &out, NULL), E_FILE);
    cr_expect_eq(xmldsig_sign(xml, key_file, "/nonexistent", mem, &out, NULL), E_FILE);
    cr_expect_eq(xmldsig_sign(xml, cert_file, key_file, mem, &out, NULL), E_FILE);
    cr_expect_eq(xmldsig_sign(V("<a>"), key_file, cert_file, mem, &out, NULL), E_XML_SYNTAX);
    cr_expect(view_eq(out, V("untouched")));
}
