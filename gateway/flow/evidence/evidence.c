#include "flow/evidence/evidence.h"

#include "base/buf.h"
#include "base/text.h"
#include "flow/evidence/keyring.h"
#include "flow/evidence/seal.h"

#include <stdlib.h>

#define SALT_SIZE 16
#define LEAF_TEXT_MAX 4096

/* RFC 3339 to the microsecond, as the row has it: a leaf says all that its columns say. */
static void
time_text(struct buf *out, instant at)
{
    char text[32];
    view ms = instant_print(at, text);
    int64_t rest = at.us % 1000;
    buf_printf(out, "%.*s%03dZ", (int)ms.n - 1, ms.p, (int)(rest < 0 ? rest + 1000 : rest));
}

/* Leaf data, canonical by construction: members in byte order, no escapes needed. */
static void
leaf_text(struct buf *out, const struct row_leaf *row)
{
    char id[ID_TEXT_SIZE];
    BUF_LIT(out, "{\"at\":\"");
    time_text(out, row->at);
    BUF_LIT(out, "\",\"commit\":\"");
    buf_add_hex(out, digest_view(&row->commitment));
    buf_printf(out, "\",\"kind\":\"%.*s\",\"ref\":\"%.*s\",\"v\":1}", VIEW_ARG(row->kind),
               VIEW_ARG(uid_print(V("ref"), row->ref, id)));
}

digest
evidence_leaf_hash(const struct row_leaf *row)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, LEAF_TEXT_MAX);
    leaf_text(&out, row);
    return merkle_leaf(buf_view(&out));
}

static digest
commitment(view salt, const digest *parts, size_t n)
{
    view all[1 + LEAF_PARTS_MAX] = {salt};
    for (size_t i = 0; i < n; i++)
        all[1 + i] = digest_view(&parts[i]);
    return sha256_parts(all, 1 + n);
}

err
evidence_leaf(struct unit *u, const char *kind, uid ref, const digest *parts, size_t n, instant at,
              digest *ret_hash)
{
    struct row_leaf *row = unit_add_leaf(u);
    uint8_t *salt = arena_alloc(u->mem, SALT_SIZE);
    if (!row || !salt || n > LEAF_PARTS_MAX)
        return E_TOO_LARGE;
    random_bytes(salt, SALT_SIZE);
    row->kind = view_of(kind);
    row->ref = ref;
    row->salt = view_make(salt, SALT_SIZE);
    row->at = at;
    row->commitment = commitment(row->salt, parts, n);
    row->hash = evidence_leaf_hash(row);
    *ret_hash = row->hash;
    return E_OK;
}

err
evidence_leaf_data(const struct row_leaf *row, arena *mem, view *ret_data)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, LEAF_TEXT_MAX);
    leaf_text(&out, row);
    view data = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    if (!data.p)
        return E_TOO_LARGE;
    *ret_data = data;
    return E_OK;
}

err
evidence_receipt(struct gateway *g, submission_id id, const digest *document, const digest *verdict,
                 partner_id sender, instant received, const digest *leaf, arena *mem, view *ret_jws)
{
    char sender_text[ID_TEXT_SIZE];
    struct receipt r = {
        .issuer = g->base_url,
        .submission = id,
        .document = *document,
        .verdict = *verdict,
        .sender = partner_id_print(sender, sender_text),
        .received_at = received,
        .leaf = *leaf,
        .log_id = g->log_id,
        .include_by = {received.us + g->merge_delay_us},
    };
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(g);
    return receipt_sign(&r, keys->signing, mem, ret_jws);
}

/* -- the tree over the leaves -- */

/* Hashes of complete subtrees from BLOCK_LEVEL upwards are kept in memory (2 hashes for 16 leaves); what lies below is computed from the leaf rows of one
 * block.  The store's leaves are the truth; this is a cache that grows as the log does. */
#define BLOCK_LEVEL 4U
#define BLOCK_LEAVES (1U << BLOCK_LEVEL)
#define LEVELS 48

struct level {
    digest *hashes;
    uint64_t n, room;
};

struct log_tree {
    struct store *store;
    pthread_mutex_t lock;
    struct level levels[LEVELS]; /* [0] is BLOCK_LEVEL */
};

struct log_tree *
log_tree_new(struct store *s)
{
    struct log_tree *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->store = s;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void
log_tree_free(struct log_tree *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < LEVELS; i++)
        free(t->levels[i].hashes);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void
level_push(struct log_tree *t, size_t level, digest hash)
{
    while (level < LEVELS) {
        struct level *l = &t->levels[level];
        if (l->n == l->room) {
            l->room = l->room ? l->room * 2 : 64;
            l->hashes = reallocarray(l->hashes, l->room, sizeof *l->hashes);
            if (!l->hashes)
                abort();
        }
        l->hashes[l->n++] = hash;
        if (l->n % 2)
            return;
        hash = merkle_node(&l->hashes[l->n - 2], &l->hashes[l->n - 1]);
        level++;
    }
}

static digest
fold_block(digest *hashes, unsigned level)
{
    for (size_t n = (size_t)1 << level; n > 1; n /= 2) {
        for (size_t i = 0; i < n / 2; i++)
            hashes[i] = merkle_node(&hashes[2 * i], &hashes[2 * i + 1]);
    }
    return hashes[0];
}

#define GROW_LEAVES (BLOCK_LEAVES * 256)

/* Takes in all complete blocks below n. */
static err
tree_grow(struct log_tree *t, struct reader *r, uint64_t n)
{
    digest *batch = malloc(GROW_LEAVES * sizeof *batch);
    if (!batch)
        abort();
    err e = E_OK;
    while (e == E_OK && (t->levels[0].n + 1) * BLOCK_LEAVES <= n) {
        uint64_t from = t->levels[0].n * BLOCK_LEAVES;
        uint64_t rest = (n - from) / BLOCK_LEAVES * BLOCK_LEAVES;
        size_t want = rest < GROW_LEAVES ? (size_t)rest : GROW_LEAVES;
        size_t got = 0;
        e = store_leaf_hashes(r, from, want, batch, &got);
        if (e == E_OK && got < want)
            e = E_STORE_CORRUPT;
        for (size_t i = 0; e == E_OK && i < want; i += BLOCK_LEAVES)
            level_push(t, 0, fold_block(batch + i, BLOCK_LEVEL));
    }
    free(batch);
    return e;
}

struct tree_view {
    struct log_tree *tree;
    struct reader *reader;
};

static err
tree_read(void *self, unsigned level, uint64_t index, digest *ret)
{
    struct tree_view *v = self;
    if (level >= BLOCK_LEVEL) {
        const struct level *l = &v->tree->levels[level - BLOCK_LEVEL];
        if (index >= l->n)
            return E_STORE_CORRUPT;
        *ret = l->hashes[index];
        return E_OK;
    }
    digest hashes[BLOCK_LEAVES];
    size_t want = (size_t)1 << level, got = 0;
    TRY(store_leaf_hashes(v->reader, index << level, want, hashes, &got));
    if (got < want)
        return E_STORE_CORRUPT;
    *ret = fold_block(hashes, level);
    return E_OK;
}

/* The reader's snapshot may be older than the writer's count: the last leaf it sees bounds the tree. */
static err
length_seen(struct gateway *g, struct reader *r, uint64_t *ret)
{
    uint64_t n = store_log_length(g->store);
    digest last;
    size_t got = 0;
    while (n > 0) {
        TRY(store_leaf_hashes(r, n - 1, 1, &last, &got));
        if (got)
            break;
        n--;
    }
    *ret = n;
    return E_OK;
}

/* Path and head of one proof; p says which. */
static err
proof_fill(struct gateway *g, struct reader *r, struct log_proof *p, arena *mem)
{
    digest root;
    struct tree_view v = {g->log, r};
    pthread_mutex_lock(&g->log->lock);
    err e = tree_grow(g->log, r, p->size);
    if (e == E_OK && p->is_consistency)
        e = merkle_consistency(tree_read, &v, p->first, p->size, p->path, &p->n);
    else if (e == E_OK)
        e = merkle_inclusion(tree_read, &v, p->first, p->size, p->path, &p->n);
    if (e == E_OK)
        e = merkle_root(tree_read, &v, p->size, &root);
    pthread_mutex_unlock(&g->log->lock);
    TRY(e);
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(g);
    return checkpoint_print(g->log_id, p->size, &root, keys->signing, mem, &p->checkpoint);
}

/* size 0 asks for the present tree. */
static err
choose_size(struct gateway *g, struct reader *r, uint64_t size, uint64_t least, uint64_t *ret,
            struct fault *f)
{
    uint64_t n;
    TRY(length_seen(g, r, &n));
    if (size > n || (size && size < least))
        return fault_set(f, E_PARAMETER, "tree_size", "a size of the log that holds the entry", "another");
    *ret = size ? size : n;
    return E_OK;
}

err
evidence_proof(struct gateway *g, const digest *leaf_hash, uid ref, uint64_t size, arena *mem, view *ret_json,
               struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(g->store, &r));
    struct row_leaf *leaf = NULL;
    TRY(query_leaf_of(r, ARGS(val_uid(&ref)), mem, &leaf));
    if (!leaf || !digest_eq(&leaf->hash, leaf_hash))
        return fault_set(f, E_NOT_FOUND, "", "a leaf in the log", "none");
    struct log_proof p = {.first = (uint64_t)leaf->seq, .leaf = *leaf_hash};
    TRY(choose_size(g, r, size, p.first + 1, &p.size, f));
    TRY(proof_fill(g, r, &p, mem));
    return proof_print(&p, mem, ret_json);
}

err
evidence_consistency(struct gateway *g, uint64_t first, uint64_t size, arena *mem, struct log_proof *ret,
                     struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(g->store, &r));
    struct log_proof p = {.is_consistency = true, .first = first};
    TRY(choose_size(g, r, size, first, &p.size, f));
    if (first > p.size)
        return fault_set(f, E_PARAMETER, "first_size", "a size of the log", "a larger one");
    TRY(proof_fill(g, r, &p, mem));
    *ret = p;
    return E_OK;
}

err
evidence_checkpoint(struct gateway *g, arena *mem, view *ret_text)
{
    struct log_proof p;
    struct fault f;
    fault_init(&f);
    TRY(evidence_consistency(g, 0, 0, mem, &p, &f));
    *ret_text = p.checkpoint;
    return E_OK;
}
