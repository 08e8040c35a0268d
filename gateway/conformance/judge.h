/* The outcome of a case from what was expected and what a door of the gateway answered.  One thread per run. */
#ifndef CONFORMANCE_JUDGE_H
#define CONFORMANCE_JUDGE_H

#include "conformance/conformance.h"

/* Codes by which a stricter rule of ours says so: an algorithm, digest or form that does not exist here. */
bool judge_is_policy(err e);
/* Counts one case of which the set says that it must be accepted or refused. */
void judge_case(struct conformance_run *r, view id, bool accept, err e, const struct fault *f);
/* The same where the set leaves it open. */
void judge_either(struct conformance_run *r, view id);
/* A member that is text, as a view that lives as long as the JSON. */
view judge_id(const json_t *one);
/* The first of "files"; empty when there is none. */
view judge_file(const json_t *one, size_t i);

#endif
