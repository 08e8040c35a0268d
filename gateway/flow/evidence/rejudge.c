/* The second judgement of a paper (sureness.h). */
#include "flow/evidence/sureness.h"

#include "base/log.h"
#include "base/metrics.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"

#define REBUILDS 8
#define PAGE 200
#define SIGNERS_MAX 100000

/* One paper while it is judged anew. */
struct second {
    struct gateway *g;
    struct reader *r;
    arena *mem;
    instant now;
    struct trust *trust;
    struct registry *registry;
    struct row_document *d;
    struct kept_certificate kept[SIGNATURES_MAX];
    struct revocation_used used[SIGNATURES_MAX];
    digest fingerprint[SIGNATURES_MAX];
    size_t n;
    enum evidence_level level;
    struct fault *f;
};

/* By the certificates as they were kept, at the time of the receipt.  Other faults than a revocation come from
 * a list that has changed since, and say nothing against the paper. */
static enum second_judgement
judge(struct second *s)
{
    enum evidence_level best = LEVEL_REFUSED;
    for (size_t i = 0; i < s->n; i++) {
        struct signer signer;
        enum evidence_level level;
        void *pkey;
        struct fault f;
        fault_init(&f);
        err e = trust_judge_copy(s->trust, s->kept[i].leaf, s->kept[i].rest, s->kept[i].n_rest,
                                 s->d->received_at, s->mem, &signer, &level, &s->used[i], &pkey, &f);
        if (e == E_CERT_REVOKED)
            return SURENESS_RECALLED;
        if (e != E_OK)
            return SURENESS_SAME;
        s->fingerprint[i] = signer.fingerprint;
        best = level > best ? level : best;
    }
    s->level = best;
    return s->n > 0 && (int64_t)best > s->d->level ? SURENESS_RAISED : SURENESS_SAME;
}

static err
print_verdict(const struct second *s, enum second_judgement said, view *ret_text, view *ret_evidence)
{
    struct buf text, evidence;
    char when[32];
    buf_init(&text, 64u << 10);
    buf_init(&evidence, 2u << 20);
    buf_printf(&text, "{\"code\":\"%s\",\"judged_at\":\"%.*s\",\"judged_for\":\"",
               said == SURENESS_RECALLED ? err_info(E_CERT_REVOKED)->code : "ok",
               VIEW_ARG(instant_print(s->now, when)));
    buf_printf(&text, "%.*s\",\"level\":\"%s\",\"revocation\":[",
               VIEW_ARG(instant_print(s->d->received_at, when)),
               evidence_level_word(said == SURENESS_RECALLED ? LEVEL_REFUSED : s->level));
    BUF_LIT(&evidence, "{\"revocation\":[");
    for (size_t i = 0; i < s->n; i++) {
        const struct revocation_used *used = &s->used[i];
        buf_printf(&text, "%s{\"at\":\"%.*s\",\"id\":\"", i ? "," : "",
                   VIEW_ARG(instant_print(used->this_update, when)));
        buf_add_hex(&text, digest_view(&used->id));
        buf_printf(&text, "\",\"source\":\"%s\"}", revocation_source_word(used->source));
        digest fingerprint = sha256(s->kept[i].leaf);
        view response = trust_response(s->trust, &fingerprint, s->mem);
        buf_printf(&evidence, "%s{\"response\":\"", i ? "," : "");
        buf_add_base64(&evidence, response.p ? response : V(""));
        BUF_LIT(&evidence, "\"}");
    }
    BUF_LIT(&text, "],\"version\":1}");
    BUF_LIT(&evidence, "]}");
    bool failed = text.failed || evidence.failed;
    *ret_text = failed ? VIEW_NONE : arena_dup(s->mem, buf_view(&text));
    *ret_evidence = failed ? VIEW_NONE : arena_dup(s->mem, buf_view(&evidence));
    buf_done(&text);
    buf_done(&evidence);
    return ret_text->p && ret_evidence->p ? E_OK : E_TOO_LARGE;
}

static err
add_verdict(const struct second *s, struct unit *u, enum second_judgement said)
{
    struct row_verdict *row = unit_add_verdict(u);
    struct data_key key;
    view text, evidence, sealed;
    digest leaf;
    if (!row)
        return E_TOO_LARGE;
    TRY(print_verdict(s, said, &text, &evidence));
    row->id = uid_new();
    row->document = s->d->id;
    row->digest = sha256(text);
    row->level = (int64_t)(said == SURENESS_RECALLED ? LEVEL_REFUSED : s->level);
    row->code = said == SURENESS_RECALLED ? view_of(err_info(E_CERT_REVOKED)->code) : V("ok");
    row->at = s->now;
    row->key = s->d->key;
    TRY(seal_load_key(s->g->seal, s->r, s->d->key, s->mem, &key));
    err e = seal_box(&key, V("verdict"), row->id, text, u->mem, &row->verdict);
    if (e == E_OK)
        e = seal_box(&key, V("evidence"), row->id, evidence, u->mem, &sealed);
    data_key_forget(&key);
    TRY(e);
    unit_body(u, sealed, &row->evidence_at);
    return evidence_leaf(u, "verdict", row->id, &row->digest, 1, s->now, &leaf);
}

/* The claims that this application opened, to those who were not told. */
static err
open_claims(const struct second *s, const struct plan_input *in, struct unit *u)
{
    struct row_claim *claims = NULL;
    struct row_permission *permissions = NULL;
    struct row_delivery *past = NULL;
    TRY(query_claims_of_case(s->r, ARGS(val_uid(&in->in_case.u)), s->mem, &claims));
    TRY(query_permissions_of_case(s->r, ARGS(val_uid(&in->in_case.u)), s->mem, &permissions));
    TRY(query_deliveries_of_case(s->r, ARGS(val_uid(&in->in_case.u)), s->mem, &past));
    for (const struct row_claim *c = claims; c; c = c->next) {
        const struct row_permission *p = permissions;
        while (p && !(uid_eq(p->document, s->d->id) && uid_eq(p->recipient, c->recipient)))
            p = p->next;
        if (p && !plan_had(past, c, s->d->id) &&
            plan_is_sure(s->g, s->registry, c->recipient, (int64_t)s->level, 0))
            TRY(plan_delivery(in, u, c, p, s->d->id, "claim.opened"));
    }
    return E_OK;
}

/* A permission that has become sure releases every paper of the case. */
static err
release(const struct second *s, const struct plan_input *in, struct unit *u, size_t *ret)
{
    enum document_kind kind = document_kind_of(s->d->kind);
    struct row_document *list = NULL;
    struct paper paper = *in->raised;
    if (kind != KIND_APPLICATION && kind != KIND_PERMISSION)
        return plan_released(in, u, &paper, ret);
    TRY(open_claims(s, in, u));
    TRY(query_documents_of_case(s->r, ARGS(val_uid(&in->in_case.u)), s->mem, &list));
    for (const struct row_document *d = list; d; d = d->next) {
        paper = paper_of(d, "document.available");
        if (view_eq(d->state, V("current")))
            TRY(plan_released(in, u, &paper, ret));
    }
    return E_OK;
}

static err
plan_in_case(const struct second *s, struct unit *u, const struct row_case *in_case,
             enum second_judgement said)
{
    struct paper raised = paper_of(s->d, "document.available");
    raised.level = (int64_t)s->level;
    const struct plan_input in = {.g = s->g,
                                  .reader = s->r,
                                  .registry = s->registry,
                                  .mem = s->mem,
                                  .in_case = {in_case->id},
                                  .case_version = in_case->version + 1,
                                  .now = s->now,
                                  .raised = &raised};
    size_t n = 0;
    unit_guard(u, GUARD_case_version, ARGS(val_uid(&in_case->id), val_int(in_case->version)));
    unit_change(u, CHANGE_case_touch, ARGS(val_uid(&in_case->id), val_time(s->now)));
    const char *word = said == SURENESS_RECALLED ? "document.recalled" : "document.verified";
    TRY(timeline_add(u, in_case->id, (uid){{0}}, "gateway", (uid){{0}}, word, VIEW_NONE, s->d->id, s->now));
    TRY(plan_notices(&in, u, (doc_id){s->d->id}, word));
    return said == SURENESS_RAISED ? release(s, &in, u, &n) : E_OK;
}

static err
write_unit(struct second *s, enum second_judgement said)
{
    struct row_case *cases = NULL;
    struct unit u;
    unit_init(&u, s->mem);
    TRY(query_cases_of_document(s->r, ARGS(val_uid(&s->d->id)), s->mem, &cases));
    int64_t level = (int64_t)(said == SURENESS_RECALLED ? LEVEL_REFUSED : s->level);
    unit_change(&u, CHANGE_document_level, ARGS(val_uid(&s->d->id), val_int(level)));
    if (said == SURENESS_RECALLED)
        unit_change(&u, CHANGE_document_state, ARGS(val_uid(&s->d->id), val_text(V("recalled"))));
    if (said == SURENESS_RECALLED && document_kind_of(s->d->kind) == KIND_REPRESENTATION)
        unit_change(&u, CHANGE_representations_recall, ARGS(val_uid(&s->d->id), val_time(s->now)));
    TRY(add_verdict(s, &u, said));
    for (const struct row_case *c = cases; c; c = c->next)
        TRY(plan_in_case(s, &u, c, said));
    reader_done(TAKE(s->r));
    TRY(u.failed ? E_TOO_LARGE : store_commit(s->g->store, &u));
    if (u.rows[ROW_delivery] && s->g->wake_relay)
        s->g->wake_relay(s->g->relay);
    return E_OK;
}

static void
second_done(struct second *s)
{
    reader_done(s->r);
    trust_unref(s->trust);
    registry_unref(s->registry);
    arena_free(s->mem);
}

static err
rejudge_once(struct gateway *g, uid document, instant now, enum second_judgement *ret, struct fault *f)
{
    AUTO_DONE(second_done)
    struct second s = {.g = g,
                       .mem = arena_new(64u << 20),
                       .now = now,
                       .trust = gateway_trust(g),
                       .registry = gateway_registry(g),
                       .f = f};
    *ret = SURENESS_SAME;
    TRY(store_reader(g->store, &s.r));
    TRY(query_document(s.r, ARGS(val_uid(&document)), s.mem, &s.d));
    if (!s.d || !view_eq(s.d->state, V("current")))
        return E_OK;
    TRY(sureness_certificates(g, s.r, s.d, s.mem, s.kept, SIGNATURES_MAX, &s.n));
    enum second_judgement said = judge(&s);
    if (said != SURENESS_SAME)
        TRY(write_unit(&s, said));
    *ret = said;
    return E_OK;
}

err
sureness_rejudge(struct gateway *g, uid document, instant now, enum second_judgement *ret, struct fault *f)
{
    err e = E_STALE;
    for (int i = 0; i < REBUILDS && (e == E_STALE || e == E_PERMISSION_NEEDED || e == E_VERSION_CONFLICT);
         i++)
        e = rejudge_once(g, document, now, ret, f);
    if (e == E_OK && *ret != SURENESS_SAME)
        log_event(LOG_REJUDGE, F_UID("document", "doc", &document),
                  F_NAME("outcome", *ret == SURENESS_RAISED ? "raised" : "recalled"));
    return e;
}

err
sureness_rejudge_unsure(struct gateway *g, instant now, size_t *ret, struct fault *f)
{
    instant after = {INT64_MIN};
    *ret = 0;
    for (size_t n = PAGE; n == PAGE;) {
        AUTO(arena_free) arena *mem = arena_new(64u << 20);
        AUTO(reader_done) struct reader *r = NULL;
        struct row_document *list = NULL;
        TRY(store_reader(g->store, &r));
        TRY(query_documents_unsure(r, ARGS(val_time(after), val_int(PAGE)), mem, &list));
        reader_done(TAKE(r));
        n = 0;
        for (const struct row_document *d = list; d; d = d->next, n++) {
            enum second_judgement said;
            after = d->received_at;
            TRY(sureness_rejudge(g, d->id, now, &said, f));
            *ret += said != SURENESS_SAME;
        }
    }
    return E_OK;
}

/* Papers by id, so that the reader's snapshot need not stay open while they are judged. */
static err
papers_of(struct gateway *g, const digest *issued, bool all, arena *mem, uid **ret, size_t *ret_n)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_signer *signers = NULL;
    struct row_document *unsure = NULL;
    size_t n = 0;
    TRY(store_reader(g->store, &r));
    if (all)
        TRY(query_signers_of(r, ARGS(val_digest(issued), val_int(SIGNERS_MAX)), mem, &signers));
    else
        TRY(query_documents_unsure_of(r, ARGS(val_digest(issued)), mem, &unsure));
    for (const struct row_signer *row = signers; row; row = row->next)
        n++;
    for (const struct row_document *row = unsure; row; row = row->next)
        n++;
    uid *ids = arena_make_array(mem, n + 1, uid);
    if (!ids)
        return E_TOO_LARGE;
    n = 0;
    for (const struct row_signer *row = signers; row; row = row->next)
        ids[n++] = row->document;
    for (const struct row_document *row = unsure; row; row = row->next)
        ids[n++] = row->id;
    *ret = ids;
    *ret_n = n;
    return E_OK;
}

err
sureness_rejudge_signer(struct gateway *g, view issuer, view serial, bool all, instant now, size_t *ret,
                        struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(256u << 20);
    digest issued = BLIND(g->seal, "issued", issuer, serial);
    uid *ids = NULL;
    size_t n = 0;
    *ret = 0;
    TRY(papers_of(g, &issued, all, mem, &ids, &n));
    for (size_t i = 0; i < n; i++) {
        enum second_judgement said;
        TRY(sureness_rejudge(g, ids[i], now, &said, f));
        *ret += said != SURENESS_SAME;
    }
    return E_OK;
}
