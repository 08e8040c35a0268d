/* Evidence records (RFC 4998): a chain of time-stamps that proves when a data object existed, also when the certificates of the authorities
 * and the hash of the first stamps are of no use any more.
 *
 * A record is a list of archive time-stamps.  The first is over the object's hash.  Each later one is a renewal before the one before it
 * ages out: of the time-stamp (same chain: over the former token) or of the hash tree (a new chain with a stronger hash: over object and all
 * chains so far).  One stamp serves many records through a hash tree of which each record keeps its own path.
 *
 * Values in, values out; views borrow the input or stand in the arena.  Any thread. */
#ifndef SIGNING_EVIDENCE_RECORD_H
#define SIGNING_EVIDENCE_RECORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/instant.h"

/* A hash of the SHA-2 family, known by its size: 32, 48 or 64 bytes. */
struct wide_digest {
    uint8_t b[64];
    size_t n;
};

static inline view
wide_digest_view(const struct wide_digest *d)
{
    return view_make(d->b, d->n);
}

/* "sha256" → 32, "sha384", "sha512"; 0 for another word.  And back. */
size_t hash_size_of(view word);
const char *hash_word(size_t size);
struct wide_digest wide_hash(size_t size, const view *parts, size_t n);

struct archive_stamp {
    bool begins_chain; /* the first, and each renewal of the hash tree */
    size_t hash;       /* of its tree; 0 in a record that was read: the token's own */
    view tree;         /* reducedHashtree without its own tag; empty: the object's hash is what was stamped */
    view token;        /* TimeStampToken (DER) */
    view whole;        /* as it stood in a record that was read; empty: printed from the members */
};

#define RECORD_STAMPS_MAX 64
struct evidence_record {
    struct archive_stamp stamps[RECORD_STAMPS_MAX];
    size_t n;
};

/* E_TIME_STAMP: another form, encrypted content, more than 64 stamps. */
err evidence_record_read(view der, struct evidence_record *ret, struct fault *f) MUST_USE;
err evidence_record_print(const struct evidence_record *r, arena *mem, view *ret_der) MUST_USE;

/* What the next stamp is over, before it goes into a tree: of an empty record the object's hash; with begins_chain the object and all chains
 * so far under the new hash; else the last token. */
err evidence_record_leaf(const struct evidence_record *r, view object, bool begins_chain, size_t hash,
                         struct wide_digest *ret) MUST_USE;

/* A tree over leaves of one size; in the arena. */
struct hash_tree;
err hash_tree_make(const struct wide_digest *leaves, size_t n, arena *mem, struct hash_tree **ret) MUST_USE;
const struct wide_digest *hash_tree_root(const struct hash_tree *t);
/* The path of leaf i as it stands in a stamp; empty for a tree of one leaf. */
err hash_tree_path(const struct hash_tree *t, size_t i, arena *mem, view *ret_tree) MUST_USE;

struct record_question {
    view object;
    const view *anchors; /* DER; of the use for time-stamps */
    size_t n_anchors;
    const view *rest;
    size_t n_rest;
    const char *policy; /* OID that every token must carry; NULL: any */
    instant now;        /* the last authority's certificate must be good then */
};
struct record_proof {
    instant at;     /* of the first stamp: the object existed then */
    instant latest; /* of the last */
    instant until;  /* end of the last authority's certificate: renew before */
    size_t stamps, chains;
};
/* Every stamp is judged at the time of the one after it, the last now.  E_TIME_STAMP with the place (stamps[i]); E_CHAIN, E_CERT_TIME, … of an
 * authority. */
err evidence_record_verify(const struct evidence_record *r, const struct record_question *q, arena *mem,
                           struct record_proof *ret, struct fault *f) MUST_USE;

#endif
