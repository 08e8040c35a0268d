/* Evidence of a case as a list of files, for a court or the 評議中心: originals with their signatures, verdicts, receipts, the log's entries with salts and proofs, keys, a signed
 * list of all, and a report in plain words.  Reads only.  What it holds is personal: who asks for it is the operator's matter. */
#ifndef FLOW_EXPORT_H
#define FLOW_EXPORT_H

#include "flow/gateway.h"

struct export_file {
    const char *name; /* path in the package */
    view bytes;
    struct export_file *next;
};

/* E_NOT_FOUND; E_CHANGE_APPROVAL where two operators must allow it (registry.approvals) and have not.  In order: what is read first stands first. */
err export_case(struct gateway *g, case_id id, instant now, arena *mem, struct export_file **ret,
                struct fault *f) MUST_USE;

#define EXPORT_LIST "manifest.json"
#define EXPORT_SIGNATURE "manifest.jws"
#define EXPORT_TYPE "claimgate-evidence+jwt"

#endif
