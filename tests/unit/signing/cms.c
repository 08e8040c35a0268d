#include "sandbox.h"

#include "signing/cms/cms_message.h"
#include "signing/cms/der.h"
#include "signing/pki/certificate.h"
#include "signing/sandbox/pki_issue.h"

#include <iconv.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

#define BODY "{\"resourceType\":\"Bundle\",\n \"text\":\"診斷證明書：右側橈骨骨折\",\n \"amount\":12.50}\n"

struct outcome {
    err code;
    struct fault fault;
    struct cms_signer signer[SIGNATURES_MAX];
    size_t n;
};

static struct outcome
verify(view der, view body, arena *mem)
{
    struct outcome o = {.n = 99};
    fault_init(&o.fault);
    o.code = cms_verify_detached(der, body, NULL, NULL, mem, o.signer, &o.n, &o.fault);
    return o;
}

static view
sign_as(const char *name, view body, const char *md, bool chain, arena *mem)
{
    char key[64], crt[64];
    struct fault f;
    view der = VIEW_NONE;
    fault_init(&f);
    snprintf(key, sizeof key, "%s.key", name);
    snprintf(crt, sizeof crt, "%s.chain.pem", name);
    err e = cms_sign_detached(body, in_sandbox(key), in_sandbox(crt), chain, md, mem, &der, &f);
    cr_assert(e == E_OK, "%s %s: %s %s", name, md, f.where, f.found);
    return der;
}

/* ---- good signatures ---- */

static const struct {
    const char *name, *md;
    enum jose_alg alg;
} good_cases[] = {
    {"h1", "sha256", ALG_RS256},     {"h1", "sha384", ALG_RS384},        {"h1", "sha512", ALG_RS512},
    {"h1", "pss-sha256", ALG_PS256}, {"h1", "pss-sha384", ALG_PS384},    {"h1", "pss-sha512", ALG_PS512},
    {"k1", "sha256", ALG_ES256},     {"h1-dr-lin", "sha256", ALG_ES256},
};

Test(cms, good_signatures)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(good_cases); i++)
        for (int chain = 0; chain < 2; chain++) {
            view der = sign_as(good_cases[i].name, V(BODY), good_cases[i].md, chain, mem);
            struct outcome o = verify(der, V(BODY), mem);
            cr_assert(o.code == E_OK, "%s: %s %s", good_cases[i].md, o.fault.where, o.fault.found);
            cr_expect(o.n == 1 && o.signer[0].alg == good_cases[i].alg);
            cr_expect(view_eq(o.signer[0].certificate_der, certificate_der(good_cases[i].name, mem)));
            cr_expect(o.signer[0].n_rest == (size_t)chain);
            int64_t age = instant_since(clock_now(), o.signer[0].claimed_at).us;
            cr_expect(age >= 0 && age < SPAN_SECONDS(60).us);
        }
}

Test(cms, p384)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    struct pki_order order = {.shape = SHAPE_SIGNER,
                              .subject = SUBJECT_HOSPITAL,
                              .organisation = "9901010016",
                              .licence = "",
                              .common_name = "own",
                              .pkey = pkey,
                              .issuer_key = pkey,
                              .until = instant_add(clock_now(), SPAN_DAYS(1))};
    AUTO(X509_free) X509 *x = pki_issue(&order);
    FILE *crt = fopen(in_sandbox("p384.crt"), "wb"), *key = fopen(in_sandbox("p384.key"), "wb");
    cr_assert(PEM_write_X509(crt, x) == 1 && PEM_write_PrivateKey(key, pkey, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(crt);
    fclose(key);
    static const struct {
        const char *md;
        err code;
    } cases[] = {{"sha384", E_OK}, {"sha256", E_ALGORITHM}, {"sha512", E_ALGORITHM}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        view der;
        cr_assert(cms_sign_detached(V(BODY), in_sandbox("p384.key"), in_sandbox("p384.crt"), false,
                                    cases[i].md, mem, &der, NULL) == E_OK);
        cr_expect(verify(der, V(BODY), mem).code == cases[i].code, "%s", cases[i].md);
    }
}

Test(cms, openssl_agrees)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("h1", V(BODY), "sha256", true, mem);
    const unsigned char *p = (const unsigned char *)der.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    BIO *body = BIO_new_mem_buf(BODY, sizeof BODY - 1);
    X509_STORE *store = X509_STORE_new();
    cr_assert(X509_STORE_load_file(store, in_sandbox("root.crt")) == 1);
    cr_assert(CMS_verify(c, NULL, store, body, NULL, CMS_BINARY) == 1);
    X509_STORE_free(store);
    BIO_free(body);
    CMS_ContentInfo_free(c);
}

/* ---- weak digests ---- */

static const struct {
    const char *name, *md, *found;
} weak_cases[] = {{"h1", "sha1", "SHA-1"}, {"h1", "md5", "MD5"}, {"k1", "sha1", "SHA-1"}};

Test(cms, weak_digests_are_refused_by_name)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(weak_cases); i++) {
        struct outcome o =
            verify(sign_as(weak_cases[i].name, V(BODY), weak_cases[i].md, false, mem), V(BODY), mem);
        cr_expect(o.code == E_WEAK_DIGEST && o.n == 99);
        cr_expect_str_eq(o.fault.found, weak_cases[i].found);
        cr_expect_str_eq(o.fault.where, "signerInfos[0].digestAlgorithm");
    }
}

/* ---- transcoded bodies ---- */

static view
converted(view text, const char *charset, arena *mem)
{
    iconv_t cd = iconv_open(charset, "UTF-8");
    cr_assert(cd != (iconv_t)-1, "%s", charset);
    char *out = arena_alloc(mem, 4 * text.n + 4), *to = out, *from = (char *)text.p;
    size_t room = 4 * text.n, n = text.n;
    cr_assert(iconv(cd, &from, &n, &to, &room) != (size_t)-1, "%s", charset);
    iconv_close(cd);
    return view_make(out, (size_t)(to - out));
}

static view
with_crlf(view text, arena *mem)
{
    char *out = arena_alloc(mem, 2 * text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            out[n++] = '\r';
        out[n++] = text.p[i];
    }
    return view_make(out, n);
}

static view
joined(view a, view b, arena *mem)
{
    return arena_printf(mem, "%.*s%.*s", VIEW_ARG(a), VIEW_ARG(b));
}

static view
transformed(int i, view body, arena *mem)
{
    switch (i) {
    case 0:
        return converted(body, "CP950", mem);
    case 1:
        return converted(with_crlf(body, mem), "CP950", mem);
    case 2:
        return joined(V("\xef\xbb\xbf"), body, mem);
    case 3:
        return joined(V("\xef\xbb\xbf"), with_crlf(body, mem), mem);
    case 4:
        return converted(body, "UTF-16LE", mem);
    case 5: {
        view le = converted(body, "UTF-16LE", mem);
        char *out = arena_alloc(mem, le.n + 2);
        memcpy(out, "\xff\xfe", 2);
        memcpy(out + 2, le.p, le.n);
        return view_make(out, le.n + 2);
    }
    case 6:
        return converted(with_crlf(body, mem), "UTF-16LE", mem);
    case 7:
        return converted(body, "UTF-16BE", mem);
    case 8:
        return with_crlf(body, mem);
    default:
        return view_sub(body, 0, body.n - 1);
    }
}

static const char *const transformed_names[] = {
    "code page 950",
    "code page 950 with CRLF line ends",
    "UTF-8 with a byte order mark",
    "UTF-8 with a byte order mark and CRLF line ends",
    "UTF-16LE",
    "UTF-16LE with a byte order mark",
    "UTF-16LE with CRLF line ends",
    "UTF-16BE",
    "UTF-8 with CRLF line ends",
    "UTF-8 without the last line break",
};

static void
expect_transcoded(view signed_form, view sent, const char *name, arena *mem)
{
    struct outcome o = verify(sign_as("k1", signed_form, "sha256", false, mem), sent, mem);
    cr_expect(o.code == E_SIGNED_TRANSCODED, "%s: %s", name, err_info(o.code)->code);
    cr_expect(o.fault.code == o.code);
    cr_expect_str_eq(o.fault.found, name);
    cr_expect_str_eq(o.fault.where, "signerInfos[0].signedAttrs.messageDigest");
}

Test(cms, transcoded_bodies_are_told_by_name)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (int i = 0; i < (int)COUNT_OF(transformed_names); i++)
        expect_transcoded(transformed(i, V(BODY), mem), V(BODY), transformed_names[i], mem);
    view crlf = with_crlf(V(BODY), mem);
    expect_transcoded(V(BODY), crlf, "UTF-8 with LF line ends", mem);
    view marked = joined(V("\xef\xbb\xbf"), V(BODY), mem);
    expect_transcoded(V(BODY), marked, "UTF-8 without the byte order mark", mem);
}

/* Characters of three bytes and line ends fall on every place of the run's boundary. */
Test(cms, transcoding_is_exact_over_run_boundaries)
{
    for (size_t shift = 0; shift < 8; shift++) {
        AUTO(arena_free) arena *mem = test_arena();
        AUTO_DONE(buf_done) struct buf b;
        buf_init(&b, 1 << 20);
        for (size_t i = 0; i < shift; i++)
            BUF_LIT(&b, "x");
        for (size_t i = 0; i < 2500; i++)
            buf_add_view(&b, i % 3 == 0 ? V("\n") : V("骨折"));
        view body = buf_view(&b);
        for (int i = 0; i < 9; i += 4)
            expect_transcoded(transformed(i, body, mem), body, transformed_names[i], mem);
        view crlf = with_crlf(body, mem);
        expect_transcoded(body, crlf, "UTF-8 with LF line ends", mem);
    }
}

Test(cms, what_code_page_950_lacks_becomes_a_question_mark)
{
    AUTO(arena_free) arena *mem = test_arena();
    view sent = V("{\"name\":\"𠮷野 ☕ 骨折\"}"), as_signed = V("{\"name\":\"?野 ? 骨折\"}");
    expect_transcoded(converted(as_signed, "CP950", mem), sent, "code page 950", mem);
}

Test(cms, transcoded_and_weak)
{
    AUTO(arena_free) arena *mem = test_arena();
    view cp950 = converted(V(BODY), "CP950", mem);
    struct outcome o = verify(sign_as("h1", cp950, "sha1", false, mem), V(BODY), mem);
    cr_expect(o.code == E_WEAK_DIGEST);
    cr_expect_str_eq(o.fault.where, "signerInfos[0].digestAlgorithm: over the body as code page 950");
}

Test(cms, other_bytes_are_a_digest_mismatch)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("h1", V(BODY), "sha256", false, mem);
    struct outcome o = verify(der, V(BODY " "), mem);
    cr_expect(o.code == E_DIGEST_MISMATCH);
    cr_expect(verify(der, V(""), mem).code == E_DIGEST_MISMATCH);
    char *large = calloc(1, 3 << 20);
    cr_expect(verify(der, view_make(large, 3 << 20), mem).code == E_DIGEST_MISMATCH);
    free(large);
}

Test(cms, empty_body)
{
    AUTO(arena_free) arena *mem = test_arena();
    cr_expect(verify(sign_as("k1", V(""), "sha256", false, mem), V(""), mem).code == E_OK);
}

/* ---- forms of messages, made with OpenSSL ---- */

static EVP_PKEY *
key_of(const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "%s.key", name);
    FILE *in = fopen(in_sandbox(file), "rb");
    EVP_PKEY *pkey = in ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    cr_assert(pkey, "%s", name);
    fclose(in);
    return pkey;
}

static X509 *
x509_of(const char *name, arena *mem)
{
    X509 *x = NULL;
    cr_assert(certificate_parse(certificate_der(name, mem), &x, NULL) == E_OK);
    return x;
}

static view
der_of(CMS_ContentInfo *c, arena *mem)
{
    unsigned char *out = NULL;
    int n = i2d_CMS_ContentInfo(c, &out);
    cr_assert(n > 0);
    view der = arena_dup(mem, view_make(out, (size_t)n));
    OPENSSL_free(out);
    return der;
}

static view
sign_with(const char *const *names, size_t n, unsigned flags, unsigned signer_flags, view body, arena *mem)
{
    CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL | CMS_BINARY);
    for (size_t i = 0; i < n; i++) {
        AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of(names[i]);
        AUTO(X509_free) X509 *x = x509_of(names[i], mem);
        cr_assert(CMS_add1_signer(c, x, pkey, EVP_sha256(), signer_flags | flags | CMS_BINARY));
    }
    BIO *in = BIO_new_mem_buf(body.p, (int)body.n);
    cr_assert(CMS_final(c, in, NULL, flags | CMS_BINARY) == 1);
    BIO_free(in);
    view der = der_of(c, mem);
    CMS_ContentInfo_free(c);
    return der;
}

#define ONE(name) (const char *const[]){name}, 1

Test(cms, without_signed_attributes)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const names[] = {"h1", "k1"};
    for (size_t i = 0; i < 2; i++) {
        view der = sign_with(&names[i], 1, CMS_DETACHED, CMS_NOATTR, V(BODY), mem);
        struct outcome o = verify(der, V(BODY), mem);
        cr_expect(o.code == E_OK && o.signer[0].claimed_at.us == 0, "%s: %s", names[i],
                  err_info(o.code)->code);
        cr_expect(verify(der, V(BODY "x"), mem).code == E_SIGNATURE_MISMATCH);
        view cp950 = converted(V(BODY), "CP950", mem);
        o = verify(sign_with(&names[i], 1, CMS_DETACHED, CMS_NOATTR, cp950, mem), V(BODY), mem);
        cr_expect(o.code == E_SIGNED_TRANSCODED);
        cr_expect_str_eq(o.fault.found, "code page 950");
    }
}

Test(cms, key_identifiers)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_with(ONE("k1"), CMS_DETACHED, CMS_USE_KEYID, V(BODY), mem);
    struct outcome o = verify(der, V(BODY), mem);
    cr_expect(o.code == E_OK && o.signer[0].issuer_serial.n == 0);
    cr_expect(view_eq(o.signer[0].certificate_der, certificate_der("k1", mem)));
}

static view registered;

static view
look_up(void *self, view issuer_serial)
{
    view issuer, serial;
    struct der_item seq;
    cr_assert(self == &registered && der_only(issuer_serial, DER_SEQUENCE, &seq));
    cr_assert(der_certificate_names(registered, &issuer, &serial));
    return view_starts(seq.value, issuer) && view_ends(seq.value, serial) ? registered : VIEW_NONE;
}

Test(cms, without_a_certificate)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_with(ONE("h1"), CMS_DETACHED | CMS_NOCERTS, 0, V(BODY), mem);
    cr_expect(verify(der, V(BODY), mem).code == E_SIGNER_UNKNOWN);
    struct outcome o;
    fault_init(&o.fault);
    registered = certificate_der("h1", mem);
    cr_expect(cms_verify_detached(der, V(BODY), look_up, &registered, mem, o.signer, &o.n, &o.fault) == E_OK);
    cr_expect(view_eq(o.signer[0].certificate_der, registered));
    registered = certificate_der("h2", mem);
    fault_init(&o.fault);
    cr_expect(cms_verify_detached(der, V(BODY), look_up, &registered, mem, o.signer, &o.n, &o.fault) ==
              E_SIGNER_UNKNOWN);
    view by_key = sign_with(ONE("h1"), CMS_DETACHED | CMS_NOCERTS, CMS_USE_KEYID, V(BODY), mem);
    fault_init(&o.fault);
    cr_expect(cms_verify_detached(by_key, V(BODY), look_up, &registered, mem, o.signer, &o.n, &o.fault) ==
              E_SIGNER_UNKNOWN);
}

Test(cms, two_signers)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const both[] = {"h1", "h1-dr-lin"};
    view der = sign_with(both, 2, CMS_DETACHED, CMS_CADES, V(BODY), mem);
    struct outcome o = verify(der, V(BODY), mem);
    cr_assert(o.code == E_OK && o.n == 2, "%s: %s", o.fault.where, o.fault.found);
    cr_expect((o.signer[0].alg == ALG_RS256) != (o.signer[1].alg == ALG_RS256));
    cr_expect(o.signer[0].n_rest == 1 && o.signer[1].n_rest == 1);
    cr_expect(view_eq(o.signer[0].rest_der[0], o.signer[1].certificate_der));
}

Test(cms, the_second_signer_counts_as_well)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const both[] = {"k1", "k2"};
    view der = sign_with(both, 2, CMS_DETACHED, 0, V(BODY), mem);
    char *own = arena_alloc(mem, der.n);
    memcpy(own, der.p, der.n);
    own[der.n - 1] = (char)(own[der.n - 1] ^ 1); /* the last byte of the second signature */
    struct outcome o = verify(view_make(own, der.n), V(BODY), mem);
    cr_expect(o.code == E_SIGNATURE_MISMATCH, "%s", err_info(o.code)->code);
    cr_expect_str_eq(o.fault.where, "signerInfos[1].signature");
}

Test(cms, signers_and_certificates_are_bounded)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const names[] = {"k1", "k2", "j1", "nhia", "l1", "l2", "l3", "p1", "p2"};
    struct outcome o = verify(sign_with(names, 8, CMS_DETACHED, 0, V(BODY), mem), V(BODY), mem);
    cr_expect(o.code == E_OK && o.n == 8, "%s: %s", o.fault.where, o.fault.found);
    o = verify(sign_with(names, 9, CMS_DETACHED, 0, V(BODY), mem), V(BODY), mem);
    cr_expect(o.code == E_SIGNATURE_FORM);
    cr_expect_str_eq(o.fault.where, "certificates");
    o = verify(sign_with(names, 9, CMS_DETACHED | CMS_NOCERTS, 0, V(BODY), mem), V(BODY), mem);
    cr_expect(o.code == E_SIGNATURE_FORM);
    cr_expect_str_eq(o.fault.where, "signerInfos");
}

Test(cms, content_inside_is_another_profile)
{
    AUTO(arena_free) arena *mem = test_arena();
    cr_expect(verify(sign_with(ONE("k1"), 0, 0, V(BODY), mem), V(BODY), mem).code == E_SIGNATURE_PROFILE);
    BIO *in = BIO_new_mem_buf(BODY, sizeof BODY - 1);
    CMS_ContentInfo *c = CMS_data_create(in, 0);
    view data = der_of(c, mem);
    CMS_ContentInfo_free(c);
    BIO_free(in);
    cr_expect(verify(data, V(BODY), mem).code == E_SIGNATURE_PROFILE);
}

Test(cms, pss_salt_is_as_long_as_the_digest)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const struct {
        int salt;
        err code;
    } cases[] = {{32, E_OK}, {20, E_ALGORITHM}, {0, E_ALGORITHM}, {64, E_ALGORITHM}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of("h1");
        AUTO(X509_free) X509 *x = x509_of("h1", mem);
        CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED | CMS_BINARY);
        CMS_SignerInfo *si = CMS_add1_signer(c, x, pkey, EVP_sha256(), CMS_KEY_PARAM);
        EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);
        cr_assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
        cr_assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, cases[i].salt) == 1);
        BIO *in = BIO_new_mem_buf(BODY, sizeof BODY - 1);
        cr_assert(CMS_final(c, in, NULL, CMS_DETACHED | CMS_BINARY) == 1);
        cr_expect(verify(der_of(c, mem), V(BODY), mem).code == cases[i].code, "%d", cases[i].salt);
        BIO_free(in);
        CMS_ContentInfo_free(c);
    }
}

/* ---- certificates changed for others ---- */

/* The same issuer, serial number, and maybe key, but another certificate. */
static view
twin_of(const char *name, bool same_key, arena *mem)
{
    AUTO(X509_free) X509 *x = x509_of(name, mem);
    X509 *twin = X509_dup(x);
    AUTO(EVP_PKEY_free) EVP_PKEY *mine = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (!same_key)
        cr_assert(X509_set_pubkey(twin, mine) == 1);
    X509_gmtime_adj(X509_getm_notAfter(twin), 5);
    cr_assert(X509_sign(twin, mine, EVP_sha256()) > 0);
    unsigned char *out = NULL;
    int n = i2d_X509(twin, &out);
    view der = arena_dup(mem, view_make(out, (size_t)n));
    OPENSSL_free(out);
    X509_free(twin);
    return der;
}

static view
with_certificate(view der, view certificate, arena *mem)
{
    const unsigned char *p = (const unsigned char *)der.p, *q = (const unsigned char *)certificate.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    X509 *x = d2i_X509(NULL, &q, (long)certificate.n);
    cr_assert(c && x && CMS_add1_cert(c, x) == 1);
    view out = der_of(c, mem);
    X509_free(x);
    CMS_ContentInfo_free(c);
    return out;
}

Test(cms, a_certificate_of_another_key_does_not_fit)
{
    AUTO(arena_free) arena *mem = test_arena();
    view bare = sign_with(ONE("k1"), CMS_DETACHED | CMS_NOCERTS, 0, V(BODY), mem);
    view der = with_certificate(bare, twin_of("k1", false, mem), mem);
    cr_expect(verify(der, V(BODY), mem).code == E_SIGNATURE_MISMATCH);
    der = with_certificate(bare, certificate_der("k2", mem), mem);
    cr_expect(verify(der, V(BODY), mem).code == E_SIGNER_UNKNOWN);
}

Test(cms, signing_certificate_binds_the_certificate_not_only_its_key)
{
    AUTO(arena_free) arena *mem = test_arena();
    view twin = twin_of("k1", true, mem);
    view loose = sign_with(ONE("k1"), CMS_DETACHED | CMS_NOCERTS, 0, V(BODY), mem);
    cr_expect(verify(with_certificate(loose, twin, mem), V(BODY), mem).code == E_OK);
    view bound = sign_with(ONE("k1"), CMS_DETACHED | CMS_NOCERTS, CMS_CADES, V(BODY), mem);
    struct outcome o = verify(with_certificate(bound, twin, mem), V(BODY), mem);
    cr_expect(o.code == E_SIGNATURE_MISMATCH);
    cr_expect_str_eq(o.fault.where, "signerInfos[0].signedAttrs.signingCertificateV2");
    cr_expect(verify(with_certificate(bound, certificate_der("k1", mem), mem), V(BODY), mem).code == E_OK);
}

/* ---- encodings ---- */

/* The three outer elements with indefinite lengths, as Java libraries write them. */
static view
as_ber(view der, arena *mem)
{
    struct der_item outer, oid, context, data;
    cr_assert(der_only(der, DER_SEQUENCE, &outer) && der_take(&outer.value, DER_OID, &oid));
    cr_assert(der_take(&outer.value, DER_CONTEXT(0), &context) &&
              der_only(context.value, DER_SEQUENCE, &data));
    char *out = arena_alloc(mem, der.n + 16);
    size_t n = 0;
    memcpy(out, "\x30\x80", 2);
    n += 2;
    memcpy(out + n, oid.whole.p, oid.whole.n);
    n += oid.whole.n;
    memcpy(out + n, "\xa0\x80\x30\x80", 4);
    n += 4;
    memcpy(out + n, data.value.p, data.value.n);
    n += data.value.n;
    memset(out + n, 0, 6);
    return view_make(out, n + 6);
}

Test(cms, indefinite_lengths_are_read)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("h1", V(BODY), "sha256", true, mem);
    struct outcome o = verify(as_ber(der, mem), V(BODY), mem);
    cr_expect(o.code == E_OK, "%s: %s", o.fault.where, o.fault.found);
    cr_expect(verify(as_ber(der, mem), V(BODY "x"), mem).code == E_DIGEST_MISMATCH);
}

Test(cms, other_bytes_are_no_signature)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("k1", V(BODY), "sha256", false, mem);
    char *longer = arena_alloc(mem, der.n + 1);
    memcpy(longer, der.p, der.n);
    cr_expect(verify(view_make(longer, der.n + 1), V(BODY), mem).code == E_SIGNATURE_FORM);
    cr_expect(verify(VIEW_NONE, V(BODY), mem).code == E_SIGNATURE_FORM);
    cr_expect(verify(V("hello"), V(BODY), mem).code == E_SIGNATURE_FORM);
    char *huge = calloc(1, CMS_SIZE_MAX + 1);
    cr_expect(verify(view_make(huge, CMS_SIZE_MAX + 1), V(BODY), mem).code == E_TOO_LARGE);
    free(huge);
}

Test(cms, no_prefix_is_a_signature)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(arena_free) arena *scratch = test_arena();
    view der = sign_as("k1", V(BODY), "sha256", false, mem);
    for (size_t n = 0; n < der.n; n++) {
        char *part = malloc(n + 1);
        memcpy(part, der.p, n);
        cr_expect(verify(view_make(part, n), V(BODY), scratch).code == E_SIGNATURE_FORM, "%zu", n);
        free(part);
        arena_reset(scratch);
    }
}

/* Replaces the first occurrence. */
static view
edited(view der, view from, view to, arena *mem)
{
    char *own = arena_alloc(mem, der.n);
    memcpy(own, der.p, der.n);
    size_t at = view_find(der, from);
    cr_assert(at < der.n && from.n == to.n);
    memcpy(own + at, to.p, to.n);
    return view_make(own, der.n);
}

/* contentType and messageDigest must be there once; the other attribute takes their name. */
Test(cms, required_attributes)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("k1", V(BODY), "sha256", false, mem);
    static const view content_type = {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", 11};
    static const view message_digest = {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", 11};
    static const view signing_time = {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05", 11};
    static const view other = {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x7f", 11};
    cr_expect(verify(edited(der, content_type, other, mem), V(BODY), mem).code == E_SIGNATURE_FORM);
    cr_expect(verify(edited(der, message_digest, other, mem), V(BODY), mem).code == E_SIGNATURE_FORM);
    cr_expect(verify(edited(der, signing_time, message_digest, mem), V(BODY), mem).code == E_SIGNATURE_FORM);
    cr_expect(verify(edited(der, signing_time, other, mem), V(BODY), mem).code == E_SIGNATURE_MISMATCH);
}

/* OpenSSL reads a SET whose tag says that it is primitive, and writes it right: that is no reason to take it. */
Test(cms, a_wrong_tag_is_not_repaired)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = sign_as("k1", V(BODY), "sha256", false, mem);
    static const view right = {"\x01\x09\x03\x31\x0b", 5}, wrong = {"\x01\x09\x03\x11\x0b", 5};
    cr_expect(verify(edited(der, right, wrong, mem), V(BODY), mem).code == E_SIGNATURE_FORM);
}

/* Each bit of a message is flipped in turn.  What is still taken must say the same: same signer, same
 * algorithm, same time. */
Test(cms, no_flip_changes_what_is_said)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(arena_free) arena *scratch = arena_new(1 << 20);
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    view der = sign_as("k1", V(BODY), "sha256", false, mem);
    struct outcome good = verify(der, V(BODY), mem);
    cr_assert(good.code == E_OK);
    char *own = malloc(der.n);
    size_t taken = 0;
    for (size_t i = 0; i < der.n * 8; i++) {
        memcpy(own, der.p, der.n);
        own[i / 8] = (char)(own[i / 8] ^ 1 << i % 8);
        struct outcome o = verify(view_make(own, der.n), V(BODY), scratch);
        struct signer s;
        enum evidence_level level;
        void *pkey;
        if (o.code == E_OK && trust_judge(t, o.signer[0].certificate_der, NULL, 0, clock_now(), &s, &level,
                                          &pkey, NULL) == E_OK) {
            taken++;
            cr_expect(view_eq(o.signer[0].certificate_der, good.signer[0].certificate_der), "bit %zu", i);
            cr_expect(o.signer[0].alg == good.signer[0].alg && o.n == 1, "bit %zu", i);
            cr_expect(o.signer[0].claimed_at.us == good.signer[0].claimed_at.us, "bit %zu", i);
        }
        arena_reset(scratch);
    }
    free(own);
    /* The message's version and its list of digest algorithms say nothing that is not said again under the
     * signature. */
    cr_expect(taken <= 2 + 8 * 15, "%zu", taken);
}

Test(cms, signing_needs_files_that_fit)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der;
    const char *key = in_sandbox("k1.key"), *crt = in_sandbox("k1.crt");
    cr_expect(cms_sign_detached(V(BODY), "/nowhere", crt, false, "sha256", mem, &der, NULL) == E_FILE);
    cr_expect(cms_sign_detached(V(BODY), key, "/nowhere", false, "sha256", mem, &der, NULL) == E_FILE);
    cr_expect(cms_sign_detached(V(BODY), key, in_sandbox("k2.crt"), false, "sha256", mem, &der, NULL) ==
              E_FILE);
    cr_expect(cms_sign_detached(V(BODY), key, crt, false, "sha257", mem, &der, NULL) == E_ALGORITHM);
    AUTO(arena_free) arena *tiny = arena_new(16);
    cr_expect(cms_sign_detached(V(BODY), key, crt, false, "sha256", tiny, &der, NULL) == E_TOO_LARGE);
}
