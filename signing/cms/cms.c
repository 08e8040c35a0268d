#include "signing/cms/cms_message.h"
#include "signing/cms/transcoding.h"

#include "signing/cms/der.h"
#include "signing/pki/certificate.h"

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

static size_t
hash_of(enum jose_md md, view bytes, uint8_t out[JOSE_HASH_MAX])
{
    jose_hash_start(md);
    jose_hash_add(bytes);
    return jose_hash_end(out);
}

static bool
fits_message_digest(void *self, view hash)
{
    const struct cms_info *info = self;
    return view_eq(hash, info->message_digest);
}

/* SHA-1 and MD5 are refused by name; whether the digest would fit is told as well, since a wrong component
 * setting seldom comes alone. */
static err
weak_fault(const struct cms_info *info, size_t i, view body, struct fault *f)
{
    const EVP_MD *md = info->weak_nid == NID_md5 ? EVP_md5() : EVP_sha1();
    const char *name = info->weak_nid == NID_md5 ? "MD5" : "SHA-1";
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool fits = EVP_Digest(body.p, body.n, out, &n, md, NULL) == 1 &&
                view_eq(view_make(out, n), info->message_digest);
    const char *other = NULL;
    if (!fits && info->message_digest.n > 0)
        other =
            transcoding_find(&(struct transcoded){.body = body, .md = md}, fits_message_digest, (void *)info);
    return fault_setf(f, E_WEAK_DIGEST, "SHA-256", name, "signerInfos[%zu].digestAlgorithm%s%s", i,
                      other ? ": over the body as " : "", other ? other : "");
}

err
cms_check_digest(const struct cms_info *info, size_t i, view body, const digest *body_sha256, struct fault *f)
{
    if (info->weak_nid)
        return weak_fault(info, i, body, f);
    if (info->attributes.n == 0)
        return E_OK;
    uint8_t out[JOSE_HASH_MAX];
    bool is_known = body_sha256 && info->md == JOSE_MD_SHA256;
    view hash = is_known ? digest_view(body_sha256) : view_make(out, hash_of(info->md, body, out));
    if (view_eq(hash, info->message_digest))
        return E_OK;
    const char *other = transcoding_find(&(struct transcoded){.body = body, .md = jose_md_of(info->md)},
                                         fits_message_digest, (void *)info);
    return fault_setf(f, other ? E_SIGNED_TRANSCODED : E_DIGEST_MISMATCH, "the digest of the bytes as sent",
                      other ? other : "the digest of other bytes",
                      "signerInfos[%zu].signedAttrs.messageDigest", i);
}

/* ESSCertIDv2 (RFC 5035): the first names the signer; without an algorithm it is SHA-256. */
static bool
read_certificate_id(view certificate_id, int *ret_nid, view *ret_hash)
{
    static const struct {
        view oid;
        int nid;
    } hashes[] = {
        {{"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9}, NID_sha256},
        {{"\x60\x86\x48\x01\x65\x03\x04\x02\x02", 9}, NID_sha384},
        {{"\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9}, NID_sha512},
    };
    struct der_item list, id, algorithm, oid, hash;
    if (!der_take(&certificate_id, DER_SEQUENCE, &list) || !der_take(&list.value, DER_SEQUENCE, &id))
        return false;
    *ret_nid = NID_sha256;
    if (der_take(&id.value, DER_SEQUENCE, &algorithm)) {
        if (!der_take(&algorithm.value, DER_OID, &oid))
            return false;
        *ret_nid = NID_undef;
        for (size_t i = 0; i < COUNT_OF(hashes); i++)
            if (view_eq(oid.value, hashes[i].oid))
                *ret_nid = hashes[i].nid;
    }
    if (!der_take(&id.value, DER_OCTETS, &hash))
        return false;
    *ret_hash = hash.value;
    return true;
}

err
cms_check_certificate_id(const struct cms_info *info, size_t i, view certificate, struct fault *f)
{
    if (info->certificate_id.n == 0)
        return E_OK;
    int nid;
    view named;
    if (!read_certificate_id(info->certificate_id, &nid, &named))
        return fault_setf(f, E_SIGNATURE_FORM, "one certificate id", "another form",
                          "signerInfos[%zu].signedAttrs.signingCertificateV2", i);
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const EVP_MD *md = nid == NID_undef ? NULL : EVP_get_digestbynid(nid);
    if (!md || EVP_Digest(certificate.p, certificate.n, out, &n, md, NULL) != 1 ||
        !view_eq(view_make(out, n), named))
        return fault_setf(f, E_SIGNATURE_MISMATCH, "the signer's certificate", "another certificate",
                          "signerInfos[%zu].signedAttrs.signingCertificateV2", i);
    return E_OK;
}

/* A signature in the form that the JOSE twin has. */
struct check {
    void *pkey;
    enum jose_alg alg;
    view signature;
};

static err
prepare_check(const struct cms_info *info, void *pkey, uint8_t raw[2 * 48], struct check *ret)
{
    if (!pkey_fits(pkey, info->signer.alg))
        return E_ALGORITHM;
    size_t half = info->signer.alg == ALG_ES256 ? 32 : info->signer.alg == ALG_ES384 ? 48 : 0;
    *ret = (struct check){.pkey = pkey, .alg = info->signer.alg, .signature = info->signature};
    if (half == 0)
        return E_OK;
    if (!jose_raw_of_der(info->signature, half, raw))
        return E_SIGNATURE_FORM;
    ret->signature = view_make(raw, 2 * half);
    return E_OK;
}

static bool
fits_signature(void *self, view hash)
{
    const struct check *c = self;
    return jose_verify_hash(c->pkey, c->alg, hash, c->signature) == E_OK;
}

static size_t
hash_attributes(const struct cms_info *info, uint8_t out[JOSE_HASH_MAX])
{
    /* What is signed is the SET OF, not the [0] that carries it (RFC 5652 5.4). */
    jose_hash_start(info->md);
    jose_hash_add(V("\x31"));
    jose_hash_add(view_sub(info->attributes, 1, info->attributes.n));
    return jose_hash_end(out);
}

err
cms_check_signature(const struct cms_info *info, size_t i, view body, void *pkey, struct fault *f)
{
    uint8_t raw[2 * 48], hash[JOSE_HASH_MAX];
    struct check c;
    err e = prepare_check(info, pkey, raw, &c);
    if (e != E_OK)
        return fault_setf(f, e, e == E_ALGORITHM ? "a key for this algorithm" : "an ECDSA signature in DER",
                          "another", "signerInfos[%zu].signature", i);
    size_t n = info->attributes.n > 0 ? hash_attributes(info, hash) : hash_of(info->md, body, hash);
    e = jose_verify_hash(pkey, c.alg, view_make(hash, n), c.signature);
    if (e == E_OK)
        return E_OK;
    const char *other = NULL;
    if (e == E_SIGNATURE_MISMATCH && info->attributes.n == 0)
        other = transcoding_find(&(struct transcoded){.body = body, .md = jose_md_of(info->md)},
                                 fits_signature, &c);
    return fault_setf(f, other ? E_SIGNED_TRANSCODED : e, "a signature that fits key and bytes",
                      other ? other : "one that does not fit", "signerInfos[%zu].signature", i);
}

static err
verify_signer(struct cms_info *info, size_t i, view body, struct fault *f)
{
    AUTO(X509_free) X509 *x = NULL;
    TRY(cms_check_digest(info, i, body, NULL, f));
    TRY(certificate_parse(info->signer.certificate_der, &x, f));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = X509_get_pubkey(x);
    if (!pkey)
        return fault_setf(f, E_ALGORITHM, "a key of a known kind", "another", "signerInfos[%zu].certificate",
                          i);
    TRY(pkey_check(pkey, f));
    TRY(cms_check_certificate_id(info, i, info->signer.certificate_der, f));
    return cms_check_signature(info, i, body, pkey, f);
}

static err
verify_all(struct cms_message *m, view body, view (*lookup)(void *self, view issuer_serial), void *self,
           struct cms_signer ret[SIGNATURES_MAX], size_t *ret_n, struct fault *f)
{
    for (size_t i = 0; i < m->n; i++) {
        struct cms_signer *s = &m->info[i].signer;
        if (s->certificate_der.n == 0 && lookup && s->issuer_serial.n > 0)
            s->certificate_der = lookup(self, s->issuer_serial);
        if (s->certificate_der.n == 0)
            return fault_setf(f, E_SIGNER_UNKNOWN, "an attached or registered certificate", "none",
                              "signerInfos[%zu].sid", i);
        TRY(verify_signer(&m->info[i], i, body, f));
    }
    for (size_t i = 0; i < m->n; i++)
        ret[i] = m->info[i].signer;
    *ret_n = m->n;
    return E_OK;
}

err
cms_verify_detached(view cms_der, view body, view (*lookup)(void *self, view issuer_serial), void *self,
                    arena *mem, struct cms_signer ret[SIGNATURES_MAX], size_t *ret_n, struct fault *f)
{
    struct cms_message m;
    TRY(cms_read(cms_der, mem, &m, f));
    return verify_all(&m, body, lookup, self, ret, ret_n, f);
}

err
cms_verify_enveloping(view cms_der, arena *mem, view *ret_content, struct cms_signer ret[SIGNATURES_MAX],
                      size_t *ret_n, struct fault *f)
{
    struct cms_message m;
    TRY(cms_read_enveloping(cms_der, mem, &m, f));
    TRY(verify_all(&m, m.content, NULL, NULL, ret, ret_n, f));
    *ret_content = m.content;
    return E_OK;
}
