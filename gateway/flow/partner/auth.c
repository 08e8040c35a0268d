#include "flow/partner/auth.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scope.h"
#include "base/text.h"
#include "flow/evidence/keyring.h"
#include "flow/evidence/seal.h"
#include "flow/login/form.h"
#include "flow/login/login.h"

#include <stdatomic.h>

#define ASSERTION_LIFE_S 300
#define SKEW_S 30
#define TOKEN_MAX 2048

/* -- opaque tokens: base64url(payload ‖ HMAC) -- */

struct token {
    uid partner;
    int64_t expires_us;
    digest certificate; /* zero when not bound */
    view client, scopes;
};

static view
token_print(struct gateway *g, const struct token *t, arena *mem)
{
    struct buf out;
    buf_init(&out, TOKEN_MAX);
    buf_add_view(&out, uid_view(&t->partner));
    buf_add(&out, &t->expires_us, sizeof t->expires_us);
    buf_add_view(&out, digest_view(&t->certificate));
    buf_add_view(&out, t->client);
    buf_add_byte(&out, '\0');
    buf_add_view(&out, t->scopes);
    digest key = seal_derived(g->seal, "access-token-v1");
    digest mac = hmac_sha256(digest_view(&key), buf_view(&out));
    buf_add_view(&out, digest_view(&mac));
    view text = out.failed ? VIEW_NONE : text_base64url(mem, buf_view(&out));
    buf_done(&out);
    return text;
}

#define TOKEN_FIXED (16 + 8 + 32)

static err
token_read(struct gateway *g, view text, arena *mem, struct token *ret)
{
    view raw;
    if (text.n > TOKEN_MAX * 2 || text_base64url_decode(text, mem, &raw) != E_OK ||
        raw.n < TOKEN_FIXED + 1 + 32)
        return E_TOKEN;
    view body = view_sub(raw, 0, raw.n - 32), mac = view_sub(raw, raw.n - 32, 32);
    digest key = seal_derived(g->seal, "access-token-v1");
    digest want = hmac_sha256(digest_view(&key), body);
    if (!bytes_eq_secret(digest_view(&want), mac))
        return E_TOKEN;
    memcpy(ret->partner.b, body.p, 16);
    memcpy(&ret->expires_us, body.p + 16, 8);
    memcpy(ret->certificate.b, body.p + 24, 32);
    view rest = view_sub(body, TOKEN_FIXED, body.n);
    ret->client = view_cut(&rest, '\0', NULL);
    ret->scopes = rest;
    return E_OK;
}

/* -- client assertion (RFC 7523, SMART Backend Services) -- */

struct assertion {
    struct jws_parts parts;
    json_t *claims;
    const struct registry_key *key;
};

static err
assertion_fault(struct fault *f, const char *where, const char *expected)
{
    metric_add(METRIC_TOKENS, "invalid_client", 1);
    return fault_set(f, E_CLIENT_ASSERTION, where, expected, "another form or value");
}

static err
assertion_times(const json_t *claims, instant now, struct fault *f)
{
    int64_t seconds = instant_unix(now);
    int64_t exp = json_int(claims, "exp", -1), iat = json_int(claims, "iat", seconds),
            nbf = json_int(claims, "nbf", seconds);
    if (exp < 0 || exp + SKEW_S < seconds || exp > seconds + ASSERTION_LIFE_S + SKEW_S)
        return assertion_fault(f, "client_assertion/exp", "a number at most 300 s ahead");
    if (iat > seconds + SKEW_S || nbf > seconds + SKEW_S)
        return assertion_fault(f, "client_assertion/iat", "iat and nbf not in the future");
    return E_OK;
}

static err
assertion_audience(struct gateway *g, const json_t *claims, struct fault *f)
{
    view aud = json_text(claims, "aud");
    if (view_starts(aud, g->base_url)) {
        view path = view_sub(aud, g->base_url.n, aud.n);
        if (path.n == 0 || view_eq(path, V("/oauth2/token")) || view_eq(path, V("/oauth2/par")) ||
            view_eq(path, V("/oauth2/revoke")))
            return E_OK;
    }
    return assertion_fault(f, "client_assertion/aud", "the gateway's or this endpoint's URL");
}

/* jti once per client, remembered in the store so that a restart forgets nothing. */
static err
assertion_once(struct gateway *g, const struct assertion *a, arena *mem, struct fault *f)
{
    view jti = json_text(a->claims, "jti");
    if (jti.n < 8 || jti.n > 256)
        return assertion_fault(f, "client_assertion/jti", "8 to 256 characters");
    struct unit u;
    unit_init(&u, mem);
    struct row_nonce *row = unit_add_nonce(&u);
    if (!row)
        return E_TOO_LARGE;
    row->id = BLIND(g->seal, "jti", a->key->row->kid, jti);
    row->expires = instant_of_unix(json_int(a->claims, "exp", 0) + SKEW_S);
    err e = store_commit(g->store, &u);
    return e == E_STALE ? assertion_fault(f, "client_assertion/jti", "a jti not used before") : e;
}

static err
assertion_check(struct gateway *g, struct registry *r, view text, instant now, arena *mem,
                struct assertion *ret, struct fault *f)
{
    view payload;
    if (jws_split(text, mem, &ret->parts, NULL) != E_OK)
        return assertion_fault(f, "client_assertion", "a compact JWS with an allowed algorithm");
    const struct jws_header *h = &ret->parts.header;
    if (h->typ.n && !view_eq(h->typ, V("JWT")))
        return assertion_fault(f, "client_assertion/typ", "JWT");
    ret->key = registry_key_by_kid(r, "client", h->kid, now);
    if (!ret->key)
        return assertion_fault(f, "client_assertion/kid", "the kid of a registered key");
    if (jws_verify(&ret->parts, VIEW_NONE, ret->key->alg, ret->key->pkey, mem, NULL) != E_OK)
        return assertion_fault(f, "client_assertion", "a signature by the registered key");
    if (jws_payload(&ret->parts, mem, &payload, NULL) != E_OK ||
        json_load(payload, mem, &ret->claims, NULL) != E_OK)
        return assertion_fault(f, "client_assertion", "claims as a JSON object");
    view iss = json_text(ret->claims, "iss");
    if (!iss.n || !view_eq(iss, json_text(ret->claims, "sub")) || !view_eq(iss, ret->key->partner->text))
        return assertion_fault(f, "client_assertion/iss", "iss = sub = the partner's id");
    TRY(assertion_times(ret->claims, now, f));
    TRY(assertion_audience(g, ret->claims, f));
    return assertion_once(g, ret, mem, f);
}

/* Partners whose tokens are bound to their mTLS certificate, where they hold one (DECISIONS "Security"). */
static bool
binding_wanted(const struct partner *p, instant now)
{
    static const char *const kinds[] = {"hospital", "clinic",     "insurer",   "fund",
                                        "police",   "prosecutor", "household", "nhia"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (view_eq(p->row->kind, view_of(kinds[i])))
            return partner_key(p, "mtls", now) != NULL &&
                   !view_eq(partner_option(p, "token_binding"), V("off"));
    return false;
}

static err
token_scopes(const struct partner *p, view asked, view *ret, struct fault *f)
{
    if (!asked.n) {
        *ret = p->row->scopes;
        return E_OK;
    }
    for (view rest = asked; rest.n;) {
        view one = view_cut(&rest, ' ', NULL);
        if (one.n && !scopes_grant(p->row->scopes, one))
            return fault_set(f, E_INVALID_SCOPE, "scope", "scopes of the registration", "another scope");
    }
    *ret = asked;
    return E_OK;
}

err
auth_client(struct gateway *g, struct registry *r, view form, instant now, arena *mem,
            const struct partner **ret, view *ret_kid, struct fault *f)
{
    struct assertion a = {0};
    if (!view_eq(form_field(form, "client_assertion_type", mem),
                 V("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")))
        return assertion_fault(f, "client_assertion_type",
                               "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    TRY(assertion_check(g, r, form_field(form, "client_assertion", mem), now, mem, &a, f));
    if (!partner_is_active(a.key->partner))
        return fault_set(f, E_SUSPENDED, "", "an active partner", "another status");
    *ret = a.key->partner;
    *ret_kid = a.key->row->kid;
    return E_OK;
}

/* The client's own token: for itself, for nobody. */
static err
own_token(struct gateway *g, struct registry *r, view form, const digest *certificate, instant now,
          arena *mem, view *ret_json, struct fault *f)
{
    static const digest none;
    struct token t = {0};
    const struct partner *p = NULL;
    TRY(auth_client(g, r, form, now, mem, &p, &t.client, f));
    TRY(token_scopes(p, form_field(form, "scope", mem), &t.scopes, f));
    if (!digest_eq(certificate, &none)) {
        const struct registry_key *k = registry_key_by_fingerprint(r, "mtls", certificate, now);
        if (!k || k->partner != p)
            return fault_set(f, E_CLIENT_CERT, "", "a certificate of this partner", "another's");
        t.certificate = *certificate;
    } else if (binding_wanted(p, now)) {
        return fault_set(f, E_TOKEN_BINDING, "", "the registered TLS client certificate", "none");
    }
    int64_t life = config_span(g->config, SET_TOKEN_LIFE).us;
    t.partner = p->id.u;
    t.expires_us = now.us + life;
    view token = token_print(g, &t, mem);
    *ret_json = arena_printf(
        mem, "{\"access_token\":\"%.*s\",\"token_type\":\"Bearer\",\"expires_in\":%lld,\"scope\":\"%.*s\"}",
        VIEW_ARG(token), (long long)(life / 1000000), VIEW_ARG(t.scopes));
    return token.p && ret_json->p ? E_OK : E_TOO_LARGE;
}

err
auth_token(struct gateway *g, view form, const struct proof *proof, instant now, arena *mem, view *ret_json,
           struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    view grant = form_field(form, "grant_type", mem);
    err e;
    if (view_eq(grant, V("client_credentials")))
        e = own_token(g, r, form, &proof->certificate, now, mem, ret_json, f);
    else if (view_eq(grant, V("authorization_code")))
        e = login_code(g, r, form, proof, now, mem, ret_json, f);
    else if (view_eq(grant, V("refresh_token")))
        e = login_refresh(g, r, form, proof, now, mem, ret_json, f);
    else
        return fault_set(f, E_GRANT, "grant_type", "client_credentials, authorization_code or refresh_token",
                         "another grant");
    if (e == E_OK)
        metric_add(METRIC_TOKENS, "issued", 1);
    return e;
}

/* -- each request -- */

static err
identify(const struct partner *p, view client, view scopes, arena *mem, struct identity *ret, struct fault *f)
{
    if (!p)
        return fault_set(f, E_TOKEN, "", "a token of a registered partner", "another");
    if (!partner_is_active(p))
        return fault_set(f, E_SUSPENDED, "", "an active partner", "another status");
    ret->partner = p->id;
    ret->partner_kind = arena_dup(mem, p->row->kind);
    ret->partner_code = arena_dup(mem, p->row->code);
    ret->client = arena_dup(mem, client);
    ret->scopes = arena_dup(mem, scopes);
    return ret->scopes.p ? E_OK : E_TOO_LARGE;
}

static err
check_bearer(struct gateway *g, struct registry *r, view text, view certificate, instant now, arena *mem,
             struct identity *ret, struct fault *f)
{
    struct token t;
    static const digest none;
    if (token_read(g, text, mem, &t) != E_OK)
        return fault_set(f, E_TOKEN, "Authorization", "a token of this gateway", "another");
    if (t.expires_us <= now.us)
        return fault_set(f, E_TOKEN_EXPIRED, "Authorization", "a token of the last 300 s", "an older one");
    if (!digest_eq(&t.certificate, &none)) {
        digest print = sha256(certificate);
        if (!certificate.n || !digest_eq(&print, &t.certificate))
            return fault_set(f, E_TOKEN_BINDING, "Authorization",
                             "the certificate that the token is bound to", "another or none");
        ret->peer_certificate = print;
    }
    return identify(registry_partner(r, (partner_id){t.partner}), t.client, t.scopes, mem, ret, f);
}

/* What the person granted and the registry still allows the app. */
static view
scopes_both(const struct partner *p, view granted, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 2048);
    while (granted.n) {
        view one = view_cut(&granted, ' ', NULL);
        if (p && scopes_grant(p->row->scopes, one))
            buf_printf(&out, "%s%.*s", out.n ? " " : "", VIEW_ARG(one));
    }
    return out.n ? arena_dup(mem, buf_view(&out)) : V("");
}

/* A person's token, with the proof that it is bound to. */
static err
check_person(struct gateway *g, struct registry *r, view token, const struct proof *proof, bool by_dpop,
             instant now, arena *mem, struct identity *ret, struct fault *f)
{
    struct person_identity who = {0};
    TRY(login_check(g, token, proof, by_dpop, now, mem, &who, f));
    const struct partner *app = registry_partner(r, who.partner);
    TRY(identify(app, V("person"), scopes_both(app, who.scopes, mem), mem, ret, f));
    ret->is_person = true;
    ret->person = who.person;
    ret->session = who.session;
    ret->only_case = who.only_case;
    ret->authenticated_at = who.authenticated_at;
    return E_OK;
}

err
auth_check(struct gateway *g, view authorization, view certificate, const struct proof *proof, instant now,
           arena *mem, struct identity *ret, struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    struct identity who = {0};
    err e;
    if (view_starts(authorization, V("DPoP ")) || view_starts(authorization, V("Bearer " PERSON_TOKEN))) {
        bool by_dpop = authorization.p[0] == 'D';
        e = check_person(g, r, view_sub(authorization, by_dpop ? 5 : 7, authorization.n), proof, by_dpop, now,
                         mem, &who, f);
    } else if (authorization.n) {
        if (!view_starts(authorization, V("Bearer ")))
            return fault_set(f, E_LOGIN, "Authorization", "Bearer or DPoP", "another scheme");
        e = check_bearer(g, r, view_sub(authorization, 7, authorization.n), certificate, now, mem, &who, f);
    } else if (certificate.n) {
        digest print = sha256(certificate);
        const struct registry_key *k = registry_key_by_fingerprint(r, "mtls", &print, now);
        AUTO(trust_unref) struct trust *trust = gateway_trust(g);
        struct signer signer;
        if (!k)
            return fault_set(f, E_CLIENT_CERT, "", "a registered certificate", "another");
        TRY(trust_judge_client(trust, certificate, now, &signer, f));
        who.peer_certificate = print;
        e = identify(k->partner, k->row->kid, k->partner->row->scopes, mem, &who, f);
    } else {
        return fault_set(f, E_LOGIN, "Authorization", "a token or a client certificate", "none");
    }
    TRY(e);
    *ret = who;
    return E_OK;
}

/* -- quota: GCRA, one slot per (partner, class), in memory -- */

#define SLOTS 4096

static struct slot {
    _Atomic int64_t tat_us; /* theoretical arrival time */
} slots[SLOTS];

err
auth_admit(struct gateway *g, partner_id partner, const char *route_class, instant now, int *ret_wait)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    const struct partner *p = registry_partner(r, partner);
    int64_t per_minute = p && p->row->quota > 0 ? p->row->quota : 0;
    if (!per_minute)
        return E_OK; /* 0 = no quota */
    view parts[] = {uid_view(&partner.u), view_of(route_class)};
    digest d = sha256_parts(parts, 2);
    struct slot *s = &slots[(d.b[0] | d.b[1] << 8) % SLOTS];
    int64_t step = 60000000 / per_minute, burst = 60000000;
    int64_t tat = atomic_load(&s->tat_us);
    int64_t next;
    do {
        int64_t base = tat > now.us ? tat : now.us;
        next = base + step;
        if (next - now.us > burst) {
            *ret_wait = (int)((next - now.us - burst) / 1000000 + 1);
            return E_QUOTA;
        }
    } while (!atomic_compare_exchange_weak(&s->tat_us, &tat, next));
    return E_OK;
}

/* -- metadata -- */

view
auth_metadata(struct gateway *g, bool smart, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    view base = g->base_url;
    buf_init(&out, 16384);
    buf_printf(&out,
               "{\"issuer\":\"%.*s\",\"authorization_endpoint\":\"%.*s/oauth2/authorize\",\"token_endpoint\":"
               "\"%.*s/oauth2/token\",\"pushed_authorization_request_endpoint\":\"%.*s/oauth2/par\","
               "\"revocation_endpoint\":\"%.*s/oauth2/revoke\",\"jwks_uri\":\"%.*s/.well-known/jwks.json\",",
               VIEW_ARG(base), VIEW_ARG(base), VIEW_ARG(base), VIEW_ARG(base), VIEW_ARG(base),
               VIEW_ARG(base));
    BUF_LIT(&out,
            "\"grant_types_supported\":[\"client_credentials\",\"authorization_code\",\"refresh_token\"],"
            "\"response_types_supported\":[\"code\"],\"response_modes_supported\":[\"query\"],"
            "\"code_challenge_methods_supported\":[\"S256\"],\"require_pushed_authorization_requests\":true,"
            "\"authorization_response_iss_parameter_supported\":true,"
            "\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"],"
            "\"token_endpoint_auth_signing_alg_values_supported\":[\"ES256\",\"ES384\",\"RS256\",\"RS384\","
            "\"PS256\",\"Ed25519\",\"EdDSA\"],"
            "\"dpop_signing_alg_values_supported\":[\"ES256\",\"ES384\",\"PS256\",\"Ed25519\",\"EdDSA\"],"
            "\"tls_client_certificate_bound_access_tokens\":true,\"acr_values_supported\":[");
    login_print_acr(g, &out);
    BUF_LIT(&out, "],\"scopes_supported\":[");
    login_print_scopes(&out);
    BUF_LIT(&out, "]");
    if (smart)
        BUF_LIT(&out, ",\"capabilities\":[\"client-confidential-asymmetric\",\"permission-v2\"]");
    BUF_LIT(&out, "}");
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}

view
auth_jwks(struct gateway *g, arena *mem)
{
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(g);
    return keyring_jwks(keys, clock_now(), mem);
}
