#include "signing/trust_list.h"

#include "signing/jws.h"

#include <openssl/err.h>

DEFINE_AUTO(X509_STORE_CTX *, X509_STORE_CTX_free)

/* Longest way from a leaf to its root. */
#define CHAIN_DEPTH 4
/* Certificates presented beside the leaf that are looked at. */
#define REST_MAX 6
/* How long a list past its nextUpdate is still believed (the verdict says so). */
#define CRL_GRACE SPAN_DAYS(7)
/* OpenSSL's level 2: RSA and DH of 2048 bits, EC of 224, no SHA-1 or MD5 in a chain. */
#define CHAIN_SECURITY_LEVEL 2

static void
store_context_done(X509_STORE_CTX **ctx)
{
    X509_STORE_CTX_free(*ctx);
}

/* Drops the list, not the certificates. */
static void
borrowed_stack_free(STACK_OF(X509) * list)
{
    sk_X509_free(list);
}
DEFINE_AUTO(STACK_OF(X509) *, borrowed_stack_free)
DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

static err
chain_fault(struct fault *f, int why, int depth)
{
    const char *where = depth == 0 ? "certificate" : "issuer";
    const char *found = X509_verify_cert_error_string(why);
    ERR_clear_error();
    switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return fault_set(f, E_CERT_TIME, where, "a certificate that is valid now", found);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return fault_set(f, E_ALGORITHM, where, "RSA of 2048 bits, P-256 or better, signed with SHA-2",
                         found);
    default:
        return fault_set(f, E_CHAIN, where, "a chain to a listed root", found);
    }
}

/* What one question to the trust list is about. */
struct question {
    X509 *leaf;
    STACK_OF(X509) * rest; /* presented beside it */
    instant at;
};

static bool
leads_through_pinned(const struct use_list *u, STACK_OF(X509) * chain)
{
    if (sk_X509_num(u->pinned) == 0)
        return true;
    for (int i = 1; i < sk_X509_num(chain); i++)
        for (int k = 0; k < sk_X509_num(u->pinned); k++)
            if (X509_cmp(sk_X509_value(chain, i), sk_X509_value(u->pinned, k)) == 0)
                return true;
    return false;
}

/* The chain (its members counted up) under one use's roots. */
static err
build_chain(const struct use_list *u, const struct question *q, STACK_OF(X509) * *ret, struct fault *f)
{
    AUTO(borrowed_stack_free) STACK_OF(X509) *untrusted = sk_X509_dup(u->pinned);
    AUTO_DONE(store_context_done) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    for (int i = 0; untrusted && i < sk_X509_num(q->rest); i++)
        if (sk_X509_push(untrusted, sk_X509_value(q->rest, i)) <= 0)
            return E_INTERNAL;
    if (!untrusted || !ctx || X509_STORE_CTX_init(ctx, u->store, q->leaf, untrusted) != 1)
        return E_INTERNAL;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)instant_unix(q->at));
    X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(param, CHAIN_SECURITY_LEVEL);
    /* Without these OpenSSL passes over the CAs' policy constraints; any policy that survives them is good.
     */
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_POLICY_CHECK) != 1 ||
        X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)) != 1)
        return E_INTERNAL;
    if (X509_verify_cert(ctx) != 1)
        return chain_fault(f, X509_STORE_CTX_get_error(ctx), X509_STORE_CTX_get_error_depth(ctx));
    AUTO(certificate_stack_free) STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(ctx);
    if (!leads_through_pinned(u, chain))
        return fault_set(f, E_CHAIN, "issuer", "a listed intermediate", "another one below the same root");
    *ret = TAKE(chain);
    return E_OK;
}

static bool
is_issued_by_pinned(const struct use_list *u, const X509 *leaf)
{
    for (int i = 0; i < sk_X509_num(u->pinned); i++)
        if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(u->pinned, i)), X509_get_issuer_name(leaf)) ==
            0)
            return true;
    return false;
}

/* The use under which the leaf stands: first where its issuer is a pinned intermediate, then the others.  The
 * first fault is told: the use whose intermediate issued the leaf knows best what is wrong with it. */
static err
find_use(const struct trust *t, const struct question *q, enum trust_use *ret_use,
         STACK_OF(X509) * *ret_chain, struct fault *f)
{
    struct fault first;
    fault_init(&first);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < USE_COUNT; i++) {
            const struct use_list *u = &t->use[i];
            if (!u->store || is_issued_by_pinned(u, q->leaf) != (pass == 0))
                continue;
            err e = build_chain(u, q, ret_chain, &first);
            if (e == E_OK)
                *ret_use = (enum trust_use)i;
            if (e == E_OK || e == E_INTERNAL)
                return e;
        }
    if (first.code == E_OK)
        return fault_set(f, E_CHAIN, "certificate", "a chain to a listed root", "no root is listed");
    return fault_set(f, first.code, first.where, first.expected, first.found);
}

static void
narrow(struct judgement *j, instant from, instant until)
{
    if (from.us > j->from.us)
        j->from = from;
    if (until.us < j->until.us)
        j->until = until;
}

/* Level and window from the freshest list that speaks for the leaf. */
static void
judge_freshness(struct judgement *j, instant next_update, instant at)
{
    instant grace_end = instant_add(next_update, CRL_GRACE);
    instant long_ago = {INT64_MIN}, far = {INT64_MAX};
    if (at.us <= next_update.us) {
        j->level = LEVEL_VERIFIED_CRL;
        narrow(j, long_ago, next_update);
    } else if (at.us <= grace_end.us) {
        j->level = LEVEL_CACHED_WITHIN_GRACE;
        narrow(j, (instant){next_update.us + 1}, grace_end);
    } else {
        j->level = LEVEL_PENDING;
        narrow(j, (instant){grace_end.us + 1}, far);
    }
}

static err
judge_revocation(const struct use_list *u, STACK_OF(X509) * chain, instant at, struct judgement *j,
                 struct fault *f)
{
    instant freshest = INSTANT_NONE;
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        for (size_t k = 0; k < u->n_crls; k++) {
            X509 *x = sk_X509_value(chain, i);
            const struct crl *c = u->crls[k];
            if (!crl_knows(c, x))
                continue;
            if (crl_revokes(c, x, at, &j->until))
                return fault_set(f, E_CERT_REVOKED, i == 0 ? "certificate" : "issuer",
                                 "a certificate that is not revoked", "on the issuer's list");
            if (i == 0 && crl_covers(c, x) && crl_next_update(c).us > freshest.us)
                freshest = crl_next_update(c);
        }
    j->level = LEVEL_PENDING;
    if (freshest.us != 0)
        judge_freshness(j, freshest, at);
    return E_OK;
}

static void
judge_validity(STACK_OF(X509) * chain, struct judgement *j)
{
    *j = (struct judgement){.from = {INT64_MIN}, .until = {INT64_MAX}};
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x = sk_X509_value(chain, i);
        instant end = certificate_time(X509_get0_notAfter(x), NULL);
        /* OpenSSL counts the second of notAfter as past. */
        narrow(j, certificate_time(X509_get0_notBefore(x), NULL), (instant){end.us - 1});
    }
}

/* Presented certificates that cannot be read only fail to help. */
static err
parse_rest(const view *rest_der, size_t n_rest, STACK_OF(X509) * *ret)
{
    AUTO(certificate_stack_free) STACK_OF(X509) *rest = sk_X509_new_null();
    if (!rest)
        return E_INTERNAL;
    for (size_t i = 0; i < n_rest && i < REST_MAX; i++) {
        X509 *x = NULL;
        if (certificate_parse(rest_der[i], &x, NULL) != E_OK)
            continue;
        if (sk_X509_push(rest, x) <= 0) {
            X509_free(x);
            return E_INTERNAL;
        }
    }
    *ret = TAKE(rest);
    return E_OK;
}

/* Everything that OpenSSL has to be asked for; the answer's key is counted up. */
static err
judge_anew(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at,
           struct leaf *ret, struct fault *f)
{
    AUTO(X509_free) X509 *x = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *rest = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *chain = NULL;
    struct leaf leaf = {0};
    TRY(certificate_parse(leaf_der, &x, f));
    TRY(certificate_describe(x, leaf_der, &leaf.facts, f));
    TRY(parse_rest(rest_der, n_rest, &rest));
    enum trust_use use = USE_COUNT;
    struct question q = {.leaf = x, .rest = rest, .at = at};
    TRY(find_use(t, &q, &use, &chain, f));
    if (X509_check_ca(x) != 0)
        return fault_set(f, E_CERT_USAGE, "certificate", "an end entity's certificate", "a CA's");
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = X509_get_pubkey(x);
    if (!pkey)
        return fault_set(f, E_ALGORITHM, "certificate", "a key of a known kind", "another");
    TRY(pkey_check(pkey, f));
    judge_validity(chain, &leaf.said);
    TRY(judge_revocation(&t->use[use], chain, at, &leaf.said, f));
    leaf.said.use = use;
    leaf.said.may_sign = certificate_may_sign(x);
    leaf.said.may_connect = certificate_may_connect(x);
    *ret = leaf;
    ret->pkey = TAKE(pkey);
    return E_OK;
}

/* ret holds a reference on its key; *ret_kept is set when keep is. */
static err
judge(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at, bool keep,
      struct leaf *ret, const struct leaf **ret_kept, struct fault *f)
{
    digest fingerprint = sha256(leaf_der);
    if (trust_cache_find(t->cache, &fingerprint, at, keep, ret, ret_kept))
        return E_OK;
    TRY(judge_anew(t, leaf_der, rest_der, n_rest, at, ret, f));
    *ret_kept = trust_cache_put(t->cache, ret, keep);
    return E_OK;
}

static void
leaf_done(struct leaf *leaf)
{
    EVP_PKEY_free(leaf->pkey);
}

static err
usage_fault(struct fault *f, const char *expected)
{
    return fault_set(f, E_CERT_USAGE, "certificate.keyUsage", expected, "another usage");
}

err
trust_judge(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at,
            struct signer *ret_signer, enum evidence_level *ret_level, void **ret_pkey, struct fault *f)
{
    AUTO_DONE(leaf_done) struct leaf leaf = {0};
    const struct leaf *kept = NULL;
    TRY(judge(t, leaf_der, rest_der, n_rest, at, true, &leaf, &kept, f));
    if (!leaf.said.may_sign)
        return usage_fault(f, "digitalSignature or nonRepudiation, for documents");
    certificate_signer(&kept->facts, ret_signer);
    ret_signer->use = leaf.said.use;
    *ret_level = leaf.said.level;
    *ret_pkey = kept->pkey;
    return E_OK;
}

static void
drop_pkey(void *pkey)
{
    EVP_PKEY_free(pkey);
}

err
trust_judge_copy(const struct trust *t, view leaf_der, const view *rest_der, size_t n_rest, instant at,
                 arena *mem, struct signer *ret_signer, enum evidence_level *ret_level, void **ret_pkey,
                 struct fault *f)
{
    AUTO_DONE(leaf_done) struct leaf leaf = {0};
    const struct leaf *kept = NULL;
    TRY(judge(t, leaf_der, rest_der, n_rest, at, false, &leaf, &kept, f));
    if (!leaf.said.may_sign)
        return usage_fault(f, "digitalSignature or nonRepudiation, for documents");
    struct signer s;
    TRY(certificate_signer_copy(&leaf.facts, mem, &s));
    s.use = leaf.said.use;
    EVP_PKEY *pkey = leaf.pkey;
    if (!arena_defer(mem, drop_pkey, TAKE(leaf.pkey)))
        return E_TOO_LARGE;
    *ret_signer = s;
    *ret_level = leaf.said.level;
    *ret_pkey = pkey;
    return E_OK;
}

err
trust_judge_client(const struct trust *t, view leaf_der, instant at, struct signer *ret_signer,
                   struct fault *f)
{
    AUTO_DONE(leaf_done) struct leaf leaf = {0};
    const struct leaf *kept = NULL;
    TRY(judge(t, leaf_der, NULL, 0, at, true, &leaf, &kept, f));
    if (!leaf.said.may_connect)
        return usage_fault(f, "digitalSignature and, where listed, clientAuth");
    certificate_signer(&kept->facts, ret_signer);
    ret_signer->use = leaf.said.use;
    return E_OK;
}
