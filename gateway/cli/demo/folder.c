#include "cli/demo/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define OPEN_FOLDERS 16

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void
folder_remove(const char *path)
{
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* nftw hands over no pointer of ours; one copy at a time, in the conductor's only thread. */
static const char *copy_from, *copy_to;

static int
copy_bytes(int in, int out, off_t left)
{
    while (left > 0) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0)
            return -1;
        left -= n;
    }
    return 0;
}

static int
copy_file(const char *from, const char *to, const struct stat *st)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);
    int result = in >= 0 && out >= 0 ? copy_bytes(in, out, st->st_size) : -1;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return result;
}

static int
copy_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    char to[PATH_SIZE];
    (void)at;
    if (snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from)) >= (int)sizeof to)
        return -1;
    if (kind == FTW_D)
        return mkdir(to, st->st_mode & 0777);
    return kind == FTW_F && S_ISREG(st->st_mode) ? copy_file(path, to, st) : 0;
}

err
folder_copy(const char *from, const char *to, struct fault *f)
{
    copy_from = from;
    copy_to = to;
    if (nftw(from, copy_one, OPEN_FOLDERS, FTW_PHYS) != 0)
        return fault_set(f, E_FILE, to, "a copy of the folder", "a failure");
    return E_OK;
}
