/* Who asks: SMART Backend Services (private_key_jwt), mTLS and opaque access tokens.
 *
 * A token is HMAC-checked, lives 300 s, names partner, client, scopes and the bound certificate (cnf) when it was asked for over mTLS; token_binding is required by default
 * for hospital, clinic, insurer, fund and police when they hold an mTLS certificate.  Passwords and HS* exist nowhere.  jti is kept until the assertion expires, in
 * the store, so that a replay is refused after a restart too. */
#ifndef FLOW_AUTH_H
#define FLOW_AUTH_H

#include "flow/partner/registry.h"

/* What the http room asks of flow; http.h's auth_ops is filled from these in main (flow does not include http). */
struct identity {
    partner_id partner;
    view partner_kind, partner_code, client, scopes;
    digest peer_certificate;
    bool is_person; /* by a person's token: what follows */
    digest person;
    uid session;
    case_id only_case;
    instant authenticated_at;
};

struct proof; /* login/dpop.h: what proves possession of the key that a token is bound to */

/* form: application/x-www-form-urlencoded body of POST /oauth2/token. ret_json: the token answer. */
err auth_token(struct gateway *g, view form, const struct proof *proof, instant now, arena *mem,
               view *ret_json, struct fault *f) MUST_USE;
/* Which client posts this form: private_key_jwt, once. *ret lives as long as the registry. E_CLIENT_ASSERTION, E_SUSPENDED. */
err auth_client(struct gateway *g, struct registry *r, view form, instant now, arena *mem,
                const struct partner **ret, view *ret_kid, struct fault *f) MUST_USE;
/* authorization: header value ("Bearer …", "DPoP …") or empty; certificate: DER or empty.  A registered mTLS certificate alone authenticates its partner with all of its scopes. */
err auth_check(struct gateway *g, view authorization, view certificate, const struct proof *proof,
               instant now, arena *mem, struct identity *ret, struct fault *f) MUST_USE;
/* SMART configuration and RFC 8414 metadata. */
view auth_metadata(struct gateway *g, bool smart, arena *mem);
view auth_jwks(struct gateway *g, arena *mem);
/* Quota per partner and route class: GCRA in memory. E_QUOTA and seconds to wait. */
err auth_admit(struct gateway *g, partner_id partner, const char *route_class, instant now, int *ret_wait)
    MUST_USE;

#endif
