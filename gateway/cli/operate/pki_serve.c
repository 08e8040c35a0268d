/* `claimgate pki serve DIR`: the sandbox's OCSP responders, revocation lists and time-stamp authority over plain
 * HTTP on the loopback address, with the moods that drills play (signing/sandbox/pki_responder.h).  One request a
 * connection, a thread each; a slow answer is a connection that is held until the asker gives up. */
#include "cli/command.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/sandbox/pki_responder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)64 * 1024)
#define HOLD_MS 120000

struct visitor {
    struct pki_responder *responder;
    int fd;
};

static size_t
body_length(view head)
{
    while (head.n > 0) {
        view line = view_cut(&head, '\n', NULL);
        view name = view_cut(&line, ':', NULL);
        int64_t n;
        if (view_eq_nocase(view_trim(name), V("content-length")) &&
            text_to_i64(view_trim(line), &n) == E_OK && n >= 0)
            return (size_t)n;
    }
    return 0;
}

/* The whole request; false when the peer goes or sends too much. */
static bool
read_request(int fd, struct buf *in, view *ret_head, view *ret_body)
{
    char part[8192];
    for (;;) {
        view all = buf_view(in), mark = V("\r\n\r\n");
        size_t end = all.n > 0 ? view_find(all, mark) : all.n;
        if (all.n > 0 && end < all.n) {
            view head = view_sub(all, 0, end), body = view_sub(all, end + mark.n, all.n);
            size_t wanted = body_length(head);
            if (body.n >= wanted) {
                *ret_head = head;
                *ret_body = view_sub(body, 0, wanted);
                return true;
            }
        }
        ssize_t n = read(fd, part, sizeof part);
        if (n <= 0)
            return false;
        buf_add(in, part, (size_t)n);
        if (in->failed)
            return false;
    }
}

static void
send_answer(int fd, int status, view media, view body)
{
    struct buf out;
    buf_init(&out, REQUEST_MAX + body.n);
    buf_printf(&out,
               "HTTP/1.1 %d x\r\nContent-Type: %.*s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
               status, VIEW_ARG(media), body.n);
    buf_add_view(&out, body);
    view all = buf_view(&out);
    while (!out.failed && all.n > 0) {
        ssize_t n = send(fd, all.p, all.n, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        all = view_sub(all, (size_t)n, all.n);
    }
    buf_done(&out);
}

static void
answer(struct visitor *v, view path, view body, arena *mem)
{
    view media = V("text/plain"), reply = V("");
    enum pki_mood mood = PKI_ANSWERS;
    struct fault f;
    fault_init(&f);
    if (view_eq(path, V("/control"))) {
        err e = pki_responder_order(v->responder, body, mem, &f);
        send_answer(v->fd, e == E_OK ? 200 : 400, media, e == E_OK ? V("ok\n") : view_of(f.expected));
        return;
    }
    err e = pki_responder_answer(v->responder, path, body, mem, &mood, &media, &reply);
    if (e != E_OK)
        send_answer(v->fd, e == E_NOT_FOUND ? 404 : 400, V("text/plain"), V("no\n"));
    else if (mood == PKI_DOWN)
        send_answer(v->fd, 503, V("text/plain"), V("down\n"));
    else if (mood == PKI_SLOW)
        (void)poll(&(struct pollfd){.fd = v->fd, .events = POLLIN | POLLRDHUP}, 1, HOLD_MS);
    else
        send_answer(v->fd, 200, media, reply);
}

static void *
visit(void *self)
{
    struct visitor *v = self;
    arena *mem = arena_new(16u << 20);
    struct buf in;
    view head, body;
    buf_init(&in, REQUEST_MAX);
    if (read_request(v->fd, &in, &head, &body)) {
        view line = view_cut(&head, '\r', NULL);
        (void)view_cut(&line, ' ', NULL);
        answer(v, view_cut(&line, ' ', NULL), body, mem);
    }
    buf_done(&in);
    arena_free(mem);
    close(v->fd);
    free(v);
    return NULL;
}

static int
listen_on(long port, int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    at.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0) {
        close(fd);
        return -1;
    }
    *ret_port = ntohs(at.sin_port);
    return fd;
}

/* Until the process is ended from outside. */
static void
serve(struct pki_responder *r, int fd)
{
    for (;;) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        struct visitor *v = peer >= 0 ? calloc(1, sizeof *v) : NULL;
        pthread_t thread;
        if (!v)
            continue;
        *v = (struct visitor){r, peer};
        if (pthread_create(&thread, NULL, visit, v) == 0) {
            pthread_detach(thread);
        } else {
            close(peer);
            free(v);
        }
    }
}

int
run_pki_serve(struct args *a)
{
    struct pki_responder *r = NULL;
    struct fault f;
    int port = 0;
    fault_init(&f);
    if (a->n_positional != 1)
        return command_usage(a, "the sandbox PKI's folder is needed");
    err e = pki_responder_open(a->positional[0], &r, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    int fd = listen_on(args_number(a, "port", 0), &port);
    if (fd < 0)
        return command_fail(a, fault_set(&f, E_NETWORK, "port", "a free port", "none"), &f);
    printf("{\"ready\":true,\"port\":%d}\n", port);
    fflush(stdout);
    serve(r, fd);
    return EXIT_OK;
}
