/* The inside of `claimgate bench submit`: documents, load, the measured server and the machine's raw limits.
 *
 * The server is a child process on one core, the load comes from this process on another.  Everything that is sent is
 * made from the seed; what varies between two documents is a few numbers in a template, so that a request costs the
 * sender a copy and the run a known set of bytes.  One thread. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/instant.h"
#include "cli/command.h"

#include <sys/types.h>

#define BENCH_PATH 4352
#define BENCH_TEMPLATES 3
#define BENCH_SIGNATURE 86 /* r and s of P-256 in base64url */
#define BENCH_DOCUMENTS_PER_CASE 8

/* -- the machine (bench_limits.c) -- */
struct bench_limits {
    double verifications, syncs, hashed_mb; /* per second */
    double verify_cpu_us;                   /* of one verification */
};
/* On the core where it runs; files in dir. */
err bench_limits_measure(const char *dir, struct bench_limits *ret, struct fault *f) MUST_USE;
/* Two allowed cores, the same one twice when there is no other. */
void bench_cores(int *ret_server, int *ret_load);
void bench_pin(int core);

/* -- documents (bench_documents.c) -- */
struct bench_template {
    const char *person; /* key of the person in the sandbox PKI */
    view body;
    struct {
        size_t at;
        bool of_case; /* the case's number, else the document's own */
    } places[8];
    size_t n_places;
};
struct bench_documents {
    struct bench_template templates[BENCH_TEMPLATES];
    view protected_part;                 /* of every signature */
    char (*signatures)[BENCH_SIGNATURE]; /* one a document */
    size_t n, n_cases;
    uint64_t seed;
    size_t bytes; /* of one document, mean */
};
/* Makes and signs n documents of n / 8 cases; frees with bench_documents_done. */
err bench_documents_make(const char *pki, uint64_t seed, size_t n, arena *mem, struct bench_documents *ret,
                         struct fault *f) MUST_USE;
void bench_documents_done(struct bench_documents *d);
/* Document i: neighbours belong to different cases. */
void bench_document(const struct bench_documents *d, size_t i, struct buf *out);
/* SHA-256 over the first n in order. */
digest bench_documents_digest(const struct bench_documents *d, size_t n);
/* Signed application of a case: one person, three insurers with a permission for certificates. */
err bench_application(const char *pki, const struct bench_documents *d, size_t of_case, arena *mem, view *ret,
                      struct fault *f) MUST_USE;

/* -- load (bench_load.c) -- */
struct bench_load {
    int port, connections;
    size_t n;         /* requests at most */
    int64_t limit_us; /* no new request after so long; 0 = none */
    void *self;
    err (*fill)(void *self, size_t i, struct buf *out); /* a whole request */
    const char *receipt;                                /* words that every answer must hold */
    /* filled by bench_load_run */
    size_t sent, accepted;
    int64_t elapsed_us;
    int32_t *latencies; /* room for n */
    int first_bad;      /* status of the first answer that was no 201 */
    char bad_text[1024];
};
err bench_load_run(struct bench_load *l, struct fault *f) MUST_USE;

/* -- the server (bench_server.c) -- */
struct bench_server {
    pid_t pid;
    int out; /* its stdout */
    int port, ops_port;
};
struct bench_usage {
    double cpu_us;                   /* of the whole process */
    double writer_us, checkpoint_us; /* of two of its threads */
    double switches;
};
err bench_server_start(const char *dir, int core, struct bench_server *ret, struct fault *f) MUST_USE;
void bench_server_stop(struct bench_server *s);
err bench_server_usage(const struct bench_server *s, struct bench_usage *ret, struct fault *f) MUST_USE;
double bench_server_rss_mb(const struct bench_server *s);
/* One value of /metrics, its line's beginning given; -1 when it is not there. */
int64_t bench_server_metric(const struct bench_server *s, const char *line, arena *mem);
/* Token of a sandbox partner. */
err bench_token(const struct bench_server *s, const char *dir, const char *partner, arena *mem, view *ret,
                struct fault *f) MUST_USE;
/* A new folder in TMPDIR or /var/tmp; ret of BENCH_PATH bytes. */
err bench_folder(char *ret, struct fault *f) MUST_USE;
/* Removes a folder with everything in it. */
void bench_remove(const char *dir);

#define BENCH_BASE_URL "http://gateway.example.tw"

#endif
