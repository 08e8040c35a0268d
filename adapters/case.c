#include "adapters/case.h"

#include "base/text.h"

#include <assert.h>

/* What is assumed of all lists and heads when they are reached through offsets. */
_Static_assert(offsetof(struct claim_case, parties_last) ==
                   offsetof(struct claim_case, parties) + sizeof(void *),
               "a list is first, last, n");
_Static_assert(offsetof(struct claim_case, scope) == offsetof(struct case_head, id), "head of the case");
_Static_assert(offsetof(struct case_person, scope) == offsetof(struct case_head, id), "head of an object");
_Static_assert(offsetof(struct case_party, id) == offsetof(struct case_head, id), "head of an element");
_Static_assert(offsetof(struct case_item, text) == sizeof(void *), "an item is next and text");

#define TAIPEI_MINUTES 480

struct claim_case *
case_new(arena *mem)
{
    struct claim_case *c = arena_make(mem, struct claim_case);
    if (c)
        c->mem = mem;
    return c;
}

view
case_make_id(arena *mem, view scope, const char *prefix, uint32_t n)
{
    char digits[12];
    size_t at = sizeof digits;
    size_t prefix_n = strlen(prefix);
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    size_t digits_n = sizeof digits - at;
    char *p = (char *)arena_alloc(mem, scope.n + prefix_n + digits_n);
    if (!p)
        return VIEW_NONE;
    if (scope.n)
        memcpy(p, scope.p, scope.n);
    memcpy(p + scope.n, prefix, prefix_n);
    memcpy(p + scope.n + prefix_n, digits + at, digits_n);
    return (view){p, scope.n + prefix_n + digits_n};
}

static void
link_in(struct case_list *list, struct case_head *element)
{
    if (list->last)
        ((struct case_head *)list->last)->next = element;
    else
        list->first = element;
    list->last = element;
    list->n++;
}

void *
case_append(arena *mem, void *slot, size_t size, view scope, const char *prefix)
{
    struct case_list *list = (struct case_list *)slot;
    struct case_head *element = (struct case_head *)arena_alloc(mem, size);
    if (!element)
        return NULL;
    element->id = case_make_id(mem, scope, prefix, list->n + 1);
    if (!element->id.p)
        return NULL;
    link_in(list, element);
    return element;
}

void *
case_append_value(arena *mem, void *slot, size_t size)
{
    struct case_head *element = (struct case_head *)arena_alloc(mem, size);
    if (element)
        link_in((struct case_list *)slot, element);
    return element;
}

void *
case_make(arena *mem, void *slot, size_t size, view scope)
{
    struct case_head **object = (struct case_head **)slot;
    if (*object)
        return *object;
    struct case_head *made = (struct case_head *)arena_alloc(mem, size);
    if (!made)
        return NULL;
    made->id = scope;
    *object = made;
    return made;
}

/* -- leaves -- */

void
case_set_money(struct case_money *m, decimal amount, view currency, struct source src)
{
    leaf_set_decimal(&m->amount, amount, src);
    leaf_set_text(&m->currency, currency.n ? currency : V("TWD"), src);
}

err
leaf_parse_time(struct leaf_time *leaf, view text, struct source src)
{
    if (text.n > 10) {
        instant at;
        int offset = 0;
        TRY(instant_parse(text, &at, &offset));
        leaf_set_time(leaf, at, offset, src);
        return E_OK;
    }
    date day;
    TRY(date_parse(text, &day));
    instant midnight = {((int64_t)date_days(day) * 1440 - TAIPEI_MINUTES) * 60 * 1000000};
    leaf_set_time(leaf, midnight, TAIPEI_MINUTES, src);
    leaf->precision = day.precision == DATE_DAY     ? TIME_DAY
                      : day.precision == DATE_MONTH ? TIME_MONTH
                                                    : TIME_YEAR;
    return E_OK;
}

date
leaf_day(const struct leaf_time *leaf)
{
    return date_of_instant(leaf->v, leaf->offset);
}

bool
case_ref(arena *mem, struct leaf_text *leaf, view id, struct source src)
{
    char *p = (char *)arena_alloc(mem, id.n + 1);
    if (!p)
        return false;
    p[0] = '#';
    if (id.n)
        memcpy(p + 1, id.p, id.n);
    leaf_set_text(leaf, (view){p, id.n + 1}, src);
    return true;
}

/* -- finding elements -- */

static view
bare(view id)
{
    return id.n && id.p[0] == '#' ? (view){id.p + 1, id.n - 1} : id;
}

#define FIND_(name, type, list)                                                                              \
    struct case_##type *name(const struct claim_case *c, view id)                                            \
    {                                                                                                        \
        view wanted = bare(id);                                                                              \
        for (struct case_##type *e = c->list; e; e = e->next)                                                \
            if (wanted.n && view_eq(e->id, wanted))                                                          \
                return e;                                                                                    \
        return NULL;                                                                                         \
    }
FIND_(case_party_of, party, parties)
FIND_(case_encounter_of, encounter, encounters)
FIND_(case_expense_of, expense, expenses)
FIND_(case_vehicle_of, vehicle, vehicles)
FIND_(case_claim_of, claim, claims)
FIND_(case_document_of, document, documents)
#undef FIND_
