#include "net/net.h"

#include "net/transfer.h"

err
net_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? E_OK : E_INTERNAL;
}

void
net_stop(void)
{
    curl_global_cleanup();
}

static err
keep_views(struct net_reply *reply, arena *mem, struct fault *f)
{
    view body = arena_dup(mem, reply->body);
    if (reply->body.n > 0 && !body.p)
        return fault_set(f, E_TOO_LARGE, "reply", "a reply that fits in memory", "a longer one");
    reply->body = body;
    reply->media_type = arena_dup(mem, reply->media_type);
    return E_OK;
}

static err
run(struct transfer *t, const struct net_policy *p, const struct net_request *rq, struct net_reply *ret,
    struct fault *f)
{
    TRY(transfer_prepare(t, p, rq, f));
    return transfer_finish(t, curl_easy_perform(t->easy), ret, f);
}

err
net_fetch(const struct net_policy *p, const struct net_request *rq, arena *mem, struct net_reply *ret,
          struct fault *f)
{
    struct transfer *t = NULL;
    struct net_reply reply = {.retry_after = -1, .max_age = -1};
    TRY(transfer_new(&t));
    err e = run(t, p, rq, &reply, f);
    if (e == E_OK)
        e = keep_views(&reply, mem, f);
    if (e != E_OK) { /* the other views die with the transfer */
        reply.body = reply.media_type = VIEW_NONE;
        reply.status = 0;
    }
    transfer_free(t);
    *ret = reply;
    return e;
}
