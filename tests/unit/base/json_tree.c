/* The JSON reader and the ways to walk its trees. */
#include "base/json_tree.h"
#include "base/json_names.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM ((size_t)64 << 20)

/* A copy without a byte behind it, so that AddressSanitizer sees a read too far. */
static char *
exact_copy(view text)
{
    char *copy = malloc(text.n > 0 ? text.n : 1);
    cr_assert_not_null(copy);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    return copy;
}

static err
read_with(view text, const struct tree_limits *limits, struct fault *f)
{
    arena *mem = arena_new(ROOM);
    char *copy = exact_copy(text);
    struct tree t = {.n = 77};

    fault_init(f);
    err e = tree_read_json(view_make(copy, text.n), limits, mem, &t, f);
    cr_assert_eq(f->code, e);
    if (e != E_OK)
        cr_assert_eq(t.n, 77, "touched on failure");
    free(copy);
    arena_free(mem);
    return e;
}

static err
read_err(view text)
{
    struct fault f;
    return read_with(text, NULL, &f);
}

static struct tree
must_read(view text, arena *mem)
{
    struct tree t = {0};
    struct fault f;

    fault_init(&f);
    err e = tree_read_json(text, NULL, mem, &t, &f);
    cr_assert_eq(e, E_OK, "%s at %ld: %s, not %s", err_info(e)->name, f.from, f.expected, f.found);
    return t;
}

static void
expect_view(view got, view wanted)
{
    cr_assert(view_eq(got, wanted), "'%.*s', not '%.*s'", VIEW_ARG(got), VIEW_ARG(wanted));
}

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

/* {"k0":0,"k1":0,…} with member at named as member as */
static view
object_of(arena *mem, size_t members, size_t at, size_t as)
{
    char *p = arena_alloc(mem, members * 16 + 8);
    size_t n = 0;

    cr_assert_not_null(p);
    for (size_t i = 0; i < members; i++)
        n += (size_t)snprintf(p + n, 24, "%s\"k%zu\":0", i == 0 ? "{" : ",", i == at ? as : i);
    p[n++] = '}';
    return view_make(p, n);
}

/* ---- limits ---- */

static view
nested(arena *mem, size_t depth, bool objects)
{
    size_t step = objects ? 5 : 1;
    char *p = arena_alloc(mem, depth * (step + 1));

    cr_assert_not_null(p);
    for (size_t i = 0; i < depth; i++) {
        memcpy(p + i * step, objects ? "{\"a\":" : "[", step);
        p[depth * step + i] = objects ? '}' : ']';
    }
    if (objects) /* the innermost holds nothing */
        memmove(p + depth * step - 4, p + depth * step, depth);
    return view_make(p, depth * (step + 1) - (objects ? 4 : 0));
}

Test(json_tree, depth_is_64_at_most)
{
    arena *mem = arena_new(ROOM);

    for (int objects = 0; objects < 2; objects++) {
        struct fault f;
        cr_assert_eq(read_err(nested(mem, 64, objects)), E_OK);
        cr_assert_eq(read_with(nested(mem, 65, objects), NULL, &f), E_JSON_DEPTH);
        cr_assert_eq(f.from, objects ? 64 * 5 : 64);
        cr_assert_eq(read_err(nested(mem, 100000, objects)), E_JSON_DEPTH);
    }
    arena_free(mem);
}

Test(json_tree, bytes_and_nodes_are_limited)
{
    struct fault f;

    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){5, 3}, &f), E_OK);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){4, 3}, &f), E_TOO_LARGE);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){5, 2}, &f), E_TOO_LARGE);
    cr_assert_eq(f.from, 3);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){0, 0}, &f), E_OK);
}

Test(json_tree, the_arena_is_a_limit_too)
{
    char *text = malloc(100001);

    cr_assert_not_null(text);
    memset(text, '1', 100001);
    for (size_t i = 2; i < 100000; i += 2)
        text[i] = ',';
    text[0] = '[';
    text[100000] = ']';
    cr_assert_eq(read_err(view_make(text, 100001)), E_OK);
    for (size_t room = 4096; room <= (size_t)1 << 20; room *= 4) {
        arena *mem = arena_new(room);
        struct fault f;
        struct tree t;
        fault_init(&f);
        cr_assert_eq(tree_read_json(view_make(text, 100001), NULL, mem, &t, &f), E_TOO_LARGE, "%zu", room);
        cr_assert_eq(f.code, E_TOO_LARGE);
        arena_free(mem);
    }
    free(text);
}

/* Every allocation fails once: with escapes for the pool and enough members for the table of names. */
Test(json_tree, a_short_arena_refuses_at_each_step)
{
    arena *source = arena_new(ROOM);
    view object = object_of(source, 200, 200, 0);
    view text = arena_printf(source, "[\"%s\\n\",\"\\u738b\",%.*s,[[],[],[]]]", "much text before the escape",
                             VIEW_ARG(object));
    err e = E_TOO_LARGE;
    size_t refused = 0;

    for (size_t room = 0; e != E_OK; room += 16, refused++) {
        arena *mem = arena_new(room);
        struct tree t = {.n = 77};
        struct fault f;
        fault_init(&f);
        cr_assert_lt(room, 100000);
        e = tree_read_json(text, NULL, mem, &t, &f);
        cr_assert(e == E_OK || e == E_TOO_LARGE, "%s with %zu", err_info(e)->name, room);
        cr_assert_eq(f.code, e);
        cr_assert(e == E_OK || t.n == 77);
        arena_free(mem);
    }
    cr_assert_gt(refused, 100);
    arena_free(source);
}

Test(json_tree, a_place_that_does_not_fit_is_that_of_an_outer_container)
{
    arena *mem = arena_new(ROOM);
    char name[301];
    struct fault f;

    memset(name, 'n', 300);
    name[300] = '\0';
    cr_assert_eq(read_with(arena_printf(mem, "{\"a\":[{\"%s\":{\"b\":[x]}}]}", name), NULL, &f),
                 E_JSON_SYNTAX);
    cr_assert_str_eq(f.where, "/a/0");
    memset(name, '/', 300);
    name[130] = '\0';
    cr_assert_eq(read_with(arena_printf(mem, "{\"a\":[{\"%s\":{\"b\":[x]}}]}", name), NULL, &f),
                 E_JSON_SYNTAX);
    cr_assert_str_eq(f.where, "/a/0");
    arena_free(mem);
}

Test(json_tree, a_name_has_at_most_65535_bytes)
{
    arena *mem = arena_new(ROOM);
    char *p = arena_alloc(mem, 65544);

    cr_assert_not_null(p);
    memset(p, 'n', 65544);
    memcpy(p, "{\"", 2);
    memcpy(p + 2 + 65535, "\":1}", 4);
    cr_assert_eq(read_err(view_make(p, 2 + 65535 + 4)), E_OK);
    memcpy(p + 2 + 65535, "n\":1}", 5);
    cr_assert_eq(read_err(view_make(p, 2 + 65536 + 4)), E_TOO_LARGE);
    arena_free(mem);
}

/* ---- memory ---- */

static void
fill(char *p, size_t n, const char *pattern)
{
    size_t step = strlen(pattern);
    for (size_t i = 0; i < n; i++)
        p[i] = pattern[i % step];
}

/* docs/json.md promises a factor; these are the shapes that cost most or mislead the first guess. */
Test(json_tree, memory_stays_below_64_bytes_for_a_byte_of_text)
{
    static const struct {
        size_t text;         /* bytes of one string in front */
        const char *pattern; /* repeated behind it */
    } shapes[] = {{0, "1,"},      {0, "[],"},      {3000, "1,"},
                  {500000, "1,"}, {0, "\"\\n\","}, {0, "1,\"xxxxxxxxxxxxxxxx\","}};
    size_t most = 1000000;
    char *p = malloc(most);

    cr_assert_not_null(p);
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        arena *mem = arena_new((size_t)1 << 30);
        size_t n = 0;
        p[n++] = '[';
        p[n++] = '"';
        memset(p + n, 'x', shapes[i].text);
        n += shapes[i].text;
        memcpy(p + n, "\",", 2);
        n += 2;
        size_t tail = (most - n - 2) / strlen(shapes[i].pattern) * strlen(shapes[i].pattern);
        fill(p + n, tail, shapes[i].pattern);
        n += tail;
        p[n++] = '1';
        p[n++] = ']';
        struct tree t = must_read(view_make(p, n), mem);
        cr_assert_lt(arena_used(mem), 64 * n, "%zu: %zu for %zu", i, arena_used(mem), n);
        cr_assert_eq(node_count(tree_root(&t)), t.n - 1);
        arena_free(mem);
    }
    free(p);
}

Test(json_tree, a_dense_text_behind_a_thin_one_grows_the_array_rightly)
{
    arena *mem = arena_new(ROOM);
    size_t n = 0, items = 20000;
    char *p = arena_alloc(mem, 10000 + items * 7);

    cr_assert_not_null(p);
    memset(p, 'x', 6000);
    memcpy(p, "[\"", 2);
    memcpy(p + 6000, "\"", 1);
    n = 6001;
    for (size_t i = 0; i < items; i++)
        n += (size_t)snprintf(p + n, 8, ",%zu", i);
    p[n++] = ']';
    struct tree t = must_read(view_make(p, n), mem);
    cr_assert_eq(node_count(tree_root(&t)), items + 1);
    size_t i = 0;
    for (const struct node *item = node_next(&t, node_first(&t, tree_root(&t))); item;
         item = node_next(&t, item)) {
        int64_t value = -1;
        cr_assert_eq(text_to_i64(node_text(&t, item), &value), E_OK);
        cr_assert_eq((size_t)value, i++);
        cr_assert_eq(item->parent, 0);
    }
    cr_assert_eq(i, items);
    arena_free(mem);
}

/* ---- names ---- */

Test(json_tree, a_name_that_stands_twice_is_found_in_objects_of_all_sizes)
{
    static const size_t sizes[] = {2, 3, 15, 16, 17, 18, 19, 31, 32, 33, 64, 65, 500, 5000};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        arena *mem = arena_new(ROOM);
        size_t n = sizes[i];
        cr_assert_eq(read_err(object_of(mem, n, n, 0)), E_OK, "%zu", n);
        cr_assert_eq(read_err(object_of(mem, n, n - 1, 0)), E_JSON_DUPLICATE_NAME, "%zu: first and last", n);
        cr_assert_eq(read_err(object_of(mem, n, n - 1, n - 2)), E_JSON_DUPLICATE_NAME, "%zu: last two", n);
        cr_assert_eq(read_err(object_of(mem, n, 1, 0)), E_JSON_DUPLICATE_NAME, "%zu: first two", n);
        cr_assert_eq(read_err(object_of(mem, n, n - 1, (n - 1) / 2)), E_JSON_DUPLICATE_NAME, "%zu: middle",
                     n);
        arena_free(mem);
    }
}

Test(json_tree, a_big_object_sees_a_name_twice_in_another_spelling)
{
    arena *mem = arena_new(ROOM);
    view plain = object_of(mem, 40, 40, 0);
    view twice = arena_printf(mem, "%.*s,\"\\u006b7\":1}", (int)plain.n - 1, plain.p);

    cr_assert_eq(read_err(plain), E_OK);
    cr_assert_eq(read_err(twice), E_JSON_DUPLICATE_NAME);
    arena_free(mem);
}

Test(json_tree, the_same_names_may_stand_in_different_objects)
{
    arena *mem = arena_new(ROOM);
    view one = object_of(mem, 40, 40, 0);
    view inner = arena_printf(mem, "%.*s,\"in\":%.*s,\"again\":%.*s}", (int)one.n - 1, one.p, VIEW_ARG(one),
                              VIEW_ARG(one));
    view text = arena_printf(mem, "[%.*s,%.*s,{\"k0\":{\"k0\":{\"k0\":0}}}]", VIEW_ARG(inner), VIEW_ARG(one));

    cr_assert_eq(read_err(text), E_OK);
    arena_free(mem);
}

/* CPython 3.11 uses the same function for its strings; with PYTHONHASHSEED=0 its key is zero. */
Test(json_tree, the_hash_of_names_is_siphash_1_3)
{
    static const uint64_t seed[2] = {0, 0};

    cr_assert_eq(names_hash(seed, 0, V("")), 0xBD60ACB658C79E45U);
    cr_assert_eq(names_hash(seed, 1, V("a")), 0xBEB9A6BBF61B58B4U);
    cr_assert_eq(names_hash(seed, 7, V("identifier")), 0x2534BC12EB86ACF1U);
    cr_assert_eq(names_hash(seed, 4000000, V("resourceType/abcdefghijk")), 0xEED085A9DCB4E7D2U);
}

/* ---- walking ---- */

#define SAMPLE_BUNDLE                                                                                        \
    "{\"resourceType\":\"Bundle\",\"total\":2,\"ok\":true,\"entry\":[{\"resource\":{\"resourceType\":"       \
    "\"Claim\","                                                                                             \
    "\"id\":\"c1\",\"item\":[{\"net\":{\"value\":12.50}},{\"net\":{\"value\":7}}]}},{\"resource\":{\"id\":"  \
    "\"p\"}}],"                                                                                              \
    "\"a~b/c\":{\"odd name\":[[1,2],[3]]}}"

Test(json_tree, paths_lead_to_members_and_items)
{
    static const struct {
        const char *path, *text; /* NULL: absent */
    } cases[] = {
        {"total", "2"},
        {"entry[0].resource.id", "c1"},
        {"entry[1].resource.id", "p"},
        {"entry.resource.id", "c1"},
        {"entry[0].resource.item[1].net.value", "7"},
        {"entry.resource.item.net.value", "12.50"},
        {"a~b/c.odd name[0][1]", "2"},
        {"a~b/c.odd name[1][0]", "3"},
        {"entry[2]", NULL},
        {"entry[2].resource", NULL},
        {"entry[-1]", NULL},
        {"entry[x]", NULL},
        {"entry[0", NULL},
        {"entry[01].resource.id", NULL},
        {"total.x", NULL},
        {"total[0]", NULL},
        {"nothing.at.all", NULL},
        {"a~b/c.odd name[0][2]", NULL},
        {"entry[4294967296].resource.id", NULL},
    };
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct node *n = node_at(&t, tree_root(&t), cases[i].path);
        cr_assert_eq(n != NULL, cases[i].text != NULL, "%s", cases[i].path);
        expect_view(node_text_at(&t, tree_root(&t), cases[i].path), view_of(cases[i].text));
    }
    cr_assert_eq(node_at(&t, tree_root(&t), ""), tree_root(&t));
    cr_assert(node_is_true(node_at(&t, tree_root(&t), "ok")));
    cr_assert(!node_is_true(node_at(&t, tree_root(&t), "total")));
    arena_free(mem);
}

Test(json_tree, getters_take_null)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("[1]"), mem);
    size_t seen = 0;

    cr_assert_null(node_name(&t, NULL).p);
    cr_assert_null(node_text(&t, NULL).p);
    cr_assert_null(node_raw(&t, NULL).p);
    cr_assert_null(node_member(&t, NULL, V("a")));
    cr_assert_null(node_member(&t, tree_root(&t), V("")));
    cr_assert_null(node_item(&t, NULL, 0));
    cr_assert_null(node_at(&t, NULL, "a"));
    cr_assert_null(node_text_at(&t, NULL, "a").p);
    cr_assert_null(node_pointer(&t, NULL, mem).p);
    cr_assert_null(node_path(&t, NULL, mem).p);
    cr_assert_eq(node_count(NULL), 0);
    cr_assert(!node_is_true(NULL));
    for (NODE_EACH(child, &t, NULL))
        seen += child != NULL;
    cr_assert_eq(seen, 0);
    arena_free(mem);
}

Test(json_tree, a_pointer_leads_back_to_its_node)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);

    for (uint32_t i = 0; i < t.n; i++) {
        view pointer = node_pointer(&t, &t.nodes[i], mem);
        cr_assert_eq(node_of_pointer(&t, pointer), &t.nodes[i], "%.*s", VIEW_ARG(pointer));
    }
    expect_view(node_pointer(&t, node_at(&t, tree_root(&t), "a~b/c.odd name[0][1]"), mem),
                V("/a~0b~1c/odd name/0/1"));
    expect_view(node_pointer(&t, tree_root(&t), mem), V(""));
    arena_free(mem);
}

Test(json_tree, pointers_that_lead_nowhere)
{
    static const char *const pointers[] = {"total",     "/",         "/nothing", "/entry/2", "/entry/-",
                                           "/entry/00", "/total/",   "/a~b~1c",  "/a~0b~1",  "/a~0b~1cc",
                                           "/a~",       "/entry/ 1", "/entry/0/"};
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);

    for (size_t i = 0; i < COUNT_OF(pointers); i++)
        cr_assert_null(node_of_pointer(&t, view_of(pointers[i])), "%s", pointers[i]);
    arena_free(mem);
}

Test(json_tree, an_empty_name_has_a_pointer)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("{\"\":{\"\":[5]}}"), mem);

    expect_view(node_text(&t, node_of_pointer(&t, V("///0"))), V("5"));
    expect_view(node_pointer(&t, &t.nodes[3], mem), V("///0"));
    arena_free(mem);
}

Test(json_tree, places_read_like_fhirpath)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);
    struct tree plain = must_read(V("{\"a\":[1]}"), mem);
    struct tree strange = must_read(V("{\"resourceType\":\"Wang Xiao-ming, A123456789\",\"a\":1}"), mem);

    expect_view(node_path(&t, tree_root(&t), mem), V("Bundle"));
    expect_view(node_path(&t, node_at(&t, tree_root(&t), "entry[0].resource.item[1].net"), mem),
                V("Bundle.entry[0].resource.item[1].net"));
    expect_view(node_path(&t, node_at(&t, tree_root(&t), "a~b/c.odd name[1]"), mem),
                V("Bundle.`a~b/c`.`odd name`[1]"));
    expect_view(node_path(&plain, node_at(&plain, tree_root(&plain), "a[0]"), mem), V("$this.a[0]"));
    expect_view(node_path(&strange, node_at(&strange, tree_root(&strange), "a"), mem), V("$this.a"));
    arena_free(mem);
}

Test(json_tree, places_need_room)
{
    arena *mem = arena_new(ROOM), *tiny = arena_new(16);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);
    const struct node *n = node_at(&t, tree_root(&t), "entry[0].resource.item[1].net");

    cr_assert_null(node_pointer(&t, n, tiny).p);
    cr_assert_null(node_path(&t, n, tiny).p);
    arena_free(tiny);
    arena_free(mem);
}
