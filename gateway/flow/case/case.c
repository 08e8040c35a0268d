#include "flow/case/case.h"

#include "adapters/case_codec.h"
#include "adapters/case_fold.h"
#include "adapters/invariants.h"
#include "base/text.h"
#include "flow/case/case_frame.h"
#include "flow/evidence/seal.h"
#include "flow/partner/registry.h"

static err
follow(struct reader *r, uid id, arena *mem, struct row_case **ret, struct fault *f)
{
    struct row_case *row = NULL;
    for (int i = 0; i < 16; i++) {
        TRY(query_case_row(r, ARGS(val_uid(&id)), mem, &row));
        if (!row)
            return fault_set(f, E_NOT_FOUND, "", "a case", "none");
        if (uid_is_none(row->merged_into))
            break;
        id = row->merged_into;
    }
    *ret = row;
    return E_OK;
}

err
case_facts(struct gateway *g, struct reader *r, const struct row_document *row, arena *mem,
           struct claim_case **ret)
{
    struct data_key key;
    struct tree *t = arena_make(mem, struct tree);
    view sealed, text;
    *ret = NULL;
    if (!row->facts_at.length)
        return E_OK;
    if (!t)
        return E_TOO_LARGE;
    TRY(store_body(g->store, &row->facts_at, mem, &sealed));
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("facts"), row->id, sealed, mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(tree_read_json(text, NULL, mem, t, NULL));
    return case_decode(t, tree_root(t), mem, ret, NULL);
}

/* The person a paper is about: its patient. Papers about several people (an accident record) have none. */
static view
subject_of(const struct claim_case *facts)
{
    for (const struct case_role *role = facts->roles; role; role = role->next)
        if (view_eq(role->role.v, V("patient")))
            return view_sub(role->party.v, 1, role->party.v.n);
    return VIEW_NONE;
}

static err
load_documents(struct gateway *g, struct reader *r, arena *mem, struct loaded_case *c)
{
    struct row_document *list = NULL;
    size_t n = 0;
    TRY(query_documents_of_case(r, ARGS(val_uid(&c->row->id)), mem, &list));
    for (const struct row_document *d = list; d; d = d->next)
        n++;
    c->documents = arena_make_array(mem, n + 1, struct loaded_document);
    if (!c->documents)
        return E_TOO_LARGE;
    for (const struct row_document *d = list; d; d = d->next) {
        if (!view_eq(d->state, V("current")))
            continue;
        struct loaded_document *out = &c->documents[c->n++];
        out->row = d;
        TRY(case_facts(g, r, d, mem, &out->facts));
    }
    return E_OK;
}

err
case_fold_loaded(struct gateway *g, struct reader *r, const struct row_claim *own, arena *mem,
                 struct loaded_case *c, struct fault *f)
{
    struct claim_case *frame = NULL;
    struct case_part *parts = arena_make_array(mem, c->n + 1, struct case_part);
    size_t n = 0;
    if (!parts)
        return E_TOO_LARGE;
    TRY(frame_make(g, r, c, own, mem, &frame));
    for (size_t i = 0; i < c->n; i++) {
        char id[ID_TEXT_SIZE];
        if (!c->documents[i].facts)
            continue;
        parts[n++] = (struct case_part){c->documents[i].facts,
                                        arena_dup(mem, doc_id_print((doc_id){c->documents[i].row->id}, id)),
                                        subject_of(c->documents[i].facts)};
    }
    return case_fold(frame, parts, n, mem, &c->folded, f);
}

err
case_load_rows(struct gateway *g, struct reader *r, uid id, arena *mem, struct loaded_case *ret,
               struct fault *f)
{
    struct loaded_case c = {0};
    TRY(follow(r, id, mem, &c.row, f));
    TRY(load_documents(g, r, mem, &c));
    *ret = c;
    return E_OK;
}

err
case_load(struct gateway *g, struct reader *r, uid id, arena *mem, struct loaded_case *ret, struct fault *f)
{
    TRY(case_load_rows(g, r, id, mem, ret, f));
    return case_fold_loaded(g, r, NULL, mem, ret, f);
}

err
case_show(struct gateway *g, case_id id, bool provenance, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct loaded_case c;
    struct buf out;
    TRY(store_reader(g->store, &r));
    TRY(case_load(g, r, id.u, mem, &c, f));
    TRY(case_check(c.folded, mem, NULL));
    buf_init(&out, 128u << 20);
    BUF_LIT(&out, "{\"case\":");
    err e = case_encode(c.folded, NULL, false, &out);
    if (e == E_OK && provenance) {
        BUF_LIT(&out, ",\"provenance\":");
        e = case_print_provenance(c.folded, &out);
    }
    BUF_LIT(&out, "}");
    *ret_json = e == E_OK && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_json->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

err
case_list(struct gateway *g, view limit, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_case *list = NULL;
    int64_t most = 50;
    uid last;
    char id[ID_TEXT_SIZE], when[32];
    memset(last.b, 0xFF, sizeof last.b);
    if (limit.n && (text_to_i64(limit, &most) != E_OK || most < 1 || most > 10000))
        return fault_set(f, E_PARAMETER, "limit", "1 to 10,000", "another value");
    TRY(store_reader(g->store, &r));
    TRY(query_cases_recent(r, ARGS(val_uid(&last), val_int(most)), mem, &list));
    struct buf out;
    buf_init(&out, 16u << 20);
    BUF_LIT(&out, "{\"data\":[");
    for (const struct row_case *c = list; c; c = c->next)
        buf_printf(&out, "%s{\"case\":\"%.*s\",\"version\":%lld,\"state\":\"%.*s\",\"updated_at\":\"%.*s\"}",
                   c == list ? "" : ",", VIEW_ARG(case_id_print((case_id){c->id}, id)), (long long)c->version,
                   VIEW_ARG(c->state), VIEW_ARG(instant_print(c->updated_at, when)));
    BUF_LIT(&out, "]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* Over HTTP a case is for the app that filed the person's application; insurers see only claims. */
err
case_filed_by(struct gateway *g, partner_id who, case_id id, arena *mem, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *list = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_documents_of_case(r, ARGS(val_uid(&id.u)), mem, &list));
    for (; list; list = list->next)
        if (uid_eq(list->sender, who.u) && view_eq(list->kind, view_of(document_kind_word(KIND_APPLICATION))))
            return E_OK;
    return fault_set(f, E_NOT_FOUND, "", "a case that you filed", "none");
}

err
case_fetch(struct gateway *g, partner_id who, case_id id, bool provenance, arena *mem, view *ret_json,
           struct fault *f)
{
    TRY(case_filed_by(g, who, id, mem, f));
    return case_show(g, id, provenance, mem, ret_json, f);
}

err
case_surviving(struct reader *r, uid id, arena *mem, uid *ret)
{
    for (int i = 0; i < 16; i++) {
        struct row_case *row = NULL;
        TRY(query_case_row(r, ARGS(val_uid(&id)), mem, &row));
        if (!row)
            return E_NOT_FOUND;
        if (uid_is_none(row->merged_into))
            break;
        id = row->merged_into;
    }
    *ret = id;
    return E_OK;
}
