/* Rows and words of a login: shared by push.c, page.c, prove.c, grant.c and session.c. */
#ifndef FLOW_LOGIN_INSIDE_H
#define FLOW_LOGIN_INSIDE_H

#include "base/json.h"
#include "flow/login/form.h"
#include "flow/login/login.h"
#include "flow/partner/registry.h"
#include "flow/person/exchange_row.h"

#define PUSH_LIFE SPAN_SECONDS(60)
#define PAGE_LIFE SPAN_SECONDS(600)
#define CODE_LIFE SPAN_SECONDS(60)
#define SESSION_LIFE SPAN_DAYS(30)
#define REQUEST_URI "urn:ietf:params:oauth:request_uri:"

#ifndef LOGIN_METHODS_DEF /* a test adds a row */
#define LOGIN_METHODS_DEF "flow/login/methods.def"
#endif
enum login_method {
#define METHOD(id, word, acr, proves, is_ready, zh, en) LOGIN_##id,
#include LOGIN_METHODS_DEF
#undef METHOD
    LOGIN_METHODS
};

/* Who it is, how sure. */
struct proven {
    view person; /* key text; empty: the page again, something was begun (a wallet was asked) */
    view card;   /* the certificate's subject number, empty without one */
};
/* What the browser sent: its cookie and its form. */
struct login_try {
    view cookie, form;
};
/* Says who the person is, or why not: E_LOGIN_EVIDENCE and what verifying answers. */
typedef err (*login_prove)(struct gateway *g, struct exchange *x, const struct login_try *what, instant now,
                           arena *mem, struct proven *ret, struct fault *f);
err login_by_certificate(struct gateway *g, struct exchange *x, const struct login_try *what, instant now,
                         arena *mem, struct proven *ret, struct fault *f) MUST_USE;
err login_by_wallet(struct gateway *g, struct exchange *x, const struct login_try *what, instant now,
                    arena *mem, struct proven *ret, struct fault *f) MUST_USE;
bool login_has_wallet(const struct gateway *g);

struct login_method_row {
    const char *word, *acr;
    login_prove proves; /* NULL: not set up */
    bool (*is_ready)(const struct gateway *g);
    const char *label[2];
};
const struct login_method_row *login_method_info(enum login_method m);
/* LOGIN_METHODS when unknown. */
enum login_method login_method_of(view word);
/* Set up here, and good enough for what the app asked. */
bool login_method_serves(const struct gateway *g, enum login_method m, const json_t *request);

struct login_scope_row {
    const char *word, *text[2];
};
extern const struct login_scope_row login_scopes[];
extern const size_t login_scopes_count;

/* By the secret of its present step: E_LOGIN_STATE when there is none in that state, or its time is over. */
err login_find(struct gateway *g, view secret, const char *state, instant now, arena *mem,
               struct exchange *ret, struct fault *f) MUST_USE;
/* Puts the next step into the unit: another state, another secret, another end. */
err login_step(struct gateway *g, struct unit *u, struct exchange *x, const char *state, view secret,
               instant expires, const json_t *result) MUST_USE;
/* redirect_uri with these parameters, state and iss. */
view login_location(const struct gateway *g, const json_t *request, const char *name, view value, arena *mem);
/* What stands on the page to be signed: made when the login is opened. */
view login_challenge(const json_t *request);
/* The app's name for people. */
view login_app_name(struct registry *r, const json_t *request);

/* A session's tokens, once its row stands; generation: of the refresh token. */
err login_print_tokens(struct gateway *g, const struct row_session *s, int64_t generation, instant now,
                       arena *mem, view *ret_json) MUST_USE;
/* E_TOKEN. */
err login_refresh_read(struct gateway *g, view text, arena *mem, uid *ret_session, int64_t *ret_generation)
    MUST_USE;
err login_token_session(struct gateway *g, view text, arena *mem, uid *ret) MUST_USE;
/* The key that the tokens are to be bound to. */
err login_binding(struct gateway *g, const struct proof *p, instant now, arena *mem, digest *ret,
                  view *ret_by, struct fault *f) MUST_USE;
view login_pairwise(const struct gateway *g, uid partner, const digest *person, arena *mem);

#endif
