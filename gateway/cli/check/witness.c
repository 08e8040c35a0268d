#include "cli/command.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/check/keys.h"
#include "cli/demo/party_server.h"
#include "signing/log/note.h"
#include "signing/log/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* C2SP tlog-witness: POST /add-checkpoint.  Before a head is signed it is on stable storage as the last one of its log. */
#define LOGS_MAX 32
#define REQUEST_MEMORY (1u << 20)

struct watched {
    view origin;
    struct key_list keys; /* old and new while the log rotates */
    struct witnessed head;
};

struct witness {
    const struct args *a;
    struct key *key;
    view name;
    const char *state;
    int lock;
    struct watched logs[LOGS_MAX];
    size_t n;
};

/* -- state: a line "origin size base64(root)" for each log -- */

static struct watched *
log_of(struct witness *w, view origin)
{
    for (size_t i = 0; i < w->n; i++)
        if (view_eq(w->logs[i].origin, origin))
            return &w->logs[i];
    return NULL;
}

static err
state_line(struct witness *w, view line, struct fault *f)
{
    view origin = view_cut(&line, ' ', NULL), size = view_cut(&line, ' ', NULL), bytes = VIEW_NONE;
    struct watched *log = log_of(w, origin);
    uint64_t n;
    if (text_to_u64(size, &n) != E_OK || text_base64_decode(line, w->a->mem, &bytes) != E_OK ||
        bytes.n != sizeof(digest))
        return fault_set(f, E_FILE, w->state, "lines of origin, size and root", "another form");
    if (!log)
        return fault_set(f, E_FILE, w->state, "only logs that are named on the command line", "another one");
    log->head.n = n;
    memcpy(log->head.root.b, bytes.p, sizeof(digest));
    return E_OK;
}

static err
state_load(struct witness *w, struct fault *f)
{
    view text = VIEW_NONE;
    if (access(w->state, F_OK) != 0)
        return E_OK;
    TRY(file_read(w->state, w->a->mem, &text, f));
    while (text.n) {
        view line = view_cut(&text, '\n', NULL);
        if (line.n)
            TRY(state_line(w, line, f));
    }
    return E_OK;
}

static bool
state_write(const char *path, view text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool
folder_sync(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* The old file or the new one is there, whole. */
static bool
state_save(const struct witness *w)
{
    char path[4096];
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < w->n; i++) {
        buf_printf(&out, "%.*s %llu ", VIEW_ARG(w->logs[i].origin), (unsigned long long)w->logs[i].head.n);
        buf_add_base64(&out, digest_view(&w->logs[i].head.root));
        BUF_LIT(&out, "\n");
    }
    snprintf(path, sizeof path, "%s.new", w->state);
    return !out.failed && state_write(path, buf_view(&out)) && rename(path, w->state) == 0 &&
           folder_sync(w->state);
}

/* -- a request -- */

static int
judge(struct watched *log, const struct witness_request *rq, struct witnessed *ret, struct fault *f)
{
    int status = 403;
    for (size_t i = 0; i < log->keys.n && status == 403; i++) {
        fault_init(f);
        status = witness_judge(rq, log->origin, log->keys.pkeys[i], &log->head, ret, f);
    }
    return status;
}

static int
cosign(struct witness *w, struct watched *log, const struct witness_request *rq, const struct witnessed *head,
       arena *mem, struct buf *answer)
{
    struct fault f;
    view line = VIEW_NONE;
    struct witnessed before = log->head;
    fault_init(&f);
    if (cosignature_make(rq->checkpoint, w->name, w->key, clock_now(), mem, &line, &f) != E_OK)
        return 500;
    log->head = *head;
    if (!state_save(w)) {
        log->head = before;
        return 500;
    }
    buf_add_view(answer, line);
    return 200;
}

static int
add_checkpoint(struct witness *w, view body, struct buf *answer)
{
    AUTO(arena_free) arena *mem = arena_new(REQUEST_MEMORY);
    struct witness_request rq;
    struct witnessed head;
    struct fault f;
    fault_init(&f);
    if (witness_request_read(body, mem, &rq, &f) != E_OK)
        return 400;
    view rest = rq.checkpoint, origin = view_cut(&rest, '\n', NULL);
    struct watched *log = log_of(w, origin);
    if (!log)
        return 404;
    int status = judge(log, &rq, &head, &f);
    if (status == 409)
        buf_printf(answer, "%llu\n", (unsigned long long)log->head.n);
    return status == 200 ? cosign(w, log, &rq, &head, mem, answer) : status;
}

static int
on_request(void *self, const struct webhook *rq, int64_t *ret_put_off_us)
{
    struct witness *w = self;
    *ret_put_off_us = 0;
    int status = 404;
    if (view_eq(rq->method, V("POST")) && view_ends(rq->target, V("/add-checkpoint")))
        status = add_checkpoint(w, rq->body, rq->answer);
    printf("{\"request\":\"%s\",\"status\":%d}\n", status == 404 ? "other" : "add-checkpoint", status);
    fflush(stdout);
    return status;
}

/* -- start -- */

static err
add_log(struct witness *w, const char *word, struct fault *f)
{
    view text = view_of(word);
    size_t n = text.n;
    while (n > 0 && text.p[n - 1] != '=')
        n--;
    if (n < 2 || w->n == LOGS_MAX || !note_name_is_good(view_sub(text, 0, n - 1)))
        return fault_set(f, E_USAGE, word, "ORIGIN=FILE, at most 32", "another form");
    w->logs[w->n].origin = view_sub(text, 0, n - 1);
    return keys_read(text.p + n, w->a->mem, &w->logs[w->n++].keys, f);
}

/* Two witnesses over one state would sign two histories. */
static err
state_lock(struct witness *w, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.lock", w->state);
    w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock < 0 || flock(w->lock, LOCK_EX | LOCK_NB) != 0)
        return fault_set(f, E_FILE, w->state, "a state that no other witness uses",
                         "it is in use or cannot be written");
    return E_OK;
}

static err
witness_open(struct witness *w, struct fault *f)
{
    TRY(key_load_pem(args_value(w->a, "key"), &w->key, f));
    if (w->key->alg != ALG_ED25519 || !note_name_is_good(w->name))
        return fault_set(f, E_ALGORITHM, "key", "an Ed25519 key and a name without spaces", "another");
    for (int i = 0; i < w->a->n_positional; i++)
        TRY(add_log(w, w->a->positional[i], f));
    TRY(state_lock(w, f));
    return state_load(w, f);
}

static err
serve(struct witness *w, struct fault *f)
{
    struct server server;
    struct pollfd list[SERVER_VISITS + 1];
    const char *where = args_value(w->a, "listen") ? args_value(w->a, "listen") : "127.0.0.1:8450";
    if (server_open_at(&server, where, on_request, w) != E_OK)
        return fault_set(f, E_CONFIG, "--listen", "address:port that can be bound", "another");
    printf("{\"ready\":true,\"port\":%d}\n", server.port);
    fflush(stdout);
    for (;;) {
        size_t n = server_poll(&server, list);
        if (poll(list, n, server_owes(&server) ? 50 : 1000) < 0 && errno != EINTR)
            break;
        server_turn(&server);
    }
    server_close(&server);
    return fault_set(f, E_NETWORK, where, "a socket that can be waited on", "an error");
}

int
run_witness_serve(struct args *a)
{
    struct witness w = {.a = a, .lock = -1, .state = args_value(a, "state")};
    struct fault f;
    fault_init(&f);
    digest_start();
    if (!a->n_positional || !args_value(a, "key") || !args_value(a, "name") || !w.state)
        return command_usage(a, "needs ORIGIN=FILE, --key, --name and --state");
    w.name = view_of(args_value(a, "name"));
    err e = witness_open(&w, &f);
    if (e == E_OK)
        e = serve(&w, &f);
    key_free(w.key);
    for (size_t i = 0; i < w.n; i++)
        keys_done(&w.logs[i].keys);
    return command_fail(a, e, &f);
}

int
run_witness_key(struct args *a)
{
    AUTO(key_free) struct key *k = NULL;
    struct buf out AUTO_DONE(buf_done);
    struct fault f;
    fault_init(&f);
    digest_start();
    if (a->n_positional != 1 || !args_value(a, "name"))
        return command_usage(a, "needs a file for the key and --name");
    view jwk = VIEW_NONE;
    err e = key_create(a->positional[0], ALG_ED25519, &k, &f);
    if (e == E_OK)
        e = jwk_of_pkey(k->pkey, a->mem, &jwk);
    if (e != E_OK)
        return command_fail(a, e, &f);
    buf_init(&out, 65536);
    BUF_LIT(&out, "{\"name\":");
    buf_add_json(&out, view_of(args_value(a, "name")));
    BUF_LIT(&out, ",\"url\":");
    buf_add_json(&out, view_of(args_value(a, "url") ? args_value(a, "url") : ""));
    BUF_LIT(&out, ",\"key\":");
    buf_add_view(&out, jwk);
    printf("%.*s}\n", VIEW_ARG(buf_view(&out)));
    return EXIT_OK;
}
