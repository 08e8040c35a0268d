#include "cli/demo/client.h"

#include "base/id.h"
#include "base/text.h"
#include "signing/jose/jws.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH_SIZE 4352
#define HEADERS_MAX 10
#define REPLY_MAX ((size_t)64 << 20)
#define TOKEN_MEMORY ((size_t)1 << 20)
#define ASSERTION_LIFE_S 120
#define TOKEN_MARGIN SPAN_SECONDS(30)

struct client {
    arena *mem; /* id, base, token */
    struct key *key;
    view id, base, token;
    char token_text[2048];
    instant token_until;
};

/* -- open -- */

static err
read_partner(struct client *c, const char *dir, const char *name, view *ret_key_file, struct fault *f)
{
    char path[PATH_SIZE];
    view text;
    json_t *json = NULL;
    snprintf(path, sizeof path, "%s/partners.json", dir);
    TRY(file_read(path, c->mem, &text, f));
    TRY(json_load(text, c->mem, &json, f));
    const json_t *partner = json_member(json, name);
    c->id = json_text(partner, "id");
    view file = json_text(partner, "client_key");
    if (!c->id.n || !file.n)
        return fault_set(f, E_PARTNER, path, "a partner of the sandbox", "another name");
    *ret_key_file = arena_printf(c->mem, "%s/%.*s", dir, VIEW_ARG(file));
    return ret_key_file->p ? E_OK : E_TOO_LARGE;
}

static err
read_base(struct client *c, const char *dir, struct fault *f)
{
    AUTO(config_free) struct config *config = NULL;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/claimgate.conf", dir);
    TRY(config_load(path, NULL, 0, &config, f));
    c->base = arena_dup(c->mem, config_text(config, SET_HTTP_BASE_URL));
    return c->base.p ? E_OK : E_TOO_LARGE;
}

err
client_open(const char *dir, const char *name, struct client **ret, struct fault *f)
{
    AUTO(client_free) struct client *c = calloc(1, sizeof *c);
    view key_file;
    if (!c)
        abort(); /* a size of ours */
    c->mem = arena_new(TOKEN_MEMORY);
    TRY(read_partner(c, dir, name, &key_file, f));
    TRY(read_base(c, dir, f));
    TRY(key_load_pem(key_file.p, &c->key, f));
    *ret = TAKE(c);
    return E_OK;
}

void
client_free(struct client *c)
{
    if (!c)
        return;
    key_free(c->key);
    arena_free(c->mem);
    free(c);
}

const char *
client_base(const struct client *c)
{
    return c->base.p;
}

view
client_name(const struct client *c)
{
    return c->id;
}

view
client_nonce(arena *mem)
{
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    return text_hex(mem, view_make(bytes, sizeof bytes));
}

/* -- calls -- */

static err
fetch(struct client *c, const struct client_request *rq, const struct net_header *headers, size_t n,
      arena *mem, struct client_reply *ret, struct fault *f)
{
    const struct net_policy policy = {.allow_private = true};
    struct net_reply reply;
    view url =
        rq->path[0] == '/' ? arena_printf(mem, "%.*s%s", VIEW_ARG(c->base), rq->path) : view_of(rq->path);
    if (!url.p)
        return E_TOO_LARGE;
    const struct net_request call = {.method = rq->method,
                                     .url = url,
                                     .headers = headers,
                                     .n_headers = n,
                                     .body = rq->body,
                                     .reply_max = REPLY_MAX};
    TRY(net_fetch(&policy, &call, mem, &reply, f));
    *ret = (struct client_reply){.status = reply.status, .body = reply.body, .took = reply.took};
    bool is_json = view_find(reply.media_type, V("json")) < reply.media_type.n;
    if (is_json && json_load(reply.body, mem, &ret->json, NULL) != E_OK)
        ret->json = NULL;
    int64_t version = json_int(json_member(ret->json, "claim"), "version", 0);
    if (version > 0)
        ret->etag = arena_printf(mem, "\"%lld\"", (long long)version);
    return E_OK;
}

/* {"iss","sub","aud","iat","exp","jti"} signed by the client's key (SMART Backend Services). */
err
client_assertion(struct client *c, arena *mem, view *ret)
{
    int64_t now = instant_unix(clock_now());
    view claims = arena_printf(mem,
                               "{\"iss\":\"%.*s\",\"sub\":\"%.*s\",\"aud\":\"%.*s/oauth2/"
                               "token\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"%.*s\"}",
                               VIEW_ARG(c->id), VIEW_ARG(c->id), VIEW_ARG(c->base), (long long)now,
                               (long long)now + ASSERTION_LIFE_S, VIEW_ARG(client_nonce(mem)));
    return claims.p ? jws_sign(c->key, V("\"typ\":\"JWT\""), claims, false, mem, ret) : E_TOO_LARGE;
}

static err
get_token(struct client *c, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(TOKEN_MEMORY);
    const struct net_header form_type = {"Content-Type", V("application/x-www-form-urlencoded")};
    struct client_reply reply;
    view assertion;
    TRY(client_assertion(c, mem, &assertion));
    view form = arena_printf(mem,
                             "grant_type=client_credentials&client_assertion_type=urn%%3Aietf%%3Aparams%%"
                             "3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
                             "&client_assertion=%.*s",
                             VIEW_ARG(assertion));
    if (!form.p)
        return E_TOO_LARGE;
    const struct client_request rq = {.method = "POST", .path = "/oauth2/token", .body = form};
    TRY(fetch(c, &rq, &form_type, 1, mem, &reply, f));
    view token = json_text(reply.json, "access_token");
    if (reply.status != 200 || !token.n || token.n >= sizeof c->token_text)
        return fault_set(f, E_LOGIN, "/oauth2/token", "an access token", "a refusal");
    memcpy(c->token_text, token.p, token.n);
    c->token = view_make(c->token_text, token.n);
    c->token_until = instant_add(clock_now(), SPAN_SECONDS(json_int(reply.json, "expires_in", 60)));
    return E_OK;
}

static err
want_token(struct client *c, struct fault *f)
{
    if (c->token.n && instant_add(clock_now(), TOKEN_MARGIN).us < c->token_until.us)
        return E_OK;
    return get_token(c, f);
}

err
client_bearer(struct client *c, arena *mem, view *ret, struct fault *f)
{
    TRY(want_token(c, f));
    *ret = arena_printf(mem, "Bearer %.*s", VIEW_ARG(c->token));
    return ret->p ? E_OK : E_TOO_LARGE;
}

err
client_call(struct client *c, const struct client_request *rq, arena *mem, struct client_reply *ret,
            struct fault *f)
{
    struct net_header headers[HEADERS_MAX];
    size_t n = 0;
    if (!rq->anonymous) {
        headers[n].name = "Authorization";
        TRY(client_bearer(c, mem, &headers[n++].value, f));
    }
    if (rq->body.n)
        headers[n++] =
            (struct net_header){"Content-Type", view_of(rq->media ? rq->media : "application/json")};
    for (size_t i = 0; i < rq->n_headers && n < COUNT_OF(headers); i++)
        headers[n++] = rq->headers[i];
    return fetch(c, rq, headers, n, mem, ret, f);
}

err
client_get(struct client *c, const char *path, arena *mem, struct client_reply *ret, struct fault *f)
{
    const struct client_request rq = {.method = "GET", .path = path};
    return client_call(c, &rq, mem, ret, f);
}

err
client_post(struct client *c, const char *path, view body, arena *mem, struct client_reply *ret,
            struct fault *f)
{
    const struct client_request rq = {.method = "POST", .path = path, .body = body};
    return client_call(c, &rq, mem, ret, f);
}

/* -- refusals -- */

static const json_t *
first_of(const json_t *object, const char *name)
{
    return json_array_get(json_member(object, name), 0);
}

static view
text_item(const json_t *object, const char *list)
{
    const json_t *item = first_of(object, list);
    return json_is_string(item) ? view_make(json_string_value(item), json_string_length(item)) : VIEW_NONE;
}

view
client_code(const struct client_reply *reply)
{
    if (reply->status >= 200 && reply->status < 300)
        return VIEW_NONE;
    view plain = json_text(reply->json, "code");
    return plain.n ? plain
                   : json_text(first_of(json_member(first_of(reply->json, "issue"), "details"), "coding"),
                               "code");
}

view
client_place(const struct client_reply *reply)
{
    static const char *const plain[] = {"pointer", "path", "parameter"}, *const fhir[] = {"expression",
                                                                                          "location"};
    const json_t *error = first_of(reply->json, "errors"), *issue = first_of(reply->json, "issue");
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (json_text(error, plain[i]).n)
            return json_text(error, plain[i]);
    for (size_t i = 0; i < COUNT_OF(fhir); i++)
        if (text_item(issue, fhir[i]).n)
            return text_item(issue, fhir[i]);
    return VIEW_NONE;
}
