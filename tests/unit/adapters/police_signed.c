/* Records signed by the agency as JWS, CMS and XML-DSig go through the verifier, and only what it gives is interpreted. */
#include "../signing/sandbox.h"
#include "police_kit.h"

#include "base/text.h"
#include "signing/cms/cms.h"
#include "signing/jose/jws.h"
#include "signing/trust/authority.h"
#include "signing/trust/trust.h"
#include "signing/xml/xmldsig.h"

struct submission {
    arena *mem;
    enum fhir_media media;
    view body;
    struct signature_in signature;
};

static struct submission
make_record(arena *mem, size_t index, size_t paper)
{
    struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
    struct fault f;
    size_t n;
    fault_init(&f);
    cr_assert_eq(police_sample_synthetic(5, index, mem, s, &n, &f), E_OK);
    return (struct submission){.mem = mem, .media = FHIR_JSON, .body = s[paper].json};
}

static const char *
file_of(arena *mem, const char *name, const char *suffix)
{
    char file[64];
    snprintf(file, sizeof file, "%s.%s", name, suffix);
    return arena_cstr(mem, view_of(in_sandbox(file)));
}

static void
sign(struct submission *s, enum sig_format format, const char *signer)
{
    struct fault f;
    view der = certificate_der(signer, s->mem), out;
    const char *key = file_of(s->mem, signer, "key"), *certificate = file_of(s->mem, signer, "crt");
    fault_init(&f);
    s->signature = (struct signature_in){.format = format};
    if (format == SIG_JWS) {
        AUTO(key_free) struct key *k = NULL;
        cr_assert_eq(key_load_pem(key, &k, &f), E_OK);
        view x5c = arena_printf(s->mem, "\"x5c\":[\"%.*s\"]", VIEW_ARG(text_base64(s->mem, der)));
        cr_assert_eq(jws_sign(k, x5c, s->body, true, s->mem, &s->signature.value), E_OK);
    } else if (format == SIG_CMS) {
        cr_assert_eq(cms_sign_detached(s->body, key, certificate, true, "sha256", s->mem, &out, &f), E_OK);
        s->signature.value = text_base64(s->mem, out);
    } else {
        cr_assert_eq(police_sample_xml(s->body, s->mem, &out, &f), E_OK);
        cr_assert_eq(xmldsig_sign(out, key, certificate, s->mem, &s->body, &f), E_OK);
        s->media = FHIR_XML;
    }
}

static bool
no_key(void *self, view kid, struct known_key *ret)
{
    (void)self, (void)kid, (void)ret;
    return false;
}

static view
no_partner(void *self, const digest *fingerprint)
{
    (void)self, (void)fingerprint;
    return VIEW_NONE;
}

static struct verdict *
verify(const struct submission *s, struct trust *trust)
{
    static const struct key_source keys = {.by_kid = no_key, .partner_of_certificate = no_partner};
    struct tree *t = arena_make(s->mem, struct tree); /* the verdict hands it out */
    struct fault f;
    struct verdict *v = NULL;
    fault_init(&f);
    cr_assert_eq(police_read(s->media, s->body, s->mem, t, &f), E_OK, "%s %s", f.where, f.found);
    struct verify_request rq = {.body = s->body,
                                .tree = t,
                                .read_signed = police_read_signed,
                                .signatures = &s->signature,
                                .n_signatures = 1,
                                .trust = trust,
                                .keys = &keys,
                                .now = clock_now(),
                                .mem = s->mem};
    cr_assert_eq(verify_document(&rq, &v), E_OK);
    return v;
}

static void
interpret_verdict(const struct submission *s, const struct verdict *v, struct reading *ret)
{
    struct issues issues;
    struct fault f;
    fault_init(&f);
    issues_init(&issues, s->mem, 100);
    cr_assert(verdict_tree(v));
    cr_assert_eq(police_interpret(verdict_tree(v), s->mem, &issues, ret, &f), E_OK);
    cr_assert_eq(issues.errors, 0);
}

Test(police_signed, each_format_holds_and_gives_the_same_facts)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *trust = sandbox_trust();
    view facts[3];
    xmldsig_start();
    for (int format = SIG_CMS; format <= SIG_XMLDSIG; format++) {
        struct submission s = make_record(mem, 2, 0);
        struct reading rd;
        struct fault f;
        fault_init(&f);
        sign(&s, (enum sig_format)format, "k1");
        struct verdict *v = verify(&s, trust);
        cr_assert_eq(verdict_code(v), E_OK, "%s: %s", sig_format_word((enum sig_format)format),
                     err_info(verdict_code(v))->code);
        interpret_verdict(&s, v, &rd);
        cr_assert_eq(authority_check(NULL, &verdict_signature(v, 0)->signer, rd.kind, rd.author, false,
                                     (instant){0}, &f),
                     E_OK);
        facts[format] = kit_facts(mem, rd.facts, false);
    }
    cr_assert(view_eq(facts[0], facts[1]) && view_eq(facts[1], facts[2]));
}

Test(police_signed, an_altered_record_is_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *trust = sandbox_trust();
    xmldsig_start();
    for (int format = SIG_CMS; format <= SIG_XMLDSIG; format++) {
        struct submission s = make_record(mem, 2, 0);
        sign(&s, (enum sig_format)format, "k1");
        s.body = view_of(kit_replace(mem, arena_cstr(mem, s.body), "A2", "A3"));
        struct verdict *v = verify(&s, trust);
        cr_assert_neq(verdict_code(v), E_OK);
        cr_assert_null(verdict_tree(v));
    }
}

Test(police_signed, only_the_writing_agency_may_sign)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *trust = sandbox_trust();
    static const struct {
        const char *signer;
        err code;
    } rows[] = {{"k1", E_OK},
                {"k2", E_SIGNER_WRONG_ORG},
                {"h1", E_SIGNER_WRONG_KIND},
                {"l1", E_SIGNER_WRONG_KIND},
                {"person-wang", E_SIGNER_WRONG_KIND}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct submission s = make_record(mem, 2, 0);
        struct reading rd;
        struct fault f;
        fault_init(&f);
        sign(&s, SIG_JWS, rows[i].signer);
        struct verdict *v = verify(&s, trust);
        cr_assert_eq(verdict_code(v), E_OK, "%s", rows[i].signer);
        interpret_verdict(&s, v, &rd);
        cr_assert_eq(authority_check(NULL, &verdict_signature(v, 0)->signer, rd.kind, rd.author, false,
                                     (instant){0}, &f),
                     rows[i].code, "%s", rows[i].signer);
    }
}

/* Ranges of an XML-DSig record refer to the octets that were digested. */
Test(police_signed, sources_of_signed_xml_lie_in_the_signed_octets)
{
    AUTO(arena_free) arena *mem = test_arena();
    AUTO(trust_unref) struct trust *trust = sandbox_trust();
    struct reading rd;
    xmldsig_start();
    struct submission s = make_record(mem, 2, 0);
    sign(&s, SIG_XMLDSIG, "k1");
    struct verdict *v = verify(&s, trust);
    cr_assert_eq(verdict_code(v), E_OK);
    interpret_verdict(&s, v, &rd);
    const struct leaf_text *leaf = &rd.facts->accident->accident_no;
    view raw = view_sub(verdict_tree(v)->source, leaf->src.from, leaf->src.length);
    cr_assert(view_eq(raw, arena_printf(mem, "<accident_no>%.*s</accident_no>", VIEW_ARG(leaf->v))), "%.*s",
              VIEW_ARG(raw));
}
