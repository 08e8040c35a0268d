/* Small questions to a JSON answer, whose answers are text: what a story compares.
 *
 *   /case/claims/0/state      the value at a path: names and list places between slashes, * for every item or
 *                             member, kind=receipt for the items of a list that say so
 *   sum PATH                  of the values, exact decimals
 *   count PATH                how many there are
 *   text WORDS                "yes" when WORDS stand anywhere in the answer, else "no"
 *
 * Several values are joined by ", " in their order; numbers as written, lists and objects as compact JSON; nothing there
 * is the empty text.  Memory from the arena; one thread. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "base/json.h"

/* root may be NULL (no JSON).  E_SYNTAX for a question of no such form or a sum over what is no number. */
err query(const json_t *root, view body, view question, arena *mem, view *ret) MUST_USE;

#endif
