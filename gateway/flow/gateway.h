/* The gateway's standing parts, wired once in main and handed to every flow function.
 *
 * Immutable after start, or swapped by pointer (registry, trust, keys), or behind one lock each: the striped case locks are taken before a fold and held
 * until its commit; no other lock is held then.  Any thread. */
#ifndef FLOW_GATEWAY_H
#define FLOW_GATEWAY_H

#include "base/config.h"
#include "fhir/fhir.h"
#include "signing/jose/jws.h"
#include "signing/trust/trust.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct seal;     /* seal.h */
struct registry; /* registry.h */
struct keyring;  /* keyring.h */
struct log_tree; /* evidence.h */
struct outside;  /* outside.h */
struct dpop;     /* login/dpop.h */

#define CASE_STRIPES 256

struct gateway {
    const struct config *config;
    struct store *store;
    struct seal *seal;
    struct profile_set *profiles;
    struct log_tree *log;
    struct outside *outside; /* NULL offline */
    struct dpop *dpop;       /* NULL offline */
    view base_url;
    view log_id;
    bool sandbox;
    int64_t merge_delay_us;
    _Atomic int64_t
        unstamped_since; /* microseconds: the oldest entry of the log that waits for a time-stamp; 0: none (stamps.h) */

    pthread_rwlock_t swap; /* guards the next pointers only */
    char
        *head; /* the latest signed head of the log, with what witnesses have signed; NULL before the first */
    struct registry *registry;
    struct trust *trust;
    struct keyring *keys;
    struct revocation_book *book; /* what was learned about revocation; outlives trust lists */

    pthread_mutex_t stripes[CASE_STRIPES];
    void (*wake_relay)(void *self); /* called after a commit that made deliveries due; may be NULL */
    void *relay;
    /* Called after a commit with each certificate that signed; copies what it keeps.  May be NULL. */
    void (*seen_signer)(void *self, enum trust_use use, view leaf_der, view chain_der);
    /* Something has changed that background work should look at; may be NULL. */
    void (*wake_duty)(void *self);
    void *duty;
    /* Everything that can change without a restart is read anew, as SIGHUP does; NULL where nothing serves. */
    err (*reload)(void *self, struct fault *f);
    void *serving;
};

/* Opens everything the configuration names: store, keys, trust, registry, profiles. E_SANDBOX_ROOT and E_CONFIG stop the start. */
err gateway_open(const struct config *c, struct gateway **ret, struct fault *f) MUST_USE;
/* The same without trust lists and profiles, for commands that only look at the store. */
err gateway_open_offline(const struct config *c, struct gateway **ret, struct fault *f) MUST_USE;
/* Only to read, beside a running gateway too. */
err gateway_open_read(const struct config *c, struct gateway **ret, struct fault *f) MUST_USE;
void gateway_close(struct gateway *g);
DEFINE_AUTO(struct gateway *, gateway_close)

/* Counted references to the present snapshots. */
struct registry *gateway_registry(struct gateway *g);
struct trust *gateway_trust(struct gateway *g);
struct keyring *gateway_keys(struct gateway *g);
/* The latest head, copied into mem; empty before the first. */
view gateway_head(struct gateway *g, arena *mem);
void gateway_set_head(struct gateway *g, view checkpoint);
/* Reads the registry from the store anew and swaps it (after every committed change). */
err gateway_reload_registry(struct gateway *g, struct fault *f) MUST_USE;
err gateway_reload_trust(struct gateway *g, struct fault *f) MUST_USE;
/* E_CONFIG when a key that signed until now would be shown no longer: receipts by it could not be checked.  The log is told by who asked
 * (standing_note). */
err gateway_reload_keys(struct gateway *g, struct fault *f) MUST_USE;

/* Two cases never deadlock: lock in ascending stripe order, twice the same stripe once. */
void gateway_lock_case(struct gateway *g, uid in_case);
void gateway_unlock_case(struct gateway *g, uid in_case);

#endif
