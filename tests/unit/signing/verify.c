#include "sandbox.h"

#include "signing/cms/cms.h"
#include "signing/jose/jws.h"
#include "signing/trust/trust.h"
#include "signing/xml/xmldsig.h"

#include "base/jcs.h"
#include "base/text.h"

#define BODY "{\"resourceType\":\"Bundle\",\"text\":\"診斷\",\"amount\":12.50}"
#define OTHER "{\"resourceType\":\"Bundle\",\"text\":\"診斷\",\"amount\":99.50}"

/* What most tests need: an arena, the sandbox's trust list, a tree of the body. */
struct bench {
    arena *mem;
    struct trust *trust;
    struct tree tree;
    struct known_key known; /* what the key source answers for its kid */
    view known_kid;
    struct key_source keys;
    struct verify_request rq;
};

static bool
by_kid(void *self, view kid, struct known_key *ret)
{
    const struct bench *b = self;
    if (b->known_kid.n == 0 || !view_eq(kid, b->known_kid))
        return false;
    *ret = b->known;
    return true;
}

static view
partner_of(void *self, const digest *fingerprint)
{
    const struct bench *b = self;
    digest h1 = sha256(certificate_der("h1", b->mem));
    return digest_eq(fingerprint, &h1) ? V("org-of-h1") : VIEW_NONE;
}

static void
bench_init(struct bench *b)
{
    *b = (struct bench){.mem = test_arena()};
    xmldsig_start();
    b->trust = sandbox_trust();
    b->keys = (struct key_source){.self = b, .by_kid = by_kid, .partner_of_certificate = partner_of};
    cr_assert(tree_read_json(V(BODY), NULL, b->mem, &b->tree, NULL) == E_OK);
    b->rq = (struct verify_request){.body = V(BODY),
                                    .tree = &b->tree,
                                    .trust = b->trust,
                                    .keys = &b->keys,
                                    .now = clock_now(),
                                    .mem = b->mem};
}

static void
bench_done(struct bench *b)
{
    trust_unref(b->trust);
    arena_free(b->mem);
}

#define BENCH(b)                                                                                             \
    AUTO_DONE(bench_done) struct bench b;                                                                    \
    bench_init(&(b))

static struct verdict *
verify(struct bench *b, const struct signature_in *signatures, size_t n)
{
    struct verdict *v = NULL;
    b->rq.signatures = signatures;
    b->rq.n_signatures = n;
    cr_assert(verify_document(&b->rq, &v) == E_OK);
    return v;
}

static struct verdict *
verify_one(struct bench *b, struct signature_in in)
{
    return verify(b, &in, 1);
}

static const char *
file_of(const char *name, const char *ending)
{
    char file[64];
    snprintf(file, sizeof file, "%s%s", name, ending);
    return in_sandbox(file);
}

static struct signature_in
cms(struct bench *b, const char *name, view body, const char *md)
{
    view der;
    cr_assert(cms_sign_detached(body, file_of(name, ".key"), file_of(name, ".crt"), false, md, b->mem, &der,
                                NULL) == E_OK);
    return (struct signature_in){.format = SIG_CMS, .value = text_base64(b->mem, der)};
}

static struct key *
key_of(const char *name)
{
    struct key *k = NULL;
    cr_assert(key_load_pem(file_of(name, ".key"), &k, NULL) == E_OK, "%s", name);
    return k;
}

/* Put together here and not by jws_sign, which adds the key's own kid: these tests want other names and none.
 */
static struct signature_in
jws(struct bench *b, const struct key *k, const char *members, view body, bool detach)
{
    view header =
        arena_printf(b->mem, "{\"alg\":\"%s\"%s%s}", jose_alg_word(k->alg), members[0] ? "," : "", members);
    view protected = text_base64url(b->mem, header), payload = text_base64url(b->mem, body), signature;
    view input = arena_printf(b->mem, "%.*s.%.*s", VIEW_ARG(protected), VIEW_ARG(payload));
    cr_assert(key_sign(k, input, b->mem, &signature) == E_OK);
    signature = text_base64url(b->mem, signature);
    view compact = arena_printf(b->mem, "%.*s.%.*s.%.*s", VIEW_ARG(protected),
                                VIEW_ARG(detach ? V("") : payload), VIEW_ARG(signature));
    return (struct signature_in){.format = SIG_JWS, .value = compact};
}

/* Header member with the certificate of one party and its issuer's. */
static const char *
x5c(struct bench *b, const char *name, const char *issuer)
{
    view leaf = text_base64(b->mem, certificate_der(name, b->mem));
    view rest = text_base64(b->mem, certificate_der(issuer, b->mem));
    return arena_printf(b->mem, "\"x5c\":[\"%.*s\",\"%.*s\"]", VIEW_ARG(leaf), VIEW_ARG(rest)).p;
}

static void
expect(const struct verdict *v, err code, enum evidence_level level, const char *name)
{
    cr_expect(verdict_code(v) == code, "%s: %s", name, err_info(verdict_code(v))->code);
    cr_expect(verdict_level(v) == level, "%s: %s", name, evidence_level_word(verdict_level(v)));
    cr_expect((verdict_tree(v) != NULL) == (code == E_OK), "%s: the tree is there only when all is well",
              name);
    digest body = sha256(verdict_body(v));
    cr_expect(digest_eq(&body, verdict_body_digest(v)), "%s", name);
}

/* ---- none ---- */

Test(verify, no_signature)
{
    BENCH(b);
    struct verdict *v = verify(&b, NULL, 0);
    expect(v, E_SIGNATURE_MISSING, LEVEL_REFUSED, "none");
    cr_expect(verdict_signatures(v) == 0 && verdict_signature(v, 0) == NULL);
}

/* ---- CMS ---- */

Test(verify, cms_good)
{
    BENCH(b);
    struct verdict *v = verify_one(&b, cms(&b, "h1", V(BODY), "sha256"));
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "h1");
    cr_expect(verdict_tree(v) == &b.tree && verdict_signatures(v) == 1);
    const struct signature_out *s = verdict_signature(v, 0);
    cr_expect(s->code == E_OK && s->format == SIG_CMS && s->alg == ALG_RS256 && s->fault.code == E_OK);
    cr_expect(s->signer.use == USE_HCA && s->signer.subject == SUBJECT_HOSPITAL);
    cr_expect(view_eq(s->signer.organisation, V("9901010016")));
    cr_expect(view_eq(s->signer.registered_partner, V("org-of-h1")));
    cr_expect(view_eq(s->certificate_der, certificate_der("h1", b.mem)));
    cr_expect(s->chain_der.n == 0 && s->claimed_at.us > 0 && s->value_der.n > 0);
}

Test(verify, cms_keeps_the_chain_as_presented)
{
    BENCH(b);
    view der;
    cr_assert(cms_sign_detached(V(BODY), file_of("k1", ".key"), file_of("k1", ".chain.pem"), true, "sha256",
                                b.mem, &der, NULL) == E_OK);
    struct verdict *v =
        verify_one(&b, (struct signature_in){.format = SIG_CMS, .value = text_base64(b.mem, der)});
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "k1");
    cr_expect(view_eq(verdict_signature(v, 0)->chain_der, certificate_der("gca", b.mem)));
    cr_expect(view_eq(verdict_signature(v, 0)->value_der, der));
    cr_expect(verdict_signature(v, 0)->signer.registered_partner.n == 0);
}

static const struct {
    const char *name, *md;
    const char *body; /* what is signed; BODY is sent */
    err code;
} cms_refusals[] = {
    {"h1", "sha1", BODY, E_WEAK_DIGEST},         {"h1", "md5", BODY, E_WEAK_DIGEST},
    {"h1", "sha256", OTHER, E_DIGEST_MISMATCH},  {"h1", "sha256", "\xef\xbb\xbf" BODY, E_SIGNED_TRANSCODED},
    {"h1-expired", "sha256", BODY, E_CERT_TIME}, {"h1-revoked", "sha256", BODY, E_CERT_REVOKED},
    {"rogue-h1", "sha256", BODY, E_CHAIN},       {"h1-tls", "sha256", BODY, E_CERT_USAGE},
    {"k1", "sha512", BODY, E_ALGORITHM},
};

Test(verify, cms_refusals)
{
    BENCH(b);
    for (size_t i = 0; i < COUNT_OF(cms_refusals); i++) {
        struct verdict *v =
            verify_one(&b, cms(&b, cms_refusals[i].name, view_of(cms_refusals[i].body), cms_refusals[i].md));
        expect(v, cms_refusals[i].code, LEVEL_REFUSED, cms_refusals[i].name);
        const struct signature_out *s = verdict_signature(v, 0);
        cr_expect(s->code == cms_refusals[i].code && s->fault.code == s->code && s->level == LEVEL_REFUSED,
                  "%s", cms_refusals[i].name);
    }
}

Test(verify, cms_text_must_be_strict_base64_on_one_line)
{
    BENCH(b);
    struct signature_in in = cms(&b, "k1", V(BODY), "sha256");
    view good = in.value;
    const view bad[] = {arena_printf(b.mem, "%.*s\n", VIEW_ARG(good)),
                        arena_printf(b.mem, " %.*s", VIEW_ARG(good)), view_sub(good, 0, good.n - 1),
                        V("****"), V("")};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        in.value = bad[i];
        struct verdict *v = verify_one(&b, in);
        expect(v, E_SIGNATURE_FORM, LEVEL_REFUSED, "base64");
        cr_expect(verdict_signatures(v) == 1, "%zu", i);
    }
}

Test(verify, cms_bytes_that_are_no_cms)
{
    BENCH(b);
    struct verdict *v = verify_one(&b, (struct signature_in){.format = SIG_CMS, .value = V("aGVsbG8=")});
    expect(v, E_SIGNATURE_FORM, LEVEL_REFUSED, "hello");
    cr_expect(view_eq(verdict_signature(v, 0)->value_der, V("hello")));
}

/* ---- JWS ---- */

static void
know(struct bench *b, const struct key *k, const char *kid)
{
    b->known_kid = view_of(kid);
    b->known = (struct known_key){.alg = k->alg,
                                  .pkey = k->pkey,
                                  .signer = {.use = USE_MOEACA,
                                             .subject = SUBJECT_COMPANY,
                                             .organisation = V("99000116"),
                                             .registered_partner = V("org-of-l1")}};
}

Test(verify, jws_with_a_registered_key)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "key-1");
    struct verdict *v = verify_one(&b, jws(&b, k, "\"kid\":\"key-1\",\"iat\":1790000000", V(BODY), true));
    expect(v, E_OK, LEVEL_REGISTERED_KEY, "key-1");
    const struct signature_out *s = verdict_signature(v, 0);
    cr_expect(s->format == SIG_JWS && s->alg == ALG_ES256 && s->certificate_der.n == 0);
    cr_expect(view_eq(s->signer.registered_partner, V("org-of-l1")));
    cr_expect(instant_unix(s->claimed_at) == 1790000000);
    cr_expect(s->value_der.n > 0);
}

Test(verify, jws_with_the_key_named_in_the_hint_only)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "hinted");
    struct signature_in in = jws(&b, k, "\"kid\":\"something-else\"", V(BODY), true);
    expect(verify_one(&b, in), E_SIGNER_UNKNOWN, LEVEL_REFUSED, "without the hint");
    in.key_hint = V("hinted");
    expect(verify_one(&b, in), E_OK, LEVEL_REGISTERED_KEY, "with the hint");
}

Test(verify, jws_with_a_certificate)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("h1-dr-lin");
    struct verdict *v = verify_one(&b, jws(&b, k, x5c(&b, "h1-dr-lin", "hca"), V(BODY), true));
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "x5c");
    const struct signature_out *s = verdict_signature(v, 0);
    cr_expect(s->signer.subject == SUBJECT_PROFESSIONAL && view_eq(s->signer.licence, V("990101")));
    cr_expect(view_eq(s->chain_der, certificate_der("hca", b.mem)));
}

Test(verify, jws_certificate_decides_not_the_kid)
{
    BENCH(b);
    AUTO(key_free) struct key *rogue = key_of("rogue-h1"), *l1 = key_of("l1");
    know(&b, rogue, "key-1");
    view members = arena_printf(b.mem, "\"kid\":\"key-1\",%s", x5c(&b, "rogue-h1", "rogue"));
    expect(verify_one(&b, jws(&b, rogue, members.p, V(BODY), true)), E_CHAIN, LEVEL_REFUSED,
           "rogue with a known kid");
    expect(verify_one(&b, jws(&b, l1, x5c(&b, "l2", "moeaca"), V(BODY), true)), E_SIGNATURE_MISMATCH,
           LEVEL_REFUSED, "another's certificate");
}

static const struct {
    const char *name, *members;
    const char *body;
    bool detach;
    err code;
} jws_refusals[] = {
    {"other body", "\"kid\":\"key-1\"", OTHER, true, E_SIGNATURE_MISMATCH},
    {"payload inside", "\"kid\":\"key-1\"", BODY, false, E_SIGNATURE_PROFILE},
    {"unknown kid", "\"kid\":\"key-2\"", BODY, true, E_SIGNER_UNKNOWN},
    {"unknown critical member", "\"kid\":\"key-1\",\"crit\":[\"exp\"],\"exp\":1", BODY, true, E_JWS_CRIT},
};

Test(verify, jws_refusals)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "key-1");
    for (size_t i = 0; i < COUNT_OF(jws_refusals); i++) {
        struct verdict *v = verify_one(
            &b, jws(&b, k, jws_refusals[i].members, view_of(jws_refusals[i].body), jws_refusals[i].detach));
        expect(v, jws_refusals[i].code, LEVEL_REFUSED, jws_refusals[i].name);
    }
    static const char *const forms[] = {"", "a.b", "..", "a..c", "{}"};
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        expect(verify_one(&b, (struct signature_in){.format = SIG_JWS, .value = view_of(forms[i])}),
               E_SIGNATURE_FORM, LEVEL_REFUSED, forms[i]);
    /* {"alg":"none","kid":"key-1"} */
    struct signature_in none = {.format = SIG_JWS,
                                .value = V("eyJhbGciOiJub25lIiwia2lkIjoia2V5LTEifQ..AAAA")};
    expect(verify_one(&b, none), E_ALGORITHM, LEVEL_REFUSED, "none");
}

Test(verify, jws_algorithm_is_pinned_to_the_registered_one)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("h2");
    know(&b, k, "key-1");
    struct signature_in in = jws(&b, k, "\"kid\":\"key-1\"", V(BODY), true);
    expect(verify_one(&b, in), E_OK, LEVEL_REGISTERED_KEY, "RS256 as registered");
    b.known.alg = ALG_PS256;
    expect(verify_one(&b, in), E_ALGORITHM, LEVEL_REFUSED, "RS256 under a key pinned to PS256");
}

Test(verify, registered_keys_have_their_time)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "key-1");
    struct signature_in in = jws(&b, k, "\"kid\":\"key-1\"", V(BODY), true);
    b.known.signer.not_after = instant_add(b.rq.now, SPAN_SECONDS(-1));
    expect(verify_one(&b, in), E_CERT_TIME, LEVEL_REFUSED, "over");
    b.known.signer.not_after = instant_add(b.rq.now, SPAN_SECONDS(1));
    expect(verify_one(&b, in), E_OK, LEVEL_REGISTERED_KEY, "in time");
    b.known.signer.not_before = instant_add(b.rq.now, SPAN_SECONDS(1));
    expect(verify_one(&b, in), E_CERT_TIME, LEVEL_REFUSED, "not yet");
}

Test(verify, a_registered_certificate_keeps_its_fingerprint_and_partner)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("h1");
    know(&b, k, "key-1");
    b.known.signer = (struct signer){.use = USE_HCA,
                                     .subject = SUBJECT_HOSPITAL,
                                     .organisation = V("9901010016"),
                                     .fingerprint = sha256(certificate_der("h1", b.mem))};
    struct verdict *v = verify_one(&b, jws(&b, k, "\"kid\":\"key-1\"", V(BODY), true));
    expect(v, E_OK, LEVEL_REGISTERED_KEY, "h1");
    cr_expect(view_eq(verdict_signature(v, 0)->signer.registered_partner, V("org-of-h1")));
    cr_expect(digest_eq(&verdict_signature(v, 0)->signer.fingerprint, &b.known.signer.fingerprint));
}

Test(verify, without_keys_and_trust_nobody_is_known)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    b.rq.keys = NULL;
    expect(verify_one(&b, jws(&b, k, "\"kid\":\"key-1\"", V(BODY), true)), E_SIGNER_UNKNOWN, LEVEL_REFUSED,
           "no keys");
    expect(verify_one(&b, jws(&b, k, "", V(BODY), true)), E_SIGNER_UNKNOWN, LEVEL_REFUSED, "no name");
    expect(verify_one(&b, cms(&b, "h1", V(BODY), "sha256")), E_OK, LEVEL_VERIFIED_CRL, "trust alone");
    b.rq.trust = NULL;
    expect(verify_one(&b, cms(&b, "h1", V(BODY), "sha256")), E_CHAIN, LEVEL_REFUSED, "neither");
}

/* ---- several ---- */

Test(verify, all_signatures_must_hold_and_each_is_told)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "key-1");
    struct signature_in in[] = {cms(&b, "h1", V(BODY), "sha256"), cms(&b, "h1-revoked", V(BODY), "sha256"),
                                jws(&b, k, "\"kid\":\"key-1\"", V(OTHER), true)};
    struct verdict *v = verify(&b, in, 3);
    expect(v, E_CERT_REVOKED, LEVEL_REFUSED, "the first bad one decides");
    cr_expect(verdict_signatures(v) == 3);
    cr_expect(verdict_signature(v, 0)->code == E_OK && verdict_signature(v, 0)->level == LEVEL_VERIFIED_CRL);
    cr_expect(verdict_signature(v, 1)->code == E_CERT_REVOKED);
    cr_expect(verdict_signature(v, 2)->code == E_SIGNATURE_MISMATCH);
    v = verify(&b, in, 1);
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "the good one alone");
}

Test(verify, the_strongest_level_counts)
{
    BENCH(b);
    AUTO(key_free) struct key *k = key_of("l1");
    know(&b, k, "key-1");
    struct signature_in in[] = {cms(&b, "h1", V(BODY), "sha256"),
                                jws(&b, k, "\"kid\":\"key-1\"", V(BODY), true)};
    expect(verify(&b, in, 2), E_OK, LEVEL_REGISTERED_KEY, "two");
}

Test(verify, signatures_are_bounded)
{
    BENCH(b);
    struct signature_in in[SIGNATURES_MAX + 1];
    for (size_t i = 0; i <= SIGNATURES_MAX; i++)
        in[i] = cms(&b, "k1", V(BODY), "sha256");
    expect(verify(&b, in, SIGNATURES_MAX), E_OK, LEVEL_VERIFIED_CRL, "eight");
    struct verdict *v = NULL;
    b.rq.n_signatures = SIGNATURES_MAX + 1;
    cr_expect(verify_document(&b.rq, &v) == E_TOO_LARGE && v == NULL);
}

Test(verify, a_full_arena_is_no_verdict)
{
    BENCH(b);
    struct signature_in in = cms(&b, "h1", V(BODY), "sha256");
    b.rq.signatures = &in;
    b.rq.n_signatures = 1;
    size_t good = 0;
    for (size_t room = 0; room < 64 * 1024; room += 512) {
        AUTO(arena_free) arena *tight = arena_new(room + 1);
        struct verdict *v = NULL;
        b.rq.mem = tight;
        err e = verify_document(&b.rq, &v);
        cr_expect(e == E_TOO_LARGE || (e == E_OK && verdict_code(v) == E_OK), "%zu", room);
        good += e == E_OK;
    }
    b.rq.mem = b.mem;
    cr_expect(good > 0 && good < 128, "%zu", good);
}

/* ---- XML ---- */

struct seen {
    view octets;
    size_t n;
    err answer;
};

/* A reader for these tests: remembers the octets and gives a tree that says how many there were. */
static err
read_signed(void *self, view octets, arena *mem, struct tree *ret, struct fault *f)
{
    struct seen *seen = self;
    seen->octets = octets;
    seen->n++;
    if (seen->answer != E_OK)
        return fault_set(f, seen->answer, "/record", "", "");
    return tree_read_json(arena_printf(mem, "{\"octets\":%zu}", octets.n), NULL, mem, ret, f);
}

#define XML "<record xmlns=\"urn:x\"><part>聯單</part></record>"

static view
signed_xml(struct bench *b, const char *name)
{
    view out;
    struct fault f;
    fault_init(&f);
    err e = xmldsig_sign(V(XML), file_of(name, ".key"), file_of(name, ".crt"), b->mem, &out, &f);
    cr_assert(e == E_OK, "%s: %s %s", name, f.where, f.found);
    return out;
}

static void
use_xml(struct bench *b, struct seen *seen, view body)
{
    *seen = (struct seen){.n = 0};
    b->rq.body = body;
    b->rq.tree = NULL;
    b->rq.read_signed = read_signed;
    b->rq.read_self = seen;
}

Test(verify, xmldsig_tree_is_read_from_the_signed_octets)
{
    BENCH(b);
    struct seen seen;
    use_xml(&b, &seen, signed_xml(&b, "k1"));
    struct verdict *v = verify_one(&b, (struct signature_in){.format = SIG_XMLDSIG});
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "k1");
    const struct signature_out *s = verdict_signature(v, 0);
    cr_expect(s->format == SIG_XMLDSIG && s->signer.use == USE_GCA && s->signer.subject == SUBJECT_AGENCY);
    cr_expect(seen.n == 1 && view_eq(seen.octets, V(XML)), "%.*s", VIEW_ARG(seen.octets));
    int64_t n;
    cr_expect(text_to_i64(node_text_at(verdict_tree(v), tree_root(verdict_tree(v)), "octets"), &n) == E_OK &&
              (size_t)n == seen.octets.n);
}

Test(verify, xmldsig_refusals)
{
    BENCH(b);
    struct seen seen;
    static const struct {
        const char *name;
        err code;
    } cases[] = {{"rogue-h1", E_CHAIN}, {"h1-expired", E_CERT_TIME}, {"h1-revoked", E_CERT_REVOKED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        use_xml(&b, &seen, signed_xml(&b, cases[i].name));
        expect(verify_one(&b, (struct signature_in){.format = SIG_XMLDSIG}), cases[i].code, LEVEL_REFUSED,
               cases[i].name);
        cr_expect(seen.n == 0, "an untrusted record is not read");
    }
    view good = signed_xml(&b, "k1");
    char *own = arena_cstr(b.mem, good);
    own[view_find(good, V("聯"))] = (char)0xe5;
    use_xml(&b, &seen, view_make(own, good.n));
    expect(verify_one(&b, (struct signature_in){.format = SIG_XMLDSIG}), E_DIGEST_MISMATCH, LEVEL_REFUSED,
           "altered");
    use_xml(&b, &seen, good);
    seen.answer = E_XML_SYNTAX;
    expect(verify_one(&b, (struct signature_in){.format = SIG_XMLDSIG}), E_XML_SYNTAX, LEVEL_REFUSED,
           "reader refuses");
}

Test(verify, one_xml_signature)
{
    BENCH(b);
    struct seen seen;
    use_xml(&b, &seen, signed_xml(&b, "k1"));
    struct signature_in in[] = {{.format = SIG_XMLDSIG}, {.format = SIG_XMLDSIG}};
    expect(verify(&b, in, 2), E_SIGNATURE_PROFILE, LEVEL_REFUSED, "twice");
}

Test(verify, xmldsig_and_cms_over_the_same_record)
{
    BENCH(b);
    struct seen seen;
    view xml = signed_xml(&b, "k1");
    use_xml(&b, &seen, xml);
    struct signature_in in[] = {{.format = SIG_XMLDSIG}, cms(&b, "k1", xml, "sha256")};
    struct verdict *v = verify(&b, in, 2);
    expect(v, E_OK, LEVEL_VERIFIED_CRL, "both");
    in[1] = cms(&b, "k1", V(XML), "sha256");
    expect(verify(&b, in, 2), E_DIGEST_MISMATCH, LEVEL_REFUSED, "CMS over the octets, not the bytes sent");
}

/* ---- the verdict as JSON ---- */

static view
print(const struct verdict *v, arena *mem)
{
    view json = VIEW_NONE;
    cr_assert(verdict_print(v, mem, &json) == E_OK);
    return json;
}

static void
expect_canonical(view json, arena *mem)
{
    struct tree t;
    AUTO_DONE(buf_done) struct buf again;
    buf_init(&again, 1 << 16);
    cr_assert(tree_read_json(json, NULL, mem, &t, NULL) == E_OK, "%.*s", VIEW_ARG(json));
    cr_assert(jcs_write(&t, tree_root(&t), NULL, 0, &again) == E_OK);
    cr_expect(view_eq(buf_view(&again), json), "%.*s\n%.*s", VIEW_ARG(json), VIEW_ARG(buf_view(&again)));
}

Test(verify, verdict_is_canonical_and_names_nobody)
{
    BENCH(b);
    AUTO(key_free)
    struct key *doctor = key_of("h1-dr-lin"), *person = key_of("person-wang"), *l1 = key_of("l1");
    know(&b, l1, "key-1");
    struct signature_in in[] = {
        cms(&b, "h1", V(BODY), "sha256"),
        jws(&b, doctor, x5c(&b, "h1-dr-lin", "hca"), V(BODY), true),
        jws(&b, person, x5c(&b, "person-wang", "moica"), V(BODY), true),
        jws(&b, l1, "\"kid\":\"key-1\",\"iat\":1790000000", V(BODY), true),
        cms(&b, "h1-revoked", V(BODY), "sha256"),
    };
    for (size_t n = 0; n <= COUNT_OF(in); n++) {
        view json = print(verify(&b, in, n), b.mem);
        expect_canonical(json, b.mem);
        static const char *const never[] = {"沙箱", "\"990101\"", "9900000011110001", "\"0001\"", "林", "王"};
        for (size_t i = 0; i < COUNT_OF(never); i++)
            cr_expect(view_find(json, view_of(never[i])) == json.n, "%s", never[i]);
    }
}

Test(verify, verdict_has_what_the_receipt_needs)
{
    BENCH(b);
    view json = print(verify_one(&b, cms(&b, "h1", V(BODY), "sha256")), b.mem);
    struct tree t;
    cr_assert(tree_read_json(json, NULL, b.mem, &t, NULL) == E_OK);
    const struct node *root = tree_root(&t), *s = node_at(&t, root, "signatures[0]");
    digest body = sha256(V(BODY)), leaf = sha256(certificate_der("h1", b.mem));
    char now[32];
    cr_expect(view_eq(node_text_at(&t, root, "body"), text_hex(b.mem, digest_view(&body))));
    cr_expect(view_eq(node_text_at(&t, root, "code"), V("ok")));
    cr_expect(view_eq(node_text_at(&t, root, "level"), V("verified-crl")));
    cr_expect(view_eq(node_text_at(&t, root, "judged_at"), instant_print(b.rq.now, now)));
    cr_expect(view_eq(node_text_at(&t, s, "fingerprint"), text_hex(b.mem, digest_view(&leaf))));
    cr_expect(view_eq(node_text_at(&t, s, "alg"), V("RS256")));
    cr_expect(view_eq(node_text_at(&t, s, "format"), V("cms")));
    cr_expect(view_eq(node_text_at(&t, s, "use"), V("hca")));
    cr_expect(view_eq(node_text_at(&t, s, "subject"), V("hospital")));
    cr_expect(view_eq(node_text_at(&t, s, "organisation"), V("9901010016")));
    cr_expect(view_eq(node_text_at(&t, s, "partner"), V("org-of-h1")));
    json = print(verify_one(&b, cms(&b, "h1-revoked", V(BODY), "sha256")), b.mem);
    cr_expect(view_find(json, V("\"code\":\"certificate-revoked\"")) < json.n);
    cr_expect(view_find(json, V("organisation")) == json.n, "a refused signer is not presented as one");
}

Test(verify, the_same_verdict_prints_the_same)
{
    BENCH(b);
    struct signature_in in = cms(&b, "h1", V(BODY), "sha256");
    view a = print(verify_one(&b, in), b.mem), again = print(verify_one(&b, in), b.mem);
    cr_expect(view_eq(a, again));
}
