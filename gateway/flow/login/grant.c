/* The token endpoint's grants for persons: a code once, refresh tokens in generations. */
#include "flow/login/inside.h"

#include "base/text.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"
#include "flow/partner/auth.h"

static err
refuse(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_OAUTH_CODE, where, expected, "another");
}

err
login_binding(struct gateway *g, const struct proof *p, instant now, arena *mem, digest *ret, view *ret_by,
              struct fault *f)
{
    static const digest none;
    struct fault inner;
    fault_init(&inner);
    if (!p->dpop.n && !digest_eq(&p->certificate, &none)) {
        *ret = p->certificate;
        *ret_by = V("mtls");
        return E_OK;
    }
    err e = dpop_check(g->dpop, p, NULL, now, mem, ret, &inner);
    *ret_by = V("dpop");
    /* At the token endpoint a refusal is 400 (RFC 9449 5, 8). */
    if (e == E_DPOP)
        return fault_set(f, E_DPOP_GRANT, inner.where, inner.expected, inner.found);
    if (e == E_DPOP_NONCE)
        return fault_set(f, E_DPOP_NONCE_GRANT, inner.where, inner.expected, inner.found);
    return e;
}

static err
check_verifier(const json_t *request, view verifier, arena *mem, struct fault *f)
{
    digest d = sha256(verifier);
    if (verifier.n < 43 || verifier.n > 128 ||
        !bytes_eq_secret(text_base64url(mem, digest_view(&d)), json_text(request, "code_challenge")))
        return refuse(f, "code_verifier", "what the code_challenge was made of");
    return E_OK;
}

static err
end_session(struct gateway *g, uid id, const char *by, instant now, arena *mem)
{
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    unit_change(&u, CHANGE_session_end, ARGS(val_uid(&id), val_time(now), val_text(view_of(by))));
    const digest parts[] = {sha256(uid_view(&id)), sha256(view_of(by))};
    TRY(evidence_leaf(&u, "logout", id, parts, COUNT_OF(parts), now, &leaf));
    return store_commit(g->store, &u);
}

/* A code that comes again was stolen once: whatever it gave ends (RFC 6749 4.1.2). */
static err
find_code(struct gateway *g, const struct partner *p, view code, instant now, arena *mem,
          struct exchange *ret, struct fault *f)
{
    struct exchange spent;
    if (login_find(g, code, "coded", now, mem, ret, NULL) == E_OK)
        return view_eq(json_text(ret->request, "client"), p->text)
                   ? E_OK
                   : refuse(f, "code", "one that was given to this client");
    if (login_find(g, code, "spent", now, mem, &spent, NULL) == E_OK)
        TRY(end_session(g, spent.row->id, "code-replay", now, mem));
    return refuse(f, "code", "one of the last minute, not used before");
}

static err
burn(struct gateway *g, struct exchange *x, view code, arena *mem)
{
    struct unit u;
    unit_init(&u, mem);
    TRY(login_step(g, &u, x, "refused", code, x->row->expires, NULL));
    return store_commit(g->store, &u);
}

static err
read_person(const json_t *result, digest *ret, arena *mem)
{
    view bytes;
    if (text_hex_decode(json_text(result, "person"), mem, &bytes) != E_OK || bytes.n != sizeof ret->b)
        return E_STORE_CORRUPT;
    memcpy(ret->b, bytes.p, sizeof ret->b);
    return E_OK;
}

/* The words without the case, and the case. */
static err
split_scope(view scope, arena *mem, view *ret_words, uid *ret_case)
{
    struct buf out AUTO_DONE(buf_done);
    case_id id;
    buf_init(&out, 2048);
    while (scope.n) {
        view one = view_cut(&scope, ' ', NULL);
        if (view_starts(one, V("case:")) && case_id_parse(view_sub(one, 5, one.n), &id) == E_OK)
            *ret_case = id.u;
        else
            buf_printf(&out, "%s%.*s", out.n ? " " : "", VIEW_ARG(one));
    }
    *ret_words = arena_dup(mem, buf_view(&out));
    return ret_words->p ? E_OK : E_TOO_LARGE;
}

static err
open_session(struct gateway *g, struct exchange *x, view code, const digest *binding, view bound_by,
             instant now, arena *mem, struct row_session **ret)
{
    struct unit u;
    digest leaf;
    unit_init(&u, mem);
    struct row_session *row = unit_add_session(&u);
    if (!row)
        return E_TOO_LARGE;
    instant at = {json_int(x->result, "auth_time_us", 0)};
    *row = (struct row_session){.id = x->row->id,
                                .partner = x->row->partner,
                                .method = json_text(x->result, "method"),
                                .acr = json_text(x->result, "acr"),
                                .binding = *binding,
                                .bound_by = bound_by,
                                .generation = 1,
                                .authenticated_at = at,
                                .expires = instant_add(at, SESSION_LIFE),
                                .used_at = now};
    TRY(read_person(x->result, &row->person, mem));
    TRY(split_scope(json_text(x->request, "scope"), mem, &row->scopes, &row->case_id));
    /* For the code's time and a while, so that a replay is known for what it is. */
    TRY(login_step(g, &u, x, "spent", code, instant_add(now, SPAN_DAYS(1)), NULL));
    const digest parts[] = {sha256(uid_view(&row->id)), row->person, *binding};
    TRY(evidence_leaf(&u, "login", row->id, parts, COUNT_OF(parts), now, &leaf));
    *ret = row;
    return store_commit(g->store, &u);
}

err
login_code(struct gateway *g, struct registry *r, view form, const struct proof *proof, instant now,
           arena *mem, view *ret_json, struct fault *f)
{
    const struct partner *p = NULL;
    struct exchange x;
    struct row_session *session = NULL;
    digest binding;
    view kid, by, code = form_field(form, "code", mem);
    TRY(form_once(form, f));
    TRY(auth_client(g, r, form, now, mem, &p, &kid, f));
    TRY(login_binding(g, proof, now, mem, &binding, &by, f));
    TRY(find_code(g, p, code, now, mem, &x, f));
    err e = check_verifier(x.request, form_field(form, "code_verifier", mem), mem, f);
    if (e == E_OK && !view_eq(form_field(form, "redirect_uri", mem), json_text(x.request, "redirect_uri")))
        e = refuse(f, "redirect_uri", "the one of the request");
    view fixed = json_text(x.request, "dpop_jkt");
    if (e == E_OK && fixed.n && !view_eq(fixed, text_base64url(mem, digest_view(&binding))))
        e = fault_set(f, E_DPOP_GRANT, "DPoP", "the key that the request named", "another");
    if (e == E_OK)
        e = open_session(g, &x, code, &binding, by, now, mem, &session);
    else
        TRY(burn(g, &x, code, mem)); /* whoever has the code has not what goes with it */
    data_key_forget(&x.key);
    if (e == E_PRESENTATION_USED || e == E_STALE)
        return refuse(f, "code", "one not used before");
    TRY(e);
    return login_print_tokens(g, session, 1, now, mem, ret_json);
}

err
login_refresh(struct gateway *g, struct registry *r, view form, const struct proof *proof, instant now,
              arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *reader = NULL;
    const struct partner *p = NULL;
    struct row_session *s = NULL;
    struct unit u;
    digest binding;
    uid id;
    int64_t generation;
    view kid, by;
    TRY(form_once(form, f));
    TRY(auth_client(g, r, form, now, mem, &p, &kid, f));
    TRY(login_binding(g, proof, now, mem, &binding, &by, f));
    if (login_refresh_read(g, form_field(form, "refresh_token", mem), mem, &id, &generation) != E_OK)
        return refuse(f, "refresh_token", "one of this gateway");
    TRY(store_reader(g->store, &reader));
    TRY(query_session(reader, ARGS(val_uid(&id)), mem, &s));
    reader_done(TAKE(reader));
    if (!s || !uid_eq(s->partner, p->id.u) || s->expires.us <= now.us)
        return refuse(f, "refresh_token", "one of yours, in its time");
    if (s->ended_at.us)
        return fault_set(f, E_SESSION_ENDED, "refresh_token", "a session in force", "one that is over");
    if (!digest_eq(&s->binding, &binding))
        return fault_set(f, E_DPOP_GRANT, "DPoP", "the key of the session", "another");
    if (s->generation != generation) { /* an older one came back: somebody has a copy */
        TRY(end_session(g, id, "refresh-replay", now, mem));
        return refuse(f, "refresh_token", "the last one given");
    }
    unit_init(&u, mem);
    unit_guard(&u, GUARD_session_generation, ARGS(val_uid(&id), val_int(generation)));
    unit_change(&u, CHANGE_session_renew, ARGS(val_uid(&id), val_time(now)));
    TRY(store_commit(g->store, &u));
    return login_print_tokens(g, s, generation + 1, now, mem, ret_json);
}

err
login_revoke(struct gateway *g, view form, instant now, arena *mem, struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    AUTO(reader_done) struct reader *reader = NULL;
    const struct partner *p = NULL;
    struct row_session *s = NULL;
    view kid, token = form_field(form, "token", mem);
    uid id;
    int64_t generation;
    TRY(form_once(form, f));
    TRY(auth_client(g, r, form, now, mem, &p, &kid, f));
    if (login_refresh_read(g, token, mem, &id, &generation) != E_OK &&
        login_token_session(g, token, mem, &id) != E_OK)
        return E_OK; /* RFC 7009 2.2 */
    TRY(store_reader(g->store, &reader));
    TRY(query_session(reader, ARGS(val_uid(&id)), mem, &s));
    reader_done(TAKE(reader));
    if (!s || !uid_eq(s->partner, p->id.u) || s->ended_at.us)
        return E_OK;
    return end_session(g, id, "app", now, mem);
}

err
login_end(struct gateway *g, const struct person_identity *who, view id, instant now, arena *mem,
          struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_session *s = NULL;
    session_id number;
    TRY(store_reader(g->store, &r));
    if (session_id_parse(id, &number) == E_OK)
        TRY(query_session(r, ARGS(val_uid(&number.u)), mem, &s));
    reader_done(TAKE(r));
    if (!s || !digest_eq(&s->person, &who->person))
        return fault_set(f, E_NOT_FOUND, "", "a session of yours", "none");
    return s->ended_at.us ? E_OK : end_session(g, s->id, "person", now, mem);
}
