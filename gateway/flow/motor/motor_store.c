/* What a filing's paper adds to the unit besides the document: claims, permissions, the shop's deliveries, the owner's code. */
#include "flow/motor/motor.h"

#include "base/buf.h"
#include "base/text.h"
#include "flow/case/claim.h"
#include "flow/case/permission.h"
#include "flow/case/plan.h"
#include "flow/evidence/seal.h"

#define INSURER_KINDS "motor-filing motor-repair motor-approval motor-settlement motor-recourse accident-part"
#define SHOP_KINDS "motor-filing motor-repair motor-approval"

/* On what an insurer may have the filing: its own contract, or the owner's word where it insures the other side. */
static const struct {
    const char *line, *kind, *basis, *benefit;
} lines[] = {
    {"own_damage", "contract", "contract", "vehicle_repair"},
    {"theft", "contract", "contract", "vehicle_repair"},
    {"passenger", "contract", "contract", "injury_medical"},
    {"driver_injury", "contract", "contract", "injury_medical"},
    {"liability_property", "consent", "motor-filing-1", "property"},
    {"liability_injury", "consent", "motor-filing-1", "injury_medical"},
    {"cali", "consent", "motor-filing-1", "cali_medical"},
};

static size_t
line_of(view word)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(lines) && !view_eq(word, view_of(lines[i].line)))
        i++;
    return i;
}

static struct plan_input
plan_of(const struct motor_unit *m)
{
    return (struct plan_input){
        m->p->g, m->r, m->p->registry, m->p->mem, m->in_case, m->case_version, m->p->s->received, NULL};
}

/* -- permissions -- */

struct grant {
    uid recipient;
    digest subject;
    const char *kind, *basis, *purpose, *kinds;
};

static err
add_permission(struct motor_unit *m, const struct grant *g, struct row_permission **ret)
{
    struct row_permission *row = unit_add_permission(m->u);
    if (!row)
        return E_TOO_LARGE;
    row->id = perm_id_new().u;
    row->case_id = m->in_case.u;
    row->subject = g->subject;
    row->recipient = g->recipient;
    row->kind = view_of(g->kind);
    row->basis = view_of(g->basis);
    row->purpose = view_of(g->purpose);
    row->kinds = view_of(g->kinds);
    row->valid_from = m->p->s->received;
    row->uses_left = -1;
    row->level = V("presumption");
    row->document = m->document.u;
    row->key = m->key->id;
    TRY(seal_box(m->key, V("permission"), row->id, V("{}"), m->p->mem, &row->detail));
    *ret = row;
    return E_OK;
}

static bool
is_sure(const struct motor_unit *m, uid recipient)
{
    return plan_is_sure(m->p->g, m->p->registry, recipient, (int64_t)verdict_level(m->p->verdict),
                        (int64_t)m->p->floor);
}

/* -- claims -- */

struct opening {
    uid recipient;
    view line, policy_no, plate;
    digest claimant;
    const char *actor, *event; /* who opens it, what the recipient is told */
};

static err
claim_detail(struct motor_unit *m, const struct opening *o, uid claim, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 65536);
    buf_printf(&out,
               "{\"detail\":{\"benefits\":[{\"kind\":\"%s\"}],\"vehicle\":", lines[line_of(o->line)].benefit);
    buf_add_json(&out, o->plate);
    BUF_LIT(&out, ",\"coverage\":{\"policy_no\":");
    buf_add_json(&out, o->policy_no.p ? o->policy_no : V(""));
    BUF_LIT(&out, "}}}");
    return out.failed ? E_TOO_LARGE : seal_box(m->key, V("claim"), claim, buf_view(&out), m->p->mem, ret);
}

static err
find_claim(const struct motor_unit *m, const struct opening *o, struct row_claim **ret)
{
    struct row_claim *c = NULL;
    TRY(query_claims_of_case(m->r, ARGS(val_uid(&m->in_case.u)), m->p->mem, &c));
    while (c && !(uid_eq(c->recipient, o->recipient) && view_eq(c->line, o->line) &&
                  digest_eq(&c->claimant, &o->claimant)))
        c = c->next;
    *ret = c;
    return E_OK;
}

static err
make_claim(struct motor_unit *m, const struct opening *o, struct row_claim **ret)
{
    struct row_claim *c = arena_make(m->p->mem, struct row_claim);
    if (!c)
        return E_TOO_LARGE;
    *c = (struct row_claim){.id = claim_id_new().u,
                            .case_id = m->in_case.u,
                            .recipient = o->recipient,
                            .line = o->line,
                            .claimant = o->claimant,
                            .state = V("received"),
                            .application = m->document.u,
                            .key = m->key->id,
                            .since = m->p->s->received};
    view detail;
    TRY(claim_detail(m, o, c->id, &detail));
    TRY(claim_move(m->u, c, V("permit"), o->actor, (uid){{0}}, m->document.u, m->p->s->received, m->p->f));
    claim_put_detail(m->u, c->id, detail);
    *ret = c;
    return E_OK;
}

/* Papers that the case holds already and that the new permission covers. */
static err
deliver_earlier(struct motor_unit *m, struct row_claim *claim, const struct row_permission *permission)
{
    const struct plan_input in = plan_of(m);
    struct row_document *d = NULL;
    TRY(query_documents_of_case(m->r, ARGS(val_uid(&m->in_case.u)), m->p->mem, &d));
    for (; d; d = d->next) {
        if (!view_eq(d->state, V("current")) || !motor_reaches_new(d, claim) ||
            !permission_covers(permission, claim->recipient, permission->purpose, document_kind_of(d->kind),
                               m->p->s->received) ||
            !plan_is_sure(m->p->g, m->p->registry, claim->recipient, d->level, d->floor))
            continue;
        TRY(plan_delivery_new(&in, m->u, claim, permission, d->id, "document.available"));
        m->a->deliveries++;
    }
    return E_OK;
}

/* Held until the signature is as sure as the recipient asks; then the rise of its level delivers. */
static err
deliver(struct motor_unit *m, struct row_claim *claim, const struct row_permission *permission,
        const char *event)
{
    const struct plan_input in = plan_of(m);
    if (!is_sure(m, claim->recipient))
        return E_OK;
    TRY(plan_delivery_new(&in, m->u, claim, permission, m->document.u, event));
    m->a->deliveries++;
    TRY(deliver_earlier(m, claim, permission));
    if (!view_eq(claim->state, V("permitted")))
        return E_OK;
    return claim_move(m->u, claim, V("send"), "gateway", (uid){{0}}, m->document.u, m->p->s->received,
                      m->p->f);
}

static err
open_claim(struct motor_unit *m, const struct opening *o, const struct grant *g, struct buf *out)
{
    struct row_claim *claim;
    struct row_permission *permission;
    char id[ID_TEXT_SIZE], perm[ID_TEXT_SIZE];
    TRY(find_claim(m, o, &claim));
    bool known = claim != NULL;
    if (!claim)
        TRY(make_claim(m, o, &claim));
    TRY(add_permission(m, g, &permission));
    TRY(deliver(m, claim, permission, known ? "document.available" : o->event));
    const struct partner *to = registry_partner(m->p->registry, (partner_id){o->recipient});
    buf_printf(out,
               "%s{\"claim\":\"%.*s\",\"recipient\":\"%.*s\",\"line\":\"%.*s\",\"state\":\"%.*s\","
               "\"permission\":\"%.*s\"}",
               out->p[out->n - 1] == '[' ? "" : ",", VIEW_ARG(claim_id_print((claim_id){claim->id}, id)),
               VIEW_ARG(to ? to->row->code : V("")), VIEW_ARG(o->line), VIEW_ARG(claim->state),
               VIEW_ARG(perm_id_print((perm_id){permission->id}, perm)));
    return E_OK;
}

/* -- the owner's filing -- */

static err
open_claims(struct motor_unit *m, struct buf *out)
{
    digest owner = m->p->subject;
    for (const struct motor_claim *c = m->p->motor->claims; c; c = c->next) {
        const struct partner *to = registry_by_code(m->p->registry, V("insurer"), c->insurer);
        if (!to)
            to = registry_by_code(m->p->registry, V("fund"), c->insurer);
        if (!to || !partner_is_active(to)) {
            issue_add(m->p->issues, ISSUE_WARNING, E_INSURER_UNKNOWN, V("claims.insurer"),
                      V("a registered insurer"), V("another code"));
            continue;
        }
        size_t line = line_of(c->line);
        const struct opening o = {to->id.u, c->line,  c->policy_no,  m->p->motor->plate,
                                  owner,    "person", "claim.opened"};
        const struct grant g = {to->id.u, owner, lines[line].kind, lines[line].basis, "claim", INSURER_KINDS};
        TRY(open_claim(m, &o, &g, out));
    }
    return E_OK;
}

static err
tell_shop(struct motor_unit *m, const struct row_permission *permission, const char *event)
{
    const struct plan_input in = plan_of(m);
    const struct row_claim nobody = {.recipient = permission->recipient};
    if (!is_sure(m, permission->recipient))
        return E_OK;
    TRY(plan_delivery_new(&in, m->u, &nobody, permission, m->document.u, event));
    m->a->deliveries++;
    return E_OK;
}

static err
appoint_shop(struct motor_unit *m)
{
    const struct partner *shop = registry_by_code(m->p->registry, V("shop"), m->p->motor->shop);
    struct row_permission *permission;
    if (!m->p->motor->shop.n)
        return E_OK;
    if (!shop || !partner_is_active(shop)) {
        issue_add(m->p->issues, ISSUE_WARNING, E_INSURER_UNKNOWN, V("shop.code"), V("a registered shop"),
                  V("another code"));
        return E_OK;
    }
    const struct grant g = {shop->id.u, m->p->subject, "contract", "contract", "claim", SHOP_KINDS};
    TRY(add_permission(m, &g, &permission));
    return tell_shop(m, permission, "filing.opened");
}

/* As an application's: 160 random bits, of which only the blind is kept, under the key of the paper that it came with. */
static err
add_track(struct motor_unit *m, struct buf *out)
{
    uint8_t secret[20];
    random_bytes(secret, sizeof secret);
    view code = text_base64url(m->p->mem, view_make(secret, sizeof secret));
    struct row_track *row = unit_add_track(m->u);
    uid place;
    if (!row || !code.p)
        return E_TOO_LARGE;
    row->id = BLIND(m->p->g->seal, "track", code);
    row->case_id = m->in_case.u;
    row->person = m->p->subject;
    row->role = V("subject");
    row->expires = instant_add(m->p->s->received, SPAN_DAYS(730));
    row->key = m->key->id;
    memcpy(place.b, row->id.b, sizeof place.b);
    buf_printf(out, ",\"track_code\":\"%.*s\"", VIEW_ARG(code));
    return seal_box(m->key, V("track"), place, m->p->motor->birth_date.n ? m->p->motor->birth_date : V("-"),
                    m->p->mem, &row->detail);
}

static err
store_filing(struct motor_unit *m, struct buf *out)
{
    if (m->p->motor->revision > 1)
        return E_OK; /* recipients stand; another one is a new permission */
    BUF_LIT(out, ",\"claims\":[");
    TRY(open_claims(m, out));
    BUF_LIT(out, "]");
    TRY(appoint_shop(m));
    return add_track(m, out);
}

/* -- recourse -- */

/* The author's own claim in this filing, by line: the person in whose right it follows (Insurance Act 53). */
static err
paying_claim(const struct motor_unit *m, struct row_claim **ret)
{
    struct row_claim *c = NULL;
    TRY(query_claims_of_case(m->r, ARGS(val_uid(&m->in_case.u)), m->p->mem, &c));
    while (c && !(uid_is_none(m->p->s->recourse_of.u)
                      ? uid_eq(c->recipient, m->p->author->id.u) && view_eq(c->line, m->p->motor->line)
                      : uid_eq(c->id, m->p->s->recourse_of.u)))
        c = c->next;
    *ret = c;
    return c ? E_OK : fault_set(m->p->f, E_NOT_FOUND, "line", "a claim of yours", "none");
}

/* What the article lets the insurer that is asked know, and on which of its lines (permission.def). */
static err
store_recourse(struct motor_unit *m, struct buf *out)
{
    const struct statute *law = statute_of(m->p->motor->recourse_kind);
    const struct partner *to = registry_by_code(m->p->registry, V("insurer"), m->p->motor->against);
    struct row_claim *own;
    if (!to || !law)
        return fault_set(m->p->f, E_RECIPIENT, "against", "a recourse that is asked of a registered insurer",
                         "another");
    TRY(paying_claim(m, &own));
    const struct opening o = {to->id.u,      law->lines, V(""),           m->p->motor->plate,
                              own->claimant, "insurer",  "recourse.asked"};
    const struct grant g = {to->id.u,  own->claimant, "statute",
                            law->word, "recourse",    arena_cstr(m->p->mem, law->kinds)};
    if (!g.kinds)
        return E_TOO_LARGE;
    BUF_LIT(out, ",\"claims\":[");
    TRY(open_claim(m, &o, &g, out));
    BUF_LIT(out, "]");
    return E_OK;
}

/* -- the shop, which has no claim -- */

static err
tell_shops(struct motor_unit *m)
{
    struct row_permission *p = NULL;
    TRY(query_permissions_of_case(m->r, ARGS(val_uid(&m->in_case.u)), m->p->mem, &p));
    for (; p; p = p->next) {
        const struct partner *to = registry_partner(m->p->registry, (partner_id){p->recipient});
        if (!to || !view_eq(to->row->kind, V("shop")) || !digest_eq(&p->subject, &m->p->subject) ||
            uid_eq(p->recipient, m->p->author->id.u) ||
            !permission_covers(p, p->recipient, V("claim"), m->p->reading.kind, m->p->s->received) ||
            (m->p->motor->shop.n && !view_eq(m->p->motor->shop, to->row->code)))
            continue;
        /* Asked again in the writer: a withdrawal between this reading and the commit must win. */
        unit_guard(m->u, GUARD_permission_usable, ARGS(val_uid(&p->id), val_time(m->p->s->received)));
        TRY(tell_shop(m, p, m->p->motor->part == PART_approval ? "repair.approved" : "document.available"));
    }
    return E_OK;
}

err
motor_store(struct motor_unit *m)
{
    struct buf out AUTO_DONE(buf_done);
    err e;
    buf_init(&out, 1u << 18);
    BUF_LIT(&out, ",\"filing\":");
    buf_add_json(&out, m->p->motor->filing);
    switch (m->p->motor->part) {
    case PART_filing:
        e = store_filing(m, &out);
        break;
    case PART_recourse:
        e = store_recourse(m, &out);
        break;
    default:
        e = tell_shops(m);
        break;
    }
    TRY(e);
    TRY(motor_tell_elsewhere(m));
    m->a->extra = out.failed ? VIEW_NONE : arena_dup(m->p->mem, buf_view(&out));
    return m->a->extra.p ? E_OK : E_TOO_LARGE;
}
