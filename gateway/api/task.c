#include "flow/task/task.h"
#include "api/api.h"
#include "base/text.h"

err
api_RECORD_REQUEST_CREATE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(task_ask(app, rq->caller.partner, rq->body, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 202, json);
    return E_OK;
}

err
api_RECORD_REQUEST_GET(void *app, struct request *rq, struct reply *rp)
{
    ask_id id;
    view json;
    TRY(API_ID(ask_id, rq, 0, &id));
    TRY(task_ask_show(app, rq->caller.partner, id, rq->received, rq->mem, &json, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_TASK_LIST(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"cursor", "limit", NULL};
    view json, limit = request_query(rq, "limit");
    int64_t n = 50;
    TRY(request_query_only(rq, names));
    if (limit.n && (text_to_i64(limit, &n) != E_OK || n < 1 || n > 200))
        return fault_set(&rq->fault, E_PARAMETER, "limit", "1 to 200", "another value");
    TRY(task_list(app, rq->caller.partner, request_query(rq, "cursor"), (int)n, rq->received, rq->mem, &json,
                  &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_TASK_GET(void *app, struct request *rq, struct reply *rp)
{
    task_id id;
    view json, etag;
    TRY(API_ID(task_id, rq, 0, &id));
    TRY(task_show(app, rq->caller.partner, id, rq->received, rq->mem, &json, &etag, &rq->fault));
    reply_header(rq, rp, "ETag", etag);
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_TASK_ANSWER(void *app, struct request *rq, struct reply *rp)
{
    struct task_word w = {.owner = rq->caller.partner,
                          .body = rq->body,
                          .if_match = request_header(rq, "If-Match"),
                          .at = rq->received};
    view json, etag;
    TRY(API_ID(task_id, rq, 0, &w.task));
    TRY(task_answer(app, &w, rq->mem, &json, &etag, &rq->fault));
    reply_header(rq, rp, "ETag", etag);
    reply_json(rp, 200, json);
    return E_OK;
}
