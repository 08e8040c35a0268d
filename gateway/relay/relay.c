#include "relay/relay.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "flow/claim.h"
#include "flow/evidence.h"
#include "net/net.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BATCH 64
#define LEASE SPAN_SECONDS(60)
#define IDLE SPAN_SECONDS(1)
#define BREAKER_FAILURES 10
#define BREAKER_REST SPAN_SECONDS(60)
#define STEPS_MAX 16
#define UNDER_WAY_MAX 256
#define SEND_MEMORY (1u << 20)

struct breaker {
    uid endpoint;
    int failures;
    instant until;
};

struct relay {
    struct gateway *g;
    struct net_pool *pool;
    pthread_t thread;
    atomic_bool stopping;
    int64_t steps[STEPS_MAX];
    size_t n_steps;
    struct breaker breakers[256];
    size_t under_way;
};

/* One attempt; lives from begin to outcome. */
struct send {
    struct relay *relay;
    arena *mem;
    struct row_delivery *delivery;
    struct row_endpoint *endpoint;
    view url, body;
    int64_t started_us;
};

static struct breaker *
breaker_of(struct relay *r, uid endpoint)
{
    struct breaker *b = &r->breakers[endpoint.b[15]];
    if (!uid_eq(b->endpoint, endpoint))
        *b = (struct breaker){.endpoint = endpoint};
    return b;
}

/* -- outcome -- */

static span
wait_of(const struct relay *r, int64_t attempts, int64_t retry_after)
{
    size_t step = attempts > 0 ? (size_t)attempts - 1 : 0;
    int64_t us = r->steps[step < r->n_steps ? step : r->n_steps - 1] * 1000000;
    uint16_t noise;
    random_bytes(&noise, sizeof noise);
    us += us / 5 * ((int64_t)noise - 32768) / 32768;
    int64_t asked = retry_after * 1000000;
    return (span){asked > us ? asked : us};
}

static void
copy_args(struct send *s, struct value *v)
{
    v->bytes = arena_dup(s->mem, v->bytes);
}

static err
outcome_claim(struct send *s, struct reader *r, struct unit *u, instant now)
{
    struct row_claim *claim = NULL;
    if (uid_is_none(s->delivery->claim))
        return E_OK;
    TRY(query_claim(r, ARGS(val_uid(&s->delivery->claim)), s->mem, &claim));
    if (!claim || claim_next(claim_state_of(claim->state), V("acknowledge")) == STATE_COUNT)
        return E_OK;
    unit_guard(u, GUARD_claim_version, ARGS(val_uid(&claim->id), val_int(claim->version)));
    return claim_move(u, claim, V("acknowledge"), "insurer", s->delivery->recipient, s->delivery->document,
                      now, NULL);
}

static err
outcome_unit(struct send *s, bool good, bool last, const struct net_reply *reply, view reason,
             bool with_claim)
{
    struct gateway *g = s->relay->g;
    struct row_delivery *d = s->delivery;
    AUTO(reader_done) struct reader *r = NULL;
    struct unit u;
    instant now = clock_now();
    TRY(store_reader(g->store, &r));
    unit_init(&u, s->mem);
    struct value why = val_text(reason);
    copy_args(s, &why);
    if (good || last)
        unit_change(&u, CHANGE_delivery_done,
                    ARGS(val_uid(&d->id), val_text(good ? V("delivered") : V("needs-attention")),
                         val_time(now), why));
    else
        unit_change(&u, CHANGE_delivery_retry,
                    ARGS(val_uid(&d->id),
                         val_time(instant_add(now, wait_of(s->relay, d->attempts, reply->retry_after))),
                         why));
    struct row_attempt *attempt = unit_add_attempt(&u);
    if (!attempt)
        return E_TOO_LARGE;
    *attempt = (struct row_attempt){.delivery = d->id,
                                    .n = d->attempts,
                                    .at = now,
                                    .status = reply->status,
                                    .result = why.bytes,
                                    .us = clock_monotonic_us() - s->started_us};
    if (good && with_claim)
        TRY(outcome_claim(s, r, &u, now));
    const digest parts[] = {sha256(s->body), sha256(reason)};
    digest leaf;
    TRY(evidence_leaf(&u, "delivery", d->id, parts, COUNT_OF(parts), now, &leaf));
    if (reply->status == 410) {
        struct row_endpoint *row = unit_add_endpoint(&u);
        if (!row)
            return E_TOO_LARGE;
        *row = *s->endpoint;
        row->next = NULL;
        row->op = ROW_PUT;
        row->state = V("disabled");
        row->reason = V("410");
    }
    reader_done(TAKE(r));
    return store_commit(g->store, &u);
}

static void
send_free(struct send *s)
{
    s->relay->under_way--;
    arena_free(s->mem);
}

static void
on_done(void *user, err e, const struct net_reply *reply, const struct fault *f)
{
    (void)f;
    struct send *s = user;
    struct relay *r = s->relay;
    bool good = e == E_OK && reply->status >= 200 && reply->status < 300;
    bool last = !good && (s->delivery->attempts > (int64_t)r->n_steps || reply->status == 410);
    view reason = e != E_OK ? view_of(err_info(e)->code) : arena_printf(s->mem, "http-%d", reply->status);
    struct breaker *b = breaker_of(r, s->endpoint->id);
    b->failures = good ? 0 : b->failures + 1;
    if (b->failures >= BREAKER_FAILURES)
        b->until = instant_add(clock_now(), BREAKER_REST);
    err stored = outcome_unit(s, good, last, reply, reason, true);
    /* The claim moved meanwhile: the delivery's outcome still counts. */
    for (int i = 0; i < 3 && (stored == E_VERSION_CONFLICT || stored == E_STALE); i++)
        stored = outcome_unit(s, good, last, reply, reason, i == 0);
    if (stored != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", stored));
    metric_add(METRIC_DELIVERIES, good ? "delivered" : last ? "gave-up" : "retry", 1);
    log_event(LOG_DELIVERY, F_UID("delivery", "dlv", &s->delivery->id), F_N("attempt", s->delivery->attempts),
              F_N("status", reply->status),
              F_NAME("result", good   ? "delivered"
                               : last ? "needs-attention"
                                      : "retry"));
    send_free(s);
}

/* -- begin -- */

static err
print_notice(struct relay *r, struct send *s, const struct row_event *e, instant now)
{
    char id[ID_TEXT_SIZE], claim[ID_TEXT_SIZE], when[32];
    view c = claim_id_print((claim_id){e->claim}, claim), t = instant_print(now, when), base = r->g->base_url;
    s->body = arena_printf(
        s->mem,
        "{\"specversion\":\"1.0\",\"id\":\"%.*s\",\"source\":\"%.*s\",\"type\":\"%.*s\",\"subject\":\"%.*s\","
        "\"time\":\"%.*s\","
        "\"timestamp\":\"%.*s\",\"datacontenttype\":\"application/json\",\"sequence\":\"%lld\","
        "\"data\":{\"claim\":\"%.*s\",\"version\":%lld,\"href\":\"/v1/claims/%.*s\"}}",
        VIEW_ARG(event_id_print((event_id){e->id}, id)), VIEW_ARG(base), VIEW_ARG(e->type), VIEW_ARG(c),
        VIEW_ARG(t), VIEW_ARG(t), (long long)e->seq, VIEW_ARG(c), (long long)e->case_version, VIEW_ARG(c));
    return s->body.p ? E_OK : E_TOO_LARGE;
}

static err
post(struct relay *r, struct send *s, const struct row_event *event, instant now)
{
    char id_text[ID_TEXT_SIZE];
    view id = event_id_print((event_id){event->id}, id_text), signature;
    int64_t timestamp = instant_unix(now);
    TRY(print_notice(r, s, event, now));
    TRY(webhook_sign(r->g->webhook_key, id, timestamp, s->body, s->mem, &signature));
    struct net_header *headers = arena_make_array(s->mem, 5, struct net_header);
    if (!headers)
        return E_TOO_LARGE;
    digest d = sha256(s->body);
    headers[0] = (struct net_header){"Content-Type", V("application/json")};
    headers[1] = (struct net_header){"webhook-id", arena_dup(s->mem, id)};
    headers[2] = (struct net_header){"webhook-timestamp", arena_printf(s->mem, "%lld", (long long)timestamp)};
    headers[3] = (struct net_header){"webhook-signature", signature};
    headers[4] = (struct net_header){
        "Content-Digest",
        arena_printf(s->mem, "sha-256=:%.*s:", VIEW_ARG(text_base64(s->mem, digest_view(&d))))};
    const struct net_request rq = {.method = "POST",
                                   .url = s->endpoint->url,
                                   .headers = headers,
                                   .n_headers = 5,
                                   .body = s->body,
                                   .limit = SPAN_SECONDS(20),
                                   .reply_max = 1024,
                                   .cut_reply = true};
    s->started_us = clock_monotonic_us();
    return net_pool_add(r->pool, &rq, on_done, s, NULL);
}

/* The permission is asked in the transaction that begins the send: what was withdrawn before it does not go out. */
static err
begin(struct relay *r, struct send *s, instant now)
{
    struct row_delivery *d = s->delivery;
    struct unit u;
    unit_init(&u, s->mem);
    unit_guard(&u, GUARD_delivery_state, ARGS(val_uid(&d->id), val_text(d->state)));
    if (!uid_is_none(d->permission))
        unit_guard(&u, GUARD_permission_usable, ARGS(val_uid(&d->permission), val_time(now)));
    unit_change(&u, CHANGE_delivery_begin,
                ARGS(val_uid(&d->id), val_time(now), val_time(instant_add(now, LEASE))));
    err e = store_commit(r->g->store, &u);
    metric_add(METRIC_CONSENT_CHECKS, e == E_OK ? "allowed" : "refused", 1);
    d->attempts++;
    return e;
}

static err
put_off(struct relay *r, struct send *s, instant until, view reason)
{
    struct unit u;
    (void)r;
    unit_init(&u, s->mem);
    unit_change(&u, CHANGE_delivery_retry,
                ARGS(val_uid(&s->delivery->id), val_time(until), val_text(reason)));
    return store_commit(s->relay->g->store, &u);
}

static err
block(struct relay *r, struct send *s, instant now)
{
    struct unit u;
    unit_init(&u, s->mem);
    unit_change(&u, CHANGE_delivery_done,
                ARGS(val_uid(&s->delivery->id), val_text(V("blocked")), val_time(now),
                     val_text(V("permission-needed"))));
    return store_commit(r->g->store, &u);
}

static err
find_target(struct relay *r, struct send *s, struct row_event **ret_event)
{
    AUTO(reader_done) struct reader *reader = NULL;
    struct row_endpoint *list = NULL;
    TRY(store_reader(r->g->store, &reader));
    TRY(query_endpoints_of(reader, ARGS(val_uid(&s->delivery->recipient)), s->mem, &list));
    for (; list; list = list->next)
        if (view_eq(list->state, V("active")))
            s->endpoint = list; /* the newest */
    TRY(query_event_of_delivery(reader, ARGS(val_uid(&s->delivery->id)), s->mem, ret_event));
    return s->endpoint && *ret_event ? E_OK : E_NOT_FOUND;
}

static err
start_send(struct relay *r, struct send *s, instant now, bool *ret_flying)
{
    struct row_event *event = NULL;
    err e = find_target(r, s, &event);
    if (e == E_NOT_FOUND)
        return put_off(r, s, instant_add(now, SPAN_SECONDS(3600)), V("no-endpoint"));
    TRY(e);
    struct breaker *b = breaker_of(r, s->endpoint->id);
    if (b->until.us > now.us)
        return put_off(r, s, b->until, V("breaker-open"));
    e = begin(r, s, now);
    if (e == E_PERMISSION_NEEDED)
        return block(r, s, now);
    TRY(e);
    e = post(r, s, event, now);
    *ret_flying = e == E_OK;
    if (e != E_OK)
        return put_off(r, s, instant_add(now, wait_of(r, s->delivery->attempts, -1)),
                       view_of(err_info(e)->code));
    return E_OK;
}

static struct send *
send_new(struct relay *r, const struct row_delivery *row)
{
    arena *mem = arena_new(SEND_MEMORY);
    struct send *s = arena_make(mem, struct send);
    struct row_delivery *copy = arena_make(mem, struct row_delivery);
    if (!s || !copy) {
        arena_free(mem);
        return NULL;
    }
    *copy = *row;
    copy->state = arena_dup(mem, row->state);
    copy->next = NULL;
    *s = (struct send){.relay = r, .mem = mem, .delivery = copy};
    r->under_way++;
    return s;
}

/* Takes what is due and sends it off; true when there may be more. */
static bool
take_due(struct relay *r, arena *mem)
{
    AUTO(reader_done) struct reader *reader = NULL;
    struct row_delivery *due = NULL;
    instant now = clock_now();
    if (r->under_way >= UNDER_WAY_MAX || store_reader(r->g->store, &reader) != E_OK ||
        query_deliveries_due(reader, ARGS(val_time(now), val_int(BATCH)), mem, &due) != E_OK)
        return false;
    reader_done(TAKE(reader));
    size_t n = 0;
    for (; due; due = due->next, n++) {
        struct send *s = send_new(r, due);
        bool flying = false;
        err e = s ? start_send(r, s, now, &flying) : E_TOO_LARGE;
        if (e != E_OK && e != E_STALE)
            log_event(LOG_INTERNAL, F_CODE("code", e));
        if (s && !flying)
            send_free(s);
    }
    metric_set(METRIC_DELIVERY_QUEUE, NULL, (int64_t)n);
    return n == BATCH;
}

static void *
run(void *self)
{
    struct relay *r = self;
    AUTO(arena_free) arena *mem = arena_new(16u << 20);
    while (!atomic_load(&r->stopping)) {
        bool more = take_due(r, mem);
        arena_reset(mem);
        net_pool_poll(r->pool, more ? (span){0} : IDLE);
    }
    instant until = instant_add(clock_now(), SPAN_SECONDS(25));
    while (net_pool_poll(r->pool, SPAN_SECONDS(1)) && clock_now().us < until.us)
        ;
    return NULL;
}

static void
read_schedule(struct relay *r, view text)
{
    while (text.n && r->n_steps < STEPS_MAX) {
        view one = view_cut(&text, ' ', NULL);
        if (text_to_i64(one, &r->steps[r->n_steps]) == E_OK)
            r->n_steps++;
    }
    if (!r->n_steps)
        r->steps[r->n_steps++] = 300;
}

err
relay_start(struct gateway *g, struct relay **ret, struct fault *f)
{
    struct relay *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->g = g;
    read_schedule(r, config_text(g->config, SET_RELAY_SCHEDULE));
    const struct net_pool_options options = {
        .policy = {.allow_private = g->sandbox && config_bool(g->config, SET_RELAY_ALLOW_PRIVATE)}};
    err e = net_pool_new(&options, &r->pool);
    if (e == E_OK && pthread_create(&r->thread, NULL, run, r) != 0)
        e = E_INTERNAL;
    if (e != E_OK) {
        net_pool_free(r->pool);
        free(r);
        return fault_set(f, e, "relay", "a thread and a pool", "none");
    }
    *ret = r;
    return E_OK;
}

void
relay_wake(void *relay)
{
    net_pool_wakeup(((struct relay *)relay)->pool);
}

void
relay_stop(struct relay *r)
{
    if (!r)
        return;
    atomic_store(&r->stopping, true);
    net_pool_wakeup(r->pool);
    pthread_join(r->thread, NULL);
    net_pool_free(r->pool);
    free(r);
}
