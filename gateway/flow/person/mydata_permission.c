/* The permission that stands behind one MyData transfer: the person's consent on the platform, for one partner, one pull.
 *
 * It is a row like any other and has the number of its exchange, so that it outlives the exchange's day: a second pull is refused by it
 * for as long as permissions are kept.  The use is counted in the transaction that begins the fetch, and given back only when the platform
 * refuses before the first byte. */
#include "base/text.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/permission.h"
#include "flow/evidence/evidence.h"
#include "flow/person/exchange_row.h"

#include <stdio.h>

#define PULL_LIFE SPAN_DAYS(1) /* as long as the platform keeps a package */

/* Whose it is: the person of the case that the app filed. */
static err
subject_of(struct reader *r, uid in_case, arena *mem, digest *ret)
{
    struct row_permission *list = NULL;
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    for (; list; list = list->next)
        if (permission_is_consent(list))
            *ret = list->subject;
    return E_OK;
}

static err
case_of(struct gateway *g, struct exchange *x, arena *mem, uid *ret_case, digest *ret_subject)
{
    AUTO(reader_done) struct reader *r = NULL;
    case_id id;
    if (case_id_parse(json_text(x->request, "case"), &id) != E_OK)
        return E_OK;
    TRY(store_reader(g->store, &r));
    TRY(case_surviving(r, id.u, mem, ret_case));
    return subject_of(r, *ret_case, mem, ret_subject);
}

err
mydata_permit(struct gateway *g, struct unit *u, struct exchange *x, view ticket, instant now)
{
    struct data_key key;
    struct row_permission *row = unit_add_permission(u);
    json_t *detail = exchange_object(u->mem);
    digest leaf;
    if (!row || !detail ||
        json_object_set(detail, "resources", json_object_get(x->request, "resources")) != 0)
        return E_TOO_LARGE;
    *row = (struct row_permission){.id = x->row->id,
                                   .recipient = x->row->partner,
                                   .kind = view_of(permission_kind_word(PERMISSION_CONSENT)),
                                   .basis = V("mydata"),
                                   .purpose = V("claim"),
                                   .kinds = view_of(document_kind_word(KIND_ATTACHMENT)),
                                   .valid_from = now,
                                   .valid_to = instant_add(now, PULL_LIFE),
                                   .uses_left = 1,
                                   .level = view_of(consent_evidence_word(EVIDENCE_PLAIN))};
    TRY(case_of(g, x, u->mem, &row->case_id, &row->subject));
    TRY(seal_new_key(g->seal, u, "permission", &key));
    row->key = key.id;
    view text = json_dump_arena(detail, u->mem);
    err e = text.p ? seal_box(&key, V("permission"), row->id, text, u->mem, &row->detail) : E_TOO_LARGE;
    data_key_forget(&key);
    TRY(e);
    const digest parts[] = {sha256(ticket), sha256(uid_view(&row->id))};
    if (!uid_is_none(row->case_id))
        TRY(timeline_add(u, row->case_id, (uid){{0}}, "person", (uid){{0}}, "permission.given", VIEW_NONE,
                         (uid){{0}}, now));
    return evidence_leaf(u, "permission", row->id, parts, COUNT_OF(parts), now, &leaf);
}

void
mydata_spend(struct unit *u, const struct exchange *x, instant now)
{
    unit_guard(u, GUARD_permission_usable, ARGS(val_uid(&x->row->id), val_time(now)));
    unit_guard(u, GUARD_permission_unspent, ARGS(val_uid(&x->row->id)));
    unit_change(u, CHANGE_permission_use, ARGS(val_uid(&x->row->id)));
}

void
mydata_give_back(struct unit *u, const struct exchange *x)
{
    unit_change(u, CHANGE_permission_give_back, ARGS(val_uid(&x->row->id)));
}

err
mydata_pull(struct gateway *g, partner_id who, exchange_id id, instant now, arena *mem, view *ret_json,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    struct row_permission *p = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_exchange(r, ARGS(val_uid(&id.u), val_uid(&who.u)), mem, &row));
    TRY(query_permission(r, ARGS(val_uid(&id.u)), mem, &p));
    if (p && !uid_eq(p->recipient, who.u))
        p = NULL;
    if (!row && !p)
        return fault_set(f, E_NOT_FOUND, "", "one of yours", "none");
    if (!p)
        return fault_set(f, E_PERMISSION_NEEDED, "", "the person's consent at the platform", "none given");
    if (p->withdrawn_at.us)
        return fault_set(f, E_WITHDRAWN, "", "a permission in force", "one withdrawn before");
    if (!p->uses_left)
        return fault_set(f, E_USED_UP, "", "a permission with a use left", "one whose use is spent");
    if (!row || (p->valid_to.us && p->valid_to.us <= now.us))
        return fault_set(f, E_PERMISSION_NEEDED, "", "a consent that is still good", "one past its time");
    reader_done(TAKE(r));
    return exchange_show(g, who, id, now, mem, ret_json, f);
}
