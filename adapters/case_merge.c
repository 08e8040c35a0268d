#include "adapters/case_merge.h"

#include "adapters/case_codec.h"

static err merge_record(struct merge *m, const struct graph_source *s, enum case_record record,
                        const void *src, void *dst);

/* -- clashes -- */

static struct clash *
clash_at(struct merge *m, const void *at)
{
    struct clash *c = m->clashes;
    while (c && c->at != at)
        c = c->next;
    if (c)
        return c;
    c = arena_make(m->g.mem, struct clash);
    if (!c)
        return NULL;
    c->at = at;
    if (m->last_clash)
        m->last_clash->next = c;
    else
        m->clashes = c;
    m->last_clash = c;
    return c;
}

static err
clash_add(struct merge *m, struct clash *c, view text, struct source src)
{
    for (const struct clash_value *v = c->first; v; v = v->next)
        if (view_eq(v->text, text))
            return E_OK;
    struct clash_value *v = arena_make(m->g.mem, struct clash_value);
    if (!v || !text.p)
        return E_TOO_LARGE;
    *v = (struct clash_value){text, src, NULL};
    if (c->last)
        c->last->next = v;
    else
        c->first = v;
    c->last = v;
    return E_OK;
}

static err
clash_leaf(struct merge *m, const struct graph_source *s, enum case_kind kind, const void *src,
           const void *dst)
{
    struct clash *c = clash_at(m, dst);
    if (!c)
        return E_TOO_LARGE;
    TRY(clash_add(m, c, case_leaf_text(kind, dst, m->g.mem), *case_leaf_source(kind, dst)));
    return clash_add(m, c, case_leaf_text(kind, src, m->g.mem),
                     graph_source_of(s, case_leaf_source(kind, src)));
}

/* Where a value comes from: its first leaf. */
static bool
first_source(enum case_record record, const void *at, struct source *ret)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        const void *member = case_member(at, f);
        if (f->kind == FIELD_PUT && first_source((enum case_record)f->record, member, ret))
            return true;
        if (f->kind == FIELD_PUTS) {
            const void *first = ((const struct case_list *)member)->first;
            if (first && first_source((enum case_record)f->record, first, ret))
                return true;
            continue;
        }
        if (!case_leaf_present((enum case_kind)f->kind, member))
            continue;
        *ret = *case_leaf_source((enum case_kind)f->kind, member);
        return true;
    }
    return false;
}

static view
value_text(struct merge *m, enum case_record record, const void *at)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 16);
    return case_encode_record(record, at, &out) == E_TOO_LARGE ? VIEW_NONE
                                                               : arena_dup(m->g.mem, buf_view(&out));
}

static err
clash_put(struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
          const void *dst)
{
    struct source a = {0}, b = {0};
    struct clash *c = clash_at(m, dst);
    if (!c)
        return E_TOO_LARGE;
    (void)first_source(record, dst, &a);
    (void)first_source(record, src, &b);
    TRY(clash_add(m, c, value_text(m, record, dst), a));
    return clash_add(m, c, value_text(m, record, src), graph_source_of(s, &b));
}

/* -- members -- */

/* A day and a moment of that day say the same, one of them more of it. */
static bool
is_same_day(const struct leaf_time *a, const struct leaf_time *b)
{
    bool one_is_day = (a->precision == TIME_DAY && b->precision == TIME_INSTANT) ||
                      (a->precision == TIME_INSTANT && b->precision == TIME_DAY);
    return one_is_day &&
           date_days(date_of_instant(a->v, a->offset)) == date_days(date_of_instant(b->v, b->offset));
}

static err
merge_leaf(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
           void *dst)
{
    enum case_kind kind = (enum case_kind)f->kind;
    const void *a = case_member(src, f), *b = case_member(dst, f);
    if (!case_leaf_present(kind, a))
        return E_OK;
    if (!case_leaf_present(kind, b))
        return graph_copy_field(&m->g, s, f, src, dst);
    bool silent = kind == FIELD_REF || kind == FIELD_POINTER || f->class == CLASS_technical;
    if (silent || case_leaf_equal(kind, a, b))
        return E_OK;
    if (kind == FIELD_TIME && is_same_day((const struct leaf_time *)a, (const struct leaf_time *)b))
        return E_OK;
    return clash_leaf(m, s, kind, a, b);
}

/* No member that both state is stated differently. */
static bool
compatible(const struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
           const void *dst)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        const void *a = case_member(src, f), *b = case_member(dst, f);
        enum case_kind kind = (enum case_kind)f->kind;
        if (kind == FIELD_PUT) {
            if (!compatible(m, s, (enum case_record)f->record, a, b))
                return false;
        } else if (kind == FIELD_PUTS) {
            const struct case_list *x = (const struct case_list *)a, *y = (const struct case_list *)b;
            if (x->n && y->n &&
                (x->n != y->n || !merge_same(m, s, (enum case_record)f->record, x->first, y->first)))
                return false;
        } else if (case_leaf_present(kind, a) && case_leaf_present(kind, b) && !case_leaf_equal(kind, a, b)) {
            return false;
        }
    }
    return true;
}

/* A value is one thing: half of one and half of another would be a third that nobody stated. */
static err
merge_put(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
          void *dst)
{
    enum case_record record = (enum case_record)f->record;
    const void *a = case_member(src, f);
    void *b = (char *)dst + f->offset;
    if (case_value_empty(record, a) || merge_same(m, s, record, a, b))
        return E_OK;
    if (case_value_empty(record, b))
        return graph_copy_field(&m->g, s, f, src, dst);
    if (compatible(m, s, record, a, b))
        return merge_record(m, s, record, a, b);
    return f->class == CLASS_technical ? E_OK : clash_put(m, s, record, a, b);
}

static bool
list_has(const struct merge *m, const struct graph_source *s, const struct case_field *f,
         const struct case_list *list, const void *src)
{
    for (const struct case_head *e = (const struct case_head *)list->first; e; e = e->next) {
        const struct case_item *a = (const struct case_item *)src,
                               *b = (const struct case_item *)(const void *)e;
        bool same = f->kind == FIELD_PUTS   ? merge_same(m, s, (enum case_record)f->record, src, e)
                    : f->kind == FIELD_REFS ? merge_same_reference(m, s, &a->text, &b->text)
                                            : case_leaf_equal(FIELD_TEXT, &a->text, &b->text);
        if (same)
            return true;
    }
    return false;
}

/* Lists of values, texts and references: what is not there yet is added. */
static err
merge_values(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
             void *dst)
{
    struct case_list *to = (struct case_list *)(void *)((char *)dst + f->offset);
    const struct case_list *from = (const struct case_list *)case_member(src, f);
    if (!to->first)
        return graph_copy_field(&m->g, s, f, src, dst);
    for (const struct case_head *e = (const struct case_head *)from->first; e; e = e->next) {
        if (list_has(m, s, f, to, e))
            continue;
        TRY(graph_copy_member(&m->g, s, f, e, to));
    }
    return E_OK;
}

/* -- elements -- */

static bool
is_free(const struct merge *m, const void *dst)
{
    return (uintptr_t)map_get(&m->touched, dst) != m->turn;
}

static void *
find_match(const struct merge *m, const struct graph_source *s, const struct case_field *f,
           const struct case_list *to, const void *src)
{
    enum case_record record = (enum case_record)f->record;
    bool by_key = merge_has_key(record);
    for (struct case_head *e = (struct case_head *)to->first; e; e = e->next) {
        if (!is_free(m, e))
            continue;
        if (by_key ? merge_same_key(m, s, record, src, e) : merge_same(m, s, record, src, e))
            return e;
    }
    return NULL;
}

static err merge_element(struct merge *m, const struct graph_source *s, const struct case_field *f,
                         const void *src, void *dst);

/* Equal lists of equal elements: their members correspond one by one. */
static err
map_equal(struct merge *m, enum case_record record, const void *src, void *dst)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        if (f->kind == FIELD_ONE) {
            const void *a = *(const void *const *)case_member(src, f);
            void *b = *(void *const *)case_member(dst, f);
            if (a && b)
                TRY(map_equal(m, (enum case_record)f->record, a, b));
        }
        if (f->kind != FIELD_LIST)
            continue;
        const struct case_head *a =
            (const struct case_head *)((const struct case_list *)case_member(src, f))->first;
        struct case_head *b = (struct case_head *)((const struct case_list *)case_member(dst, f))->first;
        for (; a && b; a = a->next, b = b->next) {
            if (!map_put(m->g.mem, &m->g.map, a, b))
                return E_TOO_LARGE;
            TRY(map_equal(m, (enum case_record)f->record, a, b));
        }
    }
    return E_OK;
}

static err
meet(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src, void *dst)
{
    if (!map_put(m->g.mem, &m->touched, dst, (void *)m->turn) || !map_put(m->g.mem, &m->g.map, src, dst))
        return E_TOO_LARGE;
    if (f->record != RECORD_party && !merge_has_key((enum case_record)f->record))
        return map_equal(m, (enum case_record)f->record, src, dst);
    return merge_record(m, s, (enum case_record)f->record, src, dst);
}

static err
merge_element(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
              void *dst_owner)
{
    struct case_list *to = (struct case_list *)(void *)((char *)dst_owner + f->offset);
    struct join_node *joined = f->record == RECORD_party ? joins_root(&m->joins, src) : NULL;
    void *match = joined ? joined->copy : find_match(m, s, f, to, src);
    if (match)
        return meet(m, s, f, src, match);
    void *made;
    TRY(graph_copy_element(&m->g, s, f, src, dst_owner, &made));
    if (joined)
        joined->copy = made;
    return map_put(m->g.mem, &m->touched, made, (void *)m->turn) ? E_OK : E_TOO_LARGE;
}

static err
merge_list(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
           void *dst)
{
    const struct case_list *from = (const struct case_list *)case_member(src, f);
    for (const struct case_head *e = (const struct case_head *)from->first; e; e = e->next)
        TRY(merge_element(m, s, f, e, dst));
    return E_OK;
}

static err
merge_object(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
             void *dst)
{
    const void *from = *(const void *const *)case_member(src, f);
    void *to = *(void *const *)case_member(dst, f);
    if (!from)
        return E_OK;
    return to ? merge_record(m, s, (enum case_record)f->record, from, to)
              : graph_copy_field(&m->g, s, f, src, dst);
}

static err
merge_field(struct merge *m, const struct graph_source *s, const struct case_field *f, const void *src,
            void *dst)
{
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXTS:
    case FIELD_REFS:
    case FIELD_PUTS:
        return merge_values(m, s, f, src, dst);
    case FIELD_PUT:
        return merge_put(m, s, f, src, dst);
    case FIELD_ONE:
        return merge_object(m, s, f, src, dst);
    case FIELD_LIST:
        return merge_list(m, s, f, src, dst);
    default:
        return merge_leaf(m, s, f, src, dst);
    }
}

static err
merge_record(struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
             void *dst)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++)
        TRY(merge_field(m, s, &row->fields[i], src, dst));
    return E_OK;
}

/* Referenced sections before the referring ones, so that most references find their copy at once (and can
 * be compared).  Documents and verdicts are the frame's alone and are copied before (case_fold.c). */
static const uint16_t order[] = {
#define SECTION_(m) offsetof(struct claim_case, m)
    SECTION_(parties),     SECTION_(vehicles),      SECTION_(encounters),  SECTION_(diagnoses),
    SECTION_(procedures),  SECTION_(certificates),  SECTION_(reports),     SECTION_(cancer),
    SECTION_(disability),  SECTION_(death),         SECTION_(expenses),    SECTION_(images),
    SECTION_(care),        SECTION_(accident),      SECTION_(repairs),     SECTION_(coverages),
    SECTION_(claims),      SECTION_(recourse),      SECTION_(event),       SECTION_(third_party_property),
    SECTION_(settlements), SECTION_(receipt_pools), SECTION_(permissions), SECTION_(reinsurance),
    SECTION_(deliveries),  SECTION_(timeline),      SECTION_(unmapped),    SECTION_(findings),
    SECTION_(conflicts),   SECTION_(roles),         SECTION_(meta),
#undef SECTION_
};
enum {
    SECTIONS = 0
#define ROOT_ONE(m, need, t) +1
#define ROOT_LIST(m, need, t, prefix) +1
#include "adapters/case_rows.h"
};
_Static_assert(COUNT_OF(order) + 2 == SECTIONS, "every section of the case but documents and verdicts");

static const struct case_field *
section(uint16_t offset)
{
    const struct case_row *row = case_row_of(RECORD_case);
    const struct case_field *f = row->fields;
    while (f->offset != offset)
        f++;
    return f;
}

err
merge_source(struct merge *m, const struct graph_source *s)
{
    m->turn++;
    for (size_t i = 0; i < COUNT_OF(order); i++)
        TRY(merge_field(m, s, section(order[i]), s->c, m->g.out));
    graph_settle(&m->g);
    return E_OK;
}
