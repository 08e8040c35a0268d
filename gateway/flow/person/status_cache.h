/* Status lists that were fetched, kept for as long as each says (its exp and ttl, at least a minute, at most a day): a list of a million entries is
 * not fetched for each presentation, and its host does not learn when somebody presents.
 *
 * What is kept is the answer's bytes; signature and entry are judged anew each time.  A few lists in bounded room; the one that ends first makes place.
 * Any thread. */
#ifndef FLOW_PERSON_STATUS_CACHE_H
#define FLOW_PERSON_STATUS_CACHE_H

#include "adapters/call.h"
#include "base/arena.h"
#include "base/instant.h"

struct status_cache;

struct status_cache *status_cache_new(void);
void status_cache_free(struct status_cache *c);
/* The kept answer, copied into mem; false when there is none for now. */
bool status_cache_find(struct status_cache *c, view issuer, view uri, instant now, arena *mem,
                       struct adapter_answer *ret) MUST_USE;
/* A list that is too large for the room is not kept. */
void status_cache_keep(struct status_cache *c, view issuer, view uri, const struct adapter_answer *a,
                       instant until);

#endif
