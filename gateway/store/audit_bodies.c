#include "store/audit_bodies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "segments"
#define ROW_TEXT 56
#define READ_BYTES (1 << 20)

struct extent {
    struct address at;
    const char *table, *column;
    char row[ROW_TEXT];
};

struct bodies {
    struct extent *list;
    size_t n, room;
};

struct bodies *
bodies_new(void)
{
    struct bodies *b = calloc(1, sizeof *b);
    if (!b)
        abort();
    return b;
}

void
bodies_free(struct bodies *b)
{
    if (!b)
        return;
    free(b->list);
    free(b);
}

void
bodies_add(struct bodies *b, const char *table, const char *column, const char *row, const struct address *at)
{
    if (b->n == b->room) {
        b->room = b->room ? b->room * 2 : 256;
        b->list = reallocarray(b->list, b->room, sizeof *b->list);
        if (!b->list)
            abort();
    }
    struct extent *e = &b->list[b->n++];
    *e = (struct extent){.at = *at, .table = table, .column = column};
    snprintf(e->row, sizeof e->row, "%s", row);
}

static int
extent_compare(const void *left, const void *right)
{
    const struct address *a = &((const struct extent *)left)->at, *b = &((const struct extent *)right)->at;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

struct checking {
    void (*finding)(void *self, const struct audit_finding *found);
    void *self;
    struct audit_counts *counts;
    int fd;
    char file[40];
    struct sha256 *hash;
    char *buffer;
};

static void
report(struct checking *c, enum audit_what what, const struct extent *e, int64_t offset, int64_t length)
{
    struct audit_finding f = {.what = what,
                              .table = e ? e->table : "",
                              .column = e ? e->column : "",
                              .class_of = "",
                              .bit = -1,
                              .offset = offset,
                              .length = length};
    snprintf(f.row, sizeof f.row, "%s", e ? e->row : "");
    snprintf(f.file, sizeof f.file, FOLDER "/%s", c->file);
    c->finding(c->self, &f);
}

/* Reads n bytes from offset, hands them on in pieces; false when the file is shorter. */
static bool
read_range(struct checking *c, int64_t offset, int64_t n, void (*each)(struct checking *c, view piece))
{
    while (n > 0) {
        ssize_t got = pread(c->fd, c->buffer, n < READ_BYTES ? (size_t)n : READ_BYTES, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        each(c, view_make(c->buffer, (size_t)got));
        offset += got;
        n -= got;
    }
    return true;
}

static void
hash_piece(struct checking *c, view piece)
{
    sha256_add(c->hash, piece);
}

static void
check_extent(struct checking *c, const struct extent *e)
{
    bool sane = e->at.length > 0 && e->at.offset >= 0 && e->at.offset <= INT64_MAX - e->at.length;
    bool whole = c->fd >= 0 && sane && read_range(c, e->at.offset, e->at.length, hash_piece);
    digest found = sha256_end(c->hash);
    if (!whole || !digest_eq(&found, &e->at.check))
        report(c, AUDIT_BODY, e, e->at.offset, e->at.length);
    c->counts->bodies++;
    c->counts->body_bytes += whole ? (uint64_t)e->at.length : 0;
}

/* Zeros are holes and what was reserved. */
static void
check_gap(struct checking *c, int64_t from, int64_t to)
{
    for (int64_t at = from; at < to;) {
        int64_t want = to - at < READ_BYTES ? to - at : READ_BYTES;
        ssize_t got = pread(c->fd, c->buffer, (size_t)want, at);
        if (got <= 0)
            return;
        for (ssize_t i = 0; i < got; i++) {
            if (c->buffer[i]) {
                report(c, AUDIT_ORPHAN, NULL, at + i, to - at - i);
                return;
            }
        }
        at += got;
    }
}

/* All extents of one file, in order; gaps between them and up to the end must be empty. */
static void
check_file(struct checking *c, const struct extent *list, size_t n, int64_t end)
{
    int64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->fd >= 0 && list[i].at.offset > at)
            check_gap(c, at, list[i].at.offset);
        check_extent(c, &list[i]);
        int64_t after = list[i].at.offset + list[i].at.length;
        at = after > at ? after : at;
    }
    if (c->fd >= 0)
        check_gap(c, at, end);
}

static int64_t
file_end(int fd, const struct segment_tail *file, const struct segment_tail *tail)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return 0;
    bool last = file->day == tail->day && file->number == tail->number;
    return last && tail->length < st.st_size ? tail->length : (int64_t)st.st_size;
}

static void
check_files_of_rows(struct checking *c, struct bodies *b, int store_dir, const struct segment_tail *tail)
{
    for (size_t i = 0, n; i < b->n; i += n) {
        const struct address *at = &b->list[i].at;
        char path[80];
        for (n = 1;
             i + n < b->n && b->list[i + n].at.day == at->day && b->list[i + n].at.number == at->number;)
            n++;
        snprintf(c->file, sizeof c->file, "%06d-%06d", at->day, at->number);
        snprintf(path, sizeof path, FOLDER "/%s", c->file);
        c->fd = openat(store_dir, path, O_RDONLY | O_CLOEXEC);
        const struct segment_tail file = {at->day, at->number, 0};
        check_file(c, b->list + i, n, file_end(c->fd, &file, tail));
        if (c->fd >= 0)
            close(c->fd);
    }
}

static bool
is_named(const struct bodies *b, const struct segment_tail *file)
{
    const struct extent key = {.at = {.day = file->day, .number = file->number}};
    size_t low = 0, high = b->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (extent_compare(&b->list[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->n && b->list[low].at.day == file->day && b->list[low].at.number == file->number;
}

/* Files of which no row names a byte: all their bytes before the tail must be empty. */
static void
check_other_files(struct checking *c, const struct bodies *b, int store_dir, const struct segment_tail *tail)
{
    int fd = openat(store_dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct segment_tail file = {0};
        if (!segment_parse_name(entry->d_name, &file) || is_named(b, &file))
            continue;
        snprintf(c->file, sizeof c->file, "%.*s", (int)sizeof c->file - 1, entry->d_name);
        c->fd = openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC);
        if (c->fd < 0)
            continue;
        check_gap(c, 0, file_end(c->fd, &file, tail));
        close(c->fd);
    }
    closedir(folder);
}

/* The tail is where the last body ends; a clean end cuts the file there. */
static void
check_tail(struct checking *c, const struct bodies *b, int store_dir, const struct segment_tail *tail)
{
    struct stat st;
    char path[80];
    int64_t last = 0;
    if (!tail->day)
        return;
    for (size_t i = b->n; i > 0; i--) {
        const struct address *at = &b->list[i - 1].at;
        if (at->day == tail->day && at->number == tail->number && at->offset + at->length > last)
            last = at->offset + at->length;
    }
    snprintf(c->file, sizeof c->file, "%06d-%06d", tail->day, tail->number);
    snprintf(path, sizeof path, FOLDER "/%s", c->file);
    if (fstatat(store_dir, path, &st, 0) || last > tail->length || tail->length > st.st_size)
        report(c, AUDIT_TAIL, NULL, tail->length, 0);
}

void
bodies_check(struct bodies *b, int store_dir, const struct segment_tail *tail,
             void (*finding)(void *self, const struct audit_finding *found), void *self,
             struct audit_counts *counts)
{
    struct checking c = {.finding = finding, .self = self, .counts = counts, .fd = -1, .hash = sha256_new()};
    c.buffer = malloc(READ_BYTES);
    if (!c.buffer)
        abort();
    if (b->n)
        qsort(b->list, b->n, sizeof *b->list, extent_compare);
    check_tail(&c, b, store_dir, tail);
    check_files_of_rows(&c, b, store_dir, tail);
    check_other_files(&c, b, store_dir, tail);
    free(c.buffer);
    sha256_free(c.hash);
}
