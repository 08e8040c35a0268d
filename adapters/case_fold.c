#include "adapters/case_fold.h"

#include "adapters/case_merge.h"
#include "adapters/rules/consistency.h"

#include <stdlib.h>

/* A document of the frame in its place. */
struct slot {
    const struct case_document *document;
    bool hidden; /* replaced or withdrawn: its facts are not part of the case */
    void *copy;
};

struct folding {
    struct merge m;
    const struct claim_case *frame;
    struct slot *slots;
    size_t n_slots;
    struct graph_source *sources; /* the frame, then the parts in order */
    const struct case_part **parts;
    size_t n_sources;
    struct fault *f;
};

static int
compare_slots(const void *x, const void *y)
{
    const struct case_document *a = ((const struct slot *)x)->document,
                               *b = ((const struct slot *)y)->document;
    if (a->received_at.v.us != b->received_at.v.us)
        return a->received_at.v.us < b->received_at.v.us ? -1 : 1;
    return view_cmp(a->document_id.v, b->document_id.v);
}

static bool
is_replaced(const struct claim_case *frame, const struct case_document *d)
{
    for (const struct case_document *other = frame->documents; other; other = other->next) {
        view target = other->replaces.v;
        if (target.n > 1 && view_eq(view_sub(target, 1, target.n), d->id))
            return true;
    }
    return false;
}

static err
sort_documents(struct folding *x, arena *mem)
{
    x->n_slots = x->frame->documents_n;
    x->slots = arena_make_array(mem, x->n_slots + 1, struct slot);
    if (!x->slots)
        return E_TOO_LARGE;
    size_t n = 0;
    for (const struct case_document *d = x->frame->documents; d; d = d->next)
        x->slots[n++] = (struct slot){d, is_replaced(x->frame, d) || d->withdrawn.set, NULL};
    if (n > 1)
        qsort(x->slots, n, sizeof *x->slots, compare_slots);
    return E_OK;
}

static const struct case_part *
part_of(const struct case_part *parts, size_t n, view document_id)
{
    for (size_t i = 0; i < n; i++)
        if (view_eq(parts[i].document_id, document_id))
            return &parts[i];
    return NULL;
}

/* The sources in the order of their documents. */
static err
sort_parts(struct folding *x, const struct case_part *parts, size_t n, arena *mem)
{
    x->sources = arena_make_array(mem, n + 1, struct graph_source);
    x->parts = arena_make_array(mem, n + 1, const struct case_part *);
    if (!x->sources || !x->parts)
        return E_TOO_LARGE;
    TRY(graph_source_init(&x->sources[0], x->frame, mem));
    x->sources[0].gateway = true;
    x->n_sources = 1;
    size_t known = 0;
    for (size_t i = 0; i < x->n_slots; i++) {
        const struct case_part *p = part_of(parts, n, x->slots[i].document->document_id.v);
        known += p != NULL;
        if (!p || x->slots[i].hidden)
            continue;
        struct graph_source *s = &x->sources[x->n_sources];
        TRY(graph_source_init(s, p->facts, mem));
        s->document = (uint16_t)i;
        x->parts[x->n_sources++] = p;
    }
    if (known != n)
        return fault_set(x->f, E_NOT_FOUND, "/documents", "the document of every part in the frame",
                         "a part without");
    return E_OK;
}

static const struct case_field *
field_at(uint16_t offset)
{
    const struct case_row *row = case_row_of(RECORD_case);
    const struct case_field *f = row->fields;
    while (f->offset != offset)
        f++;
    return f;
}

/* Documents in order, then each one's verdicts, so that both are numbered by the order of receipt. */
static err
copy_documents(struct folding *x)
{
    struct graph *g = &x->m.g;
    const struct graph_source *frame = &x->sources[0];
    const struct case_field *documents = field_at(offsetof(struct claim_case, documents));
    const struct case_field *verdicts = field_at(offsetof(struct claim_case, verdicts));
    for (size_t i = 0; i < x->n_slots; i++)
        TRY(graph_copy_element(g, frame, documents, x->slots[i].document, g->out, &x->slots[i].copy));
    for (size_t i = 0; i < x->n_slots; i++)
        for (const struct case_verdict *v = x->frame->verdicts; v; v = v->next)
            if (graph_source_element(frame, v->document.v) == x->slots[i].document)
                TRY(graph_copy_element(g, frame, verdicts, v, g->out, NULL));
    return E_OK;
}

/* Whom the document is about: known in its facts, used by the projections. */
static void
set_subject(struct folding *x, size_t source)
{
    const struct graph_source *s = &x->sources[source];
    struct case_document *d = (struct case_document *)x->slots[s->document].copy;
    const void *subject = graph_source_element(s, x->parts[source]->subject);
    const void *copy = subject ? map_get(&x->m.g.map, subject) : NULL;
    if (copy && !d->subject.v.p)
        d->subject = (struct leaf_text){{(const char *)copy, GRAPH_LINKED}, source_gateway(HOW_COMPUTED)};
}

static err
merge_all(struct folding *x)
{
    TRY(merge_source(&x->m, &x->sources[0]));
    for (size_t i = 1; i < x->n_sources; i++) {
        x->sources[i].own_document = x->slots[x->sources[i].document].copy;
        TRY(merge_source(&x->m, &x->sources[i]));
        set_subject(x, i);
    }
    return E_OK;
}

/* -- conflicts -- */

static err
write_values(struct folding *x, const struct clash *clash, struct case_conflict *c)
{
    struct source ours = source_gateway(HOW_COMPUTED);
    for (const struct clash_value *v = clash->first; v; v = v->next) {
        struct case_conflict_value *value = case_add_conflict_values(x->m.g.mem, c);
        if (!value)
            return E_TOO_LARGE;
        leaf_set_text(&value->value, v->text, v->src);
        if (v->src.document < x->n_slots)
            value->source =
                (struct leaf_text){{(const char *)x->slots[v->src.document].copy, GRAPH_LINKED}, ours};
    }
    leaf_set_text(&c->shown, clash->first->text, clash->first->src);
    leaf_set_text(&c->rule, V("first-received"), ours);
    leaf_set_text(&c->pointer, V(""), ours);
    return E_OK;
}

struct placing {
    struct graph_map wanted; /* clashing leaf or value → struct case_conflict */
    arena *mem;
};

static err
place_conflict(struct placing *p, const struct case_place *at, const void *address)
{
    struct case_conflict *c = (struct case_conflict *)map_get(&p->wanted, address);
    if (!c)
        return E_OK;
    c->pointer.v = case_place_pointer(at, p->mem);
    return c->pointer.v.p ? E_OK : E_TOO_LARGE;
}

static err
place_leaf(void *self, const struct case_place *at)
{
    return place_conflict((struct placing *)self, at, at->leaf);
}

static err
place_value(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    return case_row_of(record)->form == FORM_VALUE ? place_conflict((struct placing *)self, at, record_at)
                                                   : E_OK;
}

static err
write_conflicts(struct folding *x)
{
    struct placing p = {.mem = x->m.g.mem};
    for (const struct clash *clash = x->m.clashes; clash; clash = clash->next) {
        struct case_conflict *c = case_add_conflicts(p.mem, x->m.g.out);
        if (!c || !map_put(p.mem, &p.wanted, clash->at, c))
            return E_TOO_LARGE;
        TRY(write_values(x, clash, c));
    }
    TRY(graph_finish(&x->m.g));
    struct case_visitor v = {.leaf = place_leaf, .enter = place_value, .self = &p};
    return p.wanted.n ? case_walk(x->m.g.out, &v) : E_OK;
}

static err
note_origin(struct folding *x, const struct case_part *parts, size_t n)
{
    struct case_origin *origin = arena_make(x->m.g.mem, struct case_origin);
    struct case_part *copies = arena_make_array(x->m.g.mem, n + 1, struct case_part);
    if (!origin || !copies)
        return E_TOO_LARGE;
    if (n)
        memcpy(copies, parts, n * sizeof *parts);
    *origin = (struct case_origin){.frame = x->frame, .parts = copies, .n = n, .map = x->m.g.map};
    x->m.g.out->origin = origin;
    return E_OK;
}

err
case_fold(const struct claim_case *frame, const struct case_part *parts, size_t n, arena *mem,
          struct claim_case **ret, struct fault *f)
{
    struct folding x = {.frame = frame, .f = f};
    x.m.g.mem = mem;
    x.m.g.out = case_new(mem);
    if (!x.m.g.out || frame->documents_n >= CASE_NO_DOCUMENT)
        return E_TOO_LARGE;
    TRY(sort_documents(&x, mem));
    TRY(sort_parts(&x, parts, n, mem));
    TRY(joins_make(x.sources, x.n_sources, mem, &x.m.joins));
    TRY(copy_documents(&x));
    TRY(merge_all(&x));
    TRY(write_conflicts(&x));
    TRY(consistency_check(x.m.g.out, mem, NULL));
    TRY(note_origin(&x, parts, n));
    *ret = x.m.g.out;
    return E_OK;
}
