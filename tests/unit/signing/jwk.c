#include "fixture.h"

#include <openssl/bn.h>

static err
read_jwk(view text, void **pkey, enum jose_alg *alg, view *kid, arena *mem, struct fault *f)
{
    json_t *jwk = NULL;
    cr_assert_eq(json_load(text, mem, &jwk, NULL), E_OK, "%.*s", VIEW_ARG(text));
    return jwk_read(jwk, pkey, alg, kid, mem, f);
}

/* RFC 7638 3.1 */
static const char rfc7638[] = "{\"kty\":\"RSA\",\"n\":"
                              "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxu"
                              "hDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok"
                              "njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
                              "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp"
                              "bISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
                              "csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\","
                              "\"kid\":\"2011-04-29\"}";

static const struct {
    const char *jwk, *thumbprint, *kid;
    enum jose_alg alg;
} published[] = {
    {rfc7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "2011-04-29", ALG_RS256},
    /* RFC 8037 A.3 */
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "", ALG_ED25519},
};

Test(jwk, published_thumbprints)
{
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(published); i++) {
        void *pkey = NULL;
        enum jose_alg alg = ALG_NONE;
        view kid, thumbprint;
        cr_assert_eq(read_jwk(view_of(published[i].jwk), &pkey, &alg, &kid, mem, NULL), E_OK);
        cr_assert_eq(jwk_thumbprint(pkey, mem, &thumbprint), E_OK);
        cr_expect(view_eq(thumbprint, view_of(published[i].thumbprint)));
        cr_expect(view_eq(kid, view_of(published[i].kid)));
        cr_expect_eq(alg, published[i].alg);
        pkey_free(pkey);
    }
}

Test(jwk, printed_keys_read_back)
{
    static const enum jose_alg algs[] = {ALG_ES256, ALG_ES384, ALG_RS256, ALG_PS512, ALG_ED25519};
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        struct key *k AUTO(key_free) = fx_key(algs[i], mem);
        void *pkey = NULL;
        enum jose_alg alg = ALG_NONE;
        view json, kid;
        cr_assert_eq(jwk_print(k, mem, &json), E_OK);
        cr_assert_eq(read_jwk(json, &pkey, &alg, &kid, mem, NULL), E_OK, "%.*s", VIEW_ARG(json));
        cr_expect_eq(EVP_PKEY_eq(pkey, k->pkey), 1);
        cr_expect_eq(alg, algs[i]);
        cr_expect(view_eq(kid, k->kid));
        cr_expect_eq(k->kid.n, 43);
        cr_expect(view_find(json, V("\"d\":")) == json.n, "no private part");
        pkey_free(pkey);
        cr_assert_eq(jwk_of_pkey(k->pkey, mem, &json), E_OK);
        cr_assert_eq(read_jwk(json, &pkey, &alg, &kid, mem, NULL), E_OK);
        cr_expect_eq(alg, pkey_default_alg(k->pkey));
        cr_expect(view_eq(kid, k->kid));
        pkey_free(pkey);
    }
}

#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\","
#define X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static const struct {
    const char *json;
    err code;
} rules[] = {
    {"{" P256 X "," Y "}", E_OK},
    {"{" P256 X "," Y
     ",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"alg\":\"ES256\",\"kid\":\"a\",\"ext\":true}",
     E_OK},
    {"{" P256 X "," Y ",\"use\":\"enc\"}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"use\":1}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"key_ops\":[\"sign\"]}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"key_ops\":[]}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"key_ops\":\"verify\"}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"key_ops\":[\"sign\",\"verify\"]}", E_OK},
    {"{" P256 X "," Y ",\"kid\":7}", E_KEY_FORM},
    {"{" P256 X "," Y ",\"alg\":\"ES384\"}", E_ALGORITHM},
    {"{" P256 X "," Y ",\"alg\":\"RS256\"}", E_ALGORITHM},
    {"{" P256 X "," Y ",\"alg\":\"none\"}", E_ALGORITHM},
    {"{" P256 X "," Y ",\"alg\":256}", E_ALGORITHM},
    {"{" P256 X "," Y ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}", E_KEY_PRIVATE},
    {"{" P256 X "," Y ",\"d\":null}", E_KEY_PRIVATE},
    {"{" P256 X "," Y ",\"k\":\"AAAA\"}", E_KEY_PRIVATE},
    {"{" P256 X "}", E_KEY_FORM},
    {"{" P256 Y "}", E_KEY_FORM},
    {"{" P256 X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}", E_KEY_FORM}, /* stray bits */
    {"{" P256 X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0=\"}", E_KEY_FORM},
    {"{" P256 X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}", E_KEY_FORM}, /* not on the curve */
    {"{" P256 "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
     E_KEY_FORM},
    {"{" P256 X ",\"y\":\"AMfxRM0bvZt-hyzf7bnufefSzaV1uqQskrYpGIyiFiOWt\"}", E_KEY_FORM}, /* 33 bytes */
    {"{" P256 X ",\"y\":\"x_E\"}", E_KEY_FORM},
    {"{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}", E_KEY_FORM},
    {"{\"kty\":\"EC\",\"crv\":\"P-521\"," X "," Y "}", E_ALGORITHM},
    {"{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X "," Y "}", E_ALGORITHM},
    {"{\"kty\":\"EC\"," X "," Y "}", E_ALGORITHM},
    {"{\"crv\":\"P-256\"," X "," Y "}", E_KEY_FORM},
    {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", E_ALGORITHM},
    {"{\"kty\":\"oct\"}", E_ALGORITHM},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     E_ALGORITHM},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     E_ALGORITHM},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
     E_KEY_FORM},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", E_KEY_FORM},
    {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", E_ALGORITHM},
    {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", E_KEY_FORM},
    {"[]", E_KEY_FORM},
    {"{}", E_KEY_FORM},
};

Test(jwk, rules)
{
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        void *pkey = NULL;
        enum jose_alg alg = ALG_NONE;
        view kid;
        struct fault f;
        fault_init(&f);
        err e = read_jwk(view_of(rules[i].json), &pkey, &alg, &kid, mem, &f);
        cr_expect_eq(e, rules[i].code, "%s: %s (%s)", rules[i].json, err_info(e)->name, f.expected);
        cr_expect_eq(f.code, rules[i].code, "%s", rules[i].json);
        cr_expect_eq(pkey != NULL, e == E_OK);
        pkey_free(pkey);
    }
}

static view
rsa_jwk(const BIGNUM *n, unsigned long e, bool leading_zero, arena *mem)
{
    unsigned char bytes[2048] = {0}, e_bytes[8];
    BIGNUM *e_number = BN_new();
    BN_set_word(e_number, e);
    int length = BN_bn2bin(n, bytes + leading_zero) + leading_zero, e_length = BN_bn2bin(e_number, e_bytes);
    BN_free(e_number);
    return arena_printf(mem, "{\"kty\":\"RSA\",\"n\":\"%.*s\",\"e\":\"%.*s\"}",
                        VIEW_ARG(text_base64url(mem, view_make(bytes, (size_t)length))),
                        VIEW_ARG(text_base64url(mem, view_make(e_bytes, (size_t)e_length))));
}

static err
rsa_code(const BIGNUM *n, unsigned long e, bool leading_zero, arena *mem)
{
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    view kid;
    err code = read_jwk(rsa_jwk(n, e, leading_zero, mem), &pkey, &alg, &kid, mem, NULL);
    pkey_free(pkey);
    return code;
}

/* An odd number of so many bits; the reader cannot know whether it has two prime factors. */
static BIGNUM *
modulus(int bits)
{
    BIGNUM *n = BN_new();
    cr_assert(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1);
    return n;
}

Test(jwk, rsa_sizes_and_exponents)
{
    static const struct {
        int bits;
        unsigned long e;
        bool leading_zero;
        err code;
    } cases[] = {
        {2048, 65537, false, E_OK},        {3072, 3, false, E_OK},
        {8192, 65537, false, E_OK},        {2047, 65537, false, E_ALGORITHM},
        {1024, 65537, false, E_ALGORITHM}, {8193, 65537, false, E_ALGORITHM},
        {2048, 1, false, E_ALGORITHM},     {2048, 65536, false, E_ALGORITHM},
        {2048, 65537, true, E_KEY_FORM},
    };
    arena *mem AUTO(arena_free) = fx_arena();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        BIGNUM *n = modulus(cases[i].bits);
        cr_expect_eq(rsa_code(n, cases[i].e, cases[i].leading_zero, mem), cases[i].code, "case %zu", i);
        BN_free(n);
    }
}

/* n ≡ 65537^a modulo the product of the first primes: how the broken library made its primes, and so its
 * moduli. */
Test(jwk, roca_keys_are_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *product = BN_new(), *n = BN_new(), *f4 = BN_new(), *a = BN_new(), *exponent = BN_new();
    BN_one(product);
    for (unsigned long p = 2; p <= 167; p++) {
        bool prime = true;
        for (unsigned long q = 2; q * q <= p; q++)
            prime = prime && p % q != 0;
        if (prime)
            BN_mul_word(product, p);
    }
    BN_set_word(f4, 65537);
    BN_set_word(exponent, 123456789);
    cr_assert(BN_mod_exp(a, f4, exponent, product, ctx) == 1);
    BN_rand(n, 2049 - BN_num_bits(product), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
    cr_assert(BN_mul(n, n, product, ctx) == 1 && BN_add(n, n, a) == 1 && BN_num_bits(n) >= 2048);
    cr_expect_eq(rsa_code(n, 65537, false, mem), E_ALGORITHM);
    BN_add_word(n, 2); /* the same size, another residue */
    cr_expect_eq(rsa_code(n, 65537, false, mem), E_OK);
    BN_free(product), BN_free(n), BN_free(f4), BN_free(a), BN_free(exponent);
    BN_CTX_free(ctx);
}
