#include "flow/person/own_cali.h"

#include "flow/case/case_frame.h"

static bool
refers_to(const struct leaf_text *reference, view id)
{
    return id.n && reference->v.n == id.n + 1 && memcmp(reference->v.p + 1, id.p, id.n) == 0;
}

static const struct case_party *
party_of(const struct claim_case *c, const struct leaf_text *reference)
{
    for (const struct case_party *p = c->parties; p; p = p->next)
        if (refers_to(reference, p->id))
            return p;
    return NULL;
}

static bool
is_subject(const struct applied_person *who, const struct case_party *p, arena *mem)
{
    for (const struct case_identifier *id = p && p->person ? p->person->identifiers : NULL; id;
         id = id->next) {
        view key = person_key_text(id->system.v, id->value.v, mem);
        for (const struct person_key *k = key.p ? who->keys : NULL; k; k = k->next)
            if (view_eq(k->text, key))
                return true;
    }
    return false;
}

/* The insurer of a vehicle that this line of the form drove; empty when none is named, or for a passenger. */
static view
insurer_of(const struct claim_case *c, const struct case_accident_party *line)
{
    for (const struct case_vehicle *v = c->vehicles; v; v = v->next) {
        if (!refers_to(&line->vehicle, v->id) || !v->cali || view_eq(line->kind.code.v, V("H02")))
            continue;
        const struct case_party *p = party_of(c, &v->cali->insurer);
        return p && p->organisation && p->organisation->identifiers ? p->organisation->identifiers->value.v
                                                                    : VIEW_NONE;
    }
    return VIEW_NONE;
}

static err
check_item(const struct filing *w, const struct claim_case *facts, const struct applied_insurer *i)
{
    const struct applied_person *who = application_subject(&w->a);
    for (const struct case_accident_party *line = facts->accident->parties; line; line = line->next)
        if (view_eq(insurer_of(facts, line), i->recipient) &&
            is_subject(who, party_of(facts, &line->party), w->mem))
            return fault_setf(w->f, E_OWN_CALI, "the insurer of another vehicle of the accident",
                              "the one of the own vehicle", "/items/%lld/recipient", (long long)i->index);
    return E_OK;
}

err
own_cali_check(const struct filing *w, struct reader *r, const struct row_document *documents)
{
    for (const struct row_document *d = documents; d; d = d->next) {
        struct claim_case *facts = NULL;
        if (document_kind_of(d->kind) != KIND_ACCIDENT_PART || !view_eq(d->state, V("current")))
            continue;
        TRY(case_facts(w->g, r, d, w->mem, &facts));
        for (const struct applied_insurer *i = w->a.insurers; i && facts && facts->accident; i = i->next)
            if (view_eq(i->line, V("cali")))
                TRY(check_item(w, facts, i));
    }
    return E_OK;
}
