#include "flow/evidence/export.h"

#include "base/buf.h"
#include "base/json.h"
#include "flow/case/case.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/keyring.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/stamps.h"
#include "flow/partner/registry.h"

#include <stdio.h>

#define NAME_SIZE 160
#define EXPORT_WITHIN SPAN_DAYS(7)
#define TEXT_MAX (8u << 20)

struct exporting {
    struct gateway *g;
    struct reader *r;
    arena *mem;
    struct fault *f;
    struct export_file *first, *last;
    struct keyring *keys; /* taken last, so that it shows whoever signed what stands in the package */
    struct buf zh, en;    /* the report, as it grows */
};

static err
add(struct exporting *x, const char *name, view bytes)
{
    struct export_file *file = arena_make(x->mem, struct export_file);
    view kept = arena_dup(x->mem, bytes), path = arena_printf(x->mem, "%s", name);
    if (!file || !kept.p || !path.p)
        return E_TOO_LARGE;
    *file = (struct export_file){.name = path.p, .bytes = kept};
    if (x->last)
        x->last->next = file;
    else
        x->first = file;
    x->last = file;
    return E_OK;
}

static err
add_buf(struct exporting *x, const char *name, struct buf *text)
{
    return text->failed ? E_TOO_LARGE : add(x, name, text->n ? buf_view(text) : V(""));
}

/* -- one document -- */

struct paper {
    const struct row_document *row;
    struct row_verdict *verdicts;
    struct row_reception *reception;
    struct data_key key;
    char name[ID_TEXT_SIZE + 16]; /* documents/doc-… */
};

static err
add_original(struct exporting *x, const struct paper *p)
{
    char name[NAME_SIZE];
    view sealed = VIEW_NONE, bytes = VIEW_NONE;
    TRY(store_body(x->g->store, &p->row->body_at, x->mem, &sealed));
    TRY(seal_unbox(&p->key, V("body"), p->row->id, sealed, x->mem, &bytes));
    snprintf(name, sizeof name, "%s/original.%.*s", p->name, VIEW_ARG(p->row->media));
    return add(x, name, bytes);
}

static void
header_line(struct buf *out, const char *name, view value)
{
    if (value.n)
        buf_printf(out, "%s: %.*s\n", name, VIEW_ARG(value));
}

/* Evidence of a verdict: headers as they came, certificates. */
static err
add_signature(struct exporting *x, const struct paper *p, const struct row_verdict *v)
{
    char name[NAME_SIZE];
    view sealed = VIEW_NONE, text = VIEW_NONE;
    json_t *json = NULL;
    struct buf lines AUTO_DONE(buf_done);
    buf_init(&lines, TEXT_MAX);
    TRY(store_body(x->g->store, &v->evidence_at, x->mem, &sealed));
    TRY(seal_unbox(&p->key, V("evidence"), v->id, sealed, x->mem, &text));
    TRY(json_load(text, x->mem, &json, x->f));
    snprintf(name, sizeof name, "%s/evidence.json", p->name);
    TRY(add(x, name, text));
    header_line(&lines, "AUTH", json_text(json, "cms"));
    header_line(&lines, "KeyId", json_text(json, "key_id"));
    header_line(&lines, "X-JWS-Signature", json_text(json, "jws"));
    snprintf(name, sizeof name, "%s/signature.headers", p->name);
    return add_buf(x, name, &lines);
}

static err
add_verdicts(struct exporting *x, const struct paper *p)
{
    char name[NAME_SIZE];
    int n = 0;
    for (const struct row_verdict *v = p->verdicts; v; v = v->next) {
        view text = VIEW_NONE;
        TRY(seal_unbox(&p->key, V("verdict"), v->id, v->verdict, x->mem, &text));
        if (n)
            snprintf(name, sizeof name, "%s/verdict-%d.json", p->name, n + 1);
        else
            snprintf(name, sizeof name, "%s/verdict.json", p->name);
        n++;
        TRY(add(x, name, text));
    }
    return p->verdicts && p->verdicts->evidence_at.length ? add_signature(x, p, p->verdicts) : E_OK;
}

static void
report_time(struct exporting *x, const struct paper *p, const struct stamped *s)
{
    char when[32];
    view at = s->found ? instant_print(s->at, when) : V("");
    if (s->found) {
        buf_printf(&x->zh,
                   "\n【%s】時戳：於 %.*s（世界協調時間）前已列入紀錄，由第三方時戳機構證明（time.json）。\n",
                   p->name, VIEW_ARG(at));
        buf_printf(&x->en,
                   "\n[%s] A time-stamp authority proves that it stood in the log before %.*s (time.json).\n",
                   p->name, VIEW_ARG(at));
    } else {
        buf_printf(&x->zh, "\n【%s】尚無第三方時戳；收受時間僅由閘道證明。\n", p->name);
        buf_printf(&x->en,
                   "\n[%s] No time-stamp of an authority yet: the time rests on the gateway's word.\n",
                   p->name);
    }
}

/* The stamped head that holds the entry, its evidence record, and the entry's place below it. */
static err
add_time(struct exporting *x, const struct paper *p, const struct row_leaf *leaf)
{
    char name[NAME_SIZE];
    struct stamped s;
    view text = VIEW_NONE;
    TRY(stamps_proof(x->g, x->r, (uint64_t)leaf->seq, x->mem, &s));
    if (!s.found && config_text(x->g->config, SET_TIME_AUTHORITIES).n == 0)
        return E_OK;
    TRY(stamped_print(&s, x->mem, &text));
    snprintf(name, sizeof name, "%s/time.json", p->name);
    TRY(add(x, name, text));
    report_time(x, p, &s);
    if (!s.found)
        return E_OK;
    TRY(evidence_proof(x->g, &leaf->hash, leaf->ref, s.size, x->mem, &text, x->f));
    snprintf(name, sizeof name, "%s/time-proof.json", p->name);
    return add(x, name, text);
}

/* Receipt, the log's entry opened by its salt, and its proofs. */
static err
add_log_entry(struct exporting *x, const struct paper *p)
{
    char name[NAME_SIZE];
    struct row_leaf *leaf = NULL;
    view data = VIEW_NONE, proof = VIEW_NONE;
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, TEXT_MAX);
    snprintf(name, sizeof name, "%s/receipt.jws", p->name);
    TRY(add(x, name, p->reception->receipt));
    TRY(query_leaf_of(x->r, ARGS(val_uid(&p->reception->id)), x->mem, &leaf));
    if (!leaf)
        return E_STORE_CORRUPT;
    TRY(evidence_leaf_data(leaf, x->mem, &data));
    BUF_LIT(&out, "{\"data\":");
    buf_add_json(&out, data);
    BUF_LIT(&out, ",\"salt\":\"");
    buf_add_hex(&out, leaf->salt);
    BUF_LIT(&out, "\",\"link\":\"");
    digest link = sha256(uid_view(&p->reception->case_id));
    buf_add_hex(&out, digest_view(&link));
    BUF_LIT(&out, "\"}");
    snprintf(name, sizeof name, "%s/leaf.json", p->name);
    TRY(add_buf(x, name, &out));
    TRY(evidence_proof(x->g, &leaf->hash, leaf->ref, 0, x->mem, &proof, x->f));
    snprintf(name, sizeof name, "%s/proof.json", p->name);
    TRY(add(x, name, proof));
    return add_time(x, p, leaf);
}

static void
report_paper(struct exporting *x, const struct paper *p)
{
    char when[32];
    view at = instant_print(p->row->received_at, when);
    const char *level = evidence_level_word((enum evidence_level)p->row->level);
    buf_printf(&x->zh,
               "\n【%s】\n文件種類：%.*s；收受時間：%.*s（世界協調時間）；原始位元組數：%"
               "lld；收受時之證據等級：%s。\n"
               "原始檔案、簽章、驗證結果與收據均附於此資料夾；收據載明之雜湊值須與原始檔案相符，紀錄樹證明須"
               "導向閘道簽署之樹首。\n",
               p->name, VIEW_ARG(p->row->kind), VIEW_ARG(at), (long long)p->row->bytes, level);
    buf_printf(
        &x->en,
        "\n[%s]\nKind: %.*s. Received: %.*s. Bytes: %lld. Level of evidence when it was received: %s.\n"
        "The original, its signature, the verdict and the receipt stand in this folder. The digest in the "
        "receipt must be "
        "the original's, and the proof must lead to a head that the gateway signed.\n",
        p->name, VIEW_ARG(p->row->kind), VIEW_ARG(at), (long long)p->row->bytes, level);
}

static err
add_paper(struct exporting *x, const struct row_document *row)
{
    char id[ID_TEXT_SIZE];
    struct paper p = {.row = row};
    snprintf(p.name, sizeof p.name, "documents/%.*s", VIEW_ARG(doc_id_print((doc_id){row->id}, id)));
    TRY(query_verdicts_of(x->r, ARGS(val_uid(&row->id)), x->mem, &p.verdicts));
    TRY(query_reception_of(x->r, ARGS(val_uid(&row->id), val_uid(&row->sender)), x->mem, &p.reception));
    err e = seal_load_key(x->g->seal, x->r, row->key, x->mem, &p.key);
    if (e == E_NOT_FOUND) { /* erased: what is left is said, the log's entry still stands */
        buf_printf(&x->zh, "\n【%s】\n內容已依法刪除；僅存收據與紀錄。\n", p.name);
        buf_printf(&x->en, "\n[%s]\nThe content was erased; receipt and log entry remain.\n", p.name);
        return p.reception ? add_log_entry(x, &p) : E_OK;
    }
    TRY(e);
    e = add_original(x, &p);
    if (e == E_OK)
        e = add_verdicts(x, &p);
    data_key_forget(&p.key);
    TRY(e);
    if (p.reception)
        TRY(add_log_entry(x, &p));
    report_paper(x, &p);
    return E_OK;
}

/* -- permissions, keys, list -- */

static err
add_permissions(struct exporting *x, case_id id)
{
    struct row_permission *list = NULL;
    struct buf out AUTO_DONE(buf_done);
    char perm[ID_TEXT_SIZE], who[ID_TEXT_SIZE], from[32], to[32], gone[32];
    TRY(query_permissions_of_case(x->r, ARGS(val_uid(&id.u)), x->mem, &list));
    buf_init(&out, TEXT_MAX);
    BUF_LIT(&out, "[");
    for (const struct row_permission *p = list; p; p = p->next) {
        view name = perm_id_print((perm_id){p->id}, perm);
        buf_printf(&out,
                   "%s{\"id\":\"%.*s\",\"recipient\":\"%.*s\",\"kind\":\"%.*s\",\"purpose\":\"%.*s\","
                   "\"documents\":\"%.*s\",\"from\":\"%.*s\"",
                   p == list ? "" : ",", VIEW_ARG(name),
                   VIEW_ARG(partner_id_print((partner_id){p->recipient}, who)), VIEW_ARG(p->kind),
                   VIEW_ARG(p->purpose), VIEW_ARG(p->kinds), VIEW_ARG(instant_print(p->valid_from, from)));
        if (p->valid_to.us)
            buf_printf(&out, ",\"to\":\"%.*s\"", VIEW_ARG(instant_print(p->valid_to, to)));
        if (p->withdrawn_at.us)
            buf_printf(&out, ",\"withdrawn_at\":\"%.*s\"", VIEW_ARG(instant_print(p->withdrawn_at, gone)));
        BUF_LIT(&out, "}");
        buf_printf(&x->zh, "\n授權 %.*s：目的 %.*s，文件 %.*s%s。\n", VIEW_ARG(name), VIEW_ARG(p->purpose),
                   VIEW_ARG(p->kinds), p->withdrawn_at.us ? "，嗣後撤回" : "");
        buf_printf(&x->en, "\nPermission %.*s: purpose %.*s, documents %.*s%s.\n", VIEW_ARG(name),
                   VIEW_ARG(p->purpose), VIEW_ARG(p->kinds), p->withdrawn_at.us ? ", withdrawn later" : "");
    }
    BUF_LIT(&out, "]");
    return add_buf(x, "permissions.json", &out);
}

static err
add_keys(struct exporting *x)
{
    x->keys = gateway_keys(x->g);
    view text = keyring_jwks(x->keys, (instant){0}, x->mem);
    return text.p ? add(x, "keys.json", text) : E_TOO_LARGE;
}

static err
add_reports(struct exporting *x, case_id id, instant now)
{
    static const char zh_end[] =
        "\n查驗方法（不需連線）：\n  claimgate verify package 本檔案 --keys keys.json --lang zh-TW\n"
        "keys.json 應另向閘道營運者或其公開網址（/.well-known/jwks.json）取得並比對，勿僅採用本包所附者。\n";
    static const char en_end[] =
        "\nTo check, without any connection:\n  claimgate verify package THIS-FILE --keys keys.json\n"
        "Take keys.json from the operator or from /.well-known/jwks.json and compare it; do not rely on the "
        "copy in this package alone.\n";
    struct buf zh AUTO_DONE(buf_done), en AUTO_DONE(buf_done);
    char text[ID_TEXT_SIZE], when[32];
    view name = case_id_print(id, text), at = instant_print(now, when);
    buf_init(&zh, TEXT_MAX);
    buf_init(&en, TEXT_MAX);
    buf_printf(&zh, "理賠案件證據包\n案件：%.*s\n製作時間：%.*s（世界協調時間）\n紀錄名稱：%.*s\n",
               VIEW_ARG(name), VIEW_ARG(at), VIEW_ARG(x->g->log_id));
    buf_printf(&en, "Evidence of an insurance claim case\nCase: %.*s\nMade: %.*s\nLog: %.*s\n",
               VIEW_ARG(name), VIEW_ARG(at), VIEW_ARG(x->g->log_id));
    buf_add(&zh, x->zh.p, x->zh.n);
    buf_add(&en, x->en.p, x->en.n);
    buf_add(&zh, zh_end, sizeof zh_end - 1);
    buf_add(&en, en_end, sizeof en_end - 1);
    TRY(add_buf(x, "report.zh-TW.txt", &zh));
    return add_buf(x, "report.en.txt", &en);
}

/* Every file with its digest, signed: the package is whole or it is not. */
static err
add_list(struct exporting *x, case_id id, instant now)
{
    struct buf out AUTO_DONE(buf_done);
    char text[ID_TEXT_SIZE], when[32];
    view jws = VIEW_NONE;
    buf_init(&out, TEXT_MAX);
    buf_printf(&out,
               "{\"v\":1,\"case\":\"%.*s\",\"made_at\":\"%.*s\",\"log\":", VIEW_ARG(case_id_print(id, text)),
               VIEW_ARG(instant_print(now, when)));
    buf_add_json(&out, x->g->log_id);
    BUF_LIT(&out, ",\"files\":[");
    for (const struct export_file *file = x->first; file; file = file->next) {
        digest d = sha256(file->bytes);
        buf_printf(&out, "%s{\"name\":\"%s\",\"bytes\":%zu,\"sha256\":\"", file == x->first ? "" : ",",
                   file->name, file->bytes.n);
        buf_add_hex(&out, digest_view(&d));
        BUF_LIT(&out, "\"}");
    }
    BUF_LIT(&out, "]}");
    if (out.failed)
        return E_TOO_LARGE;
    TRY(jws_sign(x->keys->signing, V("\"typ\":\"" EXPORT_TYPE "\""), buf_view(&out), true, x->mem, &jws));
    TRY(add(x, EXPORT_LIST, buf_view(&out)));
    return add(x, EXPORT_SIGNATURE, jws);
}

/* Two operators have allowed it within the last days; their words go into the package.  One is enough where one is enough for changes (sandbox). */
static err
add_approval(struct exporting *x, case_id id, instant now)
{
    struct row_change *list = NULL;
    TRY(query_changes_about(x->r, ARGS(val_uid(&id.u), val_text(V(EXPORT_CHANGE))), x->mem, &list));
    while (list &&
           !(view_eq(list->state, V("effective")) && now.us - list->effective_at.us <= EXPORT_WITHIN.us))
        list = list->next;
    if (!list)
        return config_int(x->g->config, SET_CHANGE_APPROVALS) < 2
                   ? E_OK
                   : fault_set(x->f, E_CHANGE_APPROVAL, "case",
                               "an export that two operators allowed within seven days",
                               "none: claimgate evidence request");
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, TEXT_MAX);
    BUF_LIT(&out, "{\"proposal\":");
    buf_add_json(&out, list->proposal);
    if (list->approval.n) {
        BUF_LIT(&out, ",\"approval\":");
        buf_add_json(&out, list->approval);
    }
    BUF_LIT(&out, "}");
    return add_buf(x, "approval.json", &out);
}

static err
export_all(struct exporting *x, case_id id, instant now)
{
    struct row_document *papers = NULL;
    struct row_case *row = NULL;
    view shown = VIEW_NONE;
    TRY(query_case_row(x->r, ARGS(val_uid(&id.u)), x->mem, &row));
    if (!row)
        return fault_set(x->f, E_NOT_FOUND, "", "a case", "none");
    TRY(add_approval(x, id, now));
    TRY(query_documents_of_case(x->r, ARGS(val_uid(&id.u)), x->mem, &papers));
    for (; papers; papers = papers->next)
        TRY(add_paper(x, papers));
    TRY(add_permissions(x, id));
    TRY(case_show(x->g, id, true, x->mem, &shown, x->f));
    TRY(add(x, "case.json", shown));
    TRY(add_keys(x));
    TRY(add_reports(x, id, now));
    return add_list(x, id, now);
}

err
export_case(struct gateway *g, case_id id, instant now, arena *mem, struct export_file **ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct exporting x = {.g = g, .mem = mem, .f = f};
    TRY(store_reader(g->store, &r));
    x.r = r;
    buf_init(&x.zh, TEXT_MAX);
    buf_init(&x.en, TEXT_MAX);
    err e = export_all(&x, id, now);
    buf_done(&x.zh);
    buf_done(&x.en);
    keyring_unref(x.keys);
    *ret = x.first;
    return e;
}
