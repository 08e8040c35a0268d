/* Certificate paths: NIST's PKITS, x509-limbo and the chains of BoringSSL's verifier. */
#include "conformance/conformance.h"
#include "conformance/pem.h"

#include "base/text.h"
#include "signing/pki/chain.h"

#define CERTIFICATES_MAX 64
#define POLICIES_MAX 16

/* Refusals by a rule that is ours and has a code of its own: weak algorithms, the strict profile, what an anchor
 * says of itself. */
static bool
is_policy(err e, const struct fault *f)
{
    return e == E_ALGORITHM || e == E_WEAK_DIGEST || e == E_CERT_PROFILE || strcmp(f->where, "anchor") == 0;
}

static void
count(struct conformance_run *r, view id, bool accept, err e, const struct fault *f)
{
    enum conformance_outcome outcome = (e == E_OK) == accept ? CONFORMANCE_AGREE
                                       : e == E_OK           ? CONFORMANCE_WRONG_ACCEPT
                                       : is_policy(e, f)     ? CONFORMANCE_POLICY_REJECT
                                                             : CONFORMANCE_WRONG_REJECT;
    conformance_case(r, id, outcome, "%s at %s: %s", err_info(e)->code, f->where, f->found);
}

static err
read_files(struct conformance_run *r, const json_t *names, view *ret, size_t *ret_n, struct fault *f)
{
    *ret_n = json_array_size(names);
    if (*ret_n > CERTIFICATES_MAX)
        return fault_set(f, E_TOO_LARGE, r->path, "at most 64 files in a case", "more");
    for (size_t i = 0; i < *ret_n; i++)
        TRY(conformance_file(r, text_at(names, i), &ret[i], f));
    return E_OK;
}

/* NIST's test policies are numbered below one arc. */
static size_t
pkits_policies(view words, arena *mem, const char **ret)
{
    size_t n = 0;
    bool more = words.n > 0;
    while (more && n < POLICIES_MAX) {
        view word = view_cut(&words, ',', &more);
        size_t at = view_find(word, V("NIST-test-policy-"));
        if (at == 0)
            ret[n++] = arena_printf(mem, "2.16.840.1.101.3.2.1.48.%.*s",
                                    VIEW_ARG(view_sub(word, sizeof "NIST-test-policy-" - 1, word.n)))
                           .p;
    }
    return n;
}

static err
judge_pkits(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view certs[CERTIFICATES_MAX], crls[CERTIFICATES_MAX];
    const char *policies[POLICIES_MAX];
    size_t n, n_crls;
    TRY(read_files(r, json_member(one, "certs"), certs, &n, f));
    TRY(read_files(r, json_member(one, "crls"), crls, &n_crls, f));
    const json_t *settings = json_member(one, "settings");
    struct chain_request rq = {
        .leaf = certs[n - 1],
        .rest = certs + 1,
        .n_rest = n > 2 ? n - 2 : 0,
        .anchors = certs,
        .n_anchors = 1,
        .crls = crls,
        .n_crls = n_crls,
        .policies = policies,
        .n_policies = pkits_policies(json_text(settings, "InitialPolicySet"), r->mem, policies),
        .explicit_policy = view_eq(json_text(settings, "InitialExplicitPolicy"), V("true")),
        .depth = CHAIN_DEPTH_DEFAULT,
    };
    TRY(instant_parse(V("2011-04-15T00:00:00Z"), &rq.at, NULL));
    struct fault why;
    fault_init(&why);
    err e = chain_judge(&rq, &why);
    count(r, json_text(one, "id"), view_eq(json_text(one, "expect"), V("accept")), e, &why);
    return E_OK;
}

err
conformance_pkits(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_pkits, f);
}

/* PEM texts of an array, in order. */
static size_t
limbo_blocks(const json_t *array, const char *label, arena *mem, view *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(array) && n < CERTIFICATES_MAX; i++)
        n += pem_all(text_at(array, i), label, mem, ret + n, CERTIFICATES_MAX - n);
    return n;
}

static enum chain_name
name_kind_of(view word)
{
    return view_eq(word, V("DNS"))      ? CHAIN_NAME_HOST
           : view_eq(word, V("IP"))     ? CHAIN_NAME_ADDRESS
           : view_eq(word, V("RFC822")) ? CHAIN_NAME_EMAIL
                                        : CHAIN_NAME_NONE;
}

static err
judge_limbo(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view anchors[CERTIFICATES_MAX], rest[CERTIFICATES_MAX], crls[CERTIFICATES_MAX], leaf[1];
    const json_t *peer = json_member(one, "expected_peer_name");
    if (pem_all(json_text(one, "peer_certificate"), "CERTIFICATE", r->mem, leaf, 1) != 1)
        return fault_set(f, E_SYNTAX, r->path, "a certificate in PEM", "another text");
    struct chain_request rq = {
        .leaf = leaf[0],
        .rest = rest,
        .n_rest = limbo_blocks(json_member(one, "untrusted_intermediates"), "CERTIFICATE", r->mem, rest),
        .anchors = anchors,
        .n_anchors = limbo_blocks(json_member(one, "trusted_certs"), "CERTIFICATE", r->mem, anchors),
        .crls = crls,
        .n_crls = limbo_blocks(json_member(one, "crls"), "X509 CRL", r->mem, crls),
        .purpose = view_eq(json_text(one, "validation_kind"), V("CLIENT")) ? CHAIN_CLIENT : CHAIN_SERVER,
        .depth = (int)json_int(one, "max_chain_depth", CHAIN_DEPTH_DEFAULT),
        .name_kind = name_kind_of(json_text(peer, "kind")),
        .name = arena_cstr(r->mem, json_text(peer, "value")),
        .at = clock_now(),
    };
    view at = json_text(one, "validation_time");
    if (at.n > 0)
        TRY(instant_parse(at, &rq.at, NULL));
    struct fault why;
    fault_init(&why);
    err e = chain_judge(&rq, &why);
    count(r, json_text(one, "id"), view_eq(json_text(one, "expected_result"), V("SUCCESS")), e, &why);
    return E_OK;
}

static err
each_limbo(struct conformance_run *r, bool webpki, struct fault *f)
{
    view text;
    json_t *all;
    TRY(conformance_file(r, V("limbo.json"), &text, f));
    TRY(json_load(text, r->mem, &all, f));
    const json_t *cases = json_member(all, "testcases");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        if (view_starts(json_text(one, "id"), V("webpki::")) == webpki)
            TRY(judge_limbo(r, one, f));
    }
    return E_OK;
}

err
conformance_limbo(struct conformance_run *r, struct fault *f)
{
    return each_limbo(r, false, f);
}

/* Rules of browsers, counted apart: a gateway's partners are not web sites. */
err
conformance_limbo_webpki(struct conformance_run *r, struct fault *f)
{
    return each_limbo(r, true, f);
}

/* What a case asks for by one word each. */
static const struct purpose_row {
    const char *word;
    enum chain_purpose purpose;
    bool leaf_states, path_states;
} purposes[] = {
    {"ANY_EKU", CHAIN_ANY, false, false},
    {"CLIENT_AUTH", CHAIN_CLIENT, false, false},
    {"CLIENT_AUTH_STRICT", CHAIN_CLIENT, true, true},
    {"CLIENT_AUTH_STRICT_LEAF", CHAIN_CLIENT, true, false},
    {"MLS_CLIENT_AUTH", CHAIN_CLIENT, true, true},
    {"SERVER_AUTH", CHAIN_SERVER, false, false},
    {"SERVER_AUTH_STRICT", CHAIN_SERVER, true, true},
    {"SERVER_AUTH_STRICT_LEAF", CHAIN_SERVER, true, false},
    {"C2PA_MANIFEST", CHAIN_DOCUMENT, true, true},
    {"C2PA_TIMESTAMPING", CHAIN_TIMESTAMP, true, true},
};

static const struct purpose_row *
purpose_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(purposes); i++)
        if (view_eq(word, view_of(purposes[i].word)))
            return &purposes[i];
    return NULL;
}

/* yymmddhhmmssZ; DEFAULT is the verifier's own fixed time. */
static err
chains_time(view text, arena *mem, instant *ret)
{
    if (view_eq(text, V("DEFAULT")))
        text = V("211005120000Z");
    if (text.n != 13)
        return E_SYNTAX;
    view iso = arena_printf(mem, "20%.2s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text.p, text.p + 2, text.p + 4,
                            text.p + 6, text.p + 8, text.p + 10);
    return instant_parse(iso, ret, NULL);
}

static err
judge_chains(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view pem, certs[CERTIFICATES_MAX], id = json_text(one, "id"), trust = json_text(one, "trust");
    TRY(conformance_file(r, json_text(one, "chain"), &pem, f));
    size_t n = pem_all(pem, "CERTIFICATE", r->mem, certs, CERTIFICATES_MAX);
    const struct purpose_row *purpose = purpose_of(json_text(one, "key_purpose"));
    if (n == 0 || !purpose)
        return fault_set(f, E_SYNTAX, r->path, "certificates and a known purpose", "another case");
    if (view_eq(trust, V("TRUSTED_LEAF_REQUIRE_SELF_SIGNED"))) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "an option of the set's own verifier");
        return E_OK;
    }
    struct chain_request rq = {
        .leaf = certs[0],
        .rest = certs + 1,
        .n_rest = n > 2 ? n - 2 : 0,
        .anchors = &certs[n - 1],
        .n_anchors = 1,
        .purpose = purpose->purpose,
        .leaf_states_usage = purpose->leaf_states,
        .path_states_usage = purpose->path_states,
        .leaf_may_be_anchor = view_ends(trust, V("LEAF")),
        .depth = CHAIN_DEPTH_DEFAULT,
    };
    TRY(chains_time(json_text(one, "utc_time"), r->mem, &rq.at));
    struct fault why;
    fault_init(&why);
    err e = chain_judge(&rq, &why);
    count(r, id, view_eq(json_text(one, "expect"), V("accept")), e, &why);
    return E_OK;
}

err
conformance_chains(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_chains, f);
}
