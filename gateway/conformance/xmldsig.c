/* XML-DSig: interoperability documents, whose verifier's arguments stand beside them, and wrapping attacks. */
#include "conformance/judge.h"

#include "base/text.h"
#include "signing/xml/xmldsig.h"
#include "signing/xml/xmldsig_interop.h"

/* ---- the arguments of a reference verifier, as far as they mean something here ---- */

struct arguments {
    struct conformance_run *r;
    view document; /* the signed file, for what stands beside it */
    struct xmldsig_ring ring;
    view map_from[XMLDSIG_RING_MAX], map_to[XMLDSIG_RING_MAX];
    size_t n_map;
    bool outside; /* URIs outside of the document may be followed */
};

static err
add_file(struct arguments *a, view file, view *list, size_t *n, struct fault *f)
{
    view bytes;
    TRY(conformance_file(a->r, file, &bytes, f));
    if (*n < XMLDSIG_RING_MAX)
        list[(*n)++] = bytes;
    return E_OK;
}

/* 2026-03-10+00:00:00 */
static void
set_time(struct arguments *a, view text)
{
    view day = view_sub(text, 0, 10), hour = view_sub(text, 11, 8);
    view iso = arena_printf(a->r->mem, "%.*sT%.*sZ", VIEW_ARG(day), VIEW_ARG(hour));
    if (instant_parse(iso, &a->ring.at, NULL) != E_OK)
        a->ring.at = clock_now();
}

/* Name without encoding suffix, ":what" behind it, its value. */
static err
take_argument(struct arguments *a, view name, view what, view value, struct fault *f)
{
    struct xmldsig_ring *r = &a->ring;
    if (view_eq(name, V("--trusted")))
        return add_file(a, value, r->roots, &r->n_roots, f);
    if (view_eq(name, V("--untrusted")))
        return add_file(a, value, r->others, &r->n_others, f);
    if (view_eq(name, V("--crl")))
        return add_file(a, value, r->crls, &r->n_crls, f);
    if (view_eq(name, V("--enabled-key-data")))
        r->kinds = value;
    if (view_eq(name, V("--enabled-reference-uris")))
        a->outside = true;
    if (view_eq(name, V("--verification-gmt-time")) || view_eq(name, V("--verification-time")))
        set_time(a, value);
    if (view_eq(name, V("--url-map")) && a->n_map < XMLDSIG_RING_MAX) {
        a->map_from[a->n_map] = what;
        a->map_to[a->n_map++] = value;
    }
    if ((view_eq(name, V("--pubkey")) || view_eq(name, V("--pubkey-cert"))) && r->n_keys < XMLDSIG_RING_MAX) {
        view bytes;
        TRY(conformance_file(a->r, value, &bytes, f));
        r->keys[r->n_keys++] = (struct xmldsig_named){what, bytes};
    }
    return E_OK;
}

static void
take_flag(struct arguments *a, view name)
{
    a->ring.any_issuer |= view_eq(name, V("--insecure"));
    a->ring.any_time |= view_eq(name, V("--X509-skip-time-checks"));
    a->ring.strict_crls |= view_eq(name, V("--verify-crls"));
    a->ring.ecdsa_in_der |= view_eq(name, V("--enable-asn1-signatures-hack"));
}

/* "--trusted-der" and "--trusted-pem" are one: the bytes say which. */
static view
without_encoding(view name)
{
    return view_ends(name, V("-der")) || view_ends(name, V("-pem")) ? view_sub(name, 0, name.n - 4) : name;
}

static view
bytes_outside(void *self, view uri)
{
    struct arguments *a = self;
    view bytes, folder = a->document;
    for (size_t i = 0; i < a->n_map; i++)
        if (view_eq(a->map_from[i], uri))
            return conformance_file(a->r, a->map_to[i], &bytes, NULL) == E_OK ? bytes : VIEW_NONE;
    while (folder.n > 0 && folder.p[folder.n - 1] != '/')
        folder.n--;
    if (!a->outside || view_find(uri, V(":")) < uri.n || view_find(uri, V("..")) < uri.n)
        return VIEW_NONE;
    view file = arena_printf(a->r->mem, "%.*s%.*s", VIEW_ARG(folder), VIEW_ARG(uri));
    return conformance_file(a->r, file, &bytes, NULL) == E_OK ? bytes : VIEW_NONE;
}

static view
argument_at(const json_t *list, size_t i)
{
    const json_t *one = json_array_get(list, i);
    return json_is_string(one) ? view_make(json_string_value(one), json_string_length(one)) : VIEW_NONE;
}

static err
arguments_read(struct arguments *a, const json_t *list, struct fault *f)
{
    a->ring.at = clock_now();
    a->ring.outside = (struct xmldsig_outside){a, bytes_outside};
    for (size_t i = 0; i < json_array_size(list); i++) {
        view what = argument_at(list, i), value = argument_at(list, i + 1);
        view name = view_cut(&what, ':', NULL);
        if (!view_starts(name, V("--")))
            continue;
        if (!value.p || view_starts(value, V("--")))
            take_flag(a, name);
        else
            TRY(take_argument(a, without_encoding(name), what, value, f));
    }
    return E_OK;
}

/* ---- interoperability ---- */

static bool
is_interop(const struct conformance_run *r)
{
    return strcmp(r->profile, "interop") == 0;
}

/* The gateway's profile, then the certificate's chain to the roots of the case. */
static err
verify_gateway(const struct xmldsig_ring *ring, view xml, arena *mem, struct fault *f)
{
    struct xmldsig_result x = {0};
    TRY(xmldsig_verify(xml, mem, &x, f));
    return xmldsig_ring_trusts(ring, x.certificate_der, x.rest_der, x.n_rest, f);
}

static err
judge_document(struct conformance_run *r, const json_t *one, struct fault *f)
{
    struct arguments *a = arena_make(r->mem, struct arguments);
    struct xmldsig_finding found;
    view xml;
    if (!a)
        return E_TOO_LARGE;
    a->r = r;
    a->document = judge_file(one, 0);
    TRY(conformance_file(r, a->document, &xml, f));
    TRY(arguments_read(a, json_member(one, "xmlsec_args"), f));
    struct fault why;
    fault_init(&why);
    err e = is_interop(r) ? xmldsig_verify_interop(xml, &a->ring, false, r->mem, &found, &why)
                          : verify_gateway(&a->ring, xml, r->mem, &why);
    judge_case(r, judge_id(one), view_eq(json_text(one, "expect"), V("accept")), e, &why);
    return E_OK;
}

err
conformance_xmldsig(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_document, f);
}

/* ---- wrapping ---- */

static err
read_xml(struct conformance_run *r, view file, view *ret, struct fault *f)
{
    TRY(conformance_file(r, file, ret, f));
    if (!view_ends(file, V(".base64")))
        return E_OK;
    char *packed = arena_alloc(r->mem, ret->n + 1);
    size_t n = 0;
    for (size_t i = 0; packed && i < ret->n; i++)
        if (!memchr(" \t\r\n", ret->p[i], 4))
            packed[n++] = ret->p[i];
    return packed ? text_base64_decode(view_make(packed, n), r->mem, ret) : E_TOO_LARGE;
}

/* Signed is what a consumer reads: the root, or nothing is. */
static err
verify_wrapped(struct conformance_run *r, const struct xmldsig_ring *ring, view xml, struct fault *f)
{
    struct xmldsig_finding found;
    if (!is_interop(r))
        return verify_gateway(ring, xml, r->mem, f);
    TRY(xmldsig_verify_interop(xml, ring, false, r->mem, &found, f));
    return found.root_signed
               ? E_OK
               : fault_set(f, E_SIGNATURE_PROFILE, "Reference", "the root", "a part of the document");
}

static err
judge_wrapped(struct conformance_run *r, const json_t *one, struct fault *f)
{
    struct xmldsig_ring *ring = arena_make(r->mem, struct xmldsig_ring);
    view xml, cert = json_text(one, "cert"), expect = json_text(one, "expect");
    if (!ring)
        return E_TOO_LARGE;
    ring->at = clock_now();
    ring->any_issuer = true; /* the set names a certificate to be believed, or none */
    TRY(read_xml(r, judge_file(one, 0), &xml, f));
    if (cert.n > 0) {
        TRY(conformance_file(r, cert, &ring->keys[0].bytes, f));
        ring->n_keys = 1;
    }
    struct fault why;
    fault_init(&why);
    err e = verify_wrapped(r, ring, xml, &why);
    if (view_eq(expect, V("accept")) || view_eq(expect, V("reject")))
        judge_case(r, judge_id(one), view_eq(expect, V("accept")), e, &why);
    else /* the part that is signed, or the full text: nothing less may be taken, and nothing is */
        judge_case(r, judge_id(one), false, e, &why);
    return E_OK;
}

err
conformance_wrapping(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_wrapped, f);
}
