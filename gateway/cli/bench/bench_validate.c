#include "cli/bench/bench_peers.h"

#include "base/instant.h"
#include "fhir/fhir.h"
#include "fhir/package.h"

#include <stdio.h>
#include <time.h>

/* Reader and validator on Bundles made here, a file after the other on one core.  A figure is the best of several rounds in CPU time
 * of this thread, so that other work on the machine does not count; compare figures of one run. */

#define ROUND_US 150000
#define ROUNDS 5
#define MEMORY ((size_t)3 << 30)

#define PACKS_MOST 16
/* From 10 KB to 17 MB. */
static const size_t sizes[] = {16, 100, 250, 1000, 2500, 8000, 16000, 25000};
#define SIZES (sizeof sizes / sizeof *sizes)
static const char no_packs[] =
    "no --pack is named (TW Core's package, to measure the profiles that the documents name)";

static const struct tree_limits limits = {.bytes = (size_t)256 << 20, .nodes = 60000000};

static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the files: entries of a hospital's everyday resources ---- */

/* They name profiles of TW Core and conform to them. */
#define TW "\"meta\":{\"profile\":[\"https://twcore.mohw.gov.tw/ig/twcore/StructureDefinition/"
#define SUBJECT "\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-%012u\"}"
static const char *const entry_kinds[] = {
    "{\"resourceType\":\"Patient\",\"id\":\"p%u\"," TW "Patient-twcore\"]},"
    "\"identifier\":[{\"use\":\"official\",\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
    "CodeSystem/v2-0203\","
    "\"code\":\"MR\"}]},\"system\":\"https://www.hospital.example.tw\",\"value\":\"A1%08u\"}],"
    "\"active\":true,\"name\":[{\"use\":\"official\",\"text\":\"\xE7\x8E\x8B\xE5\xB0\x8F\xE6\x98\x8E\","
    "\"family\":\"Wang\",\"given\":[\"Xiao\",\"Ming\"]}],"
    "\"gender\":\"male\",\"birthDate\":\"1985-03-12\",\"address\":[{\"text\":"
    "\"\xE8\x87\xBA\xE5\x8C\x97\xE5\xB8\x82\xE4\xB8\xAD\xE6\xAD\xA3\xE5\x8D\x80\",\"city\":\"Taipei\","
    "\"country\":\"TW\"}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o%u\"," TW "Observation-laboratoryResult-twcore\"]},"
    "\"status\":\"final\",\"category\":[{\"coding\":[{"
    "\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\","
    "\"code\":\"laboratory\"}]}],\"code\":{\"coding\":[{\"system\":\"http://"
    "loinc.org\",\"code\":\"2339-0\",\"display\":\"Glucose\"}]}," SUBJECT
    ",\"effectiveDateTime\":\"2026-11-20T08:30:00+08:00\",\"performer\":[{\"reference\":\"Practitioner/p\"}],"
    "\"valueQuantity\":{\"value\":105.50,\"unit\":\"mg/dL\",\"system\":\"http://"
    "unitsofmeasure.org\",\"code\":\"mg/dL\"}}",
    "{\"resourceType\":\"Condition\",\"id\":\"c%u\"," TW "Condition-twcore\"]},"
    "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://"
    "terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"active\"}]},"
    "\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-category\","
    "\"code\":\"encounter-diagnosis\"}]}],"
    "\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/"
    "icd-10-cm\",\"code\":\"S82.201A\"}],\"text\":\"\xE8\x84\x9B\xE9\xAA\xA8\xE9\xAA\xA8\xE6\x8A\x98\"}"
    "," SUBJECT ",\"onsetDateTime\":\"2026-11-18\",\"recordedDate\":\"2026-11-20\"}",
    "{\"resourceType\":\"Encounter\",\"id\":\"e%u\"," TW "Encounter-twcore\"]},"
    "\"status\":\"finished\",\"class\":{\"system\":\"http://"
    "terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"EMER\"},"
    "\"type\":[{\"text\":\"\xE6\x80\xA5\xE8\xA8\xBA\"}]," SUBJECT
    ",\"period\":{\"start\":\"2026-11-18T10:00:00+08:00\",\"end\":\"2026-11-20T16:00:00+08:00\"}}",
};
#define KINDS (sizeof entry_kinds / sizeof *entry_kinds)

/* A collection of n entries; every reference leads to the patient of its four. */
static void
make_bundle(size_t n, struct buf *out)
{
    BUF_LIT(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (unsigned i = 0; i < n; i++) {
        const char *kind = entry_kinds[i % KINDS];
        buf_printf(
            out, "%s{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-%012u\",\"resource\":", i ? "," : "", i);
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
            buf_printf(out, kind, i, i - i % (unsigned)KINDS);
        _Pragma("GCC diagnostic pop") buf_add_byte(out, '}');
    }
    BUF_LIT(out, "]}");
}

/* ---- the work ---- */

/* What is done with a file; a column each. */
enum task { TASK_READ, TASK_BASE, TASK_PACKS, TASKS };

struct work {
    view bytes;
    arena *mem;
    enum task task;
    const struct profile_set *packs;
    size_t errors, used;
    err outcome;
};

static void
work_once(struct work *w)
{
    struct tree t;
    struct bundle b;
    struct issues issues;
    struct validate_options options = {.demand = VIEW_NONE};
    arena_reset(w->mem);
    w->outcome = tree_read_json(w->bytes, &limits, w->mem, &t, NULL);
    if (w->outcome == E_OK && w->task != TASK_READ) {
        issues_init(&issues, w->mem, 100);
        w->outcome = bundle_index(&t, w->mem, &b, &issues);
        if (w->outcome == E_OK)
            w->outcome = fhir_validate(w->task == TASK_PACKS ? w->packs : NULL, &b, &options, &issues);
        w->errors = issues.errors;
    }
    w->used = arena_used(w->mem);
}

/* Seconds of one pass, the best of the rounds. */
static double
seconds_of(struct work *w)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin = cpu_us(), spent = 0;
        size_t n = 0;
        do {
            work_once(w);
            n++;
            spent = cpu_us() - begin;
        } while (spent < ROUND_US);
        double one = (double)spent / 1e6 / (double)n;
        best = round == 0 || one < best ? one : best;
    }
    return best;
}

struct figures {
    size_t entries, bytes, peak; /* peak: input, tree and all that validation needs */
    double seconds[TASKS];       /* 0: not measured */
    double peers[BENCH_PEERS];   /* MB/s, 0: not measured */
};

static double
rate(const struct figures *r, enum task task)
{
    return r->seconds[task] > 0 ? (double)r->bytes / 1e6 / r->seconds[task] : 0;
}

static double
us_per_entry(const struct figures *r, enum task task)
{
    return r->seconds[task] * 1e6 / (double)r->entries;
}

struct bench {
    struct bench_peers peers;
    struct profile_set *packs; /* NULL: none are named */
};

static err
measure(const struct bench *bench, size_t entries, struct figures *ret, struct fault *f)
{
    struct buf text AUTO_DONE(buf_done) = {0};
    AUTO(arena_free) arena *mem = arena_new(MEMORY);
    buf_init(&text, (size_t)128 << 20);
    make_bundle(entries, &text);
    struct work w = {.bytes = buf_view(&text), .mem = mem, .packs = bench->packs};
    *ret = (struct figures){.entries = entries, .bytes = text.n};
    for (int task = 0; task < TASKS; task++) {
        if (task == TASK_PACKS && !bench->packs)
            continue;
        w.task = (enum task)task;
        ret->seconds[task] = seconds_of(&w);
        ret->peak = text.n + w.used > ret->peak ? text.n + w.used : ret->peak;
        if (w.outcome != E_OK || w.errors > 0)
            return fault_set(f, w.outcome != E_OK ? w.outcome : E_VALUE, "", "a Bundle without errors",
                             "errors");
    }
    bench_peers_measure(&bench->peers, buf_view(&text), ret->peers);
    return E_OK;
}

/* ---- printing ---- */

static void
print_row_json(const struct bench *bench, const struct figures *r)
{
    printf("{\"entries\":%zu,\"bytes\":%zu,\"reader_mb_s\":%.1f,\"validator_base_mb_s\":%.1f,\"us_per_"
           "entry\":%.3f,"
           "\"seconds\":%.4f,\"memory_factor\":%.2f",
           r->entries, r->bytes, rate(r, TASK_READ), rate(r, TASK_BASE), us_per_entry(r, TASK_BASE),
           r->seconds[TASK_BASE], (double)r->peak / (double)r->bytes);
    if (bench->packs)
        printf(",\"validator_packs_mb_s\":%.1f,\"us_per_entry_packs\":%.3f", rate(r, TASK_PACKS),
               us_per_entry(r, TASK_PACKS));
    for (int p = 0; p < BENCH_PEERS; p++)
        if (r->peers[p] > 0)
            printf(",\"%s_mb_s\":%.3f", bench_peer_names[p], r->peers[p]);
    printf("}");
}

static void
print_json(const struct bench *bench, const struct figures *rows, size_t n)
{
    const char *between = "";
    printf("{\"files\":[");
    for (size_t i = 0; i < n; i++) {
        printf("%s", i ? "," : "");
        print_row_json(bench, &rows[i]);
    }
    printf("],\"skipped\":{");
    for (int p = 0; p < BENCH_PEERS; p++) {
        if (bench->peers.why[p] != NULL)
            printf("%s\"%s\":\"%s\"", between, bench_peer_names[p], bench->peers.why[p]);
        between = bench->peers.why[p] != NULL ? "," : between;
    }
    if (!bench->packs)
        printf("%s\"packs\":\"%s\"", between, no_packs);
    printf("}}\n");
}

static void
print_table(const struct bench *bench, const struct figures *rows, size_t n)
{
    printf("%8s %10s %10s %12s %10s", "entries", "bytes", "read MB/s", "check MB/s", "us/entry");
    if (bench->packs)
        printf(" %12s %10s", "packs MB/s", "us/entry");
    printf(" %7s", "memory");
    for (int p = 0; p < BENCH_PEERS; p++)
        if (bench->peers.why[p] == NULL)
            printf(" %10s", bench_peer_names[p]);
    printf("\n");
    for (size_t i = 0; i < n; i++) {
        const struct figures *r = &rows[i];
        printf("%8zu %10zu %10.0f %12.0f %10.2f", r->entries, r->bytes, rate(r, TASK_READ),
               rate(r, TASK_BASE), us_per_entry(r, TASK_BASE));
        if (bench->packs)
            printf(" %12.0f %10.2f", rate(r, TASK_PACKS), us_per_entry(r, TASK_PACKS));
        printf(" %7.2f", (double)r->peak / (double)r->bytes);
        for (int p = 0; p < BENCH_PEERS; p++)
            if (bench->peers.why[p] == NULL)
                printf(" %10.2f", r->peers[p]);
        printf("\n");
    }
    for (int p = 0; p < BENCH_PEERS; p++)
        if (bench->peers.why[p] != NULL)
            printf("%s: skipped, %s\n", bench_peer_names[p], bench->peers.why[p]);
    if (!bench->packs)
        printf("packs: skipped, %s\n", no_packs);
}

static err
run_sizes(const struct bench *bench, size_t most, struct figures *rows, size_t *ret_n, struct fault *f)
{
    for (size_t i = 0; i < SIZES && sizes[i] <= most; i++)
        TRY(measure(bench, sizes[i], &rows[(*ret_n)++], f));
    return E_OK;
}

int
run_bench_validate(struct args *a)
{
    struct figures rows[SIZES];
    struct bench bench = {.packs = NULL};
    const char *packs[PACKS_MOST];
    struct fault f;
    int server = 0, load = 0;
    size_t n = 0, n_packs = args_values(a, "pack", packs, PACKS_MOST);
    if (a->n_positional != 0)
        return command_usage(a, "no further words are needed");
    fault_init(&f);
    bench_cores(&server, &load);
    bench_pin(server);
    err e = n_packs
                ? packages_open(packs, n_packs, &(struct profile_sources){.lenient = true}, &bench.packs, &f)
                : E_OK;
    if (e == E_OK) {
        bench_peers_find(&bench.peers);
        e = run_sizes(&bench, (size_t)args_number(a, "entries", 25000), rows, &n, &f);
    }
    profiles_free(bench.packs);
    if (e != E_OK)
        return command_fail(a, e, &f);
    if (a->json)
        print_json(&bench, rows, n);
    else
        print_table(&bench, rows, n);
    return EXIT_OK;
}
