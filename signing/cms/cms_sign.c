/* Making detached CMS signatures, for samples and tests: the gateway itself signs JWS only. */
#include "signing/cms/cms.h"

#include "signing/pki/certificate.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

DEFINE_AUTO(BIO *, BIO_free_all)
DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)
DEFINE_AUTO(CMS_ContentInfo *, CMS_ContentInfo_free)
DEFINE_AUTO(ASN1_TIME *, ASN1_TIME_free)

static int
no_passphrase(char *buf UNUSED, int size UNUSED, int rwflag UNUSED, void *self UNUSED)
{
    return -1;
}

static err
read_key(const char *file, EVP_PKEY **ret, struct fault *f)
{
    AUTO(BIO_free_all) BIO *in = BIO_new_file(file, "r");
    EVP_PKEY *pkey = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    ERR_clear_error();
    if (!pkey)
        return fault_setf(f, E_FILE, "a private key in PEM", "cannot be read", "%s", file);
    *ret = pkey;
    return E_OK;
}

static bool
use_pss(CMS_SignerInfo *si)
{
    EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* OpenSSL would ask the system for the time; ours is injected. */
static bool
add_signing_time(CMS_SignerInfo *si)
{
    AUTO(ASN1_TIME_free) ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)instant_unix(clock_now()));
    return t && CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, ASN1_STRING_type(t), t, -1) == 1;
}

static bool
add_rest(CMS_ContentInfo *cms, STACK_OF(X509) * list)
{
    for (int i = 1; i < sk_X509_num(list); i++)
        if (CMS_add1_cert(cms, sk_X509_value(list, i)) != 1)
            return false;
    return true;
}

struct maker {
    STACK_OF(X509) * certificates;
    EVP_PKEY *pkey;
    const EVP_MD *md;
    bool pss;
    bool attach_chain;
};

static bool
make(const struct maker *m, view body, CMS_ContentInfo **ret)
{
    const unsigned flags = CMS_PARTIAL | CMS_DETACHED | CMS_BINARY;
    AUTO(CMS_ContentInfo_free) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(body.n > 0 ? body.p : "", (int)body.n);
    if (!cms || !in)
        return false;
    const unsigned signer_flags = flags | CMS_NOSMIMECAP | CMS_CADES | (m->pss ? CMS_KEY_PARAM : 0u);
    CMS_SignerInfo *si =
        CMS_add1_signer(cms, sk_X509_value(m->certificates, 0), m->pkey, m->md, signer_flags);
    if (!si || (m->pss && !use_pss(si)) || !add_signing_time(si))
        return false;
    if (m->attach_chain && !add_rest(cms, m->certificates))
        return false;
    if (CMS_final(cms, in, NULL, flags) != 1)
        return false;
    *ret = TAKE(cms);
    return true;
}

static err
write_der(CMS_ContentInfo *cms, arena *mem, view *ret_der)
{
    unsigned char *out = NULL;
    int n = i2d_CMS_ContentInfo(cms, &out);
    view der = n > 0 ? arena_dup(mem, view_make(out, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(out);
    if (der.n == 0)
        return E_TOO_LARGE;
    *ret_der = der;
    return E_OK;
}

err
cms_sign_detached(view body, const char *key_pem_file, const char *cert_pem_file, bool attach_chain,
                  const char *digest_name, arena *mem, view *ret_der, struct fault *f)
{
    bool pss = strncmp(digest_name, "pss-", 4) == 0;
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *list = NULL;
    AUTO(CMS_ContentInfo_free) CMS_ContentInfo *cms = NULL;
    TRY(read_key(key_pem_file, &pkey, f));
    TRY(certificates_read_pem(cert_pem_file, &list, f));
    struct maker m = {.certificates = list,
                      .pkey = pkey,
                      .md = EVP_get_digestbyname(digest_name + (pss ? 4 : 0)),
                      .pss = pss,
                      .attach_chain = attach_chain};
    if (!m.md || body.n > INT32_MAX)
        return fault_set(f, E_ALGORITHM, "digest", "sha256, sha384, sha512, sha1, md5 or pss-sha256",
                         "another name");
    bool ok = make(&m, body, &cms);
    ERR_clear_error();
    if (!ok)
        return fault_setf(f, E_FILE, "a key that fits the certificate", "they do not sign", "%s",
                          key_pem_file);
    return write_der(cms, mem, ret_der);
}
