#include "store/sql.h"

#include "store/page_cache.h"
#include "store/vfs.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define WRITER_CACHE_KIB "65536"
#define READER_CACHE_KIB "4096"
/* Pages that a connection's cache has in one piece.  A reader drops its cache with every commit of the writer; so many
 * it takes again without the heap. */
#define CACHE_FIRST_PAGES 96

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Memory statistics take one lock around every malloc of every connection.  A statement journal never goes
 * to a file: it is as large as the pages that one unit touches.  Each connection is used by one thread at
 * a time, so its own mutex is left out. */
static void
sql_configure(void)
{
    if (sqlite3_config(SQLITE_CONFIG_MULTITHREAD) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, CACHE_FIRST_PAGES) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) != SQLITE_OK)
        abort();
    page_cache_configure();
    if (sqlite3_initialize() != SQLITE_OK)
        abort();
    vfs_start();
}

void
sql_start(void)
{
    if (pthread_once(&once, sql_configure))
        abort();
}

err
sql_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E_STORE_CORRUPT;
    }
    assert((rc & 0xff) != SQLITE_MISUSE && (rc & 0xff) != SQLITE_RANGE);
    return E_STORE;
}

err
sql_fault(struct fault *f, int rc, const char *where)
{
    return fault_set(f, sql_err(rc), where, "a working database", sqlite3_errstr(rc));
}

sqlite3_stmt *
sql_prepare(sqlite3 *db, const char *sql, const char **ret_tail)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, ret_tail) != SQLITE_OK)
        return NULL;
    return stmt;
}

err
connection_run(sqlite3 *db, const char *sql, struct fault *f)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? E_OK : sql_fault(f, rc, "database");
}

/* What a file from elsewhere could use to run something is off: triggers, views, extension functions in
 * the schema, writable schema. */
static int
connection_harden(sqlite3 *db)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        /* After a failure the WAL must stay as it is; a clean close checkpoints by itself. */
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; i < COUNT_OF(settings) && rc == SQLITE_OK; i++)
        rc = sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
    return rc;
}

/* page_size and auto_vacuum act only on an empty database, before WAL is set. */
#define PRAGMAS_COMMON                                                                                       \
    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF; "                  \
    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; "
#define PRAGMAS_WRITER                                                                                       \
    "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; " PRAGMAS_COMMON  \
    "PRAGMA cache_size = -" WRITER_CACHE_KIB ";"
#define PRAGMAS_READER PRAGMAS_COMMON "PRAGMA query_only = ON; PRAGMA cache_size = -" READER_CACHE_KIB ";"
_Static_assert(STORE_PAGE_SIZE == 8192, "the pragma names the page size");

static const char *
connection_pragmas(enum connection_role role)
{
    switch (role) {
    case CONNECTION_WRITER:
        return PRAGMAS_WRITER;
    case CONNECTION_READER:
        return PRAGMAS_READER;
    case CONNECTION_CHECKPOINTER:
        return PRAGMAS_COMMON;
    }
    return NULL;
}

err
connection_open(const char *path, enum connection_role role, bool read_only, sqlite3 **ret, struct fault *f)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    if (read_only)
        flags |= SQLITE_OPEN_READONLY;
    else
        flags |= SQLITE_OPEN_READWRITE | (role == CONNECTION_WRITER ? SQLITE_OPEN_CREATE : 0);
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags, VFS_NAME);
    if (rc == SQLITE_OK)
        rc = connection_harden(db);
    /* Only a foreign process can make us wait: the checkpointer takes turns with the writer
     * (checkpoint.h). */
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, 2000);
    err e = rc == SQLITE_OK ? connection_run(db, connection_pragmas(role), f) : sql_fault(f, rc, "database");
    if (e != E_OK) {
        sqlite3_close_v2(db);
        return e;
    }
    *ret = db;
    return E_OK;
}

void
connection_close(sqlite3 *db)
{
    if (!db)
        return;
    for (sqlite3_stmt *stmt; (stmt = sqlite3_next_stmt(db, NULL));)
        sqlite3_finalize(stmt);
    sqlite3_close_v2(db);
}
