/* The JSON reader: its limits, its memory, its names. */
#include "base/json_names.h"
#include "json_kit.h"

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

Test(json_limits, depth_is_64_at_most)
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

Test(json_limits, bytes_and_nodes_are_limited)
{
    struct fault f;

    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){5, 3}, &f), E_OK);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){4, 3}, &f), E_TOO_LARGE);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){5, 2}, &f), E_TOO_LARGE);
    cr_assert_eq(f.from, 3);
    cr_assert_eq(read_with(V("[1,2]"), &(struct tree_limits){0, 0}, &f), E_OK);
}

Test(json_limits, the_arena_is_a_limit_too)
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
Test(json_limits, a_short_arena_refuses_at_each_step)
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

Test(json_limits, a_place_that_does_not_fit_is_that_of_an_outer_container)
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

Test(json_limits, a_name_has_at_most_65535_bytes)
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
Test(json_limits, memory_stays_below_64_bytes_for_a_byte_of_text)
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

Test(json_limits, a_dense_text_behind_a_thin_one_grows_the_array_rightly)
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

Test(json_limits, a_name_that_stands_twice_is_found_in_objects_of_all_sizes)
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

Test(json_limits, a_big_object_sees_a_name_twice_in_another_spelling)
{
    arena *mem = arena_new(ROOM);
    view plain = object_of(mem, 40, 40, 0);
    view twice = arena_printf(mem, "%.*s,\"\\u006b7\":1}", (int)plain.n - 1, plain.p);

    cr_assert_eq(read_err(plain), E_OK);
    cr_assert_eq(read_err(twice), E_JSON_DUPLICATE_NAME);
    arena_free(mem);
}

Test(json_limits, the_same_names_may_stand_in_different_objects)
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
Test(json_limits, the_hash_of_names_is_siphash_1_3)
{
    static const uint64_t seed[2] = {0, 0};

    cr_assert_eq(names_hash(seed, 0, V("")), 0xBD60ACB658C79E45U);
    cr_assert_eq(names_hash(seed, 1, V("a")), 0xBEB9A6BBF61B58B4U);
    cr_assert_eq(names_hash(seed, 7, V("identifier")), 0x2534BC12EB86ACF1U);
    cr_assert_eq(names_hash(seed, 4000000, V("resourceType/abcdefghijk")), 0xEED085A9DCB4E7D2U);
}
