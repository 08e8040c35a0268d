#include "cli/check/verify.h"

#include "signing/log/tiles.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A folder of tiles is judged by computing everything above level 0 from level 0: the tiles of higher levels must be what comes out, and the root the
 * head's. */
struct walking {
    const char *dir;
    struct fault *f;
};

/* The tile's file, or the whole tile of which it is a part. */
static err
read_tile(const struct walking *w, const struct tile *t, digest out[TILE_HASHES])
{
    char name[TILE_PATH_SIZE], path[4600];
    struct tile whole = *t;
    whole.width = TILE_HASHES;
    ssize_t n = -1;
    for (int i = 0; i < 2 && n < 0; i++) {
        tile_path(i ? &whole : t, name);
        snprintf(path, sizeof path, "%s/%s", w->dir, name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, out, TILE_HASHES * sizeof *out);
        if (fd >= 0)
            close(fd);
    }
    return n >= (ssize_t)(t->width * sizeof *out)
               ? E_OK
               : fault_set(w->f, E_FILE, path, "a tile of the log", n < 0 ? "no file" : "a shorter file");
}

static err
compare_tile(void *self, const struct tile *t)
{
    const struct walking *w = self;
    digest there[TILE_HASHES];
    char name[TILE_PATH_SIZE];
    if (t->level == 0)
        return E_OK;
    TRY(read_tile(w, t, there));
    tile_path(t, name);
    return memcmp(there, t->hashes, t->width * sizeof *there) == 0
               ? E_OK
               : fault_set(w->f, E_DIGEST_MISMATCH, name, "the hashes of the tiles below it", "others");
}

static err
walk(struct walking *w, uint64_t n, struct tiles *tiles)
{
    digest hashes[TILE_HASHES];
    while (tiles->tail.n < n) {
        uint64_t left = n - tiles->tail.n;
        struct tile t = {.index = tiles->tail.n / TILE_HASHES,
                         .width = left < TILE_HASHES ? (unsigned)left : TILE_HASHES};
        TRY(read_tile(w, &t, hashes));
        for (unsigned i = 0; i < t.width; i++)
            TRY(tiles_add(tiles, &hashes[i], compare_tile, w));
    }
    return tiles_edge(tiles, compare_tile, w);
}

void
verify_tiles(struct report *r, const char *dir, const struct log_head *head)
{
    struct fault f;
    struct walking w = {dir, &f};
    struct tiles *tiles = calloc(1, sizeof *tiles);
    if (!tiles)
        abort();
    fault_init(&f);
    err e = walk(&w, head->n, tiles);
    digest root = merkle_tail_root(&tiles->tail);
    if (e == E_OK && !digest_eq(&root, &head->root))
        e = fault_set(&f, E_DIGEST_MISMATCH, "checkpoint", "the root of the tiles", "another");
    (void)report_check(r, STEP_TILES, e, &f, "%llu", (unsigned long long)head->n);
    free(tiles);
}
