/* Lenient reading of documents that are not of our own profiles (docs/decisions/14-lenient-reading.md). */
#include "adapters/hospital/inside.h"

static const struct {
    const char *resource, *elements;
} reads[] = {
#define READS(resource, elements) {#resource, elements},
#include "adapters/hospital/reads.def"
#undef READS
};

/* Wherever they stand: what names, links, hides or changes the meaning of other things, and what is shown to
 * people as it is. */
static const char *const kept_names[] = {
    "id",   "resourceType", "meta",      "implicitRules",     "language",  "status",
    "text", "contained",    "extension", "modifierExtension", "reference", NULL};

/* Errors of form; of any other kind one refuses the document wherever it stands. */
static const err excused[] = {E_TYPE, E_VALUE};

/* Names of the elements from the resource down to a node, indices left out. */
struct steps {
    view names[TREE_DEPTH_MAX];
    size_t n;
    view resource; /* type; empty: the node is in no resource */
};

/* `_name` stands for its element. */
static view
element_name(view name)
{
    return view_starts(name, V("_")) ? view_sub(name, 1, name.n) : name;
}

static struct steps
find_steps(const struct tree *t, const struct node *n)
{
    struct steps s = {0};
    size_t at = COUNT_OF(s.names);
    for (;; n = &t->nodes[n->parent]) {
        s.resource = node_text_at(t, n, "resourceType");
        if (s.resource.n || n == tree_root(t))
            break;
        view name = element_name(node_name(t, n));
        if (name.n && at > 0)
            s.names[--at] = name;
    }
    s.n = COUNT_OF(s.names) - at;
    memmove(s.names, s.names + at, s.n * sizeof s.names[0]);
    return s;
}

/* One stands inside the other, or they are the same element. */
static bool
meets(const struct steps *s, view path)
{
    for (size_t i = 0; i < s->n && path.n; i++)
        if (!view_eq(view_cut(&path, '.', NULL), s->names[i]))
            return false;
    return true;
}

bool
hospital_reads(const struct tree *t, const struct node *n)
{
    struct steps s = find_steps(t, n);
    if (s.n == 0)
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (list_has_word(kept_names, s.names[i]))
            return true;
    for (size_t i = 0; i < COUNT_OF(reads); i++) {
        view rest = view_of(reads[i].elements);
        while (view_eq(s.resource, view_of(reads[i].resource)) && rest.n)
            if (meets(&s, view_cut(&rest, ' ', NULL)))
                return true;
    }
    return false;
}

static bool
claims_ours(const struct tree *t, const struct node *resource)
{
    for (NODE_EACH(profile, t, node_at(t, resource, "meta.profile")))
        if (view_starts(node_text(t, profile), V(CG)))
            return true;
    return false;
}

/* Who writes under our profiles, by its kind or by the profile that anything in it names, is held to them. */
static bool
is_foreign(const struct bundle *b)
{
    const struct node *type = node_at(b->tree, b->n ? b->entries[0].resource : NULL, "type");
    if (concept_code(b->tree, type, SYSTEM_DOCUMENT_KIND, NULL).n || claims_ours(b->tree, tree_root(b->tree)))
        return false;
    for (uint32_t i = 0; i < b->n; i++)
        if (claims_ours(b->tree, b->entries[i].resource))
            return false;
    return true;
}

static bool
is_excused(const struct tree *t, const struct issue *i)
{
    const struct node *n = i->pointer.p ? node_of_pointer(t, i->pointer) : NULL;
    bool form = false;
    for (size_t k = 0; k < COUNT_OF(excused); k++)
        form = form || i->code == excused[k];
    return form && n && !hospital_reads(t, n);
}

void
hospital_excuse(const struct bundle *b, struct issues *issues)
{
    if (issues->errors == 0 || !is_foreign(b))
        return;
    for (struct issue *i = issues->first; i; i = i->next) {
        if (i->severity != ISSUE_ERROR || !is_excused(b->tree, i))
            continue;
        i->severity = ISSUE_WARNING;
        issues->errors--;
    }
}
