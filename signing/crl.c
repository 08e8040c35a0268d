#include "signing/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

DEFINE_AUTO(BIO *, BIO_free_all)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)
DEFINE_AUTO(ISSUING_DIST_POINT *, ISSUING_DIST_POINT_free)
DEFINE_AUTO(CRL_DIST_POINTS *, CRL_DIST_POINTS_free)

struct crl {
    X509_CRL *list;
    ISSUING_DIST_POINT *scope; /* NULL: everything that the issuer issued */
    instant this_update, next_update;
};

/* RFC 5280 wants nextUpdate; a list without one is believed this long. */
#define CRL_LIFE_UNSTATED SPAN_DAYS(7)

void
crl_free(struct crl *c)
{
    if (!c)
        return;
    ISSUING_DIST_POINT_free(c->scope);
    X509_CRL_free(c->list);
    free(c);
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

static X509_CRL *
load(const char *file)
{
    AUTO(BIO_free_all) BIO *in = BIO_new_file(file, "rb");
    if (!in)
        return NULL;
    X509_CRL *list = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
    if (!list && BIO_reset(in) == 0)
        list = d2i_X509_CRL_bio(in, NULL);
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
    int md = NID_undef;
    OBJ_find_sigid_algs(X509_CRL_get_signature_nid(list), &md, NULL);
    if (md == NID_sha1 || md == NID_md5)
        return "a list signed with SHA-1 or MD5";
    if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0)
        return "a delta list";
    if (scope && (scope->indirectCRL > 0 || scope->onlyattr > 0 || scope->onlysomereasons))
        return "an indirect or partial list";
    for (int i = 0; i < X509_CRL_get_ext_count(list); i++) {
        X509_EXTENSION *e = X509_CRL_get_ext(list, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
        if (X509_EXTENSION_get_critical(e) && nid != NID_issuing_distribution_point &&
            nid != NID_authority_key_identifier)
            return "an unknown critical extension";
    }
    return NULL;
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

err
crl_read_file(const char *file, STACK_OF(X509) * cas, struct crl **ret, struct fault *f)
{
    AUTO(X509_CRL_free) X509_CRL *list = load(file);
    if (!list)
        return fault_setf(f, E_FILE, "a certificate revocation list", "cannot be read", "%s", file);
    int critical = 0;
    AUTO(ISSUING_DIST_POINT_free)
    ISSUING_DIST_POINT *scope = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &critical, NULL);
    if (!scope && critical != -1)
        return fault_setf(f, E_CONFIG, "a certificate revocation list", "a malformed scope", "%s", file);
    const char *why = why_refused(list, scope);
    if (why)
        return fault_setf(f, E_CONFIG, "a full certificate revocation list", why, "%s", file);
    if (!is_signed_by(list, cas))
        return fault_setf(f, E_CONFIG, "a list that a CA of this use signed", "another signer", "%s", file);
    bool has_this, has_next;
    struct crl c = {
        .this_update = certificate_time(X509_CRL_get0_lastUpdate(list), &has_this),
        .next_update = certificate_time(X509_CRL_get0_nextUpdate(list), &has_next),
    };
    if (!has_this)
        return fault_setf(f, E_CONFIG, "a certificate revocation list", "no thisUpdate", "%s", file);
    if (!has_next)
        c.next_update = instant_add(c.this_update, CRL_LIFE_UNSTATED);
    sort_entries(list);
    struct crl *made = malloc(sizeof *made);
    if (!made)
        abort();
    c.list = TAKE(list);
    c.scope = TAKE(scope);
    *made = c;
    *ret = made;
    return E_OK;
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

/* GPKI cuts its lists into parts: a part speaks only for certificates that point to it. */
static bool
is_pointed_to(const ISSUING_DIST_POINT *scope, const X509 *x)
{
    AUTO(CRL_DIST_POINTS_free)
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++)
        if (share_a_name(sk_DIST_POINT_value(points, i)->distpoint, scope->distpoint))
            return true;
    return false;
}

bool
crl_knows(const struct crl *c, const X509 *x)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_issuer_name(x)) == 0;
}

bool
crl_covers(const struct crl *c, X509 *x)
{
    if (!crl_knows(c, x))
        return false;
    if (!c->scope)
        return true;
    bool is_ca = X509_check_ca(x) > 0;
    if ((c->scope->onlyuser > 0 && is_ca) || (c->scope->onlyCA > 0 && !is_ca))
        return false;
    return !c->scope->distpoint || is_pointed_to(c->scope, x);
}

/* Reasons that say nothing against signatures made before: D24.  Everything else, also an unstated reason,
 * voids all. */
static bool
counts_from_its_date(const X509_REVOKED *entry)
{
    int critical = 0;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    long code = reason ? ASN1_ENUMERATED_get(reason) : CRL_REASON_UNSPECIFIED;
    ASN1_ENUMERATED_free(reason);
    return code == CRL_REASON_AFFILIATION_CHANGED || code == CRL_REASON_SUPERSEDED ||
           code == CRL_REASON_CESSATION_OF_OPERATION;
}

bool
crl_revokes(const struct crl *c, X509 *x, instant at, instant *until)
{
    X509_REVOKED *entry = NULL;
    /* 2 is removeFromCRL, which only a delta list may hold; it is taken as revoked. */
    if (X509_CRL_get0_by_serial(c->list, &entry, X509_get_serialNumber(x)) == 0 || !entry)
        return false;
    instant from = certificate_time(X509_REVOKED_get0_revocationDate(entry), NULL);
    if (!counts_from_its_date(entry) || from.us <= at.us)
        return true;
    if (from.us - 1 < until->us)
        until->us = from.us - 1;
    return false;
}
