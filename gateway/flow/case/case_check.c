#include "flow/case/case_check.h"

#include "adapters/invariants.h"
#include "base/buf.h"
#include "flow/case/case.h"

#define CASE_MEMORY ((size_t)256 << 20)
#define PAGE_BYTES ((size_t)64 << 20)

static void
print_member(struct buf *out, const char *name, view value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_add_json(out, value);
}

static void
print_finding(struct buf *out, const struct case_finding *f)
{
    BUF_LIT(out, "{\"code\":");
    buf_add_json(out, f->code.v);
    print_member(out, "severity", f->severity.v);
    print_member(out, "rule", f->rule->id.v);
    print_member(out, "pointer", f->pointer.v);
    if (f->expected.v.n)
        print_member(out, "expected", f->expected.v);
    if (f->found.v.n)
        print_member(out, "found", f->found.v);
    BUF_LIT(out, ",\"text\":{\"zh\":");
    buf_add_json(out, f->text.zh.v);
    print_member(out, "en", f->text.en.v);
    BUF_LIT(out, "}}");
}

static err
check(struct gateway *g, struct reader *r, uid id, arena *mem, struct claim_case **ret, struct fault *f)
{
    struct loaded_case c;
    TRY(case_load(g, r, id, mem, &c, f));
    TRY(case_check(c.folded, mem, NULL));
    *ret = c.folded;
    return E_OK;
}

static void
print_case(struct buf *out, uid id, const struct claim_case *c)
{
    char text[ID_TEXT_SIZE];
    buf_printf(out, "{\"case\":\"%.*s\",\"findings\":[", VIEW_ARG(case_id_print((case_id){id}, text)));
    for (const struct case_finding *i = c->findings; i; i = i->next) {
        if (i != c->findings)
            BUF_LIT(out, ",");
        print_finding(out, i);
    }
    BUF_LIT(out, "]}");
}

err
case_check_one(struct gateway *g, case_id id, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct claim_case *c = NULL;
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, PAGE_BYTES);
    TRY(store_reader(g->store, &r));
    TRY(check(g, r, id.u, mem, &c, f));
    print_case(&out, id.u, c);
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* A reader of its own for each case: none holds the log back for the length of a page. */
static void
check_into(struct gateway *g, uid id, struct buf *out, size_t *n)
{
    AUTO(arena_free) arena *mem = arena_new(CASE_MEMORY);
    AUTO(reader_done) struct reader *r = NULL;
    struct claim_case *c = NULL;
    struct fault f;
    char text[ID_TEXT_SIZE];
    fault_init(&f);
    err e = store_reader(g->store, &r);
    if (e == E_OK)
        e = check(g, r, id, mem, &c, &f);
    if (e == E_OK && !c->findings)
        return;
    if ((*n)++)
        BUF_LIT(out, ",");
    if (e == E_OK)
        print_case(out, id, c);
    else
        buf_printf(out, "{\"case\":\"%.*s\",\"error\":\"%s\"}", VIEW_ARG(case_id_print((case_id){id}, text)),
                   err_info(e)->code);
}

static err
page_of(struct gateway *g, view before, arena *mem, struct row_case **ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    case_id from;
    memset(from.u.b, 0xFF, sizeof from.u.b);
    if (before.n && case_id_parse(before, &from) != E_OK)
        return fault_set(f, E_PARAMETER, "before", "case-…", "another form");
    TRY(store_reader(g->store, &r));
    return query_cases_recent(r, ARGS(val_uid(&from.u), val_int(CASE_CHECK_PAGE)), mem, ret);
}

err
case_check_page(struct gateway *g, view before, arena *mem, view *ret_json, struct fault *f)
{
    struct row_case *list = NULL;
    struct buf out AUTO_DONE(buf_done);
    size_t checked = 0, shown = 0, seen = 0;
    uid last = {{0}};
    char id[ID_TEXT_SIZE];
    TRY(page_of(g, before, mem, &list, f));
    buf_init(&out, PAGE_BYTES);
    BUF_LIT(&out, "{\"data\":[");
    for (; list; list = list->next) {
        seen++;
        last = list->id;
        if (!uid_is_none(list->merged_into)) /* it stands under the one that survived */
            continue;
        check_into(g, list->id, &out, &shown);
        checked++;
    }
    buf_printf(&out, "],\"checked\":%zu", checked);
    if (seen == CASE_CHECK_PAGE)
        buf_printf(&out, ",\"next\":\"%.*s\"", VIEW_ARG(case_id_print((case_id){last}, id)));
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
