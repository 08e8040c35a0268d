#include "fhir_kit.h"

#define NS "xmlns=\"http://hl7.org/fhir\""
#define XHTML "xmlns=\"http://www.w3.org/1999/xhtml\""

static const char json_of_xml[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Patient " NS ">\n"
    "  <!-- a comment -->\n"
    "  <id value=\"p1\"/>\n"
    "  <text><status value=\"generated\"/><div " XHTML "><p>\xE7\x8E\x8B <b>&amp;</b></p></div></text>\n"
    "  <contained><Organization><id value=\"o1\"/><name value=\"A &lt; "
    "B&#10;C\"/></Organization></contained>\n"
    "  <extension url=\"http://x/e\"><valueDecimal value=\"12.50\"/></extension>\n"
    "  <active value=\"true\"/>\n"
    "  <name id=\"n1\">\n"
    "    <family value=\"Chen\"><extension url=\"http://x/f\"><valueString "
    "value=\"v\"/></extension></family>\n"
    "    <given value=\"A\"/><given value=\"B\" id=\"g2\"/>\n"
    "  </name>\n"
    "  <birthDate><extension url=\"http://x/g\"><valueCode value=\"unknown\"/></extension></birthDate>\n"
    "  <multipleBirthInteger value=\"2\"/>\n"
    "</Patient>\n";

static const char expected[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\","
    "\"text\":{\"status\":\"generated\",\"div\":\"<div "
    "xmlns=\\\"http://www.w3.org/1999/xhtml\\\""
    ">"
    "<p>\xE7\x8E\x8B <b>&amp;</b></p></div>\"},"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o1\",\"name\":\"A < B\\nC\"}],"
    "\"extension\":[{\"url\":\"http://x/e\",\"valueDecimal\":12.50}],"
    "\"active\":true,"
    "\"name\":[{\"id\":\"n1\",\"family\":\"Chen\","
    "\"_family\":{\"extension\":[{\"url\":\"http://x/f\",\"valueString\":\"v\"}]},"
    "\"given\":[\"A\",\"B\"],\"_given\":[null,{\"id\":\"g2\"}]}],"
    "\"_birthDate\":{\"extension\":[{\"url\":\"http://x/g\",\"valueCode\":\"unknown\"}]},"
    "\"multipleBirthInteger\":2}";

static view
as_json(struct kit *k)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    cr_assert_eq(fhir_write_json(&k->tree, tree_root(&k->tree), &b), E_OK);
    view text = arena_dup(k->mem, buf_view(&b));
    buf_done(&b);
    return text;
}

Test(xml, gives_the_tree_that_json_would_give)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, json_of_xml), E_OK);
    view text = as_json(&k);
    cr_expect(view_eq(text, view_of(expected)), "%.*s", VIEW_ARG(text));
    kit_done(&k);
}

static void
expect_raw(const struct kit *k, const char *path, const char *raw)
{
    const struct node *n = kit_at(k, path);
    cr_assert_not_null(n, "%s", path);
    view found = node_raw(&k->tree, n);
    cr_expect(view_eq(found, view_of(raw)), "%s is %.*s", path, VIEW_ARG(found));
}

Test(xml, gives_every_node_its_bytes)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, json_of_xml), E_OK);
    expect_raw(&k, "id", "<id value=\"p1\"/>");
    expect_raw(&k, "active", "<active value=\"true\"/>");
    expect_raw(&k, "contained[0].name", "<name value=\"A &lt; B&#10;C\"/>");
    expect_raw(&k, "name[0].given[1]", "<given value=\"B\" id=\"g2\"/>");
    expect_raw(&k, "name[0].given", "<given value=\"A\"/><given value=\"B\" id=\"g2\"/>");
    expect_raw(&k, "extension[0].valueDecimal", "<valueDecimal value=\"12.50\"/>");
    expect_raw(&k, "text.div", "<div " XHTML "><p>\xE7\x8E\x8B <b>&amp;</b></p></div>");
    cr_expect(view_starts(node_raw(&k.tree, tree_root(&k.tree)), V("<Patient ")));
    cr_expect(view_ends(node_raw(&k.tree, tree_root(&k.tree)), V("</Patient>")));
    kit_done(&k);
}

Test(xml, keeps_a_range_within_its_parents)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, json_of_xml), E_OK);
    for (uint32_t i = 1; i < k.tree.n; i++) {
        const struct node *n = &k.tree.nodes[i], *up = &k.tree.nodes[n->parent];
        cr_assert(n->from >= up->from && n->from + n->length <= up->from + up->length, "node %u", i);
    }
    kit_done(&k);
}

Test(xml, reads_a_byte_order_mark_and_keeps_ranges)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "\xEF\xBB\xBF<Basic " NS "><id value=\"b\"/></Basic>"), E_OK);
    expect_raw(&k, "id", "<id value=\"b\"/>");
    kit_done(&k);
}

Test(xml, takes_prefixes_for_the_same_names)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "<f:Basic xmlns:f=\"http://hl7.org/fhir\"><f:id value=\"b\"/></f:Basic>"),
                 E_OK);
    cr_expect(view_eq(as_json(&k), V("{\"resourceType\":\"Basic\",\"id\":\"b\"}")));
    expect_raw(&k, "id", "<f:id value=\"b\"/>");
    kit_done(&k);
}

Test(xml, writes_the_namespace_of_a_div_that_has_it_from_outside)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "<Basic " NS "><text><status value=\"generated\"/>"
                              "<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\">x</h:div></text></Basic>"),
                 E_ELEMENT_UNKNOWN, "a prefix can't be taken along");
    kit_done(&k);
}

Test(xml, leaves_what_is_no_number_as_a_string)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(
        kit_read(&k, "<Patient " NS "><active value=\"yes\"/><multipleBirthInteger value=\"+2\"/></Patient>"),
        E_OK);
    cr_expect_eq(kit_at(&k, "active")->kind, NODE_STRING);
    cr_expect_eq(kit_at(&k, "multipleBirthInteger")->kind, NODE_STRING);
    kit_done(&k);
}

struct refusal {
    const char *text;
    err code;
};

static const struct refusal refusals[] = {
    {"<!DOCTYPE Basic><Basic " NS "/>", E_XML_DOCTYPE},
    {"<!DOCTYPE Basic [<!ENTITY a \"b\">]><Basic " NS "><id value=\"&a;\"/></Basic>", E_XML_DOCTYPE},
    {"<!DOCTYPE Basic SYSTEM \"http://127.0.0.1:9/x.dtd\"><Basic " NS "/>", E_XML_DOCTYPE},
    {"<Basic " NS "><id value=\"&a;\"/></Basic>", E_XML_SYNTAX},
    {"<Basic " NS "><id value=\"a\"></Basic>", E_XML_SYNTAX},
    {"<Basic " NS "><x:id value=\"a\"/></Basic>", E_XML_NAMESPACE},
    {"<Basic " NS "/><Basic " NS "/>", E_XML_SYNTAX},
    {"<Basic " NS "><id value=\"a\" value=\"b\"/></Basic>", E_XML_SYNTAX},
    {"<Basic/>", E_RESOURCE_TYPE},
    {"<Basic xmlns=\"urn:other\"/>", E_RESOURCE_TYPE},
    {"<div " XHTML "/>", E_RESOURCE_TYPE},
    {"<Basic " NS "><id value=\"a\" lang=\"b\"/></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><id value=\"a\" url=\"b\"/></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><extension><url value=\"a\"/></extension></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><resourceType value=\"Patient\"/></Basic>", E_ELEMENT_ORDER},
    {"<Basic " NS "><_code value=\"a\"/></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><code><id value=\"a\"/></code></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS ">text</Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><![CDATA[text]]></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><x xmlns=\"urn:other\"/></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><text><div " XHTML "><x xmlns=\"urn:other\"/></div></text></Basic>", E_ELEMENT_UNKNOWN},
    {"<Basic " NS "><identifier/><id value=\"a\"/><identifier/></Basic>", E_ELEMENT_ORDER},
    {"<Basic " NS "><contained><Basic/><Basic/></contained></Basic>", E_CARDINALITY},
    {"<Basic " NS "><contained/></Basic>", E_CARDINALITY},
    {"<Basic " NS "><code value=\"a\"><text value=\"b\"/></code></Basic>", E_TYPE},
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Basic " NS "/>", E_UTF8},
    {"<Basic " NS "><id value=\"\xB4\xFA\"/></Basic>", E_UTF8},
    {"<", E_XML_SYNTAX},
};

Test(xml, refuses_with_one_code_per_cause)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct kit k;
        kit_init(&k);
        struct tree before = k.tree;
        err e = kit_read(&k, refusals[i].text);
        cr_expect_eq(e, refusals[i].code, "%s gives %s", refusals[i].text,
                     e ? err_info(e)->name : "no error");
        cr_expect_eq(k.fault.code, refusals[i].code);
        cr_expect_eq(memcmp(&before, &k.tree, sizeof before), 0, "the tree is untouched");
        kit_done(&k);
    }
}

Test(xml, names_the_place_of_a_refusal)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "<Patient " NS ">\n <name>\n  <family value=\"a\" x=\"b\"/></name></Patient>"),
                 E_ELEMENT_UNKNOWN);
    cr_expect_str_eq(k.fault.where, "Patient.name.family");
    cr_expect_eq(k.fault.line, 3);
    cr_expect_eq(k.fault.column, 3);
    kit_done(&k);
}

/* Position and form of what the parser itself refuses; its own messages quote the document. */
static const struct {
    const char *text;
    err code;
    long from;
    const char *found;
} positions[] = {
    {"<!-- < -->\n<!DOCTYPE Basic [<!ENTITY a \"b\">]><Basic " NS "/>", E_XML_DOCTYPE, 11, "DOCTYPE"},
    {"<Basic " NS "><id value=\"a\"></Basic>", E_XML_SYNTAX, 0, "an end tag of another name"},
    {"<Basic " NS "/><Basic " NS "/>", E_XML_SYNTAX, 0, "something behind the root"},
    {"<Basic " NS "><id value=\"a\" value=\"b\"/></Basic>", E_XML_SYNTAX, 0, "an attribute twice"},
    {"<Basic " NS "><x:id value=\"a\"/></Basic>", E_XML_NAMESPACE, 0, "a prefix without namespace"},
    {"<Basic " NS "><id value=\"&a;\"/></Basic>", E_XML_SYNTAX, 0, "an entity that is not declared"},
};

Test(xml, tells_where_and_what_the_parser_refused)
{
    for (size_t i = 0; i < COUNT_OF(positions); i++) {
        struct kit k;
        kit_init(&k);
        cr_assert_eq(kit_read(&k, positions[i].text), positions[i].code);
        cr_expect(positions[i].from ? k.fault.from == positions[i].from : k.fault.from > 0, "%zu: byte %ld",
                  i, k.fault.from);
        cr_expect_gt(k.fault.line, 0);
        cr_expect_str_eq(k.fault.found, positions[i].found, "%zu: %s", i, k.fault.found);
        kit_done(&k);
    }
}

Test(xml, refuses_a_nul_and_nothing_at_all)
{
    struct kit k;
    kit_init(&k);
    static const char utf16[] = "<\0B\0/\0>\0";
    cr_expect_eq(fhir_read(FHIR_XML, (view){utf16, 8}, k.mem, &k.tree, &k.fault), E_XML_SYNTAX);
    fault_init(&k.fault);
    cr_expect_eq(fhir_read(FHIR_XML, V(""), k.mem, &k.tree, &k.fault), E_XML_SYNTAX);
    kit_done(&k);
}

static err
read_nested(struct kit *k, size_t levels)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    BUF_LIT(&b, "<Basic " NS ">");
    for (size_t i = 0; i < levels; i++)
        BUF_LIT(&b, "<extension url=\"a\">");
    for (size_t i = 0; i < levels; i++)
        BUF_LIT(&b, "</extension>");
    BUF_LIT(&b, "</Basic>");
    fault_init(&k->fault);
    err e = fhir_read(FHIR_XML, buf_view(&b), k->mem, &k->tree, &k->fault);
    buf_done(&b);
    return e;
}

Test(xml, bounds_the_depth_of_the_tree)
{
    struct kit k;
    kit_init(&k);
    cr_expect_eq(read_nested(&k, 31), E_OK); /* an array and an object for each level */
    cr_expect_eq(read_nested(&k, 32), E_XML_DEPTH);
    kit_done(&k);
}

Test(xml, answers_too_large_when_the_arena_is_full)
{
    arena *mem = arena_new(1000);
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_expect_eq(fhir_read(FHIR_XML, view_of(json_of_xml), mem, &t, &f), E_TOO_LARGE);
    arena_free(mem);
}

Test(xml, tells_xml_from_json_by_the_first_byte)
{
    struct kit k;
    kit_init(&k);
    cr_assert_eq(kit_read(&k, "\n <Basic " NS "/>"), E_OK);
    cr_expect(tree_root(&k.tree)->flags & NODE_FROM_XML);
    cr_assert_eq(kit_read(&k, " {\"resourceType\":\"Basic\"}"), E_OK);
    cr_expect_not(tree_root(&k.tree)->flags & NODE_FROM_XML);
    kit_done(&k);
}
