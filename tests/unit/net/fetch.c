#include "kit.h"

static struct server server;
static arena *mem;
static struct net_reply reply;
static struct fault fault;

static void
start(void)
{
    cr_assert_eq(net_start(), E_OK);
    mem = arena_new(1 << 22);
    server_start(&server, NULL);
}

static void
stop(void)
{
    server_stop(&server);
    arena_free(mem);
    net_stop();
}

static err
fetch(const struct net_policy *p, struct net_request rq, const char *path)
{
    rq.method = rq.method ? rq.method : "GET";
    rq.url = rq.url.n > 0 ? rq.url : url_of(&server, path, mem);
    fault_init(&fault);
    return net_fetch(p, &rq, mem, &reply, &fault);
}

#define GET(path) fetch(&sandbox, (struct net_request){.limit = SPAN_SECONDS(10)}, (path))

Test(fetch, replies)
{
    start();
    cr_expect_eq(GET("/ok"), E_OK);
    cr_expect_eq(reply.status, 200);
    cr_expect(view_eq(reply.body, V("ok")));
    cr_expect(view_eq(reply.media_type, V("text/plain; charset=utf-8")));
    cr_expect(reply.was_sent && !reply.is_cut && reply.retry_after == -1 && reply.max_age == -1);
    cr_expect_gt(reply.took.us, 0);
    cr_expect_eq(GET("/empty"), E_OK);
    cr_expect(reply.status == 204 && reply.body.n == 0);
    cr_expect_eq(GET("/chunked"), E_OK);
    cr_expect(view_eq(reply.body, V("abcde")));
    cr_expect_eq(GET("/gone"), E_OK);
    cr_expect_eq(reply.status, 410);
    cr_expect_eq(GET("/retry"), E_OK);
    cr_expect(reply.status == 503 && reply.retry_after == 120);
    cr_expect_eq(GET("/cache"), E_OK);
    cr_expect_eq(reply.max_age, 600);
    cr_expect_eq(GET("/no-store"), E_OK);
    cr_expect_eq(reply.max_age, 0);
    cr_expect_eq(GET("/continue"), E_OK);
    cr_expect(reply.status == 200 && view_eq(reply.body, V("ok")));
    stop();
}

Test(fetch, redirects_are_not_followed)
{
    start();
    cr_expect_eq(GET("/redirect"), E_OK);
    cr_expect_eq(reply.status, 302);
    cr_expect_eq(server.requests, 1);
    stop();
}

Test(fetch, what_is_sent)
{
    start();
    const struct net_header headers[] = {
        {"Content-Type", V("application/json")}, {"webhook-id", V("evt-1")}, {"X-Empty", V("")}};
    struct net_request rq = {.method = "POST", .headers = headers, .n_headers = 3, .body = V("{\"a\":1}")};
    cr_expect_eq(fetch(&sandbox, rq, "/echo"), E_OK);
    cr_expect(view_eq(reply.body, V("{\"a\":1}")));
    cr_expect_not_null(strstr(server.last, "POST /echo HTTP/1.1\r\n"));
    cr_expect_not_null(strstr(server.last, "Content-Type: application/json\r\n"));
    cr_expect_not_null(strstr(server.last, "webhook-id: evt-1"));
    cr_expect_not_null(strstr(server.last, "X-Empty:"));
    cr_expect_not_null(strstr(server.last, "User-Agent: claimgate/"));
    cr_expect_null(strstr(server.last, "Expect"));
    cr_expect_null(strstr(server.last, "x-www-form-urlencoded"));
    rq = (struct net_request){.method = "OPTIONS"};
    cr_expect_eq(fetch(&sandbox, rq, "/ok"), E_OK);
    cr_expect_not_null(strstr(server.last, "OPTIONS /ok HTTP/1.1\r\n"));
    rq = (struct net_request){.method = "POST"};
    cr_expect_eq(fetch(&sandbox, rq, "/ok"), E_OK);
    cr_expect_not_null(strstr(server.last, "Content-Length: 0"));
    stop();
}

Test(fetch, header_injection)
{
    start();
    const struct net_header headers[] = {{"X-A", V("1\r\nX-B: 2")}};
    struct net_request rq = {.headers = headers, .n_headers = 1};
    cr_expect_eq(fetch(&sandbox, rq, "/ok"), E_EGRESS);
    cr_expect_eq(server.requests, 0);
    stop();
}

Test(fetch, ceilings)
{
    start();
    struct net_request rq = {.reply_max = 10};
    cr_expect_eq(fetch(&sandbox, rq, "/ten"), E_OK);
    cr_expect_eq(reply.body.n, 10);
    rq.reply_max = 9;
    cr_expect_eq(fetch(&sandbox, rq, "/ten"), E_TOO_LARGE);
    cr_expect(reply.was_sent && reply.status == 0);
    rq.cut_reply = true;
    cr_expect_eq(fetch(&sandbox, rq, "/ten"), E_OK);
    cr_expect(reply.is_cut && reply.status == 200 && view_eq(reply.body, V("012345678")));
    rq = (struct net_request){.reply_max = 100000};
    cr_expect_eq(fetch(&sandbox, rq, "/endless"), E_TOO_LARGE);
    rq.cut_reply = true;
    cr_expect_eq(fetch(&sandbox, rq, "/endless"), E_OK);
    cr_expect_eq(reply.body.n, 100000);
    cr_expect_eq(fetch(&sandbox, (struct net_request){.cut_reply = true}, "/headers"), E_TOO_LARGE);
    stop();
}

Test(fetch, failures)
{
    start();
    cr_expect_eq(GET("/close"), E_NETWORK);
    cr_expect(reply.was_sent);
    cr_expect_eq(GET("/half"), E_NETWORK);
    cr_expect_eq(GET("/garbage"), E_NETWORK);
    struct net_request rq = {.limit = {200000}};
    cr_expect_eq(fetch(&sandbox, rq, "/hang"), E_NETWORK);
    cr_expect_str_eq(fault.found, "a time-out");
    cr_expect(reply.was_sent);
    rq = (struct net_request){.url = V("http://127.0.0.1:1/")};
    cr_expect_eq(fetch(&sandbox, rq, ""), E_NETWORK);
    cr_expect(!reply.was_sent);
    rq = (struct net_request){.url = V("https://name.invalid/")};
    cr_expect_eq(fetch(&strict, rq, ""), E_NETWORK);
    cr_expect_str_eq(fault.found, "a name that does not resolve");
    stop();
}

/* The name passes as a name; the address that it leads to does not. */
Test(fetch, egress_is_checked_on_the_address)
{
    start();
    struct net_request rq = {.url = V("https://localhost/")};
    cr_expect_eq(fetch(&strict, rq, ""), E_EGRESS);
    cr_expect(!reply.was_sent);
    rq.url = V("https://127.0.0.1/");
    cr_expect_eq(fetch(&strict, rq, ""), E_EGRESS);
    struct net_range own;
    cr_assert_eq(net_range_parse(V("127.0.0.0/8"), &own), E_OK);
    const struct net_policy closed = {.allow_private = true, .own = &own, .n_own = 1};
    rq.url = arena_printf(mem, "http://localhost:%d/ok", server.port);
    cr_expect_eq(fetch(&closed, rq, ""), E_EGRESS);
    cr_expect_eq(server.connections, 0);
    cr_expect_eq(fetch(&sandbox, rq, ""), E_OK);
    stop();
}

/* The environment of the process must not send calls elsewhere. */
Test(fetch, no_proxy_from_the_environment)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    start();
    cr_expect_eq(GET("/ok"), E_OK);
    stop();
}

Test(fetch, arena_full)
{
    start();
    arena *small = arena_new(64);
    struct net_request rq = {
        .method = "GET", .url = url_of(&server, "/endless", mem), .reply_max = 5000, .cut_reply = true};
    fault_init(&fault);
    cr_expect_eq(net_fetch(&sandbox, &rq, small, &reply, &fault), E_TOO_LARGE);
    arena_free(small);
    stop();
}
