#include "flow/case/claim.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/case/case_frame.h"
#include "flow/case/original.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/members.h"
#include "flow/partner/registry.h"
#include "flow/view/joint.h"
#include "signing/trust/authority.h"

err
claim_print(struct gateway *g, const struct row_claim *claim, enum lang lang, struct buf *out)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    const struct partner *to = registry_partner(registry, (partner_id){claim->recipient});
    enum claim_state state = claim_state_of(claim->state);
    const struct state_row *row = claim_state_info(state);
    char id[ID_TEXT_SIZE], when[32], due[32];
    buf_printf(out,
               "{\"id\":\"%.*s\",\"state\":\"%.*s\",\"label\":\"%s\",\"acting\":\"%.*s\",\"version\":%lld,"
               "\"line\":\"%.*s\"",
               VIEW_ARG(claim_id_print((claim_id){claim->id}, id)), VIEW_ARG(claim->state),
               row->public_word[lang], VIEW_ARG(claim->acting), (long long)claim->version,
               VIEW_ARG(claim->line));
    buf_printf(out, ",\"recipient\":{\"code\":\"%.*s\",\"name\":", VIEW_ARG(to ? to->row->code : V("")));
    buf_add_json(out, !to                                     ? V("")
                      : lang == LANG_EN && to->row->name_en.n ? to->row->name_en
                                                              : to->row->name_zh);
    buf_printf(out, "},\"since\":\"%.*s\"", VIEW_ARG(instant_print(claim->since, when)));
    if (claim->due.us)
        buf_printf(out, ",\"due\":\"%.*s\"", VIEW_ARG(instant_print(claim->due, due)));
    BUF_LIT(out, "}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

void
claim_guard(struct unit *u, const struct row_claim *claim)
{
    unit_guard(u, GUARD_claim_version, ARGS(val_uid(&claim->id), val_int(claim->version)));
    unit_guard(u, GUARD_claim_in_case, ARGS(val_uid(&claim->id), val_uid(&claim->case_id)));
}

/* -- the insurer's word -- */

struct told {
    struct gateway *g;
    const struct insurer_word *w;
    arena *mem;
    struct fault *f;
    struct reader *r;
    struct row_claim *claim;
    json_t *json;
    digest idempotency, fingerprint;
    view answer;
};

static err
find_claim(struct told *t)
{
    TRY(query_claim(t->r, ARGS(val_uid(&t->w->claim.u)), t->mem, &t->claim));
    if (!t->claim ||
        (!uid_eq(t->claim->recipient, t->w->insurer.u) && !uid_eq(t->claim->through, t->w->insurer.u)))
        return fault_set(t->f, E_NOT_FOUND, "", "a claim of yours", "none");
    return E_OK;
}

static err
check_version(struct told *t)
{
    view want = arena_printf(t->mem, "\"%lld\"", (long long)t->claim->version);
    if (view_eq(t->w->if_match, want))
        return E_OK;
    return fault_set(t->f, E_VERSION_CONFLICT, "If-Match", "the ETag of the present version", "another");
}

/* Answered before: the same bytes again, or another request under the same key. */
static err
find_replay(struct told *t, bool *ret_replayed)
{
    const struct insurer_word *w = t->w;
    char claim[ID_TEXT_SIZE], insurer[ID_TEXT_SIZE];
    t->idempotency = BLIND(t->g->seal, "idempotency", partner_id_print(w->insurer, insurer), w->client,
                           w->is_decision ? V("decision") : V("status"), w->idempotency_key);
    view parts[] = {claim_id_print(w->claim, claim), w->body};
    t->fingerprint = sha256_parts(parts, COUNT_OF(parts));
    struct row_idempotency *row = NULL;
    struct data_key key;
    uid place;
    TRY(query_idempotency(t->r, ARGS(val_digest(&t->idempotency)), t->mem, &row));
    if (!row)
        return E_OK;
    if (!digest_eq(&row->fingerprint, &t->fingerprint))
        return fault_set(t->f, E_IDEMPOTENCY_REUSED, "Idempotency-Key", "a new key for a new request",
                         "a used one");
    memcpy(place.b, row->id.b, sizeof place.b);
    TRY(seal_load_key(t->g->seal, t->r, row->key, t->mem, &key));
    err e = seal_unbox(&key, V("idempotency"), place, row->body, t->mem, &t->answer);
    data_key_forget(&key);
    *ret_replayed = e == E_OK;
    return e;
}

/* Decisions, amounts and allocations are signed by the insurer (THREATS S15). */
static err
check_signature(struct told *t)
{
    const struct insurer_word *w = t->w;
    if (!w->jws_header.n)
        return fault_set(t->f, E_DECISION_UNSIGNED, "X-JWS-Signature", "a detached JWS over the body",
                         "none");
    AUTO(registry_unref) struct registry *registry = gateway_registry(t->g);
    AUTO(trust_unref) struct trust *trust = gateway_trust(t->g);
    struct key_source keys = registry_key_source(registry);
    struct tree *tree = arena_make(t->mem, struct tree);
    struct verdict *verdict = NULL;
    if (!tree)
        return E_TOO_LARGE;
    TRY(tree_read_json(w->body, NULL, t->mem, tree, t->f));
    const struct signature_in in = {SIG_JWS, w->jws_header, VIEW_NONE};
    const struct verify_request rq = {.body = w->body,
                                      .tree = tree,
                                      .signatures = &in,
                                      .n_signatures = 1,
                                      .trust = trust,
                                      .keys = &keys,
                                      .now = w->at,
                                      .mem = t->mem};
    TRY(verify_document(&rq, &verdict));
    const struct signature_out *sig = verdict_signatures(verdict) ? verdict_signature(verdict, 0) : NULL;
    if (verdict_code(verdict) != E_OK) {
        if (sig && t->f && t->f->code == E_OK)
            *t->f = sig->fault;
        return fault_set(t->f, verdict_code(verdict), "X-JWS-Signature", "a signature that holds",
                         "another outcome");
    }
    const struct partner *p = registry_partner(registry, w->insurer);
    if (!p || !view_eq(sig->signer.registered_partner, p->text))
        return fault_set(t->f, E_SIGNER_WRONG_ORG, "X-JWS-Signature", "the insurer's own key", "another's");
    return authority_check(trust_authority(trust), &sig->signer, KIND_DECISION, p->row->code, false, w->at,
                           t->f);
}

static const char *const decided[] = {
    "approved", "partially_approved", "declined", "guaranteed", "interim_approved", "paid", "offset"};

static err
read_word(struct told *t, view *ret_event)
{
    static const char *const status[] = {"s:state", "s:reason", "s:due", NULL};
    static const char *const decision[] = {"s:outcome", "o:amount", "s:benefit", "s:reason", "s:due", NULL};
    TRY(json_load(t->w->body, t->mem, &t->json, t->f));
    TRY(members_only(t->json, t->w->is_decision ? decision : status, t->f));
    view event = json_text(t->json, t->w->is_decision ? "outcome" : "state");
    bool is_decided = false;
    for (size_t i = 0; i < COUNT_OF(decided); i++)
        is_decided = is_decided || view_eq(event, view_of(decided[i]));
    if (!event.n)
        return fault_set(t->f, E_SCHEMA, t->w->is_decision ? "/outcome" : "/state",
                         "the state that the claim goes to", "none");
    if (is_decided && !t->w->is_decision)
        return fault_set(t->f, E_DECISION_UNSIGNED, "/state", "a signed decision for this state", "a status");
    if (!is_decided && t->w->is_decision)
        return fault_set(t->f, E_SCHEMA, "/outcome", "an outcome of a decision", "another word");
    *ret_event = event;
    return E_OK;
}

err
claim_decision_open(struct gateway *g, struct reader *r, const struct row_decision *row, arena *mem,
                    json_t **ret_body)
{
    struct data_key key;
    view text;
    json_t *json = NULL;
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("decision"), row->id, row->body, mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(json_load(text, mem, &json, NULL));
    *ret_body = json_object_get(json, "body");
    return E_OK;
}

err
claim_last_decision(struct gateway *g, struct reader *r, uid claim, arena *mem,
                    const struct row_decision **ret, json_t **ret_body)
{
    struct row_decision *list = NULL;
    *ret = NULL;
    *ret_body = NULL;
    TRY(query_decisions_of(r, ARGS(val_uid(&claim)), mem, &list));
    for (; list; list = list->next)
        if (view_eq(list->kind, V("decision")))
            *ret = list;
    return *ret ? claim_decision_open(g, r, *ret, mem, ret_body) : E_OK;
}

/* The fund pays upon the victim's assignment (管理辦法 6), which stands in the item that he signed. */
static err
check_assignment(struct told *t, view event)
{
    static const char *const pays[] = {"approved", "partially_approved", "interim_approved", "paying",
                                       "paid"};
    bool is_payment = false;
    view words, detail;
    json_t *json = NULL;
    for (size_t i = 0; i < COUNT_OF(pays); i++)
        is_payment = is_payment || view_eq(event, view_of(pays[i]));
    if (!is_payment || !view_eq(t->claim->line, V("fund")))
        return E_OK;
    TRY(claim_benefits(t->g, t->r, t->claim, t->mem, &words, &detail));
    if (detail.n)
        TRY(json_load(detail, t->mem, &json, t->f));
    const json_t *fund = json_member(json_member(json, "detail"), "fund");
    return json_bool(fund, "assignment", false)
               ? E_OK
               : fault_set(t->f, E_FUND_PAPERS, "/outcome", "an application with the assignment of rights",
                           "none");
}

/* Of several benefits the one that the decision is on. */
static err
check_benefit(struct told *t)
{
    view said = json_text(t->json, "benefit"), words, detail;
    if (!said.n)
        return E_OK;
    TRY(claim_benefits(t->g, t->r, t->claim, t->mem, &words, &detail));
    while (words.n)
        if (view_eq(view_cut(&words, ' ', NULL), said))
            return E_OK;
    return fault_set(t->f, E_SCHEMA, "/benefit", "a benefit of the claim", "another word");
}

static err
add_rows(struct told *t, struct unit *u, view event)
{
    const struct insurer_word *w = t->w;
    struct row_decision *row = unit_add_decision(u);
    struct data_key key;
    digest leaf;
    if (!row)
        return E_TOO_LARGE;
    TRY(seal_new_key(t->g->seal, u, "decision", &key));
    row->id = uid_new();
    row->claim = t->claim->id;
    row->by = w->insurer.u;
    row->kind = w->is_decision ? V("decision") : V("status");
    row->at = w->at;
    row->key = key.id;
    view body = arena_printf(t->mem, "{\"body\":%.*s,\"signature\":\"%.*s\"}", VIEW_ARG(w->body),
                             VIEW_ARG(w->jws_header));
    TRY(seal_box(&key, V("decision"), row->id, body, t->mem, &row->body));
    TRY(claim_move(u, t->claim, event, "insurer", w->insurer.u, (uid){{0}}, w->at, t->f));
    view due = json_text(t->json, "due");
    if (due.n && instant_parse(due, &((struct row_claim *)u->last_row[ROW_claim])->due, NULL) != E_OK)
        return fault_set(t->f, E_SCHEMA, "/due", "an RFC 3339 time", "another form");
    const digest parts[] = {sha256(w->body), sha256(event)};
    TRY(evidence_leaf(u, w->is_decision ? "decision" : "status", row->id, parts, COUNT_OF(parts), w->at,
                      &leaf));
    submission_id id = {row->id};
    TRY(evidence_receipt(t->g, id, &parts[0], &parts[1], w->insurer, w->at, &leaf, t->mem, &row->receipt));
    struct buf out;
    buf_init(&out, 65536);
    BUF_LIT(&out, "{\"claim\":");
    err e = claim_print(t->g, t->claim, LANG_EN, &out);
    buf_printf(&out, ",\"receipt\":\"%.*s\"}", VIEW_ARG(row->receipt));
    t->answer = arena_dup(t->mem, buf_view(&out));
    buf_done(&out);
    TRY(e);
    struct row_idempotency *once = unit_add_idempotency(u);
    if (!once || !t->answer.p)
        return E_TOO_LARGE;
    uid place;
    memcpy(place.b, t->idempotency.b, sizeof place.b);
    *once = (struct row_idempotency){
        .id = t->idempotency, .fingerprint = t->fingerprint, .status = 200, .key = key.id, .at = w->at};
    e = seal_box(&key, V("idempotency"), place, t->answer, t->mem, &once->body);
    data_key_forget(&key);
    return e;
}

static err
tell(struct told *t, bool *ret_replayed)
{
    view event;
    TRY(find_claim(t));
    TRY(find_replay(t, ret_replayed));
    if (*ret_replayed)
        return E_OK;
    TRY(read_word(t, &event));
    TRY(check_assignment(t, event));
    TRY(check_benefit(t));
    TRY(original_check(t->g, t->r, t->claim, event, t->json, t->mem, t->f));
    if (t->w->is_decision)
        TRY(check_signature(t));
    TRY(check_version(t));
    const struct joint_decision joint = {t->w->insurer, t->claim, event, t->json, t->w->at};
    if (t->w->is_decision)
        TRY(joint_check(t->g, &joint, t->mem, t->f));
    struct unit u;
    unit_init(&u, t->mem);
    claim_guard(&u, t->claim);
    TRY(add_rows(t, &u, event));
    err e = store_commit(t->g->store, &u);
    if (e == E_VERSION_CONFLICT)
        return fault_set(t->f, e, "If-Match", "the present version", "an older one");
    return e;
}

err
claim_told(struct gateway *g, const struct insurer_word *w, arena *mem, view *ret_json, view *ret_etag,
           bool *ret_replayed, struct fault *f)
{
    err e = E_STALE;
    bool replayed = false;
    struct told t = {0};
    for (int i = 0; i < 8 && e == E_STALE; i++) {
        AUTO(reader_done) struct reader *r = NULL;
        TRY(store_reader(g->store, &r));
        t = (struct told){.g = g, .w = w, .mem = mem, .f = f, .r = r};
        e = tell(&t, &replayed);
    }
    TRY(e);
    *ret_json = t.answer;
    *ret_etag = arena_printf(mem, "\"%lld\"", (long long)t.claim->version);
    *ret_replayed = replayed;
    return E_OK;
}
