/* RFC 3161 responses with their authorities' chains. */
#include "conformance/conformance.h"
#include "conformance/pem.h"

#include "base/text.h"
#include "signing/time/tsp.h"
#include "signing/trust/trust.h"

#define CERTIFICATES_MAX 16

/* The chain file holds authority, intermediates and root together: the certificate at the end is the anchor. */
static err
judge(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view response, pem, certs[CERTIFICATES_MAX], message;
    struct tsp_token token;
    struct fault why;
    TRY(conformance_file(r, text_at(json_member(one, "files"), 0), &response, f));
    TRY(conformance_file(r, json_text(one, "chain"), &pem, f));
    TRY(text_hex_decode(json_text(one, "message_hex"), r->mem, &message));
    size_t n = pem_all(pem, "CERTIFICATE", r->mem, certs, CERTIFICATES_MAX);
    if (n == 0)
        return fault_set(f, E_SYNTAX, r->path, "a chain in PEM", "another file");
    struct tsp_question q = {
        .data = message, .anchors = &certs[n - 1], .n_anchors = 1, .rest = certs, .n_rest = n - 1};
    fault_init(&why);
    err e = tsp_answer(response, &q, r->mem, &token, &why);
    view expect = json_text(one, "expect");
    bool accept = view_eq(expect, V("accept")), open = !accept && !view_eq(expect, V("reject"));
    enum conformance_outcome outcome = open                    ? CONFORMANCE_EITHER
                                       : (e == E_OK) == accept ? CONFORMANCE_AGREE
                                       : e == E_OK             ? CONFORMANCE_WRONG_ACCEPT
                                       : e == E_ALGORITHM || e == E_WEAK_DIGEST || e == E_CERT_PROFILE
                                           ? CONFORMANCE_POLICY_REJECT
                                           : CONFORMANCE_WRONG_REJECT;
    conformance_case(r, json_text(one, "id"), outcome, "%s at %s: %s", err_info(e)->code, why.where,
                     why.found);
    return E_OK;
}

err
conformance_rfc3161(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge, f);
}
