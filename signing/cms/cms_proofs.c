#include "signing/cms/cms_proofs.h"

#include "signing/cms/der.h"

#define OID(literal)                                                                                         \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    }

static const view oid_basic = OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01");
static const view oid_ocsp_response = OID("\x2b\x06\x01\x05\x05\x07\x10\x02");
static const view oid_cades_values = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x18");
static const view oid_adbe_archival = OID("\x2a\x86\x48\x86\xf7\x2f\x01\x01\x08");

static void
add(struct cms_proofs *ret, enum cms_proof_kind kind, view der)
{
    if (ret->n == CMS_PROOFS_MAX)
        return;
    ret->of[ret->n].kind = kind;
    ret->of[ret->n++].der = der;
}

void
cms_proofs_of_lists(view crls, struct cms_proofs *ret)
{
    struct der_item item, oid, response;
    while (crls.n > 0 && der_next(&crls, &item)) {
        if (item.tag == DER_SEQUENCE)
            add(ret, PROOF_LIST, item.whole);
        else if (item.tag == DER_CONTEXT(1) && der_take(&item.value, DER_OID, &oid) &&
                 view_eq(oid.value, oid_ocsp_response) && der_only(item.value, DER_SEQUENCE, &response))
            add(ret, PROOF_RESPONSE, response.whole);
    }
}

/* [0] lists, [1] responses, each around a sequence; what stands behind is other material. */
static void
add_values(view values, enum cms_proof_kind response_kind, struct cms_proofs *ret)
{
    struct der_item outer, list, one;
    for (int i = 0; i < 2; i++) {
        der_take_if(&values, i == 0 ? DER_CONTEXT(0) : DER_CONTEXT(1), &outer);
        if (outer.whole.n == 0 || !der_only(outer.value, DER_SEQUENCE, &list))
            continue;
        while (list.value.n > 0 && der_take(&list.value, DER_SEQUENCE, &one))
            add(ret, i == 0 ? PROOF_LIST : response_kind, one.whole);
    }
}

void
cms_proofs_of_attributes(view attributes, struct cms_proofs *ret)
{
    struct der_item attribute, oid, values, value;
    while (attributes.n > 0 && der_take(&attributes, DER_SEQUENCE, &attribute)) {
        if (!der_take(&attribute.value, DER_OID, &oid) || !der_only(attribute.value, DER_SET, &values) ||
            !der_only(values.value, DER_SEQUENCE, &value))
            continue;
        if (view_eq(oid.value, oid_cades_values))
            add_values(value.value, PROOF_BASIC_RESPONSE, ret);
        else if (view_eq(oid.value, oid_adbe_archival))
            add_values(value.value, PROOF_RESPONSE, ret);
    }
}

err
cms_proof_response(const struct cms_proof *p, arena *mem, view *ret)
{
    struct buf bytes AUTO_DONE(buf_done), outer AUTO_DONE(buf_done), all AUTO_DONE(buf_done);
    const size_t most = p->der.n + 64;
    buf_init(&bytes, most);
    buf_init(&outer, most);
    buf_init(&all, most);
    *ret = p->der;
    if (p->kind != PROOF_BASIC_RESPONSE)
        return E_OK;
    der_add(&bytes, DER_OID, oid_basic);
    der_add(&bytes, DER_OCTETS, p->der);
    der_add(&outer, DER_SEQUENCE, buf_view(&bytes)); /* ResponseBytes */
    buf_clear(&bytes);
    der_add(&bytes, DER_ENUMERATED, view_make("", 1)); /* successful */
    der_add(&bytes, DER_CONTEXT(0), buf_view(&outer));
    der_add(&all, DER_SEQUENCE, buf_view(&bytes));
    *ret = all.failed || bytes.failed || outer.failed ? VIEW_NONE : arena_dup(mem, buf_view(&all));
    return ret->p ? E_OK : E_TOO_LARGE;
}
