#include "signing/sandbox/pki_issue.h"

#include "base/id.h"
#include "signing/trust/trust.h"

#include <openssl/objects.h>

DEFINE_AUTO(X509_EXTENSION *, X509_EXTENSION_free)
DEFINE_AUTO(X509_ATTRIBUTE *, X509_ATTRIBUTE_free)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)
DEFINE_AUTO(X509_REVOKED *, X509_REVOKED_free)
DEFINE_AUTO(ASN1_TIME *, ASN1_TIME_free)
DEFINE_AUTO(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_AUTO(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_AUTO(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)
DEFINE_AUTO(ASN1_ENUMERATED *, ASN1_ENUMERATED_free)
DEFINE_AUTO(BIGNUM *, BN_free)
DEFINE_AUTO(CERTIFICATEPOLICIES *, CERTIFICATEPOLICIES_free)
DEFINE_AUTO(POLICYINFO *, POLICYINFO_free)

static void
any_list_free(ASN1_SEQUENCE_ANY *list)
{
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
}
DEFINE_AUTO(ASN1_SEQUENCE_ANY *, any_list_free)

static const struct {
    const char *type_oid, *organisation_oid;
} subject_oids[SUBJECT_COUNT] = {
#define SUBJECT(id, word, oid, attribute) [SUBJECT_##id] = {oid, attribute},
#include "signing/signing.def"
#undef SUBJECT
};

#define EXTENSIONS_MAX 6

/* Extensions by shape in OpenSSL's words. */
static const struct shape_row {
    enum pki_shape shape;
    struct {
        int nid;
        const char *value;
    } extension[EXTENSIONS_MAX];
} shapes[] = {
    {SHAPE_CA,
     {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,keyCertSign,cRLSign"}}},
    {SHAPE_SIGNER, {{NID_key_usage, "critical,digitalSignature,nonRepudiation"}}},
    {SHAPE_CLIENT, {{NID_key_usage, "critical,digitalSignature"}, {NID_ext_key_usage, "clientAuth"}}},
    {SHAPE_SERVER,
     {{NID_key_usage, "critical,digitalSignature"},
      {NID_ext_key_usage, "serverAuth"},
      {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"}}},
    {SHAPE_TSA, {{NID_key_usage, "critical,digitalSignature"}, {NID_ext_key_usage, "critical,timeStamping"}}},
    {SHAPE_TSA_NEXT,
     {{NID_key_usage, "critical,digitalSignature"}, {NID_ext_key_usage, "critical,timeStamping"}}},
    {SHAPE_OCSP,
     {{NID_key_usage, "critical,digitalSignature"},
      {NID_ext_key_usage, "OCSPSigning"},
      {NID_id_pkix_OCSP_noCheck, "ignored"}}},
};

static const struct shape_row *
shape_row_of(enum pki_shape shape)
{
    if (shape == SHAPE_SEALER || shape == SHAPE_EXPIRED || shape == SHAPE_REVOKED)
        shape = SHAPE_SIGNER;
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        if (shapes[i].shape == shape)
            return &shapes[i];
    return NULL;
}

static bool
add_name(X509_NAME *name, int nid, const char *text)
{
    if (!text[0])
        return true;
    int type = nid == NID_countryName || nid == NID_serialNumber ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
    return X509_NAME_add_entry_by_NID(name, nid, type, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool
fill_subject(X509 *x, const struct pki_order *o)
{
    X509_NAME *name = X509_get_subject_name(x);
    bool is_person = o->subject == SUBJECT_PERSON || o->subject == SUBJECT_PROFESSIONAL;
    return add_name(name, NID_countryName, "TW") &&
           add_name(name, NID_organizationName, is_person ? "" : o->common_name) &&
           add_name(name, NID_commonName, o->common_name) && add_name(name, NID_serialNumber, o->licence);
}

static bool
fill_times(X509 *x, const struct pki_order *o)
{
    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)instant_unix(o->from)) &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)instant_unix(o->until));
}

static bool
fill_serial(X509 *x)
{
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive and always of the same length */
    AUTO(BN_free) BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    return n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
}

static bool
add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    AUTO(X509_EXTENSION_free) X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    return e && X509_add_ext(x, e, -1) == 1;
}

/* OpenSSL's words for policies want a configuration file, so this one is put together. */
static bool
add_policy(X509 *x)
{
    AUTO(CERTIFICATEPOLICIES_free) CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
    AUTO(POLICYINFO_free) POLICYINFO *policy = POLICYINFO_new();
    if (!list || !policy)
        return false;
    ASN1_OBJECT_free(policy->policyid);
    policy->policyid = OBJ_txt2obj(SANDBOX_POLICY_OID, 1);
    if (!policy->policyid || sk_POLICYINFO_push(list, policy) <= 0)
        return false;
    policy = NULL;
    return X509_add1_ext_i2d(x, NID_certificate_policies, list, 0, X509V3_ADD_APPEND) == 1;
}

/* Attribute { oid, { value } } as one element of the sequence. */
static bool
push_attribute(ASN1_SEQUENCE_ANY *list, const char *oid, int type, const void *data, int n)
{
    AUTO(ASN1_OBJECT_free) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    AUTO(X509_ATTRIBUTE_free)
    X509_ATTRIBUTE *a = object ? X509_ATTRIBUTE_create_by_OBJ(NULL, object, type, data, n) : NULL;
    unsigned char *der = NULL;
    int length = a ? i2d_X509_ATTRIBUTE(a, &der) : -1;
    ASN1_STRING *sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    ASN1_TYPE *item = ASN1_TYPE_new();
    bool ok = length > 0 && sequence && item && ASN1_STRING_set(sequence, der, length) == 1;
    OPENSSL_free(der);
    if (!ok) {
        ASN1_STRING_free(sequence);
        ASN1_TYPE_free(item);
        return false;
    }
    ASN1_TYPE_set(item, V_ASN1_SEQUENCE, sequence);
    if (sk_ASN1_TYPE_push(list, item) > 0)
        return true;
    ASN1_TYPE_free(item);
    return false;
}

static bool
add_directory(X509 *x, const struct pki_order *o)
{
    const char *type_oid = subject_oids[o->subject].type_oid;
    const char *organisation_oid = subject_oids[o->subject].organisation_oid;
    if (!type_oid[0])
        return true;
    AUTO(any_list_free) ASN1_SEQUENCE_ANY *list = sk_ASN1_TYPE_new_null();
    AUTO(ASN1_OBJECT_free) ASN1_OBJECT *type = OBJ_txt2obj(type_oid, 1);
    AUTO(ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    if (!list || !type || !octets || !push_attribute(list, OID_SUBJECT_TYPE, V_ASN1_OBJECT, type, -1))
        return false;
    if (organisation_oid[0] && o->organisation[0] &&
        !push_attribute(list, organisation_oid, V_ASN1_UTF8STRING, o->organisation,
                        (int)strlen(o->organisation)))
        return false;
    unsigned char *der = NULL;
    int n = i2d_ASN1_SEQUENCE_ANY(list, &der);
    bool ok = n > 0 && ASN1_OCTET_STRING_set(octets, der, n) == 1;
    OPENSSL_free(der);
    AUTO(X509_EXTENSION_free)
    X509_EXTENSION *e =
        ok ? X509_EXTENSION_create_by_NID(NULL, NID_subject_directory_attributes, 0, octets) : NULL;
    return e && X509_add_ext(x, e, -1) == 1;
}

static bool
add_extensions(X509 *x, const struct pki_order *o, X509 *issuer)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    const struct shape_row *row = shape_row_of(o->shape);
    for (size_t i = 0; i < EXTENSIONS_MAX && row->extension[i].value; i++)
        if (!add_extension(x, &ctx, row->extension[i].nid, row->extension[i].value))
            return false;
    if (o->shape != SHAPE_CA && !add_extension(x, &ctx, NID_basic_constraints, "critical,CA:FALSE"))
        return false;
    return add_extension(x, &ctx, NID_subject_key_identifier, "hash") &&
           add_extension(x, &ctx, NID_authority_key_identifier, "keyid:always") && add_policy(x) &&
           add_directory(x, o);
}

X509 *
pki_issue(const struct pki_order *o)
{
    AUTO(X509_free) X509 *x = X509_new();
    if (!x || X509_set_version(x, X509_VERSION_3) != 1 || X509_set_pubkey(x, o->pkey) != 1)
        return NULL;
    X509 *issuer = o->issuer ? o->issuer : x;
    if (!fill_subject(x, o) || !fill_times(x, o) || !fill_serial(x))
        return NULL;
    if (X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1 || !add_extensions(x, o, issuer))
        return NULL;
    if (X509_sign(x, o->issuer_key, EVP_sha256()) <= 0)
        return NULL;
    return TAKE(x);
}

static bool
add_reason(X509_REVOKED *entry, int code)
{
    AUTO(ASN1_ENUMERATED_free) ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    return reason && ASN1_ENUMERATED_set(reason, code) == 1 &&
           X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1;
}

static bool
add_invalidity(X509_REVOKED *entry, instant from)
{
    ASN1_GENERALIZEDTIME *when = ASN1_GENERALIZEDTIME_set(NULL, (time_t)instant_unix(from));
    bool ok = when && X509_REVOKED_add1_ext_i2d(entry, NID_invalidity_date, when, 0, 0) == 1;
    ASN1_GENERALIZEDTIME_free(when);
    return ok;
}

static bool
add_revoked(X509_CRL *list, const struct pki_revoked *r)
{
    AUTO(X509_REVOKED_free) X509_REVOKED *entry = X509_REVOKED_new();
    AUTO(ASN1_TIME_free) ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)instant_unix(r->at));
    if (!entry || !when || X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)r->serial) != 1 ||
        X509_REVOKED_set_revocationDate(entry, when) != 1)
        return false;
    if (r->reason != 0 && !add_reason(entry, r->reason))
        return false;
    if (r->invalid_from.us != 0 && !add_invalidity(entry, r->invalid_from))
        return false;
    return X509_CRL_add0_revoked(list, TAKE(entry)) == 1;
}

static bool
fill_crl(X509_CRL *list, const struct pki_list *o)
{
    AUTO(ASN1_TIME_free) ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)instant_unix(o->this_update));
    AUTO(ASN1_TIME_free) ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)instant_unix(o->next_update));
    AUTO(ASN1_INTEGER_free) ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, o->issuer, NULL, NULL, list, 0);
    AUTO(X509_EXTENSION_free)
    X509_EXTENSION *authority_id =
        X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    return from && until && number && authority_id && ASN1_INTEGER_set(number, o->number) == 1 &&
           X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(list, X509_get_subject_name(o->issuer)) == 1 &&
           X509_CRL_set1_lastUpdate(list, from) == 1 && X509_CRL_set1_nextUpdate(list, until) == 1 &&
           X509_CRL_add_ext(list, authority_id, -1) == 1 &&
           X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) == 1;
}

X509_CRL *
pki_issue_crl(const struct pki_list *o)
{
    AUTO(X509_CRL_free) X509_CRL *list = X509_CRL_new();
    if (!list || !fill_crl(list, o))
        return NULL;
    for (size_t i = 0; i < o->n_revoked; i++)
        if (!add_revoked(list, &o->revoked[i]))
            return NULL;
    X509_CRL_sort(list);
    if (X509_CRL_sign(list, o->issuer_key, EVP_sha256()) <= 0)
        return NULL;
    return TAKE(list);
}
