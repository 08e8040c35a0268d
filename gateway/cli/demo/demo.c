#include "cli/demo/demo.h"

#include "cli/operate/sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define DOCUMENTS_MAX 20000
#define COUNT_TRIES 100
#define COUNT_MS 50
#define LIMIT_US 50000000 /* and a quarter second for each document beyond 200 */

static const char *const hospitals[] = {"h1", "h2", "c1"}, *const insurers[] = {"l1", "l2", "l3",
                                                                                "p1", "p2", "p3"};

/* -- preparation -- */

/* Blocked before the sandbox starts threads, so that only the conductor's loop sees them. */
static int
signals_block(void)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaction(SIGPIPE, &ignored, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The configuration names its port (links and audiences carry it), so one is looked for. */
static err
free_port(int *ret)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &length) == 0;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return E_NETWORK;
    *ret = ntohs(at.sin_port);
    return E_OK;
}

static err
prepare(struct demo *d, struct fault *f)
{
    char listen[32];
    const char *parent = getenv("TMPDIR");
    snprintf(d->dir, sizeof d->dir, "%s/claimgate-demo-XXXXXX",
             parent && *parent && strlen(parent) < 200 ? parent : "/tmp");
    if (!mkdtemp(d->dir)) {
        d->dir[0] = '\0';
        return fault_set(f, E_FILE, "TMPDIR", "a folder that can be written", "another");
    }
    TRY(free_port(&d->port));
    snprintf(listen, sizeof listen, "127.0.0.1:%d", d->port);
    return sandbox_make(d->a, d->dir, listen, f);
}

static err
start_all(struct demo *d, struct fault *f)
{
    const char *config = arena_printf(d->mem, "%s/claimgate.conf", d->dir).p;
    const char *const gateway[] = {"serve", "--config", config, NULL};
    TRY(demo_start(d, "gateway", gateway, f));
    TRY(demo_wait(d, demo_all_ready));
    for (size_t i = 0; i < COUNT_OF(hospitals); i++) {
        const char *const words[] = {"party", "hospital", hospitals[i], "--dir", d->dir, NULL};
        TRY(demo_start(d, hospitals[i], words, f));
    }
    for (size_t i = 0; i < COUNT_OF(insurers); i++) {
        const char *const words[] = {"party", "insurer", insurers[i], "--dir", d->dir, NULL};
        TRY(demo_start(d, insurers[i], words, f));
    }
    const char *const app[] = {"party", "person", "app", "--dir", d->dir, NULL};
    TRY(demo_start(d, "app", app, f));
    return demo_wait(d, demo_all_ready);
}

/* -- the plays -- */

static err
one_job(struct demo *d, const char *name, const char *job)
{
    demo_job(d, name, "%s", job);
    return demo_wait(d, demo_all_done);
}

static bool
has_decision(const struct demo *d)
{
    for (size_t i = 0; i < d->n_refusals; i++)
        if (strcmp(d->refusals[i].expected, "decision-unsigned") == 0)
            return true;
    return false;
}

static err
play_all(struct demo *d)
{
    TRY(one_job(d, "h1", "appendix"));
    TRY(one_job(d, "app", "appendix"));
    TRY(demo_wait(d, has_decision));
    TRY(one_job(d, "h2", "minor"));
    TRY(one_job(d, "app", "minor"));
    TRY(one_job(d, "h1", "attack"));
    TRY(one_job(d, "h2", "attack"));
    TRY(one_job(d, "app", "attack"));
    for (size_t i = 0; i < COUNT_OF(hospitals); i++)
        demo_job(d, hospitals[i], "mixed %lld", (long long)d->wanted);
    demo_job(d, "app", "mixed %lld", (long long)d->wanted);
    TRY(demo_wait(d, demo_all_done));
    if (d->peek[0])
        demo_job(d, "p3", "peek %s", d->peek);
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        demo_job(d, insurers[i], "finish %lld",
                 (long long)(d->deadline_us - clock_monotonic_us()) / 1000 - 1000);
    return demo_wait(d, demo_all_done);
}

static bool
is_counted(const struct demo *d)
{
    int64_t events = 0;
    for (size_t i = 0; i < d->n_recipients; i++)
        if (strcmp(d->recipients[i].via, "webhook") == 0)
            events += d->recipients[i].events;
    return d->totals.deliveries >= events;
}

/* An insurer has the last notice before the gateway, which waits for the answer, has counted it. */
static err
count(struct demo *d, struct fault *f)
{
    TRY(demo_read_metrics(d, f));
    for (int i = 0; i < COUNT_TRIES && !is_counted(d); i++) {
        (void)poll(NULL, 0, COUNT_MS);
        TRY(demo_read_metrics(d, f));
    }
    return E_OK;
}

static err
conduct(struct demo *d, struct fault *f)
{
    TRY(prepare(d, f));
    if (!d->a->json && !d->a->quiet)
        printf("Sandbox in %s, gateway on http://127.0.0.1:%d (SQLite), 3 hospitals, 6 insurers, 1 app: each "
               "a process of its own.\n",
               d->dir, d->port);
    TRY(start_all(d, f));
    TRY(play_all(d));
    d->totals.wall_us = clock_monotonic_us() - d->started_us;
    demo_progress(d, true);
    TRY(net_start());
    return count(d, f);
}

/* -- the end -- */

static void
leave_running(struct demo *d)
{
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        demo_job(d, insurers[i], "stay");
    FILE *out = d->a->json ? stderr : stdout;
    if (demo_wait(d, demo_all_done) != E_OK)
        return;
    fprintf(out,
            "\nLeft running: gateway http://127.0.0.1:%d (operations 127.0.0.1:%d) and six insurers. To stop "
            "them and remove everything:\n  kill",
            d->port, d->ops_port);
    fprintf(out, " %d", (int)demo_child(d, "gateway")->pid);
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        fprintf(out, " %d", (int)demo_child(d, insurers[i])->pid);
    fprintf(out, "; sleep 1; rm -r %s\n", d->dir);
}

/* Gateway and insurers stay; hospitals and the app have nothing more to do and end with their stdin. */
static void
let_go(struct demo *d)
{
    leave_running(d);
    for (size_t i = 0; i < d->n_children; i++)
        close(d->children[i].in);
}

static void
print_next(const struct demo *d)
{
    printf("\nTry next:\n  claimgate demo --keep                    leave it running and look around\n"
           "  claimgate init ./sandbox --sandbox       a sandbox of your own\n"
           "  claimgate sample hospital --seed 1..10 --pki ./sandbox/pki --out ./samples\n"
           "  claimgate help errors                    every refusal, its cause and remedy\n");
    if (d->keep)
        printf("  claimgate case list --config %s/claimgate.conf\n  curl -s http://127.0.0.1:%d/metrics\n",
               d->dir, d->ops_port);
}

static int
outcome(struct demo *d, err e, const struct fault *f)
{
    demo_progress(d, true);
    if (d->interrupted) {
        fprintf(stderr, "claimgate demo: interrupted\n");
        return EXIT_INTERRUPTED;
    }
    if (d->timed_out)
        fprintf(stderr,
                "claimgate demo: not finished in time; what was told so far stands above, the logs in %s\n",
                d->dir);
    else if (d->dead)
        fprintf(stderr, "claimgate demo: the process of %s has ended; see %s/*.log\n", d->dead, d->dir);
    else if (e != E_OK)
        return command_fail(d->a, e, f);
    if (d->timed_out || d->dead)
        return d->timed_out ? EXIT_TIMEOUT : EXIT_FAILED;
    if (d->a->json)
        demo_print_json(d);
    else
        demo_print(d);
    if (!demo_holds(d)) {
        fprintf(stderr, "claimgate demo: something did not come out as it must; the logs are in %s\n",
                d->dir);
        return EXIT_FAILED;
    }
    if (!d->a->json && !d->a->quiet)
        print_next(d);
    return EXIT_OK;
}

static void
demo_done(struct demo *d)
{
    for (size_t i = 0; i < d->n_children; i++) {
        lines_done(&d->children[i].out);
        close(d->children[i].out.fd);
    }
    close(d->signals);
}

int
run_demo(struct args *a)
{
    struct demo d = {.a = a, .mem = a->mem, .keep = args_flag(a, "keep"), .started_us = clock_monotonic_us()};
    struct fault f;
    fault_init(&f);
    d.wanted = args_number(a, "documents", 200);
    if (a->n_positional || d.wanted < 0 || d.wanted > DOCUMENTS_MAX)
        return command_usage(a, "--documents is 0 to 20000, and there are no other words");
    d.deadline_us = d.started_us + LIMIT_US + (d.wanted > 200 ? (d.wanted - 200) * 250000 : 0);
    d.progress = isatty(STDERR_FILENO) && !a->json && !a->quiet;
    d.signals = signals_block();
    err e = conduct(&d, &f);
    int code = outcome(&d, e, &f);
    if (code == EXIT_OK && d.keep) {
        let_go(&d);
    } else {
        demo_end(&d);
        bool worth_looking = d.dir[0] && code != EXIT_OK && code != EXIT_INTERRUPTED;
        if (d.dir[0] && !worth_looking)
            demo_remove_folder(d.dir);
    }
    demo_done(&d);
    return code;
}
