/* A small server of raw sockets, one thread per connection, that behaves as the path of the request says. */
#ifndef TESTS_NET_KIT_H
#define TESTS_NET_KIT_H

#include "base/arena.h"
#include "base/text.h"
#include "net/net.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    int fd, port;
    SSL_CTX *tls; /* NULL = plain */
    pthread_t thread;
    _Atomic int connections, requests, peers; /* peers: with a client certificate */
    _Atomic bool end;
    _Atomic int open;
    char last[4096]; /* head of the last request */
};

struct stream {
    struct server *server;
    int fd;
    SSL *ssl;
};

static ssize_t
stream_read(struct stream *s, char *p, size_t n)
{
    return s->ssl ? SSL_read(s->ssl, p, (int)n) : recv(s->fd, p, n, 0);
}

static bool
stream_write(struct stream *s, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = s->ssl ? SSL_write(s->ssl, p, (int)n) : send(s->fd, p, n, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool
say(struct stream *s, const char *text)
{
    return stream_write(s, text, strlen(text));
}

/* Waits until the client goes away. */
static void
hang(struct stream *s)
{
    char byte;
    while (stream_read(s, &byte, 1) > 0)
        continue;
}

static void
endless(struct stream *s, const char *head, const char *part)
{
    bool go_on = say(s, head);
    while (go_on)
        go_on = say(s, part);
}

static bool
answer_odd(struct stream *s, view path)
{
    static const char part[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    if (view_eq(path, V("/hang")))
        hang(s);
    else if (view_eq(path, V("/endless")))
        endless(s, "HTTP/1.1 200 OK\r\n\r\n", part);
    else if (view_eq(path, V("/headers")))
        endless(s, "HTTP/1.1 200 OK\r\n", "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    else if (view_eq(path, V("/half")))
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    else if (view_eq(path, V("/garbage")))
        say(s, "this is no HTTP\r\n\r\n");
    else if (!view_eq(path, V("/close")))
        return false;
    return true;
}

static const struct {
    const char *path, *reply;
} plain_answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"},
    {"/empty", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 5\r\n\r\nmoved"},
    {"/retry", "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"},
    {"/gone", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"},
    {"/cache", "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=600\r\nContent-Length: 0\r\n\r\n"},
    {"/no-store", "HTTP/1.1 200 OK\r\nCache-Control: max-age=600, no-store\r\nContent-Length: 0\r\n\r\n"},
    {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
    {"/ten", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"},
    {"/continue",
     "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
};

/* False: close the connection. */
static bool
answer(struct stream *s, view path, view body)
{
    char text[8192];
    if (view_eq(path, V("/echo"))) {
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s", body.n,
                 VIEW_ARG(body));
        return say(s, text);
    }
    for (size_t i = 0; i < COUNT_OF(plain_answers); i++) {
        if (view_eq(path, view_of(plain_answers[i].path)))
            return say(s, plain_answers[i].reply);
    }
    if (!answer_odd(s, path))
        say(s, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return false;
}

static int64_t
length_of(view head)
{
    size_t at = view_find(head, V("Content-Length: "));
    view rest = view_sub(head, at + 16, head.n);
    int64_t n = 0;
    return at < head.n && text_to_i64(view_cut(&rest, '\r', NULL), &n) == E_OK ? n : 0;
}

static bool
serve_one(struct stream *s, char *text, size_t size)
{
    size_t n = 0, end = 0;
    view all;
    do {
        ssize_t got = stream_read(s, text + n, size - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        all = view_make(text, n);
        end = view_find(all, V("\r\n\r\n"));
    } while (end == n || n < end + 4 + (size_t)length_of(view_sub(all, 0, end + 2)));
    view line = all;
    view_cut(&line, ' ', NULL);
    s->server->requests++;
    snprintf(s->server->last, sizeof s->server->last, "%.*s", (int)end, text);
    return answer(s, view_cut(&line, ' ', NULL), view_sub(all, end + 4, n));
}

static void *
serve_connection(void *self)
{
    struct stream *s = self;
    char *text = malloc(1 << 20);
    bool go_on = true;
    if (s->ssl && SSL_accept(s->ssl) != 1)
        go_on = false;
    if (go_on && s->ssl) {
        X509 *peer = SSL_get1_peer_certificate(s->ssl);
        s->server->peers += peer != NULL;
        X509_free(peer);
    }
    while (go_on)
        go_on = serve_one(s, text, 1 << 20);
    if (s->ssl) {
        SSL_shutdown(s->ssl);
        SSL_free(s->ssl);
    }
    ERR_clear_error();
    close(s->fd);
    free(text);
    struct server *server = s->server;
    free(s);
    server->open--;
    return NULL;
}

static void *
accept_loop(void *self)
{
    struct server *server = self;
    while (!server->end) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            break;
        struct stream *s = calloc(1, sizeof *s);
        s->server = server;
        s->fd = fd;
        if (server->tls) {
            s->ssl = SSL_new(server->tls);
            SSL_set_fd(s->ssl, fd);
        }
        server->connections++;
        server->open++;
        pthread_t thread;
        pthread_create(&thread, NULL, serve_connection, s);
        pthread_detach(thread);
    }
    return NULL;
}

static UNUSED void
server_start(struct server *server, SSL_CTX *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t n = sizeof address;
    memset(server, 0, sizeof *server);
    server->tls = tls;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server->fd, (struct sockaddr *)&address, n), 0);
    cr_assert_eq(listen(server->fd, 64), 0);
    getsockname(server->fd, (struct sockaddr *)&address, &n);
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, accept_loop, server);
}

static UNUSED void
server_stop(struct server *server)
{
    server->end = true;
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    while (server->open > 0)
        sched_yield();
}

static UNUSED view
url_of(const struct server *server, const char *path, arena *mem)
{
    return arena_printf(mem, "%s://127.0.0.1:%d%s", server->tls ? "https" : "http", server->port, path);
}

static const struct net_policy sandbox = {.allow_private = true};
static const struct net_policy strict = {.allow_private = false};

#endif
