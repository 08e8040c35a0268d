/* One sandbox hierarchy per test program: made before the first test, removed after the last.  Criterion
 * starts each test as a process of its own, so the folder's name travels in the environment.  Include it
 * once, in the program's only file. */
#ifndef TESTS_UNIT_SIGNING_SANDBOX_H
#define TESTS_UNIT_SIGNING_SANDBOX_H

#include "base/digest.h"
#include "base/json.h"
#include "signing/sandbox/pki_sandbox.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SANDBOX_ENVIRONMENT "CLAIMGATE_TEST_SANDBOX"

static inline void
folder_remove(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static inline const char *
sandbox_dir(void)
{
    const char *dir = getenv(SANDBOX_ENVIRONMENT);
    cr_assert(dir, "the sandbox was not made");
    return dir;
}

static inline arena *
test_arena(void)
{
    digest_start();
    json_start();
    return arena_new(16 << 20);
}

/* Path of a file of the sandbox; eight may be in use at once. */
static inline const char *
in_sandbox(const char *name)
{
    static char path[8][1024];
    static unsigned next;
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", sandbox_dir(), name);
    return p;
}

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
    (void)set;
    char dir[] = "/tmp/claimgate-sandbox-XXXXXX";
    struct fault f;
    fault_init(&f);
    digest_start();
    if (!mkdtemp(dir) || pki_sandbox_make(dir, &f) != E_OK) {
        fprintf(stderr, "no sandbox: %s %s\n", f.where, f.found);
        exit(1);
    }
    setenv(SANDBOX_ENVIRONMENT, dir, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    folder_remove(getenv(SANDBOX_ENVIRONMENT));
}

/* Whole file; from malloc, with a NUL behind. */
static inline view
read_whole(const char *path)
{
    FILE *in = fopen(path, "rb");
    cr_assert(in, "%s cannot be opened", path);
    fseek(in, 0, SEEK_END);
    long n = ftell(in);
    rewind(in);
    char *p = malloc((size_t)n + 1);
    cr_assert(p && fread(p, 1, (size_t)n, in) == (size_t)n);
    p[n] = '\0';
    fclose(in);
    return view_make(p, (size_t)n);
}

/* DER of a certificate file of the sandbox. */
static inline view
certificate_der(const char *name, arena *mem)
{
    char file[64];
    snprintf(file, sizeof file, "%s.crt", name);
    view pem = read_whole(in_sandbox(file));
    struct signer s;
    view der;
    struct fault f;
    fault_init(&f);
    cr_assert(certificate_read(pem, mem, &s, &der, &f) == E_OK, "%s: %s %s", name, f.where, f.found);
    view copy = arena_dup(mem, der);
    free((void *)pem.p);
    return copy;
}

static inline struct trust *
sandbox_trust(void)
{
    digest_start();
    json_start();
    struct trust *t = NULL;
    struct fault f;
    fault_init(&f);
    cr_assert(trust_load(in_sandbox("trust.json"), true, &t, &f) == E_OK, "%s: %s, not %s", f.where, f.found,
              f.expected);
    return t;
}

static inline void
write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    cr_assert(out && fputs(text, out) >= 0, "%s", path);
    fclose(out);
}

#endif
