#include "fixture.h"

#include "signing/log/receipt.h"

static struct receipt
sample(void)
{
    struct receipt r = {
        .issuer = V("https://gateway.example"),
        .document = sha256(V("document")),
        .verdict = sha256(V("verdict")),
        .sender = V("org-01k9abcdefghjkmnpqrstvwxyz"),
        .received_at = {INT64_C(1763627400123000)},
        .leaf = sha256(V("leaf")),
        .log_id = V("gateway.example/log"),
        .include_by = {INT64_C(1763713800000000)},
    };
    r.submission = submission_id_new();
    return r;
}

Test(receipt, says_what_was_signed)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct receipt r = sample(), got;
    view jws;
    cr_assert_eq(receipt_sign(&r, k, mem, &jws), E_OK);
    cr_assert_eq(receipt_check(jws, k->pkey, mem, &got, NULL), E_OK);
    cr_expect(view_eq(got.issuer, r.issuer));
    cr_expect(uid_eq(got.submission.u, r.submission.u));
    cr_expect(digest_eq(&got.document, &r.document));
    cr_expect(digest_eq(&got.verdict, &r.verdict));
    cr_expect(view_eq(got.sender, r.sender));
    cr_expect_eq(got.received_at.us, r.received_at.us);
    cr_expect(digest_eq(&got.leaf, &r.leaf));
    cr_expect(view_eq(got.log_id, r.log_id));
    cr_expect_eq(got.include_by.us, r.include_by.us);
}

Test(receipt, is_a_jws_that_anyone_can_read)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct receipt r = sample();
    struct jws_parts parts;
    view jws, payload;
    cr_assert_eq(receipt_sign(&r, k, mem, &jws), E_OK);
    cr_assert_eq(jws_split(jws, mem, &parts, NULL), E_OK);
    cr_expect_eq(parts.header.alg, ALG_ES256);
    cr_expect(view_eq(parts.header.typ, V("claimgate-receipt+jwt")));
    cr_expect(view_eq(parts.header.kid, k->kid));
    cr_assert_eq(jws_payload(&parts, mem, &payload, NULL), E_OK);
    cr_expect(view_find(payload, V("\"received_at\":\"2025-11-20T08:30:00.123Z\"")) < payload.n, "%.*s",
              VIEW_ARG(payload));
    cr_expect(view_find(payload, V("\"iss\":\"https://gateway.example\"")) < payload.n);
}

Test(receipt, no_flipped_bit_is_accepted)
{
    arena *mem AUTO(arena_free) = fx_arena();
    arena *scratch AUTO(arena_free) = arena_new(MIB);
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct receipt r = sample(), got = {.sender = V("untouched")};
    view jws;
    cr_assert_eq(receipt_sign(&r, k, mem, &jws), E_OK);
    char *text = arena_cstr(mem, jws);
    for (size_t bit = 0; bit < 8 * jws.n; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
        cr_expect_neq(receipt_check(view_make(text, jws.n), k->pkey, scratch, &got, NULL), E_OK, "bit %zu",
                      bit);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
        arena_reset(scratch);
    }
    cr_expect(view_eq(got.sender, V("untouched")));
}

Test(receipt, another_key_is_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem), *other AUTO(key_free) = fx_key(ALG_ES256, mem),
                  *rsa AUTO(key_free) = fx_key(ALG_RS256, mem);
    struct receipt r = sample(), got;
    view jws;
    cr_assert_eq(receipt_sign(&r, k, mem, &jws), E_OK);
    cr_expect_eq(receipt_check(jws, other->pkey, mem, &got, NULL), E_SIGNATURE_MISMATCH);
    cr_expect_eq(receipt_check(jws, rsa->pkey, mem, &got, NULL), E_ALGORITHM);
    cr_expect_eq(receipt_sign(&r, rsa, mem, &jws), E_ALGORITHM);
}

#define TYPE "\"typ\":\"claimgate-receipt+jwt\""
#define HEX "\"ac8af2e6ba3bf4b6b6f5d6f3b4c2f8a2b0c1d2e3f405162738495a6b7c8d9e0f\""
#define SUB "\"sub\":\"%.*s\""
#define REST                                                                                                 \
    "\"document_sha256\":" HEX ",\"verdict_sha256\":" HEX                                                    \
    ",\"sender\":\"s\",\"received_at\":\"2026-11-20T08:30:00Z\",\"leaf\":" HEX                               \
    ",\"log\":\"l\",\"include_by\":\"2026-11-21T08:30:00Z\""

/* Signed by the right key and still no receipt. */
static const struct {
    const char *type, *payload;
    err code;
} signed_but[] = {
    {TYPE, "{\"iss\":\"i\"," SUB "," REST "}", E_OK},
    {TYPE, "{\"iss\":\"i\"," SUB "," REST ",\"later\":1}", E_OK},
    {"\"typ\":\"JWT\"", "{\"iss\":\"i\"," SUB "," REST "}", E_SIGNATURE_FORM},
    {"\"cty\":\"x\"", "{\"iss\":\"i\"," SUB "," REST "}", E_SIGNATURE_FORM},
    {TYPE, "{\"iss\":\"i\",\"iss\":\"j\"," SUB "," REST "}", E_JSON_DUPLICATE_NAME},
    {TYPE, "{\"iss\":1," SUB "," REST "}", E_SIGNATURE_FORM},
    {TYPE, "{" SUB "," REST "}", E_SIGNATURE_FORM},
    {TYPE, "{\"iss\":\"i\",\"sub\":\"case-%.*s\"," REST "}", E_SIGNATURE_FORM},
    {TYPE, "{\"iss\":\"i\"," SUB ",\"document_sha256\":\"00\"}", E_SIGNATURE_FORM},
    {TYPE, "[\"%.*s\"]", E_SIGNATURE_FORM},
    {TYPE, "%.*s", E_JSON_SYNTAX},
};

Test(receipt, what_is_signed_but_no_receipt)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    char id[ID_TEXT_SIZE];
    view sub = submission_id_print(submission_id_new(), id);
    for (size_t i = 0; i < COUNT_OF(signed_but); i++) {
        struct receipt got;
        view jws;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        view payload = arena_printf(mem, signed_but[i].payload, VIEW_ARG(sub));
#pragma GCC diagnostic pop
        cr_assert_eq(jws_sign(k, view_of(signed_but[i].type), payload, false, mem, &jws), E_OK);
        err e = receipt_check(jws, k->pkey, mem, &got, NULL);
        cr_expect_eq(e, signed_but[i].code, "%zu: %s", i, err_info(e)->name);
    }
}

Test(receipt, a_detached_one_is_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct receipt got;
    view jws;
    cr_assert_eq(jws_sign(k, V(TYPE), V(""), true, mem, &jws), E_OK);
    cr_expect_eq(receipt_check(jws, k->pkey, mem, &got, NULL), E_SIGNATURE_FORM);
    cr_expect_eq(receipt_check(VIEW_NONE, k->pkey, mem, &got, NULL), E_SIGNATURE_FORM);
}
