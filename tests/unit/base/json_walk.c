/* The ways to walk the JSON reader's trees. */
#include "json_kit.h"

/* ---- walking ---- */

#define SAMPLE_BUNDLE                                                                                        \
    "{\"resourceType\":\"Bundle\",\"total\":2,\"ok\":true,\"entry\":[{\"resource\":{\"resourceType\":"       \
    "\"Claim\","                                                                                             \
    "\"id\":\"c1\",\"item\":[{\"net\":{\"value\":12.50}},{\"net\":{\"value\":7}}]}},{\"resource\":{\"id\":"  \
    "\"p\"}}],"                                                                                              \
    "\"a~b/c\":{\"odd name\":[[1,2],[3]]}}"

Test(json_walk, paths_lead_to_members_and_items)
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

Test(json_walk, getters_take_null)
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

Test(json_walk, a_pointer_leads_back_to_its_node)
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

Test(json_walk, pointers_that_lead_nowhere)
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

Test(json_walk, an_empty_name_has_a_pointer)
{
    arena *mem = arena_new(ROOM);
    struct tree t = must_read(V("{\"\":{\"\":[5]}}"), mem);

    expect_view(node_text(&t, node_of_pointer(&t, V("///0"))), V("5"));
    expect_view(node_pointer(&t, &t.nodes[3], mem), V("///0"));
    arena_free(mem);
}

Test(json_walk, places_read_like_fhirpath)
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

Test(json_walk, places_need_room)
{
    arena *mem = arena_new(ROOM), *tiny = arena_new(16);
    struct tree t = must_read(V(SAMPLE_BUNDLE), mem);
    const struct node *n = node_at(&t, tree_root(&t), "entry[0].resource.item[1].net");

    cr_assert_null(node_pointer(&t, n, tiny).p);
    cr_assert_null(node_path(&t, n, tiny).p);
    arena_free(tiny);
    arena_free(mem);
}
