#include "fixture.h"

#include <openssl/core_names.h>
#include <sys/stat.h>

static char dir[64];

static const char *
path(const char *name)
{
    static char out[128];
    if (!*dir) {
        memcpy(dir, "/tmp/claimgate-key-XXXXXX", 26);
        cr_assert(mkdtemp(dir));
    }
    cr_assert(snprintf(out, sizeof out, "%s/%s", dir, name) < (int)sizeof out);
    return out;
}

static void
sweep(void)
{
    static const char *const names[] = {"a.pem", "b.pem", "c.pem"};
    for (size_t i = 0; *dir && i < COUNT_OF(names); i++)
        unlink(path(names[i]));
    if (*dir)
        rmdir(dir);
}

TestSuite(key, .fini = sweep);

Test(key, made_keys_are_private_files_and_load_again)
{
    static const enum jose_alg algs[] = {ALG_ES256, ALG_ES384, ALG_PS256, ALG_ED25519};
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        struct key *made AUTO(key_free) = NULL, *loaded AUTO(key_free) = NULL;
        struct stat st;
        view signature;
        cr_assert_eq(key_create(path("a.pem"), algs[i], &made, NULL), E_OK);
        cr_assert_eq(stat(path("a.pem"), &st), 0);
        cr_expect_eq(st.st_mode & 07777, 0400);
        cr_assert_eq(key_load_pem(path("a.pem"), &loaded, NULL), E_OK);
        cr_expect(view_eq(made->kid, loaded->kid));
        cr_expect_eq(made->alg, algs[i]);
        cr_assert_eq(key_sign(made, V("data"), mem, &signature), E_OK);
        cr_expect_eq(pkey_verify(loaded->pkey, algs[i], V("data"), signature), E_OK);
        cr_expect_eq(pkey_verify(loaded->pkey, algs[i], V("date"), signature), E_SIGNATURE_MISMATCH);
        unlink(path("a.pem"));
    }
}

Test(key, never_writes_over_a_file)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k = NULL;
    struct fault f;
    fault_init(&f);
    fx_write(path("b.pem"), V("precious"));
    cr_expect_eq(key_create(path("b.pem"), ALG_ES256, &k, &f), E_FILE);
    cr_expect(k == NULL && f.code == E_FILE);
    cr_expect_eq(key_create("/nonexistent/dir/k.pem", ALG_ES256, &k, NULL), E_FILE);
    cr_expect_eq(key_create(path("c.pem"), ALG_NONE, &k, NULL), E_ALGORITHM);
    cr_expect_neq(access(path("c.pem"), F_OK), 0);
    cr_expect(mem != NULL);
}

static view
pem_encrypted(EVP_PKEY *pkey, arena *mem)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    cr_assert(PEM_write_bio_PKCS8PrivateKey(out, pkey, EVP_aes_256_cbc(), "pw", 2, NULL, NULL) == 1);
    long n = BIO_get_mem_data(out, &text);
    view kept = arena_dup(mem, view_make(text, (size_t)n));
    BIO_free(out);
    return kept;
}

static view
pem_public(EVP_PKEY *pkey, arena *mem)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    cr_assert(PEM_write_bio_PUBKEY(out, pkey) == 1);
    long n = BIO_get_mem_data(out, &text);
    view kept = arena_dup(mem, view_make(text, (size_t)n));
    BIO_free(out);
    return kept;
}

Test(key, what_is_no_usable_private_key)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *ec = fx_pkey(ALG_ES256), *p521 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"),
             *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
             *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    struct key *k = NULL;
    cr_expect_eq(key_of_pem(V(""), &k, NULL), E_KEY_FORM);
    cr_expect_eq(key_of_pem(V("no key"), &k, NULL), E_KEY_FORM);
    cr_expect_eq(key_of_pem(pem_encrypted(ec, mem), &k, NULL), E_KEY_FORM);
    cr_expect_eq(key_of_pem(pem_public(ec, mem), &k, NULL), E_KEY_FORM);
    cr_expect_eq(key_of_pem(fx_pem_of(p521, mem), &k, NULL), E_ALGORITHM);
    cr_expect_eq(key_of_pem(fx_pem_of(small, mem), &k, NULL), E_ALGORITHM);
    cr_expect_eq(key_of_pem(fx_pem_of(x25519, mem), &k, NULL), E_ALGORITHM);
    cr_expect_eq(key_load_pem(path("none.pem"), &k, NULL), E_FILE);
    cr_expect_eq(key_load_pem("/tmp", &k, NULL), E_FILE);
    cr_expect(k == NULL);
    key_free(NULL);
    EVP_PKEY_free(ec), EVP_PKEY_free(p521), EVP_PKEY_free(small), EVP_PKEY_free(x25519);
}

/* What a key hands out cannot sign. */
Test(key, the_public_half_is_public)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    BIGNUM *d = NULL;
    cr_expect_neq(EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d), 1);
}

Test(key, public_keys_read_from_der_and_pem)
{
    static const enum jose_alg algs[] = {ALG_ES256, ALG_ES384, ALG_RS256, ALG_ED25519};
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        EVP_PKEY *pkey = fx_pkey(algs[i]);
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(pkey, &der);
        void *read = NULL;
        cr_assert_eq(pkey_read(view_make(der, (size_t)n), &read, NULL), E_OK);
        cr_expect_eq(EVP_PKEY_eq(read, pkey), 1);
        cr_expect_eq(pkey_default_alg(read), algs[i]);
        digest d = pkey_spki_digest(read), want = sha256(view_make(der, (size_t)n));
        cr_expect(digest_eq(&d, &want));
        pkey_free(read);
        read = NULL;
        cr_assert_eq(pkey_read(pem_public(pkey, mem), &read, NULL), E_OK);
        cr_expect_eq(EVP_PKEY_eq(read, pkey), 1);
        pkey_free(read);
        read = NULL;
        view longer = arena_dup(mem, view_make(der, (size_t)n + 0));
        char *more = arena_alloc(mem, longer.n + 1);
        memcpy(more, longer.p, longer.n);
        cr_expect_eq(pkey_read(view_make(more, longer.n + 1), &read, NULL), E_KEY_FORM,
                     "a byte behind the end");
        cr_expect_eq(pkey_read(view_sub(longer, 0, longer.n - 1), &read, NULL), E_KEY_FORM);
        cr_expect_eq(pkey_read(fx_pem_of(pkey, mem), &read, NULL), E_KEY_FORM, "a private key");
        cr_expect(read == NULL);
        OPENSSL_free(der);
        EVP_PKEY_free(pkey);
    }
    void *none = NULL;
    cr_expect_eq(pkey_read(VIEW_NONE, &none, NULL), E_KEY_FORM);
    pkey_free(NULL);
}

/* CVE-2020-0601: a curve spelled out with another generator. */
Test(key, explicit_curves_are_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    cr_assert(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
                                             OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    void *read = NULL;
    cr_assert(n > 150);
    cr_expect_eq(pkey_read(view_make(der, (size_t)n), &read, NULL), E_ALGORITHM);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    cr_expect(mem != NULL);
}

/* More keys than a thread keeps contexts for, each used again after it was put out. */
Test(key, many_keys_in_one_thread)
{
    enum { MANY = 20 };
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *keys[MANY];
    view signature[MANY];
    for (int i = 0; i < MANY; i++) {
        keys[i] = fx_key(ALG_ES256, mem);
        cr_assert_eq(key_sign(keys[i], V("data"), mem, &signature[i]), E_OK);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++)
            for (int j = 0; j < 2; j++)
                cr_expect_eq(pkey_verify(keys[i]->pkey, ALG_ES256, V("data"), signature[(i + j) % MANY]),
                             j ? E_SIGNATURE_MISMATCH : E_OK);
    for (int i = 0; i < MANY; i++)
        key_free(keys[i]);
}

/* A key freed and another made, perhaps at the same address: the kept context must not answer for the new
 * one. */
Test(key, a_freed_key_is_not_mistaken_for_a_new_one)
{
    arena *mem AUTO(arena_free) = fx_arena();
    view first = VIEW_NONE;
    for (int i = 0; i < 50; i++) {
        struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
        view signature;
        if (i > 0)
            cr_expect_eq(pkey_verify(k->pkey, ALG_ES256, V("data"), first), E_SIGNATURE_MISMATCH);
        cr_assert_eq(key_sign(k, V("data"), mem, &signature), E_OK);
        cr_expect_eq(pkey_verify(k->pkey, ALG_ES256, V("data"), signature), E_OK);
        first = signature;
    }
}
