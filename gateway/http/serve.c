/* The life of one request, as the library's callback sees it: head, body in pieces, end. */
#include "http/conn.h"

static enum MHD_Result
add_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
           size_t value_n)
{
    (void)kind;
    guard_header(cls, (view){name, name_n}, (view){value, value_n});
    return MHD_YES;
}

static size_t
header_bytes(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static err
guard_head(struct connection *c, view path, view method, view version)
{
    const char *proxy = c->server->options.proxy_cert_header;
    guard_init(&c->guard, c->server->is_unix ? view_of(proxy) : VIEW_NONE, &c->rq.fault);
    guard_line(&c->guard, method, path, c->target_bytes, version);
    if (c->server->has_layout_rule)
        guard_layout(&c->guard, method, path, c->target_bytes, version);
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, add_header, &c->guard);
    c->method = c->guard.method;
    return guard_end(&c->guard, header_bytes(c->mhd));
}

static void
answer_options(struct connection *c)
{
    c->reply.status = 204;
    reply_header(&c->rq, &c->reply, "Allow", router_allow(c->allowed, c->mem));
}

static void
refuse(struct connection *c, err e)
{
    c->outcome = e;
    reply_error(&c->rq, &c->reply, e);
}

/* A small body that is already on its way is read and dropped: closing at once would reset the connection and
 * take the answer with it.  Who waits for 100 Continue, sends chunks or much is answered at once and cut
 * off. */
static enum MHD_Result
refuse_head(struct connection *c, err e, bool is_framing_bad)
{
    refuse(c, e);
    bool has_body = c->guard.is_chunked || c->guard.length > 0;
    c->must_close = is_framing_bad || has_body;
    bool is_small = !c->guard.is_chunked && c->guard.length <= DISCARD_MAX;
    if (has_body && is_small && !is_framing_bad && !c->guard.expects_continue) {
        c->must_close = false;
        c->stage = STAGE_DISCARD;
        return MHD_YES;
    }
    return send_reply(c);
}

static enum MHD_Result
begin(struct connection *c, view path, view method, view version)
{
    err e = guard_head(c, path, method, version);
    request_read_head(c);
    c->rq.path = c->guard.path;
    c->rq.method = method;
    if (e != E_OK) {
        observe_refusal(c, e);
        return refuse_head(c, e, true);
    }
    e = admit_request(c);
    if (e != E_OK)
        return refuse_head(c, e, false);
    c->stage = STAGE_BODY;
    return MHD_YES;
}

/* False: cut the connection. */
static bool
take_bytes(struct connection *c, view bytes)
{
    if (c->stage != STAGE_BODY || c->is_overflown || c->body.n + bytes.n > c->rq.route->ceiling) {
        c->is_overflown = true;
        c->dropped += bytes.n;
        return c->dropped <= OVERFLOW_MAX;
    }
    buf_add_view(&c->body, bytes);
    return true;
}

static err
finish_body(struct connection *c)
{
    view stated = c->guard.known[HEADER_CONTENT_DIGEST];
    if (!c->has_body && !stated.p)
        return E_OK;
    if (c->is_overflown || c->body.failed) {
        c->must_close = true;
        return fault_set(&c->rq.fault, E_TOO_LARGE, "", "a body within the route's ceiling", "a longer one");
    }
    c->rq.body = buf_view(&c->body);
    c->rq.body_digest = sha256(c->rq.body);
    budget_give(&c->server->budget, c->reserved - (int64_t)c->body.n);
    c->reserved = (int64_t)c->body.n;
    return body_check_digest(stated, &c->rq.body_digest, &c->rq.fault);
}

static err
run_handler(struct connection *c)
{
    const struct http_options *o = &c->server->options;
    handler run = o->handlers[c->rq.route->id];
    TRY(body_refused(c, finish_body(c), (int64_t)c->body.n));
    return run ? run(o->app, &c->rq, &c->reply) : E_INTERNAL;
}

void
serve_partial(struct connection *c)
{
    const struct route *route = c->rq.route;
    if (c->stage != STAGE_BODY || !route || !(route->flags & ROUTE_PARTIAL) || c->is_overflown ||
        c->body.failed || c->body.n == 0)
        return;
    const struct http_options *o = &c->server->options;
    c->rq.body = buf_view(&c->body);
    c->rq.body_digest = sha256(c->rq.body);
    c->rq.is_partial = true;
    c->outcome = o->handlers[route->id](o->app, &c->rq, &c->reply);
}

static enum MHD_Result
finish(struct connection *c)
{
    if (c->stage == STAGE_BODY && !c->rq.route)
        answer_options(c);
    else if (c->stage == STAGE_BODY) {
        err e = run_handler(c);
        if (e != E_OK)
            refuse(c, e);
    }
    return send_reply(c);
}

static enum MHD_Result
answer_without_slot(struct MHD_Connection *mhd)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Retry-After", "1");
    MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(mhd, 503, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result
serve_request(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
              const char *version, const char *upload, size_t *upload_n, void **request)
{
    (void)cls;
    struct connection *c = *request;
    if (!c)
        return answer_without_slot(mhd);
    if (c->stage == STAGE_HEAD)
        return begin(c, view_of(path), view_of(method), view_of(version));
    if (*upload_n > 0) {
        bool go_on = take_bytes(c, (view){upload, *upload_n});
        *upload_n = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    return c->stage == STAGE_DONE ? MHD_YES : finish(c);
}
