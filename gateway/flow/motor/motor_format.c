/* An insurer's answer in the form that its own system takes. */
#include "adapters/insurer/format.h"
#include "base/buf.h"
#include "flow/motor/motor.h"

#define FINDINGS_MAX 200

static void
print_findings(const struct issues *list, enum lang lang, struct buf *out)
{
    for (const struct issue *i = list->first; i; i = i->next) {
        const struct err_row *row = err_info(i->code);
        buf_printf(out, "%s{\"code\":\"%s\",\"column\":", i == list->first ? "" : ",", row->code);
        buf_add_json(out, i->path);
        BUF_LIT(out, ",\"text\":");
        buf_add_json(out, view_of(row->text[lang]));
        BUF_LIT(out, ",\"expected\":");
        buf_add_json(out, i->expected);
        BUF_LIT(out, ",\"found\":");
        buf_add_json(out, i->found);
        BUF_LIT(out, "}");
    }
}

err
motor_format(struct gateway *g, partner_id who, claim_id id, view format, enum lang lang, instant now,
             arena *mem, view *ret_json, struct fault *f)
{
    struct tree *t = arena_make(mem, struct tree);
    struct format_file file;
    struct issues issues;
    struct buf out AUTO_DONE(buf_done);
    view answer, etag;
    buf_init(&out, 64u << 20); /* before anything can fail: it is freed on every way out */
    if (!t)
        return E_TOO_LARGE;
    TRY(claim_fetch(g, who, id, lang, now, mem, &answer, &etag, f));
    TRY(tree_read_json(answer, NULL, mem, t, f));
    issues_init(&issues, mem, FINDINGS_MAX);
    TRY(format_encode(format, t, mem, &issues, &file, f));
    BUF_LIT(&out, "{\"format\":");
    buf_add_json(&out, format);
    buf_printf(&out, ",\"media\":\"%s\",\"charset\":\"%s\",\"content\":\"", file.media, file.charset);
    buf_add_base64(&out, file.bytes);
    BUF_LIT(&out, "\",\"findings\":[");
    print_findings(&issues, lang, &out);
    BUF_LIT(&out, "]}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
