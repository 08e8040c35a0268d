/* The leaves that a trust list has judged, by fingerprint: what their certificate says, their parsed key, and
 * until when the judgement holds.  A known signer costs one digest and one look-up (a key is dearer
 * to parse than to use).
 *
 * Only good judgements are kept: a bad one may come from a missing intermediate that the next message brings,
 * and strangers must not fill the cache.  Bounded by eviction, but for leaves of which borrowed pointers were
 * given out (keep): these stay as long as the cache, and there are no more of them than certificates of our
 * partners.  Sharded, one lock each, never two at once; any thread. */
#ifndef SIGNING_TRUST_CACHE_H
#define SIGNING_TRUST_CACHE_H

#include "signing/pki/certificate.h"

struct judgement {
    enum trust_use use;
    enum evidence_level level;
    instant from, until; /* holds in [from, until] */
    bool may_sign, may_connect;
    struct revocation_used used; /* another epoch of the revocation book means asking anew */
};

struct leaf {
    struct certificate_facts facts;
    struct judgement said;
    EVP_PKEY *pkey;
};

struct trust_cache;

/* Aborts without memory. */
struct trust_cache *trust_cache_new(void);
void trust_cache_free(struct trust_cache *c);
DEFINE_AUTO(struct trust_cache *, trust_cache_free)

/* Copies the leaf that is known and whose judgement holds at that time; its key comes with a reference of its
 * own.  With keep the stored leaf is not evicted any more and *ret_kept (else untouched) points to it. */
bool trust_cache_find(struct trust_cache *c, const digest *fingerprint, instant at, bool keep,
                      struct leaf *ret, const struct leaf **ret_kept);
/* Stores a copy (with a reference on the key), or renews the judgement of a leaf that is there.  Returns the
 * stored leaf when it is kept, else NULL; of a kept leaf only facts and pkey may be read, they never change.
 */
const struct leaf *trust_cache_put(struct trust_cache *c, const struct leaf *leaf, bool keep);
/* Number of leaves now. */
size_t trust_cache_count(struct trust_cache *c);

/* Leaves that may be evicted: at most this many. */
#define TRUST_CACHE_SHARDS 16
#define TRUST_CACHE_BUCKETS 128
#define TRUST_CACHE_DEPTH 4
#define TRUST_CACHE_MAX (TRUST_CACHE_SHARDS * TRUST_CACHE_BUCKETS * TRUST_CACHE_DEPTH)

#endif
