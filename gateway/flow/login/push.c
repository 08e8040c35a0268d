/* The app's request: pushed, checked whole, and opened once by a browser. */
#include "flow/login/inside.h"

#include "base/scope.h"
#include "base/text.h"
#include "flow/evidence/seal.h"
#include "flow/partner/auth.h"

#include <stdio.h>

const struct login_scope_row login_scopes[] = {
#define SCOPE(word, zh, en) {word, {en, zh}},
#include "flow/login/methods.def"
#undef SCOPE
};
const size_t login_scopes_count = COUNT_OF(login_scopes);

void
login_print_scopes(struct buf *out)
{
    for (size_t i = 0; i < login_scopes_count; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", login_scopes[i].word);
}

/* ---- what may be asked ---- */

static err
refuse(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_OAUTH_REQUEST, where, expected, "another value or none");
}

static err
check_scope_word(const struct partner *p, view one, struct fault *f)
{
    case_id id;
    if (view_starts(one, V("case:")))
        return case_id_parse(view_sub(one, 5, one.n), &id) == E_OK
                   ? E_OK
                   : fault_set(f, E_INVALID_SCOPE, "scope", "case: and the id of a case", "another form");
    for (size_t i = 0; i < login_scopes_count; i++)
        if (view_eq(one, view_of(login_scopes[i].word)) && scopes_grant(p->row->scopes, one))
            return E_OK;
    return fault_set(f, E_INVALID_SCOPE, "scope", "scopes of persons that are registered for you", "another");
}

static err
check_scope(const struct partner *p, view scope, struct fault *f)
{
    size_t cases = 0, n = 0;
    for (view rest = scope; rest.n;) {
        view one = view_cut(&rest, ' ', NULL);
        TRY(check_scope_word(p, one, f));
        cases += view_starts(one, V("case:"));
        n++;
    }
    return n > cases && cases <= 1 ? E_OK
                                   : fault_set(f, E_INVALID_SCOPE, "scope",
                                               "at least one scope, at most one case", "another number");
}

/* The whole text of one of the registered ones: no prefix, no pattern. */
static bool
is_registered(const struct partner *p, view uri)
{
    view all = partner_option(p, "redirect_uris");
    while (uri.n && all.n)
        if (view_eq(view_cut(&all, ' ', NULL), uri))
            return true;
    return false;
}

static bool
is_base64url(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
              c == '_'))
            return false;
    }
    return text.n > 0;
}

/* What is kept of a request: name in the form, greatest length. */
static const struct {
    const char *name;
    size_t most;
} kept[] = {
    {"redirect_uri", 2048}, {"scope", 1024},  {"state", 1024},
    {"code_challenge", 43}, {"dpop_jkt", 43}, {"acr_values", 1024},
};

static err
read_request(const struct partner *p, view form, arena *mem, json_t *to, struct fault *f)
{
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        view value = form_field(form, kept[i].name, mem);
        if (value.n > kept[i].most || !text_is_utf8(value, NULL))
            return refuse(f, kept[i].name, "UTF-8 of a bounded length");
        if (value.n)
            TRY(exchange_put(to, kept[i].name, value));
    }
    if (!view_eq(form_field(form, "response_type", mem), V("code")))
        return refuse(f, "response_type", "code");
    if (!view_eq(form_field(form, "code_challenge_method", mem), V("S256")))
        return refuse(f, "code_challenge_method", "S256");
    view challenge = json_text(to, "code_challenge"), key = json_text(to, "dpop_jkt");
    if (challenge.n != 43 || !is_base64url(challenge))
        return refuse(f, "code_challenge", "43 characters of base64url");
    if (key.n && (key.n != 43 || !is_base64url(key)))
        return refuse(f, "dpop_jkt", "a thumbprint");
    if (!is_registered(p, json_text(to, "redirect_uri")))
        return refuse(f, "redirect_uri", "one that is registered, to the letter");
    if (form_field(form, "request_uri", mem).n || form_field(form, "request", mem).n)
        return refuse(f, "request", "parameters of their own, no object");
    return check_scope(p, json_text(to, "scope"), f);
}

/* ---- rows ---- */

err
login_find(struct gateway *g, view secret, const char *state, instant now, arena *mem, struct exchange *ret,
           struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    digest blind = BLIND(g->seal, "exchange", secret);
    TRY(store_reader(g->store, &r));
    if (secret.n)
        TRY(query_exchange_by_handle(r, ARGS(val_digest(&blind)), mem, &row));
    if (!row || !view_eq(row->kind, V("login")) || !view_eq(row->state, view_of(state)) ||
        row->expires.us <= now.us)
        return fault_set(f, E_LOGIN_STATE, "", "a login that waits for this step", "none");
    return exchange_open(g, r, row, mem, ret);
}

err
login_step(struct gateway *g, struct unit *u, struct exchange *x, const char *state, view secret,
           instant expires, const json_t *result)
{
    TRY(exchange_step_on(u, x, state, INSTANT_NONE, E_OK, result));
    x->next->handle = BLIND(g->seal, "exchange", secret);
    x->next->expires = expires;
    return E_OK;
}

/* Everything that the person should know when he signs it; the words are the app's row in the registry, never the app's own. */
static err
add_challenge(struct gateway *g, const struct partner *p, instant now, arena *mem, json_t *to)
{
    char when[32];
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 8192);
    BUF_LIT(&out, "{\"claimgate-login\":");
    buf_add_json(&out, g->base_url);
    BUF_LIT(&out, ",\"app\":");
    buf_add_json(&out, p->row->name_zh);
    BUF_LIT(&out, ",\"scope\":");
    buf_add_json(&out, json_text(to, "scope"));
    buf_printf(&out, ",\"until\":\"%.*s\",\"nonce\":\"%.*s\"}",
               VIEW_ARG(instant_print(instant_add(now, PAGE_LIFE), when)), VIEW_ARG(exchange_secret(mem)));
    return out.failed ? E_TOO_LARGE : exchange_put(to, "challenge", buf_view(&out));
}

view
login_challenge(const json_t *request)
{
    return json_text(request, "challenge");
}

view
login_app_name(struct registry *r, const json_t *request)
{
    partner_id id;
    const struct partner *p =
        partner_id_parse(json_text(request, "client"), &id) == E_OK ? registry_partner(r, id) : NULL;
    return p ? p->row->name_zh : V("");
}

view
login_location(const struct gateway *g, const json_t *request, const char *name, view value, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    view to = json_text(request, "redirect_uri"), state = json_text(request, "state");
    buf_init(&out, 16384);
    buf_add_view(&out, to);
    buf_printf(&out, "%c%s=", view_find_byte(to, '?') < to.n ? '&' : '?', name);
    form_add_escaped(&out, value);
    if (state.n) {
        BUF_LIT(&out, "&state=");
        form_add_escaped(&out, state);
    }
    BUF_LIT(&out, "&iss=");
    form_add_escaped(&out, g->base_url);
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}

/* A proof that comes with the push fixes the key of the tokens (RFC 9449 10.1). */
static err
fix_key(struct gateway *g, const struct proof *proof, instant now, arena *mem, json_t *to, struct fault *f)
{
    digest key;
    if (!proof->dpop.n)
        return E_OK;
    err e = dpop_check(g->dpop, proof, NULL, now, mem, &key, f);
    if (e != E_OK)
        return e;
    view text = text_base64url(mem, digest_view(&key)), named = json_text(to, "dpop_jkt");
    if (named.n && !view_eq(named, text))
        return refuse(f, "dpop_jkt", "the thumbprint of the proof's key");
    return exchange_put(to, "dpop_jkt", text);
}

err
login_push(struct gateway *g, view form, const struct proof *proof, instant now, arena *mem, view *ret_json,
           struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    const struct partner *p = NULL;
    struct row_exchange *row = NULL;
    struct unit u;
    view kid, secret = exchange_secret(mem), named;
    json_t *to = exchange_object(mem);
    TRY(form_once(form, f));
    TRY(auth_client(g, r, form, now, mem, &p, &kid, f));
    named = form_field(form, "client_id", mem);
    if (named.n && !view_eq(named, p->text))
        return refuse(f, "client_id", "who asserts the request");
    if (!to)
        return E_TOO_LARGE;
    TRY(exchange_put(to, "client", p->text));
    TRY(read_request(p, form, mem, to, f));
    TRY(fix_key(g, proof, now, mem, to, f));
    TRY(add_challenge(g, p, now, mem, to));
    unit_init(&u, mem);
    TRY(exchange_add(g, &u, p->id, "login", "pushed", secret, to, now, &row));
    row->expires = instant_add(now, PUSH_LIFE);
    TRY(store_commit(g->store, &u));
    *ret_json = arena_printf(mem, "{\"request_uri\":\"" REQUEST_URI "%.*s\",\"expires_in\":%d}",
                             VIEW_ARG(secret), (int)(PUSH_LIFE.us / 1000000));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
login_open(struct gateway *g, view client, view request_uri, instant now, arena *mem, view *ret_cookie,
           struct fault *f)
{
    struct exchange x;
    struct unit u;
    view secret = view_starts(request_uri, V(REQUEST_URI))
                      ? view_sub(request_uri, sizeof REQUEST_URI - 1, request_uri.n)
                      : VIEW_NONE;
    if (login_find(g, secret, "pushed", now, mem, &x, NULL) != E_OK)
        return refuse(f, "request_uri", "one that was pushed within the last minute and not opened");
    if (!view_eq(json_text(x.request, "client"), client))
        return refuse(f, "client_id", "who pushed the request");
    *ret_cookie = exchange_secret(mem);
    unit_init(&u, mem);
    TRY(login_step(g, &u, &x, "opened", *ret_cookie, instant_add(now, PAGE_LIFE), NULL));
    err e = store_commit(g->store, &u);
    data_key_forget(&x.key);
    return e == E_PRESENTATION_USED ? refuse(f, "request_uri", "one that was not opened before") : e;
}
