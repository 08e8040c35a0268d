/* Public keys: reading, what they may be used for, raw verification and signing with kept contexts. */
#include "signing/jose/jose.h"
#include "signing/jose/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>

#define SPKI_MAX 16384

static enum jose_key
ec_key_of(EVP_PKEY *pkey)
{
    char group[64];
    size_t n = 0;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) != 1)
        return 0;
    if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0)
        return JOSE_EC_P256;
    if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0)
        return JOSE_EC_P384;
    return 0;
}

enum jose_key
jose_key_of(EVP_PKEY *pkey)
{
    if (!pkey)
        return 0;
    if (EVP_PKEY_is_a(pkey, "EC"))
        return ec_key_of(pkey);
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return JOSE_RSA;
    if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
        return JOSE_RSA_PSS;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return JOSE_OKP_ED25519;
    return 0;
}

enum jose_alg
pkey_default_alg(void *pkey)
{
    switch (jose_key_of(pkey)) {
    case JOSE_EC_P256:
        return ALG_ES256;
    case JOSE_EC_P384:
        return ALG_ES384;
    case JOSE_RSA:
        return ALG_RS256;
    case JOSE_RSA_PSS:
        return ALG_PS256;
    case JOSE_OKP_ED25519:
        return ALG_ED25519;
    }
    return ALG_NONE;
}

/* An exponent of 1 makes every padded hash its own signature; an even one has no inverse. */
static bool
rsa_size_is_right(EVP_PKEY *pkey, int least)
{
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < least || bits > JOSE_RSA_BITS_MAX)
        return false;
    BIGNUM *e = NULL;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        return false;
    bool right = BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(e);
    return right;
}

static bool is_kept(const EVP_PKEY *pkey, enum jose_alg alg);

bool
pkey_fits(void *pkey, enum jose_alg alg)
{
    const struct jose_row *row = jose_row_of(alg);
    if (!row)
        return false;
    if (is_kept(pkey, alg))
        return true;
    enum jose_key is = jose_key_of(pkey);
    bool kind = is == row->key || (row->key == JOSE_RSA_PSS && is == JOSE_RSA);
    if (!kind)
        return false;
    return is == JOSE_RSA || is == JOSE_RSA_PSS ? rsa_size_is_right(pkey, row->bits) : true;
}

/* Keys of the broken card library (ROCA, CVE-2017-15361): the modulus is a power of 65537 modulo every
 * small prime. */
static bool
rsa_is_roca(EVP_PKEY *pkey)
{
    static const uint8_t primes[] = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                     47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                     107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    BIGNUM *n = NULL;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
        return false;
    bool roca = true;
    for (size_t i = 0; roca && i < sizeof primes; i++) {
        unsigned p = primes[i], rest = (unsigned)BN_mod_word(n, p), power = 1;
        bool in_group = false;
        for (unsigned k = 0; !in_group && k < p; k++) {
            in_group = power == rest;
            power = power * (65537 % p) % p;
        }
        roca = in_group;
    }
    BN_free(n);
    return roca;
}

/* A curve that is spelled out instead of named may differ from the named one in its generator
 * (CVE-2020-0601). */
static bool
ec_is_named(EVP_PKEY *pkey)
{
    char encoding[16] = "";
    size_t n = 0;
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, &n) ==
               1 &&
           strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) == 0;
}

err
pkey_check(void *pkey, struct fault *f)
{
    static const char expected[] = "P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits";
    enum jose_alg alg = pkey_default_alg(pkey);
    if (alg == ALG_NONE)
        return fault_set(f, E_ALGORITHM, "key", expected, "another kind of key");
    if (!pkey_fits(pkey, alg))
        return fault_set(f, E_ALGORITHM, "key", expected, "RSA of another size or with an unsafe exponent");
    enum jose_key is = jose_key_of(pkey);
    if ((is == JOSE_EC_P256 || is == JOSE_EC_P384) && !ec_is_named(pkey))
        return fault_set(f, E_ALGORITHM, "key", "a named curve", "explicit curve parameters");
    if ((is == JOSE_RSA || is == JOSE_RSA_PSS) && rsa_is_roca(pkey))
        return fault_set(f, E_ALGORITHM, "key", "an RSA key from a sound generator",
                         "a modulus of the ROCA weakness (CVE-2017-15361)");
    return E_OK;
}

static EVP_PKEY *
spki_of_der(view der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
    if (pkey && p != (const unsigned char *)der.p + der.n) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static EVP_PKEY *
spki_of_pem(view pem)
{
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!in)
        abort();
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long n = 0;
    EVP_PKEY *pkey = NULL;
    if (PEM_read_bio(in, &name, &header, &der, &n) == 1 && strcmp(name, PEM_STRING_PUBLIC) == 0 && !*header)
        pkey = spki_of_der(view_make(der, (size_t)n));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    return pkey;
}

err
pkey_read(view spki, void **ret_pkey, struct fault *f)
{
    static const char expected[] = "SubjectPublicKeyInfo, DER or PEM";
    if (!spki.n || spki.n > SPKI_MAX)
        return fault_set(f, E_KEY_FORM, "key", expected, spki.n ? "more than 16 KiB" : "nothing");
    EVP_PKEY *pkey = view_starts(spki, V("-----BEGIN ")) ? spki_of_pem(spki) : spki_of_der(spki);
    ERR_clear_error();
    if (!pkey)
        return fault_set(f, E_KEY_FORM, "key", expected, "something else");
    err e = pkey_check(pkey, f);
    if (e != E_OK) {
        EVP_PKEY_free(pkey);
        return e;
    }
    *ret_pkey = pkey;
    return E_OK;
}

void
pkey_free(void *pkey)
{
    EVP_PKEY_free(pkey);
}

digest
pkey_spki_digest(void *pkey)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    if (n <= 0)
        abort(); /* every key that we hold was read from such bytes */
    digest d = sha256(view_make(der, (size_t)n));
    OPENSSL_free(der);
    return d;
}

/* The thread's contexts, the oldest goes first. */
struct kept {
    EVP_PKEY *pkey; /* held by ctx; an address only */
    enum jose_alg alg;
    bool signs;
    EVP_PKEY_CTX *ctx;
    struct p256_key *p256; /* of a key that verifies ES256, else NULL */
};

enum { KEPT = 8 };
struct keep {
    struct kept slot[KEPT];
    unsigned next;
    EVP_MD_CTX *message;       /* Ed25519 */
    struct p256_scratch *p256; /* from the first busy key on */
};

static pthread_key_t keep_key;
static pthread_once_t keep_once = PTHREAD_ONCE_INIT;
static __thread struct keep *keep_here;

static void
kept_drop(struct kept *s)
{
    EVP_PKEY_CTX_free(s->ctx);
    p256_key_release(s->p256);
}

static void
keep_free(void *self)
{
    struct keep *k = self;
    for (int i = 0; i < KEPT; i++)
        kept_drop(&k->slot[i]);
    p256_scratch_free(k->p256);
    EVP_MD_CTX_free(k->message);
    free(k);
}

static void
keep_key_make(void)
{
    if (pthread_key_create(&keep_key, keep_free) != 0)
        abort();
}

static struct keep *
keep_get(void)
{
    if (keep_here)
        return keep_here;
    pthread_once(&keep_once, keep_key_make);
    struct keep *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->message = EVP_MD_CTX_new();
    if (!k->message || pthread_setspecific(keep_key, k) != 0)
        abort();
    return keep_here = k;
}

static bool
context_set(EVP_PKEY_CTX *ctx, const struct jose_row *row, bool signs)
{
    if ((signs ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx)) <= 0)
        return false;
    const EVP_MD *md = jose_md_of(row->md);
    if (row->key == JOSE_RSA && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0)
        return false;
    if (row->key == JOSE_RSA_PSS && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0)
        return false;
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
        return false;
    if (row->key != JOSE_RSA_PSS)
        return true;
    /* RFC 7518 3.5: MGF1 with the same hash, salt as long as the hash, no other. */
    return EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* A context is made only for a key that fits, and holds it, so that its address is no other key's. */
static bool
is_kept(const EVP_PKEY *pkey, enum jose_alg alg)
{
    for (int i = 0; keep_here && i < KEPT; i++) {
        const struct kept *s = &keep_here->slot[i];
        if (s->ctx && s->pkey == pkey && s->alg == alg)
            return true;
    }
    return false;
}

static EVP_PKEY_CTX *
context_new(EVP_PKEY *pkey, enum jose_alg alg, bool signs)
{
    if (!pkey_fits(pkey, alg))
        return NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx && context_set(ctx, jose_row_of(alg), signs))
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return NULL;
}

/* NULL: the key may not be used so. */
static const struct kept *
context_get(EVP_PKEY *pkey, enum jose_alg alg, bool signs)
{
    struct keep *k = keep_get();
    for (int i = 0; i < KEPT; i++) {
        const struct kept *s = &k->slot[i];
        if (s->pkey == pkey && s->alg == alg && s->signs == signs && s->ctx)
            return s;
    }
    EVP_PKEY_CTX *ctx = context_new(pkey, alg, signs);
    if (!ctx)
        return NULL;
    struct kept *slot = &k->slot[k->next];
    k->next = (k->next + 1) % KEPT;
    kept_drop(slot);
    *slot = (struct kept){pkey, alg, signs, ctx, NULL};
    if (alg == ALG_ES256 && !signs)
        slot->p256 = p256_key_hold(pkey);
    return slot;
}

/* Half of r‖s; 0 for what is not ECDSA. */
static size_t
ecdsa_half(const struct jose_row *row)
{
    return row->key == JOSE_EC_P256 ? 32 : row->key == JOSE_EC_P384 ? 48 : 0;
}

static bool
verify_busy(const struct kept *kept, view hash, view signature)
{
    struct keep *k = keep_get();
    if (!k->p256)
        k->p256 = p256_scratch_new();
    return p256_verify(kept->p256, k->p256, (const uint8_t *)hash.p, (const uint8_t *)signature.p);
}

err
jose_verify_hash(EVP_PKEY *pkey, enum jose_alg alg, view hash, view signature)
{
    const struct jose_row *row = jose_row_of(alg);
    const struct kept *kept = row && row->md ? context_get(pkey, alg, false) : NULL;
    if (!kept)
        return E_ALGORITHM;
    const unsigned char *sig = (const unsigned char *)signature.p;
    size_t n = signature.n, half = ecdsa_half(row);
    if (n != (half ? 2 * half : (size_t)EVP_PKEY_get_size(pkey)))
        return E_SIGNATURE_FORM;
    if (hash.n == 32 && p256_key_is_busy(kept->p256))
        return verify_busy(kept, hash, signature) ? E_OK : E_SIGNATURE_MISMATCH;
    uint8_t der[JOSE_ECDSA_DER_MAX];
    if (half) {
        n = jose_der_of_raw(sig, half, der);
        sig = der;
    }
    if (EVP_PKEY_verify(kept->ctx, sig, n, (const unsigned char *)hash.p, hash.n) == 1)
        return E_OK;
    ERR_clear_error();
    return E_SIGNATURE_MISMATCH;
}

err
jose_verify_message(EVP_PKEY *pkey, enum jose_alg alg, view message, view signature)
{
    const struct jose_row *row = jose_row_of(alg);
    if (!row || row->md || !pkey_fits(pkey, alg))
        return E_ALGORITHM;
    if (signature.n != 64)
        return E_SIGNATURE_FORM;
    EVP_MD_CTX *ctx = keep_get()->message;
    bool good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)message.p, message.n) == 1;
    EVP_MD_CTX_reset(ctx);
    if (good)
        return E_OK;
    ERR_clear_error();
    return E_SIGNATURE_MISMATCH;
}

err
pkey_verify(void *pkey, enum jose_alg alg, view data, view signature)
{
    const struct jose_row *row = jose_row_of(alg);
    if (!row)
        return E_ALGORITHM;
    if (row->md == JOSE_MD_NONE)
        return jose_verify_message(pkey, alg, data, signature);
    uint8_t hash[JOSE_HASH_MAX];
    jose_hash_start(row->md);
    jose_hash_add(data);
    size_t n = jose_hash_end(hash);
    return jose_verify_hash(pkey, alg, view_make(hash, n), signature);
}

err
pkey_verify_der(void *pkey, enum jose_alg alg, view data, view signature)
{
    const struct jose_row *row = jose_row_of(alg);
    size_t half = row ? ecdsa_half(row) : 0;
    uint8_t raw[2 * 48];
    if (!half)
        return pkey_verify(pkey, alg, data, signature);
    if (!pkey_fits(pkey, alg))
        return E_ALGORITHM;
    if (!jose_raw_of_der(signature, half, raw))
        return E_SIGNATURE_FORM;
    return pkey_verify(pkey, alg, data, view_make(raw, 2 * half));
}

static err
sign_message(EVP_PKEY *pkey, enum jose_alg alg, view data, uint8_t *out, size_t *n)
{
    if (!pkey_fits(pkey, alg))
        return E_ALGORITHM;
    EVP_MD_CTX *ctx = keep_get()->message;
    bool good = EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(ctx, out, n, (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_reset(ctx);
    ERR_clear_error();
    return good ? E_OK : E_INTERNAL;
}

static err
sign_hash(EVP_PKEY *pkey, enum jose_alg alg, view data, uint8_t *out, size_t *n)
{
    const struct jose_row *row = jose_row_of(alg);
    const struct kept *kept = context_get(pkey, alg, true);
    if (!kept)
        return E_ALGORITHM;
    uint8_t hash[JOSE_HASH_MAX];
    jose_hash_start(row->md);
    jose_hash_add(data);
    size_t hash_n = jose_hash_end(hash), half = ecdsa_half(row);
    if (EVP_PKEY_sign(kept->ctx, out, n, hash, hash_n) <= 0) {
        ERR_clear_error();
        return E_INTERNAL;
    }
    if (!half)
        return E_OK;
    uint8_t raw[96];
    if (!jose_raw_of_der(view_make(out, *n), half, raw))
        return E_INTERNAL;
    memcpy(out, raw, 2 * half);
    *n = 2 * half;
    return E_OK;
}

err
jose_sign(EVP_PKEY *pkey, enum jose_alg alg, view data, arena *mem, view *ret_signature)
{
    const struct jose_row *row = jose_row_of(alg);
    if (!row)
        return E_ALGORITHM;
    uint8_t out[JOSE_SIGNATURE_MAX];
    size_t n = sizeof out;
    TRY(row->md == JOSE_MD_NONE ? sign_message(pkey, alg, data, out, &n)
                                : sign_hash(pkey, alg, data, out, &n));
    view kept = arena_dup(mem, view_make(out, n));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret_signature = kept;
    return E_OK;
}
