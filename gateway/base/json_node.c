#include "base/json_tree.h"

#include <assert.h>

/* Everything here is a loop over chains and parents: a tree may be as deep as its reader allows. */

view
node_raw(const struct tree *t, const struct node *n)
{
    return n == NULL ? VIEW_NONE : view_sub(t->source, n->from, n->length);
}

const struct node *
node_member(const struct tree *t, const struct node *object, view name)
{
    if (object == NULL || object->kind != NODE_OBJECT)
        return NULL;
    for (NODE_EACH(child, t, object)) {
        if (child->name_length == name.n && view_eq(node_name(t, child), name))
            return child;
    }
    return NULL;
}

const struct node *
node_item(const struct tree *t, const struct node *array, uint32_t index)
{
    if (array == NULL || array->kind != NODE_ARRAY || index >= array->text)
        return NULL;
    const struct node *item = node_first(t, array);
    while (index-- > 0)
        item = node_next(t, item);
    return item;
}

uint32_t
node_count(const struct node *n)
{
    return n != NULL && n->kind >= NODE_ARRAY ? n->text : 0;
}

bool
node_is_true(const struct node *n)
{
    return n != NULL && n->kind == NODE_TRUE;
}

/* Decimal without sign and, as RFC 6901 wants, without leading zeros. */
static bool
index_of_text(view text, uint32_t *ret)
{
    uint64_t value = 0;

    if (text.n == 0 || text.n > 10 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (value > UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* ---- paths of ours ---- */

/* A member; of an array the member of its first item. */
static const struct node *
name_step(const struct tree *t, const struct node *from, view name)
{
    while (from != NULL && from->kind == NODE_ARRAY)
        from = node_first(t, from);
    return node_member(t, from, name);
}

const struct node *
node_at(const struct tree *t, const struct node *from, const char *path)
{
    view rest = view_of(path);

    while (from != NULL && rest.n > 0) {
        if (rest.p[0] == '[') {
            size_t end = 1;
            uint32_t index = 0;
            while (end < rest.n && rest.p[end] != ']')
                end++;
            if (end == rest.n || !index_of_text(view_sub(rest, 1, end - 1), &index))
                return NULL;
            from = node_item(t, from, index);
            rest = view_sub(rest, end + 1, rest.n);
        } else {
            size_t end = 0;
            while (end < rest.n && rest.p[end] != '.' && rest.p[end] != '[')
                end++;
            from = name_step(t, from, view_sub(rest, 0, end));
            rest = view_sub(rest, end, rest.n);
        }
        if (rest.n > 0 && rest.p[0] == '.')
            rest = view_sub(rest, 1, rest.n);
    }
    return from;
}

view
node_text_at(const struct tree *t, const struct node *from, const char *path)
{
    return node_text(t, node_at(t, from, path));
}

/* ---- places of nodes ---- */

/* One step of a place, written backwards so that the walk from node to root needs no stack.  Without bytes
 * (p NULL) it only counts. */
struct back {
    char *p; /* where the bytes written so far begin */
    size_t n;
};

static void
back_add(struct back *b, const char *p, size_t n)
{
    b->n += n;
    if (b->p == NULL || n == 0)
        return;
    b->p -= n;
    memcpy(b->p, p, n);
}

static void
back_add_index(struct back *b, const struct tree *t, const struct node *n)
{
    uint32_t index = 0;

    for (const struct node *item = &t->nodes[n->parent + 1]; item != n; item = node_next(t, item))
        index++;
    do {
        back_add(b, &(const char){(char)('0' + index % 10)}, 1);
        index /= 10;
    } while (index > 0);
}

static void
back_add_pointer(struct back *b, const struct tree *t, const struct node *n)
{
    for (; n != t->nodes; n = &t->nodes[n->parent]) {
        view name = node_name(t, n);
        if (t->nodes[n->parent].kind == NODE_ARRAY)
            back_add_index(b, t, n);
        for (size_t i = name.n; i-- > 0;) {
            bool escape = name.p[i] == '~' || name.p[i] == '/';
            if (escape)
                back_add(b, name.p[i] == '~' ? "~0" : "~1", 2);
            else
                back_add(b, name.p + i, 1);
        }
        back_add(b, "/", 1);
    }
}

static bool
is_identifier(view name)
{
    for (size_t i = 0; i < name.n; i++) {
        char low = (char)(name.p[i] | 0x20);
        bool letter = (low >= 'a' && low <= 'z') || name.p[i] == '_';
        if (!letter && (i == 0 || name.p[i] < '0' || name.p[i] > '9'))
            return false;
    }
    return name.n > 0;
}

static void
back_add_path(struct back *b, const struct tree *t, const struct node *n)
{
    for (; n != t->nodes; n = &t->nodes[n->parent]) {
        view name = node_name(t, n);
        bool plain = is_identifier(name);
        if (t->nodes[n->parent].kind == NODE_ARRAY) {
            back_add(b, "]", 1);
            back_add_index(b, t, n);
            back_add(b, "[", 1);
            continue;
        }
        if (!plain)
            back_add(b, "`", 1);
        back_add(b, name.p, name.n);
        back_add(b, plain ? "." : ".`", plain ? 1 : 2);
    }
    const struct node *type = node_member(t, n, V("resourceType"));
    view text = node_text(t, type);
    /* Any other text in that place is the document's, and a place must not carry that. */
    if (!is_identifier(text) || text.n > 64)
        text = V("$this");
    back_add(b, text.p, text.n);
}

static view
back_run(const struct tree *t, const struct node *n, arena *mem,
         void (*add)(struct back *, const struct tree *, const struct node *))
{
    struct back count = {NULL, 0}, text = {NULL, 0};

    if (n == NULL)
        return VIEW_NONE;
    add(&count, t, n);
    char *room = arena_alloc(mem, count.n + 1);
    if (room == NULL)
        return VIEW_NONE;
    text.p = room + count.n;
    add(&text, t, n);
    assert(text.p == room);
    return (view){room, count.n};
}

view
node_pointer(const struct tree *t, const struct node *n, arena *mem)
{
    return back_run(t, n, mem, back_add_pointer);
}

view
node_path(const struct tree *t, const struct node *n, arena *mem)
{
    return back_run(t, n, mem, back_add_path);
}

/* ---- RFC 6901 ---- */

/* True when the token, whose ~0 and ~1 stand for ~ and /, is the name.  Any other ~ matches nothing. */
static bool
token_is(view token, view name)
{
    size_t at = 0;

    for (size_t i = 0; i < token.n; i++, at++) {
        char c = token.p[i];
        if (c == '~') {
            char which = ++i < token.n ? token.p[i] : '\0';
            if (which != '0' && which != '1')
                return false;
            c = which == '0' ? '~' : '/';
        }
        if (at == name.n || name.p[at] != c)
            return false;
    }
    return at == name.n;
}

static const struct node *
pointer_step(const struct tree *t, const struct node *from, view token)
{
    uint32_t index = 0;

    if (from->kind == NODE_ARRAY)
        return index_of_text(token, &index) ? node_item(t, from, index) : NULL;
    for (NODE_EACH(child, t, from)) {
        if (token_is(token, node_name(t, child)))
            return child;
    }
    return NULL;
}

const struct node *
node_of_pointer(const struct tree *t, view pointer)
{
    const struct node *n = tree_root(t);

    for (size_t at = 0; n != NULL && at < pointer.n;) {
        size_t end = at + 1;
        if (pointer.p[at] != '/')
            return NULL;
        while (end < pointer.n && pointer.p[end] != '/')
            end++;
        n = pointer_step(t, n, (view){pointer.p + at + 1, end - at - 1});
        at = end;
    }
    return n;
}
