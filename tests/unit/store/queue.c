/* The writer's queue and window, the size of the WAL, and a database that a foreign process holds. */
#include "help.h"
#include "store/inside.h"

#include <sys/stat.h>
#include <time.h>

HELP_SUITE(queue);

static sqlite3 *
hold_database(void)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(help_path(&h, "claimgate.db"), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static struct unit *
one_case(unsigned n)
{
    struct unit *u = arena_make(h.mem, struct unit);
    unit_init(u, h.mem);
    struct row_case *c = unit_add_case(u);
    c->id = help_uid(n);
    c->version = 1;
    return u;
}

/* While the database is held the writer sits on one group; behind it the queue fills to its ceiling and no
 * further. */
Test(queue, a_full_queue_is_busy_and_loses_nothing)
{
    sqlite3 *holder = hold_database();
    size_t n = WRITER_QUEUE_MAX + WRITER_GROUP_MAX + 100, accepted = 0, refused = 0, done = 0;
    struct ticket *tickets = arena_make_array(h.mem, n, struct ticket);
    bool *waiting = arena_make_array(h.mem, n, bool);
    for (size_t i = 0; i < n; i++) {
        tickets[i].unit = one_case((unsigned)i);
        sem_init(&tickets[i].done, 0, 0);
        err e = writer_push(h.store->writer, &tickets[i]);
        cr_assert(e == E_OK || e == E_BUSY);
        waiting[i] = e == E_OK;
        accepted += e == E_OK;
        refused += e == E_BUSY;
    }
    cr_expect_geq(accepted, WRITER_QUEUE_MAX);
    cr_expect_geq(refused, 100);
    sqlite3_close(holder);
    for (size_t i = 0; i < n; i++) {
        if (!waiting[i])
            continue;
        sem_wait(&tickets[i].done);
        cr_assert_eq(tickets[i].result, E_OK);
        done++;
    }
    cr_expect_eq(done, accepted);
    uid last = help_uid(0);
    cr_expect(help_query(&h, QUERY_case_row, ARGS(val_uid(&last))));
}

Test(queue, a_database_held_by_another_process_is_busy_and_not_a_failure)
{
    sqlite3 *holder = hold_database();
    cr_expect_eq(store_commit(h.store, one_case(1)), E_BUSY);
    sqlite3_close(holder);
    cr_expect(store_is_ready(h.store));
    cr_expect_eq(h.fatal, 0);
    cr_expect_eq(store_commit(h.store, one_case(1)), E_OK);
}

/* Of one group every third unit is refused by its last row, when its numbers are given already: the
 * others' have no gaps. */
Test(queue, numbers_have_no_gap_within_a_group)
{
    enum { N = 90 };
    sqlite3 *holder = hold_database();
    struct ticket *tickets = arena_make_array(h.mem, N, struct ticket);
    struct row_event *events[N];
    struct row_leaf *leaves[N];
    for (unsigned i = 0; i < N; i++) {
        tickets[i].unit = one_case(1000 + i);
        events[i] = unit_add_event(tickets[i].unit);
        events[i]->recipient = help_uid(i % 2);
        events[i]->id = help_uid(i);
        leaves[i] = unit_add_leaf(tickets[i].unit);
        leaves[i]->hash = help_digest(i);
        struct row_nonce *nonce = unit_add_nonce(tickets[i].unit);
        nonce->id = help_digest(i % 3 == 2 ? 0 : i);
        sem_init(&tickets[i].done, 0, 0);
        cr_assert_eq(writer_push(h.store->writer, &tickets[i]), E_OK);
    }
    sqlite3_close(holder);
    int64_t next[2] = {1, 1}, leaf = 0;
    for (unsigned i = 0; i < N; i++) {
        sem_wait(&tickets[i].done);
        cr_assert_eq(tickets[i].result, i % 3 == 2 ? E_STALE : E_OK);
        if (i % 3 == 2)
            continue;
        cr_expect_eq(events[i]->seq, next[i % 2]++);
        cr_expect_eq(leaves[i]->seq, leaf++);
    }
    cr_expect_eq(store_log_length(h.store), (uint64_t)leaf);
}

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* With a window of a second two units one after the other would take two seconds, if the one who is alone
 * waited for company. */
Test(queue, nobody_waits_for_company_when_alone)
{
    help_close(&h);
    struct store_options o = {
        .dir = h.dir, .readers = 1, .group_window_us = 1000000, .fatal = help_fatal, .self = &h};
    cr_assert_eq(store_open(&o, &h.store, NULL), E_OK);
    int64_t fastest = INT64_MAX;
    for (unsigned i = 0; i < 5; i++) {
        int64_t begun = now_us();
        cr_assert_eq(store_commit(h.store, one_case(i)), E_OK);
        int64_t took = now_us() - begun;
        fastest = took < fastest ? took : fastest;
    }
    cr_expect_lt(fastest, 500000);
}

/* Three at once let the next group wait for three; the hurried one ends that, for itself and for all
 * before it. */
Test(queue, the_hurried_unit_ends_the_window)
{
    help_close(&h);
    struct store_options o = {
        .dir = h.dir, .readers = 1, .group_window_us = 20000000, .fatal = help_fatal, .self = &h};
    cr_assert_eq(store_open(&o, &h.store, NULL), E_OK);
    sqlite3 *holder = hold_database();
    struct ticket tickets[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        tickets[i].unit = one_case(i);
        sem_init(&tickets[i].done, 0, 0);
        cr_assert_eq(writer_push(h.store->writer, &tickets[i]), E_OK);
    }
    sqlite3_close(holder);
    int64_t begun = now_us();
    cr_assert_eq(store_commit_now(h.store, one_case(10)), E_OK);
    for (unsigned i = 0; i < 3; i++) {
        sem_wait(&tickets[i].done);
        cr_assert_eq(tickets[i].result, E_OK);
    }
    cr_expect_lt(now_us() - begun, 10000000);
}

Test(queue, after_the_end_has_begun_units_are_refused)
{
    struct writer *w = h.store->writer;
    writer_stop(w);
    struct ticket t = {.unit = one_case(1)};
    cr_expect_eq(writer_push(w, &t), E_DRAINING);
    /* the thread is gone: what store_close would do after it */
    h.store->writer = NULL;
    checkpoint_stop(h.store->checkpointer);
    h.store->checkpointer = NULL;
    cr_expect(writer_free(w, true));
}

/* Twice the size at which it shall begin again. */
Test(queue, the_wal_does_not_grow_for_ever)
{
    size_t size = 4 << 20;
    char *bytes = arena_alloc(h.mem, size);
    memset(bytes, 'x', size);
    off_t largest = 0;
    for (unsigned i = 0; i < 140; i++) {
        struct unit u;
        unit_init(&u, h.mem);
        struct row_data_key *k = unit_add_data_key(&u);
        k->id = help_uid(i % 4);
        k->op = ROW_PUT;
        k->wrapped = view_make(bytes, size);
        cr_assert_eq(store_commit(h.store, &u), E_OK);
        struct stat st;
        cr_assert_eq(stat(help_path(&h, "claimgate.db-wal"), &st), 0);
        largest = st.st_size > largest ? st.st_size : largest;
    }
    cr_expect_lt(largest, CHECKPOINT_RESTART_BYTES + 2 * CHECKPOINT_BYTES);
    help_close(&h);
    cr_assert_eq(help_open(&h), E_OK);
    uid id = help_uid(3);
    struct row_data_key *k = help_query(&h, QUERY_data_key, ARGS(val_uid(&id)));
    cr_assert(k);
    cr_expect_eq(k->wrapped.n, size);
}
