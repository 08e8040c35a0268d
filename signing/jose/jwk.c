/* JWK, public keys only (RFC 7517, 7518 6.2 and 6.3, 8037). */
#include "signing/jose/jose.h"

#include "base/buf.h"
#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#define JWK_NUMBER_MAX (JOSE_RSA_BITS_MAX / 8)
#define JWK_TEXT_MAX 4096

static err
malformed(struct fault *f, const char *member, const char *expected, const char *found)
{
    return fault_set(f, E_KEY_FORM, member, expected, found);
}

/* A member that holds bytes as base64url; length 0 means any. */
static err
number_get(const json_t *jwk, const char *member, size_t length, arena *mem, view *ret, struct fault *f)
{
    view text = json_text(jwk, member), bytes = VIEW_NONE;
    if (!text.n)
        return malformed(f, member, "base64url text", "nothing");
    if (text.n > JWK_NUMBER_MAX * 2 || text_base64url_decode(text, mem, &bytes) != E_OK || !bytes.p)
        return malformed(f, member, "base64url without padding", "something else");
    if (length && bytes.n != length)
        return malformed(f, member, length == 32 ? "32 bytes" : "48 bytes", "another length");
    *ret = bytes;
    return E_OK;
}

static EVP_PKEY *
pkey_of_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx)
        abort();
    if (EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static err
ec_read(const json_t *jwk, arena *mem, EVP_PKEY **ret, struct fault *f)
{
    view crv = json_text(jwk, "crv"), x = VIEW_NONE, y = VIEW_NONE;
    bool p256 = view_eq(crv, V("P-256"));
    if (!p256 && !view_eq(crv, V("P-384")))
        return fault_set(f, E_ALGORITHM, "crv", "P-256 or P-384", "another curve");
    size_t half = p256 ? 32 : 48;
    TRY(number_get(jwk, "x", half, mem, &x, f));
    TRY(number_get(jwk, "y", half, mem, &y, f));
    uint8_t point[97] = {4};
    memcpy(point + 1, x.p, half);
    memcpy(point + 1 + half, y.p, half);
    char group[] = "P-256";
    memcpy(group, crv.p, crv.n);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half),
        OSSL_PARAM_construct_end(),
    };
    *ret = pkey_of_params("EC", params);
    return *ret ? E_OK : malformed(f, "x", "a point of the curve", "a point outside of it");
}

static EVP_PKEY *
rsa_of_numbers(view n, view e)
{
    BIGNUM *n_number = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *e_number = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!n_number || !e_number || !build || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n_number) ||
        !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e_number))
        abort();
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    if (!params)
        abort();
    EVP_PKEY *pkey = pkey_of_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n_number);
    BN_free(e_number);
    return pkey;
}

static err
rsa_read(const json_t *jwk, arena *mem, EVP_PKEY **ret, struct fault *f)
{
    view n = VIEW_NONE, e = VIEW_NONE;
    TRY(number_get(jwk, "n", 0, mem, &n, f));
    TRY(number_get(jwk, "e", 0, mem, &e, f));
    if (!n.p[0] || !e.p[0])
        return malformed(f, n.p[0] ? "e" : "n", "the fewest bytes that hold the number",
                         "a leading zero byte");
    if (n.n > JWK_NUMBER_MAX || e.n > 8)
        return fault_set(f, E_ALGORITHM, n.n > JWK_NUMBER_MAX ? "n" : "e", "RSA of 2048 to 8192 bits",
                         "a longer number");
    *ret = rsa_of_numbers(n, e);
    return *ret ? E_OK : malformed(f, "n", "an RSA modulus", "something else");
}

static err
okp_read(const json_t *jwk, arena *mem, EVP_PKEY **ret, struct fault *f)
{
    view x = VIEW_NONE;
    if (!view_eq(json_text(jwk, "crv"), V("Ed25519")))
        return fault_set(f, E_ALGORITHM, "crv", "Ed25519", "another curve");
    TRY(number_get(jwk, "x", 32, mem, &x, f));
    *ret = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const unsigned char *)x.p, x.n);
    ERR_clear_error();
    return *ret ? E_OK : malformed(f, "x", "an Ed25519 public key", "something else");
}

/* RFC 7517 4.2, 4.3: a key for another use is not taken. */
static err
use_check(const json_t *jwk, struct fault *f)
{
    const json_t *use = json_member(jwk, "use"), *ops = json_member(jwk, "key_ops");
    if (use && !view_eq(json_text(jwk, "use"), V("sig")))
        return malformed(f, "use", "sig", "another use");
    if (!ops)
        return E_OK;
    if (!json_is_array(ops))
        return malformed(f, "key_ops", "an array", "something else");
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const json_t *op = json_array_get(ops, i);
        if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
            return E_OK;
    }
    return malformed(f, "key_ops", "verify", "other operations");
}

/* Before the private members: a symmetric key is of no kind that exists here, whatever it holds. */
static err
kind_check(const json_t *jwk, struct fault *f)
{
    view kty = json_text(jwk, "kty");
    if (!kty.n)
        return malformed(f, "kty", "EC, RSA or OKP", "nothing");
    if (!view_eq(kty, V("EC")) && !view_eq(kty, V("RSA")) && !view_eq(kty, V("OKP")))
        return fault_set(f, E_ALGORITHM, "kty", "EC, RSA or OKP", "another kind");
    return E_OK;
}

static err
private_check(const json_t *jwk, struct fault *f)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (json_member(jwk, members[i]))
            return fault_set(f, E_KEY_PRIVATE, members[i], "only the public part", "a private member");
    return E_OK;
}

static err
key_read(const json_t *jwk, arena *mem, EVP_PKEY **ret, struct fault *f)
{
    view kty = json_text(jwk, "kty");
    if (view_eq(kty, V("EC")))
        return ec_read(jwk, mem, ret, f);
    if (view_eq(kty, V("RSA")))
        return rsa_read(jwk, mem, ret, f);
    return okp_read(jwk, mem, ret, f);
}

static err
alg_read(const json_t *jwk, EVP_PKEY *pkey, enum jose_alg *ret, struct fault *f)
{
    TRY(pkey_check(pkey, f));
    if (!json_member(jwk, "alg")) {
        *ret = pkey_default_alg(pkey);
        return E_OK;
    }
    enum jose_alg alg = jose_alg_of(json_text(jwk, "alg"));
    if (!pkey_fits(pkey, alg))
        return fault_set(f, E_ALGORITHM, "alg", "an algorithm that fits the key", "another one");
    *ret = alg;
    return E_OK;
}

err
jwk_read(const json_t *jwk, void **ret_pkey, enum jose_alg *ret_default_alg, view *ret_kid, arena *mem,
         struct fault *f)
{
    if (!json_is_object(jwk))
        return malformed(f, "", "a JSON object", "something else");
    TRY(kind_check(jwk, f));
    TRY(private_check(jwk, f));
    TRY(use_check(jwk, f));
    if (json_member(jwk, "kid") && !json_is_string(json_member(jwk, "kid")))
        return malformed(f, "kid", "a string", "something else");
    view kid = VIEW_NONE, said = json_text(jwk, "kid");
    if (said.n) {
        kid = arena_dup(mem, said);
        if (!kid.p)
            return E_TOO_LARGE;
    }
    EVP_PKEY *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    TRY(key_read(jwk, mem, &pkey, f));
    err e = alg_read(jwk, pkey, &alg, f);
    if (e != E_OK) {
        EVP_PKEY_free(pkey);
        return e;
    }
    *ret_pkey = pkey;
    *ret_default_alg = alg;
    *ret_kid = kid;
    return E_OK;
}

/* "name":"base64url" */
static void
print_bytes(struct buf *out, const char *name, const uint8_t *bytes, size_t n)
{
    buf_add_json(out, view_of(name));
    BUF_LIT(out, ":\"");
    buf_add_base64url(out, view_make(bytes, n));
    BUF_LIT(out, "\"");
}

/* length 0: as many bytes as the number needs. */
static void
print_number(struct buf *out, EVP_PKEY *pkey, const char *param, const char *name, int length)
{
    uint8_t bytes[JWK_NUMBER_MAX];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1)
        abort();
    int n = length ? length : BN_num_bytes(number);
    if (n > JWK_NUMBER_MAX || BN_bn2binpad(number, bytes, n) != n)
        abort(); /* jose_key_of and the size check of every reader stand before */
    BN_free(number);
    print_bytes(out, name, bytes, (size_t)n);
}

static void
print_ec(struct buf *out, EVP_PKEY *pkey, bool p256)
{
    int half = p256 ? 32 : 48;
    buf_printf(out, "\"crv\":\"%s\",\"kty\":\"EC\",", p256 ? "P-256" : "P-384");
    print_number(out, pkey, OSSL_PKEY_PARAM_EC_PUB_X, "x", half);
    BUF_LIT(out, ",");
    print_number(out, pkey, OSSL_PKEY_PARAM_EC_PUB_Y, "y", half);
}

static void
print_okp(struct buf *out, EVP_PKEY *pkey)
{
    uint8_t bytes[32];
    size_t n = sizeof bytes;
    if (EVP_PKEY_get_raw_public_key(pkey, bytes, &n) != 1)
        abort();
    BUF_LIT(out, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
    print_bytes(out, "x", bytes, n);
}

/* The required members in the order of RFC 7638 3.3, without braces. */
static bool
print_required(struct buf *out, EVP_PKEY *pkey)
{
    enum jose_key is = jose_key_of(pkey);
    switch (is) {
    case JOSE_EC_P256:
    case JOSE_EC_P384:
        print_ec(out, pkey, is == JOSE_EC_P256);
        return true;
    case JOSE_RSA:
    case JOSE_RSA_PSS:
        if (EVP_PKEY_get_bits(pkey) > JOSE_RSA_BITS_MAX)
            return false;
        print_number(out, pkey, OSSL_PKEY_PARAM_RSA_E, "e", 0);
        BUF_LIT(out, ",\"kty\":\"RSA\",");
        print_number(out, pkey, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        return true;
    case JOSE_OKP_ED25519:
        print_okp(out, pkey);
        return true;
    }
    return false;
}

bool
jose_thumbprint(EVP_PKEY *pkey, char out[JOSE_THUMBPRINT_SIZE])
{
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, JWK_TEXT_MAX);
    BUF_LIT(&text, "{");
    if (!print_required(&text, pkey))
        return false;
    BUF_LIT(&text, "}");
    if (text.failed)
        return false;
    digest d = sha256(buf_view(&text));
    buf_clear(&text);
    buf_add_base64url(&text, digest_view(&d));
    if (text.failed || text.n != JOSE_THUMBPRINT_SIZE - 1)
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

err
jwk_thumbprint(void *pkey, arena *mem, view *ret_kid)
{
    char text[JOSE_THUMBPRINT_SIZE];
    if (!jose_thumbprint(pkey, text))
        return E_ALGORITHM;
    view kid = arena_dup(mem, view_of(text));
    if (!kid.p)
        return E_TOO_LARGE;
    *ret_kid = kid;
    return E_OK;
}

/* alg NULL: not stated. */
static err
print_whole(EVP_PKEY *pkey, view kid, const char *alg, arena *mem, view *ret_json)
{
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, JWK_TEXT_MAX);
    BUF_LIT(&text, "{");
    if (!print_required(&text, pkey))
        return E_ALGORITHM;
    BUF_LIT(&text, ",\"kid\":");
    buf_add_json(&text, kid);
    if (alg)
        buf_printf(&text, ",\"alg\":\"%s\"", alg);
    BUF_LIT(&text, ",\"use\":\"sig\"}");
    view kept = text.failed ? VIEW_NONE : arena_dup(mem, buf_view(&text));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret_json = kept;
    return E_OK;
}

err
jwk_print(const struct key *k, arena *mem, view *ret_json)
{
    const struct jose_row *row = jose_row_of(k->alg);
    return row ? print_whole(k->pkey, k->kid, row->name, mem, ret_json) : E_ALGORITHM;
}

err
jwk_of_pkey(void *pkey, arena *mem, view *ret_json)
{
    char kid[JOSE_THUMBPRINT_SIZE];
    if (!jose_thumbprint(pkey, kid))
        return E_ALGORITHM;
    return print_whole(pkey, view_of(kid), NULL, mem, ret_json);
}
