/* Proof of possession: DPoP (RFC 9449), or the TLS client's certificate (RFC 8705).
 *
 * A proof counts once.  It must hold a nonce that this process gave within the last five minutes; the nonces' key lives in memory only, so after a restart all
 * older proofs are void and the list of those seen may be in memory too.  struct dpop: any thread. */
#ifndef FLOW_LOGIN_DPOP_H
#define FLOW_LOGIN_DPOP_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/instant.h"

/* What came with the request. */
struct proof {
    view dpop;          /* header value, empty when absent */
    view method, url;   /* of the request; url without query and fragment */
    digest certificate; /* SHA-256 of the TLS peer's, zero when none */
};

struct dpop;
struct dpop *dpop_new(void);
void dpop_free(struct dpop *d);
view dpop_nonce(struct dpop *d, instant now, arena *mem);
/* token: the access token that it goes with, NULL at the token endpoint.  *ret_key: RFC 7638 thumbprint.  E_DPOP, E_DPOP_NONCE, E_BUSY when more proofs
 * came within the window than can be remembered. */
err dpop_check(struct dpop *d, const struct proof *p, const view *token, instant now, arena *mem,
               digest *ret_key, struct fault *f) MUST_USE;

#endif
