/* One transaction of the writer: begin, any number of units, commit.  Owns the writer's connection, its statements, the numbers and the segment
 * files.  Belongs to the writer's thread. */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "store/store.h"

#include <sqlite3.h>

struct apply;
struct segments;

enum step {
    STEP_DONE,
    STEP_REFUSED,  /* by a guard: nothing was written */
    STEP_CONFLICT, /* after something was written; with a savepoint it is undone already */
    STEP_BUSY,     /* a foreign process holds the database; nothing was written */
    STEP_BROKEN,   /* stable storage failed */
};

struct apply *apply_new(sqlite3 *take_db, struct segments *take_segments, int64_t next_leaf);
/* clean: the WAL goes into the database file first.  False when that failed. */
bool apply_free(struct apply *a, bool clean);

enum step apply_begin(struct apply *a) MUST_USE;
/* *ret_code is set for STEP_REFUSED and STEP_CONFLICT. */
enum step apply_unit(struct apply *a, struct unit *u, bool with_savepoint, err *ret_code) MUST_USE;
/* Undoes the transaction with all its numbers and addresses. */
bool apply_rollback(struct apply *a) MUST_USE;
/* Bodies first, then the database; E_OK only when both are on stable storage. */
bool apply_commit(struct apply *a) MUST_USE;

/* Leaves in the log, and frames in the WAL after the last commit. */
int64_t apply_leaves(const struct apply *a);
int apply_frames(const struct apply *a);

#endif
