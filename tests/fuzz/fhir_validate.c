/* room: fhir */
/* Any bytes as a FHIR document in JSON, judged by base R4 and the profiles of the program.  Every finding
 * has a place that exists; judging twice finds the same, also as files are checked; strict never finds fewer errors.  FUZZ_PACK names a
 * pack or package whose profiles are loaded too. */
#include "fhir/fhir.h"
#include "fhir/package.h"

#include <stdlib.h>

#define ARENA_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static struct profile_set *
profiles(void)
{
    static struct profile_set *set; /* for the life of the process */
    struct fault f;
    fault_init(&f);
    const struct profile_sources own = {.files = fhir_profiles, .n = fhir_profiles_count};
    const char *pack = getenv("FUZZ_PACK");
    if (!set)
        must(packages_open(&pack, pack ? 1 : 0, &own, &set, &f) == E_OK);
    return set;
}

static void
check_issues(const struct issues *issues, const struct tree *t)
{
    size_t errors = 0;
    for (const struct issue *i = issues->first; i; i = i->next) {
        errors += i->severity == ISSUE_ERROR;
        must(i->from >= 0 && (size_t)(i->from + i->length) <= t->source.n);
        must(i->line > 0 && i->column > 0);
        must(node_of_pointer(t, i->pointer) != NULL);
    }
    must(errors <= issues->errors);
}

static const struct validate_options submitted = {.strict = false}, all_strict = {.strict = true},
                                     checked = {
                                         .check = true, .no_markup = true, .advice = true, .today = 20261121};

/* Number of errors; SIZE_MAX when it could not be judged. */
static size_t
judge(const struct tree *t, arena *mem, struct validate_options options)
{
    struct issues issues;
    struct bundle b;
    issues_init(&issues, mem, 60);
    err e = bundle_index(t, mem, &b, &issues);
    e = e == E_OK ? fhir_validate(profiles(), &b, &options, &issues)
                  : fhir_validate_resource(profiles(), t, tree_root(t), &options, mem, &issues);
    must(e == E_OK || e == E_TOO_LARGE);
    if (e != E_OK)
        return SIZE_MAX;
    check_issues(&issues, t);
    return issues.errors;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(ARENA_BYTES);
    struct tree t;
    struct fault f;
    fault_init(&f);
    if (fhir_read(FHIR_JSON, view_make(data, size), mem, &t, &f) == E_OK) {
        size_t lenient = judge(&t, mem, submitted), again = judge(&t, mem, submitted);
        size_t strict = judge(&t, mem, all_strict), file = judge(&t, mem, checked),
               twice = judge(&t, mem, checked);
        must(lenient == again || lenient == SIZE_MAX || again == SIZE_MAX);
        must(file == twice || file == SIZE_MAX || twice == SIZE_MAX);
        must(strict >= lenient || lenient == SIZE_MAX);
    }
    arena_free(mem);
    return 0;
}
