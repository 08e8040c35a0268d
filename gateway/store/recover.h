/* The lock file, the mark of a clean end, and what is done when the mark is missing.  Called by store_open
 * and store_close only. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "base/err.h"

#define STORE_DATABASE "claimgate.db"

/* With make it is made when it is not there (not its parents). */
err recover_open_folder(const char *dir, bool make, int *ret, struct fault *f) MUST_USE;
/* Held as long as the descriptor is open.  E_STORE when somebody else holds it. */
err recover_lock(int store_dir, int *ret, struct fault *f) MUST_USE;
/* Before the database is opened for writing.  When the last end was not clean, the WAL is replaced by a
 * synced copy of itself: after an fsync error the page cache may show frames that the disk has not got,
 * and what is served must be on the disk. */
err recover_begin(int store_dir, bool *ret_was_clean, struct fault *f) MUST_USE;
/* After everything is closed. */
err recover_mark_clean(int store_dir) MUST_USE;

#endif
