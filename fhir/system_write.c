#include "fhir/profile.h"
#include "fhir/tree_walk.h"

#include "base/instant.h"

#include <stdlib.h>

/* Code systems into a pack: codes sorted by bytes, and beside them, where the definition says so, what a code is called and the
 * days on which it is in force.  A code that was in force twice stands twice. */

struct entry {
    view code, display;
    uint32_t from, until;
};

struct entries {
    struct entry *list;
    size_t n;
    bool windows; /* some code has one */
};

bool
concept_is(const struct tree *t, const struct node *n)
{
    const struct node *array = &t->nodes[n->parent];
    return n->kind == NODE_OBJECT && array->kind == NODE_ARRAY && view_eq(node_name(t, array), V("concept"));
}

/* "2026-07-01" or longer → 20260701; 0 when it is no full day. */
static uint32_t
day_of(view text)
{
    date d;
    if (text.n < 10 || date_parse(view_sub(text, 0, 10), &d) != E_OK)
        return 0;
    return (uint32_t)d.year * 10000u + d.month * 100u + d.day;
}

static view
value_of(const struct tree *t, const struct node *property)
{
    for (NODE_EACH(member, t, property))
        if (view_starts(node_name(t, member), V("value")))
            return node_text(t, member);
    return VIEW_NONE;
}

/* http://hl7.org/fhir/concept-properties: the first day, and the last. */
static void
read_window(const struct tree *t, const struct node *concept, struct entry *e)
{
    for (NODE_EACH(p, t, node_member(t, concept, V("property")))) {
        view code = node_text(t, node_member(t, p, V("code")));
        if (view_eq(code, V("effectiveDate")))
            e->from = day_of(value_of(t, p));
        else if (view_eq(code, V("retirementDate")))
            e->until = day_of(value_of(t, p));
    }
}

/* Concepts nest; in document order each one is an object of an array "concept". */
static void
read_entries(const struct tree *t, const struct node *below, struct entries *out)
{
    uint32_t end = below ? node_end(t, below) : 0;
    for (uint32_t i = below ? node_index(t, below) + 1 : 0; i < end; i++) {
        const struct node *n = &t->nodes[i];
        if (!concept_is(t, n))
            continue;
        struct entry e = {.code = node_text(t, node_member(t, n, V("code"))),
                          .display = node_text(t, node_member(t, n, V("display")))};
        if (e.code.n == 0)
            continue;
        read_window(t, n, &e);
        out->windows |= e.from || e.until;
        out->list[out->n++] = e;
    }
}

static size_t
count_concepts(const struct tree *t, const struct node *below)
{
    size_t n = 0;
    uint32_t end = below ? node_end(t, below) : 0;
    for (uint32_t i = below ? node_index(t, below) + 1 : 0; i < end; i++)
        n += concept_is(t, &t->nodes[i]);
    return n;
}

static int
by_code(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = view_cmp(x->code, y->code);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

static struct pack_span
write_entries(const struct entries *e, bool words, struct pack_build *b)
{
    struct pack_span written = {pack_count(b, PACK_CODE), 0};
    for (size_t i = 0; i < e->n; i++) {
        const struct entry *one = &e->list[i];
        if (i > 0 && view_eq(one->code, one[-1].code) && (!words || one->from == one[-1].from))
            continue;
        struct pack_text text = pack_add_text(b, one->code);
        struct pack_word word = {.from = one->from, .until = one->until};
        pack_add(b, PACK_CODE, &text);
        written.n++;
        if (!words)
            continue;
        word.display = pack_add_text(b, one->display);
        pack_add(b, PACK_WORD, &word);
    }
    return written;
}

err
system_write(const struct sources *s, const struct source_file *file, struct pack_build *b)
{
    const struct tree *t = file->tree;
    const struct node *concepts = node_member(t, file->root, V("concept"));
    const struct node *sensitive = node_member(t, file->root, V("caseSensitive"));
    view content = node_text(t, node_member(t, file->root, V("content")));
    struct entries e = {.n = 0};
    e.list = arena_make_array(b->mem, count_concepts(t, concepts) + 1, struct entry);
    if (!e.list)
        return E_TOO_LARGE;
    read_entries(t, concepts, &e);
    qsort(e.list, e.n, sizeof *e.list, by_code);
    bool words = e.n > 0 && (s->words || e.windows);
    struct pack_system out = {.url = pack_add_text(b, file->url),
                              .version = pack_add_text(b, file->version),
                              .complete = view_eq(content, V("complete")) && e.n > 0,
                              .any_case = sensitive && !node_is_true(sensitive),
                              .words = words ? pack_count(b, PACK_WORD) : PACK_NONE};
    out.codes = write_entries(&e, words, b);
    pack_add(b, PACK_SYSTEM, &out);
    return b->failed ? E_TOO_LARGE : E_OK;
}
