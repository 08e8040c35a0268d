#include "flow/evidence/receipt.h"

#include "flow/evidence/evidence.h"
#include "flow/evidence/stamps.h"

static err
own_reception(struct gateway *g, partner_id who, submission_id id, arena *mem, struct row_reception **ret,
              struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_reception *row = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_reception(r, ARGS(val_uid(&id.u)), mem, &row));
    if (!row || !uid_eq(row->sender, who.u))
        return fault_set(f, E_NOT_FOUND, "", "a receipt of yours", "none");
    *ret = row;
    return E_OK;
}

/* Where no authority is set, nothing is said of time. */
static err
time_member(struct gateway *g, const struct row_reception *row, arena *mem, view *ret)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_leaf *leaf = NULL;
    struct stamped s = {.found = false};
    view json = VIEW_NONE;
    *ret = V("");
    TRY(store_reader(g->store, &r));
    TRY(query_leaf_of(r, ARGS(val_uid(&row->id)), mem, &leaf));
    if (leaf)
        TRY(stamps_proof(g, r, (uint64_t)leaf->seq, mem, &s));
    if (!s.found && config_text(g->config, SET_TIME_AUTHORITIES).n == 0)
        return E_OK;
    TRY(stamped_print(&s, mem, &json));
    *ret = arena_printf(mem, ",\"time\":%.*s", VIEW_ARG(json));
    return ret->p ? E_OK : E_TOO_LARGE;
}

err
receipt_fetch(struct gateway *g, partner_id who, submission_id id, arena *mem, view *ret_json,
              struct fault *f)
{
    struct row_reception *row = NULL;
    view time = VIEW_NONE;
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE], when[32];
    TRY(own_reception(g, who, id, mem, &row, f));
    TRY(time_member(g, row, mem, &time));
    *ret_json = arena_printf(
        mem,
        "{\"submission\":\"%.*s\",\"document\":\"%.*s\",\"case\":\"%.*s\",\"received_at\":\"%.*"
        "s\",\"outcome\":\"%.*s\",\"receipt\":\"%.*s\"%.*s}",
        VIEW_ARG(submission_id_print(id, a)), VIEW_ARG(doc_id_print((doc_id){row->document}, b)),
        VIEW_ARG(case_id_print((case_id){row->case_id}, c)), VIEW_ARG(instant_print(row->at, when)),
        VIEW_ARG(row->outcome), VIEW_ARG(row->receipt), VIEW_ARG(time));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
receipt_proof(struct gateway *g, partner_id who, submission_id id, const digest *leaf, uint64_t size,
              arena *mem, view *ret_json, struct fault *f)
{
    struct row_reception *row = NULL;
    if (leaf)
        return evidence_proof(g, leaf, id.u, size, mem, ret_json, f);
    TRY(own_reception(g, who, id, mem, &row, f));
    return evidence_proof(g, &row->leaf, id.u, size, mem, ret_json, f);
}
