#include "flow/person/application.h"

#include "base/buf.h"
#include "base/json.h"
#include "flow/case/claim.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/members.h"
#include "flow/partner/registry.h"

/* Who may withdraw: whoever signed the permission's document shows the same key, or the same person's certificate (a card is renewed, the number's tail stays). */
static err
check_withdrawer(struct gateway *g, struct reader *r, const struct row_permission *p, const struct signer *s,
                 arena *mem, struct fault *f)
{
    struct row_verdict *given = NULL;
    struct data_key key;
    view text;
    TRY(query_verdicts_of(r, ARGS(val_uid(&p->document)), mem, &given));
    if (!given)
        return E_STORE_CORRUPT;
    TRY(seal_load_key(g->seal, r, given->key, mem, &key));
    err e = seal_unbox(&key, V("verdict"), given->id, given->verdict, mem, &text);
    data_key_forget(&key);
    TRY(e);
    struct buf hex;
    buf_init(&hex, 80);
    buf_add_hex(&hex, digest_view(&s->spki));
    bool same = view_find(text, buf_view(&hex)) < text.n;
    buf_done(&hex);
    return same ? E_OK
                : fault_set(f, E_PERMISSION_EVIDENCE, "/signature", "who gave the permission", "another");
}

static err
judge(struct gateway *g, view compact, instant now, arena *mem, struct verdict **ret, view *ret_payload,
      struct fault *f)
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

static err
print_begun(struct reader *r, const struct row_permission *p, arena *mem, struct buf *out)
{
    struct row_delivery *list = NULL;
    size_t n = 0;
    TRY(query_deliveries_of_case(r, ARGS(val_uid(&p->case_id)), mem, &list));
    BUF_LIT(out, "\"sends_begun\":[");
    for (; list; list = list->next) {
        char id[ID_TEXT_SIZE], when[32];
        if (!uid_eq(list->permission, p->id) || !list->begun_at.us)
            continue;
        buf_printf(out, "%s{\"delivery\":\"%.*s\",\"begun_at\":\"%.*s\",\"state\":\"%.*s\"}", n++ ? "," : "",
                   VIEW_ARG(delivery_id_print((delivery_id){list->id}, id)),
                   VIEW_ARG(instant_print(list->begun_at, when)), VIEW_ARG(list->state));
    }
    BUF_LIT(out, "]");
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
withdraw_unit(struct gateway *g, struct reader *r, struct row_permission *p, view signature,
              partner_id sender, instant now, arena *mem, view *ret_receipt, struct fault *f)
{
    struct unit u;
    struct row_claim *claims = NULL;
    digest leaf;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_permission_usable, ARGS(val_uid(&p->id), val_time(now)));
    unit_change(&u, CHANGE_permission_withdraw, ARGS(val_uid(&p->id), val_time(now)));
    unit_change(&u, CHANGE_deliveries_stop, ARGS(val_uid(&p->id)));
    unit_change(&u, CHANGE_events_tombstone, ARGS(val_uid(&p->id)));
    TRY(query_claims_of_case(r, ARGS(val_uid(&p->case_id)), mem, &claims));
    for (; claims; claims = claims->next)
        if (uid_eq(claims->recipient, p->recipient) &&
            claim_next(claim_state_of(claims->state), V("withdraw")) != STATE_COUNT)
            TRY(claim_move(&u, claims, V("withdraw"), "person", (uid){{0}}, (uid){{0}}, now, f));
    TRY(timeline_add(&u, p->case_id, (uid){{0}}, "person", (uid){{0}}, "permission.withdrawn", VIEW_NONE,
                     (uid){{0}}, now));
    const digest parts[] = {sha256(signature), sha256(uid_view(&p->id))};
    submission_id id = submission_id_new();
    TRY(evidence_leaf(&u, "withdrawal", id.u, parts, COUNT_OF(parts), now, &leaf));
    TRY(evidence_receipt(g, id, &parts[0], &parts[1], sender, now, &leaf, mem, ret_receipt));
    return store_commit_now(g->store, &u);
}

err
permission_withdraw(struct gateway *g, perm_id id, view body, partner_id sender, instant now, arena *mem,
                    view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_permission *p = NULL;
    struct verdict *verdict = NULL;
    json_t *json = NULL, *said = NULL;
    view payload, receipt;
    char text[ID_TEXT_SIZE], when[32];
    static const char *const known[] = {"s:signature", NULL};
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    TRY(judge(g, json_text(json, "signature"), now, mem, &verdict, &payload, f));
    TRY(json_load(payload, mem, &said, f));
    if (!view_eq(json_text(said, "withdraw"), perm_id_print(id, text)))
        return fault_set(f, E_SCHEMA, "/signature/payload/withdraw", "the permission's id", "another");
    TRY(store_reader(g->store, &r));
    TRY(query_permission(r, ARGS(val_uid(&id.u)), mem, &p));
    if (!p)
        return fault_set(f, E_NOT_FOUND, "", "a permission", "none");
    TRY(check_withdrawer(g, r, p, &verdict_signature(verdict, 0)->signer, mem, f));
    if (p->withdrawn_at.us)
        return fault_set(f, E_WITHDRAWN, "", "a permission in force", "one withdrawn before");
    TRY(withdraw_unit(g, r, p, json_text(json, "signature"), sender, now, mem, &receipt, f));
    reader_done(TAKE(r)); /* what began before the commit is seen only in a snapshot after it */
    TRY(store_reader(g->store, &r));
    struct buf out;
    buf_init(&out, 1u << 20);
    buf_printf(&out, "{\"permission\":\"%.*s\",\"withdrawn_at\":\"%.*s\",", VIEW_ARG(perm_id_print(id, text)),
               VIEW_ARG(instant_print(now, when)));
    err e = print_begun(r, p, mem, &out);
    buf_printf(&out, ",\"receipt\":\"%.*s\"}", VIEW_ARG(receipt));
    *ret_json = e == E_OK ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
