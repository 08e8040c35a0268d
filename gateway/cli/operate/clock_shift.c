#include "cli/operate/clock_shift.h"

#include "base/text.h"

#include <stdatomic.h>
#include <time.h>

static atomic_int_fast64_t shift_us;
static bool started;

static int64_t
read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static instant
now(void *self UNUSED)
{
    return (instant){read_clock(CLOCK_REALTIME) + atomic_load(&shift_us)};
}

static int64_t
monotonic(void *self UNUSED)
{
    return read_clock(CLOCK_MONOTONIC);
}

void
clock_shift_start(void)
{
    static const struct clock_ops ops = {.name = "shifted", .now = now, .monotonic_us = monotonic};
    clock_set(&ops);
    started = true;
}

err
clock_shift_add(view seconds, struct fault *f)
{
    int64_t n;
    if (!started)
        return fault_set(f, E_USAGE, "clock", "a gateway in sandbox mode", "another");
    if (text_to_i64(seconds, &n) != E_OK || n > 100000000 || n < -100000000)
        return fault_set(f, E_SYNTAX, "clock", "seconds", "another text");
    atomic_fetch_add(&shift_us, n * 1000000);
    return E_OK;
}
