/* room: base */
/* Any bytes into our reader and into jansson, which somebody else wrote: both accept or both refuse, and what both
 * accept is the same document.  They differ by rules that are ours alone (depth, length of a number, NUL, size), which our
 * outcome names, and in numbers that jansson cannot hold, which its own outcome names. */
#include "base/json_tree.h"

#include <jansson.h>
#include <stdlib.h>

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

/* Both say the same of a scalar; jansson's doubles are left to the tests of canonical numbers. */
static void
check_scalar(const struct tree *t, const struct node *n, const json_t *j)
{
    view text = node_text(t, n);
    char digits[32];
    must((n->kind == NODE_NULL) == json_is_null(j));
    must((n->kind == NODE_TRUE) == json_is_true(j));
    must((n->kind == NODE_FALSE) == json_is_false(j));
    must((n->kind == NODE_NUMBER) == json_is_number(j));
    must((n->kind == NODE_STRING) == json_is_string(j));
    if (n->kind == NODE_STRING)
        must(view_eq(text, view_make(json_string_value(j), json_string_length(j))));
    if (json_is_integer(j) && !view_eq(text, V("-0"))) {
        int length = snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
        must(view_eq(text, view_make(digits, (size_t)length)));
    }
}

/* The counterpart of a child in jansson's value of its parent. */
static const json_t *
child_of(const struct tree *t, const struct node *child, const json_t *parent, size_t place)
{
    if (json_is_array(parent))
        return json_array_get(parent, place);
    view name = node_name(t, child);
    char *key = malloc(name.n + 1);
    must(key != NULL);
    if (name.n > 0)
        memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    const json_t *found = json_object_get(parent, key);
    free(key);
    return found;
}

static void
check_same(const struct tree *t, const json_t *root)
{
    const json_t *values[TREE_DEPTH_MAX + 2] = {root};
    const struct node *nodes[TREE_DEPTH_MAX + 2] = {tree_root(t)};
    const struct node *next[TREE_DEPTH_MAX + 2] = {node_first(t, tree_root(t))};
    size_t places[TREE_DEPTH_MAX + 2] = {0}, depth = 0;
    if (nodes[0]->kind < NODE_ARRAY)
        check_scalar(t, nodes[0], root);
    for (;;) {
        const struct node *child = next[depth];
        if (child == NULL && depth-- == 0)
            return;
        if (child == NULL)
            continue;
        const json_t *value = child_of(t, child, values[depth], places[depth]++);
        must(value != NULL);
        next[depth] = node_next(t, child);
        if (child->kind < NODE_ARRAY) {
            check_scalar(t, child, value);
            continue;
        }
        bool object = child->kind == NODE_OBJECT;
        must(object ? json_is_object(value) : json_is_array(value));
        must(node_count(child) == (object ? json_object_size(value) : json_array_size(value)));
        depth++;
        values[depth] = value;
        nodes[depth] = child;
        next[depth] = node_first(t, child);
        places[depth] = 0;
    }
}

static bool
is_our_rule(err e)
{
    return e == E_JSON_DEPTH || e == E_JSON_NUL || e == E_OUT_OF_RANGE || e == E_TOO_LARGE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(ROOM);
    struct tree t;
    json_error_t why;
    err e = tree_read_json(view_make(data, size), NULL, mem, &t, NULL);
    json_t *other =
        json_loadb(size > 0 ? (const char *)data : "", size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (e == E_OK && other != NULL)
        check_same(&t, other);
    else if (e == E_OK)
        must(json_error_code(&why) == json_error_numeric_overflow);
    else
        must(other == NULL || is_our_rule(e) ||
             memchr(data, '\0', size) != NULL); /* jansson ends a text at NUL */
    json_decref(other);
    arena_free(mem);
    return 0;
}
