#include "adapters/case_codec.h"
#include "adapters/case_walk.h"

#include <inttypes.h>

struct writer {
    struct buf *out;
    struct buf *sources; /* NULL: not wanted */
    const struct case_filter *filter;
    bool bad_word;
};

static size_t write_record(struct writer *w, enum case_record record, const void *base,
                           enum case_group inherited);

static void
write_int(struct buf *out, int64_t n)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do
        text[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        text[--at] = '-';
    buf_add(out, text + at, sizeof text - at);
}

static void
write_quoted(struct buf *out, view plain)
{
    char text[64];
    if (plain.n + 2 <= sizeof text) {
        text[0] = '"';
        if (plain.n)
            memcpy(text + 1, plain.p, plain.n);
        text[plain.n + 1] = '"';
        buf_add(out, text, plain.n + 2);
        return;
    }
    buf_add_byte(out, '"');
    buf_add_view(out, plain);
    buf_add_byte(out, '"');
}

/* precision, calendar and raw are left out where they say nothing new. */
static void
write_date(struct buf *out, const struct leaf_date *leaf)
{
    char text[TIME_TEXT_SIZE];
    BUF_LIT(out, "{\"value\":");
    write_quoted(out, date_print(leaf->v, text));
    if (leaf->v.precision == DATE_MONTH)
        BUF_LIT(out, ",\"precision\":\"month\"");
    if (leaf->v.precision == DATE_YEAR)
        BUF_LIT(out, ",\"precision\":\"year\"");
    if (leaf->raw.n) {
        BUF_LIT(out, ",\"raw\":");
        buf_add_json(out, leaf->raw);
    }
    if (leaf->v.calendar == CALENDAR_ROC)
        BUF_LIT(out, ",\"calendar\":\"ROC\"");
    buf_add_byte(out, '}');
}

void
case_write_leaf(enum case_kind kind, const void *leaf, struct buf *out)
{
    char text[TIME_TEXT_SIZE];
    switch (kind) {
    case FIELD_BOOL:
        if (((const struct leaf_bool *)leaf)->v)
            BUF_LIT(out, "true");
        else
            BUF_LIT(out, "false");
        return;
    case FIELD_INT:
        write_int(out, ((const struct leaf_int *)leaf)->v);
        return;
    case FIELD_DECIMAL:
        write_quoted(out, decimal_print(((const struct leaf_decimal *)leaf)->v, text));
        return;
    case FIELD_DATE:
        write_date(out, (const struct leaf_date *)leaf);
        return;
    case FIELD_TIME:
        write_quoted(out, leaf_print_time((const struct leaf_time *)leaf, text));
        return;
    default:
        buf_add_json(out, ((const struct leaf_text *)leaf)->v);
        return;
    }
}

static void
write_source(struct buf *out, const struct source *s)
{
    const unsigned char bytes[12] = {
        (unsigned char)s->document,
        (unsigned char)(s->document >> 8),
        s->how,
        s->flags,
        (unsigned char)s->from,
        (unsigned char)(s->from >> 8),
        (unsigned char)(s->from >> 16),
        (unsigned char)(s->from >> 24),
        (unsigned char)s->length,
        (unsigned char)(s->length >> 8),
        (unsigned char)(s->length >> 16),
        (unsigned char)(s->length >> 24),
    };
    buf_add(out, bytes, sizeof bytes);
}

static void
write_separator(struct buf *out)
{
    char last = out->n ? out->p[out->n - 1] : '{';
    if (last != '{' && last != '[')
        buf_add_byte(out, ',');
}

/* In one piece: half of the encoder's time went into adding single bytes. */
static void
write_name(struct buf *out, const struct case_field *f)
{
    char text[CASE_NAME_MAX + 4];
    view name = case_field_name(f);
    size_t n = 0;
    char last = out->n ? out->p[out->n - 1] : '{';
    if (last != '{' && last != '[')
        text[n++] = ',';
    text[n++] = '"';
    memcpy(text + n, name.p, name.n);
    n += name.n;
    text[n++] = '"';
    text[n++] = ':';
    buf_add(out, text, n);
}

/* Back to an earlier length: what was written since then turned out to hold nothing. */
static void
cut(struct buf *b, size_t n)
{
    if (!b || b->failed || b->n == n)
        return;
    b->n = n;
    b->p[n] = 0;
}

static size_t
write_leaf(struct writer *w, const struct case_field *f, enum case_kind kind, const void *leaf,
           enum case_group group)
{
    if (f->kind == FIELD_WORD &&
        !case_word_known((enum case_words)f->words, ((const struct leaf_text *)leaf)->v))
        w->bad_word = true;
    case_write_leaf(kind, leaf, w->out);
    if (w->sources)
        write_source(w->sources, case_leaf_source(kind, leaf));
    return group != GROUP_follow;
}

static bool
may_leave(const struct writer *w, enum case_group group)
{
    return !w->filter || group == GROUP_follow || (w->filter->groups & CASE_GROUP_BIT(group));
}

static size_t
write_items(struct writer *w, const struct case_field *f, const struct case_list *list, enum case_group group)
{
    if (!list->first || !may_leave(w, group))
        return 0;
    size_t n = 0, mark = w->out->n;
    bool any = false;
    write_name(w->out, f);
    buf_add_byte(w->out, '[');
    for (const struct case_item *i = (const struct case_item *)list->first; i; i = i->next) {
        if (!i->text.v.p)
            continue;
        write_separator(w->out);
        n += write_leaf(w, f, FIELD_TEXT, &i->text, group);
        any = true;
    }
    if (any)
        buf_add_byte(w->out, ']');
    else
        cut(w->out, mark);
    return n;
}

/* An object that holds nothing is taken back, unless it stands for itself (an element of an unfiltered
 * case). */
static size_t
write_below(struct writer *w, enum case_record record, const void *base, enum case_group group,
            bool *ret_kept)
{
    size_t mark = w->out->n, source_mark = w->sources ? w->sources->n : 0;
    enum case_form form = case_row_of(record)->form;
    write_separator(w->out);
    buf_add_byte(w->out, '{');
    size_t opened = w->out->n;
    if (form == FORM_ELEMENT) {
        BUF_LIT(w->out, "\"id\":");
        write_quoted(w->out, ((const struct case_head *)base)->id);
    }
    size_t n = write_record(w, record, base, group);
    *ret_kept = w->filter && form != FORM_VALUE ? n > 0 : w->out->n > opened;
    if (!*ret_kept) {
        cut(w->out, mark);
        cut(w->sources, source_mark);
        return 0;
    }
    buf_add_byte(w->out, '}');
    return n;
}

static size_t
write_list(struct writer *w, const struct case_field *f, const struct case_list *list, enum case_group group)
{
    size_t mark = w->out->n, n = 0;
    bool any = false;
    if (!list->first)
        return 0;
    write_name(w->out, f);
    buf_add_byte(w->out, '[');
    for (const struct case_head *e = (const struct case_head *)list->first; e; e = e->next) {
        bool kept = false;
        if (f->kind == FIELD_LIST && w->filter && w->filter->element &&
            !w->filter->element(w->filter->self, (enum case_record)f->record, e))
            continue;
        n += write_below(w, (enum case_record)f->record, e, group, &kept);
        any = any || kept;
    }
    if (any)
        buf_add_byte(w->out, ']');
    else
        cut(w->out, mark);
    return n;
}

static size_t
write_object(struct writer *w, const struct case_field *f, const void *base, enum case_group group)
{
    size_t mark = w->out->n;
    bool kept = false;
    if (!base)
        return 0;
    write_name(w->out, f);
    /* write_separator sees the colon: the brace must not get a comma. */
    size_t named = w->out->n;
    struct buf *out = w->out;
    size_t source_mark = w->sources ? w->sources->n : 0;
    buf_add_byte(out, '{');
    size_t n = write_record(w, (enum case_record)f->record, base, group);
    kept = w->filter && f->kind == FIELD_ONE ? n > 0 : out->n > named + 1;
    if (!kept) {
        cut(out, mark);
        cut(w->sources, source_mark);
        return 0;
    }
    buf_add_byte(out, '}');
    return n;
}

static size_t
write_field(struct writer *w, const struct case_field *f, const void *member, enum case_group group)
{
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
        return write_items(w, f, (const struct case_list *)member, group);
    case FIELD_PUT:
        return may_leave(w, group) ? write_object(w, f, member, group) : 0;
    case FIELD_PUTS:
        return may_leave(w, group) ? write_list(w, f, (const struct case_list *)member, group) : 0;
    case FIELD_LIST:
        return write_list(w, f, (const struct case_list *)member, group);
    case FIELD_ONE:
        return write_object(w, f, *(const void *const *)member, group);
    default:
        if (!case_leaf_present((enum case_kind)f->kind, member) || !may_leave(w, group))
            return 0;
        write_name(w->out, f);
        return write_leaf(w, f, (enum case_kind)f->kind, member, group);
    }
}

static size_t
write_record(struct writer *w, enum case_record record, const void *base, enum case_group inherited)
{
    const struct case_row *row = case_row_of(record);
    size_t n = 0;
    for (unsigned i = 0; i < row->n && !w->out->failed; i++) {
        const struct case_field *f = &row->fields[i];
        enum case_group group = f->group == GROUP_inherit ? inherited : (enum case_group)f->group;
        n += write_field(w, f, case_member(base, f), group);
    }
    return n;
}

static err
finish(const struct writer *w)
{
    if (w->out->failed || (w->sources && w->sources->failed))
        return E_TOO_LARGE;
    return w->bad_word ? E_SCHEMA : E_OK;
}

err
case_encode(const struct claim_case *c, const struct case_filter *filter, bool with_sources, struct buf *out)
{
    struct buf sources AUTO_DONE(buf_done);
    buf_init(&sources, out->ceiling);
    struct writer w = {.out = out, .sources = with_sources ? &sources : NULL, .filter = filter};
    buf_add_byte(out, '{');
    (void)write_record(&w, RECORD_case, c, GROUP_inherit);
    if (with_sources) {
        write_separator(out);
        BUF_LIT(out, "\"sources\":\"");
        buf_add_base64url(out, buf_view(&sources));
        buf_add_byte(out, '"');
    }
    buf_add_byte(out, '}');
    return finish(&w);
}

err
case_encode_record(enum case_record record, const void *at, struct buf *out)
{
    struct writer w = {.out = out};
    buf_add_byte(out, '{');
    if (case_row_of(record)->form == FORM_ELEMENT) {
        BUF_LIT(out, "\"id\":");
        write_quoted(out, ((const struct case_head *)at)->id);
    }
    (void)write_record(&w, record, at, GROUP_inherit);
    buf_add_byte(out, '}');
    return finish(&w);
}

/* -- provenance -- */

const char *
source_how_word(enum source_how how)
{
    static const char *const words[] = {"none", "copied", "parsed", "mapped", "computed", "asserted"};
    return (unsigned)how < COUNT_OF(words) ? words[how] : words[0];
}

static const struct case_document *
document_at(const struct claim_case *c, uint32_t index)
{
    const struct case_document *d = c->documents;
    for (; d && index; d = d->next)
        index--;
    return d;
}

static err
print_place(void *self, const struct case_place *at)
{
    struct buf *out = (struct buf *)self;
    const struct source *s = at->src;
    if (s->how == HOW_NONE)
        return E_OK;
    write_separator(out);
    buf_add_byte(out, '"');
    case_place_print(at, out);
    BUF_LIT(out, "\":[{");
    const struct case_document *d = s->document == CASE_NO_DOCUMENT ? NULL : document_at(at->c, s->document);
    if (d) {
        BUF_LIT(out, "\"document\":\"#");
        buf_add_view(out, d->id);
        BUF_LIT(out, "\",\"range\":[");
        write_int(out, s->from);
        buf_add_byte(out, ',');
        write_int(out, s->length);
        BUF_LIT(out, "],");
    }
    BUF_LIT(out, "\"how\":\"");
    buf_add_view(out, view_of(source_how_word((enum source_how)s->how)));
    BUF_LIT(out, "\"}]");
    return out->failed ? E_TOO_LARGE : E_OK;
}

err
case_print_provenance(const struct claim_case *c, struct buf *out)
{
    struct case_visitor v = {.leaf = print_place, .self = out};
    buf_add_byte(out, '{');
    TRY(case_walk(c, &v));
    buf_add_byte(out, '}');
    return out->failed ? E_TOO_LARGE : E_OK;
}
