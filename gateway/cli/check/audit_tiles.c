#include "cli/check/audit_tiles.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct audit_tiles {
    struct tiles tiles;
    char dir[4400];
    uint64_t n, findings;
    digest edge[TILE_LEVELS][TILE_HASHES + 1];
    size_t edge_bytes[TILE_LEVELS];
    void (*finding)(void *self, const struct audit_finding *found);
    void *self;
};

/* Bytes of a tile's file, at most one hash too many; 0 when there is none. */
static size_t
read_tile(const struct audit_tiles *a, const struct tile *t, digest there[TILE_HASHES + 1])
{
    char name[TILE_PATH_SIZE], path[4600];
    tile_path(t, name);
    snprintf(path, sizeof path, "%s/log/%s", a->dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, there, (TILE_HASHES + 1) * sizeof *there);
    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

struct audit_tiles *
audit_tiles_new(const char *dir, uint64_t n)
{
    struct audit_tiles *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    snprintf(a->dir, sizeof a->dir, "%s", dir);
    a->n = n;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        const struct tile edge = tile_edge(n, level);
        a->edge_bytes[level] = edge.width ? read_tile(a, &edge, a->edge[level]) : 0;
    }
    return a;
}

void
audit_tiles_tell(struct audit_tiles *a, void (*finding)(void *self, const struct audit_finding *found),
                 void *self)
{
    a->finding = finding;
    a->self = self;
}

void
audit_tiles_free(struct audit_tiles *a)
{
    free(a);
}

static void
find(struct audit_tiles *a, const char *name, size_t offset, size_t length)
{
    struct audit_finding f = {.what = AUDIT_TILE,
                              .table = "",
                              .column = "",
                              .class_of = "",
                              .bit = -1,
                              .offset = (int64_t)offset,
                              .length = (int64_t)length};
    snprintf(f.file, sizeof f.file, "log/%s", name);
    a->findings++;
    a->finding(a->self, &f);
}

/* What stands in the file of a tile; t holds what the entries say, as many hashes or more. */
static void
compare(struct audit_tiles *a, const struct tile *t, unsigned width, const digest *there, size_t n)
{
    char name[TILE_PATH_SIZE];
    struct tile one = *t;
    one.width = width;
    tile_path(&one, name);
    if (n != width * sizeof *there) {
        find(a, name, 0, width * sizeof *there);
        return;
    }
    for (unsigned i = 0; i < width; i++)
        if (memcmp(&there[i], &t->hashes[i], sizeof *there) != 0)
            find(a, name, i * sizeof *there, sizeof *there);
}

static err
look_at(void *self, const struct tile *t)
{
    struct audit_tiles *a = self;
    struct tile edge = tile_edge(a->n, t->level);
    digest there[TILE_HASHES + 1];
    if (t->index < edge.index)
        compare(a, t, TILE_HASHES, there, read_tile(a, t, there));
    else if (t->index == edge.index && edge.width && edge.width <= t->width)
        compare(a, t, edge.width, a->edge[t->level], a->edge_bytes[t->level]);
    return E_OK;
}

void
audit_tiles_leaf(struct audit_tiles *a, const digest *hash)
{
    err e = tiles_add(&a->tiles, hash, look_at, a);
    assert(e == E_OK);
}

uint64_t
audit_tiles_end(struct audit_tiles *a)
{
    err e = tiles_edge(&a->tiles, look_at, a);
    assert(e == E_OK);
    return a->findings;
}
