/* Inside of accept.c: the steps of one document in, and what each kind of intake plugs into them. */
#ifndef FLOW_INTAKE_H
#define FLOW_INTAKE_H

#include "flow/case/join.h"
#include "flow/intake/accept.h"
#include "flow/partner/registry.h"

struct motor_paper; /* adapters/claimlink/claimlink.h */

/* One document on its way; lives in the request's arena and thread. */
struct passage {
    struct gateway *g;
    const struct submission *s;
    arena *mem;
    struct issues *issues;
    struct fault *f;
    struct registry *registry;
    struct trust *trust;
    struct reader *reader; /* taken for the listings, then used by the first passage_store; NULL = none */
    bool again;            /* a unit was refused as stale: everything is asked before the next */
    const struct partner *sender, *author, *signer;
    struct tree tree;
    struct verdict *verdict;
    struct reading reading;
    struct motor_paper *motor; /* what a motor filing's paper says beside; NULL for others */
    view verdict_text;
    digest verdict_digest;
    enum evidence_level floor; /* what the paper needs whoever asks */
    view facts_text;
    struct join join;
    digest body_blind, identity_blind;
    digest subject; /* of a motor filing's paper: the owner whose filing it is */
};

struct intake_row {
    const char *word;
    err (*read)(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f);
    err (*read_signed)(void *self, view octets, arena *mem, struct tree *ret, struct fault *f);
    err (*interpret)(struct passage *p, const struct tree *t);
    bool by_accident;
};
const struct intake_row *intake_info(enum intake i);

/* read → verify → interpret → authority; afterwards the passage holds all that the unit needs. */
err passage_judge(struct passage *p) MUST_USE;
/* The level of who certifies a disability, from the registry: put into the facts, E_ISSUER_LEVEL below what the scale asks for. */
err passage_disability(struct passage *p) MUST_USE;
/* Authority of every signature, author, sender, professionals. */
err passage_authority(struct passage *p) MUST_USE;
/* Prints the facts again after they were changed. */
err passage_print_facts(struct passage *p) MUST_USE;
/* Builds and commits the unit. E_STALE: read again. */
err passage_store(struct passage *p, struct acceptance *ret) MUST_USE;

#endif
