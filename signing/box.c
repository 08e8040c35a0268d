#include "signing/box.h"

#include "base/id.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/modes.h>
#include <pthread.h>
#include <stdlib.h>

#define NONCE_SIZE 12
#define TAG_SIZE 16

enum purpose { SEAL, OPEN, WRAP, UNWRAP, PURPOSES };

static const struct {
    const char *cipher;
    int encrypts;
} purposes[PURPOSES] = {
    [SEAL] = {"AES-256-GCM", 1},
    [OPEN] = {"AES-256-GCM", 0},
    [WRAP] = {"AES-256-ECB", 1},
    [UNWRAP] = {"AES-256-ECB", 0},
};

/* OpenSSL 3.0 pays for implicit fetching at every init. */
static EVP_CIPHER *ciphers[PURPOSES];
static pthread_key_t contexts_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A thread's contexts are made once: making one costs more than sealing a small text in it. */
static _Thread_local EVP_CIPHER_CTX **contexts;

static void
contexts_free(void *self)
{
    EVP_CIPHER_CTX **all = self;
    for (int i = 0; i < PURPOSES; i++)
        EVP_CIPHER_CTX_free(all[i]);
    free(all);
}

static void
start(void)
{
    for (int i = 0; i < PURPOSES; i++) {
        ciphers[i] = EVP_CIPHER_fetch(NULL, purposes[i].cipher, NULL);
        assert(ciphers[i]);
    }
    if (pthread_key_create(&contexts_key, contexts_free) != 0)
        abort();
}

static EVP_CIPHER_CTX *
context_new(enum purpose p)
{
    pthread_once(&once, start);
    if (!contexts) {
        contexts = calloc(PURPOSES, sizeof(EVP_CIPHER_CTX *));
        if (!contexts || pthread_setspecific(contexts_key, contexts) != 0)
            abort();
    }
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        abort();
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    return contexts[p] = ctx;
}

/* The thread's context with a key in it, until context_wipe.  NULL when OpenSSL refuses. */
static EVP_CIPHER_CTX *
context_take(enum purpose p, const uint8_t key[32], const uint8_t *nonce)
{
    EVP_CIPHER_CTX *ctx = contexts && contexts[p] ? contexts[p] : context_new(p);
    return EVP_CipherInit_ex2(ctx, ciphers[p], key, nonce, purposes[p].encrypts, NULL) == 1 ? ctx : NULL;
}

/* No key stays where a context is kept: another one takes the place of its schedule. */
static void
context_wipe(EVP_CIPHER_CTX **ctx)
{
    static const uint8_t nobody[32];
    if (*ctx && EVP_CipherInit_ex2(*ctx, NULL, nobody, NULL, -1, NULL) != 1)
        abort();
}

err
box_seal(const uint8_t key[32], view aad, view plain, arena *mem, view *ret)
{
    if (plain.n > INT32_MAX - BOX_OVERHEAD)
        return E_TOO_LARGE;
    uint8_t *out = arena_room(mem, plain.n + BOX_OVERHEAD);
    if (!out)
        return E_TOO_LARGE;
    random_bytes(out, NONCE_SIZE);
    AUTO_DONE(context_wipe) EVP_CIPHER_CTX *ctx = context_take(SEAL, key, out);
    int n = 0;
    bool good = ctx && EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1 &&
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
    AUTO_DONE(context_wipe)
    EVP_CIPHER_CTX *ctx = context_take(OPEN, key, (const uint8_t *)box.p);
    uint8_t tag[TAG_SIZE];
    memcpy(tag, box.p + NONCE_SIZE + length, TAG_SIZE);
    int n = 0;
    bool good = ctx && EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1 &&
                EVP_DecryptUpdate(ctx, out, &n, (const uint8_t *)box.p + NONCE_SIZE, (int)length) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
                EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
    if (!good)
        return E_STORE_CORRUPT;
    *ret = view_make(out, length);
    return E_OK;
}

/* RFC 3394 is OpenSSL's, over one block at a time: its AES-256-WRAP runs without the processor's AES and takes three times as long. */
static void
one_block(const unsigned char in[16], unsigned char out[16], const void *ctx)
{
    int n = 0;
    if (EVP_CipherUpdate((EVP_CIPHER_CTX *)(uintptr_t)ctx, out, &n, in, 16) != 1 || n != 16)
        abort();
}

static EVP_CIPHER_CTX *
block_context_take(enum purpose p, const uint8_t kek[32])
{
    EVP_CIPHER_CTX *ctx = context_take(p, kek, NULL);
    if (!ctx || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)
        abort();
    return ctx;
}

void
key_wrap(const uint8_t kek[32], const uint8_t key[32], uint8_t ret[WRAPPED_KEY_SIZE])
{
    AUTO_DONE(context_wipe) EVP_CIPHER_CTX *ctx = block_context_take(WRAP, kek);
    if (CRYPTO_128_wrap(ctx, NULL, ret, key, 32, one_block) != WRAPPED_KEY_SIZE)
        abort();
}

err
key_unwrap(const uint8_t kek[32], view wrapped, uint8_t ret[32])
{
    if (wrapped.n != WRAPPED_KEY_SIZE)
        return E_STORE_CORRUPT;
    AUTO_DONE(context_wipe) EVP_CIPHER_CTX *ctx = block_context_take(UNWRAP, kek);
    uint8_t key[WRAPPED_KEY_SIZE];
    if (CRYPTO_128_unwrap(ctx, NULL, key, (const uint8_t *)wrapped.p, WRAPPED_KEY_SIZE, one_block) != 32)
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
