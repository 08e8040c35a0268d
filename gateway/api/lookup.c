#include "flow/lookup/lookup.h"
#include "api/api.h"

err
api_COVER_LOOKUP_CREATE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(lookup_ask(app, rq->caller.partner, rq->body, rq->received, rq->mem, &json, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 202, json);
    return E_OK;
}

err
api_COVER_LOOKUP_GET(void *app, struct request *rq, struct reply *rp)
{
    lookup_id id;
    view json;
    TRY(API_ID(lookup_id, rq, 0, &id));
    TRY(lookup_show(app, rq->caller.partner, id, rq->received, rq->mem, &json, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}
