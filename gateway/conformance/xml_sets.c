#include "base/xml.h"
#include "conformance/conformance.h"
#include "fhir/fhir.h"

/* canon/xml-attacks and canon/xml-w3c.  Whether a text is well-formed is asked of the parser that all our XML goes through
 * (base/xml.h), with events that do nothing; an attack is sent to the door that a sender has, fhir_read. */

/* An attack must be refused with no more than this. */
#define ATTACK_MEMORY ((size_t)64 << 20)

static void
on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
         const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    (void)self, (void)name, (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces;
    (void)n_attributes, (void)n_defaulted, (void)attributes;
}

static void
on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)self, (void)name, (void)prefix, (void)uri;
}

static void
on_text(void *self, const xmlChar *text, int n)
{
    (void)self, (void)text, (void)n;
}

static err
parse(view bytes)
{
    static const struct xml_events events = {on_start, on_end, on_text};
    struct fault f;
    fault_init(&f);
    struct xml_parse p = {.source = bytes, .f = &f};
    TRY(xml_check_bytes(bytes, &f));
    return xml_parse_run(&p, &events);
}

static err
file_of(struct conformance_run *r, const json_t *one, view *ret, struct fault *f)
{
    const char *file = json_string_value(json_array_get(json_member(one, "files"), 0));
    return conformance_file(r, view_of(file), ret, f);
}

/* Document types, encodings other than UTF-8 and broken namespaces are refused by rule. */
static bool
is_policy(err e)
{
    return e == E_XML_DOCTYPE || e == E_UTF8 || e == E_XML_NAMESPACE;
}

static void
count(struct conformance_run *r, view id, view expect, err e)
{
    if (view_eq(expect, V("reject")))
        conformance_case(r, id, e != E_OK ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_ACCEPT, "accepted");
    else if (e != E_OK)
        conformance_case(r, id, is_policy(e) ? CONFORMANCE_POLICY_REJECT : CONFORMANCE_WRONG_REJECT, "%s",
                         err_info(e)->code);
    else
        conformance_case(r, id, view_eq(expect, V("accept")) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_ACCEPT,
                         "a document type was accepted");
}

static err
judge_attack(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), expect = json_text(one, "expect"), bytes;
    AUTO(arena_free) arena *mem = arena_new(ATTACK_MEMORY);
    struct tree t;
    TRY(file_of(r, one, &bytes, f));
    count(r, id, expect,
          view_eq(expect, V("accept")) ? parse(bytes) : fhir_read(FHIR_XML, bytes, mem, &t, NULL));
    return E_OK;
}

err
conformance_xml_attacks(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_attack, f);
}

static err
judge_w3c(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view bytes;
    TRY(file_of(r, one, &bytes, f));
    count(r, json_text(one, "id"), json_text(one, "expect"), parse(bytes));
    return E_OK;
}

err
conformance_xml_w3c(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_w3c, f);
}
