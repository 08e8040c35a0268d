#include "fhir/judge.h"
#include "fhir/tree_walk.h"

#include "base/decimal.h"

/* Steps of a discriminator's path; longest line of parents that a name is followed through. */
#define MATCH_DEPTH 8
#define LINE_MAX_PARENTS 16

/* ---- constants ---- */

struct constant {
    struct tree own;
    const struct tree *tree;
    bool exact;
};

static bool
same_number(view a, view b)
{
    decimal x, y;
    if (view_eq(a, b))
        return true;
    return decimal_parse(a, &x) == E_OK && decimal_parse(b, &y) == E_OK && decimal_cmp(x, y) == 0;
}

static bool
same_value(const struct tree *t, const struct node *n, const struct constant *c, const struct node *k)
{
    if (n->kind != k->kind)
        return false;
    view a = node_text(t, n), b = node_text(c->tree, k);
    return k->kind == NODE_NUMBER ? same_number(a, b) : view_eq(a, b);
}

/* Recursion over the constant, not over the document: its depth is at most CONSTANT_DEPTH_MAX, which
 * loading checks. */
static bool fits(const struct tree *t, const struct node *n, const struct constant *c, const struct node *k);

static bool
fits_items(const struct tree *t, const struct node *n, const struct constant *c, const struct node *k)
{
    const struct node *own = node_first(t, n);
    if (c->exact && node_count(n) != node_count(k))
        return false;
    for (NODE_EACH(item, c->tree, k)) {
        if (c->exact) {
            if (!fits(t, own, c, item))
                return false;
            own = node_next(t, own);
            continue;
        }
        bool found = false;
        uint32_t left = LIST_LOOKED_AT;
        for (const struct node *one = own; one && !found && left > 0; one = node_next(t, one), left--)
            found = fits(t, one, c, item);
        if (!found)
            return false;
    }
    return true;
}

static bool
fits(const struct tree *t, const struct node *n, const struct constant *c, const struct node *k)
{
    if (k->kind < NODE_ARRAY)
        return same_value(t, n, c, k);
    if (n->kind != k->kind)
        return false;
    if (k->kind == NODE_ARRAY)
        return fits_items(t, n, c, k);
    if (c->exact && node_count(n) != node_count(k))
        return false;
    for (NODE_EACH(member, c->tree, k)) {
        const struct node *own = node_member(t, n, node_name(c->tree, member));
        if (!own || !fits(t, own, c, member))
            return false;
    }
    return true;
}

bool
constant_holds(const struct tree *t, const struct node *n, const struct pack *pack, uint32_t constant)
{
    struct constant c = {.own = pack_tree(pack, constant), .exact = pack->constants[constant].exact};
    c.tree = &c.own;
    return fits(t, n, &c, tree_root(&c.own));
}

/* ---- codes ---- */

enum code_answer
codes_answer(const struct pack_item *set, uint16_t base_codes, view system, bool has_system, view code)
{
    if (set && set->pack)
        return pack_set_holds(set->pack, set->n, system, has_system, code);
    if (base_codes)
        return codes_hold(base_codes, system, has_system, code) ? CODE_IN : CODE_OUT;
    return CODE_UNCLEAR;
}

static enum code_answer
coding_answer(const struct tree *t, const struct pack_item *set, uint16_t base_codes,
              const struct node *coding, view *ret_system, view *ret_code)
{
    view system = node_text(t, node_member(t, coding, V("system")));
    view code = node_text(t, node_member(t, coding, V("code")));
    enum code_answer a = codes_answer(set, base_codes, system, true, code);
    if (a == CODE_OUT) {
        *ret_system = system;
        *ret_code = code;
    }
    return a;
}

enum code_answer
value_answer(const struct tree *t, const struct pack_item *set, uint16_t base_codes, const struct node *n,
             view *ret_system, view *ret_code)
{
    enum code_answer best = CODE_OUT;
    *ret_system = *ret_code = VIEW_NONE;
    if (n->kind == NODE_STRING) {
        *ret_code = node_text(t, n);
        return codes_answer(set, base_codes, VIEW_NONE, false, *ret_code);
    }
    if (n->kind != NODE_OBJECT)
        return CODE_UNCLEAR; /* the structure walk has said so */
    const struct node *list = node_member(t, n, V("coding"));
    bool quantity = node_member(t, n, V("value")) || node_member(t, n, V("unit"));
    if (!list && node_member(t, n, V("code")))
        return coding_answer(t, set, base_codes, n, ret_system, ret_code);
    if (!list && (quantity || (node_member(t, n, V("extension")) && !node_member(t, n, V("text")))))
        return CODE_UNCLEAR;
    uint32_t left = LIST_LOOKED_AT;
    for (NODE_EACH(coding, t, list)) {
        if (left-- == 0)
            return CODE_UNCLEAR;
        enum code_answer a = coding_answer(t, set, base_codes, coding, ret_system, ret_code);
        if (a == CODE_IN)
            return CODE_IN;
        best = a == CODE_UNCLEAR ? a : best;
    }
    return best;
}

/* ---- slices ---- */

static struct pack_item
parent_of(struct pack_item p)
{
    const struct pack_item *to = pack_link_to(p.pack, item_profile(p)->base);
    return to ? *to : (struct pack_item){NULL, 0};
}

bool
names_profile(const struct judge *j, const struct node *resource, struct pack_item p)
{
    const struct node *list = node_member(j->tree, node_member(j->tree, resource, V("meta")), V("profile"));
    uint32_t left = LIST_LOOKED_AT / 10;
    for (NODE_EACH(item, j->tree, list)) {
        if (left-- == 0)
            break;
        struct pack_item named = judge_find(j, PACK_IS_PROFILE, node_text(j->tree, item));
        for (uint32_t line = 0; named.pack && line < LINE_MAX_PARENTS; line++, named = parent_of(named))
            if (is_same_item(named, p))
                return true;
    }
    return false;
}

static uint16_t
shape_of_link(const struct pack *pack, uint32_t link)
{
    const struct pack_item to = pack->link_to[link];
    return to.pack ? item_profile(to)->shape : (uint16_t)pack->links[link].shape;
}

/* A resource that names no profile at all is taken by its type. */
static bool
is_of_type(const struct judge *j, const struct pack *pack, const struct pack_matcher *m, const struct node *n)
{
    view type = node_text(j->tree, node_member(j->tree, n, V("resourceType")));
    uint16_t shape = shape_of_resource(type);
    bool nameless = !node_member(j->tree, node_member(j->tree, n, V("meta")), V("profile"));
    for (PACK_EACH(i, m->types)) {
        uint32_t link = pack->numbers[i];
        uint16_t wanted = shape_of_link(pack, link);
        if (shape == SHAPE_NONE || (wanted != shape && wanted != SHAPE_NONE && wanted != SHAPE_Resource))
            continue;
        if (!m->by_profile || !pack->link_to[link].pack || nameless ||
            names_profile(j, n, pack->link_to[link]))
            return true;
    }
    return false;
}

static bool
is_match(const struct judge *j, const struct pack *pack, const struct pack_matcher *m, const struct node *n)
{
    view system, code;
    switch (m->kind) {
    case MATCH_CONSTANT:
        return constant_holds(j->tree, n, pack, m->constant);
    case MATCH_TEXT:
        return view_eq(node_text(j->tree, n), pack_view(pack, m->text));
    case MATCH_CODES:
        return value_answer(j->tree, pack_link_to(pack, m->set), m->base_codes, n, &system, &code) == CODE_IN;
    case MATCH_TYPES:
        return is_of_type(j, pack, m, n);
    default:
        return true; /* it is there */
    }
}

/* The type of a choice is what its name has behind the choice's own. */
static bool
is_option_of(const struct judge *j, const struct pack *pack, const struct pack_matcher *m,
             const struct node *n)
{
    view name = node_name(j->tree, n);
    if (view_starts(name, V("_")))
        name = view_sub(name, 1, name.n);
    for (PACK_EACH(i, m->types)) {
        uint16_t shape = shape_of_link(pack, pack->numbers[i]);
        view type = shape_name(shape);
        if (shape == SHAPE_NONE || name.n <= type.n)
            continue;
        view end = view_sub(name, name.n - type.n, type.n);
        if ((end.p[0] | 0x20) == (type.p[0] | 0x20) &&
            view_eq(view_sub(end, 1, end.n), view_sub(type, 1, type.n)))
            return true;
    }
    return false;
}

static const struct node *
find_option(const struct tree *t, const struct node *n, view name)
{
    for (NODE_EACH(member, t, n)) {
        view found = node_name(t, member);
        if (found.n > name.n && view_starts(found, name) && found.p[name.n] >= 'A' && found.p[name.n] <= 'Z')
            return member;
    }
    return NULL;
}

static const struct node *
take_step(const struct judge *j, uint32_t kind, view name, const struct node *n, const struct node *resource)
{
    const struct tree *t = j->tree;
    switch (kind) {
    case STEP_CHOICE:
        return find_option(t, n, name);
    case STEP_EXTENSION:
        return node_member(t, n, V("extension"));
    case STEP_RESOLVE:
        return bundle_resolve(j->bundle, resource, node_text(t, node_member(t, n, V("reference"))));
    default:
        return node_member(t, n, name);
    }
}

/* One level of the search: the values that a step has led to. */
struct level {
    const struct node *list, *item;
};

static bool
is_on_path(const struct judge *j, const struct pack *pack, const struct pack_step *step, const struct node *n)
{
    if (!step || step->kind != STEP_EXTENSION)
        return true;
    return view_eq(node_text(j->tree, node_member(j->tree, n, V("url"))), pack_view(pack, step->name));
}

/* Whether anything at the end of the path matches: depth first, items of arrays one by one. */
static bool
search(const struct judge *j, const struct pack *pack, const struct pack_matcher *m, const struct node *from,
       const struct node *resource)
{
    struct level levels[MATCH_DEPTH + 1];
    const struct pack_step *steps = pack->steps + m->steps.from;
    uint32_t depth = 0;
    levels[0] = (struct level){.list = from, .item = from};
    for (uint32_t left = LIST_LOOKED_AT; left > 0; left--) {
        struct level *now = &levels[depth];
        const struct node *n = now->item;
        if (!n) {
            if (depth-- == 0)
                return false;
            continue;
        }
        now->item = depth > 0 ? node_next_item(j->tree, now->list, n) : NULL;
        if (!is_on_path(j, pack, depth > 0 ? &steps[depth - 1] : NULL, n))
            continue;
        if (depth == m->steps.n || depth == MATCH_DEPTH) {
            if (is_match(j, pack, m, n))
                return true;
            continue;
        }
        const struct node *value =
            take_step(j, steps[depth].kind, pack_view(pack, steps[depth].name), n, resource);
        depth++;
        levels[depth] = (struct level){.list = value, .item = node_items(j->tree, value)};
    }
    return false;
}

bool
slice_holds(const struct judge *j, const struct pack *pack, const struct pack_slice *s,
            const struct node *item, const struct node *companion, const struct node *resource)
{
    for (PACK_EACH(i, s->matchers)) {
        const struct pack_matcher *m = &pack->matchers[i];
        if (m->kind == MATCH_OPTIONS) {
            if (!is_option_of(j, pack, m, item ? item : companion))
                return false;
        } else if (!item || search(j, pack, m, item, resource) == (m->kind == MATCH_ABSENT)) {
            return false;
        }
    }
    return s->matchers.n > 0;
}
