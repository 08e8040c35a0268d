/* The append-only log's arithmetic: RFC 6962 hashing over SHA-256, inclusion and consistency proofs,
 * signed tree heads in checkpoint form (C2SP). Pure functions over a reader of hashes; the store keeps
 * them.  Any thread. */
#ifndef SIGNING_MERKLE_H
#define SIGNING_MERKLE_H

#include "base/buf.h"
#include "base/digest.h"
#include "signing/jose/jws.h"

digest merkle_leaf(view data);                               /* H(0x00 ‖ data) */
digest merkle_node(const digest *left, const digest *right); /* H(0x01 ‖ l ‖ r) */
/* Hash of the complete subtree of 2^level leaves number index. */
typedef err (*merkle_read)(void *self, unsigned level, uint64_t index, digest *ret);

/* Root of the first n leaves (n = 0: H("")). */
err merkle_root(merkle_read read, void *self, uint64_t n, digest *ret) MUST_USE;
#define MERKLE_PATH_MAX 64
err merkle_inclusion(merkle_read read, void *self, uint64_t index, uint64_t n, digest path[MERKLE_PATH_MAX],
                     size_t *ret_length) MUST_USE;
err merkle_consistency(merkle_read read, void *self, uint64_t old_n, uint64_t n, digest path[MERKLE_PATH_MAX],
                       size_t *ret_length) MUST_USE;
/* E_SIGNATURE_MISMATCH when the proof does not hold. */
err merkle_check_inclusion(const digest *leaf, uint64_t index, uint64_t n, const digest *path, size_t length,
                           const digest *root) MUST_USE;
err merkle_check_consistency(uint64_t old_n, const digest *old_root, uint64_t n, const digest *root,
                             const digest *path, size_t length) MUST_USE;

/* The tail of complete subtrees while appending: adding a leaf calls emit for every subtree that becomes
 * complete. */
struct merkle_tail {
    digest level[MERKLE_PATH_MAX];
    uint64_t n;
};
typedef err (*merkle_emit)(void *self, unsigned level, uint64_t index, const digest *hash);
err merkle_append(struct merkle_tail *tail, const digest *leaf, merkle_emit emit, void *self) MUST_USE;
digest merkle_tail_root(const struct merkle_tail *tail);

/* Checkpoint: "origin\nsize\nbase64(root)\n\n— name base64(keyhash ‖ signature)\n" signed with ES256 over
 * the note body. */
err checkpoint_print(view origin, uint64_t n, const digest *root, const struct key *k, arena *mem, view *ret)
    MUST_USE;
err checkpoint_check(view text, view origin, void *pkey, uint64_t *ret_n, digest *ret_root, struct fault *f)
    MUST_USE;

#endif
