#include "signing/pki/certificate.h"
#include "signing/pki/revocation.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

DEFINE_AUTO(OCSP_RESPONSE *, OCSP_RESPONSE_free)
DEFINE_AUTO(OCSP_BASICRESP *, OCSP_BASICRESP_free)
DEFINE_AUTO(OCSP_REQUEST *, OCSP_REQUEST_free)
DEFINE_AUTO(OCSP_CERTID *, OCSP_CERTID_free)
DEFINE_AUTO(X509_STORE *, X509_STORE_free)

#define RESPONSE_MAX (256u << 10)
/* Statuses of one response that are looked at. */
#define SINGLES_MAX 64

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    ERR_clear_error();
    return fault_set(f, E_REVOCATION_ANSWER, "ocsp", expected, found);
}

static err
parse(view der, OCSP_BASICRESP **ret, struct fault *f)
{
    if (der.n == 0 || der.n > RESPONSE_MAX)
        return refuse(f, "an OCSP response of at most 256 KiB", der.n == 0 ? "nothing" : "more");
    const unsigned char *p = (const unsigned char *)der.p, *end = p + der.n;
    AUTO(OCSP_RESPONSE_free) OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
    if (!response || p != end)
        return refuse(f, "one OCSP response in DER", "other bytes");
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return refuse(f, "a successful response", OCSP_response_status_str(status));
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic)
        return refuse(f, "a basic response", "another type or malformed data");
    *ret = basic;
    return E_OK;
}

/* The issuer, or a responder whose certificate the issuer signed for this purpose, valid at that time; that
 * every status names this issuer is checked with it. */
static err
check_signature(OCSP_BASICRESP *basic, X509 *issuer, instant at, struct fault *f)
{
    AUTO(X509_STORE_free) X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;
    STACK_OF(X509) *known = sk_X509_new_null();
    if (!param || !known || X509_STORE_add_cert(store, issuer) != 1 || sk_X509_push(known, issuer) <= 0) {
        sk_X509_free(known);
        return E_INTERNAL;
    }
    X509_VERIFY_PARAM_set_time(param, (time_t)instant_unix(at));
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    int ok = OCSP_basic_verify(basic, known, store, OCSP_PARTIAL_CHAIN);
    sk_X509_free(known);
    if (ok != 1)
        return refuse(f, "a response signed by the issuer or its responder", "another signer or signature");
    return E_OK;
}

static bool
is_weak(const OCSP_BASICRESP *basic)
{
    int md = NID_undef;
    OBJ_find_sigid_algs(OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm), &md, NULL);
    return md == NID_sha1 || md == NID_md5 || md == NID_md5_sha1;
}

/* Extensions that may be critical: their meaning is handled here or cannot make a status worse. */
static bool
is_known_extension(X509_EXTENSION *e)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(e))) {
    case NID_id_pkix_OCSP_Nonce:
    case NID_id_pkix_OCSP_archiveCutoff:
    case NID_ct_cert_scts:
        return true;
    default:
        return false;
    }
}

static bool
has_unknown_critical(OCSP_BASICRESP *basic, OCSP_SINGLERESP *single)
{
    int n = single ? OCSP_SINGLERESP_get_ext_count(single) : OCSP_BASICRESP_get_ext_count(basic);
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *e = single ? OCSP_SINGLERESP_get_ext(single, i) : OCSP_BASICRESP_get_ext(basic, i);
        if (X509_EXTENSION_get_critical(e) && !is_known_extension(e))
            return true;
    }
    return false;
}

/* CertID made anew with the hash that the responder chose.  Without a leaf any serial of the issuer counts. */
static bool
speaks_of(OCSP_SINGLERESP *single, X509 *leaf, X509 *issuer)
{
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *hash = NULL;
    ASN1_INTEGER *serial = NULL;
    if (OCSP_id_get0_info(NULL, &hash, NULL, &serial, (OCSP_CERTID *)id) != 1)
        return false;
    const EVP_MD *md = EVP_get_digestbyobj(hash);
    if (!md)
        return false;
    AUTO(OCSP_CERTID_free)
    OCSP_CERTID *wanted = OCSP_cert_id_new(md, X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
                                           leaf ? X509_get0_serialNumber(leaf) : serial);
    return wanted && OCSP_id_cmp(wanted, id) == 0;
}

static void
read_single(OCSP_SINGLERESP *single, struct revocation_answer *ret)
{
    int reason = -1;
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    *ret = (struct revocation_answer){
        .source = REVOCATION_OCSP,
        .status = status == V_OCSP_CERTSTATUS_GOOD      ? REVOCATION_GOOD
                  : status == V_OCSP_CERTSTATUS_REVOKED ? REVOCATION_REVOKED
                                                        : REVOCATION_UNKNOWN,
        .this_update = certificate_time(this_update, NULL),
        .next_update = certificate_time(next_update, NULL),
        .revoked_at = certificate_time(revoked, NULL),
        .reason = reason < 0 ? REASON_UNSTATED : reason,
    };
}

static err
find_single(OCSP_BASICRESP *basic, const struct ocsp_question *q, X509 *leaf, X509 *issuer,
            struct revocation_answer *ret, struct fault *f)
{
    bool found = false, fresh = false;
    int n = OCSP_resp_count(basic);
    for (int i = 0; i < n && i < SINGLES_MAX; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        struct revocation_answer a;
        if (!speaks_of(single, leaf, issuer)) {
            if (!leaf)
                return refuse(f, "statuses of this issuer's certificates", "another issuer's");
            continue;
        }
        if (has_unknown_critical(basic, single))
            return refuse(f, "no unknown critical extension", "one beside the status");
        read_single(single, &a);
        found = true;
        if (!leaf) {
            a.status = REVOCATION_UNKNOWN;
            *ret = a;
            fresh = true;
            continue;
        }
        if (!revocation_is_fresh(&a, q->at, q->max_age))
            continue;
        /* Of two statuses for one certificate the worse counts. */
        if (!fresh || a.status == REVOCATION_REVOKED)
            *ret = a;
        fresh = true;
    }
    if (!found)
        return refuse(f, "a status of the certificate", "none");
    if (!fresh)
        return refuse(f, "a current status", "one that is too old or from the future");
    return E_OK;
}

static err
check_produced(OCSP_BASICRESP *basic, const struct ocsp_question *q, X509 *leaf, instant *ret,
               struct fault *f)
{
    bool ok;
    instant produced = certificate_time(OCSP_resp_get0_produced_at(basic), &ok);
    if (!ok || produced.us > q->at.us)
        return refuse(f, "a response from the past", "producedAt in the future");
    if (leaf && produced.us < certificate_time(X509_get0_notBefore(leaf), NULL).us)
        return refuse(f, "a response from the certificate's life", "producedAt before the certificate");
    *ret = produced;
    return E_OK;
}

static err
check_nonce(OCSP_BASICRESP *basic, const struct ocsp_question *q, struct fault *f)
{
    int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    if (q->nonce.n == 0)
        return E_OK;
    if (at < 0)
        return q->need_nonce ? refuse(f, "the nonce of the request", "none") : E_OK;
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
    view got = view_make(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    /* The value is an OCTET STRING again; some responders copy the bytes alone. */
    bool wrapped =
        got.n == q->nonce.n + 2 && (uint8_t)got.p[0] == 0x04 && view_eq(view_sub(got, 2, got.n), q->nonce);
    if (!wrapped && !view_eq(got, q->nonce))
        return refuse(f, "the nonce of the request", "another one");
    return E_OK;
}

err
ocsp_answer(view response, const struct ocsp_question *q, struct revocation_answer *ret, struct fault *f)
{
    AUTO(X509_free) X509 *leaf = NULL;
    AUTO(X509_free) X509 *issuer = NULL;
    AUTO(OCSP_BASICRESP_free) OCSP_BASICRESP *basic = NULL;
    struct revocation_answer a;
    if (q->leaf.n > 0)
        TRY(certificate_parse(q->leaf, &leaf, f));
    TRY(certificate_parse(q->issuer, &issuer, f));
    TRY(parse(response, &basic, f));
    TRY(check_signature(basic, issuer, q->at, f));
    if (has_unknown_critical(basic, NULL))
        return refuse(f, "no unknown critical extension", "one of the response");
    TRY(find_single(basic, q, leaf, issuer, &a, f));
    TRY(check_produced(basic, q, leaf, &a.produced_at, f));
    TRY(check_nonce(basic, q, f));
    if (is_weak(basic))
        return fault_set(f, E_WEAK_DIGEST, "ocsp", "a response signed with SHA-2", "SHA-1 or MD5");
    ERR_clear_error();
    *ret = a;
    return E_OK;
}

err
ocsp_request(view leaf_der, view issuer_der, view nonce, arena *mem, view *ret, struct fault *f)
{
    AUTO(X509_free) X509 *leaf = NULL;
    AUTO(X509_free) X509 *issuer = NULL;
    AUTO(OCSP_REQUEST_free) OCSP_REQUEST *request = OCSP_REQUEST_new();
    TRY(certificate_parse(leaf_der, &leaf, f));
    TRY(certificate_parse(issuer_der, &issuer, f));
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);
    if (!request || !id || !OCSP_request_add0_id(request, id)) {
        OCSP_CERTID_free(id);
        return E_INTERNAL;
    }
    if (nonce.n > 0 && OCSP_request_add1_nonce(request, (unsigned char *)nonce.p, (int)nonce.n) != 1)
        return E_INTERNAL;
    unsigned char *der = NULL;
    int n = i2d_OCSP_REQUEST(request, &der);
    view copy = n > 0 ? arena_dup(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    if (!copy.p)
        return fault_set(f, E_TOO_LARGE, "ocsp", "", "");
    *ret = copy;
    return E_OK;
}
