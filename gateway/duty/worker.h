/* A thread of background work: a round, then a wait until the next is due or somebody wakes it, until it is stopped.
 * And what the calls of such rounds have in common: where they may go, and how long a place that fails is left alone.
 *
 * The wait is of the monotonic clock: a wall clock that is set back delays no round. */
#ifndef DUTY_WORKER_H
#define DUTY_WORKER_H

#include "base/instant.h"
#include "flow/gateway.h"
#include "net/net.h"

#include <pthread.h>

/* One round, on the worker's thread, without a lock held.  True: there is more to do at once. */
typedef bool (*worker_round)(void *self);

/* Embedded in its duty; all zero is one that never started. */
struct worker {
    worker_round round;
    void *self;
    span every;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool is_started, is_stopping, has_work;
};

/* Starts the thread, which begins with a round.  E_INTERNAL at `name` where there is none to be had. */
err worker_start(struct worker *w, const char *name, worker_round round, void *self, span every,
                 struct fault *f) MUST_USE;
/* The next round begins at once, or right after the one under way.  Any thread. */
void worker_wake(struct worker *w);
/* For a long round to ask between two steps. */
bool worker_is_stopping(struct worker *w);
/* Waits for the round under way.  Nothing to one that never started. */
void worker_stop(struct worker *w);

/* 15 s, then twice as long after each further failure in a row, at most 15 minutes. */
span duty_backoff(int failures);
/* As for deliveries: private addresses only in a sandbox that allows them. */
struct net_policy duty_calls(const struct gateway *g);
/* The same, and plain http on port 80, for answers that carry their own signature (RFC 3161, 5280, 6960). */
struct net_policy duty_calls_for_signed(const struct gateway *g);

#endif
