#include "flow/intake/image.h"

#include "adapters/case_codec.h"
#include "adapters/person/image.h"
#include "base/log.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/join.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/stamps.h"

/* One picture on its way; lives in the request's arena. */
struct picture {
    struct gateway *g;
    const struct image_in *in;
    arena *mem;
    struct fault *f;
    struct registry *registry;
    struct reader *r;
    struct image_paper paper;
    struct row_photo *photo;
    struct row_case *row;
    digest body_blind;
    struct data_key key;
    doc_id document;
    size_t deliveries;
    view json;
};

/* -- who may -- */

/* He claims in this case by an application that this app sent. */
static err
is_claimant(struct picture *p, bool *ret)
{
    struct row_claim *c = NULL;
    *ret = false;
    TRY(query_claims_of_case(p->r, ARGS(val_uid(&p->row->id)), p->mem, &c));
    for (; c && !*ret; c = c->next) {
        struct row_document *application = NULL;
        bool same = false;
        for (const struct person_key *k = p->paper.person; k; k = k->next) {
            digest blind = blind_person(p->g->seal, k->text);
            same = same || digest_eq(&blind, &c->claimant);
        }
        if (same && !uid_is_none(c->application))
            TRY(query_document(p->r, ARGS(val_uid(&c->application)), p->mem, &application));
        *ret = application && uid_eq(application->sender, p->in->sender.u);
    }
    return E_OK;
}

static err
find_case(struct picture *p)
{
    case_id id;
    uid surviving;
    bool may;
    if (case_id_parse(p->paper.in_case, &id) != E_OK)
        return fault_set(p->f, E_SCHEMA, "/case", "a case id", "another form");
    if (case_surviving(p->r, id.u, p->mem, &surviving) != E_OK)
        return fault_set(p->f, E_NOT_FOUND, "/case", "a case that you filed", "none");
    TRY(query_case_row(p->r, ARGS(val_uid(&surviving)), p->mem, &p->row));
    TRY(is_claimant(p, &may));
    return may ? E_OK
               : fault_set(p->f, E_NOT_FOUND, "/person", "a person whose application you sent in this case",
                           "none");
}

static err
find_picture(struct picture *p)
{
    digest id = BLIND(p->g->seal, "attachment", p->paper.sha256);
    struct row_attachment *file = NULL;
    char text[ID_TEXT_SIZE];
    TRY(query_attachment(p->r, ARGS(val_digest(&id), val_uid(&p->in->sender.u)), p->mem, &file));
    if (!file)
        return fault_set(p->f, E_ATTACHMENT_MISSING, "/sha256", "an attachment that arrived before", "none");
    TRY(query_photo_of(p->r, ARGS(val_digest(&id), val_uid(&p->in->sender.u)), p->mem, &p->photo));
    if (!p->photo)
        return fault_set(p->f, E_IMAGE_FORM, "/sha256", "a JPEG or PNG", "another file");
    view handle = arena_dup(p->mem, photo_id_print((photo_id){p->photo->photo}, text));
    leaf_set_text(&p->paper.image->photo_id, handle, source_gateway(HOW_COMPUTED));
    leaf_set_text(&p->paper.image->media, p->photo->media, source_gateway(HOW_COMPUTED));
    return handle.p ? E_OK : E_TOO_LARGE;
}

/* -- the unit -- */

static err
print_facts(const struct picture *p, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1u << 20);
    TRY(case_encode(p->paper.facts, NULL, true, &out));
    *ret = out.failed ? VIEW_NONE : arena_dup(p->mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
add_document(struct picture *p, struct unit *u)
{
    struct row_document *row = unit_add_document(u);
    view text, facts, body;
    if (!row)
        return E_TOO_LARGE;
    p->document = doc_id_new();
    row->id = p->document.u;
    row->kind = view_of(document_kind_word(KIND_ATTACHMENT));
    row->profile = V("claimgate-image-1");
    row->sender = p->in->sender.u;
    row->body = p->body_blind;
    row->media = V("json");
    row->bytes = (int64_t)p->in->body.n;
    row->key = p->key.id;
    row->received_at = p->in->received;
    row->state = V("current");
    row->level = LEVEL_UNSIGNED;
    row->facts_version = 1;
    TRY(print_facts(p, &text));
    TRY(seal_box(&p->key, V("facts"), row->id, text, u->mem, &facts));
    TRY(seal_box(&p->key, V("body"), row->id, p->in->body, u->mem, &body));
    unit_body(u, body, &row->body_at);
    unit_body(u, facts, &row->facts_at);
    return E_OK;
}

/* The attachment is claimed by the document; the picture is a key of the case, so that it is known again in another. */
static err
link(struct picture *p, struct unit *u, case_id *ret_case, int64_t *ret_version)
{
    struct join j = {.n = 0};
    struct joined found = {.target = p->row};
    uid *of = arena_make(p->mem, uid);
    TRY(join_add(&j, p->photo->picture, "picture", false));
    TRY(join_write(u, &j, &found, p->in->received, ret_case, ret_version));
    struct row_case_document *row = unit_add_case_document(u);
    if (!row || !of)
        return E_TOO_LARGE;
    *of = p->document.u;
    *row = (struct row_case_document){
        .case_id = ret_case->u, .document = p->document.u, .facts_version = 1, .at = p->in->received};
    unit_change(u, CHANGE_attachment_claim,
                ARGS(val_digest(&p->photo->id), val_uid(&p->photo->partner), val_uid(of)));
    return timeline_add(u, ret_case->u, (uid){{0}}, "person", p->in->sender.u, "document.available",
                        VIEW_NONE, p->document.u, p->in->received);
}

static err
add_reception(struct picture *p, struct unit *u, case_id in_case)
{
    struct row_reception *row = unit_add_reception(u);
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE], d[ID_TEXT_SIZE];
    if (!row)
        return E_TOO_LARGE;
    submission_id id = submission_id_new();
    const digest verdict = sha256(V("unsigned"));
    const digest parts[] = {p->in->body_digest, verdict, sha256(uid_view(&in_case.u))};
    digest leaf;
    TRY(evidence_leaf(u, "image", id.u, parts, COUNT_OF(parts), p->in->received, &leaf));
    *row = (struct row_reception){.id = id.u,
                                  .document = p->document.u,
                                  .sender = p->in->sender.u,
                                  .client = p->in->client,
                                  .leaf = leaf,
                                  .at = p->in->received,
                                  .case_id = in_case.u,
                                  .outcome = p->deliveries ? V("accepted") : V("waiting-permission"),
                                  .next = row->next,
                                  .op = row->op};
    TRY(evidence_receipt(p->g, id, &p->in->body_digest, &verdict, p->in->sender, p->in->received, &leaf,
                         u->mem, &row->receipt));
    p->json = arena_printf(
        p->mem,
        "{\"submission\":\"%.*s\",\"document\":\"%.*s\",\"case\":\"%.*s\",\"image\":\"%.*s\",\"level\":"
        "\"unsigned\",\"outcome\":\"%.*s\",\"receipt\":\"%.*s\"}",
        VIEW_ARG(submission_id_print(id, a)), VIEW_ARG(doc_id_print(p->document, b)),
        VIEW_ARG(case_id_print(in_case, c)), VIEW_ARG(photo_id_print((photo_id){p->photo->photo}, d)),
        VIEW_ARG(row->outcome), VIEW_ARG(row->receipt));
    return p->json.p ? E_OK : E_TOO_LARGE;
}

static err
build(struct picture *p, struct unit *u)
{
    case_id in_case;
    int64_t version;
    TRY(find_case(p));
    TRY(find_picture(p));
    TRY(seal_new_key(p->g->seal, u, "document", &p->key));
    TRY(add_document(p, u));
    data_key_forget(&p->key);
    TRY(link(p, u, &in_case, &version));
    const struct plan_input in = {p->g, p->r, p->registry, p->mem, in_case, version, p->in->received, NULL};
    const struct paper paper = {p->document.u,        KIND_ATTACHMENT, LEVEL_UNSIGNED, LEVEL_UNSIGNED,
                                "document.available", {{0}},           {{0}}};
    TRY(plan_document(&in, u, &paper, &p->deliveries));
    TRY(add_reception(p, u, in_case));
    return u->failed ? E_TOO_LARGE : E_OK;
}

/* The same words again: the receipt that they got. */
static err
answer_known(struct picture *p, const struct row_document *known)
{
    struct row_reception *row = NULL;
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];
    TRY(query_reception_of(p->r, ARGS(val_uid(&known->id), val_uid(&p->in->sender.u)), p->mem, &row));
    if (!row)
        return fault_set(p->f, E_DUPLICATE, "", "a picture not sent before", "one sent by another");
    p->json = arena_printf(
        p->mem,
        "{\"submission\":\"%.*s\",\"document\":\"%.*s\",\"case\":\"%.*s\",\"level\":\"unsigned\","
        "\"outcome\":\"duplicate\",\"receipt\":\"%.*s\"}",
        VIEW_ARG(submission_id_print((submission_id){row->id}, a)),
        VIEW_ARG(doc_id_print((doc_id){known->id}, b)), VIEW_ARG(case_id_print((case_id){row->case_id}, c)),
        VIEW_ARG(row->receipt));
    return p->json.p ? E_OK : E_TOO_LARGE;
}

static err
add_once(struct picture *p, bool *ret_created)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *known = NULL;
    struct unit u;
    TRY(store_reader(p->g->store, &r));
    p->r = r;
    p->deliveries = 0;
    TRY(query_document_by_body(r, ARGS(val_digest(&p->body_blind)), p->mem, &known));
    *ret_created = !known;
    if (known)
        return answer_known(p, known);
    unit_init(&u, p->mem);
    TRY(build(p, &u));
    reader_done(TAKE(r));
    return store_commit(p->g->store, &u);
}

err
image_add(struct gateway *g, const struct image_in *in, arena *mem, view *ret_json, bool *ret_created,
          struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct tree *tree = arena_make(mem, struct tree);
    struct picture p = {.g = g, .in = in, .mem = mem, .f = f, .registry = registry};
    if (!tree)
        return E_TOO_LARGE;
    TRY(tree_read_json(in->body, NULL, mem, tree, f));
    TRY(image_read(tree, mem, &p.paper, f));
    p.body_blind = BLIND(g->seal, "body", digest_view(&in->body_digest));
    TRY(stamps_in_time(g, in->received, f));
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = add_once(&p, ret_created);
    if (e != E_OK)
        return e;
    if (*ret_created)
        log_event(LOG_ACCEPT, F_UID("document", "doc", &p.document.u), F_NAME("outcome", "unsigned"),
                  F_N("deliveries", (int64_t)p.deliveries));
    if (p.deliveries && g->wake_relay)
        g->wake_relay(g->relay);
    *ret_json = p.json;
    return E_OK;
}
