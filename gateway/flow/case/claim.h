/* A claim's life: the one mover of its state, its insurer's words and the timeline.
 *
 * Only claim_move() changes a state; pairs that states.def does not list are E_STATE.  Each move writes the claim row (version + 1), a timeline entry and, through the caller, a leaf.
 * Any thread; rows belong to the unit's arena. */
#ifndef FLOW_CLAIM_H
#define FLOW_CLAIM_H

#include "base/buf.h"
#include "base/json.h"
#include "flow/gateway.h"

enum claim_state {
#define STATE(id, word, acting, en, zh, sentence_zh, sentence_en) STATE_##id,
#include "flow/case/states.def"
#undef STATE
    STATE_COUNT
};

struct state_row {
    const char *word, *acting;
    const char *public_word[2]; /* by enum lang */
    const char *sentence[2];
};
const struct state_row *claim_state_info(enum claim_state s);
/* STATE_COUNT when unknown. */
enum claim_state claim_state_of(view word);
/* STATE_COUNT when the pair is not allowed. */
enum claim_state claim_next(enum claim_state from, view event);
/* "approved, declined, …": the events allowed from here, for the answer to an illegal one. */
view claim_events(enum claim_state from, arena *mem);

/* An amount was promised or paid on it: what it rests on should not change unseen. */
bool claim_is_decided(const struct row_claim *claim);

/* Gives the row that the unit writes for a claim (when it writes one) its sealed detail, which goes into a segment file.  After the claim's move. */
void claim_put_detail(struct unit *u, uid claim, view sealed);
/* The claim's row with another version and no move (ROW_PUT): something in its detail is new. */
err claim_touch(struct unit *u, struct row_claim *claim) MUST_USE;
/* Adds the changed claim (ROW_PUT, one row however often it moves) and its timeline entry to the unit.  claim is updated.  event: word of a MOVE. actor: partner or none for the gateway. */
err claim_move(struct unit *u, struct row_claim *claim, view event, const char *actor, uid by, uid document,
               instant at, struct fault *f) MUST_USE;
/* A timeline entry without a move. */
err timeline_add(struct unit *u, uid in_case, uid claim, const char *actor, uid by, const char *event,
                 view state, uid document, instant at) MUST_USE;

/* Before a move of a row that was read: neither moved nor joined to another case since.  E_VERSION_CONFLICT, E_STALE. */
void claim_guard(struct unit *u, const struct row_claim *claim);

/* The body of a decision's row. */
err claim_decision_open(struct gateway *g, struct reader *r, const struct row_decision *row, arena *mem,
                        json_t **ret_body) MUST_USE;
/* The insurer's last signed decision on a claim: the row and its body; NULL when there is none. */
err claim_last_decision(struct gateway *g, struct reader *r, uid claim, arena *mem,
                        const struct row_decision **ret, json_t **ret_body) MUST_USE;
/* {"id","state","label","acting","due","version","line","recipient":{…},"since"} for the claim's own insurer or the person. */
err claim_print(struct gateway *g, const struct row_claim *claim, enum lang lang, struct buf *out) MUST_USE;

/* An insurer's status (JSON body {"state":…,"reason":…?,"due":…?}) or signed decision.  if_match: ETag text. ret_json: the claim. */
struct insurer_word {
    partner_id insurer;
    claim_id claim;
    view body;
    view jws_header; /* X-JWS-Signature; empty for a status */
    view if_match;
    view idempotency_key, client;
    bool is_decision;
    instant at;
};
err claim_told(struct gateway *g, const struct insurer_word *w, arena *mem, view *ret_json, view *ret_etag,
               bool *ret_replayed, struct fault *f) MUST_USE;

#endif
