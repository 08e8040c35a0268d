#include "relay/inside.h"

#include "base/log.h"
#include "base/metrics.h"
#include "flow/case/claim.h"
#include "flow/evidence/evidence.h"

#define UNIT_MEMORY (8u << 20)

/* -- one outcome's rows -- */

/* Of several deliveries of one claim the first moves it. */
static bool
is_first_of_claim(const struct send *s, const struct send *list)
{
    for (; list != s; list = list->next)
        if (list->good && uid_eq(list->delivery->claim, s->delivery->claim))
            return false;
    return true;
}

static err
move_claim(const struct send *s, struct reader *r, struct unit *u, instant now)
{
    struct row_claim *claim = NULL;
    if (uid_is_none(s->delivery->claim))
        return E_OK;
    TRY(query_claim(r, ARGS(val_uid(&s->delivery->claim)), u->mem, &claim));
    if (!claim || claim_next(claim_state_of(claim->state), V("acknowledge")) == STATE_COUNT)
        return E_OK;
    claim_guard(u, claim);
    return claim_move(u, claim, V("acknowledge"), "insurer", s->delivery->recipient, s->delivery->document,
                      now, NULL);
}

static err
add_outcome(const struct send *s, struct unit *u, instant now)
{
    struct row_delivery *d = s->delivery;
    if (s->good || s->last)
        unit_change(u, CHANGE_delivery_done,
                    ARGS(val_uid(&d->id), val_text(s->good ? V("delivered") : V("needs-attention")),
                         val_time(now), val_text(s->reason)));
    else
        unit_change(u, CHANGE_delivery_retry, ARGS(val_uid(&d->id), val_time(s->again), val_text(s->reason)));
    struct row_attempt *attempt = unit_add_attempt(u);
    if (!attempt)
        return E_TOO_LARGE;
    *attempt = (struct row_attempt){.delivery = d->id,
                                    .n = d->attempts,
                                    .at = now,
                                    .status = s->status,
                                    .result = s->reason,
                                    .us = s->us};
    const digest parts[] = {sha256(s->body), sha256(s->reason)};
    digest leaf;
    TRY(evidence_leaf(u, "delivery", d->id, parts, COUNT_OF(parts), now, &leaf));
    if (s->status != 410)
        return E_OK;
    struct row_endpoint *row = unit_add_endpoint(u);
    if (!row)
        return E_TOO_LARGE;
    *row = *s->endpoint;
    row->next = NULL;
    row->op = ROW_PUT;
    row->state = V("disabled");
    row->reason = V("410");
    return E_OK;
}

/* -- units -- */

/* The sends from list up to end. */
static err
store_some(struct gateway *g, struct send *list, const struct send *end, bool with_claims)
{
    AUTO(arena_free) arena *mem = arena_new(UNIT_MEMORY);
    AUTO(reader_done) struct reader *r = NULL;
    struct unit u;
    instant now = clock_now();
    TRY(store_reader(g->store, &r));
    unit_init(&u, mem);
    for (struct send *s = list; s != end; s = s->next) {
        TRY(add_outcome(s, &u, now));
        if (s->good && with_claims && is_first_of_claim(s, list))
            TRY(move_claim(s, r, &u, now));
    }
    reader_done(TAKE(r));
    return store_commit(g->store, &u);
}

/* The claim moved meanwhile: the delivery's outcome still counts. */
static err
store_one(struct gateway *g, struct send *s)
{
    err e = store_some(g, s, s->next, true);
    for (int i = 0; i < 3 && (e == E_VERSION_CONFLICT || e == E_STALE); i++)
        e = store_some(g, s, s->next, i == 0);
    return e;
}

static void
tell(const struct send *s)
{
    const char *counted = s->good ? "delivered" : s->last ? "gave-up" : "retry";
    metric_add(METRIC_DELIVERIES, counted, 1);
    log_event(LOG_DELIVERY, F_UID("delivery", "dlv", &s->delivery->id), F_N("attempt", s->delivery->attempts),
              F_N("status", s->status),
              F_NAME("result", s->good   ? "delivered"
                               : s->last ? "needs-attention"
                                         : "retry"));
}

void
outcomes_store(struct gateway *g, struct send *list)
{
    bool together = list && store_some(g, list, NULL, true) == E_OK;
    for (struct send *s = list; s; s = s->next) {
        err e = together ? E_OK : store_one(g, s);
        if (e != E_OK)
            log_event(LOG_INTERNAL, F_CODE("code", e));
        tell(s);
    }
}
