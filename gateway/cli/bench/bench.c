#include "cli/bench/bench.h"

#include "base/text.h"
#include "cli/operate/sandbox.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTIONS 64
#define SECONDS_MAX 120
/* More than this share of the raw verifications is beyond what the parts allow, so that the documents last. */
#define SHARE_MAX 0.4

struct bench {
    struct args *a;
    char dir[BENCH_PATH], pki[BENCH_PATH + 8];
    long seconds, connections;
    uint64_t seed;
    int server_core, load_core;
    struct bench_limits before, after;
    struct bench_documents documents;
    struct bench_server server;
    view document_head, application_head;
    view *applications;
    struct bench_load load;
    double server_us, writer_us, checkpoint_us, switches, client_us, rss_mb;
    digest documents_digest;
    struct fault *f;
};

static err
add_request(struct buf *out, view head, const char *signature_of, view protected_part, view body)
{
    buf_add_view(out, head);
    if (signature_of) {
        BUF_LIT(out, "X-JWS-Signature: ");
        buf_add_view(out, protected_part);
        BUF_LIT(out, "..");
        buf_add(out, signature_of, BENCH_SIGNATURE);
        BUF_LIT(out, "\r\n");
    }
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.n);
    buf_add_view(out, body);
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
fill_application(void *self, size_t i, struct buf *out)
{
    struct bench *b = self;
    return add_request(out, b->application_head, NULL, VIEW_NONE, b->applications[i]);
}

static err
fill_document(void *self, size_t i, struct buf *out)
{
    struct bench *b = self;
    char body[16384];
    struct buf text = {.p = body, .room = sizeof body, .ceiling = sizeof body};
    bench_document(&b->documents, i, &text);
    return text.failed ? E_TOO_LARGE
                       : add_request(out, b->document_head, b->documents.signatures[i],
                                     b->documents.protected_part, buf_view(&text));
}

static err
make_heads(struct bench *b)
{
    view hospital, app;
    arena *mem = b->a->mem;
    TRY(bench_token(&b->server, b->dir, "h1", mem, &hospital, b->f));
    TRY(bench_token(&b->server, b->dir, "app", mem, &app, b->f));
    b->document_head =
        arena_printf(mem,
                     "POST /fhir/r4/Bundle HTTP/1.1\r\nHost: gateway.example.tw\r\nAuthorization: Bearer "
                     "%.*s\r\nContent-Type: application/fhir+json\r\n",
                     VIEW_ARG(hospital));
    b->application_head =
        arena_printf(mem,
                     "POST /v1/applications HTTP/1.1\r\nHost: gateway.example.tw\r\nAuthorization: Bearer "
                     "%.*s\r\nContent-Type: application/json\r\n",
                     VIEW_ARG(app));
    return b->document_head.p && b->application_head.p ? E_OK : E_TOO_LARGE;
}

/* Applications stand on file before the clock starts. */
static err
file_applications(struct bench *b)
{
    size_t n = b->documents.n_cases;
    AUTO(arena_free) arena *mem = arena_new((size_t)1 << 30);
    b->applications = arena_make_array(mem, n, view);
    if (!b->applications)
        return E_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        AUTO(arena_free) arena *scratch = arena_new((size_t)4 << 20);
        view text;
        TRY(bench_application(b->pki, &b->documents, i, scratch, &text, b->f));
        b->applications[i] = arena_dup(mem, text);
        if (!b->applications[i].p)
            return E_TOO_LARGE;
    }
    struct bench_load load = {.port = b->server.port,
                              .connections = 8,
                              .n = n,
                              .self = b,
                              .fill = fill_application,
                              .receipt = "\"receipt\":\""};
    return bench_load_run(&load, b->f);
}

static double
own_cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static err
send_documents(struct bench *b)
{
    struct bench_usage before, after;
    b->load = (struct bench_load){.port = b->server.port,
                                  .connections = (int)b->connections,
                                  .n = b->documents.n,
                                  .limit_us = b->seconds * 1000000,
                                  .self = b,
                                  .fill = fill_document,
                                  .receipt = "\"name\":\"receipt\"",
                                  .latencies = arena_make_array(b->a->mem, b->documents.n, int32_t)};
    TRY(bench_server_usage(&b->server, &before, b->f));
    double client = own_cpu_us();
    TRY(bench_load_run(&b->load, b->f));
    b->client_us = own_cpu_us() - client;
    TRY(bench_server_usage(&b->server, &after, b->f));
    b->server_us = after.cpu_us - before.cpu_us;
    b->writer_us = after.writer_us - before.writer_us;
    b->checkpoint_us = after.checkpoint_us - before.checkpoint_us;
    b->switches = after.switches > before.switches ? after.switches - before.switches : 0;
    b->rss_mb = bench_server_rss_mb(&b->server);
    int64_t stored = bench_server_metric(
        &b->server, "claimgate_submissions_total{kind=\"document\",result=\"accepted\"}", b->a->mem);
    if (stored != (int64_t)b->load.accepted)
        return fault_setf(b->f, E_INTERNAL, "as many stored documents as were accepted", "another number",
                          "%lld", (long long)stored);
    /* Each application and each document was acknowledged, and its way to the receipt was measured. */
    int64_t acknowledged =
        bench_server_metric(&b->server, "claimgate_submission_ack_seconds_count", b->a->mem);
    if (acknowledged != (int64_t)(b->documents.n_cases + b->load.accepted))
        return fault_setf(b->f, E_INTERNAL, "as many acknowledgements as applications and documents",
                          "another number", "%lld", (long long)acknowledged);
    b->documents_digest = bench_documents_digest(&b->documents, b->load.sent);
    return E_OK;
}

static err
measure_limits(struct bench *b, struct bench_limits *ret)
{
    bench_pin(b->server_core);
    err e = bench_limits_measure(b->dir, ret, b->f);
    bench_pin(b->load_core);
    return e;
}

static err
run_in_folder(struct bench *b)
{
    TRY(sandbox_make(b->a, b->dir, "127.0.0.1:0", b->f));
    TRY(measure_limits(b, &b->before));
    size_t n = (size_t)(b->before.verifications * SHARE_MAX) * (size_t)b->seconds;
    TRY(bench_documents_make(b->pki, b->seed, n, b->a->mem, &b->documents, b->f));
    TRY(bench_server_start(b->dir, b->server_core, &b->server, b->f));
    TRY(make_heads(b));
    TRY(file_applications(b));
    TRY(make_heads(b)); /* fresh tokens */
    TRY(send_documents(b));
    bench_server_stop(&b->server);
    return measure_limits(b, &b->after);
}

/* -- result -- */

static int
compare(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static double
percentile_ms(const struct bench_load *l, double share)
{
    size_t at = (size_t)(share * (double)(l->sent - 1));
    return (double)l->latencies[at] / 1e3;
}

static double
mean(double a, double b)
{
    return (a + b) / 2;
}

static void
print_json(const struct bench *b, const char *hash)
{
    const struct bench_load *l = &b->load;
    double rate = (double)l->accepted * 1e6 / (double)l->elapsed_us,
           raw = mean(b->before.verifications, b->after.verifications), n = (double)l->accepted;
    printf("{\"accepted_per_s\":%.1f,\"es256_verify_per_s\":%.1f,\"ratio_one_core\":%.4f,\"fdatasync_per_s\":"
           "%.1f,\"sha256_mb_per_s\":%.1f,"
           "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"rss_mb\":%.1f,\"server_cpu_us_per_bundle\":%.1f,\"writer_cpu_"
           "us_per_bundle\":%.1f,\"checkpoint_cpu_us_per_bundle\":%.1f,"
           "\"client_cpu_us_per_bundle\":%.1f,\"ratio_cpu\":%.4f,\"switches_per_bundle\":%.1f,\"seconds\":%."
           "2f,\"connections\":%d,\"documents\":%zu,\"sent\":%zu,\"document_bytes\":%zu,"
           "\"cores\":%d,\"seed\":%llu,\"documents_sha256\":\"%s\"}\n",
           rate, raw, rate / raw, mean(b->before.syncs, b->after.syncs),
           mean(b->before.hashed_mb, b->after.hashed_mb), percentile_ms(l, 0.5), percentile_ms(l, 0.99),
           b->rss_mb, b->server_us / n, b->writer_us / n, b->checkpoint_us / n, b->client_us / n,
           mean(b->before.verify_cpu_us, b->after.verify_cpu_us) * n / b->server_us, b->switches / n,
           (double)l->elapsed_us / 1e6, l->connections, l->accepted, l->sent, b->documents.bytes,
           b->server_core == b->load_core ? 1 : 2, (unsigned long long)b->seed, hash);
}

static void
print_table(const struct bench *b, const char *hash)
{
    const struct bench_load *l = &b->load;
    double rate = (double)l->accepted * 1e6 / (double)l->elapsed_us,
           raw = mean(b->before.verifications, b->after.verifications), n = (double)l->accepted;
    double server = b->server_us / n, writer = b->writer_us / n, checkpoint = b->checkpoint_us / n,
           verify = mean(b->before.verify_cpu_us, b->after.verify_cpu_us);
    double hashing = (double)b->documents.bytes / mean(b->before.hashed_mb, b->after.hashed_mb);
    printf("Accepted, verified, durable documents with 3 deliveries each, server on core %d, load on core "
           "%d:\n\n",
           b->server_core, b->load_core);
    printf("  accepted            %10.0f /s    %zu documents of %zu bytes in %.1f s over %d connections\n",
           rate, l->accepted, b->documents.bytes, (double)l->elapsed_us / 1e6, l->connections);
    printf("  raw ES256 verify    %10.0f /s    the same core\n", raw);
    printf(
        "  ratio               %10.3f       accepted : raw verifications (%.3f by the CPU the server used)\n",
        rate / raw, verify / server);
    printf("  fdatasync of 8 KB   %10.0f /s\n", mean(b->before.syncs, b->after.syncs));
    printf("  SHA-256             %10.0f MB/s\n", mean(b->before.hashed_mb, b->after.hashed_mb));
    printf("  latency             %10.2f ms p50, %.2f ms p99\n", percentile_ms(l, 0.5),
           percentile_ms(l, 0.99));
    printf("  server memory       %10.1f MB resident\n\n", b->rss_mb);
    printf("Where the server's time goes, microseconds of CPU a document:\n\n");
    printf("  all                 %10.1f       %.1f switches of threads a document\n", server,
           b->switches / n);
    printf("  store writer        %10.1f\n  checkpoint          %10.1f\n", writer, checkpoint);
    printf("  connections         %10.1f       of it verify %.1f, hash of the body %.1f, by the raw limits\n",
           server - writer - checkpoint, verify, hashing);
    printf(
        "  load generator      %10.1f       (not in the figure)\n\nseed %llu, SHA-256 of the documents %s\n",
        b->client_us / n, (unsigned long long)b->seed, hash);
}

static void
print_result(struct bench *b)
{
    char hash[65];
    for (size_t i = 0; i < sizeof b->documents_digest.b; i++)
        snprintf(hash + 2 * i, 3, "%02x", b->documents_digest.b[i]);
    qsort(b->load.latencies, b->load.sent, sizeof *b->load.latencies, compare);
    if (b->a->json)
        print_json(b, hash);
    else
        print_table(b, hash);
}

static err
run_bench(struct bench *b)
{
    TRY(bench_folder(b->dir, b->f));
    snprintf(b->pki, sizeof b->pki, "%s/pki", b->dir);
    bench_cores(&b->server_core, &b->load_core);
    TRY(net_start());
    err e = run_in_folder(b);
    bench_server_stop(&b->server);
    bench_documents_done(&b->documents);
    net_stop();
    bench_remove(b->dir);
    return e;
}

int
run_bench_submit(struct args *a)
{
    struct fault f;
    fault_init(&f);
    struct bench b = {.a = a,
                      .f = &f,
                      .seconds = args_number(a, "seconds", 10),
                      .connections = args_number(a, "connections", CONNECTIONS)};
    long seed = args_number(a, "seed", 1);
    if (b.seconds < 1 || b.seconds > SECONDS_MAX || seed < 0)
        return command_usage(a, "--seconds is 1 to 120, --seed not negative");
    if (b.connections < 1 || b.connections > 400)
        return command_usage(a, "--connections is 1 to 400");
    b.seed = (uint64_t)seed;
    err e = run_bench(&b);
    if (e != E_OK)
        return command_fail(a, e, &f);
    print_result(&b);
    return EXIT_OK;
}
