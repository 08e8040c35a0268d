/* Papers that come in answer the tasks that ask for them, in the same unit. */
#include "flow/task/task_inside.h"

#include "flow/evidence/evidence.h"

/* "slip" of "<oid>/<accident_no>/slip" (adapters/police). */
static view
part_of(view work)
{
    size_t at = work.n;
    while (at && work.p[at - 1] != '/')
        at--;
    view part = view_sub(work, at, work.n);
    return view_starts(part, V("other.inquest")) ? V("inquest") : part;
}

/* A use of the mandate is a paper handed over on it. */
static err
count_use(const struct arrival *a, struct unit *u, const struct row_task *t)
{
    const struct row_permission *mandate = NULL;
    TRY(task_any_mandate(a->reader, t, a->at, u->mem, &mandate));
    if (mandate && mandate->uses_left > 0)
        unit_change(u, CHANGE_permission_use, ARGS(val_uid(&mandate->id)));
    return E_OK;
}

static err
answer(const struct arrival *a, struct unit *u, const digest *about)
{
    struct row_task *t = NULL, *row;
    TRY(query_task_about(a->reader, ARGS(val_digest(about)), u->mem, &t));
    if (!t)
        return E_OK;
    if (!view_eq(t->state, V("answered")))
        TRY(count_use(a, u, t));
    TRY(task_put(u, t, &row));
    row->state = V("answered");
    row->reason = VIEW_NONE;
    row->document = a->document;
    row->changed_at = a->at;
    row->next_at = INSTANT_NONE;
    return E_OK;
}

static err
of_accident(const struct arrival *a, struct unit *u, const struct doc_ref *ref)
{
    digest about = task_about_accident(a->g->seal, a->author->row->code, part_of(a->reading->work_value),
                                       ref->author, ref->value);
    return answer(a, u, &about);
}

static err
of_persons(const struct arrival *a, struct unit *u, const struct doc_ref *ref)
{
    view item = a->reading->kind == KIND_REPORT    ? V("report")
                : a->reading->kind == KIND_RECEIPT ? V("receipt")
                                                   : V("certificate");
    for (const struct person_key *k = a->reading->persons; k; k = k->next) {
        if (!k->is_subject)
            continue;
        digest person = BLIND(a->g->seal, "person", k->text);
        digest about = task_about_person(a->g->seal, a->author->row->code, item,
                                         view_of(ref_kind_word(ref->kind)), ref->value, &person);
        TRY(answer(a, u, &about));
    }
    return E_OK;
}

err
task_arrived(const struct arrival *a, struct unit *u)
{
    struct row_task *any = NULL;
    TRY(query_tasks_known(a->reader, ARGS(val_uid(&a->author->id.u)), u->mem, &any));
    for (const struct doc_ref *ref = any ? a->reading->refs : NULL; ref; ref = ref->next)
        TRY(ref->kind == REF_ACCIDENT_NO ? of_accident(a, u, ref) : of_persons(a, u, ref));
    return E_OK;
}
