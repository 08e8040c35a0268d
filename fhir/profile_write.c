#include "fhir/profile.h"

/* Rules into a pack: what the base says already is left out, what asks for nothing is dropped, so that validation
 * passes over it; the rest is numbered breadth first, so that the children of a rule are neighbours. */

/* ---- what the base says ---- */

static const struct pack_row *
base_row(const struct rule *r, const struct pack *base)
{
    uint16_t n = shape_row_number(r->row);
    return base && n > 0 && n < base->n_rows ? &base->rows[n] : NULL;
}

static bool
is_base_binding(const struct rule *r, const struct pack *base)
{
    const struct pack_row *row = base_row(r, base);
    view url = view_cut(&(view){r->binding.p, r->binding.n}, '|', NULL);
    uint16_t codes = codes_of_url(r->binding);
    if (r->required_binding && r->row && codes && codes == r->row->codes)
        return true;
    return row && row->binding != PACK_NONE &&
           (row->flags & RULE_REQUIRED) == (r->required_binding ? RULE_REQUIRED : 0u) &&
           view_eq(pack_view(base, base->links[row->binding].url), url);
}

static bool
are_base_targets(const struct rule *r, const struct type_rule *type, const struct pack *base)
{
    const struct pack_row *row = base_row(r, base);
    if (type->n_targets == 1 && view_eq(type->targets[0], V(CORE_PREFIX "Resource")))
        return true;
    if (!row || row->targets.n != type->n_targets)
        return false;
    for (uint32_t i = 0; i < type->n_targets; i++) {
        view url = view_cut(&(view){type->targets[i].p, type->targets[i].n}, '|', NULL);
        bool found = false;
        for (PACK_EACH(k, row->targets))
            found |= view_eq(pack_view(base, base->links[base->numbers[k]].url), url);
        if (!found)
            return false;
    }
    return true;
}

static bool
is_base_profile(const struct rule *r, const struct type_rule *type, const struct pack *base)
{
    const struct pack_row *row = base_row(r, base);
    return row && row->profile != PACK_NONE && type->n_profiles == 1 &&
           view_eq(pack_view(base, base->links[row->profile].url), type->profiles[0]);
}

/* True when the types say no more than the base does. */
static bool
types_say_nothing(struct rule *r, const struct pack *base)
{
    uint32_t options = 0, n;
    for (uint32_t i = 0; i < r->n_types; i++) {
        if (are_base_targets(r, &r->types[i], base))
            r->types[i].n_targets = 0;
        if (is_base_profile(r, &r->types[i], base))
            r->types[i].n_profiles = 0;
        if (r->types[i].n_profiles || r->types[i].n_targets)
            return false;
    }
    if (!r->row || r->is_slice)
        return false;
    if (!r->choice)
        return r->row->type != SHAPE_Resource || r->types[0].shape == SHAPE_NONE ||
               r->types[0].shape == SHAPE_Resource;
    const struct shape_row *rows = shape_rows(r->parent_shape, &n);
    for (uint32_t i = 0; i < n; i++)
        options += rows[i].kind == ROW_OPTION && shape_slot(&rows[i]) == r->row;
    return options == r->n_types;
}

static void
forget_base(struct rule *r, const struct pack *base)
{
    struct rule_constraint **k = &r->constraints;
    while (*k)
        if (constraint_is_of_base((*k)->tree, (*k)->node, base))
            *k = (*k)->next;
        else
            k = &(*k)->next;
    if (r->binding.n == 0 || (!r->required_binding && !r->extensible_binding) || is_base_binding(r, base))
        r->binding = VIEW_NONE;
    if (r->n_types > 0 && types_say_nothing(r, base))
        r->n_types = 0;
}

static bool
asks(const struct rule *r)
{
    uint32_t base_max = r->row && !r->row->many ? 1 : MANY;
    return (r->min > 0 && !r->min_given) || r->min > 1 || r->max < base_max || r->min_length > 0 ||
           r->max_length != MANY || r->n_types || r->constant.node || r->binding.n || r->constraints ||
           r->slices || r->closed || r->min_value.node || r->max_value.node;
}

/* Marks what asks for something, children before parents, and rebuilds the lists of children from it. */
static err
drop_idle(struct profile *p, arena *mem)
{
    uint32_t n = 0;
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
    }
    return E_OK;
}

static void
number_rules(struct profile *p, struct rule **order)
{
    order[p->n_rules++] = p->root;
    for (uint32_t i = 0; i < p->n_rules; i++) {
        for (struct rule *r = order[i]->children; r; r = r->next)
            order[p->n_rules++] = r;
        for (struct slice *s = order[i]->slices; s; s = s->next)
            order[p->n_rules++] = s->rule;
    }
    p->rules = order;
}

/* ---- writing ---- */

static struct pack_span
write_links(const view *canonicals, uint32_t n, struct pack_build *b)
{
    struct pack_span span = {pack_count(b, PACK_NUMBER), n};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t link = pack_add_link(b, PACK_IS_PROFILE, canonicals[i]);
        pack_add(b, PACK_NUMBER, &link);
    }
    return span;
}

static uint32_t
write_constant(const struct constant *c, struct pack_build *b)
{
    return c->node ? pack_add_constant(b, node_raw(c->tree, c->node), c->exact) : PACK_NONE;
}

static void
write_matcher(const struct matcher *m, struct pack_build *b)
{
    struct pack_matcher out = {.kind = m->kind,
                               .by_profile = m->by_profile,
                               .base_codes = m->base_codes,
                               .steps = {pack_count(b, PACK_STEP), m->n_steps},
                               .constant = write_constant(&m->constant, b),
                               .set = pack_add_link(b, PACK_IS_SET, m->set),
                               .text = pack_add_text(b, m->text),
                               .types = write_links(m->types, m->n_types, b)};
    for (uint32_t i = 0; i < m->n_steps; i++) {
        struct pack_step step = {.name = pack_add_text(b, m->steps[i].name), .kind = m->steps[i].kind};
        pack_add(b, PACK_STEP, &step);
    }
    pack_add(b, PACK_MATCHER, &out);
}

static uint16_t
place_of(const struct slice *list, const struct slice *wanted)
{
    uint16_t n = 1;
    for (; list != wanted; list = list->next)
        n++;
    return n;
}

static struct pack_span
write_slices(const struct rule *r, uint32_t first_rule, struct pack_build *b)
{
    struct pack_span span = {pack_count(b, PACK_SLICE), 0};
    for (const struct slice *s = r->slices; s; s = s->next) {
        struct pack_slice out = {.name = pack_add_text(b, s->name),
                                 .rule = first_rule + s->rule->number,
                                 .unclear = s->unclear,
                                 .within = s->within ? place_of(r->slices, s->within) : 0,
                                 .matchers = {pack_count(b, PACK_MATCHER), 0}};
        for (const struct matcher *m = s->matchers; m; m = m->next) {
            write_matcher(m, b);
            out.matchers.n++;
        }
        pack_add(b, PACK_SLICE, &out);
        span.n++;
    }
    return span;
}

static void
write_types(const struct rule *r, struct pack_rule *out, struct pack_build *b)
{
    out->types = pack_count(b, PACK_TYPE);
    out->n_types = (uint16_t)r->n_types;
    for (uint32_t i = 0; i < r->n_types; i++) {
        const struct type_rule *type = &r->types[i];
        struct pack_type one = {.shape = type->shape};
        one.profiles = write_links(type->profiles, type->n_profiles, b);
        one.targets = write_links(type->targets, type->n_targets, b);
        pack_add(b, PACK_TYPE, &one);
    }
}

static struct pack_span
write_constraints(const struct rule *r, struct pack_build *b)
{
    uint32_t numbers[64], n = 0;
    for (const struct rule_constraint *k = r->constraints; k && n < 64; k = k->next)
        numbers[n++] = constraint_write(k->tree, k->node, b);
    struct pack_span span = {pack_count(b, PACK_NUMBER), n};
    for (uint32_t i = 0; i < n; i++)
        pack_add(b, PACK_NUMBER, &numbers[i]);
    return span;
}

/* The list of parts in an extension's own definition.  Elsewhere a profile may restate some of them. */
static bool
defines_parts(const struct rule *r)
{
    const struct rule *root = r;
    if (r->parent_shape != SHAPE_Extension || !view_eq(r->name, V("extension")))
        return false;
    for (; root->parent; root = root->parent)
        for (uint32_t i = 0; root != r && i < root->n_types; i++)
            if (root->types[i].n_profiles > 0)
                return false;
    return root->shape == SHAPE_Extension;
}

static uint16_t
flags_of(const struct rule *r)
{
    unsigned flags = defines_parts(r) ? RULE_PARTS : 0u;
    flags |= r->choice ? RULE_CHOICE : 0;
    flags |= r->primitive ? RULE_PRIMITIVE : 0;
    flags |= r->min_given ? RULE_MIN_GIVEN : 0;
    flags |= r->required_binding ? RULE_REQUIRED : 0;
    flags |= r->extensible_binding ? RULE_EXTENSIBLE : 0;
    flags |= r->closed ? RULE_CLOSED : 0;
    flags |= r->open_at_end ? RULE_OPEN_AT_END : 0;
    flags |= r->ordered ? RULE_ORDERED : 0;
    flags |= r->slices || r->closed ? RULE_SLICED : 0;
    return (uint16_t)flags;
}

static void
write_rule(const struct rule *r, uint32_t first_rule, struct pack_build *b)
{
    struct pack_rule out = {.name = pack_add_text(b, r->name),
                            .min = r->min,
                            .max = r->max,
                            .min_length = r->min_length,
                            .max_length = r->max_length,
                            .shape = r->shape,
                            .parent_shape = r->parent_shape,
                            .row = shape_row_number(r->row),
                            .flags = flags_of(r),
                            .base_codes = codes_of_url(r->binding),
                            .binding = pack_add_link(b, PACK_IS_SET, r->binding),
                            .constant = write_constant(&r->constant, b),
                            .min_value = write_constant(&r->min_value, b),
                            .max_value = write_constant(&r->max_value, b)};
    for (const struct rule *child = r->children; child; child = child->next)
        out.children.n++;
    out.children.from = r->children ? first_rule + r->children->number : 0;
    write_types(r, &out, b);
    out.slices = write_slices(r, first_rule, b);
    out.constraints = write_constraints(r, b);
    pack_add(b, PACK_RULE, &out);
}

static struct pack_span
write_contexts(const struct source_file *file, struct pack_build *b)
{
    struct pack_span span = {pack_count(b, PACK_CONTEXT), 0};
    for (NODE_EACH(item, file->tree, node_member(file->tree, file->root, V("context")))) {
        struct pack_context context = {
            .type = pack_add_text(b, node_text(file->tree, node_member(file->tree, item, V("type")))),
            .expression =
                pack_add_text(b, node_text(file->tree, node_member(file->tree, item, V("expression"))))};
        if (view_eq(node_text(file->tree, node_member(file->tree, item, V("type"))), V("fhirpath")))
            context.program =
                program_write(node_text(file->tree, node_member(file->tree, item, V("expression"))), b);
        pack_add(b, PACK_CONTEXT, &context);
        span.n++;
    }
    return span;
}

err
profile_write(struct profile *p, const struct pack *base, struct pack_build *b)
{
    uint32_t n = 0, first_rule = pack_count(b, PACK_RULE);
    for (struct rule *r = p->root; r; r = r->next_in_profile) {
        forget_base(r, base);
        n++;
    }
    struct rule **order = arena_make_array(b->mem, n, struct rule *);
    if (!order || drop_idle(p, b->mem) != E_OK)
        return E_TOO_LARGE;
    number_rules(p, order);
    for (uint32_t i = 0; i < p->n_rules; i++)
        order[i]->number = i;
    for (uint32_t i = 0; i < p->n_rules; i++)
        write_rule(order[i], first_rule, b);
    const struct source_file *file = p->file;
    view parent = node_text(file->tree, node_member(file->tree, file->root, V("baseDefinition")));
    struct pack_profile out = {.url = pack_add_text(b, file->url),
                               .version = pack_add_text(b, file->version),
                               .base = pack_add_link(b, PACK_IS_PROFILE, parent),
                               .root = first_rule,
                               .shape = p->shape,
                               .flags = p->partial ? PACK_PARTIAL : 0};
    if (p->shape == SHAPE_Extension)
        out.contexts = write_contexts(file, b);
    pack_add(b, PACK_PROFILE, &out);
    return b->failed ? E_TOO_LARGE : E_OK;
}
