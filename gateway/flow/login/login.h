/* Login of persons for partner apps: OAuth 2.0 authorization code with PKCE (S256) and PAR (RFC 9126), the person authenticated here and not by the app.
 *
 *   push → open → show / submit (→ wallet → back) → redirect with a code → login_code → session, tokens
 *
 * One login is one row of exchanges, whose handle is the secret of the step it is in: request_uri, then the browser's cookie, then the code. So each counts
 * once, and a later step's secret is of no use in an earlier one.  The session that a code gives has the number of its login, so that a code that comes twice ends it.
 * Nothing is ever redirected to but the redirect_uri that the registry holds, compared as text.  Any thread. */
#ifndef FLOW_LOGIN_LOGIN_H
#define FLOW_LOGIN_LOGIN_H

#include "base/buf.h"
#include "flow/gateway.h"
#include "flow/login/dpop.h"

struct registry;

#define PERSON_TOKEN "p."

/* ---- the app's side ---- */

/* POST /oauth2/par. {"request_uri","expires_in"}; E_OAUTH_REQUEST, E_INVALID_SCOPE, E_CLIENT_ASSERTION. */
err login_push(struct gateway *g, view form, const struct proof *proof, instant now, arena *mem,
               view *ret_json, struct fault *f) MUST_USE;
/* The token endpoint's grants. E_OAUTH_CODE, E_DPOP_GRANT, E_DPOP_NONCE_GRANT, E_SESSION_ENDED. */
err login_code(struct gateway *g, struct registry *r, view form, const struct proof *proof, instant now,
               arena *mem, view *ret_json, struct fault *f) MUST_USE;
err login_refresh(struct gateway *g, struct registry *r, view form, const struct proof *proof, instant now,
                  arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* RFC 7009: ends the session of an access or refresh token of this client; unknown tokens are fine. */
err login_revoke(struct gateway *g, view form, instant now, arena *mem, struct fault *f) MUST_USE;

struct person_identity {
    partner_id partner;
    digest person;
    uid session;
    view scopes;
    case_id only_case;
    instant authenticated_at;
};
/* An access token and its proof. E_TOKEN, E_TOKEN_EXPIRED, E_TOKEN_BINDING, E_DPOP, E_DPOP_NONCE, E_SESSION_ENDED. */
err login_check(struct gateway *g, view token, const struct proof *proof, bool by_dpop, instant now,
                arena *mem, struct person_identity *ret, struct fault *f) MUST_USE;

/* For the metadata document. */
void login_print_acr(const struct gateway *g, struct buf *out);
void login_print_scopes(struct buf *out);

/* ---- the browser's side ---- */

struct login_page {
    view html;
    view policy; /* its Content-Security-Policy */
};
/* GET /oauth2/authorize: takes the pushed request, once. *ret_cookie: the browser's secret. E_OAUTH_REQUEST. */
err login_open(struct gateway *g, view client, view request_uri, instant now, arena *mem, view *ret_cookie,
               struct fault *f) MUST_USE;
/* why: E_OK, or what the last try failed by. E_LOGIN_STATE. */
err login_show(struct gateway *g, view cookie, err why, instant now, arena *mem, struct login_page *ret,
               struct fault *f) MUST_USE;
/* POST /login: action = certificate | wallet | fido | cancel. *ret_location: where the browser goes; empty: the page again. E_LOGIN_STATE, E_LOGIN_METHOD,
 * E_LOGIN_EVIDENCE and what verifying a signature answers. */
err login_submit(struct gateway *g, view cookie, view form, instant now, arena *mem, view *ret_location,
                 struct fault *f) MUST_USE;
/* GET /login/return: the wallet sent the browser back. */
err login_return(struct gateway *g, view cookie, view response_code, instant now, arena *mem,
                 view *ret_location, struct fault *f) MUST_USE;

/* ---- the person's side ---- */

/* {"sub","sessions":[{"id","app","method","scopes","authenticated_at","used_at"?,"ended_at"?,"this"?}],"cases":[{"case","role"}]} */
err login_person(struct gateway *g, const struct person_identity *who, enum lang lang, instant now,
                 arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* Ends one of the person's own. E_NOT_FOUND. */
err login_end(struct gateway *g, const struct person_identity *who, view id, instant now, arena *mem,
              struct fault *f) MUST_USE;

#endif
