#include "signing/jose/jose.h"
#include "base/encode.h"

#include "base/buf.h"

#include <pthread.h>
#include <stdlib.h>

static const struct jose_row rows[ALG_COUNT] = {
#define ALGORITHM(id, name, key, md, bits) [ALG_##id] = {name, JOSE_##key, JOSE_MD_##md, bits},
#include "signing/signing.def"
#undef ALGORITHM
};

const struct jose_row *
jose_row_of(enum jose_alg alg)
{
    return alg > ALG_NONE && alg < ALG_COUNT ? &rows[alg] : NULL;
}

enum jose_alg
jose_alg_of(view name)
{
    for (int i = ALG_NONE + 1; i < ALG_COUNT; i++)
        if (view_eq(name, view_of(rows[i].name)))
            return (enum jose_alg)i;
    return ALG_NONE;
}

static bool
is_ed25519(enum jose_alg alg)
{
    return alg == ALG_ED25519 || alg == ALG_EDDSA;
}

bool
jose_alg_same(enum jose_alg a, enum jose_alg b)
{
    if (!jose_row_of(a) || !jose_row_of(b))
        return false;
    return a == b || (is_ed25519(a) && is_ed25519(b));
}

/* Implicit fetching on every call is slow in OpenSSL 3.0 and takes a lock. */
static EVP_MD *fetched[JOSE_MD_COUNT];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void
fetch_all(void)
{
    static const char *const names[JOSE_MD_COUNT] = {NULL, "SHA256", "SHA384", "SHA512"};
    for (int i = JOSE_MD_SHA256; i < JOSE_MD_COUNT; i++) {
        fetched[i] = EVP_MD_fetch(NULL, names[i], NULL);
        if (!fetched[i])
            abort();
    }
}

const EVP_MD *
jose_md_of(enum jose_md md)
{
    pthread_once(&fetch_once, fetch_all);
    return fetched[md];
}

static pthread_key_t hash_key;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;
static __thread EVP_MD_CTX *hash;

static void
hash_done(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void
hash_key_make(void)
{
    if (pthread_key_create(&hash_key, hash_done) != 0)
        abort();
}

void
jose_hash_start(enum jose_md md)
{
    if (!hash) {
        pthread_once(&hash_once, hash_key_make);
        hash = EVP_MD_CTX_new();
        if (!hash || pthread_setspecific(hash_key, hash) != 0)
            abort();
    }
    if (EVP_DigestInit_ex2(hash, jose_md_of(md), NULL) != 1)
        abort();
}

void
jose_hash_add(view bytes)
{
    if (EVP_DigestUpdate(hash, bytes.p, bytes.n) != 1)
        abort();
}

void
jose_hash_add_base64url(view bytes)
{
    enum { CHUNK = 3 * 1024 }; /* a multiple of 3, so that the pieces join without padding */
    char text[CHUNK / 3 * 4];
    for (size_t at = 0; at < bytes.n; at += CHUNK) {
        view piece = view_sub(bytes, at, CHUNK);
        encode_base64(piece, BASE64_URL, text);
        jose_hash_add(view_make(text, encode_base64_length(piece.n, BASE64_URL)));
    }
}

size_t
jose_hash_end(uint8_t out[JOSE_HASH_MAX])
{
    unsigned n = 0;
    if (EVP_DigestFinal_ex(hash, out, &n) != 1)
        abort();
    return n;
}

/* One INTEGER: leading zeros go, a zero comes where the top bit would make it negative. */
static size_t
der_integer(const uint8_t *number, size_t n, uint8_t *out)
{
    while (n > 1 && *number == 0) {
        number++;
        n--;
    }
    size_t pad = (*number & 0x80) ? 1 : 0;
    out[0] = 0x02;
    out[1] = (uint8_t)(n + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, number, n);
    return 2 + pad + n;
}

size_t
jose_der_of_raw(const uint8_t *raw, size_t half, uint8_t out[JOSE_ECDSA_DER_MAX])
{
    size_t n = 2;
    n += der_integer(raw, half, out + n);
    n += der_integer(raw + half, half, out + n);
    out[0] = 0x30;
    out[1] = (uint8_t)(n - 2); /* at most 102: P-384 is the largest curve of the table */
    return n;
}

/* Reads one INTEGER of *rest into half bytes, right-aligned. */
static bool
raw_integer(view *rest, size_t half, uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    if (rest->n < 3 || p[0] != 0x02 || p[1] == 0 || (size_t)p[1] + 2 > rest->n)
        return false;
    size_t n = p[1];
    const uint8_t *number = p + 2;
    *rest = view_sub(*rest, 2 + n, rest->n);
    if (number[0] & 0x80)
        return false;
    if (number[0] == 0 && n > 1) {
        if (!(number[1] & 0x80))
            return false; /* not the shortest form */
        number++;
        n--;
    }
    if (n > half)
        return false;
    memset(out, 0, half - n);
    memcpy(out + half - n, number, n);
    return true;
}

bool
jose_raw_of_der(view der, size_t half, uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)der.p;
    if (der.n < 8 || p[0] != 0x30 || p[1] >= 0x80 || (size_t)p[1] + 2 != der.n)
        return false;
    view rest = view_sub(der, 2, der.n);
    return raw_integer(&rest, half, out) && raw_integer(&rest, half, out + half) && rest.n == 0;
}
