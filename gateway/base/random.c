#include "base/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

/* A document takes some twenty ids, salts, nonces and keys; a system call for each costs more than the bytes. */
#define POOL_SIZE 512u
/* What asks for more goes to the system at once. */
#define POOLED_MOST 64u

/* Bytes are given out once and wiped as they are: what is left was never anybody's. */
struct pool {
    unsigned generation; /* of the process that filled it; 0 = never filled */
    size_t left;         /* at the front */
    uint8_t bytes[POOL_SIZE];
};

static const struct random_ops *ops;
static _Thread_local struct pool pool;
static pthread_once_t watched = PTHREAD_ONCE_INIT;
static _Atomic unsigned generation = 1;

void
random_set(const struct random_ops *new_ops)
{
    ops = new_ops;
}

/* Ids, salts and nonces stand on it, so there is no answer to a failure but to stop. */
static void
system_bytes(uint8_t *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        out += got;
        n -= (size_t)got;
    }
}

/* A child must not give out what its parent holds too. */
static void
forked(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void
watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forked) != 0)
        abort();
}

static void
pool_fill(struct pool *p, unsigned now)
{
    if (pthread_once(&watched, watch_forks) != 0)
        abort();
    system_bytes(p->bytes, sizeof p->bytes);
    p->left = sizeof p->bytes;
    p->generation = now;
}

static void
pooled_bytes(uint8_t *out, size_t n)
{
    struct pool *p = &pool;
    unsigned now = atomic_load_explicit(&generation, memory_order_relaxed);
    if (p->generation != now || p->left < n)
        pool_fill(p, now);
    p->left -= n;
    memcpy(out, p->bytes + p->left, n);
    explicit_bzero(p->bytes + p->left, n);
}

void
random_bytes(void *out, size_t n)
{
    if (ops)
        ops->bytes(ops->self, out, n);
    else if (n > POOLED_MOST)
        system_bytes(out, n);
    else
        pooled_bytes(out, n);
}
