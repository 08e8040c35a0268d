#include "signing/log/tiles.h"

#include <stdio.h>

struct adding {
    struct tiles *t;
    tile_fn full;
    void *self;
};

static err
take_subtree(void *self, unsigned level, uint64_t index, const digest *hash)
{
    struct adding *a = self;
    unsigned row = level / TILE_BITS;
    if (level % TILE_BITS || row >= TILE_LEVELS)
        return E_OK;
    a->t->hashes[row][index % TILE_HASHES] = *hash;
    if (index % TILE_HASHES != TILE_HASHES - 1)
        return E_OK;
    const struct tile full = {row, TILE_HASHES, index / TILE_HASHES, a->t->hashes[row]};
    return a->full(a->self, &full);
}

err
tiles_add(struct tiles *t, const digest *leaf, tile_fn full, void *self)
{
    struct adding a = {t, full, self};
    return merkle_append(&t->tail, leaf, take_subtree, &a);
}

struct tile
tile_edge(uint64_t n, unsigned level)
{
    uint64_t hashes = n >> TILE_BITS * level;
    return (struct tile){
        .level = level, .width = (unsigned)(hashes % TILE_HASHES), .index = hashes / TILE_HASHES};
}

err
tiles_edge(const struct tiles *t, tile_fn partial, void *self)
{
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        struct tile edge = tile_edge(t->tail.n, level);
        edge.hashes = t->hashes[level];
        if (edge.width)
            TRY(partial(self, &edge));
    }
    return E_OK;
}

void
tile_path(const struct tile *t, char out[TILE_PATH_SIZE])
{
    int n = snprintf(out, TILE_PATH_SIZE, "tile/%u/", t->level);
    uint64_t unit = 1;
    while (t->index / unit >= 1000)
        unit *= 1000;
    for (; unit > 0; unit /= 1000)
        n += snprintf(out + n, TILE_PATH_SIZE - (size_t)n, unit > 1 ? "x%03u/" : "%03u",
                      (unsigned)(t->index / unit % 1000));
    if (t->width < TILE_HASHES)
        snprintf(out + n, TILE_PATH_SIZE - (size_t)n, ".p/%u", t->width);
}
