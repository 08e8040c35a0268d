/* Which case a document belongs to, whom it concerns, and what goes out because of it.
 *
 * Documents of one signer organisation join by case number or (person, visit number) without a permission; documents of different organisations join only through
 * the references of an application that the same verified person signed (DECISIONS "Joining", THREATS S6).  All searching is by blinds.  One thread; rows live
 * in the unit's arena. */
#ifndef FLOW_JOIN_H
#define FLOW_JOIN_H

#include "adapters/adapter.h"
#include "flow/gateway.h"

#define JOIN_BLINDS_MAX 128

struct join_blind {
    digest blind;
    const char *kind; /* "person", "case_no", "ref", "accident" */
    bool finds;       /* joins by itself; else only registered for others to find */
    bool fresh;       /* the document's own number: hardly ever has a case it before the document comes */
};

struct join {
    struct join_blind blinds[JOIN_BLINDS_MAX];
    size_t n;
    /* A fresh number is not looked for when others led to a case: the unit's guard asks (join_write), and when it was there the next try looks. */
    bool hopeful;
};

digest blind_person(const struct seal *s, view person_key);
digest blind_ref(const struct seal *s, view author, enum ref_kind kind, view value, view person_key);
digest blind_case_no(const struct seal *s, view author, view value);
digest blind_accident(const struct seal *s, view agency, view number);

/* Blinds of a document.  by_accident: police records join by accident number. */
err join_of_reading(const struct seal *s, const struct reading *rd, bool by_accident, struct join *ret,
                    struct fault *f) MUST_USE;
err join_add(struct join *j, digest blind, const char *kind, bool finds) MUST_USE;

struct joined {
    struct row_case *target;    /* NULL: a new case is made */
    struct row_case *merged[8]; /* further cases found to be the same, younger ones */
    size_t n_merged;
    view moved[8];               /* what each of them holds, for the undo (split.h) */
    bool known[JOIN_BLINDS_MAX]; /* by blind: some case had this key already */
    bool held[JOIN_BLINDS_MAX];  /* the target itself has it: it stays while the target has its version */
};
/* Finds the case; the oldest survives. Follows merged_into. */
err join_find(struct reader *r, const struct join *j, arena *mem, struct joined *ret) MUST_USE;
/* Puts the case row (new, or touched with its version guarded), merges and keys into the unit; keys that no case had are guarded, so that two papers which arrive at
 * the same moment cannot open two cases: the later unit is E_STALE and reads again.  ret_case is the surviving id, ret_version its version afterwards. */
err join_write(struct unit *u, const struct join *j, const struct joined *found, instant at,
               case_id *ret_case, int64_t *ret_version) MUST_USE;

#endif
