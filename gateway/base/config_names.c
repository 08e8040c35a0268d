#include "base/config_names.h"

#include <assert.h>
#include <stdio.h>

#define NAME_MOST 64u

static const struct setting_row ROWS[] = {
#define SETTING(id, name, type, fallback, min, max, reload, en, zh)                                          \
    [SET_##id] = {name, SETTING_##type, fallback, min, max, reload, {en, zh}},
#include "base/settings.def"
#undef SETTING
};

const struct setting_row *
setting_info(enum setting s)
{
    assert((unsigned)s < SETTING_COUNT);
    return &ROWS[s];
}

enum setting
setting_by_name(view name)
{
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        if (view_eq(name, view_of(ROWS[s].name)))
            return (enum setting)s;
    }
    return SETTING_COUNT;
}

static unsigned
least_of(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions, replacements and neighbours that changed places count one each. */
static unsigned
edit_distance(view a, view b)
{
    unsigned rows[3][NAME_MOST + 1] = {{0}};
    for (unsigned j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const unsigned *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            row[j] = least_of(above[j] + 1, row[j - 1] + 1, change);
            bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swapped && above_that[j - 2] + 1 < row[j])
                row[j] = above_that[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}

enum setting
setting_nearest(view name)
{
    if (name.n > NAME_MOST)
        return SETTING_COUNT;
    unsigned best = (unsigned)name.n / 3 + 2;
    enum setting nearest = SETTING_COUNT;
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        view known = view_of(ROWS[s].name);
        unsigned distance = known.n <= NAME_MOST ? edit_distance(name, known) : best;
        if (distance < best) {
            best = distance;
            nearest = (enum setting)s;
        }
    }
    return nearest;
}

const char *
setting_env(enum setting s, char out[SETTING_ENV_SIZE])
{
    int n = snprintf(out, SETTING_ENV_SIZE, "CLAIMGATE_%s", setting_info(s)->name);
    assert(n > 0 && n < SETTING_ENV_SIZE);
    for (char *p = out; *p; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        else if (*p == '.')
            *p = '_';
    }
    return out;
}
