/* The k-th write or sync fails, for every k: nothing is acknowledged after it, the fatal handler is called
 * once, and the next start finds everything that was acknowledged and nothing by half.  The calls of
 * SQLite and of the segment files are the real ones, but for the one that fails. */
#include "help.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/uio.h>

#define UNITS 12

enum site { SITE_SYNC, SITE_WRITE, SITE_COUNT };

static atomic_long calls[SITE_COUNT];
static atomic_long fail_at[SITE_COUNT]; /* 0: never */
static atomic_int fail_with = EIO;
static atomic_bool fail_once;

static bool
is_to_fail(enum site site)
{
    long n = atomic_fetch_add(&calls[site], 1) + 1;
    long at = atomic_load(&fail_at[site]);
    if (!at || n < at || (n > at && atomic_load(&fail_once)))
        return false;
    errno = atomic_load(&fail_with);
    return true;
}

/* C has no cast from an object's to a function's address. */
static void
find_real(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(ret_function, &found, sizeof found);
}

/* After the first failure all fail (a disk that is gone), or only that one does (a disk that lies
 * afterwards). */
int
fdatasync(int fd)
{
    int (*real)(int);
    find_real("fdatasync", &real);
    return is_to_fail(SITE_SYNC) ? -1 : real(fd);
}

int
fsync(int fd)
{
    int (*real)(int);
    find_real("fsync", &real);
    return is_to_fail(SITE_SYNC) ? -1 : real(fd);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    find_real("pwrite64", &real);
    return is_to_fail(SITE_WRITE) ? -1 : real(fd, p, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    ssize_t (*real)(int, const struct iovec *, int, off_t);
    find_real("pwritev", &real);
    return is_to_fail(SITE_WRITE) ? -1 : real(fd, v, n, at);
}

static struct help h;

static err
commit_unit(unsigned n)
{
    struct unit u;
    unit_init(&u, h.mem);
    struct row_document *d = unit_add_document(&u);
    d->id = help_uid(n);
    unit_body(&u, arena_printf(h.mem, "body %u", n), &d->body_at);
    struct row_case *c = unit_add_case(&u);
    c->id = help_uid(n);
    unit_add_leaf(&u)->hash = help_digest(n);
    return store_commit(h.store, &u);
}

static void
check_after_restart(unsigned acknowledged)
{
    cr_assert_eq(help_open(&h), E_OK, "%s: %s", h.fault.where, h.fault.found);
    unsigned seen = 0;
    for (unsigned n = 1; n <= UNITS; n++) {
        uid id = help_uid(n);
        struct row_document *d = help_query(&h, QUERY_document, ARGS(val_uid(&id)));
        struct row_case *c = help_query(&h, QUERY_case_row, ARGS(val_uid(&id)));
        cr_assert_eq(d != NULL, c != NULL, "unit %u is half there", n);
        cr_assert(d || n > acknowledged, "unit %u was acknowledged and is gone", n);
        if (!d)
            continue;
        seen++;
        view body;
        cr_assert_eq(store_body(h.store, &d->body_at, h.mem, &body), E_OK);
        cr_expect(view_eq(body, arena_printf(h.mem, "body %u", n)));
    }
    cr_expect_leq(seen, acknowledged + 1);
    cr_expect_eq(store_log_length(h.store), seen);
    cr_expect_eq(commit_unit(UNITS + 1), E_OK);
}

/* False when the k-th call was never reached. */
static bool
try_failure(enum site site, long k, int with)
{
    cr_assert(help_begin(&h), "%s", h.fault.found);
    atomic_store(&fail_with, with);
    atomic_store(&calls[site], 0);
    atomic_store(&fail_at[site], k);
    unsigned acknowledged = 0;
    bool failed = false;
    for (unsigned n = 1; n <= UNITS; n++) {
        err e = commit_unit(n);
        cr_assert(e == E_OK || e == E_STORE, "unit %u: %s", n, err_info(e)->name);
        cr_assert(e == E_STORE || !failed, "unit %u was acknowledged after a failure", n);
        failed = e == E_STORE;
        acknowledged += e == E_OK;
    }
    cr_expect_eq(store_is_ready(h.store), !failed);
    help_close(&h);
    cr_expect_eq(h.fatal, failed ? 1 : 0);
    atomic_store(&fail_at[site], 0);
    /* failures in store_close are no affair of a unit's */
    if (failed)
        cr_expect_neq(access(arena_cstr(h.mem, arena_printf(h.mem, "%s/clean", h.dir)), F_OK), 0);
    check_after_restart(acknowledged);
    h.fatal = 0;
    help_end(&h);
    return failed;
}

static void
sweep(enum site site, int with)
{
    long k = 1;
    while (try_failure(site, k, with))
        k++;
    /* every unit has at least one call of its own for its body and one for its rows */
    cr_expect_gt(k, 2 * UNITS);
}

Test(faults, every_sync)
{
    sweep(SITE_SYNC, EIO);
}

Test(faults, every_write)
{
    sweep(SITE_WRITE, EIO);
}

Test(faults, every_sync_once)
{
    atomic_store(&fail_once, true);
    sweep(SITE_SYNC, EIO);
}

Test(faults, every_write_once)
{
    atomic_store(&fail_once, true);
    sweep(SITE_WRITE, EIO);
}

Test(faults, every_write_with_a_full_disk)
{
    sweep(SITE_WRITE, ENOSPC);
}
