/* Every check that stands before a presentation is believed: for each a presentation that is right but for this one thing, signed
 * anew after it was made wrong, so that nothing else can refuse it. */
#include "../signing/sd_kit.h"

#include "adapters/wallet/inside.h"
#include "base/buf.h"
#include "signing/jose/jwe.h"
#include "signing/jose/status_list.h"

#define ISSUER "https://issuer.example.tw"
#define STATUS_URI ISSUER "/status/1"
#define VCT "https://credentials.example.tw/person"
#define STATE "S6aXNcpTdl7WpwnttWxuoja3GTo7Kaaz"
#define TRANSACTION "129e6f5d-6e2a-4e9b-99e8-8ded5f2886c6"
#define TEXT_HASH "0f343b0931126a20f133d67c2b018a3b1b1f3e7e1f0d1e1b0e1a2b3c4d5e6f70"

static arena *mem;
static struct key *issuer, *holder, *stranger;
static view request_pem, other_pem;

static void
open_kit(void)
{
    mem = fx_arena();
    issuer = fx_key(ALG_ES256, mem);
    holder = fx_key(ALG_ES256, mem);
    stranger = fx_key(ALG_ES256, mem);
    cr_assert_eq(key_create_pem(ALG_ES256, mem, &request_pem), E_OK);
    cr_assert_eq(key_create_pem(ALG_ES256, mem, &other_pem), E_OK);
}

static void
close_kit(void)
{
    key_free(issuer);
    key_free(holder);
    key_free(stranger);
    arena_free(mem);
}

TestSuite(wallet, .init = open_kit, .fini = close_kit);

static view
jwk_of(const struct key *k)
{
    view jwk;
    cr_assert_eq(jwk_print(k, mem, &jwk), E_OK);
    return jwk;
}

static struct wallet_issuers *
issuers_of(view id, const char *type)
{
    struct wallet_issuers *all = arena_make(mem, struct wallet_issuers);
    struct fault f;
    fault_init(&f);
    view json = arena_printf(mem,
                             "{\"issuers\":[{\"id\":\"%.*s\",\"jku\":\"" ISSUER "/keys\",\"keys\":[%.*s],"
                             "\"hosts\":[\"issuer.example.tw\"],\"types\":[\"%s\"]}]}",
                             VIEW_ARG(id), VIEW_ARG(jwk_of(issuer)), type);
    cr_assert_eq(wallet_issuers_read(json, mem, all, &f), E_OK, "%s %s", f.where, f.found);
    return all;
}

static struct wallet_request
request_of(enum wallet_profile profile)
{
    return (struct wallet_request){.profile = profile,
                                   .state = V(STATE),
                                   .transaction = V(TRANSACTION),
                                   .nonce = V(KIT_NONCE),
                                   .client_id = V(KIT_AUDIENCE),
                                   .response_uri = V("https://gateway.example.tw/oid4vp/response/1"),
                                   .type = V(VCT),
                                   .claims = {V("name"), V("id_number")},
                                   .n_claims = 2,
                                   .expect = {{V("id_number"), V("A123456789")}},
                                   .n_expect = 1,
                                   .key_pem = request_pem,
                                   .expires = instant_of_unix(KIT_NOW + 300)};
}

/* ---- oid4vp-1.0 ---- */

/* What may be wrong; zero is right. */
struct order {
    const char *state, *vp_token; /* %s is the presentation */
    bool is_used, is_late, to_other_key, by_stranger, has_error;
    const char *typ, *iss, *vct, *times, *more; /* of the issuer's JWT; times and more begin with a comma */
    const char *name;                           /* the first disclosure */
    const char *id_number;
    const char *header; /* further header members of the issuer's JWT, beginning with a comma */
    bool rsa_issuer, twice, unsigned_one, many, left_out;
    bool no_binding, stranger_binds;
    const char *kb_typ, *nonce, *audience, *kb_more;
    int64_t kb_iat;
    bool with_text;
    const char *status;
};

static const char *
or_else(const char *said, const char *usual)
{
    return said ? said : usual;
}

static view
issuer_jwt(const struct order *o, view d0, view d1)
{
    AUTO(key_free) struct key *rsa = o->rsa_issuer ? fx_key(ALG_RS256, mem) : NULL;
    const struct key *k = rsa ? rsa : o->by_stranger ? stranger : issuer;
    view cnf = kit_cnf(holder, mem), compact = VIEW_NONE;
    view payload = arena_printf(
        mem, "{\"iss\":\"%s\",\"vct\":\"%s\",%.*s%s%s,\"_sd\":[\"%.*s\",\"%.*s\"%s]%s}",
        or_else(o->iss, ISSUER), or_else(o->vct, VCT), VIEW_ARG(cnf),
        or_else(o->times, ",\"iat\":1780000000,\"exp\":1790000000"),
        or_else(o->status, ",\"status\":{\"status_list\":{\"idx\":7,\"uri\":\"" STATUS_URI "\"}}"),
        VIEW_ARG(d0), VIEW_ARG(d1), o->twice ? ",\"decoy\",\"decoy\"" : "", or_else(o->more, ""));
    view members =
        arena_printf(mem, "\"typ\":\"%s\"%s", or_else(o->typ, "dc+sd-jwt"), or_else(o->header, ""));
    cr_assert_eq(jws_sign(k, members, payload, false, mem, &compact), E_OK);
    return compact;
}

static view
presentation(const struct order *o, const struct wallet_request *rq)
{
    view d0 = fx_b64url(mem, or_else(o->name, "[\"s0\",\"name\",\"王小明\"]"));
    view d1 = fx_b64url(mem, or_else(o->id_number, "[\"s1\",\"id_number\",\"A123456789\"]"));
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, MIB);
    buf_printf(&out, "%.*s~%.*s~", VIEW_ARG(issuer_jwt(o, kit_digest(mem, d0), kit_digest(mem, d1))),
               VIEW_ARG(d0));
    buf_printf(&out, "%.*s~", VIEW_ARG(d1));
    if (o->unsigned_one)
        buf_printf(&out, "%.*s~", VIEW_ARG(fx_b64url(mem, "[\"s\",\"more\",1]")));
    for (int i = 0; o->many && i < SD_JWT_DISCLOSURES_MAX; i++)
        BUF_LIT(&out, "WyJzIl0~");
    view shown = arena_dup(mem, buf_view(&out));
    if (o->no_binding)
        return shown;
    view sent = wallet_oid4vp_transaction(rq, mem), hash = kit_digest(mem, sent);
    view text = sent.n
                    ? arena_printf(mem,
                                   ",\"transaction_data_hashes\":[\"%.*s\"],\"transaction_data_hashes_alg\":"
                                   "\"sha-256\"",
                                   VIEW_ARG(hash))
                    : V("");
    view whole = kit_bind(o->stranger_binds ? stranger : holder, shown, or_else(o->kb_typ, "kb+jwt"),
                          or_else(o->nonce, KIT_NONCE), or_else(o->audience, KIT_AUDIENCE),
                          o->kb_iat ? o->kb_iat : KIT_NOW, o->kb_more ? o->kb_more : text.p, mem);
    if (!o->left_out)
        return whole;
    view kb = view_sub(whole, shown.n, whole.n), fewer = view_sub(shown, 0, shown.n - d1.n - 1);
    return arena_printf(mem, "%.*s%.*s", VIEW_ARG(fewer), VIEW_ARG(kb));
}

static view
answer(const struct order *o, const struct wallet_request *rq)
{
    AUTO(key_free) struct key *to = NULL;
    view shown = presentation(o, rq), sealed = VIEW_NONE, kid;
    struct buf token AUTO_DONE(buf_done);
    buf_init(&token, MIB);
    const char *form = or_else(o->vp_token, "{\"person\":[\"%\"]}");
    for (const char *p = form; *p; p++)
        if (*p == '%')
            buf_add_view(&token, shown);
        else
            buf_add_byte(&token, *p);
    view plain = arena_printf(mem, "{\"state\":\"%s\"%s,\"vp_token\":%.*s}", or_else(o->state, STATE),
                              o->has_error ? ",\"error\":\"access_denied\"" : "", VIEW_ARG(buf_view(&token)));
    cr_assert_eq(key_of_pem(o->to_other_key ? other_pem : request_pem, &to, NULL), E_OK);
    cr_assert_eq(jwk_thumbprint(to->pkey, mem, &kid), E_OK);
    cr_assert_eq(jwe_seal(to->pkey, kid, plain, mem, &sealed), E_OK);
    return sealed;
}

static err
verify_oid4vp(const struct order *o, struct wallet_result *ret, struct fault *f)
{
    struct wallet_request rq = request_of(WALLET_OID4VP);
    const struct wallet_policy p = {.issuers = issuers_of(V(ISSUER), VCT), .now = instant_of_unix(KIT_NOW)};
    rq.is_used = o->is_used;
    rq.text_hash = o->with_text ? V(TEXT_HASH) : VIEW_NONE;
    if (o->is_late)
        rq.expires = instant_of_unix(KIT_NOW);
    return wallet_oid4vp_verify(&p, &rq, answer(o, &rq), mem, ret, f);
}

struct bad_row {
    enum wallet_check check;
    const char *name;
    struct order order;
    err expected;
};

#define BAD(check, name, expected, ...)                                                                      \
    {                                                                                                        \
        WALLET_CHECK_##check, name, {__VA_ARGS__}, expected                                                  \
    }

static const struct bad_row bad_oid4vp[] = {
    BAD(STATE, "another state", E_PRESENTATION_STATE, .state = "other"),
    BAD(STATE, "too late", E_PRESENTATION_EXPIRED, .is_late = true),
    BAD(ONCE, "answered before", E_PRESENTATION_USED, .is_used = true),
    BAD(RESPONSE_KEY, "to another request's key", E_SIGNATURE_MISMATCH, .to_other_key = true),
    BAD(TOKEN_FORM, "two presentations", E_PRESENTATION_FORM, .vp_token = "{\"person\":[\"%\",\"%\"]}"),
    BAD(TOKEN_FORM, "no list", E_PRESENTATION_FORM, .vp_token = "{\"person\":\"%\"}"),
    BAD(SETS, "another query's id", E_PRESENTATION_FORM, .vp_token = "{\"other\":[\"%\"]}"),
    BAD(SETS, "one more than asked for", E_PRESENTATION_FORM,
        .vp_token = "{\"person\":[\"%\"],\"other\":[\"%\"]}"),
    BAD(TOKEN_FORM, "the person said no", E_PRESENTATION_REFUSED, .has_error = true),
    BAD(SIZE, "more than 200 disclosures", E_TOO_LARGE, .many = true),
    BAD(ISSUER_TYP, "another typ", E_CREDENTIAL_TYP, .typ = "JWT"),
    BAD(ISSUER_ALG, "another algorithm than the key's", E_ALGORITHM, .rsa_issuer = true),
    BAD(ISSUER_KEY, "issuer not listed", E_CREDENTIAL_ISSUER, .iss = ISSUER ".evil.example"),
    BAD(ISSUER_KEY, "jku of somebody", E_CREDENTIAL_ISSUER,
        .header = ",\"jku\":\"https://evil.example/keys\""),
    BAD(ISSUER_KEY, "x5u", E_CREDENTIAL_ISSUER, .header = ",\"x5u\":\"" ISSUER "/keys\""),
    BAD(ISSUER_SIGNATURE, "signed by somebody", E_SIGNATURE_MISMATCH, .by_stranger = true),
    BAD(HASH, "weak hash", E_SD_ALG, .more = ",\"_sd_alg\":\"sha-1\""),
    BAD(DISCLOSURES, "four members", E_SD_DISCLOSURE, .name = "[\"s\",\"name\",1,2]"),
    BAD(DISCLOSURES, "exp disclosed", E_SD_NAME, .name = "[\"s\",\"exp\",1]", .times = ",\"iat\":1780000000"),
    BAD(DIGESTS_ONCE, "decoy twice", E_SD_DIGEST_TWICE, .twice = true),
    BAD(REFERENCED, "one more disclosure", E_SD_UNREFERENCED, .unsigned_one = true),
    BAD(TIMES, "no end", E_CREDENTIAL_TIME, .times = ",\"iat\":1780000000"),
    BAD(TIMES, "ended", E_CREDENTIAL_TIME, .times = ",\"exp\":1780999000"),
    BAD(TIMES, "not begun", E_CREDENTIAL_TIME, .times = ",\"nbf\":1782000000,\"exp\":1790000000"),
    BAD(TYPE, "another vct", E_CREDENTIAL_TYPE, .vct = VCT "2"),
    BAD(BINDING, "no key binding", E_KEY_BINDING_MISSING, .no_binding = true),
    BAD(BINDING_SIGNATURE, "bound by somebody", E_SIGNATURE_MISMATCH, .stranger_binds = true),
    BAD(BINDING_SIGNATURE, "another typ", E_CREDENTIAL_TYP, .kb_typ = "JWT"),
    BAD(BINDING_TIME, "two minutes old", E_PRESENTATION_TIME, .kb_iat = KIT_NOW - 121),
    BAD(NONCE, "another nonce", E_PRESENTATION_NONCE, .nonce = "n-0S6_WzA2Mj"),
    BAD(NONCE, "client id without prefix", E_PRESENTATION_AUDIENCE, .audience = "gateway.example.tw"),
    BAD(PRESENTED, "a disclosure taken away", E_PRESENTATION_DIGEST, .left_out = true),
    BAD(TEXT, "text not signed", E_TRANSACTION_DATA, .with_text = true, .kb_more = ""),
    BAD(TEXT, "another text signed", E_TRANSACTION_DATA, .with_text = true,
        .kb_more = ",\"transaction_data_hashes\":[\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"]"),
    BAD(TEXT, "text signed that was not sent", E_TRANSACTION_DATA,
        .kb_more = ",\"transaction_data_hashes\":[\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"]"),
    BAD(STATUS, "no status", E_STATUS_LIST, .status = ""),
    BAD(HOSTS, "status on another host", E_EGRESS,
        .status =
            ",\"status\":{\"status_list\":{\"idx\":7,\"uri\":\"https://issuer.example.tw@evil.example/1\"}}"),
    BAD(CLAIMS, "a claim not shown", E_PRESENTATION_QUERY, .name = "[\"s\",\"nickname\",\"x\"]"),
    BAD(CLAIMS, "an empty claim", E_PRESENTATION_QUERY, .name = "[\"s\",\"name\",\"\"]"),
    BAD(PERSON, "another person", E_PERSON_OTHER, .id_number = "[\"s\",\"id_number\",\"A123456788\"]"),
};

Test(wallet, oid4vp_presentation_is_an_identity)
{
    struct wallet_result r = {0};
    struct fault f;
    view shown;
    fault_init(&f);
    cr_assert_eq(verify_oid4vp(&(struct order){0}, &r, &f), E_OK, "%s %s", f.where, f.found);
    cr_expect(view_eq(r.issuer, V(ISSUER)) && view_eq(r.holder, holder->kid) && !r.binds_text);
    cr_expect(view_eq(json_text(r.claims, "name"), V("王小明")) && json_object_size(r.claims) == 2);
    cr_expect(r.n_status == 1 && r.status[0].index == 7 && !r.status[0].is_2021);
    cr_assert_eq(wallet_result_print(&r, mem, &shown), E_OK);
    cr_expect(view_find(shown, V("王")) == shown.n && view_find(shown, V("A123456789")) == shown.n,
              "no claim");
    cr_expect_eq(verify_oid4vp(&(struct order){.header = ",\"jku\":\"" ISSUER "/keys\""}, &r, NULL), E_OK);
}

Test(wallet, oid4vp_text_that_the_holder_signed_makes_a_consent)
{
    struct wallet_result r = {0};
    cr_assert_eq(verify_oid4vp(&(struct order){.with_text = true}, &r, NULL), E_OK);
    cr_expect(r.binds_text && r.checks & 1u << WALLET_CHECK_TEXT);
}

static void
expect_refusals(const struct bad_row *rows, size_t n,
                err (*verify)(const struct order *, struct wallet_result *, struct fault *))
{
    for (size_t i = 0; i < n; i++) {
        struct wallet_result r = {0};
        struct fault f;
        fault_init(&f);
        err e = verify(&rows[i].order, &r, &f);
        cr_expect_eq(e, rows[i].expected, "%s, %s: %s at %s", wallet_check_word(rows[i].check), rows[i].name,
                     err_info(e)->code, f.where);
        cr_expect_eq(r.checks, 0, "%s: nothing is told of a refused one", rows[i].name);
    }
}

Test(wallet, oid4vp_each_check_refuses_alone)
{
    expect_refusals(bad_oid4vp, COUNT_OF(bad_oid4vp), verify_oid4vp);
}

Test(wallet, oid4vp_no_changed_character_of_the_presentation_is_accepted)
{
    struct wallet_request rq = request_of(WALLET_OID4VP);
    const struct wallet_policy p = {.issuers = issuers_of(V(ISSUER), VCT), .now = instant_of_unix(KIT_NOW)};
    view jwe = answer(&(struct order){0}, &rq);
    struct wallet_result r;
    arena *outer = mem;
    char *copy = arena_cstr(mem, jwe);
    cr_assert_eq(wallet_oid4vp_verify(&p, &rq, jwe, mem, &r, NULL), E_OK);
    for (size_t i = 0; i < jwe.n; i++) {
        char was = copy[i];
        mem = arena_new(MIB);
        copy[i] = was == 'A' ? 'B' : 'A';
        cr_expect_neq(wallet_oid4vp_verify(&p, &rq, view_make(copy, jwe.n), mem, &r, NULL), E_OK,
                      "character %zu", i);
        copy[i] = was;
        arena_free(mem);
        mem = outer;
    }
}

Test(wallet, oid4vp_request_says_what_it_wants_and_no_more)
{
    struct wallet_request rq = request_of(WALLET_OID4VP);
    AUTO(key_free) struct key *k = fx_key(ALG_ES256, mem);
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    X509 *x = fx_certificate(pkey, "gateway.example.tw", pkey, "gateway.example.tw");
    view jwt, text, der = fx_der_of(x, mem);
    struct jws_parts parts;
    json_t *said = NULL;
    rq.text_hash = V(TEXT_HASH);
    cr_assert_eq(wallet_oid4vp_request(&rq, k, der, V("wn"), instant_of_unix(KIT_NOW), mem, &jwt), E_OK);
    cr_assert_eq(jws_split(jwt, mem, &parts, NULL), E_OK);
    cr_expect(view_eq(parts.header.typ, V("oauth-authz-req+jwt")) && view_eq(parts.header.x5c_leaf, der));
    cr_assert_eq(jws_payload(&parts, mem, &text, NULL), E_OK);
    cr_assert_eq(json_load(text, mem, &said, NULL), E_OK);
    cr_expect(view_eq(json_text(said, "response_mode"), V("direct_post.jwt")));
    cr_expect(view_eq(json_text(said, "nonce"), rq.nonce) &&
              view_eq(json_text(said, "wallet_nonce"), V("wn")));
    const json_t *query = json_array_get(json_member(json_member(said, "dcql_query"), "credentials"), 0);
    cr_expect_eq(json_array_size(json_member(query, "claims")), 2);
    const json_t *key =
        json_array_get(json_member(json_member(json_member(said, "client_metadata"), "jwks"), "keys"), 0);
    cr_expect(view_eq(json_text(key, "use"), V("enc")) && !json_member(key, "d"));
    cr_expect_eq(json_array_size(json_member(said, "transaction_data")), 1);
    cr_expect(view_find(jwt, rq.transaction) == jwt.n);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

/* ---- twdiw-native ---- */

#define TYPE_TW "97179430_traffic_party_slip"

static view
did_of(const struct key *k)
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    json_t *jwk = NULL;
    uint8_t bytes[256], digits[400];
    size_t n_digits = 0;
    cr_assert_eq(json_load(jwk_of(k), mem, &jwk, NULL), E_OK);
    view text =
        arena_printf(mem, "\xd1\xd6\x03{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
                     VIEW_ARG(json_text(jwk, "x")), VIEW_ARG(json_text(jwk, "y")));
    memcpy(bytes, text.p, text.n);
    for (size_t i = 0; i < text.n; i++) {
        unsigned carry = bytes[i];
        for (size_t d = 0; d < n_digits; d++) {
            carry += digits[d] * 256u;
            digits[d] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry; carry /= 58)
            digits[n_digits++] = (uint8_t)(carry % 58);
    }
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1024);
    BUF_LIT(&out, "did:key:z");
    while (n_digits)
        buf_add_byte(&out, alphabet[digits[--n_digits]]);
    return arena_dup(mem, buf_view(&out));
}

/* The members of struct order that the two profiles share mean the same; of the rest these are the native ones. */
struct native {
    struct order o;
    const char *definition, *path, *statuses, *schema, *jti;
    const struct key *const *sub_of; /* the credential's holder by name, another than by key */
    bool jti_seen, two;
};

static view
tw_credential(const struct native *v)
{
    view d0 = fx_b64url(mem, or_else(v->o.name, "[\"s0\",\"name\",\"王小明\"]"));
    view d1 = fx_b64url(mem, or_else(v->o.id_number, "[\"s1\",\"id_number\",\"A123456789\"]"));
    view cnf = kit_cnf(holder, mem), sub = did_of(v->sub_of ? *v->sub_of : holder), compact = VIEW_NONE;
    view payload = arena_printf(
        mem,
        "{\"iss\":\"%s\",\"sub\":\"%.*s\",%.*s%s,\"vc\":{\"type\":[\"VerifiableCredential\",\"%s\"],%s,"
        "\"credentialSchema\":{\"id\":\"%s\",\"type\":\"JsonSchema\"},\"credentialSubject\":{\"_sd\":[\"%.*"
        "s\",\"%.*s\"],"
        "\"_sd_alg\":\"%s\"}}}",
        or_else(v->o.iss, ISSUER), VIEW_ARG(sub), VIEW_ARG(cnf),
        or_else(v->o.times, ",\"nbf\":1780000000,\"exp\":1790000000"), or_else(v->o.vct, TYPE_TW),
        or_else(v->statuses,
                "\"credentialStatus\":[{\"type\":\"StatusList2021Entry\",\"statusListIndex\":\"5\","
                "\"statusListCredential\":\"" ISSUER "/r0\",\"statusPurpose\":\"revocation\"},"
                "{\"type\":\"StatusList2021Entry\",\"statusListIndex\":\"5\","
                "\"statusListCredential\":\"" ISSUER "/s0\",\"statusPurpose\":\"suspension\"}]"),
        or_else(v->schema, ISSUER "/schema"), VIEW_ARG(kit_digest(mem, d0)), VIEW_ARG(kit_digest(mem, d1)),
        or_else(v->o.more, "sha-256"));
    view members =
        arena_printf(mem, "\"typ\":\"%s\"%s", or_else(v->o.typ, "vc+sd-jwt"), or_else(v->o.header, ""));
    cr_assert_eq(jws_sign(v->o.by_stranger ? stranger : issuer, members, payload, false, mem, &compact),
                 E_OK);
    return arena_printf(mem, "%.*s~%.*s~%.*s~", VIEW_ARG(compact), VIEW_ARG(d0), VIEW_ARG(d1));
}

static view
tw_presentation(const struct native *v, view nonce)
{
    view did = did_of(v->o.stranger_binds ? stranger : holder), credential = tw_credential(v);
    view second = v->two ? arena_printf(mem, ",\"%.*s\"", VIEW_ARG(credential)) : V("");
    view payload = arena_printf(
        mem,
        "{\"iss\":\"%.*s\",\"sub\":\"%.*s\",\"aud\":\"%s\",\"nonce\":\"%.*s\",\"jti\":\"%s\",\"nbf\":%lld,"
        "\"exp\":%lld,"
        "\"vp\":{\"type\":[\"VerifiablePresentation\"],\"verifiableCredential\":[\"%.*s\"%.*s]}}",
        VIEW_ARG(did), VIEW_ARG(did), or_else(v->o.audience, KIT_AUDIENCE), VIEW_ARG(nonce),
        or_else(v->jti, "urn:uuid:1"), (long long)(v->o.kb_iat ? v->o.kb_iat : KIT_NOW),
        (long long)KIT_NOW + 300, VIEW_ARG(credential), VIEW_ARG(second));
    return kit_jwt(v->o.stranger_binds || v->o.to_other_key ? stranger : holder, or_else(v->o.kb_typ, "JWT"),
                   payload, mem);
}

static bool
seen_flag(void *self, view token_id)
{
    (void)token_id;
    return *(bool *)self;
}

static err
verify_native(const struct native *v, bool with_text, struct wallet_result *ret, struct fault *f)
{
    struct wallet_request rq = request_of(WALLET_NATIVE);
    bool seen = v->jti_seen;
    const struct wallet_policy p = {issuers_of(V(ISSUER), TYPE_TW), instant_of_unix(KIT_NOW), seen_flag,
                                    &seen};
    rq.type = V(TYPE_TW);
    rq.is_used = v->o.is_used;
    if (v->o.is_late)
        rq.expires = instant_of_unix(KIT_NOW);
    if (with_text) {
        rq.text_hash = V(TEXT_HASH);
        rq.text_salt = V("0123456789abcdef");
        rq.nonce = wallet_nonce_for_text(rq.text_hash, rq.text_salt, mem);
    }
    view submission =
        arena_printf(mem,
                     "{\"id\":\"s\",\"definition_id\":\"%s\",\"descriptor_map\":[{\"id\":\"0\",\"format\":"
                     "\"jwt_vp\",\"path\":\"$\",\"path_nested\":{\"format\":\"jwt_vc\",\"path\":\"%s\"}}]}",
                     or_else(v->definition, TRANSACTION), or_else(v->path, "$.vp.verifiableCredential[0]"));
    const struct wallet_native_response response = {
        tw_presentation(v, v->o.nonce ? view_of(v->o.nonce) : rq.nonce), submission,
        view_of(or_else(v->o.state, STATE))};
    return wallet_native_verify(&p, &rq, &response, mem, ret, f);
}

#define NATIVE(check, name, expected, ...)                                                                   \
    {                                                                                                        \
        WALLET_CHECK_##check, name, {__VA_ARGS__}, expected                                                  \
    }
#define STATUS_OF(uri, purpose)                                                                              \
    "{\"type\":\"StatusList2021Entry\",\"statusListIndex\":\"5\",\"statusListCredential\":\"" uri            \
    "\",\"statusPurpose\":\"" purpose "\"}"

static const struct {
    enum wallet_check check;
    const char *name;
    struct native native;
    err expected;
} bad_native[] = {
    NATIVE(STATE, "another state", E_PRESENTATION_STATE, .o.state = "other"),
    NATIVE(STATE, "too late", E_PRESENTATION_EXPIRED, .o.is_late = true),
    NATIVE(ONCE, "answered before", E_PRESENTATION_USED, .o.is_used = true),
    NATIVE(TOKEN_FORM, "two credentials", E_PRESENTATION_FORM, .two = true),
    NATIVE(ISSUER_TYP, "another typ", E_CREDENTIAL_TYP, .o.typ = "dc+sd-jwt"),
    NATIVE(ISSUER_KEY, "issuer not listed", E_CREDENTIAL_ISSUER, .o.iss = "did:key:zOther"),
    NATIVE(ISSUER_KEY, "jku of somebody", E_CREDENTIAL_ISSUER,
           .o.header = ",\"jku\":\"https://evil.example/keys\""),
    NATIVE(ISSUER_SIGNATURE, "signed by somebody", E_SIGNATURE_MISMATCH, .o.by_stranger = true),
    NATIVE(HASH, "weak hash beside the digests", E_SD_ALG, .o.more = "md5"),
    NATIVE(TIMES, "credential ended", E_CREDENTIAL_TIME, .o.times = ",\"exp\":1780999000"),
    NATIVE(TYPE, "another card", E_CREDENTIAL_TYPE, .o.vct = "97179430_other"),
    NATIVE(BINDING_SIGNATURE, "presented by another key", E_SIGNATURE_MISMATCH, .o.to_other_key = true),
    NATIVE(BINDING_TIME, "not begun by 31 s", E_PRESENTATION_TIME, .o.kb_iat = KIT_NOW + 31),
    NATIVE(BINDING_SIGNATURE, "another typ", E_CREDENTIAL_TYP, .o.kb_typ = "kb+jwt"),
    NATIVE(NONCE, "another nonce", E_PRESENTATION_NONCE, .o.nonce = "wrong"),
    NATIVE(NONCE, "for somebody else", E_PRESENTATION_AUDIENCE, .o.audience = "did:key:zOther"),
    NATIVE(HOLDER, "presented by another person", E_HOLDER, .o.stranger_binds = true),
    NATIVE(HOLDER, "name and key of two persons", E_HOLDER, .o.stranger_binds = true,
           .sub_of = (const struct key *const *)&stranger),
    NATIVE(TOKEN_ID, "seen before", E_PRESENTATION_USED, .jti_seen = true),
    NATIVE(TOKEN_ID, "without jti", E_PRESENTATION_USED, .jti = ""),
    NATIVE(PATHS, "another definition", E_PRESENTATION_FORM, .definition = "other"),
    NATIVE(PATHS, "another path", E_PRESENTATION_FORM, .path = "$.vp.verifiableCredential[1]"),
    NATIVE(BOTH_LISTS, "no suspension list", E_STATUS_LIST,
           .statuses = "\"credentialStatus\":[" STATUS_OF(ISSUER "/r0", "revocation") "," STATUS_OF(
               ISSUER "/r1", "revocation") "]"),
    NATIVE(BOTH_LISTS, "one list", E_STATUS_LIST,
           .statuses = "\"credentialStatus\":[" STATUS_OF(ISSUER "/r0", "revocation") "]"),
    NATIVE(STATUS, "no list", E_STATUS_LIST, .statuses = "\"x\":1"),
    NATIVE(HOSTS, "list on another host", E_EGRESS,
           .statuses = "\"credentialStatus\":[" STATUS_OF(
               "https://evil.example/r0", "revocation") "," STATUS_OF(ISSUER "/s0", "suspension") "]"),
    NATIVE(HOSTS, "schema on another host", E_EGRESS, .schema = "http://169.254.169.254/schema"),
    NATIVE(CLAIMS, "a claim not shown", E_PRESENTATION_QUERY, .o.name = "[\"s\",\"nickname\",\"x\"]"),
    NATIVE(PERSON, "another person", E_PERSON_OTHER, .o.id_number = "[\"s\",\"id_number\",\"A123456788\"]"),
};

Test(wallet, native_presentation_is_an_identity_and_with_a_made_nonce_a_consent)
{
    struct wallet_result r = {0};
    struct fault f;
    fault_init(&f);
    cr_assert_eq(verify_native(&(struct native){0}, false, &r, &f), E_OK, "%s %s", f.where, f.found);
    cr_expect(!r.binds_text && r.n_status == 2 && r.status[1].is_2021 &&
              view_eq(r.token_id, V("urn:uuid:1")));
    cr_expect(view_eq(json_text(r.claims, "name"), V("王小明")));
    cr_assert_eq(verify_native(&(struct native){0}, true, &r, &f), E_OK);
    cr_expect(r.binds_text);
}

Test(wallet, native_each_check_refuses_alone)
{
    for (size_t i = 0; i < COUNT_OF(bad_native); i++) {
        struct wallet_result r = {0};
        struct fault f;
        fault_init(&f);
        err e = verify_native(&bad_native[i].native, false, &r, &f);
        cr_expect_eq(e, bad_native[i].expected, "%s, %s: %s at %s", wallet_check_word(bad_native[i].check),
                     bad_native[i].name, err_info(e)->code, f.where);
    }
}

/* No check without a presentation that only it refuses. */
Test(wallet, every_check_has_its_own_test)
{
    uint32_t tested = 0;
    for (size_t i = 0; i < COUNT_OF(bad_oid4vp); i++)
        tested |= 1u << bad_oid4vp[i].check;
    for (size_t i = 0; i < COUNT_OF(bad_native); i++)
        tested |= 1u << bad_native[i].check;
    for (int c = 0; c < WALLET_CHECKS; c++)
        cr_expect(tested & 1u << c, "%s", wallet_check_word((enum wallet_check)c));
}

/* ---- status ---- */

static struct adapter_answer
list_answer(const char *uri, int64_t exp, int64_t ttl, const struct key *k)
{
    /* 0xb9 0xa3: entry 1 is valid, entry 7 is not */
    view payload = arena_printf(
        mem,
        "{\"sub\":\"%s\",\"iat\":1780999000,\"exp\":%lld,\"ttl\":%lld,\"status_list\":{\"bits\":1,"
        "\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        uri, (long long)exp, (long long)ttl);
    return (struct adapter_answer){.status = 200, .body = kit_jwt(k, "statuslist+jwt", payload, mem)};
}

static err
status_of(const struct adapter_answer *a, uint64_t index, instant *ret_until)
{
    const struct wallet_status s = {.uri = V(STATUS_URI), .index = index};
    return wallet_status_check(&issuers_of(V(ISSUER), VCT)->list[0], &s, a, instant_of_unix(KIT_NOW), mem,
                               ret_until, NULL);
}

Test(wallet, status_is_the_issuers_word_about_this_entry_or_nothing)
{
    instant until;
    struct adapter_answer good = list_answer(STATUS_URI, KIT_NOW + 3600, 600, issuer), none = {0};
    cr_expect_eq(status_of(&good, 1, &until), E_OK);
    cr_expect_eq(instant_unix(until), KIT_NOW + 600);
    cr_expect_eq(status_of(&good, 7, &until), E_CREDENTIAL_REVOKED);
    cr_expect_eq(status_of(&good, 16, &until), E_STATUS_INDEX);
    cr_expect_eq(status_of(&none, 1, &until), E_STATUS_UNAVAILABLE, "no answer is not valid");
    none.status = 404;
    cr_expect_eq(status_of(&none, 1, &until), E_STATUS_UNAVAILABLE);
    struct adapter_answer other = list_answer(STATUS_URI "0", KIT_NOW + 3600, 600, issuer);
    cr_expect_eq(status_of(&other, 1, &until), E_STATUS_SUBJECT, "another credential's list");
    other = list_answer(STATUS_URI, KIT_NOW + 3600, 600, stranger);
    cr_expect_eq(status_of(&other, 1, &until), E_SIGNATURE_MISMATCH);
    other = list_answer(STATUS_URI, KIT_NOW - 60, 600, issuer);
    cr_expect_eq(status_of(&other, 1, &until), E_CREDENTIAL_TIME);
}

Test(wallet, a_list_is_kept_from_a_minute_to_a_day)
{
    instant until;
    struct adapter_answer a = list_answer(STATUS_URI, KIT_NOW + 3600, 1, issuer);
    cr_expect(status_of(&a, 1, &until) == E_OK && instant_unix(until) == KIT_NOW + 60);
    a = list_answer(STATUS_URI, KIT_NOW + 864000, 864000, issuer);
    cr_expect(status_of(&a, 1, &until) == E_OK && instant_unix(until) == KIT_NOW + 86400);
    a = list_answer(STATUS_URI, KIT_NOW + 120, 864000, issuer);
    cr_expect(status_of(&a, 1, &until) == E_OK && instant_unix(until) == KIT_NOW + 120);
}

/* ---- twdiw-delegate ---- */

static err
delegate(const char *body, int status, bool *ret_pending, struct wallet_result *ret)
{
    struct wallet_request rq = request_of(WALLET_DELEGATE);
    const struct adapter_answer a = {.status = status, .body = view_of(body)};
    rq.type = V("card");
    return wallet_delegate_result_judge(&a, &rq, instant_of_unix(KIT_NOW), mem, ret_pending, ret, NULL);
}

#define RESULT(id, verdict, type, claims)                                                                    \
    "{\"holder_did\":\"did:key:z1\",\"verifyResult\":" verdict                                               \
    ",\"resultDescription\":\"\",\"transactionId\":\"" id "\",\"data\":[{\"credentialType\":\"" type         \
    "\",\"claims\":[" claims "]}]}"
#define CLAIM(name, value) "{\"ename\":\"" name "\",\"cname\":\"\",\"value\":\"" value "\"}"
#define BOTH CLAIM("name", "王小明") "," CLAIM("id_number", "A123456789")

Test(wallet, delegate_takes_the_modules_word_for_identity_and_never_for_consent)
{
    struct wallet_result r = {0};
    bool pending = true;
    cr_assert_eq(
        delegate(RESULT(TRANSACTION, "true", "card", BOTH "," CLAIM("phone", "0912")), 200, &pending, &r),
        E_OK);
    cr_expect(!pending && !r.binds_text && json_object_size(r.claims) == 2,
              "what was not asked for is dropped");
    cr_expect(delegate("{\"code\":\"4002\"}", 400, &pending, &r) == E_OK && pending);
    static const struct {
        const char *body;
        err expected;
    } rows[] = {
        {RESULT("other", "true", "card", BOTH), E_PRESENTATION_STATE},
        {RESULT(TRANSACTION, "false", "card", BOTH), E_PRESENTATION_REFUSED},
        {RESULT(TRANSACTION, "\"true\"", "card", BOTH), E_PRESENTATION_REFUSED},
        {RESULT(TRANSACTION, "true", "other", BOTH), E_CREDENTIAL_TYPE},
        {RESULT(TRANSACTION, "true", "card", CLAIM("name", "王小明")), E_PRESENTATION_QUERY},
        {RESULT(TRANSACTION, "true", "card", BOTH "," CLAIM("name", "x")), E_PRESENTATION_FORM},
        {RESULT(TRANSACTION, "true", "card", CLAIM("name", "x") "," CLAIM("id_number", "B123456789")),
         E_PERSON_OTHER},
        {"{\"transactionId\":\"" TRANSACTION "\",\"verifyResult\":true,\"data\":[]}", E_PRESENTATION_FORM},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(delegate(rows[i].body, 200, &pending, &r), rows[i].expected, "%zu", i);
}

Test(wallet, delegate_link_opens_the_wallet_and_nothing_else)
{
    struct wallet_request rq = request_of(WALLET_DELEGATE);
    const struct wallet_module m = {V("https://verifier.example.tw"), V("token"), V("ref")};
    struct adapter_call call;
    view link, hint;
    cr_assert_eq(wallet_delegate_link_call(&m, &rq, mem, &call), E_OK);
    cr_expect(
        view_eq(call.url, V("https://verifier.example.tw/api/oidvp/qrcode?ref=ref&transactionId=" TRANSACTION
                            "&isCallback=Y")));
    struct adapter_answer a = {.status = 200,
                               .body = V("{\"transactionId\":\"" TRANSACTION
                                         "\",\"authUri\":\"modadigitalwallet://authorize?client_id=x\"}")};
    cr_expect_eq(wallet_delegate_link_judge(&a, &rq, mem, &link, NULL), E_OK);
    a.body = V("{\"transactionId\":\"" TRANSACTION "\",\"authUri\":\"https://evil.example\"}");
    cr_expect_eq(wallet_delegate_link_judge(&a, &rq, mem, &link, NULL), E_PRESENTATION_FORM);
    a.body = V("{\"transactionId\":\"other\",\"authUri\":\"modadigitalwallet://authorize\"}");
    cr_expect_eq(wallet_delegate_link_judge(&a, &rq, mem, &link, NULL), E_PRESENTATION_FORM);
    a.status = 400;
    cr_expect_eq(wallet_delegate_link_judge(&a, &rq, mem, &link, NULL), E_PRESENTATION_REFUSED);
    cr_expect(wallet_delegate_hint(V("{\"transactionId\":\"t\",\"verifyResult\":true}"), mem, &hint, NULL) ==
                  E_OK &&
              view_eq(hint, V("t")));
}

/* ---- optional data: presentations made by others ---- */

static view
shared_file(const char *name)
{
    const char *folder = getenv("CLAIMGATE_SHARED");
    view path = folder ? arena_printf(mem, "%s/taiwan/synthetic/wallet/%s", folder, name)
                       : arena_printf(mem, "%s/../shared/taiwan/synthetic/wallet/%s", TEST_SOURCE_DIR, name);
    FILE *in = fopen(path.p, "rb");
    char *bytes = in ? arena_alloc(mem, 65536) : NULL;
    size_t n = bytes ? fread(bytes, 1, 65536, in) : 0;
    if (in)
        fclose(in);
    return view_trim(view_make(n ? bytes : NULL, n));
}

static err
verify_shared(const char *name, struct wallet_result *ret, struct fault *f)
{
    json_t *session = NULL, *keys = NULL;
    struct wallet_issuers *all = arena_make(mem, struct wallet_issuers);
    instant now = instant_of_unix(1781000000), until;
    TRY(json_load(shared_file("session.json"), mem, &session, f));
    TRY(json_load(shared_file("issuer_jwks.json"), mem, &keys, f));
    /* The list's key is another than the credential's. */
    view list = arena_printf(
        mem,
        "{\"issuers\":[{\"id\":\"%.*s\",\"jku\":\"https://issuer-test.example.tw/api/keys\",\"keys\":%.*s,"
        "\"hosts\":[\"issuer-test.example.tw\"],\"types\":[\"97179430_traffic_party_slip\"]}]}",
        VIEW_ARG(json_text(session, "issuer_did")),
        VIEW_ARG(json_dump_arena(json_member(keys, "keys"), mem)));
    TRY(wallet_issuers_read(list, mem, all, f));
    struct wallet_request rq = request_of(WALLET_NATIVE);
    rq.state = json_text(session, "state");
    rq.nonce = json_text(session, "nonce");
    rq.client_id = json_text(session, "client_id");
    rq.transaction = V("claim-police-slip");
    rq.type = json_text(session, "credential_type");
    rq.claims[1] = V("case_no");
    rq.expect[0] = (struct wallet_expect){V("name"), V("王小明")};
    rq.expires = instant_of_unix(1781000300);
    const struct wallet_policy p = {.issuers = all, .now = now};
    const struct wallet_native_response response = {shared_file(name),
                                                    shared_file("presentation_submission.json"), rq.state};
    TRY(wallet_native_verify(&p, &rq, &response, mem, ret, f));
    for (size_t i = 0; i < ret->n_status; i++) {
        struct adapter_call call;
        TRY(wallet_status_call(&all->list[0], &ret->status[i], mem, &call, f));
        const struct adapter_answer a = {.status = 200,
                                         .body = shared_file(view_eq(ret->status[i].purpose, V("revocation"))
                                                                 ? "status_revocation.json"
                                                                 : "status_suspension.json")};
        TRY(wallet_status_check(&all->list[0], &ret->status[i], &a, now, mem, &until, f));
    }
    return E_OK;
}

Test(wallet, synthetic_presentations_of_the_optional_data)
{
    static const struct {
        const char *file;
        err expected;
    } rows[] = {{"vp_ok.jwt", E_OK},
                {"vp_bad_nonce.jwt", E_PRESENTATION_NONCE},
                {"vp_bad_aud.jwt", E_PRESENTATION_AUDIENCE},
                {"vp_wrong_holder.jwt", E_HOLDER},
                {"vp_revoked.jwt", E_CREDENTIAL_REVOKED}};
    if (!shared_file("vp_ok.jwt").n)
        cr_skip_test("the optional data are not here");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wallet_result r = {0};
        struct fault f;
        fault_init(&f);
        err e = verify_shared(rows[i].file, &r, &f);
        cr_expect_eq(e, rows[i].expected, "%s: %s at %s", rows[i].file, err_info(e)->code, f.where);
    }
}
