/* Inside of demo.c: what the parties of one demo told, and how it is shown.  One thread. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/demo/cast.h"

#define DEMO_ROWS 64

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
    struct cast cast;
    int64_t wanted; /* mixed documents */
    int64_t started_us;
    bool progress;
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

/* A party told something that is neither ready nor done. */
void demo_take(void *self, const json_t *told);
err demo_read_metrics(struct demo *d, struct fault *f) MUST_USE;
/* claimgate demo --motor: the stories of motor claims (motor.h). */
int run_demo_motor(struct args *a);
bool demo_holds(const struct demo *d);
void demo_print_steps(const struct demo *d, size_t from);
void demo_print(const struct demo *d);
void demo_print_json(const struct demo *d);
void demo_progress(struct demo *d, bool last);

#endif
