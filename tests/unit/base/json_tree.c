/* The JSON reader: the shape of its trees, and what it refuses. */
#include "json_kit.h"

/* ---- shape ---- */

Test(json_tree, nodes_stand_in_document_order_with_their_ranges)
{
    static const struct {
        enum node_kind kind;
        const char *name, *raw, *text;
        uint32_t parent, next, count;
    } wanted[] = {
        {NODE_OBJECT, "", "{ \"a\" : [1, \"x\", []], \"b\":{\"c\":null} , \"d\":true}", "", 0, 0, 3},
        {NODE_ARRAY, "a", "[1, \"x\", []]", "", 0, 5, 3},
        {NODE_NUMBER, "", "1", "1", 1, 3, 0},
        {NODE_STRING, "", "\"x\"", "x", 1, 4, 0},
        {NODE_ARRAY, "", "[]", "", 1, 0, 0},
        {NODE_OBJECT, "b", "{\"c\":null}", "", 0, 7, 1},
        {NODE_NULL, "c", "null", "", 5, 0, 0},
        {NODE_TRUE, "d", "true", "true", 0, 0, 0},
    };
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("\n { \"a\" : [1, \"x\", []], \"b\":{\"c\":null} , \"d\":true} \t\r\n"), mem);

    cr_assert_eq(t.n, COUNT_OF(wanted));
    for (uint32_t i = 0; i < t.n; i++) {
        const struct node *n = &t.nodes[i];
        cr_assert_eq(n->kind, wanted[i].kind, "kind of %u", i);
        expect_view(node_name(&t, n), view_of(wanted[i].name));
        expect_view(node_raw(&t, n), view_of(wanted[i].raw));
        expect_view(node_text(&t, n), view_of(wanted[i].text));
        cr_assert_eq(n->parent, wanted[i].parent, "parent of %u", i);
        cr_assert_eq(n->next, wanted[i].next, "next of %u", i);
        cr_assert_eq(node_count(n), wanted[i].count, "count of %u", i);
        cr_assert_eq(node_index(&t, n), i);
    }
    arena_free(mem);
}

Test(json_tree, one_node_is_32_bytes)
{
    cr_assert_eq(sizeof(struct node), 32);
}

Test(json_tree, a_root_may_be_any_value)
{
    static const char *const texts[] = {"null", "true", "false", "0",         "\"\"",
                                        "[]",   "{}",   " 1 ",   "\t[\n]\r\n"};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        cr_assert_eq(read_err(view_of(texts[i])), E_OK, "%s", texts[i]);
}

Test(json_tree, numbers_are_kept_as_written)
{
    static const char *const numbers[] = {"12.50",
                                          "0",
                                          "-0",
                                          "-0.0",
                                          "1.00",
                                          "0.10",
                                          "1E5",
                                          "1e+05",
                                          "1e-007",
                                          "-12.5e3",
                                          "100000000000000000000000000000000000000000",
                                          "1e-99999",
                                          "0.30000000000000000000000000000000000000000000000000000000000001"};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        arena *mem = arena_new(ROOM);
        view text = arena_printf(mem, "[%s]", numbers[i]);
        struct tree t = must_read(text, mem);
        cr_assert_eq(node_first(&t, tree_root(&t))->kind, NODE_NUMBER);
        expect_view(node_text(&t, node_first(&t, tree_root(&t))), view_of(numbers[i]));
        arena_free(mem);
    }
}

Test(json_tree, a_number_has_at_most_4096_characters)
{
    char digits[TREE_NUMBER_MAX + 1];
    memset(digits, '7', sizeof digits);
    digits[1] = '.';
    cr_assert_eq(read_err(view_make(digits, TREE_NUMBER_MAX)), E_OK);
    cr_assert_eq(read_err(view_make(digits, TREE_NUMBER_MAX + 1)), E_OUT_OF_RANGE);
}

/* Published checkers refuse 10^349 and the like: most receivers would read it as infinite. */
Test(json_tree, a_number_fits_a_double)
{
    static const char *const fit[] = {"1.7976931348623157e308", "0.00000000001e315", "1e-400", "0e400"};
    static const char *const beyond[] = {"1e309", "-1e400", "10000000000e+308", "1e99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(fit); i++)
        cr_expect_eq(read_err(view_of(fit[i])), E_OK, "%s", fit[i]);
    for (size_t i = 0; i < COUNT_OF(beyond); i++)
        cr_expect_eq(read_err(view_of(beyond[i])), E_OUT_OF_RANGE, "%s", beyond[i]);
}

Test(json_tree, escapes_are_decoded_into_the_pool)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\uD842\\uDFB7\"", "Aé€𠮷"},
        {"\"\\u0001\\u001f\\u007f\"", "\001\037\177"},
        {"\"\\uFFFF\\uE000\\uD7FF\"", "\xEF\xBF\xBF\xEE\x80\x80\xED\x9F\xBF"},
        {"\"\\uDBFF\\uDFFF\\uD800\\uDC00\"", "\xF4\x8F\xBF\xBF\xF0\x90\x80\x80"},
        {"\"no escape for sixteen bytes and more, then \\n and as much text again behind it\"",
         "no escape for sixteen bytes and more, then \n and as much text again behind it"},
        {"\"王\\u5c0f明\"", "王小明"},
        {"\"\\\\u0000\"", "\\u0000"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena *mem = arena_new(ROOM);
        struct tree t = must_read(view_of(cases[i].json), mem);
        expect_view(node_text(&t, tree_root(&t)), view_of(cases[i].text));
        cr_assert_eq(tree_root(&t)->flags, NODE_TEXT_IN_POOL);
        expect_view(node_raw(&t, tree_root(&t)), view_of(cases[i].json));
        arena_free(mem);
    }
}

Test(json_tree, names_may_be_escaped_and_empty)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("{\"\":1,\"a\\/b\":2,\"\\u7A05\":3}"), mem);

    expect_view(node_text(&t, node_member(&t, tree_root(&t), V(""))), V("1"));
    expect_view(node_text(&t, node_member(&t, tree_root(&t), V("a/b"))), V("2"));
    expect_view(node_text(&t, node_member(&t, tree_root(&t), V("稅"))), V("3"));
    arena_free(mem);
}

Test(json_tree, an_absent_string_differs_from_an_empty_one)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("{\"a\":\"\"}"), mem);

    cr_assert_not_null(node_text_at(&t, tree_root(&t), "a").p);
    cr_assert_null(node_text_at(&t, tree_root(&t), "b").p);
    arena_free(mem);
}

/* ---- refusals ---- */

static const struct {
    const char *text;
    err code;
    long from, length;
    const char *where;
} refusals[] = {
    {"", E_JSON_SYNTAX, 0, 0, ""},
    {"  ", E_JSON_SYNTAX, 2, 0, ""},
    {"nul", E_JSON_SYNTAX, 0, 1, ""},
    {"True", E_JSON_SYNTAX, 0, 1, ""},
    {"nullx", E_JSON_SYNTAX, 4, 1, ""},
    {"1 2", E_JSON_SYNTAX, 2, 1, ""},
    {"{} {}", E_JSON_SYNTAX, 3, 1, ""},
    {"[1]]", E_JSON_SYNTAX, 3, 1, ""},
    {"[", E_JSON_SYNTAX, 1, 0, ""},
    {"[1", E_JSON_SYNTAX, 2, 0, ""},
    {"[1,", E_JSON_SYNTAX, 3, 0, ""},
    {"[1,]", E_JSON_SYNTAX, 3, 1, ""},
    {"[,1]", E_JSON_SYNTAX, 1, 1, ""},
    {"[1 2]", E_JSON_SYNTAX, 3, 1, ""},
    {"[1}", E_JSON_SYNTAX, 2, 1, ""},
    {"{1:2}", E_JSON_SYNTAX, 1, 1, ""},
    {"{\"a\" 1}", E_JSON_SYNTAX, 5, 1, ""},
    {"{\"a\":}", E_JSON_SYNTAX, 5, 1, ""},
    {"{\"a\":1,}", E_JSON_SYNTAX, 7, 1, ""},
    {"{\"a\":1 \"b\":2}", E_JSON_SYNTAX, 7, 1, ""},
    {"{\"a\":1]", E_JSON_SYNTAX, 6, 1, ""},
    {"{\"a\":[0,{\"b/c\":[01]}]}", E_JSON_SYNTAX, 17, 1, "/a/1/b~1c"},
    {"[1.]", E_JSON_SYNTAX, 3, 1, ""},
    {"[.5]", E_JSON_SYNTAX, 1, 1, ""},
    {"[+1]", E_JSON_SYNTAX, 1, 1, ""},
    {"[-]", E_JSON_SYNTAX, 2, 1, ""},
    {"[1e]", E_JSON_SYNTAX, 3, 1, ""},
    {"[1e+]", E_JSON_SYNTAX, 4, 1, ""},
    {"[0x1]", E_JSON_SYNTAX, 2, 1, ""},
    {"[NaN]", E_JSON_SYNTAX, 1, 1, ""},
    {"['a']", E_JSON_SYNTAX, 1, 1, ""},
    {"[1]/**/", E_JSON_SYNTAX, 3, 1, ""},
    {"[\"a]", E_JSON_SYNTAX, 4, 0, ""},
    {"\"a\tb\"", E_JSON_SYNTAX, 2, 1, ""},
    {"\"a\nb\"", E_JSON_SYNTAX, 2, 1, ""},
    {"\"\\x\"", E_JSON_SYNTAX, 2, 1, ""},
    {"\"\\", E_JSON_SYNTAX, 2, 0, ""},
    {"\"\\u12\"", E_JSON_SYNTAX, 1, 2, ""},
    {"\"\\u12g4\"", E_JSON_SYNTAX, 1, 2, ""},
    {"\"\\uD800\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uD800\\n\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uD800\\uD800\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uD800\\uDBFF\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uD800\\uE000\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uDFFF\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\"\\uDC00\"", E_JSON_SYNTAX, 1, 6, ""},
    {"\f[]", E_JSON_SYNTAX, 0, 1, ""},
    {"\xC2\xA0[]", E_JSON_SYNTAX, 0, 1, ""},
    {"{\"a\":\"x\\u0000\"}", E_JSON_NUL, 7, 6, ""},
    {"{\"\\u0000\":1}", E_JSON_NUL, 2, 6, ""},
    {"\xEF\xBB\xBF{}", E_BOM, 0, 3, ""},
    {"\xFF\xFE[", E_UTF8, 0, 1, ""},
    {"\"\x80\"", E_UTF8, 1, 1, ""},
    {"\"\xC0\x80\"", E_UTF8, 1, 1, ""},
    {"\"\xE0\x80\x80\"", E_UTF8, 1, 1, ""},
    {"\"\xED\xA0\x80\"", E_UTF8, 1, 1, ""},
    {"\"\xF0\x8F\xBF\xBF\"", E_UTF8, 1, 1, ""},
    {"\"\xF4\x90\x80\x80\"", E_UTF8, 1, 1, ""},
    {"\"\xF5\x80\x80\x80\"", E_UTF8, 1, 1, ""},
    {"\"ab\xE7\x8E\"", E_UTF8, 3, 1, ""},
    {"\"ab\xE7\x8E", E_UTF8, 3, 1, ""},
    {"{\"r\":{\"a\":1,\"b\":2,\"a\":3}}", E_JSON_DUPLICATE_NAME, 18, 3, "/r"},
    {"{\"a\":1,\"\\u0061\":3}", E_JSON_DUPLICATE_NAME, 7, 8, ""},
    {"{\"\":1,\"\":1}", E_JSON_DUPLICATE_NAME, 6, 2, ""},
};

Test(json_tree, refuses_with_place)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct fault f;
        err e = read_with(view_of(refusals[i].text), NULL, &f);
        cr_assert_eq(e, refusals[i].code, "%zu: %s", i, err_info(e)->name);
        cr_assert_eq(f.from, refusals[i].from, "%zu: from %ld", i, f.from);
        cr_assert_eq(f.length, refusals[i].length, "%zu: length %ld", i, f.length);
        cr_assert_str_eq(f.where, refusals[i].where, "%zu: %s", i, f.where);
        cr_assert(f.expected[0] != '\0' && f.found[0] != '\0', "%zu", i);
    }
}

Test(json_tree, a_nul_byte_is_a_control_character)
{
    cr_assert_eq(read_err(V("\"a\0b\"")), E_JSON_SYNTAX);
    cr_assert_eq(read_err(V("[1]\0")), E_JSON_SYNTAX);
}

Test(json_tree, a_fault_has_line_and_column_but_no_text_of_the_document)
{
    struct fault f;

    cr_assert_eq(read_with(V("{\n  \"name\": Wang\n}"), NULL, &f), E_JSON_SYNTAX);
    cr_assert_eq(f.line, 2);
    cr_assert_eq(f.column, 11);
    cr_assert_str_eq(f.found, "a letter");
    cr_assert_eq(read_with(V("{\"name\": 5 6}"), NULL, &f), E_JSON_SYNTAX);
    cr_assert_str_eq(f.found, "a digit");
}

Test(json_tree, an_earlier_fault_is_not_overwritten)
{
    arena *mem = arena_new(ROOM);
    struct fault f;
    struct tree t;

    fault_init(&f);
    (void)fault_set(&f, E_BOM, "first", "a", "b");
    cr_assert_eq(tree_read_json(V("["), NULL, mem, &t, &f), E_JSON_SYNTAX);
    cr_assert_eq(f.code, E_BOM);
    cr_assert_eq(f.from, FAULT_NOWHERE);
    cr_assert_eq(tree_read_json(V("["), NULL, mem, &t, NULL), E_JSON_SYNTAX);
    arena_free(mem);
}

/* No prefix of a document is a document, and none is read beyond its end. */
Test(json_tree, every_prefix_is_refused_inside_its_bytes)
{
    view text = V("{\"a\":[1.5e-3,\"x\\uD842\\uDFB7\\n王小明\",true,false,null,{}],\"b\\t\":{"
                  "\"長的名稱長的名稱\":[[]]}}");

    cr_assert_eq(read_err(text), E_OK);
    for (size_t n = 0; n < text.n; n++) {
        struct fault f;
        cr_assert_neq(read_with(view_sub(text, 0, n), NULL, &f), E_OK, "%zu", n);
        cr_assert(f.from >= 0 && f.from + f.length <= (long)n, "%zu: %ld+%ld", n, f.from, f.length);
    }
}

/* The scanners take 16 bytes at a time: an odd byte must be seen at each place of a step and in the rest. */
Test(json_tree, odd_bytes_are_seen_at_every_offset)
{
    for (size_t length = 1; length <= 50; length++) {
        for (size_t at = 0; at < length; at++) {
            char text[64];
            memset(text, 'x', sizeof text);
            text[0] = '"';
            text[length + 1] = '"';
            cr_assert_eq(read_err(view_make(text, length + 2)), E_OK);
            text[at + 1] = '\x1F';
            cr_assert_eq(read_err(view_make(text, length + 2)), E_JSON_SYNTAX, "%zu %zu", length, at);
            text[at + 1] = '\x80';
            cr_assert_eq(read_err(view_make(text, length + 2)), E_UTF8, "%zu %zu", length, at);
            text[at + 1] = '"';
            cr_assert_eq(read_err(view_make(text, length + 2)), E_JSON_SYNTAX, "%zu %zu", length, at);
            text[at + 1] = '\x7F';
            cr_assert_eq(read_err(view_make(text, length + 2)), E_OK, "%zu %zu", length, at);
        }
    }
}

Test(json_tree, white_space_of_every_length)
{
    for (size_t n = 0; n <= 70; n++) {
        char text[160];
        memset(text, ' ', sizeof text);
        text[n / 2] = '\n';
        text[n] = '[';
        text[2 * n + 1] = ']';
        cr_assert_eq(read_err(view_make(text, 2 * n + 2)), n == 0 || n / 2 != n ? E_OK : E_JSON_SYNTAX);
        text[n / 2] = n / 2 == n ? '[' : '\v';
        if (n > 0)
            cr_assert_eq(read_err(view_make(text, 2 * n + 2)), E_JSON_SYNTAX, "%zu", n);
    }
}

Test(json_tree, every_scalar_of_unicode_is_read_and_every_other_pattern_refused)
{
    char text[8] = "\"";

    for (uint32_t c = 0x80; c < 0x200000; c += c < 0x11000 ? 1 : 37) {
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n - 1; i > 0; i--)
            text[1 + i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
        text[1] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c >> (6 * (n - 1)));
        text[1 + n] = '"';
        bool good = (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;
        struct tree t;
        arena *mem = arena_new(4096);
        cr_assert_eq(tree_read_json(view_make(text, n + 2), NULL, mem, &t, NULL), good ? E_OK : E_UTF8, "%X",
                     c);
        arena_free(mem);
    }
}
