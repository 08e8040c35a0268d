#include "cli/check/report.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *code, *text[2];
} checks[] = {
#define CHECK(id, code, en, zh) {code, {en, zh}},
#include "cli/check/verify.def"
#undef CHECK
};

static void
print_json(enum check c, const char *state, err e, const struct fault *f, const char *detail)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 65536);
    buf_printf(&out, "{\"check\":\"%s\",\"result\":\"%s\"", checks[c].code, state);
    if (e != E_OK)
        buf_printf(&out, ",\"code\":\"%s\"", err_info(e)->code);
    if (e != E_OK && f && f->where[0]) {
        BUF_LIT(&out, ",\"place\":");
        buf_add_json(&out, view_of(f->where));
    }
    if (*detail) {
        BUF_LIT(&out, ",\"detail\":");
        buf_add_json(&out, view_of(detail));
    }
    BUF_LIT(&out, "}\n");
    fwrite(out.p, 1, out.failed ? 0 : out.n, stdout);
}

static void
print_bad(const struct report *r, enum check c, err e, const struct fault *f)
{
    bool zh = r->a->lang == LANG_ZH;
    const struct err_row *row = err_info(e);
    printf(zh ? "不符  未能確認：%s。%s [%s]\n" : "BAD   not so: %s. %s [%s]\n", checks[c].text[r->a->lang],
           row->text[r->a->lang], row->code);
    if (f && f->where[0])
        printf(zh ? "      位置：%s\n" : "      at: %s\n", f->where);
    if (f && f->expected[0])
        printf(zh ? "      應為：%s\n" : "      expected: %s\n", f->expected);
    if (f && f->found[0])
        printf(zh ? "      實為：%s\n" : "      found: %s\n", f->found);
}

err
report_check(struct report *r, enum check c, err e, const struct fault *f, const char *detail, ...)
{
    char text[1024] = "";
    va_list more;
    va_start(more, detail);
    if (detail)
        vsnprintf(text, sizeof text, detail, more);
    va_end(more);
    r->good += e == E_OK;
    r->bad += e != E_OK;
    if (r->a->json)
        print_json(c, e == E_OK ? "ok" : "bad", e, f, text);
    else if (e != E_OK)
        print_bad(r, c, e, f);
    else
        printf("%s %s%s%s%s\n", r->a->lang == LANG_ZH ? "相符 " : "ok   ", checks[c].text[r->a->lang],
               *text ? " (" : "", text, *text ? ")" : "");
    return e;
}

void
report_note(struct report *r, enum check c, const char *en, const char *zh)
{
    const char *text = r->a->lang == LANG_ZH ? zh : en;
    if (r->a->json)
        print_json(c, "open", E_OK, NULL, text);
    else
        printf("%s %s\n", r->a->lang == LANG_ZH ? "未查 " : "open ", text);
}

int
report_end(const struct report *r)
{
    bool zh = r->a->lang == LANG_ZH;
    if (r->a->json)
        printf("{\"good\":%u,\"bad\":%u}\n", r->good, r->bad);
    else if (r->bad)
        printf(zh ? "結論：%u 項不符\n" : "%u checks failed\n", r->bad);
    else
        printf(zh ? "結論：%u 項均相符\n" : "all %u checks hold\n", r->good);
    return r->bad ? EXIT_SIGNATURE : EXIT_OK;
}
