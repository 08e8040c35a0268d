/* Keyed hashes, and a table from hash to number, for names and ids that a peer chooses: a peer who does
 * not know the key can't make lists of names that all fall into one slot.
 *
 * A struct hash_table lives in an arena and belongs to one thread while it is filled; afterwards any
 * thread may look up. */
#ifndef FHIR_HASH_H
#define FHIR_HASH_H

#include "base/arena.h"
#include "base/err.h"

/* Draws the key; before the first hash. Any thread. */
void hash_start(void);
/* chain: 0, or the hash of what stands in front, for keys of several parts. */
uint64_t hash_view(uint64_t chain, view v);
uint64_t hash_number(uint64_t chain, uint64_t number);

struct hash_slot {
    uint64_t hash; /* 0: free */
    uint32_t value;
};

struct hash_table {
    arena *mem;
    struct hash_slot *slots;
    uint32_t room, n;
};

/* Room for n entries without growing; false when the arena is full. */
bool hash_table_init(struct hash_table *h, arena *mem, uint32_t n) MUST_USE;
/* Fetches the place of a hash that will be added or looked for some steps later. */
static inline void
hash_table_prefetch(const struct hash_table *h, uint64_t hash)
{
    __builtin_prefetch(&h->slots[(hash >> 1) & (h->room - 1)], 1);
}
/* Puts value under hash unless an entry is there.  *ret_found (may be NULL) is the value that stands there
 * now.  E_DUPLICATE when one was there, E_TOO_LARGE when the arena is full. */
err hash_table_add(struct hash_table *h, uint64_t hash, uint32_t value, uint32_t *ret_found) MUST_USE;
/* Replaces or adds nothing: only for a hash that is in the table. */
void hash_table_set(struct hash_table *h, uint64_t hash, uint32_t value);
bool hash_table_find(const struct hash_table *h, uint64_t hash, uint32_t *ret_value);

#endif
