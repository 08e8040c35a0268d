/* RFC 6962 2.1 over a reader of complete subtrees: no recursion, at most 64 reads per hash. */
#include "signing/log/merkle.h"

digest
merkle_leaf(view data)
{
    const view parts[] = {{"\0", 1}, data};
    return sha256_parts(parts, COUNT_OF(parts));
}

digest
merkle_node(const digest *left, const digest *right)
{
    const view parts[] = {{"\1", 1}, digest_view(left), digest_view(right)};
    return sha256_parts(parts, COUNT_OF(parts));
}

/* n > 0 */
static unsigned
log2_floor(uint64_t n)
{
    return 63U - (unsigned)__builtin_clzll(n);
}

/* The largest power of two that is smaller than n (n > 1). */
static uint64_t
split_of(uint64_t n)
{
    return UINT64_C(1) << log2_floor(n - 1);
}

/* Hash of the leaves from..from+n-1, n > 0; from is a multiple of a power of two that is ≥ n, so the range
 * is a row of complete subtrees that get smaller, folded from the right. */
static err
range_root(merkle_read read, void *self, uint64_t from, uint64_t n, digest *ret)
{
    digest hash = {{0}};
    bool any = false;
    uint64_t end = from + n;
    for (uint64_t rest = n; rest > 0; rest &= rest - 1) {
        unsigned level = (unsigned)__builtin_ctzll(rest);
        digest left;
        end -= UINT64_C(1) << level;
        TRY(read(self, level, end >> level, &left));
        hash = any ? merkle_node(&left, &hash) : left;
        any = true;
    }
    *ret = hash;
    return E_OK;
}

err
merkle_root(merkle_read read, void *self, uint64_t n, digest *ret)
{
    if (n > 0)
        return range_root(read, self, 0, n, ret);
    *ret = sha256(V(""));
    return E_OK;
}

static void
reverse(digest *path, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        digest d = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = d;
    }
}

/* RFC 6962 2.1.1 PATH(m, D[n]), from the root down and turned round. */
err
merkle_inclusion(merkle_read read, void *self, uint64_t index, uint64_t n, digest path[MERKLE_PATH_MAX],
                 size_t *ret_length)
{
    if (index >= n)
        return E_OUT_OF_RANGE;
    size_t length = 0;
    uint64_t from = 0;
    while (n > 1) {
        uint64_t k = split_of(n);
        bool left = index - from < k;
        TRY(left ? range_root(read, self, from + k, n - k, &path[length])
                 : range_root(read, self, from, k, &path[length]));
        length++;
        from += left ? 0 : k;
        n = left ? k : n - k;
    }
    reverse(path, length);
    *ret_length = length;
    return E_OK;
}

/* RFC 6962 2.1.2 PROOF(m, D[n]). */
err
merkle_consistency(merkle_read read, void *self, uint64_t old_n, uint64_t n, digest path[MERKLE_PATH_MAX],
                   size_t *ret_length)
{
    if (old_n > n)
        return E_OUT_OF_RANGE;
    size_t length = 0;
    uint64_t from = 0, rest = n;
    bool whole = true; /* the old tree is a complete subtree so far: the other side knows its hash */
    while (old_n > 0 && old_n - from != rest) {
        uint64_t k = split_of(rest);
        bool left = old_n - from <= k;
        TRY(left ? range_root(read, self, from + k, rest - k, &path[length])
                 : range_root(read, self, from, k, &path[length]));
        length++;
        from += left ? 0 : k;
        rest = left ? k : rest - k;
        whole = whole && left;
    }
    if (!whole) {
        TRY(range_root(read, self, from, rest, &path[length]));
        length++;
    }
    reverse(path, length);
    *ret_length = length;
    return E_OK;
}

/* RFC 9162 2.1.3.2 */
err
merkle_check_inclusion(const digest *leaf, uint64_t index, uint64_t n, const digest *path, size_t length,
                       const digest *root)
{
    if (index >= n || length > MERKLE_PATH_MAX)
        return E_SIGNATURE_MISMATCH;
    uint64_t fn = index, sn = n - 1;
    digest hash = *leaf;
    for (size_t i = 0; i < length; i++) {
        if (sn == 0)
            return E_SIGNATURE_MISMATCH;
        if ((fn & 1) || fn == sn) {
            hash = merkle_node(&path[i], &hash);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash = merkle_node(&hash, &path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && digest_eq(&hash, root) ? E_OK : E_SIGNATURE_MISMATCH;
}

/* Walks the path; the first hash of it (or the old root) begins both. RFC 9162 2.1.4.2, steps 4 to 6. */
static bool
consistency_walk(uint64_t old_n, uint64_t n, const digest *path, size_t length, digest *old_hash,
                 digest *hash)
{
    uint64_t fn = old_n - 1, sn = n - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    for (size_t i = 0; i < length; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            *old_hash = merkle_node(&path[i], old_hash);
            *hash = merkle_node(&path[i], hash);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            *hash = merkle_node(hash, &path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

err
merkle_check_consistency(uint64_t old_n, const digest *old_root, uint64_t n, const digest *root,
                         const digest *path, size_t length)
{
    if (old_n > n || length > MERKLE_PATH_MAX)
        return E_SIGNATURE_MISMATCH;
    if (old_n == n)
        return length == 0 && digest_eq(old_root, root) ? E_OK : E_SIGNATURE_MISMATCH;
    if (old_n == 0) {
        digest empty = sha256(V(""));
        return length == 0 && digest_eq(old_root, &empty) ? E_OK : E_SIGNATURE_MISMATCH;
    }
    if (length == 0)
        return E_SIGNATURE_MISMATCH;
    /* A complete old tree is itself the first hash, so it is left out of the path. */
    bool complete = (old_n & (old_n - 1)) == 0;
    digest first = complete ? *old_root : path[0], old_hash = first, hash = first;
    size_t skip = complete ? 0 : 1;
    bool walked = consistency_walk(old_n, n, path + skip, length - skip, &old_hash, &hash);
    return walked && digest_eq(&old_hash, old_root) && digest_eq(&hash, root) ? E_OK : E_SIGNATURE_MISMATCH;
}

err
merkle_append(struct merkle_tail *tail, const digest *leaf, merkle_emit emit, void *self)
{
    digest hash = *leaf;
    unsigned level = 0;
    TRY(emit(self, 0, tail->n, &hash));
    for (; (tail->n >> level) & 1; level++) {
        hash = merkle_node(&tail->level[level], &hash);
        TRY(emit(self, level + 1, tail->n >> (level + 1), &hash));
    }
    /* Only now, so that a failed emit leaves the tail as it was. */
    tail->level[level] = hash;
    tail->n++;
    return E_OK;
}

digest
merkle_tail_root(const struct merkle_tail *tail)
{
    if (tail->n == 0)
        return sha256(V(""));
    unsigned level = (unsigned)__builtin_ctzll(tail->n);
    digest hash = tail->level[level];
    for (level++; level < MERKLE_PATH_MAX; level++)
        if ((tail->n >> level) & 1)
            hash = merkle_node(&tail->level[level], &hash);
    return hash;
}
