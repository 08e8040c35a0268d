#include "store/table.h"

#include "base/buf.h"

#include <assert.h>

#define COLUMN_ENTRY(kind, name) {#name, #kind, COLUMN_##kind, offsetof(this_row, name)},
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
