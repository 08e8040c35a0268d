/* SQLite as the store uses it: connections with their settings, the schema, and rows bound to and read
 * from statements by the tables of table.h.  A connection belongs to one thread at a time
 * (SQLITE_OPEN_NOMUTEX). */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/buf.h"
#include "store/table.h"

#include <sqlite3.h>

#define STORE_PAGE_SIZE 8192
#define STORE_SCHEMA_VERSION 10
#define STORE_APPLICATION_ID 0x436c4774 /* "ClGt" */

enum connection_role { CONNECTION_WRITER, CONNECTION_READER, CONNECTION_CHECKPOINTER };

/* Once per process, before the first connection. */
void sql_start(void);
/* E_STORE, E_STORE_CORRUPT. */
err connection_open(const char *path, enum connection_role role, bool read_only, sqlite3 **ret,
                    struct fault *f) MUST_USE;
/* Does not checkpoint. NULL is fine. */
void connection_close(sqlite3 *db);
/* Statements without result, several in one text. */
err connection_run(sqlite3 *db, const char *sql, struct fault *f) MUST_USE;
/* E_BUSY, E_STORE or E_STORE_CORRUPT. */
err sql_err(int rc);
/* sql_err with the code's name in the fault. */
err sql_fault(struct fault *f, int rc, const char *where);

/* NULL on failure. Kept for the connection's life. */
sqlite3_stmt *sql_prepare(sqlite3 *db, const char *sql, const char **ret_tail);

/* Creates the tables in an empty database, else checks application, version and the text of every table
 * and index. */
err schema_ensure(sqlite3 *db, bool read_only, bool *ret_created, struct fault *f) MUST_USE;
void schema_write_table(const struct table *t, struct buf *out);
void schema_write_index(const struct index_row *i, struct buf *out);

/* "id, kind, …" */
void sql_write_columns(const struct table *t, struct buf *out);
void sql_write_insert(const struct table *t, enum row_op op, struct buf *out);
/* All parameters of an insert or put, from 1. SQLite's code. */
int sql_bind_row(sqlite3_stmt *stmt, const struct table *t, const void *row);
int sql_bind_values(sqlite3_stmt *stmt, const struct value *args, size_t n);
/* The first n columns of the current row as they stand in the file; borrowed until the next step. */
void sql_values(sqlite3_stmt *stmt, size_t n, struct value *ret);
/* The current row of SELECT <columns> into a zeroed struct. E_STORE_CORRUPT when a column has not its
 * kind's form; E_TOO_LARGE when mem is full. */
err sql_read_row(sqlite3_stmt *stmt, const struct table *t, arena *mem, void *row) MUST_USE;

#endif
