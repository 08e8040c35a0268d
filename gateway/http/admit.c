/* What is decided on the head alone: route, caller, scope, quota, and whether the body may come.  So a body
 * that nobody asked for never crosses the wire: the library sends 100 Continue only behind this. */
#include "http/conn.h"

#include "base/metrics.h"
#include "base/scope.h"
#include "base/text.h"

static err
find_route(struct connection *c)
{
    struct path path;
    struct match match;
    if (c->guard.is_asterisk) {
        c->allowed = (1U << METHOD_COUNT) - 1;
        return E_OK;
    }
    TRY(path_split(c->guard.path, c->mem, &path, &c->rq.fault));
    err e = router_find(&path, c->method, &match);
    c->allowed = match.methods;
    c->rq.route = match.route;
    memcpy(c->rq.params, match.params, sizeof c->rq.params);
    /* The answer to a wrong path or method has the form of the surface that was meant. */
    if (e == E_METHOD && c->method == METHOD_OPTIONS)
        return E_OK;
    return e;
}

static err
check_scope(struct connection *c)
{
    if (scopes_grant(c->rq.caller.scopes, view_of(c->rq.route->scope)))
        return E_OK;
    metric_add(METRIC_DENIED, "scope", 1);
    return fault_set(&c->rq.fault, E_SCOPE, "scope", c->rq.route->scope, "other scopes");
}

/* The token of a person counts on routes for persons only, and where it matters only while the login is fresh (RFC 9470). */
static err
check_person(struct connection *c, const struct caller *caller)
{
    unsigned flags = c->rq.route->flags;
    if (!caller->is_person)
        return E_OK;
    if (!(flags & ROUTE_PERSON))
        return fault_set(&c->rq.fault, E_SCOPE, "Authorization", "the client's own token", "a person's");
    if (flags & ROUTE_STEP_UP && instant_since(c->rq.received, caller->authenticated_at).us > STEP_UP_AGE.us)
        return fault_set(&c->rq.fault, E_STEP_UP, "Authorization", "a login of the last 300 s",
                         "an older one");
    return E_OK;
}

/* Whoever proves possession of a key gets a nonce for the next proof, with refusals too. */
static void
give_nonce(struct connection *c, const struct caller *caller)
{
    const struct auth_ops *auth = c->server->options.auth;
    if (auth->nonce && (caller->is_person || c->guard.known[HEADER_DPOP].p ||
                        view_starts(c->guard.known[HEADER_AUTHORIZATION], V("DPoP "))))
        reply_header(&c->rq, &c->reply, "DPoP-Nonce", auth->nonce(auth->self, c->mem));
}

/* A person shows a token; who also brings credentials is the app that the person uses, and needs the route's scope. */
static err
find_person(struct connection *c, view certificate, struct caller *caller)
{
    const struct auth_ops *auth = c->server->options.auth;
    view authorization = c->guard.known[HEADER_AUTHORIZATION];
    struct fault *f = &c->rq.fault;
    if (authorization.n || certificate.n) {
        TRY(auth->authenticate(auth->self, &c->rq, authorization, certificate, caller, f));
        c->rq.caller = *caller;
        TRY(check_scope(c));
        if (caller->is_person)
            return E_OK;
    }
    return auth->authenticate_track(auth->self, &c->rq, c->guard.known[HEADER_TRACK_TOKEN], caller, f);
}

static err
authenticate(struct connection *c, view certificate, struct caller *caller)
{
    const struct auth_ops *auth = c->server->options.auth;
    unsigned flags = c->rq.route->flags;
    if (flags & ROUTE_TRACK)
        return find_person(c, certificate, caller);
    return flags & ROUTE_OPEN ? E_OK
                              : auth->authenticate(auth->self, &c->rq, c->guard.known[HEADER_AUTHORIZATION],
                                                   certificate, caller, &c->rq.fault);
}

static err
find_caller(struct connection *c, view certificate)
{
    const struct auth_ops *auth = c->server->options.auth;
    const struct route *route = c->rq.route;
    struct caller caller = {.is_track = false};
    err known = authenticate(c, certificate, &caller);
    give_nonce(c, &caller);
    TRY(known);
    TRY(check_person(c, &caller));
    if (certificate.n > 0)
        caller.peer_certificate = c->peer.fingerprint;
    c->rq.caller = caller;
    if (route->flags & ROUTE_OPEN)
        return E_OK;
    if (!(route->flags & ROUTE_TRACK))
        TRY(check_scope(c));
    int wait = 0;
    err e = auth->admit(auth->self, &caller, route, &wait);
    if (e != E_OK)
        c->retry_after = wait > 0 ? wait : 1;
    return e;
}

static bool
is_key(view key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
              c == '_'))
            return false;
    }
    return key.n >= 16 && key.n <= 64;
}

static err
check_conditions(struct connection *c)
{
    unsigned flags = c->rq.route->flags;
    struct fault *f = &c->rq.fault;
    if (flags & ROUTE_IDEMPOTENT && !is_key(request_idempotency_key(&c->rq)))
        return fault_set(f, E_IDEMPOTENCY_MISSING, "idempotency-key", "16 to 64 letters, digits, - and _",
                         c->guard.known[HEADER_IDEMPOTENCY_KEY].p ? "another form" : "none");
    if (flags & ROUTE_IF_MATCH && c->guard.known[HEADER_IF_MATCH].n == 0)
        return fault_set(f, E_PRECONDITION_REQUIRED, "if-match", "the ETag of the resource", "none");
    return E_OK;
}

/* Reading and tokens go on until the end; what would be stored is sent to another process. */
static bool
is_turned_away(const struct connection *c)
{
    return atomic_load(&c->server->draining) && c->rq.route->method != METHOD_GET &&
           c->rq.route->surface != SURFACE_AUTH;
}

static err
admit_body(struct connection *c)
{
    const struct route *route = c->rq.route;
    TRY(body_check_head(&c->guard, route, &c->media, &c->has_body, &c->rq.fault));
    if (!c->has_body)
        return E_OK;
    int64_t wanted = c->guard.is_chunked ? (int64_t)route->ceiling : (int64_t)c->guard.length;
    if (!budget_take(&c->server->budget, wanted)) {
        c->has_body = false;
        return fault_set(&c->rq.fault, E_BUSY, "", "room in the byte budget of all bodies", "none");
    }
    c->reserved = wanted;
    c->body.ceiling = route->ceiling;
    c->rq.media_type = (view){c->media.text, c->media.n};
    if (!c->guard.is_chunked && !buf_reserve(&c->body, (size_t)c->guard.length))
        return E_TOO_LARGE;
    return E_OK;
}

err
body_refused(struct connection *c, err e, int64_t bytes)
{
    const struct auth_ops *auth = c->server->options.auth;
    bool is_known = !uid_is_none(c->rq.caller.partner.u);
    if (e != E_OK && auth->refused && is_known && err_info(e)->status < 500)
        auth->refused(auth->self, &c->rq, e, bytes);
    return e;
}

err
admit_request(struct connection *c)
{
    view certificate = VIEW_NONE;
    TRY(find_route(c));
    if (!c->rq.route)
        return E_OK; /* OPTIONS */
    if (is_turned_away(c))
        return E_DRAINING;
    TRY(peer_find(c, &certificate, &c->rq.fault));
    TRY(find_caller(c, certificate));
    TRY(check_conditions(c));
    return body_refused(c, admit_body(c), (int64_t)c->guard.length);
}
