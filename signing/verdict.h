/* The inside of a verdict: filled by verify.c, read and printed by verdict.c.  Lives in the request's arena.
 */
#ifndef SIGNING_VERDICT_H
#define SIGNING_VERDICT_H

#include "signing/verify.h"

struct verdict {
    err code;
    enum evidence_level level;
    view body;
    digest body_digest;
    instant judged_at;
    const struct tree *tree; /* whatever the code: verdict_tree guards it */
    struct tree signed_tree; /* of an XML-DSig record's octets */
    struct signature_out out[SIGNATURES_MAX];
    size_t n;
};

#endif
