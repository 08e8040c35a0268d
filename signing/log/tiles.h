/* The log as files: tiles of 256 hashes, as C2SP tlog-tiles lays them out (tile/<level>/<number>), so that whoever has the files can compute every
 * root and proof without the gateway.
 *
 * Level 0 holds the hashes of the entries, level L those of complete subtrees of 256^L entries.  The right edge of a head is partial tiles
 * (….p/<width>).  Pure; one thread a struct. */
#ifndef SIGNING_TILES_H
#define SIGNING_TILES_H

#include "signing/log/merkle.h"

#define TILE_BITS 8
#define TILE_HASHES 256
#define TILE_LEVELS 8

struct tile {
    unsigned level, width; /* 1 to TILE_HASHES */
    uint64_t index;
    const digest *hashes;
};
typedef err (*tile_fn)(void *self, const struct tile *t);

struct tiles {
    struct merkle_tail tail;
    digest hashes[TILE_LEVELS][TILE_HASHES]; /* the tile of each level that grows */
};

/* full is called for every tile that becomes complete. */
err tiles_add(struct tiles *t, const digest *leaf, tile_fn full, void *self) MUST_USE;
/* The partial tiles as they are now, from level 0 upwards. */
err tiles_edge(const struct tiles *t, tile_fn partial, void *self) MUST_USE;
/* Tile of a level at the right edge of n entries; width 0: it has none. */
struct tile tile_edge(uint64_t n, unsigned level);

/* "tile/0/x001/234", and "tile/0/x001/234.p/7" of a partial one. */
#define TILE_PATH_SIZE 60
void tile_path(const struct tile *t, char out[TILE_PATH_SIZE]);

#endif
