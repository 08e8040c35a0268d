#include "base/place.h"

#include <stdlib.h>

void
issue_set_place(struct issue *i, const struct tree *t, const struct node *n, arena *mem)
{
    i->pointer = node_pointer(t, n, mem);
    i->from = (long)n->from;
    i->length = (long)n->length;
}

void
issue_at(struct issues *list, enum issue_severity severity, err code, const struct tree *t,
         const struct node *n, view expected, view found)
{
    const struct node *at = n ? n : tree_root(t);
    bool kept = list->n < list->ceiling || (severity == ISSUE_ERROR && list->errors == 0);
    /* Past the ceiling only the count matters; a path would cost the length of an array. */
    struct issue *i = issue_add(list, severity, code, kept ? node_path(t, at, list->mem) : VIEW_NONE,
                                kept ? expected : VIEW_NONE, kept ? found : VIEW_NONE);
    if (i && n)
        issue_set_place(i, t, n, list->mem);
}

static int
by_place(const void *a, const void *b)
{
    const struct issue *const *x = a, *const *y = b;
    return ((*x)->from > (*y)->from) - ((*x)->from < (*y)->from);
}

static bool
needs_line(const struct issue *i, view source)
{
    return i->line == 0 && i->from >= 0 && (size_t)i->from <= source.n;
}

void
issues_locate(struct issues *list, view source)
{
    size_t n = 0, at = 0;
    for (const struct issue *i = list->first; i; i = i->next)
        n += needs_line(i, source);
    struct issue **order = n ? arena_make_array(list->mem, n, struct issue *) : NULL;
    if (!order)
        return;
    for (struct issue *i = list->first; i; i = i->next)
        if (needs_line(i, source))
            order[at++] = i;
    qsort(order, n, sizeof(struct issue *), by_place);
    long line = 1, column = 1;
    size_t p = 0;
    for (size_t k = 0; k < n; k++) {
        for (; p < (size_t)order[k]->from; p++) {
            if (source.p[p] == '\n') {
                line++;
                column = 1;
            } else if (((unsigned char)source.p[p] & 0xC0) != 0x80) {
                column++;
            }
        }
        order[k]->line = line;
        order[k]->column = column;
    }
}
