/* Rows of exchanges, sealed and opened: shared by the conversations of this folder and by login. */
#ifndef FLOW_PERSON_EXCHANGE_ROW_H
#define FLOW_PERSON_EXCHANGE_ROW_H

#include "base/json.h"
#include "flow/evidence/seal.h"
#include "flow/person/exchange.h"
#include "flow/person/outside.h"

#define EXCHANGE_LIFE SPAN_SECONDS(300)
#define EXCHANGE_POLL SPAN_SECONDS(1)

struct exchange {
    struct row_exchange *row, *next; /* next: the row of a step that is not committed yet */
    struct data_key key;
    json_t *request, *result; /* result NULL before there is one */
};

/* A new row in u; request is printed and sealed. E_TOO_LARGE. */
err exchange_add(struct gateway *g, struct unit *u, partner_id who, const char *kind, const char *state,
                 view handle, const json_t *request, instant now, struct row_exchange **ret) MUST_USE;
err exchange_open(struct gateway *g, struct reader *r, struct row_exchange *row, arena *mem,
                  struct exchange *ret) MUST_USE;
/* By handle; waiting ones past their time are expired. E_PRESENTATION_STATE, E_PRESENTATION_EXPIRED. */
err exchange_find(struct gateway *g, view handle, instant now, arena *mem, struct exchange *ret,
                  struct fault *f) MUST_USE;
/* Moves on: from the row's present state (guarded) to another; result NULL leaves what there is. code E_OK: none.  Further rows may
 * stand in u. */
err exchange_move(struct gateway *g, struct unit *u, struct exchange *x, const char *state, instant next_at,
                  err code, const json_t *result) MUST_USE;
/* The same step without the commit: the caller's unit has more to do. */
err exchange_step_on(struct unit *u, struct exchange *x, const char *state, instant next_at, err code,
                     const json_t *result) MUST_USE;
bool exchange_is(const struct exchange *x, const char *kind, const char *state);
/* {"id",…,"link","expires_at"} of a new one; link empty: not yet. */
err exchange_print_new(const struct row_exchange *row, view link, arena *mem, view *ret_json) MUST_USE;
/* 32 random bytes, base64url. */
view exchange_secret(arena *mem);
/* A new JSON object that the arena frees; NULL when it is full. */
json_t *exchange_object(arena *mem);
/* E_TOO_LARGE when text is no UTF-8 or memory is out. */
err exchange_put(json_t *object, const char *name, view text) MUST_USE;

/* A presentation by which somebody logs in, on this device: the wallet gets an address with a code of its own, and only the browser that comes back with it
 * and with the login's cookie goes on, so that a link which a stranger was sent is of no use to who sent it. */
struct login_presentation {
    view id, link;
};
/* who: the login's own number, which is no organisation's: no app can read what was shown. */
err presentation_for_login(struct gateway *g, partner_id who, instant now, arena *mem,
                           struct login_presentation *ret, struct fault *f) MUST_USE;
/* *ret_person: key text; empty while the status lists are asked.  E_LOGIN_STATE, E_LOGIN_EVIDENCE. */
err presentation_of_login(struct gateway *g, partner_id who, view id, view response_code, arena *mem,
                          view *ret_person, struct fault *f) MUST_USE;

/* The permission behind a MyData transfer: made when the platform tells of the consent, spent where the fetch begins, given back when the
 * platform had nothing ready. */
err mydata_permit(struct gateway *g, struct unit *u, struct exchange *x, view ticket, instant now) MUST_USE;
void mydata_spend(struct unit *u, const struct exchange *x, instant now);
void mydata_give_back(struct unit *u, const struct exchange *x);

/* One step of an exchange that is due. */
err presentation_step(struct gateway *g, struct exchange *x, exchange_fetch fetch, void *self, instant now,
                      arena *mem) MUST_USE;
err mydata_step(struct gateway *g, struct exchange *x, exchange_fetch fetch, void *self, instant now,
                arena *mem) MUST_USE;

#endif
