#include "fhir/path/machine.h"

#include "base/instant.h"
#include "fhir/xhtml.h"

/* Functions over the tree, and those that FHIR adds. */

bool
fn_children(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    for (uint32_t i = s.from; i < s.to; i++) {
        struct fhirpath_value v = m->values[i];
        if (!push_children(m, &v))
            return false;
    }
    return machine_give(m, 1, s.to);
}

/* What has been found is visited in its turn. */
bool
fn_descendants(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    for (uint32_t i = s.from; i < m->n; i++) {
        struct fhirpath_value v = m->values[i];
        if (!push_children(m, &v))
            return false;
    }
    return machine_give(m, 1, s.to);
}

bool
fn_extension(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    view url = VIEW_NONE;
    enum got got = one_text(m, machine_operand(m, 0), &url);
    if (got == GOT_FAULT)
        return false;
    uint32_t from = m->n, kept = from;
    for (uint32_t i = s.from; got == GOT_ONE && i < s.to; i++) {
        struct fhirpath_value v = m->values[i];
        if (!push_member(m, &v, V("extension")) || !machine_step(m, 1))
            return false;
    }
    for (uint32_t i = from; i < m->n; i++) {
        struct fhirpath_value v = m->values[i];
        const struct node *n = v.node != FHIRPATH_NO_NODE ? &m->tree->nodes[v.node] : NULL;
        if (n != NULL && n->kind == NODE_OBJECT &&
            view_eq(node_text(m->tree, node_member(m->tree, n, V("url"))), url))
            m->values[kept++] = v;
    }
    m->n = kept;
    return machine_give(m, n_args + 1, from);
}

static bool
has_value(const struct fhirpath_value *v)
{
    return v->kind != FHIRPATH_NODE || (v->node != FHIRPATH_NO_NODE && value_is_primitive(v));
}

bool
fn_has_value(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    return machine_give_truth(m, 1, s.to - s.from == 1 && has_value(&m->values[s.from]));
}

bool
fn_get_value(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    if (s.to - s.from == 1 && has_value(&m->values[s.from]))
        return true;
    return machine_give_nothing(m, 1);
}

/* The resource that holds a node, for references to contained ones. */
static const struct node *
resource_of(const struct machine *m, const struct fhirpath_value *v)
{
    if (v->kind != FHIRPATH_NODE || v->node == FHIRPATH_NO_NODE)
        return m->focus->resource;
    const struct tree *t = m->tree;
    for (const struct node *n = &t->nodes[v->node]; n != tree_root(t); n = &t->nodes[n->parent])
        if (n->kind == NODE_OBJECT && node_member(t, n, V("resourceType")) != NULL)
            return n;
    return tree_root(t);
}

/* A Reference, a canonical, a uri or a text. */
static view
reference_of(struct machine *m, const struct fhirpath_value *v)
{
    if (v->kind == FHIRPATH_NODE && v->node != FHIRPATH_NO_NODE &&
        m->tree->nodes[v->node].kind == NODE_OBJECT)
        return node_text(m->tree, node_member(m->tree, &m->tree->nodes[v->node], V("reference")));
    return value_text(m, v);
}

bool
fn_resolve(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    const struct fhirpath_doors *doors = m->focus->doors;
    if (doors == NULL || doors->resolve == NULL)
        return machine_give_nothing(m, 1);
    for (uint32_t i = s.from; i < s.to; i++) {
        struct fhirpath_value v = m->values[i];
        view reference = reference_of(m, &v);
        if (m->outcome != E_OK || !machine_step(m, 1))
            return false;
        if (reference.n == 0)
            continue;
        const struct node *n = doors->resolve(m->focus->self, resource_of(m, &v), reference);
        if (n != NULL && !machine_push(m, value_of_node(m, n, NULL, SHAPE_NONE)))
            return false;
    }
    return machine_give(m, 1, s.to);
}

typedef bool (*door)(void *self, const struct fhirpath_value *value, view url, bool *ret_known);

static bool
ask_door(struct machine *m, door ask)
{
    struct fhirpath_value v;
    view url;
    bool known = false;
    enum got got = one_value(m, machine_operand(m, 1), &v), named = one_text(m, machine_operand(m, 0), &url);
    if (got == GOT_FAULT || named == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING || named == GOT_NOTHING || ask == NULL)
        return machine_give_nothing(m, 2);
    bool is = ask(m->focus->self, &v, url, &known);
    return known ? machine_give_truth(m, 2, is) : machine_give_nothing(m, 2);
}

bool
fn_member_of(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return ask_door(m, m->focus->doors != NULL ? m->focus->doors->member_of : NULL);
}

bool
fn_conforms_to(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return ask_door(m, m->focus->doors != NULL ? m->focus->doors->conforms_to : NULL);
}

bool
fn_html_checks(struct machine *m, uint32_t n_args)
{
    view div;
    enum got got = one_text(m, machine_operand(m, n_args), &div);
    if (got == GOT_FAULT)
        return false;
    return got == GOT_NOTHING ? machine_give_nothing(m, 1)
                              : machine_give_truth(m, 1, xhtml_fault(div, NULL) == NULL);
}

/* ---- the clock, in UTC ---- */

static bool
give_now(struct machine *m, enum fhirpath_kind kind)
{
    char text[32];
    struct moment now;
    view stamp = instant_print(clock_now(), text);
    bool ok = kind == FHIRPATH_DATETIME ? moment_parse_datetime(stamp, &now)
              : kind == FHIRPATH_DATE   ? moment_parse_date(view_sub(stamp, 0, 10), &now)
                                        : moment_parse_time(view_sub(stamp, 11, 12), &now);
    return ok ? machine_give_moment(m, 1, kind, &now) : machine_give_nothing(m, 1);
}

bool
fn_now(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_now(m, FHIRPATH_DATETIME);
}

bool
fn_today(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_now(m, FHIRPATH_DATE);
}

bool
fn_time_of_day(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return give_now(m, FHIRPATH_TIME);
}
