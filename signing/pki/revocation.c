#include "signing/pki/revocation.h"

#include "signing/pki/certificate.h"

DEFINE_AUTO(CRL_DIST_POINTS *, CRL_DIST_POINTS_free)
DEFINE_AUTO(AUTHORITY_INFO_ACCESS *, AUTHORITY_INFO_ACCESS_free)

/* RFC 5280 wants nextUpdate; an answer without one is believed this long. */
#define LIFE_UNSTATED SPAN_DAYS(7)

enum effect { FROM_DATE, FROM_DOUBT };

static const struct reason_row {
    int code;
    const char *word;
    enum effect effect;
} reasons[] = {
#define REASON(code, word, effect) {code, word, effect},
#include "signing/signing.def"
#undef REASON
};

static const struct reason_row *
reason_row_of(int code)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].code == code)
            return &reasons[i];
    return NULL;
}

const char *
revocation_reason_word(int reason)
{
    const struct reason_row *row = reason_row_of(reason);
    return row ? row->word : "unknown";
}

const char *
revocation_source_word(enum revocation_source s)
{
    return s == REVOCATION_OCSP ? "ocsp" : s == REVOCATION_CRL ? "crl" : "none";
}

instant
revocation_counts_from(const struct revocation_answer *a)
{
    const struct reason_row *row = reason_row_of(a->reason);
    bool in_doubt = !row || row->effect == FROM_DOUBT; /* a reason that nobody defined is no comfort */
    if (in_doubt && a->invalid_from.us == 0)
        return (instant){INT64_MIN};
    bool earlier = a->invalid_from.us != 0 && a->invalid_from.us < a->revoked_at.us;
    return earlier ? a->invalid_from : a->revoked_at;
}

instant
revocation_fresh_until(const struct revocation_answer *a, span max_age)
{
    instant end = a->next_update;
    if (end.us == 0)
        end = instant_add(a->this_update, max_age.us > 0 ? max_age : LIFE_UNSTATED);
    instant oldest = max_age.us > 0 ? instant_add(a->this_update, max_age) : end;
    return oldest.us < end.us ? oldest : end;
}

bool
revocation_is_fresh(const struct revocation_answer *a, instant at, span max_age)
{
    return a->this_update.us <= at.us && at.us <= revocation_fresh_until(a, max_age).us;
}

static view
http_uri(const GENERAL_NAME *name)
{
    if (name->type != GEN_URI)
        return VIEW_NONE;
    const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
    view text = view_make(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
    return view_starts(text, V("http://")) || view_starts(text, V("https://")) ? text : VIEW_NONE;
}

static view
crl_place(const X509 *x, arena *mem)
{
    AUTO(CRL_DIST_POINTS_free)
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;
        if (!name || name->type != 0)
            continue;
        for (int k = 0; k < sk_GENERAL_NAME_num(name->name.fullname); k++) {
            view uri = http_uri(sk_GENERAL_NAME_value(name->name.fullname, k));
            if (uri.n > 0)
                return arena_dup(mem, uri);
        }
    }
    return V("");
}

static view
access_place(const X509 *x, int method, arena *mem)
{
    AUTO(AUTHORITY_INFO_ACCESS_free)
    AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(list, i);
        view uri = OBJ_obj2nid(one->method) == method ? http_uri(one->location) : VIEW_NONE;
        if (uri.n > 0)
            return arena_dup(mem, uri);
    }
    return V("");
}

err
revocation_places(view der, arena *mem, struct revocation_places *ret, struct fault *f)
{
    AUTO(X509_free) X509 *x = NULL;
    TRY(certificate_parse(der, &x, f));
    struct revocation_places p = {
        .ocsp = access_place(x, NID_ad_OCSP, mem),
        .crl = crl_place(x, mem),
        .issuer = access_place(x, NID_ad_ca_issuers, mem),
    };
    if (!p.ocsp.p || !p.crl.p || !p.issuer.p)
        return fault_set(f, E_TOO_LARGE, "certificate", "", "");
    *ret = p;
    return E_OK;
}
