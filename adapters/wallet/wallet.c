#include "adapters/wallet/inside.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/jose/status_list.h"

static const char *const profile_words[] = {
#define WALLET_PROFILE(id, word) word,
#include "adapters/wallet/wallet.def"
#undef WALLET_PROFILE
};
static const char *const check_words[] = {
#define CHECK(id, number, word) word,
#include "adapters/wallet/wallet.def"
#undef CHECK
};

const char *
wallet_profile_word(enum wallet_profile p)
{
    return p < WALLET_PROFILES ? profile_words[p] : "";
}

enum wallet_profile
wallet_profile_of(view word)
{
    for (int i = 0; i < WALLET_PROFILES; i++)
        if (view_eq(word, view_of(profile_words[i])))
            return (enum wallet_profile)i;
    return WALLET_PROFILES;
}

const char *
wallet_check_word(enum wallet_check c)
{
    return c < WALLET_CHECKS ? check_words[c] : "";
}

/* ---- issuers ---- */

static err
bad_list(struct fault *f, size_t i, const char *expected)
{
    return fault_setf(f, E_CONFIG, expected, "something else", "/issuers/%zu", i);
}

static bool
texts_read(const json_t *array, size_t most, arena *mem, view *to, size_t *ret_n)
{
    if (array && (!json_is_array(array) || json_array_size(array) > most))
        return false;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *one = json_array_get(array, i);
        if (!json_is_string(one))
            return false;
        to[i] = arena_dup(mem, view_make(json_string_value(one), json_string_length(one)));
        if (!to[i].p)
            return false;
    }
    *ret_n = json_array_size(array);
    return true;
}

static err
keys_read(const json_t *keys, arena *mem, struct wallet_issuer *to, struct fault *f)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        struct wallet_key *k = &to->keys[i];
        TRY(jwk_read(json_array_get(keys, i), &k->pkey, &k->alg, &k->kid, mem, f));
        if (!arena_defer(mem, pkey_free, k->pkey))
            return E_TOO_LARGE;
    }
    to->n_keys = json_array_size(keys);
    if (to->n_keys)
        return E_OK;
    to->n_keys = 1;
    return did_key_read(to->id, mem, &to->keys[0].pkey, &to->keys[0].alg, f);
}

err
wallet_issuers_read(view json, arena *mem, struct wallet_issuers *ret, struct fault *f)
{
    json_t *all = NULL;
    TRY(json_load(json, mem, &all, f));
    const json_t *list = json_member(all, "issuers");
    if (!json_is_array(list) || json_array_size(list) > WALLET_ISSUERS_MAX)
        return fault_set(f, E_CONFIG, "/issuers", "a list of at most 32", "something else");
    ret->n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct wallet_issuer *to = &ret->list[ret->n++];
        *to = (struct wallet_issuer){.id = arena_dup(mem, json_text(one, "id")),
                                     .jku = arena_dup(mem, json_text(one, "jku")),
                                     .needs_status = json_bool(one, "needs_status", true)};
        if (!to->id.n || json_array_size(json_member(one, "keys")) > WALLET_KEYS_MAX)
            return bad_list(f, i, "an id, and at most eight keys");
        if (!texts_read(json_member(one, "hosts"), WALLET_HOSTS_MAX, mem, to->hosts, &to->n_hosts) ||
            !texts_read(json_member(one, "types"), WALLET_TYPES_MAX, mem, to->types, &to->n_types) ||
            !to->n_types)
            return bad_list(f, i, "hosts and types");
        TRY(keys_read(json_member(one, "keys"), mem, to, f));
    }
    return E_OK;
}

const struct wallet_issuer *
wallet_issuer_find(const struct wallet_issuers *all, view id)
{
    for (size_t i = 0; i < all->n; i++)
        if (view_eq(all->list[i].id, id))
            return &all->list[i];
    return NULL;
}

/* ---- shared checks ---- */

err
wallet_check_waiting(const struct wallet_request *rq, instant now, struct fault *f)
{
    if (rq->is_used)
        return fault_set(f, E_PRESENTATION_USED, "state", "a request that waits", "one that was answered");
    if (now.us >= rq->expires.us)
        return fault_set(f, E_PRESENTATION_EXPIRED, "state", "a request that waits", "one past its time");
    return E_OK;
}

static err
header_addresses(const struct jws_parts *jwt, const struct wallet_issuer *i, arena *mem, struct fault *f)
{
    view text;
    json_t *header = NULL;
    TRY(text_base64url_decode(jwt->protected_b64, mem, &text));
    TRY(json_load(text, mem, &header, f));
    if ((json_member(header, "jku") && !view_eq(json_text(header, "jku"), i->jku)) ||
        json_member(header, "x5u"))
        return fault_set(f, E_CREDENTIAL_ISSUER, "jku", "the issuer's registered address, or none",
                         "another");
    return E_OK;
}

static err
key_of(const struct wallet_issuer *i, const struct jws_parts *jwt, arena *mem, const struct wallet_key **ret,
       struct fault *f)
{
    TRY(header_addresses(jwt, i, mem, f));
    for (size_t k = 0; k < i->n_keys; k++)
        /* An issuer with one key need not name it. */
        if (i->n_keys == 1 || view_eq(i->keys[k].kid, jwt->header.kid)) {
            *ret = &i->keys[k];
            return E_OK;
        }
    return fault_set(f, E_CREDENTIAL_ISSUER, "kid", "a registered key of the issuer", "another");
}

err
wallet_issuer_key(const struct wallet_issuers *all, view id, const struct jws_parts *jwt, arena *mem,
                  const struct wallet_issuer **ret_issuer, const struct wallet_key **ret_key, struct fault *f)
{
    const struct wallet_issuer *i = wallet_issuer_find(all, id);
    if (!i)
        return fault_set(f, E_CREDENTIAL_ISSUER, "iss", "an issuer of the list", "another");
    TRY(key_of(i, jwt, mem, ret_key, f));
    *ret_issuer = i;
    return E_OK;
}

bool
wallet_has_text(const json_t *array, view text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *one = json_array_get(array, i);
        if (json_is_string(one) && view_eq(view_make(json_string_value(one), json_string_length(one)), text))
            return true;
    }
    return false;
}

err
wallet_check_type(const struct wallet_issuer *i, const struct wallet_request *rq, bool is_of_type,
                  struct fault *f)
{
    bool may_issue = false;
    for (size_t k = 0; k < i->n_types; k++)
        may_issue |= view_eq(i->types[k], rq->type);
    return is_of_type && may_issue ? E_OK
                                   : fault_set(f, E_CREDENTIAL_TYPE, "type",
                                               "the type asked for, from an issuer of it", "another");
}

/* What was not asked for is dropped here and goes nowhere. */
err
wallet_claims_take(const struct wallet_request *rq, const json_t *subject, arena *mem,
                   struct wallet_result *ret, struct fault *f)
{
    json_t *taken = json_object();
    if (!taken || !arena_defer(mem, json_decref_fn, taken))
        return E_TOO_LARGE;
    for (size_t i = 0; i < rq->n_claims; i++) {
        const char *name = arena_cstr(mem, rq->claims[i]);
        json_t *value = name ? json_object_get(subject, name) : NULL;
        if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
            return fault_set(f, E_PRESENTATION_QUERY, "claims", "every claim asked for",
                             "one missing or empty");
        if (json_object_set(taken, name, value) != 0)
            return E_INTERNAL;
    }
    wallet_passed(ret, WALLET_CHECK_CLAIMS);
    for (size_t i = 0; i < rq->n_expect; i++) {
        const char *name = arena_cstr(mem, rq->expect[i].claim);
        if (!name || !view_eq(json_text(subject, name), rq->expect[i].value))
            return fault_set(f, E_PERSON_OTHER, "claims", "the person of the case", "another");
    }
    wallet_passed(ret, WALLET_CHECK_PERSON);
    ret->claims = taken;
    return E_OK;
}

void
wallet_passed_sd_jwt(struct wallet_result *r)
{
    for (int c = WALLET_CHECK_SIZE; c <= WALLET_CHECK_TIMES; c++)
        wallet_passed(r, (enum wallet_check)c);
}

view
wallet_nonce_for_text(view text_hash, view salt, arena *mem)
{
    const view parts[] = {text_hash, salt};
    digest d = sha256_parts(parts, COUNT_OF(parts));
    return text_base64url(mem, digest_view(&d));
}

err
wallet_result_print(const struct wallet_result *r, arena *mem, view *ret_json)
{
    struct buf out AUTO_DONE(buf_done);
    char when[32];
    size_t n = 0;
    buf_init(&out, 16384);
    buf_printf(&out, "{\"profile\":\"%s\",\"issuer\":", wallet_profile_word(r->profile));
    buf_add_json(&out, r->issuer);
    BUF_LIT(&out, ",\"type\":");
    buf_add_json(&out, r->type);
    BUF_LIT(&out, ",\"holder\":");
    buf_add_json(&out, r->holder);
    buf_printf(&out, ",\"binds_text\":%s,\"checks\":[", r->binds_text ? "true" : "false");
    for (int c = 0; c < WALLET_CHECKS; c++)
        if (r->checks & 1u << c)
            buf_printf(&out, "%s\"%s\"", n++ ? "," : "", check_words[c]);
    buf_printf(&out, "],\"verified_at\":\"%.*s\"}", VIEW_ARG(instant_print(r->verified_at, when)));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* ---- status ---- */

/* https://host[:port]/… of one of the hosts; a user part, another scheme or a longer name is another host. */
bool
wallet_host_is_pinned(const struct wallet_issuer *i, view url)
{
    view https = V("https://"), loopback = V("http://127.0.0.1:");
    /* A whole origin on loopback may be listed for a sandbox; the egress policy shuts it elsewhere. */
    for (size_t k = 0; k < i->n_hosts; k++)
        if (view_starts(i->hosts[k], loopback) && view_starts(url, i->hosts[k]) &&
            view_starts(view_sub(url, i->hosts[k].n, 1), V("/")))
            return true;
    if (!view_starts(url, https))
        return false;
    view rest = view_sub(url, https.n, url.n), host = view_cut(&rest, '/', NULL);
    for (size_t k = 0; k < i->n_hosts; k++)
        if (view_eq_nocase(host, i->hosts[k]))
            return true;
    return false;
}

err
wallet_status_call(const struct wallet_issuer *i, const struct wallet_status *s, arena *mem,
                   struct adapter_call *ret, struct fault *f)
{
    (void)mem;
    if (!wallet_host_is_pinned(i, s->uri))
        return fault_set(f, E_EGRESS, "status", "a host of this issuer", "another");
    *ret = (struct adapter_call){.method = "GET", .url = s->uri, .answer_max = STATUS_TOKEN_MAX};
    if (!s->is_2021)
        ret->headers[ret->n_headers++] =
            (struct adapter_header){"Accept", V_INIT("application/statuslist+jwt")};
    return E_OK;
}

static instant
keep_until(const struct status_token *t, instant now)
{
    int64_t most = now.us + SPAN_DAYS(1).us, least = now.us + SPAN_SECONDS(60).us, until = most;
    if (t->ttl >= 0 && t->ttl < 86400)
        until = now.us + SPAN_SECONDS(t->ttl).us;
    if (t->expires.us && t->expires.us < until)
        until = t->expires.us;
    return (instant){until < least ? least : until};
}

/* {"statusList": JWT, "nonce"} around it (twdiw), or the JWT itself. */
static err
token_of(view body, bool is_2021, arena *mem, view *ret, struct fault *f)
{
    json_t *json = NULL;
    *ret = view_trim(body);
    if (!is_2021 || !view_starts(*ret, V("{")))
        return E_OK;
    TRY(json_load(*ret, mem, &json, f));
    *ret = json_text(json, "statusList");
    return E_OK;
}

err
wallet_status_check(const struct wallet_issuer *i, const struct wallet_status *s,
                    const struct adapter_answer *a, instant now, arena *mem, instant *ret_until,
                    struct fault *f)
{
    struct status_token t;
    struct jws_parts jwt;
    const struct wallet_key *key;
    view compact;
    unsigned value = 0;
    if (a->status != 200)
        return fault_set(f, E_STATUS_UNAVAILABLE, "status", "the list",
                         a->status ? "another answer" : "no answer");
    TRY(token_of(a->body, s->is_2021, mem, &compact, f));
    TRY(jws_split(compact, mem, &jwt, f));
    TRY(key_of(i, &jwt, mem, &key, f));
    const struct status_signer signer = {s->uri, key->pkey, key->alg, now};
    if (s->is_2021)
        TRY(status_list2021_read(compact, &signer, s->purpose, mem, &t, f));
    else
        TRY(status_token_read(compact, &signer, mem, &t, f));
    TRY(status_list_get(&t.list, s->index, &value, f));
    /* A list of one bit for suspension says with 1 what the other format says with 2. */
    if (s->is_2021 && value && view_eq(s->purpose, V("suspension")))
        value = STATUS_SUSPENDED;
    TRY(status_judge(value, f));
    *ret_until = keep_until(&t, now);
    return E_OK;
}
