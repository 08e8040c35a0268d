#include "duty/tiles.h"

#include "signing/log/tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 4096
#define FILE_PATH_SIZE 4600

struct tile_files {
    char dir[4400];
    struct tiles tiles;
    bool lost; /* a file could not be written: everything is looked at again */
};

struct tile_files *
tile_files_new(const char *store_dir)
{
    struct tile_files *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    snprintf(w->dir, sizeof w->dir, "%s/log", store_dir);
    return w;
}

void
tile_files_free(struct tile_files *w)
{
    free(w);
}

/* -- files -- */

/* The folders above the last slash. */
static void
make_parents(char *path, size_t from)
{
    for (char *slash = strchr(path + from + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

static bool
write_whole(const char *path, view bytes)
{
    char fresh[FILE_PATH_SIZE + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good && rename(fresh, path) == 0;
}

/* What is in the folder but for one name; keep NULL: all, and the folder. */
static void
sweep(const char *folder, const char *keep)
{
    DIR *d = opendir(folder);
    char path[FILE_PATH_SIZE + 280];
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.' && (!keep || strcmp(e->d_name, keep) != 0))
            (void)unlink(path);
    }
    if (d)
        closedir(d);
    if (d && !keep)
        (void)rmdir(folder);
}

static err
write_tile(void *self, const struct tile *t)
{
    const struct tile_files *w = self;
    char name[TILE_PATH_SIZE], path[FILE_PATH_SIZE];
    struct stat st;
    tile_path(t, name);
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    view bytes = view_make(t->hashes, t->width * sizeof *t->hashes);
    bool there = stat(path, &st) == 0 && st.st_size == (off_t)bytes.n;
    if (!there) {
        make_parents(path, strlen(w->dir));
        if (!write_whole(path, bytes))
            return E_FILE;
    }
    if (t->width == TILE_HASHES && !there) { /* whoever looks for a part of it finds the whole */
        snprintf(path, sizeof path, "%s/%s.p", w->dir, name);
        sweep(path, NULL);
    }
    return E_OK;
}

/* Of a partial tile only the latest width stays. */
static err
sweep_former(void *self, const struct tile *t)
{
    const struct tile_files *w = self;
    char name[TILE_PATH_SIZE], path[FILE_PATH_SIZE];
    tile_path(t, name);
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    char *end = strrchr(path, '/');
    *end = '\0';
    sweep(path, end + 1);
    return E_OK;
}

/* -- the log -- */

static err
take_leaves(struct tile_files *w, struct gateway *g, uint64_t size)
{
    AUTO(reader_done) struct reader *r = NULL;
    digest *batch = malloc(BATCH * sizeof *batch);
    if (!batch)
        abort();
    err e = store_reader(g->store, &r);
    while (e == E_OK && w->tiles.tail.n < size) {
        uint64_t left = size - w->tiles.tail.n;
        size_t want = left < BATCH ? (size_t)left : BATCH, got = 0;
        e = store_leaf_hashes(r, w->tiles.tail.n, want, batch, &got);
        if (e == E_OK && got < want)
            e = E_STORE_CORRUPT;
        for (size_t i = 0; e == E_OK && i < got; i++)
            e = tiles_add(&w->tiles, &batch[i], write_tile, w);
    }
    free(batch);
    return e;
}

err
tile_files_write(struct tile_files *w, struct gateway *g, uint64_t size, view checkpoint)
{
    char path[FILE_PATH_SIZE];
    if (w->lost || w->tiles.tail.n > size)
        memset(&w->tiles, 0, sizeof w->tiles);
    err e = take_leaves(w, g, size);
    if (e == E_OK)
        e = tiles_edge(&w->tiles, write_tile, w);
    snprintf(path, sizeof path, "%s/checkpoint", w->dir);
    if (e == E_OK && !write_whole(path, checkpoint))
        e = E_FILE;
    if (e == E_OK) /* only now: the former head's parts stand until its successor does */
        e = tiles_edge(&w->tiles, sweep_former, w);
    w->lost = e != E_OK;
    return e;
}
