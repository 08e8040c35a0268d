#include "adapters/insurer/format.h"

#include "base/buf.h"
#include "base/decimal.h"
#include "base/text.h"

#include <iconv.h>
#include <stdio.h>

#define FILE_MAX ((size_t)16 << 20)

enum shape { FIXED, XML };
enum charset { UTF8, BIG5 };
enum align { LEFT, ZERO };
enum row_kind { ROW_FORMAT, ROW_RECORD, ROW_COLUMN };

/* The table as it stands, row after row. */
static const struct row {
    enum row_kind kind;
    const char *format, *tag, *name,
        *place; /* of a format: name is its root; of a record: place is its list */
    size_t width;
    int shape, charset; /* of a format; of a column shape is its alignment */
} rows[] = {
#define FORMAT(name, shape, charset, root) {ROW_FORMAT, name, "", root, "", 0, shape, charset},
#define RECORD(format, tag, list) {ROW_RECORD, format, tag, "", list, 0, 0, 0},
#define COLUMN(format, tag, name, place, width, align)                                                       \
    {ROW_COLUMN, format, tag, name, place, width, align, 0},
#include "adapters/insurer/format.def"
#undef FORMAT
#undef RECORD
#undef COLUMN
};

struct writing {
    const struct row *format;
    const struct tree *t;
    struct issues *issues;
    struct buf out;
    iconv_t to_big5; /* (iconv_t)-1 for UTF-8 */
};

static void
note(struct writing *w, const struct row *column, const char *expected, const char *found)
{
    char path[80];
    (void)snprintf(path, sizeof path, "%s.%s", column->tag, column->name);
    (void)issue_add(w->issues, ISSUE_WARNING, E_NO_FIT, view_of(path), view_of(expected), view_of(found));
}

/* One character in the file's set; false when it has none. */
static bool
encode_character(const struct writing *w, view c, char ret[8], size_t *ret_n)
{
    char *in = (char *)(uintptr_t)c.p, *out = ret;
    size_t left = c.n, room = 8;
    if (w->format->charset == UTF8) {
        memcpy(ret, c.p, c.n);
        *ret_n = c.n;
        return true;
    }
    if (iconv(w->to_big5, &in, &left, &out, &room) == (size_t)-1)
        return false;
    *ret_n = 8 - room;
    return true;
}

/* Text in the file's set into a column of width bytes: cut before the character that no longer fits, line ends as spaces. */
static size_t
write_text(struct writing *w, const struct row *column, view text)
{
    size_t written = 0;
    bool replaced = false;
    for (size_t at = 0; at < text.n;) {
        size_t from = at, n = 1;
        char bytes[8] = {'?'};
        uint32_t scalar = text_next_scalar(text, &at);
        if (scalar < 0x20)
            bytes[0] = ' ';
        else if (!encode_character(w, view_sub(text, from, at - from), bytes, &n)) {
            bytes[0] = '?';
            n = 1;
            replaced = true;
        }
        if (written + n > column->width) {
            note(w, column, "a value that fits the column", "a longer one, cut");
            break;
        }
        buf_add(&w->out, bytes, n);
        written += n;
    }
    if (replaced)
        note(w, column, "characters of code page 950", "another, replaced by ?");
    return written;
}

/* Whole numbers without sign or point, padded with zeros; what has a point or is too long is left zero and noted. */
static void
write_number(struct writing *w, const struct row *column, view text)
{
    decimal d = {0};
    bool good = !text.n || (decimal_parse(text, &d) == E_OK && decimal_is_whole(d) && d.units >= 0);
    view digits = good && text.n ? view_cut(&text, '.', NULL) : V("");
    if (digits.n > column->width)
        good = false;
    if (!good) {
        digits = V("");
        note(w, column, "a whole number that fits the column", "another value, left out");
    }
    for (size_t i = digits.n; i < column->width; i++)
        buf_add_byte(&w->out, '0');
    buf_add_view(&w->out, digits);
}

static void
write_fixed(struct writing *w, const struct row *column, view text)
{
    if (column->shape == ZERO) {
        write_number(w, column, text);
        return;
    }
    for (size_t n = write_text(w, column, text); n < column->width; n++)
        buf_add_byte(&w->out, ' ');
}

static void
write_xml(struct writing *w, const struct row *column, view text)
{
    if (!text.n)
        return;
    if (!text_is_xml(text)) {
        note(w, column, "characters that XML can carry", "another, left out");
        return;
    }
    buf_printf(&w->out, "<%s>", column->name);
    buf_add_xml(&w->out, text);
    buf_printf(&w->out, "</%s>", column->name);
}

/* Columns of a record follow its row. */
static void
write_record(struct writing *w, const struct row *record, const struct node *of)
{
    bool is_xml = w->format->shape == XML;
    buf_printf(&w->out, is_xml ? "<%s>" : "%s", record->tag);
    for (const struct row *c = record + 1; c < rows + COUNT_OF(rows) && c->kind == ROW_COLUMN; c++) {
        view text = node_text_at(w->t, of, c->place);
        if (is_xml)
            write_xml(w, c, text);
        else
            write_fixed(w, c, text);
    }
    if (is_xml)
        buf_printf(&w->out, "</%s>\n", record->tag);
    else
        BUF_LIT(&w->out, "\r\n");
}

static void
write_records(struct writing *w)
{
    for (const struct row *r = w->format + 1; r < rows + COUNT_OF(rows) && r->kind != ROW_FORMAT; r++) {
        if (r->kind != ROW_RECORD)
            continue;
        if (!*r->place)
            write_record(w, r, tree_root(w->t));
        for (NODE_EACH(item, w->t, *r->place ? node_at(w->t, tree_root(w->t), r->place) : NULL))
            write_record(w, r, item);
    }
}

static err
write_file(struct writing *w, arena *mem, struct format_file *ret)
{
    bool is_xml = w->format->shape == XML;
    buf_init(&w->out, FILE_MAX);
    if (is_xml)
        buf_printf(&w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s format=\"%s\">\n",
                   w->format->name, w->format->format);
    write_records(w);
    if (is_xml)
        buf_printf(&w->out, "</%s>\n", w->format->name);
    view bytes = w->out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&w->out));
    buf_done(&w->out);
    *ret = (struct format_file){bytes, is_xml ? "application/xml" : "text/plain",
                                w->format->charset == BIG5 ? "big5" : "utf-8"};
    return bytes.p ? E_OK : E_TOO_LARGE;
}

err
format_encode(view name, const struct tree *answer, arena *mem, struct issues *issues,
              struct format_file *ret, struct fault *f)
{
    struct writing w = {.t = answer, .issues = issues, .to_big5 = (iconv_t)-1};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].kind == ROW_FORMAT && view_eq(name, view_of(rows[i].format)))
            w.format = &rows[i];
    if (!w.format)
        return fault_set(f, E_NOT_FOUND, "format", "a format of the list", "another");
    if (w.format->charset == BIG5) {
        w.to_big5 = iconv_open("CP950", "UTF-8");
        if (w.to_big5 == (iconv_t)-1)
            return fault_set(f, E_INTERNAL, "format", "a system that knows code page 950", "another");
    }
    err e = write_file(&w, mem, ret);
    if (w.to_big5 != (iconv_t)-1)
        iconv_close(w.to_big5);
    return e;
}
