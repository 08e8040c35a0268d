#include "sandbox.h"

#include "signing/jose/jws.h"
#include "signing/pki/crl.h"
#include "signing/sandbox/pki_issue.h"
#include "signing/trust/trust_list.h"

#include <openssl/pem.h>

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

struct answer {
    err code;
    struct fault fault;
    struct signer signer;
    enum evidence_level level;
    void *pkey;
};

static struct answer
judge_at(const struct trust *t, view leaf, const view *rest, size_t n_rest, instant at)
{
    struct answer a = {.level = LEVEL_REFUSED};
    fault_init(&a.fault);
    a.code = trust_judge(t, leaf, rest, n_rest, at, &a.signer, &a.level, &a.pkey, &a.fault);
    return a;
}

static struct answer
judge(const struct trust *t, view leaf)
{
    return judge_at(t, leaf, NULL, 0, clock_now());
}

static const struct party_case {
    const char *name;
    err code;
    enum trust_use use;
} party_cases[] = {
    {"h1", E_OK, USE_HCA},
    {"h1-dr-lin", E_OK, USE_HCA},
    {"k1", E_OK, USE_GCA},
    {"j1", E_OK, USE_GCA},
    {"l1", E_OK, USE_MOEACA},
    {"fund", E_OK, USE_MOEACA},
    {"person-grandma", E_OK, USE_MOICA},
    {"h1-expired", E_CERT_TIME, USE_COUNT},
    {"h1-revoked", E_CERT_REVOKED, USE_COUNT},
    {"rogue-h1", E_CHAIN, USE_COUNT},
    {"rogue-h1-tls", E_CHAIN, USE_COUNT},
    {"h1-tls", E_CERT_USAGE, USE_COUNT},
    {"server", E_CERT_USAGE, USE_COUNT},
    {"tsa", E_CERT_USAGE, USE_COUNT},
    {"hca-ocsp", E_CERT_USAGE, USE_COUNT},
    {"hca", E_CHAIN, USE_COUNT},
    {"root", E_CHAIN, USE_COUNT},
    {"rogue", E_CHAIN, USE_COUNT},
};

/* Twice: the second answer may come from the cache and must be the same. */
Test(trust, parties_of_the_sandbox)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT_OF(party_cases); i++) {
            const struct party_case *c = &party_cases[i];
            struct answer a = judge(t, certificate_der(c->name, mem));
            cr_expect(a.code == c->code, "%s: %s, %s", c->name, err_info(a.code)->code, a.fault.found);
            cr_expect(a.fault.code == c->code, "%s", c->name);
            if (c->code != E_OK)
                continue;
            cr_expect(a.signer.use == c->use, "%s: %s", c->name, trust_use_word(a.signer.use));
            cr_expect(a.level == LEVEL_VERIFIED_CRL, "%s: %s", c->name, evidence_level_word(a.level));
            digest spki = pkey_spki_digest(a.pkey);
            cr_expect(digest_eq(&spki, &a.signer.spki), "%s", c->name);
        }
}

Test(trust, known_leaf_gives_the_same_key)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    view leaf = certificate_der("h1", mem);
    struct answer a = judge(t, leaf), b = judge(t, leaf);
    cr_assert(a.code == E_OK && b.code == E_OK && a.pkey == b.pkey);
    cr_assert(a.signer.organisation.p == b.signer.organisation.p);
    cr_assert(trust_cache_count(t->cache) == 1);
}

Test(trust, refusals_are_not_kept)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    judge(t, certificate_der("rogue-h1", mem));
    judge(t, certificate_der("h1-revoked", mem));
    judge(t, certificate_der("h1-expired", mem));
    cr_assert(trust_cache_count(t->cache) == 0);
}

Test(trust, copies_live_in_the_arena)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(arena_free) arena *request = test_arena();
    view leaf = certificate_der("h1", mem);
    struct trust *t = sandbox_trust();
    struct signer s;
    enum evidence_level level;
    struct revocation_used used;
    void *pkey;
    cr_assert(trust_judge_copy(t, leaf, NULL, 0, clock_now(), request, &s, &level, &used, &pkey, NULL) ==
              E_OK);
    trust_unref(t); /* signer and key outlive the trust list */
    cr_assert(view_eq(s.organisation, V("9901010016")));
    digest spki = pkey_spki_digest(pkey);
    cr_assert(digest_eq(&spki, &s.spki));
}

Test(trust, full_arena_is_told)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(arena_free) arena *tiny = arena_new(8);
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    struct signer s;
    enum evidence_level level;
    struct revocation_used used;
    void *pkey;
    view leaf = certificate_der("h1", mem);
    cr_assert(trust_judge_copy(t, leaf, NULL, 0, clock_now(), tiny, &s, &level, &used, &pkey, NULL) ==
              E_TOO_LARGE);
}

Test(trust, clients)
{
    static const struct {
        const char *name;
        err code;
    } cases[] = {
        {"h1-tls", E_OK},         {"nhia-tls", E_OK},    {"h1", E_OK},     {"rogue-h1-tls", E_CHAIN},
        {"server", E_CERT_USAGE}, {"tsa", E_CERT_USAGE}, {"hca", E_CHAIN},
    };
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct signer s = {.use = USE_COUNT};
        struct fault f;
        fault_init(&f);
        err e = trust_judge_client(t, certificate_der(cases[i].name, mem), clock_now(), &s, &f);
        cr_expect(e == cases[i].code, "%s: %s", cases[i].name, err_info(e)->code);
    }
    struct signer s;
    cr_assert(trust_judge_client(t, certificate_der("l1-tls", mem), clock_now(), &s, NULL) == E_OK);
    cr_assert(s.use == USE_PRIVATE && s.subject == SUBJECT_COMPANY && view_eq(s.organisation, V("99000116")));
}

Test(trust, validity_is_judged_at_the_time_asked_also_from_the_cache)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    view leaf = certificate_der("h1", mem);
    struct answer a = judge(t, leaf);
    cr_assert(a.code == E_OK);
    instant before = instant_add(a.signer.not_before, SPAN_SECONDS(-1));
    instant after = instant_add(a.signer.not_after, SPAN_SECONDS(1));
    cr_expect(judge_at(t, leaf, NULL, 0, before).code == E_CERT_TIME);
    cr_expect(judge_at(t, leaf, NULL, 0, after).code == E_CERT_TIME);
    cr_expect(judge_at(t, leaf, NULL, 0, a.signer.not_before).code == E_OK);
    cr_expect(judge_at(t, leaf, NULL, 0, instant_add(a.signer.not_after, SPAN_SECONDS(-1))).code == E_OK);
    cr_expect(judge_at(t, leaf, NULL, 0, instant_add(a.signer.not_after, SPAN_SECONDS(-1))).level ==
              LEVEL_PENDING);
    cr_expect(judge(t, certificate_der("h1-expired", mem)).code == E_CERT_TIME);
    instant then = instant_add(clock_now(), SPAN_DAYS(-100));
    cr_expect(judge_at(t, certificate_der("h1-expired", mem), NULL, 0, then).code == E_OK);
}

/* The sandbox's lists are fresh for 30 days; then 7 days of grace. */
Test(trust, level_falls_as_the_list_grows_old)
{
    static const struct {
        int days;
        enum evidence_level level;
    } cases[] = {
        /* an agency's grace is a week */
        {0, LEVEL_VERIFIED_CRL},
        {SANDBOX_LIST_DAYS - 1, LEVEL_VERIFIED_CRL},
        {SANDBOX_LIST_DAYS + 1, LEVEL_CACHED_WITHIN_GRACE},
        {SANDBOX_LIST_DAYS + 6, LEVEL_CACHED_WITHIN_GRACE},
        {SANDBOX_LIST_DAYS + 8, LEVEL_PENDING},
        {SANDBOX_LIST_DAYS + 200, LEVEL_PENDING},
        {0, LEVEL_VERIFIED_CRL},
    };
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    view leaf = certificate_der("k2", mem), revoked = certificate_der("h1-revoked", mem);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        instant at = instant_add(clock_now(), SPAN_DAYS(cases[i].days));
        struct answer a = judge_at(t, leaf, NULL, 0, at);
        cr_expect(a.code == E_OK && a.level == cases[i].level, "%d days: %s", cases[i].days,
                  evidence_level_word(a.level));
        cr_expect(judge_at(t, revoked, NULL, 0, at).code == E_CERT_REVOKED, "%d days", cases[i].days);
    }
}

Test(trust, a_compromised_key_is_revoked_for_all_times)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    instant long_before = instant_add(clock_now(), SPAN_DAYS(-20)); /* revoked a day ago */
    cr_assert(judge_at(t, certificate_der("h1-revoked", mem), NULL, 0, long_before).code == E_CERT_REVOKED);
}

Test(trust, bytes_that_are_no_certificate)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    cr_assert(judge(t, V("hello")).code == E_CERT_FORM);
    cr_assert(judge(t, VIEW_NONE).code == E_CERT_FORM);
    view noise[] = {V("hello"), VIEW_NONE};
    cr_assert(judge_at(t, certificate_der("h1", mem), noise, 2, clock_now()).code == E_OK);
}

/* ---- lists of our own ---- */

static err
load_list(const char *text, bool sandbox, struct trust **ret, struct fault *f)
{
    write_text(in_sandbox("own.json"), text);
    fault_init(f);
    digest_start();
    json_start();
    return trust_load(in_sandbox("own.json"), sandbox, ret, f);
}

#define ONE_USE(members) "{\"environment\":\"sandbox\",\"uses\":{\"hca\":{" members "}}}"
#define PAIR(a, b) "{\"environment\":\"sandbox\",\"uses\":{" a "," b "}}"

static const struct list_case {
    const char *name;
    const char *text;
    bool sandbox;
    err code;
} list_cases[] = {
    {"good", ONE_USE("\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]"), true, E_OK},
    {"not JSON", "hello", true, E_JSON_SYNTAX},
    {"no environment", "{\"uses\":{\"hca\":{\"roots\":[\"root.crt\"]}}}", true, E_CONFIG},
    {"odd environment", "{\"environment\":\"test\",\"uses\":{\"hca\":{\"roots\":[\"root.crt\"]}}}", true,
     E_CONFIG},
    {"no uses", "{\"environment\":\"sandbox\",\"uses\":{}}", true, E_CONFIG},
    {"unknown use", "{\"environment\":\"sandbox\",\"uses\":{\"hac\":{\"roots\":[\"root.crt\"]}}}", true,
     E_CONFIG},
    {"unknown member", ONE_USE("\"root\":[\"root.crt\"]"), true, E_CONFIG},
    {"use is no object", "{\"environment\":\"sandbox\",\"uses\":{\"hca\":[]}}", true, E_CONFIG},
    {"no root", ONE_USE("\"intermediates\":[\"hca.crt\"]"), true, E_CONFIG},
    {"roots are no array", ONE_USE("\"roots\":\"root.crt\""), true, E_CONFIG},
    {"root is no text", ONE_USE("\"roots\":[1]"), true, E_CONFIG},
    {"root is an intermediate", ONE_USE("\"roots\":[\"hca.crt\"]"), true, E_CONFIG},
    {"root is a leaf", ONE_USE("\"roots\":[\"h1.crt\"]"), true, E_CONFIG},
    {"intermediate is a leaf", ONE_USE("\"roots\":[\"root.crt\"],\"intermediates\":[\"h1.crt\"]"), true,
     E_CONFIG},
    {"file is absent", ONE_USE("\"roots\":[\"nothing.crt\"]"), true, E_FILE},
    {"file is no PEM", ONE_USE("\"roots\":[\"index.json\"]"), true, E_CERT_FORM},
    {"revocation list of another CA", ONE_USE("\"roots\":[\"root.crt\"],\"crls\":[\"gca.crl\"]"), true,
     E_CONFIG},
    {"revocation list is a certificate", ONE_USE("\"roots\":[\"root.crt\"],\"crls\":[\"root.crt\"]"), true,
     E_CONFIG},
    {"revocation lists are no array", ONE_USE("\"roots\":[\"root.crt\"],\"crls\":{}"), true, E_CONFIG},
    {"one name twice", ONE_USE("\"roots\":[\"root.crt\"],\"roots\":[\"root.crt\"]"), true,
     E_JSON_DUPLICATE_NAME},
    {"sandbox list in production", ONE_USE("\"roots\":[\"root.crt\"]"), false, E_SANDBOX_ROOT},
    {"sandbox root in a production list",
     "{\"environment\":\"production\",\"uses\":{\"hca\":{\"roots\":[\"root.crt\"]}}}", false, E_SANDBOX_ROOT},
    {"production list in the sandbox",
     "{\"environment\":\"production\",\"uses\":{\"hca\":{\"roots\":[\"root.crt\"]}}}", true, E_CONFIG},
    {"uses share a root without pins",
     PAIR("\"hca\":{\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]}",
          "\"gca\":{\"roots\":[\"root.crt\"]}"),
     true, E_CONFIG},
    {"uses share an intermediate",
     PAIR("\"hca\":{\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]}",
          "\"gca\":{\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]}"),
     true, E_CONFIG},
    {"uses with roots of their own",
     PAIR("\"hca\":{\"roots\":[\"root.crt\"]}", "\"gca\":{\"roots\":[\"rogue.crt\"]}"), true, E_OK},
};

Test(trust, lists)
{
    for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
        const struct list_case *c = &list_cases[i];
        AUTO(trust_unref) struct trust *t = NULL;
        struct fault f;
        err e = load_list(c->text, c->sandbox, &t, &f);
        cr_expect(e == c->code, "%s: %s (%s: %s)", c->name, err_info(e)->code, f.where, f.found);
        cr_expect((t != NULL) == (e == E_OK), "%s", c->name);
    }
    struct trust *t = NULL;
    struct fault f;
    fault_init(&f);
    cr_expect(trust_load(in_sandbox("nowhere.json"), true, &t, &f) == E_FILE);
    fault_init(&f);
    cr_expect(trust_load(sandbox_dir(), true, &t, &f) == E_FILE);
}

Test(trust, without_a_revocation_list_the_level_is_pending)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list(ONE_USE("\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]"), true, &t, &f) ==
              E_OK);
    struct answer a = judge(t, certificate_der("h1", mem));
    cr_assert(a.code == E_OK && a.level == LEVEL_PENDING);
    cr_assert(trust_is_sandbox(t));
}

Test(trust, only_pinned_intermediates_of_a_shared_root_count)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list(ONE_USE("\"roots\":[\"root.crt\"],\"intermediates\":[\"hca.crt\"]"), true, &t, &f) ==
              E_OK);
    view rest[] = {certificate_der("gca", mem)};
    struct answer a = judge_at(t, certificate_der("k1", mem), rest, 1, clock_now());
    cr_assert(a.code == E_CHAIN, "a police certificate stands below the same root");
}

Test(trust, without_pins_presented_intermediates_complete_the_chain)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list("{\"environment\":\"sandbox\",\"uses\":{\"twca\":{\"roots\":[\"root.crt\"]}}}", true,
                        &t, &f) == E_OK);
    view leaf = certificate_der("l1", mem), rest[] = {certificate_der("moeaca", mem)};
    cr_assert(judge(t, leaf).code == E_CHAIN);
    struct answer a = judge_at(t, leaf, rest, 1, clock_now());
    cr_assert(a.code == E_OK && a.signer.use == USE_TWCA);
    cr_assert(judge(t, leaf).code == E_OK, "the leaf is known now");
}

Test(trust, a_ca_is_no_signer)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list(ONE_USE("\"roots\":[\"root.crt\"]"), true, &t, &f) == E_OK);
    cr_expect(judge(t, certificate_der("hca", mem)).code == E_CERT_USAGE);
    cr_expect(judge(t, certificate_der("root", mem)).code == E_CERT_USAGE);
}

Test(trust, references)
{
    struct trust *t = sandbox_trust();
    cr_assert(trust_ref(t) == t);
    trust_unref(t);
    cr_assert(trust_is_sandbox(t));
    trust_unref(t);
    trust_unref(NULL);
}

/* ---- certificates made for one case ---- */

static void
write_pem(const char *name, X509 *x, X509_CRL *crl)
{
    FILE *out = fopen(in_sandbox(name), "wb");
    cr_assert(out);
    cr_assert((x ? PEM_write_X509(out, x) : PEM_write_X509_CRL(out, crl)) == 1);
    fclose(out);
}

static view
der_of(X509 *x, arena *mem)
{
    unsigned char *out = NULL;
    int n = i2d_X509(x, &out);
    view der = arena_dup(mem, view_make(out, (size_t)n));
    OPENSSL_free(out);
    return der;
}

struct own_ca {
    EVP_PKEY *pkey;
    X509 *x;
};

static X509 *
issue(const struct own_ca *ca, EVP_PKEY *pkey, enum pki_shape shape)
{
    struct pki_order order = {.shape = shape,
                              .subject = SUBJECT_HOSPITAL,
                              .organisation = "9901010016",
                              .licence = "",
                              .common_name = shape == SHAPE_CA ? "own CA" : "own leaf",
                              .pkey = pkey,
                              .issuer = ca->x,
                              .issuer_key = ca->pkey ? ca->pkey : pkey,
                              .from = instant_add(clock_now(), SPAN_DAYS(-10)),
                              .until = instant_add(clock_now(), SPAN_DAYS(10))};
    X509 *x = pki_issue(&order);
    cr_assert(x);
    return x;
}

/* A root of our own in a list of our own. */
static struct own_ca
own_ca(EVP_PKEY *pkey)
{
    struct own_ca ca = {0};
    ca.x = issue(&ca, pkey, SHAPE_CA);
    ca.pkey = pkey;
    write_pem("own-root.crt", ca.x, NULL);
    return ca;
}

static void
own_ca_done(struct own_ca *ca)
{
    X509_free(ca->x);
    EVP_PKEY_free(ca->pkey);
}

static EVP_PKEY *
ec_key(const char *group)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
}

static struct answer
judge_own(X509 *leaf, const char *crls, arena *mem)
{
    char text[512];
    struct trust *t = NULL;
    struct fault f;
    snprintf(text, sizeof text, ONE_USE("\"roots\":[\"own-root.crt\"],\"crls\":[%s]"), crls);
    err e = load_list(text, true, &t, &f);
    cr_assert(e == E_OK, "%s: %s", f.where, f.found);
    AUTO(trust_unref) struct trust *own = t;
    struct answer a = judge(own, der_of(leaf, mem));
    a.pkey = NULL;
    a.signer = (struct signer){0};
    return a;
}

static const struct key_case {
    const char *name, *type;
    size_t bits;
    err code;
} key_cases[] = {
    {"P-256", "EC", 256, E_OK},
    {"P-384", "EC", 384, E_OK},
    {"P-521", "EC", 521, E_ALGORITHM},
    {"secp256k1", "EC", 1, E_ALGORITHM},
    {"RSA-1024", "RSA", 1024, E_ALGORITHM},
    {"RSA-2048", "RSA", 2048, E_OK},
    {"Ed25519", "ED25519", 0, E_OK},
    {"Ed448", "ED448", 0, E_ALGORITHM},
};

static EVP_PKEY *
key_of_case(const struct key_case *c)
{
    if (strcmp(c->type, "RSA") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", c->bits);
    if (strcmp(c->type, "EC") == 0)
        return ec_key(c->name);
    return EVP_PKEY_Q_keygen(NULL, NULL, c->type);
}

Test(trust, keys_of_leaves)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    for (size_t i = 0; i < COUNT_OF(key_cases); i++) {
        AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of_case(&key_cases[i]);
        cr_assert(pkey, "%s", key_cases[i].name);
        AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
        struct answer a = judge_own(leaf, "", mem);
        cr_expect(a.code == key_cases[i].code, "%s: %s, %s", key_cases[i].name, err_info(a.code)->code,
                  a.fault.found);
    }
}

Test(trust, a_chain_signed_with_sha1_is_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    cr_assert(judge_own(leaf, "", mem).code == E_OK);
    cr_assert(X509_sign(leaf, ca.pkey, EVP_sha1()) > 0);
    struct answer a = judge_own(leaf, "", mem);
    cr_assert(a.code == E_ALGORITHM, "%s: %s", err_info(a.code)->code, a.fault.found);
}

Test(trust, every_bit_of_a_leaf_is_covered)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    view leaf = certificate_der("k1", mem);
    char *own = malloc(leaf.n);
    for (size_t i = 0; i < leaf.n; i++) {
        memcpy(own, leaf.p, leaf.n);
        own[i] = (char)(own[i] ^ 1);
        struct answer a = judge(t, view_make(own, leaf.n));
        cr_expect(a.code != E_OK, "byte %zu", i);
    }
    free(own);
}

struct crl_case {
    const char *name;
    int reason;       /* -1: none stated */
    int revoked_days; /* from now */
    err code;
};

static const struct crl_case crl_cases[] = {
    {"no reason, past", -1, -1, E_CERT_REVOKED},
    {"no reason, future", -1, 5, E_OK},
    {"keyCompromise, future", CRL_REASON_KEY_COMPROMISE, 5, E_CERT_REVOKED},
    {"superseded, past", CRL_REASON_SUPERSEDED, -1, E_CERT_REVOKED},
    {"superseded, future", CRL_REASON_SUPERSEDED, 5, E_OK},
    {"affiliationChanged, future", CRL_REASON_AFFILIATION_CHANGED, 5, E_OK},
    {"cessationOfOperation, future", CRL_REASON_CESSATION_OF_OPERATION, 5, E_OK},
    {"certificateHold, past", CRL_REASON_CERTIFICATE_HOLD, -1, E_CERT_REVOKED},
    {"removeFromCRL on a full list", CRL_REASON_REMOVE_FROM_CRL, -1, E_CERT_REVOKED},
};

static X509_CRL *
bare_crl(const struct own_ca *ca)
{
    instant now = clock_now();
    struct pki_list order = {.issuer = ca->x,
                             .issuer_key = ca->pkey,
                             .number = 1,
                             .this_update = instant_add(now, SPAN_SECONDS(-60)),
                             .next_update = instant_add(now, SPAN_DAYS(3))};
    X509_CRL *list = pki_issue_crl(&order);
    cr_assert(list);
    return list;
}

static void
put_on_list(X509_CRL *list, X509 *x, int reason, int days)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)instant_unix(instant_add(clock_now(), SPAN_DAYS(days))));
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(x));
    X509_REVOKED_set_revocationDate(entry, when);
    if (reason >= 0) {
        ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
        ASN1_ENUMERATED_set(code, reason);
        cr_assert(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1);
        ASN1_ENUMERATED_free(code);
    }
    cr_assert(X509_CRL_add0_revoked(list, entry) == 1);
    ASN1_TIME_free(when);
}

Test(trust, reasons_of_revocation)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    for (size_t i = 0; i < COUNT_OF(crl_cases); i++) {
        AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
        X509_CRL *list = bare_crl(&ca);
        put_on_list(list, leaf, crl_cases[i].reason, crl_cases[i].revoked_days);
        cr_assert(X509_CRL_sign(list, ca.pkey, EVP_sha256()) > 0);
        write_pem("own.crl", NULL, list);
        X509_CRL_free(list);
        struct answer a = judge_own(leaf, "\"own.crl\"", mem);
        cr_expect(a.code == crl_cases[i].code, "%s: %s", crl_cases[i].name, err_info(a.code)->code);
    }
}

Test(trust, a_future_revocation_begins_on_time_also_from_the_cache)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    X509_CRL *list = bare_crl(&ca);
    put_on_list(list, leaf, CRL_REASON_SUPERSEDED, 2);
    cr_assert(X509_CRL_sign(list, ca.pkey, EVP_sha256()) > 0);
    write_pem("own.crl", NULL, list);
    X509_CRL_free(list);
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list(ONE_USE("\"roots\":[\"own-root.crt\"],\"crls\":[\"own.crl\"]"), true, &t, &f) ==
              E_OK);
    view der = der_of(leaf, mem);
    cr_expect(judge_at(t, der, NULL, 0, clock_now()).code == E_OK);
    cr_expect(judge_at(t, der, NULL, 0, instant_add(clock_now(), SPAN_DAYS(2))).code == E_CERT_REVOKED);
    cr_expect(judge_at(t, der, NULL, 0, clock_now()).code == E_OK);
}

static void
add_crl_extension(X509_CRL *list, int nid, const char *hex, int critical)
{
    long n = 0;
    unsigned char *bytes = OPENSSL_hexstr2buf(hex, &n);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, bytes, (int)n);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, nid, critical, octets);
    cr_assert(X509_CRL_add_ext(list, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    OPENSSL_free(bytes);
}

static const struct list_form_case {
    const char *name;
    int nid;
    const char *hex;
    err load;
    enum evidence_level level; /* of a leaf without distribution points, when it loads */
} list_form_cases[] = {
    {"only users' certificates", NID_issuing_distribution_point, "30038101FF", E_OK, LEVEL_VERIFIED_CRL},
    {"only CAs' certificates", NID_issuing_distribution_point, "30038201FF", E_OK, LEVEL_PENDING},
    {"a part with a distribution point", NID_issuing_distribution_point, "300AA008A0068604617A3A31", E_OK,
     LEVEL_PENDING},
    {"indirect", NID_issuing_distribution_point, "30038401FF", E_CONFIG, LEVEL_REFUSED},
    {"only some reasons", NID_issuing_distribution_point, "300483020640", E_CONFIG, LEVEL_REFUSED},
    {"only attribute certificates", NID_issuing_distribution_point, "30038501FF", E_CONFIG, LEVEL_REFUSED},
    {"malformed scope", NID_issuing_distribution_point, "0401FF", E_CONFIG, LEVEL_REFUSED},
    {"delta", NID_delta_crl, "020101", E_CONFIG, LEVEL_REFUSED},
    {"unknown critical extension", NID_netscape_comment, "1600", E_CONFIG, LEVEL_REFUSED},
};

Test(trust, forms_of_revocation_lists)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    for (size_t i = 0; i < COUNT_OF(list_form_cases); i++) {
        const struct list_form_case *c = &list_form_cases[i];
        X509_CRL *list = bare_crl(&ca);
        add_crl_extension(list, c->nid, c->hex, 1);
        cr_assert(X509_CRL_sign(list, ca.pkey, EVP_sha256()) > 0);
        write_pem("own.crl", NULL, list);
        X509_CRL_free(list);
        struct trust *t = NULL;
        struct fault f;
        err e = load_list(ONE_USE("\"roots\":[\"own-root.crt\"],\"crls\":[\"own.crl\"]"), true, &t, &f);
        trust_unref(t);
        cr_expect(e == c->load, "%s: %s, %s", c->name, err_info(e)->code, f.found);
        if (e == E_OK)
            cr_expect(judge_own(leaf, "\"own.crl\"", mem).level == c->level, "%s", c->name);
    }
}

Test(trust, a_part_list_speaks_for_those_that_point_to_it)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_crl_distribution_points, "URI:az:1");
    cr_assert(e && X509_add_ext(leaf, e, -1) == 1 && X509_sign(leaf, ca.pkey, EVP_sha256()) > 0);
    X509_EXTENSION_free(e);
    X509_CRL *list = bare_crl(&ca);
    add_crl_extension(list, NID_issuing_distribution_point, "300AA008A0068604617A3A31", 1);
    cr_assert(X509_CRL_sign(list, ca.pkey, EVP_sha256()) > 0);
    write_pem("own.crl", NULL, list);
    X509_CRL_free(list);
    struct answer a = judge_own(leaf, "\"own.crl\"", mem);
    cr_assert(a.code == E_OK && a.level == LEVEL_VERIFIED_CRL, "%s", evidence_level_word(a.level));
}

Test(trust, an_entry_counts_whatever_the_part)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    X509_CRL *list = bare_crl(&ca);
    add_crl_extension(list, NID_issuing_distribution_point, "300AA008A0068604617A3A31", 1);
    put_on_list(list, leaf, -1, -1);
    cr_assert(X509_CRL_sign(list, ca.pkey, EVP_sha256()) > 0);
    write_pem("own.crl", NULL, list);
    X509_CRL_free(list);
    cr_assert(judge_own(leaf, "\"own.crl\"", mem).code == E_CERT_REVOKED);
}

/* A CA that wants a policy which the leaf does not have (RFC 5280 4.2.1.11). */
Test(trust, policy_constraints_hold)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO_DONE(own_ca_done) struct own_ca root = own_ca(ec_key("P-256"));
    AUTO_DONE(own_ca_done) struct own_ca ca = {.pkey = ec_key("P-256")};
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    ca.x = issue(&root, ca.pkey, SHAPE_CA);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_policy_constraints, "requireExplicitPolicy:0");
    cr_assert(e && X509_add_ext(ca.x, e, -1) == 1);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(ca.x), NID_organizationalUnitName, MBSTRING_UTF8,
                               (const unsigned char *)"sub", -1, -1, 0);
    cr_assert(X509_sign(ca.x, root.pkey, EVP_sha256()) > 0);
    X509_EXTENSION_free(e);
    AUTO(X509_free) X509 *leaf = issue(&ca, pkey, SHAPE_SIGNER);
    AUTO(trust_unref) struct trust *t = NULL;
    struct fault f;
    cr_assert(load_list(ONE_USE("\"roots\":[\"own-root.crt\"]"), true, &t, &f) == E_OK);
    view rest[] = {der_of(ca.x, mem)};
    struct answer with = judge_at(t, der_of(leaf, mem), rest, 1, clock_now());
    cr_expect(with.code == E_OK, "with the policy: %s, %s", with.fault.where, with.fault.found);
    X509_EXTENSION_free(X509_delete_ext(leaf, X509_get_ext_by_NID(leaf, NID_certificate_policies, -1)));
    cr_assert(X509_sign(leaf, ca.pkey, EVP_sha256()) > 0);
    cr_expect(judge_at(t, der_of(leaf, mem), rest, 1, clock_now()).code == E_CHAIN, "without it");
}

Test(trust, lists_signed_with_sha1_or_by_another_key_are_refused)
{
    AUTO_DONE(own_ca_done) struct own_ca ca = own_ca(ec_key("P-256"));
    AUTO(EVP_PKEY_free) EVP_PKEY *other = ec_key("P-256");
    struct {
        EVP_PKEY *pkey;
        const EVP_MD *md;
    } cases[] = {{ca.pkey, EVP_sha1()}, {other, EVP_sha256()}};
    for (size_t i = 0; i < 2; i++) {
        X509_CRL *list = bare_crl(&ca);
        cr_assert(X509_CRL_sign(list, cases[i].pkey, cases[i].md) > 0);
        write_pem("own.crl", NULL, list);
        X509_CRL_free(list);
        struct trust *t = NULL;
        struct fault f;
        err e = load_list(ONE_USE("\"roots\":[\"own-root.crt\"],\"crls\":[\"own.crl\"]"), true, &t, &f);
        cr_expect(e == E_CONFIG, "%zu: %s", i, err_info(e)->code);
    }
}

/* ---- the cache by itself ---- */

static struct leaf
cache_leaf(uint8_t a, uint8_t b, uint32_t n, EVP_PKEY *pkey)
{
    struct leaf l = {.said = {.from = {0}, .until = {1000}, .use = USE_HCA}, .pkey = pkey};
    l.facts.fingerprint.b[0] = a;
    l.facts.fingerprint.b[1] = b;
    memcpy(l.facts.fingerprint.b + 4, &n, sizeof n);
    return l;
}

Test(trust_cache, is_bounded_but_for_kept_leaves)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(trust_cache_free) struct trust_cache *c = trust_cache_new();
    struct leaf kept = cache_leaf(0, 0, 0, pkey);
    const struct leaf *stored = trust_cache_put(c, &kept, true);
    cr_assert(stored);
    for (uint32_t i = 1; i < 3 * TRUST_CACHE_MAX; i++) {
        struct leaf l = cache_leaf((uint8_t)(i % 16), (uint8_t)(i / 16 % 128), i, pkey);
        cr_assert(trust_cache_put(c, &l, false) == NULL);
    }
    cr_assert(trust_cache_count(c) == TRUST_CACHE_MAX + 1, "%zu", trust_cache_count(c));
    struct leaf found;
    const struct leaf *again = NULL;
    cr_assert(trust_cache_find(c, &kept.facts.fingerprint, (instant){5}, true, &found, &again));
    cr_assert(again == stored);
    EVP_PKEY_free(found.pkey);
}

Test(trust_cache, answers_only_inside_the_window_and_renews_in_place)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = ec_key("P-256");
    AUTO(trust_cache_free) struct trust_cache *c = trust_cache_new();
    struct leaf l = cache_leaf(1, 2, 3, pkey), found;
    l.said.from.us = 10;
    l.said.until.us = 20;
    const struct leaf *stored = trust_cache_put(c, &l, true);
    cr_expect(!trust_cache_find(c, &l.facts.fingerprint, (instant){9}, false, &found, NULL));
    cr_expect(!trust_cache_find(c, &l.facts.fingerprint, (instant){21}, false, &found, NULL));
    l.said.until.us = 30;
    cr_assert(trust_cache_put(c, &l, true) == stored);
    cr_assert(trust_cache_count(c) == 1);
    cr_assert(trust_cache_find(c, &l.facts.fingerprint, (instant){30}, false, &found, NULL));
    EVP_PKEY_free(found.pkey);
}
