/* Reading the XML form: the same tree as JSON, byte ranges, and what is refused. */
#include "police_kit.h"

#define NS "xmlns=\"https://claimgate.tw/accident-record/1\""
#define RECORD(content) "<accident_record " NS ">" content "</accident_record>"

static struct outcome
read_xml(arena *mem, const char *text)
{
    struct outcome o = {.mem = mem};
    fault_init(&o.fault);
    o.code = police_read(FHIR_XML, view_of(text), mem, &o.tree, &o.fault);
    return o;
}

static void
expect_refused(const char *text, err code)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = read_xml(mem, text);
    cr_assert_eq(o.code, code, "%s gives %s", text, err_info(o.code)->code);
    cr_assert_eq(o.fault.code, code, "%s", text);
}

Test(police_read, xml_gives_the_tree_of_json)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = read_xml(
        mem, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" RECORD(
                 "<version>1</version><place><text>A &amp; B</text><lon>121.500</lon></place>"
                 "<parties><seq>1</seq><name>甲</name></parties><parties><seq>2</seq></parties>"
                 "<opinions><binding>false</binding><findings><party>1</party><rule_cited>x</rule_cited>"
                 "<rule_cited>y</rule_cited></findings></opinions><note>n</note>"));
    const struct tree *t = &o.tree;
    const struct node *root = tree_root(t);
    cr_assert_eq(o.code, E_OK, "%s %s", o.fault.where, o.fault.found);
    cr_assert_eq(node_count(root), 5);
    cr_assert_eq(node_at(t, root, "version")->kind, NODE_NUMBER);
    cr_assert(view_eq(node_text_at(t, root, "place.text"), V("A & B")));
    cr_assert(view_eq(node_text_at(t, root, "place.lon"), V("121.500")), "numbers stay as written");
    cr_assert_eq(node_member(t, root, V("parties"))->kind, NODE_ARRAY);
    cr_assert_eq(node_count(node_member(t, root, V("parties"))), 2);
    cr_assert(view_eq(node_text_at(t, root, "parties[0].name"), V("甲")));
    cr_assert(view_eq(node_text_at(t, root, "parties[1].seq"), V("2")));
    cr_assert_eq(node_at(t, root, "opinions[0].binding")->kind, NODE_FALSE);
    cr_assert(view_eq(node_text_at(t, root, "opinions[0].findings[0].rule_cited[1]"), V("y")));
    cr_assert(view_eq(node_text_at(t, root, "note"), V("n")));
    for (uint32_t i = 1; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        view raw = node_raw(t, n);
        cr_assert(raw.n > 0 && raw.p[0] == '<' && raw.p[raw.n - 1] == '>', "%.*s", VIEW_ARG(raw));
        cr_assert(node_of_pointer(t, node_pointer(t, n, mem)) == n);
    }
}

Test(police_read, prefixes_comments_cdata_and_blanks_are_taken)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = read_xml(
        mem, "<p:accident_record xmlns:p=\"https://claimgate.tw/accident-record/1\" Id=\"r1\">\n  <!-- c -->"
             "<p:part>sl<!-- x "
             "-->ip</p:part>\n<p:item><![CDATA[a<b]]></p:item><p:conditions/><p:casualties>\n</p:casualties>"
             "</p:accident_record>");
    cr_assert_eq(o.code, E_OK, "%s %s", o.fault.where, o.fault.found);
    cr_assert(view_eq(node_text_at(&o.tree, tree_root(&o.tree), "part"), V("slip")));
    cr_assert(view_eq(node_text_at(&o.tree, tree_root(&o.tree), "item"), V("a<b")));
    cr_assert_eq(node_at(&o.tree, tree_root(&o.tree), "conditions")->kind, NODE_OBJECT);
    cr_assert_eq(node_at(&o.tree, tree_root(&o.tree), "casualties")->kind, NODE_OBJECT);
}

Test(police_read, an_embedded_signature_is_skipped)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = read_xml(
        mem,
        RECORD(
            "<part>slip</part><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"
            "text</ds:SignedInfo><part "
            "xmlns=\"https://claimgate.tw/accident-record/1\">x</part></ds:Signature>"));
    cr_assert_eq(o.code, E_OK);
    cr_assert_eq(node_count(tree_root(&o.tree)), 1);
    expect_refused(RECORD("<place><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></place>"),
                   E_ELEMENT_UNKNOWN);
}

Test(police_read, what_is_not_in_form_is_refused)
{
    expect_refused("", E_XML_SYNTAX);
    expect_refused("x", E_XML_SYNTAX);
    expect_refused("<accident_record " NS "><part>", E_XML_SYNTAX);
    expect_refused("<accident_record " NS "/><x/>", E_XML_SYNTAX);
    expect_refused("<!DOCTYPE accident_record [<!ENTITY a \"b\">]>" RECORD("<part>&a;</part>"),
                   E_XML_DOCTYPE);
    expect_refused("<accident_record/>", E_DOCUMENT_KIND);
    expect_refused("<accident_record xmlns=\"https://claimgate.tw/accident-record/2\"/>", E_DOCUMENT_KIND);
    expect_refused("<record " NS "/>", E_DOCUMENT_KIND);
    expect_refused(RECORD("<x xmlns=\"urn:other\"/>"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("text"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("<part>a</part>text"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("text<part>a</part>"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("<place>text</place>"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("<part code=\"1\">a</part>"), E_ELEMENT_UNKNOWN);
    expect_refused(RECORD("<part>a</part><part>b</part>"), E_CARDINALITY);
    expect_refused(RECORD("<note>a</note><note>b</note>"), E_CARDINALITY);
    expect_refused(RECORD("<parties><seq>1</seq></parties><part>a</part><parties><seq>2</seq></parties>"),
                   E_ELEMENT_ORDER);
    expect_refused("<?xml version=\"1.0\" encoding=\"Big5\"?>" RECORD(""), E_UTF8);
    expect_refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" RECORD("<part>\xE7\x94\xB2</part>"),
                   E_UTF8);
    expect_refused("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" RECORD(""), E_XML_SYNTAX);
    expect_refused("<accident_record " NS "><part>\xA4\xA4</part></accident_record>", E_UTF8);
}

Test(police_read, a_document_type_has_its_position)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = read_xml(mem, "<?xml version=\"1.0\"?>\n<!DOCTYPE accident_record>" RECORD(""));
    cr_assert_eq(o.code, E_XML_DOCTYPE);
    cr_assert(o.fault.from == 22 && o.fault.line == 2 && o.fault.column == 1, "%ld", o.fault.from);
    o = read_xml(mem, RECORD("<part>a</item>"));
    cr_assert_str_eq(o.fault.found, "an end tag of another name");
}

Test(police_read, depth_has_an_end)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 1 << 16);
    BUF_LIT(&b, "<accident_record " NS ">");
    for (int i = 0; i < 80; i++)
        BUF_LIT(&b, "<x>");
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(police_read(FHIR_XML, buf_view(&b), mem, &t, &f), E_XML_DEPTH);
}

Test(police_read, a_nul_is_refused)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(police_read(FHIR_XML, view_make("<a>\0</a>", 8), mem, &t, &f), E_XML_SYNTAX);
}

Test(police_read, json_is_read_by_the_reader_of_signed_documents)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(police_read(FHIR_JSON, V("{\"a\":1,\"a\":2}"), mem, &t, &f), E_JSON_DUPLICATE_NAME);
    cr_assert_eq(police_read(FHIR_JSON, V("{\"a\":1}"), mem, &t, &f), E_OK);
}
