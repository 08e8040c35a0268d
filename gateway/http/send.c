#include "http/conn.h"

static void
add(struct MHD_Response *response, const char *name, const char *value)
{
    /* The library refuses values with line ends; such a header is dropped, the reply goes out. */
    (void)MHD_add_response_header(response, name, value);
}

static bool
has_header(const struct reply *rp, const char *name)
{
    for (const struct reply_header *h = rp->headers; h; h = h->next) {
        if (view_eq_nocase(view_of(h->name), view_of(name)))
            return true;
    }
    return false;
}

/* Only what anybody may read without credentials may be kept by a cache. */
static bool
may_be_cached(const struct connection *c)
{
    const struct route *route = c->rq.route;
    return route && route->flags & ROUTE_OPEN && route->method == METHOD_GET && c->reply.status < 400;
}

static void
add_headers(const struct connection *c, struct MHD_Response *response)
{
    const struct reply *rp = &c->reply;
    if (rp->media && rp->body.n > 0)
        add(response, "Content-Type", rp->media);
    for (const struct reply_header *h = rp->headers; h; h = h->next)
        add(response, h->name, h->value.p);
    if (!may_be_cached(c) && !has_header(rp, "Cache-Control"))
        add(response, "Cache-Control", "no-store");
    add(response, "X-Request-Id", c->request_text);
    add(response, "X-Content-Type-Options", "nosniff");
    if (c->must_close || atomic_load(&c->server->draining))
        add(response, "Connection", "close");
}

/* The body stays where it is (arena, buffer or constant) until connection_completed. */
enum MHD_Result
send_reply(struct connection *c)
{
    struct reply *rp = &c->reply;
    if (rp->status == 204 || rp->status == 304)
        rp->body = VIEW_NONE; /* has none by RFC 9110; bytes would be read as the next reply */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(rp->body.n, (void *)(uintptr_t)rp->body.p, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    add_headers(c, response);
    unsigned status = rp->status >= 100 && rp->status <= 599 ? (unsigned)rp->status : 500;
    enum MHD_Result result = MHD_queue_response(c->mhd, status, response);
    MHD_destroy_response(response);
    c->stage = STAGE_DONE;
    observe_reply(c);
    return result;
}
