#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static const struct random_ops *ops;

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

void
random_bytes(void *out, size_t n)
{
    if (ops)
        ops->bytes(ops->self, out, n);
    else
        system_bytes(out, n);
}
