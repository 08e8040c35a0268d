#include "store/vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The unix layer cuts a write to its low 17 bits. */
#define COLLECT_BYTES (120 << 10)

/* The real file stands behind it in the same allocation. */
struct wal_file {
    sqlite3_file base;
    char *bytes; /* COLLECT_BYTES, from the first write on */
    sqlite3_int64 at;
    size_t n;
};

static sqlite3_vfs *
real_vfs(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static sqlite3_file *
real_file(sqlite3_file *file)
{
    return (sqlite3_file *)((char *)file + sizeof(struct wal_file));
}

static int
wal_flush(struct wal_file *w)
{
    if (!w->n)
        return SQLITE_OK;
    sqlite3_file *real = real_file(&w->base);
    int n = (int)w->n;
    w->n = 0;
    return real->pMethods->xWrite(real, w->bytes, n, w->at);
}

static int
wal_close(sqlite3_file *file)
{
    struct wal_file *w = (struct wal_file *)file;
    sqlite3_file *real = real_file(file);
    int rc = wal_flush(w);
    free(w->bytes);
    int closed = real->pMethods->xClose(real);
    return rc != SQLITE_OK ? rc : closed;
}

static int
wal_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    int rc = wal_flush((struct wal_file *)file);
    sqlite3_file *real = real_file(file);
    return rc != SQLITE_OK ? rc : real->pMethods->xRead(real, out, n, at);
}

static int
wal_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *w = (struct wal_file *)file;
    sqlite3_file *real = real_file(file);
    if (!w->bytes && !(w->bytes = malloc(COLLECT_BYTES)))
        return SQLITE_NOMEM;
    bool follows = w->n && at == w->at + (sqlite3_int64)w->n;
    if (!follows || w->n + (size_t)n > COLLECT_BYTES) {
        int rc = wal_flush(w);
        if (rc != SQLITE_OK)
            return rc;
        w->at = at;
    }
    if ((size_t)n > COLLECT_BYTES)
        return real->pMethods->xWrite(real, bytes, n, at);
    memcpy(w->bytes + w->n, bytes, (size_t)n);
    w->n += (size_t)n;
    return SQLITE_OK;
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = wal_flush((struct wal_file *)file);
    sqlite3_file *real = real_file(file);
    return rc != SQLITE_OK ? rc : real->pMethods->xTruncate(real, size);
}

static int
wal_sync(sqlite3_file *file, int flags)
{
    int rc = wal_flush((struct wal_file *)file);
    sqlite3_file *real = real_file(file);
    return rc != SQLITE_OK ? rc : real->pMethods->xSync(real, flags);
}

static int
wal_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    int rc = wal_flush((struct wal_file *)file);
    sqlite3_file *real = real_file(file);
    return rc != SQLITE_OK ? rc : real->pMethods->xFileSize(real, ret);
}

static int
wal_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xLock(real, level);
}

static int
wal_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xUnlock(real, level);
}

static int
wal_check_lock(sqlite3_file *file, int *ret)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xCheckReservedLock(real, ret);
}

static int
wal_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xFileControl(real, op, arg);
}

static int
wal_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xSectorSize(real);
}

static int
wal_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);
    return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_check_lock,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_characteristics,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    sqlite3_vfs *real = real_vfs(vfs);
    if (!(flags & SQLITE_OPEN_WAL))
        return real->xOpen(real, name, file, flags, ret_flags);
    struct wal_file *w = (struct wal_file *)file;
    *w = (struct wal_file){.base = {NULL}};
    int rc = real->xOpen(real, name, real_file(file), flags, ret_flags);
    if (rc == SQLITE_OK)
        w->base.pMethods = &wal_methods;
    return rc;
}

/* The rest is the system's; each gets its own struct, not ours. */
static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_folder);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, ret);
}

static int
vfs_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, n, out);
}

static int
vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
    return real_vfs(vfs)->xRandomness(real_vfs(vfs), n, out);
}

static int
vfs_sleep(sqlite3_vfs *vfs, int us)
{
    return real_vfs(vfs)->xSleep(real_vfs(vfs), us);
}

static int
vfs_time(sqlite3_vfs *vfs, double *ret)
{
    return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), ret);
}

static int
vfs_time_64(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    return real_vfs(vfs)->xCurrentTimeInt64(real_vfs(vfs), ret);
}

static int
vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    return real_vfs(vfs)->xGetLastError(real_vfs(vfs), n, out);
}

void
vfs_start(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .zName = VFS_NAME,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_random,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_64,
    };
    sqlite3_vfs *real = sqlite3_vfs_find("unix");
    if (!real || real->iVersion < 2)
        abort();
    vfs.mxPathname = real->mxPathname;
    vfs.szOsFile = real->szOsFile + (int)sizeof(struct wal_file);
    vfs.pAppData = real;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        abort();
}
