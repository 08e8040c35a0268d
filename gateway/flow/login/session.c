/* Tokens of a session and what stands behind them; the person's list of sessions and cases. */
#include "flow/login/inside.h"

#include "base/text.h"
#include "flow/case/case.h"
#include "flow/evidence/seal.h"
#include "flow/person/alert.h"
#include "flow/person/representation.h"

#include <stdio.h>

#define REFRESH "r."
#define TOKEN_TEXT_MAX 512

/* What an access token says; scopes, person and end stand in the session's row, so that they can change at once. */
struct person_token {
    uid session, partner;
    int64_t expires_us;
    digest binding;
};

struct refresh_token {
    uid session;
    int64_t generation;
};

static view
print_sealed(struct gateway *g, const char *label, const char *prefix, const void *what, size_t n, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    digest key = seal_derived(g->seal, label), mac = hmac_sha256(digest_view(&key), view_make(what, n));
    buf_init(&out, 1024);
    buf_add(&out, what, n);
    buf_add_view(&out, digest_view(&mac));
    view text = text_base64url(mem, buf_view(&out));
    return arena_printf(mem, "%s%.*s", prefix, VIEW_ARG(text));
}

static err
read_sealed(struct gateway *g, const char *label, const char *prefix, view text, arena *mem, void *ret,
            size_t n)
{
    view raw;
    if (text.n > TOKEN_TEXT_MAX || !view_starts(text, view_of(prefix)) ||
        text_base64url_decode(view_sub(text, 2, text.n), mem, &raw) != E_OK || raw.n != n + sizeof(digest))
        return E_TOKEN;
    digest key = seal_derived(g->seal, label), mac = hmac_sha256(digest_view(&key), view_sub(raw, 0, n));
    if (!bytes_eq_secret(digest_view(&mac), view_sub(raw, n, raw.n)))
        return E_TOKEN;
    memcpy(ret, raw.p, n);
    return E_OK;
}

#define TOKEN_LABEL "person-token-v1"
#define REFRESH_LABEL "person-refresh-v1"

err
login_refresh_read(struct gateway *g, view text, arena *mem, uid *ret_session, int64_t *ret_generation)
{
    struct refresh_token t;
    TRY(read_sealed(g, REFRESH_LABEL, REFRESH, text, mem, &t, sizeof t));
    *ret_session = t.session;
    *ret_generation = t.generation;
    return E_OK;
}

err
login_token_session(struct gateway *g, view text, arena *mem, uid *ret)
{
    struct person_token t;
    TRY(read_sealed(g, TOKEN_LABEL, PERSON_TOKEN, text, mem, &t, sizeof t));
    *ret = t.session;
    return E_OK;
}

view
login_pairwise(const struct gateway *g, uid partner, const digest *person, arena *mem)
{
    digest d = BLIND(g->seal, "pairwise", uid_view(&partner), digest_view(person));
    return text_base64url(mem, digest_view(&d));
}

err
login_print_tokens(struct gateway *g, const struct row_session *s, int64_t generation, instant now,
                   arena *mem, view *ret_json)
{
    int64_t life = config_span(g->config, SET_TOKEN_LIFE).us;
    char in_case[ID_TEXT_SIZE];
    struct person_token t = {
        .session = s->id, .partner = s->partner, .expires_us = now.us + life, .binding = s->binding};
    struct refresh_token again = {.session = s->id, .generation = generation};
    view only = uid_is_none(s->case_id) ? V("") : case_id_print((case_id){s->case_id}, in_case);
    *ret_json = arena_printf(mem,
                             "{\"access_token\":\"%.*s\",\"token_type\":\"%s\",\"expires_in\":%lld,\"refresh_"
                             "token\":\"%.*s\",\"scope\":\"%.*s%s%.*s\","
                             "\"sub\":\"%.*s\",\"acr\":\"%.*s\",\"auth_time\":%lld}",
                             VIEW_ARG(print_sealed(g, TOKEN_LABEL, PERSON_TOKEN, &t, sizeof t, mem)),
                             view_eq(s->bound_by, V("dpop")) ? "DPoP" : "Bearer", (long long)(life / 1000000),
                             VIEW_ARG(print_sealed(g, REFRESH_LABEL, REFRESH, &again, sizeof again, mem)),
                             VIEW_ARG(s->scopes), only.n ? " case:" : "", VIEW_ARG(only),
                             VIEW_ARG(login_pairwise(g, s->partner, &s->person, mem)), VIEW_ARG(s->acr),
                             (long long)instant_unix(s->authenticated_at));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* The token is of no use without the key that it was given to. */
static err
check_binding(struct gateway *g, const struct person_token *t, view token, const struct proof *proof,
              bool by_dpop, instant now, arena *mem, struct fault *f)
{
    digest key;
    if (!by_dpop)
        return digest_eq(&t->binding, &proof->certificate)
                   ? E_OK
                   : fault_set(f, E_TOKEN_BINDING, "Authorization",
                               "the certificate that the token is bound to", "another or none");
    TRY(dpop_check(g->dpop, proof, &token, now, mem, &key, f));
    return digest_eq(&t->binding, &key)
               ? E_OK
               : fault_set(f, E_DPOP, "DPoP/jwk", "the key that the token is bound to", "another");
}

err
login_check(struct gateway *g, view token, const struct proof *proof, bool by_dpop, instant now, arena *mem,
            struct person_identity *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct person_token t;
    struct row_session *s = NULL;
    if (read_sealed(g, TOKEN_LABEL, PERSON_TOKEN, token, mem, &t, sizeof t) != E_OK)
        return fault_set(f, E_TOKEN, "Authorization", "a token of this gateway", "another");
    if (t.expires_us <= now.us)
        return fault_set(f, E_TOKEN_EXPIRED, "Authorization", "a token of the last 300 s", "an older one");
    TRY(check_binding(g, &t, token, proof, by_dpop, now, mem, f));
    TRY(store_reader(g->store, &r));
    TRY(query_session(r, ARGS(val_uid(&t.session)), mem, &s));
    if (!s || s->ended_at.us || s->expires.us <= now.us)
        return fault_set(f, E_SESSION_ENDED, "Authorization", "a session in force", "one that is over");
    if (view_eq(s->bound_by, V("dpop")) != by_dpop)
        return fault_set(f, E_TOKEN_BINDING, "Authorization", "the scheme that the token is bound by",
                         "another");
    *ret = (struct person_identity){.partner = {s->partner},
                                    .person = s->person,
                                    .session = s->id,
                                    .scopes = s->scopes,
                                    .only_case = {s->case_id},
                                    .authenticated_at = s->authenticated_at};
    return E_OK;
}

/* ---- what the person sees ---- */

static void
add_time(struct buf *out, const char *name, instant at)
{
    char when[32];
    if (at.us)
        buf_printf(out, ",\"%s\":\"%.*s\"", name, VIEW_ARG(instant_print(at, when)));
}

static err
print_sessions(struct reader *r, struct registry *registry, const struct person_identity *who, arena *mem,
               struct buf *out)
{
    struct row_session *list = NULL;
    char id[ID_TEXT_SIZE];
    size_t n = 0;
    TRY(query_sessions_of_person(r, ARGS(val_digest(&who->person)), mem, &list));
    BUF_LIT(out, ",\"sessions\":[");
    for (; list; list = list->next) {
        const struct partner *app = registry_partner(registry, (partner_id){list->partner});
        buf_printf(out, "%s{\"id\":\"%.*s\",\"app\":", n++ ? "," : "",
                   VIEW_ARG(session_id_print((session_id){list->id}, id)));
        buf_add_json(out, app ? app->row->name_zh : V(""));
        buf_printf(out, ",\"method\":\"%.*s\",\"scopes\":\"%.*s\",\"this\":%s", VIEW_ARG(list->method),
                   VIEW_ARG(list->scopes), uid_eq(list->id, who->session) ? "true" : "false");
        add_time(out, "authenticated_at", list->authenticated_at);
        add_time(out, "used_at", list->used_at);
        add_time(out, "ended_at", list->ended_at);
        if (list->ended_at.us)
            buf_printf(out, ",\"ended_by\":\"%.*s\"", VIEW_ARG(list->ended_by));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static err
print_cases(struct reader *r, const struct person_identity *who, instant now, arena *mem, struct buf *out)
{
    struct row_track *list = NULL;
    uid last = {{0}}, in_case;
    char id[ID_TEXT_SIZE];
    size_t n = 0;
    TRY(query_tracks_of_person(r, ARGS(val_digest(&who->person), val_time(now)), mem, &list));
    BUF_LIT(out, ",\"cases\":[");
    for (; list; list = list->next) {
        TRY(case_surviving(r, list->case_id, mem, &in_case));
        if (uid_eq(in_case, last) || (!uid_is_none(who->only_case.u) && !uid_eq(in_case, who->only_case.u)))
            continue;
        last = in_case;
        buf_printf(out, "%s{\"case\":\"%.*s\",\"role\":\"%.*s\"}", n++ ? "," : "",
                   VIEW_ARG(case_id_print((case_id){in_case}, id)), VIEW_ARG(list->role));
    }
    BUF_LIT(out, "]");
    return E_OK;
}

err
login_person(struct gateway *g, const struct person_identity *who, enum lang lang, instant now, arena *mem,
             view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct buf out AUTO_DONE(buf_done);
    (void)f;
    buf_init(&out, 1u << 20);
    TRY(store_reader(g->store, &r));
    buf_printf(&out, "{\"sub\":\"%.*s\"", VIEW_ARG(login_pairwise(g, who->partner.u, &who->person, mem)));
    TRY(print_sessions(r, registry, who, mem, &out));
    TRY(print_cases(r, who, now, mem, &out));
    BUF_LIT(&out, ",");
    TRY(alert_print(g, r, &who->person, mem, &out));
    BUF_LIT(&out, ",");
    TRY(representation_print(g, r, &who->person, lang, mem, &out));
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
