#include "fhir/predicate.h"
#include "fhir/profile.h"

#include "fhir/fhirpath.h"

/* Constraints, and what the definitions of base R4 say of each element beyond the table of shapes. */

/* ---- constraints ---- */

#define BEST_PRACTICE "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"

static bool
is_best_practice(const struct tree *t, const struct node *constraint)
{
    for (NODE_EACH(item, t, node_member(t, constraint, V("extension"))))
        if (view_eq(node_text(t, node_member(t, item, V("url"))), V(BEST_PRACTICE)))
            return node_is_true(node_member(t, item, V("valueBoolean")));
    return false;
}

struct pack_span
program_write(view expression, struct pack_build *b)
{
    struct fault f;
    view program;
    fault_init(&f);
    if (expression.n > 0 && fhirpath_compile(expression, b->mem, &program, &f) == E_OK)
        return pack_add_program(b, program);
    return (struct pack_span){0, 0};
}

/* What is read of a constraint. */
struct constraint_words {
    view key, expression, human;
    uint32_t flags;
};

/* https://hl7.org/fhir/extensions: codes of severity; codes of languages. */
static const struct narrative_rule {
    const char *url, *key, *human;
} narrative_rules[] = {
    {CORE_PREFIX "narrative-source-control", "cg-narrative-source",
     "each text of the narrative stands in an element whose class names its source"},
    {CORE_PREFIX "narrative-language-control", "cg-narrative-language",
     "the sections of the narrative have the languages that the profile names"},
};

static const struct narrative_rule *
find_narrative_rule(const struct tree *t, const struct node *extension)
{
    view url = node_text(t, node_member(t, extension, V("url")));
    for (size_t i = 0; i < COUNT_OF(narrative_rules); i++)
        if (view_eq(url, view_of(narrative_rules[i].url)))
            return &narrative_rules[i];
    return NULL;
}

bool
constraint_is_narrative(const struct tree *t, const struct node *extension)
{
    return find_narrative_rule(t, extension) != NULL;
}

static struct constraint_words
read_words(const struct tree *t, const struct node *n)
{
    const struct narrative_rule *rule = find_narrative_rule(t, n);
    view code = node_text(t, node_member(t, n, V("valueCode")));
    bool warning = view_eq(node_text(t, node_member(t, n, V("severity"))), V("warning"));
    bool soft = view_eq(code, V("warning")) || view_eq(code, V("hint"));
    if (rule)
        return (struct constraint_words){view_of(rule->key), code, view_of(rule->human),
                                         soft ? CONSTRAINT_NARRATIVE : 0u};
    return (struct constraint_words){
        node_text(t, node_member(t, n, V("key"))), node_text(t, node_member(t, n, V("expression"))),
        node_text(t, node_member(t, n, V("human"))),
        (warning ? CONSTRAINT_WARNING : 0u) | (is_best_practice(t, n) ? CONSTRAINT_BEST_PRACTICE : 0u)};
}

uint32_t
constraint_write(const struct tree *t, const struct node *constraint, struct pack_build *b)
{
    const struct constraint_words w = read_words(t, constraint);
    uint32_t found, n = pack_count(b, PACK_CONSTRAINT);
    uint64_t hash = hash_view(hash_view(hash_number(0, w.flags), w.key), w.expression);
    err e = hash_table_add(&b->constraints, hash, n, &found);
    if (e == E_DUPLICATE)
        return found;
    b->failed |= e != E_OK;
    const struct predicate *native = predicate_find(w.key, w.expression);
    struct pack_constraint out = {.key = pack_add_text(b, w.key),
                                  .expression = pack_add_text(b, w.expression),
                                  .human = pack_add_text(b, w.human),
                                  .native = native ? predicate_number(native) : 0,
                                  .flags = w.flags};
    if (!native)
        out.program = program_write(w.expression, b);
    return pack_add(b, PACK_CONSTRAINT, &out);
}

bool
constraint_is_of_base(const struct tree *t, const struct node *constraint, const struct pack *base)
{
    view key = node_text(t, node_member(t, constraint, V("key")));
    view expression = node_text(t, node_member(t, constraint, V("expression")));
    view source = node_text(t, node_member(t, constraint, V("source")));
    bool common = view_starts(key, V("dom-")) || view_starts(key, V("ele-")) || view_starts(key, V("ext-"));
    common |= view_starts(source, V(CORE_PREFIX)) &&
              shape_of_type(view_sub(source, sizeof CORE_PREFIX - 1, source.n)) != SHAPE_NONE;
    for (uint32_t i = 0; base && i < base->n_constraints; i++) {
        const struct pack_constraint *k = &base->constraints[i];
        if (k->key.n == key.n && view_eq(pack_view(base, k->key), key) &&
            (common || view_eq(pack_view(base, k->expression), expression)))
            return true;
    }
    return false;
}

/* ---- rows ---- */

void
base_write_start(struct pack_build *b)
{
    struct pack_row row = {.binding = PACK_NONE, .profile = PACK_NONE};
    struct pack_span none = {0, 0};
    for (uint32_t i = 0; i < shape_row_count(); i++)
        pack_add(b, PACK_ROW, &row);
    for (uint32_t i = 0; i < SHAPE_COUNT; i++)
        pack_add(b, PACK_SHAPE, &none);
}

static struct pack_span
write_constraints(const struct tree *t, const struct node *e, struct pack_build *b)
{
    uint32_t numbers[32], n = 0;
    for (NODE_EACH(item, t, node_member(t, e, V("constraint")))) {
        view key = node_text(t, node_member(t, item, V("key")));
        /* Of every element, and of every extension: the walk and the type Extension say these. */
        bool common = view_eq(key, V("ele-1")) || view_eq(key, V("ext-1"));
        bool extension = view_eq(node_text(t, node_member(t, e, V("path"))), V("Extension"));
        if (n < 32 && !(common && !extension))
            numbers[n++] = constraint_write(t, item, b);
    }
    struct pack_span span = {pack_count(b, PACK_NUMBER), n};
    for (uint32_t i = 0; i < n; i++)
        pack_add(b, PACK_NUMBER, &numbers[i]);
    return span;
}

static void
write_binding(const struct tree *t, const struct node *e, struct pack_row *row, struct pack_build *b)
{
    const struct node *binding = node_member(t, e, V("binding"));
    view strength = node_text(t, node_member(t, binding, V("strength")));
    bool required = view_eq(strength, V("required"));
    if (!required && !view_eq(strength, V("extensible")))
        return;
    row->binding = pack_add_link(b, PACK_IS_SET, node_text(t, node_member(t, binding, V("valueSet"))));
    row->flags = required ? RULE_REQUIRED : RULE_EXTENSIBLE;
}

static void
write_type(const struct tree *t, const struct node *type, struct pack_row *row, struct pack_build *b)
{
    const struct node *targets = node_member(t, type, V("targetProfile"));
    const struct node *profiles = node_member(t, type, V("profile"));
    row->targets = (struct pack_span){pack_count(b, PACK_NUMBER), 0};
    for (NODE_EACH(item, t, targets)) {
        if (view_eq(node_text(t, item), V(CORE_PREFIX "Resource"))) {
            row->targets.n = 0;
            break;
        }
        uint32_t link = pack_add_link(b, PACK_IS_PROFILE, node_text(t, item));
        pack_add(b, PACK_NUMBER, &link);
        row->targets.n++;
    }
    if (node_count(profiles) == 1)
        row->profile = pack_add_link(b, PACK_IS_PROFILE, node_text(t, node_first(t, profiles)));
}

/* The ElementDefinition's type with this code; the only one where the shape has another name for it. */
static const struct node *
type_of(const struct tree *t, const struct node *e, uint16_t shape)
{
    const struct node *list = node_member(t, e, V("type"));
    for (NODE_EACH(type, t, list))
        if (view_eq(node_text(t, node_member(t, type, V("code"))), shape_name(shape)))
            return type;
    return node_count(list) == 1 ? node_first(t, list) : NULL;
}

static void
write_row(const struct tree *t, const struct node *e, const struct shape_row *row,
          struct pack_span constraints, struct pack_build *b)
{
    struct pack_row out = {.constraints = constraints, .binding = PACK_NONE, .profile = PACK_NONE};
    const struct node *type = type_of(t, e, row->type);
    /* The table of shapes holds the codes of most required bindings: the walk looks there. */
    if (!row->codes)
        write_binding(t, e, &out, b);
    if (type)
        write_type(t, type, &out, b);
    out.says = out.constraints.n || out.targets.n || out.binding != PACK_NONE || out.profile != PACK_NONE;
    *(struct pack_row *)pack_item_of(b, PACK_ROW, shape_row_number(row)) = out;
}

static void
write_element(const struct tree *t, const struct node *e, view type_name, struct pack_build *b)
{
    view path = node_text(t, node_member(t, e, V("path"))), name = path;
    uint32_t n;
    size_t dot = path.n;
    while (dot > 0 && path.p[dot - 1] != '.')
        dot--;
    if (dot == 0) {
        uint16_t shape = shape_of_type(type_name);
        struct pack_span list = write_constraints(t, e, b);
        if (shape != SHAPE_NONE)
            *(struct pack_span *)pack_item_of(b, PACK_SHAPE, shape) = list;
        return;
    }
    uint16_t parent = shape_of_type(view_sub(path, 0, dot - 1));
    name = view_sub(path, dot, path.n);
    if (parent == SHAPE_NONE || !node_member(t, e, V("type")))
        return;
    struct pack_span constraints = write_constraints(t, e, b);
    if (!view_ends(name, V("[x]"))) {
        const struct shape_row *row = shape_find(parent, name);
        if (row)
            write_row(t, e, row, constraints, b);
        return;
    }
    const struct shape_row *choice = shape_find_choice(parent, view_sub(name, 0, name.n - 3));
    const struct shape_row *rows = shape_rows(parent, &n);
    for (uint32_t i = 0; choice && i < n; i++)
        if (rows[i].kind == ROW_OPTION && shape_slot(&rows[i]) == choice)
            write_row(t, e, &rows[i], constraints, b);
}

void
base_write(const struct source_file *file, struct pack_build *b)
{
    const struct tree *t = file->tree;
    const struct node *snapshot = node_member(t, file->root, V("snapshot"));
    view name = view_sub(file->url, sizeof CORE_PREFIX - 1, file->url.n);
    view type = node_text(t, node_member(t, file->root, V("type")));
    bool own = view_eq(name, type);
    for (NODE_EACH(e, t, node_member(t, snapshot, V("element")))) {
        if (own || view_eq(node_text(t, node_member(t, e, V("path"))), type))
            write_element(t, e, name, b);
    }
}
