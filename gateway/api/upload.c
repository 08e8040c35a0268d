#include "api/api.h"

#include "base/text.h"
#include "flow/intake/upload.h"
#include "flow/members.h"

static err
answer(struct request *rq, struct reply *rp, int status, const struct upload_state *s)
{
    char id[ID_TEXT_SIZE];
    view text = upload_id_print(s->id, id);
    reply_header(rq, rp, "Upload-Offset", arena_printf(rq->mem, "%lld", (long long)s->received));
    reply_header(rq, rp, "Upload-Length", arena_printf(rq->mem, "%lld", (long long)s->bytes));
    reply_header(rq, rp, "Location", arena_printf(rq->mem, "/v1/uploads/%.*s", VIEW_ARG(text)));
    reply_json(rp, status,
               arena_printf(rq->mem, "{\"id\":\"%.*s\",\"received\":%lld,\"bytes\":%lld,\"complete\":%s}",
                            VIEW_ARG(text), (long long)s->received, (long long)s->bytes,
                            s->is_complete ? "true" : "false"));
    return rp->body.p ? E_OK : E_TOO_LARGE;
}

err
api_UPLOAD_CREATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const known[] = {"s:sha256", "i:bytes", "s:media", NULL};
    json_t *body = NULL;
    struct upload_state s;
    TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
    TRY(members_only(body, known, &rq->fault));
    view media = json_text(body, "media");
    if (media.n == 0 || media.n > 100)
        return fault_set(&rq->fault, E_PARAMETER, "/media", "a media type of at most 100 characters",
                         "another");
    TRY(upload_create(app, rq->caller.partner, json_text(body, "sha256"), json_int(body, "bytes", 0), media,
                      rq->received, rq->mem, &s, &rq->fault));
    return answer(rq, rp, s.is_complete ? 200 : 201, &s);
}

err
api_UPLOAD_STATE(void *app, struct request *rq, struct reply *rp)
{
    upload_id id;
    struct upload_state s;
    TRY(API_ID(upload_id, rq, 0, &id));
    TRY(upload_state(app, rq->caller.partner, id, rq->mem, &s, &rq->fault));
    return answer(rq, rp, 200, &s);
}

err
api_UPLOAD_APPEND(void *app, struct request *rq, struct reply *rp)
{
    upload_id id;
    struct upload_state s;
    int64_t offset;
    TRY(API_ID(upload_id, rq, 0, &id));
    if (text_to_i64(request_header(rq, "Upload-Offset"), &offset) != E_OK || offset < 0)
        return fault_set(&rq->fault, E_PARAMETER, "upload-offset", "where the bytes begin: a number from 0",
                         "none");
    err e =
        upload_append(app, rq->caller.partner, id, offset, rq->body, rq->received, rq->mem, &s, &rq->fault);
    if (e == E_UPLOAD_OFFSET)
        reply_header(rq, rp, "Upload-Offset", arena_printf(rq->mem, "%lld", (long long)s.received));
    return e == E_OK ? answer(rq, rp, 200, &s) : e;
}

err
api_UPLOAD_CANCEL(void *app, struct request *rq, struct reply *rp)
{
    upload_id id;
    TRY(API_ID(upload_id, rq, 0, &id));
    TRY(upload_cancel(app, rq->caller.partner, id, rq->mem, &rq->fault));
    rp->status = 204;
    return E_OK;
}
