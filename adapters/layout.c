/* One pass over the nodes in document order, so that the shape of a parent is always known before its members. */
#include "adapters/layout.h"

#include "base/place.h"
#include "base/text.h"

struct checker {
    const struct layout_document *d;
    const struct layout *l;
    uint8_t *shapes;                    /* per node: of an object its shape, n_shapes = unknown */
    const struct layout_field **fields; /* per node: of a list what it is, NULL = unknown */
};

static const struct {
    uint8_t nodes[2];
    bool is_list;
    const char *what;
} kinds[] = {
    [LAYOUT_TEXT] = {{NODE_STRING, NODE_STRING}, false, "text"},
    [LAYOUT_TEXTS] = {{NODE_STRING, NODE_STRING}, true, "text"},
    [LAYOUT_WORD] = {{NODE_STRING, NODE_STRING}, false, "text"},
    [LAYOUT_INT] = {{NODE_NUMBER, NODE_NUMBER}, false, "a whole number"},
    [LAYOUT_INTS] = {{NODE_NUMBER, NODE_NUMBER}, true, "a whole number"},
    [LAYOUT_NUMBER] = {{NODE_NUMBER, NODE_NUMBER}, false, "a number"},
    [LAYOUT_AMOUNT] = {{NODE_STRING, NODE_STRING}, false, "a decimal as text"},
    [LAYOUT_BOOL] = {{NODE_TRUE, NODE_FALSE}, false, "true or false"},
    [LAYOUT_DATE] = {{NODE_STRING, NODE_STRING}, false, "YYYY-MM-DD"},
    [LAYOUT_TIME] = {{NODE_STRING, NODE_STRING}, false, "YYYY-MM-DDThh:mm:ss+08:00"},
    [LAYOUT_CODE] = {{NODE_OBJECT, NODE_OBJECT}, false, "an object"},
    [LAYOUT_CODES] = {{NODE_OBJECT, NODE_OBJECT}, true, "an object"},
    [LAYOUT_ONE] = {{NODE_OBJECT, NODE_OBJECT}, false, "an object"},
    [LAYOUT_LIST] = {{NODE_OBJECT, NODE_OBJECT}, true, "an object"},
};

/* -- the table -- */

const struct layout_field *
layout_field_of(const struct layout *l, size_t shape, view name)
{
    if (shape >= l->n_shapes)
        return NULL;
    for (size_t i = 0; i < l->shapes[shape].n; i++)
        if (view_eq(l->shapes[shape].fields[i].name, name))
            return &l->shapes[shape].fields[i];
    return NULL;
}

size_t
layout_shape_of(const struct layout *l, const struct layout_field *f)
{
    if (f->kind == LAYOUT_CODE || f->kind == LAYOUT_CODES)
        return l->code;
    return f->kind == LAYOUT_ONE || f->kind == LAYOUT_LIST ? f->arg : l->n_shapes;
}

bool
layout_is_list(const struct layout_field *f)
{
    return kinds[f->kind].is_list;
}

/* -- values -- */

static void
refuse(struct checker *k, err e, const struct node *n, const char *expected, const char *found)
{
    issue_at(k->d->issues, ISSUE_ERROR, e, k->d->tree, n, view_of(expected), view_of(found));
}

static void
refuse_range(struct checker *k, const struct layout_field *f, const struct node *n, const char *what)
{
    view range = arena_printf(k->d->mem, "%s from %d to %d", what, (int)f->least, (int)f->most);
    refuse(k, E_VALUE, n, range.p ? range.p : "", "another");
}

static bool
set_has(const char *set, char c)
{
    for (; *set; set++) {
        if (set[1] == '-' && set[2]) {
            if (c >= set[0] && c <= set[2])
                return true;
            set += 2;
        } else if (c == *set) {
            return true;
        }
    }
    return false;
}

static bool
is_written_in(const char *set, view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (*set ? !set_has(set, text.p[i]) : c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
            return false;
    }
    return true;
}

static void
check_text(struct checker *k, const struct layout_field *f, const struct node *n, view text)
{
    const struct layout_text *form = k->l->texts ? &k->l->texts[f->arg] : NULL;
    size_t length = text_length(text);
    size_t least = form ? form->least : (size_t)f->least, most = form ? form->most : (size_t)f->most;
    if (length >= least && length <= most && is_written_in(form ? form->set : "", text))
        return;
    if (form)
        refuse(k, E_VALUE, n, form->what, "another form or length");
    else
        refuse_range(k, f, n, "a text of characters");
}

static bool
is_whole(view text, int64_t least, int64_t most)
{
    int64_t n;
    return text_to_i64(text, &n) == E_OK && n >= least && n <= most;
}

static bool
is_between(view text, int64_t least, int64_t most)
{
    decimal d;
    return decimal_parse(text, &d) == E_OK && decimal_cmp(d, decimal_of(least)) >= 0 &&
           decimal_cmp(d, decimal_of(most)) <= 0;
}

static bool
is_amount(view text)
{
    decimal d;
    return decimal_parse(text, &d) == E_OK && d.units >= 0 && d.scale <= 4 && text.n <= 17;
}

/* A day, or a time with seconds and offset: half of a time would be another one for each reader. */
static bool
is_moment(const struct layout_field *f, view text)
{
    date d;
    instant t;
    if (f->kind == LAYOUT_DATE)
        return text.n == 10 && date_parse(text, &d) == E_OK;
    return text.n >= 20 && instant_parse(text, &t, NULL) == E_OK;
}

static void
check_value(struct checker *k, const struct layout_field *f, const struct node *n)
{
    view text = node_text(k->d->tree, n);
    switch ((enum layout_kind)f->kind) {
    case LAYOUT_TEXT:
    case LAYOUT_TEXTS:
        check_text(k, f, n, text);
        return;
    case LAYOUT_WORD:
        if (!text_is_one_of(text, k->l->words[f->arg]))
            refuse(k, E_CODE_REQUIRED, n, k->l->words[f->arg], "another word");
        return;
    case LAYOUT_INT:
        if (!is_whole(text, f->least, f->most))
            refuse_range(k, f, n, kinds[f->kind].what);
        return;
    case LAYOUT_INTS:
        if (!is_whole(text, 1, INT64_MAX))
            refuse(k, E_VALUE, n, "a number from 1", "another");
        return;
    case LAYOUT_NUMBER:
        if (!is_between(text, f->least, f->most))
            refuse_range(k, f, n, kinds[f->kind].what);
        return;
    case LAYOUT_AMOUNT:
        if (!is_amount(text))
            refuse(k, E_VALUE, n, "digits with at most four places", "another form");
        return;
    case LAYOUT_DATE:
    case LAYOUT_TIME:
        if (!is_moment(f, text))
            refuse(k, E_VALUE, n, kinds[f->kind].what, "another form");
        return;
    default:
        return;
    }
}

/* -- members -- */

static void
check_object(struct checker *k, const struct node *n, uint32_t at, size_t shape)
{
    const struct layout_document *d = k->d;
    const struct layout_shape *row = &k->l->shapes[shape];
    k->shapes[at] = (uint8_t)shape;
    if (shape == k->l->code && !node_has_children(n))
        refuse(k, E_REQUIRED, n, "at least one member", "nothing");
    for (size_t i = 0; i < row->n; i++) {
        const struct layout_field *f = &row->fields[i];
        if (f->need < d->asks || node_member(d->tree, n, f->name))
            continue;
        view path = node_path(d->tree, n, d->mem);
        view place = arena_printf(d->mem, "%.*s.%.*s", VIEW_ARG(path), VIEW_ARG(f->name));
        struct issue *issue =
            issue_add(d->issues, ISSUE_ERROR, E_REQUIRED, place, view_of(f->text), V("nothing"));
        if (issue)
            issue_set_place(issue, d->tree, n, d->mem);
    }
}

/* Kept as it stands: nothing that was signed is lost. */
static err
keep_unknown(struct checker *k, const struct node *n)
{
    const struct layout_document *d = k->d;
    struct case_unmapped *u = case_add_unmapped(d->mem, d->facts);
    view locator = node_pointer(d->tree, n, d->mem);
    view expected = arena_printf(d->mem, "a member of %s", k->l->name);
    if (!u || !locator.p || !expected.p)
        return E_TOO_LARGE;
    leaf_set_text(&u->document, CASE_OWN_DOCUMENT, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->locator, locator, source_of_node(n, HOW_COMPUTED));
    leaf_set_text(&u->raw, node_raw(d->tree, n), source_of_node(n, HOW_COPIED));
    issue_at(d->issues, ISSUE_INFO, E_UNMAPPED, d->tree, n, expected, V("another one; kept"));
    return E_OK;
}

/* An item of a list, or a member that is no list. */
static void
check_one(struct checker *k, const struct node *n, uint32_t at, const struct layout_field *f)
{
    size_t shape = layout_shape_of(k->l, f);
    if (n->kind != kinds[f->kind].nodes[0] && n->kind != kinds[f->kind].nodes[1])
        refuse(k, E_TYPE, n, kinds[f->kind].what, "another type");
    else if (shape < k->l->n_shapes)
        check_object(k, n, at, shape);
    else
        check_value(k, f, n);
}

static err
check_member(struct checker *k, const struct node *n, uint32_t at, size_t owner)
{
    const struct layout_field *f = layout_field_of(k->l, owner, node_name(k->d->tree, n));
    if (!f)
        return keep_unknown(k, n);
    if (!layout_is_list(f)) {
        check_one(k, n, at, f);
        return E_OK;
    }
    if (n->kind != NODE_ARRAY) {
        refuse(k, E_TYPE, n, "a list", "another type");
        return E_OK;
    }
    k->fields[at] = f;
    if (!node_has_children(n))
        refuse(k, E_REQUIRED, n, "at least one item", "none");
    else if (f->most > 0 && node_count(n) > (uint32_t)f->most)
        refuse_range(k, f, n, "items");
    return E_OK;
}

err
layout_check(const struct layout_document *d, size_t root)
{
    const struct tree *t = d->tree;
    struct checker k = {.d = d, .l = d->layout};
    k.shapes = arena_alloc(d->mem, t->n);
    k.fields = arena_array(d->mem, t->n, sizeof *k.fields);
    if (!k.shapes || !k.fields)
        return E_TOO_LARGE;
    memset(k.shapes, (int)k.l->n_shapes, t->n);
    check_object(&k, tree_root(t), 0, root);
    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        const struct node *parent = &t->nodes[n->parent];
        if (parent->kind == NODE_OBJECT && k.shapes[n->parent] < k.l->n_shapes)
            TRY(check_member(&k, n, i, k.shapes[n->parent]));
        else if (parent->kind == NODE_ARRAY && k.fields[n->parent])
            check_one(&k, n, i, k.fields[n->parent]);
    }
    return E_OK;
}
