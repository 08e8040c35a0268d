#include "duty/worker.h"

#include <errno.h>
#include <time.h>

#define BACKOFF_FIRST SPAN_SECONDS(15)
#define BACKOFF_MAX SPAN_SECONDS(900)

static void
wait_for_turn(struct worker *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + w->every.us % 1000000 * 1000;
    until.tv_sec += (time_t)(w->every.us / 1000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    while (!w->is_stopping && !w->has_work &&
           pthread_cond_timedwait(&w->woken, &w->lock, &until) != ETIMEDOUT)
        continue;
    w->has_work = false;
}

static void *
run(void *self)
{
    struct worker *w = self;
    pthread_mutex_lock(&w->lock);
    while (!w->is_stopping) {
        pthread_mutex_unlock(&w->lock);
        bool more = w->round(w->self);
        pthread_mutex_lock(&w->lock);
        if (!more)
            wait_for_turn(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void
done(struct worker *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->woken);
}

err
worker_start(struct worker *w, const char *name, worker_round round, void *self, span every, struct fault *f)
{
    pthread_condattr_t monotonic;
    *w = (struct worker){.round = round, .self = self, .every = every};
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    w->is_started = pthread_create(&w->thread, NULL, run, w) == 0;
    if (w->is_started)
        return E_OK;
    done(w);
    return fault_set(f, E_INTERNAL, name, "a thread", "none");
}

void
worker_wake(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->has_work = true;
    pthread_cond_signal(&w->woken);
    pthread_mutex_unlock(&w->lock);
}

bool
worker_is_stopping(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool is_stopping = w->is_stopping;
    pthread_mutex_unlock(&w->lock);
    return is_stopping;
}

void
worker_stop(struct worker *w)
{
    if (!w->is_started)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->woken);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->is_started = false;
    done(w);
}

/* -- calls -- */

span
duty_backoff(int failures)
{
    span wait = BACKOFF_FIRST;
    for (int i = 0; i < failures && wait.us < BACKOFF_MAX.us; i++)
        wait.us *= 2;
    return wait.us < BACKOFF_MAX.us ? wait : BACKOFF_MAX;
}

struct net_policy
duty_calls(const struct gateway *g)
{
    return (struct net_policy){.allow_private =
                                   g->sandbox && config_bool(g->config, SET_RELAY_ALLOW_PRIVATE)};
}

struct net_policy
duty_calls_for_signed(const struct gateway *g)
{
    static const uint16_t ports[] = {80};
    struct net_policy p = duty_calls(g);
    p.allow_plain = true;
    p.ports = ports;
    p.n_ports = COUNT_OF(ports);
    return p;
}
