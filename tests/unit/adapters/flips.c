/* Every byte of a signed document, and of the signature that comes with it, is changed in turn.
 *
 * No change may be accepted that says something else: another content, signer, time or algorithm.  Where a change rightly stays
 * accepted, its position belongs to a class that is named here; a byte-exact JWS has none. */
#include "../signing/sandbox.h"
#include "police_kit.h"

#include "base/text.h"
#include "fhir/fhir.h"
#include "signing/cms/cms.h"
#include "signing/cms/der.h"
#include "signing/jose/jws.h"
#include "signing/trust/trust.h"
#include "signing/xml/xmldsig.h"

/* Under sanitizers one change a byte; else two. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PATTERNS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PATTERNS 1
#endif
#endif
#ifndef PATTERNS
#define PATTERNS 2
#endif

struct document {
    const char *name;
    enum fhir_media media;
    /* NULL: the body is a signature that holds the document */
    err (*read)(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f);
    err (*read_signed)(void *self, view octets, arena *mem, struct tree *ret, struct fault *f);
    view body;
    struct signature_in signature;
};

/* What a verdict says, kept beyond its arena. */
struct said {
    bool accepted;
    digest content, signer;
    enum jose_alg alg;
    enum evidence_level level;
    instant claimed_at;
    size_t signatures;
};

static struct said
ask(const struct document *d, const struct trust *trust, arena *mem)
{
    struct tree *t = arena_make(mem, struct tree);
    struct verdict *v = NULL;
    struct said s = {.accepted = false};
    if (d->read && d->read(d->media, d->body, mem, t, NULL) != E_OK)
        return s;
    struct verify_request rq = {.body = d->body,
                                .tree = d->read ? t : NULL,
                                .read_signed = d->read_signed,
                                .signatures = &d->signature,
                                .n_signatures = 1,
                                .trust = trust,
                                .now = clock_now(),
                                .mem = mem};
    if (verify_document(&rq, &v) != E_OK || verdict_code(v) != E_OK)
        return s;
    const struct signature_out *out = verdict_signature(v, 0);
    return (struct said){.accepted = true,
                         .content = sha256(verdict_tree(v)->source),
                         .signer = out->signer.fingerprint,
                         .alg = out->alg,
                         .level = verdict_level(v),
                         .claimed_at = out->claimed_at,
                         .signatures = verdict_signatures(v)};
}

static bool
is_same(const struct said *a, const struct said *b)
{
    return digest_eq(&a->content, &b->content) && digest_eq(&a->signer, &b->signer) && a->alg == b->alg &&
           a->level == b->level && a->claimed_at.us == b->claimed_at.us && a->signatures == b->signatures;
}

/* ---- classes of positions that may stay accepted ---- */

enum class {
    CLASS_NONE,        /* nowhere: an accepted change here is a fault */
    CLASS_VERSION,     /* CMS: version of SignedData, said again by the rest */
    CLASS_DIGEST_LIST, /* CMS: digestAlgorithms, which each signer says again */
    CLASS_DECLARATION, /* XML: <?xml …?> */
    CLASS_BLANK,       /* XML: white space for white space, in a tag or around base64 */
    CLASS_UNREAD,      /* XML: what the profile does not look at in KeyInfo */
    CLASSES
};

/* Offset of the text of base64 in the DER that it stands for: version and digestAlgorithms of SignedData. */
static enum class class_in_cms(const struct document *d, size_t at, uint8_t now) {
    (void)now; arena *mem = arena_new(1 << 20); view der, rest;
    struct der_item outer, oid, context, data, version, digests;
    cr_assert_eq(text_base64_decode(d->signature.value, mem, &der), E_OK);
    cr_assert(der_only(der, DER_SEQUENCE, &outer));
    rest = outer.value;
    cr_assert(der_take(&rest, DER_OID, &oid) && der_only(rest, DER_CONTEXT(0), &context));
    cr_assert(der_only(context.value, DER_SEQUENCE, &data));
    rest = data.value;
    cr_assert(der_take(&rest, DER_INTEGER, &version) && der_take(&rest, DER_SET, &digests));
    /* A character stands for six bits, in at most two bytes. */
    const char *from = der.p + at * 6 / 8,
    *to = der.p + (at * 6 + 5) / 8;
    bool in_version = from >= version.whole.p && to < version.whole.p + version.whole.n;
    bool in_digests = from >= digests.whole.p && to < digests.whole.p + digests.whole.n;
    arena_free(mem);
    return in_version   ? CLASS_VERSION
           : in_digests ? CLASS_DIGEST_LIST
                        : CLASS_NONE;
}

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum class class_in_xml(const struct document *d, size_t at, uint8_t now) {
    size_t declared = view_starts(d->body, V("<?xml")) ? view_find(d->body, V("?>")) + 2 : 0;
    size_t key = view_find(d->body, V("<ds:KeyInfo")), key_end = view_find(d->body, V("</ds:KeyInfo>"));
    if (at < declared) return CLASS_DECLARATION;
    if (is_blank((uint8_t)d->body.p[at]) && is_blank(now)) return CLASS_BLANK;
    return at > key &&at < key_end ? CLASS_UNREAD : CLASS_NONE;
}

static enum class class_in_jws(const struct document *d, size_t at, uint8_t now) {
    (void)d, (void)at, (void)now; return CLASS_NONE;
}

/* ---- the sweep ---- */

struct sweep {
    const struct trust *trust;
    arena *scratch;
    struct said good;
    size_t asked, accepted[CLASSES];
};

static void
sweep_byte(struct sweep *w, struct document *d, view *text, char *copy, size_t at,
           enum class (*class_of)(const struct document *, size_t, uint8_t))
{
    const struct document good = *d;
    view kept = *text;
    for (int pattern = 0; pattern < PATTERNS; pattern++) {
        memcpy(copy, kept.p, kept.n);
        copy[at] = (char)(copy[at] ^ (pattern == 0 ? 1 << at % 8 : 0xff));
        *text = view_make(copy, kept.n);
        struct said s = ask(d, w->trust, w->scratch);
        *text = kept;
        arena_reset(w->scratch);
        w->asked++;
        if (!s.accepted)
            continue;
        enum class c = class_of(&good, at, (uint8_t)copy[at]);
        w->accepted[c]++;
        cr_expect(is_same(&s, &w->good), "%s: byte %zu says something else", d->name, at);
        cr_expect(c != CLASS_NONE, "%s: byte %zu of %s is in no class", d->name, at,
                  text == &d->body ? "the body" : "the signature");
    }
}

static void
sweep_text(struct sweep *w, struct document *d, view *text,
           enum class (*class_of)(const struct document *, size_t, uint8_t))
{
    char *copy = malloc(text->n + 1);
    cr_assert(copy);
    copy[text->n] = '\0';
    for (size_t i = 0; i < text->n; i++)
        sweep_byte(w, d, text, copy, i, class_of);
    free(copy);
}

static struct sweep
sweep_document(struct document *d, enum class (*in_body)(const struct document *, size_t, uint8_t),
               enum class (*in_signature)(const struct document *, size_t, uint8_t))
{
    AUTO(trust_unref) struct trust *trust = sandbox_trust();
    AUTO(arena_free) arena *scratch = arena_new(16u << 20);
    struct sweep w = {.trust = trust, .scratch = scratch};
    w.good = ask(d, trust, scratch);
    arena_reset(scratch);
    cr_assert(w.good.accepted, "%s: the unchanged one is accepted", d->name);
    sweep_text(&w, d, &d->body, in_body);
    if (d->signature.value.n > 0)
        sweep_text(&w, d, &d->signature.value, in_signature);
    cr_expect_eq(w.asked, (d->body.n + d->signature.value.n) * PATTERNS);
    return w;
}

/* ---- documents ---- */

static view
bundle_json(arena *mem)
{
    view entries = V("");
    for (int i = 0; i < 14; i++)
        entries = arena_printf(
            mem,
            "%.*s%s{\"fullUrl\":\"urn:uuid:0000000%d-0000-4000-8000-000000000000\",\"resource\":{"
            "\"resourceType\":\"Observation\",\"id\":\"o%d\",\"status\":\"final\",\"code\":{\"text\":"
            "\"右側橈骨骨折"
            " %d\"},\"valueQuantity\":{\"value\":12.50,\"unit\":\"mg\"}}}",
            VIEW_ARG(entries), i ? "," : "", i % 10, i, i);
    return arena_printf(mem, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[%.*s]}",
                        VIEW_ARG(entries));
}

static const char *
file_of(arena *mem, const char *name, const char *ending)
{
    view file = arena_printf(mem, "%s%s", name, ending);
    return arena_cstr(mem, view_of(in_sandbox(file.p)));
}

Test(flips, of_a_byte_exact_jws_none_is_accepted)
{
    AUTO(arena_free) arena *mem = kit_arena();
    AUTO(key_free) struct key *k = NULL;
    struct document d = {
        "JWS", FHIR_JSON, fhir_read, fhir_read_signed, bundle_json(mem), {.format = SIG_JWS}};
    view leaf = text_base64(mem, certificate_der("h1-dr-lin", mem));
    cr_assert_eq(key_load_pem(file_of(mem, "h1-dr-lin", ".key"), &k, NULL), E_OK);
    view members = arena_printf(mem, "\"iat\":%lld,\"x5c\":[\"%.*s\"]", (long long)instant_unix(clock_now()),
                                VIEW_ARG(leaf));
    cr_assert_eq(jws_sign(k, members, d.body, true, mem, &d.signature.value), E_OK);
    struct sweep w = sweep_document(&d, class_in_jws, class_in_jws);
    for (int c = 0; c < CLASSES; c++)
        cr_expect_eq(w.accepted[c], 0, "class %d", c);
}

Test(flips, of_a_cms_bundle)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct document d = {
        "CMS", FHIR_JSON, fhir_read, fhir_read_signed, bundle_json(mem), {.format = SIG_CMS}};
    view der;
    cr_assert_eq(cms_sign_detached(d.body, file_of(mem, "h1-dr-lin", ".key"),
                                   file_of(mem, "h1-dr-lin", ".crt"), false, "sha256", mem, &der, NULL),
                 E_OK);
    d.signature.value = text_base64(mem, der);
    struct sweep w = sweep_document(&d, class_in_jws, class_in_cms);
    /* Three bytes of version and fifteen of the list, four characters for three bytes, and their neighbours. */
    cr_expect_leq(w.accepted[CLASS_VERSION] + w.accepted[CLASS_DIGEST_LIST], 26 * PATTERNS);
}

static void
expect_xml(const struct sweep *w)
{
    /* <?xml version="1.0" encoding="UTF-8"?> and a line end. */
    cr_expect_leq(w->accepted[CLASS_DECLARATION], 40 * PATTERNS);
    /* A change of one bit makes a blank of a blank only between TAB and CR. */
    cr_expect_leq(w->accepted[CLASS_BLANK], w->asked / 20);
    /* The one certificate is the signer's, so nothing of KeyInfo is unread but white space. */
    cr_expect_eq(w->accepted[CLASS_UNREAD], 0);
}

Test(flips, of_an_xml_bundle)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct document d = {"XML bundle", FHIR_XML, NULL, fhir_read_signed, VIEW_NONE, {.format = SIG_XMLDSIG}};
    struct tree json;
    struct buf xml AUTO_DONE(buf_done);
    buf_init(&xml, 1 << 20);
    xmldsig_start();
    cr_assert_eq(fhir_read(FHIR_JSON, bundle_json(mem), mem, &json, NULL), E_OK);
    cr_assert_eq(fhir_write_xml(&json, tree_root(&json), &xml), E_OK);
    cr_assert_eq(xmldsig_sign_enveloping(buf_view(&xml), file_of(mem, "k1", ".key"),
                                         file_of(mem, "k1", ".crt"), mem, &d.body, NULL),
                 E_OK);
    struct sweep w = sweep_document(&d, class_in_xml, class_in_jws);
    expect_xml(&w);
}

Test(flips, of_a_police_record)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct document d = {"police record",    FHIR_XML,  police_read,
                         police_read_signed, VIEW_NONE, {.format = SIG_XMLDSIG}};
    struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
    size_t n;
    view xml;
    xmldsig_start();
    cr_assert_eq(police_sample_synthetic(5, 1, mem, s, &n, NULL), E_OK);
    cr_assert_eq(police_sample_xml(s[0].json, mem, &xml, NULL), E_OK);
    cr_assert_eq(
        xmldsig_sign(xml, file_of(mem, "k1", ".key"), file_of(mem, "k1", ".crt"), mem, &d.body, NULL), E_OK);
    struct sweep w = sweep_document(&d, class_in_xml, class_in_jws);
    expect_xml(&w);
}
