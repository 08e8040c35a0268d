#include "signing/log/proof.h"

#include "base/json_tree.h"
#include "base/text.h"

#define PROOF_MAX 65536

err
proof_print(const struct log_proof *p, arena *mem, view *ret_json)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, PROOF_MAX);
    buf_printf(&out, "{\"%s\":%llu,\"tree_size\":%llu", p->is_consistency ? "first_size" : "leaf_index",
               (unsigned long long)p->first, (unsigned long long)p->size);
    if (!p->is_consistency) {
        BUF_LIT(&out, ",\"leaf_hash\":\"");
        buf_add_base64(&out, digest_view(&p->leaf));
        BUF_LIT(&out, "\"");
    }
    BUF_LIT(&out, ",\"path\":[");
    for (size_t i = 0; i < p->n; i++) {
        buf_add(&out, i ? ",\"" : "\"", i ? 2 : 1);
        buf_add_base64(&out, digest_view(&p->path[i]));
        BUF_LIT(&out, "\"");
    }
    BUF_LIT(&out, "],\"checkpoint\":");
    buf_add_json(&out, p->checkpoint);
    BUF_LIT(&out, "}");
    view text = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    if (!text.p)
        return E_TOO_LARGE;
    *ret_json = text;
    return E_OK;
}

struct reading {
    struct tree tree;
    arena *mem;
    struct fault *f;
};

static err
malformed(const struct reading *r, const char *where, const char *expected)
{
    return fault_set(r->f, E_SIGNATURE_FORM, where, expected, "something else");
}

static err
read_number(const struct reading *r, const char *name, uint64_t *ret)
{
    const struct node *n = node_member(&r->tree, tree_root(&r->tree), view_of(name));
    if (!n || n->kind != NODE_NUMBER || text_to_u64(node_text(&r->tree, n), ret) != E_OK)
        return malformed(r, name, "a number of entries");
    return E_OK;
}

static err
read_hash(const struct reading *r, const struct node *n, const char *name, digest *ret)
{
    view bytes = VIEW_NONE;
    if (!n || n->kind != NODE_STRING || text_base64_decode(node_text(&r->tree, n), r->mem, &bytes) != E_OK ||
        bytes.n != sizeof ret->b)
        return malformed(r, name, "32 bytes in base64");
    memcpy(ret->b, bytes.p, sizeof ret->b);
    return E_OK;
}

static err
read_path(const struct reading *r, struct log_proof *p)
{
    const struct node *list = node_member(&r->tree, tree_root(&r->tree), V("path"));
    if (!list || list->kind != NODE_ARRAY)
        return malformed(r, "path", "a list of hashes");
    for (const struct node *n = node_first(&r->tree, list); n; n = node_next(&r->tree, n)) {
        if (p->n == MERKLE_PATH_MAX)
            return malformed(r, "path", "at most 64 hashes");
        TRY(read_hash(r, n, "path", &p->path[p->n++]));
    }
    return E_OK;
}

err
proof_read(view json, arena *mem, struct log_proof *ret, struct fault *f)
{
    struct reading r = {.mem = mem, .f = f};
    struct log_proof p = {0};
    const struct tree_limits limits = {PROOF_MAX, 512};
    TRY(tree_read_json(json, &limits, mem, &r.tree, f));
    const struct node *root = tree_root(&r.tree);
    if (root->kind != NODE_OBJECT)
        return malformed(&r, "proof", "a JSON object");
    p.is_consistency = node_member(&r.tree, root, V("first_size")) != NULL;
    TRY(read_number(&r, p.is_consistency ? "first_size" : "leaf_index", &p.first));
    TRY(read_number(&r, "tree_size", &p.size));
    if (!p.is_consistency)
        TRY(read_hash(&r, node_member(&r.tree, root, V("leaf_hash")), "leaf_hash", &p.leaf));
    TRY(read_path(&r, &p));
    const struct node *checkpoint = node_member(&r.tree, root, V("checkpoint"));
    if (!checkpoint || checkpoint->kind != NODE_STRING)
        return malformed(&r, "checkpoint", "a signed head");
    p.checkpoint = node_text(&r.tree, checkpoint);
    *ret = p;
    return E_OK;
}
