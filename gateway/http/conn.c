#include "http/conn.h"

#include "base/log.h"
#include "base/metrics.h"

#define BUF_CEILING_OUT (1024 * 1024)

static struct connection *
take_slot(struct http_server *s)
{
    pthread_mutex_lock(&s->lock);
    struct connection *c = s->free;
    if (c)
        s->free = c->next_free;
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void
give_slot(struct http_server *s, struct connection *c)
{
    pthread_mutex_lock(&s->lock);
    c->next_free = s->free;
    s->free = c;
    pthread_mutex_unlock(&s->lock);
}

/* The set is applied before the handshake; a session that could not get it keeps the library's credentials,
 * which hold no key (server.c), and so cannot shake hands. */
static void
start_tls(struct connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    c->session = info ? (gnutls_session_t)info->tls_session : NULL;
    c->tls = tls_current_get(&c->server->tls);
    if (c->session && c->tls && tls_set_apply(c->tls, c->session) != E_OK)
        log_event(LOG_INTERNAL, F_NAME("where", "tls credentials"));
}

static void
connection_open(struct http_server *s, struct MHD_Connection *mhd, void **slot)
{
    struct connection *c = take_slot(s);
    *slot = c;
    if (!c)
        return; /* serve_request answers 503 */
    c->mhd = mhd;
    c->peer = (struct peer){.state = PEER_UNKNOWN};
    c->is_begun = false;
    if (!c->mem) {
        c->mem = arena_new(s->options.arena_ceiling);
        buf_init(&c->body, 0);
        buf_init(&c->out, BUF_CEILING_OUT);
    }
    if (s->has_tls)
        start_tls(c);
}

void
connection_notify(void *cls, struct MHD_Connection *mhd, void **slot,
                  enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;
    struct connection *c = *slot;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(s, mhd, slot);
        return;
    }
    if (!c)
        return;
    tls_set_unref(c->tls);
    c->tls = NULL;
    c->session = NULL;
    c->mhd = NULL;
    *slot = NULL;
    give_slot(s, c);
}

static void
count_in_flight(struct http_server *s, int step)
{
    pthread_mutex_lock(&s->lock);
    s->in_flight = step > 0 ? s->in_flight + 1 : s->in_flight - 1;
    if (s->in_flight == 0)
        pthread_cond_broadcast(&s->idle);
    pthread_mutex_unlock(&s->lock);
    metric_add(METRIC_HTTP_IN_FLIGHT, NULL, step);
}

static void
clean_request(struct connection *c)
{
    struct request *rq = &c->rq;
    *rq = (struct request){.mem = c->mem, .connection = c, .received = clock_now(), .id = request_id_new()};
    fault_init(&rq->fault);
    issues_init(&rq->issues, c->mem, 200);
    c->stage = STAGE_HEAD;
    c->is_answered = c->has_body = c->must_close = c->is_overflown = false;
    c->dropped = 0;
    c->reserved = 0;
    c->retry_after = 0;
    c->allowed = 0;
    c->outcome = E_OK;
    c->reply = (struct reply){.status = 0};
    c->media.n = 0;
    view text = request_id_print(rq->id, c->request_text);
    c->request_text[text.n] = '\0';
}

/* First sight of a request: the target as it was sent.  The library cuts the query up in place soon after, so
 * the query is copied here. */
void *
connection_begin(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *s = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info ? info->socket_context : NULL;
    if (!c)
        return NULL;
    clean_request(c);
    c->is_begun = true;
    c->rq.begun_us = clock_monotonic_us();
    view whole = view_of(target);
    c->target_bytes = whole.n;
    size_t mark = view_find_byte(whole, '?');
    if (mark < whole.n && whole.n <= GUARD_TARGET_BYTES_MAX)
        c->rq.query = arena_dup(c->mem, view_sub(whole, mark + 1, whole.n));
    count_in_flight(s, 1);
    return c;
}

static void
keep_or_drop(struct buf *b)
{
    if (b->room <= KEEP_ROOM)
        buf_clear(b);
    else
        buf_done(b);
}

void
connection_completed(void *cls, struct MHD_Connection *mhd, void **request,
                     enum MHD_RequestTerminationCode code)
{
    (void)mhd;
    struct connection *c = *request;
    if (!c || !c->is_begun)
        return;
    if (c->stage != STAGE_DONE && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        observe_refusal(c, E_WIRE); /* the library answered 400, 413 or 431 by itself */
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        serve_partial(c);
    c->is_begun = false;
    budget_give(&c->server->budget, c->reserved);
    c->reserved = 0;
    keep_or_drop(&c->body);
    keep_or_drop(&c->out);
    arena_reset(c->mem);
    *request = NULL;
    count_in_flight(cls, -1);
}
