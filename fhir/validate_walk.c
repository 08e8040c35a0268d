#include "fhir/judge.h"
#include "fhir/tree_walk.h"
#include "fhir/value.h"

/* One walk over the tree against the shapes of base R4, with a stack as deep as a tree may be. */

enum frame_kind { FRAME_OBJECT, FRAME_ARRAY, FRAME_COMPANIONS };

struct frame {
    uint8_t kind;   /* enum frame_kind */
    bool has_value; /* object beside a primitive value: it may be almost empty */
    bool in_bundle; /* references are followed inside the root bundle */
    bool has_links; /* of a resource: a narrative links to places in it */
    uint16_t shape;
    const struct node *node, *next;
    const struct node *resource;
    const struct node *companion;     /* of an array: the item of _name beside next */
    const struct shape_row *row;      /* by which it was reached; NULL for a resource */
    const struct shape_row *last_row; /* of an object: for the order in XML */
    uint64_t seen;
};

struct walk {
    struct judge *j;
    struct frame frames[TREE_DEPTH_MAX + 1];
    uint32_t depth;
};

static void
say_missing(struct walk *w, const struct frame *top)
{
    uint32_t n;
    const struct shape_row *rows = shape_rows(top->shape, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].min == 0 || (top->seen & shape_bit(&rows[i])))
            continue;
        view expected = judge_print(w->j, "%.*s%s", VIEW_ARG(row_name(&rows[i])),
                                    rows[i].kind == ROW_CHOICE ? "[x]" : "");
        judge_say(w->j, ISSUE_ERROR, E_REQUIRED, top->node, expected, V(""));
    }
}

/* What the base says of an element: of its type, and of the place where it stands. */
static void
judge_base_constraints(struct walk *w, const struct frame *top)
{
    struct judge *j = w->j;
    const struct spot at = {top->node, NULL, top->resource, top->shape};
    if (top->shape < j->base->n_shapes && j->base->shapes[top->shape].n > 0)
        judge_constraints(j, &at, j->base, j->base->shapes[top->shape]);
    if (top->row && j->base->rows[shape_row_number(top->row)].constraints.n > 0)
        judge_constraints(j, &at, j->base, j->base->rows[shape_row_number(top->row)].constraints);
}

/* dom-3: nobody refers to a contained resource, nor does it refer to its container. */
static void
say_unreferred(struct walk *w, const struct frame *top)
{
    uint32_t unused;
    for (NODE_EACH(item, w->j->tree, node_member(w->j->tree, top->node, V("contained"))))
        if (!hash_table_find(&w->j->referred, hash_number(0, node_index(w->j->tree, item)), &unused))
            judge_say(w->j, ISSUE_ERROR, E_INVARIANT, item,
                      V("dom-3: each contained resource is referred to"), V("no reference to it"));
}

/* The frames below are those of the array and of the owner. */
static void
close_extension(struct walk *w, const struct frame *top)
{
    const struct frame *below = w->depth > 1 ? &w->frames[w->depth - 2] : top;
    struct owner owner = {
        .node = below->node, .shape = below->shape, .row = below->row, .resource = top->resource};
    judge_extension(w->j, top->node, &owner);
}

static void
close_resource(struct walk *w, const struct frame *top)
{
    if (bundle_container(w->j->tree, top->node) == top->node)
        say_unreferred(w, top);
    if (top->has_links)
        judge_anchors(w->j, top->node);
    if (judge_is_check(w->j))
        judge_definition(w->j, top->node, top->shape);
}

static void
close_entry(struct walk *w, const struct frame *top)
{
    judge_full_url(w->j, top->node);
    if (top->in_bundle)
        judge_jobs(w->j);
}

static void
close_object(struct walk *w, const struct frame *top)
{
    struct judge *j = w->j;
    if ((top->seen & shape_required(top->shape)) != shape_required(top->shape))
        say_missing(w, top);
    if (j->base)
        judge_base_constraints(w, top);
    if (!top->has_value && node_count(top->node) == 1 && top->shape != SHAPE_NONE &&
        top->node != top->resource && view_eq(node_name(j->tree, node_first(j->tree, top->node)), V("id")))
        judge_say(j, ISSUE_ERROR, E_INVARIANT, top->node, V("ele-1: a value or children"), V("an id alone"));
    if (top->shape == SHAPE_Bundle)
        judge_links(j, top->node);
    if (top->shape == SHAPE_Coding && j->set)
        judge_coding(j, top->node);
    else if (top->shape == SHAPE_Reference)
        judge_reference(j, top->node, top->resource, top->in_bundle);
    else if (top->shape == SHAPE_Bundle_entry)
        close_entry(w, top);
    else if (top->shape == SHAPE_Extension)
        close_extension(w, top);
    else if (shape_is_resource(top->shape))
        close_resource(w, top);
}

static struct frame *
push(struct walk *w, struct frame frame)
{
    if (w->depth == COUNT_OF(w->frames))
        return NULL; /* no reader makes such a tree */
    w->frames[w->depth] = frame;
    return &w->frames[w->depth++];
}

static bool
is_base_type(view canonical)
{
    view rest = view_sub(canonical, sizeof CORE_URL - 1, canonical.n);
    return view_starts(canonical, V(CORE_URL)) && shape_of_type(view_cut(&rest, '|', NULL)) != SHAPE_NONE;
}

static void
find_profiles(struct walk *w, const struct node *resource)
{
    struct judge *j = w->j;
    const struct node *meta = node_member(j->tree, resource, V("meta"));
    const struct node *list = meta ? node_member(j->tree, meta, V("profile")) : NULL;
    for (ITEM_EACH(item, j->tree, list)) {
        view canonical = node_text(j->tree, item);
        struct pack_item p = judge_find(j, PACK_IS_PROFILE, canonical);
        if (p.pack)
            judge_add_job(j, resource, resource, p);
        else if (!is_base_type(canonical) && judge_first(j, 1, canonical))
            judge_say(j, judge_severity(j, WEIGHT_PROFILE_NOT_LOADED), E_PROFILE_NOT_LOADED, item,
                      V("a profile that is loaded"), judge_code(j, VIEW_NONE, canonical));
    }
}

/* What loaded guides ask of every resource of a type; a submission follows the profiles of its route alone. */
static void
find_globals(struct walk *w, const struct node *resource, uint16_t shape)
{
    struct judge *j = w->j;
    for (uint32_t i = 0; j->set && judge_is_check(j) && i < j->set->n_packs; i++) {
        const struct pack *p = &j->set->packs[i];
        for (uint32_t k = 0; k < p->n_globals; k++)
            if (p->globals[k].shape == shape && p->link_to[p->globals[k].profile].pack)
                judge_add_job(j, resource, resource, p->link_to[p->globals[k].profile]);
    }
}

static void
push_resource(struct walk *w, const struct frame *top, const struct node *n)
{
    struct judge *j = w->j;
    view type = node_text(j->tree, node_member(j->tree, n, V("resourceType")));
    uint16_t shape = shape_of_resource(type);
    if (n->kind != NODE_OBJECT || shape == SHAPE_NONE) {
        judge_say(j, ISSUE_ERROR, n->kind == NODE_OBJECT ? E_RESOURCE_TYPE : E_TYPE, n,
                  V("a resource type of R4 in resourceType"),
                  n->kind == NODE_OBJECT ? V("another") : value_kind_name(n->kind));
        return;
    }
    /* A Bundle inside a Bundle is a world of its own; references are followed in the outer one only. */
    bool in_bundle = top ? top->in_bundle && shape != SHAPE_Bundle : j->is_bundle;
    struct frame frame = {.kind = FRAME_OBJECT,
                          .shape = shape,
                          .node = n,
                          .next = node_first(j->tree, n),
                          .resource = n,
                          .in_bundle = in_bundle};
    if (push(w, frame)) {
        find_profiles(w, n);
        find_globals(w, n, shape);
    }
}

/* What the base says of a value beyond its shape. */
static void
judge_row(struct judge *j, const struct node *n, const struct node *resource, const struct shape_row *row)
{
    if (row->codes)
        judge_concept(j, n, row->codes);
    const struct pack_row *extra = j->base ? &j->base->rows[shape_row_number(row)] : NULL;
    if (!extra || !extra->says)
        return;
    if (extra->binding != PACK_NONE)
        judge_binding(j, n, j->base, extra->binding, 0, extra->flags & RULE_REQUIRED);
    if (extra->targets.n > 0 && row->type == SHAPE_Reference)
        judge_targets(j, n, resource, j->base, extra->targets);
    if (extra->profile != PACK_NONE && n->kind == NODE_OBJECT) {
        struct pack_item p = j->base->link_to[extra->profile];
        if (p.pack)
            judge_add_job(j, n, resource, p);
    }
    if (extra->constraints.n > 0 && n->kind != NODE_OBJECT) {
        const struct spot at = {n, NULL, resource, row->type};
        judge_constraints(j, &at, j->base, extra->constraints);
    }
}

static void
push_object(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    struct judge *j = w->j;
    if (n->kind != NODE_OBJECT) {
        judge_say(j, ISSUE_ERROR, E_TYPE, n, V("an object"), value_kind_name(n->kind));
        return;
    }
    if (!node_has_children(n)) {
        judge_say(j, ISSUE_ERROR, E_INVARIANT, n, V("ele-1: a value or children"), V("an empty element"));
        return;
    }
    judge_row(j, n, top->resource, row);
    push(w, (struct frame){.kind = FRAME_OBJECT,
                           .shape = row->type,
                           .node = n,
                           .next = node_first(j->tree, n),
                           .row = row,
                           .resource = top->resource,
                           .in_bundle = top->in_bundle});
}

/* The frame of the resource that holds an element knows what to look for when it ends. */
static void
check_narrative(struct walk *w, const struct frame *top, const struct node *n)
{
    if (!judge_narrative(w->j, n))
        return;
    for (uint32_t i = w->depth; i-- > 0;)
        if (w->frames[i].node == top->resource)
            w->frames[i].has_links = true;
}

static void
check_text(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    struct judge *j = w->j;
    view text = node_text(j->tree, n);
    judge_row(j, n, top->resource, row);
    if (row->type == SHAPE_attribute) {
        uint64_t hash = hash_view(hash_number(0, node_index(j->tree, top->resource)), text);
        if (hash_table_add(&j->element_ids, hash, 0, NULL) == E_DUPLICATE)
            judge_say(j, ISSUE_ERROR, E_INVARIANT, n, V("each element id once in a resource"),
                      V("an id again"));
    }
    /* canonical and uri may point to what is contained. */
    if (shape_form(row->type) == FORM_URI && text.p[0] == '#') {
        const struct node *to = bundle_resolve(j->bundle, top->resource, text);
        if (to &&
            hash_table_add(&j->referred, hash_number(0, node_index(j->tree, to)), 0, NULL) == E_TOO_LARGE)
            j->full = true;
    }
    if (shape_form(row->type) == FORM_XHTML)
        check_narrative(w, top, n);
    if (j->options->no_markup && row->type == SHAPE_string && value_holds_markup(text))
        judge_say(j, ISSUE_ERROR, E_VALUE, n, V("a text without markup"), V("what looks like an HTML tag"));
}

static void
check_value(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    enum value_form form = shape_form(row->type);
    switch (value_check(form, w->j->tree, n)) {
    case VALUE_OK:
        check_text(w, top, n, row);
        return;
    case VALUE_WRONG_KIND:
        judge_say(w->j, ISSUE_ERROR, E_TYPE, n, value_kind_name((uint8_t)value_kind(form)),
                  value_kind_name(n->kind));
        return;
    case VALUE_WRONG_FORM:
        judge_say(w->j, ISSUE_ERROR, E_VALUE, n, value_expected(form), V("another form"));
        return;
    }
}

static void
check_single(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    if (shape_form(row->type) != FORM_NONE)
        check_value(w, top, n, row);
    else if (row->type == SHAPE_Resource)
        push_resource(w, top, n);
    else
        push_object(w, top, n, row);
}

/* An item of an array of primitives may be null where _name has an object. */
static void
check_item(struct walk *w, struct frame *top, const struct node *n)
{
    const struct node *companion = top->companion;
    top->companion = companion ? node_next(w->j->tree, companion) : NULL;
    if (n->kind == NODE_NULL && companion && companion->kind == NODE_OBJECT)
        return;
    check_single(w, top, n, top->row);
}

static void
push_companion(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row,
               bool has_value)
{
    struct judge *j = w->j;
    if (n->kind == NODE_NULL)
        return;
    if (n->kind != NODE_OBJECT || !node_has_children(n)) {
        judge_say(j, ISSUE_ERROR, n->kind == NODE_OBJECT ? E_INVARIANT : E_TYPE, n,
                  V("an object with id or extension"), value_kind_name(n->kind));
        return;
    }
    push(w, (struct frame){.kind = FRAME_OBJECT,
                           .shape = SHAPE_Element,
                           .node = n,
                           .next = node_first(j->tree, n),
                           .row = row,
                           .resource = top->resource,
                           .in_bundle = top->in_bundle,
                           .has_value = has_value});
}

static const struct node *
find_companion(const struct walk *w, const struct frame *top, view name)
{
    for (NODE_EACH(n, w->j->tree, top->node)) {
        view found = node_name(w->j->tree, n);
        if (found.n == name.n + 1 && found.p[0] == '_' && memcmp(found.p + 1, name.p, name.n) == 0)
            return n;
    }
    return NULL;
}

static void
push_array(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    struct judge *j = w->j;
    if (n->kind != NODE_ARRAY || !node_has_children(n)) {
        judge_say(j, ISSUE_ERROR, n->kind == NODE_ARRAY ? E_VALUE : E_TYPE, n, V("an array with items"),
                  n->kind == NODE_ARRAY ? V("an empty array") : value_kind_name(n->kind));
        return;
    }
    const struct node *companion =
        shape_form(row->type) != FORM_NONE ? find_companion(w, top, row_name(row)) : NULL;
    if (companion && companion->kind == NODE_ARRAY && node_count(companion) != node_count(n))
        judge_say(j, ISSUE_ERROR, E_CARDINALITY, companion, V("as many items as the values"),
                  V("another number"));
    push(w, (struct frame){.kind = FRAME_ARRAY,
                           .node = n,
                           .next = node_first(j->tree, n),
                           .row = row,
                           .shape = SHAPE_NONE,
                           .resource = top->resource,
                           .in_bundle = top->in_bundle,
                           .companion = node_first(j->tree, companion)});
}

/* _name */
static void
check_companion(struct walk *w, const struct frame *top, const struct node *n, const struct shape_row *row)
{
    struct judge *j = w->j;
    if (!row->many) {
        push_companion(w, top, n, row, node_member(j->tree, top->node, row_name(row)) != NULL);
        return;
    }
    if (n->kind != NODE_ARRAY || !node_has_children(n)) {
        judge_say(j, ISSUE_ERROR, E_TYPE, n, V("an array with items"), value_kind_name(n->kind));
        return;
    }
    const struct node *values = node_member(j->tree, top->node, row_name(row));
    push(w, (struct frame){.kind = FRAME_COMPANIONS,
                           .node = n,
                           .next = node_first(j->tree, n),
                           .row = row,
                           .shape = SHAPE_NONE,
                           .resource = top->resource,
                           .in_bundle = top->in_bundle,
                           .companion = node_first(j->tree, values)});
}

/* Two options of one choice; name and _name are one. */
static bool
has_other_option(const struct walk *w, const struct frame *top, const struct shape_row *row)
{
    for (NODE_EACH(n, w->j->tree, top->node)) {
        view name = node_name(w->j->tree, n);
        if (view_starts(name, V("_")))
            name = view_sub(name, 1, name.n);
        const struct shape_row *other = shape_find(top->shape, name);
        if (other && other != row && shape_slot(other) == shape_slot(row))
            return true;
    }
    return false;
}

static void
note_row(struct walk *w, struct frame *top, const struct node *n, const struct shape_row *row)
{
    uint64_t bit = shape_bit(row);
    if ((top->seen & bit) && row->kind == ROW_OPTION && has_other_option(w, top, row))
        judge_say(w->j, ISSUE_ERROR, E_CARDINALITY, n, V("one option of the choice"), V("two"));
    top->seen |= bit;
    /* What is an attribute in XML has no place among the elements. */
    if (row->type == SHAPE_attribute || (top->shape == SHAPE_Extension && view_eq(row_name(row), V("url"))))
        return;
    if ((n->flags & NODE_FROM_XML) && top->last_row && row < top->last_row)
        judge_say(w->j, ISSUE_ERROR, E_ELEMENT_ORDER, n, V("the order of the definition"),
                  judge_print(w->j, "behind %s", top->last_row->name));
    top->last_row = row;
}

static void
check_member(struct walk *w, struct frame *top, const struct node *n)
{
    struct judge *j = w->j;
    view name = node_name(j->tree, n);
    bool companion = name.n > 0 && name.p[0] == '_';
    if (top->node == top->resource && view_eq(name, V("resourceType")))
        return;
    const struct shape_row *row = shape_find(top->shape, companion ? view_sub(name, 1, name.n) : name);
    if (!row || (companion && (shape_form(row->type) == FORM_NONE || row->type == SHAPE_attribute))) {
        judge_say(j, ISSUE_ERROR, E_ELEMENT_UNKNOWN, n,
                  judge_print(j, "an element of %.*s", VIEW_ARG(shape_name(top->shape))), V("another name"));
        return;
    }
    note_row(w, top, n, row);
    if (companion)
        check_companion(w, top, n, row);
    else if (row->many)
        push_array(w, top, n, row);
    else if (n->kind == NODE_ARRAY)
        judge_say(j, ISSUE_ERROR, n->flags & NODE_FROM_XML ? E_CARDINALITY : E_TYPE, n, V("one value"),
                  V("several"));
    else
        check_single(w, top, n, row);
}

static void
step(struct walk *w)
{
    struct frame *top = &w->frames[w->depth - 1];
    const struct node *n = top->next;
    if (!n) {
        struct frame done = *top;
        w->depth--;
        if (done.kind == FRAME_OBJECT)
            close_object(w, &done);
        return;
    }
    top->next = node_next(w->j->tree, n);
    if (top->kind == FRAME_OBJECT) {
        check_member(w, top, n);
    } else if (top->kind == FRAME_ARRAY) {
        check_item(w, top, n);
    } else {
        const struct node *value = top->companion;
        top->companion = value ? node_next(w->j->tree, value) : NULL;
        push_companion(w, top, n, top->row, value && value->kind != NODE_NULL);
    }
}

void
walk_structure(struct judge *j, const struct node *root)
{
    struct walk w = {.j = j};
    push_resource(&w, NULL, root);
    while (w.depth > 0 && !j->full)
        step(&w);
}
