#include "duty/duty.h"

#include "base/log.h"
#include "duty/heads.h"
#include "duty/revocation.h"
#include "duty/time.h"
#include "duty/worker.h"
#include "flow/partner/registry.h"
#include "flow/person/account.h"
#include "flow/person/representation.h"

#include <stdlib.h>

#define KEEP_IDEMPOTENCY SPAN_DAYS(7)
#define KEEP_REFUSALS SPAN_DAYS(7)
#define KEEP_ATTACHMENTS SPAN_DAYS(1) /* until a document names them */
#define KEEP_EXCHANGES SPAN_DAYS(1)   /* the app has read what it wanted; files stand apart as attachments */
#define KEEP_SESSIONS SPAN_DAYS(400)  /* after their end, for the person to see */
#define KEEP_PROJECTIONS SPAN_DAYS(90)
#define ROUND_EVERY SPAN_SECONDS(1)
#define CLEAN_EVERY_US (60 * 1000000LL)

struct duty {
    struct gateway *g;
    struct revocation_duty *revocation;
    struct heads *heads;
    struct time_duty *time;
    int64_t cleaned; /* monotonic, µs */
    struct worker worker;
};

static err
clean(struct gateway *g, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(65536);
    struct unit u;
    unit_init(&u, mem);
    unit_change(&u, CHANGE_nonces_expire, ARGS(val_time(now)));
    unit_change(&u, CHANGE_idempotency_expire, ARGS(val_int(now.us - KEEP_IDEMPOTENCY.us)));
    unit_change(&u, CHANGE_refusals_expire, ARGS(val_int(now.us - KEEP_REFUSALS.us)));
    unit_change(&u, CHANGE_photos_expire, ARGS(val_int(now.us - KEEP_ATTACHMENTS.us)));
    unit_change(&u, CHANGE_attachments_expire, ARGS(val_int(now.us - KEEP_ATTACHMENTS.us)));
    unit_change(&u, CHANGE_upload_parts_expire, ARGS(val_int(now.us - KEEP_ATTACHMENTS.us)));
    unit_change(&u, CHANGE_uploads_expire, ARGS(val_int(now.us - KEEP_ATTACHMENTS.us)));
    unit_change(&u, CHANGE_sessions_expire, ARGS(val_int(now.us - KEEP_SESSIONS.us)));
    unit_change(&u, CHANGE_exchanges_expire, ARGS(val_int(now.us - KEEP_EXCHANGES.us)));
    unit_change(&u, CHANGE_projections_expire, ARGS(val_int(now.us - KEEP_PROJECTIONS.us)));
    return store_commit(g->store, &u);
}

err
duty_round(struct gateway *g, instant now, struct fault *f)
{
    TRY(changes_run(g, now, f));
    TRY(representation_step(g, true, now, f));
    TRY(account_step(g, now));
    return clean(g, now);
}

static bool
round_once(void *self)
{
    struct duty *d = self;
    struct fault f;
    fault_init(&f);
    err e = changes_run(d->g, clock_now(), &f);
    if (e == E_OK)
        e = representation_step(d->g, false, clock_now(), &f);
    if (e == E_OK)
        e = account_step(d->g, clock_now());
    if (e == E_OK && clock_monotonic_us() - d->cleaned > CLEAN_EVERY_US) {
        e = representation_step(d->g, true, clock_now(), &f);
        e = e == E_OK ? clean(d->g, clock_now()) : e;
        d->cleaned = clock_monotonic_us();
    }
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
    return false;
}

/* -- what the gateway calls, from any thread -- */

static void
wake(void *self)
{
    struct duty *d = self;
    revocation_duty_wake(d->revocation);
    time_duty_wake(d->time);
}

static void
seen_signer(void *self, enum trust_use use, view leaf, view chain)
{
    struct duty *d = self;
    revocation_duty_seen(d->revocation, use, leaf, chain);
}

static err
start_parts(struct duty *d, struct fault *f)
{
    TRY(heads_start(d->g, &d->heads, f));
    TRY(time_duty_start(d->g, &d->time, f));
    TRY(revocation_duty_start(d->g, &d->revocation, f));
    d->cleaned = clock_monotonic_us();
    TRY(worker_start(&d->worker, "duty", round_once, d, ROUND_EVERY, f));
    d->g->duty = d;
    d->g->seen_signer = seen_signer;
    d->g->wake_duty = wake;
    return E_OK;
}

err
duty_start(struct gateway *g, struct duty **ret, struct fault *f)
{
    struct duty *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->g = g;
    err e = start_parts(d, f);
    if (e != E_OK)
        duty_stop(d);
    else
        *ret = d;
    return e;
}

void
duty_stop(struct duty *d)
{
    if (!d)
        return;
    d->g->seen_signer = NULL;
    d->g->wake_duty = NULL;
    revocation_duty_stop(d->revocation);
    time_duty_stop(d->time);
    worker_stop(&d->worker);
    heads_stop(d->heads);
    free(d);
}
