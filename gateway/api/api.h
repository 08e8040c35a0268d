/* One thin function per route: parse, call flow, reply.  handlers.c holds the table in the order of routes.def; app is a struct gateway.
 *
 * Handlers run in the request's thread; memory from the request's arena. */
#ifndef API_API_H
#define API_API_H

#include "base/metrics.h"
#include "flow/intake/accept.h"
#include "flow/login/dpop.h"
#include "http/http.h"

extern const handler api_handlers[ROUTE_COUNT];

#define ROUTE(id, method, path, surface, media, ceiling, flags, scope)                                       \
    err api_##id(void *app, struct request *rq, struct reply *rp) MUST_USE;
#include "http/routes.def"
#undef ROUTE

/* Parameter i of the path as an id, E_NOT_FOUND when it has another form (an id that cannot exist is not found). */
#define API_ID(type, rq, i, ret)                                                                             \
    (type##_parse((rq)->params[i], (ret)) == E_OK ? E_OK : fault_set(&(rq)->fault, E_NOT_FOUND, "", "", ""))

/* A receipt is durable and about to be sent. */
static inline void
api_acknowledged(const struct request *rq)
{
    metric_observe_us(METRIC_ACK_SECONDS, "", clock_monotonic_us() - rq->begun_us);
}

/* What http has read, as flow's submission. */
struct submission api_submission(struct request *rq, enum intake intake);
/* Plain object: receipt, document, case, outcome, findings, and what the route adds. {NULL,0} when it is too large. */
view api_acceptance(struct request *rq, const struct acceptance *a);

/* A document that is no FHIR, accepted and answered so. */
err api_accept_paper(void *app, struct request *rq, struct reply *rp, const struct submission *s) MUST_USE;

/* What came with the request to prove possession of a key. */
struct proof api_proof(const struct gateway *g, const struct request *rq);

/* auth_ops of http, answered by flow. */
struct auth_ops api_auth(struct gateway *g);

#endif
