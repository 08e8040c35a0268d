/* Keys in a token of SoftHSM: signatures hold by the public half, many threads sign at once, a login that is lost is made again, and what is wrong
 * with a URI is said.  Skips where SoftHSM is not installed. */
#include "fixture.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const modules[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                      "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                      "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};
static char dir[64];

static const char *
module_path(void)
{
    for (size_t i = 0; i < COUNT_OF(modules); i++)
        if (access(modules[i], R_OK) == 0 && system("command -v softhsm2-util >/dev/null") == 0)
            return modules[i];
    return NULL;
}

static void
run(const char *format, ...)
{
    char command[1024];
    va_list more;
    va_start(more, format);
    vsnprintf(command, sizeof command, format, more);
    va_end(more);
    cr_assert_eq(system(command), 0, "%s", command);
}

/* A token with a PEM key put into it. */
static void
token_make(void)
{
    char conf[128];
    const char *module = module_path();
    if (!module)
        cr_skip("SoftHSM (package softhsm2) is not installed");
    snprintf(dir, sizeof dir, "/tmp/claimgate-hsm-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(conf, sizeof conf, "%s/softhsm2.conf", dir);
    run("mkdir %s/tokens && printf 'directories.tokendir = %s/tokens\\nlog.level = ERROR\\n' > %s && printf "
        "'4321\\n' > %s/pin",
        dir, dir, conf, dir);
    setenv("SOFTHSM2_CONF", conf, 1);
    run("softhsm2-util --init-token --free --label claimgate --pin 4321 --so-pin 8765 >/dev/null");
    run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s/ec.pem 2>/dev/null", dir);
    run("softhsm2-util --import %s/ec.pem --token claimgate --label gateway --id 01 --pin 4321 >/dev/null",
        dir);
}

static void
sweep(void)
{
    if (*dir)
        run("rm -rf %s", dir);
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

Test(key_pkcs11, signs_as_the_same_key_in_a_file)
{
    token_make();
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = NULL, *file AUTO(key_free) = NULL;
    struct fault f;
    char pem[128];
    view signature;
    fault_init(&f);
    snprintf(pem, sizeof pem, "%s/ec.pem", dir);
    cr_assert_eq(key_load(pem, &file, &f), E_OK);
    cr_assert_eq(key_load(uri("gateway"), &k, &f), E_OK, "%s: %s, %s", f.where, f.expected, f.found);
    cr_expect(view_eq(k->kid, file->kid) && k->alg == ALG_ES256);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(key_sign(k, V("data"), mem, &signature), E_OK);
        cr_expect_eq(pkey_verify(file->pkey, ALG_ES256, V("data"), signature), E_OK);
        cr_expect_eq(pkey_verify(file->pkey, ALG_ES256, V("date"), signature), E_SIGNATURE_MISMATCH);
    }
    view jws = VIEW_NONE;
    cr_assert_eq(jws_sign(k, V("\"typ\":\"x\""), V("payload"), false, mem, &jws), E_OK);
    struct jws_parts parts;
    cr_assert_eq(jws_split(jws, mem, &parts, &f), E_OK);
    cr_expect_eq(jws_verify(&parts, VIEW_NONE, ALG_ES256, file->pkey, mem, &f), E_OK);
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
    char other_token[512], with_pin[512], bad_pin[512], no_pin[512], no_module[512], bad_module[512];
    const char *module = module_path();
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
