#include "api/api.h"

#include "flow/motor/motor.h"

err
api_accept_paper(void *app, struct request *rq, struct reply *rp, const struct submission *s)
{
    struct acceptance a = {0};
    err e = accept_document(app, s, rq->mem, &rq->issues, &a, &rq->fault);
    if (e != E_OK) {
        fault_locate(&rq->fault, rq->body);
        if (!s->dry_run && err_info(e)->status < 500)
            accept_refused(app, s, rq->route->name, &rq->fault);
        return e;
    }
    if (a.receipt.n)
        api_acknowledged(rq);
    reply_json(rp, a.created ? 201 : 200, api_acceptance(rq, &a));
    return rp->body.p ? E_OK : E_TOO_LARGE;
}

err
api_MOTOR_FILING_CREATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"dry-run", NULL};
    TRY(request_query_only(rq, names));
    struct submission s = api_submission(rq, INTAKE_MOTOR);
    return api_accept_paper(app, rq, rp, &s);
}

err
api_HOUSEHOLD_EXTRACT_CREATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"dry-run", NULL};
    TRY(request_query_only(rq, names));
    struct submission s = api_submission(rq, INTAKE_HOUSEHOLD);
    return api_accept_paper(app, rq, rp, &s);
}

/* The same paper by the claim's own route: of this claim's insurer, and nothing but a recourse. */
err
api_CLAIM_RECOURSE(void *app, struct request *rq, struct reply *rp)
{
    struct submission s = api_submission(rq, INTAKE_MOTOR);
    TRY(API_ID(claim_id, rq, 0, &s.recourse_of));
    return api_accept_paper(app, rq, rp, &s);
}

/* The owner's code, where the app sends it. */
static err
find_person(void *app, struct request *rq, struct person_caller *ret, const struct person_caller **ret_set)
{
    view token = request_header(rq, "X-Track-Token");
    *ret_set = NULL;
    if (!token.n)
        return E_OK;
    TRY(track_caller(app, rq->caller.partner, token, rq->received, rq->mem, ret, &rq->fault));
    *ret_set = ret;
    return E_OK;
}

err
api_MOTOR_PHOTO(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"original", NULL};
    struct person_caller person;
    const struct person_caller *set;
    struct motor_picture picture;
    case_id id;
    photo_id photo;
    TRY(request_query_only(rq, names));
    TRY(API_ID(case_id, rq, 0, &id));
    TRY(API_ID(photo_id, rq, 1, &photo));
    TRY(find_person(app, rq, &person, &set));
    TRY(motor_photo_fetch(app, rq->caller.partner, set, id, photo,
                          view_eq(request_query(rq, "original"), V("true")), rq->received, rq->mem, &picture,
                          &rq->fault));
    rp->status = 200;
    rp->media = view_eq(picture.media, V("image/png")) ? "image/png" : "image/jpeg";
    rp->body = picture.bytes;
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    return E_OK;
}

err
api_CLAIM_FORMAT(void *app, struct request *rq, struct reply *rp)
{
    claim_id id;
    view json;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(motor_format(app, rq->caller.partner, id, rq->params[1], rq->lang, rq->received, rq->mem, &json,
                     &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_MOTOR_FILING_GET(void *app, struct request *rq, struct reply *rp)
{
    case_id id;
    view json, etag;
    struct person_caller person;
    const struct person_caller *set;
    TRY(API_ID(case_id, rq, 0, &id));
    TRY(find_person(app, rq, &person, &set));
    TRY(motor_fetch(app, rq->caller.partner, set, id, rq->lang, rq->received, rq->mem, &json, &etag,
                    &rq->fault));
    reply_header(rq, rp, "ETag", etag);
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}
