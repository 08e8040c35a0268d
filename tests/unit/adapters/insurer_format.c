/* Formats of insurers: widths in bytes, character sets, and a finding for whatever does not fit. */
#include <criterion/criterion.h>

#include "adapters/insurer/format.h"

#define CEILING ((size_t)16 << 20)
#define ANSWER(plate, area, total)                                                                           \
    "{\"claim\":{\"id\":\"claim-1\",\"line\":\"own_damage\"},\"case\":{\"coverages\":[{\"policy_no\":\"P-"   \
    "1\"}],\"vehicles\":[{\"plate\":\"" plate "\",\"damage\":[{\"area\":\"" area                             \
    "\"}]}],\"event\":{\"occurred\":{\"from\":\"2026-03-01T08:15:00+08:00\"},\"place\":\"A & "               \
    "B\"},\"repairs\":[{\"order_no\":\"R\","                                                                 \
    "\"approvals\":[{\"version\":1,\"amount\":{\"stated\":{\"amount\":\"" total                              \
    "\"}},\"payable\":{\"stated\":{\"amount\":\"" total "\"}}}]}],"                                          \
    "\"expenses\":[{\"no\":\"R/"                                                                             \
    "1\",\"kind\":\"repair_estimate\",\"issued\":{\"value\":\"2026-03-02\"},\"totals\":{\"payable\":{"       \
    "\"stated\":{\"amount\":\"" total "\"}}},\"lines\":[{\"text_zh\":\"" area "\"}]}]}}"

struct outcome {
    struct issues issues;
    struct format_file file;
    err code;
};

static struct outcome
encode(arena *mem, const char *format, const char *answer)
{
    struct outcome o = {0};
    struct tree *t = arena_make(mem, struct tree);
    issues_init(&o.issues, mem, 20);
    cr_assert_eq(tree_read_json(view_of(answer), NULL, mem, t, NULL), E_OK);
    o.code = format_encode(view_of(format), t, mem, &o.issues, &o.file, NULL);
    return o;
}

Test(insurer_format, fixed_columns_in_code_page_950)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = encode(mem, "repair-flat-1", ANSWER("BAA-1001", "後保險桿", "84500"));
    cr_assert_eq(o.code, E_OK);
    cr_expect_eq(o.issues.n, 0);
    cr_expect_str_eq(o.file.charset, "big5");
    view rest = o.file.bytes, head = view_cut(&rest, '\n', NULL), expense = view_cut(&rest, '\n', NULL),
         approval = view_cut(&rest, '\n', NULL);
    cr_expect_eq(head.n, 1 + 32 + 20 + 20 + 10 + 25 + 16 + 1);
    cr_expect(view_starts(
        head, V("Hclaim-1                         own_damage          P-1                 BAA-1001  2026-")));
    cr_expect_eq(expense.n, 1 + 20 + 16 + 10 + 12 + 30 + 1);
    cr_expect(view_eq(view_sub(expense, 47, 12), V("000000084500")));
    cr_expect(view_eq(view_sub(expense, 59, 8), V("\xAB\xE1\xAB\x4F\xC0\x49\xB1\xEC")), "後保險桿 in Big5");
    cr_expect(view_eq(approval, V("A01000000084500000000000000000000084500\r")));
    cr_expect_eq(rest.n, 0);
}

Test(insurer_format, what_does_not_fit_is_cut_at_a_character_and_noted)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = encode(mem, "repair-flat-1",
                              ANSWER("BAA-1001-TOO-LONG", "後保險桿後保險桿後保險桿後保險桿", "84500"));
    cr_assert_eq(o.code, E_OK);
    cr_expect_eq(o.issues.n, 2);
    cr_expect_eq(o.issues.first->code, E_NO_FIT);
    cr_expect(view_eq(o.issues.first->path, V("H.plate")) && view_eq(o.issues.last->path, V("E.first_line")));
    view rest = o.file.bytes, head = view_cut(&rest, '\n', NULL), expense = view_cut(&rest, '\n', NULL);
    cr_expect_eq(head.n, 125);
    cr_expect_eq(expense.n, 90, "a width is a width");
}

Test(insurer_format, a_character_that_the_set_lacks_is_replaced_and_noted)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = encode(mem, "repair-flat-1", ANSWER("BAA-1001", "𠮷", "84500"));
    cr_expect_eq(o.issues.n, 1);
    view rest = o.file.bytes;
    (void)view_cut(&rest, '\n', NULL);
    cr_expect(view_eq(view_sub(rest, 59, 2), V("? ")));
}

Test(insurer_format, a_number_with_a_point_is_not_bent_into_a_column)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = encode(mem, "repair-flat-1", ANSWER("BAA-1001", "車", "84500.5"));
    cr_expect_eq(o.issues.n, 3);
    o = encode(mem, "repair-flat-1", ANSWER("BAA-1001", "車", "1234567890123"));
    cr_expect_eq(o.issues.n, 3);
    o = encode(mem, "repair-flat-1", ANSWER("BAA-1001", "車", "84500.00"));
    cr_expect_eq(o.issues.n, 0);
}

Test(insurer_format, xml_is_escaped_and_keeps_every_character)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    struct outcome o = encode(mem, "repair-xml-1", ANSWER("BAA-1001", "𠮷", "84500"));
    cr_assert_eq(o.code, E_OK);
    cr_expect_eq(o.issues.n, 0);
    cr_expect(view_starts(o.file.bytes, V("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repair_file "
                                          "format=\"repair-xml-1\">\n<claim><id>claim-1</id>")));
    cr_expect_lt(view_find(o.file.bytes, V("<place>A &amp; B</place>")), o.file.bytes.n);
    cr_expect_lt(view_find(o.file.bytes, V("<damage><area>𠮷</area></damage>")), o.file.bytes.n);
    cr_expect(view_ends(o.file.bytes, V("</repair_file>\n")));
    cr_expect_eq(encode(mem, "no-such-format", "{}").code, E_NOT_FOUND);
    cr_expect_eq(encode(mem, "repair-flat-1", "{}").issues.n, 0);
}
