#include "base/metrics.h"
#include "store/inside.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define FRAME_BYTES (STORE_PAGE_SIZE + 24)
#define IDLE_SECONDS 2
/* How long a restart may hold the writer while it waits for readers to leave the WAL; then it is tried
 * again when it is due. */
#define RESTART_PATIENCE_MS 50

struct checkpointer {
    struct store *store;
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* of the checkpointer */
    pthread_cond_t turn; /* of the writer */
    bool writing;
    bool wants; /* the writer shall not begin */
    bool stop;
    int64_t frames; /* in the WAL after the last commit */
    int64_t seen;   /* when the last checkpoint began */
};

static bool
checkpoint_is_due(const struct checkpointer *c)
{
    return (c->frames - c->seen) * FRAME_BYTES >= CHECKPOINT_BYTES;
}

void
checkpoint_writer_begin(struct checkpointer *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->wants)
        pthread_cond_wait(&c->turn, &c->lock);
    c->writing = true;
    pthread_mutex_unlock(&c->lock);
}

void
checkpoint_writer_end(struct checkpointer *c, int frames)
{
    pthread_mutex_lock(&c->lock);
    c->writing = false;
    /* Fewer than before: the WAL began again by itself, because all of it was moved and nobody read it. */
    if (frames < c->seen)
        c->seen = 0;
    bool first = c->frames == c->seen && frames != c->seen;
    c->frames = frames;
    if (c->wants || first || checkpoint_is_due(c))
        pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static bool
checkpoint_run(struct checkpointer *c, int mode)
{
    int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, NULL, NULL);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
}

static void
checkpoint_fail(struct checkpointer *c)
{
    metric_add(METRIC_STORE_ERRORS, "checkpoint", 1);
    if (store_mark_failed(c->store))
        store_call_fatal(c->store, "checkpoint");
}

/* The passive one does nearly all of the work beside the writer; the restart then has little left. */
static bool
checkpoint_restart(struct checkpointer *c)
{
    pthread_mutex_lock(&c->lock);
    c->wants = true;
    while (c->writing)
        pthread_cond_wait(&c->wake, &c->lock);
    pthread_mutex_unlock(&c->lock);
    bool good = checkpoint_run(c, SQLITE_CHECKPOINT_RESTART);
    pthread_mutex_lock(&c->lock);
    c->wants = false;
    pthread_cond_signal(&c->turn);
    pthread_mutex_unlock(&c->lock);
    return good;
}

/* Waits for a commit; true when none came for a while. */
static bool
checkpoint_sleep(struct checkpointer *c)
{
    if (c->frames == c->seen) {
        pthread_cond_wait(&c->wake, &c->lock);
        return false;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    int64_t before = c->frames;
    return pthread_cond_timedwait(&c->wake, &c->lock, &until) != 0 && c->frames == before;
}

/* True when there is something to do, false to stop. */
static bool
checkpoint_wait(struct checkpointer *c, bool *ret_restart)
{
    pthread_mutex_lock(&c->lock);
    bool idle = false;
    while (!c->stop && !checkpoint_is_due(c) && !idle)
        idle = checkpoint_sleep(c);
    bool go = !c->stop;
    *ret_restart = c->frames * FRAME_BYTES > CHECKPOINT_RESTART_BYTES;
    c->seen = c->frames;
    pthread_mutex_unlock(&c->lock);
    return go;
}

static void *
checkpoint_main(void *self)
{
    struct checkpointer *c = self;
    bool restart;
    while (checkpoint_wait(c, &restart)) {
        bool good = checkpoint_run(c, SQLITE_CHECKPOINT_PASSIVE);
        if (good && restart)
            good = checkpoint_restart(c);
        if (!good) {
            checkpoint_fail(c);
            break;
        }
    }
    return NULL;
}

err
checkpoint_start(struct store *store, const char *database, struct checkpointer **ret, struct fault *f)
{
    sqlite3 *db;
    TRY(connection_open(database, CONNECTION_CHECKPOINTER, false, &db, f));
    sqlite3_busy_timeout(db, RESTART_PATIENCE_MS);
    struct checkpointer *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->store = store;
    c->db = db;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_cond_init(&c->turn, NULL);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&c->thread, NULL, checkpoint_main, c))
        abort();
    pthread_setname_np(c->thread, "checkpoint");
    *ret = c;
    return E_OK;
}

void
checkpoint_stop(struct checkpointer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    connection_close(c->db);
    pthread_cond_destroy(&c->wake);
    pthread_cond_destroy(&c->turn);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
