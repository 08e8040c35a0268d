#include "store/segment.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOLDER "segments"
#define NAME_SIZE 32
#define PIECES 1024
/* Only the files of one unfinished group may lie behind the tail; many of them mean that the database is
 * an old copy. */
#define ORPHAN_FILES_MAX 8

enum flush { FLUSH_IDLE, FLUSH_ASKED, FLUSH_DONE, FLUSH_STOP };

struct segments {
    int folder;
    int fd;                   /* -1: no file open */
    struct segment_tail tail; /* with what is planned */
    int64_t reserved;         /* of the file on disk */
    int64_t written;          /* of the file: what is planned begins here */
    size_t n;
    struct iovec pieces[PIECES];
    bool unsynced;
    pthread_t thread; /* that writes and syncs; between begin and end all above is its own */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    enum flush flush;
    bool good;
    bool has_thread;
};

static const char *
segment_name(int32_t day, int32_t number, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%06d-%06d", day, number);
    return out;
}

bool
segment_parse_name(const char *name, struct segment_tail *ret)
{
    view rest = view_of(name);
    int64_t day, number;
    view first = view_cut(&rest, '-', NULL);
    if (text_to_i64(first, &day) != E_OK || text_to_i64(rest, &number) != E_OK)
        return false;
    if (day < 0 || day > INT32_MAX || number < 0 || number > INT32_MAX)
        return false;
    *ret = (struct segment_tail){.day = (int32_t)day, .number = (int32_t)number};
    return true;
}

static bool
tail_is_behind(const struct segment_tail *file, const struct segment_tail *tail)
{
    return file->day != tail->day ? file->day > tail->day : file->number > tail->number;
}

/* Opens the file of the tail, for appending behind its length. */
static bool
segment_start(struct segments *s, bool create)
{
    char name[NAME_SIZE];
    int flags = O_WRONLY | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0);
    s->fd = openat(s->folder, segment_name(s->tail.day, s->tail.number, name), flags, 0600);
    if (s->fd < 0)
        return false;
    s->reserved = s->written = s->tail.length;
    return !create || fsync(s->folder) == 0;
}

static err
segments_sweep_files(struct segments *s, const struct segment_tail *tail, bool fresh, struct fault *f)
{
    struct segment_tail orphans[ORPHAN_FILES_MAX];
    size_t n = 0;
    int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list)
        return fault_set(f, E_STORE, FOLDER, "a readable folder", "it cannot be listed");
    for (struct dirent *entry; (entry = readdir(list));) {
        struct segment_tail file;
        if (!segment_parse_name(entry->d_name, &file) ||
            (!fresh && tail->day && !tail_is_behind(&file, tail)))
            continue;
        if (fresh || n == ORPHAN_FILES_MAX) {
            closedir(list);
            return fault_set(f, E_STORE_CORRUPT, FOLDER, "files that the database knows",
                             fresh ? "files, but no database"
                                   : "many newer files: the database is an older copy");
        }
        orphans[n++] = file;
    }
    closedir(list);
    char name[NAME_SIZE];
    for (size_t i = 0; i < n; i++) {
        if (unlinkat(s->folder, segment_name(orphans[i].day, orphans[i].number, name), 0))
            return fault_set(f, E_STORE, FOLDER, "orphans removed", "a file cannot be removed");
    }
    if (n && fsync(s->folder))
        return fault_set(f, E_STORE, FOLDER, "a synced folder", "fsync failed");
    return E_OK;
}

/* No row names what stands behind the tail: it is cut off, so that new bodies follow the last known one. */
static err
segments_sweep_tail(struct segments *s, struct fault *f)
{
    struct stat st;
    if (!segment_start(s, false) || fstat(s->fd, &st))
        return fault_set(f, E_STORE_CORRUPT, FOLDER, "the file that was written last",
                         "missing or unreadable");
    if (st.st_size < s->tail.length)
        return fault_set(f, E_STORE_CORRUPT, FOLDER, "the file that was written last",
                         "shorter than the database knows");
    if (st.st_size == s->tail.length)
        return E_OK;
    if (ftruncate(s->fd, s->tail.length) || fsync(s->fd))
        return fault_set(f, E_STORE, FOLDER, "orphans cut off", "truncate or fsync failed");
    return E_OK;
}

static err
segments_open_folder(int store_dir, int *ret, struct fault *f)
{
    bool made = mkdirat(store_dir, FOLDER, 0700) == 0;
    if ((!made && errno != EEXIST) || (made && fsync(store_dir)))
        return fault_set(f, E_STORE, FOLDER, "a folder", "it cannot be made");
    int fd = openat(store_dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, E_STORE, FOLDER, "a folder", "it cannot be opened");
    *ret = fd;
    return E_OK;
}

static void
pieces_drop(struct iovec *pieces, size_t *at, size_t done)
{
    while (done) {
        size_t part = done < pieces[*at].iov_len ? done : pieces[*at].iov_len;
        pieces[*at].iov_base = (char *)pieces[*at].iov_base + part;
        pieces[*at].iov_len -= part;
        done -= part;
        if (!pieces[*at].iov_len)
            (*at)++;
    }
}

/* A failed reservation is no failure: the write decides. */
static void
segment_reserve(struct segments *s)
{
    while (s->reserved < s->tail.length) {
        if (fallocate(s->fd, 0, s->reserved, SEGMENT_RESERVE)) {
            s->reserved = s->tail.length;
            return;
        }
        s->reserved += SEGMENT_RESERVE;
    }
}

static bool
segment_write(struct segments *s)
{
    segment_reserve(s);
    size_t at = 0;
    while (at < s->n) {
        ssize_t done = pwritev(s->fd, s->pieces + at, (int)(s->n - at), s->written);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        s->written += done;
        pieces_drop(s->pieces, &at, (size_t)done);
    }
    s->unsynced = s->unsynced || s->n;
    s->n = 0;
    return true;
}

static bool
segment_flush(struct segments *s)
{
    if (!s->n && !s->unsynced)
        return true;
    if (!segment_write(s) || fdatasync(s->fd))
        return false;
    s->unsynced = false;
    return true;
}

static void
segments_flush_move(struct segments *s, enum flush to)
{
    pthread_mutex_lock(&s->lock);
    s->flush = to;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

static void *
segments_main(void *self)
{
    struct segments *s = self;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (s->flush != FLUSH_ASKED && s->flush != FLUSH_STOP)
            pthread_cond_wait(&s->moved, &s->lock);
        bool stop = s->flush == FLUSH_STOP;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return NULL;
        s->good = segment_flush(s);
        segments_flush_move(s, FLUSH_DONE);
    }
}

void
segments_flush_begin(struct segments *s)
{
    if (s->n || s->unsynced)
        segments_flush_move(s, FLUSH_ASKED);
}

bool
segments_flush_end(struct segments *s)
{
    pthread_mutex_lock(&s->lock);
    bool good = s->flush == FLUSH_IDLE;
    if (!good) {
        while (s->flush != FLUSH_DONE)
            pthread_cond_wait(&s->moved, &s->lock);
        s->flush = FLUSH_IDLE;
        good = s->good;
    }
    pthread_mutex_unlock(&s->lock);
    return good;
}

err
segments_open(int store_dir, bool fresh, const struct segment_tail *tail, struct segments **ret,
              struct fault *f)
{
    int folder = -1;
    TRY(segments_open_folder(store_dir, &folder, f));
    struct segments *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->folder = folder;
    s->fd = -1;
    s->tail = *tail;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    err e = segments_sweep_files(s, tail, fresh, f);
    if (e == E_OK && tail->day)
        e = segments_sweep_tail(s, f);
    if (e != E_OK) {
        segments_close(s, false);
        return e;
    }
    if (pthread_create(&s->thread, NULL, segments_main, s))
        abort();
    pthread_setname_np(s->thread, "store-bodies");
    s->has_thread = true;
    *ret = s;
    return E_OK;
}

void
segments_close(struct segments *s, bool clean)
{
    if (!s)
        return;
    if (s->has_thread) {
        segments_flush_move(s, FLUSH_STOP);
        pthread_join(s->thread, NULL);
    }
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    /* Only space that was reserved goes; if it fails, the sweep at start does it. */
    if (s->fd >= 0 && clean && s->reserved > s->tail.length && ftruncate(s->fd, s->tail.length) == 0)
        s->reserved = s->tail.length;
    if (s->fd >= 0)
        close(s->fd);
    close(s->folder);
    free(s);
}

struct segment_tail
segments_tail(const struct segments *s)
{
    return s->tail;
}

static bool
segment_begin_next(struct segments *s, int32_t day)
{
    if (s->fd >= 0) {
        if (!segment_flush(s))
            return false;
        if (s->reserved > s->tail.length && ftruncate(s->fd, s->tail.length))
            return false;
        close(s->fd);
        s->fd = -1;
    }
    bool same_day = s->tail.day == day;
    s->tail = (struct segment_tail){.day = day, .number = same_day ? s->tail.number + 1 : 0};
    return segment_start(s, true);
}

/* Days of files only grow, whatever the clock does; day 0 means that there is no file. */
static int32_t
segment_day(const struct segments *s)
{
    int32_t today = (int32_t)(clock_now().us / INT64_C(86400000000));
    int32_t least = s->tail.day ? s->tail.day : 1;
    return today > least ? today : least;
}

bool
segments_plan(struct segments *s, const struct unit_body *bodies)
{
    int64_t total = 0;
    for (const struct unit_body *b = bodies; b; b = b->next)
        total += b->at->length;
    if (!total)
        return true;
    int32_t day = segment_day(s);
    bool full = s->tail.length && s->tail.length + total > SEGMENT_BYTES;
    if ((s->fd < 0 || day != s->tail.day || full) && !segment_begin_next(s, day))
        return false;
    for (const struct unit_body *b = bodies; b; b = b->next) {
        if (!b->at->length)
            continue;
        if (s->n == PIECES && !segment_write(s))
            return false;
        b->at->day = s->tail.day;
        b->at->number = s->tail.number;
        b->at->offset = s->tail.length;
        s->pieces[s->n++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)b->sealed.p, .iov_len = b->sealed.n};
        s->tail.length += b->at->length;
    }
    return true;
}

/* In another file than the one that is open nothing can be taken back; what was planned in the open one is
 * then nobody's. */
void
segments_rewind(struct segments *s, struct segment_tail to)
{
    bool same = to.day == s->tail.day && to.number == s->tail.number;
    s->tail.length = same ? to.length : 0;
    s->n = 0;
    if (s->written > s->tail.length)
        s->written = s->tail.length;
}

static void
segment_write_zeros(int fd, int64_t from, int64_t n)
{
    static const char zeros[8192];
    for (int64_t at = 0; at < n;) {
        int64_t rest = n - at, want = rest < (int64_t)sizeof zeros ? rest : (int64_t)sizeof zeros;
        ssize_t done = pwrite(fd, zeros, (size_t)want, from + at);
        if (done <= 0)
            return;
        at += done;
    }
}

/* Where the file system has no holes the bytes become zeros all the same: what no row names says nothing (audit.h).  A failure here loses
 * nothing that anybody was promised. */
void
segments_punch(struct segments *s, const struct address *at)
{
    bool here =
        at->day == s->tail.day && at->number == s->tail.number && at->offset + at->length <= s->tail.length;
    if (here && at->length &&
        fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at->offset, at->length))
        segment_write_zeros(s->fd, at->offset, at->length);
}

static err
segment_read_at(int fd, const struct address *at, arena *mem, view *ret)
{
    char *bytes = arena_alloc(mem, (size_t)at->length);
    if (!bytes)
        return E_TOO_LARGE;
    size_t have = 0;
    while (have < (size_t)at->length) {
        ssize_t n = pread(fd, bytes + have, (size_t)at->length - have, at->offset + (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return E_STORE;
        if (n == 0)
            return E_STORE_CORRUPT;
        have += (size_t)n;
    }
    view found = view_make(bytes, have);
    digest check = sha256(found);
    if (!digest_eq(&check, &at->check))
        return E_STORE_CORRUPT;
    *ret = found;
    return E_OK;
}

err
segment_read(int store_dir, const struct address *at, arena *mem, view *ret)
{
    if (at->length == 0) {
        *ret = VIEW_NONE;
        return E_OK;
    }
    if (at->length < 0 || at->offset < 0 || at->offset > INT64_MAX - at->length)
        return E_STORE_CORRUPT;
    char name[NAME_SIZE], path[NAME_SIZE + sizeof FOLDER];
    snprintf(path, sizeof path, FOLDER "/%s", segment_name(at->day, at->number, name));
    int fd = openat(store_dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? E_STORE_CORRUPT : E_STORE;
    err e = segment_read_at(fd, at, mem, ret);
    close(fd);
    return e;
}
