/* room: http */
/* Keep-alive clients in parallel against one listener, with bodies of all sizes, aborts in the middle, budget
 * changes and a drain at the end.  Every reply must belong to its request. */
#include "http/http.h"
#include "base/digest.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8
#define ROUNDS 150

static int port;
static _Atomic int wrong, served, turned_away;

static err
authenticate(void *self, const struct request *rq, view authorization, view certificate, struct caller *ret,
             struct fault *f)
{
    (void)self;
    (void)rq;
    (void)certificate;
    if (!view_eq(authorization, V("Bearer good")))
        return fault_set(f, E_LOGIN, "authorization", "a token", "none");
    ret->scopes = V("system/Bundle.c");
    return E_OK;
}

static err
authenticate_track(void *self, const struct request *rq, view token, struct caller *ret, struct fault *f)
{
    (void)self;
    (void)rq;
    (void)token;
    (void)ret;
    return fault_set(f, E_LOGIN, "", "", "");
}

static err
admit(void *self, const struct caller *c, const struct route *r, int *ret_wait)
{
    (void)self;
    (void)c;
    (void)r;
    (void)ret_wait;
    return E_OK;
}

static err
echo(void *app, struct request *rq, struct reply *rp)
{
    (void)app;
    reply_json(rp, 200, text_hex(rq->mem, digest_view(&rq->body_digest)));
    return E_OK;
}

static int
open_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {20, 0};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

/* Reads one reply; its status, or 0. The body's first bytes go to body. */
static int
read_reply(int fd, char *body, size_t size)
{
    char text[8192];
    size_t n = 0;
    while (n < sizeof text - 1) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        view all = {text, n};
        size_t end = view_find(all, V("\r\n\r\n"));
        size_t at = view_find(all, V("Content-Length: "));
        int64_t length = 0, status = 0;
        if (end == n || at == n)
            continue;
        view number = view_sub(all, at + 16, n);
        if (text_to_i64(view_cut(&number, '\r', NULL), &length) != E_OK || n < end + 4 + (size_t)length)
            continue;
        snprintf(body, size, "%.*s", (int)length, text + end + 4);
        return text_to_i64(view_make(text + 9, 3), &status) == E_OK ? (int)status : 0;
    }
    return 0;
}

static void
one_request(int *fd, unsigned seed, char *body)
{
    static const size_t sizes[] = {1, 17, 1000, 10000, 70000, 300000};
    char head[300], got[200], want[80];
    size_t n = sizes[seed % 6];
    bool is_chunked = seed % 5 == 0, is_abort = seed % 11 == 0;
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(seed + i * 7);
    int length = is_chunked
                     ? snprintf(head, sizeof head,
                                "POST /fhir/r4/Bundle HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                                n)
                     : snprintf(head, sizeof head,
                                "POST /fhir/r4/Bundle HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                n);
    write_all(*fd, head, (size_t)length);
    write_all(*fd, body, is_abort ? n / 2 : n);
    if (is_abort) {
        close(*fd);
        *fd = open_client();
        return;
    }
    if (is_chunked)
        write_all(*fd, "\r\n0\r\n\r\n", 7);
    int status = read_reply(*fd, got, sizeof got);
    digest d = sha256(view_make(body, n));
    for (size_t i = 0; i < 32; i++)
        snprintf(want + 2 * i, 3, "%02x", d.b[i]);
    if (status == 503)
        turned_away++;
    else if (status == 200 && strcmp(got, want) == 0)
        served++;
    else
        wrong++;
    if (status == 200)
        return;
    close(*fd);
    *fd = open_client();
}

static void *
client(void *self)
{
    unsigned base = (unsigned)(uintptr_t)self * 1000;
    char *body = malloc(300000);
    int fd = open_client();
    for (unsigned i = 0; i < ROUNDS && fd >= 0; i++)
        one_request(&fd, base + i, body);
    if (fd >= 0)
        close(fd);
    free(body);
    return NULL;
}

int
main(void)
{
    static handler handlers[ROUTE_COUNT];
    static const struct auth_ops auth = {NULL, authenticate, authenticate_track, admit, NULL, NULL};
    struct http_server *server = NULL;
    struct fault f;
    pthread_t threads[CLIENTS];
    fault_init(&f);
    digest_start();
    log_start(LEVEL_INFO, open("/dev/null", O_WRONLY | O_CLOEXEC));
    handlers[ROUTE_BUNDLE_CREATE] = echo;
    struct http_options o = {.listen = "127.0.0.1:0",
                             .connections = 64,
                             .body_budget = 64 << 20,
                             .arena_ceiling = 1 << 16,
                             .handlers = handlers,
                             .auth = &auth};
    if (http_start(&o, &server, &f) != E_OK)
        return 1;
    port = http_port(server);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, client, (void *)(uintptr_t)(i + 1));
    while (served < 300 && wrong == 0)
        usleep(1000);
    http_set_body_budget(server, 12 << 20); /* now some find no room */
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    http_stop(server, SPAN_SECONDS(10));
    fprintf(stderr, "served %d, turned away %d, wrong %d\n", served, turned_away, wrong);
    return wrong > 0 || served < 300;
}
