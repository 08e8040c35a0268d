#include "signing/trust/trust_list.h"

#include "signing/jose/jws.h"
#include "signing/pki/chain_build.h"
#include "signing/trust/revocation_book.h"
#include "signing/trust/revocation_policy.h"

/* Certificates presented beside the leaf that are looked at. */
#define REST_MAX 6
/* How long an answer past its time is still believed (the verdict says so), where no policy says otherwise. */
#define GRACE_UNSTATED SPAN_DAYS(7)
/* Drops the list, not the certificates. */
static void
borrowed_stack_free(STACK_OF(X509) * list)
{
    sk_X509_free(list);
}
DEFINE_AUTO(STACK_OF(X509) *, borrowed_stack_free)
DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

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
chain_of_use(const struct use_list *u, const struct question *q, STACK_OF(X509) * *ret, struct fault *f)
{
    AUTO(borrowed_stack_free) STACK_OF(X509) *untrusted = sk_X509_dup(u->pinned);
    AUTO(certificate_stack_free) STACK_OF(X509) *chain = NULL;
    for (int i = 0; untrusted && i < sk_X509_num(q->rest); i++)
        if (sk_X509_push(untrusted, sk_X509_value(q->rest, i)) <= 0)
            return E_INTERNAL;
    if (!untrusted)
        return E_INTERNAL;
    struct chain_rules rules = {
        .anchors = u->store,
        .untrusted = untrusted,
        .at = q->at,
        .purpose = CHAIN_ANY,
        .policies = u->policies,
        .explicit_policy = sk_ASN1_OBJECT_num(u->policies) > 0,
        .lenient = u->lenient,
        .depth = CHAIN_DEPTH_DEFAULT,
    };
    TRY(chain_build(q->leaf, &rules, &chain, f));
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
            err e = chain_of_use(u, q, ret_chain, &first);
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

/* What the answers about one chain come to, while they are looked at. */
struct inquiry {
    STACK_OF(X509) * chain;
    instant at;
    span max_age, grace;
    struct judgement *said;
    struct revocation_answer
        best; /* the one that stays fresh longest; an OCSP answer that is fresh goes first */
    digest best_id;
    instant doubted_from; /* invalidity date of the leaf's entry on a list: OCSP has no place for one */
    err code;
    const char *where;
};

/* May the key have been in wrong hands, or out of service, at that time?  A revocation that begins later ends
 * the judgement. */
static bool
is_void(const struct revocation_answer *a, instant at, struct judgement *j)
{
    if (a->status != REVOCATION_REVOKED)
        return false;
    instant from = revocation_counts_from(a);
    if (from.us <= at.us)
        return true;
    if (from.us - 1 < j->until.us)
        j->until.us = from.us - 1;
    return false;
}

static bool
is_better(const struct inquiry *q, const struct revocation_answer *a)
{
    if (q->best.source == REVOCATION_NONE)
        return true;
    instant one = revocation_fresh_until(a, q->max_age), other = revocation_fresh_until(&q->best, q->max_age);
    bool one_fresh = q->at.us <= one.us, other_fresh = q->at.us <= other.us;
    if (one_fresh && other_fresh && a->source != q->best.source)
        return a->source == REVOCATION_OCSP;
    return one.us > other.us;
}

static void
weigh(struct inquiry *q, int depth, const struct revocation_answer *a, const digest *id, bool covers)
{
    if (is_void(a, q->at, q->said)) {
        q->code = E_CERT_REVOKED;
        q->where = depth == 0 ? "certificate" : "issuer";
    }
    if (depth == 0 && covers && a->status != REVOCATION_UNKNOWN && is_better(q, a)) {
        q->best = *a;
        q->best_id = *id;
    }
}

static void
weigh_list(void *self, const struct crl *c)
{
    struct inquiry *q = self;
    for (int i = 0; i + 1 < sk_X509_num(q->chain); i++) {
        X509 *x = sk_X509_value(q->chain, i);
        struct revocation_answer a;
        if (!crl_knows(c, x))
            continue;
        crl_say(c, x, &a);
        if (i == 0 && a.invalid_from.us != 0)
            q->doubted_from = a.invalid_from;
        weigh(q, i, &a, crl_id(c), crl_covers(c, x));
    }
}

/* Level and window from the best answer. */
static void
judge_freshness(struct inquiry *q)
{
    struct judgement *j = q->said;
    j->level = LEVEL_PENDING;
    if (q->best.source == REVOCATION_NONE)
        return;
    instant fresh_until = revocation_fresh_until(&q->best, q->max_age);
    instant grace_end = instant_add(fresh_until, q->grace);
    instant far = {INT64_MAX};
    j->used = (struct revocation_used){q->best.source, q->best.this_update, q->best_id, j->used.epoch};
    if (q->at.us <= fresh_until.us) {
        j->level = q->best.source == REVOCATION_OCSP ? LEVEL_VERIFIED_OCSP : LEVEL_VERIFIED_CRL;
        narrow(j, j->from, fresh_until);
    } else if (q->at.us <= grace_end.us) {
        j->level = LEVEL_CACHED_WITHIN_GRACE;
        narrow(j, (instant){fresh_until.us + 1}, grace_end);
    } else {
        narrow(j, (instant){grace_end.us + 1}, far);
    }
}

static err
judge_revocation(const struct trust *t, const struct use_list *u, STACK_OF(X509) * chain, instant at,
                 struct leaf *leaf, struct fault *f)
{
    const struct revocation_policy *policy = t->policy;
    struct inquiry q = {
        .chain = chain,
        .at = at,
        .max_age = policy ? policy->max_age : (span){0},
        .grace = policy ? policy->grace[leaf->facts.subject] : GRACE_UNSTATED,
        .said = &leaf->said,
        .code = E_OK,
    };
    struct revocation_answer a;
    digest id;
    for (size_t k = 0; k < u->n_crls; k++)
        weigh_list(&q, u->crls[k]);
    if (t->book)
        revocation_book_lists(t->book, weigh_list, &q);
    if (t->book && revocation_book_status(t->book, &leaf->facts.fingerprint, &a, &id)) {
        a.invalid_from = q.doubted_from;
        weigh(&q, 0, &a, &id, true);
    }
    if (q.code != E_OK)
        return fault_set(f, q.code, q.where, "a certificate that is not revoked", "revoked by its issuer");
    judge_freshness(&q);
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
    leaf.said.used.epoch = t->book ? revocation_book_epoch(t->book, &leaf.facts.fingerprint) : 0;
    TRY(judge_revocation(t, &t->use[use], chain, at, &leaf, f));
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
    if (trust_cache_find(t->cache, &fingerprint, at, keep, ret, ret_kept)) {
        if (!t->book || ret->said.used.epoch == revocation_book_epoch(t->book, &fingerprint))
            return E_OK;
        EVP_PKEY_free(TAKE(ret->pkey));
    }
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
                 arena *mem, struct signer *ret_signer, enum evidence_level *ret_level,
                 struct revocation_used *ret_used, void **ret_pkey, struct fault *f)
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
    *ret_used = leaf.said.used;
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
