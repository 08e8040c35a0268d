/* Runs of published conformance vectors: a folder of sets, each judged by one function, counted one way.
 *
 * The vectors are data that others wrote; a set is known by its folder under the vectors' root (`sig/wycheproof`), and
 * the table sets.def says which function judges it.  A function only feeds cases to the same public functions that the
 * gateway uses and says how each came out; counting and printing is done here.  What is expected is read from the
 * set, never from a list in this code.  One thread per run. */
#ifndef CONFORMANCE_CONFORMANCE_H
#define CONFORMANCE_CONFORMANCE_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/json.h"
#include "base/view.h"

/* How one case came out.  Each case is counted exactly once. */
enum conformance_outcome {
    CONFORMANCE_AGREE,
    CONFORMANCE_WRONG_ACCEPT, /* must be refused, was accepted */
    CONFORMANCE_WRONG_REJECT, /* must be accepted, was refused */
    CONFORMANCE_WRONG_VALUE,  /* accepted rightly, with another value than the set says */
    CONFORMANCE_POLICY_REJECT, /* the set accepts; refused because our policy is stricter, and says so by its code */
    CONFORMANCE_EITHER,        /* the set leaves it open */
    CONFORMANCE_SKIPPED, /* cannot be judged here; the reason is said */
    CONFORMANCE_OUTCOMES
};

struct conformance_run {
    const char *root; /* the vectors' folder */
    const char *path; /* the set's folder under it; "#part" behind it names a part that is counted apart */
    const char *definitions; /* FHIR packages that sets need */
    const char *profile;     /* of a set that is judged in several ways; else NULL */
    arena *mem;              /* lives as long as the set */
    bool list;               /* say each case that does not agree, on stderr */
    size_t counts[CONFORMANCE_OUTCOMES];
    size_t place_cases, place_agree; /* errors expected; of them found at the same element (family fhir) */
};

/* Counts a case; `why` is said with --list unless it agrees: form and codes, one line. */
void conformance_case(struct conformance_run *r, view id, enum conformance_outcome outcome, const char *why,
                      ...) PRINTF_LIKE(4, 5);
/* Said with --list whatever the outcome: what else was seen of a case. */
void conformance_note(struct conformance_run *r, view id, const char *text, ...) PRINTF_LIKE(3, 4);
void conformance_place(struct conformance_run *r, bool agrees);

/* A file of the set, by its path under the set's folder (under the root when it begins with "/"). */
err conformance_file(struct conformance_run *r, view relative, view *ret, struct fault *f) MUST_USE;
/* The set's cases.jsonl, a line each; stops at the first error. */
err conformance_each(struct conformance_run *r,
                     err (*judge)(struct conformance_run *r, const json_t *one, struct fault *f),
                     struct fault *f) MUST_USE;

struct conformance_set {
    const char *family; /* signing, fhir */
    const char *path;
    const char *profile; /* NULL: the set is judged one way */
    err (*run)(struct conformance_run *r, struct fault *f);
};
extern const struct conformance_set conformance_sets[];
extern const size_t conformance_sets_count;

#define SET(family, path, fn) err fn(struct conformance_run *r, struct fault *f);
#define SET_PROFILE(family, path, profile, fn) SET(family, path, fn)
#include "conformance/sets.def"
#undef SET_PROFILE
#undef SET

#endif
