#include "api/api.h"

#include "base/buf.h"
#include "flow/intake/accept.h"
#include "flow/partner/auth.h"
#include "flow/view/feed.h"

struct proof
api_proof(const struct gateway *g, const struct request *rq)
{
    return (struct proof){
        .dpop = request_header(rq, "DPoP"),
        .method = rq->method,
        .url = arena_printf(rq->mem, "%.*s%.*s", VIEW_ARG(g->base_url), VIEW_ARG(rq->path)),
        .certificate = rq->caller.peer_certificate,
    };
}

static view
nonce(void *self, arena *mem)
{
    const struct gateway *g = self;
    return g->dpop ? dpop_nonce(g->dpop, clock_now(), mem) : V("");
}

static err
authenticate(void *self, const struct request *rq, view authorization, view certificate_der,
             struct caller *ret, struct fault *f)
{
    struct identity who = {0};
    struct proof proof = api_proof(self, rq);
    if (certificate_der.n)
        proof.certificate = sha256(certificate_der);
    TRY(auth_check(self, authorization, certificate_der, &proof, rq->received, rq->mem, &who, f));
    *ret = (struct caller){
        .partner = who.partner,
        .partner_kind = who.partner_kind,
        .partner_code = who.partner_code,
        .client = who.client,
        .scopes = who.scopes,
        .peer_certificate = who.peer_certificate,
        .is_person = who.is_person,
        .person = who.person,
        .session = who.session,
        .only_case = who.only_case,
        .authenticated_at = who.authenticated_at,
    };
    return E_OK;
}

static err
authenticate_track(void *self, const struct request *rq, view token, struct caller *ret, struct fault *f)
{
    struct person_caller who;
    TRY(track_caller(self, ret->partner, token, rq->received, rq->mem, &who, f));
    ret->is_track = true;
    ret->track_case = who.in_case;
    ret->track_person = who.person;
    ret->track_role = who.role;
    ret->track_steps = who.steps_only;
    return E_OK;
}

static err
admit(void *self, const struct caller *c, const struct route *r, int *ret_wait)
{
    return auth_admit(self, c->partner, r->name, clock_now(), ret_wait);
}

static void
refused(void *self, const struct request *rq, err e, int64_t bytes)
{
    const struct refused_request r = {.route = rq->route->name,
                                      .sender = rq->caller.partner,
                                      .client = rq->caller.client,
                                      .at = rq->received,
                                      .code = e,
                                      .place = view_of(rq->fault.where),
                                      .bytes = bytes};
    refusal_note(self, &r);
}

struct auth_ops
api_auth(struct gateway *g)
{
    return (struct auth_ops){.self = g,
                             .authenticate = authenticate,
                             .authenticate_track = authenticate_track,
                             .nonce = nonce,
                             .admit = admit,
                             .refused = refused};
}

err
api_TOKEN(void *app, struct request *rq, struct reply *rp)
{
    view json;
    struct proof proof = api_proof(app, rq);
    TRY(auth_token(app, rq->body, &proof, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    reply_header(rq, rp, "Pragma", V("no-cache"));
    return E_OK;
}

err
api_SMART_CONFIGURATION(void *app, struct request *rq, struct reply *rp)
{
    reply_json(rp, 200, auth_metadata(app, true, rq->mem));
    return E_OK;
}

err
api_OAUTH_SERVER(void *app, struct request *rq, struct reply *rp)
{
    reply_json(rp, 200, auth_metadata(app, false, rq->mem));
    return E_OK;
}

err
api_JWKS(void *app, struct request *rq, struct reply *rp)
{
    reply_json(rp, 200, auth_jwks(app, rq->mem));
    return E_OK;
}
