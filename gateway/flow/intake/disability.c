/* Who may certify a disability: the level of the hospital is the registry's word, not the paper's. */
#include "adapters/cali.h"
#include "flow/intake/intake.h"

#include "flow/partner/registry.h"

/* A clinic is a clinic; of a hospital the registry option `level`. */
static view
level_of(const struct partner *author)
{
    view said = partner_option(author, "level");
    if (view_eq(author->row->kind, V("clinic")))
        return V("clinic");
    return view_eq(said, V("medical_centre")) || view_eq(said, V("regional")) || view_eq(said, V("district"))
               ? said
               : V("unknown");
}

err
passage_disability(struct passage *p)
{
    if (p->reading.kind != KIND_CERTIFICATE)
        return E_OK;
    for (struct case_disability *d = p->reading.facts->disability; d; d = d->next) {
        view level = level_of(p->author);
        const char *least = cali_disability_level(d->scale.v, d->fixed_on.v);
        leaf_set_text(&d->issuer_level, level, source_gateway(HOW_COMPUTED));
        if (!least || view_eq(level, V("unknown")) || cali_level_reaches(level, view_of(least)))
            continue;
        return fault_set(p->f, E_ISSUER_LEVEL, "Composition.custodian", least, arena_cstr(p->mem, level));
    }
    return E_OK;
}
