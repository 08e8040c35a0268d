/* The one thread that changes the store.
 *
 * Committers push a ticket and sleep; the writer takes all that wait (at most 512), runs each unit, writes
 * and syncs the bodies, commits once and answers them all.  A group runs without savepoints, as long as
 * nothing stands against an insert; when something does, the group is rolled back and run again with one
 * savepoint per unit (a savepoint copies every page that a unit touches).
 *
 * The window: when the last group showed that several commit at the same time, the writer waits at most
 * group_window_us for as many as were seen together; alone, nobody waits. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/store.h"

#include <semaphore.h>

#define WRITER_QUEUE_MAX 4096
#define WRITER_GROUP_MAX 512

struct apply;
struct writer;

struct ticket { /* on the committer's stack while it waits */
    struct unit *unit;
    bool now; /* no window */
    err result;
    sem_t done;
    struct ticket *next;
};

struct writer *writer_start(struct store *store, struct apply *take_apply);
/* Answers what is queued and ends the thread. */
void writer_stop(struct writer *w);
/* After writer_stop, when nobody else has the database open; with clean the WAL goes into the database
 * file.  False when that failed. */
bool writer_free(struct writer *w, bool clean);
/* E_OK: in the queue, wait for done.  E_BUSY, E_DRAINING. */
err writer_push(struct writer *w, struct ticket *t) MUST_USE;

#endif
