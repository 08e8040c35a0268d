#include "cli/bench/bench.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPELL_US 400000
#define APPENDED 8192

void
bench_cores(int *ret_server, int *ret_load)
{
    cpu_set_t set;
    int found[2] = {0, 0}, n = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (size_t i = 0; i < CPU_SETSIZE && n < 2; i++)
            if (CPU_ISSET(i, &set))
                found[n++] = (int)i;
    *ret_server = found[0];
    *ret_load = n > 1 ? found[1] : found[0];
}

void
bench_pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)!sched_setaffinity(0, sizeof set,
                             &set); /* without it the figures are of no fixed core, and still figures */
}

/* CPU time of this thread: what a core can do when it is not shared. */
static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double
per_second(size_t n, int64_t from_us)
{
    int64_t took = clock_monotonic_us() - from_us;
    return took > 0 ? (double)n * 1e6 / (double)took : 0;
}

/* Key and context are kept, the digest is made before: what is left is the curve. */
static double
verify_with(EVP_PKEY *key, double *ret_cpu_us)
{
    uint8_t hash[32] = {1}, signature[80];
    size_t n = sizeof signature, done = 0;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    bool good = c && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_sign(c, signature, &n, hash, sizeof hash) == 1 &&
                EVP_PKEY_verify_init(c) == 1;
    int64_t from = clock_monotonic_us(), cpu = cpu_us();
    while (good && clock_monotonic_us() - from < SPELL_US) {
        for (int i = 0; i < 50 && good; i++, done++)
            good = EVP_PKEY_verify(c, signature, n, hash, sizeof hash) == 1;
    }
    double rate = good ? per_second(done, from) : 0;
    *ret_cpu_us = done ? (double)(cpu_us() - cpu) / (double)done : 0;
    EVP_PKEY_CTX_free(c);
    return rate;
}

static double
measure_verify(double *ret_cpu_us)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    double rate = key ? verify_with(key, ret_cpu_us) : 0;
    EVP_PKEY_free(key);
    return rate;
}

static double
measure_sync(const char *dir)
{
    static const char bytes[APPENDED] = {1};
    char path[BENCH_PATH];
    snprintf(path, sizeof path, "%s/appended", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
    bool good = fd >= 0;
    size_t done = 0;
    int64_t from = clock_monotonic_us();
    for (; good && clock_monotonic_us() - from < SPELL_US; done++)
        good = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fdatasync(fd) == 0;
    double rate = good ? per_second(done, from) : 0;
    if (fd >= 0)
        close(fd);
    unlink(path);
    return rate;
}

static double
measure_hash(arena *mem)
{
    const size_t n = (size_t)1 << 20;
    char *bytes = arena_alloc(mem, n);
    size_t done = 0;
    int64_t from = clock_monotonic_us();
    for (; bytes && clock_monotonic_us() - from < SPELL_US; done++) {
        digest d = sha256(view_make(bytes, n));
        bytes[done % n] = (char)d.b[0]; /* the next input depends on it */
    }
    return per_second(done * n, from) / 1e6;
}

err
bench_limits_measure(const char *dir, struct bench_limits *ret, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new((size_t)4 << 20);
    struct bench_limits l = {.verifications = 0};
    l.verifications = measure_verify(&l.verify_cpu_us);
    l.syncs = measure_sync(dir);
    l.hashed_mb = measure_hash(mem);
    if (l.verifications <= 0 || l.syncs <= 0)
        return fault_set(f, E_INTERNAL, dir, "signatures and a file to measure with", "a failure");
    *ret = l;
    return E_OK;
}
