/* A record's tree as XML: members become elements of the same name, a list repeats its element.  For records that we make; a signed document is never written
 * anew. */
#include "adapters/police/sample.h"

#include "adapters/police/record.h"
#include "base/json_tree.h"

struct writer {
    const struct tree *t;
    struct buf *out;
    const struct node *open[TREE_DEPTH_MAX]; /* objects whose end tag is due */
    size_t depth;
};

static view
element_name(const struct tree *t, const struct node *n)
{
    const struct node *parent = &t->nodes[n->parent];
    return node_name(t, parent->kind == NODE_ARRAY ? parent : n);
}

static void
write_tag(struct writer *w, const struct node *n, bool end)
{
    buf_add_view(w->out, end ? V("</") : V("<"));
    buf_add_view(w->out, element_name(w->t, n));
    buf_add_byte(w->out, '>');
}

/* Ends the elements that n does not stand in. */
static void
close_until(struct writer *w, const struct node *n)
{
    while (w->depth > 0) {
        const struct node *open = w->open[w->depth - 1];
        uint32_t at = n ? n->parent : UINT32_MAX;
        if (n && w->t->nodes[at].kind == NODE_ARRAY)
            at = w->t->nodes[at].parent;
        if (n && &w->t->nodes[at] == open)
            return;
        write_tag(w, open, true);
        w->depth--;
    }
}

static void
write_node(struct writer *w, const struct node *n)
{
    close_until(w, n);
    if (n->kind == NODE_ARRAY)
        return;
    write_tag(w, n, false);
    if (n->kind == NODE_OBJECT) {
        w->open[w->depth++] = n;
        return;
    }
    buf_add_xml(w->out, node_text(w->t, n));
    write_tag(w, n, true);
}

err
police_sample_xml(view json, arena *mem, view *ret, struct fault *f)
{
    struct tree t;
    TRY(tree_read_json(json, NULL, mem, &t, f));
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 4 * json.n + 4096);
    struct writer w = {.t = &t, .out = &b};
    BUF_LIT(&b,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" RECORD_ROOT " xmlns=\"" RECORD_NAMESPACE "\">");
    for (uint32_t i = 1; i < t.n; i++) {
        const struct node *n = &t.nodes[i];
        if (n->parent == 0)
            close_until(&w, NULL);
        if (n->parent == 0 && n->kind != NODE_ARRAY)
            BUF_LIT(&b, "\n  ");
        write_node(&w, n);
    }
    close_until(&w, NULL);
    BUF_LIT(&b, "\n</" RECORD_ROOT ">\n");
    view out = b.failed ? VIEW_NONE : arena_dup(mem, buf_view(&b));
    if (!out.p)
        return fault_set(f, E_TOO_LARGE, "", "a record that fits the memory", "a larger one");
    *ret = out;
    return E_OK;
}
