#include "flow/evidence/receipt.h"

#include "flow/evidence/evidence.h"

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

err
receipt_fetch(struct gateway *g, partner_id who, submission_id id, arena *mem, view *ret_json,
              struct fault *f)
{
    struct row_reception *row = NULL;
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE], when[32];
    TRY(own_reception(g, who, id, mem, &row, f));
    *ret_json =
        arena_printf(mem,
                     "{\"submission\":\"%.*s\",\"document\":\"%.*s\",\"case\":\"%.*s\",\"received_at\":\"%.*"
                     "s\",\"outcome\":\"%.*s\",\"receipt\":\"%.*s\"}",
                     VIEW_ARG(submission_id_print(id, a)), VIEW_ARG(doc_id_print((doc_id){row->document}, b)),
                     VIEW_ARG(case_id_print((case_id){row->case_id}, c)),
                     VIEW_ARG(instant_print(row->at, when)), VIEW_ARG(row->outcome), VIEW_ARG(row->receipt));
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
