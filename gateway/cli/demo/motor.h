/* Inside of `claimgate demo --motor`: what came of each step of each story.  One thread. */
#ifndef CLI_MOTOR_H
#define CLI_MOTOR_H

#include "cli/demo/cast.h"
#include "cli/demo/story.h"

#define MOTOR_ROWS 96
#define MOTOR_FACTS 24

struct fact {
    const char *what, *at, *is, *got;
    bool ok;
};

enum told_kind { TOLD_STEP, TOLD_REFUSED, TOLD_SEEN };

struct told {
    enum told_kind kind;
    const char *by, *text; /* text NULL: a step that is not worth a line while it goes well */
    const char *code, *expected, *place, *file;
    int status;
    int64_t us;
    int day;
    struct fact facts[MOTOR_FACTS];
    size_t n_facts;
    bool ok;
};

struct motor {
    struct args *a;
    arena *mem; /* the run's */
    struct cast cast;
    struct story story;
    const json_t *step; /* on its way */
    const char *scenario, *title;
    struct told rows[MOTOR_ROWS]; /* of the present story */
    size_t n_rows;
    int day;
    size_t stories, steps, seen, refused, failed; /* of all */
    int64_t started_us;
};

/* The clock of the gateway and of all parties, by the operators' socket. */
err motor_go_to_day(struct motor *m, int day, struct fault *f) MUST_USE;
/* A partner's options in the registry, signed by an operator: {"partner":CODE,"options":{…}}. */
err motor_set_options(struct motor *m, const json_t *step, struct fault *f) MUST_USE;

void motor_print_title(const struct motor *m);
void motor_print_day(const struct motor *m);
/* One line as it happens. */
void motor_print_row(const struct motor *m, const struct told *r);
/* After a story: what each party saw, and what was refused. */
void motor_print_story(const struct motor *m);
void motor_print_row_json(const struct motor *m, const struct told *r);
void motor_print_end(const struct motor *m, bool ok);

#endif
