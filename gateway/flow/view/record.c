/* The record that a person can read: who holds which permission, by which text or article, and when it was used. */
#include "flow/view/feed.h"

#include "base/json.h"
#include "flow/case/case.h"
#include "flow/case/permission.h"
#include "flow/evidence/seal.h"
#include "flow/partner/registry.h"
#include "flow/person/account.h"
#include "flow/person/representation.h"

#define RECORD_MAX ((size_t)4 << 20)

struct record {
    struct gateway *g;
    struct reader *r;
    struct registry *registry;
    struct row_delivery *deliveries; /* of the case */
    enum lang lang;
    digest person; /* who reads */
    arena *mem;
    struct buf *out;
};

static void
add_time(struct record *c, const char *name, instant at)
{
    char when[32];
    if (at.us)
        buf_printf(c->out, ",\"%s\":\"%.*s\"", name, VIEW_ARG(instant_print(at, when)));
}

/* "text":{id, version, lang, sha256} or "resources":[…], as it was kept; an article of law with its words. */
static err
print_basis(struct record *c, const struct row_permission *p)
{
    static const char *const shown[] = {"text", "resources"};
    const struct statute *law = statute_of(p->basis);
    struct data_key key;
    json_t *detail = NULL;
    view text;
    buf_printf(c->out, ",\"basis\":\"%.*s\"", VIEW_ARG(p->basis));
    if (law) {
        BUF_LIT(c->out, ",\"article\":");
        buf_add_json(c->out, view_of(law->article));
        BUF_LIT(c->out, ",\"says\":");
        buf_add_json(c->out, view_of(law->text[c->lang]));
    }
    if (!p->detail.n)
        return E_OK;
    TRY(seal_load_key(c->g->seal, c->r, p->key, c->mem, &key));
    err e = seal_unbox(&key, V("permission"), p->id, p->detail, c->mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(json_load(text, c->mem, &detail, NULL));
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        const json_t *part = json_member(detail, shown[i]);
        if (!part)
            continue;
        buf_printf(c->out, ",\"%s\":", shown[i]);
        TRY(json_dump(part, c->out));
    }
    return E_OK;
}

/* Each send under it that has begun, or that was stopped. */
static void
print_uses(struct record *c, const struct row_permission *p)
{
    char id[ID_TEXT_SIZE], document[ID_TEXT_SIZE];
    size_t n = 0;
    BUF_LIT(c->out, ",\"used\":[");
    for (const struct row_delivery *d = c->deliveries; d; d = d->next) {
        if (!uid_eq(d->permission, p->id))
            continue;
        buf_printf(c->out, "%s{\"delivery\":\"%.*s\",\"what\":\"%.*s\",\"state\":\"%.*s\"", n++ ? "," : "",
                   VIEW_ARG(delivery_id_print((delivery_id){d->id}, id)), VIEW_ARG(d->kind),
                   VIEW_ARG(d->state));
        if (!uid_is_none(d->document))
            buf_printf(c->out, ",\"document\":\"%.*s\"",
                       VIEW_ARG(doc_id_print((doc_id){d->document}, document)));
        add_time(c, "begun_at", d->begun_at);
        BUF_LIT(c->out, "}");
    }
    BUF_LIT(c->out, "]");
}

static err
print_permission(struct record *c, const struct row_permission *p)
{
    const struct partner *holder = registry_partner(c->registry, (partner_id){p->recipient});
    char id[ID_TEXT_SIZE], in_case[ID_TEXT_SIZE];
    buf_printf(c->out, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"recipient\":",
               VIEW_ARG(perm_id_print((perm_id){p->id}, id)), VIEW_ARG(p->kind));
    buf_add_json(c->out, holder ? holder->row->name_zh : V(""));
    if (!uid_is_none(p->case_id))
        buf_printf(c->out, ",\"case\":\"%.*s\"", VIEW_ARG(case_id_print((case_id){p->case_id}, in_case)));
    buf_printf(c->out, ",\"purpose\":\"%.*s\",\"document_kinds\":\"%.*s\",\"level\":\"%.*s\"",
               VIEW_ARG(p->purpose), VIEW_ARG(p->kinds), VIEW_ARG(p->level));
    if (p->waits.n)
        buf_printf(c->out, ",\"waits\":\"%.*s\"", VIEW_ARG(p->waits));
    if (!digest_eq(&p->by, &(digest){{0}}))
        BUF_LIT(c->out, ",\"given_by\":\"representative\"");
    if (p->uses_left >= 0)
        buf_printf(c->out, ",\"uses_left\":%lld", (long long)p->uses_left);
    add_time(c, "from", p->valid_from);
    add_time(c, "to", p->valid_to);
    add_time(c, "withdrawn_at", p->withdrawn_at);
    TRY(print_basis(c, p));
    print_uses(c, p);
    BUF_LIT(c->out, "}");
    return E_OK;
}

static err
print_record(struct record *c, uid in_case)
{
    struct row_permission *list = NULL;
    TRY(query_permissions_of_case(c->r, ARGS(val_uid(&in_case)), c->mem, &list));
    TRY(query_deliveries_of_case(c->r, ARGS(val_uid(&in_case)), c->mem, &c->deliveries));
    BUF_LIT(c->out, "{\"data\":[");
    for (const struct row_permission *p = list; p; p = p->next) {
        if (p != list)
            BUF_LIT(c->out, ",");
        TRY(print_permission(c, p));
    }
    BUF_LIT(c->out, "],");
    TRY(account_print(c->g, c->r, in_case, c->lang, c->mem, c->out));
    BUF_LIT(c->out, ",");
    TRY(representation_print(c->g, c->r, &c->person, c->lang, c->mem, c->out));
    BUF_LIT(c->out, "}");
    return E_OK;
}

err
track_permissions(struct gateway *g, const struct person_caller *who, enum lang lang, arena *mem,
                  view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct buf out AUTO_DONE(buf_done);
    uid in_case;
    buf_init(&out, RECORD_MAX);
    if (who->steps_only || view_eq(who->role, V("policyholder")))
        return fault_set(f, E_LOGIN, "X-Track-Token", "the person's own code", "one that opens steps only");
    TRY(store_reader(g->store, &r));
    TRY(case_surviving(r, who->in_case.u, mem, &in_case));
    struct record c = {
        .g = g, .r = r, .registry = registry, .lang = lang, .person = who->person, .mem = mem, .out = &out};
    TRY(print_record(&c, in_case));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
