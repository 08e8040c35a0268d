#include "fhir/judge.h"

/* Extensions: a loaded definition for each, in a place that the definition allows. */

/* "Patient.contact.name" for an owner, from the resource down; empty when it is too long. */
static view
path_of(const struct judge *j, const struct owner *o, char *out, size_t size)
{
    const struct tree *t = j->tree;
    size_t at = size;
    for (const struct node *n = o->node;; n = &t->nodes[n->parent]) {
        bool root = n == o->resource;
        view name = root ? node_text(t, node_member(t, n, V("resourceType"))) : node_name(t, n);
        if (name.n > 0 && name.p[0] == '_')
            name = view_sub(name, 1, name.n);
        if (name.n + 1 > at)
            return VIEW_NONE;
        at -= name.n;
        if (name.n > 0)
            memcpy(out + at, name.p, name.n);
        if (root)
            return (view){out + at, size - at};
        if (name.n > 0)
            out[--at] = '.';
    }
}

/* "Patient.contact" + "." + "name", with or without [x]. */
static bool
is_element(const struct shape_row *row, view expression)
{
    view type = shape_name(shape_of_row(row)), name = row_name(shape_slot(row));
    if (view_ends(expression, V("[x]")))
        expression = view_sub(expression, 0, expression.n - 3);
    return expression.n == type.n + 1 + name.n && view_starts(expression, type) &&
           expression.p[type.n] == '.' && view_ends(expression, name);
}

static bool
is_abstract(view expression, const struct owner *o)
{
    static const char *const any[] = {"Element", "CanonicalResource", "MetadataResource", "BackboneElement"};
    for (size_t i = 0; i < COUNT_OF(any); i++)
        if (view_eq(expression, view_of(any[i])))
            return true;
    bool resource = view_eq(expression, V("Resource")) || view_eq(expression, V("DomainResource"));
    return resource && shape_is_resource(o->shape);
}

static bool
allows(struct judge *j, const struct pack *pack, const struct pack_context *c, const struct owner *o)
{
    char path[256];
    view kind = pack_view(pack, c->type), expression = pack_view(pack, c->expression);
    if (view_eq(kind, V("fhirpath")))
        return c->program.n == 0 || judge_leads_to(j, pack, c->program, o->resource, o->node);
    if (view_eq(kind, V("extension"))) {
        /* On the extension, or on its value beside which _value[x] stands. */
        const struct node *extension =
            o->shape == SHAPE_Extension ? o->node : &j->tree->nodes[o->node->parent];
        return view_eq(node_text(j->tree, node_member(j->tree, extension, V("url"))), expression);
    }
    bool companion = o->shape == SHAPE_Element && o->row;
    uint16_t type = companion ? o->row->type : o->shape;
    if (is_abstract(expression, o) || view_eq(expression, shape_name(type)))
        return true;
    if (o->row && is_element(o->row, expression))
        return true;
    return view_eq(path_of(j, o, path, sizeof path), expression);
}

static void
judge_context(struct judge *j, const struct node *extension, const struct owner *o, struct pack_item p)
{
    const struct pack_context *list = p.pack->contexts;
    struct pack_span contexts = item_profile(p)->contexts;
    for (PACK_EACH(i, contexts))
        if (allows(j, p.pack, &list[i], o))
            return;
    if (contexts.n > 0)
        judge_say(j, ISSUE_ERROR, E_ELEMENT_UNKNOWN, extension,
                  judge_print(j, "the extension in %.*s%s",
                              VIEW_ARG(pack_view(p.pack, list[contexts.from].expression)),
                              contexts.n > 1 ? " or another listed place" : ""),
                  V("another place"));
}

void
judge_extension(struct judge *j, const struct node *extension, const struct owner *owner)
{
    const struct tree *t = j->tree;
    const struct node *n = node_member(t, extension, V("url"));
    view url = node_text(t, n);
    bool modifier = view_eq(node_name(t, &t->nodes[extension->parent]), V("modifierExtension"));
    if (url.n == 0)
        return;
    if (view_find_byte(url, ':') == url.n) {
        /* Inside another extension a relative url is a name of the outer one's definition. */
        if (owner->shape != SHAPE_Extension)
            judge_say(j, ISSUE_ERROR, E_VALUE, n, V("an absolute URL"), V("a relative one"));
        return;
    }
    /* A uri, no canonical (Extension.url, and the definition fixes it as its own): a version makes it another text. */
    if (view_find_byte(url, '|') < url.n) {
        judge_say(j, ISSUE_ERROR, E_VALUE, n, V("the URL of the extension without a version"),
                  V("a version"));
        return;
    }
    struct pack_item p = judge_find(j, PACK_IS_PROFILE, url);
    if (p.pack && item_profile(p)->shape == SHAPE_Extension) {
        judge_context(j, extension, owner, p);
        judge_add_job(j, extension, owner->resource, p);
        return;
    }
    enum issue_severity severity = modifier ? ISSUE_ERROR : judge_severity(j, WEIGHT_EXTENSION_UNKNOWN);
    if (severity == ISSUE_ERROR || judge_first(j, 2, url))
        judge_say(j, severity, E_EXTENSION_UNKNOWN, extension, V("an extension of a loaded profile"),
                  judge_code(j, VIEW_NONE, url));
}
