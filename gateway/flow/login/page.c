/* The login page: who asks for what, what the person signs, and the ways to do so (base/page.h). */
#include "flow/login/inside.h"

#include "base/page.h"
#include "base/text.h"

#define PAGE_MAX 65536

struct page {
    struct gateway *g;
    const struct exchange *x;
    view app;
    arena *mem;
    struct buf *out;
};

static void
add_term(struct page *p, const char *zh, const char *en, view value)
{
    page_both(p->out, "dt", zh, en);
    BUF_LIT(p->out, "<dd>");
    buf_add_xml(p->out, value);
    BUF_LIT(p->out, "</dd>");
}

/* The table's remedies speak to developers; here a person looks for his next step. */
static void
add_error(struct page *p, err why)
{
    const struct err_row *row = err_info(why);
    if (why != E_OK)
        page_alert(p->out, row->text[LANG_ZH], row->text[LANG_EN],
                   "您尚未登入。請再試一次：簽署此頁顯示的文字（一字不改），貼上完整的簽章，並輸入憑證持有人"
                   "本人的號碼；或改用其他方式。",
                   "You are not logged in. Try again: sign the text of this page, unchanged, paste the whole "
                   "signature and "
                   "type the number of the certificate's holder; or use another way.");
}

static void
add_scopes(struct page *p)
{
    view scope = json_text(p->x->request, "scope");
    BUF_LIT(p->out, "<ul>");
    while (scope.n) {
        view one = view_cut(&scope, ' ', NULL);
        for (size_t i = 0; i < login_scopes_count; i++)
            if (view_eq(one, view_of(login_scopes[i].word)))
                page_both(p->out, "li", login_scopes[i].text[LANG_ZH], login_scopes[i].text[LANG_EN]);
        if (view_starts(one, V("case:"))) {
            BUF_LIT(p->out, "<li>僅限此案件 <span lang=\"en\">for this case only</span> <code>");
            buf_add_xml(p->out, view_sub(one, 5, one.n));
            BUF_LIT(p->out, "</code></li>");
        }
    }
    BUF_LIT(p->out, "</ul>");
}

static void
add_asked(struct page *p)
{
    BUF_LIT(p->out, "<p>應用程式 <strong>");
    buf_add_xml(p->out, p->app);
    BUF_LIT(p->out, "</strong> 請求您允許它：</p><p lang=\"en\">This app asks you to let it:</p>");
    add_scopes(p);
    BUF_LIT(p->out, "<p>以下列任一方式登入，即表示您同意。您可隨時在該應用程式中終止。</p><p lang=\"en\">To "
                    "log in by one of "
                    "the ways below is to agree. You can end it in the app at any time.</p>");
}

/* What the text says, item by item; the permissions stand above. */
static void
add_signed(struct page *p)
{
    json_t *text = NULL;
    instant until;
    if (json_load(login_challenge(p->x->request), p->mem, &text, NULL) != E_OK)
        return;
    BUF_LIT(p->out, "<p>您簽署的是：</p><p lang=\"en\">What you sign:</p><dl>");
    add_term(p, "向哪個閘道登入", "Gateway at which you log in", json_text(text, "claimgate-login"));
    add_term(p, "哪個應用程式", "App", json_text(text, "app"));
    add_term(p, "允許的事項（如上）", "What it may do (as above)", json_text(text, "scope"));
    if (instant_parse(json_text(text, "until"), &until, NULL) == E_OK)
        add_term(p, "登入期限（臺灣時間）", "Log in before (time of Taiwan)", page_time(until, p->mem));
    add_term(p, "只用一次的亂數", "A number used once", json_text(text, "nonce"));
    BUF_LIT(p->out, "</dl>");
}

static void
add_certificate(struct page *p)
{
    const struct login_method_row *m = login_method_info(LOGIN_CERTIFICATE);
    BUF_LIT(p->out, "<section>");
    page_both(p->out, "h2", m->label[LANG_ZH], m->label[LANG_EN]);
    add_signed(p);
    BUF_LIT(
        p->out,
        "<p id=\"how\">請以您的憑證工具簽署下列文字（一字不改），再將簽章貼於下方。</p><p lang=\"en\">Sign "
        "this text with "
        "your card's tool, exactly as it stands, and paste the signature below.</p><pre id=\"challenge\">");
    buf_add_xml(p->out, login_challenge(p->x->request));
    BUF_LIT(p->out,
            "</pre><form method=\"post\" action=\"/login\" autocomplete=\"off\">"
            "<input type=\"hidden\" name=\"action\" value=\"certificate\">"
            "<label for=\"number\">身分證統一編號或居留證號 <span lang=\"en\">National or resident "
            "number</span></label>"
            "<input id=\"number\" name=\"number\" required maxlength=\"10\" "
            "pattern=\"[A-Za-z][A-Da-d0-9][0-9]{8}\" "
            "aria-describedby=\"number-hint\" title=\"A123456789\" autocapitalize=\"characters\" "
            "spellcheck=\"false\">"
            "<small id=\"number-hint\">十個字元，例如 A123456789 <span lang=\"en\">Ten characters, such as "
            "A123456789</span></small>"
            "<label for=\"signature\">簽章（JWS） <span lang=\"en\">Signature (JWS)</span></label>"
            "<textarea id=\"signature\" name=\"signature\" rows=\"5\" required aria-describedby=\"how\" "
            "autocapitalize=\"none\" spellcheck=\"false\"></textarea>"
            "<button type=\"submit\">簽章登入 <span lang=\"en\">Log in</span></button></form></section>");
}

static void
add_wallet(struct page *p)
{
    const struct login_method_row *m = login_method_info(LOGIN_WALLET);
    view link = json_text(p->x->result, "link");
    BUF_LIT(p->out, "<section>");
    page_both(p->out, "h2", m->label[LANG_ZH], m->label[LANG_EN]);
    if (link.n) {
        BUF_LIT(p->out, "<p>請在此裝置開啟皮夾。出示憑證後，皮夾會帶您回到這裡。</p><p lang=\"en\">Open your "
                        "wallet on this device. "
                        "It brings you back here.</p><a class=\"go\" href=\"");
        buf_add_xml(p->out, link);
        BUF_LIT(p->out, "\">開啟皮夾 <span lang=\"en\">Open the wallet</span></a></section>");
        return;
    }
    BUF_LIT(p->out,
            "<p>出示前，皮夾會讓您確認出示哪些資料。</p><p lang=\"en\">Your wallet lets you confirm what it "
            "shows.</p>"
            "<form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"action\" value=\"wallet\">"
            "<button type=\"submit\">以皮夾登入 <span lang=\"en\">Use the "
            "wallet</span></button></form></section>");
}

/* A way without words of its own is a button. */
static void
add_button(struct page *p, enum login_method m)
{
    const struct login_method_row *row = login_method_info(m);
    BUF_LIT(p->out, "<section>");
    page_both(p->out, "h2", row->label[LANG_ZH], row->label[LANG_EN]);
    buf_printf(p->out,
               "<form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"action\" value=\"%s\">"
               "<button type=\"submit\">登入 <span lang=\"en\">Log in</span></button></form></section>",
               row->word);
}

static void
add_method(struct page *p, enum login_method m)
{
    if (m == LOGIN_CERTIFICATE)
        add_certificate(p);
    else if (m == LOGIN_WALLET)
        add_wallet(p);
    else
        add_button(p, m);
}

/* Where a form of this page may lead: here, and by redirection to the app. */
static view
form_action(const json_t *request, arena *mem)
{
    view uri = json_text(request, "redirect_uri");
    size_t colon = view_find(uri, V("://"));
    if (colon >= uri.n)
        return arena_printf(mem, "'self' %.*s:", (int)view_find_byte(uri, ':'), uri.p);
    view rest = view_sub(uri, colon + 3, uri.n);
    size_t host = view_find_byte(rest, '/');
    return arena_printf(mem, "'self' %.*s", (int)(colon + 3 + host), uri.p);
}

static view
host_of(const struct gateway *g)
{
    size_t colon = view_find(g->base_url, V("://"));
    return colon < g->base_url.n ? view_sub(g->base_url, colon + 3, g->base_url.n) : g->base_url;
}

err
login_show(struct gateway *g, view cookie, err why, instant now, arena *mem, struct login_page *ret,
           struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    struct buf out AUTO_DONE(buf_done);
    struct exchange x;
    buf_init(&out, PAGE_MAX);
    TRY(login_find(g, cookie, "opened", now, mem, &x, f));
    struct page p = {.g = g, .x = &x, .app = login_app_name(r, x.request), .mem = mem, .out = &out};
    page_begin(&out, "登入並授權應用程式", "Log in for an app", host_of(g));
    add_error(&p, why);
    add_asked(&p);
    for (enum login_method m = 0; m < LOGIN_METHODS; m++)
        if (login_method_serves(g, m, x.request))
            add_method(&p, m);
    BUF_LIT(&out,
            "<form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"action\" value=\"cancel\">"
            "<button class=\"plain\" type=\"submit\">取消並返回應用程式 <span lang=\"en\">Cancel and go back "
            "to the app"
            "</span></button></form>");
    page_end(&out);
    data_key_forget(&x.key);
    *ret = (struct login_page){.html = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out)),
                               .policy = page_policy(form_action(x.request, mem), mem)};
    return ret->html.p && ret->policy.p ? E_OK : E_TOO_LARGE;
}
