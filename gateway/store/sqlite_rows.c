#include "store/sql.h"

#include <assert.h>

void
sql_write_columns(const struct table *t, struct buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const char *name = t->columns[i].name;
        if (i)
            BUF_LIT(out, ", ");
        if (t->columns[i].kind == COLUMN_ADDRESS)
            buf_printf(out, "%s_day, %s_number, %s_offset, %s_length, %s_check", name, name, name, name,
                       name);
        else
            buf_printf(out, "%s", name);
    }
}

static void
write_update(const struct table *t, struct buf *out)
{
    static const char *const address_parts[] = {"_day", "_number", "_offset", "_length", "_check"};
    const char *sep = "";
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        if (table_is_key_column(t, c->name))
            continue;
        size_t parts = c->kind == COLUMN_ADDRESS ? COUNT_OF(address_parts) : 1;
        for (size_t p = 0; p < parts; p++) {
            const char *part = c->kind == COLUMN_ADDRESS ? address_parts[p] : "";
            buf_printf(out, "%s%s%s = excluded.%s%s", sep, c->name, part, c->name, part);
            sep = ", ";
        }
    }
}

/* INSERT OR REPLACE would silently delete the row that another UNIQUE stands for; the conflict clause
 * names the primary key only. */
void
sql_write_insert(const struct table *t, enum row_op op, struct buf *out)
{
    buf_printf(out, "INSERT INTO %s (", t->name);
    sql_write_columns(t, out);
    BUF_LIT(out, ") VALUES (");
    int n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += t->columns[i].kind == COLUMN_ADDRESS ? 5 : 1;
    for (int i = 1; i <= n; i++)
        buf_printf(out, i == 1 ? "?%d" : ", ?%d", i);
    BUF_LIT(out, ")");
    if (op == ROW_INSERT)
        return;
    view key = table_primary_key(t);
    buf_printf(out, " ON CONFLICT (%.*s) DO ", VIEW_ARG(key));
    if (op == ROW_KEEP) {
        BUF_LIT(out, "NOTHING");
        return;
    }
    BUF_LIT(out, "UPDATE SET ");
    write_update(t, out);
}

static int
bind_view(sqlite3_stmt *stmt, int at, view v, bool text)
{
    if (!v.p)
        return sqlite3_bind_null(stmt, at);
    if (text)
        return sqlite3_bind_text64(stmt, at, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(stmt, at, v.p, v.n, SQLITE_STATIC);
}

static int
bind_value(sqlite3_stmt *stmt, int at, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        return sqlite3_bind_null(stmt, at);
    case VALUE_INT:
        return sqlite3_bind_int64(stmt, at, v->number);
    case VALUE_TEXT:
        return bind_view(stmt, at, v->bytes, true);
    case VALUE_BLOB:
        return bind_view(stmt, at, v->bytes, false);
    }
    return SQLITE_MISUSE;
}

int
sql_bind_row(sqlite3_stmt *stmt, const struct table *t, const void *row)
{
    struct value values[TABLE_VALUES_MAX];
    size_t n = table_values(t, row, values);
    for (size_t i = 0; i < n; i++) {
        int rc = bind_value(stmt, (int)i + 1, &values[i]);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

/* A statement of several that shares its arguments with the others may name fewer than are given. */
int
sql_bind_values(sqlite3_stmt *stmt, const struct value *args, size_t n)
{
    int wanted = sqlite3_bind_parameter_count(stmt);
    assert(n >= (size_t)wanted);
    for (int i = 0; i < wanted; i++) {
        int rc = bind_value(stmt, i + 1, &args[i]);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

void
sql_values(sqlite3_stmt *stmt, size_t n, struct value *ret)
{
    for (size_t i = 0; i < n; i++) {
        int at = (int)i, type = sqlite3_column_type(stmt, at);
        ret[i] = (struct value){.kind = VALUE_NULL};
        if (type == SQLITE_INTEGER)
            ret[i] = val_int(sqlite3_column_int64(stmt, at));
        if (type != SQLITE_TEXT && type != SQLITE_BLOB)
            continue;
        const void *p =
            type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, at) : sqlite3_column_blob(stmt, at);
        ret[i].kind = type == SQLITE_TEXT ? VALUE_TEXT : VALUE_BLOB;
        ret[i].bytes = view_make(p ? p : "", (size_t)sqlite3_column_bytes(stmt, at));
    }
}

static err
read_bytes(sqlite3_stmt *stmt, int at, void *to, size_t n)
{
    int type = sqlite3_column_type(stmt, at);
    if (type == SQLITE_NULL)
        return E_OK;
    const void *p = sqlite3_column_blob(stmt, at);
    if (type != SQLITE_BLOB || sqlite3_column_bytes(stmt, at) != (int)n || !p)
        return E_STORE_CORRUPT;
    memcpy(to, p, n);
    return E_OK;
}

static err
read_view(sqlite3_stmt *stmt, int at, int type, arena *mem, view *to)
{
    int found = sqlite3_column_type(stmt, at);
    if (found == SQLITE_NULL)
        return E_OK;
    if (found != type)
        return E_STORE_CORRUPT;
    /* SQLite gives NULL for an empty blob; absent and empty stay different here. */
    const void *p =
        type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, at) : sqlite3_column_blob(stmt, at);
    view copy = arena_dup(mem, view_make(p ? p : "", (size_t)sqlite3_column_bytes(stmt, at)));
    if (!copy.p)
        return E_TOO_LARGE;
    *to = copy;
    return E_OK;
}

static err
read_address(sqlite3_stmt *stmt, int at, struct address *to)
{
    if (sqlite3_column_type(stmt, at + 3) == SQLITE_NULL)
        return E_OK;
    to->day = sqlite3_column_int(stmt, at);
    to->number = sqlite3_column_int(stmt, at + 1);
    to->offset = sqlite3_column_int64(stmt, at + 2);
    to->length = sqlite3_column_int64(stmt, at + 3);
    return read_bytes(stmt, at + 4, to->check.b, sizeof to->check.b);
}

static err
read_column(sqlite3_stmt *stmt, int at, enum column_kind kind, arena *mem, void *field)
{
    switch (kind) {
    case COLUMN_UID:
        return read_bytes(stmt, at, field, sizeof(uid));
    case COLUMN_BLIND:
    case COLUMN_DIGEST:
        return read_bytes(stmt, at, field, sizeof(digest));
    case COLUMN_INT:
    case COLUMN_ASSIGNED:
        *(int64_t *)field = sqlite3_column_int64(stmt, at);
        return E_OK;
    case COLUMN_TIME:
        ((instant *)field)->us = sqlite3_column_int64(stmt, at);
        return E_OK;
    case COLUMN_TEXT:
        return read_view(stmt, at, SQLITE_TEXT, mem, field);
    case COLUMN_SEALED:
        return read_view(stmt, at, SQLITE_BLOB, mem, field);
    case COLUMN_ADDRESS:
        return read_address(stmt, at, field);
    }
    return E_STORE_CORRUPT;
}

err
sql_read_row(sqlite3_stmt *stmt, const struct table *t, arena *mem, void *row)
{
    int at = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        TRY(read_column(stmt, at, c->kind, mem, (char *)row + c->offset));
        at += c->kind == COLUMN_ADDRESS ? 5 : 1;
    }
    return E_OK;
}
