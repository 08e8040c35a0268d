/* Inside of the task folder: the tables, what a task is about, and whether it may be shown. */
#ifndef FLOW_TASK_INSIDE_H
#define FLOW_TASK_INSIDE_H

#include "base/buf.h"
#include "flow/evidence/seal.h"
#include "flow/task/task.h"

struct task_item {
    const char *word, *owners;
    enum document_kind kind; /* KIND_COUNT: no paper */
    int days;
    const char *basis;
};
/* NULL when unknown. */
const struct task_item *task_item_of(view word);
bool task_item_of_owner(const struct task_item *item, const struct partner *owner);
/* NULL when unknown; text by enum lang. */
const char *const *task_refusal_of(view word);

/* What is asked for, as one blind: owner, item, and the accident or the person's number. */
digest task_about_accident(const struct seal *s, view owner, view item, view agency, view number);
digest task_about_person(const struct seal *s, view owner, view item, view kind, view number,
                         const digest *person);

/* A mandate that stands for this ask now, to the owner or to who asks; NULL when none. */
err task_mandate(struct reader *r, const struct row_task *t, const struct row_ask *a, instant now, arena *mem,
                 const struct row_permission **ret) MUST_USE;
/* The first mandate among all who ask. */
err task_any_mandate(struct reader *r, const struct row_task *t, instant now, arena *mem,
                     const struct row_permission **ret) MUST_USE;
/* The case of an ask as it is now. */
err task_case(struct reader *r, const struct row_ask *a, arena *mem, uid *ret_case,
              struct row_claim **ret_claim) MUST_USE;
bool task_is_of_gateway(const struct row_task *t); /* turned to by the gateway: nobody's mandate is needed */

/* The changed row (version + 1, guarded) in the unit. */
err task_put(struct unit *u, const struct row_task *t, struct row_task **ret) MUST_USE;
/* Everybody who asks for a claim is told, without content. */
err task_tell(struct gateway *g, struct reader *r, struct unit *u, const struct row_task *t,
              const char *event, instant now, arena *mem) MUST_USE;

#endif
