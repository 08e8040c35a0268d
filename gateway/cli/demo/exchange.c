#include "cli/demo/exchange.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX ((size_t)1 << 20)

/* -- the wire -- */

static err
port_of(const struct client *c, in_port_t *ret, struct fault *f)
{
    view port = view_of(client_base(c));
    int64_t n = 0;
    for (size_t i = view_find_byte(port, ':'); i < port.n; i = view_find_byte(port, ':'))
        port = view_sub(port, i + 1, port.n);
    if (text_to_i64(port, &n) != E_OK || n < 1 || n > 65535)
        return fault_set(f, E_NETWORK, "http.base_url", "a port", "none");
    *ret = htons((uint16_t)n);
    return E_OK;
}

static bool
send_all(int fd, view bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = view_sub(bytes, (size_t)n, bytes.n);
    }
    return true;
}

static void
receive_all(int fd, struct buf *in)
{
    char part[16384];
    ssize_t n;
    while ((n = recv(fd, part, sizeof part, 0)) > 0)
        buf_add(in, part, (size_t)n);
}

/* Sends, and takes what comes until the gateway closes.  in NULL: what comes is not wanted. */
static err
talk(in_port_t port, view head, view body, struct buf *in, struct fault *f)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool sent = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 && send_all(fd, head) &&
                send_all(fd, body) && (in || shutdown(fd, SHUT_WR) == 0);
    struct buf unused;
    buf_init(&unused, REPLY_MAX);
    if (sent)
        receive_all(fd, in ? in : &unused);
    buf_done(&unused);
    if (fd >= 0)
        close(fd);
    return sent ? E_OK : fault_set(f, E_NETWORK, "http.base_url", "a connection", "none");
}

/* -- a request -- */

static view
head_of(const struct exchange *x, arena *mem)
{
    struct buf out;
    buf_init(&out, 65536);
    buf_printf(&out, "%s %.*s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", x->method,
               VIEW_ARG(x->target));
    for (size_t i = 0; i < x->n_headers; i++)
        buf_printf(&out, "%s: %.*s\r\n", x->headers[i].name, VIEW_ARG(x->headers[i].value));
    if (x->body.n)
        buf_printf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\n", x->media, x->body.n);
    BUF_LIT(&out, "\r\n");
    view head = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return head;
}

view
exchange_header(const struct exchange_reply *reply, view name)
{
    view head = reply->head;
    while (head.n) {
        view line = view_cut(&head, '\n', NULL);
        view key = view_cut(&line, ':', NULL);
        if (view_eq_nocase(view_trim(key), name))
            return view_trim(line);
    }
    return VIEW_NONE;
}

err
exchange_call(struct client *c, const struct exchange *x, arena *mem, struct exchange_reply *ret,
              struct fault *f)
{
    in_port_t port;
    struct buf in;
    int64_t status = 0;
    TRY(port_of(c, &port, f));
    buf_init(&in, REPLY_MAX);
    err e = talk(port, head_of(x, mem), x->body, &in, f);
    view all = arena_dup(mem, buf_view(&in));
    buf_done(&in);
    TRY(e);
    size_t end = view_find(all, V("\r\n\r\n"));
    if (end == all.n || text_to_i64(view_sub(all, sizeof "HTTP/1.1 " - 1, 3), &status) != E_OK)
        return fault_set(f, E_NETWORK, "http.base_url", "an answer", "none");
    *ret = (struct exchange_reply){(int)status, view_sub(all, 0, end), view_sub(all, end + 4, all.n)};
    return E_OK;
}

err
exchange_break(struct client *c, const struct exchange *x, size_t n, arena *mem, struct fault *f)
{
    in_port_t port;
    TRY(port_of(c, &port, f));
    return talk(port, head_of(x, mem), view_sub(x->body, 0, n), NULL, f);
}

void
form_add(struct buf *form, const char *name, view value)
{
    buf_printf(form, "%s%s=", form->n ? "&" : "", name);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain)
            buf_add_byte(form, (char)c);
        else
            buf_printf(form, "%%%02X", c);
    }
}
