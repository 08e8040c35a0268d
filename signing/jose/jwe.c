#include "signing/jose/jwe.h"

#include "base/id.h"
#include "base/text.h"
#include "signing/box.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#define POINT_SIZE 65
#define SECRET_SIZE 32

static void
pkey_auto_free(EVP_PKEY *pkey)
{
    EVP_PKEY_free(pkey);
}
DEFINE_AUTO(EVP_PKEY *, pkey_auto_free)

static bool
is_p256(EVP_PKEY *pkey)
{
    char group[32];
    size_t n;
    return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) &&
           strcmp(group, "prime256v1") == 0;
}

/* Concat KDF (NIST SP 800-56A) for one 256-bit key: SHA-256(1 ‖ Z ‖ "A256GCM" ‖ no apu, apv ‖ 256). */
static void
concat_kdf(const uint8_t secret[SECRET_SIZE], uint8_t ret[32])
{
    static const uint8_t round[4] = {0, 0, 0, 1};
    static const uint8_t other[] = {0, 0, 0, 7, 'A', '2', '5', '6', 'G', 'C', 'M', 0,
                                    0, 0, 0, 0, 0,   0,   0,   0,   0,   1,   0};
    const view parts[] = {view_make(round, sizeof round), view_make(secret, SECRET_SIZE),
                          view_make(other, sizeof other)};
    digest d = sha256_parts(parts, COUNT_OF(parts));
    memcpy(ret, d.b, sizeof d.b);
    box_forget(&d, sizeof d);
}

static err
agree(EVP_PKEY *mine, EVP_PKEY *theirs, uint8_t ret_key[32])
{
    uint8_t secret[SECRET_SIZE];
    size_t n = sizeof secret;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
    bool good = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
                EVP_PKEY_derive(ctx, secret, &n) == 1 && n == sizeof secret;
    EVP_PKEY_CTX_free(ctx);
    if (good)
        concat_kdf(secret, ret_key);
    box_forget(secret, sizeof secret);
    return good ? E_OK : E_ALGORITHM;
}

static err
print_header(EVP_PKEY *ephemeral, view kid, arena *mem, view *ret_b64)
{
    uint8_t point[POINT_SIZE];
    size_t n;
    if (EVP_PKEY_get_octet_string_param(ephemeral, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1 ||
        n != POINT_SIZE)
        return E_INTERNAL;
    view x = text_base64url(mem, view_make(point + 1, 32)),
         y = text_base64url(mem, view_make(point + 33, 32));
    view header = arena_printf(mem,
                               "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"%.*s\",\"epk\":{\"kty\":"
                               "\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"%.*s\"}}",
                               VIEW_ARG(kid), VIEW_ARG(x), VIEW_ARG(y));
    *ret_b64 = text_base64url(mem, header);
    return ret_b64->p ? E_OK : E_TOO_LARGE;
}

err
jwe_seal(void *pkey, view kid, view plain, arena *mem, view *ret_compact)
{
    AUTO(pkey_auto_free) EVP_PKEY *ephemeral = NULL;
    uint8_t key[32];
    view header, box;
    if (!is_p256(pkey))
        return E_ALGORITHM;
    ephemeral = EVP_EC_gen("P-256");
    if (!ephemeral)
        return E_INTERNAL;
    TRY(print_header(ephemeral, kid, mem, &header));
    TRY(agree(ephemeral, pkey, key));
    err e = box_seal(key, header, plain, mem, &box);
    box_forget(key, sizeof key);
    TRY(e);
    /* A box is nonce ‖ ciphertext ‖ tag: the three last parts of a JWE. */
    view iv = view_sub(box, 0, 12), text = view_sub(box, 12, box.n - BOX_OVERHEAD),
         tag = view_sub(box, box.n - 16, 16);
    *ret_compact = arena_printf(
        mem, "%.*s..%.*s.%.*s.%.*s", VIEW_ARG(header), VIEW_ARG(text_base64url(mem, iv)),
        VIEW_ARG(text_base64url(mem, text.p ? text : V(""))), VIEW_ARG(text_base64url(mem, tag)));
    return ret_compact->p ? E_OK : E_TOO_LARGE;
}

struct jwe_parts {
    view header_b64, iv, text, tag;
    json_t *header;
};

static err
bad(struct fault *f, const char *expected)
{
    return fault_set(f, E_SIGNATURE_FORM, "jwe", expected, "another form");
}

static err
split(view compact, arena *mem, struct jwe_parts *ret, struct fault *f)
{
    view parts[5], header;
    bool found = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!found)
            return bad(f, "five parts");
        parts[i] = view_cut(&compact, '.', &found);
    }
    if (found || parts[1].n)
        return bad(f, "five parts, the second empty");
    ret->header_b64 = parts[0];
    if (text_base64url_decode(parts[0], mem, &header) != E_OK ||
        text_base64url_decode(parts[2], mem, &ret->iv) != E_OK ||
        text_base64url_decode(parts[3], mem, &ret->text) != E_OK ||
        text_base64url_decode(parts[4], mem, &ret->tag) != E_OK)
        return bad(f, "base64url without padding");
    if (ret->iv.n != 12 || ret->tag.n != 16)
        return bad(f, "a nonce of 12 and a tag of 16 bytes");
    TRY(json_load(header, mem, &ret->header, f));
    if (!view_eq(json_text(ret->header, "alg"), V("ECDH-ES")) ||
        !view_eq(json_text(ret->header, "enc"), V("A256GCM")) || json_member(ret->header, "zip") ||
        json_member(ret->header, "crit"))
        return fault_set(f, E_ALGORITHM, "jwe", "ECDH-ES with A256GCM", "another algorithm");
    return E_OK;
}

err
jwe_check_form(view compact, arena *mem, struct fault *f)
{
    struct jwe_parts parts;
    void *epk = NULL;
    enum jose_alg alg;
    view kid;
    TRY(split(compact, mem, &parts, f));
    TRY(jwk_read(json_member(parts.header, "epk"), &epk, &alg, &kid, mem, f));
    bool good = is_p256(epk);
    pkey_free(epk);
    return good ? E_OK : fault_set(f, E_ALGORITHM, "jwe/epk", "a P-256 key", "another");
}

static err
open_with(EVP_PKEY *mine, const struct jwe_parts *parts, arena *mem, view *ret_plain, struct fault *f)
{
    void *epk = NULL;
    enum jose_alg alg;
    view kid;
    uint8_t key[32];
    TRY(jwk_read(json_member(parts->header, "epk"), &epk, &alg, &kid, mem, f));
    err e = is_p256(epk) ? agree(mine, epk, key) : E_ALGORITHM;
    pkey_free(epk);
    TRY(e);
    char *joined = arena_alloc(mem, 12 + parts->text.n + 16 + 1);
    if (!joined)
        return E_TOO_LARGE;
    memcpy(joined, parts->iv.p, 12);
    memcpy(joined + 12, parts->text.p, parts->text.n);
    memcpy(joined + 12 + parts->text.n, parts->tag.p, 16);
    e = box_open(key, parts->header_b64, view_make(joined, 12 + parts->text.n + 16), mem, ret_plain);
    box_forget(key, sizeof key);
    return e == E_OK ? E_OK
                     : fault_set(f, E_SIGNATURE_MISMATCH, "jwe", "a ciphertext for this key", "another");
}

err
jwe_open_pem(view key_pem, view compact, arena *mem, view *ret_plain, struct fault *f)
{
    struct jwe_parts parts;
    AUTO(pkey_auto_free) EVP_PKEY *mine = NULL;
    TRY(split(compact, mem, &parts, f));
    BIO *in = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
    mine = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    if (!mine || !is_p256(mine))
        return fault_set(f, E_KEY_FORM, "key", "a P-256 private key", "another");
    return open_with(mine, &parts, mem, ret_plain, f);
}

err
jwe_open(const char *key_file, view compact, arena *mem, view *ret_plain, struct fault *f)
{
    struct jwe_parts parts;
    AUTO(pkey_auto_free) EVP_PKEY *mine = NULL;
    TRY(split(compact, mem, &parts, f));
    FILE *file = fopen(key_file, "re");
    mine = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    if (!mine || !is_p256(mine))
        return fault_set(f, E_FILE, key_file, "a P-256 private key", "another");
    return open_with(mine, &parts, mem, ret_plain, f);
}
