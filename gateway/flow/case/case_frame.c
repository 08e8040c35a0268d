#include "flow/case/case_frame.h"

#include "base/buf.h"
#include "base/json.h"
#include "flow/evidence/seal.h"
#include "flow/partner/registry.h"

static struct source
own(void)
{
    return source_gateway(HOW_COMPUTED);
}

static view
keep(arena *mem, view v)
{
    return arena_dup(mem, v);
}

err
claim_benefits(struct gateway *g, struct reader *r, const struct row_claim *claim, arena *mem,
               view *ret_words, view *ret_detail)
{
    struct data_key key;
    view text;
    json_t *json = NULL;
    size_t i;
    json_t *item;
    struct buf words;
    *ret_words = V("");
    *ret_detail = V("");
    if (!claim->detail.n)
        return E_OK;
    TRY(seal_load_key(g->seal, r, claim->key, mem, &key));
    err e = seal_unbox(&key, V("claim"), claim->id, claim->detail, mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(json_load(text, mem, &json, NULL));
    buf_init(&words, 4096);
    json_array_foreach(json_object_get(json_object_get(json, "detail"), "benefits"), i, item)
    {
        view word = json_is_object(item) ? json_text(item, "kind") : view_of(json_string_value(item));
        if (words.n)
            BUF_LIT(&words, " ");
        buf_add_view(&words, word);
    }
    *ret_words = words.n ? arena_dup(mem, buf_view(&words)) : V("");
    *ret_detail = text;
    buf_done(&words);
    return E_OK;
}

static err
add_meta(struct claim_case *frame, const struct loaded_case *c, arena *mem)
{
    const struct row_case *row = c->row;
    view first = c->n ? c->documents[0].row->kind : VIEW_NONE;
    struct case_meta *meta = case_make_meta(mem, frame);
    char id[ID_TEXT_SIZE];
    if (!meta)
        return E_TOO_LARGE;
    leaf_set_text(&meta->id, keep(mem, case_id_print((case_id){row->id}, id)), own());
    leaf_set_int(&meta->version, row->version, own());
    leaf_set_text(&meta->schema, V("1.0.0"), own());
    leaf_set_time(&meta->created_at, row->created_at, 0, own());
    leaf_set_time(&meta->updated_at, row->updated_at, 0, own());
    leaf_set_text(&meta->origin,
                  view_eq(first, view_of(document_kind_word(KIND_ACCIDENT_PART))) ? V("police_push")
                  : view_eq(first, view_of(document_kind_word(KIND_APPLICATION))) ? V("application")
                                                                                  : V("hospital_push"),
                  own());
    return E_OK;
}

static err
add_document(struct claim_case *frame, const struct row_document *row, arena *mem)
{
    struct case_document *d = case_add_documents(mem, frame);
    struct case_verdict *v = case_add_verdicts(mem, frame);
    char id[ID_TEXT_SIZE], sender[ID_TEXT_SIZE];
    if (!d || !v)
        return E_TOO_LARGE;
    leaf_set_text(&d->document_id, keep(mem, doc_id_print((doc_id){row->id}, id)), own());
    leaf_set_text(&d->kind, row->kind, own());
    leaf_set_text(&d->media, row->media, own());
    leaf_set_text(&d->sha256, V("sealed"),
                  own()); /* low-entropy papers can be guessed from a digest (THREATS S24) */
    leaf_set_int(&d->bytes, row->bytes, own());
    leaf_set_time(&d->received_at, row->received_at, 0, own());
    leaf_set_text(&d->sender, keep(mem, partner_id_print((partner_id){row->sender}, sender)), own());
    if (!case_ref(mem, &d->verdict, v->id, own()) || !case_ref(mem, &v->document, d->id, own()))
        return E_TOO_LARGE;
    leaf_set_text(&v->level, view_of(evidence_level_word((enum evidence_level)row->level)), own());
    return E_OK;
}

/* The insurer as a party: by its 統一編號, so that a hospital's naming of it meets this one. */
static err
add_recipient(struct claim_case *frame, const struct partner *p, arena *mem, view *ret_id)
{
    struct case_party *party = case_add_parties(mem, frame);
    struct case_organisation *o = party ? case_make_party_organisation(mem, party) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    bool is_fund = view_eq(p->row->kind, V("fund"));
    leaf_set_text(&party->kind, V("organisation"), own());
    leaf_set_text(&o->name, keep(mem, p->row->name_zh.n ? p->row->name_zh : p->row->code), own());
    leaf_set_text(&o->kind, is_fund ? V("fund") : V("insurer"), own());
    leaf_set_text(&id->type, is_fund ? V("fund") : V("ubn"), own());
    leaf_set_text(&id->value, keep(mem, p->row->code), own());
    *ret_id = party->id;
    return E_OK;
}

static err
add_claim(struct gateway *g, struct reader *r, struct claim_case *frame, const struct row_claim *row,
          const struct partner *p, arena *mem)
{
    struct case_claim *c = case_add_claims(mem, frame);
    view recipient, words, detail;
    if (!c)
        return E_TOO_LARGE;
    TRY(add_recipient(frame, p, mem, &recipient));
    if (!case_ref(mem, &c->recipient, recipient, own()))
        return E_TOO_LARGE;
    leaf_set_text(&c->line, row->line, own());
    leaf_set_text(&c->state, row->state, own());
    TRY(claim_benefits(g, r, row, mem, &words, &detail));
    while (words.n) {
        struct case_benefit *b = case_add_claim_benefits(mem, c);
        if (!b)
            return E_TOO_LARGE;
        leaf_set_text(&b->kind, view_cut(&words, ' ', NULL), own());
    }
    return E_OK;
}

err
frame_make(struct gateway *g, struct reader *r, const struct loaded_case *c,
           const struct row_claim *own_claim, arena *mem, struct claim_case **ret)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct claim_case *frame = case_new(mem);
    struct row_claim *claims = NULL;
    if (!frame)
        return E_TOO_LARGE;
    TRY(add_meta(frame, c, mem));
    for (size_t i = 0; i < c->n; i++)
        TRY(add_document(frame, c->documents[i].row, mem));
    TRY(query_claims_of_case(r, ARGS(val_uid(&c->row->id)), mem, &claims));
    for (; claims; claims = claims->next) {
        const struct partner *p = registry_partner(registry, (partner_id){claims->recipient});
        if (p && (!own_claim || uid_eq(own_claim->id, claims->id)))
            TRY(add_claim(g, r, frame, claims, p, mem));
    }
    *ret = frame;
    return E_OK;
}
