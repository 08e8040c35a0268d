#include "flow/case/case_frame.h"

#include "adapters/claimlink/ledger.h"
#include "base/buf.h"
#include "base/json.h"
#include "flow/case/original.h"
#include "flow/case/paid.h"
#include "flow/evidence/seal.h"
#include "flow/lookup/lookup.h"
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
    view sealed, text;
    json_t *json = NULL;
    size_t i;
    json_t *item;
    struct buf words;
    *ret_words = V("");
    *ret_detail = V("");
    if (!claim->detail_at.length)
        return E_OK;
    TRY(store_body(g->store, &claim->detail_at, mem, &sealed));
    TRY(seal_load_key(g->seal, r, claim->key, mem, &key));
    err e = seal_unbox(&key, V("claim"), claim->id, sealed, mem, &text);
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
                  view_eq(first, view_of(document_kind_word(KIND_ACCIDENT_PART)))  ? V("police_push")
                  : view_eq(first, view_of(document_kind_word(KIND_APPLICATION)))  ? V("application")
                  : view_eq(first, view_of(document_kind_word(KIND_MOTOR_FILING))) ? V("motor_filing")
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
    if (row->level == LEVEL_UNSIGNED)
        leaf_set_bool(&d->unsigned_, true, own());
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

/* The vehicle of a claim that a motor filing opened; meets the papers' by its plate. */
static err
add_vehicle(struct claim_case *frame, view plate, arena *mem, view *ret_id)
{
    struct case_vehicle *v = frame->vehicles;
    while (v && !view_eq(v->plate.v, plate))
        v = v->next;
    if (!v) {
        v = case_add_vehicles(mem, frame);
        if (!v)
            return E_TOO_LARGE;
        leaf_set_text(&v->plate, plate, own());
    }
    *ret_id = v->id;
    return E_OK;
}

/* What such a claim is on: the vehicle, and the policy that the owner named. */
static err
add_motor(struct claim_case *frame, struct case_claim *c, view detail, arena *mem)
{
    json_t *json = NULL;
    view vehicle;
    if (!detail.n)
        return E_OK;
    TRY(json_load(detail, mem, &json, NULL));
    const json_t *said = json_member(json, "detail");
    view plate = json_text(said, "vehicle"), policy = json_text(json_member(said, "coverage"), "policy_no");
    if (!plate.n)
        return E_OK;
    TRY(add_vehicle(frame, plate, mem, &vehicle));
    if (!case_ref(mem, &c->for_, vehicle, own()))
        return E_TOO_LARGE;
    if (!policy.n)
        return E_OK;
    struct case_coverage *coverage = case_add_coverages(mem, frame);
    struct case_item *item = coverage ? case_add_claim_coverages(mem, c) : NULL;
    if (!item || !case_ref(mem, &item->text, coverage->id, own()) ||
        !case_ref(mem, &coverage->vehicle, vehicle, own()))
        return E_TOO_LARGE;
    coverage->insurer = c->recipient;
    leaf_set_text(&coverage->line, c->line.v, own());
    leaf_set_text(&coverage->policy_no, policy, own());
    leaf_set_text(&coverage->contract_regime, V("n/a"), own());
    leaf_set_text(&coverage->source, V("person"), own());
    return E_OK;
}

/* What the person said of a claim to the fund: its ground, and the assignment in the application itself. */
static err
add_fund(struct claim_case *frame, struct case_claim *c, const struct row_claim *row, view detail, arena *mem)
{
    json_t *json = NULL;
    char id[ID_TEXT_SIZE];
    if (!detail.n || !view_eq(row->line, V("fund")))
        return E_OK;
    TRY(json_load(detail, mem, &json, NULL));
    const json_t *said = json_member(json_member(json, "detail"), "fund");
    struct case_fund *fund = json_text(said, "ground").n ? case_make_claim_fund(mem, c) : NULL;
    if (!fund)
        return E_OK;
    leaf_set_text(&fund->ground, json_text(said, "ground"), own());
    leaf_set_bool(&fund->nhi_excluded, true, own());
    view document = doc_id_print((doc_id){row->application}, id);
    for (const struct case_document *d = frame->documents; d && json_bool(said, "assignment", false);
         d = d->next)
        if (view_eq(d->document_id.v, document) && !case_ref(mem, &fund->assignment, d->id, own()))
            return E_TOO_LARGE;
    return E_OK;
}

/* An organisation as a party, by the code that a paper's naming of it meets.  p: what the registry knows of it; NULL: nothing, so the code has to do for a name. */
static err
add_named(struct claim_case *frame, const struct partner *p, view code, view kind, view type, arena *mem,
          view *ret_id)
{
    view zh = p ? p->row->name_zh : VIEW_NONE, en = p ? p->row->name_en : VIEW_NONE;
    struct case_party *party = case_add_parties(mem, frame);
    struct case_organisation *o = party ? case_make_party_organisation(mem, party) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    leaf_set_text(&party->kind, V("organisation"), own());
    leaf_set_text(&o->name, keep(mem, zh.n ? zh : code), own());
    if (en.n)
        leaf_set_text(&o->name_en, keep(mem, en), own());
    leaf_set_text(&o->kind, kind, own());
    leaf_set_text(&id->type, type, own());
    leaf_set_text(&id->value, keep(mem, code), own());
    *ret_id = party->id;
    return E_OK;
}

static err
add_recipient(struct claim_case *frame, const struct partner *p, arena *mem, view *ret_id)
{
    static const struct {
        const char *kind, *number;
    } kinds[] = {{"fund", "fund"}, {"nhia", "agency_oid"}, {"insurer", "ubn"}};
    size_t i = 0;
    while (i + 1 < COUNT_OF(kinds) && !view_eq(p->row->kind, view_of(kinds[i].kind)))
        i++;
    return add_named(frame, p, p->row->code, view_of(kinds[i].kind), view_of(kinds[i].number), mem, ret_id);
}

static err
add_claim(struct gateway *g, struct reader *r, struct claim_case *frame, const struct row_claim *row,
          const struct row_claim *all, const struct partner *p, arena *mem)
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
    view role = original_role(detail, mem);
    if (role.n)
        leaf_set_text(&c->relay_role, keep(mem, role), own());
    TRY(add_fund(frame, c, row, detail, mem));
    TRY(paid_add(g, r, row, all, c, mem));
    return add_motor(frame, c, detail, mem);
}

static view
party_of_code(const struct claim_case *frame, view code)
{
    for (const struct case_party *p = frame->parties; p; p = p->next)
        if (p->organisation && view_eq(p->organisation->identifiers->value.v, code))
            return p->id;
    return VIEW_NONE;
}

/* Organisations that a paper names by code alone: the registry says what they are called. */
static err
add_names(struct claim_case *frame, const struct claim_case *facts, const struct registry *registry,
          arena *mem)
{
    for (const struct case_party *p = facts ? facts->parties : NULL; p; p = p->next) {
        const struct case_organisation *o = p->organisation;
        if (!o || o->name.v.n || !o->identifiers || party_of_code(frame, o->identifiers->value.v).n)
            continue;
        view code = o->identifiers->value.v, id;
        TRY(add_named(frame, registry_by_code(registry, V(""), code), code, o->kind.v, o->identifiers->type.v,
                      mem, &id));
    }
    return E_OK;
}

/* How each repair stands: what no paper says, but all of them together. */
static err
add_repairs(struct claim_case *frame, const struct loaded_case *c, arena *mem)
{
    struct ledger ledger;
    ledger_init(&ledger, mem);
    for (size_t i = 0; i < c->n; i++)
        TRY(ledger_add(&ledger, c->documents[i].facts));
    for (const struct repair_order *o = ledger.orders; o; o = o->next) {
        view shop = party_of_code(frame, o->shop), vehicle;
        struct case_repair *r = shop.n ? case_add_repairs(mem, frame) : NULL;
        if (!shop.n)
            continue;
        TRY(add_vehicle(frame, o->plate, mem, &vehicle));
        if (!r || !case_ref(mem, &r->shop, shop, own()) || !case_ref(mem, &r->vehicle, vehicle, own()))
            return E_TOO_LARGE;
        leaf_set_text(&r->state, view_of(order_state(o)), own());
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
    const struct row_claim *all;
    if (!frame)
        return E_TOO_LARGE;
    TRY(add_meta(frame, c, mem));
    for (size_t i = 0; i < c->n; i++)
        TRY(add_document(frame, c->documents[i].row, mem));
    TRY(query_claims_of_case(r, ARGS(val_uid(&c->row->id)), mem, &claims));
    for (all = claims; claims; claims = claims->next) {
        const struct partner *p = registry_partner(registry, (partner_id){claims->recipient});
        if (p && (!own_claim || uid_eq(own_claim->id, claims->id)))
            TRY(add_claim(g, r, frame, claims, all, p, mem));
    }
    for (size_t i = 0; i < c->n; i++)
        TRY(add_names(frame, c->documents[i].facts, registry, mem));
    TRY(add_repairs(frame, c, mem));
    TRY(lookup_frame(g, r, c, mem, frame));
    *ret = frame;
    return E_OK;
}
