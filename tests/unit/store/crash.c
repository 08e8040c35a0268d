/* A child commits and reports every unit that was acknowledged; it is killed at a random moment.  After
 * reopening every acknowledged unit is there, none is half there, and the numbers have no gaps. */
#include "help.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 30
#define THREADS 8
#define RECIPIENTS 3

static struct help h;
static int report_fd;
static unsigned round_now;

static uid
derived(unsigned n, uint8_t what)
{
    uid u = help_uid(n);
    u.b[1] = what;
    return u;
}

static view
body_of(unsigned n, arena *mem)
{
    size_t size = 200 + n % 5000;
    char *p = arena_alloc(mem, size);
    for (size_t i = 0; i < size; i++)
        p[i] = (char)(n + i * 13);
    return view_make(p, size);
}

/* One unit has rows in six tables and a body; all carry its number. */
static err
commit_unit(unsigned n, arena *mem)
{
    struct unit u;
    unit_init(&u, mem);
    struct row_document *d = unit_add_document(&u);
    d->id = derived(n, 1);
    d->body = help_digest(n);
    unit_body(&u, body_of(n, mem), &d->body_at);
    struct row_case *c = unit_add_case(&u);
    c->id = derived(n, 2);
    struct row_case_document *link = unit_add_case_document(&u);
    link->case_id = c->id;
    link->document = d->id;
    struct row_claim *claim = unit_add_claim(&u);
    claim->id = derived(n, 3);
    claim->case_id = c->id;
    struct row_event *e = unit_add_event(&u);
    e->recipient = derived(n % RECIPIENTS, 9);
    e->id = derived(n, 4);
    e->document = d->id;
    struct row_leaf *leaf = unit_add_leaf(&u);
    leaf->hash = help_digest(n);
    leaf->ref = d->id;
    return store_commit(h.store, &u);
}

static void *
child_thread(void *arg)
{
    unsigned thread = (unsigned)(uintptr_t)arg;
    arena *mem = arena_new(1 << 20);
    for (unsigned i = 0;; i++) {
        arena_reset(mem);
        unsigned n = round_now << 20 | thread << 16 | i;
        if (commit_unit(n, mem) != E_OK)
            _exit(3);
        if (write(report_fd, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(4);
    }
    return NULL;
}

static void
child_main(int fd)
{
    report_fd = fd;
    if (help_open(&h) != E_OK)
        _exit(2);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, child_thread, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(5);
}

/* Everything of the unit is there, or nothing. */
static bool
unit_is_there(struct reader *r, unsigned n, arena *mem)
{
    uid document = derived(n, 1), a_case = derived(n, 2), a_claim = derived(n, 3);
    struct row_document *d = NULL;
    struct row_case *c = NULL;
    struct row_case_document *link = NULL;
    struct row_claim *claim = NULL;
    struct row_leaf *leaf = NULL;
    cr_assert_eq(query_document(r, ARGS(val_uid(&document)), mem, &d), E_OK);
    cr_assert_eq(query_case_row(r, ARGS(val_uid(&a_case)), mem, &c), E_OK);
    cr_assert_eq(query_case_links_of(r, ARGS(val_uid(&a_case)), mem, &link), E_OK);
    cr_assert_eq(query_claim(r, ARGS(val_uid(&a_claim)), mem, &claim), E_OK);
    cr_assert_eq(query_leaf_of(r, ARGS(val_uid(&document)), mem, &leaf), E_OK);
    int parts = !!d + !!c + !!link + !!claim + !!leaf;
    cr_assert(parts == 0 || parts == 5, "unit %x has %d of 5 parts", n, parts);
    if (!d)
        return false;
    view body;
    cr_assert_eq(store_body(h.store, &d->body_at, mem, &body), E_OK);
    cr_assert(view_eq(body, body_of(n, mem)));
    return true;
}

static unsigned
document_number(const uid *u)
{
    return (unsigned)u->b[12] << 24 | (unsigned)u->b[13] << 16 | (unsigned)u->b[14] << 8 | u->b[15];
}

/* The feeds count from 1 without gaps, and every event's unit is whole. */
static uint64_t
check_feeds(struct reader *r, arena *mem)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < RECIPIENTS; i++) {
        uid recipient = derived(i, 9);
        int64_t after = 0;
        for (;;) {
            arena_reset(mem);
            struct row_event *e = NULL;
            cr_assert_eq(
                query_events_after(r, ARGS(val_uid(&recipient), val_int(after), val_int(500)), mem, &e),
                E_OK);
            if (!e)
                break;
            for (; e; e = e->next) {
                cr_assert_eq(e->seq, ++after);
                total++;
                if (document_number(&e->document) >> 20 == round_now)
                    cr_assert(unit_is_there(r, document_number(&e->document), mem));
            }
        }
    }
    return total;
}

static void
parent_check(const unsigned *acknowledged, size_t n)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    cr_assert_eq(help_open(&h), E_OK, "%s: %s", h.fault.where, h.fault.found);
    clock_gettime(CLOCK_MONOTONIC, &to);
    cr_expect_lt(to.tv_sec - from.tv_sec, 20);
    arena *mem = arena_new(16 << 20);
    struct reader *r AUTO(reader_done) = NULL;
    cr_assert_eq(store_reader(h.store, &r), E_OK);
    for (size_t i = 0; i < n; i++) {
        arena_reset(mem);
        cr_assert(unit_is_there(r, acknowledged[i], mem), "unit %x was acknowledged and is gone",
                  acknowledged[i]);
    }
    uint64_t events = check_feeds(r, mem);
    cr_assert_eq(events, store_log_length(h.store));
    reader_done(TAKE(r));
    arena_free(mem);
    help_close(&h);
}

static size_t
run_and_kill(unsigned delay_us, unsigned *ret_acknowledged, size_t ceiling)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(fds[0]);
        child_main(fds[1]);
    }
    close(fds[1]);
    unsigned first;
    /* The random moment counts from the first acknowledged unit. */
    size_t n = 0;
    if (read(fds[0], &first, sizeof first) == (ssize_t)sizeof first)
        ret_acknowledged[n++] = first;
    struct timespec delay = {0, (long)delay_us * 1000};
    nanosleep(&delay, NULL);
    kill(child, SIGKILL);
    while (n < ceiling &&
           read(fds[0], &ret_acknowledged[n], sizeof *ret_acknowledged) == (ssize_t)sizeof *ret_acknowledged)
        n++;
    close(fds[0]);
    int status;
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
    return n;
}

Test(crash, acknowledged_units_survive_and_none_is_half_there, .timeout = 280)
{
    cr_assert(help_begin(&h));
    help_close(&h);
    static unsigned acknowledged[1 << 20];
    size_t all = 0;
    for (unsigned i = 1; i <= ROUNDS; i++) {
        round_now = i;
        uint16_t moment;
        random_bytes(&moment, sizeof moment);
        size_t n = run_and_kill(moment * 3, acknowledged, COUNT_OF(acknowledged));
        parent_check(acknowledged, n);
        all += n;
    }
    cr_expect_gt(all, ROUNDS);
    help_end(&h);
}
