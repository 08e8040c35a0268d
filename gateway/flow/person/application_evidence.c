/* Who signed an application, and whether all who must have: the person's capacity, the representative's proof, the heirs. */
#include "flow/person/application_inside.h"

#include "adapters/rules/motor.h"
#include "flow/evidence/seal.h"
#include "flow/person/representation.h"

/* The certificate shows the last characters of the person's number (MOICA); the application must name that person. */
static bool
is_signed_by(const struct signer *s, const struct applied_person *p)
{
    if (s->subject != SUBJECT_PERSON || s->organisation.n < 4)
        return false;
    for (const struct person_key *k = p->keys; k; k = k->next)
        if (view_ends(k->text, s->organisation))
            return true;
    return false;
}

/* Whole years on the day of signing; a person born on 29 February is a year older on 1 March. */
static int
age_on(date born, instant when)
{
    date today = date_of_instant(when, 480);
    int age = today.year - born.year;
    return age - (today.month < born.month || (today.month == born.month && today.day < born.day));
}

enum capacity { CAPACITY_FULL, CAPACITY_LIMITED, CAPACITY_NONE };

/* Civil Code 12, 13: full from 18, limited from 7 to 17, none below 7. */
static enum capacity
capacity_of(const struct applied_person *p, instant when)
{
    if (!p->birth_date.n)
        return CAPACITY_FULL;
    int age = age_on(p->born, when);
    return age >= 18 ? CAPACITY_FULL : age >= 7 ? CAPACITY_LIMITED : CAPACITY_NONE;
}

static bool
is_presented_by(const struct presented *by, const struct applied_person *p)
{
    for (const struct person_key *k = p->keys; k; k = k->next)
        if (view_eq(k->text, by->person))
            return true;
    return false;
}

/* EVIDENCE_COUNT when he did not act. */
static enum consent_evidence
evidence_of(const struct filing *w, const struct applied_person *p)
{
    for (size_t i = 0; i < w->n_signed; i++)
        if (is_signed_by(w->signed_by[i].signer, p))
            return EVIDENCE_PRESUMPTION;
    for (size_t i = 0; i < w->n_presented; i++)
        if (is_presented_by(&w->presented[i], p))
            return EVIDENCE_PLAIN;
    return EVIDENCE_COUNT;
}

/* An app's signed assertion: weaker evidence, and only where the registration allows it. */
static bool
is_app(const struct filing *w, const struct signer *s)
{
    partner_id id;
    const struct partner *p =
        partner_id_parse(s->registered_partner, &id) == E_OK ? registry_partner(w->registry, id) : NULL;
    return p && view_eq(p->row->kind, V("app")) && view_eq(partner_option(p, "asserts"), V("yes"));
}

/* -- a representative -- */

/* Who acted for the person, as well as his proof goes; best: NULL when nobody did. */
struct acted {
    const struct applied_person *best;
    digest blind;
    enum consent_evidence evidence;
    enum standing standing;
};

static view
act_of(const struct filing *w)
{
    return w->permissions_only ? V("permit") : V("apply");
}

static struct acted
find_representative(const struct filing *w, const struct row_representation *list, unsigned serves)
{
    struct acted a = {.evidence = EVIDENCE_COUNT, .standing = STANDING_NONE};
    for (const struct applied_person *p = w->a.people; p; p = p->next) {
        enum consent_evidence evidence = evidence_of(w, p);
        if (!view_eq(p->role, V("representative")) || evidence == EVIDENCE_COUNT)
            continue;
        for (const struct person_key *k = p->keys; k; k = k->next) {
            digest blind = blind_person(w->g->seal, k->text);
            enum standing is = representation_standing(list, &blind, serves, act_of(w), w->in->received);
            if (a.best && is <= a.standing)
                continue;
            a = (struct acted){.best = p, .blind = blind, .evidence = evidence, .standing = is};
        }
    }
    return a;
}

static bool
acted_too(const struct filing *w, const digest *holder)
{
    for (const struct applied_person *p = w->a.people; p; p = p->next)
        for (const struct person_key *k = p->keys; k && evidence_of(w, p) != EVIDENCE_COUNT; k = k->next) {
            digest blind = blind_person(w->g->seal, k->text);
            if (view_eq(p->role, V("representative")) && digest_eq(&blind, holder))
                return true;
        }
    return false;
}

/* Holders of a joint paper act together (民法 1097, 1112-1). */
static err
check_joint(const struct filing *w, const struct row_representation *list, const struct acted *a)
{
    if (a->standing != STANDING_PROVEN || !representation_is_joint(list, &a->blind, w->in->received))
        return E_OK;
    for (const struct row_representation *row = list; row; row = row->next)
        if (representation_is_joint(row, &row->holder, w->in->received) && !acted_too(w, &row->holder))
            return fault_set(w->f, E_PERMISSION_JOINT, "/co_signatures", "all who represent together",
                             "some of them");
    return E_OK;
}

/* The representative's word counts as far as his proof: it stands, it waits, or it is none. */
static err
take_representative(struct filing *w, const struct row_representation *list, const struct acted *a,
                    bool by_age)
{
    w->by = a->blind;
    TRY(check_joint(w, list, a));
    switch (a->standing) {
    case STANDING_PROVEN:
        return E_OK;
    case STANDING_EXPIRED:
        w->waits = "expired";
        return E_OK;
    case STANDING_ACT:
        return fault_set(w->f, E_REPRESENTATION_ACT, "/items/common/representatives",
                         "an act that the paper names", "another");
    default:
        break;
    }
    if (!by_age)
        return fault_set(w->f, E_REPRESENTATION, "/items/common/representatives",
                         "a representative whose proof is here", "one without");
    w->waits = "missing";
    return E_OK;
}

/* -- the living -- */

/* Both, and the weaker counts; neither: left to who asks for evidence. */
static err
weigh_both(struct filing *w, const struct row_representation *list, enum consent_evidence subject,
           const struct acted *a, bool by_age)
{
    if ((subject == EVIDENCE_COUNT) != !a->best)
        return fault_set(w->f, E_PERMISSION_JOINT, "/co_signatures", "the person and a representative",
                         "one of the two");
    if (!a->best)
        return E_OK;
    w->level = subject < a->evidence ? subject : a->evidence;
    return take_representative(w, list, a, by_age);
}

static err
weigh_alone(struct filing *w, const struct row_representation *list, const struct acted *a, bool by_age)
{
    if (!a->best)
        return E_OK;
    w->level = a->evidence;
    return take_representative(w, list, a, by_age);
}

/* All who must act have acted: the weakest evidence of theirs counts.  level EVIDENCE_COUNT: nobody who could. */
static err
weigh(struct filing *w, enum capacity capacity)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_representation *list = NULL;
    const struct applied_person *person = application_subject(&w->a);
    digest blind = blind_person(w->g->seal, person->keys->text);
    enum consent_evidence subject = evidence_of(w, person);
    TRY(store_reader(w->g->store, &r));
    TRY(query_representations_of(r, ARGS(val_digest(&blind)), w->mem, &list));
    unsigned is = representation_condition(list, act_of(w), w->in->received);
    w->level = EVIDENCE_COUNT;
    if (is == SERVES_WARD && capacity == CAPACITY_FULL) {
        struct acted a = find_representative(w, list, SERVES_WARD);
        if (!a.best && subject != EVIDENCE_COUNT)
            return fault_set(w->f, E_WARD, "/signature", "the guardian's signature", "the person's");
        return weigh_alone(w, list, &a, false);
    }
    if (is == SERVES_ASSISTED && capacity == CAPACITY_FULL) {
        struct acted a = find_representative(w, list, SERVES_ASSISTED);
        return weigh_both(w, list, subject, &a, false);
    }
    struct acted a = find_representative(w, list, capacity == CAPACITY_FULL ? SERVES_FULL : SERVES_MINOR);
    if (capacity == CAPACITY_LIMITED)
        return weigh_both(w, list, subject, &a, true);
    if (capacity == CAPACITY_NONE)
        return weigh_alone(w, list, &a, true);
    w->level = subject;
    return subject == EVIDENCE_COUNT ? weigh_alone(w, list, &a, false) : E_OK;
}

/* -- the dead -- */

/* The dead are outside the Personal Data Protection Act; their claims are the heirs' (強保法 11): those of the first order that is there, all of them, or one whom the
 * others sign for. */
static err
check_heirs(struct filing *w)
{
    int first = 99, signed_order = 99;
    bool missing = false;
    for (const struct applied_person *p = w->a.people; p; p = p->next) {
        enum motor_heir kind = motor_heir_of(p->relation);
        int order = view_eq(p->role, V("heir")) && kind != MOTOR_HEIR_KINDS ? motor_heir_order(kind) : 99;
        first = order < first ? order : first;
        if (view_eq(p->role, V("heir")) && kind == MOTOR_HEIR_KINDS)
            return fault_set(w->f, E_SCHEMA, "/items/common/heirs", "a relation to the deceased",
                             "another word");
    }
    for (const struct applied_person *p = w->a.people; p; p = p->next) {
        bool by = false;
        if (!view_eq(p->role, V("heir")))
            continue;
        for (size_t i = 0; i < w->n_signed; i++)
            by = by || is_signed_by(w->signed_by[i].signer, p);
        int order = motor_heir_order(motor_heir_of(p->relation));
        signed_order = by && order < signed_order ? order : signed_order;
        missing = missing || (!by && order == first);
    }
    if (signed_order == 99)
        return fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature", "a signature of an heir",
                         "another person's");
    if (signed_order > first)
        return fault_set(w->f, E_HEIR_ORDER, "/signature", "heirs of the first order that is there",
                         "one of a later order");
    w->level = EVIDENCE_PRESUMPTION;
    return missing ? fault_set(w->f, E_PERMISSION_JOINT, "/co_signatures", "all heirs of the order",
                               "some of them")
                   : E_OK;
}

err
filing_weigh(struct filing *w)
{
    if (w->a.is_of_dead)
        return check_heirs(w);
    const struct applied_person *subject = application_subject(&w->a);
    enum capacity capacity = capacity_of(subject, w->in->received);
    TRY(weigh(w, capacity));
    if (w->level != EVIDENCE_COUNT)
        return E_OK;
    for (size_t i = 0; i < w->n_signed; i++) {
        const struct signer *s = w->signed_by[i].signer;
        if (s->subject != SUBJECT_PERSON && !is_app(w, s))
            return fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature", "a signature of the person",
                             "one of an organisation");
    }
    if (capacity == CAPACITY_FULL && w->n_signed && is_app(w, w->signed_by[0].signer)) {
        w->level = EVIDENCE_ASSERTED;
        return E_OK;
    }
    return fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature", "a signature of the person named",
                     "another person's");
}
