/* One transaction of the writer: begin, any number of units, commit.  Owns the writer's connection, its
 * statements, the numbers and the segment files.  Belongs to the writer's thread. */
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

/* leaf_hash as in struct store_options. */
struct apply *apply_new(sqlite3 *take_db, struct segments *take_segments, int64_t next_leaf,
                        digest (*leaf_hash)(const struct row_leaf *leaf));
/* clean: the WAL goes into the database file first.  False when that failed. */
bool apply_free(struct apply *a, bool clean);

/* Gives a unit's bodies their addresses.  Before the transaction; false when the file system failed. */
bool apply_plan(struct apply *a, const struct unit *u) MUST_USE;
/* Begins, and lets the bodies be written meanwhile. */
enum step apply_begin(struct apply *a) MUST_USE;
/* *ret_code is set for STEP_REFUSED and STEP_CONFLICT. */
enum step apply_unit(struct apply *a, struct unit *u, bool with_savepoint, err *ret_code) MUST_USE;
/* Undoes what the units did, with all numbers, and begins again.  The bodies keep their addresses. */
bool apply_again(struct apply *a) MUST_USE;
/* Waits until the bodies are on stable storage.  Must be called once after every begin, before anybody is
 * answered: bodies are the committers' memory. */
bool apply_bodies_done(struct apply *a) MUST_USE;
/* Then, for every unit in order: were its bodies accepted? */
void apply_settle(struct apply *a, const struct unit *u, bool accepted);
/* True when all is on stable storage. */
bool apply_commit(struct apply *a) MUST_USE;

/* Gives some free pages of the file back to the disk.  *ret_more when there are many left.  False: stable
 * storage failed. */
bool apply_tidy(struct apply *a, bool *ret_more) MUST_USE;

/* Leaves in the log, and frames in the WAL after the last commit. */
int64_t apply_leaves(const struct apply *a);
int apply_frames(const struct apply *a);

#endif
