#include "base/text.h"
#include "fhir/judge.h"

/* An OperationDefinition beside the profiles of Parameters that it names for what goes in and what comes out: both describe
 * the same parameters, so they must agree on number, types and targets. */

struct operation {
    struct judge *j;
    const struct node *parameter; /* of the definition */
    const struct pack *pack;      /* of the profile */
    const struct pack_rule *slice;
};

static view
text_of(const struct judge *j, const struct node *n, view name)
{
    return node_text(j->tree, node_member(j->tree, n, name));
}

static void
say(const struct operation *o, const char *what)
{
    judge_say(o->j, judge_severity(o->j, WEIGHT_DEFINITION), E_INVARIANT, o->parameter,
              judge_print(o->j, "%s as the profile of Parameters has it", what), V("another"));
}

static const struct pack_rule *
child_of(const struct pack *p, const struct pack_rule *r, view name)
{
    for (PACK_EACH(i, r->children))
        if (view_eq(pack_view(p, p->rules[i].name), name))
            return &p->rules[i];
    return NULL;
}

/* The slice whose parameter.name is fixed to this name. */
static const struct pack_rule *
slice_of(const struct pack *p, const struct pack_rule *list, view name)
{
    for (PACK_EACH(i, list->slices)) {
        const struct pack_rule *slice = &p->rules[p->slices[i].rule];
        const struct pack_rule *named = child_of(p, slice, V("name"));
        struct tree t;
        if (!named || named->constant == PACK_NONE)
            continue;
        t = pack_tree(p, named->constant);
        if (view_eq(node_text(&t, tree_root(&t)), name))
            return slice;
    }
    return NULL;
}

static void
compare_counts(const struct operation *o)
{
    uint64_t min = 0, max = UINT32_MAX;
    view most = text_of(o->j, o->parameter, V("max"));
    if (text_to_u64(text_of(o->j, o->parameter, V("min")), &min) != E_OK)
        return;
    if (!view_eq(most, V("*")) && text_to_u64(most, &max) != E_OK)
        return;
    if (min != o->slice->min)
        say(o, "min");
    if (max != o->slice->max)
        say(o, "max");
}

static bool
has_target(const struct operation *o, const struct pack_type *type, view canonical)
{
    for (PACK_EACH(i, type->targets))
        if (view_eq(pack_view(o->pack, o->pack->links[o->pack->numbers[i]].url), canonical))
            return true;
    return false;
}

/* The targets of the type that both allow. */
static void
compare_targets(const struct operation *o, const struct pack_type *type)
{
    const struct node *list = node_member(o->j->tree, o->parameter, V("targetProfile"));
    bool same = type ? node_count(list) == type->targets.n : node_count(list) == 0;
    for (NODE_EACH(item, o->j->tree, list))
        same &= type && has_target(o, type, node_text(o->j->tree, item));
    if (!same)
        say(o, "targetProfile");
}

/* A parameter is a value or a resource; the profile says which by the types of the one that may stand. */
static void
compare_types(const struct operation *o)
{
    static const view places[] = {V_INIT("value"), V_INIT("resource")};
    uint16_t stated = shape_of_type(text_of(o->j, o->parameter, V("type")));
    const struct pack_type *same = NULL;
    uint32_t n = 0;
    bool any = false; /* of any type */
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const struct pack_rule *r = child_of(o->pack, o->slice, places[i]);
        if (r && r->max == 0)
            continue;
        any |= !r || r->n_types == 0;
        for (uint32_t k = 0; r && k < r->n_types; k++, n++)
            if (o->pack->types[r->types + k].shape == stated)
                same = &o->pack->types[r->types + k];
    }
    if (any || stated == SHAPE_NONE || stated == SHAPE_Resource)
        return;
    if (!same || n > 1)
        say(o, "type");
    else
        compare_targets(o, stated == SHAPE_Reference ? same : NULL);
}

static void
compare(struct judge *j, const struct node *resource, view use, struct pack_item profile)
{
    const struct pack_rule *list =
        profile.pack
            ? child_of(profile.pack, &profile.pack->rules[item_profile(profile)->root], V("parameter"))
            : NULL;
    for (NODE_EACH(parameter, j->tree, list ? node_member(j->tree, resource, V("parameter")) : NULL)) {
        struct operation o = {.j = j, .parameter = parameter, .pack = profile.pack};
        o.slice = slice_of(profile.pack, list, text_of(j, parameter, V("name")));
        if (!o.slice || !view_eq(text_of(j, parameter, V("use")), use))
            continue;
        compare_counts(&o);
        compare_types(&o);
    }
}

void
judge_operation(struct judge *j, const struct node *resource)
{
    compare(j, resource, V("in"), judge_find(j, PACK_IS_PROFILE, text_of(j, resource, V("inputProfile"))));
    compare(j, resource, V("out"), judge_find(j, PACK_IS_PROFILE, text_of(j, resource, V("outputProfile"))));
}
