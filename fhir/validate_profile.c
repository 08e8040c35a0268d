#include "fhir/judge.h"
#include "fhir/tree_walk.h"
#include "fhir/value.h"

#include "base/decimal.h"
#include "base/text.h"

/* The rules of profiles over the tree: only where a profile asks for something.  A stack of (element,
 * rule); no recursion over the document. */

/* Longest line of partial profiles and the parents that are judged beside them. */
#define PARENTS_MAX 16

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
judge_profile(struct judge *j, const struct node *node, const struct node *resource, struct pack_item p)
{
    for (uint32_t line = 0; p.pack && line < PARENTS_MAX; line++) {
        const struct pack_profile *profile = item_profile(p);
        judge_item(j, (struct work){.node = node,
                                    .resource = resource,
                                    .pack = p.pack,
                                    .rule = &p.pack->rules[profile->root]});
        if (!(profile->flags & PACK_PARTIAL))
            return;
        const struct pack_item *parent = pack_link_to(p.pack, profile->base);
        if (parent && !parent->pack) {
            view url = pack_view(p.pack, p.pack->links[profile->base].url);
            if (judge_first(j, 1, url))
                judge_say(j, ISSUE_WARNING, E_PROFILE_NOT_LOADED, node, V("the profile's parent"), url);
        }
        p = parent ? *parent : (struct pack_item){NULL, 0};
    }
}

/* Whether the node would satisfy the profile: findings are counted only.  Inside a trial everything that
 * would need another trial is taken as satisfied, so that trials do not nest. */
bool
judge_conforms(struct judge *j, const struct node *node, const struct node *resource,
               struct pack_item profile)
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

/* ---- types ---- */

static uint16_t
shape_of_node(const struct judge *j, const struct node *n)
{
    return shape_of_resource(node_text(j->tree, node_member(j->tree, n, V("resourceType"))));
}

static const struct pack_type *
type_at(const struct work *w, uint32_t i)
{
    return &w->pack->types[w->rule->types + i];
}

static const struct shape_row *
row_of(const struct pack_rule *r)
{
    return shape_row_at(r->row);
}

static view
print_types(struct judge *j, const struct work *w)
{
    view first = shape_name((uint16_t)type_at(w, 0)->shape);
    view second = w->rule->n_types > 1 ? shape_name((uint16_t)type_at(w, 1)->shape) : VIEW_NONE;
    if (w->rule->n_types == 1)
        return first;
    return judge_print(j, "%.*s or %.*s%s", VIEW_ARG(first), VIEW_ARG(second),
                       w->rule->n_types > 2 ? " or another" : "");
}

/* The type that an element has: of a choice the option's, of a resource its own, else the one that the
 * base gives. */
static uint16_t
shape_of_work(const struct judge *j, const struct work *w)
{
    const struct pack_rule *r = w->rule;
    const struct shape_row *row = row_of(r);
    if (r->flags & RULE_CHOICE) {
        const struct node *n = w->node ? w->node : w->companion;
        view name = node_name(j->tree, n);
        row = shape_find(r->parent_shape, view_starts(name, V("_")) ? view_sub(name, 1, name.n) : name);
        return row ? row->type : SHAPE_NONE;
    }
    if (!row && r->shape != SHAPE_NONE && !shape_is_resource(r->shape))
        return r->shape; /* the root of a type's profile */
    if (!row || row->type == SHAPE_Resource)
        return w->node ? shape_of_node(j, w->node) : SHAPE_NONE;
    return row->type;
}

static void
judge_types(struct judge *j, const struct work *w)
{
    const struct pack_rule *r = w->rule;
    uint16_t shape = shape_of_work(j, w);
    const struct pack_type *type = NULL;
    const struct shape_row *row = row_of(r);
    bool resource = !row || row->type == SHAPE_Resource;
    if (shape == SHAPE_NONE)
        return;
    for (uint32_t i = 0; i < r->n_types && !type; i++) {
        uint32_t own = type_at(w, i)->shape;
        if (own == shape || own == SHAPE_NONE || (resource && own == SHAPE_Resource))
            type = type_at(w, i);
    }
    if (!type) {
        bool choice = r->flags & RULE_CHOICE;
        if (choice || resource)
            judge_say(j, ISSUE_ERROR, choice ? E_TYPE : E_RESOURCE_TYPE, w->node ? w->node : w->companion,
                      print_types(j, w), shape_name(shape));
        return;
    }
    if (!w->node || w->node->kind != NODE_OBJECT)
        return;
    if (type->profiles.n > 0)
        judge_one_of(j, w->node, w->node, shape_is_resource(shape) ? w->node : w->resource, w->pack,
                     type->profiles, shape);
    if (shape == SHAPE_Reference)
        judge_targets(j, w->node, w->resource, w->pack, type->targets);
}

/* ---- one element ---- */

static void
judge_constant(struct judge *j, const struct work *w)
{
    const struct pack_constant *c = &w->pack->constants[w->rule->constant];
    if (w->node && constant_holds(j->tree, w->node, w->pack, w->rule->constant))
        return;
    view raw = pack_view(w->pack, c->source);
    judge_say(j, ISSUE_ERROR, E_FIXED, w->node ? w->node : w->companion,
              judge_print(j, "%s%.*s", c->exact ? "" : "at least ", VIEW_ARG(view_sub(raw, 0, 150))),
              V("another value"));
}

/* -1, 0, 1; 2 when the two cannot be compared. */
static int
compare_values(view a, view b)
{
    decimal x, y;
    int64_t a_from, a_to, b_from, b_to;
    if (decimal_parse(a, &x) == E_OK && decimal_parse(b, &y) == E_OK)
        return decimal_cmp(x, y);
    if (!value_time_range(a, &a_from, &a_to) || !value_time_range(b, &b_from, &b_to))
        return 2;
    return a_to < b_from ? -1 : a_from > b_to ? 1 : 0;
}

/* Of quantities the values are compared where the units are the same, or where the bound is zero. */
static bool
bound_texts(const struct judge *j, const struct work *w, const struct tree *t, view *ret_value,
            view *ret_bound)
{
    const struct node *bound = tree_root(t);
    *ret_value = node_text(j->tree, w->node);
    *ret_bound = node_text(t, bound);
    if (bound->kind != NODE_OBJECT || w->node->kind != NODE_OBJECT)
        return bound->kind < NODE_ARRAY && w->node->kind < NODE_ARRAY;
    *ret_value = node_text(j->tree, node_member(j->tree, w->node, V("value")));
    *ret_bound = node_text(t, node_member(t, bound, V("value")));
    return view_eq(*ret_bound, V("0")) ||
           view_eq(node_text(t, node_member(t, bound, V("code"))),
                   node_text(j->tree, node_member(j->tree, w->node, V("code"))));
}

static void
judge_bound(struct judge *j, const struct work *w, uint32_t constant, bool least)
{
    struct tree t = pack_tree(w->pack, constant);
    view value, bound;
    if (!bound_texts(j, w, &t, &value, &bound))
        return;
    int order = compare_values(value, bound);
    if (order != 2 && (least ? order < 0 : order > 0))
        judge_say(j, ISSUE_ERROR, E_OUT_OF_RANGE, w->node,
                  judge_print(j, "at %s %.*s", least ? "least" : "most", VIEW_ARG(bound)),
                  V("a value outside"));
}

static void
judge_value(struct judge *j, const struct work *w)
{
    const struct pack_rule *r = w->rule;
    if (r->binding != PACK_NONE || r->base_codes)
        judge_binding(j, w->node, w->pack, r->binding, r->base_codes, r->flags & RULE_REQUIRED);
    if (r->max_length != UINT32_MAX && text_length(node_text(j->tree, w->node)) > r->max_length)
        judge_say(j, ISSUE_ERROR, E_VALUE, w->node, judge_print(j, "at most %u characters", r->max_length),
                  V("more"));
    if (r->min_length > 0 && w->node->kind < NODE_ARRAY &&
        text_length(node_text(j->tree, w->node)) < r->min_length)
        judge_say(j, ISSUE_ERROR, E_VALUE, w->node, judge_print(j, "at least %u characters", r->min_length),
                  V("fewer"));
    if (r->min_value != PACK_NONE)
        judge_bound(j, w, r->min_value, true);
    if (r->max_value != PACK_NONE)
        judge_bound(j, w, r->max_value, false);
}

static void
judge_item(struct judge *j, struct work w)
{
    const struct pack_rule *r = w.rule;
    if (!w.node && !w.companion)
        return;
    if (w.node && w.node->kind == NODE_NULL)
        w.node = NULL;
    const struct shape_row *row = row_of(r);
    const struct node *outer = w.resource; /* %resource of what the outer one says of the inner */
    bool resource = !row || row->type == SHAPE_Resource;
    if (resource && w.node && node_member(j->tree, w.node, V("resourceType")))
        w.resource = w.node;
    if (r->constant != PACK_NONE)
        judge_constant(j, &w);
    if (r->n_types > 0)
        judge_types(j, &w);
    if (w.node)
        judge_value(j, &w);
    if (r->constraints.n > 0) {
        const struct spot at = {w.node, w.companion, outer, shape_of_work(j, &w)};
        judge_constraints(j, &at, w.pack, r->constraints);
    }
    if (r->children.n > 0)
        push_work(j, w);
}

/* ---- members ---- */

struct member {
    const struct node *value, *companion;
};

static bool
is_option(const struct pack_rule *r, view own, view name)
{
    if (!view_starts(name, own) || name.n == own.n)
        return false;
    if (!r->row)
        return name.p[own.n] >= 'A' && name.p[own.n] <= 'Z';
    const struct shape_row *row = shape_find(r->parent_shape, name);
    return row && shape_slot(row) == row_of(r);
}

static struct member
find_member(const struct judge *j, const struct node *n, const struct work *w)
{
    struct member m = {NULL, NULL};
    view own = pack_view(w->pack, w->rule->name);
    bool choice = w->rule->flags & RULE_CHOICE;
    for (NODE_EACH(child, j->tree, n)) {
        view name = node_name(j->tree, child);
        bool companion = name.n > 0 && name.p[0] == '_';
        if (companion)
            name = view_sub(name, 1, name.n);
        if (choice ? !is_option(w->rule, own, name) : !view_eq(name, own))
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
print_count(struct judge *j, const struct work *w, view slice)
{
    const struct pack_rule *r = w->rule;
    view name = slice.n ? slice : pack_view(w->pack, r->name);
    const char *what = slice.n ? "slice " : "", *choice = (r->flags & RULE_CHOICE) && !slice.n ? "[x]" : "";
    if (r->max == UINT32_MAX)
        return judge_print(j, "%s%.*s%s %u..*", what, VIEW_ARG(name), choice, r->min);
    return judge_print(j, "%s%.*s%s %u..%u", what, VIEW_ARG(name), choice, r->min, r->max);
}

static void
judge_count(struct judge *j, const struct node *at, const struct work *w, uint32_t n, view slice)
{
    const struct pack_rule *r = w->rule;
    if (n < r->min && !(n == 0 && (r->flags & RULE_MIN_GIVEN)))
        judge_say(j, ISSUE_ERROR, n == 0 ? E_REQUIRED : E_CARDINALITY, at, print_count(j, w, slice),
                  n == 0 ? V("none") : judge_print(j, "%u", n));
    else if (n > r->max)
        judge_say(j, ISSUE_ERROR, E_CARDINALITY, at, print_count(j, w, slice), judge_print(j, "%u", n));
}

/* A relative url inside a complex extension is a name of its definition. */
static bool
is_stray_part(const struct judge *j, const struct work *w)
{
    if (!(w->rule->flags & RULE_PARTS) || !w->node)
        return false;
    view url = node_text(j->tree, node_member(j->tree, w->node, V("url")));
    return url.n > 0 && view_find_byte(url, ':') == url.n;
}

/* Counting the slices of one list. */
struct tally {
    uint32_t counts[SLICES_MOST];
    uint32_t last;             /* the last slice that an item belonged to, plus 1 */
    bool outside;              /* an item belonged to none */
    bool matched[SLICES_MOST]; /* of the present item */
};

static void
judge_order(struct judge *j, const struct work *w, struct tally *tally, uint32_t slice)
{
    unsigned flags = w->rule->flags;
    const struct node *n = w->node ? w->node : w->companion;
    if ((flags & RULE_ORDERED) && slice + 1 < tally->last)
        judge_say(j, ISSUE_ERROR, E_ELEMENT_ORDER, n, V("slices in the order of the profile"),
                  V("another order"));
    if ((flags & RULE_OPEN_AT_END) && tally->outside)
        judge_say(j, ISSUE_ERROR, E_ELEMENT_ORDER, n, V("items of slices before all others"),
                  V("another order"));
    if (slice + 1 > tally->last)
        tally->last = slice + 1;
}

/* The slices that an item belongs to; a slice of a slice only where the outer one holds. */
static void
judge_slices(struct judge *j, struct work w, struct tally *tally)
{
    const struct work list = w;
    bool any = false, unclear = false;
    for (uint32_t i = 0; i < w.rule->slices.n; i++) {
        const struct pack_slice *s = &w.pack->slices[list.rule->slices.from + i];
        unclear |= s->unclear;
        tally->matched[i] = !s->unclear && (!s->within || tally->matched[s->within - 1]) &&
                            slice_holds(j, w.pack, s, w.node, w.companion, w.resource);
        if (!tally->matched[i])
            continue;
        any = true;
        tally->counts[i]++;
        if (!s->within)
            judge_order(j, &list, tally, i);
        struct work inner = list;
        inner.rule = &w.pack->rules[s->rule];
        judge_item(j, inner);
    }
    if (any || unclear)
        return;
    tally->outside = true;
    if (is_stray_part(j, &w))
        judge_say(j, ISSUE_ERROR, E_EXTENSION_UNKNOWN, w.node, V("a part that the extension defines"),
                  V("another part"));
    else if (w.rule->flags & RULE_CLOSED)
        judge_say(j, ISSUE_ERROR, E_CARDINALITY, w.node ? w.node : w.companion,
                  V("an item of a listed slice"), V("another item"));
}

static void
judge_slice_counts(struct judge *j, const struct node *at, const struct work *w, const struct tally *tally)
{
    for (uint32_t i = 0; i < w->rule->slices.n; i++) {
        const struct pack_slice *s = &w->pack->slices[w->rule->slices.from + i];
        struct work slice = {.pack = w->pack, .rule = &w->pack->rules[s->rule]};
        bool idle = s->within && tally->counts[s->within - 1] == 0;
        if (!s->unclear && !idle)
            judge_count(j, at, &slice, tally->counts[i], pack_view(w->pack, s->name));
    }
}

static void
judge_member(struct judge *j, const struct work *w, const struct node *object)
{
    struct member m = find_member(j, object, w);
    const struct node *at = m.value ? m.value : m.companion ? m.companion : object ? object : w->node;
    uint32_t n = count_of(m.value) ? count_of(m.value) : count_of(m.companion);
    struct tally tally;
    bool sliced = w->rule->flags & RULE_SLICED;
    judge_count(j, at, w, n, VIEW_NONE);
    if (sliced) {
        tally.last = 0;
        tally.outside = false;
        memset(tally.counts, 0, w->rule->slices.n * sizeof *tally.counts);
    }
    const struct node *value = node_items(j->tree, m.value), *companion = node_items(j->tree, m.companion);
    for (uint32_t i = 0; i < n; i++) {
        struct work item = {
            .node = value, .companion = companion, .resource = w->resource, .pack = w->pack, .rule = w->rule};
        judge_item(j, item);
        if (sliced)
            judge_slices(j, item, &tally);
        value = value ? node_next_item(j->tree, m.value, value) : NULL;
        companion = companion ? node_next_item(j->tree, m.companion, companion) : NULL;
    }
    /* else the element itself is said to be missing */
    if (sliced && (n > 0 || w->rule->min == 0))
        judge_slice_counts(j, at, w, &tally);
}

static void
run_work(struct judge *j, uint32_t down_to)
{
    while (j->n_work > down_to && !j->full) {
        struct work w = j->work[--j->n_work];
        const struct node *object = w.rule->flags & RULE_PRIMITIVE ? w.companion : w.node;
        for (PACK_EACH(i, w.rule->children)) {
            struct work child = w;
            child.rule = &w.pack->rules[i];
            judge_member(j, &child, object);
        }
    }
}

/* What the next window of the same profile would refuse. */
static void
look_ahead(struct judge *j, const struct job *job)
{
    uint32_t from;
    view url = pack_view(job->profile.pack, item_profile(job->profile)->url);
    struct pack_item next = packs_find_next(j->set, url, j->options->today, &from);
    if (!next.pack || judge_conforms(j, job->node, job->resource, next))
        return;
    judge_say(j, ISSUE_WARNING, E_REFUSED_LATER, job->node,
              judge_print(j, "%.*s|%.*s, in force from %04u-%02u-%02u", VIEW_ARG(url),
                          VIEW_ARG(pack_version_of(next.pack, PACK_IS_PROFILE, next.n)), from / 10000,
                          from / 100 % 100, from % 100),
              V("a document of the version before"));
}

/* A document with so many faults is not judged by more profiles: it is refused, and they would name the same faults again. */
#define STRUCTURE_ERRORS_MAX 500

void
judge_jobs(struct judge *j)
{
    for (uint32_t i = 0; i < j->n_jobs && !j->full && j->issues->errors < STRUCTURE_ERRORS_MAX; i++) {
        struct job job = j->jobs[i];
        uint16_t shape = item_profile(job.profile)->shape;
        if (shape_is_resource(shape) && shape_of_node(j, job.node) != shape) {
            judge_say(j, ISSUE_ERROR, E_RESOURCE_TYPE, job.node, shape_name(shape),
                      V("another resource type"));
            continue;
        }
        judge_profile(j, job.node, job.resource, job.profile);
        run_work(j, 0);
        if (j->options->today && j->set->n_packs > 1)
            look_ahead(j, &job);
    }
    j->n_jobs = 0;
}
