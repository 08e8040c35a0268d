/* A proof of representation on its way in, its end, and the person's list. */
#include "flow/person/representation.h"

#include "base/json.h"
#include "flow/case/join.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/stamps.h"
#include "flow/evidence/sureness.h"
#include "flow/partner/registry.h"
#include "flow/person/signature.h"
#include "signing/trust/authority.h"

/* One paper in the making. */
struct proof_work {
    struct gateway *g;
    const struct application_in *in;
    arena *mem;
    struct fault *f;
    struct registry *registry;
    struct trust *trust;
    struct representation_paper p;
    const struct representation_rule *rule;
    struct verdict *verdict;
    const struct signer *signer;
    const struct partner *issuer; /* court or office; NULL: the represented one himself */
    digest person, body_blind, verdict_digest;
    view verdict_text;
    instant to; /* of all its rows; INSTANT_NONE: open */
    struct data_key key;
    doc_id document;
    struct row_representation *rows;
};

/* -- judging -- */

static digest
blind_of(const struct gateway *g, const struct applied_person *p)
{
    return blind_person(g->seal, p->keys->text);
}

static bool
is_signed_by_represented(const struct proof_work *w)
{
    const struct signer *s = w->signer;
    if (w->p.company.n)
        return s->subject == SUBJECT_COMPANY && view_eq(s->organisation, w->p.company);
    if (s->subject != SUBJECT_PERSON || s->organisation.n < 4)
        return false;
    for (const struct person_key *k = w->p.person->keys; k; k = k->next)
        if (view_ends(k->text, s->organisation))
            return true;
    return false;
}

/* A guardianship is a court's, an extract a household office's, a mandate the represented one's. */
static err
check_issuer(struct proof_work *w)
{
    static const char *const kinds[] = {"court", "household"};
    if (w->rule->issuer == ISSUER_SELF)
        return is_signed_by_represented(w) ? E_OK
                                           : fault_set(w->f, E_REPRESENTATION_ISSUER, "/signature",
                                                       "the represented one's own signature", "another's");
    if (!w->p.person)
        return fault_set(w->f, E_SCHEMA, "/signature/payload/person", "a person", "a company");
    if (w->signer->subject == SUBJECT_AGENCY)
        w->issuer = registry_by_code(w->registry, view_of(kinds[w->rule->issuer]), w->signer->organisation);
    return w->issuer && partner_is_active(w->issuer)
               ? E_OK
               : fault_set(w->f, E_REPRESENTATION_ISSUER, "/signature",
                           w->rule->issuer == ISSUER_COURT ? "a court's signature" : "a household office's",
                           "another's");
}

/* Of an heir the relation says in which order he stands; a parent's word ends with the eighteenth birthday (民法 12). */
static err
check_holders(struct proof_work *w)
{
    w->to = w->p.to;
    if (w->rule->serves == SERVES_MINOR) {
        date born = w->p.person->born;
        if (!w->p.person->birth_date.n)
            return fault_set(w->f, E_SCHEMA, "/signature/payload/person/birth_date", "the child's birth date",
                             "none");
        born.year = (int16_t)(born.year + 18);
        instant of_age = {((int64_t)date_days(born) * 1440 - 480) * 60 * 1000000};
        if (!w->to.us || of_age.us < w->to.us)
            w->to = of_age;
    }
    if (!w->issuer && !w->p.n_holders)
        return fault_set(w->f, E_SCHEMA, "/signature/payload/holders", "one who represents", "nobody");
    for (const struct applied_person *h = w->p.holders; h; h = h->next)
        if ((w->rule->serves == SERVES_DEAD) != (h->relation.n > 0) && w->rule->serves == SERVES_DEAD)
            return fault_set(w->f, E_SCHEMA, "/signature/payload/holders", "a relation to the deceased",
                             "none");
    return E_OK;
}

/* Who logged in deposits what concerns himself. */
static err
check_login(struct proof_work *w)
{
    digest blind;
    if (!w->in->by_person || digest_eq(&w->person, &w->in->person))
        return E_OK;
    for (const struct applied_person *h = w->p.holders; h; h = h->next) {
        blind = blind_of(w->g, h);
        if (digest_eq(&blind, &w->in->person))
            return E_OK;
    }
    return fault_set(w->f, E_PERSON_OTHER, "/signature/payload", "the person who logged in", "others");
}

static err
check_signature(struct proof_work *w)
{
    view payload;
    TRY(signature_judge(w->g, w->p.signature, w->in->received, w->mem, &w->verdict, &payload, w->f));
    const struct signature_out *sig = verdict_signature(w->verdict, 0);
    w->signer = &sig->signer;
    view author = w->signer->subject == SUBJECT_PERSON ? VIEW_NONE
                  : w->p.company.n                     ? w->p.company
                                                       : w->p.issuer;
    TRY(authority_check(trust_authority(w->trust), w->signer, KIND_REPRESENTATION, author, false,
                        w->in->received, w->f));
    if (sig->level < LEVEL_CACHED_WITHIN_GRACE)
        return fault_set(w->f, E_STATUS_UNAVAILABLE, "/signature", "a certificate whose status is known",
                         "an unknown status");
    return verdict_print(w->verdict, w->mem, &w->verdict_text);
}

static err
judge(struct proof_work *w)
{
    struct tree *t = arena_make(w->mem, struct tree);
    const struct partner *sender = registry_partner(w->registry, w->in->sender);
    if (!t)
        return E_TOO_LARGE;
    if (!sender || !partner_is_active(sender))
        return fault_set(w->f, E_SUSPENDED, "", "an active partner", "another status");
    TRY(tree_read_json(w->in->body, NULL, w->mem, t, w->f));
    TRY(representation_read(t, w->mem, &w->p, w->f));
    w->rule = representation_rule_of(w->p.kind);
    if (!w->rule)
        return fault_set(w->f, E_SCHEMA, "/signature/payload/kind", "a kind of representation",
                         "another word");
    if (!representation_acts_fit(w->rule, w->p.acts))
        return fault_set(w->f, E_REPRESENTATION_ACT, "/signature/payload/acts",
                         "acts that this kind may carry", "another");
    w->person = w->p.person
                    ? blind_of(w->g, w->p.person)
                    : blind_person(w->g->seal, arena_printf(w->mem, "ubn|%.*s", VIEW_ARG(w->p.company)));
    TRY(check_signature(w));
    TRY(check_issuer(w));
    TRY(check_holders(w));
    TRY(check_login(w));
    w->verdict_digest = sha256(w->verdict_text);
    return E_OK;
}

/* -- storing -- */

static err
add_evidence(struct proof_work *w, struct unit *u, struct row_verdict *verdict)
{
    struct buf out AUTO_DONE(buf_done);
    view sealed;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{");
    sureness_print_certificates(w->trust, w->verdict, w->mem, &out);
    BUF_LIT(&out, "}");
    if (out.failed)
        return E_TOO_LARGE;
    TRY(seal_box(&w->key, V("evidence"), verdict->id, buf_view(&out), w->mem, &sealed));
    unit_body(u, sealed, &verdict->evidence_at);
    return E_OK;
}

static err
add_document(struct proof_work *w, struct unit *u)
{
    struct row_document *row = unit_add_document(u);
    struct row_verdict *verdict = unit_add_verdict(u);
    view body;
    if (!row || !verdict)
        return E_TOO_LARGE;
    w->document = doc_id_new();
    row->id = w->document.u;
    row->kind = view_of(document_kind_word(KIND_REPRESENTATION));
    row->profile = V("claimgate-representation-1");
    row->signer = w->issuer ? w->issuer->id.u : (uid){{0}};
    row->sender = w->in->sender.u;
    row->body = w->body_blind;
    row->media = V("json");
    row->bytes = (int64_t)w->in->body.n;
    row->key = w->key.id;
    row->received_at = w->in->received;
    row->state = V("current");
    row->level = (int64_t)verdict_level(w->verdict);
    TRY(seal_box(&w->key, V("body"), row->id, w->in->body, w->mem, &body));
    unit_body(u, body, &row->body_at);
    verdict->id = uid_new();
    verdict->document = row->id;
    verdict->digest = w->verdict_digest;
    verdict->level = row->level;
    verdict->code = V("ok");
    verdict->at = w->in->received;
    verdict->key = w->key.id;
    TRY(seal_box(&w->key, V("verdict"), verdict->id, w->verdict_text, w->mem, &verdict->verdict));
    TRY(add_evidence(w, u, verdict));
    return sureness_add_signers(w->g, u, w->verdict, row->id, w->in->received);
}

/* A later paper of a court or office takes the earlier one's place; of mandates several may stand. */
static err
replace_earlier(struct proof_work *w, struct reader *r, struct unit *u)
{
    struct row_representation *list = NULL;
    TRY(query_representations_of(r, ARGS(val_digest(&w->person)), w->mem, &list));
    for (; list && w->issuer; list = list->next) {
        if (!view_eq(list->kind, w->p.kind) || list->ended_at.us)
            continue;
        if (list->issued.us > w->p.issued.us)
            return fault_set(w->f, E_REPRESENTATION_OLDER, "/signature/payload/issued",
                             "the latest paper of its kind", "an earlier one");
        unit_guard(u, GUARD_representation_stands, ARGS(val_uid(&list->id)));
        unit_change(u, CHANGE_representation_end,
                    ARGS(val_uid(&list->id), val_time(w->in->received), val_text(V("replaced"))));
    }
    return E_OK;
}

static err
add_rows(struct proof_work *w, struct unit *u)
{
    view acts = w->p.acts.n ? w->p.acts : w->rule->unless;
    for (const struct applied_person *h = w->p.holders; h; h = h->next) {
        struct row_representation *row = unit_add_representation(u);
        if (!row)
            return E_TOO_LARGE;
        row->id = representation_id_new().u;
        row->person = w->person;
        row->holder = blind_of(w->g, h);
        row->kind = view_of(w->rule->word);
        row->acts = acts;
        row->relation = h->relation;
        row->joint = w->p.joint;
        row->document = w->document.u;
        row->issuer = w->issuer ? w->issuer->id.u : (uid){{0}};
        row->issued = w->p.issued;
        row->valid_from = w->p.from;
        row->valid_to = w->to;
        row->at = w->in->received;
        if (!w->rows)
            w->rows = row;
    }
    return E_OK;
}

static void
print_row(const struct row_representation *row, struct buf *out)
{
    char id[ID_TEXT_SIZE], when[32];
    buf_printf(out, "\"id\":\"%.*s\",\"kind\":\"%.*s\",\"acts\":\"%.*s\",\"from\":\"%.*s\"",
               VIEW_ARG(representation_id_print((representation_id){row->id}, id)), VIEW_ARG(row->kind),
               VIEW_ARG(row->acts), VIEW_ARG(instant_print(row->valid_from, when)));
    if (row->valid_to.us)
        buf_printf(out, ",\"to\":\"%.*s\"", VIEW_ARG(instant_print(row->valid_to, when)));
    if (row->relation.n)
        buf_printf(out, ",\"relation\":\"%.*s\"", VIEW_ARG(row->relation));
    if (row->joint)
        BUF_LIT(out, ",\"joint\":true");
}

static err
print_answer(struct proof_work *w, view receipt, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    char id[ID_TEXT_SIZE];
    buf_init(&out, 65536);
    buf_printf(&out, "{\"document\":\"%.*s\",\"outcome\":\"accepted\",\"representations\":[",
               VIEW_ARG(doc_id_print(w->document, id)));
    for (const struct row_representation *row = w->rows; row; row = row->next) {
        buf_printf(&out, row == w->rows ? "{" : ",{");
        print_row(row, &out);
        BUF_LIT(&out, "}");
    }
    buf_printf(&out, "],\"receipt\":\"%.*s\"}", VIEW_ARG(receipt));
    *ret = out.failed ? VIEW_NONE : arena_dup(w->mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
add_reception(struct proof_work *w, struct unit *u, view *ret_receipt)
{
    struct row_reception *row = unit_add_reception(u);
    const digest parts[] = {w->in->body_digest, w->verdict_digest};
    submission_id id = submission_id_new();
    digest leaf;
    if (!row)
        return E_TOO_LARGE;
    TRY(evidence_leaf(u, "representation", id.u, parts, COUNT_OF(parts), w->in->received, &leaf));
    row->id = id.u;
    row->document = w->document.u;
    row->sender = w->in->sender.u;
    row->client = w->in->client;
    row->leaf = leaf;
    row->at = w->in->received;
    row->outcome = V("accepted");
    TRY(evidence_receipt(w->g, id, &w->in->body_digest, &w->verdict_digest, w->in->sender, w->in->received,
                         &leaf, w->mem, &row->receipt));
    *ret_receipt = row->receipt;
    return E_OK;
}

static err
answer_known(struct proof_work *w, struct reader *r, const struct row_document *known,
             struct application_out *ret)
{
    struct row_reception *reception = NULL;
    char id[ID_TEXT_SIZE];
    TRY(query_reception_of(r, ARGS(val_uid(&known->id), val_uid(&w->in->sender.u)), w->mem, &reception));
    if (!reception)
        return fault_set(w->f, E_DUPLICATE, "/signature", "a paper not sent before",
                         "one sent by another organisation");
    ret->created = false;
    ret->json = arena_printf(w->mem, "{\"document\":\"%.*s\",\"outcome\":\"duplicate\",\"receipt\":\"%.*s\"}",
                             VIEW_ARG(doc_id_print((doc_id){known->id}, id)), VIEW_ARG(reception->receipt));
    return ret->json.p ? E_OK : E_TOO_LARGE;
}

static err
store_once(struct proof_work *w, struct application_out *ret)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *known = NULL;
    struct unit u;
    view receipt;
    TRY(store_reader(w->g->store, &r));
    TRY(query_document_by_body(r, ARGS(val_digest(&w->body_blind)), w->mem, &known));
    if (known)
        return answer_known(w, r, known, ret);
    unit_init(&u, w->mem);
    w->rows = NULL;
    TRY(seal_new_key(w->g->seal, &u, "representation", &w->key));
    err e = add_document(w, &u);
    data_key_forget(&w->key);
    TRY(e);
    TRY(replace_earlier(w, r, &u));
    TRY(add_rows(w, &u));
    TRY(add_reception(w, &u, &receipt));
    TRY(print_answer(w, receipt, &ret->json));
    ret->created = true;
    reader_done(TAKE(r));
    return u.failed ? E_TOO_LARGE : store_commit(w->g->store, &u);
}

static void
proof_done(struct proof_work *w)
{
    registry_unref(w->registry);
    trust_unref(w->trust);
}

#define REBUILDS 8

err
representation_accept(struct gateway *g, const struct application_in *in, arena *mem,
                      struct application_out *ret, struct fault *f)
{
    AUTO_DONE(proof_done)
    struct proof_work w = {
        .g = g, .in = in, .mem = mem, .f = f, .registry = gateway_registry(g), .trust = gateway_trust(g)};
    w.body_blind = BLIND(g->seal, "body", digest_view(&in->body_digest));
    TRY(judge(&w));
    TRY(stamps_in_time(g, in->received, f));
    err e = E_STALE;
    for (int i = 0; i < REBUILDS && e == E_STALE; i++)
        e = store_once(&w, ret);
    if (e != E_OK)
        return fault_set(f, e, "", "", "");
    if (ret->created)
        sureness_tell(g, w.trust, w.verdict, w.document.u);
    return representation_release(g, &w.person, in->received, f);
}

/* -- its end -- */

err
representation_end(struct gateway *g, const digest *person, view id, instant now, arena *mem, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_representation *row = NULL;
    representation_id number;
    struct unit u;
    digest leaf;
    TRY(store_reader(g->store, &r));
    if (representation_id_parse(id, &number) == E_OK)
        TRY(query_representation(r, ARGS(val_uid(&number.u)), mem, &row));
    if (!row || !(digest_eq(&row->person, person) || digest_eq(&row->holder, person)))
        return fault_set(f, E_NOT_FOUND, "", "a representation of or by you", "none");
    const struct representation_rule *rule = representation_rule_of(row->kind);
    if (!rule || rule->issuer != ISSUER_SELF)
        return fault_set(f, E_REPRESENTATION_BY_LAW, "", "a mandate", "a ruling or extract");
    if (row->ended_at.us)
        return E_OK;
    unit_init(&u, mem);
    view by = digest_eq(&row->person, person) ? V("person") : V("holder");
    unit_change(&u, CHANGE_representation_end, ARGS(val_uid(&row->id), val_time(now), val_text(by)));
    const digest parts[] = {sha256(uid_view(&row->id)), sha256(by)};
    TRY(evidence_leaf(&u, "representation-end", row->id, parts, COUNT_OF(parts), now, &leaf));
    reader_done(TAKE(r));
    return store_commit_now(g->store, &u);
}

/* -- the person's list -- */

/* {…,"of":"me"|"by me","label","article","issuer"?,"ended_at"?} */
static void
print_one(const struct registry *registry, const struct row_representation *row, bool by_me, enum lang lang,
          struct buf *out)
{
    const struct representation_rule *rule = representation_rule_of(row->kind);
    const struct partner *issuer = registry_partner(registry, (partner_id){row->issuer});
    char when[32];
    BUF_LIT(out, "{");
    print_row(row, out);
    buf_printf(out, ",\"role\":\"%s\",\"issued\":\"%.*s\"", by_me ? "holder" : "represented",
               VIEW_ARG(instant_print(row->issued, when)));
    if (rule) {
        BUF_LIT(out, ",\"label\":");
        buf_add_json(out, view_of(rule->label[lang]));
        BUF_LIT(out, ",\"article\":");
        buf_add_json(out, view_of(rule->article));
    }
    if (issuer) {
        BUF_LIT(out, ",\"issuer\":");
        buf_add_json(out, issuer->row->name_zh);
    }
    if (row->ended_at.us)
        buf_printf(out, ",\"ended_at\":\"%.*s\",\"ended_by\":\"%.*s\"",
                   VIEW_ARG(instant_print(row->ended_at, when)), VIEW_ARG(row->ended_by));
    BUF_LIT(out, "}");
}

err
representation_print(struct gateway *g, struct reader *r, const digest *person, enum lang lang, arena *mem,
                     struct buf *out)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct row_representation *of = NULL, *by = NULL;
    size_t n = 0;
    TRY(query_representations_of(r, ARGS(val_digest(person)), mem, &of));
    TRY(query_representations_by(r, ARGS(val_digest(person)), mem, &by));
    BUF_LIT(out, "\"representations\":[");
    for (; of; of = of->next) {
        if (n++)
            BUF_LIT(out, ",");
        print_one(registry, of, false, lang, out);
    }
    for (; by; by = by->next) {
        if (n++)
            BUF_LIT(out, ",");
        print_one(registry, by, true, lang, out);
    }
    BUF_LIT(out, "]");
    return out->failed ? E_TOO_LARGE : E_OK;
}
