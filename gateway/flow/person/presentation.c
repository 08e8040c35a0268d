/* Presentations: asked for by a partner's app, answered by a wallet or by the ministry's module. */
#include "adapters/adapter.h"
#include "adapters/wallet/wallet.h"

#include "base/text.h"
#include "flow/members.h"
#include "flow/person/consent_text.h"
#include "flow/person/exchange_row.h"
#include "flow/person/presented.h"
#include "flow/person/status_cache.h"

#include <stdio.h>

/* ---- the request, as it is kept ---- */

static const struct {
    const char *name;
    size_t at;
} kept[] = {
    {"state", offsetof(struct wallet_request, state)},
    {"transaction", offsetof(struct wallet_request, transaction)},
    {"nonce", offsetof(struct wallet_request, nonce)},
    {"client_id", offsetof(struct wallet_request, client_id)},
    {"response_uri", offsetof(struct wallet_request, response_uri)},
    {"type", offsetof(struct wallet_request, type)},
    {"text_hash", offsetof(struct wallet_request, text_hash)},
    {"text_salt", offsetof(struct wallet_request, text_salt)},
    {"key_pem", offsetof(struct wallet_request, key_pem)},
};

static view *
kept_at(struct wallet_request *rq, size_t i)
{
    return (view *)(void *)((char *)rq + kept[i].at);
}

static err
request_write(struct wallet_request *rq, const json_t *claims, const json_t *expect, json_t *to)
{
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        TRY(exchange_put(to, kept[i].name, *kept_at(rq, i)));
    return json_object_set(to, "claims", (json_t *)(uintptr_t)claims) == 0 &&
                   (!expect || json_object_set(to, "expect", (json_t *)(uintptr_t)expect) == 0)
               ? E_OK
               : E_TOO_LARGE;
}

static void
request_read(const struct exchange *x, struct wallet_request *ret)
{
    const json_t *claims = json_member(x->request, "claims");
    const char *name;
    json_t *value;
    *ret = (struct wallet_request){.profile = wallet_profile_of(x->row->kind),
                                   .expires = x->row->expires,
                                   .is_used = !view_eq(x->row->state, V("waiting")) &&
                                              !view_eq(x->row->state, V("asked"))};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        *kept_at(ret, i) = json_text(x->request, kept[i].name);
    for (size_t i = 0; i < json_array_size(claims) && i < WALLET_CLAIMS_MAX; i++)
        ret->claims[ret->n_claims++] = view_of(json_string_value(json_array_get(claims, i)));
    json_object_foreach((json_t *)(uintptr_t)json_member(x->request, "expect"), name,
                        value) if (ret->n_expect < WALLET_EXPECT_MAX) ret->expect[ret->n_expect++] =
        (struct wallet_expect){view_of(name), view_of(json_string_value(value))};
}

/* ---- begun ---- */

static bool
is_claim_name(const json_t *one)
{
    view name = json_is_string(one) ? view_of(json_string_value(one)) : VIEW_NONE;
    for (size_t i = 0; i < name.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", name.p[i]))
            return false;
    return name.n > 0 && name.n <= 64;
}

static err
check_asked(const json_t *body, struct fault *f)
{
    static const char *const known[] = {"s:profile", "s:type",    "a:claims", "o:expect",
                                        "s:text",    "s:payload", NULL};
    const json_t *claims = json_member(body, "claims");
    const char *name;
    json_t *value;
    size_t n = json_array_size(claims);
    TRY(members_only(body, known, f));
    for (size_t i = 0; i < n; i++)
        if (!is_claim_name(json_array_get(claims, i)))
            return fault_setf(f, E_SCHEMA, "a name of letters, digits and _", "something else", "/claims/%zu",
                              i);
    if (n == 0 || n > WALLET_CLAIMS_MAX || !json_text(body, "type").n)
        return fault_set(f, E_SCHEMA, "/claims", "a type, and 1 to 16 claims", "something else");
    json_object_foreach((json_t *)(uintptr_t)json_member(body, "expect"), name,
                        value) if (!json_is_string(value)) return fault_set(f, E_SCHEMA, "/expect", "texts",
                                                                            "something else");
    return json_object_size(json_member(body, "expect")) <= WALLET_EXPECT_MAX
               ? E_OK
               : fault_set(f, E_SCHEMA, "/expect", "at most four", "more");
}

/* The text in force, whatever its language: "claim-consent/1/zh-TW". */
static err
text_hash(view name, arena *mem, view *ret, struct fault *f)
{
    if (!name.n)
        return E_OK;
    for (size_t i = 0; i < consent_texts_count; i++) {
        const struct consent_text *t = &consent_texts[i];
        char full[96];
        snprintf(full, sizeof full, "%s/%s/%s", t->id, t->version, t->lang);
        if (view_eq(name, view_of(full))) {
            digest d = sha256(t->text);
            *ret = text_hex(mem, digest_view(&d));
            return ret->p ? E_OK : E_TOO_LARGE;
        }
    }
    return fault_set(f, E_PERMISSION_TEXT, "/text", "id/version/language of a text in force", "another");
}

/* What the holder is to sign beside being himself: a text in force, and with it the bytes that will be filed. */
static err
bind(const json_t *body, json_t *to, arena *mem, view *ret_hash, struct fault *f)
{
    view name = json_text(body, "text"), payload = json_text(body, "payload"), bytes;
    TRY(text_hash(name, mem, ret_hash, f));
    if (name.n)
        TRY(exchange_put(to, "text", name));
    if (!payload.n)
        return E_OK;
    if (!name.n)
        return fault_set(f, E_PERMISSION_TEXT, "/text", "the text that the payload goes with", "none");
    if (text_base64url_decode(payload, mem, &bytes) != E_OK || bytes.n == 0)
        return fault_set(f, E_SCHEMA, "/payload", "base64url", "another form");
    digest d = sha256(bytes);
    view hash = text_hex(mem, digest_view(&d));
    *ret_hash = presented_binding(*ret_hash, hash, mem);
    return ret_hash->p ? exchange_put(to, "payload_sha256", hash) : E_TOO_LARGE;
}

static err
request_make(struct gateway *g, enum wallet_profile profile, const json_t *body, json_t *to, arena *mem,
             struct wallet_request *ret, struct fault *f)
{
    char transaction[ID_TEXT_SIZE];
    const struct outside *o = g->outside;
    *ret = (struct wallet_request){
        .profile = profile, .type = json_text(body, "type"), .client_id = o->client_id};
    ret->state = exchange_secret(mem);
    ret->nonce = exchange_secret(mem);
    ret->transaction = arena_dup(mem, uid_print(V("tx"), uid_new(), transaction));
    ret->response_uri =
        arena_printf(mem, "%.*s/oid4vp/response/%.*s", VIEW_ARG(g->base_url), VIEW_ARG(ret->state));
    TRY(bind(body, to, mem, &ret->text_hash, f));
    if (profile == WALLET_OID4VP)
        TRY(key_create_pem(ALG_ES256, mem, &ret->key_pem));
    if (profile == WALLET_NATIVE && ret->text_hash.n) {
        ret->text_salt = exchange_secret(mem);
        ret->nonce = wallet_nonce_for_text(ret->text_hash, ret->text_salt, mem);
    }
    return ret->state.p && ret->nonce.p && ret->transaction.p && ret->response_uri.p ? E_OK : E_TOO_LARGE;
}

static err
check_profile(const struct outside *o, view word, enum wallet_profile *ret, struct fault *f)
{
    *ret = wallet_profile_of(word);
    if (*ret == WALLET_PROFILES)
        return fault_set(f, E_SCHEMA, "/profile", "twdiw-delegate, twdiw-native or oid4vp-1.0", "another");
    if (!o || !o->has_wallet || (*ret == WALLET_DELEGATE ? !o->module.base.n : !o->key))
        return fault_set(f, E_OUTSIDE, "/profile", "a profile that the operator has set up", "another");
    return E_OK;
}

static void
add_escaped(struct buf *out, view text)
{
    for (size_t i = 0; i < text.n; i++)
        buf_printf(out, strchr(":/?#[]@!$&'()*+,;=% ", text.p[i]) ? "%%%02X" : "%c",
                   (unsigned char)text.p[i]);
}

/* What the person's device opens: the request object is fetched by reference. */
static view
link_of(const struct gateway *g, const struct wallet_request *rq, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 8192);
    buf_printf(&out, "%s?client_id=",
               rq->profile == WALLET_NATIVE ? "modadigitalwallet://authorize" : "openid4vp://");
    add_escaped(&out, rq->client_id);
    BUF_LIT(&out, "&request_uri=");
    add_escaped(&out, g->base_url);
    BUF_LIT(&out, "%2Foid4vp%2Frequest%2F");
    add_escaped(&out, rq->state);
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}

err
presentation_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
                    struct fault *f)
{
    json_t *json = NULL, *to = exchange_object(mem);
    enum wallet_profile profile;
    struct wallet_request rq;
    struct row_exchange *row = NULL;
    struct unit u;
    view link = VIEW_NONE;
    TRY(json_load(body, mem, &json, f));
    TRY(check_asked(json, f));
    TRY(check_profile(g->outside, json_text(json, "profile"), &profile, f));
    if (!to)
        return E_TOO_LARGE;
    TRY(request_make(g, profile, json, to, mem, &rq, f));
    TRY(request_write(&rq, json_member(json, "claims"), json_member(json, "expect"), to));
    bool delegate = profile == WALLET_DELEGATE;
    unit_init(&u, mem);
    TRY(exchange_add(g, &u, who, wallet_profile_word(profile), delegate ? "preparing" : "waiting",
                     delegate ? rq.transaction : rq.state, to, now, &row));
    if (delegate)
        row->next_at = now;
    else
        link = link_of(g, &rq, mem);
    TRY(store_commit(g->store, &u));
    return exchange_print_new(row, link, mem, ret_json);
}

/* ---- with the wallet ---- */

/* The Taiwan wallet asks for a presentation definition inside of the same signed object. */
static err
native_request(const struct outside *o, const struct wallet_request *rq, arena *mem, view *ret_jwt)
{
    view definition;
    json_t *to = exchange_object(mem), *nested = NULL;
    TRY(wallet_native_definition(rq, mem, &definition));
    TRY(json_load(definition, mem, &nested, NULL));
    if (!to || json_object_set(to, "presentation_definition", nested) != 0)
        return E_TOO_LARGE;
    TRY(exchange_put(to, "client_id", rq->client_id));
    TRY(exchange_put(to, "response_type", V("vp_token")));
    TRY(exchange_put(to, "response_mode", V("direct_post")));
    TRY(exchange_put(to, "response_uri", rq->response_uri));
    TRY(exchange_put(to, "nonce", rq->nonce));
    TRY(exchange_put(to, "state", rq->state));
    view members = arena_printf(mem, "\"typ\":\"oauth-authz-req+jwt\",\"x5c\":[\"%.*s\"]",
                                VIEW_ARG(text_base64(mem, o->certificate_der)));
    return jws_sign(o->key, members, json_dump_arena(to, mem), false, mem, ret_jwt);
}

err
presentation_request(struct gateway *g, view handle, view wallet_nonce, instant now, arena *mem,
                     view *ret_jwt, struct fault *f)
{
    struct exchange x;
    struct wallet_request rq;
    struct unit u;
    TRY(exchange_find(g, handle, now, mem, &x, f));
    request_read(&x, &rq);
    bool native = exchange_is(&x, "twdiw-native", "waiting");
    if (!native && !exchange_is(&x, "oid4vp-1.0", "waiting"))
        return fault_set(f, E_PRESENTATION_USED, "request", "one that was not fetched", "one fetched before");
    TRY(native ? native_request(g->outside, &rq, mem, ret_jwt)
               : wallet_oid4vp_request(&rq, g->outside->key, g->outside->certificate_der, wallet_nonce, now,
                                       mem, ret_jwt));
    unit_init(&u, mem);
    return exchange_move(g, &u, &x, "asked", INSTANT_NONE, E_OK, NULL);
}

static err
result_write(const struct wallet_result *r, arena *mem, json_t *to)
{
    view text;
    json_t *about = NULL, *list = json_array();
    if (!list || json_object_set_new(to, "status", list) != 0)
        return E_TOO_LARGE;
    TRY(wallet_result_print(r, mem, &text));
    TRY(json_load(text, mem, &about, NULL));
    TRY(exchange_put(to, "evidence", r->evidence));
    TRY(exchange_put(to, "issuer", r->issuer));
    for (size_t i = 0; i < r->n_status; i++) {
        json_t *one = json_object();
        if (!one || json_array_append_new(list, one) != 0)
            return E_TOO_LARGE;
        TRY(exchange_put(one, "uri", r->status[i].uri));
        TRY(exchange_put(one, "purpose", r->status[i].purpose));
        if (json_object_set_new(one, "index", json_integer((json_int_t)r->status[i].index)) != 0 ||
            json_object_set_new(one, "is_2021", json_boolean(r->status[i].is_2021)) != 0)
            return E_TOO_LARGE;
    }
    return json_object_set(to, "result", about) == 0 &&
                   json_object_set(to, "claims", (json_t *)(uintptr_t)r->claims) == 0
               ? E_OK
               : E_TOO_LARGE;
}

/* A jti is one of the wallet's own: it stands as a nonce in the unit that believes it, so the same one again does not commit. */
static err
token_once(struct gateway *g, struct unit *u, view token_id, instant now)
{
    if (!token_id.n)
        return E_OK;
    struct row_nonce *row = unit_add_nonce(u);
    if (!row)
        return E_TOO_LARGE;
    row->id = BLIND(g->seal, "vp-jti", token_id);
    row->expires = instant_add(now, SPAN_DAYS(1));
    return E_OK;
}

err
presentation_accept(struct gateway *g, view handle, const struct presentation_answer *a, instant now,
                    arena *mem, view *ret_redirect, struct fault *f)
{
    struct exchange x;
    struct wallet_request rq;
    struct wallet_result r = {0};
    struct unit u;
    json_t *to = exchange_object(mem);
    if (!to)
        return E_TOO_LARGE;
    TRY(exchange_find(g, handle, now, mem, &x, f));
    request_read(&x, &rq);
    const struct wallet_policy policy = {.issuers = &g->outside->issuers, .now = now};
    const struct wallet_native_response native = {a->vp_token, a->presentation_submission, a->state};
    err e = view_eq(x.row->kind, V("twdiw-native")) ? wallet_native_verify(&policy, &rq, &native, mem, &r, f)
            : view_eq(x.row->kind, V("oid4vp-1.0"))
                ? wallet_oid4vp_verify(&policy, &rq, a->response, mem, &r, f)
                : fault_set(f, E_PRESENTATION_STATE, "state", "a wallet's", "another");
    unit_init(&u, mem);
    /* The person's own no ends it; what does not hold leaves it open for the right answer. */
    if (e == E_PRESENTATION_REFUSED)
        return exchange_move(g, &u, &x, "refused", INSTANT_NONE, e, NULL);
    TRY(e);
    TRY(result_write(&r, mem, to));
    TRY(token_once(g, &u, r.token_id, now));
    e = exchange_move(g, &u, &x, r.n_status ? "checking" : "verified", r.n_status ? now : INSTANT_NONE, E_OK,
                      to);
    if (e == E_STALE)
        return fault_set(f, E_PRESENTATION_USED, "jti", "a presentation of its own", "one seen before");
    view code = json_text(x.request, "response_code");
    if (e == E_OK && code.n)
        *ret_redirect =
            arena_printf(mem, "%.*s/login/return?response_code=%.*s", VIEW_ARG(g->base_url), VIEW_ARG(code));
    return e;
}

/* ---- to log in ---- */

err
presentation_for_login(struct gateway *g, partner_id who, instant now, arena *mem,
                       struct login_presentation *ret, struct fault *f)
{
    const struct outside *o = g->outside;
    char id[ID_TEXT_SIZE];
    struct row_exchange *row = NULL;
    struct wallet_request rq;
    enum wallet_profile profile;
    struct unit u;
    json_t *body = exchange_object(mem), *claims = json_array(), *to = exchange_object(mem);
    if (!body || !to || !claims || json_object_set_new(body, "claims", claims) != 0 ||
        json_array_append_new(claims, json_text_new(o->number_claim)) != 0)
        return E_TOO_LARGE;
    TRY(exchange_put(body, "type", o->login_type));
    TRY(check_profile(o, o->login_profile, &profile, f));
    if (profile == WALLET_DELEGATE)
        return fault_set(f, E_LOGIN_METHOD, "", "a wallet that this gateway verifies itself",
                         "the ministry's module");
    TRY(request_make(g, profile, body, to, mem, &rq, f));
    TRY(request_write(&rq, claims, NULL, to));
    TRY(exchange_put(to, "response_code", exchange_secret(mem)));
    unit_init(&u, mem);
    TRY(exchange_add(g, &u, who, wallet_profile_word(profile), "waiting", rq.state, to, now, &row));
    TRY(store_commit(g->store, &u));
    ret->id = arena_dup(mem, exchange_id_print((exchange_id){row->id}, id));
    ret->link = link_of(g, &rq, mem);
    return ret->id.p && ret->link.p ? E_OK : E_TOO_LARGE;
}

err
presentation_of_login(struct gateway *g, partner_id who, view id, view response_code, arena *mem,
                      view *ret_person, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    struct exchange x;
    exchange_id number;
    char claim[128];
    *ret_person = VIEW_NONE;
    TRY(store_reader(g->store, &r));
    if (exchange_id_parse(id, &number) == E_OK)
        TRY(query_exchange(r, ARGS(val_uid(&number.u), val_uid(&who.u)), mem, &row));
    if (!row)
        return fault_set(f, E_LOGIN_STATE, "", "a presentation that was asked for here", "none");
    TRY(exchange_open(g, r, row, mem, &x));
    if (!response_code.n || !bytes_eq_secret(json_text(x.request, "response_code"), response_code))
        return fault_set(f, E_LOGIN_STATE, "response_code", "the code that the wallet was given", "another");
    if (view_eq(row->state, V("checking")))
        return E_OK;
    if (!view_eq(row->state, V("verified")))
        return fault_set(f, E_LOGIN_EVIDENCE, "", "a presentation that holds", "one that was refused");
    (void)snprintf(claim, sizeof claim, "%.*s", VIEW_ARG(g->outside->number_claim));
    *ret_person =
        person_key_text(g->outside->number_system, json_text(json_member(x.result, "claims"), claim), mem);
    data_key_forget(&x.key);
    return ret_person->p
               ? E_OK
               : fault_set(f, E_LOGIN_EVIDENCE, "", "a credential with the person's number", "none");
}

err
presentation_hint(struct gateway *g, view body, instant now, arena *mem, struct fault *f)
{
    view transaction;
    struct exchange x;
    struct unit u;
    TRY(wallet_delegate_hint(body, mem, &transaction, f));
    TRY(exchange_find(g, transaction, now, mem, &x, f));
    if (!exchange_is(&x, "twdiw-delegate", "waiting"))
        return E_OK;
    unit_init(&u, mem);
    return exchange_move(g, &u, &x, "waiting", now, E_OK, NULL);
}

/* ---- the worker's steps ---- */

static err
refuse(struct gateway *g, struct exchange *x, err code, arena *mem)
{
    struct unit u;
    unit_init(&u, mem);
    return exchange_move(g, &u, x, "refused", INSTANT_NONE, code, NULL);
}

static err
step_link(struct gateway *g, struct exchange *x, const struct wallet_request *rq, exchange_fetch fetch,
          void *self, instant now, arena *mem)
{
    struct adapter_call call;
    struct adapter_answer a = {0};
    struct unit u;
    view link = VIEW_NONE;
    json_t *to = exchange_object(mem);
    TRY(wallet_delegate_link_call(&g->outside->module, rq, mem, &call));
    fetch(self, &call, mem, &a);
    unit_init(&u, mem);
    if (a.status == 0 || a.status >= 500)
        return exchange_move(g, &u, x, "preparing", instant_add(now, EXCHANGE_POLL), E_OK, NULL);
    err e = wallet_delegate_link_judge(&a, rq, mem, &link, NULL);
    if (e != E_OK)
        return refuse(g, x, e, mem);
    if (!to)
        return E_TOO_LARGE;
    TRY(exchange_put(to, "link", link));
    return exchange_move(g, &u, x, "waiting", instant_add(now, EXCHANGE_POLL), E_OK, to);
}

static err
step_result(struct gateway *g, struct exchange *x, const struct wallet_request *rq, exchange_fetch fetch,
            void *self, instant now, arena *mem)
{
    struct adapter_call call;
    struct adapter_answer a = {0};
    struct wallet_result r = {0};
    struct unit u;
    bool pending = true;
    json_t *to = exchange_object(mem);
    if (!to)
        return E_TOO_LARGE;
    TRY(wallet_delegate_result_call(&g->outside->module, rq, mem, &call));
    fetch(self, &call, mem, &a);
    err e = wallet_delegate_result_judge(&a, rq, now, mem, &pending, &r, NULL);
    unit_init(&u, mem);
    if (e == E_OK && pending)
        return exchange_move(g, &u, x, "waiting", instant_add(now, EXCHANGE_POLL), E_OK, NULL);
    if (e != E_OK)
        return refuse(g, x, e, mem);
    TRY(result_write(&r, mem, to));
    return exchange_move(g, &u, x, "verified", INSTANT_NONE, E_OK, to);
}

static err
check_list(struct gateway *g, const struct wallet_issuer *issuer, const json_t *one, exchange_fetch fetch,
           void *self, instant now, arena *mem)
{
    const struct wallet_status s = {.is_2021 = json_bool(one, "is_2021", false),
                                    .uri = json_text(one, "uri"),
                                    .purpose = json_text(one, "purpose"),
                                    .index = (uint64_t)json_int(one, "index", INT64_MAX)};
    struct adapter_call call;
    struct adapter_answer a = {0};
    instant until;
    TRY(wallet_status_call(issuer, &s, mem, &call, NULL));
    bool is_kept = status_cache_find(g->outside->lists, issuer->id, s.uri, now, mem, &a);
    if (!is_kept)
        fetch(self, &call, mem, &a);
    TRY(wallet_status_check(issuer, &s, &a, now, mem, &until, NULL));
    if (!is_kept)
        status_cache_keep(g->outside->lists, issuer->id, s.uri, &a, until);
    return E_OK;
}

/* What cannot be had is asked for again until the request's time is over, and is never taken for valid. */
static err
step_status(struct gateway *g, struct exchange *x, exchange_fetch fetch, void *self, instant now, arena *mem)
{
    const struct wallet_issuer *issuer =
        wallet_issuer_find(&g->outside->issuers, json_text(x->result, "issuer"));
    const json_t *list = json_member(x->result, "status");
    struct unit u;
    err e = issuer ? E_OK : E_CREDENTIAL_ISSUER;
    for (size_t i = 0; e == E_OK && i < json_array_size(list); i++)
        e = check_list(g, issuer, json_array_get(list, i), fetch, self, now, mem);
    unit_init(&u, mem);
    if (e == E_OK)
        return exchange_move(g, &u, x, "verified", INSTANT_NONE, E_OK, NULL);
    if (e == E_STATUS_UNAVAILABLE && now.us < x->row->expires.us)
        return exchange_move(g, &u, x, "checking", instant_add(now, EXCHANGE_POLL), e, NULL);
    json_t *nothing = exchange_object(mem); /* what was shown goes */
    return nothing ? exchange_move(g, &u, x, "refused", INSTANT_NONE, e, nothing) : E_TOO_LARGE;
}

err
presentation_step(struct gateway *g, struct exchange *x, exchange_fetch fetch, void *self, instant now,
                  arena *mem)
{
    struct wallet_request rq;
    struct unit u;
    request_read(x, &rq);
    if (view_eq(x->row->state, V("preparing")))
        return step_link(g, x, &rq, fetch, self, now, mem);
    if (exchange_is(x, "twdiw-delegate", "waiting"))
        return step_result(g, x, &rq, fetch, self, now, mem);
    if (view_eq(x->row->state, V("checking")))
        return step_status(g, x, fetch, self, now, mem);
    unit_init(&u, mem);
    char state[32];
    snprintf(state, sizeof state, "%.*s", VIEW_ARG(x->row->state));
    return exchange_move(g, &u, x, state, INSTANT_NONE, E_OK, NULL);
}
