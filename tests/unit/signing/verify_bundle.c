/* Bundle.signature as Da Vinci CDex has it, the JSON form of a JWS, enveloping CMS, and what a verdict says apart. */
#include "sandbox.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/cms/cms.h"
#include "signing/jose/bundle_signature.h"
#include "signing/jose/jws.h"
#include "signing/trust/trust.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define ENTRY                                                                                                \
    "\"resourceType\":\"Bundle\",\"type\":\"document\",\"total\":12.50,\"entry\":[{\"fullUrl\":\"urn:x\"}]"
/* The canonical form without id, meta and signature. */
#define CANONICAL                                                                                            \
    "{\"entry\":[{\"fullUrl\":\"urn:x\"}],\"resourceType\":\"Bundle\",\"total\":12.5,\"type\":\"document\"}"
#define DOCUMENT_FORM                                                                                        \
    "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#document"
#define TYPE "1.2.840.10065.1.12.1.5"

struct bench {
    arena *mem;
    struct trust *trust;
    const struct hold_rule *rules;
    size_t n_rules;
    bool strict;
};

static struct bench
bench_make(void)
{
    return (struct bench){.mem = test_arena(), .trust = sandbox_trust()};
}

static void
bench_done(struct bench *b)
{
    trust_unref(b->trust);
    arena_free(b->mem);
}

static err
read_json(void *self, view octets, arena *mem, struct tree *ret, struct fault *f)
{
    (void)self;
    return tree_read_json(octets, NULL, mem, ret, f);
}

static struct verdict *
verify(const struct bench *b, view body, const struct signature_in *in, size_t n)
{
    struct tree *tree = arena_make(b->mem, struct tree);
    struct verdict *v = NULL;
    bool json = body.n > 0 && body.p[0] == '{';
    if (json)
        cr_assert_eq(tree_read_json(body, NULL, b->mem, tree, NULL), E_OK, "%.*s", VIEW_ARG(body));
    struct verify_request rq = {.body = body,
                                .tree = json ? tree : NULL,
                                .read_signed = read_json,
                                .signatures = in,
                                .n_signatures = n,
                                .trust = b->trust,
                                .must_hold = b->rules,
                                .n_must_hold = b->n_rules,
                                .strict_time = b->strict,
                                .now = clock_now(),
                                .mem = b->mem};
    cr_assert_eq(verify_document(&rq, &v), E_OK);
    return v;
}

static struct verdict *
verify_bundle(const struct bench *b, view body)
{
    const struct signature_in in = {.format = SIG_BUNDLE};
    return verify(b, body, &in, 1);
}

/* What differs from a good signature of h1. */
struct order {
    const char *signer, *members, *payload, *target, *who, *edit;
    bool embedded;
};

static view
jws_of(const struct bench *b, const struct order *o)
{
    char file[64];
    struct key *k = NULL;
    view signature;
    snprintf(file, sizeof file, "%s.key", o->signer);
    cr_assert_eq(key_load_pem(in_sandbox(file), &k, NULL), E_OK);
    char now[32];
    instant_print(clock_now(), now);
    view leaf = text_base64(b->mem, certificate_der(o->signer, b->mem));
    view header = arena_printf(b->mem, "{\"alg\":\"%s\",\"typ\":\"JOSE\",\"x5c\":[\"%.*s\"],%s%s%s%s}",
                               jose_alg_word(k->alg), VIEW_ARG(leaf), o->members ? o->members : "\"sigT\":\"",
                               o->members ? "" : now, o->members ? "" : "\"", "");
    view protected = text_base64url(b->mem, header);
    view payload = text_base64url(b->mem, view_of(o->payload ? o->payload : CANONICAL));
    view input = arena_printf(b->mem, "%.*s.%.*s", VIEW_ARG(protected), VIEW_ARG(payload));
    cr_assert_eq(key_sign(k, input, b->mem, &signature), E_OK);
    key_free(k);
    signature = text_base64url(b->mem, signature);
    view inside = o->embedded ? payload : V("");
    return arena_printf(b->mem, "%.*s.%.*s.%.*s", VIEW_ARG(protected), VIEW_ARG(inside), VIEW_ARG(signature));
}

static view
bundle_of(const struct bench *b, const struct order *o)
{
    view data = text_base64(b->mem, jws_of(b, o));
    return arena_printf(
        b->mem,
        "{\"id\":\"a\",\"meta\":{\"versionId\":\"1\"},%s,\"signature\":{\"type\":[{\"code\":\"" TYPE
        "\"}],\"who\":{\"identifier\":{\"value\":\"%s\"}},\"targetFormat\":\"%s\",\"sigFormat\":"
        "\"application/jose\",\"data\":\"%.*s\"}}",
        o->edit ? o->edit : ENTRY, o->who ? o->who : "9901010016", o->target ? o->target : DOCUMENT_FORM,
        VIEW_ARG(data));
}

static const struct {
    const char *name;
    struct order order;
    err code;
    err check[CHECK_COUNT];
} cases[] = {
    {"good", {.signer = "h1"}, E_OK, {E_OK, E_OK, E_OK, E_OK}},
    {"payload inside", {.signer = "h1", .embedded = true}, E_OK, {E_OK, E_OK, E_OK, E_OK}},
    {"commitment",
     {.signer = "h1", .members = "\"iat\":1790000000,\"srCms\":[{\"commId\":{\"id\":\"urn:oid:" TYPE "\"}}]"},
     E_TIME_INVALID,
     {E_OK, E_OK, E_TIME_INVALID, E_OK}},
    {"time before the certificate",
     {.signer = "h1", .members = "\"sigT\":\"2020-10-23T04:54:56.048+00:00\""},
     E_TIME_INVALID,
     {E_OK, E_OK, E_TIME_INVALID, E_OK}},
    {"time in the future",
     {.signer = "h1", .members = "\"sigT\":\"2099-10-23T04:54:56Z\""},
     E_TIME_INVALID,
     {E_OK, E_OK, E_TIME_INVALID, E_OK}},
    {"another commitment",
     {.signer = "h1", .members = "\"srCms\":[{\"commId\":{\"id\":\"urn:oid:1.2.3\"}}]"},
     E_SIGNATURE_MISMATCH,
     {E_SIGNATURE_MISMATCH, E_OK, E_OK, E_OK}},
    {"edited after signing",
     {.signer = "h1", .edit = "\"resourceType\":\"Bundle\",\"type\":\"document\",\"total\":12.51"},
     E_SIGNATURE_MISMATCH,
     {E_SIGNATURE_MISMATCH, E_OK, E_OK, E_OK}},
    {"edited, payload inside",
     {.signer = "h1", .edit = "\"resourceType\":\"Bundle\",\"total\":1", .embedded = true},
     E_SIGNATURE_MISMATCH,
     {E_SIGNATURE_MISMATCH, E_OK, E_OK, E_OK}},
    {"spelled otherwise",
     {.signer = "h1",
      .edit = "\"type\":\"document\", \"resourceType\" : "
              "\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:x\"}],\"total\":1.250e1"},
     E_OK,
     {E_OK, E_OK, E_OK, E_OK}},
    {"digits that the canonical form drops",
     {.signer = "h1",
      .edit = "\"resourceType\":\"Bundle\",\"type\":\"document\",\"total\":12.5000000000000000001"},
     E_OUT_OF_RANGE,
     {E_OUT_OF_RANGE, E_OK, E_OK, E_OK}},
    {"who is another", {.signer = "h1", .who = "9901010027"}, E_SIGNER_WHO, {E_OK, E_OK, E_OK, E_SIGNER_WHO}},
    {"rogue", {.signer = "rogue-h1"}, E_CHAIN, {E_OK, E_CHAIN, E_OK, E_SIGNER_WHO}},
    {"HL7's XML form",
     {.signer = "h1", .target = "application/fhir+xml"},
     E_SIGNATURE_PROFILE,
     {E_SIGNATURE_PROFILE, E_OK, E_OK, E_OK}},
};

Test(verify_bundle, checks_are_told_apart)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct verdict *v = verify_bundle(&b, bundle_of(&b, &cases[i].order));
        const struct signature_out *s = verdict_signature(v, 0);
        cr_expect_eq(verdict_code(v), cases[i].code, "%s: %s at %s", cases[i].name,
                     err_info(verdict_code(v))->code, s->fault.where);
        cr_expect_eq(s->fault.code, cases[i].code, "%s: the fault is of the check that counts",
                     cases[i].name);
        cr_expect((verdict_tree(v) != NULL) == (cases[i].code == E_OK), "%s", cases[i].name);
        for (int c = 0; c < CHECK_COUNT; c++)
            cr_expect_eq(s->check[c].code, cases[i].check[c], "%s: %s is %s", cases[i].name,
                         check_word((enum check_kind)c), err_info(s->check[c].code)->code);
    }
}

Test(verify_bundle, verdict_prints_its_checks)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    struct order o = {.signer = "h1", .members = "\"sigT\":\"2020-10-23T04:54:56Z\""};
    view json;
    cr_assert_eq(verdict_print(verify_bundle(&b, bundle_of(&b, &o)), b.mem, &json), E_OK);
    cr_expect_lt(
        view_find(json,
                  V("\"checks\":{\"authority\":\"ok\",\"chain\":\"ok\",\"signature\":\"ok\",\"time\":\"time-"
                    "invalid\"},\"claimed_at\":\"2020-10-23T04:54:56")),
        json.n, "%.*s", VIEW_ARG(json));
}

/* In the whole-resource form id and meta are signed, in a document's they are not. */
Test(verify_bundle, what_the_target_format_leaves_out)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    struct order o = {.signer = "h1",
                      .target =
                          "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json"};
    cr_expect_eq(verdict_code(verify_bundle(&b, bundle_of(&b, &o))), E_SIGNATURE_MISMATCH);
    o.payload = "{\"entry\":[{\"fullUrl\":\"urn:x\"}],\"id\":\"a\",\"meta\":{\"versionId\":\"1\"},"
                "\"resourceType\":\"Bundle\","
                "\"total\":12.5,\"type\":\"document\"}";
    cr_expect_eq(verdict_code(verify_bundle(&b, bundle_of(&b, &o))), E_OK);
    o.target = "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#static";
    cr_expect_eq(verdict_code(verify_bundle(&b, bundle_of(&b, &o))), E_SIGNATURE_PROFILE);
    cr_expect_eq(verdict_code(verify_bundle(&b, V("{\"resourceType\":\"Bundle\"}"))), E_SIGNATURE_MISSING);
}

/* ---- subjectAltName ---- */

static view
certificate_with(const char *names, arena *mem)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *x = X509_new();
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    cr_assert(ext && X509_add_ext(x, ext, -1) == 1);
    X509_set_pubkey(x, pkey);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 60);
    cr_assert(X509_sign(x, pkey, EVP_sha256()) > 0);
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    view kept = arena_dup(mem, view_make(der, (size_t)n));
    OPENSSL_free(der);
    X509_EXTENSION_free(ext);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return kept;
}

#define NPI V_INIT("http://hl7.org/fhir/sid/us-npi")

static const struct {
    struct bundle_signature s;
    bool named;
} whos[] = {
    {{.who_system = NPI, .who_value = V_INIT("9941339100")}, true},
    {{.who_system = V_INIT("urn:oid:2.16.840.1.113883.4.6"), .who_value = V_INIT("9941339100")}, true},
    {{.who_system = V_INIT("urn:oid:1.2.3"), .who_value = V_INIT("9941339100")}, false},
    {{.who_system = NPI, .who_value = V_INIT("9941339101")}, false},
    {{.who_system = NPI}, false},
    {{.who_value = V_INIT("9941339100")}, false},
    {{.who_uri = V_INIT("https://example.org/fhir/Practitioner/123")}, true},
    {{.who_uri = V_INIT("https://example.org/fhir/Practitioner/124")}, false},
    {{.who_system = V_INIT("urn:ietf:rfc:3986"),
      .who_value = V_INIT("https://example.org/fhir/Practitioner/123")},
     true},
    {{.who_uri = V_INIT("")}, false},
    {{.who_uri = V_INIT("www.example.org")}, false},
};

Test(verify_bundle, subject_alternative_names)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = certificate_with("DNS:www.example.org,otherName:2.16.840.1.113883.4.6;UTF8:9941339100,"
                                "URI:https://example.org/fhir/Practitioner/123",
                                mem);
    for (size_t i = 0; i < COUNT_OF(whos); i++)
        cr_expect_eq(bundle_signature_names(&whos[i].s, der), whos[i].named, "%zu", i);
    cr_expect_not(bundle_signature_names(&whos[0].s, V("no certificate")));
}

/* ---- several signatures ---- */

static struct signature_in
detached(const struct bench *b, const char *name, view body)
{
    char key[64], crt[64];
    view der;
    snprintf(key, sizeof key, "%s.key", name);
    snprintf(crt, sizeof crt, "%s.crt", name);
    cr_assert_eq(
        cms_sign_detached(body, in_sandbox(key), in_sandbox(crt), false, "sha256", b->mem, &der, NULL), E_OK);
    return (struct signature_in){.format = SIG_CMS, .value = text_base64(b->mem, der)};
}

Test(verify_bundle, policy_names_which_must_hold)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    const struct hold_rule hospital = {USE_HCA, SUBJECT_HOSPITAL}, agency = {USE_COUNT, SUBJECT_AGENCY};
    view body = V("{" ENTRY "}");
    struct signature_in both[] = {detached(&b, "rogue-h1", body), detached(&b, "h1", body)};
    struct signature_in altered[] = {detached(&b, "h1", V("other")), both[1]};
    cr_expect_eq(verdict_code(verify(&b, body, both, 2)), E_CHAIN, "without rules all must hold");
    b.rules = &hospital;
    b.n_rules = 1;
    struct verdict *v = verify(&b, body, both, 2);
    cr_expect_eq(verdict_code(v), E_OK);
    cr_expect_eq(verdict_signature(v, 0)->code, E_CHAIN, "it stays in the verdict");
    cr_expect_eq(verdict_code(verify(&b, body, altered, 2)), E_DIGEST_MISMATCH, "never over the bytes");
    cr_expect_eq(verdict_code(verify(&b, body, both, 1)), E_CHAIN, "the rule is not met");
    b.rules = &agency;
    cr_expect_eq(verdict_code(verify(&b, body, both, 2)), E_CHAIN);
    cr_expect_eq(verdict_code(verify(&b, body, both + 1, 1)), E_SIGNATURE_MISSING,
                 "good, but not the one that must hold");
}

Test(verify_bundle, strict_time_counts_in_every_format)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    struct order o = {.signer = "h1", .members = "\"sigT\":\"2020-10-23T04:54:56Z\""};
    struct signature_in in = {.format = SIG_JWS, .value = jws_of(&b, &o)};
    struct verdict *v = verify(&b, V(CANONICAL), &in, 1);
    cr_expect_eq(verdict_code(v), E_OK);
    cr_expect_eq(verdict_signature(v, 0)->check[CHECK_TIME].code, E_TIME_INVALID, "it is told");
    b.strict = true;
    cr_expect_eq(verdict_code(verify(&b, V(CANONICAL), &in, 1)), E_TIME_INVALID);
}

/* ---- other forms ---- */

Test(verify_bundle, json_form_of_a_detached_jws)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    struct order o = {.signer = "h1"};
    view compact = jws_of(&b, &o), rest = compact;
    view protected = view_cut(&rest, '.', NULL);
    view_cut(&rest, '.', NULL);
    view one = arena_printf(b.mem, "{\"protected\":\"%.*s\",\"signature\":\"%.*s\"}", VIEW_ARG(protected),
                            VIEW_ARG(rest));
    struct signature_in in = {.format = SIG_JWS, .value = one};
    cr_expect_eq(verdict_code(verify(&b, V(CANONICAL), &in, 1)), E_OK);
    cr_expect_eq(verdict_code(verify(&b, V("{}"), &in, 1)), E_SIGNATURE_MISMATCH);
    in.value = arena_printf(b.mem, "{\"signatures\":[%.*s,%.*s]}", VIEW_ARG(one), VIEW_ARG(one));
    struct verdict *v = verify(&b, V(CANONICAL), &in, 1);
    cr_expect_eq(verdict_code(v), E_OK);
    cr_expect_eq(verdict_signatures(v), 2);
    in.value = V("{\"signatures\":");
    cr_expect_eq(verdict_code(verify(&b, V(CANONICAL), &in, 1)), E_SIGNATURE_FORM);
}

static view
enveloping(const struct bench *b, const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "%s.key", name);
    BIO *in = BIO_new_file(in_sandbox(file), "r");
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    BIO_free(in);
    snprintf(file, sizeof file, "%s.crt", name);
    in = BIO_new_file(in_sandbox(file), "r");
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    BIO *data = BIO_new_mem_buf(CANONICAL, sizeof CANONICAL - 1);
    CMS_ContentInfo *cms = CMS_sign(x, pkey, NULL, data, CMS_BINARY);
    unsigned char *der = NULL;
    int n = i2d_CMS_ContentInfo(cms, &der);
    cr_assert(n > 0);
    view kept = arena_dup(b->mem, view_make(der, (size_t)n));
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return kept;
}

Test(verify_bundle, the_tree_of_an_enveloping_message_is_its_content)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    const struct signature_in in = {.format = SIG_CMS};
    view message = enveloping(&b, "h1");
    struct verdict *v = verify(&b, message, &in, 1);
    cr_assert_eq(verdict_code(v), E_OK);
    cr_expect(view_eq(verdict_tree(v)->source, V(CANONICAL)));
    cr_expect(view_eq(verdict_body(v), message));
    v = verify(&b, enveloping(&b, "rogue-h1"), &in, 1);
    cr_expect_eq(verdict_code(v), E_CHAIN);
    cr_expect_null(verdict_tree(v));
}
