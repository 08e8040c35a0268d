#include "flow/person/application_inside.h"

#include "base/buf.h"
#include "base/text.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/motor/motor.h"
#include "flow/person/account.h"
#include "flow/person/alert.h"
#include "flow/person/consent_text.h"
#include "flow/person/heirs.h"
#include "flow/person/own_cali.h"
#include "flow/person/representation.h"
#include "flow/task/task.h"

/* One unit in the making. */
struct store_work {
    struct filing *w;
    struct reader *r;
    struct unit *u;
    struct joined found;
    case_id in_case;
    int64_t version;
    doc_id document;
    struct data_key key;
    struct row_claim *claims;           /* of all cases that are joined */
    struct row_permission *permissions; /* made now */
    struct row_document *documents;     /* of all cases that are joined */
    view track_code;
};

/* Fetches a list from the target and from every case merged into it. */
static err
load_case(struct store_work *s, const struct row_case *row)
{
    struct row_claim *claims = NULL, **claim_end = &s->claims;
    struct row_document *documents = NULL, **document_end = &s->documents;
    TRY(query_claims_of_case(s->r, ARGS(val_uid(&row->id)), s->w->mem, &claims));
    TRY(query_documents_of_case(s->r, ARGS(val_uid(&row->id)), s->w->mem, &documents));
    while (*claim_end)
        claim_end = &(*claim_end)->next;
    while (*document_end)
        document_end = &(*document_end)->next;
    *claim_end = claims;
    *document_end = documents;
    return E_OK;
}

static err
find_case(struct store_work *s)
{
    struct filing *w = s->w;
    struct join j = {.n = 0};
    const struct applied_person *subject = application_subject(&w->a);
    for (const struct person_key *k = subject->keys; k; k = k->next) {
        TRY(join_add(&j, blind_person(w->g->seal, k->text), "person", false));
        for (const struct doc_ref *ref = w->a.refs; ref; ref = ref->next)
            TRY(join_add(&j, blind_ref(w->g->seal, ref->author, ref->kind, ref->value, k->text), "ref",
                         true));
    }
    char sender[ID_TEXT_SIZE];
    TRY(join_add(&j, BLIND(w->g->seal, "application", partner_id_print(w->in->sender, sender), w->a.id),
                 "application", true));
    TRY(join_find(s->r, &j, w->mem, &s->found));
    if (w->permissions_only && !s->found.target)
        return fault_set(w->f, E_NOT_FOUND, "/items/common/references", "a case that these references find",
                         "none");
    if (s->found.target)
        TRY(load_case(s, s->found.target));
    for (size_t i = 0; i < s->found.n_merged; i++)
        TRY(load_case(s, s->found.merged[i]));
    TRY(own_cali_check(w, s->r, s->documents));
    TRY(heirs_check_application(w, s->r, s->documents));
    return join_write(s->u, &j, &s->found, w->in->received, &s->in_case, &s->version);
}

/* "presentations":[…]: what was verified, and for the gateway's own keeping what the holder signed. */
static void
print_presented(const struct filing *w, bool with_evidence, struct buf *out)
{
    BUF_LIT(out, "\"presentations\":[");
    for (size_t i = 0; i < w->n_presented; i++) {
        buf_printf(out, "%s{\"about\":%.*s", i ? "," : "", VIEW_ARG(w->presented[i].about));
        if (with_evidence) {
            BUF_LIT(out, ",\"evidence\":");
            buf_add_json(out, w->presented[i].evidence);
        }
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
}

/* The person's certificate and what its status rested on, to judge it anew. */
static err
add_evidence(struct store_work *s, struct row_verdict *verdict)
{
    struct filing *w = s->w;
    struct buf out;
    view sealed;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{");
    if (w->n_signed)
        sureness_print_certificates(w->trust, w->signed_by[0].verdict, w->mem, &out);
    if (w->n_signed && w->n_presented)
        BUF_LIT(&out, ",");
    if (w->n_presented)
        print_presented(w, true, &out);
    BUF_LIT(&out, "}");
    err e = out.failed ? E_TOO_LARGE
                       : seal_box(&s->key, V("evidence"), verdict->id, buf_view(&out), w->mem, &sealed);
    buf_done(&out);
    if (e == E_OK)
        unit_body(s->u, sealed, &verdict->evidence_at);
    return e;
}

static err
add_document(struct store_work *s)
{
    struct filing *w = s->w;
    struct row_document *row = unit_add_document(s->u);
    struct row_verdict *verdict = unit_add_verdict(s->u);
    struct row_case_document *link = unit_add_case_document(s->u);
    view body;
    if (!row || !verdict || !link)
        return E_TOO_LARGE;
    s->document = doc_id_new();
    row->id = s->document.u;
    row->kind = view_of(document_kind_word(w->permissions_only ? KIND_PERMISSION : KIND_APPLICATION));
    row->profile = V("claimgate-application-1");
    row->sender = w->in->sender.u;
    row->body = w->body_blind;
    row->media = V("json");
    row->bytes = (int64_t)w->in->body.n;
    row->key = s->key.id;
    row->received_at = w->in->received;
    row->state = V("current");
    row->level = w->paper_level;
    TRY(seal_box(&s->key, V("body"), row->id, w->in->body, w->mem, &body));
    unit_body(s->u, body, &row->body_at);
    verdict->id = uid_new();
    verdict->document = row->id;
    verdict->digest = w->verdict_digest;
    verdict->level = row->level;
    verdict->code = V("ok");
    verdict->at = w->in->received;
    verdict->key = s->key.id;
    TRY(seal_box(&s->key, V("verdict"), verdict->id, w->verdict_text, w->mem, &verdict->verdict));
    TRY(add_evidence(s, verdict));
    if (w->n_signed)
        TRY(sureness_add_signers(w->g, s->u, w->signed_by[0].verdict, row->id, w->in->received));
    for (size_t i = 0; i < w->n_presented; i++)
        TRY(presented_spend(s->u, &w->presented[i]));
    *link = (struct row_case_document){
        .case_id = s->in_case.u, .document = row->id, .facts_version = 0, .at = w->in->received};
    return timeline_add(s->u, s->in_case.u, (uid){{0}}, "person", (uid){{0}},
                        w->permissions_only ? "permission.given" : "application.received", VIEW_NONE, row->id,
                        w->in->received);
}

static const struct partner *
recipient_of(const struct filing *w, view code)
{
    const struct partner *p = registry_by_code(w->registry, V("insurer"), code);
    return p ? p : registry_by_code(w->registry, V("fund"), code);
}

/* What a holder of records may see of a mandate: the signed list and this item of it. */
static err
mandate_detail(struct filing *w, const struct applied_insurer *m, struct buf *out)
{
    BUF_LIT(out, ",\"signature\":");
    buf_add_json(out, w->a.signature.p ? w->a.signature : V(""));
    BUF_LIT(out, ",\"co_signatures\":[");
    for (size_t k = 0; k < w->a.n_co_signatures; k++) {
        if (k)
            BUF_LIT(out, ",");
        buf_add_json(out, w->a.co_signatures[k]);
    }
    BUF_LIT(out, "],\"item\":");
    buf_add_json(out, m->item);
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
permission_detail(struct filing *w, const struct applied_insurer *i, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1u << 20);
    buf_printf(&out, "{\"text\":{\"id\":\"%.*s\",\"version\":\"%.*s\",\"lang\":\"%.*s\",\"sha256\":\"%.*s\"}",
               VIEW_ARG(i->text_id), VIEW_ARG(i->text_version), VIEW_ARG(i->text_lang),
               VIEW_ARG(i->text_sha256));
    if (i->is_mandate)
        TRY(mandate_detail(w, i, &out));
    BUF_LIT(&out, "}");
    *ret = out.failed ? VIEW_NONE : arena_dup(w->mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
add_permission(struct store_work *s, const struct applied_insurer *i, uid recipient,
               struct row_permission **ret)
{
    struct filing *w = s->w;
    struct row_permission *row = unit_add_permission(s->u);
    view detail;
    if (!row)
        return E_TOO_LARGE;
    row->id = perm_id_new().u;
    row->case_id = s->in_case.u;
    row->subject = w->subject_blind;
    row->recipient = recipient;
    row->kind = view_of(permission_kind_word(i->is_mandate                          ? PERMISSION_MANDATE
                                             : consent_text_is_contract(i->text_id) ? PERMISSION_CONTRACT
                                                                                    : PERMISSION_CONSENT));
    row->basis = i->text_id;
    row->purpose = i->purpose;
    row->kinds = i->document_kinds;
    row->valid_from = i->from;
    row->valid_to = i->to;
    row->uses_left = i->uses;
    row->level = view_of(consent_evidence_word(w->level));
    row->document = s->document.u;
    row->item = i->index;
    row->by = w->by;
    row->waits = w->waits ? V("representation") : V("");
    row->key = s->key.id;
    TRY(permission_detail(w, i, &detail));
    TRY(seal_box(&s->key, V("permission"), row->id, detail, w->mem, &row->detail));
    *ret = row;
    return E_OK;
}

/* {"item":"…","payee":"<JWE>", "application":{…}} is what this insurer may later read: its own item, the signed list, its payee. */
static err
claim_detail(struct store_work *s, const struct applied_insurer *i, uid claim, view *ret)
{
    struct filing *w = s->w;
    struct buf out;
    view payee;
    TRY(payee_seal(recipient_of(w, i->recipient), i->payee_jwe, i->payee_plain, w->in->received, w->mem,
                   &payee));
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{\"detail\":");
    buf_add_view(&out, i->detail);
    BUF_LIT(&out, ",\"signature\":");
    buf_add_json(&out, w->a.signature);
    BUF_LIT(&out, ",\"co_signatures\":[");
    for (size_t k = 0; k < w->a.n_co_signatures; k++) {
        if (k)
            BUF_LIT(&out, ",");
        buf_add_json(&out, w->a.co_signatures[k]);
    }
    BUF_LIT(&out, "],\"items\":[");
    buf_add_json(&out, w->a.common_item);
    BUF_LIT(&out, ",");
    buf_add_json(&out, i->item);
    BUF_LIT(&out, "],\"payee\":");
    buf_add_json(&out, payee);
    if (w->n_presented) {
        BUF_LIT(&out, ",\"payload\":\"");
        buf_add_base64url(&out, w->payload);
        BUF_LIT(&out, "\",");
        print_presented(w, false, &out);
    }
    BUF_LIT(&out, "}");
    err e = out.failed ? E_TOO_LARGE : seal_box(&s->key, V("claim"), claim, buf_view(&out), w->mem, ret);
    buf_done(&out);
    return e;
}

/* Two people of one accident each have their own claim at the same insurer. */
static bool
is_claimant(const struct filing *w, const struct row_claim *claim)
{
    static const digest nobody = {{0}};
    if (digest_eq(&claim->claimant, &nobody))
        return true;
    for (const struct person_key *k = application_subject(&w->a)->keys; k; k = k->next) {
        digest blind = blind_person(w->g->seal, k->text);
        if (digest_eq(&claim->claimant, &blind))
            return true;
    }
    return false;
}

/* The claim of this insurer, line and person: new, or one that waited for the permission.  weak: an app's word, or less than the insurer asks for,
 * opens it, and it waits for better. */
static err
add_claim(struct store_work *s, const struct applied_insurer *i, uid recipient, bool weak,
          struct row_claim **ret)
{
    struct filing *w = s->w;
    struct row_claim *claim = s->claims;
    while (claim &&
           !(uid_eq(claim->recipient, recipient) && view_eq(claim->line, i->line) && is_claimant(w, claim)))
        claim = claim->next;
    if (claim && !view_eq(claim->state, V("permission_needed"))) {
        *ret = claim;
        return E_OK;
    }
    if (!claim) {
        claim = arena_make(w->mem, struct row_claim);
        if (!claim)
            return E_TOO_LARGE;
        claim->id = claim_id_new().u;
        claim->state = V("received");
        claim->recipient = recipient;
        claim->line = i->line;
        claim->claimant = w->subject_blind;
    }
    view detail;
    const struct partner *through = i->through.n ? recipient_of(w, i->through) : NULL;
    claim->through = through ? through->id.u : (uid){{0}};
    claim->case_id = s->in_case.u;
    claim->application = s->document.u;
    claim->item = i->index;
    claim->key = s->key.id;
    TRY(claim_detail(s, i, claim->id, &detail));
    if (!weak || claim_next(claim_state_of(claim->state), V("need_permission")) != STATE_COUNT)
        TRY(claim_move(s->u, claim, weak ? V("need_permission") : V("permit"), "person", (uid){{0}},
                       s->document.u, w->in->received, w->f));
    claim_put_detail(s->u, claim->id, detail);
    *ret = claim;
    return E_OK;
}

static err
deliver(struct store_work *s, struct row_claim *claim, const struct row_permission *permission)
{
    struct filing *w = s->w;
    const struct plan_input in = {w->g,       s->r,       w->registry,     w->mem,
                                  s->in_case, s->version, w->in->received, NULL};
    /* The permission is made in this unit, so it needs no guard; the application itself goes first. */
    if (!plan_is_sure(w->g, w->registry, claim->recipient, w->paper_level, 0))
        return E_OK; /* held until the person's certificate is known to be good */
    return plan_opened(&in, s->u, claim, permission, s->document.u, s->documents, w->f);
}

/* 130 random bits and more; only its blind is kept. */
static err
add_track(struct store_work *s, const struct applied_person *p, view *ret_code)
{
    struct filing *w = s->w;
    uint8_t secret[20];
    random_bytes(secret, sizeof secret);
    view code = text_base64url(w->mem, view_make(secret, sizeof secret));
    struct row_track *row = unit_add_track(s->u);
    if (!row || !code.p)
        return E_TOO_LARGE;
    row->id = BLIND(w->g->seal, "track", code);
    row->case_id = s->in_case.u;
    row->person = p->keys ? blind_person(w->g->seal, p->keys->text) : w->subject_blind;
    row->role = p->role;
    row->expires = instant_add(w->in->received, SPAN_DAYS(730));
    row->key = s->key.id;
    uid place;
    memcpy(place.b, row->id.b, sizeof place.b);
    TRY(seal_box(&s->key, V("track"), place, p->birth_date.n ? p->birth_date : V("-"), w->mem, &row->detail));
    *ret_code = code;
    return E_OK;
}

/* A code for the app to hand on, and the alert that does not go by the app. */
static err
add_person(struct store_work *s, const struct applied_person *p, view *ret_code)
{
    TRY(add_track(s, p, ret_code));
    if (!p->keys || view_eq(p->role, V("policyholder")))
        return E_OK;
    digest person = blind_person(s->w->g->seal, p->keys->text);
    return alert_add(s->u, &person, "filing", s->in_case.u, s->document.u, s->w->in->sender.u,
                     s->w->in->received);
}

static err
add_reception(struct store_work *s, view *ret_receipt, submission_id *ret_id)
{
    struct filing *w = s->w;
    struct row_reception *row = unit_add_reception(s->u);
    if (!row)
        return E_TOO_LARGE;
    submission_id id = submission_id_new();
    const digest parts[] = {w->in->body_digest, w->verdict_digest, sha256(uid_view(&s->in_case.u))};
    digest leaf;
    TRY(evidence_leaf(s->u, w->permissions_only ? "permission" : "application", id.u, parts, COUNT_OF(parts),
                      w->in->received, &leaf));
    row->id = id.u;
    row->document = s->document.u;
    row->sender = w->in->sender.u;
    row->client = w->in->client;
    row->leaf = leaf;
    row->at = w->in->received;
    row->case_id = s->in_case.u;
    row->outcome = V("accepted");
    TRY(evidence_receipt(w->g, id, &w->in->body_digest, &w->verdict_digest, w->in->sender, w->in->received,
                         &leaf, w->mem, &row->receipt));
    *ret_receipt = row->receipt;
    *ret_id = id;
    return E_OK;
}

struct answer_row {
    struct row_claim *claim;
    struct row_permission *permission;
    bool at_holder;
};

/* Ends the claims and begins the mandates, where there are some. */
static void
print_mandates(struct store_work *s, const struct answer_row *rows, size_t n, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    size_t shown = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].claim)
            continue;
        const struct partner *to =
            registry_partner(s->w->registry, (partner_id){rows[i].permission->recipient});
        buf_printf(out, "%s{\"%s\":\"%.*s\",\"permission\":\"%.*s\"}", shown++ ? "," : "],\"mandates\":[",
                   rows[i].at_holder ? "holder" : "attorney", VIEW_ARG(to ? to->row->code : V("")),
                   VIEW_ARG(perm_id_print((perm_id){rows[i].permission->id}, id)));
    }
}

static err
print_answer(struct store_work *s, const struct answer_row *rows, size_t n, const view *codes, view receipt,
             submission_id id, view *ret)
{
    struct buf out;
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];
    size_t shown = 0;
    buf_init(&out, 1u << 18);
    buf_printf(&out,
               "{\"submission\":\"%.*s\",\"application\":\"%.*s\",\"case\":\"%.*s\",\"outcome\":\"accepted\","
               "\"claims\":[",
               VIEW_ARG(submission_id_print(id, a)), VIEW_ARG(doc_id_print(s->document, b)),
               VIEW_ARG(case_id_print(s->in_case, c)));
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].claim)
            continue;
        const struct partner *to = registry_partner(s->w->registry, (partner_id){rows[i].claim->recipient});
        buf_printf(&out,
                   "%s{\"claim\":\"%.*s\",\"recipient\":\"%.*s\",\"line\":\"%.*s\",\"state\":\"%.*s\","
                   "\"permission\":\"%.*s\"}",
                   shown++ ? "," : "", VIEW_ARG(claim_id_print((claim_id){rows[i].claim->id}, a)),
                   VIEW_ARG(to ? to->row->code : V("")), VIEW_ARG(rows[i].claim->line),
                   VIEW_ARG(rows[i].claim->state),
                   VIEW_ARG(perm_id_print((perm_id){rows[i].permission->id}, b)));
    }
    print_mandates(s, rows, n, &out);
    BUF_LIT(&out, "],\"track_codes\":[");
    size_t k = 0;
    for (const struct applied_person *p = s->w->a.people; p; p = p->next, k++)
        buf_printf(&out, "%s{\"role\":\"%.*s\",\"code\":\"%.*s\"}", k ? "," : "", VIEW_ARG(p->role),
                   VIEW_ARG(codes[k]));
    buf_printf(&out, "],\"receipt\":\"%.*s\"}", VIEW_ARG(receipt));
    view text = out.failed ? VIEW_NONE : arena_dup(s->w->mem, buf_view(&out));
    buf_done(&out);
    if (!text.p)
        return E_TOO_LARGE;
    *ret = text;
    return E_OK;
}

static err
add_item(struct store_work *s, const struct applied_insurer *i, struct answer_row *ret)
{
    struct filing *w = s->w;
    const struct partner *to = filing_recipient(w, i);
    ret->at_holder = i->at_holder;
    TRY(add_permission(s, i, to->id.u, &ret->permission));
    /* A mandate opens nothing by itself; tasks that wait for it are looked at again. */
    if (i->is_mandate && w->waits)
        return E_OK;
    if (i->is_mandate) {
        unit_change(s->u, i->at_holder ? CHANGE_tasks_wake : CHANGE_tasks_wake_asked_by,
                    ARGS(val_uid(&ret->permission->recipient), val_time(w->in->received)));
        return E_OK;
    }
    bool weak = w->waits || w->level == EVIDENCE_ASSERTED ||
                !plan_evidence_is_enough(w->registry, to->id.u, ret->permission);
    TRY(add_claim(s, i, to->id.u, weak, &ret->claim));
    if (view_eq(i->relay_role, V("first")) && uid_eq(ret->claim->application, s->document.u))
        TRY(task_original(w->g, s->u, ret->claim, w->in->received));
    return weak ? E_OK : deliver(s, ret->claim, ret->permission);
}

static err
build(struct store_work *s, struct application_out *ret)
{
    struct filing *w = s->w;
    struct answer_row rows[ITEMS_MAX] = {{0}};
    view codes[16] = {VIEW_NONE}, receipt;
    size_t n = 0, people = 0;
    submission_id id;
    TRY(find_case(s));
    TRY(seal_new_key(w->g->seal, s->u, "application", &s->key));
    TRY(add_document(s));
    for (const struct applied_insurer *i = w->a.insurers; i; i = i->next, n++)
        TRY(add_item(s, i, &rows[n]));
    for (const struct applied_person *p = w->a.people; p && people < COUNT_OF(codes); p = p->next)
        TRY(add_person(s, p, &codes[people++]));
    if (w->waits)
        TRY(representation_ask(w->g, s->u, w->in->sender.u, s->in_case.u, s->document.u, w->waits,
                               w->in->received));
    TRY(add_reception(s, &receipt, &id));
    data_key_forget(&s->key);
    TRY(print_answer(s, rows, n, codes, receipt, id, &ret->json));
    ret->created = true;
    return s->u->failed ? E_TOO_LARGE : E_OK;
}

/* The same bytes again: the original receipt, without the codes (they are given once). */
static err
answer_known(struct filing *w, struct reader *r, const struct row_document *known,
             struct application_out *ret)
{
    struct row_reception *reception = NULL;
    TRY(query_reception_of(r, ARGS(val_uid(&known->id), val_uid(&w->in->sender.u)), w->mem, &reception));
    if (!reception)
        return fault_set(w->f, E_DUPLICATE, "/signature", "an application not sent before",
                         "one sent by another organisation");
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];
    ret->created = false;
    ret->json =
        arena_printf(w->mem,
                     "{\"submission\":\"%.*s\",\"application\":\"%.*s\",\"case\":\"%.*s\",\"outcome\":"
                     "\"duplicate\",\"receipt\":\"%.*s\"}",
                     VIEW_ARG(submission_id_print((submission_id){reception->id}, a)),
                     VIEW_ARG(doc_id_print((doc_id){known->id}, b)),
                     VIEW_ARG(case_id_print((case_id){reception->case_id}, c)), VIEW_ARG(reception->receipt));
    return ret->json.p ? E_OK : E_TOO_LARGE;
}

err
filing_again(struct filing *w, struct application_out *ret)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *known = NULL;
    TRY(store_reader(w->g->store, &r));
    TRY(query_document_by_body(r, ARGS(val_digest(&w->body_blind)), w->mem, &known));
    return known ? answer_known(w, r, known, ret) : E_NOT_FOUND;
}

err
filing_store(struct filing *w, struct application_out *ret)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *known = NULL;
    struct unit u;
    TRY(store_reader(w->g->store, &r));
    TRY(query_document_by_body(r, ARGS(val_digest(&w->body_blind)), w->mem, &known));
    if (known)
        return answer_known(w, r, known, ret);
    unit_init(&u, w->mem);
    struct store_work s = {.w = w, .r = r, .u = &u};
    TRY(build(&s, ret));
    reader_done(TAKE(r));
    return store_commit(w->g->store, &u);
}
