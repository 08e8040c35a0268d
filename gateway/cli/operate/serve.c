#include "cli/command.h"

#include "api/api.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cli/operate/clock_shift.h"
#include "cli/operate/control.h"
#include "duty/courier.h"
#include "duty/duty.h"
#include "flow/evidence/standing.h"
#include "flow/partner/registry.h"
#include "net/net.h"
#include "relay/relay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Everything that runs while the gateway serves; taken down in the reverse order. */
struct serving {
    struct config *config;
    struct gateway *gateway;
    struct relay *relay;
    struct duty *duty;
    struct courier *courier;
    struct control *control;
    struct http_server *public, *ops;
    struct auth_ops auth;
    bool draining;
};

/* -- operations pages -- */

static int
page_live(void *self, struct buf *out)
{
    (void)self;
    BUF_LIT(out, "ok\n");
    return 200;
}

static int
page_ready(void *self, struct buf *out)
{
    struct serving *s = self;
    bool ready = !s->draining && store_is_ready(s->gateway->store);
    buf_printf(out, "store %s\ndraining %s\n", store_is_ready(s->gateway->store) ? "ok" : "failed",
               s->draining ? "yes" : "no");
    return ready ? 200 : 503;
}

static int
page_metrics(void *self, struct buf *out)
{
    struct serving *s = self;
    metric_set(METRIC_LOG_LENGTH, NULL, (int64_t)store_log_length(s->gateway->store));
    metrics_print(out);
    return out->failed ? 500 : 200;
}

static const struct ops_page pages[] = {
    {"/livez", page_live, "text/plain"},
    {"/readyz", page_ready, "text/plain"},
    {"/healthz", page_ready, "text/plain"},
    {"/metrics", page_metrics, "text/plain; version=0.0.4"},
};

/* -- start -- */

static enum log_level
level_of(view word)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_eq(word, view_of(words[i])))
            return (enum log_level)i;
    return LEVEL_INFO;
}

static err
start_http(struct serving *s, struct fault *f)
{
    const struct config *c = s->config;
    s->auth = api_auth(s->gateway);
    const struct http_options options = {
        .listen = config_cstr(c, SET_HTTP_LISTEN),
        .tls_cert = config_cstr(c, SET_HTTP_TLS_CERT),
        .tls_key = config_cstr(c, SET_HTTP_TLS_KEY),
        .tls_client_ca = config_cstr(c, SET_HTTP_TLS_CLIENT_CA),
        .proxy_cert_header = config_cstr(c, SET_HTTP_PROXY_CERT_HEADER),
        .connections = (int)config_int(c, SET_HTTP_CONNECTIONS),
        .body_budget = config_int(c, SET_HTTP_BODY_BUDGET),
        .arena_ceiling = 256u << 20,
        .handlers = api_handlers,
        .app = s->gateway,
        .auth = &s->auth,
    };
    TRY(http_start(&options, &s->public, f));
    return ops_start(config_cstr(c, SET_OPS_LISTEN), pages, COUNT_OF(pages), s, &s->ops, f);
}

/* Each part is swapped by pointer: a request keeps what it began with.  A part that cannot be read stays as it was. */
static err
reload_parts(void *self, struct fault *f)
{
    struct serving *s = self;
    const struct config *c = s->config;
    TRY(gateway_reload_trust(s->gateway, f));
    TRY(gateway_reload_registry(s->gateway, f));
    TRY(gateway_reload_keys(s->gateway, f));
    TRY(standing_note(s->gateway, "keys", f));
    if (config_text(c, SET_HTTP_TLS_CERT).n == 0)
        return E_OK;
    TRY(http_reload_tls(s->public, config_cstr(c, SET_HTTP_TLS_CERT), config_cstr(c, SET_HTTP_TLS_KEY),
                        config_cstr(c, SET_HTTP_TLS_CLIENT_CA), f));
    return standing_note(s->gateway, "tls", f);
}

static err
start(struct serving *s, bool check, struct fault *f)
{
    if (config_bool(s->config, SET_SANDBOX))
        clock_shift_start();
    TRY(net_start());
    TRY(gateway_open(s->config, &s->gateway, f));
    TRY(changes_run(s->gateway, clock_now(), f));
    if (check)
        return E_OK;
    TRY(relay_start(s->gateway, &s->relay, f));
    s->gateway->relay = s->relay;
    s->gateway->wake_relay = relay_wake;
    TRY(duty_start(s->gateway, &s->duty, f));
    TRY(courier_start(s->gateway, &s->courier, f));
    TRY(control_start(s->gateway, &s->control, f));
    TRY(start_http(s, f));
    TRY(standing_note(s->gateway, "tls", f));
    s->gateway->serving = s;
    s->gateway->reload = reload_parts;
    return E_OK;
}

static void
stop(struct serving *s)
{
    span limit = s->config ? config_span(s->config, SET_DRAIN_LIMIT) : SPAN_SECONDS(1);
    if (s->public)
        http_stop(s->public, limit);
    control_stop(s->control);
    courier_stop(s->courier);
    duty_stop(s->duty);
    relay_stop(s->relay);
    if (s->ops)
        http_stop(s->ops, SPAN_SECONDS(1));
    gateway_close(s->gateway);
    net_stop();
    config_free(s->config);
}

/* -- signals -- */

static int
signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    /* Before any thread, so that all of them inherit the mask. */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int
signal_next(int fd, int64_t wait_us)
{
    struct signalfd_siginfo info;
    if (wait_us >= 0) {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(fd, &ready);
        struct timeval t = {wait_us / 1000000, wait_us % 1000000};
        if (select(fd + 1, &ready, NULL, NULL, &t) <= 0)
            return 0;
    }
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static void
reload(struct serving *s)
{
    struct fault f;
    fault_init(&f);
    err e = reload_parts(s, &f);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

/* Until TERM: then readyz says no, requests are still served for the drain delay, then no new ones. A second TERM ends at once. */
static void
serve_until_stopped(struct serving *s, int fd)
{
    for (;;) {
        int signo = signal_next(fd, -1);
        if (signo == SIGHUP)
            reload(s);
        if (signo == SIGTERM || signo == SIGINT)
            break;
    }
    log_event(LOG_DRAIN, F_N("delay_s", config_span(s->config, SET_DRAIN_DELAY).us / 1000000));
    s->draining = true;
    int64_t delay = config_span(s->config, SET_DRAIN_DELAY).us;
    if (delay)
        signal_next(fd, delay);
    http_drain(s->public);
}

static void
print_ready(const struct args *a, const struct serving *s)
{
    int port = http_port(s->public), ops = http_port(s->ops);
    /* One line that a supervisor or a test can wait for. */
    printf("{\"ready\":true,\"port\":%d,\"ops_port\":%d}\n", port, ops);
    fflush(stdout);
    (void)a;
    log_event(LOG_START, F_N("port", port), F_N("ops_port", ops));
}

int
run_serve(struct args *a)
{
    struct serving s = {0};
    struct fault f;
    int code = EXIT_OK;
    fault_init(&f);
    err e = args_config(a, &s.config, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    log_start(level_of(config_text(s.config, SET_LOG_LEVEL)), STDERR_FILENO);
    int fd = signals_open();
    bool check = args_flag(a, "check");
    e = start(&s, check, &f);
    if (e != E_OK) {
        code = command_fail(a, e, &f);
    } else if (check) {
        printf("ok\n");
    } else {
        print_ready(a, &s);
        serve_until_stopped(&s, fd);
        log_event(LOG_STOP, F_N("leaves", (int64_t)store_log_length(s.gateway->store)));
    }
    stop(&s);
    close(fd);
    return code;
}
