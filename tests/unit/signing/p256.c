/* The table's way says what OpenSSL says, of every signature. */
#include "fixture.h"

#include "base/id.h"
#include "base/json.h"
#include "signing/jose/jose.h"
#include "signing/jose/p256.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>

struct busy {
    EVP_PKEY *pkey;
    struct p256_key *key;
    struct p256_scratch *scratch;
};

static struct busy
busy_of(EVP_PKEY *pkey)
{
    struct busy b = {pkey, p256_key_hold(pkey), p256_scratch_new()};
    cr_assert(b.key);
    bool busy = false;
    for (int i = 0; i < 1024 && !busy; i++)
        busy = p256_key_is_busy(b.key);
    cr_assert(busy, "a key that is used has a table");
    return b;
}

static void
busy_done(struct busy *b)
{
    p256_key_release(b->key);
    p256_scratch_free(b->scratch);
    EVP_PKEY_free(b->pkey);
}

static bool
openssl_says(EVP_PKEY *pkey, const uint8_t hash[32], const uint8_t raw[64])
{
    uint8_t der[JOSE_ECDSA_DER_MAX];
    size_t n = jose_der_of_raw(raw, 32, der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    cr_assert_eq(EVP_PKEY_verify_init(ctx), 1);
    bool good = EVP_PKEY_verify(ctx, der, n, hash, 32) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static void
sign(EVP_PKEY *pkey, const uint8_t hash[32], uint8_t raw[64])
{
    uint8_t der[JOSE_ECDSA_DER_MAX];
    size_t n = sizeof der;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    cr_assert_eq(EVP_PKEY_sign_init(ctx), 1);
    cr_assert_eq(EVP_PKEY_sign(ctx, der, &n, hash, 32), 1);
    cr_assert(jose_raw_of_der(view_make(der, n), 32, raw));
    EVP_PKEY_CTX_free(ctx);
}

static void
both_say(const struct busy *b, const uint8_t hash[32], const uint8_t raw[64], bool wanted, const char *what)
{
    cr_expect_eq(openssl_says(b->pkey, hash, raw), wanted, "OpenSSL: %s", what);
    cr_expect_eq(p256_verify(b->key, b->scratch, hash, raw), wanted, "table: %s", what);
}

static void
number_of_hex(const char *hex, uint8_t out[32])
{
    for (size_t i = 0; i < 32; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *high = strchr(digits, hex[2 * i]), *low = strchr(digits, hex[2 * i + 1]);
        out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
}

#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

Test(p256, signatures_hold_and_every_changed_byte_is_refused)
{
    struct busy b = busy_of(EVP_EC_gen("P-256"));
    for (int round = 0; round < 40; round++) {
        uint8_t hash[32], raw[64];
        random_bytes(hash, sizeof hash);
        sign(b.pkey, hash, raw);
        both_say(&b, hash, raw, true, "a signature");
        size_t at = (size_t)round * 96 / 40;
        uint8_t *byte = at < 64 ? raw + at : hash + (at - 64);
        *byte ^= (uint8_t)(1u << (round % 8));
        both_say(&b, hash, raw, false, "one bit changed");
    }
    busy_done(&b);
}

Test(p256, numbers_at_the_edge_are_judged_alike)
{
    static const char *const edges[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
        ORDER,
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
        "ffffffff00000001000000000000000000000000fffffffffffffffffffffffe",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        /* x of the generator */
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        /* p - n: the least x that is not its own remainder is n, so r + n is tried below this */
        "000000000000000000000000000000004319055358e8617b0c46353d039cdaae",
        "000000000000000000000000000000004319055358e8617b0c46353d039cdaad",
    };
    struct busy b = busy_of(EVP_EC_gen("P-256"));
    for (size_t r = 0; r < COUNT_OF(edges); r++)
        for (size_t s = 0; s < COUNT_OF(edges); s++)
            for (size_t e = 0; e < COUNT_OF(edges); e++) {
                uint8_t hash[32], raw[64];
                number_of_hex(edges[r], raw);
                number_of_hex(edges[s], raw + 32);
                number_of_hex(edges[e], hash);
                cr_expect_eq(p256_verify(b.key, b.scratch, hash, raw), openssl_says(b.pkey, hash, raw),
                             "r %s s %s e %s", edges[r], edges[s], edges[e]);
            }
    busy_done(&b);
}

/* A key whose point is the generator: both halves then are multiples of one point, and their sum may be a doubling or nothing at all. */
static EVP_PKEY *
key_of_scalar(unsigned d)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *scalar = BN_new();
    uint8_t bytes[65];
    cr_assert(BN_set_word(scalar, d));
    cr_assert(EC_POINT_mul(group, point, scalar, NULL, NULL, NULL));
    cr_assert_eq(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes, 65, NULL), 65);
    EVP_PKEY *template = EVP_EC_gen("P-256"), *pkey = EVP_PKEY_new();
    cr_assert_eq(EVP_PKEY_copy_parameters(pkey, template), 1);
    cr_assert_eq(EVP_PKEY_set1_encoded_public_key(pkey, bytes, 65), 1);
    EVP_PKEY_free(template);
    BN_free(scalar);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return pkey;
}

Test(p256, sums_that_double_or_vanish_are_judged_alike)
{
    struct busy b = busy_of(key_of_scalar(1));
    uint8_t hash[32], raw[64];
    /* With d = 1 the sum is (e + r) / s times the generator: r is its x when e + r = s. */
    number_of_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", raw);
    memcpy(hash, raw, 32);
    number_of_hex("d62fa3e5c258848ff179cdcac74881e4ee06fb025bd66741e942728bb131852c", raw + 32);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new(), *s = BN_bin2bn(raw, 32, NULL);
    BN_hex2bn(&n, ORDER);
    BN_lshift1(s, s); /* e = r: s = 2 r, a doubling */
    BN_nnmod(s, s, n, ctx);
    BN_bn2binpad(s, raw + 32, 32);
    both_say(&b, hash, raw, true, "both halves are the same point");
    BN_bin2bn(raw, 32, s);
    BN_sub(s, n, s); /* e = -r: nothing is left */
    BN_bn2binpad(s, hash, 32);
    both_say(&b, hash, raw, false, "the sum is the point at infinity");
    memset(hash, 0, 32); /* e = 0: s = r */
    memcpy(raw + 32, raw, 32);
    both_say(&b, hash, raw, true, "a hash of zeros");
    BN_CTX_free(ctx);
    BN_free(n);
    BN_free(s);
    busy_done(&b);
}

Test(p256, other_keys_have_no_table)
{
    EVP_PKEY *other[] = {EVP_EC_gen("P-384"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                         EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)};
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        cr_expect_null(p256_key_hold(other[i]));
        EVP_PKEY_free(other[i]);
    }
    cr_expect_not(p256_key_is_busy(NULL));
}

Test(p256, a_key_is_known_by_its_point_and_many_keys_take_turns)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    EVP_PKEY *again = EVP_PKEY_dup(pkey);
    struct p256_key *a = p256_key_hold(pkey), *b = p256_key_hold(again);
    cr_expect_eq(a, b);
    p256_key_release(a);
    p256_key_release(b);
    for (int i = 0; i < 700; i++) {
        EVP_PKEY *one = key_of_scalar((unsigned)i + 2);
        struct p256_key *k = p256_key_hold(one);
        cr_assert(k, "a place that nobody holds is taken");
        p256_key_release(k);
        EVP_PKEY_free(one);
    }
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(again);
}

Test(p256, through_the_verifier_a_busy_key_gives_the_same_answers)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    uint8_t hash[32], raw[64];
    random_bytes(hash, sizeof hash);
    sign(pkey, hash, raw);
    view h = view_make(hash, 32), s = view_make(raw, 64);
    for (int i = 0; i < 600; i++) {
        cr_assert_eq(jose_verify_hash(pkey, ALG_ES256, h, s), E_OK);
        raw[i % 64] ^= 4;
        cr_assert_eq(jose_verify_hash(pkey, ALG_ES256, h, s), E_SIGNATURE_MISMATCH);
        raw[i % 64] ^= 4;
        cr_assert_eq(jose_verify_hash(pkey, ALG_ES256, h, view_make(raw, 63)), E_SIGNATURE_FORM);
    }
    EVP_PKEY_free(pkey);
}

static view
wycheproof(arena *mem)
{
    const char *folder = getenv("CLAIMGATE_SHARED");
    view path = arena_printf(mem, "%s/vectors/sig/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
                             folder ? folder : "");
    size_t room = 4 * MIB, n = 0;
    FILE *in = fopen(path.p, "rb");
    char *bytes = arena_alloc(mem, room);
    if (in && bytes)
        n = fread(bytes, 1, room, in);
    if (in)
        fclose(in);
    return view_make(bytes, n);
}

/* Wycheproof's cases, when the optional data is there: each key is made busy first. */
Test(p256, wycheproof_by_table)
{
    AUTO(arena_free) arena *mem = arena_new(256 * MIB);
    view text = wycheproof(mem);
    json_t *all = NULL, *group, *test;
    size_t i, k, n = 0;
    if (!text.n)
        cr_skip("CLAIMGATE_SHARED names no folder with Wycheproof's cases");
    digest_start();
    cr_assert_eq(json_load(text, mem, &all, NULL), E_OK);
    json_array_foreach(json_member(all, "testGroups"), i, group)
    {
        view der, msg, sig;
        void *pkey = NULL;
        cr_assert_eq(text_hex_decode(json_text(group, "publicKeyDer"), mem, &der), E_OK);
        cr_assert_eq(pkey_read(der, &pkey, NULL), E_OK);
        struct busy b = busy_of(pkey);
        json_array_foreach(json_member(group, "tests"), k, test)
        {
            bool valid = view_eq(json_text(test, "result"), V("valid"));
            cr_assert_eq(text_hex_decode(json_text(test, "msg"), mem, &msg), E_OK);
            cr_assert_eq(text_hex_decode(json_text(test, "sig"), mem, &sig), E_OK);
            if (sig.n != 64) /* refused before anything is computed */
                continue;
            digest hash = sha256(msg);
            cr_expect_eq(p256_verify(b.key, b.scratch, hash.b, (const uint8_t *)sig.p), valid, "tcId %lld",
                         (long long)json_int(test, "tcId", 0));
            n++;
        }
        busy_done(&b);
    }
    cr_expect_gt(n, 100);
}
