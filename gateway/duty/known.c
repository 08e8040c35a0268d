#include "duty/known.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 16384

struct entry {
    digest fingerprint;
    enum trust_use use;
    char *leaf, *chain;
    size_t n_leaf, n_chain;
    instant next_at;
    int failures;
    struct entry *next;
};

struct known {
    pthread_mutex_t lock;
    struct entry *bucket[BUCKETS];
    size_t n, cursor; /* where the last look ended, so that every bucket has its turn */
};

struct known *
known_new(void)
{
    struct known *k = calloc(1, sizeof *k);
    if (!k || pthread_mutex_init(&k->lock, NULL) != 0)
        abort();
    return k;
}

void
known_free(struct known *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (k->bucket[i]) {
            struct entry *e = k->bucket[i];
            k->bucket[i] = e->next;
            free(e->leaf);
            free(e->chain);
            free(e);
        }
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static struct entry **
bucket_of(struct known *k, const digest *fingerprint)
{
    return &k->bucket[((size_t)fingerprint->b[0] << 8 | fingerprint->b[1]) % BUCKETS];
}

static struct entry *
find(struct known *k, const digest *fingerprint)
{
    for (struct entry *e = *bucket_of(k, fingerprint); e; e = e->next)
        if (digest_eq(&e->fingerprint, fingerprint))
            return e;
    return NULL;
}

static char *
copy_of(view v)
{
    char *copy = malloc(v.n + 1);
    if (!copy)
        abort();
    if (v.n > 0)
        memcpy(copy, v.p, v.n);
    return copy;
}

bool
known_add(struct known *k, enum trust_use use, view leaf, view chain)
{
    if (leaf.n == 0)
        return false;
    digest fingerprint = sha256(leaf);
    bool added = false;
    pthread_mutex_lock(&k->lock);
    if (!find(k, &fingerprint) && k->n < KNOWN_MAX) {
        struct entry *e = calloc(1, sizeof *e);
        if (!e)
            abort();
        struct entry **at = bucket_of(k, &fingerprint);
        *e = (struct entry){.fingerprint = fingerprint,
                            .use = use,
                            .leaf = copy_of(leaf),
                            .chain = copy_of(chain),
                            .n_leaf = leaf.n,
                            .n_chain = chain.n,
                            .next = *at};
        *at = e;
        k->n++;
        added = true;
    }
    pthread_mutex_unlock(&k->lock);
    return added;
}

static struct entry *
find_due(struct known *k, instant now)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        size_t at = (k->cursor + i) % BUCKETS;
        for (struct entry *e = k->bucket[at]; e; e = e->next)
            if (e->next_at.us <= now.us) {
                k->cursor = at;
                return e;
            }
    }
    return NULL;
}

bool
known_due(struct known *k, instant now, arena *mem, struct known_certificate *ret)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find_due(k, now);
    bool ok = e != NULL;
    if (e) {
        *ret = (struct known_certificate){.fingerprint = e->fingerprint,
                                          .use = e->use,
                                          .leaf = arena_dup(mem, view_make(e->leaf, e->n_leaf)),
                                          .chain = arena_dup(mem, view_make(e->chain, e->n_chain)),
                                          .failures = e->failures};
        e->next_at.us = INT64_MAX;
        ok = ret->leaf.p && ret->chain.p;
    }
    pthread_mutex_unlock(&k->lock);
    return ok;
}

void
known_put_off(struct known *k, const digest *fingerprint, instant until, int failures)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find(k, fingerprint);
    if (e) {
        e->next_at = until;
        e->failures = failures;
    }
    pthread_mutex_unlock(&k->lock);
}

void
known_hurry(struct known *k)
{
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = k->bucket[i]; e; e = e->next)
            e->next_at.us = 0;
    pthread_mutex_unlock(&k->lock);
}
