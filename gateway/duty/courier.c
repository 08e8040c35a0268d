#include "duty/courier.h"

#include "base/log.h"
#include "duty/worker.h"
#include "flow/lookup/lookup.h"
#include "flow/person/exchange.h"
#include "flow/task/task.h"
#include "net/net.h"

#include <stdlib.h>

#define CALL_LIMIT SPAN_SECONDS(10)
#define CONNECT_LIMIT SPAN_SECONDS(3)
#define ROUND_EVERY ((span){200000})

struct courier {
    struct gateway *g;
    struct net_policy policy;
    struct worker worker;
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

static bool
round_once(void *self)
{
    struct courier *c = self;
    size_t n = 0, asked = 0, looked_up = 0;
    err e = exchange_step(c->g, fetch, c, clock_now(), &n);
    if (e == E_OK)
        e = task_step(c->g, fetch, c, clock_now(), &asked);
    if (e == E_OK)
        e = lookup_step(c->g, fetch, c, clock_now(), &looked_up);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
    return e == E_OK && n + asked + looked_up > 0;
}

err
courier_start(struct gateway *g, struct courier **ret, struct fault *f)
{
    *ret = NULL;
    struct courier *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->g = g;
    c->policy = duty_calls(g);
    err e = worker_start(&c->worker, "courier", round_once, c, ROUND_EVERY, f);
    if (e != E_OK)
        free(c);
    else
        *ret = c;
    return e;
}

void
courier_stop(struct courier *c)
{
    if (!c)
        return;
    worker_stop(&c->worker);
    free(c);
}
