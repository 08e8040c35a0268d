#include "base/metrics.h"
#include "store/apply.h"
#include "store/inside.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Groups that keep their savepoints after a conflict: a storm of equal units must not have each group run
 * twice. */
#define CAREFUL_GROUPS 16
/* Company is forgotten after this many windows without a commit. */
#define COMPANY_WINDOWS 4
/* So long nothing must have come before the file is tidied. */
#define TIDY_AFTER_US 2000000

struct writer {
    struct store *store;
    struct apply *apply;
    pthread_t thread;
    int careful;          /* groups left to run with savepoints */
    int64_t ended_us;     /* when the last group was answered */
    bool untidy;          /* something was written since the file was looked at */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct ticket *first, *last;
    size_t n;
    size_t now;     /* tickets in the queue that want no window */
    size_t wanted;  /* the writer sleeps until so many are there; 0 = it does not sleep */
    size_t company; /* committers that were seen together */
    bool stop;
};

/* Not the injected clock: this is how long the thread sleeps, not what time it is. */
static int64_t
wait_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct timespec
timespec_of_us(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

err
writer_push(struct writer *w, struct ticket *t)
{
    err e = E_OK;
    bool signal = false;
    pthread_mutex_lock(&w->lock);
    if (w->stop) {
        e = E_DRAINING;
    } else if (w->n >= WRITER_QUEUE_MAX) {
        e = E_BUSY;
    } else {
        if (w->last)
            w->last->next = t;
        else
            w->first = t;
        w->last = t;
        w->n++;
        w->now += t->now;
        signal = w->wanted && (w->n >= w->wanted || t->now);
    }
    if (signal)
        pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return e;
}

static void
writer_wait_for_company(struct writer *w)
{
    int64_t window = w->store->options.group_window_us;
    int64_t now = wait_clock_us();
    if (window <= 0 || w->company < 2 || now - w->ended_us > COMPANY_WINDOWS * window)
        return;
    struct timespec until = timespec_of_us(now + window);
    w->wanted = w->company < WRITER_GROUP_MAX ? w->company : WRITER_GROUP_MAX;
    while (w->n < w->wanted && !w->now && !w->stop) {
        if (pthread_cond_timedwait(&w->wake, &w->lock, &until))
            break;
    }
}

static void
writer_wait_for_first(struct writer *w)
{
    w->wanted = 1;
    struct timespec until = timespec_of_us(wait_clock_us() + TIDY_AFTER_US);
    while (!w->n && !w->stop) {
        if (!w->untidy)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (pthread_cond_timedwait(&w->wake, &w->lock, &until))
            return;
    }
}

/* The next group, in order of arrival; NULL when nothing came for a while, or at the end. */
static struct ticket *
writer_take(struct writer *w, size_t *ret_n, bool *ret_end)
{
    pthread_mutex_lock(&w->lock);
    writer_wait_for_first(w);
    if (w->n)
        writer_wait_for_company(w);
    w->wanted = 0;
    struct ticket *first = w->first, *last = NULL;
    size_t n = 0;
    for (struct ticket *t = first; t && n < WRITER_GROUP_MAX; t = t->next) {
        w->now -= t->now;
        last = t;
        n++;
    }
    if (last) {
        w->first = last->next;
        if (!w->first)
            w->last = NULL;
        last->next = NULL;
    }
    w->n -= n;
    *ret_end = !n && w->stop;
    pthread_mutex_unlock(&w->lock);
    *ret_n = n;
    return first;
}

static void
writer_answer(struct writer *w, struct ticket *group, size_t n)
{
    pthread_mutex_lock(&w->lock);
    w->company = n + w->n;
    pthread_mutex_unlock(&w->lock);
    struct ticket *next;
    for (struct ticket *t = group; t; t = next) {
        next = t->next; /* t is gone after the post */
        sem_post(&t->done);
    }
    w->ended_us = wait_clock_us();
}

static void
group_set_result(struct ticket *group, err e)
{
    for (struct ticket *t = group; t; t = t->next)
        t->result = e;
}

/* STEP_CONFLICT only without savepoints: then the transaction holds half a unit. */
static enum step
group_apply(struct apply *a, struct ticket *group, bool careful)
{
    for (struct ticket *t = group; t; t = t->next) {
        t->result = E_OK;
        enum step step = apply_unit(a, t->unit, careful, &t->result);
        if (step == STEP_BROKEN || (step == STEP_CONFLICT && !careful))
            return step;
    }
    return STEP_DONE;
}

static enum step
group_apply_all(struct writer *w, struct ticket *group)
{
    bool careful = w->careful > 0;
    if (careful)
        w->careful--;
    enum step step = group_apply(w->apply, group, careful);
    if (step != STEP_CONFLICT)
        return step;
    if (!apply_again(w->apply))
        return STEP_BROKEN;
    if (!group->next)
        return STEP_DONE; /* alone and refused: an empty transaction is left */
    w->careful = CAREFUL_GROUPS;
    return group_apply(w->apply, group, true);
}

static enum step
group_run(struct writer *w, struct ticket *group)
{
    struct apply *a = w->apply;
    for (struct ticket *t = group; t; t = t->next) {
        if (!apply_plan(a, t->unit))
            return STEP_BROKEN;
    }
    enum step step = apply_begin(a);
    if (step != STEP_DONE)
        return step;
    step = group_apply_all(w, group);
    int64_t begun = clock_monotonic_us();
    bool written = apply_bodies_done(a);
    if (step != STEP_DONE || !written)
        return STEP_BROKEN;
    for (struct ticket *t = group; t; t = t->next)
        apply_settle(a, t->unit, t->result == E_OK);
    if (!apply_commit(a))
        return STEP_BROKEN;
    metric_observe_us(METRIC_STORE_FSYNC, "", clock_monotonic_us() - begun);
    return STEP_DONE;
}

/* A failed sync is never tried again: the pages that it lost look clean to the next one. */
static void
writer_fail(struct writer *w, struct ticket *group, size_t n)
{
    metric_add(METRIC_STORE_ERRORS, "commit", 1);
    bool first = store_mark_failed(w->store);
    group_set_result(group, E_STORE);
    writer_answer(w, group, n);
    pthread_mutex_lock(&w->lock);
    struct ticket *rest = w->first;
    size_t rest_n = w->n;
    w->first = w->last = NULL;
    w->n = w->now = 0;
    pthread_mutex_unlock(&w->lock);
    group_set_result(rest, E_STORE);
    writer_answer(w, rest, rest_n);
    if (first)
        store_call_fatal(w->store, "commit");
}

static void
writer_group(struct writer *w, struct ticket *group, size_t n)
{
    struct store *s = w->store;
    if (atomic_load(&s->failed)) {
        group_set_result(group, E_STORE);
        writer_answer(w, group, n);
        return;
    }
    checkpoint_writer_begin(s->checkpointer);
    enum step step = group_run(w, group);
    checkpoint_writer_end(s->checkpointer, apply_frames(w->apply));
    if (step == STEP_BROKEN) {
        writer_fail(w, group, n);
        return;
    }
    if (step == STEP_BUSY)
        group_set_result(group, E_BUSY);
    for (const struct ticket *t = group; t; t = t->next)
        if (t->result == E_OK)
            kept_touch(s->kept, t->unit);
    w->untidy = true;
    int64_t leaves = apply_leaves(w->apply);
    atomic_store(&s->log_length, (uint64_t)leaves);
    writer_answer(w, group, n);
    metric_set(METRIC_LOG_LENGTH, "", leaves);
    metric_observe_us(METRIC_STORE_GROUP, "", (int64_t)n);
}

static void
writer_tidy(struct writer *w)
{
    struct store *s = w->store;
    bool more = false, good = true;
    checkpoint_writer_begin(s->checkpointer);
    if (!atomic_load(&s->failed))
        good = apply_tidy(w->apply, &more);
    checkpoint_writer_end(s->checkpointer, apply_frames(w->apply));
    w->untidy = more;
    if (!good)
        writer_fail(w, NULL, 0);
}

static void *
writer_main(void *self)
{
    struct writer *w = self;
    for (bool end = false; !end;) {
        size_t n;
        struct ticket *group = writer_take(w, &n, &end);
        if (group)
            writer_group(w, group, n);
        else if (!end)
            writer_tidy(w);
    }
    return NULL;
}

struct writer *
writer_start(struct store *store, struct apply *take_apply)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->store = store;
    w->apply = take_apply;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&w->thread, NULL, writer_main, w))
        abort();
    pthread_setname_np(w->thread, "store-writer");
    return w;
}

void
writer_stop(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

bool
writer_free(struct writer *w, bool clean)
{
    bool good = apply_free(w->apply, clean);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return good;
}
