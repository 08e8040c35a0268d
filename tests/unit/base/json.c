/* jansson's values: reading, writing, getters. */
#include "base/json.h"

#include <criterion/criterion.h>

#define ROOM ((size_t)8 << 20)

static json_t *
must_load(const char *text, arena *mem)
{
    json_t *json = NULL;
    struct fault f;

    fault_init(&f);
    err e = json_load(view_of(text), mem, &json, &f);
    cr_assert_eq(e, E_OK, "%s: %s at %ld", text, err_info(e)->name, f.from);
    return json;
}

Test(json, what_is_read_is_written_again_in_its_order)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"{\"z\":1,\"a\":[true,false,null,\"x\"],\"m\":{\"y\":{},\"b\":[]},\"\":-5}", NULL},
        {" [ 1 , 2.5 , \"\\u738B\\n\\u0001\" ] ", "[1,2.5,\"王\\n\\u0001\"]"},
        {"[9223372036854775807,-9223372036854775808,-0,0.1,1e2,1E40e]", ""},
        {"[9223372036854775807,-9223372036854775808,0.1,1e2,12.50]",
         "[9223372036854775807,-9223372036854775808,0.1,100,12.5]"},
        {"\"text\"", NULL},
        {"17", NULL},
        {"null", NULL},
        {"[[[1],[]],[{\"a\":[{}]},2]]", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena *mem = arena_new(ROOM);
        json_t *json = NULL;
        const char *wanted = cases[i].wanted != NULL ? cases[i].wanted : cases[i].text;
        if (wanted[0] == '\0') {
            cr_assert_eq(json_load(view_of(cases[i].text), mem, &json, NULL), E_JSON_SYNTAX);
            cr_assert_null(json);
        } else {
            json = must_load(cases[i].text, mem);
            view got = json_dump_arena(json, mem);
            cr_assert(view_eq(got, view_of(wanted)), "%.*s, not %s", VIEW_ARG(got), wanted);
        }
        arena_free(mem);
    }
}

Test(json, the_order_of_members_does_not_hang_on_the_seed)
{
    arena *mem = arena_new(ROOM);
    struct buf text;

    json_start();
    buf_init(&text, ROOM);
    for (unsigned i = 0; i < 300; i++)
        buf_printf(&text, "%s\"n%u\":%u", i == 0 ? "{" : ",", i * 7919 % 300, i);
    BUF_LIT(&text, "}");
    json_t *json = NULL;
    cr_assert_eq(json_load(buf_view(&text), mem, &json, NULL), E_OK);
    cr_assert(view_eq(json_dump_arena(json, mem), buf_view(&text)));
    buf_done(&text);
    arena_free(mem);
}

static const struct {
    const char *text;
    err code;
    long from, length;
    const char *where;
} refusals[] = {
    {"", E_JSON_SYNTAX, 0, 0, ""},
    {"{\"a\":1,}", E_JSON_SYNTAX, 7, 1, ""},
    {"{\"a\":{\"b\":1,\"b\":2}}", E_JSON_DUPLICATE_NAME, 12, 3, "/a"},
    {"{\"a\":\"\\u0000\"}", E_JSON_NUL, 6, 6, ""},
    {"[\"\xE7\x8E\"]", E_UTF8, 2, 1, ""},
    {"\xEF\xBB\xBF{}", E_BOM, 0, 3, ""},
    {"{\"a\":[1,9223372036854775808]}", E_OUT_OF_RANGE, 8, 19, "/a/1"},
    {"{\"a\":-9223372036854775809}", E_OUT_OF_RANGE, 5, 20, "/a"},
    {"1e999", E_OUT_OF_RANGE, 0, 5, ""},
    {"99999999999999999999", E_OUT_OF_RANGE, 0, 20, ""},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", E_JSON_DEPTH, 64, 1, NULL},
};

Test(json, refuses_with_place)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        arena *mem = arena_new(ROOM);
        json_t *json = NULL;
        struct fault f;
        fault_init(&f);
        err e = json_load(view_of(refusals[i].text), mem, &json, &f);
        cr_assert_eq(e, refusals[i].code, "%zu: %s", i, err_info(e)->name);
        cr_assert_eq(f.code, e);
        cr_assert_eq(f.from, refusals[i].from, "%zu: from %ld", i, f.from);
        cr_assert_eq(f.length, refusals[i].length, "%zu: length %ld", i, f.length);
        if (refusals[i].where != NULL)
            cr_assert_str_eq(f.where, refusals[i].where);
        cr_assert_null(json, "touched on failure");
        arena_free(mem);
    }
}

Test(json, a_fault_is_not_needed)
{
    arena *mem = arena_new(ROOM);
    json_t *json = NULL;

    cr_assert_eq(json_load(V("[1e999]"), mem, &json, NULL), E_OUT_OF_RANGE);
    cr_assert_eq(json_load(V("[1"), mem, &json, NULL), E_JSON_SYNTAX);
    arena_free(mem);
}

Test(json, a_full_arena_frees_the_value)
{
    arena *mem = arena_new(0);
    json_t *json = NULL;
    struct fault f;

    fault_init(&f);
    cr_assert_eq(json_load(V("{\"a\":[1,2,3]}"), mem, &json, &f), E_TOO_LARGE);
    cr_assert_eq(f.code, E_TOO_LARGE);
    cr_assert_null(json);
    arena_free(mem);
}

Test(json, a_value_may_outlive_its_arena)
{
    arena *mem = arena_new(ROOM);
    json_t *json = json_incref(must_load("{\"a\":\"b\"}", mem));

    arena_free(mem);
    cr_assert(view_eq(json_text(json, "a"), V("b")));
    json_decref_fn(json);
    json_free(NULL);
}

Test(json, getters_give_the_type_or_the_fallback)
{
    arena *mem = arena_new(ROOM);
    const json_t *json = must_load(
        "{\"t\":\"text\",\"e\":\"\",\"i\":-7,\"r\":1.5,\"y\":true,\"n\":false,\"o\":{\"x\":1},\"z\":null}",
        mem);

    cr_assert(view_eq(json_text(json, "t"), V("text")));
    cr_assert(json_text(json, "e").p != NULL && json_text(json, "e").n == 0);
    cr_assert_null(json_text(json, "i").p);
    cr_assert_null(json_text(json, "absent").p);
    cr_assert_eq(json_int(json, "i", 3), -7);
    cr_assert_eq(json_int(json, "r", 3), 3);
    cr_assert_eq(json_int(json, "t", 3), 3);
    cr_assert_eq(json_int(json, "absent", 3), 3);
    cr_assert(json_bool(json, "y", false));
    cr_assert(!json_bool(json, "n", true));
    cr_assert(json_bool(json, "i", true));
    cr_assert(!json_bool(json, "absent", false));
    cr_assert_eq(json_int(json_member(json, "o"), "x", 0), 1);
    cr_assert(json_is_null(json_member(json, "z")));
    cr_assert_null(json_member(json, "absent"));
    cr_assert_null(json_member(NULL, "absent"));
    cr_assert_null(json_text(json_member(json, "t"), "x").p);
    arena_free(mem);
}

Test(json, text_values)
{
    json_t *text = json_text_new(V("王\"小")), *empty = json_text_new(VIEW_NONE);
    struct buf out;

    buf_init(&out, ROOM);
    cr_assert_eq(json_dump(text, &out), E_OK);
    cr_assert_eq(json_dump(empty, &out), E_OK);
    cr_assert(view_eq(buf_view(&out), V("\"王\\\"小\"\"\"")));
    cr_assert_null(json_text_new(V("\xFF")));
    json_free(text);
    json_free(empty);
    buf_done(&out);
}

static json_t *
nested_arrays(size_t depth)
{
    json_t *value = json_array();

    while (--depth > 0) {
        json_t *outer = json_array();
        cr_assert_eq(json_array_append_new(outer, value), 0);
        value = outer;
    }
    return value;
}

Test(json, what_is_written_has_depth_64_at_most)
{
    json_t *fits = nested_arrays(64), *deeper = nested_arrays(65);
    struct buf out;

    buf_init(&out, ROOM);
    cr_assert_eq(json_dump(fits, &out), E_OK);
    cr_assert_eq(out.n, 128);
    cr_assert_eq(json_dump(deeper, &out), E_JSON_DEPTH);
    json_free(fits);
    json_free(deeper);
    buf_done(&out);
}

Test(json, a_full_buffer_is_told)
{
    arena *mem = arena_new(ROOM), *tiny = arena_new(16);
    const char *text = "{\"a\":[1,2,3],\"b\":\"text\"}";
    const json_t *json = must_load(text, mem);

    for (size_t room = 0; room <= strlen(text); room++) {
        struct buf out;
        buf_init(&out, room);
        cr_assert_eq(json_dump(json, &out), room < strlen(text) ? E_TOO_LARGE : E_OK, "%zu", room);
        buf_done(&out);
    }
    cr_assert_null(json_dump_arena(json, tiny).p);
    arena_free(tiny);
    arena_free(mem);
}
