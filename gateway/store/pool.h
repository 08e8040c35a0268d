/* The pool of reader connections, each with its own prepared statements.  Any thread. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "store/store.h"

struct pool;
struct kept;

/* kept: borrowed, NULL when others may write to the database. */
err pool_open(const char *database, int readers, bool read_only, struct kept *kept, struct pool **ret,
              struct fault *f) MUST_USE;
/* All readers must be back. */
void pool_close(struct pool *p);
DEFINE_AUTO(struct pool *, pool_close)
/* Waits at most five seconds, then E_BUSY. */
err pool_take(struct pool *p, struct reader **ret) MUST_USE;

#endif
