#include "flow/task/task_inside.h"

#include "flow/case/plan.h"

static const struct task_item items[] = {
#define TASK_ITEM(id, word, owners, kind, days, basis) {word, owners, KIND_##kind, days, basis},
#include "flow/task/task.def"
#undef TASK_ITEM
};

static const struct {
    const char *word;
    const char *text[2];
} refusals[] = {
#define TASK_REFUSAL(word, en, zh) {word, {en, zh}},
#include "flow/task/task.def"
#undef TASK_REFUSAL
};

const struct task_item *
task_item_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(items); i++)
        if (view_eq(word, view_of(items[i].word)))
            return &items[i];
    return NULL;
}

int
task_days(view item)
{
    const struct task_item *row = task_item_of(item);
    return row ? row->days : -1;
}

static bool
is_word_of(view words, view word)
{
    while (words.n)
        if (view_eq(view_cut(&words, ' ', NULL), word))
            return true;
    return false;
}

bool
task_item_of_owner(const struct task_item *item, const struct partner *owner)
{
    return is_word_of(view_of(item->owners), owner->row->kind);
}

const char *const *
task_refusal_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        if (view_eq(word, view_of(refusals[i].word)))
            return refusals[i].text;
    return NULL;
}

const struct partner *
task_holder(const struct registry *r, view code)
{
    static const char *const kinds[] = {"police", "board", "prosecutor", "hospital", "clinic"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct partner *p = registry_by_code(r, view_of(kinds[i]), code);
        if (p)
            return p;
    }
    return NULL;
}

digest
task_about_accident(const struct seal *s, view owner, view item, view agency, view number)
{
    return BLIND(s, "task-accident", owner, item, agency, number);
}

digest
task_about_person(const struct seal *s, view owner, view item, view kind, view number, const digest *person)
{
    return BLIND(s, "task-person", owner, item, kind, number, digest_view(person));
}

bool
task_is_of_gateway(const struct row_task *t)
{
    const struct task_item *item = task_item_of(t->item);
    return !item || item->kind == KIND_COUNT;
}

/* -- mandates -- */

err
task_case(struct reader *r, const struct row_ask *a, arena *mem, uid *ret_case, struct row_claim **ret_claim)
{
    struct row_claim *claim = NULL;
    uid id = a->case_id;
    if (!uid_is_none(a->claim))
        TRY(query_claim(r, ARGS(val_uid(&a->claim)), mem, &claim));
    if (claim)
        id = claim->case_id;
    for (int i = 0; i < 16; i++) {
        struct row_case *row = NULL;
        TRY(query_case_row(r, ARGS(val_uid(&id)), mem, &row));
        if (!row || uid_is_none(row->merged_into))
            break;
        id = row->merged_into;
    }
    *ret_case = id;
    *ret_claim = claim;
    return E_OK;
}

err
task_mandate(struct reader *r, const struct row_task *t, const struct row_ask *a, instant now, arena *mem,
             const struct row_permission **ret)
{
    const struct task_item *item = task_item_of(t->item);
    struct row_permission *list = NULL;
    struct row_claim *claim;
    uid in_case;
    *ret = NULL;
    TRY(task_case(r, a, mem, &in_case, &claim));
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    const uid named[] = {t->owner, a->partner};
    for (size_t i = 0; i < COUNT_OF(named) && item && !*ret; i++) {
        const struct row_permission *p = permission_mandate(list, named[i], item->kind, now);
        while (p && claim && !digest_eq(&claim->claimant, &p->subject))
            p = permission_mandate(p->next, named[i], item->kind, now);
        *ret = p;
    }
    return E_OK;
}

err
task_any_mandate(struct reader *r, const struct row_task *t, instant now, arena *mem,
                 const struct row_permission **ret)
{
    struct row_ask *asks = NULL;
    *ret = NULL;
    TRY(query_asks_of_task(r, ARGS(val_uid(&t->id)), mem, &asks));
    for (; asks && !*ret; asks = asks->next)
        TRY(task_mandate(r, t, asks, now, mem, ret));
    return E_OK;
}

/* -- rows -- */

err
task_put(struct unit *u, const struct row_task *t, struct row_task **ret)
{
    struct row_task *row = unit_add_task(u);
    if (!row)
        return E_TOO_LARGE;
    struct row_task *chained = row->next;
    *row = *t;
    row->next = chained;
    row->op = ROW_PUT;
    unit_guard(u, GUARD_task_version, ARGS(val_uid(&row->id), val_int(t->version)));
    row->version = t->version + 1;
    *ret = row;
    return E_OK;
}

err
task_tell(struct gateway *g, struct reader *r, struct unit *u, const struct row_task *t, const char *event,
          instant now, arena *mem)
{
    struct row_ask *asks = NULL;
    TRY(query_asks_of_task(r, ARGS(val_uid(&t->id)), mem, &asks));
    for (; asks; asks = asks->next) {
        struct row_claim *claim = NULL;
        struct row_case *in_case = NULL;
        uid id;
        TRY(task_case(r, asks, mem, &id, &claim));
        TRY(query_case_row(r, ARGS(val_uid(&id)), mem, &in_case));
        if (!claim || !in_case)
            continue;
        const struct plan_input in = {
            .g = g, .reader = r, .mem = mem, .in_case = {id}, .case_version = in_case->version, .now = now};
        TRY(plan_delivery_new(&in, u, claim, NULL, (uid){{0}}, event));
    }
    return E_OK;
}
