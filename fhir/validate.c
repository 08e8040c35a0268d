#include "fhir/judge.h"

#include "base/place.h"

#include <stdarg.h>
#include <stdio.h>

/* Longest text of a code that a message shows. */
#define SHOWN_MAX 120

void
judge_say(struct judge *j, enum issue_severity severity, err code, const struct node *n, view expected,
          view found)
{
    if (!j->trial) {
        /* The base and several profiles often ask for the same. */
        uint64_t hash = hash_number(hash_number(6, (uint64_t)code), node_index(j->tree, n));
        if (hash_table_add(&j->told, hash_view(hash_view(hash, expected), found), 0, NULL) == E_DUPLICATE)
            return;
        issue_at(j->issues, severity, code, j->tree, n, expected, found);
        return;
    }
    if (severity == ISSUE_ERROR)
        j->trial_errors++;
}

enum issue_severity
judge_severity(const struct judge *j, enum judge_weight what)
{
    static const uint8_t table[][4] = {
#define SEVERITY(what, submitted, checked, strict, by_hl7)                                                   \
    {ISSUE_##submitted, ISSUE_##checked, ISSUE_##strict, ISSUE_##by_hl7},
#include "fhir/severities.def"
#undef SEVERITY
    };
    const struct validate_options *o = j->options;
    return (enum issue_severity)table[what][o->by_hl7 ? 3 : o->strict ? 2 : o->check ? 1 : 0];
}

view
judge_print(struct judge *j, const char *format, ...)
{
    char text[256];
    va_list args;
    if (j->trial || (j->issues->n >= j->issues->ceiling && j->issues->errors > 0))
        return V("");
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_dup(j->mem, (view){text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1});
}

bool
judge_first(struct judge *j, uint64_t what, view text)
{
    err e = hash_table_add(&j->told, hash_view(what, text), 0, NULL);
    j->full |= e == E_TOO_LARGE;
    return e == E_OK;
}

/* Codes and systems are no personal data, but what was written there might be: only short visible ASCII is
 * repeated. */
view
judge_code(struct judge *j, view system, view code)
{
    if (code.n == 0)
        return V("no code");
    if (system.n + code.n > SHOWN_MAX)
        return V("a long code");
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] <= ' ' || code.p[i] > '~')
            return V("another text");
    for (size_t i = 0; i < system.n; i++)
        if (system.p[i] <= ' ' || system.p[i] > '~')
            return V("another system");
    return system.n ? judge_print(j, "%.*s|%.*s", VIEW_ARG(system), VIEW_ARG(code)) : code;
}

void
judge_add_job(struct judge *j, const struct node *node, const struct node *resource, struct pack_item profile)
{
    uint64_t hash =
        hash_number(hash_number(0, node_index(j->tree, node)), profile.pack->first_profile + profile.n);
    err e = hash_table_add(&j->known_jobs, hash, 0, NULL);
    j->full |= e == E_TOO_LARGE;
    if (e != E_OK)
        return;
    if (j->n_jobs == j->jobs_room) {
        uint32_t room = j->jobs_room * 2 + 32;
        struct job *wide = arena_make_array(j->mem, room, struct job);
        j->full |= !wide;
        if (!wide)
            return;
        if (j->n_jobs > 0)
            memcpy(wide, j->jobs, j->n_jobs * sizeof *wide);
        j->jobs = wide;
        j->jobs_room = room;
    }
    j->jobs[j->n_jobs++] = (struct job){.node = node, .resource = resource, .profile = profile};
}

/* Steps that the invariants of one document may take in all. */
#define STEPS_MAX UINT64_C(200000000)

/* The base type itself asks for no more than the walk does. */
static bool
is_base_type_of(const struct tree *t, const struct node *root, view canonical)
{
    view type = node_text(t, node_member(t, root, V("resourceType")));
    return view_starts(canonical, V(CORE_URL)) &&
           view_eq(view_cut(&(view){canonical.p + sizeof CORE_URL - 1, canonical.n - (sizeof CORE_URL - 1)},
                            '|', NULL),
                   type);
}

/* The pack of the first profile that the root names and that is loaded. */
static const struct pack *
context_of(const struct judge *j, const struct node *root)
{
    const struct node *list = node_member(j->tree, node_member(j->tree, root, V("meta")), V("profile"));
    uint32_t left = LIST_LOOKED_AT / 10;
    for (NODE_EACH(item, j->tree, list)) {
        struct pack_item p = judge_find(j, PACK_IS_PROFILE, node_text(j->tree, item));
        if (p.pack && p.pack != j->base)
            return p.pack;
        if (left-- == 0)
            break;
    }
    return NULL;
}

static err
run(const struct profile_set *p, const struct bundle *b, const struct node *root,
    const struct validate_options *o, struct issues *issues)
{
    p = p ? p : profiles_base();
    struct judge j = {.set = p,
                      .base = p ? p->base : NULL,
                      .bundle = b,
                      .tree = b->tree,
                      .options = o,
                      .issues = issues,
                      .mem = issues->mem,
                      .steps = STEPS_MAX};
    struct pack_item demand =
        o->demand.n ? packs_find(p, NULL, PACK_IS_PROFILE, o->demand, o->today) : (struct pack_item){NULL, 0};
    if (o->demand.n && !demand.pack && !is_base_type_of(b->tree, root, o->demand))
        return E_PROFILE_UNKNOWN;
    if (!hash_table_init(&j.told, j.mem, 8) || !hash_table_init(&j.element_ids, j.mem, 8) ||
        !hash_table_init(&j.referred, j.mem, 8) || !hash_table_init(&j.known_jobs, j.mem, 16))
        return E_TOO_LARGE;
    j.is_bundle =
        root == tree_root(b->tree) && view_eq(node_text_at(b->tree, root, "resourceType"), V("Bundle"));
    j.is_document = j.is_bundle && view_eq(node_text_at(b->tree, root, "type"), V("document"));
    j.context = demand.pack ? demand.pack : context_of(&j, root);
    walk_structure(&j, root);
    if (j.is_document)
        judge_document(&j, root);
    if (demand.pack)
        judge_add_job(&j, root, root, demand);
    judge_jobs(&j);
    issues_locate(issues, b->tree->source);
    arena_free(j.scratch);
    return j.full ? E_TOO_LARGE : E_OK;
}

err
fhir_validate(const struct profile_set *p, const struct bundle *b, const struct validate_options *o,
              struct issues *issues)
{
    return run(p, b, tree_root(b->tree), o, issues);
}

err
fhir_validate_resource(const struct profile_set *p, const struct tree *t, const struct node *resource,
                       const struct validate_options *o, arena *mem, struct issues *issues)
{
    struct bundle b;
    shape_start();
    hash_start();
    bool is_bundle =
        resource == tree_root(t) && view_eq(node_text_at(t, resource, "resourceType"), V("Bundle"));
    TRY(is_bundle ? bundle_index(t, mem, &b, issues) : bundle_of_resource(t, mem, &b, issues));
    return run(p, &b, resource, o, issues);
}
