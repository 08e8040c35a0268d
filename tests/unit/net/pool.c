#include "kit.h"

static struct server server;
static arena *mem;
static struct net_pool *pool;

struct seen {
    int calls, ok, failed;
    err last;
    int status;
    bool was_sent;
    char body[64];
};

static void
note(void *user, err e, const struct net_reply *reply, const struct fault *f)
{
    struct seen *seen = user;
    seen->calls++;
    seen->ok += e == E_OK;
    seen->failed += e != E_OK;
    seen->last = e;
    seen->status = reply->status;
    seen->was_sent = reply->was_sent;
    cr_expect_eq(f->code, e);
    snprintf(seen->body, sizeof seen->body, "%.*s", VIEW_ARG(reply->body));
}

static void
start(struct net_pool_options o)
{
    cr_assert_eq(net_start(), E_OK);
    mem = arena_new(1 << 22);
    server_start(&server, NULL);
    o.policy.allow_private = true;
    cr_assert_eq(net_pool_new(&o, &pool), E_OK);
}

static void
stop(void)
{
    net_pool_free(pool);
    server_stop(&server);
    arena_free(mem);
    net_stop();
}

static err
add(const char *path, struct seen *seen)
{
    struct fault f;
    fault_init(&f);
    struct net_request rq = {
        .method = "POST", .url = url_of(&server, path, mem), .body = V("hello"), .limit = SPAN_SECONDS(20)};
    return net_pool_add(pool, &rq, note, seen, &f);
}

static void
run(void)
{
    while (net_pool_poll(pool, SPAN_SECONDS(1)) > 0)
        continue;
}

Test(pool, many_at_a_time)
{
    start((struct net_pool_options){0});
    struct seen seen[50] = {{0}};
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        cr_assert_eq(add("/echo", &seen[i]), E_OK);
    run();
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        cr_expect(seen[i].calls == 1 && seen[i].ok == 1 && seen[i].status == 200, "%zu", i);
        cr_expect_str_eq(seen[i].body, "hello");
    }
    cr_expect_eq(server.requests, 50);
    cr_expect_leq(server.connections, 4, "kept open and used again: %d", server.connections);
    stop();
}

Test(pool, one_slow_does_not_hold_the_others)
{
    start((struct net_pool_options){.per_host = 8});
    struct seen slow = {0}, fast = {0};
    cr_assert_eq(add("/hang", &slow), E_OK);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(add("/ok", &fast), E_OK);
    while (fast.calls < 20)
        net_pool_poll(pool, SPAN_SECONDS(1));
    cr_expect_eq(fast.ok, 20);
    cr_expect_eq(slow.calls, 0);
    net_pool_free(pool);
    cr_expect(slow.calls == 1 && slow.last == E_NETWORK && slow.was_sent, "%d", slow.calls);
    pool = NULL;
    stop();
}

Test(pool, failures_are_told_one_by_one)
{
    start((struct net_pool_options){0});
    struct seen close_seen = {0}, half = {0}, gone = {0}, refused = {0};
    struct fault f;
    cr_assert_eq(add("/close", &close_seen), E_OK);
    cr_assert_eq(add("/half", &half), E_OK);
    cr_assert_eq(add("/gone", &gone), E_OK);
    struct net_request rq = {.method = "GET", .url = V("http://169.254.169.254/")};
    fault_init(&f);
    cr_expect_eq(net_pool_add(pool, &rq, note, &refused, &f), E_EGRESS);
    run();
    cr_expect(close_seen.last == E_NETWORK && half.last == E_NETWORK);
    cr_expect(gone.last == E_OK && gone.status == 410);
    cr_expect_eq(refused.calls, 0);
    stop();
}

struct chain {
    int left;
    struct seen seen;
};

static void
again(void *user, err e, const struct net_reply *reply, const struct fault *f)
{
    struct chain *chain = user;
    note(&chain->seen, e, reply, f);
    if (--chain->left > 0) {
        struct fault own;
        fault_init(&own);
        struct net_request rq = {.method = "GET", .url = url_of(&server, "/ok", mem)};
        cr_expect_eq(net_pool_add(pool, &rq, again, chain, &own), E_OK);
    }
}

Test(pool, a_callback_may_add)
{
    start((struct net_pool_options){0});
    struct chain chain = {.left = 30};
    struct fault f;
    fault_init(&f);
    struct net_request rq = {.method = "GET", .url = url_of(&server, "/ok", mem)};
    cr_assert_eq(net_pool_add(pool, &rq, again, &chain, &f), E_OK);
    run();
    cr_expect_eq(chain.seen.ok, 30);
    cr_expect_eq(server.connections, 1);
    stop();
}

static void *
wake(void *self)
{
    (void)self;
    net_pool_wakeup(pool);
    return NULL;
}

/* Would take a minute without the wake-up: the test's time limit tells. */
Test(pool, wakeup, .timeout = 20)
{
    start((struct net_pool_options){0});
    pthread_t thread;
    pthread_create(&thread, NULL, wake, NULL);
    cr_expect_eq(net_pool_poll(pool, SPAN_SECONDS(60)), 0);
    pthread_join(thread, NULL);
    stop();
}

Test(pool, per_host_limit)
{
    start((struct net_pool_options){.per_host = 2});
    struct seen seen = {0};
    for (int i = 0; i < 6; i++)
        cr_assert_eq(add("/hang", &seen), E_OK);
    while (server.requests < 2)
        net_pool_poll(pool, (span){10000});
    for (int i = 0; i < 20; i++)
        net_pool_poll(pool, (span){2000});
    cr_expect_eq(server.connections, 2);
    net_pool_free(pool);
    cr_expect_eq(seen.calls, 6);
    pool = NULL;
    stop();
}
