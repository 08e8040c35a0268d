/* A filing's paper on its way in: who signs it, which filing it belongs to, whether it follows. */
#include "flow/motor/motor.h"

#include "adapters/rules/motor.h"
#include "flow/case/case_frame.h"
#include "flow/case/permission.h"
#include "flow/evidence/seal.h"
#include "signing/trust/authority.h"

/* By a claim's route: only its insurer, only a recourse, and only one that the claim's line has (Insurance Act 53, 103, 130, 135). */
static err
check_recourse(struct passage *p, const struct tree *t)
{
    struct row_claim *c = NULL;
    enum motor_rule rule;
    const struct node *root = tree_root(t);
    if (!p->reader)
        TRY(store_reader(p->g->store, &p->reader));
    TRY(query_claim(p->reader, ARGS(val_uid(&p->s->recourse_of.u)), p->mem, &c));
    if (!c || !uid_eq(c->recipient, p->s->sender.u))
        return fault_set(p->f, E_NOT_FOUND, "", "a claim of yours", "none");
    TRY(motor_recourse(c->line, node_text_at(t, root, "kind"), &rule, p->f));
    if (!view_eq(node_text_at(t, root, "part"), V("recourse")))
        return fault_set(p->f, E_DOCUMENT_KIND, "part", "recourse", "another word");
    return view_eq(node_text_at(t, root, "line"), c->line)
               ? E_OK
               : fault_set(p->f, E_SCHEMA, "line", "the claim's line", "another");
}

err
motor_interpret(struct passage *p, const struct tree *t)
{
    p->motor = arena_make(p->mem, struct motor_paper);
    if (!p->motor)
        return E_TOO_LARGE;
    if (!uid_is_none(p->s->recourse_of.u))
        TRY(check_recourse(p, t));
    TRY(claimlink_interpret(t, p->mem, p->issues, &p->reading, p->motor, p->f));
    return p->issues->errors ? E_OK : motor_photos(p);
}

/* -- authority -- */

const struct partner *
motor_author(const struct passage *p)
{
    static const char *const kinds[AUTHOR_COUNT] = {
        [AUTHOR_OWNER] = "app", [AUTHOR_SHOP] = "shop", [AUTHOR_INSURER] = "insurer"};
    const struct partner *found =
        registry_by_code(p->registry, view_of(kinds[p->motor->author]), p->motor->author_code);
    if (!found && p->motor->author == AUTHOR_INSURER)
        found = registry_by_code(p->registry, V("fund"), p->motor->author_code);
    return found;
}

/* A certificate of a person shows the last characters of his number; one of his numbers must end so. */
static bool
is_of_person(const struct signer *s, view key)
{
    return s->subject == SUBJECT_PERSON && s->organisation.n >= 4 && view_ends(key, s->organisation);
}

static bool
is_signed_by_owner(const struct passage *p, const struct signer *s)
{
    if (p->motor->part != PART_filing)
        return s->subject == SUBJECT_PERSON; /* whose filing it is, motor_admit asks */
    for (const struct person_key *k = p->reading.persons; k; k = k->next)
        if (k->is_subject && is_of_person(s, k->text))
            return true;
    return false;
}

/* Civil Code 12: who is not of age files through a representative, by an application. */
static err
check_age(struct passage *p)
{
    date born, today = date_of_instant(p->s->received, 480);
    if (!p->motor->birth_date.n || date_parse(p->motor->birth_date, &born) != E_OK)
        return E_OK;
    int age = today.year - born.year;
    age -= today.month < born.month || (today.month == born.month && today.day < born.day);
    return age >= 18 ? E_OK
                     : fault_set(p->f, E_PERMISSION_JOINT, "owner.birth_date", "an owner of full age",
                                 "one who needs a representative");
}

err
motor_owner_authority(struct passage *p)
{
    p->sender = registry_partner(p->registry, p->s->sender);
    if (!p->sender || !partner_is_active(p->sender))
        return fault_set(p->f, E_SUSPENDED, "", "an active partner", "another status");
    if (partner_is_insurer(p->sender))
        return fault_set(p->f, E_PERMISSION_SELF, "", "another sender than a recipient", "an insurer");
    p->author = p->signer = p->sender;
    for (size_t i = 0; i < verdict_signatures(p->verdict); i++) {
        const struct signature_out *sig = verdict_signature(p->verdict, i);
        if (sig->code != E_OK)
            continue;
        err e = authority_check(trust_authority(p->trust), &sig->signer, p->reading.kind, VIEW_NONE, false,
                                p->s->received, p->f);
        if (e == E_OK && !is_signed_by_owner(p, &sig->signer))
            e = fault_set(p->f, E_PERMISSION_EVIDENCE, "owner", "a signature of the owner", "another's");
        verdict_note_authority(p->verdict, i, e);
        TRY(e);
    }
    return check_age(p);
}

/* -- the filing -- */

static digest
filing_blind(const struct passage *p)
{
    return BLIND(p->g->seal, "filing", p->motor->filing);
}

err
motor_join(struct passage *p)
{
    for (size_t i = 0; i < p->motor->n_photos; i++)
        if (p->motor->photos[i].fact->photo_id.v.n)
            TRY(join_add(&p->join, p->motor->photos[i].picture, "picture", false));
    return join_add(&p->join, filing_blind(p), "filing", true);
}

/* What the case holds of this filing. */
struct admission {
    struct passage *p;
    struct reader *r;
    struct ledger ledger;
    const struct row_document *filing; /* the owner's current paper */
    const struct claim_case *filed;
    uid *papers;
    size_t n_papers;
};

static err
take_paper(struct admission *x, const struct row_document *d)
{
    struct claim_case *facts = NULL;
    if (!view_eq(d->state, V("current")) || !view_eq(d->profile, V("motor-filing-1")))
        return E_OK;
    TRY(case_facts(x->p->g, x->r, d, x->p->mem, &facts));
    if (!view_eq(motor_filing_of(facts), x->p->motor->filing))
        return E_OK;
    x->papers[x->n_papers++] = d->id;
    if (view_eq(d->kind, V("motor-filing")) && facts->coverages) {
        x->filing = d;
        x->filed = facts;
    }
    return ledger_add(&x->ledger, facts);
}

static err
load_filing(struct admission *x, uid in_case)
{
    struct row_document *list = NULL;
    size_t n = 0;
    TRY(query_documents_of_case(x->r, ARGS(val_uid(&in_case)), x->p->mem, &list));
    for (const struct row_document *d = list; d; d = d->next)
        n++;
    x->papers = arena_make_array(x->p->mem, n + 1, uid);
    if (!x->papers)
        return E_TOO_LARGE;
    for (const struct row_document *d = list; d; d = d->next)
        TRY(take_paper(x, d));
    return E_OK;
}

/* -- who has a part in it -- */

static bool
is_owner(const struct admission *x)
{
    if (!x->filing || !uid_eq(x->filing->sender, x->p->sender->id.u))
        return false;
    const struct signer *s = &verdict_signature(x->p->verdict, 0)->signer;
    for (const struct case_role *role = x->filed->roles; role; role = role->next) {
        const struct case_party *party =
            view_eq(role->role.v, V("owner")) ? case_party_of(x->filed, role->party.v) : NULL;
        for (const struct case_identifier *id = party && party->person ? party->person->identifiers : NULL;
             id; id = id->next)
            if (is_of_person(s, id->value.v))
                return true;
    }
    return false;
}

static bool
is_of_filing(const struct admission *x, uid document)
{
    for (size_t i = 0; i < x->n_papers; i++)
        if (uid_eq(x->papers[i], document))
            return true;
    return false;
}

/* An insurer speaks to a filing by the line for which it has a claim in it. */
static err
is_insurer(const struct admission *x, uid in_case, bool *ret)
{
    struct row_claim *c = NULL;
    *ret = false;
    TRY(query_claims_of_case(x->r, ARGS(val_uid(&in_case)), x->p->mem, &c));
    for (; c && !*ret; c = c->next)
        *ret = uid_eq(c->recipient, x->p->author->id.u) &&
               (!x->p->motor->line.n || view_eq(c->line, x->p->motor->line)) &&
               is_of_filing(x, c->application);
    return E_OK;
}

static err
has_part(const struct admission *x, uid in_case, bool *ret)
{
    const struct motor_paper *m = x->p->motor;
    switch (m->author) {
    case AUTHOR_OWNER:
        *ret = is_owner(x);
        return E_OK;
    case AUTHOR_SHOP:
        *ret = ledger_order(&x->ledger, m->author_code, m->plate) != NULL;
        return E_OK;
    default:
        return is_insurer(x, in_case, ret);
    }
}

/* Of the fund, whose claims come by an application and never by a filing. */
static bool
is_filed_apart(const struct row_claim *c)
{
    return view_eq(c->line, V("fund"));
}

static err
check_against(struct passage *p)
{
    return p->motor->part != PART_recourse || registry_by_code(p->registry, V("insurer"), p->motor->against)
               ? E_OK
               : fault_set(p->f, E_RECIPIENT, "against", "a registered insurer", "an unknown code");
}

digest
motor_owner_of(const struct gateway *g, const struct claim_case *filed, arena *mem)
{
    for (const struct case_role *role = filed ? filed->roles : NULL; role; role = role->next) {
        const struct case_party *party =
            view_eq(role->role.v, V("owner")) ? case_party_of(filed, role->party.v) : NULL;
        const struct case_identifier *id = party && party->person ? party->person->identifiers : NULL;
        for (; id; id = id->next) {
            view key = person_key_text(id->system.v, id->value.v, mem);
            if (key.p)
                return blind_person(g->seal, key);
        }
    }
    return (digest){{0}};
}

/* A settlement of this filing is one in which its owner takes part. */
static err
check_settlement(const struct passage *p)
{
    for (const struct person_key *k = p->reading.persons; k; k = k->next) {
        digest blind = blind_person(p->g->seal, k->text);
        if (digest_eq(&blind, &p->subject))
            return E_OK;
    }
    return fault_set(p->f, E_SETTLEMENT_PARTY, "between", "the filing's owner among them", "others only");
}

static err
admit(struct passage *p, struct reader *r, const struct joined *found)
{
    struct admission x = {.p = p, .r = r};
    digest blind = filing_blind(p);
    bool known = false, may = false;
    for (size_t i = 0; i < p->join.n; i++)
        known = known || (found->known[i] && digest_eq(&p->join.blinds[i].blind, &blind));
    p->subject = motor_owner_of(p->g, p->reading.facts, p->mem);
    if (p->motor->part == PART_filing && p->motor->revision == 1)
        return known ? fault_set(p->f, E_FILING_USED, "filing", "a number not used before", "a used one")
                     : E_OK;
    if (!known || !found->target)
        return fault_set(p->f, E_NOT_FOUND, "filing", "a filing that you have a part in", "none");
    ledger_init(&x.ledger, p->mem);
    TRY(load_filing(&x, found->target->id));
    TRY(has_part(&x, found->target->id, &may));
    if (!may)
        return fault_set(p->f, E_NOT_FOUND, "filing", "a filing that you have a part in", "none");
    p->subject = motor_owner_of(p->g, x.filed, p->mem); /* whoever writes the paper */
    if (p->motor->part == PART_settlement)
        TRY(check_settlement(p));
    TRY(check_against(p));
    return ledger_admit(&x.ledger, p->motor, p->issues, p->f);
}

/* By a claim's route there need be no filing: a claim that an application opened is paid and reclaimed as well (the fund's, 強保法 40 IV).  The paper joins the claim's case. */
static err
admit_of_claim(struct passage *p, struct reader *r, struct joined *found)
{
    struct row_claim *c = NULL;
    uid in_case;
    TRY(query_claim(r, ARGS(val_uid(&p->s->recourse_of.u)), p->mem, &c));
    if (!c)
        return E_STORE_CORRUPT;
    TRY(case_surviving(r, c->case_id, p->mem, &in_case));
    if (found->target && !uid_eq(found->target->id, in_case))
        return fault_set(p->f, E_NOT_FOUND, "filing", "a number of this claim's case", "another's");
    if (!found->target)
        TRY(query_case_row(r, ARGS(val_uid(&in_case)), p->mem, &found->target));
    return check_against(p);
}

err
motor_admit(struct passage *p, struct reader *r, struct joined *found)
{
    struct row_claim *c = NULL;
    TRY(query_claim(r, ARGS(val_uid(&p->s->recourse_of.u)), p->mem, &c));
    TRY(c && is_filed_apart(c) ? admit_of_claim(p, r, found) : admit(p, r, found));
    return motor_photos_elsewhere(p, r, found->target ? found->target->id : (uid){{0}});
}

bool
motor_is_two_sided(enum document_kind kind)
{
    return kind == KIND_MOTOR_APPROVAL || kind == KIND_MOTOR_RECOURSE;
}

static bool
is_given(const struct row_permission *p, const struct row_document *d, enum document_kind kind, instant now)
{
    return motor_is_two_sided(kind) ? uid_eq(p->document, d->id)
                                    : digest_eq(&p->subject, &d->subject) &&
                                          permission_stands(p, p->recipient, p->purpose, kind, now);
}

bool
motor_reaches(const struct row_document *d, const struct row_claim *c,
              const struct row_permission *permissions, instant now)
{
    enum document_kind kind = document_kind_of(d->kind);
    if (digest_is_none(&d->subject))
        return true;
    if (!digest_eq(&d->subject, &c->claimant))
        return false;
    bool reaches = uid_eq(d->signer, c->recipient);
    for (; permissions && !reaches; permissions = permissions->next)
        reaches = uid_eq(permissions->recipient, c->recipient) && is_given(permissions, d, kind, now);
    return reaches;
}

bool
motor_reaches_new(const struct row_document *d, const struct row_claim *c)
{
    return digest_is_none(&d->subject) ||
           (!motor_is_two_sided(document_kind_of(d->kind)) && digest_eq(&d->subject, &c->claimant));
}
