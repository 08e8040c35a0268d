#include "flow/person/signature.h"

#include "flow/partner/registry.h"

err
signature_judge(struct gateway *g, view compact, instant now, arena *mem, struct verdict **ret,
                view *ret_payload, struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    AUTO(trust_unref) struct trust *trust = gateway_trust(g);
    struct key_source keys = registry_key_source(registry);
    struct jws_parts parts;
    struct tree *tree = arena_make(mem, struct tree);
    if (!tree)
        return E_TOO_LARGE;
    TRY(jws_split(compact, mem, &parts, f));
    TRY(jws_payload(&parts, mem, ret_payload, f));
    TRY(tree_read_json(*ret_payload, NULL, mem, tree, f));
    view detached =
        arena_printf(mem, "%.*s..%.*s", VIEW_ARG(parts.protected_b64), VIEW_ARG(parts.signature_b64));
    const struct signature_in in = {SIG_JWS, detached, VIEW_NONE};
    const struct verify_request rq = {.body = *ret_payload,
                                      .tree = tree,
                                      .signatures = &in,
                                      .n_signatures = 1,
                                      .trust = trust,
                                      .keys = &keys,
                                      .now = now,
                                      .mem = mem};
    TRY(verify_document(&rq, ret));
    if (verdict_code(*ret) != E_OK)
        return fault_set(f, verdict_code(*ret), "/signature", "a signature that holds", "another outcome");
    return E_OK;
}
