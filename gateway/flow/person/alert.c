#include "flow/person/alert.h"

#include "base/json.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/members.h"
#include "flow/partner/registry.h"
#include "flow/person/account.h"
#include "flow/person/withdrawal.h"

err
alert_add(struct unit *u, const digest *person, const char *about, uid in_case, uid document, uid by,
          instant now)
{
    struct row_alert *row = unit_add_alert(u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_alert){.id = uid_new(),
                              .about = view_of(about),
                              .person = *person,
                              .case_id = in_case,
                              .document = document,
                              .partner = by,
                              .answer = V(""),
                              .at = now};
    return E_OK;
}

err
alert_print(struct gateway *g, struct reader *r, const digest *person, arena *mem, struct buf *out)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct row_alert *list = NULL;
    char id[ID_TEXT_SIZE], in_case[ID_TEXT_SIZE], when[32];
    size_t n = 0;
    TRY(query_alerts_of_person(r, ARGS(val_digest(person)), mem, &list));
    BUF_LIT(out, "\"alerts\":[");
    for (; list; list = list->next) {
        const struct partner *app = registry_partner(registry, (partner_id){list->partner});
        uid now_in = list->case_id;
        TRY(case_surviving(r, list->case_id, mem, &now_in));
        buf_printf(out, "%s{\"id\":\"%.*s\",\"about\":\"%.*s\",\"case\":\"%.*s\",\"at\":\"%.*s\",\"app\":",
                   n++ ? "," : "", VIEW_ARG(alert_id_print((alert_id){list->id}, id)), VIEW_ARG(list->about),
                   VIEW_ARG(case_id_print((case_id){now_in}, in_case)),
                   VIEW_ARG(instant_print(list->at, when)));
        buf_add_json(out, app ? app->row->name_zh : V(""));
        if (list->answer.n)
            buf_printf(out, ",\"answer\":\"%.*s\"", VIEW_ARG(list->answer));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return out->failed ? E_TOO_LARGE : E_OK;
}

/* ---- the answer ---- */

static err
find(struct reader *r, const digest *person, view id, arena *mem, struct row_alert **ret, struct fault *f)
{
    alert_id number;
    if (alert_id_parse(id, &number) == E_OK)
        TRY(query_alert(r, ARGS(val_uid(&number.u)), mem, ret));
    return *ret && digest_eq(&(*ret)->person, person)
               ? E_OK
               : fault_set(f, E_NOT_FOUND, "", "an alert of yours", "none");
}

/* Each by its own withdrawal; what is withdrawn already stays so.  A process that ends in between goes on with the next try. */
static err
end_permissions(struct gateway *g, struct reader *r, const struct row_alert *a, uid in_case, partner_id by,
                arena *mem, struct buf *out, struct fault *f)
{
    struct row_permission *list = NULL;
    char id[ID_TEXT_SIZE];
    size_t n = 0;
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    for (; list; list = list->next) {
        const struct withdrawal w = {.sender = by, .person = a->person, .evidence = uid_view(&a->id)};
        view json;
        if (!uid_eq(list->document, a->document))
            continue;
        err e =
            list->withdrawn_at.us ? E_WITHDRAWN : permission_end(g, (perm_id){list->id}, &w, mem, &json, f);
        if (e != E_OK && e != E_WITHDRAWN)
            return e;
        buf_printf(out, "%s\"%.*s\"", n++ ? "," : "", VIEW_ARG(perm_id_print((perm_id){list->id}, id)));
    }
    return E_OK;
}

/* Those who have the claim learn that the person disputes it: an event without content, whatever became of the permission. */
static err
tell(const struct plan_input *in, struct unit *u, const struct row_alert *a)
{
    struct row_claim *claims = NULL;
    TRY(query_claims_of_case(in->reader, ARGS(val_uid(&in->in_case.u)), in->mem, &claims));
    for (; claims; claims = claims->next)
        if (uid_eq(claims->application, a->document))
            TRY(plan_delivery_new(in, u, claims, NULL, (uid){{0}}, "claim.disputed"));
    return E_OK;
}

static err
note(struct gateway *g, struct row_alert *a, uid in_case, view answer, instant now, arena *mem)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct row_case *row = NULL;
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    TRY(store_reader(g->store, &r));
    TRY(query_case_row(r, ARGS(val_uid(&in_case)), mem, &row));
    const struct plan_input in = {g, r, registry, mem, {in_case}, row ? row->version : 0, now, NULL};
    unit_guard(&u, GUARD_alert_open, ARGS(val_uid(&a->id)));
    unit_change(&u, CHANGE_alert_answer, ARGS(val_uid(&a->id), val_text(answer), val_time(now)));
    if (view_eq(answer, V("not_me")) && view_eq(a->about, V("account")))
        TRY(account_dispute(g, r, &u, a->document, now));
    else if (view_eq(answer, V("not_me"))) {
        TRY(tell(&in, &u, a));
        TRY(timeline_add(&u, in_case, (uid){{0}}, "person", (uid){{0}}, "filing.disputed", VIEW_NONE,
                         a->document, now));
    }
    const digest parts[] = {sha256(uid_view(&a->id)), sha256(answer)};
    TRY(evidence_leaf(&u, "dispute", a->id, parts, COUNT_OF(parts), now, &leaf));
    reader_done(TAKE(r));
    return store_commit(g->store, &u);
}

err
alert_answer(struct gateway *g, const digest *person, view id, view body, partner_id by, instant now,
             arena *mem, view *ret_json, struct fault *f)
{
    static const char *const known[] = {"s:answer", NULL};
    AUTO(reader_done) struct reader *r = NULL;
    struct row_alert *a = NULL;
    struct buf out AUTO_DONE(buf_done);
    json_t *json = NULL;
    uid in_case;
    buf_init(&out, 65536);
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    view answer = json_text(json, "answer");
    if (!view_eq(answer, V("me")) && !view_eq(answer, V("not_me")))
        return fault_set(f, E_SCHEMA, "/answer", "me or not_me", "another word");
    TRY(store_reader(g->store, &r));
    TRY(find(r, person, id, mem, &a, f));
    if (a->answer.n && !view_eq(a->answer, answer))
        return fault_set(f, E_ALERT_ANSWERED, "/answer", "the answer that was given", "another");
    TRY(case_surviving(r, a->case_id, mem, &in_case));
    buf_printf(&out, "{\"alert\":\"%.*s\",\"answer\":\"%.*s\",\"ended\":[", VIEW_ARG(id), VIEW_ARG(answer));
    if (view_eq(answer, V("not_me")))
        TRY(end_permissions(g, r, a, in_case, by, mem, &out, f));
    reader_done(TAKE(r));
    err e = a->answer.n ? E_OK : E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = note(g, a, in_case, answer, now, mem);
    TRY(e);
    if (g->wake_relay)
        g->wake_relay(g->relay);
    BUF_LIT(&out, "]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
