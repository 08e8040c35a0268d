#include "adapters/case_codec.h"
#include "adapters/case_walk.h"

#include "base/text.h"

#define SOURCE_BYTES 12

struct reader {
    const struct tree *t;
    arena *mem;
    struct fault *f;
    view sources; /* empty: none were written */
    size_t leaves;
};

static err read_record(struct reader *r, const struct node *n, enum case_record record, void *base);

static err
refuse(struct reader *r, const struct node *n, const char *expected, const char *found)
{
    view where = node_pointer(r->t, n, r->mem);
    return fault_setf(r->f, E_SCHEMA, expected, found, "%.*s", VIEW_ARG(where));
}

static uint32_t
le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The source of the next leaf of the text. */
static struct source
next_source(struct reader *r)
{
    size_t at = r->leaves++ * SOURCE_BYTES;
    if (at + SOURCE_BYTES > r->sources.n)
        return (struct source){0};
    const unsigned char *p = (const unsigned char *)r->sources.p + at;
    return (struct source){
        .document = (uint16_t)(p[0] | p[1] << 8),
        .how = p[2] <= HOW_ASSERTED ? p[2] : HOW_NONE,
        .flags = p[3],
        .from = le32(p + 4),
        .length = le32(p + 8),
    };
}

static err
read_date(struct reader *r, const struct node *n, struct leaf_date *leaf)
{
    date day = {0};
    bool has_value = false;
    view raw = VIEW_NONE;
    if (n->kind != NODE_OBJECT)
        return refuse(r, n, "a date object", "another type");
    enum calendar calendar = CALENDAR_AD;
    for (NODE_EACH(m, r->t, n)) {
        view name = node_name(r->t, m), text = node_text(r->t, m);
        if (m->kind != NODE_STRING)
            return refuse(r, m, "text", "another type");
        if (view_eq(name, V("value"))) {
            if (date_parse(text, &day) != E_OK)
                return refuse(r, m, "YYYY, YYYY-MM or YYYY-MM-DD", "another form");
            has_value = true;
        } else if (view_eq(name, V("raw"))) {
            raw = text;
        } else if (view_eq(name, V("calendar"))) {
            calendar = view_eq(text, V("ROC")) ? CALENDAR_ROC : CALENDAR_AD;
        } else if (!view_eq(name, V("precision"))) {
            return refuse(r, m, "value, precision, raw or calendar", "an unknown member");
        }
    }
    if (!has_value)
        return refuse(r, n, "value", "no value");
    day.calendar = (uint8_t)calendar;
    leaf_set_date(leaf, day, raw, next_source(r));
    return E_OK;
}

static err
read_text(struct reader *r, const struct node *n, const struct case_field *f, struct leaf_text *leaf)
{
    if (n->kind != NODE_STRING)
        return refuse(r, n, "text", "another type");
    view text = node_text(r->t, n);
    if (f->kind == FIELD_WORD && !case_word_known((enum case_words)f->words, text))
        return refuse(r, n, "a word of the list", "another word");
    leaf_set_text(leaf, text.p ? text : V(""), next_source(r));
    return E_OK;
}

static err
read_leaf(struct reader *r, const struct node *n, const struct case_field *f, void *leaf)
{
    int64_t number;
    decimal amount;
    switch ((enum case_kind)f->kind) {
    case FIELD_BOOL:
        if (n->kind != NODE_TRUE && n->kind != NODE_FALSE)
            return refuse(r, n, "true or false", "another type");
        leaf_set_bool((struct leaf_bool *)leaf, n->kind == NODE_TRUE, next_source(r));
        return E_OK;
    case FIELD_INT:
        if (n->kind != NODE_NUMBER || text_to_i64(node_text(r->t, n), &number) != E_OK)
            return refuse(r, n, "a whole number", "another form");
        leaf_set_int((struct leaf_int *)leaf, number, next_source(r));
        return E_OK;
    case FIELD_DECIMAL:
        if (n->kind != NODE_STRING || decimal_parse(node_text(r->t, n), &amount) != E_OK)
            return refuse(r, n, "a decimal as text", "another form");
        leaf_set_decimal((struct leaf_decimal *)leaf, amount, next_source(r));
        return E_OK;
    case FIELD_TIME:
        if (n->kind != NODE_STRING ||
            leaf_parse_time((struct leaf_time *)leaf, node_text(r->t, n), (struct source){0}))
            return refuse(r, n, "a time (RFC 3339) or day", "another form");
        ((struct leaf_time *)leaf)->src = next_source(r);
        return E_OK;
    case FIELD_DATE:
        return read_date(r, n, (struct leaf_date *)leaf);
    default:
        return read_text(r, n, f, (struct leaf_text *)leaf);
    }
}

static err
read_items(struct reader *r, const struct node *n, const struct case_field *f, void *slot)
{
    for (NODE_EACH(m, r->t, n)) {
        struct case_item *item = (struct case_item *)case_append_value(r->mem, slot, sizeof *item);
        if (!item)
            return fault_set(r->f, E_TOO_LARGE, "", "a smaller case", "no room");
        TRY(read_text(r, m, f, &item->text));
    }
    return E_OK;
}

/* Lower-case letters and digits: an id is written without escapes and stands in pointers. */
static bool
is_id(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return text.n > 0;
}

/* The element's id is written first; ids of what is added later begin with it. */
static err
read_id(struct reader *r, const struct node *n, struct case_head *element)
{
    const struct node *id = node_first(r->t, n);
    bool named = id && view_eq(node_name(r->t, id), V("id")) && id->kind == NODE_STRING;
    if (!named || !is_id(node_text(r->t, id)))
        return refuse(r, n, "an id as first member", "no id");
    element->id = node_text(r->t, id);
    return E_OK;
}

static err
read_list(struct reader *r, const struct node *n, const struct case_field *f, void *slot)
{
    const struct case_row *row = case_row_of((enum case_record)f->record);
    for (NODE_EACH(m, r->t, n)) {
        struct case_head *e = (struct case_head *)case_append_value(r->mem, slot, row->size);
        if (!e)
            return fault_set(r->f, E_TOO_LARGE, "", "a smaller case", "no room");
        if (m->kind != NODE_OBJECT)
            return refuse(r, m, "an object", "another type");
        if (row->form == FORM_ELEMENT)
            TRY(read_id(r, m, e));
        TRY(read_record(r, m, (enum case_record)f->record, e));
    }
    return E_OK;
}

static err
read_field(struct reader *r, const struct node *n, const struct case_field *f, void *base)
{
    void *member = (char *)base + f->offset;
    enum case_kind kind = (enum case_kind)f->kind;
    bool is_list = kind == FIELD_TEXTS || kind == FIELD_REFS || kind == FIELD_PUTS || kind == FIELD_LIST;
    if (is_list && n->kind != NODE_ARRAY)
        return refuse(r, n, "an array", "another type");
    if ((kind == FIELD_PUT || kind == FIELD_ONE) && n->kind != NODE_OBJECT)
        return refuse(r, n, "an object", "another type");
    switch (kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
        return read_items(r, n, f, member);
    case FIELD_PUTS:
    case FIELD_LIST:
        return read_list(r, n, f, member);
    case FIELD_PUT:
        return read_record(r, n, (enum case_record)f->record, member);
    case FIELD_ONE: {
        size_t size = case_row_of((enum case_record)f->record)->size;
        void *object = case_make(r->mem, member, size, ((const struct case_head *)base)->id);
        if (!object)
            return fault_set(r->f, E_TOO_LARGE, "", "a smaller case", "no room");
        return read_record(r, n, (enum case_record)f->record, object);
    }
    default:
        return read_leaf(r, n, f, member);
    }
}

/* Members come in the table's order, so the search goes on from the last hit and rarely looks at more than
 * a few rows. */
static const struct case_field *
find_field(const struct case_row *row, view name, unsigned *cursor)
{
    for (unsigned k = 0; k < row->n; k++) {
        unsigned i = *cursor + k < row->n ? *cursor + k : *cursor + k - row->n;
        if (view_eq(case_field_name(&row->fields[i]), name)) {
            *cursor = i + 1 < row->n ? i + 1 : 0;
            return &row->fields[i];
        }
    }
    return NULL;
}

static err
read_record(struct reader *r, const struct node *n, enum case_record record, void *base)
{
    const struct case_row *row = case_row_of(record);
    unsigned cursor = 0;
    for (NODE_EACH(m, r->t, n)) {
        view name = node_name(r->t, m);
        if (row->form == FORM_ELEMENT && m == node_first(r->t, n))
            continue; /* the id */
        if (row->form == FORM_ROOT && view_eq(name, V("sources")))
            continue;
        const struct case_field *f = find_field(row, name, &cursor);
        if (!f)
            return refuse(r, m, "a member of the schema", "an unknown member");
        TRY(read_field(r, m, f, base));
    }
    return E_OK;
}

err
case_decode(const struct tree *t, const struct node *n, arena *mem, struct claim_case **ret, struct fault *f)
{
    struct reader r = {.t = t, .mem = mem, .f = f};
    if (!n || n->kind != NODE_OBJECT)
        return fault_set(f, E_SCHEMA, "", "an object", "another type");
    const struct node *sources = node_member(t, n, V("sources"));
    if (sources && text_base64url_decode(node_text(t, sources), mem, &r.sources) != E_OK)
        return refuse(&r, sources, "base64url", "another form");
    struct claim_case *c = case_new(mem);
    if (!c)
        return fault_set(f, E_TOO_LARGE, "", "a smaller case", "no room");
    TRY(read_record(&r, n, RECORD_case, c));
    if (sources && r.leaves * SOURCE_BYTES != r.sources.n)
        return refuse(&r, sources, "one source for each leaf", "another number");
    *ret = c;
    return E_OK;
}
