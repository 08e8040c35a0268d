#include "signing/sandbox/pki_answer.h"

#include "base/id.h"
#include "signing/trust/trust.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ts.h>

DEFINE_AUTO(OCSP_REQUEST *, OCSP_REQUEST_free)
DEFINE_AUTO(OCSP_BASICRESP *, OCSP_BASICRESP_free)
DEFINE_AUTO(OCSP_RESPONSE *, OCSP_RESPONSE_free)
DEFINE_AUTO(ASN1_TIME *, ASN1_TIME_free)
DEFINE_AUTO(TS_RESP_CTX *, TS_RESP_CTX_free)
DEFINE_AUTO(TS_RESP *, TS_RESP_free)
DEFINE_AUTO(TS_REQ *, TS_REQ_free)
DEFINE_AUTO(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_AUTO(BIO *, BIO_free_all)

static ASN1_TIME *
time_of(instant t)
{
    return t.us == 0 ? NULL : ASN1_TIME_set(NULL, (time_t)instant_unix(t));
}

static err
keep(unsigned char *der, int n, arena *mem, view *ret)
{
    view copy = n > 0 ? arena_dup(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    ERR_clear_error();
    if (!copy.p)
        return E_INTERNAL;
    *ret = copy;
    return E_OK;
}

static OCSP_REQUEST *
read_request(view der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)der.n);
    ERR_clear_error();
    return request;
}

static bool
add_status(OCSP_BASICRESP *basic, OCSP_CERTID *id, const struct pki_status *s)
{
    ASN1_INTEGER *serial = NULL;
    if (OCSP_id_get0_info(NULL, NULL, NULL, &serial, id) != 1)
        return false;
    const struct pki_revoked *revoked = s->find ? s->find(s->self, serial) : NULL;
    AUTO(ASN1_TIME_free) ASN1_TIME *this_update = time_of(s->this_update);
    AUTO(ASN1_TIME_free) ASN1_TIME *next_update = time_of(s->next_update);
    AUTO(ASN1_TIME_free) ASN1_TIME *at = revoked ? time_of(revoked->at) : NULL;
    return OCSP_basic_add1_status(basic, id, revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
                                  revoked ? revoked->reason : 0, at, this_update, next_update) != NULL;
}

/* OpenSSL writes the present time into producedAt; ours comes from the caller. */
static bool
set_produced(OCSP_BASICRESP *basic, instant t)
{
    ASN1_GENERALIZEDTIME *produced = (ASN1_GENERALIZEDTIME *)OCSP_resp_get0_produced_at(basic);
    return produced && ASN1_GENERALIZEDTIME_set(produced, (time_t)instant_unix(t)) != NULL;
}

static bool
sign_status(OCSP_BASICRESP *basic, const struct pki_status *s)
{
    bool delegated = X509_cmp(s->signer, s->issuer) != 0;
    if (delegated && OCSP_basic_add1_cert(basic, s->signer) != 1)
        return false;
    return OCSP_basic_sign(basic, s->signer, s->signer_key, EVP_sha256(), NULL,
                           OCSP_NOCERTS | OCSP_RESPID_KEY | OCSP_NOTIME) == 1;
}

err
pki_answer_status(view request_der, const struct pki_status *s, arena *mem, view *ret)
{
    AUTO(OCSP_REQUEST_free) OCSP_REQUEST *request = read_request(request_der);
    if (!request)
        return E_SYNTAX;
    AUTO(OCSP_BASICRESP_free) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    for (int i = 0; basic && i < OCSP_request_onereq_count(request); i++)
        if (!add_status(basic, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i)), s))
            return E_INTERNAL;
    if (!basic || OCSP_copy_nonce(basic, request) == 0 || !set_produced(basic, s->produced_at) ||
        !sign_status(basic, s))
        return E_INTERNAL;
    AUTO(OCSP_RESPONSE_free)
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int n = response ? i2d_OCSP_RESPONSE(response, &der) : -1;
    return keep(der, n, mem, ret);
}

err
pki_asked_serial(view request_der, arena *mem, view *ret_hex)
{
    AUTO(OCSP_REQUEST_free) OCSP_REQUEST *request = read_request(request_der);
    ASN1_INTEGER *serial = NULL;
    if (!request || OCSP_request_onereq_count(request) != 1 ||
        OCSP_id_get0_info(NULL, NULL, NULL, &serial,
                          OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0))) != 1)
        return E_SYNTAX;
    BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    view copy = hex ? arena_dup(mem, view_of(hex)) : VIEW_NONE;
    OPENSSL_free(hex);
    BN_free(n);
    if (!copy.p)
        return E_INTERNAL;
    *ret_hex = copy;
    return E_OK;
}

/* The caller's time, not the system's. */
static int
said_time(TS_RESP_CTX *ctx, void *self, long *ret_seconds, long *ret_micros)
{
    (void)ctx;
    const struct pki_clock *c = self;
    *ret_seconds = (long)instant_unix(c->at);
    *ret_micros = 0;
    return 1;
}

static ASN1_INTEGER *
new_serial(TS_RESP_CTX *ctx, void *self)
{
    (void)ctx;
    (void)self;
    uint8_t bytes[8];
    random_bytes(bytes, sizeof bytes);
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    ASN1_INTEGER *serial = n ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
    BN_free(n);
    return serial;
}

/* The request as if something else had been asked. */
static bool
bend(TS_REQ *request, enum pki_lie lie)
{
    uint8_t bytes[8];
    random_bytes(bytes, sizeof bytes);
    if (lie == PKI_OTHER_NONCE) {
        ASN1_INTEGER *nonce = ASN1_INTEGER_new();
        bool good = nonce && ASN1_INTEGER_set_uint64(nonce, bytes[0] + 1U) == 1 &&
                    TS_REQ_set_nonce(request, nonce) == 1;
        ASN1_INTEGER_free(nonce);
        return good;
    }
    if (lie == PKI_OTHER_IMPRINT) {
        ASN1_OCTET_STRING *hash = TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(request));
        ((unsigned char *)(uintptr_t)ASN1_STRING_get0_data(hash))[0] ^= 1;
    }
    return true;
}

/* DER of the request that is answered; the original when the authority is honest. */
static err
bent_request(view request, enum pki_lie lie, arena *mem, view *ret)
{
    const unsigned char *p = (const unsigned char *)request.p;
    *ret = request;
    if (lie == PKI_TRUTH || lie == PKI_OTHER_POLICY)
        return E_OK;
    AUTO(TS_REQ_free) TS_REQ *read = d2i_TS_REQ(NULL, &p, (long)request.n);
    unsigned char *der = NULL;
    if (!read || !bend(read, lie))
        return E_SYNTAX;
    int n = i2d_TS_REQ(read, &der);
    return keep(der, n, mem, ret);
}

static bool
prepare(TS_RESP_CTX *ctx, const struct pki_clock *c, STACK_OF(X509) * beside)
{
    AUTO(ASN1_OBJECT_free)
    ASN1_OBJECT *policy = OBJ_txt2obj(c->lie == PKI_OTHER_POLICY ? "1.2.3.4" : SANDBOX_POLICY_OID, 1);
    TS_RESP_CTX_set_time_cb(ctx, said_time, (void *)c);
    TS_RESP_CTX_set_serial_cb(ctx, new_serial, NULL);
    return policy && TS_RESP_CTX_set_signer_cert(ctx, c->signer) == 1 &&
           TS_RESP_CTX_set_signer_key(ctx, c->signer_key) == 1 &&
           TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()) == 1 &&
           TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()) == 1 &&
           TS_RESP_CTX_set_def_policy(ctx, policy) == 1 && TS_RESP_CTX_add_md(ctx, EVP_sha256()) == 1 &&
           TS_RESP_CTX_add_md(ctx, EVP_sha384()) == 1 && TS_RESP_CTX_add_md(ctx, EVP_sha512()) == 1 &&
           TS_RESP_CTX_set_accuracy(ctx, 1, 0, 0) == 1 && TS_RESP_CTX_set_certs(ctx, beside) == 1;
}

err
pki_answer_time(view asked, const struct pki_clock *c, arena *mem, view *ret)
{
    view request = VIEW_NONE;
    TRY(bent_request(asked, c->lie, mem, &request));
    AUTO(TS_RESP_CTX_free) TS_RESP_CTX *ctx = TS_RESP_CTX_new();
    AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(request.p, (int)request.n);
    STACK_OF(X509) *beside = sk_X509_new_null();
    bool ready = ctx && in && beside && sk_X509_push(beside, c->issuer) > 0 && prepare(ctx, c, beside);
    sk_X509_free(beside); /* the context holds its own references */
    if (!ready)
        return E_INTERNAL;
    AUTO(TS_RESP_free) TS_RESP *response = TS_RESP_create_response(ctx, in);
    unsigned char *der = NULL;
    int n = response ? i2d_TS_RESP(response, &der) : -1;
    return keep(der, n, mem, ret);
}
