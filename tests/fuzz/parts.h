/* Input of several parts: each but the last has its length before it in two bytes, so that a corpus holds the
 * certificates that an answer is judged with. */
#ifndef TESTS_FUZZ_PARTS_H
#define TESTS_FUZZ_PARTS_H

#include "base/view.h"

#include <stdint.h>
#include <stdlib.h>

static inline view
part_take(view *rest)
{
    if (rest->n < 2)
        return V("");
    size_t n = (size_t)((uint8_t)rest->p[0] << 8 | (uint8_t)rest->p[1]);
    view part = view_sub(*rest, 2, n);
    *rest = view_sub(*rest, 2 + part.n, rest->n);
    return part;
}

static inline void
must(bool claim)
{
    if (!claim)
        abort();
}

#endif
