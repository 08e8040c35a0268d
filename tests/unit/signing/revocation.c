#include "sandbox_pki.h"

#include "signing/pki/revocation.h"
#include "signing/sandbox/pki_answer.h"
#include "signing/trust/trust_list.h"

static const struct pki_revoked *
always(void *self, const ASN1_INTEGER *serial)
{
    (void)serial;
    return self;
}

/* One answer of the sandbox, made as a case wants it. */
struct ocsp_case {
    const char *name;
    const char *signer;                 /* whose certificate and key */
    bool spoilt;                        /* the signature is another key's */
    int reason;                         /* -1: good */
    int64_t this_s, next_s, produced_s; /* from now; next 0: not stated */
    const char *about;                  /* the leaf that is asked for; NULL: h1 */
    err code;
    enum revocation_status status;
};

static const struct ocsp_case ocsp_cases[] = {
    {"the responder's word", "hca-ocsp", false, -1, -60, 3600, -60, NULL, E_OK, REVOCATION_GOOD},
    {"the issuer's own word", "hca", false, -1, -60, 3600, -60, NULL, E_OK, REVOCATION_GOOD},
    {"without nextUpdate", "hca-ocsp", false, -1, -60, 0, -60, NULL, E_OK, REVOCATION_GOOD},
    {"revoked", "hca-ocsp", false, 1, -60, 3600, -60, NULL, E_OK, REVOCATION_REVOKED},
    {"another authority's responder", "gca-ocsp", false, -1, -60, 3600, -60, NULL, E_REVOCATION_ANSWER, 0},
    {"a signer of documents", "h1", false, -1, -60, 3600, -60, NULL, E_REVOCATION_ANSWER, 0},
    {"the responder with a wrong key", "hca-ocsp", true, -1, -60, 3600, -60, NULL, E_REVOCATION_ANSWER, 0},
    {"nobody's responder", "rogue", false, -1, -60, 3600, -60, NULL, E_REVOCATION_ANSWER, 0},
    {"replayed after its time", "hca-ocsp", false, -1, -7200, -3600, -7200, NULL, E_REVOCATION_ANSWER, 0},
    {"from the future", "hca-ocsp", false, -1, 600, 3600, 600, NULL, E_REVOCATION_ANSWER, 0},
    {"made in the future", "hca-ocsp", false, -1, -60, 3600, 600, NULL, E_REVOCATION_ANSWER, 0},
    {"older than the policy allows", "hca-ocsp", false, -1, -10 * 86400, 3600, -60, NULL, E_REVOCATION_ANSWER,
     0},
    {"about another certificate", "hca-ocsp", false, -1, -60, 3600, -60, "h2", E_REVOCATION_ANSWER, 0},
};

static view
answer_of(const struct ocsp_case *c, view nonce, arena *mem)
{
    AUTO(X509_free) X509 *issuer = x509_of("hca");
    AUTO(X509_free) X509 *signer = x509_of(c->signer);
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of(c->signer);
    instant now = clock_now();
    struct pki_revoked entry = {.at = instant_add(now, SPAN_SECONDS(-3600)), .reason = c->reason};
    struct pki_status s = {.issuer = issuer,
                           .signer = signer,
                           .signer_key = pkey,
                           .produced_at = instant_add(now, SPAN_SECONDS(c->produced_s)),
                           .this_update = instant_add(now, SPAN_SECONDS(c->this_s)),
                           .find = c->reason >= 0 ? always : NULL,
                           .self = &entry};
    if (c->next_s != 0)
        s.next_update = instant_add(now, SPAN_SECONDS(c->next_s));
    view request, response;
    view about = certificate_der(c->about ? c->about : "h1", mem);
    cr_assert(ocsp_request(about, certificate_der("hca", mem), nonce, mem, &request, NULL) == E_OK);
    cr_assert(pki_answer_status(request, &s, mem, &response) == E_OK, "%s", c->name);
    /* Signed by somebody else's key: the end of the signature, which stands before the certificate, is another. */
    if (c->spoilt) {
        size_t certificate = view_find(response, certificate_der(c->signer, mem));
        cr_assert(certificate < response.n);
        ((char *)response.p)[certificate - 10] ^= 1;
    }
    return response;
}

static err
judge(view response, view nonce, bool need, arena *mem, struct revocation_answer *a, struct fault *f)
{
    struct ocsp_question q = {.leaf = certificate_der("h1", mem),
                              .issuer = certificate_der("hca", mem),
                              .nonce = nonce,
                              .need_nonce = need,
                              .at = clock_now(),
                              .max_age = SPAN_DAYS(7)};
    fault_init(f);
    return ocsp_answer(response, &q, a, f);
}

Test(ocsp, answers)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(ocsp_cases); i++) {
        const struct ocsp_case *c = &ocsp_cases[i];
        struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
        struct fault f;
        err e = judge(answer_of(c, V(""), mem), V(""), false, mem, &a, &f);
        cr_expect(e == c->code && f.code == e, "%s: %s, %s", c->name, err_info(e)->code, f.found);
        if (e == E_OK)
            cr_expect(a.status == c->status && a.source == REVOCATION_OCSP, "%s", c->name);
    }
}

Test(ocsp, nonces)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct revocation_answer a;
    struct fault f;
    view own = V("0123456789abcdef"), other = V("fedcba9876543210");
    view with = answer_of(&ocsp_cases[0], own, mem), without = answer_of(&ocsp_cases[0], V(""), mem);
    cr_expect(judge(with, own, true, mem, &a, &f) == E_OK, "%s", f.found);
    cr_expect(judge(with, other, false, mem, &a, &f) == E_REVOCATION_ANSWER);
    cr_expect(judge(without, own, false, mem, &a, &f) == E_OK);
    cr_expect(judge(without, own, true, mem, &a, &f) == E_REVOCATION_ANSWER);
}

/* No changed byte makes another word of a response: it is refused, or says the same (a copy of the responder's
 * certificate may hold unsigned parts). */
Test(ocsp, every_byte_of_a_response)
{
    AUTO(arena_free) arena *mem = test_arena();
    view response = answer_of(&ocsp_cases[3], V(""), mem);
    char *own = malloc(response.n);
    for (size_t i = 0; i < response.n; i++) {
        AUTO(arena_free) arena *each = test_arena();
        struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
        struct fault f;
        memcpy(own, response.p, response.n);
        own[i] = (char)(own[i] ^ 1);
        if (judge(view_make(own, response.n), V(""), false, each, &a, &f) == E_OK)
            cr_expect(a.status == REVOCATION_REVOKED && a.reason == 1, "byte %zu", i);
    }
    free(own);
}

Test(ocsp, bytes_that_are_no_response)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct revocation_answer a;
    struct fault f;
    const view noise[] = {V(""), V("hello"), V("\x30\x03\x0a\x01\x06"), V("\x30\x03\x0a\x01\x00")};
    for (size_t i = 0; i < COUNT_OF(noise); i++)
        cr_expect(judge(noise[i], V(""), false, mem, &a, &f) == E_REVOCATION_ANSWER, "%zu", i);
}

/* D24: what a revocation says about signatures that were made before it. */
Test(revocation, counts_from)
{
    const instant revoked = {1000}, doubt = {400}, never = {INT64_MIN};
    static const struct {
        int reason;
        int64_t invalid, from;
    } cases[] = {
        {0, 0, 1000},       {0, 400, 400},   {1, 0, INT64_MIN}, {1, 400, 400},     {2, 0, INT64_MIN},
        {3, 0, 1000},       {4, 0, 1000},    {5, 0, 1000},      {6, 0, 1000},      {9, 0, 1000},
        {10, 400, 400},     {4, 400, 400},   {8, 0, 1000},      {7, 0, INT64_MIN}, {-1, 0, INT64_MIN},
        {99, 0, INT64_MIN}, {1, 2000, 1000},
    };
    (void)doubt;
    (void)never;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct revocation_answer a = {
            .revoked_at = revoked, .reason = cases[i].reason, .invalid_from = {cases[i].invalid}};
        cr_expect(revocation_counts_from(&a).us == cases[i].from, "reason %d, invalid from %ld", a.reason,
                  (long)cases[i].invalid);
    }
}

Test(revocation, freshness)
{
    struct revocation_answer a = {.this_update = {100}, .next_update = {200}};
    span none = {0}, fifty = {50};
    cr_expect(revocation_is_fresh(&a, (instant){100}, none) && revocation_is_fresh(&a, (instant){200}, none));
    cr_expect(!revocation_is_fresh(&a, (instant){99}, none) &&
              !revocation_is_fresh(&a, (instant){201}, none));
    cr_expect(revocation_is_fresh(&a, (instant){150}, fifty) &&
              !revocation_is_fresh(&a, (instant){151}, fifty));
    a.next_update.us = 0;
    cr_expect(revocation_is_fresh(&a, (instant){150}, fifty) &&
              !revocation_is_fresh(&a, (instant){151}, fifty));
    cr_expect(revocation_is_fresh(&a, (instant){100 + SPAN_DAYS(7).us}, none));
}

Test(revocation, lists_by_bytes)
{
    AUTO(arena_free) arena *mem = test_arena();
    view list = read_whole(in_sandbox("hca.crl")), issuer = certificate_der("hca", mem);
    struct revocation_answer a;
    struct fault f;
    fault_init(&f);
    instant now = clock_now();
    cr_expect(crl_answer(list, certificate_der("h1", mem), issuer, now, SPAN_DAYS(7), &a, &f) == E_OK, "%s",
              f.found);
    cr_expect(a.status == REVOCATION_GOOD && a.source == REVOCATION_CRL);
    cr_expect(crl_answer(list, certificate_der("h1-revoked", mem), issuer, now, SPAN_DAYS(7), &a, &f) ==
              E_OK);
    cr_expect(a.status == REVOCATION_REVOKED && a.reason == 1);
    cr_expect(crl_answer(list, certificate_der("k1", mem), issuer, now, SPAN_DAYS(7), &a, &f) ==
              E_REVOCATION_ANSWER);
    cr_expect(crl_answer(list, certificate_der("h1", mem), certificate_der("gca", mem), now, SPAN_DAYS(7), &a,
                         &f) == E_REVOCATION_ANSWER);
    cr_expect(crl_answer(list, certificate_der("h1", mem), issuer, instant_add(now, SPAN_DAYS(8)),
                         SPAN_DAYS(7), &a, &f) == E_REVOCATION_ANSWER);
    cr_expect(crl_answer(list, certificate_der("h1", mem), issuer, instant_add(now, SPAN_DAYS(-8)),
                         SPAN_DAYS(7), &a, &f) == E_REVOCATION_ANSWER);
    free((void *)list.p);
}
