#include "store/table.h"

#include "base/buf.h"

#include <assert.h>

#define COLUMN_ENTRY(kind, name) {#name, #kind, COLUMN_##kind, sizeof #name - 1, offsetof(this_row, name)},
/* The local typedef lets a column macro that knows only (kind, name) take an offset in the right struct. */
#define TABLE_FUNCTION(struct_word, table_name, constraint_text)                                             \
    static const struct table *table_##struct_word(void)                                                     \
    {                                                                                                        \
        typedef struct row_##struct_word this_row;                                                           \
        static const struct column columns[] = {COLUMNS_##struct_word(COLUMN_ENTRY)};                        \
        static const struct table self = {                                                                   \
            .word = #struct_word,                                                                            \
            .name = #table_name,                                                                             \
            .constraints = constraint_text,                                                                  \
            .columns = columns,                                                                              \
            .n = COUNT_OF(columns),                                                                          \
            .size = sizeof(this_row),                                                                        \
            .op_at = offsetof(this_row, op),                                                                 \
            .next_at = offsetof(this_row, next),                                                             \
        };                                                                                                   \
        return &self;                                                                                        \
    }
ROWS(TABLE_FUNCTION)

#define TABLE_POINTER(struct_word, table_name, constraint_text) table_##struct_word,
static const struct table *(*const table_functions[])(void) = {ROWS(TABLE_POINTER)};

#define INDEX_ENTRY(index, table, columns, where) {#index, #table, columns, where},
const struct index_row index_rows[] = {INDEXES(INDEX_ENTRY)};
const size_t index_count = COUNT_OF(index_rows);

const struct table *
table_of(enum row_kind kind)
{
    assert(kind < ROW_KIND_COUNT);
    return table_functions[kind]();
}

/* All zero is NULL.  n is 16 or 32, known where it is called. */
static inline struct value
value_of_bytes(const void *p, size_t n)
{
    uint64_t words[4] = {0};
    memcpy(words, p, n);
    if (!(words[0] | words[1] | words[2] | words[3]))
        return (struct value){.kind = VALUE_NULL};
    return (struct value){.kind = VALUE_BLOB, .bytes = {p, n}};
}

static struct value
value_of_column(enum column_kind kind, const void *field)
{
    switch (kind) {
    case COLUMN_UID:
        return value_of_bytes(field, sizeof(uid));
    case COLUMN_BLIND:
    case COLUMN_DIGEST:
        return value_of_bytes(field, sizeof(digest));
    case COLUMN_INT:
    case COLUMN_ASSIGNED:
        return val_int(*(const int64_t *)field);
    case COLUMN_TIME:
        return val_time(*(const instant *)field);
    case COLUMN_TEXT:
        return val_text(*(const view *)field);
    case COLUMN_SEALED:
        return val_blob(*(const view *)field);
    case COLUMN_ADDRESS:
        break;
    }
    return (struct value){.kind = VALUE_NULL};
}

static void
values_of_address(const struct address *a, struct value ret[ADDRESS_VALUES])
{
    for (size_t i = 0; i < ADDRESS_VALUES; i++)
        ret[i] = (struct value){.kind = VALUE_NULL};
    if (!a->length)
        return;
    ret[0] = val_int(a->day);
    ret[1] = val_int(a->number);
    ret[2] = val_int(a->offset);
    ret[3] = val_int(a->length);
    ret[4] = val_digest(&a->check);
}

size_t
table_values(const struct table *t, const void *row, struct value ret[TABLE_VALUES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        const void *field = (const char *)row + c->offset;
        assert(n + column_values(c->kind) <= TABLE_VALUES_MAX);
        if (c->kind == COLUMN_ADDRESS)
            values_of_address(field, ret + n);
        else
            ret[n] = value_of_column(c->kind, field);
        n += column_values(c->kind);
    }
    return n;
}

view
table_primary_key(const struct table *t)
{
    static const view opening = {"PRIMARY KEY(", sizeof "PRIMARY KEY(" - 1};
    view text = view_of(t->constraints);
    size_t at = view_find(text, opening);
    assert(at < text.n);
    view rest = view_sub(text, at + opening.n, text.n);
    return view_sub(rest, 0, view_find_byte(rest, ')'));
}

bool
table_is_key_column(const struct table *t, const char *column)
{
    view rest = table_primary_key(t);
    while (rest.n) {
        if (view_eq(view_trim(view_cut(&rest, ',', NULL)), view_of(column)))
            return true;
    }
    return false;
}

static bool
is_id(const struct table *t, const struct column *c)
{
    return c->kind == COLUMN_UID && strcmp(c->name, "id") == 0 && table_is_key_column(t, c->name);
}

bool
table_is_name_column(const struct table *t, const struct column *c)
{
    for (size_t i = 0; i < t->n; i++) {
        if (is_id(t, &t->columns[i]))
            return &t->columns[i] == c;
    }
    return table_is_key_column(t, c->name);
}

view
store_schema_text(arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 20);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct table *t = table_of((enum row_kind)kind);
        for (size_t i = 0; i < t->n; i++)
            buf_printf(&out, "%s\t%s\t%s\n", t->name, t->columns[i].name, t->columns[i].kind_name);
    }
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}
