/* Moves the WAL into the database file, on a thread of its own, so that no commit waits for it: passive
 * for every 128 MB that the WAL has grown and when nothing is written for a while; above 256 MB it takes a
 * turn with the writer so that the WAL begins again from its start. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "store/store.h"

#define CHECKPOINT_BYTES (INT64_C(128) << 20)
#define CHECKPOINT_RESTART_BYTES (INT64_C(256) << 20)

struct checkpointer;

/* store is only used to report that stable storage failed. */
err checkpoint_start(struct store *store, const char *database, struct checkpointer **ret, struct fault *f)
    MUST_USE;
/* Ends the thread; does no checkpoint. */
void checkpoint_stop(struct checkpointer *c);

/* By the writer around each transaction; frames is the WAL's length after it. */
void checkpoint_writer_begin(struct checkpointer *c);
void checkpoint_writer_end(struct checkpointer *c, int frames);

#endif
