#include "signing/pki/certificate.h"

#include "signing/cms/der.h"
#include "signing/trust/trust.h"

#include "base/text.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>

DEFINE_AUTO(X509_ATTRIBUTE *, X509_ATTRIBUTE_free)
DEFINE_AUTO(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)
DEFINE_AUTO(CERTIFICATEPOLICIES *, CERTIFICATEPOLICIES_free)
DEFINE_AUTO(BIO *, BIO_free_all)

static void
openssl_bytes_free(unsigned char *p)
{
    OPENSSL_free(p);
}
DEFINE_AUTO(unsigned char *, openssl_bytes_free)

/* Every subject type that signing.def knows, with the attribute that names the organisation. */
static const struct subject_row {
    enum subject_kind subject;
    const char *type_oid;
} subject_types[] = {
#define SUBJECT(id, word, oid, attribute) {SUBJECT_##id, oid},
#define SUBJECT_ALSO(id, oid) {SUBJECT_##id, oid},
#include "signing/signing.def"
#undef SUBJECT
#undef SUBJECT_ALSO
};

static const char *const organisation_oids[SUBJECT_COUNT] = {
#define SUBJECT(id, word, oid, attribute) [SUBJECT_##id] = (attribute),
#include "signing/signing.def"
#undef SUBJECT
};

instant
certificate_time(const ASN1_TIME *t, bool *ret_ok)
{
    struct tm tm;
    bool ok = t && ASN1_TIME_to_tm(t, &tm) == 1;
    if (ret_ok)
        *ret_ok = ok;
    if (!ok)
        return INSTANT_NONE;
    date d = {.year = (int16_t)(tm.tm_year + 1900),
              .month = (uint8_t)(tm.tm_mon + 1),
              .day = (uint8_t)tm.tm_mday,
              .precision = DATE_DAY};
    int64_t seconds = (int64_t)tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return instant_of_unix((int64_t)date_days(d) * 86400 + seconds);
}

static err
form_fault(struct fault *f, const char *found)
{
    ERR_clear_error();
    return fault_set(f, E_CERT_FORM, "certificate", "one X.509 certificate in DER", found);
}

/* An outer encoding other than DER would give one certificate many fingerprints. */
static bool
is_canonical(X509 *x, view der)
{
    AUTO(openssl_bytes_free) unsigned char *again = NULL;
    int n = i2d_X509(x, &again);
    return n > 0 && view_eq(view_make(again, (size_t)n), der);
}

err
certificate_parse(view der, X509 **ret, struct fault *f)
{
    if (der.n == 0 || der.n > CERTIFICATE_SIZE_MAX)
        return form_fault(f, der.n == 0 ? "nothing" : "more than 32 KiB");
    const unsigned char *p = (const unsigned char *)der.p;
    AUTO(X509_free) X509 *x = d2i_X509(NULL, &p, (long)der.n);
    if (!x)
        return form_fault(f, "other bytes");
    if (p != (const unsigned char *)der.p + der.n)
        return form_fault(f, "bytes behind the certificate");
    if (!is_canonical(x, der))
        return form_fault(f, "another encoding than DER");
    *ret = TAKE(x);
    return E_OK;
}

/* Text of a directory string or OID; "" when it does not fit, is empty or holds control characters. */
static void
copy_text(const ASN1_STRING *s, char *out, size_t room)
{
    AUTO(openssl_bytes_free) unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, s);
    if (n <= 0 || (size_t)n >= room || !text_is_utf8(view_make(utf8, (size_t)n), NULL))
        return;
    for (int i = 0; i < n; i++)
        if (utf8[i] < 0x20 || utf8[i] == 0x7f)
            return;
    memcpy(out, utf8, (size_t)n);
    out[n] = '\0';
}

static void
copy_value(const ASN1_TYPE *value, char *out, size_t room)
{
    switch (value->type) {
    case V_ASN1_OBJECT:
        if (OBJ_obj2txt(out, (int)room, value->value.object, 1) >= (int)room)
            out[0] = '\0';
        return;
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
        copy_text(value->value.asn1_string, out, room);
        return;
    default:
        return;
    }
}

static ASN1_SEQUENCE_ANY *
directory_attributes(const X509 *x)
{
    int at = X509_get_ext_by_NID(x, NID_subject_directory_attributes, -1);
    if (at < 0 || X509_get_ext_by_NID(x, NID_subject_directory_attributes, at) >= 0)
        return NULL;
    const ASN1_OCTET_STRING *octets = X509_EXTENSION_get_data(X509_get_ext(x, at));
    const unsigned char *p = ASN1_STRING_get0_data(octets);
    long n = ASN1_STRING_length(octets);
    const unsigned char *end = p + n;
    ASN1_SEQUENCE_ANY *list = d2i_ASN1_SEQUENCE_ANY(NULL, &p, n);
    if (list && p != end) {
        sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
        return NULL;
    }
    return list;
}

/* Writes the attribute's one value as text; "" when it is absent, stands twice or has several values. */
static void
find_attribute(const ASN1_SEQUENCE_ANY *list, const char *oid, char *out, size_t room)
{
    bool seen = false;
    out[0] = '\0';
    for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
        const ASN1_TYPE *item = sk_ASN1_TYPE_value(list, i);
        if (item->type != V_ASN1_SEQUENCE)
            continue;
        const unsigned char *p = ASN1_STRING_get0_data(item->value.sequence);
        AUTO(X509_ATTRIBUTE_free)
        X509_ATTRIBUTE *a = d2i_X509_ATTRIBUTE(NULL, &p, ASN1_STRING_length(item->value.sequence));
        char name[64];
        if (!a || OBJ_obj2txt(name, sizeof name, X509_ATTRIBUTE_get0_object(a), 1) <= 0)
            continue;
        if (strcmp(name, oid) != 0)
            continue;
        if (seen || X509_ATTRIBUTE_count(a) != 1) {
            out[0] = '\0';
            return;
        }
        seen = true;
        copy_value(X509_ATTRIBUTE_get0_type(a, 0), out, room);
    }
}

static void
sequence_any_free(ASN1_SEQUENCE_ANY *list)
{
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
}
DEFINE_AUTO(ASN1_SEQUENCE_ANY *, sequence_any_free)

static void
read_directory(const X509 *x, struct certificate_facts *facts)
{
    facts->subject = SUBJECT_UNKNOWN;
    AUTO(sequence_any_free) ASN1_SEQUENCE_ANY *list = directory_attributes(x);
    if (!list)
        return;
    char type[64];
    find_attribute(list, OID_SUBJECT_TYPE, type, sizeof type);
    for (size_t i = 0; type[0] && i < COUNT_OF(subject_types); i++)
        if (strcmp(type, subject_types[i].type_oid) == 0)
            facts->subject = subject_types[i].subject;
    if (organisation_oids[facts->subject][0])
        find_attribute(list, organisation_oids[facts->subject], facts->organisation,
                       sizeof facts->organisation);
}

/* The one value of a name attribute; of several the last, which is the most specific. */
static void
read_name(const X509 *x, int nid, char *out, size_t room)
{
    X509_NAME *name = X509_get_subject_name(x);
    int last = -1;
    for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, nid, at))
        last = at;
    if (last >= 0)
        copy_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)), out, room);
}

static void
read_subject(const X509 *x, struct certificate_facts *facts)
{
    static const int organisation_names[] = {NID_commonName, NID_organizationalUnitName,
                                             NID_organizationName};
    switch (facts->subject) {
    case SUBJECT_HOSPITAL:
    case SUBJECT_AGENCY:
    case SUBJECT_COMPANY:
        for (size_t i = 0; !facts->common_name[0] && i < COUNT_OF(organisation_names); i++)
            read_name(x, organisation_names[i], facts->common_name, sizeof facts->common_name);
        break;
    case SUBJECT_PROFESSIONAL:
    case SUBJECT_PERSON:
        read_name(x, NID_serialNumber, facts->licence, sizeof facts->licence);
        break;
    default: /* may be a person: no name is read */
        break;
    }
}

err
certificate_describe(X509 *x, view der, struct certificate_facts *ret, struct fault *f)
{
    struct certificate_facts facts = {0};
    AUTO(openssl_bytes_free) unsigned char *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    if (n <= 0)
        return form_fault(f, "no public key");
    facts.spki = sha256(view_make(spki, (size_t)n));
    facts.fingerprint = sha256(der);
    bool has_begin, has_end;
    facts.not_before = certificate_time(X509_get0_notBefore(x), &has_begin);
    facts.not_after = certificate_time(X509_get0_notAfter(x), &has_end);
    if (!has_begin || !has_end)
        return form_fault(f, "a validity that cannot be read");
    read_directory(x, &facts);
    read_subject(x, &facts);
    ERR_clear_error();
    *ret = facts;
    return E_OK;
}

void
certificate_signer(const struct certificate_facts *facts, struct signer *ret)
{
    *ret = (struct signer){
        .use = USE_COUNT,
        .subject = facts->subject,
        .organisation = view_of(facts->organisation),
        .licence = view_of(facts->licence),
        .common_name = view_of(facts->common_name),
        .fingerprint = facts->fingerprint,
        .spki = facts->spki,
        .not_before = facts->not_before,
        .not_after = facts->not_after,
    };
}

err
certificate_signer_copy(const struct certificate_facts *facts, arena *mem, struct signer *ret)
{
    struct signer s;
    certificate_signer(facts, &s);
    view *const texts[] = {&s.organisation, &s.licence, &s.common_name};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        *texts[i] = arena_dup(mem, *texts[i]);
        if (!texts[i]->p)
            return E_TOO_LARGE;
    }
    *ret = s;
    return E_OK;
}

bool
certificate_has_policy(const X509 *x, const char *oid)
{
    AUTO(CERTIFICATEPOLICIES_free)
    CERTIFICATEPOLICIES *list = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    for (int i = 0; i < sk_POLICYINFO_num(list); i++) {
        char text[80];
        OBJ_obj2txt(text, sizeof text, sk_POLICYINFO_value(list, i)->policyid, 1);
        if (strcmp(text, oid) == 0)
            return true;
    }
    return false;
}

/* True when no extended usage is listed or one of the wanted ones is. */
static bool
has_extended_usage(const X509 *x, const char *const *wanted, size_t n_wanted)
{
    if (X509_get_ext_by_NID(x, NID_ext_key_usage, -1) < 0)
        return true;
    AUTO(EXTENDED_KEY_USAGE_free)
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        char text[80];
        OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(list, i), 1);
        for (size_t k = 0; k < n_wanted; k++)
            if (strcmp(text, wanted[k]) == 0)
                return true;
    }
    return false;
}

#define EKU_ANY "2.5.29.37.0"

bool
certificate_lists_usage(const X509 *x, const char *oid, bool exact, bool *ret_stated)
{
    const char *const wanted[] = {oid, EKU_ANY};
    *ret_stated = X509_get_ext_by_NID(x, NID_ext_key_usage, -1) >= 0;
    return *ret_stated && has_extended_usage(x, wanted, exact ? 1 : 2);
}

/* Usages that no signer of documents has: who may speak for an authority or a server must not sign papers. */
static bool
has_foreign_usage(const X509 *x)
{
    static const char *const foreign[] = {"1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9"};
    return X509_get_ext_by_NID(x, NID_ext_key_usage, -1) >= 0 &&
           has_extended_usage(x, foreign, COUNT_OF(foreign));
}

bool
certificate_may_sign(X509 *x)
{
    static const char *const document_usages[] = {
        EKU_ANY, "1.3.6.1.5.5.7.3.4", /* emailProtection, which S/MIME and CMS signers carry */
        "1.3.6.1.5.5.7.3.36",         /* documentSigning, RFC 9336 */
        "1.3.6.1.4.1.311.10.3.12"     /* the older document signing of Windows */
    };
    /* Without the extension OpenSSL answers all bits: a signer's certificate must state its usage. */
    uint32_t usage = X509_get_key_usage(x);
    if (usage == UINT32_MAX || (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
        return false;
    return !has_foreign_usage(x) && has_extended_usage(x, document_usages, COUNT_OF(document_usages));
}

bool
certificate_may_connect(X509 *x)
{
    static const char *const client_usages[] = {EKU_ANY, "1.3.6.1.5.5.7.3.2"};
    return (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) != 0 &&
           has_extended_usage(x, client_usages, COUNT_OF(client_usages));
}

/* A certificate needs no passphrase; without this OpenSSL would ask the terminal. */
static int
no_passphrase(char *buf UNUSED, int size UNUSED, int rwflag UNUSED, void *self UNUSED)
{
    return -1;
}

err
certificates_read_pem(const char *file, STACK_OF(X509) * *ret, struct fault *f)
{
    AUTO(BIO_free_all) BIO *in = BIO_new_file(file, "r");
    if (!in) {
        ERR_clear_error();
        return fault_setf(f, E_FILE, "a readable PEM file", "cannot be opened", "%s", file);
    }
    AUTO(certificate_stack_free) STACK_OF(X509) *list = sk_X509_new_null();
    for (;;) {
        AUTO(X509_free) X509 *x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
        if (!x)
            break;
        if (sk_X509_push(list, x) <= 0)
            return fault_setf(f, E_CERT_FORM, "PEM certificates", "too many", "%s", file);
        x = NULL;
    }
    unsigned long why = ERR_peek_last_error();
    ERR_clear_error();
    bool at_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
    if (!at_end || sk_X509_num(list) == 0)
        return fault_setf(f, E_CERT_FORM, "PEM certificates", at_end ? "none" : "a malformed one", "%s",
                          file);
    *ret = TAKE(list);
    return E_OK;
}

static err
der_of_pem(view pem, arena *mem, view *ret_der, struct fault *f)
{
    AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    AUTO(X509_free) X509 *x = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL;
    if (!x)
        return form_fault(f, "malformed PEM");
    AUTO(openssl_bytes_free) unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    if (n <= 0)
        return form_fault(f, "malformed PEM");
    view copy = arena_dup(mem, view_make(der, (size_t)n));
    if (!copy.p)
        return fault_set(f, E_TOO_LARGE, "certificate", "", "");
    *ret_der = copy;
    return E_OK;
}

err
certificate_read(view der_or_pem, arena *mem, struct signer *ret, view *ret_der, struct fault *f)
{
    view der = der_or_pem;
    if (der.n > 2 * CERTIFICATE_SIZE_MAX)
        return form_fault(f, "more than 64 KiB");
    if (view_find(der, V("-----BEGIN ")) < der.n)
        TRY(der_of_pem(der_or_pem, mem, &der, f));
    AUTO(X509_free) X509 *x = NULL;
    TRY(certificate_parse(der, &x, f));
    struct certificate_facts facts = {0};
    TRY(certificate_describe(x, der, &facts, f));
    struct signer s;
    TRY(certificate_signer_copy(&facts, mem, &s));
    *ret = s;
    if (ret_der)
        *ret_der = der;
    return E_OK;
}
