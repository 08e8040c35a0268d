#include "fhir/judge.h"
#include "fhir/tree_walk.h"

#include "base/text.h"

/* The rules of profiles over the tree: only where a profile asks for something.  A stack of (element,
 * rule); no recursion over the document. */

static void
push_work(struct judge *j, struct work w)
{
    if (j->n_work == j->work_room) {
        uint32_t room = j->work_room * 2 + 64;
        struct work *wide = arena_make_array(j->mem, room, struct work);
        j->full |= !wide;
        if (!wide)
            return;
        if (j->n_work > 0)
            memcpy(wide, j->work, j->n_work * sizeof *wide);
        j->work = wide;
        j->work_room = room;
    }
    j->work[j->n_work++] = w;
}

static void run_work(struct judge *j, uint32_t down_to);

static void judge_item(struct judge *j, struct work w);

static void
judge_profile(struct judge *j, const struct node *node, const struct node *resource,
              const struct profile *profile)
{
    for (const struct profile *p = profile; p; p = p->base)
        judge_item(j, (struct work){.node = node, .resource = resource, .rule = p->root});
}

/* Whether the node would satisfy the profile: findings are counted only.  Inside a trial everything that
 * would need another trial is taken as satisfied, so that trials do not nest. */
static bool
conforms(struct judge *j, const struct node *node, const struct node *resource, const struct profile *profile)
{
    uint32_t before = j->n_work;
    if (j->trial)
        return true;
    j->trial = true;
    j->trial_errors = 0;
    judge_profile(j, node, resource, profile);
    run_work(j, before);
    j->trial = false;
    return j->trial_errors == 0;
}

/* One of the profiles with this shape must hold; a target without profile asks for nothing. */
static void
judge_one_of(struct judge *j, const struct node *at, const struct node *node, const struct node *resource,
             const struct target *list, uint32_t n, uint16_t shape)
{
    const struct profile *only = NULL;
    uint32_t candidates = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].shape != shape)
            continue;
        if (!list[i].profile)
            return;
        only = list[i].profile;
        candidates++;
    }
    if (candidates == 0 || j->trial)
        return;
    if (candidates == 1) {
        judge_add_job(j, node, resource, only);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (list[i].shape == shape && conforms(j, node, resource, list[i].profile))
            return;
    judge_say(j, ISSUE_ERROR, E_INVARIANT, at,
              judge_print(j, "%.*s or another listed profile", VIEW_ARG(only->url)), V("none of them"));
}

/* ---- types ---- */

static uint16_t
shape_of_node(const struct judge *j, const struct node *n)
{
    return shape_of_resource(node_text(j->tree, node_member(j->tree, n, V("resourceType"))));
}

static view
print_types(struct judge *j, const struct rule *r)
{
    view first = shape_name(r->types[0].shape),
         second = r->n_types > 1 ? shape_name(r->types[1].shape) : VIEW_NONE;
    if (r->n_types == 1)
        return first;
    return judge_print(j, "%.*s or %.*s%s", VIEW_ARG(first), VIEW_ARG(second),
                       r->n_types > 2 ? " or another" : "");
}

static void
judge_target(struct judge *j, const struct work *w, const struct type_rule *type)
{
    view text = node_text(j->tree, node_member(j->tree, w->node, V("reference")));
    if (text.n == 0 || type->n_targets == 0)
        return;
    const struct node *to = bundle_resolve(j->bundle, w->resource, text);
    uint16_t shape = to ? shape_of_node(j, to) : shape_of_resource(reference_type(text));
    if (shape == SHAPE_NONE)
        return;
    bool allowed = false;
    for (uint32_t i = 0; i < type->n_targets; i++)
        allowed |= type->targets[i].shape == shape;
    if (!allowed)
        judge_say(j, ISSUE_ERROR, E_TYPE, w->node,
                  judge_print(j, "a reference to %.*s%s", VIEW_ARG(shape_name(type->targets[0].shape)),
                              type->n_targets > 1 ? " or another listed type" : ""),
                  shape_name(shape));
    else if (to)
        judge_one_of(j, w->node, to, to, type->targets, type->n_targets, shape);
}

/* The type that an element has: of a choice the option's, of a resource its own, else the one that the
 * base gives. */
static uint16_t
shape_of_work(const struct judge *j, const struct work *w)
{
    const struct rule *r = w->rule;
    if (r->choice) {
        const struct node *n = w->node ? w->node : w->companion;
        view name = node_name(j->tree, n);
        const struct shape_row *row =
            shape_find(r->parent_shape, view_starts(name, V("_")) ? view_sub(name, 1, name.n) : name);
        return row ? row->type : SHAPE_NONE;
    }
    if (!r->row || r->row->type == SHAPE_Resource)
        return w->node ? shape_of_node(j, w->node) : SHAPE_NONE;
    return r->row->type;
}

static void
judge_types(struct judge *j, const struct work *w)
{
    const struct rule *r = w->rule;
    uint16_t shape = shape_of_work(j, w);
    const struct type_rule *type = NULL;
    if (shape == SHAPE_NONE)
        return;
    for (uint32_t i = 0; i < r->n_types && !type; i++)
        if (r->types[i].shape == shape || r->types[i].shape == SHAPE_NONE)
            type = &r->types[i];
    if (!type) {
        bool open = r->choice || !r->row || r->row->type == SHAPE_Resource;
        if (open)
            judge_say(j, ISSUE_ERROR, r->choice ? E_TYPE : E_RESOURCE_TYPE, w->node ? w->node : w->companion,
                      print_types(j, r), shape_name(shape));
        return;
    }
    if (!w->node || w->node->kind != NODE_OBJECT)
        return;
    if (type->n_profiles > 0 && !type->open)
        judge_one_of(j, w->node, w->node, shape_is_resource(shape) ? w->node : w->resource, type->profiles,
                     type->n_profiles, shape);
    if (shape == SHAPE_Reference)
        judge_target(j, w, type);
}

/* ---- one element ---- */

static void
judge_binding(struct judge *j, const struct work *w)
{
    const struct rule *r = w->rule;
    view system, code;
    if (!w->node || (!r->set && !r->base_codes) ||
        value_answer(j->tree, r->set, r->base_codes, w->node, &system, &code) != CODE_OUT)
        return;
    if (!r->required_binding && code.n == 0)
        return; /* text alone will do */
    judge_say(j, r->required_binding ? ISSUE_ERROR : ISSUE_WARNING,
              r->required_binding ? E_CODE_REQUIRED : E_CODE_UNKNOWN, w->node, r->binding,
              judge_code(j, system, code));
}

static void
judge_constant(struct judge *j, const struct work *w)
{
    const struct constant *c = &w->rule->constant;
    if (w->node && constant_holds(j->tree, w->node, *c))
        return;
    view raw = node_raw(c->tree, c->node);
    judge_say(j, ISSUE_ERROR, E_FIXED, w->node ? w->node : w->companion,
              judge_print(j, "%s%.*s", c->exact ? "" : "at least ", VIEW_ARG(view_sub(raw, 0, 150))),
              V("another value"));
}

static void
judge_predicates(struct judge *j, const struct work *w)
{
    struct scene scene = {.tree = j->tree, .bundle = j->bundle, .resource = w->resource};
    for (const struct rule_predicate *p = w->node ? w->rule->predicates : NULL; p; p = p->next)
        if (!p->predicate->holds(&scene, w->node))
            judge_say(j, p->warning ? ISSUE_WARNING : ISSUE_ERROR, E_INVARIANT, w->node,
                      judge_print(j, "%s: %s", p->predicate->key, p->predicate->expression), V(""));
}

static void
judge_item(struct judge *j, struct work w)
{
    const struct rule *r = w.rule;
    if (!w.node && !w.companion)
        return;
    if (w.node && w.node->kind == NODE_NULL)
        w.node = NULL;
    bool resource = !r->row || r->row->type == SHAPE_Resource;
    if (resource && w.node && node_member(j->tree, w.node, V("resourceType")))
        w.resource = w.node;
    if (r->constant.node)
        judge_constant(j, &w);
    if (r->types)
        judge_types(j, &w);
    if (r->required_binding || r->extensible_binding)
        judge_binding(j, &w);
    if (r->max_length != MANY && w.node && text_length(node_text(j->tree, w.node)) > r->max_length)
        judge_say(j, ISSUE_ERROR, E_VALUE, w.node, judge_print(j, "at most %u characters", r->max_length),
                  V("more"));
    if (r->predicates)
        judge_predicates(j, &w);
    if (r->children)
        push_work(j, w);
}

/* ---- members ---- */

struct member {
    const struct node *value, *companion;
};

static bool
is_option(const struct rule *r, view name)
{
    if (!view_starts(name, r->name) || name.n == r->name.n)
        return false;
    if (!r->row)
        return name.p[r->name.n] >= 'A' && name.p[r->name.n] <= 'Z';
    const struct shape_row *row = shape_find(r->parent_shape, name);
    return row && shape_slot(row) == r->row;
}

static struct member
find_member(const struct judge *j, const struct node *n, const struct rule *r)
{
    struct member m = {NULL, NULL};
    for (NODE_EACH(child, j->tree, n)) {
        view name = node_name(j->tree, child);
        bool companion = name.n > 0 && name.p[0] == '_';
        if (companion)
            name = view_sub(name, 1, name.n);
        if (r->choice ? !is_option(r, name) : !view_eq(name, r->name))
            continue;
        if (companion)
            m.companion = child;
        else
            m.value = child;
    }
    return m;
}

static uint32_t
count_of(const struct node *n)
{
    return !n ? 0 : n->kind == NODE_ARRAY ? node_count(n) : 1;
}

static view
print_count(struct judge *j, const struct rule *r, view slice)
{
    view name = slice.n ? slice : r->name;
    const char *what = slice.n ? "slice " : "";
    if (r->max == MANY)
        return judge_print(j, "%s%.*s %u..*", what, VIEW_ARG(name), r->min);
    return judge_print(j, "%s%.*s%s %u..%u", what, VIEW_ARG(name), r->choice && !slice.n ? "[x]" : "", r->min,
                       r->max);
}

static void
judge_count(struct judge *j, const struct node *at, const struct rule *r, uint32_t n, view slice)
{
    if (n < r->min && !(n == 0 && r->min_given))
        judge_say(j, ISSUE_ERROR, n == 0 ? E_REQUIRED : E_CARDINALITY, at, print_count(j, r, slice),
                  n == 0 ? V("none") : judge_print(j, "%u", n));
    else if (n > r->max)
        judge_say(j, ISSUE_ERROR, E_CARDINALITY, at, print_count(j, r, slice), judge_print(j, "%u", n));
}

/* A relative url inside a complex extension is a name of its definition. */
static bool
is_stray_part(const struct judge *j, const struct work *w, const struct rule *r)
{
    if (!r->row || r->row->type != SHAPE_Extension || r->parent_shape != SHAPE_Extension || !w->node)
        return false;
    view url = node_text(j->tree, node_member(j->tree, w->node, V("url")));
    return url.n > 0 && view_find_byte(url, ':') == url.n;
}

/* The item belongs to a slice that only a parent profile lists, or may do so. */
static bool
is_inherited(const struct judge *j, const struct work *w, const struct rule *r)
{
    for (r = r->inherited; r; r = r->inherited)
        for (const struct slice *s = r->slices; s; s = s->next)
            if (s->unclear || slice_holds(j, s, w->node, w->resource))
                return true;
    return false;
}

/* The slices that an item belongs to; a slice of a slice is judged with the outer one. */
static void
judge_slices(struct judge *j, struct work w, uint32_t *counts)
{
    const struct rule *r = w.rule;
    bool any = false, unclear = false;
    uint32_t i = 0;
    for (const struct slice *s = r->slices; s; s = s->next, i++) {
        unclear |= s->unclear;
        if (s->unclear || !w.node || !slice_holds(j, s, w.node, w.resource))
            continue;
        any = true;
        counts[i]++;
        w.rule = s->rule;
        judge_item(j, w);
    }
    if (any || unclear || (w.node && is_inherited(j, &w, r)))
        return;
    if (is_stray_part(j, &w, r))
        judge_say(j, ISSUE_ERROR, E_EXTENSION_UNKNOWN, w.node, V("a part that the extension defines"),
                  V("another part"));
    else if (r->closed)
        judge_say(j, ISSUE_ERROR, E_CARDINALITY, w.node ? w.node : w.companion,
                  V("an item of a listed slice"), V("another item"));
}

static void
judge_slice_counts(struct judge *j, const struct node *at, const struct rule *r, const uint32_t *counts)
{
    uint32_t i = 0;
    for (const struct slice *s = r->slices; s; s = s->next, i++)
        if (!s->unclear)
            judge_count(j, at, s->rule, counts[i], s->name);
}

static void
judge_member(struct judge *j, const struct work *w, const struct node *object, const struct rule *r)
{
    uint32_t counts[SLICES_MAX] = {0};
    struct member m = find_member(j, object, r);
    const struct node *at = m.value ? m.value : m.companion ? m.companion : object ? object : w->node;
    uint32_t n = count_of(m.value) ? count_of(m.value) : count_of(m.companion);
    judge_count(j, at, r, n, VIEW_NONE);
    const struct node *value = node_items(j->tree, m.value), *companion = node_items(j->tree, m.companion);
    for (uint32_t i = 0; i < n; i++) {
        struct work item = {.node = value, .companion = companion, .resource = w->resource, .rule = r};
        judge_item(j, item);
        if (r->slices || r->closed)
            judge_slices(j, item, counts);
        value = value ? node_next_item(j->tree, m.value, value) : NULL;
        companion = companion ? node_next_item(j->tree, m.companion, companion) : NULL;
    }
    if (r->slices && (n > 0 || r->min == 0)) /* else the element itself is said to be missing */
        judge_slice_counts(j, at, r, counts);
}

static void
run_work(struct judge *j, uint32_t down_to)
{
    while (j->n_work > down_to && !j->full) {
        struct work w = j->work[--j->n_work];
        const struct node *object = w.rule->primitive ? w.companion : w.node;
        for (const struct rule *r = w.rule->children; r; r = r->next)
            judge_member(j, &w, object, r);
    }
}

static void
say_unknown_keys(struct judge *j, const struct job *job)
{
    for (const struct profile *p = job->profile; p; p = p->base)
        for (const struct unknown_key *k = p->unknown_keys; k; k = k->next)
            if (judge_first(j, 3, k->key))
                judge_say(j, ISSUE_INFO, E_RULE_NOT_JUDGED, job->node, k->key, V(""));
}

void
judge_jobs(struct judge *j)
{
    for (uint32_t i = 0; i < j->n_jobs && !j->full; i++) {
        struct job job = j->jobs[i];
        uint16_t shape = job.profile->shape;
        if (shape_is_resource(shape) && shape_of_node(j, job.node) != shape) {
            judge_say(j, ISSUE_ERROR, E_RESOURCE_TYPE, job.node, shape_name(shape),
                      V("another resource type"));
            continue;
        }
        if (j->options->strict)
            say_unknown_keys(j, &job);
        judge_profile(j, job.node, job.resource, job.profile);
        run_work(j, 0);
    }
}
