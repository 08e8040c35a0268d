#include "fhir_kit.h"

#define P1 "urn:uuid:11111111-1111-1111-1111-111111111111"
#define P2 "urn:uuid:22222222-2222-2222-2222-222222222222"

static const char text[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"fullUrl\":\"" P1 "\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},"
    "{\"fullUrl\":\"" P2 "\",\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"b\","
    "\"contained\":[{\"resourceType\":\"Location\",\"id\":\"l\"},{\"resourceType\":\"Location\",\"id\":\"m\"}"
    "]}},"
    "{\"fullUrl\":\"https://h/fhir/Patient/a\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\","
    "\"meta\":{\"versionId\":\"3\"}}},"
    "{\"fullUrl\":\"https://h/fhir/Claim/c\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c\"}},"
    "{\"fullUrl\":\"https://other/fhir/Claim/d\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"d\"}},"
    "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o\",\"contained\":["
    "{\"resourceType\":\"Location\",\"id\":\"l\"}]}},"
    "{\"request\":{\"method\":\"GET\",\"url\":\"x\"}}]}";

static void
open_bundle(struct kit *k, const char *json)
{
    kit_init(k);
    cr_assert_eq(kit_read(k, json), E_OK, "%s", k->fault.where);
    cr_assert_eq(bundle_index(&k->tree, k->mem, &k->bundle, &k->issues), E_OK);
}

static const struct node *
entry(const struct kit *k, uint32_t i)
{
    return k->bundle.entries[i].resource;
}

Test(bundle, lists_entries_in_order)
{
    struct kit k;
    open_bundle(&k, text);
    cr_assert_eq(k.bundle.n, 7);
    cr_expect(view_eq(k.bundle.entries[1].type, V("Encounter")));
    cr_expect(view_eq(k.bundle.entries[1].id, V("b")));
    cr_expect(view_eq(k.bundle.entries[1].full_url, V(P2)));
    cr_expect_null(k.bundle.entries[6].resource);
    cr_expect_eq(bundle_first(&k.bundle, V("Claim")), entry(&k, 3));
    cr_expect_null(bundle_first(&k.bundle, V("Device")));
    kit_done(&k);
}

static const struct {
    int from; /* entry */
    const char *reference;
    int to; /* entry, -1: nowhere */
} references[] = {
    {3, P1, 0},
    {0, "urn:uuid:33333333-3333-3333-3333-333333333333", -1},
    {0, "https://h/fhir/Patient/a", 2},
    {0, "https://nowhere/fhir/Patient/a", -1},
    {3, "Patient/a", 2},      /* on the base of the entry, though another entry has the same type and id */
    {0, "Patient/a", -1},     /* no base here, and two entries have this type and id */
    {0, "Encounter/b", 1},    /* no base: the only one */
    {3, "Organization/o", 5}, /* an entry without fullUrl */
    {3, "Claim/d", -1},       /* there, but on another server */
    {4, "Claim/d", 4},
    {3, "Patient/a/_history/3", 2},
    {3, "Patient/a/_history/2", -1},
    {3, "Claim/c/_history/1", 3}, /* states no version */
    {0, "Patient/zzz", -1},
    {0, "Patient", -1},
    {0, "", -1},
    {1, "#", 1},
    {1, "#nothing", -1},
};

Test(bundle, resolves_by_the_rules_of_r4)
{
    struct kit k;
    open_bundle(&k, text);
    for (size_t i = 0; i < COUNT_OF(references); i++) {
        const struct node *to = bundle_resolve(&k.bundle, entry(&k, (uint32_t)references[i].from),
                                               view_of(references[i].reference));
        const struct node *wanted = references[i].to < 0 ? NULL : entry(&k, (uint32_t)references[i].to);
        cr_expect_eq(to, wanted, "%s from %d", references[i].reference, references[i].from);
    }
    kit_done(&k);
}

Test(bundle, finds_contained_resources_of_the_own_container_only)
{
    struct kit k;
    open_bundle(&k, text);
    const struct node *l = node_at(&k.tree, entry(&k, 1), "contained[0]");
    const struct node *m = node_at(&k.tree, entry(&k, 1), "contained[1]");
    const struct node *other = node_at(&k.tree, entry(&k, 5), "contained[0]");
    cr_expect_eq(bundle_resolve(&k.bundle, entry(&k, 1), V("#l")), l);
    cr_expect_eq(bundle_resolve(&k.bundle, entry(&k, 5), V("#l")), other);
    cr_expect_eq(bundle_resolve(&k.bundle, l, V("#m")), m, "from one contained resource to another");
    cr_expect_eq(bundle_resolve(&k.bundle, l, V("#")), entry(&k, 1), "to the container");
    cr_expect_eq(bundle_resolve(&k.bundle, l, V("Organization/o")), entry(&k, 5),
                 "with the container's base");
    cr_expect_null(bundle_resolve(&k.bundle, entry(&k, 0), V("#l")));
    kit_done(&k);
}

Test(bundle, tells_of_a_full_url_that_comes_again)
{
    struct kit k;
    open_bundle(&k, "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"" P1 "\"},{\"fullUrl\":\"" P1
                    "\"}]}");
    const struct issue *i = kit_issue(&k, E_INVARIANT, "Bundle.entry[1]");
    cr_assert(i && i->severity == ISSUE_ERROR, "%s", kit_show(&k));
    cr_expect(view_eq(i->pointer, V("/entry/1")));
    cr_expect_eq(i->line, 1);
    kit_done(&k);
}

Test(bundle, takes_versions_of_one_full_url_apart)
{
    struct kit k;
    open_bundle(&k,
                "{\"resourceType\":\"Bundle\",\"entry\":["
                "{\"fullUrl\":\"https://h/Claim/c\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c\","
                "\"meta\":{\"versionId\":\"1\"}}},"
                "{\"fullUrl\":\"https://h/Claim/c\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c\","
                "\"meta\":{\"versionId\":\"2\"}}}]}");
    cr_expect_eq(k.issues.errors, 0);
    cr_expect_eq(bundle_resolve(&k.bundle, entry(&k, 0), V("https://h/Claim/c/_history/2")), entry(&k, 1));
    cr_expect_eq(bundle_resolve(&k.bundle, entry(&k, 0), V("https://h/Claim/c/_history/1")), entry(&k, 0));
    kit_done(&k);
}

Test(bundle, tells_of_ids_that_come_again)
{
    struct kit k;
    open_bundle(
        &k, "{\"resourceType\":\"Bundle\",\"entry\":["
            "{\"fullUrl\":\"" P1 "\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c\"}},"
            "{\"fullUrl\":\"" P2 "\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c\",\"contained\":["
            "{\"resourceType\":\"Basic\",\"id\":\"x\"},{\"resourceType\":\"Basic\",\"id\":\"x\"}]}}]}");
    const struct issue *twice = kit_issue(&k, E_INVARIANT, "Bundle.entry[1]");
    cr_expect(twice && twice->severity == ISSUE_WARNING, "%s", kit_show(&k));
    const struct issue *contained = kit_issue(&k, E_INVARIANT, "Bundle.entry[1].resource.contained[1]");
    cr_expect(contained && contained->severity == ISSUE_ERROR, "%s", kit_show(&k));
    kit_done(&k);
}

Test(bundle, takes_nothing_else_for_a_bundle)
{
    static const char *const others[] = {"{\"resourceType\":\"Claim\"}", "[]", "5", "{}"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct kit k;
        kit_init(&k);
        cr_assert_eq(kit_read(&k, others[i]), E_OK);
        cr_expect_eq(bundle_index(&k.tree, k.mem, &k.bundle, &k.issues), E_RESOURCE_TYPE, "%s", others[i]);
        kit_done(&k);
    }
}

Test(bundle, survives_entries_of_any_form)
{
    struct kit k;
    open_bundle(&k, "{\"resourceType\":\"Bundle\",\"entry\":[null,1,\"a\",[],{},{\"resource\":5},"
                    "{\"fullUrl\":{},\"resource\":{\"id\":[],\"resourceType\":{}}}]}");
    cr_expect_eq(k.bundle.n, 7);
    for (uint32_t i = 0; i < k.bundle.n; i++)
        cr_expect_null(bundle_resolve(&k.bundle, entry(&k, i), V("Claim/c")));
    kit_done(&k);
    open_bundle(&k, "{\"resourceType\":\"Bundle\",\"entry\":{\"fullUrl\":\"a\"}}");
    cr_expect_eq(k.bundle.n, 0);
    kit_done(&k);
}

/* Linear: doubling the entries may not make it four times as long; names chosen by a peer may not help. */
Test(bundle, indexes_a_hundred_thousand_entries)
{
    struct kit k;
    struct buf b;
    kit_init(&k);
    buf_init(&b, 32u << 20);
    BUF_LIT(&b, "{\"resourceType\":\"Bundle\",\"entry\":[");
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(
            &b,
            "%s{\"fullUrl\":\"https://h/Claim/%u\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"%u\"}}",
            i ? "," : "", i, i);
    BUF_LIT(&b, "]}");
    cr_assert_eq(tree_read_json(buf_view(&b), NULL, k.mem, &k.tree, &k.fault), E_OK);
    cr_assert_eq(bundle_index(&k.tree, k.mem, &k.bundle, &k.issues), E_OK);
    cr_expect_eq(k.issues.n, 0);
    cr_expect_eq(bundle_resolve(&k.bundle, entry(&k, 0), V("Claim/99999")), entry(&k, 99999));
    buf_done(&b);
    kit_done(&k);
}
