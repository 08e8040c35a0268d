/* Regular expressions for matches() and its relatives, by PCRE2, with ceilings on steps and memory.
 *
 * The patterns of invariants are few and come again and again: compiled ones are kept for the process, at most REGEX_KEPT of
 * them; what is beyond that is compiled each time.  Any thread. */
#ifndef FHIR_PATH_REGEX_H
#define FHIR_PATH_REGEX_H

#include "base/arena.h"
#include "base/err.h"

#define REGEX_KEPT 1024
#define REGEX_TEXT_MOST ((size_t)4096)

/* E_FHIRPATH_FAILED for a pattern that is none, E_FHIRPATH_LIMIT when the match takes too long, E_TOO_LARGE. */
err regex_matches(view pattern, view text, bool whole, arena *mem, bool *ret) MUST_USE;
/* Each match is replaced; $1 to $9 in the replacement stand for groups.  At most `most` bytes. */
err regex_replace(view pattern, view text, view by, size_t most, arena *mem, view *ret) MUST_USE;

#endif
