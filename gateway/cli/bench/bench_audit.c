#include "cli/bench/bench.h"
#include "cli/check/audit.h"

#include "flow/evidence/evidence.h"
#include "signing/log/receipt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A store as a run of the gateway leaves it, without the run: units with the rows and lengths that an accepted document, its deliveries and a
 * decision make, through the same commit.  Content is random, since the audit reads ciphertext as it stands. */
#define UNIT_MEMORY (1u << 20)
#define FACTS 900
#define VERDICT 500
#define RECEIPT 620
#define BODY 400

struct filling {
    struct store *store;
    atomic_long next;
    long entries;
    atomic_int failed;
};

static view
random_view(struct unit *u, size_t n)
{
    char *p = arena_alloc(u->mem, n);
    if (!p)
        return VIEW_NONE;
    random_bytes(p, n);
    return view_make(p, n);
}

static digest
random_digest(void)
{
    digest d;
    random_bytes(d.b, sizeof d.b);
    return d;
}

/* base64url as a receipt is */
static view
text_view(struct unit *u, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *p = arena_alloc(u->mem, n);
    if (!p)
        return VIEW_NONE;
    random_bytes(p, n);
    for (size_t i = 0; i < n; i++)
        p[i] = letters[(uint8_t)p[i] % 64];
    return view_make(p, n);
}

static void
add_document(struct unit *u, uid document, uid in_case, instant now)
{
    struct row_document *d = unit_add_document(u);
    struct row_verdict *v = unit_add_verdict(u);
    struct row_data_key *k = unit_add_data_key(u);
    if (!d || !v || !k)
        return;
    *d = (struct row_document){.id = document,
                               .kind = V("diagnosis"),
                               .signer = uid_new(),
                               .sender = uid_new(),
                               .identity = random_digest(),
                               .body = random_digest(),
                               .media = V("json"),
                               .bytes = BODY,
                               .key = uid_new(),
                               .received_at = now,
                               .state = V("current"),
                               .level = 3,
                               .facts_version = 1,
                               .next = d->next};
    unit_body(u, random_view(u, BODY), &d->body_at);
    unit_body(u, random_view(u, FACTS), &d->facts_at);
    *v = (struct row_verdict){.id = uid_new(),
                              .document = document,
                              .digest = random_digest(),
                              .level = 3,
                              .code = V("ok"),
                              .at = now,
                              .key = d->key,
                              .verdict = random_view(u, VERDICT),
                              .next = v->next};
    unit_body(u, random_view(u, VERDICT), &v->evidence_at);
    *k = (struct row_data_key){
        .id = d->key, .scope = V("document"), .wrapped = random_view(u, 48), .since = now};
    struct row_case *c = unit_add_case(u);
    struct row_case_document *l = unit_add_case_document(u);
    if (!c || !l)
        return;
    *c = (struct row_case){
        .id = in_case, .version = 1, .state = V("open"), .created_at = now, .updated_at = now};
    *l = (struct row_case_document){.case_id = in_case, .document = document, .facts_version = 1, .at = now};
}

static void
add_outcome(struct unit *u, uid document, uid in_case, instant now)
{
    struct row_permission *p = unit_add_permission(u);
    struct row_delivery *d = unit_add_delivery(u);
    struct row_event *e = unit_add_event(u);
    struct row_decision *decision = unit_add_decision(u);
    if (!p || !d || !e || !decision)
        return;
    *p = (struct row_permission){.id = uid_new(),
                                 .case_id = in_case,
                                 .subject = random_digest(),
                                 .recipient = uid_new(),
                                 .kind = V("consent"),
                                 .purpose = V("claim"),
                                 .valid_from = now,
                                 .uses_left = -1,
                                 .document = document,
                                 .key = uid_new(),
                                 .detail = random_view(u, 200)};
    *d = (struct row_delivery){.id = uid_new(),
                               .recipient = p->recipient,
                               .case_id = in_case,
                               .document = document,
                               .permission = p->id,
                               .kind = V("document"),
                               .state = V("available"),
                               .created_at = now,
                               .case_version = 1};
    *e = (struct row_event){.recipient = {{1}},
                            .id = uid_new(),
                            .type = V("document.accepted"),
                            .case_id = in_case,
                            .document = document,
                            .delivery = d->id,
                            .case_version = 1,
                            .at = now};
    *decision = (struct row_decision){.id = uid_new(),
                                      .claim = uid_new(),
                                      .by = p->recipient,
                                      .kind = V("decision"),
                                      .at = now,
                                      .key = p->key,
                                      .body = random_view(u, 300),
                                      .receipt = text_view(u, RECEIPT)};
}

static err
write_unit(struct filling *s)
{
    AUTO(arena_free) arena *mem = arena_new(UNIT_MEMORY);
    struct unit u;
    digest leaf;
    const uid document = uid_new(), in_case = uid_new();
    const instant now = clock_now();
    const digest parts[] = {random_digest(), random_digest()};
    unit_init(&u, mem);
    add_document(&u, document, in_case, now);
    add_outcome(&u, document, in_case, now);
    struct row_reception *r = unit_add_reception(&u);
    if (!r)
        return E_TOO_LARGE;
    TRY(evidence_leaf(&u, "accept", document, parts, COUNT_OF(parts), now, &leaf));
    *r = (struct row_reception){.id = uid_new(),
                                .document = document,
                                .sender = uid_new(),
                                .client = V("client"),
                                .receipt = text_view(&u, RECEIPT),
                                .leaf = leaf,
                                .at = now,
                                .case_id = in_case,
                                .outcome = V("accepted")};
    return store_commit(s->store, &u);
}

static void *
fill_thread(void *self)
{
    struct filling *s = self;
    while (!atomic_load(&s->failed) && atomic_fetch_add(&s->next, 1) < s->entries) {
        err e = write_unit(s);
        if (e != E_OK)
            atomic_store(&s->failed, (int)e);
    }
    return NULL;
}

static err
fill(const char *dir, long entries, long threads, struct fault *f)
{
    AUTO(store_close) struct store *store = NULL;
    pthread_t list[256];
    const struct store_options o = {
        .dir = dir, .readers = 1, .group_window_us = 1000, .leaf_hash = evidence_leaf_hash};
    TRY(store_open(&o, &store, f));
    struct filling s = {.store = store, .entries = entries};
    long started = 0;
    while (started < threads && pthread_create(&list[started], NULL, fill_thread, &s) == 0)
        started++;
    for (long i = 0; i < started; i++)
        pthread_join(list[i], NULL);
    return (err)atomic_load(&s.failed);
}

int
run_bench_audit(struct args *a)
{
    char own[BENCH_PATH];
    const char *dir = args_value(a, "keep");
    struct fault f;
    long entries = args_number(a, "entries", 20000), threads = args_number(a, "threads", 64);
    fault_init(&f);
    digest_start();
    if (entries < 1 || threads < 1 || threads > 256)
        return command_usage(a, "needs --entries of 1 or more and --threads of 1 to 256");
    err e = dir ? E_OK : bench_folder(own, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    dir = dir ? dir : own;
    int64_t begun = clock_monotonic_us();
    e = fill(dir, entries, threads, &f);
    double seconds = (double)(clock_monotonic_us() - begun) / 1e6;
    if (a->json)
        printf("{\"written\":%ld,\"seconds\":%.2f}\n", entries, seconds);
    else
        printf("%ld entries written in %.1f s\n", entries, seconds);
    fflush(stdout);
    int code = e == E_OK ? audit_folder(a, dir, NULL, 0, NULL) : command_fail(a, e, &f);
    if (!args_value(a, "keep"))
        bench_remove(dir);
    return code;
}
