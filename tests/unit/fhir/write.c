#include "fhir_kit.h"

static view
write_as(struct kit *k, enum fhir_media media, err expected)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    err e = media == FHIR_XML ? fhir_write_xml(&k->tree, tree_root(&k->tree), &b)
                              : fhir_write_json(&k->tree, tree_root(&k->tree), &b);
    cr_assert_eq(e, expected, "%s", err_info(e)->name);
    view text = e == E_OK ? arena_dup(k->mem, buf_view(&b)) : VIEW_NONE;
    buf_done(&b);
    return text;
}

static const char claim[] =
    "{\"resourceType\":\"Claim\",\"use\":\"claim\",\"id\":\"c1\",\"status\":\"active\","
    "\"_created\":{\"id\":\"x\"},\"created\":\"2026-11-21\","
    "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}],"
    "\"extension\":[{\"valueString\":\"a<b\",\"url\":\"http://x/e\"}],"
    "\"total\":{\"value\":12.50,\"currency\":\"TWD\"},"
    "\"item\":[{\"sequence\":1,\"careTeamSequence\":[1,2],\"_careTeamSequence\":[null,{\"id\":\"s\"}]}]}";

Test(write, puts_xml_elements_in_the_order_of_the_definition)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, claim), E_OK);
    view xml = write_as(&k, FHIR_XML, E_OK);
    cr_expect(
        view_eq(xml,
                V("<Claim xmlns=\"http://hl7.org/fhir\"><id value=\"c1\"/>"
                  "<contained><Patient><id value=\"p\"/></Patient></contained>"
                  "<extension url=\"http://x/e\"><valueString value=\"a&lt;b\"/></extension>"
                  "<status value=\"active\"/><use value=\"claim\"/><created value=\"2026-11-21\" id=\"x\"/>"
                  "<item><sequence value=\"1\"/><careTeamSequence value=\"1\"/>"
                  "<careTeamSequence value=\"2\" id=\"s\"/></item>"
                  "<total><value value=\"12.50\"/><currency value=\"TWD\"/></total></Claim>")),
        "%.*s", VIEW_ARG(xml));
    kit_done(&k);
}

Test(write, gives_the_same_json_after_a_way_through_xml)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, claim), E_OK);
    view xml = write_as(&k, FHIR_XML, E_OK);
    cr_assert_eq(fhir_read(FHIR_XML, xml, k.mem, &k.tree, &k.fault), E_OK);
    view again = write_as(&k, FHIR_XML, E_OK);
    cr_expect(view_eq(xml, again));
    view json = write_as(&k, FHIR_JSON, E_OK);
    cr_expect(view_find(json, V("\"value\":12.50")) < json.n, "decimals stay as written: %.*s",
              VIEW_ARG(json));
    kit_done(&k);
}

Test(write, copies_json_as_it_stands)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, claim), E_OK);
    cr_expect(view_eq(write_as(&k, FHIR_JSON, E_OK), view_of(claim)));
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Basic\",\"a\":[],\"b\":{},\"c\":[{}],\"d\":null}"), E_OK);
    cr_expect(view_eq(write_as(&k, FHIR_JSON, E_OK),
                      V("{\"resourceType\":\"Basic\",\"a\":[],\"b\":{},\"c\":[{}],\"d\":null}")));
    kit_done(&k);
}

Test(write, refuses_in_xml_what_fhir_has_no_element_for)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Claim\",\"foo\":1}"), E_OK);
    write_as(&k, FHIR_XML, E_ELEMENT_UNKNOWN);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Foo\"}"), E_OK);
    write_as(&k, FHIR_XML, E_RESOURCE_TYPE);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Claim\",\"type\":\"a\"}"), E_OK);
    write_as(&k, FHIR_XML, E_TYPE);
    cr_assert_eq(kit_read(&k, "[1]"), E_OK);
    write_as(&k, FHIR_XML, E_TYPE);
    kit_done(&k);
}

Test(write, answers_too_large_when_the_buffer_is_full)
{
    struct kit k;
    struct buf b;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, claim), E_OK);
    buf_init(&b, 50);
    cr_expect_eq(fhir_write_xml(&k.tree, tree_root(&k.tree), &b), E_TOO_LARGE);
    buf_clear(&b);
    cr_expect_eq(fhir_write_json(&k.tree, tree_root(&k.tree), &b), E_TOO_LARGE);
    buf_done(&b);
    kit_done(&k);
}

/* What XML cannot carry is told, not replaced. */
Test(write, a_character_that_xml_cannot_carry_is_refused)
{
    struct kit k;
    struct buf out;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a\\u0001\"}]}"), E_OK);
    buf_init(&out, 1U << 16);
    cr_assert_eq(fhir_write_xml(&k.tree, tree_root(&k.tree), &out), E_XML_CHARACTER);
    buf_clear(&out);
    cr_assert_eq(fhir_write_json(&k.tree, tree_root(&k.tree), &out), E_OK);
    buf_done(&out);
    kit_done(&k);
}
