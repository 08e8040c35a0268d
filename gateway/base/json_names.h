/* Finds a name that stands twice in one object, at a cost that a sender cannot drive up.  Part of the JSON
 * reader.
 *
 * Up to NAMES_FEW members an object keeps a 64-bit mark of the names it has seen: a name whose bit is clear
 * is new, else it is compared with its few siblings.  Above that the names go into one hash table of the
 * tree, keyed by parent and name with SipHash and a seed drawn for this tree, so that collisions cannot be
 * prepared. The table lives in the arena; one thread. */
#ifndef BASE_JSON_NAMES_H
#define BASE_JSON_NAMES_H

#include "base/arena.h"
#include "base/json_tree.h"

#define NAMES_FEW 16

struct names_slot {
    uint32_t node; /* 0: free (the root has no name) */
    uint32_t hash;
};

struct names {
    struct names_slot *slots; /* NULL until an object has more than NAMES_FEW members */
    uint32_t room;            /* power of two */
    uint32_t n;
    uint64_t seed[2];
};

enum names_verdict { NAMES_NEW, NAMES_TWICE, NAMES_FULL };

/* The bit of a name, for the mark of a small object. */
uint64_t names_bit(view name);
/* Puts nodes[at] in; NAMES_FULL when the arena has no room.  t needs source, nodes and pool only. */
enum names_verdict names_put(struct names *s, const struct tree *t, uint32_t at, arena *mem);
/* SipHash-1-3 of the parent, as eight bytes with the least first, and text. */
uint64_t names_hash(const uint64_t seed[2], uint32_t parent, view text);

#endif
