#include "signing/pki/chain_build.h"

#include "signing/jose/jws.h"

#include <openssl/err.h>

DEFINE_AUTO(X509_STORE_CTX *, X509_STORE_CTX_free)
DEFINE_AUTO(X509_STORE *, X509_STORE_free)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)

/* Longest way from a leaf to its root. */
#define CHAIN_DEPTH 8
/* OpenSSL's level 2: RSA and DH of 2048 bits, EC of 224, no SHA-1 or MD5 in a chain. */
#define CHAIN_SECURITY_LEVEL 2

static void
crl_stack_free(STACK_OF(X509_CRL) * list)
{
    sk_X509_CRL_pop_free(list, X509_CRL_free);
}
DEFINE_AUTO(STACK_OF(X509_CRL) *, crl_stack_free)

static void
object_stack_free(STACK_OF(ASN1_OBJECT) * list)
{
    sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
}
DEFINE_AUTO(STACK_OF(ASN1_OBJECT) *, object_stack_free)

/* OpenSSL's reasons by our codes; what has no row is E_CHAIN. */
static const struct {
    int why;
    err code;
    const char *expected;
} reasons[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, E_CERT_TIME, "a certificate that is valid at that time"},
    {X509_V_ERR_CERT_NOT_YET_VALID, E_CERT_TIME, "a certificate that is valid at that time"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, E_ALGORITHM, "RSA of 2048 bits, P-256 or better"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, E_ALGORITHM, "RSA of 2048 bits, P-256 or better"},
    {X509_V_ERR_CA_MD_TOO_WEAK, E_ALGORITHM, "a certificate signed with SHA-2"},
    {X509_V_ERR_INVALID_PURPOSE, E_CERT_USAGE, "the usage that is asked for"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, E_CERT_USAGE, "a CA that may sign certificates"},
    {X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA, E_CERT_PROFILE, "no path length in an end entity's"},
    {X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, E_CERT_PROFILE, "keyCertSign beside a path length"},
    {X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, E_CERT_PROFILE, "no keyCertSign in an end entity's"},
    {X509_V_ERR_CA_BCONS_NOT_CRITICAL, E_CERT_PROFILE, "critical basicConstraints"},
    {X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, E_CERT_PROFILE, "a CA's keyUsage"},
    {X509_V_ERR_ISSUER_NAME_EMPTY, E_CERT_PROFILE, "an issuer's name"},
    {X509_V_ERR_SUBJECT_NAME_EMPTY, E_CERT_PROFILE, "a CA's name"},
    {X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL, E_CERT_PROFILE, "a critical alternative name"},
    {X509_V_ERR_EMPTY_SUBJECT_ALT_NAME, E_CERT_PROFILE, "an alternative name that says something"},
    {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, E_CERT_PROFILE, "one signature algorithm"},
    {X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL, E_CERT_PROFILE, "no critical key identifier"},
    {X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL, E_CERT_PROFILE, "no critical key identifier"},
    {X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, E_CERT_PROFILE, "an authorityKeyIdentifier"},
    {X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, E_CERT_PROFILE, "a CA's subjectKeyIdentifier"},
    {X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3, E_CERT_PROFILE, "version 3 with extensions"},
    {X509_V_ERR_CERT_REVOKED, E_CERT_REVOKED, "a certificate that is not revoked"},
    {X509_V_ERR_UNABLE_TO_GET_CRL, E_REVOCATION_ANSWER, "a list that speaks for it"},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, E_REVOCATION_ANSWER, "a list whose signer may sign lists"},
    {X509_V_ERR_CRL_HAS_EXPIRED, E_REVOCATION_ANSWER, "a current list"},
    {X509_V_ERR_CRL_NOT_YET_VALID, E_REVOCATION_ANSWER, "a current list"},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, E_REVOCATION_ANSWER, "a list signed by the issuer"},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, E_REVOCATION_ANSWER, "a list whose signer may sign lists"},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, E_REVOCATION_ANSWER, "a list that speaks for it"},
    {X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, E_REVOCATION_ANSWER, "no unknown critical extension"},
    {X509_V_ERR_CRL_PATH_VALIDATION_ERROR, E_REVOCATION_ANSWER, "a list signer under the same anchor"},
};

static err
chain_fault(struct fault *f, X509_STORE_CTX *ctx)
{
    int why = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    int last = sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
    bool has_anchor = X509_STORE_CTX_get_num_untrusted(ctx) <= last;
    const char *where = depth == 0 ? "certificate" : depth == last && has_anchor ? "anchor" : "issuer";
    const char *found = X509_verify_cert_error_string(why);
    ERR_clear_error();
    if (why == X509_V_ERR_INVALID_CA && depth == 0)
        return fault_set(f, E_CERT_PROFILE, where, "a CA, or no keyCertSign", found);
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].why == why)
            return fault_set(f, reasons[i].code, where, reasons[i].expected, found);
    return fault_set(f, E_CHAIN, where, "a chain to a listed root", found);
}

static bool
set_name(X509_VERIFY_PARAM *param, const struct chain_rules *r)
{
    switch (r->name_kind) {
    case CHAIN_NAME_HOST:
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return X509_VERIFY_PARAM_set1_host(param, r->name, 0) == 1;
    case CHAIN_NAME_ADDRESS:
        return X509_VERIFY_PARAM_set1_ip_asc(param, r->name) == 1;
    case CHAIN_NAME_EMAIL:
        return X509_VERIFY_PARAM_set1_email(param, r->name, 0) == 1;
    case CHAIN_NAME_NONE:
        return true;
    }
    return false;
}

static bool
set_policies(X509_VERIFY_PARAM *param, const struct chain_rules *r)
{
    bool any = sk_ASN1_OBJECT_num(r->policies) <= 0;
    for (int i = 0; i < sk_ASN1_OBJECT_num(r->policies); i++) {
        ASN1_OBJECT *policy = OBJ_dup(sk_ASN1_OBJECT_value(r->policies, i));
        if (!policy || X509_VERIFY_PARAM_add0_policy(param, policy) != 1)
            return false;
    }
    /* Without a policy to ask for OpenSSL passes over the CAs' constraints; any that survives them is good. */
    return !any || X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)) == 1;
}

static bool
prepare(X509_STORE_CTX *ctx, const struct chain_rules *r)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    unsigned long flags = X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_PARTIAL_CHAIN;
    if (!r->lenient)
        flags |= X509_V_FLAG_X509_STRICT;
    if (r->explicit_policy)
        flags |= X509_V_FLAG_EXPLICIT_POLICY;
    if (r->crls) {
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                 X509_V_FLAG_USE_DELTAS;
        X509_STORE_CTX_set0_crls(ctx, r->crls);
    }
    X509_VERIFY_PARAM_set_time(param, (time_t)instant_unix(r->at));
    X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(param, CHAIN_SECURITY_LEVEL);
    return X509_VERIFY_PARAM_set_flags(param, flags) == 1 && set_policies(param, r) && set_name(param, r);
}

/* What a leaf must hold for a purpose: one of the key usages where they are stated, and the extended one. */
static const struct purpose_row {
    const char *oid;
    uint32_t usages;
} purposes[] = {
    [CHAIN_ANY] = {NULL, UINT32_MAX},
    [CHAIN_DOCUMENT] = {NULL, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
    [CHAIN_CLIENT] = {"1.3.6.1.5.5.7.3.2", KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT},
    [CHAIN_SERVER] = {"1.3.6.1.5.5.7.3.1", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT},
    [CHAIN_TIMESTAMP] = {"1.3.6.1.5.5.7.3.8", KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
};

/* RFC 3161 section 2.3: this usage alone, and critical. */
static err
check_authority_of_time(const X509 *x, struct fault *f)
{
    int at = X509_get_ext_by_NID(x, NID_ext_key_usage, -1);
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    int n = sk_ASN1_OBJECT_num(list);
    EXTENDED_KEY_USAGE_free(list);
    if (n != 1)
        return fault_set(f, E_CERT_USAGE, "certificate.extKeyUsage", "timeStamping alone", "others too");
    if (!X509_EXTENSION_get_critical(X509_get_ext(x, at)))
        return fault_set(f, E_CERT_PROFILE, "certificate.extKeyUsage", "a critical timeStamping",
                         "not critical");
    return E_OK;
}

/* OpenSSL takes old usages of two vendors for TLS and does not know anyExtendedKeyUsage in an intermediate. */
static err
check_usages(STACK_OF(X509) * chain, const struct chain_rules *r, struct fault *f)
{
    const struct purpose_row *row = &purposes[r->purpose];
    X509 *leaf = sk_X509_value(chain, 0);
    if ((X509_get_key_usage(leaf) & row->usages) == 0)
        return fault_set(f, E_CERT_USAGE, "certificate.keyUsage", "the usage that is asked for", "others");
    int n = sk_X509_num(chain);
    for (int i = 0; row->oid && (i == 0 || i + 1 < n); i++) {
        bool must = i == 0 ? r->leaf_states_usage || r->path_states_usage : r->path_states_usage;
        bool stated, listed = certificate_lists_usage(sk_X509_value(chain, i), row->oid, must, &stated);
        if (!listed && (stated || must))
            return fault_set(f, E_CERT_USAGE, i == 0 ? "certificate.extKeyUsage" : "issuer.extKeyUsage",
                             "the usage that is asked for", stated ? "others" : "none");
    }
    if (r->purpose == CHAIN_TIMESTAMP)
        return check_authority_of_time(leaf, f);
    return E_OK;
}

/* Intermediates that are not self-issued (RFC 5280 counts path lengths so). */
static err
check_depth(STACK_OF(X509) * chain, const struct chain_rules *r, struct fault *f)
{
    int n = 0;
    for (int i = 1; i + 1 < sk_X509_num(chain); i++) {
        const X509 *x = sk_X509_value(chain, i);
        n += X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) != 0;
    }
    if (r->depth != CHAIN_DEPTH_DEFAULT && n > r->depth)
        return fault_set(f, E_CHAIN, "issuer", "a shorter path", "more intermediates");
    return E_OK;
}

static bool
policies_hold(STACK_OF(X509) * chain, const struct chain_rules *r, unsigned flags)
{
    X509_POLICY_TREE *tree = NULL;
    int explicit_policy = 0;
    STACK_OF(ASN1_OBJECT) *wanted = sk_ASN1_OBJECT_dup(r->policies);
    if (wanted && sk_ASN1_OBJECT_num(wanted) == 0)
        sk_ASN1_OBJECT_push(wanted, OBJ_nid2obj(NID_any_policy));
    int ok = X509_policy_check(&tree, &explicit_policy, chain, wanted,
                               flags | (r->explicit_policy ? X509_V_FLAG_EXPLICIT_POLICY : 0));
    X509_policy_tree_free(tree);
    sk_ASN1_OBJECT_free(wanted);
    ERR_clear_error();
    return ok == X509_PCY_TREE_VALID;
}

/* The flags that stand for what the anchor's policyConstraints say of the path below it. */
static unsigned
anchor_flags(const X509 *anchor, int below)
{
    POLICY_CONSTRAINTS *limits = X509_get_ext_d2i(anchor, NID_policy_constraints, NULL, NULL);
    unsigned flags = 0;
    if (limits && limits->requireExplicitPolicy && ASN1_INTEGER_get(limits->requireExplicitPolicy) <= below)
        flags |= X509_V_FLAG_EXPLICIT_POLICY;
    if (limits && limits->inhibitPolicyMapping && ASN1_INTEGER_get(limits->inhibitPolicyMapping) == 0)
        flags |= X509_V_FLAG_INHIBIT_MAP;
    POLICY_CONSTRAINTS_free(limits);
    return flags;
}

/* OpenSSL passes over the anchor's policies (RFC 5280 leaves it open).  A root that limits its policies means
 * it: it is judged as one more certificate of the path, below itself. */
static err
check_anchor_policies(STACK_OF(X509) * chain, const struct chain_rules *r, struct fault *f)
{
    int n = sk_X509_num(chain);
    X509 *anchor = sk_X509_value(chain, n - 1);
    unsigned flags = anchor_flags(anchor, n - 1);
    bool states = X509_get_ext_by_NID(anchor, NID_certificate_policies, -1) >= 0;
    if (n < 2 || (!states && flags == 0))
        return E_OK;
    STACK_OF(X509) *path = sk_X509_dup(chain);
    if (!path || (states && sk_X509_push(path, anchor) <= 0)) {
        sk_X509_free(path);
        return E_INTERNAL;
    }
    bool ok = policies_hold(path, r, flags);
    sk_X509_free(path);
    if (!ok)
        return fault_set(f, E_CHAIN, "anchor", "a path within the anchor's policies", "another");
    return E_OK;
}

static view
text_of(const ASN1_STRING *s)
{
    return view_make(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* Would a wildcard name of the leaf also stand for a name that this CA may not have issued? */
static bool
wildcard_hits(const NAME_CONSTRAINTS *limits, view suffix)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(limits->excludedSubtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(limits->excludedSubtrees, i)->base;
        view name = base->type == GEN_DNS ? text_of(base->d.dNSName) : VIEW_NONE;
        if (name.n > suffix.n && view_eq_nocase(view_sub(name, name.n - suffix.n, suffix.n), suffix))
            return true;
    }
    return false;
}

static bool
has_excluded_wildcard(const X509 *leaf, const X509 *ca)
{
    NAME_CONSTRAINTS *limits = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    GENERAL_NAMES *names = limits ? X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL) : NULL;
    bool hit = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !hit; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        view text = name->type == GEN_DNS ? text_of(name->d.dNSName) : VIEW_NONE;
        hit = view_starts(text, V("*.")) && wildcard_hits(limits, view_sub(text, 1, text.n));
    }
    GENERAL_NAMES_free(names);
    NAME_CONSTRAINTS_free(limits);
    return hit;
}

/* Two things about names that OpenSSL leaves out: constraints belong to CAs (section 4.2.1.10), and a wildcard
 * stands for every name it matches. */
static err
check_names(STACK_OF(X509) * chain, struct fault *f)
{
    X509 *leaf = sk_X509_value(chain, 0);
    if (X509_check_ca(leaf) == 0 && X509_get_ext_by_NID(leaf, NID_name_constraints, -1) >= 0)
        return fault_set(f, E_CERT_PROFILE, "certificate", "no name constraints in an end entity's", "some");
    for (int i = 1; i < sk_X509_num(chain); i++)
        if (has_excluded_wildcard(leaf, sk_X509_value(chain, i)))
            return fault_set(f, E_CHAIN, "certificate", "names that its CAs may give", "an excluded one");
    return E_OK;
}

err
chain_build(X509 *leaf, const struct chain_rules *r, STACK_OF(X509) * *ret, struct fault *f)
{
    AUTO(X509_STORE_CTX_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, r->anchors, leaf, r->untrusted) != 1 || !prepare(ctx, r))
        return fault_set(f, E_INTERNAL, "certificate", "", "");
    if (X509_verify_cert(ctx) != 1)
        return chain_fault(f, ctx);
    AUTO(certificate_stack_free) STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(ctx);
    if (!chain)
        return E_INTERNAL;
    for (int i = 0; i < sk_X509_num(chain); i++)
        TRY(certificate_check_strength(sk_X509_value(chain, i), r->at, i == 0 ? "certificate" : "issuer", f));
    TRY(check_depth(chain, r, f));
    TRY(check_usages(chain, r, f));
    if (!r->lenient)
        TRY(check_names(chain, f));
    TRY(check_anchor_policies(chain, r, f));
    if (r->purpose == CHAIN_DOCUMENT && !certificate_may_sign(leaf))
        return fault_set(f, E_CERT_USAGE, "certificate.keyUsage",
                         "digitalSignature or nonRepudiation, for documents", "another usage");
    *ret = TAKE(chain);
    return E_OK;
}

static err
parse_stack(const view *der, size_t n, STACK_OF(X509) * *ret, struct fault *f)
{
    AUTO(certificate_stack_free) STACK_OF(X509) *list = sk_X509_new_null();
    for (size_t i = 0; list && i < n; i++) {
        X509 *x = NULL;
        TRY(certificate_parse(der[i], &x, f));
        if (sk_X509_push(list, x) <= 0) {
            X509_free(x);
            return E_INTERNAL;
        }
    }
    *ret = TAKE(list);
    return *ret ? E_OK : E_INTERNAL;
}

static err
parse_anchors(const struct chain_request *rq, X509 *leaf, X509_STORE **ret, struct fault *f)
{
    AUTO(certificate_stack_free) STACK_OF(X509) *list = NULL;
    AUTO(X509_STORE_free) X509_STORE *store = X509_STORE_new();
    TRY(parse_stack(rq->anchors, rq->n_anchors, &list, f));
    for (int i = 0; store && i < sk_X509_num(list); i++) {
        X509 *x = sk_X509_value(list, i);
        if (!rq->leaf_may_be_anchor && X509_cmp(x, leaf) == 0)
            return fault_set(f, E_CHAIN, "certificate", "an end entity below an anchor", "the anchor itself");
        if (X509_STORE_add_cert(store, x) != 1)
            return E_INTERNAL;
    }
    *ret = TAKE(store);
    return *ret ? E_OK : E_INTERNAL;
}

static err
parse_crls(const struct chain_request *rq, STACK_OF(X509_CRL) * *ret, struct fault *f)
{
    if (rq->n_crls == 0)
        return E_OK;
    AUTO(crl_stack_free) STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();
    for (size_t i = 0; list && i < rq->n_crls; i++) {
        const unsigned char *p = (const unsigned char *)rq->crls[i].p;
        AUTO(X509_CRL_free) X509_CRL *one = d2i_X509_CRL(NULL, &p, (long)rq->crls[i].n);
        ERR_clear_error();
        if (!one)
            return fault_set(f, E_REVOCATION_ANSWER, "list", "a certificate revocation list", "other bytes");
        if (X509_CRL_get_version(one) == X509_CRL_VERSION_2 &&
            X509_CRL_get_ext_by_NID(one, NID_crl_number, -1) < 0)
            return fault_set(f, E_REVOCATION_ANSWER, "list", "a list with its number (section 5.2.3)",
                             "none");
        if (sk_X509_CRL_push(list, one) <= 0)
            return E_INTERNAL;
        one = NULL;
    }
    *ret = TAKE(list);
    return *ret ? E_OK : E_INTERNAL;
}

static err
parse_policies(const struct chain_request *rq, STACK_OF(ASN1_OBJECT) * *ret, struct fault *f)
{
    AUTO(object_stack_free) STACK_OF(ASN1_OBJECT) *list = sk_ASN1_OBJECT_new_null();
    for (size_t i = 0; list && i < rq->n_policies; i++) {
        ASN1_OBJECT *policy = OBJ_txt2obj(rq->policies[i], 1);
        if (!policy)
            return fault_set(f, E_CONFIG, "policies", "an object identifier", "another text");
        if (sk_ASN1_OBJECT_push(list, policy) <= 0) {
            ASN1_OBJECT_free(policy);
            return E_INTERNAL;
        }
    }
    *ret = TAKE(list);
    return *ret ? E_OK : E_INTERNAL;
}

err
chain_judge(const struct chain_request *rq, struct fault *f)
{
    AUTO(X509_free) X509 *leaf = NULL;
    AUTO(certificate_stack_free) STACK_OF(X509) *rest = NULL, *chain = NULL;
    AUTO(X509_STORE_free) X509_STORE *anchors = NULL;
    AUTO(crl_stack_free) STACK_OF(X509_CRL) *crls = NULL;
    AUTO(object_stack_free) STACK_OF(ASN1_OBJECT) *policies = NULL;
    TRY(certificate_parse(rq->leaf, &leaf, f));
    TRY(parse_stack(rq->rest, rq->n_rest, &rest, f));
    TRY(parse_anchors(rq, leaf, &anchors, f));
    TRY(parse_crls(rq, &crls, f));
    TRY(parse_policies(rq, &policies, f));
    struct chain_rules r = {
        .anchors = anchors,
        .untrusted = rest,
        .crls = crls,
        .at = rq->at,
        .purpose = rq->purpose,
        .policies = policies,
        .explicit_policy = rq->explicit_policy,
        .leaf_states_usage = rq->leaf_states_usage,
        .path_states_usage = rq->path_states_usage,
        .depth = rq->depth,
        .name_kind = rq->name_kind,
        .name = rq->name,
    };
    TRY(chain_build(leaf, &r, &chain, f));
    bool may_be_ca = rq->purpose == CHAIN_ANY || (rq->purpose == CHAIN_SERVER && !rq->leaf_states_usage);
    if (!may_be_ca && X509_check_ca(leaf) != 0)
        return fault_set(f, E_CERT_USAGE, "certificate", "an end entity's certificate", "a CA's");
    return E_OK;
}
