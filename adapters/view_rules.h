/* The inside of view_may: one function for each rule that is more than a comparison.  Each answers whether
 * the element around the place passes the rule for this request.  One thread. */
#ifndef ADAPTERS_VIEW_RULES_H
#define ADAPTERS_VIEW_RULES_H

#include "adapters/view_eval.h"

static inline bool
is(const struct leaf_text *leaf, const char *word)
{
    return view_eq(leaf->v, view_of(word));
}

/* The reference names this element; false for NULL. */
bool view_names(const struct view_eval *v, const struct leaf_text *reference, const void *element);
bool view_any_names(const struct view_eval *v, const struct case_item *list, const void *element);
/* The innermost record of a kind on the way to the leaf; NULL when none. */
const void *view_enclosing(const struct case_place *at, enum case_record record);
/* The member of the case in which the leaf stands. */
enum case_record view_root_record(const struct case_place *at);
const void *view_root_element(const struct case_place *at);

/* -- view_people.c -- */
bool view_may_viewer(const struct view_eval *v, const struct case_place *at);
bool view_may_victim(const struct view_eval *v, const struct case_place *at);
bool view_may_needed(const struct view_eval *v, const struct case_place *at);
bool view_owns(const struct view_eval *v, const struct case_vehicle *vehicle, const void *party);
bool view_viewer_is_heir(const struct view_eval *v);
bool view_may_subject(const struct view_eval *v, const struct case_place *at);
bool view_may_owner(const struct view_eval *v, const struct case_place *at);

/* -- view_facts.c -- */
bool view_may_between(const struct view_eval *v, const struct case_place *at);
bool view_may_own_share(const struct view_eval *v, const struct case_place *at);
const struct case_vehicle *view_vehicle_of(const struct view_eval *v, const struct case_place *at);
bool view_may_order(const struct view_eval *v, const struct case_place *at);
bool view_may_own_side(const struct view_eval *v, const struct case_place *at);
bool view_may_line(const struct view_eval *v, const struct case_place *at, enum view_predicate predicate);
bool view_may_named_benefit(const struct view_eval *v, const struct case_place *at);
bool view_may_own_issue(const struct view_eval *v, const struct case_place *at);
bool view_may_offset(const struct view_eval *v, const struct case_place *at);
bool view_may_scale(const struct view_eval *v, const struct case_place *at);
bool view_may_injury(const struct view_eval *v, const struct case_place *at);
bool view_may_expense_kind(const struct case_place *at, enum view_predicate predicate);
bool view_may_paid(const struct view_eval *v, const struct case_place *at, const char *purpose);
bool view_may_own_expense(const struct view_eval *v, const struct case_place *at);
bool view_may_own_approval(const struct view_eval *v, const struct case_place *at);
bool view_may_own_vehicle(const struct view_eval *v, const struct case_place *at);

#endif
