/* The audit of a store: is what stands in the files what the log says?  Reads every leaf, journal entry, row and body once, changes nothing, and
 * needs no key: digests are over ciphertext.
 *
 * It opens the folder by itself and looks at one snapshot, so it may run beside a serving gateway.  What it can't know is whether the log as a
 * whole was replaced: the caller gets every leaf in order and compares roots with signed heads that others keep. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

enum audit_what {
#define AUDIT(id, code, en, zh) AUDIT_##id,
#include "store/audit.def"
#undef AUDIT
    AUDIT_WHAT_COUNT
};

struct audit_finding {
    enum audit_what what;
    const char *table;      /* "" when it is a file */
    char row[192];          /* printed key, or a leaf's number */
    const char *column;     /* where a single changed bit was located, else "" */
    const char *class_of;   /* id, blind, digest, number, time, text, sealed, address; "" when not located */
    int64_t bit;            /* of the column's bytes, from the first byte's highest; -1 */
    char file[64];          /* of a body */
    int64_t offset, length; /* in the file */
};

struct audit_ops {
    void *self;
    digest (*leaf_hash)(const struct row_leaf *leaf);
    /* Every leaf in order. */
    void (*leaf)(void *self, uint64_t seq, const digest *hash);
    void (*finding)(void *self, const struct audit_finding *found);
};

struct audit_counts {
    uint64_t leaves, entries, rows, bodies, body_bytes, findings;
};

/* E_OK also with findings.  Else the store could not be looked at at all. */
err store_audit(const char *dir, const struct audit_ops *ops, struct audit_counts *ret, struct fault *f)
    MUST_USE;

/* Words of a finding for people and machines. */
const char *audit_code(enum audit_what what);
const char *audit_text(enum audit_what what, bool zh);

#endif
