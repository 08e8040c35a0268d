/* The login page: plain HTML in Chinese and English, no script, nothing from elsewhere; every word of others is escaped. */
#include "flow/login/inside.h"

#include "base/text.h"

#define PAGE_MAX 65536

static const char style[] =
    "body{font:1.05rem/1.6 system-ui,sans-serif;color:#111;background:#fff;margin:0}"
    "main{max-width:42rem;margin:0 auto;padding:1.2rem}h1{font-size:1.5rem}h2{font-size:1.15rem}"
    "section{border:1px solid #767676;border-radius:.5rem;padding:.2rem 1rem 1rem;margin:1rem 0}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f2f2f2;padding:.8rem;border-radius:.3rem}"
    "label{display:block;margin-top:.8rem;font-weight:600}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #555}"
    "button,.go{font:inherit;display:inline-block;margin-top:1rem;padding:.6rem 1.2rem;border:2px solid "
    "#0b4a8f;"
    "background:#0b4a8f;color:#fff;border-radius:.3rem;text-decoration:none}"
    ".plain{background:#fff;color:#0b4a8f}[role=alert]{border:2px solid #a80000;padding:.5rem 1rem}"
    "span[lang=en],p[lang=en]{color:#444}button span[lang=en],.go "
    "span[lang=en]{color:inherit}:focus-visible{outline:3px solid #e07b00;outline-offset:2px}";

struct page {
    struct gateway *g;
    const struct exchange *x;
    view app;
    err why;
    struct buf *out;
};

static void
add_both(struct page *p, const char *tag, const char *zh, const char *en)
{
    buf_printf(p->out, "<%s>%s <span lang=\"en\">%s</span></%s>", tag, zh, en, tag);
}

static void
add_head(struct page *p)
{
    BUF_LIT(p->out,
            "<!doctype html><html lang=\"zh-Hant-TW\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">"
            "<title>登入 Log in · claimgate</title><style>");
    buf_add(p->out, style, sizeof style - 1);
    BUF_LIT(p->out, "</style></head><body><main>");
}

static void
add_asked(struct page *p)
{
    view scope = json_text(p->x->request, "scope");
    add_both(p, "h1", "登入並授權應用程式", "Log in for an app");
    BUF_LIT(p->out, "<p>應用程式 <strong>");
    buf_add_xml(p->out, p->app);
    BUF_LIT(p->out, "</strong> 請求您允許它：</p><p lang=\"en\">This app asks you to let it:</p><ul>");
    while (scope.n) {
        view one = view_cut(&scope, ' ', NULL);
        for (size_t i = 0; i < login_scopes_count; i++)
            if (view_eq(one, view_of(login_scopes[i].word)))
                add_both(p, "li", login_scopes[i].text[LANG_ZH], login_scopes[i].text[LANG_EN]);
        if (view_starts(one, V("case:"))) {
            BUF_LIT(p->out, "<li>僅限案件 <span lang=\"en\">for this case only:</span> <code>");
            buf_add_xml(p->out, view_sub(one, 5, one.n));
            BUF_LIT(p->out, "</code></li>");
        }
    }
    BUF_LIT(p->out, "</ul><p>完成下列任一方式即表示同意。您可隨時終止此授權。</p><p lang=\"en\">Completing "
                    "one of the ways below "
                    "means that you agree. You can end this at any time.</p>");
}

static void
add_error(struct page *p)
{
    const struct err_row *row = err_info(p->why);
    if (p->why == E_OK)
        return;
    buf_printf(p->out, "<div role=\"alert\"><p>%s%s</p><p lang=\"en\">%s %s</p></div>", row->text[LANG_ZH],
               row->remedy[LANG_ZH], row->text[LANG_EN], row->remedy[LANG_EN]);
}

static void
add_certificate(struct page *p)
{
    const struct login_method_row *m = login_method_info(LOGIN_CERTIFICATE);
    BUF_LIT(p->out, "<section>");
    add_both(p, "h2", m->label[LANG_ZH], m->label[LANG_EN]);
    BUF_LIT(p->out,
            "<p>請以您的憑證工具簽署下列文字（原文，不得增減），再將簽章貼於下方。</p><p lang=\"en\">Sign "
            "this text with your "
            "card's tool, exactly as it stands, and paste the signature below.</p><pre id=\"challenge\">");
    buf_add_xml(p->out, login_challenge(p->x->request));
    BUF_LIT(
        p->out,
        "</pre><form method=\"post\" action=\"/login\" autocomplete=\"off\">"
        "<input type=\"hidden\" name=\"action\" value=\"certificate\">"
        "<label for=\"number\">身分證統一編號或居留證號 <span lang=\"en\">National or resident "
        "number</span></label>"
        "<input id=\"number\" name=\"number\" required maxlength=\"10\" "
        "pattern=\"[A-Za-z][A-Da-d0-9][0-9]{8}\" "
        "autocapitalize=\"characters\" spellcheck=\"false\">"
        "<label for=\"signature\">簽章（JWS） <span lang=\"en\">Signature (JWS)</span></label>"
        "<textarea id=\"signature\" name=\"signature\" rows=\"5\" required spellcheck=\"false\"></textarea>"
        "<button type=\"submit\">登入 <span lang=\"en\">Log in</span></button></form></section>");
}

static void
add_wallet(struct page *p)
{
    const struct login_method_row *m = login_method_info(LOGIN_WALLET);
    view link = json_text(p->x->result, "link");
    BUF_LIT(p->out, "<section>");
    add_both(p, "h2", m->label[LANG_ZH], m->label[LANG_EN]);
    if (link.n) {
        BUF_LIT(p->out, "<p>請在此裝置開啟皮夾。出示後，皮夾會帶您回到這裡。</p><p lang=\"en\">Open your "
                        "wallet on this device. "
                        "It brings you back here.</p><a class=\"go\" href=\"");
        buf_add_xml(p->out, link);
        BUF_LIT(p->out, "\">開啟皮夾 <span lang=\"en\">Open the wallet</span></a></section>");
        return;
    }
    BUF_LIT(p->out,
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
    add_both(p, "h2", row->label[LANG_ZH], row->label[LANG_EN]);
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

err
login_show(struct gateway *g, view cookie, err why, instant now, arena *mem, struct login_page *ret,
           struct fault *f)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(g);
    struct buf out AUTO_DONE(buf_done);
    struct exchange x;
    buf_init(&out, PAGE_MAX);
    TRY(login_find(g, cookie, "opened", now, mem, &x, f));
    struct page p = {.g = g, .x = &x, .app = login_app_name(r, x.request), .why = why, .out = &out};
    add_head(&p);
    add_error(&p);
    add_asked(&p);
    for (enum login_method m = 0; m < LOGIN_METHODS; m++)
        if (login_method_serves(g, m, x.request))
            add_method(&p, m);
    BUF_LIT(&out,
            "<form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"action\" value=\"cancel\">"
            "<button class=\"plain\" type=\"submit\">取消 <span lang=\"en\">Cancel</span></button></form>"
            "</main></body></html>\n");
    data_key_forget(&x.key);
    digest look = sha256(view_make(style, sizeof style - 1));
    *ret = (struct login_page){.html = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out)),
                               .form_action = form_action(x.request, mem),
                               .style = text_base64(mem, digest_view(&look))};
    return ret->html.p && ret->form_action.p && ret->style.p ? E_OK : E_TOO_LARGE;
}
