/* room: store */
/* Many threads commit at once: of equal units exactly one wins, a guarded counter loses no step, feeds and
 * log have no gaps, and every reader sees only whole units.  Also built with -fsanitize=thread. */
#include "store/store.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAME_THREADS 64
#define SAME_ROUNDS 20
#define MIX_THREADS 32
#define MIX_UNITS 120
#define MIX_CASES 4
#define RECIPIENTS 3
#define READERS 3

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) {                                                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                                      \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static struct store *store;
static pthread_barrier_t barrier;
static atomic_int won, lost, mixed_ok, mixed_stale, mixed_duplicate;
static atomic_bool mix_over;

static uid
numbered(uint8_t kind, unsigned n)
{
    uid u = {{kind}};
    memcpy(u.b + 4, &n, sizeof n);
    return u;
}

static digest
digest_of(unsigned n)
{
    return sha256(view_make(&n, sizeof n));
}

static void
on_fatal(void *self, const char *what)
{
    (void)self;
    fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static void *
same_thread(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    arena *mem = arena_new(1 << 20);
    for (unsigned round = 0; round < SAME_ROUNDS; round++) {
        arena_reset(mem);
        struct unit u;
        unit_init(&u, mem);
        struct row_document *d = unit_add_document(&u);
        d->id = numbered(1, round * SAME_THREADS + me);
        d->body = digest_of(round);
        unit_body(&u, V("the same sealed bytes"), &d->body_at);
        struct row_event *e = unit_add_event(&u);
        e->recipient = numbered(9, 0);
        e->id = d->id;
        unit_add_leaf(&u)->hash = d->body;
        pthread_barrier_wait(&barrier);
        err result = store_commit(store, &u);
        CHECK(result == E_OK || result == E_STALE);
        atomic_fetch_add(result == E_OK ? &won : &lost, 1);
        pthread_barrier_wait(&barrier);
        CHECK(atomic_load(&won) == (int)round + 1);
        CHECK(atomic_load(&lost) == (int)(round + 1) * (SAME_THREADS - 1));
        pthread_barrier_wait(&barrier);
    }
    arena_free(mem);
    return NULL;
}

static int64_t
case_version(arena *mem, unsigned n)
{
    struct reader *r AUTO(reader_done) = NULL;
    CHECK(store_reader(store, &r) == E_OK);
    uid id = numbered(2, n);
    struct row_case *c = NULL;
    CHECK(query_case_row(r, ARGS(val_uid(&id)), mem, &c) == E_OK && c);
    return c->version;
}

/* Guarded by the case's version.  Every fifth brings a document that another thread brings too, every
 * seventh a nonce: the document stands against the unit before it has numbers, the nonce after. */
static void
mix_unit(arena *mem, unsigned me, unsigned i)
{
    unsigned a_case = (me + i) % MIX_CASES;
    uid shared_case = numbered(2, a_case);
    int64_t version = case_version(mem, a_case);
    struct unit u;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_case_version, ARGS(val_uid(&shared_case), val_int(version)));
    struct unit_change *touch = unit_change(&u, CHANGE_case_touch, ARGS(val_uid(&shared_case), val_int(i)));
    struct row_document *d = unit_add_document(&u);
    d->id = numbered(3, me << 16 | i);
    d->body = digest_of(i % 5 ? 1000000 + (me << 16 | i) : 2000000 + i);
    d->bytes = version;
    unit_body(&u, uid_view(&d->id), &d->body_at);
    struct row_case_document *link = unit_add_case_document(&u);
    link->case_id = shared_case;
    link->document = d->id;
    struct row_event *e = unit_add_event(&u);
    e->recipient = numbered(9, 1 + me % RECIPIENTS);
    e->id = d->id;
    e->document = d->id;
    e->case_version = version;
    unit_add_leaf(&u)->hash = d->body;
    struct row_nonce *nonce = unit_add_nonce(&u);
    nonce->id = digest_of(i % 7 ? 3000000 + (me << 16 | i) : 4000000 + i);
    err result = i % 16 ? store_commit(store, &u) : store_commit_now(store, &u);
    CHECK(result == E_OK || result == E_STALE);
    if (result == E_OK) {
        CHECK(touch->affected == 1);
        atomic_fetch_add(&mixed_ok, 1);
    } else if (u.failed_guard == GUARD_case_version) {
        atomic_fetch_add(&mixed_stale, 1);
    } else {
        atomic_fetch_add(&mixed_duplicate, 1);
    }
}

static void *
mix_thread(void *arg)
{
    arena *mem = arena_new(1 << 20);
    for (unsigned i = 0; i < MIX_UNITS; i++) {
        arena_reset(mem);
        mix_unit(mem, (unsigned)(uintptr_t)arg, i);
    }
    arena_free(mem);
    return NULL;
}

/* In one snapshot: a case has as many documents as steps, every document of a feed is there with its body,
 * and the feed has no gap. */
static void
read_once(arena *mem)
{
    struct reader *r AUTO(reader_done) = NULL;
    CHECK(store_reader(store, &r) == E_OK);
    for (unsigned n = 0; n < MIX_CASES; n++) {
        uid id = numbered(2, n);
        struct row_case *c = NULL;
        struct row_case_document *link = NULL;
        CHECK(query_case_row(r, ARGS(val_uid(&id)), mem, &c) == E_OK);
        CHECK(query_case_links_of(r, ARGS(val_uid(&id)), mem, &link) == E_OK);
        int64_t links = 0;
        for (; link; link = link->next)
            links++;
        CHECK(c->version == links + 1);
    }
    for (unsigned n = 0; n <= RECIPIENTS; n++) {
        uid recipient = numbered(9, n);
        struct row_event *e = NULL;
        CHECK(query_events_after(r, ARGS(val_uid(&recipient), val_int(0), val_int(100000)), mem, &e) == E_OK);
        int64_t seq = 1;
        for (; e; e = e->next)
            CHECK(e->seq == seq++);
    }
}

static void *
read_thread(void *arg)
{
    (void)arg;
    arena *mem = arena_new(64 << 20);
    while (!atomic_load(&mix_over)) {
        arena_reset(mem);
        read_once(mem);
    }
    arena_free(mem);
    return NULL;
}

static void
check_end(void)
{
    arena *mem = arena_new(64 << 20);
    read_once(mem);
    int64_t versions = 0;
    for (unsigned n = 0; n < MIX_CASES; n++)
        versions += case_version(mem, n) - 1;
    CHECK(versions == atomic_load(&mixed_ok));
    CHECK(store_log_length(store) == (uint64_t)(atomic_load(&won) + atomic_load(&mixed_ok)));
    struct reader *r AUTO(reader_done) = NULL;
    CHECK(store_reader(store, &r) == E_OK);
    struct row_leaf *leaf = NULL;
    CHECK(query_leaves(r, ARGS(val_int(0), val_int(100000)), mem, &leaf) == E_OK);
    int64_t seq = 0;
    for (; leaf; leaf = leaf->next)
        CHECK(leaf->seq == seq++);
    CHECK((uint64_t)seq == store_log_length(store));
    uid recipient = numbered(9, 1);
    struct row_event *e = NULL;
    CHECK(query_events_after(r, ARGS(val_uid(&recipient), val_int(0), val_int(100000)), mem, &e) == E_OK);
    for (; e; e = e->next) {
        struct row_document *d = NULL;
        view body;
        CHECK(query_document(r, ARGS(val_uid(&e->document)), mem, &d) == E_OK && d);
        CHECK(store_body(store, &d->body_at, mem, &body) == E_OK && view_eq(body, uid_view(&d->id)));
    }
    reader_done(TAKE(r));
    arena_free(mem);
}

static void
run_threads(size_t n, void *(*fn)(void *), size_t n_readers)
{
    pthread_t threads[SAME_THREADS], readers[READERS];
    for (uintptr_t i = 0; i < n; i++)
        CHECK(pthread_create(&threads[i], NULL, fn, (void *)i) == 0);
    for (size_t i = 0; i < n_readers; i++)
        CHECK(pthread_create(&readers[i], NULL, read_thread, NULL) == 0);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&mix_over, true);
    for (size_t i = 0; i < n_readers; i++)
        pthread_join(readers[i], NULL);
}

static void
make_cases(void)
{
    arena *mem = arena_new(1 << 20);
    struct unit u;
    unit_init(&u, mem);
    for (unsigned n = 0; n < MIX_CASES; n++) {
        struct row_case *c = unit_add_case(&u);
        c->id = numbered(2, n);
        c->version = 1;
    }
    CHECK(store_commit(store, &u) == E_OK);
    arena_free(mem);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int
main(void)
{
    digest_start();
    char dir[] = "/tmp/store-stress-XXXXXX";
    CHECK(mkdtemp(dir));
    struct store_options o = {.dir = dir, .readers = 8, .group_window_us = 1000, .fatal = on_fatal};
    CHECK(store_open(&o, &store, NULL) == E_OK);
    make_cases();
    pthread_barrier_init(&barrier, NULL, SAME_THREADS);
    run_threads(SAME_THREADS, same_thread, 0);
    pthread_barrier_destroy(&barrier);
    atomic_store(&mix_over, false);
    run_threads(MIX_THREADS, mix_thread, READERS);
    check_end();
    store_close(store);
    CHECK(store_open(&o, &store, NULL) == E_OK);
    check_end();
    store_close(store);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    printf("%d of %d equal units won; mixed: %d committed, %d stale, %d duplicate\n", atomic_load(&won),
           SAME_ROUNDS * SAME_THREADS, atomic_load(&mixed_ok), atomic_load(&mixed_stale),
           atomic_load(&mixed_duplicate));
    CHECK(atomic_load(&mixed_stale) > 0 && atomic_load(&mixed_duplicate) > 0);
    return 0;
}
