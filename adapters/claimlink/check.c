/* A paper against paper.def: one pass over the nodes in document order, so that the shape of a parent is always known before its members. */
#include "adapters/claimlink/inside.h"

#include "base/text.h"

struct checker {
    struct work *w;
    uint8_t *shapes;                   /* per node: of an object its shape, of a list its items' */
    const struct paper_field **fields; /* per node: of a list what it is; NULL = unknown */
};

static void
refuse(struct checker *k, err e, const struct node *n, const char *expected, const char *found)
{
    work_issue(k->w, ISSUE_ERROR, e, n, expected, found);
}

/* -- values -- */

static const struct {
    uint8_t nodes[2];
    const char *what;
} kinds[] = {
    [PAPER_TEXT] = {{NODE_STRING, NODE_STRING}, "text"},
    [PAPER_WORD] = {{NODE_STRING, NODE_STRING}, "text"},
    [PAPER_INT] = {{NODE_NUMBER, NODE_NUMBER}, "a whole number"},
    [PAPER_INTS] = {{NODE_ARRAY, NODE_ARRAY}, "a list of numbers"},
    [PAPER_DECIMAL] = {{NODE_STRING, NODE_STRING}, "a decimal as text"},
    [PAPER_AMOUNT] = {{NODE_STRING, NODE_STRING}, "an amount as text"},
    [PAPER_BOOL] = {{NODE_TRUE, NODE_FALSE}, "true or false"},
    [PAPER_DATE] = {{NODE_STRING, NODE_STRING}, "YYYY-MM-DD"},
    [PAPER_TIME] = {{NODE_STRING, NODE_STRING}, "YYYY-MM-DDThh:mm:ss+08:00"},
    [PAPER_ONE] = {{NODE_OBJECT, NODE_OBJECT}, "an object"},
    [PAPER_LIST] = {{NODE_ARRAY, NODE_ARRAY}, "a list"},
};

static bool
is_plain_text(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
            return false;
    }
    return true;
}

static bool
is_amount(view text)
{
    decimal d;
    return decimal_parse(text, &d) == E_OK && d.units >= 0 && d.scale <= 4 && text.n <= 17;
}

static bool
is_moment(const struct paper_field *f, view text)
{
    date d;
    instant t;
    if (f->kind == PAPER_DATE)
        return text.n == 10 && date_parse(text, &d) == E_OK;
    return text.n >= 20 && instant_parse(text, &t, NULL) == E_OK;
}

static bool
is_in(const struct paper_field *f, view text)
{
    int64_t n;
    return text_to_i64(text, &n) == E_OK && n >= f->least && n <= f->most;
}

static void
check_range(struct checker *k, const struct paper_field *f, const struct node *n, const char *what, bool fits)
{
    if (fits)
        return;
    view range = arena_printf(k->w->mem, "%s, %d to %d", what, (int)f->least, (int)f->most);
    refuse(k, E_VALUE, n, range.p ? range.p : "", "another");
}

static void
check_value(struct checker *k, const struct paper_field *f, const struct node *n)
{
    view text = node_text(k->w->t, n);
    size_t length = text_length(text);
    switch ((enum paper_kind)f->kind) {
    case PAPER_TEXT:
        check_range(k, f, n, "characters",
                    length >= (size_t)f->least && length <= (size_t)f->most && is_plain_text(text));
        return;
    case PAPER_WORD:
        if (!paper_word_known((enum paper_words)f->arg, text))
            refuse(k, E_CODE_REQUIRED, n, paper_words_of((enum paper_words)f->arg), "another word");
        return;
    case PAPER_INT:
        check_range(k, f, n, "a whole number", is_in(f, text));
        return;
    case PAPER_DECIMAL:
    case PAPER_AMOUNT:
        if (!is_amount(text))
            refuse(k, E_VALUE, n, "digits with at most four places", "another form");
        return;
    case PAPER_DATE:
    case PAPER_TIME:
        if (!is_moment(f, text))
            refuse(k, E_VALUE, n, kinds[f->kind].what, "another form");
        return;
    default:
        return;
    }
}

/* -- members -- */

static void
check_required(struct checker *k, enum paper_shape shape, const struct node *object)
{
    const struct paper_shape_row *row = paper_shape_of(shape);
    for (size_t i = 0; i < row->n; i++) {
        const struct paper_field *f = &row->fields[i];
        if (!f->required || node_member(k->w->t, object, f->name))
            continue;
        view path = node_path(k->w->t, object, k->w->mem);
        view place = arena_printf(k->w->mem, "%.*s.%.*s", VIEW_ARG(path), VIEW_ARG(f->name));
        struct issue *issue =
            issue_add(k->w->issues, ISSUE_ERROR, E_REQUIRED, place, view_of(f->text), V("nothing"));
        if (issue) {
            issue->from = (long)object->from;
            issue->length = (long)object->length;
            issue->pointer = node_pointer(k->w->t, object, k->w->mem);
        }
    }
}

/* Kept as it stands: nothing that was signed is lost. */
static err
keep_unknown(struct checker *k, const struct node *n)
{
    struct work *w = k->w;
    struct case_unmapped *u = case_add_unmapped(w->mem, w->c);
    view locator = node_pointer(w->t, n, w->mem);
    if (!u || !locator.p)
        return E_TOO_LARGE;
    leaf_set_text(&u->document, CASE_OWN_DOCUMENT, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->locator, locator, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->raw, node_raw(w->t, n), source_of_node(n, HOW_COPIED));
    work_issue(w, ISSUE_INFO, E_UNMAPPED, n, "a member of motor-filing-1", "another one; kept");
    return E_OK;
}

static void
check_object(struct checker *k, const struct node *n, uint32_t at, enum paper_shape shape)
{
    if (n->kind != NODE_OBJECT) {
        refuse(k, E_TYPE, n, "an object", "another type");
        return;
    }
    k->shapes[at] = (uint8_t)shape;
    check_required(k, shape, n);
}

static err
check_member(struct checker *k, const struct node *n, uint32_t at, enum paper_shape owner)
{
    const struct paper_field *f = paper_field_of(owner, node_name(k->w->t, n));
    if (!f)
        return keep_unknown(k, n);
    if (n->kind != kinds[f->kind].nodes[0] && n->kind != kinds[f->kind].nodes[1]) {
        refuse(k, E_TYPE, n, kinds[f->kind].what, "another type");
        return E_OK;
    }
    if (f->kind == PAPER_ONE)
        check_object(k, n, at, paper_field_shape(f));
    else if (n->kind != NODE_ARRAY)
        check_value(k, f, n);
    else
        check_range(k, f, n, "items",
                    node_count(n) >= (uint32_t)f->least && node_count(n) <= (uint32_t)f->most);
    if (n->kind == NODE_ARRAY)
        k->fields[at] = f;
    return E_OK;
}

static void
check_item(struct checker *k, const struct node *n, uint32_t at, const struct paper_field *f)
{
    int64_t i;
    if (f->kind == PAPER_LIST)
        check_object(k, n, at, paper_field_shape(f));
    else if (n->kind != NODE_NUMBER || text_to_i64(node_text(k->w->t, n), &i) != E_OK || i < 1)
        refuse(k, E_VALUE, n, "a number from 1", "another value");
}

err
work_check(struct work *w)
{
    const struct tree *t = w->t;
    struct checker k = {.w = w};
    k.shapes = arena_alloc(w->mem, t->n);
    k.fields = arena_array(w->mem, t->n, sizeof *k.fields);
    if (!k.shapes || !k.fields)
        return E_TOO_LARGE;
    memset(k.shapes, SHAPE_NONE, t->n);
    check_object(&k, w->root, 0, motor_part_shape(w->paper->part));
    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        const struct node *parent = &t->nodes[n->parent];
        if (parent->kind == NODE_OBJECT && k.shapes[n->parent] != SHAPE_NONE)
            TRY(check_member(&k, n, i, (enum paper_shape)k.shapes[n->parent]));
        else if (parent->kind == NODE_ARRAY && k.fields[n->parent])
            check_item(&k, n, i, k.fields[n->parent]);
    }
    return E_OK;
}
