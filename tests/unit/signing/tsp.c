#include "sandbox_pki.h"

#include "signing/sandbox/pki_answer.h"
#include "signing/time/tsp.h"

static view
stamp(const digest *imprint, view nonce, instant at, arena *mem)
{
    AUTO(X509_free) X509 *signer = x509_of("tsa");
    AUTO(X509_free) X509 *issuer = x509_of("tsaca");
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of("tsa");
    struct pki_clock c = {.signer = signer, .signer_key = pkey, .issuer = issuer, .at = at};
    view request, response;
    cr_assert(tsp_request(digest_view(imprint), nonce, NULL, mem, &request, NULL) == E_OK);
    cr_assert(pki_answer_time(request, &c, mem, &response) == E_OK);
    return response;
}

Test(tsp, a_response_and_its_token_hold)
{
    AUTO(arena_free) arena *mem = test_arena();
    digest d = sha256(V("a head of the log"));
    instant at = instant_of_unix(instant_unix(clock_now()) - 5);
    view nonce = V("\x01\x02\x03\x04\x05\x06\x07\x08"), anchors[] = {certificate_der("root", mem)};
    view response = stamp(&d, nonce, at, mem);
    struct tsp_question q = {.imprint = digest_view(&d),
                             .nonce = nonce,
                             .policy = SANDBOX_POLICY_OID,
                             .anchors = anchors,
                             .n_anchors = 1};
    struct tsp_token t = {0};
    struct fault f;
    fault_init(&f);
    cr_assert(tsp_answer(response, &q, mem, &t, &f) == E_OK, "%s %s %s", f.where, f.expected, f.found);
    cr_expect(t.at.us == at.us && t.accuracy.us == 1000000 && t.token.n > 100);
    view leaf = certificate_der("tsa", mem);
    digest authority = sha256(leaf);
    cr_expect(digest_eq(&authority, &t.authority) && t.authority_until.us > at.us);
    struct tsp_token again = {0};
    cr_assert(tsp_token_verify(t.token, &q, mem, &again, &f) == E_OK, "%s", f.found);
    cr_expect(again.at.us == at.us && view_eq(again.token, t.token));
}

Test(tsp, what_was_not_asked_for_is_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    digest d = sha256(V("one")), other = sha256(V("two"));
    instant at = instant_of_unix(instant_unix(clock_now()) - 5);
    view nonce = V("\x01\x02\x03\x04\x05\x06\x07\x08"), wrong = V("\x11\x12\x13\x14\x15\x16\x17\x18");
    view root[] = {certificate_der("root", mem)}, rogue[] = {certificate_der("rogue", mem)};
    view response = stamp(&d, nonce, at, mem), bare = stamp(&d, V(""), at, mem);
    view ahead = stamp(&d, nonce, instant_add(at, SPAN_DAYS(1)), mem);
    view early = stamp(&d, nonce, instant_add(at, SPAN_DAYS(-300)), mem);
    const struct {
        const char *name;
        view response;
        struct tsp_question q;
        err code;
    } cases[] = {
        {"as asked",
         response,
         {.imprint = digest_view(&d), .nonce = nonce, .anchors = root, .n_anchors = 1},
         E_OK},
        {"other bytes",
         response,
         {.imprint = digest_view(&other), .nonce = nonce, .anchors = root, .n_anchors = 1},
         E_TIME_STAMP},
        {"other nonce",
         response,
         {.imprint = digest_view(&d), .nonce = wrong, .anchors = root, .n_anchors = 1},
         E_TIME_STAMP},
        {"no nonce",
         bare,
         {.imprint = digest_view(&d), .nonce = nonce, .anchors = root, .n_anchors = 1},
         E_TIME_STAMP},
        {"other policy",
         response,
         {.imprint = digest_view(&d), .policy = "1.2.3", .anchors = root, .n_anchors = 1},
         E_TIME_STAMP},
        {"other root", response, {.imprint = digest_view(&d), .anchors = rogue, .n_anchors = 1}, E_CHAIN},
        {"from the future",
         ahead,
         {.imprint = digest_view(&d), .anchors = root, .n_anchors = 1, .latest = at},
         E_TIME_STAMP},
        {"before the authority's certificate",
         early,
         {.imprint = digest_view(&d), .anchors = root, .n_anchors = 1},
         E_CERT_TIME},
        {"no response",
         V("hello"),
         {.imprint = digest_view(&d), .anchors = root, .n_anchors = 1},
         E_TIME_STAMP},
        {"nothing", V(""), {.imprint = digest_view(&d), .anchors = root, .n_anchors = 1}, E_TIME_STAMP},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tsp_token t;
        struct fault f;
        fault_init(&f);
        err e = tsp_answer(cases[i].response, &cases[i].q, mem, &t, &f);
        cr_expect(e == cases[i].code, "%s: %s, %s", cases[i].name, err_info(e)->code, f.found);
    }
}

/* No changed byte gives an accepted token with another time or another imprint. */
Test(tsp, every_byte_of_a_response)
{
    AUTO(arena_free) arena *mem = test_arena();
    digest d = sha256(V("one"));
    instant at = instant_of_unix(instant_unix(clock_now()) - 5);
    view root[] = {certificate_der("root", mem)};
    view response = stamp(&d, V(""), at, mem);
    struct tsp_question q = {.imprint = digest_view(&d), .anchors = root, .n_anchors = 1};
    char *own = malloc(response.n);
    for (size_t i = 0; i < response.n; i++) {
        AUTO(arena_free) arena *each = arena_new(1 << 20);
        struct tsp_token t = {0};
        memcpy(own, response.p, response.n);
        own[i] = (char)(own[i] ^ 1);
        if (tsp_answer(view_make(own, response.n), &q, each, &t, NULL) == E_OK)
            cr_expect(t.at.us == at.us, "byte %zu", i);
    }
    free(own);
}
