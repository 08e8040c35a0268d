#include "conformance/tree_same.h"

#include "base/jcs.h"

/* Open containers of a, each beside its counterpart in b. */
struct level {
    const struct node *next, *mine, *other;
    uint32_t place, seen;
};

static bool
is_skipped(view name, const char *const *skip)
{
    for (; skip != NULL && *skip != NULL; skip++)
        if (view_eq(name, view_of(*skip)))
            return true;
    return false;
}

static uint32_t
count_members(const struct tree *t, const struct node *n, const char *const *skip)
{
    uint32_t count = 0;
    for (NODE_EACH(child, t, n))
        count += n->kind == NODE_ARRAY || !is_skipped(node_name(t, child), skip);
    return count;
}

static bool
same_text(view x, view y, bool by_value)
{
    double left = 0, right = 0;
    return view_eq(x, y) || (by_value && jcs_double(x, &left) && jcs_double(y, &right) && left == right);
}

const struct node *
trees_part(const struct tree *a, const struct tree *b, const struct same_rules *rules)
{
    const char *const *skip = rules->skip;
    struct level levels[TREE_DEPTH_MAX + 1];
    const struct node *x = tree_root(a), *y = tree_root(b);
    uint32_t depth = 0;
    for (;;) {
        bool container = x->kind >= NODE_ARRAY;
        bool by_value = rules->numbers_by_value && x->kind == NODE_NUMBER;
        if (x->kind != y->kind || (!container && !same_text(node_text(a, x), node_text(b, y), by_value)))
            return x;
        if (container && count_members(a, x, skip) != count_members(b, y, skip))
            return x;
        if (container)
            levels[depth++] = (struct level){.next = node_first(a, x), .mine = x, .other = y};
        for (;;) {
            struct level *top = depth > 0 ? &levels[depth - 1] : NULL;
            while (top != NULL && top->next != NULL && top->mine->kind == NODE_OBJECT &&
                   is_skipped(node_name(a, top->next), skip))
                top->next = node_next(a, top->next);
            if (top == NULL)
                return NULL;
            if (top->next != NULL)
                break;
            depth--;
        }
        struct level *top = &levels[depth - 1];
        x = top->next;
        top->next = node_next(a, x);
        y = top->mine->kind == NODE_ARRAY ? node_item(b, top->other, top->place++)
                                          : node_member(b, top->other, node_name(a, x));
        if (y == NULL)
            return x;
    }
}
