/* RFC 8785: numbers, order of members, escapes. */
#include "base/jcs.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>

#define ROOM ((size_t)8 << 20)

static err
canonical(view json, const view *skip, size_t n_skip, size_t ceiling, struct buf *out)
{
    arena *mem = arena_new(ROOM);
    struct tree t;

    buf_init(out, ceiling);
    cr_assert_eq(tree_read_json(json, NULL, mem, &t, NULL), E_OK);
    err e = jcs_write(&t, tree_root(&t), skip, n_skip, out);
    arena_free(mem);
    return e;
}

static void
expect_canonical(const char *json, const char *wanted)
{
    struct buf out, again;

    cr_assert_eq(canonical(view_of(json), NULL, 0, ROOM, &out), E_OK);
    cr_assert(view_eq(buf_view(&out), view_of(wanted)), "%.*s, not %s", VIEW_ARG(buf_view(&out)), wanted);
    cr_assert_eq(canonical(buf_view(&out), NULL, 0, ROOM, &again), E_OK);
    cr_assert(view_eq(buf_view(&again), view_of(wanted)), "not stable: %s", wanted);
    buf_done(&out);
    buf_done(&again);
}

static double
double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The samples of RFC 8785, appendix B, and numbers near the special case of powers of two (V8 agrees). */
static const struct {
    uint64_t bits;
    const char *text;
} numbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x3d30000000000000, "5.684341886080802e-14"},
    {0x0010000000000000, "2.2250738585072014e-308"},
    {0x000fffffffffffff, "2.225073858507201e-308"},
    {0x4340000000000001, "9007199254740994"},
    {0x433fffffffffffff, "9007199254740991"},
    {0x3fb999999999999a, "0.1"},
    {0x3ff8000000000000, "1.5"},
};

Test(jcs, numbers_as_ecmascript_writes_them)
{
    char out[40];

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        view text = jcs_number(double_of_bits(numbers[i].bits), out);
        cr_assert(view_eq(text, view_of(numbers[i].text)), "%.*s, not %s", VIEW_ARG(text), numbers[i].text);
    }
}

/* Text → double → text is the identity on what the function itself writes, for every binary exponent. */
Test(jcs, every_number_reads_back)
{
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        static const uint64_t fractions[] = {
            0, 1, 0xFFFFFFFFFFFFF, 0x8000000000000, 0x5555555555555, 0x123456789ABCD};
        for (size_t i = 0; i < COUNT_OF(fractions); i++) {
            char out[40];
            double value = double_of_bits(exponent << 52 | fractions[i]), back = 1;
            cr_assert(jcs_double(jcs_number(value, out), &back), "%s", out);
            cr_assert(back == value, "%s", out);
        }
    }
}

Test(jcs, texts_that_are_no_double)
{
    static const char *const texts[] = {"",   "1e400", "-1e309", "inf", "nan", "0x10", " 1",
                                        "1 ", "1e+",   "1.2.3",  "e5",  "-",   "1,5"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        double value = 77;
        cr_assert(!jcs_double(view_of(texts[i]), &value), "%s", texts[i]);
        cr_assert_eq(value, 77);
    }
}

Test(jcs, the_locale_of_the_thread_does_not_matter)
{
    locale_t comma = newlocale(LC_NUMERIC_MASK, "de_DE.UTF-8", (locale_t)0);

    if (comma == (locale_t)0)
        cr_skip_test("no locale with a decimal comma on this machine");
    locale_t before = uselocale(comma);
    expect_canonical("[1.50,0.000001,1e-7]", "[1.5,0.000001,1e-7]");
    cr_assert_eq(uselocale((locale_t)0), comma, "the locale is given back");
    (void)uselocale(before);
    freelocale(comma);
}

static const struct {
    const char *json, *wanted;
} documents[] = {
    {"null", "null"},
    {" [ ] ", "[]"},
    {"{ }", "{}"},
    {"[1, true ,false, null,\"x\" , { } ,[ ]]", "[1,true,false,null,\"x\",{},[]]"},
    {"{\"b\":1,\"a\":{\"d\":1,\"c\":[{\"z\":0,\"y\":0}]},\"\":2}",
     "{\"\":2,\"a\":{\"c\":[{\"y\":0,\"z\":0}],\"d\":1},\"b\":1}"},
    {"{\"aa\":1,\"a\":2,\"B\":3,\"10\":4,\"9\":5}", "{\"10\":4,\"9\":5,\"B\":3,\"a\":2,\"aa\":1}"},
    /* U+1F600 begins with the surrogate D83D and so stands before U+FB33, though its UTF-8 is greater. */
    {"{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3,\"\\r\":4,\"1\":5,\"\\u0080\":6,\"\\u00f6\":7}",
     "{\"\\r\":4,\"1\":5,\"\xC2\x80\":6,\"ö\":7,\"€\":3,\"😀\":2,\"\xEF\xAC\xB3\":1}"},
    {"{\"\\uE000\":1,\"\\uD7FF\":2,\"\\uDBFF\\uDFFF\":3,\"\\uFFFF\":4}",
     "{\"\xED\x9F\xBF\":2,\"\xF4\x8F\xBF\xBF\":3,\"\xEE\x80\x80\":1,\"\xEF\xBF\xBF\":4}"},
    {"\"\\u0001\\u000b\\u001F\\b\\t\\n\\f\\r\\\"\\\\\\/\\u007f\\u2028\"",
     "\"\\u0001\\u000b\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7F\xE2\x80\xA8\""},
    {"[12.50,1.0,-0,1e3,1E-7,123456789012345678901234567890,0.1e-400]",
     "[12.5,1,0,1000,1e-7,1.2345678901234568e+29,0]"},
    {"{\"姓名\":\"王小明\",\"編號\":1}", "{\"姓名\":\"王小明\",\"編號\":1}"},
};

Test(jcs, documents)
{
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        expect_canonical(documents[i].json, documents[i].wanted);
}

Test(jcs, skip_leaves_out_members_of_the_written_object_only)
{
    const view skip[] = {V("id"), V("meta"), V("signature")};
    struct buf out;

    cr_assert_eq(canonical(V("{\"signature\":[1],\"type\":\"x\",\"id\":\"1\",\"entry\":[{\"id\":\"2\","
                             "\"meta\":{}}],\"meta\":1}"),
                           skip, COUNT_OF(skip), ROOM, &out),
                 E_OK);
    cr_assert(view_eq(buf_view(&out), V("{\"entry\":[{\"id\":\"2\",\"meta\":{}}],\"type\":\"x\"}")));
    buf_done(&out);
}

Test(jcs, skip_may_empty_an_object)
{
    const view skip[] = {V("id")};
    struct buf out;

    cr_assert_eq(canonical(V("{\"id\":1}"), skip, 1, ROOM, &out), E_OK);
    cr_assert(view_eq(buf_view(&out), V("{}")));
    buf_done(&out);
}

Test(jcs, a_part_of_a_tree)
{
    arena *mem = arena_new(ROOM);
    struct tree t;
    struct buf out;

    buf_init(&out, ROOM);
    cr_assert_eq(tree_read_json(V("{\"a\":[{\"z\":1.0,\"y\":2}],\"b\":1}"), NULL, mem, &t, NULL), E_OK);
    cr_assert_eq(jcs_write(&t, node_at(&t, tree_root(&t), "a[0]"), NULL, 0, &out), E_OK);
    cr_assert(view_eq(buf_view(&out), V("{\"y\":2,\"z\":1}")));
    buf_done(&out);
    arena_free(mem);
}

Test(jcs, a_number_beyond_a_double_is_refused)
{
    double value = 0;
    arena *mem = arena_new(ROOM);
    struct tree t;

    cr_assert_not(jcs_double(V("1e400"), &value));
    cr_assert_eq(tree_read_json(V("{\"a\":[1e400]}"), NULL, mem, &t, NULL), E_OUT_OF_RANGE);
    arena_free(mem);
}

Test(jcs, a_full_buffer_is_told)
{
    view json = V("{\"a\":[1,2,3],\"b\":\"text\"}");

    for (size_t room = 0; room <= json.n; room++) {
        struct buf out;
        cr_assert_eq(canonical(json, NULL, 0, room, &out), room < json.n ? E_TOO_LARGE : E_OK, "%zu", room);
        buf_done(&out);
    }
}

/* The reader gives no such tree, but another maker of trees might. */
Test(jcs, a_tree_that_is_too_deep_is_refused)
{
    struct node nodes[TREE_DEPTH_MAX + 1] = {0};
    struct tree t = {V(""), nodes, COUNT_OF(nodes), VIEW_NONE};
    struct buf out;

    for (uint32_t i = 0; i < COUNT_OF(nodes); i++)
        nodes[i] =
            (struct node){.kind = NODE_ARRAY, .text = i < TREE_DEPTH_MAX, .parent = i == 0 ? 0 : i - 1};
    buf_init(&out, ROOM);
    cr_assert_eq(jcs_write(&t, tree_root(&t), NULL, 0, &out), E_JSON_DEPTH);
    buf_clear(&out);
    cr_assert_eq(jcs_write(&t, &nodes[1], NULL, 0, &out), E_OK);
    cr_assert_eq(out.n, 2 * TREE_DEPTH_MAX);
    buf_done(&out);
}

Test(jcs, the_deepest_tree)
{
    char text[129];
    struct buf out;

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    cr_assert_eq(canonical(view_make(text, 128), NULL, 0, ROOM, &out), E_OK);
    cr_assert(view_eq(buf_view(&out), view_make(text, 128)));
    buf_done(&out);
}
