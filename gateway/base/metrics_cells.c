#include "base/metrics_cells.h"

#include "base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BLOCK_CELLS 256u
/* Every metric with all its label sets and the longest run. */
#define BLOCKS (METRIC_COUNT * (METRIC_SERIES_MOST + 1) * CELLS_RUN_MOST / BLOCK_CELLS + METRIC_COUNT + 1)

struct block {
    _Atomic int64_t cells[BLOCK_CELLS];
};

struct shard {
    struct shard *next;      /* of all */
    struct shard *next_free; /* of those whose thread has ended */
    _Atomic(struct block *) blocks[BLOCKS];
};

static pthread_once_t started = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;
static struct shard *free_shards;
static _Atomic(struct shard *) all_shards;
static _Thread_local struct shard *own_shard;
static uint32_t cells_used;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
leave_shard(void *object)
{
    struct shard *shard = object;
    own_shard = NULL;
    must(pthread_mutex_lock(&free_lock) == 0);
    shard->next_free = free_shards;
    free_shards = shard;
    pthread_mutex_unlock(&free_lock);
}

static void
start(void)
{
    must(pthread_key_create(&thread_end, leave_shard) == 0);
}

static struct shard *
reuse_shard(void)
{
    must(pthread_mutex_lock(&free_lock) == 0);
    struct shard *shard = free_shards;
    if (shard)
        free_shards = shard->next_free;
    pthread_mutex_unlock(&free_lock);
    return shard;
}

static struct shard *
shard_new(void)
{
    struct shard *shard = calloc(1, sizeof *shard);
    must(shard != NULL);
    struct shard *head = atomic_load(&all_shards);
    do
        shard->next = head;
    while (!atomic_compare_exchange_weak(&all_shards, &head, shard));
    return shard;
}

static struct shard *
shard_of_thread(void)
{
    if (own_shard)
        return own_shard;
    must(pthread_once(&started, start) == 0);
    struct shard *shard = reuse_shard();
    own_shard = shard ? shard : shard_new();
    must(pthread_setspecific(thread_end, own_shard) == 0);
    return own_shard;
}

uint32_t
cells_take(uint32_t count)
{
    assert(count <= CELLS_RUN_MOST);
    if (cells_used / BLOCK_CELLS != (cells_used + count - 1) / BLOCK_CELLS)
        cells_used = (cells_used / BLOCK_CELLS + 1) * BLOCK_CELLS;
    uint32_t first = cells_used;
    cells_used += count;
    assert(cells_used <= BLOCKS * BLOCK_CELLS);
    return first;
}

/* Only the shard's own thread adds blocks and numbers; others read. */
void
cells_add(uint32_t cell, int64_t n)
{
    _Atomic(struct block *) *slot = &shard_of_thread()->blocks[cell / BLOCK_CELLS];
    struct block *block = atomic_load_explicit(slot, memory_order_relaxed);
    if (!block) {
        block = calloc(1, sizeof *block);
        must(block != NULL);
        atomic_store_explicit(slot, block, memory_order_release);
    }
    _Atomic int64_t *number = &block->cells[cell % BLOCK_CELLS];
    int64_t before = atomic_load_explicit(number, memory_order_relaxed);
    atomic_store_explicit(number, before + n, memory_order_relaxed);
}

int64_t
cells_sum(uint32_t cell)
{
    int64_t sum = 0;
    for (struct shard *s = atomic_load(&all_shards); s; s = s->next) {
        const struct block *block =
            atomic_load_explicit(&s->blocks[cell / BLOCK_CELLS], memory_order_acquire);
        if (block)
            sum += atomic_load_explicit(&block->cells[cell % BLOCK_CELLS], memory_order_relaxed);
    }
    return sum;
}
