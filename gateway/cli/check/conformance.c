#include "conformance/conformance.h"

#include "base/instant.h"
#include "cli/command.h"

#include <stdio.h>
#include <sys/stat.h>

/* A set's own working memory; the largest set reads some 60 MB. */
#define SET_MEMORY ((size_t)1 << 30)

static void
print_line(const struct args *a, const struct conformance_run *r, double seconds)
{
    size_t cases = 0;
    for (int i = 0; i < CONFORMANCE_OUTCOMES; i++)
        cases += r->counts[i];
    const size_t *n = r->counts;
    bool fhir = strcmp(a->command->verb, "fhir") == 0;
    if (!a->json) {
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", r->path, r->profile ? " " : "", r->profile ? r->profile : "");
        printf("%-24s %6zu %6zu %8zu %8zu %7zu %7zu %7zu %8zu %8.2f", name, cases, n[CONFORMANCE_AGREE],
               n[CONFORMANCE_WRONG_ACCEPT], n[CONFORMANCE_WRONG_REJECT], n[CONFORMANCE_WRONG_VALUE],
               n[CONFORMANCE_POLICY_REJECT], n[CONFORMANCE_EITHER], n[CONFORMANCE_SKIPPED], seconds);
        if (fhir && r->place_cases > 0)
            printf("   places %zu of %zu", r->place_agree, r->place_cases);
        printf("\n");
        return;
    }
    printf("{\"set\":\"%s\"", r->path);
    if (r->profile)
        printf(",\"profile\":\"%s\"", r->profile);
    printf(",\"cases\":%zu,\"agree\":%zu,\"wrong_accept\":%zu,\"wrong_reject\":%zu,\"wrong_"
           "value\":%zu,"
           "\"policy_reject\":%zu,\"either\":%zu,\"skipped\":%zu,\"seconds\":%.3f",
           cases, n[CONFORMANCE_AGREE], n[CONFORMANCE_WRONG_ACCEPT], n[CONFORMANCE_WRONG_REJECT],
           n[CONFORMANCE_WRONG_VALUE], n[CONFORMANCE_POLICY_REJECT], n[CONFORMANCE_EITHER],
           n[CONFORMANCE_SKIPPED], seconds);
    if (fhir)
        printf(",\"place_cases\":%zu,\"place_agree\":%zu", r->place_cases, r->place_agree);
    printf("}\n");
}

static err
run_set(const struct args *a, const struct conformance_set *set, size_t *wrong, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(SET_MEMORY);
    const char *definitions = args_value(a, "definitions");
    if (!definitions)
        definitions = arena_printf(mem, "%s/../definitions", a->positional[0]).p;
    struct conformance_run r = {.root = a->positional[0],
                                .definitions = definitions,
                                .path = set->path,
                                .profile = set->profile,
                                .mem = mem,
                                .list = args_flag(a, "list")};
    int64_t begin = clock_monotonic_us();
    TRY(set->run(&r, f));
    print_line(a, &r, (double)(clock_monotonic_us() - begin) / 1e6);
    fflush(stdout);
    *wrong += r.counts[CONFORMANCE_WRONG_ACCEPT] + r.counts[CONFORMANCE_WRONG_REJECT] +
              r.counts[CONFORMANCE_WRONG_VALUE];
    return E_OK;
}

static bool
is_there(const struct args *a, const char *path)
{
    char full[4096];
    struct stat about;
    int n = snprintf(full, sizeof full, "%s/%.*s", a->positional[0], (int)strcspn(path, "#"), path);
    return n > 0 && (size_t)n < sizeof full && stat(full, &about) == 0 && S_ISDIR(about.st_mode);
}

int
run_conformance(struct args *a)
{
    if (a->n_positional != 1)
        return command_usage(a, "one folder of vectors is needed");
    const char *only = args_value(a, "set"), *profile = args_value(a, "profile");
    size_t wrong = 0, sets = 0;
    if (!a->json)
        printf("%-24s %6s %6s %8s %8s %7s %7s %7s %8s %8s\n", "set", "cases", "agree", "w.accept", "w.reject",
               "w.value", "policy", "either", "skipped", "seconds");
    for (size_t i = 0; i < conformance_sets_count; i++) {
        const struct conformance_set *set = &conformance_sets[i];
        if (strcmp(set->family, a->command->verb) != 0 || (only != NULL && strcmp(only, set->path) != 0))
            continue;
        if (profile != NULL && set->profile != NULL && strcmp(profile, set->profile) != 0)
            continue;
        if (!is_there(a, set->path)) {
            fprintf(stderr, "%s: not in this folder, left out\n", set->path);
            continue;
        }
        struct fault f;
        fault_init(&f);
        err e = run_set(a, set, &wrong, &f);
        if (e != E_OK)
            return command_fail(a, e, &f);
        sets++;
    }
    return sets == 0 ? EXIT_NOT_FOUND : wrong > 0 ? EXIT_FAILURES : EXIT_OK;
}
