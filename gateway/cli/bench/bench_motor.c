#include "cli/bench/bench.h"

#include "base/text.h"
#include "cli/operate/sandbox.h"
#include "cli/sample/sign.h"
#include "net/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Motor filings with ten photos of 2 MB each, as an app sends them: every photo in a request of its own, then the signed filing that names them.  Beside it, in
 * the same run and folder, the plain copy of the same number of bytes from file to file, synced file by file: what a gateway that did nothing would need. */
#define PHOTOS 10
#define PHOTO_BYTES ((size_t)2000000)
#define FILINGS_MAX 100000
#define CONNECTIONS_MAX 32
#define ANSWER_MAX 65536

struct motor_bench {
    struct args *a;
    char dir[BENCH_PATH], pki[BENCH_PATH + 8];
    long filings, connections;
    uint64_t seed;
    int server_core, load_core;
    struct bench_server server;
    view token;
    view picture; /* one photo; each differs in a number within its coded data */
    size_t number_at;
    atomic_long next;
    long until; /* filings of this round are next … until - 1 */
    atomic_int failed;
    char said[512];              /* of the first refusal */
    double first_rss, rss_mb[3]; /* after a tenth, half, all */
    int64_t elapsed_us, copy_us;
    double server_cpu_us;
    struct fault *f;
};

/* -- pictures -- */

static void
add_segment(struct buf *b, uint8_t marker, view body)
{
    const uint8_t head[] = {0xFF, marker, (uint8_t)((body.n + 2) >> 8), (uint8_t)(body.n + 2)};
    buf_add(b, head, sizeof head);
    buf_add_view(b, body);
}

/* A JPEG by its segments, with EXIF to be left out; the coded data are of the seed and hold no marker. */
static err
make_picture(struct motor_bench *b)
{
    struct buf out AUTO_DONE(buf_done);
    uint64_t state = b->seed * 2862933555777941757u + 3037000493u;
    buf_init(&out, PHOTO_BYTES + 4096);
    BUF_LIT(&out, "\xFF\xD8");
    add_segment(&out, 0xE0, V("JFIF\0\1\2\0\0\1\0\1\0\0"));
    add_segment(&out, 0xE1, V("Exif\0\0MM\0*\0\0\0\x08\0\0GPS 25.0330N 121.5654E"));
    add_segment(&out, 0xDA, V("\1\1\0\0\77\0"));
    b->number_at = out.n;
    while (out.n < PHOTO_BYTES - 2 && !out.failed) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint8_t byte = (uint8_t)(state >> 56);
        buf_add_byte(&out, (char)(byte == 0xFF ? 0xFE : byte));
    }
    BUF_LIT(&out, "\xFF\xD9");
    b->picture = out.failed ? VIEW_NONE : arena_dup(b->a->mem, buf_view(&out));
    return b->picture.p ? E_OK : E_TOO_LARGE;
}

/* -- one connection -- */

struct lane {
    struct motor_bench *b;
    pthread_t thread;
    int fd;
    arena *mem;
    char *photo; /* PHOTO_BYTES, written anew for each */
};

static err
lane_open(struct lane *l)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)l->b->server.port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (const struct sockaddr *)&to, sizeof to) < 0)
        return E_NETWORK;
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return E_OK;
}

static err
send_all(int fd, view bytes)
{
    for (size_t sent = 0; sent < bytes.n;) {
        ssize_t n = send(fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return E_NETWORK;
        sent += (size_t)n;
    }
    return E_OK;
}

/* The length that the head names, -1 while it is not whole. */
static ssize_t
whole_length(view in)
{
    size_t head = view_find(in, V("\r\n\r\n"));
    view rest = view_sub(in, 0, head);
    if (head == in.n)
        return -1;
    while (rest.n) {
        view line = view_cut(&rest, '\n', NULL), name = view_cut(&line, ':', NULL);
        uint64_t n;
        if (view_eq_nocase(name, V("content-length")) && text_to_u64(view_trim(line), &n) == E_OK)
            return (ssize_t)(head + 4 + n);
    }
    return (ssize_t)(head + 4);
}

/* Reads the answer; any but 201 ends the run. */
static err
read_answer(struct lane *l)
{
    char in[ANSWER_MAX];
    size_t n = 0;
    ssize_t whole = -1;
    while (whole < 0 || n < (size_t)whole) {
        ssize_t some = recv(l->fd, in + n, sizeof in - n, 0);
        if (some <= 0)
            return E_NETWORK;
        n += (size_t)some;
        whole = whole_length(view_make(in, n));
        if (whole > (ssize_t)sizeof in)
            return E_TOO_LARGE;
    }
    if (view_eq(view_sub(view_make(in, n), 9, 3), V("201")))
        return E_OK;
    if (atomic_exchange(&l->b->failed, 1) == 0)
        snprintf(l->b->said, sizeof l->b->said, "%.*s", (int)(n < 500 ? n : 500), in);
    return E_INTERNAL;
}

static err
post(struct lane *l, view method_and_path, view media, view more, view body)
{
    view head = arena_printf(
        l->mem,
        "%.*s HTTP/1.1\r\nHost: gateway.example.tw\r\nAuthorization: Bearer %.*s\r\nContent-Type: "
        "%.*s\r\n%.*sContent-Length: %zu\r\n\r\n",
        VIEW_ARG(method_and_path), VIEW_ARG(l->b->token), VIEW_ARG(media), VIEW_ARG(more), body.n);
    if (!head.p)
        return E_TOO_LARGE;
    TRY(send_all(l->fd, head));
    TRY(send_all(l->fd, body));
    return read_answer(l);
}

static err
send_photo(struct lane *l, long filing, int photo, struct buf *names)
{
    char number[32];
    snprintf(number, sizeof number, "%020llu-%08ld-%d", (unsigned long long)l->b->seed, filing, photo);
    memcpy(l->photo, l->b->picture.p, l->b->picture.n);
    memcpy(l->photo + l->b->number_at, number, strlen(number));
    view body = view_make(l->photo, l->b->picture.n);
    digest d = sha256(body);
    view hex = text_hex(l->mem, digest_view(&d));
    buf_printf(names, "%s{\"sha256\":\"%.*s\",\"media\":\"image/jpeg\"}", photo ? "," : "", VIEW_ARG(hex));
    return post(l, arena_printf(l->mem, "PUT /v1/attachments/%.*s", VIEW_ARG(hex)), V("image/jpeg"), V(""),
                body);
}

static view
filing_text(struct lane *l, long filing, view photos)
{
    return arena_printf(
        l->mem,
        "{\"format\":\"motor-filing-1\",\"filing\":\"urn:bench:%020llu:%08ld\",\"part\":\"filing\","
        "\"written\":\"2026-03-02T10:00:00+08:00\",\"author\":{\"kind\":\"owner\"},\"accident\":{"
        "\"occurred\":\"2026-03-01T08:15:00+08:00\",\"place\":\"沙箱市中正路\"},\"owner\":{\"name\":"
        "\"王沙箱\",\"identifiers\":[{\"system\":\"http://www.moi.gov.tw\",\"value\":\"A190130001\"}]},"
        "\"vehicle\":{\"plate\":\"BAA-1001\",\"kind\":\"自用小客車\"},\"damage\":[{\"area\":\"後保險桿\"}],"
        "\"photos\":[%.*s],\"claims\":[{\"insurer\":\"99000447\",\"line\":\"own_damage\"}],\"shop\":{"
        "\"code\":\"99000811\"}}",
        (unsigned long long)l->b->seed, filing, VIEW_ARG(photos));
}

static err
send_filing(struct lane *l, long filing)
{
    struct buf names AUTO_DONE(buf_done);
    char key[BENCH_PATH + 32], certificate[BENCH_PATH + 32];
    view jws;
    struct fault f;
    fault_init(&f);
    arena_reset(l->mem);
    buf_init(&names, 65536);
    for (int i = 0; i < PHOTOS; i++)
        TRY(send_photo(l, filing, i, &names));
    view body = filing_text(l, filing, buf_view(&names));
    snprintf(key, sizeof key, "%s/person-wang.key", l->b->pki);
    snprintf(certificate, sizeof certificate, "%s/person-wang.crt", l->b->pki);
    TRY(sign_jws(key, certificate, NULL, NULL, body, true, INSTANT_NONE, l->mem, &jws, &f));
    return post(l, V("POST /v1/motor-filings"), V("application/json"),
                arena_printf(l->mem, "X-JWS-Signature: %.*s\r\n", VIEW_ARG(jws)), body);
}

/* -- the run -- */

static void
note_memory(struct motor_bench *b, long filing)
{
    const long first = b->until - b->filings, marks[] = {(b->filings + 9) / 10, (b->filings + 1) / 2};
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (b->first_rss > 0 && filing - first == marks[i])
            b->rss_mb[i] = bench_server_rss_mb(&b->server);
}

static void *
run_lane(void *self)
{
    struct lane *l = self;
    long filing;
    while ((filing = atomic_fetch_add(&l->b->next, 1)) < l->b->until && !atomic_load(&l->b->failed)) {
        note_memory(l->b, filing);
        if (send_filing(l, filing) != E_OK)
            atomic_store(&l->b->failed, 1);
    }
    return NULL;
}

static void
lane_close(struct lane *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->photo);
    arena_free(l->mem);
}

/* Filings from…until - 1, by all lanes at once. */
static err
run_round(struct motor_bench *b, struct lane *lanes, long from, long until)
{
    atomic_store(&b->next, from);
    b->until = until;
    for (long i = 0; i < b->connections; i++)
        if (pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) != 0)
            abort();
    for (long i = 0; i < b->connections; i++)
        pthread_join(lanes[i].thread, NULL);
    return atomic_load(&b->failed) ? fault_set(b->f, E_INTERNAL, "filing", "201 and a receipt", b->said)
                                   : E_OK;
}

/* A filing of each connection warms up; memory is noted and the clock started behind them. */
static err
measure(struct motor_bench *b, struct lane *lanes)
{
    struct bench_usage before, after;
    TRY(run_round(b, lanes, 0, b->connections));
    b->first_rss = bench_server_rss_mb(&b->server);
    TRY(bench_server_usage(&b->server, &before, b->f));
    int64_t from = clock_monotonic_us();
    TRY(run_round(b, lanes, b->connections, b->connections + b->filings));
    b->elapsed_us = clock_monotonic_us() - from;
    TRY(bench_server_usage(&b->server, &after, b->f));
    b->server_cpu_us = after.cpu_us - before.cpu_us;
    b->rss_mb[2] = bench_server_rss_mb(&b->server);
    return E_OK;
}

static err
run_lanes(struct motor_bench *b)
{
    struct lane lanes[CONNECTIONS_MAX];
    err e = E_OK;
    for (long i = 0; i < b->connections; i++) {
        lanes[i] = (struct lane){.b = b, .fd = -1, .mem = arena_new(1u << 20), .photo = malloc(b->picture.n)};
        if (!lanes[i].photo)
            abort();
        if (e == E_OK)
            e = lane_open(&lanes[i]);
    }
    if (e == E_OK)
        e = measure(b, lanes);
    for (long i = 0; i < b->connections; i++)
        lane_close(&lanes[i]);
    return e;
}

/* -- plain copy -- */

static err
copy_file(const char *from, const char *to, char *room)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = in >= 0 ? read(in, room, PHOTO_BYTES) : -1;
    bool good = out >= 0 && n > 0 && write(out, room, (size_t)n) == n && fdatasync(out) == 0;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return good ? E_OK : E_FILE;
}

/* As many files of as many bytes, each synced: read, write, sync, and nothing else. */
static err
copy_plain(struct motor_bench *b)
{
    char from[BENCH_PATH + 32], to[BENCH_PATH + 64];
    char *room = malloc(PHOTO_BYTES);
    err e = room ? E_OK : E_TOO_LARGE;
    snprintf(from, sizeof from, "%s/photo.jpg", b->dir);
    FILE *file = fopen(from, "we");
    if (!file || fwrite(b->picture.p, 1, b->picture.n, file) != b->picture.n)
        e = E_FILE;
    if (file)
        fclose(file);
    int64_t begun = clock_monotonic_us();
    for (long i = 0; i < b->filings * PHOTOS && e == E_OK; i++) {
        snprintf(to, sizeof to, "%s/copy-%ld.jpg", b->dir, i);
        e = copy_file(from, to, room);
    }
    b->copy_us = clock_monotonic_us() - begun;
    free(room);
    return e == E_OK ? E_OK : fault_set(b->f, e, b->dir, "room for the copies", "none");
}

static err
run_in_folder(struct motor_bench *b)
{
    TRY(sandbox_make(b->a, b->dir, "127.0.0.1:0", b->f));
    TRY(make_picture(b));
    bench_pin(b->server_core); /* the copy runs where the server will */
    err e = copy_plain(b);
    bench_pin(b->load_core);
    TRY(e);
    TRY(bench_server_start(b->dir, b->server_core, &b->server, b->f));
    TRY(bench_token(&b->server, b->dir, "app", b->a->mem, &b->token, b->f));
    return run_lanes(b);
}

static err
run_bench(struct motor_bench *b)
{
    TRY(bench_folder(b->dir, b->f));
    snprintf(b->pki, sizeof b->pki, "%s/pki", b->dir);
    bench_cores(&b->server_core, &b->load_core);
    TRY(net_start());
    err e = run_in_folder(b);
    bench_server_stop(&b->server);
    net_stop();
    bench_remove(b->dir);
    return e;
}

/* -- result -- */

static void
print_result(const struct motor_bench *b)
{
    double n = (double)b->filings, mb = n * PHOTOS * (double)b->picture.n / 1e6;
    double rate = n * 1e6 / (double)b->elapsed_us, copy = n * 1e6 / (double)b->copy_us;
    if (b->a->json) {
        printf("{\"filings_per_s\":%.2f,\"copy_filings_per_s\":%.2f,\"ratio\":%.4f,\"mb_per_s\":%.1f,"
               "\"copy_mb_per_s\":%.1f,\"rss_start_mb\":%.1f,\"rss_tenth_mb\":%.1f,\"rss_half_mb\":%.1f,"
               "\"rss_end_mb\":%.1f,\"server_cpu_ms_per_filing\":%.1f,\"seconds\":%.2f,\"filings\":%ld,"
               "\"photos\":%d,\"photo_bytes\":%zu,\"connections\":%ld,\"cores\":%d,\"seed\":%llu}\n",
               rate, copy, rate / copy, mb * 1e6 / (double)b->elapsed_us, mb * 1e6 / (double)b->copy_us,
               b->first_rss, b->rss_mb[0], b->rss_mb[1], b->rss_mb[2], b->server_cpu_us / n / 1e3,
               (double)b->elapsed_us / 1e6, b->filings, PHOTOS, b->picture.n, b->connections,
               b->server_core == b->load_core ? 1 : 2, (unsigned long long)b->seed);
        return;
    }
    printf("Motor filings with %d photos of %zu bytes, server on core %d, load on core %d:\n\n", PHOTOS,
           b->picture.n, b->server_core, b->load_core);
    printf("  filings             %10.2f /s    %ld in %.1f s over %ld connections\n", rate, b->filings,
           (double)b->elapsed_us / 1e6, b->connections);
    printf("  photos              %10.1f MB/s  received, sealed, copied without EXIF, synced\n",
           mb * 1e6 / (double)b->elapsed_us);
    printf("  plain copy          %10.2f /s    %.1f MB/s, the same bytes from file to file, synced\n", copy,
           mb * 1e6 / (double)b->copy_us);
    printf("  ratio               %10.3f       filings : plain copy\n", rate / copy);
    printf("  server CPU          %10.1f ms a filing\n", b->server_cpu_us / n / 1e3);
    printf("  server memory       %10.1f MB after one filing of each connection, %.1f after a tenth, %.1f "
           "after half, "
           "%.1f at the end\n",
           b->first_rss, b->rss_mb[0], b->rss_mb[1], b->rss_mb[2]);
}

int
run_bench_motor(struct args *a)
{
    struct fault f;
    fault_init(&f);
    struct motor_bench b = {.a = a,
                            .f = &f,
                            .filings = args_number(a, "filings", 50),
                            .connections = args_number(a, "connections", 4)};
    long seed = args_number(a, "seed", 1);
    if (b.filings < 2 || b.filings >= FILINGS_MAX || seed < 0)
        return command_usage(a, "--filings is 2 to 99,999, --seed not negative");
    if (b.connections < 1 || b.connections > CONNECTIONS_MAX)
        return command_usage(a, "--connections is 1 to 32");
    b.seed = (uint64_t)seed;
    err e = run_bench(&b);
    if (e != E_OK)
        return command_fail(a, e, &f);
    print_result(&b);
    return EXIT_OK;
}
