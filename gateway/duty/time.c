#include "duty/time.h"

#include "base/log.h"
#include "base/metrics.h"
#include "duty/worker.h"
#include "flow/evidence/stamps.h"
#include "net/net.h"

#include <stdlib.h>

#define ROUND_MEMORY (64u << 20)
#define RENEWAL_MEMORY (1u << 30)
#define REPLY_MAX (256u << 10)
#define ROUND_EVERY SPAN_SECONDS(1)
#define RENEWAL_EVERY SPAN_SECONDS(3600)
#define CLOCK_SKEW SPAN_SECONDS(300)
#define OK_STATUS 200

struct time_duty {
    struct gateway *g;
    instant next_stamp, next_renewal;
    int failures;
    struct worker worker;
};

/* -- asking -- */

static err
ask_one(struct gateway *g, view url, const struct wide_digest *imprint, arena *mem, struct tsp_token *ret,
        struct fault *f)
{
    uint8_t nonce[8];
    view request = VIEW_NONE;
    struct stamp_rules rules;
    struct net_reply reply;
    const struct net_policy policy = duty_calls_for_signed(g);
    random_bytes(nonce, sizeof nonce);
    view asked = view_make(nonce, sizeof nonce);
    TRY(stamp_rules_read(g, mem, &rules, f));
    TRY(tsp_request(wide_digest_view(imprint), asked, rules.policy, mem, &request, f));
    const struct net_header type = {"Content-Type", V("application/timestamp-query")};
    const struct net_request post = {.method = "POST",
                                     .url = url,
                                     .headers = &type,
                                     .n_headers = 1,
                                     .body = request,
                                     .limit = config_span(g->config, SET_TIME_TIMEOUT),
                                     .reply_max = REPLY_MAX};
    TRY(net_fetch(&policy, &post, mem, &reply, f));
    if (reply.status != OK_STATUS)
        return fault_set(f, E_NETWORK, "time.authorities", "status 200", "another");
    instant now = clock_now();
    const struct tsp_question q = {.imprint = wide_digest_view(imprint),
                                   .nonce = asked,
                                   .policy = rules.policy,
                                   .anchors = rules.anchors,
                                   .n_anchors = rules.n_anchors,
                                   .latest = instant_add(now, CLOCK_SKEW),
                                   .good_at = now};
    TRY(tsp_answer(reply.body, &q, mem, ret, f));
    if (ret->at.us < now.us - CLOCK_SKEW.us)
        return fault_set(f, E_TIME_STAMP, "time-stamp", "the present time", "a time that is over");
    return E_OK;
}

/* The first of the listed authorities whose answer holds. */
static err
ask(struct gateway *g, const struct wide_digest *imprint, arena *mem, struct tsp_token *ret, struct fault *f)
{
    view list = config_text(g->config, SET_TIME_AUTHORITIES);
    err e = fault_set(f, E_CONFIG, "time.authorities", "a time-stamp authority", "none");
    while (list.n) {
        view url = view_trim(view_cut(&list, ' ', NULL));
        if (url.n == 0)
            continue;
        fault_init(f);
        e = ask_one(g, url, imprint, mem, ret, f);
        metric_add(METRIC_TIME_STAMPS, e == E_OK ? "ok" : "refused", 1);
        if (e == E_OK)
            return E_OK;
        log_event(LOG_TIME_STAMP, F_CODE("code", e));
    }
    return e;
}

/* -- rounds -- */

static err
stamp(struct gateway *g, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(ROUND_MEMORY);
    struct stamp_order order;
    struct tsp_token token;
    TRY(stamps_due(g, mem, &order, f));
    if (order.head.n == 0)
        return E_OK;
    TRY(ask(g, &order.imprint, mem, &token, f));
    TRY(stamps_keep(g, &order, &token));
    return stamps_due(g, mem, &order, f); /* notes what waits now */
}

err
time_renew(struct gateway *g, instant before, size_t hash, bool *ret_done, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(RENEWAL_MEMORY);
    struct renewal_order order;
    struct tsp_token token;
    *ret_done = false;
    TRY(renewal_due(g, before, hash, mem, &order, f));
    if (!order.needed)
        return E_OK;
    TRY(ask(g, &order.imprint, mem, &token, f));
    if (hash == 0 && token.authority_until.us <= order.ends.us)
        return fault_set(f, E_TIME_STAMP, "time-stamp",
                         "an authority whose certificate ends later than the one before",
                         "one that does not");
    TRY(renewal_keep(g, &order, &token));
    *ret_done = true;
    return E_OK;
}

static void
note_waiting(const struct time_duty *d, instant now)
{
    int64_t since = atomic_load(&d->g->unstamped_since);
    metric_set(METRIC_TIME_WAITING, NULL, since ? (now.us - since) / 1000000 : 0);
}

static bool
round_once(void *self)
{
    struct time_duty *d = self;
    instant now = clock_now();
    struct fault f;
    fault_init(&f);
    if (now.us >= d->next_stamp.us) {
        err e = stamp(d->g, &f);
        span wait = e == E_OK ? config_span(d->g->config, SET_TIME_EVERY) : duty_backoff(d->failures);
        d->failures = e == E_OK ? 0 : d->failures + 1;
        d->next_stamp = instant_add(clock_now(), wait);
    }
    if (now.us >= d->next_renewal.us) {
        bool done;
        span ahead = config_span(d->g->config, SET_TIME_RENEW_AHEAD);
        fault_init(&f);
        err e = time_renew(d->g, instant_add(now, ahead), 0, &done, &f);
        if (e != E_OK)
            log_event(LOG_TIME_RENEWAL, F_CODE("code", e));
        d->next_renewal = instant_add(clock_now(), RENEWAL_EVERY);
    }
    note_waiting(d, now);
    return false;
}

err
time_duty_start(struct gateway *g, struct time_duty **ret, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    struct stamp_rules rules;
    *ret = NULL;
    if (config_text(g->config, SET_TIME_AUTHORITIES).n == 0)
        return E_OK;
    TRY(stamp_rules_read(g, mem, &rules, f));
    struct time_duty *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->g = g;
    err e = worker_start(&d->worker, "time", round_once, d, ROUND_EVERY, f);
    if (e != E_OK)
        free(d);
    else
        *ret = d;
    return e;
}

void
time_duty_wake(struct time_duty *d)
{
    if (d)
        worker_wake(&d->worker);
}

void
time_duty_stop(struct time_duty *d)
{
    if (!d)
        return;
    worker_stop(&d->worker);
    free(d);
}
