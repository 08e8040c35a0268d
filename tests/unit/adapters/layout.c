/* A form of each kind of member, once with texts by form and once with texts by length. */
#include "adapters/layout.h"

#include <criterion/criterion.h>

enum { SHAPE_root, SHAPE_item, SHAPE_code, SHAPE_COUNT };

static const struct layout_field root[] = {
    {V_INIT("text"), LAYOUT_TEXT, NEED_ALWAYS, 1, 2, 4, "a text"},
    {V_INIT("texts"), LAYOUT_TEXTS, NEED_NEVER, 0, 1, 2, "texts"},
    {V_INIT("word"), LAYOUT_WORD, NEED_NEVER, 1, 0, 0, "a word"},
    {V_INIT("int"), LAYOUT_INT, NEED_NEVER, 0, -1, 9, "a number"},
    {V_INIT("ints"), LAYOUT_INTS, NEED_NEVER, 0, 1, 2, "numbers"},
    {V_INIT("number"), LAYOUT_NUMBER, NEED_NEVER, 0, -180, 180, "a decimal"},
    {V_INIT("amount"), LAYOUT_AMOUNT, NEED_NEVER, 0, 0, 0, "an amount"},
    {V_INIT("bool"), LAYOUT_BOOL, NEED_NEVER, 0, 0, 0, "yes or no"},
    {V_INIT("date"), LAYOUT_DATE, NEED_NEVER, 0, 0, 0, "a day"},
    {V_INIT("time"), LAYOUT_TIME, NEED_NEVER, 0, 0, 0, "a time"},
    {V_INIT("code"), LAYOUT_CODE, NEED_NEVER, 0, 0, 0, "a code"},
    {V_INIT("codes"), LAYOUT_CODES, NEED_NEVER, 0, 0, 0, "codes"},
    {V_INIT("one"), LAYOUT_ONE, NEED_NEVER, SHAPE_item, 0, 0, "an object"},
    {V_INIT("list"), LAYOUT_LIST, NEED_NEVER, SHAPE_item, 1, 2, "objects"},
};
static const struct layout_field item[] = {
    {V_INIT("must"), LAYOUT_BOOL, NEED_MOSTLY, 0, 0, 0, "what most documents have"},
};
static const struct layout_field code[] = {
    {V_INIT("major"), LAYOUT_BOOL, NEED_NEVER, 0, 0, 0, "a class"},
};
static const struct layout_shape shapes[] = {
    {"root", root, COUNT_OF(root)}, {"item", item, COUNT_OF(item)}, {"code", code, COUNT_OF(code)}};
static const char *const words[] = {"no|list", "red|green"};
static const struct layout_text texts[] = {{"any", "", 1, 9, "a text"}, {"sign", "0-9A-C-", 2, 4, "a sign"}};
static const struct layout by_form = {"form-1", shapes, SHAPE_COUNT, words, texts, SHAPE_code};
static const struct layout by_length = {"form-2", shapes, SHAPE_COUNT, words, NULL, SHAPE_code};

/* What is first said of {"text": …, member}: its code, and where. */
static const struct issue *
first_issue(const struct layout *l, enum layout_need asks, view text, arena *mem)
{
    struct issues *list = arena_alloc(mem, sizeof *list);
    struct claim_case *facts = case_new(mem);
    struct tree *t = arena_alloc(mem, sizeof *t);
    issues_init(list, mem, 20);
    cr_assert_eq(tree_read_json(text, NULL, mem, t, NULL), E_OK, "%.*s", VIEW_ARG(text));
    const struct layout_document d = {
        .layout = l, .tree = t, .mem = mem, .issues = list, .facts = facts, .asks = asks};
    cr_assert_eq(layout_check(&d, SHAPE_root), E_OK);
    if (list->first && list->first->code == E_UNMAPPED)
        cr_assert_not_null(facts->unmapped, "what is unknown is kept");
    return list->first;
}

static const struct {
    const char *member;
    err code;
    const char *pointer;
} cases[] = {
    {"\"word\":\"green\"", E_OK, ""},
    {"\"word\":\"list\"", E_CODE_REQUIRED, "/word"},
    {"\"word\":\"red|green\"", E_CODE_REQUIRED, "/word"},
    {"\"word\":\"\"", E_CODE_REQUIRED, "/word"},
    {"\"word\":1", E_TYPE, "/word"},
    {"\"texts\":[\"a\"]", E_OK, ""},
    {"\"texts\":[]", E_REQUIRED, "/texts"},
    {"\"texts\":[\"a\",\"a\",\"a\"]", E_VALUE, "/texts"},
    {"\"texts\":\"a\"", E_TYPE, "/texts"},
    {"\"texts\":[1]", E_TYPE, "/texts/0"},
    {"\"int\":-1", E_OK, ""},
    {"\"int\":-2", E_VALUE, "/int"},
    {"\"int\":1.5", E_VALUE, "/int"},
    {"\"int\":99999999999999999999", E_VALUE, "/int"},
    {"\"ints\":[1,70000]", E_OK, ""},
    {"\"ints\":[1,0]", E_VALUE, "/ints/1"},
    {"\"ints\":[\"1\"]", E_TYPE, "/ints/0"},
    {"\"number\":-179.5", E_OK, ""},
    {"\"number\":180.1", E_VALUE, "/number"},
    {"\"number\":\"1\"", E_TYPE, "/number"},
    {"\"amount\":\"0.0001\"", E_OK, ""},
    {"\"amount\":\"0.00001\"", E_VALUE, "/amount"},
    {"\"amount\":\"-1\"", E_VALUE, "/amount"},
    {"\"amount\":1", E_TYPE, "/amount"},
    {"\"bool\":false", E_OK, ""},
    {"\"bool\":null", E_TYPE, "/bool"},
    {"\"date\":\"2026-02-28\"", E_OK, ""},
    {"\"date\":\"2026-02-29\"", E_VALUE, "/date"},
    {"\"date\":\"2026-02\"", E_VALUE, "/date"},
    {"\"time\":\"2026-02-28T08:00:00+08:00\"", E_OK, ""},
    {"\"time\":\"2026-02-28T08:00:00\"", E_VALUE, "/time"},
    {"\"time\":\"2026-02-28\"", E_VALUE, "/time"},
    {"\"code\":{\"major\":true}", E_OK, ""},
    {"\"code\":{}", E_REQUIRED, "/code"},
    {"\"codes\":[{\"major\":true},{}]", E_REQUIRED, "/codes/1"},
    {"\"one\":{\"must\":true}", E_OK, ""},
    {"\"one\":{}", E_REQUIRED, "/one"},
    {"\"one\":[]", E_TYPE, "/one"},
    {"\"list\":[{\"must\":true}]", E_OK, ""},
    {"\"list\":[{\"must\":true},{\"must\":1}]", E_TYPE, "/list/1/must"},
    {"\"list\":[[]]", E_TYPE, "/list/0"},
    {"\"list\":{}", E_TYPE, "/list"},
    {"\"list\":[{\"must\":true,\"what\":{\"word\":1}}]", E_UNMAPPED, "/list/0/what"},
    {"\"other\":[{\"word\":1}]", E_UNMAPPED, "/other"},
};

Test(layout, each_kind_of_member)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena_free) arena *mem = arena_new(1u << 20);
        view text = arena_printf(mem, "{\"text\":\"A-1\",%s}", cases[i].member);
        const struct issue *said = first_issue(&by_form, NEED_MOSTLY, text, mem);
        cr_assert_eq(said ? said->code : E_OK, cases[i].code, "%s", cases[i].member);
        cr_assert(view_eq(said ? said->pointer : V(""), view_of(cases[i].pointer)), "%s at %.*s",
                  cases[i].member, VIEW_ARG(said ? said->pointer : V("")));
    }
}

Test(layout, a_text_by_form_or_by_length)
{
    static const struct {
        const char *text;
        bool fits_form, fits_length;
    } some[] = {{"\"A-1\"", true, true},    {"\"A\"", false, false},       {"\"ABCAB\"", false, false},
                {"\"A_1\"", false, true},   {"\"D1\"", false, true},       {"\"車牌\"", false, true},
                {"\"A\\n1\"", false, true}, {"\"A\\u0007\"", false, false}};
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        AUTO(arena_free) arena *mem = arena_new(1u << 20);
        view text = arena_printf(mem, "{\"text\":%s}", some[i].text);
        cr_assert_eq(!first_issue(&by_form, NEED_MOSTLY, text, mem), some[i].fits_form, "%s", some[i].text);
        cr_assert_eq(!first_issue(&by_length, NEED_MOSTLY, text, mem), some[i].fits_length, "%s",
                     some[i].text);
    }
}

Test(layout, one_that_asks_for_less)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    view text = V("{\"text\":\"A-1\",\"one\":{}}");
    cr_assert_eq(first_issue(&by_form, NEED_MOSTLY, text, mem)->code, E_REQUIRED);
    cr_assert_null(first_issue(&by_form, NEED_ALWAYS, text, mem));
    cr_assert_eq(first_issue(&by_form, NEED_ALWAYS, V("{}"), mem)->code, E_REQUIRED);
}
