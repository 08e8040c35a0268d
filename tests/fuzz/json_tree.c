/* room: base */
/* Any bytes into the JSON reader.  What is accepted must hang together: ranges inside the source and inside
 * their parents, chains and parents that agree, pointers that lead back, the same verdict from json.h, and a
 * canonical form that is its own canonical form. */
#include "base/jcs.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>

#define ROOM ((size_t)64 << 20)
/* A pointer costs a walk over siblings: enough nodes to matter, few enough to stay quick. */
#define POINTERS_MOST 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_node(const struct tree *t, uint32_t i)
{
    const struct node *n = &t->nodes[i], *parent = &t->nodes[n->parent];
    view text = node_text(t, n), name = node_name(t, n);

    must(n->kind <= NODE_OBJECT && n->length > 0);
    must((size_t)n->from + n->length <= t->source.n);
    must((size_t)n->name + n->name_length <= ((n->flags & NODE_NAME_IN_POOL) != 0 ? t->pool.n : t->source.n));
    must(n->kind >= NODE_ARRAY ||
         (size_t)n->text + n->text_length <= ((n->flags & NODE_TEXT_IN_POOL) != 0 ? t->pool.n : t->source.n));
    must(text_is_utf8(text, NULL) && text_is_utf8(name, NULL));
    must(text.n == 0 || memchr(text.p, '\0', text.n) == NULL);
    if (i == 0) {
        must(n->next == 0 && n->parent == 0);
        return;
    }
    must(n->parent < i && parent->kind >= NODE_ARRAY);
    must(n->from > parent->from && n->from + n->length < parent->from + parent->length);
    must(n->next == 0 || (n->next > i && n->next < t->n && t->nodes[n->next].parent == n->parent));
    must(n->next == 0 || t->nodes[n->next].from >= n->from + n->length);
}

static void
check_children(const struct tree *t, const struct node *n)
{
    uint32_t count = 0;

    for (NODE_EACH(child, t, n)) {
        must(child->parent == node_index(t, n));
        count++;
    }
    must(count == node_count(n));
}

static void
check_places(const struct tree *t, uint32_t i)
{
    arena *mem = arena_new(ROOM);
    view pointer = node_pointer(t, &t->nodes[i], mem), path = node_path(t, &t->nodes[i], mem);

    must(pointer.p != NULL && path.p != NULL);
    must(node_of_pointer(t, pointer) == &t->nodes[i]);
    arena_free(mem);
}

static void
check_canonical(const struct tree *t)
{
    arena *mem = arena_new(ROOM);
    struct buf once AUTO_DONE(buf_done) = {0}, twice AUTO_DONE(buf_done) = {0};
    struct tree again;
    err e = E_OK;

    buf_init(&once, ROOM);
    buf_init(&twice, ROOM);
    e = jcs_write(t, tree_root(t), NULL, 0, &once);
    must(e == E_OK || e == E_OUT_OF_RANGE);
    if (e == E_OK) {
        must(tree_read_json(buf_view(&once), NULL, mem, &again, NULL) == E_OK);
        must(again.n == t->n);
        must(jcs_write(&again, tree_root(&again), NULL, 0, &twice) == E_OK);
        must(view_eq(buf_view(&once), buf_view(&twice)));
    }
    arena_free(mem);
}

static void
check_values(view source, err verdict)
{
    arena *mem = arena_new(ROOM);
    json_t *json = NULL;
    err e = json_load(source, mem, &json, NULL);

    must(e == verdict || (verdict == E_OK && e == E_OUT_OF_RANGE));
    if (e == E_OK)
        must(json_dump_arena(json, mem).p != NULL);
    arena_free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view source = view_make(data, size);
    arena *mem = arena_new(ROOM);
    struct tree t;
    struct fault f;

    fault_init(&f);
    err e = tree_read_json(source, NULL, mem, &t, &f);
    must(f.code == e);
    if (e == E_OK) {
        must(arena_used(mem) <= 64 * size + 4096);
        must(t.n > 0);
        for (uint32_t i = 0; i < t.n; i++) {
            check_node(&t, i);
            check_children(&t, &t.nodes[i]);
            if (i < POINTERS_MOST)
                check_places(&t, i);
        }
        check_canonical(&t);
    } else {
        must(f.from >= 0 && f.length >= 0 && (size_t)(f.from + f.length) <= size);
        must(f.expected[0] != '\0' && f.found[0] != '\0');
        must(text_is_utf8(view_of(f.where), NULL));
    }
    check_values(source, e);
    arena_free(mem);
    return 0;
}
