#include "cli/demo/actor.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/demo/exchange.h"
#include "cli/sample/sign.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLBACK "https://app.example.tw/callback"
#define SCOPE "cases:read documents:read applications:write permissions:write"
#define FORM "application/x-www-form-urlencoded"
#define TEXT_SIZE 1024

/* A person who has logged in at the gateway for this app: the token, bound to a key of the app's (DPoP). */
struct login {
    struct key *key;
    char token[TEXT_SIZE], nonce[TEXT_SIZE], cookie[TEXT_SIZE];
};

static void
keep(char to[TEXT_SIZE], view text)
{
    size_t n = text.n < TEXT_SIZE - 1 ? text.n : TEXT_SIZE - 1;
    if (!text.n)
        return;
    memcpy(to, text.p, n);
    to[n] = '\0';
}

void
login_free(struct login *l)
{
    if (l)
        key_free(l->key);
    free(l);
}

/* -- proofs of the app's key (RFC 9449) -- */

static view
hash_of(view text, arena *mem)
{
    digest d = sha256(text);
    return text_base64url(mem, digest_view(&d));
}

static err
proof(struct actor *a, const char *method, view target, bool with_token, view *ret)
{
    arena *mem = a->p.mem;
    const struct login *l = a->login;
    view path = target, jwk, claims = V("");
    path = view_cut(&path, '?', NULL);
    TRY(jwk_print(l->key, mem, &jwk));
    if (l->nonce[0])
        claims = arena_printf(mem, ",\"nonce\":\"%s\"", l->nonce);
    if (with_token)
        claims = arena_printf(mem, "%.*s,\"ath\":\"%.*s\"", VIEW_ARG(claims),
                              VIEW_ARG(hash_of(view_of(l->token), mem)));
    view payload = arena_printf(mem, "{\"htm\":\"%s\",\"htu\":\"%s%.*s\",\"jti\":\"%.*s\",\"iat\":%lld%.*s}",
                                method, client_base(a->p.client), VIEW_ARG(path), VIEW_ARG(client_nonce(mem)),
                                (long long)instant_unix(clock_now()), VIEW_ARG(claims));
    view header = arena_printf(mem, "\"typ\":\"dpop+jwt\",\"jwk\":%.*s", VIEW_ARG(jwk));
    return payload.p && header.p ? jws_sign(l->key, header, payload, false, mem, ret) : E_TOO_LARGE;
}

/* -- the browser: keeps one cookie, goes nowhere by itself -- */

static err
browse(struct actor *a, const char *method, view target, view form, struct exchange_reply *ret,
       struct fault *f)
{
    struct login *l = a->login;
    struct exchange x = {.method = method, .target = target, .media = FORM, .body = form};
    if (l->cookie[0])
        x.headers[x.n_headers++] = (struct net_header){"Cookie", view_of(l->cookie)};
    TRY(exchange_call(a->p.client, &x, a->p.mem, ret, f));
    view cookie = exchange_header(ret, V("set-cookie"));
    keep(l->cookie, view_cut(&cookie, ';', NULL));
    return E_OK;
}

/* What the page asks to be signed: the text between the marks, without HTML's escapes. */
static err
challenge_of(view page, arena *mem, view *ret, struct fault *f)
{
    static const struct {
        view escape, plain;
    } escapes[] = {{V_INIT("&lt;"), V_INIT("<")},
                   {V_INIT("&gt;"), V_INIT(">")},
                   {V_INIT("&quot;"), V_INIT("\"")},
                   {V_INIT("&#39;"), V_INIT("'")},
                   {V_INIT("&amp;"), V_INIT("&")}};
    const view begin = V("<pre id=\"challenge\">");
    struct buf out;
    size_t at = view_find(page, begin);
    view text = view_sub(page, at + begin.n, page.n);
    text = view_sub(text, 0, view_find(text, V("</pre>")));
    if (at == page.n)
        return fault_set(f, E_LOGIN, "/login", "a page with a challenge", "another");
    buf_init(&out, 65536);
    while (text.n) {
        size_t n = 1, i = 0;
        for (; i < COUNT_OF(escapes) && !view_starts(text, escapes[i].escape); i++)
            ;
        if (i < COUNT_OF(escapes))
            n = escapes[i].escape.n;
        buf_add_view(&out, i < COUNT_OF(escapes) ? escapes[i].plain : view_sub(text, 0, 1));
        text = view_sub(text, n, text.n);
    }
    *ret = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret->p ? E_OK : E_TOO_LARGE;
}

/* -- the way: pushed request, page, signature, code, token -- */

static view
form_done(struct buf *form, arena *mem)
{
    view text = form->failed ? VIEW_NONE : arena_dup(mem, buf_view(form));
    buf_done(form);
    return text;
}

static err
begin_form(struct actor *a, struct buf *form)
{
    view assertion;
    buf_init(form, 65536);
    TRY(client_assertion(a->p.client, a->p.mem, &assertion));
    form_add(form, "client_assertion_type", V("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    form_add(form, "client_assertion", assertion);
    return E_OK;
}

static err
push(struct actor *a, view verifier, view *ret_uri, struct fault *f)
{
    struct buf form;
    struct exchange_reply reply;
    json_t *json = NULL;
    TRY(begin_form(a, &form));
    form_add(&form, "response_type", V("code"));
    form_add(&form, "client_id", client_name(a->p.client));
    form_add(&form, "redirect_uri", V(CALLBACK));
    form_add(&form, "scope", V(SCOPE));
    form_add(&form, "state", V("demo"));
    form_add(&form, "code_challenge", hash_of(verifier, a->p.mem));
    form_add(&form, "code_challenge_method", V("S256"));
    TRY(browse(a, "POST", V("/oauth2/par"), form_done(&form, a->p.mem), &reply, f));
    TRY(json_load(reply.body, a->p.mem, &json, f));
    *ret_uri = json_text(json, "request_uri");
    return ret_uri->n ? E_OK : fault_set(f, E_LOGIN, "/oauth2/par", "a request_uri", "a refusal");
}

/* The person at the page, with his card. */
static err
sign_in(struct actor *a, view uri, view *ret_code, struct fault *f)
{
    arena *mem = a->p.mem;
    struct buf query, form;
    struct exchange_reply page, done;
    view text, signature;
    const char *key, *certificate, *who = arena_cstr(mem, json_text(a->step, "who"));
    buf_init(&query, 4096);
    form_add(&query, "client_id", client_name(a->p.client));
    form_add(&query, "request_uri", uri);
    view asked = form_done(&query, mem),
         target = arena_printf(mem, "/oauth2/authorize?%.*s", VIEW_ARG(asked));
    TRY(browse(a, "GET", target, VIEW_NONE, &page, f));
    TRY(browse(a, "GET", V("/login"), VIEW_NONE, &page, f));
    TRY(challenge_of(page.body, mem, &text, f));
    TRY(party_pem(&a->p, who, "key", &key));
    TRY(party_pem(&a->p, who, "crt", &certificate));
    TRY(sign_jws(key, certificate, NULL, "claimgate-login+jwt", text, false, INSTANT_NONE, mem, &signature,
                 f));
    buf_init(&form, 65536);
    form_add(&form, "action", V("certificate"));
    form_add(&form, "number", json_text(a->step, "number"));
    form_add(&form, "signature", signature);
    TRY(browse(a, "POST", V("/login"), form_done(&form, mem), &done, f));
    view location = exchange_header(&done, V("location"));
    size_t at = view_find(location, V("code="));
    view rest = view_sub(location, at + sizeof "code=" - 1, location.n);
    *ret_code = view_cut(&rest, '&', NULL);
    return at < location.n ? E_OK : fault_set(f, E_LOGIN, "/login", "a code for the app", "none");
}

static err
ask_token(struct actor *a, view code, view verifier, struct exchange_reply *ret, struct fault *f)
{
    struct buf form;
    struct exchange x = {.method = "POST", .target = V("/oauth2/token"), .media = FORM, .n_headers = 1};
    TRY(begin_form(a, &form));
    form_add(&form, "grant_type", V("authorization_code"));
    form_add(&form, "code", code);
    form_add(&form, "redirect_uri", V(CALLBACK));
    form_add(&form, "code_verifier", verifier);
    x.body = form_done(&form, a->p.mem);
    x.headers[0].name = "DPoP";
    TRY(proof(a, "POST", x.target, false, &x.headers[0].value));
    TRY(exchange_call(a->p.client, &x, a->p.mem, ret, f));
    keep(a->login->nonce, exchange_header(ret, V("dpop-nonce")));
    return E_OK;
}

err
actor_login(struct actor *a, struct client_reply *ret, struct fault *f)
{
    struct exchange_reply reply;
    view uri, code,
        verifier = arena_printf(a->p.mem, "%.*s%.*s", VIEW_ARG(client_nonce(a->p.mem)),
                                VIEW_ARG(client_nonce(a->p.mem)));
    view file = arena_printf(a->p.mem, "%s/dpop-%.*s.key", a->p.dir, VIEW_ARG(client_nonce(a->p.mem)));
    login_free(a->login);
    a->login = calloc(1, sizeof *a->login);
    if (!a->login)
        abort(); /* a size of ours */
    TRY(key_create(file.p, ALG_ES256, &a->login->key, f));
    TRY(push(a, verifier, &uri, f));
    TRY(sign_in(a, uri, &code, f));
    TRY(ask_token(a, code, verifier, &reply, f));
    if (reply.status == 400) /* the gateway wants its nonce in the proof */
        TRY(ask_token(a, code, verifier, &reply, f));
    *ret = (struct client_reply){.status = reply.status, .body = reply.body};
    TRY(json_load(reply.body, a->p.mem, &ret->json, f));
    keep(a->login->token, json_text(ret->json, "access_token"));
    return E_OK;
}

/* -- afterwards -- */

err
actor_as_person(struct actor *a, const struct client_request *rq, struct client_reply *ret, struct fault *f)
{
    struct exchange_reply reply;
    struct exchange x = {.method = rq->method,
                         .target = view_of(rq->path),
                         .media = rq->media,
                         .body = rq->body,
                         .n_headers = 2};
    if (!a->login)
        return fault_set(f, E_LOGIN, "/login", "a person who has logged in", "none");
    x.headers[0] = (struct net_header){"Authorization", arena_printf(a->p.mem, "DPoP %s", a->login->token)};
    x.headers[1].name = "DPoP";
    for (int tries = 0; tries < 2; tries++) {
        TRY(proof(a, x.method, x.target, true, &x.headers[1].value));
        TRY(exchange_call(a->p.client, &x, a->p.mem, &reply, f));
        keep(a->login->nonce, exchange_header(&reply, V("dpop-nonce")));
        if (reply.status != 401)
            break;
    }
    *ret = (struct client_reply){.status = reply.status, .body = reply.body};
    return reply.body.n ? json_load(reply.body, a->p.mem, &ret->json, f) : E_OK;
}
