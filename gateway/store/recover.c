#include "store/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define CLEAN_FILE "clean"
#define WAL_FILE STORE_DATABASE "-wal"
#define WAL_COPY "wal.bak"

err
recover_open_folder(const char *dir, bool make, int *ret, struct fault *f)
{
    if (make && mkdir(dir, 0700) && errno != EEXIST)
        return fault_set(f, E_STORE, "store.dir", "a folder that can be made", "it cannot");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, E_STORE, "store.dir", "a folder that can be opened", "it cannot");
    *ret = fd;
    return E_OK;
}

err
recover_lock(int store_dir, int *ret, struct fault *f)
{
    int fd = openat(store_dir, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, E_STORE, "store.dir", "a lock file that can be opened", "it cannot");
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return fault_set(f, E_STORE, "store.dir", "a store that nobody else has open", "it is in use");
    }
    *ret = fd;
    return E_OK;
}

static bool
copy_bytes(int from, int to, off_t n)
{
    while (n > 0) {
        size_t step = n < (1 << 30) ? (size_t)n : (size_t)1 << 30;
        ssize_t done = sendfile(to, from, NULL, step);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        n -= done;
    }
    return true;
}

/* The rename is the moment: before it the old file counts, after it a file of which every byte was
 * synced.  The copy does not stay: it would outlive the destruction of keys that stand in it. */
static err
recover_wal(int store_dir, struct fault *f)
{
    int from = openat(store_dir, WAL_FILE, O_RDONLY | O_CLOEXEC);
    if (from < 0 && errno == ENOENT)
        return E_OK;
    struct stat st;
    int to = openat(store_dir, WAL_COPY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good =
        from >= 0 && to >= 0 && fstat(from, &st) == 0 && copy_bytes(from, to, st.st_size) && fsync(to) == 0;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    if (good)
        good = renameat(store_dir, WAL_COPY, store_dir, WAL_FILE) == 0 && fsync(store_dir) == 0;
    return good ? E_OK : fault_set(f, E_STORE, "store.dir", "a synced copy of the WAL", "it cannot be made");
}

err
recover_begin(int store_dir, bool *ret_was_clean, struct fault *f)
{
    bool clean = unlinkat(store_dir, CLEAN_FILE, 0) == 0;
    if (!clean && errno != ENOENT)
        return fault_set(f, E_STORE, "store.dir", "a folder that can be written", "it cannot");
    if (clean && fsync(store_dir))
        return fault_set(f, E_STORE, "store.dir", "a synced folder", "fsync failed");
    if (!clean)
        TRY(recover_wal(store_dir, f));
    /* Left by an end in the middle of a copy. */
    if (unlinkat(store_dir, WAL_COPY, 0) && errno != ENOENT)
        return fault_set(f, E_STORE, "store.dir", "a folder that can be written", "it cannot");
    /* SQLite gives its other files the mode of this one. */
    int fd = openat(store_dir, STORE_DATABASE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, E_STORE, "store.dir", "a database that can be opened", "it cannot");
    close(fd);
    *ret_was_clean = clean;
    return E_OK;
}

err
recover_mark_clean(int store_dir)
{
    int fd = openat(store_dir, CLEAN_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return E_STORE;
    bool good = fsync(fd) == 0;
    close(fd);
    return good && fsync(store_dir) == 0 ? E_OK : E_STORE;
}
