#include "adapters/case_merge.h"

static bool
same_list(const struct merge *m, const struct graph_source *s, const struct case_field *f,
          const struct case_list *src, const struct case_list *dst)
{
    if (src->n != dst->n)
        return false;
    const struct case_head *a = (const struct case_head *)src->first,
                           *b = (const struct case_head *)dst->first;
    for (; a && b; a = a->next, b = b->next)
        if (!merge_same(m, s, (enum case_record)f->record, a, b))
            return false;
    return true;
}

static bool
same_items(const struct merge *m, const struct graph_source *s, const struct case_field *f,
           const struct case_list *src, const struct case_list *dst)
{
    if (src->n != dst->n)
        return false;
    const struct case_item *a = (const struct case_item *)src->first,
                           *b = (const struct case_item *)dst->first;
    for (; a && b; a = a->next, b = b->next) {
        bool same = f->kind == FIELD_REFS ? merge_same_reference(m, s, &a->text, &b->text)
                                          : case_leaf_equal(FIELD_TEXT, &a->text, &b->text);
        if (!same)
            return false;
    }
    return true;
}

bool
merge_same_reference(const struct merge *m, const struct graph_source *s, const struct leaf_text *src,
                     const struct leaf_text *dst)
{
    if (!src->v.p || !dst->v.p)
        return !src->v.p && !dst->v.p;
    const void *element;
    const void *target = graph_target(&m->g, s, src->v, &element);
    return target && dst->v.n == GRAPH_LINKED && (const void *)dst->v.p == target;
}

static bool
same_field(const struct merge *m, const struct graph_source *s, const struct case_field *f, const void *a,
           const void *b)
{
    switch ((enum case_kind)f->kind) {
    case FIELD_REF:
        return merge_same_reference(m, s, (const struct leaf_text *)a, (const struct leaf_text *)b);
    case FIELD_POINTER:
        return false; /* pointers of different documents are not comparable before the end */
    case FIELD_TEXTS:
    case FIELD_REFS:
        return same_items(m, s, f, (const struct case_list *)a, (const struct case_list *)b);
    case FIELD_PUTS:
    case FIELD_LIST:
        return same_list(m, s, f, (const struct case_list *)a, (const struct case_list *)b);
    case FIELD_PUT:
        return merge_same(m, s, (enum case_record)f->record, a, b);
    case FIELD_ONE: {
        const void *x = *(const void *const *)a, *y = *(const void *const *)b;
        return x && y ? merge_same(m, s, (enum case_record)f->record, x, y) : !x && !y;
    }
    default:
        return case_leaf_equal((enum case_kind)f->kind, a, b);
    }
}

bool
merge_same(const struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
           const void *dst)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        if (!same_field(m, s, f, case_member(src, f), case_member(dst, f)))
            return false;
    }
    return true;
}

bool
case_value_empty(enum case_record record, const void *at)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        const void *member = case_member(at, f);
        switch ((enum case_kind)f->kind) {
        case FIELD_TEXTS:
        case FIELD_REFS:
        case FIELD_PUTS:
        case FIELD_LIST:
            if (((const struct case_list *)member)->first)
                return false;
            break;
        case FIELD_PUT:
            if (!case_value_empty((enum case_record)f->record, member))
                return false;
            break;
        case FIELD_ONE:
            if (*(const void *const *)member)
                return false;
            break;
        default:
            if (case_leaf_present((enum case_kind)f->kind, member))
                return false;
        }
    }
    return true;
}

/* -- keys -- */

/* Both present and equal. */
static bool
equal_text(const struct leaf_text *a, const struct leaf_text *b)
{
    return a->v.n && view_eq(a->v, b->v);
}

static bool
equal_or_both_absent(const struct leaf_text *a, const struct leaf_text *b)
{
    return view_eq(a->v, b->v);
}

/* Plates are written with and without hyphen, in either case. */
static bool
equal_plate(view a, view b)
{
    size_t i = 0, k = 0, n = 0;
    for (;;) {
        while (i < a.n && (a.p[i] == '-' || a.p[i] == ' '))
            i++;
        while (k < b.n && (b.p[k] == '-' || b.p[k] == ' '))
            k++;
        if (i >= a.n || k >= b.n)
            return i >= a.n && k >= b.n && n > 0;
        if ((a.p[i] | 0x20) != (b.p[k] | 0x20))
            return false;
        i++;
        k++;
        n++;
    }
}

struct pair {
    const struct merge *m;
    const struct graph_source *s;
};

static bool
refers(const struct pair *x, const struct leaf_text *a, const struct leaf_text *b)
{
    return a->v.p && merge_same_reference(x->m, x->s, a, b);
}

static bool
refers_or_absent(const struct pair *x, const struct leaf_text *a, const struct leaf_text *b)
{
    return !a->v.p || !b->v.p || merge_same_reference(x->m, x->s, a, b);
}

#define KEY_(o) static bool key_##o(const struct pair *x, const struct case_##o *a, const struct case_##o *b)
KEY_(encounter)
{
    return refers(x, &a->facility, &b->facility) && equal_text(&a->visit_no, &b->visit_no) &&
           refers_or_absent(x, &a->patient, &b->patient);
}
KEY_(expense)
{
    return refers(x, &a->issuer, &b->issuer) && equal_text(&a->no, &b->no) && equal_text(&a->kind, &b->kind);
}
KEY_(certificate)
{
    return equal_text(&a->no, &b->no) && equal_text(&a->kind, &b->kind) &&
           refers_or_absent(x, &a->issuer, &b->issuer) && refers_or_absent(x, &a->patient, &b->patient);
}
KEY_(vehicle)
{
    (void)x;
    return equal_plate(a->plate.v, b->plate.v) || equal_text(&a->vin, &b->vin);
}
KEY_(coverage)
{
    return refers(x, &a->insurer, &b->insurer) && refers(x, &a->insured, &b->insured) &&
           equal_text(&a->line, &b->line) && equal_or_both_absent(&a->policy_no, &b->policy_no);
}
/* One shop works on one vehicle under one order. */
KEY_(repair)
{
    return refers(x, &a->shop, &b->shop) && refers(x, &a->vehicle, &b->vehicle);
}
/* Claims on a person name the claimant; one on a vehicle is told by the vehicle, also where a paper (a shop's, a payment's) knows no person. */
KEY_(claim)
{
    bool same_claimant =
        a->for_.v.p ? refers_or_absent(x, &a->claimant, &b->claimant) : refers(x, &a->claimant, &b->claimant);
    return refers(x, &a->recipient, &b->recipient) && same_claimant && equal_text(&a->line, &b->line) &&
           merge_same_reference(x->m, x->s, &a->for_, &b->for_);
}
KEY_(accident_party)
{
    (void)x;
    return a->seq.set && b->seq.set && a->seq.v == b->seq.v;
}
#undef KEY_

bool
merge_has_key(enum case_record record)
{
    return record == RECORD_encounter || record == RECORD_expense || record == RECORD_certificate ||
           record == RECORD_vehicle || record == RECORD_coverage || record == RECORD_claim ||
           record == RECORD_repair || record == RECORD_accident_party;
}

#define KEY_ROW_(o)                                                                                          \
    case RECORD_##o:                                                                                         \
        return key_##o(&x, (const struct case_##o *)src, (const struct case_##o *)dst)
bool
merge_same_key(const struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
               const void *dst)
{
    struct pair x = {m, s};
    switch ((int)record) {
        KEY_ROW_(encounter);
        KEY_ROW_(expense);
        KEY_ROW_(certificate);
        KEY_ROW_(vehicle);
        KEY_ROW_(coverage);
        KEY_ROW_(repair);
        KEY_ROW_(claim);
        KEY_ROW_(accident_party);
    default:
        return false;
    }
}
#undef KEY_ROW_
