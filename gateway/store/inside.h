/* What the files of this room share about an open store.  Nobody outside includes it. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "store/checkpoint.h"
#include "store/kept.h"
#include "store/pool.h"
#include "store/segment.h"
#include "store/sql.h"
#include "store/writer.h"

#include <stdatomic.h>

struct store {
    struct store_options options;
    char *database; /* its path */
    int dir, lock;  /* descriptors; lock is -1 when read only */
    struct pool *pool;
    struct kept *kept;                 /* NULL when read only */
    struct writer *writer;             /* NULL when read only */
    struct checkpointer *checkpointer; /* the same */
    atomic_bool failed;
    _Atomic uint64_t log_length;
};

/* Stable storage failed: marks the store, once; true for the one caller who then owes store_call_fatal. */
bool store_mark_failed(struct store *s);
void store_call_fatal(struct store *s, const char *what);

#endif
