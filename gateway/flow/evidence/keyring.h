/* The gateway's keys as a snapshot: the two that sign, and public keys that are shown beside them while keys change.
 *
 * `signing.overlap_keys_file` is a JWKS (RFC 7517) of public ES256 and Ed25519 keys, those that signed formerly and those that will: what
 * /.well-known/jwks.json said before the change can be kept as it is.  `exp` (seconds since 1970) ends the showing of one; without it a key is shown
 * always.  Keys that sign now may stand in it too.
 *
 * struct keyring is immutable and counted; any thread. */
#ifndef FLOW_KEYRING_H
#define FLOW_KEYRING_H

#include "base/config.h"
#include "base/instant.h"
#include "signing/jose/jws.h"

#include <stdatomic.h>

/* Besides the two that sign: verifiers of ours read at most 64 in all. */
#define KEYRING_OTHERS_MAX 62

struct keyring_other {
    view kid;    /* RFC 7638 */
    view jwk;    /* as shown */
    int64_t exp; /* seconds; INT64_MAX: none */
};

struct keyring {
    atomic_int references;
    arena *mem;          /* holds this too */
    struct key *signing; /* ES256: receipts, attestations, heads */
    struct key *webhook; /* Ed25519 */
    struct keyring_other others[KEYRING_OTHERS_MAX];
    size_t n;
};

/* E_FILE, E_CONFIG: a key of another kind or a name (`kid`) that is not the thumbprint; and what jwk_read refuses, a private member among it. */
err keyring_load(const struct config *c, struct keyring **ret, struct fault *f) MUST_USE;
struct keyring *keyring_ref(struct keyring *k);
void keyring_unref(struct keyring *k);
DEFINE_AUTO(struct keyring *, keyring_unref)

/* Signing, or among the others, with whatever `exp`. */
bool keyring_knows(const struct keyring *k, view kid);
/* The JWKS as it is at `at`, keys that sign first; {0} shows those past their `exp` too.  {NULL,0} on failure. */
view keyring_jwks(const struct keyring *k, instant at, arena *mem);

#endif
