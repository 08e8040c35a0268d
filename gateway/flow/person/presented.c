#include "flow/person/presented.h"

#include "adapters/adapter.h"
#include "base/text.h"

#define USE_LIFE SPAN_SECONDS(1800)

view
presented_binding(view text_hash, view payload_hash, arena *mem)
{
    digest d = sha256(arena_printf(mem, "%.*s.%.*s", VIEW_ARG(text_hash), VIEW_ARG(payload_hash)));
    return text_hex(mem, digest_view(&d));
}

static err
check_state(const struct exchange *x, instant now, struct fault *f)
{
    if (view_eq(x->row->kind, V("mydata")) || view_eq(x->row->kind, V("login")))
        return fault_set(f, E_NOT_FOUND, "/presentations", "a presentation of yours", "none");
    if (view_eq(x->row->state, V("spent")))
        return fault_set(f, E_PRESENTATION_USED, "/presentations", "one not used before", "one used before");
    if (!view_eq(x->row->state, V("verified")))
        return fault_set(f, E_PRESENTATION_STATE, "/presentations", "a verified presentation",
                         "another state");
    if (now.us >= instant_add(x->row->expires, USE_LIFE).us)
        return fault_set(f, E_PRESENTATION_EXPIRED, "/presentations", "one of the last 30 minutes",
                         "an older one");
    return E_OK;
}

/* Did the holder sign this text and these bytes? */
static err
check_binding(const struct exchange *x, view payload, arena *mem, struct fault *f)
{
    digest d = sha256(payload);
    view hash = text_hex(mem, digest_view(&d));
    if (!json_bool(json_member(x->result, "result"), "binds_text", false))
        return fault_set(f, E_PERMISSION_EVIDENCE, "/presentations", "a presentation that binds the text",
                         "identity only");
    return view_eq(json_text(x->request, "payload_sha256"), hash)
               ? E_OK
               : fault_set(f, E_PERMISSION_EVIDENCE, "/presentations",
                           "a presentation that binds this payload", "one that binds another");
}

static err
read_person(struct gateway *g, const struct exchange *x, arena *mem, view *ret, struct fault *f)
{
    char name[128];
    const struct outside *o = g->outside;
    const json_t *claims = json_member(x->result, "claims");
    (void)snprintf(name, sizeof name, "%.*s", VIEW_ARG(o->number_claim));
    *ret = person_key_text(o->number_system, json_text(claims, name), mem);
    return ret->p ? E_OK
                  : fault_set(f, E_PERMISSION_EVIDENCE, "/presentations",
                              "the person's number among the claims", "none");
}

err
presented_open(struct gateway *g, partner_id who, view id, view payload, instant now, arena *mem,
               struct presented *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_exchange *row = NULL;
    exchange_id number;
    TRY(store_reader(g->store, &r));
    if (exchange_id_parse(id, &number) == E_OK)
        TRY(query_exchange(r, ARGS(val_uid(&number.u), val_uid(&who.u)), mem, &row));
    if (!row || !g->outside)
        return fault_set(f, E_NOT_FOUND, "/presentations", "a presentation of yours", "none");
    TRY(exchange_open(g, r, row, mem, &ret->x));
    TRY(check_state(&ret->x, now, f));
    TRY(check_binding(&ret->x, payload, mem, f));
    TRY(read_person(g, &ret->x, mem, &ret->person, f));
    ret->text = json_text(ret->x.request, "text");
    ret->evidence = json_text(ret->x.result, "evidence");
    ret->about = json_dump_arena(json_member(ret->x.result, "result"), mem);
    return ret->about.p ? E_OK : E_TOO_LARGE;
}

err
presented_spend(struct unit *u, struct presented *p)
{
    return exchange_step_on(u, &p->x, "spent", INSTANT_NONE, E_OK, NULL);
}

void
presented_done(struct presented *p)
{
    data_key_forget(&p->x.key);
}
