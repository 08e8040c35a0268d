#include "flow/view/projection_inside.h"

#include "base/json.h"
#include "flow/case/claim.h"
#include "flow/case/original.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/motor/motor.h"
#include "flow/person/account.h"

#define ANSWER_CEILING (128u << 20)
/* Changes when the encoder writes the same view otherwise. */
#define ENCODER "json-1"

/* -- kept bytes -- */

static uid
place_of(const digest *id)
{
    uid place;
    memcpy(place.b, id->b, sizeof place.b);
    return place;
}

/* Everything that decides what the bytes say. */
static digest
kept_id(const struct look *l)
{
    struct buf kinds, documents;
    char claim[ID_TEXT_SIZE], version[32];
    buf_init(&kinds, 4096);
    buf_init(&documents, 4u << 20);
    (void)snprintf(version, sizeof version, "%lld", (long long)l->c.row->version);
    for (size_t i = 0; i < l->n_kinds; i++)
        buf_printf(&kinds, "%.*s ", VIEW_ARG(l->kinds[i]));
    if (l->reports_asked)
        BUF_LIT(&kinds, "reports-asked ");
    for (size_t i = 0; i < l->c.n; i++)
        if (look_covers(l, l->c.documents[i].row->kind)) {
            buf_add_view(&documents, uid_view(&l->c.documents[i].row->id));
            buf_printf(&documents, "%lld ", (long long)l->c.documents[i].row->level);
        }
    digest id =
        BLIND(l->g->seal, "projection", claim_id_print((claim_id){l->claim->id}, claim), view_of(version),
              V(PROJECTION_POLICY " " ENCODER), buf_view(&kinds), buf_view(&documents));
    buf_done(&kinds);
    buf_done(&documents);
    return id;
}

err
look_find_kept(struct look *l, struct row_projection **ret)
{
    digest id = kept_id(l);
    TRY(query_projection(l->r, ARGS(val_digest(&id)), l->mem, ret));
    if (*ret)
        return E_OK;
    size_t before = l->n_kinds;
    look_narrow(l);
    if (l->n_kinds == before)
        return E_OK;
    id = kept_id(l);
    return query_projection(l->r, ARGS(val_digest(&id)), l->mem, ret);
}

static err
open_kept(struct look *l, const struct row_projection *row, view *ret)
{
    struct data_key key;
    TRY(seal_load_key(l->g->seal, l->r, row->key, l->mem, &key));
    err e = seal_unbox(&key, V("projection"), place_of(&row->id), row->body, l->mem, ret);
    data_key_forget(&key);
    return e;
}

/* -- keeping -- */

static err
count_uses(struct look *l, struct unit *u)
{
    for (size_t i = 0; i < l->n_kinds; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || l->by[k] == l->by[i];
        if (seen)
            continue;
        /* Asked again in the writer: a withdrawal between this reading and the commit must win. */
        unit_guard(u, GUARD_permission_usable, ARGS(val_uid(&l->by[i]->id), val_time(l->now)));
        if (l->by[i]->uses_left < 0)
            continue;
        unit_guard(u, GUARD_permission_unspent, ARGS(val_uid(&l->by[i]->id)));
        unit_change(u, CHANGE_permission_use, ARGS(val_uid(&l->by[i]->id)));
    }
    return u->failed ? E_TOO_LARGE : E_OK;
}

/* E_STALE when another has kept it meanwhile, or a permission ended: look again. */
static err
keep(struct look *l, view text)
{
    struct unit u;
    struct data_key key;
    digest leaf, digest_of_text = sha256(text), id = kept_id(l);
    unit_init(&u, l->mem);
    struct row_projection *row = unit_add_projection(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_projection){.id = id,
                                   .claim = l->claim->id,
                                   .case_version = l->c.row->version,
                                   .policy = V(PROJECTION_POLICY),
                                   .key = l->claim->key,
                                   .at = l->now};
    TRY(seal_load_key(l->g->seal, l->r, row->key, l->mem, &key));
    err e = seal_box(&key, V("projection"), place_of(&id), text, l->mem, &row->body);
    data_key_forget(&key);
    TRY(e);
    TRY(count_uses(l, &u));
    unit_change(&u, CHANGE_deliveries_projected,
                ARGS(val_uid(&l->c.row->id), val_uid(&l->claim->id), val_digest(&digest_of_text),
                     val_text(V(PROJECTION_POLICY)), val_time(l->now)));
    const digest parts[] = {digest_of_text, sha256(uid_view(&l->claim->id))};
    TRY(evidence_leaf(&u, "projection", l->claim->id, parts, COUNT_OF(parts), l->now, &leaf));
    reader_done(TAKE(l->r));
    e = store_commit(l->g->store, &u);
    return e == E_PERMISSION_NEEDED || e == E_USED_UP ? E_STALE : e;
}

/* -- the answer -- */

/* Opened by a motor filing: its papers are among the documents; by the number the insurer answers them. */
static void
print_motor(const struct look *l, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    BUF_LIT(out, ",\"filing\":{\"number\":");
    buf_add_json(out, motor_number_of(&l->c, l->claim->application));
    buf_printf(out, ",\"href\":\"/v1/motor-filings/%.*s\"}",
               VIEW_ARG(case_id_print((case_id){l->c.row->id}, id)));
}

static err
print_filing(struct look *l, struct buf *out)
{
    AUTO(reader_done) struct reader *r = NULL; /* the look's own ends with its commit */
    json_t *json = NULL;
    if (!l->detail.n)
        return E_OK;
    TRY(store_reader(l->g->store, &r));
    TRY(json_load(l->detail, l->mem, &json, NULL));
    if (json_text(json_member(json, "detail"), "vehicle").n) {
        print_motor(l, out);
        return E_OK;
    }
    BUF_LIT(out, ",\"application\":{\"signature\":");
    buf_add_json(out, json_text(json, "signature"));
    BUF_LIT(out, ",\"co_signatures\":");
    buf_add_view(out, json_dump_arena(json_object_get(json, "co_signatures"), l->mem));
    BUF_LIT(out, ",\"items\":");
    buf_add_view(out, json_dump_arena(json_object_get(json, "items"), l->mem));
    if (json_object_get(json, "presentations")) {
        BUF_LIT(out, ",\"payload\":");
        buf_add_json(out, json_text(json, "payload"));
        BUF_LIT(out, ",\"presentations\":");
        buf_add_view(out, json_dump_arena(json_object_get(json, "presentations"), l->mem));
    }
    BUF_LIT(out, "},\"payee\":");
    buf_add_view(out, json_dump_arena(json_object_get(json, "payee"), l->mem));
    return account_print_waiting(r, l->claim->id, l->mem, out);
}

static err
print_answer(struct look *l, view kept, enum lang lang, view *ret)
{
    struct buf out;
    buf_init(&out, ANSWER_CEILING);
    BUF_LIT(&out, "{\"claim\":");
    err e = claim_print(l->g, l->claim, lang, &out);
    out.n--; /* the brace: the object goes on */
    if (e == E_OK)
        e = original_print(l->g, l->r, l->claim, l->now, l->mem, &out);
    BUF_LIT(&out, "},");
    buf_add_view(&out, kept);
    BUF_LIT(&out, ",\"log_head\":"); /* the latest, not that of the projection */
    buf_add_json(&out, gateway_head(l->g, l->mem));
    if (e == E_OK)
        e = print_filing(l, &out);
    BUF_LIT(&out, "}");
    *ret = e == E_OK && !out.failed ? arena_dup(l->mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

/* The uses are spent: what was given last is given again, and nothing newer. */
static err
find_last(struct look *l, struct row_projection **ret)
{
    TRY(query_projections_of(l->r, ARGS(val_uid(&l->claim->id)), l->mem, ret));
    return *ret ? E_OK
                : fault_set(l->f, E_USED_UP, "", "a permission with a use left", "one whose uses are spent");
}

static err
fetch(struct look *l, partner_id who, claim_id id, enum lang lang, view *ret_json)
{
    struct row_projection *kept = NULL;
    view text = VIEW_NONE;
    TRY(look_open(l, who, id));
    TRY(look_find_kept(l, &kept));
    if (!kept && l->was_spent && !l->n_kinds)
        TRY(find_last(l, &kept));
    if (kept) {
        TRY(open_kept(l, kept, &text));
        return print_answer(l, text, lang, ret_json);
    }
    TRY(look_fold(l));
    TRY(look_print(l, &text));
    TRY(print_answer(l, text, lang, ret_json));
    bool shows = l->n_kinds && l->subject.n && !uid_is_none(l->claim->key);
    return shows ? keep(l, text) : E_OK;
}

err
claim_fetch(struct gateway *g, partner_id who, claim_id id, enum lang lang, instant now, arena *mem,
            view *ret_json, view *ret_etag, struct fault *f)
{
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++) {
        struct look l = {.g = g, .mem = mem, .f = f, .now = now};
        TRY(store_reader(g->store, &l.r));
        e = fetch(&l, who, id, lang, ret_json);
        reader_done(l.r);
        if (e == E_OK)
            *ret_etag = arena_printf(mem, "\"%lld\"", (long long)l.claim->version);
    }
    return e != E_OK ? e : ret_etag->p ? E_OK : E_TOO_LARGE;
}
