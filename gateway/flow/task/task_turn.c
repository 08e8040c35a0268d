/* Tasks by which the gateway itself turns to a partner: nobody's mandate is needed, and no paper of the owner's answers them. */
#include "flow/task/task_inside.h"

#include "adapters/rules/relay.h"
#include "flow/case/original.h"

/* Days of a rule are days in Taiwan. */
#define TAIPEI_MINUTES 480

err
task_turn(struct gateway *g, struct unit *u, const struct task_wish *w)
{
    struct data_key key;
    struct row_task *t = unit_add_task(u);
    if (!t)
        return E_TOO_LARGE;
    t->id = task_id_new().u;
    t->owner = w->owner;
    t->item = view_of(w->item);
    t->about = w->about;
    t->state = V("open");
    t->fee = -1;
    t->version = 1;
    t->document = w->document;
    t->at = t->changed_at = w->at;
    TRY(seal_new_key(g->seal, u, "task", &key));
    t->key = key.id;
    view detail = arena_printf(u->mem, "{\"subject\":%.*s}", VIEW_ARG(w->subject));
    err e = detail.p ? seal_box(&key, V("task"), t->id, detail, u->mem, &t->detail) : E_TOO_LARGE;
    data_key_forget(&key);
    return e;
}

err
task_turned_done(struct reader *r, struct unit *u, const digest *about, uid document, instant now)
{
    struct row_task *t = NULL, *row;
    TRY(query_task_about(r, ARGS(val_digest(about)), u->mem, &t));
    if (!t || view_eq(t->state, V("answered")))
        return E_OK;
    TRY(task_put(u, t, &row));
    row->state = V("answered");
    row->document = document;
    row->changed_at = now;
    row->next_at = INSTANT_NONE;
    return E_OK;
}

/* -- a receipt that an insurer rests on was replaced -- */

err
task_receipt_replaced(const struct arrival *a, struct unit *u, const struct row_claim *claim)
{
    char id[ID_TEXT_SIZE], document[ID_TEXT_SIZE];
    const struct task_wish w = {
        .item = "receipt_replaced",
        .owner = claim->recipient,
        .about = BLIND(a->g->seal, "task-replaced", uid_view(&claim->id), uid_view(&a->document)),
        .subject = arena_printf(u->mem, "{\"claim\":\"%.*s\",\"document\":\"%.*s\"}",
                                VIEW_ARG(claim_id_print((claim_id){claim->id}, id)),
                                VIEW_ARG(doc_id_print((doc_id){a->document}, document))),
        .document = a->document,
        .at = a->at};
    return w.subject.p ? task_turn(a->g, u, &w) : E_TOO_LARGE;
}

/* -- original papers go to the first insurer -- */

err
task_original(struct gateway *g, struct unit *u, const struct row_claim *first, instant now)
{
    char id[ID_TEXT_SIZE], due[32];
    const struct relay_rule *rule = relay_rule_on(date_of_instant(now, TAIPEI_MINUTES));
    if (!rule)
        return E_OK;
    const struct task_wish w = {
        .item = "original_papers",
        .owner = first->recipient,
        .about = original_about(g->seal, first->application),
        .subject = arena_printf(u->mem, "{\"claim\":\"%.*s\",\"rule\":\"%s\",\"due\":\"%.*s\"}",
                                VIEW_ARG(claim_id_print((claim_id){first->id}, id)), rule->number,
                                VIEW_ARG(instant_print(instant_add(now, SPAN_DAYS(rule->days)), due))),
        .at = now};
    return w.subject.p ? task_turn(g, u, &w) : E_TOO_LARGE;
}
