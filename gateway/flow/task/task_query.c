/* Asking a holder by the wire: a signed question to its `records_url`, and its signed papers taken in like any others.
 *
 * Question: POST {"task","item","subject","mandate"} with X-JWS-Signature, a detached JWS by the gateway's key (JWKS).  Answer, one of
 *   {"state":"answered","files":[{"sha256","media","content"}],"records":[{"media","content","jws"?,"cms"?}]}   content in base64
 *   {"state":"promised"|"refused",…}                                                                             as POST /v1/tasks/{id}/answer
 *   {"state":"not_yet","retry":"2026-03-09T00:00:00Z"}
 * The papers' own signatures count; the answer as a whole is believed in nothing. */
#include "flow/task/task_inside.h"

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/evidence/keyring.h"
#include "flow/intake/accept.h"
#include "flow/intake/attachment.h"

#define STEP_MEMORY ((size_t)320 << 20)
#define STEPS_AT_ONCE 16
#define ANSWER_MAX ((size_t)64 << 20)
#define RETRY SPAN_SECONDS(900)
#define LIST_MAX 64

struct asking {
    struct gateway *g;
    arena *mem;
    instant now;
    const struct partner *owner;
    struct row_task *task;
    view url;
};

/* -- before -- */

/* Committed before the call: two steps do not ask at once, and what fails is asked again later.  The version stays: the owner has seen no other task. */
static err
begin(struct asking *a, struct reader *r, bool *ret_go)
{
    const struct row_permission *mandate = NULL;
    const struct row_task *t = a->task;
    struct unit u;
    unit_init(&u, a->mem);
    TRY(task_any_mandate(r, t, a->now, a->mem, &mandate));
    a->url = partner_option(a->owner, "records_url");
    *ret_go = mandate && a->url.n;
    unit_guard(&u, GUARD_task_due, ARGS(val_uid(&t->id), val_time(t->next_at)));
    unit_change(&u, CHANGE_task_next,
                ARGS(val_uid(&t->id), val_time(*ret_go ? instant_add(a->now, RETRY) : INSTANT_NONE)));
    return store_commit(a->g->store, &u);
}

static err
question(struct asking *a, struct adapter_call *ret)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(a->g);
    view json, etag, signature;
    TRY(store_reader(a->g->store, &r));
    TRY(task_show(a->g, a->owner->id, (task_id){a->task->id}, a->now, a->mem, &json, &etag, NULL));
    TRY(jws_sign(keys->signing, V("\"typ\":\"claimgate-record-query+jwt\""), json, true, a->mem, &signature));
    *ret = (struct adapter_call){
        .method = "POST",
        .url = a->url,
        .headers = {{"Content-Type", V("application/json")}, {"X-JWS-Signature", signature}},
        .n_headers = 2,
        .body = json,
        .answer_max = ANSWER_MAX};
    return E_OK;
}

/* -- after -- */

static err
keep_file(struct asking *a, const json_t *file)
{
    view content;
    bool created;
    TRY(text_base64_decode(json_text(file, "content"), a->mem, &content));
    digest d = sha256(content);
    view media = json_text(file, "media");
    return attachment_put(a->g, a->owner->id, json_text(file, "sha256"), content, &d,
                          media.n ? media : V("application/octet-stream"), a->now, a->mem, &created, NULL);
}

static err
keep_record(struct asking *a, const json_t *record)
{
    struct acceptance done = {0};
    struct issues issues;
    struct fault f;
    view jws = json_text(record, "jws"), cms = json_text(record, "cms"), media = json_text(record, "media");
    struct submission s = {.intake = INTAKE_ACCIDENT,
                           .media = view_find(media, V("xml")) < media.n ? FHIR_XML : FHIR_JSON,
                           .cms_header = cms.n ? cms : VIEW_NONE,
                           .jws_header = jws.n ? jws : VIEW_NONE,
                           .sender = a->owner->id,
                           .client = V("records-query"),
                           .received = a->now};
    fault_init(&f);
    issues_init(&issues, a->mem, 1000);
    TRY(text_base64_decode(json_text(record, "content"), a->mem, &s.body));
    s.body_digest = sha256(s.body);
    err e = accept_document(a->g, &s, a->mem, &issues, &done, &f);
    if (e != E_OK)
        accept_refused(a->g, &s, "RECORD_QUERY", &f);
    return e;
}

static err
keep_all(struct asking *a, const json_t *answer)
{
    const json_t *files = json_member(answer, "files"), *records = json_member(answer, "records");
    err e = E_OK;
    if (json_array_size(files) > LIST_MAX || json_array_size(records) > LIST_MAX)
        return E_TOO_LARGE;
    for (size_t i = 0; i < json_array_size(files) && e == E_OK; i++)
        e = keep_file(a, json_array_get(files, i));
    for (size_t i = 0; i < json_array_size(records) && e == E_OK; i++)
        e = keep_record(a, json_array_get(records, i));
    return e;
}

static err
not_yet(struct asking *a, const json_t *answer)
{
    instant retry;
    struct unit u;
    if (instant_parse(json_text(answer, "retry"), &retry, NULL) != E_OK || retry.us <= a->now.us)
        return E_OK; /* then after the usual while */
    unit_init(&u, a->mem);
    unit_guard(&u, GUARD_task_version, ARGS(val_uid(&a->task->id), val_int(a->task->version)));
    unit_change(&u, CHANGE_task_next, ARGS(val_uid(&a->task->id), val_time(retry)));
    return store_commit(a->g->store, &u);
}

static err
judge(struct asking *a, const struct adapter_answer *said)
{
    json_t *answer = NULL;
    view json, etag, version = arena_printf(a->mem, "\"%lld\"", (long long)a->task->version);
    if (said->status != 200)
        return E_NETWORK;
    TRY(json_load(said->body, a->mem, &answer, NULL));
    view state = json_text(answer, "state");
    if (view_eq(state, V("answered")))
        return keep_all(a, answer);
    if (view_eq(state, V("not_yet")))
        return not_yet(a, answer);
    const struct task_word w = {a->owner->id, {a->task->id}, said->body, version, a->now};
    return task_answer(a->g, &w, a->mem, &json, &etag, NULL);
}

static err
step_one(struct gateway *g, uid id, task_fetch fetch, void *self, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(STEP_MEMORY);
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    AUTO(reader_done) struct reader *r = NULL;
    struct asking a = {.g = g, .mem = mem, .now = now};
    struct adapter_call call;
    struct adapter_answer said = {.retry_after = -1};
    bool go = false;
    TRY(store_reader(g->store, &r));
    TRY(query_task(r, ARGS(val_uid(&id)), mem, &a.task));
    a.owner = a.task ? registry_partner(registry, (partner_id){a.task->owner}) : NULL;
    if (!a.owner)
        return E_STORE_CORRUPT;
    TRY(begin(&a, r, &go));
    reader_done(TAKE(r));
    if (!go)
        return E_OK;
    TRY(question(&a, &call));
    fetch(self, &call, mem, &said);
    return judge(&a, &said);
}

err
task_step(struct gateway *g, task_fetch fetch, void *self, instant now, size_t *ret_n)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_task *due = NULL;
    *ret_n = 0;
    TRY(store_reader(g->store, &r));
    TRY(query_tasks_due(r, ARGS(val_time(now), val_int(STEPS_AT_ONCE)), mem, &due));
    reader_done(TAKE(r));
    for (; due; due = due->next, ++*ret_n) {
        err e = step_one(g, due->id, fetch, self, now);
        if (e != E_OK && e != E_STALE) /* somebody changed it meanwhile: it is looked at again */
            log_event(LOG_INTERNAL, F_CODE("code", e));
    }
    return E_OK;
}
