#include "signing/jose/aes_cbc.h"

#include "base/digest.h"
#include "signing/box.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define BLOCK 16

static err
run(bool seals, view key, view iv, view in, arena *mem, view *ret)
{
    if (key.n != AES_CBC_KEY || iv.n != AES_CBC_IV || in.n > INT32_MAX - BLOCK ||
        (!seals && (in.n == 0 || in.n % BLOCK)))
        return E_SIGNATURE_MISMATCH;
    uint8_t *out = arena_alloc(mem, in.n + BLOCK);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, rest = 0;
    if (!ctx)
        abort();
    bool good = out &&
                EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, (const uint8_t *)key.p, (const uint8_t *)iv.p,
                                  seals) == 1 &&
                EVP_CipherUpdate(ctx, out, &n, (const uint8_t *)in.p, (int)in.n) == 1 &&
                EVP_CipherFinal_ex(ctx, out + n, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!out)
        return E_TOO_LARGE;
    if (!good)
        return E_SIGNATURE_MISMATCH;
    *ret = view_make(out, (size_t)(n + rest));
    return E_OK;
}

err
aes_cbc_open(view key, view iv, view text, arena *mem, view *ret_plain)
{
    return run(false, key, iv, text, mem, ret_plain);
}

err
aes_cbc_seal(view key, view iv, view plain, arena *mem, view *ret_text)
{
    return run(true, key, iv, plain, mem, ret_text);
}

/* HMAC over aad, iv, ciphertext and the length of aad in bits; its first half is the tag. */
static err
tag_make(view key, view iv, view aad, view text, arena *mem, uint8_t ret[64])
{
    size_t n = aad.n + iv.n + text.n + 8, made = 0;
    uint8_t *all = arena_alloc(mem, n), *p = all;
    if (!all)
        return E_TOO_LARGE;
    const view parts[] = {aad, iv, text};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].n)
            memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)((uint64_t)aad.n * 8 >> (56 - 8 * i));
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA512", NULL, key.p, CBC_HMAC_KEY / 2, all, n, ret, 64, &made))
        abort();
    return E_OK;
}

err
cbc_hmac_open(view key, view iv, view aad, view text, view tag, arena *mem, view *ret_plain)
{
    uint8_t expected[64];
    if (key.n != CBC_HMAC_KEY || tag.n != CBC_HMAC_TAG || iv.n != AES_CBC_IV)
        return E_SIGNATURE_MISMATCH;
    TRY(tag_make(key, iv, aad, text, mem, expected));
    bool good = bytes_eq_secret(view_make(expected, CBC_HMAC_TAG), tag);
    box_forget(expected, sizeof expected);
    return good ? run(false, view_sub(key, CBC_HMAC_KEY / 2, AES_CBC_KEY), iv, text, mem, ret_plain)
                : E_SIGNATURE_MISMATCH;
}

err
cbc_hmac_seal(view key, view iv, view aad, view plain, arena *mem, view *ret_text, view *ret_tag)
{
    uint8_t made[64];
    view text;
    if (key.n != CBC_HMAC_KEY || iv.n != AES_CBC_IV)
        return E_SIGNATURE_MISMATCH;
    TRY(run(true, view_sub(key, CBC_HMAC_KEY / 2, AES_CBC_KEY), iv, plain, mem, &text));
    TRY(tag_make(key, iv, aad, text, mem, made));
    view tag = arena_dup(mem, view_make(made, CBC_HMAC_TAG));
    if (!tag.p)
        return E_TOO_LARGE;
    *ret_text = text;
    *ret_tag = tag;
    return E_OK;
}
