#include "flow/person/heirs.h"

#include "adapters/household/household.h"
#include "flow/case/case_frame.h"
#include "flow/intake/intake.h"
#include "flow/person/application_inside.h"
#include "flow/view/feed.h"

static bool
share_a_key(const struct person_key *a, const struct person_key *b)
{
    for (; a; a = a->next)
        for (const struct person_key *k = b; k; k = k->next)
            if (view_eq(a->text, k->text))
                return true;
    return false;
}

static bool
is_heir(const struct household_heir *list, const struct person_key *keys)
{
    while (list && !share_a_key(list->keys, keys))
        list = list->next;
    return list != NULL;
}

static bool
has_applied(const struct application *a, const struct household_heir *heir)
{
    const struct applied_person *p = a->people;
    while (p && !(view_eq(p->role, V("heir")) && share_a_key(p->keys, heir->keys)))
        p = p->next;
    return p != NULL;
}

/* All whom the extract names have applied.  Whoever the application names besides does not inherit, and has not been asked to sign (heir-order). */
static bool
agree(const struct application *a, const struct household_heir *heirs)
{
    size_t n = 0;
    for (const struct household_heir *h = heirs; h; h = h->next, n++)
        if (!has_applied(a, h))
            return false;
    for (const struct applied_person *p = a->people; p; p = p->next)
        n -= view_eq(p->role, V("heir")) && is_heir(heirs, p->keys);
    return n == 0;
}

err
heirs_check_application(const struct filing *w, struct reader *r, const struct row_document *documents)
{
    const struct applied_person *dead = application_subject(&w->a);
    for (const struct row_document *d = w->a.is_of_dead ? documents : NULL; d; d = d->next) {
        struct claim_case *facts = NULL;
        struct household_heir *heirs;
        bool about = false;
        if (document_kind_of(d->kind) != KIND_HOUSEHOLD || !view_eq(d->state, V("current")))
            continue;
        TRY(case_facts(w->g, r, d, w->mem, &facts));
        if (facts)
            TRY(household_heirs(facts, dead->keys, w->mem, &heirs, &about));
        if (about && !agree(&w->a, heirs))
            return fault_set(w->f, E_HEIRS_DIFFER, "/items/common/heirs",
                             "the heirs of the household extract", "others");
    }
    return E_OK;
}

/* -- the extract comes second -- */

static err
read_application(struct passage *p, struct reader *r, const struct row_document *d, struct application *ret)
{
    struct original body;
    struct tree *t = arena_make(p->mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(original_open(p->g, r, d, p->mem, &body));
    TRY(tree_read_json(body.bytes, NULL, p->mem, t, NULL));
    return application_read(t, p->mem, ret, NULL);
}

static bool
is_noted(const struct claim_case *facts)
{
    return facts->findings != NULL;
}

err
heirs_check_extract(struct passage *p, struct reader *r, const struct joined *found)
{
    struct row_document *list = NULL;
    if (found->target)
        TRY(query_documents_of_case(r, ARGS(val_uid(&found->target->id)), p->mem, &list));
    for (; list && !is_noted(p->reading.facts); list = list->next) {
        struct application a = {0};
        struct household_heir *heirs;
        bool about = false;
        if (document_kind_of(list->kind) != KIND_APPLICATION || !view_eq(list->state, V("current")))
            continue;
        TRY(read_application(p, r, list, &a));
        if (a.is_of_dead)
            TRY(household_heirs(p->reading.facts, application_subject(&a)->keys, p->mem, &heirs, &about));
        if (!about || agree(&a, heirs))
            continue;
        TRY(household_note_differs(p->mem, p->reading.facts));
        TRY(passage_print_facts(p));
        issue_add(p->issues, ISSUE_WARNING, E_HEIRS_DIFFER, V("relatives"), V("the heirs who have applied"),
                  V("others"));
    }
    return E_OK;
}
