/* Certificates and keys of the test program's sandbox as OpenSSL has them, for tests that play a responder or an authority. */
#ifndef TESTS_UNIT_SIGNING_SANDBOX_PKI_H
#define TESTS_UNIT_SIGNING_SANDBOX_PKI_H

#include "sandbox.h"

#include <openssl/pem.h>

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

static inline FILE *
sandbox_file(const char *name, const char *ending)
{
    char file[64];
    snprintf(file, sizeof file, "%s.%s", name, ending);
    FILE *in = fopen(in_sandbox(file), "r");
    cr_assert(in, "%s", file);
    return in;
}

static inline X509 *
x509_of(const char *name)
{
    FILE *in = sandbox_file(name, "crt");
    X509 *x = PEM_read_X509(in, NULL, NULL, NULL);
    cr_assert(x, "%s", name);
    fclose(in);
    return x;
}

static inline EVP_PKEY *
key_of(const char *name)
{
    FILE *in = sandbox_file(name, "key");
    EVP_PKEY *pkey = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    cr_assert(pkey, "%s", name);
    fclose(in);
    return pkey;
}

#endif
