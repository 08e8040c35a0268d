#include "fhir/fhirpath.h"
#include "conformance/conformance.h"
#include "fhir/fhir.h"
#include "fhir/shape.h"

/* fhir/fhirpath-r4: an expression, an example resource, and the values that come out (or that it must fail).  A type
 * is compared by its last part without case ("string" is FHIR.string and System.String alike): the set's own words do
 * not tell them apart.  A case with predicate asks whether the result holds as an invariant. */

struct path_case {
    view id, expression;
    bool must_fail, strict, predicate;
    const json_t *outputs;
    struct fhirpath_focus focus;
    struct tree tree;
};

static const struct node *
resolve(void *self, const struct node *from, view reference)
{
    return bundle_resolve(self, from, reference);
}

/* Without profiles only the base types are known. */
static bool
conforms(void *self, const struct fhirpath_value *value, view profile, bool *ret_known)
{
    view prefix = V("http://hl7.org/fhir/StructureDefinition/");
    (void)self;
    uint16_t shape =
        view_starts(profile, prefix) ? shape_of_type(view_sub(profile, prefix.n, profile.n)) : SHAPE_NONE;
    *ret_known = shape != SHAPE_NONE && value->kind == FHIRPATH_NODE;
    return *ret_known && value->shape == shape;
}

static const struct fhirpath_doors doors = {.resolve = resolve, .conforms_to = conforms};

static err
read_input(struct conformance_run *r, view name, struct path_case *c, struct fault *f)
{
    view bytes = V("{}");
    enum fhir_media media = view_ends(name, V(".xml")) ? FHIR_XML : FHIR_JSON;
    if (name.n > 0) {
        view path = arena_printf(r->mem, "inputs/%.*s", VIEW_ARG(name));
        TRY(conformance_file(r, path, &bytes, f));
    }
    TRY(fhir_read(media, bytes, r->mem, &c->tree, f));
    const struct node *root = tree_root(&c->tree);
    c->focus = (struct fhirpath_focus){.tree = &c->tree, .node = root, .resource = root};
    c->focus.mem = r->mem;
    c->focus.strict = c->strict;
    c->focus.doors = &doors;
    return E_OK;
}

/* "FHIR.string" beside "string". */
static bool
same_type(view ours, view theirs)
{
    size_t dot = view_find_byte(ours, '.');
    return view_eq_nocase(view_sub(ours, dot + 1, ours.n), theirs);
}

static bool
same_output(struct conformance_run *r, const struct path_case *c, const struct fhirpath_value *v,
            const json_t *output)
{
    view type = json_text(output, "type"), text = json_text(output, "value");
    if (type.n > 0 && !same_type(fhirpath_type_name(&c->focus, v, r->mem), type))
        return false;
    if (view_starts(text, V("@T")))
        text = view_sub(text, 2, text.n);
    else if (view_starts(text, V("@")))
        text = view_sub(text, 1, text.n);
    return view_eq(fhirpath_text(&c->focus, v, r->mem), text);
}

static void
judge_values(struct conformance_run *r, const struct path_case *c, const struct fhirpath_values *values)
{
    size_t expected = json_array_size(c->outputs);
    if (values->n != expected) {
        conformance_case(r, c->id, CONFORMANCE_WRONG_VALUE, "%u values, %zu expected: %.*s", values->n,
                         expected, VIEW_ARG(c->expression));
        return;
    }
    for (uint32_t i = 0; i < values->n; i++) {
        const struct fhirpath_value *v = &values->items[i];
        if (same_output(r, c, v, json_array_get(c->outputs, i)))
            continue;
        view text = fhirpath_text(&c->focus, v, r->mem), type = fhirpath_type_name(&c->focus, v, r->mem);
        conformance_case(r, c->id, CONFORMANCE_WRONG_VALUE, "value %u is %.*s %.*s: %.*s", i, VIEW_ARG(type),
                         VIEW_ARG(text), VIEW_ARG(c->expression));
        return;
    }
    conformance_case(r, c->id, CONFORMANCE_AGREE, "-");
}

static err
evaluate(struct conformance_run *r, const struct path_case *c, struct fhirpath_values *ret, struct fault *f)
{
    view program;
    bool holds = false;
    TRY(fhirpath_compile(c->expression, r->mem, &program, f));
    if (!c->predicate)
        return fhirpath_eval(program, &c->focus, ret, f);
    TRY(fhirpath_holds(program, &c->focus, &holds, f));
    struct fhirpath_value *v = arena_make(r->mem, struct fhirpath_value);
    if (v == NULL)
        return E_TOO_LARGE;
    *v = (struct fhirpath_value){.kind = FHIRPATH_BOOLEAN, .is_system = true, .truth = holds};
    *ret = (struct fhirpath_values){v, 1};
    return E_OK;
}

static const struct fhirpath_doors single_doors = {.conforms_to = conforms};

static err
judge(struct conformance_run *r, const json_t *one, struct fault *f)
{
    struct path_case c = {.id = json_text(one, "id"), .expression = json_text(one, "expression")};
    struct fhirpath_values values;
    struct fault why;
    fault_init(&why);
    c.must_fail = json_text(one, "invalid").n > 0;
    c.strict = view_eq(json_text(one, "mode"), V("strict"));
    c.predicate = view_eq(json_text(one, "predicate"), V("true"));
    c.outputs = json_member(one, "outputs");
    TRY(read_input(r, json_text(one, "inputfile"), &c, f));
    struct bundle bundle;
    struct issues issues;
    issues_init(&issues, r->mem, 100);
    if (bundle_index(&c.tree, r->mem, &bundle, &issues) == E_OK)
        c.focus.self = &bundle;
    else
        c.focus.doors = &single_doors;
    err e = evaluate(r, &c, &values, &why);
    if (e != E_OK && c.must_fail)
        conformance_case(r, c.id, CONFORMANCE_AGREE, "-");
    else if (e != E_OK)
        conformance_case(r, c.id, CONFORMANCE_WRONG_REJECT, "%s, expected %s, found %s: %.*s",
                         err_info(e)->code, why.expected, why.found, VIEW_ARG(c.expression));
    else if (c.must_fail)
        conformance_case(r, c.id, CONFORMANCE_WRONG_ACCEPT, "%u values: %.*s", values.n,
                         VIEW_ARG(c.expression));
    else
        judge_values(r, &c, &values);
    return E_OK;
}

err
conformance_fhirpath(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge, f);
}
