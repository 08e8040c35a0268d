#include "adapters/mydata/manifest.h"

#include "base/buf.h"
#include "base/xml.h"

#define PLACE "META-INFO/manifest.xml"

enum { AT_ROOT, AT_FILES, AT_FILE, AT_MEMBER };

struct reader {
    struct xml_parse parse; /* first: libxml2 hands it to the events */
    arena *mem;
    struct manifest *to;
    struct buf text;
    view *member;
    int depth; /* the elements open above */
};

static void
refuse(struct reader *r, const char *expected, const char *found)
{
    xml_refuse(&r->parse, E_PACKAGE_FORM, PLACE, expected, found);
}

static view *
member_of(struct manifest_row *row, const xmlChar *name)
{
    const struct {
        const char *name;
        view *to;
    } members[] = {{"filename", &row->filename},
                   {"resource_id", &row->resource_id},
                   {"resource_name", &row->resource_name},
                   {"code", &row->code},
                   {"digest", &row->digest}};
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (xml_is(name, members[i].name))
            return members[i].to;
    return NULL;
}

static void
on_file(struct reader *r)
{
    if (r->to->n == ARCHIVE_FILES_MAX)
        refuse(r, "at most 64 files", "more");
    else
        r->to->rows[r->to->n++] = (struct manifest_row){0};
}

static void
on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
         const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    struct reader *r = self;
    (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_attributes, (void)n_defaulted,
        (void)attributes;
    if (r->parse.failure)
        return;
    if (r->depth == AT_ROOT && xml_is(name, "files")) {
        r->depth = AT_FILES;
    } else if (r->depth == AT_FILES && xml_is(name, "file")) {
        r->depth = AT_FILE;
        on_file(r);
    } else if (r->depth == AT_FILE && (r->member = member_of(&r->to->rows[r->to->n - 1], name)) != NULL) {
        r->depth = AT_MEMBER;
        buf_clear(&r->text);
        if (r->member->p)
            refuse(r, "each member once", "one twice");
    } else {
        refuse(r, "files of file with filename, resource_id, resource_name, code, digest", "another element");
    }
}

static void
on_file_end(struct reader *r)
{
    const struct manifest_row *row = &r->to->rows[r->to->n - 1];
    if (!row->filename.n)
        refuse(r, "a filename", "none");
    for (size_t i = 0; i + 1 < r->to->n; i++)
        if (view_eq_nocase(r->to->rows[i].filename, row->filename))
            refuse(r, "each filename once", "one twice");
}

static void
on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = self;
    (void)name, (void)prefix, (void)uri;
    if (r->parse.failure)
        return;
    if (r->depth == AT_MEMBER) {
        *r->member = arena_dup(r->mem, r->text.n ? view_trim(buf_view(&r->text)) : V(""));
        if (r->text.failed || !r->member->p)
            xml_stop(&r->parse, E_TOO_LARGE);
    } else if (r->depth == AT_FILE) {
        on_file_end(r);
    }
    r->depth--;
}

static void
on_text(void *self, const xmlChar *text, int n)
{
    struct reader *r = self;
    view piece = view_make(text, (size_t)n);
    if (r->parse.failure)
        return;
    if (r->depth == AT_MEMBER)
        buf_add_view(&r->text, piece);
    else if (view_trim(piece).n)
        refuse(r, "text inside of members only", "text elsewhere");
}

err
manifest_read(view xml, arena *mem, struct manifest *ret, struct fault *f)
{
    static const struct xml_events events = {on_start, on_end, on_text};
    struct reader r = {.parse = {.source = xml, .f = f}, .mem = mem, .to = ret};
    ret->n = 0;
    if (xml.n > MANIFEST_BYTES_MAX)
        return fault_set(f, E_TOO_LARGE, PLACE, "at most 64 KiB", "more");
    TRY(xml_check_bytes(xml, f));
    buf_init(&r.text, MANIFEST_BYTES_MAX);
    err e = xml_parse_run(&r.parse, &events);
    buf_done(&r.text);
    TRY(e);
    return ret->n ? E_OK : fault_set(f, E_PACKAGE_FORM, PLACE, "file elements", "none");
}
