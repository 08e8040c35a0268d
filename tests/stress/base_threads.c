/* room: base */
/* What any thread may call, called by many at once: ids, digests, random bytes, the clock, metrics and log lines.
 * Threads start and end while others print, since each brings a shard and a digest context of its own. */
#include "base/deterministic.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, ROUNDS = 12, STEPS = 2000 };

static void
must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

static void *
work(void *arg)
{
    const digest *wanted = arg;
    char labels[16];
    uid before = uid_new();
    for (int i = 0; i < STEPS; i++) {
        digest d = hmac_sha256(V("key"), V("text"));
        must(digest_eq(&d, wanted), "digest");
        uid next = uid_new();
        must(memcmp(before.b, next.b, sizeof next.b) < 0, "ids rise");
        before = next;
        snprintf(labels, sizeof labels, "reason-%d", i % 700);
        metric_add(METRIC_DENIED, labels, 1);
        metric_add(METRIC_HTTP_IN_FLIGHT, NULL, i % 2 ? 1 : -1);
        metric_observe_us(METRIC_ACK_SECONDS, NULL, i);
        if (i % 50 == 0)
            log_event(LOG_INTERNAL, F_N("step", i), F_DIGEST("digest", &d));
    }
    return NULL;
}

static void
run_round(digest *wanted)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, work, wanted) == 0, "thread");
    AUTO_DONE(buf_done) struct buf out;
    buf_init(&out, 1024 * 1024);
    metrics_print(&out);
    must(!out.failed, "print");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int
main(void)
{
    digest wanted = hmac_sha256(V("key"), V("text"));
    log_start(LEVEL_INFO, open("/dev/null", O_WRONLY | O_CLOEXEC));
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 2)
            deterministic_start(1);
        run_round(&wanted);
    }
    must(metric_value(METRIC_ACK_SECONDS, NULL) == (int64_t)THREADS * ROUNDS * STEPS,
         "no observation is lost");
    must(metric_value(METRIC_HTTP_IN_FLIGHT, NULL) == 0, "the gauge is back at zero");
    must(metric_value(METRIC_ERRORS, "internal") == (int64_t)THREADS * ROUNDS * (STEPS / 50),
         "error lines are counted");
    return 0;
}
