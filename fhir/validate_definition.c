#include "fhir/judge.h"
#include "fhir/tree_walk.h"

/* Definitions as documents: what they say must be able to hold.  Asked where files are checked, not of submissions. */

static void
say(struct judge *j, err code, const struct node *n, view expected, view found)
{
    judge_say(j, judge_severity(j, WEIGHT_DEFINITION), code, n, expected, found);
}

static view
text_of(const struct judge *j, const struct node *n, view name)
{
    return node_text(j->tree, node_member(j->tree, n, name));
}

/* ---- StructureDefinition ---- */

/* A step of an element's path; SHAPE_NONE where the base does not say what stands there. */
static uint16_t
shape_below(uint16_t shape, view name)
{
    const struct shape_row *row = shape_find(shape, name);
    return row && row->type != SHAPE_Resource ? row->type : SHAPE_NONE;
}

/* "AuditEvent.agent.extension" → Extension */
static uint16_t
shape_of_path(view path)
{
    bool more;
    view rest = path;
    uint16_t shape = shape_of_type(view_cut(&rest, '.', &more));
    while (more && shape != SHAPE_NONE)
        shape = shape_below(shape, view_cut(&rest, '.', &more));
    return shape;
}

/* The one type that an element states, else what the base gives its path. */
static uint16_t
shape_of_element(const struct judge *j, const struct node *element)
{
    const struct node *types = node_member(j->tree, element, V("type"));
    uint16_t shape = shape_of_path(text_of(j, element, V("path")));
    if (node_count(types) != 1)
        return shape;
    uint16_t stated = shape_of_type(text_of(j, node_first(j->tree, types), V("code")));
    return shape_base(shape) == SHAPE_BackboneElement || stated == SHAPE_NONE ? shape : stated;
}

/* eld-11 means this, but its expression in R4 is true of every type. */
static void
judge_bindable(struct judge *j, const struct node *element)
{
    static const char *const bindable[] = {"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"};
    const struct node *types = node_member(j->tree, element, V("type"));
    bool any = !types;
    for (NODE_EACH(type, j->tree, types)) {
        uint16_t shape = shape_of_type(text_of(j, type, V("code")));
        any |= shape == SHAPE_NONE || shape == SHAPE_Extension;
        for (; shape != SHAPE_NONE; shape = shape_base(shape))
            for (size_t i = 0; i < COUNT_OF(bindable); i++)
                any |= view_eq(shape_name(shape), view_of(bindable[i]));
    }
    if (!any)
        say(j, E_INVARIANT, element, V("a binding on a coded type, string or uri"), V("another type"));
}

/* Names of a discriminator's path that the type has not; what stands behind a function is not looked at. */
static bool
is_path_of(uint16_t shape, view path)
{
    bool more = true;
    while (more && shape != SHAPE_NONE && shape_form(shape) == FORM_NONE) {
        view name = view_cut(&path, '.', &more);
        if (view_starts(name, V("$")) || view_find_byte(name, '(') < name.n)
            return true;
        if (!shape_find(shape, name) && !shape_find_choice(shape, name))
            return false;
        shape = shape_below(shape, name);
    }
    return true;
}

static void
judge_discriminators(struct judge *j, const struct node *element)
{
    const struct node *slicing = node_member(j->tree, element, V("slicing"));
    uint16_t shape = shape_of_element(j, element);
    for (NODE_EACH(d, j->tree, node_member(j->tree, slicing, V("discriminator"))))
        if (shape != SHAPE_NONE && !is_path_of(shape, text_of(j, d, V("path"))))
            say(j, E_VALUE, d, judge_print(j, "a path within %.*s", VIEW_ARG(shape_name(shape))),
                V("another name"));
}

/* The rule of an element path in the profile below; NULL when it has none of its own. */
static const struct pack_rule *
rule_of_path(struct pack_item p, view path)
{
    bool more;
    const struct pack_rule *r = &p.pack->rules[item_profile(p)->root];
    view_cut(&path, '.', &more);
    while (more && r) {
        view name = view_cut(&path, '.', &more);
        const struct pack_rule *found = NULL;
        for (PACK_EACH(i, r->children))
            if (view_eq(pack_view(p.pack, p.pack->rules[i].name), name))
                found = &p.pack->rules[i];
        r = found;
    }
    return r;
}

static void
judge_refixed(struct judge *j, const struct node *element, struct pack_item parent)
{
    const struct pack_rule *r = rule_of_path(parent, text_of(j, element, V("path")));
    if (!r || r->constant == PACK_NONE || node_member(j->tree, element, V("sliceName")))
        return;
    for (NODE_EACH(member, j->tree, element)) {
        view name = node_name(j->tree, member);
        if ((view_starts(name, V("fixed")) || view_starts(name, V("pattern"))) &&
            !constant_holds(j->tree, member, parent.pack, r->constant))
            say(j, E_FIXED, member, V("a value that the profile below allows"), V("another value"));
    }
}

static void
judge_structure(struct judge *j, const struct node *resource)
{
    const struct node *differential = node_member(j->tree, resource, V("differential"));
    struct pack_item parent = judge_find(j, PACK_IS_PROFILE, text_of(j, resource, V("baseDefinition")));
    for (NODE_EACH(element, j->tree, node_member(j->tree, differential, V("element")))) {
        if (node_member(j->tree, element, V("binding")))
            judge_bindable(j, element);
        judge_discriminators(j, element);
        if (parent.pack)
            judge_refixed(j, element, parent);
    }
}

/* ---- SearchParameter ---- */

static void
judge_search(struct judge *j, const struct node *resource)
{
    bool composite = view_eq(text_of(j, resource, V("type")), V("composite"));
    if (composite && node_count(node_member(j->tree, resource, V("component"))) < 2)
        say(j, E_INVARIANT, resource, V("a composite parameter of two components or more"), V("fewer"));
}

/* ---- all ---- */

void
judge_definition(struct judge *j, const struct node *resource, uint16_t shape)
{
    if (shape == SHAPE_StructureDefinition)
        judge_structure(j, resource);
    else if (shape == SHAPE_SearchParameter)
        judge_search(j, resource);
    else if (shape == SHAPE_OperationDefinition)
        judge_operation(j, resource);
}
