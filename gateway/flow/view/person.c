/* Which cases a person who logged in here may look at, and as whom: by the roles that applications gave (tracks). */
#include "flow/view/feed.h"

#include "flow/case/case.h"
#include "flow/case/permission.h"
#include "flow/evidence/seal.h"
#include "flow/person/representation.h"

static bool
is_wanted(uid in_case, case_id only, const case_id *named)
{
    return (uid_is_none(only.u) || uid_eq(in_case, only.u)) && (!named || uid_eq(in_case, named->u));
}

#define RANK_REPRESENTATIVE 1

/* A stronger role of the same person in the same case counts: the subject sees what a policyholder does not. */
static int
rank(view role)
{
    return view_eq(role, V("subject")) ? 2 : view_eq(role, V("representative")) ? RANK_REPRESENTATIVE : 0;
}

err
track_person(struct gateway *g, const digest *person, case_id only, view named, instant now, arena *mem,
             struct person_caller *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_track *list = NULL;
    case_id id;
    uid in_case;
    bool found = false, unproven = false;
    if (named.n && case_id_parse(named, &id) != E_OK)
        return fault_set(f, E_NOT_FOUND, "case", "a case of yours", "none");
    TRY(store_reader(g->store, &r));
    if (named.n)
        TRY(case_surviving(r, id.u, mem, &id.u));
    TRY(query_tracks_of_person(r, ARGS(val_digest(person), val_time(now)), mem, &list));
    for (; list; list = list->next) {
        TRY(case_surviving(r, list->case_id, mem, &in_case));
        if (!is_wanted(in_case, only, named.n ? &id : NULL))
            continue;
        if (found && !uid_eq(ret->in_case.u, in_case))
            return fault_set(f, E_PARAMETER, "case", "which of your cases (GET /v1/person lists them)",
                             "none");
        if (found && rank(list->role) <= rank(ret->role))
            continue;
        bool may = true;
        if (rank(list->role) == RANK_REPRESENTATIVE)
            TRY(representation_reads(r, in_case, person, now, mem, &may));
        unproven = unproven || !may;
        if (!may)
            continue;
        *ret = (struct person_caller){{in_case}, *person, list->role, false};
        found = true;
    }
    if (!found && unproven)
        return fault_set(f, E_REPRESENTATION, "case", "a representative whose proof is here", "one without");
    return found ? E_OK : fault_set(f, E_NOT_FOUND, "case", "a case of yours", "none");
}

/* Medical papers are about one patient; a police paper names the other side too, and is seen as the person's view of the case only.  Where the case has
 * claims of several people, whose paper it is stands nowhere in clear: then no original goes out. */
static err
is_his(struct reader *r, uid in_case, const struct row_document *row, const digest *person, bool represents,
       arena *mem, bool *ret)
{
    struct row_permission *list = NULL;
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    *ret = list && document_is_special(document_kind_of(row->kind));
    for (const struct row_permission *p = list; p; p = p->next)
        *ret = *ret && digest_eq(&p->subject, represents ? &list->subject : person);
    return E_OK;
}

err
track_document(struct gateway *g, const digest *person, case_id only, doc_id document, instant now,
               arena *mem, struct original *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_track *list = NULL;
    struct row_document *row = NULL;
    struct row_case *in = NULL;
    uid in_case;
    TRY(store_reader(g->store, &r));
    TRY(query_document(r, ARGS(val_uid(&document.u)), mem, &row));
    TRY(query_cases_of_document(r, ARGS(val_uid(&document.u)), mem, &in));
    TRY(query_tracks_of_person(r, ARGS(val_digest(person), val_time(now)), mem, &list));
    for (; row && list; list = list->next) {
        bool his = false, may = rank(list->role) > 0;
        TRY(case_surviving(r, list->case_id, mem, &in_case));
        if (may && rank(list->role) == RANK_REPRESENTATIVE)
            TRY(representation_reads(r, in_case, person, now, mem, &may));
        if (may && in && uid_eq(in->id, in_case) && is_wanted(in_case, only, NULL))
            TRY(is_his(r, in_case, row, person, rank(list->role) == RANK_REPRESENTATIVE, mem, &his));
        if (his)
            return original_open(g, r, row, mem, ret);
    }
    return fault_set(f, E_NOT_FOUND, "", "a document of yours", "none");
}
