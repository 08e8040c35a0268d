#include "store/apply.h"

#include "store/journal.h"
#include "store/numbers.h"
#include "store/segment.h"
#include "store/sql.h"

#include <assert.h>
#include <stdlib.h>

#define STATEMENTS_OF_A_CHANGE 2
#define JOURNAL_SALT 16
/* Of one group; SQLite's own limit for a value is near it. */
#define JOURNAL_MAX ((size_t)512 << 20)
/* Free pages that stay in the file for what comes next, and pages given back in one go. */
#define FREE_PAGES_KEPT 4096
#define VACUUM_STEP "PRAGMA incremental_vacuum(256)"

static const struct guard_row {
    const char *name;
    err code;
    const char *sql;
} guards[] = {
#define GUARD(name, code, sql) {#name, code, sql},
#include "store/statements.def"
#undef GUARD
};

static const char *const changes[] = {
#define CHANGE(name, sql) sql,
#include "store/statements.def"
#undef CHANGE
};

enum own_statement {
    OWN_BEGIN,
    OWN_COMMIT,
    OWN_ROLLBACK,
    OWN_SAVE,
    OWN_UNSAVE,
    OWN_UNDO,
    OWN_TAIL,
    OWN_HIGHEST,
    OWN_FREE,
    OWN_VACUUM,
    OWN_COUNT
};
static const char *const own_sql[OWN_COUNT] = {
    [OWN_BEGIN] = "BEGIN IMMEDIATE",
    [OWN_COMMIT] = "COMMIT",
    [OWN_ROLLBACK] = "ROLLBACK",
    [OWN_SAVE] = "SAVEPOINT unit",
    [OWN_UNSAVE] = "RELEASE unit",
    [OWN_UNDO] = "ROLLBACK TO unit",
    [OWN_TAIL] = ("INSERT INTO segment_tail VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
                  "day = excluded.day, number = excluded.number, length = excluded.length"),
    [OWN_HIGHEST] = "SELECT coalesce(max(seq), 0) FROM events WHERE recipient = ?1",
    [OWN_FREE] = "PRAGMA freelist_count",
    [OWN_VACUUM] = VACUUM_STEP,
};

/* A statement of a change, and the table whose rows it gives back as they are afterwards. */
struct change_statement {
    sqlite3_stmt *stmt;
    enum row_kind kind; /* ROW_KIND_COUNT: nothing is given back */
    bool deletes;
};

struct apply {
    sqlite3 *db;
    digest (*leaf_hash)(const struct row_leaf *leaf);
    struct buf journal; /* entries of the group in hand */
    struct segments *segments;
    struct numbers *numbers;
    int frames;
    int64_t leaves;           /* committed */
    struct segment_tail tail; /* committed */
    struct segment_tail kept; /* behind the last accepted body of the group */
    sqlite3_stmt *own[OWN_COUNT];
    sqlite3_stmt *rows[ROW_KIND_COUNT][ROW_KEEP + 1]; /* by enum row_op */
    sqlite3_stmt *guards[GUARD_COUNT];
    struct change_statement changes[CHANGE_COUNT][STATEMENTS_OF_A_CHANGE];
};

static int
note_frames(void *self, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct apply *)self)->frames = frames;
    return SQLITE_OK;
}

static bool
load_highest(void *self, const uid *recipient, int64_t *ret)
{
    sqlite3_stmt *stmt = ((struct apply *)self)->own[OWN_HIGHEST];
    sqlite3_bind_blob(stmt, 1, recipient->b, sizeof recipient->b, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return rc == SQLITE_ROW;
}

struct apply *
apply_new(sqlite3 *take_db, struct segments *take_segments, int64_t next_leaf,
          digest (*leaf_hash)(const struct row_leaf *leaf))
{
    struct apply *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->db = take_db;
    a->leaf_hash = leaf_hash;
    buf_init(&a->journal, JOURNAL_MAX);
    a->segments = take_segments;
    a->tail = segments_tail(take_segments);
    a->leaves = next_leaf;
    a->numbers = numbers_new(load_highest, a);
    numbers_set_leaf(a->numbers, next_leaf);
    for (int i = 0; i < OWN_COUNT; i++) {
        a->own[i] = sql_prepare(a->db, own_sql[i], NULL);
        assert(a->own[i]);
    }
    sqlite3_wal_hook(a->db, note_frames, a);
    return a;
}

bool
apply_free(struct apply *a, bool clean)
{
    bool good = true;
    if (clean) {
        int rc = sqlite3_wal_checkpoint_v2(a->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        good = rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY;
    }
    segments_close(a->segments, clean);
    connection_close(a->db);
    numbers_free(a->numbers);
    buf_done(&a->journal);
    free(a);
    return good;
}

static int
step_and_reset(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return rc;
}

/* What stands against an insert is the unit's affair, everything else the disk's. */
static enum step
step_of(int rc, err *ret_code)
{
    switch (rc) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return STEP_DONE;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        *ret_code = E_STALE;
        return STEP_CONFLICT;
    case SQLITE_TOOBIG:
        *ret_code = E_TOO_LARGE;
        return STEP_CONFLICT;
    }
    if ((rc & 0xff) == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH) {
        *ret_code = E_INTERNAL;
        return STEP_CONFLICT;
    }
    return STEP_BROKEN;
}

static sqlite3_stmt *
row_statement(struct apply *a, enum row_kind kind, enum row_op op)
{
    sqlite3_stmt **slot = &a->rows[kind][op];
    if (*slot)
        return *slot;
    struct buf sql AUTO_DONE(buf_done);
    buf_init(&sql, 1 << 16);
    sql_write_insert(table_of(kind), op, &sql);
    return *slot = sql_prepare(a->db, sql.p, NULL);
}

/* The table that a statement writes: the word behind UPDATE, INSERT INTO or DELETE FROM. */
static enum row_kind
kind_of_statement(view sql, bool *ret_deletes)
{
    view first = view_cut(&sql, ' ', NULL), name = view_cut(&sql, ' ', NULL);
    if (!view_eq(first, V("UPDATE")))
        name = view_cut(&sql, ' ', NULL);
    *ret_deletes = view_eq(first, V("DELETE"));
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        if (view_eq(name, view_of(table_of((enum row_kind)kind)->name)))
            return (enum row_kind)kind;
    }
    return ROW_KIND_COUNT;
}

static bool
change_prepare(struct apply *a, view sql, struct change_statement *ret)
{
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, 1 << 16);
    buf_add_view(&text, sql);
    ret->kind = kind_of_statement(sql, &ret->deletes);
    if (!a->leaf_hash || (ret->kind != ROW_KIND_COUNT && !journal_number(ret->kind)))
        ret->kind = ROW_KIND_COUNT;
    if (ret->kind != ROW_KIND_COUNT) {
        BUF_LIT(&text, " RETURNING ");
        sql_write_columns(table_of(ret->kind), &text);
    }
    buf_add_byte(&text, '\0');
    ret->stmt = sql_prepare(a->db, text.p, NULL);
    return ret->stmt != NULL;
}

static bool
changes_prepare(struct apply *a, enum change c)
{
    view rest = view_of(changes[c]);
    for (size_t i = 0; rest.n; i++) {
        assert(i < STATEMENTS_OF_A_CHANGE);
        view sql = view_trim(view_cut(&rest, ';', NULL));
        rest = view_trim(rest);
        if (!change_prepare(a, sql, &a->changes[c][i]))
            return false;
    }
    return true;
}

static void
journal_add(struct apply *a, const struct journal_entry *e)
{
    buf_add(&a->journal, e, sizeof *e);
}

/* Runs a statement of a change and takes down what became of the rows. */
static int
change_step(struct apply *a, const struct change_statement *c)
{
    int rc;
    while ((rc = sqlite3_step(c->stmt)) == SQLITE_ROW) {
        struct value values[TABLE_VALUES_MAX];
        sql_values(c->stmt, (size_t)sqlite3_column_count(c->stmt), values);
        struct journal_entry e =
            c->deletes ? journal_entry_gone(c->kind, values) : journal_entry_of(c->kind, values);
        journal_add(a, &e);
    }
    sqlite3_reset(c->stmt);
    return rc;
}

static enum step
apply_guards(struct apply *a, struct unit *u, err *ret_code)
{
    for (const struct unit_guard *g = u->guards; g; g = g->next) {
        sqlite3_stmt **slot = &a->guards[g->guard];
        if (!*slot && !(*slot = sql_prepare(a->db, guards[g->guard].sql, NULL)))
            return STEP_BROKEN;
        int rc = sql_bind_values(*slot, g->args, g->n);
        if (rc == SQLITE_OK)
            rc = step_and_reset(*slot);
        if (rc == SQLITE_DONE) {
            u->failed_guard = (int)g->guard;
            *ret_code = guards[g->guard].code;
            return STEP_REFUSED;
        }
        if (rc != SQLITE_ROW)
            return STEP_BROKEN;
    }
    return STEP_DONE;
}

static enum step
apply_changes(struct apply *a, struct unit *u, err *ret_code)
{
    for (struct unit_change *c = u->changes; c; c = c->next) {
        struct change_statement *list = a->changes[c->change];
        if (!list[0].stmt && !changes_prepare(a, c->change))
            return STEP_BROKEN;
        for (size_t i = 0; i < STATEMENTS_OF_A_CHANGE && list[i].stmt; i++) {
            int rc = sql_bind_values(list[i].stmt, c->args, c->n);
            if (rc == SQLITE_OK)
                rc = change_step(a, &list[i]);
            enum step step = step_of(rc, ret_code);
            if (step != STEP_DONE)
                return step;
            c->affected = sqlite3_changes64(a->db);
        }
    }
    return STEP_DONE;
}

static bool
apply_assign(struct apply *a, enum row_kind kind, void *row)
{
    if (kind == ROW_leaf)
        ((struct row_leaf *)row)->seq = numbers_take_leaf(a->numbers);
    if (kind != ROW_event)
        return true;
    struct row_event *event = row;
    return numbers_take_event(a->numbers, &event->recipient, &event->seq);
}

/* Rows with a number from here have their entry only now, and those that were not there yet. */
static void
journal_late_row(struct apply *a, enum row_kind kind, const void *row)
{
    bool kept = row_op_of(table_of(kind), row) == ROW_KEEP;
    if (!a->leaf_hash || !(kept ? journal_number(kind) != 0 : journal_waits_for_number(kind)))
        return;
    if (kept && sqlite3_changes64(a->db) == 0)
        return;
    struct value values[TABLE_VALUES_MAX];
    table_values(table_of(kind), row, values);
    struct journal_entry e = journal_entry_of(kind, values);
    journal_add(a, &e);
}

static enum step
apply_row(struct apply *a, enum row_kind kind, void *row, err *ret_code)
{
    const struct table *t = table_of(kind);
    enum row_op op = row_op_of(t, row);
    sqlite3_stmt *stmt = row_statement(a, kind, op);
    if (!stmt || (op == ROW_INSERT && !apply_assign(a, kind, row)))
        return STEP_BROKEN;
    int rc = sql_bind_row(stmt, t, row);
    if (rc == SQLITE_OK)
        rc = step_and_reset(stmt);
    return step_of(rc, ret_code);
}

static enum step
apply_rows(struct apply *a, struct unit *u, err *ret_code)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct table *t = table_of((enum row_kind)kind);
        for (void *row = u->rows[kind]; row; row = row_next(t, row)) {
            enum step step = apply_row(a, (enum row_kind)kind, row, ret_code);
            if (step != STEP_DONE)
                return step;
            journal_late_row(a, (enum row_kind)kind, row);
        }
    }
    buf_add_view(&a->journal, u->journal);
    return STEP_DONE;
}

bool
apply_plan(struct apply *a, const struct unit *u)
{
    return !u->bodies || segments_plan(a->segments, u->bodies);
}

enum step
apply_begin(struct apply *a)
{
    a->kept = a->tail;
    buf_clear(&a->journal);
    int rc = step_and_reset(a->own[OWN_BEGIN]);
    if (rc == SQLITE_DONE) {
        segments_flush_begin(a->segments);
        return STEP_DONE;
    }
    segments_rewind(a->segments, a->tail);
    return (rc & 0xff) == SQLITE_BUSY ? STEP_BUSY : STEP_BROKEN;
}

static enum step
apply_undo_unit(struct apply *a)
{
    numbers_unit_undo(a->numbers);
    if (step_and_reset(a->own[OWN_UNDO]) != SQLITE_DONE || step_and_reset(a->own[OWN_UNSAVE]) != SQLITE_DONE)
        return STEP_BROKEN;
    return STEP_CONFLICT;
}

enum step
apply_unit(struct apply *a, struct unit *u, bool with_savepoint, err *ret_code)
{
    u->failed_guard = -1;
    enum step step = apply_guards(a, u, ret_code);
    if (step != STEP_DONE)
        return step;
    if (with_savepoint && step_and_reset(a->own[OWN_SAVE]) != SQLITE_DONE)
        return STEP_BROKEN;
    numbers_unit_begin(a->numbers);
    size_t journal_before = a->journal.n;
    step = apply_changes(a, u, ret_code);
    if (step == STEP_DONE)
        step = apply_rows(a, u, ret_code);
    if (!with_savepoint || step == STEP_BROKEN)
        return step;
    if (step == STEP_CONFLICT) {
        a->journal.n = journal_before;
        return apply_undo_unit(a);
    }
    return step_and_reset(a->own[OWN_UNSAVE]) == SQLITE_DONE ? STEP_DONE : STEP_BROKEN;
}

bool
apply_again(struct apply *a)
{
    numbers_reset(a->numbers, a->leaves);
    buf_clear(&a->journal);
    return step_and_reset(a->own[OWN_ROLLBACK]) == SQLITE_DONE &&
           step_and_reset(a->own[OWN_BEGIN]) == SQLITE_DONE;
}

bool
apply_bodies_done(struct apply *a)
{
    return segments_flush_end(a->segments);
}

void
apply_settle(struct apply *a, const struct unit *u, bool accepted)
{
    for (const struct unit_body *b = u->bodies; b; b = b->next) {
        if (!b->at->length)
            continue;
        if (accepted)
            a->kept = (struct segment_tail){b->at->day, b->at->number, b->at->offset + b->at->length};
        else
            segments_punch(a->segments, b->at);
    }
}

static bool
apply_tail(struct apply *a, const struct segment_tail *tail)
{
    sqlite3_stmt *stmt = a->own[OWN_TAIL];
    const struct value args[] = {val_int(tail->day), val_int(tail->number), val_int(tail->length)};
    return sql_bind_values(stmt, args, COUNT_OF(args)) == SQLITE_OK && step_and_reset(stmt) == SQLITE_DONE;
}

/* The group's own leaf, and what it commits to. */
static bool
apply_journal(struct apply *a)
{
    if (!a->leaf_hash || !a->journal.n)
        return true;
    uint8_t salt[JOURNAL_SALT];
    random_bytes(salt, sizeof salt);
    struct row_leaf leaf = {
        .kind = V(JOURNAL_LEAF), .ref = uid_new(), .salt = view_make(salt, sizeof salt), .at = clock_now()};
    leaf.commitment = journal_commitment(leaf.salt, buf_view(&a->journal));
    leaf.hash = a->leaf_hash(&leaf);
    err ignored;
    if (a->journal.failed || apply_row(a, ROW_leaf, &leaf, &ignored) != STEP_DONE)
        return false;
    struct row_journal row = {.leaf = leaf.seq, .entries = buf_view(&a->journal)};
    return apply_row(a, ROW_journal, &row, &ignored) == STEP_DONE;
}

bool
apply_commit(struct apply *a)
{
    segments_rewind(a->segments, a->kept);
    struct segment_tail tail = segments_tail(a->segments);
    bool moved = tail.length != a->tail.length || tail.number != a->tail.number || tail.day != a->tail.day;
    if ((moved && !apply_tail(a, &tail)) || !apply_journal(a))
        return false;
    if (step_and_reset(a->own[OWN_COMMIT]) != SQLITE_DONE)
        return false;
    a->tail = tail;
    a->leaves = numbers_leaf(a->numbers);
    return true;
}

bool
apply_tidy(struct apply *a, bool *ret_more)
{
    sqlite3_stmt *count = a->own[OWN_FREE], *vacuum = a->own[OWN_VACUUM];
    int rc = sqlite3_step(count);
    int64_t pages = rc == SQLITE_ROW ? sqlite3_column_int64(count, 0) : 0;
    sqlite3_reset(count);
    *ret_more = false;
    if (rc != SQLITE_ROW || pages <= FREE_PAGES_KEPT)
        return rc == SQLITE_ROW || (rc & 0xff) == SQLITE_BUSY;
    do {
        rc = sqlite3_step(vacuum);
    } while (rc == SQLITE_ROW);
    sqlite3_reset(vacuum);
    *ret_more = true;
    return rc == SQLITE_DONE || (rc & 0xff) == SQLITE_BUSY;
}

int64_t
apply_leaves(const struct apply *a)
{
    return a->leaves;
}

int
apply_frames(const struct apply *a)
{
    return a->frames;
}
