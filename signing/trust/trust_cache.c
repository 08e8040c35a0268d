#include "signing/trust/trust_cache.h"

#include <pthread.h>
#include <stdlib.h>

struct slot {
    struct leaf leaf;
    bool kept;
    struct slot *next;
};

struct shard {
    pthread_mutex_t lock;
    struct slot *bucket[TRUST_CACHE_BUCKETS]; /* newest first */
};

struct trust_cache {
    struct shard shard[TRUST_CACHE_SHARDS];
};

struct trust_cache *
trust_cache_new(void)
{
    struct trust_cache *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    for (size_t i = 0; i < TRUST_CACHE_SHARDS; i++)
        if (pthread_mutex_init(&c->shard[i].lock, NULL) != 0)
            abort();
    return c;
}

static void
slot_free(struct slot *s)
{
    EVP_PKEY_free(s->leaf.pkey);
    free(s);
}

void
trust_cache_free(struct trust_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < TRUST_CACHE_SHARDS; i++) {
        for (size_t k = 0; k < TRUST_CACHE_BUCKETS; k++)
            while (c->shard[i].bucket[k]) {
                struct slot *s = c->shard[i].bucket[k];
                c->shard[i].bucket[k] = s->next;
                slot_free(s);
            }
        pthread_mutex_destroy(&c->shard[i].lock);
    }
    free(c);
}

/* The fingerprint is a SHA-256 of a certificate that a trusted CA issued: no one can aim at a bucket at will.
 */
static struct shard *
shard_of(struct trust_cache *c, const digest *fingerprint)
{
    return &c->shard[fingerprint->b[0] % TRUST_CACHE_SHARDS];
}

static struct slot **
bucket_of(struct shard *s, const digest *fingerprint)
{
    return &s->bucket[fingerprint->b[1] % TRUST_CACHE_BUCKETS];
}

static struct slot *
find(struct slot *first, const digest *fingerprint)
{
    for (struct slot *s = first; s; s = s->next)
        if (memcmp(&s->leaf.facts.fingerprint, fingerprint, sizeof *fingerprint) == 0)
            return s;
    return NULL;
}

bool
trust_cache_find(struct trust_cache *c, const digest *fingerprint, instant at, bool keep, struct leaf *ret,
                 const struct leaf **ret_kept)
{
    struct shard *shard = shard_of(c, fingerprint);
    pthread_mutex_lock(&shard->lock);
    struct slot *s = find(*bucket_of(shard, fingerprint), fingerprint);
    bool holds = s && at.us >= s->leaf.said.from.us && at.us <= s->leaf.said.until.us;
    if (holds) {
        *ret = s->leaf;
        EVP_PKEY_up_ref(ret->pkey);
        s->kept = s->kept || keep;
        if (keep)
            *ret_kept = &s->leaf;
    }
    pthread_mutex_unlock(&shard->lock);
    return holds;
}

/* Takes the oldest leaf that nobody borrows off the bucket when there are more than TRUST_CACHE_DEPTH of that
 * kind. */
static struct slot *
evict(struct slot **first)
{
    size_t loose = 0;
    struct slot **oldest = NULL;
    for (struct slot **at = first; *at; at = &(*at)->next)
        if (!(*at)->kept) {
            loose++;
            oldest = at;
        }
    if (loose <= TRUST_CACHE_DEPTH)
        return NULL;
    struct slot *s = *oldest;
    *oldest = s->next;
    return s;
}

const struct leaf *
trust_cache_put(struct trust_cache *c, const struct leaf *leaf, bool keep)
{
    struct slot *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        abort();
    fresh->leaf = *leaf;
    EVP_PKEY_up_ref(fresh->leaf.pkey);
    struct slot *unused = NULL;
    struct shard *shard = shard_of(c, &leaf->facts.fingerprint);
    pthread_mutex_lock(&shard->lock);
    struct slot **bucket = bucket_of(shard, &leaf->facts.fingerprint);
    struct slot *known = find(*bucket, &leaf->facts.fingerprint);
    if (known) {
        /* Facts and key are the same bytes' and may be borrowed; only the judgement is new. */
        known->leaf.said = leaf->said;
        unused = fresh;
    } else {
        fresh->next = *bucket;
        *bucket = fresh;
        known = fresh;
        unused = evict(bucket);
    }
    known->kept = known->kept || keep;
    const struct leaf *stored = keep ? &known->leaf : NULL;
    pthread_mutex_unlock(&shard->lock);
    if (unused)
        slot_free(unused);
    return stored;
}

size_t
trust_cache_count(struct trust_cache *c)
{
    size_t n = 0;
    for (size_t i = 0; i < TRUST_CACHE_SHARDS; i++) {
        pthread_mutex_lock(&c->shard[i].lock);
        for (size_t k = 0; k < TRUST_CACHE_BUCKETS; k++)
            for (const struct slot *s = c->shard[i].bucket[k]; s; s = s->next)
                n++;
        pthread_mutex_unlock(&c->shard[i].lock);
    }
    return n;
}
