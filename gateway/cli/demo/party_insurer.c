#include "cli/demo/party.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/demo/party_server.h"
#include "relay/relay.h"
#include "signing/jose/jws.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TICK_MS 60
#define FEED_EVERY_US 80000
#define CLOCK_SKEW_S 300

/* How each insurer behaves. */
static const struct manner {
    const char *name;
    bool feed;       /* pulls /v1/events; all others have a webhook */
    int64_t slow_us; /* answers a webhook so much later */
    int failures;    /* so many first webhooks are answered with 503 */
    bool decides;    /* signs a decision for its first claim with lines */
} manners[] = {
    {"l1", true, 0, 0, false},  {"l2", false, 0, 0, true},  {"l3", false, 0, 0, false},
    {"p1", false, 0, 0, false}, {"p2", false, 0, 2, false}, {"p3", false, 3000000, 0, false},
};

/* A thing by its text id, in a list that grows. */
struct known {
    char id[64];
    int64_t answered_us; /* event: wall clock of our 2xx, or of the page that brought it */
    bool lines, diagnosis, told, original, announced;
    bool waiting; /* claim: to be fetched */
};
struct list {
    struct known *items;
    size_t n, room;
};

struct insurer {
    struct party p;
    const struct manner *manner;
    struct server server;
    void *webhook_key;
    struct list events, claims, documents;
    int attempts, bad_signatures, failures_left, statuses, conflicts;
    bool decided, stay;
    char views[256];
    int64_t next_feed_us;
};

static struct known *
list_find(const struct list *l, view id)
{
    for (size_t i = 0; i < l->n; i++)
        if (view_eq(view_of(l->items[i].id), id))
            return &l->items[i];
    return NULL;
}

static struct known *
list_want(struct list *l, view id)
{
    struct known *k = list_find(l, id);
    if (k || id.n >= sizeof k->id)
        return k;
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 256;
        l->items = realloc(l->items, l->room * sizeof *l->items);
        if (!l->items)
            abort(); /* a size of ours */
    }
    k = &l->items[l->n++];
    memset(k, 0, sizeof *k);
    memcpy(k->id, id.p, id.n);
    return k;
}

static size_t
list_count(const struct list *l, bool lines, bool diagnosis)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += (lines && l->items[i].lines) || (diagnosis && l->items[i].diagnosis);
    return n;
}

/* -- a claim -- */

static void
note_view(struct insurer *i, view word)
{
    size_t n = strlen(i->views);
    if (!word.n || view_find(view_of(i->views), word) < n)
        return;
    snprintf(i->views + n, sizeof i->views - n, "%s%.*s", n ? " " : "", VIEW_ARG(word));
}

static bool
has_lines(const json_t *in_case)
{
    size_t k;
    json_t *expense;
    json_array_foreach(json_member(in_case, "expenses"), k,
                       expense) if (json_array_size(json_member(expense, "lines")) > 0) return true;
    return false;
}

/* The bytes as the hospital signed them, where the view covers the whole document. */
static void
fetch_original(struct insurer *i, struct known *document, view path)
{
    struct fault f;
    struct client_reply reply;
    fault_init(&f);
    if (document->original || !path.n)
        return;
    err e = client_get(i->p.client, path.p, i->p.mem, &reply, &f);
    if (e == E_OK && reply.status == 200 && reply.body.n)
        document->original = true;
    else
        party_step(&i->p, false, "original: %d %.*s", e == E_OK ? reply.status : 0,
                   VIEW_ARG(e == E_OK ? client_code(&reply) : V("network")));
}

static void
read_documents(struct insurer *i, const json_t *list)
{
    size_t k;
    json_t *one;
    json_array_foreach(list, k, one)
    {
        struct known *document = list_want(&i->documents, json_text(one, "id"));
        if (document)
            fetch_original(i, document, json_text(one, "original"));
    }
}

static bool
fetch_claim(struct insurer *i, const char *id, struct client_reply *ret)
{
    struct fault f;
    char path[96];
    fault_init(&f);
    snprintf(path, sizeof path, "/v1/claims/%s", id);
    err e = client_get(i->p.client, path, i->p.mem, ret, &f);
    if (e != E_OK)
        party_fault(&i->p, "claim", e, &f);
    else if (ret->status != 200)
        party_step(&i->p, false, "claim: %d %.*s", ret->status, VIEW_ARG(client_code(ret)));
    return e == E_OK && ret->status == 200;
}

/* Posts with If-Match; when the claim has moved meanwhile, reads it again. */
static bool
tell(struct insurer *i, const char *id, const char *what, view body, view signature, struct client_reply *ret)
{
    char path[96];
    struct fault f;
    struct client_reply claim;
    snprintf(path, sizeof path, "/v1/claims/%s/%s", id, what);
    for (int tries = 0; tries < 6; tries++) {
        if (!fetch_claim(i, id, &claim))
            return false;
        const struct net_header headers[] = {{"If-Match", claim.etag},
                                             {"Idempotency-Key", client_nonce(i->p.mem)},
                                             {"X-JWS-Signature", signature}};
        const struct client_request rq = {.method = "POST",
                                          .path = path,
                                          .body = body,
                                          .headers = headers,
                                          .n_headers = signature.n ? 3 : 2};
        fault_init(&f);
        err e = client_call(i->p.client, &rq, i->p.mem, ret, &f);
        if (e != E_OK) {
            party_fault(&i->p, what, e, &f);
            return false;
        }
        if (ret->status != 412)
            return true;
        i->conflicts++;
    }
    return true;
}

static void
tell_status(struct insurer *i, const char *id, const char *state)
{
    struct client_reply reply;
    view body = arena_printf(i->p.mem, "{\"state\":\"%s\"}", state);
    if (!tell(i, id, "status", body, VIEW_NONE, &reply))
        return;
    if (reply.status == 200)
        i->statuses++;
    else
        party_step(&i->p, false, "status %s: %d %.*s", state, reply.status, VIEW_ARG(client_code(&reply)));
}

/* A decision moves money, so it is signed by the insurer; without the signature it is refused. */
static void
decide(struct insurer *i, const char *id)
{
    struct fault f;
    struct client_reply reply;
    view signature, body = V("{\"outcome\":\"approved\",\"amount\":{\"amount\":\"40000\",\"currency\":"
                             "\"TWD\"},\"reason\":\"reimbursement up to the limit of the policy\"}");
    i->decided = true;
    party_say("{\"decided\":\"%s\"}", id);
    if (tell(i, id, "decision", body, VIEW_NONE, &reply))
        party_refused(&i->p, "decision without the insurer's signature", "decision-unsigned", &reply);
    fault_init(&f);
    err e = party_sign(&i->p, i->p.name, body, true, &signature, &f);
    if (e != E_OK) {
        party_fault(&i->p, "decision", e, &f);
        return;
    }
    if (!tell(i, id, "decision", body, signature, &reply))
        return;
    view state = json_text(json_member(reply.json, "claim"), "state");
    party_step(&i->p, reply.status == 200 && view_eq(state, V("approved")),
               "%s decides: approved, NT$40,000, signed (JWS): %.*s, %.1f ms", i->p.name,
               VIEW_ARG(reply.status == 200 ? state : client_code(&reply)), (double)reply.took.us / 1000);
}

static void
look_at(struct insurer *i, struct known *claim)
{
    struct client_reply reply;
    char id[sizeof claim->id];
    claim->waiting = false;
    memcpy(id, claim->id, sizeof id);
    if (!fetch_claim(i, id, &reply))
        return;
    const json_t *in_case = json_member(reply.json, "case"),
                 *documents = json_member(reply.json, "documents");
    claim->lines = has_lines(in_case);
    claim->diagnosis = json_array_size(json_member(in_case, "diagnoses")) > 0;
    note_view(i, json_text(reply.json, "view"));
    read_documents(i, documents);
    if (claim->told || !json_array_size(documents))
        return;
    claim->told = true;
    bool to_decide = i->manner->decides && !i->decided && claim->lines;
    tell_status(i, id, "documents_complete");
    tell_status(i, id, "in_review");
    if (to_decide)
        decide(i, id);
}

static void
look_at_one(struct insurer *i)
{
    for (size_t k = 0; k < i->claims.n; k++) {
        if (!i->claims.items[k].waiting)
            continue;
        look_at(i, &i->claims.items[k]);
        arena_reset(i->p.mem);
        return;
    }
}

static bool
has_work(const struct insurer *i)
{
    for (size_t k = 0; k < i->claims.n; k++)
        if (i->claims.items[k].waiting)
            return true;
    return false;
}

static void
take_event(struct insurer *i, view event, view claim)
{
    struct known *e = list_want(&i->events, event), *c = claim.n ? list_want(&i->claims, claim) : NULL;
    if (e && !e->answered_us)
        e->answered_us = clock_now().us;
    if (c)
        c->waiting = true;
}

/* -- webhook -- */

static bool
webhook_holds(struct insurer *i, const struct webhook *w)
{
    int64_t timestamp = 0, now = instant_unix(clock_now());
    if (text_to_i64(w->timestamp, &timestamp) != E_OK || timestamp > now + CLOCK_SKEW_S ||
        timestamp < now - CLOCK_SKEW_S)
        return false;
    return webhook_verify(i->webhook_key, w->id, timestamp, w->body, w->signature, i->p.mem) == E_OK;
}

static int
on_webhook(void *self, const struct webhook *w, int64_t *ret_put_off_us)
{
    struct insurer *i = self;
    json_t *json = NULL;
    i->attempts++;
    if (i->failures_left > 0) {
        i->failures_left--;
        return 503;
    }
    if (!webhook_holds(i, w) || json_load(w->body, i->p.mem, &json, NULL) != E_OK) {
        i->bad_signatures++;
        return 401;
    }
    *ret_put_off_us = i->manner->slow_us;
    take_event(i, w->id, json_text(json_member(json, "data"), "claim"));
    struct known *event = list_find(&i->events, w->id);
    if (event)
        event->answered_us += i->manner->slow_us;
    return 200;
}

static err
read_webhook_key(struct insurer *i, struct fault *f)
{
    struct client_reply reply;
    const struct client_request rq = {.method = "GET", .path = "/.well-known/jwks.json", .anonymous = true};
    size_t k;
    json_t *one;
    TRY(client_call(i->p.client, &rq, i->p.mem, &reply, f));
    json_array_foreach(json_member(reply.json, "keys"), k, one)
    {
        enum jose_alg alg;
        view kid;
        if (view_eq(json_text(one, "kty"), V("OKP")))
            return jwk_read(one, &i->webhook_key, &alg, &kid, i->p.mem, f);
    }
    return fault_set(f, E_NOT_FOUND, "/.well-known/jwks.json", "an Ed25519 key", "none");
}

static err
open_webhook(struct insurer *i, struct fault *f)
{
    struct client_reply reply;
    TRY(read_webhook_key(i, f));
    TRY(server_open(&i->server, on_webhook, i));
    view body = arena_printf(i->p.mem, "{\"url\":\"http://127.0.0.1:%d/claims\"}", i->server.port);
    const struct net_header once = {"Idempotency-Key", client_nonce(i->p.mem)};
    const struct client_request rq = {
        .method = "POST", .path = "/v1/webhook-endpoints", .body = body, .headers = &once, .n_headers = 1};
    TRY(client_call(i->p.client, &rq, i->p.mem, &reply, f));
    return reply.status == 201 ? E_OK
                               : fault_set(f, E_NETWORK, "/v1/webhook-endpoints", "201", "another status");
}

/* -- feed -- */

static void
pull(struct insurer *i)
{
    struct fault f;
    struct client_reply page, committed;
    size_t k;
    json_t *one;
    fault_init(&f);
    if (!i->manner->feed || clock_monotonic_us() < i->next_feed_us)
        return;
    i->next_feed_us = clock_monotonic_us() + FEED_EVERY_US;
    err e = client_get(i->p.client, "/v1/events?consumer=main&limit=100", i->p.mem, &page, &f);
    if (e != E_OK || page.status != 200 || !json_array_size(json_member(page.json, "data")))
        return;
    json_array_foreach(json_member(page.json, "data"), k, one)
        take_event(i, json_text(one, "id"), json_text(one, "claim"));
    view body =
        arena_printf(i->p.mem, "{\"cursor\":\"%.*s\"}", VIEW_ARG(json_text(page.json, "next_cursor")));
    e = client_post(i->p.client, "/v1/consumers/main/commit", body, i->p.mem, &committed, &f);
    i->attempts++;
    if (e != E_OK || committed.status != 200)
        party_step(&i->p, false, "commit of the feed: %d", e == E_OK ? committed.status : 0);
}

/* -- the end: what came against what the feed lists -- */

struct proof {
    size_t listed, missing, n_spans;
    int64_t *spans;
};

static void
compare_event(struct insurer *i, const json_t *event, struct proof *r)
{
    instant at;
    const struct known *k = list_find(&i->events, json_text(event, "id"));
    struct known *document = list_find(&i->documents, json_text(event, "document"));
    if (document)
        document->announced = true;
    r->listed++;
    if (!k || !k->answered_us) {
        r->missing++;
        return;
    }
    int64_t *more = realloc(r->spans, (r->n_spans + 1) * sizeof *more);
    if (!more)
        abort(); /* a size of ours */
    r->spans = more;
    if (instant_parse(json_text(event, "time"), &at, NULL) == E_OK)
        r->spans[r->n_spans++] = k->answered_us > at.us ? k->answered_us - at.us : 0;
}

static bool
compare_feed(struct insurer *i, struct proof *r)
{
    struct fault f;
    char path[256] = "/v1/events?limit=200";
    fault_init(&f);
    *r = (struct proof){.spans = NULL};
    for (;;) {
        struct client_reply page;
        size_t k;
        json_t *one;
        err e = client_get(i->p.client, path, i->p.mem, &page, &f);
        if (e != E_OK || page.status != 200)
            return false;
        json_array_foreach(json_member(page.json, "data"), k, one) compare_event(i, one, r);
        snprintf(path, sizeof path, "/v1/events?limit=200&cursor=%.*s",
                 VIEW_ARG(json_text(page.json, "next_cursor")));
        if (!json_bool(page.json, "has_more", false))
            return true;
    }
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
report(struct insurer *i, const struct proof *r)
{
    size_t lines = list_count(&i->claims, true, false), diagnosis = list_count(&i->claims, false, true),
           originals = 0, unannounced = 0;
    for (size_t k = 0; k < i->documents.n; k++) {
        originals += i->documents.items[k].original;
        unannounced += !i->documents.items[k].announced;
    }
    if (r->n_spans)
        qsort(r->spans, r->n_spans, sizeof *r->spans, by_size);
    party_say("{\"report\":{\"name\":\"%s\",\"via\":\"%s\",\"events\":%zu,\"listed\":%zu,\"missing\":%zu,"
              "\"unannounced\":%zu,\"claims\":%zu,\"documents\":%zu,\"originals\":%zu,\"view\":\"%s\","
              "\"lines_seen\":%zu,\"lines_not\":%zu,\"diagnosis_seen\":%zu,\"diagnosis_not\":%zu,"
              "\"attempts\":%d,\"bad_signatures\":%d,\"statuses\":%d,\"conflicts\":%d,"
              "\"median_us\":%lld}}",
              i->p.name, i->manner->feed ? "feed" : "webhook", i->events.n, r->listed, r->missing,
              unannounced, i->claims.n, i->documents.n, originals, i->views, lines, i->claims.n - lines,
              diagnosis, i->claims.n - diagnosis, i->attempts, i->bad_signatures, i->statuses, i->conflicts,
              r->n_spans ? (long long)r->spans[r->n_spans / 2] : -1LL);
}

/* -- life -- */

static void
turn(struct insurer *i, struct lines *in, int wait_ms)
{
    struct pollfd fds[SERVER_VISITS + 2];
    size_t n = 0;
    if (in && !in->ended)
        fds[n++] = (struct pollfd){.fd = in->fd, .events = POLLIN};
    if (!i->manner->feed)
        n += server_poll(&i->server, fds + n);
    int ready = poll(fds, n, has_work(i) ? 0 : wait_ms);
    if (ready > 0 && in && fds[0].fd == in->fd && fds[0].revents)
        lines_fill(in);
    if (!i->manner->feed)
        server_turn(&i->server);
    pull(i);
    look_at_one(i);
    arena_reset(i->p.mem);
}

/* Serves on until all that the feed lists has come and nothing is left to do. */
static void
finish(struct insurer *i, int64_t limit_ms)
{
    struct proof r = {.spans = NULL};
    int64_t until = clock_monotonic_us() + limit_ms * 1000;
    bool whole = false;
    while (!whole && clock_monotonic_us() < until) {
        for (int k = 0; k < 4; k++)
            turn(i, NULL, TICK_MS);
        while (has_work(i))
            turn(i, NULL, 0);
        free(r.spans);
        whole = compare_feed(i, &r) && r.missing == 0 && !server_owes(&i->server);
        arena_reset(i->p.mem);
    }
    report(i, &r);
    free(r.spans);
}

/* Another insurer's claim is not there for this one. */
static void
peek(struct insurer *i, view id)
{
    struct fault f;
    struct client_reply reply;
    fault_init(&f);
    view path = arena_printf(i->p.mem, "/v1/claims/%.*s", VIEW_ARG(id));
    err e = client_get(i->p.client, path.p, i->p.mem, &reply, &f);
    if (e == E_OK)
        party_refused(&i->p, "P3 opens a claim of L2", "not-found", &reply);
    else
        party_fault(&i->p, "peek", e, &f);
}

static void
do_job(struct insurer *i, view line)
{
    int64_t n = 0;
    view word = view_cut(&line, ' ', NULL);
    if (view_eq(word, V("finish")) && text_to_i64(line, &n) == E_OK)
        finish(i, n);
    else if (view_eq(word, V("peek")))
        peek(i, line);
    else if (view_eq(word, V("stay")))
        i->stay = true;
    party_done(word);
}

static int
serve(struct insurer *i)
{
    struct lines in;
    view line;
    lines_init(&in, STDIN_FILENO);
    party_say("{\"ready\":true}");
    while (!in.ended || i->stay) {
        turn(i, &in, TICK_MS);
        while (lines_next(&in, &line))
            do_job(i, line);
    }
    lines_done(&in);
    return EXIT_OK;
}

static void
insurer_close(struct insurer *i)
{
    server_close(&i->server);
    pkey_free(i->webhook_key);
    free(i->events.items);
    free(i->claims.items);
    free(i->documents.items);
    party_close(&i->p);
}

int
run_party_insurer(struct args *a)
{
    struct insurer i = {.server.fd = -1};
    struct fault f;
    fault_init(&f);
    for (size_t k = 0; k < SERVER_VISITS; k++)
        i.server.visits[k].fd = -1;
    for (size_t k = 0; k < COUNT_OF(manners) && a->n_positional == 1; k++)
        if (strcmp(manners[k].name, a->positional[0]) == 0)
            i.manner = &manners[k];
    if (!i.manner || !args_value(a, "dir"))
        return command_usage(a, "needs l1, l2, l3, p1, p2 or p3 and --dir DIR");
    i.failures_left = i.manner->failures;
    err e = party_open(&i.p, a, &f);
    if (e == E_OK && !i.manner->feed)
        e = open_webhook(&i, &f);
    int code = e == E_OK ? serve(&i) : command_fail(a, e, &f);
    insurer_close(&i);
    return code;
}
