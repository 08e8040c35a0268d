/* The Taiwan wallet's presentations, verified here: a JWT of the holder around SD-JWT credentials, without a key-binding JWT.
 *
 * Order as in the ministry's verifier: the presentation's content, each credential, then the presentation's signature by the key that the
 * credential names.  What the published verifier leaves out is here too: aud, jti, the pinned hosts. */
#include "adapters/wallet/inside.h"

#include "base/buf.h"
#include "base/text.h"

#define VP_MAX (256 * 1024)

static err
malformed(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_PRESENTATION_FORM, where, expected, "something else");
}

err
wallet_native_definition(const struct wallet_request *rq, arena *mem, view *ret_json)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 16384);
    BUF_LIT(&out, "{\"id\":");
    buf_add_json(&out, rq->transaction);
    BUF_LIT(&out, ",\"input_descriptors\":[{\"id\":\"0\",\"format\":{\"jwt_vc\":{\"alg\":[\"ES256\"]}},"
                  "\"constraints\":{\"limit_disclosure\":\"required\",\"fields\":[{\"path\":[\"$.vc.type\"],"
                  "\"filter\":{\"type\":\"array\",\"contains\":{\"const\":");
    buf_add_json(&out, rq->type);
    BUF_LIT(&out, "}}}");
    for (size_t i = 0; i < rq->n_claims; i++)
        buf_printf(&out, ",{\"path\":[\"$.vc.credentialSubject.%.*s\"]}", VIEW_ARG(rq->claims[i]));
    BUF_LIT(&out, "]}}]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* ---- the presentation's content ---- */

struct presentation {
    struct jws_parts jwt;
    json_t *payload;
    view credential; /* the one SD-JWT inside */
};

static err
presentation_read(view vp_token, arena *mem, struct presentation *ret, struct fault *f)
{
    view text;
    if (vp_token.n > VP_MAX)
        return fault_set(f, E_TOO_LARGE, "vp_token", "at most 256 KiB", "more");
    TRY(jws_split(vp_token, mem, &ret->jwt, f));
    if (!view_eq(ret->jwt.header.typ, V("JWT")))
        return fault_set(f, E_CREDENTIAL_TYP, "typ", "JWT", "another type");
    TRY(jws_payload(&ret->jwt, mem, &text, f));
    TRY(json_load(text, mem, &ret->payload, f));
    const json_t *vp = json_member(ret->payload, "vp"), *list = json_member(vp, "verifiableCredential");
    const json_t *one = json_array_get(list, 0);
    if (!wallet_has_text(json_member(vp, "type"), V("VerifiablePresentation")) ||
        json_array_size(list) != 1 || !json_is_string(one))
        return malformed(f, "vp", "a VerifiablePresentation of one credential");
    ret->credential = view_make(json_string_value(one), json_string_length(one));
    return E_OK;
}

/* Check 18 of both profiles, and the times: nbf may be 30 s ahead, an end is needed. */
static err
content_check(const struct wallet_policy *p, const struct wallet_request *rq, const struct presentation *v,
              struct wallet_result *ret, struct fault *f)
{
    if (jwt_check_times(v->payload, p->now, WALLET_SKEW, true, NULL) != E_OK ||
        !json_member(v->payload, "nbf"))
        return fault_set(f, E_PRESENTATION_TIME, "vp", "nbf and exp around now", "others");
    wallet_passed(ret, WALLET_CHECK_BINDING_TIME);
    if (!rq->client_id.n || !view_eq(json_text(v->payload, "aud"), rq->client_id))
        return fault_set(f, E_PRESENTATION_AUDIENCE, "aud", "our client id", "another");
    if (!rq->nonce.n || !bytes_eq_secret(json_text(v->payload, "nonce"), rq->nonce))
        return fault_set(f, E_PRESENTATION_NONCE, "nonce", "the request's", "another");
    wallet_passed(ret, WALLET_CHECK_NONCE);
    ret->token_id = json_text(v->payload, "jti");
    if (!ret->token_id.n || (p->is_token_seen && p->is_token_seen(p->self, ret->token_id)))
        return fault_set(f, E_PRESENTATION_USED, "jti", "a presentation of its own", "one seen before");
    wallet_passed(ret, WALLET_CHECK_TOKEN_ID);
    return E_OK;
}

/* presentation_submission points at the one credential of the one presentation, for our definition. */
static err
paths_check(const struct wallet_request *rq, view text, arena *mem, struct wallet_result *ret,
            struct fault *f)
{
    json_t *s = NULL;
    TRY(json_load(text, mem, &s, f));
    const json_t *map = json_member(s, "descriptor_map"), *one = json_array_get(map, 0);
    const json_t *nested = json_member(one, "path_nested");
    view path = json_text(one, "path");
    bool good = view_eq(json_text(s, "definition_id"), rq->transaction) && json_array_size(map) == 1 &&
                view_eq(json_text(one, "id"), V("0")) &&
                (view_eq(path, V("$")) || view_eq(path, V("$[0]"))) &&
                view_eq(json_text(nested, "path"), V("$.vp.verifiableCredential[0]"));
    if (!good)
        return malformed(f, "presentation_submission", "the paths of what is there");
    wallet_passed(ret, WALLET_CHECK_PATHS);
    wallet_passed(ret, WALLET_CHECK_TOKEN_FORM);
    wallet_passed(ret, WALLET_CHECK_SETS);
    return E_OK;
}

/* ---- the credential ---- */

static err
credential_check(const struct wallet_policy *p, const struct wallet_request *rq, const struct presentation *v,
                 arena *mem, struct sd_jwt *s, const struct wallet_issuer **ret_issuer, json_t **ret_claims,
                 struct wallet_result *ret, struct fault *f)
{
    static const char *const types[] = {"vc+sd-jwt", NULL};
    const struct wallet_key *key = NULL;
    TRY(sd_jwt_split(v->credential, mem, s, f));
    if (s->key_binding.n)
        return malformed(f, "vp.verifiableCredential[0]", "a credential without key-binding JWT");
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
    const json_t *vc = json_member(*ret_claims, "vc");
    TRY(wallet_check_type(*ret_issuer, rq, wallet_has_text(json_member(vc, "type"), rq->type), f));
    wallet_passed(ret, WALLET_CHECK_TYPE);
    return E_OK;
}

/* Who presents is who holds: iss and sub of the presentation, sub and cnf of the credential, one person and one key. */
static err
holder_check(const struct presentation *v, const json_t *claims, arena *mem, struct wallet_result *ret,
             struct fault *f)
{
    view holder = json_text(claims, "sub"), named, by_did;
    void *pkey = NULL, *did_pkey = NULL;
    enum jose_alg alg = ALG_NONE, did_alg = ALG_NONE;
    if (!holder.n || !view_eq(json_text(v->payload, "iss"), holder) ||
        !view_eq(json_text(v->payload, "sub"), holder))
        return fault_set(f, E_HOLDER, "iss", "the credential's holder", "another");
    TRY(sd_jwt_holder_key(claims, mem, &pkey, &alg, f));
    TRY(did_key_read(holder, mem, &did_pkey, &did_alg, f));
    TRY(jwk_thumbprint(pkey, mem, &named));
    TRY(jwk_thumbprint(did_pkey, mem, &by_did));
    if (!view_eq(named, by_did))
        return fault_set(f, E_HOLDER, "cnf.jwk", "the key that the holder's DID names", "another");
    wallet_passed(ret, WALLET_CHECK_HOLDER);
    TRY(jws_verify(&v->jwt, VIEW_NONE, alg, pkey, mem, f));
    wallet_passed(ret, WALLET_CHECK_BINDING);
    wallet_passed(ret, WALLET_CHECK_BINDING_SIGNATURE);
    wallet_passed(ret, WALLET_CHECK_PRESENTED); /* the signature covers the whole SD-JWT */
    ret->holder = named;
    return E_OK;
}

/* ---- status and schema ---- */

static err
status_entry(const struct wallet_issuer *i, const json_t *entry, struct wallet_result *ret, struct fault *f)
{
    struct wallet_status s = {.is_2021 = true,
                              .uri = json_text(entry, "statusListCredential"),
                              .purpose = json_text(entry, "statusPurpose")};
    if (!view_eq(json_text(entry, "type"), V("StatusList2021Entry")) || !s.uri.n ||
        text_to_u64(json_text(entry, "statusListIndex"), &s.index) != E_OK)
        return fault_set(f, E_STATUS_LIST, "vc.credentialStatus", "StatusList2021Entry with index",
                         "another");
    if (!wallet_host_is_pinned(i, s.uri))
        return fault_set(f, E_EGRESS, "vc.credentialStatus", "a host of this issuer", "another");
    ret->status[ret->n_status++] = s;
    return E_OK;
}

/* Revocation and suspension are lists of their own; a credential that names one only could not be suspended. */
static err
status_take(const struct wallet_issuer *i, const json_t *vc, struct wallet_result *ret, struct fault *f)
{
    const json_t *list = json_member(vc, "credentialStatus");
    view schema = json_text(json_member(vc, "credentialSchema"), "id");
    bool revocation = false, suspension = false;
    if (schema.n && !wallet_host_is_pinned(i, schema))
        return fault_set(f, E_EGRESS, "vc.credentialSchema", "a host of this issuer", "another");
    if (!list && !i->needs_status)
        return E_OK;
    if (json_array_size(list) != 2)
        return fault_set(f, E_STATUS_LIST, "vc.credentialStatus", "two lists", "another number");
    for (size_t k = 0; k < 2; k++) {
        TRY(status_entry(i, json_array_get(list, k), ret, f));
        revocation |= view_eq(ret->status[k].purpose, V("revocation"));
        suspension |= view_eq(ret->status[k].purpose, V("suspension"));
    }
    wallet_passed(ret, WALLET_CHECK_HOSTS);
    if (!revocation || !suspension)
        return fault_set(f, E_STATUS_LIST, "vc.credentialStatus", "revocation and suspension", "one of them");
    wallet_passed(ret, WALLET_CHECK_BOTH_LISTS);
    return E_OK;
}

static bool
nonce_binds(const struct wallet_request *rq, arena *mem)
{
    return rq->text_hash.n && rq->text_salt.n &&
           view_eq(rq->nonce, wallet_nonce_for_text(rq->text_hash, rq->text_salt, mem));
}

err
wallet_native_verify(const struct wallet_policy *p, const struct wallet_request *rq,
                     const struct wallet_native_response *response, arena *mem, struct wallet_result *ret,
                     struct fault *f)
{
    struct wallet_result r = {
        .profile = WALLET_NATIVE, .type = rq->type, .evidence = response->vp_token, .verified_at = p->now};
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    const struct wallet_issuer *issuer = NULL;
    struct presentation v = {0};
    json_t *claims = NULL;
    if (!s)
        return E_TOO_LARGE;
    TRY(wallet_check_waiting(rq, p->now, f));
    if (!rq->state.n || !bytes_eq_secret(response->state, rq->state))
        return fault_set(f, E_PRESENTATION_STATE, "state", "the request's", "another");
    wallet_passed(&r, WALLET_CHECK_STATE);
    TRY(presentation_read(response->vp_token, mem, &v, f));
    TRY(content_check(p, rq, &v, &r, f));
    TRY(paths_check(rq, response->presentation_submission, mem, &r, f));
    TRY(credential_check(p, rq, &v, mem, s, &issuer, &claims, &r, f));
    TRY(holder_check(&v, claims, mem, &r, f));
    const json_t *vc = json_member(claims, "vc");
    TRY(wallet_claims_take(rq, json_member(vc, "credentialSubject"), mem, &r, f));
    TRY(status_take(issuer, vc, &r, f));
    r.issuer = issuer->id;
    r.binds_text = nonce_binds(rq, mem);
    *ret = r;
    return E_OK;
}
