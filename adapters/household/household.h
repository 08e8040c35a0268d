/* Household extracts (戶籍謄本): who the heirs of a dead person are, by the word of the office that keeps the register.
 *
 * The form is extract.def.  Of the family only those become facts of the case who inherit a compulsory-insurance benefit (強保法 11: the first order of which somebody lives, in equal
 * shares); the others stay in the paper.  No network, no store, no keys; memory from the arena, one thread. */
#ifndef ADAPTERS_HOUSEHOLD_H
#define ADAPTERS_HOUSEHOLD_H

#include "adapters/adapter.h"

#define HOUSEHOLD_SYSTEM "https://claimgate.tw/household-extract"

err household_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                        struct fault *f) MUST_USE;

/* An heir of an extract's facts: keys of his numbers. */
struct household_heir {
    struct person_key *keys;
    struct household_heir *next;
};
/* Heirs of the dead person of whom one of the keys speaks; *ret_about: the extract is about him. */
err household_heirs(const struct claim_case *facts, const struct person_key *dead, arena *mem,
                    struct household_heir **ret, bool *ret_about) MUST_USE;
/* A finding that other people applied as heirs than the extract names. */
err household_note_differs(arena *mem, struct claim_case *facts) MUST_USE;

#endif
