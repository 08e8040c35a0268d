/* A live server in the test process and a client that writes raw bytes.  Included once per test program. */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "base/text.h"
#include "http/http.h"
#include "http/router.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KIT_REPLY_MAX (1 << 20)

struct kit {
    struct http_server *server;
    int port;
    _Atomic int handled;    /* handlers that ran */
    _Atomic int asked;      /* times that a caller was asked for credentials */
    _Atomic int seen_bytes; /* of the last body */
    char certificate[8192]; /* the last one that authenticate saw */
    _Atomic size_t certificate_n;
    _Atomic bool wait; /* handlers wait for the semaphore go */
    sem_t entered, go;
    struct auth_ops auth;
    handler handlers[ROUTE_COUNT];
};

static UNUSED partner_id
kit_partner(void)
{
    return (partner_id){{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}};
}

/* Credentials are words: "Bearer good" may do all, "Bearer poor" has no scope. */
static err
kit_authenticate(void *self, const struct request *rq, view authorization, view certificate,
                 struct caller *ret, struct fault *f)
{
    struct kit *kit = self;
    (void)rq;
    kit->asked++;
    kit->certificate_n = certificate.n < sizeof kit->certificate ? certificate.n : 0;
    memcpy(kit->certificate, certificate.p ? certificate.p : "", kit->certificate_n);
    bool is_good = view_eq(authorization, V("Bearer good"));
    bool is_poor = view_eq(authorization, V("Bearer poor"));
    if (!is_good && !is_poor)
        return fault_set(f, authorization.n > 0 ? E_TOKEN : E_LOGIN, "authorization", "a token",
                         "none or another");
    ret->partner = kit_partner();
    ret->scopes =
        is_good ? V("system/Bundle.cruds claims:read claims:write events:read permissions:write "
                    "attachments:write applications:write webhooks:write accident-records:write cases:read")
                : V("system/Bundle.r events:read");
    return E_OK;
}

static err
kit_authenticate_track(void *self, const struct request *rq, view token, struct caller *ret, struct fault *f)
{
    (void)self;
    (void)rq;
    if (!view_eq(token, V("track-token")))
        return fault_set(f, E_LOGIN, "x-track-token", "a token", "none or another");
    ret->is_track = true;
    return E_OK;
}

static err
kit_admit(void *self, const struct caller *c, const struct route *r, int *ret_wait)
{
    (void)self;
    (void)c;
    if (r->id != ROUTE_EVENT_LIST)
        return E_OK;
    *ret_wait = 7;
    return E_QUOTA;
}

/* Tells what arrived: route, parameters, length and digest of the body. */
static err
kit_echo(void *app, struct request *rq, struct reply *rp)
{
    struct kit *kit = app;
    kit->handled++;
    kit->seen_bytes = (int)rq->body.n;
    if (kit->wait) {
        sem_post(&kit->entered);
        while (sem_wait(&kit->go) != 0)
            continue;
    }
    struct buf out;
    buf_init(&out, 65536);
    buf_printf(&out, "{\"route\":\"%s\",\"bytes\":%zu,\"p0\":", rq->route->name, rq->body.n);
    buf_add_json(&out, rq->params[0]);
    BUF_LIT(&out, ",\"p1\":");
    buf_add_json(&out, rq->params[1]);
    BUF_LIT(&out, ",\"query\":");
    buf_add_json(&out, rq->query);
    BUF_LIT(&out, ",\"media\":");
    buf_add_json(&out, rq->media_type);
    BUF_LIT(&out, ",\"trace\":");
    buf_add_json(&out, rq->trace_parent);
    BUF_LIT(&out, ",\"digest\":\"");
    if (rq->body.n > 0)
        buf_add_hex(&out, digest_view(&rq->body_digest));
    buf_printf(&out, "\",\"peer\":\"");
    buf_add_hex(&out, digest_view(&rq->caller.peer_certificate));
    BUF_LIT(&out, "\"}");
    reply_json(rp, 200, arena_dup(rq->mem, buf_view(&out)));
    buf_done(&out);
    return E_OK;
}

static UNUSED void
kit_start(struct kit *kit, struct http_options o)
{
    struct fault f;
    fault_init(&f);
    digest_start();
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_start(LEVEL_ERROR, null);
    memset(kit, 0, sizeof *kit);
    sem_init(&kit->entered, 0, 0);
    sem_init(&kit->go, 0, 0);
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        kit->handlers[i] = kit_echo;
    kit->auth = (struct auth_ops){kit, kit_authenticate, kit_authenticate_track, kit_admit, NULL, NULL};
    o.listen = o.listen ? o.listen : "127.0.0.1:0";
    o.connections = o.connections ? o.connections : 32;
    o.body_budget = o.body_budget ? o.body_budget : 268435456;
    o.arena_ceiling = 1 << 20;
    o.handlers = kit->handlers;
    o.app = kit;
    o.auth = &kit->auth;
    err e = http_start(&o, &kit->server, &f);
    cr_assert_eq(e, E_OK, "%s: %s, %s", f.where, f.expected, f.found);
    kit->port = http_port(kit->server);
}

static UNUSED void
kit_stop(struct kit *kit)
{
    http_stop(kit->server, SPAN_SECONDS(5));
    sem_destroy(&kit->entered);
    sem_destroy(&kit->go);
}

static UNUSED int
kit_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static UNUSED int
kit_connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static UNUSED void
kit_write(int fd, view bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server may have cut off: the answer tells */
        bytes = view_sub(bytes, (size_t)n, bytes.n);
    }
}

/* One reply: status, head and body; is_closed when the server closed after it. */
struct kit_reply {
    int status; /* 0 = connection closed without a reply */
    char *text;
    size_t n;
    view head, body;
    bool is_closed;
};

static UNUSED view
kit_header(const struct kit_reply *r, const char *name)
{
    view rest = r->head;
    bool more = true;
    while (more) {
        view line = view_cut(&rest, '\n', &more);
        view field = view_cut(&line, ':', NULL);
        if (view_eq_nocase(field, view_of(name)))
            return view_trim(line);
    }
    return VIEW_NONE;
}

static bool
kit_is_whole(struct kit_reply *r, bool is_head)
{
    view all = {r->text, r->n};
    size_t end = view_find(all, V("\r\n\r\n"));
    if (end == all.n)
        return false;
    r->head = view_sub(all, 0, end + 2);
    r->body = view_sub(all, end + 4, all.n);
    int64_t length = 0;
    view text = kit_header(r, "Content-Length");
    if (is_head || text.n == 0 || text_to_i64(text, &length) != E_OK)
        return true;
    return r->body.n >= (size_t)length;
}

static UNUSED struct kit_reply
kit_read_kind(int fd, bool is_head)
{
    struct kit_reply r = {.text = calloc(1, KIT_REPLY_MAX)};
    int64_t status = 0;
    while (r.n < KIT_REPLY_MAX && !kit_is_whole(&r, is_head)) {
        ssize_t n = recv(fd, r.text + r.n, KIT_REPLY_MAX - r.n, 0);
        if (n <= 0) {
            r.is_closed = true;
            break;
        }
        r.n += (size_t)n;
    }
    if (r.n > 12 && text_to_i64(view_make(r.text + 9, 3), &status) == E_OK)
        r.status = (int)status;
    return r;
}

static UNUSED struct kit_reply
kit_read(int fd)
{
    return kit_read_kind(fd, false);
}

static UNUSED void
kit_free(struct kit_reply *r)
{
    free(r->text);
}

/* True when the server has closed its side (nothing more comes). */
static UNUSED bool
kit_is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

static UNUSED struct kit_reply
kit_ask(const struct kit *kit, view bytes)
{
    int fd = kit_connect(kit->port);
    kit_write(fd, bytes);
    struct kit_reply r = kit_read_kind(fd, view_starts(bytes, V("HEAD ")));
    if (!r.is_closed && view_eq_nocase(kit_header(&r, "Connection"), V("close")))
        r.is_closed = kit_is_closed(fd);
    close(fd);
    return r;
}

static UNUSED int
kit_status(const struct kit *kit, view bytes)
{
    struct kit_reply r = kit_ask(kit, bytes);
    int status = r.status;
    kit_free(&r);
    return status;
}

/* Text at a path of a JSON body; "" when absent.  Lives in mem. */
static UNUSED view
kit_json(view body, const char *path, arena *mem)
{
    struct tree t;
    struct fault f;
    fault_init(&f);
    err e = tree_read_json(body, NULL, mem, &t, &f);
    cr_assert_eq(e, E_OK, "not JSON: %.*s", VIEW_ARG(body));
    return node_text_at(&t, tree_root(&t), path);
}

/* A view for static tables, where V() is no constant. */
#define BYTES(literal)                                                                                       \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    }
#define KIT_HEAD "Host: x\r\n"
#define KIT_AUTH KIT_HEAD "Authorization: Bearer good\r\n"
#define KIT_JSON "Content-Type: application/json\r\n"

#endif
