#include "fhir/fhir.h"

static void
write_value(const struct tree *t, const struct node *n, struct buf *out)
{
    if (n->kind == NODE_STRING)
        buf_add_json(out, node_text(t, n));
    else if (n->kind == NODE_NULL)
        BUF_LIT(out, "null");
    else
        buf_add_view(out, node_text(t, n));
}

/* In document order, compact. */
err
fhir_write_json(const struct tree *t, const struct node *resource, struct buf *out)
{
    const struct node *n = resource;
    while (!out->failed) {
        if (n != resource && t->nodes[n->parent].kind == NODE_OBJECT) {
            buf_add_json(out, node_name(t, n));
            buf_add_byte(out, ':');
        }
        if (n->kind < NODE_ARRAY)
            write_value(t, n, out);
        else
            buf_add_byte(out, n->kind == NODE_ARRAY ? '[' : '{');
        if (node_has_children(n)) {
            n = node_first(t, n);
            continue;
        }
        if (n->kind >= NODE_ARRAY)
            buf_add_byte(out, n->kind == NODE_ARRAY ? ']' : '}');
        while (n != resource && !n->next) {
            n = &t->nodes[n->parent];
            buf_add_byte(out, n->kind == NODE_ARRAY ? ']' : '}');
        }
        if (n == resource)
            break;
        buf_add_byte(out, ',');
        n = node_next(t, n);
    }
    return out->failed ? E_TOO_LARGE : E_OK;
}
