#include "fhir/profile.h"

#include "base/text.h"
#include "fhir/tree_walk.h"

/* An element that was compiled before, for elements without id. */
struct seen {
    view path, id;
    const struct seen *before;
};

struct compiler {
    const struct sources *sources;
    struct profile *p;
    const struct tree *tree; /* of the elements: the profile's or a parent's */
    arena *mem;
    struct fault *f;
    view at; /* id of the element that is compiled */
    const struct seen *seen;
};

err
profile_fault(const struct source_file *file, view element, struct fault *f, const char *expected,
              const char *found)
{
    return fault_setf(f, E_CONFIG, expected, found, "%.*s: %.*s", VIEW_ARG(file->path), VIEW_ARG(element));
}

static err
too_large(const struct compiler *c)
{
    return profile_fault(c->p->file, c->at, c->f, "less than the memory for profiles", "");
}

static uint16_t
shape_below(const struct rule *parent)
{
    return parent->primitive ? SHAPE_Element : parent->shape;
}

static struct rule *
new_rule(struct profile *p, arena *mem, struct rule *parent, view id)
{
    struct rule *r = arena_make(mem, struct rule);
    if (!r)
        return NULL;
    *r = (struct rule){.id = id, .parent = parent, .max = MANY, .max_length = MANY};
    r->parent_shape = parent ? shape_below(parent) : SHAPE_NONE;
    if (p->last_rule)
        p->last_rule->next_in_profile = r;
    p->last_rule = r;
    return r;
}

const struct rule *
rule_child(const struct rule *r, view name)
{
    for (const struct rule *child = r ? r->children : NULL; child; child = child->next)
        if (view_eq(child->name, name))
            return child;
    return NULL;
}

const struct rule *
rule_slice(const struct rule *list, view name)
{
    for (const struct slice *s = list ? list->slices : NULL; s; s = s->next)
        if (view_eq(s->name, name))
            return s->rule;
    return NULL;
}

view
rule_slice_name(const struct rule *slice)
{
    size_t from = slice->id.n;
    while (from > 0 && slice->id.p[from - 1] != ':')
        from--;
    return view_sub(slice->id, from, slice->id.n);
}

/* Type, cardinality and form that the base gives an element. */
static err
set_base(struct compiler *c, struct rule *r, view name)
{
    r->choice = view_ends(name, V("[x]"));
    r->name = r->choice ? view_sub(name, 0, name.n - 3) : name;
    if (r->parent_shape == SHAPE_NONE)
        return E_OK;
    r->row = r->choice ? shape_find_choice(r->parent_shape, r->name) : shape_find(r->parent_shape, name);
    if (!r->row)
        return profile_fault(c->p->file, c->at, c->f, "an element of the base type", "another name");
    r->max = r->row->many ? MANY : 1;
    r->min_given = r->row->min > 0;
    r->shape = r->row->type == SHAPE_Resource ? SHAPE_NONE : r->row->type;
    r->primitive = shape_form(r->shape) != FORM_NONE;
    return E_OK;
}

static err
child_of(struct compiler *c, struct rule *parent, view name, view id, struct rule **ret)
{
    view plain = view_ends(name, V("[x]")) ? view_sub(name, 0, name.n - 3) : name;
    struct rule *r = (struct rule *)rule_child(parent, plain);
    if (r) {
        *ret = r;
        return E_OK;
    }
    r = new_rule(c->p, c->mem, parent, id);
    if (!r)
        return too_large(c);
    TRY(set_base(c, r, name));
    if (parent->last_child)
        parent->last_child->next = r;
    else
        parent->children = r;
    parent->last_child = r;
    *ret = r;
    return E_OK;
}

err
rule_add_slice(struct profile *p, arena *mem, struct rule *sliced, view name, view id)
{
    struct slice *s = arena_make(mem, struct slice);
    struct rule *r = s ? new_rule(p, mem, sliced, id) : NULL;
    if (!r || sliced->n_slices == SLICES_MAX)
        return E_TOO_LARGE;
    *s = (struct slice){.name = name, .rule = r};
    /* "outer/inner" */
    for (struct slice *outer = sliced->slices; outer; outer = outer->next)
        if (name.n > outer->name.n && view_starts(name, outer->name) && name.p[outer->name.n] == '/')
            s->within = outer;
    r->is_slice = true;
    r->name = sliced->name;
    r->choice = sliced->choice;
    r->primitive = sliced->primitive;
    r->row = sliced->row;
    r->shape = sliced->shape;
    r->parent_shape = sliced->parent_shape;
    if (sliced->last_slice)
        sliced->last_slice->next = s;
    else
        sliced->slices = s;
    sliced->last_slice = s;
    sliced->n_slices++;
    return E_OK;
}

static err
slice_of(struct compiler *c, struct rule *sliced, view name, view id, struct rule **ret)
{
    *ret = (struct rule *)rule_slice(sliced, name);
    if (*ret)
        return E_OK;
    if (sliced->n_slices == SLICES_MAX)
        return profile_fault(c->p->file, c->at, c->f, "at most 128 slices", "more");
    if (rule_add_slice(c->p, c->mem, sliced, name, id) != E_OK)
        return too_large(c);
    *ret = sliced->last_slice->rule;
    return E_OK;
}

/* One step of an element id: name, or name:slice. value[x]:valueQuantity is the option itself. */
static err
step(struct compiler *c, struct rule *from, view segment, view id, struct rule **ret)
{
    view slice = segment, name = view_cut(&slice, ':', NULL);
    struct rule *r;
    if (from->primitive && view_eq(name, V("value"))) {
        /* The value of a primitive type as an element: in JSON it is the member itself.  A rule aside,
         * which nobody walks. */
        r = new_rule(c->p, c->mem, from, id);
        if (!r)
            return too_large(c);
        r->is_slice = r->aside = true;
        *ret = r;
        return E_OK;
    }
    TRY(child_of(c, from, name, view_sub(id, 0, id.n - (slice.n ? slice.n + 1 : 0)), &r));
    if (slice.n > 0 && r->choice) {
        const struct shape_row *option = shape_find(r->parent_shape, slice);
        if (option && shape_slot(option) == r->row)
            return child_of(c, from, slice, id, ret);
    }
    if (slice.n > 0)
        return slice_of(c, r, slice, id, ret);
    *ret = r;
    return E_OK;
}

/* The rule of an element id, made on the way. */
static err
find_rule(struct compiler *c, view id, struct rule **ret)
{
    view rest = id;
    bool more;
    struct rule *r = c->p->root;
    view_cut(&rest, '.', &more);
    while (more) {
        view segment = view_cut(&rest, '.', &more);
        view so_far = view_sub(id, 0, id.n - rest.n - (more ? 1 : 0));
        TRY(step(c, r, segment, so_far, &r));
    }
    *ret = r;
    return E_OK;
}

/* ---- one element ---- */

static err
read_cardinality(struct compiler *c, struct rule *r, const struct node *e)
{
    const struct tree *t = c->tree;
    const struct node *min = node_member(t, e, V("min")), *max = node_member(t, e, V("max"));
    uint64_t n;
    if (min) {
        if (text_to_u64(node_text(t, min), &n) != E_OK || n > INT32_MAX)
            return profile_fault(c->p->file, c->at, c->f, "min", "no number");
        r->min = (uint32_t)n;
    }
    if (max && !view_eq(node_text(t, max), V("*"))) {
        if (text_to_u64(node_text(t, max), &n) != E_OK || n > INT32_MAX)
            return profile_fault(c->p->file, c->at, c->f, "max", "no number");
        r->max = (uint32_t)n;
    }
    if (text_to_u64(node_text(t, node_member(t, e, V("maxLength"))), &n) == E_OK && n <= INT32_MAX)
        r->max_length = (uint32_t)n;
    for (NODE_EACH(item, t, node_member(t, e, V("extension"))))
        if (view_eq(node_text(t, node_member(t, item, V("url"))), V(CORE_PREFIX "minLength")) &&
            text_to_u64(node_text(t, node_member(t, item, V("valueInteger"))), &n) == E_OK && n <= INT32_MAX)
            r->min_length = (uint32_t)n;
    if (r->is_slice)
        r->min_given = false;
    return E_OK;
}

static err
check_constant(struct compiler *c, const struct node *n)
{
    const struct tree *t = c->tree;
    uint32_t end = node_end(t, n);
    for (uint32_t i = node_index(t, n) + 1; i < end; i++) {
        uint32_t depth = 0;
        for (uint32_t up = i; up != node_index(t, n); up = t->nodes[up].parent)
            depth++;
        if (depth > CONSTANT_DEPTH_MAX)
            return profile_fault(c->p->file, c->at, c->f, "a constant of at most 8 levels", "a deeper one");
    }
    return E_OK;
}

/* The members fixed[x] and pattern[x]; a type follows in capitals. */
static err
read_constant(struct compiler *c, struct rule *r, const struct node *e)
{
    const struct tree *t = c->tree;
    for (NODE_EACH(member, t, e)) {
        view name = node_name(t, member);
        if (view_starts(name, V("minValue")))
            r->min_value = (struct constant){.tree = t, .node = member};
        if (view_starts(name, V("maxValue")))
            r->max_value = (struct constant){.tree = t, .node = member};
        bool fixed = view_starts(name, V("fixed")) && name.n > 5;
        bool pattern = view_starts(name, V("pattern")) && name.n > 7;
        if (!fixed && !pattern)
            continue;
        TRY(check_constant(c, member));
        r->constant = (struct constant){.tree = t, .node = member, .exact = fixed};
    }
    return E_OK;
}

static void
read_binding(struct compiler *c, struct rule *r, const struct node *e)
{
    const struct tree *t = c->tree;
    const struct node *binding = node_member(t, e, V("binding"));
    view strength = node_text(t, node_member(t, binding, V("strength")));
    if (!binding)
        return;
    /* A differential may change the strength alone. */
    if (node_member(t, binding, V("valueSet")))
        r->binding = node_text(t, node_member(t, binding, V("valueSet")));
    r->required_binding = view_eq(strength, V("required"));
    r->extensible_binding = view_eq(strength, V("extensible"));
}

static err
read_slicing(struct compiler *c, struct rule *r, const struct node *e)
{
    const struct tree *t = c->tree;
    const struct node *slicing = node_member(t, e, V("slicing"));
    const struct node *list = node_member(t, slicing, V("discriminator"));
    struct discriminator **last = &r->discriminators;
    if (!slicing)
        return E_OK;
    view rules = node_text(t, node_member(t, slicing, V("rules")));
    /* A choice is closed by its types. */
    r->closed = view_eq(rules, V("closed")) && !r->choice;
    r->open_at_end = view_eq(rules, V("openAtEnd"));
    r->ordered = node_is_true(node_member(t, slicing, V("ordered")));
    if (list)
        r->discriminators = NULL;
    for (NODE_EACH(item, t, list)) {
        struct discriminator *d = arena_make(c->mem, struct discriminator);
        if (!d)
            return too_large(c);
        d->type = node_text(t, node_member(t, item, V("type")));
        d->path = node_text(t, node_member(t, item, V("path")));
        *last = d;
        last = &d->next;
    }
    return E_OK;
}

static err
add_constraint(struct compiler *c, struct rule *r, const struct node *n)
{
    struct rule_constraint *k = arena_make(c->mem, struct rule_constraint);
    if (!k)
        return too_large(c);
    *k = (struct rule_constraint){.tree = c->tree, .node = n, .next = r->constraints};
    r->constraints = k;
    return E_OK;
}

/* A key that comes again replaces nothing: both hold, and are mostly the same.  Of extensions those that ask for
 * something (constraint_is_narrative). */
static err
read_constraints(struct compiler *c, struct rule *r, const struct node *e)
{
    for (NODE_EACH(item, c->tree, node_member(c->tree, e, V("constraint"))))
        TRY(add_constraint(c, r, item));
    for (NODE_EACH(item, c->tree, node_member(c->tree, e, V("extension"))))
        if (constraint_is_narrative(c->tree, item))
            TRY(add_constraint(c, r, item));
    return E_OK;
}

/* ---- types ---- */

static err
read_targets(struct compiler *c, const struct node *list, view **ret, uint32_t *ret_n)
{
    const struct tree *t = c->tree;
    uint32_t n = 0;
    view *targets = arena_make_array(c->mem, (size_t)node_count(list) + 1, view);
    if (!targets)
        return too_large(c);
    for (NODE_EACH(item, t, list))
        targets[n++] = node_text(t, item);
    *ret = targets;
    *ret_n = n;
    return E_OK;
}

/* The base has types of its own for nested elements and for what FHIRPath calls System. */
static uint16_t
shape_of_code(view code, const struct rule *r)
{
    bool nested = view_eq(code, V("BackboneElement")) || view_eq(code, V("Element")) ||
                  view_eq(code, V("Resource")) || view_eq(code, V("DomainResource")) ||
                  view_starts(code, V("http:"));
    return nested ? r->shape : shape_of_type(code);
}

static err
read_types(struct compiler *c, struct rule *r, const struct node *e)
{
    const struct tree *t = c->tree;
    const struct node *list = node_member(t, e, V("type"));
    uint32_t n = 0;
    if (node_count(list) == 0)
        return E_OK;
    r->types = arena_make_array(c->mem, node_count(list), struct type_rule);
    if (!r->types)
        return too_large(c);
    for (NODE_EACH(item, t, list)) {
        struct type_rule *type = &r->types[n++];
        type->shape = shape_of_code(node_text(t, node_member(t, item, V("code"))), r);
        TRY(read_targets(c, node_member(t, item, V("profile")), &type->profiles, &type->n_profiles));
        TRY(read_targets(c, node_member(t, item, V("targetProfile")), &type->targets, &type->n_targets));
    }
    r->n_types = n;
    if (n == 1 && r->types[0].shape != SHAPE_NONE) {
        r->shape = r->types[0].shape;
        r->primitive = shape_form(r->shape) != FORM_NONE;
    }
    return E_OK;
}

/* Without an id an element stands below the nearest element before it whose path its own continues, be it
 * a slice or not. */
static view
derive_id(struct compiler *c, view path, view slice)
{
    const struct seen *up = NULL;
    for (const struct seen *s = c->seen; s; s = s->before)
        if (path.n > s->path.n && view_starts(path, s->path) && path.p[s->path.n] == '.' &&
            (!up || s->path.n > up->path.n))
            up = s;
    view head = up ? up->id : VIEW_NONE, rest = view_sub(path, up ? up->path.n : 0, path.n);
    return arena_printf(c->mem, "%.*s%.*s%s%.*s", VIEW_ARG(head), VIEW_ARG(rest), slice.n ? ":" : "",
                        VIEW_ARG(slice));
}

static err
find_id(struct compiler *c, const struct node *e)
{
    const struct tree *t = c->tree;
    view path = node_text(t, node_member(t, e, V("path")));
    c->at = node_text(t, node_member(t, e, V("id")));
    if (c->at.n == 0)
        c->at = derive_id(c, path, node_text(t, node_member(t, e, V("sliceName"))));
    struct seen *s = arena_make(c->mem, struct seen);
    if (!s || c->at.n == 0)
        return too_large(c);
    *s = (struct seen){.path = path, .id = c->at, .before = c->seen};
    c->seen = s;
    return E_OK;
}

static err
compile_element(struct compiler *c, const struct node *e)
{
    struct rule *r;
    TRY(find_id(c, e));
    TRY(find_rule(c, c->at, &r));
    TRY(read_cardinality(c, r, e));
    TRY(read_constant(c, r, e));
    TRY(read_slicing(c, r, e));
    TRY(read_constraints(c, r, e));
    read_binding(c, r, e);
    return r == c->p->root ? E_OK : read_types(c, r, e);
}

static err
compile_list(struct compiler *c, const struct source_file *file, const char *form)
{
    const struct tree *t = file->tree;
    const struct node *list = node_member(t, node_member(t, file->root, view_of(form)), V("element"));
    c->tree = t;
    c->seen = NULL;
    for (NODE_EACH(e, t, list)) {
        struct fault own;
        fault_init(&own);
        struct fault *outer = c->f;
        c->f = c->sources->lenient ? &own : outer;
        err done = compile_element(c, e);
        c->f = outer;
        /* An element that the base does not know: nothing can stand there. */
        if (done != E_OK && !(c->sources->lenient && done == E_CONFIG))
            return done;
    }
    return E_OK;
}

static bool
has_list(const struct source_file *file, const char *form)
{
    return node_member(file->tree, node_member(file->tree, file->root, view_of(form)), V("element")) != NULL;
}

/* The differentials from the profile up to the first snapshot, or to the base. */
static err
compile_all(struct compiler *c, const struct source_file *file)
{
    const struct source_file *line[PARENTS_MAX];
    uint32_t n = 0;
    while (!has_list(file, "snapshot")) {
        view base = node_text(file->tree, node_member(file->tree, file->root, V("baseDefinition")));
        if (n == PARENTS_MAX)
            return profile_fault(c->p->file, shape_name(c->p->shape), c->f, "fewer parents", "a circle");
        line[n++] = file;
        if (view_starts(base, V(CORE_PREFIX)) &&
            shape_of_type(view_sub(base, sizeof CORE_PREFIX - 1, base.n)) == c->p->shape)
            break;
        const struct source_file *parent = sources_find(c->sources, PACK_IS_PROFILE, base);
        if (!parent) {
            c->p->partial = true;
            break;
        }
        file = parent;
    }
    if (has_list(file, "snapshot"))
        TRY(compile_list(c, file, "snapshot"));
    while (n-- > 0)
        TRY(compile_list(c, line[n], "differential"));
    return E_OK;
}

err
profile_draft(const struct sources *s, const struct source_file *file, struct profile **ret, struct fault *f)
{
    struct profile *p = file->draft ? file->draft : arena_make(s->mem, struct profile);
    struct compiler c = {.sources = s, .p = p, .mem = s->mem, .f = f, .tree = file->tree};
    if (!p)
        return too_large(&c);
    *ret = p;
    if (file->draft)
        return E_OK;
    view type = node_text(file->tree, node_member(file->tree, file->root, V("type")));
    *p = (struct profile){.file = file, .shape = shape_of_type(type)};
    ((struct source_file *)file)->draft = p; /* a cache: the file says no other than before */
    p->root = new_rule(p, s->mem, NULL, shape_name(p->shape));
    if (!p->root)
        return too_large(&c);
    p->root->shape = p->shape;
    TRY(compile_all(&c, file));
    if (p->partial && !s->lenient)
        return profile_fault(file, shape_name(p->shape), f, "a baseDefinition that is loaded", "another");
    return E_OK;
}
