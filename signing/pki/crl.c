#include "signing/pki/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

DEFINE_AUTO(BIO *, BIO_free_all)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)
DEFINE_AUTO(ISSUING_DIST_POINT *, ISSUING_DIST_POINT_free)
DEFINE_AUTO(CRL_DIST_POINTS *, CRL_DIST_POINTS_free)

struct crl {
    X509_CRL *list;
    ISSUING_DIST_POINT *scope;        /* NULL: everything that the issuer issued */
    instant this_update, next_update; /* next_update: INSTANT_NONE when not stated */
    digest id;
};

#define CRL_FILE_MAX (64u << 20)

void
crl_free(struct crl *c)
{
    if (!c)
        return;
    ISSUING_DIST_POINT_free(c->scope);
    X509_CRL_free(c->list);
    free(c);
}

static X509_CRL *
load(view bytes)
{
    if (bytes.n == 0 || bytes.n > CRL_FILE_MAX)
        return NULL;
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.p[0] == 0x30) {
        X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)bytes.n);
        ERR_clear_error();
        if (list && p != (const unsigned char *)bytes.p + bytes.n) {
            X509_CRL_free(list);
            return NULL;
        }
        return list;
    }
    AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    X509_CRL *list = in ? PEM_read_bio_X509_CRL(in, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    return list;
}

static bool
is_signed_by(X509_CRL *list, STACK_OF(X509) * cas)
{
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(list)) != 0)
            continue;
        if ((X509_get_key_usage(ca) & KU_CRL_SIGN) == 0)
            continue;
        if (X509_CRL_verify(list, X509_get0_pubkey(ca)) == 1)
            return true;
    }
    ERR_clear_error();
    return false;
}

static const char *
why_refused(X509_CRL *list, const ISSUING_DIST_POINT *scope)
{
    if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0)
        return "a delta list";
    if (scope && (scope->indirectCRL > 0 || scope->onlyattr > 0 || scope->onlysomereasons))
        return "an indirect or partial list";
    if (scope && scope->onlyuser > 0 && scope->onlyCA > 0)
        return "a scope that contradicts itself";
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    if (entries && sk_X509_REVOKED_num(entries) == 0)
        return "an empty sequence of entries";
    for (int i = 0; i < X509_CRL_get_ext_count(list); i++) {
        X509_EXTENSION *e = X509_CRL_get_ext(list, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
        if (X509_EXTENSION_get_critical(e) && nid != NID_issuing_distribution_point &&
            nid != NID_authority_key_identifier)
            return "an unknown critical extension";
    }
    return NULL;
}

static bool
is_weak(X509_CRL *list)
{
    int md = NID_undef;
    OBJ_find_sigid_algs(X509_CRL_get_signature_nid(list), &md, NULL);
    return md == NID_sha1 || md == NID_md5 || md == NID_md5_sha1;
}

/* The list sorts its entries at the first question; asking now keeps later threads from waiting for each
 * other. */
static void
sort_entries(X509_CRL *list)
{
    X509_REVOKED *entry = NULL;
    ASN1_INTEGER *zero = ASN1_INTEGER_new();
    if (zero)
        (void)X509_CRL_get0_by_serial(list, &entry, zero);
    ASN1_INTEGER_free(zero);
}

static bool
share_a_name(const DIST_POINT_NAME *a, const DIST_POINT_NAME *b)
{
    if (!a || !b || a->type != 0 || b->type != 0)
        return false; /* names relative to the issuer are in nobody's profile */
    for (int i = 0; i < sk_GENERAL_NAME_num(a->name.fullname); i++)
        for (int k = 0; k < sk_GENERAL_NAME_num(b->name.fullname); k++)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a->name.fullname, i),
                                 sk_GENERAL_NAME_value(b->name.fullname, k)) == 0)
                return true;
    return false;
}

static digest
list_id(X509_CRL *list)
{
    unsigned char *der = NULL;
    int n = i2d_X509_CRL(list, &der);
    digest id = sha256(view_make(der, n > 0 ? (size_t)n : 0));
    OPENSSL_free(der);
    return id;
}

const digest *
crl_id(const struct crl *c)
{
    return &c->id;
}

instant
crl_this_update(const struct crl *c)
{
    return c->this_update;
}

instant
crl_next_update(const struct crl *c)
{
    return c->next_update;
}

static bool
same_point(const ISSUING_DIST_POINT *a, const ISSUING_DIST_POINT *b)
{
    if (!a || !b)
        return a == b;
    bool same_users = (a->onlyuser > 0) == (b->onlyuser > 0) && (a->onlyCA > 0) == (b->onlyCA > 0);
    return same_users && (a->distpoint || b->distpoint ? share_a_name(a->distpoint, b->distpoint) : true);
}

bool
crl_same_scope(const struct crl *a, const struct crl *b)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(a->list), X509_CRL_get_issuer(b->list)) == 0 &&
           same_point(a->scope, b->scope);
}

bool
crl_is_newer(const struct crl *a, const struct crl *than)
{
    return a->this_update.us > than->this_update.us;
}

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    ERR_clear_error();
    return fault_set(f, E_REVOCATION_ANSWER, "list", expected, found);
}

err
crl_read(view bytes, STACK_OF(X509) * cas, struct crl **ret, struct fault *f)
{
    AUTO(X509_CRL_free) X509_CRL *list = load(bytes);
    if (!list)
        return refuse(f, "a certificate revocation list", "other bytes");
    int critical = 0;
    AUTO(ISSUING_DIST_POINT_free)
    ISSUING_DIST_POINT *scope = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &critical, NULL);
    if (!scope && critical != -1)
        return refuse(f, "a certificate revocation list", "a malformed scope");
    const char *why = why_refused(list, scope);
    if (why)
        return refuse(f, "a full certificate revocation list", why);
    if (!is_signed_by(list, cas))
        return refuse(f, "a list that a CA of this use signed", "another signer");
    if (is_weak(list))
        return fault_set(f, E_WEAK_DIGEST, "list", "a list signed with SHA-2", "SHA-1 or MD5");
    bool has_this, has_next;
    struct crl c = {
        .this_update = certificate_time(X509_CRL_get0_lastUpdate(list), &has_this),
        .next_update = certificate_time(X509_CRL_get0_nextUpdate(list), &has_next),
    };
    if (!has_this || (X509_CRL_get0_nextUpdate(list) && !has_next))
        return refuse(f, "thisUpdate and nextUpdate", "a time that cannot be read");
    sort_entries(list);
    c.id = list_id(list);
    struct crl *made = malloc(sizeof *made);
    if (!made)
        abort();
    c.list = TAKE(list);
    c.scope = TAKE(scope);
    *made = c;
    *ret = made;
    return E_OK;
}

err
crl_read_file(const char *file, STACK_OF(X509) * cas, struct crl **ret, struct fault *f)
{
    AUTO(BIO_free_all) BIO *in = BIO_new_file(file, "rb");
    AUTO(BIO_free_all) BIO *all = BIO_new(BIO_s_mem());
    char part[16384];
    int n = 0;
    while (in && all && (n = BIO_read(in, part, sizeof part)) > 0)
        if (BIO_write(all, part, n) != n)
            return E_INTERNAL;
    ERR_clear_error();
    if (!in || !all || n < 0)
        return fault_setf(f, E_FILE, "a certificate revocation list", "cannot be read", "%s", file);
    char *p = NULL;
    long size = BIO_get_mem_data(all, &p);
    struct fault why;
    fault_init(&why);
    err e = crl_read(view_make(p, (size_t)size), cas, ret, &why);
    if (e == E_OK || e == E_INTERNAL)
        return e;
    return fault_setf(f, E_CONFIG, why.expected, why.found, "%s", file);
}

/* GPKI cuts its lists into parts: a part speaks only for certificates that point to it. */
static bool
is_pointed_to(const ISSUING_DIST_POINT *scope, const X509 *x)
{
    AUTO(CRL_DIST_POINTS_free)
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (!point->CRLissuer && share_a_name(point->distpoint, scope->distpoint))
            return true;
    }
    return false;
}

/* A certificate that sends us to another authority's list is not spoken for by its issuer's. */
static bool
is_sent_elsewhere(const X509 *x)
{
    AUTO(CRL_DIST_POINTS_free)
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    int n = sk_DIST_POINT_num(points), elsewhere = 0;
    for (int i = 0; i < n; i++)
        elsewhere += sk_DIST_POINT_value(points, i)->CRLissuer != NULL;
    return n > 0 && elsewhere == n;
}

bool
crl_knows(const struct crl *c, const X509 *x)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_issuer_name(x)) == 0;
}

bool
crl_covers(const struct crl *c, X509 *x)
{
    if (!crl_knows(c, x) || is_sent_elsewhere(x))
        return false;
    if (!c->scope)
        return true;
    /* A certificate of version 1 does not say what it is. */
    bool is_ca = X509_check_ca(x) > 0;
    if ((c->scope->onlyuser > 0 || c->scope->onlyCA > 0) && X509_get_version(x) != X509_VERSION_3)
        return false;
    if ((c->scope->onlyuser > 0 && is_ca) || (c->scope->onlyCA > 0 && !is_ca))
        return false;
    return !c->scope->distpoint || is_pointed_to(c->scope, x);
}

/* Extensions of an entry as far as they say something; a code that cannot be read is one that nobody defined. */
static void
read_entry(const X509_REVOKED *entry, struct revocation_answer *ret)
{
    int critical = 0;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    ret->reason = reason ? (int)ASN1_ENUMERATED_get(reason) : critical == -1 ? REASON_UNSTATED : -1;
    ASN1_ENUMERATED_free(reason);
    ASN1_GENERALIZEDTIME *from = X509_REVOKED_get_ext_d2i(entry, NID_invalidity_date, NULL, NULL);
    ret->invalid_from = certificate_time(from, NULL);
    ASN1_GENERALIZEDTIME_free(from);
    ret->revoked_at = certificate_time(X509_REVOKED_get0_revocationDate(entry), NULL);
    ret->status = REVOCATION_REVOKED;
}

void
crl_say(const struct crl *c, X509 *x, struct revocation_answer *ret)
{
    *ret = (struct revocation_answer){
        .source = REVOCATION_CRL,
        .status = REVOCATION_GOOD,
        .this_update = c->this_update,
        .next_update = c->next_update,
    };
    X509_REVOKED *entry = NULL;
    /* 2 is removeFromCRL, which only a delta list may hold; it is taken as revoked. */
    if (X509_CRL_get0_by_serial(c->list, &entry, X509_get_serialNumber(x)) != 0 && entry)
        read_entry(entry, ret);
}

void
crl_each(const struct crl *c,
         void (*fn)(void *self, view issuer, view serial, const struct revocation_answer *a), void *self)
{
    unsigned char *issuer = NULL;
    int n_issuer = i2d_X509_NAME(X509_CRL_get_issuer(c->list), &issuer);
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(c->list);
    for (int i = 0; n_issuer > 0 && i < sk_X509_REVOKED_num(entries); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        struct revocation_answer a = {
            .source = REVOCATION_CRL, .this_update = c->this_update, .next_update = c->next_update};
        unsigned char *serial = NULL;
        int n = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(entry), &serial);
        read_entry(entry, &a);
        if (n > 0)
            fn(self, view_make(issuer, (size_t)n_issuer), view_make(serial, (size_t)n), &a);
        OPENSSL_free(serial);
    }
    OPENSSL_free(issuer);
}

err
crl_answer(view list, view leaf_der, view issuer_der, instant at, span max_age, struct revocation_answer *ret,
           struct fault *f)
{
    AUTO(X509_free) X509 *leaf = NULL;
    AUTO(X509_free) X509 *issuer = NULL;
    AUTO(crl_free) struct crl *c = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *cas = sk_X509_new_null();
    TRY(certificate_parse(leaf_der, &leaf, f));
    TRY(certificate_parse(issuer_der, &issuer, f));
    if (!cas || sk_X509_push(cas, issuer) <= 0)
        return E_INTERNAL;
    issuer = NULL;
    TRY(crl_read(list, cas, &c, f));
    if (!crl_covers(c, leaf))
        return refuse(f, "a list that speaks for the certificate", "another scope or issuer");
    struct revocation_answer a;
    crl_say(c, leaf, &a);
    if (a.this_update.us > at.us)
        return refuse(f, "a list from the past", "thisUpdate in the future");
    if (!revocation_is_fresh(&a, at, max_age))
        return refuse(f, "a current list", "one that is too old");
    *ret = a;
    return E_OK;
}
