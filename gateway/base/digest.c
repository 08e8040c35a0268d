#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <pthread.h>
#include <stdlib.h>

#define BLOCK 64u

static pthread_once_t started = PTHREAD_ONCE_INIT;
static EVP_MD *md;
static pthread_key_t context_key;
/* The key only frees at the thread's end; the pointer is what is read, since it costs one load. */
static _Thread_local EVP_MD_CTX *thread_context;

struct sha256 {
    EVP_MD_CTX *context;
};

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
free_context(void *context)
{
    EVP_MD_CTX_free(context);
    thread_context = NULL;
}

static void
start(void)
{
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(md != NULL);
    must(pthread_key_create(&context_key, free_context) == 0);
}

void
digest_start(void)
{
    must(pthread_once(&started, start) == 0);
}

static EVP_MD_CTX *
context_new(void)
{
    digest_start();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    must(EVP_DigestInit_ex2(context, md, NULL) == 1);
    return context;
}

/* With it a hash allocates nothing of ours; OpenSSL 3.0 still takes and gives back its 112 bytes of
 * state. */
static EVP_MD_CTX *
context_of_thread(void)
{
    if (!thread_context) {
        thread_context = context_new();
        must(pthread_setspecific(context_key, thread_context) == 0);
    }
    return thread_context;
}

static void
begin(EVP_MD_CTX *context)
{
    must(EVP_DigestInit_ex2(context, NULL, NULL) == 1);
}

static void
add(EVP_MD_CTX *context, view bytes)
{
    must(bytes.n == 0 || EVP_DigestUpdate(context, bytes.p, bytes.n) == 1);
}

static digest
end(EVP_MD_CTX *context)
{
    digest d;
    must(EVP_DigestFinal_ex(context, d.b, NULL) == 1);
    return d;
}

digest
sha256(view bytes)
{
    return sha256_parts(&bytes, 1);
}

digest
sha256_parts(const view *parts, size_t n)
{
    EVP_MD_CTX *context = context_of_thread();
    begin(context);
    for (size_t i = 0; i < n; i++)
        add(context, parts[i]);
    return end(context);
}

digest
hmac_sha256(view key, view bytes)
{
    return hmac_sha256_parts(key, &bytes, 1);
}

/* RFC 2104 on the thread's context; EVP_MAC would allocate a context for each key. */
digest
hmac_sha256_parts(view key, const view *parts, size_t n)
{
    uint8_t pad[BLOCK] = {0};
    if (key.n > BLOCK) {
        digest short_key = sha256(key);
        memcpy(pad, short_key.b, sizeof short_key.b);
        OPENSSL_cleanse(&short_key, sizeof short_key);
    } else if (key.n) {
        memcpy(pad, key.p, key.n);
    }
    EVP_MD_CTX *context = context_of_thread();
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    begin(context);
    add(context, view_make(pad, BLOCK));
    for (size_t i = 0; i < n; i++)
        add(context, parts[i]);
    digest inner = end(context);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5C;
    begin(context);
    add(context, view_make(pad, BLOCK));
    add(context, digest_view(&inner));
    digest outer = end(context);
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(&inner, sizeof inner);
    return outer;
}

bool
digest_is_none(const digest *d)
{
    const digest none = {{0}};
    return memcmp(d->b, none.b, sizeof none.b) == 0;
}

bool
digest_eq(const digest *a, const digest *b)
{
    return CRYPTO_memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool
bytes_eq_secret(view a, view b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

struct sha256 *
sha256_new(void)
{
    struct sha256 *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->context = context_new();
    return s;
}

void
sha256_add(struct sha256 *s, view bytes)
{
    add(s->context, bytes);
}

digest
sha256_end(struct sha256 *s)
{
    digest d = end(s->context);
    begin(s->context);
    return d;
}

void
sha256_free(struct sha256 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->context);
    free(s);
}
