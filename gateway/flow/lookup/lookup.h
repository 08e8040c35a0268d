/* Who insures a vehicle of a case: asked of the register of compulsory policies, or of one insurer after the other.
 *
 * May ask: an insurer or the fund with a motor claim in the case, and the app that filed it; only for a vehicle and the day of the case's own accident, as a paper that the
 * asker may have names them.  There is one lookup for a vehicle of a case, whoever asks.
 *
 * Whom (registry): a partner of kind `register` with the option `lookup_url` knows all policies and is asked first; insurers with `cali` = "yes" write compulsory cover and are
 * asked one by one at their `lookup_url`, the one that a paper names first, until one says that it is its insured: plate and day go to no more of them than need be.  Who does not
 * answer in time, or not in a way that can be believed, is asked again (lookup.def) while the next is asked.
 *
 * An answer is a signed paper and comes in like any other (intake/): verified, with leaf, receipt and verdict.  "Insured" and the register's "uninsured" go where the accident's
 * papers go; a denial is kept as evidence and released to nobody.  What came of it stands in the case as the gateway's own word (lookup_frame).
 *
 * States: asking → answered (insured, uninsured) | contradictory (the register and an insurer; a person decides) | unanswered, which can be asked anew.
 * Any thread; memory from the arena. */
#ifndef FLOW_LOOKUP_H
#define FLOW_LOOKUP_H

#include "adapters/lookup/cover.h"
#include "flow/case/case.h"
#include "flow/partner/registry.h"

/* {"claim"|"case","plate","date","purpose"?} → the lookup, new or the one there is.  E_LOOKUP_VEHICLE, E_LOOKUP_NOBODY, E_NOT_FOUND, E_QUOTA. */
err lookup_ask(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
               struct fault *f) MUST_USE;
/* {"id","state","result"?,"insurer"?,…}; who was asked, period and masked number for insurers and the fund alone.  E_NOT_FOUND for whoever might not ask it. */
err lookup_show(struct gateway *g, partner_id who, lookup_id id, instant now, arena *mem, view *ret_json,
                struct fault *f) MUST_USE;

/* -- asking by the wire -- */

/* Moves bytes: fills *ret, status 0 when nobody answered. */
typedef void (*lookup_fetch)(void *self, const struct adapter_call *call, arena *mem,
                             struct adapter_answer *ret);
/* One step of every inquiry that is due; *ret_n: how many were asked. */
err lookup_step(struct gateway *g, lookup_fetch fetch, void *self, instant now, size_t *ret_n) MUST_USE;

/* What intake needs of an answer on its way in. */
struct cover_exchange {
    struct cover_question question;
    digest key; /* of the lookup among the case's keys */
    struct cover_answer answer;
};

/* -- in the case -- */

/* vehicles[].cali and findings of what came of the case's lookups, for vehicles that one of its papers names. */
err lookup_frame(struct gateway *g, struct reader *r, const struct loaded_case *c, arena *mem,
                 struct claim_case *frame) MUST_USE;

#endif
