/* The operator's rules on how sure the gateway must be, as data: how long an old answer is still believed per
 * kind of certificate, what happens while nothing is known, which papers need more.
 *
 *   {"grace_hours": {"hospital": 72, "person": 24}, "max_age_hours": 168, "pending": "accept", "default_level": "cached-within-grace",
 *    "floors": [{"kind": "receipt", "amount": 300000, "level": "verified-crl"}], "cool_down_hours": 72, "cool_down_level": "verified-crl"}
 *
 * Every member may be absent.  Immutable and counted; any thread. */
#ifndef SIGNING_REVOCATION_POLICY_H
#define SIGNING_REVOCATION_POLICY_H

#include "signing/verify.h"

#include <stdatomic.h>

#define POLICY_FLOORS_MAX 64

struct revocation_policy {
    atomic_int refs;
    span grace[SUBJECT_COUNT];
    span max_age;        /* of an answer since thisUpdate, whatever its nextUpdate; 0: no bound */
    bool accept_pending; /* else a document whose signer's status is not known is refused */
    enum evidence_level default_level; /* of insurers that ask for none */
    span cool_down;                    /* a signer is new for this long after his first paper (THREATS S13) */
    enum evidence_level cool_down_level;
    struct level_floor {
        enum document_kind kind; /* KIND_COUNT: every kind */
        int64_t amount;          /* in TWD, from which on it counts; 0: always */
        enum evidence_level level;
    } floors[POLICY_FLOORS_MAX];
    size_t n_floors;
};

/* file "" gives the built-in rules.  E_FILE, E_CONFIG and the errors of JSON. */
err revocation_policy_load(const char *file, struct revocation_policy **ret, struct fault *f) MUST_USE;
struct revocation_policy *revocation_policy_ref(struct revocation_policy *p);
void revocation_policy_unref(struct revocation_policy *p);
DEFINE_AUTO(struct revocation_policy *, revocation_policy_unref)

/* The level that a paper needs whoever asks: floors by kind and amount, and the cool-down of a new signer. */
enum evidence_level revocation_policy_floor(const struct revocation_policy *p, enum document_kind kind,
                                            int64_t amount, bool new_signer);
/* false when the word is none that a policy may ask for. */
bool evidence_level_of(view word, enum evidence_level *ret);

#endif
