#include "signing/trust/trust.h"

#include "signing/jose/jws.h"

#include <openssl/x509.h>

err
pkey_of_certificate(view der, void **ret_pkey, struct fault *f)
{
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *certificate = der.n && der.n < (1u << 20) ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    EVP_PKEY *pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    if (!pkey)
        return fault_set(f, E_SIGNATURE_FORM, "certificate", "a DER certificate with a known kind of key",
                         "another form");
    err e = pkey_check(pkey, f);
    if (e != E_OK) {
        pkey_free(pkey);
        return e;
    }
    *ret_pkey = pkey;
    return E_OK;
}
