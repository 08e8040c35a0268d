/* Fetches from MyData: one consent, one transfer. */
#include "adapters/mydata/mydata.h"

#include "base/text.h"
#include "flow/case/case.h"
#include "flow/intake/attachment.h"
#include "flow/members.h"
#include "flow/person/exchange_row.h"

/* ---- begun ---- */

static const struct mydata_resource *
resource_of(const struct outside *o, view id)
{
    for (size_t i = 0; i < o->n_resources; i++)
        if (view_eq(o->resources[i].id, id))
            return &o->resources[i];
    return NULL;
}

static err
resources_read(const struct outside *o, const json_t *list, view *to, size_t *ret_n, struct fault *f)
{
    *ret_n = json_array_size(list);
    if (*ret_n == 0 || *ret_n > MYDATA_RESOURCES_MAX)
        return fault_set(f, E_SCHEMA, "/resources", "one to eight data sets", "another number");
    for (size_t i = 0; i < *ret_n; i++) {
        to[i] = view_of(json_string_value(json_array_get(list, i)));
        if (!resource_of(o, to[i]))
            return fault_setf(f, E_OUTSIDE, "a data set that the operator has set up", "another",
                              "/resources/%zu", i);
    }
    return E_OK;
}

/* The platform wants a UUID: ours, written with hyphens. */
static view
transaction_new(arena *mem)
{
    uid u = uid_new();
    view hex = text_hex(mem, uid_view(&u));
    return hex.n == 32 ? arena_printf(mem, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12,
                                      hex.p + 16, hex.p + 20)
                       : VIEW_NONE;
}

/* The case that the transfer is for: one that this app filed. */
static err
case_read(struct gateway *g, partner_id who, view text, arena *mem, json_t *to, struct fault *f)
{
    case_id id;
    if (!text.n)
        return E_OK;
    if (case_id_parse(text, &id) != E_OK)
        return fault_set(f, E_NOT_FOUND, "/case", "a case that you filed", "none");
    TRY(case_filed_by(g, who, id, mem, f));
    return exchange_put(to, "case", text);
}

err
mydata_create(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
              struct fault *f)
{
    static const char *const known[] = {"a:resources", "s:return_url", "s:case", NULL};
    const struct outside *o = g->outside;
    json_t *json = NULL, *to = exchange_object(mem);
    view resources[MYDATA_RESOURCES_MAX], tx = transaction_new(mem), link;
    size_t n = 0;
    struct row_exchange *row = NULL;
    struct unit u;
    TRY(json_load(body, mem, &json, f));
    TRY(members_only(json, known, f));
    if (!o || !o->has_mydata)
        return fault_set(f, E_OUTSIDE, "", "a gateway that is set up for MyData", "another");
    TRY(resources_read(o, json_member(json, "resources"), resources, &n, f));
    if (!view_starts(json_text(json, "return_url"), V("https://")))
        return fault_set(f, E_SCHEMA, "/return_url", "an https address", "another");
    if (!to || !tx.p)
        return E_TOO_LARGE;
    TRY(case_read(g, who, json_text(json, "case"), mem, to, f));
    TRY(mydata_redirect(&o->mydata, resources, n, tx, json_text(json, "return_url"), mem, &link, f));
    if (json_object_set(to, "resources", json_object_get(json, "resources")) != 0)
        return E_TOO_LARGE;
    unit_init(&u, mem);
    TRY(exchange_add(g, &u, who, "mydata", "waiting", tx, to, now, &row));
    TRY(store_commit(g->store, &u));
    return exchange_print_new(row, link, mem, ret_json);
}

/* ---- the platform's notice ---- */

err
mydata_notice(struct gateway *g, view body, instant now, arena *mem, struct fault *f)
{
    struct mydata_notice n;
    struct exchange x;
    struct unit u;
    json_t *to = exchange_object(mem);
    if (!g->outside || !g->outside->has_mydata)
        return fault_set(f, E_OUTSIDE, "", "a gateway that is set up for MyData", "another");
    TRY(mydata_notice_read(&g->outside->mydata, body, mem, &n, f));
    TRY(exchange_find(g, n.tx_id, now, mem, &x, f));
    if (!exchange_is(&x, "mydata", "waiting"))
        return fault_set(f, E_MYDATA_TAKEN, "/tx_id", "a transaction that waits", "one told of before");
    if (!to)
        return E_TOO_LARGE;
    TRY(exchange_put(to, "tx_id", n.tx_id));
    TRY(exchange_put(to, "permission_ticket", n.permission_ticket));
    TRY(exchange_put(to, "key", text_base64url(mem, n.key)));
    unit_init(&u, mem);
    TRY(mydata_permit(g, &u, &x, n.permission_ticket, now));
    err e = exchange_move(g, &u, &x, "ready", now, E_OK, to);
    return e == E_PRESENTATION_USED
               ? fault_set(f, E_MYDATA_TAKEN, "/tx_id", "a transaction that waits", "another")
               : e;
}

/* ---- the worker's step ---- */

static err
notice_of(const struct exchange *x, arena *mem, struct mydata_notice *ret)
{
    *ret = (struct mydata_notice){.tx_id = json_text(x->result, "tx_id"),
                                  .permission_ticket = json_text(x->result, "permission_ticket")};
    return text_base64url_decode(json_text(x->result, "key"), mem, &ret->key);
}

static err
open_answer(struct gateway *g, const struct exchange *x, const struct mydata_notice *n,
            const struct adapter_answer *a, instant now, arena *mem, struct mydata_package *ret)
{
    AUTO(trust_unref) struct trust *trust = gateway_trust(g);
    const json_t *list = json_member(x->request, "resources");
    struct mydata_resource asked[MYDATA_RESOURCES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list) && count < MYDATA_RESOURCES_MAX; i++) {
        const struct mydata_resource *one =
            resource_of(g->outside, view_of(json_string_value(json_array_get(list, i))));
        if (one)
            asked[count++] = *one;
    }
    const struct mydata_policy policy = {&g->outside->mydata, asked, count, trust, now};
    return mydata_open(&policy, n, view_trim(a->body), mem, ret, NULL);
}

/* Each file becomes an attachment of the partner that asked: a document of his can name it by its digest. */
static err
file_keep(struct gateway *g, struct unit *u, const struct exchange *x, const struct mydata_file *file,
          instant now, json_t *list)
{
    AUTO(reader_done) struct reader *r = NULL;
    partner_id who = {x->row->partner};
    view hex = text_hex(u->mem, digest_view(&file->sum));
    json_t *one = json_object();
    bool known = false;
    if (!one || json_array_append_new(list, one) != 0 || !hex.p)
        return E_TOO_LARGE;
    TRY(exchange_put(one, "name", file->name));
    TRY(exchange_put(one, "sha256", hex));
    if (json_object_set_new(one, "bytes", json_integer((json_int_t)file->bytes.n)) != 0)
        return E_TOO_LARGE;
    TRY(store_reader(g->store, &r));
    TRY(attachment_known(g, r, who, hex, u->mem, &known));
    return known ? E_OK : attachment_add(g, u, who, hex, file->bytes, V("application/octet-stream"), now);
}

static err
part_keep(struct gateway *g, struct unit *u, const struct exchange *x, const struct mydata_part *part,
          instant now, json_t *parts)
{
    json_t *one = json_object(), *files = json_array();
    if (!one || json_array_append_new(parts, one) != 0 || !files ||
        json_object_set_new(one, "files", files) != 0 ||
        json_object_set_new(one, "code", json_integer(part->code)) != 0)
        return E_TOO_LARGE;
    TRY(exchange_put(one, "resource", part->resource_id));
    if (part->code == 200) {
        TRY(exchange_put(one, "signer", part->signer.organisation));
        TRY(exchange_put(one, "level", view_of(evidence_level_word(part->level))));
    }
    for (size_t i = 0; i < part->n_files; i++)
        TRY(file_keep(g, u, x, &part->files[i], now, files));
    return E_OK;
}

static err
package_keep(struct gateway *g, struct exchange *x, const struct mydata_package *p, instant now, arena *mem)
{
    struct unit u;
    json_t *to = exchange_object(mem), *parts = json_array();
    if (!to || !parts || json_object_set_new(to, "parts", parts) != 0)
        return E_TOO_LARGE;
    unit_init(&u, mem);
    for (size_t i = 0; i < p->n; i++)
        TRY(part_keep(g, &u, x, &p->parts[i], now, parts));
    return exchange_move(g, &u, x, "done", INSTANT_NONE, E_OK, to);
}

/* Committed before the call: should the process end in between, ticket and permission count as used. */
static err
begin(struct gateway *g, struct exchange *x, instant now, arena *mem)
{
    struct unit u;
    unit_init(&u, mem);
    mydata_spend(&u, x, now);
    return exchange_move(g, &u, x, "fetching", INSTANT_NONE, E_OK, NULL);
}

static err
refuse(struct gateway *g, struct exchange *x, err code, arena *mem)
{
    struct unit u;
    json_t *nothing = exchange_object(mem); /* the key goes with it */
    unit_init(&u, mem);
    return nothing ? exchange_move(g, &u, x, "refused", INSTANT_NONE, code, nothing) : E_TOO_LARGE;
}

/* The platform has it not ready: nothing left it, so the use is given back. */
static err
put_off(struct gateway *g, struct exchange *x, const struct adapter_answer *a, instant now, arena *mem)
{
    struct unit u;
    int64_t wait = a->retry_after > 0 && a->retry_after < 3600 ? a->retry_after : 5;
    unit_init(&u, mem);
    mydata_give_back(&u, x);
    return exchange_move(g, &u, x, "ready", instant_add(now, SPAN_SECONDS(wait)), E_MYDATA_NOT_READY, NULL);
}

err
mydata_step(struct gateway *g, struct exchange *x, exchange_fetch fetch, void *self, instant now, arena *mem)
{
    struct mydata_notice n;
    struct adapter_call call;
    struct adapter_answer a = {.retry_after = -1};
    struct mydata_package *p = arena_make(mem, struct mydata_package);
    if (!p || !view_eq(x->row->state, V("ready")))
        return E_TOO_LARGE;
    TRY(notice_of(x, mem, &n));
    TRY(mydata_fetch_call(&g->outside->mydata, &n, mem, &call));
    err e = begin(g, x, now, mem);
    if (e == E_PERMISSION_NEEDED || e == E_USED_UP)
        return refuse(g, x, e, mem); /* withdrawn, or spent: nothing is asked of the platform */
    TRY(e);
    fetch(self, &call, mem, &a);
    e = mydata_fetch_judge(&a, NULL);
    if (e == E_MYDATA_NOT_READY)
        return put_off(g, x, &a, now, mem);
    if (e == E_OK)
        e = open_answer(g, x, &n, &a, now, mem, p);
    return e == E_OK ? package_keep(g, x, p, now, mem) : refuse(g, x, e, mem);
}
