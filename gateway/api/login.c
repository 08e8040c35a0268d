/* The login's doors: the app's pushed request, the browser's page, the person's list of sessions. */
#include "flow/login/login.h"
#include "api/api.h"

#include "flow/person/alert.h"
#include "flow/view/feed.h"

#define COOKIE "__Host-claimgate-login"

err
api_PUSH_REQUEST(void *app, struct request *rq, struct reply *rp)
{
    struct proof proof = api_proof(app, rq);
    view json;
    TRY(login_push(app, rq->body, &proof, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 201, json);
    return E_OK;
}

err
api_TOKEN_REVOKE(void *app, struct request *rq, struct reply *rp)
{
    TRY(login_revoke(app, rq->body, rq->received, rq->mem, &rq->fault));
    reply_json(rp, 200, V("{}"));
    return E_OK;
}

/* ---- pages ---- */

static view
cookie_of(const struct request *rq)
{
    view all = request_header(rq, "Cookie");
    while (all.n) {
        view one = view_trim(view_cut(&all, ';', NULL));
        if (view_starts(one, V(COOKIE "=")))
            return view_sub(one, sizeof COOKIE, one.n);
    }
    return VIEW_NONE;
}

static void
add_safety(struct request *rq, struct reply *rp)
{
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_header(rq, rp, "Referrer-Policy", V("no-referrer"));
    reply_header(rq, rp, "X-Frame-Options", V("DENY"));
    reply_header(rq, rp, "Cross-Origin-Opener-Policy", V("same-origin"));
}

/* 303: a browser goes on with GET, so that what was typed is not sent there. */
static err
go(struct request *rq, struct reply *rp, view location)
{
    add_safety(rq, rp);
    reply_header(rq, rp, "Location", location);
    reply_header(rq, rp, "Content-Security-Policy", V("default-src 'none'; frame-ancestors 'none'"));
    rp->status = 303;
    rp->media = "text/html; charset=utf-8";
    rp->body = V("<!doctype html><title>303</title>");
    return E_OK;
}

static err
show(struct gateway *g, struct request *rq, struct reply *rp, err why)
{
    struct login_page page;
    TRY(login_show(g, cookie_of(rq), why, rq->received, rq->mem, &page, &rq->fault));
    add_safety(rq, rp);
    reply_header(rq, rp, "Content-Security-Policy", page.policy);
    rp->status = why == E_OK ? 200 : err_info(why)->status;
    rp->media = "text/html; charset=utf-8";
    rp->body = page.html;
    return E_OK;
}

err
api_AUTHORIZE(void *app, struct request *rq, struct reply *rp)
{
    view cookie, request_uri = request_query(rq, "request_uri"), client = request_query(rq, "client_id");
    TRY(login_open(app, client, request_uri, rq->received, rq->mem, &cookie, &rq->fault));
    reply_header(rq, rp, "Set-Cookie",
                 arena_printf(rq->mem, COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
                              VIEW_ARG(cookie)));
    return go(rq, rp, V("/login"));
}

err
api_LOGIN_PAGE(void *app, struct request *rq, struct reply *rp)
{
    return show(app, rq, rp, E_OK);
}

/* A failed try leaves the login open, and the page says why; a login that is over does not come back. */
static bool
is_again(err e)
{
    return e != E_OK && e != E_LOGIN_STATE && e != E_OAUTH_REQUEST && err_info(e)->status < 500;
}

err
api_LOGIN_SUBMIT(void *app, struct request *rq, struct reply *rp)
{
    view location;
    err e = login_submit(app, cookie_of(rq), rq->body, rq->received, rq->mem, &location, &rq->fault);
    if (is_again(e))
        return show(app, rq, rp, e);
    TRY(e);
    return go(rq, rp, location.n ? location : V("/login"));
}

err
api_LOGIN_RETURN(void *app, struct request *rq, struct reply *rp)
{
    view location;
    err e = login_return(app, cookie_of(rq), request_query(rq, "response_code"), rq->received, rq->mem,
                         &location, &rq->fault);
    if (is_again(e))
        return show(app, rq, rp, e);
    TRY(e);
    if (location.n)
        return go(rq, rp, location);
    reply_header(rq, rp, "Refresh", V("1")); /* the issuer's status lists are being asked */
    return show(app, rq, rp, E_OK);
}

/* ---- the person ---- */

static err
person_of(struct request *rq, struct person_identity *ret)
{
    const struct caller *c = &rq->caller;
    if (!c->is_person)
        return fault_set(&rq->fault, E_LOGIN, "Authorization", "the token of a person who logged in",
                         "a client's own");
    *ret = (struct person_identity){.partner = c->partner,
                                    .person = c->person,
                                    .session = c->session,
                                    .scopes = c->scopes,
                                    .only_case = c->only_case,
                                    .authenticated_at = c->authenticated_at};
    return E_OK;
}

err
api_PERSON_GET(void *app, struct request *rq, struct reply *rp)
{
    struct person_identity who;
    view json;
    TRY(person_of(rq, &who));
    TRY(login_person(app, &who, rq->lang, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_ALERT_ANSWER(void *app, struct request *rq, struct reply *rp)
{
    struct person_identity who;
    view json;
    TRY(person_of(rq, &who));
    TRY(alert_answer(app, &who.person, rq->params[0], rq->body, who.partner, rq->received, rq->mem, &json,
                     &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_SESSION_END(void *app, struct request *rq, struct reply *rp)
{
    struct person_identity who;
    TRY(person_of(rq, &who));
    TRY(login_end(app, &who, rq->params[0], rq->received, rq->mem, &rq->fault));
    rp->status = 204;
    return E_OK;
}

err
api_TRACK_DOCUMENT(void *app, struct request *rq, struct reply *rp)
{
    struct person_identity who;
    struct original original = {0};
    doc_id id;
    TRY(person_of(rq, &who));
    TRY(API_ID(doc_id, rq, 0, &id));
    TRY(track_document(app, &who.person, who.only_case, id, rq->received, rq->mem, &original, &rq->fault));
    rp->status = 200;
    rp->media = arena_cstr(rq->mem, original.media);
    rp->body = original.bytes;
    if (original.jws_header.n)
        reply_header(rq, rp, "X-JWS-Signature", original.jws_header);
    if (original.cms_header.n)
        reply_header(rq, rp, "AUTH", original.cms_header);
    return rp->media ? E_OK : E_TOO_LARGE;
}
