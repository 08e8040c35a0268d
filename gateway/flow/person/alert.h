/* "A claim was filed in your name": whoever an application names is told when he logs in, by whatever app, and can say that it was not him (THREATS S1).
 *
 * "not_me" ends every permission that the application gave, and tells its recipients, without content; "me" only notes it.  Any thread. */
#ifndef FLOW_PERSON_ALERT_H
#define FLOW_PERSON_ALERT_H

#include "base/buf.h"
#include "flow/gateway.h"

/* In the unit that files: one for a person whom the application names. */
err alert_add(struct unit *u, const digest *person, const char *about, uid in_case, uid document, uid by,
              instant now) MUST_USE;
/* "alerts":[{"id","case","app","at","answer"?}] of a person. */
err alert_print(struct gateway *g, struct reader *r, const digest *person, arena *mem, struct buf *out)
    MUST_USE;
/* body: {"answer":"me"|"not_me"}.  ret_json: {"alert","answer","ended":[permission ids]}.  Again: the same.  E_NOT_FOUND, E_SCHEMA, E_ALERT_ANSWERED when
 * another answer was given. */
err alert_answer(struct gateway *g, const digest *person, view id, view body, partner_id by, instant now,
                 arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
