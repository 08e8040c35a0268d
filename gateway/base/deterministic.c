#include "base/deterministic.h"

#include "base/digest.h"
#include "base/id.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define STEP_US 1000
#define START_UNIX 1772416800 /* 2026-03-02T02:00:00Z */

static _Atomic int64_t wall_us;
static _Atomic int64_t monotonic_us;

static pthread_mutex_t stream_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t stream_seed, stream_counter;

static instant
now(void *self)
{
    (void)self;
    return (instant){atomic_fetch_add(&wall_us, STEP_US)};
}

static int64_t
monotonic_now(void *self)
{
    (void)self;
    return atomic_fetch_add(&monotonic_us, STEP_US);
}

static void
put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* Each call begins at a new block, so that one caller's length does not shift the bytes of the next. */
static void
bytes(void *self, void *out, size_t n)
{
    (void)self;
    char *to = out;
    if (pthread_mutex_lock(&stream_lock) != 0)
        abort();
    while (n > 0) {
        uint8_t input[16];
        put_u64(input, stream_seed);
        put_u64(input + 8, stream_counter++);
        digest block = sha256(view_make(input, sizeof input));
        size_t part = n < sizeof block.b ? n : sizeof block.b;
        memcpy(to, block.b, part);
        to += part;
        n -= part;
    }
    pthread_mutex_unlock(&stream_lock);
}

void
deterministic_start(uint64_t seed)
{
    static const struct clock_ops CLOCK = {"deterministic", now, monotonic_now, NULL};
    static const struct random_ops RANDOM = {"deterministic", bytes, NULL};
    stream_seed = seed;
    stream_counter = 0;
    atomic_store(&wall_us, instant_of_unix(START_UNIX).us);
    atomic_store(&monotonic_us, 0);
    clock_set(&CLOCK);
    random_set(&RANDOM);
    uid_restart();
}

void
deterministic_clock_set(instant t)
{
    atomic_store(&wall_us, t.us);
}

void
deterministic_clock_add(span s)
{
    atomic_fetch_add(&wall_us, s.us);
    atomic_fetch_add(&monotonic_us, s.us);
}
