#include "flow/person/application.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/join.h"
#include "flow/case/permission.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/members.h"
#include "flow/partner/registry.h"
#include "flow/person/presented.h"
#include "flow/person/representation.h"
#include "flow/person/signature.h"
#include "flow/person/withdrawal.h"

/* By the key that signed the permission's document. */
static err
check_key(struct gateway *g, struct reader *r, const struct row_permission *p, const struct signer *s,
          arena *mem, struct fault *f)
{
    struct row_verdict *given = NULL;
    struct data_key key;
    view text;
    if (uid_is_none(p->document))
        return fault_set(f, E_PERMISSION_EVIDENCE, "/signature", "a login or presentation of the person",
                         "a signature");
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

/* By who he is: the person, who gave it for him, or who represents him now. */
static err
check_person(struct reader *r, const struct row_permission *p, const digest *person, instant now, arena *mem,
             struct fault *f)
{
    bool may = digest_eq(&p->subject, person) || digest_eq(&p->by, person);
    if (!may)
        TRY(representation_allows(r, &p->subject, person, "withdraw", now, mem, &may));
    return may ? E_OK
               : fault_set(f, E_PERMISSION_EVIDENCE, "", "the person, or who represents him", "another");
}

static err
check_withdrawer(struct gateway *g, struct reader *r, const struct row_permission *p,
                 const struct withdrawal *w, instant now, arena *mem, struct fault *f)
{
    return w->verdict ? check_key(g, r, p, &verdict_signature(w->verdict, 0)->signer, mem, f)
                      : check_person(r, p, &w->person, now, mem, f);
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

/* Moves on a claim that was read: a join of cases that came between would be undone by writing the row, so each is guarded. */
static err
move_claims(struct reader *r, struct unit *u, const struct row_permission *p, instant now, struct fault *f)
{
    struct row_claim *claims = NULL;
    TRY(query_claims_of_case(r, ARGS(val_uid(&p->case_id)), u->mem, &claims));
    for (; claims; claims = claims->next) {
        if (!uid_eq(claims->recipient, p->recipient) ||
            claim_next(claim_state_of(claims->state), V("withdraw")) == STATE_COUNT)
            continue;
        claim_guard(u, claims);
        TRY(claim_move(u, claims, V("withdraw"), "person", (uid){{0}}, (uid){{0}}, now, f));
    }
    return E_OK;
}

/* What a withdrawal rests on. */
struct ground {
    digest evidence;             /* of what was signed, or of the session */
    struct presented *presented; /* NULL: another ground */
};

static err
withdraw_unit(struct gateway *g, struct reader *r, struct row_permission *p, const struct ground *by,
              partner_id sender, instant now, arena *mem, view *ret_receipt, struct fault *f)
{
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_permission_in_case, ARGS(val_uid(&p->id), val_uid(&p->case_id)));
    unit_guard(&u, GUARD_permission_standing, ARGS(val_uid(&p->id)));
    unit_change(&u, CHANGE_permission_withdraw, ARGS(val_uid(&p->id), val_time(now)));
    unit_change(&u, CHANGE_deliveries_stop, ARGS(val_uid(&p->id)));
    unit_change(&u, CHANGE_events_tombstone, ARGS(val_uid(&p->id)));
    if (by->presented)
        TRY(presented_spend(&u, by->presented));
    if (!uid_is_none(p->case_id)) {
        unit_change(&u, CHANGE_case_touch, ARGS(val_uid(&p->case_id), val_time(now))); /* plan.c is_guarded */
        if (permission_is_consent(p))
            TRY(move_claims(r, &u, p, now, f));
        TRY(timeline_add(&u, p->case_id, (uid){{0}}, "person", (uid){{0}}, "permission.withdrawn", VIEW_NONE,
                         (uid){{0}}, now));
    }
    const digest parts[] = {by->evidence, sha256(uid_view(&p->id))};
    submission_id id = submission_id_new();
    TRY(evidence_leaf(&u, "withdrawal", id.u, parts, COUNT_OF(parts), now, &leaf));
    TRY(evidence_receipt(g, id, &parts[0], &parts[1], sender, now, &leaf, mem, ret_receipt));
    return store_commit_now(g->store, &u);
}

/* One try: everything is read anew. */
static err
withdraw_once(struct gateway *g, perm_id id, const struct withdrawal *w, instant now, arena *mem,
              view *ret_receipt, struct row_permission **ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct ground by = {.evidence = sha256(w->evidence), .presented = w->presented};
    struct row_permission *p = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_permission(r, ARGS(val_uid(&id.u)), mem, &p));
    if (!p)
        return fault_set(f, E_NOT_FOUND, "", "a permission", "none");
    TRY(check_withdrawer(g, r, p, w, now, mem, f));
    if (permission_kind_of(p->kind) == PERMISSION_STATUTE)
        return fault_set(f, E_PERMISSION_BY_LAW, "", "a permission that the person gave", "one by law");
    if (p->withdrawn_at.us)
        return fault_set(f, E_WITHDRAWN, "", "a permission in force", "one withdrawn before");
    *ret = p;
    return withdraw_unit(g, r, p, &by, w->sender, now, mem, ret_receipt, f);
}

static err
print_withdrawn(struct gateway *g, const struct row_permission *p, instant at, view receipt, arena *mem,
                view *ret_json)
{
    AUTO(reader_done)
    struct reader *r = NULL; /* what began before the commit is seen only in a snapshot after it */
    char text[ID_TEXT_SIZE], when[32];
    struct buf out;
    TRY(store_reader(g->store, &r));
    buf_init(&out, 1u << 20);
    buf_printf(&out, "{\"permission\":\"%.*s\",\"withdrawn_at\":\"%.*s\",",
               VIEW_ARG(perm_id_print((perm_id){p->id}, text)), VIEW_ARG(instant_print(at, when)));
    err e = print_begun(r, p, mem, &out);
    buf_printf(&out, ",\"receipt\":\"%.*s\"}", VIEW_ARG(receipt));
    *ret_json = e == E_OK ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

#define REBUILDS 8

err
permission_end(struct gateway *g, perm_id id, const struct withdrawal *w, arena *mem, view *ret_json,
               struct fault *f)
{
    struct row_permission *p = NULL;
    view receipt = VIEW_NONE;
    err e = E_STALE;
    instant at = INSTANT_NONE;
    for (int i = 0; i < REBUILDS && (e == E_STALE || e == E_VERSION_CONFLICT); i++) {
        at = clock_now();
        e = withdraw_once(g, id, w, at, mem, &receipt, &p, f);
    }
    TRY(e);
    return print_withdrawn(g, p, at, receipt, mem, ret_json);
}

/* {"signature"} or {"presentation"}: both over {"withdraw":"perm-…"}. */
static err
read_ground(struct gateway *g, const json_t *json, instant now, arena *mem, struct withdrawal *w,
            struct presented *p, view *ret_payload, struct fault *f)
{
    view presentation = json_text(json, "presentation"), payload = json_text(json, "payload");
    if (!presentation.n) {
        w->evidence = json_text(json, "signature");
        return signature_judge(g, w->evidence, now, mem, &w->verdict, ret_payload, f);
    }
    if (text_base64url_decode(payload, mem, ret_payload) != E_OK)
        return fault_set(f, E_SCHEMA, "/payload", "base64url of what the presentation bound", "another form");
    TRY(presented_open(g, w->sender, presentation, *ret_payload, now, mem, p, f));
    w->evidence = p->evidence;
    w->presented = p;
    w->person = blind_person(g->seal, p->person);
    return E_OK;
}

err
permission_withdraw(struct gateway *g, perm_id id, view body, partner_id sender, const digest *person,
                    instant now, arena *mem, view *ret_json, struct fault *f)
{
    static const char *const known[] = {"s:signature", "s:presentation", "s:payload", NULL};
    struct withdrawal w = {.sender = sender};
    AUTO_DONE(presented_done) struct presented p = {.person = VIEW_NONE};
    json_t *json = NULL, *said = NULL;
    view payload;
    char text[ID_TEXT_SIZE];
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    if (person && json_object_size(json) == 0) {
        w.person = *person;
        w.evidence = uid_view(&id.u);
        return permission_end(g, id, &w, mem, ret_json, f);
    }
    TRY(read_ground(g, json, now, mem, &w, &p, &payload, f));
    TRY(json_load(payload, mem, &said, f));
    if (!view_eq(json_text(said, "withdraw"), perm_id_print(id, text)))
        return fault_set(f, E_SCHEMA, "/signature/payload/withdraw", "the permission's id", "another");
    return permission_end(g, id, &w, mem, ret_json, f);
}
