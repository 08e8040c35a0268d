#include "fhir/profile.h"

/* Discriminators: how an item is told to belong to a slice.  The profile says where to look (a path) and
 * in the slice's own rules what must be there. */

struct finder {
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

static bool
has_profile(const struct rule *r, view url)
{
    for (uint32_t i = 0; i < r->n_types; i++)
        for (uint32_t k = 0; k < r->types[i].n_profiles; k++)
            if (view_eq(r->types[i].profiles[k].canonical, url))
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

static void
follow(struct finder *at, struct match_step *step)
{
    const struct rule *rule = at->rule;
    struct constant c = at->constant.node || !rule ? at->constant : rule->constant;
    if (step->kind == STEP_RESOLVE)
        return;
    if (step->kind == STEP_EXTENSION) {
        *at = (struct finder){.rule = extension_rule(rule, step->name)};
        return;
    }
    at->constant = c.node ? constant_below(c, step->name) : (struct constant){0};
    at->rule = rule_child(rule, step->name);
    if (at->rule && at->rule->choice)
        step->kind = STEP_CHOICE;
}

static bool
find_place(struct matcher *m, struct finder *at, view path)
{
    view rest = path;
    if (view_eq(path, V("$this")))
        return true;
    while (rest.n > 0) {
        if (m->n_steps == MATCH_STEPS_MAX || !next_step(&rest, &m->steps[m->n_steps]))
            return false;
        follow(at, &m->steps[m->n_steps++]);
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
        view canonical = slice->types[i].profiles[0].canonical;
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
    if (!r || !r->required_binding || (!r->set && !r->base_codes))
        return false;
    m->kind = MATCH_CODES;
    m->set = r->set;
    m->base_codes = r->base_codes;
    return true;
}

static bool
match_types(const struct finder *at, bool by_profile, struct matcher *m, arena *mem)
{
    const struct rule *r = at->rule;
    bool resolve = m->n_steps > 0 && m->steps[m->n_steps - 1].kind == STEP_RESOLVE;
    uint32_t room = 0;
    if (!r || (r->choice && !resolve))
        return false;
    for (uint32_t i = 0; i < r->n_types; i++)
        room += resolve ? r->types[i].n_targets : r->types[i].n_profiles + 1;
    m->types = room ? arena_make_array(mem, room, struct target) : NULL;
    if (!m->types)
        return false;
    for (uint32_t i = 0; i < r->n_types; i++) {
        const struct type_rule *type = &r->types[i];
        const struct target *list = resolve ? type->targets : type->profiles;
        uint32_t n = resolve ? type->n_targets : type->n_profiles;
        for (uint32_t k = 0; k < n; k++)
            m->types[m->n_types++] = list[k];
        if (!resolve && n == 0)
            m->types[m->n_types++] = (struct target){.shape = type->shape};
    }
    m->kind = MATCH_TYPES;
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
make_matcher(const struct rule *slice, const struct discriminator *d, arena *mem, struct matcher *m)
{
    struct finder at = {.rule = slice};
    *m = (struct matcher){0};
    if (!find_place(m, &at, d->path))
        return false;
    if (view_eq(d->type, V("exists")))
        return match_existence(&at, m);
    if (view_eq(d->type, V("type")) || view_eq(d->type, V("profile")))
        return match_types(&at, view_eq(d->type, V("profile")), m, mem);
    return match_value(&at, m) || match_url(slice, d->path, m);
}

/* A differential may refine a slice of its parent and leave out what tells it. */
static bool
find_matcher(const struct profile *p, const struct slice *s, const struct discriminator *d, arena *mem,
             struct matcher *m)
{
    for (; p; p = p->base)
        for (const struct rule *r = p->root; r; r = r->next_in_profile)
            if (r->is_slice && view_eq(r->id, s->rule->id) && make_matcher(r, d, mem, m))
                return true;
    return false;
}

static const struct discriminator *
discriminators_of(const struct profile *p, const struct rule *r)
{
    for (; p; p = p->base) {
        const struct rule *same = NULL;
        for (const struct rule *q = p->root; q && !same; q = q->next_in_profile)
            if (view_eq(q->id, r->id) && q->discriminators)
                same = q;
        if (same)
            return same->discriminators;
    }
    /* Extensions are sliced by url even where nobody says so. */
    static struct discriminator by_url = {.type = {"value", 5}, .path = {"url", 3}};
    bool extension = view_eq(r->name, V("extension")) || view_eq(r->name, V("modifierExtension"));
    return extension ? &by_url : NULL;
}

static err
link_slice(struct profile *p, struct slice *s, const struct discriminator *d, arena *mem)
{
    s->unclear = d == NULL;
    for (; d; d = d->next) {
        struct matcher *m = arena_make(mem, struct matcher);
        if (!m)
            return E_TOO_LARGE;
        if (!find_matcher(p, s, d, mem, m)) {
            s->unclear = true;
            continue;
        }
        m->next = s->matchers;
        s->matchers = m;
    }
    return E_OK;
}

static const struct rule *
find_inherited(const struct profile *p, view id)
{
    for (p = p->base; p; p = p->base)
        for (const struct rule *r = p->root; r; r = r->next_in_profile)
            if (r->slices && view_eq(r->id, id))
                return r;
    return NULL;
}

err
profile_link_slices(struct profile *p, arena *mem, struct fault *f)
{
    for (struct rule *r = p->root; r; r = r->next_in_profile) {
        const struct discriminator *d = r->slices ? discriminators_of(p, r) : NULL;
        if (r->slices || r->closed)
            r->inherited = find_inherited(p, r->id);
        for (struct slice *s = r->slices; s; s = s->next)
            if (link_slice(p, s, d, mem) != E_OK)
                return profile_fault(p, r->id, f, "less than the memory for profiles", "");
    }
    return E_OK;
}
