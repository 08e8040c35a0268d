/* JWE under a shared key: A256KW with A256CBC-HS512, the form of MyData's platform. */
#include "signing/jose/jwe.h"

#include "base/id.h"
#include "base/text.h"
#include "signing/box.h"
#include "signing/jose/aes_cbc.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define WRAPPED (CBC_HMAC_KEY + 8)
#define HEADER_MAX 16384

static err
bad(struct fault *f, const char *expected)
{
    return fault_set(f, E_SIGNATURE_FORM, "jwe", expected, "another form");
}

/* RFC 3394. */
static bool
cek_wrap(bool seals, view kek, view in, uint8_t *out, size_t out_n)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, rest = 0;
    if (!ctx)
        abort();
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool good = EVP_CipherInit_ex(ctx, EVP_aes_256_wrap(), NULL, (const uint8_t *)kek.p, NULL, seals) == 1 &&
                EVP_CipherUpdate(ctx, out, &n, (const uint8_t *)in.p, (int)in.n) == 1 &&
                EVP_CipherFinal_ex(ctx, out + n, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good && (size_t)(n + rest) == out_n;
}

struct parts {
    view header_b64, key, iv, text, tag;
};

static err
split(view compact, arena *mem, struct parts *ret, struct fault *f)
{
    view part[5], *bytes[] = {&ret->key, &ret->iv, &ret->text, &ret->tag};
    bool found = true;
    for (size_t i = 0; i < COUNT_OF(part); i++) {
        if (!found)
            return bad(f, "five parts");
        part[i] = view_cut(&compact, '.', &found);
    }
    if (found || part[0].n > HEADER_MAX)
        return bad(f, "five parts, the first of at most 16 KiB");
    ret->header_b64 = part[0];
    for (size_t i = 0; i < COUNT_OF(bytes); i++)
        if (text_base64url_decode(part[i + 1], mem, bytes[i]) != E_OK)
            return bad(f, "base64url without padding");
    if (ret->key.n != WRAPPED || ret->iv.n != AES_CBC_IV || ret->tag.n != CBC_HMAC_TAG)
        return bad(f, "a wrapped key of 72, a vector of 16 and a tag of 32 bytes");
    return E_OK;
}

static err
header_check(view header_b64, arena *mem, struct fault *f)
{
    view text;
    json_t *header = NULL;
    if (text_base64url_decode(header_b64, mem, &text) != E_OK)
        return bad(f, "base64url without padding");
    TRY(json_load(text, mem, &header, f));
    if (!view_eq(json_text(header, "alg"), V("A256KW")) ||
        !view_eq(json_text(header, "enc"), V("A256CBC-HS512")) || json_member(header, "zip") ||
        json_member(header, "crit"))
        return fault_set(f, E_ALGORITHM, "jwe", "A256KW with A256CBC-HS512", "another algorithm");
    return E_OK;
}

err
jwe_open_wrapped(view kek, view compact, arena *mem, view *ret_plain, struct fault *f)
{
    struct parts p;
    uint8_t key[CBC_HMAC_KEY + 16]; /* OpenSSL may write a block more before it finds the check wrong */
    TRY(split(compact, mem, &p, f));
    TRY(header_check(p.header_b64, mem, f));
    err e =
        kek.n == AES_CBC_KEY && cek_wrap(false, kek, p.key, key, CBC_HMAC_KEY)
            ? cbc_hmac_open(view_make(key, CBC_HMAC_KEY), p.iv, p.header_b64, p.text, p.tag, mem, ret_plain)
            : E_SIGNATURE_MISMATCH;
    box_forget(key, sizeof key);
    return e == E_SIGNATURE_MISMATCH ? fault_set(f, e, "jwe", "a ciphertext for this key", "another") : e;
}

err
jwe_seal_wrapped(view kek, view plain, arena *mem, view *ret_compact)
{
    uint8_t key[CBC_HMAC_KEY], iv[AES_CBC_IV], wrapped[WRAPPED + 16];
    view text, tag, header = text_base64url(mem, V("{\"alg\":\"A256KW\",\"enc\":\"A256CBC-HS512\"}"));
    random_bytes(key, sizeof key);
    random_bytes(iv, sizeof iv);
    bool good =
        header.p && kek.n == AES_CBC_KEY && cek_wrap(true, kek, view_make(key, sizeof key), wrapped, WRAPPED);
    err e = good ? cbc_hmac_seal(view_make(key, sizeof key), view_make(iv, sizeof iv), header, plain, mem,
                                 &text, &tag)
                 : E_ALGORITHM;
    box_forget(key, sizeof key);
    TRY(e);
    *ret_compact = arena_printf(mem, "%.*s.%.*s.%.*s.%.*s.%.*s", VIEW_ARG(header),
                                VIEW_ARG(text_base64url(mem, view_make(wrapped, WRAPPED))),
                                VIEW_ARG(text_base64url(mem, view_make(iv, sizeof iv))),
                                VIEW_ARG(text_base64url(mem, text)), VIEW_ARG(text_base64url(mem, tag)));
    return ret_compact->p ? E_OK : E_TOO_LARGE;
}
