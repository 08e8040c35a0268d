/* Who asks: an insurer for its claim, an app for its person. */
#include "flow/task/task_inside.h"

#include "adapters/police/police.h"
#include "base/json.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/members.h"
#include "flow/view/feed.h"

#define ITEMS_MAX 8
#define TAIPEI_MINUTES 480

/* One request for several papers of one holder. */
struct asking {
    struct gateway *g;
    struct registry *registry;
    struct reader *r;
    arena *mem;
    struct fault *f;
    instant now;
    const struct partner *who, *holder;
    json_t *json;
    const struct task_item *items[ITEMS_MAX];
    size_t n;
    view capacity;
    bool by_accident;
    view agency, number, ref_kind; /* of the subject */
    date occurred;                 /* precision none: not said */
    uid claim, in_case, recipient;
    digest person;
    view subject_text;
};

/* -- reading -- */

static err
read_capacity(struct asking *a)
{
    bool is_app = view_eq(a->who->row->kind, V("app"));
    a->capacity = json_text(a->json, "capacity");
    if (!a->capacity.n)
        a->capacity = is_app ? V("party") : V("agent");
    bool allowed = is_app ? view_eq(a->capacity, V("party")) || view_eq(a->capacity, V("interested"))
                          : view_eq(a->capacity, V("agent"));
    return allowed ? E_OK
                   : fault_set(a->f, E_RECORD_CAPACITY, "/capacity", is_app ? "party or interested" : "agent",
                               "another capacity");
}

static err
read_items(struct asking *a)
{
    const json_t *list = json_member(a->json, "items");
    a->n = json_array_size(list);
    if (a->n == 0 || a->n > ITEMS_MAX)
        return fault_set(a->f, E_SCHEMA, "/items", "one to eight items", "another number");
    for (size_t i = 0; i < a->n; i++) {
        a->items[i] = task_item_of(view_of(json_string_value(json_array_get(list, i))));
        if (!a->items[i] || !task_item_of_owner(a->items[i], a->holder))
            return fault_setf(a->f, E_RECORD_ITEM, "a paper that this holder keeps", "another", "/items/%zu",
                              i);
    }
    return E_OK;
}

static bool
needs_day(const struct asking *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->items[i]->days > 0)
            return true;
    return false;
}

static err
read_accident(struct asking *a, const json_t *subject)
{
    view day = json_text(subject, "occurred");
    a->by_accident = true;
    a->number = json_text(subject, "accident_no");
    a->agency = json_text(subject, "agency");
    if (!a->agency.n)
        a->agency = a->holder->row->code;
    if (day.n && (date_parse(day, &a->occurred) != E_OK || a->occurred.precision != DATE_DAY))
        return fault_set(a->f, E_SCHEMA, "/subject/occurred", "the day of the accident, YYYY-MM-DD",
                         "another form");
    if (!day.n && needs_day(a))
        return fault_set(a->f, E_SCHEMA, "/subject/occurred", "the day of the accident", "none");
    return E_OK;
}

static err
read_subject(struct asking *a)
{
    static const char *const known[] = {"s:accident_no",    "s:agency",     "s:occurred", "s:visit_no",
                                        "s:certificate_no", "s:receipt_no", NULL};
    static const char *const numbers[] = {"visit_no", "certificate_no", "receipt_no"};
    const json_t *subject = json_member(a->json, "subject");
    TRY(members_only(subject, known, a->f));
    a->subject_text = json_dump_arena(subject, a->mem);
    if (json_text(subject, "accident_no").n)
        return read_accident(a, subject);
    for (size_t i = 0; i < COUNT_OF(numbers) && !a->number.n; i++) {
        a->number = json_text(subject, numbers[i]);
        a->ref_kind = view_of(numbers[i]);
    }
    for (size_t i = 0; i < a->n; i++)
        if (!a->number.n || a->items[i]->kind == KIND_ACCIDENT_PART || a->items[i]->kind == KIND_INQUEST)
            return fault_set(a->f, E_SCHEMA, "/subject",
                             "accident_no, visit_no, certificate_no or receipt_no",
                             "none that fits the items");
    return E_OK;
}

/* The case that an app filed an application for. */
static err
own_case(struct asking *a, view text)
{
    struct row_document *list = NULL;
    struct row_claim *claims = NULL;
    struct row_permission *permissions = NULL;
    case_id id;
    bool filed = false;
    if (case_id_parse(text, &id) == E_OK)
        TRY(query_documents_of_case(a->r, ARGS(val_uid(&id.u)), a->mem, &list));
    for (; list; list = list->next)
        filed = filed || (uid_eq(list->sender, a->who->id.u) &&
                          (view_eq(list->kind, view_of(document_kind_word(KIND_APPLICATION))) ||
                           view_eq(list->kind, view_of(document_kind_word(KIND_PERMISSION)))));
    if (!filed)
        return fault_set(a->f, E_NOT_FOUND, "/case", "a case that you filed", "none");
    a->in_case = id.u;
    TRY(query_claims_of_case(a->r, ARGS(val_uid(&id.u)), a->mem, &claims));
    TRY(query_permissions_of_case(a->r, ARGS(val_uid(&id.u)), a->mem, &permissions));
    a->person = permissions ? permissions->subject : claims ? claims->claimant : (digest){{0}};
    return E_OK;
}

/* Nothing is fetched for an insurer that could not have it. */
static err
check_entitled(struct asking *a)
{
    struct row_permission *list = NULL;
    TRY(query_permissions_of_case(a->r, ARGS(val_uid(&a->in_case)), a->mem, &list));
    for (size_t i = 0; i < a->n; i++) {
        const struct row_permission *p = list;
        while (p && !(digest_eq(&p->subject, &a->person) &&
                      permission_stands(p, a->recipient, V("claim"), a->items[i]->kind, a->now)))
            p = p->next;
        if (!p)
            return fault_setf(a->f, E_PERMISSION_NEEDED, "a paper that the person lets you have", "another",
                              "/items/%zu", i);
    }
    return E_OK;
}

static err
read_on_behalf(struct asking *a)
{
    view claim = json_text(a->json, "claim"), in_case = json_text(a->json, "case");
    struct row_claim *row = NULL;
    claim_id id;
    if ((claim.n > 0) == (in_case.n > 0))
        return fault_set(a->f, E_SCHEMA, "/claim", "claim or case", claim.n ? "both" : "neither");
    if (in_case.n)
        return own_case(a, in_case);
    if (claim_id_parse(claim, &id) != E_OK)
        return fault_set(a->f, E_NOT_FOUND, "/claim", "a claim of yours", "another form");
    TRY(feed_own_claim(a->r, a->who->id, id, a->mem, &row, a->f));
    a->claim = row->id;
    a->in_case = row->case_id;
    a->person = row->claimant;
    a->recipient = row->recipient;
    return check_entitled(a);
}

static err
read_request(struct asking *a, view body)
{
    static const char *const known[] = {"s:claim", "s:case",     "s:holder", "o:subject",
                                        "a:items", "s:capacity", NULL};
    TRY(json_load(body, a->mem, &a->json, a->f));
    TRY(members_only(a->json, known, a->f));
    a->holder = task_holder(a->registry, json_text(a->json, "holder"));
    if (!a->holder || !partner_is_active(a->holder))
        return fault_set(a->f, E_RECORD_HOLDER, "/holder", "a registered keeper of records",
                         "an unknown code");
    TRY(read_capacity(a));
    TRY(read_items(a));
    return read_subject(a);
}

/* -- the unit -- */

static digest
about(const struct asking *a, const struct task_item *item)
{
    view owner = a->holder->row->code, word = view_of(item->word);
    return a->by_accident ? task_about_accident(a->g->seal, owner, word, a->agency, a->number)
                          : task_about_person(a->g->seal, owner, word, a->ref_kind, a->number, &a->person);
}

/* The first moment, in Taiwan, of the day from which it may be asked for. */
static instant
earliest_of(const struct asking *a, const struct task_item *item)
{
    if (item->days <= 0 || a->occurred.precision != DATE_DAY)
        return INSTANT_NONE;
    int64_t day = date_days(a->occurred) + item->days;
    return (instant){(day * 1440 - TAIPEI_MINUTES) * 60 * 1000000};
}

/* The latest revision that is here. */
static err
find_part(struct asking *a, const struct task_item *item, uid *ret)
{
    char signer[ID_TEXT_SIZE];
    bool more = true;
    for (int revision = 1; more; revision++) {
        struct row_document *list = NULL;
        view value = arena_printf(a->mem, "%.*s/%.*s/%s/%d", VIEW_ARG(a->holder->row->code),
                                  VIEW_ARG(a->number), item->word, revision);
        digest blind = BLIND(a->g->seal, "identity", partner_id_print(a->holder->id, signer),
                             V(POLICE_IDENTIFIER_SYSTEM), value);
        TRY(query_documents_by_identity(a->r, ARGS(val_digest(&blind)), a->mem, &list));
        more = list != NULL;
        if (list)
            *ret = list->id;
    }
    return E_OK;
}

/* Does the paper bear the number that was named? */
static bool
bears_number(const struct asking *a, const struct claim_case *facts)
{
    for (const struct case_encounter *e = facts->encounters; e; e = e->next)
        if (view_eq(a->ref_kind, V("visit_no")) && view_eq(e->visit_no.v, a->number))
            return true;
    for (const struct case_certificate *c = facts->certificates; c; c = c->next)
        if (view_eq(a->ref_kind, V("certificate_no")) && view_eq(c->no.v, a->number))
            return true;
    for (const struct case_expense *e = facts->expenses; e; e = e->next)
        if (view_eq(a->ref_kind, V("receipt_no")) && view_eq(e->no.v, a->number))
            return true;
    return false;
}

static err
find_in_case(struct asking *a, const struct task_item *item, uid *ret)
{
    struct row_document *list = NULL;
    TRY(query_documents_of_case(a->r, ARGS(val_uid(&a->in_case)), a->mem, &list));
    for (; list; list = list->next) {
        struct claim_case *facts = NULL;
        if (!uid_eq(list->signer, a->holder->id.u) || !view_eq(list->state, V("current")) ||
            document_kind_of(list->kind) != item->kind)
            continue;
        TRY(case_facts(a->g, a->r, list, a->mem, &facts));
        if (facts && (a->by_accident || bears_number(a, facts)))
            *ret = list->id;
    }
    return E_OK;
}

/* The paper may be here already. */
static err
find_paper(struct asking *a, const struct task_item *item, uid *ret)
{
    *ret = (uid){{0}};
    return item->kind == KIND_ACCIDENT_PART ? find_part(a, item, ret) : find_in_case(a, item, ret);
}

static err
new_task(struct asking *a, struct unit *u, const struct task_item *item, const digest *blind,
         struct row_task **ret)
{
    struct row_task *t = unit_add_task(u);
    struct data_key key;
    if (!t)
        return E_TOO_LARGE;
    t->id = task_id_new().u;
    t->owner = a->holder->id.u;
    t->item = view_of(item->word);
    t->about = *blind;
    t->earliest = earliest_of(a, item);
    t->fee = -1;
    t->version = 1;
    t->at = t->changed_at = a->now;
    TRY(find_paper(a, item, &t->document));
    t->state = uid_is_none(t->document) ? V("open") : V("answered");
    if (uid_is_none(t->document))
        t->next_at = t->earliest.us > a->now.us ? t->earliest : a->now;
    TRY(seal_new_key(a->g->seal, u, "task", &key));
    t->key = key.id;
    view detail = arena_printf(a->mem, "{\"subject\":%.*s}", VIEW_ARG(a->subject_text));
    err e = detail.p ? seal_box(&key, V("task"), t->id, detail, a->mem, &t->detail) : E_TOO_LARGE;
    data_key_forget(&key);
    *ret = t;
    return e;
}

static err
join_task(struct asking *a, struct unit *u, const struct row_task *t, struct row_ask **ret)
{
    struct row_ask *known = NULL;
    TRY(query_asks_of_task(a->r, ARGS(val_uid(&t->id)), a->mem, &known));
    for (; known; known = known->next) {
        if (!uid_eq(known->partner, a->who->id.u) || !uid_eq(known->claim, a->claim) ||
            (uid_is_none(a->claim) && !uid_eq(known->case_id, a->in_case)))
            continue;
        *ret = known;
        return E_OK;
    }
    struct row_ask *row = unit_add_ask(u);
    if (!row)
        return E_TOO_LARGE;
    struct row_ask *chained = row->next;
    *row = (struct row_ask){.id = ask_id_new().u,
                            .task = t->id,
                            .partner = a->who->id.u,
                            .claim = a->claim,
                            .case_id = a->in_case,
                            .capacity = a->capacity,
                            .at = a->now,
                            .next = chained};
    *ret = row;
    return E_OK;
}

struct asked {
    struct row_task *task;
    struct row_ask *ask;
};

static err
build(struct asking *a, struct unit *u, struct asked *ret)
{
    digest leaf;
    for (size_t i = 0; i < a->n; i++) {
        digest blind = about(a, a->items[i]);
        TRY(query_task_about(a->r, ARGS(val_digest(&blind)), a->mem, &ret[i].task));
        if (!ret[i].task)
            TRY(new_task(a, u, a->items[i], &blind, &ret[i].task));
        else
            unit_change(u, CHANGE_task_wake, ARGS(val_uid(&ret[i].task->id), val_time(a->now)));
        TRY(join_task(a, u, ret[i].task, &ret[i].ask));
    }
    TRY(timeline_add(u, a->in_case, a->claim, "insurer", a->who->id.u, "record.requested", VIEW_NONE,
                     (uid){{0}}, a->now));
    const digest parts[] = {sha256(uid_view(&ret[0].task->id)), sha256(uid_view(&a->who->id.u))};
    TRY(evidence_leaf(u, "record-request", ret[0].ask->id, parts, COUNT_OF(parts), a->now, &leaf));
    return u->failed ? E_TOO_LARGE : E_OK;
}

/* -- what the asker reads -- */

static err
has_paper(struct reader *r, const struct row_task *t, const struct row_ask *ask, instant now, arena *mem,
          bool *ret)
{
    const struct task_item *item = task_item_of(t->item);
    struct row_case_document *links = NULL;
    struct row_permission *permissions = NULL;
    struct row_claim *claim;
    uid in_case;
    *ret = false;
    TRY(task_case(r, ask, mem, &in_case, &claim));
    TRY(query_case_links_of(r, ARGS(val_uid(&in_case)), mem, &links));
    bool linked = false;
    for (; links; links = links->next)
        linked = linked || uid_eq(links->document, t->document);
    if (!claim || !linked) {
        *ret = linked;
        return E_OK;
    }
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &permissions));
    for (; permissions; permissions = permissions->next)
        *ret = *ret || permission_stands(permissions, claim->recipient, V("claim"), item->kind, now);
    return E_OK;
}

static err
state_of(struct reader *r, const struct row_task *t, const struct row_ask *ask, instant now, arena *mem,
         const char **ret)
{
    const struct row_permission *mandate = NULL;
    bool has = false;
    if (view_eq(t->state, V("answered"))) {
        TRY(has_paper(r, t, ask, now, mem, &has));
        *ret = has ? "available" : "withheld";
        return E_OK;
    }
    *ret = view_eq(t->state, V("refused")) ? "refused" : "promised";
    if (!view_eq(t->state, V("open")))
        return E_OK;
    TRY(task_mandate(r, t, ask, now, mem, &mandate));
    *ret = !mandate ? "permission_needed" : t->earliest.us > now.us ? "not_yet" : "requested";
    return E_OK;
}

static err
print_ask(struct registry *registry, struct reader *r, const struct row_task *t, const struct row_ask *ask,
          instant now, arena *mem, struct buf *out)
{
    const struct partner *owner = registry_partner(registry, (partner_id){t->owner});
    const struct task_item *item = task_item_of(t->item);
    const char *state;
    char id[ID_TEXT_SIZE], when[32];
    TRY(state_of(r, t, ask, now, mem, &state));
    buf_printf(
        out, "{\"id\":\"%.*s\",\"holder\":\"%.*s\",\"item\":\"%.*s\",\"capacity\":\"%.*s\",\"state\":\"%s\"",
        VIEW_ARG(ask_id_print((ask_id){ask->id}, id)), VIEW_ARG(owner ? owner->row->code : V("")),
        VIEW_ARG(t->item), VIEW_ARG(ask->capacity), state);
    buf_printf(out, ",\"basis\":\"%s\",\"requested_at\":\"%.*s\"", item ? item->basis : "",
               VIEW_ARG(instant_print(ask->at, when)));
    if (t->earliest.us)
        buf_printf(out, ",\"earliest\":\"%.*s\"", VIEW_ARG(instant_print(t->earliest, when)));
    if (t->promised.us)
        buf_printf(out, ",\"promised\":\"%.*s\"", VIEW_ARG(instant_print(t->promised, when)));
    if (t->fee >= 0)
        buf_printf(out, ",\"fee\":{\"amount\":\"%lld\",\"currency\":\"TWD\"}", (long long)t->fee);
    if (strcmp(state, "refused") == 0)
        buf_printf(out, ",\"reason\":\"%.*s\"", VIEW_ARG(t->reason));
    if (strcmp(state, "available") == 0)
        buf_printf(out, ",\"document\":\"%.*s\"", VIEW_ARG(doc_id_print((doc_id){t->document}, id)));
    BUF_LIT(out, "}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
print_asked(struct asking *a, const struct asked *list, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(a->g->store, &r));
    buf_init(&out, 1u << 18);
    BUF_LIT(&out, "{\"data\":[");
    for (size_t i = 0; i < a->n; i++) {
        if (i)
            BUF_LIT(&out, ",");
        TRY(print_ask(a->registry, r, list[i].task, list[i].ask, a->now, a->mem, &out));
    }
    BUF_LIT(&out, "]}");
    *ret = out.failed ? VIEW_NONE : arena_dup(a->mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
ask_once(struct asking *a, view *ret_json)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct asked list[ITEMS_MAX] = {{0}};
    struct unit u;
    TRY(store_reader(a->g->store, &r));
    a->r = r;
    TRY(read_on_behalf(a));
    unit_init(&u, a->mem);
    TRY(build(a, &u, list));
    reader_done(TAKE(r));
    TRY(store_commit(a->g->store, &u));
    return print_asked(a, list, ret_json);
}

err
task_ask(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
         struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct asking a = {.g = g, .registry = registry, .mem = mem, .f = f, .now = now};
    a.who = registry_partner(registry, who);
    if (!a.who || !partner_is_active(a.who))
        return fault_set(f, E_SUSPENDED, "", "an active partner", "another status");
    TRY(read_request(&a, body));
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = ask_once(&a, ret_json);
    return e == E_OK ? E_OK : fault_set(f, e, "", "", "");
}

err
task_ask_show(struct gateway *g, partner_id who, ask_id id, instant now, arena *mem, view *ret_json,
              struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    AUTO(reader_done) struct reader *r = NULL;
    struct buf out AUTO_DONE(buf_done);
    struct row_ask *ask = NULL;
    struct row_task *task = NULL;
    buf_init(&out, 1u << 16);
    TRY(store_reader(g->store, &r));
    TRY(query_ask(r, ARGS(val_uid(&id.u)), mem, &ask));
    if (!ask || !uid_eq(ask->partner, who.u))
        return fault_set(f, E_NOT_FOUND, "", "a request of yours", "none");
    TRY(query_task(r, ARGS(val_uid(&ask->task)), mem, &task));
    if (!task)
        return E_STORE_CORRUPT;
    TRY(print_ask(registry, r, task, ask, now, mem, &out));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
