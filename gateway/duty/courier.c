#include "duty/courier.h"

#include "base/log.h"
#include "flow/person/exchange.h"
#include "flow/task/task.h"
#include "net/net.h"

#include <stdlib.h>
#include <time.h>

#define CALL_LIMIT SPAN_SECONDS(10)
#define CONNECT_LIMIT SPAN_SECONDS(3)
#define ROUND_NS 200000000L

struct courier {
    struct gateway *g;
    struct net_policy policy;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stopping;
};

static void
fetch(void *self, const struct adapter_call *call, arena *mem, struct adapter_answer *ret)
{
    struct courier *c = self;
    struct net_header headers[ADAPTER_HEADERS_MAX];
    struct net_reply reply = {0};
    for (size_t i = 0; i < call->n_headers; i++)
        headers[i] = (struct net_header){call->headers[i].name, call->headers[i].value};
    const struct net_request rq = {.method = call->method,
                                   .url = call->url,
                                   .headers = headers,
                                   .n_headers = call->n_headers,
                                   .body = call->body,
                                   .connect_limit = CONNECT_LIMIT,
                                   .limit = CALL_LIMIT,
                                   .reply_max = call->answer_max};
    err e = net_fetch(&c->policy, &rq, mem, &reply, NULL);
    *ret = (struct adapter_answer){.status = e == E_OK ? reply.status : 0,
                                   .body = reply.body,
                                   .media_type = reply.media_type,
                                   .retry_after = reply.retry_after};
}

static void
wait_a_round(struct courier *c)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ROUND_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    if (!c->stopping)
        pthread_cond_timedwait(&c->woken, &c->lock, &until);
}

static void *
run(void *self)
{
    struct courier *c = self;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        size_t n = 0;
        pthread_mutex_unlock(&c->lock);
        size_t asked = 0;
        err e = exchange_step(c->g, fetch, c, clock_now(), &n);
        if (e == E_OK)
            e = task_step(c->g, fetch, c, clock_now(), &asked);
        n += asked;
        if (e != E_OK)
            log_event(LOG_INTERNAL, F_CODE("code", e));
        pthread_mutex_lock(&c->lock);
        if (n == 0 || e != E_OK)
            wait_a_round(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

err
courier_start(struct gateway *g, struct courier **ret, struct fault *f)
{
    *ret = NULL;
    struct courier *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->g = g;
    c->policy.allow_private = g->sandbox && config_bool(g->config, SET_RELAY_ALLOW_PRIVATE);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->woken, NULL);
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        free(c);
        return fault_set(f, E_INTERNAL, "courier", "a thread", "none");
    }
    *ret = c;
    return E_OK;
}

void
courier_stop(struct courier *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->woken);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->woken);
    free(c);
}
