/* Proofs as the API gives them and people keep them: JSON with a path of hashes in base64 and the signed head that they lead to. */
#ifndef SIGNING_PROOF_H
#define SIGNING_PROOF_H

#include "signing/log/merkle.h"

struct log_proof {
    bool is_consistency; /* else inclusion */
    uint64_t first;      /* index of the leaf, or size of the older tree */
    uint64_t size;       /* of the tree of the head */
    digest leaf;         /* inclusion only */
    digest path[MERKLE_PATH_MAX];
    size_t n;
    view checkpoint;
};

/* {"leaf_index","tree_size","leaf_hash","path","checkpoint"} or {"first_size","tree_size","path","checkpoint"} */
err proof_print(const struct log_proof *p, arena *mem, view *ret_json) MUST_USE;
err proof_read(view json, arena *mem, struct log_proof *ret, struct fault *f) MUST_USE;

#endif
