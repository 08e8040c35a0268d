#include "fhir/judge.h"
#include "fhir/tree_walk.h"
#include "fhir/xhtml.h"

/* Narratives: their form, and links to places of the same resource. */

/* An empty narrative, or a dead link, is a pity and no danger. */
static void
say_form(struct judge *j, const struct node *n, view why)
{
    enum issue_severity severity = view_starts(why, V("txt-2"))   ? judge_severity(j, WEIGHT_NARRATIVE_EMPTY)
                                   : view_starts(why, V("links")) ? judge_severity(j, WEIGHT_NARRATIVE_LINK)
                                                                  : ISSUE_ERROR;
    judge_say(j, severity, E_VALUE, n, why, V(""));
}

bool
judge_narrative(struct judge *j, const struct node *div)
{
    struct xhtml_look look = {.has_local_link = false};
    const char *why = xhtml_fault(node_text(j->tree, div), &look);
    if (why)
        say_form(j, div, view_of(why));
    return look.has_local_link;
}

/* ---- links ---- */

struct anchors {
    struct hash_table names;
    bool full, missing;
    bool asking; /* second round: links are looked up */
};

static void
mark(void *self, bool link, view name)
{
    struct anchors *a = self;
    uint32_t unused;
    if (!link && !a->asking)
        a->full |= hash_table_add(&a->names, hash_view(0, name), 0, NULL) == E_TOO_LARGE;
    /* "#" alone is the top. */
    if (link && a->asking && name.n > 0)
        a->missing |= !hash_table_find(&a->names, hash_view(0, name), &unused);
}

static void
look_through(struct judge *j, const struct node *resource, struct anchors *a)
{
    uint32_t end = node_end(j->tree, resource);
    for (uint32_t i = node_index(j->tree, resource) + 1; i < end; i++) {
        const struct node *n = &j->tree->nodes[i];
        view name = n->kind == NODE_STRING ? node_name(j->tree, n) : VIEW_NONE;
        struct xhtml_look look = {.mark = mark, .self = a};
        if (!a->asking && view_eq(name, V("id")))
            mark(a, false, node_text(j->tree, n));
        if (!view_eq(name, V("div")))
            continue;
        a->missing = false;
        const char *fault = xhtml_fault(node_text(j->tree, n), &look);
        if (!fault && a->missing)
            judge_say(j, judge_severity(j, WEIGHT_NARRATIVE_ANCHOR), E_VALUE, n,
                      V("links to places that are there"), V("a link to an id that the resource has not"));
    }
}

/* Ids of elements and of what is contained count as places, and names as HTML knew them. */
void
judge_anchors(struct judge *j, const struct node *resource)
{
    struct anchors a = {.asking = false};
    if (!hash_table_init(&a.names, j->mem, 16)) {
        j->full = true;
        return;
    }
    look_through(j, resource, &a);
    a.asking = true;
    look_through(j, resource, &a);
    j->full |= a.full;
}
