#include "store/kept.h"
#include "store/pool.h"
#include "store/sql.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define READER_WAIT_SECONDS 5

struct query_row {
    enum row_kind row;
    bool is_kept;
    const char *sql;
};
static const struct query_row queries[] = {
#define QUERY(name, row, sql) {ROW_##row, false, sql},
#define KEPT_QUERY(name, row, sql) {ROW_##row, true, sql},
#include "store/statements.def"
#undef QUERY
};

struct reader {
    struct pool *pool;
    struct reader *next; /* while free */
    sqlite3 *db;
    bool in_snapshot;
    struct kept_marks marks; /* from before the snapshot */
    sqlite3_stmt *begin, *end, *hashes;
    sqlite3_stmt *queries[QUERY_COUNT];
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t back;
    struct reader *idle; /* last in, first out: its cache is warm */
    size_t n;
    struct reader *readers;
    struct kept *kept; /* NULL: nothing is */
};

static err
reader_open(struct reader *r, struct pool *p, const char *database, bool read_only, struct fault *f)
{
    r->pool = p;
    TRY(connection_open(database, CONNECTION_READER, read_only, &r->db, f));
    r->begin = sql_prepare(r->db, "BEGIN", NULL);
    r->end = sql_prepare(r->db, "COMMIT", NULL);
    r->hashes = sql_prepare(r->db, "SELECT hash FROM leaves WHERE seq >= ?1 ORDER BY seq LIMIT ?2", NULL);
    if (!r->begin || !r->end || !r->hashes)
        return sql_fault(f, sqlite3_extended_errcode(r->db), "database");
    return E_OK;
}

err
pool_open(const char *database, int readers, bool read_only, struct kept *kept, struct pool **ret,
          struct fault *f)
{
    size_t n = readers > 0 ? (size_t)readers : 1;
    struct pool *p AUTO(pool_close) = calloc(1, sizeof *p);
    if (!p || !(p->readers = calloc(n, sizeof *p->readers)))
        abort();
    p->kept = kept;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->back, &attr);
    pthread_condattr_destroy(&attr);
    while (p->n < n) {
        struct reader *r = &p->readers[p->n++];
        TRY(reader_open(r, p, database, read_only, f));
        r->next = p->idle;
        p->idle = r;
    }
    *ret = TAKE(p);
    return E_OK;
}

void
pool_close(struct pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        connection_close(p->readers[i].db);
    pthread_cond_destroy(&p->back);
    pthread_mutex_destroy(&p->lock);
    free(p->readers);
    free(p);
}

/* Not the injected clock: this is how long a thread sleeps, not what time it is. */
static struct timespec
deadline_after_seconds(int seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += seconds;
    return t;
}

err
pool_take(struct pool *p, struct reader **ret)
{
    pthread_mutex_lock(&p->lock);
    if (!p->idle) {
        struct timespec until = deadline_after_seconds(READER_WAIT_SECONDS);
        while (!p->idle && pthread_cond_timedwait(&p->back, &p->lock, &until) == 0)
            ;
    }
    struct reader *r = p->idle;
    if (r)
        p->idle = r->next;
    pthread_mutex_unlock(&p->lock);
    if (!r)
        return E_BUSY;
    *ret = r;
    return E_OK;
}

void
reader_done(struct reader *r)
{
    if (!r)
        return;
    if (r->in_snapshot) {
        sqlite3_step(r->end);
        sqlite3_reset(r->end);
        r->in_snapshot = false;
    }
    struct pool *p = r->pool;
    pthread_mutex_lock(&p->lock);
    r->next = p->idle;
    p->idle = r;
    pthread_cond_signal(&p->back);
    pthread_mutex_unlock(&p->lock);
}

/* The snapshot is what the first query sees, so that a reader that waited for its turn does not look at an
 * old state. */
static err
reader_begin(struct reader *r)
{
    if (r->in_snapshot)
        return E_OK;
    if (r->pool->kept)
        kept_mark(r->pool->kept, &r->marks);
    int rc = sqlite3_step(r->begin);
    sqlite3_reset(r->begin);
    if (rc != SQLITE_DONE)
        return sql_err(rc);
    r->in_snapshot = true;
    return E_OK;
}

static sqlite3_stmt *
reader_statement(struct reader *r, enum query q)
{
    if (r->queries[q])
        return r->queries[q];
    const struct table *t = table_of(queries[q].row);
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 16);
    BUF_LIT(&sql, "SELECT ");
    sql_write_columns(t, &sql);
    buf_printf(&sql, " FROM %s %s", t->name, queries[q].sql);
    return r->queries[q] = sql_prepare(r->db, sql.p, NULL);
}

static err
query_rows(sqlite3_stmt *stmt, const struct table *t, arena *mem, void **ret)
{
    void *first = NULL, *last = NULL;
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        void *row = arena_alloc(mem, t->size);
        if (!row)
            return E_TOO_LARGE;
        TRY(sql_read_row(stmt, t, mem, row));
        if (last)
            row_set_next(t, last, row);
        else
            first = row;
        last = row;
    }
    if (rc != SQLITE_DONE)
        return sql_err(rc);
    *ret = first;
    return E_OK;
}

err
store_query(struct reader *r, enum query q, const struct value *args, size_t n, arena *mem, void **ret)
{
    assert(q < QUERY_COUNT);
    const struct query_row *row = &queries[q];
    struct kept *kept = row->is_kept ? r->pool->kept : NULL;
    if (kept && kept_find(kept, q, row->row, args, n, mem, ret))
        return E_OK;
    TRY(reader_begin(r));
    sqlite3_stmt *stmt = reader_statement(r, q);
    if (!stmt)
        return sql_err(sqlite3_extended_errcode(r->db));
    int rc = sql_bind_values(stmt, args, n);
    err e = rc == SQLITE_OK ? query_rows(stmt, table_of(row->row), mem, ret) : sql_err(rc);
    sqlite3_reset(stmt);
    if (e == E_OK && kept)
        kept_add(kept, q, row->row, args, n, &r->marks, *ret);
    return e;
}

static err
leaf_hashes(sqlite3_stmt *stmt, size_t n, digest *ret, size_t *ret_n)
{
    size_t have = 0;
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && have < n) {
        const void *hash = sqlite3_column_blob(stmt, 0);
        if (!hash || sqlite3_column_bytes(stmt, 0) != (int)sizeof(digest))
            return E_STORE_CORRUPT;
        memcpy(ret[have++].b, hash, sizeof(digest));
    }
    if (rc != SQLITE_DONE)
        return sql_err(rc);
    *ret_n = have;
    return E_OK;
}

err
store_leaf_hashes(struct reader *r, uint64_t from, size_t n, digest *ret, size_t *ret_n)
{
    TRY(reader_begin(r));
    assert(from <= INT64_MAX && n <= INT64_MAX);
    const struct value args[] = {val_int((int64_t)from), val_int((int64_t)n)};
    int rc = sql_bind_values(r->hashes, args, COUNT_OF(args));
    err e = rc == SQLITE_OK ? leaf_hashes(r->hashes, n, ret, ret_n) : sql_err(rc);
    sqlite3_reset(r->hashes);
    return e;
}
