/* Opening, closing, bodies, snapshots, what an unclean end leaves. */
#include "help.h"
#include "store/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

HELP_SUITE(files);

static const char *
segment_path(const struct address *at)
{
    char name[64];
    snprintf(name, sizeof name, "segments/%06d-%06d", at->day, at->number);
    return help_path(&h, name);
}

static struct address
put_body(unsigned n, view bytes)
{
    struct unit u;
    unit_init(&u, h.mem);
    struct row_document *d = unit_add_document(&u);
    d->id = help_uid(n);
    unit_body(&u, bytes, &d->body_at);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    return d->body_at;
}

static view
body_bytes(unsigned n, size_t size)
{
    char *p = arena_alloc(h.mem, size);
    for (size_t i = 0; i < size; i++)
        p[i] = (char)(n * 31 + i * 7 + i / 253);
    return view_make(p, size);
}

static struct row_document *
get_document(unsigned n)
{
    uid id = help_uid(n);
    return help_query(&h, QUERY_document, ARGS(val_uid(&id)));
}

static void
check_body(unsigned n, view expected)
{
    struct row_document *d = get_document(n);
    cr_assert(d);
    view found;
    cr_assert_eq(store_body(h.store, &d->body_at, h.mem, &found), E_OK);
    cr_expect(view_eq(found, expected));
}

static off_t
file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : st.st_size;
}

/* Ends the store in a child without closing it, so that the next open finds an unclean end. */
static void
commit_and_die(unsigned n, view bytes)
{
    help_close(&h);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        if (help_open(&h) != E_OK)
            _exit(2);
        put_body(n, bytes);
        _exit(7);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

Test(files, reopening_keeps_everything)
{
    view bytes = body_bytes(1, 10000);
    put_body(1, bytes);
    struct unit u;
    unit_init(&u, h.mem);
    unit_add_leaf(&u)->hash = help_digest(1);
    struct row_event *event = unit_add_event(&u);
    event->recipient = help_uid(5);
    event->id = help_uid(6);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    for (int i = 0; i < 3; i++) {
        help_close(&h);
        cr_expect_eq(access(help_path(&h, "clean"), F_OK), 0);
        cr_assert_eq(help_open(&h), E_OK, "%s: %s", h.fault.where, h.fault.found);
        cr_expect_neq(access(help_path(&h, "clean"), F_OK), 0);
    }
    check_body(1, bytes);
    cr_expect_eq(store_log_length(h.store), 1);
    unit_init(&u, h.mem);
    struct row_leaf *leaf = unit_add_leaf(&u);
    leaf->hash = help_digest(2);
    event = unit_add_event(&u);
    event->recipient = help_uid(5);
    event->id = help_uid(7);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    cr_expect_eq(leaf->seq, 1);
    cr_expect_eq(event->seq, 2);
}

Test(files, a_second_open_is_refused)
{
    struct help other = h;
    other.store = NULL;
    cr_expect_eq(help_open(&other), E_STORE);
    cr_expect_str_eq(other.fault.found, "it is in use");
    help_close(&h);
    cr_expect_eq(help_open(&other), E_OK);
    help_close(&other);
}

Test(files, read_only_beside_the_writer)
{
    view bytes = body_bytes(1, 100);
    put_body(1, bytes);
    struct store_options o = {.dir = h.dir, .readers = 1, .read_only = true};
    struct store *reading = NULL;
    cr_assert_eq(store_open(&o, &reading, NULL), E_OK);
    cr_expect_not(store_is_ready(reading));
    struct unit u;
    unit_init(&u, h.mem);
    cr_expect_eq(store_commit(reading, &u), E_STORE);
    struct store *writing = h.store;
    h.store = reading;
    check_body(1, bytes);
    h.store = writing;
    put_body(2, bytes);
    store_close(reading);
    cr_expect(store_is_ready(h.store));
}

Test(files, read_only_after_an_unclean_end)
{
    view bytes = body_bytes(1, 100);
    commit_and_die(1, bytes);
    struct store_options o = {.dir = h.dir, .readers = 1, .read_only = true};
    cr_assert_eq(store_open(&o, &h.store, NULL), E_OK);
    check_body(1, bytes);
    help_close(&h);
    cr_expect_neq(access(help_path(&h, "clean"), F_OK), 0);
}

Test(files, read_only_makes_nothing)
{
    struct store_options o = {.dir = help_path(&h, "nothing"), .readers = 1, .read_only = true};
    struct store *s = NULL;
    cr_expect_eq(store_open(&o, &s, NULL), E_STORE);
    cr_expect_neq(access(help_path(&h, "nothing"), F_OK), 0);
}

Test(files, only_the_owner_may_read)
{
    static const char *const names[] = {"claimgate.db", "claimgate.db-wal", "claimgate.db-shm", "lock"};
    put_body(1, body_bytes(1, 10));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct stat st;
        cr_assert_eq(stat(help_path(&h, names[i]), &st), 0);
        cr_expect_eq(st.st_mode & 0777, 0600, "%s", names[i]);
    }
}

Test(files, a_snapshot_does_not_move)
{
    view bytes = body_bytes(1, 10);
    put_body(1, bytes);
    struct reader *r AUTO(reader_done) = NULL;
    cr_assert_eq(store_reader(h.store, &r), E_OK);
    uid one = help_uid(1), two = help_uid(2);
    struct row_document *d = NULL;
    cr_assert_eq(query_document(r, ARGS(val_uid(&one)), h.mem, &d), E_OK);
    cr_assert(d);
    put_body(2, bytes);
    cr_assert_eq(query_document(r, ARGS(val_uid(&two)), h.mem, &d), E_OK);
    cr_expect_null(d);
    cr_expect(get_document(2));
    reader_done(r);
    cr_assert_eq(store_reader(h.store, &r), E_OK);
    cr_assert_eq(query_document(r, ARGS(val_uid(&two)), h.mem, &d), E_OK);
    cr_expect(d);
}

Test(files, bodies_of_all_sizes_come_back)
{
    static const size_t sizes[] = {1, 511, 512, 513, 4096, 10000, 1 << 20, 5 << 20};
    struct unit u;
    unit_init(&u, h.mem);
    view bytes[COUNT_OF(sizes)];
    struct row_document *rows[COUNT_OF(sizes)];
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        bytes[i] = body_bytes(i, sizes[i]);
        rows[i] = unit_add_document(&u);
        rows[i]->id = help_uid(i);
        unit_body(&u, bytes[i], &rows[i]->body_at);
    }
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        cr_expect_eq(rows[i]->body_at.length, (int64_t)sizes[i]);
        check_body(i, bytes[i]);
    }
    struct address none = {0};
    view found = V("x");
    cr_expect_eq(store_body(h.store, &none, h.mem, &found), E_OK);
    cr_expect_null(found.p);
}

Test(files, more_bodies_than_fit_in_one_write)
{
    struct unit u;
    unit_init(&u, h.mem);
    view bytes[3000];
    for (unsigned i = 0; i < COUNT_OF(bytes); i++) {
        bytes[i] = body_bytes(i, 10 + i % 90);
        struct row_document *row = unit_add_document(&u);
        row->id = help_uid(i);
        unit_body(&u, bytes[i], &row->body_at);
    }
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    for (unsigned i = 0; i < COUNT_OF(bytes); i += 7)
        check_body(i, bytes[i]);
}

Test(files, every_flipped_bit_is_seen)
{
    view bytes = body_bytes(1, 64);
    struct address at = put_body(1, bytes);
    int fd = open(segment_path(&at), O_RDWR);
    cr_assert(fd >= 0);
    for (unsigned bit = 0; bit < 64 * 8; bit++) {
        char byte, was;
        off_t where = at.offset + bit / 8;
        cr_assert_eq(pread(fd, &was, 1, where), 1);
        byte = (char)(was ^ (1 << bit % 8));
        cr_assert_eq(pwrite(fd, &byte, 1, where), 1);
        view found;
        cr_expect_eq(store_body(h.store, &at, h.mem, &found), E_STORE_CORRUPT);
        cr_assert_eq(pwrite(fd, &was, 1, where), 1);
    }
    close(fd);
    check_body(1, bytes);
}

Test(files, a_missing_or_short_file_is_corrupt)
{
    struct address at = put_body(1, body_bytes(1, 1000));
    view found;
    cr_assert_eq(truncate(segment_path(&at), 500), 0);
    cr_expect_eq(store_body(h.store, &at, h.mem, &found), E_STORE_CORRUPT);
    cr_assert_eq(unlink(segment_path(&at)), 0);
    cr_expect_eq(store_body(h.store, &at, h.mem, &found), E_STORE_CORRUPT);
    struct address odd = at;
    odd.offset = INT64_MAX - 5;
    cr_expect_eq(store_body(h.store, &odd, h.mem, &found), E_STORE_CORRUPT);
    odd.offset = -1;
    cr_expect_eq(store_body(h.store, &odd, h.mem, &found), E_STORE_CORRUPT);
}

Test(files, orphans_are_swept)
{
    view bytes = body_bytes(1, 1000);
    struct address at = put_body(1, bytes);
    help_close(&h);
    cr_expect_eq(file_size(segment_path(&at)), 1000);
    int fd = open(segment_path(&at), O_WRONLY | O_APPEND);
    cr_assert_eq(write(fd, "orphan", 6), 6);
    close(fd);
    struct address later = at;
    later.number++;
    fd = open(segment_path(&later), O_WRONLY | O_CREAT, 0600);
    cr_assert_eq(write(fd, "orphan", 6), 6);
    close(fd);
    cr_assert_eq(help_open(&h), E_OK);
    cr_expect_eq(file_size(segment_path(&at)), 1000);
    cr_expect_eq(file_size(segment_path(&later)), -1);
    struct address next = put_body(2, bytes);
    cr_expect_eq(next.offset, 1000);
    check_body(1, bytes);
    check_body(2, bytes);
}

Test(files, a_lost_body_file_stops_the_start)
{
    struct address at = put_body(1, body_bytes(1, 1000));
    help_close(&h);
    cr_assert_eq(truncate(segment_path(&at), 999), 0);
    cr_expect_eq(help_open(&h), E_STORE_CORRUPT);
    cr_assert_eq(unlink(segment_path(&at)), 0);
    cr_expect_eq(help_open(&h), E_STORE_CORRUPT);
}

Test(files, bodies_without_their_database_are_not_deleted)
{
    struct address at = put_body(1, body_bytes(1, 1000));
    help_close(&h);
    cr_assert_eq(unlink(help_path(&h, "claimgate.db")), 0);
    cr_expect_eq(help_open(&h), E_STORE_CORRUPT);
    cr_expect_eq(file_size(segment_path(&at)), 1000);
}

Test(files, a_refused_unit_leaves_no_hole)
{
    view bytes = body_bytes(1, 1000);
    put_body(1, bytes);
    struct unit u;
    unit_init(&u, h.mem);
    struct row_document *d = unit_add_document(&u);
    d->id = help_uid(1);
    unit_body(&u, bytes, &d->body_at);
    cr_assert_eq(store_commit(h.store, &u), E_STALE);
    cr_expect_eq(put_body(2, bytes).offset, 1000);
    check_body(2, bytes);
}

static int64_t day_of_clock = 21000;

static instant
fixed_now(void *self)
{
    (void)self;
    return (instant){day_of_clock * INT64_C(86400000000) + 5};
}

static int64_t
fixed_monotonic(void *self)
{
    (void)self;
    return 1;
}

Test(files, a_new_day_begins_a_new_file_and_days_do_not_go_back)
{
    static const struct clock_ops clock = {"fixed", fixed_now, fixed_monotonic, NULL};
    clock_set(&clock);
    view bytes = body_bytes(1, 100);
    struct address a = put_body(1, bytes);
    day_of_clock = 21001;
    struct address b = put_body(2, bytes);
    day_of_clock = 20990;
    struct address c = put_body(3, bytes);
    cr_expect(a.day == 21000 && a.number == 0 && a.offset == 0);
    cr_expect(b.day == 21001 && b.number == 0 && b.offset == 0);
    cr_expect(c.day == 21001 && c.number == 0 && c.offset == 100);
    cr_expect_eq(file_size(segment_path(&a)), 100);
    for (unsigned i = 1; i <= 3; i++)
        check_body(i, bytes);
    clock_set(NULL);
}

Test(files, a_full_file_is_followed_by_the_next_number)
{
    view bytes = body_bytes(1, 25 << 20);
    struct address last = {0};
    for (unsigned i = 0; i < 12; i++) {
        struct address at = put_body(i, bytes);
        cr_expect_leq(at.offset + at.length, SEGMENT_BYTES);
        last = at;
    }
    cr_expect(last.number == 1 && last.offset == INT64_C(25 << 20));
    help_close(&h);
    cr_assert_eq(help_open(&h), E_OK);
    check_body(0, bytes);
    check_body(11, bytes);
}

Test(files, after_an_unclean_end_everything_committed_is_there)
{
    view bytes = body_bytes(1, 3000);
    commit_and_die(1, bytes);
    cr_expect_neq(access(help_path(&h, "clean"), F_OK), 0);
    cr_expect_gt(file_size(help_path(&h, "claimgate.db-wal")), 0);
    cr_assert_eq(help_open(&h), E_OK, "%s", h.fault.found);
    cr_expect_neq(access(help_path(&h, "wal.bak"), F_OK), 0);
    check_body(1, bytes);
    put_body(2, bytes);
    check_body(2, bytes);
}

Test(files, a_torn_wal_gives_up_only_its_last_commit)
{
    view bytes = body_bytes(1, 3000);
    commit_and_die(1, bytes);
    /* half a page of rubbish behind the last commit, as after a power loss */
    int fd = open(help_path(&h, "claimgate.db-wal"), O_WRONLY | O_APPEND);
    char rubbish[4096];
    memset(rubbish, 0x5a, sizeof rubbish);
    cr_assert_eq(write(fd, rubbish, sizeof rubbish), (ssize_t)sizeof rubbish);
    close(fd);
    cr_assert_eq(help_open(&h), E_OK);
    check_body(1, bytes);
}

Test(files, another_programs_database_is_refused)
{
    help_close(&h);
    cr_assert_eq(unlink(help_path(&h, "claimgate.db")), 0);
    int fd = open(help_path(&h, "claimgate.db"), O_WRONLY | O_CREAT, 0600);
    char rubbish[8192];
    memset(rubbish, 'x', sizeof rubbish);
    cr_assert_eq(write(fd, rubbish, sizeof rubbish), (ssize_t)sizeof rubbish);
    close(fd);
    cr_expect_eq(help_open(&h), E_STORE_CORRUPT);
}

Test(files, a_folder_that_cannot_be_made_is_refused)
{
    struct store_options o = {.dir = "/proc/nowhere/store", .readers = 1};
    struct store *s = NULL;
    struct fault f;
    fault_init(&f);
    cr_expect_eq(store_open(&o, &s, &f), E_STORE);
    cr_expect_str_eq(f.where, "store.dir");
}

Test(files, readers_are_counted_and_waited_for)
{
    struct reader *r[4];
    for (size_t i = 0; i < COUNT_OF(r); i++)
        cr_assert_eq(store_reader(h.store, &r[i]), E_OK);
    struct reader *more;
    cr_expect_eq(store_reader(h.store, &more), E_BUSY);
    for (size_t i = 0; i < COUNT_OF(r); i++)
        reader_done(r[i]);
    cr_expect_eq(store_reader(h.store, &more), E_OK);
    reader_done(more);
}
