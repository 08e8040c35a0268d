#include "duty/revocation.h"

#include "duty/known.h"
#include "duty/worker.h"

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "flow/evidence/sureness.h"
#include "flow/partner/registry.h"
#include "net/net.h"
#include "signing/pki/revocation.h"

#include <stdlib.h>

#define PLACES_MAX 64
#define LIST_MAX (64u << 20)
#define RESPONSE_MAX (256u << 10)
#define ROUND_MEMORY (192u << 20)
#define CHAIN_MAX 6
#define ROUND_EVERY SPAN_SECONDS(1)
/* A good answer, however short its life, is not asked for anew before. */
#define ASK_EVERY SPAN_SECONDS(15)
/* A responder's clock may be ahead of ours by so much. */
#define CLOCK_SKEW SPAN_SECONDS(60)
/* Answers are asked for anew when this part of their life is left. */
#define AHEAD_PART 4

/* One URL, whatever it serves. */
struct place {
    char url[1025];
    bool is_list;
    instant next_at;
    int failures;
    instant last_update; /* thisUpdate of the list that was read last */
};

struct revocation_duty {
    struct gateway *g;
    struct known *known;
    struct net_policy policy;
    struct place places[PLACES_MAX];
    size_t n_places;
    bool started;                           /* what is in the store has been read */
    const void *seen_registry, *seen_trust; /* the snapshots of the last round; compared only */
    struct worker worker;
};

/* Ahead of the answer's end, and at least as often as the operator wants to know. */
static instant
next_question(const struct revocation_duty *d, instant now, instant fresh_until)
{
    span refresh = config_span(d->g->config, SET_REVOCATION_REFRESH);
    int64_t left = fresh_until.us - now.us;
    int64_t wait = left - left / AHEAD_PART;
    if (wait > refresh.us)
        wait = refresh.us;
    return (instant){now.us + (wait > ASK_EVERY.us ? wait : ASK_EVERY.us)};
}

static struct place *
place_of(struct revocation_duty *d, view url, bool is_list)
{
    for (size_t i = 0; i < d->n_places; i++)
        if (view_eq(view_of(d->places[i].url), url))
            return &d->places[i];
    if (d->n_places == PLACES_MAX || url.n == 0 || url.n >= sizeof d->places[0].url)
        return NULL;
    struct place *p = &d->places[d->n_places++];
    *p = (struct place){.is_list = is_list};
    memcpy(p->url, url.p, url.n);
    return p;
}

static err
call(struct revocation_duty *d, struct place *p, const char *method, view body, size_t most, arena *mem,
     view *ret, struct fault *f)
{
    const struct net_header headers[] = {{"Content-Type", V("application/ocsp-request")}};
    struct net_request rq = {.method = method,
                             .url = view_of(p->url),
                             .headers = headers,
                             .n_headers = body.n > 0,
                             .body = body,
                             .limit = config_span(d->g->config, SET_REVOCATION_TIMEOUT),
                             .reply_max = most};
    struct net_reply reply;
    TRY(net_fetch(&d->policy, &rq, mem, &reply, f));
    if (reply.status != 200)
        return fault_setf(f, E_NETWORK, "status 200", "another", "%s", p->url);
    *ret = reply.body;
    return E_OK;
}

static void
place_failed(struct place *p, instant now, const char *what, err e)
{
    p->next_at = instant_add(now, duty_backoff(p->failures++));
    metric_add(METRIC_REVOCATION, what, 1);
    log_event(LOG_REVOCATION, F_NAME("what", what), F_CODE("code", e));
}

/* -- lists -- */

static err
keep_answer(struct revocation_duty *d, const digest *id, const char *source, instant this_update,
            instant fresh_until, view bytes)
{
    AUTO(arena_free) arena *mem = arena_new(bytes.n + (1u << 20));
    AUTO(reader_done) struct reader *r = NULL;
    struct row_answer *known = NULL;
    struct unit u;
    TRY(store_reader(d->g->store, &r));
    TRY(query_answer(r, ARGS(val_digest(id)), mem, &known));
    reader_done(TAKE(r));
    if (known)
        return E_OK;
    unit_init(&u, mem);
    struct row_answer *row = unit_add_answer(&u);
    if (!row)
        return E_TOO_LARGE;
    row->id = *id;
    row->source = view_of(source);
    row->this_update = this_update;
    row->fresh_until = fresh_until;
    row->bytes = bytes;
    return store_commit(d->g->store, &u);
}

/* The papers of those whom the list names since the last one; then those that wait. */
static err
act_on_list(struct revocation_duty *d, const struct revocation_news *news, instant since, instant now,
            struct fault *f)
{
    size_t n;
    for (size_t i = 0; i < news->n; i++)
        if (news->entries[i].answer.revoked_at.us >= since.us)
            TRY(sureness_rejudge_signer(d->g, news->entries[i].issuer, news->entries[i].serial, true, now, &n,
                                        f));
    return sureness_rejudge_unsure(d->g, now, &n, f);
}

static void
fetch_list(struct revocation_duty *d, struct place *p, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(ROUND_MEMORY);
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    struct revocation_news news;
    struct fault f;
    view bytes;
    fault_init(&f);
    err e = call(d, p, "GET", V(""), LIST_MAX, mem, &bytes, &f);
    if (e == E_OK)
        e = trust_learn_list(t, bytes, instant_add(now, CLOCK_SKEW), mem, &news, &f);
    if (e != E_OK) {
        place_failed(p, now, "list,refused", e);
        return;
    }
    /* A day back: a CA may enter a revocation late. */
    instant since = p->last_update.us ? instant_add(p->last_update, SPAN_DAYS(-1)) : (instant){INT64_MIN};
    p->failures = 0;
    p->last_update = news.this_update;
    p->next_at = next_question(d, now, news.fresh_until);
    metric_add(METRIC_REVOCATION, "list,ok", 1);
    e = keep_answer(d, &news.id, "crl", news.this_update, news.fresh_until, bytes);
    if (e == E_OK)
        e = act_on_list(d, &news, since, now, &f);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

static void
fetch_lists(struct revocation_duty *d, instant now)
{
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    const char *urls[PLACES_MAX];
    size_t n = trust_list_places(t, urls, PLACES_MAX);
    for (size_t i = 0; i < n; i++)
        (void)place_of(d, view_of(urls[i]), true);
    for (size_t i = 0; i < d->n_places; i++)
        if (d->places[i].is_list && d->places[i].next_at.us <= now.us)
            fetch_list(d, &d->places[i], clock_now());
}

/* -- responses -- */

static err
ask(struct revocation_duty *d, const struct trust *t, const struct known_certificate *c, struct place *p,
    arena *mem, struct revocation_answer *ret, struct fault *f)
{
    uint8_t nonce[16];
    view rest[CHAIN_MAX], request, response;
    size_t n_rest = certificates_split(c->chain, rest, CHAIN_MAX);
    random_bytes(nonce, sizeof nonce);
    view asked = view_make(nonce, sizeof nonce);
    TRY(trust_ask_status(t, c->leaf, rest, n_rest, asked, mem, &request, f));
    TRY(call(d, p, "POST", request, RESPONSE_MAX, mem, &response, f));
    return trust_learn_status(t, c->leaf, rest, n_rest, response, asked, instant_add(clock_now(), CLOCK_SKEW),
                              ret, f);
}

static void
ask_about(struct revocation_duty *d, const struct known_certificate *c, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(4u << 20);
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    struct revocation_places places;
    struct revocation_answer a;
    struct fault f;
    view issuer, serial;
    size_t n;
    fault_init(&f);
    err e = trust_places(t, c->use, c->leaf, mem, &places, &f);
    struct place *p = e == E_OK ? place_of(d, places.ocsp, false) : NULL;
    if (e == E_OK && places.crl.n > 0)
        (void)place_of(d, places.crl, true);
    if (!p) { /* no responder: its list must do */
        known_put_off(d->known, &c->fingerprint, instant_add(now, SPAN_DAYS(1)), 0);
        return;
    }
    if (p->next_at.us > now.us) { /* the responder is left alone for a while */
        known_put_off(d->known, &c->fingerprint, p->next_at, c->failures);
        return;
    }
    e = ask(d, t, c, p, mem, &a, &f);
    if (e != E_OK) {
        place_failed(p, now, "ocsp,refused", e);
        known_put_off(d->known, &c->fingerprint, p->next_at, c->failures + 1);
        return;
    }
    p->failures = 0;
    metric_add(METRIC_REVOCATION, "ocsp,ok", 1);
    known_put_off(d->known, &c->fingerprint, next_question(d, now, revocation_fresh_until(&a, (span){0})), 0);
    /* A responder tells no invalidity date, the list may: it is asked before papers are recalled. */
    struct place *list = a.status == REVOCATION_REVOKED ? place_of(d, places.crl, true) : NULL;
    if (list)
        fetch_list(d, list, now);
    if (certificate_issued(c->leaf, &issuer, &serial))
        e = sureness_rejudge_signer(d->g, issuer, serial, a.status == REVOCATION_REVOKED, now, &n, &f);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

static void
ask_all(struct revocation_duty *d)
{
    for (bool more = true; more && !worker_is_stopping(&d->worker);) {
        AUTO(arena_free) arena *mem = arena_new(1u << 20);
        struct known_certificate c;
        /* Each by its own time: a round may be long. */
        more = known_due(d->known, clock_now(), mem, &c);
        if (more)
            ask_about(d, &c, clock_now());
    }
}

/* -- what is known from before -- */

static err
read_lists(struct revocation_duty *d, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 30);
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    struct row_answer *list = NULL;
    TRY(store_reader(d->g->store, &r));
    TRY(query_answers_fresh(r, ARGS(val_time(now)), mem, &list));
    for (; list; list = list->next) {
        struct revocation_news news;
        err e = trust_learn_list(t, list->bytes, now, mem, &news, NULL);
        (void)e; /* an old one, or one of a CA that is listed no more */
    }
    return E_OK;
}

static void
add_partners(struct revocation_duty *d, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(16u << 20);
    AUTO(registry_unref) struct registry *r = gateway_registry(d->g);
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    for (size_t i = 0; i < registry_partners(r); i++) {
        const struct partner *p = registry_partner_at(r, i);
        for (size_t k = 0; k < p->n_keys; k++) {
            struct signer s;
            enum evidence_level level;
            struct revocation_used used;
            void *pkey;
            view der = p->keys[k].row->material;
            if (der.n > 0 && der.p[0] == 0x30 &&
                trust_judge_copy(t, der, NULL, 0, now, mem, &s, &level, &used, &pkey, NULL) == E_OK)
                (void)known_add(d->known, s.use, der, V(""));
        }
    }
}

static void
add_kept(struct revocation_duty *d, struct reader *r, const struct row_document *row, const struct trust *t,
         instant now)
{
    AUTO(arena_free) arena *mem = arena_new(16u << 20);
    struct kept_certificate kept[SIGNATURES_MAX];
    size_t n = 0;
    if (sureness_certificates(d->g, r, row, mem, kept, SIGNATURES_MAX, &n) != E_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        struct signer s;
        enum evidence_level level;
        struct revocation_used used;
        void *pkey;
        if (trust_judge_copy(t, kept[i].leaf, kept[i].rest, kept[i].n_rest, now, mem, &s, &level, &used,
                             &pkey, NULL) == E_OK)
            (void)known_add(d->known, s.use, kept[i].leaf, kept[i].n_rest ? kept[i].rest[0] : V(""));
    }
}

/* The signers of papers that were not sure when the gateway stopped. */
static err
add_waiting(struct revocation_duty *d, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    struct row_document *list = NULL;
    TRY(store_reader(d->g->store, &r));
    TRY(query_documents_unsure(r, ARGS(val_int(INT64_MIN), val_int(1000)), mem, &list));
    for (; list; list = list->next)
        add_kept(d, r, list, t, now);
    return E_OK;
}

/* A new registry brings certificates; a new trust list makes old answers worth asking for again. */
static void
notice_changes(struct revocation_duty *d, instant now)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(d->g);
    AUTO(trust_unref) struct trust *t = gateway_trust(d->g);
    if (t != d->seen_trust) {
        known_hurry(d->known);
        for (size_t i = 0; i < d->n_places; i++)
            d->places[i].next_at.us = 0;
    }
    if (r != d->seen_registry)
        add_partners(d, now);
    d->seen_registry = r;
    d->seen_trust = t;
}

/* -- the thread -- */

static bool
round_once(void *self)
{
    struct revocation_duty *d = self;
    instant now = clock_now();
    if (!d->started) {
        err e = read_lists(d, now);
        if (e == E_OK)
            e = add_waiting(d, now);
        if (e != E_OK)
            log_event(LOG_INTERNAL, F_CODE("code", e));
        d->started = true;
    }
    notice_changes(d, now);
    fetch_lists(d, now);
    ask_all(d);
    return false;
}

void
revocation_duty_wake(struct revocation_duty *d)
{
    worker_wake(&d->worker);
}

void
revocation_duty_seen(struct revocation_duty *d, enum trust_use use, view leaf, view chain)
{
    if (known_add(d->known, use, leaf, chain))
        revocation_duty_wake(d);
}

err
revocation_duty_start(struct gateway *g, struct revocation_duty **ret, struct fault *f)
{
    struct revocation_duty *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->g = g;
    d->known = known_new();
    d->policy = duty_calls_for_signed(g);
    err e = worker_start(&d->worker, "revocation", round_once, d, ROUND_EVERY, f);
    if (e != E_OK) {
        known_free(d->known);
        free(d);
        return e;
    }
    *ret = d;
    return E_OK;
}

void
revocation_duty_stop(struct revocation_duty *d)
{
    if (!d)
        return;
    worker_stop(&d->worker);
    known_free(d->known);
    free(d);
}
