#include "signing/time/evidence_record.h"

#include "base/buf.h"
#include "signing/cms/der.h"
#include "signing/time/tsp.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define RECORD_MAX (4u << 20)
#define LIST_MAX 64

/* -- hashes -- */

static const struct {
    size_t size;
    const char *word, *name;
    uint8_t oid[11]; /* with tag and length */
} hashes[] = {
    {32, "sha256", "SHA256", {6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}},
    {48, "sha384", "SHA384", {6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2}},
    {64, "sha512", "SHA512", {6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3}},
};

size_t
hash_size_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        if (view_eq(word, view_of(hashes[i].word)))
            return hashes[i].size;
    return 0;
}

const char *
hash_word(size_t size)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        if (hashes[i].size == size)
            return hashes[i].word;
    return "";
}

struct wide_digest
wide_hash(size_t size, const view *parts, size_t n)
{
    struct wide_digest d = {.n = size};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = size == 32 ? EVP_sha256() : size == 48 ? EVP_sha384() : EVP_sha512();
    bool good = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;
    for (size_t i = 0; good && i < n; i++)
        good = EVP_DigestUpdate(ctx, parts[i].p ? parts[i].p : "", parts[i].n) == 1;
    if (!good || EVP_DigestFinal_ex(ctx, d.b, NULL) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    return d;
}

static int
by_bytes(const void *a, const void *b)
{
    const struct wide_digest *x = a, *y = b;
    return memcmp(x->b, y->b, x->n);
}

/* A node of the tree: its children in binary order (section 4.2). */
static struct wide_digest
node_of(struct wide_digest *children, size_t n)
{
    view parts[LIST_MAX + 1];
    qsort(children, n, sizeof *children, by_bytes);
    for (size_t i = 0; i < n; i++)
        parts[i] = wide_digest_view(&children[i]);
    return wide_hash(children[0].n, parts, n);
}

/* -- trees -- */

#define LEVELS_MAX 48

struct hash_tree {
    struct wide_digest *levels[LEVELS_MAX]; /* [0] the leaves */
    size_t n[LEVELS_MAX], n_levels;
};

/* The last of an odd number goes up as it is. */
static void
fill_level(const struct wide_digest *below, size_t n, struct wide_digest *ret)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        struct wide_digest pair[2] = {below[i], below[i + 1]};
        ret[i / 2] = node_of(pair, 2);
    }
    if (n % 2)
        ret[n / 2] = below[n - 1];
}

err
hash_tree_make(const struct wide_digest *leaves, size_t n, arena *mem, struct hash_tree **ret)
{
    struct hash_tree *t = arena_make(mem, struct hash_tree);
    for (size_t level = 0; t && n > 0 && level < LEVELS_MAX; level++) {
        struct wide_digest *nodes = arena_array(mem, n, sizeof *nodes);
        if (!nodes)
            return E_TOO_LARGE;
        if (level == 0)
            memcpy(nodes, leaves, n * sizeof *nodes);
        else
            fill_level(t->levels[level - 1], t->n[level - 1], nodes);
        t->levels[level] = nodes;
        t->n[level] = n;
        t->n_levels = level + 1;
        n = n == 1 ? 0 : (n + 1) / 2;
    }
    if (!t || t->n_levels == 0)
        return E_TOO_LARGE;
    *ret = t;
    return E_OK;
}

const struct wide_digest *
hash_tree_root(const struct hash_tree *t)
{
    return t->levels[t->n_levels - 1];
}

static void
add_list(struct buf *out, struct wide_digest *list, size_t n)
{
    struct buf inside AUTO_DONE(buf_done);
    buf_init(&inside, LIST_MAX * 80);
    qsort(list, n, sizeof *list, by_bytes);
    for (size_t i = 0; i < n; i++)
        der_add(&inside, DER_OCTETS, wide_digest_view(&list[i]));
    der_add(out, DER_SEQUENCE, buf_view(&inside));
}

err
hash_tree_path(const struct hash_tree *t, size_t i, arena *mem, view *ret_tree)
{
    struct buf out AUTO_DONE(buf_done);
    bool first = true;
    buf_init(&out, LEVELS_MAX * 200);
    if (i >= t->n[0])
        return E_TOO_LARGE;
    for (size_t level = 0, at = i; level + 1 < t->n_levels; level++, at /= 2) {
        if ((at ^ 1) >= t->n[level])
            continue;
        struct wide_digest list[2] = {t->levels[level][at ^ 1], t->levels[0][i]};
        add_list(&out, list, first ? 2 : 1); /* the first list holds the leaf too */
        first = false;
    }
    *ret_tree = out.n ? arena_dup(mem, buf_view(&out)) : V("");
    return out.failed || !ret_tree->p ? E_TOO_LARGE : E_OK;
}

static err
read_digests(view list, size_t size, struct wide_digest *ret, size_t *ret_n)
{
    struct der_item item;
    while (list.n) {
        if (*ret_n == LIST_MAX || !der_take(&list, DER_OCTETS, &item) || item.value.n != size)
            return E_TIME_STAMP;
        ret[*ret_n].n = size;
        memcpy(ret[(*ret_n)++].b, item.value.p, size);
    }
    return E_OK;
}

/* Section 4.3: the leaf stands in the first list, each list's node joins the next. */
static err
follow_path(view tree, const struct wide_digest *leaf, struct wide_digest *ret, struct fault *f)
{
    struct wide_digest list[LIST_MAX + 1], node = *leaf;
    struct der_item item;
    bool first = true;
    while (tree.n) {
        size_t n = 0;
        bool found = false;
        if (!der_take(&tree, DER_SEQUENCE, &item) || read_digests(item.value, leaf->n, list, &n) != E_OK ||
            n == 0)
            return fault_set(f, E_TIME_STAMP, "reducedHashtree", "lists of hashes of one size",
                             "another form");
        for (size_t i = 0; first && i < n; i++)
            found = found || memcmp(list[i].b, leaf->b, leaf->n) == 0;
        if (first && !found)
            return fault_set(f, E_TIME_STAMP, "reducedHashtree", "a path that begins at these bytes",
                             "another");
        if (!first)
            list[n++] = node;
        node = n == 1 ? list[0] : node_of(list, n);
        first = false;
    }
    *ret = node;
    return E_OK;
}

/* -- form -- */

static void
add_algorithm(struct buf *out, uint8_t tag, size_t size)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        if (hashes[i].size == size)
            der_add(out, tag, view_make(hashes[i].oid, sizeof hashes[i].oid));
}

static bool
read_algorithm(view content, size_t *ret_size)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        if (view_starts(content, view_make(hashes[i].oid, sizeof hashes[i].oid))) {
            *ret_size = hashes[i].size;
            return true;
        }
    }
    return false;
}

static void
add_stamp(struct buf *out, const struct archive_stamp *s)
{
    struct buf inside AUTO_DONE(buf_done);
    buf_init(&inside, RECORD_MAX);
    if (s->whole.n) {
        buf_add_view(out, s->whole);
        return;
    }
    add_algorithm(&inside, DER_CONTEXT(0), s->hash);
    if (s->tree.n)
        der_add(&inside, DER_CONTEXT(2), s->tree);
    buf_add_view(&inside, s->token);
    der_add(out, DER_SEQUENCE, buf_view(&inside));
    out->failed = out->failed || inside.failed;
}

/* ArchiveTimeStampSequence of the first n stamps. */
static void
add_chains(struct buf *out, const struct evidence_record *r, size_t n)
{
    struct buf chains AUTO_DONE(buf_done), chain AUTO_DONE(buf_done);
    buf_init(&chains, RECORD_MAX);
    buf_init(&chain, RECORD_MAX);
    for (size_t i = 0; i < n; i++) {
        add_stamp(&chain, &r->stamps[i]);
        if (i + 1 < n && !r->stamps[i + 1].begins_chain)
            continue;
        der_add(&chains, DER_SEQUENCE, buf_view(&chain));
        buf_clear(&chain);
    }
    der_add(out, DER_SEQUENCE, buf_view(&chains));
    out->failed = out->failed || chains.failed || chain.failed;
}

static void
add_algorithms(struct buf *out, const struct evidence_record *r)
{
    struct buf inside AUTO_DONE(buf_done);
    buf_init(&inside, 1024);
    for (size_t k = 0; k < COUNT_OF(hashes); k++) {
        bool used = false;
        for (size_t i = 0; i < r->n; i++)
            used = used || r->stamps[i].hash == hashes[k].size;
        if (used)
            add_algorithm(&inside, DER_SEQUENCE, hashes[k].size);
    }
    der_add(out, DER_SEQUENCE, buf_view(&inside));
}

err
evidence_record_print(const struct evidence_record *r, arena *mem, view *ret_der)
{
    struct buf inside AUTO_DONE(buf_done), out AUTO_DONE(buf_done);
    buf_init(&inside, RECORD_MAX);
    buf_init(&out, RECORD_MAX);
    der_add(&inside, DER_INTEGER, V("\x01"));
    add_algorithms(&inside, r);
    add_chains(&inside, r, r->n);
    der_add(&out, DER_SEQUENCE, buf_view(&inside));
    view der = inside.failed || out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    if (!der.p)
        return E_TOO_LARGE;
    *ret_der = der;
    return E_OK;
}

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    return fault_set(f, E_TIME_STAMP, "evidence record", expected, found);
}

static err
read_stamp(const struct der_item *item, bool begins_chain, struct evidence_record *r, struct fault *f)
{
    struct der_item algorithm, attributes, tree, token;
    view rest = item->value;
    if (r->n == RECORD_STAMPS_MAX)
        return refuse(f, "at most 64 time-stamps", "more");
    struct archive_stamp *s = &r->stamps[r->n];
    *s = (struct archive_stamp){.begins_chain = begins_chain, .whole = item->whole};
    der_take_if(&rest, DER_CONTEXT(0), &algorithm);
    der_take_if(&rest, DER_CONTEXT(1), &attributes);
    der_take_if(&rest, DER_CONTEXT(2), &tree);
    if (algorithm.whole.n && !read_algorithm(algorithm.value, &s->hash))
        return refuse(f, "SHA-256, SHA-384 or SHA-512", "another hash");
    if (tree.whole.n)
        s->tree = tree.value;
    if (!der_take(&rest, DER_SEQUENCE, &token) || rest.n)
        return refuse(f, "a time-stamp token", "another form");
    s->token = token.whole;
    r->n++;
    return E_OK;
}

err
evidence_record_read(view der, struct evidence_record *ret, struct fault *f)
{
    struct der_item all, item, chain;
    ret->n = 0;
    if (der.n > RECORD_MAX || !der_only(der, DER_SEQUENCE, &all))
        return refuse(f, "one record in DER", "other bytes");
    view rest = all.value;
    if (!der_take(&rest, DER_INTEGER, &item) || !view_eq(item.value, V("\x01")) ||
        !der_take(&rest, DER_SEQUENCE, &item))
        return refuse(f, "version 1 and the hashes used", "another form");
    der_take_if(&rest, DER_CONTEXT(0),
                &item); /* cryptoInfos: certificates that may help; the tokens hold theirs */
    der_take_if(&rest, DER_CONTEXT(1), &item);
    if (item.whole.n)
        return refuse(f, "a record over bytes as they stand", "one over encrypted bytes");
    if (!der_take(&rest, DER_SEQUENCE, &all) || rest.n || all.value.n == 0)
        return refuse(f, "chains of time-stamps", "none");
    for (view chains = all.value; chains.n;) {
        if (!der_take(&chains, DER_SEQUENCE, &chain) || chain.value.n == 0)
            return refuse(f, "a chain of time-stamps", "another form");
        for (view stamps = chain.value; stamps.n;) {
            bool begins = stamps.n == chain.value.n;
            if (!der_take(&stamps, DER_SEQUENCE, &item))
                return refuse(f, "a time-stamp", "another form");
            TRY(read_stamp(&item, begins, ret, f));
        }
    }
    return E_OK;
}

/* -- renewing and verifying -- */

/* What stamp i is over, before its tree. */
static err
leaf_of(const struct evidence_record *r, size_t i, view object, bool begins_chain, size_t hash,
        struct wide_digest *ret)
{
    struct wide_digest over_object = wide_hash(hash, &object, 1);
    if (i == 0) {
        *ret = over_object;
        return E_OK;
    }
    if (!begins_chain) {
        *ret = wide_hash(hash, &r->stamps[i - 1].token, 1);
        return E_OK;
    }
    struct buf chains AUTO_DONE(buf_done);
    buf_init(&chains, RECORD_MAX);
    add_chains(&chains, r, i);
    if (chains.failed)
        return E_TOO_LARGE;
    view whole = buf_view(&chains);
    struct wide_digest over_chains = wide_hash(hash, &whole, 1);
    const view both[] = {wide_digest_view(&over_object), wide_digest_view(&over_chains)};
    *ret = wide_hash(hash, both, 2);
    return E_OK;
}

err
evidence_record_leaf(const struct evidence_record *r, view object, bool begins_chain, size_t hash,
                     struct wide_digest *ret)
{
    if (r->n == RECORD_STAMPS_MAX)
        return E_TOO_LARGE;
    return leaf_of(r, r->n, object, begins_chain, hash, ret);
}

static err
verify_stamp(const struct evidence_record *r, size_t i, const struct record_question *q, instant judged_at,
             arena *mem, struct tsp_token *ret, struct fault *f)
{
    const struct archive_stamp *s = &r->stamps[i];
    struct wide_digest leaf, root;
    size_t hash = s->hash ? s->hash : tsp_token_hash(s->token);
    if (hash == 0)
        return fault_set(f, E_TIME_STAMP, "time-stamp", "SHA-256, SHA-384 or SHA-512", "another hash");
    TRY(leaf_of(r, i, q->object, s->begins_chain, hash, &leaf));
    TRY(follow_path(s->tree, &leaf, &root, f));
    const struct tsp_question one = {.imprint = wide_digest_view(&root),
                                     .policy = q->policy,
                                     .anchors = q->anchors,
                                     .n_anchors = q->n_anchors,
                                     .rest = q->rest,
                                     .n_rest = q->n_rest,
                                     .latest = judged_at,
                                     .good_at = judged_at};
    return tsp_token_verify(s->token, &one, mem, ret, f);
}

err
evidence_record_verify(const struct evidence_record *r, const struct record_question *q, arena *mem,
                       struct record_proof *ret, struct fault *f)
{
    struct record_proof p = {.stamps = r->n};
    instant judged_at = q->now;
    struct tsp_token token;
    if (r->n == 0)
        return refuse(f, "a time-stamp", "none");
    for (size_t i = r->n; i-- > 0;) {
        struct fault inner;
        fault_init(&inner);
        err e = verify_stamp(r, i, q, judged_at, mem, &token, &inner);
        if (e != E_OK)
            return fault_setf(f, e, inner.expected, inner.found, "stamps[%zu]", i);
        p.chains += r->stamps[i].begins_chain;
        if (i + 1 == r->n) {
            p.latest = token.at;
            p.until = token.authority_until;
        }
        p.at = judged_at = token.at;
    }
    *ret = p;
    return E_OK;
}
