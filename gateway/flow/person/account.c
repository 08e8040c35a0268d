#include "flow/person/account.h"

#include "adapters/person/application.h"
#include "flow/case/case.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/person/alert.h"
#include "flow/person/representation.h"
#include "flow/task/task.h"
#include "signing/jose/jwe.h"

#define STEP_MAX 100
#define REBUILDS 8

err
payee_seal(const struct partner *to, view jwe, view plain, instant now, arena *mem, view *ret)
{
    const struct registry_key *key = to ? partner_key(to, "encrypt", now) : NULL;
    *ret = jwe.n ? jwe : V("");
    if (jwe.n || !plain.n)
        return E_OK;
    if (!key || !key->pkey) {
        *ret = plain;
        return E_OK;
    }
    return jwe_seal(key->pkey, key->row->kid, plain, mem, ret);
}

/* One wish in the making. */
struct account_work {
    struct gateway *g;
    const struct account_wish *w;
    arena *mem;
    struct fault *f;
    struct registry *registry;
    struct reader *r;
    struct row_claim *claim;
    struct row_case *in_case;
    struct row_account *before; /* of the claim */
    view payee;                 /* sealed */
    struct row_account *row;
};

/* -- who may -- */

/* Nobody learns of a claim that he has no part in. */
static err
has_part(const struct account_work *c, view *ret_role)
{
    struct row_track *list = NULL;
    uid in_case;
    *ret_role = VIEW_NONE;
    TRY(query_tracks_of_person(c->r, ARGS(val_digest(&c->w->person), val_time(c->w->at)), c->mem, &list));
    for (; list && !ret_role->n; list = list->next) {
        TRY(case_surviving(c->r, list->case_id, c->mem, &in_case));
        if (uid_eq(in_case, c->claim->case_id))
            *ret_role = list->role;
    }
    return E_OK;
}

static err
check_person(const struct account_work *c)
{
    struct row_representation *list = NULL;
    view role;
    TRY(query_representations_of(c->r, ARGS(val_digest(&c->claim->claimant)), c->mem, &list));
    unsigned is = representation_condition(list, V("account"), c->w->at);
    bool is_own = digest_eq(&c->claim->claimant, &c->w->person);
    if (is_own && is == SERVES_WARD)
        return fault_set(c->f, E_WARD, "", "the guardian", "the person");
    if (is_own && is == SERVES_ASSISTED)
        return fault_set(c->f, E_PERMISSION_JOINT, "", "the person and the assistant", "the person alone");
    if (is_own || representation_may(list, &c->w->person, V("account"), c->w->at))
        return E_OK;
    TRY(has_part(c, &role));
    if (!role.n)
        return fault_set(c->f, E_NOT_FOUND, "", "a claim of yours", "none");
    return view_eq(role, V("representative"))
               ? fault_set(c->f, E_REPRESENTATION_ACT, "", "a paper that names the account", "none")
               : fault_set(c->f, E_ACCOUNT_PAYEE, "", "who is paid", "another person of the case");
}

static bool
is_over(const struct row_claim *claim)
{
    static const char *const over[] = {"paying",   "paid",      "offset",
                                       "closed",   "declined",  "not_our_insured",
                                       "recalled", "withdrawn", "returned_to_paper"};
    for (size_t i = 0; i < COUNT_OF(over); i++)
        if (view_eq(claim->state, view_of(over[i])))
            return true;
    return false;
}

/* -- what -- */

static err
read_payee(struct account_work *c)
{
    static const char *const names[] = {"payee", NULL};
    struct tree *t = arena_make(c->mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(tree_read_json(c->w->body, NULL, c->mem, t, c->f));
    TRY(person_members(t, tree_root(t), names, "", c->f));
    const struct node *payee = node_member(t, tree_root(t), V("payee"));
    if (!payee || payee->kind != NODE_OBJECT || node_count(payee) == 0)
        return fault_set(c->f, E_SCHEMA, "/payee", "an account, or its jwe", "none");
    view jwe = person_text(t, payee, "jwe");
    if (jwe.n && jwe_check_form(jwe, c->mem, NULL) != E_OK)
        return fault_set(c->f, E_PAYEE, "/payee/jwe", "a compact JWE, ECDH-ES with A256GCM", "another form");
    return payee_seal(registry_partner(c->registry, (partner_id){c->claim->recipient}), jwe,
                      jwe.n ? VIEW_NONE : node_raw(t, payee), c->w->at, c->mem, &c->payee);
}

/* -- storing -- */

static err
add_row(struct account_work *c, struct unit *u)
{
    struct data_key key;
    c->row = unit_add_account(u);
    if (!c->row)
        return E_TOO_LARGE;
    *c->row = (struct row_account){.id = account_id_new().u,
                                   .claim = c->claim->id,
                                   .person = c->w->person,
                                   .partner = c->w->app.u,
                                   .session = c->w->session,
                                   .state = V("waiting"),
                                   .at = c->w->at,
                                   .due = instant_add(c->w->at, config_span(c->g->config, SET_ACCOUNT_WAIT))};
    TRY(seal_new_key(c->g->seal, u, "account", &key));
    c->row->key = key.id;
    err e = seal_box(&key, V("account"), c->row->id, c->payee, c->mem, &c->row->detail);
    data_key_forget(&key);
    return e;
}

static err
turn(struct gateway *g, struct unit *u, uid owner, const struct row_claim *claim, uid account,
     const char *why, instant now)
{
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
    const struct task_wish w = {
        .item = "account_change",
        .owner = owner,
        .about = BLIND(g->seal, "task-account", uid_view(&owner), uid_view(&account), view_of(why)),
        .subject = arena_printf(u->mem, "{\"claim\":\"%.*s\",\"change\":\"%.*s\",\"reason\":\"%s\"}",
                                VIEW_ARG(claim_id_print((claim_id){claim->id}, a)),
                                VIEW_ARG(account_id_print((account_id){account}, b)), why),
        .at = now};
    return w.subject.p ? task_turn(g, u, &w) : E_TOO_LARGE;
}

static uid
insurer_of(const struct row_claim *claim)
{
    return uid_is_none(claim->through) ? claim->recipient : claim->through;
}

static err
tell_insurer(struct gateway *g, struct reader *r, struct unit *u, const struct row_claim *claim,
             const struct row_case *in_case, const char *event, instant now)
{
    const struct plan_input in = {.g = g,
                                  .reader = r,
                                  .mem = u->mem,
                                  .in_case = {in_case->id},
                                  .case_version = in_case->version,
                                  .now = now};
    return plan_delivery_new(&in, u, claim, NULL, (uid){{0}}, event);
}

/* The ways by which the person was known before: every app at the next login, and the app that filed. */
static err
tell_person(struct account_work *c, struct unit *u)
{
    struct row_document *application = NULL;
    TRY(alert_add(u, &c->claim->claimant, "account", c->claim->case_id, c->row->id, c->w->app.u, c->w->at));
    TRY(query_document(c->r, ARGS(val_uid(&c->claim->application)), c->mem, &application));
    return application ? turn(c->g, u, application->sender, c->claim, c->row->id, "asked", c->w->at) : E_OK;
}

static err
build(struct account_work *c)
{
    struct unit u;
    digest leaf;
    unit_init(&u, c->mem);
    unit_guard(&u, GUARD_claim_in_case, ARGS(val_uid(&c->claim->id), val_uid(&c->claim->case_id)));
    for (const struct row_account *b = c->before; b; b = b->next)
        if (view_eq(b->state, V("waiting")))
            unit_change(&u, CHANGE_account_end,
                        ARGS(val_uid(&b->id), val_text(V("replaced")), val_time(c->w->at)));
    TRY(add_row(c, &u));
    TRY(tell_person(c, &u));
    TRY(tell_insurer(c->g, c->r, &u, c->claim, c->in_case, "claim.account_changing", c->w->at));
    if (claim_is_decided(c->claim))
        TRY(turn(c->g, &u, insurer_of(c->claim), c->claim, c->row->id, "decided", c->w->at));
    TRY(timeline_add(&u, c->claim->case_id, c->claim->id, "person", (uid){{0}}, "account.asked", VIEW_NONE,
                     (uid){{0}}, c->w->at));
    const digest parts[] = {sha256(uid_view(&c->row->id)), sha256(uid_view(&c->claim->id)), sha256(c->payee)};
    TRY(evidence_leaf(&u, "account", c->row->id, parts, COUNT_OF(parts), c->w->at, &leaf));
    reader_done(TAKE(c->r));
    return u.failed ? E_TOO_LARGE : store_commit_now(c->g->store, &u);
}

static err
change_once(struct account_work *c)
{
    reader_done(c->r);
    c->r = NULL;
    c->claim = NULL;
    TRY(store_reader(c->g->store, &c->r));
    TRY(query_claim(c->r, ARGS(val_uid(&c->w->claim.u)), c->mem, &c->claim));
    if (!c->claim)
        return fault_set(c->f, E_NOT_FOUND, "", "a claim of yours", "none");
    TRY(check_person(c));
    if (is_over(c->claim))
        return fault_set(c->f, E_ACCOUNT_PAID, "", "a claim that is still to be paid", "one that is over");
    TRY(query_case_row(c->r, ARGS(val_uid(&c->claim->case_id)), c->mem, &c->in_case));
    TRY(query_accounts_of_claim(c->r, ARGS(val_uid(&c->claim->id)), c->mem, &c->before));
    TRY(read_payee(c));
    return c->in_case ? build(c) : E_STORE_CORRUPT;
}

static void
change_done(struct account_work *c)
{
    reader_done(c->r);
    registry_unref(c->registry);
}

err
account_change(struct gateway *g, const struct account_wish *w, arena *mem, view *ret_json, struct fault *f)
{
    AUTO_DONE(change_done)
    struct account_work c = {.g = g, .w = w, .mem = mem, .f = f, .registry = gateway_registry(g)};
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], when[32];
    err e = E_STALE;
    for (int i = 0; i < REBUILDS && e == E_STALE; i++)
        e = change_once(&c);
    TRY(e);
    if (g->wake_relay)
        g->wake_relay(g->relay);
    *ret_json =
        arena_printf(mem, "{\"id\":\"%.*s\",\"claim\":\"%.*s\",\"state\":\"waiting\",\"due\":\"%.*s\"}",
                     VIEW_ARG(account_id_print((account_id){c.row->id}, a)),
                     VIEW_ARG(claim_id_print(w->claim, b)), VIEW_ARG(instant_print(c.row->due, when)));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* -- "not me" -- */

err
account_dispute(struct gateway *g, struct reader *r, struct unit *u, uid account, instant now)
{
    struct row_account *row = NULL;
    struct row_claim *claim = NULL;
    struct row_case *in_case = NULL;
    TRY(query_account(r, ARGS(val_uid(&account)), u->mem, &row));
    TRY(row ? query_claim(r, ARGS(val_uid(&row->claim)), u->mem, &claim) : E_OK);
    TRY(claim ? query_case_row(r, ARGS(val_uid(&claim->case_id)), u->mem, &in_case) : E_OK);
    if (!in_case)
        return E_STORE_CORRUPT;
    bool waits = view_eq(row->state, V("waiting")), given = view_eq(row->state, V("given"));
    if (waits) {
        unit_guard(u, GUARD_account_waits, ARGS(val_uid(&row->id)));
        unit_change(u, CHANGE_account_end, ARGS(val_uid(&row->id), val_text(V("stopped")), val_time(now)));
    }
    if (given)
        TRY(turn(g, u, insurer_of(claim), claim, account, "disputed", now));
    TRY(timeline_add(u, claim->case_id, claim->id, "person", (uid){{0}}, "account.disputed", VIEW_NONE,
                     (uid){{0}}, now));
    return waits || given ? tell_insurer(g, r, u, claim, in_case,
                                         waits ? "claim.account_kept" : "claim.account_disputed", now)
                          : E_OK;
}

/* -- its time has come -- */

/* What the insurer reads of the claim, with another payee; all other members to the byte. */
static err
with_payee(view detail, view payee, arena *mem, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    struct tree *t = arena_make(mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(tree_read_json(detail, NULL, mem, t, NULL));
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{\"payee\":");
    buf_add_json(&out, payee);
    for (NODE_EACH(child, t, tree_root(t))) {
        if (view_eq(node_name(t, child), V("payee")))
            continue;
        BUF_LIT(&out, ",");
        buf_add_json(&out, node_name(t, child));
        BUF_LIT(&out, ":");
        buf_add_view(&out, node_raw(t, child));
    }
    BUF_LIT(&out, "}");
    *ret = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
put_payee(struct gateway *g, struct reader *r, struct unit *u, struct row_claim *claim,
          const struct row_account *row)
{
    struct data_key key;
    view payee, words, detail, text, sealed;
    TRY(seal_load_key(g->seal, r, row->key, u->mem, &key));
    err e = seal_unbox(&key, V("account"), row->id, row->detail, u->mem, &payee);
    data_key_forget(&key);
    TRY(e);
    TRY(claim_benefits(g, r, claim, u->mem, &words, &detail));
    TRY(with_payee(detail.n ? detail : V("{}"), payee, u->mem, &text));
    TRY(seal_load_key(g->seal, r, claim->key, u->mem, &key));
    e = seal_box(&key, V("claim"), claim->id, text, u->mem, &sealed);
    data_key_forget(&key);
    TRY(e);
    TRY(claim_touch(u, claim));
    claim_put_detail(u, claim->id, sealed);
    return E_OK;
}

static err
give(struct gateway *g, struct reader *r, const struct row_account *row, instant now, arena *mem)
{
    struct row_claim *claim = NULL;
    struct row_case *in_case = NULL;
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    TRY(query_claim(r, ARGS(val_uid(&row->claim)), mem, &claim));
    TRY(claim ? query_case_row(r, ARGS(val_uid(&claim->case_id)), mem, &in_case) : E_OK);
    if (!in_case)
        return E_STORE_CORRUPT;
    bool late = is_over(claim);
    view state = late ? V("late") : V("given");
    unit_guard(&u, GUARD_account_waits, ARGS(val_uid(&row->id)));
    unit_change(&u, CHANGE_account_end, ARGS(val_uid(&row->id), val_text(state), val_time(now)));
    if (!late) {
        claim_guard(&u, claim);
        TRY(put_payee(g, r, &u, claim, row));
        TRY(tell_insurer(g, r, &u, claim, in_case, "claim.account_changed", now));
    }
    TRY(timeline_add(&u, claim->case_id, claim->id, "gateway", (uid){{0}},
                     late ? "account.late" : "account.changed", VIEW_NONE, (uid){{0}}, now));
    const digest parts[] = {sha256(uid_view(&row->id)), sha256(state)};
    TRY(evidence_leaf(&u, "account", row->id, parts, COUNT_OF(parts), now, &leaf));
    return store_commit(g->store, &u);
}

err
account_step(struct gateway *g, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_account *list = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_accounts_due(r, ARGS(val_time(now), val_int(STEP_MAX)), mem, &list));
    bool any = list != NULL;
    for (; list; list = list->next) {
        err e = give(g, r, list, now, mem);
        if (e != E_OK && e != E_STALE && e != E_VERSION_CONFLICT)
            return e; /* what has changed meanwhile is looked at in the next round */
    }
    if (any && g->wake_relay)
        g->wake_relay(g->relay);
    return E_OK;
}

/* -- who reads of it -- */

static const char *
label_of(view state, enum lang lang)
{
    static const struct {
        const char *state, *text[2];
    } labels[] = {{"waiting", {"Waits before the insurer gets it", "等待送交保險公司"}},
                  {"given", {"The insurer has it", "已送交保險公司"}},
                  {"stopped", {"Stopped by the person", "本人已制止"}},
                  {"replaced", {"A later change took its place", "已由其後之變更取代"}},
                  {"late", {"The claim was over before", "本案已先結束"}}};
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        if (view_eq(state, view_of(labels[i].state)))
            return labels[i].text[lang];
    return "";
}

err
account_print(struct gateway *g, struct reader *r, uid in_case, enum lang lang, arena *mem, struct buf *out)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct row_account *list = NULL;
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], at[32], when[32];
    TRY(query_accounts_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    BUF_LIT(out, "\"account_changes\":[");
    for (const struct row_account *row = list; row; row = row->next) {
        const struct partner *app = registry_partner(registry, (partner_id){row->partner});
        buf_printf(out, "%s{\"id\":\"%.*s\",\"claim\":\"%.*s\",\"state\":\"%.*s\",\"at\":\"%.*s\"",
                   row == list ? "" : ",", VIEW_ARG(account_id_print((account_id){row->id}, a)),
                   VIEW_ARG(claim_id_print((claim_id){row->claim}, b)), VIEW_ARG(row->state),
                   VIEW_ARG(instant_print(row->at, at)));
        buf_printf(out, ",\"due\":\"%.*s\"", VIEW_ARG(instant_print(row->due, when)));
        if (row->done_at.us)
            buf_printf(out, ",\"done_at\":\"%.*s\"", VIEW_ARG(instant_print(row->done_at, when)));
        BUF_LIT(out, ",\"label\":");
        buf_add_json(out, view_of(label_of(row->state, lang)));
        BUF_LIT(out, ",\"app\":");
        buf_add_json(out, app ? app->row->name_zh : V(""));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return out->failed ? E_TOO_LARGE : E_OK;
}

err
account_print_waiting(struct reader *r, uid claim, arena *mem, struct buf *out)
{
    struct row_account *list = NULL;
    char when[32];
    TRY(query_accounts_of_claim(r, ARGS(val_uid(&claim)), mem, &list));
    for (; list; list = list->next)
        if (view_eq(list->state, V("waiting")))
            buf_printf(out, ",\"payee_change\":{\"state\":\"waiting\",\"due\":\"%.*s\"}",
                       VIEW_ARG(instant_print(list->due, when)));
    return E_OK;
}
