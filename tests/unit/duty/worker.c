/* The tests wait for rounds, not for time: an interval of an hour is one that does not end by itself. */
#include "duty/worker.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <semaphore.h>

#define HOUR SPAN_SECONDS(3600)

struct counted {
    struct worker worker;
    sem_t begun, may_end;
    int rounds, busy_rounds;
};

static bool
count(void *self)
{
    struct counted *c = self;
    c->rounds++;
    sem_post(&c->begun);
    sem_wait(&c->may_end);
    return c->rounds < c->busy_rounds;
}

static void
begin(struct counted *c, span every)
{
    sem_init(&c->begun, 0, 0);
    sem_init(&c->may_end, 0, 0);
    cr_assert_eq(worker_start(&c->worker, "counted", count, c, every, NULL), E_OK);
}

static void
end(struct counted *c)
{
    worker_stop(&c->worker);
    sem_destroy(&c->begun);
    sem_destroy(&c->may_end);
}

Test(worker, begins_with_a_round_and_stops_behind_it)
{
    struct counted c = {0};
    begin(&c, HOUR);
    sem_wait(&c.begun);
    cr_assert_not(worker_is_stopping(&c.worker));
    sem_post(&c.may_end);
    end(&c);
    cr_assert_eq(c.rounds, 1);
}

Test(worker, a_round_comes_when_its_time_has_come)
{
    struct counted c = {0};
    begin(&c, (span){1000});
    for (int i = 0; i < 3; i++) {
        sem_wait(&c.begun);
        sem_post(&c.may_end);
    }
    sem_post(&c.may_end);
    end(&c);
    cr_assert_geq(c.rounds, 3);
}

Test(worker, goes_on_at_once_while_there_is_more)
{
    struct counted c = {.busy_rounds = 3};
    begin(&c, HOUR);
    for (int i = 0; i < 3; i++) {
        sem_wait(&c.begun);
        sem_post(&c.may_end);
    }
    end(&c);
    cr_assert_eq(c.rounds, 3);
}

Test(worker, who_wakes_it_during_a_round_gets_another)
{
    struct counted c = {0};
    begin(&c, HOUR);
    sem_wait(&c.begun);
    worker_wake(&c.worker);
    sem_post(&c.may_end);
    sem_wait(&c.begun); /* hangs where the call was lost */
    sem_post(&c.may_end);
    worker_wake(&c.worker);
    sem_wait(&c.begun);
    sem_post(&c.may_end);
    end(&c);
    cr_assert_eq(c.rounds, 3);
}

Test(worker, one_that_never_started_is_stopped_by_nothing)
{
    struct worker w = {0};
    worker_stop(&w);
    cr_assert_not(w.is_started);
}

Test(worker, who_fails_is_left_alone_ever_longer)
{
    static const int64_t seconds[] = {15, 30, 60, 120, 240, 480, 900, 900};
    for (int i = 0; i < (int)COUNT_OF(seconds); i++)
        cr_assert_eq(duty_backoff(i).us, SPAN_SECONDS(seconds[i]).us);
    cr_assert_eq(duty_backoff(INT_MAX).us, SPAN_SECONDS(900).us);
}
