#include "sandbox.h"

#include "base/text.h"
#include "signing/xml/xmldsig.h"
#include "signing/xml/xmldsig_interop.h"

#define RECORD "<record xmlns=\"urn:police\" Id=\"r1\"><name>a</name><total>12.50</total></record>"

struct bench {
    arena *mem;
    view enveloped, enveloping;
    struct xmldsig_ring ring;
};

static struct bench
bench_make(void)
{
    struct bench b = {.mem = test_arena()};
    view xml = V(RECORD);
    cr_assert_eq(xmldsig_sign(xml, in_sandbox("k1.key"), in_sandbox("k1.crt"), b.mem, &b.enveloped, NULL),
                 E_OK);
    cr_assert_eq(
        xmldsig_sign_enveloping(xml, in_sandbox("k1.key"), in_sandbox("k1.crt"), b.mem, &b.enveloping, NULL),
        E_OK);
    b.ring.any_issuer = true;
    b.ring.at = clock_now();
    return b;
}

static void
bench_done(struct bench *b)
{
    arena_free(b->mem);
}

static err
verify(const struct bench *b, view xml, bool *ret_root)
{
    struct xmldsig_finding found;
    err e = xmldsig_verify_interop(xml, &b->ring, false, b->mem, &found, NULL);
    if (ret_root)
        *ret_root = found.root_signed;
    return e;
}

static view
replaced(const struct bench *b, view text, const char *from, const char *to)
{
    size_t at = view_find(text, view_of(from));
    cr_assert_lt(at, text.n, "%s", from);
    view tail = view_sub(text, at + strlen(from), text.n);
    return arena_printf(b->mem, "%.*s%s%.*s", (int)at, text.p, to, VIEW_ARG(tail));
}

Test(xmldsig_interop, takes_what_the_gateway_takes_and_says_whether_the_root_is_signed)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    bool root = false;
    cr_expect_eq(verify(&b, b.enveloped, &root), E_OK);
    cr_expect(root);
    cr_expect_eq(verify(&b, b.enveloping, &root), E_OK);
    cr_expect_not(root, "an Object inside is a part");
    view signature = view_sub(b.enveloping, view_find(b.enveloping, V("<ds:Signature")), b.enveloping.n);
    view wrapped = arena_printf(b.mem, "<evil>%.*s</evil>", VIEW_ARG(signature));
    cr_expect_eq(verify(&b, wrapped, &root), E_OK);
    cr_expect_not(root);
}

static const struct {
    const char *from, *to;
    err want;
} changes[] = {
    {"12.50", "12.5", E_DIGEST_MISMATCH},
    {"<name>", "<name/><name>", E_DIGEST_MISMATCH},
    {"xmlenc#sha256", "xmlenc#sha512", E_DIGEST_MISMATCH},
    {"xml-exc-c14n#\"", "xml-exc-c14n#WithComments\"", E_SIGNATURE_MISMATCH},
    {"#ecdsa-sha256", "#rsa-sha256", E_ALGORITHM},
    {"#ecdsa-sha256", "#hmac-sha256", E_ALGORITHM},
    {"#ecdsa-sha256", "#ecdsa-sha1", E_WEAK_DIGEST},
    {"<name>", "<name Id=\"r1\">", E_SIGNATURE_PROFILE},
    {"URI=\"\"", "URI=\"http://example.com/\"", E_SIGNATURE_PROFILE},
    {"http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116",
     E_SIGNATURE_PROFILE},
    {"<record", "<!DOCTYPE record><record", E_XML_DOCTYPE},
    {"</record>", "</recor>", E_XML_SYNTAX},
};

Test(xmldsig_interop, changes_have_their_codes)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        cr_expect_eq(verify(&b, replaced(&b, b.enveloped, changes[i].from, changes[i].to), NULL),
                     changes[i].want, "%s → %s", changes[i].from, changes[i].to);
    cr_expect_eq(verify(&b, V("<a/>"), NULL), E_SIGNATURE_MISSING);
}

Test(xmldsig_interop, a_key_counts_only_where_its_kind_is_allowed)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    b.ring.kinds = V("key-name, key-value");
    cr_expect_eq(verify(&b, b.enveloped, NULL), E_SIGNER_UNKNOWN);
    b.ring.kinds = V("key-name,x509");
    cr_expect_eq(verify(&b, b.enveloped, NULL), E_OK);
    b.ring.any_issuer = false;
    cr_expect_eq(verify(&b, b.enveloped, NULL), E_CHAIN);
    b.ring.keys[0] = (struct xmldsig_named){VIEW_NONE, certificate_der("k1", b.mem)};
    b.ring.n_keys = 1;
    cr_expect_eq(verify(&b, b.enveloped, NULL), E_OK, "given as a key");
}

Test(xmldsig_interop, chain_and_time_of_the_ring)
{
    struct bench b AUTO_DONE(bench_done) = bench_make();
    view leaf = certificate_der("k1", b.mem);
    b.ring.any_issuer = false;
    b.ring.roots[0] = leaf;
    b.ring.n_roots = 1;
    cr_expect_eq(xmldsig_ring_trusts(&b.ring, leaf, NULL, 0, NULL), E_CHAIN, "a leaf is no root");
    b.ring.roots[0] = certificate_der("root", b.mem);
    view rest[] = {certificate_der("gca", b.mem)};
    cr_expect_eq(xmldsig_ring_trusts(&b.ring, leaf, rest, 1, NULL), E_OK);
    b.ring.at = instant_add(clock_now(), SPAN_DAYS(36500));
    cr_expect_eq(xmldsig_ring_trusts(&b.ring, leaf, rest, 1, NULL), E_CERT_TIME);
    b.ring.any_time = true;
    cr_expect_eq(xmldsig_ring_trusts(&b.ring, leaf, rest, 1, NULL), E_OK);
}
