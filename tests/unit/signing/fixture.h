/* Keys and certificates made while a test runs, for the tests of the signing room. */
#ifndef TESTS_SIGNING_FIXTURE_H
#define TESTS_SIGNING_FIXTURE_H

#include "base/digest.h"
#include "base/text.h"
#include "signing/jose/jws.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static inline arena *
fx_arena(void)
{
    digest_start();
    return arena_new(16 * MIB);
}

static inline EVP_PKEY *
fx_pkey(enum jose_alg alg)
{
    EVP_PKEY *pkey = NULL;
    if (alg == ALG_ES256)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    else if (alg == ALG_ES384)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    else if (alg == ALG_ED25519 || alg == ALG_EDDSA)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    cr_assert(pkey);
    return pkey;
}

static inline view
fx_pem_of(EVP_PKEY *pkey, arena *mem)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    cr_assert(PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL) == 1);
    long n = BIO_get_mem_data(out, &text);
    view kept = arena_dup(mem, view_make(text, (size_t)n));
    BIO_free(out);
    return kept;
}

static inline struct key *
fx_key_of(EVP_PKEY *pkey, enum jose_alg alg, arena *mem)
{
    struct key *k = NULL;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(key_of_pem(fx_pem_of(pkey, mem), &k, &f), E_OK, "%s", f.found);
    k->alg = alg;
    return k;
}

static inline struct key *
fx_key(enum jose_alg alg, arena *mem)
{
    EVP_PKEY *pkey = fx_pkey(alg);
    struct key *k = fx_key_of(pkey, alg, mem);
    EVP_PKEY_free(pkey);
    return k;
}

static inline view
fx_b64url(arena *mem, const char *text)
{
    return text_base64url(mem, view_of(text));
}

static inline view
fx_bytes_of_hex(arena *mem, const char *hex)
{
    view bytes = VIEW_NONE;
    cr_assert_eq(text_hex_decode(view_of(hex), mem, &bytes), E_OK);
    return bytes;
}

/* A certificate for pkey, signed by issuer_key under issuer_name. */
static inline X509 *
fx_certificate(EVP_PKEY *pkey, const char *name, EVP_PKEY *issuer_key, const char *issuer_name)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_NAME_new(), *issuer = X509_NAME_new();
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_UTF8, (const unsigned char *)issuer_name, -1, -1, 0);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, issuer);
    X509_set_pubkey(x, pkey);
    cr_assert(X509_sign(x, issuer_key, EVP_PKEY_is_a(issuer_key, "ED25519") ? NULL : EVP_sha256()) > 0);
    X509_NAME_free(subject);
    X509_NAME_free(issuer);
    return x;
}

static inline view
fx_der_of(X509 *x, arena *mem)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    cr_assert(n > 0);
    view kept = arena_dup(mem, view_make(der, (size_t)n));
    OPENSSL_free(der);
    return kept;
}

static inline void
fx_write(const char *file, view bytes)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
    close(fd);
}

#endif
