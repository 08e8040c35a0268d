#include "signing/trust/revocation_policy.h"
#include "base/digest.h"
#include "base/json.h"
#include "signing/trust/revocation_book.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static err
load(const char *text, struct revocation_policy **ret, struct fault *f)
{
    char path[] = "/tmp/claimgate-policy-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    digest_start();
    json_start();
    fault_init(f);
    err e = revocation_policy_load(path, ret, f);
    unlink(path);
    return e;
}

Test(policy, built_in)
{
    AUTO(revocation_policy_unref) struct revocation_policy *p = NULL;
    cr_assert(revocation_policy_load("", &p, NULL) == E_OK);
    cr_expect(p->accept_pending && p->default_level == LEVEL_CACHED_WITHIN_GRACE && p->cool_down.us == 0);
    cr_expect(p->grace[SUBJECT_PERSON].us == SPAN_DAYS(7).us);
    cr_expect(revocation_policy_floor(p, KIND_RECEIPT, 10000000, true) == LEVEL_PENDING);
}

static const struct text_case {
    const char *text;
    err code;
} text_cases[] = {
    {"{}", E_OK},
    {"{\"grace_hours\":{\"hospital\":1,\"person\":0}}", E_OK},
    {"{\"pending\":\"refuse\",\"default_level\":\"verified-ocsp\",\"max_age_hours\":24}", E_OK},
    {"[]", E_CONFIG},
    {"{\"grace\":{}}", E_CONFIG},
    {"{\"grace_hours\":{\"doctor\":1}}", E_CONFIG},
    {"{\"grace_hours\":{\"person\":-1}}", E_CONFIG},
    {"{\"grace_hours\":{\"person\":\"1\"}}", E_CONFIG},
    {"{\"grace_hours\":{\"person\":9000}}", E_CONFIG},
    {"{\"pending\":\"maybe\"}", E_CONFIG},
    {"{\"default_level\":\"refused\"}", E_CONFIG},
    {"{\"default_level\":\"registered-key\"}", E_CONFIG},
    {"{\"floors\":[{\"kind\":\"receipt\"}]}", E_CONFIG},
    {"{\"floors\":[{\"kind\":\"paper\",\"level\":\"pending\"}]}", E_CONFIG},
    {"{\"floors\":[{\"amount\":-1,\"level\":\"pending\"}]}", E_CONFIG},
    {"{\"floors\":{}}", E_CONFIG},
    {"hello", E_JSON_SYNTAX},
};

Test(policy, texts)
{
    for (size_t i = 0; i < COUNT_OF(text_cases); i++) {
        AUTO(revocation_policy_unref) struct revocation_policy *p = NULL;
        struct fault f;
        err e = load(text_cases[i].text, &p, &f);
        cr_expect(e == text_cases[i].code, "%s: %s", text_cases[i].text, err_info(e)->code);
        cr_expect((p != NULL) == (e == E_OK));
    }
}

Test(policy, floors_by_kind_amount_and_new_signers)
{
    AUTO(revocation_policy_unref) struct revocation_policy *p = NULL;
    struct fault f;
    cr_assert(load("{\"floors\":[{\"kind\":\"receipt\",\"amount\":300000,\"level\":\"verified-ocsp\"},"
                   "{\"amount\":50000,\"level\":\"verified-crl\"}],\"cool_down_hours\":72,"
                   "\"cool_down_level\":\"cached-within-grace\"}",
                   &p, &f) == E_OK);
    cr_expect(revocation_policy_floor(p, KIND_RECEIPT, 49999, false) == LEVEL_PENDING);
    cr_expect(revocation_policy_floor(p, KIND_RECEIPT, 50000, false) == LEVEL_VERIFIED_CRL);
    cr_expect(revocation_policy_floor(p, KIND_RECEIPT, 300000, false) == LEVEL_VERIFIED_OCSP);
    cr_expect(revocation_policy_floor(p, KIND_CERTIFICATE, 300000, false) == LEVEL_VERIFIED_CRL);
    cr_expect(revocation_policy_floor(p, KIND_CERTIFICATE, 0, true) == LEVEL_CACHED_WITHIN_GRACE);
    cr_expect(revocation_policy_floor(p, KIND_RECEIPT, 300000, true) == LEVEL_VERIFIED_OCSP);
}

static struct revocation_answer
good_at(int64_t this_update)
{
    return (struct revocation_answer){
        .source = REVOCATION_OCSP, .status = REVOCATION_GOOD, .this_update = {this_update}};
}

/* A replayed good answer must not push out a newer one, whatever that says. */
Test(book, an_older_answer_is_refused)
{
    digest_start();
    AUTO(revocation_book_free) struct revocation_book *b = revocation_book_new();
    digest leaf = sha256(V("leaf")), other = sha256(V("other")), id;
    struct revocation_answer first = good_at(100), revoked = good_at(200), got;
    revoked.status = REVOCATION_REVOKED;
    uint64_t before = revocation_book_epoch(b, &leaf);
    cr_assert(revocation_book_put_status(b, &leaf, &first, V("one"), NULL) == E_OK);
    cr_expect(revocation_book_epoch(b, &leaf) != before, "judgements are asked anew");
    cr_assert(revocation_book_put_status(b, &leaf, &revoked, V("two"), NULL) == E_OK);
    cr_expect(revocation_book_put_status(b, &leaf, &first, V("one"), NULL) == E_REVOCATION_ANSWER);
    cr_assert(revocation_book_status(b, &leaf, &got, &id));
    digest two = sha256(V("two"));
    cr_expect(got.status == REVOCATION_REVOKED && digest_eq(&id, &two));
    cr_expect(!revocation_book_status(b, &other, &got, &id));
}

Test(book, is_bounded)
{
    digest_start();
    AUTO(revocation_book_free) struct revocation_book *b = revocation_book_new();
    digest fingerprint = sha256(V("leaf")), id;
    struct revocation_answer a = good_at(100), got;
    for (uint32_t i = 0; i < 100; i++) {
        memcpy(fingerprint.b + 8, &i, sizeof i);
        cr_assert(revocation_book_put_status(b, &fingerprint, &a, V("one"), NULL) == E_OK);
    }
    size_t kept = 0;
    for (uint32_t i = 0; i < 100; i++) {
        memcpy(fingerprint.b + 8, &i, sizeof i);
        kept += revocation_book_status(b, &fingerprint, &got, &id);
    }
    cr_expect(kept == 8, "%zu of one bucket", kept);
}
