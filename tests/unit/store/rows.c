/* Every row of rows.def goes in and comes out the same, present and absent; PUT replaces by primary key
 * only. */
#include "help.h"
#include "store/sql.h"

#include <criterion/criterion.h>

/* Reads all rows of a kind beside the store's own statements, so that kinds without a query by key are
 * covered too. */
static size_t
read_all(struct help *h, enum row_kind kind, void **ret_first)
{
    char path[128];
    snprintf(path, sizeof path, "%s/claimgate.db", h->dir);
    sqlite3 *db;
    cr_assert_eq(connection_open(path, CONNECTION_READER, false, &db, NULL), E_OK);
    const struct table *t = table_of(kind);
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 16);
    BUF_LIT(&sql, "SELECT ");
    sql_write_columns(t, &sql);
    view key = table_primary_key(t);
    buf_printf(&sql, " FROM %s ORDER BY %.*s", t->name, VIEW_ARG(key));
    sqlite3_stmt *stmt = sql_prepare(db, sql.p, NULL);
    cr_assert(stmt, "%s: %s", sql.p, sqlite3_errmsg(db));
    void *last = NULL;
    size_t n = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        void *row = arena_alloc(h->mem, t->size);
        cr_assert_eq(sql_read_row(stmt, t, h->mem, row), E_OK);
        if (last)
            row_set_next(t, last, row);
        else
            *ret_first = row;
        last = row;
        n++;
    }
    connection_close(db);
    return n;
}

static void
check_round_trip(bool full)
{
    struct help h;
    cr_assert(help_begin(&h), "%s", h.fault.found);
    for (int k = 0; k < ROW_KIND_COUNT; k++) {
        enum row_kind kind = (enum row_kind)k;
        const struct table *t = table_of(kind);
        struct unit u;
        unit_init(&u, h.mem);
        void *in = unit_add_row(&u, kind, t->size);
        help_fill_row(kind, in, (unsigned)k + 1, full, h.mem);
        cr_assert_eq(store_commit(h.store, &u), E_OK, "%s", t->name);
        void *out = NULL;
        cr_assert_eq(read_all(&h, kind, &out), 1, "%s", t->name);
        const char *differs = help_row_differs(kind, in, out);
        cr_assert_null(differs, "%s.%s", t->name, differs);
    }
    help_end(&h);
}

Test(rows, every_row_with_all_fields)
{
    check_round_trip(true);
}

Test(rows, every_row_with_absent_fields)
{
    check_round_trip(false);
}

Test(rows, put_replaces_every_field_but_the_key)
{
    struct help h;
    cr_assert(help_begin(&h));
    for (int k = 0; k < ROW_KIND_COUNT; k++) {
        enum row_kind kind = (enum row_kind)k;
        const struct table *t = table_of(kind);
        void *first = arena_alloc(h.mem, t->size);
        help_fill_row(kind, first, 1, true, h.mem);
        for (unsigned seed = 1; seed <= 2; seed++) {
            struct unit u;
            unit_init(&u, h.mem);
            char *in = unit_add_row(&u, kind, t->size);
            help_fill_row(kind, in, seed, true, h.mem);
            enum row_op put = ROW_PUT;
            memcpy(in + t->op_at, &put, sizeof put);
            /* the second has the first one's key and other fields */
            for (size_t i = 0; i < t->n; i++) {
                if (table_is_key_column(t, t->columns[i].name)) {
                    size_t at = t->columns[i].offset;
                    size_t n = t->columns[i].kind == COLUMN_UID    ? 16
                               : t->columns[i].kind == COLUMN_TEXT ? sizeof(view)
                                                                   : 8;
                    n = t->columns[i].kind == COLUMN_BLIND || t->columns[i].kind == COLUMN_DIGEST ? 32 : n;
                    memcpy(in + at, (char *)first + at, n);
                }
            }
            cr_assert_eq(store_commit(h.store, &u), E_OK, "%s", t->name);
            void *out = NULL;
            cr_assert_eq(read_all(&h, kind, &out), 1, "%s", t->name);
            const char *differs = help_row_differs(kind, in, out);
            cr_assert_null(differs, "%s.%s", t->name, differs);
        }
    }
    help_end(&h);
}

Test(rows, put_does_not_push_out_the_row_of_another_unique)
{
    struct help h;
    cr_assert(help_begin(&h));
    for (unsigned i = 1; i <= 2; i++) {
        struct unit u;
        unit_init(&u, h.mem);
        struct row_partner *p = unit_add_partner(&u);
        p->id = help_uid(i);
        p->kind = V("hospital");
        p->code = V("0401180014");
        p->op = ROW_PUT;
        cr_expect_eq(store_commit(h.store, &u), i == 1 ? E_OK : E_STALE);
    }
    struct row_partner *p = help_query(&h, QUERY_partners, NO_ARGS);
    cr_assert_eq(help_count(ROW_partner, p), 1);
    cr_expect(uid_eq(p->id, help_uid(1)));
    help_end(&h);
}

Test(rows, keep_leaves_what_is_there)
{
    struct help h;
    cr_assert(help_begin(&h));
    static const char *const kinds[] = {"ref", "person"};
    digest blind = {{7}};
    uid in_case = help_uid(1);
    for (unsigned i = 0; i < 2; i++) {
        struct unit u;
        unit_init(&u, h.mem);
        struct row_case_key *k = unit_add_case_key(&u);
        *k = (struct row_case_key){
            .blind = blind, .case_id = in_case, .kind = view_of(kinds[i]), .at = {1 + i}, .op = ROW_KEEP};
        cr_assert_eq(store_commit(h.store, &u), E_OK);
    }
    struct row_case_key *k = help_query(&h, QUERY_case_keys_of, ARGS(val_uid(&in_case)));
    cr_assert_eq(help_count(ROW_case_key, k), 1);
    cr_expect(view_eq(k->kind, V("ref")));
    cr_expect_eq(k->at.us, 1);
    help_end(&h);
}

Test(rows, absent_and_empty_stay_different)
{
    struct help h;
    cr_assert(help_begin(&h));
    struct unit u;
    unit_init(&u, h.mem);
    struct row_data_key *k = unit_add_data_key(&u);
    k->id = help_uid(1);
    k->scope = V("");
    k->wrapped = V("");
    k = unit_add_data_key(&u);
    k->id = help_uid(2);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid one = help_uid(1), two = help_uid(2);
    struct row_data_key *empty = help_query(&h, QUERY_data_key, ARGS(val_uid(&one)));
    struct row_data_key *absent = help_query(&h, QUERY_data_key, ARGS(val_uid(&two)));
    cr_expect(empty->scope.p && empty->scope.n == 0 && empty->wrapped.p && empty->wrapped.n == 0);
    cr_expect(!absent->scope.p && !absent->wrapped.p);
    help_end(&h);
}

Test(rows, a_row_without_its_key_is_a_fault_of_ours)
{
    struct help h;
    cr_assert(help_begin(&h));
    struct unit u;
    unit_init(&u, h.mem);
    unit_add_document(&u);
    cr_expect_eq(store_commit(h.store, &u), E_INTERNAL);
    cr_expect(store_is_ready(h.store));
    cr_expect_eq(h.fatal, 0);
    help_end(&h);
}

Test(rows, schema_text_names_every_column)
{
    arena *mem = arena_new(1 << 20);
    view text = store_schema_text(mem);
    cr_expect(view_find(text, V("documents\tbody_at\tADDRESS\n")) < text.n);
    cr_expect(view_find(text, V("events\tseq\tASSIGNED\n")) < text.n);
    arena_free(mem);
}

/* No query, guard or change walks a table that grows with the number of documents. */
static const char *const small_tables[] = {"partners", "partner_keys", "operators", "changes", "endpoints"};

static bool
is_scan_of_large_table(const char *plan)
{
    view text = view_of(plan);
    if (!view_starts(text, V("SCAN ")) || view_starts(text, V("SCAN CONSTANT ROW")))
        return false;
    view rest = view_sub(text, 5, text.n);
    view table = view_cut(&rest, ' ', NULL);
    for (size_t i = 0; i < COUNT_OF(small_tables); i++) {
        if (view_eq(table, view_of(small_tables[i])))
            return false;
    }
    /* In the order of a key with a LIMIT. */
    return view_find(text, V("USING INDEX")) == text.n && view_find(text, V("USING PRIMARY KEY")) == text.n;
}

static void
check_plan(sqlite3 *db, const char *sql)
{
    while (*sql) {
        sqlite3_stmt *stmt = NULL;
        char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
        const char *tail;
        cr_assert_eq(sqlite3_prepare_v2(db, explain, -1, &stmt, &tail), SQLITE_OK, "%s: %s", sql,
                     sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *plan = (const char *)sqlite3_column_text(stmt, 3);
            cr_expect(!is_scan_of_large_table(plan), "%s\n  %s", sql, plan);
        }
        sqlite3_finalize(stmt);
        sql += tail - explain - (long)strlen("EXPLAIN QUERY PLAN ");
        sqlite3_free(explain);
    }
}

Test(rows, every_statement_finds_its_rows_by_an_index)
{
    struct help h;
    cr_assert(help_begin(&h));
    char path[128];
    snprintf(path, sizeof path, "%s/claimgate.db", h.dir);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    static const struct {
        enum row_kind row;
        const char *sql;
    } queries[] = {
#define QUERY(name, row, sql) {ROW_##row, sql},
#include "store/statements.def"
#undef QUERY
    };
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        char sql[2048];
        snprintf(sql, sizeof sql, "SELECT * FROM %s %s", table_of(queries[i].row)->name, queries[i].sql);
        check_plan(db, sql);
    }
    static const char *const others[] = {
#define GUARD(name, code, sql) sql,
#define CHANGE(name, sql) sql,
#include "store/statements.def"
#undef GUARD
#undef CHANGE
    };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        check_plan(db, others[i]);
    sqlite3_close(db);
    help_end(&h);
}
