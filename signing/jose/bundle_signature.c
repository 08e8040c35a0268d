#include "signing/jose/bundle_signature.h"

#include "base/buf.h"
#include "base/jcs.h"
#include "base/text.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CANONICAL "http://hl7.org/fhir/canonicalization/json"
#define OID_PREFIX "urn:oid:"

static err
refuse(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_SIGNATURE_PROFILE, where, expected, found);
}

static const struct node *
signature_of(const struct tree *t)
{
    const struct node *root = tree_root(t);
    if (root->kind != NODE_OBJECT || !view_eq(node_text_at(t, root, "resourceType"), V("Bundle")))
        return NULL;
    const struct node *s = node_member(t, root, V("signature"));
    return s && s->kind == NODE_OBJECT ? s : NULL;
}

bool
bundle_signature_present(const struct tree *t)
{
    return signature_of(t) != NULL;
}

/* application/fhir+json;canonicalization=… */
static err
target_read(view target, struct bundle_signature *s, struct fault *f)
{
    if (!target.p || target.n == 0) { /* CDex fixes it, so that senders leave it out */
        s->document = true;
        return E_OK;
    }
    view media = view_trim(view_cut(&target, ';', NULL)), form = view_trim(target);
    if (!view_eq(media, V("application/fhir+json")))
        return refuse(f, "Bundle.signature.targetFormat", "application/fhir+json", "another format");
    s->document = form.n == 0 || view_eq(form, V("canonicalization=" CANONICAL "#document"));
    if (!s->document && !view_eq(form, V("canonicalization=" CANONICAL)))
        return refuse(f, "Bundle.signature.targetFormat", "the canonical form of the whole or of a document",
                      "another");
    return E_OK;
}

/* The compact JWS in base64; some senders leave the outer base64 out, which is another text and refused. */
static err
data_read(view data, arena *mem, struct bundle_signature *s, struct fault *f)
{
    if (!data.n || text_base64_decode(data, mem, &s->jws) != E_OK)
        return fault_set(f, E_SIGNATURE_FORM, "Bundle.signature.data", "a compact JWS in base64",
                         data.n ? "something else" : "nothing");
    return E_OK;
}

/* What is left out is covered by nothing, so it has at least the form that FHIR gives it. */
static err
left_out_check(const struct tree *t, struct fault *f)
{
    const struct node *id = node_member(t, tree_root(t), V("id")),
                      *meta = node_member(t, tree_root(t), V("meta"));
    if (id && id->kind != NODE_STRING)
        return fault_set(f, E_TYPE, "Bundle.id", "a string", "something else");
    return !meta || meta->kind == NODE_OBJECT
               ? E_OK
               : fault_set(f, E_TYPE, "Bundle.meta", "an object", "something else");
}

err
bundle_signature_read(const struct tree *t, arena *mem, struct bundle_signature *ret, struct fault *f)
{
    struct bundle_signature s = {.node = signature_of(t)};
    if (!s.node)
        return fault_set(f, E_SIGNATURE_MISSING, "Bundle.signature", "a signature", "none");
    if (tree_root(t)->flags & NODE_FROM_XML)
        return refuse(f, "Bundle.signature", "a Bundle in JSON", "one in XML");
    TRY(left_out_check(t, f));
    view format = node_text_at(t, s.node, "sigFormat");
    if (format.n > 0 && !view_eq(format, V("application/jose")))
        return refuse(f, "Bundle.signature.sigFormat", "application/jose", "another format");
    TRY(target_read(node_text_at(t, s.node, "targetFormat"), &s, f));
    TRY(data_read(node_text_at(t, s.node, "data"), mem, &s, f));
    s.who_system = node_text_at(t, s.node, "who.identifier.system");
    s.who_value = node_text_at(t, s.node, "who.identifier.value");
    s.who_uri = node_text_at(t, s.node, "who.reference");
    *ret = s;
    return E_OK;
}

/* ---- what is signed ---- */

static err
numbers_check(const struct tree *t, struct fault *f, arena *mem)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        if (n->kind == NODE_NUMBER && !jcs_is_exact(node_text(t, n)))
            return fault_set(f, E_OUT_OF_RANGE, arena_cstr(mem, node_path(t, n, mem)),
                             "a number that RFC 8785 keeps", "more digits than a double holds");
    }
    return E_OK;
}

err
bundle_signature_octets(const struct tree *t, const struct bundle_signature *s, arena *mem, view *ret,
                        struct fault *f)
{
    static const view left_out[] = {V_INIT("signature"), V_INIT("id"), V_INIT("meta")};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 2 * t->source.n + 65536);
    TRY(numbers_check(t, f, mem));
    TRY(jcs_write(t, tree_root(t), left_out, s->document ? COUNT_OF(left_out) : 1, &out));
    view kept = arena_dup(mem, buf_view(&out));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret = kept;
    return E_OK;
}

/* ---- commitments ---- */

static bool
has_type(const struct tree *t, const struct node *types, view code)
{
    for (NODE_EACH(type, t, types))
        if (view_eq(node_text_at(t, type, "code"), code))
            return true;
    return false;
}

err
bundle_signature_commitments(const struct tree *t, const struct bundle_signature *s, view protected_b64,
                             arena *mem, struct fault *f)
{
    view json;
    struct tree header;
    if (text_base64url_decode(protected_b64, mem, &json) != E_OK ||
        tree_read_json(json, NULL, mem, &header, NULL) != E_OK)
        return fault_set(f, E_SIGNATURE_FORM, "protected header", "JSON in base64url", "something else");
    const struct node *list = node_member(&header, tree_root(&header), V("srCms"));
    const struct node *types = node_member(t, s->node, V("type"));
    if (!list)
        return E_OK;
    if (list->kind != NODE_ARRAY || node_count(list) == 0)
        return fault_set(f, E_SIGNATURE_FORM, "srCms", "an array that is not empty", "something else");
    if (node_count(list) != node_count(types))
        return fault_set(f, E_SIGNATURE_MISMATCH, "srCms", "the commitments of Signature.type",
                         "another number");
    for (NODE_EACH(one, &header, list)) {
        view id = node_text_at(&header, one, "commId.id");
        if (view_starts(id, V(OID_PREFIX)))
            id = view_sub(id, strlen(OID_PREFIX), id.n);
        if (!id.n || !has_type(t, types, id))
            return fault_set(f, E_SIGNATURE_MISMATCH, "srCms", "the commitments of Signature.type",
                             "another");
    }
    return E_OK;
}

/* ---- Signature.who ---- */

static view
text_of(const ASN1_STRING *s)
{
    return s ? view_make(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)) : VIEW_NONE;
}

/* Identifier systems that have an OID of their own. */
static view
system_oid(view system)
{
    static const struct {
        view uri, oid;
    } known[] = {{V_INIT("http://hl7.org/fhir/sid/us-npi"), V_INIT("2.16.840.1.113883.4.6")}};
    if (view_starts(system, V(OID_PREFIX)))
        return view_sub(system, strlen(OID_PREFIX), system.n);
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (view_eq(system, known[i].uri))
            return known[i].oid;
    return VIEW_NONE;
}

static bool
is_other_name(const OTHERNAME *other, const struct bundle_signature *s)
{
    char oid[128];
    view wanted = system_oid(s->who_system);
    int n = OBJ_obj2txt(oid, sizeof oid, other->type_id, 1);
    const ASN1_TYPE *value = other->value;
    bool is_text = value && (value->type == V_ASN1_UTF8STRING || value->type == V_ASN1_IA5STRING ||
                             value->type == V_ASN1_PRINTABLESTRING || value->type == V_ASN1_OCTET_STRING);
    return n > 0 && wanted.n > 0 && view_eq(view_of(oid), wanted) && is_text && s->who_value.n > 0 &&
           view_eq(text_of(value->value.asn1_string), s->who_value);
}

static bool
is_named(const GENERAL_NAME *name, const struct bundle_signature *s)
{
    if (name->type == GEN_OTHERNAME)
        return is_other_name(name->d.otherName, s);
    if (name->type != GEN_URI)
        return false;
    view uri = text_of(name->d.uniformResourceIdentifier);
    return uri.n > 0 && (view_eq(uri, s->who_uri) ||
                         (view_eq(s->who_system, V("urn:ietf:rfc:3986")) && view_eq(uri, s->who_value)));
}

bool
bundle_signature_names(const struct bundle_signature *s, view certificate_der)
{
    const unsigned char *p = (const unsigned char *)certificate_der.p;
    X509 *x = d2i_X509(NULL, &p, (long)certificate_der.n);
    GENERAL_NAMES *names = x ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
        found = is_named(sk_GENERAL_NAME_value(names, i), s);
    GENERAL_NAMES_free(names);
    X509_free(x);
    ERR_clear_error();
    return found;
}
