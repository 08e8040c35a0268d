/* room: signing */
/* Many threads judge a few leaves in one trust list, with and without borrowing, while the time that they ask
 * for moves over the edges of the judgement's window; and many distinct leaves push each other out of a
 * cache.  Run under ThreadSanitizer. */
#include "signing/trust/trust_cache.h"
#include "signing/sandbox/pki_sandbox.h"

#include "base/digest.h"
#include "base/json.h"
#include "signing/jose/jws.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 2000

static char dir[] = "/tmp/claimgate-stress-XXXXXX";
static atomic_int failures;

static const char *const names[] = {"h1", "h2", "k1", "l1", "person-wang", "h1-dr-lin"};
#define NAMES (sizeof names / sizeof names[0])

static view leaf[NAMES];
static digest spki[NAMES];
static struct trust *trust;
static struct trust_cache *cache;
static EVP_PKEY *pkey;

static void
check(bool ok, const char *what)
{
    if (!ok && atomic_fetch_add(&failures, 1) < 10)
        fprintf(stderr, "failed: %s\n", what);
}

static void
clean(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

/* Borrowed answers, copies in an arena, and times before and after the list's nextUpdate in turn. */
static void *
judge_many(void *self)
{
    unsigned seed = (unsigned)(uintptr_t)self;
    arena *mem = arena_new(1 << 20);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t k = (i * 7 + seed) % NAMES;
        instant at = instant_add(clock_now(), SPAN_DAYS((i + seed) % 3 == 0 ? SANDBOX_LIST_DAYS + 3 : 0));
        struct signer s;
        enum evidence_level level;
        struct revocation_used used;
        void *key = NULL;
        err e = i % 2 ? trust_judge(trust, leaf[k], NULL, 0, at, &s, &level, &key, NULL)
                      : trust_judge_copy(trust, leaf[k], NULL, 0, at, mem, &s, &level, &used, &key, NULL);
        check(e == E_OK, "a good leaf is good");
        if (e == E_OK) {
            digest got = pkey_spki_digest(key);
            check(digest_eq(&got, &spki[k]) && digest_eq(&s.spki, &spki[k]), "the key is the leaf's");
            check(level == ((i + seed) % 3 == 0 ? LEVEL_CACHED_WITHIN_GRACE : LEVEL_VERIFIED_CRL), "level");
        }
        arena_reset(mem);
    }
    arena_free(mem);
    return NULL;
}

static void *
fill_cache(void *self)
{
    uint32_t mine = (uint32_t)(uintptr_t)self;
    for (uint32_t i = 0; i < 20 * ROUNDS; i++) {
        uint32_t n = i % 3 ? i * THREADS + mine : i % 64;
        struct leaf l = {.said = {.until = {INT64_MAX}}, .pkey = pkey};
        memcpy(l.facts.fingerprint.b, &n, sizeof n);
        trust_cache_put(cache, &l, n < 8);
        struct leaf found;
        const struct leaf *kept = NULL;
        if (trust_cache_find(cache, &l.facts.fingerprint, (instant){1}, n < 8, &found, &kept)) {
            check(found.pkey == pkey && (n >= 8 || kept->pkey == pkey), "the cache gives what was put");
            EVP_PKEY_free(found.pkey);
        } else {
            check(n >= 8, "a kept leaf stays");
        }
    }
    return NULL;
}

static void
run(void *(*work)(void *))
{
    pthread_t thread[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, work, (void *)i) != 0)
            abort();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

static bool
read_leaf(size_t i, arena *mem)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.crt", dir, names[i]);
    FILE *in = fopen(path, "rb");
    static char pem[65536];
    size_t n = in ? fread(pem, 1, sizeof pem, in) : 0;
    if (in)
        fclose(in);
    struct signer s;
    if (certificate_read(view_make(pem, n), mem, &s, &leaf[i], NULL) != E_OK)
        return false;
    spki[i] = s.spki;
    return true;
}

int
main(void)
{
    struct fault f;
    fault_init(&f);
    digest_start();
    json_start();
    arena *mem = arena_new(1 << 20);
    if (!mkdtemp(dir) || pki_sandbox_make(dir, &f) != E_OK)
        return 1;
    char list[512];
    snprintf(list, sizeof list, "%s/trust.json", dir);
    bool ready = trust_load(list, true, &trust, &f) == E_OK;
    for (size_t i = 0; ready && i < NAMES; i++)
        ready = read_leaf(i, mem);
    clean();
    if (!ready)
        return 1;
    run(judge_many);
    trust_unref(trust);
    cache = trust_cache_new();
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    run(fill_cache);
    check(trust_cache_count(cache) <= TRUST_CACHE_MAX + 8, "the cache is bounded");
    trust_cache_free(cache);
    EVP_PKEY_free(pkey);
    arena_free(mem);
    return atomic_load(&failures) ? 1 : 0;
}
