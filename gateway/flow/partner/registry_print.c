#include "flow/partner/registry.h"

#include "base/buf.h"
#include "base/text.h"

static void
print_words(struct buf *out, view words)
{
    size_t n = 0;
    BUF_LIT(out, "[");
    while (words.n) {
        if (n++)
            BUF_LIT(out, ",");
        buf_add_json(out, view_cut(&words, ' ', NULL));
    }
    BUF_LIT(out, "]");
}

static void
print_partner(const struct row_partner *p, const struct row_partner_key *keys, struct buf *out)
{
    char id[ID_TEXT_SIZE], from[32], to[32];
    size_t n = 0;
    buf_printf(out, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"code\":\"%.*s\",\"name_zh\":",
               VIEW_ARG(partner_id_print((partner_id){p->id}, id)), VIEW_ARG(p->kind), VIEW_ARG(p->code));
    buf_add_json(out, p->name_zh.p ? p->name_zh : V(""));
    buf_printf(out, ",\"status\":\"%.*s\",\"scopes\":", VIEW_ARG(p->status));
    print_words(out, p->scopes);
    BUF_LIT(out, ",\"acts_for\":");
    print_words(out, p->acts_for);
    buf_printf(out, ",\"quota\":%lld,\"keys\":[", (long long)p->quota);
    for (; keys; keys = keys->next) {
        if (!uid_eq(keys->partner, p->id))
            continue;
        buf_printf(out, "%s{\"use\":\"%.*s\",\"kid\":\"%.*s\",\"status\":\"%.*s\",\"from\":\"%.*s\"",
                   n++ ? "," : "", VIEW_ARG(keys->use), VIEW_ARG(keys->kid), VIEW_ARG(keys->status),
                   VIEW_ARG(instant_print(keys->valid_from, from)));
        if (keys->valid_to.us)
            buf_printf(out, ",\"to\":\"%.*s\"", VIEW_ARG(instant_print(keys->valid_to, to)));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]}");
}

err
registry_print(struct gateway *g, arena *mem, view *ret_json)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_partner *partners = NULL;
    struct row_partner_key *keys = NULL;
    struct buf out;
    TRY(store_reader(g->store, &r));
    TRY(query_partners(r, NO_ARGS, mem, &partners));
    TRY(query_partner_keys(r, NO_ARGS, mem, &keys));
    buf_init(&out, 64u << 20);
    BUF_LIT(&out, "{\"data\":[");
    for (const struct row_partner *p = partners; p; p = p->next) {
        if (p != partners)
            BUF_LIT(&out, ",");
        print_partner(p, keys, &out);
    }
    BUF_LIT(&out, "]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

err
change_print(struct gateway *g, view id, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_change *row = NULL;
    change_id change;
    char when[32];
    if (change_id_parse(id, &change) != E_OK)
        return fault_set(f, E_NOT_FOUND, "", "chg-…", "another form");
    TRY(store_reader(g->store, &r));
    TRY(query_change(r, ARGS(val_uid(&change.u)), mem, &row));
    if (!row)
        return fault_set(f, E_NOT_FOUND, "", "a change", "none");
    digest d = sha256(row->proposal);
    *ret_json = arena_printf(mem,
                             "{\"change\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%.*s\",\"proposed_at\":\"%.*"
                             "s\",\"digest\":\"%.*s\"}",
                             VIEW_ARG(id), VIEW_ARG(row->kind), VIEW_ARG(row->state),
                             VIEW_ARG(instant_print(row->proposed_at, when)),
                             VIEW_ARG(text_hex(mem, digest_view(&d))));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
