#include "net/transfer.h"

#include <stdlib.h>

#define DEFAULT_CONNECTIONS 64
#define DEFAULT_PER_HOST 4
#define POLL_MS_MAX 60000

struct net_pool {
    CURLM *multi;
    struct net_policy policy;
    struct transfer *free;
    struct transfer *busy; /* doubly linked through next and slot */
    size_t n_busy;
    bool is_closing;
};

err
net_pool_new(const struct net_pool_options *o, struct net_pool **ret)
{
    struct net_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        abort(); /* a size of ours */
    pool->policy = o->policy;
    pool->multi = curl_multi_init();
    if (!pool->multi) {
        free(pool);
        return E_INTERNAL;
    }
    long connections = o->connections > 0 ? o->connections : DEFAULT_CONNECTIONS;
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)(o->per_host > 0 ? o->per_host : DEFAULT_PER_HOST));
    *ret = pool;
    return E_OK;
}

static void
link_busy(struct net_pool *pool, struct transfer *t)
{
    t->next = pool->busy;
    t->slot = &pool->busy;
    if (t->next)
        t->next->slot = &t->next;
    pool->busy = t;
    pool->n_busy++;
}

static void
unlink_busy(struct net_pool *pool, struct transfer *t)
{
    *t->slot = t->next;
    if (t->next)
        t->next->slot = t->slot;
    pool->n_busy--;
}

static err
take_transfer(struct net_pool *pool, struct transfer **ret)
{
    struct transfer *t = pool->free;
    if (!t)
        return transfer_new(ret);
    pool->free = t->next;
    *ret = t;
    return E_OK;
}

static void
give_transfer(struct net_pool *pool, struct transfer *t)
{
    transfer_clear(t);
    t->next = pool->free;
    pool->free = t;
}

err
net_pool_add(struct net_pool *pool, const struct net_request *rq, net_done done, void *user, struct fault *f)
{
    struct transfer *t = NULL;
    if (pool->is_closing)
        return fault_set(f, E_NETWORK, "pool", "a pool that is open", "one that closes");
    TRY(take_transfer(pool, &t));
    err e = transfer_prepare(t, &pool->policy, rq, f);
    if (e == E_OK && curl_multi_add_handle(pool->multi, t->easy) != CURLM_OK)
        e = E_INTERNAL;
    if (e != E_OK) {
        give_transfer(pool, t);
        return e;
    }
    t->done = done;
    t->user = user;
    link_busy(pool, t);
    return E_OK;
}

/* The transfer goes back only after the callback, which reads its buffers and may add requests. */
static void
end_transfer(struct net_pool *pool, struct transfer *t, CURLcode code)
{
    struct net_reply reply;
    struct fault f;
    fault_init(&f);
    unlink_busy(pool, t);
    err e = transfer_finish(t, code, &reply, &f);
    curl_multi_remove_handle(pool->multi, t->easy);
    t->done(t->user, e, &reply, &f);
    give_transfer(pool, t);
}

static size_t
collect(struct net_pool *pool)
{
    size_t n = 0;
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        char *t = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        end_transfer(pool, (struct transfer *)(void *)t, code);
        n++;
    }
    return n;
}

size_t
net_pool_poll(struct net_pool *pool, span longest)
{
    int running = 0;
    int64_t ms = longest.us / 1000;
    curl_multi_perform(pool->multi, &running);
    if (collect(pool) > 0 || longest.us <= 0)
        return pool->n_busy;
    curl_multi_poll(pool->multi, NULL, 0, (int)(ms < POLL_MS_MAX ? ms : POLL_MS_MAX), NULL);
    curl_multi_perform(pool->multi, &running);
    collect(pool);
    return pool->n_busy;
}

void
net_pool_wakeup(struct net_pool *pool)
{
    curl_multi_wakeup(pool->multi);
}

void
net_pool_free(struct net_pool *pool)
{
    if (!pool)
        return;
    pool->is_closing = true;
    while (pool->busy)
        end_transfer(pool, pool->busy, CURLE_ABORTED_BY_CALLBACK);
    for (struct transfer *t = pool->free; t;) {
        struct transfer *next = t->next;
        transfer_free(t);
        t = next;
    }
    curl_multi_cleanup(pool->multi);
    free(pool);
}
