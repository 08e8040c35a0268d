/* One log line and two metrics per request.  Labels are constants or stand in tables made once, since the
 * metrics keep the pointer. */
#include "http/conn.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include <stdio.h>

static const int statuses[] = {200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 406, 409, 410,
                               411, 412, 413, 414, 415, 422, 428, 429, 431, 500, 501, 503, 0};

/* One row more for requests without a route. */
static char labels[ROUTE_COUNT + 1][COUNT_OF(statuses)][56];
static pthread_once_t labels_once = PTHREAD_ONCE_INIT;

static const char *
name_of(size_t route)
{
    return route < ROUTE_COUNT ? route_info((enum route_id)route)->name : "none";
}

static void
make_labels(void)
{
    for (size_t r = 0; r <= ROUTE_COUNT; r++) {
        for (size_t i = 0; i < COUNT_OF(statuses); i++)
            snprintf(labels[r][i], sizeof labels[r][i], "%s,%d", name_of(r), statuses[i]);
    }
}

void
observe_start(void)
{
    router_start();
    pthread_once(&labels_once, make_labels);
}

static size_t
status_index(int status)
{
    size_t i = 0;
    while (statuses[i] != status && statuses[i] != 0)
        i++;
    return i;
}

static void
count(const struct connection *c, int64_t us)
{
    size_t route = c->rq.route ? (size_t)c->rq.route->id : ROUTE_COUNT;
    metric_add(METRIC_HTTP_REQUESTS, labels[route][status_index(c->reply.status)], 1);
    metric_observe_us(METRIC_HTTP_SECONDS, name_of(route), us);
}

void
observe_refusal(const struct connection *c, err e)
{
    metric_add(METRIC_HTTP_REJECTED, err_info(e)->code, 1);
    log_event(LOG_WIRE_REFUSED, F_CODE("code", e), F_UID("request", "req", &c->rq.id.u));
}

static void
tell_security(const struct connection *c)
{
    const char *route = c->rq.route ? c->rq.route->name : "none";
    bool is_authn = c->reply.status == 401;
    if (!is_authn && c->reply.status != 403)
        return;
    if (c->outcome == E_SCOPE)
        metric_add(METRIC_DENIED, err_info(c->outcome)->code, 1);
    log_event(is_authn ? LOG_AUTHN_FAIL : LOG_AUTHZ_FAIL, F_CODE("code", c->outcome), F_NAME("route", route),
              F_UID("request", "req", &c->rq.id.u));
}

/* The trace id of traceparent stands in a digest, of which the log prints the first half. */
static bool
trace_of(const struct request *rq, digest *ret)
{
    view bytes = VIEW_NONE;
    if (!rq->trace_parent.p || text_hex_decode(view_sub(rq->trace_parent, 3, 32), rq->mem, &bytes) != E_OK)
        return false;
    memcpy(ret->b, bytes.p, bytes.n < sizeof ret->b ? bytes.n : sizeof ret->b);
    return true;
}

void
observe_reply(const struct connection *c)
{
    int64_t us = clock_monotonic_us() - c->rq.begun_us;
    const struct request *rq = &c->rq;
    digest trace = {{0}};
    count(c, us);
    if (c->outcome != E_OK)
        tell_security(c);
    struct log_field fields[10] = {
        F_NAME("route", rq->route ? rq->route->name : "none"),
        F_NAME("method", c->outcome == E_METHOD_UNKNOWN ? "other" : method_name(c->method)),
        F_N("status", c->reply.status),
        F_N("us", us),
        F_N("bytes_in", (int64_t)c->body.n),
        F_N("bytes_out", (int64_t)c->reply.body.n),
        F_UID("request", "req", &rq->id.u),
    };
    size_t n = 7;
    if (!uid_is_none(rq->caller.partner.u))
        fields[n++] = F_UID("partner", "org", &rq->caller.partner.u);
    if (c->outcome != E_OK)
        fields[n++] = F_CODE("code", c->outcome);
    if (trace_of(rq, &trace))
        fields[n++] = F_DIGEST("trace", &trace);
    log_write(LOG_REQUEST, fields, n);
}
