#include "api/api.h"

#include "flow/motor/motor.h"

/* The answer of any document that is no FHIR, with what the filing opened. */
static err
accept_paper(void *app, struct request *rq, struct reply *rp, const struct submission *s)
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
    return accept_paper(app, rq, rp, &s);
}

/* The same paper by the claim's own route: of this claim's insurer, and nothing but a recourse. */
err
api_CLAIM_RECOURSE(void *app, struct request *rq, struct reply *rp)
{
    struct submission s = api_submission(rq, INTAKE_MOTOR);
    TRY(API_ID(claim_id, rq, 0, &s.recourse_of));
    return accept_paper(app, rq, rp, &s);
}

err
api_MOTOR_FILING_GET(void *app, struct request *rq, struct reply *rp)
{
    case_id id;
    view json, etag, token = request_header(rq, "X-Track-Token");
    struct person_caller person;
    TRY(API_ID(case_id, rq, 0, &id));
    if (token.n)
        TRY(track_caller(app, rq->caller.partner, token, rq->received, rq->mem, &person, &rq->fault));
    TRY(motor_fetch(app, rq->caller.partner, token.n ? &person : NULL, id, rq->lang, rq->received, rq->mem,
                    &json, &etag, &rq->fault));
    reply_header(rq, rp, "ETag", etag);
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}
