/* A record against record.def: one pass over the nodes, in document order, so that the shape of a parent is always known before its members. */
#include "adapters/police/inside.h"

#include "base/text.h"

struct checker {
    struct form *x;
    uint8_t *shapes;                    /* per node: of an object its shape; of a list its items' */
    const struct record_field **fields; /* per node: what it is, NULL = unknown */
};

static void
refuse(struct checker *k, err e, const struct node *n, const char *expected, const char *found)
{
    form_issue(k->x, ISSUE_ERROR, e, n, expected, found);
}

/* -- values -- */

static bool
is_scalar_kind(const struct record_field *f, const struct node *n)
{
    switch ((enum record_kind)f->kind) {
    case MEMBER_INT:
    case MEMBER_DECIMAL:
        return n->kind == NODE_NUMBER;
    case MEMBER_BOOL:
        return n->kind == NODE_TRUE || n->kind == NODE_FALSE;
    case MEMBER_TEXT:
    case MEMBER_TEXTS:
    case MEMBER_WORD:
    case MEMBER_DATE:
    case MEMBER_TIME:
        return n->kind == NODE_STRING;
    default:
        return n->kind == NODE_OBJECT;
    }
}

static const char *
kind_words(const struct record_field *f)
{
    switch ((enum record_kind)f->kind) {
    case MEMBER_INT:
        return "a whole number";
    case MEMBER_DECIMAL:
        return "a number";
    case MEMBER_BOOL:
        return "true or false";
    case MEMBER_CODE:
    case MEMBER_CODES:
    case MEMBER_ONE:
    case MEMBER_LIST:
        return "an object";
    default:
        return "text";
    }
}

static bool
in_range(const struct record_field *f, view text)
{
    int64_t n;
    decimal d;
    if (f->kind == MEMBER_INT)
        return text_to_i64(text, &n) == E_OK && n >= f->min && n <= f->max;
    return decimal_parse(text, &d) == E_OK && decimal_cmp(d, decimal_of(f->min)) >= 0 &&
           decimal_cmp(d, decimal_of(f->max)) <= 0;
}

/* A day, or a time with seconds and offset: half of a time would be another one for each reader. */
static bool
is_moment(const struct record_field *f, view text)
{
    date d;
    instant t;
    if (f->kind == MEMBER_DATE)
        return text.n == 10 && date_parse(text, &d) == E_OK;
    return text.n >= 20 && instant_parse(text, &t, NULL) == E_OK;
}

static void
check_value(struct checker *k, const struct record_field *f, const struct node *n)
{
    view text = node_text(k->x->t, n);
    switch ((enum record_kind)f->kind) {
    case MEMBER_TEXT:
    case MEMBER_TEXTS:
        if (!record_form_fits((enum record_form)f->arg, text))
            refuse(k, E_VALUE, n, record_form_of((enum record_form)f->arg)->what, "another form or length");
        return;
    case MEMBER_WORD:
        if (!record_word_known((enum record_words)f->arg, text))
            refuse(k, E_CODE_REQUIRED, n, record_words_of((enum record_words)f->arg), "another word");
        return;
    case MEMBER_INT:
    case MEMBER_DECIMAL:
        if (!in_range(f, text)) {
            view range = arena_printf(k->x->mem, "%s from %d to %d", kind_words(f), (int)f->min, (int)f->max);
            refuse(k, E_VALUE, n, range.p ? range.p : "", "another number");
        }
        return;
    case MEMBER_DATE:
    case MEMBER_TIME:
        if (!is_moment(f, text))
            refuse(k, E_VALUE, n, f->kind == MEMBER_DATE ? "YYYY-MM-DD" : "YYYY-MM-DDThh:mm:ss+08:00",
                   "another form");
        return;
    default:
        return;
    }
}

/* -- members -- */

static void
check_required(struct checker *k, enum record_shape shape, const struct node *object)
{
    const struct record_shape_row *row = record_shape_of(shape);
    for (size_t i = 0; i < row->n; i++) {
        const struct record_field *f = &row->fields[i];
        bool needed = f->need == NEED_ALWAYS || (f->need == NEED_UNLESS_INQUEST && !k->x->inquest);
        if (!needed || node_member(k->x->t, object, f->name))
            continue;
        view path = node_path(k->x->t, object, k->x->mem);
        view place = arena_printf(k->x->mem, "%.*s.%.*s", VIEW_ARG(path), VIEW_ARG(f->name));
        struct issue *issue =
            issue_add(k->x->issues, ISSUE_ERROR, E_REQUIRED, place, view_of(f->text), V("nothing"));
        if (issue) {
            issue->from = (long)object->from;
            issue->length = (long)object->length;
            issue->pointer = node_pointer(k->x->t, object, k->x->mem);
        }
    }
    if (shape == SHAPE_code && !node_has_children(object))
        refuse(k, E_REQUIRED, object, "major, minor or code", "nothing");
}

/* Kept as it stands (SCHEMA "unmapped"): nothing that was signed is lost. */
static err
keep_unknown(struct checker *k, const struct node *n)
{
    struct form *x = k->x;
    struct case_unmapped *u = case_add_unmapped(x->mem, x->c);
    view locator = node_pointer(x->t, n, x->mem);
    if (!u || !locator.p)
        return E_TOO_LARGE;
    leaf_set_text(&u->document, CASE_OWN_DOCUMENT, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->locator, locator, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->raw, node_raw(x->t, n), source_of_node(n, HOW_COPIED));
    form_issue(x, ISSUE_INFO, E_UNMAPPED, n, "a member of accident-record-1", "another one; kept");
    return E_OK;
}

/* An item of a list, or a member that is no list. */
static void
check_one(struct checker *k, const struct node *n, uint32_t at, const struct record_field *f)
{
    enum record_shape shape = record_field_shape(f);
    if (!is_scalar_kind(f, n)) {
        refuse(k, E_TYPE, n, kind_words(f), "another type");
        return;
    }
    k->fields[at] = f;
    k->shapes[at] = (uint8_t)shape;
    if (shape == SHAPE_NONE)
        check_value(k, f, n);
    else
        check_required(k, shape, n);
}

static err
check_member(struct checker *k, const struct node *n, uint32_t at, enum record_shape owner)
{
    const struct record_field *f = record_field_of(owner, node_name(k->x->t, n));
    if (!f)
        return keep_unknown(k, n);
    if (!record_field_is_list(f)) {
        check_one(k, n, at, f);
        return E_OK;
    }
    if (n->kind != NODE_ARRAY) {
        refuse(k, E_TYPE, n, "a list", "another type");
        return E_OK;
    }
    if (!node_has_children(n))
        refuse(k, E_REQUIRED, n, "at least one item", "none");
    k->fields[at] = f;
    return E_OK;
}

err
form_check(struct form *x)
{
    const struct tree *t = x->t;
    struct checker k = {.x = x};
    k.shapes = arena_alloc(x->mem, t->n);
    k.fields = arena_array(x->mem, t->n, sizeof *k.fields);
    if (!k.shapes || !k.fields)
        return E_TOO_LARGE;
    memset(k.shapes, SHAPE_NONE, t->n);
    k.shapes[0] = SHAPE_record;
    check_required(&k, SHAPE_record, x->root);
    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        const struct node *parent = &t->nodes[n->parent];
        if (parent->kind == NODE_OBJECT && k.shapes[n->parent] != SHAPE_NONE)
            TRY(check_member(&k, n, i, (enum record_shape)k.shapes[n->parent]));
        else if (parent->kind == NODE_ARRAY && k.fields[n->parent])
            check_one(&k, n, i, k.fields[n->parent]);
    }
    return E_OK;
}
