/* Bundle.signature over canonical JSON.  The set's certificates stand on no trust list, so what is compared is the check of the
 * signature; time, chain and authority are told beside it (--list). */
#include "conformance/judge.h"

#include "base/text.h"
#include "fhir/fhir.h"
#include "signing/jose/jws.h"
#include "signing/verify.h"

#define HINT "the case's key"

struct given {
    struct known_key key;
};

static bool
key_given(void *self, view kid, struct known_key *ret)
{
    const struct given *g = self;
    (void)kid; /* the case has one key */
    *ret = g->key;
    return g->key.pkey != NULL;
}

/* The public part of the JWK that the case names. */
static err
key_read(struct conformance_run *r, view file, struct given *g, struct fault *f)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    view text, kid;
    json_t *jwk;
    if (file.n == 0)
        return E_OK;
    TRY(conformance_file(r, file, &text, f));
    TRY(json_load(text, r->mem, &jwk, f));
    for (size_t i = 0; i < COUNT_OF(members); i++)
        json_object_del(jwk, members[i]);
    TRY(jwk_read(jwk, &g->key.pkey, &g->key.alg, &kid, r->mem, f));
    return arena_defer(r->mem, pkey_free, g->key.pkey) ? E_OK : E_TOO_LARGE;
}

/* The Bundle, by itself or in a Parameters resource. */
static err
bundle_read(struct conformance_run *r, view file, view text, struct tree *ret, struct fault *f)
{
    if (view_ends(file, V(".xml")))
        return fhir_read(FHIR_XML, text, r->mem, ret, f);
    TRY(tree_read_json(text, NULL, r->mem, ret, f));
    const struct node *inside = node_at(ret, tree_root(ret), "parameter.resource");
    return inside ? tree_read_json(node_raw(ret, inside), NULL, r->mem, ret, f) : E_OK;
}

static err
verify_bundle(struct conformance_run *r, const struct tree *tree, struct given *g, struct verdict **ret)
{
    const struct signature_in in = {.format = SIG_BUNDLE, .key_hint = V(HINT)};
    const struct key_source keys = {.self = g, .by_kid = key_given};
    const struct verify_request rq = {.body = tree->source,
                                      .tree = tree,
                                      .signatures = &in,
                                      .n_signatures = 1,
                                      .keys = &keys,
                                      .strict_time = true,
                                      .now = clock_now(),
                                      .mem = r->mem};
    return verify_document(&rq, ret);
}

static view
checks_text(const struct signature_out *s, arena *mem)
{
    view text = V("");
    for (int c = 0; c < CHECK_COUNT; c++) {
        const struct check_out *one = &s->check[c];
        text = arena_printf(mem, "%.*s%s%s %s", VIEW_ARG(text), c > 0 ? ", " : "",
                            check_word((enum check_kind)c),
                            !one->asked         ? "not asked"
                            : one->code == E_OK ? "ok"
                                                : err_info(one->code)->code);
    }
    return text;
}

static void
judge_verdict(struct conformance_run *r, const json_t *one, const struct verdict *v)
{
    const struct signature_out *s = verdict_signature(v, 0);
    const struct check_out *signature = &s->check[CHECK_SIGNATURE];
    view checks = checks_text(s, r->mem), expect = json_text(one, "expect");
    conformance_note(r, judge_id(one), "%.*s", VIEW_ARG(checks));
    if (view_eq(expect, V("no-verdict")))
        conformance_case(r, judge_id(one), CONFORMANCE_SKIPPED, "the set has no verdict of it; ours: %.*s",
                         VIEW_ARG(checks));
    else
        judge_case(r, judge_id(one), view_eq(expect, V("accept")),
                   signature->asked ? signature->code : s->code, &s->fault);
}

static err
judge_signed(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view file = judge_file(one, 0), text;
    struct tree tree;
    struct verdict *v;
    struct given *g = arena_make(r->mem, struct given);
    struct fault why;
    fault_init(&why);
    if (!g)
        return E_TOO_LARGE;
    TRY(conformance_file(r, file, &text, f));
    TRY(key_read(r, json_text(one, "certificate"), g, f));
    err e = bundle_read(r, file, text, &tree, &why);
    if (e == E_OK && !node_at(&tree, tree_root(&tree), "signature")) {
        conformance_case(r, judge_id(one), CONFORMANCE_SKIPPED, "no Bundle.signature in it");
        return E_OK;
    }
    if (e != E_OK && view_eq(json_text(one, "module"), V("dsig"))) {
        judge_case(r, judge_id(one), view_eq(json_text(one, "expect"), V("accept")), e, &why);
        return E_OK;
    }
    if (e != E_OK) {
        conformance_case(r, judge_id(one), CONFORMANCE_SKIPPED, "no FHIR document: %s", err_info(e)->code);
        return E_OK;
    }
    TRY(verify_bundle(r, &tree, g, &v));
    judge_verdict(r, one, v);
    return E_OK;
}

err
conformance_fhir_dsig(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_signed, f);
}
