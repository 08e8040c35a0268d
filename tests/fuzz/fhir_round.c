/* room: fhir */
/* JSON → tree → JSON → tree: the same values in the same order, numbers and texts untouched; written twice, the same
 * bytes.  Where the tree can be written as XML at all, what comes back from that can be written as JSON again. */
#include "fhir/fhir.h"

#include <stdlib.h>

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_same(const struct tree *a, const struct tree *b)
{
    must(a->n == b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct node *x = &a->nodes[i], *y = &b->nodes[i];
        must(x->kind == y->kind && x->next == y->next && x->parent == y->parent);
        must(view_eq(node_name(a, x), node_name(b, y)));
        must(view_eq(node_text(a, x), node_text(b, y)));
        must(node_count(x) == node_count(y));
    }
}

static void
check_xml(const struct tree *t, arena *mem)
{
    struct buf xml AUTO_DONE(buf_done) = {0}, json AUTO_DONE(buf_done) = {0};
    struct tree back, again;
    buf_init(&xml, ROOM);
    buf_init(&json, ROOM);
    if (fhir_write_xml(t, tree_root(t), &xml) != E_OK ||
        fhir_read(FHIR_XML, buf_view(&xml), mem, &back, NULL) != E_OK)
        return;
    must(fhir_write_json(&back, tree_root(&back), &json) == E_OK);
    must(tree_read_json(buf_view(&json), NULL, mem, &again, NULL) == E_OK);
    check_same(&back, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(ROOM);
    struct buf first AUTO_DONE(buf_done) = {0}, second AUTO_DONE(buf_done) = {0};
    struct tree t, again;
    buf_init(&first, ROOM);
    buf_init(&second, ROOM);
    if (fhir_read(FHIR_JSON, view_make(data, size), mem, &t, NULL) == E_OK) {
        must(fhir_write_json(&t, tree_root(&t), &first) == E_OK);
        must(tree_read_json(buf_view(&first), NULL, mem, &again, NULL) == E_OK);
        check_same(&t, &again);
        must(fhir_write_json(&again, tree_root(&again), &second) == E_OK);
        must(view_eq(buf_view(&first), buf_view(&second)));
        check_xml(&t, mem);
    }
    arena_free(mem);
    return 0;
}
