#include "base/page.h"

#include "base/digest.h"
#include "base/text.h"

/* Contrast is 7:1 for text and 4.5:1 for borders and the ring of the focus, in both themes. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#16191d;--soft:#454b54;--back:#fff;--box:#f1f3f5;--line:#66707c;"
    "--go:#0b4a8f;--on:#fff;--bad:#9b0000;--ring:#b45309}"
    "@media(prefers-color-scheme:dark){:root{--ink:#f2f4f6;--soft:#c6ccd4;--back:#14181c;--box:#222830;"
    "--line:#939ca8;--go:#9cc8ff;--on:#0a1a2b;--bad:#ffa3a3;--ring:#ffb454}}"
    "body{font:1.06rem/1.65 system-ui,'Noto Sans TC','PingFang TC','Microsoft JhengHei',sans-serif;"
    "color:var(--ink);background:var(--back);margin:0}"
    "header,main{max-width:40rem;margin:0 auto;padding:0 1.2rem}"
    "header{padding-top:1rem;color:var(--soft);font-size:.95rem}main{padding-bottom:2.5rem}"
    "h1{font-size:1.55rem;line-height:1.35;margin:.8rem 0 1rem}h2{font-size:1.2rem;margin:.9rem 0 .4rem}"
    "[lang=en]{color:var(--soft)}"
    "h1 [lang=en],h2 [lang=en],li [lang=en],dt [lang=en],dd [lang=en],label [lang=en]{display:block;"
    "font-size:.92rem;font-weight:400;line-height:1.45}"
    "p+p[lang=en]{margin-top:-.7rem;font-size:.95rem}"
    "section,.alert{border:1px solid var(--line);border-radius:.6rem;padding:.2rem 1.1rem "
    "1.1rem;margin:1.2rem 0}"
    ".alert{border:2px solid var(--bad);padding-bottom:.2rem}.alert strong{color:var(--bad)}"
    "li{margin:.45rem 0}dl{margin:.6rem "
    "0}dt{font-weight:600;margin-top:.6rem}dd{margin:0;overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--box);padding:.8rem;border-radius:.4rem;"
    "font-size:.92rem}"
    "label{display:block;margin-top:1rem;font-weight:600}small{display:block;color:var(--soft)}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.55rem;margin-top:.25rem;"
    "color:var(--ink);background:var(--back);border:1px solid var(--line);border-radius:.35rem}"
    "textarea{font-family:ui-monospace,monospace;font-size:.92rem}"
    "button,.go{font:inherit;font-weight:600;display:inline-block;margin-top:1.1rem;padding:.65rem 1.3rem;"
    "border:2px solid "
    "var(--go);background:var(--go);color:var(--on);border-radius:.4rem;text-decoration:none;"
    "cursor:pointer}"
    ".plain{background:var(--back);color:var(--go)}"
    "button [lang=en],.go [lang=en]{color:inherit;font-weight:400}"
    "summary{cursor:pointer}code{overflow-wrap:anywhere}"
    ":focus-visible{outline:3px solid var(--ring);outline-offset:2px}";

void
page_begin(struct buf *out, const char *zh, const char *en, view place)
{
    buf_printf(
        out,
        "<!doctype html><html lang=\"zh-Hant-TW\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">"
        "<title>%s %s</title><style>",
        zh, en);
    buf_add(out, style, sizeof style - 1);
    BUF_LIT(out, "</style></head><body><header>理賠資料交換閘道 <span lang=\"en\">Claims gateway</span>");
    if (place.n) {
        BUF_LIT(out, " · ");
        buf_add_xml(out, place);
    }
    BUF_LIT(out, "</header><main>");
    page_both(out, "h1", zh, en);
}

void
page_end(struct buf *out)
{
    BUF_LIT(out, "</main></body></html>\n");
}

void
page_both(struct buf *out, const char *tag, const char *zh, const char *en)
{
    buf_printf(out, "<%s>%s <span lang=\"en\">%s</span></%s>", tag, zh, en, tag);
}

void
page_alert(struct buf *out, const char *zh, const char *en, const char *then_zh, const char *then_en)
{
    buf_printf(out,
               "<div class=\"alert\" role=\"alert\"><p><strong>%s</strong>%s</p><p "
               "lang=\"en\"><strong>%s</strong> %s</p></div>",
               zh, then_zh, en, then_en);
}

view
page_time(instant t, arena *mem)
{
    char text[32];
    view local = instant_print(instant_add(t, SPAN_SECONDS(8 * 3600)), text);
    return arena_printf(mem, "%.*s %.*s", VIEW_ARG(view_sub(local, 0, 10)), VIEW_ARG(view_sub(local, 11, 5)));
}

view
page_policy(view form_action, arena *mem)
{
    digest look = sha256(view_make(style, sizeof style - 1));
    view hash = text_base64(mem, digest_view(&look));
    if (!hash.p)
        return VIEW_NONE;
    return arena_printf(
        mem,
        "default-src 'none'; style-src 'sha256-%.*s'; form-action %.*s; frame-ancestors 'none'; "
        "base-uri 'none'",
        VIEW_ARG(hash), VIEW_ARG(form_action.n ? form_action : V("'none'")));
}
