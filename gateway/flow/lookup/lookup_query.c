/* Asking by the wire: a signed question, a signed paper as its answer, and what follows from it (docs/lookup.md).
 *
 * Question: POST of {"format":"cover-question-1",…} to the `lookup_url`, with X-JWS-Signature, a detached JWS by the gateway's key (JWKS).
 * Answer: a compact JWS whose payload is {"format":"cover-answer-1",…}.  Anything else is no answer, and is asked again within the bounds of lookup.def. */
#include "flow/lookup/lookup_inside.h"

#include "base/log.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/keyring.h"
#include "flow/intake/accept.h"

#define STEP_MEMORY ((size_t)32 << 20)
#define STEPS_AT_ONCE 16
#define ANSWER_MAX ((size_t)65536)

struct step {
    struct gateway *g;
    arena *mem;
    instant now;
    const struct partner *to;
    struct row_lookup *lookup;
    struct row_inquiry *asked;
    struct lookup_detail detail;
    struct cover_exchange x;
    view question;
    /* what came of it */
    enum inquiry word;
    err code;
    uid document;
    digest answer;
};

/* -- before -- */

static err
load(struct step *s, struct reader *r, const struct registry *registry, uid id)
{
    TRY(query_inquiry(r, ARGS(val_uid(&id)), s->mem, &s->asked));
    if (s->asked)
        TRY(query_lookup(r, ARGS(val_uid(&s->asked->lookup)), s->mem, &s->lookup));
    s->to = s->asked ? registry_partner(registry, (partner_id){s->asked->owner}) : NULL;
    if (!s->lookup || !s->to)
        return E_STORE_CORRUPT;
    return lookup_open(s->g, r, s->lookup, s->mem, &s->detail);
}

/* Each try is a question of its own: an answer to an earlier one is none to this. */
static err
make_question(struct step *s)
{
    char id[ID_TEXT_SIZE];
    struct cover_question *q = &s->x.question;
    q->id = arena_printf(s->mem, "%.*s.%lld", VIEW_ARG(inquiry_id_print((inquiry_id){s->asked->id}, id)),
                         (long long)s->asked->tries + 1);
    q->to = s->to->row->code;
    q->plate = s->detail.plate;
    q->written = s->detail.written;
    q->of_register = view_eq(s->asked->kind, INQUIRY_REGISTER);
    s->x.key = lookup_key(s->g->seal, s->lookup->id);
    if (!q->id.p || date_parse(s->detail.day, &q->day) != E_OK)
        return E_STORE_CORRUPT;
    return cover_question_print(q, s->mem, &s->question);
}

/* Committed before the call, with a leaf of what is asked; who ends in between asks again when the wait is over. */
static err
begin(struct step *s)
{
    struct unit u;
    digest leaf;
    instant until = inquiry_retry(s->asked->tries + 1, s->now);
    unit_init(&u, s->mem);
    struct row_inquiry *row = unit_add_inquiry(&u);
    if (!row)
        return E_TOO_LARGE;
    unit_guard(&u, GUARD_inquiry_due, ARGS(val_uid(&s->asked->id), val_time(s->asked->next_at)));
    *row = *s->asked;
    row->op = ROW_PUT;
    row->next = NULL;
    row->tries++;
    row->code = V(""); /* of the try before */
    row->changed_at = s->now;
    row->next_at = until.us ? until : instant_add(s->now, SPAN_SECONDS(60));
    const digest parts[] = {sha256(s->question), sha256(uid_view(&s->to->id.u))};
    TRY(evidence_leaf(&u, "cover-question", s->asked->id, parts, COUNT_OF(parts), s->now, &leaf));
    TRY(store_commit(s->g->store, &u));
    s->asked = row;
    return E_OK;
}

static err
call(struct step *s, lookup_fetch fetch, void *self, struct adapter_answer *ret)
{
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(s->g);
    view signature;
    TRY(jws_sign(keys->signing, V("\"typ\":\"claimgate-cover-question+jwt\""), s->question, true, s->mem,
                 &signature));
    const struct adapter_call c = {
        .method = "POST",
        .url = partner_option(s->to, "lookup_url"),
        .headers = {{"Content-Type", V("application/json")}, {"X-JWS-Signature", signature}},
        .n_headers = 2,
        .body = s->question,
        .answer_max = ANSWER_MAX};
    fetch(self, &c, s->mem, ret);
    return E_OK;
}

/* -- the answer -- */

static enum inquiry
inquiry_of_answer(enum cover_word w)
{
    static const enum inquiry states[COVER_WORDS] = {[COVER_INSURED] = INQUIRY_INSURED,
                                                     [COVER_NOT_OURS] = INQUIRY_NOT_OURS,
                                                     [COVER_UNINSURED] = INQUIRY_UNINSURED,
                                                     [COVER_UNKNOWN] = INQUIRY_UNKNOWN};
    return w < COVER_WORDS ? states[w] : INQUIRY_WAITING;
}

/* In like any other paper: what its signature, its signer and its words are worth is judged there. */
static err
take_in(struct step *s, const struct cover_paper *paper, struct fault *f)
{
    struct acceptance done = {0};
    struct issues issues;
    const struct submission in = {.intake = INTAKE_COVER,
                                  .media = FHIR_JSON,
                                  .body = paper->body,
                                  .body_digest = sha256(paper->body),
                                  .jws_header = paper->signature,
                                  .sender = s->to->id,
                                  .client = V("cover-lookup"),
                                  .cover = &s->x,
                                  .received = s->now};
    issues_init(&issues, s->mem, 100);
    err e = accept_document(s->g, &in, s->mem, &issues, &done, f);
    if (e != E_OK) {
        accept_refused(s->g, &in, "COVER_LOOKUP", f);
        return e;
    }
    s->document = done.document.u;
    s->word = inquiry_of_answer(s->x.answer.word);
    return E_OK;
}

static void
hear(struct step *s, const struct adapter_answer *said)
{
    struct cover_paper paper;
    struct fault f;
    fault_init(&f);
    s->word = INQUIRY_WAITING;
    s->answer = sha256(said->body);
    s->code = cover_open(said, s->mem, &paper, &f);
    if (s->code == E_OK)
        s->code = take_in(s, &paper, &f);
    if (s->code != E_OK && !inquiry_retry(s->asked->tries, s->now).us)
        s->word = INQUIRY_FAILED;
}

/* -- after -- */

/* The row of who answered, and of who is asked next or spared. */
static err
put_inquiries(struct step *s, struct reader *r, struct unit *u, struct conclusion *ret)
{
    struct row_inquiry *list = NULL;
    TRY(query_inquiries_of(r, ARGS(val_uid(&s->lookup->id)), s->mem, &list));
    for (struct row_inquiry *q = list; q; q = q->next) {
        if (!uid_eq(q->id, s->asked->id))
            continue;
        q->state = view_of(inquiry_word(s->word));
        q->code = s->code == E_OK ? V("") : view_of(err_info(s->code)->code);
        q->document = s->document;
        q->changed_at = s->now;
        q->next_at = s->word == INQUIRY_WAITING ? q->next_at : INSTANT_NONE;
    }
    *ret = lookup_conclude(list);
    bool is_over = strcmp(ret->state, "asking") != 0;
    for (struct row_inquiry *q = list; q; q = q->next) {
        struct row_inquiry *row = unit_add_inquiry(u);
        if (!row)
            return E_TOO_LARGE;
        *row = *q;
        row->op = ROW_PUT;
        row->next = NULL;
        if (q == ret->next)
            row->next_at = s->now;
        if (is_over && inquiry_of(q->state) == INQUIRY_WAITING) {
            row->state = view_of(inquiry_word(INQUIRY_SPARED));
            row->next_at = INSTANT_NONE;
        }
    }
    return E_OK;
}

static err
put_lookup(struct step *s, struct reader *r, struct unit *u, const struct conclusion *c)
{
    struct row_lookup *row = unit_add_lookup(u);
    struct data_key key;
    char from[16], to[16];
    const struct cover_answer *a = &s->x.answer;
    if (!row)
        return E_TOO_LARGE;
    unit_guard(u, GUARD_lookup_version, ARGS(val_uid(&s->lookup->id), val_int(s->lookup->version)));
    *row = *s->lookup;
    row->op = ROW_PUT;
    row->next = NULL;
    row->state = view_of(c->state);
    row->result = view_of(c->result);
    row->insurer = c->insured ? c->insured->owner : (uid){{0}};
    row->version++;
    row->changed_at = s->now;
    if (s->word != INQUIRY_INSURED)
        return E_OK;
    s->detail.insurer = a->insurer;
    s->detail.certificate_no = a->certificate_no;
    s->detail.from = date_print(a->from, from);
    s->detail.to = date_print(a->to, to);
    TRY(seal_load_key(s->g->seal, r, row->key, s->mem, &key));
    err e = lookup_seal(&key, row, &s->detail, s->mem);
    data_key_forget(&key);
    return e;
}

/* The case says something new: its version goes up, and who asked is told, without content. */
static err
tell(struct step *s, struct reader *r, struct unit *u)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(s->g);
    struct row_case *in_case = NULL;
    struct row_claim *claim = NULL;
    TRY(query_case_row(r, ARGS(val_uid(&s->lookup->case_id)), s->mem, &in_case));
    if (!in_case)
        return E_STORE_CORRUPT;
    unit_guard(u, GUARD_case_version, ARGS(val_uid(&in_case->id), val_int(in_case->version)));
    unit_change(u, CHANGE_case_touch, ARGS(val_uid(&in_case->id), val_time(s->now)));
    TRY(timeline_add(u, in_case->id, (uid){{0}}, "gateway", (uid){{0}}, "cover.answered", VIEW_NONE,
                     (uid){{0}}, s->now));
    TRY(query_claim(r, ARGS(val_uid(&s->lookup->claim)), s->mem, &claim));
    if (!claim)
        return E_OK;
    const struct plan_input in = {s->g,   r,   registry, s->mem, {in_case->id}, in_case->version + 1,
                                  s->now, NULL};
    return plan_delivery_new(&in, u, claim, NULL, (uid){{0}}, "cover.answered");
}

static err
finish_once(struct step *s)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct conclusion c;
    struct unit u;
    digest leaf;
    unit_init(&u, s->mem);
    TRY(store_reader(s->g->store, &r));
    TRY(query_lookup(r, ARGS(val_uid(&s->lookup->id)), s->mem, &s->lookup));
    TRY(put_inquiries(s, r, &u, &c));
    TRY(put_lookup(s, r, &u, &c));
    if (strcmp(c.state, "asking") != 0)
        TRY(tell(s, r, &u));
    const digest parts[] = {s->answer, sha256(view_of(inquiry_word(s->word)))};
    TRY(evidence_leaf(&u, "cover-answer", s->asked->id, parts, COUNT_OF(parts), s->now, &leaf));
    reader_done(TAKE(r));
    return store_commit(s->g->store, &u);
}

static err
step_one(struct gateway *g, uid id, lookup_fetch fetch, void *self, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(STEP_MEMORY);
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    AUTO(reader_done) struct reader *r = NULL;
    struct step s = {.g = g, .mem = mem, .now = now};
    struct adapter_answer said = {.retry_after = -1};
    TRY(store_reader(g->store, &r));
    TRY(load(&s, r, registry, id));
    reader_done(TAKE(r));
    TRY(make_question(&s));
    TRY(begin(&s));
    TRY(call(&s, fetch, self, &said));
    hear(&s, &said);
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = finish_once(&s);
    if (e == E_OK && g->wake_relay)
        g->wake_relay(g->relay);
    return e;
}

err
lookup_step(struct gateway *g, lookup_fetch fetch, void *self, instant now, size_t *ret_n)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_inquiry *due = NULL;
    *ret_n = 0;
    TRY(store_reader(g->store, &r));
    TRY(query_inquiries_due(r, ARGS(val_time(now), val_int(STEPS_AT_ONCE)), mem, &due));
    reader_done(TAKE(r));
    for (; due; due = due->next, ++*ret_n) {
        err e = step_one(g, due->id, fetch, self, now);
        if (e != E_OK && e != E_STALE) /* somebody moved it on: it is looked at again */
            log_event(LOG_INTERNAL, F_CODE("code", e));
    }
    return E_OK;
}
