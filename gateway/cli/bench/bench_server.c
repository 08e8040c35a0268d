#include "cli/bench/bench.h"

#include "base/json.h"
#include "base/text.h"
#include "net/net.h"
#include "signing/jose/jws.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 20000
#define PAGE_MAX ((size_t)4 << 20)

/* -- life -- */

static void
run_child(const char *dir, int core, int out)
{
    char config[BENCH_PATH], log[BENCH_PATH];
    snprintf(config, sizeof config, "%s/claimgate.conf", dir);
    snprintf(log, sizeof log, "%s/serve.log", dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(EXIT_FAILED);
    bench_pin(core);
    execl("/proc/self/exe", "claimgate", "serve", "--config", config, "--set",
          "http.base_url=" BENCH_BASE_URL, (char *)NULL);
    _exit(EXIT_FAILED);
}

static err
read_ready(struct bench_server *s, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    struct pollfd ready = {.fd = s->out, .events = POLLIN};
    char line[512];
    json_t *json = NULL;
    ssize_t n = poll(&ready, 1, READY_MS) == 1 ? read(s->out, line, sizeof line) : 0;
    if (n <= 0 || json_load(view_trim(view_make(line, (size_t)n)), mem, &json, NULL) != E_OK)
        return fault_set(f, E_INTERNAL, "serve", "the line that says ready", "none");
    s->port = (int)json_int(json, "port", 0);
    s->ops_port = (int)json_int(json, "ops_port", 0);
    return E_OK;
}

err
bench_server_start(const char *dir, int core, struct bench_server *ret, struct fault *f)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fault_set(f, E_INTERNAL, "serve", "a pipe", "none");
    struct bench_server s = {.out = ends[0], .pid = fork()};
    if (s.pid == 0)
        run_child(dir, core, ends[1]);
    close(ends[1]);
    err e = s.pid > 0 ? read_ready(&s, f) : fault_set(f, E_INTERNAL, "serve", "a process", "none");
    if (e != E_OK) {
        bench_server_stop(&s);
        return e;
    }
    *ret = s;
    return E_OK;
}

void
bench_server_stop(struct bench_server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
    }
    if (s->out > 0)
        close(s->out);
    *s = (struct bench_server){.pid = 0};
}

static int
remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

err
bench_folder(char *ret, struct fault *f)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(ret, BENCH_PATH, "%s/claimgate-bench-XXXXXX", temporary && *temporary ? temporary : "/var/tmp");
    return mkdtemp(ret) ? E_OK : fault_set(f, E_FILE, ret, "a folder that can be made", "none");
}

void
bench_remove(const char *dir)
{
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* -- what it used -- */

static view
read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size) : -1;
    if (fd >= 0)
        close(fd);
    return n > 0 ? view_make(out, (size_t)n) : VIEW_NONE;
}

/* The number behind a name in /proc's status form. */
static double
status_number(view text, const char *name)
{
    size_t at = view_find(text, view_of(name));
    view rest = view_trim(view_sub(text, at + strlen(name), 32));
    uint64_t n = 0;
    size_t digits = 0;
    while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
        digits++;
    return at < text.n && text_to_u64(view_sub(rest, 0, digits), &n) == E_OK ? (double)n : 0;
}

static void
add_thread(pid_t pid, const char *tid, struct bench_usage *u)
{
    char path[BENCH_PATH], name[64], text[4096];
    uint64_t ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, tid);
    view stat = read_small(path, text, sizeof text);
    double us = text_to_u64(view_cut(&stat, ' ', NULL), &ns) == E_OK ? (double)ns / 1e3 : 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)pid, tid);
    view comm = view_trim(read_small(path, name, sizeof name));
    if (view_eq(comm, V("store-writer")))
        u->writer_us += us;
    else if (view_starts(comm, V("checkpoint")))
        u->checkpoint_us += us;
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, tid);
    view status = read_small(path, text, sizeof text);
    u->switches += status_number(status, "\nvoluntary_ctxt_switches:") +
                   status_number(status, "nonvoluntary_ctxt_switches:");
}

err
bench_server_usage(const struct bench_server *s, struct bench_usage *ret, struct fault *f)
{
    char path[BENCH_PATH];
    clockid_t clock;
    struct timespec t;
    struct bench_usage u = {.cpu_us = 0};
    snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    DIR *tasks = opendir(path);
    if (!tasks || clock_getcpuclockid(s->pid, &clock) != 0 || clock_gettime(clock, &t) != 0) {
        if (tasks)
            closedir(tasks);
        return fault_set(f, E_INTERNAL, path, "a running server", "none");
    }
    u.cpu_us = (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
    for (const struct dirent *task = readdir(tasks); task; task = readdir(tasks))
        if (task->d_name[0] != '.')
            add_thread(s->pid, task->d_name, &u);
    closedir(tasks);
    *ret = u;
    return E_OK;
}

double
bench_server_rss_mb(const struct bench_server *s)
{
    char path[BENCH_PATH], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->pid);
    return status_number(read_small(path, text, sizeof text), "VmRSS:") / 1024;
}

/* -- calls -- */

static err
call(int port, const char *method, const char *path, view form, arena *mem, struct net_reply *ret,
     struct fault *f)
{
    const struct net_policy policy = {.allow_private = true};
    const struct net_header type = {"Content-Type", V("application/x-www-form-urlencoded")};
    const struct net_request rq = {.method = method,
                                   .url = arena_printf(mem, "http://127.0.0.1:%d%s", port, path),
                                   .headers = &type,
                                   .n_headers = form.n ? 1 : 0,
                                   .body = form,
                                   .reply_max = PAGE_MAX};
    return net_fetch(&policy, &rq, mem, ret, f);
}

int64_t
bench_server_metric(const struct bench_server *s, const char *line, arena *mem)
{
    struct net_reply page;
    int64_t n;
    if (call(s->ops_port, "GET", "/metrics", VIEW_NONE, mem, &page, NULL) != E_OK)
        return -1;
    size_t at = view_find(page.body, view_of(line));
    view rest = view_sub(page.body, at + strlen(line), page.body.n);
    view number = view_trim(view_cut(&rest, '\n', NULL));
    return at < page.body.n && text_to_i64(number, &n) == E_OK ? n : -1;
}

err
bench_token(const struct bench_server *s, const char *dir, const char *partner, arena *mem, view *ret,
            struct fault *f)
{
    char path[BENCH_PATH];
    AUTO(key_free) struct key *key = NULL;
    view text, assertion;
    json_t *json = NULL, *answer = NULL;
    struct net_reply reply;
    snprintf(path, sizeof path, "%s/partners.json", dir);
    TRY(file_read(path, mem, &text, f));
    TRY(json_load(text, mem, &json, f));
    view id = json_text(json_member(json, partner), "id");
    snprintf(path, sizeof path, "%s/pki/%s-client.key", dir, partner);
    TRY(key_load_pem(path, &key, f));
    long long now = (long long)instant_unix(clock_now());
    view claims =
        arena_printf(mem,
                     "{\"iss\":\"%.*s\",\"sub\":\"%.*s\",\"aud\":\"" BENCH_BASE_URL
                     "/oauth2/token\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"bench-%s-%lld-token\"}",
                     VIEW_ARG(id), VIEW_ARG(id), now, now + 120, partner, (long long)clock_monotonic_us());
    TRY(jws_sign(key, V("\"typ\":\"JWT\""), claims, false, mem, &assertion));
    view form = arena_printf(mem,
                             "grant_type=client_credentials&client_assertion_type=urn%%3Aietf%%3Aparams%%"
                             "3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
                             "&client_assertion=%.*s",
                             VIEW_ARG(assertion));
    TRY(call(s->port, "POST", "/oauth2/token", form, mem, &reply, f));
    if (json_load(reply.body, mem, &answer, NULL) != E_OK || !json_text(answer, "access_token").n)
        return fault_set(f, E_LOGIN, "/oauth2/token", "an access token", "a refusal");
    *ret = json_text(answer, "access_token");
    return E_OK;
}
