/* A person without an app: code and birth date, then the steps of his claims.  A script asks in JSON; a browser without one sends the form and gets a page. */
#include "api/api.h"

#include "base/json.h"
#include "base/page.h"
#include "flow/login/form.h"
#include "flow/members.h"
#include "flow/view/feed.h"

#define PAGE_MAX ((size_t)1 << 20)

static err
show(struct request *rq, struct reply *rp, int status, const struct buf *out)
{
    rp->status = status;
    rp->media = "text/html; charset=utf-8";
    rp->body = out->failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(out));
    reply_header(rq, rp, "Content-Security-Policy", page_policy(V("'self'"), rq->mem));
    reply_header(rq, rp, "Referrer-Policy", V("no-referrer"));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    return rp->body.p ? E_OK : E_TOO_LARGE;
}

static err
show_form(struct request *rq, struct reply *rp, err why)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, PAGE_MAX);
    page_begin(&out, "理賠進度查詢", "Claim progress", VIEW_NONE);
    if (why != E_OK)
        page_alert(&out, "查無資料。", "Nothing was found.",
                   "請核對查詢碼與出生日期；多次輸入錯誤後，查詢碼會失效，請改以您申請時使用的應用程式查看。",
                   "Check code and date of birth. A code ends after several wrong tries; then look in the "
                   "app through "
                   "which you applied.");
    BUF_LIT(
        &out,
        "<p>這裡只顯示進度與日期。金額與文件請以您申請時使用的應用程式查看。</p><p lang=\"en\">Steps and "
        "dates are shown here. "
        "Amounts and documents are in the app through which you applied.</p>"
        "<form method=\"post\" action=\"/t/session\" autocomplete=\"off\"><label for=\"code\">查詢碼 <span "
        "lang=\"en\">Code</span></label><input id=\"code\" name=\"code\" required autocapitalize=\"none\" "
        "spellcheck=\"false\"><label for=\"birth_date\">出生日期（西元） <span lang=\"en\">Date of "
        "birth</span></label>"
        "<input id=\"birth_date\" name=\"birth_date\" inputmode=\"numeric\" required "
        "pattern=\"[0-9]{4}-[0-9]{2}-[0-9]{2}\" aria-describedby=\"birth-hint\" title=\"1990-01-31\">"
        "<small id=\"birth-hint\">年-月-日，例如 1990-01-31 <span lang=\"en\">year-month-day, such as "
        "1990-01-31</span></small><button type=\"submit\">查詢 <span lang=\"en\">Look "
        "up</span></button></form>");
    page_end(&out);
    return show(rq, rp, why == E_OK ? 200 : err_info(why)->status, &out);
}

err
api_TRACK_PAGE(void *app, struct request *rq, struct reply *rp)
{
    (void)app;
    return show_form(rq, rp, E_OK);
}

/* -- the steps -- */

static void
add_moment(struct buf *out, view text, arena *mem)
{
    instant at;
    if (instant_parse(text, &at, NULL) != E_OK)
        return;
    view shown = page_time(at, mem);
    buf_printf(out, "<time datetime=\"%.*s\">%.*s</time>", VIEW_ARG(text), VIEW_ARG(shown));
}

static void
add_word(struct buf *out, const char *tag, view zh, view en)
{
    buf_printf(out, "<%s>", tag);
    buf_add_xml(out, zh);
    BUF_LIT(out, " <span lang=\"en\">");
    buf_add_xml(out, en);
    buf_printf(out, "</span></%s>", tag);
}

static void
add_steps(struct buf *out, const json_t *zh, const json_t *en, arena *mem)
{
    const json_t *claims = json_member(zh, "claims"), *english = json_member(en, "claims"), *one;
    size_t i;
    page_both(out, "h2", "您的理賠", "Your claims");
    BUF_LIT(out, "<ul>");
    json_array_foreach(claims, i, one)
    {
        BUF_LIT(out, "<li><strong>");
        buf_add_xml(out, json_text(one, "label"));
        BUF_LIT(out, "</strong> · ");
        add_moment(out, json_text(one, "since"), mem);
        BUF_LIT(out, " <span lang=\"en\">");
        buf_add_xml(out, json_text(json_array_get(english, i), "label"));
        BUF_LIT(out, "</span></li>");
    }
    BUF_LIT(out, "</ul>");
    page_both(out, "h2", "經過", "What happened");
    BUF_LIT(out, "<dl>");
    json_array_foreach(json_member(zh, "timeline"), i, one)
    {
        BUF_LIT(out, "<dt>");
        add_moment(out, json_text(one, "at"), mem);
        BUF_LIT(out, "</dt>");
        add_word(out, "dd", json_text(json_member(one, "text"), "zh-TW"),
                 json_text(json_member(one, "text"), "en"));
    }
    BUF_LIT(
        out,
        "</dl><p><small>時間為臺灣時間。 <span lang=\"en\">Times are those of Taiwan.</span></small></p>");
}

static err
load_view(void *app, struct request *rq, const struct person_caller *who, enum lang lang, json_t **ret)
{
    view json;
    TRY(track_view(app, who, lang, rq->received, rq->mem, &json, &rq->fault));
    return json_load(json, rq->mem, ret, &rq->fault);
}

static err
show_steps(void *app, struct request *rq, struct reply *rp, view token)
{
    struct buf out AUTO_DONE(buf_done);
    struct person_caller who;
    json_t *zh = NULL, *en = NULL;
    buf_init(&out, PAGE_MAX);
    TRY(track_caller(app, (partner_id){{{0}}}, token, rq->received, rq->mem, &who, &rq->fault));
    TRY(load_view(app, rq, &who, LANG_ZH, &zh));
    TRY(load_view(app, rq, &who, LANG_EN, &en));
    page_begin(&out, "理賠進度", "Claim progress", VIEW_NONE);
    add_steps(&out, zh, en, rq->mem);
    BUF_LIT(
        &out,
        "<p><a class=\"go plain\" href=\"/t/\">查詢另一件 <span lang=\"en\">Look up another</span></a></p>");
    page_end(&out);
    return show(rq, rp, 200, &out);
}

/* -- code and birth date -- */

static err
from_form(void *app, struct request *rq, struct reply *rp)
{
    view json;
    json_t *session = NULL;
    err e =
        track_session(app, form_field(rq->body, "code", rq->mem), form_field(rq->body, "birth_date", rq->mem),
                      rq->received, rq->mem, &json, &rq->fault);
    if (e == E_LOGIN)
        return show_form(rq, rp, e);
    TRY(e);
    TRY(json_load(json, rq->mem, &session, &rq->fault));
    return show_steps(app, rq, rp, json_text(session, "track_token"));
}

err
api_TRACK_SESSION(void *app, struct request *rq, struct reply *rp)
{
    static const char *const known[] = {"s:code", "s:birth_date", NULL};
    json_t *body = NULL;
    view json;
    if (view_find(rq->media_type, V("json")) == rq->media_type.n)
        return from_form(app, rq, rp);
    TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
    TRY(members_only(body, known, &rq->fault));
    TRY(track_session(app, json_text(body, "code"), json_text(body, "birth_date"), rq->received, rq->mem,
                      &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}
