#include "duty/heads.h"

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "duty/tiles.h"
#include "duty/worker.h"
#include "flow/evidence/evidence.h"
#include "net/net.h"
#include "signing/log/note.h"
#include "signing/log/witness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUND_MEMORY (1u << 20)
#define LIST_MAX 65536
#define ASK_LIMIT SPAN_SECONDS(5)
#define OK_STATUS 200
#define CONFLICT_STATUS 409

struct heads {
    struct gateway *g;
    arena *mem; /* the list */
    struct witness_key witnesses[NOTE_SIGNATURES_MAX];
    view urls[NOTE_SIGNATURES_MAX];
    uint64_t seen[NOTE_SIGNATURES_MAX]; /* size that the witness signed last */
    size_t n;
    uint64_t size; /* of the last head that stands */
    struct tile_files *tiles;
    uint64_t tiled; /* size of the head whose tiles are written */
    size_t quorum;
    int file; /* log/heads, -1 when it cannot be written */
    struct worker worker;
};

/* -- the list of witnesses -- */

static err
list_read(const char *path, arena *mem, view *ret, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = arena_alloc(mem, LIST_MAX);
    ssize_t n = fd < 0 || !text ? -1 : read(fd, text, LIST_MAX);
    if (fd >= 0)
        close(fd);
    if (n < 0 || n == LIST_MAX)
        return fault_set(f, E_FILE, path, "a readable file of less than 64 KiB", "none");
    *ret = view_make(text, (size_t)n);
    return E_OK;
}

static err
list_item(struct heads *h, const json_t *item, struct fault *f)
{
    if (h->n == NOTE_SIGNATURES_MAX)
        return fault_set(f, E_CONFIG, "log.witnesses_file", "at most 16 witnesses", "more");
    enum jose_alg alg;
    view kid;
    TRY(jwk_read(json_object_get(item, "key"), &h->witnesses[h->n].pkey, &alg, &kid, h->mem, f));
    view name = json_text(item, "name"), url = json_text(item, "url");
    bool good = pkey_default_alg(h->witnesses[h->n].pkey) == ALG_ED25519 && note_name_is_good(name) && url.n;
    h->witnesses[h->n].name = name;
    h->urls[h->n++] = url;
    return good ? E_OK
                : fault_set(f, E_CONFIG, "log.witnesses_file", "name, url and an Ed25519 key as JWK",
                            "another form");
}

static err
list_load(struct heads *h, struct fault *f)
{
    view text = VIEW_NONE;
    json_t *list = NULL, *item;
    size_t i;
    const struct config *c = h->g->config;
    if (config_text(c, SET_LOG_WITNESSES).n) {
        TRY(list_read(config_cstr(c, SET_LOG_WITNESSES), h->mem, &text, f));
        TRY(json_load(text, h->mem, &list, f));
        json_array_foreach(list, i, item)
        {
            TRY(list_item(h, item, f));
        }
    }
    h->quorum = (size_t)config_int(c, SET_LOG_QUORUM);
    return h->quorum <= h->n
               ? E_OK
               : fault_set(f, E_CONFIG, "log.quorum", "at most the number of witnesses", "more");
}

/* -- asking -- */

static err
ask_once(struct heads *h, size_t i, view checkpoint, uint64_t size, arena *mem, struct net_reply *ret,
         struct fault *f)
{
    struct witness_request rq = {.old = h->seen[i] <= size ? h->seen[i] : size, .checkpoint = checkpoint};
    view body = VIEW_NONE;
    if (rq.old > 0 && rq.old < size) {
        struct log_proof p;
        TRY(evidence_consistency(h->g, rq.old, size, mem, &p, f));
        memcpy(rq.path, p.path, sizeof rq.path);
        rq.n = p.n;
    }
    TRY(witness_request_print(&rq, mem, &body));
    const struct net_policy policy = duty_calls(h->g);
    const struct net_header type = {"Content-Type", V("text/plain; charset=utf-8")};
    const struct net_request post = {.method = "POST",
                                     .url = arena_printf(mem, "%.*s/add-checkpoint", VIEW_ARG(h->urls[i])),
                                     .headers = &type,
                                     .n_headers = 1,
                                     .body = body,
                                     .limit = ASK_LIMIT,
                                     .reply_max = NOTE_MAX};
    return net_fetch(&policy, &post, mem, ret, f);
}

/* A witness that knows another last size says so; it is asked again with that one, once. */
static bool
ask(struct heads *h, size_t i, view checkpoint, uint64_t size, arena *mem, view *ret_lines)
{
    struct net_reply reply = {0};
    struct fault f;
    fault_init(&f);
    err e = ask_once(h, i, checkpoint, size, mem, &reply, &f);
    uint64_t known;
    if (e == E_OK && reply.status == CONFLICT_STATUS && text_to_u64(view_trim(reply.body), &known) == E_OK) {
        h->seen[i] = known;
        e = ask_once(h, i, checkpoint, size, mem, &reply, &f);
    }
    if (e != E_OK || reply.status != OK_STATUS) {
        log_event(LOG_WITNESS_FAILED, F_N("witness", (int64_t)i), F_CODE("code", e),
                  F_N("status", reply.status));
        return false;
    }
    h->seen[i] = size;
    *ret_lines = reply.body;
    return true;
}

/* The checkpoint with the lines of all witnesses that gave a good one. */
static view
collect(struct heads *h, view checkpoint, uint64_t size, arena *mem, size_t *ret_good)
{
    view all = checkpoint;
    *ret_good = 0;
    for (size_t i = 0; i < h->n; i++) {
        view lines = VIEW_NONE;
        instant last;
        size_t good = 0;
        bool answered = ask(h, i, checkpoint, size, mem, &lines);
        view with = answered ? arena_printf(mem, "%.*s%.*s", VIEW_ARG(all), VIEW_ARG(lines)) : VIEW_NONE;
        struct fault f;
        fault_init(&f);
        bool holds = with.p && cosignatures_count(with, h->witnesses, h->n, &good, &last, &f) == E_OK &&
                     good == *ret_good + 1;
        metric_add(METRIC_WITNESS, holds ? "cosigned" : "refused", 1);
        if (answered && !holds)
            log_event(LOG_WITNESS_FAILED, F_N("witness", (int64_t)i), F_CODE("code", f.code));
        if (!holds)
            continue;
        all = with;
        *ret_good = good;
    }
    return all;
}

static void
keep(struct heads *h, view text)
{
    /* A head that is cut by a crash is no head; the audit says so and goes on behind the empty line. */
    if (h->file >= 0 && (dprintf(h->file, "%.*s\n", VIEW_ARG(text)) < 0 || fdatasync(h->file) != 0))
        log_event(LOG_INTERNAL, F_CODE("code", E_FILE));
}

static err
round_once(struct heads *h, bool ask_witnesses)
{
    AUTO(arena_free) arena *mem = arena_new(ROUND_MEMORY);
    struct log_proof p;
    struct fault f;
    size_t good = 0;
    fault_init(&f);
    TRY(evidence_consistency(h->g, 0, 0, mem, &p, &f));
    if (p.size == h->size)
        return E_OK;
    view head = ask_witnesses ? collect(h, p.checkpoint, p.size, mem, &good) : p.checkpoint;
    if (good < h->quorum)
        return E_OK;
    h->size = ask_witnesses || h->n == 0 ? p.size : 0; /* the first goes to the witnesses yet */
    gateway_set_head(h->g, head);
    if (h->size)
        keep(h, head);
    return E_OK;
}

/* Behind the head, since a first run over a long log takes its time. */
static void
write_tiles(struct heads *h)
{
    AUTO(arena_free) arena *mem = arena_new(ROUND_MEMORY);
    if (h->size == 0 || h->tiled == h->size)
        return;
    err e = tile_files_write(h->tiles, h->g, h->size, gateway_head(h->g, mem));
    if (e == E_OK)
        h->tiled = h->size;
    else
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

static bool
run(void *self)
{
    struct heads *h = self;
    err e = round_once(h, true);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
    write_tiles(h);
    return false;
}

static int
open_file(const struct config *c)
{
    char path[4400];
    snprintf(path, sizeof path, "%s/log", config_cstr(c, SET_STORE_DIR));
    if (mkdir(path, 0700) != 0 && access(path, W_OK) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/log/heads", config_cstr(c, SET_STORE_DIR));
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void
heads_free(struct heads *h)
{
    for (size_t i = 0; i < h->n; i++)
        pkey_free(h->witnesses[i].pkey);
    if (h->file >= 0)
        close(h->file);
    tile_files_free(h->tiles);
    arena_free(h->mem);
    free(h);
}

/* The end of a run is kept too: a store that is put back to an earlier state while nothing runs does not hold it. */
static void
keep_last(struct heads *h)
{
    AUTO(arena_free) arena *mem = arena_new(ROUND_MEMORY);
    struct log_proof p;
    struct fault f;
    fault_init(&f);
    if (evidence_consistency(h->g, 0, 0, mem, &p, &f) != E_OK)
        return;
    keep(h, p.checkpoint);
    err e = tile_files_write(h->tiles, h->g, p.size, p.checkpoint);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

err
heads_start(struct gateway *g, struct heads **ret, struct fault *f)
{
    struct heads *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->g = g;
    h->mem = arena_new(2 * LIST_MAX + ROUND_MEMORY);
    h->file = open_file(g->config);
    h->tiles = tile_files_new(config_cstr(g->config, SET_STORE_DIR));
    err e = list_load(h, f);
    if (e == E_OK && h->quorum == 0)
        e = round_once(h, false);
    if (e == E_OK)
        e = worker_start(&h->worker, "heads", run, h, config_span(g->config, SET_LOG_HEAD_EVERY), f);
    if (e != E_OK) {
        heads_free(h);
        return e;
    }
    *ret = h;
    return E_OK;
}

void
heads_stop(struct heads *h)
{
    if (!h)
        return;
    worker_stop(&h->worker);
    keep_last(h);
    heads_free(h);
}
