/* Conversations with others on behalf of a person: a presentation from a wallet, a fetch from MyData.
 *
 * A partner's app begins one and reads how it stands; the wallet, the verifier module and the platform name it by a secret handle. Each is one
 * row (exchanges) whose state only moves forward, guarded in the writer, so that nothing is used twice:
 *
 *   twdiw-delegate  preparing → waiting → verified | refused         (the worker asks the module for a link, then for the result)
 *   twdiw-native    waiting → checking → verified | refused          (the worker fetches the status lists)
 *   oid4vp-1.0      waiting → asked → checking → verified | refused  (the request object is given once)
 *   mydata          waiting → ready → fetching → done | refused      (the data are fetched once; a second notice is refused)
 *
 * Handlers do no network I/O: what needs it is done by exchange_step, which the worker in gateway/duty calls with a way to move bytes.  What a
 * person showed or a provider sent is sealed; files of MyData become attachments of the partner that asked.  Any thread. */
#ifndef FLOW_EXCHANGE_H
#define FLOW_EXCHANGE_H

#include "adapters/call.h"
#include "flow/gateway.h"

/* {"profile","type","claims":[…],"expect":{…},"text"} → {"id","profile","state","link","expires_at"}.  text: the id of a consent text whose hash
 * the holder is to sign. E_SCHEMA, E_OUTSIDE. */
err presentation_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
                        struct fault *f) MUST_USE;
/* The request object for the wallet that knows the handle. E_PRESENTATION_STATE, E_PRESENTATION_EXPIRED, E_PRESENTATION_USED. */
err presentation_request(struct gateway *g, view handle, view wallet_nonce, instant now, arena *mem,
                         view *ret_jwt, struct fault *f) MUST_USE;
struct presentation_answer {
    view response;                                 /* oid4vp-1.0 */
    view vp_token, presentation_submission, state; /* twdiw-native */
};
/* *ret_redirect: where the wallet is to send the browser of the same device, empty when nowhere. */
err presentation_accept(struct gateway *g, view handle, const struct presentation_answer *a, instant now,
                        arena *mem, view *ret_redirect, struct fault *f) MUST_USE;
/* The verifier module's callback: nothing of it is believed, the result is asked for now. */
err presentation_hint(struct gateway *g, view body, instant now, arena *mem, struct fault *f) MUST_USE;

/* {"resources":[…],"return_url","case"?} → {"id","state","link","expires_at"}; case: one that the partner filed */
err mydata_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
                  struct fault *f) MUST_USE;
/* What the platform posts. E_PRESENTATION_STATE (no such transaction), E_MYDATA_TAKEN. */
err mydata_notice(struct gateway *g, view body, instant now, arena *mem, struct fault *f) MUST_USE;
/* Asks for what the person has permitted, as exchange_show says it.  One consent is one pull: E_PERMISSION_NEEDED before the consent or after its
 * time, E_USED_UP when the pull was made, E_WITHDRAWN. */
err mydata_pull(struct gateway *g, partner_id who, exchange_id id, instant now, arena *mem, view *ret_json,
                struct fault *f) MUST_USE;

/* How one stands: {"id","kind","state","code",…}; E_NOT_FOUND for another partner's. */
err exchange_show(struct gateway *g, partner_id who, exchange_id id, instant now, arena *mem, view *ret_json,
                  struct fault *f) MUST_USE;

/* Moves bytes: fills *ret, status 0 when nobody answered. */
typedef void (*exchange_fetch)(void *self, const struct adapter_call *call, arena *mem,
                               struct adapter_answer *ret);
/* One step of every exchange that is due; returns how many were. */
err exchange_step(struct gateway *g, exchange_fetch fetch, void *self, instant now, size_t *ret_n) MUST_USE;

#endif
