#include "flow/person/exchange_row.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

#define STEP_MEMORY ((size_t)320 << 20) /* a package, unpacked, sealed */
#define STEPS_AT_ONCE 16

json_t *
exchange_object(arena *mem)
{
    json_t *o = json_object();
    return o && arena_defer(mem, json_decref_fn, o) ? o : NULL;
}

err
exchange_put(json_t *object, const char *name, view text)
{
    json_t *value = json_text_new(text.p ? text : V(""));
    return value && json_object_set_new(object, name, value) == 0 ? E_OK : E_TOO_LARGE;
}

view
exchange_secret(arena *mem)
{
    uint8_t bytes[32];
    random_bytes(bytes, sizeof bytes);
    return text_base64url(mem, view_make(bytes, sizeof bytes));
}

static err
seal_json(const struct data_key *key, const char *place, uid id, const json_t *json, arena *mem, view *ret)
{
    view text = json_dump_arena(json, mem);
    return text.p ? seal_box(key, view_of(place), id, text, mem, ret) : E_TOO_LARGE;
}

err
exchange_add(struct gateway *g, struct unit *u, partner_id who, const char *kind, const char *state,
             view handle, const json_t *request, instant now, struct row_exchange **ret)
{
    struct data_key key;
    struct row_exchange *row = unit_add_exchange(u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_exchange){.id = exchange_id_new().u,
                                 .partner = who.u,
                                 .kind = view_of(kind),
                                 .state = view_of(state),
                                 .handle = BLIND(g->seal, "exchange", handle),
                                 .expires = instant_add(now, EXCHANGE_LIFE),
                                 .code = V(""),
                                 .at = now};
    TRY(seal_new_key(g->seal, u, "exchange", &key));
    row->key = key.id;
    err e = seal_json(&key, "exchange-request", row->id, request, u->mem, &row->request);
    data_key_forget(&key);
    *ret = row;
    return e;
}

static err
unseal_json(const struct data_key *key, const char *place, uid id, view box, arena *mem, json_t **ret)
{
    view text;
    *ret = NULL;
    if (!box.n)
        return E_OK;
    TRY(seal_unbox(key, view_of(place), id, box, mem, &text));
    return json_load(text, mem, ret, NULL);
}

err
exchange_open(struct gateway *g, struct reader *r, struct row_exchange *row, arena *mem, struct exchange *ret)
{
    struct exchange x = {.row = row};
    TRY(seal_load_key(g->seal, r, row->key, mem, &x.key));
    TRY(unseal_json(&x.key, "exchange-request", row->id, row->request, mem, &x.request));
    TRY(unseal_json(&x.key, "exchange-result", row->id, row->result, mem, &x.result));
    *ret = x;
    return E_OK;
}

bool
exchange_is(const struct exchange *x, const char *kind, const char *state)
{
    return view_eq(x->row->kind, view_of(kind)) && view_eq(x->row->state, view_of(state));
}

static bool
is_over(const struct row_exchange *row, instant now)
{
    static const char *const waiting[] = {"preparing", "waiting", "asked"};
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        if (view_eq(row->state, view_of(waiting[i])))
            return now.us >= row->expires.us;
    return false;
}

err
exchange_find(struct gateway *g, view handle, instant now, arena *mem, struct exchange *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    digest blind = BLIND(g->seal, "exchange", handle);
    TRY(store_reader(g->store, &r));
    TRY(query_exchange_by_handle(r, ARGS(val_digest(&blind)), mem, &row));
    if (!row)
        return fault_set(f, E_PRESENTATION_STATE, "state", "one that is waited for", "another");
    if (is_over(row, now))
        return fault_set(f, E_PRESENTATION_EXPIRED, "state", "a request that waits", "one past its time");
    return exchange_open(g, r, row, mem, ret);
}

err
exchange_step_on(struct unit *u, struct exchange *x, const char *state, instant next_at, err code,
                 const json_t *result)
{
    struct row_exchange *row = unit_add_exchange(u);
    if (!row)
        return E_TOO_LARGE;
    unit_guard(u, GUARD_exchange_state, ARGS(val_uid(&x->row->id), val_text(x->row->state)));
    *row = *x->row;
    row->next = NULL;
    row->op = ROW_PUT;
    row->state = view_of(state);
    row->next_at = next_at;
    row->code = code == E_OK ? V("") : view_of(err_info(code)->code);
    if (result)
        TRY(seal_json(&x->key, "exchange-result", row->id, result, u->mem, &row->result));
    x->next = row;
    return E_OK;
}

err
exchange_move(struct gateway *g, struct unit *u, struct exchange *x, const char *state, instant next_at,
              err code, const json_t *result)
{
    TRY(exchange_step_on(u, x, state, next_at, code, result));
    TRY(store_commit(g->store, u));
    x->row = x->next;
    return E_OK;
}

/* ---- shown ---- */

err
exchange_print_new(const struct row_exchange *row, view link, arena *mem, view *ret_json)
{
    struct buf out AUTO_DONE(buf_done);
    char id[ID_TEXT_SIZE], when[32];
    buf_init(&out, 16384);
    buf_printf(&out, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%.*s\",\"expires_at\":\"%.*s\"",
               VIEW_ARG(exchange_id_print((exchange_id){row->id}, id)), VIEW_ARG(row->kind),
               VIEW_ARG(row->state), VIEW_ARG(instant_print(row->expires, when)));
    if (link.n) {
        BUF_LIT(&out, ",\"link\":");
        buf_add_json(&out, link);
    }
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

static err
print_whole(const struct exchange *x, instant now, arena *mem, view *ret_json)
{
    static const char *const shown[] = {"link", "result", "claims", "parts"};
    struct buf out AUTO_DONE(buf_done);
    char id[ID_TEXT_SIZE], when[32];
    buf_init(&out, 1u << 20);
    view state = is_over(x->row, now) ? V("expired") : x->row->state;
    buf_printf(&out, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%.*s\",\"expires_at\":\"%.*s\"",
               VIEW_ARG(exchange_id_print((exchange_id){x->row->id}, id)), VIEW_ARG(x->row->kind),
               VIEW_ARG(state), VIEW_ARG(instant_print(x->row->expires, when)));
    if (x->row->code.n)
        buf_printf(&out, ",\"code\":\"%.*s\"", VIEW_ARG(x->row->code));
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        const json_t *part = json_member(x->result, shown[i]);
        if (!part)
            continue;
        buf_printf(&out, ",\"%s\":", shown[i]);
        TRY(json_dump(part, &out));
    }
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
exchange_show(struct gateway *g, partner_id who, exchange_id id, instant now, arena *mem, view *ret_json,
              struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    struct exchange x;
    TRY(store_reader(g->store, &r));
    TRY(query_exchange(r, ARGS(val_uid(&id.u), val_uid(&who.u)), mem, &row));
    if (!row)
        return fault_set(f, E_NOT_FOUND, "", "one of yours", "none");
    TRY(exchange_open(g, r, row, mem, &x));
    err e = print_whole(&x, now, mem, ret_json);
    data_key_forget(&x.key);
    return e;
}

/* ---- the worker's side ---- */

static err
step_one(struct gateway *g, uid id, uid partner, exchange_fetch fetch, void *self, instant now)
{
    AUTO(arena_free) arena *mem = arena_new(STEP_MEMORY);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    struct exchange x;
    struct unit u;
    TRY(store_reader(g->store, &r));
    TRY(query_exchange(r, ARGS(val_uid(&id), val_uid(&partner)), mem, &row));
    if (!row)
        return E_OK;
    TRY(exchange_open(g, r, row, mem, &x));
    reader_done(TAKE(r));
    err e = E_OK;
    unit_init(&u, mem);
    if (is_over(row, now))
        e = exchange_move(g, &u, &x, "expired", INSTANT_NONE, E_PRESENTATION_EXPIRED, NULL);
    else if (view_eq(row->kind, V("mydata")))
        e = mydata_step(g, &x, fetch, self, now, mem);
    else
        e = presentation_step(g, &x, fetch, self, now, mem);
    data_key_forget(&x.key);
    return e == E_PRESENTATION_USED ? E_OK : e; /* somebody else moved it on */
}

err
exchange_step(struct gateway *g, exchange_fetch fetch, void *self, instant now, size_t *ret_n)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *due = NULL;
    *ret_n = 0;
    TRY(store_reader(g->store, &r));
    TRY(query_exchanges_due(r, ARGS(val_time(now), val_int(STEPS_AT_ONCE)), mem, &due));
    reader_done(TAKE(r));
    for (; due; due = due->next, ++*ret_n) {
        err e = step_one(g, due->id, due->partner, fetch, self, now);
        if (e != E_OK)
            log_event(LOG_INTERNAL, F_CODE("code", e));
    }
    return E_OK;
}
