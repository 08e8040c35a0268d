/* The account that an insurer pays to, changed after the filing (THREATS S9).
 *
 *   asked (a login of the last five minutes) → waiting → given | stopped | replaced | late
 *
 * While it waits the insurer knows that a change is under way, and not what it is; the person finds an alert at the next login by whatever app, the app that filed has a
 * Task, and "not me" stops it.  When the time is over, the insurer of the claim that had the earlier account gets the new one, sealed to its key.  Any thread; memory
 * from the arena. */
#ifndef FLOW_PERSON_ACCOUNT_H
#define FLOW_PERSON_ACCOUNT_H

#include "base/buf.h"
#include "flow/gateway.h"
#include "flow/partner/registry.h"

/* What an insurer is to be paid to: the client's JWE as it is, an account (JSON) sealed to the insurer's key; to an insurer without a key it goes as it is, under the claim's data key.  *ret
 * lives as long as its input and mem. */
err payee_seal(const struct partner *to, view jwe, view plain, instant now, arena *mem, view *ret) MUST_USE;

struct account_wish {
    claim_id claim;
    digest person; /* who logged in */
    partner_id app;
    uid session;
    view body; /* {"payee":{…}|{"jwe"}} */
    instant at;
};
/* {"id","claim","state":"waiting","due"}.  E_NOT_FOUND, E_ACCOUNT_PAYEE, E_ACCOUNT_PAID, E_REPRESENTATION_ACT, E_WARD, E_PERMISSION_JOINT, E_PAYEE. */
err account_change(struct gateway *g, const struct account_wish *w, arena *mem, view *ret_json,
                   struct fault *f) MUST_USE;
/* "Not me": a change that waits is stopped; one that was given is disputed: its insurer gets a Task and an event, without content. */
err account_dispute(struct gateway *g, struct reader *r, struct unit *u, uid account, instant now) MUST_USE;
/* Those whose time has come (duty). */
err account_step(struct gateway *g, instant now) MUST_USE;

/* "account_changes":[…] of a case's claims, for the person. */
err account_print(struct gateway *g, struct reader *r, uid in_case, enum lang lang, arena *mem,
                  struct buf *out) MUST_USE;
/* ,"payee_change":{"state":"waiting","due"} when one waits, for the claim's insurer. */
err account_print_waiting(struct reader *r, uid claim, arena *mem, struct buf *out) MUST_USE;

#endif
