/* Clock and random bytes that depend on a seed only, for tests and samples (`--deterministic SEED`): the
 * same run gives the same ids, salts and times.  Never for a gateway that trusts production roots.
 *
 * The wall clock starts at 2026-03-02T02:00:00Z and moves by 1 ms with each clock_now; the monotonic
 * clock starts at 0 and moves by 1 ms with each of its own calls, so that looking at durations does not
 * shift the wall clock.  Random bytes are a SHA-256 counter stream.  deterministic_start is called once,
 * before threads; the sources it sets may be used by any thread (only one thread gives the same order
 * each time).  Nothing fails. */
#ifndef BASE_DETERMINISTIC_H
#define BASE_DETERMINISTIC_H

#include "base/instant.h"

#include <stdint.h>

/* Sets clock_set and random_set.  A further call begins the run of that seed anew. */
void deterministic_start(uint64_t seed);
/* The next clock_now says t. */
void deterministic_clock_set(instant t);
/* Moves both clocks. */
void deterministic_clock_add(span s);

#endif
