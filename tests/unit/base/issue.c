#include "base/issue.h"

#include <criterion/criterion.h>

Test(issue, keeps_copies_in_order)
{
    AUTO(arena_free) arena *mem = arena_new(65536);
    struct issues list;
    issues_init(&list, mem, 10);
    char path[] = "Bundle.entry[0]";
    cr_assert_not_null(issue_add(&list, ISSUE_WARNING, E_SUM, view_of(path), V("100"), V("99")));
    path[0] = 'X';
    cr_assert_not_null(issue_add(&list, ISSUE_ERROR, E_TYPE, VIEW_NONE, VIEW_NONE, VIEW_NONE));
    cr_assert(list.n == 2 && list.errors == 1 && list.dropped == 0);
    cr_assert(view_eq(list.first->path, V("Bundle.entry[0]")));
    cr_assert_eq(list.first->from, FAULT_NOWHERE);
    cr_assert_eq(list.first->next, list.last);
    cr_assert_null(list.last->next);
}

Test(issue, only_counts_past_the_ceiling_but_keeps_the_first_error)
{
    AUTO(arena_free) arena *mem = arena_new(65536);
    struct issues list;
    struct fault f;
    issues_init(&list, mem, 2);
    fault_init(&f);
    for (int i = 0; i < 5; i++)
        (void)issue_add(&list, ISSUE_WARNING, E_SUM, V("a"), VIEW_NONE, VIEW_NONE);
    cr_assert(list.n == 2 && list.dropped == 3);
    cr_assert_eq(issues_fault(&list, &f), E_OK);
    cr_assert_eq(f.code, E_OK);
    cr_assert_not_null(issue_add(&list, ISSUE_ERROR, E_REQUIRED, V("b"), V("a date"), V("nothing")));
    cr_assert_null(issue_add(&list, ISSUE_ERROR, E_TYPE, V("c"), VIEW_NONE, VIEW_NONE));
    cr_assert(list.n == 3 && list.errors == 2 && list.dropped == 4);
    cr_assert_eq(issues_fault(&list, &f), E_REQUIRED);
    cr_assert_eq(f.code, E_REQUIRED);
    cr_assert_str_eq(f.where, "b");
    cr_assert_str_eq(f.expected, "a date");
    cr_assert_str_eq(f.found, "nothing");
    cr_assert_eq(issues_fault(&list, NULL), E_REQUIRED);
}

/* Strict mode raises findings to errors; they were answered as faults of the gateway. */
Test(issue, a_finding_that_refuses_has_the_code_of_strict_mode)
{
    AUTO(arena_free) arena *mem = arena_new(65536);
    struct issues list;
    struct fault f;
    issues_init(&list, mem, 10);
    fault_init(&f);
    issue_add(&list, ISSUE_ERROR, E_PROFILE_NOT_LOADED, V("Bundle.meta.profile[0]"), V("loaded"), V("x"));
    cr_assert_eq(issues_fault(&list, &f), E_STRICT);
    cr_assert_eq(f.code, E_STRICT);
    cr_assert_str_eq(f.where, "Bundle.meta.profile[0]");
    cr_assert_geq(err_info(E_STRICT)->status, 400);
}

/* An arena that is full must not turn a refusal into an acceptance. */
Test(issue, refuses_when_no_memory_was_left_for_the_error)
{
    AUTO(arena_free) arena *mem = arena_new(16);
    struct issues list;
    struct fault f;
    issues_init(&list, mem, 10);
    fault_init(&f);
    cr_assert_null(issue_add(&list, ISSUE_ERROR, E_TYPE, V("a"), VIEW_NONE, VIEW_NONE));
    cr_assert_eq(issues_fault(&list, &f), E_TOO_LARGE);
    cr_assert_eq(f.code, E_TOO_LARGE);
}

Test(issue, fault_and_issue_become_each_other)
{
    AUTO(arena_free) arena *mem = arena_new(65536);
    struct issues list;
    struct fault f, back;
    issues_init(&list, mem, 10);
    fault_init(&f);
    fault_init(&back);
    fault_set(&f, E_JSON_SYNTAX, "/entry/0", "a comma", "a letter");
    fault_range(&f, 7, 1);
    fault_locate(&f, V("{\n  \"a\"x"));
    struct issue *i = issue_of_fault(&list, &f);
    cr_assert(view_eq(i->pointer, V("/entry/0")) && i->path.n == 0 && i->severity == ISSUE_ERROR);
    cr_assert_eq(issues_fault(&list, &back), E_JSON_SYNTAX);
    cr_assert_str_eq(back.where, "/entry/0");
    cr_assert(back.from == 7 && back.length == 1 && back.line == 2 && back.column == 6);
    fault_init(&f);
    fault_set(&f, E_SUM, "Claim.total", "1", "2");
    i = issue_of_fault(&list, &f);
    cr_assert(view_eq(i->path, V("Claim.total")) && i->pointer.n == 0 && i->severity == ISSUE_WARNING);
}
