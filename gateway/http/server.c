#include "http/conn.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define IDLE_SECONDS 15U
/* Of the library, per connection, for head and read buffer.  It is zeroed for each request, so more is
 * dearer: 256 KiB cost 3 microseconds a request. */
#define POOL_BYTES ((size_t)64 * 1024)
#define POOL_STEP ((size_t)16 * 1024)
#ifdef __SANITIZE_ADDRESS__
#define STACK_BYTES ((size_t)2 * 1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_BYTES ((size_t)2 * 1024 * 1024)
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES ((size_t)512 * 1024)
#endif

/* The library's own words may hold bytes of a peer, so they are not logged. */
static void
drop_message(void *cls, const char *format, va_list args)
{
    (void)cls;
    (void)format;
    (void)args;
}

static void
panic(void *cls, const char *file, unsigned line, const char *reason)
{
    (void)cls;
    (void)file;
    (void)reason;
    log_event(LOG_INTERNAL, F_NAME("where", "microhttpd"), F_N("line", line));
    abort();
}

/* The path is decoded once, by us, segment by segment. */
static size_t
keep_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

/* Sessions get their credentials in connection_notify; the library's own set holds none, so that a session
 * without ours fails instead of serving unverified. */
static int
no_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
               gnutls_pcert_st **certificates, unsigned *n, gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp,
               gnutls_privkey_t *key, unsigned *flags)
{
    (void)session;
    (void)info;
    (void)certificates;
    (void)n;
    (void)ocsp;
    (void)n_ocsp;
    (void)key;
    (void)flags;
    return -1;
}

static void
prepare_process(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    MHD_set_panic_func(panic, NULL);
    observe_start();
}

static pthread_once_t process_once = PTHREAD_ONCE_INIT;

struct http_server *
server_make(const struct http_options *o, size_t n_slots)
{
    pthread_once(&process_once, prepare_process);
    size_t bytes = sizeof(struct http_server) + n_slots * sizeof(struct connection);
    arena *mem = arena_new(bytes + 4096);
    struct http_server *s = arena_make(mem, struct http_server);
    struct connection *slots = n_slots > 0 ? arena_make_array(mem, n_slots, struct connection) : NULL;
    assert(s && (slots || n_slots == 0)); /* sizes of ours */
    s->mem = mem;
    s->options = *o;
    /* The version that runs, not the one compiled against: both carry the same library name. */
    s->has_layout_rule = view_starts(view_of(MHD_get_version()), V("0."));
    s->slots = slots;
    s->n_slots = n_slots;
    for (size_t i = 0; i < n_slots; i++) {
        slots[i].server = s;
        slots[i].next_free = i + 1 < n_slots ? &slots[i + 1] : NULL;
    }
    s->free = slots;
    atomic_store(&s->budget.ceiling, o->body_budget);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&s->lock, NULL);
    tls_current_init(&s->tls);
    return s;
}

void
server_free(struct http_server *s)
{
    for (size_t i = 0; i < s->n_slots; i++) {
        if (!s->slots[i].mem)
            continue;
        buf_done(&s->slots[i].body);
        buf_done(&s->slots[i].out);
        arena_free(s->slots[i].mem);
    }
    tls_current_done(&s->tls);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->lock);
    listen_forget(s);
    arena_free(s->mem);
}

#define OPTION(option, value, pointer)                                                                       \
    {                                                                                                        \
        (option), (intptr_t)(value), (void *)(uintptr_t)(pointer)                                            \
    }

static struct MHD_Daemon *
start_daemon(struct http_server *s, int fd)
{
    struct MHD_OptionItem options[] = {
        OPTION(MHD_OPTION_EXTERNAL_LOGGER, drop_message, NULL), /* first, or start messages go to stderr */
        OPTION(MHD_OPTION_LISTEN_SOCKET, fd, NULL),
        OPTION(MHD_OPTION_CONNECTION_LIMIT, s->options.connections, NULL),
        OPTION(MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL),
        OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL),
        OPTION(MHD_OPTION_CONNECTION_MEMORY_INCREMENT, POOL_STEP, NULL),
        OPTION(MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, NULL),
        OPTION(MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL),
        OPTION(MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL),
        OPTION(MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL),
        OPTION(MHD_OPTION_URI_LOG_CALLBACK, connection_begin, s),
        OPTION(MHD_OPTION_NOTIFY_CONNECTION, connection_notify, s),
        OPTION(MHD_OPTION_NOTIFY_COMPLETED, connection_completed, s),
        OPTION(MHD_OPTION_END, 0, NULL),
    };
    struct MHD_OptionItem tls_options[] = {
        OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES),
        OPTION(MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, no_certificate),
        OPTION(MHD_OPTION_END, 0, NULL),
    };
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                     MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (!s->has_tls)
        return MHD_start_daemon(flags, 0, NULL, NULL, serve_request, s, MHD_OPTION_ARRAY, options,
                                MHD_OPTION_END);
    return MHD_start_daemon(flags | MHD_USE_TLS, 0, NULL, NULL, serve_request, s, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
}

struct MHD_Daemon *
server_start_ops(struct http_server *s, int fd, MHD_AccessHandlerCallback serve, unsigned connections)
{
    struct MHD_OptionItem options[] = {
        OPTION(MHD_OPTION_EXTERNAL_LOGGER, drop_message, NULL),
        OPTION(MHD_OPTION_LISTEN_SOCKET, fd, NULL),
        OPTION(MHD_OPTION_CONNECTION_LIMIT, connections, NULL),
        OPTION(MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL),
        OPTION(MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL),
        OPTION(MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL),
        OPTION(MHD_OPTION_END, 0, NULL),
    };
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG,
                            0, NULL, NULL, serve, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static err
open_server(struct http_server *s, struct fault *f)
{
    const struct http_options *o = &s->options;
    bool has_cert = o->tls_cert && *o->tls_cert;
    int fd = -1;
    if (has_cert) {
        struct tls_set *set = NULL;
        TRY(tls_set_new(o->tls_cert, o->tls_key, o->tls_client_ca, &set, f));
        tls_current_put(&s->tls, set);
        s->has_tls = true;
    }
    TRY(listen_open(o->listen, s, &fd, f));
    s->daemon = start_daemon(s, fd);
    if (!s->daemon) {
        close(fd);
        return fault_set(f, E_CONFIG, "http.listen", "a listener that starts", "a library that refuses");
    }
    return E_OK;
}

err
http_start(const struct http_options *o, struct http_server **ret, struct fault *f)
{
    assert(o->listen && o->handlers && o->auth && o->connections > 0);
    struct http_server *s = server_make(o, (size_t)o->connections + SERVER_SPARE_SLOTS);
    err e = open_server(s, f);
    if (e != E_OK) {
        server_free(s);
        return e;
    }
    *ret = s;
    return E_OK;
}

const char *
http_library_version(void)
{
    return MHD_get_version();
}

int
http_port(const struct http_server *s)
{
    return s->port;
}

void
http_drain(struct http_server *s)
{
    atomic_store(&s->draining, true);
}

void
http_set_body_budget(struct http_server *s, int64_t bytes)
{
    atomic_store(&s->budget.ceiling, bytes);
}

static struct timespec
deadline_after(span limit)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at); /* a real wait, which the injected clock cannot end */
    int64_t ns = at.tv_nsec + limit.us % 1000000 * 1000;
    at.tv_sec += (time_t)(limit.us / 1000000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

static void
wait_idle(struct http_server *s, span limit)
{
    struct timespec deadline = deadline_after(limit);
    pthread_mutex_lock(&s->lock);
    while (s->in_flight > 0 && pthread_cond_timedwait(&s->idle, &s->lock, &deadline) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&s->lock);
}

void
http_stop(struct http_server *s, span limit)
{
    http_drain(s);
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    listen_forget(s);
    wait_idle(s, limit);
    MHD_stop_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    server_free(s);
}

err
http_reload_tls(struct http_server *s, const char *cert, const char *key, const char *client_ca,
                struct fault *f)
{
    struct tls_set *set = NULL;
    if (!s->has_tls)
        return fault_set(f, E_CONFIG, "http.tls_cert", "a listener that was started with TLS", "one without");
    TRY(tls_set_new(cert, key, client_ca, &set, f));
    tls_current_put(&s->tls, set);
    return E_OK;
}
