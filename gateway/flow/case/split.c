#include "flow/case/split.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/partner/registry.h"

/* -- what a join moves -- */

static void
print_id(struct buf *out, uid id)
{
    buf_add_view(out, out->p[out->n - 1] == '[' ? V("\"") : V(",\""));
    buf_add_hex(out, uid_view(&id));
    BUF_LIT(out, "\"");
}

/* Keys of the younger case; own: the older one has not got them. */
static err
print_keys(struct reader *r, uid younger, uid older, arena *mem, struct buf *out)
{
    struct row_case_key *keys = NULL, *others = NULL;
    TRY(query_case_keys_of(r, ARGS(val_uid(&younger)), mem, &keys));
    TRY(query_case_keys_of(r, ARGS(val_uid(&older)), mem, &others));
    BUF_LIT(out, ",\"keys\":[");
    for (const struct row_case_key *k = keys; k; k = k->next) {
        bool own = true;
        for (const struct row_case_key *o = others; o && own; o = o->next)
            own = !digest_eq(&o->blind, &k->blind);
        buf_printf(out, "%s{\"own\":%s,\"kind\":\"%.*s\",\"blind\":\"", k == keys ? "" : ",",
                   own ? "true" : "false", VIEW_ARG(k->kind));
        buf_add_hex(out, digest_view(&k->blind));
        BUF_LIT(out, "\"}");
    }
    BUF_LIT(out, "]");
    return E_OK;
}

err
split_remember(struct reader *r, uid younger, uid older, arena *mem, view *ret)
{
    struct row_case_document *documents = NULL;
    struct row_claim *claims = NULL;
    struct row_permission *permissions = NULL;
    struct row_timeline *timeline = NULL;
    struct row_lookup *lookups = NULL;
    struct buf out;
    TRY(query_case_links_of(r, ARGS(val_uid(&younger)), mem, &documents));
    TRY(query_claims_of_case(r, ARGS(val_uid(&younger)), mem, &claims));
    TRY(query_permissions_of_case(r, ARGS(val_uid(&younger)), mem, &permissions));
    TRY(query_timeline_of_case(r, ARGS(val_uid(&younger)), mem, &timeline));
    TRY(query_lookups_of_case(r, ARGS(val_uid(&younger)), mem, &lookups));
    buf_init(&out, 16u << 20);
    BUF_LIT(&out, "{\"documents\":[");
    for (; documents; documents = documents->next)
        print_id(&out, documents->document);
    BUF_LIT(&out, "],\"claims\":[");
    for (; claims; claims = claims->next)
        print_id(&out, claims->id);
    BUF_LIT(&out, "],\"permissions\":[");
    for (; permissions; permissions = permissions->next)
        print_id(&out, permissions->id);
    BUF_LIT(&out, "],\"lookups\":[");
    for (; lookups; lookups = lookups->next)
        print_id(&out, lookups->id);
    BUF_LIT(&out, "],\"timeline\":[");
    for (; timeline; timeline = timeline->next)
        print_id(&out, timeline->id);
    BUF_LIT(&out, "]");
    err e = print_keys(r, younger, older, mem, &out);
    BUF_LIT(&out, "}");
    *ret = e == E_OK && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

/* -- the split -- */

struct split {
    struct gateway *g;
    struct reader *r;
    arena *mem;
    struct unit u;
    struct row_case *younger, *older;
    json_t *moved;
    instant now;
    size_t n_documents, n_claims;
};

/* Arguments are borrowed until the commit. */
static uid *
read_uid(struct split *s, const json_t *item)
{
    view bytes;
    uid *id = arena_make(s->mem, uid);
    view hex = view_of(json_is_string(item) ? json_string_value(item) : "");
    if (!id || text_hex_decode(hex, s->mem, &bytes) != E_OK || bytes.n != sizeof id->b)
        return NULL;
    memcpy(id->b, bytes.p, sizeof id->b);
    return id;
}

static err
move_back(struct split *s, const char *name, enum change change, size_t *ret_n)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_member(s->moved, name), i, item)
    {
        uid *id = read_uid(s, item);
        if (!id)
            return E_STORE_CORRUPT;
        unit_change(&s->u, change, ARGS(val_uid(&s->older->id), val_uid(&s->younger->id), val_uid(id)));
        *ret_n += 1;
    }
    return E_OK;
}

/* What only the younger case had finds only it again, whatever paper brought it to the older one meanwhile. */
static err
move_keys(struct split *s)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_member(s->moved, "keys"), i, item)
    {
        view bytes;
        digest *blind = arena_make(s->mem, digest);
        struct row_case_key *row = unit_add_case_key(&s->u);
        if (!blind || !row)
            return E_TOO_LARGE;
        if (text_hex_decode(json_text(item, "blind"), s->mem, &bytes) != E_OK || bytes.n != sizeof blind->b)
            return E_STORE_CORRUPT;
        memcpy(blind->b, bytes.p, sizeof blind->b);
        *row = (struct row_case_key){.blind = *blind,
                                     .case_id = s->younger->id,
                                     .kind = json_text(item, "kind"),
                                     .at = s->now,
                                     .op = ROW_PUT};
        if (json_is_true(json_object_get(item, "own")))
            unit_change(&s->u, CHANGE_case_key_drop, ARGS(val_digest(blind), val_uid(&s->older->id)));
    }
    return E_OK;
}

/* Every insurer of either case is told, without content: what it was shown may have held papers of the other. */
static err
tell(struct split *s)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(s->g);
    struct row_claim *claims = NULL;
    TRY(query_claims_of_case(s->r, ARGS(val_uid(&s->older->id)), s->mem, &claims));
    for (; claims; claims = claims->next) {
        bool back = false;
        size_t i;
        const json_t *item;
        json_array_foreach(json_member(s->moved, "claims"), i, item)
        {
            uid *id = read_uid(s, item);
            back = back || (id && uid_eq(*id, claims->id));
        }
        const struct row_case *in_case = back ? s->younger : s->older;
        const struct plan_input in = {s->g,   s->r, registry, s->mem, {in_case->id}, in_case->version + 1,
                                      s->now, NULL};
        TRY(plan_delivery(&in, &s->u, claims, NULL, (uid){{0}}, "case.split"));
    }
    return E_OK;
}

static err
build(struct split *s, view jws)
{
    size_t ignored = 0;
    digest leaf;
    unit_init(&s->u, s->mem);
    unit_guard(&s->u, GUARD_case_version, ARGS(val_uid(&s->older->id), val_int(s->older->version)));
    unit_guard(&s->u, GUARD_case_version, ARGS(val_uid(&s->younger->id), val_int(s->younger->version)));
    TRY(move_back(s, "documents", CHANGE_document_move_back, &s->n_documents));
    TRY(move_back(s, "claims", CHANGE_claim_move_back, &s->n_claims));
    TRY(move_back(s, "permissions", CHANGE_permission_move_back, &ignored));
    TRY(move_back(s, "lookups", CHANGE_lookup_move_back, &ignored));
    TRY(move_back(s, "timeline", CHANGE_timeline_move_back, &ignored));
    TRY(move_keys(s));
    unit_change(&s->u, CHANGE_case_unmerge, ARGS(val_uid(&s->younger->id), val_time(s->now)));
    unit_change(&s->u, CHANGE_case_touch, ARGS(val_uid(&s->older->id), val_time(s->now)));
    TRY(timeline_add(&s->u, s->older->id, (uid){{0}}, "operator", (uid){{0}}, "case-split", VIEW_NONE,
                     (uid){{0}}, s->now));
    TRY(timeline_add(&s->u, s->younger->id, (uid){{0}}, "operator", (uid){{0}}, "case-split", VIEW_NONE,
                     (uid){{0}}, s->now));
    TRY(tell(s));
    const digest parts[] = {sha256(jws), sha256(uid_view(&s->older->id)), sha256(uid_view(&s->younger->id))};
    return evidence_leaf(&s->u, "case-split", s->younger->id, parts, COUNT_OF(parts), s->now, &leaf);
}

/* The case that holds the papers now: where the older one was joined further, the last of that way. */
static err
find_cases(struct split *s, case_id id, struct fault *f)
{
    struct row_merge *merge = NULL;
    TRY(query_case_row(s->r, ARGS(val_uid(&id.u)), s->mem, &s->younger));
    TRY(query_merge(s->r, ARGS(val_uid(&id.u)), s->mem, &merge));
    if (!s->younger || uid_is_none(s->younger->merged_into) || !merge)
        return fault_set(f, E_NOT_FOUND, "/split", "a case that was joined to another", "none");
    s->older = s->younger;
    for (int i = 0; i < 16 && !uid_is_none(s->older->merged_into); i++) {
        TRY(query_case_row(s->r, ARGS(val_uid(&s->older->merged_into)), s->mem, &s->older));
        if (!s->older)
            return E_STORE_CORRUPT;
    }
    return json_load(merge->moved, s->mem, &s->moved, NULL);
}

static err
split_once(struct split *s, view jws, struct fault *f)
{
    view payload;
    json_t *json = NULL;
    case_id id;
    TRY(operator_verify(s->r, jws, s->mem, &payload, f));
    TRY(json_load(payload, s->mem, &json, f));
    if (case_id_parse(json_text(json, "split"), &id) != E_OK)
        return fault_set(f, E_SCHEMA, "/split", "the id of a case (case-…)", "another form");
    TRY(find_cases(s, id, f));
    TRY(build(s, jws));
    reader_done(TAKE(s->r));
    return s->u.failed ? E_TOO_LARGE : store_commit(s->g->store, &s->u);
}

err
case_split(struct gateway *g, view jws, arena *mem, view *ret_json, struct fault *f)
{
    struct split s = {0};
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++) {
        s = (struct split){.g = g, .mem = mem, .now = clock_now()};
        TRY(store_reader(g->store, &s.r));
        e = split_once(&s, jws, f);
        reader_done(s.r);
    }
    if (e != E_OK)
        return fault_set(f, e, "", "", "");
    char younger[ID_TEXT_SIZE], older[ID_TEXT_SIZE];
    *ret_json =
        arena_printf(mem, "{\"case\":\"%.*s\",\"from\":\"%.*s\",\"documents\":%zu,\"claims\":%zu}",
                     VIEW_ARG(case_id_print((case_id){s.younger->id}, younger)),
                     VIEW_ARG(case_id_print((case_id){s.older->id}, older)), s.n_documents, s.n_claims);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
