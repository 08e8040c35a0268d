/* Our signing keys: what all makers of the key_ops seam share, and the PEM maker (key_pkcs11.c is the other). */
#include "signing/jose/jose.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX 65536

static err
pem_sign(void *self, enum jose_alg alg, view data, arena *mem, view *ret_signature)
{
    return jose_sign(self, alg, data, mem, ret_signature);
}

static void
pem_free(void *self)
{
    EVP_PKEY_free(self);
}

static const struct key_ops pem_ops = {"pem", pem_sign, pem_free};

/* The public half as an object of its own, so that what is handed out cannot sign. */
static EVP_PKEY *
public_half(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    if (n <= 0)
        return NULL;
    const unsigned char *p = der;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &p, n);
    OPENSSL_free(der);
    return public;
}

err
key_make(const struct key_ops *ops, void *take_self, EVP_PKEY *take_public, struct key **ret, struct fault *f)
{
    char *kid = malloc(JOSE_THUMBPRINT_SIZE);
    struct key *k = malloc(sizeof *k);
    if (take_public && kid && k && jose_thumbprint(take_public, kid)) {
        *k = (struct key){ops, take_self, pkey_default_alg(take_public), view_of(kid), take_public};
        *ret = k;
        return E_OK;
    }
    ERR_clear_error();
    ops->free(take_self);
    EVP_PKEY_free(take_public);
    free(kid);
    free(k);
    return fault_set(f, E_INTERNAL, "key", "a key that OpenSSL can write", "an error");
}

static err
key_of_pkey(EVP_PKEY *take_pkey, struct key **ret, struct fault *f)
{
    err e = pkey_check(take_pkey, f);
    if (e == E_OK)
        return key_make(&pem_ops, take_pkey, public_half(take_pkey), ret, f);
    EVP_PKEY_free(take_pkey);
    return e;
}

void
key_free(struct key *k)
{
    if (!k)
        return;
    k->ops->free(k->self);
    EVP_PKEY_free(k->pkey);
    free((void *)(uintptr_t)k->kid.p);
    free(k);
}

err
key_load(const char *place, struct key **ret, struct fault *f)
{
    return strncmp(place, "pkcs11:", 7) == 0 ? key_load_pkcs11(place, ret, f) : key_load_pem(place, ret, f);
}

/* Never asks at the terminal. */
static int
no_passphrase(char *out, int size, int writing, void *self)
{
    (void)out, (void)size, (void)writing, (void)self;
    return -1;
}

err
key_of_pem(view pem, struct key **ret, struct fault *f)
{
    static const char expected[] = "a private key as PKCS#8 PEM without passphrase";
    if (!pem.n || pem.n > PEM_MAX)
        return fault_set(f, E_KEY_FORM, "key", expected, pem.n ? "more than 64 KiB" : "nothing");
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!in)
        abort();
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    ERR_clear_error();
    if (!pkey)
        return fault_set(f, E_KEY_FORM, "key", expected, "something else");
    return key_of_pkey(pkey, ret, f);
}

/* Reads at most PEM_MAX bytes; the number read or -1. */
static ssize_t
read_all(int fd, char *out)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, out + n, PEM_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || n + (size_t)got > PEM_MAX)
            return -1;
        if (got == 0)
            return (ssize_t)n;
        n += (size_t)got;
    }
}

err
key_load_pem(const char *file, struct key **ret, struct fault *f)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fault_set(f, E_FILE, file, "a readable key file", "none, or no right to read it");
    char *text = OPENSSL_secure_malloc(PEM_MAX + 1);
    if (!text)
        abort();
    ssize_t n = read_all(fd, text);
    close(fd);
    err e = n < 0 ? fault_set(f, E_FILE, file, "a key file of at most 64 KiB", "something else")
                  : key_of_pem(view_make(text, (size_t)n), ret, f);
    OPENSSL_secure_clear_free(text, PEM_MAX + 1);
    return e;
}

static EVP_PKEY *
generate(enum jose_alg alg)
{
    const struct jose_row *row = jose_row_of(alg);
    if (!row)
        return NULL;
    switch (row->key) {
    case JOSE_EC_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case JOSE_EC_P384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case JOSE_RSA:
    case JOSE_RSA_PSS:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    case JOSE_OKP_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

static bool
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0;
}

static bool
write_pem(int fd, EVP_PKEY *pkey)
{
    BIO *out = BIO_new(BIO_s_secmem());
    if (!out)
        abort();
    char *text = NULL;
    bool good = PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long n = BIO_get_mem_data(out, &text);
    good = good && n > 0 && write_all(fd, text, (size_t)n);
    BIO_free(out);
    return good;
}

err
key_create(const char *file, enum jose_alg alg, struct key **ret, struct fault *f)
{
    EVP_PKEY *pkey = generate(alg);
    if (!pkey) {
        ERR_clear_error();
        return fault_set(f, E_ALGORITHM, "alg", "an algorithm of the table", "another one");
    }
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
    if (fd < 0) {
        EVP_PKEY_free(pkey);
        return fault_set(f, E_FILE, file, "a place for a new file",
                         errno == EEXIST ? "a file that exists" : "no right to write");
    }
    bool good = write_pem(fd, pkey);
    good = close(fd) == 0 && good;
    if (!good) {
        unlink(file);
        EVP_PKEY_free(pkey);
        return fault_set(f, E_FILE, file, "room for the key", "a failed write");
    }
    TRY(key_of_pkey(pkey, ret, f));
    (*ret)->alg = alg;
    return E_OK;
}

err
key_create_pem(enum jose_alg alg, arena *mem, view *ret_pem)
{
    EVP_PKEY *pkey = generate(alg);
    BIO *out = BIO_new(BIO_s_secmem());
    char *text = NULL;
    if (!out)
        abort();
    bool good = pkey && PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long n = good ? BIO_get_mem_data(out, &text) : 0;
    view pem = n > 0 ? arena_dup(mem, view_make(text, (size_t)n)) : VIEW_NONE;
    BIO_free(out);
    EVP_PKEY_free(pkey);
    if (!good)
        return E_ALGORITHM;
    if (!pem.p)
        return E_TOO_LARGE;
    *ret_pem = pem;
    return E_OK;
}

err
key_sign(const struct key *k, view data, arena *mem, view *ret_signature)
{
    return k->ops->sign(k->self, k->alg, data, mem, ret_signature);
}
