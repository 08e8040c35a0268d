#include "fhir/profile.h"

/* What points from one profile to another: parents, profiles of types and references, value sets.  Then
 * the rules that ask for nothing are dropped, so that validation passes over them. */

static bool
is_core(view canonical)
{
    return view_starts(canonical, V(CORE_PREFIX));
}

static view
core_name(view canonical)
{
    view rest = view_sub(canonical, sizeof CORE_PREFIX - 1, canonical.n);
    return view_cut(&rest, '|', NULL);
}

static void
link_target(struct target *t, const struct profile_set *set)
{
    t->profile = profile_find(set, t->canonical);
    if (t->profile)
        t->shape = t->profile->shape;
    else if (is_core(t->canonical))
        t->shape = shape_of_type(core_name(t->canonical));
    /* Any resource. */
    if (t->shape == SHAPE_Resource || t->shape == SHAPE_DomainResource)
        t->shape = SHAPE_NONE;
}

/* Where one of several would do and one of them is not known, nothing can be said. */
static void
link_type(struct type_rule *type, const struct profile_set *set)
{
    bool open = false;
    for (uint32_t i = 0; i < type->n_profiles; i++) {
        link_target(&type->profiles[i], set);
        type->open |= type->profiles[i].profile == NULL;
    }
    for (uint32_t i = 0; i < type->n_targets; i++) {
        link_target(&type->targets[i], set);
        open |= type->targets[i].shape == SHAPE_NONE;
    }
    if (open)
        type->n_targets = 0;
}

/* True when the types say no more than the base does. */
static bool
types_say_nothing(const struct rule *r)
{
    uint32_t options = 0, n;
    for (uint32_t i = 0; i < r->n_types; i++)
        if ((r->types[i].n_profiles && !r->types[i].open) || r->types[i].n_targets)
            return false;
    if (!r->row || r->is_slice)
        return false;
    if (!r->choice)
        return r->row->type != SHAPE_Resource || r->types[0].shape == SHAPE_NONE;
    const struct shape_row *rows = shape_rows(r->parent_shape, &n);
    for (uint32_t i = 0; i < n; i++)
        options += rows[i].kind == ROW_OPTION && shape_slot(&rows[i]) == r->row;
    return options == r->n_types;
}

static void
link_binding(struct rule *r, const struct profile_set *set)
{
    if ((!r->required_binding && !r->extensible_binding) || r->binding.n == 0)
        return;
    r->set = profile_find_set(set, r->binding);
    r->base_codes = r->set ? 0 : codes_of_url(r->binding);
    /* The structure walk checks the bindings of the base. */
    if (r->row && r->row->codes && r->base_codes == r->row->codes)
        r->base_codes = 0;
}

static bool
asks(const struct rule *r)
{
    uint32_t base_max = r->row && !r->row->many ? 1 : MANY;
    return (r->min > 0 && !r->min_given) || r->min > 1 || r->max < base_max || r->max_length != MANY ||
           r->types || r->constant.node || r->set || r->base_codes || r->predicates || r->slices || r->closed;
}

/* Marks what asks for something, children before parents, and rebuilds the lists of children from it. */
static err
drop_idle(struct profile *p, arena *mem)
{
    size_t n = 0;
    for (struct rule *r = p->root; r; r = r->next_in_profile)
        n++;
    struct rule **all = arena_make_array(mem, n, struct rule *);
    if (!all)
        return E_TOO_LARGE;
    n = 0;
    for (struct rule *r = p->root; r; r = r->next_in_profile) {
        all[n++] = r;
        r->children = r->last_child = NULL;
    }
    while (n-- > 1) {
        struct rule *r = all[n], *parent = r->parent;
        r->kept = !r->aside && (r->kept || asks(r));
        parent->kept |= r->kept;
        if (!r->kept || r->is_slice)
            continue;
        r->next = parent->children;
        parent->children = r;
        if (!parent->last_child)
            parent->last_child = r;
    }
    return E_OK;
}

err
profile_link(struct profile *p, const struct profile_set *set, struct fault *f)
{
    bool core = is_core(p->base_canonical) && shape_of_type(core_name(p->base_canonical)) == p->shape;
    p->parent = core ? NULL : profile_find(set, p->base_canonical);
    p->base = p->whole ? NULL : p->parent;
    if (!core && !p->parent && !p->whole)
        return profile_fault(p, shape_name(p->shape), f, "a baseDefinition that is loaded", "another");
    for (struct rule *r = p->root; r; r = r->next_in_profile) {
        link_binding(r, set);
        for (uint32_t i = 0; i < r->n_types; i++)
            link_type(&r->types[i], set);
        if (r->n_types > 0 && types_say_nothing(r))
            r->types = NULL;
        if (!r->types)
            r->n_types = 0;
    }
    if (drop_idle(p, set->mem) != E_OK)
        return profile_fault(p, shape_name(p->shape), f, "less than the memory for profiles", "");
    return E_OK;
}

/* A snapshot holds what its parents say; only a differential needs them. */
const struct rule *
profile_rule(const struct profile *p, view id)
{
    for (; p; p = p->base)
        for (const struct rule *r = p->root; r; r = r->next_in_profile)
            if (view_eq(r->id, id))
                return r;
    return NULL;
}
