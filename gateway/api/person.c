#include "api/api.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/members.h"
#include "flow/person/application.h"
#include "flow/person/representation.h"
#include "flow/view/feed.h"

static err
filed(const struct request *rq, struct reply *rp, const struct application_out *out)
{
    api_acknowledged(rq);
    reply_json(rp, out->created ? 201 : 200, out->json);
    return E_OK;
}

static struct application_in
filing(const struct request *rq)
{
    return (struct application_in){.body = rq->body,
                                   .body_digest = rq->body_digest,
                                   .sender = rq->caller.partner,
                                   .client = rq->caller.client,
                                   .received = rq->received,
                                   .by_person = rq->caller.is_person,
                                   .person = rq->caller.person};
}

err
api_APPLICATION_CREATE(void *app, struct request *rq, struct reply *rp)
{
    struct application_in in = filing(rq);
    struct application_out out = {0};
    TRY(application_accept(app, &in, rq->mem, &out, &rq->fault));
    return filed(rq, rp, &out);
}

err
api_PERMISSION_CREATE(void *app, struct request *rq, struct reply *rp)
{
    struct application_in in = filing(rq);
    struct application_out out = {0};
    TRY(permission_accept(app, &in, rq->mem, &out, &rq->fault));
    return filed(rq, rp, &out);
}

err
api_REPRESENTATION_CREATE(void *app, struct request *rq, struct reply *rp)
{
    struct application_in in = filing(rq);
    struct application_out out = {0};
    TRY(representation_accept(app, &in, rq->mem, &out, &rq->fault));
    return filed(rq, rp, &out);
}

err
api_REPRESENTATION_END(void *app, struct request *rq, struct reply *rp)
{
    if (!rq->caller.is_person)
        return fault_set(&rq->fault, E_LOGIN, "Authorization", "the token of a person who logged in",
                         "a client's own");
    TRY(representation_end(app, &rq->caller.person, rq->params[0], rq->received, rq->mem, &rq->fault));
    rp->status = 204;
    return E_OK;
}

err
api_PERMISSION_WITHDRAW(void *app, struct request *rq, struct reply *rp)
{
    perm_id id;
    view json;
    TRY(API_ID(perm_id, rq, 0, &id));
    const struct caller *c = &rq->caller;
    TRY(permission_withdraw(app, id, rq->body, c->partner, c->is_person ? &c->person : NULL, rq->received,
                            rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

/* Who logged in here says by `case` which of his cases he means; a code or session has its own. */
static err
person_of(void *app, struct request *rq, struct person_caller *ret)
{
    static const char *const names[] = {"case", NULL};
    const struct caller *c = &rq->caller;
    TRY(request_query_only(rq, names));
    if (c->is_person)
        return track_person(app, &c->person, c->only_case, request_query(rq, "case"), rq->received, rq->mem,
                            ret, &rq->fault);
    *ret = (struct person_caller){c->track_case, c->track_person, c->track_role, c->track_steps};
    return E_OK;
}

err
api_PERMISSION_LIST(void *app, struct request *rq, struct reply *rp)
{
    struct person_caller who;
    view json;
    TRY(person_of(app, rq, &who));
    TRY(track_permissions(app, &who, rq->lang, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_TRACK_GET(void *app, struct request *rq, struct reply *rp)
{
    struct person_caller who;
    view json;
    TRY(person_of(app, rq, &who));
    TRY(track_view(app, &who, rq->lang, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}
