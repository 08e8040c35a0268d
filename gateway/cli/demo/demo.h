/* Inside of demo.c: the processes of one demo and what they told.
 *
 * The demo is a conductor: it makes a sandbox in a temporary folder, starts gateway and parties as processes of this
 * same binary, gives jobs to the parties by their stdin, collects what they tell on stdout, and prints it.  Everything
 * has a deadline.  One thread. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/demo/party.h"

#include <sys/types.h>

#define DEMO_CHILDREN 11
#define DEMO_ROWS 64

struct child {
    const char *name;
    pid_t pid; /* 0: not running */
    int in;    /* its stdin, -1 when shut */
    struct lines out;
    bool ready;
    int jobs; /* given and not yet done */
};

struct step {
    const char *text, *by;
    bool ok;
};
struct refusal {
    const char *what, *by, *code, *expected, *place;
    int status;
    bool ok;
};
struct recipient {
    const char *name, *via, *view;
    int64_t events, missing, unannounced, claims, documents, originals, lines_seen, lines_not, diagnosis_seen,
        diagnosis_not, attempts, statuses, median_us, bad_signatures;
};
struct totals {
    int64_t accepted, applications, verified, verified_applications, refused_signatures, deliveries, retries,
        leaves, wall_us;
};

struct demo {
    struct args *a;
    arena *mem;
    char dir[256];
    int port, ops_port;
    int64_t wanted; /* mixed documents */
    int64_t started_us, deadline_us;
    int signals; /* signalfd */
    bool interrupted, timed_out, keep, progress;
    const char *dead; /* a child that ended by itself */
    struct child children[DEMO_CHILDREN];
    size_t n_children;
    struct step steps[DEMO_ROWS];
    size_t n_steps;
    struct refusal refusals[DEMO_ROWS];
    size_t n_refusals;
    struct recipient recipients[8];
    size_t n_recipients;
    struct totals totals;
    int64_t documents_sent, documents_failed, applications_failed;
    char peek[64]; /* a claim of L2, for another insurer to ask for */
};

/* -- processes -- */
/* name NULL-terminated words; the first is the child's name in messages. */
err demo_start(struct demo *d, const char *name, const char *const *words, struct fault *f) MUST_USE;
struct child *demo_child(struct demo *d, const char *name);
/* Gives a job; the child answers with {"done":…}. */
void demo_job(struct demo *d, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
/* Takes what the children tell until `is_over`; E_NETWORK when one has died, E_BUSY after the deadline or a signal. */
err demo_wait(struct demo *d, bool (*is_over)(const struct demo *d)) MUST_USE;
bool demo_all_ready(const struct demo *d);
bool demo_all_done(const struct demo *d);
/* Ends all children: asks, waits, kills. */
void demo_end(struct demo *d);
void demo_remove_folder(const char *dir);

/* -- what was told -- */
void demo_take(struct demo *d, struct child *c, view line);
err demo_read_metrics(struct demo *d, struct fault *f) MUST_USE;
bool demo_holds(const struct demo *d);
void demo_print_steps(const struct demo *d, size_t from);
void demo_print(const struct demo *d);
void demo_print_json(const struct demo *d);
void demo_progress(struct demo *d, bool last);

#endif
