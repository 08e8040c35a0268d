#include "store/audit.h"

#include "base/text.h"
#include "store/audit_bodies.h"
#include "store/audit_rows.h"
#include "store/recover.h"
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Expectations that are held at one time; a larger table is taken in one go all the same. */
#define EXPECTED_MAX UINT64_C(6000000)
/* Looking for the bit costs thousands of digests a row: a destroyed table is not examined bit by bit. */
#define LOCATED_MAX 1000

static const struct {
    const char *code, *text[2];
} words[] = {
#define AUDIT(id, code, en, zh) {code, {en, zh}},
#include "store/audit.def"
#undef AUDIT
};

const char *
audit_code(enum audit_what what)
{
    return words[what].code;
}

const char *
audit_text(enum audit_what what, bool zh)
{
    return words[what].text[zh];
}

struct audit {
    const struct audit_ops *ops;
    struct audit_counts *counts;
    sqlite3 *db;
    int dir;
    struct bodies *bodies;
    uint64_t of_table[ROW_KIND_COUNT]; /* entries */
    unsigned located;
};

static void
finding_out(void *self, const struct audit_finding *found)
{
    struct audit *a = self;
    a->counts->findings++;
    a->ops->finding(a->ops->self, found);
}

static void
find(struct audit *a, enum audit_what what, const char *table, const char *row)
{
    struct audit_finding f = {.what = what, .table = table, .column = "", .class_of = "", .bit = -1};
    snprintf(f.row, sizeof f.row, "%s", row);
    finding_out(a, &f);
}

static void
find_number(struct audit *a, enum audit_what what, const char *table, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    find(a, what, table, text);
}

static void
find_range(struct audit *a, enum audit_what what, const char *table, int64_t first, int64_t last)
{
    char text[48];
    snprintf(text, sizeof text, first == last ? "%lld" : "%lld-%lld", (long long)first, (long long)last);
    find(a, what, table, text);
}

/* A page that cannot be read ends the walk of its table: what follows is named by the entries that were not seen. */
static void
find_damage(struct audit *a, const char *table, int rc)
{
    if (rc != SQLITE_DONE)
        find(a, AUDIT_DATABASE, table, sqlite3_errstr(rc));
}

/* -- leaves and the journal -- */

static void
entries_each(view entries, void (*each)(struct audit *a, void *self, const struct journal_entry *e),
             struct audit *a, void *self)
{
    for (size_t at = 0; at + sizeof(struct journal_entry) <= entries.n; at += sizeof(struct journal_entry)) {
        struct journal_entry e;
        memcpy(&e, entries.p + at, sizeof e);
        each(a, self, &e);
    }
}

static void
count_entry(struct audit *a, void *self, const struct journal_entry *e)
{
    (void)self;
    enum row_kind kind = journal_kind(e->table);
    if (kind != ROW_KIND_COUNT)
        a->of_table[kind]++;
    a->counts->entries++;
}

static bool
is_journal_leaf(const struct row_leaf *leaf)
{
    return view_eq(leaf->kind, V(JOURNAL_LEAF));
}

/* The journal's rows, walked beside the leaves. */
struct journal_walk {
    sqlite3_stmt *stmt;
    int rc;
};

static void
journal_next(struct journal_walk *w)
{
    w->rc = sqlite3_step(w->stmt);
}

static void
check_journal(struct audit *a, struct journal_walk *w, const struct row_leaf *leaf)
{
    while (w->rc == SQLITE_ROW && sqlite3_column_int64(w->stmt, 0) < leaf->seq) {
        find_number(a, AUDIT_JOURNAL, "journal", sqlite3_column_int64(w->stmt, 0));
        journal_next(w);
    }
    bool there = w->rc == SQLITE_ROW && sqlite3_column_int64(w->stmt, 0) == leaf->seq;
    if (there != is_journal_leaf(leaf))
        find_number(a, AUDIT_JOURNAL, "journal", leaf->seq);
    if (!there)
        return;
    view entries = view_make(sqlite3_column_blob(w->stmt, 1), (size_t)sqlite3_column_bytes(w->stmt, 1));
    digest commitment = journal_commitment(leaf->salt, entries);
    if (is_journal_leaf(leaf) && !digest_eq(&commitment, &leaf->commitment))
        find_number(a, AUDIT_JOURNAL, "journal", leaf->seq);
    entries_each(entries, count_entry, a, NULL);
    journal_next(w);
}

static void
check_leaf(struct audit *a, struct journal_walk *w, const struct row_leaf *leaf, int64_t *next)
{
    if (leaf->seq < 0) { /* behind no other: the walk begins at 0 */
        find_number(a, AUDIT_LEAF, "leaves", leaf->seq);
        return;
    }
    if (*next < leaf->seq)
        find_range(a, AUDIT_LEAF_MISSING, "leaves", *next, leaf->seq - 1);
    *next = leaf->seq + 1;
    digest hash = a->ops->leaf_hash(leaf);
    if (!digest_eq(&hash, &leaf->hash))
        find_number(a, AUDIT_LEAF, "leaves", leaf->seq);
    a->counts->leaves++;
    a->ops->leaf(a->ops->self, (uint64_t)leaf->seq, &leaf->hash);
    check_journal(a, w, leaf);
}

static err
check_log(struct audit *a, struct fault *f)
{
    const struct table *t = table_of(ROW_leaf);
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 4096);
    BUF_LIT(&sql, "SELECT ");
    sql_write_columns(t, &sql);
    BUF_LIT(&sql, " FROM leaves NOT INDEXED ORDER BY seq");
    sqlite3_stmt *stmt = sql_prepare(a->db, sql.p, NULL);
    struct journal_walk w = {.stmt =
                                 sql_prepare(a->db, "SELECT leaf, entries FROM journal ORDER BY leaf", NULL)};
    if (!stmt || !w.stmt)
        return sql_fault(f, sqlite3_extended_errcode(a->db), "database");
    int64_t next = 0;
    int rc;
    journal_next(&w);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct row_leaf leaf = {0};
        if (sql_read_row(stmt, t, mem, &leaf) == E_OK)
            check_leaf(a, &w, &leaf, &next);
        else
            find_number(a, AUDIT_LEAF, "leaves", sqlite3_column_int64(stmt, 0));
    }
    find_damage(a, "leaves", rc);
    for (; w.rc == SQLITE_ROW; journal_next(&w))
        find_number(a, AUDIT_JOURNAL, "journal", sqlite3_column_int64(w.stmt, 0));
    find_damage(a, "journal", w.rc);
    sqlite3_finalize(stmt);
    sqlite3_finalize(w.stmt);
    return E_OK;
}

/* -- rows -- */

static void
print_key_value(const char *prefix, const struct value *v, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    if (out->n)
        BUF_LIT(out, "/");
    if (v->kind == VALUE_INT) {
        buf_printf(out, "%lld", (long long)v->number);
    } else if (v->kind == VALUE_BLOB && v->bytes.n == sizeof(uid)) {
        uid u;
        memcpy(u.b, v->bytes.p, sizeof u.b);
        buf_add_view(out, uid_print(view_of(prefix), u, id));
    } else if (v->kind == VALUE_BLOB) {
        buf_add_hex(out, view_sub(v->bytes, 0, v->bytes.n < 16 ? v->bytes.n : 16));
    } else if (v->kind == VALUE_TEXT && text_is_utf8(v->bytes, NULL)) {
        buf_add_view(out, v->bytes);
    } else if (v->kind == VALUE_TEXT) { /* changed into what is no text */
        buf_add_hex(out, v->bytes);
    }
}

static void
print_key(enum row_kind kind, const struct value *values, char *out, size_t n)
{
    const struct table *t = table_of(kind);
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, 4096);
    for (size_t i = 0; i < t->n; i++) {
        if (table_is_name_column(t, &t->columns[i]))
            print_key_value(journal_prefix(kind), values, &text);
        values += column_values(t->columns[i].kind);
    }
    snprintf(out, n, "%.*s", VIEW_ARG(buf_view(&text)));
}

/* A number that no file can have stays one when it is cut to its type. */
static int32_t
file_number(const struct value *v)
{
    return v->kind == VALUE_INT && v->number >= 0 && v->number <= INT32_MAX ? (int32_t)v->number : -1;
}

static void
note_bodies(struct audit *a, enum row_kind kind, const struct value *values)
{
    const struct table *t = table_of(kind);
    const struct value *first = values;
    char row[192];
    for (size_t i = 0; i < t->n; i++) {
        const struct value *v = values;
        values += column_values(t->columns[i].kind);
        if (t->columns[i].kind != COLUMN_ADDRESS || v[3].kind == VALUE_NULL)
            continue;
        struct address at = {file_number(&v[0]), file_number(&v[1]), v[2].number, v[3].number, {{0}}};
        if (v[4].kind == VALUE_BLOB && v[4].bytes.n == sizeof at.check)
            memcpy(at.check.b, v[4].bytes.p, sizeof at.check.b);
        print_key(kind, first, row, sizeof row);
        bodies_add(a->bodies, t->name, t->columns[i].name, row, &at);
    }
}

static void
row_differs(struct audit *a, enum row_kind kind, const struct value *values, const struct expected *x,
            const struct journal_entry *entry, enum audit_what what)
{
    struct audit_finding f = {
        .what = what, .table = table_of(kind)->name, .column = "", .class_of = "", .bit = -1};
    print_key(kind, values, f.row, sizeof f.row);
    if (what == AUDIT_ROW_CHANGED && a->located++ < LOCATED_MAX) {
        uint8_t half[EXPECTED_HALF];
        expected_half(x, entry, half);
        (void)audit_locate(kind, values, half, &f);
    }
    finding_out(a, &f);
}

static void
check_row(struct audit *a, enum row_kind kind, const struct value *values, struct expected *x)
{
    struct journal_entry entry = journal_entry_of(kind, values);
    enum expected_match match = expected_see(x, &entry);
    if (match != MATCH_SAME)
        row_differs(a, kind, values, x, &entry, match == MATCH_OTHER ? AUDIT_ROW_CHANGED : AUDIT_ROW_UNKNOWN);
    a->counts->rows++;
}

/* Leaves of kind "rows" are covered by their own hash. */
static bool
is_own_leaf(enum row_kind kind, const struct value *values)
{
    return kind == ROW_leaf && view_eq(values[3].bytes, V(JOURNAL_LEAF));
}

static err
check_table(struct audit *a, enum row_kind kind, struct expected *x, struct fault *f)
{
    const struct table *t = table_of(kind);
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 16);
    BUF_LIT(&sql, "SELECT ");
    sql_write_columns(t, &sql);
    buf_printf(&sql, " FROM %s NOT INDEXED", t->name);
    sqlite3_stmt *stmt = sql_prepare(a->db, sql.p, NULL);
    if (!stmt)
        return sql_fault(f, sqlite3_extended_errcode(a->db), "database");
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct value values[TABLE_VALUES_MAX];
        sql_values(stmt, (size_t)sqlite3_column_count(stmt), values);
        if (is_own_leaf(kind, values))
            continue;
        check_row(a, kind, values, x);
        note_bodies(a, kind, values);
    }
    find_damage(a, t->name, rc);
    sqlite3_finalize(stmt);
    return E_OK;
}

struct filling {
    struct expected *x;
    const bool *chosen; /* by kind */
    bool overfull;
};

static void
fill_entry(struct audit *a, void *self, const struct journal_entry *e)
{
    (void)a;
    struct filling *filling = self;
    enum row_kind kind = journal_kind(e->table);
    if (kind != ROW_KIND_COUNT && filling->chosen[kind])
        filling->overfull = !expected_put(filling->x, e) || filling->overfull;
}

static void
missing_row(void *self, enum row_kind kind, const uint8_t key[JOURNAL_KEY])
{
    struct audit *a = self;
    char text[ID_TEXT_SIZE];
    uid u;
    memcpy(u.b, key, sizeof u.b);
    uid_print(view_of(journal_prefix(kind)), u, text);
    find(a, AUDIT_ROW_MISSING, table_of(kind)->name, text);
}

/* Tables that are looked at together: one walk of the journal, one of each table. */
static err
check_tables(struct audit *a, const bool chosen[ROW_KIND_COUNT], uint64_t n, struct fault *f)
{
    AUTO(expected_free) struct expected *x = expected_new(n);
    struct filling filling = {x, chosen, false};
    sqlite3_stmt *stmt = sql_prepare(a->db, "SELECT entries FROM journal ORDER BY leaf", NULL);
    if (!stmt)
        return sql_fault(f, sqlite3_extended_errcode(a->db), "database");
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        view entries = view_make(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
        entries_each(entries, fill_entry, a, &filling);
    }
    sqlite3_finalize(stmt);
    if (filling.overfull)
        find(a, AUDIT_DATABASE, "journal", "more entries than beside the leaves");
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        if (chosen[kind])
            TRY(check_table(a, (enum row_kind)kind, x, f));
    }
    expected_missing(x, missing_row, a);
    return E_OK;
}

static err
check_rows(struct audit *a, struct fault *f)
{
    int kind = 0;
    while (kind < ROW_KIND_COUNT) {
        bool chosen[ROW_KIND_COUNT] = {false};
        uint64_t n = 0;
        for (bool any = false; kind < ROW_KIND_COUNT; kind++) {
            bool is_covered = journal_number((enum row_kind)kind) != 0;
            if (is_covered && any && n + a->of_table[kind] > EXPECTED_MAX)
                break;
            any = any || is_covered;
            chosen[kind] = is_covered;
            n += is_covered ? a->of_table[kind] : 0;
        }
        TRY(check_tables(a, chosen, n, f));
    }
    return E_OK;
}

/* -- all -- */

static err
read_tail(struct audit *a, struct segment_tail *ret, struct fault *f)
{
    sqlite3_stmt *stmt = sql_prepare(a->db, "SELECT day, number, length FROM segment_tail", NULL);
    if (!stmt)
        return sql_fault(f, sqlite3_extended_errcode(a->db), "database");
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret = (struct segment_tail){sqlite3_column_int(stmt, 0), sqlite3_column_int(stmt, 1),
                                     sqlite3_column_int64(stmt, 2)};
    sqlite3_finalize(stmt);
    return E_OK;
}

static err
audit_run(struct audit *a, struct fault *f)
{
    struct segment_tail tail = {0};
    bool created;
    TRY(connection_run(a->db, "BEGIN", f));
    TRY(schema_ensure(a->db, true, &created, f));
    TRY(read_tail(a, &tail, f));
    TRY(check_log(a, f));
    TRY(check_rows(a, f));
    bodies_check(a->bodies, a->dir, &tail, finding_out, a, a->counts);
    return E_OK;
}

err
store_audit(const char *dir, const struct audit_ops *ops, struct audit_counts *ret, struct fault *f)
{
    struct audit a = {.ops = ops, .counts = ret, .dir = -1};
    char path[4352];
    *ret = (struct audit_counts){0};
    sql_start();
    snprintf(path, sizeof path, "%s/%s", dir, STORE_DATABASE);
    TRY(recover_open_folder(dir, false, &a.dir, f));
    err e = connection_open(path, CONNECTION_READER, true, &a.db, f);
    a.bodies = bodies_new();
    if (e == E_OK)
        e = audit_run(&a, f);
    connection_close(a.db);
    bodies_free(a.bodies);
    close(a.dir);
    return e;
}
