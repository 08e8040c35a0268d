/* Who is asked: reads what waits, and says what will come or why not. */
#include "flow/task/task_inside.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/case/original.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/members.h"

#define LIMIT_MAX 200
#define FEE_MAX 1000000

/* -- what the owner reads -- */

static err
open_detail(struct gateway *g, struct reader *r, view place, uid sealed_by, uid id, view sealed, arena *mem,
            json_t **ret)
{
    struct data_key key;
    view text;
    TRY(seal_load_key(g->seal, r, sealed_by, mem, &key));
    err e = seal_unbox(&key, place, id, sealed, mem, &text);
    data_key_forget(&key);
    return e == E_OK ? json_load(text, mem, ret, NULL) : e;
}

/* The person's word, so that the owner checks it before an officer does: the signed list and the one item that names him. */
static err
print_mandate(struct gateway *g, struct reader *r, const struct row_permission *p, arena *mem,
              struct buf *out)
{
    json_t *detail = NULL;
    char from[32], to[32];
    TRY(open_detail(g, r, V("permission"), p->key, p->id, p->detail, mem, &detail));
    buf_printf(out, ",\"mandate\":{\"level\":\"%.*s\",\"from\":\"%.*s\"", VIEW_ARG(p->level),
               VIEW_ARG(instant_print(p->valid_from, from)));
    if (p->valid_to.us)
        buf_printf(out, ",\"to\":\"%.*s\"", VIEW_ARG(instant_print(p->valid_to, to)));
    static const char *const members[] = {"text", "signature", "co_signatures", "item"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        buf_printf(out, ",\"%s\":", members[i]);
        buf_add_view(out, json_dump_arena(json_object_get(detail, members[i]), mem));
    }
    BUF_LIT(out, "}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
print_task(struct gateway *g, struct reader *r, const struct row_task *t,
           const struct row_permission *mandate, arena *mem, struct buf *out)
{
    const struct task_item *item = task_item_of(t->item);
    json_t *detail = NULL;
    char id[ID_TEXT_SIZE], when[32];
    TRY(open_detail(g, r, V("task"), t->key, t->id, t->detail, mem, &detail));
    buf_printf(out, "{\"id\":\"%.*s\",\"item\":\"%.*s\",\"state\":\"%.*s\",\"version\":%lld,\"basis\":\"%s\"",
               VIEW_ARG(task_id_print((task_id){t->id}, id)), VIEW_ARG(t->item), VIEW_ARG(t->state),
               (long long)t->version, item ? item->basis : "");
    buf_printf(out, ",\"requested_at\":\"%.*s\",\"subject\":", VIEW_ARG(instant_print(t->at, when)));
    buf_add_view(out, json_dump_arena(json_object_get(detail, "subject"), mem));
    if (t->earliest.us)
        buf_printf(out, ",\"earliest\":\"%.*s\"", VIEW_ARG(instant_print(t->earliest, when)));
    if (t->promised.us)
        buf_printf(out, ",\"promised\":\"%.*s\"", VIEW_ARG(instant_print(t->promised, when)));
    if (t->fee >= 0)
        buf_printf(out, ",\"fee\":{\"amount\":\"%lld\",\"currency\":\"TWD\"}", (long long)t->fee);
    if (view_eq(t->state, V("refused")))
        buf_printf(out, ",\"reason\":\"%.*s\"", VIEW_ARG(t->reason));
    if (mandate)
        TRY(print_mandate(g, r, mandate, mem, out));
    BUF_LIT(out, "}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

/* Shown to its owner while it may be asked for: a mandate stands and the day has come.  What was settled stays to be read. */
static err
is_shown(struct reader *r, const struct row_task *t, instant now, arena *mem,
         const struct row_permission **ret_mandate, bool *ret)
{
    *ret_mandate = NULL;
    *ret = true;
    if (task_is_of_gateway(t))
        return E_OK;
    TRY(task_any_mandate(r, t, now, mem, ret_mandate));
    bool is_waiting = view_eq(t->state, V("open")) || view_eq(t->state, V("promised"));
    *ret = !is_waiting || (*ret_mandate && t->earliest.us <= now.us);
    return E_OK;
}

err
task_list(struct gateway *g, partner_id owner, view cursor, int limit, instant now, arena *mem,
          view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct buf out AUTO_DONE(buf_done);
    struct row_task *list = NULL;
    task_id after = {{{0}}};
    int seen = 0;
    size_t shown = 0;
    char text[ID_TEXT_SIZE];
    limit = limit < 1 ? 50 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    if (cursor.n && task_id_parse(cursor, &after) != E_OK)
        return fault_set(f, E_PARAMETER, "cursor", "next_cursor of an earlier answer", "another form");
    TRY(store_reader(g->store, &r));
    TRY(query_tasks_of_owner(r, ARGS(val_uid(&owner.u), val_blob(uid_view(&after.u)), val_int(limit + 1)),
                             mem, &list));
    buf_init(&out, 8u << 20);
    BUF_LIT(&out, "{\"data\":[");
    for (; list && seen < limit; list = list->next, seen++) {
        const struct row_permission *mandate;
        bool is = false;
        after.u = list->id;
        TRY(is_shown(r, list, now, mem, &mandate, &is));
        if (!is)
            continue;
        if (shown++)
            BUF_LIT(&out, ",");
        TRY(print_task(g, r, list, mandate, mem, &out));
    }
    buf_printf(&out, "],\"has_more\":%s,\"next_cursor\":\"%.*s\"}", list ? "true" : "false",
               VIEW_ARG(task_id_print(after, text)));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* Another partner's task, or one that may not be shown, is not there. */
static err
find_own(struct reader *r, partner_id owner, task_id id, instant now, arena *mem, struct row_task **ret,
         const struct row_permission **ret_mandate, struct fault *f)
{
    struct row_task *t = NULL;
    bool is = false;
    TRY(query_task(r, ARGS(val_uid(&id.u)), mem, &t));
    if (t && uid_eq(t->owner, owner.u))
        TRY(is_shown(r, t, now, mem, ret_mandate, &is));
    if (!is)
        return fault_set(f, E_NOT_FOUND, "", "a task of yours", "none");
    *ret = t;
    return E_OK;
}

static err
print_one(struct gateway *g, struct reader *r, const struct row_task *t, const struct row_permission *mandate,
          arena *mem, view *ret_json, view *ret_etag)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1u << 20);
    TRY(print_task(g, r, t, mandate, mem, &out));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    *ret_etag = arena_printf(mem, "\"%lld\"", (long long)t->version);
    return ret_json->p && ret_etag->p ? E_OK : E_TOO_LARGE;
}

err
task_show(struct gateway *g, partner_id owner, task_id id, instant now, arena *mem, view *ret_json,
          view *ret_etag, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_task *t = NULL;
    const struct row_permission *mandate = NULL;
    TRY(store_reader(g->store, &r));
    TRY(find_own(r, owner, id, now, mem, &t, &mandate, f));
    return print_one(g, r, t, mandate, mem, ret_json, ret_etag);
}

/* -- what the owner says -- */

static err
read_fee(const json_t *json, int64_t *ret, struct fault *f)
{
    static const char *const known[] = {"s:amount", "s:currency", NULL};
    const json_t *fee = json_member(json, "fee");
    if (!fee)
        return E_OK;
    TRY(members_only(fee, known, f));
    if (text_to_i64(json_text(fee, "amount"), ret) != E_OK || *ret < 0 || *ret > FEE_MAX ||
        !view_eq(json_text(fee, "currency"), V("TWD")))
        return fault_set(f, E_SCHEMA, "/fee", "a whole amount of NT$", "another form");
    return E_OK;
}

static err
read_promise(const json_t *json, struct row_task *t, struct fault *f)
{
    view when = json_text(json, "promised");
    if (when.n && instant_parse(when, &t->promised, NULL) != E_OK)
        return fault_set(f, E_SCHEMA, "/promised", "an RFC 3339 time", "another form");
    TRY(read_fee(json, &t->fee, f));
    t->state = V("promised");
    return E_OK;
}

static err
read_refusal(const json_t *json, struct row_task *t, struct fault *f)
{
    view reason = json_text(json, "reason");
    if (!task_refusal_of(reason))
        return fault_set(f, E_TASK_REASON, "/reason", "a reason of the list", "another word");
    t->state = V("refused");
    t->reason = reason;
    return E_OK;
}

/* The row as it will be; *ret_event: what the askers are told. */
static err
read_word(view body, struct row_task *t, arena *mem, const char **ret_event, struct fault *f)
{
    static const char *const known[] = {"s:state", "s:promised", "o:fee", "s:reason", NULL};
    json_t *json = NULL;
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    view state = json_text(json, "state");
    bool is_own = task_is_of_gateway(t);
    if (view_eq(t->state, V("answered")))
        return fault_set(f, E_TASK_STATE, "/state", "a task that waits", "one that is answered");
    *ret_event = view_eq(state, V("refused")) ? "record.refused" : "record.promised";
    if (view_eq(state, V("promised")))
        return read_promise(json, t, f);
    if (view_eq(state, V("refused")) && !is_own)
        return read_refusal(json, t, f);
    if (!view_eq(state, V("done")) || !is_own)
        return fault_set(f, E_SCHEMA, "/state", is_own ? "promised or done" : "promised or refused",
                         "another word");
    t->state = V("answered");
    return E_OK;
}

/* The original papers are at the first insurer: those that got the claim forwarded are told, without a name. */
static err
tell_forwarded(struct gateway *g, struct reader *r, struct unit *u, const json_t *subject, instant now,
               arena *mem)
{
    struct row_claim *first = NULL, *list = NULL;
    struct row_case *in_case = NULL;
    claim_id id;
    if (claim_id_parse(json_text(subject, "claim"), &id) != E_OK)
        return E_STORE_CORRUPT;
    TRY(query_claim(r, ARGS(val_uid(&id.u)), mem, &first));
    if (!first)
        return E_OK;
    TRY(query_claims_of_case(r, ARGS(val_uid(&first->case_id)), mem, &list));
    TRY(query_case_row(r, ARGS(val_uid(&first->case_id)), mem, &in_case));
    for (; list && in_case; list = list->next) {
        view words, detail;
        if (!uid_eq(list->application, first->application) || uid_eq(list->id, first->id))
            continue;
        TRY(claim_benefits(g, r, list, mem, &words, &detail));
        if (!original_role(detail, mem).n)
            continue;
        const struct plan_input in = {.g = g,
                                      .reader = r,
                                      .mem = mem,
                                      .in_case = {first->case_id},
                                      .case_version = in_case->version,
                                      .now = now};
        TRY(plan_delivery_new(&in, u, list, NULL, (uid){{0}}, "original.arrived"));
    }
    return E_OK;
}

static err
tell_done(struct gateway *g, struct reader *r, struct unit *u, const struct row_task *t, instant now,
          arena *mem)
{
    json_t *detail = NULL;
    if (!view_eq(t->item, V("original_papers")) || !view_eq(t->state, V("answered")))
        return E_OK;
    TRY(open_detail(g, r, V("task"), t->key, t->id, t->detail, mem, &detail));
    return tell_forwarded(g, r, u, json_object_get(detail, "subject"), now, mem);
}

static err
answer_once(struct gateway *g, const struct task_word *w, arena *mem, view *ret_json, view *ret_etag,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_task *t = NULL, *changed;
    const struct row_permission *mandate = NULL;
    const char *event;
    struct unit u;
    digest leaf;
    TRY(store_reader(g->store, &r));
    TRY(find_own(r, w->owner, w->task, w->at, mem, &t, &mandate, f));
    if (!view_eq(w->if_match, arena_printf(mem, "\"%lld\"", (long long)t->version)))
        return fault_set(f, E_VERSION_CONFLICT, "If-Match", "the ETag of the present version", "another");
    TRY(read_word(w->body, t, mem, &event, f));
    t->changed_at = w->at;
    t->next_at = INSTANT_NONE; /* who answers is not asked by the wire too */
    unit_init(&u, mem);
    TRY(task_put(&u, t, &changed));
    TRY(task_tell(g, r, &u, changed, event, w->at, mem));
    TRY(tell_done(g, r, &u, changed, w->at, mem));
    const digest parts[] = {sha256(w->body), sha256(uid_view(&t->id))};
    TRY(evidence_leaf(&u, "task", t->id, parts, COUNT_OF(parts), w->at, &leaf));
    TRY(print_one(g, r, changed, mandate, mem, ret_json, ret_etag));
    reader_done(TAKE(r));
    return store_commit(g->store, &u);
}

err
task_answer(struct gateway *g, const struct task_word *w, arena *mem, view *ret_json, view *ret_etag,
            struct fault *f)
{
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = answer_once(g, w, mem, ret_json, ret_etag, f);
    if (e == E_OK && g->wake_relay)
        g->wake_relay(g->relay);
    return e;
}
