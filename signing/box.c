#include "signing/box.h"

#include "base/id.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#define NONCE_SIZE 12
#define TAG_SIZE 16

static EVP_CIPHER *gcm_cipher;
static EVP_CIPHER *wrap_cipher;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void
fetch_ciphers(void)
{
    /* OpenSSL 3.0 pays for implicit fetching at every init. */
    gcm_cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    wrap_cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
    assert(gcm_cipher && wrap_cipher);
}

static void
context_free(EVP_CIPHER_CTX *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
}
DEFINE_AUTO(EVP_CIPHER_CTX *, context_free)

static EVP_CIPHER_CTX *
context_new(void)
{
    pthread_once(&fetched, fetch_ciphers);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    assert(ctx);
    return ctx;
}

err
box_seal(const uint8_t key[32], view aad, view plain, arena *mem, view *ret)
{
    if (plain.n > INT32_MAX - BOX_OVERHEAD)
        return E_TOO_LARGE;
    uint8_t *out = arena_alloc(mem, plain.n + BOX_OVERHEAD);
    if (!out)
        return E_TOO_LARGE;
    AUTO(context_free) EVP_CIPHER_CTX *ctx = context_new();
    random_bytes(out, NONCE_SIZE);
    int n = 0;
    bool good = EVP_EncryptInit_ex2(ctx, gcm_cipher, key, out, NULL) == 1 &&
                EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1 &&
                EVP_EncryptUpdate(ctx, out + NONCE_SIZE, &n, (const uint8_t *)plain.p, (int)plain.n) == 1;
    uint8_t *tag = out + NONCE_SIZE + plain.n;
    good = good && EVP_EncryptFinal_ex(ctx, tag, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
    if (!good)
        return E_INTERNAL;
    *ret = view_make(out, plain.n + BOX_OVERHEAD);
    return E_OK;
}

err
box_open(const uint8_t key[32], view aad, view box, arena *mem, view *ret)
{
    if (box.n < BOX_OVERHEAD || box.n > INT32_MAX)
        return E_STORE_CORRUPT;
    size_t length = box.n - BOX_OVERHEAD;
    uint8_t *out = arena_alloc(mem, length + 1);
    if (!out)
        return E_TOO_LARGE;
    AUTO(context_free) EVP_CIPHER_CTX *ctx = context_new();
    uint8_t tag[TAG_SIZE];
    memcpy(tag, box.p + NONCE_SIZE + length, TAG_SIZE);
    int n = 0;
    bool good = EVP_DecryptInit_ex2(ctx, gcm_cipher, key, (const uint8_t *)box.p, NULL) == 1 &&
                EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1 &&
                EVP_DecryptUpdate(ctx, out, &n, (const uint8_t *)box.p + NONCE_SIZE, (int)length) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
                EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
    if (!good)
        return E_STORE_CORRUPT;
    *ret = view_make(out, length);
    return E_OK;
}

void
key_wrap(const uint8_t kek[32], const uint8_t key[32], uint8_t ret[WRAPPED_KEY_SIZE])
{
    AUTO(context_free) EVP_CIPHER_CTX *ctx = context_new();
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int n = 0;
    bool good = EVP_EncryptInit_ex2(ctx, wrap_cipher, kek, NULL, NULL) == 1 &&
                EVP_EncryptUpdate(ctx, ret, &n, key, 32) == 1 && n == WRAPPED_KEY_SIZE;
    assert(good);
}

err
key_unwrap(const uint8_t kek[32], view wrapped, uint8_t ret[32])
{
    if (wrapped.n != WRAPPED_KEY_SIZE)
        return E_STORE_CORRUPT;
    AUTO(context_free) EVP_CIPHER_CTX *ctx = context_new();
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    uint8_t key[WRAPPED_KEY_SIZE];
    int n = 0;
    if (EVP_DecryptInit_ex2(ctx, wrap_cipher, kek, NULL, NULL) != 1 ||
        EVP_DecryptUpdate(ctx, key, &n, (const uint8_t *)wrapped.p, WRAPPED_KEY_SIZE) != 1 || n != 32)
        return E_STORE_CORRUPT;
    memcpy(ret, key, 32);
    OPENSSL_cleanse(key, sizeof key);
    return E_OK;
}

void
box_forget(void *secret, size_t n)
{
    OPENSSL_cleanse(secret, n);
}
