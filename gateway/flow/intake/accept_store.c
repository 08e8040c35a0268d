#include "flow/intake/intake.h"

#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/motor/motor.h"
#include "flow/person/heirs.h"
#include "flow/task/task.h"
#include "signing/trust/revocation_policy.h"

#include "base/buf.h"

/* What is needed to show the signature again and to judge it anew: header values as received, the certificates and what their status rested on. */
static err
evidence_text(const struct passage *p, view *ret)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    (void)buf_reserve(&out, 4096);
    BUF_LIT(&out, "{\"cms\":");
    buf_add_json(&out, p->s->cms_header.p ? p->s->cms_header : V(""));
    BUF_LIT(&out, ",\"key_id\":");
    buf_add_json(&out, p->s->key_id_header.p ? p->s->key_id_header : V(""));
    BUF_LIT(&out, ",\"jws\":");
    buf_add_json(&out, p->s->jws_header.p ? p->s->jws_header : V(""));
    BUF_LIT(&out, ",");
    sureness_print_certificates(p->trust, p->verdict, p->mem, &out);
    BUF_LIT(&out, "}");
    view text = arena_dup(p->mem, buf_view(&out));
    bool good = !out.failed && text.p;
    buf_done(&out);
    if (!good)
        return E_TOO_LARGE;
    *ret = text;
    return E_OK;
}

static err
add_verdict(struct passage *p, struct unit *u, const struct data_key *key, uid document, uid *ret_id)
{
    struct row_verdict *row = unit_add_verdict(u);
    view evidence, sealed;
    if (!row)
        return E_TOO_LARGE;
    TRY(evidence_text(p, &evidence));
    row->id = uid_new();
    row->document = document;
    row->digest = p->verdict_digest;
    row->level = (int64_t)verdict_level(p->verdict);
    row->code = V("ok");
    row->at = p->s->received;
    row->key = key->id;
    TRY(seal_box(key, V("verdict"), row->id, p->verdict_text, u->mem, &row->verdict));
    TRY(seal_box(key, V("evidence"), row->id, evidence, u->mem, &sealed));
    unit_body(u, sealed, &row->evidence_at);
    *ret_id = row->id;
    return E_OK;
}

static err
add_document(struct passage *p, struct unit *u, const struct data_key *key, doc_id id, uid replaces)
{
    struct row_document *row = unit_add_document(u);
    view facts, body;
    if (!row)
        return E_TOO_LARGE;
    const struct reading *rd = &p->reading;
    row->id = id.u;
    row->kind = view_of(document_kind_word(rd->kind));
    row->profile = rd->profile;
    row->signer = p->signer->id.u;
    row->sender = p->sender->id.u;
    row->identity = p->identity_blind;
    if (rd->unique_identity)
        unit_guard(u, GUARD_identity_unused, ARGS(val_digest(&p->identity_blind)));
    if (rd->work_value.n) {
        char signer[ID_TEXT_SIZE];
        row->work = BLIND(p->g->seal, "work", partner_id_print(p->signer->id, signer), rd->work_system,
                          rd->work_value);
    }
    row->body = p->body_blind;
    row->media = p->s->media == FHIR_XML ? V("xml") : V("json");
    row->bytes = (int64_t)p->s->body.n;
    row->key = key->id;
    row->received_at = p->s->received;
    row->state = rd->withdraws ? V("withdrawn") : V("current");
    row->replaces = replaces;
    row->level = (int64_t)verdict_level(p->verdict);
    row->floor = (int64_t)p->floor;
    row->facts_version = 1;
    row->subject = p->subject;
    TRY(seal_box(key, V("facts"), id.u, p->facts_text, u->mem, &facts));
    TRY(seal_box(key, V("body"), id.u, p->s->body, u->mem, &body));
    unit_body(u, body, &row->body_at);
    unit_body(u, facts, &row->facts_at);
    return E_OK;
}

/* Reception, receipt and leaf: what the sender holds against us. */
static err
add_reception(struct passage *p, struct unit *u, uid document, uid in_case, const char *outcome,
              struct acceptance *ret)
{
    struct row_reception *row = unit_add_reception(u);
    if (!row)
        return E_TOO_LARGE;
    submission_id id = submission_id_new();
    const digest link = sha256(uid_view(&in_case));
    const digest parts[] = {p->s->body_digest, p->verdict_digest, link};
    digest leaf;
    TRY(evidence_leaf(u, "accept", id.u, parts, COUNT_OF(parts), p->s->received, &leaf));
    row->id = id.u;
    row->document = document;
    row->sender = p->sender->id.u;
    row->client = p->s->client;
    char sender[ID_TEXT_SIZE];
    if (p->s->reference.n)
        row->reference =
            BLIND(p->g->seal, "reference", partner_id_print(p->sender->id, sender), p->s->reference);
    row->leaf = leaf;
    row->at = p->s->received;
    row->case_id = in_case;
    row->outcome = view_of(outcome);
    TRY(evidence_receipt(p->g, id, &p->s->body_digest, &p->verdict_digest, p->sender->id, p->s->received,
                         &leaf, u->mem, &row->receipt));
    ret->id = id;
    ret->receipt = row->receipt;
    ret->outcome = outcome;
    ret->in_case.u = in_case;
    ret->document.u = document;
    return E_OK;
}

/* -- seen before -- */

static err
answer_known(struct passage *p, struct reader *r, const struct row_document *known, struct acceptance *ret)
{
    struct row_reception *reception = NULL;
    TRY(query_reception_of(r, ARGS(val_uid(&known->id), val_uid(&p->sender->id.u)), p->mem, &reception));
    ret->document.u = known->id;
    ret->outcome = "duplicate";
    ret->verdict = p->verdict_text;
    if (reception) {
        ret->id.u = reception->id;
        ret->receipt = reception->receipt;
        ret->in_case.u = reception->case_id;
        return E_OK;
    }
    struct row_case *in_case = NULL;
    TRY(query_cases_of_document(r, ARGS(val_uid(&known->id)), p->mem, &in_case));
    struct unit u;
    unit_init(&u, p->mem);
    TRY(add_reception(p, &u, known->id, in_case ? in_case->id : (uid){{0}}, "duplicate", ret));
    return store_commit(p->g->store, &u);
}

/* Whether the known document's verdicts already name every signer of this one. */
static err
has_new_signer(struct passage *p, struct reader *r, const struct row_document *known, bool *ret)
{
    struct row_verdict *list = NULL;
    struct data_key key;
    TRY(query_verdicts_of(r, ARGS(val_uid(&known->id)), p->mem, &list));
    TRY(seal_load_key(p->g->seal, r, known->key, p->mem, &key));
    bool fresh = false;
    for (size_t i = 0; i < verdict_signatures(p->verdict) && !fresh; i++) {
        const struct signature_out *sig = verdict_signature(p->verdict, i);
        struct buf hex;
        buf_init(&hex, 80);
        buf_add_hex(&hex, digest_view(&sig->signer.spki));
        bool named = false;
        for (const struct row_verdict *v = list; v && !named; v = v->next) {
            view text;
            named = seal_unbox(&key, V("verdict"), v->id, v->verdict, p->mem, &text) == E_OK &&
                    view_find(text, buf_view(&hex)) < text.n;
        }
        fresh = !named;
        buf_done(&hex);
    }
    data_key_forget(&key);
    *ret = fresh;
    return E_OK;
}

/* Another valid signature on a known document: a history entry of the verdict, a receipt of its own; waiting deliveries may now go. */
static err
add_signature(struct passage *p, struct reader *r, const struct row_document *known, struct acceptance *ret)
{
    struct row_case *in_case = NULL;
    struct data_key key;
    struct unit u;
    uid verdict;
    TRY(query_cases_of_document(r, ARGS(val_uid(&known->id)), p->mem, &in_case));
    TRY(seal_load_key(p->g->seal, r, known->key, p->mem, &key));
    unit_init(&u, p->mem);
    TRY(add_verdict(p, &u, &key, known->id, &verdict));
    data_key_forget(&key);
    if ((int64_t)verdict_level(p->verdict) > known->level)
        unit_change(&u, CHANGE_document_level,
                    ARGS(val_uid(&known->id), val_int((int64_t)verdict_level(p->verdict))));
    const digest parts[] = {p->s->body_digest, p->verdict_digest};
    digest leaf;
    submission_id id = submission_id_new();
    TRY(evidence_leaf(&u, "signature", id.u, parts, COUNT_OF(parts), p->s->received, &leaf));
    TRY(evidence_receipt(p->g, id, &p->s->body_digest, &p->verdict_digest, p->sender->id, p->s->received,
                         &leaf, p->mem, &ret->receipt));
    ret->id = id;
    ret->document.u = known->id;
    ret->in_case.u = in_case ? in_case->id : (uid){{0}};
    ret->outcome = "signature-added";
    ret->verdict = p->verdict_text;
    return store_commit(p->g->store, &u);
}

static err
find_known(struct passage *p, struct reader *r, struct acceptance *ret, bool *ret_done)
{
    struct row_document *known = NULL;
    /* What is hardly ever there is not looked for before it is built: the unit's guard asks for the identifier, which the same bytes have too. */
    if (p->reading.unique_identity && !p->again)
        return E_OK;
    TRY(query_document_by_body(r, ARGS(val_digest(&p->body_blind)), p->mem, &known));
    if (known) {
        bool fresh = false;
        TRY(has_new_signer(p, r, known, &fresh));
        *ret_done = true;
        return fresh ? add_signature(p, r, known, ret) : answer_known(p, r, known, ret);
    }
    TRY(query_documents_by_identity(r, ARGS(val_digest(&p->identity_blind)), p->mem, &known));
    if (known && p->s->intake == INTAKE_ACCIDENT)
        return fault_set(p->f, E_ACCIDENT_PART, "revision", "a revision not used before",
                         "one used with other content");
    if (known && p->reading.unique_identity)
        return fault_set(p->f, E_DUPLICATE, "Bundle.identifier", "an identifier not used before",
                         "one used with other content");
    if (known)
        issue_add(p->issues, ISSUE_WARNING, E_IDENTIFIER_REUSED, V("Bundle.identifier"), V("one version"),
                  V("a further one"));
    return E_OK;
}

static err
find_replaced(struct passage *p, struct reader *r, struct row_document **ret)
{
    *ret = NULL;
    if (!p->reading.replaces_value.n)
        return E_OK;
    char signer[ID_TEXT_SIZE];
    digest blind = BLIND(p->g->seal, "identity", partner_id_print(p->signer->id, signer),
                         p->reading.replaces_system, p->reading.replaces_value);
    TRY(query_documents_by_identity(r, ARGS(val_digest(&blind)), p->mem, ret));
    if (!*ret)
        return fault_set(p->f, E_REPLACES, "Composition.relatesTo", "a document of the same organisation",
                         "none");
    return E_OK;
}

static err
check_attachments(struct passage *p, struct reader *r, struct unit *u, doc_id document)
{
    for (size_t i = 0; i < p->reading.n_attachments; i++) {
        digest *id = arena_make(p->mem, digest);
        uid *by = arena_make(p->mem, uid), *of = arena_make(p->mem, uid);
        struct row_attachment *row = NULL;
        if (!id || !by || !of)
            return E_TOO_LARGE;
        *id = BLIND(p->g->seal, "attachment", p->reading.attachments[i]);
        *by = p->sender->id.u;
        *of = document.u;
        TRY(query_attachment(r, ARGS(val_digest(id), val_uid(by)), p->mem, &row));
        if (!row)
            return fault_setf(p->f, E_ATTACHMENT_MISSING, "an attachment that arrived before", "none",
                              "attachments[%zu]", i);
        unit_change(u, CHANGE_attachment_claim, ARGS(val_digest(id), val_uid(by), val_uid(of)));
    }
    return E_OK;
}

/* -- the unit -- */

static const char *
event_of(const struct passage *p)
{
    if (p->reading.withdraws)
        return "document.withdrawn";
    return p->reading.replaces_value.n ? "document.replaced" : "document.available";
}

static err
link_document(struct passage *p, struct unit *u, case_id in_case, doc_id document)
{
    struct row_case_document *link = unit_add_case_document(u);
    if (!link)
        return E_TOO_LARGE;
    link->case_id = in_case.u;
    link->document = document.u;
    link->facts_version = 1;
    link->at = p->s->received;
    return timeline_add(u, in_case.u, (uid){{0}}, "sender", p->sender->id.u, event_of(p), VIEW_NONE,
                        document.u, p->s->received);
}

/* An insurer that a hospital's document names: a claim that waits for the person (DOMAIN D4, THREATS S1). */
static err
open_hinted(struct passage *p, struct reader *r, struct unit *u, case_id in_case)
{
    struct row_claim *claims = NULL;
    digest subject = {{0}};
    if (!p->reading.hints)
        return E_OK;
    for (const struct person_key *k = p->reading.persons; k; k = k->next)
        if (k->is_subject)
            subject = blind_person(p->g->seal, k->text);
    TRY(query_claims_of_case(r, ARGS(val_uid(&in_case.u)), p->mem, &claims));
    for (const struct insurer_hint *h = p->reading.hints; h; h = h->next) {
        const struct partner *insurer = registry_by_code(p->registry, V("insurer"), h->code);
        if (!insurer) {
            issue_add(p->issues, ISSUE_WARNING, E_INSURER_UNKNOWN, V("Coverage.payor"),
                      V("a registered insurer"), V("another code"));
            continue;
        }
        bool known = false;
        for (const struct row_claim *c = claims; c; c = c->next)
            known = known || uid_eq(c->recipient, insurer->id.u);
        if (known)
            continue;
        struct row_claim claim = {.id = uid_new(),
                                  .case_id = in_case.u,
                                  .recipient = insurer->id.u,
                                  .line = h->line,
                                  .claimant = subject,
                                  .state = V("received"),
                                  .since = p->s->received};
        TRY(claim_move(u, &claim, V("need_permission"), "gateway", (uid){{0}}, (uid){{0}}, p->s->received,
                       p->f));
    }
    return E_OK;
}

/* What was asked for is here; and an insurer that has decided on a receipt is asked to look at its new version. */
static err
settle_tasks(struct passage *p, struct reader *r, struct unit *u, case_id in_case, doc_id document,
             const struct row_document *replaced)
{
    const struct arrival a = {p->g, r, &p->reading, p->author, document.u, p->s->received};
    struct row_delivery *past = NULL;
    struct row_claim *claims = NULL;
    if (p->reading.withdraws)
        return E_OK;
    TRY(task_arrived(&a, u));
    if (!replaced || p->reading.kind != KIND_RECEIPT)
        return E_OK;
    TRY(query_deliveries_of_case(r, ARGS(val_uid(&in_case.u)), p->mem, &past));
    TRY(query_claims_of_case(r, ARGS(val_uid(&in_case.u)), p->mem, &claims));
    for (; claims; claims = claims->next)
        if (claim_is_decided(claims) && plan_had(past, claims, replaced->id))
            TRY(task_receipt_replaced(&a, u, claims));
    return E_OK;
}

static err
plan(struct passage *p, struct reader *r, struct unit *u, case_id in_case, int64_t version, doc_id document,
     const struct row_document *replaced, const struct joined *found, struct acceptance *ret)
{
    const struct plan_input in = {p->g, r, p->registry, p->mem, in_case, version, p->s->received, NULL};
    if (replaced) {
        unit_change(
            u, CHANGE_document_state,
            ARGS(val_uid(&replaced->id), val_text(p->reading.withdraws ? V("withdrawn") : V("replaced"))));
        TRY(plan_notices(&in, u, (doc_id){replaced->id},
                         p->reading.withdraws ? "document.recalled" : "document.corrected"));
    }
    const struct paper paper = {document.u,        p->reading.kind, (int64_t)verdict_level(p->verdict),
                                (int64_t)p->floor, event_of(p),     p->signer->id.u,
                                p->subject};
    if (found->n_merged)
        return plan_joined(&in, u, found->merged, found->n_merged, p->reading.withdraws ? NULL : &paper,
                           &ret->deliveries);
    if (p->reading.withdraws)
        return E_OK;
    return plan_document(&in, u, &paper, &ret->deliveries);
}

static const char *
outcome_of(const struct passage *p, const struct acceptance *a)
{
    AUTO(trust_unref) struct trust *t = gateway_trust(p->g);
    enum evidence_level level = verdict_level(p->verdict);
    if (level < p->floor || level < trust_policy(t)->default_level)
        return "waiting-verification";
    if (a->deliveries == 0)
        return "waiting-permission";
    return p->issues->n ? "accepted-with-findings" : "accepted";
}

static err
build(struct passage *p, struct reader *r, struct unit *u, struct acceptance *ret)
{
    struct row_document *replaced = NULL;
    struct joined found;
    struct data_key key;
    doc_id document = doc_id_new();
    case_id in_case;
    int64_t version;
    uid verdict;
    TRY(find_replaced(p, r, &replaced));
    TRY(join_find(r, &p->join, p->mem, &found));
    if (p->motor)
        TRY(motor_admit(p, r, &found));
    if (p->reading.kind == KIND_HOUSEHOLD)
        TRY(heirs_check_extract(p, r, &found));
    TRY(check_attachments(p, r, u, document));
    TRY(seal_new_key(p->g->seal, u, "document", &key));
    TRY(add_document(p, u, &key, document, replaced ? replaced->id : (uid){{0}}));
    TRY(add_verdict(p, u, &key, document.u, &verdict));
    TRY(sureness_add_signers(p->g, u, p->verdict, document.u, p->s->received));
    TRY(join_write(u, &p->join, &found, p->s->received, &in_case, &version));
    TRY(link_document(p, u, in_case, document));
    TRY(open_hinted(p, r, u, in_case));
    TRY(settle_tasks(p, r, u, in_case, document, replaced));
    ret->deliveries = 0;
    TRY(plan(p, r, u, in_case, version, document, replaced, &found, ret));
    if (p->motor) {
        struct motor_unit m = {p, r, u, &key, in_case, version, document, ret};
        TRY(motor_store(&m));
    }
    data_key_forget(&key);
    for (const struct row_delivery *d = u->rows[ROW_delivery]; d; d = d->next)
        ret->due = ret->due || view_eq(d->state, V("queued"));
    ret->created = true;
    ret->verdict = p->verdict_text;
    TRY(add_reception(p, u, document.u, in_case.u, outcome_of(p, ret), ret));
    return u->failed ? E_TOO_LARGE : E_OK;
}

/* What was accepted before is answered as it was, whatever stands against it now. */
static bool
is_known(struct passage *p, struct reader *r)
{
    struct row_document *known = NULL;
    return p->reading.unique_identity &&
           query_document_by_body(r, ARGS(val_digest(&p->body_blind)), p->mem, &known) == E_OK && known;
}

err
passage_store(struct passage *p, struct acceptance *ret)
{
    struct acceptance a = {0};
    AUTO(reader_done) struct reader *r = TAKE(p->reader);
    bool done = false;
    if (!r)
        TRY(store_reader(p->g->store, &r));
    TRY(find_known(p, r, &a, &done));
    if (!done) {
        bool first = !p->again;
        struct unit u;
        unit_init(&u, p->mem);
        p->join.hopeful = p->join.hopeful && first;
        p->again = true;
        err e = build(p, r, &u, &a);
        if (e != E_OK)
            return first && is_known(p, r) ? E_STALE : e;
        reader_done(TAKE(r)); /* its snapshot is of no more use; a commit may wait */
        TRY(store_commit(p->g->store, &u));
    }
    *ret = a;
    return E_OK;
}
