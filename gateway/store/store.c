#include "base/metrics.h"
#include "store/apply.h"
#include "store/inside.h"
#include "store/journal.h"
#include "store/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool
store_mark_failed(struct store *s)
{
    return !atomic_exchange(&s->failed, true);
}

void
store_call_fatal(struct store *s, const char *what)
{
    if (s->options.fatal)
        s->options.fatal(s->options.self, what);
}

bool
store_is_ready(const struct store *s)
{
    return s->writer && !atomic_load(&s->failed);
}

static err
store_read_tail(sqlite3 *db, struct segment_tail *ret, int64_t *ret_leaves, struct fault *f)
{
    static const char sql[] = "SELECT day, number, length, (SELECT coalesce(max(seq), -1) + 1 FROM leaves) "
                              "FROM (SELECT 1) LEFT JOIN segment_tail ON id = 1";
    sqlite3_stmt *stmt = sql_prepare(db, sql, NULL);
    if (!stmt)
        return sql_fault(f, sqlite3_extended_errcode(db), "database");
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        ret->day = sqlite3_column_int(stmt, 0);
        ret->number = sqlite3_column_int(stmt, 1);
        ret->length = sqlite3_column_int64(stmt, 2);
        *ret_leaves = sqlite3_column_int64(stmt, 3);
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? E_OK : sql_fault(f, rc, "database");
}

/* The writer's connection and the segment files; both are given to the writer, which no longer fails. */
static err
store_open_writer(struct store *s, struct fault *f)
{
    bool clean, created;
    TRY(recover_begin(s->dir, &clean, f));
    sqlite3 *db;
    TRY(connection_open(s->database, CONNECTION_WRITER, false, &db, f));
    struct segment_tail tail = {0};
    struct segments *segments = NULL;
    int64_t leaves = 0;
    err e = schema_ensure(db, false, &created, f);
    if (e == E_OK)
        e = store_read_tail(db, &tail, &leaves, f);
    if (e == E_OK)
        e = segments_open(s->dir, created, &tail, &segments, f);
    if (e == E_OK)
        e = checkpoint_start(s, s->database, &s->checkpointer, f);
    if (e != E_OK) {
        segments_close(segments, false);
        connection_close(db);
        return e;
    }
    atomic_store(&s->log_length, (uint64_t)leaves);
    metric_set(METRIC_LOG_LENGTH, "", leaves);
    s->writer = writer_start(s, apply_new(db, segments, leaves, s->options.leaf_hash));
    return E_OK;
}

static err
store_check_read_only(struct store *s, struct fault *f)
{
    sqlite3 *db;
    TRY(connection_open(s->database, CONNECTION_READER, true, &db, f));
    struct segment_tail tail;
    int64_t leaves = 0;
    bool created;
    err e = schema_ensure(db, true, &created, f);
    if (e == E_OK)
        e = store_read_tail(db, &tail, &leaves, f);
    connection_close(db);
    if (e == E_OK)
        atomic_store(&s->log_length, (uint64_t)leaves);
    return e;
}

err
store_open(const struct store_options *o, struct store **ret, struct fault *f)
{
    sql_start();
    struct store *s AUTO(store_close) = calloc(1, sizeof *s);
    size_t room = strlen(o->dir) + sizeof "/" STORE_DATABASE;
    if (!s || !(s->database = malloc(room)))
        abort();
    snprintf(s->database, room, "%s/%s", o->dir, STORE_DATABASE);
    s->options = *o;
    s->options.dir = NULL; /* borrowed, may be gone later */
    s->dir = s->lock = -1;
    TRY(recover_open_folder(o->dir, !o->read_only, &s->dir, f));
    if (o->read_only) {
        TRY(store_check_read_only(s, f));
    } else {
        TRY(recover_lock(s->dir, &s->lock, f));
        s->kept = kept_new();
        TRY(store_open_writer(s, f));
    }
    TRY(pool_open(s->database, o->readers, o->read_only, s->kept, &s->pool, f));
    *ret = TAKE(s);
    return E_OK;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    pool_close(s->pool);
    if (s->writer)
        writer_stop(s->writer);
    checkpoint_stop(s->checkpointer);
    bool clean = s->writer && writer_free(s->writer, !atomic_load(&s->failed)) && !atomic_load(&s->failed);
    /* Without the mark the next start only does more than it needs. */
    if (clean && recover_mark_clean(s->dir) != E_OK)
        metric_add(METRIC_STORE_ERRORS, "close", 1);
    kept_free(s->kept);
    if (s->lock >= 0)
        close(s->lock);
    if (s->dir >= 0)
        close(s->dir);
    free(s->database);
    free(s);
}

err
store_reader(struct store *s, struct reader **ret)
{
    return pool_take(s->pool, ret);
}

err
store_body(struct store *s, const struct address *at, arena *mem, view *ret)
{
    err e = segment_read(s->dir, at, mem, ret);
    if (e == E_STORE || e == E_STORE_CORRUPT)
        metric_add(METRIC_STORE_ERRORS, "body", 1);
    return e;
}

uint64_t
store_log_length(struct store *s)
{
    return atomic_load(&s->log_length);
}

/* The digest of a body is taken by the thread that brings it, not by the one that all wait for. */
static void
unit_measure_bodies(struct unit *u)
{
    for (struct unit_body *b = u->bodies; b; b = b->next) {
        *b->at = (struct address){.length = (int64_t)b->sealed.n};
        if (b->sealed.n)
            b->at->check = sha256(b->sealed);
    }
}

static err
store_commit_ticket(struct store *s, struct unit *u, bool now)
{
    if (u->failed)
        return E_TOO_LARGE;
    if (!store_is_ready(s))
        return E_STORE;
    unit_measure_bodies(u);
    if (s->options.leaf_hash) {
        journal_unit(u);
        if (u->failed)
            return E_TOO_LARGE;
    }
    struct ticket t = {.unit = u, .now = now};
    sem_init(&t.done, 0, 0);
    err e = writer_push(s->writer, &t);
    if (e == E_OK) {
        while (sem_wait(&t.done) && errno == EINTR)
            ;
        e = t.result;
    }
    sem_destroy(&t.done);
    return e;
}

err
store_commit(struct store *s, struct unit *u)
{
    return store_commit_ticket(s, u, false);
}

err
store_commit_now(struct store *s, struct unit *u)
{
    return store_commit_ticket(s, u, true);
}
