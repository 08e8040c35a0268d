/* OpenID4VP 1.0 with SD-JWT VC: the request object, and the answer encrypted to a key of this request. */
#include "adapters/wallet/inside.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/jose/jwe.h"

#define QUERY_ID "person"
#define REQUEST_MAX 65536

/* ---- the request ---- */

view
wallet_oid4vp_transaction(const struct wallet_request *rq, arena *mem)
{
    if (!rq->text_hash.n)
        return VIEW_NONE;
    return text_base64url(
        mem, arena_printf(mem,
                          "{\"type\":\"claimgate_consent\",\"credential_ids\":[\"" QUERY_ID
                          "\"],\"transaction_data_hashes_alg\":[\"sha-256\"],\"text_hash\":\"%.*s\"}",
                          VIEW_ARG(rq->text_hash)));
}

static void
add_query(struct buf *out, const struct wallet_request *rq)
{
    BUF_LIT(out, "\"dcql_query\":{\"credentials\":[{\"id\":\"" QUERY_ID
                 "\",\"format\":\"dc+sd-jwt\",\"meta\":{\"vct_values\":[");
    buf_add_json(out, rq->type);
    BUF_LIT(out, "]},\"claims\":[");
    for (size_t i = 0; i < rq->n_claims; i++) {
        BUF_LIT(out, "{\"path\":[");
        buf_add_json(out, rq->claims[i]);
        buf_printf(out, "]}%s", i + 1 < rq->n_claims ? "," : "");
    }
    BUF_LIT(out, "]}]}");
}

/* The public half of the request's own key, to encrypt to. */
static err
add_metadata(struct buf *out, const struct wallet_request *rq, arena *mem)
{
    AUTO(key_free) struct key *k = NULL;
    view jwk;
    json_t *json = NULL;
    TRY(key_of_pem(rq->key_pem, &k, NULL));
    TRY(jwk_of_pkey(k->pkey, mem, &jwk));
    TRY(json_load(jwk, mem, &json, NULL));
    json_object_set_new(json, "use", json_string("enc"));
    json_object_set_new(json, "alg", json_string("ECDH-ES"));
    BUF_LIT(out, "\"client_metadata\":{\"jwks\":{\"keys\":[");
    TRY(json_dump(json, out));
    BUF_LIT(out, "]},\"encrypted_response_enc_values_supported\":[\"A256GCM\"],\"vp_formats_supported\":"
                 "{\"dc+sd-jwt\":{\"sd-jwt_alg_values\":[\"ES256\"],\"kb-jwt_alg_values\":[\"ES256\"]}}}");
    return E_OK;
}

static void
add_member(struct buf *out, const char *name, view value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_add_json(out, value);
}

err
wallet_oid4vp_request(const struct wallet_request *rq, const struct key *k, view certificate_der,
                      view wallet_nonce, instant now, arena *mem, view *ret_jwt)
{
    struct buf out AUTO_DONE(buf_done);
    view transaction = wallet_oid4vp_transaction(rq, mem);
    buf_init(&out, REQUEST_MAX);
    BUF_LIT(&out, "{\"aud\":\"https://self-issued.me/v2\",\"response_type\":\"vp_token\",\"response_mode\":"
                  "\"direct_post.jwt\"");
    add_member(&out, "client_id", rq->client_id);
    add_member(&out, "response_uri", rq->response_uri);
    add_member(&out, "nonce", rq->nonce);
    add_member(&out, "state", rq->state);
    if (wallet_nonce.n)
        add_member(&out, "wallet_nonce", wallet_nonce);
    buf_printf(&out, ",\"iat\":%lld,\"exp\":%lld,", (long long)instant_unix(now),
               (long long)instant_unix(rq->expires));
    add_query(&out, rq);
    if (transaction.n)
        buf_printf(&out, ",\"transaction_data\":[\"%.*s\"]", VIEW_ARG(transaction));
    BUF_LIT(&out, ",");
    TRY(add_metadata(&out, rq, mem));
    BUF_LIT(&out, "}");
    if (out.failed)
        return E_TOO_LARGE;
    view members = arena_printf(mem, "\"typ\":\"oauth-authz-req+jwt\",\"x5c\":[\"%.*s\"]",
                                VIEW_ARG(text_base64(mem, certificate_der)));
    return jws_sign(k, members, buf_view(&out), false, mem, ret_jwt);
}

/* ---- the answer ---- */

static err
malformed(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_PRESENTATION_FORM, where, expected, "something else");
}

/* Checks 1 to 3: the answer's one presentation. */
static err
answer_open(const struct wallet_policy *p, const struct wallet_request *rq, view response, arena *mem,
            struct wallet_result *ret, view *ret_presentation, struct fault *f)
{
    view plain;
    json_t *answer = NULL;
    TRY(wallet_check_waiting(rq, p->now, f));
    TRY(jwe_open_pem(rq->key_pem, response, mem, &plain, f));
    wallet_passed(ret, WALLET_CHECK_RESPONSE_KEY);
    TRY(json_load(plain, mem, &answer, f));
    if (!rq->state.n || !bytes_eq_secret(json_text(answer, "state"), rq->state))
        return fault_set(f, E_PRESENTATION_STATE, "state", "the request's", "another");
    wallet_passed(ret, WALLET_CHECK_STATE);
    if (json_member(answer, "error"))
        return fault_set(f, E_PRESENTATION_REFUSED, "error", "a presentation", "the wallet's refusal");
    const json_t *token = json_member(answer, "vp_token"), *list = json_member(token, QUERY_ID);
    const json_t *one = json_array_get(list, 0);
    if (!json_is_object(token) || json_object_size(token) != 1 || !json_is_array(list) ||
        json_array_size(list) != 1 || !json_is_string(one))
        return malformed(f, "vp_token", "one presentation for the one credential asked for");
    wallet_passed(ret, WALLET_CHECK_TOKEN_FORM);
    wallet_passed(ret, WALLET_CHECK_SETS); /* one set of one */
    *ret_presentation = view_make(json_string_value(one), json_string_length(one));
    return E_OK;
}

/* Checks 4 to 14. */
static err
credential_check(const struct wallet_policy *p, const struct wallet_request *rq, view text, arena *mem,
                 struct sd_jwt *s, const struct wallet_issuer **ret_issuer, json_t **ret_claims,
                 struct wallet_result *ret, struct fault *f)
{
    static const char *const types[] = {"dc+sd-jwt", NULL};
    const struct wallet_key *key = NULL;
    TRY(sd_jwt_split(text, mem, s, f));
    TRY(wallet_issuer_key(p->issuers, json_text(s->unchecked, "iss"), &s->jwt, mem, ret_issuer, &key, f));
    const struct sd_jwt_policy policy = {.types = types,
                                         .pkey = key->pkey,
                                         .alg = key->alg,
                                         .now = p->now,
                                         .skew = WALLET_SKEW,
                                         .needs_exp = true,
                                         .is_credential = true};
    TRY(sd_jwt_verify(s, &policy, mem, ret_claims, f));
    wallet_passed_sd_jwt(ret);
    TRY(wallet_check_type(*ret_issuer, rq, view_eq(json_text(*ret_claims, "vct"), rq->type), f));
    wallet_passed(ret, WALLET_CHECK_TYPE);
    return E_OK;
}

/* Check 20: the holder signed the digest of exactly the strings that went out. */
static err
text_check(const struct wallet_request *rq, const json_t *binding, arena *mem, struct wallet_result *ret,
           struct fault *f)
{
    view sent = wallet_oid4vp_transaction(rq, mem);
    const json_t *hashes = json_member(binding, "transaction_data_hashes");
    const json_t *alg = json_member(binding, "transaction_data_hashes_alg");
    if (!sent.n)
        return hashes ? fault_set(f, E_TRANSACTION_DATA, "transaction_data_hashes", "none: no text was sent",
                                  "some")
                      : E_OK;
    digest d = sha256(sent);
    view expected = text_base64url(mem, digest_view(&d));
    if (json_array_size(hashes) != 1 || !wallet_has_text(hashes, expected) ||
        (alg && !view_eq(json_text(binding, "transaction_data_hashes_alg"), V("sha-256"))))
        return fault_set(f, E_TRANSACTION_DATA, "transaction_data_hashes", "the digest of what was sent",
                         "another");
    wallet_passed(ret, WALLET_CHECK_TEXT);
    ret->binds_text = true;
    return E_OK;
}

/* Checks 15 to 20. */
static err
binding_check(const struct wallet_policy *p, const struct wallet_request *rq, const struct sd_jwt *s,
              const json_t *claims, arena *mem, struct wallet_result *ret, struct fault *f)
{
    const struct sd_binding b = {rq->nonce, rq->client_id, p->now, WALLET_BINDING_WINDOW};
    json_t *binding = NULL;
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    TRY(sd_jwt_check_binding(s, claims, &b, mem, &binding, f));
    for (int c = WALLET_CHECK_BINDING; c <= WALLET_CHECK_PRESENTED; c++)
        wallet_passed(ret, (enum wallet_check)c);
    TRY(sd_jwt_holder_key(claims, mem, &pkey, &alg, f));
    TRY(jwk_thumbprint(pkey, mem, &ret->holder));
    return text_check(rq, binding, mem, ret, f);
}

/* {"status":{"status_list":{"idx","uri"}}} */
static err
status_take(const struct wallet_issuer *i, const json_t *claims, struct wallet_result *ret, struct fault *f)
{
    const json_t *list = json_member(json_member(claims, "status"), "status_list");
    int64_t index = json_int(list, "idx", -1);
    view uri = json_text(list, "uri");
    if (!json_member(claims, "status") && !i->needs_status)
        return E_OK;
    if (index < 0 || !uri.n)
        return fault_set(f, E_STATUS_LIST, "status", "a status_list with idx and uri", "another, or none");
    if (!wallet_host_is_pinned(i, uri))
        return fault_set(f, E_EGRESS, "status", "a host of this issuer", "another");
    wallet_passed(ret, WALLET_CHECK_HOSTS);
    ret->status[ret->n_status++] = (struct wallet_status){.uri = uri, .index = (uint64_t)index};
    return E_OK;
}

err
wallet_oid4vp_verify(const struct wallet_policy *p, const struct wallet_request *rq, view response,
                     arena *mem, struct wallet_result *ret, struct fault *f)
{
    struct wallet_result r = {.profile = WALLET_OID4VP, .type = rq->type, .verified_at = p->now};
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    const struct wallet_issuer *issuer = NULL;
    json_t *claims = NULL;
    if (!s)
        return E_TOO_LARGE;
    TRY(answer_open(p, rq, response, mem, &r, &r.evidence, f));
    TRY(credential_check(p, rq, r.evidence, mem, s, &issuer, &claims, &r, f));
    TRY(binding_check(p, rq, s, claims, mem, &r, f));
    TRY(wallet_claims_take(rq, claims, mem, &r, f));
    TRY(status_take(issuer, claims, &r, f));
    r.issuer = issuer->id;
    *ret = r;
    return E_OK;
}
