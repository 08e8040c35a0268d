#include "fhir/path/machine.h"

#include "fhir/tree_walk.h"

/* ---- nodes as values ---- */

static uint32_t
index_of(const struct machine *m, const struct node *n)
{
    return n == NULL || n->kind == NODE_NULL ? FHIRPATH_NO_NODE : node_index(m->tree, n);
}

static const struct node *
node_of(const struct machine *m, uint32_t index)
{
    return index == FHIRPATH_NO_NODE ? NULL : &m->tree->nodes[index];
}

struct fhirpath_value
value_of_node(const struct machine *m, const struct node *n, const struct node *companion, uint16_t shape)
{
    struct fhirpath_value v = {.kind = FHIRPATH_NODE, .shape = shape, .node = index_of(m, n)};
    v.companion = index_of(m, companion);
    bool open = shape == SHAPE_NONE || shape == SHAPE_Resource || shape == SHAPE_DomainResource;
    if (open && n != NULL && n->kind == NODE_OBJECT)
        v.shape = shape_of_resource(node_text(m->tree, node_member(m->tree, n, V("resourceType"))));
    return v;
}

bool
value_is_primitive(const struct fhirpath_value *v)
{
    return v->kind != FHIRPATH_NODE || v->node == FHIRPATH_NO_NODE || shape_form(v->shape) != FORM_NONE;
}

view
value_node_text(const struct machine *m, const struct fhirpath_value *v)
{
    return v->kind == FHIRPATH_NODE ? node_text(m->tree, node_of(m, v->node)) : VIEW_NONE;
}

/* What R4 has of a FHIR type as a value of System. */
static enum fhirpath_kind
kind_of_form(enum value_form form)
{
    switch (form) {
    case FORM_BOOLEAN:
        return FHIRPATH_BOOLEAN;
    case FORM_INTEGER:
    case FORM_POSITIVE:
    case FORM_UNSIGNED:
        return FHIRPATH_INTEGER;
    case FORM_DECIMAL:
        return FHIRPATH_DECIMAL;
    case FORM_DATE:
        return FHIRPATH_DATE;
    case FORM_DATETIME:
    case FORM_INSTANT:
        return FHIRPATH_DATETIME;
    case FORM_TIME:
        return FHIRPATH_TIME;
    default:
        return FHIRPATH_STRING;
    }
}

enum fhirpath_kind
value_system_kind(const struct machine *m, const struct fhirpath_value *v)
{
    if (v->kind != FHIRPATH_NODE)
        return (enum fhirpath_kind)v->kind;
    const struct node *n = node_of(m, v->node);
    if (n == NULL || n->kind == NODE_ARRAY)
        return FHIRPATH_NODE;
    if (n->kind == NODE_OBJECT) {
        bool quantity = v->shape == SHAPE_Quantity || shape_base(v->shape) == SHAPE_Quantity;
        return quantity ? FHIRPATH_QUANTITY : FHIRPATH_NODE;
    }
    enum value_form form = shape_form(v->shape);
    if (form != FORM_NONE)
        return kind_of_form(form);
    if (n->kind == NODE_TRUE || n->kind == NODE_FALSE)
        return FHIRPATH_BOOLEAN;
    if (n->kind == NODE_STRING)
        return FHIRPATH_STRING;
    view text = node_text(m->tree, n);
    bool whole = view_find_byte(text, '.') == text.n && view_find_byte(text, 'e') == text.n;
    return whole ? FHIRPATH_INTEGER : FHIRPATH_DECIMAL;
}

/* ---- steps ---- */

/* The items of a field: of the value's array and of the array of companions beside it. */
static bool
push_items(struct machine *m, const struct node *value, const struct node *companion, uint16_t shape)
{
    const struct tree *t = m->tree;
    bool list =
        (value != NULL && value->kind == NODE_ARRAY) || (companion != NULL && companion->kind == NODE_ARRAY);
    if (!list)
        return machine_push(m, value_of_node(m, value, companion, shape));
    if (value != NULL && value->kind != NODE_ARRAY)
        value = NULL;
    if (companion != NULL && companion->kind != NODE_ARRAY)
        companion = NULL;
    const struct node *v = node_first(t, value), *c = node_first(t, companion);
    while (v != NULL || c != NULL) {
        bool there = (v != NULL && v->kind != NODE_NULL) || (c != NULL && c->kind != NODE_NULL);
        if (there && !machine_push(m, value_of_node(m, v, c, shape)))
            return false;
        v = v != NULL ? node_next(t, v) : NULL;
        c = c != NULL ? node_next(t, c) : NULL;
        if (!machine_step(m, 1))
            return false;
    }
    return true;
}

static bool
is_companion_name(view name)
{
    return name.n > 1 && name.p[0] == '_';
}

/* _name of an object. */
static const struct node *
companion_of(const struct machine *m, const struct node *object, view name)
{
    for (NODE_EACH(member, m->tree, object)) {
        view found = node_name(m->tree, member);
        if (found.n == name.n + 1 && found.p[0] == '_' && memcmp(found.p + 1, name.p, name.n) == 0)
            return member;
    }
    return NULL;
}

/* A member whose name is known as it stands in JSON. */
static bool
push_field(struct machine *m, const struct node *object, view name, uint16_t shape)
{
    const struct node *value = node_member(m->tree, object, name);
    bool complex = shape != SHAPE_NONE && shape_form(shape) == FORM_NONE;
    const struct node *companion = complex ? NULL : companion_of(m, object, name);
    return (value == NULL && companion == NULL) || push_items(m, value, companion, shape);
}

/* name[x]: whichever of its options stands there. */
static bool
push_choice(struct machine *m, const struct node *object, uint16_t shape, const struct shape_row *choice)
{
    for (NODE_EACH(member, m->tree, object)) {
        view found = node_name(m->tree, member);
        view name = is_companion_name(found) ? view_sub(found, 1, found.n) : found;
        if (!view_starts(name, row_name(choice)))
            continue;
        const struct shape_row *row = shape_find(shape, name);
        if (row == NULL || shape_slot(row) != choice)
            continue;
        return push_field(m, object, name, row->type);
    }
    return true;
}

/* A type that is not known: a member of this name, or one that looks like an option of the choice. */
static bool
push_unknown(struct machine *m, const struct node *object, view name)
{
    for (NODE_EACH(member, m->tree, object)) {
        view found = node_name(m->tree, member);
        bool option =
            view_starts(found, name) && found.n > name.n && found.p[name.n] >= 'A' && found.p[name.n] <= 'Z';
        uint16_t shape = SHAPE_NONE;
        if (view_eq(found, name) || option)
            return push_field(m, object, found, shape);
    }
    return true;
}

/* Where the members of a value stand: the object itself; of a primitive its companion.  NULL for none. */
static const struct node *
object_of(const struct machine *m, const struct fhirpath_value *v, uint16_t *ret_shape)
{
    const struct node *n = NULL;
    *ret_shape = v->shape;
    if (v->kind != FHIRPATH_NODE)
        return NULL;
    n = node_of(m, v->node);
    if (n == NULL || n->kind != NODE_OBJECT) {
        n = node_of(m, v->companion);
        *ret_shape = SHAPE_Element;
    }
    return n != NULL && n->kind == NODE_OBJECT ? n : NULL;
}

bool
push_member(struct machine *m, const struct fhirpath_value *v, view name)
{
    uint16_t shape = SHAPE_NONE;
    const struct node *object = object_of(m, v, &shape);
    const struct node *own = v->kind == FHIRPATH_NODE ? node_of(m, v->node) : NULL;
    /* A primitive's value by name, as the reference gives it. */
    if (own != NULL && own->kind < NODE_ARRAY && own->kind != NODE_NULL && view_eq(name, V("value")))
        return machine_push(m, *v);
    if (object == NULL)
        return true;
    if (shape == SHAPE_NONE)
        return push_unknown(m, object, name);
    const struct shape_row *row = shape_find(shape, name);
    if (row != NULL)
        return push_field(m, object, name, row->type);
    const struct shape_row *choice = shape_find_choice(shape, name);
    return choice == NULL || push_choice(m, object, shape, choice);
}

bool
push_children(struct machine *m, const struct fhirpath_value *v)
{
    uint16_t shape = SHAPE_NONE;
    const struct node *object = object_of(m, v, &shape);
    bool has_companions = false;
    for (NODE_EACH(member, m->tree, object))
        has_companions = has_companions || is_companion_name(node_name(m->tree, member));
    for (NODE_EACH(child, m->tree, object)) {
        view name = node_name(m->tree, child);
        const struct node *value = child, *companion = NULL;
        if (view_eq(name, V("resourceType")))
            continue;
        if (has_companions && !machine_step(m, node_count(object)))
            return false;
        if (is_companion_name(name)) {
            name = view_sub(name, 1, name.n);
            if (node_member(m->tree, object, name) != NULL)
                continue;
            companion = child;
            value = NULL;
        } else if (has_companions) {
            companion = companion_of(m, object, name);
        }
        const struct shape_row *row = shape_find(shape, name);
        if (!machine_step(m, 1) || !push_items(m, value, companion, row ? row->type : SHAPE_NONE))
            return false;
    }
    return true;
}

/* ---- instructions ---- */

static bool
type_has(uint16_t shape, view name)
{
    return shape == SHAPE_NONE || shape_find(shape, name) != NULL || shape_find_choice(shape, name) != NULL;
}

/* What type() gives has two members. */
static bool
push_type_member(struct machine *m, const struct fhirpath_value *v, view name)
{
    struct fhirpath_value text = {.kind = FHIRPATH_STRING, .is_system = true, .node = FHIRPATH_NO_NODE};
    if (view_eq(name, V("name")))
        text.text = v->text;
    else if (view_eq(name, V("namespace")))
        text.text = v->is_system ? V("System") : V("FHIR");
    else
        return true;
    return machine_push(m, text);
}

static bool
step_of(struct machine *m, struct fhirpath_value v, view name)
{
    if (v.kind == FHIRPATH_TYPE)
        return push_type_member(m, &v, name);
    if (m->focus->strict && v.kind == FHIRPATH_NODE && !value_is_primitive(&v) && !type_has(v.shape, name))
        return machine_fail(m, "a name that the type has", "another name");
    return push_member(m, &v, name);
}

bool
run_member(struct machine *m, view name, bool foreign)
{
    struct items s = machine_operand(m, 0);
    if (foreign && m->focus->strict)
        return machine_fail(m, "a name that the type has", "another name");
    if (!machine_step(m, s.to - s.from))
        return false;
    for (uint32_t i = s.from; i < s.to; i++)
        if (!step_of(m, m->values[i], name))
            return false;
    return machine_give(m, 1, s.to);
}

bool
run_root(struct machine *m, view name)
{
    bool there = false, is = false;
    struct fhirpath_value this = machine_this(m, &there);
    if (!machine_mark(m))
        return false;
    if (!there)
        return true;
    if (name.n > 0 && name.p[0] >= 'A' && name.p[0] <= 'Z' && this.kind == FHIRPATH_NODE) {
        uint16_t type = shape_of_type(name);
        is = type != SHAPE_NONE && value_is(m, &this, name, false, &is) && is;
    }
    return is ? machine_push(m, this) : step_of(m, this, name);
}

/* ---- types ---- */

static const char *const system_names[] = {
    [FHIRPATH_BOOLEAN] = "Boolean", [FHIRPATH_INTEGER] = "Integer",   [FHIRPATH_DECIMAL] = "Decimal",
    [FHIRPATH_STRING] = "String",   [FHIRPATH_DATE] = "Date",         [FHIRPATH_DATETIME] = "DateTime",
    [FHIRPATH_TIME] = "Time",       [FHIRPATH_QUANTITY] = "Quantity", [FHIRPATH_TYPE] = "TypeInfo",
};

static bool
is_system_name(view name)
{
    for (unsigned i = FHIRPATH_BOOLEAN; i <= FHIRPATH_TYPE; i++)
        if (view_eq(name, view_of(system_names[i])))
            return true;
    return false;
}

static bool
derives(uint16_t shape, uint16_t from)
{
    while (shape != SHAPE_NONE && shape != from)
        shape = shape_base(shape);
    return shape == from && from != SHAPE_NONE;
}

/* exact: as() and ofType() give a code only for code, not for string; a resource also for its base. */
bool
value_is(struct machine *m, const struct fhirpath_value *v, view type, bool exact, bool *ret)
{
    bool system_only = view_starts(type, V("System.")), fhir_only = view_starts(type, V("FHIR."));
    view name = system_only ? view_sub(type, 7, type.n) : fhir_only ? view_sub(type, 5, type.n) : type;
    if (view_eq(name, V("SimpleQuantity")) || view_eq(name, V("MoneyQuantity")))
        name = V("Quantity");
    uint16_t asked = shape_of_type(name);
    *ret = false;
    if (asked == SHAPE_NONE && !is_system_name(name))
        return machine_fail(m, "a type of FHIR R4 or System", "an unknown type");
    if (v->kind != FHIRPATH_NODE) {
        *ret = !fhir_only && view_eq(name, view_of(system_names[v->kind]));
        return true;
    }
    if (!system_only && !fhir_only && asked == SHAPE_NONE)
        *ret = shape_form(v->shape) != FORM_NONE && view_eq_nocase(name, shape_name(v->shape));
    if (!system_only && asked != SHAPE_NONE)
        *ret = v->shape == asked || ((!exact || shape_form(asked) == FORM_NONE) && derives(v->shape, asked));
    /* The reference takes as(Boolean) of a FHIR boolean, whatever the case of the letter; published rules lean on it. */
    if (exact && !system_only && asked == SHAPE_NONE)
        *ret = v->shape != SHAPE_NONE && view_eq_nocase(shape_name(v->shape), name);
    return true;
}

bool
run_type(struct machine *m, view type, bool filter)
{
    struct items s = machine_operand(m, 0);
    uint32_t kept = s.from;
    bool is = false;
    if (!filter && s.to - s.from > 1)
        return machine_fail(m, "one item before is", "several");
    for (uint32_t i = s.from; i < s.to; i++) {
        struct fhirpath_value v = m->values[i];
        if (!value_is(m, &v, type, filter, &is) || !machine_step(m, 1))
            return false;
        if (is)
            m->values[kept++] = v;
    }
    if (filter) {
        struct fhirpath_value none = {.node = FHIRPATH_NO_NODE};
        m->n = kept;
        return s.from < s.to ||
               value_is(m, &none, type, true, &is); /* a type that is not known is told anyway */
    }
    return s.from == s.to || machine_give_truth(m, 1, is);
}

bool
fn_type(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    if (!machine_step(m, s.to - s.from))
        return false;
    for (uint32_t i = s.from; i < s.to; i++) {
        struct fhirpath_value *v = &m->values[i], type = {.kind = FHIRPATH_TYPE, .node = FHIRPATH_NO_NODE};
        type.is_system = v->kind != FHIRPATH_NODE;
        type.text = type.is_system ? view_of(system_names[v->kind]) : shape_name(v->shape);
        *v = type;
    }
    return true;
}

view
fhirpath_type_name(const struct fhirpath_focus *focus, const struct fhirpath_value *v, arena *mem)
{
    (void)focus;
    view name = v->kind == FHIRPATH_NODE ? shape_name(v->shape) : view_of(system_names[v->kind]);
    return arena_printf(mem, "%s.%.*s", v->kind == FHIRPATH_NODE ? "FHIR" : "System", VIEW_ARG(name));
}
