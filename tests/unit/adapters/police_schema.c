/* openapi/accident-record.schema.json and .xsd are what record.def says.  With CLAIMGATE_WRITE=1 they are written anew.  Made-up records are then checked
 * against the XSD with libxml2 (JSON against its schema: tests/contract/test_accident_schema.py). */
#include "police_kit.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#define JSON_FILE TEST_SOURCE_DIR "/openapi/accident-record.schema.json"
#define XSD_FILE TEST_SOURCE_DIR "/openapi/accident-record.xsd"

static const struct layout_shape *
shape_of(const struct layout_field *f)
{
    return &record_layout()->shapes[layout_shape_of(record_layout(), f)];
}

/* -- JSON Schema -- */

static void
put_words(struct buf *b, enum record_words w)
{
    view rest = view_of(record_layout()->words[w]);
    bool more = true;
    const char *comma = "";
    BUF_LIT(b, "[");
    while (more) {
        buf_printf(b, "%s", comma);
        buf_add_json(b, view_cut(&rest, '|', &more));
        comma = ", ";
    }
    BUF_LIT(b, "]");
}

static void
put_form(struct buf *b, enum record_form f)
{
    const struct layout_text *row = &record_layout()->texts[f];
    buf_printf(b, "\"type\": \"string\", ");
    if (*row->set)
        buf_printf(b, "\"pattern\": \"^[%s]{%u,%u}$\"", row->set, row->least, row->most);
    else
        buf_printf(b, "\"minLength\": %u, \"maxLength\": %u", row->least, row->most);
}

static void
put_type(struct buf *b, const struct layout_field *f)
{
    switch ((enum layout_kind)f->kind) {
    case LAYOUT_TEXT:
    case LAYOUT_TEXTS:
        put_form(b, (enum record_form)f->arg);
        return;
    case LAYOUT_WORD:
        BUF_LIT(b, "\"enum\": ");
        put_words(b, (enum record_words)f->arg);
        return;
    case LAYOUT_INT:
    case LAYOUT_NUMBER:
        buf_printf(b, "\"type\": \"%s\", \"minimum\": %d, \"maximum\": %d",
                   f->kind == LAYOUT_INT ? "integer" : "number", (int)f->least, (int)f->most);
        return;
    case LAYOUT_BOOL:
        BUF_LIT(b, "\"type\": \"boolean\"");
        return;
    case LAYOUT_DATE:
        BUF_LIT(b,
                "\"type\": \"string\", \"format\": \"date\", \"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}$\"");
        return;
    case LAYOUT_TIME:
        BUF_LIT(b, "\"type\": \"string\", \"format\": \"date-time\", \"pattern\": "
                   "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\\\.[0-9]{1,9})?(Z|[+-][0-9]{2}"
                   ":[0-9]{2})$\"");
        return;
    default:
        buf_printf(b, "\"$ref\": \"#/$defs/%s\"", shape_of(f)->name);
        return;
    }
}

static void
put_field(struct buf *b, const struct layout_field *f)
{
    buf_printf(b, "        \"%.*s\": {\"description\": ", VIEW_ARG(f->name));
    buf_add_json(b, view_of(f->text));
    BUF_LIT(b, ", ");
    if (f->kind == LAYOUT_CODE || f->kind == LAYOUT_CODES)
        buf_printf(b, "\"x-column\": \"%s\", ", police_column_word((enum police_column)f->arg));
    if (layout_is_list(f)) {
        /* The limits of police.c and rules.c. */
        buf_printf(b, "\"type\": \"array\", \"minItems\": 1, %s\"items\": {",
                   view_eq(f->name, V("attachments")) ? "\"maxItems\": 64, "
                   : view_eq(f->name, V("parties"))   ? "\"maxItems\": 256, "
                                                      : "");
        put_type(b, f);
        BUF_LIT(b, "}");
    } else {
        put_type(b, f);
    }
    BUF_LIT(b, "}");
}

static void
put_required(struct buf *b, const struct layout_shape *s, enum layout_need need)
{
    const char *comma = "";
    BUF_LIT(b, "[");
    for (size_t i = 0; i < s->n; i++) {
        if (s->fields[i].need != need)
            continue;
        buf_printf(b, "%s\"%.*s\"", comma, VIEW_ARG(s->fields[i].name));
        comma = ", ";
    }
    BUF_LIT(b, "]");
}

static void
put_shape(struct buf *b, enum record_shape shape)
{
    const struct layout_shape *s = &record_layout()->shapes[shape];
    buf_printf(b,
               "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n      "
               "\"required\": ",
               s->name);
    put_required(b, s, NEED_ALWAYS);
    if (shape == SHAPE_code)
        BUF_LIT(b, ",\n      \"minProperties\": 1");
    BUF_LIT(b, ",\n      \"properties\": {\n");
    for (size_t i = 0; i < s->n; i++) {
        put_field(b, &s->fields[i]);
        buf_printf(b, "%s\n", i + 1 < s->n ? "," : "");
    }
    buf_printf(b, "      }\n    }%s\n", shape + 1 < SHAPE_COUNT ? "," : "");
}

/* The rules of rules.c that a schema can say. */
static void
put_rules(struct buf *b)
{
    BUF_LIT(b, "  \"allOf\": [\n    {\"$ref\": \"#/$defs/record\"},\n"
               "    {\"if\": {\"not\": {\"required\": [\"inquest\"]}}, \"then\": {\"required\": ");
    put_required(b, &record_layout()->shapes[SHAPE_record], NEED_MOSTLY);
    BUF_LIT(b, "}},\n"
               "    {\"if\": {\"properties\": {\"part\": {\"enum\": [\"diagram\", \"photos\"]}}}, \"then\": "
               "{\"required\": [\"attachments\"]}},\n"
               "    {\"if\": {\"properties\": {\"part\": {\"enum\": [\"analysis\", \"appraisal\", "
               "\"reappraisal\"]}}},\n"
               "     \"then\": {\"required\": [\"opinions\"]}, \"else\": {\"not\": {\"required\": "
               "[\"opinions\"]}}},\n"
               "    {\"if\": {\"properties\": {\"part\": {\"const\": \"other\"}}}, \"else\": {\"not\": "
               "{\"anyOf\": [{\"required\": [\"item\"]}, "
               "{\"required\": [\"inquest\"]}]}}},\n"
               "    {\"if\": {\"required\": [\"inquest\"]}, \"then\": {\"properties\": {\"agency\": "
               "{\"required\": [\"kind\"], "
               "\"properties\": {\"kind\": {\"const\": \"prosecutor\"}}}}}}\n  ]\n");
}

static void
put_json_schema(struct buf *b)
{
    BUF_LIT(b, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
               "  \"$id\": \"https://claimgate.tw/accident-record/1/schema.json\",\n"
               "  \"title\": \"Accident record, version 1\",\n"
               "  \"description\": \"One paper of a traffic accident as the agency that wrote it signs it. "
               "Values of the form carry class, name or "
               "number of the edition that form_era names. Received records may hold further members: they "
               "are kept and noted.\",\n"
               "  \"$defs\": {\n");
    for (int s = 0; s < SHAPE_COUNT; s++)
        put_shape(b, (enum record_shape)s);
    BUF_LIT(b, "  },\n");
    put_rules(b);
    BUF_LIT(b, "}\n");
}

/* -- XSD -- */

static void
put_restriction(struct buf *b, const char *base, const char *facets)
{
    buf_printf(b, "<xs:simpleType><xs:restriction base=\"xs:%s\">%s</xs:restriction></xs:simpleType>", base,
               facets);
}

static void
put_xsd_words(struct buf *b, enum record_words w)
{
    view rest = view_of(record_layout()->words[w]);
    bool more = true;
    BUF_LIT(b, "<xs:simpleType><xs:restriction base=\"xs:string\">");
    while (more) {
        view word = view_cut(&rest, '|', &more);
        buf_printf(b, "<xs:enumeration value=\"%.*s\"/>", VIEW_ARG(word));
    }
    BUF_LIT(b, "</xs:restriction></xs:simpleType>");
}

static void
put_xsd_type(struct buf *b, const struct layout_field *f)
{
    char facets[400];
    const struct layout_text *form = &record_layout()->texts[f->kind <= LAYOUT_TEXTS ? f->arg : 0];
    switch ((enum layout_kind)f->kind) {
    case LAYOUT_TEXT:
    case LAYOUT_TEXTS:
        if (*form->set)
            snprintf(facets, sizeof facets, "<xs:pattern value=\"[%s]{%u,%u}\"/>", form->set, form->least,
                     form->most);
        else
            snprintf(facets, sizeof facets, "<xs:minLength value=\"%u\"/><xs:maxLength value=\"%u\"/>",
                     form->least, form->most);
        put_restriction(b, "string", facets);
        return;
    case LAYOUT_WORD:
        put_xsd_words(b, (enum record_words)f->arg);
        return;
    case LAYOUT_INT:
    case LAYOUT_NUMBER:
        snprintf(facets, sizeof facets,
                 "<xs:pattern value=\"%s\"/><xs:minInclusive value=\"%d\"/><xs:maxInclusive value=\"%d\"/>",
                 f->kind == LAYOUT_INT ? "-?(0|[1-9][0-9]*)" : "-?[0-9]+(\\.[0-9]{1,9})?", (int)f->least,
                 (int)f->most);
        put_restriction(b, f->kind == LAYOUT_INT ? "integer" : "decimal", facets);
        return;
    case LAYOUT_BOOL:
        put_restriction(b, "boolean", "<xs:pattern value=\"true|false\"/>");
        return;
    case LAYOUT_DATE:
        put_restriction(b, "date", "<xs:pattern value=\"[0-9]{4}-[0-9]{2}-[0-9]{2}\"/>");
        return;
    default:
        put_restriction(b, "dateTime", "<xs:pattern value=\".+(Z|[+\\-][0-9]{2}:[0-9]{2})\"/>");
        return;
    }
}

static void
put_xsd_field(struct buf *b, const struct layout_field *f)
{
    bool list = layout_is_list(f);
    buf_printf(b, "      <xs:element name=\"%.*s\"%s%s", VIEW_ARG(f->name),
               f->need == NEED_ALWAYS ? "" : " minOccurs=\"0\"",
               !list                                ? ""
               : view_eq(f->name, V("attachments")) ? " maxOccurs=\"64\""
               : view_eq(f->name, V("parties"))     ? " maxOccurs=\"256\""
                                                    : " maxOccurs=\"unbounded\"");
    if (layout_shape_of(record_layout(), f) != SHAPE_NONE)
        buf_printf(b, " type=\"r:%s\"", shape_of(f)->name);
    BUF_LIT(b, ">\n        <xs:annotation><xs:documentation>");
    buf_add_xml(b, view_of(f->text));
    BUF_LIT(b, "</xs:documentation></xs:annotation>");
    if (layout_shape_of(record_layout(), f) == SHAPE_NONE) {
        BUF_LIT(b, "\n        ");
        put_xsd_type(b, f);
    }
    BUF_LIT(b, "\n      </xs:element>\n");
}

static void
put_xsd(struct buf *b)
{
    BUF_LIT(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<!-- Accident record, version 1, in XML: the members of accident-record.schema.json as "
               "elements; a list repeats its element.\n"
               "     What depends on part and inquest stands in the JSON schema alone. -->\n"
               "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:r=\"" RECORD_NAMESPACE
               "\" targetNamespace=\"" RECORD_NAMESPACE "\" elementFormDefault=\"qualified\">\n"
               "  <xs:element name=\"" RECORD_ROOT "\" type=\"r:record\"/>\n");
    for (int s = 0; s < SHAPE_COUNT; s++) {
        const struct layout_shape *row = &record_layout()->shapes[s];
        buf_printf(b, "  <xs:complexType name=\"%s\">\n    <xs:sequence>\n", row->name);
        for (size_t i = 0; i < row->n; i++)
            put_xsd_field(b, &row->fields[i]);
        if (s == SHAPE_record)
            BUF_LIT(b, "      <xs:any namespace=\"http://www.w3.org/2000/09/xmldsig#\" "
                       "processContents=\"skip\" minOccurs=\"0\"/>\n");
        BUF_LIT(b, "    </xs:sequence>\n");
        if (s == SHAPE_record)
            BUF_LIT(b, "    <xs:attribute name=\"Id\" type=\"xs:ID\"/>\n");
        BUF_LIT(b, "  </xs:complexType>\n");
    }
    BUF_LIT(b, "</xs:schema>\n");
}

/* -- comparing -- */

static void
expect_file(const char *path, const struct buf *b)
{
    cr_assert(!b->failed);
    if (getenv("CLAIMGATE_WRITE")) {
        FILE *out = fopen(path, "wb");
        cr_assert(out && fwrite(b->p, 1, b->n, out) == b->n && fclose(out) == 0);
    }
    FILE *in = fopen(path, "rb");
    cr_assert(in, "%s", path);
    char *text = malloc(b->n + 2);
    size_t n = fread(text, 1, b->n + 2, in);
    fclose(in);
    cr_assert(n == b->n && memcmp(text, b->p, n) == 0,
              "%s differs from record.def: run with CLAIMGATE_WRITE=1", path);
    free(text);
}

Test(police_schema, the_json_schema_is_the_table)
{
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 1 << 20);
    put_json_schema(&b);
    expect_file(JSON_FILE, &b);
}

Test(police_schema, the_xsd_is_the_table)
{
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 1 << 20);
    put_xsd(&b);
    expect_file(XSD_FILE, &b);
}

/* -- records against the XSD -- */

static int
validate_xml(xmlSchemaPtr schema, view xml)
{
    xmlDocPtr doc = xmlReadMemory(xml.p, (int)xml.n, "record.xml", NULL, XML_PARSE_NONET);
    cr_assert(doc);
    xmlSchemaValidCtxtPtr ctx = xmlSchemaNewValidCtxt(schema);
    int result = xmlSchemaValidateDoc(ctx, doc);
    xmlSchemaFreeValidCtxt(ctx);
    xmlFreeDoc(doc);
    return result;
}

static xmlSchemaPtr
load_xsd(void)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(XSD_FILE);
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    cr_assert(schema, "the XSD is no schema");
    return schema;
}

Test(police_schema, made_up_records_are_valid_xml)
{
    xmlSchemaPtr schema = load_xsd();
    digest_start();
    for (size_t index = 1; index < 40; index++) {
        AUTO(arena_free) arena *mem = arena_new(64u << 20);
        struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
        struct fault f;
        size_t n;
        fault_init(&f);
        cr_assert_eq(police_sample_synthetic(1, index, mem, s, &n, &f), E_OK);
        for (size_t i = 0; i < n; i++) {
            view xml;
            cr_assert_eq(police_sample_xml(s[i].json, mem, &xml, &f), E_OK);
            cr_assert_eq(validate_xml(schema, xml), 0, "%.*s", VIEW_ARG(xml));
        }
    }
    xmlSchemaFree(schema);
}

Test(police_schema, the_xsd_refuses_what_is_not_in_the_table)
{
    AUTO(arena_free) arena *mem = kit_arena();
    xmlSchemaPtr schema = load_xsd();
    struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
    struct fault f;
    size_t n;
    view xml;
    fault_init(&f);
    cr_assert_eq(police_sample_synthetic(1, 1, mem, s, &n, &f), E_OK);
    cr_assert_eq(police_sample_xml(s[0].json, mem, &xml, &f), E_OK);
    const char *text = arena_cstr(mem, xml);
    cr_assert_neq(
        validate_xml(schema, view_of(kit_replace(mem, text, "<part>slip</part>", "<part>leaf</part>"))), 0);
    cr_assert_neq(validate_xml(schema, view_of(kit_replace(mem, text, "<seq>1</seq>", "<seq>one</seq>"))), 0);
    cr_assert_neq(validate_xml(schema, view_of(kit_replace(mem, text, "<part>slip</part>",
                                                           "<part>slip</part><page>1</page>"))),
                  0);
    xmlSchemaFree(schema);
}
