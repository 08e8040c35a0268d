#include "api/api.h"

#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/notice.h"
#include "flow/person/account.h"
#include "flow/view/feed.h"

err
api_CLAIM_GET(void *app, struct request *rq, struct reply *rp)
{
    claim_id id;
    view json, etag;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(claim_fetch(app, rq->caller.partner, id, rq->lang, rq->received, rq->mem, &json, &etag, &rq->fault));
    reply_header(rq, rp, "ETag", etag);
    if (view_eq(request_header(rq, "If-None-Match"), etag)) {
        rp->status = 304;
        return E_OK;
    }
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_FHIR_CLAIM_READ(void *app, struct request *rq, struct reply *rp)
{
    claim_id id;
    view json;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(claim_fetch_fhir(app, rq->caller.partner, id, rq->received, rq->mem, &json, &rq->fault));
    rp->status = 200;
    rp->media = "application/fhir+json; charset=utf-8";
    rp->body = json;
    return E_OK;
}

err
api_CLAIM_SEARCH(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(claim_search(app, rq->caller.partner, rq->body, rq->lang, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_CLAIM_TIMELINE(void *app, struct request *rq, struct reply *rp)
{
    claim_id id;
    view json;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(claim_timeline(app, rq->caller.partner, id, rq->lang, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

static err
told(void *app, struct request *rq, struct reply *rp, bool is_decision)
{
    struct insurer_word w = {
        .insurer = rq->caller.partner,
        .body = rq->body,
        .jws_header = request_header(rq, "X-JWS-Signature"),
        .if_match = request_header(rq, "If-Match"),
        .idempotency_key = request_header(rq, "Idempotency-Key"),
        .client = rq->caller.client,
        .is_decision = is_decision,
        .at = rq->received,
    };
    view json, etag;
    bool replayed;
    TRY(API_ID(claim_id, rq, 0, &w.claim));
    TRY(claim_told(app, &w, rq->mem, &json, &etag, &replayed, &rq->fault));
    reply_json(rp, 200, json);
    reply_header(rq, rp, "ETag", etag);
    if (replayed)
        reply_header(rq, rp, "Idempotency-Replayed", V("true"));
    return E_OK;
}

err
api_CLAIM_STATUS(void *app, struct request *rq, struct reply *rp)
{
    return told(app, rq, rp, false);
}

err
api_CLAIM_DECISION(void *app, struct request *rq, struct reply *rp)
{
    return told(app, rq, rp, true);
}

err
api_CASE_GET(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"provenance", NULL};
    case_id id;
    view json;
    TRY(request_query_only(rq, names));
    TRY(API_ID(case_id, rq, 0, &id));
    TRY(case_fetch(app, rq->caller.partner, id, view_eq(request_query(rq, "provenance"), V("true")), rq->mem,
                   &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_ACCOUNT_CHANGE(void *app, struct request *rq, struct reply *rp)
{
    const struct caller *c = &rq->caller;
    struct account_wish w = {
        .person = c->person, .app = c->partner, .session = c->session, .body = rq->body, .at = rq->received};
    view json;
    if (!c->is_person)
        return fault_set(&rq->fault, E_LOGIN, "Authorization", "the token of a person who logged in",
                         "a client's own");
    TRY(API_ID(claim_id, rq, 0, &w.claim));
    TRY(account_change(app, &w, rq->mem, &json, &rq->fault));
    reply_json(rp, 202, json);
    return E_OK;
}

err
api_CLAIM_NOTICE(void *app, struct request *rq, struct reply *rp)
{
    claim_id id;
    view json;
    bool created = false;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(notice_by_law(app, rq->caller.partner, id, rq->body, rq->received, rq->mem, &json, &created,
                      &rq->fault));
    reply_json(rp, created ? 201 : 200, json);
    return E_OK;
}
