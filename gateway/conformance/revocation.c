/* Revocation lists and OCSP responses of BoringSSL's and OpenSSL's tests. */
#include "conformance/conformance.h"
#include "conformance/pem.h"

#include "base/text.h"
#include "signing/pki/revocation.h"

static const char *
status_word(err e, const struct revocation_answer *a)
{
    if (e != E_OK || a->status == REVOCATION_UNKNOWN)
        return "unknown";
    return a->status == REVOCATION_GOOD ? "good" : "revoked";
}

/* The set's own status; a refusal for a weak hash, or for a certificate that is no DER, has its own code and is
 * our policy. */
static void
count(struct conformance_run *r, view id, view expect, err e, const struct revocation_answer *a,
      const struct fault *f)
{
    const char *got = status_word(e, a);
    bool agrees = view_eq(expect, view_of(got));
    bool accepts = !view_eq(expect, V("unknown"));
    enum conformance_outcome outcome = agrees                                   ? CONFORMANCE_AGREE
                                       : e == E_WEAK_DIGEST || e == E_CERT_FORM ? CONFORMANCE_POLICY_REJECT
                                       : !accepts                               ? CONFORMANCE_WRONG_ACCEPT
                                       : e != E_OK                              ? CONFORMANCE_WRONG_REJECT
                                                                                : CONFORMANCE_WRONG_VALUE;
    conformance_case(r, id, outcome, "%s, not %.*s: %s %s", got, VIEW_ARG(expect), err_info(e)->code,
                     f->found);
}

static bool
first_block(view text, const char *label, arena *mem, view *ret)
{
    return pem_all(text, label, mem, ret, 1) == 1;
}

static err
judge_crl(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view text, list, leaf, issuers[2];
    struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
    instant at;
    struct fault why;
    TRY(conformance_file(r, text_at(json_member(one, "files"), 0), &text, f));
    TRY(instant_parse(V("2017-03-09T00:00:00Z"), &at, NULL));
    size_t n = pem_all(text, "CA CERTIFICATE", r->mem, issuers, 1);
    n += pem_all(text, "CA CERTIFICATE 2", r->mem, issuers + n, 1);
    if (n == 0 || !first_block(text, "CRL", r->mem, &list) ||
        !first_block(text, "CERTIFICATE", r->mem, &leaf))
        return fault_set(f, E_SYNTAX, r->path, "list, CA and certificate", "another file");
    fault_init(&why);
    /* The certificate's issuer is the last one given: with two, the first has the old key of the same name. */
    err e = crl_answer(list, leaf, issuers[n - 1], at, SPAN_DAYS(7), &a, &why);
    count(r, json_text(one, "id"), json_text(one, "expect"), e, &a, &why);
    return E_OK;
}

err
conformance_crl(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_crl, f);
}

static err
judge_boringssl(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view text, response;
    struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
    struct ocsp_question q = {.max_age = SPAN_DAYS(json_int(one, "max_age_days", 7))};
    struct fault why;
    TRY(conformance_file(r, text_at(json_member(one, "files"), 0), &text, f));
    TRY(instant_parse(json_text(one, "at"), &q.at, NULL));
    if (!first_block(text, "OCSP RESPONSE", r->mem, &response) ||
        !first_block(text, "CA CERTIFICATE", r->mem, &q.issuer) ||
        !first_block(text, "CERTIFICATE", r->mem, &q.leaf))
        return fault_set(f, E_SYNTAX, r->path, "response, CA and certificate", "another file");
    fault_init(&why);
    err e = ocsp_answer(response, &q, &a, &why);
    count(r, json_text(one, "id"), json_text(one, "expect"), e, &a, &why);
    return E_OK;
}

/* Responses of a public CA in base64, whose certificate is not given: does the response itself hold? */
static err
judge_openssl(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view text, response, ca;
    struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
    struct ocsp_question q = {.at = {0}};
    struct fault why;
    int64_t at;
    TRY(conformance_file(r, text_at(json_member(one, "files"), 0), &text, f));
    TRY(conformance_file(r, json_text(one, "ca"), &ca, f));
    TRY(text_to_i64(json_text(one, "at"), &at));
    q.at = instant_of_unix(at);
    if (!pem_body(text, r->mem, &response) || !first_block(ca, "CERTIFICATE", r->mem, &q.issuer))
        return fault_set(f, E_SYNTAX, r->path, "response and CA", "another file");
    fault_init(&why);
    err e = ocsp_answer(response, &q, &a, &why);
    bool accept = view_eq(json_text(one, "expect"), V("accept"));
    enum conformance_outcome outcome = (e == E_OK) == accept ? CONFORMANCE_AGREE
                                       : e == E_OK           ? CONFORMANCE_WRONG_ACCEPT
                                       : e == E_WEAK_DIGEST  ? CONFORMANCE_POLICY_REJECT
                                                             : CONFORMANCE_WRONG_REJECT;
    conformance_case(r, json_text(one, "id"), outcome, "%s %s", err_info(e)->code, why.found);
    return E_OK;
}

static err
judge_ocsp(struct conformance_run *r, const json_t *one, struct fault *f)
{
    return view_starts(json_text(one, "id"), V("openssl/")) ? judge_openssl(r, one, f)
                                                            : judge_boringssl(r, one, f);
}

err
conformance_ocsp(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_ocsp, f);
}
