#include "fhir/profile.h"

/* Discriminators: how an item is told to belong to a slice.  The profile says where to look (a path) and
 * in the slice's own rules what must be there. */

/* Levels between an element and the one whose type's profile describes it. */
#define PLACE_STEPS_MAX 16

struct match_step {
    uint8_t kind; /* enum pack_step_kind */
    view name;
};

struct finder {
    const struct sources *sources;
    const struct rule *rule;  /* where the path has led; NULL behind the last rule */
    struct constant constant; /* of the place, when a rule on the way has one */
};

static struct constant
constant_below(struct constant c, view name)
{
    /* In an array any item will do: patterns have one. */
    const struct node *n = c.node && c.node->kind == NODE_ARRAY ? node_first(c.tree, c.node) : c.node;
    return (struct constant){.tree = c.tree, .node = node_member(c.tree, n, name), .exact = c.exact};
}

/* The next step of a discriminator path; false when the path is not understood. */
static bool
next_step(view *rest, struct match_step *ret)
{
    view text = *rest;
    static const view extension = {"extension('", 11};
    if (view_starts(text, extension)) {
        view inner = view_sub(text, extension.n, text.n);
        view url = view_cut(&inner, '\'', NULL);
        if (!view_starts(inner, V(")")))
            return false;
        *ret = (struct match_step){.kind = STEP_EXTENSION, .name = url};
        *rest = view_sub(inner, view_starts(inner, V(").")) ? 2 : 1, inner.n);
        return true;
    }
    view name = view_cut(rest, '.', NULL);
    *ret = (struct match_step){.kind = STEP_MEMBER, .name = name};
    if (view_eq(name, V("resolve()")))
        ret->kind = STEP_RESOLVE;
    return ret->kind == STEP_RESOLVE || view_find_byte(name, '(') == name.n;
}

/* canonical may name a version. */
static bool
is_canonical(view canonical, view url)
{
    return view_eq(view_cut(&canonical, '|', NULL), url);
}

static bool
has_profile(const struct rule *r, view url)
{
    for (uint32_t i = 0; i < r->n_types; i++)
        for (uint32_t k = 0; k < r->types[i].n_profiles; k++)
            if (is_canonical(r->types[i].profiles[k], url))
                return true;
    return false;
}

/* The rule of the slice of an element "extension" that stands for this URL. */
static const struct rule *
extension_rule(const struct rule *from, view url)
{
    const struct rule *list = rule_child(from, V("extension"));
    for (const struct slice *s = list ? list->slices : NULL; s; s = s->next)
        if (has_profile(s->rule, url))
            return s->rule;
    return NULL;
}

/* What the one profile of an element says of itself: slices are often told apart by what their type's profile, or
 * the profile of a reference's target, fixes. */
static const struct rule *
rule_of_profile(const struct sources *s, const struct rule *r, bool target)
{
    const struct type_rule *type = r && r->n_types == 1 ? r->types : NULL;
    const view *list = !type ? NULL : target ? type->targets : type->profiles;
    uint32_t n = !type ? 0 : target ? type->n_targets : type->n_profiles;
    const struct source_file *file = n == 1 ? sources_find(s, PACK_IS_PROFILE, list[0]) : NULL;
    struct profile *p;
    struct fault unused;
    fault_init(&unused);
    return file && profile_draft(s, file, &p, &unused) == E_OK ? p->root : NULL;
}

static void
follow(struct finder *at, struct match_step *step)
{
    const struct rule *rule = at->rule;
    struct constant c = at->constant.node || !rule ? at->constant : rule->constant;
    if (step->kind == STEP_RESOLVE) {
        const struct rule *target = rule_of_profile(at->sources, rule, true);
        at->rule = target ? target : rule;
        return;
    }
    if (step->kind == STEP_EXTENSION) {
        const struct rule *extension = extension_rule(rule, step->name);
        at->rule =
            extension && !extension->children ? rule_of_profile(at->sources, extension, false) : extension;
        at->constant = (struct constant){0};
        return;
    }
    at->constant = c.node ? constant_below(c, step->name) : (struct constant){0};
    at->rule = rule_child(rule, step->name);
    if (!at->rule && !at->constant.node)
        at->rule = rule_child(rule_of_profile(at->sources, rule, false), step->name);
    if (at->rule && at->rule->choice)
        step->kind = STEP_CHOICE;
}

static bool
find_place(struct matcher *m, struct finder *at, view path)
{
    view rest = path;
    if (view_eq(path, V("$this"))) {
        at->constant = at->rule->constant;
        if (!at->constant.node && at->rule->binding.n == 0) {
            const struct rule *own = rule_of_profile(at->sources, at->rule, false);
            at->constant = own ? own->constant : at->constant;
        }
        return true;
    }
    while (rest.n > 0) {
        struct match_step step;
        if (m->n_steps == MATCH_STEPS_MAX || !next_step(&rest, &step))
            return false;
        follow(at, &step);
        m->steps[m->n_steps].kind = step.kind;
        m->steps[m->n_steps++].name = step.name;
    }
    if (!at->constant.node && at->rule)
        at->constant = at->rule->constant;
    return true;
}

/* An extension's slice is known by the profile of its type. */
static bool
match_url(const struct rule *slice, view path, struct matcher *m)
{
    if (!view_eq(path, V("url")))
        return false;
    for (uint32_t i = 0; i < slice->n_types; i++) {
        if (slice->types[i].shape != SHAPE_Extension || slice->types[i].n_profiles == 0)
            continue;
        view canonical = slice->types[i].profiles[0];
        m->kind = MATCH_TEXT;
        m->text = view_cut(&canonical, '|', NULL);
        return true;
    }
    return false;
}

static bool
match_value(const struct finder *at, struct matcher *m)
{
    const struct rule *r = at->rule;
    if (at->constant.node) {
        m->kind = MATCH_CONSTANT;
        m->constant = at->constant;
        return true;
    }
    if (!r || r->binding.n == 0 || (!r->required_binding && !r->extensible_binding))
        return false;
    m->kind = MATCH_CODES;
    m->set = r->binding;
    m->base_codes = codes_of_url(r->binding);
    return true;
}

/* What stands there has one of these types: of a reference its targets, else the rule's own types, each as a
 * profile or as a type of the base. */
static bool
match_types(const struct finder *at, bool by_profile, struct matcher *m, arena *mem)
{
    const struct rule *r = at->rule;
    bool resolve = m->n_steps > 0 && m->steps[m->n_steps - 1].kind == STEP_RESOLVE;
    uint32_t room = 0;
    for (uint32_t i = 0; r && i < r->n_types; i++)
        room += resolve ? r->types[i].n_targets : r->types[i].n_profiles + 1;
    m->types = room ? arena_make_array(mem, room, view) : NULL;
    if (!m->types)
        return false;
    for (uint32_t i = 0; i < r->n_types; i++) {
        const struct type_rule *type = &r->types[i];
        const view *list = resolve ? type->targets : type->profiles;
        uint32_t n = resolve ? type->n_targets : type->n_profiles;
        for (uint32_t k = 0; k < n; k++)
            m->types[m->n_types++] = list[k];
        if (!resolve && n == 0)
            m->types[m->n_types++] =
                arena_printf(mem, "%s%.*s", CORE_PREFIX, VIEW_ARG(shape_name(type->shape)));
    }
    /* The type of a choice stands in the name of its member. */
    m->kind = r->choice && !resolve ? MATCH_OPTIONS : MATCH_TYPES;
    m->by_profile = by_profile;
    return m->n_types > 0;
}

static bool
match_existence(const struct finder *at, struct matcher *m)
{
    if (!at->rule || (at->rule->min == 0 && at->rule->max > 0))
        return false;
    m->kind = at->rule->max == 0 ? MATCH_ABSENT : MATCH_EXISTS;
    return true;
}

/* Fills m from the rules of one profile; false when they say nothing about the place. */
static bool
make_matcher(const struct sources *s, const struct rule *slice, const struct discriminator *d,
             struct matcher *m)
{
    struct finder at = {.sources = s, .rule = slice};
    arena *mem = s->mem;
    *m = (struct matcher){0};
    if (!find_place(m, &at, d->path))
        return false;
    if (view_eq(d->type, V("exists")))
        return match_existence(&at, m);
    if (view_eq(d->type, V("type")) || view_eq(d->type, V("profile")))
        return match_types(&at, view_eq(d->type, V("profile")), m, mem);
    return match_value(&at, m) || match_url(slice, d->path, m);
}

/* The rule at the same place below another root: r lies below from, by members and slices. */
static const struct rule *
same_place(const struct rule *from, const struct rule *r, const struct rule *root)
{
    const struct rule *line[PLACE_STEPS_MAX];
    uint32_t n = 0;
    for (; r != from && n < PLACE_STEPS_MAX; r = r->parent)
        line[n++] = r;
    while (r == from && root && n-- > 0)
        root =
            line[n]->is_slice ? rule_slice(root, rule_slice_name(line[n])) : rule_child(root, line[n]->name);
    return r == from ? root : NULL;
}

/* A slice of which this profile does not say how it is known: the profile of a type further out may name the same
 * slice at the same place, and say it. */
static bool
make_outer_matcher(const struct sources *s, const struct rule *slice, const struct discriminator *d,
                   struct matcher *m)
{
    for (const struct rule *outer = slice->parent; outer; outer = outer->parent) {
        const struct rule *other = same_place(outer, slice, rule_of_profile(s, outer, false));
        if (other && make_matcher(s, other, d, m))
            return true;
    }
    return false;
}

static const struct discriminator *
discriminators_of(const struct rule *r)
{
    /* Extensions are sliced by url even where nobody says so; a choice by the type. */
    static struct discriminator by_url = {.type = {"value", 5}, .path = {"url", 3}};
    static struct discriminator by_type = {.type = {"type", 4}, .path = {"$this", 5}};
    bool extension = view_eq(r->name, V("extension")) || view_eq(r->name, V("modifierExtension"));
    if (r->discriminators)
        return r->discriminators;
    return extension ? &by_url : r->choice ? &by_type : NULL;
}

static err
link_slice(const struct sources *sources, struct slice *s, const struct discriminator *d)
{
    for (; d; d = d->next) {
        struct matcher *m = arena_make(sources->mem, struct matcher);
        if (!m)
            return E_TOO_LARGE;
        if (!make_matcher(sources, s->rule, d, m) && !make_outer_matcher(sources, s->rule, d, m)) {
            s->unclear = true;
            continue;
        }
        m->next = s->matchers;
        s->matchers = m;
    }
    return E_OK;
}

/* A closed list that restates some slices of a profile further out is closed to none of the others; that profile says what
 * is asked of them. */
static err
inherit_slices(const struct sources *sources, struct profile *p, struct rule *list)
{
    for (const struct rule *outer = list->parent; outer; outer = outer->parent) {
        const struct rule *other = same_place(outer, list, rule_of_profile(sources, outer, false));
        for (const struct slice *s = other ? other->slices : NULL; s; s = s->next)
            if (!rule_slice(list, s->name))
                TRY(rule_add_slice(p, sources->mem, list, s->name, s->rule->id));
    }
    return E_OK;
}

err
profile_link_slices(const struct sources *sources, struct profile *p, struct fault *f)
{
    for (struct rule *r = p->root; r; r = r->next_in_profile) {
        const struct discriminator *d = r->slices ? discriminators_of(r) : NULL;
        if (r->slices && (r->closed || r->open_at_end) && inherit_slices(sources, p, r) != E_OK)
            return profile_fault(p->file, r->id, f, "fewer slices", "too many");
        for (struct slice *s = r->slices; s; s = s->next) {
            err e = link_slice(sources, s, d);
            if (e == E_OK && s->within)
                e = link_slice(sources, s, s->within->rule->discriminators);
            s->unclear |= !s->matchers;
            if (e != E_OK)
                return profile_fault(p->file, r->id, f, "less than the memory for profiles", "");
        }
    }
    return E_OK;
}
