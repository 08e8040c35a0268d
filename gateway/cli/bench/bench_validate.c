#include "cli/bench/bench_peers.h"

#include "base/instant.h"
#include "fhir/fhir.h"

#include <stdio.h>
#include <time.h>

/* Reader and validator on Bundles made here, a file after the other on one core.  A figure is the best of several rounds in CPU time
 * of this thread, so that other work on the machine does not count; compare figures of one run. */

#define ROUND_US 150000
#define ROUNDS 5
#define MEMORY ((size_t)3 << 30)

static const struct tree_limits limits = {.bytes = (size_t)256 << 20, .nodes = 60000000};

static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the files: entries of a hospital's everyday resources ---- */

static const char *const entry_kinds[] = {
    "{\"resourceType\":\"Patient\",\"id\":\"p%u\",\"identifier\":[{\"system\":\"http://"
    "www.moi.gov.tw\",\"value\":\"A1%08u\"}],"
    "\"active\":true,\"name\":[{\"use\":\"official\",\"text\":\"\xE7\x8E\x8B\xE5\xB0\x8F\xE6\x98\x8E\","
    "\"family\":\"Wang\",\"given\":[\"Xiao\",\"Ming\"]}],"
    "\"gender\":\"male\",\"birthDate\":\"1985-03-12\",\"address\":[{\"text\":"
    "\"\xE8\x87\xBA\xE5\x8C\x97\xE5\xB8\x82\xE4\xB8\xAD\xE6\xAD\xA3\xE5\x8D\x80\",\"city\":\"Taipei\","
    "\"country\":\"TW\"}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o%u\",\"status\":\"final\",\"category\":[{\"coding\":[{"
    "\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\","
    "\"code\":\"laboratory\"}]}],\"code\":{\"coding\":[{\"system\":\"http://"
    "loinc.org\",\"code\":\"2339-0\",\"display\":\"Glucose\"}]},"
    "\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-%012u\"},\"effectiveDateTime\":\"2026-11-"
    "20T08:30:00+08:00\","
    "\"valueQuantity\":{\"value\":105.50,\"unit\":\"mg/dL\",\"system\":\"http://"
    "unitsofmeasure.org\",\"code\":\"mg/dL\"}}",
    "{\"resourceType\":\"Condition\",\"id\":\"c%u\",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://"
    "terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"active\"}]},"
    "\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/"
    "icd-10-cm\",\"code\":\"S82.201A\"}],\"text\":\"\xE8\x84\x9B\xE9\xAA\xA8\xE9\xAA\xA8\xE6\x8A\x98\"},"
    "\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-%012u\"},\"onsetDateTime\":\"2026-11-18\","
    "\"recordedDate\":\"2026-11-20\"}",
    "{\"resourceType\":\"Encounter\",\"id\":\"e%u\",\"status\":\"finished\",\"class\":{\"system\":\"http://"
    "terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"EMER\"},"
    "\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-%012u\"},\"period\":{\"start\":\"2026-11-"
    "18T10:00:00+08:00\",\"end\":\"2026-11-20T16:00:00+08:00\"}}",
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

struct work {
    view bytes;
    arena *mem;
    bool validate;
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
    if (w->outcome == E_OK && w->validate) {
        issues_init(&issues, w->mem, 100);
        w->outcome = bundle_index(&t, w->mem, &b, &issues);
        if (w->outcome == E_OK)
            w->outcome = fhir_validate(NULL, &b, &options, &issues);
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
    size_t entries, bytes;
    double read_mb_s, validate_mb_s, us_per_entry, seconds, memory_factor;
    double peers[BENCH_PEERS]; /* MB/s, 0: not measured */
};

static err
measure(size_t entries, const struct bench_peers *peers, struct figures *ret, struct fault *f)
{
    struct buf text AUTO_DONE(buf_done) = {0};
    AUTO(arena_free) arena *mem = arena_new(MEMORY);
    buf_init(&text, (size_t)128 << 20);
    make_bundle(entries, &text);
    struct work w = {.bytes = buf_view(&text), .mem = mem};
    double read = seconds_of(&w);
    if (w.outcome != E_OK)
        return fault_set(f, w.outcome, "", "a Bundle that is read", "another");
    w.validate = true;
    double both = seconds_of(&w);
    if (w.outcome != E_OK || w.errors > 0)
        return fault_set(f, w.outcome != E_OK ? w.outcome : E_VALUE, "", "a Bundle without errors", "errors");
    double mb = (double)text.n / 1e6;
    *ret = (struct figures){
        .entries = entries, .bytes = text.n, .read_mb_s = mb / read, .validate_mb_s = mb / both};
    ret->us_per_entry = both * 1e6 / (double)entries;
    ret->seconds = both;
    ret->memory_factor = (double)w.used / (double)text.n;
    bench_peers_measure(peers, buf_view(&text), ret->peers);
    return E_OK;
}

/* ---- printing ---- */

static void
print_json(const struct figures *rows, size_t n, const struct bench_peers *peers)
{
    printf("{\"files\":[");
    for (size_t i = 0; i < n; i++) {
        const struct figures *r = &rows[i];
        printf("%s{\"entries\":%zu,\"bytes\":%zu,\"reader_mb_s\":%.1f,\"validator_base_mb_s\":%.1f,\"us_per_"
               "entry\":%.3f,\"seconds\":%."
               "4f,\"memory_factor\":%.2f",
               i ? "," : "", r->entries, r->bytes, r->read_mb_s, r->validate_mb_s, r->us_per_entry,
               r->seconds, r->memory_factor);
        for (int p = 0; p < BENCH_PEERS; p++)
            if (r->peers[p] > 0)
                printf(",\"%s_mb_s\":%.2f", bench_peer_names[p], r->peers[p]);
        printf("}");
    }
    printf("],\"skipped\":{");
    const char *between = "";
    for (int p = 0; p < BENCH_PEERS; p++) {
        if (peers->why[p] != NULL)
            printf("%s\"%s\":\"%s\"", between, bench_peer_names[p], peers->why[p]);
        between = peers->why[p] != NULL ? "," : between;
    }
    printf("}}\n");
}

static void
print_table(const struct figures *rows, size_t n, const struct bench_peers *peers)
{
    printf("%8s %10s %10s %12s %10s %9s %7s", "entries", "bytes", "read MB/s", "check MB/s", "us/entry",
           "seconds", "memory");
    for (int p = 0; p < BENCH_PEERS; p++)
        if (peers->why[p] == NULL)
            printf(" %10s", bench_peer_names[p]);
    printf("\n");
    for (size_t i = 0; i < n; i++) {
        const struct figures *r = &rows[i];
        printf("%8zu %10zu %10.0f %12.0f %10.2f %9.4f %7.2f", r->entries, r->bytes, r->read_mb_s,
               r->validate_mb_s, r->us_per_entry, r->seconds, r->memory_factor);
        for (int p = 0; p < BENCH_PEERS; p++)
            if (peers->why[p] == NULL)
                printf(" %10.1f", r->peers[p]);
        printf("\n");
    }
    for (int p = 0; p < BENCH_PEERS; p++)
        if (peers->why[p] != NULL)
            printf("%s: skipped, %s\n", bench_peer_names[p], peers->why[p]);
}

int
run_bench_validate(struct args *a)
{
    static const size_t entries[] = {24, 100, 250, 1000, 2500, 12000, 25000};
    struct figures rows[sizeof entries / sizeof *entries];
    struct bench_peers peers;
    struct fault f;
    int server = 0, load = 0;
    size_t most = (size_t)args_number(a, "entries", 25000), n = 0;
    if (a->n_positional != 0)
        return command_usage(a, "no further words are needed");
    fault_init(&f);
    bench_cores(&server, &load);
    bench_pin(server);
    bench_peers_find(&peers);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i] > most)
            break;
        err e = measure(entries[i], &peers, &rows[n++], &f);
        if (e != E_OK)
            return command_fail(a, e, &f);
    }
    if (a->json)
        print_json(rows, n, &peers);
    else
        print_table(rows, n, &peers);
    return EXIT_OK;
}
