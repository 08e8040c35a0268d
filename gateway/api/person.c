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

static view
form_value(const struct request *rq, const char *name)
{
    for (view rest = rq->body; rest.n;) {
        view pair = view_cut(&rest, '&', NULL);
        view key = view_cut(&pair, '=', NULL);
        if (view_eq(key, view_of(name)))
            return pair;
    }
    return V("");
}

err
api_TRACK_SESSION(void *app, struct request *rq, struct reply *rp)
{
    view code, birth, json;
    if (view_find(rq->media_type, V("json")) < rq->media_type.n) {
        static const char *const known[] = {"s:code", "s:birth_date", NULL};
        json_t *body = NULL;
        TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
        TRY(members_only(body, known, &rq->fault));
        code = json_text(body, "code");
        birth = json_text(body, "birth_date");
    } else {
        code = form_value(rq, "code");
        birth = form_value(rq, "birth_date");
    }
    TRY(track_session(app, code, birth, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

/* The page is a form that a script fills from the link's fragment; the person can also type (DECISIONS "Security"). */
static const char track_page[] =
    "<!doctype html><html lang=\"zh-Hant-TW\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\">"
    "<meta name=\"robots\" content=\"noindex\"><title>理賠進度查詢 Claim progress</title></head><body><main>"
    "<h1>理賠進度查詢</h1><p lang=\"en\">Claim progress</p>"
    "<form method=\"post\" action=\"/t/session\"><p><label for=\"code\">查詢碼 <span "
    "lang=\"en\">Code</span></label><br>"
    "<input id=\"code\" name=\"code\" autocomplete=\"off\" required></p>"
    "<p><label for=\"birth_date\">出生日期 <span lang=\"en\">Date of birth</span> (YYYY-MM-DD)</label><br>"
    "<input id=\"birth_date\" name=\"birth_date\" inputmode=\"numeric\" required "
    "pattern=\"[0-9]{4}-[0-9]{2}-[0-9]{2}\"></p>"
    "<p><button type=\"submit\">查詢 <span lang=\"en\">Look "
    "up</span></button></p></form></main></body></html>\n";

err
api_TRACK_PAGE(void *app, struct request *rq, struct reply *rp)
{
    (void)app;
    rp->status = 200;
    rp->media = "text/html; charset=utf-8";
    rp->body = view_make(track_page, sizeof track_page - 1);
    reply_header(rq, rp, "Content-Security-Policy",
                 V("default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"));
    reply_header(rq, rp, "Referrer-Policy", V("no-referrer"));
    return E_OK;
}
