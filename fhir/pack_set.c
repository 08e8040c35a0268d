#include "fhir/pack_set.h"

#include "fhir/fhirpath.h"
#include "fhir/profile.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* All trees and drafts of our own profiles while they are compiled. */
#define COMPILE_BYTES_MAX (256ull << 20)
#define SET_BYTES_MAX (64ull << 20)
#define PACK_BYTES_MAX (512ull << 20)

/* ---- looking up ---- */

static bool
holds_day(const struct pack *p, uint32_t today)
{
    return today == 0 || ((p->head->valid_from == 0 || p->head->valid_from <= today) &&
                          (p->head->valid_until == 0 || today <= p->head->valid_until));
}

static struct pack_item
better(struct pack_item best, const struct pack *p, enum pack_kind kind, uint32_t hash, view url,
       view version)
{
    uint32_t n = pack_find(p, kind, hash, url, version);
    if (n == PACK_NONE)
        return best;
    if (!best.pack)
        return (struct pack_item){p, n};
    /* The same version in two packages: the later package has it right. */
    view found = pack_version_of(p, kind, n), other = pack_version_of(best.pack, kind, best.n);
    bool newer = view_eq(found, other) ? pack_is_newer(pack_view(p, p->head->version),
                                                       pack_view(best.pack, best.pack->head->version))
                                       : pack_is_newer(found, other);
    return newer ? (struct pack_item){p, n} : best;
}

static struct pack_item
find_around(const struct profile_set *s, const struct pack *p, enum pack_kind kind, uint32_t hash, view url,
            view version)
{
    struct pack_item best = better((struct pack_item){NULL, 0}, p, kind, hash, url, version);
    const uint8_t *row = s->builds_on + (size_t)(p - s->packs) * s->n_packs;
    for (uint32_t i = 0; !best.pack && i < s->n_packs; i++)
        if (row[i])
            best = better(best, &s->packs[i], kind, hash, url, version);
    return best;
}

struct pack_item
packs_find(const struct profile_set *s, const struct pack *context, enum pack_kind kind, view canonical,
           uint32_t today)
{
    struct pack_item best = {NULL, 0};
    view version = canonical, url = view_cut(&version, '|', NULL);
    uint32_t hash = pack_hash(url);
    if (s && context)
        best = find_around(s, context, kind, hash, url, version);
    if (best.pack)
        return best;
    for (uint32_t i = 0; s && i < s->n_packs; i++)
        /* Who names a version means it, whatever the day. */
        if (version.n > 0 || holds_day(&s->packs[i], today))
            best = better(best, &s->packs[i], kind, hash, url, version);
    return best;
}

struct pack_item
packs_find_next(const struct profile_set *s, view canonical, uint32_t today, uint32_t *ret_from)
{
    struct pack_item best = {NULL, 0};
    uint32_t from = 0;
    if (view_find_byte(canonical, '|') < canonical.n)
        return best;
    for (uint32_t i = 0; today && i < s->n_packs; i++) {
        const struct pack *p = &s->packs[i];
        uint32_t n = p->head->valid_from > today
                         ? pack_find(p, PACK_IS_PROFILE, pack_hash(canonical), canonical, VIEW_NONE)
                         : PACK_NONE;
        if (n == PACK_NONE || (best.pack && p->head->valid_from >= from))
            continue;
        best = (struct pack_item){p, n};
        from = p->head->valid_from;
    }
    if (best.pack)
        *ret_from = from;
    return best;
}

/* ---- linking ---- */

static bool
is_version(view wanted, view found)
{
    /* "1.0.x" */
    if (view_ends(wanted, V(".x")))
        return view_starts(found, view_sub(wanted, 0, wanted.n - 1));
    return view_eq(wanted, found);
}

/* The loaded pack that a dependency means: the version that it names, else the newest.  Names are of any case. */
static uint32_t
find_dependency(const struct profile_set *s, const struct pack *p, const struct pack_dependency *d)
{
    uint32_t best = PACK_NONE;
    for (uint32_t i = 0; i < s->n_packs; i++) {
        const struct pack *other = &s->packs[i];
        view version = pack_view(other, other->head->version);
        if (!view_eq_nocase(pack_view(p, d->name), pack_view(other, other->head->name)))
            continue;
        if (is_version(pack_view(p, d->version), version))
            return i;
        if (best == PACK_NONE ||
            pack_is_newer(version, pack_view(&s->packs[best], s->packs[best].head->version)))
            best = i;
    }
    return best;
}

static err
find_dependencies(struct profile_set *s)
{
    uint32_t n = s->n_packs;
    uint8_t *on = arena_alloc(s->mem, (size_t)n * n + 1);
    if (!on)
        return E_TOO_LARGE;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < s->packs[i].n_dependencies; k++) {
            uint32_t to = find_dependency(s, &s->packs[i], &s->packs[i].dependencies[k]);
            if (to != PACK_NONE && to != i)
                on[i * n + to] = 1;
        }
    for (uint32_t via = 0; via < n; via++)
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t k = 0; on[i * n + via] && k < n; k++)
                on[i * n + k] |= on[via * n + k];
    s->builds_on = on;
    return E_OK;
}

static struct pack_item
resolve(const struct profile_set *s, const struct pack *p, const struct pack_link *link)
{
    struct pack_item best = {NULL, 0};
    enum pack_kind kind = (enum pack_kind)link->kind;
    view url = pack_view(p, link->url), version = pack_view(p, link->version);
    uint32_t hash = pack_hash(url);
    best = find_around(s, p, kind, hash, url, version);
    if (!best.pack && s->base)
        best = better(best, s->base, kind, hash, url, version);
    if (!best.pack && s->base) /* base R4 has one version: another that is named means what is here */
        best = better(best, s->base, kind, hash, url, VIEW_NONE);
    for (uint32_t i = 0, n = best.pack ? 0 : s->n_packs; i < n; i++)
        best = better(best, &s->packs[i], kind, hash, url, version);
    return best;
}

/* Programs of another version of the compiler are not run. */
static err
check_programs(const struct pack *p, struct fault *f)
{
    for (uint32_t i = 0; i < p->n_constraints; i++) {
        struct pack_span program = p->constraints[i].program;
        if (program.n > 0 && fhirpath_check((view){p->programs + program.from, program.n}) != E_OK)
            return fault_setf(f, E_CONFIG, "a pack of this program version: add the package again", "another",
                              "%.*s", VIEW_ARG(pack_view(p, p->head->name)));
    }
    return E_OK;
}

static err
link_pack(struct profile_set *s, struct pack *p)
{
    struct pack_item *links = arena_make_array(s->mem, (size_t)p->n_links + 1, struct pack_item);
    if (!links)
        return E_TOO_LARGE;
    for (uint32_t i = 0; i < p->n_links; i++)
        links[i] = resolve(s, p, &p->links[i]);
    p->link_to = links;
    p->first_profile = s->n_profiles;
    s->n_profiles += p->n_profiles;
    return E_OK;
}

/* ---- loading ---- */

struct mapping {
    void *at;
    size_t n;
};

static void
unmap(void *object)
{
    struct mapping *m = object;
    munmap(m->at, m->n);
}

static err
map_file(struct profile_set *s, const char *path, view *ret, struct fault *f)
{
    struct stat info;
    struct mapping *m = arena_make(s->mem, struct mapping);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!m || fd < 0 || fstat(fd, &info) != 0 || info.st_size <= 0 ||
        (uint64_t)info.st_size > PACK_BYTES_MAX) {
        if (fd >= 0)
            close(fd);
        return fault_setf(f, E_CONFIG, "a pack that can be read", "no file, or one too large", "%s", path);
    }
    *m = (struct mapping){mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0),
                          (size_t)info.st_size};
    close(fd);
    if (m->at == MAP_FAILED)
        return fault_setf(f, E_CONFIG, "a pack that can be mapped", "none", "%s", path);
    if (!arena_defer(s->mem, unmap, m))
        return fault_setf(f, E_CONFIG, "less than the memory for packs", "", "%s", path);
    *ret = (view){m->at, m->n};
    return E_OK;
}

static void
free_buf(void *object)
{
    buf_done(object);
}

/* Our own profiles, compiled at start: a few files. */
static err
compile_files(struct profile_set *s, const struct profile_sources *from, view *ret, struct fault *f)
{
    struct buf *out = arena_make(s->mem, struct buf);
    AUTO(arena_free) arena *mem = arena_new(COMPILE_BYTES_MAX);
    struct sources sources = {.mem = mem, .lenient = from->lenient, .f = f};
    const struct pack_label label = {.name = V("claimgate"), .version = V(CLAIMGATE_VERSION)};
    if (!out)
        return fault_set(f, E_CONFIG, "profiles", "less than the memory for profiles", "");
    buf_init(out, COMPILE_BYTES_MAX);
    if (!arena_defer(s->mem, free_buf, out))
        return fault_set(f, E_CONFIG, "profiles", "less than the memory for profiles", "");
    for (size_t i = 0; i < from->n; i++)
        TRY(sources_add(&sources, view_of(from->files[i].path),
                        (view){from->files[i].bytes, from->files[i].length}, false));
    TRY(sources_compile(&sources, s->base, &label, out));
    *ret = buf_view(out);
    return E_OK;
}

extern const char fhir_base_pack[], fhir_base_pack_end[];

static err
open_all(struct profile_set *s, const struct profile_sources *from, struct fault *f)
{
    size_t size = (size_t)(fhir_base_pack_end - fhir_base_pack);
    view bytes;
    s->packs = arena_make_array(s->mem, from->n_packs + 2, struct pack);
    if (!s->packs)
        return fault_set(f, E_CONFIG, "profiles", "fewer packs", "");
    if (size > 0) { /* not while the base itself is made */
        TRY(pack_open((view){fhir_base_pack, size}, false, "base R4", &s->packs[s->n_packs], f));
        s->base = &s->packs[s->n_packs++];
    }
    if (from->n > 0) {
        TRY(compile_files(s, from, &bytes, f));
        TRY(pack_open(bytes, false, "claimgate", &s->packs[s->n_packs++], f));
    }
    for (size_t i = 0; i < from->n_packs; i++) {
        TRY(map_file(s, from->packs[i], &bytes, f));
        TRY(pack_open(bytes, true, from->packs[i], &s->packs[s->n_packs], f));
        TRY(check_programs(&s->packs[s->n_packs++], f));
    }
    if (find_dependencies(s) != E_OK)
        return fault_set(f, E_CONFIG, "profiles", "less than the memory for packs", "");
    for (uint32_t i = 0; i < s->n_packs; i++)
        if (link_pack(s, &s->packs[i]) != E_OK)
            return fault_set(f, E_CONFIG, "profiles", "less than the memory for packs", "");
    return E_OK;
}

err
profiles_open(const struct profile_sources *from, struct profile_set **ret, struct fault *f)
{
    shape_start();
    hash_start();
    arena *mem = arena_new(SET_BYTES_MAX);
    struct profile_set *s = arena_make(mem, struct profile_set);
    if (!s) {
        arena_free(mem);
        return fault_set(f, E_CONFIG, "profiles", "less than the memory for packs", "");
    }
    s->mem = mem;
    err e = open_all(s, from, f);
    if (e != E_OK) {
        profiles_free(s);
        return fault_set(f, e, "profiles", "profiles that can be loaded", "");
    }
    *ret = s;
    return E_OK;
}

err
profiles_load(const struct embedded *files, size_t n, struct profile_set **ret, struct fault *f)
{
    return profiles_open(&(struct profile_sources){.files = files, .n = n}, ret, f);
}

void
profiles_free(struct profile_set *p)
{
    if (p)
        arena_free(p->mem);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct profile_set *base_alone;

static void
open_base(void)
{
    struct fault f;
    fault_init(&f);
    if (profiles_load(NULL, 0, &base_alone, &f) != E_OK)
        base_alone = NULL;
}

const struct profile_set *
profiles_base(void)
{
    pthread_once(&once, open_base);
    return base_alone;
}

/* ---- what is there ---- */

bool
profiles_know(const struct profile_set *p, view canonical)
{
    return packs_find(p, NULL, PACK_IS_PROFILE, canonical, 0).pack != NULL;
}

static int
by_url(const void *a, const void *b)
{
    return view_cmp(*(const view *)a, *(const view *)b);
}

size_t
profiles_list(const struct profile_set *p, view *urls, size_t room)
{
    size_t n = 0;
    for (uint32_t i = 0; i < p->n_packs; i++) {
        const struct pack *pack = &p->packs[i];
        for (uint32_t k = 0; pack != p->base && k < pack->n_profiles; k++) {
            if (!shape_is_resource(pack->profiles[k].shape))
                continue;
            if (n < room)
                urls[n] = pack_view(pack, pack->profiles[k].url);
            n++;
        }
    }
    if (n > 0 && room > 0)
        qsort(urls, n < room ? n : room, sizeof *urls, by_url);
    return n;
}

size_t
profiles_packs(const struct profile_set *p, struct pack_facts *out, size_t room)
{
    for (uint32_t i = 0; i < p->n_packs && i < room; i++) {
        const struct pack *pack = &p->packs[i];
        out[i] = (struct pack_facts){.name = pack_view(pack, pack->head->name),
                                     .version = pack_view(pack, pack->head->version),
                                     .valid_from = pack->head->valid_from,
                                     .valid_until = pack->head->valid_until,
                                     .bytes = pack->bytes.n,
                                     .profiles = pack->n_profiles,
                                     .value_sets = pack->n_sets,
                                     .code_systems = pack->n_systems};
    }
    return p->n_packs;
}
