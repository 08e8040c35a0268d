#include "signing/xml/xmldsig_interop_chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

DEFINE_AUTO(X509_STORE *, X509_STORE_free)
DEFINE_AUTO(X509_STORE_CTX *, X509_STORE_CTX_free)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)

static bool
is_pem(view bytes)
{
    return view_find(bytes, V("-----BEGIN ")) < bytes.n;
}

X509 *
interop_certificate(view bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    X509 *x = NULL;
    if (is_pem(bytes)) {
        BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
        x = PEM_read_bio_X509(in, NULL, NULL, NULL);
        BIO_free(in);
    } else {
        x = d2i_X509(NULL, &p, (long)bytes.n);
    }
    ERR_clear_error();
    return x;
}

static X509_CRL *
crl_read(view bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    X509_CRL *crl = NULL;
    if (is_pem(bytes)) {
        BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
        crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
        BIO_free(in);
    } else {
        crl = d2i_X509_CRL(NULL, &p, (long)bytes.n);
    }
    ERR_clear_error();
    return crl;
}

static bool
is_of_time(const X509_CRL *crl, instant at)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    return certificate_time(X509_CRL_get0_lastUpdate(crl), NULL).us <= at.us &&
           (!next || at.us <= certificate_time(next, NULL).us);
}

/* The lists of the leaf's issuer.  A list of another time is left out, or refuses where the ring is strict. */
static err
revocation_check(X509 *leaf, X509 *issuer, const struct xmldsig_ring *ring, struct fault *f)
{
    for (size_t i = 0; i < ring->n_crls; i++) {
        AUTO(X509_CRL_free) X509_CRL *crl = crl_read(ring->crls[i]);
        X509_REVOKED *entry = NULL;
        if (!crl || X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(leaf)) != 0)
            continue;
        bool good = is_of_time(crl, ring->at) && X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;
        if (!good && ring->strict_crls)
            return fault_set(f, E_CERT_REVOKED, "revocation list", "one of the issuer and of this time",
                             "another");
        if (good && X509_CRL_get0_by_cert(crl, &entry, leaf) > 0)
            return fault_set(f, E_CERT_REVOKED, "certificate", "one that no list names",
                             "one that is listed");
    }
    return E_OK;
}

static err
chain_fault(int reason, struct fault *f)
{
    bool time = reason == X509_V_ERR_CERT_NOT_YET_VALID || reason == X509_V_ERR_CERT_HAS_EXPIRED;
    return fault_set(f, time ? E_CERT_TIME : E_CHAIN, "certificate",
                     "a chain to a root that is brought along", X509_verify_cert_error_string(reason));
}

err
interop_chain_check(X509 *leaf, STACK_OF(X509) * untrusted, const struct xmldsig_ring *ring, struct fault *f)
{
    AUTO(X509_STORE_free) X509_STORE *store = X509_STORE_new();
    AUTO(X509_STORE_CTX_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!store || !ctx)
        abort();
    for (size_t i = 0; i < ring->n_roots; i++) {
        AUTO(X509_free) X509 *root = interop_certificate(ring->roots[i]);
        if (root && X509_STORE_add_cert(store, root) != 1)
            abort();
    }
    if (X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1)
        abort();
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    /* A time that is set wins over not looking at it. */
    if (ring->any_time)
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
    else
        X509_VERIFY_PARAM_set_time(param, (time_t)instant_unix(ring->at));
    bool good = X509_verify_cert(ctx) == 1;
    ERR_clear_error();
    if (!good)
        return chain_fault(X509_STORE_CTX_get_error(ctx), f);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    return revocation_check(leaf, sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0), ring, f);
}

err
xmldsig_ring_trusts(const struct xmldsig_ring *ring, view leaf_der, const view *rest_der, size_t n_rest,
                    struct fault *f)
{
    AUTO(X509_free) X509 *leaf = interop_certificate(leaf_der);
    AUTO(certificate_stack_free) STACK_OF(X509) *rest = sk_X509_new_null();
    if (!rest)
        abort();
    if (!leaf)
        return fault_set(f, E_SIGNATURE_FORM, "X509Certificate", "a certificate in DER", "something else");
    for (size_t i = 0; i < n_rest; i++) {
        X509 *x = interop_certificate(rest_der[i]);
        if (x && sk_X509_push(rest, x) <= 0)
            abort();
    }
    return ring->any_issuer ? E_OK : interop_chain_check(leaf, rest, ring, f);
}
