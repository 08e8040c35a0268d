/* The system's clock with a shift that `{"verb":"clock"}` on the control socket moves: sandbox only, so that drills live
 * through days in seconds.  Durations (monotonic) are not shifted.  Any thread. */
#ifndef CLI_CLOCK_SHIFT_H
#define CLI_CLOCK_SHIFT_H

#include "base/instant.h"

/* Before threads. */
void clock_shift_start(void);
/* E_SYNTAX unless text is a number of seconds, E_USAGE when the shift was not started. */
err clock_shift_add(view seconds, struct fault *f) MUST_USE;

#endif
