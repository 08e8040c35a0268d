#include "base/view.h"

#include <criterion/criterion.h>

#include <stdint.h>

Test(view, compares_by_bytes_then_length)
{
    const struct {
        view a, b;
        int order;
    } CASES[] = {
        {V(""), V(""), 0},          {VIEW_NONE, V(""), 0}, {V("a"), V(""), 1},         {V("a"), V("b"), -1},
        {V("a"), V("ab"), -1},      {V("b"), V("ab"), 1},  {V("\x7F"), V("\x80"), -1}, /* unsigned */
        {V("a\0b"), V("a\0c"), -1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        cr_assert_eq(view_cmp(CASES[i].a, CASES[i].b), CASES[i].order, "case %zu", i);
        cr_assert_eq(view_cmp(CASES[i].b, CASES[i].a), -CASES[i].order, "case %zu turned", i);
        cr_assert_eq(view_eq(CASES[i].a, CASES[i].b), CASES[i].order == 0, "case %zu eq", i);
    }
}

Test(view, ignores_case_of_ascii_only)
{
    cr_assert(view_eq_nocase(V("Content-TYPE"), V("content-type")));
    cr_assert(view_eq_nocase(VIEW_NONE, V("")));
    cr_assert_not(view_eq_nocase(V("a"), V("ab")));
    cr_assert_not(view_eq_nocase(V("@["), V("`{"))); /* neighbours of the letters */
    cr_assert_not(view_eq_nocase(V("\xC3\x84"), V("\xC3\xA4")));
}

Test(view, finds)
{
    cr_assert_eq(view_find_byte(V("abcb"), 'b'), 1);
    cr_assert_eq(view_find_byte(V("abc"), 'x'), 3);
    cr_assert_eq(view_find_byte(VIEW_NONE, 'x'), 0);
    cr_assert_eq(view_find(V("aXbXY"), V("XY")), 3);
    cr_assert_eq(view_find(V("ab"), V("abc")), 2);
    cr_assert_eq(view_find(V("ab"), V("")), 0);
    cr_assert_eq(view_find(VIEW_NONE, V("a")), 0);
    cr_assert_eq(view_find(V("a\0b"), V("\0b")), 1);
}

Test(view, cut_tells_a_from_a_slash)
{
    const struct {
        const char *text, *head, *rest;
        bool found;
    } CASES[] = {
        {"a", "a", "", false}, {"a/", "a", "", true},       {"/a", "", "a", true},
        {"", "", "", false},   {"a/b/c", "a", "b/c", true}, {"/", "", "", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        view rest = view_of(CASES[i].text);
        bool found = !CASES[i].found;
        view head = view_cut(&rest, '/', &found);
        cr_assert(view_eq(head, view_of(CASES[i].head)), "case %zu", i);
        cr_assert(view_eq(rest, view_of(CASES[i].rest)), "case %zu", i);
        cr_assert_eq(found, CASES[i].found, "case %zu", i);
        cr_assert_eq(rest.p != NULL, CASES[i].found, "case %zu: absent rest is no empty rest", i);
    }
    view rest = V("x,y");
    cr_assert(view_eq(view_cut(&rest, ',', NULL), V("x")));
}

Test(view, trims_and_clips)
{
    cr_assert(view_eq(view_trim(V(" \t\r\n\v\fa b ")), V("a b")));
    cr_assert_eq(view_trim(V(" \n ")).n, 0);
    cr_assert(view_eq(view_trim(V("\xC2\xA0")), V("\xC2\xA0"))); /* no-break space is no ASCII */
    cr_assert(view_eq(view_sub(V("abc"), 1, 99), V("bc")));
    cr_assert_null(view_sub(V("abc"), 3, 1).p);
    cr_assert(view_eq(view_sub(V("abc"), 2, SIZE_MAX), V("c")));
    cr_assert(view_starts(V("abc"), V("")) && view_ends(V("abc"), V("bc")));
    cr_assert_not(view_starts(V("a"), V("ab")));
    cr_assert_not(view_ends(V("b"), V("ab")));
}
