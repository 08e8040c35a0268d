/* Answers of queries over tables that change seldom (KEPT_QUERY in statements.def), kept in memory for all
 * readers until a unit writes to their table.  The process that holds the store's lock is the only writer,
 * so nothing changes behind it; a store that is open for reading only keeps nothing.
 *
 * An answer may be newer than the reader's snapshot, never older than the last answered commit before the
 * snapshot began.  Any thread. */
#ifndef STORE_KEPT_H
#define STORE_KEPT_H

#include "store/store.h"

struct kept;
/* How often each table was written, at one moment. */
struct kept_marks {
    uint64_t written[ROW_KIND_COUNT];
};

struct kept *kept_new(void);
void kept_free(struct kept *k);

/* Before a snapshot begins: what is read in it is at least as new. */
void kept_mark(struct kept *k, struct kept_marks *ret);
/* The writer, when the unit is durable and before it is answered. */
void kept_touch(struct kept *k, const struct unit *u);

/* True when the answer is known; *ret are copies in mem, NULL when there are no rows. */
bool kept_find(struct kept *k, enum query q, enum row_kind kind, const struct value *args, size_t n,
               arena *mem, void **ret);
/* Rows as they were read in a snapshot that began after the marks were taken. */
void kept_add(struct kept *k, enum query q, enum row_kind kind, const struct value *args, size_t n,
              const struct kept_marks *marks, const void *rows);

#endif
