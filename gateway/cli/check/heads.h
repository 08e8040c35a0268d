/* Signed heads of a log, as files hold them: checkpoints one behind the other.  Heads that somebody else keeps are what a rewritten log is caught by. */
#ifndef CLI_HEADS_H
#define CLI_HEADS_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"

struct head {
    uint64_t n;
    digest root;
    struct head *next;
};

/* Checks every checkpoint of the text with one of the keys; sorted by size.  origin empty: each head's own.  On an error *ret_at is the offset
 * of the checkpoint that does not hold. */
err heads_read(view text, view origin, void *const *pkeys, size_t n_keys, arena *mem, struct head **ret,
               size_t *ret_at, struct fault *f) MUST_USE;

#endif
