/* room: fhir */
/* Any bytes as FHIR XML.  What is read has ranges inside its parents and the source, can be judged without
 * harm, and, where it can be written as XML at all, comes back from that as the same tree. */
#include "fhir/fhir.h"

#include <stdlib.h>

#define ARENA_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_tree(const struct tree *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct node *n = &t->nodes[i], *up = &t->nodes[n->parent];
        size_t end = (size_t)n->from + n->length;
        must(end <= t->source.n);
        must(i == 0 || (n->from >= up->from && end <= (size_t)up->from + up->length));
        must(n->next == 0 || n->next > i);
        view name = node_name(t, n), text = node_text(t, n);
        must(name.n == n->name_length);
        must(n->kind >= NODE_ARRAY || n->kind == NODE_NULL || text.n == n->text_length);
    }
}

static void
check_issues(const struct issues *issues, const struct tree *t)
{
    for (const struct issue *i = issues->first; i; i = i->next) {
        must(i->from >= 0 && (size_t)(i->from + i->length) <= t->source.n);
        must(i->line > 0 && i->column > 0);
        must(node_of_pointer(t, i->pointer) != NULL);
    }
}

static void
judge(const struct tree *t, arena *mem)
{
    struct issues issues;
    struct validate_options options = {.strict = true};
    issues_init(&issues, mem, 50);
    err e = fhir_validate_resource(NULL, t, tree_root(t), &options, mem, &issues);
    must(e == E_OK || e == E_TOO_LARGE);
    if (e == E_OK)
        check_issues(&issues, t);
}

static void
check_round(const struct tree *t, arena *mem)
{
    struct buf first, second;
    struct tree again;
    struct fault f;
    buf_init(&first, ARENA_BYTES);
    buf_init(&second, ARENA_BYTES);
    fault_init(&f);
    if (fhir_write_xml(t, tree_root(t), &first) == E_OK) {
        err e = fhir_read(FHIR_XML, buf_view(&first), mem, &again, &f);
        must(e == E_OK || e == E_TOO_LARGE);
        if (e == E_OK) {
            must(fhir_write_xml(&again, tree_root(&again), &second) == E_OK);
            must(view_eq(buf_view(&first), buf_view(&second)));
        }
    }
    buf_clear(&first);
    must(fhir_write_json(t, tree_root(t), &first) == E_OK);
    must(tree_read_json(buf_view(&first), NULL, mem, &again, &f) == E_OK);
    buf_done(&first);
    buf_done(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(ARENA_BYTES);
    struct tree t;
    struct fault f;
    fault_init(&f);
    if (fhir_read(FHIR_XML, view_make(data, size), mem, &t, &f) == E_OK) {
        check_tree(&t);
        judge(&t, mem);
        check_round(&t, mem);
    } else {
        must(f.code != E_OK);
    }
    arena_free(mem);
    return 0;
}
