#include "cli/bench/bench.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)1 << 18)
#define WAIT_MS 30000

/* One kept-alive connection with at most one request on its way. */
struct line {
    int fd;
    struct buf out, in;
    size_t sent, index;
    int64_t begun_us;
    bool is_busy;
};

struct run {
    struct bench_load *load;
    struct line *lines;
    int epoll;
    int64_t from_us, last_us;
    size_t next, busy;
    err code;
};

static err
line_open(struct line *l, int port, int epoll)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (const struct sockaddr *)&to, sizeof to) < 0)
        return E_NETWORK;
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = l}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &event) == 0 ? E_OK : E_NETWORK;
}

/* A request fits a socket's buffer, so that a blocking send does not hold the other lines up. */
static err
line_send(struct line *l)
{
    for (l->sent = 0; l->sent < l->out.n;) {
        ssize_t n = send(l->fd, l->out.p + l->sent, l->out.n - l->sent, MSG_NOSIGNAL);
        if (n <= 0)
            return E_NETWORK;
        l->sent += (size_t)n;
    }
    return E_OK;
}

static err
line_next(struct run *r, struct line *l)
{
    struct bench_load *load = r->load;
    bool late = load->limit_us && clock_monotonic_us() - r->from_us >= load->limit_us;
    if (late || r->next >= load->n)
        return E_OK;
    buf_clear(&l->out);
    buf_clear(&l->in);
    l->index = r->next++;
    TRY(load->fill(load->self, l->index, &l->out));
    l->is_busy = true;
    r->busy++;
    load->sent++;
    l->begun_us = clock_monotonic_us();
    return line_send(l);
}

/* Whole length of the answer in l->in, 0 while its head is not there. */
static size_t
answer_length(view in)
{
    size_t head = view_find(in, V("\r\n\r\n"));
    if (head == in.n)
        return 0;
    view rest = view_sub(in, 0, head);
    while (rest.n) {
        view line = view_cut(&rest, '\n', NULL);
        view name = view_cut(&line, ':', NULL);
        uint64_t n;
        if (view_eq_nocase(name, V("content-length")) && text_to_u64(view_trim(line), &n) == E_OK)
            return head + 4 + (size_t)n;
    }
    return head + 4;
}

static void
note_bad(struct bench_load *load, int status, view in)
{
    if (load->first_bad)
        return;
    load->first_bad = status;
    size_t head = view_find(in, V("\r\n\r\n"));
    view body = view_sub(in, head, sizeof load->bad_text - 1);
    snprintf(load->bad_text, sizeof load->bad_text, "%.*s", VIEW_ARG(body));
}

static err
line_answered(struct run *r, struct line *l)
{
    struct bench_load *load = r->load;
    view in = buf_view(&l->in);
    int64_t status = 0, now = clock_monotonic_us();
    if (text_to_i64(view_sub(in, 9, 3), &status) != E_OK)
        return E_NETWORK;
    if (status == 201 && view_find(in, view_of(load->receipt)) < in.n)
        load->accepted++;
    else
        note_bad(load, (int)status, in);
    if (load->latencies)
        load->latencies[l->index] = (int32_t)(now - l->begun_us);
    r->last_us = now;
    l->is_busy = false;
    r->busy--;
    return line_next(r, l);
}

static err
line_read(struct run *r, struct line *l)
{
    char some[16384];
    ssize_t n = recv(l->fd, some, sizeof some, 0);
    if (n <= 0)
        return l->is_busy ? E_NETWORK : E_OK;
    buf_add(&l->in, some, (size_t)n);
    size_t whole = answer_length(buf_view(&l->in));
    if (l->in.failed || (whole && l->in.n > whole))
        return E_NETWORK;
    return whole && l->in.n == whole ? line_answered(r, l) : E_OK;
}

static err
serve_lines(struct run *r)
{
    struct epoll_event events[64];
    while (r->busy) {
        int n = epoll_wait(r->epoll, events, COUNT_OF(events), WAIT_MS);
        if (n == 0 || (n < 0 && errno != EINTR))
            return E_NETWORK;
        for (int i = 0; i < n; i++)
            TRY(line_read(r, events[i].data.ptr));
    }
    return E_OK;
}

static err
run_lines(struct run *r)
{
    for (int i = 0; i < r->load->connections; i++) {
        struct line *l = &r->lines[i];
        buf_init(&l->out, REQUEST_MAX);
        buf_init(&l->in, REQUEST_MAX);
        TRY(line_open(l, r->load->port, r->epoll));
    }
    r->from_us = r->last_us = clock_monotonic_us();
    for (int i = 0; i < r->load->connections; i++)
        TRY(line_next(r, &r->lines[i]));
    return serve_lines(r);
}

err
bench_load_run(struct bench_load *l, struct fault *f)
{
    struct run r = {.load = l,
                    .epoll = epoll_create1(EPOLL_CLOEXEC),
                    .lines = calloc((size_t)l->connections, sizeof *r.lines)};
    if (!r.lines)
        abort();
    for (int i = 0; i < l->connections; i++)
        r.lines[i].fd = -1;
    err e = run_lines(&r);
    l->elapsed_us = r.last_us - r.from_us;
    for (int i = 0; i < l->connections; i++) {
        if (r.lines[i].fd >= 0)
            close(r.lines[i].fd);
        buf_done(&r.lines[i].out);
        buf_done(&r.lines[i].in);
    }
    close(r.epoll);
    free(r.lines);
    if (e != E_OK)
        return fault_set(f, e, "", "an answer to each request", "a broken or silent connection");
    if (l->accepted != l->sent)
        return fault_setf(f, E_INTERNAL, "201 with a receipt for each request", l->bad_text, "HTTP %d",
                          l->first_bad);
    return E_OK;
}
