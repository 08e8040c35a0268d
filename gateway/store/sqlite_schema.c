#include "store/sql.h"

#include <assert.h>

static const char *
column_type(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_INT:
    case COLUMN_ASSIGNED:
        return "INTEGER NOT NULL";
    case COLUMN_TIME:
        return "INTEGER";
    case COLUMN_TEXT:
        return "TEXT";
    default:
        return "BLOB";
    }
}

/* Rows that hold much (a document's facts, a claim's detail, a receipt) stay in a rowid table: a clustered one
 * has whole rows in its inner pages too, so that a few of them fill a page, every search goes through many
 * levels, and rows that come in order are moved again and again.  A leaf's number is its rowid.  All others
 * are small and found by their key, so one tree holds key and row. */
static bool
table_is_clustered(const struct table *t)
{
    static const char *const with_rowid[] = {"document",   "verdict",  "reception",   "claim",
                                             "permission", "decision", "idempotency", "change",
                                             "leaf",       "journal",  "projection",  "merge"};
    for (size_t i = 0; i < COUNT_OF(with_rowid); i++) {
        if (view_eq(view_of(t->word), view_of(with_rowid[i])))
            return false;
    }
    return true;
}

void
schema_write_table(const struct table *t, struct buf *out)
{
    buf_printf(out, "CREATE TABLE %s (", t->name);
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        if (c->kind == COLUMN_ADDRESS)
            buf_printf(
                out,
                "%s_day INTEGER, %s_number INTEGER, %s_offset INTEGER, %s_length INTEGER, %s_check BLOB, ",
                c->name, c->name, c->name, c->name, c->name);
        else
            buf_printf(out, "%s %s, ", c->name, column_type(c->kind));
    }
    buf_printf(out, "%s) STRICT%s", t->constraints, table_is_clustered(t) ? ", WITHOUT ROWID" : "");
}

void
schema_write_index(const struct index_row *i, struct buf *out)
{
    buf_printf(out, "CREATE INDEX %s ON %s (%s)", i->name, i->table, i->columns);
    if (*i->where)
        buf_printf(out, " WHERE %s", i->where);
}

/* What the store keeps about itself. */
static const struct {
    const char *name, *sql;
} own_tables[] = {
    {"schema_version",
     "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT"},
    /* Where the last committed body ends: what lies behind is nobody's (segment.h). */
    {"segment_tail",
     "CREATE TABLE segment_tail (id INTEGER PRIMARY KEY CHECK (id = 1), day INTEGER NOT NULL, "
     "number INTEGER NOT NULL, length INTEGER NOT NULL) STRICT"},
};

static err
schema_create(sqlite3 *db, struct fault *f)
{
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 20);
    BUF_LIT(&sql, "BEGIN IMMEDIATE;\n");
    for (size_t i = 0; i < COUNT_OF(own_tables); i++)
        buf_printf(&sql, "%s;\n", own_tables[i].sql);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        schema_write_table(table_of((enum row_kind)kind), &sql);
        BUF_LIT(&sql, ";\n");
    }
    for (size_t i = 0; i < index_count; i++) {
        schema_write_index(&index_rows[i], &sql);
        BUF_LIT(&sql, ";\n");
    }
    buf_printf(&sql, "INSERT INTO schema_version VALUES (%d, %lld);\n", STORE_SCHEMA_VERSION,
               (long long)clock_now().us);
    buf_printf(&sql, "PRAGMA application_id = %d;\nCOMMIT;", STORE_APPLICATION_ID);
    assert(!sql.failed);
    return connection_run(db, sql.p, f);
}

static err
schema_number(sqlite3 *db, const char *sql, int64_t *ret, struct fault *f)
{
    sqlite3_stmt *stmt = sql_prepare(db, sql, NULL);
    if (!stmt)
        return sql_fault(f, sqlite3_extended_errcode(db), "database");
    int rc = sqlite3_step(stmt);
    int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sql_fault(f, rc, "database");
    *ret = n;
    return E_OK;
}

/* SQLite keeps the text of a definition as it was written, so equal text is an equal table. */
static err
schema_check_text(sqlite3_stmt *find, const char *name, const char *sql, struct fault *f)
{
    sqlite3_reset(find);
    int rc = sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(find);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sql_fault(f, rc, "database");
    view found = VIEW_NONE;
    if (rc == SQLITE_ROW)
        found = view_make(sqlite3_column_text(find, 0), (size_t)sqlite3_column_bytes(find, 0));
    bool same = view_eq(found, view_of(sql));
    sqlite3_reset(find);
    if (same)
        return E_OK;
    return fault_setf(f, E_STORE_VERSION, "the definition of this version", "another one", "database: %s",
                      name);
}

static err
schema_check_all(sqlite3 *db, sqlite3_stmt *find, struct fault *f)
{
    (void)db;
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(own_tables); i++)
        TRY(schema_check_text(find, own_tables[i].name, own_tables[i].sql, f));
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        buf_clear(&sql);
        schema_write_table(table_of((enum row_kind)kind), &sql);
        TRY(schema_check_text(find, table_of((enum row_kind)kind)->name, sql.p, f));
    }
    for (size_t i = 0; i < index_count; i++) {
        buf_clear(&sql);
        schema_write_index(&index_rows[i], &sql);
        TRY(schema_check_text(find, index_rows[i].name, sql.p, f));
    }
    return E_OK;
}

static err
schema_check(sqlite3 *db, struct fault *f)
{
    int64_t id, version;
    TRY(schema_number(db, "PRAGMA application_id", &id, f));
    if (id != STORE_APPLICATION_ID)
        return fault_set(f, E_STORE_VERSION, "database", "a database of the gateway",
                         "one of another program");
    TRY(schema_number(db, "SELECT max(version) FROM schema_version", &version, f));
    if (version != STORE_SCHEMA_VERSION)
        return fault_set(f, E_STORE_VERSION, "database", "the schema version of this program",
                         version < STORE_SCHEMA_VERSION ? "an older one" : "a newer one");
    sqlite3_stmt *find = sql_prepare(db, "SELECT sql FROM sqlite_schema WHERE name = ?1", NULL);
    if (!find)
        return sql_fault(f, sqlite3_extended_errcode(db), "database");
    err e = schema_check_all(db, find, f);
    sqlite3_finalize(find);
    return e;
}

err
schema_ensure(sqlite3 *db, bool read_only, bool *ret_created, struct fault *f)
{
    int64_t tables;
    TRY(schema_number(db, "SELECT count(*) FROM sqlite_schema", &tables, f));
    if (tables == 0 && !read_only) {
        TRY(schema_create(db, f));
        *ret_created = true;
        return E_OK;
    }
    TRY(schema_check(db, f));
    *ret_created = false;
    return E_OK;
}

int
store_schema_version(void)
{
    return STORE_SCHEMA_VERSION;
}
