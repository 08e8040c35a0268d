#include "fixture.h"

#include <openssl/ecdsa.h>

/* RFC 7515 A.3 */
static const char a3_jwk[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char a3_jws[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
    "KTUJqPP3-Kg6NU1Q";
static const char claims[] =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/* RFC 7515 A.2 */
static const char a2_jwk[] =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJ"
    "rcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63k"
    "paSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5Ih"
    "lJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}";
static const char a2_jws[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm"
    "4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x"
    "BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ"
    "1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/* RFC 8037 A.4 */
static const char ed_jwk[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char ed_jws[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI"
    "bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

static void *
jwk_of(const char *text, arena *mem)
{
    json_t *jwk = NULL;
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    view kid;
    cr_assert_eq(json_load(view_of(text), mem, &jwk, NULL), E_OK);
    cr_assert_eq(jwk_read(jwk, &pkey, &alg, &kid, mem, NULL), E_OK);
    return pkey;
}

static err
verify_text(view compact, view payload, enum jose_alg alg, void *pkey, arena *mem)
{
    struct jws_parts parts;
    err e = jws_split(compact, mem, &parts, NULL);
    return e == E_OK ? jws_verify(&parts, payload, alg, pkey, mem, NULL) : e;
}

static const struct {
    const char *jwk, *jws, *payload;
    enum jose_alg alg;
} published[] = {
    {a3_jwk, a3_jws, claims, ALG_ES256},
    {a2_jwk, a2_jws, claims, ALG_RS256},
    {ed_jwk, ed_jws, "Example of Ed25519 signing", ALG_EDDSA},
    {ed_jwk, ed_jws, "Example of Ed25519 signing", ALG_ED25519},
};

Test(jws, published_examples_verify)
{
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(published); i++) {
        void *pkey = jwk_of(published[i].jwk, mem);
        struct jws_parts parts;
        view payload;
        cr_assert_eq(jws_split(view_of(published[i].jws), mem, &parts, NULL), E_OK);
        cr_expect_eq(jws_verify(&parts, VIEW_NONE, published[i].alg, pkey, mem, NULL), E_OK, "example %zu",
                     i);
        cr_assert_eq(jws_payload(&parts, mem, &payload, NULL), E_OK);
        cr_expect(view_eq(payload, view_of(published[i].payload)));
        /* The same signature, detached. */
        parts.payload_b64 = VIEW_NONE;
        cr_expect_eq(jws_verify(&parts, payload, published[i].alg, pkey, mem, NULL), E_OK, "detached %zu", i);
        pkey_free(pkey);
    }
}

/* RFC 7797 4: the header says HS256, which does not exist here; its signing input does, under another key. */
Test(jws, unencoded_payload_is_signed_as_it_is)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct jws_parts parts;
    view compact, signature, payload = V("$.02");
    cr_expect_eq(jws_split(V("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_"
                             "n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"),
                           mem, &parts, NULL),
                 E_ALGORITHM);
    cr_assert_eq(jws_sign(k, V("\"b64\":false,\"crit\":[\"b64\"]"), payload, true, mem, &compact), E_OK);
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    cr_expect_not(parts.header.b64);
    cr_expect_eq(jws_verify(&parts, payload, ALG_ES256, k->pkey, mem, NULL), E_OK);
    cr_expect_eq(jws_verify(&parts, V("$.03"), ALG_ES256, k->pkey, mem, NULL), E_SIGNATURE_MISMATCH);
    view input = arena_printf(mem, "%.*s.$.02", VIEW_ARG(parts.protected_b64));
    cr_assert_eq(text_base64url_decode(parts.signature_b64, mem, &signature), E_OK);
    cr_expect_eq(pkey_verify(k->pkey, ALG_ES256, input, signature), E_OK);
}

/* The same mistake that CMS names: a component that signs code page 950, or text with other line ends. */
Test(jws, transcoded_bodies_are_told_by_name)
{
    static const struct {
        const char *as_signed, *sent, *name;
    } bodies[] = {
        {"{\"a\":\"\xA5\xD2\"}", "{\"a\":\"甲\"}", "code page 950"},
        {"\xEF\xBB\xBF{}", "{}", "UTF-8 with a byte order mark"},
        {"{\r\n\"a\":\"甲\"}", "{\n\"a\":\"甲\"}", "UTF-8 with CRLF line ends"},
    };
    static const char *const members[] = {"", "\"b64\":false,\"crit\":[\"b64\"]"};
    static const enum jose_alg algs[] = {ALG_ES256, ALG_PS256};
    for (size_t i = 0; i < COUNT_OF(bodies) * COUNT_OF(members) * COUNT_OF(algs); i++) {
        arena *mem AUTO(arena_free) = fx_arena();
        enum jose_alg alg = algs[i / COUNT_OF(bodies) / COUNT_OF(members)];
        struct key *k AUTO(key_free) = fx_key(alg, mem);
        struct jws_parts parts;
        struct fault f;
        view compact, sent = view_of(bodies[i % COUNT_OF(bodies)].sent);
        fault_init(&f);
        cr_assert_eq(jws_sign(k, view_of(members[i / COUNT_OF(bodies) % COUNT_OF(members)]),
                              view_of(bodies[i % COUNT_OF(bodies)].as_signed), true, mem, &compact),
                     E_OK);
        cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
        cr_expect_eq(jws_verify(&parts, sent, alg, k->pkey, mem, &f), E_SIGNED_TRANSCODED, "%zu", i);
        cr_expect_str_eq(f.found, bodies[i % COUNT_OF(bodies)].name);
        cr_expect_eq(jws_verify(&parts, V("{\"b\":1}"), alg, k->pkey, mem, NULL), E_SIGNATURE_MISMATCH);
    }
}

Test(jws, unencoded_payload_inside_a_compact_jws)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view compact, payload, members = V("\"b64\":false,\"crit\":[\"b64\"]");
    struct jws_parts parts;
    cr_assert_eq(jws_sign(k, members, V("plain text!"), false, mem, &compact), E_OK);
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    cr_expect_eq(jws_verify(&parts, VIEW_NONE, ALG_ES256, k->pkey, mem, NULL), E_OK);
    cr_assert_eq(jws_payload(&parts, mem, &payload, NULL), E_OK);
    cr_expect(view_eq(payload, V("plain text!")));
    /* A dot or a control character cannot stand there. */
    cr_expect_eq(jws_sign(k, members, V("$.02"), false, mem, &compact), E_SIGNATURE_FORM);
    cr_expect_eq(jws_sign(k, members, V("a\nb"), false, mem, &compact), E_SIGNATURE_FORM);
}

/* One key of each kind; every algorithm signs with the key of its kind. */
enum { KINDS = 4 };
static const enum jose_alg kind_of_alg[ALG_COUNT] = {
    [ALG_ES256] = 0, [ALG_ES384] = 1, [ALG_RS256] = 2, [ALG_RS384] = 2,   [ALG_RS512] = 2,
    [ALG_PS256] = 2, [ALG_PS384] = 2, [ALG_PS512] = 2, [ALG_ED25519] = 3, [ALG_EDDSA] = 3,
};

static void
keys_make(EVP_PKEY *keys[KINDS])
{
    static const enum jose_alg first[KINDS] = {ALG_ES256, ALG_ES384, ALG_RS256, ALG_ED25519};
    for (int i = 0; i < KINDS; i++)
        keys[i] = fx_pkey(first[i]);
}

static bool
is_ed(enum jose_alg a)
{
    return a == ALG_ED25519 || a == ALG_EDDSA;
}

static bool
same(enum jose_alg a, enum jose_alg b)
{
    return a == b || (is_ed(a) && is_ed(b));
}

Test(jws, only_the_right_pair_of_algorithm_and_key_accepts)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *keys[KINDS];
    keys_make(keys);
    for (int a = ALG_NONE + 1; a < ALG_COUNT; a++) {
        struct key *k AUTO(key_free) = fx_key_of(keys[kind_of_alg[a]], (enum jose_alg)a, mem);
        view compact;
        cr_assert_eq(jws_sign(k, VIEW_NONE, V("body"), true, mem, &compact), E_OK);
        for (int pin = ALG_NONE; pin <= ALG_COUNT; pin++)
            for (int i = 0; i < KINDS; i++) {
                err e = verify_text(compact, V("body"), (enum jose_alg)pin, keys[i], mem);
                bool right = same((enum jose_alg)a, (enum jose_alg)pin) && kind_of_alg[a] == (enum jose_alg)i;
                cr_expect_eq(e == E_OK, right, "signed %d pinned %d key %d: %s", a, pin, i,
                             err_info(e)->name);
                if (!right)
                    cr_expect_eq(e, E_ALGORITHM, "signed %d pinned %d key %d: %s", a, pin, i,
                                 err_info(e)->name);
            }
    }
    for (int i = 0; i < KINDS; i++)
        EVP_PKEY_free(keys[i]);
}

/* The header claims one algorithm, the signature is of another: also refused when the pin follows the
 * header. */
Test(jws, a_header_does_not_turn_one_algorithm_into_another)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *keys[KINDS];
    keys_make(keys);
    for (int signs = ALG_NONE + 1; signs < ALG_COUNT; signs++) {
        struct key *k AUTO(key_free) = fx_key_of(keys[kind_of_alg[signs]], (enum jose_alg)signs, mem);
        for (int says = ALG_NONE + 1; says < ALG_COUNT; says++) {
            view header = arena_printf(mem, "{\"alg\":\"%s\"}", jose_alg_word((enum jose_alg)says));
            view input = arena_printf(mem, "%.*s.Ym9keQ", VIEW_ARG(text_base64url(mem, header))), signature;
            cr_assert_eq(key_sign(k, input, mem, &signature), E_OK);
            view compact =
                arena_printf(mem, "%.*s.%.*s", VIEW_ARG(input), VIEW_ARG(text_base64url(mem, signature)));
            err e = verify_text(compact, VIEW_NONE, (enum jose_alg)says, k->pkey, mem);
            cr_expect_eq(e == E_OK, same((enum jose_alg)signs, (enum jose_alg)says), "signed %d says %d",
                         signs, says);
        }
    }
    for (int i = 0; i < KINDS; i++)
        EVP_PKEY_free(keys[i]);
}

static const struct {
    const char *json;
    err code;
} headers[] = {
    {"{\"alg\":\"ES256\"}", E_OK},
    {"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"x\",\"cty\":\"y\"}", E_OK},
    {"{\"alg\":\"none\"}", E_ALGORITHM},
    {"{\"alg\":\"None\"}", E_ALGORITHM},
    {"{\"alg\":\"nOnE\"}", E_ALGORITHM},
    {"{\"alg\":\"\"}", E_ALGORITHM},
    {"{\"alg\":\"HS256\"}", E_ALGORITHM},
    {"{\"alg\":\"ES512\"}", E_ALGORITHM},
    {"{\"alg\":\"ES256K\"}", E_ALGORITHM},
    {"{\"alg\":\"es256\"}", E_ALGORITHM},
    {"{\"alg\":\"ES256 \"}", E_ALGORITHM},
    {"{\"alg\":\"ES256\\u0000\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"RS1\"}", E_ALGORITHM},
    {"{}", E_ALGORITHM},
    {"{\"kid\":\"k\"}", E_ALGORITHM},
    {"{\"alg\":1}", E_SIGNATURE_FORM},
    {"{\"alg\":[\"ES256\"]}", E_SIGNATURE_FORM},
    {"[]", E_SIGNATURE_FORM},
    {"\"ES256\"", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\"", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\"}x", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"alg\":\"ES256\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"none\",\"alg\":\"ES256\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x\":{\"a\":1,\"a\":2}}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"kid\":1}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"typ\":null}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", E_JWS_CRIT},
    {"{\"alg\":\"ES256\",\"crit\":[\"b64\",\"exp\"],\"b64\":true,\"exp\":1}", E_JWS_CRIT},
    {"{\"alg\":\"ES256\",\"crit\":[]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":\"b64\",\"b64\":false}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":[\"b64\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":[\"b64\",\"b64\"],\"b64\":false}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":[1],\"b64\":false}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"crit\":null}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"b64\":false}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"b64\":true}", E_OK},
    {"{\"alg\":\"ES256\",\"b64\":0,\"crit\":[\"b64\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"b64\":\"false\",\"crit\":[\"b64\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", E_OK},
    /* Keys and addresses in the message are neither fetched nor used. */
    {"{\"alg\":\"ES256\",\"jku\":\"https://attacker.example/\",\"x5u\":\"file:///etc/"
     "passwd\",\"jwk\":{\"kty\":\"oct\"}}",
     E_OK},
    {"{\"alg\":\"ES256\",\"x5c\":[]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":\"AAAA\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":[\"AA-_\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":[\"\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":[1]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":[\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\"]}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"x5c\":[\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\"]}", E_OK},
    {"{\"alg\":\"ES256\",\"iat\":1700000000}", E_OK},
    {"{\"alg\":\"ES256\",\"iat\":1700000000.5}", E_OK},
    {"{\"alg\":\"ES256\",\"iat\":-1}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"iat\":1e300}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"iat\":99999999999999}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"iat\":\"1700000000\"}", E_SIGNATURE_FORM},
    {"{\"alg\":\"ES256\",\"sigT\":\"2026-11-20T08:30:00Z\"}", E_OK},
    {"{\"alg\":\"ES256\",\"sigT\":\"yesterday\"}", E_SIGNATURE_FORM},
};

Test(jws, header_rules)
{
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct jws_parts parts;
        struct fault f;
        fault_init(&f);
        view compact = arena_printf(mem, "%.*s..AAAA", VIEW_ARG(fx_b64url(mem, headers[i].json)));
        err e = jws_split(compact, mem, &parts, &f);
        cr_expect_eq(e, headers[i].code, "%s: %s", headers[i].json, err_info(e)->name);
        cr_expect_eq(f.code, headers[i].code, "%s", headers[i].json);
    }
}

Test(jws, header_members_are_read)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct jws_parts parts;
    view json = V("{\"alg\":\"PS384\",\"kid\":\"k\\u00e9y\",\"typ\":\"t\",\"x5c\":[\"AQID\",\"BAUG\"],"
                  "\"iat\":1700000000.75}");
    view compact = arena_printf(mem, "%.*s.YQ.AAAA", VIEW_ARG(text_base64url(mem, json)));
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    cr_expect_eq(parts.header.alg, ALG_PS384);
    cr_expect(view_eq(parts.header.kid, V("k\xc3\xa9y")));
    cr_expect(view_eq(parts.header.typ, V("t")));
    cr_expect(view_eq(parts.header.x5c_leaf, V("\1\2\3")));
    cr_expect_eq(parts.header.n_rest, 1);
    cr_expect(view_eq(parts.header.x5c_rest[0], V("\4\5\6")));
    cr_expect_eq(instant_unix(parts.header.signed_at), 1700000000);
    cr_expect(parts.header.b64);
    cr_expect(view_eq(parts.payload_b64, V("YQ")));
}

/* The thread's kept headers must give the same answer, live as long as the arena, and not mix headers up. */
Test(jws, a_header_seen_before_reads_the_same)
{
    arena *longest AUTO(arena_free) = fx_arena();
    struct jws_parts kept[3];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 9; i++) {
            arena *mem = round == 1 && i < 3 ? longest : arena_new(MIB);
            struct jws_parts parts;
            view json =
                arena_printf(mem, "{\"alg\":\"ES256\",\"kid\":\"key-%d\",\"x5c\":[\"AQI%c\"]}", i, 'A' + i);
            view compact = arena_printf(mem, "%.*s..AAAA", VIEW_ARG(text_base64url(mem, json)));
            cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
            cr_expect(view_eq(parts.header.kid, arena_printf(mem, "key-%d", i)));
            cr_expect_eq(parts.header.x5c_leaf.n, 3);
            cr_expect_eq(parts.header.x5c_leaf.p[2], (char)i);
            cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK); /* certainly kept */
            cr_expect(view_eq(parts.header.kid, arena_printf(mem, "key-%d", i)));
            cr_expect_eq(parts.header.x5c_leaf.p[2], (char)i);
            if (mem == longest)
                kept[i] = parts;
            else
                arena_free(mem);
        }
    for (int i = 0; i < 3; i++)
        cr_expect_eq(kept[i].header.x5c_leaf.p[2], (char)i);
}

static const struct {
    const char *compact;
    err code;
} forms[] = {
    {"", E_SIGNATURE_FORM},
    {".", E_SIGNATURE_FORM},
    {"..", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9.", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9..", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9.AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9.AA.", E_SIGNATURE_FORM},
    {".AA.AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9.AA.AA.AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9...AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9.AA.AA.AA.AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9=..AA", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9 ..AA", E_SIGNATURE_FORM},
    {" eyJhbGciOiJFUzI1NiJ9..AA", E_SIGNATURE_FORM},
    {"{\"payload\":\"AA\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":\"AA\"}", E_SIGNATURE_FORM},
    {"eyJhbGciOiJFUzI1NiJ9..AA", E_OK},
};

Test(jws, forms)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct jws_parts parts;
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        cr_expect_eq(jws_split(view_of(forms[i].compact), mem, &parts, NULL), forms[i].code, "%s",
                     forms[i].compact);
    cr_expect_eq(jws_split(VIEW_NONE, mem, &parts, NULL), E_SIGNATURE_FORM);
}

Test(jws, a_header_longer_than_the_ceiling_is_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct jws_parts parts;
    static char long_header[20000];
    memset(long_header, 'A', sizeof long_header);
    memcpy(long_header + sizeof long_header - 4, "..AA", 4);
    cr_expect_eq(jws_split(view_make(long_header, sizeof long_header), mem, &parts, NULL), E_SIGNATURE_FORM);
}

/* Each part with one thing wrong in its base64url. */
Test(jws, base64url_is_strict)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view compact;
    cr_assert_eq(jws_sign(k, VIEW_NONE, V("a"), false, mem, &compact), E_OK);
    cr_assert_eq(verify_text(compact, VIEW_NONE, ALG_ES256, k->pkey, mem), E_OK);
    char *text = arena_cstr(mem, compact);
    char last = text[compact.n - 1];
    /* 64 bytes leave four bits over in the last character: fifteen other characters say the same bytes. */
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t value = (size_t)(strchr(alphabet, last) - alphabet);
    for (size_t stray = 1; stray < 16; stray++) {
        text[compact.n - 1] = alphabet[(value & 0x30) | stray];
        cr_expect_eq(verify_text(view_of(text), VIEW_NONE, ALG_ES256, k->pkey, mem), E_SIGNATURE_FORM);
    }
    text[compact.n - 1] = last;
    static const char bad[] = "=+/ \n\t%.";
    for (size_t i = 0; i < sizeof bad - 1; i++)
        for (size_t at = 0; at < compact.n; at += 7) {
            char was = text[at];
            text[at] = bad[i];
            cr_expect_neq(verify_text(view_of(text), VIEW_NONE, ALG_ES256, k->pkey, mem), E_OK, "%c at %zu",
                          bad[i], at);
            text[at] = was;
        }
    view padded = arena_printf(mem, "%s==", text);
    cr_expect_eq(verify_text(padded, VIEW_NONE, ALG_ES256, k->pkey, mem), E_SIGNATURE_FORM);
    struct jws_parts parts;
    view payload;
    cr_assert_eq(jws_split(V("eyJhbGciOiJFUzI1NiJ9.YR.AA"), mem, &parts, NULL), E_OK);
    cr_expect_eq(jws_payload(&parts, mem, &payload, NULL), E_SIGNATURE_FORM); /* stray bits: YQ is the form */
}

static err
verify_with_signature(const struct jws_parts *parts, view signature, enum jose_alg alg, void *pkey,
                      arena *mem)
{
    struct jws_parts other = *parts;
    other.signature_b64 = text_base64url(mem, signature);
    return jws_verify(&other, V("body"), alg, pkey, mem, NULL);
}

Test(jws, signature_length_is_checked)
{
    static const struct {
        enum jose_alg alg;
        size_t n;
    } lengths[] = {{ALG_ES256, 64}, {ALG_ES384, 96}, {ALG_RS256, 256}, {ALG_PS512, 256}, {ALG_ED25519, 64}};
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct key *k AUTO(key_free) = fx_key(lengths[i].alg, mem);
        view compact, signature;
        struct jws_parts parts;
        cr_assert_eq(jws_sign(k, VIEW_NONE, V("body"), true, mem, &compact), E_OK);
        cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
        cr_assert_eq(text_base64url_decode(parts.signature_b64, mem, &signature), E_OK);
        cr_expect_eq(signature.n, lengths[i].n);
        cr_expect_eq(verify_with_signature(&parts, signature, lengths[i].alg, k->pkey, mem), E_OK);
        for (size_t n = 1; n < signature.n; n++)
            cr_expect_eq(
                verify_with_signature(&parts, view_sub(signature, 0, n), lengths[i].alg, k->pkey, mem),
                E_SIGNATURE_FORM);
        char *longer = arena_alloc(mem, signature.n + 8);
        memcpy(longer, signature.p, signature.n);
        for (size_t more = 1; more <= 8; more++)
            cr_expect_eq(verify_with_signature(&parts, view_make(longer, signature.n + more), lengths[i].alg,
                                               k->pkey, mem),
                         E_SIGNATURE_FORM);
        char *zero = arena_alloc(mem, signature.n);
        cr_expect_eq(
            verify_with_signature(&parts, view_make(zero, signature.n), lengths[i].alg, k->pkey, mem),
            E_SIGNATURE_MISMATCH);
        memset(zero, 0xff, signature.n);
        cr_expect_eq(
            verify_with_signature(&parts, view_make(zero, signature.n), lengths[i].alg, k->pkey, mem),
            E_SIGNATURE_MISMATCH);
    }
}

/* What many libraries give by mistake. */
Test(jws, ecdsa_in_der_is_refused_with_a_hint)
{
    arena *mem AUTO(arena_free) = fx_arena();
    EVP_PKEY *pkey = fx_pkey(ALG_ES256);
    struct fault f;
    fault_init(&f);
    view header = fx_b64url(mem, "{\"alg\":\"ES256\"}");
    view input = arena_printf(mem, "%.*s.%.*s", VIEW_ARG(header), VIEW_ARG(fx_b64url(mem, "body")));
    unsigned char der[80];
    size_t n = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    cr_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1);
    cr_assert(EVP_DigestSign(ctx, der, &n, (const unsigned char *)input.p, input.n) == 1);
    EVP_MD_CTX_free(ctx);
    struct jws_parts parts;
    view compact =
        arena_printf(mem, "%.*s..%.*s", VIEW_ARG(header), VIEW_ARG(text_base64url(mem, view_make(der, n))));
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    cr_expect_eq(jws_verify(&parts, V("body"), ALG_ES256, pkey, mem, &f), E_SIGNATURE_FORM);
    cr_expect(strstr(f.expected, "not DER"));
    EVP_PKEY_free(pkey);
}

/* Order of P-256. */
static const char p256_order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/* (r, n-s) verifies too: that is ECDSA.  A document is known by its body's digest, never by its signature. */
Test(jws, the_other_s_verifies_as_well)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view compact, signature, order = fx_bytes_of_hex(mem, p256_order);
    struct jws_parts parts;
    cr_assert_eq(jws_sign(k, VIEW_NONE, V("body"), true, mem, &compact), E_OK);
    cr_assert_eq(jws_split(compact, mem, &parts, NULL), E_OK);
    cr_assert_eq(text_base64url_decode(parts.signature_b64, mem, &signature), E_OK);
    BIGNUM *n = BN_bin2bn((const unsigned char *)order.p, 32, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)signature.p + 32, 32, NULL);
    unsigned char other[64];
    memcpy(other, signature.p, 32);
    cr_assert(BN_sub(s, n, s) == 1 && BN_bn2binpad(s, other + 32, 32) == 32);
    cr_expect_eq(verify_with_signature(&parts, view_make(other, 64), ALG_ES256, k->pkey, mem), E_OK);
    /* r + n and s + n do not fit or are out of range. */
    memcpy(other, order.p, 32);
    cr_expect_eq(verify_with_signature(&parts, view_make(other, 64), ALG_ES256, k->pkey, mem),
                 E_SIGNATURE_MISMATCH);
    BN_free(n);
    BN_free(s);
}

Test(jws, no_flipped_bit_is_accepted)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view compact;
    char body[] = "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"amount\":12.50}";
    view payload = view_of(body);
    cr_assert_eq(jws_sign(k, VIEW_NONE, payload, true, mem, &compact), E_OK);
    char *text = arena_cstr(mem, compact);
    arena *scratch AUTO(arena_free) = arena_new(MIB);
    for (size_t bit = 0; bit < 8 * compact.n; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
        cr_expect_neq(verify_text(view_make(text, compact.n), payload, ALG_ES256, k->pkey, scratch), E_OK,
                      "header bit %zu", bit);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
        arena_reset(scratch);
    }
    for (size_t bit = 0; bit < 8 * payload.n; bit++) {
        body[bit / 8] = (char)(body[bit / 8] ^ (1 << (bit % 8)));
        cr_expect_eq(verify_text(compact, payload, ALG_ES256, k->pkey, scratch), E_SIGNATURE_MISMATCH,
                     "body bit %zu", bit);
        body[bit / 8] = (char)(body[bit / 8] ^ (1 << (bit % 8)));
        arena_reset(scratch);
    }
    cr_expect_eq(verify_text(view_make(text, compact.n), payload, ALG_ES256, k->pkey, scratch), E_OK);
    cr_expect_eq(verify_text(compact, view_sub(payload, 0, payload.n - 1), ALG_ES256, k->pkey, scratch),
                 E_SIGNATURE_MISMATCH);
}

/* Which of two payloads was signed must never be a question. */
Test(jws, a_payload_inside_and_outside_is_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view compact;
    cr_assert_eq(jws_sign(k, VIEW_NONE, V("body"), false, mem, &compact), E_OK);
    cr_expect_eq(verify_text(compact, V("body"), ALG_ES256, k->pkey, mem), E_SIGNATURE_FORM);
    cr_expect_eq(verify_text(compact, V("other"), ALG_ES256, k->pkey, mem), E_SIGNATURE_FORM);
    cr_expect_eq(verify_text(compact, VIEW_NONE, ALG_ES256, k->pkey, mem), E_OK);
}

/* The body is hashed in pieces: lengths around the piece and around the padding of base64. */
Test(jws, bodies_of_every_length_class)
{
    static const size_t lengths[] = {0, 1, 2, 3, 4, 12287, 12288, 12289, 12290, 24576, 24577, 100001};
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *es AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct key *ed AUTO(key_free) = fx_key(ALG_ED25519, mem);
    char *body = arena_alloc(mem, 100001);
    for (size_t i = 0; i < 100001; i++)
        body[i] = (char)(i * 31 + i / 251);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        view payload = view_make(body, lengths[i]), compact;
        cr_assert_eq(jws_sign(es, VIEW_NONE, payload, true, mem, &compact), E_OK);
        cr_expect_eq(verify_text(compact, payload, ALG_ES256, es->pkey, mem), E_OK, "%zu", lengths[i]);
        cr_assert_eq(jws_sign(ed, VIEW_NONE, payload, true, mem, &compact), E_OK);
        cr_expect_eq(verify_text(compact, payload, ALG_ED25519, ed->pkey, mem), E_OK, "%zu", lengths[i]);
    }
}

Test(jws, sign_refuses_what_it_could_not_verify)
{
    arena *mem AUTO(arena_free) = fx_arena();
    arena *small AUTO(arena_free) = arena_new(2048);
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    static char body[4096];
    view compact = V("untouched");
    cr_expect_eq(jws_sign(k, V("\"alg\":\"none\""), V("a"), true, mem, &compact), E_SIGNATURE_FORM);
    cr_expect_eq(jws_sign(k, V("\"crit\":[\"x\"],\"x\":1"), V("a"), true, mem, &compact), E_JWS_CRIT);
    cr_expect_eq(jws_sign(k, V("\"b64\":false"), V("a"), true, mem, &compact), E_SIGNATURE_FORM);
    cr_expect_eq(jws_sign(k, VIEW_NONE, view_make(body, sizeof body), false, small, &compact), E_TOO_LARGE);
    cr_expect(view_eq(compact, V("untouched")));
    k->alg = ALG_RS256;
    cr_expect_eq(jws_sign(k, VIEW_NONE, V("a"), true, mem, &compact), E_ALGORITHM);
}

Test(pkey, verify_der_takes_strict_der_only)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem), *rsa AUTO(key_free) = fx_key(ALG_RS256, mem);
    view raw, data = V("bytes");
    cr_assert_eq(key_sign(k, data, mem, &raw), E_OK);
    uint8_t der[80];
    ECDSA_SIG *sig = ECDSA_SIG_new();
    cr_assert(ECDSA_SIG_set0(sig, BN_bin2bn((const uint8_t *)raw.p, 32, NULL),
                             BN_bin2bn((const uint8_t *)raw.p + 32, 32, NULL)) == 1);
    uint8_t *at = der;
    size_t n = (size_t)i2d_ECDSA_SIG(sig, &at);
    ECDSA_SIG_free(sig);
    cr_expect_eq(pkey_verify_der(k->pkey, ALG_ES256, data, view_make(der, n)), E_OK);
    cr_expect_eq(pkey_verify_der(k->pkey, ALG_ES256, data, raw), E_SIGNATURE_FORM);
    cr_expect_eq(pkey_verify_der(k->pkey, ALG_ES256, data, view_make(der, n + 1)), E_SIGNATURE_FORM);
    cr_expect_eq(pkey_verify_der(k->pkey, ALG_ES256, V("other"), view_make(der, n)), E_SIGNATURE_MISMATCH);
    cr_expect_eq(pkey_verify_der(k->pkey, ALG_ES384, data, view_make(der, n)), E_ALGORITHM);
    cr_assert_eq(key_sign(rsa, data, mem, &raw), E_OK);
    cr_expect_eq(pkey_verify_der(rsa->pkey, ALG_RS256, data, raw), E_OK);
}
