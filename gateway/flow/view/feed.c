#include "flow/view/feed.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/seal.h"
#include "flow/members.h"
#include "flow/partner/registry.h"

#define LIMIT_MAX 200

/* A cursor is the number and an HMAC over partner and number: another partner's, or a made-up one, is refused. */
view
feed_cursor_print(struct gateway *g, partner_id who, int64_t seq, arena *mem)
{
    int64_t bytes[3] = {seq};
    view number = arena_printf(mem, "%lld", (long long)seq);
    digest mac = BLIND(g->seal, "cursor", uid_view(&who.u), number);
    memcpy(&bytes[1], mac.b, 16);
    return text_base64url(mem, view_make(bytes, sizeof bytes));
}

err
feed_cursor_read(struct gateway *g, partner_id who, view cursor, arena *mem, int64_t *ret, struct fault *f)
{
    view raw;
    int64_t seq;
    if (text_base64url_decode(cursor, mem, &raw) != E_OK || raw.n != 24)
        return fault_set(f, E_PARAMETER, "cursor", "a cursor of this feed", "another form");
    memcpy(&seq, raw.p, sizeof seq);
    if (!view_eq(feed_cursor_print(g, who, seq, mem), cursor))
        return fault_set(f, E_PARAMETER, "cursor", "a cursor of this feed", "one of another");
    *ret = seq;
    return E_OK;
}

/* A delivery whose permission no longer holds is told as a tombstone; notices have no permission and no content. */
static bool
is_open(struct reader *r, const struct row_event *event, instant now, arena *mem)
{
    struct row_delivery *d = NULL;
    struct row_permission *p = NULL;
    if (event->tombstone)
        return false;
    if (query_delivery(r, ARGS(val_uid(&event->delivery)), mem, &d) != E_OK || !d)
        return false;
    if (uid_is_none(d->permission))
        return true;
    if (query_permission(r, ARGS(val_uid(&d->permission)), mem, &p) != E_OK || !p)
        return false;
    return !p->withdrawn_at.us && p->valid_from.us <= now.us && (!p->valid_to.us || p->valid_to.us > now.us);
}

static void
print_event(struct reader *r, const struct row_event *e, instant now, arena *mem, struct buf *out)
{
    char id[ID_TEXT_SIZE], claim[ID_TEXT_SIZE], document[ID_TEXT_SIZE], when[32];
    bool open = is_open(r, e, now, mem);
    buf_printf(out, "{\"id\":\"%.*s\",\"sequence\":%lld,\"time\":\"%.*s\",\"type\":\"%.*s\"",
               VIEW_ARG(event_id_print((event_id){e->id}, id)), (long long)e->seq,
               VIEW_ARG(instant_print(e->at, when)), VIEW_ARG(open ? e->type : V("tombstone")));
    if (open && !uid_is_none(e->claim)) {
        view c = claim_id_print((claim_id){e->claim}, claim);
        buf_printf(out, ",\"claim\":\"%.*s\",\"case_version\":%lld,\"href\":\"/v1/claims/%.*s\"", VIEW_ARG(c),
                   (long long)e->case_version, VIEW_ARG(c));
        if (!uid_is_none(e->document))
            buf_printf(out, ",\"document\":\"%.*s\"",
                       VIEW_ARG(doc_id_print((doc_id){e->document}, document)));
    } else if (open && !uid_is_none(e->document)) { /* a repair shop's: it has no claim */
        view c = case_id_print((case_id){e->case_id}, claim);
        buf_printf(out, ",\"case\":\"%.*s\",\"case_version\":%lld,\"href\":\"/v1/motor-filings/%.*s\"",
                   VIEW_ARG(c), (long long)e->case_version, VIEW_ARG(c));
        buf_printf(out, ",\"document\":\"%.*s\"", VIEW_ARG(doc_id_print((doc_id){e->document}, document)));
    }
    BUF_LIT(out, "}");
}

static err
position_of(struct reader *r, partner_id who, view consumer, arena *mem, int64_t *ret)
{
    struct row_consumer *row = NULL;
    *ret = 0;
    if (!consumer.n)
        return E_OK;
    TRY(query_consumer(r, ARGS(val_uid(&who.u), val_text(consumer)), mem, &row));
    *ret = row ? row->seq : 0;
    return E_OK;
}

err
feed_list(struct gateway *g, partner_id who, view cursor, view consumer, int limit, instant now, arena *mem,
          view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_event *events = NULL;
    int64_t after = 0;
    int shown = 0;
    limit = limit < 1 ? 50 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    TRY(store_reader(g->store, &r));
    if (cursor.n)
        TRY(feed_cursor_read(g, who, cursor, mem, &after, f));
    else
        TRY(position_of(r, who, consumer, mem, &after));
    TRY(query_events_after(r, ARGS(val_uid(&who.u), val_int(after), val_int(limit + 1)), mem, &events));
    struct buf out;
    buf_init(&out, 4u << 20);
    BUF_LIT(&out, "{\"data\":[");
    for (; events && shown < limit; events = events->next, shown++) {
        if (shown)
            BUF_LIT(&out, ",");
        print_event(r, events, now, mem, &out);
        after = events->seq;
    }
    buf_printf(&out, "],\"has_more\":%s,\"next_cursor\":\"%.*s\",\"log_head\":", events ? "true" : "false",
               VIEW_ARG(feed_cursor_print(g, who, after, mem)));
    buf_add_json(&out, gateway_head(g, mem));
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* Claims whose papers the insurer has now taken over: sent → received by the insurer. */
static err
acknowledge(struct reader *r, struct unit *u, partner_id who, int64_t from, int64_t to, instant now,
            arena *mem)
{
    struct row_event *events = NULL;
    TRY(query_events_after(r, ARGS(val_uid(&who.u), val_int(from), val_int(to - from)), mem, &events));
    for (const struct row_event *e = events; e && e->seq <= to; e = e->next) {
        struct row_claim *claim = NULL;
        bool seen = false;
        for (const struct row_event *b = events; b != e; b = b->next)
            seen = seen || uid_eq(b->claim, e->claim);
        if (seen || uid_is_none(e->claim))
            continue;
        TRY(query_claim(r, ARGS(val_uid(&e->claim)), mem, &claim));
        if (!claim || !view_eq(claim->state, V("sent")))
            continue;
        claim_guard(u, claim);
        TRY(claim_move(u, claim, V("acknowledge"), "insurer", who.u, (uid){{0}}, now, NULL));
    }
    return E_OK;
}

static err
commit_once(struct gateway *g, partner_id who, view consumer, int64_t seq, instant now, arena *mem,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct unit u;
    int64_t before = 0;
    uid *id = arena_make(mem, uid);
    TRY(store_reader(g->store, &r));
    TRY(position_of(r, who, consumer, mem, &before));
    unit_init(&u, mem);
    struct row_consumer *row = unit_add_consumer(&u);
    if (!row || !id)
        return E_TOO_LARGE;
    *id = who.u;
    *row = (struct row_consumer){.partner = who.u, .name = consumer, .seq = seq, .at = now, .op = ROW_PUT};
    if (seq > before) {
        if (seq - before > 100000)
            return fault_set(f, E_PARAMETER, "/cursor", "at most 100,000 events in one commit", "more");
        TRY(acknowledge(r, &u, who, before, seq, now, mem));
        unit_change(&u, CHANGE_deliveries_acknowledge,
                    ARGS(val_uid(id), val_int(before), val_int(seq), val_time(now)));
    }
    reader_done(TAKE(r));
    return store_commit(g->store, &u);
}

err
feed_commit(struct gateway *g, partner_id who, view consumer, view cursor, instant now, arena *mem,
            view *ret_json, struct fault *f)
{
    int64_t seq;
    if (!consumer.n || consumer.n > 64)
        return fault_set(f, E_PARAMETER, "name", "1 to 64 characters", "another length");
    TRY(feed_cursor_read(g, who, cursor, mem, &seq, f));
    err e = E_STALE;
    for (int i = 0; i < 8 && (e == E_STALE || e == E_VERSION_CONFLICT); i++)
        e = commit_once(g, who, consumer, seq, now, mem, f);
    TRY(e);
    *ret_json =
        arena_printf(mem, "{\"consumer\":\"%.*s\",\"sequence\":%lld}", VIEW_ARG(consumer), (long long)seq);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
feed_own_claim(struct reader *r, partner_id who, claim_id id, arena *mem, struct row_claim **ret,
               struct fault *f)
{
    struct row_claim *claim = NULL;
    TRY(query_claim(r, ARGS(val_uid(&id.u)), mem, &claim));
    if (!claim || (!uid_eq(claim->recipient, who.u) && !uid_eq(claim->through, who.u)))
        return fault_set(f, E_NOT_FOUND, "", "a claim of yours", "none");
    *ret = claim;
    return E_OK;
}

err
claim_search(struct gateway *g, partner_id who, view body, enum lang lang, arena *mem, view *ret_json,
             struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_claim *list = NULL;
    static const char *const known[] = {"s:state", "s:cursor", "i:limit", NULL};
    json_t *json = NULL;
    claim_id after = {{{0}}};
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    view cursor = json_text(json, "cursor"), state = json_text(json, "state");
    int64_t limit = json_int(json, "limit", 50), shown = 0;
    if (state.n && claim_state_of(state) == STATE_COUNT)
        return fault_set(f, E_SCHEMA, "/state", "a state of a claim", "another word");
    if (cursor.n && claim_id_parse(cursor, &after) != E_OK)
        return fault_set(f, E_PARAMETER, "/cursor", "next_cursor of an earlier answer", "another form");
    if (limit < 1 || limit > LIMIT_MAX)
        return fault_set(f, E_PARAMETER, "/limit", "1 to 200", "another number");
    TRY(store_reader(g->store, &r));
    TRY(query_claims_of_recipient(r, ARGS(val_uid(&who.u), val_blob(uid_view(&after.u)), val_int(limit + 1)),
                                  mem, &list));
    struct buf out;
    buf_init(&out, 4u << 20);
    BUF_LIT(&out, "{\"data\":[");
    err e = E_OK;
    for (; list && shown < limit && e == E_OK; list = list->next, shown++) {
        after.u = list->id;
        if (state.n && !view_eq(state, list->state))
            continue;
        if (out.p[out.n - 1] != '[')
            BUF_LIT(&out, ",");
        e = claim_print(g, list, lang, &out);
    }
    char text[ID_TEXT_SIZE];
    buf_printf(&out, "],\"has_more\":%s,\"next_cursor\":\"%.*s\"}", list ? "true" : "false",
               VIEW_ARG(claim_id_print(after, text)));
    *ret_json = e == E_OK && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_json->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}
