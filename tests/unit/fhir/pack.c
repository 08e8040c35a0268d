#include "fhir_kit.h"

#include "base/text.h"
#include "fhir/package.h"
#include "fhir/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- packs made here ---- */

#define PROFILE(version, min)                                                                                \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://x/p\",\"version\":\"" version "\","          \
    "\"type\":\"Basic\",\"derivation\":\"constraint\","                                                      \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Basic\",\"differential\":{\"element\":["   \
    "{\"id\":\"Basic.created\",\"path\":\"Basic.created\",\"min\":" min "}]}}"
#define BASIC "{\"resourceType\":\"Basic\",\"meta\":{\"profile\":[\"http://x/p\"]},\"code\":{\"text\":\"a\"}}"

struct made {
    struct buf bytes;
    int fd;
    char path[64];
};

static void
make(struct made *m, const char *definition, uint32_t from, uint32_t until)
{
    struct fault f;
    arena *mem = arena_new(64u << 20);
    struct sources sources = {.mem = mem, .f = &f};
    const struct pack_label label = {
        .name = V("test"), .version = V("1"), .valid_from = from, .valid_until = until};
    fault_init(&f);
    shape_start();
    hash_start();
    buf_init(&m->bytes, 16u << 20);
    cr_assert_eq(sources_add(&sources, V("test"), view_of(definition), false), E_OK, "%s", f.where);
    cr_assert_eq(sources_compile(&sources, NULL, &label, &m->bytes), E_OK, "%s %s", f.where, f.expected);
    arena_free(mem);
    m->fd = memfd_create("pack", 0);
    cr_assert_eq(write(m->fd, m->bytes.p, m->bytes.n), (ssize_t)m->bytes.n);
    snprintf(m->path, sizeof m->path, "/proc/self/fd/%d", m->fd);
}

static void
done(struct made *m)
{
    close(m->fd);
    buf_done(&m->bytes);
}

static err
open_made(struct kit *k, const struct made *list, size_t n)
{
    const char *paths[4];
    for (size_t i = 0; i < n; i++)
        paths[i] = list[i].path;
    return profiles_open(&(struct profile_sources){.packs = paths, .n_packs = n}, &k->profiles, &k->fault);
}

static void
judge_on(struct kit *k, uint32_t today)
{
    struct validate_options o = {.today = today};
    cr_assert_eq(kit_read(k, BASIC), E_OK);
    issues_init(&k->issues, k->mem, 100);
    cr_assert_eq(fhir_validate_resource(k->profiles, &k->tree, tree_root(&k->tree), &o, k->mem, &k->issues),
                 E_OK);
}

Test(pack, tells_what_the_next_window_will_refuse)
{
    struct made made[2];
    struct kit k;
    kit_init(&k);
    make(&made[0], PROFILE("1.0", "0"), 0, 20270630);
    make(&made[1], PROFILE("2.0", "1"), 20270701, 0);
    cr_assert_eq(open_made(&k, made, 2), E_OK, "%s", k.fault.where);
    judge_on(&k, 20270601);
    const struct issue *i = kit_issue(&k, E_REFUSED_LATER, "Basic");
    cr_assert(i && i->severity == ISSUE_WARNING && k.issues.errors == 0, "%s", kit_show(&k));
    cr_expect(view_find(i->expected, V("2027-07-01")) < i->expected.n, "%s", kit_show(&k));
    judge_on(&k, 20270701);
    cr_expect_not_null(kit_issue(&k, E_REQUIRED, "Basic"), "the new version is in force:\n%s", kit_show(&k));
    cr_expect_null(kit_issue(&k, E_REFUSED_LATER, NULL));
    kit_done(&k);
    done(&made[0]);
    done(&made[1]);
}

Test(pack, refuses_bytes_that_its_hash_does_not_fit)
{
    struct made made;
    struct kit k;
    kit_init(&k);
    make(&made, PROFILE("1.0", "0"), 0, 0);
    for (size_t at = 0; at < made.bytes.n; at += made.bytes.n / 50 + 1) {
        char c = (char)(made.bytes.p[at] ^ 1);
        cr_assert_eq(pwrite(made.fd, &c, 1, (off_t)at), 1);
        fault_init(&k.fault);
        struct pack p;
        view bytes = {mmap(NULL, made.bytes.n, PROT_READ, MAP_SHARED, made.fd, 0), made.bytes.n};
        /* Name, date and window stand in the head, outside the hash: they are labels, not rules. */
        err e = pack_open(bytes, true, "test", &p, &k.fault);
        cr_expect(e == E_CONFIG || at < sizeof(struct pack_head), "byte %zu", at);
        munmap((void *)bytes.p, bytes.n);
        cr_assert_eq(pwrite(made.fd, &made.bytes.p[at], 1, (off_t)at), 1);
    }
    kit_done(&k);
    done(&made);
}

/* ---- memory ---- */

#ifdef __has_feature
#define HAS_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#else
#define HAS_ADDRESS_SANITIZER 0
#endif
static const bool has_shadow = HAS_ADDRESS_SANITIZER;

static size_t
private_kilobytes(void)
{
    char line[256];
    size_t sum = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file))
        if (view_starts(view_of(line), V("Private_Clean:")) ||
            view_starts(view_of(line), V("Private_Dirty:"))) {
            view rest = view_of(line), digits;
            uint64_t n;
            view_cut(&rest, ':', NULL);
            rest = view_trim(rest);
            digits = view_cut(&rest, ' ', NULL);
            sum += text_to_u64(digits, &n) == E_OK ? (size_t)n : 0;
        }
    fclose(file);
    return sum;
}

/* Base R4, our own profiles and, where the data is at hand, TW Core as a pack. */
Test(pack, costs_hardly_any_private_memory)
{
    if (has_shadow)
        cr_skip_test("a sanitizer's shadow counts too");
    const char *shared = getenv("CLAIMGATE_SHARED"), *files[1] = {NULL};
    char path[1024];
    struct profile_set *set = NULL;
    struct fault f;
    fault_init(&f);
    if (shared) {
        snprintf(path, sizeof path, "%s/definitions/tw.gov.mohw.twcore-0.3.2-without-icd.tgz", shared);
        files[0] = path;
    }
    struct buf pack;
    char made[64] = "";
    buf_init(&pack, 64u << 20);
    if (shared) {
        arena *mem = arena_new(1u << 20);
        struct package_facts facts;
        cr_assert_eq(package_compile(&(struct package_request){.file = files[0]}, mem, &pack, &facts, &f),
                     E_OK);
        int fd = memfd_create("pack", 0);
        cr_assert_eq(write(fd, pack.p, pack.n), (ssize_t)pack.n);
        snprintf(made, sizeof made, "/proc/self/fd/%d", fd);
        arena_free(mem);
    }
    buf_done(&pack);
    const char *paths[1] = {made};
    size_t before = private_kilobytes();
    cr_assert_eq(profiles_open(&(struct profile_sources){.files = fhir_profiles,
                                                         .n = fhir_profiles_count,
                                                         .packs = paths,
                                                         .n_packs = shared ? 1 : 0},
                               &set, &f),
                 E_OK, "%s", f.where);
    size_t after = private_kilobytes();
    cr_expect(after < before + 10240, "%zu KB private, %zu before", after, before);
    profiles_free(set);
}
