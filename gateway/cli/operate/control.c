#include "cli/operate/control.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/operate/clock_shift.h"
#include "duty/time.h"
#include "flow/case/case.h"
#include "flow/case/case_check.h"
#include "flow/case/split.h"
#include "flow/partner/registry.h"
#include "signing/time/evidence_record.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES (8u << 20)

struct control {
    struct gateway *g;
    int fd;
    pthread_t thread;
    atomic_bool stopping;
    char path[108];
};

static err
socket_path(const struct config *c, char out[108], struct fault *f)
{
    view v = config_text(c, SET_OPS_SOCKET);
    int n = v.n ? snprintf(out, 108, "%.*s", VIEW_ARG(v))
                : snprintf(out, 108, "%s/claimgate.sock", config_cstr(c, SET_STORE_DIR));
    return n > 0 && n < 108
               ? E_OK
               : fault_set(f, E_CONFIG, "ops.socket", "a path of at most 107 bytes", "a longer one");
}

err
control_renew(struct gateway *g, view hash, view *ret_json, struct fault *f)
{
    bool done;
    size_t size = hash_size_of(hash);
    if (hash.n && size == 0)
        return fault_set(f, E_USAGE, "--hash", "sha256, sha384 or sha512", "another word");
    TRY(time_renew(g, instant_add(clock_now(), config_span(g->config, SET_TIME_RENEW_AHEAD)), size, &done,
                   f));
    *ret_json = done ? V("{\"renewed\":true}") : V("{\"renewed\":false}");
    return E_OK;
}

err
control_do(struct gateway *g, view verb, view text, arena *mem, view *ret_json, struct fault *f)
{
    view state;
    char id[ID_TEXT_SIZE];
    if (view_eq(verb, V("propose"))) {
        change_id change;
        TRY(change_propose(g, text, mem, &change, &state, f));
        *ret_json = arena_printf(mem, "{\"change\":\"%.*s\",\"state\":\"%.*s\"}",
                                 VIEW_ARG(change_id_print(change, id)), VIEW_ARG(state));
    } else if (view_eq(verb, V("approve"))) {
        TRY(change_approve(g, text, mem, &state, f));
        *ret_json = arena_printf(mem, "{\"state\":\"%.*s\"}", VIEW_ARG(state));
    } else if (view_eq(verb, V("partners"))) {
        TRY(registry_print(g, mem, ret_json));
    } else if (view_eq(verb, V("change"))) {
        TRY(change_print(g, text, mem, ret_json, f));
    } else if (view_eq(verb, V("reload"))) {
        if (!g->reload)
            return fault_set(f, E_USAGE, "reload", "a gateway that serves", "none");
        TRY(g->reload(g->serving, f));
        *ret_json = V("{\"reloaded\":true}");
    } else if (view_eq(verb, V("renew"))) {
        TRY(control_renew(g, text, ret_json, f));
    } else if (view_eq(verb, V("clock"))) {
        TRY(clock_shift_add(text, f));
        if (g->wake_duty)
            g->wake_duty(g->duty);
        char when[32];
        *ret_json = arena_printf(mem, "{\"now\":\"%.*s\"}", VIEW_ARG(instant_print(clock_now(), when)));
    } else if (view_eq(verb, V("cases"))) {
        TRY(case_list(g, text, mem, ret_json, f));
    } else if (view_eq(verb, V("case")) || view_eq(verb, V("case-provenance"))) {
        case_id in_case;
        if (case_id_parse(text, &in_case) != E_OK)
            return fault_set(f, E_NOT_FOUND, "", "case-…", "another form");
        TRY(case_show(g, in_case, view_eq(verb, V("case-provenance")), mem, ret_json, f));
    } else if (view_eq(verb, V("check"))) {
        case_id in_case;
        if (case_id_parse(text, &in_case) != E_OK)
            return fault_set(f, E_NOT_FOUND, "", "case-…", "another form");
        TRY(case_check_one(g, in_case, mem, ret_json, f));
    } else if (view_eq(verb, V("check-page"))) {
        TRY(case_check_page(g, text, mem, ret_json, f));
    } else if (view_eq(verb, V("split"))) {
        TRY(case_split(g, text, mem, ret_json, f));
    } else {
        return fault_set(f, E_USAGE, "verb", "a known verb", "another");
    }
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* -- serving -- */

static bool
is_same_user(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static bool
read_line(int fd, struct buf *line)
{
    char part[65536];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0) {
        buf_add(line, part, (size_t)n);
        if (line->failed || part[n - 1] == '\n')
            break;
    }
    return !line->failed && line->n > 1 && line->p[line->n - 1] == '\n';
}

static void
write_all(int fd, view v)
{
    while (v.n) {
        ssize_t n = send(fd, v.p, v.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        v = view_sub(v, (size_t)n, v.n);
    }
}

static void
print_fault(struct buf *out, err e, const struct fault *f)
{
    buf_printf(out, "{\"error\":\"%s\",\"where\":", err_info(e)->code);
    buf_add_json(out, view_of(f->where));
    BUF_LIT(out, ",\"expected\":");
    buf_add_json(out, view_of(f->expected));
    BUF_LIT(out, ",\"found\":");
    buf_add_json(out, view_of(f->found));
    BUF_LIT(out, "}\n");
}

static void
serve_one(struct control *c, int fd)
{
    AUTO(arena_free) arena *mem = arena_new(512u << 20);
    struct buf line, out;
    struct fault f;
    json_t *json = NULL;
    view answer = VIEW_NONE;
    buf_init(&line, LINE_MAX_BYTES);
    buf_init(&out, 256u << 20);
    fault_init(&f);
    if (is_same_user(fd) && read_line(fd, &line)) {
        err e = json_load(view_sub(buf_view(&line), 0, line.n - 1), mem, &json, &f);
        if (e == E_OK)
            e = control_do(c->g, json_text(json, "verb"), json_text(json, "text"), mem, &answer, &f);
        if (e == E_OK) {
            buf_add_view(&out, answer);
            BUF_LIT(&out, "\n");
        } else {
            print_fault(&out, e, &f);
        }
        write_all(fd, buf_view(&out));
    }
    buf_done(&line);
    buf_done(&out);
}

static void *
run(void *self)
{
    struct control *c = self;
    while (!atomic_load(&c->stopping)) {
        struct pollfd p = {c->fd, POLLIN, 0};
        if (poll(&p, 1, 200) <= 0)
            continue;
        int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        struct timeval limit = {10, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        serve_one(c, fd);
        close(fd);
    }
    return NULL;
}

err
control_start(struct gateway *g, struct control **ret, struct fault *f)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->g = g;
    c->fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    err e = socket_path(g->config, c->path, f);
    if (e == E_OK) {
        memcpy(address.sun_path, c->path, sizeof c->path);
        unlink(c->path); /* ours: the store's lock file says that no other gateway runs here */
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool good = c->fd >= 0 && bind(c->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    listen(c->fd, 8) == 0 && pthread_create(&c->thread, NULL, run, c) == 0;
        e = good ? E_OK : fault_set(f, E_CONFIG, "ops.socket", "a socket that can be made", "none");
    }
    if (e != E_OK) {
        if (c->fd >= 0)
            close(c->fd);
        free(c);
        return e;
    }
    *ret = c;
    return E_OK;
}

void
control_stop(struct control *c)
{
    if (!c)
        return;
    atomic_store(&c->stopping, true);
    pthread_join(c->thread, NULL);
    close(c->fd);
    unlink(c->path);
    free(c);
}

/* -- asking -- */

static err
read_fault(const json_t *json, struct fault *f)
{
    err e = err_by_code(json_text(json, "error"));
    arena *mem = arena_new(4096);
    const char *where = arena_cstr(mem, json_text(json, "where")),
               *expected = arena_cstr(mem, json_text(json, "expected")),
               *found = arena_cstr(mem, json_text(json, "found"));
    fault_set(f, e == E_OK ? E_INTERNAL : e, where ? where : "", expected ? expected : "",
              found ? found : "");
    arena_free(mem);
    return e == E_OK ? E_INTERNAL : e;
}

err
control_ask(const struct config *c, view verb, view text, arena *mem, view *ret_json, bool *ret_running,
            struct fault *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[108];
    TRY(socket_path(c, path, f));
    memcpy(address.sun_path, path, sizeof path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret_running = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (!*ret_running) {
        if (fd >= 0)
            close(fd);
        return E_OK;
    }
    struct buf line;
    buf_init(&line, 256u << 20);
    BUF_LIT(&line, "{\"verb\":");
    buf_add_json(&line, verb);
    BUF_LIT(&line, ",\"text\":");
    buf_add_json(&line, text);
    BUF_LIT(&line, "}\n");
    write_all(fd, buf_view(&line));
    buf_clear(&line);
    bool good = read_line(fd, &line);
    close(fd);
    view answer = good ? arena_dup(mem, view_sub(buf_view(&line), 0, line.n - 1)) : VIEW_NONE;
    buf_done(&line);
    json_t *json = NULL;
    if (!answer.p)
        return fault_set(f, E_NETWORK, "ops.socket", "an answer", "none");
    TRY(json_load(answer, mem, &json, f));
    if (json_text(json, "error").n)
        return read_fault(json, f);
    *ret_json = answer;
    return E_OK;
}
