/* The page cache is asked to drop pages only when there are some to drop. */
#include "store/page_cache.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static sqlite3_pcache_methods2 below;
static int truncations;

static void
count_truncate(sqlite3_pcache *pages, unsigned first)
{
    truncations += first > 1; /* a table of the query's own is dropped from its first page on */
    below.xTruncate(pages, first);
}

/* Between the layer and the library's cache: counts what comes through. */
static void
put_counter_below(void)
{
    static sqlite3_pcache_methods2 counting;
    cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &below), SQLITE_OK);
    counting = below;
    counting.xTruncate = count_truncate;
    cr_assert_eq(sqlite3_config(SQLITE_CONFIG_PCACHE2, &counting), SQLITE_OK);
}

static char dir[] = "/tmp/page-cache-XXXXXX";
static char path[64];

static void
run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &why), SQLITE_OK, "%s: %s", sql, why);
}

static sqlite3 *
begin(void)
{
    sqlite3 *db;
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/db", dir);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE TABLE t (k BLOB, v BLOB, PRIMARY KEY (k)) WITHOUT ROWID");
    return db;
}

static void
end(sqlite3 *db)
{
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(remove(dir), 0, "a clean close leaves no WAL");
}

static void
fill(sqlite3 *db, int commits)
{
    for (int i = 0; i < commits; i++)
        run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
                "INSERT INTO t SELECT randomblob(16), randomblob(300) FROM n");
}

static int64_t
number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

Test(page_cache, the_librarys_own_walks_through_all_pages_at_commits_that_drop_none)
{
    put_counter_below();
    sqlite3 *db = begin();
    truncations = 0;
    fill(db, 40);
    cr_expect_geq(truncations, 20, "without the layer; else it is of no more use: %d", truncations);
    end(db);
}

Test(page_cache, commits_that_drop_no_page_walk_through_none)
{
    put_counter_below();
    page_cache_configure();
    sqlite3 *db = begin();
    truncations = 0;
    fill(db, 40);
    cr_expect_eq(truncations, 0, "%d of 40 commits", truncations);
    cr_expect_eq(number(db, "SELECT count(*) FROM t"), 40 * 200);
    end(db);
}

Test(page_cache, a_file_that_shrinks_and_grows_again_stays_whole)
{
    put_counter_below();
    page_cache_configure();
    sqlite3 *db = begin();
    for (int i = 0; i < 4; i++) {
        fill(db, 20);
        truncations = 0;
        run(db, "DELETE FROM t WHERE k > x'40'; PRAGMA incremental_vacuum");
        cr_expect_gt(truncations, 0, "what lies behind the end is dropped");
        int64_t pages = number(db, "PRAGMA page_count");
        run(db, "BEGIN");
        fill(db, 5);
        run(db, "ROLLBACK");
        cr_expect_eq(number(db, "PRAGMA page_count"), pages);
        cr_expect_eq(number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
    }
    end(db);
}
