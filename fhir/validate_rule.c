#include "fhir/judge.h"
#include "fhir/predicate.h"
#include "fhir/tree_walk.h"

#include "fhir/fhirpath.h"

/* Rules that the base and profiles have in common: targets of references, bindings, constraints. */

#define SCRATCH_BYTES_MAX (16u << 20)

static uint16_t
shape_of_node(const struct judge *j, const struct node *n)
{
    return shape_of_resource(node_text(j->tree, node_member(j->tree, n, V("resourceType"))));
}

/* The type that a link stands for; SHAPE_NONE: anything, or not known. */
static uint16_t
shape_of_link(const struct pack *pack, uint32_t link)
{
    const struct pack_item to = pack->link_to[link];
    uint16_t shape = to.pack ? item_profile(to)->shape : (uint16_t)pack->links[link].shape;
    return shape == SHAPE_Resource || shape == SHAPE_DomainResource ? SHAPE_NONE : shape;
}

void
judge_one_of(struct judge *j, const struct node *at, const struct node *node, const struct node *resource,
             const struct pack *pack, struct pack_span links, uint16_t shape)
{
    struct pack_item only = {NULL, 0};
    uint32_t candidates = 0;
    for (PACK_EACH(i, links)) {
        uint32_t link = pack->numbers[i];
        uint16_t own = shape_of_link(pack, link);
        if (own != shape && own != SHAPE_NONE)
            continue;
        if (!pack->link_to[link].pack)
            return; /* a type of the base, or one that nobody here knows */
        only = pack->link_to[link];
        candidates++;
    }
    if (candidates == 0 || j->trial)
        return;
    if (candidates == 1) {
        judge_add_job(j, node, resource, only);
        return;
    }
    for (PACK_EACH(k, links)) {
        struct pack_item p = pack->link_to[pack->numbers[k]];
        if (p.pack && item_profile(p)->shape == shape && judge_conforms(j, node, resource, p))
            return;
    }
    judge_say(j, ISSUE_ERROR, E_INVARIANT, at,
              judge_print(j, "%.*s or another listed profile",
                          VIEW_ARG(pack_view(only.pack, item_profile(only)->url))),
              V("none of them"));
}

/* Without types that are known nothing can be said. */
static bool
allows_target(const struct pack *pack, struct pack_span targets, uint16_t shape)
{
    for (PACK_EACH(i, targets)) {
        uint16_t own = shape_of_link(pack, pack->numbers[i]);
        if (own == shape || own == SHAPE_NONE)
            return true;
    }
    return false;
}

void
judge_targets(struct judge *j, const struct node *reference, const struct node *resource,
              const struct pack *pack, struct pack_span targets)
{
    view text = node_text(j->tree, node_member(j->tree, reference, V("reference")));
    if (targets.n == 0)
        return;
    const struct node *to = text.n ? bundle_resolve(j->bundle, resource, text) : NULL;
    uint16_t shape = to ? shape_of_node(j, to) : shape_of_resource(reference_type(text));
    if (!to && shape == SHAPE_NONE)
        shape = shape_of_resource(node_text(j->tree, node_member(j->tree, reference, V("type"))));
    if (shape == SHAPE_NONE)
        return;
    if (!allows_target(pack, targets, shape)) {
        view first = shape_name(shape_of_link(pack, pack->numbers[targets.from]));
        judge_say(j, ISSUE_ERROR, E_TYPE, reference,
                  judge_print(j, "a reference to %.*s%s", VIEW_ARG(first),
                              targets.n > 1 ? " or another listed type" : ""),
                  shape_name(shape));
    } else if (to) {
        judge_one_of(j, reference, to, to, pack, targets, shape);
    }
}

/* ---- constraints ---- */

static const struct node *
resolve_fn(void *self, const struct node *from, view reference)
{
    const struct judge *j = self;
    return bundle_resolve(j->bundle, from, reference);
}

static const struct node *
node_of(const struct judge *j, const struct fhirpath_value *value)
{
    return value->kind == FHIRPATH_NODE && value->node != FHIRPATH_NO_NODE ? &j->tree->nodes[value->node]
                                                                           : NULL;
}

static bool
member_fn(void *self, const struct fhirpath_value *value, view url, bool *ret_known)
{
    struct judge *j = self;
    view system, code;
    const struct node *n = node_of(j, value);
    struct pack_item set = judge_find(j, PACK_IS_SET, url);
    enum code_answer a = CODE_UNCLEAR;
    if (n)
        a = value_answer(j->tree, &set, codes_of_url(url), n, &system, &code);
    else if (value->kind == FHIRPATH_STRING)
        a = codes_answer(&set, codes_of_url(url), VIEW_NONE, false, value->text);
    *ret_known = a != CODE_UNCLEAR;
    return a == CODE_IN;
}

static bool
conforms_fn(void *self, const struct fhirpath_value *value, view url, bool *ret_known)
{
    struct judge *j = self;
    const struct node *n = node_of(j, value);
    struct pack_item p = judge_find(j, PACK_IS_PROFILE, url);
    view type = n ? node_text(j->tree, node_member(j->tree, n, V("resourceType"))) : VIEW_NONE;
    if (type.n > 0 && view_starts(url, V(CORE_URL))) {
        *ret_known = true;
        return view_eq(view_sub(url, sizeof CORE_URL - 1, url.n), type);
    }
    *ret_known = n && p.pack && !j->trial;
    return *ret_known && judge_conforms(j, n, n, p);
}

static const struct fhirpath_doors doors = {
    .resolve = resolve_fn, .member_of = member_fn, .conforms_to = conforms_fn};

/* Absent where the expression could not be evaluated: then nothing is said. */
static bool
program_holds(struct judge *j, const struct spot *at, const struct pack *pack,
              const struct pack_constraint *c)
{
    bool holds;
    struct fault f;
    fault_init(&f);
    if (!j->scratch)
        j->scratch = arena_new(SCRATCH_BYTES_MAX);
    const struct fhirpath_focus focus = {.tree = j->tree,
                                         .node = at->node,
                                         .companion = at->companion,
                                         .shape = at->shape,
                                         .resource = at->resource,
                                         .root_resource = bundle_container(j->tree, at->resource),
                                         .doors = &doors,
                                         .self = j,
                                         .mem = j->scratch,
                                         .steps = &j->steps};
    view program = {pack->programs + c->program.from, c->program.n};
    err e = fhirpath_holds(program, &focus, &holds, &f);
    arena_reset(j->scratch);
    if (e == E_OK)
        return holds;
    view key = pack_view(pack, c->key);
    if (judge_first(j, 4, key))
        judge_say(j, ISSUE_INFO, E_RULE_NOT_JUDGED, at->node ? at->node : at->companion, key,
                  view_of(err_info(e)->code));
    return true;
}

bool
judge_leads_to(struct judge *j, const struct pack *pack, struct pack_span program,
               const struct node *resource, const struct node *element)
{
    struct fhirpath_values found;
    struct fault f;
    uint32_t wanted = node_index(j->tree, element);
    bool leads = false;
    fault_init(&f);
    if (!j->scratch)
        j->scratch = arena_new(SCRATCH_BYTES_MAX);
    const struct fhirpath_focus focus = {.tree = j->tree,
                                         .node = resource,
                                         .resource = resource,
                                         .root_resource = bundle_container(j->tree, resource),
                                         .doors = &doors,
                                         .self = j,
                                         .mem = j->scratch,
                                         .steps = &j->steps};
    err e = fhirpath_eval((view){pack->programs + program.from, program.n}, &focus, &found, &f);
    for (uint32_t i = 0; e == E_OK && i < found.n; i++)
        leads |= found.items[i].kind == FHIRPATH_NODE &&
                 (found.items[i].node == wanted || found.items[i].companion == wanted);
    arena_reset(j->scratch);
    return leads || e != E_OK;
}

/* Rules without C and without program are named once, to those who want to know. */
static bool
constraint_holds(struct judge *j, const struct spot *at, const struct pack *pack,
                 const struct pack_constraint *c)
{
    if (c->native > 0) {
        const struct predicate *p = predicate_at(c->native);
        struct scene scene = {.tree = j->tree,
                              .bundle = j->bundle,
                              .resource = at->resource,
                              .expression = pack_view(pack, c->expression)};
        return !p->holds || !at->node || p->holds(&scene, at->node);
    }
    if (c->program.n > 0)
        return program_holds(j, at, pack, c);
    view key = pack_view(pack, c->key);
    if (j->options->strict && !(c->flags & CONSTRAINT_WARNING) && judge_first(j, 3, key))
        judge_say(j, ISSUE_INFO, E_RULE_NOT_JUDGED, at->node ? at->node : at->companion, key, V(""));
    return true;
}

static void
say_broken(struct judge *j, const struct spot *at, const struct pack *pack, const struct pack_constraint *c)
{
    view text = pack_view(pack, c->human);
    enum issue_severity severity = c->flags & CONSTRAINT_BEST_PRACTICE ? ISSUE_INFO
                                   : c->flags & CONSTRAINT_NARRATIVE
                                       ? judge_severity(j, WEIGHT_NARRATIVE_SOURCE)
                                   : c->flags & CONSTRAINT_WARNING ? ISSUE_WARNING
                                                                   : ISSUE_ERROR;
    if (text.n == 0)
        text = pack_view(pack, c->expression);
    judge_say(
        j, severity, E_INVARIANT, at->node ? at->node : at->companion,
        judge_print(j, "%.*s: %.*s", VIEW_ARG(pack_view(pack, c->key)), VIEW_ARG(view_sub(text, 0, 200))),
        V(""));
}

void
judge_constraints(struct judge *j, const struct spot *at, const struct pack *pack, struct pack_span numbers)
{
    for (PACK_EACH(i, numbers)) {
        const struct pack_constraint *c = &pack->constraints[pack->numbers[i]];
        if ((c->flags & CONSTRAINT_BEST_PRACTICE) && !j->options->advice)
            continue;
        if (!constraint_holds(j, at, pack, c))
            say_broken(j, at, pack, c);
    }
}
