/* Keys in a token of SoftHSM: signatures hold by the public half, many threads sign at once, and what is wrong with a URI is said.  Skips where
 * SoftHSM is not installed. */
#include "fixture.h"

#include <ftw.h>
#include <p11-kit/p11-kit.h>
#include <pthread.h>
#include <sys/stat.h>

static const char *const modules[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
};
static char dir[64];

static const char *
module_path(void)
{
    for (size_t i = 0; i < COUNT_OF(modules); i++)
        if (access(modules[i], R_OK) == 0)
            return modules[i];
    return NULL;
}

static const char *
in_dir(const char *name)
{
    static char path[4][160];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A pair of keys under one label in an open session. */
static void
make_pair(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE session, const char *label)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_BBOOL yes = CK_TRUE;
    CK_MECHANISM make = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof yes},
                             {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)},
                             {CKA_VERIFY, &yes, sizeof yes},
                             {CKA_EC_PARAMS, p256, sizeof p256}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},
                              {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)},
                              {CKA_SIGN, &yes, sizeof yes},
                              {CKA_SENSITIVE, &yes, sizeof yes},
                              {CKA_PRIVATE, &yes, sizeof yes}};
    CK_OBJECT_HANDLE a, b;
    cr_assert(m->C_GenerateKeyPair(session, &make, public, COUNT_OF(public), private, COUNT_OF(private), &a,
                                   &b) == CKR_OK);
}

/* A token "claimgate" with the PIN 4321 and the keys gateway, and twice the label two. */
static void
token_make(void)
{
    static CK_UTF8CHAR so[] = "8765", pin[] = "4321", label[33] = "claimgate                       ";
    char conf[256];
    CK_SLOT_ID slot;
    CK_ULONG n = 1;
    CK_SESSION_HANDLE s;
    if (!module_path())
        cr_skip("SoftHSM (package softhsm2) is not installed");
    snprintf(dir, sizeof dir, "/tmp/claimgate-hsm-XXXXXX");
    cr_assert(mkdtemp(dir) && mkdir(in_dir("tokens"), 0700) == 0);
    snprintf(conf, sizeof conf, "directories.tokendir = %s/tokens\nlog.level = ERROR\n", dir);
    fx_write(in_dir("softhsm2.conf"), view_of(conf));
    fx_write(in_dir("pin"), V("4321\n"));
    setenv("SOFTHSM2_CONF", in_dir("softhsm2.conf"), 1);
    CK_FUNCTION_LIST *m = p11_kit_module_load(module_path(), 0);
    cr_assert(m && p11_kit_module_initialize(m) == CKR_OK);
    cr_assert(m->C_GetSlotList(CK_FALSE, &slot, &n) == CKR_OK && n == 1);
    cr_assert(m->C_InitToken(slot, so, 4, label) == CKR_OK);
    n = 1;
    (void)m->C_GetSlotList(CK_TRUE, &slot, &n); /* the token has moved to a slot of its own */
    cr_assert(m->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s) == CKR_OK);
    cr_assert(m->C_Login(s, CKU_SO, so, 4) == CKR_OK && m->C_InitPIN(s, pin, 4) == CKR_OK &&
              m->C_Logout(s) == CKR_OK);
    cr_assert(m->C_Login(s, CKU_USER, pin, 4) == CKR_OK);
    make_pair(m, s, "gateway");
    make_pair(m, s, "two");
    make_pair(m, s, "two");
    m->C_Logout(s);
    m->C_CloseSession(s);
    p11_kit_module_finalize(m);
    p11_kit_module_release(m);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

static void
sweep(void)
{
    if (*dir)
        (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(key_pkcs11, .fini = sweep);

static const char *
uri(const char *object)
{
    static char text[512];
    snprintf(text, sizeof text, "pkcs11:token=claimgate;object=%s?module-path=%s&pin-source=file:%s/pin",
             object, module_path(), dir);
    return text;
}

Test(key_pkcs11, what_it_signs_holds_by_its_public_half)
{
    token_make();
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = NULL;
    struct fault f;
    view signature, printed = VIEW_NONE, jws = VIEW_NONE, kid = VIEW_NONE;
    fault_init(&f);
    cr_assert_eq(key_load(uri("gateway"), &k, &f), E_OK, "%s: %s, %s", f.where, f.expected, f.found);
    cr_expect_eq(k->alg, ALG_ES256);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(key_sign(k, V("data"), mem, &signature), E_OK);
        cr_expect_eq(pkey_verify(k->pkey, ALG_ES256, V("data"), signature), E_OK);
        cr_expect_eq(pkey_verify(k->pkey, ALG_ES256, V("date"), signature), E_SIGNATURE_MISMATCH);
    }
    struct jws_parts parts;
    cr_assert_eq(jws_sign(k, V("\"typ\":\"x\""), V("payload"), false, mem, &jws), E_OK);
    cr_assert_eq(jws_split(jws, mem, &parts, &f), E_OK);
    cr_expect_eq(jws_verify(&parts, VIEW_NONE, ALG_ES256, k->pkey, mem, &f), E_OK);
    cr_assert_eq(jwk_print(k, mem, &printed), E_OK);
    cr_assert_eq(jwk_thumbprint(k->pkey, mem, &kid), E_OK);
    cr_expect(view_eq(kid, k->kid) && view_find(printed, kid) < printed.n);
}

static void *
sign_many(void *self)
{
    struct key *k = self;
    arena *mem AUTO(arena_free) = fx_arena();
    view signature;
    size_t bad = 0;
    for (int i = 0; i < 50; i++)
        bad += key_sign(k, V("data"), mem, &signature) != E_OK ||
               pkey_verify(k->pkey, k->alg, V("data"), signature) != E_OK;
    return (void *)bad;
}

Test(key_pkcs11, many_threads_sign_at_once)
{
    token_make();
    struct key *k AUTO(key_free) = NULL;
    pthread_t threads[12];
    void *bad;
    digest_start();
    cr_assert_eq(key_load(uri("gateway"), &k, NULL), E_OK);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, sign_many, k), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], &bad);
        cr_expect_eq((size_t)bad, 0);
    }
}

/* Two keys share one module; what one of them lets go of must not take the other's sessions. */
Test(key_pkcs11, a_key_outlives_another_of_the_same_token)
{
    token_make();
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *first = NULL, *second AUTO(key_free) = NULL;
    view signature;
    cr_assert_eq(key_load(uri("gateway"), &first, NULL), E_OK);
    cr_assert_eq(key_load(uri("gateway"), &second, NULL), E_OK);
    key_free(first);
    cr_assert_eq(key_sign(second, V("data"), mem, &signature), E_OK);
    cr_expect_eq(pkey_verify(second->pkey, ALG_ES256, V("data"), signature), E_OK);
}

Test(key_pkcs11, what_is_wrong_is_said)
{
    token_make();
    char two[512], other_token[512], with_pin[512], bad_pin[512], no_pin[512], no_module[512],
        bad_module[512];
    const char *module = module_path();
    snprintf(two, sizeof two, "%s", uri("two"));
    snprintf(other_token, sizeof other_token,
             "pkcs11:token=other;object=gateway?module-path=%s&pin-source=file:%s/pin", module, dir);
    snprintf(with_pin, sizeof with_pin, "pkcs11:token=claimgate;object=gateway?module-path=%s&pin-value=4321",
             module);
    snprintf(bad_pin, sizeof bad_pin,
             "pkcs11:token=claimgate;object=gateway?module-path=%s&pin-source=file:%s/softhsm2.conf", module,
             dir);
    snprintf(no_pin, sizeof no_pin,
             "pkcs11:token=claimgate;object=gateway?module-path=%s&pin-source=file:%s/nothing", module, dir);
    snprintf(no_module, sizeof no_module, "pkcs11:token=claimgate;object=gateway?pin-source=file:%s/pin",
             dir);
    snprintf(bad_module, sizeof bad_module,
             "pkcs11:token=claimgate;object=gateway?module-path=%s/pin&pin-source=file:%s/pin", dir, dir);
    const struct {
        const char *uri, *found;
        err code;
    } cases[] = {
        {uri("nothing"), "none", E_CONFIG},        {other_token, "no such token", E_CONFIG},
        {with_pin, "a PIN in the URI", E_CONFIG},  {bad_pin, "another", E_CONFIG},
        {no_pin, "none that can be read", E_FILE}, {no_module, "none", E_CONFIG},
        {bad_module, "none that loads", E_CONFIG}, {"pkcs11:token=%zz", "another form", E_CONFIG},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct key *k = NULL;
        struct fault f;
        fault_init(&f);
        cr_expect(key_load(cases[i].uri, &k, &f) == cases[i].code && strcmp(f.found, cases[i].found) == 0,
                  "%zu: %s: %s, %s", i, f.where, f.expected, f.found);
        cr_expect_null(k);
    }
}
