/* Behind a proxy: a Unix socket, the certificate header, listeners that cannot be had, and the operations
 * listener. */
#include "kit.h"

#include <sys/stat.h>

static struct kit kit;
static char folder[] = "/tmp/claimgate-unix-XXXXXX";
static char listen_text[200];
static const char *socket_path;

/* "certificate" bytes: the http room only hands them on. */
#define DER                                                                                                  \
    "MIIBszCCAVmgAwIBAgIUZHVtbXktY2VydGlmaWNhdGUtZm9yLXRoZS10ZXN0LW9mLWh0dHAwCgYIKoZIzj0EAwIwDzENMAsGA1UEAw" \
    "wEdGVzdA=="

static void
start_unix(const char *header)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(listen_text, sizeof listen_text, "unix:%s/socket", folder);
    socket_path = listen_text + 5;
    kit_start(&kit, (struct http_options){.listen = listen_text, .proxy_cert_header = header});
}

static void
stop_unix(void)
{
    kit_stop(&kit);
    cr_expect_neq(access(socket_path, F_OK), 0, "the socket file is gone");
    rmdir(folder);
}

static int
ask_with(const char *headers)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "%s\r\n", headers);
    int fd = kit_connect_unix(socket_path);
    kit_write(fd, view_make(text, (size_t)n));
    struct kit_reply r = kit_read(fd);
    int status = r.status;
    kit_free(&r);
    close(fd);
    return status;
}

Test(listeners, certificate_of_the_proxy)
{
    start_unix("X-SSL-Client-DER");
    kit.certificate_n = 99;
    cr_expect_eq(ask_with(""), 200);
    cr_expect_eq(kit.certificate_n, 0);
    cr_expect_eq(ask_with("x-ssl-client-der: " DER "\r\n"), 200);
    cr_expect_eq(kit.certificate_n, 82, "%zu", (size_t)kit.certificate_n);
    cr_expect_eq(ask_with("X-SSL-Client-DER:\r\n"), 200, "empty: haproxy had none");
    cr_expect_eq(kit.certificate_n, 0);
    cr_expect_eq(ask_with("X-SSL-Client-DER: no base64\r\n"), 401);
    cr_expect_eq(ask_with("X-SSL-Client-DER: AAAA\r\n"), 401);
    cr_expect_eq(ask_with("X-SSL-Client-DER: " DER "\r\nX-SSL-Client-DER: " DER "\r\n"), 400,
                 "a client sent one too");
    stop_unix();
}

Test(listeners, socket_rights)
{
    struct stat info;
    start_unix(NULL);
    cr_assert_eq(stat(socket_path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0660);
    cr_expect_eq(ask_with("X-SSL-Client-DER: " DER "\r\n"), 200);
    cr_expect_eq(kit.certificate_n, 0, "no header is configured");
    stop_unix();
}

/* AB-T 28: over TCP anybody may send the header. */
Test(listeners, ab_t_28_header_over_tcp_is_ignored)
{
    kit_start(&kit, (struct http_options){.proxy_cert_header = "X-SSL-Client-DER"});
    kit.certificate_n = 99;
    cr_expect_eq(
        kit_status(&kit, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "X-SSL-Client-DER: " DER "\r\n\r\n")),
        200);
    cr_expect_eq(kit.certificate_n, 0);
    kit_stop(&kit);
}

static err
try_listen(const char *where)
{
    static const handler none[ROUTE_COUNT];
    static struct auth_ops auth;
    struct http_options o = {
        .listen = where, .connections = 4, .arena_ceiling = 1000, .handlers = none, .auth = &auth};
    struct http_server *s = NULL;
    struct fault f;
    fault_init(&f);
    err e = http_start(&o, &s, &f);
    if (e == E_OK)
        http_stop(s, SPAN_SECONDS(1));
    return e;
}

static const struct {
    const char *where;
    err want;
} places[] = {
    {"127.0.0.1:0", E_OK},
    {"[::1]:0", E_OK},
    {"0.0.0.0:0", E_OK},
    {"", E_CONFIG},
    {"127.0.0.1", E_CONFIG},
    {":8443", E_CONFIG},
    {"127.0.0.1:", E_CONFIG},
    {"127.0.0.1:x", E_CONFIG},
    {"127.0.0.1:99999", E_CONFIG},
    {"localhost:0", E_CONFIG},
    {"203.0.113.7:0", E_CONFIG}, /* not ours */
    {"unix:relative", E_CONFIG},
    {"unix:", E_CONFIG},
    {"unix:/nowhere/socket", E_CONFIG},
    {"unix:/dev/null", E_CONFIG}, /* a file that is no socket stays */
};

Test(listeners, places_to_listen)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        err e = try_listen(places[i].where);
        bool has_v6 = strchr(places[i].where, '[') == NULL || e == E_OK;
        cr_expect(e == places[i].want || !has_v6, "%s: %s", places[i].where, err_info(e)->code);
    }
    cr_expect_eq(access("/dev/null", F_OK), 0);
}

Test(listeners, stale_and_busy_sockets)
{
    start_unix(NULL);
    cr_expect_eq(try_listen(listen_text), E_CONFIG, "in use");
    cr_expect_eq(ask_with(""), 200, "and still served");
    stop_unix();
    memcpy(folder, "/tmp/claimgate-unix-XXXXXX", sizeof folder);
    cr_assert_not_null(mkdtemp(folder));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    snprintf(listen_text, sizeof listen_text, "unix:%s", address.sun_path);
    cr_expect_eq(try_listen(listen_text), E_OK, "left from an unclean end");
    rmdir(folder);
}

static int
print_live(void *self, struct buf *out)
{
    (void)self;
    BUF_LIT(out, "live\n");
    return 200;
}

static int
print_ready(void *self, struct buf *out)
{
    bool *is_ready = self;
    buf_printf(out, "%s\n", *is_ready ? "ready" : "draining");
    return *is_ready ? 200 : 503;
}

static int
print_much(void *self, struct buf *out)
{
    (void)self;
    for (int i = 0; i < 60000; i++)
        buf_printf(out, "line %d\n", i);
    return 200;
}

static const struct ops_page pages[] = {
    {"/livez", print_live, "text/plain"},
    {"/readyz", print_ready, "text/plain"},
    {"/metrics", print_much, "text/plain; version=0.0.4"},
};

static const struct {
    view bytes;
    int want;
    const char *body;
} ops[] = {
    {BYTES("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "live\n"},
    {BYTES("GET /livez HTTP/1.0\r\n\r\n"), 200, "live\n"},
    {BYTES("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"), 200, ""},
    {BYTES("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "ready\n"},
    {BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 404, NULL},
    {BYTES("GET /v1/claims/x HTTP/1.1\r\nHost: x\r\n\r\n"), 404, NULL},
    {BYTES("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"), 405, NULL},
    {BYTES("DELETE /livez HTTP/1.1\r\nHost: x\r\n\r\n"), 405, NULL},
};

Test(listeners, operations_listener)
{
    bool is_ready = true;
    struct fault f;
    fault_init(&f);
    struct kit local = {.port = 0};
    cr_assert_eq(ops_start("127.0.0.1:0", pages, COUNT_OF(pages), &is_ready, &local.server, &f), E_OK);
    local.port = http_port(local.server);
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        struct kit_reply r = kit_ask(&local, ops[i].bytes);
        cr_expect_eq(r.status, ops[i].want, "%zu: %d", i, r.status);
        if (ops[i].body)
            cr_expect(view_eq(r.body, view_of(ops[i].body)), "%zu: %.*s", i, VIEW_ARG(r.body));
        kit_free(&r);
    }
    struct kit_reply r = kit_ask(&local, V("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_expect(view_ends(r.body, V("line 59999\n")));
    kit_free(&r);
    is_ready = false;
    cr_expect_eq(kit_status(&local, V("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")), 503);
    http_stop(local.server, SPAN_SECONDS(1));
}
