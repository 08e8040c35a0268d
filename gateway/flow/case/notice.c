#include "flow/case/notice.h"

#include "base/json.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/members.h"
#include "flow/view/feed.h"

/* One notice in the making. */
struct notice {
    struct gateway *g;
    struct registry *registry;
    struct reader *r;
    arena *mem;
    struct fault *f;
    instant now;
    const struct statute *law;
    const struct partner *to;
    view line;
    struct row_claim *own; /* of the insurer that tells */
    struct row_case *in_case;
    struct row_claim *claim; /* of the one that is told */
    struct row_permission *permission;
};

/* Whoever tells has taken the claim: the person has applied, and it is not given back. */
static bool
is_taken(const struct row_claim *c)
{
    static const char *const not_taken[] = {"draft",     "received",        "permission_needed", "permitted",
                                            "withdrawn", "not_our_insured", "returned_to_paper", "recalled"};
    for (size_t i = 0; i < COUNT_OF(not_taken); i++)
        if (view_eq(c->state, view_of(not_taken[i])))
            return false;
    return true;
}

/* Insurers are told by the line that tells; the fund and the National Health Insurance have a line of their own. */
static void
find_recipient(struct notice *n, view code)
{
    static const struct {
        const char *kind, *line;
    } kinds[] = {{"fund", "fund"}, {"nhia", "nhi"}, {"insurer", NULL}};
    n->to = NULL;
    for (size_t i = 0; i < COUNT_OF(kinds) && !n->to; i++) {
        n->to = registry_by_code(n->registry, view_of(kinds[i].kind), code);
        n->line = view_of(kinds[i].line ? kinds[i].line : n->law->line);
    }
}

static err
read_body(struct notice *n, view body)
{
    static const char *const known[] = {"s:to", "s:basis", NULL};
    json_t *json = NULL;
    TRY(json_load(body, n->mem, &json, n->f));
    TRY(members_only(json, known, n->f));
    n->law = statute_of(json_text(json, "basis"));
    if (!n->law)
        return fault_set(n->f, E_NOTICE_BASIS, "/basis", "an article of the table", "another word");
    find_recipient(n, json_text(json, "to"));
    if (!n->to || !partner_is_active(n->to) || !words_have(n->law->lines, n->line))
        return fault_set(n->f, E_RECIPIENT, "/to", "whom the article names: an insurer, the fund, the NHIA",
                         "an unknown code");
    return E_OK;
}

static err
check_claim(struct notice *n, partner_id who, claim_id id)
{
    uid in_case;
    TRY(feed_own_claim(n->r, who, id, n->mem, &n->own, n->f));
    if (!view_eq(n->own->line, view_of(n->law->line)) || !is_taken(n->own))
        return fault_set(n->f, E_NOTICE_BASIS, "/basis", "a claim of the article's line that you have taken",
                         "another");
    if (uid_eq(n->to->id.u, n->own->recipient))
        return fault_set(n->f, E_RECIPIENT, "/to", "another insurer than the one that tells", "the same");
    TRY(case_surviving(n->r, n->own->case_id, n->mem, &in_case));
    return query_case_row(n->r, ARGS(val_uid(&in_case)), n->mem, &n->in_case);
}

/* What stands already: the told one's claim, and a notice that was given before. */
static err
find_known(struct notice *n)
{
    struct row_claim *claims = NULL;
    struct row_permission *list = NULL;
    TRY(query_claims_of_case(n->r, ARGS(val_uid(&n->in_case->id)), n->mem, &claims));
    for (; claims; claims = claims->next)
        if (uid_eq(claims->recipient, n->to->id.u) && view_eq(claims->line, n->line) &&
            digest_eq(&claims->claimant, &n->own->claimant))
            n->claim = claims;
    TRY(query_permissions_of_case(n->r, ARGS(val_uid(&n->in_case->id)), n->mem, &list));
    for (; list; list = list->next)
        if (uid_eq(list->recipient, n->to->id.u) && view_eq(list->basis, view_of(n->law->word)) &&
            digest_eq(&list->subject, &n->own->claimant))
            n->permission = list;
    return E_OK;
}

static err
open_claim(struct notice *n, struct unit *u)
{
    struct data_key key;
    n->claim = arena_make(n->mem, struct row_claim);
    if (!n->claim)
        return E_TOO_LARGE;
    TRY(seal_new_key(n->g->seal, u, "claim", &key));
    *n->claim = (struct row_claim){.id = claim_id_new().u,
                                   .case_id = n->in_case->id,
                                   .recipient = n->to->id.u,
                                   .line = n->line,
                                   .claimant = n->own->claimant,
                                   .state = V("received"),
                                   .key = key.id,
                                   .since = n->now};
    data_key_forget(&key);
    return claim_move(u, n->claim, V("need_permission"), "insurer", n->own->recipient, (uid){{0}}, n->now,
                      n->f);
}

static err
add_permission(struct notice *n, struct unit *u)
{
    struct row_permission *row = unit_add_permission(u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_permission){.id = perm_id_new().u,
                                   .case_id = n->in_case->id,
                                   .subject = n->own->claimant,
                                   .recipient = n->to->id.u,
                                   .kind = view_of(permission_kind_word(PERMISSION_STATUTE)),
                                   .basis = view_of(n->law->word),
                                   .purpose = V("claim"),
                                   .kinds = n->law->kinds,
                                   .valid_from = n->now,
                                   .uses_left = -1,
                                   .level = V("law")};
    n->permission = row;
    return E_OK;
}

/* The notice itself, and what the article lets go with it. */
static err
deliver(struct notice *n, struct unit *u)
{
    const struct plan_input in = {
        n->g, n->r, n->registry, n->mem, (case_id){n->in_case->id}, n->in_case->version + 1, n->now, NULL};
    struct row_document *list = NULL;
    TRY(plan_delivery_new(&in, u, n->claim, n->permission, (uid){{0}}, "claim.notified"));
    TRY(query_documents_of_case(n->r, ARGS(val_uid(&n->in_case->id)), n->mem, &list));
    for (; list; list = list->next)
        if (view_eq(list->state, V("current")) &&
            permission_covers(n->permission, n->to->id.u, V("claim"), document_kind_of(list->kind), n->now) &&
            plan_is_sure(n->g, n->registry, n->to->id.u, list->level, list->floor))
            TRY(plan_delivery_new(&in, u, n->claim, n->permission, list->id, "document.available"));
    return E_OK;
}

static err
build(struct notice *n)
{
    struct unit u;
    digest leaf;
    unit_init(&u, n->mem);
    unit_guard(&u, GUARD_case_version, ARGS(val_uid(&n->in_case->id), val_int(n->in_case->version)));
    unit_change(&u, CHANGE_case_touch, ARGS(val_uid(&n->in_case->id), val_time(n->now)));
    if (!n->claim)
        TRY(open_claim(n, &u));
    TRY(add_permission(n, &u));
    TRY(deliver(n, &u));
    TRY(timeline_add(&u, n->in_case->id, n->claim->id, "insurer", n->own->recipient, "notice.by-law",
                     VIEW_NONE, (uid){{0}}, n->now));
    const digest parts[] = {sha256(view_of(n->law->word)), sha256(uid_view(&n->claim->id))};
    TRY(evidence_leaf(&u, "permission", n->permission->id, parts, COUNT_OF(parts), n->now, &leaf));
    return store_commit(n->g->store, &u);
}

static err
once(struct notice *n, partner_id who, claim_id id, bool *ret_created)
{
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(n->g->store, &r));
    n->r = r;
    n->claim = NULL;
    n->permission = NULL;
    TRY(check_claim(n, who, id));
    TRY(find_known(n));
    *ret_created = !n->permission;
    return n->permission ? E_OK : build(n);
}

err
notice_by_law(struct gateway *g, partner_id who, claim_id id, view body, instant now, arena *mem,
              view *ret_json, bool *ret_created, struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct notice n = {.g = g, .registry = registry, .mem = mem, .f = f, .now = now};
    struct buf out AUTO_DONE(buf_done);
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
    err e = E_STALE;
    buf_init(&out, 4096);
    TRY(read_body(&n, body));
    for (int i = 0; i < 8 && e == E_STALE; i++)
        e = once(&n, who, id, ret_created);
    TRY(e);
    if (*ret_created && g->wake_relay)
        g->wake_relay(g->relay);
    buf_printf(&out,
               "{\"permission\":\"%.*s\",\"claim\":\"%.*s\",\"to\":\"%.*s\",\"basis\":\"%s\",\"article\":",
               VIEW_ARG(perm_id_print((perm_id){n.permission->id}, a)),
               VIEW_ARG(claim_id_print((claim_id){n.claim ? n.claim->id : (uid){{0}}}, b)),
               VIEW_ARG(n.to->row->code), n.law->word);
    buf_add_json(&out, view_of(n.law->article));
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
