#include "http/conn.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 512

static err
bad_address(struct fault *f, const char *found)
{
    return fault_set(f, E_CONFIG, "listen", "address:port, [v6 address]:port or unix:/path", found);
}

/* A socket file that nobody listens on is left from an unclean end. */
static err
remove_stale(const struct sockaddr_un *address, struct fault *f)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0)
        return E_OK;
    if (!S_ISSOCK(info.st_mode))
        return bad_address(f, "a file that is no socket");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return bad_address(f, "no socket to be had");
    int connected = connect(fd, (const struct sockaddr *)address, sizeof *address);
    close(fd);
    if (connected == 0)
        return bad_address(f, "a socket in use");
    unlink(address->sun_path);
    return E_OK;
}

static err
open_unix(view path, struct http_server *s, int *ret_fd, struct fault *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof address.sun_path)
        return bad_address(f, "a path that is relative or too long");
    memcpy(address.sun_path, path.p, path.n);
    TRY(remove_stale(&address, f));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return bad_address(f, "no socket to be had");
    /* Group of the proxy may connect, nobody else: who connects here is believed about client
     * certificates. */
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0660) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        close(fd);
        return bad_address(f, "a path that cannot be bound");
    }
    s->is_unix = true;
    memcpy(s->socket_path, address.sun_path, sizeof s->socket_path);
    *ret_fd = fd;
    return E_OK;
}

/* Cuts "127.0.0.1:80" or "[::1]:80" into NUL-terminated parts. */
static bool
cut_address(view where, char host[64], char port[8])
{
    size_t colon = where.n;
    while (colon > 0 && where.p[colon - 1] != ':')
        colon--;
    view host_view = colon > 0 ? view_sub(where, 0, colon - 1) : VIEW_NONE;
    view port_view = view_sub(where, colon, where.n);
    if (host_view.n >= 2 && host_view.p[0] == '[' && host_view.p[host_view.n - 1] == ']')
        host_view = view_sub(host_view, 1, host_view.n - 2);
    int64_t number = 0; /* getaddrinfo would cut 65537 down to 1 */
    if (host_view.n == 0 || host_view.n >= 64 || port_view.n >= 8 || !text_is_digits(port_view) ||
        text_to_i64(port_view, &number) != E_OK || number > 65535)
        return false;
    memcpy(host, host_view.p, host_view.n);
    host[host_view.n] = '\0';
    memcpy(port, port_view.p, port_view.n);
    port[port_view.n] = '\0';
    return true;
}

static int
bound_port(int fd)
{
    char host[64], port[8];
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    int64_t number = 0;
    if (getsockname(fd, (struct sockaddr *)&address, &n) != 0 ||
        getnameinfo((struct sockaddr *)&address, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
        text_to_i64(view_of(port), &number) != E_OK)
        return 0;
    return (int)number;
}

static err
open_tcp(view where, struct http_server *s, int *ret_fd, struct fault *f)
{
    char host[64], port[8];
    if (!cut_address(where, host, port))
        return bad_address(f, "another form");
    const struct addrinfo hints = {
        .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return bad_address(f, "no numeric address");
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    bool is_open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0;
    bool is_in_use = !is_open && errno == EADDRINUSE;
    freeaddrinfo(list);
    if (!is_open) {
        if (fd >= 0)
            close(fd);
        return bad_address(f, is_in_use ? "an address in use" : "an address that cannot be bound");
    }
    s->port = bound_port(fd);
    *ret_fd = fd;
    return E_OK;
}

static err
open_any(view where, struct http_server *s, int *ret_fd, struct fault *f)
{
    if (view_starts(where, V("unix:")))
        return open_unix(view_sub(where, 5, where.n), s, ret_fd, f);
    return open_tcp(where, s, ret_fd, f);
}

err
listen_open(const char *where, struct http_server *s, int *ret_fd, struct fault *f)
{
    int fd = -1;
    TRY(open_any(view_of(where), s, &fd, f));
    /* The library accepts in a loop until there is nothing left. */
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *ret_fd = fd;
    return E_OK;
}

void
listen_forget(struct http_server *s)
{
    if (s->socket_path[0])
        unlink(s->socket_path);
    s->socket_path[0] = '\0';
}
