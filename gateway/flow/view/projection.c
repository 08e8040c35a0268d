#include "flow/view/projection_inside.h"

#include "adapters/adapter.h"
#include "adapters/case_walk.h"
#include "base/json.h"
#include "flow/case/join.h"
#include "flow/case/plan.h"
#include "flow/evidence/keyring.h"
#include "flow/evidence/seal.h"
#include "flow/motor/motor.h"

#define BODY_CEILING (64u << 20)

static const struct row_permission *
standing_for(const struct look *l, enum document_kind kind)
{
    return permission_standing_for(l->permissions, l->claim, kind, l->now);
}

static void
add_kind(struct look *l, view kind, const struct row_permission *by)
{
    l->by[l->n_kinds] = by;
    l->kinds[l->n_kinds++] = kind;
    l->is_counted = l->is_counted || by->uses_left >= 0;
}

/* Kinds of documents that a permission covers at this moment: asked again at every fetch. */
static void
find_kinds(struct look *l)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(l->g);
    struct permission_papers papers = {.g = l->g, .reader = l->r, .registry = r, .mem = l->mem};
    for (int k = 0; k < KIND_COUNT; k++) {
        const struct row_permission *p = standing_for(l, (enum document_kind)k);
        if (p && plan_permission_is_sure(&papers, p, l->claim->recipient))
            add_kind(l, view_of(document_kind_word((enum document_kind)k)), p);
    }
}

void
look_narrow(struct look *l)
{
    size_t n = l->n_kinds;
    l->n_kinds = 0;
    for (size_t i = 0; i < n; i++) {
        if (l->by[i]->uses_left != 0)
            add_kind(l, l->kinds[i], l->by[i]);
        else
            l->was_spent = true;
    }
}

bool
look_covers(const struct look *l, view kind)
{
    for (size_t i = 0; i < l->n_kinds; i++)
        if (view_eq(l->kinds[i], kind))
            return true;
    return false;
}

/* The person of the claim among the folded case's parties: by the blind of any of the numbers. */
static view
find_subject(const struct look *l)
{
    for (const struct case_party *p = l->c.folded->parties; p; p = p->next) {
        if (!p->person)
            continue;
        for (const struct case_identifier *id = p->person->identifiers; id; id = id->next) {
            view key = person_key_text(id->system.v, id->value.v, l->mem);
            digest blind;
            if (!key.p)
                continue;
            blind = blind_person(l->g->seal, key);
            if (digest_eq(&blind, &l->claim->claimant))
                return p->id;
        }
    }
    return VIEW_NONE;
}

/* A paper that is not as sure as this insurer asks is held: it takes no part. */
static bool
is_sure(struct look *l, const struct row_document *d)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(l->g);
    return plan_is_sure(l->g, r, l->claim->recipient, d->level, d->floor);
}

/* Reports go to who has asked for them, under a consent that names them. */
static err
find_asked(struct look *l)
{
    struct row_ask *asked = NULL;
    TRY(query_asks_of_claim_for(l->r, ARGS(val_uid(&l->claim->id), val_text(V("report"))), l->mem, &asked));
    l->reports_asked = asked != NULL;
    return E_OK;
}

/* Before anything is looked up by what is left: what was kept of this look is found by its papers. */
static void
leave_out(struct look *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->c.n; i++)
        if (is_sure(l, l->c.documents[i].row) &&
            motor_reaches(l->c.documents[i].row, l->claim, l->permissions, l->now))
            l->c.documents[n++] = l->c.documents[i];
    l->c.n = n;
}

err
look_open(struct look *l, partner_id who, claim_id id)
{
    view words;
    TRY(feed_own_claim(l->r, who, id, l->mem, &l->claim, l->f));
    TRY(query_permissions_of_case(l->r, ARGS(val_uid(&l->claim->case_id)), l->mem, &l->permissions));
    find_kinds(l);
    TRY(find_asked(l));
    TRY(case_load_rows(l->g, l->r, l->claim->case_id, l->mem, &l->c, l->f));
    leave_out(l);
    return claim_benefits(l->g, l->r, l->claim, l->mem, &words, &l->detail);
}

err
look_fold(struct look *l)
{
    /* What no permission covers does not take part in the fold at all. */
    size_t n = 0;
    for (size_t i = 0; i < l->c.n; i++)
        if (look_covers(l, l->c.documents[i].row->kind))
            l->c.documents[n++] = l->c.documents[i];
    l->c.n = n;
    TRY(case_fold_loaded(l->g, l->r, l->claim, l->mem, &l->c, l->f));
    const struct case_claim *own = l->c.folded->claims;
    if (!own)
        return E_STORE_CORRUPT;
    l->own_claim = own->id;
    l->recipient = view_sub(own->recipient.v, 1, own->recipient.v.n);
    l->subject = find_subject(l);
    l->view = view_kind_for_claim(l->c.folded, own);
    return E_OK;
}

static err
project(struct look *l, view *ret_body)
{
    const struct view_request rq = {.view = l->view,
                                    .claim = l->own_claim,
                                    .subject = l->subject,
                                    .recipient = l->recipient,
                                    .document_kinds = l->kinds,
                                    .n_document_kinds = l->n_kinds,
                                    .reports_asked = l->reports_asked};
    struct buf out;
    if (!l->n_kinds || !l->subject.n) {
        *ret_body = V("{}");
        return E_OK;
    }
    buf_init(&out, BODY_CEILING);
    err e = view_project(l->c.folded, &rq, l->mem, &out, l->f);
    *ret_body = e == E_OK && !out.failed ? arena_dup(l->mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_body->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

/* -- whole documents -- */

static bool
is_open_predicate(enum view_predicate p)
{
    return p == PREDICATE_ALL || p == PREDICATE_SUBJECT || p == PREDICATE_SUBJECT_SIGNER ||
           p == PREDICATE_VICTIM || p == PREDICATE_VICTIM_SIGNER || p == PREDICATE_REFERENCED ||
           p == PREDICATE_NO_VEHICLE; /* a repair's paper has a vehicle, which such views never show */
}

struct whole {
    enum view_kind view;
    bool open;
};

static err
leaf_is_open(void *self, const struct case_place *at)
{
    struct whole *w = self;
    if (at->group == GROUP_technical || at->group == GROUP_follow || at->class == CLASS_technical)
        return E_OK;
    if (!is_open_predicate(view_predicate_of(w->view, at->group)))
        w->open = false;
    return E_OK;
}

/* The original goes out only where the view covers all that the document says. */
static bool
sees_whole(const struct look *l, const struct loaded_document *d)
{
    /* What nobody signed has no original that proves anything. */
    struct whole w = {l->view, d->facts && !d->facts->unmapped && d->row->level != LEVEL_UNSIGNED};
    const struct case_visitor visitor = {.leaf = leaf_is_open, .self = &w};
    return w.open && case_walk(d->facts, &visitor) == E_OK && w.open;
}

static err
print_documents(struct look *l, struct buf *out)
{
    char id[ID_TEXT_SIZE], claim[ID_TEXT_SIZE];
    size_t shown = 0;
    BUF_LIT(out, "[");
    for (size_t i = 0; i < l->c.n; i++) {
        const struct loaded_document *d = &l->c.documents[i];
        struct data_key key;
        if (!look_covers(l, d->row->kind))
            continue;
        TRY(seal_load_key(l->g->seal, l->r, d->row->key, l->mem, &key));
        digest commitment = seal_commitment(&key, l->claim->recipient);
        data_key_forget(&key);
        view text = doc_id_print((doc_id){d->row->id}, id);
        buf_printf(out, "%s{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"level\":\"%s\",\"commitment\":\"",
                   shown++ ? "," : "", VIEW_ARG(text), VIEW_ARG(d->row->kind),
                   evidence_level_word((enum evidence_level)d->row->level));
        buf_add_base64url(out, digest_view(&commitment));
        BUF_LIT(out, "\"");
        if (sees_whole(l, d))
            buf_printf(out, ",\"original\":\"/v1/claims/%.*s/documents/%.*s\"",
                       VIEW_ARG(claim_id_print((claim_id){l->claim->id}, claim)), VIEW_ARG(text));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return out->failed ? E_TOO_LARGE : E_OK;
}

/* The gateway's word that this projection is what the verified documents say: names the projection's hash, never a document's digest. */
static err
attest(struct look *l, view body, view documents, view *ret)
{
    char claim[ID_TEXT_SIZE], recipient[ID_TEXT_SIZE], when[32];
    digest d = sha256(body);
    struct buf text;
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(l->g);
    buf_init(&text, 1u << 20);
    buf_printf(&text,
               "{\"iss\":\"%.*s\",\"aud\":\"%.*s\",\"claim\":\"%.*s\",\"case_version\":%lld,\"policy\":"
               "\"" PROJECTION_POLICY "\",\"view\":\"%s\",\"issued_at\":\"%.*s\",\"projection_sha256\":\"",
               VIEW_ARG(l->g->base_url),
               VIEW_ARG(partner_id_print((partner_id){l->claim->recipient}, recipient)),
               VIEW_ARG(claim_id_print((claim_id){l->claim->id}, claim)), (long long)l->c.row->version,
               view_kind_word(l->view), VIEW_ARG(instant_print(l->now, when)));
    buf_add_hex(&text, digest_view(&d));
    BUF_LIT(&text, "\",\"documents\":");
    buf_add_view(&text, documents);
    BUF_LIT(&text, "}");
    err e = text.failed ? E_TOO_LARGE
                        : jws_sign(keys->signing, V("\"typ\":\"claimgate-attestation+jwt\""), buf_view(&text),
                                   false, l->mem, ret);
    buf_done(&text);
    return e;
}

err
look_print(struct look *l, view *ret)
{
    view body, attestation;
    struct buf out, documents;
    buf_init(&documents, 1u << 20);
    buf_init(&out, BODY_CEILING * 2);
    err e = project(l, &body);
    if (e == E_OK)
        e = print_documents(l, &documents);
    if (e == E_OK)
        e = attest(l, body, buf_view(&documents), &attestation);
    if (e == E_OK) {
        buf_printf(&out, "\"case_version\":%lld,\"view\":\"%s\",\"case\":", (long long)l->c.row->version,
                   view_kind_word(l->view));
        buf_add_view(&out, body);
        BUF_LIT(&out, ",\"documents\":");
        buf_add_view(&out, buf_view(&documents));
        buf_printf(&out, ",\"attestation\":\"%.*s\"", VIEW_ARG(attestation));
    }
    *ret = e == E_OK && !out.failed ? arena_dup(l->mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    buf_done(&documents);
    return ret->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

/* -- originals -- */

err
original_open(struct gateway *g, struct reader *r, const struct row_document *row, arena *mem,
              struct original *ret)
{
    struct data_key key;
    struct row_verdict *verdict = NULL;
    view sealed, sealed_evidence = VIEW_NONE, evidence;
    json_t *json = NULL;
    TRY(store_body(g->store, &row->body_at, mem, &sealed));
    TRY(query_verdicts_of(r, ARGS(val_uid(&row->id)), mem, &verdict));
    if (verdict)
        TRY(store_body(g->store, &verdict->evidence_at, mem, &sealed_evidence));
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("body"), row->id, sealed, mem, &ret->bytes);
    if (e == E_OK && sealed_evidence.n)
        e = seal_unbox(&key, V("evidence"), verdict->id, sealed_evidence, mem, &evidence);
    data_key_forget(&key);
    TRY(e);
    ret->media = view_eq(row->media, V("xml")) ? V("application/fhir+xml") : V("application/fhir+json");
    if (!sealed_evidence.n)
        return E_OK;
    TRY(json_load(evidence, mem, &json, NULL));
    ret->cms_header = json_text(json, "cms");
    ret->key_id_header = json_text(json, "key_id");
    ret->jws_header = json_text(json, "jws");
    return E_OK;
}

/* Under a permission with counted uses a document belongs to the projection that the use was for. */
static err
hold(struct look *l, partner_id who, claim_id claim)
{
    struct row_projection *kept = NULL;
    view json, etag;
    TRY(look_find_kept(l, &kept));
    return kept || !l->n_kinds ? E_OK
                               : claim_fetch(l->g, who, claim, LANG_EN, l->now, l->mem, &json, &etag, l->f);
}

/* The first time that an original leaves is a send that begins: noted in a transaction that asks for the permission, so that a withdrawal either
 * comes before it or tells of it. */
static err
begin_original(struct look *l, const struct row_document *d)
{
    struct row_delivery *list = NULL;
    struct unit u;
    bool begun = true;
    TRY(query_deliveries_of_case(l->r, ARGS(val_uid(&l->c.row->id)), l->mem, &list));
    for (; list; list = list->next)
        if (uid_eq(list->claim, l->claim->id) && uid_eq(list->document, d->id) && !list->begun_at.us &&
            !uid_is_none(list->permission))
            begun = false;
    if (begun)
        return E_OK;
    unit_init(&u, l->mem);
    for (size_t i = 0; i < l->n_kinds; i++)
        if (view_eq(l->kinds[i], d->kind))
            unit_guard(&u, GUARD_permission_usable, ARGS(val_uid(&l->by[i]->id), val_time(l->now)));
    unit_change(&u, CHANGE_delivery_original,
                ARGS(val_uid(&l->c.row->id), val_uid(&l->claim->id), val_uid(&d->id), val_time(l->now)));
    return store_commit(l->g->store, &u);
}

err
document_fetch(struct gateway *g, partner_id who, claim_id claim, doc_id document, instant now, arena *mem,
               struct original *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct look l = {.g = g, .mem = mem, .f = f, .now = now};
    TRY(store_reader(g->store, &r));
    l.r = r;
    TRY(look_open(&l, who, claim));
    if (l.is_counted)
        TRY(hold(&l, who, claim));
    TRY(look_fold(&l));
    for (size_t i = 0; i < l.c.n; i++) {
        const struct loaded_document *d = &l.c.documents[i];
        if (!uid_eq(d->row->id, document.u) || !sees_whole(&l, d))
            continue;
        TRY(begin_original(&l, d->row));
        return original_open(g, r, d->row, mem, ret);
    }
    return l.was_spent
               ? fault_set(f, E_USED_UP, "", "a document of the projection that the use was for", "another")
               : fault_set(f, E_NOT_FOUND, "", "a document that your view covers whole", "none");
}

err
document_fetch_own(struct gateway *g, partner_id who, doc_id document, arena *mem, struct original *ret,
                   struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *row = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_document(r, ARGS(val_uid(&document.u)), mem, &row));
    if (!row || (!uid_eq(row->sender, who.u) && !uid_eq(row->signer, who.u)) || !row->facts_at.length)
        return fault_set(f, E_NOT_FOUND, "", "a document of yours", "none");
    return original_open(g, r, row, mem, ret);
}
