#include "base/page.h"
#include "http/conn.h"
#include "http/error_body.h"

void
reply_header(struct request *rq, struct reply *rp, const char *name, view value)
{
    struct reply_header *header = arena_make(rq->mem, struct reply_header);
    if (!header)
        return;
    *header = (struct reply_header){.name = name, .value = arena_dup(rq->mem, value), .next = rp->headers};
    if (header->value.p)
        rp->headers = header;
}

void
reply_json(struct reply *rp, int status, view body)
{
    rp->status = status;
    rp->media = "application/json";
    rp->body = body;
}

static bool
is_set(const struct reply *rp, const char *name)
{
    for (const struct reply_header *h = rp->headers; h; h = h->next) {
        if (view_eq_nocase(view_of(h->name), view_of(name)))
            return true;
    }
    return false;
}

/* Seconds for Retry-After by cause, where nobody knows better. */
static int
default_wait(err e)
{
    switch (e) {
    case E_DRAINING:
    case E_STORE:
        return 5;
    case E_TIME_OVERDUE:
        return 60;
    default:
        return 1;
    }
}

static void
add_wait(struct request *rq, struct reply *rp, err e)
{
    const struct connection *c = rq->connection;
    int status = err_info(e)->status;
    if ((status != 429 && status != 503) || is_set(rp, "Retry-After"))
        return;
    int wait = c && c->retry_after > 0 ? c->retry_after : default_wait(e);
    reply_header(rq, rp, "Retry-After", arena_printf(rq->mem, "%d", wait));
}

#define DPOP_ALGS ", algs=\"ES256 ES384 PS256 Ed25519 EdDSA\""

/* RFC 6750 3, RFC 9449 7.1, RFC 9470 3: which error word belongs to the refusal; none when no credentials came. */
static void
add_challenge(struct request *rq, struct reply *rp, err e)
{
    switch (e) {
    case E_TOKEN:
    case E_TOKEN_EXPIRED:
    case E_TOKEN_BINDING:
        reply_header(rq, rp, "WWW-Authenticate", V("Bearer realm=\"claimgate\", error=\"invalid_token\""));
        return;
    case E_SCOPE:
        reply_header(rq, rp, "WWW-Authenticate",
                     arena_printf(rq->mem,
                                  "Bearer realm=\"claimgate\", error=\"insufficient_scope\", scope=\"%s\"",
                                  rq->route ? rq->route->scope : ""));
        return;
    case E_DPOP:
    case E_DPOP_NONCE:
        reply_header(rq, rp, "WWW-Authenticate",
                     e == E_DPOP ? V("DPoP realm=\"claimgate\", error=\"invalid_dpop_proof\"" DPOP_ALGS)
                                 : V("DPoP realm=\"claimgate\", error=\"use_dpop_nonce\"" DPOP_ALGS));
        return;
    case E_STEP_UP:
        reply_header(
            rq, rp, "WWW-Authenticate",
            V("DPoP realm=\"claimgate\", error=\"insufficient_user_authentication\", max_age=300" DPOP_ALGS));
        return;
    case E_SESSION_ENDED:
        reply_header(rq, rp, "WWW-Authenticate",
                     V("DPoP realm=\"claimgate\", error=\"invalid_token\"" DPOP_ALGS));
        return;
    default:
        if (err_info(e)->status == 401)
            reply_header(rq, rp, "WWW-Authenticate", V("Bearer realm=\"claimgate\""));
    }
}

static enum surface
surface_of(const struct request *rq)
{
    const struct connection *c = rq->connection;
    if (rq->route)
        return rq->route->surface;
    return c && view_starts(c->guard.path, V("/fhir/")) ? SURFACE_FHIR : SURFACE_PLAIN;
}

static void
add_error_headers(struct request *rq, struct reply *rp, err e)
{
    const struct connection *c = rq->connection;
    add_wait(rq, rp, e);
    add_challenge(rq, rp, e);
    if (c && e == E_METHOD)
        reply_header(rq, rp, "Allow", router_allow(c->allowed, rq->mem));
    if (rq->route && err_info(e)->status == 415)
        reply_header(rq, rp, "Accept-Post", view_of(router_accepts(rq->route->media)));
    if (surface_of(rq) == SURFACE_PAGE)
        reply_header(rq, rp, "Content-Security-Policy", page_policy(V(""), rq->mem));
    reply_header(rq, rp, "Content-Language", rq->lang == LANG_ZH ? V("zh-TW") : V("en"));
}

void
reply_error(struct request *rq, struct reply *rp, err e)
{
    struct connection *c = rq->connection;
    struct buf own;
    struct buf *out = &own;
    if (e == E_OK || e >= ERR_COUNT || err_info(e)->status < 400)
        e = E_INTERNAL; /* a finding never refuses */
    if (c) {
        c->outcome = e;
        out = &c->out;
        buf_clear(out);
    } else
        buf_init(out, ERROR_BODY_MAX);
    enum surface surface = surface_of(rq);
    rp->status = err_info(e)->status;
    rp->media = error_body(rq, e, surface, out);
    rp->body = c ? buf_view(out) : arena_dup(rq->mem, buf_view(out));
    if (!c)
        buf_done(out);
    add_error_headers(rq, rp, e);
}
