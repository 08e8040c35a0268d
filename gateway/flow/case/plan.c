#include "flow/case/plan.h"

#include "flow/case/claim.h"
#include "flow/motor/motor.h"
#include "signing/trust/revocation_policy.h"

/* For the claim itself, or for a recourse of which the article names the line that is asked (DOMAIN D10). */
static bool
purpose_fits(const struct row_permission *p, const struct row_claim *c)
{
    const struct statute *s = statute_of(p->basis);
    return view_eq(p->purpose, V("claim")) ||
           (view_eq(p->purpose, V("recourse")) && s && words_have(s->lines, c->line));
}

const struct row_permission *
permission_for_claim(const struct row_permission *list, const struct row_claim *c, enum document_kind kind,
                     instant now)
{
    for (; list; list = list->next)
        if (purpose_fits(list, c) && permission_covers(list, c->recipient, list->purpose, kind, now))
            return list;
    return NULL;
}

const struct row_permission *
permission_standing_for(const struct row_permission *list, const struct row_claim *c, enum document_kind kind,
                        instant now)
{
    const struct row_permission *p = permission_for_claim(list, c, kind, now);
    for (; list && !p; list = list->next)
        if (purpose_fits(list, c) && permission_stands(list, c->recipient, list->purpose, kind, now))
            p = list;
    return p;
}

/* A filing's paper goes to the owner's claims, by a permission that is the owner's (flow/motor). */
static const struct row_permission *
permission_for_paper(const struct row_permission *list, const struct row_claim *c, const struct paper *paper,
                     instant now)
{
    if (digest_is_none(&paper->subject))
        return permission_for_claim(list, c, paper->kind, now);
    for (; list && digest_eq(&paper->subject, &c->claimant); list = list->next)
        if (digest_eq(&list->subject, &paper->subject) && purpose_fits(list, c) &&
            permission_covers(list, c->recipient, list->purpose, paper->kind, now))
            return list;
    return NULL;
}

struct paper
paper_of(const struct row_document *d, const char *event)
{
    return (struct paper){d->id, document_kind_of(d->kind), d->level, d->floor, event, d->signer, d->subject};
}

bool
plan_is_sure(struct gateway *g, const struct registry *r, uid recipient, int64_t level, int64_t floor)
{
    const struct partner *p = registry_partner(r, (partner_id){recipient});
    enum evidence_level asked;
    if (level ==
        LEVEL_UNSIGNED) /* no certificate will make it surer: it goes out as what it is, marked in every view */
        return true;
    if (!p || !evidence_level_of(partner_option(p, "min_level"), &asked)) {
        AUTO(trust_unref) struct trust *t = gateway_trust(g);
        asked = trust_policy(t)->default_level;
    }
    return level >= (int64_t)asked && level >= floor;
}

static bool
has_endpoint(const struct plan_input *in, uid recipient, struct row_endpoint **ret_list)
{
    struct row_endpoint *list = NULL;
    if (query_endpoints_of(in->reader, ARGS(val_uid(&recipient)), in->mem, &list) != E_OK)
        return false;
    *ret_list = list;
    for (; list; list = list->next)
        if (view_eq(list->state, V("active")))
            return true;
    return false;
}

static err
add_event(const struct plan_input *in, struct unit *u, uid recipient, uid claim, uid document, uid delivery,
          bool by_webhook, const char *type)
{
    struct row_event *event = unit_add_event(u);
    if (!event)
        return E_TOO_LARGE;
    event->recipient = recipient;
    event->id = uid_new();
    event->type = view_of(type);
    event->claim = claim;
    event->case_id = in->in_case.u;
    event->document = document;
    event->delivery = delivery;
    event->case_version = in->case_version;
    event->at = in->now;
    event->webhook = by_webhook;
    return E_OK;
}

static err
add_delivery(const struct plan_input *in, struct unit *u, uid recipient, uid claim, uid permission,
             uid document, const char *event)
{
    struct row_delivery *row = unit_add_delivery(u);
    struct row_endpoint *endpoints = NULL;
    if (!row)
        return E_TOO_LARGE;
    row->id = uid_new();
    row->recipient = recipient;
    row->claim = claim;
    row->case_id = in->in_case.u;
    row->document = document;
    row->permission = permission;
    row->kind = view_of(event);
    row->created_at = in->now;
    row->case_version = in->case_version;
    /* Whoever has an active webhook is told; all others fetch from their feed. */
    bool by_webhook = has_endpoint(in, recipient, &endpoints);
    row->state = by_webhook ? V("queued") : V("available");
    if (by_webhook)
        row->next_at = in->now;
    return add_event(in, u, recipient, claim, document, row->id, by_webhook, event);
}

err
plan_delivery_new(const struct plan_input *in, struct unit *u, const struct row_claim *claim,
                  const struct row_permission *permission, uid document, const char *event)
{
    uid recipient = uid_is_none(claim->through) ? claim->recipient : claim->through;
    return add_delivery(in, u, recipient, claim->id, permission ? permission->id : (uid){{0}}, document,
                        event);
}

/* A withdrawal touches its permission's case, so a unit that guards that case's version cannot be overtaken by one. */
static bool
is_guarded(const struct unit *u, const struct row_permission *p)
{
    const struct unit_guard *g = u->guards;
    while (g && !(g->guard == GUARD_case_version && view_eq(g->args[0].bytes, uid_view(&p->case_id))))
        g = g->next;
    return g != NULL;
}

err
plan_delivery(const struct plan_input *in, struct unit *u, const struct row_claim *claim,
              const struct row_permission *permission, uid document, const char *event)
{
    /* Asked again in the writer: a withdrawal between this reading and the commit must win. */
    if (permission && !is_guarded(u, permission))
        unit_guard(u, GUARD_permission_planned, ARGS(val_uid(&permission->id), val_time(in->now)));
    return plan_delivery_new(in, u, claim, permission, document, event);
}

static err
move(const struct plan_input *in, struct unit *u, struct row_claim *c, view event, uid document)
{
    return claim_move(u, c, event, "gateway", (uid){{0}}, document, in->now, NULL);
}

bool
plan_had(const struct row_delivery *past, const struct row_claim *c, uid document)
{
    for (; past; past = past->next)
        if (uid_eq(past->document, document) && uid_eq(past->claim, c->id) &&
            !view_eq(past->state, V("blocked")))
            return true;
    return false;
}

bool
plan_evidence_is_enough(const struct registry *r, uid recipient, const struct row_permission *p)
{
    const struct partner *to = registry_partner(r, (partner_id){recipient});
    enum consent_evidence asked =
                              to ? consent_evidence_of(partner_option(to, "min_evidence")) : EVIDENCE_COUNT,
                          is = consent_evidence_of(p->level);
    if (!permission_is_consent(p) || asked == EVIDENCE_COUNT)
        return true;
    return is != EVIDENCE_COUNT && is >= asked;
}

static bool
read_paper(struct permission_papers *papers, uid document)
{
    struct row_document *from = NULL;
    if (uid_eq(papers->last, document))
        return true;
    if (query_document(papers->reader, ARGS(val_uid(&document)), papers->mem, &from) != E_OK)
        return false;
    papers->last = document;
    papers->last_found = from != NULL;
    papers->last_level = from ? from->level : 0;
    return true;
}

bool
plan_permission_is_sure(struct permission_papers *papers, const struct row_permission *p, uid recipient)
{
    const struct paper *raised = papers->raised;
    if (!plan_evidence_is_enough(papers->registry, recipient, p))
        return false;
    if (uid_is_none(p->document))
        return true;
    if (raised && uid_eq(raised->id, p->document))
        return plan_is_sure(papers->g, papers->registry, recipient, raised->level, 0);
    if (!read_paper(papers, p->document))
        return false;
    return !papers->last_found || plan_is_sure(papers->g, papers->registry, recipient, papers->last_level, 0);
}

err
plan_opened(const struct plan_input *in, struct unit *u, struct row_claim *claim,
            const struct row_permission *permission, uid application, const struct row_document *documents,
            struct fault *f)
{
    TRY(plan_delivery_new(in, u, claim, permission, application, "claim.opened"));
    for (const struct row_document *d = documents; d; d = d->next) {
        if (!view_eq(d->state, V("current")) ||
            !permission_covers(permission, claim->recipient, V("claim"), document_kind_of(d->kind),
                               in->now) ||
            !motor_reaches_new(d, claim) ||
            !plan_is_sure(in->g, in->registry, claim->recipient, d->level, d->floor))
            continue;
        TRY(plan_delivery_new(in, u, claim, permission, d->id, "document.available"));
    }
    if (claim_next(claim_state_of(claim->state), V("send")) == STATE_COUNT ||
        !view_eq(claim->state, V("permitted")))
        return E_OK;
    return claim_move(u, claim, V("send"), "gateway", (uid){{0}}, application, in->now, f);
}

/* Its own paper, or one of two sides, which its own way delivers (flow/motor). */
static bool
is_no_news(const struct paper *paper, const struct row_claim *c)
{
    return motor_is_two_sided(paper->kind) || uid_eq(paper->signer, c->recipient);
}

/* One paper to those of a case's claims whose permissions cover it; past (may be NULL) are deliveries that were. */
static err
plan_for_claims(const struct plan_input *in, struct unit *u, struct row_claim *claims,
                const struct row_permission *permissions, const struct paper *paper,
                const struct row_delivery *past, size_t *ret_deliveries)
{
    uid document = paper->id;
    struct permission_papers papers = {
        .g = in->g, .reader = in->reader, .registry = in->registry, .mem = in->mem, .raised = in->raised};
    for (struct row_claim *c = claims; c; c = c->next) {
        const struct row_permission *p = permission_for_paper(permissions, c, paper, in->now);
        if (!p || is_no_news(paper, c) || plan_had(past, c, document) ||
            !plan_is_sure(in->g, in->registry, c->recipient, paper->level, paper->floor) ||
            !plan_permission_is_sure(&papers, p, c->recipient))
            continue;
        TRY(plan_delivery(in, u, c, p, document, paper->event));
        *ret_deliveries += 1;
        if (!permission_is_consent(p))
            continue; /* a notice by law: the claim waits for the person as before */
        enum claim_state state = claim_state_of(c->state);
        if (claim_next(state, V("permit")) != STATE_COUNT)
            TRY(move(in, u, c, V("permit"), document));
        if (claim_next(claim_state_of(c->state), V("send")) == STATE_SENT &&
            claim_state_of(c->state) != STATE_SENT)
            TRY(move(in, u, c, V("send"), document));
    }
    return E_OK;
}

static err
plan_paper(const struct plan_input *in, struct unit *u, const struct paper *paper,
           const struct row_delivery *past, size_t *ret_deliveries)
{
    struct row_claim *claims = NULL;
    struct row_permission *permissions = NULL;
    TRY(query_claims_of_case(in->reader, ARGS(val_uid(&in->in_case.u)), in->mem, &claims));
    TRY(query_permissions_of_case(in->reader, ARGS(val_uid(&in->in_case.u)), in->mem, &permissions));
    return plan_for_claims(in, u, claims, permissions, paper, past, ret_deliveries);
}

err
plan_document(const struct plan_input *in, struct unit *u, const struct paper *paper, size_t *ret_deliveries)
{
    return plan_paper(in, u, paper, NULL, ret_deliveries);
}

err
plan_released(const struct plan_input *in, struct unit *u, const struct paper *paper, size_t *ret_deliveries)
{
    struct row_delivery *past = NULL;
    TRY(query_deliveries_of_case(in->reader, ARGS(val_uid(&in->in_case.u)), in->mem, &past));
    return plan_paper(in, u, paper, past, ret_deliveries);
}

/* What one of the joined cases holds. */
struct joined_case {
    struct row_claim *claims;
    struct row_permission *permissions;
    struct row_document *documents;
};

static err
load_joined(const struct plan_input *in, uid id, struct joined_case *ret)
{
    TRY(query_claims_of_case(in->reader, ARGS(val_uid(&id)), in->mem, &ret->claims));
    TRY(query_permissions_of_case(in->reader, ARGS(val_uid(&id)), in->mem, &ret->permissions));
    TRY(query_documents_of_case(in->reader, ARGS(val_uid(&id)), in->mem, &ret->documents));
    /* The rows are written after the claims have moved to the surviving case: a claim that goes on must go on there. */
    for (struct row_claim *c = ret->claims; c; c = c->next)
        c->case_id = in->in_case.u;
    return E_OK;
}

/* The papers of one case to the claims of another that is now the same. */
static err
plan_across(const struct plan_input *in, struct unit *u, const struct joined_case *to,
            const struct joined_case *from, size_t *ret_deliveries)
{
    for (const struct row_document *d = from->documents; d; d = d->next) {
        struct paper paper = paper_of(d, "document.available");
        if (view_eq(d->state, V("current")))
            TRY(plan_for_claims(in, u, to->claims, to->permissions, &paper, NULL, ret_deliveries));
    }
    return E_OK;
}

err
plan_joined(const struct plan_input *in, struct unit *u, struct row_case *const *merged, size_t n,
            const struct paper *paper, size_t *ret_deliveries)
{
    struct joined_case cases[PLAN_JOINED_MAX + 1] = {{0}};
    n = n < PLAN_JOINED_MAX ? n : PLAN_JOINED_MAX;
    TRY(load_joined(in, in->in_case.u, &cases[0]));
    for (size_t i = 0; i < n; i++)
        TRY(load_joined(in, merged[i]->id, &cases[i + 1]));
    for (size_t i = 0; i <= n; i++) {
        if (paper)
            TRY(plan_for_claims(in, u, cases[i].claims, cases[i].permissions, paper, NULL, ret_deliveries));
        for (size_t k = 0; k <= n; k++)
            if (k != i)
                TRY(plan_across(in, u, &cases[i], &cases[k], ret_deliveries));
    }
    return E_OK;
}

err
plan_notices(const struct plan_input *in, struct unit *u, doc_id earlier, const char *event)
{
    struct row_delivery *past = NULL;
    TRY(query_deliveries_of_case(in->reader, ARGS(val_uid(&in->in_case.u)), in->mem, &past));
    for (struct row_delivery *d = past; d; d = d->next) {
        if (!uid_eq(d->document, earlier.u) || view_eq(d->state, V("blocked")))
            continue;
        bool told = false;
        for (struct row_delivery *b = past; b != d; b = b->next)
            told = told || (uid_eq(b->document, earlier.u) && uid_eq(b->recipient, d->recipient));
        if (!told)
            TRY(add_delivery(in, u, d->recipient, d->claim, (uid){{0}}, earlier.u, event));
    }
    return E_OK;
}
