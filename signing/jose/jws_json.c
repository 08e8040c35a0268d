#include "signing/jose/jws_json.h"

#include "signing/jose/jose.h"

#include "base/text.h"

#define JSON_NODES_MAX 4096
#define JSON_BYTES_MAX (64u << 20)

static err
malformed(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_SIGNATURE_FORM, where, expected, found);
}

bool
jws_is_json(view text)
{
    return text.n > 0 && text.p[0] == '{';
}

struct reading {
    const struct tree *tree;
    view payload;
    arena *mem;
    struct jws_list *list;
};

static err
text_of(const struct reading *r, const struct node *object, const char *name, view *ret, struct fault *f)
{
    const struct node *n = node_member(r->tree, object, view_of(name));
    if (n && n->kind != NODE_STRING)
        return malformed(f, name, "a string", "something else");
    *ret = node_text(r->tree, n);
    return E_OK;
}

/* RFC 7515 7.2.1: no name in both headers; alg, crit and b64 change what is signed, so they are never taken from the
 * unprotected one. */
static err
unprotected_check(const struct reading *r, const struct node *header, view protected_b64, struct fault *f)
{
    static const view never[] = {V_INIT("crit"), V_INIT("b64")};
    if (!header)
        return E_OK;
    if (header->kind != NODE_OBJECT)
        return malformed(f, "header", "an object", "something else");
    if (node_member(r->tree, header, V("alg")))
        return fault_set(f, E_ALGORITHM, "header.alg", "alg in the protected header",
                         "alg in the unprotected one");
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (node_member(r->tree, header, never[i]))
            return malformed(f, "header", "crit and b64 in the protected header",
                             "one in the unprotected one");
    view json;
    struct tree protected;
    if (text_base64url_decode(protected_b64, r->mem, &json) != E_OK ||
        tree_read_json(json, NULL, r->mem, &protected, NULL) != E_OK)
        return malformed(f, "protected", "JSON in base64url", "something else");
    for (NODE_EACH(member, r->tree, header))
        if (node_member(&protected, tree_root(&protected), node_name(r->tree, member)))
            return malformed(f, "header", "a name in one of the headers", "a name in both");
    return E_OK;
}

static err
entry_fill(const struct reading *r, const struct node *object, struct jws_entry *e)
{
    struct fault *f = &e->fault;
    struct jws_parts *parts = &e->parts;
    const struct node *header = node_member(r->tree, object, V("header"));
    TRY(text_of(r, object, "protected", &parts->protected_b64, f));
    TRY(text_of(r, object, "signature", &parts->signature_b64, f));
    if (!parts->signature_b64.n)
        return malformed(f, "signature", "a signature", "nothing");
    if (!parts->protected_b64.n)
        return fault_set(f, E_ALGORITHM, "protected", "alg in a protected header", "no protected header");
    TRY(unprotected_check(r, header, parts->protected_b64, f));
    TRY(jws_header_read(parts->protected_b64, r->mem, &parts->header, f));
    if (!parts->header.kid.n && header)
        TRY(text_of(r, header, "kid", &parts->header.kid, f));
    parts->payload_b64 = r->payload;
    return E_OK;
}

static err
entry_add(struct reading *r, const struct node *object)
{
    if (r->list->n == SIGNATURES_MAX)
        return E_TOO_LARGE;
    struct jws_entry *e = &r->list->entry[r->list->n++];
    fault_init(&e->fault);
    e->code = object->kind == NODE_OBJECT ? entry_fill(r, object, e)
                                          : malformed(&e->fault, "signatures", "objects", "something else");
    return e->code == E_TOO_LARGE ? E_TOO_LARGE : E_OK;
}

/* RFC 7797 3: b64 is the same in all, since there is one payload. */
static err
b64_check(const struct jws_list *list, struct fault *f)
{
    int is = -1;
    for (size_t i = 0; i < list->n; i++) {
        const struct jws_entry *e = &list->entry[i];
        if (e->code != E_OK)
            continue;
        if (is >= 0 && is != e->parts.header.b64)
            return malformed(f, "signatures", "b64 the same in all", "another in one");
        is = e->parts.header.b64;
    }
    return E_OK;
}

err
jws_json_split(view json, arena *mem, struct jws_list *ret, struct fault *f)
{
    struct tree tree;
    struct fault inner;
    fault_init(&inner);
    const struct tree_limits limits = {JSON_BYTES_MAX, JSON_NODES_MAX};
    err e = tree_read_json(json, &limits, mem, &tree, &inner);
    if (e != E_OK)
        return e == E_TOO_LARGE ? e : malformed(f, "JWS", "JSON", err_info(e)->code);
    const struct node *root = tree_root(&tree), *all = node_member(&tree, root, V("signatures"));
    struct reading r = {.tree = &tree, .mem = mem, .list = ret};
    ret->n = 0;
    if (root->kind != NODE_OBJECT)
        return malformed(f, "JWS", "a JSON object", "something else");
    TRY(text_of(&r, root, "payload", &r.payload, f));
    if (!all)
        TRY(entry_add(&r, root));
    else if (all->kind != NODE_ARRAY || node_count(all) == 0 || node_member(&tree, root, V("signature")))
        return malformed(f, "signatures", "an array that is not empty, or one signature",
                         "something else or both");
    for (NODE_EACH(one, &tree, all))
        TRY(entry_add(&r, one));
    return b64_check(ret, f);
}

static enum jose_alg
pin_of(const struct jws_key *key, const struct jws_header *h)
{
    return key->alg == ALG_NONE && pkey_fits(key->pkey, h->alg) ? h->alg : key->alg;
}

/* Without an id on either side, a key may be meant when its algorithm is the header's. */
static bool
is_meant(const struct jws_key *key, const struct jws_header *h)
{
    return key->kid.n > 0 && h->kid.n > 0 ? view_eq(key->kid, h->kid) : jose_alg_same(pin_of(key, h), h->alg);
}

/* E_SIGNER_UNKNOWN when no key is meant; one of those that are has to fit. */
static err
entry_verify(const struct jws_entry *entry, view payload, const struct jws_key *keys, size_t n_keys,
             arena *mem, struct fault *f)
{
    err e = E_SIGNER_UNKNOWN;
    for (size_t i = 0; i < n_keys && e != E_OK; i++)
        if (is_meant(&keys[i], &entry->parts.header))
            e = jws_verify(&entry->parts, payload, pin_of(&keys[i], &entry->parts.header), keys[i].pkey, mem,
                           f);
    return e;
}

err
jws_json_verify(const struct jws_list *list, view payload, const struct jws_key *keys, size_t n_keys,
                arena *mem, bool ret_held[SIGNATURES_MAX], struct fault *f)
{
    err first = E_OK;
    bool one = false;
    for (size_t i = 0; i < list->n; i++) {
        const struct jws_entry *entry = &list->entry[i];
        struct fault why = entry->fault;
        err e = entry->code == E_OK ? entry_verify(entry, payload, keys, n_keys, mem, &why) : entry->code;
        ret_held[i] = e == E_OK;
        one |= ret_held[i];
        bool passed_over = e == E_ALGORITHM || e == E_SIGNER_UNKNOWN;
        if (e != E_OK && !passed_over)
            return fault_set(f, e, why.where, why.expected, why.found);
        if (first == E_OK)
            first = e;
    }
    return one ? E_OK
               : fault_set(f, first == E_OK ? E_SIGNER_UNKNOWN : first, "signatures", "one that holds",
                           "none");
}
