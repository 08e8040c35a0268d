#include "relay/relay.h"
#include "relay/inside.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "flow/evidence/keyring.h"
#include "net/net.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BATCH 64
#define LEASE SPAN_SECONDS(60)
#define IDLE SPAN_SECONDS(1)
#define NOTICE_MAX 65536
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
    struct send *ended; /* outcomes that are not stored yet */
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
    instant now = clock_now();
    s->good = e == E_OK && reply->status >= 200 && reply->status < 300;
    s->last = !s->good && (s->delivery->attempts > (int64_t)r->n_steps || reply->status == 410);
    s->status = reply->status;
    s->reason = e != E_OK ? view_of(err_info(e)->code) : arena_printf(s->mem, "http-%d", reply->status);
    s->again = instant_add(now, wait_of(r, s->delivery->attempts, reply->retry_after));
    s->us = clock_monotonic_us() - s->started_us;
    struct breaker *b = breaker_of(r, s->endpoint->id);
    b->failures = s->good ? 0 : b->failures + 1;
    if (b->failures >= BREAKER_FAILURES)
        b->until = instant_add(now, BREAKER_REST);
    s->next = r->ended;
    r->ended = s;
}

/* What ended in one round is stored in one unit. */
static void
store_ended(struct relay *r)
{
    struct send *list = TAKE(r->ended);
    outcomes_store(r->g, list);
    while (list) {
        struct send *next = list->next;
        send_free(list);
        list = next;
    }
}

/* -- begin -- */

static err
print_notice(struct relay *r, struct send *s, const struct row_event *e, instant now)
{
    char id[ID_TEXT_SIZE], claim[ID_TEXT_SIZE], when[32];
    bool of_claim = !uid_is_none(e->claim); /* a repair shop has none: its notices are of the filing */
    const char *name = of_claim ? "claim" : "case", *path = of_claim ? "claims" : "motor-filings";
    view c =
        of_claim ? claim_id_print((claim_id){e->claim}, claim) : case_id_print((case_id){e->case_id}, claim);
    view t = instant_print(now, when), base = r->g->base_url;
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, NOTICE_MAX);
    buf_printf(
        &out,
        "{\"specversion\":\"1.0\",\"id\":\"%.*s\",\"source\":\"%.*s\",\"type\":\"%.*s\",\"subject\":\"%.*s\","
        "\"time\":\"%.*s\","
        "\"timestamp\":\"%.*s\",\"datacontenttype\":\"application/json\",\"sequence\":\"%lld\","
        "\"data\":{\"%s\":\"%.*s\",\"version\":%lld,\"href\":\"/v1/%s/%.*s\"},\"loghead\":",
        VIEW_ARG(event_id_print((event_id){e->id}, id)), VIEW_ARG(base), VIEW_ARG(e->type), VIEW_ARG(c),
        VIEW_ARG(t), VIEW_ARG(t), (long long)e->seq, name, VIEW_ARG(c), (long long)e->case_version, path,
        VIEW_ARG(c));
    buf_add_json(&out, gateway_head(r->g, s->mem));
    BUF_LIT(&out, "}");
    s->body = out.failed ? VIEW_NONE : arena_dup(s->mem, buf_view(&out));
    return s->body.p ? E_OK : E_TOO_LARGE;
}

static err
post(struct relay *r, struct send *s, instant now)
{
    char id_text[ID_TEXT_SIZE];
    view id = event_id_print((event_id){s->event->id}, id_text), signature;
    int64_t timestamp = instant_unix(now);
    TRY(print_notice(r, s, s->event, now));
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(r->g);
    TRY(webhook_sign(keys->webhook, id, timestamp, s->body, s->mem, &signature));
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

/* The permission is asked in the transaction that begins the send: what was withdrawn before it does not go out.
 * Several sends begin in one unit; when one of them may not, that unit is refused whole. */
static err
begin(struct relay *r, struct send *const *sends, size_t n, arena *mem, instant now)
{
    struct unit u;
    unit_init(&u, mem);
    for (size_t i = 0; i < n; i++) {
        struct row_delivery *d = sends[i]->delivery;
        unit_guard(&u, GUARD_delivery_state, ARGS(val_uid(&d->id), val_text(d->state)));
        if (!uid_is_none(d->permission))
            unit_guard(&u, GUARD_permission_usable, ARGS(val_uid(&d->permission), val_time(now)));
        unit_change(&u, CHANGE_delivery_begin,
                    ARGS(val_uid(&d->id), val_time(now), val_time(instant_add(now, LEASE))));
    }
    err e = store_commit(r->g->store, &u);
    for (size_t i = 0; i < n && e == E_OK; i++)
        sends[i]->delivery->attempts++;
    if (e == E_OK || n == 1)
        metric_add(METRIC_CONSENT_CHECKS, e == E_OK ? "allowed" : "refused", (int64_t)n);
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
find_target(struct relay *r, struct send *s)
{
    AUTO(reader_done) struct reader *reader = NULL;
    struct row_endpoint *list = NULL;
    TRY(store_reader(r->g->store, &reader));
    TRY(query_endpoints_of(reader, ARGS(val_uid(&s->delivery->recipient)), s->mem, &list));
    for (; list; list = list->next)
        if (view_eq(list->state, V("active")))
            s->endpoint = list; /* the newest */
    TRY(query_event_of_delivery(reader, ARGS(val_uid(&s->delivery->id)), s->mem, &s->event));
    return s->endpoint && s->event ? E_OK : E_NOT_FOUND;
}

/* Whether there is an address that may be called now; else the delivery waits. */
static err
find_way(struct relay *r, struct send *s, instant now, bool *ret_open)
{
    err e = find_target(r, s);
    *ret_open = false;
    if (e == E_NOT_FOUND)
        return put_off(r, s, instant_add(now, SPAN_SECONDS(3600)), V("no-endpoint"));
    TRY(e);
    struct breaker *b = breaker_of(r, s->endpoint->id);
    if (b->until.us > now.us)
        return put_off(r, s, b->until, V("breaker-open"));
    *ret_open = true;
    return E_OK;
}

static void
note(err e)
{
    if (e != E_OK && e != E_STALE)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

/* The begun send goes out, or is put off. */
static void
go(struct relay *r, struct send *s, instant now)
{
    err e = post(r, s, now);
    if (e == E_OK)
        return;
    note(put_off(r, s, instant_add(now, wait_of(r, s->delivery->attempts, -1)), view_of(err_info(e)->code)));
    send_free(s);
}

static void
begin_and_go(struct relay *r, struct send *const *sends, size_t n, arena *mem, instant now)
{
    bool together = n > 0 && begin(r, sends, n, mem, now) == E_OK;
    for (size_t i = 0; i < n; i++) {
        err e = together ? E_OK : begin(r, &sends[i], 1, mem, now);
        if (e == E_OK) {
            go(r, sends[i], now);
            continue;
        }
        note(e == E_PERMISSION_NEEDED ? block(r, sends[i], now) : e);
        send_free(sends[i]);
    }
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
    struct send *sends[BATCH];
    size_t n = 0, n_sends = 0;
    for (; due; due = due->next, n++) {
        struct send *s = send_new(r, due);
        bool open = false;
        note(s ? find_way(r, s, now, &open) : E_TOO_LARGE);
        if (open)
            sends[n_sends++] = s;
        else if (s)
            send_free(s);
    }
    begin_and_go(r, sends, n_sends, mem, now);
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
        store_ended(r);
    }
    instant until = instant_add(clock_now(), SPAN_SECONDS(25));
    while (net_pool_poll(r->pool, SPAN_SECONDS(1)) && clock_now().us < until.us)
        store_ended(r);
    store_ended(r);
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
    net_pool_free(r->pool); /* ends what is under way */
    store_ended(r);
    free(r);
}
