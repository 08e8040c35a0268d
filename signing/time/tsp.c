#include "signing/time/tsp.h"

#include "signing/pki/certificate.h"
#include "signing/pki/chain.h"

#include <openssl/err.h>
#include <openssl/ts.h>

DEFINE_AUTO(TS_RESP *, TS_RESP_free)
DEFINE_AUTO(TS_REQ *, TS_REQ_free)
DEFINE_AUTO(PKCS7 *, PKCS7_free)
DEFINE_AUTO(TS_TST_INFO *, TS_TST_INFO_free)
DEFINE_AUTO(TS_VERIFY_CTX *, TS_VERIFY_CTX_free)
DEFINE_AUTO(TS_MSG_IMPRINT *, TS_MSG_IMPRINT_free)
DEFINE_AUTO(X509_ALGOR *, X509_ALGOR_free)
DEFINE_AUTO(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_AUTO(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_AUTO(BIGNUM *, BN_free)

#define RESPONSE_MAX (256u << 10)
#define CERTIFICATES_MAX 32

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    ERR_clear_error();
    return fault_set(f, E_TIME_STAMP, "time-stamp", expected, found);
}

static ASN1_INTEGER *
integer_of(view bytes)
{
    AUTO(BN_free) BIGNUM *n = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
    return n ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
}

/* The hash of a size, and the size of a hash; 0 for others. */
static int
nid_of_size(size_t n)
{
    return n == 32 ? NID_sha256 : n == 48 ? NID_sha384 : n == 64 ? NID_sha512 : 0;
}

static size_t
size_of_nid(int nid)
{
    return nid == NID_sha256 ? 32 : nid == NID_sha384 ? 48 : nid == NID_sha512 ? 64 : 0;
}

static bool
fill_imprint(TS_REQ *request, view imprint)
{
    AUTO(TS_MSG_IMPRINT_free) TS_MSG_IMPRINT *mark = TS_MSG_IMPRINT_new();
    AUTO(X509_ALGOR_free) X509_ALGOR *algorithm = X509_ALGOR_new();
    int nid = nid_of_size(imprint.n);
    return nid && mark && algorithm && X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), V_ASN1_NULL, NULL) == 1 &&
           TS_MSG_IMPRINT_set_algo(mark, algorithm) == 1 &&
           TS_MSG_IMPRINT_set_msg(mark, (unsigned char *)(uintptr_t)imprint.p, (int)imprint.n) == 1 &&
           TS_REQ_set_msg_imprint(request, mark) == 1;
}

err
tsp_request(view imprint, view nonce, const char *policy, arena *mem, view *ret, struct fault *f)
{
    AUTO(TS_REQ_free) TS_REQ *request = TS_REQ_new();
    AUTO(ASN1_INTEGER_free) ASN1_INTEGER *number = nonce.n > 0 ? integer_of(nonce) : NULL;
    AUTO(ASN1_OBJECT_free) ASN1_OBJECT *oid = policy ? OBJ_txt2obj(policy, 1) : NULL;
    if (policy && !oid)
        return fault_set(f, E_CONFIG, "time-stamp policy", "an object identifier", "another text");
    if (!request || TS_REQ_set_version(request, 1) != 1 || !fill_imprint(request, imprint) ||
        TS_REQ_set_cert_req(request, 1) != 1)
        return E_INTERNAL;
    if ((number && TS_REQ_set_nonce(request, number) != 1) ||
        (oid && TS_REQ_set_policy_id(request, oid) != 1))
        return E_INTERNAL;
    unsigned char *der = NULL;
    int n = i2d_TS_REQ(request, &der);
    view copy = n > 0 ? arena_dup(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    if (!copy.p)
        return fault_set(f, E_TOO_LARGE, "time-stamp", "", "");
    *ret = copy;
    return E_OK;
}

static err
check_imprint(TS_TST_INFO *info, const struct tsp_question *q, struct fault *f)
{
    TS_MSG_IMPRINT *mark = TS_TST_INFO_get_msg_imprint(info);
    ASN1_OCTET_STRING *said = TS_MSG_IMPRINT_get_msg(mark);
    int nid = OBJ_obj2nid(TS_MSG_IMPRINT_get_algo(mark)->algorithm);
    if (size_of_nid(nid) == 0)
        return fault_set(f, E_WEAK_DIGEST, "time-stamp.messageImprint", "SHA-256, SHA-384 or SHA-512",
                         "another hash");
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned int n = (unsigned int)q->imprint.n;
    if (q->imprint.n && size_of_nid(nid) != q->imprint.n)
        return refuse(f, "the hash that was asked for", "another one");
    if (q->imprint.n)
        memcpy(made, q->imprint.p, q->imprint.n);
    else if (EVP_Digest(q->data.p ? q->data.p : "", q->data.n, made, &n, EVP_get_digestbynid(nid), NULL) != 1)
        return E_INTERNAL;
    view got = view_make(ASN1_STRING_get0_data(said), (size_t)ASN1_STRING_length(said));
    if (!view_eq(got, view_make(made, n)))
        return refuse(f, "a time-stamp over these bytes", "one over others");
    return E_OK;
}

static err
check_wishes(TS_TST_INFO *info, const struct tsp_question *q, struct fault *f)
{
    if (q->nonce.n > 0) {
        AUTO(ASN1_INTEGER_free) ASN1_INTEGER *wanted = integer_of(q->nonce);
        const ASN1_INTEGER *got = TS_TST_INFO_get_nonce(info);
        if (!wanted || !got || ASN1_INTEGER_cmp(wanted, got) != 0)
            return refuse(f, "the nonce of the request", got ? "another one" : "none");
    }
    if (q->policy) {
        char text[80];
        if (OBJ_obj2txt(text, sizeof text, TS_TST_INFO_get_policy_id(info), 1) <= 0 ||
            strcmp(text, q->policy) != 0)
            return refuse(f, "the policy that was asked for", "another one");
    }
    return E_OK;
}

static int64_t
small(const ASN1_INTEGER *n)
{
    int64_t value = 0;
    return n && ASN1_INTEGER_get_int64(&value, n) == 1 && value >= 0 && value < 1000000 ? value : 0;
}

static err
read_info(TS_TST_INFO *info, const struct tsp_question *q, struct tsp_token *ret, struct fault *f)
{
    bool ok;
    ret->at = certificate_time(TS_TST_INFO_get_time(info), &ok);
    if (!ok)
        return refuse(f, "a time", "none that can be read");
    TS_ACCURACY *accuracy = TS_TST_INFO_get_accuracy(info);
    if (accuracy)
        ret->accuracy.us = small(TS_ACCURACY_get_seconds(accuracy)) * 1000000 +
                           small(TS_ACCURACY_get_millis(accuracy)) * 1000 +
                           small(TS_ACCURACY_get_micros(accuracy));
    if (q->latest.us != 0 && ret->at.us - ret->accuracy.us > q->latest.us)
        return refuse(f, "a time-stamp from the past", "one from the future");
    return E_OK;
}

/* DER of the certificates of the token and of the caller, for the path. */
static err
gather(PKCS7 *p7, const struct tsp_question *q, arena *mem, view *der, size_t *ret_n)
{
    size_t n = 0;
    STACK_OF(X509) *inside = p7->d.sign->cert;
    for (int i = 0; i < sk_X509_num(inside) && n < CERTIFICATES_MAX; i++) {
        unsigned char *bytes = NULL;
        int length = i2d_X509(sk_X509_value(inside, i), &bytes);
        view copy = length > 0 ? arena_dup(mem, view_make(bytes, (size_t)length)) : VIEW_NONE;
        OPENSSL_free(bytes);
        if (!copy.p)
            return E_TOO_LARGE;
        der[n++] = copy;
    }
    for (size_t i = 0; i < q->n_rest && n < CERTIFICATES_MAX; i++)
        der[n++] = q->rest[i];
    *ret_n = n;
    return E_OK;
}

static err
fill_stack(const view *der, size_t n, STACK_OF(X509) * *ret)
{
    AUTO(certificate_stack_free) STACK_OF(X509) *list = sk_X509_new_null();
    for (size_t i = 0; list && i < n; i++) {
        X509 *x = NULL;
        if (certificate_parse(der[i], &x, NULL) != E_OK)
            continue;
        if (sk_X509_push(list, x) <= 0) {
            X509_free(x);
            return E_INTERNAL;
        }
    }
    *ret = TAKE(list);
    return *ret ? E_OK : E_INTERNAL;
}

/* The certificate that the one SignerInfo names: certificates that somebody added do not take its place. */
static err
find_signer(PKCS7 *p7, STACK_OF(X509) * known, X509 **ret, struct fault *f)
{
    STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(p7);
    if (sk_PKCS7_SIGNER_INFO_num(signers) != 1)
        return refuse(f, "one signature", "none or several");
    const PKCS7_ISSUER_AND_SERIAL *id = sk_PKCS7_SIGNER_INFO_value(signers, 0)->issuer_and_serial;
    X509 *x = X509_find_by_issuer_and_serial(known, id->issuer, id->serial);
    if (!x)
        return refuse(f, "the authority's certificate", "it is nowhere");
    *ret = x;
    return E_OK;
}

/* The signature and that the signed ESSCertID names the signer: OpenSSL's own check, with the authority as
 * anchor, since the path was judged by our rules before. */
static err
check_signature(PKCS7 *p7, X509 *signer, instant at, struct fault *f)
{
    AUTO(TS_VERIFY_CTX_free) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *known = sk_X509_new_null();
    bool ready = ctx && store && known && X509_STORE_add_cert(store, signer) == 1 && X509_up_ref(signer) == 1;
    if (ready && sk_X509_push(known, signer) <= 0) {
        X509_free(signer);
        ready = false;
    }
    if (!ready) {
        X509_STORE_free(store);
        sk_X509_pop_free(known, X509_free);
        return E_INTERNAL;
    }
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(param, (time_t)instant_unix(at));
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    TS_VERIFY_CTX_set_store(ctx, store); /* both are the context's from here on */
    TS_VERIFY_CTX_set_certs(ctx, known);
    TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION);
    if (TS_RESP_verify_token(ctx, p7) != 1)
        return refuse(f, "a signature of the authority", "one that does not fit");
    return E_OK;
}

static err
judge_signer(X509 *signer, const view *der, size_t n, const struct tsp_question *q, arena *mem,
             struct tsp_token *ret, struct fault *f)
{
    unsigned char *bytes = NULL;
    int length = i2d_X509(signer, &bytes);
    view leaf = length > 0 ? arena_dup(mem, view_make(bytes, (size_t)length)) : VIEW_NONE;
    OPENSSL_free(bytes);
    if (!leaf.p)
        return E_TOO_LARGE;
    ret->authority = sha256(leaf);
    ret->authority_until = certificate_time(X509_get0_notAfter(signer), NULL);
    struct chain_request rq = {
        .leaf = leaf,
        .rest = der,
        .n_rest = n,
        .anchors = q->anchors,
        .n_anchors = q->n_anchors,
        .at = ret->at,
        .purpose = CHAIN_TIMESTAMP,
        .depth = CHAIN_DEPTH_DEFAULT,
    };
    TRY(chain_judge(&rq, f));
    rq.at = q->good_at;
    return q->good_at.us ? chain_judge(&rq, f) : E_OK;
}

static err
judge_token(PKCS7 *p7, TS_TST_INFO *info, const struct tsp_question *q, arena *mem, struct tsp_token *ret,
            struct fault *f)
{
    view der[CERTIFICATES_MAX];
    size_t n = 0;
    X509 *signer = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *known = NULL;
    struct tsp_token t = {0};
    TRY(read_info(info, q, &t, f));
    TRY(check_imprint(info, q, f));
    TRY(check_wishes(info, q, f));
    TRY(gather(p7, q, mem, der, &n));
    TRY(fill_stack(der, n, &known));
    TRY(find_signer(p7, known, &signer, f));
    TRY(judge_signer(signer, der, n, q, mem, &t, f));
    TRY(check_signature(p7, signer, t.at, f));
    unsigned char *bytes = NULL;
    int length = i2d_PKCS7(p7, &bytes);
    t.token = length > 0 ? arena_dup(mem, view_make(bytes, (size_t)length)) : VIEW_NONE;
    OPENSSL_free(bytes);
    if (!t.token.p)
        return fault_set(f, E_TOO_LARGE, "time-stamp", "", "");
    ERR_clear_error();
    *ret = t;
    return E_OK;
}

err
tsp_answer(view response, const struct tsp_question *q, arena *mem, struct tsp_token *ret, struct fault *f)
{
    if (response.n == 0 || response.n > RESPONSE_MAX)
        return refuse(f, "a response of at most 256 KiB", response.n == 0 ? "nothing" : "more");
    const unsigned char *p = (const unsigned char *)response.p, *end = p + response.n;
    AUTO(TS_RESP_free) TS_RESP *r = d2i_TS_RESP(NULL, &p, (long)response.n);
    if (!r || p != end)
        return refuse(f, "one response in DER", "other bytes");
    long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(r)));
    if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS)
        return refuse(f, "a granted time-stamp", "a refusal of the authority");
    PKCS7 *p7 = TS_RESP_get_token(r);
    TS_TST_INFO *info = TS_RESP_get_tst_info(r);
    if (!p7 || !info || !PKCS7_type_is_signed(p7))
        return refuse(f, "a time-stamp token", "none");
    return judge_token(p7, info, q, mem, ret, f);
}

err
tsp_token_verify(view token, const struct tsp_question *q, arena *mem, struct tsp_token *ret, struct fault *f)
{
    if (token.n == 0 || token.n > RESPONSE_MAX)
        return refuse(f, "a token of at most 256 KiB", token.n == 0 ? "nothing" : "more");
    const unsigned char *p = (const unsigned char *)token.p, *end = p + token.n;
    AUTO(PKCS7_free) PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)token.n);
    if (!p7 || p != end || !PKCS7_type_is_signed(p7))
        return refuse(f, "one token in DER", "other bytes");
    AUTO(TS_TST_INFO_free) TS_TST_INFO *info = PKCS7_to_TS_TST_INFO(p7);
    if (!info)
        return refuse(f, "a time-stamp token", "other content");
    return judge_token(p7, info, q, mem, ret, f);
}

size_t
tsp_token_hash(view token)
{
    const unsigned char *p = (const unsigned char *)token.p;
    if (token.n == 0 || token.n > RESPONSE_MAX)
        return 0;
    AUTO(PKCS7_free) PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)token.n);
    AUTO(TS_TST_INFO_free)
    TS_TST_INFO *info = p7 && PKCS7_type_is_signed(p7) ? PKCS7_to_TS_TST_INFO(p7) : NULL;
    ERR_clear_error();
    return info ? size_of_nid(
                      OBJ_obj2nid(TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info))->algorithm))
                : 0;
}
