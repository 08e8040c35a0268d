#include "flow/view/feed.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/case/case.h"
#include "flow/case/claim.h"
#include "flow/case/original.h"
#include "flow/evidence/seal.h"
#include "flow/partner/registry.h"
#include "flow/person/representation.h"
#include "flow/view/own.h"

#define SESSION_LIFE_S 900
#define TRIES_MAX 5

static err
find_track(struct gateway *g, struct reader *r, view code, instant now, arena *mem, struct row_track **ret,
           struct fault *f)
{
    struct row_track *row = NULL;
    digest id = BLIND(g->seal, "track", code);
    TRY(query_track(r, ARGS(val_digest(&id)), mem, &row));
    /* Wrong, expired and tried too often look the same. */
    if (!row || row->expires.us <= now.us)
        return fault_set(f, E_LOGIN, "X-Track-Token", "a code in force", "another");
    *ret = row;
    return E_OK;
}

/* -- session by code and birth date -- */

static err
birth_matches(struct gateway *g, struct reader *r, const struct row_track *row, view birth_date, arena *mem,
              bool *ret)
{
    struct data_key key;
    view stored;
    uid place;
    memcpy(place.b, row->id.b, sizeof place.b);
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("track"), place, row->detail, mem, &stored);
    data_key_forget(&key);
    TRY(e);
    *ret = bytes_eq_secret(stored, birth_date);
    return E_OK;
}

struct session {
    uid in_case;
    digest person;
    int64_t expires_us;
};

static digest
session_mac(struct gateway *g, const struct session *s)
{
    digest key = seal_derived(g->seal, "track-session-v1");
    return hmac_sha256(digest_view(&key), view_make(s, sizeof *s));
}

err
track_session(struct gateway *g, view code, view birth_date, instant now, arena *mem, view *ret_json,
              struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_track *row = NULL;
    bool matches = false;
    TRY(store_reader(g->store, &r));
    TRY(find_track(g, r, code, now, mem, &row, f));
    if (row->tries < TRIES_MAX)
        TRY(birth_matches(g, r, row, birth_date, mem, &matches));
    reader_done(TAKE(r));
    if (!matches) {
        struct unit u;
        unit_init(&u, mem);
        unit_change(&u, CHANGE_track_try, ARGS(val_digest(&row->id)));
        TRY(store_commit(g->store, &u));
        return fault_set(f, E_LOGIN, "code", "a code in force and its birth date", "another");
    }
    struct {
        struct session s;
        digest mac;
    } token = {.s = {row->case_id, row->person, now.us + (int64_t)SESSION_LIFE_S * 1000000}};
    token.mac = session_mac(g, &token.s);
    view text = text_base64url(mem, view_make(&token, sizeof token));
    *ret_json =
        arena_printf(mem, "{\"track_token\":\"s.%.*s\",\"expires_in\":%d}", VIEW_ARG(text), SESSION_LIFE_S);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

static err
session_read(struct gateway *g, view text, instant now, arena *mem, struct person_caller *ret,
             struct fault *f)
{
    view raw;
    struct {
        struct session s;
        digest mac;
    } token;
    if (text_base64url_decode(text, mem, &raw) != E_OK || raw.n != sizeof token)
        return fault_set(f, E_LOGIN, "X-Track-Token", "a session of this gateway", "another form");
    memcpy(&token, raw.p, sizeof token);
    digest want = session_mac(g, &token.s);
    if (!digest_eq(&want, &token.mac) || token.s.expires_us <= now.us)
        return fault_set(f, E_LOGIN, "X-Track-Token", "a session in force", "another");
    *ret = (struct person_caller){{token.s.in_case}, token.s.person, V("subject"), true};
    return E_OK;
}

/* The code was given out with an application, and lies under the data key of its document. */
static err
check_app(struct reader *r, const struct row_track *row, partner_id by, arena *mem, struct fault *f)
{
    struct row_document *list = NULL;
    uid in_case;
    TRY(case_surviving(r, row->case_id, mem, &in_case));
    TRY(query_documents_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    for (; list; list = list->next)
        if (uid_eq(list->key, row->key) && !uid_is_none(by.u) && uid_eq(list->sender, by.u))
            return E_OK;
    return fault_set(f, E_LOGIN, "Authorization",
                     "the app through which the person applied, or a session of /t/session",
                     uid_is_none(by.u) ? "a code alone" : "another app");
}

/* Whoever named himself a representative reads nothing until it is proven, nor when its time is over. */
static err
check_proof(struct reader *r, const struct row_track *row, instant now, arena *mem, struct fault *f)
{
    uid in_case;
    bool may = false;
    if (!view_eq(row->role, V("representative")))
        return E_OK;
    TRY(case_surviving(r, row->case_id, mem, &in_case));
    TRY(representation_reads(r, in_case, &row->person, now, mem, &may));
    return may ? E_OK
               : fault_set(f, E_REPRESENTATION, "X-Track-Token", "a representative whose proof is here",
                           "one without");
}

err
track_caller(struct gateway *g, partner_id by, view token, instant now, arena *mem, struct person_caller *ret,
             struct fault *f)
{
    if (!token.n || token.n > 256)
        return fault_set(f, E_LOGIN, "X-Track-Token", "a code or session", "none");
    if (view_starts(token, V("s.")))
        return session_read(g, view_sub(token, 2, token.n), now, mem, ret, f);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_track *row = NULL;
    TRY(store_reader(g->store, &r));
    TRY(find_track(g, r, token, now, mem, &row, f));
    TRY(check_app(r, row, by, mem, f));
    TRY(check_proof(r, row, now, mem, f));
    *ret = (struct person_caller){{row->case_id}, row->person, row->role, false};
    return E_OK;
}

/* -- the view -- */

struct event_words {
    const char *event, *en, *zh;
};

static const struct event_words words[] = {
    {"document.available", "A document arrived.", "已收到文件。"},
    {"document.replaced", "A corrected document arrived.", "已收到更正後的文件。"},
    {"document.withdrawn", "A document was withdrawn.", "文件已撤回。"},
    {"document.verified", "A document's signature is now fully verified.", "文件簽章已完成查驗。"},
    {"document.recalled", "A document no longer counts.", "文件已不採計。"},
    {"application.received", "The application arrived.", "已收到申請。"},
    {"permission.given", "A permission was given.", "已收到同意。"},
    {"permission.withdrawn", "A permission was withdrawn.", "同意已撤回。"},
    {"representation.proven", "The proof of the representation is here.", "已收到代理權證明。"},
    {"representation.over", "The representation's time is over.", "代理權證明已逾期。"},
    {"account.asked", "Another account was named; it waits.", "已申請變更收款帳戶，等待生效中。"},
    {"account.changed", "The insurer has the new account.", "新收款帳戶已送交保險公司。"},
    {"account.late", "The claim was over before the new account counted.",
     "收款帳戶變更生效前，本案已結束。"},
    {"account.disputed", "The person says that the account was not changed by him.",
     "本人表示收款帳戶變更非其所為。"},
    {"filing.disputed", "The person says that this was not filed by him.", "本人表示此申請非其所為。"},
    {"notice.by-law", "An insurer was told as the law demands.", "已依法通知其他保險人。"},
    {"case-merged", "Two cases were joined.", "兩件案件已併案。"},
    {"case-split", "Cases joined by mistake were separated.", "誤併之案件已分開。"},
    {"claim-moved", "The claim moved on.", "案件狀態更新。"},
};

static const char *
event_text(const struct row_timeline *row, enum lang lang)
{
    if (view_eq(row->event, V("claim-moved"))) {
        enum claim_state s = claim_state_of(row->state);
        return s == STATE_COUNT ? "" : claim_state_info(s)->sentence[lang];
    }
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_eq(row->event, view_of(words[i].event)))
            return lang == LANG_ZH ? words[i].zh : words[i].en;
    return "";
}

static void
print_timeline(const struct row_timeline *list, uid claim, struct buf *out)
{
    char when[32];
    size_t n = 0;
    BUF_LIT(out, "[");
    for (; list; list = list->next) {
        /* An insurer sees its own claim's entries only: the case's others tell of other insurers and of documents it may not see. */
        if (!uid_is_none(claim) && !uid_eq(claim, list->claim))
            continue;
        buf_printf(out,
                   "%s{\"at\":\"%.*s\",\"actor\":\"%.*s\",\"event\":\"%.*s\",\"state\":\"%.*s\",\"text\":{"
                   "\"zh-TW\":",
                   n++ ? "," : "", VIEW_ARG(instant_print(list->at, when)), VIEW_ARG(list->actor),
                   VIEW_ARG(list->event), VIEW_ARG(list->state));
        buf_add_json(out, view_of(event_text(list, LANG_ZH)));
        BUF_LIT(out, ",\"en\":");
        buf_add_json(out, view_of(event_text(list, LANG_EN)));
        BUF_LIT(out, "}}");
    }
    BUF_LIT(out, "]");
}

/* Claims without the insurer's name: what code and birth date open. */
static err
print_steps(const struct row_claim *claims, enum lang lang, struct buf *out)
{
    char when[32];
    for (const struct row_claim *c = claims; c; c = c->next) {
        const struct state_row *row = claim_state_info(claim_state_of(c->state));
        buf_printf(out, "%s{\"state\":\"%.*s\",\"label\":\"%s\",\"acting\":\"%.*s\",\"since\":\"%.*s\"}",
                   c == claims ? "" : ",", VIEW_ARG(c->state), row->public_word[lang], VIEW_ARG(c->acting),
                   VIEW_ARG(instant_print(c->since, when)));
    }
    return out->failed ? E_TOO_LARGE : E_OK;
}

/* The insurer's last signed word with an amount, or without one. */
static err
print_decision(struct gateway *g, struct reader *r, uid claim, arena *mem, struct buf *out)
{
    const struct row_decision *last;
    json_t *said;
    char when[32];
    TRY(claim_last_decision(g, r, claim, mem, &last, &said));
    if (!last)
        return E_OK;
    const json_t *amount = json_member(said, "amount");
    BUF_LIT(out, ",\"decision\":{\"outcome\":");
    buf_add_json(out, json_text(said, "outcome"));
    buf_printf(out, ",\"at\":\"%.*s\"", VIEW_ARG(instant_print(last->at, when)));
    if (amount) {
        BUF_LIT(out, ",\"amount\":");
        buf_add_view(out, json_dump_arena(amount, mem));
    }
    BUF_LIT(out, "}");
    return E_OK;
}

/* The claim as its insurer sees it, and what was decided. */
static err
print_claim(struct gateway *g, struct reader *r, const struct row_claim *c, enum lang lang, instant now,
            arena *mem, struct buf *out)
{
    TRY(claim_print(g, c, lang, out));
    out->n--; /* the brace: the object goes on */
    TRY(print_decision(g, r, c->id, mem, out));
    TRY(original_print(g, r, c, now, mem, out));
    BUF_LIT(out, "}");
    return E_OK;
}

static void
print_documents(struct registry *registry, const struct row_document *list, struct buf *out)
{
    char id[ID_TEXT_SIZE], when[32];
    size_t n = 0;
    BUF_LIT(out, "[");
    for (; list; list = list->next) {
        const struct partner *from =
            registry_partner(registry, (partner_id){uid_is_none(list->signer) ? list->sender : list->signer});
        buf_printf(
            out, "%s{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%.*s\",\"received_at\":\"%.*s\",\"from\":",
            n++ ? "," : "", VIEW_ARG(doc_id_print((doc_id){list->id}, id)), VIEW_ARG(list->kind),
            VIEW_ARG(list->state), VIEW_ARG(instant_print(list->received_at, when)));
        buf_add_json(out, from ? from->row->name_zh : V(""));
        buf_add_view(out, list->level == LEVEL_UNSIGNED ? V(",\"unsigned\":true}") : V("}"));
    }
    BUF_LIT(out, "]");
}

/* Who received what, when and under which permission. */
static void
print_receivers(struct registry *registry, const struct row_delivery *list, struct buf *out)
{
    char id[ID_TEXT_SIZE], permission[ID_TEXT_SIZE], when[32];
    size_t n = 0;
    BUF_LIT(out, "[");
    for (; list; list = list->next) {
        const struct partner *to = registry_partner(registry, (partner_id){list->recipient});
        buf_printf(out, "%s{\"recipient\":", n++ ? "," : "");
        buf_add_json(out, to ? to->row->name_zh : V(""));
        buf_printf(
            out,
            ",\"what\":\"%.*s\",\"document\":\"%.*s\",\"state\":\"%.*s\",\"at\":\"%.*s\",\"because\":\"%.*"
            "s\"}",
            VIEW_ARG(list->kind), VIEW_ARG(doc_id_print((doc_id){list->document}, id)), VIEW_ARG(list->state),
            VIEW_ARG(instant_print(list->done_at.us ? list->done_at : list->created_at, when)),
            VIEW_ARG(uid_is_none(list->permission) ? V("notice")
                                                   : perm_id_print((perm_id){list->permission}, permission)));
    }
    BUF_LIT(out, "]");
}

err
track_view(struct gateway *g, const struct person_caller *who, enum lang lang, instant now, arena *mem,
           view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct case_rows rows = {0};
    uid in_case;
    char id[ID_TEXT_SIZE], when[32];
    (void)f;
    TRY(store_reader(g->store, &r));
    TRY(case_surviving(r, who->in_case.u, mem, &in_case));
    TRY(own_rows(r, in_case, &who->person, now, mem, &rows));
    /* The policyholder who is not the person sees state and amounts, no documents (DOMAIN D13). */
    bool full = !who->steps_only && !view_eq(who->role, V("policyholder"));
    struct buf out;
    err e = E_OK;
    buf_init(&out, 8u << 20);
    buf_printf(&out, "{\"case\":\"%.*s\",\"as_of\":\"%.*s\",\"role\":\"%.*s\",\"claims\":[",
               VIEW_ARG(case_id_print((case_id){in_case}, id)), VIEW_ARG(instant_print(now, when)),
               VIEW_ARG(who->role));
    if (who->steps_only)
        e = print_steps(rows.claims, lang, &out);
    for (const struct row_claim *c = rows.claims; c && !who->steps_only && e == E_OK; c = c->next) {
        if (c != rows.claims)
            BUF_LIT(&out, ",");
        e = print_claim(g, r, c, lang, now, mem, &out);
    }
    BUF_LIT(&out, "],\"timeline\":");
    print_timeline(rows.timeline, (uid){{0}}, &out);
    if (full) {
        BUF_LIT(&out, ",\"documents\":");
        print_documents(registry, rows.documents, &out);
        BUF_LIT(&out, ",\"received_by\":");
        print_receivers(registry, rows.deliveries, &out);
    }
    BUF_LIT(&out, "}");
    *ret_json = e == E_OK && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return ret_json->p ? E_OK : e == E_OK ? E_TOO_LARGE : e;
}

err
claim_timeline(struct gateway *g, partner_id who, claim_id id, enum lang lang, arena *mem, view *ret_json,
               struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_claim *claim = NULL;
    struct row_timeline *list = NULL;
    (void)lang;
    TRY(store_reader(g->store, &r));
    TRY(feed_own_claim(r, who, id, mem, &claim, f));
    TRY(query_timeline_of_case(r, ARGS(val_uid(&claim->case_id)), mem, &list));
    struct buf out;
    buf_init(&out, 4u << 20);
    BUF_LIT(&out, "{\"data\":");
    print_timeline(list, claim->id, &out);
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
