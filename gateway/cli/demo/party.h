/* One scripted party of the demo in a process of its own: a hospital, the person's app, or an insurer.
 *
 * A party reads one job a line from stdin ("appendix", "mixed 200", "finish 5000") and tells what happened as one JSON
 * object a line on stdout: {"ready":true}, {"step":…,"ok":…}, {"document":…}, {"application":…}, {"refused":…},
 * {"report":…}, {"done":"appendix"}.  It speaks with the gateway by HTTP only, with its own key.  End of stdin ends it,
 * unless it was told to "stay".  One thread; p->mem is emptied after each job. */
#ifndef CLI_PARTY_H
#define CLI_PARTY_H

#include "adapters/hospital/sample.h"
#include "cli/demo/client.h"

#define PARTY_PATH 4352

struct lines {
    int fd;
    struct buf in;
    size_t taken;
    bool ended;
};
void lines_init(struct lines *l, int fd);
void lines_done(struct lines *l);
/* One read(); call it when poll says so. */
void lines_fill(struct lines *l);
/* The next whole line without its line feed, borrowed until lines_fill. */
bool lines_next(struct lines *l, view *ret);

struct server;

struct party {
    struct args *a;
    const char *dir, *name;
    char pki[PARTY_PATH];
    struct client *client;
    arena *mem;
    struct server *server; /* served between the jobs, when there is one */
};

err party_open(struct party *p, struct args *a, struct fault *f) MUST_USE;
void party_close(struct party *p);
/* Runs each job that stdin brings until its end.  false from the job: it is not known. */
typedef bool (*party_job)(struct party *p, view word, view rest);
int party_run(struct party *p, party_job job);

/* File of a key ("key") or certificate ("crt") of the sandbox. */
err party_pem(const struct party *p, const char *stem, const char *ending, const char **ret) MUST_USE;
/* JWS with x5c over body by a key of the sandbox. */
err party_sign(const struct party *p, const char *signer, view body, bool detach, view *ret, struct fault *f)
    MUST_USE;
/* Waits so long; serves whoever asks meanwhile. */
void party_pause(struct party *p, int ms);

/* A party that needs no more than its folder: opens, runs and closes it.  Returns the exit code. */
int party_main(struct args *a, party_job job);

/* -- telling -- */
/* As a JSON string. */
view party_quoted(view text, arena *mem);
void party_say(const char *format, ...) PRINTF_LIKE(1, 2);
void party_step(const struct party *p, bool ok, const char *format, ...) PRINTF_LIKE(3, 4);
/* A call that failed before there was an answer. */
void party_fault(const struct party *p, const char *what, err e, const struct fault *f);
/* What was refused, and what should have been: the demo compares. */
void party_refused(const struct party *p, const char *what, const char *expected,
                   const struct client_reply *reply);
void party_done(view word);

/* -- what the parties know in common -- */
enum play { PLAY_APPENDIX, PLAY_MINOR, PLAY_ATTACK };
/* The stay that a play is about. */
err party_stay(enum play play, arena *mem, struct sample_stay *ret) MUST_USE;

/* The stays of the mixed part: seeds from 1 until there are `wanted` documents. */
struct mixed {
    int64_t wanted, documents;
    uint64_t seed;
};
struct mixed_stay {
    struct sample_stay stay;
    struct sample_document documents[SAMPLE_DOCUMENTS_MAX];
    size_t n;
    int64_t number; /* of the stay, from 0 */
};
/* false at the end and on failure (*ret_e). */
bool mixed_next(struct mixed *m, arena *mem, struct mixed_stay *ret, err *ret_e);

#endif
