/* room: flow */
/* Many threads sign while one changes the keys and reloads: whatever a thread holds signs, stays whole until it is given back, and is shown by every
 * later snapshot.  Run under ThreadSanitizer. */
#include "flow/evidence/keyring.h"

#include "flow/gateway.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 4
#define SWAPS 60
#define NAMES 3

static char dir[] = "/tmp/claimgate-keyring-XXXXXX";
static struct gateway gateway;
static atomic_int failures, signatures;
static atomic_bool over;

static void
check(bool ok, const char *what)
{
    if (!ok && atomic_fetch_add(&failures, 1) < 10)
        fprintf(stderr, "failed: %s\n", what);
}

static const char *
in_dir(const char *name, int n, char path[256])
{
    snprintf(path, 256, n < 0 ? "%s/%s" : "%s/%s.%d", dir, name, n);
    return path;
}

static void *
sign_many(void *unused)
{
    arena *mem = arena_new(1u << 20);
    (void)unused;
    do {
        view jws = VIEW_NONE, raw = VIEW_NONE;
        struct keyring *held = gateway_keys(&gateway);
        check(jws_sign(held->signing, V(""), V("{}"), false, mem, &jws) == E_OK, "a key that is held signs");
        check(key_sign(held->webhook, V("x"), mem, &raw) == E_OK, "the other too");
        check(pkey_verify(held->webhook->pkey, ALG_ED25519, V("x"), raw) == E_OK, "and its signature holds");
        struct keyring *later = gateway_keys(&gateway);
        check(keyring_knows(later, held->signing->kid), "a later snapshot shows who signed");
        check(keyring_jwks(later, clock_now(), mem).n > 0, "as a JWKS");
        keyring_unref(held);
        keyring_unref(later);
        atomic_fetch_add(&signatures, 1);
        arena_reset(mem);
    } while (!atomic_load(&over));
    arena_free(mem);
    return NULL;
}

static void
make_key(const char *name, int n, enum jose_alg alg)
{
    char path[256];
    struct key *k = NULL;
    check(key_create(in_dir(name, n, path), alg, &k, NULL) == E_OK, "a key is made");
    key_free(k);
}

/* The n-th pair takes its place; the keys shown until now are kept beside it. */
static void
put_pair(int n)
{
    static const char *const names[] = {"gateway.key", "webhook.key"};
    char from[256], to[256];
    for (int i = 0; i < 2; i++) {
        unlink(in_dir(names[i], -1, to));
        check(link(in_dir(names[i], n, from), to) == 0, "a key is put in place");
    }
}

static void
keep_shown(void)
{
    char path[256], fresh[256];
    arena *mem = arena_new(1u << 20);
    struct keyring *k = gateway_keys(&gateway);
    view jwks = keyring_jwks(k, clock_now(), mem);
    FILE *out = fopen(in_dir("fresh", -1, fresh), "wb");
    check(out && fwrite(jwks.p, 1, jwks.n, out) == jwks.n && fclose(out) == 0, "the JWKS is kept");
    check(rename(fresh, in_dir("overlap-keys.json", -1, path)) == 0, "the JWKS is in place");
    keyring_unref(k);
    arena_free(mem);
}

static void
clean(void)
{
    static const char *const names[] = {"gateway.key", "webhook.key", "overlap-keys.json"};
    char path[256];
    for (int i = 0; i < 3; i++)
        for (int n = -1; n < NAMES; n++)
            unlink(in_dir(names[i], n, path));
    rmdir(dir);
}

static void
swap_many(void)
{
    for (int i = 1; i <= SWAPS; i++) {
        put_pair(i % NAMES);
        check(i != 1 || gateway_reload_keys(&gateway, NULL) == E_CONFIG,
              "keys that would vanish are refused");
        keep_shown();
        check(gateway_reload_keys(&gateway, NULL) == E_OK, "a reload");
    }
}

int
main(void)
{
    pthread_t threads[THREADS];
    char setting[300];
    struct config *c = NULL;
    const char *overrides[] = {setting};
    if (!mkdtemp(dir))
        return 1;
    snprintf(setting, sizeof setting, "store.dir=%s", dir);
    for (int n = 0; n < NAMES; n++) {
        make_key("gateway.key", n, ALG_ES256);
        make_key("webhook.key", n, ALG_ED25519);
    }
    put_pair(0);
    if (config_load(NULL, overrides, 1, &c, NULL) != E_OK || keyring_load(c, &gateway.keys, NULL) != E_OK)
        return 1;
    gateway.config = c;
    pthread_rwlock_init(&gateway.swap, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, sign_many, NULL);
    swap_many();
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d swaps, %d signatures\n", SWAPS, atomic_load(&signatures));
    keyring_unref(gateway.keys);
    pthread_rwlock_destroy(&gateway.swap);
    config_free(c);
    clean();
    return atomic_load(&failures) ? 1 : 0;
}
