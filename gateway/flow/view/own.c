#include "flow/view/own.h"

#include "flow/case/case.h"
#include "flow/case/permission.h"

#define SUBJECTS_MAX 32

struct own {
    arena *mem;
    digest subjects[SUBJECTS_MAX]; /* the person, and for whom he stands */
    size_t n;
    struct case_rows all;
    struct row_permission *permissions;
};

static bool
is_subject(const struct own *o, const digest *subject)
{
    for (size_t i = 0; i < o->n; i++)
        if (digest_eq(&o->subjects[i], subject))
            return true;
    return false;
}

static void
add_subject(struct own *o, const digest *subject)
{
    if (o->n < SUBJECTS_MAX && !is_subject(o, subject))
        o->subjects[o->n++] = *subject;
}

/* A code lies under the data key of the paper with which it came: whose claims and permissions that paper made, he may read. */
static void
stand_for(struct own *o, uid key)
{
    for (const struct row_document *d = o->all.documents; d; d = d->next) {
        if (!uid_eq(d->key, key))
            continue;
        for (const struct row_claim *c = o->all.claims; c; c = c->next)
            if (uid_eq(c->application, d->id))
                add_subject(o, &c->claimant);
        for (const struct row_permission *p = o->permissions; p; p = p->next)
            if (uid_eq(p->document, d->id))
                add_subject(o, &p->subject);
    }
}

static err
find_subjects(struct own *o, struct reader *r, const digest *person, instant now)
{
    struct row_track *codes = NULL;
    add_subject(o, person);
    TRY(query_tracks_of_person(r, ARGS(val_digest(person), val_time(now)), o->mem, &codes));
    for (; codes; codes = codes->next)
        stand_for(o, codes->key);
    return E_OK;
}

static bool
is_own_claim(const struct own *o, uid claim)
{
    for (const struct row_claim *c = o->all.claims; c; c = c->next)
        if (uid_eq(c->id, claim))
            return is_subject(o, &c->claimant);
    return false;
}

/* Whose a medical paper is stands nowhere in clear; one that went out for other people's claims alone is another's. */
static bool
went_for_others(const struct own *o, uid document)
{
    bool others = false;
    for (const struct row_delivery *d = o->all.deliveries; d; d = d->next) {
        if (!uid_eq(d->document, document) || uid_is_none(d->claim))
            continue;
        if (is_own_claim(o, d->claim))
            return false;
        others = true;
    }
    return others;
}

static bool
is_own_permission(const struct own *o, uid document)
{
    bool known = false;
    for (const struct row_permission *p = o->permissions; p; p = p->next)
        if (uid_eq(p->document, document)) {
            known = true;
            if (is_subject(o, &p->subject))
                return true;
        }
    return !known;
}

static bool
is_own_document(const struct own *o, const struct row_document *d)
{
    enum document_kind kind = document_kind_of(d->kind);
    if (!digest_is_none(&d->subject))
        return is_subject(o, &d->subject);
    if (kind == KIND_APPLICATION || kind == KIND_PERMISSION)
        return is_own_permission(o, d->id);
    return !document_is_special(kind) || !went_for_others(o, d->id);
}

static bool
is_own_paper(const struct own *o, uid document)
{
    for (const struct row_document *d = o->all.documents; d; d = d->next)
        if (uid_eq(d->id, document))
            return is_own_document(o, d);
    return true; /* of a claim alone */
}

static bool
is_own_delivery(const struct own *o, const struct row_delivery *d)
{
    return uid_is_none(d->claim) ? is_own_paper(o, d->document) : is_own_claim(o, d->claim);
}

static bool
is_own_entry(const struct own *o, const struct row_timeline *t)
{
    return (uid_is_none(t->claim) || is_own_claim(o, t->claim)) && is_own_paper(o, t->document);
}

/* A list of what is his, in its order; rows are copied, since the whole lists are still asked. */
#define KEEP(type, list, is_his, ret)                                                                        \
    do {                                                                                                     \
        struct row_##type **end = (ret);                                                                     \
        *end = NULL;                                                                                         \
        for (const struct row_##type *row = (list); row; row = row->next) {                                  \
            if (!(is_his))                                                                                   \
                continue;                                                                                    \
            *end = arena_make(o.mem, struct row_##type);                                                     \
            if (!*end)                                                                                       \
                return E_TOO_LARGE;                                                                          \
            **end = *row;                                                                                    \
            (*end)->next = NULL;                                                                             \
            end = &(*end)->next;                                                                             \
        }                                                                                                    \
    } while (0)

err
own_rows(struct reader *r, uid in_case, const digest *person, instant now, arena *mem, struct case_rows *ret)
{
    struct own o = {.mem = mem};
    TRY(query_claims_of_case(r, ARGS(val_uid(&in_case)), mem, &o.all.claims));
    TRY(query_documents_of_case(r, ARGS(val_uid(&in_case)), mem, &o.all.documents));
    TRY(query_deliveries_of_case(r, ARGS(val_uid(&in_case)), mem, &o.all.deliveries));
    TRY(query_timeline_of_case(r, ARGS(val_uid(&in_case)), mem, &o.all.timeline));
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &o.permissions));
    TRY(find_subjects(&o, r, person, now));
    KEEP(claim, o.all.claims, is_subject(&o, &row->claimant), &ret->claims);
    KEEP(document, o.all.documents, is_own_document(&o, row), &ret->documents);
    KEEP(delivery, o.all.deliveries, is_own_delivery(&o, row), &ret->deliveries);
    KEEP(timeline, o.all.timeline, is_own_entry(&o, row), &ret->timeline);
    return E_OK;
}
