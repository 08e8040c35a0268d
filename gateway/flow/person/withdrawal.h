/* The end of a permission: by a signature of the key that gave it, by a wallet's presentation or by a login of the person.
 *
 * It takes effect in the transaction of its commit: whatever begins a send asks for the permission in its own (GUARD_permission_usable), so none
 * begins after it; sends that began before are in the answer.  Any thread. */
#ifndef FLOW_PERSON_WITHDRAWAL_H
#define FLOW_PERSON_WITHDRAWAL_H

#include "flow/gateway.h"
#include "signing/verify.h"

struct presented;

struct withdrawal {
    partner_id sender;
    struct verdict *verdict;     /* of a signature; NULL: by who the person is */
    struct presented *presented; /* spent with it; NULL: none */
    digest person;               /* blind of who withdraws, where there is no signature */
    view evidence;               /* what goes into the leaf by its hash */
};

/* ret_json: {"permission","withdrawn_at","sends_begun":[…],"receipt"}.  E_NOT_FOUND, E_PERMISSION_EVIDENCE, E_WITHDRAWN. */
err permission_end(struct gateway *g, perm_id id, const struct withdrawal *w, arena *mem, view *ret_json,
                   struct fault *f) MUST_USE;

#endif
