/* What a trust list learns after it was read: lists and responses that came from outside, verified against its
 * CAs and put into the book. */
#include "signing/trust/trust_list.h"

#include "signing/cms/der.h"
#include "signing/trust/authority.h"
#include "signing/trust/revocation_book.h"
#include "signing/trust/revocation_policy.h"

#include <openssl/err.h>

void
trust_use(struct trust *t, struct revocation_book *book, struct revocation_policy *policy,
          struct authority_rules *authority)
{
    t->book = book;
    revocation_policy_unref(t->policy);
    t->policy = policy ? revocation_policy_ref(policy) : NULL;
    authority_rules_unref(t->authority);
    t->authority = authority ? authority_rules_ref(authority) : NULL;
}

const struct authority_rules *
trust_authority(const struct trust *t)
{
    return t->authority;
}

const struct revocation_policy *
trust_policy(const struct trust *t)
{
    return t->policy;
}

static void
borrowed_stack_free(STACK_OF(X509) * list)
{
    sk_X509_free(list);
}
DEFINE_AUTO(STACK_OF(X509) *, borrowed_stack_free)

/* Roots and pinned intermediates of all uses, borrowed. */
static STACK_OF(X509) * all_cas(const struct trust *t)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    for (int i = 0; all && i < USE_COUNT; i++) {
        const struct use_list *u = &t->use[i];
        for (int k = 0; k < sk_X509_num(u->roots); k++)
            sk_X509_push(all, sk_X509_value(u->roots, k));
        for (int k = 0; k < sk_X509_num(u->pinned); k++)
            sk_X509_push(all, sk_X509_value(u->pinned, k));
    }
    return all;
}

struct gathering {
    arena *mem;
    struct revocation_entry *entries;
    size_t n, room;
    bool failed;
};

static void
count_entry(void *self, view issuer, view serial, const struct revocation_answer *a)
{
    (void)issuer;
    (void)serial;
    (void)a;
    ((struct gathering *)self)->room++;
}

static void
gather_entry(void *self, view issuer, view serial, const struct revocation_answer *a)
{
    struct gathering *g = self;
    if (g->failed || g->n == g->room)
        return;
    view own_issuer = g->n > 0 ? g->entries[0].issuer : arena_dup(g->mem, issuer);
    view own_serial = arena_dup(g->mem, serial);
    g->failed = !own_issuer.p || !own_serial.p;
    if (!g->failed)
        g->entries[g->n++] = (struct revocation_entry){own_issuer, own_serial, *a};
}

err
trust_learn_list(const struct trust *t, view bytes, instant now, arena *mem, struct revocation_news *ret,
                 struct fault *f)
{
    AUTO(borrowed_stack_free) STACK_OF(X509) *cas = all_cas(t);
    AUTO(crl_free) struct crl *list = NULL;
    if (!cas || !t->book)
        return E_INTERNAL;
    TRY(crl_read(bytes, cas, &list, f));
    struct revocation_answer a = {.this_update = crl_this_update(list), .next_update = crl_next_update(list)};
    span max_age = t->policy ? t->policy->max_age : (span){0};
    if (!revocation_is_fresh(&a, now, max_age))
        return fault_set(f, E_REVOCATION_ANSWER, "list", "a current list", "one from another time");
    struct gathering g = {.mem = mem};
    crl_each(list, count_entry, &g);
    g.entries = arena_make_array(mem, g.room + 1, struct revocation_entry);
    if (!g.entries)
        return fault_set(f, E_TOO_LARGE, "list", "", "");
    crl_each(list, gather_entry, &g);
    if (g.failed)
        return fault_set(f, E_TOO_LARGE, "list", "", "");
    struct revocation_news news = {.id = *crl_id(list),
                                   .this_update = a.this_update,
                                   .fresh_until = revocation_fresh_until(&a, max_age),
                                   .entries = g.entries,
                                   .n = g.n};
    TRY(revocation_book_put_list(t->book, TAKE(list), f));
    *ret = news;
    return E_OK;
}

static err
der_of(X509 *x, arena *mem, view *ret)
{
    unsigned char *bytes = NULL;
    int n = i2d_X509(x, &bytes);
    view copy = n > 0 ? arena_dup(mem, view_make(bytes, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(bytes);
    if (!copy.p)
        return E_TOO_LARGE;
    *ret = copy;
    return E_OK;
}

/* The CA that signed the leaf: of the list, or presented beside it. */
static err
find_issuer(const struct trust *t, view leaf_der, const view *rest, size_t n_rest, arena *mem, view *ret,
            struct fault *f)
{
    AUTO(X509_free) X509 *leaf = NULL;
    AUTO(borrowed_stack_free) STACK_OF(X509) *cas = all_cas(t);
    TRY(certificate_parse(leaf_der, &leaf, f));
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        if (X509_check_issued(ca, leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(ca)) == 1)
            return der_of(ca, mem, ret);
    }
    for (size_t i = 0; i < n_rest; i++) {
        AUTO(X509_free) X509 *ca = NULL;
        if (certificate_parse(rest[i], &ca, NULL) != E_OK)
            continue;
        if (X509_check_issued(ca, leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(ca)) == 1)
            return der_of(ca, mem, ret);
    }
    ERR_clear_error();
    return fault_set(f, E_CHAIN, "certificate", "a certificate of a known CA", "another's");
}

err
trust_learn_status(const struct trust *t, view leaf_der, const view *rest, size_t n_rest, view response,
                   view nonce, instant now, struct revocation_answer *ret, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    struct revocation_answer a;
    struct ocsp_question q = {
        .leaf = leaf_der, .nonce = nonce, .at = now, .max_age = t->policy ? t->policy->max_age : (span){0}};
    if (!t->book)
        return E_INTERNAL;
    TRY(find_issuer(t, leaf_der, rest, n_rest, mem, &q.issuer, f));
    TRY(ocsp_answer(response, &q, &a, f));
    if (a.status == REVOCATION_UNKNOWN)
        return fault_set(f, E_REVOCATION_ANSWER, "ocsp", "good or revoked", "unknown");
    digest fingerprint = sha256(leaf_der);
    TRY(revocation_book_put_status(t->book, &fingerprint, &a, response, f));
    *ret = a;
    return E_OK;
}

err
trust_ask_status(const struct trust *t, view leaf_der, const view *rest, size_t n_rest, view nonce,
                 arena *mem, view *ret, struct fault *f)
{
    view issuer;
    TRY(find_issuer(t, leaf_der, rest, n_rest, mem, &issuer, f));
    return ocsp_request(leaf_der, issuer, nonce, mem, ret, f);
}

err
trust_places(const struct trust *t, enum trust_use use, view leaf_der, arena *mem,
             struct revocation_places *ret, struct fault *f)
{
    TRY(revocation_places(leaf_der, mem, ret, f));
    if (use < USE_COUNT && t->use[use].ocsp_url)
        ret->ocsp = view_of(t->use[use].ocsp_url);
    if (use < USE_COUNT && t->use[use].crl_url)
        ret->crl = view_of(t->use[use].crl_url);
    return E_OK;
}

size_t
trust_list_places(const struct trust *t, const char **ret, size_t max)
{
    size_t n = 0;
    for (int i = 0; i < USE_COUNT && n < max; i++)
        if (t->use[i].crl_url)
            ret[n++] = t->use[i].crl_url;
    return n;
}

bool
trust_has_news(const struct trust *t, const digest *fingerprint, const struct revocation_used *used)
{
    return t->book && revocation_book_epoch(t->book, fingerprint) != used->epoch;
}

view
trust_response(const struct trust *t, const digest *fingerprint, arena *mem)
{
    return t->book ? revocation_book_response(t->book, fingerprint, mem) : VIEW_NONE;
}

size_t
trust_anchors(const struct trust *t, enum trust_use use, arena *mem, view *ret, size_t max)
{
    size_t n = 0;
    for (int i = 0; i < sk_X509_num(t->use[use].roots) && n < max; i++)
        if (der_of(sk_X509_value(t->use[use].roots, i), mem, &ret[n]) == E_OK)
            n++;
    return n;
}

size_t
certificates_split(view chain, view *ret, size_t max)
{
    size_t n = 0;
    struct der_item item;
    while (n < max && der_take(&chain, DER_SEQUENCE, &item))
        ret[n++] = item.whole;
    return n;
}

bool
certificate_issued(view der, view *ret_issuer, view *ret_serial)
{
    return der_certificate_names(der, ret_issuer, ret_serial);
}
