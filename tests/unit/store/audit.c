/* The audit: what was written is found to be so, for every kind of row, and what was changed behind the gateway's back is named. */
#include "help.h"

#include "store/audit.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

static digest
leaf_hash(const struct row_leaf *leaf)
{
    const view parts[] = {leaf->kind, uid_view(&leaf->ref), digest_view(&leaf->commitment),
                          view_make(&leaf->at, sizeof leaf->at)};
    return sha256_parts(parts, COUNT_OF(parts));
}

struct heard {
    struct help h;
    struct audit_counts counts;
    unsigned n, of[AUDIT_WHAT_COUNT];
    struct audit_finding last;
    uint64_t leaves;
};

static void
on_leaf(void *self, uint64_t seq, const digest *hash)
{
    (void)hash;
    cr_assert_geq(seq, ((struct heard *)self)->leaves++);
}

static void
on_finding(void *self, const struct audit_finding *f)
{
    struct heard *s = self;
    s->n++;
    s->of[f->what]++;
    s->last = *f;
}

static void
audit(struct heard *s)
{
    const struct audit_ops ops = {s, leaf_hash, on_leaf, on_finding};
    struct fault f;
    fault_init(&f);
    s->n = 0;
    s->leaves = 0;
    memset(s->of, 0, sizeof s->of);
    cr_assert_eq(store_audit(s->h.dir, &ops, &s->counts, &f), E_OK, "%s %s", f.where, f.found);
}

static void
open_store(struct heard *s)
{
    const struct store_options o = {
        .dir = s->h.dir, .readers = 1, .leaf_hash = leaf_hash, .fatal = help_fatal, .self = &s->h};
    cr_assert_eq(store_open(&o, &s->h.store, &s->h.fault), E_OK);
}

/* Rows of every kind, two of each: one with all its columns, one with the key alone.  Four bodies. */
static void
fill(struct heard *s)
{
    *s = (struct heard){0};
    cr_assert(help_begin(&s->h));
    help_close(&s->h);
    open_store(s);
    struct unit u;
    unit_init(&u, s->h.mem);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        for (unsigned i = 0; i < 2 && kind != ROW_journal; i++) {
            void *row = unit_add_row(&u, (enum row_kind)kind, table_of((enum row_kind)kind)->size);
            help_fill_row((enum row_kind)kind, row, (unsigned)kind * 2 + i + 1, i == 0, s->h.mem);
        }
    }
    struct row_leaf *leaf = u.rows[ROW_leaf];
    for (; leaf; leaf = leaf->next)
        leaf->hash = leaf_hash(leaf);
    ((struct row_delivery *)u.rows[ROW_delivery])->body_at.length = 0;
    ((struct row_attachment *)u.rows[ROW_attachment])->body_at.length = 0;
    ((struct row_photo *)u.rows[ROW_photo])->body_at.length = 0;
    unit_body(&u, V("a body of some bytes"), &((struct row_document *)u.rows[ROW_document])->body_at);
    unit_body(&u, V("facts of it"), &((struct row_document *)u.rows[ROW_document])->facts_at);
    unit_body(&u, V("evidence of a verdict"), &((struct row_verdict *)u.rows[ROW_verdict])->evidence_at);
    unit_body(&u, V("detail of a claim"), &((struct row_claim *)u.rows[ROW_claim])->detail_at);
    cr_assert_eq(store_commit(s->h.store, &u), E_OK);
}

static void
sql(struct heard *s, const char *text)
{
    char path[96];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/claimgate.db", s->h.dir);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_gt(sqlite3_changes(db), 0, "nothing changed: %s", text);
    sqlite3_close(db);
}

Test(audit, every_kind_of_row_is_in_the_file_what_was_hashed_in_memory)
{
    struct heard s;
    fill(&s);
    audit(&s); /* beside the open store */
    cr_assert_eq(s.n, 0, "%s %s", audit_code(s.last.what), s.last.table);
    help_close(&s.h);
    audit(&s);
    cr_assert_eq(s.n, 0);
    cr_assert_eq(s.counts.leaves, 3);
    cr_assert_eq(s.counts.bodies, 4);
    cr_assert_gt(s.counts.rows, 40);
    help_end(&s.h);
}

/* What a change does to rows is taken down as the rows are afterwards, deletions too. */
Test(audit, changes_are_explained_by_a_later_leaf)
{
    struct heard s;
    fill(&s);
    struct unit u;
    unit_init(&u, s.h.mem);
    struct row_case *in_case = unit_add_case(&u);
    const uid from = help_uid(900), to = help_uid(901);
    struct row_case_key *k = unit_add_case_key(&u);
    struct row_delivery *d = unit_add_delivery(&u);
    *in_case = (struct row_case){.id = from, .version = 1, .state = V("open")};
    *k = (struct row_case_key){.blind = help_digest(5), .case_id = from, .kind = V("x")};
    *d = (struct row_delivery){.id = help_uid(902), .case_id = from, .state = V("queued")};
    cr_assert_eq(store_commit(s.h.store, &u), E_OK);
    unit_init(&u, s.h.mem);
    const instant now = {1780000000000000};
    unit_change(&u, CHANGE_case_keys_move, ARGS(val_uid(&from), val_uid(&to)));
    unit_change(&u, CHANGE_deliveries_move, ARGS(val_uid(&from), val_uid(&to)));
    unit_change(&u, CHANGE_delivery_begin, ARGS(val_uid(&d->id), val_time(now), val_time(now)));
    unit_change(&u, CHANGE_case_merge, ARGS(val_uid(&from), val_uid(&to), val_time(now)));
    struct row_partner *p = unit_add_partner(&u);
    *p = (struct row_partner){.id = help_uid(903), .kind = V("insurer"), .code = V("1"), .op = ROW_PUT};
    cr_assert_eq(store_commit(s.h.store, &u), E_OK);
    p->version = 2;
    p->next = NULL;
    unit_init(&u, s.h.mem);
    *unit_add_partner(&u) = *p;
    cr_assert_eq(store_commit(s.h.store, &u), E_OK);
    help_close(&s.h);
    audit(&s);
    cr_assert_eq(s.n, 0, "%s %s %s", audit_code(s.last.what), s.last.table, s.last.row);
    sql(&s, "UPDATE deliveries SET state = 'queued' WHERE state = 'sending'");
    audit(&s);
    cr_assert_eq(s.of[AUDIT_ROW_CHANGED], 1);
    cr_assert_str_eq(s.last.table, "deliveries");
    help_end(&s.h);
}

/* A unit that a guard or a UNIQUE refuses leaves nothing in the journal, alone or in company. */
/* What is put where it was already stays as it was, and the log says nothing of it. */
Test(audit, a_row_that_was_kept_has_no_second_entry)
{
    struct heard s;
    fill(&s);
    const digest blind = help_digest(6);
    const uid in_case = help_uid(910);
    for (int64_t i = 1; i <= 3; i++) {
        struct unit u;
        unit_init(&u, s.h.mem);
        struct row_case_key *k = unit_add_case_key(&u), *other = unit_add_case_key(&u);
        *k = (struct row_case_key){
            .blind = blind, .case_id = in_case, .kind = V("x"), .at = {i}, .op = ROW_KEEP};
        *other =
            (struct row_case_key){.blind = help_digest(60 + (unsigned)i), .case_id = in_case, .kind = V("x")};
        cr_assert_eq(store_commit(s.h.store, &u), E_OK);
    }
    audit(&s);
    cr_assert_eq(s.n, 0, "%s %s", audit_code(s.last.what), s.last.table);
    sql(&s, "DELETE FROM case_keys WHERE at = 1");
    audit(&s);
    cr_assert_eq(s.n, 1, "the one that was written is in the log");
    help_end(&s.h);
}

Test(audit, refused_units_leave_no_entry)
{
    struct heard s;
    fill(&s);
    struct unit u;
    for (int i = 0; i < 3; i++) {
        unit_init(&u, s.h.mem);
        struct row_case *c = unit_add_case(&u);
        struct row_event *e = unit_add_event(&u);
        *c = (struct row_case){.id = help_uid(777), .version = 1, .state = V("open")};
        *e = (struct row_event){.recipient = help_uid(5), .id = uid_new()};
        cr_assert_eq(store_commit(s.h.store, &u), i ? E_STALE : E_OK);
    }
    help_close(&s.h);
    audit(&s);
    cr_assert_eq(s.n, 0, "%s %s %s", audit_code(s.last.what), s.last.table, s.last.row);
    help_end(&s.h);
}

Test(audit, what_was_changed_is_named_with_row_column_and_bit)
{
    struct heard s;
    fill(&s);
    help_close(&s.h);
    sql(&s, "UPDATE permissions SET valid_to = valid_to + 1 WHERE valid_to IS NOT NULL");
    audit(&s);
    cr_assert_eq(s.n, 1);
    cr_assert_eq(s.last.what, AUDIT_ROW_CHANGED);
    cr_assert_str_eq(s.last.table, "permissions");
    help_end(&s.h);
    fill(&s);
    help_close(&s.h);
    sql(&s, "UPDATE documents SET bytes = bytes + CASE bytes % 2 WHEN 1 THEN -1 ELSE 1 END WHERE bytes > 0");
    audit(&s);
    cr_assert(s.of[AUDIT_ROW_CHANGED] >= 1);
    cr_assert_str_eq(s.last.table, "documents");
    cr_assert_str_eq(s.last.column, "bytes");
    cr_assert_str_eq(s.last.class_of, "number");
    cr_assert_eq(s.last.bit, 63);
    help_end(&s.h);
}

Test(audit, log_and_rows_that_go_or_come_are_named)
{
    struct heard s;
    static const struct {
        const char *sql;
        enum audit_what what;
    } cases[] = {
        {"DELETE FROM decisions WHERE id = (SELECT min(id) FROM decisions)", AUDIT_ROW_MISSING},
        {"INSERT INTO cases (id, version) VALUES (x'00112233445566778899aabbccddeeff', 1)",
         AUDIT_ROW_UNKNOWN},
        {"UPDATE leaves SET hash = randomblob(32) WHERE seq = 1", AUDIT_LEAF},
        {"UPDATE leaves SET salt = randomblob(16) WHERE kind = 'rows'", AUDIT_JOURNAL},
        {"DELETE FROM leaves WHERE seq = 1", AUDIT_LEAF_MISSING},
        {"UPDATE journal SET entries = zeroblob(49)", AUDIT_JOURNAL},
        {"DELETE FROM journal", AUDIT_JOURNAL},
        {"UPDATE documents SET body_at_offset = 1 WHERE body_at_length IS NOT NULL AND body_at_offset = 0",
         AUDIT_BODY},
        {"UPDATE documents SET body_at_number = 4294967296 WHERE body_at_length IS NOT NULL AND "
         "body_at_offset = 0",
         AUDIT_BODY},
        {"UPDATE segment_tail SET length = length - 1", AUDIT_TAIL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fill(&s);
        help_close(&s.h);
        sql(&s, cases[i].sql);
        audit(&s);
        cr_assert(s.of[cases[i].what], "%s: not found as %s", cases[i].sql, audit_code(cases[i].what));
        help_end(&s.h);
    }
}

/* A flipped bit of the file once made the journal's second walk give more than its first: the audit looked for a free place for ever. */
Test(audit, a_journal_that_gives_more_than_was_counted_ends_the_audit_with_a_finding)
{
    struct heard s;
    fill(&s);
    help_close(&s.h);
    sql(&s, "INSERT INTO journal (leaf, entries) VALUES (-9, randomblob(49 * 100000))");
    audit(&s);
    cr_expect(s.of[AUDIT_DATABASE] == 1 && s.of[AUDIT_JOURNAL] == 1, "%u, %u", s.of[AUDIT_DATABASE],
              s.of[AUDIT_JOURNAL]);
    help_end(&s.h);
}
