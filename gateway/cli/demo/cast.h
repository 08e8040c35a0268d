/* The processes of a demo: a sandbox in a temporary folder, gateway and parties as processes of this same binary.
 *
 * The conductor gives jobs to a party by a line on its stdin and takes what it tells on its stdout, a JSON object a line
 * (party.h); `ready` and `done` are seen here, all else goes to `take`.  Everything has a deadline.  Signals are blocked
 * before threads start and seen by cast_wait alone.  One thread. */
#ifndef CLI_CAST_H
#define CLI_CAST_H

#include "cli/demo/party.h"

#include <sys/types.h>

#define CAST_CHILDREN 16

struct child {
    const char *name;
    pid_t pid; /* 0: not running */
    int in;    /* its stdin, -1 when shut */
    struct lines out;
    bool ready;
    int jobs; /* given and not yet done */
};

struct cast {
    struct args *a;
    char dir[256]; /* the sandbox's folder */
    int port, ops_port;
    int64_t deadline_us;
    int signals; /* signalfd */
    bool keep, interrupted, timed_out;
    const char *dead; /* a child that ended by itself */
    struct child children[CAST_CHILDREN];
    size_t n_children;
    void *self;
    void (*take)(void *self, const json_t *told); /* told lives until it returns */
    void (*tick)(void *self);                     /* while waiting; may be NULL */
};

/* Blocks signals; before threads. */
void cast_init(struct cast *c, struct args *a, int64_t deadline_us);
/* Makes the temporary folder. */
err cast_folder(struct cast *c, struct fault *f) MUST_USE;
/* A free port of the loopback address.  The configuration names it (links and audiences carry it), so one is looked
 * for. */
err cast_port(struct cast *c, struct fault *f) MUST_USE;
/* Starts `serve` on the folder's configuration and waits until it is ready. */
err cast_serve(struct cast *c, struct fault *f) MUST_USE;
/* Starts a process: words NULL-terminated; the first names its log. */
err cast_start(struct cast *c, const char *name, const char *const *words, struct fault *f) MUST_USE;
/* A party of this kind ("hospital", "actor", …). */
err cast_party(struct cast *c, const char *kind, const char *name, struct fault *f) MUST_USE;
struct child *cast_child(struct cast *c, const char *name);
/* Gives a job; the child answers with {"done":…}. */
void cast_job(struct cast *c, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void cast_send(struct cast *c, const char *name, view line);
/* Takes what the children tell until is_over(c->self); E_NETWORK when one has died, E_BUSY after the deadline or a
 * signal. */
err cast_wait(struct cast *c, bool (*is_over)(const struct cast *c)) MUST_USE;
bool cast_all_ready(const struct cast *c);
bool cast_all_done(const struct cast *c);
/* Ends all children: asks, waits, kills.  Others may be started afterwards. */
void cast_end(struct cast *c);
/* Closes their pipes and leaves them. */
void cast_leave(struct cast *c);
void cast_remove(struct cast *c);
void cast_done(struct cast *c);

/* What ends a demo before its table, told on stderr: EXIT_OK when nothing did. */
int cast_outcome(struct cast *c, err e, const struct fault *f);

#endif
