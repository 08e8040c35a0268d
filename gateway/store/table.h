/* The rows of rows.def as data: for every row its table, columns, kinds and offsets in the C struct.  One
 * generic binder and one generic reader walk these (sqlite_rows.c), so that a new row or column is a line
 * in rows.def and nothing else.  Constant, any thread. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "store/store.h"

enum column_kind {
    COLUMN_UID,
    COLUMN_BLIND,
    COLUMN_DIGEST,
    COLUMN_INT,
    COLUMN_TIME,
    COLUMN_TEXT,
    COLUMN_SEALED,
    COLUMN_ADDRESS, /* five columns: name_day, name_number, name_offset, name_length, name_check */
    COLUMN_ASSIGNED,
};

struct column {
    const char *name;
    const char *kind_name;
    enum column_kind kind;
    uint32_t name_length;
    size_t offset;
};

struct table {
    const char *word; /* of the struct: "case" */
    const char *name; /* of the table: "cases" */
    const char *constraints;
    const struct column *columns;
    size_t n;
    size_t size;    /* of the struct */
    size_t op_at;   /* offset of its enum row_op */
    size_t next_at; /* offset of its next */
};

const struct table *table_of(enum row_kind kind);

static inline void *
row_next(const struct table *t, const void *row)
{
    void *next;
    memcpy(&next, (const char *)row + t->next_at, sizeof next);
    return next;
}

static inline void
row_set_next(const struct table *t, void *row, void *next)
{
    memcpy((char *)row + t->next_at, &next, sizeof next);
}

static inline enum row_op
row_op_of(const struct table *t, const void *row)
{
    enum row_op op;
    memcpy(&op, (const char *)row + t->op_at, sizeof op);
    return op;
}

/* A row as SQL sees it, column by column: an address is five values, absent is NULL, assigned numbers are as they are in the struct. */
#define TABLE_VALUES_MAX 40
#define ADDRESS_VALUES 5
size_t table_values(const struct table *t, const void *row, struct value ret[TABLE_VALUES_MAX]);
static inline size_t
column_values(enum column_kind kind)
{
    return kind == COLUMN_ADDRESS ? ADDRESS_VALUES : 1;
}

/* What stands between the brackets of PRIMARY KEY(…). */
view table_primary_key(const struct table *t);
bool table_is_key_column(const struct table *t, const char *column);
/* What the log and its audit call a row by: its id where the primary key holds one (a UUID, whatever leads the key), else the whole key. */
bool table_is_name_column(const struct table *t, const struct column *c);

struct index_row {
    const char *name, *table, *columns, *where;
};
extern const struct index_row index_rows[];
extern const size_t index_count;

#endif
