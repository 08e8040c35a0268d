/* Reading a SignedData (RFC 5652 section 5) into views. */
#include "signing/cms/cms_message.h"

#include "signing/cms/der.h"
#include "signing/pki/certificate.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#define OID(literal)                                                                                         \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    }

static const view oid_signed_data = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
static const view oid_data = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
static const view oid_content_type = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03");
static const view oid_message_digest = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04");
static const view oid_signing_time = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05");
static const view oid_signing_certificate_v2 = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f");
static const view oid_mgf1 = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

static const struct digest_row {
    view oid;
    enum jose_md md;
    int weak_nid;
    uint32_t length;
} digests[] = {
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), JOSE_MD_SHA256, 0, 32},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), JOSE_MD_SHA384, 0, 48},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), JOSE_MD_SHA512, 0, 64},
    {OID("\x2b\x0e\x03\x02\x1a"), JOSE_MD_NONE, NID_sha1, 20},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), JOSE_MD_NONE, NID_md5, 16},
};

enum family { FAMILY_RSA, FAMILY_PSS, FAMILY_ECDSA };

static const struct signature_row {
    view oid;
    enum family family;
    enum jose_md md; /* JOSE_MD_NONE: that of digestAlgorithm */
    int weak_nid;
} signatures[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), FAMILY_RSA, JOSE_MD_NONE, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), FAMILY_RSA, JOSE_MD_SHA256, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), FAMILY_RSA, JOSE_MD_SHA384, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), FAMILY_RSA, JOSE_MD_SHA512, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), FAMILY_RSA, JOSE_MD_NONE, NID_sha1},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), FAMILY_RSA, JOSE_MD_NONE, NID_md5},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), FAMILY_PSS, JOSE_MD_NONE, 0},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), FAMILY_ECDSA, JOSE_MD_SHA256, 0},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), FAMILY_ECDSA, JOSE_MD_SHA384, 0},
    {OID("\x2a\x86\x48\xce\x3d\x04\x01"), FAMILY_ECDSA, JOSE_MD_NONE, NID_sha1},
};

/* The JOSE twin of a pair. */
static const struct twin_row {
    enum family family;
    enum jose_md md;
    enum jose_alg alg;
} twins[] = {
    {FAMILY_RSA, JOSE_MD_SHA256, ALG_RS256},   {FAMILY_RSA, JOSE_MD_SHA384, ALG_RS384},
    {FAMILY_RSA, JOSE_MD_SHA512, ALG_RS512},   {FAMILY_PSS, JOSE_MD_SHA256, ALG_PS256},
    {FAMILY_PSS, JOSE_MD_SHA384, ALG_PS384},   {FAMILY_PSS, JOSE_MD_SHA512, ALG_PS512},
    {FAMILY_ECDSA, JOSE_MD_SHA256, ALG_ES256}, {FAMILY_ECDSA, JOSE_MD_SHA384, ALG_ES384},
};

DEFINE_AUTO(CMS_ContentInfo *, CMS_ContentInfo_free)

static err
form(struct fault *f, const char *place, const char *expected)
{
    return fault_set(f, E_SIGNATURE_FORM, place, expected, "another form");
}

struct algorithm {
    view oid;
    view parameters; /* whole; empty when absent */
};

static bool
take_algorithm(view *rest, struct algorithm *ret)
{
    struct der_item seq, oid, parameters = {0};
    if (!der_take(rest, DER_SEQUENCE, &seq) || !der_take(&seq.value, DER_OID, &oid))
        return false;
    if (seq.value.n > 0 && (!der_next(&seq.value, &parameters) || seq.value.n > 0))
        return false;
    ret->oid = oid.value;
    ret->parameters = parameters.whole;
    return true;
}

static bool
is_null_or_absent(view parameters)
{
    return parameters.n == 0 || view_eq(parameters, V("\x05\x00"));
}

static const struct digest_row *
digest_row_of(view oid)
{
    for (size_t i = 0; i < COUNT_OF(digests); i++)
        if (view_eq(oid, digests[i].oid))
            return &digests[i];
    return NULL;
}

static const struct signature_row *
signature_row_of(view oid)
{
    for (size_t i = 0; i < COUNT_OF(signatures); i++)
        if (view_eq(oid, signatures[i].oid))
            return &signatures[i];
    return NULL;
}

/* One member of RSASSA-PSS-params: [n] EXPLICIT around one element. */
static bool
take_pss_member(view *rest, unsigned n, struct der_item *outer)
{
    return der_take(rest, DER_CONTEXT(n), outer);
}

/* RFC 4055: hash and MGF1 hash are the message's digest, the salt is as long as the digest.  The defaults
 * (SHA-1, salt of 20) never fit. */
static bool
is_pss_for(view parameters, const struct digest_row *d)
{
    struct der_item seq, member, salt;
    struct algorithm hash, mgf, inner;
    uint32_t n = 0;
    if (!der_only(parameters, DER_SEQUENCE, &seq))
        return false;
    if (!take_pss_member(&seq.value, 0, &member) || !take_algorithm(&member.value, &hash) ||
        member.value.n > 0)
        return false;
    if (!view_eq(hash.oid, d->oid) || !is_null_or_absent(hash.parameters))
        return false;
    if (!take_pss_member(&seq.value, 1, &member) || !take_algorithm(&member.value, &mgf) ||
        member.value.n > 0)
        return false;
    if (!view_eq(mgf.oid, oid_mgf1) || !take_algorithm(&mgf.parameters, &inner) || mgf.parameters.n > 0)
        return false;
    if (!view_eq(inner.oid, d->oid) || !is_null_or_absent(inner.parameters))
        return false;
    if (!take_pss_member(&seq.value, 2, &member) || !der_only(member.value, DER_INTEGER, &salt) ||
        !der_small(salt.value, &n))
        return false;
    return n == d->length && seq.value.n == 0;
}

static err
bind_algorithms(const struct algorithm *md, const struct algorithm *sig, struct cms_info *info,
                struct fault *f)
{
    const struct digest_row *d = digest_row_of(md->oid);
    const struct signature_row *s = signature_row_of(sig->oid);
    if (!d || !is_null_or_absent(md->parameters))
        return fault_set(f, E_ALGORITHM, "signerInfos.digestAlgorithm", "SHA-256, SHA-384 or SHA-512",
                         "another");
    if (!s)
        return fault_set(f, E_ALGORITHM, "signerInfos.signatureAlgorithm", "RSA or ECDSA with SHA-2",
                         "another");
    info->md = d->md;
    info->weak_nid = d->weak_nid ? d->weak_nid : s->weak_nid;
    if (info->weak_nid)
        return E_OK;
    if (s->md != JOSE_MD_NONE && s->md != d->md)
        return fault_set(f, E_ALGORITHM, "signerInfos.signatureAlgorithm", "the digest of digestAlgorithm",
                         "another");
    bool ok = s->family == FAMILY_PSS ? is_pss_for(sig->parameters, d) : is_null_or_absent(sig->parameters);
    for (size_t i = 0; ok && i < COUNT_OF(twins); i++)
        if (twins[i].family == s->family && twins[i].md == d->md)
            info->signer.alg = twins[i].alg;
    if (info->signer.alg == ALG_NONE)
        return fault_set(f, E_ALGORITHM, "signerInfos.signatureAlgorithm", "the parameters of its JOSE twin",
                         "others");
    return E_OK;
}

/* The four attributes that mean something here; use_attribute knows them by their place. */
static const struct attribute_row {
    const view *oid;
    const char *name;
} attribute_rows[] = {
    {&oid_content_type, "signedAttrs.contentType"},
    {&oid_message_digest, "signedAttrs.messageDigest"},
    {&oid_signing_time, "signedAttrs.signingTime"},
    {&oid_signing_certificate_v2, "signedAttrs.signingCertificateV2"},
};

static err
use_attribute(size_t row, const struct der_item *value, struct cms_info *info, struct fault *f)
{
    bool ok = false;
    switch (row) {
    case 0:
        ok = value->tag == DER_OID && view_eq(value->value, oid_data);
        break;
    case 1:
        ok = value->tag == DER_OCTETS && value->value.n > 0;
        info->message_digest = value->value;
        break;
    case 2:
        ok = der_time(value, &info->signer.claimed_at);
        break;
    default:
        ok = value->tag == DER_SEQUENCE;
        info->certificate_id = value->value;
        break;
    }
    return ok ? E_OK : form(f, attribute_rows[row].name, "a value of its type");
}

static err
read_attributes(view set, struct cms_info *info, struct fault *f)
{
    bool seen[COUNT_OF(attribute_rows)] = {false};
    while (set.n > 0) {
        struct der_item attribute, oid, values, value;
        if (!der_take(&set, DER_SEQUENCE, &attribute) || !der_take(&attribute.value, DER_OID, &oid) ||
            !der_only(attribute.value, DER_SET, &values))
            return form(f, "signedAttrs", "a set of attributes");
        for (size_t row = 0; row < COUNT_OF(attribute_rows); row++) {
            if (!view_eq(oid.value, *attribute_rows[row].oid))
                continue;
            if (seen[row] || !der_next(&values.value, &value) || values.value.n > 0)
                return form(f, attribute_rows[row].name, "once, with one value");
            seen[row] = true;
            TRY(use_attribute(row, &value, info, f));
        }
    }
    if (!seen[0] || !seen[1])
        return form(f, "signedAttrs", "contentType and messageDigest");
    return E_OK;
}

struct certificate_list {
    view der[CMS_CERTIFICATES_MAX];
    size_t n;
};

static bool
names_certificate(view sid, view certificate)
{
    view issuer, serial;
    return der_certificate_names(certificate, &issuer, &serial) && sid.n == issuer.n + serial.n &&
           view_starts(sid, issuer) && view_ends(sid, serial);
}

/* sid: content of IssuerAndSerialNumber, or a key identifier. */
static void
choose_certificate(const struct certificate_list *list, view sid, bool is_key_id, struct cms_signer *signer)
{
    size_t chosen = list->n;
    for (size_t i = 0; i < list->n && chosen == list->n; i++) {
        bool fits = is_key_id ? view_eq(der_certificate_key_id(list->der[i]), sid)
                              : names_certificate(sid, list->der[i]);
        if (fits && sid.n > 0)
            chosen = i;
    }
    if (chosen < list->n)
        signer->certificate_der = list->der[chosen];
    for (size_t i = 0; i < list->n && signer->n_rest < COUNT_OF(signer->rest_der); i++)
        if (i != chosen)
            signer->rest_der[signer->n_rest++] = list->der[i];
}

static err
read_signer(view seq, const struct certificate_list *list, struct cms_info *info, struct cms_proofs *proofs,
            struct fault *f)
{
    struct der_item version, sid, attributes, signature;
    struct algorithm md, sig;
    uint32_t v = 0;
    if (!der_take(&seq, DER_INTEGER, &version) || !der_small(version.value, &v) || !der_next(&seq, &sid))
        return form(f, "signerInfos", "version and sid");
    bool is_key_id = sid.tag == DER_CONTEXT_PRIMITIVE(0);
    if ((sid.tag != DER_SEQUENCE && !is_key_id) || v != (is_key_id ? 3u : 1u))
        return form(f, "signerInfos.sid", "issuer and serial number with version 1, or key id with 3");
    if (!take_algorithm(&seq, &md))
        return form(f, "signerInfos.digestAlgorithm", "an algorithm");
    der_take_if(&seq, DER_CONTEXT(0), &attributes);
    if (!take_algorithm(&seq, &sig) || !der_take(&seq, DER_OCTETS, &signature))
        return form(f, "signerInfos.signature", "an algorithm and octets");
    struct der_item unsigned_attributes;
    der_take_if(&seq, DER_CONTEXT(1), &unsigned_attributes);
    if (seq.n > 0)
        return form(f, "signerInfos", "nothing behind the signature");
    cms_proofs_of_attributes(attributes.value, proofs);
    cms_proofs_of_attributes(unsigned_attributes.value, proofs); /* nothing else in them counts */
    TRY(bind_algorithms(&md, &sig, info, f));
    if (attributes.whole.n > 0)
        TRY(read_attributes(attributes.value, info, f));
    info->attributes = attributes.whole;
    info->signature = signature.value;
    if (!is_key_id)
        info->signer.issuer_serial = sid.whole;
    choose_certificate(list, sid.value, is_key_id, &info->signer);
    return E_OK;
}

static err
read_certificates(view *rest, struct certificate_list *list, struct cms_proofs *proofs, struct fault *f)
{
    struct der_item set, item;
    der_take_if(rest, DER_CONTEXT(0), &set);
    while (set.value.n > 0) {
        if (!der_next(&set.value, &item))
            return form(f, "certificates", "certificates");
        if (item.tag != DER_SEQUENCE)
            continue; /* attribute certificates and other formats say nothing here */
        if (list->n == COUNT_OF(list->der))
            return fault_set(f, E_SIGNATURE_FORM, "certificates", "at most 8", "more");
        list->der[list->n++] = item.whole;
    }
    der_take_if(rest, DER_CONTEXT(1), &set);
    cms_proofs_of_lists(set.value, proofs);
    return E_OK;
}

static err
read_content(view *rest, view *ret, struct fault *f)
{
    struct der_item content, type, outer, octets;
    if (!der_take(rest, DER_SEQUENCE, &content) || !der_take(&content.value, DER_OID, &type))
        return form(f, "encapContentInfo", "a content type");
    if (!view_eq(type.value, oid_data))
        return fault_set(f, E_SIGNATURE_PROFILE, "encapContentInfo", "id-data", "another content type");
    *ret = VIEW_NONE;
    if (content.value.n == 0)
        return E_OK;
    if (!der_only(content.value, DER_CONTEXT(0), &outer) || !der_only(outer.value, DER_OCTETS, &octets))
        return form(f, "encapContentInfo", "octets in one piece");
    *ret = octets.value.n > 0 ? octets.value : V("");
    return E_OK;
}

static err
read_signed_data(view data, struct cms_message *m, struct fault *f)
{
    struct der_item version, algorithms, signers, one;
    struct certificate_list list = {.n = 0};
    uint32_t v = 0;
    if (!der_take(&data, DER_INTEGER, &version) || !der_small(version.value, &v) || v < 1 || v > 5 ||
        !der_take(&data, DER_SET, &algorithms))
        return form(f, "signedData", "version 1 to 5 and digest algorithms");
    TRY(read_content(&data, &m->content, f));
    TRY(read_certificates(&data, &list, &m->proofs, f));
    if (!der_only(data, DER_SET, &signers) || signers.value.n == 0)
        return form(f, "signerInfos", "at least one signer");
    while (signers.value.n > 0) {
        if (m->n == SIGNATURES_MAX)
            return fault_set(f, E_SIGNATURE_FORM, "signerInfos", "at most 8 signers", "more");
        if (!der_take(&signers.value, DER_SEQUENCE, &one))
            return form(f, "signerInfos", "signers");
        TRY(read_signer(one.value, &list, &m->info[m->n], &m->proofs, f));
        m->n++;
    }
    return E_OK;
}

static err
read_message(view der, struct cms_message *ret, struct fault *f)
{
    struct der_item outer, type, context, data;
    struct cms_message m = {.n = 0};
    if (!der_only(der, DER_SEQUENCE, &outer) || !der_take(&outer.value, DER_OID, &type))
        return form(f, "contentInfo", "DER with nothing behind it");
    if (!view_eq(type.value, oid_signed_data))
        return fault_set(f, E_SIGNATURE_PROFILE, "contentInfo", "SignedData", "another content");
    if (!der_only(outer.value, DER_CONTEXT(0), &context) || !der_only(context.value, DER_SEQUENCE, &data))
        return form(f, "contentInfo", "one SignedData");
    TRY(read_signed_data(data.value, &m, f));
    *ret = m;
    return E_OK;
}

/* Java libraries write indefinite lengths; the signature itself is over DER, so re-encoding changes nothing
 * that was signed. */
static view
der_of_ber(view ber, arena *mem)
{
    const unsigned char *p = (const unsigned char *)ber.p;
    AUTO(CMS_ContentInfo_free) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)ber.n);
    view der = VIEW_NONE;
    if (cms && p == (const unsigned char *)ber.p + ber.n) {
        unsigned char *out = NULL;
        int n = i2d_CMS_ContentInfo(cms, &out);
        if (n > 0)
            der = arena_dup(mem, view_make(out, (size_t)n));
        OPENSSL_free(out);
    }
    ERR_clear_error();
    return der;
}

/* The fault of the form that was tried last. */
static err
read_any(view der, arena *mem, struct cms_message *ret, struct fault *f)
{
    struct fault first;
    fault_init(&first);
    err e = read_message(der, ret, &first);
    /* Only what says that it is BER, by its indefinite length: OpenSSL would repair wrong tags in DER as well. */
    if (e == E_SIGNATURE_FORM && der.n > 2 && (uint8_t)der.p[1] == 0x80) {
        view again = der_of_ber(der, mem);
        if (again.n > 0 && !view_eq(again, der))
            return read_message(again, ret, f);
    }
    if (e != E_OK)
        return fault_set(f, e, first.where, first.expected, first.found);
    return E_OK;
}

err
cms_read(view der, arena *mem, struct cms_message *ret, struct fault *f)
{
    if (der.n > CMS_SIZE_MAX)
        return fault_set(f, E_TOO_LARGE, "signature", "at most 64 KiB", "more");
    TRY(read_any(der, mem, ret, f));
    if (ret->content.p)
        return fault_set(f, E_SIGNATURE_PROFILE, "encapContentInfo", "a detached signature",
                         "one that holds its content");
    return E_OK;
}

err
cms_read_enveloping(view der, arena *mem, struct cms_message *ret, struct fault *f)
{
    TRY(read_any(der, mem, ret, f));
    if (!ret->content.p)
        return fault_set(f, E_SIGNATURE_PROFILE, "encapContentInfo", "a message that holds what it signs",
                         "a detached one");
    return E_OK;
}
