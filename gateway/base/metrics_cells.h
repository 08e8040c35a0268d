/* Numbers that many threads add to without meeting: each thread has a shard of cells of its own, a
 * reader sums over all shards.  Under metrics.c only.
 *
 * Cells are never given back.  A thread's shard goes, with what it has counted, to the next thread that
 * starts, so that a thread per connection costs no memory in the long run.  Any thread; cells_take under
 * the caller's lock. */
#ifndef BASE_METRICS_CELLS_H
#define BASE_METRICS_CELLS_H

#include <stdint.h>

/* Most cells that one run may have. */
#define CELLS_RUN_MOST 24u

/* The first of count cells that stand together. */
uint32_t cells_take(uint32_t count);
void cells_add(uint32_t cell, int64_t n);
int64_t cells_sum(uint32_t cell);

#endif
