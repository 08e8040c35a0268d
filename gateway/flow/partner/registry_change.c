#include "flow/partner/registry.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"

/* A change on its way to be put into effect. */
struct change_work {
    struct gateway *g;
    struct reader *reader;
    struct unit *u;
    arena *mem;
    instant now;
    struct fault *f;
};

typedef err (*change_fn)(struct change_work *w, uid subject, const json_t *body);

static err
body_fault(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_SCHEMA, where, expected, "another form");
}

static view
keep_json(arena *mem, const json_t *value)
{
    return value ? json_dump_arena(value, mem) : V("");
}

/* Space-separated words from a JSON array of strings or one string. */
static view
words(arena *mem, const json_t *value)
{
    struct buf out;
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return json_is_string(value) ? arena_dup(mem, view_of(json_string_value(value))) : V("");
    buf_init(&out, 1u << 20);
    json_array_foreach(value, i, item)
    {
        if (i)
            BUF_LIT(&out, " ");
        buf_add_view(&out, view_of(json_string_value(item)));
    }
    view text = out.n ? arena_dup(mem, buf_view(&out)) : V("");
    buf_done(&out);
    return text;
}

static const char *const partner_kinds[] = {"hospital", "clinic",    "police",  "prosecutor", "board",
                                            "court",    "household", "insurer", "register",   "fund",
                                            "shop",     "agent",     "app",     "nhia"};

static err
put_partner(struct change_work *w, uid subject, const json_t *body)
{
    view kind = json_text(body, "kind"), code = json_text(body, "code");
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(partner_kinds); i++)
        known = known || view_eq(kind, view_of(partner_kinds[i]));
    if (!known || !code.n || code.n > 64)
        return body_fault(w->f, "/body/kind", "a kind of partner and its code");
    struct row_partner *row = unit_add_partner(w->u);
    if (!row)
        return E_TOO_LARGE;
    row->op = ROW_PUT;
    row->id = subject;
    row->kind = kind;
    row->code = code;
    row->name_zh = json_text(body, "name_zh");
    row->name_en = json_text(body, "name_en");
    row->status = V("active");
    row->scopes = words(w->mem, json_member(body, "scopes"));
    row->acts_for = words(w->mem, json_member(body, "acts_for"));
    row->options = keep_json(w->mem, json_member(body, "options"));
    row->quota = json_int(body, "quota", 0);
    row->version = 1;
    row->since = w->now;
    return E_OK;
}

static err
partner_row(struct change_work *w, uid subject, struct row_partner **ret)
{
    struct row_partner *row = NULL;
    TRY(query_partners(w->reader, NO_ARGS, w->mem, &row));
    while (row && !uid_eq(row->id, subject))
        row = row->next;
    if (!row)
        return fault_set(w->f, E_PARTNER, "/subject", "a partner of the registry", "none");
    *ret = row;
    return E_OK;
}

static err
put_status(struct change_work *w, uid subject, const json_t *body)
{
    struct row_partner *old = NULL;
    view status = json_text(body, "status");
    if (!view_eq(status, V("active")) && !view_eq(status, V("suspended")))
        return body_fault(w->f, "/body/status", "active or suspended");
    TRY(partner_row(w, subject, &old));
    struct row_partner *row = unit_add_partner(w->u);
    if (!row)
        return E_TOO_LARGE;
    *row = *old;
    row->next = NULL;
    row->op = ROW_PUT;
    row->status = status;
    row->version++;
    return E_OK;
}

static err
key_certificate(struct change_work *w, struct row_partner_key *row, view pem)
{
    struct signer s;
    view der;
    TRY(certificate_read(pem, w->mem, &s, &der, w->f));
    row->material = der;
    row->fingerprint = s.fingerprint;
    row->spki = s.spki;
    row->valid_from = s.not_before;
    row->valid_to = s.not_after;
    row->kid = text_hex(w->mem, digest_view(&s.fingerprint));
    return E_OK;
}

static err
key_jwk(struct change_work *w, struct row_partner_key *row, const json_t *jwk)
{
    void *pkey = NULL;
    enum jose_alg alg;
    view kid;
    TRY(jwk_read(jwk, &pkey, &alg, &kid, w->mem, w->f));
    row->spki = pkey_spki_digest(pkey);
    err e = kid.n ? E_OK : jwk_thumbprint(pkey, w->mem, &kid);
    pkey_free(pkey);
    TRY(e);
    row->kid = kid;
    row->material = keep_json(w->mem, jwk);
    row->alg = view_of(jose_alg_word(alg));
    row->valid_from = w->now;
    return E_OK;
}

static err
add_key(struct change_work *w, uid subject, const json_t *body)
{
    static const char *const uses[] = {"client", "mtls", "sign", "encrypt"};
    view use = json_text(body, "use"), pem = json_text(body, "certificate");
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(uses); i++)
        known = known || view_eq(use, view_of(uses[i]));
    if (!known)
        return body_fault(w->f, "/body/use", "client, mtls, sign or encrypt");
    struct row_partner *owner = NULL;
    TRY(partner_row(w, subject, &owner));
    struct row_partner_key *row = unit_add_partner_key(w->u);
    if (!row)
        return E_TOO_LARGE;
    row->id = uid_new();
    row->op = ROW_PUT;
    row->partner = subject;
    row->use = use;
    row->status = V("active");
    TRY(pem.n ? key_certificate(w, row, pem) : key_jwk(w, row, json_member(body, "jwk")));
    /* A validity of the registry's own may be narrower than the certificate's. */
    view from = json_text(body, "from"), to = json_text(body, "to");
    if (from.n)
        TRY(instant_parse(from, &row->valid_from, NULL));
    if (to.n)
        TRY(instant_parse(to, &row->valid_to, NULL));
    return E_OK;
}

static err
key_status(struct change_work *w, uid subject, const json_t *body)
{
    struct row_partner_key *old = NULL;
    view kid = json_text(body, "kid"), use = json_text(body, "use");
    TRY(query_partner_keys(w->reader, NO_ARGS, w->mem, &old));
    while (old && !(uid_eq(old->partner, subject) && view_eq(old->kid, kid) && view_eq(old->use, use)))
        old = old->next;
    if (!old)
        return fault_set(w->f, E_NOT_FOUND, "/body/kid", "a key of this partner", "none");
    struct row_partner_key *row = unit_add_partner_key(w->u);
    if (!row)
        return E_TOO_LARGE;
    *row = *old;
    row->next = NULL;
    row->op = ROW_PUT;
    row->status = json_text(body, "status");
    if (!view_eq(row->status, V("active")) && !view_eq(row->status, V("revoked")))
        return body_fault(w->f, "/body/status", "active or revoked");
    return E_OK;
}

/* {"licences":["…"],"from":…,"to":…}: the institution's list of professionals. */
static err
put_listing(struct change_work *w, uid subject, const json_t *body)
{
    const json_t *list = json_member(body, "licences");
    instant from = w->now, to = INSTANT_NONE;
    size_t i;
    json_t *item;
    if (json_text(body, "from").n)
        TRY(instant_parse(json_text(body, "from"), &from, NULL));
    if (json_text(body, "to").n)
        TRY(instant_parse(json_text(body, "to"), &to, NULL));
    if (!json_is_array(list))
        return body_fault(w->f, "/body/licences", "a list of licence numbers");
    json_array_foreach(list, i, item)
    {
        struct row_listing *row = unit_add_listing(w->u);
        if (!row)
            return E_TOO_LARGE;
        row->op = ROW_PUT;
        row->partner = subject;
        row->licence = BLIND(w->g->seal, "licence", view_of(json_string_value(item)));
        row->valid_from = from;
        row->valid_to = to;
    }
    return E_OK;
}

static err
put_operator(struct change_work *w, const json_t *jwk, view name, view status)
{
    void *pkey = NULL;
    enum jose_alg alg;
    view kid;
    TRY(jwk_read(jwk, &pkey, &alg, &kid, w->mem, w->f));
    err e = jwk_thumbprint(pkey, w->mem, &kid);
    pkey_free(pkey);
    TRY(e);
    struct row_operator *row = unit_add_operator(w->u);
    if (!row)
        return E_TOO_LARGE;
    row->id = uid_new();
    row->name = name;
    row->kid = kid;
    row->jwk = keep_json(w->mem, jwk);
    row->status = status;
    row->since = w->now;
    return E_OK;
}

static err
add_operator(struct change_work *w, uid subject, const json_t *body)
{
    (void)subject;
    return put_operator(w, json_member(body, "jwk"), json_text(body, "name"), V("active"));
}

static err
operator_status(struct change_work *w, uid subject, const json_t *body)
{
    (void)subject;
    struct row_operator *old = NULL;
    TRY(query_operators(w->reader, NO_ARGS, w->mem, &old));
    while (old && !view_eq(old->kid, json_text(body, "kid")))
        old = old->next;
    if (!old)
        return fault_set(w->f, E_OPERATOR, "/body/kid", "an enrolled operator", "none");
    struct row_operator *row = unit_add_operator(w->u);
    if (!row)
        return E_TOO_LARGE;
    *row = *old;
    row->next = NULL;
    row->op = ROW_PUT;
    row->status = json_text(body, "status");
    return E_OK;
}

/* That a case's evidence may be exported: nothing but the two operators' words and why. */
static err
allow_export(struct change_work *w, uid subject, const json_t *body)
{
    struct row_case *in_case = NULL;
    view reason = json_text(body, "reason");
    if (reason.n == 0 || reason.n > 1000)
        return body_fault(w->f, "/body/reason", "why the evidence is exported, at most 1,000 bytes");
    TRY(query_case_row(w->reader, ARGS(val_uid(&subject)), w->mem, &in_case));
    return in_case ? E_OK : fault_set(w->f, E_NOT_FOUND, "/subject", "a case", "none");
}

/* Which kinds exist, and whether one operator alone may tighten at once. */
static const struct change_kind {
    const char *word;
    change_fn apply;
    const char *tightens; /* value of body.status that makes it a tightening */
    bool undelayed;       /* in effect with the second word: it changes no rule */
} kinds[] = {
    {"partner.put", put_partner, NULL, false},
    {"partner.status", put_status, "suspended", false},
    {"key.add", add_key, NULL, false},
    {"key.status", key_status, "revoked", false},
    {"listing.put", put_listing, NULL, false},
    {"operator.add", add_operator, NULL, false},
    {"operator.status", operator_status, "revoked", false},
    {EXPORT_CHANGE, allow_export, NULL, true},
};

static const struct change_kind *
kind_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (view_eq(word, view_of(kinds[i].word)))
            return &kinds[i];
    return NULL;
}

/* -- operators' signatures -- */

struct operator_word {
    view kid, payload;
    json_t *json;
};

static err
read_word(struct reader *r, view jws, arena *mem, struct operator_word *ret, struct fault *f)
{
    struct jws_parts parts;
    struct row_operator *op = NULL;
    json_t *jwk = NULL;
    void *pkey = NULL;
    enum jose_alg alg;
    view kid;
    TRY(jws_split(jws, mem, &parts, f));
    TRY(query_operators(r, NO_ARGS, mem, &op));
    while (op && !(view_eq(op->kid, parts.header.kid) && view_eq(op->status, V("active"))))
        op = op->next;
    if (!op)
        return fault_set(f, E_OPERATOR, "kid", "the key of an enrolled operator", "another");
    TRY(json_load(op->jwk, mem, &jwk, f));
    TRY(jwk_read(jwk, &pkey, &alg, &kid, mem, f));
    err e = jws_verify(&parts, VIEW_NONE, alg, pkey, mem, f);
    pkey_free(pkey);
    TRY(e);
    TRY(jws_payload(&parts, mem, &ret->payload, f));
    ret->kid = op->kid;
    return json_load(ret->payload, mem, &ret->json, f);
}

err
operator_verify(struct reader *r, view jws, arena *mem, view *ret_payload, struct fault *f)
{
    struct operator_word word = {0};
    TRY(read_word(r, jws, mem, &word, f));
    *ret_payload = word.payload;
    return E_OK;
}

/* -- verbs -- */

static err
subject_of(const json_t *change, const struct change_kind *kind, uid *ret, struct fault *f)
{
    view text = json_text(change, "subject");
    partner_id id;
    if (!text.n && kind->apply == put_partner) {
        *ret = uid_new();
        return E_OK;
    }
    if (!text.n && (kind->apply == add_operator || kind->apply == operator_status)) {
        *ret = (uid){{0}};
        return E_OK;
    }
    case_id in_case;
    if (kind->apply == allow_export) {
        if (case_id_parse(text, &in_case) != E_OK)
            return fault_set(f, E_SCHEMA, "/subject", "the id of a case (case-…)", "another form");
        *ret = in_case.u;
        return E_OK;
    }
    if (partner_id_parse(text, &id) != E_OK)
        return fault_set(f, E_SCHEMA, "/subject", "the id of a partner (org-…)", "another form");
    *ret = id.u;
    return E_OK;
}

static err
apply_change(struct gateway *g, struct reader *r, const struct change_kind *kind, uid change, uid subject,
             view proposal, const json_t *body, struct unit *u, arena *mem, instant now, struct fault *f)
{
    struct change_work w = {g, r, u, mem, now, f};
    TRY(kind->apply(&w, subject, body));
    const digest parts[] = {sha256(proposal)};
    digest leaf;
    return evidence_leaf(u, "registry-effect", change, parts, 1, now, &leaf);
}

err
change_propose(struct gateway *g, view jws, arena *mem, change_id *ret, view *ret_state, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct operator_word word = {0};
    instant now = clock_now();
    TRY(store_reader(g->store, &r));
    TRY(read_word(r, jws, mem, &word, f));
    const struct change_kind *kind = kind_of(json_text(word.json, "kind"));
    if (!kind)
        return fault_set(f, E_SCHEMA, "/kind", "a known kind of change", "another");
    const json_t *body = json_member(word.json, "body");
    bool tightens = kind->tightens && view_eq(json_text(body, "status"), view_of(kind->tightens));
    bool alone = tightens || config_int(g->config, SET_CHANGE_APPROVALS) < 2;
    bool at_once =
        tightens || (alone && (kind->undelayed || config_span(g->config, SET_CHANGE_DELAY).us == 0));
    struct unit u;
    unit_init(&u, mem);
    struct row_change *row = unit_add_change(&u);
    if (!row)
        return E_TOO_LARGE;
    change_id id = change_id_new();
    row->id = id.u;
    row->kind = view_of(kind->word);
    TRY(subject_of(word.json, kind, &row->subject, f));
    row->proposal = jws;
    row->state = at_once ? V("effective") : alone ? V("approved") : V("proposed");
    row->proposer = word.kid;
    row->proposed_at = now;
    if (alone)
        row->effective_at = at_once ? now : instant_add(now, config_span(g->config, SET_CHANGE_DELAY));
    if (at_once) {
        TRY(apply_change(g, r, kind, id.u, row->subject, jws, body, &u, mem, now, f));
    } else {
        /* Tried now, so that a proposal that could never take effect is refused here. */
        struct unit trial;
        unit_init(&trial, mem);
        TRY(apply_change(g, r, kind, id.u, row->subject, jws, body, &trial, mem, now, f));
        const digest parts[] = {sha256(jws)};
        digest leaf;
        TRY(evidence_leaf(&u, "registry-proposal", id.u, parts, 1, now, &leaf));
    }
    TRY(store_commit(g->store, &u));
    log_event(LOG_REGISTRY_CHANGE, F_UID("change", "chg", &id.u), F_NAME("kind", kind->word));
    *ret = id;
    *ret_state = row->state;
    return at_once ? gateway_reload_registry(g, f) : E_OK;
}

err
change_approve(struct gateway *g, view jws, arena *mem, view *ret_state, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct operator_word word = {0};
    change_id id;
    struct row_change *row = NULL;
    TRY(store_reader(g->store, &r));
    TRY(read_word(r, jws, mem, &word, f));
    if (change_id_parse(json_text(word.json, "approve"), &id) != E_OK)
        return fault_set(f, E_SCHEMA, "/approve", "the id of a change (chg-…)", "another form");
    TRY(query_change(r, ARGS(val_uid(&id.u)), mem, &row));
    if (!row)
        return fault_set(f, E_NOT_FOUND, "/approve", "a proposed change", "none");
    digest want = sha256(row->proposal);
    if (!view_eq(text_hex(mem, digest_view(&want)), json_text(word.json, "digest")))
        return fault_set(f, E_DIGEST_MISMATCH, "/digest", "the SHA-256 of the proposal", "another");
    if (view_eq(row->proposer, word.kid))
        return fault_set(f, E_CHANGE_APPROVAL, "kid", "another operator than the proposer", "the same");
    const struct change_kind *kind = kind_of(row->kind);
    span delay = kind && kind->undelayed ? (span){0} : config_span(g->config, SET_CHANGE_DELAY);
    instant effective = instant_add(clock_now(), delay);
    struct unit u;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_change_state, ARGS(val_uid(&id.u), val_text(V("proposed"))));
    unit_change(&u, CHANGE_change_decide,
                ARGS(val_uid(&id.u), val_text(V("approved")), val_blob(jws), val_text(word.kid),
                     val_time(effective)));
    const digest parts[] = {want, sha256(jws)};
    digest leaf;
    TRY(evidence_leaf(&u, "registry-approval", id.u, parts, 2, clock_now(), &leaf));
    err e = store_commit(g->store, &u);
    if (e != E_OK)
        return fault_set(f, e, "/approve", "a change that is still proposed", "one already decided");
    reader_done(TAKE(r));
    *ret_state = V("approved");
    return changes_run(g, clock_now(), f);
}

static err
run_one(struct gateway *g, const struct row_change *row, arena *mem, instant now, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct jws_parts parts;
    view payload;
    json_t *json = NULL;
    struct unit u;
    TRY(store_reader(g->store, &r));
    TRY(jws_split(row->proposal, mem, &parts, f));
    TRY(jws_payload(&parts, mem, &payload, f));
    TRY(json_load(payload, mem, &json, f));
    const struct change_kind *kind = kind_of(row->kind);
    if (!kind)
        return E_STORE_CORRUPT;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_change_state, ARGS(val_uid(&row->id), val_text(V("approved"))));
    unit_change(&u, CHANGE_change_decide,
                ARGS(val_uid(&row->id), val_text(V("effective")), val_blob(row->approval),
                     val_text(row->approver), val_time(row->effective_at)));
    TRY(apply_change(g, r, kind, row->id, row->subject, row->proposal, json_member(json, "body"), &u, mem,
                     now, f));
    return store_commit(g->store, &u);
}

err
changes_run(struct gateway *g, instant now, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    struct row_change *due = NULL;
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_changes_due(r, ARGS(val_time(now)), mem, &due));
    reader_done(TAKE(r));
    if (!due)
        return E_OK;
    err first = E_OK;
    for (; due; due = due->next) {
        err e = run_one(g, due, mem, now, f);
        first = first == E_OK && e != E_CHANGE_STATE ? e : first;
    }
    TRY(gateway_reload_registry(g, f));
    return first;
}

err
operators_enrol(struct gateway *g, const view *jwks, const view *names, size_t n, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_operator *known = NULL;
    struct unit u;
    TRY(store_reader(g->store, &r));
    TRY(query_operators(r, NO_ARGS, mem, &known));
    if (known)
        return fault_set(f, E_CHANGE_APPROVAL, "", "no operator yet", "enrolled operators");
    unit_init(&u, mem);
    struct change_work w = {g, r, &u, mem, clock_now(), f};
    digest parts[8];
    for (size_t i = 0; i < n && i < COUNT_OF(parts); i++) {
        json_t *jwk = NULL;
        TRY(json_load(jwks[i], mem, &jwk, f));
        TRY(put_operator(&w, jwk, names[i], V("active")));
        parts[i] = sha256(jwks[i]);
    }
    digest leaf;
    TRY(evidence_leaf(&u, "operators", uid_new(), parts, n, w.now, &leaf));
    return store_commit(g->store, &u);
}
