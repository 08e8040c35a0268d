/* Body ceilings, the byte budget, 100 Continue, connections, draining. */
#include "kit.h"

static struct kit kit;

#define POST_BUNDLE "POST /fhir/r4/Bundle HTTP/1.1\r\n"
#define FHIR_JSON "Content-Type: application/fhir+json\r\n"

static void
start(struct http_options o)
{
    kit_start(&kit, o);
}

/* Answered on the head: the client that waits for 100 Continue never sends the body. */
static void
expect_refused_before_body(const char *head, int want)
{
    int fd = kit_connect(kit.port);
    kit_write(fd, view_of(head));
    struct kit_reply r = kit_read(fd);
    cr_expect_eq(r.status, want, "%d for %s", r.status, head);
    cr_expect(kit_is_closed(fd), "left open: %s", head);
    kit_free(&r);
    close(fd);
}

Test(limits, refused_before_any_body_byte)
{
    start((struct http_options){0});
    expect_refused_before_body(
        POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 10485761\r\nExpect: 100-continue\r\n\r\n", 413);
    expect_refused_before_body(POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 10485761\r\n\r\n", 413);
    expect_refused_before_body(
        POST_BUNDLE KIT_HEAD FHIR_JSON "Content-Length: 10000000\r\nExpect: 100-continue\r\n\r\n", 401);
    expect_refused_before_body(POST_BUNDLE KIT_HEAD FHIR_JSON "Content-Length: 10000000\r\n\r\n", 401);
    expect_refused_before_body(POST_BUNDLE KIT_HEAD FHIR_JSON "Transfer-Encoding: chunked\r\n\r\n", 401);
    expect_refused_before_body(
        POST_BUNDLE KIT_AUTH "Content-Type: text/plain\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        415);
    expect_refused_before_body(
        "GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH KIT_JSON "Content-Length: 70000\r\n\r\n", 413);
    cr_expect_eq(kit.handled, 0);
    kit_stop(&kit);
}

Test(limits, continue_is_sent_after_the_head_is_judged)
{
    start((struct http_options){0});
    int fd = kit_connect(kit.port);
    kit_write(fd, V(POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    struct kit_reply r = kit_read(fd);
    cr_expect_eq(r.status, 100);
    cr_expect_eq(kit.asked, 1);
    kit_free(&r);
    kit_write(fd, V("hello"));
    r = kit_read(fd);
    cr_expect_eq(r.status, 200);
    cr_expect_eq(kit.seen_bytes, 5);
    kit_free(&r);
    close(fd);
    kit_stop(&kit);
}

/* Sends n body bytes in chunks of 64 KiB; the answer may come early. */
static struct kit_reply
send_chunks(const char *head, size_t n)
{
    static char chunk[65536 + 16];
    memcpy(chunk, "10000\r\n", 7);
    memset(chunk + 7, 'a', 65536);
    memcpy(chunk + 7 + 65536, "\r\n", 2);
    int fd = kit_connect(kit.port);
    kit_write(fd, view_of(head));
    for (size_t sent = 0; sent < n; sent += 65536)
        kit_write(fd, view_make(chunk, 65536 + 9));
    kit_write(fd, V("0\r\n\r\n"));
    struct kit_reply r = kit_read(fd);
    r.is_closed = r.is_closed || kit_is_closed(fd);
    close(fd);
    return r;
}

Test(limits, chunks_over_the_ceiling)
{
    start((struct http_options){0});
    const char *head = POST_BUNDLE KIT_AUTH FHIR_JSON "Transfer-Encoding: chunked\r\n\r\n";
    struct kit_reply r =
        send_chunks("POST /v1/claims:search HTTP/1.1\r\n" KIT_AUTH KIT_JSON "Connection: close\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n",
                    65536);
    cr_expect_eq(r.status, 200, "the ceiling itself: %d", r.status);
    kit_free(&r);
    r = send_chunks(
        "POST /v1/claims:search HTTP/1.1\r\n" KIT_AUTH KIT_JSON "Transfer-Encoding: chunked\r\n\r\n", 65537);
    cr_expect_eq(r.status, 413);
    cr_expect(r.is_closed);
    kit_free(&r);
    int before = kit.handled;
    r = send_chunks(head, 10485760 + 65536);
    cr_expect_eq(r.status, 413);
    kit_free(&r);
    r = send_chunks(head, 13 * 1024 * 1024);
    cr_expect(r.is_closed && (r.status == 0 || r.status == 413), "cut off: %d", r.status);
    kit_free(&r);
    cr_expect_eq(kit.handled, before);
    kit_stop(&kit);
}

Test(limits, large_bodies_arrive_whole)
{
    start((struct http_options){0});
    static char body[25 * 1024 * 1024];
    char head[400];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 31 + i / 251);
    digest_start();
    digest want = sha256(view_make(body, sizeof body));
    int n = snprintf(head, sizeof head,
                     "PUT /v1/attachments/x HTTP/1.1\r\n" KIT_AUTH
                     "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
                     sizeof body);
    arena *mem = arena_new(1 << 20);
    int fd = kit_connect(kit.port);
    for (int i = 0; i < 2; i++) {
        kit_write(fd, view_make(head, (size_t)n));
        kit_write(fd, view_make(body, sizeof body));
        struct kit_reply r = kit_read(fd);
        cr_assert_eq(r.status, 200, "%d", r.status);
        cr_expect(view_eq(kit_json(r.body, "digest", mem), text_hex(mem, digest_view(&want))));
        kit_free(&r);
    }
    close(fd);
    arena_free(mem);
    kit_stop(&kit);
}

/* Two handlers hold the budget; a third request finds none, and the room comes back. */
Test(limits, byte_budget)
{
    start((struct http_options){.body_budget = 1000});
    kit.wait = true;
    int a = kit_connect(kit.port), b = kit_connect(kit.port);
    char request[600];
    int n = snprintf(request, sizeof request,
                     POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 400\r\n\r\n%0*d", 400, 1);
    kit_write(a, view_make(request, (size_t)n));
    kit_write(b, view_make(request, (size_t)n));
    sem_wait(&kit.entered);
    sem_wait(&kit.entered);
    struct kit_reply r = kit_ask(&kit, view_make(request, (size_t)n));
    cr_expect_eq(r.status, 503);
    cr_expect(view_eq(kit_header(&r, "Retry-After"), V("1")));
    kit_free(&r);
    cr_expect_eq(kit_status(&kit, V(POST_BUNDLE KIT_AUTH FHIR_JSON
                                    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")),
                 503, "without a length the route's ceiling is reserved");
    cr_expect_eq(kit.handled, 2);
    kit.wait = false;
    sem_post(&kit.go);
    sem_post(&kit.go);
    r = kit_read(a);
    cr_expect_eq(r.status, 200);
    kit_free(&r);
    r = kit_read(b);
    cr_expect_eq(r.status, 200);
    kit_free(&r);
    /* The room comes back behind the last byte of a reply, so the client may be a little early. */
    int status = 0;
    for (int tries = 0; tries < 2000 && status != 200; tries++)
        status = kit_status(&kit, view_make(request, (size_t)n));
    cr_expect_eq(status, 200);
    http_set_body_budget(kit.server, 10);
    cr_expect_eq(kit_status(&kit, view_make(request, (size_t)n)), 503);
    close(a);
    close(b);
    kit_stop(&kit);
}

/* A client that goes away in the middle of its body gives its reservation back. */
Test(limits, budget_returns_after_an_abort)
{
    start((struct http_options){.body_budget = 1000});
    for (int i = 0; i < 20; i++) {
        int fd = kit_connect(kit.port);
        kit_write(fd, V(POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 900\r\n\r\nabc"));
        while (kit.asked <= i)
            sched_yield();
        close(fd);
        int status = 0;
        /* The server learns of the end by itself. */
        for (int tries = 0; tries < 2000 && status != 200; tries++) {
            int one = kit_connect(kit.port);
            kit.asked = i;
            kit_write(one, V(POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 2\r\n\r\n{}"));
            struct kit_reply r = kit_read(one);
            status = r.status;
            kit_free(&r);
            close(one);
        }
        cr_assert_eq(status, 200);
        kit.asked = i + 1;
    }
    kit_stop(&kit);
}

Test(limits, many_connections)
{
    start((struct http_options){.connections = 8});
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = kit_connect(kit.port);
        kit_write(fds[i], V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n"));
        struct kit_reply r = kit_read(fds[i]);
        cr_assert_eq(r.status, 200);
        kit_free(&r);
    }
    int ninth = kit_connect(kit.port);
    struct timeval brief = {0, 200000};
    setsockopt(ninth, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    kit_write(ninth, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n"));
    struct kit_reply r = kit_read(ninth);
    cr_expect_eq(r.status, 0, "no more than the limit at one time");
    kit_free(&r);
    close(ninth);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    int status = 0;
    for (int tries = 0; tries < 2000 && status != 200; tries++)
        status = kit_status(&kit, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "Connection: close\r\n\r\n"));
    cr_expect_eq(status, 200, "slots come back");
    kit_stop(&kit);
}

Test(limits, draining)
{
    start((struct http_options){0});
    int fd = kit_connect(kit.port);
    kit_write(fd, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n"));
    struct kit_reply r = kit_read(fd);
    cr_expect_eq(r.status, 200);
    kit_free(&r);
    http_drain(kit.server);
    kit_write(fd, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n"));
    r = kit_read(fd);
    cr_expect_eq(r.status, 200, "reading goes on");
    cr_expect(view_eq_nocase(kit_header(&r, "Connection"), V("close")));
    cr_expect(kit_is_closed(fd));
    kit_free(&r);
    close(fd);
    arena *mem = arena_new(65536);
    r = kit_ask(&kit,
                V("POST /v1/applications HTTP/1.1\r\n" KIT_AUTH KIT_JSON "Content-Length: 2\r\n\r\n{}"));
    cr_expect_eq(r.status, 503);
    cr_expect(view_eq(kit_json(r.body, "code", mem), V("draining")));
    cr_expect(view_eq(kit_header(&r, "Retry-After"), V("5")));
    kit_free(&r);
    cr_expect_eq(kit_status(&kit, V("POST /oauth2/token HTTP/1.1\r\n" KIT_HEAD
                                    "Content-Type: application/x-www-form-urlencoded\r\n"
                                    "Content-Length: 3\r\n\r\na=b")),
                 200, "tokens go on");
    arena_free(mem);
    kit_stop(&kit);
}

static void *
stop_server(void *self)
{
    http_stop(((struct kit *)self)->server, SPAN_SECONDS(30));
    return NULL;
}

/* http_stop returns after the request in flight got its answer. */
Test(limits, stop_waits_for_requests_in_flight)
{
    start((struct http_options){0});
    kit.wait = true;
    int fd = kit_connect(kit.port);
    kit_write(fd, V(POST_BUNDLE KIT_AUTH FHIR_JSON "Content-Length: 2\r\n\r\n{}"));
    sem_wait(&kit.entered);
    pthread_t thread;
    pthread_create(&thread, NULL, stop_server, &kit);
    sem_post(&kit.go);
    struct kit_reply r = kit_read(fd);
    cr_expect_eq(r.status, 200);
    kit_free(&r);
    pthread_join(thread, NULL);
    close(fd);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)kit.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect_neq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "nobody listens any more");
    close(fd);
}
