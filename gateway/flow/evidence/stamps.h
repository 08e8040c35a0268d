/* Time-stamps of log heads and their renewal: which head is to be stamped, what is kept, and what it proves of one entry of the log.
 *
 * A head covers every document below it, so one stamp a minute is enough for all.  An evidence record (signing/time/evidence_record.h) is put
 * together when it is asked for: from the stamp of the first head that holds the entry and all renewals after it.  No network here: duty asks
 * the authority.  Any thread. */
#ifndef FLOW_STAMPS_H
#define FLOW_STAMPS_H

#include "flow/gateway.h"
#include "signing/time/evidence_record.h"
#include "signing/time/tsp.h"

/* The policy and anchors by which tokens are judged now. */
struct stamp_rules {
    view anchors[16];
    size_t n_anchors;
    const char *policy; /* NULL: any */
};
err stamp_rules_read(struct gateway *g, arena *mem, struct stamp_rules *ret, struct fault *f) MUST_USE;

struct stamp_order {
    view head; /* empty: nothing to do */
    uint64_t size;
    size_t hash; /* of the chain that renewals begin now */
    struct wide_digest imprint;
};
/* Whether the log holds entries behind the last stamp, other than that stamp's own; notes since when for stamps_in_time. */
err stamps_due(struct gateway *g, arena *mem, struct stamp_order *ret, struct fault *f) MUST_USE;
err stamps_keep(struct gateway *g, const struct stamp_order *o, const struct tsp_token *t) MUST_USE;

/* E_TIME_OVERDUE when entries have waited for a stamp for longer than time.limit allows. */
err stamps_in_time(struct gateway *g, instant now, struct fault *f) MUST_USE;

struct renewal_order {
    bool needed;
    int64_t number;
    uint64_t size; /* of the last stamp that it covers */
    bool begins_chain;
    size_t hash;
    struct wide_digest imprint;
    instant ends; /* earliest end of what it renews */
};
/* hash 0: needed when some stamp's authority ends before `before`; else a renewal of the hash tree with that hash, when there is a stamp at all. */
err renewal_due(struct gateway *g, instant before, size_t hash, arena *mem, struct renewal_order *ret,
                struct fault *f) MUST_USE;
err renewal_keep(struct gateway *g, const struct renewal_order *o, const struct tsp_token *t) MUST_USE;

struct stamped {
    bool found;    /* else it waits */
    uint64_t size; /* of the head */
    instant at;
    view head;   /* the stamped object, byte for byte */
    view record; /* DER */
};
/* The proof of time of the log's entry `index`; r sees it. */
err stamps_proof(struct gateway *g, struct reader *r, uint64_t index, arena *mem, struct stamped *ret)
    MUST_USE;
/* {"state":"pending"} or {"state":"stamped","at":…,"tree_size":…,"head":…,"record":base64}. */
err stamped_print(const struct stamped *s, arena *mem, view *ret_json) MUST_USE;

#endif
