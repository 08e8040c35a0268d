#include "http/error_body.h"

#include "base/page.h"
#include "base/text.h"

#define OUTCOME_SYSTEM "https://claimgate.tw/codes/outcome"

/* One thing that is wrong, from an issue or a fault, for either form. */
struct wrong {
    err code;
    enum issue_severity severity;
    view pointer;   /* JSON pointer; p NULL when none */
    view path;      /* FHIRPath or XPath */
    view parameter; /* header or query parameter */
    long from, length, line, column;
    view expected, found;
};

/* A fault's texts are cut to fit their arrays, so a character may be cut in two. */
static view
whole_text(view text)
{
    size_t at = text.n;
    if (text_is_utf8(text, &at))
        return text;
    return view_sub(text, 0, at);
}

static struct wrong
wrong_of_issue(const struct issue *issue)
{
    return (struct wrong){
        .code = issue->code,
        .severity = issue->severity,
        .pointer = issue->pointer,
        .path = issue->path,
        .from = issue->from,
        .length = issue->length,
        .line = issue->line,
        .column = issue->column,
        .expected = issue->expected,
        .found = issue->found,
    };
}

/* A fault has one place for all kinds: "/a/b" is a pointer (in XML an XPath), "Bundle.entry[0]" a FHIRPath,
 * the rest names a header, a parameter or a part of the head. */
static void
place_fault(const struct request *rq, view where, struct wrong *wrong)
{
    bool is_xml = view_find(rq->media_type, V("xml")) < rq->media_type.n;
    if (where.n == 0)
        return;
    bool is_element = where.p[0] >= 'A' && where.p[0] <= 'Z' && view_find_byte(where, '-') == where.n &&
                      view_find_byte(where, ' ') == where.n;
    if (where.p[0] == '/' && !is_xml)
        wrong->pointer = where;
    else if (where.p[0] == '/' || is_element)
        wrong->path = where;
    else
        wrong->parameter = where;
}

static struct wrong
wrong_of_fault(const struct request *rq, err e)
{
    const struct fault *f = &rq->fault;
    struct wrong wrong = {.code = e, .severity = ISSUE_ERROR, .from = FAULT_NOWHERE};
    if (f->code == E_OK)
        return wrong;
    place_fault(rq, whole_text(view_of(f->where)), &wrong);
    wrong.from = f->from;
    wrong.length = f->length;
    wrong.line = f->line;
    wrong.column = f->column;
    wrong.expected = whole_text(view_of(f->expected));
    wrong.found = whole_text(view_of(f->found));
    return wrong;
}

static void
add_member(struct buf *out, const char *name, view value)
{
    if (value.n == 0)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_add_json(out, value);
}

static void
add_number(struct buf *out, const char *name, long value)
{
    buf_printf(out, ",\"%s\":%ld", name, value);
}

static const char *
severity_word(enum issue_severity severity)
{
    switch (severity) {
    case ISSUE_ERROR:
        return "error";
    case ISSUE_WARNING:
        return "warning";
    default:
        return "information";
    }
}

static void
add_range(struct buf *out, const struct wrong *wrong)
{
    if (wrong->from >= 0) {
        add_number(out, "from", wrong->from);
        add_number(out, "length", wrong->length);
    }
    if (wrong->line > 0) {
        add_number(out, "line", wrong->line);
        add_number(out, "column", wrong->column);
    }
}

static void
add_plain_item(struct buf *out, const struct wrong *wrong, enum lang lang)
{
    const struct err_row *row = err_info(wrong->code);
    buf_printf(out, "{\"code\":\"%s\",\"severity\":\"%s\"", row->code, severity_word(wrong->severity));
    add_member(out, "detail", view_of(row->text[lang]));
    if (wrong->pointer.p) {
        BUF_LIT(out, ",\"pointer\":");
        buf_add_json(out, wrong->pointer);
    }
    add_member(out, "path", wrong->path);
    add_member(out, "parameter", wrong->parameter);
    add_range(out, wrong);
    add_member(out, "expected", wrong->expected);
    add_member(out, "found", wrong->found);
    add_member(out, "remedy", view_of(row->remedy[lang]));
    BUF_LIT(out, "}");
}

static void
add_diagnostics(struct buf *out, const struct wrong *wrong, enum lang lang)
{
    struct buf text;
    buf_init(&text, 2048);
    if (wrong->expected.n > 0)
        buf_printf(&text, "expected: %.*s; ", VIEW_ARG(wrong->expected));
    if (wrong->found.n > 0)
        buf_printf(&text, "found: %.*s; ", VIEW_ARG(wrong->found));
    if (wrong->from >= 0)
        buf_printf(&text, "bytes %ld to %ld; ", wrong->from, wrong->from + wrong->length);
    if (wrong->line > 0)
        buf_printf(&text, "line %ld, column %ld; ", wrong->line, wrong->column);
    buf_add_view(&text, view_of(err_info(wrong->code)->remedy[lang]));
    add_member(out, "diagnostics", whole_text(buf_view(&text)));
    buf_done(&text);
}

static void
add_list(struct buf *out, const char *name, const char *prefix, view value)
{
    struct buf text;
    buf_init(&text, 2048);
    buf_printf(&text, "%s%.*s", prefix, VIEW_ARG(value));
    buf_printf(out, ",\"%s\":[", name);
    buf_add_json(out, buf_view(&text));
    BUF_LIT(out, "]");
    buf_done(&text);
}

static void
add_fhir_item(struct buf *out, const struct wrong *wrong, enum lang lang)
{
    const struct err_row *row = err_info(wrong->code);
    buf_printf(out,
               "{\"severity\":\"%s\",\"code\":\"%s\",\"details\":{\"coding\":[{\"system\":\"" OUTCOME_SYSTEM
               "\"",
               severity_word(wrong->severity), row->issue);
    buf_printf(out, ",\"code\":\"%s\"", row->code);
    add_member(out, "display", view_of(row->text[LANG_EN]));
    BUF_LIT(out, "}]");
    add_member(out, "text", view_of(row->text[lang]));
    BUF_LIT(out, "}");
    add_diagnostics(out, wrong, lang);
    /* location is XPath or, for an error of HTTP, "http." and the parameter (FHIR R4 OperationOutcome). */
    bool is_xpath = wrong->path.n > 0 && wrong->path.p[0] == '/';
    if (wrong->parameter.n > 0)
        add_list(out, "location", "http.", wrong->parameter);
    else if (is_xpath)
        add_list(out, "location", "", wrong->path);
    else if (wrong->pointer.n > 0)
        add_list(out, "location", "", wrong->pointer);
    if (wrong->path.n > 0 && !is_xpath)
        add_list(out, "expression", "", wrong->path);
    BUF_LIT(out, "}");
}

typedef void (*add_item)(struct buf *out, const struct wrong *wrong, enum lang lang);

/* Only the issues of one severity; whether something stands before them is told and updated. */
static void
add_issues(const struct request *rq, enum issue_severity severity, struct buf *out, add_item add, bool *any)
{
    for (const struct issue *i = rq->issues.first; i; i = i->next) {
        if (i->severity != severity)
            continue;
        if (*any)
            BUF_LIT(out, ",");
        struct wrong wrong = wrong_of_issue(i);
        add(out, &wrong, rq->lang);
        *any = true;
    }
}

static void
add_every_issue(const struct request *rq, struct buf *out, add_item add, bool *any)
{
    add_issues(rq, ISSUE_ERROR, out, add, any);
    add_issues(rq, ISSUE_WARNING, out, add, any);
    add_issues(rq, ISSUE_INFO, out, add, any);
}

void
reply_findings(const struct request *rq, struct buf *out)
{
    bool any = false;
    add_every_issue(rq, out, add_fhir_item, &any);
}

void
reply_outcome(const struct request *rq, struct buf *out)
{
    BUF_LIT(out, "{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    reply_findings(rq, out);
    if (!rq->issues.first)
        BUF_LIT(out,
                "{\"severity\":\"information\",\"code\":\"informational\",\"details\":{\"text\":\"ok\"}}");
    BUF_LIT(out, "]}");
}

/* The outcome itself when no issue names it, then the issues, errors first: a reader of the first line
 * learns why the document was refused. */
static void
add_all(const struct request *rq, err e, struct buf *out, add_item add)
{
    bool is_named = false;
    for (const struct issue *i = rq->issues.first; i; i = i->next)
        is_named = is_named || i->code == e;
    bool any = !is_named;
    if (!is_named) {
        struct wrong wrong = wrong_of_fault(rq, e);
        add(out, &wrong, rq->lang);
    }
    add_every_issue(rq, out, add, &any);
}

static void
add_detail(const struct request *rq, err e, struct buf *out)
{
    const struct fault *f = &rq->fault;
    struct buf text;
    if (f->code == E_OK || (!f->expected[0] && !f->found[0])) {
        add_member(out, "detail", view_of(err_info(e)->remedy[rq->lang]));
        return;
    }
    bool is_zh = rq->lang == LANG_ZH;
    buf_init(&text, 1024);
    if (f->where[0])
        buf_printf(&text, "%s: ", f->where);
    buf_printf(&text, is_zh ? "應為 %s；實際為 %s。" : "expected %s, found %s.", f->expected, f->found);
    /* where, expected and found may each end in half a character */
    add_member(out, "detail", whole_text(buf_view(&text)));
    buf_done(&text);
}

static void
add_problem_members(const struct request *rq, err e, struct buf *out)
{
    const struct err_row *row = err_info(e);
    char id[ID_TEXT_SIZE];
    view request = request_id_print(rq->id, id);
    buf_printf(out, "\"type\":\"/problems/%s\"", row->code);
    add_member(out, "title", view_of(row->text[rq->lang]));
    add_number(out, "status", row->status);
    add_detail(rq, e, out);
    buf_printf(out,
               ",\"code\":\"%s\",\"instance\":\"/problems/%s#%.*s\",\"request_id\":\"%.*s\",\"retry\":%s",
               row->code, row->code, VIEW_ARG(request), VIEW_ARG(request), row->retry ? "true" : "false");
    add_member(out, "remedy", view_of(row->remedy[rq->lang]));
    BUF_LIT(out, ",\"errors\":[");
    add_all(rq, e, out, add_plain_item);
    BUF_LIT(out, "]");
    if (rq->issues.dropped > 0)
        add_number(out, "errors_dropped", (long)rq->issues.dropped);
}

/* RFC 6749 5.2 */
static const char *
oauth_word(err e)
{
    switch (e) {
    case E_LOGIN:
    case E_CLIENT_ASSERTION:
    case E_CLIENT_CERT:
    case E_SUSPENDED:
        return "invalid_client";
    case E_INVALID_SCOPE:
    case E_SCOPE:
        return "invalid_scope";
    case E_GRANT:
        return "unsupported_grant_type";
    case E_OAUTH_CODE:
    case E_SESSION_ENDED:
        return "invalid_grant";
    case E_DPOP_GRANT:
        return "invalid_dpop_proof";
    case E_DPOP_NONCE_GRANT:
        return "use_dpop_nonce";
    default:
        break;
    }
    if (err_info(e)->status == 503)
        return "temporarily_unavailable";
    return err_info(e)->status >= 500 ? "server_error" : "invalid_request";
}

static void
add_outcome(const struct request *rq, err e, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    buf_printf(out, "{\"resourceType\":\"OperationOutcome\",\"id\":\"%.*s\",\"issue\":[",
               VIEW_ARG(request_id_print(rq->id, id)));
    add_all(rq, e, out, add_fhir_item);
    BUF_LIT(out, "]}");
}

/* For a browser: what is wrong and what the person can do; what the app's developer needs lies behind it.  Nothing of what was sent. */
static void
add_page(const struct request *rq, err e, struct buf *out)
{
    const struct err_row *row = err_info(e);
    char id[ID_TEXT_SIZE];
    page_begin(out, "無法繼續登入", "The login cannot go on", VIEW_NONE);
    page_alert(out, row->text[LANG_ZH], row->text[LANG_EN],
               "請關閉此頁，回到您的應用程式；若尚未登入，請由應用程式重新開始。",
               "Close this page and go back to your app. If it has not logged you in, start again there.");
    BUF_LIT(out, "<details><summary>技術資訊 <span "
                 "lang=\"en\">For the "
                 "app's developer</span></summary>");
    buf_printf(out, "<p>%s</p><p lang=\"en\">%s</p><p><code>%s %.*s</code></p></details>",
               row->remedy[LANG_ZH], row->remedy[LANG_EN], row->code, VIEW_ARG(request_id_print(rq->id, id)));
    page_end(out);
}

/* A body that would not fit says at least what is wrong. */
static void
keep_short(err e, enum surface surface, struct buf *out)
{
    const struct err_row *row = err_info(e);
    if (!out->failed)
        return;
    buf_clear(out);
    if (surface == SURFACE_FHIR)
        buf_printf(
            out,
            "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":\"%s\"}]}",
            row->issue);
    else
        buf_printf(out, "{\"type\":\"/problems/%s\",\"status\":%d,\"code\":\"%s\"}", row->code, row->status,
                   row->code);
}

static const char *
fill_body(const struct request *rq, err e, enum surface surface, struct buf *out)
{
    if (surface == SURFACE_FHIR) {
        add_outcome(rq, e, out);
        return "application/fhir+json";
    }
    if (surface == SURFACE_PAGE) {
        add_page(rq, e, out);
        return "text/html; charset=utf-8";
    }
    BUF_LIT(out, "{");
    if (surface == SURFACE_AUTH) {
        buf_printf(out, "\"error\":\"%s\"", oauth_word(e));
        /* RFC 6749 allows ASCII only here. */
        add_member(out, "error_description", view_of(err_info(e)->text[LANG_EN]));
        BUF_LIT(out, ",");
    }
    add_problem_members(rq, e, out);
    BUF_LIT(out, "}");
    return surface == SURFACE_AUTH ? "application/json" : "application/problem+json";
}

const char *
error_body(const struct request *rq, err e, enum surface surface, struct buf *out)
{
    const char *media = fill_body(rq, e, surface, out);
    keep_short(e, surface, out);
    return media;
}
