/* What follows from a proof: what waited for it goes out, and its end is told. */
#include "flow/person/representation.h"

#include "base/log.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/task/task.h"

#define REBUILDS 8
#define STEP_MAX 200

/* -- asking for a proof -- */

static digest
about_of(const struct gateway *g, const char *item, uid owner, uid document)
{
    return BLIND(g->seal, "task-representation", view_of(item), uid_view(&owner), uid_view(&document));
}

static err
turn(struct gateway *g, struct unit *u, const char *item, uid owner, uid in_case, uid about, view more,
     instant now)
{
    char id[ID_TEXT_SIZE];
    const struct task_wish w = {.item = item,
                                .owner = owner,
                                .about = about_of(g, item, owner, about),
                                .subject = arena_printf(u->mem, "{\"case\":\"%.*s\",%.*s}",
                                                        VIEW_ARG(case_id_print((case_id){in_case}, id)),
                                                        VIEW_ARG(more)),
                                .at = now};
    return w.subject.p ? task_turn(g, u, &w) : E_TOO_LARGE;
}

err
representation_ask(struct gateway *g, struct unit *u, uid owner, uid in_case, uid application,
                   const char *why, instant now)
{
    char id[ID_TEXT_SIZE];
    return turn(g, u, "representation_proof", owner, in_case, application,
                arena_printf(u->mem, "\"application\":\"%.*s\",\"reason\":\"%s\"",
                             VIEW_ARG(doc_id_print((doc_id){application}, id)), why),
                now);
}

/* -- what waited -- */

/* One waiting permission and what it lies in, read anew at each try. */
struct waiting {
    struct gateway *g;
    struct reader *r;
    struct registry *registry;
    arena *mem;
    instant now;
    struct fault *f;
    struct row_permission *p;
    struct row_case *in_case;
    struct row_document *application;
    struct row_claim *claim; /* NULL of a mandate */
};

static err
load(struct waiting *w, uid permission, bool *ret_stands)
{
    struct row_claim *claims = NULL;
    *ret_stands = false;
    TRY(query_permission(w->r, ARGS(val_uid(&permission)), w->mem, &w->p));
    if (!w->p || !w->p->waits.n || w->p->withdrawn_at.us)
        return E_OK;
    TRY(representation_allows(w->r, &w->p->subject, &w->p->by, "apply", w->now, w->mem, ret_stands));
    TRY(query_case_row(w->r, ARGS(val_uid(&w->p->case_id)), w->mem, &w->in_case));
    TRY(query_document(w->r, ARGS(val_uid(&w->p->document)), w->mem, &w->application));
    TRY(query_claims_of_case(w->r, ARGS(val_uid(&w->p->case_id)), w->mem, &claims));
    w->claim = NULL;
    for (; claims; claims = claims->next)
        if (uid_eq(claims->application, w->p->document) && claims->item == w->p->item)
            w->claim = claims;
    *ret_stands = *ret_stands && w->in_case && w->application;
    return E_OK;
}

static err
open_claim(struct waiting *w, struct unit *u)
{
    struct row_document *documents = NULL;
    const struct plan_input in = {.g = w->g,
                                  .reader = w->r,
                                  .registry = w->registry,
                                  .mem = w->mem,
                                  .in_case = {w->in_case->id},
                                  .case_version = w->in_case->version + 1,
                                  .now = w->now};
    if (claim_next(claim_state_of(w->claim->state), V("permit")) == STATE_COUNT ||
        !plan_evidence_is_enough(w->registry, w->claim->recipient, w->p) ||
        !plan_is_sure(w->g, w->registry, w->claim->recipient, w->application->level, 0))
        return E_OK;
    TRY(query_documents_of_case(w->r, ARGS(val_uid(&w->in_case->id)), w->mem, &documents));
    claim_guard(u, w->claim);
    TRY(claim_move(u, w->claim, V("permit"), "gateway", (uid){{0}}, w->application->id, w->now, w->f));
    return plan_opened(&in, u, w->claim, w->p, w->application->id, documents, w->f);
}

static err
release(struct waiting *w)
{
    struct unit u;
    digest leaf, about = about_of(w->g, "representation_proof", w->application->sender, w->application->id);
    unit_init(&u, w->mem);
    unit_guard(&u, GUARD_case_version, ARGS(val_uid(&w->in_case->id), val_int(w->in_case->version)));
    unit_guard(&u, GUARD_permission_waits, ARGS(val_uid(&w->p->id)));
    unit_change(&u, CHANGE_case_touch, ARGS(val_uid(&w->in_case->id), val_time(w->now)));
    unit_change(&u, CHANGE_permission_proven, ARGS(val_uid(&w->p->id)));
    w->p->waits = VIEW_NONE;
    if (w->claim)
        TRY(open_claim(w, &u));
    else
        unit_change(&u, CHANGE_tasks_wake, ARGS(val_uid(&w->p->recipient), val_time(w->now)));
    TRY(task_turned_done(w->r, &u, &about, (uid){{0}}, w->now));
    TRY(timeline_add(&u, w->in_case->id, w->claim ? w->claim->id : (uid){{0}}, "gateway", (uid){{0}},
                     "representation.proven", VIEW_NONE, w->application->id, w->now));
    const digest parts[] = {sha256(uid_view(&w->p->id)), w->p->by};
    TRY(evidence_leaf(&u, "permission", w->p->id, parts, COUNT_OF(parts), w->now, &leaf));
    reader_done(TAKE(w->r));
    return store_commit(w->g->store, &u);
}

static void
waiting_done(struct waiting *w)
{
    reader_done(w->r);
    registry_unref(w->registry);
    arena_free(w->mem);
}

static err
release_once(struct gateway *g, uid permission, instant now, struct fault *f)
{
    AUTO_DONE(waiting_done)
    struct waiting w = {
        .g = g, .registry = gateway_registry(g), .mem = arena_new(64u << 20), .now = now, .f = f};
    bool stands;
    TRY(store_reader(g->store, &w.r));
    TRY(load(&w, permission, &stands));
    return stands ? release(&w) : E_OK;
}

static err
release_each(struct gateway *g, const struct row_permission *list, instant now, struct fault *f)
{
    for (; list; list = list->next) {
        err e = E_STALE;
        for (int i = 0; i < REBUILDS && (e == E_STALE || e == E_VERSION_CONFLICT); i++)
            e = release_once(g, list->id, now, f);
        TRY(e);
    }
    if (g->wake_relay)
        g->wake_relay(g->relay);
    return E_OK;
}

err
representation_release(struct gateway *g, const digest *person, instant now, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(16u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_permission *list = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_permissions_waiting(r, ARGS(val_digest(person)), mem, &list));
    reader_done(TAKE(r));
    return list ? release_each(g, list, now, f) : E_OK;
}

/* -- its time is over -- */

/* The insurer has the claim, and it is not over. */
static bool
is_open(const struct row_claim *c)
{
    static const char *const over[] = {
        "permission_needed", "withdrawn",         "paid",     "offset", "closed", "declined", "recalled",
        "not_our_insured",   "returned_to_paper", "received", "draft"};
    for (size_t i = 0; i < COUNT_OF(over); i++)
        if (view_eq(c->state, view_of(over[i])))
            return false;
    return true;
}

static err
tell_insurer(struct gateway *g, struct reader *r, struct unit *u, const struct row_representation *row,
             const struct row_claim *claim, instant now)
{
    struct row_case *in_case = NULL;
    char id[ID_TEXT_SIZE];
    view more = arena_printf(u->mem, "\"claim\":\"%.*s\",\"kind\":\"%.*s\"",
                             VIEW_ARG(claim_id_print((claim_id){claim->id}, id)), VIEW_ARG(row->kind));
    uid owner = uid_is_none(claim->through) ? claim->recipient : claim->through;
    TRY(query_case_row(r, ARGS(val_uid(&claim->case_id)), u->mem, &in_case));
    if (!in_case || !more.p)
        return E_STORE_CORRUPT;
    const struct plan_input in = {.g = g,
                                  .reader = r,
                                  .mem = u->mem,
                                  .in_case = {claim->case_id},
                                  .case_version = in_case->version,
                                  .now = now};
    TRY(plan_delivery_new(&in, u, claim, NULL, (uid){{0}}, "claim.representation"));
    digest about = about_of(g, "representation_over", owner, claim->id);
    struct task_wish w = {.item = "representation_over", .owner = owner, .at = now};
    w.about = BLIND(g->seal, "task-over", digest_view(&about), uid_view(&row->id));
    w.subject = arena_printf(u->mem, "{%.*s}", VIEW_ARG(more));
    return w.subject.p ? task_turn(g, u, &w) : E_TOO_LARGE;
}

/* Each application is told of once, whatever the number of its insurers. */
static err
tell_applicant(struct gateway *g, struct reader *r, struct unit *u, const struct row_representation *row,
               const struct row_permission *p, instant now)
{
    struct row_document *application = NULL;
    char id[ID_TEXT_SIZE], in_case[ID_TEXT_SIZE];
    TRY(query_document(r, ARGS(val_uid(&p->document)), u->mem, &application));
    if (!application)
        return E_OK;
    struct task_wish w = {.item = "representation_over", .owner = application->sender, .at = now};
    w.about = BLIND(g->seal, "task-over", uid_view(&application->id), uid_view(&row->id));
    w.subject = arena_printf(u->mem, "{\"case\":\"%.*s\",\"application\":\"%.*s\",\"kind\":\"%.*s\"}",
                             VIEW_ARG(case_id_print((case_id){p->case_id}, in_case)),
                             VIEW_ARG(doc_id_print((doc_id){application->id}, id)), VIEW_ARG(row->kind));
    TRY(timeline_add(u, p->case_id, (uid){{0}}, "gateway", (uid){{0}}, "representation.over", VIEW_NONE,
                     application->id, now));
    return w.subject.p ? task_turn(g, u, &w) : E_TOO_LARGE;
}

static err
tell(struct gateway *g, struct reader *r, struct unit *u, const struct row_representation *row, instant now)
{
    struct row_permission *list = NULL;
    uid last = {{0}};
    TRY(query_permissions_by(r, ARGS(val_digest(&row->person), val_digest(&row->holder)), u->mem, &list));
    for (; list; list = list->next) {
        struct row_claim *claims = NULL;
        bool open = false;
        if (list->withdrawn_at.us)
            continue;
        TRY(query_claims_of_case(r, ARGS(val_uid(&list->case_id)), u->mem, &claims));
        for (; claims; claims = claims->next) {
            if (!uid_eq(claims->application, list->document) || claims->item != list->item ||
                !is_open(claims))
                continue;
            open = true;
            TRY(tell_insurer(g, r, u, row, claims, now));
        }
        if (open && !uid_eq(last, list->document))
            TRY(tell_applicant(g, r, u, row, list, now));
        last = open ? list->document : last;
    }
    return E_OK;
}

static err
step_one(struct gateway *g, struct reader *r, const struct row_representation *row, instant now, arena *mem)
{
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_representation_stands, ARGS(val_uid(&row->id)));
    unit_change(&u, CHANGE_representation_told, ARGS(val_uid(&row->id), val_time(now)));
    TRY(tell(g, r, &u, row, now));
    const digest parts[] = {sha256(uid_view(&row->id))};
    TRY(evidence_leaf(&u, "representation-over", row->id, parts, COUNT_OF(parts), now, &leaf));
    return store_commit(g->store, &u);
}

static err
step_over(struct gateway *g, instant now, size_t *ret)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_representation *list = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_representations_over(r, ARGS(val_time(now), val_int(STEP_MAX)), mem, &list));
    for (; list; list = list->next, ++*ret) {
        err e = step_one(g, r, list, now, mem);
        if (e != E_OK && e != E_STALE)
            return e;
    }
    return E_OK;
}

err
representation_step(struct gateway *g, bool all, instant now, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(16u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_permission *list = NULL;
    size_t n = 0;
    TRY(step_over(g, now, &n));
    if (n && g->wake_relay)
        g->wake_relay(g->relay);
    if (!all)
        return E_OK;
    TRY(store_reader(g->store, &r));
    TRY(query_permissions_waiting_all(r, ARGS(val_int(STEP_MAX)), mem, &list));
    reader_done(TAKE(r));
    return list ? release_each(g, list, now, f) : E_OK;
}
