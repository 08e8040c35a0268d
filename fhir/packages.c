#include "fhir/pack.h"
#include "fhir/package.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Several packages together: which of them one builds on, and all of them loaded at once. */

#define PACK_BYTES_MAX (512u << 20)
#define PACKAGES_MAX 256u

/* ---- dependencies ---- */

static size_t
find_package(const struct package_facts *facts, size_t n, const struct package_name *wanted)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++) {
        if (!view_eq_nocase(facts[i].name, wanted->name))
            continue;
        if (view_eq(facts[i].version, wanted->version))
            return i;
        if (best == n || pack_is_newer(facts[i].version, facts[best].version))
            best = i;
    }
    return best;
}

static void
mark_dependencies(const struct package_facts *facts, size_t n, size_t one, bool *marked, bool *ret_more)
{
    for (uint32_t i = 0; i < facts[one].n_dependencies; i++) {
        size_t found = find_package(facts, n, &facts[one].dependencies[i]);
        if (found == n || marked[found])
            continue;
        marked[found] = *ret_more = true;
    }
}

size_t
package_beside(const char *const *files, const struct package_facts *facts, size_t n, size_t one,
               const char **out)
{
    bool marked[PACKAGES_MAX] = {false}, more = true;
    size_t count = 0;
    n = n < PACKAGES_MAX ? n : PACKAGES_MAX;
    mark_dependencies(facts, n, one, marked, &more);
    while (more) {
        more = false;
        for (size_t i = 0; i < n; i++)
            if (marked[i])
                mark_dependencies(facts, n, i, marked, &more);
    }
    for (size_t i = 0; i < n; i++)
        if (i != one && (marked[i] || facts[one].n_dependencies == 0))
            out[count++] = files[i];
    return count;
}

/* ---- loading ---- */

struct opening {
    const char *const *files;
    size_t n;
    struct package_facts facts[PACKAGES_MAX];
    const char *paths[PACKAGES_MAX];
    int fds[PACKAGES_MAX];
    arena *mem;
};

/* A pack made now lives in anonymous memory with a name, so that it is opened like any other. */
static err
keep(struct opening *o, size_t i, const struct buf *pack, struct fault *f)
{
    size_t at = 0;
    o->fds[i] = memfd_create("pack", MFD_CLOEXEC);
    while (o->fds[i] >= 0 && at < pack->n) {
        ssize_t n = write(o->fds[i], pack->p + at, pack->n - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    view path = arena_printf(o->mem, "/proc/self/fd/%d", o->fds[i]);
    if (o->fds[i] < 0 || at < pack->n || !path.p)
        return fault_setf(f, E_CONFIG, "memory for a pack", "none", "%s", o->files[i]);
    o->paths[i] = path.p;
    return E_OK;
}

static err
compile_one(struct opening *o, size_t i, struct fault *f)
{
    const char *beside[PACKAGES_MAX];
    struct package_facts facts;
    struct buf pack;
    const struct package_request rq = {.file = o->files[i],
                                       .beside = beside,
                                       .n_beside = package_beside(o->files, o->facts, o->n, i, beside)};
    buf_init(&pack, PACK_BYTES_MAX);
    err e = package_compile(&rq, o->mem, &pack, &facts, f);
    if (e == E_OK)
        e = keep(o, i, &pack, f);
    buf_done(&pack);
    return e;
}

static bool
is_package(const char *path)
{
    return view_ends(view_of(path), V(".tgz"));
}

static err
open_packages(struct opening *o, const struct profile_sources *more, struct profile_set **ret,
              struct fault *f)
{
    for (size_t i = 0; i < o->n; i++) {
        o->paths[i] = o->files[i];
        if (is_package(o->files[i]))
            TRY(package_look(o->files[i], o->mem, &o->facts[i], f));
    }
    for (size_t i = 0; i < o->n; i++)
        if (is_package(o->files[i]))
            TRY(compile_one(o, i, f));
    struct profile_sources from = *more;
    from.packs = o->paths;
    from.n_packs = o->n;
    return profiles_open(&from, ret, f);
}

err
packages_open(const char *const *files, size_t n, const struct profile_sources *more,
              struct profile_set **ret, struct fault *f)
{
    if (n > PACKAGES_MAX)
        return fault_set(f, E_CONFIG, "packs", "at most 256", "more");
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    struct opening *o = arena_make(mem, struct opening);
    if (!o)
        return fault_set(f, E_CONFIG, "packs", "less than the memory", "");
    *o = (struct opening){.files = files, .n = n, .mem = mem};
    memset(o->fds, -1, sizeof o->fds);
    err e = open_packages(o, more, ret, f);
    for (size_t i = 0; i < n; i++)
        if (o->fds[i] >= 0)
            close(o->fds[i]); /* what is mapped stays */
    return e;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

err
packs_open_folder(const char *dir, const struct profile_sources *more, struct profile_set **ret,
                  struct fault *f)
{
    const char *files[PACKAGES_MAX];
    size_t n = 0;
    AUTO(arena_free) arena *mem = arena_new(4u << 20);
    DIR *d = dir[0] ? opendir(dir) : NULL;
    if (dir[0] && !d)
        return fault_setf(f, E_CONFIG, "a folder of packs", "none", "%s", dir);
    for (struct dirent *one; d && n < PACKAGES_MAX && (one = readdir(d));) {
        view path = arena_printf(mem, "%s/%s", dir, one->d_name);
        if (view_ends(path, V(".pack")))
            files[n++] = path.p;
    }
    if (d)
        closedir(d);
    if (n > 0)
        qsort(files, n, sizeof *files, by_name);
    struct profile_sources from = *more;
    from.packs = files;
    from.n_packs = n;
    return profiles_open(&from, ret, f);
}
