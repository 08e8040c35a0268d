/* Time-stamps in the background (RFC 3161): once in time.every the head of the log is stamped by an authority of time.authorities; what was
 * stamped is renewed (RFC 4998) time.renew_ahead before the authority's certificate ends.
 *
 * A thread of its own, since authorities may be slow.  One that is down or gives answers that do not hold delays stamps and stops nothing;
 * the next stamp covers all that waits.  Only behind time.limit, where the operator set one, new papers are turned away (stamps_in_time). */
#ifndef DUTY_TIME_H
#define DUTY_TIME_H

#include "flow/gateway.h"

struct time_duty;
/* Starts nothing (and gives NULL) where no authority is set. */
err time_duty_start(struct gateway *g, struct time_duty **ret, struct fault *f) MUST_USE;
/* Looks at the clock at once.  Any thread; NULL is nothing. */
void time_duty_wake(struct time_duty *d);
void time_duty_stop(struct time_duty *d);

/* Renews at once.  hash 0: what ends before `before`; else all, with a new tree of that hash.  *ret_done false: there is nothing to renew. */
err time_renew(struct gateway *g, instant before, size_t hash, bool *ret_done, struct fault *f) MUST_USE;

#endif
