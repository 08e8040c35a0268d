#include "flow/partner/endpoint.h"

#include "base/buf.h"
#include "base/json.h"
#include "flow/evidence/evidence.h"
#include "flow/members.h"

#define ENDPOINTS_MAX 16

static err
check_url(const struct gateway *g, view url, struct fault *f)
{
    bool https = view_starts(url, V("https://"));
    bool http =
        view_starts(url, V("http://")) && g->sandbox && config_bool(g->config, SET_RELAY_ALLOW_PRIVATE);
    if ((!https && !http) || url.n > 1024)
        return fault_set(f, E_EGRESS, "/url", "an https:// address of at most 1,024 characters",
                         "another form");
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7F || url.p[i] == '@' ||
            url.p[i] == '\\' || url.p[i] == '#')
            return fault_set(f, E_EGRESS, "/url",
                             "an address without credentials, fragment and control characters",
                             "another form");
    return E_OK;
}

static void
print(const struct row_endpoint *row, struct buf *out)
{
    char id[ID_TEXT_SIZE], when[32];
    buf_printf(out, "{\"id\":\"%.*s\",\"url\":", VIEW_ARG(endpoint_id_print((endpoint_id){row->id}, id)));
    buf_add_json(out, row->url);
    buf_printf(out, ",\"state\":\"%.*s\",\"since\":\"%.*s\"}", VIEW_ARG(row->state),
               VIEW_ARG(instant_print(row->since, when)));
}

err
endpoint_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
                struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_endpoint *known = NULL;
    json_t *json = NULL;
    size_t n = 0;
    static const char *const names[] = {"s:url", NULL};
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, names, f));
    view url = json_text(json, "url");
    TRY(check_url(g, url, f));
    TRY(store_reader(g->store, &r));
    TRY(query_endpoints_of(r, ARGS(val_uid(&who.u)), mem, &known));
    for (const struct row_endpoint *e = known; e; e = e->next)
        n += view_eq(e->state, V("active"));
    if (n >= ENDPOINTS_MAX)
        return fault_set(f, E_QUOTA, "", "at most 16 endpoints", "more");
    struct unit u;
    unit_init(&u, mem);
    struct row_endpoint *row = unit_add_endpoint(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_endpoint){.id = endpoint_id_new().u,
                                 .partner = who.u,
                                 .url = url,
                                 .types = V(""),
                                 .state = V("active"),
                                 .reason = V(""),
                                 .since = now,
                                 .version = 1};
    const digest parts[] = {sha256(url)};
    digest leaf;
    TRY(evidence_leaf(&u, "endpoint", row->id, parts, 1, now, &leaf));
    TRY(store_commit(g->store, &u));
    struct buf out;
    buf_init(&out, 8192);
    print(row, &out);
    *ret_json = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
endpoint_list(struct gateway *g, partner_id who, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_endpoint *list = NULL;
    (void)f;
    TRY(store_reader(g->store, &r));
    TRY(query_endpoints_of(r, ARGS(val_uid(&who.u)), mem, &list));
    struct buf out;
    buf_init(&out, 1u << 18);
    BUF_LIT(&out, "{\"data\":[");
    for (const struct row_endpoint *e = list; e; e = e->next) {
        if (e != list)
            BUF_LIT(&out, ",");
        print(e, &out);
    }
    BUF_LIT(&out, "]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
endpoint_delete(struct gateway *g, partner_id who, endpoint_id id, arena *mem, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_endpoint *old = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_endpoint(r, ARGS(val_uid(&id.u)), mem, &old));
    if (!old || !uid_eq(old->partner, who.u))
        return fault_set(f, E_NOT_FOUND, "", "an endpoint of yours", "none");
    struct unit u;
    unit_init(&u, mem);
    struct row_endpoint *row = unit_add_endpoint(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = *old;
    row->next = NULL;
    row->op = ROW_PUT;
    row->state = V("deleted");
    row->version++;
    return store_commit(g->store, &u);
}
