#include "flow/task/task_inside.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(task, the_laws_earliest_days)
{
    static const struct {
        const char *item;
        int days;
    } rows[] = {{"slip", 0},      {"diagram", 7},     {"photos", 7},
                {"analysis", 30}, {"certificate", 0}, {"lunch", -1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_assert_eq(task_days(view_of(rows[i].item)), rows[i].days, "%s", rows[i].item);
}

Test(task, each_item_has_its_holders)
{
    static const struct {
        const char *item, *kind;
        bool keeps;
    } rows[] = {
        {"slip", "police", true},     {"slip", "hospital", false},     {"analysis", "board", false},
        {"appraisal", "board", true}, {"inquest", "prosecutor", true}, {"inquest", "police", false},
        {"receipt", "clinic", true},  {"receipt", "insurer", false},   {"receipt_replaced", "insurer", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct row_partner row = {.kind = view_of(rows[i].kind)};
        const struct partner owner = {.row = &row};
        const struct task_item *item = task_item_of(view_of(rows[i].item));
        cr_assert(item && task_item_of_owner(item, &owner) == rows[i].keeps, "%s at %s", rows[i].item,
                  rows[i].kind);
    }
}

Test(task, reasons_are_words_of_the_list)
{
    cr_assert(task_refusal_of(V("investigation")));
    cr_assert_null(task_refusal_of(V("investigatio")));
    cr_assert_null(task_refusal_of(V("")));
}

Test(task, a_matter_is_owner_item_agency_and_number)
{
    AUTO(seal_close) struct seal *s = NULL;
    char path[] = "/tmp/claimgate-task-XXXXXX";
    char file[64];
    struct fault f;
    fault_init(&f);
    cr_assert(mkdtemp(path));
    (void)snprintf(file, sizeof file, "%s/kek", path);
    cr_assert_eq(seal_create(file, &f), E_OK);
    cr_assert_eq(seal_open(file, &s, &f), E_OK);
    const view parts[4] = {V("K1"), V("slip"), V("K1"), V("0001")};
    digest a = task_about_accident(s, parts[0], parts[1], parts[2], parts[3]);
    for (size_t i = 0; i < 4; i++) {
        view other[4] = {parts[0], parts[1], parts[2], parts[3]};
        other[i] = V("x");
        digest b = task_about_accident(s, other[0], other[1], other[2], other[3]);
        cr_assert_not(digest_eq(&a, &b), "part %zu", i);
    }
    digest same = task_about_accident(s, parts[0], parts[1], parts[2], parts[3]);
    cr_assert(digest_eq(&a, &same));
    cr_assert_eq(remove(file), 0);
    cr_assert_eq(remove(path), 0);
}
