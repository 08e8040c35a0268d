#include "cli/demo/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 12
#define END_LIMIT_US 4000000
#define TICK_MS 100

extern char **environ;

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
become(const struct demo *d, pid_t conductor, const int in[2], const int out[2], const char *const *words)
{
    char log[300];
    char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t) "claimgate"};
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    snprintf(log, sizeof log, "%s/%s.log", d->dir, words[0]);
    int errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (d->keep)
        setsid();
    else
        setpgid(0, 0);
    if (!d->keep && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != conductor))
        _exit(EXIT_FAILED);
    if (errors < 0 || dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(EXIT_FAILED);
    child_signals();
    execve("/proc/self/exe", argv, environ);
    _exit(EXIT_FAILED);
}

err
demo_start(struct demo *d, const char *name, const char *const *words, struct fault *f)
{
    int in[2], out[2];
    pid_t conductor = getpid();
    if (d->n_children == DEMO_CHILDREN || pipe2(in, O_CLOEXEC) != 0)
        return fault_set(f, E_INTERNAL, name, "a process", "none");
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return fault_set(f, E_INTERNAL, name, "a process", "none");
    }
    pid_t pid = fork();
    if (pid == 0)
        become(d, conductor, in, out, words);
    close(in[0]);
    close(out[1]);
    if (pid < 0) {
        close(in[1]);
        close(out[0]);
        return fault_set(f, E_INTERNAL, name, "a process", strerror(errno));
    }
    struct child *c = &d->children[d->n_children++];
    *c = (struct child){.name = name, .pid = pid, .in = in[1]};
    lines_init(&c->out, out[0]);
    return E_OK;
}

struct child *
demo_child(struct demo *d, const char *name)
{
    for (size_t i = 0; i < d->n_children; i++)
        if (strcmp(d->children[i].name, name) == 0)
            return &d->children[i];
    return NULL;
}

void
demo_job(struct demo *d, const char *name, const char *format, ...)
{
    char text[256];
    struct child *c = demo_child(d, name);
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    if (!c || n < 0 || (size_t)n >= sizeof text - 1)
        return;
    text[n] = '\n';
    if (write(c->in, text, (size_t)n + 1) == (ssize_t)n + 1)
        c->jobs++;
    else
        d->dead = c->name;
}

/* -- wait -- */

bool
demo_all_ready(const struct demo *d)
{
    for (size_t i = 0; i < d->n_children; i++)
        if (!d->children[i].ready)
            return false;
    return true;
}

bool
demo_all_done(const struct demo *d)
{
    for (size_t i = 0; i < d->n_children; i++)
        if (d->children[i].jobs > 0)
            return false;
    return true;
}

static void
take_lines(struct demo *d, struct child *c)
{
    view line;
    lines_fill(&c->out);
    while (lines_next(&c->out, &line))
        demo_take(d, c, line);
    if (c->out.ended)
        d->dead = c->name;
}

err
demo_wait(struct demo *d, bool (*is_over)(const struct demo *d))
{
    while (!is_over(d)) {
        struct pollfd fds[DEMO_CHILDREN + 1] = {{.fd = d->signals, .events = POLLIN}};
        for (size_t i = 0; i < d->n_children; i++)
            fds[i + 1] = (struct pollfd){.fd = d->children[i].out.fd, .events = POLLIN};
        if (poll(fds, d->n_children + 1, TICK_MS) < 0 && errno != EINTR)
            return E_INTERNAL;
        for (size_t i = 0; i < d->n_children; i++)
            if (fds[i + 1].revents)
                take_lines(d, &d->children[i]);
        demo_progress(d, false);
        d->interrupted = d->interrupted || (fds[0].revents & POLLIN);
        d->timed_out = clock_monotonic_us() > d->deadline_us;
        if (d->interrupted || d->timed_out)
            return E_BUSY;
        if (d->dead)
            return E_NETWORK;
    }
    return E_OK;
}

/* -- end -- */

static size_t
reap(struct demo *d)
{
    size_t left = 0;
    for (size_t i = 0; i < d->n_children; i++) {
        struct child *c = &d->children[i];
        if (c->pid && waitpid(c->pid, NULL, WNOHANG) == c->pid)
            c->pid = 0;
        left += c->pid != 0;
    }
    return left;
}

static void
signal_all(const struct demo *d, int signo)
{
    for (size_t i = 0; i < d->n_children; i++)
        if (d->children[i].pid)
            kill(d->children[i].pid, signo);
}

void
demo_end(struct demo *d)
{
    int64_t until = clock_monotonic_us() + END_LIMIT_US;
    signal_all(d, SIGTERM);
    while (reap(d) && clock_monotonic_us() < until)
        poll(NULL, 0, 20);
    signal_all(d, SIGKILL);
    while (reap(d))
        poll(NULL, 0, 5);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void
demo_remove_folder(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
