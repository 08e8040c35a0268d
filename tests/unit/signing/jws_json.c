#include "fixture.h"

#include "signing/jose/jws_json.h"

#define DOCUMENT "{\"total\":12.50}"

struct kit {
    arena *mem;
    struct key *ec, *rsa;
    struct jws_parts ec_parts, rsa_parts; /* detached */
    struct jws_key keys[2];
};

static struct jws_parts
signed_parts(struct key *k, const char *members, arena *mem)
{
    view compact;
    struct jws_parts parts;
    cr_assert_eq(jws_sign(k, view_of(members), V(DOCUMENT), true, mem, &compact), E_OK);
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    return parts;
}

static struct kit
kit_make(const char *members)
{
    struct kit k = {.mem = fx_arena()};
    k.ec = fx_key(ALG_ES256, k.mem);
    k.rsa = fx_key(ALG_RS256, k.mem);
    k.ec_parts = signed_parts(k.ec, members, k.mem);
    k.rsa_parts = signed_parts(k.rsa, members, k.mem);
    k.keys[0] = (struct jws_key){k.ec->kid, ALG_ES256, k.ec->pkey};
    k.keys[1] = (struct jws_key){k.rsa->kid, ALG_RS256, k.rsa->pkey};
    return k;
}

static void
kit_done(struct kit *k)
{
    key_free(k->ec);
    key_free(k->rsa);
    arena_free(k->mem);
}

static view
one_text(const struct kit *k, const struct jws_parts *p, const char *more)
{
    return arena_printf(k->mem, "{\"protected\":\"%.*s\",\"signature\":\"%.*s\"%s}",
                        VIEW_ARG(p->protected_b64), VIEW_ARG(p->signature_b64), more);
}

static err
check(const struct kit *k, view json, view payload, size_t n_keys, bool held[SIGNATURES_MAX])
{
    struct jws_list *list = arena_make(k->mem, struct jws_list);
    err e = jws_json_split(json, k->mem, list, NULL);
    return e == E_OK ? jws_json_verify(list, payload, k->keys, n_keys, k->mem, held, NULL) : e;
}

Test(jws_json, flattened_with_the_payload_inside_or_outside)
{
    struct kit k AUTO_DONE(kit_done) = kit_make("");
    bool held[SIGNATURES_MAX];
    view inside = arena_printf(k.mem, ",\"payload\":\"%.*s\"", VIEW_ARG(fx_b64url(k.mem, DOCUMENT)));
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, ""), V(DOCUMENT), 2, held), E_OK);
    cr_expect(held[0]);
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, inside.p), VIEW_NONE, 2, held), E_OK);
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, inside.p), V(DOCUMENT), 2, held), E_SIGNATURE_FORM,
                 "inside and outside");
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, ""), V("{\"total\":12.5}"), 2, held),
                 E_SIGNATURE_MISMATCH);
}

Test(jws_json, unencoded_payload)
{
    struct kit k AUTO_DONE(kit_done) = kit_make("\"b64\":false,\"crit\":[\"b64\"]");
    bool held[SIGNATURES_MAX];
    cr_expect_eq(
        check(&k, one_text(&k, &k.ec_parts, ",\"payload\":\"{\\\"total\\\":12.50}\""), VIEW_NONE, 2, held),
        E_OK);
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, ""), V(DOCUMENT), 2, held), E_OK);
    cr_expect_eq(
        check(&k, one_text(&k, &k.ec_parts, ",\"payload\":\"{\\\"total\\\":12.51}\""), VIEW_NONE, 2, held),
        E_SIGNATURE_MISMATCH);
}

static view
general_text(const struct kit *k, const struct jws_parts *other)
{
    return arena_printf(k->mem, "{\"signatures\":[%.*s,%.*s]}", VIEW_ARG(one_text(k, &k->ec_parts, "")),
                        VIEW_ARG(one_text(k, other, "")));
}

Test(jws_json, of_several_one_must_hold_and_no_known_one_may_fail)
{
    struct kit k AUTO_DONE(kit_done) = kit_make("");
    bool held[SIGNATURES_MAX];
    cr_expect_eq(check(&k, general_text(&k, &k.rsa_parts), V(DOCUMENT), 2, held), E_OK);
    cr_expect(held[0] && held[1]);
    cr_expect_eq(check(&k, general_text(&k, &k.rsa_parts), V(DOCUMENT), 1, held), E_OK,
                 "one key is not known");
    cr_expect(held[0] && !held[1]);
    cr_expect_eq(check(&k, general_text(&k, &k.rsa_parts), V(DOCUMENT), 0, held), E_SIGNER_UNKNOWN);
    struct jws_parts wrong = k.rsa_parts;
    wrong.signature_b64 = signed_parts(k.rsa, "\"typ\":\"x\"", k.mem).signature_b64;
    cr_expect_eq(check(&k, general_text(&k, &wrong), V(DOCUMENT), 2, held), E_SIGNATURE_MISMATCH);
    struct kit plain AUTO_DONE(kit_done) = kit_make("\"b64\":false,\"crit\":[\"b64\"]");
    cr_expect_eq(check(&k, general_text(&k, &plain.rsa_parts), V(DOCUMENT), 2, held), E_SIGNATURE_FORM,
                 "b64 differs");
}

static const struct {
    const char *more;
    err want;
} headers[] = {
    {",\"header\":{\"kid\":\"x\"}", E_SIGNATURE_FORM}, /* kid stands in the protected header too */
    {",\"header\":{\"alg\":\"ES256\"}", E_ALGORITHM},
    {",\"header\":{\"crit\":[\"b64\"]}", E_SIGNATURE_FORM},
    {",\"header\":{\"b64\":false}", E_SIGNATURE_FORM},
    {",\"header\":7", E_SIGNATURE_FORM},
    {",\"header\":{\"note\":\"x\"}", E_OK},
    {",\"payload\":7", E_SIGNATURE_FORM},
    {",\"signature\":\"AA\"", E_SIGNATURE_FORM}, /* twice */
    {",\"signatures\":[]", E_SIGNATURE_FORM},
    {",\"signatures\":[{}]", E_SIGNATURE_FORM},
};

Test(jws_json, headers)
{
    struct kit k AUTO_DONE(kit_done) = kit_make("");
    bool held[SIGNATURES_MAX];
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, headers[i].more), V(DOCUMENT), 2, held),
                     headers[i].want, "%s", headers[i].more);
    cr_expect_eq(check(&k, V("{\"signature\":\"AA\"}"), V(DOCUMENT), 2, held), E_ALGORITHM,
                 "no protected header");
    cr_expect_eq(check(&k, V("[]"), V(DOCUMENT), 2, held), E_SIGNATURE_FORM);
    cr_expect_eq(check(&k, V("{"), V(DOCUMENT), 2, held), E_SIGNATURE_FORM);
}

/* A key without a pinned algorithm is used with the header's where that fits it, and with no other. */
Test(jws_json, key_without_pin)
{
    struct kit k AUTO_DONE(kit_done) = kit_make("");
    bool held[SIGNATURES_MAX];
    k.keys[0].alg = ALG_NONE;
    cr_expect_eq(check(&k, one_text(&k, &k.ec_parts, ""), V(DOCUMENT), 1, held), E_OK);
    cr_expect_eq(check(&k, one_text(&k, &k.rsa_parts, ""), V(DOCUMENT), 1, held), E_SIGNER_UNKNOWN);
}
