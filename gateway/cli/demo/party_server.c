#include "cli/demo/party_server.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_CEILING ((size_t)256 * 1024)
#define VISIT_US 10000000

err
server_open_at(struct server *s, const char *where, webhook_fn fn, void *self)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t length = sizeof at;
    char host[INET_ADDRSTRLEN];
    int64_t port;
    view rest = view_of(where), address = view_cut(&rest, ':', NULL);
    *s = (struct server){.fd = -1, .fn = fn, .self = self};
    for (size_t i = 0; i < SERVER_VISITS; i++)
        s->visits[i].fd = -1;
    snprintf(host, sizeof host, "%.*s", VIEW_ARG(address));
    if (text_to_i64(rest, &port) != E_OK || port < 0 || port > 65535 ||
        inet_pton(AF_INET, host, &at.sin_addr) != 1)
        return E_CONFIG;
    at.sin_port = htons((uint16_t)port);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(s->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &length) != 0)
        return E_NETWORK;
    s->port = ntohs(at.sin_port);
    return E_OK;
}

err
server_open(struct server *s, webhook_fn fn, void *self)
{
    return server_open_at(s, "127.0.0.1:0", fn, self);
}

static void
visit_end(struct visit *v)
{
    close(v->fd);
    buf_done(&v->in);
    buf_done(&v->out);
    *v = (struct visit){.fd = -1};
}

void
server_close(struct server *s)
{
    for (size_t i = 0; i < SERVER_VISITS; i++)
        if (s->visits[i].fd >= 0)
            visit_end(&s->visits[i]);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

size_t
server_poll(const struct server *s, struct pollfd *ret)
{
    size_t n = 0, busy = 0;
    for (size_t i = 0; i < SERVER_VISITS; i++) {
        busy += s->visits[i].fd >= 0;
        if (s->visits[i].fd >= 0 && s->visits[i].status == 0)
            ret[n++] = (struct pollfd){.fd = s->visits[i].fd, .events = POLLIN};
    }
    if (busy < SERVER_VISITS)
        ret[n++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    return n;
}

bool
server_owes(const struct server *s)
{
    for (size_t i = 0; i < SERVER_VISITS; i++)
        if (s->visits[i].fd >= 0)
            return true;
    return false;
}

/* -- one request -- */

static view
header_value(view head, view name)
{
    while (head.n) {
        view line = view_cut(&head, '\n', NULL);
        view key = view_cut(&line, ':', NULL);
        if (view_eq_nocase(view_trim(key), name))
            return view_trim(line);
    }
    return VIEW_NONE;
}

/* True when the request is whole; then *ret has its parts. */
static bool
read_request(view all, struct webhook *ret)
{
    int64_t length = 0;
    size_t end = view_find(all, V("\r\n\r\n"));
    if (end == all.n)
        return false;
    view head = view_sub(all, 0, end), body = view_sub(all, end + 4, all.n);
    if (text_to_i64(header_value(head, V("content-length")), &length) != E_OK || length < 0 ||
        (int64_t)body.n < length)
        return false;
    view first = head, method = view_cut(&first, ' ', NULL), target = view_cut(&first, ' ', NULL);
    *ret = (struct webhook){.id = header_value(head, V("webhook-id")),
                            .timestamp = header_value(head, V("webhook-timestamp")),
                            .signature = header_value(head, V("webhook-signature")),
                            .body = view_sub(body, 0, (size_t)length),
                            .method = method,
                            .target = target};
    return true;
}

static void
visit_read(struct server *s, struct visit *v)
{
    char part[16384];
    struct webhook w;
    int64_t put_off = 0;
    ssize_t n = recv(v->fd, part, sizeof part, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        buf_add(&v->in, part, (size_t)n);
    if (n <= 0 || v->in.failed) {
        visit_end(v);
        return;
    }
    if (!read_request(buf_view(&v->in), &w))
        return;
    w.answer = &v->out;
    v->status = s->fn(s->self, &w, &put_off);
    v->answer_at_us = clock_monotonic_us() + put_off;
}

static void
visit_answer(struct visit *v)
{
    char text[192];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
                     "%zu\r\nConnection: close\r\n\r\n",
                     v->status, v->status == 200 ? "OK" : "Refused", v->out.n);
    ssize_t sent = send(v->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (v->out.n)
        sent = send(v->fd, v->out.p, v->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* whoever has gone away asks again */
    visit_end(v);
}

static void
accept_all(struct server *s)
{
    for (size_t i = 0; i < SERVER_VISITS; i++) {
        if (s->visits[i].fd >= 0)
            continue;
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        s->visits[i] = (struct visit){.fd = fd, .opened_us = clock_monotonic_us()};
        buf_init(&s->visits[i].in, REQUEST_CEILING);
        buf_init(&s->visits[i].out, REQUEST_CEILING);
    }
}

void
server_turn(struct server *s)
{
    accept_all(s);
    for (size_t i = 0; i < SERVER_VISITS; i++) {
        struct visit *v = &s->visits[i];
        if (v->fd >= 0 && v->status == 0)
            visit_read(s, v);
        if (v->fd >= 0 && v->status == 0 && clock_monotonic_us() - v->opened_us > VISIT_US)
            visit_end(v);
        if (v->fd >= 0 && v->status && clock_monotonic_us() >= v->answer_at_us)
            visit_answer(v);
    }
}
