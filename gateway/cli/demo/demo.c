#include "cli/demo/demo.h"

#include "cli/operate/sandbox.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define DOCUMENTS_MAX 20000
#define COUNT_TRIES 100
#define COUNT_MS 50
#define LIMIT_US 50000000 /* and a quarter second for each document beyond 200 */

static const char *const hospitals[] = {"h1", "h2", "c1"}, *const insurers[] = {"l1", "l2", "l3",
                                                                                "p1", "p2", "p3"};

/* -- preparation -- */

static err
prepare(struct demo *d, struct fault *f)
{
    char listen[32];
    TRY(cast_folder(&d->cast, f));
    TRY(cast_port(&d->cast, f));
    snprintf(listen, sizeof listen, "127.0.0.1:%d", d->cast.port);
    return sandbox_make(d->a, d->cast.dir, listen, f);
}

static err
start_all(struct demo *d, struct fault *f)
{
    TRY(cast_serve(&d->cast, f));
    for (size_t i = 0; i < COUNT_OF(hospitals); i++)
        TRY(cast_party(&d->cast, "hospital", hospitals[i], f));
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        TRY(cast_party(&d->cast, "insurer", insurers[i], f));
    TRY(cast_party(&d->cast, "person", "app", f));
    return cast_wait(&d->cast, cast_all_ready);
}

/* -- the plays -- */

static err
one_job(struct demo *d, const char *name, const char *job)
{
    cast_job(&d->cast, name, "%s", job);
    return cast_wait(&d->cast, cast_all_done);
}

static bool
has_decision(const struct cast *c)
{
    const struct demo *d = c->self;
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
    TRY(cast_wait(&d->cast, has_decision));
    TRY(one_job(d, "h2", "minor"));
    TRY(one_job(d, "app", "minor"));
    TRY(one_job(d, "h1", "attack"));
    TRY(one_job(d, "h2", "attack"));
    TRY(one_job(d, "app", "attack"));
    for (size_t i = 0; i < COUNT_OF(hospitals); i++)
        cast_job(&d->cast, hospitals[i], "mixed %lld", (long long)d->wanted);
    cast_job(&d->cast, "app", "mixed %lld", (long long)d->wanted);
    TRY(cast_wait(&d->cast, cast_all_done));
    if (d->peek[0])
        cast_job(&d->cast, "p3", "peek %s", d->peek);
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        cast_job(&d->cast, insurers[i], "finish %lld",
                 (long long)(d->cast.deadline_us - clock_monotonic_us()) / 1000 - 1000);
    return cast_wait(&d->cast, cast_all_done);
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
               d->cast.dir, d->cast.port);
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
        cast_job(&d->cast, insurers[i], "stay");
    FILE *out = d->a->json ? stderr : stdout;
    if (cast_wait(&d->cast, cast_all_done) != E_OK)
        return;
    fprintf(out,
            "\nLeft running: gateway http://127.0.0.1:%d (operations 127.0.0.1:%d) and six insurers. To stop "
            "them and remove everything:\n  kill",
            d->cast.port, d->cast.ops_port);
    fprintf(out, " %d", (int)cast_child(&d->cast, "gateway")->pid);
    for (size_t i = 0; i < COUNT_OF(insurers); i++)
        fprintf(out, " %d", (int)cast_child(&d->cast, insurers[i])->pid);
    fprintf(out, "; sleep 1; rm -r %s\n", d->cast.dir);
}

static void
print_next(const struct demo *d)
{
    printf("\nTry next:\n  claimgate demo --keep                    leave it running and look around\n"
           "  claimgate init ./sandbox --sandbox       a sandbox of your own\n"
           "  claimgate sample hospital --seed 1..10 --pki ./sandbox/pki --out ./samples\n"
           "  claimgate help errors                    every refusal, its cause and remedy\n");
    if (d->cast.keep)
        printf("  claimgate case list --config %s/claimgate.conf\n  curl -s http://127.0.0.1:%d/metrics\n",
               d->cast.dir, d->cast.ops_port);
}

static int
outcome(struct demo *d, err e, const struct fault *f)
{
    demo_progress(d, true);
    int code = cast_outcome(&d->cast, e, f);
    if (code != EXIT_OK)
        return code;
    if (d->a->json)
        demo_print_json(d);
    else
        demo_print(d);
    if (!demo_holds(d)) {
        fprintf(stderr, "claimgate demo: something did not come out as it must; the logs are in %s\n",
                d->cast.dir);
        return EXIT_FAILED;
    }
    if (!d->a->json && !d->a->quiet)
        print_next(d);
    return EXIT_OK;
}

static void
tick(void *self)
{
    demo_progress(self, false);
}

int
run_demo(struct args *a)
{
    struct demo d = {.a = a, .mem = a->mem, .started_us = clock_monotonic_us()};
    struct fault f;
    fault_init(&f);
    if (args_flag(a, "motor"))
        return run_demo_motor(a);
    d.wanted = args_number(a, "documents", 200);
    if (a->n_positional || d.wanted < 0 || d.wanted > DOCUMENTS_MAX)
        return command_usage(a, "--documents is 0 to 20000, and there are no other words");
    cast_init(&d.cast, a, d.started_us + LIMIT_US + (d.wanted > 200 ? (d.wanted - 200) * 250000 : 0));
    d.cast.keep = args_flag(a, "keep");
    d.cast.self = &d;
    d.cast.take = demo_take;
    d.cast.tick = tick;
    d.progress = isatty(STDERR_FILENO) && !a->json && !a->quiet;
    err e = conduct(&d, &f);
    int code = outcome(&d, e, &f);
    if (code == EXIT_OK && d.cast.keep) {
        leave_running(&d);
        cast_leave(&d.cast); /* hospitals and the app have nothing more to do and end with their stdin */
    } else {
        cast_end(&d.cast);
        if (code == EXIT_OK || code == EXIT_INTERRUPTED)
            cast_remove(&d.cast);
    }
    cast_done(&d.cast);
    return code;
}
