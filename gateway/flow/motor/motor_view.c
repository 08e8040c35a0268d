/* Who sees what of a filing without being an insurer: the shop its order, the owner his own side, his app titles and states. */
#include "flow/motor/motor.h"

#include "adapters/case_walk.h"
#include "adapters/view.h"
#include "base/buf.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/seal.h"
#include "flow/motor/motor_view.h"

/* -- who asks -- */

static err
open_shop(struct motor_look *l)
{
    for (const struct row_permission *p = l->permissions; p; p = p->next)
        if (permission_covers(p, l->who->id.u, V("claim"), KIND_MOTOR_REPAIR, l->now)) {
            l->view = VIEW_shop;
            return E_OK;
        }
    return E_NOT_FOUND;
}

/* The app through which the owner filed; the code that came with the filing makes the owner of it. */
static err
open_app(struct motor_look *l)
{
    for (size_t i = 0; i < l->c.n; i++)
        if (view_eq(l->c.documents[i].row->kind, V("motor-filing")) &&
            uid_eq(l->c.documents[i].row->sender, l->who->id.u)) {
            bool is_owner =
                l->person && !l->person->steps_only &&
                (view_eq(l->person->role, V("subject")) || view_eq(l->person->role, V("representative")));
            l->view = is_owner ? VIEW_insured : VIEW_app;
            l->all = is_owner;
            l->owner = l->person ? l->person->person : l->c.documents[i].row->subject;
            return E_OK;
        }
    return E_NOT_FOUND;
}

static err
open_insurer(struct motor_look *l)
{
    struct row_claim *c = NULL;
    TRY(query_claims_of_case(l->r, ARGS(val_uid(&l->c.row->id)), l->mem, &c));
    for (; c; c = c->next)
        if (uid_eq(c->recipient, l->who->id.u) || uid_eq(c->through, l->who->id.u)) {
            l->view = VIEW_COUNT;
            return E_OK;
        }
    return E_NOT_FOUND;
}

static err
find_role(struct motor_look *l)
{
    if (view_eq(l->who->row->kind, V("shop")))
        return open_shop(l);
    if (partner_is_insurer(l->who))
        return open_insurer(l);
    return open_app(l);
}

/* -- whose side -- */

static bool
is_person(const struct motor_look *l, const struct case_party *p, const digest *blind)
{
    for (const struct case_identifier *id = p->person ? p->person->identifiers : NULL; id; id = id->next) {
        view key = person_key_text(id->system.v, id->value.v, l->mem);
        digest b = key.p ? blind_person(l->g->seal, key) : (digest){{0}};
        if (key.p && digest_eq(&b, blind))
            return true;
    }
    return false;
}

static err
find_subject(struct motor_look *l)
{
    if (l->view == VIEW_shop) {
        for (const struct case_party *p = l->c.folded->parties; p; p = p->next)
            if (p->organisation && p->organisation->identifiers &&
                view_eq(p->organisation->identifiers->value.v, l->who->row->code))
                l->recipient = p->id;
        return l->recipient.n ? E_OK : fault_set(l->f, E_NOT_FOUND, "", "a filing of yours", "none");
    }
    for (const struct case_party *p = l->c.folded->parties; p; p = p->next)
        if (is_person(l, p, &l->owner))
            l->subject = p->id;
    return l->subject.n ? E_OK : fault_set(l->f, E_NOT_FOUND, "", "a filing of yours", "none");
}

/* -- what of the papers -- */

static bool
is_for_shop(const struct motor_look *l, const struct row_document *d)
{
    for (const struct row_permission *p = l->permissions; p; p = p->next)
        if (digest_eq(&p->subject, &d->subject) &&
            permission_covers(p, l->who->id.u, V("claim"), document_kind_of(d->kind), l->now))
            return true;
    return false;
}

/* The owner's own papers and what all of the accident may see; what another owner filed, signed or permitted in the same accident is not his. */
static bool
is_of_owner(const struct motor_look *l, const struct row_document *d)
{
    enum document_kind kind = document_kind_of(d->kind);
    if (!digest_is_none(&d->subject))
        return digest_eq(&d->subject, &l->owner);
    if (kind != KIND_APPLICATION && kind != KIND_PERMISSION)
        return true;
    for (const struct row_permission *p = l->permissions; p; p = p->next)
        if (uid_eq(p->document, d->id) && digest_eq(&p->subject, &l->owner))
            return true;
    return false;
}

static bool
may_see(const struct motor_look *l, const struct row_document *d)
{
    return plan_is_sure(l->g, l->registry, l->who->id.u, d->level, d->floor) &&
           (l->view == VIEW_shop ? is_for_shop(l, d) : is_of_owner(l, d));
}

static err
fold(struct motor_look *l)
{
    const struct row_claim nobody = {.version = 0}; /* no claim stands in the frame: they are listed beside */
    size_t n = 0;
    for (size_t i = 0; i < l->c.n; i++)
        if (may_see(l, l->c.documents[i].row))
            l->c.documents[n++] = l->c.documents[i];
    l->c.n = n;
    TRY(case_fold_loaded(l->g, l->r, &nobody, l->mem, &l->c, l->f));
    return find_subject(l);
}

err
motor_look_open(struct motor_look *l, case_id id)
{
    l->registry = gateway_registry(l->g);
    l->who = registry_partner(l->registry, l->by);
    TRY(store_reader(l->g->store, &l->r));
    TRY(case_load_rows(l->g, l->r, id.u, l->mem, &l->c, l->f));
    TRY(query_permissions_of_case(l->r, ARGS(val_uid(&l->c.row->id)), l->mem, &l->permissions));
    if (!l->who || find_role(l) != E_OK)
        return fault_set(l->f, E_NOT_FOUND, "", "a filing of yours", "none");
    if (l->person && !uid_eq(l->person->in_case.u, l->c.row->id) && !uid_eq(l->person->in_case.u, id.u))
        return fault_set(l->f, E_NOT_FOUND, "", "the filing that the code is for", "another");
    return l->view == VIEW_COUNT ? E_OK : fold(l);
}

void
motor_look_done(struct motor_look *l)
{
    reader_done(l->r);
    registry_unref(l->registry);
}

err
motor_look_project(struct motor_look *l, view *ret)
{
    static const char *const shop_kinds[] = {"motor-filing", "motor-repair", "motor-approval"};
    view kinds[COUNT_OF(shop_kinds)];
    for (size_t i = 0; i < COUNT_OF(shop_kinds); i++)
        kinds[i] = view_of(shop_kinds[i]);
    const struct view_request rq = {.view = l->view,
                                    .subject = l->subject,
                                    .recipient = l->recipient,
                                    .document_kinds = kinds,
                                    .n_document_kinds = COUNT_OF(kinds),
                                    .all_documents = l->view != VIEW_shop,
                                    .unlocked = l->all};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 64u << 20);
    TRY(view_project(l->c.folded, &rq, l->mem, &out, l->f));
    *ret = out.failed ? VIEW_NONE : arena_dup(l->mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

/* -- the answer -- */

/* The shop's own orders; of the owner, those of his vehicles. */
static bool
is_own_order(const struct motor_look *l, const struct repair_order *o)
{
    if (l->view == VIEW_shop)
        return view_eq(o->shop, l->who->row->code);
    for (const struct case_vehicle *v = l->c.folded->vehicles; v; v = v->next)
        if (view_eq(motor_plate_key(v->plate.v, l->mem), o->plate_key) && v->owner.v.n > 1 &&
            view_eq(view_sub(v->owner.v, 1, v->owner.v.n), l->subject))
            return true;
    return false;
}

static err
print_repairs(struct motor_look *l, struct buf *out)
{
    struct ledger ledger;
    ledger_init(&ledger, l->mem);
    for (size_t i = 0; i < l->c.n; i++)
        TRY(ledger_add(&ledger, l->c.documents[i].facts));
    BUF_LIT(out, ",\"repairs\":[");
    for (const struct repair_order *o = ledger.orders; o; o = o->next) {
        if (!is_own_order(l, o))
            continue;
        if (out->p[out->n - 1] != '[')
            BUF_LIT(out, ",");
        if (l->view == VIEW_app) /* titles and states; what it costs, its totals say */
            buf_printf(out, "{\"state\":\"%s\"}", order_state(o));
        else
            order_print(o, out);
    }
    BUF_LIT(out, "]");
    return E_OK;
}

view
motor_number_of(const struct loaded_case *c, uid paper)
{
    for (size_t i = 0; i < c->n; i++)
        if (uid_eq(c->documents[i].row->id, paper))
            return motor_filing_of(c->documents[i].facts);
    return V("");
}

static bool
is_own_claim(const struct motor_look *l, const struct row_claim *c)
{
    return l->view == VIEW_COUNT ? uid_eq(c->recipient, l->who->id.u) || uid_eq(c->through, l->who->id.u)
                                 : digest_eq(&c->claimant, &l->owner);
}

static err
print_claims(struct motor_look *l, struct buf *out)
{
    struct row_claim *c = NULL;
    char id[ID_TEXT_SIZE];
    if (l->view == VIEW_shop)
        return E_OK;
    TRY(query_claims_of_case(l->r, ARGS(val_uid(&l->c.row->id)), l->mem, &c));
    BUF_LIT(out, ",\"claims\":[");
    for (; c; c = c->next) {
        if (!is_own_claim(l, c))
            continue;
        if (out->p[out->n - 1] != '[')
            BUF_LIT(out, ",");
        TRY(claim_print(l->g, c, l->lang, out));
        if (l->view != VIEW_COUNT)
            continue;
        out->n--; /* the brace: the object goes on */
        BUF_LIT(out, ",\"filing\":");
        buf_add_json(out, motor_number_of(&l->c, c->application));
        buf_printf(out, ",\"href\":\"/v1/claims/%.*s\"}", VIEW_ARG(claim_id_print((claim_id){c->id}, id)));
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static bool
names_shop(const struct claim_case *facts, view code)
{
    for (const struct case_repair *r = facts->repairs; r; r = r->next) {
        const struct case_party *p = case_party_of(facts, r->shop.v);
        if (p && p->organisation && view_eq(p->organisation->identifiers->value.v, code))
            return true;
    }
    return false;
}

/* The number by which further papers are sent: of the filing in which the caller takes part. */
static void
print_filing(const struct motor_look *l, struct buf *out)
{
    for (size_t i = 0; i < l->c.n; i++) {
        const struct loaded_document *d = &l->c.documents[i];
        view number = motor_filing_of(d->facts);
        if (!number.n || !view_eq(d->row->kind, V("motor-filing")))
            continue;
        if (l->view != VIEW_shop || names_shop(d->facts, l->who->row->code)) {
            BUF_LIT(out, ",\"filing\":");
            buf_add_json(out, number);
            return;
        }
    }
}

static err
print(struct motor_look *l, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    view content = VIEW_NONE;
    buf_printf(out, "{\"case\":\"%.*s\",\"version\":%lld,\"view\":\"%s\"",
               VIEW_ARG(case_id_print((case_id){l->c.row->id}, id)), (long long)l->c.row->version,
               l->view == VIEW_COUNT ? "insurer" : view_kind_word(l->view));
    if (l->view != VIEW_COUNT)
        print_filing(l, out);
    TRY(print_claims(l, out));
    if (l->view != VIEW_COUNT) {
        TRY(print_repairs(l, out));
        TRY(motor_look_project(l, &content));
        BUF_LIT(out, ",\"content\":");
        buf_add_view(out, content);
    }
    BUF_LIT(out, "}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

err
motor_fetch(struct gateway *g, partner_id who, const struct person_caller *person, case_id id, enum lang lang,
            instant now, arena *mem, view *ret_json, view *ret_etag, struct fault *f)
{
    AUTO_DONE(motor_look_done)
    struct motor_look l = {.g = g, .mem = mem, .f = f, .by = who, .person = person, .lang = lang, .now = now};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 128u << 20);
    TRY(motor_look_open(&l, id));
    TRY(print(&l, &out));
    *ret_json = arena_dup(mem, buf_view(&out));
    *ret_etag = arena_printf(mem, "\"%lld\"", (long long)l.c.row->version);
    return ret_json->p && ret_etag->p ? E_OK : E_TOO_LARGE;
}
