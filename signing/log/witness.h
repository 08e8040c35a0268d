/* Witnesses: others who sign the heads of a log, each head only if it continues the last one they signed.  Then the log's operator cannot show two
 * histories without their help (C2SP tlog-witness, tlog-cosignature).
 *
 * Pure functions: who calls keeps the last head of each log and the connection.  Any thread. */
#ifndef SIGNING_WITNESS_H
#define SIGNING_WITNESS_H

#include "base/instant.h"
#include "signing/log/merkle.h"

struct witness_key {
    view name;
    void *pkey; /* Ed25519; borrowed */
};

/* The line "— name base64(key id ‖ time ‖ signature)\n" of an Ed25519 key over a checkpoint. */
err cosignature_make(view checkpoint, view name, const struct key *k, instant now, arena *mem, view *ret_line,
                     struct fault *f) MUST_USE;
/* How many of the witnesses have a good cosignature on the checkpoint; a bad one of a listed key is an error.  ret_last: the latest time. */
err cosignatures_count(view checkpoint, const struct witness_key *keys, size_t n, size_t *ret_good,
                       instant *ret_last, struct fault *f) MUST_USE;

/* Body of POST add-checkpoint. */
struct witness_request {
    uint64_t old; /* size of the head that the witness signed last, as the log believes */
    digest path[MERKLE_PATH_MAX];
    size_t n;
    view checkpoint;
};
err witness_request_read(view body, arena *mem, struct witness_request *ret, struct fault *f) MUST_USE;
err witness_request_print(const struct witness_request *rq, arena *mem, view *ret_body) MUST_USE;

struct witnessed {
    uint64_t n;
    digest root;
};
/* The answer's HTTP status: 200 (then *ret_new is the head to keep and to sign), 400 form, 403 not signed by the log's key, 409 another last head
 * than the one that the witness has, 422 the new head does not continue it. */
int witness_judge(const struct witness_request *rq, view origin, void *log_key, const struct witnessed *known,
                  struct witnessed *ret_new, struct fault *f);

#endif
