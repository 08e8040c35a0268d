#include "base/json.h"

#include "base/jcs.h"
#include "base/json_tree.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

/* The tree of a text is needed only while the value is made, so it gets an arena of its own: the request's
 * arena would keep it.  tree_read_json takes at most this many bytes for a byte of text (docs/json.md). */
#define TREE_BYTES_PER_BYTE 64
#define TREE_BYTES_LEAST ((size_t)64 << 10)
#define DUMP_ARENA_MOST ((size_t)64 << 20)

void
json_start(void)
{
    json_object_seed(0);
}

void
json_decref_fn(void *json)
{
    json_decref(json);
}

void
json_free(json_t *json)
{
    json_decref(json);
}

/* ---- reading ---- */

static err
refuse_number(const struct tree *t, const struct node *n, arena *scratch, struct fault *f)
{
    view where = node_pointer(t, n, scratch);

    if (f == NULL || f->code != E_OK)
        return E_OUT_OF_RANGE;
    (void)fault_setf(f, E_OUT_OF_RANGE, "a number of 64 bits", "a larger one", "%.*s", VIEW_ARG(where));
    fault_range(f, n->from, n->length);
    fault_locate(f, t->source);
    return E_OUT_OF_RANGE;
}

static bool
is_whole(view number)
{
    for (size_t i = 0; i < number.n; i++) {
        if (number.p[i] == '.' || number.p[i] == 'e' || number.p[i] == 'E')
            return false;
    }
    return true;
}

/* NULL when the number does not fit. */
static json_t *
value_of_number(view number)
{
    int64_t whole = 0;
    double real = 0;

    if (is_whole(number))
        return text_to_i64(number, &whole) == E_OK ? json_integer(whole) : NULL;
    return jcs_double(number, &real) ? json_real(real) : NULL;
}

/* Without its children. */
static json_t *
value_of_node(const struct tree *t, const struct node *n)
{
    view text = node_text(t, n);

    switch ((enum node_kind)n->kind) {
    case NODE_NULL:
        return json_null();
    case NODE_FALSE:
        return json_false();
    case NODE_TRUE:
        return json_true();
    case NODE_NUMBER:
        return value_of_number(text);
    case NODE_STRING:
        return json_stringn_nocheck(text.p, text.n);
    case NODE_ARRAY:
        return json_array();
    case NODE_OBJECT:
        break;
    }
    return json_object();
}

/* Takes value. */
static bool
attach(const struct tree *t, const struct node *n, json_t *parent, json_t *value)
{
    view name = node_name(t, n);

    if (json_is_array(parent))
        return json_array_append_new(parent, value) == 0;
    return json_object_setn_new_nocheck(parent, name.p != NULL ? name.p : "", name.n, value) == 0;
}

/* Nodes stand in document order, so one walk with the chain of open containers builds the value. */
static err
build_value(const struct tree *t, json_t *root, arena *scratch, struct fault *f)
{
    json_t *open[TREE_DEPTH_MAX + 1] = {root};
    uint32_t open_node[TREE_DEPTH_MAX + 1] = {0};
    size_t depth = 0;

    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        json_t *value = value_of_node(t, n);
        if (value == NULL && n->kind == NODE_NUMBER)
            return refuse_number(t, n, scratch, f);
        while (open_node[depth] != n->parent)
            depth--;
        if (value == NULL || !attach(t, n, open[depth], value))
            return fault_set(f, E_TOO_LARGE, "", "a text that fits the memory", "more");
        if (node_has_children(n)) {
            depth++;
            open[depth] = value;
            open_node[depth] = i;
        }
    }
    return E_OK;
}

err
json_load(view text, arena *mem, json_t **ret, struct fault *f)
{
    size_t most = text.n < SIZE_MAX / TREE_BYTES_PER_BYTE / 2 ? text.n * TREE_BYTES_PER_BYTE : SIZE_MAX / 2;
    arena *scratch AUTO(arena_free) = arena_new(most + TREE_BYTES_LEAST);
    json_t *root AUTO(json_free) = NULL;
    struct tree t;

    TRY(tree_read_json(text, NULL, scratch, &t, f));
    root = value_of_node(&t, tree_root(&t));
    if (root == NULL && tree_root(&t)->kind == NODE_NUMBER)
        return refuse_number(&t, tree_root(&t), scratch, f);
    if (root == NULL)
        return fault_set(f, E_TOO_LARGE, "", "a text that fits the memory", "more");
    TRY(build_value(&t, root, scratch, f));
    json_t *kept = json_incref(root);
    if (!arena_defer(mem, json_decref_fn, kept))
        return fault_set(f, E_TOO_LARGE, "", "a text that fits the memory of one request", "more");
    *ret = kept;
    return E_OK;
}

/* ---- writing ---- */

struct dump_level {
    json_t *value;
    size_t next; /* of an array */
    void *iter;  /* of an object */
};

static void
dump_scalar(const json_t *json, struct buf *out)
{
    char digits[40];

    switch (json_typeof(json)) {
    case JSON_STRING:
        buf_add_json(out, view_make(json_string_value(json), json_string_length(json)));
        return;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return;
    case JSON_REAL:
        buf_add_view(out, jcs_number(json_real_value(json), digits));
        return;
    case JSON_TRUE:
        BUF_LIT(out, "true");
        return;
    case JSON_FALSE:
        BUF_LIT(out, "false");
        return;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    BUF_LIT(out, "null");
}

static void
dump_open(struct dump_level *level, const json_t *json, struct buf *out)
{
    /* jansson wants its iterator from a value that may be changed; nothing is. */
    *level = (struct dump_level){.value = (json_t *)json};
    if (json_is_object(json))
        level->iter = json_object_iter(level->value);
    buf_add_byte(out, json_is_object(json) ? '{' : '[');
}

/* The next child with what stands before it; NULL after the closing bracket. */
static const json_t *
dump_next(struct dump_level *level, struct buf *out)
{
    bool object = json_is_object(level->value);

    if (object ? level->iter == NULL : level->next == json_array_size(level->value)) {
        buf_add_byte(out, object ? '}' : ']');
        return NULL;
    }
    if (level->next++ > 0)
        buf_add_byte(out, ',');
    if (!object)
        return json_array_get(level->value, level->next - 1);
    void *at = level->iter;
    level->iter = json_object_iter_next(level->value, at);
    buf_add_json(out, view_make(json_object_iter_key(at), json_object_iter_key_len(at)));
    buf_add_byte(out, ':');
    return json_object_iter_value(at);
}

/* jansson's own writer recurses and prints 0.1 as 0.10000000000000001. */
err
json_dump(const json_t *json, struct buf *out)
{
    struct dump_level levels[TREE_DEPTH_MAX];
    size_t depth = 0;

    do {
        bool open = json_is_object(json) || json_is_array(json);
        if (open && depth == TREE_DEPTH_MAX)
            return E_JSON_DEPTH;
        if (open)
            dump_open(&levels[depth++], json, out);
        else
            dump_scalar(json, out);
        json = NULL;
        while (depth > 0 && json == NULL) {
            json = dump_next(&levels[depth - 1], out);
            depth -= json == NULL;
        }
    } while (json != NULL);
    return out->failed ? E_TOO_LARGE : E_OK;
}

view
json_dump_arena(const json_t *json, arena *mem)
{
    struct buf out AUTO_DONE(buf_done) = {0};

    buf_init(&out, DUMP_ARENA_MOST);
    if (json_dump(json, &out) != E_OK)
        return VIEW_NONE;
    return arena_dup(mem, buf_view(&out));
}

/* ---- getters ---- */

const json_t *
json_member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

view
json_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? view_make(json_string_value(value), json_string_length(value)) : VIEW_NONE;
}

int64_t
json_int(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool
json_bool(const json_t *object, const char *name, bool fallback)
{
    const json_t *value = json_object_get(object, name);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *
json_text_new(view text)
{
    return json_stringn(text.p != NULL ? text.p : "", text.n);
}
