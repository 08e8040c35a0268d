/* Tasks: what one partner is asked for on behalf of others, and those who ask.
 *
 * A task is one matter of one owner (this police agency, accident and paper; this hospital, patient, visit and paper): whoever asks for the same joins it, so the
 * owner has one task and gives the record once, however many companies ask.  Who asks sees his own ask, never the task, the others, or how many they are.
 *
 * The owner is shown a task only while a mandate of the person to this owner stands (kind `mandate`, asked anew each time: a withdrawal takes it away at once) and
 * not before its earliest day.  It is fulfilled by the paper itself, signed and sent by the same owner: accepted like any other, it reaches whoever a permission
 * covers.  Another partner's answer is E_NOT_FOUND; another agency's paper is another accident's.
 *
 * States of a row: open → promised → answered | refused; an owner may take a refusal back by giving the paper.  What the asker reads is computed:
 * permission_needed, not_yet, requested, promised, refused, available, withheld.
 *
 * Any thread; memory from the arena. */
#ifndef FLOW_TASK_H
#define FLOW_TASK_H

#include "adapters/adapter.h"
#include "adapters/call.h"
#include "flow/partner/registry.h"

/* Days from the accident on that the law names for a paper, -1 for a word that is no item. */
int task_days(view item);
/* A registered keeper of records of this code: police, board, prosecutor, hospital or clinic; NULL when none. */
const struct partner *task_holder(const struct registry *r, view code);

/* -- who asks -- */

/* {"claim"|"case","holder","subject":{"accident_no","agency"?,"occurred"?}|{"visit_no"}|{"certificate_no"}|{"receipt_no"},"items":[…],"capacity"?} →
 * {"data":[ask…]}.  An insurer asks for its claim, an app for a case that it filed.  E_RECORD_HOLDER, E_RECORD_ITEM, E_RECORD_CAPACITY, E_NOT_FOUND. */
err task_ask(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
             struct fault *f) MUST_USE;
/* {"id","holder","item","state","capacity","requested_at",…}; E_NOT_FOUND for another's. */
err task_ask_show(struct gateway *g, partner_id who, ask_id id, instant now, arena *mem, view *ret_json,
                  struct fault *f) MUST_USE;

/* -- who is asked -- */

/* {"data":[task…],"has_more","next_cursor"}: open and promised ones that the owner may see now. */
err task_list(struct gateway *g, partner_id owner, view cursor, int limit, instant now, arena *mem,
              view *ret_json, struct fault *f) MUST_USE;
err task_show(struct gateway *g, partner_id owner, task_id id, instant now, arena *mem, view *ret_json,
              view *ret_etag, struct fault *f) MUST_USE;
/* {"state":"promised","promised":…?,"fee":{…}?} | {"state":"refused","reason":…} | {"state":"done"}.  E_VERSION_CONFLICT, E_TASK_STATE, E_TASK_REASON. */
struct task_word {
    partner_id owner;
    task_id task;
    view body, if_match;
    instant at;
};
err task_answer(struct gateway *g, const struct task_word *w, arena *mem, view *ret_json, view *ret_etag,
                struct fault *f) MUST_USE;

/* -- what comes in -- */

/* A paper of `author` on its way into the store: tasks that ask for it are answered in the same unit. */
struct arrival {
    struct gateway *g;
    struct reader *reader;
    const struct reading *reading;
    const struct partner *author;
    uid document;
    instant at;
};
err task_arrived(const struct arrival *a, struct unit *u) MUST_USE;
/* A receipt was replaced that this claim's insurer has decided or paid on: a task to the insurer. */
err task_receipt_replaced(const struct arrival *a, struct unit *u, const struct row_claim *claim) MUST_USE;

/* -- what the gateway itself turns to a partner for -- */

/* subject: JSON object of ids; about: one matter, one task (a second one is E_STALE at the commit). */
struct task_wish {
    const char *item; /* a row of task.def without a paper */
    uid owner;
    digest about;
    view subject;
    uid document; /* it came from; may be none */
    instant at;
};
err task_turn(struct gateway *g, struct unit *u, const struct task_wish *w) MUST_USE;
/* What it asked for is here. Unknown or settled ones are fine. */
err task_turned_done(struct reader *r, struct unit *u, const digest *about, uid document, instant now)
    MUST_USE;

/* An application with a first insurer (flow/case/original.h): its task, which it answers when the original papers are there. */
err task_original(struct gateway *g, struct unit *u, const struct row_claim *first, instant now) MUST_USE;

/* -- asking by the wire -- */

/* Moves bytes: fills *ret, status 0 when nobody answered. */
typedef void (*task_fetch)(void *self, const struct adapter_call *call, arena *mem,
                           struct adapter_answer *ret);
/* One step of every task that is due at an owner with the registry option `records_url`; *ret_n: how many were asked for. */
err task_step(struct gateway *g, task_fetch fetch, void *self, instant now, size_t *ret_n) MUST_USE;

#endif
