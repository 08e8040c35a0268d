/* Tiles of the log: their paths as C2SP tlog-tiles writes them, and that every hash in them is the root of the entries below it. */
#include "signing/log/tiles.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(tiles, paths)
{
    static const struct {
        struct tile t;
        const char *path;
    } cases[] = {
        {{0, 256, 0, NULL}, "tile/0/000"},
        {{0, 7, 0, NULL}, "tile/0/000.p/7"},
        {{3, 256, 999, NULL}, "tile/3/999"},
        {{0, 256, 1000, NULL}, "tile/0/x001/000"},
        {{1, 255, 1234067, NULL}, "tile/1/x001/x234/067.p/255"},
        {{0, 256, UINT64_C(1) << 40, NULL}, "tile/0/x001/x099/x511/x627/776"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[TILE_PATH_SIZE];
        tile_path(&cases[i].t, path);
        cr_expect_str_eq(path, cases[i].path);
    }
}

struct seen {
    const digest *leaves;
    size_t n, full, partial[TILE_LEVELS];
};

static digest
root_of(const digest *leaves, size_t n)
{
    if (n == 1)
        return leaves[0];
    digest left = root_of(leaves, n / 2), right = root_of(leaves + n / 2, n / 2);
    return merkle_node(&left, &right);
}

static err
check(void *self, const struct tile *t)
{
    struct seen *s = self;
    size_t unit = (size_t)1 << TILE_BITS * t->level;
    for (unsigned i = 0; i < t->width; i++) {
        size_t from = (t->index * TILE_HASHES + i) * unit;
        cr_assert(from + unit <= s->n);
        digest want = root_of(s->leaves + from, unit);
        cr_assert(digest_eq(&want, &t->hashes[i]), "level %u, tile %llu, hash %u", t->level,
                  (unsigned long long)t->index, i);
    }
    if (t->width == TILE_HASHES)
        s->full++;
    else
        s->partial[t->level] = t->width;
    return E_OK;
}

Test(tiles, every_hash_is_the_root_of_what_is_below)
{
    enum { LEAVES = 66000 }; /* one full tile of level 1, and a hash of level 2 */
    digest *leaves = malloc(LEAVES * sizeof *leaves);
    struct tiles *t = calloc(1, sizeof *t);
    struct seen s = {.leaves = leaves};
    digest_start();
    for (size_t i = 0; i < LEAVES; i++)
        leaves[i] = merkle_leaf(view_make(&i, sizeof i));
    for (size_t i = 0; i < LEAVES; i++) {
        s.n = i + 1;
        cr_assert(tiles_add(t, &leaves[i], check, &s) == E_OK);
    }
    cr_assert(tiles_edge(t, check, &s) == E_OK);
    cr_expect_eq(s.full, LEAVES / 256 + 1);
    cr_expect(s.partial[0] == LEAVES % 256 && s.partial[1] == LEAVES / 256 % 256 && s.partial[2] == 1 &&
              s.partial[3] == 0);
    free(leaves);
    free(t);
}
