#include "cli/demo/cast.h"

#include "cli/demo/folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 12
#define END_LIMIT_US 4000000
#define TICK_MS 100
#define TOLD_CEILING ((size_t)8 << 20)

extern char **environ;

/* -- preparation -- */

void
cast_init(struct cast *c, struct args *a, int64_t deadline_us)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigset_t set;
    *c = (struct cast){.a = a, .deadline_us = deadline_us};
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaction(SIGPIPE, &ignored, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    c->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

err
cast_folder(struct cast *c, struct fault *f)
{
    const char *parent = getenv("TMPDIR");
    snprintf(c->dir, sizeof c->dir, "%s/claimgate-demo-XXXXXX",
             parent && *parent && strlen(parent) < 200 ? parent : "/tmp");
    if (!mkdtemp(c->dir)) {
        c->dir[0] = '\0';
        return fault_set(f, E_FILE, "TMPDIR", "a folder that can be written", "another");
    }
    return E_OK;
}

err
cast_port(struct cast *c, struct fault *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &length) == 0;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return fault_set(f, E_NETWORK, "127.0.0.1", "a free port", "none");
    c->port = ntohs(at.sin_port);
    return E_OK;
}

/* -- start -- */

static void
child_signals(void)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    sigaction(SIGPIPE, &usual, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: its own group, so that Ctrl-C reaches the conductor alone, which then ends all in order; and an end with
 * the conductor however that dies.  The program is this one again, so that every party is a process with nothing
 * inherited. */
static NO_RETURN void
become(const struct cast *c, pid_t conductor, const int in[2], const int out[2], const char *const *words)
{
    char log[300];
    char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t) "claimgate"};
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    snprintf(log, sizeof log, "%s/%s.log", c->dir, words[0]);
    int errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (c->keep)
        setsid();
    else
        setpgid(0, 0);
    if (!c->keep && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != conductor))
        _exit(EXIT_FAILED);
    if (errors < 0 || dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(EXIT_FAILED);
    child_signals();
    execve("/proc/self/exe", argv, environ);
    _exit(EXIT_FAILED);
}

err
cast_start(struct cast *c, const char *name, const char *const *words, struct fault *f)
{
    int in[2], out[2];
    pid_t conductor = getpid();
    if (c->n_children == CAST_CHILDREN || pipe2(in, O_CLOEXEC) != 0)
        return fault_set(f, E_INTERNAL, name, "a process", "none");
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return fault_set(f, E_INTERNAL, name, "a process", "none");
    }
    pid_t pid = fork();
    if (pid == 0)
        become(c, conductor, in, out, words);
    close(in[0]);
    close(out[1]);
    if (pid < 0) {
        close(in[1]);
        close(out[0]);
        return fault_set(f, E_INTERNAL, name, "a process", strerror(errno));
    }
    struct child *one = &c->children[c->n_children++];
    *one = (struct child){.name = name, .pid = pid, .in = in[1]};
    lines_init(&one->out, out[0]);
    return E_OK;
}

err
cast_serve(struct cast *c, struct fault *f)
{
    char config[300];
    snprintf(config, sizeof config, "%s/claimgate.conf", c->dir);
    const char *const words[] = {"serve", "--config", config, NULL};
    TRY(cast_start(c, "gateway", words, f));
    return cast_wait(c, cast_all_ready);
}

err
cast_party(struct cast *c, const char *kind, const char *name, struct fault *f)
{
    const char *const words[] = {"party", kind, name, "--dir", c->dir, NULL};
    return cast_start(c, name, words, f);
}

struct child *
cast_child(struct cast *c, const char *name)
{
    for (size_t i = 0; i < c->n_children; i++)
        if (strcmp(c->children[i].name, name) == 0)
            return &c->children[i];
    return NULL;
}

/* -- jobs -- */

void
cast_send(struct cast *c, const char *name, view line)
{
    struct child *one = cast_child(c, name);
    if (!one)
        return;
    /* A party reads all the time, so a line longer than the pipe goes through in parts. */
    while (line.n) {
        ssize_t n = write(one->in, line.p, line.n);
        if (n < 0 && errno != EINTR) {
            c->dead = one->name;
            return;
        }
        line = view_sub(line, n > 0 ? (size_t)n : 0, line.n);
    }
    one->jobs++;
}

void
cast_job(struct cast *c, const char *name, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof text - 1)
        return;
    text[n] = '\n';
    cast_send(c, name, view_make(text, (size_t)n + 1));
}

/* -- wait -- */

bool
cast_all_ready(const struct cast *c)
{
    for (size_t i = 0; i < c->n_children; i++)
        if (!c->children[i].ready)
            return false;
    return true;
}

bool
cast_all_done(const struct cast *c)
{
    for (size_t i = 0; i < c->n_children; i++)
        if (c->children[i].jobs > 0)
            return false;
    return true;
}

static void
take_line(struct cast *c, struct child *one, view line)
{
    AUTO(arena_free) arena *mem = arena_new(TOLD_CEILING);
    json_t *told = NULL;
    if (json_load(line, mem, &told, NULL) != E_OK)
        return;
    if (json_bool(told, "ready", false)) {
        one->ready = true;
        c->ops_port = (int)json_int(told, "ops_port", c->ops_port);
    } else if (json_text(told, "done").n) {
        one->jobs--;
    } else {
        c->take(c->self, told);
    }
}

static void
take_lines(struct cast *c, struct child *one)
{
    view line;
    lines_fill(&one->out);
    while (lines_next(&one->out, &line))
        take_line(c, one, line);
    if (one->out.ended)
        c->dead = one->name;
}

err
cast_wait(struct cast *c, bool (*is_over)(const struct cast *c))
{
    while (!is_over(c)) {
        struct pollfd fds[CAST_CHILDREN + 1] = {{.fd = c->signals, .events = POLLIN}};
        for (size_t i = 0; i < c->n_children; i++)
            fds[i + 1] = (struct pollfd){.fd = c->children[i].out.fd, .events = POLLIN};
        if (poll(fds, c->n_children + 1, TICK_MS) < 0 && errno != EINTR)
            return E_INTERNAL;
        for (size_t i = 0; i < c->n_children; i++)
            if (fds[i + 1].revents)
                take_lines(c, &c->children[i]);
        if (c->tick)
            c->tick(c->self);
        c->interrupted = c->interrupted || (fds[0].revents & POLLIN);
        c->timed_out = clock_monotonic_us() > c->deadline_us;
        if (c->interrupted || c->timed_out)
            return E_BUSY;
        if (c->dead)
            return E_NETWORK;
    }
    return E_OK;
}

/* -- end -- */

static size_t
reap(struct cast *c)
{
    size_t left = 0;
    for (size_t i = 0; i < c->n_children; i++) {
        struct child *one = &c->children[i];
        if (one->pid && waitpid(one->pid, NULL, WNOHANG) == one->pid)
            one->pid = 0;
        left += one->pid != 0;
    }
    return left;
}

static void
signal_all(const struct cast *c, int signo)
{
    for (size_t i = 0; i < c->n_children; i++)
        if (c->children[i].pid)
            kill(c->children[i].pid, signo);
}

void
cast_leave(struct cast *c)
{
    for (size_t i = 0; i < c->n_children; i++) {
        close(c->children[i].in);
        close(c->children[i].out.fd);
        lines_done(&c->children[i].out);
    }
    c->n_children = 0;
}

void
cast_end(struct cast *c)
{
    int64_t until = clock_monotonic_us() + END_LIMIT_US;
    signal_all(c, SIGTERM);
    while (reap(c) && clock_monotonic_us() < until)
        poll(NULL, 0, 20);
    signal_all(c, SIGKILL);
    while (reap(c))
        poll(NULL, 0, 5);
    cast_leave(c);
}

void
cast_remove(struct cast *c)
{
    if (c->dir[0])
        folder_remove(c->dir);
}

void
cast_done(struct cast *c)
{
    close(c->signals);
}

int
cast_outcome(struct cast *c, err e, const struct fault *f)
{
    if (c->interrupted) {
        fprintf(stderr, "claimgate demo: interrupted\n");
        return EXIT_INTERRUPTED;
    }
    if (c->timed_out) {
        fprintf(stderr,
                "claimgate demo: not finished in time; what was told so far stands above, the logs in %s\n",
                c->dir);
        return EXIT_TIMEOUT;
    }
    if (c->dead) {
        fprintf(stderr, "claimgate demo: the process of %s has ended; see %s/*.log\n", c->dead, c->dir);
        return EXIT_FAILED;
    }
    return e == E_OK ? EXIT_OK : command_fail(c->a, e, f);
}
