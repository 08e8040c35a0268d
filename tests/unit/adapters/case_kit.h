/* Synthetic cases made from the table: every member of every record filled, in one or two sides (the
 * subject's and a stranger's).  Included by the unit tests of the case; each test program gets its own
 * copy. */
#ifndef TESTS_CASE_KIT_H
#define TESTS_CASE_KIT_H

#include "adapters/case_codec.h"
#include "adapters/case_walk.h"
#include "adapters/view.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

struct kit {
    arena *mem;
    struct claim_case *c;
    int side;       /* 0: the subject's, 1: a stranger's */
    int64_t serial; /* makes every value different */
    uint16_t document;
    bool gateway; /* present section is the gateway's own */
};

static UNUSED struct source
kit_source(struct kit *k)
{
    if (k->gateway)
        return source_gateway(HOW_ASSERTED);
    return (struct source){
        .from = (uint32_t)k->serial, .length = 3, .document = k->document, .how = HOW_COPIED};
}

static UNUSED view
kit_word(enum case_words list, int64_t n)
{
    view rest = view_of(case_words_text(list)), word = VIEW_NONE;
    bool more = true;
    int64_t count = 1;
    for (view left = rest; left.n; left = view_sub(left, 1, left.n))
        count += left.p[0] == '|';
    for (int64_t i = n % count; i >= 0 && more; i--)
        word = view_cut(&rest, '|', &more);
    return word;
}

/* Sets one leaf to a value made from the serial number. */
static UNUSED void
kit_set_leaf(struct kit *k, const struct case_field *f, enum case_kind kind, void *leaf)
{
    struct source src = kit_source(k);
    int64_t n = ++k->serial;
    switch (kind) {
    case FIELD_BOOL:
        leaf_set_bool(leaf, k->side == 0, src);
        return;
    case FIELD_INT:
        leaf_set_int(leaf, n, src);
        return;
    case FIELD_DECIMAL:
        leaf_set_decimal(leaf, (decimal){n * 10 + 5, 1}, src);
        return;
    case FIELD_DATE: {
        date day = date_of_days((int32_t)(20000 + n));
        day.calendar = n % 2 ? CALENDAR_ROC : CALENDAR_AD;
        leaf_set_date(leaf, day, n % 2 ? arena_printf(k->mem, "raw%" PRId64, n) : VIEW_NONE, src);
        return;
    }
    case FIELD_TIME:
        leaf_set_time(leaf, instant_of_unix(1780000000 + n * 61), n % 3 ? 480 : n % 2 ? -300 : 0, src);
        return;
    case FIELD_WORD:
        leaf_set_text(leaf, kit_word((enum case_words)f->words, 0), src);
        return;
    default:
        leaf_set_text(leaf, arena_printf(k->mem, "%.*s-文%" PRId64, VIEW_ARG(case_field_name(f)), n), src);
        return;
    }
}

static UNUSED void
kit_fill(struct kit *k, enum case_record record, void *at)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        void *member = (char *)at + f->offset;
        view scope = record == RECORD_case ? VIEW_NONE : ((struct case_head *)at)->id;
        switch ((enum case_kind)f->kind) {
        case FIELD_REF:
        case FIELD_REFS:
        case FIELD_POINTER:
            break; /* linked afterwards */
        case FIELD_TEXTS:
            for (int n = 0; n < 2; n++) {
                struct case_item *item = case_append_value(k->mem, member, sizeof *item);
                kit_set_leaf(k, f, FIELD_TEXT, &item->text);
            }
            break;
        case FIELD_PUT:
            kit_fill(k, (enum case_record)f->record, member);
            break;
        case FIELD_PUTS:
            kit_fill(k, (enum case_record)f->record,
                     case_append_value(k->mem, member, case_row_of((enum case_record)f->record)->size));
            break;
        case FIELD_ONE: {
            void *object = case_make(k->mem, member, case_row_of((enum case_record)f->record)->size, scope);
            kit_fill(k, (enum case_record)f->record, object);
            break;
        }
        case FIELD_LIST: {
            void *element = case_append(k->mem, member, case_row_of((enum case_record)f->record)->size, scope,
                                        f->targets);
            kit_fill(k, (enum case_record)f->record, element);
            break;
        }
        default:
            kit_set_leaf(k, f, (enum case_kind)f->kind, member);
        }
    }
}

/* -- references -- */

struct kit_links {
    struct kit *k;
    int side;
};

/* The side-th element of the first target list that has one. */
static UNUSED const struct case_head *
kit_target(struct claim_case *c, const char *targets, int side)
{
    view rest = view_of(targets);
    bool more = true;
    while (more) {
        view list = view_cut(&rest, '|', &more);
        const struct case_row *row = case_row_of(RECORD_case);
        for (unsigned i = 0; i < row->n; i++) {
            const struct case_field *f = &row->fields[i];
            if (f->kind != FIELD_LIST || !view_eq(case_field_name(f), list))
                continue;
            const struct case_head *e = ((const struct case_list *)case_member(c, f))->first;
            for (int n = 0; e && n < side && e->next; n++)
                e = e->next;
            if (e)
                return e;
        }
        if (view_eq(list, V("accident")) && c->accident)
            return (const struct case_head *)(side && c->accident->parties->next ? c->accident->parties->next
                                                                                 : c->accident->parties);
    }
    return (const struct case_head *)c->parties;
}

/* 0 for what belongs to the subject or to the event, 1 for the stranger's: the index in the root list, in
 * lists of singletons the index there. */
static UNUSED int
kit_side(const struct case_place *at)
{
    for (size_t i = 0; i < at->depth; i++)
        if (at->steps[i].field->kind == FIELD_LIST)
            return at->steps[i].index > 0;
    return 0;
}

static UNUSED err
kit_link_record(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct kit *k = self;
    const struct case_row *row = case_row_of(record);
    k->side = kit_side(at);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        if (f->kind == FIELD_POINTER)
            leaf_set_text((struct leaf_text *)(void *)((char *)record_at + f->offset), V("/event"),
                          source_gateway(HOW_ASSERTED));
        if (f->kind != FIELD_REF && f->kind != FIELD_REFS)
            continue;
        const struct case_head *target = kit_target(k->c, f->targets, k->side);
        void *member = (char *)record_at + f->offset;
        if (f->kind == FIELD_REFS) {
            member = &((struct case_item *)case_append_value(k->mem, member, sizeof(struct case_item)))->text;
        }
        struct source src = {.document = (uint16_t)k->side, .how = HOW_COPIED};
        cr_assert(case_ref(k->mem, member, target->id, src));
    }
    return E_OK;
}

static UNUSED void
kit_link(struct kit *k)
{
    struct case_visitor v = {.enter = kit_link_record, .self = k};
    cr_assert_eq(case_walk(k->c, &v), E_OK);
}

/* Sections that come from the gateway, not from a document. */
static UNUSED bool
kit_is_gateway(const struct case_field *f)
{
    static const char *const names[] = {
        "meta",     "claims",    "documents", "verdicts",  "permissions",   "deliveries", "timeline",
        "recourse", "coverages", "findings",  "conflicts", "receipt_pools", "reinsurance"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (view_eq(case_field_name(f), view_of(names[i])))
            return true;
    return false;
}

/* Every member of every record, once per side. */
static UNUSED struct claim_case *
kit_case(arena *mem, int sides)
{
    struct kit k = {.mem = mem, .c = case_new(mem)};
    const struct case_row *row = case_row_of(RECORD_case);
    for (k.side = 0; k.side < sides; k.side++) {
        k.document = (uint16_t)k.side;
        k.serial = k.side * 100000;
        for (unsigned i = 0; i < row->n; i++) {
            const struct case_field *f = &row->fields[i];
            void *member = (char *)k.c + f->offset;
            k.gateway = kit_is_gateway(f);
            if (f->kind == FIELD_LIST)
                kit_fill(&k, (enum case_record)f->record,
                         case_append(mem, member, case_row_of((enum case_record)f->record)->size, VIEW_NONE,
                                     f->targets));
            else if (k.side == 0)
                kit_fill(&k, (enum case_record)f->record,
                         case_make(mem, member, case_row_of((enum case_record)f->record)->size, VIEW_NONE));
        }
        if (k.side == 0)
            continue;
        /* Lists of the singletons have a stranger's element too. */
        k.gateway = false;
        struct case_accident *a = k.c->accident;
        kit_fill(&k, RECORD_accident_party, case_add_accident_parties(mem, a));
        kit_fill(&k, RECORD_opinion, case_add_accident_opinions(mem, a));
        kit_fill(&k, RECORD_record_request, case_add_accident_record_requests(mem, a));
        k.gateway = true;
        kit_fill(&k, RECORD_reference, case_add_meta_references(mem, k.c->meta));
    }
    return k.c;
}

static UNUSED view
kit_encode(const struct claim_case *c, bool sources, arena *mem)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 8 << 20);
    cr_assert_eq(case_encode(c, NULL, sources, &out), E_OK);
    return arena_dup(mem, buf_view(&out));
}

static UNUSED struct claim_case *
kit_decode(view text, arena *mem)
{
    struct tree *t = arena_make(mem, struct tree);
    struct fault f;
    fault_init(&f);
    cr_assert_eq(tree_read_json(text, NULL, mem, t, &f), E_OK, "%s", f.expected);
    struct claim_case *c = NULL;
    err e = case_decode(t, tree_root(t), mem, &c, &f);
    cr_assert_eq(e, E_OK, "%s: %s, found %s", f.where, f.expected, f.found);
    return c;
}

#endif
